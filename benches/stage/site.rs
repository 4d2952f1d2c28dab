//! A stand-in for NinjaChat's old generation at which everything runs and nothing ends: status answers with a
//! progress that moves, and clips that come slowly.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::http::{Response, header};
use axum::routing::get;

/// A clip's length, bytes; none ends while a benchmark lasts.
const CLIP: u64 = 4 << 30;
/// Bytes a clip brings at a time, every 25 ms.
const PIECE: usize = 100_000;

/// Its address. It answers for as long as this process lives.
pub async fn open() -> String {
    let begun = Instant::now();
    let status = move |RawQuery(query): RawQuery| async move {
        // Every job at its own place, a hundredth further every two seconds.
        let own: usize = query.unwrap_or_default().bytes().map(usize::from).sum();
        let progress = (own + begun.elapsed().as_secs() as usize / 2) % 99;
        json(format!(r#"{{"status":"processing","progress":{progress}}}"#))
    };
    let keys = || async { json(r#"{"billing":{"balanceCents":123400}}"#.to_owned()) };
    let site = Router::new()
        .route("/api/v1/video/status", get(status))
        .route("/api/api-keys", get(keys))
        .route("/clips/{name}", get(|| async { clip() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, site).await });
    format!("http://{address}")
}

fn json(text: String) -> Response<Body> {
    Response::builder().header(header::CONTENT_TYPE, "application/json").body(text.into()).unwrap()
}

fn clip() -> Response<Body> {
    let mut first = vec![0; PIECE];
    first[..12].copy_from_slice(b"\0\0\0\x20ftypisom");
    let pieces = futures_util::stream::unfold(Some(Bytes::from(first)), |piece| async {
        let piece = piece?;
        tokio::time::sleep(Duration::from_millis(25)).await;
        Some((Ok::<_, Infallible>(piece), Some(Bytes::from(vec![7; PIECE]))))
    });
    let answer = Response::builder().header(header::CONTENT_TYPE, "video/mp4").header(header::CONTENT_LENGTH, CLIP);
    answer.body(Body::from_stream(pieces)).unwrap()
}
