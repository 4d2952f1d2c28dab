//! What a service really charged for a model, by the values that may matter to its price.
//!
//! Knows which orders count as the same for the price, and how a price by the documents and a charge
//! differ. Must not know who charged, nor where this is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::model::{Model, ParameterKind};
use super::money::Money;
use super::request::links;
use super::rule::{Values, number};
use super::text::plain;

/// How an amount was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learnt {
    /// The service charged it for an order.
    Charged,
    /// The service named it as the exact price when it refused an order for want of money (wire.md 1.6).
    Quoted,
}

impl Learnt {
    /// The word in the database and in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Learnt::Charged => "charged",
            Learnt::Quoted => "quoted",
        }
    }
}

/// The last amount a service named for such an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// How much.
    pub money: Money,
    /// When last.
    pub at: Timestamp,
    /// How many orders were charged so far, whatever the amount; 0 where it was only ever quoted.
    pub times: u32,
    /// How it was learnt.
    pub learnt: Learnt,
}

/// What was observed of one model of one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// By [`price_key`]; one for each currency.
    by_key: BTreeMap<String, Vec<Observation>>,
}

impl Observed {
    /// Keeps an observation in the place of the one in its currency.
    pub fn put(&mut self, key: String, observation: Observation) {
        let of = self.by_key.entry(key).or_default();
        of.retain(|old| old.money.currency != observation.money.currency);
        of.push(observation);
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// What was observed in a currency.
    pub fn of(&self, key: &str, currency: super::Currency) -> Option<&Observation> {
        self.by_key.get(key)?.iter().find(|seen| seen.money.currency == currency)
    }

    /// What was observed last, in whatever currency.
    pub fn last(&self, key: &str) -> Option<&Observation> {
        self.by_key.get(key)?.iter().max_by_key(|seen| seen.at)
    }
}

/// What makes two orders of a model cost the same, as text: every value but prompt and seed; of media
/// and free text only that they are there, of links how many there are.
pub fn price_key(model: &Model, values: &Values) -> String {
    let matters = values.iter().filter(|(name, _)| !matches!(name.as_str(), "prompt" | "seed"));
    let told: BTreeMap<&String, String> = matters
        .map(|(name, value)| {
            let parameter = model.parameter(name);
            let is_free = parameter.is_some_and(|p| {
                p.kind == ParameterKind::Text && p.one_of.is_empty() && !p.bills && !model.price.hangs_on(name)
            });
            let text = match parameter.map(|p| p.kind) {
                Some(kind) if kind.is_media() => "set".to_owned(),
                Some(ParameterKind::Links) => format!("set ({})", links(value).map_or(0, |links| links.len())),
                _ if is_free => "set".to_owned(),
                _ => number(value).map_or_else(|| plain(value), |n| n.normalize().to_string()),
            };
            (name, text)
        })
        .collect();
    serde_json::json!(told).to_string()
}

/// A price by the documents or the service's list, and what was really asked for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The price as published; `None` where it is not known.
    pub published: Option<Money>,
    /// What was observed.
    pub observed: Observation,
}

