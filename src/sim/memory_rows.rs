//! How the simulator's memory is written: JSON with a version, and what makes it believable
//! again. Knows no file. Whatever is read may be damaged: it is refused with a reason, and
//! nothing of it can make the simulator panic later.

use crate::sim::bank::{Account, Bank, Entry, Kind, currency};
use crate::sim::clip::Shot;
use crate::sim::clock::Moment;
use crate::sim::orders::{Book, Order, Outcome, Trace};
use crate::sim::service::Service;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// What is written; version 1 had no hashes of bodies and is read as well.
const VERSION: u64 = 2;
/// The year 9999: the last that dates are written for.
const LAST: Moment = 253_370_764_800_000;

/// Everything that is remembered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    version: u64,
    pub seed: u64,
    /// Not before any moment a client was told.
    pub moment: Moment,
    accounts: Vec<AccountRow>,
    orders: Vec<OrderRow>,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountRow {
    service: Service,
    key: String,
    currency: String,
    opening: Decimal,
    balance: Decimal,
    day: Option<i64>,
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderRow {
    id: String,
    service: Service,
    key: String,
    currency: String,
    model: String,
    prompt: String,
    params: Value,
    price: Decimal,
    created: Moment,
    starts: Moment,
    ends: Moment,
    outcome: Outcome,
    refundable: bool,
    settled: bool,
    shot: Shot,
    links: Vec<String>,
    made: Vec<Option<(String, u64)>>,
    downloads: u64,
    trace: Trace,
}

impl Saved {
    /// No account and no order yet.
    pub fn fresh(seed: u64) -> Self {
        Self { version: VERSION, seed, moment: 0, accounts: Vec::new(), orders: Vec::new() }
    }

    /// A copy of the books.
    pub fn of(seed: u64, moment: Moment, bank: &Bank, book: &Book) -> Self {
        let accounts = bank.accounts().iter().map(|((service, key, currency), account)| AccountRow {
            service: *service,
            key: key.clone(),
            currency: (*currency).to_owned(),
            opening: account.opening,
            balance: account.balance,
            day: account.day,
            entries: account.entries.clone(),
        });
        let orders = book.pages().map(|(order, settled)| OrderRow::of(order.clone(), settled));
        Self { version: VERSION, seed, moment, accounts: accounts.collect(), orders: orders.collect() }
    }

    /// As it is written.
    pub fn text(&self) -> std::io::Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(std::io::Error::other)
    }

    /// Reads what was written, or says why it cannot be believed.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let damaged = |error: serde_json::Error| format!("the simulator's memory is damaged ({error})");
        let Version { version } = serde_json::from_slice(text).map_err(damaged)?;
        if !(1..=VERSION).contains(&version) {
            return Err(format!(
                "the simulator's memory has version {version}, this program knows {VERSION}: a newer one wrote it"
            ));
        }
        let saved: Self = serde_json::from_slice(text).map_err(damaged)?;
        match saved.wrong() {
            Some(wrong) => Err(format!("the simulator's memory is damaged ({wrong})")),
            None => Ok(saved),
        }
    }

    /// The first thing that cannot be.
    fn wrong(&self) -> Option<String> {
        if !(0..=LAST).contains(&self.moment) {
            return Some(format!("the moment {}", self.moment));
        }
        let mut names = HashSet::new();
        for row in &self.accounts {
            let is_new = names.insert((row.service, row.key.as_str(), row.currency.as_str()));
            if !is_new || currency(&row.currency).is_none() || row.sum() != Some(row.balance) {
                return Some(format!("an account at {} does not add up", row.service.name()));
            }
        }
        let mut ids = HashSet::new();
        let wrong = self.orders.iter().find(|row| {
            let account = (row.service, row.key.as_str(), row.currency.as_str());
            !(ids.insert(row.id.as_str()) && names.contains(&account) && row.is_whole())
        });
        wrong.map(|row| format!("order {:?}", row.id))
    }

    /// The books that were written. Only what `parse` or `of` gave has all its currencies.
    pub fn into_books(self) -> (Bank, Book) {
        let accounts = self.accounts.into_iter().filter_map(|row| {
            let name = (row.service, row.key, currency(&row.currency)?);
            Some((name, Account { opening: row.opening, balance: row.balance, entries: row.entries, day: row.day }))
        });
        let bank = Bank::reopened(accounts.collect::<BTreeMap<_, _>>());
        let book = Book::reopened(self.orders.into_iter().filter_map(OrderRow::into_order));
        (bank, book)
    }
}

impl AccountRow {
    /// What the balance must be; `None` beyond all numbers.
    fn sum(&self) -> Option<Decimal> {
        self.entries.iter().try_fold(self.opening, |sum, entry| match entry.kind {
            _ if entry.amount.is_sign_negative() || !(0..=LAST).contains(&entry.at) => None,
            Kind::Charge => sum.checked_sub(entry.amount),
            Kind::Refund | Kind::Deposit => sum.checked_add(entry.amount),
        })
    }
}

impl OrderRow {
    fn of(order: Order, settled: bool) -> Self {
        let (service, key, currency) = order.account;
        Self {
            id: order.id,
            service,
            key,
            currency: currency.to_owned(),
            model: order.model,
            prompt: order.prompt,
            params: order.params,
            price: order.price,
            created: order.created,
            starts: order.starts,
            ends: order.ends,
            outcome: order.outcome,
            refundable: order.refundable,
            settled,
            shot: order.shot,
            links: order.links,
            made: order.made,
            downloads: order.downloads,
            trace: order.trace,
        }
    }

    fn into_order(self) -> Option<(Order, bool)> {
        let order = Order {
            account: (self.service, self.key, currency(&self.currency)?),
            id: self.id,
            model: self.model,
            prompt: self.prompt,
            params: self.params,
            price: self.price,
            created: self.created,
            starts: self.starts,
            ends: self.ends,
            outcome: self.outcome,
            refundable: self.refundable,
            shot: self.shot,
            links: self.links,
            made: self.made,
            downloads: self.downloads,
            trace: self.trace,
        };
        Some((order, self.settled))
    }

    /// Whether it can be answered for and drawn.
    fn is_whole(&self) -> bool {
        let side = |length: usize| (16..=3840).contains(&length) && length.is_multiple_of(2);
        let shot = &self.shot;
        0 <= self.created
            && self.created <= self.starts
            && self.starts <= self.ends
            && self.ends <= LAST
            && !self.price.is_sign_negative()
            && !self.links.is_empty()
            && self.links.len() == self.made.len()
            && side(shot.width)
            && side(shot.height)
            && (1..=60).contains(&shot.fps)
            && shot.seconds <= 3600
    }
}
