//! Prices: a closed list of shapes, each computed exactly. What fits none is an unknown price.
//!
//! Knows how the values of a request become an amount. Must not know any model's price.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::money::{Currency, Money};
use super::request::links;
use super::rule::{Values, number};
use super::text::plain;

/// What a model costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What it is charged in.
    #[serde(default = "usd")]
    pub currency: Currency,
    /// The shape of the price before factors and fees.
    pub shape: Shape,
    /// Factors, each applied when all of its conditions hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<Factor>,
    /// Fixed amounts, each added when all of its conditions hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plus: Vec<Factor>,
    /// The least that a clip costs, however little the shape makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Decimal>,
    /// The day it was read, as `2026-08-21`.
    pub as_of: String,
    /// Where it was read: a seed's file name, a section of wire.md, `discovered`, `models.toml`.
    pub source: String,
    /// Whether it is the dearer of prices that cannot be told apart beforehand: the charge may be less.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_most: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn usd() -> Currency {
    Currency::Usd
}

/// The closed list of price shapes. Amounts are texts in TOML (`"0.10"`), exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// The same for every clip.
    PerClip {
        /// Amount a clip.
        amount: Decimal,
    },
    /// Seconds times an amount.
    PerSecond {
        /// Amount a second.
        amount: Decimal,
    },
    /// Seconds times an amount that hangs on parameters: key `720p`, or `720p/true` for two.
    PerSecondBy {
        /// The parameters, in the order of the key; `image?` asks only whether it is given: `set` or `none`.
        by: Vec<String>,
        /// Amount a second by key.
        amounts: BTreeMap<String, Decimal>,
    },
    /// A clip's amount by the values of parameters: key `5`, or `5/720p` for two.
    Table {
        /// The parameters, in the order of the key; `image?` asks only whether it is given: `set` or `none`.
        by: Vec<String>,
        /// Amount a clip by key.
        amounts: BTreeMap<String, Decimal>,
    },
    /// An amount for the first seconds and one for each further second.
    BasePlus {
        /// Amount for the first `seconds`.
        base: Decimal,
        /// Seconds that the base covers.
        seconds: u32,
        /// Amount for each second more.
        extra: Decimal,
    },
    /// One generation of the plan's quota; no money.
    Plan {},
    /// The largest of several prices that are known: what a service publishes of itself never
    /// lowers what is set aside (wire.md 1.9, price traps).
    Larger {
        /// The prices, in one currency.
        of: Vec<Price>,
    },
    /// Not known; perhaps at least `from`.
    Unknown {
        /// The least it can cost, where that is published.
        #[serde(default)]
        from: Option<Decimal>,
    },
}

/// A factor or fee and when it applies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The factor, or the amount added.
    pub amount: Decimal,
    /// Applies when each of these parameters has one of these values (`"set"`: any value).
    #[serde(default)]
    pub when: BTreeMap<String, Vec<Value>>,
    /// For a fee: due for each link in this parameter, once for a single file, or as many times as its
    /// number says (seconds of a source clip).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// For a fee that is due several times: so many of them are free.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beyond: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Factor {
    fn applies(&self, values: &Values) -> bool {
        self.when.iter().all(|(field, wanted)| {
            values.get(field).is_some_and(|v| wanted.iter().any(|w| plain(w) == "set" || plain(w) == plain(v)))
        })
    }

    /// How many times a fee is due.
    fn count(&self, values: &Values) -> Decimal {
        let Some(name) = &self.each else { return Decimal::ONE };
        let of = |value: &Value| match number(value) {
            Some(n) => n,
            None => Decimal::from(links(value).map_or(1, |list| list.len())),
        };
        values.get(name).map_or(Decimal::ZERO, of).saturating_sub(Decimal::from(self.beyond)).max(Decimal::ZERO)
    }
}

impl Price {
    /// A price nobody knows.
    pub fn unknown(source: &str, as_of: &str) -> Self {
        Price {
            currency: Currency::Usd,
            shape: Shape::Unknown { from: None },
            times: Vec::new(),
            plus: Vec::new(),
            least: None,
            as_of: as_of.to_owned(),
            source: source.to_owned(),
            at_most: false,
        }
    }

    /// Whether the charge may be less than [`Price::of`] says: the dearer of what cannot be told apart,
    /// or the larger of what the documents and the service say.
    pub fn is_upper(&self) -> bool {
        self.at_most || matches!(self.shape, Shape::Larger { .. })
    }

