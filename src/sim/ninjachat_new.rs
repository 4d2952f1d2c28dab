//! NinjaChat's wire, new generation (wire.md 2.1-2.4): submit with its idempotency key, and poll.
//! Accounts and bank are the old generation's, jobs are not: neither finds the other's.

use crate::sim::bank::{AccountName, USD};
use crate::sim::call::{Call, number, reply, with, with_wait};
use crate::sim::clip::{Shot, hex};
use crate::sim::clock::{Moment, SECOND};
use crate::sim::ninjachat_host::RequestId;
use crate::sim::ninjachat_new_catalog::{self as catalog, Catalog};
use crate::sim::ninjachat_new_rules::{self as rules, error, error_with};
use crate::sim::ninjachat_rules::dollars;
use crate::sim::orders::{NewOrder, Order, Outcome, State as OrderState};
use crate::sim::service::{Service, letters};
use crate::sim::steer::Steer;
use crate::sim::{Simulation, World, links, memory, ninjachat, ninjachat_new_account as account};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What all of its job ids begin with. Own: they are opaque (wire.md 2.1).
const MARK: &str = "video_";

/// The paths that no other service has.
pub fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/api/v1/videos", post(submit))
        .route("/api/v1/videos/{id}", get(status))
        .route("/api/v1/balance", get(account::balance))
        .route("/api/v1/requests/{id}", get(account::request))
        .route("/api/v1/estimate", post(account::estimate))
        .route("/api/v1/pricing", get(catalog::pricing))
        .route("/api/v1/health", get(catalog::health))
        .route("/api/v1/openapi", get(catalog::openapi))
}

/// Those that NanoGPT has as well, so that they cannot be at the root.
pub fn shared_routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/api/v1/models", get(catalog::models))
        .route("/api/v1/models/{id}", get(catalog::model))
        .route("/api/v1/usage", get(account::usage))
}

/// Whether an order was made through this API.
pub fn is_ours(order: &Order) -> bool {
    order.account.0 == Service::NinjaChat && order.id.starts_with(MARK)
}

/// The key, or 401.
pub fn key(call: &Call) -> Result<String, Response> {
    match call.bearer() {
        Some(key) if Service::NinjaChat.knows_key(key) => Ok(key.to_owned()),
        Some(_) => Err(error(401, "invalid_api_key", "Invalid API key.", None)),
        None => Err(error(401, "missing_api_key", "Missing API key. Use Authorization: Bearer nj_sk_...", None)),
    }
}

/// The old generation's limit holds here, too (wire.md 2.4 knows only that one).
pub fn within_rate(simulation: &Simulation, key: &str) -> Result<(), Response> {
    ninjachat::take_call(simulation, key).map_err(|(wait, how)| {
        let seconds = simulation.clock.retry_after(wait);
        let say = format!("Rate limit exceeded. Retry in {seconds} seconds.");
        let answer = error_with(429, "rate_limit_exceeded", &say, None, json!({"retry_after": seconds}));
        with_wait(answer, &simulation.clock, wait, &how)
    })
}

async fn submit(
    State(simulation): State<Arc<Simulation>>,
    Extension(RequestId(id)): Extension<RequestId>,
    call: Call,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let accepted = accept(&simulation, &call, &id, &body.unwrap_or_default());
    let (answer, ready) = match accepted {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal,
    };
    if ready > simulation.clock.now() {
        // What is booked is in the books before the wait, whatever becomes of the caller.
        if let Err(error) = simulation.remember().await {
            return memory::forgetful(&error);
        }
        simulation.clock.wait_until(ready).await;
    }
    reply(200, &answer)
}

