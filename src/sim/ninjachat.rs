//! NinjaChat's wire, old generation (seeds 000 and 001, wire.md 2): submit, poll, key list. The
//! new generation is in `ninjachat_new.rs`; `ninjachat_host.rs` says which of them answers.

use crate::sim::bank::{AccountName, USD};
use crate::sim::call::{Call, reply, with_wait};
use crate::sim::clip::Shot;
use crate::sim::clock::{SECOND, iso};
use crate::sim::ninjachat_new::is_ours;
use crate::sim::ninjachat_rules::{self as rules, dollars, error};
use crate::sim::orders::{NewOrder, Outcome, State as OrderState};
use crate::sim::service::{Service, letters};
use crate::sim::steer::Steer;
use crate::sim::{Simulation, files, links};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};
use std::sync::Arc;

/// 60 calls in 60 s (wire.md 2.2); polling has no limit (seed 000).
const CALLS: usize = 60;

/// NinjaChat's routes.
pub fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/api/v1/video", post(submit))
        .route("/api/v1/video/status", get(status))
        .route("/api/api-keys", get(keys))
        .route("/videos/{file}", get(files::clip))
}

/// The key, or 401 `missing_api_key` / `invalid_api_key` (wire.md 2.4).
fn key(call: &Call) -> Result<String, Response> {
    let Some(key) = call.bearer() else {
        let say = "API key required. Use Authorization: Bearer nj_sk_...";
        return Err(error(401, "missing_api_key", say));
    };
    if !Service::NinjaChat.knows_key(key) {
        return Err(error(401, "invalid_api_key", "The API key is invalid or has been revoked"));
    }
    Ok(key.to_owned())
}

/// Counts a call; both generations share the limit. Refused: how many simulated milliseconds are
/// missing, and how `Retry-After` is written (variant `retry_after`).
pub fn take_call(simulation: &Simulation, key: &str) -> Result<(), (i64, String)> {
    let now = simulation.clock.now();
    let mut world = simulation.world();
    let how = world.variants.value(Service::NinjaChat, "retry_after");
    world.limits.take(&format!("ninjachat {key}"), CALLS, 60 * SECOND, now).map_err(|wait| (wait, how))
}

/// 429 with `Retry-After` (wire.md 2.4).
fn within_rate(simulation: &Simulation, key: &str) -> Result<(), Response> {
    take_call(simulation, key).map_err(|(wait, how)| {
        let say = format!("Rate limit exceeded. Try again in {} seconds", simulation.clock.retry_after(wait));
        with_wait(error(429, "rate_limit_exceeded", &say), &simulation.clock, wait, &how)
    })
}

async fn submit(
    State(simulation): State<Arc<Simulation>>,
    call: Call,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    accept(&simulation, &call, &body.unwrap_or_default()).unwrap_or_else(|refusal| refusal)
}

/// Ids with `:` and `/` in them (wire.md 2.1, seed 000).
fn order_id(model: &str, chance: u64) -> String {
    match model {
        "google-veo-2" => format!("gemini:{}", letters(chance, 12)),
        _ if model.contains("veo") => format!("gemini-veo:operations/generate-video-{}", letters(chance, 12)),
        _ => format!("{}:{}", model.split('-').next().unwrap_or(model), letters(chance, 12)),
    }
}

fn accept(simulation: &Simulation, call: &Call, body: &[u8]) -> Result<Response, Response> {
    let key = key(call)?;
    within_rate(simulation, &key)?;
    let body: Value =
        serde_json::from_slice(body).map_err(|_| error(400, "invalid_json", "Request body must be valid JSON"))?;
    if !body.is_object() {
        return Err(error(400, "invalid_json", "Request body must be a JSON object"));
    }
    let order = rules::read(&body).map_err(|wrong| rules::invalid(&wrong))?;
    let steer = Steer::read(&order.prompt);
    if steer.internal {
        return Err(error(500, "internal_error", "An unexpected error occurred"));
    }
    if steer.upstream {
        let say = "Video generation failed. You were not charged.";
        return Err(error(502, "generation_failed", say));
    }
    let price = Decimal::new(order.model.dollars * 100, 2);
    let (width, height, fps) = simulation.screen().frame(&order.aspect, 720, order.seconds);
    let account: AccountName = (Service::NinjaChat, key, USD);
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
        trace: call.trace(&body),
        params: body,
        price,
        speed: steer.speed(order.model.speed),
        slow: steer.slow,
        outcome: steer.outcome(),
        refundable: true,
        clips: 1,
    };
    let now = simulation.clock.now();
    let mut world = simulation.world();
    let world = &mut *world;
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, now, new);
    let (order, left) = accepted.map_err(|had| {
        let say = format!("This video costs {}; your balance is {}", dollars(price), dollars(had));
        error(402, "insufficient_credits", &say)
    })?;
    let mut body = json!({
        "request_id": order.id,
        "model": order.model,
        "message": "Poll GET /api/v1/video/status?request_id=... for completion.",
        "cost": {"this_request": dollars(order.price), "per_video": dollars(order.price)},
        "balance": dollars(left),
        "metadata": {"latency_ms": call.arrived.elapsed().as_millis() as u64},
    });
    if world.variants.is(Service::NinjaChat, "replies", "seed_000") {
        body["cost"] = json!({"this_request": dollars(order.price)});
        without(&mut body, &["message", "metadata"]);
    }
    if world.variants.is(Service::NinjaChat, "submit_echo", "without") {
        without(&mut body, &["balance"]);
    }
    // The success code is not stated (wire.md 2.1); the new generation says 200, so do we.
    Ok(reply(200, &body))
}

