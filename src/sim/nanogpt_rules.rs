//! What NanoGPT refuses and what it bills. It refuses little: a value it does not offer is made
//! at the default and billed (wire.md 6, "9000p"), so choosing well is the client's job. Knows
//! bodies, no sockets.

use crate::sim::call::{number, reply, utf16};
use crate::sim::clip::parts;
use crate::sim::nanogpt_prices::{Extra, Listing, Price, Takes, listing};
use axum::response::Response;
use base64::Engine;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// An order as understood.
#[derive(Debug)]
pub struct Order {
    pub model: &'static Listing,
    pub prompt: String,
    pub price: Decimal,
    pub seconds: u32,
    pub aspect: String,
    pub lines: u32,
}

/// `{"error":"text","status":n}` (seed 002).
pub fn plain(status: u16, text: &str) -> Response {
    reply(status, &json!({"error": text, "status": status}))
}

/// The content-policy answer, word for word (seed 002).
pub fn blocked() -> Response {
    let say = "Your prompt was blocked due to safety concerns. Please modify your prompt.";
    let error = json!({"message": say, "type": "CONTENT_POLICY_VIOLATION"});
    reply(400, &json!({"error": error, "status": 400}))
}

/// 402 with the exact price (wire.md 1.6).
pub fn too_dear(price: Decimal) -> Response {
    let body = json!({
        "error": "Insufficient balance", "requiredBalance": number(price), "status": 402,
    });
    reply(402, &body)
}

/// Reads a body. Unknown keys are ignored (seed 003).
pub fn read(body: &Value) -> Result<Order, Response> {
    let Some(id) = body["model"].as_str().filter(|id| !id.is_empty()) else {
        return Err(plain(400, "Missing required field: model"));
    };
    let Some(model) = listing(id) else {
        // wire.md 1.6: 404 for an unknown model; the OpenAI-like shape is one of its envelopes.
        let error = json!({
            "message": format!("Model {id} not found"), "code": "model_not_found",
            "type": "invalid_request_error", "param": "model",
        });
        return Err(reply(404, &json!({"error": error})));
    };
    let prompt = body["prompt"].as_str().unwrap_or_default().to_owned();
    let needs_words = matches!(model.takes, Takes::Text | Takes::TextOrImage);
    if needs_words && prompt.trim().is_empty() {
        return Err(plain(400, "Prompt is required"));
    }
    prompt_fits(model, &prompt)?;
    let media = Media::read(body)?;
    media.suit(model)?;
    // "Required by kling-lipsync-t2v" (seed 003).
    if id == "kling-lipsync-t2v" && body["voice_id"].as_str().is_none_or(str::is_empty) {
        return Err(plain(400, "voice_id is required"));
    }
    let seconds = seconds(body, model);
    Ok(Order {
        price: price(body, model, &media, seconds),
        seconds,
        aspect: aspect(body, model),
        lines: lines(body, model),
        model,
        prompt,
    })
}

/// Two of the shapes that were seen for a long prompt (wire.md 1.6).
fn prompt_fits(model: &Listing, prompt: &str) -> Result<(), Response> {
    if utf16(prompt) <= model.prompt {
        return Ok(());
    }
    let most = model.prompt;
    let say = format!("Prompt is too long. Please keep it under {most} characters.");
    Err(if model.prompt == 2000 {
        let error = json!({"message": say, "code": "prompt_too_long"});
        reply(400, &json!({"error": error}))
    } else {
        reply(400, &json!({"error": say}))
    })
}

/// The media a body carries.
#[derive(Debug, Default)]
struct Media {
    image: bool,
    video: bool,
    references: usize,
}

impl Media {
    fn read(body: &Value) -> Result<Self, Response> {
        let mut media = Self::default();
        // `image_data_url` and `image` are aliases of `imageDataUrl` (wire.md 1.3).
        for key in ["imageDataUrl", "image_data_url", "image"] {
            let Some(text) = body[key].as_str().filter(|text| !text.is_empty()) else {
                continue;
            };
            media.image = true;
            let inline = text.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
            let sound = match inline {
                Some((_, data)) => base64::engine::general_purpose::STANDARD.decode(data).is_ok(),
                None => key == "image" && text.starts_with("https://"),
            };
            if !sound {
                return Err(plain(400, "Invalid image data URL"));
            }
        }
        if let Some(link) = body["imageUrl"].as_str().filter(|link| !link.is_empty()) {
            media.image = true;
            // "a public HTTPS link" (seed 002).
            if !link.starts_with("https://") {
                return Err(plain(400, "imageUrl must be a public HTTPS URL"));
            }
        }
        let given = |key: &str| body[key].as_str().is_some_and(|text| !text.is_empty());
        media.image |= given("imageAttachmentId");
        media.video = ["video", "videoUrl", "videoDataUrl", "videoAttachmentId"].into_iter().any(given)
            || body["referenceVideos"].as_array().is_some_and(|list| !list.is_empty());
        // Links only, a list inside a text (wire.md 6); the documents' name takes a true list.
        let listed = match &body["reference_images"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            Value::Array(list) => list.clone(),
            _ => Vec::new(),
        };
        if listed.iter().any(|item| item.as_str().is_some_and(|item| item.starts_with("data:"))) {
            return Err(plain(400, "reference_images must be public URLs"));
        }
        let camel = body["referenceImages"].as_array().map_or(0, Vec::len);
        media.references = listed.len().max(camel);
        Ok(media)
    }

