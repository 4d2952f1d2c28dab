//! What a run is made of: an account at one service, and its models.
//!
//! Knows settings. Must not know what goes wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::json;

use super::cells::Wire;
use crate::catalog::Catalog;
use crate::domain::{AccountProfile, Caps, Currency, Job, Model, Money};
use crate::engine::core::{Account, Core, CoreSettings, Step};
use crate::provider::limits::documented;
use crate::store::Trial;

/// The one account.
pub(super) const ACCOUNT: &str = "n";

/// What a clip of unknown price may cost.
pub(super) const CEILING: i64 = 5;

fn models(wire: Wire) -> Vec<Model> {
    let (service, quota) = (wire.service(), wire == Wire::A4f);
    let plain = if quota { json!({"plan": {}}) } else { json!({"per_clip": {"amount": "3.00"}}) };
    let model = |id: &str, shape: serde_json::Value| {
        let price = json!({"shape": shape, "as_of": "2026-08-21", "source": "000"});
        json!({"id": id, "service": service, "prompt_max": 4000, "source": "000", "price": price})
    };
    let all = [model("plain", plain.clone()), model("odd", if quota { plain } else { json!({"unknown": {}}) })];
    all.into_iter().map(|model| serde_json::from_value(model).expect("the model stands above")).collect()
}

/// A start of the program over what is on disk.
pub(super) fn core(wire: Wire, cap: Decimal, other_key: bool, disk: &Trial, now: Timestamp) -> (Core, Step) {
    let mut account = Account::new(ACCOUNT.into(), wire.service(), 0, documented(wire.service()));
    account.origin = "https://n.example".into();
    account.fingerprint = if other_key { "g" } else { "f" }.into();
    account.max_in_flight = 3;
    account.generation = generation(wire);
    let settings = CoreSettings {
        caps: Caps { day: Some(Money::usd(cap)), ..Caps::default() },
        model_caps: BTreeMap::new(),
        zone: jiff::tz::TimeZone::UTC,
        simulated: false,
        times_faster: 1,
        online: true,
        salt: vec![7; 32],
    };
    let loaded = disk.load().expect("what is in memory can be read");
    Core::start(settings, vec![account], Catalog::made_of(models(wire)), loaded, now)
}

fn generation(wire: Wire) -> Option<String> {
    match wire {
        Wire::NinjachatOld => Some("old".to_owned()),
        Wire::NinjachatNew => Some("new".to_owned()),
        _ => None,
    }
}

/// What a probe finds.
pub(super) fn profile(wire: Wire) -> AccountProfile {
    let (origin, generation) = ("https://n.example".to_owned(), generation(wire));
    AccountProfile { origin, generation, by_balance: wire == Wire::NinjachatOld, ..AccountProfile::default() }
}

/// What an order of a job costs, where its service takes what it says.
pub(super) fn price(wire: Wire, job: &Job) -> Money {
    match wire {
        Wire::A4f => Money::new(Decimal::ONE, Currency::Quota),
        _ if job.request.model == "odd" => Money::usd(Decimal::new(250, 2)),
        _ => Money::usd(Decimal::from(3)),
    }
}
