//! What other models say to the form as it is.
//!
//! Knows how one form is read by another model. Must not know how their answers are shown.

use super::Compose;
use crate::domain::message::Offer;
use crate::domain::{Money, Request, Values};

/// Most models listed as taking the form, or not.
const ALSO: usize = 40;

/// What a model says to the form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Says {
    /// What one clip would cost there, where known.
    pub price: Option<Money>,
    /// Why it does not take the form; `None`: it does.
    pub problem: Option<String>,
}

/// What another model says to the form as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Also {
    /// `account/model`.
    pub name: String,
    /// One clip's price there, where known.
    pub price: Option<Money>,
    /// Why it does not take the form; `None`: it does.
    pub problem: Option<String>,
}

impl Compose {
    /// What the form says to another model beside the chosen one: what the user set, and the length where it has
    /// one, so that like is made beside like; everything else is that model's own default.
    pub(super) fn values_at(&self, offer: &Offer) -> Values {
        let mut params = self.form.touched();
        if let Some(duration) = self.form.values().remove("duration")
            && offer.model.parameter("duration").is_some()
        {
            params.insert("duration".to_owned(), duration);
        }
        params
    }

    /// Asks every other model what it says to the form. Dear beside a key press: done when
    /// something other than the prompt changed.
    pub fn compare(&mut self) {
        let Some(chosen) = self.form.offer() else {
            self.also.clear();
            return;
        };
        let chosen = chosen.model_ref();
        let others = self.offers.iter().filter(|offer| !offer.model.gone && offer.model_ref() != chosen);
        let mut also: Vec<Also> = others
            .map(|offer| {
                let Says { price, problem } = self.says(offer, "x");
                Also { name: offer.model_ref().to_string(), price, problem }
            })
            .collect();
        also.sort_by_cached_key(|a| (a.problem.is_some(), a.price.is_none(), a.price.map(|p| (p.currency, p.amount))));
        also.truncate(ALSO);
        self.also = also;
    }

    /// What every model on offer says to the form with its prompt, in the order of the offers.
    pub fn what_each_says(&self) -> Vec<Says> {
        let prompt = self.prompt.text();
        // What is not typed yet is no model's fault.
        let prompt = if prompt.trim().is_empty() { "x" } else { &prompt };
        self.offers.iter().map(|offer| self.says(offer, prompt)).collect()
    }

    fn says(&self, offer: &Offer, prompt: &str) -> Says {
        let mut request = Request::new(&offer.model_ref(), prompt);
        request.params = self.values_at(offer);
        let mut problems = request.validate(&offer.model).err().unwrap_or_default();
        // In the chosen one's place a length that nobody chose gives way to that model's own.
        let is_chosen = || self.form.touched().contains_key("duration");
        if problems.iter().any(|problem| problem.field == "duration") && !is_chosen() {
            request.params.remove("duration");
            problems = request.validate(&offer.model).err().unwrap_or_default();
        }
        let problem = problems.into_iter().next().map(|first| match first.rule.as_str() {
            "unknown" => format!("has no {}", first.field),
            _ => format!("{} {}", first.field, first.message),
        });
        Says { price: offer.reservation(&request), problem }
    }
}
