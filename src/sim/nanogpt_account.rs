//! NanoGPT's balance and the charge of one request (wire.md 1.5, 1.2, 6).

use crate::sim::Simulation;
use crate::sim::bank::{USD, XNO};
use crate::sim::call::{Call, reply, with};
use crate::sim::clock::{SECOND, iso};
use crate::sim::nanogpt::{key, within_rate};
use crate::sim::service::Service;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `POST /api/check-balance`: texts with eight decimals (wire.md 1.5).
pub async fn balance(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call).and_then(|key| within_rate(&simulation, &key).map(|()| key)) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let mut world = simulation.world();
    let usd = world.bank.account(Service::NanoGpt, &key, USD).balance;
    let nano = world.bank.account(Service::NanoGpt, &key, XNO).balance;
    reply(
        200,
        &json!({
            "usd_balance": format!("{usd:.8}"),
            "nano_balance": format!("{nano:.8}"),
            "nanoDepositAddress": "nano_1simu1ator1111111111111111111111111111111111111111111111111",
        }),
    )
}

/// `GET /api/v1/usage/requests/{X-Request-ID}`: the exact charge for 24 h; 404 is never free, and
/// two charges under one id are 409 (wire.md 1.2 and 6). Refunds do not change it.
pub async fn request_billing(
    State(simulation): State<Arc<Simulation>>,
    Path(id): Path<String>,
    call: Call,
) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let now = simulation.clock.now();
    let day = 86_400 * SECOND;
    let world = simulation.world();
    let mut matching = world
        .book
        .of_key(Service::NanoGpt, &key)
        .filter(|order| order.trace.x_request_id.as_deref() == Some(&id) && now - order.created < day);
    let error = |code: &str, message: &str| json!({"error": {"code": code, "message": message}});
    let (Some(order), next) = (matching.next(), matching.next()) else {
        let body = error("request_not_found", "No eligible charge was found for this request.");
        return with(reply(404, &body), "retry-after", "30");
    };
    if next.is_some() {
        let body = error("ambiguous_request_id", "More than one charge matches this request.");
        return reply(409, &body);
    }
    reply(
        200,
        &json!({
            "object": "request_billing",
            "request_id": id,
            "created_at": iso(order.created),
            "expires_at": iso(order.created + day),
            "as_of": iso(now),
            "cost": format!("{:.8}", order.price),
            "currency": order.account.2,
            "cost_scope": "primary_charge",
            "usage": {"input_tokens": null, "output_tokens": null, "reasoning_tokens": null},
        }),
    )
}
