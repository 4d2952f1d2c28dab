//! What the engine is told at its start.
//!
//! Knows values only; where they come from is the config's matter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::points::Points;
use crate::domain::{Caps, ModelRef, Service};

/// Free space below which nothing is ordered, unless the user says otherwise: room for some clips,
/// the database and what other programs need, in bytes.
pub const LEAST_FREE: u64 = 256 << 20;

/// What the engine is told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The accounts, in the order they are listed.
    pub accounts: Vec<AccountSettings>,
    /// Where the database and stored inputs lie.
    pub data_dir: PathBuf,
    /// Where clips go.
    pub output_dir: PathBuf,
    /// How clips are named; `None` is the default.
    pub name_template: Option<String>,
    /// Limits over all accounts.
    pub caps: Caps,
    /// Limits of single models, by full name.
    pub model_caps: BTreeMap<ModelRef, Caps>,
    /// Set when the services are simulated: one line that says so.
    pub simulated: Option<String>,
    /// How many times faster than ours the clock of the services runs, at least 1: only a simulator's is faster.
    pub times_faster: u32,
    /// Where days begin.
    pub time_zone: jiff::tz::TimeZone,
    /// Whether anything may be sent; without, commands are applied and nothing else happens.
    pub online: bool,
    /// Free space in the output directory below which nothing is ordered, bytes.
    pub least_free: u64,
    /// What this engine is, for whoever finds the directory locked: `dashboard`, `run`, ...
    pub kind: String,
    /// The text of the user's `models.toml`.
    pub models: Option<String>,
    /// Who is told of the named points in its work; nobody, but for crash tests.
    pub points: Points,
}

/// One account.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// Where it lives, with an optional path prefix.
    pub base_url: String,
    /// The generation of the service's interface to speak; `None` finds out which it is.
    pub generation: Option<String>,
    /// What jobs remember as its origin; the base URL, but for the embedded simulator, whose port changes.
    pub origin: String,
    /// The key.
    pub key: SecretString,
    /// Most jobs at the service at once.
    pub max_in_flight: u32,
    /// Time between two polls of a job.
    pub poll_interval: Duration,
    /// Whether plain http beyond loopback is the user's wish.
    pub allow_insecure: bool,
    /// Its own limits.
    pub caps: Caps,
    /// Whether others spend on it, too.
    pub shared: bool,
}
