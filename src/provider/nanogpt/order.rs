//! How NanoGPT takes an order, and how it says that it took one (seeds 002, 003; wire.md 1.3).
//!
//! Knows its two ways to order, what goes along with every order and where an id may stand in the
//! answer. Must not know models, nor what an answer that is no acceptance means.

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, Money, Problem};

use super::super::shape::remote_id;
use super::super::{Accepted, Order, PaidRequest, body};

const SUBMIT: &str = "/api/generate-video";
const EXTEND: &str = "/api/generate-video/extend";
/// The edge of the main host refuses larger bodies (wire.md 1.6: about 4.5 MB), in bytes.
const EDGE_MAX: usize = 4_400_000;
/// Where an order's id may stand (wire.md 1.3); `taskId` is the extend endpoint's.
const IDS: [&str; 7] = ["/runId", "/id", "/requestId", "/data/runId", "/data/id", "/data/requestId", "/taskId"];

/// The path of an order and its body.
///
/// # Errors
/// What the wire cannot carry, by field; a way to order that is not known is never guessed.
pub(super) fn write(order: &Order<'_>) -> Result<(&'static str, body::Built), Vec<Problem>> {
    let mut built = body::build(order)?;
    let path = match order.model.route.as_deref() {
        None => SUBMIT,
        Some("extend") => {
            going_on(order, &mut built)?;
            EXTEND
        }
        Some(other) => {
            let text = format!("is ordered in a way that is not known ({}); correct its route", clean(other, 40));
            return Err(vec![Problem::new("model", "route", text)]);
        }
    };
    ours(&mut built, "conversationUUID", order.correlation)?;
    Ok((path, built))
}

/// Turns a body into one that goes on from a finished run: no model and no prompt, since neither is
/// documented there (seed 003, Extend Workflows), and the run under both of its names, since the
/// schema requires `taskId` and the prose prefers `runId` (wire.md 6).
fn going_on(order: &Order<'_>, built: &mut body::Built) -> Result<(), Vec<Problem>> {
    for key in ["model", "prompt"] {
        built.remove(key);
    }
    let field = |key: &str| {
        let own = order.model.parameters.iter().find(|p| p.wire_key() == key);
        own.map_or(key, |p| p.name.as_str()).to_owned()
    };
    let run = ["runId", "taskId"].iter().find_map(|key| built.wire.get(*key)).map(plain).filter(|id| !id.is_empty());
    let Some(run) = run else {
        let text = "must be given: the id of the finished run to go on from";
        return Err(vec![Problem::new(field("runId"), "input_required", text)]);
    };
    if !built.wire.contains_key("index") {
        let text = "must be given: which of the run's clips to go on from, from 0";
        return Err(vec![Problem::new(field("index"), "input_required", text)]);
    }
    for key in ["runId", "taskId"] {
        built.remove(key);
        ours(built, key, &run)?;
    }
    Ok(())
}

/// Adds a key that is written here; one that a parameter wrote already is never replaced silently.
fn ours(built: &mut body::Built, key: &str, value: &str) -> Result<(), Vec<Problem>> {
    if built.wire.contains_key(key) {
        let text = format!("is sent as {key}, which every order carries already; leave it out");
        return Err(vec![Problem::new(key, "excludes", text)]);
    }
    built.insert(key, Value::String(value.to_owned()));
    Ok(())
}

/// Refuses what the edge would refuse, with the numbers.
///
/// # Errors
/// One problem, at the first file given, else at the prompt.
pub(super) fn fits(order: &Order<'_>, request: &PaidRequest) -> Result<(), Vec<Problem>> {
    let bytes = request.body.len();
    if bytes <= EDGE_MAX {
        return Ok(());
    }
    let files: usize = order.inputs.iter().map(|input| input.bytes.len()).sum();
    let text = format!(
        "the order has {bytes} bytes, of which {files} are files before they are written as text; \
         the service takes at most {EDGE_MAX} in one order. Give public links, or smaller files"
    );
    let stored = |name: &&String| order.values.get(*name).is_some_and(|value| plain(value).starts_with("sha256:"));
    let field = order.values.keys().find(stored).map_or("prompt", String::as_str);
    Err(vec![Problem::new(field, "max_bytes", text)])
}

/// The run that a body goes on from, whose own id in an answer names no new order.
pub(super) fn source_run(request: &PaidRequest) -> Option<String> {
    if !request.url.ends_with(EXTEND) {
        return None;
    }
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    body.get("runId").and_then(remote_id)
}

/// The answer to a submit: the id under any of its names, the rest where given, figures from the
/// headers where the JSON lacks them (wire.md 1.7). `None` where it names no new order.
pub(super) fn accepted(json: &Value, headers: &HeaderMap, source: Option<&str>) -> Option<Accepted> {
    if json.get("success") == Some(&Value::Bool(false)) {
        return None;
    }
    let ids = IDS.iter().filter_map(|place| json.pointer(place).and_then(remote_id));
    let remote_id = ids.into_iter().find(|id| Some(id.as_str()) != source)?;
    let get = |key: &str| json.get(key).filter(|v| !v.is_null()).or_else(|| json.get("data")?.get(key));
    // An amount without a currency we know is no amount.
    let named = get("paymentSource").and_then(Value::as_str);
    let currency: Option<Currency> = named.map_or(Some(Currency::Usd), |code| code.parse().ok());
    let sane = |text: &str, currency| Money::parse(text, currency).ok().filter(|m| !m.amount.is_sign_negative());
    let money = |key: &str| sane(&plain(get(key)?), currency?);
    let header = |name: &str, of: Currency| sane(headers.get(name)?.to_str().ok()?.trim(), of);
    // A header in another currency than the order was paid in is not its cost.
    let dollars = || header("x-cost", Currency::Usd).filter(|_| currency == Some(Currency::Usd));
    let nano = || header("x-nano-cost", Currency::Xno).filter(|_| named.is_none() || currency == Some(Currency::Xno));
    Some(Accepted {
        remote_id,
        phase: get("status").and_then(Value::as_str).map(|word| clean(word, 40)),
        cost: money("cost").or_else(dollars).or_else(nano),
        balance: money("remainingBalance").or_else(|| header("x-remaining-balance", currency?)),
        request_id: None,
    })
}
