//! What the screen is about: pure state. Knows the domain; no I/O, no async, no clock, no drawing.
//!
//! Keys and events go in, effects come out; times are handed in.

pub mod action;
pub mod attention;
pub mod cheapest;
mod classify;
pub mod clock;
pub mod compose;
pub mod counts;
mod events;
mod extend;
mod fields;
pub mod filter;
pub mod finder;
pub mod form;
mod fuzzy;
pub mod geometry;
pub mod input;
pub mod jobs;
pub mod keymap;
mod keys;
mod leave;
pub mod line;
pub mod lines;
pub mod more;
mod mouse;
pub mod news;
pub mod notice;
pub mod order;
mod outlook;
pub mod overlay;
pub mod palette;
pub mod picker;
pub mod quote;
mod reading;
pub mod story;
mod table;
pub mod tabs;
pub mod thrift;
pub mod tips;
mod typing;
mod verbs;
pub mod views;
pub mod wait;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::message::{AccountRow, Command, Event, Level, Offer, Spend, Ticket};
use crate::domain::timing::Timings;
use crate::domain::{ModelRef, Money, NewJob};
use attention::Attention;
use compose::Compose;
use geometry::{Pane, Panes};
use jobs::Jobs;
use line::Line;
use news::News;
use notice::Notices;
use outlook::Outlook;
use overlay::{Ask, Overlay, Scroll};
use story::Story;
use table::Copied;
use thrift::Thrift;

pub use input::{Dirty, Effect, Input, Key, QuitHow};
pub use keymap::{Keymap, KeymapError};
pub use verbs::may_be_retried;
pub use views::View;

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
    /// The sum in dollars above which queueing is asked about first; `None` never.
    pub ask_above: Option<Money>,
    /// How much the screen moves by itself.
    pub thrift: Thrift,
    /// Whether there is a clipboard to copy to.
    pub copies: bool,
    /// Whether the user wants to be called when work is done.
    pub calls: bool,
    /// The user's own views of the table.
    pub views: Vec<View>,
    /// Whether a command is set that opens clips.
    pub opens: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        AppOptions {
            cols: 80,
            rows: 24,
            keymap: Keymap::default(),
            time_zone: TimeZone::UTC,
            ask_above: None,
            thrift: Thrift::Full,
            copies: true,
            calls: false,
            views: Vec::new(),
            opens: false,
        }
    }
}

/// What a command was sent for, until it is answered.
#[derive(Clone, Debug, PartialEq)]
enum Waiting {
    /// A verb on jobs, in the past tense, for the notice.
    Verb(&'static str),
    /// The form was queued, as these jobs.
    Queue(Vec<NewJob>),
    /// The story of a job.
    Story,
    /// This of a job is to be copied.
    Copy(Copied),
    /// The job's clip, or its folder, is to be opened.
    Open {
        /// The folder.
        folder: bool,
    },
    /// The job is to be put into the form.
    Reuse,
    /// The job's clip is to be gone on from.
    Extend,
    /// A difference was named so.
    Classified(String),
    /// Whether the files that the form names are there.
    Files,
    /// Nothing is said when it went well.
    Quiet,
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    options: AppOptions,
    now: Timestamp,
    dirty: Dirty,
    /// When the day ends that the table was told of.
    tomorrow: Option<Timestamp>,
    is_ready: bool,
    is_looked_at: bool,
    /// Whether the terminal has ever said that it is, or is not.
    tells_focus: bool,
    attention: Attention,
    focus: Pane,
    panes: Option<Panes>,
    jobs: Jobs,
    /// The filter while it is typed, and the one before it.
    filtering: Option<(Line, String)>,
    compose: Compose,
    model_scroll: Scroll,
    story: Story,
    overlays: Vec<Overlay>,
    notices: Notices,
    accounts: Vec<AccountRow>,
    spend: Spend,
    offers: Arc<Vec<Offer>>,
    news: HashMap<ModelRef, News>,
    timings: Timings,
    outlook: Outlook,
    simulated: Option<String>,
    read_only: Option<String>,
    /// What was queued last, and as which jobs.
    last_queued: Option<(Vec<NewJob>, String)>,
    /// What was refused for the size of its pictures alone, and the question that the next try asks.
    too_large: Option<(Vec<NewJob>, Ask)>,
    /// The key that answered a question last, and when.
    answered_by: Option<(Key, Timestamp)>,
    /// When a question ended by itself, or the last key after that was meant for it.
    ended_at: Option<Timestamp>,
    last_ticket: Ticket,
    waiting: HashMap<Ticket, Waiting>,
}

impl App {
    /// An empty screen that waits for the engine's snapshot.
    pub fn new(now: Timestamp, options: AppOptions) -> App {
        let mut app = App {
            options,
            now,
            dirty: Dirty::Now,
            tomorrow: None,
            is_ready: false,
            is_looked_at: true,
            tells_focus: false,
            attention: Attention::default(),
            focus: Pane::Jobs,
            panes: None,
            jobs: Jobs::default(),
            filtering: None,
            compose: Compose::default(),
            model_scroll: Scroll::default(),
            story: Story::default(),
            overlays: Vec::new(),
            notices: Notices::default(),
            accounts: Vec::new(),
            spend: Spend::default(),
            offers: Arc::default(),
            news: HashMap::new(),
            timings: Timings::default(),
            outlook: Outlook::default(),
            simulated: None,
            read_only: None,
            last_queued: None,
            too_large: None,
            answered_by: None,
            ended_at: None,
            last_ticket: 0,
            waiting: HashMap::new(),
        };
        app.lay_out();
        app
    }

