//! Rate limits: how many calls a name may make within a sliding window of simulated time.
//! Knows no service; the wires say which name, how many and how long.

use crate::sim::clock::Moment;
use std::collections::{HashMap, VecDeque};

/// The calls of the last window, by name.
#[derive(Debug, Default)]
pub struct Limits {
    calls: HashMap<String, VecDeque<Moment>>,
}

impl Limits {
    /// Counts one call under `name`, or says how many simulated milliseconds are missing until
    /// one would pass. A refused call does not count.
    pub fn take(&mut self, name: &str, most: usize, window: i64, now: Moment) -> Result<(), i64> {
        let calls = self.calls.entry(name.to_owned()).or_default();
        while calls.front().is_some_and(|at| now - at >= window) {
            calls.pop_front();
        }
        if calls.len() >= most {
            let oldest = calls.front().copied().unwrap_or(now);
            return Err((oldest + window - now).max(1));
        }
        calls.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_a_refusal_does_not_count() {
        let mut limits = Limits::default();
        assert_eq!(limits.take("a", 2, 1000, 0), Ok(()));
        assert_eq!(limits.take("a", 2, 1000, 400), Ok(()));
        assert_eq!(limits.take("a", 2, 1000, 900), Err(100));
        assert_eq!(limits.take("b", 2, 1000, 900), Ok(()), "names do not share");
        assert_eq!(limits.take("a", 2, 1000, 1000), Ok(()));
        assert_eq!(limits.take("a", 2, 1000, 1001), Err(399));
    }
}
