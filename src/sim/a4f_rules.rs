//! What A4F accepts: seven models, plans, and its error envelope. Typed from seed 004 and wire.md
//! 3.2-3.5; knows no sockets. There is no price: calls count against the plan.

use crate::sim::call::reply;
use axum::response::Response;
use serde_json::{Value, json};

/// One model (seed 004, "Available Models & Capabilities").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    pub id: &'static str,
    /// The table leaves the veo rows' provider empty; wire.md 3.2 says Google.
    pub maker: &'static str,
    pub most_seconds: u32,
    pub qualities: &'static [&'static str],
    /// Seconds a clip takes. Own: the documents give none (wire.md 3.6).
    pub speed: (i64, i64),
    /// The plans that have it.
    pub plans: &'static [Plan],
}

const BOTH: &[&str] = &["720p", "1080p"];
const FULL: &[&str] = &["1080p"];

const fn listing(
    id: &'static str,
    maker: &'static str,
    most_seconds: u32,
    qualities: &'static [&'static str],
    speed: (i64, i64),
) -> Listing {
    Listing { id, maker, most_seconds, qualities, speed, plans: &[Plan::Pro, Plan::Ultra] }
}

/// The seven models, in the table's order.
pub const MODELS: [Listing; 7] = [
    listing("provider-2/seedance-lite", "Tencent", 5, FULL, (30, 60)),
    listing("provider-2/kling-v2.1", "Kuaishou", 5, BOTH, (60, 120)),
    listing("provider-2/sora-2", "OpenAI", 4, BOTH, (60, 120)),
    listing("provider-2/veo-fast", "Google", 8, BOTH, (40, 80)),
    listing("provider-2/seedance-pro", "Tencent", 5, FULL, (60, 120)),
    listing("provider-2/sora-2-pro", "OpenAI", 5, BOTH, (120, 240)),
    listing("provider-2/veo", "Google", 8, BOTH, (90, 180)),
];

/// What nearly all public code asks for, though seed 004 no longer has it (wire.md 3.2).
const OLDER: Listing =
    Listing { plans: &Plan::ALL, ..listing("provider-6/wan-2.1", "Alibaba", 4, &["480p", "720p"], (60, 120)) };

/// The models on offer; with the older one where the variant `models` says so.
pub fn offered(older: bool) -> impl Iterator<Item = Listing> {
    MODELS.into_iter().chain(older.then_some(OLDER))
}

/// Whether a model is of the first revision.
pub fn is_older(model: Listing) -> bool {
    model.id == OLDER.id
}

/// A key's plan. `free`, `basic` or `plan-pro` in the key choose it (the simulator's own levers);
/// else ultra.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Free,
    Basic,
    Pro,
    Ultra,
}

impl Plan {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Free, Self::Basic, Self::Pro, Self::Ultra];

    /// The plan of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.name() == name)
    }

    /// The plan of a key.
    pub fn of(key: &str) -> Self {
        if key.contains("free") {
            Self::Free
        } else if key.contains("basic") {
            Self::Basic
        } else if key.contains("plan-pro") {
            Self::Pro
        } else {
            Self::Ultra
        }
    }

    /// The plan's name in `/v1/usage`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Basic => "basic",
            Self::Pro => "pro",
            Self::Ultra => "ultra",
        }
    }

    /// Calls a minute. Own: the figures are in `/v1/usage`, not in the documents.
    pub fn per_minute(self) -> u32 {
        match self {
            Self::Free => 5,
            Self::Basic => 8,
            Self::Pro => 10,
            Self::Ultra => 12,
        }
    }

    /// Calls a day. Own, as above.
    pub fn per_day(self) -> u32 {
        match self {
            Self::Free => 100,
            Self::Basic => 250,
            Self::Pro => 500,
            Self::Ultra => 1000,
        }
    }
}

