//! The list of models to choose from: all accounts' models, narrowed by what is typed, in the order asked
//! for, each with what it says to the form as it is.
//!
//! Knows texts and orders. Must not know how a form is checked.

use std::cmp::Reverse;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::compose::Says;
use super::finder::Finder;
use super::input::Key;
use super::line::Line;
use crate::domain::message::Offer;
use crate::domain::timing::Timings;
use crate::domain::{Currency, Job, ModelRef};

/// In which order models stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The best match first; without a query as the catalogue has them.
    #[default]
    Match,
    /// The cheapest clip of this form first.
    Price,
    /// The fastest first: by own history, else as quoted.
    Speed,
    /// The longest clips first.
    Length,
}

impl Order {
    /// A word for people.
    pub fn word(self) -> &'static str {
        match self {
            Order::Match => "best match",
            Order::Price => "price",
            Order::Speed => "speed",
            Order::Length => "length",
        }
    }

    fn next(self) -> Order {
        match self {
            Order::Match => Order::Price,
            Order::Price => Order::Speed,
            Order::Speed => Order::Length,
            Order::Length => Order::Match,
        }
    }
}

/// The state of the list.
#[derive(Clone, Debug)]
pub struct Picker {
    offers: Arc<Vec<Offer>>,
    /// What each offer says to the form; empty where no form is asked about.
    says: Vec<Says>,
    timings: Timings,
    finder: Finder,
    order: Order,
    /// Marked for a shoot-out, in the order they were.
    together: Vec<ModelRef>,
    /// The job that the chosen model goes on from, where that is what is asked.
    extends: Option<Box<Job>>,
}

impl Picker {
    /// A list of all offers, with the chosen one selected and those beside it marked.
    pub fn new(offers: Arc<Vec<Offer>>, chosen: Option<&ModelRef>, others: &[Offer]) -> Self {
        // The chosen one is one of those marked, and stays the first of them.
        let first = chosen.filter(|_| !others.is_empty()).cloned();
        let together = first.into_iter().chain(others.iter().map(Offer::model_ref)).collect();
        let mut picker = Picker {
            offers,
            says: Vec::new(),
            timings: Timings::default(),
            finder: Finder::default(),
            order: Order::default(),
            together,
            extends: None,
        };
        picker.search();
        picker.select(chosen);
        picker
    }

    /// A list of the models that go on from this job.
    pub fn to_extend(offers: Arc<Vec<Offer>>, job: Job) -> Self {
        Picker { extends: Some(Box::new(job)), ..Picker::new(offers, None, &[]) }
    }

    /// The same list, knowing what each offer says to the form, in the offers' order, and how long models take.
    pub fn knowing(mut self, says: Vec<Says>, timings: Timings) -> Self {
        (self.says, self.timings) = (says, timings);
        self
    }

    /// The job that the chosen model goes on from.
    pub fn extends(&self) -> Option<&Job> {
        self.extends.as_deref()
    }

    /// Takes a new list of offers and what they say; the selected model stays selected where it still is.
    pub fn set_offers(&mut self, offers: Arc<Vec<Offer>>, says: Vec<Says>) {
        if self.extends.is_some() {
            return;
        }
        let selected = self.selected().map(Offer::model_ref);
        (self.offers, self.says) = (offers, says);
        self.search();
        self.select(selected.as_ref());
    }

    fn select(&mut self, chosen: Option<&ModelRef>) {
        let offers = &self.offers;
        self.finder.select(|index| Some(&offers[index].model_ref()) == chosen);
    }

    /// Whether it is known what the models say to the form.
    pub fn says_anything(&self) -> bool {
        !self.says.is_empty()
    }

    /// What was typed.
    pub fn query(&self) -> &Line {
        &self.finder.query
    }

    /// In which order the models stand.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Takes the next order; the selected model stays selected.
    pub fn reorder(&mut self) {
        let selected = self.selected().map(Offer::model_ref);
        self.order = self.order.next();
        self.search();
        self.select(selected.as_ref());
    }

