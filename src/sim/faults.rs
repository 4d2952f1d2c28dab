//! What goes wrong on purpose: a layer before all routes that spoils ordered answers and notes
//! every request. The wires behind it know nothing of faults, but for [`Spoiled`] clips.

use crate::sim::Simulation;
use crate::sim::call::Asked;
use crate::sim::place::{Place, Route, place};
use crate::sim::server::Line;
use crate::sim::service::Service;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The table of what can go wrong, so that none is left out of a list.
macro_rules! troubles {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// What can go wrong. `accept_*`, `cut`, `garbage`, `truncate_json` and the clip kinds let the
        /// wire do its work first, so that a submit is booked and charged; the others stop it before.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Trouble {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $kind,)+
        }

        /// The name of each, by which it is ordered.
        pub const KINDS: &[&str] = &[$($name),+];

        impl Trouble {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

troubles! {
    /// Answers `status` (500) with `body` instead.
    Status = "status",
    /// Answers an HTML page (502) instead.
    Html = "html",
    /// Answers `status` (200) with no body instead.
    Empty = "empty",
    /// Works, then ends the connection after `after_bytes` (half) of the answer's body.
    Cut = "cut",
    /// Never answers; with `after_bytes` works and stops talking after so many.
    Hang = "hang",
    /// Works, then never answers.
    AcceptThenHang = "accept_then_hang",
    /// Ends the connection before the request's body is read.
    DropBefore = "drop_before",
    /// Works, then ends the connection without an answer byte.
    AcceptThenDrop = "accept_then_drop",
    /// Works, then answers like `status`.
    AcceptThenStatus = "accept_then_status",
    /// Works, then answers with noise that calls itself JSON.
    Garbage = "garbage",
    /// Works, then answers with the first `after_bytes` (half), as if that were all.
    TruncateJson = "truncate_json",
    /// Answers a redirect (307) to header `location`, or to the same path on `localhost`.
    Redirect = "redirect",
    /// Waits `seconds` (real), then works.
    Delay = "delay",
    /// The clip's first `after_bytes` (half), as if that were all.
    ShortClip = "short_clip",
    /// A page of HTML, 988 bytes, as the clip (wire.md 1.4 knows of one).
    HtmlClip = "html_clip",
    /// The clip's link answers 404, or `status`.
    GoneClip = "gone_clip",
}

/// An ordered fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `ninjachat`, `nanogpt` or `a4f`; absent: any.
    pub service: Option<String>,
    /// Absent: any.
    pub route: Option<Route>,
    /// Part of the key that came with the request; absent: any.
    pub key: Option<String>,
    pub kind: Trouble,
    pub status: Option<u16>,
    pub body: Option<String>,
    pub after_bytes: Option<usize>,
    /// How many requests it spoils; absent: one.
    #[serde(default = "once")]
    pub times: u64,
    /// How many it lets pass first.
    #[serde(default)]
    pub skip: u64,
    /// Real seconds: how long `delay` waits, and after how long a hang ends the connection (absent: never).
    pub seconds: Option<f64>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

fn once() -> u64 {
    1
}

/// The faults that wait for their request, oldest first.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    /// Orders one.
    pub fn order(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// Forgets all; returns how many there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.waiting).len()
    }

    /// Those that wait.
    pub fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// The fault for a request at `place`, used up by one.
    fn take(&mut self, place: Place, key: &str) -> Option<Fault> {
        let service = place.service.map(Service::name);
        for at in 0..self.waiting.len() {
            let fault = &mut self.waiting[at];
            let meant = fault.service.is_none() || fault.service.as_deref() == service;
            let meant = meant && fault.key.as_deref().is_none_or(|part| key.contains(part));
            if !meant || fault.route.is_some_and(|route| route != place.route) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times = fault.times.saturating_sub(1);
            let found = fault.clone();
            if found.times == 0 {
                self.waiting.remove(at);
            }
            return Some(found);
        }
        None
    }
}

/// Put beside a request whose clip is to be spoiled; A4F reads it too, whose clips have no link.
#[derive(Clone, Copy, Debug)]
pub enum Spoiled {
    Short(Option<usize>),
    Html,
}

impl Spoiled {
    /// What is left of a clip.
    pub fn bytes(self, clip: &Bytes) -> Bytes {
        match self {
            Self::Short(length) => clip.slice(..length.unwrap_or(clip.len() / 2).min(clip.len())),
            Self::Html => {
                let page = "<!DOCTYPE html><html><head><title>Error</title></head><body>";
                Bytes::from(format!("{page:<974}</body></html>"))
            }
        }
    }
}

/// The layer itself.
pub async fn layer(
    State(simulation): State<Arc<Simulation>>,
    ConnectInfo(line): ConnectInfo<Line>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let asked = Asked(request.uri().clone());
    request.extensions_mut().insert(asked);
    if path.starts_with("/_sim") {
        return next.run(request).await;
    }
    let place = place(&path);
    let (number, fault) = {
        let mut world = simulation.world();
        let number = world.requests.came(place, &request, simulation.clock.now());
        (number, world.faults.take(place, key_of(&request)))
    };
    let Some(fault) = fault else {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        simulation.world().requests.answered(number, Some(status), None);
        return response;
    };
    let name = fault.kind.name();
    simulation.world().requests.answered(number, None, Some(name));
    match fault.kind {
        Trouble::ShortClip => {
            request.extensions_mut().insert(Spoiled::Short(fault.after_bytes));
        }
        Trouble::HtmlClip => {
            request.extensions_mut().insert(Spoiled::Html);
        }
        _ => {}
    }
    let location = format!(
        "http://localhost:{}{}",
        request.headers().get(header::HOST).and_then(port_of).unwrap_or(80),
        request.uri().path_and_query().map_or(path.as_str(), |path| path.as_str()),
    );
    let answer = fault.work(request, next, &line, location).await;
    let status = answer.as_ref().map(|response| response.status().as_u16());
    simulation.world().requests.answered(number, status, Some(name));
    answer.unwrap_or_else(|| {
        line.cut();
        Response::new(Body::empty())
    })
}

