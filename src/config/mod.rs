//! Settings: the config file, the environment and the global flags, made into one value.
//!
//! Knows the form of the file, the names of the variables, and which of them wins. Knows the domain;
//! must not know engine or faces, and only `load.rs` beside it touches a disk or runs a command.

mod account;
mod env;
mod file;
mod load;
mod screen;
mod theme;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::{Caps, ModelRef, Money};

pub use account::{Account, Secret};
pub use env::{Env, Globals};
pub use file::{Color, Glyphs};
pub use screen::{Clipboard, Links, Notify, Thrift};
pub use theme::ThemeChanged;

/// What is wrong with the settings, where, and what would be right. Never holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// The file with its line, the variable, or the account.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        ConfigError { place: place.into(), message: message.into() }
    }
}

/// Everything the program is told from outside, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The accounts, by name in the file's order of names; those of the environment first.
    pub accounts: Vec<Account>,
    /// Where the database and stored inputs lie. Absolute.
    pub data_dir: PathBuf,
    /// Where clips go. Absolute.
    pub output_dir: PathBuf,
    /// How clips are named; `None` is the default.
    pub name_template: Option<String>,
    /// Limits over all accounts.
    pub caps: Caps,
    /// Limits of single models, by full name.
    pub model_caps: BTreeMap<ModelRef, Caps>,
    /// The sum above which the dashboard asks before it queues; `None` never asks.
    pub ask_above: Option<Money>,
    /// The theme's name; `None` is the default.
    pub theme: Option<String>,
    /// When and how many colours are used.
    pub color: Color,
    /// Which drawing characters are used.
    pub glyphs: Glyphs,
    /// Whether the mouse is listened to; off by default, so that the terminal's own selection works.
    pub mouse: bool,
    /// How much the screen moves by itself.
    pub thrift: Thrift,
    /// Whether the terminal's clipboard is written to.
    pub clipboard: Clipboard,
    /// Whether paths and links are marked as links.
    pub links: Links,
    /// How the user is called.
    pub notify: Notify,
    /// What opens a clip, word by word, with `{path}` where the path goes; empty: nothing does.
    pub open_command: Vec<String>,
    /// The user's views of the table: name and filter, in the file's order.
    pub views: Vec<(String, String)>,
    /// Keys by the name of an action, replacing its defaults.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The config file. Absolute; it need not exist.
    pub config_file: PathBuf,
    /// Whether the config file exists.
    pub has_file: bool,
    /// The directory of the config file, with the user's `models.toml` and `themes/`. Absolute.
    pub config_dir: PathBuf,
    /// The text of the user's `models.toml`, where there is one.
    pub models: Option<String>,
    /// Whether the simulator stands in for the services.
    pub simulated: bool,
    /// What is odd but no error, for people.
    pub warnings: Vec<String>,
    /// The lines, from 1, of what only others can check: `name_template`, `keys.quit`, ...
    lines: BTreeMap<String, usize>,
    /// Whether the output directory was given by flag, and so is meant for simulated clips too.
    output_given: bool,
}

impl Config {
    /// Puts the simulator in place of the services: no account of the user's, and data and clips in
    /// a `simulator` sub-directory, apart from what was paid for. An output directory given by flag
    /// is kept as it is.
    #[must_use]
    pub fn simulated(mut self) -> Config {
        if !self.simulated {
            self.simulated = true;
            self.accounts.clear();
            self.data_dir.push("simulator");
            if !self.output_given {
                self.output_dir.push("simulator");
            }
        }
        self
    }

    /// The user's own file for the chosen theme; it need not be there.
    pub fn theme_file(&self) -> Option<PathBuf> {
        self.theme.as_ref().map(|name| self.config_dir.join("themes").join(format!("{name}.toml")))
    }

    /// What is wrong with a setting that only another floor can judge, at its place in the file.
    pub fn fault(&self, setting: &str, message: impl Into<String>) -> ConfigError {
        let file = self.config_file.display();
        let place = self.lines.get(setting).map_or_else(|| file.to_string(), |line| format!("{file}:{line}"));
        ConfigError::new(place, message)
    }

    /// The keys' overrides as the keymap takes them.
    pub fn key_overrides(&self) -> Vec<(String, Vec<String>)> {
        self.keys.iter().map(|(action, keys)| (action.clone(), keys.clone())).collect()
    }
}
