//! Older lists: `GET /api/models/video`, keyed by id (wire.md 1.2), and `GET /api/v1/models`, where
//! the documents send one for video models and only text models are.

use crate::sim::Simulation;
use crate::sim::call::{Call, reply};
use crate::sim::nanogpt::bill;
use crate::sim::nanogpt::making::Making;
use crate::sim::nanogpt::media::Media;
use crate::sim::nanogpt::models::{Model, models};
use crate::sim::service::Service;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `{models:{video:{<id>:{name,description,cost,dateAdded,additionalParams,defaultSettings,subscription}}}}`.
pub async fn video(State(simulation): State<Arc<Simulation>>) -> Response {
    let moved = simulation.world().variants.is(Service::NanoGpt, "catalogue", "moved");
    let shown = models(moved).iter().filter(|model| !model.hidden);
    let rows = shown.map(|model| (model.id.clone(), row(model)));
    reply(200, &json!({"models": {"video": rows.collect::<Map<_, _>>()}}))
}

fn row(model: &Model) -> Value {
    let mut params = Map::new();
    let mut settings = Map::new();
    for (name, parameter) in model.parameters() {
        if let Some(usual) = &parameter.default {
            settings.insert(name.to_owned(), json!(usual));
        }
        let options: Vec<Value> =
            parameter.options.iter().map(|option| json!({"value": option, "label": option})).collect();
        params.insert(name.to_owned(), json!({"type": parameter.kind, "options": options}));
    }
    // What an order with nothing but its needs costs.
    let media = Media::default();
    let price = bill::price(model, &Making::read(&Value::Null, model, &media), &media);
    json!({
        "name": model.name,
        "description": format!("{}, simulated.", model.name),
        "cost": crate::sim::call::number(price),
        "dateAdded": "2026-01-15T00:00:00.000Z",
        "additionalParams": params,
        "defaultSettings": settings,
        "subscription": {"included": false},
    })
}

/// Text models only, whatever seed 003 says (wire.md 1.2).
pub async fn text(call: Call) -> Response {
    let entry = |(id, name, prompt, completion): (&str, &str, f64, f64)| {
        let mut entry = json!({"id": id, "object": "model", "created": 1_767_225_600, "owned_by": "organization"});
        if call.asked("detailed") == Some("true") {
            entry["name"] = json!(name);
            entry["context_length"] = json!(128_000);
            entry["pricing"] =
                json!({"prompt": prompt, "completion": completion, "currency": "USD", "unit": "per_million_tokens"});
        }
        entry
    };
    let data: Vec<Value> =
        [("openai/gpt-4.1-mini", "GPT-4.1 mini", 0.4, 1.6), ("deepseek/deepseek-v3.2", "DeepSeek V3.2", 0.25, 0.4)]
            .into_iter()
            .map(entry)
            .collect();
    reply(200, &json!({"object": "list", "data": data}))
}
