//! `run`: works the queue without a screen until nothing can go on, lost orders looked for included.
//!
//! Knows progress lines, the durable log as JSON, signals and the exit code. Must not know how a job
//! is worked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ask::{Desk, News};
use super::batch::Batch;
use super::change::{plural, queue};
use super::code;
use super::out::Out;
use crate::domain::text::clean;
use crate::domain::{JobId, JobRow, JobState, Service};
use crate::engine::{Engine, Leave, Log};

/// Most jobs that a closing line names.
const MOST_IDS: usize = 8;

/// Works until nothing can go on; returns the exit code. With `json` every committed event is a line
/// on standard output, out of the durable log, so that none is missed.
pub async fn run(batch: Option<Batch>, json: bool, verbose: u8, engine: Engine, out: &mut Out) -> u8 {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            out.say(format_args!("cannot listen for signals: {error}"));
            return code::USAGE;
        }
    };
    let printer = json.then(|| tokio::spawn(print_log(engine.log())));
    let mut desk = Desk::new(&engine);
    // The snapshot: what was open before.
    let first = desk.next().await;
    for (account, pause) in &desk.pauses {
        out.say(format_args!("{account} is paused: {}", clean(&pause.message, 300)));
    }
    let mut mine: BTreeSet<JobId> = desk.rows.values().filter(|row| is_open(row)).map(|row| row.id).collect();
    if let Some(batch) = batch.filter(|_| first.is_some()) {
        match queue(batch, &mut desk, out).await {
            Ok((ids, _)) => mine.extend(ids),
            Err(code) => {
                tell_fault(engine.leave(Leave::Now).await, out);
                finish(printer).await;
                return code;
            }
        }
    }
    // What was told before, or while the batch was put into the queue.
    for (account, (service, cause)) in &desk.troubles {
        out.say(format_args!("{account}: {}; tried again by itself", clean(cause, 300)));
        help(account, *service, cause).into_iter().for_each(|line| out.say(line));
    }
    let ended = work(&engine, &mut desk, &mut signals, &mut mine, verbose, out).await;
    let code = match ended {
        None => {
            let fault = engine.leave(Leave::Drain).await;
            catch_up(&mut desk, &mut mine, verbose, out).await;
            let code = judge(&desk, &mine, out);
            if tell_fault(fault, out) { code.max(code::SOME_FAILED) } else { code }
        }
        Some(number) => {
            out.say("stopping: nothing new is sent; waiting for answers and downloads. A second signal leaves at once");
            let leaving = engine.leave(Leave::Drain);
            tokio::pin!(leaving);
            loop {
                tokio::select! {
                    fault = &mut leaving => {
                        tell_fault(fault, out);
                        break;
                    }
                    _ = signals.next() => {
                        out.say("leaving at once; what is on disk goes on at the next start");
                        return code::SIGNAL + number;
                    }
                    Some(news) = desk.next() => tell(news, &mut mine, verbose, out),
                }
            }
            code::SIGNAL + number
        }
    };
    finish(printer).await;
    code
}

/// Tells what could not be kept; whether there was any.
fn tell_fault(fault: Option<String>, out: &Out) -> bool {
    fault.iter().flat_map(|lines| lines.lines()).for_each(|line| out.say(line));
    fault.is_some()
}

/// Follows the work until it is drained, or a signal's number.
async fn work(
    engine: &Engine,
    desk: &mut Desk,
    signals: &mut Signals,
    mine: &mut BTreeSet<JobId>,
    verbose: u8,
    out: &Out,
) -> Option<u8> {
    let (drained, settled) = (engine.drained(), engine.settled());
    tokio::pin!(drained, settled);
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            number = signals.next() => return Some(number),
            news = desk.next() => {
                let news = news?;
                if matches!(news, News::Balance) {
                    desk.shortfalls().into_iter().for_each(|line| out.say(line));
                }
                tell(news, mine, verbose, out);
            }
            () = &mut settled => return None,
            () = &mut drained, if !told => {
                told = true;
                // All may be over by now, too.
                if engine.only_looks() {
                    out.say("waiting for another look at the orders whose answers were lost; a signal ends that");
                }
            }
        }
    }
}

