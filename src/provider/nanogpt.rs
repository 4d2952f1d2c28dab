//! NanoGPT's wire (seeds 002, 003; wire.md 1).
//!
//! Knows its paths, its submit and how a lost order is looked up; statuses and the catalogue are read
//! in the rooms below. Must not know models, files or when to ask again.

mod catalogue;
mod price;
mod status;

use async_trait::async_trait;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::domain::sink::ClipSink;
use crate::domain::text::{clean, plain};
use crate::domain::{AccountProfile, Currency, ErrorKind, Model, Money, Problem, Service};

use super::answer::{Answer, Body, CATALOGUE_MAX, JSON_MAX};
use super::error::{NANOGPT, free, judge, poll_failure};
use super::http::{KeyHeader, Wire};
use super::shape::remote_id;
use super::{
    Accepted, Endpoint, Evidence, FetchError, Grade, Intent, Order, PaidRequest, Provider, RemoteJob, Resume,
    ServiceError, Status, SubmitAnswer, Trace, body, fetch,
};

const SUBMIT: &str = "/api/generate-video";
const STATUS: &str = "/api/video/status?requestId=";
const LEGACY_STATUS: &str = "/api/generate-video/status?runId=";
const RECOVER: &str = "/api/generate-video/recover?limit=50&conversationUUID=";
const USAGE: &str = "/api/v1/usage/requests/";
const BALANCE: &str = "/api/check-balance";
const MODELS: &str = "/api/v1/video-models?detailed=true";
/// The edge of the main host refuses larger bodies (wire.md 1.6: about 4.5 MB), in bytes.
const EDGE_MAX: usize = 4_400_000;

/// The adapter.
pub(super) struct NanoGpt {
    wire: Wire,
}

impl NanoGpt {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, ServiceError> {
        // One header only: two that differ are rejected, and the documents list this one for video
        // and balance (wire.md 1.1).
        Ok(NanoGpt { wire: Wire::new(endpoint, KeyHeader::XApiKey)? })
    }

    fn origin(&self, profile: &AccountProfile) -> Url {
        self.wire.policy.pinned(&profile.origin)
    }

    fn unreadable(&self, what: &str, answer: &Answer) -> ServiceError {
        self.wire.error(ErrorKind::Protocol, &format!("{what} cannot be read: {}", answer.describe()))
    }

    /// Whether a charge was booked under our own request id (wire.md 6: kept 24 h; absence proves nothing).
    async fn charge(&self, origin: &Url, correlation: &str) -> Option<String> {
        let path = format!("{USAGE}{}", utf8_percent_encode(correlation, NON_ALPHANUMERIC));
        let answer = self.wire.get(origin, &path, JSON_MAX).await.ok()?;
        let json = answer.json().filter(|_| answer.is_success())?;
        if json.get("request_id")?.as_str()? != correlation {
            return None;
        }
        let currency = json.get("currency").and_then(Value::as_str).unwrap_or("USD").parse().ok()?;
        Some(Money::parse(&plain(json.get("cost")?), currency).ok()?.to_string())
    }
}

#[async_trait]
impl Provider for NanoGpt {
    fn service(&self) -> Service {
        Service::Nanogpt
    }

