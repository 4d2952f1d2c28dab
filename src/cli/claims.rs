//! `claims`: the report that a service's support asks for. UTC times, ids, amounts, hashes; no keys.
//!
//! Knows which jobs and differences are worth asking about. Changes nothing.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Claims;
use super::code;
use super::out::Out;
use crate::domain::books::{BalanceLine, DifferenceId, Entry};
use crate::domain::message::HistoryLine;
use crate::domain::text::clean;
use crate::domain::{EntryKind, ErrorKind, Job, JobState, Money, Refund, Service};
use crate::engine::{BooksView, EngineError, EntryFilter, JobFilter, Reader};

/// Something to ask a support about.
struct Case {
    account: String,
    /// What is wrong, as one line.
    title: String,
    /// For programs: what kind of case it is.
    kind: &'static str,
    amount: Option<Money>,
    /// Names and values, in the order of the report.
    facts: Vec<(&'static str, String)>,
}

/// What of a job its service's support would have to answer for.
fn complaint(job: &Job) -> Option<(&'static str, String, Option<Money>)> {
    let paid = job.cost.filter(|cost| !cost.amount.is_zero());
    let expected = job.estimate.map(|estimate| estimate.money);
    Some(match (job.state, job.refund, paid) {
        (_, Refund::Contradicted, cost) => {
            ("refund_contradicted", "failed; the refund that was promised did not come".to_owned(), cost)
        }
        (JobState::Failed, Refund::Claimed, _) => {
            ("refund_open", "failed; the refund that was promised was not seen yet".to_owned(), None)
        }
        (JobState::Failed, Refund::NotObservable, None) if job.cost.is_some() => {
            ("refund_unseen", "failed; no balance can show whether the promised refund came".to_owned(), None)
        }
        (JobState::Unconfirmed, ..) => {
            let text = "ordered; the answer was lost. Was it taken, and was it charged?".to_owned();
            ("unconfirmed", text, paid.or(job.reserved))
        }
        (JobState::Failed, ..) if job.error.as_ref().is_some_and(|error| error.kind == ErrorKind::User) => {
            let text = "ordered; the answer was lost and never found. Was it charged?".to_owned();
            ("written_off", text, paid.or(expected))
        }
        (JobState::Failed, _, Some(cost)) => {
            ("charged_without_clip", "charged, and no clip came".to_owned(), Some(cost))
        }
        (_, _, Some(cost)) if expected.is_some_and(|e| e.currency == cost.currency && cost.amount > e.amount) => {
            let expected = expected.map(|money| money.to_string()).unwrap_or_default();
            ("overcharged", format!("charged more than the {expected} that was published"), Some(cost))
        }
        _ => return None,
    })
}

/// A time as a support reads it.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn job_case(job: &Job, history: &[HistoryLine], lines: &[BalanceLine]) -> Option<Case> {
    let (kind, text, amount) = complaint(job)?;
    let title = format!("{} {text}", job.model_ref().model);
    let data = |kind: &str, name: &str| {
        let line = history.iter().rev().find(|line| line.kind == kind)?;
        line.data[name].as_str().map(str::to_owned)
    };
    let at = |kind: &str| history.iter().rev().find(|line| line.kind == kind).map(|line| utc(line.at));
    // Of one that was written off the message is the user's.
    let answer = job.error.as_ref().filter(|error| error.kind != ErrorKind::User);
    let mut facts = vec![("our job", job.id.to_string()), ("our id", job.correlation.clone())];
    let more = [
        ("order", job.remote_id.clone()),
        ("request id", data("accepted", "request_id")),
        ("sent", job.submitted_at.map(utc)),
        ("SHA-256 of what was sent", job.digest.clone()),
        ("accepted", at("accepted").or_else(|| at("recovered")).or_else(|| at("adopted"))),
        ("answer lost", at("unconfirmed")),
        ("ended", job.finished_at.map(utc)),
        ("charged", job.cost.map(|cost| cost.to_string())),
        ("set aside", job.reserved.map(|money| money.to_string())),
        ("answer", answer.map(|error| clean(&error.message, 400))),
    ];
    facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let currency =
        job.cost.or(job.reserved).or(job.estimate.map(|estimate| estimate.money)).map(|money| money.currency);
    let told = |line: &&BalanceLine| {
        line.account == job.request.account && currency.is_none_or(|currency| currency == line.balance.money.currency)
    };
    let before = |line: &&BalanceLine| job.submitted_at.is_some_and(|sent| line.balance.seen_at <= sent);
    // Its clip may be fetched later than the service was done with it.
    let done = history.iter().rev().find(|line| line.kind == "finished").map(|line| line.at);
    let end = done.or(job.finished_at).or(job.submitted_at);
    let after = |line: &&BalanceLine| end.is_some_and(|end| line.balance.seen_at >= end);
    let balance = |line: &BalanceLine| format!("{} at {}", line.balance.money, utc(line.balance.seen_at));
    facts.extend(lines.iter().filter(told).rfind(before).map(|line| ("balance before", balance(line))));
    facts.extend(lines.iter().filter(told).find(after).map(|line| ("balance after", balance(line))));
    if kind == "refund_contradicted" {
        facts.extend(at("refund_contradicted").map(|at| ("refund missed", at)));
    }
    Some(Case { account: job.request.account.clone(), title, kind, amount, facts })
}

