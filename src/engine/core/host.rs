//! A service's host as all accounts there share it: how often it is called, and its rest after failures.
//!
//! Knows limits and back-off. Must not know accounts, keys or jobs: services limit an address, whoever
//! asks (seed 002, "Rate Limits").

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::limiter::Limiter;
use super::schedule::rest;
use crate::provider::limits::Limits;

/// First rest after a failed call.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(2);

/// Look-ups a minute where no document says how many.
const FINDS: u32 = 20;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// An order by the usual way.
    Order,
    /// An order by another way, which has a narrower limit of its own.
    RoutedOrder,
    /// A status request.
    Poll,
    /// A look for a lost order, which has a narrow limit of its own.
    Find,
    /// Any other free call.
    Free,
}

/// One host.
#[derive(Debug)]
pub struct Host {
    orders: Limiter,
    routed: Limiter,
    finds: Limiter,
    calls: Limiter,
    /// Failed calls in a row; echoes of the same trouble are not counted.
    failures: u32,
    /// Since when calls fail.
    down_since: Option<Timestamp>,
    /// Failures before this time are echoes.
    counted_until: Option<Timestamp>,
    /// Nothing is called before this time.
    rest_until: Option<Timestamp>,
    /// The service asked for silence: no orders, no polls before these times.
    no_orders_until: Option<Timestamp>,
    no_polls_until: Option<Timestamp>,
    no_finds_until: Option<Timestamp>,
    /// Counted or learnt since it was stored last.
    is_news: bool,
}

impl Host {
    /// A host with its documented limits.
    pub fn new(limits: Limits) -> Self {
        Host {
            orders: Limiter::new(limits.submits_per_minute, MINUTE),
            routed: Limiter::new(limits.routed_per_minute, MINUTE),
            // One look may take two calls.
            finds: Limiter::new(Some((limits.routed_per_minute.unwrap_or(FINDS) / 2).max(1)), MINUTE),
            // A few calls a second are left for balances and probes.
            calls: Limiter::new(limits.calls_per_second.map(|n| (n * 4 / 5).max(1)), SignedDuration::from_secs(1)),
            failures: 0,
            down_since: None,
            counted_until: None,
            rest_until: None,
            no_orders_until: None,
            no_polls_until: None,
            no_finds_until: None,
            is_news: false,
        }
    }

    /// When the next such call may be made, `due` or later.
    pub fn free_at(&self, call: Call, due: Timestamp) -> Timestamp {
        let any = self.calls.free_at(due).max(self.rest_until.unwrap_or(due));
        match call {
            Call::Free => any,
            Call::Poll => any.max(self.no_polls_until.unwrap_or(any)),
            Call::Find => self.finds.free_at(any.max(self.no_finds_until.unwrap_or(any))),
            Call::Order | Call::RoutedOrder => {
                let orders = self.orders.free_at(any.max(self.no_orders_until.unwrap_or(any)));
                if call == Call::RoutedOrder { self.routed.free_at(orders) } else { orders }
            }
        }
    }

    /// Counts a call made now. Of a host in trouble, only one call at a time finds out whether it is up.
    pub fn count(&mut self, call: Call, interval: SignedDuration, now: Timestamp) {
        self.calls.take(now);
        if matches!(call, Call::Order | Call::RoutedOrder) {
            self.orders.take(now);
            self.is_news = true;
        }
        if call == Call::RoutedOrder {
            self.routed.take(now);
        }
        if call == Call::Find {
            self.finds.take(now);
        }
        if self.failures > 0 {
            self.rest_until = Some(now + self.pause(interval, now));
        }
    }

    /// A call failed on the way or at a service that is down: everything rests, for as long as it
    /// asked for where it did. Returns until when.
    pub fn fail(&mut self, interval: SignedDuration, wait: Option<SignedDuration>, now: Timestamp) -> Timestamp {
        self.down_since.get_or_insert(now);
        if self.counted_until.is_none_or(|until| until <= now) {
            let until = now + self.pause(interval, now).max(wait.unwrap_or_default());
            (self.counted_until, self.rest_until) = (Some(until), Some(until));
            self.failures = self.failures.saturating_add(1);
        }
        self.rest_until.unwrap_or(now)
    }

    fn pause(&self, interval: SignedDuration, now: Timestamp) -> SignedDuration {
        let down = self.down_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        rest(FIRST_REST, interval, self.failures, down, now.as_millisecond().unsigned_abs())
    }

    /// The host answered. Whether it was in trouble before.
    pub fn answer(&mut self) -> bool {
        let was = self.failures > 0;
        (self.failures, self.down_since, self.counted_until, self.rest_until) = (0, None, None, None);
        was
    }