    async fn probe(&self) -> Result<AccountProfile, ServiceError> {
        let (origin, answer) = self.wire.probe(&format!("{STATUS}rushes%2Dprobe")).await?;
        match (&answer.body, answer.status) {
            (_, 401 | 429) => Err(free(NANOGPT, &self.wire, &answer)),
            (Body::Json(_), 403) => match free(NANOGPT, &self.wire, &answer) {
                // 403 without a code is how it may answer about a job that is nobody's (wire.md 1.2).
                coded if poll_failure(NANOGPT, &self.wire, &answer).kind != ErrorKind::Gone => Err(coded),
                _ => Ok(AccountProfile { origin, ..AccountProfile::default() }),
            },
            (Body::Json(_), _) => Ok(AccountProfile { origin, ..AccountProfile::default() }),
            (_, 200..=499) => {
                let text = format!("no video interface at this host: {}; check the base URL", answer.describe());
                Err(self.wire.error(ErrorKind::Protocol, &text))
            }
            _ => Err(free(NANOGPT, &self.wire, &answer)),
        }
    }

    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>> {
        let mut built = body::build(order)?;
        built.insert("conversationUUID", Value::String(order.correlation.to_owned()));
        let url = self.wire.url(&self.origin(profile), SUBMIT).map_err(|e| vec![body::problem(&e)])?;
        let request = built.request(&url, vec![("X-Request-ID".to_owned(), order.correlation.to_owned())]);
        if request.body.len() > EDGE_MAX {
            let text = format!(
                "the order has {} bytes, files included; the service takes at most {EDGE_MAX}. Give links instead of files",
                request.body.len()
            );
            let media = order.model.parameters.iter().find(|p| p.kind.is_media() && order.values.contains_key(&p.name));
            return Err(vec![Problem::new(media.map_or("prompt", |p| &p.name), "max_bytes", text)]);
        }
        Ok(request)
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, _: Box<dyn ClipSink>) -> SubmitAnswer {
        let response = match self.wire.send_paid(request, trace).await {
            Ok(response) => response,
            Err(unanswered) => return unanswered.into(),
        };
        // Figures that JSON may lack (wire.md 1.7).
        let header = |name: &str, currency| {
            let text = response.headers().get(name)?.to_str().ok()?;
            Money::parse(text, currency).ok()
        };
        let cost = header("x-cost", Currency::Usd).or_else(|| header("x-nano-cost", Currency::Xno));
        let answer = Answer::read(response, JSON_MAX).await;
        match answer.json().filter(|_| answer.is_success()).and_then(accepted) {
            Some(accepted) => SubmitAnswer::Accepted(Accepted {
                request_id: answer.request_id.clone(),
                cost: accepted.cost.or(cost),
                ..accepted
            }),
            None => judge(NANOGPT, &self.wire, &answer),
        }
    }

    async fn poll(&self, job: &RemoteJob, profile: &AccountProfile) -> Result<Status, ServiceError> {
        let origin = self.origin(profile);
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let id = encoded(&job.remote_id);
        let mut answer = self.wire.get(&origin, &format!("{STATUS}{id}"), JSON_MAX).await?;
        if answer.status == 404 {
            // Old ids may be known to the old endpoint only (wire.md 1.2, 1.11).
            let path = format!("{LEGACY_STATUS}{id}&model={}", encoded(&job.model));
            let older = self.wire.get(&origin, &path, JSON_MAX).await?;
            // Its own kind of not knowing an id, such as 400, says no more than the 404 did.
            if older.is_success() || matches!(older.status, 401 | 408 | 429 | 500..=599) {
                answer = older;
            }
        }
        match answer.json().filter(|_| answer.is_success()) {
            Some(json) => status::read(json, &origin, job.currency)
                .map(|status| self.wire.hide_in(status))
                .ok_or_else(|| self.unreadable("the job's status", &answer)),
            None => Err(poll_failure(NANOGPT, &self.wire, &answer)),
        }
    }

    async fn balance(&self, profile: &AccountProfile) -> Result<Vec<Money>, ServiceError> {
        let answer = self.wire.post_free(&self.origin(profile), BALANCE).await?;
        let Some(json) = answer.json().filter(|_| answer.is_success()) else {
            return Err(free(NANOGPT, &self.wire, &answer));
        };
        // Texts of eight decimals by the documents, numbers by some clients (wire.md 1.5).
        let amount = |key: &str, currency| Money::parse(&plain(json.get(key)?), currency).ok();
        let all = [amount("usd_balance", Currency::Usd), amount("nano_balance", Currency::Xno)];
        let known: Vec<Money> = all.into_iter().flatten().collect();
        if known.is_empty() { Err(self.unreadable("the balance", &answer)) } else { Ok(known) }
    }

