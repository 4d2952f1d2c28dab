//! Marks: which jobs a verb acts on.
//!
//! Knows that many are marked in steps. Must not know what is done to them.

use super::super::order::Key;
use super::Jobs;
use super::search::Search;
use crate::domain::{JobId, JobState};

impl Jobs {
    pub(super) fn mark(&mut self, id: JobId) {
        if let Some(row) = self.rows.get(&id)
            && self.marks.insert(id)
        {
            self.marked_in[row.state as usize] += 1;
        }
    }

    pub(super) fn unmark(&mut self, id: JobId) -> bool {
        let was = self.marks.remove(&id);
        if let Some(row) = self.rows.get(&id).filter(|_| was) {
            self.marked_in[row.state as usize] -= 1;
        }
        was
    }

    /// Marks or unmarks the selected job, and goes one line on.
    pub fn toggle_mark(&mut self) {
        self.settle_marks();
        let Some(id) = self.selected else { return };
        if !self.unmark(id) {
            self.mark(id);
        }
        self.move_by(1);
    }

    /// Marks all jobs that the filter shows: in steps, those still searched for as they are found.
    pub fn mark_all(&mut self) {
        let mut shown: Vec<JobId> = self.lines.from(0).filter_map(Key::job).collect();
        // The first lines first: they are looked at.
        shown.reverse();
        let search = self.search.get_or_insert_with(Search::ended);
        (search.marks, search.to_mark) = (true, shown);
        self.work();
    }

    /// Drops all marks; `false` when there were none.
    pub fn clear_marks(&mut self) -> bool {
        if let Some(search) = &mut self.search {
            search.marks = false;
            search.to_mark.clear();
        }
        let had = !self.marks.is_empty();
        self.marks.clear();
        self.marked_in = Default::default();
        had
    }

    /// The jobs a verb acts on: the marked ones, else the selected one. Oldest first.
    pub fn targets(&self) -> Vec<JobId> {
        let mut ids: Vec<JobId> = if self.marks.is_empty() {
            self.selected.into_iter().collect()
        } else {
            self.marks.iter().copied().collect()
        };
        ids.sort_unstable();
        ids
    }

    /// The states that the jobs a verb acts on are in.
    pub fn target_states(&self) -> impl Iterator<Item = JobState> {
        let one = self.selected().map(|row| row.state).filter(|_| self.marks.is_empty());
        JobState::ALL
            .into_iter()
            .filter(move |state| one.map_or(self.marked_in[*state as usize] > 0, |one| one == *state))
    }

    /// Whether a job is marked.
    pub fn is_marked(&self, id: JobId) -> bool {
        self.marks.contains(&id)
    }

    /// Whether the filter keeps a job out of the table; what still stands under the cursor is seen.
    pub fn hides(&self, id: JobId) -> bool {
        self.lines.key_of(id).is_none() && self.rows.get(&id).is_some_and(|row| !self.filter.shows(row, &self.lens))
    }

    /// How many are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// Marks now what is still to be marked: before something is done to the marked ones.
    pub fn settle_marks(&mut self) {
        while self.search.as_ref().is_some_and(|search| search.marks) {
            self.work();
        }
    }
}
