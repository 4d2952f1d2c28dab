//! A4F's wire (seed 004, wire.md 3): one call that holds the connection until the clip is made.
//! What the answer looks like is in `a4f_answer.rs`, the model list and usage in `a4f_account.rs`.

use crate::sim::a4f_answer::{self as answer, Form};
use crate::sim::a4f_rules::{self as rules, Plan, error};
use crate::sim::bank::{AccountName, Kind, QUOTA};
use crate::sim::call::{Call, with_wait};
use crate::sim::clip::Shot;
use crate::sim::clock::{Moment, SECOND, day, until_midnight};
use crate::sim::faults::Spoiled;
use crate::sim::orders::{NewOrder, Outcome};
use crate::sim::service::{Service, letters};
use crate::sim::steer::Steer;
use crate::sim::{Simulation, a4f_account as account, files, links, memory};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// A4F's routes.
pub fn routes(simulation: &Arc<Simulation>) -> Router<Arc<Simulation>> {
    Router::new()
        .route("/v1/video/generations", post(generate))
        .route("/v1/models", get(account::models).post(account::models))
        .route("/v1/usage", get(account::usage))
        .layer(axum::middleware::from_fn_with_state(simulation.clone(), answer::dress))
        // Such a path existed in mid-2025 (wire.md 3.1); where links lead since is not known.
        .route("/v1/videos/serve/{file}", get(files::clip))
}

/// The key, or 401 `invalid_api_key` (seed 004).
pub fn key(call: &Call) -> Result<String, Response> {
    match call.bearer() {
        Some(key) if Service::A4f.knows_key(key) => Ok(key.to_owned()),
        _ => Err(error(401, "invalid_api_key", "Your API key is missing or invalid.", None)),
    }
}

/// What an accepted call will end in.
struct Held {
    id: String,
    created: Moment,
    ends: Moment,
    shot: Shot,
    steer: Steer,
    prompt: String,
    /// The first revision's way: a link beside the clip, and `created` is the start (wire.md 3.3).
    older: bool,
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
    if let Some(failure) = failure(&simulation, held.steer) {
        return failure;
    }
    let clip = match simulation.clips.clip(&held.shot).await {
        Ok(clip) => clip,
        Err(reason) => return error(500, "provider_error", &reason, None),
    };
    let mut world = simulation.world();
    let form = match held.older {
        true => Form::BOTH,
        false => Form::named(&world.variants.value(Service::A4f, "answer")),
    };
    if form.base64 {
        world.book.delivered(&held.id, 0, &clip.sha256, clip.bytes.len() as u64);
    }
    let token = world.book.get(&held.id).map(|order| order.links[0].clone()).unwrap_or_default();
    let folder = format!("{}/v1/videos/serve", call.base);
    let link = links::link(&simulation, &world.variants, Service::A4f, &folder, &token);
    let bytes = spoiled.map_or_else(|| clip.bytes.clone(), |Extension(spoiled)| spoiled.bytes(&clip.bytes));
    let created = if held.older { held.created } else { simulation.clock.now() };
    answer::finished(bytes, form, &link, &held.prompt, created / SECOND)
}

/// How a call fails once it was forwarded: with the provider's own code, or inside a 200 (wire.md
/// 3.4).
fn failure(simulation: &Simulation, steer: Steer) -> Option<Response> {
    let (status, code, say) = match steer {
        // Own: a provider's refusal is proxied with the provider's code.
        Steer { policy: true, .. } | Steer { nsfw: true, .. } => {
            (400, "provider_error", "The provider rejected the prompt: content policy violation")
        }
        Steer { timeout: true, .. } => (408, "timeout", "The upstream provider took too long to respond."),
        Steer { fail: true, .. } | Steer { error_in_200: true, .. } => {
            (500, "provider_error", "The upstream video generation service failed to produce the video.")
        }
        _ => return None,
    };
    let inside = steer.error_in_200 || simulation.world().variants.is(Service::A4f, "upstream_errors", "in_200");
    let mut response = error(status, code, say, None);
    if inside {
        *response.status_mut() = StatusCode::OK;
    }
    Some(response)
}

/// The book's own: there is none on the wire (seed 004).
fn order_id(_: &str, chance: u64) -> String {
    format!("a4f-{}", letters(chance, 16))
}

fn accept(simulation: &Simulation, call: &Call, body: &[u8]) -> Result<Held, Response> {
    let key = key(call)?;
    let plan = Plan::of(&key);
    let refused = |status: u16, code: &str, say: &str| error(status, code, say, None);
    let now = simulation.clock.now();
    let (older, how) = {
        let mut world = simulation.world();
        // Whether a 429 says when to come back is not known (wire.md 3.4).
        let how = world.variants.value(Service::A4f, "retry_after");
        let most = plan.per_minute() as usize;
        let taken = world.limits.take(&format!("a4f {key}"), most, 60 * SECOND, now);
        taken.map_err(|wait| {
            let say = format!("Rate limit exceeded: {most} requests per minute.");
            with_wait(refused(429, "rate_limit_exceeded", &say), &simulation.clock, wait, &how)
        })?;
        (world.variants.is(Service::A4f, "models", "older"), how)
    };
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| error(400, "invalid_request_error", "The request body is not valid JSON.", None))?;
    let order = rules::read(&body, older)?;
    if !order.model.plans.contains(&plan) || key.contains("forbidden") {
        let say = "The requested model is not available on your current subscription plan \
                   (Pro or Ultra required).";
        return Err(refused(403, "permission_denied_error", say));
    }
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
        speed: steer.speed(order.model.speed),
        slow: steer.slow,
        outcome: if fails { Outcome::Fails } else { Outcome::Completes },
        // Own: a call that failed has still been a call (wire.md 3.6).
        refundable: false,
        clips: 1,
    };
    let mut world = simulation.world();
    let world = &mut *world;
    new_day(world.bank.account(Service::A4f, &key, QUOTA), now);
    let used_up = || {
        let answer = refused(429, "rate_limit_exceeded", "You have exceeded your daily quota.");
        with_wait(answer, &simulation.clock, until_midnight(now), &how)
    };
    if key.contains("daily") {
        return Err(used_up());
    }
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, now, new);
    let (booked, _) = accepted.map_err(|_| used_up())?;
    Ok(Held {
        id: booked.id.clone(),
        created: booked.created,
        ends: booked.ends,
        shot: booked.shot(0),
        steer,
        prompt: order.prompt,
        older: rules::is_older(order.model),
    })
}

/// The quota fills up at midnight, UTC (own: the documents say "daily").
pub fn new_day(account: &mut crate::sim::bank::Account, now: Moment) {
    let today = day(now);
    let fresh = account.day.is_some_and(|last| last < today);
    account.day = Some(today);
    let missing = account.opening - account.balance;
    if fresh && missing > Decimal::ZERO {
        account.book(Kind::Deposit, missing, None, "new day", now);
    }
}
