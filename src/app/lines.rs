//! The lines of the table: keys in their order, found by line and by job; and what each group comes to.
//!
//! Knows keys. Must not know why a job is shown. Line 0 is the largest key.

mod keys;

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use super::order::Key;
use crate::domain::{Currency, JobId, JobRow, JobState, Money};
use keys::Keys;

/// The currencies, in the order of a heading's sums.
const CURRENCIES: [Currency; 3] = [Currency::Usd, Currency::Xno, Currency::Quota];

fn place(currency: Currency) -> usize {
    match currency {
        Currency::Usd => 0,
        Currency::Xno => 1,
        Currency::Quota => 2,
    }
}

/// What a group comes to. Holds nothing of its own: there may be as many of them as jobs, and all go at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heading {
    /// A job of it, which says what its jobs share.
    pub job: JobId,
    by_state: [u32; JobState::ALL.len()],
    sums: [Decimal; CURRENCIES.len()],
}

impl Heading {
    /// How many jobs it has.
    pub fn jobs(&self) -> usize {
        self.by_state.iter().map(|n| *n as usize).sum()
    }

    /// How many are in a state.
    pub fn of(&self, state: JobState) -> usize {
        self.by_state[state as usize] as usize
    }

    /// What they cost, or should, by currency.
    pub fn sums(&self) -> impl Iterator<Item = Money> {
        CURRENCIES
            .into_iter()
            .zip(self.sums)
            .map(|(currency, amount)| Money::new(amount, currency))
            .filter(|money| !money.amount.is_zero())
    }

    fn count(&mut self, row: &JobRow, sign: Decimal) {
        let n = &mut self.by_state[row.state as usize];
        *n = if sign.is_sign_positive() { *n + 1 } else { n.saturating_sub(1) };
        let over = matches!(row.state, JobState::Failed | JobState::Cancelled);
        if let Some(money) = row.cost.or(row.estimate.filter(|_| !over)) {
            let sum = &mut self.sums[place(money.currency)];
            *sum = sum.saturating_add(money.amount * sign);
        }
    }
}

/// The lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    keys: Keys,
    /// Where each job stands, in the order it was given; empty while a job's number says it all.
    placed: HashMap<JobId, Key>,
    is_plain: bool,
    headings: BTreeMap<u64, Heading>,
}

impl Lines {
    /// No lines, with room for so many: growing would take its time in the middle of a step. Plain ones stand by
    /// their jobs' numbers alone, without groups.
    pub fn new(is_plain: bool, room: usize) -> Self {
        let placed = if is_plain { HashMap::new() } else { HashMap::with_capacity(room) };
        Lines { is_plain, placed, ..Lines::default() }
    }

    /// How many lines there are, headings included.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0
    }

    /// How many jobs there are.
    pub fn jobs(&self) -> usize {
        self.keys.len() - self.headings.len()
    }

    /// What stands on a line.
    pub fn at(&self, line: usize) -> Option<Key> {
        self.keys.at(line)
    }

    /// The keys from a line on, downwards.
    pub fn from(&self, line: usize) -> impl Iterator<Item = Key> {
        self.keys.from(line)
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
        self.keys.contains(key).then_some(key)
    }

    /// The line of a job.
    pub fn line_of(&self, id: JobId) -> Option<usize> {
        self.keys.line_of(self.key_of(id)?)
    }

    /// Puts jobs in, which are not there yet.
    pub fn insert<'a>(&mut self, new: impl Iterator<Item = (Key, &'a JobRow)>) {
        for (key, row) in new {
            self.keys.insert(key);
            if self.is_plain {
                continue;
            }
            self.placed.insert(row.id, key);
            if key.group() == Key::ALONE {
                continue;
            }
            let heading = self.headings.entry(key.group()).or_insert_with(|| {
                self.keys.insert(Key::heading(key.group()));
                Heading { job: row.id, by_state: Default::default(), sums: Default::default() }
            });
            heading.count(row, Decimal::ONE);
        }
    }

    /// Takes a job out, and its group's heading with the last one; `row` is as it was counted.
    pub fn remove(&mut self, row: &JobRow) {
        let Some(key) = self.key_of(row.id) else { return };
        self.placed.remove(&row.id);
        self.keys.remove(key);
        if let Some(heading) = self.headings.get_mut(&key.group()) {
            heading.count(row, Decimal::NEGATIVE_ONE);
            if heading.jobs() == 0 {
                self.headings.remove(&key.group());
                self.keys.remove(Key::heading(key.group()));
            }
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