    async fn discover(&self, profile: &AccountProfile) -> Result<Vec<Model>, ServiceError> {
        let answer = self.wire.get(&self.origin(profile), MODELS, CATALOGUE_MAX).await?;
        match answer.json().filter(|_| answer.is_success()) {
            Some(json) => catalogue::read(json).ok_or_else(|| self.unreadable("the catalogue", &answer)),
            None => Err(free(NANOGPT, &self.wire, &answer)),
        }
    }

    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError> {
        let origin = self.origin(profile);
        let path = format!("{RECOVER}{}", utf8_percent_encode(&intent.correlation, NON_ALPHANUMERIC));
        let answer = self.wire.get(&origin, &path, JSON_MAX).await?;
        let mut evidence = match answer.json().filter(|_| answer.is_success()) {
            Some(json) => recovered(json, intent).ok_or_else(|| self.unreadable("the list of runs", &answer))?,
            None if answer.status == 404 => Evidence::open("NanoGPT offers no list of runs here"),
            None => return Err(free(NANOGPT, &self.wire, &answer)),
        };
        if evidence.grade != Grade::Proven
            && let Some(cost) = self.charge(&origin, &intent.correlation).await
        {
            evidence.grade = Grade::Proven;
            evidence.text = format!("a charge of {cost} is booked under our own request id, but {}", evidence.text);
        }
        Ok(evidence)
    }

    async fn fetch(
        &self,
        link: &str,
        resume: Option<&Resume>,
        profile: &AccountProfile,
        sink: &mut dyn ClipSink,
    ) -> Result<(), FetchError> {
        fetch::fetch(&self.wire, NANOGPT, &self.origin(profile), link, resume, sink).await
    }
}

/// The answer to a submit: the id under any of its names (wire.md 1.3), the rest where given.
fn accepted(json: &Value) -> Option<Accepted> {
    let places = ["/runId", "/id", "/requestId", "/data/runId", "/data/id", "/data/requestId"];
    let id = places.iter().find_map(|place| json.pointer(place).and_then(remote_id))?;
    let get = |key: &str| json.get(key).or_else(|| json.get("data")?.get(key));
    let source = get("paymentSource").and_then(Value::as_str);
    // An amount without a currency we know is no amount.
    let currency: Option<Currency> = source.map_or(Some(Currency::Usd), |code| code.parse().ok());
    let money = |key: &str| Money::parse(&plain(get(key)?), currency?).ok().filter(|m| !m.amount.is_sign_negative());
    Some(Accepted {
        remote_id: id,
        phase: get("status").and_then(Value::as_str).map(|word| clean(word, 40)),
        cost: money("cost"),
        balance: money("remainingBalance"),
        request_id: None,
    })
}

/// What the list of recent runs says of an intent: `{data: [{runId, model, conversationUUID, ...}]}`
/// (wire.md 1.2). Only a row that echoes our own UUID proves anything.
fn recovered(json: &Value, intent: &Intent) -> Option<Evidence> {
    let rows = json.get("data").or_else(|| json.get("runs")).unwrap_or(json).as_array()?;
    let echo = |row: &&Value| {
        let names = ["conversationUUID", "conversationUuid", "conversation_uuid"];
        names.iter().any(|name| row.get(name).and_then(Value::as_str) == Some(&intent.correlation))
    };
    let id = |row: &Value| ["runId", "id", "requestId"].iter().find_map(|name| row.get(name).and_then(remote_id));
    let mut ids: Vec<String> = rows.iter().filter(echo).filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(match ids.as_slice() {
        [only] => Evidence {
            grade: Grade::Proven,
            remote_id: Some(only.clone()),
            text: format!("NanoGPT lists run {} under our own id", clean(only, 60)),
        },
        [] => Evidence::open(match rows.len() {
            0 => "NanoGPT lists no run under our own id, which proves nothing".to_owned(),
            n => format!("NanoGPT lists {n} runs, none of which names our own id"),
        }),
        several => Evidence::open(format!("NanoGPT lists {} runs under our own id; look at them there", several.len())),
    })
}
