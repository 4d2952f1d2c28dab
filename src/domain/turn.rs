//! A job's turn in its account's queue: who goes before whom, and where a job that is moved comes to stand.
//!
//! Knows numbers. Must not know queues, nor who asks for a move.

use serde::{Deserialize, Serialize};

use super::job::JobId;

/// How far the turns of two jobs queued one after the other lie apart: so often can one be moved to the end
/// before a new job would come before it.
const STEP: i64 = 1 << 20;

/// Where a job stands in its queue: the smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Turn(i64);

impl Turn {
    /// The turn of a job that was never moved: by its number.
    pub fn of(id: JobId) -> Self {
        Turn(id.0.saturating_mul(STEP))
    }

    /// As a number, for sorting.
    pub fn number(self) -> i64 {
        self.0
    }

    /// The turn just before this one.
    pub fn before(self) -> Self {
        Turn(self.0.saturating_sub(1))
    }

    /// The turn just after this one.
    pub fn after(self) -> Self {
        Turn(self.0.saturating_add(1))
    }
}

/// Where queued jobs are moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// One place nearer to its turn.
    Up,
    /// One place further from it.
    Down,
    /// Before all others of its account.
    Top,
    /// After all others of its account.
    Bottom,
}
