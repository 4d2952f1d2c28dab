//! What happened to a job, in sentences with times: what was sent, how far it got, what was answered,
//! why it was or was not sent again, and what the money did.
//!
//! Knows the lines of the event log by their kinds. Must not know who reads them, nor how they are drawn.

use jiff::Timestamp;
use serde::Serialize;

use super::account::Service;
use super::job::{Job, Refund};
use super::message::HistoryLine;
use super::money::Money;
use super::problem::ErrorKind;
use super::state::JobState;
use super::text::plain;

/// One sentence, and when that was; no time where it sums up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// When.
    pub at: Option<Timestamp>,
    /// The sentence.
    pub text: String,
    /// The kind of the line of the event log that it tells; nothing where it sums up.
    pub kind: String,
}

/// Sentences on one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// The question, as a short title.
    pub title: &'static str,
    /// The answer, oldest first.
    pub sentences: Vec<Sentence>,
}

/// Tells a job by its lines of the event log, oldest first. Every line is told once.
pub fn explain(job: &Job, history: &[HistoryLine]) -> Vec<Chapter> {
    let mut asked = Vec::new();
    let mut sent = Vec::new();
    let mut answered = Vec::new();
    let mut far = Vec::new();
    let mut money = Vec::new();
    let (mut is_taken, mut is_charged) = (false, false);
    for line in history {
        let to = match line.kind.as_str() {
            "queued" | "input_shrunk" | "held" | "released" | "cancelled" => &mut asked,
            "submitting" | "repeating" => &mut sent,
            "accepted" | "recovered" | "adopted" | "found" => {
                is_taken = true;
                &mut answered
            }
            "refused" | "not_sent" | "evidence" | "strange" => &mut answered,
            "unconfirmed" | "failed" if !is_taken => &mut answered,
            // Told where it is asked whether it was sent again.
            "retried" => continue,
            "assumed"
            | "overcharged"
            | "charged"
            | "price_observed"
            | "refund_seen"
            | "refund_contradicted"
            | "refund_not_observable"
            | "classified" => &mut money,
            _ => &mut far,
        };
        to.push(told(line));
        money.extend(moved(job, line, is_taken, is_charged));
        is_charged |= line.kind == "charged";
    }
    if !job.values.is_empty() {
        let values: Vec<String> = job.values.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
        asked.insert(asked.len().min(1), summary(format!("With {}.", values.join(", "))));
    }
    money.sort_by_key(|sentence| sentence.at);
    money.push(sum(job));
    if sent.is_empty() && answered.is_empty() {
        sent.push(summary("Nothing was sent."));
    }
    let chapters = [
        ("asked for", asked),
        ("sent", sent),
        ("answered", answered),
        ("how far it got", far),
        ("sent again?", again(job, history)),
        ("money", money),
    ];
    let told = chapters.into_iter().filter(|(_, sentences)| !sentences.is_empty());
    told.map(|(title, sentences)| Chapter { title, sentences }).collect()
}

fn summary(text: impl Into<String>) -> Sentence {
    Sentence { at: None, text: text.into(), kind: String::new() }
}

/// A line as a sentence, with what its data add for people.
fn told(line: &HistoryLine) -> Sentence {
    let data = |name: &str| line.data[name].as_str().filter(|text| !text.is_empty());
    let more = match line.kind.as_str() {
        "submitting" | "repeating" => data("body_sha256").map(|hash| format!("; SHA-256 of what was sent: {hash}")),
        "accepted" => data("request_id").map(|id| format!("; the service's request id: {id}")),
        _ => None,
    };
    let words = match line.kind.as_str() {
        "held" => format!("it was held: {}", line.text),
        "released" => format!("it was let go: {}", line.text),
        "evidence" => match line.text.strip_prefix("open: ") {
            Some(rest) => format!("it was looked for, and nothing is proven yet: {rest}"),
            None => format!("it was looked for: {}", line.text),
        },
        "price_observed" => observed(line).unwrap_or_else(|| line.text.clone()),
        _ => line.text.clone(),
    };
    let text = sentence(&format!("{words}{}", more.unwrap_or_default()));
    Sentence { at: Some(line.at), text, kind: line.kind.clone() }
}

