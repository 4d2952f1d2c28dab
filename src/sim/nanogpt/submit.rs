//! Submitting: limits, the order, the bank, and the accepted answer in all its forms (wire.md 1.3).

use crate::sim::Simulation;
use crate::sim::bank::{USD, XNO};
use crate::sim::call::{Call, number, reply, with};
use crate::sim::clip::Shot;
use crate::sim::clock::{Moment, SECOND, day, until_midnight};
use crate::sim::nanogpt::order::{House, Reading, read};
use crate::sim::nanogpt::refusals::{Refusal, payment_challenge, too_large};
use crate::sim::nanogpt::{Numbered, answered, key, taken, within_rate};
use crate::sim::orders::{NewOrder, Order, Outcome};
use crate::sim::service::{Service, letters, mix};
use crate::sim::steer::Steer;
use crate::sim::variants::Variants;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// Submissions a minute and address (seed 002).
const SUBMITS: usize = 50;
/// Beyond this the edge answers 413 and no JSON (wire.md 1.6: about 4.5 MB).
const EDGE: usize = 4_500_000;

/// A body as far as it came.
pub type Body = Result<Bytes, BytesRejection>;

/// `POST /api/generate-video`.
pub async fn submit(
    State(simulation): State<Arc<Simulation>>,
    Extension(Numbered(id)): Extension<Numbered>,
    call: Call,
    body: Body,
) -> Response {
    let Some(body) = body.ok().filter(|body| body.len() <= EDGE) else {
        return too_large(&simulation.world().variants);
    };
    if call.header("x-api-key").is_none() && call.bearer().is_none() && call.header("x-x402") == Some("true") {
        // Accountless payment (wire.md 1.6): the quote, and no job.
        let house = House::of(&simulation.world().variants);
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        return payment_challenge(read(&body, house).ok().map(|reading| reading.price));
    }
    let answer = accept(&simulation, &call, &id, &body);
    answered(&simulation, answer)
}

fn accept(simulation: &Simulation, call: &Call, id: &str, body: &[u8]) -> Result<Response, Refusal> {
    let say = "Rate limit exceeded. Please wait before generating another video.";
    let name = format!("nanogpt submit {}", call.peer);
    taken(simulation, &name, SUBMITS, 60 * SECOND, Refusal::plain(429, say))?;
    let key = key(call)?;
    within_rate(simulation, &key)?;
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal { code: "invalid_json", ..Refusal::plain(400, "Invalid JSON in request body") })?;
    let house = House::of(&simulation.world().variants);
    let reading = read(&body, house)?;
    within_day(simulation, &key, reading.price)?;
    steered(&Steer::read(&reading.prompt))?;
    let mut params = body.clone();
    if reading.media.from_library {
        // What the service took by itself (seed 003: "saved attachments").
        params["imageAttachmentId"] = json!("library-latest");
    }
    let mut trace = call.trace(&body);
    trace.x_request_id = Some(id.to_owned());
    let story = reading.model.needs(crate::sim::nanogpt::models::Input::Story);
    let project = story.then(|| body["projectId"].as_str().unwrap_or("prj_simulated").to_owned());
    let new = new_order(simulation, &key, &reading, params, trace);
    let label = reading.model.name.clone();
    let mut world = simulation.world();
    let world = &mut *world;
    let new = NewOrder { id: id_form(&world.variants), ..new };
    let price = new.price;
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, simulation.clock.now(), new);
    let (order, left) = accepted.map_err(|_| Refusal::too_dear(price))?;
    Ok(accepted_answer(order, left, &label, project, &world.variants))
}

/// A key's own limits a day, until midnight UTC (wire.md 1.7 and 6). Levers in the key: `daily` is
/// used up, `rpd-3` takes three orders a day, `usd-10` ten dollars a day.
pub fn within_day(simulation: &Simulation, key: &str, price: Decimal) -> Result<(), Refusal> {
    let now = simulation.clock.now();
    let most = |lever: &str| -> Option<u32> {
        let digits = key.split_once(lever)?.1;
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok()
    };
    let (orders, spent) = today(simulation, key, now);
    let full = key.contains("daily") || most("rpd-").is_some_and(|most| orders >= most as usize);
    let (code, what) = if full {
        ("daily_rpd_limit_exceeded", "request")
    } else if most("usd-").is_some_and(|most| spent + price > Decimal::from(most)) {
        ("daily_usd_limit_exceeded", "USD")
    } else {
        return Ok(());
    };
    let refusal = Refusal::coded(429, code, &format!("Daily {what} limit exceeded for this API key."));
    Err(refusal.after(simulation.clock.retry_after(until_midnight(now))))
}

