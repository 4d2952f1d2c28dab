//! Reading the data directory without an engine: for `list`, `show` and `books`.
//!
//! Knows the store's reads. Takes no lock and changes nothing.

use std::path::Path;

use jiff::Timestamp;

use super::EngineError;
use crate::domain::books::{BalanceLine, Ledger};
use crate::domain::message::HistoryLine;
use crate::domain::{Balance, Entry, Job, JobId};
use crate::store::{BalanceFilter, EntryFilter, JobFilter, Store, StoreError};

/// The books as they stand.
#[derive(Clone, Debug, Default)]
pub struct BooksView {
    /// The sums of all entries, and what is unexplained.
    pub ledger: Ledger,
    /// What each account held last.
    pub balances: Vec<(String, Balance)>,
    /// The balance that the books of each account and currency go on from.
    pub openings: Vec<BalanceLine>,
    /// Every balance told, oldest first.
    pub lines: Vec<BalanceLine>,
}

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

    /// The sums of all entries, and the balances they are held against.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn books(&self) -> Result<BooksView, EngineError> {
        let Some(store) = &self.0 else { return Ok(BooksView::default()) };
        let (loaded, lines) = (store.load()?, store.balance_log(&BalanceFilter::default())?);
        Ok(BooksView { ledger: loaded.ledger, balances: loaded.balances, openings: loaded.openings, lines })
    }

    /// The lines of the balance log a filter wants, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn balance_log(&self, filter: &BalanceFilter) -> Result<Vec<BalanceLine>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), |store| store.balance_log(filter))?)
    }

    /// What happened between two times, of one account or of all, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn history_between(
        &self,
        account: Option<&str>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<HistoryLine>, EngineError> {
        Ok(self.0.as_ref().map_or(Ok(Vec::new()), |store| store.history_between(account, since, until))?)
    }
}
