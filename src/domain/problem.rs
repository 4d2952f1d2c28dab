//! What can be wrong: problems of a request before it is sent, errors of a job after.
//!
//! Knows the small set of kinds that decide what the engine does. Must not know which status code
//! or body stands behind one: that is each adapter's answer table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request cannot be queued: the field, the rule it breaks and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The field as the user names it: `prompt`, `duration`, `model`, `copies`, ...
    pub field: String,
    /// The rule's name in the one vocabulary: `one_of`, `range`, `requires`, `excludes`, `max_len`,
    /// `max_bytes`, `input_required`, `type`, `unknown`, `blank`, `url`, `price`.
    pub rule: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem of one field.
    pub fn new(field: impl Into<String>, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { field: field.into(), rule: rule.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.field, self.message, self.rule)
    }
}

/// What kind of trouble a service or this machine reported. The kind decides what the engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The key is missing, wrong or may not do this. Pauses the account.
    Authentication,
    /// Too little money. Pauses the account.
    Balance,
    /// The plan does not include the model. Fails the job.
    Plan,
    /// The service's content policy. Fails the job.
    Policy,
    /// A parameter was refused. Fails the job.
    Invalid,
    /// Too many requests, or a daily quota. Waits; a long wait pauses the account.
    RateLimit,
    /// The service no longer knows the job or the file.
    Gone,
    /// The service or the way to it is down for now. Waits.
    Unavailable,
    /// The answer could not be understood.
    Protocol,
    /// The service says that the generation itself failed.
    Generation,
    /// This machine's disk: full, unwritable, or a file that vanished.
    Disk,
    /// The user's own word: written off, cancelled.
    User,
}

impl ErrorKind {
    /// The word used in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            ErrorKind::Authentication => "authentication",
            ErrorKind::Balance => "balance",
            ErrorKind::Plan => "plan",
            ErrorKind::Policy => "policy",
            ErrorKind::Invalid => "invalid",
            ErrorKind::RateLimit => "rate_limit",
            ErrorKind::Gone => "gone",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Generation => "generation",
            ErrorKind::Disk => "disk",
            ErrorKind::User => "user",
        }
    }
}

/// What went wrong with a job, as kept with it and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// The kind that decided what was done.
    pub kind: ErrorKind,
    /// The cause, the service's own words included (cleaned of control characters), and the next step.
    pub message: String,
    /// The whole answer behind it as it came, where there was one: without control characters and keys, at most
    /// 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

impl JobError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        JobError { kind, message: message.into(), answer: None }
    }

    /// The same with the answer behind it.
    #[must_use]
    pub fn answered(self, answer: Option<String>) -> Self {
        JobError { answer, ..self }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.message)
    }
}

impl std::error::Error for JobError {}
