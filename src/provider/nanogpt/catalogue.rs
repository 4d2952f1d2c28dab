//! NanoGPT's own catalogue of video models (wire.md 1.9), read into descriptions.
//!
//! Knows its entries; what is not clear is left out, and a price that is not clear is unknown. Must
//! not know what the built-in catalogue says of the same models.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::domain::Service;
use crate::domain::model::{Model, Parameter, ParameterKind, Send};
use crate::domain::rule::{Range, number};
use crate::domain::text::{clean, is_hidden, plain};

use super::inputs;
use super::price::price;

/// Most models, parameters of one and options of one parameter that are read.
const MODELS_MAX: usize = 2_000;
const PARAMETERS_MAX: usize = 60;
const OPTIONS_MAX: usize = 200;

/// Reads a list of any age; `None` where there is none. A list of all kinds of models
/// (`mixed`) is read as far as its entries look like video.
pub(super) fn read(json: &Value, mixed: bool) -> Option<Vec<Model>> {
    let older = json.pointer("/models/video").and_then(Value::as_object).map(older_list);
    let entries = older.as_ref().or_else(|| json.get("data")?.as_array())?;
    let entries = entries.iter().filter(|entry| !mixed || is_video(entry));
    let as_of = json.pointer("/meta/generated_at").and_then(Value::as_str).and_then(|t| t.get(..10));
    let as_of = as_of.filter(|day| day.parse::<jiff::civil::Date>().is_ok()).unwrap_or("unknown");
    Some(entries.take(MODELS_MAX).filter_map(|entry| model(entry, as_of)).collect())
}

/// Entries of the older list, which is keyed by id, in the newer form (wire.md 1.2). What its `cost`
/// stands for is nowhere said, so a lone figure is the least that a clip can cost.
fn older_list(all: &Map<String, Value>) -> Vec<Value> {
    let newer = |(id, old): (&String, &Value)| {
        let get = |key: &str| old.get(key).cloned().unwrap_or(Value::Null);
        let pricing = match old.get("cost") {
            Some(Value::Object(cost)) => Value::Object(cost.clone()),
            Some(cost) => json!({"minimum": cost, "raw": {}}),
            None => Value::Null,
        };
        let mut supported = json!({"parameters": get("additionalParams"), "defaults": get("defaultSettings")});
        if let Some(list) = old.get("resolutions").and_then(Value::as_array) {
            supported["resolutions"] = list.iter().map(|r| r.get("value").unwrap_or(r).clone()).collect();
        }
        json!({
            "id": id, "name": get("name"), "description": get("description"),
            "supported_parameters": supported, "pricing": pricing,
        })
    };
    all.iter().map(newer).collect()
}

/// Whether an entry of a list of all kinds of models makes video.
fn is_video(entry: &Value) -> bool {
    let text = |place: &str| entry.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let outputs = entry.pointer("/architecture/output_modalities").and_then(Value::as_array);
    let modality = text("/architecture/modality");
    entry.pointer("/capabilities/video_generation") == Some(&Value::Bool(true))
        || outputs.is_some_and(|outputs| outputs.iter().any(|output| output == "video"))
        || modality == "video"
        || modality.ends_with("->video")
        || [text("/type"), text("/category")].iter().any(|word| word.eq_ignore_ascii_case("video"))
}

fn model(entry: &Value, as_of: &str) -> Option<Model> {
    let id = entry.get("id")?.as_str()?;
    if id.is_empty() || id.len() > 200 || id.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
        return None;
    }
    let text = |key: &str, max| entry.get(key).and_then(Value::as_str).map(|t| clean(t, max)).filter(|t| !t.is_empty());
    let mut parameters = parameters(entry, id);
    for (key, name) in [("/pricing/default_duration", "duration"), ("/pricing/default_resolution", "resolution")] {
        let own = parameters.iter_mut().find(|p| p.name == name);
        own.into_iter().for_each(|own| fill(own, entry.pointer(key)));
    }
    let takes_text = entry.pointer("/architecture/input_modalities").and_then(Value::as_array);
    let price = price(entry.get("pricing").unwrap_or(&Value::Null), &parameters, as_of);
    Some(Model {
        name: text("name", 80).unwrap_or_default(),
        best_for: text("description", 160),
        prompt_required: takes_text.is_none_or(|inputs| inputs.iter().any(|input| input == "text")),
        rules: inputs::by_mode(&parameters),
        parameters,
        ..Model::new(id, Service::Nanogpt, price, "discovered")
    })
}

/// Gives a parameter without a default the one that the price is told for, so that it is sent and
/// priced alike.
fn fill(parameter: &mut Parameter, default: Option<&Value>) {
    let listed = |d: &Value| parameter.one_of.iter().find(|option| plain(option) == plain(d)).cloned();
    if let (None, false, Some(default)) = (&parameter.default, parameter.required, default) {
        parameter.default = listed(default);
    }
}

