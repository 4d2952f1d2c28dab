//! Midjourney's extend: a task and one of its four videos (wire.md 1.2, seed 003). Other extends
//! are orders with a source video.

use crate::sim::Simulation;
use crate::sim::call::{Call, reply};
use crate::sim::clock::SECOND;
use crate::sim::nanogpt::making::Making;
use crate::sim::nanogpt::media::Media;
use crate::sim::nanogpt::models::model;
use crate::sim::nanogpt::order::Reading;
use crate::sim::nanogpt::refusals::{Refusal, too_large};
use crate::sim::nanogpt::status::owned;
use crate::sim::nanogpt::submit::{Body, id_form, new_order, within_day};
use crate::sim::nanogpt::{Numbered, answered, bill, key, taken, within_rate};
use crate::sim::orders::{NewOrder, State as OrderState};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Extends a minute and address (wire.md 1.7).
const EXTENDS: usize = 20;
/// Media this flow does not take (seed 003).
const FOREIGN: [&str; 4] = ["video", "videoUrl", "videoDataUrl", "videoAttachmentId"];

/// `POST /api/generate-video/extend`.
pub async fn extend(
    State(simulation): State<Arc<Simulation>>,
    Extension(Numbered(id)): Extension<Numbered>,
    call: Call,
    body: Body,
) -> Response {
    let Ok(body) = body else {
        return too_large(&simulation.world().variants);
    };
    let answer = accept(&simulation, &call, &id, &body);
    answered(&simulation, answer)
}

fn accept(simulation: &Simulation, call: &Call, id: &str, body: &[u8]) -> Result<Response, Refusal> {
    let name = format!("nanogpt extend {}", call.peer);
    taken(simulation, &name, EXTENDS, 60 * SECOND, Refusal::plain(429, "Rate limit exceeded."))?;
    let key = key(call)?;
    within_rate(simulation, &key)?;
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::plain(400, "Invalid JSON in request body"))?;
    if let Some(name) = FOREIGN.into_iter().find(|name| !body[*name].is_null()) {
        return Err(Refusal::parameter(name, &format!("{name} is not accepted here.")));
    }
    // `runId` is preferred, `taskId` its older name; the schema asks for the latter (wire.md 6).
    let task = ["runId", "taskId"].into_iter().find_map(|name| body[name].as_str());
    let index = match &body["index"] {
        Value::Null => return Err(Refusal::parameter("index", "index is required")),
        index => index.as_u64().filter(|index| *index <= 3),
    };
    let index = index.ok_or_else(|| Refusal::parameter("index", "index must be an integer from 0 to 3"))?;
    let (source, frame) = {
        let world = simulation.world();
        let order = owned(&world.book, &key, task)?;
        let clips = order.links.len() as u64;
        if !order.model.starts_with("midjourney-video") || index >= clips {
            return Err(Refusal::plain(400, "Only Midjourney videos can be extended here."));
        }
        if order.state(simulation.clock.now()) != OrderState::Completed {
            return Err(Refusal::plain(400, "The video is not finished yet."));
        }
        (order.clone(), order.shot(index as usize))
    };
    let model = model("midjourney-video", false).ok_or_else(|| Refusal::plain(404, "Model not found"))?;
    let media = Media { image: true, ..Media::default() };
    let making = Making { aspect: frame.aspect.clone(), ..Making::read(&body, model, &media) };
    let price = bill::price(model, &making, &media);
    within_day(simulation, &key, price)?;
    let reading = Reading { id: source.model.clone(), model, prompt: source.prompt.clone(), media, making, price };
    let mut trace = call.trace(&body);
    trace.x_request_id = Some(id.to_owned());
    let new = new_order(simulation, &key, &reading, body, trace);
    let mut world = simulation.world();
    let world = &mut *world;
    // One video is extended, one comes.
    let new = NewOrder { id: id_form(&world.variants), clips: 1, ..new };
    let price = new.price;
    let accepted = world.book.accept(&mut world.bank, simulation.options.seed, simulation.clock.now(), new);
    let (order, _) = accepted.map_err(|_| Refusal::too_dear(price))?;
    // Charged, though no cost is told (wire.md 1.3).
    Ok(reply(
        202,
        &json!({
            "success": true,
            "runId": order.id,
            "id": order.id,
            "taskId": order.id,
            "status": "pending",
            "model": order.model,
            "message": format!("Extending video {} by 5 seconds...", index + 1),
            "eta": 60,
        }),
    ))
}
