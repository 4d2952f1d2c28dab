//! What the config says of the line to the terminal: how much moves by itself, what is sent beside the screen.
//!
//! Knows the words. Must not know what they lead to.

use serde::Deserialize;

/// How much the screen moves by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thrift {
    /// Every change, at most ten frames a second.
    #[default]
    Full,
    /// At most one frame a second.
    Calm,
    /// At most one frame in five seconds, in coarse steps.
    Frugal,
}

/// Whether the terminal's clipboard is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clipboard {
    /// Where `TERM` does not say that there is none.
    #[default]
    Auto,
    /// By OSC 52, whatever `TERM` says.
    Osc52,
    /// Never.
    Off,
}

/// Whether paths and links are marked as links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// Where `TERM` does not say that it cannot be.
    #[default]
    Auto,
    /// By OSC 8.
    On,
    /// Never.
    Off,
}

/// How the user is called when all work is done or a job waits for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// By the terminal's bell.
    Bell,
    /// By OSC 9.
    Osc9,
    /// By OSC 777.
    Osc777,
    /// By a shell command, which gets the sentence as its first parameter.
    Command(String),
}

impl TryFrom<toml::Value> for Notify {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let wrong = |shown: &str| {
            format!("`{shown}` is not one of off, bell, osc9, osc777, or {{ command = \"notify-send \\\"$1\\\"\" }}")
        };
        if let Some(word) = value.as_str() {
            return match word {
                "off" => Ok(Notify::Off),
                "bell" => Ok(Notify::Bell),
                "osc9" => Ok(Notify::Osc9),
                "osc777" => Ok(Notify::Osc777),
                _ => Err(wrong(word)),
            };
        }
        let command =
            value.as_table().filter(|table| table.len() == 1).and_then(|table| table.get("command")?.as_str());
        command.map(|command| Notify::Command(command.to_owned())).ok_or_else(|| wrong(&value.to_string()))
    }
}
