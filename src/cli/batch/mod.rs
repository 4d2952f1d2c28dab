//! Batches: files of rows made into jobs, each known again by its key.
//!
//! Knows rows, keys and ordinals, and says what is wrong with which line. Must not queue anything.

mod keys;
mod lines;
mod row;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::shelf::Shelf;
use crate::domain::caps::BatchCap;
use crate::domain::text::clean;
use crate::domain::{Money, NewJob, Problem};

pub use keys::Keys;

/// What a row says, in its own order.
type Fields = Vec<(String, Value)>;

/// A problem and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The file as named by the user.
    pub file: String,
    /// The line the row starts on, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, clean(&self.problem.to_string(), 600))
    }
}

/// How rows become jobs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A word that makes every key a new one, to buy again what is known; `None` continues.
    pub again: Option<String>,
    /// The ceiling of rows that name none.
    pub ceiling: Option<Money>,
    /// Labels put on every row beside its own.
    pub tags: Vec<String>,
    /// Whether pictures that are too large may be made smaller.
    pub shrink: bool,
    /// What all of it may cost.
    pub cap: Option<BatchCap>,
}

/// What came of the files read so far.
#[derive(Debug, Default)]
pub struct Batch {
    /// The jobs, in the order of the rows; copies follow each other.
    pub jobs: Vec<NewJob>,
    /// What is wrong, in the order of the rows.
    pub problems: Vec<RowProblem>,
    /// Rows read, blank lines aside.
    pub rows: usize,
    /// Jobs that another file of this batch names too, and that are there once.
    pub repeated: usize,
    /// Jobs that will be held, since nobody knows their price and no ceiling is given.
    pub unpriced: usize,
}

/// Reads files into one batch.
pub struct Reader<'a> {
    shelf: &'a Shelf,
    options: Options,
    keys: Keys,
    batch: Batch,
}

impl<'a> Reader<'a> {
    /// A reader of rows for these models.
    pub fn new(shelf: &'a Shelf, options: Options) -> Self {
        Reader { shelf, options, keys: Keys::default(), batch: Batch::default() }
    }

    /// Reads one file, or standard input for `-`. Problems of its rows are kept in the batch.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn read(&mut self, path: &Path) -> io::Result<()> {
        let (name, base) = (path.display().to_string(), path.parent().map(Path::to_path_buf));
        if name == "-" {
            return self.read_from(io::stdin().lock(), "<stdin>", PathBuf::new(), None);
        }
        // Looked at before it is opened: a pipe would be waited for, and a device never ends.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("is no regular file; pipe rows in and name `-` instead"));
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        self.read_from(BufReader::new(File::open(path)?), &name, base.unwrap_or_default(), extension.as_deref())
    }

    /// Reads rows from `input`; paths in them start from `base`.
    ///
    /// # Errors
    /// When `input` cannot be read.
    pub fn read_from(
        &mut self,
        mut input: impl BufRead,
        name: &str,
        base: PathBuf,
        extension: Option<&str>,
    ) -> io::Result<()> {
        let is_csv = match extension {
            Some("csv") => true,
            Some("jsonl" | "ndjson" | "json") => false,
            // Otherwise by what it starts with: a JSON row, or a header.
            _ => {
                let start = input.fill_buf()?;
                let first =
                    start.iter().copied().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xEF | 0xBB | 0xBF));
                first.is_some_and(|byte| !matches!(byte, b'{' | b'['))
            }
        };
        let place = base;
        let mut desk = row::Desk::new(self.shelf, place);
        self.keys.next_file();
        let Reader { options, keys, batch, .. } = self;
        let mut take = |line: u64, fields: Result<Fields, Problem>| {
            batch.rows += 1;
            let taken = fields.map_err(|p| vec![p]).and_then(|fields| desk.row(fields, options));
            let queued = taken.and_then(|row| keys.put(row, line, options, batch));
            for problem in queued.err().into_iter().flatten() {
                batch.problems.push(RowProblem { file: name.to_owned(), line, problem });
            }
        };
        if is_csv { table::read(lines::Limited::new(input), &mut take) } else { lines::read(input, &mut take) }
    }

    /// Everything that was read.
    pub fn finish(self) -> Batch {
        self.batch
    }
}
