//! The table of jobs: which are shown, which is selected, which are marked, and where it is scrolled.
//!
//! Knows rows by job, never by line, so that nothing moves under the cursor. Must not know any pane.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::{Filter, is_needy};
use crate::domain::{JobId, JobRow, JobState};

/// What a changed row means to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that is counted or shown.
    None,
    /// Something shown.
    Shown,
}

/// How many jobs stand where; kept up with each change, never counted anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_state: [usize; JobState::ALL.len()],
    /// Late ones.
    pub late: usize,
    /// Hidden ones.
    pub abandoned: usize,
}

impl Counts {
    /// Jobs in a state that are not abandoned.
    pub fn of(&self, state: JobState) -> usize {
        self.by_state[state as usize]
    }

    /// Jobs that wait for the user.
    pub fn needy(&self) -> usize {
        JobState::ALL.into_iter().filter(|s| is_needy(*s)).map(|s| self.of(s)).sum()
    }

    fn add(&mut self, row: &JobRow) {
        self.change(row, |n| *n += 1);
    }

    fn remove(&mut self, row: &JobRow) {
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

/// The table's state. Lines run from the newest job down to the oldest.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    rows: BTreeMap<JobId, JobRow>,
    /// Shown jobs, oldest first; line 0 is the last of them.
    shown: Vec<JobId>,
    filter: Filter,
    counts: Counts,
    selected: Option<JobId>,
    /// Whether the selection stays with the newest job, as it does until the user moves it.
    follows: bool,
    marks: BTreeSet<JobId>,
    top: usize,
    page: usize,
}

impl Jobs {
    /// Starts again from these rows; filter, marks and selection stay where the jobs still are.
    pub fn replace(&mut self, rows: Vec<JobRow>) {
        self.counts = Counts::default();
        self.rows.clear();
        for row in rows {
            self.counts.add(&row);
            self.rows.insert(row.id, row);
        }
        self.marks.retain(|id| self.rows.contains_key(id));
        if self.selected.is_none() {
            self.follows = true;
        }
        self.show_again();
    }

    /// Takes a new or changed row.
    pub fn change(&mut self, row: JobRow) -> Change {
        let id = row.id;
        let shows = self.filter.shows(&row) || (self.selected == Some(id) && !row.abandoned);
        self.counts.add(&row);
        let old = self.rows.insert(id, row);
        if let Some(old) = &old {
            self.counts.remove(old);
        }
        let row = &self.rows[&id];
        if old.as_ref() == Some(row) {
            return Change::None;
        }
        let counted =
            old.as_ref().is_none_or(|old| (old.state, old.late, old.abandoned) != (row.state, row.late, row.abandoned));
        let place = self.shown.binary_search(&id);
        let moved = match (place, shows) {
            (Err(at), true) => {
                let line_above = at == self.shown.len();
                self.shown.insert(at, id);
                self.keep_still(if line_above || self.line_of(id) <= Some(self.top) { 1 } else { 0 });
                true
            }
            (Ok(at), false) => {
                let line = self.shown.len() - 1 - at;
                self.shown.remove(at);
                self.marks.remove(&id);
                if line < self.top {
                    self.top -= 1;
                }
                self.settle(line);
                true
            }
            _ => false,
        };
        let on_screen = self.line_of(id).is_some_and(|line| (self.top..self.top + self.page).contains(&line));
        if counted || moved || on_screen { Change::Shown } else { Change::None }
    }

    /// After a line came in above: the lines on screen stay where they are, unless the newest job
    /// is followed.
    fn keep_still(&mut self, lines_above: usize) {
        if self.follows {
            self.selected = self.shown.last().copied();
            self.top = 0;
        } else {
            self.top += lines_above;
            self.clamp();
        }
    }

    /// After the selected line vanished: the selection goes to what stands on its line now.
    fn settle(&mut self, line: usize) {
        if self.selected.is_some_and(|id| self.shown.binary_search(&id).is_err()) {
            self.selected = self.at_line(line.min(self.shown.len().saturating_sub(1)));
        }
        self.clamp();
    }

