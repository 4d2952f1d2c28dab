//! The list of models to choose from: all accounts' models, narrowed by what is typed.
//!
//! Knows matching and order. Must not know what a model can do.

use std::sync::Arc;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::input::Key;
use super::line::Line;
use crate::domain::message::Offer;
use crate::domain::{Job, ModelRef};

/// The state of the list.
#[derive(Clone, Debug)]
pub struct Picker {
    offers: Arc<Vec<Offer>>,
    /// What was typed.
    pub query: Line,
    /// Indices into the offers, best first.
    found: Vec<usize>,
    at: usize,
    /// Taken beside the chosen one.
    together: Vec<ModelRef>,
    /// The job that the chosen model goes on from, where that is what is asked.
    extends: Option<Box<Job>>,
}

impl Picker {
    /// A list of all offers, with the chosen one selected and those beside it marked.
    pub fn new(offers: Arc<Vec<Offer>>, chosen: Option<&ModelRef>, others: &[Offer]) -> Self {
        let together = others.iter().map(Offer::model_ref).collect();
        let mut picker = Picker { found: Vec::new(), at: 0, query: Line::default(), offers, together, extends: None };
        picker.search();
        let chosen = |index: &usize| Some(picker.offers[*index].model_ref()).as_ref() == chosen;
        picker.at = picker.found.iter().position(chosen).unwrap_or(0);
        picker
    }

    /// A list of the models that go on from this job.
    pub fn to_extend(offers: Arc<Vec<Offer>>, job: Job) -> Self {
        Picker { extends: Some(Box::new(job)), ..Picker::new(offers, None, &[]) }
    }

    /// The job that the chosen model goes on from.
    pub fn extends(&self) -> Option<&Job> {
        self.extends.as_deref()
    }

    /// Takes a new list of offers; the selected model stays selected where it still is.
    pub fn set_offers(&mut self, offers: Arc<Vec<Offer>>) {
        if self.extends.is_some() {
            return;
        }
        let selected = self.selected().map(Offer::model_ref);
        self.offers = offers;
        self.search();
        let same = |index: &usize| Some(self.offers[*index].model_ref()) == selected;
        self.at = self.found.iter().position(same).unwrap_or(0);
    }

    /// Types or moves in the query; `false` where the key means nothing to it.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.query.press(key);
        if taken {
            self.search();
            self.at = 0;
        }
        taken
    }

    /// Puts pasted text into the query.
    pub fn paste(&mut self, text: &str) {
        self.query.insert(text);
        self.search();
        self.at = 0;
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.at = self.at.saturating_add_signed(lines).min(self.found.len().saturating_sub(1));
    }

    /// Takes the selected model beside the chosen one, or no longer, and goes one line on.
    pub fn toggle(&mut self) {
        let Some(selected) = self.selected().map(Offer::model_ref).filter(|_| self.extends.is_none()) else { return };
        match self.together.iter().position(|name| *name == selected) {
            Some(at) => {
                self.together.remove(at);
            }
            None => self.together.push(selected),
        }
        self.move_by(1);
    }

    /// Whether a model is taken beside the chosen one.
    pub fn is_together(&self, offer: &Offer) -> bool {
        self.together.contains(&offer.model_ref())
    }

    /// The models taken beside the selected one.
    pub fn others(&self) -> Vec<Offer> {
        let selected = self.selected().map(Offer::model_ref);
        let taken = self.offers.iter().filter(|o| self.is_together(o) && Some(o.model_ref()) != selected);
        taken.cloned().collect()
    }

    /// The offers that match, best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &Offer> {
        self.found.iter().map(|&index| &self.offers[index])
    }

    /// The selected line.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The selected offer.
    pub fn selected(&self) -> Option<&Offer> {
        self.found.get(self.at).map(|&index| &self.offers[index])
    }

    fn search(&mut self) {
        let query = self.query.text();
        if query.trim().is_empty() {
            self.found = (0..self.offers.len()).collect();
            return;
        }
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (index, offer) in self.offers.iter().enumerate() {
            let model = &offer.model;
            let maker = model.maker.as_deref().unwrap_or_default();
            let text = format!("{} {}/{} {} {maker}", model.id, offer.account, model.id, model.title());
            if let Some(score) = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher) {
                scored.push((score, index));
            }
        }
        // Of equal matches the shorter name is meant: `veo-3.1` before `veo-3.1-fast`.
        scored.sort_by_key(|&(score, index)| (std::cmp::Reverse(score), self.offers[index].model.id.len(), index));
        self.found = scored.into_iter().map(|(_, index)| index).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers() -> Arc<Vec<Offer>> {
        let offer = |account: &str, id: &str| {
            let toml = format!(
                "id = \"{id}\"\nservice = \"a4f\"\nmaker = \"Google\"\nsource = \"t\"\nprice = {{ shape = {{ plan = {{}} }}, as_of = \"2026-08-21\", source = \"t\" }}"
            );
            Offer::new(account, toml::from_str::<crate::domain::Model>(&toml).unwrap())
        };
        Arc::new(vec![
            offer("ninjachat", "veo-3.1"),
            offer("ninjachat", "veo-3.1-fast"),
            offer("a4f", "provider-2/kling-v2.1"),
        ])
    }

    #[test]
    fn a_few_letters_of_account_model_or_maker_find_it() {
        let mut picker = Picker::new(offers(), Some(&"a4f/provider-2/kling-v2.1".parse().unwrap()), &[]);
        assert_eq!(picker.selected().unwrap().model.id, "provider-2/kling-v2.1");
        picker.paste("nj v31f");
        let found: Vec<_> = picker.found().map(|o| o.model.id.clone()).collect();
        assert_eq!(found, ["veo-3.1-fast"]);
        picker.query = Line::new("zzz");
        picker.press("q".parse().unwrap());
        assert_eq!((picker.found().len(), picker.selected()), (0, None));
        picker.move_by(1);
        picker.query = Line::default();
        picker.paste("google");
        assert_eq!(picker.found().len(), 3);
        picker.toggle();
        picker.move_by(2);
        let others: Vec<_> = picker.others().iter().map(|o| o.model.id.clone()).collect();
        assert_eq!(others, ["veo-3.1"], "taken beside the selected one");
        picker.set_offers(Arc::new(offers()[1..].to_vec()));
        assert_eq!(picker.selected().unwrap().model.id, "provider-2/kling-v2.1");
    }
}
