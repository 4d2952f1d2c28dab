//! The form that makes new jobs: prompt, model, fields, copies, live problems and the price.
//!
//! Knows what was typed and whether it may be queued; it is cleared only when the engine has it on
//! disk. Must not know the panes, nor the text area, which is [`prompt`]'s.

mod cheaply;
mod draft;
mod files;
mod onward;
mod orders;
mod others;
pub mod prompt;

use std::sync::Arc;

use crossterm::event::KeyCode;
use jiff::Timestamp;

use super::form::{Entry, Form};
use super::input::Key;
use super::line::Line;
use super::quote::Quote;
use crate::domain::message::{NewJob, Offer, Ticket};
use crate::domain::request::MAX_COPIES;
use crate::domain::{Drift, Observation, Problem, Request};
use cheaply::Before;
pub use cheaply::Drafted;
use files::Files;
use onward::Parent;
pub use others::{Also, Says};
use prompt::{Pressed, Prompt};

/// Where in the form the cursor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spot {
    /// The prompt.
    #[default]
    Prompt,
    /// The model.
    Model,
    /// A parameter, by its place.
    Field(usize),
    /// The most a clip of unknown price may cost.
    Ceiling,
    /// How many copies.
    Copies,
}

/// The form.
#[derive(Debug)]
pub struct Compose {
    prompt: Prompt,
    form: Form,
    /// Models that get the same prompt beside the chosen one.
    others: Vec<Offer>,
    /// Those of them that were asked for and are not on offer, by name.
    others_wanted: Vec<String>,
    offers: Arc<Vec<Offer>>,
    /// The model that was asked for, until it is on offer.
    wanted: String,
    copies: u32,
    /// Whether the next digit goes on with the number that stands there, rather than in its place.
    counting: bool,
    ceiling: Line,
    spot: Spot,
    problems: Vec<Problem>,
    refused: Vec<Problem>,
    files: Files,
    shows_all: bool,
    quote: Option<Quote>,
    also: Vec<Also>,
    /// What stood there before the form was set to the cheapest.
    before: Option<Before>,
    /// The job whose clip the form goes on from.
    parent: Option<Parent>,
    pending: Option<(Ticket, String)>,
    edited_at: Option<Timestamp>,
    unsaved_since: Option<Timestamp>,
}

impl Default for Compose {
    fn default() -> Self {
        Compose {
            prompt: Prompt::default(),
            form: Form::default(),
            others: Vec::new(),
            others_wanted: Vec::new(),
            offers: Arc::default(),
            wanted: String::new(),
            copies: 1,
            counting: false,
            ceiling: Line::default(),
            spot: Spot::Prompt,
            problems: Vec::new(),
            refused: Vec::new(),
            files: Files::default(),
            shows_all: false,
            quote: None,
            also: Vec::new(),
            before: None,
            parent: None,
            pending: None,
            edited_at: None,
            unsaved_since: None,
        }
    }
}

impl Compose {
    /// The prompt.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// The fields.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The model's name as chosen or asked for; empty: none.
    pub fn model_name(&self) -> String {
        self.form.offer().map_or_else(|| self.wanted.clone(), |offer| offer.model_ref().to_string())
    }

    /// The models that get the same prompt beside the chosen one.
    pub fn others(&self) -> &[Offer] {
        &self.others
    }

    /// How many copies.
    pub fn copies(&self) -> u32 {
        self.copies
    }

    /// The typed ceiling.
    pub fn ceiling(&self) -> &Line {
        &self.ceiling
    }

    /// Whether a ceiling is asked for: the price is unknown.
    pub fn needs_ceiling(&self) -> bool {
        self.quote.as_ref().is_some_and(|quote| quote.needs_ceiling)
    }

    /// Where the cursor is.
    pub fn spot(&self) -> Spot {
        self.spot
    }

