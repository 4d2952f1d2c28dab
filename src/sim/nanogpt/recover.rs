//! `GET /api/generate-video/recover`: the key's last runs (wire.md 1.2), and how little they may say.

use crate::sim::Simulation;
use crate::sim::call::{Call, reply};
use crate::sim::clock::{SECOND, iso};
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::nanogpt::{answered, key, taken};
use crate::sim::orders::{Order, Outcome, State as OrderState};
use crate::sim::service::Service;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Calls a minute and address (wire.md 1.7).
const CALLS: usize = 20;

/// Lower-case status, 10 rows or up to 50, newest first.
pub async fn recover(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = rows(&simulation, &call);
    answered(&simulation, answer)
}

fn rows(simulation: &Simulation, call: &Call) -> Result<Response, Refusal> {
    let key = key(call)?;
    let name = format!("nanogpt recover {}", call.peer);
    taken(simulation, &name, CALLS, 60 * SECOND, Refusal::plain(429, "Rate limit exceeded."))?;
    let limit = match call.asked("limit") {
        None => 10,
        Some(limit) => limit.parse().map_err(|_| Refusal::parameter("limit", "limit must be a number"))?,
    };
    let now = simulation.clock.now();
    let world = simulation.world();
    let thread = call.asked("conversationUUID");
    let switch = world.variants.value(Service::NanoGpt, "conversation_uuid");
    if switch == "refused" && thread.is_some() {
        return Err(Refusal::parameter("conversationUUID", "Unsupported parameter: conversationUUID"));
    }
    let lag = world.variants.number(Service::NanoGpt, "lag_seconds") as i64 * SECOND;
    let hides_dead = world.variants.is(Service::NanoGpt, "recover_dead", "never");
    let wanted = |order: &&Order| {
        let model = call.asked("model").is_none_or(|model| model == order.model);
        // A filter that is not looked at lists every run.
        let thread = thread.filter(|_| switch != "ignored");
        let mine = thread.is_none_or(|thread| Some(thread) == order.trace.conversation.as_deref());
        let late = switch == "lagging" && now - order.created < lag;
        // A run that died before dispatch ended in the moment it was accepted.
        let dead = order.outcome == Outcome::Fails && order.ends == order.created;
        model && mine && !late && !(hides_dead && dead)
    };
    let row = |order: &Order| {
        let word = match order.state(now) {
            OrderState::Queued => "pending",
            OrderState::Processing(_) => "processing",
            OrderState::Completed => "completed",
            OrderState::Failed => "failed",
        };
        let mut row = json!({
            "runId": order.id,
            "id": order.id,
            "model": order.model,
            "status": word,
            "createdAt": iso(order.created),
        });
        if switch != "dropped" {
            row["conversationUUID"] = json!(order.trace.conversation);
        }
        row
    };
    let orders = world.book.of_key(Service::NanoGpt, &key).filter(wanted);
    let heeded = world.variants.is(Service::NanoGpt, "recover_limit", "heeded");
    let most = if heeded { usize::clamp(limit, 1, 50) } else { 10 };
    let rows: Vec<Value> = orders.take(most).map(row).collect();
    let body = match world.variants.value(Service::NanoGpt, "recover_shape").as_str() {
        "runs" => json!({"runs": rows}),
        "bare" => json!(rows),
        _ => json!({"data": rows}),
    };
    Ok(reply(200, &body))
}
