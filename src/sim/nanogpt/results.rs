//! Where a finished clip's link is: every place of wire.md 1.4.

use crate::sim::call::Call;
use crate::sim::nanogpt::models::model;
use crate::sim::orders::Order;
use crate::sim::service::Service;
use crate::sim::variants::Variants;
use crate::sim::{Simulation, links};
use serde_json::{Value, json};

/// The link of one clip: absolute at a CDN, or relative to the API, behind the key and a redirect,
/// as Grok's are (wire.md 1.4).
pub fn link(simulation: &Simulation, order: &Order, clip: usize, call: &Call, variants: &Variants) -> String {
    let own = model(&order.model, false).is_some_and(|model| model.relative);
    let relative = match variants.value(Service::NanoGpt, "result").as_str() {
        "documented" => own,
        "relative" => true,
        _ => false,
    };
    if relative {
        let number = if clip > 0 { format!("&index={clip}") } else { String::new() };
        let (model, run) = (&order.model, &order.id);
        return format!("/api/generate-video/content?model={model}&runId={run}&variant=video{number}");
    }
    let token = order.links.get(clip).map_or("", String::as_str);
    links::link(simulation, variants, Service::NanoGpt, &format!("{}/storage", call.base), token)
}

/// The fields of `data` that say where the clips are.
pub fn located(simulation: &Simulation, order: &Order, call: &Call, variants: &Variants) -> Value {
    let all: Vec<String> = (0..order.links.len()).map(|clip| link(simulation, order, clip, call, variants)).collect();
    let objects: Vec<Value> = all.iter().map(|link| json!({"url": link})).collect();
    let first = &all[0];
    match variants.value(Service::NanoGpt, "result").as_str() {
        "url" => json!({"output": {"video": {"url": first}}}),
        "output_url" => json!({"output": {"url": first}}),
        "array" => json!({"output": {"video": objects}}),
        "video_urls" => json!({"output": {"videoUrls": all}}),
        "videoUrl" => json!({"videoUrl": first}),
        "video_url" => json!({"video_url": first}),
        "string" => json!({"output": first}),
        // One under `video.url`, Midjourney's four as a list.
        _ => match objects.as_slice() {
            [only] => json!({"output": {"video": only}}),
            _ => json!({"output": {"video": objects}}),
        },
    }
}
