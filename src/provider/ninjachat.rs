//! NinjaChat: two interfaces that share the path `/api/v1` (wire.md 2.1).
//!
//! Knows how a host shows which of them it speaks, and hands each call to that one's room. Must not
//! know models, files or when to ask again.

mod catalogue;
mod new;
mod old;

use async_trait::async_trait;
use serde_json::Value;
use url::Url;

use crate::domain::sink::ClipSink;
use crate::domain::text::clean;
use crate::domain::{AccountProfile, ErrorKind, JobError, Model, Money, Problem, Service};

use super::answer::Answer;
use super::error::{NINJACHAT, NINJACHAT_NEW, free};
use super::http::{KeyHeader, Wire};
use super::{
    Endpoint, Evidence, FetchError, Intent, Order, PaidRequest, Provider, RemoteJob, RemoteState, Resume, ServiceError,
    Status, SubmitAnswer, Trace, fetch,
};

/// The adapter.
pub(super) struct NinjaChat {
    wire: Wire,
    /// The generation that the user fixed.
    fixed: Option<Generation>,
}

/// One of the two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    /// `POST /video`, flat errors (seeds 000, 001).
    Old,
    /// `POST /videos`, errors as objects (wire.md 2.1).
    New,
}

impl Generation {
    fn named(word: Option<&str>) -> Option<Self> {
        match word? {
            "old" => Some(Generation::Old),
            "new" => Some(Generation::New),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Generation::Old => "old",
            Generation::New => "new",
        }
    }
}

impl NinjaChat {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, ServiceError> {
        let fixed = Generation::named(endpoint.generation.as_deref());
        Ok(NinjaChat { wire: Wire::new(endpoint, KeyHeader::Bearer)?, fixed })
    }

    fn origin(&self, profile: &AccountProfile) -> Url {
        self.wire.policy.pinned(&profile.origin)
    }

    /// What new orders and the account's own calls speak.
    fn spoken(&self, profile: &AccountProfile) -> Generation {
        self.fixed.or_else(|| Generation::named(profile.generation.as_deref())).unwrap_or(Generation::Old)
    }

    /// The old interface, or why it is not there.
    async fn probe_old(&self) -> Result<AccountProfile, ServiceError> {
        let (origin, answer) = self.wire.probe(old::NOBODYS).await?;
        self.denied(&answer)?;
        match old::is_spoken(&answer) {
            true => Ok(self.old_profile(origin).await),
            false if new::is_spoken(&answer) => {
                let text = "this host speaks the newer interface (errors as objects), but the account is fixed to the \
                            old one; set generation = \"new\", or leave it out";
                Err(self.wire.error(ErrorKind::Protocol, text))
            }
            false => Err(self.nothing_here(&answer)),
        }
    }

    /// The new interface, or why it is not there.
    async fn probe_new(&self) -> Result<AccountProfile, ServiceError> {
        let (origin, answer) = self.wire.probe(new::BALANCE).await?;
        self.denied(&answer)?;
        let other = match new::is_spoken(&answer) {
            true => None,
            false => {
                Some(self.wire.get(&self.wire.policy.pinned(&origin), new::NOBODYS, super::answer::JSON_MAX).await?)
            }
        };
        match other {
            Some(other) if !new::is_spoken(&other) => {
                self.denied(&other)?;
                Err(self.nothing_here(&answer))
            }
            _ => Ok(profile(origin, Generation::New)),
        }
    }

    /// Whichever interface is there; the new one where both are (wire.md 2.1: a clean break).
    async fn probe_both(&self) -> Result<AccountProfile, ServiceError> {
        let (origin, older) = self.wire.probe(old::NOBODYS).await?;
        self.denied(&older)?;
        let at = self.wire.policy.pinned(&origin);
        let mut unclear = None;
        for path in [new::BALANCE, new::NOBODYS] {
            match self.wire.get(&at, path, super::answer::JSON_MAX).await {
                Ok(answer) if new::is_spoken(&answer) => {
                    self.denied(&answer)?;
                    return Ok(profile(origin, Generation::New));
                }
                Ok(answer) if answer.status == 429 => return Err(free(NINJACHAT_NEW, &self.wire, &answer)),
                Ok(answer) if answer.status >= 500 && answer.json().is_none() => unclear = Some(answer),
                Ok(_) => {}
                // A page elsewhere is where a site sends those who ask for what it does not have.
                Err(error) if error.kind == ErrorKind::Protocol => {}
                Err(error) => return Err(error),
            }
        }
        match (old::is_spoken(&older), unclear) {
            (true, None) => Ok(self.old_profile(origin).await),
            (true, Some(answer)) => {
                let text = format!(
                    "which of its two interfaces this host speaks cannot be told while it answers {}; \
                     generation = \"old\" or \"new\" in the account's section fixes it",
                    answer.describe()
                );
                Err(ServiceError { status: Some(answer.status), ..self.wire.error(ErrorKind::Unavailable, &text) })
            }
            (false, _) => Err(self.nothing_here(&older)),
        }
    }

