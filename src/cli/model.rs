//! One model, whole: everything its description says, as lines for people and as JSON.
//!
//! Knows how a parameter, a rule and a price are written. Must not know which models are asked for.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::out::Out;
use crate::domain::model::{Advice, Parameter, ParameterKind};
use crate::domain::rule::{Check, Rule, list};
use crate::domain::text::{clean, plain};
use crate::domain::{Model, Offer, Request};

/// A documented field of a service that no order carries.
#[derive(Clone, Debug)]
pub struct NotSent {
    /// Its key on the wire.
    pub name: String,
    /// Why it is not sent.
    pub reason: String,
    /// Where it stands.
    pub source: String,
}

impl NotSent {
    /// As JSON.
    pub fn json(&self) -> Value {
        json!({"name": self.name, "reason": self.reason, "source": self.source})
    }
}

/// Prints one model, whole, and the fields of its service that no order carries.
pub fn tell(offer: &Offer, not_sent: &[NotSent], out: &mut Out) {
    let model = &offer.model;
    out.line(offer.model_ref());
    for (name, value) in facts(offer) {
        out.line(format_args!("  {name:<11} {}", clean(&value, 600)));
    }
    section("parameters", &model.parameters, out);
    for rule in &model.rules {
        out.line(format_args!("  {:<11} {}", "rule", clean(&rule_text(rule), 600)));
    }
    section("further fields of its service, sent only when given", &model.advanced, out);
    if !not_sent.is_empty() {
        out.line("");
        out.line("  fields of its service that no order carries");
    }
    for NotSent { name, reason, source } in not_sent {
        out.line(format_args!("  {name:<28} {}", clean(&format!("{reason}; ({source})"), 600)));
    }
}

fn section(title: &str, parameters: &[Parameter], out: &mut Out) {
    if !parameters.is_empty() {
        out.line("");
        out.line(format_args!("  {title}"));
    }
    for parameter in parameters {
        let mut said = vec![takes(parameter)];
        said.extend(parameter.bills.then(|| "the price is unknown when it is given".to_owned()));
        said.extend(parameter.note.clone());
        said.extend(parameter.source.as_ref().map(|source| format!("({source})")));
        out.line(format_args!("  {:<28} {}", parameter.name, clean(&said.join("; "), 600)));
    }
}

