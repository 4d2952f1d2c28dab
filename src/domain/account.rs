//! Accounts: a service plus a key, where it lives, and whether it may be used now.
//!
//! Knows the three services by name and the prefixes of their keys. Must not know the key itself,
//! nor any wire.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::problem::ErrorKind;

/// The hosted services that rushes speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// NinjaChat (seeds 000, 001).
    Ninjachat,
    /// NanoGPT (seeds 002, 003).
    Nanogpt,
    /// A4F (seed 004).
    A4f,
}

impl Service {
    /// All of them, in the order they are listed everywhere.
    pub const ALL: [Service; 3] = [Service::Ninjachat, Service::Nanogpt, Service::A4f];

    /// The word in config, commands and model names.
    pub fn word(self) -> &'static str {
        match self {
            Service::Ninjachat => "ninjachat",
            Service::Nanogpt => "nanogpt",
            Service::A4f => "a4f",
        }
    }

    /// The name its makers write.
    pub fn title(self) -> &'static str {
        match self {
            Service::Ninjachat => "NinjaChat",
            Service::Nanogpt => "NanoGPT",
            Service::A4f => "A4F",
        }
    }

    /// What is wrong with `key` for this service, told from its prefix alone, or `None`.
    ///
    /// NinjaChat keys start with `nj_sk_` (seed 001); NanoGPT's with `sk-nano-`, or are a bare UUID
    /// (wire.md 1.1); A4F's with `ddc-` (wire.md 3.1). A key that looks like no service's passes,
    /// since services change their prefixes; one that looks like another service's does not.
    pub fn refuse_key(self, key: &str) -> Option<String> {
        let owner = Service::ALL.into_iter().find(|service| service.owns_prefix(key))?;
        (owner != self).then(|| {
            format!(
                "this is a key of {} (by its prefix); {} needs its own, and no key is ever sent to another service",
                owner.title(),
                self.title()
            )
        })
    }

    /// The generations of its interface that are in use, oldest first; empty where there is one only
    /// (wire.md 2.1: NinjaChat's two share the path `/api/v1`).
    pub fn generations(self) -> &'static [&'static str] {
        match self {
            Service::Ninjachat => &["old", "new"],
            Service::Nanogpt | Service::A4f => &[],
        }
    }

    /// What is wrong with naming this generation for the service, or `None`.
    pub fn refuse_generation(self, generation: &str) -> Option<String> {
        let known = self.generations();
        match known {
            [] => Some(format!("generation is a setting of services with several; {} has one", self.title())),
            _ if known.contains(&generation) => None,
            _ => Some(format!("generation = \"{generation}\" is not offered; it is {}", known.join(" or "))),
        }
    }

    fn owns_prefix(self, key: &str) -> bool {
        match self {
            Service::Ninjachat => key.starts_with("nj_sk_"),
            Service::Nanogpt => key.starts_with("sk-nano-"),
            Service::A4f => key.starts_with("ddc-"),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Service {
    type Err = String;

    /// Reads a service's word.
    ///
    /// # Errors
    /// A sentence that names the three services.
    fn from_str(word: &str) -> Result<Self, String> {
        Service::ALL
            .into_iter()
            .find(|service| service.word() == word)
            .ok_or_else(|| format!("`{word}` is no service; it is one of ninjachat, nanogpt, a4f"))
    }
}

/// What a free probe of an account's host found; kept by the engine, handed to every call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProfile {
    /// The origin (with its path prefix) that requests go to, redirects already followed.
    pub origin: String,
    /// The generation of the service's interface that the host speaks, where it has several.
    pub generation: Option<String>,
    /// The plan's name, where the service has plans.
    pub plan: Option<String>,
    /// Requests a minute the account may make, where the service said so.
    pub per_minute: Option<u32>,
    /// Requests a day the account may make, where the service said so.
    pub per_day: Option<u32>,
    /// Whether nothing but the balance tells of a lost order, so that orders go one at a time.
    #[serde(default)]
    pub by_balance: bool,
}

/// Why an account's queued jobs wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What kind of answer paused it.
    pub kind: ErrorKind,
    /// The service's words and the next step.
    pub message: String,
    /// When it ends by itself; `None` waits for the user (or a new key or deposit).
    pub until: Option<Timestamp>,
}

impl Pause {
    /// When it ends, as a time of day in the user's zone and as a wait: `until 00:00 (in 3 h 12 min)`;
    /// `None` where nothing but the user ends it.
    pub fn ends(&self, now: Timestamp, zone: &TimeZone) -> Option<String> {
        self.until.map(|until| until_text(until, now, zone))
    }
}

/// A time to wait for: `until 00:00 (in 3 h 12 min)`, with the day where it is not today's.
pub fn until_text(until: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (end, today) = (until.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let left = until.duration_since(now).as_secs().max(0);
    let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
    let wait = match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) if minutes < 10 && seconds > 0 => format!("{minutes} min {seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    };
    // Midnight is the end of today: nobody looks for another day there.
    let is_midnight = end.hour() == 0 && end.minute() == 0 && today.date().tomorrow().is_ok_and(|d| d == end.date());
    let form = match end.date() == today.date() || is_midnight {
        true if left < 120 => "%H:%M:%S",
        true => "%H:%M",
        false => "%m-%d %H:%M",
    };
    format!("until {} (in {wait})", end.strftime(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_a_time_of_day_in_the_users_zone() {
        let now: Timestamp = "2026-11-20T20:48:00Z".parse().unwrap();
        let text =
            |seconds: i64, zone: &TimeZone| until_text(now + jiff::SignedDuration::from_secs(seconds), now, zone);
        let east = TimeZone::fixed(jiff::tz::offset(3));
        assert_eq!(text(3 * 3600 + 12 * 60, &TimeZone::UTC), "until 00:00 (in 3 h 12 min)");
        assert_eq!(text(3 * 3600 + 12 * 60, &east), "until 11-21 03:00 (in 3 h 12 min)");
        assert_eq!(text(45, &TimeZone::UTC), "until 20:48:45 (in 45 s)");
        assert_eq!(text(90 * 60, &TimeZone::UTC), "until 22:18 (in 1 h 30 min)");
        assert_eq!(text(30 * 3600, &TimeZone::UTC), "until 11-22 02:48 (in 30 h)");
        assert_eq!(text(-5, &TimeZone::UTC), "until 20:47:55 (in 0 s)", "what is over is not waited for");
    }

    #[test]
    fn a_key_of_another_service_is_refused_and_an_unknown_prefix_is_not() {
        let refused = Service::A4f.refuse_key("nj_sk_0123456789").unwrap();
        assert!(refused.contains("NinjaChat") && refused.contains("A4F"));
        assert!(!refused.contains("0123456789"), "the key itself is never repeated");
        assert_eq!(Service::Nanogpt.refuse_key("0b0e5d9e-2f59-4ed1-9e0e-0d7ad2a8a8a8"), None);
        assert_eq!(Service::Ninjachat.refuse_key("nj_sk_x"), None);
    }
}
