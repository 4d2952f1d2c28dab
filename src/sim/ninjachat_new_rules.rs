//! What NinjaChat's new generation accepts, and its error envelope. Typed from wire.md 2.1-2.4 and
//! the schema it describes (additional keys refused, `null` is no value); knows no sockets.

use crate::sim::call::{reply, utf16};
use crate::sim::ninjachat_new_catalog::{Catalog, DEFAULT, Listing};
use axum::response::Response;
use serde_json::{Value, json};

/// The keys a body may have (wire.md 2.3).
pub const PARAMETERS: [&str; 11] = [
    "prompt",
    "model",
    "duration",
    "aspect_ratio",
    "image_url",
    "end_image_url",
    "reference_images",
    "reference_video",
    "reference_audio",
    "generate_audio",
    "watermark",
];

/// An order as understood.
#[derive(Debug)]
pub struct Order {
    pub model: Listing,
    pub prompt: String,
    pub seconds: u32,
    pub aspect: String,
}

/// Reads a body; the first broken rule is told, with its `param`.
pub fn read(body: &Value, catalog: Catalog, by_name: bool) -> Result<Order, Response> {
    let fields = body.as_object().ok_or_else(|| invalid("The request body must be a JSON object.", None))?;
    if let Some(key) = fields.keys().find(|key| !PARAMETERS.contains(&key.as_str())) {
        return Err(error(400, "unknown_parameter", &format!("Unknown parameter: '{key}'."), Some(key)));
    }
    let prompt = match &body["prompt"] {
        Value::String(prompt) if (1..=4000).contains(&utf16(prompt)) => prompt.clone(),
        Value::String(_) => return Err(wrong("prompt", "must have 1 to 4000 characters")),
        _ => return Err(wrong("prompt", "is required and must be a string")),
    };
    let id = match fields.get("model") {
        None => DEFAULT,
        Some(Value::String(id)) => id,
        Some(_) => return Err(wrong("model", "must be a string")),
    };
    let model = catalog.find(id).ok_or_else(|| wrong("model", &format!("'{id}' is not a video model")))?;
    if !catalog.serves(&model) {
        return Err(error(400, "model_not_available", &format!("The model '{id}' is retired."), Some("model")));
    }
    let seconds = fields.get("duration").map_or(Some(8.0), Value::as_f64);
    let seconds = match seconds {
        Some(seconds) if seconds.fract() == 0.0 && (4.0..=15.0).contains(&seconds) => seconds as u32,
        _ => return Err(wrong("duration", "must be an integer between 4 and 15")),
    };
    // The default of 8 is none of Runway's lengths (wire.md 2.3).
    if model.brand == "runway" && !matches!(seconds, 5 | 10) {
        return Err(wrong("duration", &format!("must be 5 or 10 for {id}")));
    }
    let aspect = match fields.get("aspect_ratio") {
        None => "16:9",
        Some(Value::String(shape)) if matches!(shape.as_str(), "16:9" | "9:16") => shape,
        Some(_) => return Err(wrong("aspect_ratio", "must be one of 16:9, 9:16")),
    };
    for name in ["image_url", "end_image_url", "reference_video", "reference_audio"] {
        if fields.get(name).is_some_and(|link| !is_link(link)) {
            return Err(wrong(name, "must be a URI"));
        }
    }
    match fields.get("reference_images") {
        None => {}
        Some(Value::Array(links)) if links.len() > 4 => {
            return Err(wrong("reference_images", "must have at most 4 items"));
        }
        Some(Value::Array(links)) if links.iter().all(is_link) => {}
        Some(_) => return Err(wrong("reference_images", "must be an array of URIs")),
    }
    for name in ["generate_audio", "watermark"] {
        if fields.get(name).is_some_and(|flag| !flag.is_boolean()) {
            return Err(wrong(name, "must be a boolean"));
        }
    }
    // The schema asks no model for a picture; by their names some are nothing without (own).
    if by_name && id.ends_with("-i2v") && !fields.contains_key("image_url") {
        return Err(wrong("image_url", &format!("is required for {id}")));
    }
    let references = fields.get("reference_images").and_then(Value::as_array).is_some_and(|links| !links.is_empty());
    if by_name && id.ends_with("-r2v") && !references && !fields.contains_key("reference_video") {
        return Err(wrong("reference_images", &format!("is required for {id}")));
    }
    Ok(Order { model, prompt, seconds, aspect: aspect.to_owned() })
}

/// A link the service could fetch; no base64 is documented for videos (wire.md 2.4).
fn is_link(link: &Value) -> bool {
    let url = link.as_str().and_then(|link| url::Url::parse(link).ok());
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn wrong(param: &str, say: &str) -> Response {
    invalid(&format!("{param} {say}."), Some(param))
}

fn invalid(message: &str, param: Option<&str>) -> Response {
    error(400, "invalid_request", message, param)
}

/// What is said, as the envelope's `type` (own: only the field is documented).
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "insufficient_funds_error",
        409 => "conflict_error",
        429 => "rate_limit_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The nested envelope (wire.md 2.1); it holds no request id (wire.md 6).
pub fn error(status: u16, code: &str, message: &str, param: Option<&str>) -> Response {
    error_with(status, code, message, param, json!({}))
}

/// The envelope with more beside it: `balance`, `retry_after` and the like (wire.md 2.4).
pub fn error_with(status: u16, code: &str, message: &str, param: Option<&str>, mut beside: Value) -> Response {
    let mut error = json!({"message": message, "type": kind(status), "code": code});
    if let Some(param) = param {
        error["param"] = json!(param);
    }
    beside["error"] = error;
    reply(status, &beside)
}
