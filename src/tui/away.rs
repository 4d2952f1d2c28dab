//! While somebody else has the terminal: the user's editor, or the shell after a stop; and the signals that say so.
//!
//! Knows what is given back and taken again. Must not know what is drawn.

use std::time::Instant;

use super::editor::{self, Edited};
use super::signals::{Caught, Signals};
use super::{Ended, Face, RESIZE, terminal};
use crate::app::Input;
use crate::domain::message::Level;

impl Face {
    pub(super) fn signal(&mut self, caught: Caught) {
        match caught {
            Caught::Stop(number) => self.end(Ended::Signal(number)),
            Caught::Suspend => self.suspend(),
            Caught::Continued => {
                // Stopped from outside: the shell may have set the line as it likes it.
                terminal::restore();
                self.resume();
            }
            // A window being dragged is some sizes a second, not hundreds.
            Caught::Resized => {
                let now = Instant::now();
                self.resize_due.get_or_insert(self.resized.map_or(now, |last| now.max(last + RESIZE)));
            }
        }
    }

    /// Gives terminal and text to the user's editor until it ends. The engine works on meanwhile.
    pub(super) async fn edit(&mut self, text: &str, signals: &mut Signals<'_>) {
        // A frame that is on its way is not to be drawn over the editor's screen.
        while self.output.is_busy() && self.ended.is_none() {
            tokio::select! {
                biased;
                caught = signals.next() => self.signal(caught),
                written = self.output.written() => self.written(written),
            }
        }
        let Some(scratch) = self.scratch.as_ref().filter(|_| self.ended.is_none()) else { return };
        terminal::restore();
        let edited = editor::edit(&self.editor, text, scratch, signals).await;
        self.resume();
        match edited {
            Edited::Text(text) => self.input(Input::Edited(text)),
            Edited::Failed(text) => self.tell(Level::Warning, text),
            Edited::Signal(number) => self.end(Ended::Signal(number)),
        }
    }

    pub(super) fn suspend(&mut self) {
        if self.session.suspend() {
            self.suspended = true;
        } else {
            self.tell(Level::Info, "There is no shell here to suspend to.".to_owned());
        }
    }

    pub(super) fn resume(&mut self) {
        if self.session.resume().is_err() {
            return self.end(Ended::TerminalGone);
        }
        self.waiting = self.session.opening();
        self.resize();
    }
}