    /// Takes one thing that the terminal reported; returns what is to be done.
    pub fn on_input(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        self.dirty = Dirty::Now;
        let mut effects = match input {
            Input::Key(key) => self.press(Key::new(key.code, key.modifiers)),
            Input::Paste(text) => self.paste(&text),
            Input::Edited(text) => self.edited_outside(&text),
            Input::Resize { cols, rows } => {
                (self.options.cols, self.options.rows) = (cols, rows);
                self.lay_out();
                Vec::new()
            }
            Input::FocusGained | Input::FocusLost => {
                self.is_looked_at = input == Input::FocusGained;
                self.tells_focus = true;
                Vec::new()
            }
            Input::Click { x, y } => self.click(x, y),
            Input::Wheel { x, y, down } => {
                self.wheel(x, y, down);
                Vec::new()
            }
        };
        self.follow_story();
        effects.extend(self.check_files());
        effects
    }

    /// Takes one thing that the engine told.
    pub fn on_event(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        let effects = self.take(event);
        self.follow_story();
        self.look_ahead();
        effects
    }

    /// Takes the time that [`App::next_tick`] asked for.
    pub fn on_tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let before = std::mem::replace(&mut self.now, now);
        let clocks = self.next_clock(before).is_some_and(|due| now >= due);
        if self.notices.expire(now) || clocks {
            self.touch();
        }
        self.turn_day();
        self.look_ahead();
        let mut effects = Vec::new();
        if let Some(sentence) = self.attention.take(now).filter(|_| !(self.tells_focus && self.is_looked_at)) {
            effects.push(Effect::Call(sentence));
        }
        if self.compose.save_due().is_some_and(|due| now >= due) {
            effects.extend(self.save_draft());
        }
        let shown = self.story.shown();
        if let Some(id) = self.story.take_due(now) {
            if self.story.shown() != shown {
                self.touch();
            }
            let effect = self.send(Command::Inspect { id }, Waiting::Story);
            self.story.asked(self.last_ticket);
            effects.push(effect);
        }
        effects
    }

    /// When a visible clock changes next, or something is due; `None`: nothing moves with time.
    pub fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        let due = [
            self.next_clock(now),
            self.notices.due(),
            self.compose.save_due(),
            self.story.due(),
            self.outlook.due(),
            self.attention.due(),
            self.day_end(),
        ];
        due.into_iter().flatten().min()
    }

    /// Whether the screen must be drawn again, and how soon; asking clears it.
    pub fn take_dirty(&mut self) -> Dirty {
        std::mem::take(&mut self.dirty)
    }

    /// When a clock on the screen changes next: of the rows in the window only.
    fn next_clock(&self, now: Timestamp) -> Option<Timestamp> {
        let panes = self.panes?;
        panes.jobs?;
        let selected = self.jobs.selected().map(|row| row.id);
        let rows = self.jobs.window(panes.table_lines()).filter_map(jobs::Line::job);
        let running = rows.filter(|row| clock::runs(row));
        running.map(|row| self.clock_change(now, Some(row.id) == selected)).min()
    }

    /// Lays the panes out for the size and the focus there are now.
    fn lay_out(&mut self) {
        self.panes = Panes::lay(self.options.cols, self.options.rows, self.focus);
        self.jobs.set_page(self.panes.map_or(0, |panes| if panes.jobs.is_some() { panes.table_lines() } else { 0 }));
    }

    /// Asks for the story that the screen shows now, if it shows one.
    fn follow_story(&mut self) {
        let open = self.overlays.iter().rev().find_map(|overlay| match overlay {
            Overlay::Detail { id, .. } => Some(*id),
            _ => None,
        });
        let below = self.panes.filter(|p| p.story > 0).and_then(|_| self.jobs.selected()).map(|row| row.id);
        self.story.want(open.or(below), self.now);
    }

    fn touch(&mut self) {
        self.dirty = self.dirty.max(Dirty::Background);
    }

    fn send(&mut self, command: Command, waiting: Waiting) -> Effect {
        self.last_ticket += 1;
        self.waiting.insert(self.last_ticket, waiting);
        Effect::Send { ticket: self.last_ticket, command }
    }

    fn save_draft(&mut self) -> Option<Effect> {
        let draft = self.compose.take_draft()?;
        self.read_only.is_none().then(|| self.send(Command::SaveDraft { draft }, Waiting::Quiet))
    }

    /// Asks about the files that the form names, once their field was left.
    fn check_files(&mut self) -> Option<Effect> {
        let in_form = self.focus == Pane::Compose;
        let job = self.compose.files_to_check(in_form).filter(|_| self.read_only.is_none())?;
        let effect = self.send(Command::CheckFiles { job: Box::new(job) }, Waiting::Files);
        self.compose.asked_about_files(self.last_ticket);
        Some(effect)
    }

    fn say(&mut self, level: Level, text: impl AsRef<str>) {
        self.notices.add(level, text.as_ref(), self.now);
        self.touch();
    }

    fn check_form(&mut self) {
        self.compose.check(&self.accounts, &self.spend);
    }
}