/// An order as understood.
#[derive(Debug)]
pub struct Order {
    pub model: Listing,
    pub prompt: String,
    pub quality: String,
    pub seconds: u32,
    pub ratio: String,
}

/// Reads a body against seed 004 (required flags from wire.md 3.2). Stops at the first fault.
pub fn read(body: &Value, older: bool) -> Result<Order, Response> {
    let Some(id) = body["model"].as_str() else {
        return Err(invalid("model", "model is required and must be a string"));
    };
    let Some(model) = offered(older).find(|model| model.id == id) else {
        return Err(invalid("model", &format!("The model '{id}' is not supported")));
    };
    let prompt = body["prompt"].as_str().unwrap_or_default();
    if prompt.trim().is_empty() {
        return Err(invalid("prompt", "prompt is required"));
    }
    let quality = match body["quality"].as_str() {
        Some(quality @ ("480p" | "720p" | "1080p")) => quality,
        _ => {
            return Err(invalid("quality", "quality is required: one of 480p, 720p, 1080p"));
        }
    };
    // `"5"` and `5.0` are no integers: "Occurs if duration is not an integer" (seed 004).
    let seconds = match body["duration"].as_u64() {
        Some(seconds @ 1..=8) => seconds as u32,
        Some(_) => return Err(invalid("duration", "duration must be between 1 and 8")),
        None => {
            return Err(invalid("duration", "duration is required and must be an integer"));
        }
    };
    let ratio = match &body["ratio"] {
        Value::Null => "9:16",
        Value::String(ratio) => ratio,
        _ => "",
    };
    if !["1:1", "16:9", "9:16", "3:4", "4:3"].contains(&ratio) {
        return Err(invalid("ratio", "ratio must be one of 1:1, 16:9, 9:16, 3:4, 4:3"));
    }
    // "The requested duration or quality exceeds what the specific model supports" (seed 004).
    if seconds > model.most_seconds {
        let say = format!("{id} supports at most {} seconds", model.most_seconds);
        return Err(error(400, "n_exceeds_model_limit", &say, Some("duration")));
    }
    if !model.qualities.contains(&quality) {
        let say = format!("{id} does not support {quality}");
        return Err(error(400, "n_exceeds_model_limit", &say, Some("quality")));
    }
    Ok(Order { model, prompt: prompt.to_owned(), quality: quality.to_owned(), seconds, ratio: ratio.to_owned() })
}

/// 400 `invalid_request_error`.
fn invalid(param: &str, message: &str) -> Response {
    error(400, "invalid_request_error", message, Some(param))
}

/// Marks an answer as an error, whatever its status.
#[derive(Clone, Copy, Debug)]
pub struct Refusal;

/// An error answer (wire.md 3.4). The documents name the short code `type` in one place and "Error
/// Code" in another, so it stands in both.
pub fn error(status: u16, code: &str, message: &str, param: Option<&str>) -> Response {
    let body = json!({"error": {"message": message, "type": code, "param": param, "code": code}});
    let mut response = reply(status, &body);
    response.extensions_mut().insert(Refusal);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(change: Value) -> Value {
        let mut body = json!({
            "model": "provider-2/kling-v2.1", "prompt": "a", "quality": "720p", "duration": 5,
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    #[test]
    fn the_default_shape_is_upright() {
        assert_eq!(read(&order(json!({})), false).unwrap().ratio, "9:16");
    }

    #[test]
    fn each_rule_of_the_seed() {
        for change in [
            json!({"model": "provider-2/none"}),
            json!({"prompt": " "}),
            json!({"quality": null}),
            json!({"quality": "480p"}),
            json!({"duration": "5"}),
            json!({"duration": 5.5}),
            json!({"duration": 9}),
            json!({"duration": 6}),
            json!({"ratio": "21:9"}),
            json!({"model": "provider-2/seedance-lite"}),
        ] {
            let refused = read(&order(change.clone()), false).unwrap_err();
            assert_eq!(refused.status(), 400, "{change}");
        }
    }
}
