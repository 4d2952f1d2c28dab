//! NanoGPT over real sockets: orders, look-ups, lists, and each switch in each position.

mod envelopes;
mod lists;
mod lookups;
mod orders;
mod recovery;

use super::*;
use crate::sim::NANOGPT_KEY;

const SUBMIT: &str = "/nanogpt/api/generate-video";
const IMAGE: &str = "https://example.com/a.jpg";

/// Sets one of NanoGPT's switches.
async fn switch(bench: &Bench, name: &str, value: &str) {
    bench.set("nanogpt", name, value).await;
}

/// Orders; the id of what was accepted.
async fn order(bench: &Bench, body: Value) -> String {
    let (status, job) = bench.call(SUBMIT, NANOGPT_KEY, Some(body)).await;
    assert_eq!(status, 202, "{job}");
    job["runId"].as_str().unwrap().to_owned()
}

/// Orders and waits for the end; the id and the unified status.
async fn finished(bench: &Bench, body: Value) -> (String, Value) {
    let id = order(bench, body).await;
    let path = format!("/nanogpt/api/video/status?requestId={id}");
    let over = |body: &Value| matches!(body["data"]["status"].as_str(), Some("COMPLETED" | "FAILED"));
    let body = bench.poll(&path, NANOGPT_KEY, over).await;
    (id, body)
}
