//! What the form would cost: each clip, all copies at all chosen models, what it leaves, what it would pass.
//!
//! Knows balances, reservations and caps as numbers. Must not know the form's fields.

use rust_decimal::Decimal;

use crate::domain::message::{AccountRow, Offer, Spend};
use crate::domain::money::{Currency, add_up};
use crate::domain::{Money, Request};

/// The price of what is about to be queued.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// How many jobs.
    pub jobs: u32,
    /// One clip, where there is one model and its price is known.
    pub each: Option<Money>,
    /// One clip at each model, in the order of the models; `None`: unknown.
    pub by_model: Vec<Option<Money>>,
    /// All of it, by currency; ceilings stand in for unknown prices.
    pub sums: Vec<Money>,
    /// Jobs without a price and without a ceiling.
    pub unknown: usize,
    /// Whether some price is unknown.
    pub needs_ceiling: bool,
    /// What is left of the balance after it and all reservations, where it is about one balance.
    pub leaves: Option<Money>,
    /// The accounts whose balance it exceeds, and by how much.
    pub exceeds: Vec<(String, Money)>,
    /// The cap it would pass, as `day` or `month`, and by how much.
    pub over_cap: Option<(&'static str, Money)>,
}

impl Quote {
    /// Computes the price of `copies` of every request at its model.
    pub fn of(
        lines: &[(&Offer, Request)],
        copies: u32,
        ceiling: Option<Money>,
        accounts: &[AccountRow],
        spend: &Spend,
    ) -> Self {
        let by_model: Vec<Option<Money>> = lines.iter().map(|(offer, request)| offer.reservation(request)).collect();
        let needs_ceiling = by_model.iter().any(Option::is_none);
        let totals: Vec<Option<Money>> =
            by_model.iter().map(|each| each.or(ceiling).map(|money| money.times(copies))).collect();
        let (sums, unknown) = add_up(totals.iter().copied());
        let (mut lefts, mut parts) = (Vec::new(), 0);
        for account in accounts {
            let own = lines.iter().zip(&totals).filter(|((offer, _), _)| offer.account == account.name);
            for sum in add_up(own.map(|(_, total)| *total)).0 {
                parts += 1;
                lefts.extend(left(account, sum).map(|left| (account.name.clone(), left)));
            }
        }
        let leaves = if parts == 1 { lefts.first().map(|(_, left)| *left) } else { None };
        let missing = lefts.into_iter().filter(|(_, left)| left.amount < Decimal::ZERO);
        Quote {
            jobs: copies * u32::try_from(lines.len()).unwrap_or(u32::MAX),
            each: if let [each] = by_model.as_slice() { *each } else { None },
            over_cap: over_cap(&sums, accounts, spend),
            unknown: unknown * copies as usize,
            exceeds: missing.map(|(name, left)| (name, Money::new(-left.amount, left.currency))).collect(),
            by_model,
            sums,
            needs_ceiling,
            leaves,
        }
    }
}

/// What `sum` leaves of an account's balance after its reservations; `None`: the balance is not known.
fn left(account: &AccountRow, sum: Money) -> Option<Money> {
    let balance = account.balances.iter().find(|b| b.money.currency == sum.currency)?;
    let reserved = Spend::amount(&account.reserved, sum.currency);
    Some(Money::new(balance.money.amount.saturating_sub(reserved).saturating_sub(sum.amount), sum.currency))
}

