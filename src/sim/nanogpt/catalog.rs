//! The catalogue, `GET /api/v1/video-models` (wire.md 1.9): what is charged in the service's many
//! pricing keys and parameter types, and less than is charged where it is known to say less.

use crate::sim::Simulation;
use crate::sim::call::{Call, number, reply, with};
use crate::sim::clock::iso;
use crate::sim::nanogpt::models::{Input, Model, Parameter, models};
use crate::sim::service::{Service, mix};
use axum::extract::State;
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Which entries say less than is charged (switch `raw_price`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Underquotes {
    Some,
    None,
    All,
}

/// The list; no key needed, cacheable. `detailed=false` leaves ids.
pub async fn video_models(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let detailed = call.asked("detailed") != Some("false");
    let (moved, underquotes) = {
        let world = simulation.world();
        let underquotes = match world.variants.value(Service::NanoGpt, "raw_price").as_str() {
            "none" => Underquotes::None,
            "all" => Underquotes::All,
            _ => Underquotes::Some,
        };
        (world.variants.is(Service::NanoGpt, "catalogue", "moved"), underquotes)
    };
    let shown = models(moved).iter().filter(|model| !model.hidden);
    let data: Vec<Value> = shown
        .flat_map(|model| {
            let ids = std::iter::once(&model.id).chain(&model.also);
            ids.map(move |id| if detailed { entry(model, id, underquotes) } else { brief(id) })
        })
        .collect();
    let meta = json!({"count": data.len(), "generated_at": iso(simulation.clock.now())});
    let response = reply(200, &json!({"object": "list", "data": data, "meta": meta}));
    with(response, "cache-control", "public, max-age=300")
}

/// A number that is always the same for an id, so that entries differ as the service's do.
fn draw(id: &str) -> u64 {
    id.bytes().fold(7, |sum, byte| mix(sum, u64::from(byte)))
}

fn brief(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_735_689_600 + draw(id) % 31_536_000})
}

fn entry(model: &Model, id: &str, underquotes: Underquotes) -> Value {
    let modality = |input: &Input| match input {
        Input::Text | Input::Story | Input::Voice => Some("text"),
        Input::Image | Input::Last | Input::References | Input::Swap => Some("image"),
        Input::Video | Input::Target => Some("video"),
        Input::Audio => Some("audio"),
        // Not told: its key is another than a source video's.
        Input::ReferenceVideos => None,
    };
    let mut inputs: Vec<&str> = model.needs.iter().chain(&model.takes).filter_map(modality).collect();
    inputs.sort_unstable_by_key(|name| ["text", "image", "video", "audio"].iter().position(|known| known == name));
    inputs.dedup();
    let note = if model.own { " Price made up by the simulator." } else { "" };
    let text_alone = model.needs.iter().all(|input| matches!(input, Input::Text | Input::Story));
    let mut entry = brief(id);
    entry["name"] = json!(model.name);
    entry["description"] = json!(format!("{}, simulated.{note}", model.name));
    // Some entries lack them (wire.md 6).
    if !draw(id).is_multiple_of(3) {
        entry["tags"] = json!(inputs);
        entry["category"] = json!("video");
    }
    if draw(id).is_multiple_of(2) {
        entry["icon_url"] = json!(format!("/icons/{}.svg", id.split(['-', '/']).next().unwrap_or(id)));
        entry["label"] = json!(model.name);
    }
    // The documents' own example says no more than "video".
    let short = draw(id).is_multiple_of(5);
    let told = if short { "video".to_owned() } else { format!("{}->video", inputs.join("+")) };
    entry["architecture"] = json!({"modality": told, "input_modalities": inputs, "output_modalities": ["video"]});
    entry["capabilities"] = json!({
        "video_generation": true,
        "text_to_video": text_alone || model.mislabelled,
        "image_to_video": model.accepts(Input::Image),
        "video_to_video": model.accepts(Input::Video) || model.accepts(Input::Target),
        "audio_generation": model.sound().is_some(),
        "audio_input": model.accepts(Input::Audio),
        "nsfw": false,
    });
    entry["supported_parameters"] = if model.flat { lists(model) } else { parameters(model) };
    entry["pricing"] = pricing(model, underquotes);
    entry
}

