//! `add`, `cancel`, `retry`, `duplicate`, `move`, `tag`, `release`, `abandon`, `adopt`, `write-off`, `resume`: verbs
//! that change what is queued and order nothing.
//!
//! Knows their answers as prose and JSON. They work with an engine that is not online, or one that only
//! asks, so they need the data directory to themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::{Add, Import};
use super::ask::Desk;
use super::batch::{self, Batch, Options};
use super::code;
use super::out::Out;
use super::shelf::Shelf;
use crate::domain::books::{Class, DifferenceId};
use crate::domain::caps::BatchCap;
use crate::domain::message::{Answer, Command};
use crate::domain::money::{add_up, in_words};
use crate::domain::{JobId, Money, Shift};
use crate::engine::{Engine, Leave};

/// Reads batch files. Says every problem; `Err` is the exit code when nothing may be queued.
///
/// # Errors
/// Exit code 2 for an unreadable file, or for a bad row without `--skip-bad`.
pub fn import(files: &[PathBuf], import: &Import, shelf: &Shelf, out: &Out) -> Result<Batch, u8> {
    let mut reader = batch::Reader::new(shelf, options(import));
    for path in files {
        if let Err(error) = reader.read(path) {
            out.say(format_args!("{}: cannot be read: {error}; nothing was queued", path.display()));
            return Err(code::USAGE);
        }
    }
    judge(reader.finish(), import, out)
}

/// Takes out of a batch what is for accounts that are left out, and says so; whether there was any.
pub fn set_aside(batch: Option<Batch>, is_there: impl Fn(&str) -> bool, out: &Out) -> (Option<Batch>, bool) {
    let Some(mut batch) = batch else { return (None, false) };
    let (kept, aside): (Vec<_>, Vec<_>) = batch.jobs.into_iter().partition(|job| is_there(&job.request.account));
    batch.jobs = kept;
    let mut counts = BTreeMap::<String, usize>::new();
    aside.into_iter().for_each(|job| *counts.entry(job.request.account).or_default() += 1);
    for (account, n) in &counts {
        let jobs = plural(*n, "job");
        out.say(format_args!("{n} {jobs} for {account} not queued; give them again once its key is there"));
    }
    (Some(batch), !counts.is_empty())
}

fn options(import: &Import) -> Options {
    // A word of its own for every time: what was bought before is bought again.
    let again = import.again.then(|| jiff::Timestamp::now().as_millisecond().to_string());
    let cap = BatchCap { money: import.cap, jobs: import.cap_jobs }.some();
    Options { again, ceiling: import.ceiling, tags: Vec::new(), shrink: import.shrink_images, cap }
}

fn judge(batch: Batch, import: &Import, out: &Out) -> Result<Batch, u8> {
    batch.problems.iter().for_each(|problem| out.say(problem));
    let bad = batch.problems.len();
    if bad > 0 && !import.skip_bad {
        out.say(format_args!(
            "nothing was queued: {bad} {} in {} {}; correct {}, or give --skip-bad to queue the others",
            plural(bad, "problem"),
            batch.rows,
            plural(batch.rows, "row"),
            if bad == 1 { "it" } else { "them" },
        ));
        return Err(code::USAGE);
    }
    if batch.unpriced > 0 {
        let n = batch.unpriced;
        out.say(format_args!(
            "{n} {} of unknown price will be held; --ceiling DOLLARS or a `ceiling` in the row lets them go",
            plural(n, "job")
        ));
    }
    Ok(batch)
}