    /// The host said that it was called too often, and perhaps for how long it wants silence.
    pub fn limit(&mut self, call: Call, wait: Option<SignedDuration>, now: Timestamp) {
        let until = wait.map(|wait| now.checked_add(wait).unwrap_or(Timestamp::MAX));
        match call {
            Call::Poll => self.no_polls_until = self.no_polls_until.max(until),
            Call::Find => self.no_finds_until = self.no_finds_until.max(until),
            _ => self.no_orders_until = self.no_orders_until.max(until),
        }
        if wait.is_none() {
            match call {
                Call::Order => self.orders.narrow(now),
                Call::RoutedOrder => self.routed.narrow(now),
                Call::Find => self.finds.narrow(now),
                Call::Poll | Call::Free => self.calls.narrow(now),
            }
            self.is_news = true;
        }
    }

    /// The user's word: all rests end, what was counted stays.
    pub fn wake(&mut self) {
        self.answer();
        (self.no_orders_until, self.no_polls_until, self.no_finds_until) = (None, None, None);
    }

    /// When its rests end, so that whoever waits for one is woken.
    pub fn wakes(&self) -> impl Iterator<Item = Timestamp> {
        [self.rest_until, self.no_orders_until].into_iter().flatten()
    }

    /// What outlives a restart, where there is news of it: orders counted in the last minute, and
    /// limits that were learnt.
    pub fn take_news(&mut self) -> Option<Value> {
        std::mem::take(&mut self.is_news).then(|| json!({"orders": self.orders, "routed": self.routed}))
    }

    /// Goes on from what was stored. What cannot be read counts as nothing.
    pub fn restore(&mut self, state: &Value) {
        let read = |name: &str| serde_json::from_value::<Limiter>(state[name].clone()).ok();
        read("orders").into_iter().for_each(|stored| self.orders.restore(stored));
        read("routed").into_iter().for_each(|stored| self.routed.restore(stored));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn host() -> Host {
        Host::new(Limits {
            submits_per_minute: Some(50),
            routed_per_minute: Some(2),
            calls_per_second: Some(25),
            answer_wait: None,
        })
    }

    const INTERVAL: SignedDuration = SignedDuration::from_secs(10);

    #[test]
    fn in_trouble_one_call_at_a_time_goes_out_and_an_outage_grows_by_no_more_than_an_interval() {
        let mut host = host();
        let mut now = at(0);
        let mut calls = 0;
        host.fail(INTERVAL, None, now);
        while now < at(600) {
            now = host.free_at(Call::Poll, now);
            host.count(Call::Poll, INTERVAL, now);
            assert!(host.free_at(Call::Poll, now) > now, "a second call waits for the first");
            host.fail(INTERVAL, None, now);
            calls += 1;
        }
        assert!((55..=90).contains(&calls), "{calls} calls in ten minutes");
        assert!(host.free_at(Call::Poll, now) <= now + INTERVAL);
        assert!(host.answer() && !host.answer());
        assert_eq!(host.free_at(Call::Poll, now), now);
        for s in 0..100_000 {
            host.fail(INTERVAL, None, now + SignedDuration::from_secs(s));
        }
        let late = now + SignedDuration::from_secs(101_000);
        host.fail(INTERVAL, None, late);
        assert!(
            host.free_at(Call::Poll, late) > late + SignedDuration::from_secs(200),
            "a day of silence is not knocked at often"
        );
    }

    #[test]
    fn fifty_echoes_of_one_outage_count_once() {
        let mut host = host();
        let first = host.fail(INTERVAL, None, at(0));
        (0..50).for_each(|_| assert_eq!(host.fail(INTERVAL, None, at(0)), first));
        assert_eq!(host.failures, 1);
    }

    #[test]
    fn a_refusal_by_count_narrows_what_was_called_and_silence_asked_for_is_kept_through_other_answers() {
        let mut host = host();
        (0..8).for_each(|s| host.count(Call::Order, INTERVAL, at(s)));
        host.limit(Call::Order, None, at(8));
        assert_eq!(host.orders.limit(at(8)), Some(6));
        host.limit(Call::Order, Some(SignedDuration::from_secs(4)), at(100));
        host.answer();
        assert_eq!(host.free_at(Call::Order, at(100)), at(104), "another call's success does not end it");
        assert_eq!(host.free_at(Call::Poll, at(100)), at(100));
        let mut after = self::host();
        after.restore(&host.take_news().unwrap());
        assert_eq!(after.orders.limit(at(8)), Some(6), "learnt limits outlive a restart");
        assert_eq!(host.take_news(), None);
    }

    #[test]
    fn an_order_by_another_way_has_a_narrower_limit_too() {
        let mut host = host();
        host.count(Call::RoutedOrder, INTERVAL, at(0));
        host.count(Call::RoutedOrder, INTERVAL, at(1));
        assert_eq!(host.free_at(Call::RoutedOrder, at(2)), at(60));
        assert_eq!(host.free_at(Call::Order, at(2)), at(2));
    }
}
