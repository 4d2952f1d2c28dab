//! The way to a service: free calls, probes and paid requests of one account.
//!
//! Knows redirects and where the key may go. Must not know any service's paths or
//! bodies, and never sends anything twice.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::domain::text::clean;
use crate::domain::{ErrorKind, Service};
use crate::mutation::mutated;

use super::address::{Policy, same_origin, same_site};
use super::answer::{Answer, JSON_MAX, transport};
use super::connection::Clients;
use super::{Endpoint, PaidRequest, ServiceError, SubmitAnswer, Trace};

/// Most redirects followed.
const HOPS: usize = 5;

/// Which header carries the key.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyHeader {
    /// `Authorization: Bearer`.
    Bearer,
    /// `x-api-key`.
    XApiKey,
}

/// The connections of one account.
pub(super) struct Wire {
    /// The service, for messages.
    pub(super) service: Service,
    /// Where it may connect to.
    pub(super) policy: Policy,
    key: SecretString,
    header: KeyHeader,
    clients: Clients,
}

/// A paid request that got no answer's head.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// Whether the order may have reached the service.
    pub(super) released: bool,
    /// What went wrong.
    pub(super) error: ServiceError,
}

impl From<Unanswered> for SubmitAnswer {
    fn from(unanswered: Unanswered) -> Self {
        let mut error = unanswered.error;
        if unanswered.released {
            error.message += "; the order had left, so whether it was taken cannot be told";
            return SubmitAnswer::Unknown(error);
        }
        error.message += "; the order was not sent";
        SubmitAnswer::NotSent(error)
    }
}

impl Wire {
    /// Prepares the connections of an account; opens none.
    pub(super) fn new(endpoint: Endpoint, header: KeyHeader) -> Result<Self, ServiceError> {
        let Endpoint { service, base_url, generation: _, key, allow_insecure } = endpoint;
        let policy = Policy::new(service, &base_url, allow_insecure)?;
        let clients = Clients::new(&policy)?;
        let wire = Wire { service, policy, key, header, clients };
        wire.key_header()?;
        Ok(wire)
    }

    /// The URL of a path at an origin, its path prefix kept.
    pub(super) fn url(&self, origin: &Url, path: &str) -> Result<Url, ServiceError> {
        Url::parse(&format!("{}{path}", origin.as_str().trim_end_matches('/')))
            .map_err(|e| ServiceError::new(ErrorKind::Protocol, format!("cannot form a URL: {e}")))
    }

    /// A free GET of a path, read whole. Redirects are followed within the origin only: elsewhere the
    /// key does not go, and an answer without it would pass for a wrong key.
    pub(super) async fn get(&self, origin: &Url, path: &str, max: usize) -> Result<Answer, ServiceError> {
        let mut url = self.url(origin, path)?;
        for _ in 0..=HOPS {
            let response = self.hop(&url, true, &HeaderMap::new()).await?;
            match redirect_target(&response, &url)? {
                None => return Ok(Answer::read(response, max).await),
                Some(next) if same_origin(&next, origin) => url = next,
                Some(next) => {
                    let host = clean(next.host_str().unwrap_or_default(), 80);
                    let text = format!("its host now redirects to {host}; start rushes again to find the new host");
                    return Err(self.error(ErrorKind::Protocol, &text));
                }
            }
        }
        Err(self.error(ErrorKind::Protocol, "it redirects in circles"))
    }

    /// A free POST of an empty object, read whole; redirects are not followed.
    pub(super) async fn post_free(&self, origin: &Url, path: &str) -> Result<Answer, ServiceError> {
        let url = self.url(origin, path)?;
        self.policy.admit(&url)?;
        let client = &self.clients.of(&url).await?.free;
        let request = client.post(url).headers(self.headers(true)?).header(CONTENT_TYPE, "application/json");
        let response = request.body("{}").send().await.map_err(|e| transport(self.service, &e))?;
        Ok(Answer::read(response, JSON_MAX).await)
    }

    /// Opens a URL by GET and follows redirects by hand: headers rebuilt for every hop, the key only
    /// for `origin` itself. Returns the last answer and where it came from.
    pub(super) async fn open(
        &self,
        origin: &Url,
        mut url: Url,
        extra: &HeaderMap,
    ) -> Result<(Response, Url), ServiceError> {
        for _ in 0..=HOPS {
            let response = self.hop(&url, same_origin(&url, origin), extra).await?;
            match redirect_target(&response, &url)? {
                Some(next) => url = next,
                None => return Ok((response, url)),
            }
        }
        Err(self.error(ErrorKind::Protocol, "it redirects in circles"))
    }

    /// One free GET without following anything.
    async fn hop(&self, url: &Url, keyed: bool, extra: &HeaderMap) -> Result<Response, ServiceError> {
        self.policy.admit(url)?;
        let mut headers = self.headers(keyed)?;
        headers.extend(extra.clone());
        let client = &self.clients.of(url).await?.free;
        client.get(url.clone()).headers(headers).send().await.map_err(|e| transport(self.service, &e))
    }

