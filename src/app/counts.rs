//! How many jobs stand where, what the queue would cost and who is next in it: kept up with each change, never
//! counted anew, so that a hundred thousand jobs cost what a hundred do.
//!
//! Knows rows. Must not know which of them are shown.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::Lens;
use crate::domain::shortfall::Wanted;
use crate::domain::{JobId, JobRow, JobState, Turn};

/// The counts over all jobs.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by_state: [usize; JobState::ALL.len()],
    /// Late ones.
    pub late: usize,
    /// Hidden ones.
    pub abandoned: usize,
    needy: usize,
    wanted: Wanted,
    queues: BTreeMap<String, BTreeSet<(Turn, JobId)>>,
    active: BTreeSet<JobId>,
}

impl Counts {
    /// Jobs in a state that are not abandoned.
    pub fn of(&self, state: JobState) -> usize {
        self.by_state[state as usize]
    }

    /// Jobs that wait for the user's decision: unconfirmed, failed and not tried again, held, late.
    pub fn needy(&self) -> usize {
        self.needy
    }

    /// The jobs that are not over, oldest first.
    pub fn active(&self) -> impl Iterator<Item = JobId> {
        self.active.iter().copied()
    }

    /// What is queued, in money by account.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Which place a queued job has in its account's queue, from 1; `None` where that is beyond `most`.
    pub fn place(&self, row: &JobRow, most: usize) -> Option<usize> {
        let queue = self.queues.get(&row.account).filter(|_| row.state == JobState::Queued)?;
        let me = (row.turn, row.id);
        queue.iter().take(most).position(|other| *other == me).map(|place| place + 1)
    }

    /// Counts a row.
    pub(super) fn add(&mut self, row: &JobRow, lens: &Lens) {
        self.needy += usize::from(lens.waits(row));
        if !row.state.is_final() {
            self.active.insert(row.id);
        }
        if row.state == JobState::Queued {
            self.wanted.add(row);
            self.queues.entry(row.account.clone()).or_default().insert((row.turn, row.id));
        }
        self.change(row, |n| *n += 1);
    }

    /// Takes a row out again; it must be as it was when it was counted, seen through the same lens.
    pub(super) fn remove(&mut self, row: &JobRow, lens: &Lens) {
        self.needy -= usize::from(lens.waits(row));
        self.active.remove(&row.id);
        if row.state == JobState::Queued {
            self.wanted.remove(row);
            if let Some(queue) = self.queues.get_mut(&row.account) {
                queue.remove(&(row.turn, row.id));
            }
        }
        self.change(row, |n| *n = n.saturating_sub(1));
    }

    fn change(&mut self, row: &JobRow, by: impl Fn(&mut usize)) {
        if row.abandoned {
            return by(&mut self.abandoned);
        }
        by(&mut self.by_state[row.state as usize]);
        if row.late {
            by(&mut self.late);
        }
    }
}
