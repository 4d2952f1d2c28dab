//! NinjaChat's new generation: balance, usage, the trace of a request, and the estimate that has
//! no videos (wire.md 2.2). Knows no model.

use crate::sim::Simulation;
use crate::sim::bank::USD;
use crate::sim::call::{Call, number, reply};
use crate::sim::clock::{SECOND, day, iso};
use crate::sim::ninjachat_host::RequestId;
use crate::sim::ninjachat_new::{is_ours, key, within_rate};
use crate::sim::ninjachat_new_rules::error;
use crate::sim::ninjachat_rules::dollars;
use crate::sim::orders::Order;
use crate::sim::service::Service;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn cents(amount: Decimal) -> Value {
    number(amount * Decimal::from(100))
}

/// A key that may call now.
fn caller(simulation: &Simulation, call: &Call) -> Result<String, Response> {
    let key = key(call)?;
    within_rate(simulation, &key)?;
    Ok(key)
}

/// `GET /api/v1/balance`.
pub async fn balance(
    State(simulation): State<Arc<Simulation>>,
    Extension(RequestId(id)): Extension<RequestId>,
    call: Call,
) -> Response {
    let key = match caller(&simulation, &call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let balance = simulation.world().bank.account(Service::NinjaChat, &key, USD).balance;
    let body = json!({
        "object": "balance", "balance_cents": cents(balance), "balance": dollars(balance),
        "currency": "usd", "request_id": id,
    });
    reply(200, &body)
}

/// Requests and what they cost.
#[derive(Default)]
struct Sum {
    requests: u64,
    cost: Decimal,
}

impl Sum {
    fn add(&mut self, order: &Order) {
        self.requests += 1;
        self.cost += order.price;
    }
}

/// `GET /api/v1/usage?period=1d|7d|30d`: what was ordered here, refunds not counted back (own).
pub async fn usage(
    State(simulation): State<Arc<Simulation>>,
    Extension(RequestId(id)): Extension<RequestId>,
    call: Call,
) -> Response {
    let key = match caller(&simulation, &call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let period = call.asked("period").unwrap_or("7d");
    let days = match period {
        "1d" => 1,
        "7d" => 7,
        "30d" => 30,
        _ => return error(400, "invalid_request", "period must be one of 1d, 7d, 30d.", Some("period")),
    };
    let now = simulation.clock.now();
    let since = now - days * 86_400 * SECOND;
    let world = simulation.world();
    let mut total = Sum::default();
    let mut by_day: BTreeMap<i64, Sum> = BTreeMap::new();
    let mut by_model: BTreeMap<&str, Sum> = BTreeMap::new();
    for order in world.book.of_key(Service::NinjaChat, &key).take_while(|order| order.created >= since) {
        total.add(order);
        by_day.entry(day(order.created)).or_default().add(order);
        by_model.entry(&order.model).or_default().add(order);
    }
    let daily: Vec<Value> = by_day
        .into_iter()
        .map(|(day, sum)| {
            let date: String = iso(day * 86_400 * SECOND).chars().take(10).collect();
            json!({"date": date, "requests": sum.requests, "cost_cents": cents(sum.cost)})
        })
        .collect();
    let models: Vec<Value> = by_model
        .into_iter()
        .map(|(model, sum)| {
            json!({"model": model, "requests": sum.requests, "cost_cents": cents(sum.cost), "avg_latency_ms": 900})
        })
        .collect();
    let body = json!({
        "period": period,
        "total_requests": total.requests,
        "total_cost_cents": cents(total.cost),
        "total_cost": dollars(total.cost),
        "daily": daily,
        "by_model": models,
        "by_endpoint": [{"endpoint": "/videos", "requests": total.requests}],
        "request_id": id,
    });
    reply(200, &body)
}

/// `GET /api/v1/requests/{id}`: the record of a submit (wire.md 2.2). Own: others have none.
pub async fn request(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>, call: Call) -> Response {
    let key = match caller(&simulation, &call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let world = simulation.world();
    let mut orders = world.book.of_key(Service::NinjaChat, &key).filter(|order| is_ours(order));
    let switch = world.variants.value(Service::NinjaChat, "requests");
    let (absent, any) = (switch == "absent", switch == "others");
    let asked = |order: &&Order| !absent && (any || order.trace.x_request_id.as_deref() == Some(&id));
    let Some(order) = orders.find(asked) else {
        return error(404, "request_not_found", "Request not found.", None);
    };
    let body = json!({
        "object": "request", "request_id": order.trace.x_request_id, "timestamp": iso(order.created), "endpoint": "/videos",
        "model_requested": order.model, "model": order.model, "provider": "simulator",
        "tokens": {"input": null, "output": null, "reasoning": null, "cached": null, "cache_write": null},
        "cost_cents": cents(order.price), "metered_cost_cents": null, "latency_ms": 900, "ttfb_ms": null,
        "status_code": 200, "retries": 0, "error_code": null, "routing": null,
    });
    reply(200, &body)
}

/// `POST /api/v1/estimate` is for chat; a video model has no estimate.
pub async fn estimate(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    match caller(&simulation, &call) {
        Ok(_) => error(400, "unsupported_model", "Estimates are for chat models.", Some("model")),
        Err(refusal) => refusal,
    }
}
