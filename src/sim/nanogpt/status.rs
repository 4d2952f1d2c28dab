//! Status: three endpoints, four shapes (wire.md 1.2, 1.4).

use crate::sim::Simulation;
use crate::sim::call::{Call, number, reply};
use crate::sim::clock::iso;
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::nanogpt::{answered, key, results};
use crate::sim::orders::{Book, Order, Outcome, State as OrderState};
use crate::sim::service::Service;
use crate::sim::steer::Steer;
use crate::sim::variants::Variants;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Which endpoint was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Unified,
    Legacy,
    LongStories,
}

/// The shapes by their numbers in wire.md 1.4, and the very old one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unified,
    Legacy,
    Flat,
    Skills,
    LongStories,
}

/// `GET /api/video/status?requestId=` (alias `runId`), wire.md 1.2.
pub async fn unified(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let id = call.asked("requestId").or_else(|| call.asked("runId"));
    let answer = status(&simulation, &call, id, Endpoint::Unified);
    answered(&simulation, answer)
}

/// `GET /api/generate-video/status?runId=&modelSlug=`; the second may be `model`, or absent
/// (seed 002, wire.md 6).
pub async fn legacy(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = status(&simulation, &call, call.asked("runId"), Endpoint::Legacy);
    answered(&simulation, answer)
}

/// `GET /api/v1/video/status?runId=&projectId=`: LongStories' very old one (wire.md 1.2).
pub async fn longstories(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = status(&simulation, &call, call.asked("runId"), Endpoint::LongStories);
    answered(&simulation, answer)
}

/// The caller's order, or 400, 404, 403. Own texts: the bodies are not published (wire.md 5).
pub fn owned<'a>(book: &'a Book, key: &str, id: Option<&str>) -> Result<&'a Order, Refusal> {
    let id = id.ok_or_else(|| Refusal::plain(400, "Missing requestId or runId"))?;
    let order = book.get(id).filter(|order| order.account.0 == Service::NanoGpt);
    let order = order.ok_or_else(|| Refusal::plain(404, "Video job not found"))?;
    if order.account.1 == key {
        Ok(order)
    } else {
        // "403 if the job is not yours" (wire.md 1.2).
        Err(Refusal::plain(403, "You do not have access to this video job"))
    }
}

fn status(simulation: &Simulation, call: &Call, id: Option<&str>, endpoint: Endpoint) -> Result<Response, Refusal> {
    let key = key(call)?;
    let now = simulation.clock.now();
    let world = simulation.world();
    let order = owned(&world.book, &key, id)?;
    if endpoint == Endpoint::LongStories && !order.model.starts_with("longstories") {
        return Err(Refusal::plain(404, "Project not found"));
    }
    let state = order.state(now);
    let steer = Steer::read(&order.prompt);
    let told = |name: &str, value: &str| world.variants.is(Service::NanoGpt, name, value);
    let shape = match (endpoint, world.variants.value(Service::NanoGpt, "status_shape").as_str()) {
        (Endpoint::LongStories, _) => Shape::LongStories,
        (_, "legacy") => Shape::Legacy,
        (_, "flat") => Shape::Flat,
        (_, "skills") => Shape::Skills,
        (Endpoint::Unified, _) if steer.flat => Shape::Flat,
        (Endpoint::Unified, _) => Shape::Unified,
        (Endpoint::Legacy, _) => Shape::Legacy,
    };
    let priced = !steer.no_cost && told("final_cost", "told");
    let report = Report { simulation, order, state, call, variants: &world.variants, priced };
    Ok(reply(200, &report.body(shape)))
}

struct Report<'a> {
    simulation: &'a Simulation,
    order: &'a Order,
    state: OrderState,
    call: &'a Call,
    variants: &'a Variants,
    priced: bool,
}