/// A price that is not the published one.
fn observed(line: &HistoryLine) -> Option<String> {
    let money = |name: &str| serde_json::from_value::<Money>(line.data[name].clone()).ok();
    let seen = money("observed")?;
    Some(match money("published") {
        Some(published) if published.currency == seen.currency && published.amount < seen.amount => {
            format!("published is {published}; from now on {seen} {} set aside for the same", seen.are())
        }
        Some(published) => format!("published is {published}, which stays what is set aside for the same"),
        None => format!("no price is published; from now on {seen} {} known for the same", seen.are()),
    })
}

/// Begins with a capital, or a service's own spelling, and ends with a full stop.
fn sentence(text: &str) -> String {
    let named = Service::ALL.into_iter().find_map(|service| {
        let rest = text.strip_prefix(service.word()).filter(|rest| rest.starts_with(' '))?;
        Some(format!("{}{rest}", service.title()))
    });
    let text = named.as_deref().unwrap_or(text);
    let mut letters = text.chars();
    let is_id = text.starts_with("j-") || text.starts_with("u-");
    let mut out: String = match letters.next() {
        Some(first) if !is_id => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

/// What a line that is told elsewhere did to the money.
fn moved(job: &Job, line: &HistoryLine, is_taken: bool, is_charged: bool) -> Option<Sentence> {
    let amount = |name: &str| serde_json::from_value::<Money>(line.data[name].clone()).ok();
    let text = match line.kind.as_str() {
        "submitting" => {
            let reserved = amount("reserved")?;
            format!("{reserved} {} set aside before the order left.", reserved.were())
        }
        "accepted" => match (amount("cost"), amount("balance")) {
            (Some(cost), _) if is_charged => format!("The answer named the charge, {cost}, too; it is booked once."),
            (Some(cost), Some(balance)) => {
                format!("The service charged {cost} and said that {balance} were left; nothing stays set aside.")
            }
            (Some(cost), None) => format!("The service charged {cost}; nothing stays set aside."),
            (None, _) if line.data.get("cost").is_some() => "The service named no charge.".to_owned(),
            (None, _) => {
                let booked = amount("booked")?;
                format!("{booked} {} booked as its charge: the answer names none.", booked.were())
            }
        },
        "refused" | "not_sent" => "What was set aside was free again.".to_owned(),
        "unconfirmed" => "Nobody said whether it was charged.".to_owned(),
        "written_off" => "What was set aside was free again, by your word.".to_owned(),
        "failed" if !is_taken => match job.cost {
            Some(cost) => format!("{cost} {} booked: no document says that it is free.", cost.were()),
            None => "Nothing was charged; what was set aside was free again.".to_owned(),
        },
        "failed" => match line.data["refund"].as_str() {
            Some("claimed") => "By its documents the service gives it back; only a balance can show that.".to_owned(),
            Some("not_observable") if job.cost.is_some() => "No refund is documented for that.".to_owned(),
            _ => return None,
        },
        _ => return None,
    };
    Some(Sentence { at: Some(line.at), text, kind: String::new() })
}

/// What it came to.
fn sum(job: &Job) -> Sentence {
    let is_back = job.state == JobState::Failed && job.cost.is_some_and(|cost| cost.amount.is_zero());
    let refund = match job.refund {
        Refund::NotObservable if is_back => " The refund is the service's word; no balance can show it.",
        Refund::None | Refund::NotObservable => "",
        Refund::Claimed => " The refund is the service's word so far.",
        Refund::Seen => " The refund was seen in the balance.",
        Refund::Contradicted => {
            " The refund that was promised did not come, or not all of it: the service's own balance says so."
        }
    };
    summary(match (job.cost, job.reserved) {
        (Some(cost), None) => format!("In all it cost {cost}.{refund}"),
        (Some(cost), Some(reserved)) => {
            format!("So far it cost {cost}, and {reserved} {} set aside.{refund}", reserved.are())
        }
        (None, Some(reserved)) if job.state == JobState::Unconfirmed => {
            format!("Whether it was charged is not known; {reserved} {} set aside until it is.", reserved.are())
        }
        (None, Some(reserved)) => format!("{reserved} {} set aside; no charge is known yet.", reserved.are()),
        (None, None) if job.attempts > 0 && job.refund == Refund::NotObservable => {
            "Nothing is booked for it; whether it was charged was never known.".to_owned()
        }
        (None, None) => "Nothing was spent.".to_owned(),
    })
}

/// Why it was sent again, or was not.
fn again(job: &Job, history: &[HistoryLine]) -> Vec<Sentence> {
    let mut out = Vec::new();
    let mut last: Option<&HistoryLine> = None;
    for line in history {
        match line.kind.as_str() {
            "submitting" => {
                let why = match last.map(|line| line.kind.as_str()) {
                    Some("not_sent") => "the time before it provably never left",
                    Some("refused") => "the time before it was refused and not charged",
                    _ => "",
                };
                if !why.is_empty() {
                    let at = Some(line.at);
                    out.push(Sentence { at, text: format!("It was sent again: {why}."), kind: String::new() });
                }
                last = Some(line);
            }
            "repeating" => out.push(Sentence {
                at: Some(line.at),
                text: "It was repeated once under its own id, which its service documents as the same order."
                    .to_owned(),
                kind: String::new(),
            }),
            "retried" => out.push(told(line)),
            "not_sent" | "refused" | "accepted" | "recovered" | "adopted" | "found" | "unconfirmed" | "written_off" => {
                last = Some(line)
            }
            _ => {}
        }
    }
    let is_again = out.iter().any(|sentence| sentence.text.starts_with("It was "));
    let id = job.id;
    let end = match (last.map(|line| line.kind.as_str()), job.state) {
        (None, _) => "There was nothing to send again.".to_owned(),
        (Some("not_sent" | "refused"), JobState::Queued | JobState::Held) => {
            "It waits to be sent again, since nothing was charged for the last time.".to_owned()
        }
        (_, JobState::Unconfirmed) => {
            "It was not sent again: it had left, so it may have been made and charged, and sending it again could buy it twice. It is looked for instead.".to_owned()
        }
        (Some("submitting"), JobState::Submitting) => {
            "It is not sent again while its answer may still come, however late.".to_owned()
        }
        (Some("accepted" | "recovered" | "adopted" | "found"), JobState::Failed) => format!(
            "It was not sent again: the service had taken it, and another order is another charge. `rushes retry {id}` makes one, at its own price."
        ),
        (Some("written_off"), _) => format!(
            "It was not sent again: it may have been made and charged, and you gave it up. `rushes retry {id}` makes a new one."
        ),
        (_, JobState::Failed) => {
            let kind = job.error.as_ref().map(|error| error.kind);
            let why = match kind {
                Some(ErrorKind::Policy | ErrorKind::Invalid) => "the same order would get the same answer",
                _ => "whether another try goes better is yours to say",
            };
            format!("It was not sent again: the answer was no, and {why}. `rushes retry {id}` makes a new one.")
        }
        (Some("accepted" | "recovered" | "adopted" | "found"), _) => {
            "It was never sent again: the service had taken it, and late is not lost.".to_owned()
        }
        _ => "It was not sent again.".to_owned(),
    };
    out.push(summary(match end.strip_prefix("It was ").filter(|_| is_again) {
        Some(rest) => format!("After that it was {rest}"),
        None => end,
    }));
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{Currency, JobId, Request};

    fn line(seq: i64, kind: &str, text: &str, data: Value) -> HistoryLine {
        let at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seq);
        let (job, account) = (Some(JobId(1)), Some("n".to_owned()));
        HistoryLine { seq, at, job, account, kind: kind.into(), text: text.into(), data }
    }

    fn chapter(chapters: &[Chapter], title: &str) -> String {
        let found = chapters.iter().find(|chapter| chapter.title == title);
        let told = found.into_iter().flat_map(|chapter| &chapter.sentences).map(|sentence| sentence.text.as_str());
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_sentence_spells_a_service_as_it_spells_itself() {
        assert_eq!(sentence("ninjachat says so"), "NinjaChat says so.");
        assert_eq!(
            (sentence("work says so").as_str(), sentence("j-1 is late!").as_str()),
            ("Work says so.", "j-1 is late!")
        );
    }

    #[test]
    fn every_line_is_told_once_and_every_question_is_answered() {
        let three = Money::parse("3.00", Currency::Usd).unwrap();
        let mut job = Job::new(JobId(1), Request::new(&"n/veo".parse().unwrap(), "x"), Timestamp::UNIX_EPOCH);
        (job.state, job.attempts, job.cost, job.refund) = (JobState::Failed, 2, Some(three), Refund::Contradicted);
        let sent = json!({"reserved": three, "body_sha256": "abc"});
        let history = [
            line(1, "queued", "queued for n/veo at $3.00", Value::Null),
            line(2, "submitting", "intent stored, $3.00 set aside; the order is sent once", sent.clone()),
            line(3, "not_sent", "could not be sent, nothing charged: no route; stays queued", Value::Null),
            line(4, "submitting", "intent stored, $3.00 set aside; the order is sent once", sent),
            line(5, "accepted", "order accepted as r", json!({"cost": three, "balance": null, "request_id": "q"})),
            line(6, "phase", "the service says `running`", Value::Null),
            line(7, "failed", "it failed; its documents say that $3.00 are refunded", json!({"refund": "claimed"})),
            line(8, "refund_contradicted", "n says that $3.00 were refunded", Value::Null),
            line(9, "something_new", "a line of a later version", Value::Null),
        ];
        let told = explain(&job, &history);
        for line in &history {
            let times = told.iter().flat_map(|c| &c.sentences).filter(|s| s.at == Some(line.at) && s.kind == line.kind);
            assert_eq!(times.count(), 1, "{}", line.kind);
        }
        assert!(chapter(&told, "sent").contains("abc"));
        assert!(chapter(&told, "answered").contains("provably") || chapter(&told, "sent again?").contains("provably"));
        let again = chapter(&told, "sent again?");
        assert!(again.ends_with("`rushes retry j-1` makes one, at its own price."));
        assert!(
            again.starts_with("It was sent again: the time before it provably never left. After that it was not sent")
        );
        assert!(
            chapter(&told, "money").ends_with("did not come, or not all of it: the service's own balance says so.")
        );
        assert!(chapter(&told, "how far it got").contains("A line of a later version."));
    }

    #[test]
    fn what_was_lost_says_why_it_is_not_sent_again() {
        let three = Money::parse("3.00", Currency::Usd).unwrap();
        let mut job = Job::new(JobId(1), Request::new(&"n/veo".parse().unwrap(), "x"), Timestamp::UNIX_EPOCH);
        (job.state, job.attempts, job.reserved) = (JobState::Unconfirmed, 1, Some(three));
        let history = [
            line(2, "submitting", "intent stored", json!({"reserved": three})),
            line(3, "unconfirmed", "the answer was cut", Value::Null),
        ];
        let told = explain(&job, &history);
        assert!(chapter(&told, "sent again?").contains("could buy it twice"));
        assert!(chapter(&told, "money").ends_with("$3.00 are set aside until it is."));
        job = Job::new(JobId(1), job.request, Timestamp::UNIX_EPOCH);
        let told = explain(&job, &[]);
        assert_eq!(
            (chapter(&told, "sent"), chapter(&told, "money")),
            ("Nothing was sent.".into(), "Nothing was spent.".into())
        );
    }
}
