//! Rules: the one small vocabulary in which the catalogue says what a model accepts.
//!
//! Knows how a rule is checked against the values of a request. Must not know any model.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::problem::Problem;
use super::text::plain;

/// The parameters of a request, by the name the user knows them by.
pub type Values = BTreeMap<String, Value>;

/// One rule between parameters, perhaps only when another parameter has a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The parameter it speaks of; `prompt` is one too.
    pub field: String,
    /// What must hold.
    #[serde(flatten)]
    pub check: Check,
    /// Holds only when each of these parameters has one of these values (`"set"`: any value, `"none"`:
    /// left out).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Vec<Value>>,
    /// Where the rule stands: a seed's file name or a section of wire.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The vocabulary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// One of these values, compared as text.
    OneOf(Vec<Value>),
    /// A number in a range.
    Range(Range),
    /// Only together with this other parameter.
    Requires(String),
    /// Never together with this other parameter.
    Excludes(String),
    /// At most so many UTF-16 units, which is how the services count (wire.md 6).
    MaxLen(u32),
    /// At most so many bytes.
    MaxBytes(u64),
    /// Must be given.
    InputRequired(bool),
}

/// An inclusive range, in whole steps from `min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Smallest legal value.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub min: Decimal,
    /// Largest legal value.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub max: Decimal,
    /// Distance between legal values.
    #[serde(default = "one", with = "rust_decimal::serde::arbitrary_precision")]
    pub step: Decimal,
}

fn one() -> Decimal {
    Decimal::ONE
}

impl Range {
    /// Whether `n` is in the range and on a step.
    pub fn contains(&self, n: Decimal) -> bool {
        // A service's list may name any numbers; what cannot be computed is not in the range.
        let on_step = || n.checked_sub(self.min)?.checked_rem(self.step);
        n >= self.min && n <= self.max && (self.step.is_zero() || on_step().is_some_and(|rest| rest.is_zero()))
    }

    /// `5 to 15`, with the step where it is not 1.
    pub fn text(&self) -> String {
        let (min, max, step) = (self.min.normalize(), self.max.normalize(), self.step.normalize());
        if step == Decimal::ONE || step.is_zero() {
            format!("{min} to {max}")
        } else {
            format!("{min} to {max} in steps of {step}")
        }
    }
}

impl Check {
    /// The rule's name in the vocabulary.
    pub fn name(&self) -> &'static str {
        match self {
            Check::OneOf(_) => "one_of",
            Check::Range(_) => "range",
            Check::Requires(_) => "requires",
            Check::Excludes(_) => "excludes",
            Check::MaxLen(_) => "max_len",
            Check::MaxBytes(_) => "max_bytes",
            Check::InputRequired(_) => "input_required",
        }
    }
}

impl Rule {
    /// Checks the rule against the values of a request; `None` when it holds or does not apply.
    pub fn check(&self, values: &Values) -> Option<Problem> {
        let applies = self.when.iter().all(|(field, wanted)| {
            wanted.iter().any(|wanted| match values.get(field) {
                Some(value) => plain(wanted) == "set" || plain(wanted) == plain(value),
                None => plain(wanted) == "none",
            })
        });
        if !applies {
            return None;
        }
        let message = broken(&self.check, &self.field, values.get(&self.field), values)?;
        let when = self.condition();
        Some(Problem::new(&self.field, self.check.name(), message + &when))
    }

    fn condition(&self) -> String {
        let part = |(field, values): (&String, &Vec<Value>)| match values.as_slice() {
            [one] if plain(one) == "none" => format!("{field} is not"),
            [one] if plain(one) == "set" => format!("{field} is given"),
            _ => format!("{field} is {}", list(values)),
        };
        let parts: Vec<String> = self.when.iter().map(part).collect();
        if parts.is_empty() { String::new() } else { format!(" when {}", parts.join(" and ")) }
    }
}

