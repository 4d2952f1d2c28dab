//! NanoGPT's wire: submitting (seeds 002 and 003, wire.md 1). What follows a submit is in
//! `nanogpt_status.rs`, balance and catalogue in `nanogpt_account.rs` and `nanogpt_catalog.rs`.

use crate::sim::Simulation;
use crate::sim::bank::{AccountName, USD, XNO};
use crate::sim::call::{self, Call, reply, with};
use crate::sim::clip::Shot;
use crate::sim::clock::{SECOND, until_midnight};
use crate::sim::nanogpt_rules::{self as rules, plain};
use crate::sim::orders::{NewOrder, Outcome};
use crate::sim::service::{Service, letters, mix};
use crate::sim::steer::Steer;
use crate::sim::{files, nanogpt_account, nanogpt_catalog, nanogpt_status};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// Submissions a minute and address (seed 002).
const SUBMITS: usize = 50;
/// Calls a second (wire.md 1.7).
const CALLS: usize = 25;
/// Beyond this the edge answers 413 and no JSON (wire.md 1.6: about 4.5 MB).
const EDGE: usize = 4_500_000;

/// NanoGPT's routes.
pub fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/api/generate-video", post(submit))
        .route("/api/video/status", get(nanogpt_status::unified))
        .route("/api/generate-video/status", get(nanogpt_status::legacy))
        .route("/api/generate-video/recover", get(nanogpt_status::recover))
        .route("/api/generate-video/content", get(nanogpt_status::content))
        .route("/api/check-balance", post(nanogpt_account::balance))
        .route("/api/v1/usage/requests/{id}", get(nanogpt_account::request_billing))
        .route("/api/v1/video-models", get(nanogpt_catalog::video_models))
        .layer(axum::middleware::from_fn(number))
        .route("/storage/{file}", get(files::clip))
}

/// The id of a request: the caller's own `X-Request-ID`, or one made here.
#[derive(Clone, Debug)]
struct Numbered(String);

/// Every answer carries an `X-Request-ID` (wire.md 1.6 and 6).
async fn number(mut request: Request, next: Next) -> Response {
    let own = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let id = own.filter(|id| !id.is_empty()).map(str::to_owned);
    let id = id.unwrap_or_else(|| format!("req_{}", uuid::Uuid::new_v4().simple()));
    request.extensions_mut().insert(Numbered(id.clone()));
    with(next.run(request).await, "x-request-id", &id)
}

/// The key from `x-api-key` or `Authorization: Bearer` (seed 002), or 401; 403 for a key that may
/// not be used from here (wire.md 1.6; `forbidden` in a key is the simulator's own lever).
pub fn key(call: &Call) -> Result<String, Response> {
    let key = call.header("x-api-key").or_else(|| call.bearer());
    match key {
        Some(key) if key.contains("forbidden") => {
            let error = json!({
                "message": "This API key is not allowed from this origin.",
                "code": "api_key_origin_not_allowed", "type": "permission_error",
            });
            Err(reply(403, &json!({"error": error})))
        }
        Some(key) if Service::NanoGpt.knows_key(key) => Ok(key.to_owned()),
        _ => Err(plain(401, "Invalid session")),
    }
}

/// 25 calls a second for each key, 429 beyond (wire.md 1.7).
pub fn within_rate(simulation: &Simulation, key: &str) -> Result<(), Response> {
    let now = simulation.clock.now();
    let name = format!("nanogpt {key}");
    let taken = simulation.world().limits.take(&name, CALLS, SECOND, now);
    taken.map_err(|wait| {
        let seconds = simulation.clock.retry_after(wait).to_string();
        let error = json!({
            "message": "Rate limit exceeded. Please slow down.", "code": "rate_limit_exceeded",
            "type": "rate_limit_error",
        });
        with(reply(429, &json!({"error": error})), "retry-after", &seconds)
    })
}

