//! The command line face: one file a verb group. Knows the engine's handle, config and domain.
//!
//! Data goes to standard output, prose and progress to standard error.

pub mod args;
pub mod ask;
pub mod batch;
pub mod books;
pub mod change;
pub mod claims;
pub mod doctor;
pub mod explain;
pub mod look;
pub mod model;
pub mod models;
pub mod out;
pub mod plain;
pub mod run;
pub mod scratch;
pub mod settings;
pub mod shelf;
pub mod shells;

pub use args::{Parsed, Verb, command, parse};

/// What is said when no account has a key.
pub const NO_KEY: &str = "no account has a key: set NINJACHAT_API_KEY, NANOGPT_API_KEY or A4F_API_KEY, or name an \
                          account in the config file";

/// Exit codes, as scripts rely on them.
pub mod code {
    /// All done.
    pub const DONE: u8 = 0;
    /// Some job failed, is unconfirmed, or cannot go on without the user.
    pub const SOME_FAILED: u8 = 1;
    /// Usage, configuration, or another engine has the data directory.
    pub const USAGE: u8 = 2;
    /// Ended by a signal: this plus its number.
    pub const SIGNAL: u8 = 128;
}