/// Flat lists, as older entries have them: durations as numbers (wire.md 1.9).
fn lists(model: &Model) -> Value {
    let mut all = Map::new();
    for (name, list) in
        [("duration", "durations"), ("aspect_ratio", "aspect_ratios"), ("resolution", "resolutions"), ("size", "sizes")]
    {
        let Some(parameter) = model.parameter(name) else { continue };
        let number = |option: &String| option.parse::<u32>().map_or_else(|_| json!(option), |number| json!(number));
        all.insert(list.to_owned(), parameter.options.iter().map(number).collect());
    }
    Value::Object(all)
}

/// Fields by name. Option values are texts, `duration` too (wire.md 1.3).
fn parameters(model: &Model) -> Value {
    let mut all = Map::new();
    let mut defaults = Map::new();
    for (name, parameter) in model.parameters() {
        let usual = default(&parameter);
        let mut field = json!({"type": parameter.kind, "label": title(name)});
        if !parameter.options.is_empty() {
            let first = parameter.options.first().and_then(|option| option.parse::<f64>().ok());
            let options = parameter
                .options
                .iter()
                .map(|option| json!({"value": option, "label": label(name, option, first.filter(|_| model.labels))}));
            field["options"] = options.collect();
        }
        if let Some((least, most)) = parameter.range {
            let whole = |number: f64| if number.fract() == 0.0 { json!(number as i64) } else { json!(number) };
            (field["min"], field["max"]) = (whole(least), whole(most));
            let fine = parameter.kind == "number" || most - least <= 2.0;
            field["step"] = if fine { json!(0.1) } else { json!(1) };
        }
        if let Some(usual) = usual {
            field["default"] = usual.clone();
            defaults.insert(name.to_owned(), usual);
        }
        all.insert(name.to_owned(), field);
    }
    json!({"parameters": all, "defaults": defaults})
}

/// Switches have true and false, ranges numbers, the others texts.
fn default(parameter: &Parameter) -> Option<Value> {
    let usual = parameter.default.as_deref()?;
    Some(match parameter.kind.as_str() {
        "switch" | "boolean" => json!(usual == "true"),
        "slider" | "number" | "integer" => serde_json::from_str(usual).unwrap_or_else(|_| json!(usual)),
        _ => json!(usual),
    })
}

/// "aspect_ratio" as "Aspect ratio".
fn title(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// "10 seconds (2x price)" (wire.md 6), or the option itself.
fn label(name: &str, option: &str, first: Option<f64>) -> String {
    let seconds = option.trim_end_matches('s').parse::<f64>().ok().filter(|_| matches!(name, "duration" | "seconds"));
    match (seconds, first) {
        (Some(seconds), Some(first)) if seconds > first => format!("{seconds} seconds ({}x price)", seconds / first),
        (Some(seconds), _) => format!("{seconds} seconds"),
        _ => option.to_owned(),
    }
}

/// The price keys as JSON, amounts as numbers.
fn pricing(model: &Model, underquotes: Underquotes) -> Value {
    let listed = model.listed.as_ref().filter(|_| underquotes != Underquotes::None);
    let factor = (underquotes == Underquotes::All && listed.is_none()).then(|| Decimal::new(588, 3));
    let mut price = amounts(&toml::Value::Table(listed.unwrap_or(&model.price).clone()), factor);
    price["currency"] = json!("USD");
    price
}

fn amounts(value: &toml::Value, factor: Option<Decimal>) -> Value {
    match value {
        toml::Value::String(text) => match text.parse::<Decimal>() {
            Ok(amount) => number(factor.map_or(amount, |factor| (amount * factor).round_dp(4))),
            Err(_) => json!(text),
        },
        toml::Value::Integer(number) => json!(number),
        toml::Value::Array(list) => list.iter().map(|item| amounts(item, factor)).collect(),
        toml::Value::Table(table) => {
            // Factors stay what they are; only amounts are said too low.
            let rows = table.iter().map(|(name, item)| {
                let factor = factor.filter(|_| !name.contains("multiplier"));
                (name.clone(), amounts(item, factor))
            });
            Value::Object(rows.collect())
        }
        _ => Value::Null,
    }
}