async fn submit(
    State(simulation): State<Arc<Simulation>>,
    Extension(Numbered(id)): Extension<Numbered>,
    call: Call,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    match body {
        Ok(body) if body.len() <= EDGE => accept(&simulation, &call, &id, &body).unwrap_or_else(|refusal| refusal),
        _ => too_large(),
    }
}

/// The edge's 413: no JSON, a tag (wire.md 1.6).
fn too_large() -> Response {
    let text = "Request Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE\n\niad1::simulator\n";
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    with(response, "content-type", "text/plain; charset=utf-8")
}

/// `vid_` and 17 letters (wire.md 1.3).
fn order_id(_: &str, chance: u64) -> String {
    format!("vid_{}", letters(chance, 17))
}

fn accept(simulation: &Simulation, call: &Call, id: &str, body: &[u8]) -> Result<Response, Response> {
    let now = simulation.clock.now();
    let name = format!("nanogpt submit {}", call.peer);
    let taken = simulation.world().limits.take(&name, SUBMITS, 60 * SECOND, now);
    taken.map_err(|wait| {
        let seconds = simulation.clock.retry_after(wait).to_string();
        let say = "Rate limit exceeded. Please wait before generating another video.";
        with(plain(429, say), "retry-after", &seconds)
    })?;
    let key = key(call)?;
    within_rate(simulation, &key)?;
    if key.contains("daily") {
        // A key's own daily limit, until midnight UTC (wire.md 1.7 and 6).
        let seconds = simulation.clock.retry_after(until_midnight(now)).to_string();
        let error = json!({
            "message": "Daily request limit exceeded for this API key.",
            "code": "daily_rpd_limit_exceeded", "type": "rate_limit_error",
        });
        return Err(with(reply(429, &json!({"error": error})), "retry-after", &seconds));
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| plain(400, "Invalid JSON in request body"))?;
    let order = rules::read(&body)?;
    let steer = Steer::read(&order.prompt);
    if steer.policy {
        return Err(rules::blocked());
    }
    if steer.internal {
        return Err(plain(500, "Internal server error"));
    }
    if steer.upstream {
        return Err(plain(503, "The provider is temporarily unavailable."));
    }
    // `xno` in the key pays in XNO, at the simulator's own rate of 0.80 USD: costs are "in USD or
    // XNO" (seed 002).
    let (currency, price) = if key.contains("xno") {
        (XNO, (order.price / Decimal::new(80, 2)).round_dp(8).normalize())
    } else {
        (USD, order.price)
    };
    let (width, height, fps) = simulation.screen().frame(&order.aspect, order.lines, order.seconds);
    let account: AccountName = (Service::NanoGpt, key, currency);
    let mut trace = call.trace(&body);
    trace.x_request_id = Some(id.to_owned());
    // Own: no speeds are published (wire.md 1.7); some models are slower than others.
    let pace = order.model.id.bytes().fold(1, |sum, byte| mix(sum, u64::from(byte))) % 60;
    let new = NewOrder {
        account,
        id: order_id,
        model: order.model.id.to_owned(),
        shot: Shot {
            order: String::new(),
            model: order.model.id.to_owned(),
            prompt: order.prompt.clone(),
            aspect: order.aspect,
            seconds: order.seconds,
            width,
            height,
            fps,
        },
        prompt: order.prompt,
        trace,
        params: body,
        price,
        speed: (40 + pace as i64, 90 + 2 * pace as i64),
        slow: steer.slow,
        outcome: if steer.nsfw {
            Outcome::FailsForContent
        } else if steer.fail {
            Outcome::Fails
        } else {
            Outcome::Completes
        },
        refundable: true,
        clips: order.model.clips,
    };
    let mut world = simulation.world();
    let world = &mut *world;
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, now, new);
    let (order, left) = accepted.map_err(|_| rules::too_dear(price))?;
    Ok(reply(
        202,
        &json!({
            "runId": order.id,
            "id": order.id,
            "status": "pending",
            "model": order.model,
            "cost": call::number(price),
            "paymentSource": currency,
            "remainingBalance": call::number(left),
        }),
    ))
}
