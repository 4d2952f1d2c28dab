//! An answer read whole, within limits, and told apart by what its body is.
//!
//! Knows bodies, `Retry-After` and how the way to a service can fail. Must not know any service.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::domain::text::clean;
use crate::domain::{ErrorKind, Service};

use super::{RemoteState, ServiceError, Status};

/// Longest message of a service that is kept, in characters.
pub(super) const MESSAGE_MAX: usize = 300;
/// Longest body of an error that is kept as it came, in characters.
const VERBATIM_MAX: usize = 2_000;
/// Longest answer to a submit, a status or a balance, in bytes.
pub(super) const JSON_MAX: usize = 5 << 20;
/// Longest catalogue, in bytes.
pub(super) const CATALOGUE_MAX: usize = 16 << 20;
/// Longest wait a service may ask for.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(31 * 86_400);

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// How long the service asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The service's request id.
    pub(super) request_id: Option<String>,
    /// Where a redirect that is not followed points.
    pub(super) location: Option<String>,
    /// What came as body.
    pub(super) body: Body,
}

/// What a body turned out to be.
#[derive(Debug)]
pub(super) enum Body {
    /// JSON, whatever its content type said.
    Json(Value),
    /// A web page, as a proxy or an edge sends it.
    Html,
    /// Nothing.
    Empty,
    /// Anything else, its beginning cleaned.
    Other(String),
    /// More than the limit, in bytes.
    TooLong(usize),
    /// It broke off, and how.
    Cut(String),
}

impl Answer {
    /// Reads an answer of at most `max` bytes.
    pub(super) async fn read(mut response: reqwest::Response, max: usize) -> Self {
        let mut answer = Answer::head(&response);
        let mut bytes = Vec::new();
        answer.body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > max => break Body::TooLong(max),
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break Body::of(&bytes),
                Err(error) => break Body::Cut(root_cause(&error)),
            }
        };
        answer
    }

    /// The answer's head alone, as if nothing followed.
    pub(super) fn head(response: &reqwest::Response) -> Self {
        let headers = response.headers();
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(|v| clean(v, 200));
        Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(headers),
            request_id: text("x-request-id").filter(|id| !id.is_empty()),
            location: text("location"),
            body: Body::Empty,
        }
    }

    /// The JSON, where there is some.
    pub(super) fn json(&self) -> Option<&Value> {
        match &self.body {
            Body::Json(value) => Some(value),
            _ => None,
        }
    }

    /// The body as it came, cleaned and cut; `None` where none came that can be read.
    pub(super) fn verbatim(&self) -> Option<String> {
        match &self.body {
            Body::Json(value) => Some(clean(&value.to_string(), VERBATIM_MAX)),
            Body::Other(text) => Some(text.clone()),
            Body::Html | Body::Empty | Body::TooLong(_) | Body::Cut(_) => None,
        }
    }

    /// A status, with this answer kept beside the failure it told of.
    pub(super) fn kept_by(&self, mut status: Status) -> Status {
        if let RemoteState::Failed { error, .. } = &mut status.state {
            error.answer = self.verbatim();
        }
        status
    }

    /// Whether the status says that it worked.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What came, in words, for a message.
    pub(super) fn describe(&self) -> String {
        let what = match &self.body {
            Body::Json(_) => "JSON that fits no documented shape".to_owned(),
            Body::Html => "a web page instead of JSON".to_owned(),
            Body::Empty => "an empty body".to_owned(),
            Body::Other(text) => format!("`{text}`"),
            Body::TooLong(max) => format!("more than {} MB", max >> 20),
            Body::Cut(why) => format!("an answer that broke off ({why})"),
        };
        format!("HTTP {} with {what}", self.status)
    }
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        let bare = bytes.trim_ascii();
        match bare.first() {
            None => Body::Empty,
            Some(b'<') => Body::Html,
            Some(_) => serde_json::from_slice(bare).map_or_else(
                |_| Body::Other(clean(&String::from_utf8_lossy(&bare[..bare.len().min(400)]), 120)),
                Body::Json,
            ),
        }
    }
}

/// How long a service asks to wait: seconds, or an HTTP date measured against its own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let sane = seconds.is_finite() && seconds >= 0.0;
        return sane.then(|| Duration::from_secs_f64(seconds.min(RETRY_MAX.as_secs_f64())));
    }
    let until = http_date(text)?;
    let now = headers.get(DATE).and_then(|v| v.to_str().ok()).and_then(http_date).unwrap_or_else(Timestamp::now);
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    Some(wait.min(RETRY_MAX))
}

fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: jiff::fmt::rfc2822::DateTimeParser = jiff::fmt::rfc2822::DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
}

/// A failure on the way to a service or back. Names the service and the last cause, never a URL.
pub(super) fn transport(service: Service, error: &reqwest::Error) -> ServiceError {
    let name = service.title();
    let cause = root_cause(error);
    let text = if error.is_connect() {
        format!("cannot connect to {name}: {cause}")
    } else if error.is_timeout() {
        format!("{name} did not answer in time")
    } else {
        format!("the connection to {name} failed: {cause}")
    };
    ServiceError::new(ErrorKind::Unavailable, text)
}

/// The last cause of an error, which is what the system or the peer said.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if std::ptr::addr_eq(cause, error) {
        // The outermost error alone would print its URL.
        return "no cause was given".to_owned();
    }
    clean(&cause.to_string(), 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pairs: &[(&'static str, &str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_by_the_services_own_clock() {
        assert_eq!(wait(&[("retry-after", "30")]), Some(30));
        let date = ("date", "Fri, 20 Nov 2026 07:00:00 GMT");
        assert_eq!(wait(&[("retry-after", "Fri, 20 Nov 2026 08:00:00 GMT"), date]), Some(3600));
        assert_eq!(wait(&[("retry-after", "Fri, 20 Nov 2026 06:00:00 GMT"), date]), Some(0), "a date that has passed");
        assert_eq!(wait(&[("retry-after", "99999999999999999999")]), Some(RETRY_MAX.as_secs()));
        for nonsense in ["soon", "-5", "NaN", "inf"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn a_body_is_told_by_its_content() {
        assert!(matches!(Body::of(b" \n"), Body::Empty));
        assert!(matches!(Body::of(b"\n<!DOCTYPE html>"), Body::Html));
        assert!(matches!(Body::of(b"{\"a\":1}"), Body::Json(_)));
        assert!(matches!(Body::of(b"{\"a\":1"), Body::Other(_)));
        assert!(matches!(Body::of(b"\x1b[31mBad Gateway"), Body::Other(text) if text == "[31mBad Gateway"));
        let deep = "[".repeat(100_000);
        assert!(matches!(Body::of(deep.as_bytes()), Body::Other(_)), "deep nesting must not overflow the stack");
    }
}
