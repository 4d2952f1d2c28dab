//! A job as JSON, schema 1: what `list --json`, `show --json` and the sidecars say.
//!
//! Knows the field names that scripts rely on. Must not know who prints them.

use serde_json::{Value, json};

use super::job::Job;
use super::money::{Currency, Money};

/// The schema number in every record.
pub const SCHEMA: u32 = 1;

impl Job {
    /// The job as JSON. Amounts are exact JSON numbers; times are RFC 3339 in UTC; `file` and
    /// `sha256` repeat the first of `files`; `cost_usd` is null where the cost is not in dollars.
    pub fn record(&self) -> Value {
        let first = self.files.first();
        json!({
            "schema": SCHEMA,
            "id": self.id,
            "account": self.request.account,
            "model": self.request.model,
            "prompt": self.request.prompt,
            "revised_prompt": self.revised_prompt,
            "params": self.values,
            "state": self.state,
            "hold": self.hold.as_ref().map(super::job::Hold::text),
            "phase": self.phase,
            "progress": self.progress,
            "remote_id": self.remote_id,
            "estimate": self.estimate,
            "cost": self.cost,
            "cost_usd": self.cost.filter(|cost| cost.currency == Currency::Usd).map(amount),
            "refund": self.refund,
            "created_at": self.created_at,
            "submitted_at": self.submitted_at,
            "finished_at": self.finished_at,
            "files": self.files,
            "file": first.map(|file| &file.path),
            "sha256": first.map(|file| &file.sha256),
            "error": self.error,
            "tags": self.request.tags,
            "key": self.key,
            "parent": self.parent,
            "late": self.late,
            "simulated": self.simulated,
        })
    }
}

fn amount(money: Money) -> Value {
    money.amount.to_string().parse().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, Request};

    #[test]
    fn the_record_has_every_field_of_the_contract_with_exact_amounts() {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a river");
        let mut job = Job::new(JobId(7), request, "2026-11-20T10:00:00Z".parse().unwrap());
        job.cost = Some(Money::parse("$5.00", Currency::Usd).unwrap());
        let record = job.record();
        for field in "schema id account model prompt revised_prompt params state phase progress remote_id estimate cost cost_usd refund created_at submitted_at finished_at files file sha256 error tags parent late simulated".split(' ') {
            assert!(record.get(field).is_some(), "{field} is missing");
        }
        assert_eq!(record["cost_usd"].to_string(), "5.00");
        assert_eq!(record["cost"].to_string(), r#"{"amount":5.00,"currency":"USD"}"#);
        assert_eq!((record["id"].as_str(), record["created_at"].as_str()), (Some("j-7"), Some("2026-11-20T10:00:00Z")));
        job.cost = Some(Money::one_of_quota());
        assert!(job.record()["cost_usd"].is_null());
    }
}