    /// An image-only model without an image gets seed 002's sentence; media a model cannot use
    /// "often trigger validation errors" (seed 003).
    fn suit(&self, model: &Listing) -> Result<(), Response> {
        let name = model.name;
        if matches!(model.takes, Takes::Image | Takes::ImageAndVideo) && !self.image {
            let say = format!("{name} requires an input image. Please select an image to generate a video.");
            return Err(plain(400, &say));
        }
        if matches!(model.takes, Takes::Video | Takes::ImageAndVideo) && !self.video {
            let say = format!("{name} requires a source video.");
            return Err(plain(400, &say));
        }
        if model.takes == Takes::Text && self.image {
            return Err(plain(400, &format!("{name} does not support image input.")));
        }
        Ok(())
    }
}

/// The length that is made and billed: `"5s"`, `"5"` or `5` (wire.md 1.3), else frames by rate,
/// else the model's default.
fn seconds(body: &Value, model: &Listing) -> u32 {
    let given = ["duration", "seconds"].iter().find_map(|key| match &body[*key] {
        Value::String(text) => text.trim().trim_end_matches('s').trim().parse::<f64>().ok(),
        Value::Number(number) => number.as_f64(),
        _ => None,
    });
    let plain = |key: &str| match &body[key] {
        Value::String(text) => text.parse::<f64>().ok(),
        other => other.as_f64(),
    };
    let usual = f64::from(model.seconds.first().copied().unwrap_or(5));
    let framed = plain("num_frames").map(|n| n / plain("frames_per_second").unwrap_or(16.0).max(1.0));
    let seconds = given.or(framed.filter(|_| model.seconds.is_empty())).unwrap_or(usual);
    let most = match model.price {
        Price::Stretch { most, .. } => f64::from(most),
        _ => 600.0,
    };
    if seconds.is_finite() { seconds.clamp(1.0, most).round() as u32 } else { 5 }
}

/// Shape under any of the keys models use (wire.md 1.3).
fn aspect(body: &Value, model: &Listing) -> String {
    let text = |key: &str| body[key].as_str();
    let named = ["aspect_ratio", "aspectRatio", "resolution_ratio", "size", "resolution"];
    let given = named.iter().filter_map(|key| text(key)).find(|shape| parts(shape).is_some());
    let turned = match text("orientation") {
        Some("portrait") => Some("9:16"),
        Some("landscape") => Some("16:9"),
        _ => None,
    };
    let usual = model.shapes.iter().find(|shape| parts(shape).is_some());
    given.or(turned).or(usual.copied()).unwrap_or("16:9").to_owned()
}

/// The resolution the price goes by: as asked if offered, else the default. "9000p" was made at
/// 720p and billed (wire.md 6).
fn resolution<'a>(body: &'a Value, model: &Listing) -> &'a str {
    match body["resolution"].as_str() {
        Some(asked) if model.lines.contains(&asked) => asked,
        _ => model.lines.first().copied().unwrap_or("720p"),
    }
}

fn lines(body: &Value, model: &Listing) -> u32 {
    match resolution(body, model) {
        "2k" => 1440,
        "4k" => 2160,
        named => match parts(named) {
            Some((across, down)) => across.min(down),
            None => named.trim_end_matches('p').parse().unwrap_or(720),
        },
    }
}

fn truthy(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || value.as_str().is_some_and(|text| text == "true" || text == "on")
}

/// Whether sound is billed: as asked, else the catalogue's default (wire.md 1.9 b).
fn sounds(body: &Value, model: &Listing) -> bool {
    model.sound.is_some_and(|(key, usual)| match &body[key] {
        Value::Null => usual,
        given => truthy(given),
    })
}

/// A typed amount.
pub fn dollars(text: &str) -> Decimal {
    text.parse().expect("the price list is typed as decimals, and a test reads every one")
}

fn by_lines(table: &[(&str, &str)], named: &str) -> Decimal {
    // A resolution that is offered but has no published price pays the dearest.
    let found = table.iter().find(|(lines, _)| *lines == named).or(table.last());
    found.map_or(Decimal::ZERO, |(_, amount)| dollars(amount))
}

