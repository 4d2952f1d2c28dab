//! Budgets: what was spent and reserved, and whether one more order passes a cap.
//!
//! Knows entries, days and caps. Must not know jobs or services. Clocks only go forward here: a day
//! that was seen is not left again by a clock set back.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::Caps;
use crate::domain::books::{DifferenceId, Entry, EntryKind, Ledger};
use crate::domain::message::{Difference, Spend};
use crate::domain::money::{Currency, Money};
use crate::domain::zones::Zones;

/// The sums that caps are held against.
#[derive(Debug)]
pub struct Budget {
    zones: Zones,
    /// When days and months of former zones end.
    ends: Vec<Timestamp>,
    today: Date,
    ledger: Ledger,
    /// Charged less refunded by day, account and currency, of the last forty days.
    recent: BTreeMap<(Date, String, Currency), Decimal>,
}

impl Budget {
    /// A budget over the entries of the last forty days and the sums of all.
    pub fn new(zones: Zones, now: Timestamp, ledger: Ledger, recent: &[Entry]) -> Self {
        let (today, ends) = (now.to_zoned(zones.zone().clone()).date(), zones.ends(now));
        let mut budget = Budget { zones, ends, today, ledger, recent: BTreeMap::new() };
        for entry in recent {
            budget.remember(entry);
        }
        budget
    }

    /// Where days and months begin.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Books an entry whose evidence is new.
    pub fn book(&mut self, entry: &Entry) {
        self.ledger.add(entry);
        self.remember(entry);
    }

    fn remember(&mut self, entry: &Entry) {
        let date = entry.at.to_zoned(self.zones.zone().clone()).date();
        let mut money = entry.money;
        match entry.kind {
            EntryKind::Charged => {}
            EntryKind::Refunded => money.amount = -money.amount,
            _ => return,
        }
        let key = (date, entry.account.clone(), money.currency);
        let sum = self.recent.entry(key).or_default();
        *sum = sum.saturating_add(money.amount);
    }

    /// Moves to the day of `now`; true when a new day began, or a day or month ended that a former zone
    /// began. Never goes back.
    pub fn turn(&mut self, now: Timestamp) -> bool {
        let date = now.to_zoned(self.zones.zone().clone()).date();
        let before = self.ends.len();
        self.ends.retain(|end| *end > now);
        if date <= self.today {
            return self.ends.len() < before;
        }
        self.today = date;
        self.recent.retain(|(day, ..), _| day.duration_until(date) < SignedDuration::from_hours(24 * 40));
        true
    }

    /// When the next day begins, or a day or month ends that a former zone began.
    pub fn next_day(&self) -> Option<Timestamp> {
        let tomorrow = self.today.tomorrow().ok()?;
        let midnight = tomorrow.to_zoned(self.zones.zone().clone()).ok().map(|z| z.timestamp());
        self.ends.iter().copied().chain(midnight).min()
    }

