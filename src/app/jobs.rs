//! The table of jobs: which are shown, which is selected, which are marked, and where it is scrolled.
//!
//! Knows rows by job, never by line, so that nothing moves under the cursor. Must not know any pane. What is shown
//! is searched in steps (`search`), so that a key never waits for a hundred thousand jobs.

mod marks;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::counts::Counts;
use super::filter::{Filter, Lens};
use super::lines::{Heading, Lines};
use super::order::{Column, Group, Key, Sort, digest};
use crate::domain::{JobId, JobRow, JobState};
use search::{Search, Source};

/// What a changed row means to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that is counted or shown.
    None,
    /// Something shown.
    Shown,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line<'a> {
    /// What a group's jobs share, and what they come to, above them.
    Heading(Title<'a>, &'a Heading),
    /// A job.
    Job(&'a JobRow),
}

impl<'a> Line<'a> {
    /// The job, where it is one.
    pub fn job(self) -> Option<&'a JobRow> {
        match self {
            Line::Job(row) => Some(row),
            Line::Heading(..) => None,
        }
    }
}

/// What the jobs of a group share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Title<'a> {
    /// The batch they came with, if they did.
    Batch(Option<i64>),
    /// Their prompt.
    Prompt(&'a str),
}

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Title::Batch(Some(batch)) => write!(f, "batch {batch}"),
            Title::Batch(None) => f.write_str("no batch"),
            Title::Prompt(prompt) => f.write_str(prompt),
        }
    }
}

/// The table's state. Lines run from the newest job down to the oldest, or as they are sorted.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Shared with the questions about them: a hundred thousand marked ones are not copied for a key.
    rows: BTreeMap<JobId, Arc<JobRow>>,
    lines: Lines,
    filter: Filter,
    sort: Sort,
    group: Group,
    /// The groups of prompts seen so far, by the prompt's digest.
    prompts: HashMap<u64, u64>,
    lens: Lens,
    counts: Counts,
    search: Option<Search>,
    selected: Option<JobId>,
    /// Whether the selection stays with the first line, as it does until the user moves it.
    follows: bool,
    marks: HashSet<JobId>,
    marked_in: [usize; JobState::ALL.len()],
    top: usize,
    page: usize,
}

impl Jobs {
    /// Starts again from these rows; filter, marks and selection stay where the jobs still are.
    pub fn replace(&mut self, rows: Vec<JobRow>) {
        self.lens.retried = rows.iter().filter_map(|row| Some((row.parent?, row.id))).collect();
        self.counts = Counts::default();
        for row in &rows {
            self.counts.add(row, &self.lens);
        }
        self.rows = rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
        let kept: Vec<JobId> = self.marks.drain().filter(|id| self.rows.contains_key(id)).collect();
        self.marked_in = Default::default();
        kept.into_iter().for_each(|id| self.mark(id));
        if self.selected.is_none() {
            self.follows = true;
        }
        self.show_again(Source::all());
    }

    /// Says which accounts are paused, and what today is.
    pub fn look_through(&mut self, paused: BTreeSet<String>, midnight: Timestamp, now: Timestamp) {
        self.lens.now = now;
        let other_accounts = self.lens.paused != paused && self.filter.asks_for_accounts();
        let other_day = self.lens.midnight != midnight && self.filter.asks_for_today();
        (self.lens.paused, self.lens.midnight) = (paused, midnight);
        if other_accounts || other_day {
            self.show_again(Source::all());
        }
    }

