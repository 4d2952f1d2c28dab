//! The lines of the table: keys in their order, found by line and by job; and what each group comes to.
//!
//! Knows keys. Must not know why a job is shown. Line 0 is the largest key.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use super::order::Key;
use crate::domain::{Currency, JobId, JobRow, JobState, Money};

/// What a group comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heading {
    /// What its jobs share.
    pub title: String,
    by_state: [usize; JobState::ALL.len()],
    sums: BTreeMap<Currency, Decimal>,
}

impl Heading {
    /// How many jobs it has.
    pub fn jobs(&self) -> usize {
        self.by_state.iter().sum()
    }

    /// How many are in a state.
    pub fn of(&self, state: JobState) -> usize {
        self.by_state[state as usize]
    }

    /// What they cost, or should, by currency.
    pub fn sums(&self) -> impl Iterator<Item = Money> {
        self.sums
            .iter()
            .map(|(currency, amount)| Money::new(*amount, *currency))
            .filter(|money| !money.amount.is_zero())
    }

    fn count(&mut self, row: &JobRow, sign: Decimal) {
        let n = &mut self.by_state[row.state as usize];
        *n = if sign.is_sign_positive() { *n + 1 } else { n.saturating_sub(1) };
        let over = matches!(row.state, JobState::Failed | JobState::Cancelled);
        if let Some(money) = row.cost.or(row.estimate.filter(|_| !over)) {
            *self.sums.entry(money.currency).or_default() += money.amount * sign;
        }
    }
}

/// The lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Ascending.
    keys: Vec<Key>,
    /// Where each job stands, in the order it was given; empty while a job's number says it all.
    placed: HashMap<JobId, Key>,
    is_plain: bool,
    headings: HashMap<u64, Heading>,
}

impl Lines {
    /// No lines. Plain ones stand by their jobs' numbers alone, without groups.
    pub fn new(is_plain: bool) -> Self {
        Lines { is_plain, ..Lines::default() }
    }

    /// How many lines there are, headings included.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many jobs there are.
    pub fn jobs(&self) -> usize {
        self.keys.len() - self.headings.len()
    }

    /// What stands on a line.
    pub fn at(&self, line: usize) -> Option<Key> {
        self.keys.get(self.keys.len().checked_sub(line + 1)?).copied()
    }

    /// The keys from a line on, downwards.
    pub fn from(&self, line: usize) -> impl Iterator<Item = Key> {
        self.keys.iter().rev().skip(line).copied()
    }

    /// A group's heading.
    pub fn heading(&self, group: u64) -> Option<&Heading> {
        self.headings.get(&group)
    }

    /// Where a job stands.
    pub fn key_of(&self, id: JobId) -> Option<Key> {
        if !self.is_plain {
            return self.placed.get(&id).copied();
        }
        let key = Key::plain(id);
        self.keys.binary_search(&key).is_ok().then_some(key)
    }

    /// The line of a job.
    pub fn line_of(&self, id: JobId) -> Option<usize> {
        let at = self.keys.binary_search(&self.key_of(id)?).ok()?;
        Some(self.keys.len() - 1 - at)
    }

    /// Puts jobs in, which are not there yet. `title` names a group that is new.
    pub fn insert<'a>(&mut self, new: impl Iterator<Item = (Key, &'a JobRow)>, title: impl Fn(&JobRow) -> String) {
        let mut keys = Vec::new();
        for (key, row) in new {
            keys.push(key);
            if self.is_plain {
                continue;
            }
            self.placed.insert(row.id, key);
            if key.group() == Key::ALONE {
                continue;
            }
            let heading = self.headings.entry(key.group()).or_insert_with(|| {
                keys.push(Key::heading(key.group()));
                Heading { title: title(row), ..Heading::default() }
            });
            heading.count(row, Decimal::ONE);
        }
        keys.sort_unstable();
        self.merge(keys);
    }

    fn merge(&mut self, mut new: Vec<Key>) {
        let Some((first, last)) = new.first().zip(new.last()) else { return };
        if self.keys.last().is_none_or(|end| end < first) {
            return self.keys.append(&mut new);
        }
        if let [one] = new.as_slice() {
            let at = self.keys.partition_point(|key| key < one);
            return self.keys.insert(at, *one);
        }
        let mut old = std::mem::take(&mut self.keys);
        if last < &old[0] {
            new.append(&mut old);
            self.keys = new;
            return;
        }
        self.keys.reserve(old.len() + new.len());
        let mut old = old.into_iter().peekable();
        for key in new {
            while let Some(before) = old.next_if(|other| *other < key) {
                self.keys.push(before);
            }
            self.keys.push(key);
        }
        self.keys.extend(old);
    }

    /// Takes a job out, and its group's heading with the last one; `row` is as it was counted.
    pub fn remove(&mut self, row: &JobRow) {
        let Some(key) = self.key_of(row.id) else { return };
        self.placed.remove(&row.id);
        self.take(key);
        if let Some(heading) = self.headings.get_mut(&key.group()) {
            heading.count(row, Decimal::NEGATIVE_ONE);
            if heading.jobs() == 0 {
                self.headings.remove(&key.group());
                self.take(Key::heading(key.group()));
            }
        }
    }

    fn take(&mut self, key: Key) {
        if let Ok(at) = self.keys.binary_search(&key) {
            self.keys.remove(at);
        }
    }

    /// A job that stays where it is has changed: its group's heading follows.
    pub fn count_again(&mut self, old: &JobRow, new: &JobRow) {
        let group = self.placed.get(&new.id).map(|key| key.group());
        if let Some(heading) = group.and_then(|group| self.headings.get_mut(&group)) {
            heading.count(old, Decimal::NEGATIVE_ONE);
            heading.count(new, Decimal::ONE);
        }
    }
}