/// What was told before the engine stopped.
async fn catch_up(desk: &mut Desk, mine: &mut BTreeSet<JobId>, verbose: u8, out: &Out) {
    while let Some(news) = desk.next().await {
        tell(news, mine, verbose, out);
    }
}

/// One line a change; percents only when asked for.
fn tell(news: News, mine: &mut BTreeSet<JobId>, verbose: u8, out: &Out) {
    match news {
        News::Job(row, old) => {
            if is_open(&row) {
                mine.insert(row.id);
            }
            let state_changed = old.as_ref().is_none_or(|old| old.state != row.state || old.late != row.late);
            let detail = old.as_ref().is_none_or(|old| old.progress != row.progress || old.phase != row.phase);
            if state_changed || (verbose > 0 && detail) {
                out.say(line(&row));
            }
        }
        News::Notice(notice) => out.say(clean(&notice.text, 600)),
        News::Trouble { account, service, cause } => {
            help(&account, service, &cause).into_iter().for_each(|line| out.say(line));
        }
        News::Answer(..) | News::Balance | News::Other => {}
    }
}

/// What may help an account whose service cannot be reached. The cause itself comes as a notice.
fn help(account: &str, service: Service, cause: &str) -> Option<String> {
    let variable = format!("RUSHES_{}_BASE_URL", service.word().to_uppercase());
    let help = format!("{account} cannot be reached: check the network, and {variable} where it is set");
    cause.contains("cannot connect").then_some(help)
}

/// A job's progress as a line.
pub(super) fn line(row: &JobRow) -> String {
    let mut line = format!("{} {}", row.id, row.state);
    if let Some(percent) = row.progress.filter(|_| row.state == JobState::Running) {
        line += &format!(" {percent}%");
    }
    if row.late {
        line += " (late, still polled)";
    }
    line += &format!("  {}/{}", row.account, row.model);
    if let Some(note) = &row.note {
        line += &format!("  {}", clean(note, 300));
    }
    if let Some(cost) = row.cost {
        line += &format!("  {cost}");
    }
    line
}

/// Whether more can happen to a job, or it needs the user.
fn is_open(row: &JobRow) -> bool {
    !row.state.is_final() && !row.abandoned
}

/// The exit code, and how it went.
fn judge(desk: &Desk, mine: &BTreeSet<JobId>, out: &Out) -> u8 {
    let mut counts = Vec::new();
    let mut bad = 0;
    for state in JobState::ALL {
        let n =
            mine.iter().filter_map(|id| desk.rows.get(id)).filter(|row| row.state == state && !row.abandoned).count();
        if n > 0 {
            counts.push(format!("{n} {state}"));
            bad += if matches!(state, JobState::Done | JobState::Cancelled) { 0 } else { n };
        }
    }
    if counts.is_empty() {
        out.say("nothing to do");
    } else {
        out.say(counts.join(", "));
    }
    for (account, pause) in &desk.pauses {
        out.say(format_args!("{account} is paused: {}", clean(&pause.message, 300)));
    }
    let held = mine.iter().filter_map(|id| desk.rows.get(id)).filter(|row| row.state == JobState::Held);
    held_lines(held.filter(|row| !row.abandoned)).into_iter().for_each(|line| out.say(line));
    let lost = mine.iter().filter_map(|id| desk.rows.get(id)).filter(|row| row.state == JobState::Unconfirmed);
    lost_line(lost.filter(|row| !row.abandoned)).into_iter().for_each(|line| out.say(line));
    if bad > 0 {
        out.say(format_args!("{bad} {} did not become a clip; `rushes list` shows which", plural(bad, "job")));
    }
    if bad == 0 { code::DONE } else { code::SOME_FAILED }
}

