//! The store without its thread and its disk: the same schema and the same transactions on a file in memory,
//! for runs by the hundred thousand.
//!
//! Knows how a commit is made and how it fails on a full disk. Must not be in a release, nor know what is tried.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use rusqlite::Connection;

use super::change::{Change, Committed, EntryFilter, JobFilter, Known, Loaded, NewLine};
use super::{Left, StoreError, StoredIntent, bodies, books, caps, desk, jobs, loaded, schema, writer};
use crate::domain::caps::Guard;
use crate::domain::{Entry, Job, JobId};

/// Where files are in memory, and where they are where there is no such place.
const PLACES: [&str; 2] = ["/dev/shm", "/tmp"];

/// Where SQLite counts the file's changes, twice; what it has read is worth nothing once they moved on.
const COUNTERS: [usize; 2] = [24, 92];

/// A page of the database, in bytes.
const PAGE: usize = 4096;

/// So many pages a full disk still has: any commit of ours fits.
const LITTLE: usize = 48;

/// More commits than between two beginnings are never made.
const COMMITS_MAX: u32 = 1 << 12;

thread_local! {
    /// The one of the trial before, on this thread.
    static SPARE: Cell<Option<Base>> = const { Cell::new(None) };
}

/// An open database and what it is when it is empty. Its statements outlive a trial: preparing them and the
/// schema is most of what a short one would cost.
#[derive(Debug)]
struct Base {
    db: Connection,
    file: File,
    path: PathBuf,
    empty: Vec<u8>,
    begun: u32,
}

impl Base {
    fn new() -> Result<Base, StoreError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = PLACES.iter().map(PathBuf::from).find(|dir| dir.is_dir()).unwrap_or_default();
        let name = format!("rushes-trial-{}-{}.db", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = dir.join(name);
        let mut db = Connection::open(&path)?;
        db.pragma_update(None, "journal_mode", "MEMORY")?;
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(256);
        schema::migrate(&mut db, schema::newest())?;
        desk::found(&db, false)?;
        caps::found(&mut db)?;
        let failed = |source| StoreError::Io { what: "read", path: path.clone(), source };
        let empty = std::fs::read(&path).map_err(failed)?;
        let file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
        Ok(Base { db, file, path, empty, begun: 0 })
    }

    /// Makes it empty again, under SQLite's feet: to it, somebody else wrote the file while it held no lock.
    fn begin(&mut self) -> Result<(), StoreError> {
        self.begun += 1;
        let counter = self.begun.wrapping_mul(COMMITS_MAX).to_be_bytes();
        COUNTERS.iter().for_each(|at| self.empty[*at..*at + 4].copy_from_slice(&counter));
        // A lock that is kept spares asking the file system before each statement; it is let go by a read.
        self.db.pragma_update(None, "locking_mode", "NORMAL")?;
        self.db.prepare_cached("SELECT count(*) FROM meta")?.query_row([], |_| Ok(()))?;
        self.write().map_err(|source| StoreError::Io { what: "empty", path: self.path.clone(), source })?;
        self.db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        Ok(())
    }

    fn write(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.empty.len() as u64)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.empty)
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A database that lives as long as this.
#[derive(Debug)]
pub struct Trial {
    /// There until this is dropped.
    base: Option<Base>,
}

impl Drop for Trial {
    fn drop(&mut self) {
        let whole = |base: &Base| base.db.is_autocommit() && !std::thread::panicking();
        // A thread that ends keeps none.
        let _ = SPARE.try_with(|spare| spare.set(self.base.take().filter(whole)));
    }
}

impl Trial {
    /// An empty one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new() -> Result<Trial, StoreError> {
        let mut base = match SPARE.take() {
            Some(base) => base,
            None => Base::new()?,
        };
        base.begin()?;
        Ok(Trial { base: Some(base) })
    }

    fn db(&self) -> &Connection {
        &self.base.as_ref().expect("it is there until the drop").db
    }

    fn db_mut(&mut self) -> &mut Connection {
        &mut self.base.as_mut().expect("it is there until the drop").db
    }

    /// Commits all changes in one transaction, or none of them.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept then.
    pub fn commit(&mut self, changes: &[Change]) -> Result<Committed, StoreError> {
        writer::commit(self.db_mut(), changes, |_| false)
    }

    /// The same on a disk that is full once all of it is written and not yet committed.
    ///
    /// # Errors
    /// [`StoreError::Full`], always, unless the changes are refused for another reason.
    pub fn commit_when_full(&mut self, changes: &[Change]) -> Result<Committed, StoreError> {
        let pages: i64 = self.db().pragma_query_value(None, "page_count", |row| row.get(0))?;
        let mut changes = changes.to_vec();
        let text = "x".repeat(PAGE * 2 * LITTLE);
        let (kind, data) = ("filler".to_owned(), serde_json::Value::Null);
        changes.push(Change::AddLine(NewLine {
            at: Timestamp::UNIX_EPOCH,
            job: None,
            account: None,
            kind,
            text,
            data,
        }));
        self.db().pragma_update(None, "max_page_count", pages + LITTLE as i64)?;
        let result = self.commit(&changes);
        self.db().pragma_update(None, "max_page_count", u32::MAX - 1)?;
        result
    }

    /// What an engine starts from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&self) -> Result<Loaded, StoreError> {
        loaded(self.db())
    }

    /// A job, whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        bodies::one(self.db(), id)
    }

    /// Every job, whole, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        bodies::filtered(self.db(), &JobFilter::default())
    }

    /// Every entry, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        books::filtered(self.db(), &EntryFilter::default())
    }

    /// Which of these keys are known, and for what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self, keys: &[String]) -> Result<HashMap<String, Known>, StoreError> {
        jobs::known(self.db(), keys)
    }

    /// A job's intents, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn intents(&self, job: JobId) -> Result<Vec<StoredIntent>, StoreError> {
        jobs::intents(self.db(), job)
    }

    /// Whether an evidence is booked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_booked(&self, evidence: &str) -> Result<bool, StoreError> {
        books::is_booked(self.db(), evidence)
    }

    /// The job that has claimed a file name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claimant(&self, path: &str) -> Result<Option<JobId>, StoreError> {
        jobs::claimant(self.db(), path)
    }

    /// What each limit of a guard has left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn room(&self, guard: &Guard) -> Result<Vec<Left>, StoreError> {
        caps::room(self.db(), guard)
    }
}
