//! NinjaChat's new generation (wire.md 2.1-2.4, 6): `POST /videos` with an idempotency key, a status
//! by path, errors as objects, a balance and a usage of its own.
//!
//! Knows its paths, its shapes and which answers prove what. Must not know the older one.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde_json::Value;
use url::Url;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, ErrorKind, Money, Problem};

use super::super::answer::{Answer, JSON_MAX};
use super::super::error::{NINJACHAT_NEW, free, judge, poll_failure};
use super::super::http::Wire;
use super::super::shape::{absolute_link, percent, remote_id};
use super::super::{
    Accepted, Evidence, Grade, Intent, Order, PaidRequest, RemoteJob, RemoteState, ServiceError, Status, SubmitAnswer,
    Trace, body,
};
use super::failed;

const SUBMIT: &str = "/api/v1/videos";
const JOBS: &str = "/api/v1/videos/";
const USAGE: &str = "/api/v1/usage?period=1d";
const REQUESTS: &str = "/api/v1/requests/";
/// The account's balance; a free call that every key may make.
pub(super) const BALANCE: &str = "/api/v1/balance";
/// A status question about no job.
pub(super) const NOBODYS: &str = "/api/v1/videos/rushes%2Dprobe";

/// A repeat with the same value is the same order (wire.md 2.1: 1-255 characters).
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Every answer carries one of the service's own (wire.md 2.4); whether it takes ours is not known,
/// and if it does, its record of the request is proof.
const REQUEST_ID: &str = "X-Request-ID";
/// How long a repeat with the same value is taken to be the same order. No document says how long a
/// value is known (wire.md 2.4), so this is short.
pub(super) const SAME_ORDER_FOR: Duration = Duration::from_secs(600);

/// Every key of an order. One that is not among them is refused with the whole order (wire.md 2.1,
/// `additionalProperties: false`). `negative_prompt` is in one of the vendor's own lists and not in
/// the other (wire.md 6); a model must describe it to have it sent.
const KEYS: [&str; 12] = [
    "model",
    "prompt",
    "duration",
    "aspect_ratio",
    "image_url",
    "end_image_url",
    "reference_images",
    "reference_video",
    "reference_audio",
    "generate_audio",
    "watermark",
    "negative_prompt",
];

/// Whether an answer is this interface's: an error as an object, or a balance.
pub(super) fn is_spoken(answer: &Answer) -> bool {
    answer.json().is_some_and(|json| {
        let error = json.get("error").is_some_and(Value::is_object);
        error || (answer.is_success() && (json.get("object").is_some() || json.get("balance_cents").is_some()))
    })
}

/// Whether a prepared order speaks this interface.
pub(super) fn is_order(request: &PaidRequest) -> bool {
    request.url.ends_with(SUBMIT)
}

pub(super) fn prepare(wire: &Wire, origin: &Url, order: &Order<'_>) -> Result<PaidRequest, Vec<Problem>> {
    let built = body::build(order)?;
    let unknown: Vec<Problem> = built.wire.keys().filter(|key| !KEYS.contains(&key.as_str())).map(refused).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let url = wire.url(origin, SUBMIT).map_err(|e| vec![body::problem(&e)])?;
    let ours = |name: &str| (name.to_owned(), order.correlation.to_owned());
    Ok(built.request(&url, vec![ours(IDEMPOTENCY_KEY), ours(REQUEST_ID)]))
}

fn refused(key: &String) -> Problem {
    let text = "is no field of NinjaChat's newer interface, which refuses an order with an unknown one; leave it out";
    Problem::new(key, "unknown", text)
}

pub(super) async fn submit(wire: &Wire, request: PaidRequest, trace: &Trace) -> SubmitAnswer {
    let answer = match wire.send_paid(request, trace).await {
        Ok(response) => Answer::read(response, JSON_MAX).await,
        Err(unanswered) => return unanswered.into(),
    };
    if let Some(accepted) = answer.json().filter(|_| answer.is_success()).and_then(accepted) {
        let request_id = answer.request_id.clone().or(accepted.request_id);
        return SubmitAnswer::Accepted(Accepted { request_id, ..accepted });
    }
    match judge(NINJACHAT_NEW, wire, &answer) {
        SubmitAnswer::Unknown(_) if answer.status == 409 && answer.json().is_some() => {
            let mut error = free(NINJACHAT_NEW, wire, &answer);
            error.message += "; it says that the first attempt of this very order is under way, so it was taken \
                              there: wait, and do not order it again";
            SubmitAnswer::Unknown(error)
        }
        other => other,
    }
}

pub(super) async fn poll(wire: &Wire, origin: &Url, job: &RemoteJob) -> Result<Status, ServiceError> {
    let id = utf8_percent_encode(&job.remote_id, NON_ALPHANUMERIC);
    let answer = wire.get(origin, &format!("{JOBS}{id}"), JSON_MAX).await?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => status(json, origin)
            .map(|status| answer.kept_by(status))
            .ok_or_else(|| unreadable(wire, "the job's status", &answer)),
        None => Err(poll_failure(NINJACHAT_NEW, wire, &answer)),
    }
}

pub(super) async fn balance(wire: &Wire, origin: &Url) -> Result<Vec<Money>, ServiceError> {
    let answer = wire.get(origin, BALANCE, JSON_MAX).await?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => amount(json).map(|money| vec![money]).ok_or_else(|| unreadable(wire, "the balance", &answer)),
        None => Err(free(NINJACHAT_NEW, wire, &answer)),
    }
}

