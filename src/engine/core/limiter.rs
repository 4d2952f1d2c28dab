//! How many calls may be made: at most so many in a span, as documented or as learnt from refusals.
//!
//! Knows times and counts only, and survives a restart as JSON. Must not know whose calls they are.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A limit that was learnt is widened by a tenth after two spans, and at least so long, without a refusal.
const QUIET: SignedDuration = SignedDuration::from_secs(60);

/// At most so many calls in any span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limiter {
    /// What the documents, or the account's plan, allow; `None`: nothing is said.
    #[serde(skip)]
    documented: Option<u32>,
    #[serde(skip)]
    span: SignedDuration,
    /// Calls in one piece of time of this length are remembered together.
    #[serde(skip)]
    grain: SignedDuration,
    /// When calls were made, and how many; oldest first.
    taken: VecDeque<(Timestamp, u32)>,
    /// What a refusal taught.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learnt: Option<Learnt>,
}

/// A limit narrower than the documented one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Learnt {
    /// Calls in a span.
    limit: u32,
    /// Where widening ends: the documented limit, or twice what was refused.
    end: u32,
    /// Since when.
    since: Timestamp,
}

impl Limiter {
    /// At most `documented` calls (at least one) in any `span`; `None` allows all until a refusal.
    pub fn new(documented: Option<u32>, span: SignedDuration) -> Self {
        let documented = documented.map(|limit| limit.max(1));
        Limiter { documented, span, grain: SignedDuration::ZERO, taken: VecDeque::new(), learnt: None }
    }

    /// The same, remembered in pieces of a hundredth of the span: for limits of thousands a day.
    pub fn coarse(documented: Option<u32>, span: SignedDuration) -> Self {
        Limiter { grain: span / 100, ..Limiter::new(documented, span) }
    }

    /// Takes another documented limit, and keeps what was counted.
    pub fn allow(&mut self, documented: Option<u32>) {
        self.documented = documented.map(|limit| limit.max(1));
    }

    /// Forgets what was counted.
    pub fn forget(&mut self) {
        self.taken.clear();
    }

    /// Goes on from what was counted before a restart.
    pub fn restore(&mut self, stored: Limiter) {
        (self.taken, self.learnt) = (stored.taken, stored.learnt);
    }

    /// Calls in any span that are allowed now; `None`: no limit is known.
    pub fn limit(&self, now: Timestamp) -> Option<u32> {
        let Some(learnt) = self.learnt else { return self.documented };
        let quiet = now.duration_since(learnt.since).as_millis() / (self.span * 2).max(QUIET).as_millis();
        let step = (learnt.limit / 10).max(1);
        let widened = learnt.limit.saturating_add(step.saturating_mul(u32::try_from(quiet.max(0)).unwrap_or(u32::MAX)));
        if widened >= learnt.end { self.documented } else { Some(widened.min(self.documented.unwrap_or(u32::MAX))) }
    }

