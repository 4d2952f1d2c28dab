//! The cheapest way to try a prompt: over all models that take it with the same inputs, the one and
//! its values that cost least (seeds 004 and 002: a lighter model, a shorter clip first).
//!
//! Knows prices, rules and what makes a clip small. Must not know what a face does with it.

use std::slice;

use rust_decimal::Decimal;
use serde_json::Value;

use super::form::{Entry, Field, Form};
use crate::domain::message::Offer;
use crate::domain::model::Advice;
use crate::domain::rule::{Values, number};
use crate::domain::text::plain;
use crate::domain::{Currency, Money, Request};

/// Most settings of one model that are looked at.
const SETTINGS: usize = 4_096;

/// The cheapest.
#[derive(Clone, Debug)]
pub struct Cheapest {
    /// The form, set to it.
    pub form: Form,
    /// What one clip costs there.
    pub price: Money,
    /// The fields that were chosen to save money.
    pub saved: Vec<String>,
}

/// What comes first: the currency that is paid in now, the amount, what the documents advise for daily
/// use, then the shortest, the smallest, the silent one.
type Rank = (u8, Decimal, u8, Decimal, Decimal, bool);

/// A rank with its price, and a value, or none, for each field that saves.
type Setting = (Rank, Money, Vec<Option<Value>>);

/// The cheapest setting of the cheapest model of known price that takes the prompt and every input
/// of the form; `None` where no such model's price is known.
pub fn cheapest(offers: &[Offer], form: &Form, prompt: &str) -> Option<Cheapest> {
    let inputs = form.inputs();
    let paid_in = form.offer().and_then(|offer| priced(offer, form.values())).map_or(Currency::Usd, |m| m.currency);
    let mut best: Option<(Rank, Cheapest)> = None;
    for offer in offers.iter().filter(|offer| !offer.model.gone) {
        let mut tried = form.clone();
        if tried.offer() != Some(offer) {
            tried.choose(offer.clone());
        }
        let bills = tried.fields().iter().filter(|f| f.added && f.parameter.bills && !f.is_input());
        for name in bills.map(|f| f.parameter.name.clone()).collect::<Vec<_>>() {
            tried.remove(&name);
        }
        if tried.inputs() != inputs {
            continue;
        }
        let (names, settings) = settings(offer, &tried, paid_in);
        let better = |rank: &Rank| best.as_ref().is_none_or(|(least, _)| rank < least);
        for (rank, price, values) in settings.into_iter().filter(|(rank, ..)| better(rank)) {
            for (name, value) in names.iter().zip(&values) {
                tried.set(name, value.as_ref());
            }
            let mut request = Request::new(&offer.model_ref(), if prompt.trim().is_empty() { "x" } else { prompt });
            request.params = tried.values();
            if request.validate(&offer.model).is_ok() {
                best = Some((rank, Cheapest { form: tried, price, saved: names }));
                break;
            }
        }
    }
    best.map(|(_, cheapest)| cheapest)
}

/// Every setting of the fields that save at a model, the best first.
fn settings(offer: &Offer, form: &Form, paid_in: Currency) -> (Vec<String>, Vec<Setting>) {
    let saves: Vec<&Field> = form.fields().iter().filter(|field| saves(offer, field)).collect();
    let names: Vec<String> = saves.iter().map(|field| field.parameter.name.clone()).collect();
    let mut rows: Vec<Vec<Option<Value>>> = vec![Vec::new()];
    for field in saves {
        let Entry::Choice { choices, .. } = &field.entry else { continue };
        let left_out = field.may_be_left_out().then_some(None);
        let all: Vec<Option<Value>> = left_out.into_iter().chain(choices.iter().cloned().map(Some)).collect();
        let longer =
            rows.iter().flat_map(|row| all.iter().map(|value| [row.as_slice(), slice::from_ref(value)].concat()));
        rows = longer.take(SETTINGS).collect();
    }
    let base = form.values();
    let mut settings: Vec<Setting> = Vec::new();
    for row in rows {
        let mut values = base.clone();
        for (name, value) in names.iter().zip(&row) {
            match value {
                Some(value) => values.insert(name.clone(), value.clone()),
                None => values.remove(name),
            };
        }
        if let Some(price) = priced(offer, values.clone()) {
            settings.push((rank(offer, price, paid_in, &values), price, row));
        }
    }
    settings.sort_by_key(|setting| setting.0);
    (names, settings)
}

/// Whether a field's value makes a clip dearer or larger.
fn saves(offer: &Offer, field: &Field) -> bool {
    let name = field.parameter.name.as_str();
    let size = matches!(name, "duration" | "resolution" | "audio") || offer.model.price.hangs_on(name);
    size && !field.added && !field.is_input() && matches!(field.entry, Entry::Choice { .. })
}

fn priced(offer: &Offer, params: Values) -> Option<Money> {
    let mut request = Request::new(&offer.model_ref(), "");
    request.params = params;
    offer.reservation(&request)
}

