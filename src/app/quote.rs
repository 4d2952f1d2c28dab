//! What the form would cost: each clip, all copies, what it leaves, and what it would pass.
//!
//! Knows balances, reservations and caps as numbers. Must not know the form's fields.

use rust_decimal::Decimal;

use crate::domain::message::{AccountRow, Offer, Spend};
use crate::domain::money::Currency;
use crate::domain::{Money, Request};

/// The price of what is about to be queued.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// How many jobs.
    pub copies: u32,
    /// One clip; `None`: unknown.
    pub each: Option<Money>,
    /// All copies; where the price is unknown, by the ceiling, if there is one.
    pub total: Option<Money>,
    /// Whether `total` is a ceiling and no price.
    pub by_ceiling: bool,
    /// What is left of the account's balance after it and all reservations; `None`: not known.
    pub leaves: Option<Money>,
    /// The cap it would pass, as `day` or `month`, and by how much.
    pub over_cap: Option<(&'static str, Money)>,
}

impl Quote {
    /// Computes the price of `copies` of `request`.
    pub fn of(
        offer: &Offer,
        request: &Request,
        copies: u32,
        ceiling: Option<Money>,
        account: Option<&AccountRow>,
        accounts: &[AccountRow],
        spend: &Spend,
    ) -> Self {
        let each = request.price(&offer.model);
        let total = each.or(ceiling).map(|money| money.times(copies));
        let leaves = total.zip(account).and_then(|(total, account)| {
            let balance = account.balances.iter().find(|b| b.money.currency == total.currency)?;
            let reserved = Spend::amount(&account.reserved, total.currency);
            Some(Money::new(balance.money.amount - reserved - total.amount, total.currency))
        });
        let reserved: Decimal = accounts.iter().map(|a| Spend::amount(&a.reserved, Currency::Usd)).sum();
        let over = |spent: &[Money], cap: Option<Money>| {
            let (total, cap) = (total.filter(|t| t.currency == Currency::Usd)?, cap?);
            let by = Spend::amount(spent, Currency::Usd) + reserved + total.amount - cap.amount;
            (by > Decimal::ZERO).then(|| Money::usd(by))
        };
        let over_cap = over(&spend.today, spend.day_cap)
            .map(|by| ("day", by))
            .or_else(|| over(&spend.month, spend.month_cap).map(|by| ("month", by)));
        Quote { copies, each, total, by_ceiling: each.is_none() && ceiling.is_some(), leaves, over_cap }
    }

    /// By how much it exceeds what is left of the balance.
    pub fn exceeds(&self) -> Option<Money> {
        let leaves = self.leaves?;
        (leaves.amount < Decimal::ZERO).then(|| Money::new(-leaves.amount, leaves.currency))
    }
}

/// Sums amounts by currency, and counts those that are unknown.
pub fn add_up(amounts: impl Iterator<Item = Option<Money>>) -> (Vec<Money>, usize) {
    let mut sums: Vec<Money> = Vec::new();
    let mut unknown = 0;
    for amount in amounts {
        match amount {
            None => unknown += 1,
            Some(money) => match sums.iter_mut().find(|sum| sum.currency == money.currency) {
                Some(sum) => sum.amount += money.amount,
                None => sums.push(money),
            },
        }
    }
    (sums, unknown)
}

/// Amounts as words: `$10.00 and 2 runs`, `$5.00 and 1 of unknown price`.
pub fn in_words(sums: &[Money], unknown: usize) -> String {
    let mut parts: Vec<String> = sums.iter().map(ToString::to_string).collect();
    if unknown > 0 {
        parts.push(format!("{unknown} of unknown price"));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Balance, Service};
    use jiff::Timestamp;
    use std::sync::Arc;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::Usd).unwrap()
    }

    #[test]
    fn reservations_count_before_the_balance_is_promised_again() {
        let model = toml::from_str(
            "id = \"m\"\nservice = \"ninjachat\"\nsource = \"t\"\nprice = { shape = { per_clip = { amount = \"5.00\" } }, as_of = \"2026-08-21\", source = \"t\" }",
        )
        .unwrap();
        let offer = Offer { account: "a".into(), model: Arc::new(model) };
        let request = Request::new(&offer.model_ref(), "x");
        let mut account = AccountRow {
            name: "a".into(),
            service: Service::Ninjachat,
            balances: vec![Balance { money: usd("37"), seen_at: Timestamp::UNIX_EPOCH, source: "balance".into() }],
            reserved: vec![usd("14")],
            plan: None,
            per_minute: None,
            pause: None,
            trouble: None,
            in_flight: 0,
            max_in_flight: 5,
        };
        let mut spend = Spend { today: vec![usd("42.50")], day_cap: Some(usd("100")), ..Spend::default() };
        let quote = |account: &AccountRow, spend: &Spend| {
            Quote::of(&offer, &request, 2, None, Some(account), std::slice::from_ref(account), spend)
        };
        let first = quote(&account, &spend);
        assert_eq!((first.total, first.leaves, first.exceeds()), (Some(usd("10.00")), Some(usd("13.00")), None));
        assert_eq!(first.over_cap, None);
        account.reserved = vec![usd("30")];
        spend.day_cap = Some(usd("80"));
        let second = quote(&account, &spend);
        assert_eq!(second.exceeds(), Some(usd("3.00")));
        assert_eq!(second.over_cap, Some(("day", usd("2.50"))));
        account.balances.clear();
        assert_eq!(quote(&account, &spend).leaves, None, "unknown is not zero");
    }

    #[test]
    fn sums_never_mix_currencies() {
        let (sums, unknown) = add_up([Some(usd("1.5")), None, Some(Money::one_of_quota()), Some(usd("2"))].into_iter());
        assert_eq!(in_words(&sums, unknown), "$3.50 and 1 run and 1 of unknown price");
    }
}