    /// Types or moves in the query; `false` where the key means nothing to it.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.finder.press(key);
        if taken {
            self.search();
        }
        taken
    }

    /// Puts pasted text into the query.
    pub fn paste(&mut self, text: &str) {
        self.finder.paste(text);
        self.search();
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.finder.move_by(lines);
    }

    /// Marks the selected model for a shoot-out, or no longer, and goes one line on.
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

    /// Whether a model is marked.
    pub fn is_together(&self, offer: &Offer) -> bool {
        self.together.contains(&offer.model_ref())
    }

    /// How many are marked, whether what is typed finds them or not.
    pub fn marked(&self) -> usize {
        self.offers.iter().filter(|offer| self.is_together(offer)).count()
    }

    /// What is taken: where models are marked just those, in the order they were, else the selected one.
    pub fn taken(&self) -> Vec<Offer> {
        let of = |name: &ModelRef| self.offers.iter().find(|offer| offer.model_ref() == *name).cloned();
        let marked: Vec<Offer> = self.together.iter().filter_map(of).collect();
        if marked.is_empty() { self.selected().cloned().into_iter().collect() } else { marked }
    }

    /// The offers that match, best first, each with what it says to the form.
    pub fn found(&self) -> impl ExactSizeIterator<Item = (&Offer, Option<&Says>)> {
        self.finder.found().map(|index| (&self.offers[index], self.says.get(index)))
    }

    /// The place of the selected line.
    pub fn at(&self) -> usize {
        self.finder.at()
    }

    /// The selected offer.
    pub fn selected(&self) -> Option<&Offer> {
        self.finder.selected().map(|index| &self.offers[index])
    }

    fn search(&mut self) {
        let (offers, says, timings, order) = (&self.offers, &self.says, &self.timings, self.order);
        let text = |index: usize| {
            let offer: &Offer = &offers[index];
            let model = &offer.model;
            let maker = model.maker.as_deref().unwrap_or_default();
            format!("{} {}/{} {} {maker}", model.id, offer.account, model.id, model.title())
        };
        let typed = !self.finder.query.text().trim().is_empty();
        self.finder.search(offers.len(), text, |score, index| {
            // Of equal matches the shorter name is meant: `veo-3.1` before `veo-3.1-fast`.
            let name = if typed { offers[index].model.id.len() } else { 0 };
            (place(order, &offers[index], says.get(index), timings), Reverse(score), name)
        });
    }
}

/// Where an offer stands in an order, less before more; what is not known stands last.
fn place(order: Order, offer: &Offer, says: Option<&Says>, timings: &Timings) -> (bool, u8, Decimal) {
    let refuses = says.is_some_and(|says| says.problem.is_some());
    let unknown = (u8::MAX, Decimal::ZERO);
    let (kind, amount) = match order {
        Order::Match => return (false, 0, Decimal::ZERO),
        Order::Price => says.and_then(|says| says.price).map_or(unknown, |price| {
            let kind = match price.currency {
                Currency::Quota => 0,
                Currency::Usd => 1,
                Currency::Xno => 2,
            };
            (kind, price.amount)
        }),
        Order::Speed => {
            timings.of(&offer.account, &offer.model.id).map_or(unknown, |timing| (0, Decimal::from(timing.p50_s)))
        }
        Order::Length => longest(offer).map_or(unknown, |seconds| (0, -seconds)),
    };
    (refuses, kind, amount)
}

/// The longest clip that a model makes, s, where its parameters say so.
fn longest(offer: &Offer) -> Option<Decimal> {
    let duration = offer.model.parameter("duration")?;
    let listed = duration.one_of.iter().filter_map(|value| crate::domain::text::plain(value).parse().ok());
    listed.chain(duration.range.map(|range| range.max)).max()
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
        let found: Vec<_> = picker.found().map(|(o, _)| o.model.id.clone()).collect();
        assert_eq!(found, ["veo-3.1-fast"]);
        picker.finder.query = Line::new("zzz");
        picker.press("q".parse().unwrap());
        assert_eq!((picker.found().len(), picker.selected()), (0, None));
        picker.move_by(1);
        picker.finder.query = Line::default();
        picker.paste("google");
        assert_eq!(picker.found().len(), 3);
        let taken = |picker: &Picker| picker.taken().iter().map(|o| o.model.id.clone()).collect::<Vec<_>>();
        assert_eq!(taken(&picker), ["veo-3.1"], "nothing is marked: the selected one");
        picker.toggle();
        picker.toggle();
        assert_eq!((picker.selected().unwrap().model.id.as_str(), picker.marked()), ("provider-2/kling-v2.1", 2));
        assert_eq!(taken(&picker), ["veo-3.1", "veo-3.1-fast"], "the line that Tab went on to is not taken with them");
        picker.paste("kling");
        assert_eq!(taken(&picker).len(), 2, "marks outlive what is typed");
        picker.finder.query = Line::default();
        picker.paste("google");
        picker.move_by(2);
        picker.set_offers(Arc::new(offers()[1..].to_vec()), Vec::new());
        assert_eq!(picker.selected().unwrap().model.id, "provider-2/kling-v2.1");
    }
}
