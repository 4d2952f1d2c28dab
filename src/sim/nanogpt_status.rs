//! What follows a NanoGPT submit: status in all its shapes, recovery, content (wire.md 1.2, 1.4).

use crate::sim::Simulation;
use crate::sim::call::{Call, number, reply, with};
use crate::sim::clock::{SECOND, iso};
use crate::sim::nanogpt::key;
use crate::sim::nanogpt_rules::plain;
use crate::sim::orders::{Order, Outcome, State as OrderState};
use crate::sim::service::Service;
use crate::sim::steer::Steer;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Which of the two status endpoints was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Unified,
    Legacy,
}

/// `GET /api/video/status?requestId=` (alias `runId`), wire.md 1.2.
pub async fn unified(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let id = call.asked("requestId").or_else(|| call.asked("runId"));
    status(&simulation, &call, id, Endpoint::Unified).unwrap_or_else(|refusal| refusal)
}

/// `GET /api/generate-video/status?runId=&modelSlug=`; the second may be `model`, or absent
/// (seed 002, wire.md 6).
pub async fn legacy(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let id = call.asked("runId").or_else(|| call.asked("requestId"));
    status(&simulation, &call, id, Endpoint::Legacy).unwrap_or_else(|refusal| refusal)
}

/// The caller's order, or 400, 404, 403. Own texts: the bodies are not published (wire.md 5).
fn owned<'a>(book: &'a crate::sim::orders::Book, key: &str, id: Option<&str>) -> Result<&'a Order, Response> {
    let id = id.ok_or_else(|| plain(400, "Missing requestId or runId"))?;
    let order = book.get(id).filter(|order| order.account.0 == Service::NanoGpt);
    let order = order.ok_or_else(|| plain(404, "Video job not found"))?;
    if order.account.1 == key {
        Ok(order)
    } else {
        // "403 if the job is not yours" (wire.md 1.2).
        Err(plain(403, "You do not have access to this video job"))
    }
}

fn status(simulation: &Simulation, call: &Call, id: Option<&str>, endpoint: Endpoint) -> Result<Response, Response> {
    let key = key(call)?;
    let now = simulation.clock.now();
    let world = simulation.world();
    let order = owned(&world.book, &key, id)?;
    let state = order.state(now);
    let steer = Steer::read(&order.prompt);
    if steer.flat && endpoint == Endpoint::Unified {
        return Ok(reply(200, &flat(order, state, call)));
    }
    let mut data = match state {
        OrderState::Queued => json!({"status": "IN_QUEUE"}),
        OrderState::Processing(_) => {
            json!({"status": "IN_PROGRESS", "details": "Video is being generated"})
        }
        OrderState::Completed => {
            let mut data = json!({"status": "COMPLETED", "output": output(order, call)});
            if !steer.no_cost {
                data["cost"] = number(order.price);
            }
            data
        }
        // Word for word for content (seed 002).
        OrderState::Failed if order.outcome == Outcome::FailsForContent => json!({
            "status": "FAILED",
            "error": "Content policy violation",
            "isNSFWError": true,
            "userFriendlyError":
                "Content flagged as inappropriate. Please modify your prompt and try again.",
        }),
        OrderState::Failed => json!({
            "status": "FAILED",
            "error": "Video generation failed",
            "isNSFWError": false,
            "userFriendlyError": "The video could not be generated. You were not charged.",
        }),
    };
    // Inner id: `requestId` here, `request_id` there (wire.md 1.4).
    let body = match endpoint {
        Endpoint::Unified => {
            data["requestId"] = json!(order.id);
            json!({"requestId": order.id, "model": order.model, "data": data})
        }
        Endpoint::Legacy => {
            data["request_id"] = json!(order.id);
            json!({"data": data})
        }
    };
    Ok(reply(200, &body))
}

/// Where the clips are: one under `video.url`; Midjourney's four as a list; Grok's relative to
/// the API, behind the key and a redirect (wire.md 1.4).
fn output(order: &Order, call: &Call) -> Value {
    let link = |token: &String| json!({"url": format!("{}/storage/{token}.mp4", call.base)});
    if order.model == "grok-imagine-video" {
        let url = format!("/api/generate-video/content?model={}&runId={}&variant=video", order.model, order.id);
        return json!({"video": {"url": url}});
    }
    match order.links.as_slice() {
        [only] => json!({"video": link(only)}),
        several => json!({"video": several.iter().map(link).collect::<Vec<_>>()}),
    }
}

/// The flat lower-case shape of the OpenAPI block (wire.md 1.4, shape 3); `[flat]` asks for it.
fn flat(order: &Order, state: OrderState, call: &Call) -> Value {
    let (word, progress) = match state {
        OrderState::Queued => ("queued", 0),
        OrderState::Processing(share) => ("processing", (share * 100.0) as u64),
        OrderState::Completed => ("completed", 100),
        OrderState::Failed => ("failed", 0),
    };
    let done = state == OrderState::Completed;
    let link = format!("{}/storage/{}.mp4", call.base, order.links[0]);
    json!({
        "requestId": order.id,
        "status": word,
        "progress": progress,
        "estimatedTimeRemaining": null,
        "videoUrl": done.then_some(link),
        "error": (state == OrderState::Failed).then_some("Video generation failed"),
        "createdAt": iso(order.created),
        "completedAt": done.then(|| iso(order.ends)),
    })
}

/// `GET /api/generate-video/recover`: the key's last runs, lower-case status, 10 of them or up to
/// 50, 20 calls a minute and address (wire.md 1.2 and 1.7).
pub async fn recover(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let now = simulation.clock.now();
    let mut world = simulation.world();
    let name = format!("nanogpt recover {}", call.peer);
    if let Err(wait) = world.limits.take(&name, 20, 60 * SECOND, now) {
        let seconds = simulation.clock.retry_after(wait).to_string();
        return with(plain(429, "Rate limit exceeded."), "retry-after", &seconds);
    }
    let limit = call.asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
    let wanted = |order: &&Order| {
        let model = call.asked("model").is_none_or(|model| model == order.model);
        let thread = call.asked("conversationUUID");
        model && thread.is_none_or(|thread| Some(thread) == order.trace.conversation.as_deref())
    };
    let rows: Vec<Value> = world
        .book
        .of_key(Service::NanoGpt, &key)
        .filter(wanted)
        .take(limit.clamp(1, 50))
        .map(|order| {
            let word = match order.state(now) {
                OrderState::Queued => "pending",
                OrderState::Processing(_) => "processing",
                OrderState::Completed => "completed",
                OrderState::Failed => "failed",
            };
            json!({
                "runId": order.id,
                "id": order.id,
                "model": order.model,
                "status": word,
                "createdAt": iso(order.created),
                "conversationUUID": order.trace.conversation,
            })
        })
        .collect();
    reply(200, &json!({"data": rows}))
}

/// `GET /api/generate-video/content`: needs the key, answers a redirect to unsigned storage
/// (wire.md 1.4).
pub async fn content(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let world = simulation.world();
    let order = match owned(&world.book, &key, call.asked("runId")) {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    if order.state(simulation.clock.now()) != OrderState::Completed {
        return plain(404, "Video content not available");
    }
    let link = format!("{}/storage/{}.mp4", call.base, order.links[0]);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    with(response, "location", &link)
}
