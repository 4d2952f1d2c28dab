//! A4F's wire (seed 004, wire.md 3): one call that holds the connection until the clip is made
//! and carries it as base64, the model list, and usage.

use crate::sim::Simulation;
use crate::sim::a4f_rules::{self as rules, MODELS, Plan, envelope, error};
use crate::sim::bank::{AccountName, Kind, QUOTA};
use crate::sim::call::{Call, reply, with};
use crate::sim::clip::{Clip, Shot};
use crate::sim::clock::{Moment, SECOND, day, iso, until_midnight};
use crate::sim::faults::Spoiled;
use crate::sim::memory;
use crate::sim::orders::{NewOrder, Order, Outcome, State as OrderState};
use crate::sim::service::{Service, letters};
use crate::sim::steer::Steer;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A4F's routes.
pub fn routes(_: &Arc<Simulation>) -> Router<Arc<Simulation>> {
    Router::new()
        .route("/v1/video/generations", post(generate))
        .route("/v1/models", get(models).post(models))
        .route("/v1/usage", get(usage))
}

/// The key, or 401 `invalid_api_key` (seed 004).
fn key(call: &Call) -> Result<String, Response> {
    match call.bearer() {
        Some(key) if Service::A4f.knows_key(key) => Ok(key.to_owned()),
        _ => Err(error(401, "invalid_api_key", "Your API key is missing or invalid.", None)),
    }
}

/// What an accepted call will end in.
struct Held {
    id: String,
    ends: Moment,
    shot: Shot,
    steer: Steer,
    prompt: String,
}

async fn generate(
    State(simulation): State<Arc<Simulation>>,
    spoiled: Option<Extension<Spoiled>>,
    call: Call,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let held = match accept(&simulation, &call, &body.unwrap_or_default()) {
        Ok(held) => held,
        Err(refusal) => return refusal,
    };
    // The answer may be minutes away; a service has the call in its books before that.
    if let Err(error) = simulation.remember().await {
        return memory::forgetful(&error);
    }
    // The connection stays open until the file is ready (seed 004). When the caller leaves, this
    // future is dropped: the clip is lost and the call counted (wire.md 3.6).
    simulation.clock.wait_until(held.ends).await;
    if held.steer.policy || held.steer.nsfw {
        // Own: a provider's refusal is proxied with the provider's code (wire.md 3.4).
        let say = "The provider rejected the prompt: content policy violation";
        return error(400, "provider_error", say, None);
    }
    if held.steer.timeout {
        let say = "The upstream provider took too long to respond.";
        return error(408, "timeout", say, None);
    }
    let failure = "The upstream video generation service failed to produce the video.";
    if held.steer.error_in_200 {
        return reply(200, &envelope("provider_error", failure, None));
    }
    if held.steer.fail {
        return error(500, "provider_error", failure, None);
    }
    let clip = match simulation.clips.clip(&held.shot).await {
        Ok(clip) => clip,
        Err(reason) => return error(500, "provider_error", &reason, None),
    };
    let now = simulation.clock.now();
    let length = clip.bytes.len() as u64;
    simulation.world().book.delivered(&held.id, 0, &clip.sha256, length);
    let spoiled = spoiled.map(|Extension(spoiled)| spoiled);
    finished(&clip, spoiled, &held.prompt, now / SECOND)
}

/// `{created, data:[{b64_json, url, revised_prompt}]}` (seed 004), in pieces: a clip in base64 is
/// tens of megabytes in one string.
fn finished(clip: &Clip, spoiled: Option<Spoiled>, prompt: &str, created: i64) -> Response {
    let bytes = spoiled.map_or_else(|| clip.bytes.clone(), |spoiled| spoiled.bytes(&clip.bytes));
    // Own: what a revised prompt looks like; the type is string or null.
    let revised = json!(format!("{prompt}, cinematic lighting, high detail"));
    let head = format!("{{\"created\":{created},\"data\":[{{\"b64_json\":\"");
    let tail = format!("\",\"url\":null,\"revised_prompt\":{revised}}}]}}");
    let length = head.len() + bytes.len().div_ceil(3) * 4 + tail.len();
    // A multiple of three, so that the pieces join without padding between them.
    const PIECE: usize = 48 * 1024;
    let pieces = (0..bytes.len().div_ceil(PIECE)).map(move |at| {
        let end = ((at + 1) * PIECE).min(bytes.len());
        STANDARD.encode(&bytes[at * PIECE..end])
    });
    let all = std::iter::once(head).chain(pieces).chain(std::iter::once(tail));
    let all = all.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let body = Body::from_stream(futures_util::stream::iter(all));
    let response = with(Response::new(body), "content-type", "application/json");
    with(response, "content-length", &length.to_string())
}

/// The book's own: there is none on the wire (seed 004).
fn order_id(_: &str, chance: u64) -> String {
    format!("a4f-{}", letters(chance, 16))
}