    /// Finds out where the account lives: a free GET of `path`, redirects followed within the
    /// account's own site only. Returns the origin to pin, with its path prefix, and the answer.
    pub(super) async fn probe(&self, path: &str) -> Result<(String, Answer), ServiceError> {
        let mut origin = self.policy.base().clone();
        for _ in 0..=HOPS {
            let url = self.url(&origin, path)?;
            let response = self.hop(&url, true, &HeaderMap::new()).await?;
            let Some(next) = redirect_target(&response, &url)? else {
                let pinned = origin.as_str().trim_end_matches('/').to_owned();
                return Ok((pinned, Answer::read(response, JSON_MAX).await));
            };
            let host = clean(next.host_str().unwrap_or_default(), 80);
            if !same_site(&origin, &next) || !same_site(self.policy.base(), &next) {
                let text = format!("its host redirects to {host}, which is not its own; the key was not sent there");
                return Err(self.error(ErrorKind::Protocol, &text));
            }
            let whole = next.as_str();
            let Some(prefix) = whole.strip_suffix(path) else {
                let text = format!("its host redirects to another page of {host}; check the base URL");
                return Err(self.error(ErrorKind::Protocol, &text));
            };
            origin = Url::parse(prefix).map_err(|e| self.error(ErrorKind::Protocol, &e.to_string()))?;
        }
        Err(self.error(ErrorKind::Protocol, "its host redirects in circles"))
    }

    /// Sends a paid request, once, and returns the answer's head.
    pub(super) async fn send_paid(&self, request: PaidRequest, trace: &Trace) -> Result<Response, Unanswered> {
        let not_sent = |error: ServiceError| Unanswered { released: false, error };
        let url = Url::parse(&request.url)
            .map_err(|e| not_sent(ServiceError::new(ErrorKind::Protocol, format!("the order's URL is broken: {e}"))))?;
        if !same_site(self.policy.base(), &url) {
            let text = "the order was made for another host than the account's; nothing was sent";
            return Err(not_sent(self.error(ErrorKind::Protocol, text)));
        }
        self.policy.admit(&url).map_err(not_sent)?;
        let mut headers = self.headers(true).map_err(not_sent)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &request.headers {
            let pair = HeaderName::try_from(name).ok().zip(HeaderValue::from_str(value).ok());
            let Some((name, value)) = pair else {
                let text = format!("the header {} cannot be sent", clean(name, 40));
                return Err(not_sent(ServiceError::new(ErrorKind::Invalid, text)));
            };
            headers.insert(name, value);
        }
        let body = if mutated("client_retry") || mutated("redirects") {
            // A body that can be sent again is what either needs.
            let _ = trace.release();
            reqwest::Body::from(request.body)
        } else {
            reqwest::Body::wrap(PaidBody { bytes: Some(request.body), trace: trace.clone() })
        };
        let client = &self.clients.of(&url).await.map_err(not_sent)?.paid;
        let sending = client.post(url).headers(headers).body(body).send();
        sending.await.map_err(|e| Unanswered { released: trace.is_released(), error: transport(self.service, &e) })
    }

    /// An error that starts with the service's name.
    pub(super) fn error(&self, kind: ErrorKind, text: &str) -> ServiceError {
        ServiceError::new(kind, format!("{}: {text}", self.service.title()))
    }

    fn headers(&self, keyed: bool) -> Result<HeaderMap, ServiceError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if keyed {
            let (name, value) = self.key_header()?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn key_header(&self) -> Result<(HeaderName, HeaderValue), ServiceError> {
        let key = self.key.expose_secret().trim();
        let (name, text) = match self.header {
            KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
            KeyHeader::XApiKey => (HeaderName::from_static("x-api-key"), key.to_owned()),
        };
        match HeaderValue::from_str(&text) {
            Ok(mut value) if !key.is_empty() => {
                value.set_sensitive(true);
                Ok((name, value))
            }
            _ => Err(self.error(ErrorKind::Authentication, "its key is empty or holds characters no header can carry")),
        }
    }
}

/// Where an answer redirects to, if it does.
fn redirect_target(response: &Response, from: &Url) -> Result<Option<Url>, ServiceError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let target = location.to_str().ok().and_then(|text| from.join(text).ok());
    let target =
        target.ok_or_else(|| ServiceError::new(ErrorKind::Protocol, "a redirect to something that is no URL"))?;
    Ok(Some(target))
}

/// The body of a paid request: of exact length, and it records when it was first asked for.
struct PaidBody {
    bytes: Option<Bytes>,
    trace: Trace,
}

impl Body for PaidBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        if !self.trace.release() {
            self.bytes = None;
            return Poll::Ready(Some(Err(std::io::Error::other("the order was given up before it was sent"))));
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