    /// Narrows the table to what was typed.
    pub fn set_filter(&mut self, text: &str) {
        let filter = Filter::parse(text);
        let narrower = filter.narrows(&self.filter);
        let before = std::mem::replace(&mut self.filter, filter);
        if before.text() == text {
            return;
        }
        if narrower {
            let (filter, rows) = (&self.filter, &self.rows);
            self.shown.retain(|id| rows.get(id).is_some_and(|row| filter.shows(row)));
            self.reveal_after_filter();
        } else {
            self.show_again();
        }
    }

    fn show_again(&mut self) {
        let filter = &self.filter;
        self.shown = self.rows.values().filter(|row| filter.shows(row)).map(|row| row.id).collect();
        self.reveal_after_filter();
    }

    fn reveal_after_filter(&mut self) {
        let gone = self.selected.is_none_or(|id| self.shown.binary_search(&id).is_err());
        if gone || self.follows {
            self.selected = self.shown.last().copied();
        }
        self.reveal();
    }

    /// Tells how many lines the table has on the screen.
    pub fn set_page(&mut self, lines: usize) {
        if self.page != lines {
            self.page = lines;
            self.reveal();
        }
    }

    /// Moves the selection by lines, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        let Some(last) = self.shown.len().checked_sub(1) else { return };
        let line = self.selected_line().unwrap_or(0).saturating_add_signed(lines).min(last);
        self.select_line(line);
    }

    /// Moves the selection by a screenful less one line, and the table with it.
    pub fn move_page(&mut self, down: bool) {
        let step = self.page.saturating_sub(1).max(1);
        self.top = if down { self.top + step } else { self.top.saturating_sub(step) };
        self.clamp();
        let step = isize::try_from(step).unwrap_or(isize::MAX);
        self.move_by(if down { step } else { -step });
    }

    /// Selects the job on a line of the window, counted from its top; none where there is none.
    pub fn select_in_window(&mut self, line: usize) -> Option<JobId> {
        let line = self.top + line;
        let id = self.at_line(line)?;
        self.select_line(line);
        Some(id)
    }

    /// Selects the newest job and follows it.
    pub fn move_first(&mut self) {
        self.select_line(0);
        self.follows = true;
    }

    /// Selects the oldest job.
    pub fn move_last(&mut self) {
        self.select_line(self.shown.len().saturating_sub(1));
    }

    /// Selects the next job, from the selected one down and round, that waits for the user.
    pub fn move_to_needy(&mut self) -> bool {
        let (len, start) = (self.shown.len(), self.selected_line().unwrap_or(0));
        let found = (1..=len)
            .map(|i| (start + i) % len)
            .find(|&line| self.at_line(line).and_then(|id| self.rows.get(&id)).is_some_and(|row| is_needy(row.state)));
        found.inspect(|&line| self.select_line(line)).is_some()
    }

    /// Selects a job, dropping the filter where it hides it; `false` where there is none of that number.
    pub fn select(&mut self, id: JobId) -> bool {
        if self.rows.contains_key(&id) && self.line_of(id).is_none() {
            self.set_filter("");
        }
        let line = self.line_of(id);
        line.inspect(|&line| self.select_line(line)).is_some()
    }

    fn select_line(&mut self, line: usize) {
        let left = self.selected.filter(|_| !self.filter.is_empty());
        self.selected = self.at_line(line);
        self.follows = false;
        // A job that stopped matching stays under the cursor until the cursor leaves it.
        if let Some(id) = left.filter(|id| Some(*id) != self.selected)
            && self.rows.get(&id).is_some_and(|row| !self.filter.shows(row))
            && let Ok(at) = self.shown.binary_search(&id)
        {
            self.shown.remove(at);
        }
        self.reveal();
    }