fn today(simulation: &Simulation, key: &str, now: Moment) -> (usize, Decimal) {
    let world = simulation.world();
    let orders = world.book.of_key(Service::NanoGpt, key).filter(|order| day(order.created) == day(now));
    orders.fold((0, Decimal::ZERO), |(count, sum), order| (count + 1, sum + order.price))
}

/// What a prompt asks the simulator to refuse.
fn steered(steer: &Steer) -> Result<(), Refusal> {
    match steer {
        Steer { policy: true, .. } => Err(Refusal::policy()),
        Steer { internal: true, .. } => Err(Refusal::plain(500, "Internal server error")),
        Steer { upstream: true, .. } => Err(Refusal::plain(503, "The provider is temporarily unavailable.")),
        _ => Ok(()),
    }
}

/// The order for the book. `xno` in the key pays in XNO, at the simulator's own rate of 0.80 USD:
/// costs are "in USD or XNO" (seed 002).
pub fn new_order(
    simulation: &Simulation,
    key: &str,
    reading: &Reading,
    params: Value,
    trace: crate::sim::orders::Trace,
) -> NewOrder {
    let steer = Steer::read(&reading.prompt);
    let (currency, price) = if key.contains("xno") {
        (XNO, (reading.price / Decimal::new(80, 2)).round_dp(8).normalize())
    } else {
        (USD, reading.price)
    };
    let making = &reading.making;
    let (width, height, fps) = simulation.screen().frame(&making.aspect, making.lines, making.seconds);
    // Own: no speeds are published (wire.md 1.7); some models are slower than others.
    let pace = (reading.id.bytes().fold(1, |sum, byte| mix(sum, u64::from(byte))) % 60) as i64;
    // `[dead]`: died before it was dispatched, in the moment it was accepted.
    let dead = reading.prompt.contains("[dead]");
    NewOrder {
        account: (Service::NanoGpt, key.to_owned(), currency),
        id: new_id,
        model: reading.id.clone(),
        shot: Shot {
            order: String::new(),
            model: reading.id.clone(),
            prompt: reading.prompt.clone(),
            aspect: making.aspect.clone(),
            seconds: making.seconds,
            width,
            height,
            fps,
        },
        prompt: reading.prompt.clone(),
        trace,
        params,
        price,
        speed: if dead { (0, 0) } else { steer.speed((40 + pace, 90 + 2 * pace)) },
        slow: steer.slow,
        outcome: if dead { Outcome::Fails } else { steer.outcome() },
        refundable: true,
        clips: reading.model.clips,
    }
}

/// `vid_` and 17 letters (wire.md 1.3).
fn new_id(_: &str, chance: u64) -> String {
    format!("vid_{}", letters(chance, 17))
}

/// The provider's id of old (seed 002).
fn old_id(_: &str, chance: u64) -> String {
    format!("fal-request-{}", letters(chance, 12))
}

/// How ids are written now.
pub fn id_form(variants: &Variants) -> fn(&str, u64) -> String {
    if variants.is(Service::NanoGpt, "submit_id", "old") { old_id } else { new_id }
}

/// 202 with the id and the money, or what the switches make of it.
fn accepted_answer(
    order: &Order,
    left: Decimal,
    label: &str,
    project: Option<String>,
    variants: &Variants,
) -> Response {
    let form = variants.value(Service::NanoGpt, "submit_id");
    let cost = variants.value(Service::NanoGpt, "submit_cost");
    let mut body = match form.as_str() {
        "data" => json!({"data": {"runId": order.id, "id": order.id}, "status": "pending", "model": order.model}),
        "run_id" | "old" => json!({"runId": order.id, "status": "pending", "model": order.model}),
        _ => json!({"runId": order.id, "id": order.id, "status": "pending", "model": order.model}),
    };
    if cost == "told" {
        body["cost"] = number(order.price);
        body["paymentSource"] = json!(order.account.2);
        body["remainingBalance"] = number(left);
        if form != "old" {
            body["prechargeLabel"] = json!(label);
        }
    }
    if let Some(project) = project {
        body["projectId"] = json!(project);
    }
    let status = if variants.is(Service::NanoGpt, "submit_status", "200") { 200 } else { 202 };
    let response = reply(status, &body);
    if cost == "headers" {
        let response = with(response, "x-cost", &order.price.to_string());
        return with(response, "x-remaining-balance", &left.to_string());
    }
    response
}
