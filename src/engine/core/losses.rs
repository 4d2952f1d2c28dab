//! Orders that were paid for and came to nothing: after three in a row an account pauses and says why.
//!
//! Knows that a job is counted once, and that a clip on disk ends the row. Must not know what went wrong.

use super::{Core, Step};
use crate::domain::{ErrorKind, Job, Pause};

/// So many paid orders without a clip, in a row, pause an account.
const MOST: usize = 3;

impl Core {
    /// A job that was paid for gives no clip, or not yet: its download is lost, or its service failed it
    /// and keeps the money.
    pub(super) fn count_loss(&mut self, job: &Job, kind: ErrorKind, why: &str, step: &mut Step) {
        let name = job.request.account.clone();
        let Some(account) = self.accounts.get_mut(&name) else { return };
        if !account.losses.insert(job.id) || account.losses.len() < MOST {
            return;
        }
        let lost: Vec<String> = account.losses.iter().map(ToString::to_string).collect();
        let (n, lost, id) = (lost.len(), lost.join(", "), job.id);
        let message = format!(
            "{n} orders in a row were paid for and gave no clip ({lost}); the last: {why}. Look at them with `rushes show {id}`, then resume {name}"
        );
        self.pause(&name, Pause { kind, message, until: None }, step);
    }

    /// A clip is on disk: the account's row of losses is over.
    pub(super) fn forget_losses(&mut self, account: &str) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.losses.clear();
        }
    }
}