/// One request out of flags, read as the row it stands for.
///
/// # Errors
/// Exit code 2, with its problems said.
pub fn one(add: &Add, shelf: &Shelf, out: &Out) -> Result<Batch, u8> {
    let mut row = serde_json::Map::new();
    let named = [
        ("model", &add.model),
        ("prompt", &add.prompt),
        ("duration", &add.duration),
        ("aspect_ratio", &add.aspect_ratio),
        ("resolution", &add.resolution),
        ("image", &add.image),
        ("end_image", &add.end_image),
        ("video", &add.video),
        ("audio", &add.audio),
        ("seed", &add.seed),
        ("negative_prompt", &add.negative_prompt),
        ("key", &add.key),
    ];
    let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    for (name, value) in add.params.iter().cloned().chain(given) {
        row.insert(name, Value::String(value));
    }
    row.insert("copies".into(), json!(add.copies.unwrap_or(1)));
    row.insert("tags".into(), json!(add.tags));
    // What is typed by hand is meant anew each time, unless a key says otherwise.
    let mut options = options(&add.import);
    if add.key.is_none() {
        options.again = Some(jiff::Timestamp::now().as_nanosecond().to_string());
    }
    let mut reader = batch::Reader::new(shelf, options);
    let text = Value::Object(row).to_string();
    if let Err(error) = reader.read_from(text.as_bytes(), "add", PathBuf::new(), Some("jsonl")) {
        out.say(error);
        return Err(code::USAGE);
    }
    let strict = Import { skip_bad: false, ..add.import.clone() };
    judge(reader.finish(), &strict, out)
}

/// Queues a batch; the ids of the jobs it made, and how many of it were known.
///
/// # Errors
/// The exit code, with the problems said.
pub async fn queue(batch: Batch, desk: &mut Desk, out: &Out) -> Result<(Vec<JobId>, usize), u8> {
    let (all, repeated) = (batch.jobs.len(), batch.repeated);
    if all == 0 {
        return Ok((Vec::new(), repeated));
    }
    match desk.ask(Command::Queue { jobs: batch.jobs }, |notice| out.say(&notice.text)).await {
        Some(Answer::Accepted { ids, known }) => {
            out.say(format_args!("{} known, {} new", known + repeated, all.saturating_sub(known)));
            desk.shortfalls().into_iter().for_each(|line| out.say(line));
            Ok((ids, known + repeated))
        }
        answer => Err(refused(answer, out)),
    }
}

/// Says why a command was refused.
fn refused(answer: Option<Answer>, out: &Out) -> u8 {
    match answer {
        Some(Answer::Refused { problems }) => problems.iter().for_each(|problem| out.say(problem)),
        _ => out.say("the engine stopped before it answered; run the command again"),
    }
    out.say("nothing was changed");
    code::USAGE
}

/// `add`, with its rows read already.
pub async fn add(batch: Batch, json: bool, engine: Engine, out: &mut Out) -> u8 {
    let mut desk = Desk::new(&engine);
    let queued = queue(batch, &mut desk, out).await;
    engine.leave(Leave::Now).await;
    match queued {
        Ok((ids, known)) if json => {
            out.json(&json!({"schema": 1, "ids": ids, "known": known}));
            code::DONE
        }
        Ok((ids, _)) => {
            ids.iter().for_each(|id| out.line(id));
            code::DONE
        }
        Err(code) => code,
    }
}

/// A change to jobs.
pub enum Change {
    /// `cancel`
    Cancel,
    /// `retry`
    Retry {
        /// Whether unconfirmed jobs are meant too.
        may_pay_twice: bool,
        /// Whether only what the model needs is sent.
        minimal: bool,
    },
    /// `duplicate`
    Duplicate,
    /// `move`
    Move {
        /// Where to.
        to: Shift,
    },
    /// `tag`
    Tag {
        /// The labels to give.
        add: Vec<String>,
        /// The labels to take off.
        remove: Vec<String>,
    },
    /// `release`
    Release {
        /// The most each may cost where its price is unknown.
        ceiling: Option<Money>,
    },
    /// `abandon`
    Abandon,
    /// `adopt`
    Adopt {
        /// The service's id.
        remote_id: String,
    },
    /// `write-off`
    WriteOff,
    /// `books classify`
    Classify(DifferenceId, Class, Option<rust_decimal::Decimal>),
}

