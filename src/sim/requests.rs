//! What reached us: every request with its answer, for `GET /_sim/requests`. Holds no bodies and
//! no keys.

use crate::sim::clock::{Moment, iso};
use crate::sim::place::Place;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// The most rows kept; counts go on.
const KEPT: usize = 10_000;

/// One request.
#[derive(Debug)]
struct Row {
    number: u64,
    at: Moment,
    method: String,
    path: String,
    place: Place,
    x_request_id: Option<String>,
    idempotency_key: Option<String>,
    user_agent: Option<String>,
    status: Option<u16>,
    fault: Option<&'static str>,
}

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    rows: VecDeque<Row>,
    counts: BTreeMap<(&'static str, &'static str), u64>,
    total: u64,
}

impl Log {
    /// Notes that a request came; returns its number.
    pub fn came(&mut self, place: Place, request: &axum::extract::Request, at: Moment) -> u64 {
        self.total += 1;
        let service = place.service.map_or("none", |service| service.name());
        *self.counts.entry((service, place.route.name())).or_default() += 1;
        let header = |name: &str| {
            let value = request.headers().get(name)?.to_str().ok()?;
            Some(value.chars().take(255).collect())
        };
        self.rows.push_back(Row {
            number: self.total,
            at,
            method: request.method().to_string(),
            path: request.uri().to_string(),
            place,
            x_request_id: header("x-request-id"),
            idempotency_key: header("idempotency-key"),
            user_agent: header("user-agent"),
            status: None,
            fault: None,
        });
        while self.rows.len() > KEPT {
            self.rows.pop_front();
        }
        self.total
    }

    /// Notes how it was answered; a status that stays absent was never answered.
    pub fn answered(&mut self, number: u64, status: Option<u16>, fault: Option<&'static str>) {
        let first = self.rows.front().map_or(0, |row| row.number);
        let place = number.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(row) = place.and_then(|at| self.rows.get_mut(at)) {
            row.status = status.or(row.status);
            row.fault = fault.or(row.fault);
        }
    }

    /// Counts by service and route, and the last rows.
    pub fn report(&self) -> Value {
        let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for ((service, route), count) in &self.counts {
            counts.entry(service).or_default().insert(route, *count);
        }
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({"total": self.total, "counts": counts, "requests": rows})
    }
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "number": self.number,
            "at": iso(self.at),
            "method": self.method,
            "path": self.path,
            "service": self.place.service.map(|service| service.name()),
            "route": self.place.route.name(),
            "x_request_id": self.x_request_id,
            "idempotency_key": self.idempotency_key,
            "user_agent": self.user_agent,
            "status": self.status,
            "fault": self.fault,
        })
    }
}