    /// A wrong key or too many calls, whichever interface said so.
    fn denied(&self, answer: &Answer) -> Result<(), ServiceError> {
        match answer.status {
            401 | 429 => Err(free(NINJACHAT, &self.wire, answer)),
            _ => Ok(()),
        }
    }

    fn nothing_here(&self, answer: &Answer) -> ServiceError {
        match answer.status {
            200..=499 => {
                let text = format!("no video interface at this host: {}; check the base URL", answer.describe());
                self.wire.error(ErrorKind::Protocol, &text)
            }
            _ => free(NINJACHAT, &self.wire, answer),
        }
    }

    async fn old_profile(&self, origin: String) -> AccountProfile {
        let mut profile = profile(origin, Generation::Old);
        profile.per_minute = old::per_minute(&self.wire, &self.origin(&profile)).await;
        profile
    }
}

fn profile(origin: String, generation: Generation) -> AccountProfile {
    // The old one lists no orders (seed 001).
    let by_balance = matches!(generation, Generation::Old);
    AccountProfile { origin, generation: Some(generation.word().to_owned()), by_balance, ..AccountProfile::default() }
}

#[async_trait]
impl Provider for NinjaChat {
    fn service(&self) -> Service {
        Service::Ninjachat
    }

    async fn probe(&self) -> Result<AccountProfile, ServiceError> {
        match self.fixed {
            Some(Generation::Old) => self.probe_old().await,
            Some(Generation::New) => self.probe_new().await,
            None => self.probe_both().await,
        }
    }

    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>> {
        match self.spoken(profile) {
            Generation::Old => old::prepare(&self.wire, &self.origin(profile), order),
            Generation::New => new::prepare(&self.wire, &self.origin(profile), order),
        }
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, _: Box<dyn ClipSink>) -> SubmitAnswer {
        if new::is_order(&request) {
            new::submit(&self.wire, request, trace).await
        } else {
            old::submit(&self.wire, request, trace).await
        }
    }

    async fn poll(&self, job: &RemoteJob, profile: &AccountProfile) -> Result<Status, ServiceError> {
        // A job lives where it was ordered, whatever its host speaks by now.
        let ordered = Generation::named(job.generation.as_deref());
        match ordered.unwrap_or_else(|| self.spoken(profile)) {
            Generation::Old => old::poll(&self.wire, &self.origin(profile), job).await,
            Generation::New => new::poll(&self.wire, &self.origin(profile), job).await,
        }
    }

    async fn balance(&self, profile: &AccountProfile) -> Result<Vec<Money>, ServiceError> {
        match self.spoken(profile) {
            Generation::Old => old::balance(&self.wire, &self.origin(profile)).await,
            Generation::New => new::balance(&self.wire, &self.origin(profile)).await,
        }
    }

    async fn discover(&self, profile: &AccountProfile) -> Result<Vec<Model>, ServiceError> {
        match self.spoken(profile) {
            // The old generation lists no models (seed 001 has them in the text).
            Generation::Old => Ok(Vec::new()),
            Generation::New => catalogue::discover(&self.wire, &self.origin(profile)).await,
        }
    }

    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError> {
        match self.spoken(profile) {
            Generation::Old => Ok(Evidence::open(
                "NinjaChat lists no orders, so a lost answer cannot be looked up; compare the balance",
            )),
            Generation::New => new::find(&self.wire, &self.origin(profile), intent).await,
        }
    }

    fn repeatable(&self, profile: &AccountProfile) -> Option<std::time::Duration> {
        match self.spoken(profile) {
            Generation::Old => None,
            Generation::New => Some(new::SAME_ORDER_FOR),
        }
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

/// A job that failed, from its status: `error` as text, or as an object with a message.
fn failed(json: &Value) -> RemoteState {
    let words = match json.get("error") {
        Some(Value::String(text)) => clean(text, 300),
        Some(Value::Object(error)) => clean(error.get("message").and_then(Value::as_str).unwrap_or(""), 300),
        _ => String::new(),
    };
    let words = if words.is_empty() { "the generation failed; no reason given".to_owned() } else { words };
    // No code says why; these are the words for content that was refused.
    let policy = words.to_ascii_lowercase().contains("content policy");
    let kind = if policy { ErrorKind::Policy } else { ErrorKind::Generation };
    // Seed 000, wire.md 2.4: failed jobs are not charged, credits are refunded automatically.
    RemoteState::Failed { error: JobError::new(kind, words), refunded: true }
}
