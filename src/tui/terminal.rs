//! The terminal as we found it, as we use it, and back again.
//!
//! Knows the modes we switch on and the one way to undo them, for leaving, panics, signals and suspending. Must not
//! know what is drawn. ratatui's own `init` and `restore` know neither pastes, focus, signals nor stalled lines.

use std::fmt;
use std::io::{self, IsTerminal};
use std::panic;
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::Command;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};

use super::output;

/// Largest screen that is drawn, in cells; what is beyond stays empty.
const MAX_SIZE: (u16, u16) = (1000, 500);

/// Whether mouse reports were switched on.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Why the dashboard can not have the terminal.
#[derive(Debug)]
pub enum TerminalError {
    /// Standard input or output is not a terminal.
    NotATerminal,
    /// `TERM` says that the terminal can not place text.
    Dumb,
    /// The system refused something.
    System(io::Error),
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TerminalError::NotATerminal => f.write_str(
                "the dashboard needs a terminal for its input and output: run `rushes run` to work the queue without one",
            ),
            TerminalError::Dumb => f.write_str(
                "the terminal cannot place text (TERM=dumb): set TERM, or run `rushes run` to work the queue without it",
            ),
            TerminalError::System(error) => write!(f, "cannot use the terminal: {error}"),
        }
    }
}

impl std::error::Error for TerminalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TerminalError::System(error) => Some(error),
            TerminalError::NotATerminal | TerminalError::Dumb => None,
        }
    }
}

impl From<io::Error> for TerminalError {
    fn from(error: io::Error) -> Self {
        TerminalError::System(error)
    }
}

/// The terminal, ours while this lives.
#[derive(Debug)]
pub struct Session {
    /// Whether the mouse is listened to.
    mouse: bool,
}

impl Session {
    /// Takes the terminal: line settings, alternate screen, pastes and focus reported, no cursor. From here on a
    /// panic on any thread gives the terminal back, says what happened and where `log` is, and ends with 101.
    ///
    /// # Errors
    /// When there is no terminal, or it is gone.
    pub fn enter(mouse: bool, log: Option<PathBuf>) -> Result<Session, TerminalError> {
        check()?;
        report_panics(log);
        let session = Session { mouse };
        session.resume()?;
        Ok(session)
    }

    /// Sets the line to raw. The screen's own modes are in [`Session::opening`], to be written before a frame.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&self) -> Result<(), TerminalError> {
        enable_raw_mode()?;
        output::set_ours(true);
        Ok(())
    }

    /// The bytes that open our screen.
    pub fn opening(&self) -> Vec<u8> {
        let mut text = String::new();
        say(&mut text, EnterAlternateScreen);
        say(&mut text, EnableBracketedPaste);
        say(&mut text, EnableFocusChange);
        say(&mut text, Hide);
        if self.mouse {
            // Presses and the wheel only: a report of every move would flood a slow line.
            text.push_str("\x1b[?1000h\x1b[?1006h");
            MOUSE.store(true, Ordering::SeqCst);
        }
        text.into_bytes()
    }

    /// Gives the terminal back and stops the process until it is continued, like any program does at Ctrl-Z.
    /// False, and nothing done, where there is no shell that could continue it.
    pub fn suspend(&self) -> bool {
        // In the session's own first group there is no job control: nobody would ever continue us.
        if getsid(None).is_ok_and(|session| session == getpgrp()) {
            return false;
        }
        restore();
        // The whole group, so that a wrapper around us stops too; not TSTP, which we catch ourselves.
        kill_current_process_group(Signal::STOP).is_ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether there is a terminal that can show the dashboard; asks the system only.
///
/// # Errors
/// [`TerminalError::NotATerminal`] or [`TerminalError::Dumb`].
pub fn check() -> Result<(), TerminalError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(TerminalError::NotATerminal);
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(TerminalError::Dumb);
    }
    Ok(())
}

/// Gives the terminal back as it was. Does nothing the second time; every step is tried, whatever became of the
/// one before.
pub fn restore() {
    if !output::set_ours(false) {
        return;
    }
    let mut text = String::new();
    say(&mut text, EndSynchronizedUpdate);
    say(&mut text, SetAttribute(Attribute::Reset));
    if MOUSE.swap(false, Ordering::SeqCst) {
        text.push_str("\x1b[?1006l\x1b[?1000l");
    }
    say(&mut text, DisableFocusChange);
    say(&mut text, DisableBracketedPaste);
    say(&mut text, LeaveAlternateScreen);
    say(&mut text, Show);
    output::write_last(text.as_bytes());
    let _ = disable_raw_mode();
}

/// The screen's size in columns and rows, asked of the system, never of the terminal.
pub fn size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.min(MAX_SIZE.0), size.ws_row.min(MAX_SIZE.1)),
        _ => (80, 24),
    }
}

fn say(text: &mut String, command: impl Command) {
    // Writing to a string can not fail.
    let _ = command.write_ansi(text);
}

fn report_panics(log: Option<PathBuf>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(move |info| {
            tracing::error!("{info}");
            restore();
            let log = log.as_ref().map(|path| format!(" The log is {}.", path.display())).unwrap_or_default();
            output::say(&format!(
                "rushes ended because of a fault in the program: {info}\nWhat was ordered is on disk: start it again \
                 and it goes on.{log}"
            ));
            // A dashboard of which one thread is dead would be a lie: all of it ends.
            std::process::exit(101);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do_next() {
        assert!(TerminalError::NotATerminal.to_string().contains("rushes run"));
        assert!(TerminalError::Dumb.to_string().contains("TERM"));
    }
}
