//! NanoGPT's prices as its catalogue writes them (wire.md 1.9), as far as our shapes can say the same.
//!
//! Knows the clear shapes among its many; one key that is not understood makes the whole price
//! unknown, since a price that is nearly right costs money. Must not guess.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::domain::Currency;
use crate::domain::model::{Parameter, ParameterKind};
use crate::domain::price::{Factor, Price, Shape};
use crate::domain::rule::number;

/// Keys that change no price we can state.
const HARMLESS: [&str; 5] =
    ["currency", "default_duration", "default_resolution", "supported_durations", "max_duration"];

/// Reads `pricing`.
pub(super) fn price(pricing: &Value, parameters: &[Parameter], as_of: &str) -> Price {
    let mut price = Price::unknown("discovered", as_of);
    let Some(pricing) = pricing.as_object() else { return price };
    let dollars = pricing.get("currency").is_none_or(|code| code == "USD");
    let read = Reading { pricing, parameters };
    match dollars.then(|| read.shape()).flatten() {
        Some((shape, times, plus)) => price = Price { currency: Currency::Usd, shape, times, plus, ..price },
        None => {
            let least = pricing.get("minimum").and_then(amount).filter(|_| dollars);
            price.shape = Shape::Unknown { from: least };
        }
    }
    price
}

struct Reading<'a> {
    pricing: &'a Map<String, Value>,
    parameters: &'a [Parameter],
}

impl Reading<'_> {
    fn shape(&self) -> Option<(Shape, Vec<Factor>, Vec<Factor>)> {
        let mut keys: Vec<&str> = self.pricing.keys().map(String::as_str).collect();
        keys.retain(|key| !HARMLESS.contains(key));
        let mut used = Vec::new();
        let (times, plus) = self.extras(&mut used)?;
        keys.retain(|key| !used.contains(key));
        keys.sort_unstable();
        let by = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let shape = match keys.as_slice() {
            ["per_video"] => Shape::PerClip { amount: self.amount("per_video")? },
            ["per_second"] => Shape::PerSecond { amount: self.amount("per_second")? },
            ["per_second_by_resolution"] => {
                self.takes("resolution")?;
                Shape::PerSecondBy { by: by(&["resolution"]), amounts: self.table("per_second_by_resolution")? }
            }
            ["per_second_by_mode"] => {
                self.takes("mode")?;
                Shape::PerSecondBy { by: by(&["mode"]), amounts: self.table("per_second_by_mode")? }
            }
            ["per_duration"] => Shape::Table { by: by(&["duration"]), amounts: self.table("per_duration")? },
            ["base_duration", "base_price", "per_extra_second"] => Shape::BasePlus {
                base: self.amount("base_price")?,
                seconds: u32::try_from(self.pricing.get("base_duration")?.as_u64()?).ok()?,
                extra: self.amount("per_extra_second")?,
            },
            ["base_duration", "base_prices_by_resolution", "duration_multipliers"]
            | ["base_prices_by_resolution", "duration_multipliers"] => {
                self.takes("resolution")?;
                let mut amounts = BTreeMap::new();
                for (length, factor) in self.table("duration_multipliers")? {
                    for (lines, base) in self.table("base_prices_by_resolution")? {
                        amounts.insert(format!("{length}/{lines}"), (base * factor).normalize());
                    }
                }
                Shape::Table { by: by(&["duration", "resolution"]), amounts }
            }
            ["with_audio", "without_audio"] | ["fixed_duration_seconds", "with_audio", "without_audio"] => {
                let pairs = [("true", self.amount("with_audio")?), ("false", self.amount("without_audio")?)];
                let amounts = pairs.into_iter().map(|(key, amount)| (key.to_owned(), amount)).collect();
                Shape::Table { by: vec![self.switch(&AUDIO)?.to_owned()], amounts }
            }
            _ => return None,
        };
        Some((shape, times, plus))
    }

    /// Factors and fees that hang on a switch or an input; `None` where one has nothing to hang on.
    fn extras(&self, used: &mut Vec<&'static str>) -> Option<(Vec<Factor>, Vec<Factor>)> {
        let on = |name: &str, value: Value| BTreeMap::from([(name.to_owned(), vec![value])]);
        let (mut times, mut plus) = (Vec::new(), Vec::new());
        for (key, names) in [("audio_multiplier", AUDIO.as_slice()), ("pro_multiplier", PRO.as_slice())] {
            if self.pricing.contains_key(key) {
                let when = on(self.switch(names)?, Value::Bool(true));
                times.push(Factor { amount: self.amount(key)?, when, ..Factor::default() });
                used.push(key);
            }
        }
        if self.pricing.contains_key("image_input_fee") {
            self.takes("image")?;
            let when = on("image", Value::from("set"));
            plus.push(Factor { amount: self.amount("image_input_fee")?, when, ..Factor::default() });
            used.push("image_input_fee");
        }
        Some((times, plus))
    }

    fn amount(&self, key: &str) -> Option<Decimal> {
        self.pricing.get(key).and_then(amount)
    }

    fn table(&self, key: &str) -> Option<BTreeMap<String, Decimal>> {
        let rows = self.pricing.get(key)?.as_object().filter(|rows| !rows.is_empty())?;
        rows.iter().map(|(name, value)| Some((name.clone(), amount(value)?))).collect()
    }

    fn takes(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The one switch of these names; two would leave open which one the price means.
    fn switch(&self, names: &[&str]) -> Option<&str> {
        let fits = |p: &&Parameter| p.kind == ParameterKind::Boolean && names.contains(&p.wire_key());
        let mut found = self.parameters.iter().filter(fits);
        let only = found.next()?;
        found.next().is_none().then_some(only.name.as_str())
    }
}

