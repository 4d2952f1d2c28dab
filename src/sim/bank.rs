//! The bank: one account for each service, key and currency, every movement written down, so
//! that opening + deposits + refunds - charges = balance at any moment. Knows no prices.

use crate::sim::clock::{Moment, iso};
use crate::sim::habits::Habits;
use crate::sim::service::{Service, mask};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a movement was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Charge,
    Refund,
    Deposit,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Deposit => "deposit",
        }
    }
}

/// One movement; the amount is never negative, its kind says which way it went.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub at: Moment,
    pub kind: Kind,
    pub amount: Decimal,
    pub order: Option<String>,
    pub note: Cow<'static, str>,
}

/// One account: what it opened with, what it holds, and why.
#[derive(Clone, Debug)]
pub struct Account {
    pub opening: Decimal,
    pub balance: Decimal,
    pub entries: Vec<Entry>,
    /// The UTC day of the last quota reset; only A4F's plan quota has one.
    pub day: Option<i64>,
}

/// An account's name: whose, with which key, in what currency.
pub type AccountName = (Service, String, &'static str);

/// All accounts. They open by themselves the first time a key is seen.
#[derive(Debug, Default)]
pub struct Bank {
    accounts: BTreeMap<AccountName, Account>,
    habits: BTreeMap<Service, Habits>,
}

/// `USD`, `XNO` (NanoGPT, seed 002) or `quota` (A4F: calls left today, wire.md 3.1).
pub const USD: &str = "USD";
/// NanoGPT's other currency.
pub const XNO: &str = "XNO";
/// A4F has no money balance, only calls left on the plan today.
pub const QUOTA: &str = "quota";

/// The currency of that name.
pub fn currency(name: &str) -> Option<&'static str> {
    [USD, XNO, QUOTA].into_iter().find(|known| *known == name)
}

/// What a new account opens with. `broke` and `rich` in a key are the simulator's own levers.
fn opening(service: Service, key: &str, currency: &str) -> Decimal {
    let dollars = match (service, currency) {
        // Seed 001 shows $39.00 left after a $3.00 video.
        (Service::NinjaChat, _) => Decimal::new(4_200, 2),
        // wire.md 1.5: the balance example.
        (Service::NanoGpt, XNO) => Decimal::new(2_671_801_147, 8),
        (Service::NanoGpt, _) => Decimal::new(12_946_956_147, 8),
        // Calls a day; the documents publish none, so this is the simulator's own.
        (Service::A4f, _) => return Decimal::from(crate::sim::a4f_rules::Plan::of(key).per_day()),
    };
    if key.contains("broke") {
        Decimal::ZERO
    } else if key.contains("rich") {
        Decimal::new(10_000_000, 2)
    } else {
        dollars
    }
}

impl Bank {
    /// The account of that name, opened if this key is new.
    pub fn account(&mut self, service: Service, key: &str, currency: &'static str) -> &mut Account {
        self.accounts.entry((service, key.to_owned(), currency)).or_insert_with(|| {
            let opening = opening(service, key, currency);
            Account { opening, balance: opening, entries: Vec::new(), day: None }
        })
    }

    /// How a service's cashier behaves from now on.
    pub fn behave(&mut self, service: Service, habits: Habits) {
        self.habits.insert(service, habits);
    }

    /// How a service's cashier behaves.
    pub fn habits(&self, service: Service) -> Habits {
        self.habits.get(&service).copied().unwrap_or_default()
    }

    /// Takes the price, and what the cashier takes unsaid, or leaves everything as it was and says what
    /// was there.
    pub fn charge(&mut self, name: &AccountName, amount: Decimal, order: &str, at: Moment) -> Result<Decimal, Decimal> {
        let amount = amount + self.habits(name.0).unsaid;
        let account = self.account(name.0, &name.1, name.2);
        if account.balance < amount {
            return Err(account.balance);
        }
        account.book(Kind::Charge, amount, Some(order), "", at);
        Ok(account.balance)
    }

