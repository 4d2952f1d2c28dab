//! A4F's model list and its usage, which is all there is of a balance (wire.md 3.1 and 3.5).

use crate::sim::Simulation;
use crate::sim::a4f::{key, new_day};
use crate::sim::a4f_rules::{Listing, Plan, offered};
use crate::sim::bank::QUOTA;
use crate::sim::call::{Call, reply};
use crate::sim::clock::{SECOND, day, iso, until_midnight};
use crate::sim::orders::{Order, State as OrderState};
use crate::sim::service::Service;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Models of other kinds, as the list has all there are (own ids): type and id.
const OTHERS: [(&str, &str); 2] =
    [("chat/completion", "provider-1/some-chat"), ("image/generation", "provider-1/some-image")];

/// `GET` or `POST /v1/models?plan=&type=` (wire.md 3.1). Bare keys such as `?features` widen the
/// entries.
pub async fn models(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let older = simulation.world().variants.is(Service::A4f, "models", "older");
    let plan = call.asked("plan").map(Plan::named);
    let of_plan = |plans: &[Plan]| plan.is_none_or(|plan| plan.is_some_and(|plan| plans.contains(&plan)));
    let videos = offered(older).filter(|model| of_plan(model.plans)).map(|model| entry(&call, &model));
    let others = OTHERS.iter().filter(|_| of_plan(&Plan::ALL)).map(|(kind, id)| other(&call, kind, id));
    let wanted = call.asked("type");
    let data: Vec<Value> =
        videos.chain(others).filter(|entry| wanted.is_none_or(|wanted| entry["type"] == wanted)).collect();
    reply(200, &json!({"object": "list", "data": data}))
}

fn entry(call: &Call, model: &Listing) -> Value {
    let mut entry = other(call, "video/generation", model.id);
    entry["owned_by"] = json!(model.maker);
    if call.query.contains_key("features") {
        entry["features"] = json!(["text-to-video"]);
    }
    entry
}

fn other(call: &Call, kind: &str, id: &str) -> Value {
    let mut entry = json!({
        "id": id, "base_model": id.rsplit('/').next(), "owned_by": "simulator", "type": kind, "object": "model",
    });
    // Calls count against the plan, so there is no price, and a video has no context (own).
    for key in ["pricing", "context_window", "features", "max_tokens", "logo"] {
        if call.query.contains_key(key) {
            entry[key] = Value::Null;
        }
    }
    entry
}

/// `GET /v1/usage?section=a,b` (wire.md 3.5). It returns the full key, as the service does. Which
/// of the names known for a field it uses is the variant `usage`.
pub async fn usage(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    let key = match key(&call) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let plan = Plan::of(&key);
    let now = simulation.clock.now();
    let mut world = simulation.world();
    new_day(world.bank.account(Service::A4f, &key, QUOTA), now);
    let mut by_model: Map<String, Value> = Map::new();
    let done = |order: &Order| u64::from(order.state(now) == OrderState::Completed);
    for model in offered(true) {
        let mine = || world.book.of_key(Service::A4f, &key).filter(|order| order.model == model.id);
        if let Some(last) = mine().next() {
            let row = json!({
                "total_requests": mine().count(),
                "successful_requests": mine().map(done).sum::<u64>(),
                "token_cost_usd": 0,
                "last_used": iso(last.created),
            });
            by_model.insert(model.id.to_owned(), row);
        }
    }
    let total = world.book.of_key(Service::A4f, &key).count();
    let today = world.book.of_key(Service::A4f, &key).filter(|o| day(o.created) == day(now)).count();
    let names = Names::of(&world.variants.value(Service::A4f, "usage"));
    let activated = iso(now - 5 * 86_400 * SECOND);
    let (minute, per_day) = (simulation.clock.in_real_time(plan.per_minute()), plan.per_day());
    let limits = match names.limits {
        "rate_limits" => json!({"rpm": minute, "rpd": per_day}),
        _ => json!({"requests_per_minute_limit": minute, "requests_per_day_limit": per_day}),
    };
    let mut body = json!({
        "account_information": {
            "username": "simulator", names.plan: plan.name(), "is_enabled": true, "api_key": key,
            "node_id": "U_simulator", "model_specific_usage": by_model,
        },
        "subscription_details": {
            "creation_date": activated, "total_validity_days": 30, names.days: 25,
            names.history: [{"plan": plan.name(), "activated_at": activated}],
        },
        "billing_information": {
            "payment_transactions": [], names.paid: 0, "cumulative_token_cost_usd": 0,
        },
        names.limits: limits,
        "usage_statistics": {
            "total_requests": total, "requests_today": today, "seconds_to_reset": until_midnight(now) / SECOND,
        },
    });
    if let (Some(sections), Some(all)) = (call.asked("section"), body.as_object_mut()) {
        all.retain(|name, _| sections.split(',').any(|section| section.trim() == name));
    }
    reply(200, &body)
}

/// The names on which the reference, the settings screen and the limits page differ.
struct Names {
    plan: &'static str,
    days: &'static str,
    history: &'static str,
    paid: &'static str,
    limits: &'static str,
}

impl Names {
    fn of(word: &str) -> Self {
        let docs = Self {
            plan: "current_plan",
            days: "remaining_days",
            history: "timeline_history",
            paid: "total_paid",
            limits: "rate_limits_and_restrictions",
        };
        match word {
            "settings" => Self {
                plan: "plan",
                days: "effective_days_remaining",
                history: "plan_activation_history",
                paid: "total_amount_paid_usd",
                ..docs
            },
            "limits" => Self { limits: "rate_limits", ..docs },
            _ => docs,
        }
    }
}
