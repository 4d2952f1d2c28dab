//! Clip links: whole files and ranges of them. Knows HTTP's range rules (RFC 9110, section 14)
//! and where finished clips come from; not who asks, because the links are unsigned (wire.md 6).

use crate::sim::call::{Call, with};
use crate::sim::faults::Spoiled;
use crate::sim::orders::State as OrderState;
use crate::sim::{Simulation, links};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use std::ops::Range;
use std::sync::Arc;

/// `GET <prefix>/videos/<token>.mp4`, `<prefix>/storage/<token>.mp4` and A4F's
/// `<prefix>/v1/videos/serve/<token>.mp4`.
pub async fn clip(
    State(simulation): State<Arc<Simulation>>,
    Path(file): Path<String>,
    spoiled: Option<Extension<Spoiled>>,
    call: Call,
) -> Response {
    let link = file.strip_suffix(".mp4").unwrap_or(&file);
    let found = {
        let world = simulation.world();
        let made =
            world.book.linked(link).filter(|(order, _)| order.state(simulation.clock.now()) == OrderState::Completed);
        made.ok_or(404).and_then(|(order, clip)| {
            let dead = links::dead(&simulation, &world.variants, order.account.0, &call, link);
            dead.map_or_else(|| Ok((order.id.clone(), order.shot(clip), clip)), Err)
        })
    };
    let (id, shot, clip) = match found {
        Ok(found) => found,
        Err(403) => {
            return plain(
                403,
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
            );
        }
        Err(status) => return plain(status, "<html><body><h1>404 Not Found</h1></body></html>"),
    };
    let made = match simulation.clips.clip(&shot).await {
        Ok(made) => made,
        Err(error) => return plain(500, &error),
    };
    let length = made.bytes.len() as u64;
    if call.method != Method::HEAD {
        simulation.world().book.delivered(&id, clip, &made.sha256, length);
    }
    if let Some(Extension(spoiled)) = spoiled {
        let kind = match spoiled {
            Spoiled::Short(_) => "video/mp4",
            Spoiled::Html => "text/html; charset=utf-8",
        };
        return whole(spoiled.bytes(&made.bytes), kind);
    }
    let etag = format!("\"{}\"", &made.sha256[..32]);
    let response = match range(&call, &etag, made.bytes.len()) {
        Asked::Whole => whole(made.bytes.clone(), "video/mp4"),
        Asked::Part(part) => {
            let span = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let mut response = whole(made.bytes.slice(part), "video/mp4");
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            with(response, "content-range", &span)
        }
        Asked::Beyond => {
            let response = plain(416, "");
            with(response, "content-range", &format!("bytes */{length}"))
        }
    };
    with(with(response, "etag", &etag), "accept-ranges", "bytes")
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<usize>),
    Beyond,
}

/// One range is served; several, or none that can be read, get the whole file, as RFC 9110
/// allows. `If-Range` with another tag gets the whole file.
fn range(call: &Call, etag: &str, length: usize) -> Asked {
    if call.header("if-range").is_some_and(|tag| tag != etag) {
        return Asked::Whole;
    }
    let asked = call.header("range").and_then(|range| range.strip_prefix("bytes="));
    let Some((from, to)) = asked.and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    let (from, to) = (from.trim(), to.trim());
    let part = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Ok(from), Err(_)) if to.is_empty() => from..length,
        (Err(_), Ok(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Asked::Whole,
    };
    if part.start >= part.end { Asked::Beyond } else { Asked::Part(part) }
}

fn whole(bytes: Bytes, kind: &str) -> Response {
    with(Response::new(Body::from(bytes)), "content-type", kind)
}

fn plain(status: u16, text: &str) -> Response {
    let mut response = whole(Bytes::from(text.to_owned()), "text/html; charset=utf-8");
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    response
}
