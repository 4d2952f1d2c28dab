//! How little goes over the line: three modes between lively and frugal.
//!
//! Knows what each mode leaves out. Must not know who draws.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::{self, Clock};
use super::{App, Effect};
use crate::domain::JobRow;
use crate::domain::message::Level;

/// How much the screen moves by itself. Keys are always answered at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thrift {
    /// Every change, at most ten frames a second.
    #[default]
    Full,
    /// At most one frame a second.
    Calm,
    /// At most one frame in five seconds; progress in tens of a hundred, clocks by the minute.
    Frugal,
}

impl Thrift {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Thrift {
        match self {
            Thrift::Full => Thrift::Calm,
            Thrift::Calm => Thrift::Frugal,
            Thrift::Frugal => Thrift::Full,
        }
    }

    /// Its name, as the config has it.
    pub fn word(self) -> &'static str {
        match self {
            Thrift::Full => "full",
            Thrift::Calm => "calm",
            Thrift::Frugal => "frugal",
        }
    }

    /// What it does, for a notice.
    fn sentence(self) -> &'static str {
        match self {
            Thrift::Full => "every change is shown, at most ten frames a second",
            Thrift::Calm => "what changes by itself is shown once a second",
            Thrift::Frugal => {
                "what changes by itself is shown every five seconds, progress in tens, clocks by the minute"
            }
        }
    }

    /// The least time between two frames that nobody asked for.
    pub fn pause(self) -> Duration {
        match self {
            Thrift::Full => Duration::from_millis(100),
            Thrift::Calm => Duration::from_secs(1),
            Thrift::Frugal => Duration::from_secs(5),
        }
    }

    /// Seconds between two steps of a running clock; `exact` is the one that the user looks at.
    fn step_s(self, exact: bool) -> i64 {
        match (self, exact) {
            (Thrift::Frugal, _) => 60,
            (_, true) => 1,
            (_, false) => 10,
        }
    }

    /// The percent that is shown of what a service says.
    fn percent(self, percent: u8) -> u8 {
        if self == Thrift::Frugal && percent < 100 { percent / 10 * 10 } else { percent }
    }
}

impl App {
    /// How much the screen moves by itself.
    pub fn thrift(&self) -> Thrift {
        self.options.thrift
    }

    /// The percent shown of a job.
    pub fn percent(&self, row: &JobRow) -> Option<u8> {
        row.progress.map(|percent| self.thrift().percent(percent.min(100)))
    }

    /// What a job's clock says; the selected job's is exact while the window is looked at.
    pub fn clock(&self, row: &JobRow, selected: bool) -> Option<Clock> {
        clock::read(row, self.now, self.clock_step(selected))
    }

    /// When such a clock changes next.
    pub(super) fn clock_change(&self, now: Timestamp, selected: bool) -> Timestamp {
        clock::next_change(now, self.clock_step(selected))
    }

    fn clock_step(&self, selected: bool) -> i64 {
        self.thrift().step_s(selected && self.is_looked_at)
    }

    /// Takes the next mode and says what it does.
    pub(super) fn change_thrift(&mut self) -> Vec<Effect> {
        self.options.thrift = self.thrift().next();
        let thrift = self.thrift();
        self.say(Level::Info, format!("{}: {}", thrift.word(), thrift.sentence()));
        Vec::new()
    }
}