/// Looks for traces of an order. Only a record that names our own id proves anything; the usage of a
/// day counts requests by model and names none of them.
pub(super) async fn find(wire: &Wire, origin: &Url, intent: &Intent) -> Result<Evidence, ServiceError> {
    let path = format!("{REQUESTS}{}", utf8_percent_encode(&intent.correlation, NON_ALPHANUMERIC));
    let answer = wire.get(origin, &path, JSON_MAX).await?;
    let kept = answer.json().filter(|_| answer.is_success());
    if let Some(evidence) = kept.and_then(|json| record(json, intent)) {
        return Ok(evidence);
    }
    let strange = if kept.is_some_and(|json| !is_ours(json, intent)) {
        "; it answers with the record of another request, which is not trusted"
    } else {
        ""
    };
    if matches!(answer.status, 401 | 429) {
        return Err(free(NINJACHAT_NEW, wire, &answer));
    }
    let answer = wire.get(origin, USAGE, JSON_MAX).await?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => Ok(Evidence::open(usage(json, intent) + strange)),
        None if answer.status == 404 => Ok(Evidence::open("NinjaChat shows no usage here; compare the balance")),
        None => Err(free(NINJACHAT_NEW, wire, &answer)),
    }
}

/// `{request_id, model, status_code, cost_cents, ...}` (wire.md 2.2), where it names our own id. Every
/// other field may be null there, so that only a charge for an order that was taken is more than an
/// echo of the question.
fn record(json: &Value, intent: &Intent) -> Option<Evidence> {
    if !is_ours(json, intent) {
        return None;
    }
    let other = json.get("model").and_then(Value::as_str).is_some_and(|model| model != intent.model);
    let refused = json.get("status_code").and_then(Value::as_u64).is_some_and(|status| status >= 300);
    let cost = json.get("cost_cents").and_then(cents).filter(|cost| cost.amount > Decimal::ZERO)?;
    if other || refused {
        return None;
    }
    let text = format!("NinjaChat keeps a charge of {cost} under our own id");
    Some(Evidence { grade: Grade::Proven, remote_id: None, charged: Some(cost), text })
}

/// Whether a record names our own id.
fn is_ours(json: &Value, intent: &Intent) -> bool {
    let names = |key: &str| json.get(key).and_then(Value::as_str) == Some(&intent.correlation);
    ["request_id", "idempotency_key"].into_iter().any(names)
}

/// `{total_requests, total_cost, by_model:[{model, requests, cost_cents}]}` (wire.md 2.2), in words.
fn usage(json: &Value, intent: &Intent) -> String {
    let rows = json.get("by_model").and_then(Value::as_array);
    let row = rows.and_then(|rows| rows.iter().find(|row| row.get("model").is_some_and(|m| *m == intent.model)));
    let count = row.and_then(|row| row.get("requests")).and_then(Value::as_u64).unwrap_or(0);
    let cost = row.and_then(|row| row.get("cost_cents")).and_then(cents);
    let model = clean(&intent.model, 60);
    let requests = if count == 1 { "1 request".to_owned() } else { format!("{count} requests") };
    match (count, cost) {
        (0, _) => format!("NinjaChat counts no request for {model} in the last day, which proves nothing"),
        (_, Some(cost)) => format!(
            "NinjaChat counts {requests} for {model} in the last day, {cost} in all, and names none of them; \
             compare with the jobs here"
        ),
        (_, None) => format!("NinjaChat counts {requests} for {model} in the last day and names none of them"),
    }
}

/// `{id, object:"video", status, model, cost_usd, request_id}` (wire.md 2.1). Here `request_id` is
/// the call's, not the job's.
fn accepted(json: &Value) -> Option<Accepted> {
    let cost = json.get("cost_usd").and_then(|v| Money::parse(&plain(v), Currency::Usd).ok());
    Some(Accepted {
        remote_id: remote_id(json.get("id")?)?,
        phase: json.get("status").and_then(Value::as_str).map(|word| clean(word, 40)),
        cost: cost.filter(|cost| !cost.amount.is_sign_negative()),
        balance: None,
        request_id: json.get("request_id").and_then(Value::as_str).map(|id| clean(id, 200)),
    })
}

/// `{id, object:"video", status, progress?, video_url?, error?}` (wire.md 2.1): the link is at the
/// top. `None` where no status can be told.
fn status(json: &Value, origin: &Url) -> Option<Status> {
    let word = clean(json.get("status")?.as_str()?, 40);
    let state = match word.to_ascii_lowercase().as_str() {
        "completed" => {
            let link = json.get("video_url").or_else(|| json.pointer("/result/video_url"))?.as_str()?;
            RemoteState::Finished { links: vec![absolute_link(link, origin)?] }
        }
        "failed" => failed(json),
        _ => RemoteState::Working,
    };
    Some(Status { word, state, progress: json.get("progress").and_then(percent), cost: None })
}

/// `{object:"balance", balance_cents, balance, currency:"usd"}` (wire.md 2.2).
fn amount(json: &Value) -> Option<Money> {
    let currency = json.get("currency").and_then(Value::as_str).unwrap_or("usd");
    if !currency.eq_ignore_ascii_case("usd") {
        return None;
    }
    let text = || Money::parse(json.get("balance")?.as_str()?, Currency::Usd).ok();
    json.get("balance_cents").and_then(cents).or_else(text)
}

fn cents(value: &Value) -> Option<Money> {
    let cents = Money::parse(&plain(value), Currency::Usd).ok()?;
    Some(Money::usd(cents.amount / Decimal::ONE_HUNDRED))
}

fn unreadable(wire: &Wire, what: &str, answer: &Answer) -> ServiceError {
    wire.error(ErrorKind::Protocol, &format!("{what} cannot be read: {}", answer.describe()))
}
