//! Reading the data directory without an engine: for `list`, `show` and `books`.
//!
//! Knows the store's reads. Takes no lock and changes nothing.

use std::path::Path;

use super::EngineError;
use crate::domain::books::Ledger;
use crate::domain::message::HistoryLine;
use crate::domain::{Balance, Entry, Job, JobId};
use crate::store::{EntryFilter, JobFilter, Store, StoreError};

/// A look at the data directory.
#[derive(Debug)]
pub struct Reader(Option<Store>);

/// Opens a data directory for reading; works while an engine runs. Where there is none yet, there is
/// nothing to read, which is no error.
///
/// # Errors
/// [`EngineError::Store`].
pub fn read(data_dir: &Path) -> Result<Reader, EngineError> {
    match Store::open_read_only(data_dir) {
        Ok(store) => Ok(Reader(Some(store))),
        Err(StoreError::NotThere(_)) => Ok(Reader(None)),
        Err(error) => Err(error.into()),
    }
}

impl Reader {
    /// The jobs a filter wants, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), |store| store.jobs(filter))?)
    }

    /// One job.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn job(&self, id: JobId) -> Result<Option<Job>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(None), |store| store.job(id))?)
    }

    /// What happened to a job, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn history(&self, id: JobId) -> Result<Vec<HistoryLine>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), |store| store.history(id))?)
    }

    /// What changed last of each account's models, by account.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn model_changes(&self) -> Result<Vec<HistoryLine>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), Store::model_changes)?)
    }

    /// Entries of the books, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), |store| store.entries(filter))?)
    }

    /// The sums of all entries, and what each account held last.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn ledger(&self) -> Result<(Ledger, Vec<(String, Balance)>), EngineError> {
        let Some(store) = &self.0 else { return Ok((Ledger::default(), Vec::new())) };
        let loaded = store.load()?;
        Ok((loaded.ledger, loaded.balances))
    }
}
