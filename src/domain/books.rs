//! The books: what was reserved, charged and refunded, each entry once, keyed by its evidence.
//!
//! Knows how entries add up. Must not know where they are kept, nor which answer they came from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

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
    /// Gone from the account, and nothing here explains it.
    Unexplained,
    /// Come to the account, and nothing here explains it.
    UnexplainedCredit,
    /// Taken back from unexplained: the user said what it was, which is an entry of its own.
    Explained,
    /// The same for what came unexplained.
    ExplainedCredit,
}

impl EntryKind {
    /// All of them, in the order of the books.
    pub const ALL: [EntryKind; 10] = [
        EntryKind::Reserved,
        EntryKind::Released,
        EntryKind::Charged,
        EntryKind::Refunded,
        EntryKind::Deposited,
        EntryKind::OtherUse,
        EntryKind::Unexplained,
        EntryKind::UnexplainedCredit,
        EntryKind::Explained,
        EntryKind::ExplainedCredit,
    ];

    /// Where the amount comes from and where it goes: what one side loses the other gains, so that all
    /// sides of all entries add up to nothing.
    pub fn sides(self) -> (&'static str, &'static str) {
        match self {
            EntryKind::Reserved => ("available", "reserved"),
            EntryKind::Released => ("reserved", "available"),
            EntryKind::Charged => ("available", "charged"),
            EntryKind::Refunded => ("refunded", "available"),
            EntryKind::Deposited => ("deposits", "available"),
            EntryKind::OtherUse => ("available", "other use"),
            EntryKind::Unexplained | EntryKind::ExplainedCredit => ("available", "unexplained"),
            EntryKind::UnexplainedCredit | EntryKind::Explained => ("unexplained", "available"),
        }
    }

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
            EntryKind::UnexplainedCredit => "unexplained_credit",
            EntryKind::Explained => "explained",
            EntryKind::ExplainedCredit => "explained_credit",
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

/// How a balance stands to the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Something of ours could have moved it just then, or there is nothing to compare it with.
    Observed,
    /// The first that the books can go on from.
    Opened,
    /// It is what the books say, to the last digit told.
    Agrees,
    /// Refunds that the service claimed are not in it yet; they have ten minutes.
    Waits,
    /// It differs from the books, and the difference was booked.
    Differs,
}

impl Standing {
    /// All of them.
    pub const ALL: [Standing; 5] =
        [Standing::Observed, Standing::Opened, Standing::Agrees, Standing::Waits, Standing::Differs];

    /// The word in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Observed => "observed",
            Standing::Opened => "opened",
            Standing::Agrees => "agrees",
            Standing::Waits => "waits",
            Standing::Differs => "differs",
        }
    }
}

/// One line of the balance log: what a service said, whom it was asked for, and how it stands to the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceLine {
    /// The account.
    pub account: String,
    /// The origin that was asked.
    pub origin: String,
    /// The salted fingerprint of the key it was asked with.
    pub fingerprint: String,
    /// What the service said.
    pub balance: Balance,
    /// What the books expected, where they could.
    pub expected: Option<Money>,
    /// How it stands to the books.
    pub standing: Standing,
    /// What left by the books until then ([`Sums::net`]): the figure that the next balance is compared by.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub net: Decimal,
    /// The balance plus what left until then, where the books go on from it: the same from one
    /// balance to the next.
    pub capital: Option<Money>,
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
    /// Put in from outside.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub deposited: Decimal,
    /// Taken for what is not ours.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub other_use: Decimal,
    /// Gone, and nothing explains it.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub unexplained: Decimal,
    /// Come, and nothing explains it. Kept apart: the one must not hide the other.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub unexplained_credit: Decimal,
}

impl Sums {
    /// What the account really spent: charged less refunded.
    pub fn spent(&self) -> Decimal {
        self.charged.saturating_sub(self.refunded)
    }

    /// What has left the account in all, by the books; below zero where more came than went. A
    /// balance and this add up to the same figure at any two times, unless something is not booked.
    pub fn net(&self) -> Decimal {
        let went = [self.other_use, self.unexplained].into_iter().fold(self.spent(), Decimal::saturating_add);
        went.saturating_sub(self.deposited).saturating_sub(self.unexplained_credit)
    }

    /// Adds one entry.
    pub fn add(&mut self, kind: EntryKind, amount: Decimal) {
        let (sum, amount) = match kind {
            EntryKind::Reserved => (&mut self.reserved, amount),
            EntryKind::Released => (&mut self.reserved, -amount),
            EntryKind::Charged => (&mut self.charged, amount),
            EntryKind::Refunded => (&mut self.refunded, amount),
            EntryKind::Deposited => (&mut self.deposited, amount),
            EntryKind::OtherUse => (&mut self.other_use, amount),
            EntryKind::Unexplained => (&mut self.unexplained, amount),
            EntryKind::UnexplainedCredit => (&mut self.unexplained_credit, amount),
            EntryKind::Explained => (&mut self.unexplained, -amount),
            EntryKind::ExplainedCredit => (&mut self.unexplained_credit, -amount),
        };
        *sum = sum.saturating_add(amount);
    }
}

/// The number of a difference, from 1; written `u-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DifferenceId(pub u32);

impl fmt::Display for DifferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u-{}", self.0)
    }
}

impl FromStr for DifferenceId {
    type Err = String;

    /// Reads `u-3`.
    ///
    /// # Errors
    /// A sentence that shows the form.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("u-").unwrap_or(text).parse() {
            Ok(n) if n > 0 => Ok(DifferenceId(n)),
            _ => Err(format!("`{text}` is no difference; differences are written u-3")),
        }
    }
}

/// What the user says a difference was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Money came from outside.
    Deposit,
    /// Somebody else spent it, or it was a fee.
    OtherUse,
    /// A refund of this job.
    RefundOf(JobId),
    /// What this job cost, after all.
    ChargeOf(JobId),
}

/// Sums by account and currency, and the differences that nothing explains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The sums.
    pub sums: BTreeMap<(String, Currency), Sums>,
    /// The unexplained, until the user says what they were; each with what is left of it.
    pub open: BTreeMap<DifferenceId, Entry>,
    /// The number of the last difference; 0 where there was none.
    pub last_difference: u32,
}

impl Ledger {
    /// Notes a difference, or that one is explained, all of it or a part; does nothing with other entries.
    pub fn note(&mut self, entry: &Entry) {
        let number = || entry.evidence.rsplit(':').next().and_then(|id| id.parse::<DifferenceId>().ok());
        match entry.kind {
            EntryKind::Unexplained | EntryKind::UnexplainedCredit => {
                let Some(id) = number() else { return };
                self.last_difference = self.last_difference.max(id.0);
                self.open.insert(id, entry.clone());
            }
            EntryKind::Explained | EntryKind::ExplainedCredit => {
                let Some((id, open)) = number().and_then(|id| Some((id, self.open.get_mut(&id)?))) else { return };
                open.money.amount -= entry.money.amount;
                if open.money.amount <= Decimal::ZERO {
                    self.open.remove(&id);
                }
            }
            _ => {}
        }
    }

    /// Adds one entry. The caller has made sure that its evidence is new.
    pub fn add(&mut self, entry: &Entry) {
        self.note(entry);
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