fn parameters(entry: &Value, id: &str) -> Vec<Parameter> {
    let supported = entry.get("supported_parameters").unwrap_or(&Value::Null);
    let defaults = supported.get("defaults").unwrap_or(&Value::Null);
    let mut all: Vec<Parameter> = Vec::new();
    if let Some(described) = supported.get("parameters").and_then(Value::as_object) {
        for (wire, spec) in described.iter().take(PARAMETERS_MAX) {
            let default = spec.get("default").or_else(|| defaults.get(wire));
            all.extend(parameter(wire, spec, default));
        }
    }
    // Older entries list values flat, beside the parameters or in their place.
    for (list, wire) in [("durations", "duration"), ("aspect_ratios", "aspect_ratio"), ("resolutions", "resolution")] {
        let values = supported.get(list).or_else(|| entry.get(list)).and_then(Value::as_array);
        if let Some(values) = values.filter(|v| !v.is_empty() && all.iter().all(|p| p.wire_key() != wire)) {
            let spec = serde_json::json!({"type": "select", "options": values});
            all.extend(parameter(wire, &spec, defaults.get(wire)));
        }
    }
    inputs::add(entry, id, &mut all);
    // Two keys for one concept would hide each other.
    let mut seen = Vec::new();
    all.retain(|p| {
        !seen.contains(&p.name) && {
            seen.push(p.name.clone());
            true
        }
    });
    all
}

/// Keys that rushes writes itself.
fn is_ours(wire: &str) -> bool {
    let lower = wire.to_ascii_lowercase();
    inputs::medium(&lower).is_some() || matches!(lower.as_str(), "model" | "prompt" | "conversationuuid")
}

fn parameter(wire: &str, spec: &Value, default: Option<&Value>) -> Option<Parameter> {
    let plain_key = wire.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && (1..=60).contains(&wire.len());
    if !plain_key || is_ours(wire) || !spec.is_object() {
        return None;
    }
    let mut options: Vec<Value> = Vec::new();
    if let Some(listed) = spec.get("options").and_then(Value::as_array) {
        let values = listed.iter().map(|option| option.get("value").unwrap_or(option));
        options.extend(values.filter(|v| v.is_string() || v.is_number() || v.is_boolean()).take(OPTIONS_MAX).cloned());
    }
    let word = spec.get("type").and_then(Value::as_str).unwrap_or("text");
    if let Some(input) = inputs::named(wire, word, spec) {
        return Some(input);
    }
    let mut kind = match word {
        "switch" | "boolean" => ParameterKind::Boolean,
        "integer" => ParameterKind::Integer,
        "number" | "slider" => ParameterKind::Number,
        "array" | "object" => ParameterKind::Json,
        _ => ParameterKind::Text,
    };
    let length = matches!(wire, "duration" | "seconds");
    let mut send = Send::Plain;
    if length {
        (kind, send) = length_kind(kind, &mut options, default);
    }
    let default = default.filter(|d| !d.is_null() && !plain(d).is_empty()).map(|d| bare_seconds(d, send));
    let fits = |d: &Value| options.is_empty() || options.iter().any(|option| plain(option) == plain(d));
    Some(Parameter {
        wire: Some(wire.to_owned()),
        default: default.filter(fits),
        one_of: options,
        range: range(spec, kind),
        required: spec.get("required") == Some(&Value::Bool(true)),
        send,
        note: spec.get("description").and_then(Value::as_str).map(|t| clean(t, 80)).filter(|t| !t.is_empty()),
        ..Parameter::new(common_name(wire, kind), kind)
    })
}

/// The name that a concept has everywhere, for the keys that models call it by (wire.md 1.3).
fn common_name(wire: &str, kind: ParameterKind) -> &str {
    match (wire, kind) {
        ("seconds", _) => "duration",
        ("generateAudio" | "generate_audio" | "sound", ParameterKind::Boolean) => "audio",
        (verbatim, _) => verbatim,
    }
}

/// How a length is offered: whole seconds wherever its values allow that, written back as listed.
fn length_kind(kind: ParameterKind, options: &mut [Value], default: Option<&Value>) -> (ParameterKind, Send) {
    let whole = |v: &Value| number(v).is_some_and(|n| n.fract().is_zero());
    if options.is_empty() {
        let text = default.is_some_and(Value::is_string);
        let kind = if kind == ParameterKind::Number { ParameterKind::Integer } else { kind };
        return (kind, if text && kind == ParameterKind::Integer { Send::Text } else { Send::Plain });
    }
    if options.iter().all(whole) {
        return (ParameterKind::Integer, Send::Plain);
    }
    let bare: Vec<Value> = options.iter().map(|option| bare_seconds(option, Send::Seconds)).collect();
    if bare.iter().all(whole) && options.iter().all(|option| plain(option).ends_with('s')) {
        options.clone_from_slice(&bare);
        return (ParameterKind::Integer, Send::Seconds);
    }
    (ParameterKind::Text, Send::Plain)
}

/// `"5s"` as 5 where that is how the wire writes seconds.
fn bare_seconds(value: &Value, send: Send) -> Value {
    let text = plain(value);
    match text.strip_suffix('s').and_then(|digits| digits.parse::<u32>().ok()) {
        Some(seconds) if send == Send::Seconds => Value::from(seconds),
        _ => value.clone(),
    }
}

fn range(spec: &Value, kind: ParameterKind) -> Option<Range> {
    if !matches!(kind, ParameterKind::Integer | ParameterKind::Number) {
        return None;
    }
    let get = |key: &str| spec.get(key).and_then(number);
    let whole = if kind == ParameterKind::Integer { Decimal::ONE } else { Decimal::ZERO };
    let step = get("step").filter(|step| step.is_sign_positive()).unwrap_or(whole);
    let (min, max) = (get("min")?, get("max")?);
    (min <= max).then_some(Range { min, max, step })
}
