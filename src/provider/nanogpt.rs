//! NanoGPT's wire (seeds 002, 003; wire.md 1).
//!
//! Knows its paths, its submit and how a lost order is looked up; statuses and the catalogue are read
//! in the rooms below. Must not know models, files or when to ask again.

mod catalogue;
mod inputs;
mod lost;
mod order;
mod price;
mod status;

use async_trait::async_trait;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::domain::sink::ClipSink;
use crate::domain::text::plain;
use crate::domain::{AccountProfile, Currency, ErrorKind, Model, Money, Problem, Service};

use super::answer::{Answer, Body, CATALOGUE_MAX, JSON_MAX};
use super::error::{Envelope, NANOGPT, free, judge, poll_failure};
use super::http::{KeyHeader, Wire};
use super::{
    Accepted, Endpoint, Evidence, FetchError, Intent, Order, PaidRequest, Provider, RemoteJob, Resume, ServiceError,
    Status, SubmitAnswer, Trace, body, fetch,
};

const STATUS: &str = "/api/video/status?requestId=";
const LEGACY_STATUS: &str = "/api/generate-video/status?runId=";
const BALANCE: &str = "/api/check-balance";
/// Where the video models stand, the newest list first: its own, the older one keyed by id, and the
/// one that is documented as text models only (wire.md 1.2; seed 003 names it for video).
const MODELS: [(&str, bool); 3] = [
    ("/api/v1/video-models?detailed=true", false),
    ("/api/models/video", false),
    // The one that lists other kinds of models too.
    ("/api/v1/models?detailed=true", true),
];

/// The adapter.
pub(super) struct NanoGpt {
    wire: Wire,
}

impl NanoGpt {
    pub(super) fn new(mut endpoint: Endpoint) -> Result<Self, ServiceError> {
        // The documents give the base with `/api` at its end (wire.md 1.1), which every path here starts with.
        let base = endpoint.base_url.trim().trim_end_matches('/');
        endpoint.base_url = base.strip_suffix("/api").unwrap_or(base).to_owned();
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
        let (path, built) = order::write(order)?;
        let url = self.wire.url(&self.origin(profile), path).map_err(|e| vec![body::problem(&e)])?;
        let request = built.request(&url, vec![("X-Request-ID".to_owned(), order.correlation.to_owned())]);
        order::fits(order, &request)?;
        Ok(request)
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, _: Box<dyn ClipSink>) -> SubmitAnswer {
        let source = order::source_run(&request);
        let response = match self.wire.send_paid(request, trace).await {
            Ok(response) => response,
            Err(unanswered) => return unanswered.into(),
        };
        let headers = response.headers().clone();
        let answer = Answer::read(response, JSON_MAX).await;
        let taken = |json| order::accepted(json, &headers, source.as_deref());
        match answer.json().filter(|_| answer.is_success()).and_then(taken) {
            Some(accepted) => SubmitAnswer::Accepted(Accepted { request_id: answer.request_id.clone(), ..accepted }),
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
                .map(|status| answer.kept_by(status))
                // An error under 200 is at least told in its own words.
                .ok_or_else(|| match Envelope::read(json) {
                    Some(_) => poll_failure(NANOGPT, &self.wire, &answer),
                    None => self.unreadable("the job's status", &answer),
                }),
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
        let origin = self.origin(profile);
        let mut first = None;
        for (path, mixed) in MODELS {
            let answer = self.wire.get(&origin, path, CATALOGUE_MAX).await?;
            let found = answer.json().filter(|_| answer.is_success()).and_then(|json| catalogue::read(json, mixed));
            if let Some(models) = found.filter(|models| !models.is_empty()) {
                return Ok(models);
            }
            let error = match answer.is_success() {
                true => self.unreadable("the catalogue", &answer),
                false => free(NANOGPT, &self.wire, &answer),
            };
            // Only a list that is not there, or is none, is looked for under its older names.
            if !(answer.is_success() || matches!(answer.status, 404 | 405 | 410)) {
                return Err(error);
            }
            first.get_or_insert(error);
        }
        Err(first.unwrap_or_else(|| self.wire.error(ErrorKind::Protocol, "it offers no list of models")))
    }

    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError> {
        lost::find(&self.wire, &self.origin(profile), intent).await
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
