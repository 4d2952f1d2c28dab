//! NinjaChat's wire, old generation (seeds 000, 001).
//!
//! Knows its paths, its shapes and which answers prove what. Its new generation (wire.md 2.1) is
//! recognised and refused in words. Must not know models, files or when to ask again.

use async_trait::async_trait;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde_json::Value;
use url::Url;

use crate::domain::sink::ClipSink;
use crate::domain::text::{clean, plain};
use crate::domain::{AccountProfile, Currency, ErrorKind, JobError, Model, Money, Problem, Service};

use super::answer::{Answer, Body, JSON_MAX};
use super::error::{NINJACHAT, free, judge, poll_failure};
use super::http::{KeyHeader, Wire};
use super::shape::{absolute_link, percent, remote_id};
use super::{
    Accepted, Endpoint, Evidence, FetchError, Intent, Order, PaidRequest, Provider, RemoteJob, RemoteState, Resume,
    ServiceError, Status, SubmitAnswer, Trace, body, fetch,
};

const SUBMIT: &str = "/api/v1/video";
const STATUS: &str = "/api/v1/video/status?request_id=";
/// Outside `/v1`; holds `billing` (wire.md 2.2).
const KEYS: &str = "/api/api-keys";

/// The adapter.
pub(super) struct NinjaChat {
    wire: Wire,
}

impl NinjaChat {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, ServiceError> {
        Ok(NinjaChat { wire: Wire::new(endpoint, KeyHeader::Bearer)? })
    }

    fn origin(&self, profile: &AccountProfile) -> Url {
        self.wire.policy.pinned(&profile.origin)
    }

    /// The account's billing block, where this key may read it.
    async fn billing(&self, origin: &Url) -> Result<Option<Value>, ServiceError> {
        let answer = self.wire.get(origin, KEYS, JSON_MAX).await?;
        match answer.json() {
            Some(json) if answer.is_success() => Ok(json.get("billing").cloned()),
            _ if matches!(answer.status, 200..=299 | 401 | 403 | 404) => Ok(None),
            _ => Err(free(NINJACHAT, &self.wire, &answer)),
        }
    }

    /// Whether the answer to a status question about no job shows the old generation.
    fn is_old_generation(&self, answer: &Answer) -> Result<(), ServiceError> {
        match (&answer.body, answer.status) {
            (_, 401 | 429) => Err(free(NINJACHAT, &self.wire, answer)),
            (Body::Json(json), _) if json.get("error").is_some_and(Value::is_object) => Err(self.wire.error(
                ErrorKind::Protocol,
                "this host speaks the newer interface (errors as objects, POST /videos), which rushes does not speak \
                 yet; nothing was sent",
            )),
            (Body::Json(_), _) => Ok(()),
            (_, 300..=499) => {
                let text = format!("no video interface at this host: {}; check the base URL", answer.describe());
                Err(self.wire.error(ErrorKind::Protocol, &text))
            }
            _ => Err(free(NINJACHAT, &self.wire, answer)),
        }
    }
}

#[async_trait]
impl Provider for NinjaChat {
    fn service(&self) -> Service {
        Service::Ninjachat
    }

    async fn probe(&self) -> Result<AccountProfile, ServiceError> {
        let (origin, answer) = self.wire.probe(&format!("{STATUS}rushes%2Dprobe")).await?;
        self.is_old_generation(&answer)?;
        let mut profile = AccountProfile { origin, generation: Some("old".to_owned()), ..AccountProfile::default() };
        // Limits are a courtesy of an endpoint this key may not even read.
        let billing = self.billing(&self.origin(&profile)).await.ok().flatten();
        profile.per_minute = billing.and_then(|b| per_minute(b.get("rateLimit")?));
        Ok(profile)
    }

    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>> {
        let built = body::build(order)?;
        let url = self.wire.url(&self.origin(profile), SUBMIT).map_err(|e| vec![body::problem(&e)])?;
        Ok(built.request(&url, Vec::new()))
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, _: Box<dyn ClipSink>) -> SubmitAnswer {
        let answer = match self.wire.send_paid(request, trace).await {
            Ok(response) => Answer::read(response, JSON_MAX).await,
            Err(unanswered) => return unanswered.into(),
        };
        match answer.json().filter(|_| answer.is_success()).and_then(accepted) {
            Some(accepted) => SubmitAnswer::Accepted(Accepted { request_id: answer.request_id.clone(), ..accepted }),
            None => judge(NINJACHAT, &self.wire, &answer),
        }
    }

