//! Orders that were paid for and came to nothing: after three in a row an account pauses and says why.
//!
//! Knows that a job is counted once, that a clip on disk or the user's word ends the row, and that a
//! restart does not. Must not know what went wrong.

use super::{Account, Core, Step};
use crate::domain::{ErrorKind, Job, Pause};

/// So many paid orders without a clip, in a row, pause an account.
const MOST: usize = 3;

impl Core {
    /// A job that was paid for gives no clip, or not yet: its download is lost, or its service failed it
    /// and keeps the money.
    pub(super) fn count_loss(&mut self, job: &Job, kind: ErrorKind, why: &str, step: &mut Step) {
        let name = job.request.account.clone();
        let Some(account) = self.accounts.get_mut(&name) else { return };
        if !account.lose(job.id) || account.losses.len() < MOST {
            return;
        }
        let message = text(account, &format!("; the last: {why}"));
        self.pause(&name, Pause { kind, message, until: None }, step);
    }

    /// A clip is on disk: the account's row of losses is over.
    pub(super) fn forget_losses(&mut self, account: &str) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.forget_losses();
        }
    }

    /// Pauses the accounts that had lost too much before the start: a restart mends no service, and a
    /// script that starts over and over would pay on.
    pub(super) fn pause_losers(&mut self, step: &mut Step) {
        let losers = self.accounts.values().filter(|account| account.losses.len() >= MOST);
        let losers: Vec<_> = losers.map(|account| (account.name.clone(), text(account, ""))).collect();
        for (name, message) in losers {
            self.pause(&name, Pause { kind: ErrorKind::Generation, message, until: None }, step);
        }
    }
}

/// Why an account pauses, and the next step.
fn text(account: &Account, last: &str) -> String {
    let lost: Vec<String> = account.losses.iter().map(ToString::to_string).collect();
    let (n, id) = (lost.len(), lost.last().map_or("", String::as_str));
    let name = &account.name;
    format!(
        "{n} orders in a row were paid for and gave no clip ({}){last}. Look at them with `rushes show {id}`, then let {name} go on with `rushes resume {name}`, or in the dashboard",
        lost.join(", "),
    )
}
