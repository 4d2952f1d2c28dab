//! NanoGPT's balance (wire.md 1.5).

use crate::sim::Simulation;
use crate::sim::bank::{USD, XNO};
use crate::sim::call::{Call, reply};
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::nanogpt::{answered, key, within_rate};
use crate::sim::service::Service;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `POST /api/check-balance`: texts with eight decimals.
pub async fn balance(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = balances(&simulation, &call);
    answered(&simulation, answer)
}

fn balances(simulation: &Simulation, call: &Call) -> Result<Response, Refusal> {
    let key = key(call)?;
    within_rate(simulation, &key)?;
    let mut world = simulation.world();
    let usd = world.bank.account(Service::NanoGpt, &key, USD).balance;
    let nano = world.bank.account(Service::NanoGpt, &key, XNO).balance;
    Ok(reply(
        200,
        &json!({
            "usd_balance": format!("{usd:.8}"),
            "nano_balance": format!("{nano:.8}"),
            "nanoDepositAddress": "nano_1simu1ator1111111111111111111111111111111111111111111111111",
        }),
    ))
}
