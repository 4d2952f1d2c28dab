//! A4F's usage answer: plan, limits and counts by model, under the names that documents and clients
//! use (wire.md 3.5).
//!
//! Knows that the answer holds keys, this account's and perhaps others, and takes all out before anything else
//! reads it. Must not know what an order's answer means.

use serde_json::Value;
use url::Url;

use crate::domain::AccountProfile;
use crate::domain::text::{clean, plain};

use super::super::answer::{Answer, Body, JSON_MAX};
use super::super::error::{A4F, free};
use super::super::http::Wire;
use super::super::{Evidence, Intent, ServiceError};

const USAGE: &str = "/v1/usage";
/// How its keys begin (wire.md 3.1: `ddc-a4f-...`, `ddc-paid-...`).
const KEY_MARK: &str = "ddc-";

/// Finds out where the account lives and what it may do. That this answer lacks something, or does
/// not come, is no failure: nothing else hangs on it.
pub(super) async fn probe(wire: &Wire) -> Result<AccountProfile, ServiceError> {
    let (origin, answer) = wire.probe(USAGE).await?;
    let answer = redacted(answer);
    if answer.status == 401 {
        return Err(free(A4F, wire, &answer));
    }
    let mut profile = AccountProfile { origin, ..AccountProfile::default() };
    if let Some(json) = answer.json().filter(|_| answer.is_success()) {
        read(json, &mut profile);
    }
    Ok(profile)
}

/// What the counts say of an order whose answer was lost. They name no order, so they settle nothing.
pub(super) async fn find(wire: &Wire, origin: &Url, intent: &Intent) -> Result<Evidence, ServiceError> {
    const KEPT: &str = "A4F keeps neither jobs nor clips, so a lost answer cannot be looked up";
    let answer = redacted(wire.get(origin, USAGE, JSON_MAX).await?);
    let counts = answer.json().filter(|_| answer.is_success()).and_then(|json| counts(json, &intent.model));
    Ok(Evidence::open(match counts {
        Some(counts) => format!("{KEPT}; its usage shows {counts}, and names no order"),
        None => KEPT.to_owned(),
    }))
}

/// The answer without any key: neither this account's nor another that looks like one.
fn redacted(mut answer: Answer) -> Answer {
    match &mut answer.body {
        Body::Json(json) => redact(json),
        // A piece of text may end within a key, where no comparison would find it.
        Body::Other(text) => *text = "text, not shown since it may hold the key".to_owned(),
        Body::Html | Body::Empty | Body::TooLong(_) | Body::Cut(_) => {}
    }
    answer
}

fn redact(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.retain(|name, _| !is_secret(name) && !name.contains(KEY_MARK));
            fields.values_mut().for_each(redact);
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) => *text = without_keys(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    bare.contains("apikey") || matches!(bare.as_str(), "key" | "keys" | "secret" | "token" | "authorization")
}

/// A text with everything that begins like a key cut out.
fn without_keys(text: &str) -> String {
    let mut parts = text.split(KEY_MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += "[key]";
        out += part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    }
    out
}

/// Plan and limits, in the account's block, in one of their own, or of the last plan activated.
fn read(json: &Value, profile: &mut AccountProfile) {
    let whole = whole(json);
    let find = |blocks: &[&str], names: &[&str]| {
        let blocks = blocks.iter().filter_map(|block| whole.get(*block));
        let found = blocks.flat_map(|block| names.iter().filter_map(|name| block.get(*name)));
        found.filter(|value| value.is_string() || value.is_number()).map(plain).find(|text| !text.trim().is_empty())
    };
    let limits = ["rate_limits_and_restrictions", "rate_limits", "account_information"];
    let number = |names: &[&str]| find(&limits, names)?.trim().parse().ok().filter(|n: &u32| *n > 0);
    let plan = find(&["account_information", "subscription_details"], &["current_plan", "plan"]);
    profile.plan = plan.or_else(|| activated(whole)).map(|plan| clean(&plan, 40));
    profile.per_minute = number(&["requests_per_minute_limit", "rpm"]);
    profile.per_day = number(&["requests_per_day_limit", "rpd"]);
}

/// The answer itself, or what it wraps in `data`.
fn whole(json: &Value) -> &Value {
    json.get("data").filter(|data| data.is_object()).unwrap_or(json)
}

/// The plan that was activated last; the dates are ISO 8601 and so in the order of their text.
fn activated(whole: &Value) -> Option<String> {
    let details = whole.get("subscription_details")?;
    let history = ["timeline_history", "plan_activation_history"].iter().find_map(|name| details.get(*name))?;
    let date = |entry: &&Value| entry.get("activated_at").map(plain);
    let last = history.as_array()?.iter().filter(|entry| entry.get("plan").is_some()).max_by_key(date)?;
    last.get("plan")?.as_str().map(str::to_owned)
}

/// `model_specific_usage{<model>: {total_requests, last_used}}` in words.
fn counts(json: &Value, model: &str) -> Option<String> {
    let used = whole(json).get("account_information")?.get("model_specific_usage")?.get(model)?;
    let total = used.get("total_requests")?.as_u64()?;
    let last = used.get("last_used").and_then(Value::as_str).map(|at| format!(", the last at {}", clean(at, 40)));
    let calls = if total == 1 { "1 call".to_owned() } else { format!("{total} calls") };
    Some(format!("{calls} of {} in all{}", clean(model, 60), last.unwrap_or_default()))
}
