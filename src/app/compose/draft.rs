//! The draft: what is kept on disk of the form, so that neither a crash nor a quit loses any of it.
//!
//! Knows when it is to be saved and how it is taken up again. Must not know where it is kept.

use jiff::{SignedDuration, Timestamp};

use super::{Compose, Form, Line, MAX_COPIES, Offer, Prompt, Spot};
use crate::domain::message::Draft;

/// How long the form must rest before its draft is saved, ms.
const REST_MS: i64 = 1_500;
/// How long a draft is unsaved at most, ms, while the form does not rest.
const UNSAVED_MS: i64 = 10_000;

impl Compose {
    /// Takes up a draft, where nothing was typed yet.
    pub fn restore(&mut self, draft: Draft) {
        if self.edited_at.is_none() && self.prompt.is_empty() {
            self.load(draft);
        }
    }

    /// Puts a draft into the form. The prompt before it can be had back by undo.
    pub fn reuse(&mut self, draft: Draft, now: Timestamp) {
        let text = draft.prompt.clone();
        self.before = None;
        self.load(Draft { prompt: String::new(), ..draft });
        self.prompt.replace(&text);
        self.spot = Spot::Prompt;
        self.edited(now);
    }

    fn load(&mut self, draft: Draft) {
        if !draft.prompt.is_empty() {
            self.prompt = Prompt::new(&draft.prompt);
        }
        self.copies = draft.copies.clamp(1, MAX_COPIES);
        self.ceiling = Line::new(draft.ceiling);
        self.stand_beside(draft.others);
        if let Some(offer) = self.offers.iter().find(|offer| offer.model_ref().to_string() == draft.model) {
            self.form.choose(offer.clone());
        } else if !draft.model.is_empty() {
            self.form = Form::default();
            self.wanted = draft.model;
        }
        self.form.restore(draft.params);
    }

    /// What is to be kept so that a crash loses nothing.
    pub fn draft(&self) -> Draft {
        Draft {
            prompt: self.prompt.text(),
            model: self.model_name(),
            params: self.form.remembered(),
            copies: self.copies,
            others: self.other_names(),
            ceiling: self.ceiling.text().to_owned(),
        }
    }

    /// The models beside the chosen one, whether they are on offer now or not.
    pub(super) fn other_names(&self) -> Vec<String> {
        self.others.iter().map(|offer| offer.model_ref().to_string()).chain(self.others_wanted.clone()).collect()
    }

    /// Puts these models beside the chosen one; those that are not on offer wait until they are.
    pub(super) fn stand_beside(&mut self, names: Vec<String>) {
        let found = |name: &String| -> Option<Offer> {
            self.offers.iter().find(|offer| offer.model_ref().to_string() == *name).cloned()
        };
        let others = names.iter().filter_map(found).collect();
        let wanted = names.iter().filter(|name| found(name).is_none()).cloned().collect();
        (self.others, self.others_wanted) = (others, wanted);
    }

    /// When the draft is to be saved, if it changed.
    pub fn save_due(&self) -> Option<Timestamp> {
        let rest = self.edited_at? + SignedDuration::from_millis(REST_MS);
        let late = self.unsaved_since.map(|at| at + SignedDuration::from_millis(UNSAVED_MS));
        Some(late.map_or(rest, |late| late.min(rest)))
    }

    /// The draft, if it changed since it was taken last.
    pub fn take_draft(&mut self) -> Option<Draft> {
        self.unsaved_since = None;
        self.edited_at.take().map(|_| self.draft())
    }
}
