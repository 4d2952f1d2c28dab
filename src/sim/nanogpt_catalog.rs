//! NanoGPT's catalogue, `GET /api/v1/video-models` (wire.md 1.9), written from the price list.
//! Where the list knows a trap, the catalogue shows the wrong figure, as the service does.

use crate::sim::Simulation;
use crate::sim::call::{Call, number, reply, with};
use crate::sim::clock::iso;
use crate::sim::nanogpt_prices::{Extra, Listing, MODELS, Price, Takes};
use crate::sim::nanogpt_rules::dollars;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The list; no key needed, cacheable. `detailed=false` leaves ids.
pub async fn video_models(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let detailed = call.asked("detailed") != Some("false");
    let data: Vec<Value> = MODELS.iter().map(|model| if detailed { entry(model) } else { brief(model) }).collect();
    let meta = json!({"count": data.len(), "generated_at": iso(simulation.clock.now())});
    let response = reply(200, &json!({"object": "list", "data": data, "meta": meta}));
    with(response, "cache-control", "public, max-age=300")
}

fn brief(model: &Listing) -> Value {
    json!({"id": model.id, "object": "model", "created": 1_767_225_600})
}

fn entry(model: &Listing) -> Value {
    let inputs: &[&str] = match model.takes {
        Takes::Text => &["text"],
        Takes::TextOrImage => &["text", "image"],
        Takes::Image => &["image"],
        Takes::Video => &["text", "video"],
        Takes::ImageAndVideo => &["image", "video"],
    };
    let note = if model.sure { "" } else { " Price made up by the simulator." };
    let mut entry = brief(model);
    entry["name"] = json!(model.name);
    entry["description"] = json!(format!("{}, simulated.{note}", model.name));
    entry["tags"] = json!(inputs);
    entry["architecture"] = json!({
        "modality": format!("{}->video", inputs.join("+")),
        "input_modalities": inputs,
        "output_modalities": ["video"],
    });
    entry["capabilities"] = json!({
        "video_generation": true,
        // Extend and edit models are mislabelled so (wire.md 1.9).
        "text_to_video": !matches!(model.takes, Takes::Image | Takes::ImageAndVideo),
        "image_to_video": !matches!(model.takes, Takes::Text | Takes::Video),
        "video_to_video": matches!(model.takes, Takes::Video | Takes::ImageAndVideo),
        "audio_generation": model.sound.is_some(),
        "nsfw": false,
    });
    entry["supported_parameters"] = parameters(model);
    entry["pricing"] = pricing(model);
    entry
}

/// Options are texts, `duration` too (wire.md 1.3).
fn parameters(model: &Listing) -> Value {
    let mut all = Map::new();
    let mut defaults = Map::new();
    let mut select = |name: &str, label: &str, options: Vec<String>| {
        let Some(first) = options.first().cloned() else {
            return;
        };
        let options: Vec<Value> = options.iter().map(|value| json!({"value": value, "label": value})).collect();
        let field = json!({"type": "select", "label": label, "default": first, "options": options});
        all.insert(name.to_owned(), field);
        defaults.insert(name.to_owned(), json!(first));
    };
    let length = if model.id.starts_with("sora") { "seconds" } else { "duration" };
    select(length, "Duration", model.seconds.iter().map(u32::to_string).collect());
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    select("aspect_ratio", "Aspect ratio", texts(model.shapes));
    select("resolution", "Resolution", texts(model.lines));
    if model.id.starts_with("sora") {
        select("orientation", "Orientation", texts(&["landscape", "portrait"]));
    }
    if let Some((name, on)) = model.sound {
        let field = json!({"type": "switch", "label": "Audio", "default": on});
        all.insert(name.to_owned(), field);
        defaults.insert(name.to_owned(), json!(on));
    }
    if matches!(model.extra, Extra::Pro(_)) {
        let field = json!({"type": "switch", "label": "Pro mode", "default": false});
        all.insert("pro_mode".to_owned(), field);
        defaults.insert("pro_mode".to_owned(), json!(false));
    }
    json!({"parameters": all, "defaults": defaults})
}

/// The price in one of the catalogue's many shapes (wire.md 1.9).
fn pricing(model: &Listing) -> Value {
    let money = |text: &str| number(dollars(text));
    let table = |rows: &[(&str, &str)]| -> Value {
        let rows = rows.iter().map(|(name, amount)| ((*name).to_owned(), money(amount)));
        Value::Object(rows.collect())
    };
    let mut price = match model.price {
        Price::Clip(amount) => json!({"per_video": money(amount)}),
        Price::Sound(silent, loud) => json!({
            "without_audio": money(silent), "with_audio": money(loud),
            "fixed_duration_seconds": model.seconds.first(),
        }),
        Price::Second(amount) => json!({"per_second": money(amount)}),
        Price::SecondSound(silent, loud) => json!({
            "text_to_video_without_audio_per_second": money(silent),
            "text_to_video_with_audio_per_second": money(loud),
            "image_to_video_without_audio_per_second": money(silent),
            "image_to_video_with_audio_per_second": money(loud),
        }),
        Price::SecondBy(rows) => json!({"per_second_by_resolution": table(rows)}),
        Price::ClipBy(rows) => json!({"per_resolution": table(rows)}),
        Price::Length(rows) => {
            let rows = rows.iter().map(|(length, amount)| (length.to_string(), money(amount)));
            json!({"per_duration": rows.collect::<Map<_, _>>()})
        }
        Price::FiveBy(rows) => json!({
            "base_prices_by_resolution": table(rows), "base_duration": 5,
            "duration_multipliers": {"5": 1, "10": 2},
        }),
        Price::Stretch { base, seconds, extra, most } => json!({
            "base_price": money(base), "base_duration": seconds,
            "per_extra_second": money(extra), "max_duration": most,
        }),
        Price::TextOrImage { text, silent, sound } => json!({
            "text_to_video_per_second": table(text),
            "image_to_video_without_audio_per_second": money(silent),
            "image_to_video_with_audio_per_second": money(sound),
        }),
    };
    match model.extra {
        Extra::Sound(factor) => price["audio_multiplier"] = money(factor),
        Extra::Pro(factor) => price["pro_multiplier"] = money(factor),
        Extra::Image(amount) => price["image_input_fee"] = money(amount),
        Extra::References(free, amount) => {
            price["included_reference_images"] = json!(free);
            price["extra_reference_image"] = money(amount);
        }
        // The opaque `raw` table quotes less than is charged (wire.md 1.9 a, 6).
        Extra::Listed(factor) | Extra::ListedSound(factor, _) => {
            let shown = |text: &str| number((dollars(text) * dollars(factor)).round_dp(4));
            let rows = match model.price {
                Price::SecondBy(rows) => {
                    rows.iter().map(|(name, amount)| ((*name).to_owned(), shown(amount))).collect::<Map<_, _>>()
                }
                Price::Second(amount) => Map::from_iter([("720p".to_owned(), shown(amount))]),
                _ => Map::new(),
            };
            price = json!({"raw": {"type": "per_second_by_resolution", "prices": rows}});
        }
        Extra::None | Extra::Frames(..) | Extra::Video(_) => {}
    }
    price["currency"] = json!("USD");
    price
}