    /// Scrolls so that the selection is on the screen: by whole half pages, so that holding a key
    /// does not repaint the table at every press.
    fn reveal(&mut self) {
        let Some(line) = self.selected_line() else {
            self.top = 0;
            return;
        };
        let half = (self.page / 2).max(1);
        if line < self.top {
            self.top = line.saturating_sub(half.saturating_sub(1));
        } else if self.page > 0 && line >= self.top + self.page {
            self.top = (line + half).saturating_sub(self.page - 1).min(line);
        }
        self.clamp();
    }

    fn clamp(&mut self) {
        self.top = self.top.min(self.shown.len().saturating_sub(self.page));
    }

    fn at_line(&self, line: usize) -> Option<JobId> {
        let at = self.shown.len().checked_sub(line + 1)?;
        self.shown.get(at).copied()
    }

    fn line_of(&self, id: JobId) -> Option<usize> {
        self.shown.binary_search(&id).ok().map(|at| self.shown.len() - 1 - at)
    }

    fn selected_line(&self) -> Option<usize> {
        self.selected.and_then(|id| self.line_of(id))
    }

    /// Marks or unmarks the selected job, and goes one line on.
    pub fn toggle_mark(&mut self) {
        let Some(id) = self.selected else { return };
        if !self.marks.remove(&id) {
            self.marks.insert(id);
        }
        self.move_by(1);
    }

    /// Marks all shown jobs.
    pub fn mark_all(&mut self) {
        self.marks.extend(self.shown.iter().copied());
    }

    /// Drops all marks; `false` when there were none.
    pub fn clear_marks(&mut self) -> bool {
        let had = !self.marks.is_empty();
        self.marks.clear();
        had
    }

    /// The jobs a verb acts on: the marked ones, else the selected one. Oldest first.
    pub fn targets(&self) -> Vec<JobId> {
        if self.marks.is_empty() { self.selected.into_iter().collect() } else { self.marks.iter().copied().collect() }
    }

    /// The selected job.
    pub fn selected(&self) -> Option<&JobRow> {
        self.selected.and_then(|id| self.rows.get(&id))
    }

    /// A job by its number.
    pub fn get(&self, id: JobId) -> Option<&JobRow> {
        self.rows.get(&id)
    }

    /// Every job, shown or not.
    pub fn all(&self) -> impl Iterator<Item = &JobRow> {
        self.rows.values()
    }

    /// Whether a job is marked.
    pub fn is_marked(&self, id: JobId) -> bool {
        self.marks.contains(&id)
    }

    /// How many are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// The rows on the screen, top down, at most `lines`.
    pub fn window(&self, lines: usize) -> impl Iterator<Item = &JobRow> {
        let ids = self.shown.iter().rev().skip(self.top).take(lines);
        ids.filter_map(|id| self.rows.get(id))
    }

    /// The first line on the screen, and how many there are in all.
    pub fn scroll(&self) -> (usize, usize) {
        (self.top, self.shown.len())
    }

    /// How many lines the table has on the screen.
    pub fn page(&self) -> usize {
        self.page
    }

    /// How many jobs stand where.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What narrows the table.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many jobs there are, shown or not.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no job at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;

    fn jobs(n: i64) -> Jobs {
        let mut jobs = Jobs::default();
        jobs.set_page(10);
        jobs.replace((1..=n).map(|id| row(id, JobState::Queued, "a river")).collect());
        jobs
    }

    fn lines(jobs: &Jobs) -> Vec<i64> {
        jobs.window(10).map(|row| row.id.0).collect()
    }

    fn selected(jobs: &Jobs) -> i64 {
        jobs.selected().unwrap().id.0
    }

