//! What the account holds, and what its service shows of that: others use it, too, and what is shown may be
//! an old reading.
//!
//! Knows the services' book. Must not know what the engine concludes from a balance.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::Storm;
use super::cells::Wire;

/// An old reading is no older.
const OLDEST: SignedDuration = SignedDuration::from_secs(90);

/// The account beside our orders.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// Others spend on it and pay into it.
    shared: bool,
    /// Readings may be old ones.
    lags: bool,
    /// What others spent, less what they paid in.
    others: Decimal,
    /// Others did.
    pub used: bool,
    /// What it held, since when.
    held: Vec<(Timestamp, Decimal)>,
}

impl Purse {
    /// A purse of a run: where nothing but the balance tells, more than ours may happen to it.
    pub(super) fn of(wire: Wire, rng: &mut fastrand::Rng) -> Purse {
        let told = wire == Wire::NinjachatOld;
        Purse { shared: told && rng.u8(0..3) == 0, lags: told && rng.u8(0..3) == 0, ..Purse::default() }
    }

    /// Whether what is shown may be something else than what the account holds by our orders.
    pub(super) fn misleads(&self) -> bool {
        self.used || self.lags
    }
}

impl Storm {
    /// What the account holds: a thousand, less what was paid for our orders and by others.
    pub(super) fn held(&self) -> Decimal {
        Decimal::ONE_THOUSAND - self.book.paid(self.other_key) - self.purse.others
    }

    /// What it holds may be another amount from now on.
    pub(super) fn purse_moved(&mut self) {
        let held = self.held();
        if self.purse.lags && self.purse.held.last().is_none_or(|(_, last)| *last != held) {
            self.purse.held.push((self.clock, held));
        }
    }

    /// Another key means another purse, of which nothing old is shown.
    pub(super) fn purse_changed(&mut self) {
        self.purse.held.clear();
    }

    /// Somebody else spends, or pays in; often just what an order costs.
    pub(super) fn others_use(&mut self) {
        if self.purse.shared && self.one_in(15) {
            let cents = self.pick(&[300, 300, 500, 250, 7, -300, -1000]);
            self.purse.others += Decimal::new(cents, 2);
            self.purse.used = true;
            self.note(|| format!("somebody else spends {cents} cents"));
            self.purse_moved();
        }
    }

    /// What the service shows when it is asked.
    pub(super) fn shown(&mut self) -> Decimal {
        if !self.purse.lags || self.one_in(2) {
            return self.held();
        }
        let at = self.clock - SignedDuration::from_secs(self.rng.i64(0..OLDEST.as_secs()));
        let of_then = self.purse.held.iter().rev().find(|(since, _)| *since <= at).map(|(_, held)| *held);
        let shown = of_then.or(self.purse.held.first().map(|(_, held)| *held)).unwrap_or_else(|| self.held());
        self.note(|| format!("the balance shows {shown}"));
        shown
    }
}
