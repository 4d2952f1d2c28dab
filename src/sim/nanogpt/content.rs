//! The content proxy: with the key a redirect to presigned storage elsewhere, which wants no key
//! (wire.md 1.2, 1.4).

use crate::sim::call::{Call, with};
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::nanogpt::status::owned;
use crate::sim::nanogpt::{answered, key};
use crate::sim::orders::State as OrderState;
use crate::sim::service::Service;
use crate::sim::{Simulation, links};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// What presigned links carry. The simulator checks that it is there, nothing more.
const SIGNATURE: &str = "X-Amz-Signature";

/// `GET /api/generate-video/content?runId=&model=&variant=video|thumbnail|spritesheet`.
pub async fn content(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = redirect(&simulation, &call);
    answered(&simulation, answer)
}

fn redirect(simulation: &Simulation, call: &Call) -> Result<Response, Refusal> {
    let key = key(call)?;
    let world = simulation.world();
    let order = owned(&world.book, &key, call.asked("runId"))?;
    match call.asked("variant").unwrap_or("video") {
        "video" => {}
        // Own: the simulator draws none.
        "thumbnail" | "spritesheet" => return Err(Refusal::plain(404, "Video content not available")),
        _ => return Err(Refusal::parameter("variant", "variant must be video, thumbnail or spritesheet")),
    }
    // `index` is the simulator's own, for runs of several clips.
    let clip: usize = call.asked("index").and_then(|index| index.parse().ok()).unwrap_or(0);
    let done = order.state(simulation.clock.now()) == OrderState::Completed;
    let Some(token) = order.links.get(clip).filter(|_| done) else {
        return Err(Refusal::plain(404, "Video content not available"));
    };
    let folder = format!("{}/r2", elsewhere(&call.base));
    let link = links::link(simulation, &world.variants, Service::NanoGpt, &folder, token);
    let sign = if link.contains('?') { '&' } else { '?' };
    let link = format!("{link}{sign}{SIGNATURE}={}", &token[..8]);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    Ok(with(response, "location", &link))
}

/// The same place under loopback's other name: another origin for whoever holds a key.
fn elsewhere(base: &str) -> String {
    match base.strip_prefix("http://127.0.0.1") {
        Some(rest) => format!("http://localhost{rest}"),
        None => base.replacen("http://localhost", "http://127.0.0.1", 1),
    }
}

/// Storage takes one kind of proof: a key beside the signature is refused, as S3 does it.
pub async fn signed(request: Request, next: Next) -> Response {
    let keyed = ["x-api-key", "authorization"].into_iter().any(|name| request.headers().contains_key(name));
    let signed = request.uri().query().is_some_and(|query| query.contains(SIGNATURE));
    let (status, code, say) = match (keyed, signed) {
        (false, true) => return next.run(request).await,
        (true, _) => (400, "InvalidArgument", "Only one auth mechanism allowed"),
        (false, false) => (403, "AccessDenied", "Access Denied"),
    };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{say}</Message></Error>\n"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    with(response, "content-type", "application/xml")
}
