//! What looking for a lost order found so far, as kept with its job.
//!
//! Knows verdicts and when to look again. Must not know who looks, nor where.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How sure it is that an order was taken. Absence is never proof, so there is no verdict for "not taken".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing settles it.
    #[default]
    Open,
    /// It fits, and nothing else would.
    Likely,
    /// The service names our own id.
    Proven,
}

impl Verdict {
    /// The word shown and kept.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Open => "open",
            Verdict::Likely => "likely",
            Verdict::Proven => "proven",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The search for the order of an unconfirmed job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// How often it was looked for and something was answered.
    pub rounds: u32,
    /// When it is looked for again.
    pub next: Timestamp,
    /// The best that was found so far.
    pub verdict: Verdict,
    /// What was seen last, as a sentence.
    pub text: String,
    /// Whether the order was repeated under its own id: once ever, and set before that is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl Search {
    /// A search that has not begun.
    pub fn new(now: Timestamp) -> Self {
        Search { rounds: 0, next: now, verdict: Verdict::Open, text: String::new(), repeated: false }
    }
}
