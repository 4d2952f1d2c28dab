//! Whether what is queued is more than the balances can pay.
//!
//! Knows balances, reservations and estimates. Must not know who is told.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::message::AccountRow;
use super::money::{Currency, Money};
use super::row::JobRow;
use super::state::JobState;

/// What is queued, in money: per account and currency, kept up row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted(BTreeMap<String, BTreeMap<Currency, Decimal>>);

impl Wanted {
    /// Counts a row, where it is queued and its price is known.
    pub fn add(&mut self, row: &JobRow) {
        self.count(row, Decimal::ONE);
    }

    /// Takes a row out that was counted as it is.
    pub fn remove(&mut self, row: &JobRow) {
        self.count(row, Decimal::NEGATIVE_ONE);
    }

    /// Counts an order that would be queued at this price.
    pub fn add_order(&mut self, account: &str, price: Money) {
        self.count_money(account, price.currency, price.amount);
    }

    fn count(&mut self, row: &JobRow, sign: Decimal) {
        if let Some(estimate) = row.estimate.filter(|_| row.state == JobState::Queued) {
            self.count_money(&row.account, estimate.currency, estimate.amount * sign);
        }
    }

    fn count_money(&mut self, account: &str, currency: Currency, amount: Decimal) {
        if !self.0.contains_key(account) {
            self.0.insert(account.to_owned(), BTreeMap::new());
        }
        if let Some(sums) = self.0.get_mut(account) {
            let sum = sums.entry(currency).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// By how much it exceeds what the accounts hold after their reservations: per account and currency, in
    /// the order of the accounts. A balance that is not known is exceeded by nothing.
    pub fn shortfalls(&self, accounts: &[AccountRow]) -> Vec<(String, Money)> {
        let mut short = Vec::new();
        for account in accounts {
            let Some(wanted) = self.0.get(&account.name) else { continue };
            for balance in &account.balances {
                let money = balance.money;
                let Some(wanted) = wanted.get(&money.currency).filter(|sum| !sum.is_zero()) else { continue };
                let reserved = account.reserved.iter().filter(|m| m.currency == money.currency).map(|m| m.amount);
                let missing = reserved.fold(*wanted, Decimal::saturating_add).saturating_sub(money.amount);
                if missing > Decimal::ZERO {
                    short.push((account.name.clone(), Money::new(missing, money.currency)));
                }
            }
        }
        short
    }
}

/// By how much what is queued for an account exceeds what it holds after its reservations: per account
/// and currency, in the order of the accounts. A balance that is not known is exceeded by nothing.
pub fn shortfalls<'a>(accounts: &[AccountRow], rows: impl Iterator<Item = &'a JobRow>) -> Vec<(String, Money)> {
    let mut wanted = Wanted::default();
    rows.for_each(|row| wanted.add(row));
    wanted.shortfalls(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Balance, Job, JobId, Request, Service};
    use jiff::Timestamp;

    #[test]
    fn what_is_queued_and_reserved_counts_against_the_balance_of_its_own_currency() {
        let usd = |text| Money::parse(text, Currency::Usd).unwrap();
        let row = |state, money| {
            let mut row = Job::new(JobId(1), Request::new(&"n/m".parse().unwrap(), "x"), Timestamp::UNIX_EPOCH).row();
            (row.state, row.estimate) = (state, Some(money));
            row
        };
        let balance = |money| Balance { money, seen_at: Timestamp::UNIX_EPOCH, source: "balance".into() };
        let mut account = AccountRow {
            name: "n".into(),
            service: Service::Nanogpt,
            balances: vec![balance(usd("5"))],
            reserved: vec![usd("3")],
            plan: None,
            per_minute: None,
            pause: None,
            trouble: None,
            in_flight: 0,
            max_in_flight: 1,
        };
        let xno = Money::new(Decimal::ONE_HUNDRED, Currency::Xno);
        let mut rows = vec![row(JobState::Queued, usd("2")), row(JobState::Held, usd("9")), row(JobState::Queued, xno)];
        let short = |account: &AccountRow, rows: &[JobRow]| shortfalls(std::slice::from_ref(account), rows.iter());
        assert_eq!(short(&account, &rows), [], "just enough");
        rows.push(row(JobState::Queued, usd("0.01")));
        assert_eq!(short(&account, &rows), [("n".to_owned(), usd("0.01"))]);
        account.balances.clear();
        assert_eq!(short(&account, &rows), [], "unknown is not zero");
    }
}
