//! A4F's wire (seed 004; wire.md 3): one call that stays open until the clip comes with the answer.
//!
//! Knows the order and what its answer proves; the answer itself is read in `stream.rs`, usage and
//! models in rooms of their own. Must not know models or files.

mod base64;
mod catalogue;
mod stream;
mod usage;

use async_trait::async_trait;
use serde_json::Value;
use url::Url;

use crate::domain::sink::ClipSink;
use crate::domain::text::clean;
use crate::domain::{AccountProfile, ErrorKind, Model, Money, Problem, Service};

use self::stream::{Broken, Read};
use super::answer::{Answer, Body, JSON_MAX};
use super::error::{A4F, judge};
use super::http::{KeyHeader, Wire};
use super::shape::absolute_link;
use super::{
    Endpoint, Evidence, FetchError, Finished, Intent, Order, PaidRequest, Provider, RemoteJob, Resume, ServiceError,
    Status, SubmitAnswer, Trace, body, fetch,
};

const SUBMIT: &str = "/v1/video/generations";

/// The adapter.
pub(super) struct A4f {
    wire: Wire,
}

impl A4f {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, ServiceError> {
        Ok(A4f { wire: Wire::new(endpoint, KeyHeader::Bearer)? })
    }

    fn origin(&self, profile: &AccountProfile) -> Url {
        self.wire.policy.pinned(&profile.origin)
    }

    /// What a 200 means, once read to its end.
    fn outcome(&self, mut head: Answer, read: Read, at: &str) -> SubmitAnswer {
        let unknown = |kind, text: String| {
            let text = format!("{text}; the clip may have been made and lost, and the plan's run with it");
            SubmitAnswer::Unknown(ServiceError { status: Some(head.status), ..self.wire.error(kind, &text) })
        };
        let origin = Url::parse(at).unwrap_or_else(|_| self.wire.policy.base().clone());
        let links: Vec<String> = read.links.iter().filter_map(|link| absolute_link(link, &origin)).collect();
        match read.broken {
            Some(Broken::Disk(error)) => {
                let text = format!("its answer could not be written to disk: {}", clean(&error.to_string(), 160));
                return unknown(ErrorKind::Disk, text);
            }
            // A clip whose text was closed is whole, whatever became of the rest of the answer.
            _ if read.clips > 0 || !links.is_empty() => {}
            Some(Broken::Cut(why)) => return unknown(ErrorKind::Unavailable, format!("its answer broke off ({why})")),
            Some(Broken::Shape(why)) => {
                return unknown(ErrorKind::Protocol, format!("its answer cannot be read ({why})"));
            }
            None if read.rest.contains_key("error") => {
                head.body = Body::Json(Value::Object(read.rest));
                return judge(A4F, &self.wire, &head);
            }
            None => return unknown(ErrorKind::Protocol, "its answer holds no clip".to_owned()),
        }
        SubmitAnswer::Finished(Finished { clips: read.clips, links, revised_prompt: read.revised_prompt })
    }
}

#[async_trait]
impl Provider for A4f {
    fn service(&self) -> Service {
        Service::A4f
    }

    async fn probe(&self) -> Result<AccountProfile, ServiceError> {
        usage::probe(&self.wire).await
    }

    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>> {
        let built = body::build(order)?;
        let url = self.wire.url(&self.origin(profile), SUBMIT).map_err(|e| vec![body::problem(&e)])?;
        Ok(built.request(&url, Vec::new()))
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, sink: Box<dyn ClipSink>) -> SubmitAnswer {
        let at = request.url.clone();
        let response = match self.wire.send_paid(request, trace).await {
            Ok(response) => response,
            Err(unanswered) => return unanswered.into(),
        };
        if !response.status().is_success() {
            return judge(A4F, &self.wire, &Answer::read(response, JSON_MAX).await);
        }
        let head = Answer::head(&response);
        let read = stream::receive(response, sink).await;
        self.outcome(head, read, &at)
    }

    async fn poll(&self, _: &RemoteJob, _: &AccountProfile) -> Result<Status, ServiceError> {
        Err(self.wire.error(ErrorKind::Gone, "it keeps no jobs; the clip comes with the answer to the order"))
    }

    async fn balance(&self, _: &AccountProfile) -> Result<Vec<Money>, ServiceError> {
        // Plans, no money (wire.md 3.1).
        Ok(Vec::new())
    }

    async fn discover(&self, profile: &AccountProfile) -> Result<Vec<Model>, ServiceError> {
        catalogue::discover(&self.wire, &self.origin(profile)).await
    }

    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError> {
        usage::find(&self.wire, &self.origin(profile), intent).await
    }

    async fn fetch(
        &self,
        link: &str,
        resume: Option<&Resume>,
        profile: &AccountProfile,
        sink: &mut dyn ClipSink,
    ) -> Result<(), FetchError> {
        fetch::fetch(&self.wire, A4F, &self.origin(profile), link, resume, sink).await
    }
}
