//! Where a job stands, and the only legal ways that may change.
//!
//! Knows the states. Must not know jobs, nor who moves them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::job::JobId;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Waits for the user or a setting; see [`Hold`](super::job::Hold).
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
