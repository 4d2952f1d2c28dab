//! The time the core is told: forward only, whatever the wall clock does.
//!
//! Knows the machine's clocks. Must not know what is timed.

use jiff::Timestamp;

/// The engine's clock: never goes back, and never stands still. A wall clock that is set back, or
/// that was far ahead when the time was noted, must not keep everything waiting until it catches up.
#[derive(Debug)]
pub(super) struct Clock {
    last: Timestamp,
    read: std::time::Instant,
}

impl Clock {
    pub(super) fn from(noted: Option<Timestamp>) -> Clock {
        let now = Timestamp::now();
        Clock { last: noted.map_or(now, |noted| noted.max(now)), read: std::time::Instant::now() }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        self.read_with(Timestamp::now())
    }

    fn read_with(&mut self, wall: Timestamp) -> Timestamp {
        let passed = self.read.elapsed();
        self.read = std::time::Instant::now();
        let went_on = jiff::SignedDuration::try_from(passed).ok().and_then(|d| self.last.checked_add(d).ok());
        self.last = went_on.unwrap_or(self.last).max(wall);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wall_clock_set_back_neither_turns_the_engines_back_nor_stops_it() {
        let ahead: Timestamp = "2126-01-01T00:00:00Z".parse().unwrap();
        let mut clock = Clock::from(Some(ahead));
        let first = clock.now();
        assert!(first >= ahead);
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        assert!(clock.read_with(Timestamp::UNIX_EPOCH) > first, "what is due must fall due");
        assert_eq!(clock.read_with(Timestamp::MAX), Timestamp::MAX, "a wall clock that went on is followed");
    }
}
