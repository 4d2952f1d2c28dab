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
    // Nested under `data` in shapes 1 and 2, flat in 3 and 4.
    let nested = json.get("data").filter(|data| data.get("status").is_some_and(Value::is_string));
    let data = nested.unwrap_or(json);
    let word = clean(data.get("status")?.as_str()?, 40);
    let state = match word.to_ascii_lowercase().as_str() {
        "completed" | "complete" | "succeeded" | "success" => {
            let links = links(json, data, origin);
            if links.is_empty() {
                return None;
            }
            RemoteState::Finished { links }
        }
        // Refunds are documented for failures and policy blocks (wire.md 1.7), not for the rest.
        "failed" | "failure" | "error" => RemoteState::Failed { error: failure(data), refunded: true },
        "canceled" | "cancelled" | "expired" => RemoteState::Failed { error: failure(data), refunded: false },
        _ => RemoteState::Working,
    };
    Some(Status { word, state, progress: data.get("progress").and_then(percent), cost: cost(json, data, charged_in) })
}

/// Every link, in the order of preference, once each.
fn links(json: &Value, data: &Value, origin: &Url) -> Vec<String> {
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
    let output = data.get("output").unwrap_or(&Value::Null);
    for key in ["video", "videos", "videoUrls", "videoUrl", "video_url", "url"] {
        gather(output.get(key).unwrap_or(&Value::Null));
    }
    gather(output);
    for place in [data, json] {
        for key in ["videoUrl", "video_url", "videoUrls"] {
            gather(place.get(key).unwrap_or(&Value::Null));
        }
    }
    found
}

/// `error` is a string, or an object, with `userFriendlyError` and `isNSFWError` beside it (wire.md 6).
fn failure(data: &Value) -> JobError {
    let error = data.get("error").unwrap_or(&Value::Null);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|t| clean(t, 300)).unwrap_or_default();
    let words = match error {
        Value::Object(_) => text(error.get("message")),
        other => text(Some(other)),
    };
    let friendly = text(data.get("userFriendlyError"));
    let message = match (words.is_empty(), friendly.is_empty()) {
        (true, true) => "the generation failed; no reason given".to_owned(),
        (true, false) => friendly,
        (false, true) => words,
        (false, false) if words == friendly => words,
        (false, false) => format!("{words}: {friendly}"),
    };
    let types = [error.get("type"), error.get("code")];
    let policy = data.get("isNSFWError") == Some(&Value::Bool(true))
        || types.into_iter().flatten().any(|t| plain(t).eq_ignore_ascii_case("CONTENT_POLICY_VIOLATION"));
    JobError::new(if policy { ErrorKind::Policy } else { ErrorKind::Generation }, message)
}

/// The final cost, in what the answer names, else in what the order was charged in, else in
/// dollars. Often missing (wire.md 6).
fn cost(json: &Value, data: &Value, charged_in: Option<Currency>) -> Option<Money> {
    let source = data.get("paymentSource").or_else(|| json.get("paymentSource")).and_then(Value::as_str);
    let currency = source.map_or(Some(charged_in.unwrap_or(Currency::Usd)), |code| code.parse().ok())?;
    let cost = data.get("cost").filter(|cost| cost.is_number() || cost.is_string())?;
    Money::parse(&plain(cost), currency).ok().filter(|money| !money.amount.is_sign_negative())
}
