//! Whether there is anything left that would go on by itself.
//!
//! Knows states and reachability. Must not know who asks, nor why.

use super::{Account, Core};
use crate::domain::{Job, JobState};

impl Core {
    /// Whether nothing can go on without the user: nothing is at a service or on its way to disk,
    /// and whatever is queued belongs to an account that is paused without an end.
    pub fn is_drained(&self) -> bool {
        self.jobs.values().all(|job| match job.state {
            JobState::Queued if self.draining => !self.work.get(&job.id).is_some_and(|w| w.busy),
            JobState::Queued => self.accounts.get(&job.request.account).is_none_or(Account::is_stopped),
            JobState::Running => self.draining || job.hold.is_some() || self.is_out_of_reach(job),
            JobState::Submitting => false,
            JobState::Downloading => {
                let work = self.work.get(&job.id);
                !work.is_some_and(|w| w.busy)
                    && ((self.draining && work.is_some_and(|w| w.lost > 0))
                        || (!job.links.is_empty() && self.is_out_of_reach(job)))
            }
            JobState::Unconfirmed => self.is_looked_at(job),
            _ => true,
        })
    }

    /// Whether a job's service cannot be asked before the user does something: the account is not
    /// configured, its key is not taken any more, or it was never reached and is stopped. While
    /// draining nothing is probed any more.
    fn is_out_of_reach(&self, job: &Job) -> bool {
        let account = self.accounts.get(&job.request.account);
        let unknown = |a: &Account| a.profile.is_none() && (a.is_stopped() || (self.draining && !a.is_probing()));
        account.is_none_or(|a| unknown(a) || a.is_locked_out())
    }
}
