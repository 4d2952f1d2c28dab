//! The order book: every job the simulated services accepted, what it costs and how it will end.
//! An order's state is a function of the clock, so nothing runs in the background.

use crate::sim::bank::{AccountName, Bank};
use crate::sim::clip::Shot;
use crate::sim::clock::{Moment, SECOND, iso};
use crate::sim::service::{Service, letters, mask, mix};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// How an order will end; settled when it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Completes,
    Fails,
    /// Fails because of its content.
    FailsForContent,
}

/// Where an order stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Queued,
    /// Being made; the share done, 0 to 1.
    Processing(f64),
    Completed,
    Failed,
}

/// What the client said about itself in headers and body, for proofs later.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    pub x_request_id: Option<String>,
    pub conversation: Option<String>,
    pub idempotency_key: Option<String>,
    /// What came with the idempotency key.
    pub body_sha256: Option<String>,
}

/// What a wire asks the book to write down.
#[derive(Debug)]
pub struct NewOrder {
    pub account: AccountName,
    /// How the service writes its ids, out of the model and a number that is the order's own.
    pub id: fn(model: &str, chance: u64) -> String,
    pub model: String,
    pub prompt: String,
    pub params: Value,
    pub price: Decimal,
    /// Quoted speed: least and most seconds.
    pub speed: (i64, i64),
    pub slow: bool,
    pub outcome: Outcome,
    /// Whether a failure gives the price back.
    pub refundable: bool,
    pub shot: Shot,
    pub clips: usize,
    pub trace: Trace,
}

/// One accepted job.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    pub account: AccountName,
    pub model: String,
    pub prompt: String,
    pub params: Value,
    pub price: Decimal,
    pub created: Moment,
    pub starts: Moment,
    pub ends: Moment,
    pub outcome: Outcome,
    pub refundable: bool,
    /// What its first clip shows.
    pub shot: Shot,
    /// One token a clip; the last part of its link.
    pub links: Vec<String>,
    /// SHA-256 and length of each clip that was made.
    pub made: Vec<Option<(String, u64)>>,
    pub downloads: u64,
    pub trace: Trace,
}

impl Order {
    /// Where the order stands.
    pub fn state(&self, now: Moment) -> State {
        if now >= self.ends {
            match self.outcome {
                Outcome::Completes => State::Completed,
                Outcome::Fails | Outcome::FailsForContent => State::Failed,
            }
        } else if now < self.starts {
            State::Queued
        } else {
            let whole = (self.ends - self.starts).max(1) as f64;
            State::Processing((now - self.starts) as f64 / whole)
        }
    }

    /// Whether it fails and its price is due back.
    fn is_refunded(&self) -> bool {
        self.outcome != Outcome::Completes && self.refundable
    }

    /// What one of its clips shows; a second clip of the same order is another picture.
    pub fn shot(&self, clip: usize) -> Shot {
        let mut shot = self.shot.clone();
        if clip > 0 {
            shot.order = format!("{} #{}", self.id, clip + 1);
        }
        shot
    }

    fn row(&self, now: Moment) -> Value {
        let first = self.made.first().and_then(Option::as_ref);
        let state = match self.state(now) {
            State::Queued => "queued",
            State::Processing(_) => "processing",
            State::Completed => "completed",
            State::Failed => "failed",
        };
        let files: Vec<Value> =
            self.made.iter().flatten().map(|(sha256, bytes)| json!({"sha256": sha256, "bytes": bytes})).collect();
        json!({
            "id": self.id,
            "service": self.account.0.name(),
            "key": mask(&self.account.1),
            "model": self.model,
            "prompt": self.prompt,
            "params": self.params,
            "price": self.price.to_string(),
            "currency": self.account.2,
            "state": state,
            "created": iso(self.created),
            "ends": iso(self.ends),
            "sha256": first.map(|(sha256, _)| sha256),
            "bytes": first.map(|(_, bytes)| bytes),
            "files": files,
            "downloads": self.downloads,
            "x_request_id": self.trace.x_request_id,
            "conversationUUID": self.trace.conversation,
            "idempotency_key": self.trace.idempotency_key,
        })
    }
}

/// All orders, in the order they came.
#[derive(Debug, Default)]
pub struct Book {
    orders: Vec<Order>,
    by_id: HashMap<String, usize>,
    by_link: HashMap<String, (usize, usize)>,
    unsettled: BTreeSet<(Moment, usize)>,
    deliveries: u64,
}

