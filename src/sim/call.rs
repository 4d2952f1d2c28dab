//! One request as a wire sees it, and the JSON answers. Knows HTTP, no service.

use crate::sim::server::Line;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;

use crate::sim::clock::{Clock, Moment};
use crate::sim::orders::Trace;
use crate::sim::service::Service;

/// The address as it was asked for, before the router took a prefix off; the outermost layer puts
/// it beside the request.
#[derive(Clone, Debug)]
pub struct Asked(pub Uri);

/// A request without its body.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    pub headers: HeaderMap,
    pub query: HashMap<String, String>,
    pub peer: IpAddr,
    /// `http://host[/prefix]`: where links handed out must lead.
    pub base: String,
    /// When it came, by our own clock, for `latency_ms`.
    pub arrived: std::time::Instant,
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let uri = parts.extensions.get::<Asked>().map_or(&parts.uri, |asked| &asked.0);
        let query = uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let line = parts.extensions.get::<ConnectInfo<Line>>();
        let prefix = prefix(uri.path()).map_or("", |(prefix, _)| prefix);
        let slash = if prefix.is_empty() { "" } else { "/" };
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            query,
            peer: line.map_or(IpAddr::from([127, 0, 0, 1]), |line| line.0.peer.ip()),
            base: format!("http://{}{slash}{prefix}", host.unwrap_or("127.0.0.1")),
            arrived: std::time::Instant::now(),
        })
    }
}

/// Where each service answers beside the root. `ninjachat-new` is always the new generation.
const PREFIXES: [(&str, Service); 4] = [
    ("ninjachat", Service::NinjaChat),
    ("ninjachat-new", Service::NinjaChat),
    ("nanogpt", Service::NanoGpt),
    ("a4f", Service::A4f),
];

/// The prefix a path carries, and whose it is.
pub fn prefix(path: &str) -> Option<(&'static str, Service)> {
    let first = path.trim_start_matches('/').split('/').next()?;
    PREFIXES.into_iter().find(|(prefix, _)| *prefix == first)
}

/// A path as the service behind the prefix sees it.
pub fn bare(path: &str) -> &str {
    prefix(path).and_then(|(prefix, _)| path.trim_start_matches('/').strip_prefix(prefix)).unwrap_or(path)
}

impl Call {
    /// A header as text, if it is there and not empty.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The token of `Authorization: Bearer ...`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// A query parameter that is there and not empty.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What the request says about itself.
    pub fn trace(&self, body: &Value) -> Trace {
        let owned = |text: &str| text.chars().take(255).collect::<String>();
        Trace {
            x_request_id: self.header("x-request-id").map(owned),
            conversation: body["conversationUUID"].as_str().map(owned),
            idempotency_key: self.header("idempotency-key").map(owned),
            body_sha256: None,
        }
    }
}

/// A JSON answer.
pub fn reply(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Adds a header; a value that is no header value is left out.
pub fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Adds `Retry-After` for a wait of simulated milliseconds, as `seconds` or as a `date` (RFC 9110,
/// 10.2.3; both are legal); any other word adds nothing.
pub fn with_wait(response: Response, clock: &Clock, wait: Moment, how: &str) -> Response {
    let seconds = clock.retry_after(wait);
    let text = match how {
        "seconds" => seconds.to_string(),
        "date" => {
            // By the caller's watch, as the seconds are. Rounded up: dates have no fractions.
            let at = jiff::Timestamp::now().as_second().saturating_add_unsigned(seconds) + 1;
            let date = jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::MAX);
            date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        }
        _ => return response,
    };
    with(response, "retry-after", &text)
}

/// An exact decimal as a JSON number.
pub fn number(amount: rust_decimal::Decimal) -> Value {
    let text = amount.normalize().to_string();
    text.parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}

/// The length of a text as JavaScript counts it (wire.md 6: caps are in UTF-16 units).
pub fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}