    /// When the next call may be made: `now` or later.
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        let Some(limit) = self.limit(now) else { return now };
        let mut room = limit;
        // From the newest back: the call that fills the span must leave it first.
        for (at, count) in self.taken.iter().rev() {
            match room.checked_sub(*count).filter(|left| *left > 0) {
                Some(left) => room = left,
                None => return (*at + self.span).max(now),
            }
        }
        now
    }

    /// Counts a call made at `now`.
    pub fn take(&mut self, now: Timestamp) {
        // A piece is as young as its youngest call can be, so nothing is forgotten early.
        let at = self.piece(now);
        match self.taken.back_mut().filter(|(last, _)| *last >= at) {
            Some((_, count)) => *count += 1,
            None => self.taken.push_back((at, 1)),
        }
        while self.taken.front().is_some_and(|(at, _)| now.duration_since(*at) > self.span) {
            self.taken.pop_front();
        }
    }

    /// The end of the piece that `now` lies in.
    fn piece(&self, now: Timestamp) -> Timestamp {
        let (grain, at) = (self.grain.as_millis(), i128::from(now.as_millisecond()));
        if grain == 0 {
            return now;
        }
        let end = (at / grain + 1) * grain;
        i64::try_from(end).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now)
    }

    /// The service refused a call for being one too many without saying for how long: from now on
    /// three quarters of what was made in the last span, widened again slowly.
    pub fn narrow(&mut self, now: Timestamp) {
        let within = self.taken.iter().filter(|(at, _)| now.duration_since(*at) < self.span);
        let made: u32 = within.map(|(_, count)| count).sum();
        let refused_at = made.max(1).min(self.limit(now).unwrap_or(u32::MAX));
        let end = self.documented.unwrap_or_else(|| refused_at.saturating_mul(2));
        let limit = (refused_at - refused_at.div_ceil(4)).max(1);
        self.learnt = Some(Learnt { limit, end: end.max(limit + 1), since: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_limit_is_never_passed_and_opens_again() {
        let mut limiter = Limiter::new(Some(3), MINUTE);
        for s in [0, 10, 20] {
            assert_eq!(limiter.free_at(at(s)), at(s));
            limiter.take(at(s));
        }
        assert_eq!(limiter.free_at(at(30)), at(60));
        limiter.take(at(60));
        assert_eq!(limiter.free_at(at(60)), at(70), "the second call leaves the span at 70 s");
        assert_eq!(Limiter::new(None, MINUTE).free_at(at(1)), at(1));
    }

    #[test]
    fn a_refusal_narrows_and_quiet_widens_back_to_what_is_documented() {
        let mut limiter = Limiter::new(Some(50), MINUTE);
        (0..20).for_each(|s| limiter.take(at(s)));
        limiter.narrow(at(20));
        assert_eq!(limiter.limit(at(20)), Some(15), "three quarters of the twenty that were too many");
        assert_eq!(limiter.free_at(at(20)), at(65), "the fifteenth last was made at 5 s");
        assert_eq!(limiter.limit(at(20 + 119)), Some(15));
        assert_eq!(limiter.limit(at(20 + 120)), Some(16));
        assert!((0..100_000).all(|s| limiter.limit(at(20 + s)).unwrap() <= 50));
        assert_eq!(limiter.limit(at(20 + 100_000)), Some(50));
        let mut again = limiter.clone();
        again.narrow(at(21));
        assert!(again.limit(at(21)) < limiter.limit(at(21)), "refused again, it narrows again");
    }

    #[test]
    fn where_nothing_is_documented_a_refusal_teaches_a_limit_that_is_forgotten_again() {
        let mut limiter = Limiter::new(None, MINUTE);
        (0..8).for_each(|s| limiter.take(at(s)));
        limiter.narrow(at(8));
        assert_eq!(limiter.limit(at(8)), Some(6));
        assert_eq!(limiter.limit(at(8 + 120 * 10)), None);
    }

    #[test]
    fn a_day_of_thousands_is_remembered_in_few_pieces_and_never_passed() {
        let day = SignedDuration::from_hours(24);
        let mut limiter = Limiter::coarse(Some(1000), day);
        let mut now = at(0);
        let mut made: Vec<Timestamp> = Vec::new();
        while made.len() < 2500 {
            now = limiter.free_at(now);
            limiter.take(now);
            made.push(now);
            now += SignedDuration::from_secs(7);
        }
        assert!(made.windows(1001).all(|w| w[1000].duration_since(w[0]) >= day), "1001 in a day");
        assert!(serde_json::to_string(&limiter).unwrap().len() < 6_000);
    }

    #[test]
    fn what_was_counted_survives_a_restart() {
        let mut limiter = Limiter::new(Some(2), MINUTE);
        limiter.take(at(1));
        limiter.take(at(2));
        let text = serde_json::to_string(&limiter).unwrap();
        let mut after = Limiter::new(Some(2), MINUTE);
        after.restore(serde_json::from_str(&text).unwrap());
        assert_eq!(after.free_at(at(3)), at(61));
    }
}
