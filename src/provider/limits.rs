//! How often each service may be called, as its documents say.
//!
//! Knows numbers and their source. Must not know who counts the calls.

use std::time::Duration;

use crate::domain::Service;

/// Documented limits of a service, per address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Orders a minute.
    pub submits_per_minute: Option<u32>,
    /// Orders a minute by another way than the usual one, and look-ups of lost orders.
    pub routed_per_minute: Option<u32>,
    /// Calls of any kind a second.
    pub calls_per_second: Option<u32>,
    /// How long an order's answer is waited for before the outcome counts as unknown; `None`
    /// waits for as long as the connection lives.
    pub answer_wait: Option<Duration>,
}

/// Where the answer only names a job, ten minutes without one settle nothing any more.
const TEN_MINUTES: Option<Duration> = Some(Duration::from_secs(600));

/// The documented limits of a service.
pub fn documented(service: Service) -> Limits {
    match service {
        // wire.md 2.4: `rateLimit:{requests:60, windowSeconds:60}` over all but polls (seed 000); some
        // of them are left for probes, balances and lists of models. The new generation documents none of
        // its own.
        Service::Ninjachat => Limits { submits_per_minute: Some(50), answer_wait: TEN_MINUTES, ..Limits::default() },
        // Seed 002 "Rate Limits": 50 a minute; wire.md 1.7: 20 a minute for `extend` and `recover`,
        // 25 calls a second in all.
        Service::Nanogpt => Limits {
            submits_per_minute: Some(50),
            routed_per_minute: Some(20),
            calls_per_second: Some(25),
            answer_wait: TEN_MINUTES,
        },
        // wire.md 3.5: the plan's own figures, told by the usage answer.
        Service::A4f => Limits::default(),
    }
}
