//! A job: one clip that is to be made, and the only legal ways its state may change.
//!
//! Knows states, transitions and what a face needs to see. Must not know who moves a job, nor where
//! it is kept.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::model::ModelRef;
use super::money::{Estimate, Money};
use super::problem::JobError;
use super::request::Request;
use super::rule::Values;
use super::search::Search;
use super::state::{IllegalTransition, JobState};
use super::turn::Turn;

/// A job's number in its data directory, from 1; written `j-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "j-{}", self.0)
    }
}

impl FromStr for JobId {
    type Err = String;

    /// Reads `j-12` or `12`.
    ///
    /// # Errors
    /// A sentence that shows the form.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("j-").unwrap_or(text);
        match digits.parse() {
            Ok(n) if n > 0 => Ok(JobId(n)),
            _ => Err(format!("`{text}` is no job; jobs are written j-12")),
        }
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a job is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "detail")]
pub enum Hold {
    /// The user said so.
    User,
    /// Its price is unknown; a ceiling must be given.
    PriceUnknown,
    /// It would pass this cap.
    OverCap(String),
    /// The account's origin or key is not the one it was queued for.
    AccountChanged,
    /// The account is not configured any more.
    AccountMissing,
    /// The model is not in the catalogue any more, or refuses the request now.
    ModelChanged(String),
}

impl Hold {
    /// Whether it waits for room under a cap.
    pub fn is_over_cap(&self) -> bool {
        matches!(self, Hold::OverCap(_))
    }

    /// The reason as a short line for people.
    pub fn text(&self) -> String {
        match self {
            Hold::User => "held by you".to_owned(),
            Hold::PriceUnknown => "price unknown: give a ceiling".to_owned(),
            Hold::OverCap(cap) => format!("over the {cap} cap"),
            Hold::AccountChanged => {
                "queued for another key or address of this account; release it to use the present one".to_owned()
            }
            Hold::AccountMissing => "no such account now".to_owned(),
            Hold::ModelChanged(why) => format!("model changed: {why}"),
        }
    }
}

/// What is known of a refund. Evidence, not a promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// None is due.
    #[default]
    None,
    /// The service says it gave the money back.
    Claimed,
    /// The balance shows it.
    Seen,
    /// The balance contradicts it.
    Contradicted,
    /// Nothing here can show it.
    NotObservable,
}

/// What a file of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// The clip.
    Video,
    /// A picture beside it.
    Image,
    /// The bytes of an answer that was cut.
    Partial,
}

/// One file of a job, on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipFile {
    /// Absolute path.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// What it is.
    pub kind: FileKind,
    /// Width in pixels, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Length in milliseconds, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// One job, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What was asked for, as queued.
    pub request: Request,
    /// The parameters with defaults filled in, as sent.
    pub values: Values,
    /// Where it stands.
    pub state: JobState,
    /// Why it is held, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The service's own word for its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Progress in percent, 0-100, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<u8>,
    /// The service's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Where the finished clips lie, as the service said last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// What it was expected to cost when queued; `None` is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// The most the user agreed to pay where the price is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Money>,
    /// What is set aside for it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Money>,
    /// What it cost, once the service said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// What is known of a refund.
    pub refund: Refund,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its order was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When it reached a final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Its files on disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ClipFile>,
    /// The prompt as the service rewrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised_prompt: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// The job it is a retry or continuation of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
    /// Its turn in its account's queue, where it was moved; else its number says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// Whether it takes longer than it should.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// Whether the user no longer wants to see it; still polled, downloaded and booked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abandoned: bool,
    /// The key of its batch row, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The batch it came with, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
    /// Our own UUID for it, sent where a service can echo it.
    pub correlation: String,
    /// The account's origin when it was queued.
    pub origin: String,
    /// The salted fingerprint of the account's key when it was queued.
    pub fingerprint: String,
    /// The generation of the service's interface that its order was made for, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Absolute path of its files without ordinal and extension, claimed before the order is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<String>,
    /// SHA-256 of the body that was sent last, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What looking for its order found, where its answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// How often its order was tried to be sent.
    pub attempts: u32,
    /// How often its status was asked for.
    pub polls: u32,
    /// How often in a row the service said that it does not know the job, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<(u32, Timestamp)>,
    /// The validators (`ETag`) of its clips that are on their way, by ordinal from 1: what a download is
    /// taken up again with, also by a later process.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub validators: std::collections::BTreeMap<u32, String>,
    /// Whether it belongs to the simulator.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Job {
    /// A queued job for a request; the caller fills in the rest.
    pub fn new(id: JobId, request: Request, now: Timestamp) -> Self {
        let values = request.params.clone();
        Job::with_values(id, request, values, now)
    }

    /// The same where the values, with the defaults filled in, are at hand.
    pub fn with_values(id: JobId, request: Request, values: Values, now: Timestamp) -> Self {
        Job {
            id,
            values,
            request,
            state: JobState::Queued,
            hold: None,
            phase: None,
            progress: None,
            remote_id: None,
            links: Vec::new(),
            estimate: None,
            ceiling: None,
            reserved: None,
            cost: None,
            refund: Refund::None,
            created_at: now,
            submitted_at: None,
            finished_at: None,
            files: Vec::new(),
            revised_prompt: None,
            error: None,
            parent: None,
            turn: None,
            late: false,
            abandoned: false,
            key: None,
            batch: None,
            correlation: String::new(),
            origin: String::new(),
            fingerprint: String::new(),
            generation: None,
            stem: None,
            digest: None,
            search: None,
            attempts: 0,
            polls: 0,
            gone: None,
            validators: std::collections::BTreeMap::new(),
            simulated: false,
        }
    }

    /// Moves the job to `next`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the table does not allow it; the job is unchanged then.
    pub fn advance(&mut self, next: JobState, now: Timestamp) -> Result<(), IllegalTransition> {
        if !self.state.may_become(next) {
            return Err(IllegalTransition { job: self.id, from: self.state, to: next });
        }
        self.state = next;
        if next != JobState::Held {
            self.hold = None;
        }
        if next.is_final() {
            self.finished_at = Some(now);
            self.late = false;
        }
        Ok(())
    }

    /// Counts once more that the service denied knowing the job or its clip: how often in a row, since when.
    pub fn count_denial(&mut self, now: Timestamp) -> (u32, Timestamp) {
        let (times, since) = self.gone.map_or((1, now), |(times, since)| (times + 1, since));
        self.gone = Some((times, since));
        (times, since)
    }

    /// When its turn is, among its account's queued jobs: the smaller goes first.
    pub fn turn(&self) -> Turn {
        self.turn.unwrap_or(Turn::of(self.id))
    }

    /// The model's full name.
    pub fn model_ref(&self) -> ModelRef {
        self.request.model_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_paid_never_goes_back_to_the_queue() {
        for state in JobState::ALL {
            let may = state.may_become(JobState::Queued);
            assert_eq!(may, matches!(state, JobState::Held | JobState::Submitting), "{state}");
            if state.is_final() {
                assert!(JobState::ALL.iter().all(|next| !state.may_become(*next)), "{state} is final");
            }
        }
        let mut job = Job::new(JobId(1), Request::new(&"a/b".parse().unwrap(), "x"), Timestamp::UNIX_EPOCH);
        job.state = JobState::Unconfirmed;
        assert!(job.advance(JobState::Queued, Timestamp::UNIX_EPOCH).is_err());
        assert_eq!(job.state, JobState::Unconfirmed);
    }
}
