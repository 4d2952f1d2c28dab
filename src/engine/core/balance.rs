//! What a service says an account holds: taken where it can be, else refused and told once.
//!
//! Knows accounts and amounts. Must not know what follows for the books, nor any wire.

use serde_json::json;

use super::first::FirstBalance;
use super::host::Call;
use super::{Core, Step};
use crate::domain::message::Level;
use crate::domain::{Balance, Money};
use crate::provider::ServiceError;
use crate::store::Change;

impl Core {
    pub(super) fn balanced(&mut self, name: &str, result: Result<Vec<Money>, ServiceError>, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.asking = false;
        account.first_balance = FirstBalance::Over;
        // One that was wanted meanwhile is asked for next.
        account.wallet.closing &= account.balance_due.is_some();
        let still = self.was_still(name);
        match result {
            Ok(amounts) => {
                for money in amounts {
                    self.see_balance(name, money, "balance", still, step);
                }
                self.recover(name, step);
            }
            Err(error) => self.trouble(name, Call::Free, &error, step),
        }
    }

    /// Notes what a service said an account holds; `still`: nothing of ours could have moved it just then.
    pub(super) fn see_balance(&mut self, name: &str, money: Money, source: &str, still: bool, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        if !money.is_believable_balance() {
            return self.refuse_balance(name, money, source, step);
        }
        account.lied = false;
        let balance = Balance { money, seen_at: self.now, source: source.to_owned() };
        account.balances.retain(|b| b.money.currency != money.currency);
        account.balances.push(balance.clone());
        account.balances.sort_by_key(|b| b.money.currency);
        self.compare(name, &balance, still, step);
        step.changes.push(Change::SeeBalance { account: name.to_owned(), balance });
        self.touch(name, step);
        self.read_trace(name, money, step);
    }

    /// An amount that nobody holds is no balance: nothing is made of it, and it is told until one comes
    /// that can be.
    fn refuse_balance(&mut self, name: &str, money: Money, source: &str, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        if std::mem::replace(&mut account.lied, true) {
            return;
        }
        let text = format!(
            "{name} says that it holds {money}, which cannot be: that is not taken, and the balance known before stands. Look at it where you bought the money"
        );
        let data = json!({"told": money, "source": source});
        self.tell_of(name, "balance_refused", text.clone(), data, step);
        self.notice(Level::Warning, text, step);
    }
}