fn facts(offer: &Offer) -> Vec<(&'static str, String)> {
    let model = &offer.model;
    let price = &model.price;
    let bare = Request::new(&offer.model_ref(), "");
    let prompt = match (model.prompt_required, model.prompt_max) {
        (true, None) => "needed".to_owned(),
        (false, None) => "optional".to_owned(),
        (needed, Some(max)) => format!("{}, at most {max} characters", if needed { "needed" } else { "optional" }),
    };
    let facts = [
        ("name", Some(model.title().to_owned()).filter(|name| *name != model.id)),
        ("maker", model.maker.clone()),
        ("best for", model.best_for.clone()),
        ("speed", model.speed.map(|speed| format!("{} to {} s quoted", speed.min, speed.max))),
        ("advice", model.advice.map(|advice| advice_text(advice).to_owned())),
        ("plan", model.plan.as_ref().map(|plan| format!("needs {plan}"))),
        ("interface", model.generation.clone()),
        ("prompt", Some(prompt)),
        ("price", Some(format!("{} (as of {}, {})", price.text(), price.as_of, price.source))),
        ("at defaults", offer.reservation(&bare).map(|money| money.to_string())),
        ("drift", offer.drift(&bare).map(|drift| drift.text(&TimeZone::system()))),
        ("extended by", Some(model.extended_by.join(", ")).filter(|by| !by.is_empty())),
        ("gone", model.gone.then(|| "no longer listed by its service".to_owned())),
        ("described", Some(model.source.clone())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Advice on use, in words.
pub fn advice_text(advice: Advice) -> &'static str {
    match advice {
        Advice::Daily => "daily use",
        Advice::Balanced => "balanced",
        Advice::Sparingly => "use sparingly",
    }
}

/// What a parameter takes, in words.
fn takes(parameter: &Parameter) -> String {
    let values = match (&parameter.range, parameter.one_of.as_slice()) {
        (_, values @ [_, ..]) => list(values),
        (Some(range), []) => range.text(),
        (None, []) => match parameter.kind {
            ParameterKind::Integer => "a whole number",
            ParameterKind::Number => "a number",
            ParameterKind::Boolean => "true or false",
            ParameterKind::Text => "text",
            ParameterKind::Json => "JSON",
            ParameterKind::Links => "links",
            _ if parameter.wire_data.is_some() => "a URL or a file",
            _ => "a URL",
        }
        .to_owned(),
    };
    let limits = [
        parameter.max_len.map(|max| format!("at most {max} characters")),
        parameter.max_bytes.map(|max| format!("at most {max} bytes")),
        parameter.max_items.map(|max| format!("at most {max}")),
        parameter.default.as_ref().map(|default| format!("{} unless given", plain(default))),
        (parameter.required && parameter.default.is_none()).then(|| "needed".to_owned()),
    ];
    std::iter::once(values).chain(limits.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

fn rule_text(rule: &Rule) -> String {
    let field = &rule.field;
    let what = match &rule.check {
        Check::OneOf(values) => format!("{field} is {}", list(values)),
        Check::Range(range) => format!("{field} is {}", range.text()),
        Check::Requires(other) => format!("{field} needs {other}"),
        Check::Excludes(other) => format!("{field} excludes {other}"),
        Check::MaxLen(max) => format!("{field} has at most {max} characters"),
        Check::MaxBytes(max) => format!("{field} has at most {max} bytes"),
        Check::InputRequired(needed) => format!("{field} is {}", if *needed { "needed" } else { "not needed" }),
    };
    let when = conditions(rule);
    if when.is_empty() { what } else { format!("{what} when {}", when.join(" and ")) }
}

fn conditions(rule: &Rule) -> Vec<String> {
    rule.when.iter().map(|(field, values)| format!("{field} is {}", list(values))).collect()
}

/// Parameters as JSON.
pub fn parameters(parameters: &[Parameter]) -> Vec<Value> {
    let one = |parameter: &Parameter| {
        json!({
            "name": parameter.name, "wire": parameter.wire_key(), "wire_data": parameter.wire_data,
            "type": parameter.kind, "required": parameter.required, "default": parameter.default,
            "one_of": parameter.choices(), "range": parameter.range, "max_len": parameter.max_len,
            "max_bytes": parameter.max_bytes, "max_items": parameter.max_items, "bills": parameter.bills,
            "note": parameter.note, "source": parameter.source,
        })
    };
    parameters.iter().map(one).collect()
}

/// Rules as JSON, each with what it says in words.
pub fn rules(model: &Model) -> Vec<Value> {
    let one = |rule: &Rule| {
        json!({"field": rule.field, "rule": rule.check.name(), "when": conditions(rule), "text": rule_text(rule),
               "source": rule.source})
    };
    model.rules.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_further_fields_and_rules_are_told_whole() {
        let text = r#"
            id = "m"
            service = "nanogpt"
            source = "003"
            extended_by = ["m-extend"]
            price = { as_of = "2026-08-27", source = "003", shape = { per_clip = { amount = "0.35" } } }
            parameters = [{ name = "refs", type = "links", max_items = 4, note = "in their order" }]
            rules = [{ field = "refs", excludes = "image", when = { mode = ["fast"] } }]
        "#;
        let mut model: Model = toml::from_str(text).unwrap();
        let billing = Parameter { bills: true, ..Parameter::new("num_frames", ParameterKind::Integer) };
        model.advanced = std::sync::Arc::new(vec![billing]);
        assert_eq!(takes(&model.parameters[0]), "links, at most 4");
        assert_eq!(rules(&model)[0]["text"], "refs excludes image when mode is fast");
        let told = parameters(&model.advanced);
        assert_eq!((&told[0]["name"], &told[0]["bills"]), (&json!("num_frames"), &json!(true)));
        let facts = facts(&Offer::new("n", model));
        assert!(facts.contains(&("extended by", "m-extend".to_owned())), "{facts:?}");
        assert!(facts.contains(&("at defaults", "$0.35".to_owned())), "{facts:?}");
    }
}
