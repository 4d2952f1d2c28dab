//! What goes to the terminal beside the screen: its clipboard, its bell, its notifications; through tmux and screen, too.
//!
//! Knows these sequences and how a multiplexer wants them wrapped. Must not know who asks for them.

use std::process::{Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest piece that `screen` passes on in one device control string, bytes; it drops what is longer.
const SCREEN_PIECE: usize = 240;
/// The longest notification, characters.
const LONGEST: usize = 200;

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Between {
    /// Nothing.
    #[default]
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// How the user is called back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Call {
    /// Not at all.
    #[default]
    Off,
    /// By the bell.
    Bell,
    /// By OSC 9: iTerm2, Windows Terminal, ConEmu, foot, WezTerm, Ghostty.
    Osc9,
    /// By OSC 777: urxvt, foot, WezTerm, Ghostty, VTE.
    Osc777,
    /// By a shell command, with the sentence as its first parameter.
    Command(String),
}

/// What the terminal does beside showing cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// What stands between.
    pub between: Between,
    /// How the user is called.
    pub call: Call,
    /// Whether links are marked as links (OSC 8).
    pub links: bool,
    /// This machine's name, for links to its files.
    pub host: String,
    /// Whether the mouse is listened to.
    pub mouse: bool,
}

impl Beside {
    /// The bytes that put `text` into the terminal's clipboard (OSC 52), to be written between frames.
    pub fn copy(&self, text: &str) -> Vec<u8> {
        let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
        // Both ways: the multiplexer's own, and the one through it; its settings say which is open.
        let own = if self.between == Between::Nothing { "" } else { &plain };
        format!("{own}{}", self.between.wrap(&plain)).into_bytes()
    }

    /// Calls the user: the bytes for the terminal, if it is told. A command runs beside, nobody waits for it.
    pub fn call(&self, sentence: &str) -> Vec<u8> {
        let words: String = sentence.chars().filter(|c| !c.is_control() && *c != ';').take(LONGEST).collect();
        match &self.call {
            Call::Off => Vec::new(),
            Call::Bell => b"\x07".to_vec(),
            Call::Osc9 => self.between.wrap(&format!("\x1b]9;{words}\x07")).into_bytes(),
            Call::Osc777 => self.between.wrap(&format!("\x1b]777;notify;rushes;{words}\x07")).into_bytes(),
            Call::Command(command) => {
                run(command, &words);
                Vec::new()
            }
        }
    }
}

/// Starts the user's command and forgets it; a thread waits for its end, so that no zombie stays.
fn run(command: &str, words: &str) {
    let child = Command::new("/bin/sh")
        .args(["-c", command, "rushes", words])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(mut child) => drop(thread::Builder::new().name("notify".into()).spawn(move || child.wait())),
        Err(error) => tracing::warn!("the notify command cannot be started: {error}"),
    }
}

impl Between {
    /// A sequence in the clothes in which it passes.
    fn wrap(self, sequence: &str) -> String {
        match self {
            Between::Nothing => sequence.to_owned(),
            // tmux takes the escapes of what it passes on doubled.
            Between::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Between::Screen => {
                // All of it is ASCII but the words of a notification, which are cut at characters.
                let mut pieces = vec![String::new()];
                for c in sequence.chars() {
                    if pieces.last().is_some_and(|piece| piece.len() + c.len_utf8() > SCREEN_PIECE) {
                        pieces.push(String::new());
                    }
                    if let Some(piece) = pieces.last_mut() {
                        piece.push(c);
                    }
                }
                pieces.iter().map(|piece| format!("\x1bP{piece}\x1b\\")).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(between: Between, call: Call) -> Beside {
        Beside { between, call, ..Beside::default() }
    }

    fn copied(between: Between, text: &str) -> String {
        String::from_utf8(beside(between, Call::Off).copy(text)).unwrap()
    }

    #[test]
    fn copying_passes_tmux_and_screen() {
        assert_eq!(copied(Between::Nothing, "hi"), "\x1b]52;c;aGk=\x07");
        assert_eq!(copied(Between::Tmux, "hi"), "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert_eq!(copied(Between::Screen, "hi"), "\x1b]52;c;aGk=\x07\x1bP\x1b]52;c;aGk=\x07\x1b\\");
        let long = copied(Between::Screen, &"a clip's path ".repeat(100));
        let plain = copied(Between::Nothing, &"a clip's path ".repeat(100));
        let long = long.strip_prefix(&plain).unwrap();
        let pieces: Vec<&str> =
            long.split_terminator("\x1b\\").map(|piece| piece.strip_prefix("\x1bP").unwrap()).collect();
        assert!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() <= SCREEN_PIECE), "{pieces:?}");
        assert_eq!(pieces.concat(), plain);
    }

    #[test]
    fn a_call_is_a_bell_or_a_sentence_and_steers_nothing() {
        let said = |call, words: &str| String::from_utf8(beside(Between::Nothing, call).call(words)).unwrap();
        assert_eq!(said(Call::Off, "x"), "");
        assert_eq!(said(Call::Bell, "x"), "\x07");
        assert_eq!(said(Call::Osc9, "3 done\x1b\\;\x07"), "\x1b]9;3 done\\\x07");
        assert_eq!(said(Call::Osc777, "3 done"), "\x1b]777;notify;rushes;3 done\x07");
        let inside = beside(Between::Tmux, Call::Osc9).call("3 done");
        assert_eq!(inside, b"\x1bPtmux;\x1b\x1b]9;3 done\x07\x1b\\");
    }

    #[test]
    fn a_command_gets_the_sentence_as_its_parameter() {
        let dir = tempfile::tempdir().unwrap();
        // A pipe by name: opening it waits for the writer.
        let told = dir.path().join("told");
        let made = Command::new("mkfifo").arg(&told).status().unwrap();
        assert!(made.success());
        let command = format!("printf %s \"$1\" > '{}'", told.display());
        assert_eq!(beside(Between::Nothing, Call::Command(command)).call("2 done; $(x)"), b"");
        assert_eq!(std::fs::read_to_string(&told).unwrap(), "2 done $(x)");
    }
}
