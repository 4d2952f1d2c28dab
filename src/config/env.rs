//! What comes from outside the file: variables, home, working directory, global flags.
//!
//! Knows how they are captured once, so that everything after is a function of values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::domain::Service;

use super::Color;

/// The global flags of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `--config`: the file to read; it must exist then.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--output-dir`.
    pub output_dir: Option<PathBuf>,
    /// `--sim`: the simulator in place of the services.
    pub sim: bool,
    /// `--color`.
    pub color: Option<Color>,
    /// How often `-v` was given.
    pub verbose: u8,
}

/// The environment, captured once.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The variables that are valid text.
    pub vars: BTreeMap<String, String>,
    /// The names of those that are set to something else.
    pub garbled: BTreeSet<String>,
    /// The home directory, where there is one.
    pub home: Option<PathBuf>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The machine's name; empty where it is not known.
    pub host: String,
    /// Whether this is a test build: key variables count only where the account's base URL is loopback.
    pub loopback_only: bool,
}

impl Env {
    /// The process's own environment.
    pub fn capture() -> Env {
        Env {
            vars: std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
            garbled: std::env::vars_os()
                .filter(|(_, value)| value.to_str().is_none())
                .filter_map(|(name, _)| name.into_string().ok())
                .collect(),
            home: etcetera::home_dir().ok(),
            host: host(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            loopback_only: cfg!(feature = "loopback-only"),
        }
    }

    /// A variable that is set and not blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(|v| v.trim()).filter(|v| !v.is_empty())
    }

    /// An XDG base directory: the variable where it is absolute, else `fallback` under home.
    fn base(&self, variable: &str, fallback: &str) -> Option<PathBuf> {
        let set = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        set.or_else(|| Some(self.home.as_ref()?.join(fallback)))
    }

    /// `$XDG_CONFIG_HOME/rushes`.
    pub(super) fn config_dir(&self) -> Option<PathBuf> {
        Some(self.base("XDG_CONFIG_HOME", ".config")?.join("rushes"))
    }

    /// `$XDG_DATA_HOME/rushes`.
    pub(super) fn data_dir(&self) -> Option<PathBuf> {
        Some(self.base("XDG_DATA_HOME", ".local/share")?.join("rushes"))
    }

    /// `~/rushes`.
    pub(super) fn output_dir(&self) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join("rushes"))
    }

    /// A path as a user writes it, made absolute: `~/` is home, the rest is from `base`.
    pub(super) fn absolute(&self, path: &Path, base: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => base.join(path),
        }
    }
}

/// The machine's name as Linux tells it, or as it is written down.
fn host() -> String {
    let told =
        ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().find_map(|path| std::fs::read_to_string(path).ok());
    let name = told.as_deref().map(str::trim).unwrap_or_default();
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if is_plain { name.to_owned() } else { String::new() }
}

/// The variable that holds a service's key.
pub(super) fn key_variable(service: Service) -> &'static str {
    match service {
        Service::Ninjachat => "NINJACHAT_API_KEY",
        Service::Nanogpt => "NANOGPT_API_KEY",
        Service::A4f => "A4F_API_KEY",
    }
}

/// The variable that overrides a service's origin.
pub(super) fn url_variable(service: Service) -> &'static str {
    match service {
        Service::Ninjachat => "RUSHES_NINJACHAT_BASE_URL",
        Service::Nanogpt => "RUSHES_NANOGPT_BASE_URL",
        Service::A4f => "RUSHES_A4F_BASE_URL",
    }
}
