//! What can go wrong with the job database, each with its next step.
//!
//! Knows SQLite's error codes. Must not know who asked.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi;

use crate::domain::JobId;
use crate::domain::caps::Limit;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory of the store.
    #[error("cannot {what} {}: {source}; check that the disk is there and that you may write to it", path.display())]
    Io {
        /// What was tried, such as `create`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite said no in a way not named below.
    #[error("the job database failed: {0}; nothing of this change was kept")]
    Sqlite(#[source] rusqlite::Error),
    /// The disk is full, and releasing the reserve did not help.
    #[error(
        "the disk with the data directory is full, or its files may not grow (a quota, `ulimit -f`); nothing of this change was kept: make room, then try again"
    )]
    Full,
    /// The directory lies on a network file system, where write-ahead logging is not safe.
    #[error(
        "{} is on a network file system ({kind}), where two machines could both work the queue; choose a local directory with --data-dir",
        dir.display()
    )]
    NetworkFileSystem {
        /// The data directory.
        dir: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// The database was written by a newer version of this program.
    #[error(
        "{} was written by a newer rushes (schema {found}, this one knows {known}); upgrade rushes or choose another --data-dir",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The database has an older schema and is open for reading only.
    #[error("{} has an older schema ({found}, now {known}); run `rushes` once so that it is upgraded", path.display())]
    OlderSchema {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The version needed.
        known: i64,
    },
    /// The file is a database of another program.
    #[error("{} is not a rushes database; choose another --data-dir", .0.display())]
    NotOurs(PathBuf),
    /// Simulated and real data may not be mixed.
    #[error(
        "{} holds {} data; simulated and real jobs are kept apart: choose another --data-dir",
        dir.display(),
        if *simulated { "simulated" } else { "real" }
    )]
    Mixed {
        /// The data directory.
        dir: PathBuf,
        /// Whether what it holds is simulated.
        simulated: bool,
    },
    /// There is no database yet.
    #[error("there are no jobs in {} yet", .0.display())]
    NotThere(PathBuf),
    /// A job with this key is there already.
    #[error("a job with the key `{0}` is there already; it is not bought twice")]
    DuplicateKey(String),
    /// The file name is claimed by another job.
    #[error("the file name {0} is claimed by another job")]
    NameTaken(String),
    /// Setting money aside for an order would pass a cap.
    #[error("{job} would pass the {}; nothing of this change was kept", limit.text())]
    OverCap {
        /// The job.
        job: JobId,
        /// The limit.
        limit: Limit,
    },
    /// The same evidence was booked before with another meaning.
    #[error("the books already hold `{evidence}` as {booked}; it cannot be booked again as {offered}")]
    OtherEvidence {
        /// The evidence.
        evidence: String,
        /// What the books say.
        booked: String,
        /// What was to be booked.
        offered: String,
    },
    /// What was stored cannot be read back.
    #[error("the job database is damaged: {0}; restore it from a copy, or report this")]
    Damaged(String),
    /// A change was asked of a store that is open for reading only.
    #[error("the data directory is open for reading only")]
    ReadOnly,
    /// The writer has ended.
    #[error("the job database is closed")]
    Closed,
}

impl StoreError {
    /// An error of a file or directory.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        StoreError::Io { what, path: path.to_owned(), source }
    }

    /// Something stored that cannot be read back.
    pub(super) fn damaged(what: impl std::fmt::Display) -> Self {
        StoreError::Damaged(what.to_string())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if is_full(&error) { StoreError::Full } else { StoreError::Sqlite(error) }
    }
}

/// Whether the disk had no room. SQLite turns ENOSPC of a write into `SQLITE_FULL`; that of growing
/// the shared index keeps its own code, and a quota or a limit on a file's size is a write that failed.
fn is_full(error: &rusqlite::Error) -> bool {
    let Some(code) = error.sqlite_error().map(|e| e.extended_code) else { return false };
    code & 0xff == ffi::SQLITE_FULL || matches!(code, ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_WRITE)
}

/// Whether a unique constraint on `column` (as `table.column`) was broken.
pub(super) fn is_duplicate(error: &rusqlite::Error, column: &str) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code & 0xff == ffi::SQLITE_CONSTRAINT)
        && error.to_string().contains(column)
}
