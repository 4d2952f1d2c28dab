//! NinjaChat's old generation (seeds 000, 001): `POST /video`, a status by query, flat errors.
//!
//! Knows its paths, its shapes and which answers prove what. Must not know the newer one.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde_json::Value;
use url::Url;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, ErrorKind, Money, Problem};

use super::super::answer::{Answer, JSON_MAX};
use super::super::error::{NINJACHAT, free, judge, poll_failure};
use super::super::http::Wire;
use super::super::shape::{absolute_link, percent, remote_id};
use super::super::{
    Accepted, Order, PaidRequest, RemoteJob, RemoteState, ServiceError, Status, SubmitAnswer, Trace, body,
};
use super::failed;

const SUBMIT: &str = "/api/v1/video";
const STATUS: &str = "/api/v1/video/status?request_id=";
/// Outside `/v1`; holds `billing` (wire.md 2.2).
const KEYS: &str = "/api/api-keys";

/// A status question about no job.
pub(super) const NOBODYS: &str = "/api/v1/video/status?request_id=rushes%2Dprobe";

/// Whether the answer to [`NOBODYS`] is this interface's: JSON, and no error written as an object.
pub(super) fn is_spoken(answer: &Answer) -> bool {
    answer.json().is_some_and(|json| !json.get("error").is_some_and(Value::is_object))
}

pub(super) fn prepare(wire: &Wire, origin: &Url, order: &Order<'_>) -> Result<PaidRequest, Vec<Problem>> {
    let built = body::build(order)?;
    let url = wire.url(origin, SUBMIT).map_err(|e| vec![body::problem(&e)])?;
    Ok(built.request(&url, Vec::new()))
}

pub(super) async fn submit(wire: &Wire, request: PaidRequest, trace: &Trace) -> SubmitAnswer {
    let answer = match wire.send_paid(request, trace).await {
        Ok(response) => Answer::read(response, JSON_MAX).await,
        Err(unanswered) => return unanswered.into(),
    };
    match answer.json().filter(|_| answer.is_success()).and_then(accepted) {
        Some(accepted) => SubmitAnswer::Accepted(Accepted { request_id: answer.request_id.clone(), ..accepted }),
        None => judge(NINJACHAT, wire, &answer),
    }
}

pub(super) async fn poll(wire: &Wire, origin: &Url, job: &RemoteJob) -> Result<Status, ServiceError> {
    // Ids hold `:` and `/`, such as `gemini-veo:operations/generate-video-abc123` (wire.md 2.1).
    let id = utf8_percent_encode(&job.remote_id, NON_ALPHANUMERIC);
    let answer = wire.get(origin, &format!("{STATUS}{id}"), JSON_MAX).await?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => status(json, origin).map(|status| answer.kept_by(status)).ok_or_else(|| {
            let text = format!("the job's status cannot be read: {}", answer.describe());
            wire.error(ErrorKind::Protocol, &text)
        }),
        None => Err(poll_failure(NINJACHAT, wire, &answer)),
    }
}

/// The balance of the billing block; empty where this key may not read it.
pub(super) async fn balance(wire: &Wire, origin: &Url) -> Result<Vec<Money>, ServiceError> {
    let billing = billing(wire, origin).await?;
    Ok(billing.and_then(|b| amount(&b)).into_iter().collect())
}

/// Requests a minute, a courtesy of an endpoint that this key may not even read.
pub(super) async fn per_minute(wire: &Wire, origin: &Url) -> Option<u32> {
    limit(billing(wire, origin).await.ok()??.get("rateLimit")?)
}

/// The account's billing block, where this key may read it.
async fn billing(wire: &Wire, origin: &Url) -> Result<Option<Value>, ServiceError> {
    let answer = wire.get(origin, KEYS, JSON_MAX).await?;
    match answer.json() {
        Some(json) if answer.is_success() => Ok(json.get("billing").cloned()),
        _ if matches!(answer.status, 200..=299 | 401 | 403 | 404) => Ok(None),
        _ => Err(free(NINJACHAT, wire, &answer)),
    }
}

/// `{request_id, model, message?, cost:{this_request}, balance}` (seed 001). An answer of the new
/// generation, `{id, object:"video", cost_usd}`, is an accepted order too, and must not be lost.
fn accepted(json: &Value) -> Option<Accepted> {
    let newer = json.get("object").is_some_and(|object| object == "video");
    let money = |value: Option<&Value>| value.and_then(|v| Money::parse(&plain(v), Currency::Usd).ok());
    Some(Accepted {
        remote_id: remote_id(json.get(if newer { "id" } else { "request_id" })?)?,
        phase: json.get("status").and_then(Value::as_str).map(|word| clean(word, 40)),
        cost: money(json.pointer("/cost/this_request")).or_else(|| money(json.get("cost_usd"))),
        balance: money(json.get("balance")),
        request_id: None,
    })
}

/// `{status, progress?, result?:{video_url}, error?}` (seed 000). `None` where no status can be told.
fn status(json: &Value, origin: &Url) -> Option<Status> {
    let word = clean(json.get("status")?.as_str()?, 40);
    let state = match word.to_ascii_lowercase().as_str() {
        "completed" => {
            let link = json.pointer("/result/video_url").or_else(|| json.get("video_url"))?.as_str()?;
            RemoteState::Finished { links: vec![absolute_link(link, origin)?] }
        }
        "failed" => failed(json),
        _ => RemoteState::Working,
    };
    Some(Status { word, state, progress: json.get("progress").and_then(percent), cost: None })
}

/// `billing: {balanceCents, balanceFormatted}` (wire.md 2.2).
fn amount(billing: &Value) -> Option<Money> {
    let cents = billing.get("balanceCents").and_then(|v| Money::parse(&plain(v), Currency::Usd).ok());
    let cents = cents.map(|money| Money::usd(money.amount / Decimal::ONE_HUNDRED));
    cents.or_else(|| Money::parse(billing.get("balanceFormatted")?.as_str()?, Currency::Usd).ok())
}

/// `rateLimit: {requests, windowSeconds}` (wire.md 2.2), as requests a minute.
fn limit(limit: &Value) -> Option<u32> {
    let (requests, window) = (limit.get("requests")?.as_u64()?, limit.get("windowSeconds")?.as_u64()?);
    u32::try_from(requests.checked_mul(60)?.checked_div(window)?).ok().filter(|n| *n > 0)
}
