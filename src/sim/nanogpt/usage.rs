//! What a key has spent: of one request, and of a range of days (wire.md 1.2, 6; vendor's usage and
//! request-billing pages).

use crate::sim::Simulation;
use crate::sim::bank::XNO;
use crate::sim::call::{Call, number, reply, with};
use crate::sim::clock::{Moment, SECOND, iso};
use crate::sim::nanogpt::refusals::Refusal;
use crate::sim::nanogpt::{answered, key, taken};
use crate::sim::orders::{Order, Outcome};
use crate::sim::service::Service;
use crate::sim::variants::Variants;
use axum::extract::{Path, State};
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Simulated milliseconds of a day.
const DAY: i64 = 86_400 * SECOND;
/// Look-ups of a request a minute and key.
const LOOKUPS: usize = 60;
/// Days a range may span.
const MOST_DAYS: i64 = 366;

/// `GET /api/v1/usage/requests/{X-Request-ID}`: the exact charge for 24 h; 404 is never free, and
/// two charges under one id are 409. Refunds do not change it.
pub async fn of_request(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>, call: Call) -> Response {
    let answer = charge(&simulation, &id, &call);
    with(answered(&simulation, answer), "cache-control", "private, no-store, max-age=0")
}

/// Whether a charge can be seen by now (switch `usage`).
fn recorded(order: &Order, variants: &Variants, now: Moment) -> bool {
    match variants.value(Service::NanoGpt, "usage").as_str() {
        "absent" => false,
        "lagging" => now - order.created >= variants.number(Service::NanoGpt, "lag_seconds") as i64 * SECOND,
        _ => true,
    }
}

fn charge(simulation: &Simulation, id: &str, call: &Call) -> Result<Response, Refusal> {
    let both = call.header("x-api-key").zip(call.bearer());
    if both.is_some_and(|(one, other)| one != other) {
        return Err(Refusal::coded(400, "conflicting_credentials", "Conflicting credentials."));
    }
    if !call.query.is_empty() {
        return Err(Refusal::coded(400, "invalid_parameter_value", "No query parameters are accepted."));
    }
    let key = key(call)?;
    let slow = Refusal::coded(429, "rate_limit_exceeded", "Too many billing lookups.");
    taken(simulation, &format!("nanogpt lookup {key}"), LOOKUPS, 60 * SECOND, slow)?;
    let now = simulation.clock.now();
    let world = simulation.world();
    let switch = world.variants.value(Service::NanoGpt, "usage");
    // The newest, whatever is asked for.
    let any = matches!(switch.as_str(), "others" | "nameless");
    let asked = |order: &&Order| any || order.trace.x_request_id.as_deref() == Some(id);
    let orders = world.book.of_key(Service::NanoGpt, &key).filter(|order| now - order.created < DAY);
    let mut matching =
        orders.filter(asked).filter(|order| recorded(order, &world.variants, now)).take(if any { 1 } else { 2 });
    let (Some(order), next) = (matching.next(), matching.next()) else {
        let say = "No eligible charge was found for this request.";
        return Err(Refusal::coded(404, "request_not_found", say).after(30));
    };
    if next.is_some() {
        return Err(Refusal::coded(409, "ambiguous_request_id", "More than one charge matches this request."));
    }
    let own = order.trace.x_request_id.as_deref().filter(|_| any).unwrap_or(id);
    Ok(reply(
        200,
        &json!({
            "object": "request_billing",
            (if switch == "nameless" { "record" } else { "request_id" }): own,
            "created_at": iso(order.created),
            "expires_at": iso(order.created + DAY),
            "as_of": iso(now),
            "cost": format!("{:.8}", order.price),
            "currency": order.account.2,
            "cost_scope": "primary_charge",
            "usage": {"input_tokens": null, "output_tokens": null, "reasoning_tokens": null},
        }),
    ))
}

/// `GET /api/v1/usage?from&to&group_by`: sums of the last 30 UTC days, or of a range.
pub async fn of_key(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let answer = sums(&simulation, &call);
    answered(&simulation, answer)
}

/// What is counted in a sum.
#[derive(Debug, Default)]
struct Sum {
    requests: u64,
    cost: Decimal,
    refunded: Decimal,
}

