//! When something goes on by itself next, and whether anything would.
//!
//! Knows states, times and reachability. Must not know who asks, nor why.

use jiff::Timestamp;

use super::host::Call;
use super::resolve::SOON;
use super::{Account, Core};
use crate::domain::search::Verdict;
use crate::domain::{Job, JobState};

/// What is left to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Work goes on.
    Work,
    /// Nothing but the next look for a lost order, which is due soon.
    Looks,
    /// Nothing goes on without the user, or not for long.
    Nothing,
}

impl Core {
    /// When the next thing falls due that no input will bring; `None` when only inputs matter.
    ///
    /// What is due already and was not begun waits for an input, not for time, and wakes nobody.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if !self.settings.online {
            return None;
        }
        let jobs = self.work.iter().filter(|(_, w)| !w.busy).filter_map(|(id, w)| {
            let job = self.jobs.get(id)?;
            let due = w.due?;
            match job.state {
                JobState::Running if job.hold.is_none() => {
                    let account = self.accounts.get(&job.request.account)?;
                    Some(self.hosts.get(&account.host)?.free_at(Call::Poll, due))
                }
                JobState::Downloading => Some(due),
                JobState::Queued if !self.draining => Some(due),
                _ => None,
            }
        });
        let accounts = self.accounts.iter().filter_map(|(name, account)| {
            Some(account.wakes(self.hosts.get(&account.host)?, self.has_queued(name), self.now))
        });
        let accounts = accounts.flatten().chain(self.next_finds()).chain(self.next_repeats());
        let day = self.jobs.has_held().then(|| self.budget.next_day()).flatten();
        jobs.chain(accounts).chain(day).filter(|at| *at > self.now).min()
    }

    /// Whether nothing can go on without the user: nothing is at a service or on its way to disk, the
    /// balance after the last order is told as far as it can be,
    /// and whatever is queued belongs to an account that is paused without an end.
    pub fn is_drained(&self) -> bool {
        let closing = !self.draining && self.accounts.values().any(Account::is_closing);
        !closing
            && self.jobs.values().all(|job| match job.state {
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

    /// What is left to wait for. A lost order without a verdict is looked for while the next look is
    /// near; one that was looked for in vain is looked for ever more rarely.
    pub fn remaining(&self) -> Rest {
        let is_soon = |job: &Job| {
            let open = job.search.as_ref().is_some_and(|search| search.verdict == Verdict::Open);
            open && self.is_looked_for(job) && !self.is_out_of_reach(job) && self.next_find(job) <= self.now + SOON
        };
        match self.is_drained() {
            false => Rest::Work,
            true if !self.draining && self.unconfirmed().any(is_soon) => Rest::Looks,
            true => Rest::Nothing,
        }
    }

    /// Whether a job's service cannot be asked before the user does something: the account is not
    /// configured, its key is not taken any more, or it was never reached and is stopped. While
    /// draining nothing is probed any more.
    fn is_out_of_reach(&self, job: &Job) -> bool {
        let account = self.accounts.get(&job.request.account);
        let unknown = |a: &Account| {
            a.profile.is_none() && ((a.is_stopped() && !a.wants_probe()) || (self.draining && !a.is_probing()))
        };
        account.is_none_or(|a| unknown(a) || a.is_locked_out())
    }
}