    #[test]
    fn new_jobs_do_not_move_the_lines_under_the_cursor() {
        let mut jobs = jobs(30);
        assert_eq!((lines(&jobs)[0], selected(&jobs)), (30, 30), "the newest is on top");
        jobs.change(row(31, JobState::Queued, "b"));
        assert_eq!((lines(&jobs)[0], selected(&jobs)), (31, 31), "and is followed until the user moves");
        jobs.move_by(3);
        let before = lines(&jobs);
        jobs.change(row(32, JobState::Queued, "c"));
        assert_eq!((lines(&jobs), selected(&jobs)), (before, 28));
        jobs.move_first();
        assert_eq!((lines(&jobs)[0], selected(&jobs)), (32, 32));
    }

    #[test]
    fn a_job_that_stops_matching_stays_under_the_cursor_until_it_leaves() {
        let mut jobs = jobs(5);
        jobs.set_filter("state:queued");
        jobs.move_by(1);
        assert_eq!(selected(&jobs), 4);
        jobs.change(row(4, JobState::Running, "a river"));
        assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 4, 3, 2, 1], 4));
        jobs.change(row(2, JobState::Running, "a river"));
        assert_eq!(lines(&jobs), [5, 4, 3, 1]);
        jobs.move_by(1);
        assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 3, 1], 3));
        jobs.set_filter("");
        assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 4, 3, 2, 1], 3));
    }

    #[test]
    fn counts_follow_every_change_and_equal_rows_change_nothing() {
        let mut jobs = jobs(3);
        assert_eq!(jobs.change(row(2, JobState::Queued, "a river")), Change::None);
        assert_eq!(jobs.change(row(2, JobState::Held, "a river")), Change::Shown);
        let counts = jobs.counts();
        assert_eq!((counts.of(JobState::Queued), counts.of(JobState::Held), counts.needy()), (2, 1, 1));
        let mut hidden = row(2, JobState::Held, "a river");
        hidden.abandoned = true;
        jobs.change(hidden);
        assert_eq!((jobs.counts().needy(), jobs.counts().abandoned, lines(&jobs)), (0, 1, vec![3, 1]));
    }

    #[test]
    fn progress_off_the_screen_changes_nothing_on_it() {
        let mut jobs = jobs(100);
        let mut far = row(1, JobState::Queued, "a river");
        far.progress = Some(3);
        assert_eq!(jobs.change(far), Change::None);
        let mut near = row(100, JobState::Queued, "a river");
        near.progress = Some(3);
        assert_eq!(jobs.change(near), Change::Shown);
    }

    #[test]
    fn the_selection_is_always_on_the_screen_whatever_is_pressed() {
        let mut jobs = jobs(57);
        let mut seed = fastrand::Rng::with_seed(7);
        for i in 0..2_000 {
            match seed.u8(..8) {
                0 => jobs.move_by(1),
                1 => jobs.move_by(-1),
                2 => jobs.move_page(true),
                3 => jobs.move_page(false),
                4 => jobs.toggle_mark(),
                5 => {
                    let states = JobState::ALL;
                    jobs.change(row(seed.i64(1..80), states[seed.usize(..states.len())], "a river"));
                }
                6 => jobs.set_filter(["", "state:queued", "-state:held", "nothing at all"][seed.usize(..4)]),
                _ => jobs.set_page(seed.usize(1..20)),
            }
            let (top, all) = jobs.scroll();
            assert!(top + jobs.page() <= all.max(jobs.page()), "step {i}: scrolled past the end");
            assert_eq!(all == 0, jobs.selected().is_none(), "step {i}");
            if let Some(line) = jobs.selected_line() {
                assert!((top..top + jobs.page()).contains(&line) || jobs.page() == 0, "step {i}: {line} {top}");
            }
        }
    }

    #[test]
    fn verbs_act_on_the_marks_else_on_the_selection() {
        let mut jobs = jobs(5);
        assert_eq!(jobs.targets(), [JobId(5)]);
        jobs.toggle_mark();
        jobs.toggle_mark();
        assert_eq!((jobs.targets(), selected(&jobs)), (vec![JobId(4), JobId(5)], 3));
        assert!(jobs.clear_marks() && !jobs.clear_marks());
    }
}
