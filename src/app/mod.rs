//! What the screen is about: pure state. Knows the domain; no I/O, no async, no clock, no drawing.
//!
//! Keys and events go in, effects come out; times are handed in.

pub mod action;
pub mod input;
pub mod keymap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::Event;
use action::{Action, Context};

pub use input::{Dirty, Effect, Input, Key, QuitHow};
pub use keymap::{Keymap, KeymapError};

/// What a face tells the app about itself at the start.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// Columns of the screen.
    pub cols: u16,
    /// Rows of the screen.
    pub rows: u16,
    /// Which key does what.
    pub keymap: Keymap,
    /// The zone in which times of day are shown.
    pub time_zone: TimeZone,
}

impl Default for AppOptions {
    fn default() -> Self {
        AppOptions { cols: 80, rows: 24, keymap: Keymap::default(), time_zone: TimeZone::UTC }
    }
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    options: AppOptions,
    now: Timestamp,
    dirty: Dirty,
}

impl App {
    /// An empty screen that waits for the engine's snapshot.
    pub fn new(now: Timestamp, options: AppOptions) -> App {
        App { options, now, dirty: Dirty::Now }
    }

    /// Takes one thing that the terminal reported; returns what is to be done.
    pub fn on_input(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        self.dirty = Dirty::Now;
        match input {
            Input::Key(key) => {
                let key = Key::new(key.code, key.modifiers);
                match self.options.keymap.find(&[Context::Jobs, Context::Everywhere], key) {
                    Some(Action::Quit) => vec![Effect::Quit(QuitHow::Drain)],
                    Some(Action::Suspend) => vec![Effect::Suspend],
                    Some(Action::Repaint) => vec![Effect::Repaint],
                    _ => Vec::new(),
                }
            }
            Input::Resize { cols, rows } => {
                (self.options.cols, self.options.rows) = (cols, rows);
                Vec::new()
            }
            Input::Paste(_) | Input::FocusGained | Input::FocusLost => Vec::new(),
        }
    }

    /// Takes one thing that the engine told.
    pub fn on_event(&mut self, _event: Event, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        self.dirty = self.dirty.max(Dirty::Background);
        Vec::new()
    }

    /// Takes the time that [`App::next_tick`] asked for.
    pub fn on_tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        Vec::new()
    }

    /// When a visible clock changes next, or something is due; `None`: nothing moves with time.
    pub fn next_tick(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// Whether the screen must be drawn again, and how soon; asking clears it.
    pub fn take_dirty(&mut self) -> Dirty {
        std::mem::take(&mut self.dirty)
    }

    /// The time the screen shows.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}
