//! In which order the table's lines stand: by a column, within groups.
//!
//! Knows how a row becomes a key that is kept while the row changes, so that nothing moves by itself. Must not
//! know the table. Lines run from the largest key down.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::filter::last;
use crate::domain::{Currency, JobId, JobRow, JobState};

/// What lines are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// When they were queued: the newest first.
    #[default]
    Newest,
    /// State, what needs attention first.
    State,
    /// The model's name.
    Model,
    /// The account's name.
    Account,
    /// The prompt.
    Prompt,
    /// How far they are.
    Progress,
    /// How long they took, or run.
    Time,
    /// What they cost, or should.
    Cost,
    /// Their turn in the queue, then all others.
    Queue,
}

impl Column {
    /// All of them.
    pub const ALL: [Column; 9] = [
        Column::Newest,
        Column::State,
        Column::Model,
        Column::Account,
        Column::Prompt,
        Column::Progress,
        Column::Time,
        Column::Cost,
        Column::Queue,
    ];

    /// The word after `sort:`.
    pub fn word(self) -> &'static str {
        match self {
            Column::Newest => "newest",
            Column::State => "state",
            Column::Model => "model",
            Column::Account => "account",
            Column::Prompt => "prompt",
            Column::Progress => "progress",
            Column::Time => "time",
            Column::Cost => "cost",
            Column::Queue => "queue",
        }
    }
}

/// A column and its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// The other way round than usual for that column.
    pub reversed: bool,
}

impl Sort {
    /// Reads `cost` or `-cost`.
    ///
    /// # Errors
    /// A sentence that names the columns.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (reversed, word) = text.strip_prefix('-').map_or((false, text), |word| (true, word));
        let found = Column::ALL.into_iter().find(|column| column.word() == word);
        let column = found.ok_or_else(|| {
            let words: Vec<&str> = Column::ALL.iter().map(|column| column.word()).collect();
            format!("`{word}` is no column; there is {}", words.join(", "))
        })?;
        Ok(Sort { column, reversed })
    }
}

/// What lines are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// Nothing.
    #[default]
    None,
    /// The batch they came with.
    Batch,
    /// The prompt.
    Prompt,
}

impl Group {
    /// Reads `batch`, `prompt` or `none`.
    ///
    /// # Errors
    /// A sentence that names them.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word {
            "none" => Ok(Group::None),
            "batch" => Ok(Group::Batch),
            "prompt" => Ok(Group::Prompt),
            _ => Err(format!("`{word}` is no group; there is batch, prompt, none")),
        }
    }

    /// The next one, round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Group::None => Group::Batch,
            Group::Batch => Group::Prompt,
            Group::Prompt => Group::None,
        }
    }
}

/// Where a line stands. A group's heading has no job and stands above its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    group: u64,
    first: u128,
    rest: u128,
    id: JobId,
}

/// The number of a heading.
const HEADING: JobId = JobId(i64::MAX);

impl Key {
    /// The key of a row in a group, with what the row says now.
    pub fn of(row: &JobRow, sort: Sort, group: u64, now: Timestamp) -> Key {
        let (first, rest) = value(row, sort.column, now);
        let (first, rest) = if sort.reversed { (!first, !rest) } else { (first, rest) };
        // Among equals the newest first, also the other way round: but where that is what is sorted by.
        Key { group, first, rest, id: row.id }
    }

    /// The group of all where nothing is grouped; it has no heading.
    pub const ALONE: u64 = 0;

    /// The key of a job that stands by its number alone.
    pub fn plain(id: JobId) -> Key {
        Key { group: Key::ALONE, first: number(id.0), rest: 0, id }
    }

    /// The key of a group's heading.
    pub fn heading(group: u64) -> Key {
        Key { group, first: u128::MAX, rest: u128::MAX, id: HEADING }
    }

    /// The job, unless it is a heading.
    pub fn job(self) -> Option<JobId> {
        (self.id != HEADING).then_some(self.id)
    }

    /// The group.
    pub fn group(self) -> u64 {
        self.group
    }
}

