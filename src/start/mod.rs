//! Between what was typed and who does it: each start ends in an exit code.
//!
//! Knows every floor, since it puts them together. Must not know what any of them does.

pub(crate) mod dashboard;
pub(crate) mod faults;
pub(crate) mod simulator;
pub(crate) mod verb;

use rushes::cli::out::Out;
use rushes::config::{Config, ConfigError};
use rushes::engine::EngineError;
use rushes::tui::TerminalError;

/// What can go wrong before a verb's own work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    #[error("the simulator cannot start: {0}")]
    Simulator(#[from] std::io::Error),
}

/// Makes the keys known. An account whose key cannot be had is left out and named; the others go on.
fn unlock(config: &mut Config, out: &Out) -> Result<(), ConfigError> {
    for error in config.unlock_with_shell()? {
        out.say(format_args!("{error}. It is left out until then and its jobs wait; the other accounts go on"));
    }
    Ok(())
}