fn differences(view: &BooksView, reader: &Reader) -> Result<Vec<Case>, EngineError> {
    let case = |(id, entry): (&DifferenceId, &Entry)| {
        let gone = entry.kind == EntryKind::Unexplained;
        let of = |line: &&BalanceLine| {
            line.account == entry.account
                && line.balance.money.currency == entry.money.currency
                && line.capital.is_some()
        };
        let before = view.lines.iter().filter(of).rfind(|line| line.balance.seen_at < entry.at);
        let after = view.lines.iter().filter(of).find(|line| line.balance.seen_at >= entry.at);
        let told = |line: &BalanceLine| format!("{} at {}", line.balance.money, utc(line.balance.seen_at));
        let mut facts = vec![("our number", id.to_string())];
        facts.extend(before.map(|line| ("balance before", told(line))));
        facts.extend(after.map(|line| ("balance after", told(line))));
        facts.extend(after.and_then(|line| line.expected).map(|money| ("by our orders it was", money.to_string())));
        // The orders that were charged or refunded between the two balances.
        let since = before.map(|line| line.balance.seen_at);
        let filter = EntryFilter { account: Some(entry.account.clone()), since, ..EntryFilter::default() };
        for ours in reader.entries(&filter)? {
            let name = match ours.kind {
                EntryKind::Charged => "charged by your answers",
                EntryKind::Refunded => "refunded by your answers",
                _ => continue,
            };
            let (Some(id), true) = (ours.job, ours.at <= entry.at) else { continue };
            let order = reader.job(id)?.and_then(|job| job.remote_id).unwrap_or_else(|| "of no known id".to_owned());
            facts.push((name, format!("{} for order {order} at {} (our {id})", ours.money, utc(ours.at))));
        }
        let title = match gone {
            true => "gone from the balance beyond what our orders were charged",
            false => "came to the balance beyond what our orders were refunded",
        };
        Ok(Case {
            account: entry.account.clone(),
            title: title.to_owned(),
            kind: entry.kind.word(),
            amount: Some(entry.money),
            facts,
        })
    };
    view.ledger.open.iter().map(case).collect()
}

/// `claims`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn claims(
    asked: &Claims,
    reader: &Reader,
    service: impl Fn(&str) -> Option<Service>,
    out: &mut Out,
) -> Result<u8, EngineError> {
    let view = reader.books()?;
    let mut cases = Vec::new();
    for job in reader.jobs(&JobFilter { account: asked.account.clone(), ..JobFilter::default() })? {
        if complaint(&job).is_some() {
            cases.extend(job_case(&job, &reader.history(job.id)?, &view.lines));
        }
    }
    cases.extend(
        differences(&view, reader)?
            .into_iter()
            .filter(|case| asked.account.as_ref().is_none_or(|name| *name == case.account)),
    );
    cases.sort_by(|a, b| a.account.cmp(&b.account));
    if asked.json {
        let list: Vec<Value> = cases.iter().map(Case::json).collect();
        out.json(&json!({"schema": 1, "written_at": Timestamp::now(), "claims": list}));
        return Ok(code::DONE);
    }
    if cases.is_empty() {
        out.say("nothing to claim: no charge without a clip, no refund missing, nothing unexplained");
        return Ok(code::DONE);
    }
    let mut account = None;
    let mut number = 0;
    for case in &cases {
        if account != Some(&case.account) {
            account = Some(&case.account);
            number = 0;
            let title =
                service(&case.account).map_or_else(|| "the service".to_owned(), |service| service.title().to_owned());
            out.line(format_args!(
                "To the support of {title}: account {}, written {}",
                case.account,
                utc(Timestamp::now())
            ));
            out.line("All times are UTC; hashes are SHA-256 of the exact bytes that were sent.");
            out.line("");
        }
        number += 1;
        case.lines(number).into_iter().for_each(|line| out.line(line));
        out.line("");
    }
    Ok(code::DONE)
}

impl Case {
    fn json(&self) -> Value {
        let facts: serde_json::Map<String, Value> = self
            .facts
            .iter()
            .map(|(name, value)| (name.replace([' ', '-'], "_").to_lowercase(), json!(value)))
            .collect();
        json!({"account": self.account, "kind": self.kind, "title": self.title, "amount": self.amount, "facts": facts})
    }

    fn lines(&self, number: usize) -> Vec<String> {
        let mut title = format!("{number}. {}", self.title);
        if let Some(amount) = self.amount {
            let _ = write!(title, ": {amount}");
        }
        let fact = |(name, value): &(&str, String)| format!("   {name:<25} {}", clean(value, 400));
        std::iter::once(title).chain(self.facts.iter().map(fact)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, JobId, Request};

    #[test]
    fn what_went_well_is_no_claim_and_what_did_not_is() {
        let cost = Money::parse("3.00", Currency::Usd).unwrap();
        let mut job = Job::new(JobId(1), Request::new(&"n/veo".parse().unwrap(), "x"), Timestamp::UNIX_EPOCH);
        let kind = |job: &Job| complaint(job).map(|(kind, ..)| kind);
        (job.state, job.cost) = (JobState::Done, Some(cost));
        assert_eq!(kind(&job), None);
        job.state = JobState::Failed;
        job.refund = Refund::NotObservable;
        assert_eq!(kind(&job), Some("charged_without_clip"));
        job.refund = Refund::Contradicted;
        assert_eq!(kind(&job), Some("refund_contradicted"));
        (job.refund, job.cost) = (Refund::Seen, Some(Money::usd(rust_decimal::Decimal::ZERO)));
        assert_eq!(kind(&job), None, "it came back");
        (job.state, job.refund) = (JobState::Unconfirmed, Refund::NotObservable);
        assert_eq!(kind(&job), Some("unconfirmed"));
    }
}