    /// The exact amount of one clip with these values (defaults filled in), or `None` when unknown or
    /// no clip can cost that.
    pub fn of(&self, values: &Values) -> Option<Money> {
        let part = |name: &String| match name.strip_suffix('?') {
            Some(name) => Some(if values.contains_key(name) { "set" } else { "none" }.to_owned()),
            None => values.get(name).map(plain),
        };
        let key = |by: &[String]| Some(by.iter().map(part).collect::<Option<Vec<String>>>()?.join("/"));
        let seconds = || values.get("duration").and_then(number);
        let base = match &self.shape {
            Shape::PerClip { amount } => *amount,
            Shape::PerSecond { amount } => seconds()?.checked_mul(*amount)?,
            Shape::PerSecondBy { by, amounts } => seconds()?.checked_mul(*amounts.get(&key(by)?)?)?,
            Shape::Table { by, amounts } => *amounts.get(&key(by)?)?,
            Shape::BasePlus { base, seconds: first, extra } => {
                let more = seconds()?.checked_sub(Decimal::from(*first))?.max(Decimal::ZERO);
                more.checked_mul(*extra)?.checked_add(*base)?
            }
            Shape::Plan {} => return Some(Money::one_of_quota()),
            Shape::Larger { of } => of.iter().filter_map(|price| price.of(values)).map(|money| money.amount).max()?,
            Shape::Unknown { .. } => return None,
        };
        // A number nobody means has no price; it is refused by its range, not by a panic.
        let mut times = self.times.iter().filter(|f| f.applies(values));
        let scaled = times.try_fold(base, |sum, f| sum.checked_mul(f.amount))?;
        let mut plus = self.plus.iter().filter(|f| f.applies(values));
        let whole = plus.try_fold(scaled, |sum, f| sum.checked_add(f.amount.checked_mul(f.count(values))?))?;
        let whole = self.least.map_or(whole, |least| whole.max(least));
        Some(Money::new(whole.normalize(), self.currency)).filter(|money| money.is_believable())
    }

    /// Whether the amount hangs on the parameter of that name.
    pub fn hangs_on(&self, name: &str) -> bool {
        let by = |names: &[String]| names.iter().any(|n| n.trim_end_matches('?') == name);
        let shape = match &self.shape {
            Shape::PerSecond { .. } | Shape::BasePlus { .. } => name == "duration",
            Shape::PerSecondBy { by: names, .. } => name == "duration" || by(names),
            Shape::Table { by: names, .. } => by(names),
            Shape::Larger { of } => of.iter().any(|price| price.hangs_on(name)),
            Shape::PerClip { .. } | Shape::Plan {} | Shape::Unknown { .. } => false,
        };
        let extra = |f: &Factor| f.when.contains_key(name) || f.each.as_deref() == Some(name);
        shape || self.times.iter().chain(&self.plus).any(extra)
    }

    /// The price that decides with these values: itself, or the largest of several.
    pub fn deciding(&self, values: &Values) -> &Price {
        match &self.shape {
            Shape::Larger { of } => {
                let largest = of.iter().max_by_key(|price| price.of(values).map(|money| money.amount));
                largest.unwrap_or(self)
            }
            _ => self,
        }
    }