/// The answer, and when it is given.
fn accept(simulation: &Simulation, call: &Call, id: &str, text: &[u8]) -> Result<(Value, Moment), Response> {
    let key = key(call)?;
    within_rate(simulation, &key)?;
    let intent = call.headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default());
    if intent.is_some_and(|intent| !(1..=255).contains(&intent.len())) {
        let say = "Idempotency-Key must have 1 to 255 characters.";
        return Err(error(400, "invalid_idempotency_key", say, Some("Idempotency-Key")));
    }
    let body: Value = serde_json::from_slice(text)
        .map_err(|_| error(400, "invalid_json", "The request body is not valid JSON.", None))?;
    let hash = hex(&Sha256::digest(text));
    let now = simulation.clock.now();
    let mut world = simulation.world();
    let takes = i64::try_from(world.variants.number(Service::NinjaChat, "submit_seconds")).unwrap_or(0) * SECOND;
    if let Some(intent) = intent
        && world.variants.is(Service::NinjaChat, "idempotency", "kept")
        && let Some(first) = remembered(&world, &key, intent, now)
    {
        return repeat(first, &hash, takes, now);
    }
    let catalog = Catalog::of(&world);
    let by_name = world.variants.is(Service::NinjaChat, "inputs", "by_name");
    let order = rules::read(&body, catalog, by_name)?;
    let steer = Steer::read(&order.prompt);
    if steer.internal {
        return Err(error(500, "internal_error", "An unexpected error occurred.", None));
    }
    if steer.upstream {
        return Err(error(502, "generation_failed", "Video generation failed. You were not charged.", None));
    }
    if key.contains("capped") {
        let say = "This request would exceed the project's monthly spend limit.";
        return Err(error(402, "spend_limit_exceeded", say, None));
    }
    let price = catalog.price(&order.model, order.seconds);
    let (width, height, fps) = simulation.screen().frame(&order.aspect, 720, order.seconds);
    let account: AccountName = (Service::NinjaChat, key, USD);
    let mut trace = call.trace(&body);
    trace.x_request_id = Some(id.to_owned());
    trace.body_sha256 = Some(hash);
    let new = NewOrder {
        account,
        id: |_, chance| format!("{MARK}{}", letters(chance, 20)),
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
        speed: steer.speed(order.model.speed),
        slow: steer.slow,
        outcome: steer.outcome(),
        refundable: true,
        clips: 1,
    };
    let world = &mut *world;
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, now, new);
    let (order, _) = accepted.map_err(|had| {
        let say = format!("Insufficient balance: this video costs {}.", dollars(price));
        error_with(402, "insufficient_credits", &say, None, json!({"balance": dollars(had)}))
    })?;
    Ok((queued(order), now + takes))
}

/// The order that a key was first used for, while it is remembered.
fn remembered<'a>(world: &'a World, key: &'a str, intent: &str, now: Moment) -> Option<&'a Order> {
    let kept = i64::try_from(world.variants.number(Service::NinjaChat, "key_seconds")).unwrap_or(0) * SECOND;
    let recent = world.book.of_key(Service::NinjaChat, key).take_while(|order| now - order.created < kept);
    recent.filter(|order| is_ours(order)).find(|order| order.trace.idempotency_key.as_deref() == Some(intent))
}

/// What a repeat gets: the first answer, or why not. Own: how another body is refused.
fn repeat(first: &Order, hash: &str, takes: Moment, now: Moment) -> Result<(Value, Moment), Response> {
    if first.trace.body_sha256.as_deref() != Some(hash) {
        let say = "This Idempotency-Key was used with a different request body.";
        return Err(error(400, "idempotency_key_reused", say, Some("Idempotency-Key")));
    }
    if now < first.created + takes {
        let say = "A request with this Idempotency-Key is still in progress.";
        return Err(with(error(409, "request_in_flight", say, None), "retry-after", "1"));
    }
    Ok((queued(first), now))
}

/// The submit reply; all six fields are required, a balance is not among them (wire.md 2.1).
fn queued(order: &Order) -> Value {
    json!({
        "id": order.id,
        "object": "video",
        "status": "queued",
        "model": order.model,
        "cost_usd": number(order.price),
        "request_id": order.trace.x_request_id,
    })
}

async fn status(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let now = simulation.clock.now();
    let world = simulation.world();
    let Some(order) = world.book.get(&id).filter(|order| is_ours(order) && order.account.1 == key) else {
        return error(404, "video_not_found", "Video job not found.", None);
    };
    let mut body = json!({"id": order.id, "object": "video"});
    match order.state(now) {
        OrderState::Queued => body["status"] = json!("queued"),
        OrderState::Processing(share) => {
            body["status"] = json!("processing");
            body["progress"] = json!((share * 100.0) as u64);
        }
        OrderState::Completed => {
            let folder = format!("{}/videos", call.base);
            let link = links::link(&simulation, &world.variants, Service::NinjaChat, &folder, &order.links[0]);
            body["status"] = json!("completed");
            body["progress"] = json!(100);
            body["video_url"] = json!(link);
        }
        OrderState::Failed => {
            let say = match order.outcome {
                Outcome::FailsForContent => "Content policy violation",
                _ => "Video generation failed",
            };
            body["status"] = json!("failed");
            body["error"] = json!(say);
        }
    }
    reply(200, &body)
}