/// What is said of jobs whose orders were looked for in vain.
fn lost_line<'a>(lost: impl Iterator<Item = &'a JobRow>) -> Option<String> {
    let ids: Vec<String> = lost.map(|row| row.id.to_string()).collect();
    let first = ids.first()?;
    let (n, more) = (ids.len(), if ids.len() > MOST_IDS { " ..." } else { "" });
    let named = ids.get(..MOST_IDS).unwrap_or(&ids).join(" ");
    let jobs = plural(n, "job");
    Some(format!(
        "{n} {jobs} unconfirmed: {named}{more}; may be charged and not bought twice. The next start looks on; `rushes show {first}` says what is known, `rushes adopt` or `rushes write-off` settles it"
    ))
}

/// Why jobs are held and what lets them go, a line a reason.
fn held_lines<'a>(held: impl Iterator<Item = &'a JobRow>) -> Vec<String> {
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
    for row in held {
        reasons.entry(row.note.as_deref().unwrap_or("no reason is known")).or_default().push(row.id.to_string());
    }
    let line = |(why, ids): (&str, Vec<String>)| {
        let n = ids.len();
        let more = if n > MOST_IDS { " ..." } else { "" };
        let ids = ids.get(..MOST_IDS).unwrap_or(&ids).join(" ");
        if why.starts_with("over the ") {
            let (batch, settings) =
                ("giving its file again with another --cap raises it", "[caps] in config.toml raises it");
            let raise = if why.contains("batch's") { batch } else { settings };
            let goes = if n == 1 { "it goes" } else { "they go" };
            return format!(
                "{n} {} held: {}; {goes} on once there is room, {raise}",
                plural(n, "job"),
                clean(why, 300)
            );
        }
        let ceiling = if why.starts_with("price unknown") { " --ceiling DOLLARS" } else { "" };
        let jobs = plural(n, "job");
        let them = if n == 1 { "it" } else { "them" };
        format!("{n} {jobs} held: {}; `rushes release {ids}{more}{ceiling}` lets {them} go on", clean(why, 300))
    };
    reasons.into_iter().map(line).collect()
}

/// Prints the log's lines as they are committed.
async fn print_log(mut log: Log) {
    let mut out = Out::default();
    while let Some(lines) = log.next().await {
        for line in lines {
            out.json(&json!({
                "schema": 1, "seq": line.seq, "at": line.at, "job": line.job, "account": line.account,
                "kind": line.kind, "text": line.text,
            }));
        }
    }
}

async fn finish(printer: Option<tokio::task::JoinHandle<()>>) {
    if let Some(printer) = printer {
        // A printer that panicked has printed what it could.
        let _ = printer.await;
    }
}

/// The signals that end a run.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal's number.
    pub(super) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hangup.recv() => 1,
        }
    }
}

/// Waits for the first signal and returns its exit code; for the simulator.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn until_signal() -> std::io::Result<u8> {
    Ok(code::SIGNAL + Signals::listen()?.next().await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Job, Request};

    #[test]
    fn a_line_says_what_changed_and_steers_no_terminal() {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "x");
        let mut row = Job::new(JobId(7), request, jiff::Timestamp::UNIX_EPOCH).row();
        (row.state, row.progress) = (JobState::Running, Some(71));
        assert_eq!(line(&row), "j-7 running 71%  ninjachat/veo-3.1");
        (row.state, row.note) = (JobState::Failed, Some("policy: no\u{1b}[2J".into()));
        assert_eq!(line(&row), "j-7 failed  ninjachat/veo-3.1  policy: no[2J");
        row.abandoned = true;
        assert!(!is_open(&row));
        row.note = Some("price unknown: give a ceiling".into());
        let told = "1 job held: price unknown: give a ceiling; `rushes release j-7 --ceiling DOLLARS` lets it go on";
        assert_eq!(held_lines([&row].into_iter()), [told]);
        assert_eq!(lost_line([].into_iter()), None);
        let told = lost_line([&row].into_iter()).unwrap();
        assert!(told.starts_with("1 job unconfirmed: j-7; ") && told.contains("`rushes show j-7`"), "{told}");
    }
}
