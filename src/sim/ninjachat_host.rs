//! Which of NinjaChat's two APIs a host speaks (wire.md 2.1): `/ninjachat-new` the new one, the
//! others what the variant `generation` says. A path of the other API is 404 in the host's own
//! envelope: the vendor's SDK calls the new one a clean break. Knows no order.

use crate::sim::call::{bare, prefix, with};
use crate::sim::service::Service;
use crate::sim::{Simulation, ninjachat, ninjachat_new, ninjachat_new_rules, ninjachat_rules};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// The id of a request to the new API: the caller's own `X-Request-ID` (own: whether it is kept is
/// not known), or one made here.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Both APIs behind a gate. `alone`: not at the root, where two of the new paths are NanoGPT's.
pub fn routes(simulation: &Arc<Simulation>, alone: bool) -> Router<Arc<Simulation>> {
    let mut routes = ninjachat::routes().merge(ninjachat_new::routes());
    if alone {
        routes = routes.merge(ninjachat_new::shared_routes());
    }
    routes.layer(axum::middleware::from_fn_with_state(simulation.clone(), gate))
}

/// Whether the host under this path speaks the new API.
fn speaks_new(simulation: &Simulation, path: &str) -> bool {
    let fixed = prefix(path).is_some_and(|(prefix, _)| prefix == "ninjachat-new");
    fixed || simulation.world().variants.is(Service::NinjaChat, "generation", "new")
}

/// Whether a path is of the new API; nothing for clips, which both have.
fn is_new(path: &str) -> Option<bool> {
    match path {
        "/api/v1/video" | "/api/v1/video/status" | "/api/api-keys" => Some(false),
        _ => path.starts_with("/api/v1/").then_some(true),
    }
}

async fn gate(State(simulation): State<Arc<Simulation>>, mut request: Request, next: Next) -> Response {
    let asked = request.extensions().get::<crate::sim::call::Asked>();
    let path = asked.map_or_else(|| request.uri().path().to_owned(), |asked| asked.0.path().to_owned());
    let new = speaks_new(&simulation, &path);
    let Some(meant) = is_new(bare(&path)) else { return next.run(request).await };
    if meant != new {
        return not_found(&simulation, &path);
    }
    if !new {
        return next.run(request).await;
    }
    let own = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let own = own.filter(|id| !id.is_empty()).map(|id| id.chars().take(255).collect());
    let id = own.unwrap_or_else(fresh_id);
    request.extensions_mut().insert(RequestId(id.clone()));
    // Every answer carries it (wire.md 2.4).
    with(next.run(request).await, "x-request-id", &id)
}

fn fresh_id() -> String {
    format!("req_{}", uuid::Uuid::new_v4().simple())
}

/// 404 in the words of the API that the host speaks.
pub fn not_found(simulation: &Simulation, path: &str) -> Response {
    if speaks_new(simulation, path) {
        let answer = ninjachat_new_rules::error(404, "not_found", "Not found", None);
        with(answer, "x-request-id", &fresh_id())
    } else {
        ninjachat_rules::error(404, "not_found", "Not found")
    }
}