fn rank(offer: &Offer, price: Money, paid_in: Currency, values: &Values) -> Rank {
    let currency = match price.currency {
        same if same == paid_in => 0,
        Currency::Usd => 1,
        _ => 2,
    };
    let advice = match offer.model.advice {
        Some(Advice::Daily) => 0,
        Some(Advice::Balanced) | None => 1,
        Some(Advice::Sparingly) => 2,
    };
    let of = |name: &str| values.get(name).or_else(|| offer.model.own(name)?.default.as_ref());
    let seconds = of("duration").and_then(number).unwrap_or(Decimal::ZERO);
    let sound = of("audio").is_some_and(|value| plain(value) == "true");
    (currency, price.amount, advice, seconds, of("resolution").map_or(Decimal::ZERO, lines), sound)
}

/// A resolution as a number of lines: `720p`, `4k`.
fn lines(value: &Value) -> Decimal {
    let text = plain(value).to_lowercase();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let n: Decimal = digits.parse().unwrap_or_default();
    if text.ends_with('k') { n.saturating_mul(Decimal::from(1_000)) } else { n }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: &str = r#"
        [[models]]
        id = "dear"
        service = "nanogpt"
        source = "t"
        price = { shape = { per_second_by = { by = ["audio"], amounts = { false = "0.20", true = "0.40" } } }, as_of = "x", source = "t" }
        parameters = [
            { name = "duration", type = "integer", one_of = [8, 4, 6], default = 8 },
            { name = "audio", type = "boolean", default = true },
            { name = "resolution", type = "text", one_of = ["1080p", "720p"], default = "1080p" },
            { name = "image", type = "image" },
            { name = "seed", type = "integer" },
        ]
        [[models]]
        id = "cheap"
        service = "nanogpt"
        source = "t"
        prompt_max = 10
        price = { shape = { per_clip = { amount = "0.10" } }, as_of = "x", source = "t" }
        parameters = [{ name = "duration", type = "integer", range = { min = 2, max = 9 }, default = 5 }]
        rules = [{ field = "duration", range = { min = 3, max = 9 } }]
        [[models]]
        id = "from-image"
        service = "nanogpt"
        source = "t"
        price = { shape = { per_clip = { amount = "0.01" } }, as_of = "x", source = "t" }
        parameters = [{ name = "image", type = "image", required = true }]
        [[models]]
        id = "unpriced"
        service = "nanogpt"
        source = "t"
        price = { shape = { unknown = {} }, as_of = "x", source = "t" }
        [[models]]
        id = "plan"
        service = "a4f"
        source = "t"
        price = { shape = { plan = {} }, as_of = "x", source = "t" }
    "#;

    fn offers() -> Vec<Offer> {
        #[derive(serde::Deserialize)]
        struct File {
            models: Vec<crate::domain::Model>,
        }
        let file: File = toml::from_str(MODELS).unwrap();
        file.models.into_iter().map(|m| Offer::new("a", m)).collect()
    }

    fn found(offers: &[Offer], form: &Form, prompt: &str) -> (String, String, Values) {
        let cheapest = cheapest(offers, form, prompt).unwrap();
        let model = cheapest.form.offer().unwrap().model.id.clone();
        (model, cheapest.price.to_string(), cheapest.form.values())
    }

    #[test]
    fn the_least_that_is_legal_wins_with_the_shortest_and_silent_values() {
        let offers = offers();
        let mut form = Form::default();
        form.choose(offers[0].clone());
        let (model, price, values) = found(&offers, &form, "a fox");
        assert_eq!(
            (model.as_str(), price.as_str()),
            ("cheap", "$0.10"),
            "not the one that needs a picture, nor a plan"
        );
        assert_eq!(values["duration"], 3, "the rule forbids 2");
        let (model, price, values) = found(&offers, &form, "a prompt that is too long for the cheap one");
        assert_eq!((model.as_str(), price.as_str()), ("dear", "$0.80"));
        assert_eq!((&values["duration"], &values["audio"]), (&4.into(), &false.into()));
        assert_eq!(values["resolution"], "720p", "it costs the same and is smaller");
    }

    #[test]
    fn inputs_are_kept_and_what_has_no_price_is_never_taken() {
        let offers = offers();
        let mut form = Form::default();
        form.choose(offers[0].clone());
        form.put(serde_json::from_value(serde_json::json!({"image": "https://x/a.png", "seed": 7})).unwrap());
        let (model, price, values) = found(&offers, &form, "a fox");
        assert_eq!((model.as_str(), price.as_str()), ("from-image", "$0.01"));
        assert_eq!(values["image"], "https://x/a.png");
        let only_dear = [offers[0].clone()];
        assert_eq!(found(&only_dear, &form, "a fox").2["seed"], 7, "what costs nothing stays");
        assert_eq!(found(&offers[..2], &form, "a fox").0, "dear", "the cheap one takes no picture");
        assert!(cheapest(&offers[3..4], &form, "x").is_none());
    }

    #[test]
    fn where_a_plan_pays_the_plans_models_are_compared() {
        let offers = offers();
        let mut form = Form::default();
        form.choose(offers[4].clone());
        assert_eq!(found(&offers, &form, "a fox").0, "plan");
        assert_eq!(lines(&"4k".into()), Decimal::from(4_000));
    }
}
