//! What NinjaChat's old generation accepts, and what it costs: eight models, flat prices. Typed
//! from seeds 000 and 001 and wire.md 2.3; knows no sockets.

use crate::sim::call::{reply, utf16};
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// One model.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    pub id: &'static str,
    /// Legal lengths in seconds (seed 000, "Duration limits").
    pub seconds: &'static [u32],
    /// Quoted speed in seconds, least and most (seed 000, "Available models").
    pub speed: (i64, i64),
    /// Flat dollars a video (seed 001; seed 000 leaves two cells blank).
    pub dollars: i64,
    /// Needs `image_url` (seed 000).
    pub image_required: bool,
    /// Ignores `aspect_ratio` (seeds 000 and 001).
    pub any_shape: bool,
}

const fn listing(id: &'static str, seconds: &'static [u32], speed: (i64, i64), dollars: i64) -> Listing {
    Listing { id, seconds, speed, dollars, image_required: false, any_shape: false }
}

const VEO_3: &[u32] = &[4, 6, 8];
const RUNWAY: &[u32] = &[5, 10];

/// The eight models (wire.md 2.3). google-veo-2 at 7 s: seed 000's table says "5, 6, or 8", its
/// other table and seed 001 say 5-8; the narrower one is taken.
pub const MODELS: [Listing; 8] = [
    Listing { any_shape: true, ..listing("seedance-2", &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], (60, 120), 3) },
    listing("kling-video", &[5, 6, 7, 8, 9, 10], (180, 240), 3),
    listing("google-veo-2", &[5, 6, 8], (35, 45), 3),
    listing("veo-3.1", VEO_3, (180, 300), 5),
    listing("veo-3.1-fast", VEO_3, (60, 120), 3),
    listing("google-veo-3-fast", VEO_3, (60, 120), 3),
    listing("runway-gen4.5", RUNWAY, (60, 180), 5),
    Listing { image_required: true, ..listing("runway-gen4-turbo", RUNWAY, (30, 60), 3) },
];

/// An order as understood.
#[derive(Debug)]
pub struct Order {
    pub model: &'static Listing,
    pub prompt: String,
    pub seconds: u32,
    pub aspect: String,
}

/// One broken rule: the field and the sentence.
pub type Detail = (&'static str, String);

/// Reads a body against seeds 000 and 001. All broken rules are told at once. Keys it does not
/// know are let pass: the old generation says nothing of them (wire.md 2.1).
pub fn read(body: &Value) -> Result<Order, Vec<Detail>> {
    let mut wrong: Vec<Detail> = Vec::new();
    let prompt = body["prompt"].as_str().unwrap_or_default().to_owned();
    if !body["prompt"].is_string() {
        wrong.push(("prompt", "prompt is required".to_owned()));
    } else if prompt.trim().is_empty() {
        wrong.push(("prompt", "prompt cannot be empty or whitespace-only".to_owned()));
    } else if utf16(&prompt) > 4000 {
        wrong.push(("prompt", "prompt must be at most 4000 characters".to_owned()));
    }
    let model = match &body["model"] {
        Value::Null => MODELS.first(),
        Value::String(id) => MODELS.iter().find(|model| model.id == id),
        _ => None,
    };
    if model.is_none() {
        let ids: Vec<&str> = MODELS.iter().map(|model| model.id).collect();
        wrong.push(("model", format!("model must be one of: {}", ids.join(", "))));
    }
    let seconds = match &body["duration"] {
        Value::Null => Some(8),
        given => whole(given),
    };
    match (seconds, model) {
        (None, _) => wrong.push(("duration", "duration must be an integer".to_owned())),
        (Some(seconds), _) if !(4..=15).contains(&seconds) => {
            wrong.push(("duration", "duration must be between 4 and 15".to_owned()));
        }
        (Some(seconds), Some(model)) if !model.seconds.contains(&seconds) => {
            let legal: Vec<String> = model.seconds.iter().map(u32::to_string).collect();
            wrong.push(("duration", format!("{} supports durations: {} seconds", model.id, legal.join(", "))));
        }
        _ => {}
    }
    let aspect = match &body["aspect_ratio"] {
        Value::Null => "16:9",
        Value::String(shape) if shape == "16:9" => "16:9",
        Value::String(shape) if shape == "9:16" => "9:16",
        _ => {
            wrong.push(("aspect_ratio", "aspect_ratio must be one of: 16:9, 9:16".to_owned()));
            "16:9"
        }
    };
    // Seed 000 wants HTTPS, seed 001 takes HTTP as well; the wider one is taken.
    match &body["image_url"] {
        Value::Null => {
            if let Some(model) = model.filter(|model| model.image_required) {
                wrong.push(("image_url", format!("{} requires image_url", model.id)));
            }
        }
        Value::String(link) if is_link(link) => {}
        _ => wrong.push(("image_url", "image_url must be an HTTP or HTTPS URL".to_owned())),
    }
    match (model, seconds) {
        (Some(model), Some(seconds)) if wrong.is_empty() => {
            Ok(Order { aspect: if model.any_shape { "16:9" } else { aspect }.to_owned(), model, prompt, seconds })
        }
        _ => Err(wrong),
    }
}

/// An integer as JavaScript sees one: `8` and `8.0`, not `"8"`.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64()?;
    let fits = number.fract() == 0.0 && (-1e6..1e6).contains(&number);
    fits.then_some(number.max(0.0) as u32)
}

