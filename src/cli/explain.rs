//! `explain`: what happened to a job, in sentences, and what comes next.
//!
//! Knows how they are written as lines and as JSON, and which verbs go on from each state. Changes nothing.

use serde_json::json;

use super::args::Show;
use super::code;
use super::look::when;
use super::out::Out;
use crate::domain::explain::{self, Chapter, Sentence};
use crate::domain::text::clean;
use crate::domain::{ErrorKind, FileKind, Hold, Job, JobState, Refund};
use crate::engine::{EngineError, Reader};

/// `explain`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn explain(asked: &Show, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let Some(job) = reader.job(asked.id)? else {
        out.say(format_args!("there is no job {}; `rushes list` shows what there is", asked.id));
        return Ok(code::USAGE);
    };
    let mut chapters = explain::explain(&job, &reader.history(asked.id)?);
    let next = |text| Sentence { at: None, text, kind: String::new() };
    chapters.push(Chapter { title: "what comes next", sentences: next_steps(&job).into_iter().map(next).collect() });
    if asked.json {
        out.json(
            &json!({"schema": 1, "id": job.id, "state": job.state, "simulated": job.simulated, "chapters": chapters}),
        );
        return Ok(code::DONE);
    }
    let simulated = if job.simulated { ", simulated" } else { "" };
    out.line(format_args!("{}  {}  {}{simulated}", job.id, job.model_ref(), job.state));
    out.line(clean(&job.request.prompt, 400));
    for chapter in chapters {
        out.line("");
        out.line(chapter.title);
        for sentence in chapter.sentences {
            let at = sentence.at.map_or_else(|| " ".repeat(19), when);
            out.line(format_args!("  {at}  {}", clean(&sentence.text, 600)));
        }
    }
    Ok(code::DONE)
}

/// What goes on by itself, and which verb does what.
fn next_steps(job: &Job) -> Vec<String> {
    let (id, account) = (job.id, &job.request.account);
    let mut steps = match job.state {
        JobState::Queued => vec![
            format!("It is sent when its turn at {account} comes, by `rushes run` or the dashboard."),
            format!("`rushes cancel {id}` takes it back; nothing was charged."),
        ],
        JobState::Held => vec![held(job), format!("`rushes cancel {id}` takes it back; nothing was charged.")],
        JobState::Submitting => vec![
            "Its answer is waited for, however late; nothing can cancel it any more.".to_owned(),
            "Had the program ended meanwhile, its next start looks for the order and does not send it again.".to_owned(),
        ],
        JobState::Running => vec![format!(
            "{account} is asked for it until it is finished or has failed, by `rushes run` or the dashboard; then the clip is fetched. Nothing can cancel it any more."
        )],
        JobState::Downloading => vec![
            "Its clip is fetched until it is whole, with a fresh link where one is no good, by `rushes run` or the dashboard.".to_owned(),
        ],
        JobState::Unconfirmed if job.files.iter().any(|file| file.kind == FileKind::Partial) => vec![format!(
            "`rushes adopt {id} part` takes what came of the clip for the whole, `rushes write-off {id}` gives it up, `rushes retry {id} --may-pay-twice` orders it again and may pay twice."
        )],
        JobState::Unconfirmed => vec![
            format!(
                "`rushes run` and the dashboard look for it, ever more rarely; where {account} names it, it goes on by itself. `rushes claims` has what {account}'s support would ask for."
            ),
            format!(
                "`rushes adopt {id} REMOTE_ID` names its order, `rushes write-off {id}` gives it up, `rushes retry {id} --may-pay-twice` orders it again and may pay twice."
            ),
        ],
        JobState::Done | JobState::Cancelled | JobState::Failed => Vec::new(),
    };
    match job.refund {
        Refund::Claimed => steps.push(format!(
            "A balance of {account} that no order of yours can have moved will show the refund, or ten minutes after the failure that it did not come; `rushes run` asks for it, also with nothing to do."
        )),
        Refund::Contradicted => steps.push(format!(
            "`rushes claims --account {account}` writes the report for its support. Money that comes after all is shown as unexplained: `rushes books classify u-N refund --job {id}` says what it was."
        )),
        Refund::NotObservable if is_claim(job) => {
            steps.push(format!("`rushes claims --account {account}` writes the report for its support."));
        }
        _ => {}
    }
    if steps.is_empty() {
        steps.push("Nothing is left to do.".to_owned());
    }
    if job.abandoned {
        steps.push("It is hidden by your word, and all the same worked and booked to its end.".to_owned());
    }
    steps
}

/// What lets a held job go on.
fn held(job: &Job) -> String {
    let (id, account) = (job.id, &job.request.account);
    match &job.hold {
        Some(Hold::OverCap(cap)) if cap.starts_with("batch") => {
            "It goes on by itself once the batch's cap has room; `rushes run FILE --cap` or `--cap-jobs` gives it more.".to_owned()
        }
        Some(Hold::OverCap(_)) => {
            "It goes on by itself once the cap has room: when something set aside is free again, in the cap's next day or month, or at the next start after it was raised.".to_owned()
        }
        Some(Hold::PriceUnknown) => format!("`rushes release {id} --ceiling 2` lets it go on for $2.00 at most."),
        Some(Hold::AccountMissing) => format!("It goes on once {account} is configured again."),
        Some(Hold::AccountChanged) => format!("`rushes release {id}` sends it with the present key and address of {account}."),
        Some(Hold::ModelChanged(_)) => {
            format!("Look at `rushes models {}`, then `rushes release {id}` lets it go on.", job.model_ref())
        }
        Some(Hold::User) | None => format!("`rushes release {id}` lets it go on."),
    }
}

/// Whether a support would have to answer for it.
fn is_claim(job: &Job) -> bool {
    let is_lost = job.error.as_ref().is_some_and(|error| error.kind == ErrorKind::User);
    job.state == JobState::Failed && (is_lost || job.cost.is_some_and(|cost| !cost.amount.is_zero()))
}