    /// Gives a failed order's price back, as far as the cashier does.
    pub fn refund(&mut self, name: &AccountName, price: Decimal, order: &str, at: Moment) {
        let (amount, note) = self.habits(name.0).refund_of(price);
        self.account(name.0, &name.1, name.2).book(Kind::Refund, amount, Some(order), note, at);
    }

    /// Money from outside; a negative amount is someone else spending on the same key.
    pub fn deposit(&mut self, name: &AccountName, amount: Decimal, at: Moment) -> Decimal {
        let account = self.account(name.0, &name.1, name.2);
        if amount.is_sign_negative() {
            account.book(Kind::Charge, -amount, None, "spent elsewhere", at);
        } else {
            account.book(Kind::Deposit, amount, None, "deposit", at);
        }
        account.balance
    }

    /// All accounts as they are, for the simulator's memory.
    pub fn accounts(&self) -> &BTreeMap<AccountName, Account> {
        &self.accounts
    }

    /// A bank of these accounts.
    pub fn reopened(accounts: BTreeMap<AccountName, Account>) -> Self {
        Self { accounts, habits: BTreeMap::new() }
    }

    /// How many movements were ever booked.
    pub fn movements(&self) -> u64 {
        self.accounts.values().map(|account| account.entries.len() as u64).sum()
    }

    /// The whole bank for `GET /_sim/bank`; amounts are strings.
    pub fn statement(&self) -> Value {
        let accounts = self.accounts.iter().map(|((service, key, currency), account)| {
            let entries: Vec<Value> = account.entries.iter().map(Entry::row).collect();
            json!({
                "service": service.name(),
                "key": mask(key),
                "currency": currency,
                "opening": account.opening.to_string(),
                "balance": account.balance.to_string(),
                "entries": entries,
            })
        });
        Value::Array(accounts.collect())
    }
}

impl Account {
    /// Writes a movement down and moves the balance with it; the only place that does either.
    pub fn book(&mut self, kind: Kind, amount: Decimal, order: Option<&str>, note: &'static str, at: Moment) {
        match kind {
            Kind::Charge => self.balance -= amount,
            Kind::Refund | Kind::Deposit => self.balance += amount,
        }
        self.entries.push(Entry { at, kind, amount, order: order.map(str::to_owned), note: note.into() });
    }
}

impl Entry {
    fn row(&self) -> Value {
        json!({
            "at": iso(self.at),
            "kind": self.kind.name(),
            "amount": self.amount.to_string(),
            "order": self.order,
            "note": self.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn a_charge_beyond_the_balance_moves_nothing() {
        let mut bank = Bank::default();
        let name = (Service::NinjaChat, "nj_sk_test".to_owned(), USD);
        assert_eq!(bank.charge(&name, Decimal::from(40), "a", 0), Ok(Decimal::new(200, 2)));
        assert_eq!(bank.charge(&name, Decimal::from(3), "b", 0), Err(Decimal::new(200, 2)));
        bank.refund(&name, Decimal::from(40), "a", 1);
        let account = bank.account(name.0, &name.1, name.2);
        assert_eq!(account.balance, Decimal::from_str("42.00").unwrap());
        assert_eq!(account.entries.len(), 2);
    }

    #[test]
    fn keys_do_not_share_an_account_and_levers_work() {
        let mut bank = Bank::default();
        let broke = bank.account(Service::NanoGpt, "sk-nano-broke", USD).balance;
        assert_eq!(broke, Decimal::ZERO);
        let rich = bank.account(Service::NanoGpt, "sk-nano-rich", USD).balance;
        assert_eq!(rich, Decimal::from(100_000));
        let plain = bank.account(Service::NanoGpt, "sk-nano-x", XNO).balance;
        assert_eq!(plain.to_string(), "26.71801147");
    }
}