/// A row's value in a column; the largest comes first.
fn value(row: &JobRow, column: Column, now: Timestamp) -> (u128, u128) {
    let ascending = |text: &str| {
        let (first, rest) = letters(text);
        (!first, !rest)
    };
    match column {
        Column::Newest => (number(row.id.0), 0),
        Column::State => (urgency(row), number(last(row).as_second())),
        Column::Model => ascending(row.model.rsplit('/').next().unwrap_or(&row.model)),
        Column::Account => ascending(&row.account),
        Column::Prompt => ascending(&row.prompt),
        Column::Progress => {
            let at_work = matches!(row.state, JobState::Running | JobState::Downloading);
            (u128::from(row.progress.filter(|_| at_work).map_or(0, |p| u16::from(p) + 1)), urgency(row))
        }
        Column::Time => {
            let end = row.finished_at.unwrap_or(now);
            let took = row.submitted_at.map(|start| end.duration_since(start).as_secs().max(0));
            (took.map_or(0, |s| number(s.saturating_add(1))), 0)
        }
        Column::Cost => {
            let money = row.cost.or(row.estimate);
            let currency = money.map_or(0, |money| if money.currency == Currency::Usd { 2 } else { 1 });
            let amount = money.and_then(|money| money.amount.checked_mul(Decimal::from(1_000_000))?.to_i64());
            (currency, number(amount.unwrap_or(0)))
        }
        Column::Queue => match row.state {
            JobState::Queued => (1, !number(row.turn.number())),
            _ => (0, 0),
        },
    }
}

/// A signed number so that its order is kept.
fn number(n: i64) -> u128 {
    u128::from(n.cast_unsigned() ^ (1 << 63))
}

/// What needs attention before what is at work, that before what waits, that before what is over.
fn urgency(row: &JobRow) -> u128 {
    match row.state {
        JobState::Unconfirmed => 9,
        JobState::Failed => 8,
        JobState::Held => 7,
        JobState::Running if row.late => 6,
        JobState::Submitting => 5,
        JobState::Downloading => 4,
        JobState::Running => 3,
        JobState::Queued => 2,
        JobState::Done => 1,
        JobState::Cancelled => 0,
    }
}

/// The first 24 bytes of a text in lower case, and what tells equal texts from others beyond them.
fn letters(text: &str) -> (u128, u128) {
    let mut bytes = [0u8; 24];
    let mut at = 0;
    let mut utf8 = [0; 4];
    for letter in text.chars().flat_map(char::to_lowercase) {
        let letter = letter.encode_utf8(&mut utf8).as_bytes();
        let Some(room) = bytes.get_mut(at..at + letter.len()) else { break };
        room.copy_from_slice(letter);
        at += letter.len();
    }
    let (first, second) = bytes.split_at(16);
    let first = first.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
    let second = second.iter().fold(0u128, |n, b| (n << 8) | u128::from(*b));
    (first, (second << 64) | u128::from(digest(text)))
}

/// A number for a text (FNV-1a), so that equal ones stand together.
pub fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;

    fn sorted(rows: &[JobRow], sort: &str) -> Vec<i64> {
        let sort = Sort::parse(sort).unwrap();
        let mut keys: Vec<Key> = rows.iter().map(|row| Key::of(row, sort, 0, Timestamp::UNIX_EPOCH)).collect();
        keys.sort_unstable();
        keys.iter().rev().filter_map(|key| key.job()).map(|id| id.0).collect()
    }

    #[test]
    fn every_column_sorts_both_ways_and_equals_stand_newest_first() {
        let money = |text: &str| Some(crate::domain::Money::usd(text.parse().unwrap()));
        let mut rows = vec![
            row(1, JobState::Done, "b drone over the hills of the north"),
            row(2, JobState::Failed, "A drone over the hills of the west"),
            row(3, JobState::Running, "a drone over the hills of the west"),
            row(4, JobState::Queued, "zebra"),
            row(5, JobState::Queued, "zebra"),
        ];
        (rows[0].cost, rows[1].cost, rows[2].estimate) = (money("0.30"), money("12"), money("2.5"));
        rows[2].progress = Some(40);
        rows[2].submitted_at = Some(Timestamp::from_second(-90).unwrap());
        rows[4].turn = rows[3].turn.before();
        for (by, wanted) in [
            ("newest", [5, 4, 3, 2, 1]),
            ("-newest", [1, 2, 3, 4, 5]),
            ("state", [2, 3, 5, 4, 1]),
            ("prompt", [3, 2, 1, 5, 4]),
            ("cost", [2, 3, 1, 5, 4]),
            ("-cost", [5, 4, 1, 3, 2]),
            ("progress", [3, 2, 5, 4, 1]),
            ("time", [3, 5, 4, 2, 1]),
            ("queue", [5, 4, 3, 2, 1]),
        ] {
            let found = sorted(&rows, by);
            if by == "prompt" {
                // Equal but for case beyond the first letters: they stand together.
                assert_eq!(found[2..], wanted[2..], "{by}");
            } else {
                assert_eq!(found, wanted, "{by}");
            }
        }
    }
}
