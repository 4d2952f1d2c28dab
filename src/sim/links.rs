//! The links that services hand out for clips: unsigned and kept for good, or signed and short
//! lived (variant `links`). How long real ones live is not known (wire.md 5); one host's are unsigned
//! and kept 7 days (wire.md 6). Knows no order.

use crate::sim::Simulation;
use crate::sim::call::Call;
use crate::sim::clock::{Moment, SECOND};
use crate::sim::service::{Service, letters, mix};
use crate::sim::variants::Variants;

/// `<folder>/<token>.mp4`, with an end and a signature where links expire. Made anew at each
/// poll, so that a fresh poll gives a fresh link.
pub fn link(simulation: &Simulation, variants: &Variants, service: Service, folder: &str, token: &str) -> String {
    let link = format!("{folder}/{token}.mp4");
    if !variants.is(service, "links", "expire") {
        return link;
    }
    let seconds = i64::try_from(variants.number(service, "link_seconds")).unwrap_or(0);
    let ends = simulation.clock.now().saturating_add(seconds * SECOND);
    format!("{link}?expires={ends}&signature={}", signature(simulation.options.seed, token, ends))
}

/// What a link answers instead of its clip, when links expire and this one has, or carries no
/// signature of ours.
pub fn dead(simulation: &Simulation, variants: &Variants, service: Service, call: &Call, token: &str) -> Option<u16> {
    if !variants.is(service, "links", "expire") {
        return None;
    }
    let ends = call.asked("expires").and_then(|ends| ends.parse::<Moment>().ok());
    let good = ends.is_some_and(|ends| {
        let signed = call.asked("signature") == Some(&signature(simulation.options.seed, token, ends));
        signed && simulation.clock.now() < ends
    });
    let status = u16::try_from(variants.number(service, "dead_link")).unwrap_or(403);
    (!good).then_some(status)
}

fn signature(seed: u64, token: &str, ends: Moment) -> String {
    let whole = token.bytes().fold(seed, |sum, byte| mix(sum, u64::from(byte)));
    letters(mix(whole, ends.unsigned_abs()), 20)
}