    /// Takes a new or changed row.
    pub fn change(&mut self, row: JobRow) -> Change {
        let id = row.id;
        let needy = self.counts.needy();
        if let Some(parent) = row.parent {
            // The parent may need the user no more.
            self.rows.get(&parent).into_iter().for_each(|row| self.counts.remove(row, &self.lens));
            let newest = self.lens.retried.entry(parent).or_insert(id);
            *newest = id.max(*newest);
            self.rows.get(&parent).into_iter().for_each(|row| self.counts.add(row, &self.lens));
        }
        let shows = self.filter.shows(&row, &self.lens) || (self.selected == Some(id) && !row.abandoned);
        let is_marked = self.marks.contains(&id);
        let old = self.rows.insert(id, Arc::new(row));
        if let Some(old) = &old {
            self.counts.remove(old, &self.lens);
            if is_marked {
                self.marked_in[old.state as usize] -= 1;
            }
        }
        let row = &self.rows[&id];
        self.counts.add(row, &self.lens);
        if is_marked {
            self.marked_in[row.state as usize] += 1;
        }
        if old.as_ref() == Some(row) {
            return Change::None;
        }
        let counted =
            old.as_ref().is_none_or(|old| (old.state, old.late, old.abandoned) != (row.state, row.late, row.abandoned))
                || self.counts.needy() != needy;
        let turned = self.sort.column == Column::Queue && old.as_ref().is_some_and(|old| old.turn != row.turn);
        let moved = match (self.lines.key_of(id).is_some(), shows) {
            (false, true) => self.take_in(id, old.is_none()),
            (true, false) => {
                let old = old.unwrap_or_else(|| self.rows[&id].clone());
                self.drop_line(&old);
                self.unmark(id);
                true
            }
            (true, true) => {
                if let Some(old) = &old {
                    self.lines.count_again(old, &self.rows[&id]);
                }
                // Only the user moves jobs within the queue.
                if turned {
                    self.stand_anew(id);
                }
                turned || self.group != Group::None
            }
            (false, false) => false,
        };
        let on_screen = self.lines.line_of(id).is_some_and(|line| (self.top..self.top + self.page).contains(&line));
        if counted || moved || on_screen { Change::Shown } else { Change::None }
    }

    /// A job that is not shown and should be, unless a search still comes to it.
    fn take_in(&mut self, id: JobId, is_new: bool) -> bool {
        if self.search.as_ref().is_some_and(|search| search.comes_to(id)) {
            return false;
        }
        self.put_in(vec![id], is_new);
        true
    }

    /// Puts jobs into the lines; what is on the screen stays where it is, unless the first line is followed.
    fn put_in(&mut self, ids: Vec<JobId>, is_new: bool) {
        let (sort, now) = (self.sort, self.lens.now);
        let mut keys: Vec<(Key, JobId)> = Vec::with_capacity(ids.len());
        for id in ids {
            let group = self.group_of(id, is_new);
            keys.push((Key::of(&self.rows[&id], sort, group, now), id));
        }
        let anchor = self.anchor();
        let rows = &self.rows;
        self.lines.insert(keys.iter().map(|(key, id)| (*key, rows[id].as_ref())));
        self.hold_to(anchor);
    }

    fn group_of(&mut self, id: JobId, is_new: bool) -> u64 {
        let row = &self.rows[&id];
        match self.group {
            Group::None => Key::ALONE,
            Group::Batch => row.batch.map_or(1, |batch| batch.unsigned_abs() + 1),
            Group::Prompt => {
                // Searched from the newest job down: the groups stand as their newest jobs do.
                let middle = u64::MAX / 2;
                let seen = self.prompts.len() as u64;
                let next = if is_new { middle + 1 + seen } else { middle - seen };
                *self.prompts.entry(digest(&row.prompt)).or_insert(next)
            }
        }
    }

    /// A job on the screen and its place there, to be held to while lines come in.
    fn anchor(&self) -> Option<(JobId, usize)> {
        let here = self.lines.from(self.top).take(self.page.max(1));
        here.enumerate().find_map(|(offset, key)| key.job().map(|id| (id, offset)))
    }

    fn hold_to(&mut self, anchor: Option<(JobId, usize)>) {
        let leads = self.search.as_ref().is_some_and(|search| search.leads);
        if self.follows || leads {
            let first = self.first_job();
            let left = std::mem::replace(&mut self.selected, first);
            self.leave(left);
            self.top = 0;
        } else if let Some((id, offset)) = anchor
            && let Some(line) = self.lines.line_of(id)
        {
            self.top = line.saturating_sub(offset);
        }
        self.clamp();
    }

    fn first_job(&self) -> Option<JobId> {
        self.lines.from(0).find_map(Key::job)
    }

    /// Takes a job's line out; the lines on the screen stay where they are. `row` is as it was counted.
    fn drop_line(&mut self, row: &JobRow) {
        let Some(line) = self.lines.line_of(row.id) else { return };
        let before = self.lines.len();
        self.lines.remove(row);
        if line < self.top {
            self.top = self.top.saturating_sub(before - self.lines.len());
        }
        self.settle(line);
    }