    /// The price as a line for people: `$5.00 a clip`, `from $0.05 a second`, `1 run of the plan`, `unknown`.
    pub fn text(&self) -> String {
        let money = |amount: &Decimal| Money::new(*amount, self.currency).to_string();
        let least = |amounts: &BTreeMap<String, Decimal>| amounts.values().min().map(money).unwrap_or_default();
        let floor = self.least.map(|least| format!(", at least {}", money(&least))).unwrap_or_default();
        let more = if self.times.is_empty() && self.plus.is_empty() { "" } else { "from " };
        let text = match &self.shape {
            Shape::PerClip { amount } => format!("{more}{} a clip", money(amount)),
            Shape::PerSecond { amount } => format!("{more}{} a second", money(amount)),
            Shape::PerSecondBy { amounts, .. } => format!("from {} a second", least(amounts)),
            Shape::Table { amounts, .. } => format!("from {} a clip", least(amounts)),
            Shape::BasePlus { base, seconds, extra } => {
                format!("{} for {seconds} s, {} each second more", money(base), money(extra))
            }
            Shape::Plan {} => "1 run of the plan".to_owned(),
            Shape::Larger { of } => {
                let texts: Vec<String> = of.iter().map(Price::text).collect();
                texts.join(", or more: ")
            }
            Shape::Unknown { from: Some(from) } => format!("from {}; exact price unknown", money(from)),
            Shape::Unknown { from: None } => "unknown".to_owned(),
        };
        text + &floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(price: &str, values: Value) -> Option<String> {
        let price: Price = toml::from_str(&format!("as_of = \"2026-08-21\"\nsource = \"test\"\n{price}")).unwrap();
        price.of(&serde_json::from_value(values).unwrap()).map(|money| money.to_string())
    }

    #[test]
    fn a_fee_may_be_due_for_each_link_beyond_those_that_are_free() {
        let fee =
            "shape = { per_second = { amount = \"0.13\" } }\n[[plus]]\namount = \"0.04\"\neach = \"refs\"\nbeyond = 5";
        let links = |n: usize| json!({"duration": 5, "refs": vec!["https://x/y.png"; n]});
        assert_eq!(of(fee, links(5)).unwrap(), "$0.65");
        assert_eq!(of(fee, links(7)).unwrap(), "$0.73");
        assert_eq!(of(fee, json!({"duration": 5, "refs": "https://x/1, https://x/2"})).unwrap(), "$0.65");
        assert_eq!(of(fee, json!({"duration": 5})).unwrap(), "$0.65");
        assert_eq!(of(fee, json!({"duration": 5, "refs": 7})).unwrap(), "$0.73", "a number counts for itself");
    }

    #[test]
    fn every_shape_computes_exactly() {
        let veo2 = r#"shape = { base_plus = { base = "3.40", seconds = 5, extra = "0.68" } }"#;
        assert_eq!(of(veo2, json!({"duration": 5})).unwrap(), "$3.40");
        assert_eq!(of(veo2, json!({"duration": "8"})).unwrap(), "$5.44");
        let kling = "shape = { table = { by = [\"duration\"], amounts = { \"5\" = \"0.35\", \"10\" = \"0.70\" } } }\n[[times]]\namount = \"2\"\nwhen = { audio = [true] }";
        assert_eq!(of(kling, json!({"duration": 10, "audio": true})).unwrap(), "$1.40");
        assert_eq!(of(kling, json!({"duration": 7})), None, "a value outside the table has no price");
        let endless = json!({"duration": "79228162514264337593543950335"});
        assert_eq!(of("shape = { per_second = { amount = \"20\" } }", endless), None, "no overflow");
        let veo31 =
            r#"shape = { per_second_by = { by = ["resolution", "audio"], amounts = { "720p/false" = "0.20" } } }"#;
        assert_eq!(of(veo31, json!({"duration": 4, "resolution": "720p", "audio": false})).unwrap(), "$0.80");
        assert_eq!(of("shape = { plan = {} }", json!({})).unwrap(), "1 run");
        assert_eq!(of("shape = { unknown = { from = \"0.05\" } }", json!({"duration": 5})), None);
        let grok = "shape = { per_second = { amount = \"0.05\" } }\n[[plus]]\namount = \"0.002\"\nwhen = { image = [\"set\"] }";
        assert_eq!(of("shape = { per_clip = { amount = \"-1\" } }", json!({})), None, "a price makes no room");
        let floor = "least = \"0.30\"\nshape = { table = { by = [\"duration\"], amounts = { \"5\" = \"0.10\" } } }";
        assert_eq!(of(floor, json!({"duration": 5})).unwrap(), "$0.30");
        assert_eq!(of(floor, json!({"duration": 9})), None, "the least of what is unknown is no price");
        assert_eq!(of(grok, json!({"duration": 6, "image": "https://x"})).unwrap(), "$0.302");
        let omni = r#"shape = { per_second_by = { by = ["image?"], amounts = { none = "0.13", set = "0.14" } } }"#;
        assert_eq!(of(omni, json!({"duration": 10})).unwrap(), "$1.30");
        assert_eq!(of(omni, json!({"duration": 10, "image": "https://x"})).unwrap(), "$1.40");
        let flat = r#"as_of = "x", source = "a", shape = { per_clip = { amount = "1.00" } }"#;
        let timed = r#"as_of = "x", source = "b", shape = { per_second = { amount = "0.20" } }"#;
        let larger = format!("shape = {{ larger = {{ of = [{{ {flat} }}, {{ {timed} }}] }} }}");
        assert_eq!(of(&larger, json!({"duration": 4})).unwrap(), "$1.00");
        assert_eq!(of(&larger, json!({"duration": 6})).unwrap(), "$1.20");
        assert_eq!(of(&larger, json!({})).unwrap(), "$1.00", "the one that is known");
    }
}
