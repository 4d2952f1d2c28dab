//! Writing: data to standard output, prose to standard error, nothing that steers a terminal.
//!
//! Knows the two streams. Must not know what is written.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::domain::text::is_hidden;

/// The two streams.
pub struct Out {
    /// Whether standard output is still read by somebody.
    heard: bool,
}

impl Default for Out {
    fn default() -> Self {
        Out { heard: true }
    }
}

impl Out {
    /// Writes a line of data. A reader that has gone ends the data, not the program.
    pub fn line(&mut self, line: impl Display) {
        if self.heard {
            let mut out = io::stdout().lock();
            self.heard = writeln!(out, "{line}").and_then(|()| out.flush()).is_ok();
        }
    }

    /// Writes a value as one line of JSON.
    pub fn json(&mut self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(harmless(&text)),
            Err(error) => self.say(format_args!("cannot be written as JSON: {error}")),
        }
    }

    /// Writes a line for people to standard error, without what steers a terminal.
    pub fn say(&self, line: impl Display) {
        let text = line.to_string();
        let clean: String = text.chars().filter(|c| *c == '\n' || !is_hidden(*c)).collect();
        // There is nobody left to tell when this fails.
        let _ = writeln!(io::stderr().lock(), "{clean}");
    }

    /// Whether standard output is a terminal.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }
}

/// Sends the program's own trace to standard error: 1 says what happens, 2 and more how.
pub fn trace(verbose: u8) {
    // A second subscriber is refused; the first one stays.
    let _ = tracing_subscriber::fmt().with_env_filter(only_ours(verbose)).with_writer(io::stderr).try_init();
}

/// Sends the program's own trace to a file, where standard error is the dashboard's screen.
pub fn trace_to(file: std::fs::File, verbose: u8) {
    let writer = std::sync::Mutex::new(file);
    let _ =
        tracing_subscriber::fmt().with_env_filter(only_ours(verbose)).with_ansi(false).with_writer(writer).try_init();
}

fn only_ours(verbose: u8) -> tracing_subscriber::EnvFilter {
    let level = if verbose > 1 { tracing::Level::DEBUG } else { tracing::Level::INFO };
    tracing_subscriber::EnvFilter::new(format!("rushes={level}"))
}

/// JSON text with every character escaped that steers a terminal or hides text; still the same JSON.
fn harmless(json: &str) -> String {
    if !json.chars().any(is_hidden) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out += &format!("\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Columns padded to the widest cell of each, the last one left as it is.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            line += cell;
            if i + 1 < row.len() {
                line += &" ".repeat(widths.get(i).map_or(0, |w| w.saturating_sub(cell.width())) + 2);
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_and_steers_no_terminal() {
        let value = serde_json::json!({"a": "x\u{9b}31m\u{202e}\u{e0041}é"});
        let text = harmless(&value.to_string());
        assert!(!text.chars().any(is_hidden), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn columns_line_up_by_width_on_screen() {
        let rows = [vec!["日本".into(), "b".into()], vec!["a".into(), "cc".into()]];
        assert_eq!(table(&rows), ["日本  b", "a     cc"]);
    }
}
