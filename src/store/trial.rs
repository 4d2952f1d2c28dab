//! The store without its thread and its file: the same schema and the same transactions, in memory, for
//! runs by the hundred thousand.
//!
//! Knows how a commit is made and how it fails on a full disk. Must not be in a release, nor know what is tried.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::change::{Change, Committed, EntryFilter, JobFilter, Known, Loaded, NewLine};
use super::{Left, StoreError, StoredIntent, bodies, books, caps, desk, jobs, loaded, schema, writer};
use crate::domain::caps::Guard;
use crate::domain::{Entry, Job, JobId};

/// A database that lives as long as this.
#[derive(Debug)]
pub struct Trial {
    db: Connection,
}

impl Trial {
    /// An empty one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new() -> Result<Trial, StoreError> {
        let mut db = Connection::open_in_memory()?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db, schema::newest())?;
        desk::found(&db, false)?;
        caps::found(&mut db)?;
        Ok(Trial { db })
    }

    /// Commits all changes in one transaction, or none of them.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept then.
    pub fn commit(&mut self, changes: &[Change]) -> Result<Committed, StoreError> {
        writer::commit(&mut self.db, changes, |_| false)
    }

    /// The same on a disk that is full once all of it is written and not yet committed.
    ///
    /// # Errors
    /// [`StoreError::Full`], always, unless the changes are refused for another reason.
    pub fn commit_when_full(&mut self, changes: &[Change]) -> Result<Committed, StoreError> {
        let pages: i64 = self.db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let mut changes = changes.to_vec();
        let text = "x".repeat(1 << 20);
        let (kind, data) = ("filler".to_owned(), serde_json::Value::Null);
        changes.push(Change::AddLine(NewLine {
            at: Timestamp::UNIX_EPOCH,
            job: None,
            account: None,
            kind,
            text,
            data,
        }));
        self.db.pragma_update(None, "max_page_count", pages + 64)?;
        let result = self.commit(&changes);
        self.db.pragma_update(None, "max_page_count", u32::MAX - 1)?;
        result
    }

    /// What an engine starts from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&self) -> Result<Loaded, StoreError> {
        loaded(&self.db)
    }

    /// A job, whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        bodies::one(&self.db, id)
    }

    /// Every job, whole, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        bodies::filtered(&self.db, &JobFilter::default())
    }

    /// Every entry, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        books::filtered(&self.db, &EntryFilter::default())
    }

    /// Which of these keys are known, and for what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self, keys: &[String]) -> Result<HashMap<String, Known>, StoreError> {
        jobs::known(&self.db, keys)
    }

    /// A job's intents, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn intents(&self, job: JobId) -> Result<Vec<StoredIntent>, StoreError> {
        jobs::intents(&self.db, job)
    }

    /// Whether an evidence is booked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_booked(&self, evidence: &str) -> Result<bool, StoreError> {
        books::is_booked(&self.db, evidence)
    }

    /// The job that has claimed a file name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claimant(&self, path: &str) -> Result<Option<JobId>, StoreError> {
        jobs::claimant(&self.db, path)
    }

    /// What each limit of a guard has left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn room(&self, guard: &Guard) -> Result<Vec<Left>, StoreError> {
        caps::room(&self.db, guard)
    }
}
