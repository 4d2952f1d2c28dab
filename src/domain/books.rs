//! The books: what was reserved, charged and refunded, each entry once, keyed by its evidence.
//!
//! Knows how entries add up. Must not know where they are kept, nor which answer they came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::job::JobId;
use super::money::{Currency, Money};

/// What an entry says. Amounts are positive; the kind says which way they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Set aside for a job before its order is sent.
    Reserved,
    /// A reservation given back: the order was charged, refused, or never sent.
    Released,
    /// Taken by the service.
    Charged,
    /// Given back by the service.
    Refunded,
    /// Put in from outside.
    Deposited,
    /// Taken for something that is not ours.
    OtherUse,
    /// A difference that nothing here explains.
    Unexplained,
}

impl EntryKind {
    /// The word in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            EntryKind::Reserved => "reserved",
            EntryKind::Released => "released",
            EntryKind::Charged => "charged",
            EntryKind::Refunded => "refunded",
            EntryKind::Deposited => "deposited",
            EntryKind::OtherUse => "other_use",
            EntryKind::Unexplained => "unexplained",
        }
    }
}

/// One line of the books. The evidence is unique: the same fact learnt twice books once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account.
    pub account: String,
    /// The job it belongs to, if any.
    pub job: Option<JobId>,
    /// What it says.
    pub kind: EntryKind,
    /// How much; never negative.
    pub money: Money,
    /// What proves it, such as `charge:j-12:accepted`; unique in the books.
    pub evidence: String,
    /// When it was booked.
    pub at: Timestamp,
}

/// What a service said an account holds, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// How much; for a plan without a balance, the requests left, where known.
    pub money: Money,
    /// When the service said so.
    pub seen_at: Timestamp,
    /// What it was read from: `submit`, `balance`, `usage`.
    pub source: String,
}

/// Sums of one account's entries in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Set aside now: reserved less released.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub reserved: Decimal,
    /// Charged in all.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub charged: Decimal,
    /// Refunded in all.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub refunded: Decimal,
    /// Differences that nothing explains.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub unexplained: Decimal,
}

impl Sums {
    /// What the account really spent: charged less refunded.
    pub fn spent(&self) -> Decimal {
        self.charged - self.refunded
    }

    /// Adds one entry.
    pub fn add(&mut self, kind: EntryKind, amount: Decimal) {
        match kind {
            EntryKind::Reserved => self.reserved += amount,
            EntryKind::Released => self.reserved -= amount,
            EntryKind::Charged => self.charged += amount,
            EntryKind::Refunded => self.refunded += amount,
            EntryKind::Unexplained => self.unexplained += amount,
            EntryKind::Deposited | EntryKind::OtherUse => {}
        }
    }
}

/// Sums by account and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The sums.
    pub sums: BTreeMap<(String, Currency), Sums>,
}

impl Ledger {
    /// Adds one entry. The caller has made sure that its evidence is new.
    pub fn add(&mut self, entry: &Entry) {
        self.sums.entry((entry.account.clone(), entry.money.currency)).or_default().add(entry.kind, entry.money.amount);
    }

    /// The sums of an account in a currency.
    pub fn of(&self, account: &str, currency: Currency) -> Sums {
        self.sums.get(&(account.to_owned(), currency)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_was_charged_and_refunded_leaves_nothing_reserved_or_spent() {
        let mut ledger = Ledger::default();
        let three = Money::parse("3.00", Currency::Usd).unwrap();
        for kind in [EntryKind::Reserved, EntryKind::Charged, EntryKind::Released, EntryKind::Refunded] {
            let evidence = kind.word().to_owned();
            ledger.add(&Entry {
                account: "n".into(),
                job: None,
                kind,
                money: three,
                evidence,
                at: Timestamp::UNIX_EPOCH,
            });
        }
        let sums = ledger.of("n", Currency::Usd);
        assert_eq!((sums.reserved, sums.spent()), (Decimal::ZERO, Decimal::ZERO));
        assert_eq!(sums.charged, Decimal::new(300, 2));
    }
}
