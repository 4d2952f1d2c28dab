//! NanoGPT's wire (seeds 002 and 003, wire.md 1 and 6): its routes, its keys, its rates. Shares
//! nothing with the client, so that it can contradict it.
//!
//! ```text
//! submit.rs extend.rs   orders          order.rs fields.rs media.rs     what they may say
//! status.rs results.rs  their end       models.rs making.rs             what is offered and made
//! recover.rs content.rs what was lost   pricing.rs bill.rs              what it costs
//! account.rs usage.rs   the money       catalog.rs old_catalogs.rs      what is advertised
//! refusals.rs           every error
//! ```

mod account;
mod bill;
mod catalog;
mod content;
mod extend;
mod fields;
mod making;
mod media;
pub mod models;
mod old_catalogs;
pub mod order;
mod pricing;
mod recover;
mod refusals;
mod results;
mod status;
mod submit;
mod usage;

use crate::sim::Simulation;
use crate::sim::call::{Call, reply, with};
use crate::sim::clock::SECOND;
use crate::sim::files;
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::service::Service;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use std::sync::Arc;

/// Calls a second (wire.md 1.7).
const CALLS: usize = 25;

/// NanoGPT's routes, under its prefix and at the root.
pub fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/api/generate-video", post(submit::submit))
        .route("/api/generate-video/extend", post(extend::extend))
        .route("/api/video/status", get(status::unified))
        .route("/api/generate-video/status", get(status::legacy))
        .route("/api/generate-video/recover", get(recover::recover))
        .route("/api/generate-video/content", get(content::content))
        .route("/api/check-balance", post(account::balance))
        .route("/api/v1/usage/requests/{id}", get(usage::of_request))
        .route("/api/v1/video-models", get(catalog::video_models))
        .route("/api/models/video", get(old_catalogs::video))
        .route("/api/v1/models", get(old_catalogs::text))
        .route("/api/v1/usage", get(usage::of_key))
        .layer(from_fn(numbered))
        .route("/storage/{file}", get(files::clip))
        .route("/r2/{file}", get(files::clip).layer(from_fn(content::signed)))
}

/// The one whose path NinjaChat has, too: only under `/nanogpt`.
pub fn prefixed() -> Router<Arc<Simulation>> {
    Router::new().route("/api/v1/video/status", get(status::longstories)).layer(from_fn(numbered))
}

/// 404 for a path that is nowhere.
pub fn no_such_path() -> Response {
    reply(404, &json!({"error": "Not found", "status": 404}))
}

/// The id of a request: the caller's own `X-Request-ID`, or one made here.
#[derive(Clone, Debug)]
struct Numbered(String);

/// Every answer carries an `X-Request-ID` (wire.md 1.6 and 6).
async fn numbered(mut request: Request, next: Next) -> Response {
    let own = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let id = own.filter(|id| !id.is_empty()).map(str::to_owned);
    let id = id.unwrap_or_else(|| format!("req_{}", uuid::Uuid::new_v4().simple()));
    request.extensions_mut().insert(Numbered(id.clone()));
    with(next.run(request).await, "x-request-id", &id)
}

/// A refusal in the envelope that is switched on.
fn answered(simulation: &Simulation, answer: Result<Response, Refusal>) -> Response {
    answer.unwrap_or_else(|refusal| refusal.response(&simulation.world().variants))
}

/// The key from `x-api-key` or `Authorization: Bearer` (seed 002), or 401; 403 for a key that may
/// not be used from here (wire.md 1.6; `forbidden` in a key is the simulator's own lever).
fn key(call: &Call) -> Result<String, Refusal> {
    match call.header("x-api-key").or_else(|| call.bearer()) {
        None => Err(Refusal::coded(401, "missing_api_key", "Missing API key.")),
        Some(key) if key.contains("forbidden") => {
            let say = "This API key is not allowed from this origin.";
            Err(Refusal::coded(403, "api_key_origin_not_allowed", say))
        }
        Some(key) if Service::NanoGpt.knows_key(key) => Ok(key.to_owned()),
        Some(_) => Err(Refusal::plain(401, "Invalid session")),
    }
}

/// 25 calls a second for each key, 429 beyond (wire.md 1.7).
fn within_rate(simulation: &Simulation, key: &str) -> Result<(), Refusal> {
    let refusal = Refusal::coded(429, "rate_limit_exceeded", "Rate limit exceeded. Please slow down.");
    taken(simulation, &format!("nanogpt {key}"), CALLS, SECOND, refusal)
}

/// Counts a call under a name, or refuses it until the window has moved on.
fn taken(simulation: &Simulation, name: &str, most: usize, window: i64, refusal: Refusal) -> Result<(), Refusal> {
    let now = simulation.clock.now();
    let taken = simulation.world().limits.take(name, most, window, now);
    taken.map_err(|wait| refusal.after(simulation.clock.retry_after(wait)))
}