fn without(body: &mut Value, names: &[&str]) {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

async fn status(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    look_up(&simulation, &call).unwrap_or_else(|refusal| refusal)
}

fn look_up(simulation: &Simulation, call: &Call) -> Result<Response, Response> {
    let key = key(call)?;
    let Some(id) = call.asked("request_id") else {
        let detail = ("request_id", "request_id is required".to_owned());
        return Err(rules::invalid(&[detail]));
    };
    let now = simulation.clock.now();
    let world = simulation.world();
    let order = world
        .book
        .get(id)
        .filter(|order| order.account.0 == Service::NinjaChat && order.account.1 == key && !is_ours(order))
        // Own: the documents do not say what an unknown id gets.
        .ok_or_else(|| error(404, "not_found", "Video job not found"))?;
    let mut body = match order.state(now) {
        OrderState::Queued => json!({"request_id": id, "status": "processing", "progress": 0}),
        OrderState::Processing(share) => {
            // 0 to 95, and only while processing (wire.md 2.4).
            let progress = (share * 95.0) as u64;
            json!({"request_id": id, "status": "processing", "progress": progress})
        }
        OrderState::Completed => {
            let folder = format!("{}/videos", call.base);
            let link = links::link(simulation, &world.variants, Service::NinjaChat, &folder, &order.links[0]);
            json!({"request_id": id, "status": "completed", "result": {"video_url": link}})
        }
        OrderState::Failed => {
            let say = match order.outcome {
                Outcome::FailsForContent => "Content policy violation",
                _ => "Video generation failed",
            };
            json!({"request_id": id, "status": "failed", "error": say})
        }
    };
    if world.variants.is(Service::NinjaChat, "replies", "seed_000") {
        without(&mut body, &["request_id"]);
    }
    Ok(reply(200, &body))
}

/// `GET /api/api-keys`: keys, stats and billing (wire.md 2.2). The old generation's only balance.
async fn keys(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    if let Err(refusal) = within_rate(&simulation, &key) {
        return refusal;
    }
    let now = simulation.clock.now();
    let mut world = simulation.world();
    if world.variants.is(Service::NinjaChat, "api_keys", "forbidden") {
        // Own: the console's route may refuse a key that was made for the API.
        return error(403, "forbidden", "This API key may not read account settings");
    }
    let balance = world.bank.account(Service::NinjaChat, &key, USD).balance;
    let used = world.book.of_key(Service::NinjaChat, &key).count();
    let hundred = Decimal::from(100);
    let spent: Decimal = world.book.of_key(Service::NinjaChat, &key).map(|order| order.price).sum();
    let prefix: String = key.chars().take(10).collect();
    reply(
        200,
        &json!({
            "keys": [{
                "id": "key_1", "name": "simulator", "keyPrefix": prefix,
                "createdAt": iso(0), "lastUsedAt": iso(now), "revokedAt": null, "usageCount": used,
            }],
            "stats": {"activeKeys": 1, "totalUsage": used},
            "billing": {
                "hasCredits": balance > Decimal::ZERO,
                "balanceCents": (balance * hundred).to_i64(),
                "balanceFormatted": dollars(balance),
                "rateLimit": {"requests": CALLS, "windowSeconds": 60},
                "usage": {
                    "chat": {"count": 0, "costCents": 0},
                    "search": {"count": 0, "costCents": 0},
                    "images": {"count": 0, "costCents": 0},
                    "totalSpentCents": (spent * hundred).to_i64(),
                },
            },
        }),
    )
}
