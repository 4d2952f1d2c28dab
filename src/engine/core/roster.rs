//! The jobs that are not final, and who waits where: kept counted, so that a step with ten thousand
//! jobs in the queue costs what one with ten does.
//!
//! Knows states. Must not know what moves a job from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{Job, JobId, JobState, Turn};

/// Jobs by number, with the counts that every step needs.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Each by itself: a job is large, and a tree of them half empty and slow to move. Shared with the commit
    /// that keeps it.
    jobs: BTreeMap<JobId, Arc<Job>>,
    /// In the order of their turns.
    queued: BTreeMap<String, BTreeSet<(Turn, JobId)>>,
    at_service: BTreeMap<String, u32>,
    held: usize,
    unconfirmed: BTreeSet<JobId>,
}

impl Roster {
    /// A roster of what is on disk.
    pub(super) fn of(jobs: impl IntoIterator<Item = Job>) -> Roster {
        let mut roster = Roster::default();
        for job in jobs {
            roster.insert(Arc::new(job));
        }
        roster
    }

    /// A job.
    pub(super) fn get(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id).map(|job| &**job)
    }

    /// Whether a job is there.
    pub(super) fn contains_key(&self, id: &JobId) -> bool {
        self.jobs.contains_key(id)
    }

    /// Whether there is none.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Their numbers, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &JobId> {
        self.jobs.keys()
    }

    /// All of them, oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().map(|job| &**job)
    }

    /// Puts a job in the place of what was there under its number.
    pub(super) fn insert(&mut self, job: Arc<Job>) {
        self.remove(job.id);
        let account = &job.request.account;
        match job.state {
            JobState::Queued => {
                self.queued.entry(account.clone()).or_default().insert((job.turn(), job.id));
            }
            JobState::Submitting | JobState::Running => *self.at_service.entry(account.clone()).or_default() += 1,
            JobState::Held => self.held += 1,
            JobState::Unconfirmed => {
                self.unconfirmed.insert(job.id);
            }
            _ => {}
        }
        self.jobs.insert(job.id, job);
    }

    /// Takes a job out.
    pub(super) fn remove(&mut self, id: JobId) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let account = &job.request.account;
        match job.state {
            JobState::Queued => {
                if let Some(queued) = self.queued.get_mut(account) {
                    queued.remove(&(job.turn(), id));
                }
            }
            JobState::Submitting | JobState::Running => {
                if let Some(count) = self.at_service.get_mut(account) {
                    *count -= 1;
                }
            }
            JobState::Held => self.held -= 1,
            JobState::Unconfirmed => {
                self.unconfirmed.remove(&id);
            }
            _ => {}
        }
    }

    /// Counts a poll of a job.
    pub(super) fn count_poll(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id) {
            let job = Arc::make_mut(job);
            job.polls = job.polls.saturating_add(1);
        }
    }

    /// An account's queued jobs, in the order of their turns.
    pub(super) fn queued(&self, account: &str) -> impl Iterator<Item = JobId> {
        self.turns(account).map(|(_, id)| id)
    }

    /// The same with their turns.
    pub(super) fn turns(&self, account: &str) -> impl Iterator<Item = (Turn, JobId)> {
        self.queued.get(account).into_iter().flatten().copied()
    }

    /// How many of an account's jobs are at the service, or on their way there.
    pub(super) fn at_service(&self, account: &str) -> u32 {
        self.at_service.get(account).copied().unwrap_or_default()
    }

    /// The unconfirmed jobs, oldest first.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &Job> {
        self.unconfirmed.iter().filter_map(|id| self.get(id))
    }

    /// Whether any job is held.
    pub(super) fn has_held(&self) -> bool {
        self.held > 0
    }
}

#[cfg(test)]
impl std::ops::Index<&JobId> for Roster {
    type Output = Job;

    fn index(&self, id: &JobId) -> &Job {
        self.get(id).expect("a job that the test put there")
    }
}
