//! `list`, `show`, `balance`: what the data directory and the services say, read without an engine.
//!
//! Knows how jobs are written as lines and as JSON. Changes nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::{List, Show};
use super::code;
use super::out::{Out, table};
use crate::domain::text::{clean, plain};
use crate::domain::{Job, JobState, Money};
use crate::engine::{EngineError, JobFilter, Reader};

/// `list`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn list(asked: &List, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let filter = JobFilter {
        states: asked.state.clone(),
        account: asked.account.clone(),
        tag: asked.tag.clone(),
        limit: asked.limit,
        ..JobFilter::default()
    };
    let jobs = reader.jobs(&filter)?;
    if asked.json {
        jobs.iter().for_each(|job| out.json(&job.record()));
    } else if jobs.is_empty() {
        out.say("no jobs");
    } else {
        let mut rows = vec![["id", "state", "model", "cost", "queued", "prompt", ""].map(str::to_owned).to_vec()];
        rows.extend(jobs.iter().map(row));
        table(&rows).into_iter().for_each(|line| out.line(line));
    }
    Ok(code::DONE)
}

fn row(job: &Job) -> Vec<String> {
    let cost = match (job.cost, job.estimate) {
        (Some(cost), _) => cost.to_string(),
        // Over, and nothing was charged.
        (None, _) if matches!(job.state, JobState::Failed | JobState::Cancelled) => "-".to_owned(),
        (None, Some(estimate)) => format!("~{}", estimate.money),
        (None, None) => "?".to_owned(),
    };
    let mut state = match job.progress.filter(|_| !job.state.is_final()) {
        Some(percent) => format!("{} {percent}%", job.state),
        None => job.state.to_string(),
    };
    if job.abandoned {
        state += ", abandoned";
    }
    let told = match job.files.first() {
        Some(file) => file.path.clone(),
        None => job.row().note.unwrap_or_default(),
    };
    let prompt = clean(&job.request.prompt, 40);
    [job.id.to_string(), state, job.model_ref().to_string(), cost, when(job.created_at), prompt, clean(&told, 120)]
        .into()
}

/// `show`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn show(asked: &Show, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let Some(job) = reader.job(asked.id)? else {
        out.say(format_args!("there is no job {}; `rushes list` shows what there is", asked.id));
        return Ok(code::USAGE);
    };
    let history = reader.history(asked.id)?;
    if asked.json {
        let mut record = job.record();
        record["history"] = json!(history);
        out.json(&record);
        return Ok(code::DONE);
    }
    facts(&job).into_iter().for_each(|(name, value)| out.line(format_args!("{name:<10} {}", clean(&value, 4000))));
    for line in history {
        out.line(format_args!("{}  {:<12} {}", when(line.at), line.kind, clean(&line.text, 600)));
    }
    Ok(code::DONE)
}

fn facts(job: &Job) -> Vec<(&'static str, String)> {
    let params: Vec<String> = job.values.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    let money = |money: Option<Money>| money.map_or("unknown".to_owned(), |money| money.to_string());
    let mut facts = vec![
        ("job", job.id.to_string()),
        ("state", format!("{}{}", job.state, if job.abandoned { ", abandoned" } else { "" })),
        ("model", job.model_ref().to_string()),
        ("prompt", job.request.prompt.clone()),
        ("params", params.join(" ")),
        ("estimate", money(job.estimate.map(|estimate| estimate.money))),
        ("cost", money(job.cost)),
        ("queued", when(job.created_at)),
    ];
    let more = [
        ("waits", job.hold.as_ref().map(crate::domain::Hold::text)),
        ("phase", job.phase.clone()),
        ("remote id", job.remote_id.clone()),
        ("looked for", job.search.as_ref().map(|search| format!("{}: {}", search.verdict, search.text))),
        ("revised", job.revised_prompt.clone()),
        ("sent", job.submitted_at.map(when)),
        ("finished", job.finished_at.map(when)),
        ("tags", Some(job.request.tags.join(", ")).filter(|tags| !tags.is_empty())),
        ("key", job.key.clone()),
        ("comes from", job.parent.map(|id| id.to_string())),
        ("error", job.error.as_ref().map(ToString::to_string)),
        ("simulated", job.simulated.then(|| "yes".to_owned())),
    ];
    facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    facts
        .extend(job.files.iter().map(|file| ("file", format!("{}  {} bytes  {}", file.path, file.bytes, file.sha256))));
    facts
}

/// `balance`: what every account holds, as its service says now; 1 where one did not say.
pub fn balance(json: bool, balances: &[(String, Result<Vec<Money>, String>)], out: &mut Out) -> u8 {
    let mut rows = Vec::new();
    for (account, told) in balances {
        match told {
            Ok(amounts) if json => out.json(&json!({"schema": 1, "account": account, "balances": amounts})),
            Err(why) if json => out.json(&json!({"schema": 1, "account": account, "error": clean(why, 600)})),
            Ok(amounts) if amounts.is_empty() => {
                rows.push(vec![account.clone(), "its service tells no balance".to_owned()]);
            }
            Ok(amounts) => {
                let amounts: Vec<String> = amounts.iter().map(ToString::to_string).collect();
                rows.push(vec![account.clone(), amounts.join("  ")]);
            }
            Err(why) => out.say(format_args!("{account}: {}", clean(why, 600))),
        }
    }
    table(&rows).into_iter().for_each(|line| out.line(line));
    if balances.iter().all(|(_, told)| told.is_ok()) { code::DONE } else { code::SOME_FAILED }
}

/// A time as people at this machine read it.
pub(super) fn when(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Estimate, JobId, PriceSource, Request};

    #[test]
    fn a_line_tells_what_is_over_uncharged_or_abandoned() {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "x");
        let mut job = Job::new(JobId(1), request, Timestamp::UNIX_EPOCH);
        let money = Money::parse("3.40", Currency::Usd).unwrap();
        job.estimate = Some(Estimate { money, source: PriceSource::Documents });
        let told = |job: &Job| (row(job)[1].clone(), row(job)[3].clone());
        assert_eq!(told(&job), ("queued".into(), "~$3.40".into()));
        job.state = JobState::Failed;
        assert_eq!(told(&job).1, "-", "nothing was charged");
        job.cost = Some(money);
        assert_eq!(told(&job).1, "$3.40");
        (job.state, job.progress, job.abandoned) = (JobState::Running, Some(40), true);
        assert_eq!(told(&job).0, "running 40%, abandoned");
    }
}
