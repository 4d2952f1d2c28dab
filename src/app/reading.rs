//! What the panes read of the state.
//!
//! Changes nothing. Must not know how any of it is drawn.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::App;
use super::compose::Compose;
use super::geometry::{Pane, Panes};
use super::jobs::Jobs;
use super::keymap::Keymap;
use super::line::Line;
use super::news::News;
use super::notice::Notices;
use super::overlay::{Overlay, Scroll};
use super::story::Story;
use super::views::View;
use crate::domain::finish::Finish;
use crate::domain::message::{AccountRow, Offer, Spend};
use crate::domain::timing::Timing;
use crate::domain::{JobState, ModelRef, Money};

impl App {
    /// The time the screen shows.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a command is set that opens clips.
    pub fn opens(&self) -> bool {
        self.options.opens
    }

    /// The user's own views.
    pub fn views(&self) -> &[View] {
        &self.options.views
    }

    /// The screen's size in columns and rows.
    pub fn size(&self) -> (u16, u16) {
        (self.options.cols, self.options.rows)
    }

    /// Where the panes lie; `None`: the screen is too small.
    pub fn panes(&self) -> Option<Panes> {
        self.panes
    }

    /// Which key does what.
    pub fn keymap(&self) -> &Keymap {
        &self.options.keymap
    }

    /// The zone in which times of day are shown.
    pub fn time_zone(&self) -> &TimeZone {
        &self.options.time_zone
    }

    /// Whether the engine's snapshot came.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Whether the window is looked at, as far as the terminal says.
    pub fn is_looked_at(&self) -> bool {
        self.is_looked_at
    }

    /// The pane with the focus.
    pub fn focus(&self) -> Pane {
        self.focus
    }

    /// The table.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The filter while it is typed.
    pub fn filtering(&self) -> Option<&Line> {
        self.filtering.as_ref().map(|(line, _)| line)
    }

    /// The form.
    pub fn compose(&self) -> &Compose {
        &self.compose
    }

    /// How far the model's pane is scrolled.
    pub fn model_scroll(&self) -> &Scroll {
        &self.model_scroll
    }

    /// The story of the selected job.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// The paths and links that the details on top show.
    pub fn places(&self) -> Vec<String> {
        match (self.overlays.last(), self.story.detail()) {
            (Some(Overlay::Detail { id, .. }), Some(detail)) if detail.job.id == *id => self.story.places(),
            _ => Vec::new(),
        }
    }

    /// What lies over the panes, the topmost last.
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    /// The notices.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The accounts.
    pub fn accounts(&self) -> &[AccountRow] {
        &self.accounts
    }

    /// By how much what is queued exceeds what accounts hold.
    pub fn shortfalls(&self) -> Vec<(String, Money)> {
        self.jobs.counts().wanted().shortfalls(&self.accounts)
    }

    /// What was spent.
    pub fn spend(&self) -> &Spend {
        &self.spend
    }

    /// When the queue ends, where anything is known of it.
    pub fn finish(&self) -> Option<Finish> {
        self.outlook.finish()
    }

    /// How long a model takes, where anything is known of it.
    pub fn timing(&self, model: &ModelRef) -> Option<Timing> {
        self.timings.of(&model.account, &model.model)
    }

    /// Every model of every account.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// What changed of a model since the screen was opened.
    pub fn news(&self, model: &ModelRef) -> Option<News> {
        self.news.get(model).copied()
    }

    /// The line that says that the services are simulated.
    pub fn simulated(&self) -> Option<&str> {
        self.simulated.as_deref()
    }

    /// Who holds the data directory, when it is not us.
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// What waits for the user: unconfirmed, failed, held and late jobs, and paused accounts.
    pub fn needs_you(&self) -> usize {
        self.jobs.counts().needy() + self.accounts.iter().filter(|account| account.pause.is_some()).count()
    }

    /// Paid answers and downloads that are still open: orders being answered, clips on their way.
    pub fn still_open(&self) -> (usize, usize) {
        let counts = self.jobs.counts();
        (counts.of(JobState::Submitting), counts.of(JobState::Downloading))
    }
}
