//! `/_sim`: the simulator's own routes, for tests and the curious. No service has them.

use crate::sim::bank::{QUOTA, USD, XNO};
use crate::sim::call::{Asked, Call, reply};
use crate::sim::faults::Fault;
use crate::sim::place::place;
use crate::sim::service::{Service, mask};
use crate::sim::{Simulation, a4f_rules, nanogpt, ninjachat_host};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The admin routes.
pub fn routes() -> Router<Arc<Simulation>> {
    Router::new()
        .route("/_sim", get(help))
        .route("/_sim/orders", get(orders))
        .route("/_sim/bank", get(bank))
        .route("/_sim/requests", get(requests))
        .route("/_sim/deposit", post(deposit))
        .route("/_sim/faults", get(faults).post(order_fault).delete(clear_faults))
        .route("/_sim/variants", get(variants).post(set_variant).delete(reset_variants))
}

async fn help() -> &'static str {
    crate::sim::help()
}

async fn orders(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let service = call.asked("service").and_then(Service::named);
    let rows = simulation.world().book.rows(service, simulation.clock.now());
    reply(200, &rows)
}

async fn bank(State(simulation): State<Arc<Simulation>>) -> Response {
    let statement = simulation.world().bank.statement();
    reply(200, &statement)
}

async fn requests(State(simulation): State<Arc<Simulation>>) -> Response {
    let report = simulation.world().requests.report();
    reply(200, &report)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deposit {
    service: String,
    key: Option<String>,
    amount: String,
    currency: Option<String>,
}

async fn deposit(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Response {
    let asked: Deposit = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return reply(400, &json!({"error": error.to_string()})),
    };
    let Some(service) = Service::named(&asked.service) else {
        return reply(400, &json!({"error": format!("no service {}", asked.service)}));
    };
    let Ok(amount) = asked.amount.parse::<Decimal>() else {
        return reply(400, &json!({"error": "amount is a decimal in a string"}));
    };
    let currency = match (service, asked.currency.as_deref()) {
        (Service::A4f, None | Some(QUOTA)) => QUOTA,
        (Service::NanoGpt, Some(XNO)) => XNO,
        (Service::NinjaChat | Service::NanoGpt, None | Some(USD)) => USD,
        _ => return reply(400, &json!({"error": "that service has no such currency"})),
    };
    let key = asked.key.unwrap_or_else(|| service.embedded_key().to_owned());
    let masked = mask(&key);
    let now = simulation.clock.now();
    let balance = simulation.world().bank.deposit(&(service, key, currency), amount, now);
    reply(200, &json!({"key": masked, "currency": currency, "balance": balance.to_string()}))
}

async fn faults(State(simulation): State<Arc<Simulation>>) -> Response {
    let waiting = json!(simulation.world().faults.waiting());
    reply(200, &waiting)
}

async fn order_fault(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) => {
            if let Some(name) = fault.service.as_deref().filter(|name| Service::named(name).is_none()) {
                return reply(400, &json!({"error": format!("no service {name}")}));
            }
            simulation.world().faults.order(fault);
            reply(200, &json!({"ok": true}))
        }
        Err(error) => reply(400, &json!({"error": error.to_string()})),
    }
}

async fn clear_faults(State(simulation): State<Arc<Simulation>>) -> Response {
    let cleared = simulation.world().faults.clear();
    reply(200, &json!({"cleared": cleared}))
}

async fn variants(State(simulation): State<Arc<Simulation>>) -> Response {
    let rows = simulation.world().variants.rows();
    reply(200, &rows)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    service: Option<String>,
    name: String,
    value: String,
}

async fn set_variant(State(simulation): State<Arc<Simulation>>, body: Bytes) -> Response {
    let set = serde_json::from_slice::<Switch>(&body).map_err(|error| error.to_string()).and_then(|asked| {
        let named = |name: &str| Service::named(name).ok_or_else(|| format!("no service {name}"));
        let service = asked.service.as_deref().map(named).transpose()?;
        simulation.world().variants.set(service, &asked.name, &asked.value)
    });
    match set {
        Ok(()) => reply(200, &json!({"ok": true})),
        Err(error) => reply(400, &json!({"error": error})),
    }
}

async fn reset_variants(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let service = call.asked("service").and_then(Service::named);
    let reset = simulation.world().variants.reset(service);
    reply(200, &json!({"reset": reset}))
}

/// 404 in the words of the service whose path it looks like.
pub async fn no_such_path(
    State(simulation): State<Arc<Simulation>>,
    Extension(Asked(uri)): Extension<Asked>,
) -> Response {
    let path = uri.path();
    match place(path).service {
        Some(Service::NinjaChat) => ninjachat_host::not_found(&simulation, path),
        Some(Service::NanoGpt) => nanogpt::no_such_path(),
        Some(Service::A4f) => a4f_rules::error(404, "not_found_error", "Not found", None),
        None => reply(404, &json!({"error": "not_found", "message": "Not found"})),
    }
}
