//! The first order of a session waits for its account's first balance, so that the books open before it.
//!
//! Knows that a balance was asked for and whether an answer came. Must not know what it said: an answer
//! of any kind ends the wait, and so does time.

use jiff::{SignedDuration, Timestamp};

use super::{Account, Core};

/// No balance holds orders up for longer.
const LONGEST: SignedDuration = SignedDuration::from_secs(15);

/// Where the first balance of a session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FirstBalance {
    /// The account was not reached yet.
    #[default]
    Unasked,
    /// It was reached; orders wait until this time at most.
    Awaited(Timestamp),
    /// An answer came, or none was to be had.
    Over,
}

impl FirstBalance {
    /// The account was reached: its balance is asked for next.
    pub(super) fn reached(&mut self, now: Timestamp) {
        if *self == FirstBalance::Unasked {
            *self = now.checked_add(LONGEST).map_or(FirstBalance::Over, FirstBalance::Awaited);
        }
    }

    /// Until when orders wait for it.
    pub(super) fn ends(self) -> Option<Timestamp> {
        if let FirstBalance::Awaited(until) = self { Some(until) } else { None }
    }
}

impl Core {
    /// Whether an account's orders wait for its first balance, or for that of the account that pays for it.
    pub(super) fn waits_for_first_balance(&self, account: &Account) -> bool {
        let waits = |account: &Account| account.first_balance.ends().is_some_and(|until| until > self.now);
        waits(account) || self.accounts.get(&account.wallet.payer).is_some_and(waits)
    }
}
