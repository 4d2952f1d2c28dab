//! How NanoGPT says where a job stands: four documented shapes and every place a link was seen.
//!
//! Knows wire.md 1.4. Must not know who asks.

use serde_json::Value;
use url::Url;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, ErrorKind, JobError, Money};

use super::super::shape::{absolute_link, percent};
use super::super::{RemoteState, Status};

/// Most clips of one job; Midjourney gives four.
const LINKS_MAX: usize = 16;

/// Reads a status; `None` where no word for one is found, or a finished job names no clip.
pub(super) fn read(json: &Value, origin: &Url, charged_in: Option<Currency>) -> Option<Status> {
    // Nested under `data` in shapes 1 and 2, flat in 3 and 4; the oldest has its word outside and the
    // rest inside (wire.md 1.2).
    let nested = json.get("data").filter(|data| data.is_object());
    let places: Vec<&Value> = nested.into_iter().chain([json]).collect();
    let said = |key: &str| said(&places, key);
    let word = places.iter().find_map(|place| place.get("status").and_then(Value::as_str));
    let word = word.map_or_else(|| ended(nested?).map(str::to_owned), |word| Some(clean(word, 40)))?;
    let state = match word.to_ascii_lowercase().as_str() {
        "completed" | "complete" | "succeeded" | "success" => {
            let links = links(&places, origin);
            if links.is_empty() {
                return None;
            }
            RemoteState::Finished { links }
        }
        // Refunds are documented for failures and policy blocks (wire.md 1.7), not for the rest.
        "failed" | "failure" | "error" => RemoteState::Failed { error: failure(&places), refunded: true },
        "canceled" | "cancelled" | "expired" => RemoteState::Failed { error: failure(&places), refunded: false },
        _ => RemoteState::Working,
    };
    Some(Status { word, state, progress: said("progress").and_then(percent), cost: cost(&places, charged_in) })
}

/// The word for a state that is told by two booleans alone (wire.md 1.2).
fn ended(data: &Value) -> Option<&'static str> {
    match (data.get("isCompleted")?.as_bool()?, data.get("isSuccess").and_then(Value::as_bool)) {
        (true, Some(false)) => Some("FAILED"),
        (true, _) => Some("COMPLETED"),
        (false, _) => Some("PROCESSING"),
    }
}

/// Every link, in the order of preference, once each.
fn links(places: &[&Value], origin: &Url) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut take = |value: &Value| {
        let link = value.as_str().and_then(|link| absolute_link(link, origin));
        if let Some(link) = link.filter(|link| found.len() < LINKS_MAX && !found.contains(link)) {
            found.push(link);
        }
    };
    // A link, an object with `url`, or a list of either.
    let mut gather = |value: &Value| {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            take(item.get("url").unwrap_or(item));
        }
    };
    for output in places.iter().filter_map(|place| place.get("output")) {
        for key in ["video", "videos", "videoUrls", "videoUrl", "video_url", "url"] {
            gather(output.get(key).unwrap_or(&Value::Null));
        }
        gather(output);
    }
    for place in places {
        for key in ["videoUrl", "video_url", "videoUrls"] {
            gather(place.get(key).unwrap_or(&Value::Null));
        }
    }
    found
}

/// What the innermost place says of a key, `null` aside.
fn said<'a>(places: &[&'a Value], key: &str) -> Option<&'a Value> {
    places.iter().find_map(|place| place.get(key).filter(|value| !value.is_null()))
}

/// `error` is a string, or an object, with `userFriendlyError` and `isNSFWError` beside it (wire.md 6).
fn failure(places: &[&Value]) -> JobError {
    let error = said(places, "error").unwrap_or(&Value::Null);
    let words = match error {
        Value::Object(fields) => match error.get("message").and_then(Value::as_str) {
            Some(message) => clean(message, 300),
            // Words that stand under no documented name are shown as they came.
            None if fields.is_empty() => String::new(),
            None => clean(&error.to_string(), 300),
        },
        other => clean(other.as_str().unwrap_or_default(), 300),
    };
    let friendly = said(places, "userFriendlyError").and_then(Value::as_str);
    let friendly = friendly.map(|text| clean(text, 300)).unwrap_or_default();
    let unsafe_content = said(places, "isNSFWError") == Some(&Value::Bool(true));
    let message = match (words.is_empty(), friendly.is_empty()) {
        (true, true) if unsafe_content => "blocked for its content; no words given".to_owned(),
        (true, true) => "the generation failed; no reason given".to_owned(),
        (true, false) => friendly,
        (false, true) => words,
        (false, false) if words == friendly => words,
        (false, false) => format!("{words}: {friendly}"),
    };
    let mut types = [error.get("type"), error.get("code")].into_iter().flatten();
    let policy = unsafe_content || types.any(|t| plain(t).eq_ignore_ascii_case("CONTENT_POLICY_VIOLATION"));
    JobError::new(if policy { ErrorKind::Policy } else { ErrorKind::Generation }, message)
}

/// The final cost, in what the answer names, else in what the order was charged in, else in
/// dollars. Often missing (wire.md 6).
fn cost(places: &[&Value], charged_in: Option<Currency>) -> Option<Money> {
    let source = said(places, "paymentSource").and_then(Value::as_str);
    let currency = source.map_or(Some(charged_in.unwrap_or(Currency::Usd)), |code| code.parse().ok())?;
    let cost = said(places, "cost").filter(|cost| cost.is_number() || cost.is_string())?;
    Money::parse(&plain(cost), currency).ok().filter(|money| !money.amount.is_sign_negative())
}