    /// The user gave the job another turn: it goes there, and the selection with it.
    fn stand_anew(&mut self, id: JobId) {
        let row = self.rows[&id].clone();
        self.lines.remove(&row);
        let follows = std::mem::take(&mut self.follows);
        self.put_in(vec![id], false);
        self.follows = follows && self.selected == self.first_job();
        if self.selected == Some(id) {
            self.reveal();
        }
    }

    /// After the selected line vanished: the selection goes to what stands on its line now.
    fn settle(&mut self, line: usize) {
        if self.selected.is_some_and(|id| self.lines.key_of(id).is_none()) && self.search.is_none() {
            self.selected = self.job_near(line, true);
        }
        self.clamp();
    }

    /// Narrows, sorts and groups the table as was typed.
    pub fn set_filter(&mut self, text: &str) {
        if self.filter.text() == text {
            return;
        }
        // What was marked was what the filter showed.
        self.settle_marks();
        let filter = Filter::parse(text);
        let (sort, group) = (self.sort, self.group);
        if filter.sort() != self.filter.sort() {
            self.sort = filter.sort().unwrap_or_default();
        }
        if filter.group() != self.filter.group() {
            self.group = filter.group().unwrap_or_default();
        }
        let same = (sort, group) == (self.sort, self.group) && self.search.is_none();
        let source = if same && filter.narrows(&self.filter) { self.as_source() } else { Source::all() };
        self.filter = filter;
        self.show_again(source);
    }

    /// Sorts by a column; by the same again: the other way round.
    pub fn sort_by(&mut self, column: Column) {
        let reversed = self.sort.column == column && !self.sort.reversed;
        self.sort = Sort { column, reversed };
        let source = self.as_source();
        self.show_again(source);
    }

    /// Groups the lines.
    pub fn group_by(&mut self, group: Group) {
        self.group = group;
        let source = self.as_source();
        self.show_again(source);
    }

    /// Sorts and groups as at the start; `false` where that is so already.
    pub fn stand_plainly(&mut self) -> bool {
        let plain = self.is_plain();
        if !plain {
            (self.sort, self.group) = (Sort::default(), Group::None);
            self.show_again(Source::all());
        }
        !plain
    }

    fn is_plain(&self) -> bool {
        self.sort == Sort::default() && self.group == Group::None
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
        let Some(last) = self.lines.len().checked_sub(1) else { return };
        let line = self.selected_line().unwrap_or(0).saturating_add_signed(lines).min(last);
        self.select_line(line, lines >= 0);
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
        let id = self.lines.at(line)?.job()?;
        self.select_line(line, true);
        Some(id)
    }

    /// Selects the first job and follows the first line.
    pub fn move_first(&mut self) {
        self.select_line(0, true);
        self.top = 0;
        self.follows = true;
    }

    /// Selects the last job.
    pub fn move_last(&mut self) {
        self.select_line(self.lines.len().saturating_sub(1), false);
    }

    /// Selects the next job, from the selected one down and round, that waits for the user.
    pub fn move_to_needy(&mut self) -> bool {
        let (len, start) = (self.lines.len(), self.selected_line().unwrap_or(0));
        let needy = |line: &usize| {
            let row = self.lines.at(*line).and_then(Key::job).and_then(|id| self.rows.get(&id));
            row.is_some_and(|row| self.lens.needs_user(row))
        };
        let found = (1..=len).map(|i| (start + i) % len).find(needy);
        found.inspect(|&line| self.select_line(line, true)).is_some()
    }

    /// Selects a job, dropping the filter where it hides it; `false` where it cannot be shown.
    pub fn select(&mut self, id: JobId) -> bool {
        if !self.rows.contains_key(&id) {
            return false;
        }
        if self.lines.key_of(id).is_none() {
            self.follows = false;
            self.selected = Some(id);
            self.set_filter("");
        }
        if let Some(line) = self.lines.line_of(id) {
            self.select_line(line, true);
            return true;
        }
        // It is selected once the search comes to it.
        self.search.as_ref().is_some_and(|search| search.comes_to(id))
    }