impl Book {
    /// Charges the account and writes the order down, or does neither and says what was there.
    /// Returns the order and the balance that is left.
    pub fn accept(
        &mut self,
        bank: &mut Bank,
        seed: u64,
        now: Moment,
        new: NewOrder,
    ) -> Result<(&Order, Decimal), Decimal> {
        let number = self.orders.len() as u64 + 1;
        let chance = mix(seed, number);
        let id = (new.id)(&new.model, chance);
        let price = new.price + bank.habits(new.account.0).dearer;
        let left = bank.charge(&new.account, price, &id, now)?;
        // Within the quoted range, never at its very ends.
        let (least, most) = (new.speed.0 * SECOND, new.speed.1 * SECOND);
        let share = 0.1 + 0.8 * (mix(chance, 1) % 10_000) as f64 / 10_000.0;
        let mut takes = least + ((most - least) as f64 * share) as i64;
        if new.slow {
            takes *= 10;
        }
        let ends = match new.outcome {
            Outcome::Completes => now + takes,
            Outcome::Fails | Outcome::FailsForContent => now + takes * 6 / 10,
        };
        let links: Vec<String> =
            (0..new.clips.max(1)).map(|clip| letters(mix(chance, 100 + clip as u64), 24)).collect();
        let order = Order {
            shot: Shot { order: id.clone(), ..new.shot },
            id,
            account: new.account,
            model: new.model,
            prompt: new.prompt,
            params: shortened(new.params),
            price,
            created: now,
            starts: now + takes / 10,
            ends,
            outcome: new.outcome,
            refundable: new.refundable,
            made: vec![None; links.len()],
            links,
            downloads: 0,
            trace: new.trace,
        };
        let index = self.file(order);
        self.unsettled.insert((ends, index));
        Ok((&self.orders[index], left))
    }

    /// Puts an order behind the others, where its id and its links find it.
    fn file(&mut self, order: Order) -> usize {
        let index = self.orders.len();
        for (clip, link) in order.links.iter().enumerate() {
            self.by_link.insert(link.clone(), (index, clip));
        }
        self.by_id.insert(order.id.clone(), index);
        self.deliveries += order.downloads;
        self.orders.push(order);
        index
    }

    /// A book of these orders, each with whether its end is already booked.
    pub fn reopened(orders: impl IntoIterator<Item = (Order, bool)>) -> Self {
        let mut book = Self::default();
        for (order, settled) in orders {
            let ends = order.ends;
            let index = book.file(order);
            if !settled {
                book.unsettled.insert((ends, index));
            }
        }
        book
    }

    /// All orders as they are, each with whether its end is already booked.
    pub fn pages(&self) -> impl Iterator<Item = (&Order, bool)> {
        let settled = |index: usize, order: &Order| !self.unsettled.contains(&(order.ends, index));
        self.orders.iter().enumerate().map(move |(index, order)| (order, settled(index, order)))
    }

    /// How many clips were ever fetched.
    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Gives back what failed orders cost, once their time has come. Every reader calls it first.
    pub fn settle(&mut self, bank: &mut Bank, now: Moment) {
        let ended = self.unsettled.range(..=(now, usize::MAX)).copied();
        let due = |(ends, index): &(Moment, usize)| {
            let order = &self.orders[*index];
            !order.is_refunded() || bank.habits(order.account.0).refund_due(*ends) <= now
        };
        for (ends, index) in ended.filter(due).collect::<Vec<_>>() {
            self.unsettled.remove(&(ends, index));
            let order = &self.orders[index];
            if order.is_refunded() {
                let at = bank.habits(order.account.0).refund_due(ends);
                bank.refund(&order.account, order.price, &order.id, at);
            }
        }
    }

    /// The order of that id.
    pub fn get(&self, id: &str) -> Option<&Order> {
        self.by_id.get(id).map(|&index| &self.orders[index])
    }

    /// The order and the number of the clip a link belongs to.
    pub fn linked(&self, link: &str) -> Option<(&Order, usize)> {
        self.by_link.get(link).map(|&(index, clip)| (&self.orders[index], clip))
    }

    /// Notes what a clip turned out to be, and that it was fetched.
    pub fn delivered(&mut self, id: &str, clip: usize, sha256: &str, bytes: u64) {
        if let Some(&index) = self.by_id.get(id) {
            let order = &mut self.orders[index];
            if let Some(made) = order.made.get_mut(clip) {
                *made = Some((sha256.to_owned(), bytes));
            }
            order.downloads += 1;
            self.deliveries += 1;
        }
    }

    /// One service's orders for one key, newest first.
    pub fn of_key<'a>(&'a self, service: Service, key: &'a str) -> impl Iterator<Item = &'a Order> {
        self.orders.iter().rev().filter(move |order| order.account.0 == service && order.account.1 == key)
    }

    /// The whole book for `GET /_sim/orders`, of one service if asked.
    pub fn rows(&self, service: Option<Service>, now: Moment) -> Value {
        self.orders
            .iter()
            .filter(|order| service.is_none_or(|wanted| wanted == order.account.0))
            .map(|order| order.row(now))
            .collect()
    }
}

/// The request body without megabytes of base64 in it.
fn shortened(params: Value) -> Value {
    match params {
        Value::String(text) if text.len() > 5000 => {
            let head: String = text.chars().take(40).collect();
            Value::String(format!("{head}... ({} bytes)", text.len()))
        }
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, shortened(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}