fn is_link(link: &str) -> bool {
    url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// `$37.00` (seed 000), with more digits where there are more: `$4.820` (wire.md 2.4).
pub fn dollars(amount: Decimal) -> String {
    let digits = amount.normalize().scale().max(2) as usize;
    format!("${amount:.digits$}")
}

/// The flat envelope `{error, message}` (wire.md 2.1).
pub fn error(status: u16, code: &str, message: &str) -> Response {
    reply(status, &json!({"error": code, "message": message}))
}

/// 400 `validation_error` with `details` (wire.md 2.4).
pub fn invalid(wrong: &[Detail]) -> Response {
    let details: Vec<Value> =
        wrong.iter().map(|(field, message)| json!({"field": field, "message": message})).collect();
    let body = json!({
        "error": "validation_error",
        "message": "Request validation failed",
        "details": details,
    });
    reply(400, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: Value) -> Vec<&'static str> {
        read(&body).err().unwrap_or_default().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn defaults_are_seedance_eight_seconds_wide() {
        let order = read(&json!({"prompt": "a"})).unwrap();
        assert_eq!((order.model.id, order.seconds, &*order.aspect), ("seedance-2", 8, "16:9"));
    }

    #[test]
    fn the_default_length_is_illegal_for_runway() {
        assert_eq!(fields(json!({"prompt": "a", "model": "runway-gen4.5"})), ["duration"]);
        let both = fields(json!({"prompt": "a", "model": "runway-gen4-turbo"}));
        assert_eq!(both, ["duration", "image_url"]);
    }

    #[test]
    fn each_rule_of_the_seeds() {
        let long = "é".repeat(4001);
        for (body, field) in [
            (json!({}), "prompt"),
            (json!({"prompt": " \n"}), "prompt"),
            (json!({"prompt": long}), "prompt"),
            (json!({"prompt": "a", "model": "veo-9"}), "model"),
            (json!({"prompt": "a", "duration": "8"}), "duration"),
            (json!({"prompt": "a", "duration": 4}), "duration"),
            (json!({"prompt": "a", "duration": 16}), "duration"),
            (json!({"prompt": "a", "model": "veo-3.1", "duration": 5}), "duration"),
            (json!({"prompt": "a", "model": "google-veo-2", "duration": 7}), "duration"),
            (json!({"prompt": "a", "aspect_ratio": "1:1"}), "aspect_ratio"),
            (json!({"prompt": "a", "image_url": "ftp://x/y"}), "image_url"),
        ] {
            assert_eq!(fields(body.clone()), [field], "{body}");
        }
    }
}
