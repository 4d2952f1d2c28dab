//! Drafting: the form goes to the cheapest model and values for its prompt, and back.
//!
//! Knows what stood there before. Must not know how the cheapest is found, which is `cheapest`'s.

use jiff::Timestamp;

use super::Compose;
use crate::app::cheapest::cheapest;
use crate::app::form::Form;
use crate::domain::message::Offer;
use crate::domain::text::plain;

/// What stood in the form before it was set to the cheapest.
#[derive(Debug)]
pub(super) struct Before {
    form: Form,
    others: Vec<Offer>,
    /// Model, length and price, for people.
    was: String,
    /// The fields that were set to save money: they do not go back with the user.
    saved: Vec<String>,
}

/// What drafting did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drafted {
    /// The form stands at the cheapest now: what it costs.
    Cheapest(String),
    /// The form stands where it was before.
    Back,
    /// It stood there already: what it costs.
    Already(String),
    /// No model that takes the form has a known price.
    Unpriced,
}

impl Compose {
    /// What stood there before the form was set to the cheapest, as `nanogpt/veo3-1-video 8 s $3.20`.
    pub fn was(&self) -> Option<&str> {
        self.before.as_ref().map(|before| before.was.as_str())
    }

    /// Sets the form to the cheapest model and values that take its prompt and inputs; where it was
    /// set so before, goes back.
    pub fn draft_cheaply(&mut self, now: Timestamp) -> Drafted {
        if let Some(before) = self.before.take() {
            self.go_back(before);
            self.keep_spot();
            self.edited(now);
            return Drafted::Back;
        }
        let Some(found) = cheapest(&self.offers, &self.form, &self.prompt.text()) else { return Drafted::Unpriced };
        let price = found.price.to_string();
        let same = found.form.offer() == self.form.offer() && found.form.values() == self.form.values();
        if same && self.others.is_empty() {
            return Drafted::Already(price);
        }
        let was = self.standing();
        self.wanted.clear();
        self.before = Some(Before {
            form: std::mem::replace(&mut self.form, found.form),
            others: std::mem::take(&mut self.others),
            was,
            saved: found.saved,
        });
        self.keep_spot();
        self.edited(now);
        Drafted::Cheapest(price)
    }

    fn go_back(&mut self, before: Before) {
        let mut changed = self.form.touched();
        changed.retain(|name, _| !before.saved.contains(name));
        self.form = before.form;
        self.others = before.others;
        self.form.put(changed);
        // What the services said since counts there, too.
        self.set_offers(self.offers.clone());
    }

    /// Model, length and price of one clip as they stand.
    fn standing(&self) -> String {
        let length = self.form.values().get("duration").map(|value| format!(" {} s", plain(value)));
        let each = self.quote.as_ref().and_then(|quote| quote.by_model.first().copied().flatten());
        let price = each.map_or_else(|| "price unknown".to_owned(), |money| money.to_string());
        format!("{}{} {price}", self.model_name(), length.unwrap_or_default())
    }
}
