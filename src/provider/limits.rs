//! How often each service may be called, as its documents say.
//!
//! Knows numbers and their source. Must not know who counts the calls.

use crate::domain::Service;

/// Documented limits of a service, per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Orders a minute.
    pub submits_per_minute: Option<u32>,
    /// Calls of any kind a second.
    pub calls_per_second: Option<u32>,
}

/// The documented limits of a service.
pub fn documented(service: Service) -> Limits {
    match service {
        // wire.md 2.4: `rateLimit:{requests:60, windowSeconds:60}`; seed 000: polling has no limit.
        Service::Ninjachat => Limits { submits_per_minute: Some(60), calls_per_second: None },
        // Seed 002 "Rate Limits": 50 a minute; wire.md 1.7: 25 calls a second in all.
        Service::Nanogpt => Limits { submits_per_minute: Some(50), calls_per_second: Some(25) },
        // wire.md 3.5: the plan's own figures, told by the usage answer.
        Service::A4f => Limits { submits_per_minute: None, calls_per_second: None },
    }
}