impl Report<'_> {
    fn body(&self, shape: Shape) -> Value {
        let id = &self.order.id;
        match shape {
            Shape::Unified => {
                let mut data = self.nested();
                data["requestId"] = json!(id);
                json!({"requestId": id, "model": self.order.model, "data": data})
            }
            // Inner id `request_id`, and nothing around it (seed 002).
            Shape::Legacy => {
                let mut data = self.nested();
                data["request_id"] = json!(id);
                json!({"data": data})
            }
            Shape::Flat => self.flat(),
            Shape::Skills => {
                let mut body = json!({"status": self.word()});
                if self.state == OrderState::Completed {
                    body["videoUrl"] = json!(results::link(self.simulation, self.order, 0, self.call, self.variants));
                }
                if self.state == OrderState::Failed {
                    body["error"] = self.failure();
                }
                body
            }
            Shape::LongStories => self.very_old(),
        }
    }

    /// The lower-case word.
    fn word(&self) -> &'static str {
        match self.state {
            OrderState::Queued => "queued",
            OrderState::Processing(_) => "processing",
            OrderState::Completed => "completed",
            OrderState::Failed => "failed",
        }
    }

    /// `data.error`: a text in the examples, an object in seed 003's prose.
    fn failure(&self) -> Value {
        let content = self.order.outcome == Outcome::FailsForContent;
        let (say, code) = match content {
            // Word for word (seed 002).
            true => ("Content policy violation", "CONTENT_POLICY_VIOLATION"),
            false => ("Video generation failed", "GENERATION_FAILED"),
        };
        if self.variants.is(Service::NanoGpt, "error_shape", "object") {
            return json!({"message": say, "type": code});
        }
        json!(say)
    }

    fn nested(&self) -> Value {
        match self.state {
            OrderState::Queued => json!({"status": "IN_QUEUE"}),
            OrderState::Processing(_) => json!({"status": "IN_PROGRESS", "details": "Video is being generated"}),
            OrderState::Completed => {
                let mut data = results::located(self.simulation, self.order, self.call, self.variants);
                data["status"] = json!("COMPLETED");
                if self.priced {
                    data["cost"] = number(self.order.price);
                }
                data
            }
            OrderState::Failed => {
                let content = self.order.outcome == Outcome::FailsForContent;
                let friendly = match content {
                    true => "Content flagged as inappropriate. Please modify your prompt and try again.",
                    false => "The video could not be generated. You were not charged.",
                };
                json!({
                    "status": "FAILED", "error": self.failure(),
                    "isNSFWError": content, "userFriendlyError": friendly,
                })
            }
        }
    }

    /// The flat lower-case shape of the OpenAPI block: every key is there (wire.md 1.4, shape 3).
    fn flat(&self) -> Value {
        let progress = match self.state {
            OrderState::Processing(share) => (share * 100.0) as u64,
            OrderState::Completed => 100,
            _ => 0,
        };
        let done = self.state == OrderState::Completed;
        json!({
            "requestId": self.order.id,
            "status": self.word(),
            "progress": progress,
            "estimatedTimeRemaining": null,
            "videoUrl": done.then(|| results::link(self.simulation, self.order, 0, self.call, self.variants)),
            "error": (self.state == OrderState::Failed).then(|| self.failure()),
            "createdAt": iso(self.order.created),
            "completedAt": done.then(|| iso(self.order.ends)),
        })
    }

    fn very_old(&self) -> Value {
        let word = match self.state {
            OrderState::Queued => "PENDING",
            OrderState::Processing(_) => "PROCESSING",
            OrderState::Completed => "COMPLETED",
            OrderState::Failed => "FAILED",
        };
        let over = matches!(self.state, OrderState::Completed | OrderState::Failed);
        let done = self.state == OrderState::Completed;
        let output =
            done.then(|| json!({"url": results::link(self.simulation, self.order, 0, self.call, self.variants)}));
        json!({"status": word, "data": {"isCompleted": over, "isSuccess": done, "output": output}})
    }
}
