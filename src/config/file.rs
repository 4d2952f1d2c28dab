//! The form of `config.toml`, and what is said when it is broken.
//!
//! Knows keys and types. Must not know what the values mean to each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::ConfigError;
use super::screen::{Clipboard, Links, Notify, Thrift};
use crate::domain::{Money, Service};

/// When colours are used, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Word")]
pub enum Color {
    /// By what the environment says of the terminal.
    #[default]
    Auto,
    /// Also where output is no terminal.
    Always,
    /// Not at all.
    Never,
    /// The 16 of the terminal's palette.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    True,
}

impl FromStr for Color {
    type Err = String;

    /// Reads `auto`, `always`, `never`, `16`, `256` or `true`.
    ///
    /// # Errors
    /// A sentence that names them.
    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Color::Auto),
            "always" => Ok(Color::Always),
            "never" => Ok(Color::Never),
            "16" => Ok(Color::Ansi16),
            "256" => Ok(Color::Ansi256),
            "true" => Ok(Color::True),
            _ => Err(format!("`{word}` is not one of auto, always, never, 16, 256, true")),
        }
    }
}

/// A word that TOML may also write as a number or boolean: `color = 256`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl TryFrom<Word> for Color {
    type Error = String;

    fn try_from(word: Word) -> Result<Self, String> {
        match word {
            Word::Text(text) => text.parse(),
            Word::Number(n) => n.to_string().parse(),
            Word::Flag(flag) => flag.to_string().parse(),
        }
    }
}

/// Which drawing characters are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Glyphs {
    /// Unicode where the locale says UTF-8, else ASCII.
    #[default]
    Auto,
    /// Box drawing, bars, dots.
    Unicode,
    /// Plain ASCII.
    Ascii,
}

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub output_dir: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub name_template: Option<toml::Spanned<String>>,
    pub theme: Option<toml::Spanned<String>>,
    pub color: Option<Color>,
    pub glyphs: Glyphs,
    pub mouse: bool,
    pub thrift: Thrift,
    pub clipboard: Clipboard,
    pub links: Links,
    pub notify: Notify,
    pub caps: GlobalCaps,
    pub ask_above: Option<Amount>,
    pub open_command: Option<toml::Spanned<String>>,
    pub keys: BTreeMap<String, toml::Spanned<Keys>>,
    pub views: BTreeMap<String, toml::Spanned<String>>,
    pub accounts: BTreeMap<String, toml::Spanned<AccountFile>>,
}

/// `[caps]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GlobalCaps {
    pub day: Option<Amount>,
    pub month: Option<Amount>,
    pub day_jobs: Option<u32>,
    pub month_jobs: Option<u32>,
    pub models: BTreeMap<String, toml::Spanned<ModelCaps>>,
}

/// `[caps.models."account/model"]`.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModelCaps {
    pub day: Option<Amount>,
    pub month: Option<Amount>,
    pub day_jobs: Option<u32>,
    pub month_jobs: Option<u32>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountFile {
    pub service: Option<Service>,
    pub api_key_env: Option<String>,
    pub api_key_command: Option<String>,
    pub api_key: Option<String>,
    pub base_url: Option<String>,
    pub generation: Option<String>,
    pub max_in_flight: Option<u32>,
    pub poll_interval: Option<u32>,
    #[serde(default)]
    pub allow_insecure: bool,
    pub day_cap: Option<Amount>,
    pub month_cap: Option<Amount>,
    pub day_jobs: Option<u32>,
    pub month_jobs: Option<u32>,
    #[serde(default)]
    pub shared: bool,
}

/// One key or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Keys {
    One(String),
    Several(Vec<String>),
}

/// Dollars, written as text or as a number.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct Amount(pub Decimal);

impl Amount {
    /// As dollars.
    pub(super) fn dollars(self) -> Money {
        Money::usd(self.0)
    }
}

impl TryFrom<toml::Value> for Amount {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = match &value {
            toml::Value::String(text) => text.trim_start_matches('$').to_owned(),
            other => other.to_string(),
        };
        match Decimal::from_str_exact(&text) {
            Ok(amount) if amount >= Decimal::ZERO => Ok(Amount(amount)),
            _ => Err(format!("`{text}` is no amount of dollars; write for example \"25.00\"")),
        }
    }
}

/// Reads the file's text; `place` is its path.
pub(super) fn parse(text: &str, place: &str) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        ConfigError::new(format!("{place}:{}", line_of(text, at)), message(error.message()))
    })
}

/// The line, from 1, of a byte offset.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The message of an unknown key, with the nearest known one.
fn message(original: &str) -> String {
    let mut quoted = original.split('`').skip(1).step_by(2);
    let (true, Some(unknown)) = (original.starts_with("unknown field"), quoted.next()) else {
        return original.to_owned();
    };
    let known: Vec<&str> = quoted.collect();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(unknown, name);
    match known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(near) if likeness(near) > 0.5 => {
            format!("unknown key `{unknown}`; did you mean `{near}`?")
        }
        _ => format!("unknown key `{unknown}`; known here: {}", known.join(", ")),
    }
}
