//! Compressed answers (variant `encoding`): what a service's edge does to JSON for a caller that
//! says it can read it. Knows no wire.

use crate::sim::Simulation;
use crate::sim::place::place;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::Arc;

/// The layer; it leaves everything alone that is no JSON, or not asked for in gzip.
pub async fn layer(State(simulation): State<Arc<Simulation>>, request: Request, next: Next) -> Response {
    let service = place(request.uri().path()).service;
    let wanted = accepts_gzip(request.headers().get(header::ACCEPT_ENCODING));
    let response = next.run(request).await;
    let on = |service| simulation.world().variants.is(service, "encoding", "gzip");
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(wanted && is_json && service.is_some_and(on)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let packed = encoder.write_all(&whole).and_then(|()| encoder.finish()).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(packed))
}

/// `gzip` among the encodings, and not with a weight of nought.
fn accepts_gzip(header: Option<&HeaderValue>) -> bool {
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f64>().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}
