//! When the queue ends, looked at again when it may have moved, and seldom enough to cost nothing.
//!
//! Knows when to look. Must not know how the end is found (`domain/finish.rs`), nor how it is drawn.

use jiff::{SignedDuration, Timestamp};

use super::App;
use crate::domain::finish::{Finish, finish};
use crate::domain::{JobRow, JobState};

/// Least time between two looks: a queue of thousands is gone through for each.
const REST: SignedDuration = SignedDuration::from_secs(10);

/// What was found, and whether it may be another now.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    found: Option<Finish>,
    is_stale: bool,
    looked_at: Option<Timestamp>,
}

impl Outlook {
    /// What was found.
    pub(super) fn finish(&self) -> Option<Finish> {
        self.found
    }

    /// Something changed on which it rests.
    pub(super) fn stale(&mut self) {
        self.is_stale = true;
    }

    /// A row changed: only its state counts.
    pub(super) fn changed(&mut self, was: Option<&JobRow>, row: &JobRow) {
        let counts = |state: JobState| !state.is_final();
        let is_same = was.map_or(!counts(row.state), |was| was.state == row.state);
        self.is_stale |= !is_same;
    }

    /// When it is to be looked at again.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.is_stale.then_some(self.looked_at?).map(|at| at + REST)
    }
}

impl App {
    /// Looks when the queue ends, if that may have moved and the last look is long enough ago.
    pub(super) fn look_ahead(&mut self) {
        if !self.outlook.is_stale || self.outlook.due().is_some_and(|due| self.now < due) {
            return;
        }
        let found = finish(&self.accounts, self.jobs.active(), &self.timings, self.now);
        self.outlook = Outlook { found, is_stale: false, looked_at: Some(self.now) };
        // Drawn to the minute, from whatever is drawn next: no frame of its own for a second's move.
        self.touch();
    }
}