fn accept(simulation: &Simulation, call: &Call, body: &[u8]) -> Result<Held, Response> {
    let key = key(call)?;
    let plan = Plan::of(&key);
    if !plan.has_video() || key.contains("forbidden") {
        let say = "The requested model is not available on your current subscription plan \
                   (Pro or Ultra required).";
        return Err(error(403, "permission_denied_error", say, None));
    }
    let now = simulation.clock.now();
    {
        let mut world = simulation.world();
        let most = plan.per_minute() as usize;
        let taken = world.limits.take(&format!("a4f {key}"), most, 60 * SECOND, now);
        // No Retry-After: the documents mention none (wire.md 3.4).
        taken.map_err(|_| {
            let say = format!("Rate limit exceeded: {most} requests per minute.");
            error(429, "rate_limit_exceeded", &say, None)
        })?;
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| error(400, "invalid_request_error", "The request body is not valid JSON.", None))?;
    let order = rules::read(&body)?;
    let steer = Steer::read(&order.prompt);
    if steer.internal || steer.upstream {
        let status = if steer.upstream { 502 } else { 500 };
        return Err(error(status, "provider_error", "An unexpected error occurred.", None));
    }
    let lines = order.quality.trim_end_matches('p').parse().unwrap_or(720);
    let (width, height, fps) = simulation.screen().frame(&order.ratio, lines, order.seconds);
    let account: AccountName = (Service::A4f, key.clone(), QUOTA);
    let fails = steer.fail || steer.policy || steer.nsfw || steer.timeout || steer.error_in_200;
    let new = NewOrder {
        account,
        id: order_id,
        model: order.model.id.to_owned(),
        shot: Shot {
            order: String::new(),
            model: order.model.id.to_owned(),
            prompt: order.prompt.clone(),
            aspect: order.ratio,
            seconds: order.seconds,
            width,
            height,
            fps,
        },
        prompt: order.prompt.clone(),
        trace: call.trace(&body),
        params: body,
        price: Decimal::ONE,
        speed: order.model.speed,
        slow: steer.slow,
        outcome: if fails { Outcome::Fails } else { Outcome::Completes },
        // Own: a call that failed has still been a call (wire.md 3.6).
        refundable: false,
        clips: 1,
    };
    let mut world = simulation.world();
    let world = &mut *world;
    new_day(world.bank.account(Service::A4f, &key, QUOTA), now);
    let used_up = || error(429, "rate_limit_exceeded", "You have exceeded your daily quota.", None);
    if key.contains("daily") {
        return Err(used_up());
    }
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, now, new);
    let (booked, _) = accepted.map_err(|_| used_up())?;
    Ok(Held { id: booked.id.clone(), ends: booked.ends, shot: booked.shot(0), steer, prompt: order.prompt })
}

/// The quota fills up at midnight, UTC (own: the documents say "daily").
fn new_day(account: &mut crate::sim::bank::Account, now: Moment) {
    let today = day(now);
    let fresh = account.day.is_some_and(|last| last < today);
    account.day = Some(today);
    let missing = account.opening - account.balance;
    if fresh && missing > Decimal::ZERO {
        account.book(Kind::Deposit, missing, None, "new day", now);
    }
}

/// `GET` or `POST /v1/models` (wire.md 3.1): entries grow with bare keys such as `?features`.
async fn models(call: Call) -> Response {
    let plan = call.asked("plan").unwrap_or("ultra");
    let wanted = call.asked("type").unwrap_or("video/generation");
    let shown = wanted == "video/generation" && matches!(plan, "pro" | "ultra");
    let data: Vec<Value> = MODELS
        .iter()
        .filter(|_| shown)
        .map(|model| {
            let base = model.id.rsplit('/').next();
            let mut entry = json!({
                "id": model.id, "base_model": base, "owned_by": model.maker,
                "type": "video/generation", "object": "model",
            });
            if call.query.contains_key("features") {
                entry["features"] = json!(["text-to-video"]);
            }
            if call.query.contains_key("pricing") {
                entry["pricing"] = Value::Null;
            }
            entry
        })
        .collect();
    reply(200, &json!({"object": "list", "data": data}))
}

/// `GET /v1/usage` (wire.md 3.5). It returns the full key, as the service does.
async fn usage(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let plan = Plan::of(&key);
    let now = simulation.clock.now();
    let mut world = simulation.world();
    new_day(world.bank.account(Service::A4f, &key, QUOTA), now);
    let mut by_model: Map<String, Value> = Map::new();
    let done = |order: &Order| u64::from(order.state(now) == OrderState::Completed);
    for model in &MODELS {
        let mine = || world.book.of_key(Service::A4f, &key).filter(|order| order.model == model.id);
        if let Some(last) = mine().next() {
            let row = json!({
                "total_requests": mine().count(),
                "successful_requests": mine().map(done).sum::<u64>(),
                "token_cost_usd": 0,
                "last_used": iso(last.created),
            });
            by_model.insert(model.id.to_owned(), row);
        }
    }
    let total = world.book.of_key(Service::A4f, &key).count();
    let today = world.book.of_key(Service::A4f, &key).filter(|o| day(o.created) == day(now)).count();
    let activated = iso(now - 5 * 86_400 * SECOND);
    let mut body = json!({
        "account_information": {
            "username": "simulator", "current_plan": plan.name(), "plan": plan.name(),
            "is_enabled": true, "api_key": key, "node_id": "U_simulator",
            "model_specific_usage": by_model,
        },
        "subscription_details": {
            "creation_date": activated, "total_validity_days": 30, "effective_days_remaining": 25,
            "plan_activation_history": [{"plan": plan.name(), "activated_at": activated}],
        },
        "billing_information": {
            "payment_transactions": [], "total_amount_paid_usd": 0,
            "cumulative_token_cost_usd": 0,
        },
        "rate_limits_and_restrictions": {
            "requests_per_minute_limit": simulation.clock.in_real_time(plan.per_minute()),
            "requests_per_day_limit": plan.per_day(),
        },
        "usage_statistics": {
            "total_requests": total, "requests_today": today,
            "seconds_to_reset": until_midnight(now) / SECOND,
        },
    });
    if let (Some(sections), Some(all)) = (call.asked("section"), body.as_object_mut()) {
        all.retain(|name, _| sections.split(',').any(|section| section.trim() == name));
    }
    reply(200, &body)
}
