//! When to call again: polling intervals, back-off with jitter, request windows, lateness.
//!
//! Knows times and counts only. Must not know jobs, accounts or any service; takes `now`, never reads it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Longest wait between two tries of a failing call.
const LONGEST_BACK_OFF: SignedDuration = SignedDuration::from_secs(300);

/// A job is late when it takes this many times its usual time.
const LATE_FACTOR: i32 = 2;

/// A job whose usual time nobody knows is late after this.
const LATE_UNKNOWN: SignedDuration = SignedDuration::from_secs(20 * 60);

/// A job or a link counts as gone only after it was denied so often and for so long.
const GONE_TIMES: u32 = 20;
const GONE_SPAN: SignedDuration = SignedDuration::from_hours(24);

/// Wait before the next call: `base` doubled for each failure in a row, at most five minutes, with
/// up to a fifth of jitter taken off by `seed`, so that many jobs do not call in step.
pub fn delay(base: SignedDuration, failures: u32, seed: u64) -> SignedDuration {
    let doubled = base.checked_mul(1 << failures.min(16)).unwrap_or(LONGEST_BACK_OFF);
    let longest = LONGEST_BACK_OFF.max(base);
    let whole = doubled.min(longest);
    let jitter = fastrand::Rng::with_seed(seed ^ (u64::from(failures) << 32)).i32(0..=200);
    whole - whole / 1000 * jitter
}

/// How long a job may take before it is shown as late. Late is not failed.
pub fn late_after(usual_s: Option<u32>) -> SignedDuration {
    usual_s
        .map_or(LATE_UNKNOWN, |s| SignedDuration::from_secs(i64::from(s)) * LATE_FACTOR + SignedDuration::from_secs(30))
}

/// Whether what was denied so often, over so long, is given up as gone.
pub fn is_gone(times: u32, span: SignedDuration) -> bool {
    times >= GONE_TIMES && span >= GONE_SPAN
}

/// At most `limit` calls in any `span`.
#[derive(Clone, Debug)]
pub struct Window {
    limit: usize,
    span: SignedDuration,
    taken: VecDeque<Timestamp>,
}

impl Window {
    /// A window that takes at most `limit` calls (at least one) in any `span`.
    pub fn new(limit: u32, span: SignedDuration) -> Self {
        Window { limit: (limit as usize).max(1), span, taken: VecDeque::new() }
    }

    /// When the next call may be made: `now` or later.
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        match self.taken.len().checked_sub(self.limit).and_then(|i| self.taken.get(i)) {
            Some(oldest) => (*oldest + self.span).max(now),
            None => now,
        }
    }

    /// Counts a call made at `now`.
    pub fn take(&mut self, now: Timestamp) {
        self.taken.push_back(now);
        while self.taken.len() > self.limit {
            self.taken.pop_front();
        }
    }
}

/// A window that several accounts count in.
#[derive(Clone, Debug)]
pub struct HostWindow(Arc<Mutex<Window>>);

impl HostWindow {
    /// As [`Window::new`]; clones count in the same window.
    pub fn new(limit: u32, span: SignedDuration) -> Self {
        HostWindow(Arc::new(Mutex::new(Window::new(limit, span))))
    }

    /// As [`Window::free_at`].
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).free_at(now)
    }

    /// As [`Window::take`].
    pub fn take(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn a_window_never_passes_its_limit_and_opens_again() {
        let mut window = Window::new(3, SignedDuration::from_secs(1));
        for ms in [0, 100, 200] {
            assert_eq!(window.free_at(at(ms)), at(ms));
            window.take(at(ms));
        }
        assert_eq!(window.free_at(at(300)), at(1000));
        window.take(at(1000));
        assert_eq!(window.free_at(at(1000)), at(1100), "the second call leaves the window at 1.1 s");
    }

    #[test]
    fn back_off_grows_stays_bounded_and_differs_between_jobs() {
        let base = SignedDuration::from_secs(5);
        let delays: Vec<_> = (0..10).map(|n| delay(base, n, 7)).collect();
        assert!(delays[0] >= SignedDuration::from_secs(4) && delays[0] <= base);
        assert!(delays[3] > delays[0] * 4, "{delays:?}");
        assert!(delays.iter().all(|d| *d <= LONGEST_BACK_OFF), "{delays:?}");
        assert_ne!(delay(base, 4, 1), delay(base, 4, 2));
        let slow = SignedDuration::from_secs(3600);
        assert!(delay(slow, 3, 1) > slow / 2, "an interval above the bound is kept");
    }
}