    /// Selects the job on a line, or the nearest one where that is a heading.
    fn select_line(&mut self, line: usize, down: bool) {
        let here = self.job_near(line, down);
        let left = std::mem::replace(&mut self.selected, here);
        self.follows = false;
        if let Some(search) = &mut self.search {
            search.leads = false;
        }
        self.leave(left);
        self.reveal();
    }

    /// A job that stopped matching stays under the cursor until the cursor leaves it.
    fn leave(&mut self, left: Option<JobId>) {
        if let Some(row) = left.filter(|id| Some(*id) != self.selected).and_then(|id| self.rows.get(&id))
            && !self.filter.shows(row, &self.lens)
        {
            let row = row.clone();
            self.lines.remove(&row);
        }
    }

    fn job_near(&self, line: usize, down: bool) -> Option<JobId> {
        let line = line.min(self.lines.len().saturating_sub(1));
        let below = || self.lines.from(line).find_map(Key::job);
        let above = || (0..=line).rev().find_map(|line| self.lines.at(line).and_then(Key::job));
        if down { below().or_else(above) } else { above().or_else(below) }
    }

    /// Scrolls so that the selection is on the screen: by whole half pages, so that holding a key
    /// does not repaint the table at every press.
    fn reveal(&mut self) {
        let Some(line) = self.selected_line() else {
            self.top = 0;
            return;
        };
        // A heading right above is shown with its job.
        let above = line.checked_sub(1).and_then(|above| self.lines.at(above));
        let line_above = if above.is_some_and(|key| key.job().is_none()) && self.page > 1 { line - 1 } else { line };
        let half = (self.page / 2).max(1);
        if line_above < self.top {
            self.top = line_above.saturating_sub(half.saturating_sub(1));
        } else if self.page > 0 && line >= self.top + self.page {
            self.top = (line + half).saturating_sub(self.page - 1).min(line);
        }
        self.clamp();
    }

    fn clamp(&mut self) {
        self.top = self.top.min(self.lines.len().saturating_sub(self.page));
    }

    fn selected_line(&self) -> Option<usize> {
        self.selected.and_then(|id| self.lines.line_of(id))
    }

    /// The selected job.
    pub fn selected(&self) -> Option<&JobRow> {
        self.selected.and_then(|id| self.get(id))
    }

    /// A job by its number.
    pub fn get(&self, id: JobId) -> Option<&JobRow> {
        self.rows.get(&id).map(Arc::as_ref)
    }

    /// The same, to be kept while the table goes on.
    pub fn shared(&self, id: JobId) -> Option<Arc<JobRow>> {
        self.rows.get(&id).cloned()
    }

    /// Every job, shown or not, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &JobRow> {
        self.rows.values().rev().map(Arc::as_ref)
    }

    /// Every job that is not over, shown or not, oldest first.
    pub fn active(&self) -> impl Iterator<Item = &JobRow> {
        self.counts.active().filter_map(|id| self.get(id))
    }

    /// The newest job that is another try of this one, or goes on from it.
    pub fn child_of(&self, id: JobId) -> Option<JobId> {
        self.lens.retried.get(&id).copied()
    }

    /// The lines on the screen, top down, at most `lines`.
    pub fn window(&self, lines: usize) -> impl Iterator<Item = Line<'_>> {
        self.lines.from(self.top).take(lines).filter_map(|key| match key.job() {
            Some(id) => self.get(id).map(Line::Job),
            None => self.lines.heading(key.group()).and_then(|heading| self.headed(heading)),
        })
    }

    fn headed<'a>(&'a self, heading: &'a Heading) -> Option<Line<'a>> {
        let row = self.rows.get(&heading.job)?;
        let title = match self.group {
            Group::Batch => Title::Batch(row.batch),
            _ => Title::Prompt(&row.prompt),
        };
        Some(Line::Heading(title, heading))
    }

    /// The first line on the screen, and how many there are in all.
    pub fn scroll(&self) -> (usize, usize) {
        (self.top, self.lines.len())
    }

    /// How many jobs are shown.
    pub fn shown(&self) -> usize {
        self.lines.jobs()
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

    /// How it is sorted.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// How it is grouped.
    pub fn group(&self) -> Group {
        self.group
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
