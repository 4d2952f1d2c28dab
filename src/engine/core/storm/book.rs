//! The services' side: which orders they took, what they took for them, which clip each one made.
//!
//! Knows nothing of the engine but what was sent to it. The judge believes this book alone.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::Wire;
use crate::domain::{JobId, Money};

/// How long the new NinjaChat knows an idempotency key.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    /// So many more questions are answered with "not yet".
    Working(u8),
    /// Its clip is there.
    Finished,
    /// It will never be.
    Failed,
}

/// An order that was taken.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The job whose intent it came from: by its correlation id.
    pub job: JobId,
    /// What was sent.
    pub digest: String,
    /// The service's id; its clip hashes to it, too.
    pub id: String,
    pub at: Timestamp,
    pub making: Making,
    /// What it costs.
    pub cost: Money,
    /// Charged less given back.
    pub paid: Decimal,
    /// Whether the engine was told what it costs, and kept that.
    pub told: bool,
    /// Whether it came with the account's other key, which another purse pays for.
    pub other_key: bool,
}

/// What came of an order that reached its service.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// It is in the book: its place there.
    Order(usize),
    /// Its key is known with another body.
    Conflict,
}

/// The order book of one service.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub orders: Vec<Order>,
    /// What must not be.
    pub wrong: Vec<String>,
}

impl Book {
    /// An order arrives at a service, at a time that no clock of ours changes.
    pub(super) fn take(
        &mut self,
        (wire, other_key): (Wire, bool),
        job: JobId,
        digest: &str,
        cost: Money,
        at: Timestamp,
    ) -> Taken {
        let known = |order: &&Order| order.job == job && at.duration_since(order.at) < KNOWN_FOR;
        let by_key = self.orders.iter().filter(|_| wire == Wire::NinjachatNew).position(|order| known(&order));
        if let Some(place) = by_key {
            return if self.orders[place].digest == digest { Taken::Order(place) } else { Taken::Conflict };
        }
        if let Some(before) = self.orders.iter().find(|order| order.job == job) {
            let after = at.duration_since(before.at);
            self.wrong.push(format!("{job} was bought twice: as {}, and {after:#} later", before.id));
        }
        let id = format!("{job}-{:04x}", self.orders.len() * 7919 + 257);
        let (digest, paid) = (digest.to_owned(), cost.amount);
        let making = Making::Working(u8::try_from(self.orders.len() % 3).unwrap_or(0));
        self.orders.push(Order { job, digest, id, at, making, cost, paid, told: false, other_key });
        Taken::Order(self.orders.len() - 1)
    }

    /// What was paid with a key, less what was given back.
    pub(super) fn paid(&self, other_key: bool) -> Decimal {
        self.orders.iter().filter(|order| order.other_key == other_key).map(|order| order.paid).sum()
    }

    /// The order of an id.
    pub(super) fn of_id(&self, id: &str) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    /// The first order of a job.
    pub(super) fn of_job(&self, job: JobId) -> Option<usize> {
        self.orders.iter().position(|order| order.job == job)
    }

    /// It will never be made; a service that gives money back does so.
    pub(super) fn fail(&mut self, place: usize, refunded: bool) {
        let order = &mut self.orders[place];
        order.making = Making::Failed;
        if refunded {
            order.paid = Decimal::ZERO;
        }
    }
}