/// The key in a request's head, or nothing.
fn key_of(request: &Request) -> &str {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    header("x-api-key").or_else(|| header("authorization")).unwrap_or_default()
}

fn port_of(host: &HeaderValue) -> Option<u16> {
    host.to_str().ok()?.rsplit_once(':')?.1.parse().ok()
}

impl Fault {
    /// Answers in the fault's way; `None` means no byte at all.
    async fn work(&self, request: Request, next: Next, line: &Line, location: String) -> Option<Response> {
        match self.kind {
            Trouble::Status => Some(self.say(500, None)),
            Trouble::Html => Some(self.say(502, Some("text/html"))),
            Trouble::Empty => Some(self.dress(200, Body::empty(), None)),
            Trouble::GoneClip => Some(self.say(404, None)),
            Trouble::DropBefore => None,
            Trouble::Hang if self.after_bytes.is_none() => self.silence().await,
            Trouble::Redirect => {
                let mut response = self.dress(307, Body::empty(), None);
                if !response.headers().contains_key(header::LOCATION) {
                    let target = HeaderValue::from_str(&location).ok()?;
                    response.headers_mut().insert(header::LOCATION, target);
                }
                Some(response)
            }
            Trouble::Delay => {
                tokio::time::sleep(self.wait().unwrap_or(Duration::from_secs(1))).await;
                Some(next.run(request).await)
            }
            Trouble::ShortClip | Trouble::HtmlClip => Some(next.run(request).await),
            _ => self.after(next.run(request).await, line).await,
        }
    }

    /// Spoils an answer that was truly given.
    async fn after(&self, response: Response, line: &Line) -> Option<Response> {
        match self.kind {
            Trouble::AcceptThenDrop => return None,
            Trouble::AcceptThenHang => return self.silence().await,
            Trouble::AcceptThenStatus => return Some(self.say(500, None)),
            _ => {}
        }
        let (mut parts, body) = response.into_parts();
        let whole = to_bytes(body, usize::MAX).await.ok()?;
        let length = self.after_bytes.unwrap_or(whole.len() / 2).min(whole.len());
        let body = match self.kind {
            Trouble::Garbage => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::from((0..97u8).map(|n| n.wrapping_mul(151) ^ 0xa5).collect::<Vec<u8>>())
            }
            Trouble::TruncateJson => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Body::from(whole.slice(..length))
            }
            // Cut and hang: the promised length is the true one, the bytes stop short of it.
            _ => {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
                // A cut gives the socket time to take the bytes, which hyper holds until we are idle.
                let after = if self.kind == Trouble::Cut { Some(Duration::from_millis(40)) } else { self.wait() };
                stopping(whole.slice(..length), after.map(|after| (after, line.clone())))
            }
        };
        Some(Response::from_parts(parts, body))
    }

    /// What was ordered in seconds.
    fn wait(&self) -> Option<Duration> {
        self.seconds.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)))
    }

    /// No answer, for as long as was ordered, then the end of the connection; else none for good.
    async fn silence(&self) -> Option<Response> {
        match self.wait() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
        None
    }

    /// The ordered status and body; without one, what a proxy would say.
    fn say(&self, status: u16, kind: Option<&'static str>) -> Response {
        let html = "<html><head><title>Error</title></head>\
                    <body><center><h1>Something went wrong</h1></center></body></html>\n";
        let plain = "{\"error\":\"Internal server error\"}";
        let usual = if kind.is_some() { html } else { plain };
        let body = self.body.clone().unwrap_or_else(|| usual.to_owned());
        self.dress(status, Body::from(body), Some(kind.unwrap_or("application/json")))
    }

    fn dress(&self, status: u16, body: Body, kind: Option<&'static str>) -> Response {
        let status = self.status.unwrap_or(status);
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Sends `bytes`, then stops: hangs up after a while where it is told when, else stays silent for good.
fn stopping(bytes: Bytes, end: Option<(Duration, Line)>) -> Body {
    let first = futures_util::stream::once(async move { Ok::<_, std::io::Error>(bytes) });
    let rest = futures_util::stream::once(async move {
        if let Some((after, line)) = end {
            tokio::time::sleep(after).await;
            line.cut();
        }
        std::future::pending().await
    });
    Body::from_stream(futures_util::StreamExt::chain(first, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_its_turn_and_is_used_up() {
        let mut faults = Faults::default();
        let text = r#"{"service":"a4f","route":"submit","kind":"html","skip":1,"times":2}"#;
        faults.order(serde_json::from_str(text).unwrap());
        let submit = place("/v1/video/generations");
        assert!(faults.take(place("/v1/usage"), "k").is_none());
        assert!(faults.take(submit, "k").is_none(), "skipped");
        assert!(faults.take(submit, "k").is_some());
        assert!(faults.take(submit, "k").is_some());
        assert!(faults.take(submit, "k").is_none(), "used up");
    }

    #[test]
    fn a_fault_for_one_key_spares_the_others() {
        let mut faults = Faults::default();
        faults.order(serde_json::from_str(r#"{"key":"mine","kind":"html"}"#).unwrap());
        let submit = place("/v1/video/generations");
        assert!(faults.take(submit, "Bearer other").is_none());
        assert!(faults.take(submit, "Bearer mine").is_some());
    }

    #[test]
    fn the_page_that_calls_itself_a_clip_has_988_bytes() {
        assert_eq!(Spoiled::Html.bytes(&Bytes::new()).len(), 988);
    }
}