/// Makes a change to jobs.
pub async fn change(change: Change, ids: Vec<JobId>, engine: Engine, out: &mut Out) -> u8 {
    let (command, word) = match change {
        Change::Adopt { remote_id } => match ids.first() {
            Some(id) => (Command::Adopt { id: *id, remote_id }, "adopted; `run` and the dashboard go on with it"),
            None => return code::USAGE,
        },
        Change::Classify(difference, class, amount) => (Command::Classify { difference, class, amount }, "classified"),
        Change::WriteOff => (Command::WriteOff { ids }, "written off"),
        Change::Cancel => (Command::Cancel { ids }, "cancelled"),
        Change::Retry { may_pay_twice, minimal } => (Command::Retry { ids, may_pay_twice, minimal }, "queued"),
        Change::Duplicate => (Command::Duplicate { ids }, "queued once more"),
        Change::Move { to } => (Command::Move { ids, to }, "moved"),
        Change::Tag { add, remove } => (Command::Tag { ids, add, remove }, "tagged"),
        Change::Release { ceiling } => (Command::Release { ids, ceiling }, "released"),
        Change::Abandon => (Command::Abandon { ids }, "abandoned"),
    };
    let buys = matches!(command, Command::Retry { .. } | Command::Duplicate { .. });
    let mut desk = Desk::new(&engine);
    let answer = desk.ask(command, |notice| out.say(&notice.text)).await;
    engine.leave(Leave::Now).await;
    match answer {
        Some(Answer::Accepted { ids, .. }) => {
            ids.iter().for_each(|id| out.line(id));
            let jobs = plural(ids.len(), "job");
            match word {
                "classified" => out.say("classified; `rushes books` shows it"),
                _ if buys => {
                    let prices = ids.iter().map(|id| desk.rows.get(id).and_then(|row| row.estimate));
                    let (sums, unknown) = add_up(prices);
                    out.say(format_args!("{} {jobs} {word}, for {}", ids.len(), in_words(&sums, unknown)));
                    desk.shortfalls().into_iter().for_each(|line| out.say(line));
                }
                _ => out.say(format_args!("{} {jobs} {word}", ids.len())),
            }
            code::DONE
        }
        answer => refused(answer, out),
    }
}

/// `resume`: lets an account that pauses go on.
pub async fn resume(account: String, engine: Engine, out: &mut Out) -> u8 {
    let mut desk = Desk::new(&engine);
    // The first thing told is how everything stands.
    desk.next().await;
    let pause = desk.pauses.remove(&account);
    let answer = desk.ask(Command::Resume { account: account.clone() }, |notice| out.say(&notice.text)).await;
    engine.leave(Leave::Now).await;
    match (answer, pause) {
        (Some(Answer::Accepted { .. }), Some(pause)) => {
            out.say(format_args!("{account} paused: {}", pause.message));
            out.say(format_args!("{account} goes on; `rushes run` or the dashboard orders what is queued for it"));
            code::DONE
        }
        (Some(Answer::Accepted { .. }), None) => {
            out.say(format_args!("{account} was not paused; nothing was changed"));
            code::DONE
        }
        (answer, _) => refused(answer, out),
    }
}

/// Whether the user means it: `--yes`, or the word typed at the terminal.
pub fn agrees_to_write_off(yes: bool, ids: &[JobId], out: &Out) -> bool {
    use std::io::IsTerminal;
    let jobs: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let what = format!("{} may still have been taken and charged; nothing here will look any further", jobs.join(", "));
    if yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        out.say(format_args!("{what}. Give --yes to write off all the same; nothing was changed"));
        return false;
    }
    out.say(format_args!("{what}. Type `lost` to write off, anything else to leave it:"));
    let mut answer = String::new();
    let agreed = std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "lost";
    if !agreed {
        out.say("nothing was changed");
    }
    agreed
}

/// `job` or `jobs`.
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

/// Whether a path is standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
