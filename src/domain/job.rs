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
use super::text::clean;

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

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Waits for the user or a setting; see [`Hold`].
    Held,
    /// Its intent is stored; the order may or may not have reached the service.
    Submitting,
    /// The service took the order.
    Running,
    /// The service finished; the clip is on its way to disk.
    Downloading,
    /// Every file is on disk, whole, checked and hashed.
    Done,
    /// It will not produce a clip.
    Failed,
    /// The user took it back before it was sent.
    Cancelled,
    /// Whether the service took the order cannot be known from here.
    Unconfirmed,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [JobState; 9] = [
        JobState::Queued,
        JobState::Held,
        JobState::Submitting,
        JobState::Running,
        JobState::Downloading,
        JobState::Done,
        JobState::Failed,
        JobState::Cancelled,
        JobState::Unconfirmed,
    ];

    /// The word in JSON, in the database and in filters.
    pub fn word(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Held => "held",
            JobState::Submitting => "submitting",
            JobState::Running => "running",
            JobState::Downloading => "downloading",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
            JobState::Unconfirmed => "unconfirmed",
        }
    }

    /// Whether nothing more will happen by itself and nothing is owed.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::Done | JobState::Failed | JobState::Cancelled)
    }

    /// Whether nothing was sent yet, so that it can be taken back.
    pub fn is_unsent(self) -> bool {
        matches!(self, JobState::Queued | JobState::Held)
    }

    /// The only legal next states. `Submitting -> Queued` is for orders that provably were not
    /// taken; nothing ever goes from `Unconfirmed` to `Queued`.
    pub fn may_become(self, next: JobState) -> bool {
        use JobState::{Cancelled, Done, Downloading, Failed, Held, Queued, Running, Submitting, Unconfirmed};
        match self {
            Queued => matches!(next, Held | Submitting | Cancelled | Failed),
            Held => matches!(next, Queued | Cancelled),
            Submitting => matches!(next, Running | Downloading | Queued | Held | Failed | Unconfirmed),
            Running => matches!(next, Downloading | Failed | Unconfirmed),
            Downloading => matches!(next, Done | Running | Failed | Unconfirmed),
            Unconfirmed => matches!(next, Running | Downloading | Failed),
            Done | Failed | Cancelled => false,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for JobState {
    type Err = String;

    /// Reads a state's word.
    ///
    /// # Errors
    /// A sentence that names all states.
    fn from_str(word: &str) -> Result<Self, String> {
        JobState::ALL.into_iter().find(|s| s.word() == word).ok_or_else(|| {
            let words: Vec<_> = JobState::ALL.iter().map(|s| s.word()).collect();
            format!("`{word}` is no state; it is one of {}", words.join(", "))
        })
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
    /// The reason as a short line for people.
    pub fn text(&self) -> String {
        match self {
            Hold::User => "held by you".to_owned(),
            Hold::PriceUnknown => "price unknown: give a ceiling".to_owned(),
            Hold::OverCap(cap) => format!("over the {cap} cap"),
            Hold::AccountChanged => "account changed".to_owned(),
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
    /// Absolute path of its files without ordinal and extension, claimed before the order is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<String>,
    /// How often its order was tried to be sent.
    pub attempts: u32,
    /// How often its status was asked for.
    pub polls: u32,
    /// How often in a row the service said that it does not know the job, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<(u32, Timestamp)>,
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
        Job {
            id,
            values: request.params.clone(),
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
            late: false,
            abandoned: false,
            key: None,
            batch: None,
            correlation: String::new(),
            origin: String::new(),
            fingerprint: String::new(),
            stem: None,
            attempts: 0,
            polls: 0,
            gone: None,
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

    /// The model's full name.
    pub fn model_ref(&self) -> ModelRef {
        self.request.model_ref()
    }

    /// What a table row shows of it.
    pub fn row(&self) -> JobRow {
        JobRow {
            id: self.id,
            account: self.request.account.clone(),
            model: self.request.model.clone(),
            prompt: clean(&self.request.prompt, 240),
            state: self.state,
            phase: self.phase.clone(),
            progress: self.progress,
            late: self.late,
            abandoned: self.abandoned,
            note: self.note(),
            estimate: self.estimate.map(|e| e.money),
            cost: self.cost,
            created_at: self.created_at,
            submitted_at: self.submitted_at,
            finished_at: self.finished_at,
            usual_s: None,
            batch: self.batch,
            tags: self.request.tags.clone(),
        }
    }

    fn note(&self) -> Option<String> {
        if let Some(hold) = &self.hold {
            return Some(hold.text());
        }
        if let Some(error) = &self.error {
            return Some(error.to_string());
        }
        let file = self.files.first()?;
        #[expect(clippy::cast_precision_loss, reason = "a size for people, to a tenth of a megabyte")]
        let mut note = format!("{:.1} MB", file.bytes as f64 / 1e6);
        if let Some(ms) = file.duration_ms {
            note += &format!(" · {}.{} s", ms / 1000, ms % 1000 / 100);
        }
        if let (Some(w), Some(h)) = (file.width, file.height) {
            note += &format!(" · {w}x{h}");
        }
        Some(note)
    }
}

/// A change of state that the table does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// The job.
    pub job: JobId,
    /// Its state.
    pub from: JobState,
    /// The state it was to take.
    pub to: JobState,
}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} and cannot become {}", self.job, self.from, self.to)
    }
}

impl std::error::Error for IllegalTransition {}

/// What a face needs to show a job in a table: small, whole and idempotent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its number.
    pub id: JobId,
    /// The account's name.
    pub account: String,
    /// The model's id.
    pub model: String,
    /// The prompt's first 240 characters, cleaned.
    pub prompt: String,
    /// Where it stands.
    pub state: JobState,
    /// The service's own word.
    pub phase: Option<String>,
    /// Progress in percent, 0-100, where the service says it.
    pub progress: Option<u8>,
    /// Whether it takes longer than it should.
    pub late: bool,
    /// Whether the user hid it.
    pub abandoned: bool,
    /// The hold's reason, the error, or the clip's size, length and shape.
    pub note: Option<String>,
    /// Expected cost; `None` is unknown.
    pub estimate: Option<Money>,
    /// Cost, once known.
    pub cost: Option<Money>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its order was sent.
    pub submitted_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// How long this model usually takes, s: own history, else the documents' figure.
    pub usual_s: Option<u32>,
    /// The batch it came with.
    pub batch: Option<i64>,
    /// The user's labels.
    pub tags: Vec<String>,
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