/// The keys for sound that models use (wire.md 1.3).
const AUDIO: [&str; 3] = ["generateAudio", "generate_audio", "sound"];
const PRO: [&str; 2] = ["pro_mode", "pro"];

fn amount(value: &Value) -> Option<Decimal> {
    number(value).filter(|n| !n.is_sign_negative())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameters() -> Vec<Parameter> {
        let toml = r#"list = [
            { name = "duration", type = "integer" }, { name = "resolution", type = "text" },
            { name = "sound", type = "boolean" }, { name = "image", type = "image" },
        ]"#;
        let table: BTreeMap<String, Vec<Parameter>> = toml::from_str(toml).unwrap();
        table["list"].clone()
    }

    fn of(pricing: Value, values: Value) -> Option<String> {
        let price = price(&pricing, &parameters(), "2026-08-21");
        price.of(&serde_json::from_value(values).unwrap()).map(|money| money.to_string())
    }

    #[test]
    fn clear_shapes_are_exact_and_everything_else_is_unknown() {
        let clip = json!({"duration": "10", "resolution": "720p", "sound": true});
        for (pricing, expected) in [
            (json!({"currency": "USD", "per_video": 0.05}), Some("$0.05")),
            (json!({"per_second": 0.084, "audio_multiplier": 1.5}), Some("$1.26")),
            (json!({"per_second_by_resolution": {"480p": 0.1, "720p": "0.2"}}), Some("$2.00")),
            (json!({"per_duration": {"5": 0.35, "10": 0.7}}), Some("$0.70")),
            (
                json!({"base_price": 3.4, "base_duration": 5, "per_extra_second": 0.68, "max_duration": 30}),
                Some("$6.80"),
            ),
            (
                json!({"base_prices_by_resolution": {"720p": 0.285}, "base_duration": 5, "duration_multipliers": {"5": 1, "10": 2}}),
                Some("$0.57"),
            ),
            (json!({"with_audio": 4.8, "without_audio": 3.2, "fixed_duration_seconds": 8}), Some("$4.80")),
            (json!({"per_second": 0.05, "high_resolution_per_second": 0.07}), None),
            (json!({"per_second": 0.05, "currency": "XNO"}), None),
            (json!({"per_second": 0.05, "pro_multiplier": 2}), None),
            (json!({"per_second": -1}), None),
            (json!({"per_resolution": {"720p": 0.1}}), None),
            (json!({"raw": {"type": "x"}}), None),
            (json!({}), None),
            (json!(null), None),
        ] {
            assert_eq!(of(pricing.clone(), clip.clone()).as_deref(), expected, "{pricing}");
        }
        let fee = json!({"per_second": 0.05, "image_input_fee": 0.002});
        assert_eq!(of(fee, json!({"duration": 6, "image": "https://x"})).unwrap(), "$0.302");
        let least = price(&json!({"minimum": 0.3, "raw": {}}), &[], "2026-08-21");
        assert_eq!(least.shape, Shape::Unknown { from: Some("0.3".parse().unwrap()) });
    }
}