fn over_cap(sums: &[Money], accounts: &[AccountRow], spend: &Spend) -> Option<(&'static str, Money)> {
    let new = Spend::amount(sums, Currency::Usd);
    if new.is_zero() {
        return None;
    }
    let reserved: Decimal = accounts.iter().map(|a| Spend::amount(&a.reserved, Currency::Usd)).sum();
    let over = |spent: &[Money], cap: Option<Money>| {
        let all = Spend::amount(spent, Currency::Usd).saturating_add(reserved).saturating_add(new);
        let by = all.saturating_sub(cap?.amount);
        (by > Decimal::ZERO).then(|| Money::usd(by))
    };
    over(&spend.today, spend.day_cap)
        .map(|by| ("day", by))
        .or_else(|| over(&spend.month, spend.month_cap).map(|by| ("month", by)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::in_words;
    use crate::domain::{Balance, Service};
    use jiff::Timestamp;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::Usd).unwrap()
    }

    fn offer(account: &str, shape: &str) -> Offer {
        let model = format!(
            "id = \"m\"\nservice = \"ninjachat\"\nsource = \"t\"\nprice = {{ shape = {shape}, as_of = \"2026-08-21\", source = \"t\" }}"
        );
        Offer::new(account, toml::from_str::<crate::domain::Model>(&model).unwrap())
    }

    fn account(name: &str, balance: &str, reserved: &str) -> AccountRow {
        AccountRow {
            name: name.into(),
            service: Service::Ninjachat,
            balances: vec![Balance { money: usd(balance), seen_at: Timestamp::UNIX_EPOCH, source: "balance".into() }],
            reserved: vec![usd(reserved)],
            plan: None,
            per_minute: None,
            pause: None,
            trouble: None,
            in_flight: 0,
            max_in_flight: 5,
        }
    }

    const FIVE: &str = "{ per_clip = { amount = \"5.00\" } }";

    #[test]
    fn reservations_count_before_the_balance_is_promised_again() {
        let offer = offer("a", FIVE);
        let request = Request::new(&offer.model_ref(), "x");
        let mut spend = Spend { today: vec![usd("42.50")], day_cap: Some(usd("100")), ..Spend::default() };
        let quote =
            |accounts: &[AccountRow], spend: &Spend| Quote::of(&[(&offer, request.clone())], 2, None, accounts, spend);
        let first = quote(&[account("a", "37", "14")], &spend);
        assert_eq!((first.sums, first.leaves), (vec![usd("10.00")], Some(usd("13.00"))));
        assert_eq!((first.exceeds, first.over_cap), (vec![], None));
        spend.day_cap = Some(usd("80"));
        let second = quote(&[account("a", "37", "30")], &spend);
        assert_eq!(second.exceeds, [("a".to_owned(), usd("3.00"))]);
        assert_eq!(second.over_cap, Some(("day", usd("2.50"))));
        let mut unseen = account("a", "0", "0");
        unseen.balances.clear();
        let third = quote(&[unseen], &spend);
        assert_eq!((third.leaves, third.exceeds), (None, vec![]), "unknown is not zero");
    }

    #[test]
    fn models_of_one_account_draw_on_one_balance() {
        let offers = [offer("a", FIVE), offer("a", FIVE), offer("b", "{ plan = {} }"), offer("b", "{ unknown = {} }")];
        let lines: Vec<_> = offers.iter().map(|o| (o, Request::new(&o.model_ref(), "x"))).collect();
        let accounts = [account("a", "12", "0"), account("b", "1", "0")];
        let quote = Quote::of(&lines, 2, None, &accounts, &Spend::default());
        assert_eq!((quote.jobs, quote.unknown, quote.needs_ceiling), (8, 2, true));
        assert_eq!(quote.sums, [usd("20.00"), Money::one_of_quota().times(2)]);
        assert_eq!(quote.exceeds, [("a".to_owned(), usd("8.00"))]);
        let capped = Quote::of(&lines, 2, Some(usd("0.60")), &accounts, &Spend::default());
        assert_eq!(capped.exceeds, [("a".to_owned(), usd("8.00")), ("b".to_owned(), usd("0.20"))]);
        assert_eq!(capped.unknown, 0);
    }

    #[test]
    fn sums_never_mix_currencies() {
        let (sums, unknown) = add_up([Some(usd("1.5")), None, Some(Money::one_of_quota()), Some(usd("2"))].into_iter());
        assert_eq!(in_words(&sums, unknown), "$3.50 and 1 run and 1 of unknown price");
    }
}