fn price(body: &Value, model: &Listing, media: &Media, seconds: u32) -> Decimal {
    let long = Decimal::from(seconds);
    let named = resolution(body, model);
    let sound = sounds(body, model);
    let base = match model.price {
        Price::Clip(amount) => dollars(amount),
        Price::Sound(silent, loud) => dollars(if sound { loud } else { silent }),
        Price::Second(amount) => dollars(amount) * long,
        Price::SecondSound(silent, loud) => dollars(if sound { loud } else { silent }) * long,
        Price::SecondBy(table) => by_lines(table, named) * long,
        Price::ClipBy(table) => by_lines(table, named),
        Price::FiveBy(table) => by_lines(table, named) * long / Decimal::from(5),
        Price::Length(table) => {
            let exact = table.iter().find(|(length, _)| *length == seconds);
            let (length, amount) = exact.or(table.first()).copied().unwrap_or((5, "0"));
            dollars(amount) * long / Decimal::from(length)
        }
        Price::Stretch { base, seconds: first, extra, .. } => {
            let more = Decimal::from(seconds.saturating_sub(first));
            dollars(base) + dollars(extra) * more
        }
        Price::TextOrImage { text, silent, sound: loud } => {
            let from_image = dollars(if sound { loud } else { silent });
            let each = if media.image { from_image } else { by_lines(text, named) };
            each * long
        }
    };
    let frames = body["num_frames"].as_u64().unwrap_or(0);
    let total = match model.extra {
        Extra::Sound(factor) | Extra::ListedSound(_, factor) if sound => base * dollars(factor),
        Extra::Pro(factor) if truthy(&body["pro_mode"]) || truthy(&body["pro"]) => {
            // Sora's other size costs more still: 0.50 instead of 0.30 a second.
            let factor = if named == "1792x1024" { "5" } else { factor };
            base * dollars(factor)
        }
        Extra::Frames(most, factor) if frames > u64::from(most) => base * dollars(factor),
        Extra::Video(factor) if media.video => base * dollars(factor),
        Extra::Image(amount) if media.image => base + dollars(amount),
        Extra::References(free, amount) => {
            let more = media.references.saturating_sub(free);
            base + dollars(amount) * Decimal::from(more)
        }
        _ => base,
    };
    total.round_dp(8).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(body: Value) -> String {
        read(&body).unwrap().price.to_string()
    }

    #[test]
    fn every_typed_amount_is_a_decimal() {
        for model in crate::sim::nanogpt_prices::MODELS {
            let image = "https://example.com/a.jpg";
            let body = json!({
                "model": model.id, "prompt": "a", "videoUrl": image, "voice_id": "x",
                "imageUrl": (model.takes != Takes::Text).then_some(image),
            });
            assert!(read(&body).unwrap().price > Decimal::ZERO, "{}", model.id);
        }
    }

    #[test]
    fn published_prices() {
        let p = |mut body: Value| {
            body["prompt"] = json!("a");
            costs(body)
        };
        // wire.md 1.10, row by row.
        assert_eq!(p(json!({"model": "veo2-video", "duration": "5s"})), "3.4");
        assert_eq!(p(json!({"model": "veo2-video", "duration": 8})), "5.44");
        assert_eq!(p(json!({"model": "veo2-video", "duration": "60"})), "20.4");
        assert_eq!(p(json!({"model": "veo3-video"})), "3.2");
        assert_eq!(p(json!({"model": "veo3-video", "generateAudio": true})), "4.8");
        assert_eq!(p(json!({"model": "veo3-1-video", "duration": "8", "resolution": "1080p"})), "5.2");
        assert_eq!(p(json!({"model": "kling-v26-pro", "duration": "10", "sound": true})), "1.4");
        assert_eq!(p(json!({"model": "seedance-video", "duration": "10", "resolution": "1080p"})), "1.14");
        assert_eq!(p(json!({"model": "hunyuan-video", "pro_mode": true})), "0.8");
        assert_eq!(p(json!({"model": "runway-gen-45", "duration": "8"})), "1.056");
        assert_eq!(p(json!({"model": "sora-2", "seconds": "12"})), "1.2");
        assert_eq!(p(json!({"model": "grok-imagine-video", "imageUrl": "https://a/b"})), "0.302");
        // wire.md 6: charged 0.60 though 0.35 is listed; sound is on when left out.
        assert_eq!(p(json!({"model": "bytedance-seedance-2-0-fast"})), "0.6");
        assert_eq!(p(json!({"model": "bytedance-seedance-v1.5-pro"})), "0.26");
        let silent = json!({"model": "bytedance-seedance-v1.5-pro", "generateAudio": false});
        assert_eq!(p(silent), "0.13");
    }

    #[test]
    fn what_is_not_offered_is_made_at_the_default_and_billed() {
        let body = json!({
            "model": "bytedance/seedance-2.5", "prompt": "a", "duration": "5",
            "resolution": "9000p", "nonsense": [1],
        });
        let order = read(&body).unwrap();
        assert_eq!((order.price.to_string().as_str(), order.lines), ("1.8", 720), "wire.md 6");
    }

    #[test]
    fn shapes_under_all_their_names() {
        let shape = |mut body: Value| {
            body["model"] = json!("sora-2");
            body["prompt"] = json!("a");
            read(&body).unwrap().aspect
        };
        assert_eq!(shape(json!({"aspect_ratio": "9:16"})), "9:16");
        assert_eq!(shape(json!({"orientation": "portrait"})), "9:16");
        assert_eq!(shape(json!({"resolution": "1792x1024"})), "1792x1024");
        assert_eq!(shape(json!({"aspect_ratio": "auto"})), "16:9");
    }
}
