//! Looking for the jobs that the filter shows, so many at a time: from the newest down, or through those shown
//! before.
//!
//! Knows how far a search is. Must not know how rows are matched or lines kept.

use super::super::lines::Lines;
use super::{Jobs, Key};
use crate::domain::JobId;

/// Most jobs looked at in one step: about a millisecond (`cargo run --release --example table` prints it).
pub const STEP: usize = 1_024;

/// Where jobs to be looked at come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// All that are older than this one.
    Older(JobId),
    /// These, the last first.
    These(Vec<JobId>),
}

impl Source {
    /// All jobs.
    pub(super) fn all() -> Self {
        Source::Older(JobId(i64::MAX))
    }
}

/// A search that is under way.
#[derive(Clone, Debug)]
pub(super) struct Search {
    source: Source,
    /// Jobs that came or changed meanwhile and are to be looked at first.
    pub(super) late: Vec<JobId>,
    /// The first line is selected, whichever comes to be the first, until the user moves.
    pub(super) leads: bool,
    /// What is found is marked, too.
    pub(super) marks: bool,
    /// How many jobs were looked at.
    seen: usize,
}

impl Search {
    fn new(source: Source, leads: bool) -> Self {
        Search { source, late: Vec::new(), leads, marks: false, seen: 0 }
    }

    /// One that found all and takes what is late.
    pub(super) fn ended() -> Self {
        Search::new(Source::These(Vec::new()), false)
    }

    /// Whether it is still to look at this job.
    pub(super) fn comes_to(&self, id: JobId) -> bool {
        matches!(self.source, Source::Older(next) if id < next)
    }
}

impl Jobs {
    /// The jobs shown now, to be looked through.
    pub(super) fn as_source(&self) -> Source {
        if self.search.is_some() {
            return Source::all();
        }
        let mut ids: Vec<JobId> = self.lines.from(0).filter_map(Key::job).collect();
        ids.reverse();
        // A group of prompts stands as its newest job does.
        if !self.is_plain() {
            ids.sort_unstable();
        }
        Source::These(ids)
    }

    /// Begins to search, and does the first step.
    pub(super) fn show_again(&mut self, source: Source) {
        self.lines = Lines::new(self.is_plain());
        self.prompts.clear();
        let stays = self.selected().is_some_and(|row| self.filter.shows(row, &self.lens));
        let leads = !stays || self.follows;
        self.search = Some(Search::new(source, leads));
        self.top = 0;
        self.work();
    }

    /// Whether there are jobs still to be looked at.
    pub fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// How much of all jobs was looked at, in percent.
    pub fn searched(&self) -> usize {
        self.search.as_ref().map_or(100, |search| search.seen * 100 / self.rows.len().max(1))
    }

    /// Looks at the next jobs, a bounded number of them.
    pub fn work(&mut self) {
        let Some(mut search) = self.search.take() else { return };
        let late = search.late.len().min(STEP);
        let late: Vec<JobId> = search.late.drain(..late).collect();
        let room = STEP - late.len();
        let next: Vec<JobId> = match &mut search.source {
            Source::Older(next) => {
                let ids: Vec<JobId> = self.rows.range(..*next).rev().take(room).map(|(id, _)| *id).collect();
                *next = ids.last().copied().unwrap_or(JobId(i64::MIN));
                ids
            }
            Source::These(ids) => ids.split_off(ids.len().saturating_sub(room)).into_iter().rev().collect(),
        };
        search.seen += next.len();
        let done = match &search.source {
            Source::Older(next) => self.rows.range(..*next).next().is_none(),
            Source::These(ids) => ids.is_empty(),
        };
        let shown = |jobs: &Jobs, id: &JobId| {
            let row = jobs.rows.get(id);
            let matches = row.is_some_and(|row| jobs.filter.shows(row, &jobs.lens));
            matches && jobs.lines.key_of(*id).is_none()
        };
        let mut late: Vec<JobId> = late.into_iter().filter(|id| shown(self, id)).collect();
        late.sort_unstable();
        late.dedup();
        let next: Vec<JobId> =
            next.into_iter().filter(|id| shown(self, id) && late.binary_search(id).is_err()).collect();
        if search.marks {
            late.iter().chain(&next).for_each(|id| self.mark(*id));
        }
        let was_there = self.selected_line().is_some();
        self.search = Some(search);
        self.put_in(late, true);
        self.put_in(next, false);
        if !was_there && self.selected_line().is_some() {
            self.reveal();
        }
        let late_left = self.search.as_ref().is_some_and(|search| !search.late.is_empty());
        if done && !late_left {
            self.search = None;
            if self.selected_line().is_none() {
                self.selected = self.first_job();
                self.reveal();
            }
        }
    }
}