/// What is wrong with `value` under `check`, as a sentence's end, or `None`.
pub fn broken(check: &Check, field: &str, value: Option<&Value>, values: &Values) -> Option<String> {
    match (check, value) {
        (Check::InputRequired(true), None) => Some("must be given".to_owned()),
        (Check::InputRequired(_), _) | (_, None) => None,
        (Check::OneOf(legal), Some(value)) => {
            let given = plain(value);
            (!legal.iter().any(|l| plain(l) == given))
                .then(|| format!("{given} is not offered; it takes {}", list(legal)))
        }
        (Check::Range(range), Some(value)) => match number(value) {
            Some(n) if range.contains(n) => None,
            _ => Some(format!("{} is not offered; it takes {}", plain(value), range.text())),
        },
        (Check::Requires(other), Some(_)) => (!values.contains_key(other)).then(|| format!("needs {other} beside it")),
        (Check::Excludes(other), Some(_)) => {
            (field != other && values.contains_key(other)).then(|| format!("cannot be sent together with {other}"))
        }
        (Check::MaxLen(max), Some(value)) => {
            let len = utf16_len(&plain(value));
            (len > u64::from(*max)).then(|| format!("has {len} characters; at most {max} are taken"))
        }
        (Check::MaxBytes(max), Some(value)) => {
            let len = plain(value).len() as u64;
            (len > *max).then(|| format!("has {len} bytes; at most {max} are taken"))
        }
    }
}

/// The number in a value, written as a number or as text.
pub fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(_) | Value::String(_) => Decimal::from_str_exact(&plain(value)).ok(),
        _ => None,
    }
}

/// Length in UTF-16 units.
pub fn utf16_len(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

/// Values as a list in a sentence: `4, 6 or 8`.
pub fn list(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(plain).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(json: Value) -> Rule {
        serde_json::from_value(json).unwrap()
    }

    fn values(json: Value) -> Values {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_rule_of_the_vocabulary_bites_and_names_itself() {
        let cases = [
            (json!({"field": "duration", "one_of": [4, 6, 8]}), json!({"duration": 5}), json!({"duration": "6"})),
            (
                json!({"field": "duration", "range": {"min": 5, "max": 15}}),
                json!({"duration": 4}),
                json!({"duration": 15}),
            ),
            (
                json!({"field": "cfg_scale", "range": {"min": 0, "max": 1, "step": 0.1}}),
                json!({"cfg_scale": 0.55}),
                json!({"cfg_scale": 0.5}),
            ),
            (
                json!({"field": "end_image", "requires": "image"}),
                json!({"end_image": "u"}),
                json!({"end_image": "u", "image": "v"}),
            ),
            (
                json!({"field": "video", "excludes": "image"}),
                json!({"video": "u", "image": "v"}),
                json!({"video": "u"}),
            ),
            (json!({"field": "prompt", "max_len": 3}), json!({"prompt": "a\u{1F600}b"}), json!({"prompt": "abc"})),
            (json!({"field": "x", "max_bytes": 2}), json!({"x": "abc"}), json!({"x": "ab"})),
            (json!({"field": "image", "input_required": true}), json!({}), json!({"image": "u"})),
        ];
        for (rule_json, bad, good) in cases {
            let rule = rule(rule_json.clone());
            let problem = rule.check(&values(bad)).unwrap_or_else(|| panic!("{rule_json} did not bite"));
            assert_eq!(problem.rule, rule.check.name());
            assert_eq!(rule.check(&values(good)), None, "{rule_json}");
        }
    }

    #[test]
    fn a_range_of_numbers_nobody_means_is_no_panic() {
        let most = "79228162514264337593543950335";
        let range = |min: &str, max: &str, step: &str| {
            let n = |text: &str| text.parse::<Decimal>().unwrap();
            Range { min: n(min), max: n(max), step: n(step) }
        };
        assert!(!range(&format!("-{most}"), most, "1").contains(Decimal::from(5)));
        assert!(!range("0", most, "0.0000000000000000000000000011").contains(most.parse().unwrap()));
        let mut wide = crate::domain::Parameter::new("n", crate::domain::model::ParameterKind::Integer);
        wide.range = Some(range("0", most, "70000000000000000000000000000"));
        assert_eq!(wide.choices().len(), 2);
    }

    #[test]
    fn a_condition_limits_a_rule_to_where_it_applies() {
        let rule = rule(json!({"field": "resolution", "one_of": ["720p"], "when": {"duration": [10]}}));
        let problem = rule.check(&values(json!({"resolution": "1080p", "duration": "10"}))).unwrap();
        assert!(problem.message.ends_with("when duration is 10"), "{problem}");
        assert_eq!(rule.check(&values(json!({"resolution": "1080p", "duration": 5}))), None);
        let rule = self::rule(json!({"field": "prompt", "input_required": true, "when": {"script": ["none"]}}));
        assert_eq!(rule.check(&values(json!({}))).unwrap().message, "must be given when script is not");
        assert_eq!(rule.check(&values(json!({"script": "INT. KITCHEN"}))), None);
    }
}