impl Sum {
    fn add(&mut self, order: &Order, now: Moment) {
        // XNO at the simulator's own rate.
        let dollars = if order.account.2 == XNO { order.price * Decimal::new(80, 2) } else { order.price };
        self.requests += 1;
        self.cost += dollars;
        if order.outcome != Outcome::Completes && order.ends <= now && order.refundable {
            self.refunded += dollars;
        }
    }

    fn row(&self, names: &[(&str, &str)]) -> Value {
        let mut row = json!({
            "requests": self.requests,
            "costUsd": number(self.cost),
            "refundedUsd": number(self.refunded),
            "netCostUsd": number((self.cost - self.refunded).max(Decimal::ZERO)),
            "inputTokens": 0, "outputTokens": 0, "reasoningTokens": 0, "totalTokens": 0,
        });
        for (name, value) in names {
            row[*name] = json!(value);
        }
        row
    }
}

fn refused(name: &str, say: &str) -> Refusal {
    Refusal::parameter(name, say)
}

/// The first and the last day, as numbers of UTC days.
fn range(call: &Call, today: i64) -> Result<(i64, i64), Refusal> {
    let read = |name: &str| -> Result<Option<i64>, Refusal> {
        let Some(text) = call.asked(name) else { return Ok(None) };
        let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
        let start = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
        let start = start.ok_or_else(|| refused(name, "from and to must use YYYY-MM-DD UTC dates."))?;
        Ok(Some(start.timestamp().as_millisecond().div_euclid(DAY)))
    };
    match (read("from")?, read("to")?) {
        (None, None) => Ok((today - 29, today)),
        (Some(from), Some(to)) if to < from => Err(refused("to", "to must be on or after from.")),
        (Some(_), Some(to)) if to > today => Err(refused("to", "to cannot be in the future.")),
        (Some(from), Some(to)) if to - from >= MOST_DAYS => Err(refused("from", "Ranges are capped at 366 days.")),
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(refused("from", "from and to must be provided together.")),
    }
}

fn date(day: i64) -> String {
    iso(day * DAY).chars().take(10).collect()
}

fn sums(simulation: &Simulation, call: &Call) -> Result<Response, Refusal> {
    let key = key(call)?;
    let known = ["from", "to", "group_by", "scope", "api_key_id"];
    if let Some(name) = call.query.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(refused(name, &format!("Unsupported parameter: {name}")));
    }
    let (days, models) = match call.asked("group_by").unwrap_or("day,model") {
        "day" => (true, false),
        "model" => (false, true),
        "day,model" | "model,day" => (true, true),
        _ => return Err(refused("group_by", "group_by must be day, model or day,model.")),
    };
    let now = simulation.clock.now();
    let today = now.div_euclid(DAY);
    let (from, to) = range(call, today)?;
    let world = simulation.world();
    let mut total = Sum::default();
    let (mut by_day, mut by_model, mut by_both) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for order in world.book.of_key(Service::NanoGpt, &key) {
        let at = order.created.div_euclid(DAY);
        if at < from || at > to || !recorded(order, &world.variants, now) {
            continue;
        }
        let name = crate::sim::nanogpt::models::model(&order.model, false).map_or(&order.model, |model| &model.name);
        total.add(order, now);
        by_day.entry(at).or_insert_with(Sum::default).add(order, now);
        by_model.entry(name).or_insert_with(Sum::default).add(order, now);
        by_both.entry((at, name)).or_insert_with(Sum::default).add(order, now);
    }
    let group = match (days, models) {
        (true, true) => "day,model",
        (true, false) => "day",
        _ => "model",
    };
    let mut body = json!({
        "object": "usage",
        "scope": call.asked("scope").unwrap_or("current_key"),
        "apiKey": {"id": 1},
        "from": date(from),
        "to": date(to),
        "timezone": "UTC",
        "groupBy": group,
        "asOf": iso(now),
        "source": {"rollupDays": [], "liveDays": [date(today)], "missingRollupDays": []},
        "totals": total.row(&[]),
    });
    if days {
        body["byDay"] = by_day.iter().map(|(at, sum)| sum.row(&[("date", &date(*at))])).collect();
    }
    if models {
        body["byModel"] = by_model.iter().map(|(name, sum)| sum.row(&[("model", name)])).collect();
    }
    if days && models {
        let rows = by_both.iter().map(|((at, name), sum)| sum.row(&[("date", &date(*at)), ("model", name)]));
        body["byDayModel"] = rows.collect();
    }
    Ok(reply(200, &body))
}