impl Drift {
    /// As a line: `docs $0.35, charged $0.60 on 11-20 (3x)`; the day as it is in `zone`.
    pub fn text(&self, zone: &TimeZone) -> String {
        let published = self.published.map_or_else(|| "price unknown".to_owned(), |money| format!("docs {money}"));
        let Observation { money, at, times, learnt } = &self.observed;
        let day = at.to_zoned(zone.clone()).strftime("%m-%d").to_string();
        let often = if *times > 0 { format!(" ({times}x)") } else { String::new() };
        format!("{published}, {} {money} on {day}{often}", learnt.word())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::{Currency, Offer, PriceSource, Request};

    fn model() -> Model {
        toml::from_str(
            r#"
            id = "clip"
            service = "nanogpt"
            source = "003"
            price = { shape = { per_clip = { amount = "0.35" } }, as_of = "2026-08-21", source = "003" }
            parameters = [
              { name = "duration", type = "integer", one_of = [5, 10], default = 5 },
              { name = "image", wire = "imageUrl", type = "image" },
              { name = "negative_prompt", type = "text" },
              { name = "references", type = "links" },
              { name = "mode", type = "text", one_of = ["fast", "best"] },
              { name = "seed", type = "integer" },
            ]
            "#,
        )
        .unwrap()
    }

    fn request(params: serde_json::Value) -> Request {
        let mut request = Request::new(&"n/clip".parse().unwrap(), "a river");
        request.params = serde_json::from_value(params).unwrap();
        request
    }

    fn key(params: serde_json::Value) -> String {
        price_key(&model(), &request(params).values(&model()))
    }

    #[test]
    fn orders_that_cost_the_same_have_one_key_and_others_have_another() {
        let bare = key(json!({}));
        assert_eq!(bare, key(json!({"duration": "5", "seed": 3})), "a seed and the spelling do not matter");
        for other in [json!({"duration": 10}), json!({"mode": "best"}), json!({"image": "https://x/a.png"})] {
            assert_ne!(bare, key(other));
        }
        let one = json!({"image": "https://x/a.png", "negative_prompt": "rain"});
        assert_eq!(key(one), key(json!({"image": "https://x/b.png", "negative_prompt": "snow"})));
        assert_ne!(key(json!({"references": "https://x/1"})), key(json!({"references": "https://x/1 https://x/2"})));
    }

    #[test]
    fn an_estimate_follows_the_charge_and_what_is_set_aside_is_the_larger_of_both() {
        let mut observed = Observed::default();
        let money = |text: &str| Money::parse(text, Currency::Usd).unwrap();
        let seen = |amount: &str, times| Observation {
            money: money(amount),
            at: "2026-11-20T23:30:00Z".parse().unwrap(),
            times,
            learnt: Learnt::Charged,
        };
        observed.put(key(json!({})), seen("0.60", 3));
        observed.put(key(json!({"duration": 10})), seen("0.20", 1));
        let offer = Offer { observed: Arc::new(observed), ..Offer::new("n", model()) };
        let estimate = offer.estimate(&request(json!({"seed": 9}))).unwrap();
        assert_eq!((estimate.money, estimate.source), (money("0.60"), PriceSource::Observed));
        assert_eq!(offer.reservation(&request(json!({}))), Some(money("0.60")));
        let ten = request(json!({"duration": 10}));
        assert_eq!(offer.estimate(&ten).map(|e| e.money), Some(money("0.20")));
        assert_eq!(offer.reservation(&ten), Some(money("0.35")), "a lower charge never lowers what is set aside");
        let drift = offer.drift(&request(json!({}))).unwrap();
        assert_eq!(drift.text(&TimeZone::UTC), "docs $0.35, charged $0.60 on 11-20 (3x)");
        let other = request(json!({"mode": "fast"}));
        assert_eq!(
            (offer.drift(&other), offer.estimate(&other).map(|e| e.source)),
            (None, Some(PriceSource::Documents))
        );
    }

    #[test]
    fn a_charge_in_another_currency_corrects_nothing_that_is_priced_and_something_that_is_not() {
        let xno = Money::parse("0.5", Currency::Xno).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let mut observed = Observed::default();
        observed.put(key(json!({})), Observation { money: xno, at, times: 1, learnt: Learnt::Charged });
        let mut offer = Offer { observed: Arc::new(observed), ..Offer::new("n", model()) };
        let plain = request(json!({}));
        assert_eq!(offer.estimate(&plain).map(|e| e.source), Some(PriceSource::Documents));
        let unknown = crate::domain::price::Price::unknown("003", "x");
        offer.model = Arc::new(Model { price: unknown, ..model() });
        assert_eq!(offer.estimate(&plain).map(|e| e.money), Some(xno), "once charged, its price is known");
        let mut free = Observed::default();
        let nothing = Money::parse("0", Currency::Usd).unwrap();
        free.put(key(json!({})), Observation { money: nothing, at, times: 1, learnt: Learnt::Charged });
        offer.observed = Arc::new(free);
        assert_eq!((offer.estimate(&plain), offer.reservation(&plain)), (None, None), "unknown is not zero");
    }
}
