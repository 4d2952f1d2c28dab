//! One order as it is understood: which model, what is made of it, what it pays; or why not. Knows
//! bodies, no sockets and no bank.

use crate::sim::call::utf16;
use crate::sim::nanogpt::making::Making;
use crate::sim::nanogpt::media::Media;
use crate::sim::nanogpt::models::{Input, Model, model};
use crate::sim::nanogpt::refusals::{Envelope, Refusal};
use crate::sim::nanogpt::{bill, fields};
use crate::sim::service::Service;
use crate::sim::variants::Variants;
use rust_decimal::Decimal;
use serde_json::Value;

/// How the switches stand that orders depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct House {
    /// The list of another day.
    pub moved: bool,
    /// The user's library has an image.
    pub stocked: bool,
    /// The envelope of `prompt_too_long`, if not the model's own.
    pub too_long: Option<Envelope>,
    /// `conversationUUID` is not taken.
    pub no_conversations: bool,
}

impl House {
    /// Reads the switches.
    pub fn of(variants: &Variants) -> Self {
        let stands = |name: &str, value: &str| variants.is(Service::NanoGpt, name, value);
        Self {
            moved: stands("catalogue", "moved"),
            stocked: stands("library", "stocked"),
            too_long: match variants.value(Service::NanoGpt, "prompt_too_long").as_str() {
                "coded" => Some(Envelope::Coded),
                "nested" => Some(Envelope::Nested),
                "bare" => Some(Envelope::Bare),
                _ => None,
            },
            no_conversations: stands("conversation_uuid", "refused_submit"),
        }
    }
}

/// An order as understood.
#[derive(Debug)]
pub struct Reading {
    /// The id that was asked for; a model may have several.
    pub id: String,
    pub model: &'static Model,
    pub prompt: String,
    pub media: Media,
    pub making: Making,
    pub price: Decimal,
}

/// Reads a body. Unknown keys are ignored (seed 003).
pub fn read(body: &Value, house: House) -> Result<Reading, Refusal> {
    if !body.is_object() {
        return Err(Refusal::plain(400, "Invalid JSON in request body"));
    }
    let missing =
        || Refusal { param: Some("model".to_owned()), ..Refusal::plain(400, "Missing required field: model") };
    let id = match &body["model"] {
        Value::Null => return Err(missing()),
        Value::String(id) if !id.is_empty() => id,
        Value::String(_) => return Err(missing()),
        _ => return Err(Refusal::parameter("model", "Invalid type for 'model': expected string.")),
    };
    let Some(model) = model(id, house.moved) else {
        // wire.md 1.6: 404 for an unknown model; the OpenAI-like shape is one of its envelopes.
        let refusal = Refusal::coded(404, "model_not_found", &format!("Model {id} not found"));
        return Err(Refusal { param: Some("model".to_owned()), ..refusal });
    };
    fields::check(body, model)?;
    if house.no_conversations && !body["conversationUUID"].is_null() {
        return Err(Refusal::parameter("conversationUUID", "conversationUUID does not belong to this account."));
    }
    let prompt = words(body, model)?;
    prompt_fits(model, &prompt, house.too_long)?;
    let mut media = Media::read(body, model)?;
    media.suit(body, model, house.stocked)?;
    let making = Making::read(body, model, &media);
    let price = bill::price(model, &making, &media);
    Ok(Reading { id: id.clone(), model, prompt, media, making, price })
}

/// The prompt; a script takes precedence over it (seed 003, Body part).
fn words(body: &Value, model: &Model) -> Result<String, Refusal> {
    let text = |key: &str| body[key].as_str().filter(|text| !text.trim().is_empty());
    let prompt = text("prompt");
    let required = || {
        let refusal = Refusal::plain(400, "Prompt is required");
        Err(Refusal { param: Some("prompt".to_owned()), code: "missing_required_parameter", ..refusal })
    };
    if model.needs(Input::Story) {
        let story = body["storyConfig"].as_object().is_some_and(|story| !story.is_empty());
        return match text("script").or(prompt) {
            None if !story => required(),
            words => Ok(words.unwrap_or_default().to_owned()),
        };
    }
    match prompt {
        None if model.needs(Input::Text) => required(),
        prompt => Ok(prompt.unwrap_or_default().to_owned()),
    }
}

/// The three shapes that were seen for a long prompt (wire.md 1.6); which model has which is own.
fn prompt_fits(model: &Model, prompt: &str, envelope: Option<Envelope>) -> Result<(), Refusal> {
    if utf16(prompt) <= model.prompt {
        return Ok(());
    }
    let usual = match model.prompt {
        2000 => Envelope::Nested,
        3000 => Envelope::Bare,
        _ => Envelope::Coded,
    };
    let say = format!("Prompt is too long. Please keep it under {} characters.", model.prompt);
    Err(Refusal {
        envelope: envelope.unwrap_or(usual),
        code: "prompt_too_long",
        param: Some("prompt".to_owned()),
        ..Refusal::plain(400, &say)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes_under_all_their_names() {
        let shape = |id: &str, mut body: Value| {
            body["model"] = json!(id);
            body["prompt"] = json!("a");
            read(&body, House::default()).unwrap().making.aspect
        };
        assert_eq!(shape("sora-2", json!({"aspect_ratio": "9:16"})), "9:16");
        assert_eq!(shape("sora-2", json!({"orientation": "portrait"})), "9:16");
        assert_eq!(shape("sora-2", json!({"resolution": "1792x1024"})), "1792x1024");
        assert_eq!(shape("sora-2", json!({"aspect_ratio": "auto"})), "16:9");
        assert_eq!(shape("pixverse-v55", json!({"resolution_ratio": "1:1"})), "1:1");
        assert_eq!(shape("pixverse-v5", json!({"size": "960x960"})), "960x960");
        assert_eq!(shape("longstories-movie", json!({})), "9:16", "seed 003: its first");
        assert_eq!(shape("promptchan-video", json!({"aspect": "Square"})), "1:1");
    }

    #[test]
    fn prompts_are_counted_in_utf16_units() {
        let long = |id: &str, prompt: String| read(&json!({"model": id, "prompt": prompt}), House::default()).err();
        for (id, most) in [("minimax-hailuo-02", 2000), ("lightricks-ltx-2-fast", 3000)] {
            assert!(long(id, "\u{1f3ac}".repeat(most / 2)).is_none(), "{id}: two units each");
            let refused = long(id, format!("{}a", "\u{1f3ac}".repeat(most / 2))).unwrap();
            assert_eq!((refused.status, refused.code), (400, "prompt_too_long"));
            assert!(long(id, "\u{20ac}".repeat(most)).is_none(), "{id}: three bytes, one unit");
        }
    }

    #[test]
    fn a_script_or_a_story_stands_for_a_prompt() {
        let read = |body: Value| read(&body, House::default());
        let script = json!({"model": "longstories-movie", "script": "b", "prompt": "a"});
        assert_eq!(read(script).unwrap().prompt, "b", "the script takes precedence");
        assert!(read(json!({"model": "longstories-movie", "storyConfig": {"scenes": []}})).is_ok());
        assert!(read(json!({"model": "longstories-movie", "storyConfig": {}})).is_err());
        assert!(read(json!({"model": "veo2-video", "script": "b"})).is_err());
    }
}
