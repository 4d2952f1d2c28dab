//! When to call again: polling intervals, back-off with jitter, lateness.
//!
//! Knows times and counts only. Must not know jobs, accounts or any service; takes `now`, never reads it.

use jiff::SignedDuration;

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

/// Rest of a host that was in trouble for so long: `base` doubled for each failure in a row, but no more
/// than one interval, or than a sixty-fourth of the trouble so far, and never more than five minutes: who
/// was down for ten minutes is found to be up again within an interval. Jittered as [`delay`].
pub fn rest(
    base: SignedDuration,
    interval: SignedDuration,
    failures: u32,
    down: SignedDuration,
    seed: u64,
) -> SignedDuration {
    let longest = interval.max(down / 64).min(LONGEST_BACK_OFF.max(interval));
    delay(base.min(longest), failures, seed).min(longest)
}

/// A time within `span`, another one for each `seed`: so that many who wait for the same do not call at once.
pub fn spread(span: SignedDuration, seed: u64) -> SignedDuration {
    span / 1000 * fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).i32(0..1000)
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

#[cfg(test)]
mod tests {
    use super::*;

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