    async fn poll(&self, job: &RemoteJob, profile: &AccountProfile) -> Result<Status, ServiceError> {
        let origin = self.origin(profile);
        // Ids hold `:` and `/`, such as `gemini-veo:operations/generate-video-abc123` (wire.md 2.1).
        let id = utf8_percent_encode(&job.remote_id, NON_ALPHANUMERIC);
        let answer = self.wire.get(&origin, &format!("{STATUS}{id}"), JSON_MAX).await?;
        match answer.json().filter(|_| answer.is_success()) {
            Some(json) => status(json, &origin).map(|status| self.wire.hide_in(status)).ok_or_else(|| {
                let text = format!("the job's status cannot be read: {}", answer.describe());
                self.wire.error(ErrorKind::Protocol, &text)
            }),
            None => Err(poll_failure(NINJACHAT, &self.wire, &answer)),
        }
    }

    async fn balance(&self, profile: &AccountProfile) -> Result<Vec<Money>, ServiceError> {
        let billing = self.billing(&self.origin(profile)).await?;
        Ok(billing.and_then(|b| balance(&b)).into_iter().collect())
    }

    async fn discover(&self, _: &AccountProfile) -> Result<Vec<Model>, ServiceError> {
        // The old generation lists no models (seed 001 has them in the text).
        Ok(Vec::new())
    }

    async fn find(&self, _: &Intent, _: &AccountProfile) -> Result<Evidence, ServiceError> {
        Ok(Evidence::open("NinjaChat lists no orders, so a lost answer cannot be looked up; compare the balance"))
    }

    async fn fetch(
        &self,
        link: &str,
        resume: Option<&Resume>,
        profile: &AccountProfile,
        sink: &mut dyn ClipSink,
    ) -> Result<(), FetchError> {
        fetch::fetch(&self.wire, NINJACHAT, &self.origin(profile), link, resume, sink).await
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
        "failed" => {
            let words = match json.get("error") {
                Some(Value::String(text)) => clean(text, 300),
                Some(Value::Object(error)) => clean(error.get("message").and_then(Value::as_str).unwrap_or(""), 300),
                _ => String::new(),
            };
            let words = if words.is_empty() { "the generation failed; no reason given".to_owned() } else { words };
            // Seed 000: failed jobs are not charged, credits are refunded automatically.
            RemoteState::Failed { error: JobError::new(ErrorKind::Generation, words), refunded: true }
        }
        _ => RemoteState::Working,
    };
    Some(Status { word, state, progress: json.get("progress").and_then(percent), cost: None })
}

/// `billing: {balanceCents, balanceFormatted}` (wire.md 2.2).
fn balance(billing: &Value) -> Option<Money> {
    let cents = billing.get("balanceCents").and_then(|v| Money::parse(&plain(v), Currency::Usd).ok());
    let cents = cents.map(|money| Money::usd(money.amount / Decimal::ONE_HUNDRED));
    cents.or_else(|| Money::parse(billing.get("balanceFormatted")?.as_str()?, Currency::Usd).ok())
}

/// `rateLimit: {requests, windowSeconds}` (wire.md 2.2), as requests a minute.
fn per_minute(limit: &Value) -> Option<u32> {
    let (requests, window) = (limit.get("requests")?.as_u64()?, limit.get("windowSeconds")?.as_u64()?);
    u32::try_from(requests.checked_mul(60)?.checked_div(window)?).ok().filter(|n| *n > 0)
}