    /// What the form breaks now, and what the engine refused it for. A blank prompt is no news
    /// until queueing was tried.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let told = |p: &&Problem| self.shows_all || !matches!(p.rule.as_str(), "blank" | "input_required");
        self.problems.iter().filter(told).chain(&self.refused).chain(self.file_problems())
    }

    /// Whether the form could be queued as it is.
    pub fn is_legal(&self) -> bool {
        self.problems.is_empty()
    }

    /// The price.
    pub fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// Where the chosen model's service charges something else than is published for what the form says.
    pub fn drift(&self) -> Option<Drift> {
        let offer = self.form.offer()?;
        let request = Request { params: self.form.values(), ..Request::new(&offer.model_ref(), "") };
        offer.drift(&request)
    }

    /// What the chosen model's service charged or quoted last for what the form says.
    pub fn observed(&self) -> Option<Observation> {
        let offer = self.form.offer()?;
        let request = Request { params: self.form.values(), ..Request::new(&offer.model_ref(), "") };
        offer.observed(&request).cloned()
    }

    /// What other models say to the form: takers by price, then the others.
    pub fn also(&self) -> &[Also] {
        &self.also
    }

    /// Whether the engine still has to answer the last queueing.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Takes the models on offer; the chosen one stays, with its new description.
    pub fn set_offers(&mut self, offers: Arc<Vec<Offer>>) {
        self.offers = offers;
        let name = self.model_name();
        let named = self.offers.iter().find(|offer| offer.model_ref().to_string() == name);
        let first = || self.offers.iter().find(|offer| !offer.model.gone).filter(|_| name.is_empty());
        if let Some(offer) = named.or_else(first).cloned()
            && self.form.offer() != Some(&offer)
        {
            self.form.choose(offer);
        }
        self.stand_beside(self.other_names());
        self.keep_spot();
    }

    /// Chooses a model, and others that get the same prompt beside it.
    pub fn choose(&mut self, offer: Offer, others: Vec<Offer>, now: Timestamp) {
        self.wanted.clear();
        self.before = None;
        self.others = others;
        self.others_wanted.clear();
        self.form.choose(offer);
        self.keep_spot();
        self.edited(now);
    }

    /// Adds a field beyond the model's own and goes to it; `false` where there is no such field.
    pub fn add_field(&mut self, name: &str, now: Timestamp) -> bool {
        let Some(index) = self.form.add(name) else { return false };
        self.spot = Spot::Field(index);
        self.edited(now);
        true
    }

    /// Whether the cursor is in a field that was added.
    pub fn is_in_added(&self) -> bool {
        matches!(self.spot, Spot::Field(index) if self.form.fields().get(index).is_some_and(|field| field.added))
    }

    /// Takes an added field out again; the cursor goes to the model where it was in it.
    pub fn remove_field(&mut self, name: &str, now: Timestamp) -> bool {
        let removed = self.form.remove(name);
        if removed {
            self.keep_spot();
            self.edited(now);
        }
        removed
    }

    fn edited(&mut self, now: Timestamp) {
        self.edited_at = Some(now);
        self.unsaved_since.get_or_insert(now);
        self.refused.clear();
    }

    fn keep_spot(&mut self) {
        if let Spot::Field(index) = self.spot
            && index >= self.form.fields().len()
        {
            self.spot = Spot::Model;
        }
    }

    /// The form's stops, top down.
    fn spots(&self) -> Vec<Spot> {
        let fields = (0..self.form.fields().len()).map(Spot::Field);
        let ceiling = self.needs_ceiling().then_some(Spot::Ceiling);
        [Spot::Prompt, Spot::Model].into_iter().chain(fields).chain(ceiling).chain([Spot::Copies]).collect()
    }

    /// Goes to the prompt.
    pub fn go_to_prompt(&mut self) {
        self.spot = Spot::Prompt;
    }

    /// Goes to the next or previous field, past the ends round.
    pub fn go_round(&mut self, forward: bool) {
        if !self.go(forward) {
            let spots = self.spots();
            self.spot = if forward { spots.first() } else { spots.last() }.copied().unwrap_or_default();
            self.counting = false;
        }
    }

    /// Goes to the next or previous field; `false` past the ends.
    fn go(&mut self, forward: bool) -> bool {
        let spots = self.spots();
        let at = spots.iter().position(|spot| *spot == self.spot).unwrap_or(0);
        let next = if forward { at + 1 } else { at.wrapping_sub(1) };
        match spots.get(next) {
            Some(spot) => {
                self.spot = *spot;
                self.counting = false;
                true
            }
            None => false,
        }
    }

    /// Takes the next or previous legal value; in text it moves the cursor instead.
    pub fn step(&mut self, forward: bool, now: Timestamp) -> bool {
        match self.spot {
            Spot::Field(index) if matches!(self.form.fields()[index].entry, Entry::Choice { .. }) => {
                self.form.step(index, forward);
            }
            Spot::Copies => {
                let copies = if forward { self.copies + 1 } else { self.copies.saturating_sub(1) };
                self.copies = copies.clamp(1, MAX_COPIES);
                self.counting = false;
            }
            _ => return false,
        }
        self.edited(now);
        true
    }

    /// Undoes or does again the last edit of the prompt.
    pub fn undo(&mut self, redo: bool, now: Timestamp) {
        if self.prompt.undo(redo) {
            self.spot = Spot::Prompt;
            self.edited(now);
        }
    }

    /// Types or moves where the cursor is. `false`: the key means nothing here.
    pub fn press(&mut self, key: Key, now: Timestamp) -> bool {
        let taken = match self.spot {
            Spot::Prompt => match self.prompt.press(key) {
                Pressed::Ignored => return false,
                Pressed::Moved => return true,
                Pressed::Below => return self.go(true),
                Pressed::Edited => true,
            },
            _ if key.code == KeyCode::Down || key.code == KeyCode::Enter => return self.go(true),
            _ if key.code == KeyCode::Up => return self.go(false),
            Spot::Model => false,
            Spot::Ceiling => self.ceiling.press(key),
            Spot::Copies => self.press_copies(key),
            Spot::Field(index) => match self.form.line(index) {
                Some(line) => line.press(key),
                None => key.typed().is_some_and(|c| self.form.jump(index, c)),
            },
        };
        if taken {
            self.edited(now);
        }
        taken
    }

    fn press_copies(&mut self, key: Key) -> bool {
        match (key.code, key.typed().and_then(|c| c.to_digit(10))) {
            (_, Some(digit)) => {
                // What stood there gives way to the first digit typed: nobody buys 53 for a 3 typed at a 5.
                let before = if self.counting { self.copies } else { 0 };
                self.copies = (before * 10 + digit).min(MAX_COPIES);
            }
            (KeyCode::Backspace, _) => self.copies /= 10,
            _ => return false,
        }
        self.counting = true;
        true
    }

    /// Puts another text in the prompt's place, as one edit; nothing changes where it is the same.
    /// Returns what was cut off, in bytes, when it was too long.
    pub fn put_prompt(&mut self, text: &str, now: Timestamp) -> usize {
        let fits = prompt::fitting(text);
        if fits != self.prompt.text() {
            self.prompt.replace(fits);
            self.spot = Spot::Prompt;
            self.edited(now);
        }
        text.len() - fits.len()
    }

    /// Puts pasted text where the cursor is, as one edit, without what steers a terminal.
    /// Returns what was cut off, in bytes, when it was too long.
    pub fn paste(&mut self, text: &str, now: Timestamp) -> usize {
        let mut cut = 0;
        match self.spot {
            Spot::Field(index) => {
                if let Some(line) = self.form.line(index) {
                    line.insert(text);
                }
            }
            Spot::Ceiling => {
                self.ceiling.insert(text);
            }
            Spot::Prompt | Spot::Model | Spot::Copies => {
                self.spot = Spot::Prompt;
                cut = self.prompt.paste(text);
            }
        }
        self.edited(now);
        cut
    }
}