    /// The sums of all entries.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn spent(&self, account: Option<&str>, currency: Currency, month: bool) -> Decimal {
        let in_span = |day: &Date| {
            if month {
                (day.year(), day.month()) == (self.today.year(), self.today.month())
            } else {
                *day == self.today
            }
        };
        self.recent
            .iter()
            .filter(|((day, name, c), _)| in_span(day) && *c == currency && account.is_none_or(|a| a == name))
            .fold(Decimal::ZERO, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    fn reserved(&self, account: Option<&str>, currency: Currency) -> Decimal {
        let mine = self.ledger.sums.iter().filter(|((name, c), _)| *c == currency && account.is_none_or(|a| a == name));
        mine.fold(Decimal::ZERO, |sum, (_, sums)| sum.saturating_add(sums.reserved))
    }

    /// The name of the cap that reserving `money` for `account` would pass, or `None`: of the caps in
    /// money over all and of the account, by what is in memory. The commit that reserves decides.
    ///
    /// A cap counts what was spent in its span and everything that is reserved now.
    pub fn over(&self, money: Money, account: &str, all: &Caps, own: &Caps) -> Option<String> {
        for (caps, scope) in [(all, None), (own, Some(account))] {
            let name = |what: &str| scope.map_or_else(|| what.to_owned(), |s| format!("{s} {what}"));
            for (cap, month, what) in [(caps.day, false, "day's"), (caps.month, true, "month's")] {
                let Some(cap) = cap.filter(|cap| cap.currency == money.currency) else { continue };
                let sum = self.spent(scope, cap.currency, month) + self.reserved(scope, cap.currency) + money.amount;
                if sum > cap.amount {
                    return Some(name(what));
                }
            }
        }
        None
    }

    /// What faces show.
    pub fn spend(&self, caps: &Caps) -> Spend {
        let list = |month: bool| {
            let all = [Currency::Usd, Currency::Xno, Currency::Quota];
            all.into_iter()
                .map(|c| Money::new(self.spent(None, c, month), c))
                .filter(|m| m.currency == Currency::Usd || !m.amount.is_zero())
                .collect()
        };
        let mut unexplained: BTreeMap<(Currency, bool), Decimal> = BTreeMap::new();
        for ((_, currency), sums) in &self.ledger.sums {
            let gone = unexplained.entry((*currency, false)).or_default();
            *gone = gone.saturating_sub(sums.unexplained);
            let came = unexplained.entry((*currency, true)).or_default();
            *came = came.saturating_add(sums.unexplained_credit);
        }
        unexplained.retain(|_, amount| !amount.is_zero());
        Spend {
            today: list(false),
            month: list(true),
            day_cap: caps.day,
            month_cap: caps.month,
            differences: self.ledger.open.iter().map(|(id, entry)| difference(*id, entry)).collect(),
            unexplained: unexplained.into_iter().map(|((c, _), amount)| Money::new(amount, c)).collect(),
        }
    }
}

fn difference(id: DifferenceId, entry: &Entry) -> Difference {
    let sign = if entry.kind == EntryKind::Unexplained { -Decimal::ONE } else { Decimal::ONE };
    let money = Money::new(entry.money.amount * sign, entry.money.currency);
    Difference { id, account: entry.account.clone(), money, at: entry.at }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::Usd).unwrap()
    }

    fn entry(kind: EntryKind, money: &str, at: &str) -> Entry {
        Entry {
            account: "n".into(),
            job: None,
            kind,
            money: usd(money),
            evidence: String::new(),
            at: at.parse().unwrap(),
        }
    }

    #[test]
    fn reservations_and_charges_together_never_pass_a_cap_and_a_new_day_opens_it() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let mut budget = Budget::new(TimeZone::UTC.into(), noon, Ledger::default(), &[]);
        let caps = Caps { day: Some(usd("10")), month: Some(usd("17")), ..Caps::default() };
        let over = |b: &Budget, m: &str| b.over(usd(m), "n", &caps, &Caps::default());
        budget.book(&entry(EntryKind::Charged, "4", "2026-11-20T11:00:00Z"));
        budget.book(&entry(EntryKind::Reserved, "5", "2026-11-20T11:30:00Z"));
        assert_eq!(over(&budget, "1.00"), None, "exactly the cap is allowed");
        assert_eq!(over(&budget, "1.01").as_deref(), Some("day's"));
        budget.book(&entry(EntryKind::Refunded, "4", "2026-11-20T11:40:00Z"));
        assert_eq!(over(&budget, "5.00"), None, "a refund makes room again");
        budget.book(&entry(EntryKind::Released, "5", "2026-11-20T11:50:00Z"));
        budget.book(&entry(EntryKind::Charged, "9", "2026-11-20T11:50:00Z"));
        assert_eq!(over(&budget, "2").as_deref(), Some("day's"));
        assert!(budget.turn("2026-11-21T00:00:01Z".parse().unwrap()));
        assert_eq!(over(&budget, "8"), None);
        assert_eq!(over(&budget, "9").as_deref(), Some("month's"));
        assert!(!budget.turn(noon), "a clock set back does not bring yesterday's room again");
    }

    #[test]
    fn the_day_ends_at_midnight_of_the_users_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let budget = Budget::new(zone.into(), "2026-11-20T21:00:00Z".parse().unwrap(), Ledger::default(), &[]);
        assert_eq!(budget.next_day().unwrap(), "2026-11-20T22:00:00Z".parse::<Timestamp>().unwrap());
    }

    #[test]
    fn a_month_that_a_former_zone_began_makes_room_when_it_ends_there() {
        let zone = |hours| TimeZone::fixed(jiff::tz::offset(hours));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let moved = at("2026-11-20T12:00:00Z");
        let home = Zones::after(None, zone(-5), moved);
        let mut budget = Budget::new(Zones::after(Some(&home.kept()), zone(9), moved), moved, Ledger::default(), &[]);
        assert!(budget.turn(at("2026-11-30T15:00:00Z")), "December, but not yet at home");
        assert_eq!(budget.next_day(), Some(at("2026-12-01T05:00:00Z")));
        assert!(!budget.turn(at("2026-12-01T04:59:59Z")));
        assert!(budget.turn(at("2026-12-01T05:00:00Z")), "what was held for November may go on");
        assert_eq!(budget.next_day(), Some(at("2026-12-01T15:00:00Z")));
    }
}
