//! SQLite: jobs, books, events, drafts; the engine's lock; inputs by their hash.
//!
//! Knows the domain. Must not know engine or provider. One thread writes, in whole transactions
//! (write-ahead log, synchronous FULL); reads have connections of their own and never wait for it.

mod balance_log;
mod bodies;
mod books;
mod bulk;
mod caps;
mod change;
mod column;
mod desk;
mod error;
mod inputs;
mod jobs;
mod lock;
mod log;
mod place;
mod reserve;
mod schema;
mod shelf;
#[cfg(any(test, feature = "faults"))]
mod trial;
mod watch;
mod writer;

#[cfg(test)]
mod caps_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

pub use caps::Left;
pub use change::{
    BalanceFilter, Change, Committed, EntryFilter, JobFilter, Known, Loaded, NewLine, Shelf, StoredAccount,
    StoredCatalogue, StoredIntent, StoredLimiter, StoredObservation,
};
pub use error::StoreError;
pub use inputs::{StoredInput, load_input, measure_input, put_input, put_input_bytes};
pub use jobs::content_hash;
pub use lock::{EngineLock, LockError};
#[cfg(any(test, feature = "faults"))]
pub use trial::Trial;

use crate::domain::books::BalanceLine;
use crate::domain::caps::Guard;
use crate::domain::message::HistoryLine;
use crate::domain::{Entry, Job, JobId, JobRow};
use crate::mutation::mutated;
use reserve::Reserve;
use writer::Work;

/// The database's file name in the data directory.
const FILE: &str = "rushes.db";

/// How long a connection waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// A cheap handle to the job database; clones share it. When the last one is dropped, what was asked
/// for is committed and the database is closed.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Which file was opened.
    identity: Option<(u64, u64)>,
    simulated: bool,
    salt: [u8; 32],
    /// Idle connections for reading.
    readers: Mutex<Vec<Connection>>,
    /// Keeps counting what others wrote, so it is never mixed with the readers.
    watch: Mutex<Connection>,
    /// `None` where the store is open for reading only. Dropped last: as the last connection it
    /// writes the log back, so that a closed database is one file.
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    queue: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the database in `dir` to read and write; makes both where they are missing, and brings
    /// an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError`]: a network file system, a newer schema, another program's database, simulated
    /// data where real is asked for or the reverse, or whatever disk and SQLite say.
    pub fn open(dir: &Path, simulated: bool) -> Result<Store, StoreError> {
        place::prepare(dir)?;
        let path = dir.join(FILE);
        place::make_private_file(&path).map_err(|error| StoreError::io("create", &path, error))?;
        let mut db =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(BUSY)?;
        check_ours(&db, &path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", if mutated("no_full_sync") { "NORMAL" } else { "FULL" })?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // The writer does it itself, after it has answered.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db, schema::newest())?;
        desk::found(&db, simulated)?;
        let (holds_simulated, salt) = desk::nature(&db)?.ok_or_else(|| StoreError::damaged("it has no salt"))?;
        if holds_simulated != simulated {
            return Err(StoreError::Mixed { dir: dir.to_owned(), simulated: holds_simulated });
        }
        caps::found(&mut db)?;
        let watch = reader(&path)?;
        let (queue, work) = channel();
        let reserve = Reserve::of(dir);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer::work(db, &reserve, &work))
            .map_err(|error| StoreError::io("start the writer of", &path, error))?;
        let writer = Some(Writer { queue: Some(queue), thread: Some(thread) });
        Ok(Store::of(path, simulated, salt, writer, watch))
    }

    /// Opens the database in `dir` for reading only, also while another engine works in it.
    ///
    /// # Errors
    /// [`StoreError::NotThere`] where there is none yet; else as [`Store::open`], and
    /// [`StoreError::OlderSchema`].
    pub fn open_read_only(dir: &Path) -> Result<Store, StoreError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Err(StoreError::NotThere(dir.to_owned()));
        }
        place::refuse_network(dir)?;
        let db = reader(&path)?;
        check_ours(&db, &path)?;
        let found = schema::version(&db)?;
        if found == 0 {
            return Err(StoreError::NotThere(dir.to_owned()));
        }
        if found < schema::newest() {
            return Err(StoreError::OlderSchema { path, found, known: schema::newest() });
        }
        let (simulated, salt) = desk::nature(&db)?.ok_or_else(|| StoreError::NotThere(dir.to_owned()))?;
        Ok(Store::of(path, simulated, salt, None, db))
    }

    fn of(path: PathBuf, simulated: bool, salt: [u8; 32], writer: Option<Writer>, watch: Connection) -> Store {
        let (readers, watch) = (Mutex::new(Vec::new()), Mutex::new(watch));
        let identity = std::fs::metadata(&path).ok().map(|file| place::identity(&file));
        Store { shared: Arc::new(Shared { path, identity, simulated, salt, writer, readers, watch }) }
    }

    /// Whether the database still lies where it was opened: not where its file, or the directory, was removed
    /// or replaced. What is committed then is found by nobody.
    pub fn is_in_place(&self) -> bool {
        self.shared.identity.is_some_and(|known| place::leads_to(&self.shared.path, known))
    }

    /// Whether the data is simulated.
    pub fn is_simulated(&self) -> bool {
        self.shared.simulated
    }

    /// 32 random bytes made with the database, for fingerprints of keys.
    pub fn salt(&self) -> [u8; 32] {
        self.shared.salt
    }

    /// Commits all changes in one transaction, or none of them, and returns when they are on disk.
    /// Dropping the future does not take the changes back.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept then.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<Committed, StoreError> {
        self.commit_shared(Arc::new(changes)).await
    }

    /// The same for a list that may have to be committed again: it is shared rather than copied.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn commit_shared(&self, changes: Arc<Vec<Change>>) -> Result<Committed, StoreError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.ask(changes, Box::new(move |result| drop(answer.send(result))))?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// The same for callers that may block.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_blocking(&self, changes: Vec<Change>) -> Result<Committed, StoreError> {
        let (answer, answered) = channel();
        self.ask(Arc::new(changes), Box::new(move |result| drop(answer.send(result))))?;
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    fn ask(
        &self,
        changes: Arc<Vec<Change>>,
        reply: Box<dyn FnOnce(Result<Committed, StoreError>) + Send>,
    ) -> Result<(), StoreError> {
        let writer = self.shared.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        let queue = writer.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Work { changes, reply }).map_err(|_| StoreError::Closed)
    }

    /// What an engine starts from, as of one moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.read(loaded)
    }

    /// The same without the jobs, which are most of it: for whoever holds the engine's lock, so that nothing is
    /// written until they are read by [`Store::active`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load_beside_jobs(&self) -> Result<Loaded, StoreError> {
        self.read(|db| {
            let moment = db.unchecked_transaction()?;
            beside_jobs(&moment)
        })
    }

    /// Every job that is not final, whole, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn active(&self) -> Result<Vec<Job>, StoreError> {
        self.read(bodies::active)
    }

    /// Every job as a table row, oldest first; `usual_s` is left to the caller ([`Loaded::usual`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rows(&self) -> Result<Vec<JobRow>, StoreError> {
        self.read(|db| jobs::rows(db, false))
    }

    /// The same of final jobs alone, for who has the others in hand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn final_rows(&self) -> Result<Vec<JobRow>, StoreError> {
        self.read(|db| jobs::rows(db, true))
    }

    /// A job, whole; `None` where there is none of that number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read(|db| bodies::one(db, id))
    }

    /// The jobs a filter wants, whole, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        self.read(|db| bodies::filtered(db, filter))
    }

    /// A job's lines of the log, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(&self, id: JobId) -> Result<Vec<HistoryLine>, StoreError> {
        self.read(|db| log::of_job(db, id))
    }

    /// At most `limit` lines of the log after number `seq`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history_after(&self, seq: i64, limit: usize) -> Result<Vec<HistoryLine>, StoreError> {
        self.read(|db| log::after(db, seq, limit))
    }

    /// The last line about changed models of each account, by account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn model_changes(&self) -> Result<Vec<HistoryLine>, StoreError> {
        self.read(log::model_changes)
    }

    /// What is known of the models: catalogues, observations, and the accounts with their generations.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn shelf(&self) -> Result<Shelf, StoreError> {
        self.read(|db| {
            let moment = db.unchecked_transaction()?;
            Ok(Shelf {
                catalogues: shelf::catalogues(&moment)?,
                observations: shelf::observations(&moment)?,
                accounts: desk::accounts(&moment)?,
            })
        })
    }

    /// The entries a filter wants, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
        self.read(|db| books::filtered(db, filter))
    }

    /// The lines of the balance log a filter wants, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn balance_log(&self, filter: &BalanceFilter) -> Result<Vec<BalanceLine>, StoreError> {
        self.read(|db| balance_log::filtered(db, filter))
    }

    /// What happened between two times, oldest first: of one account and of nobody's in particular, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history_between(
        &self,
        account: Option<&str>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<HistoryLine>, StoreError> {
        self.read(|db| log::between(db, account, since, until))
    }

    /// What each limit of a guard has left now, in its order: to decide what is tried, not what is
    /// allowed; that is decided in the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn room(&self, guard: &Guard) -> Result<Vec<Left>, StoreError> {
        self.read(|db| caps::room(db, guard))
    }

    /// Whether an evidence is booked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_booked(&self, evidence: &str) -> Result<bool, StoreError> {
        self.read(|db| books::is_booked(db, evidence))
    }

    /// Which of these keys are known, and for what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self, keys: &[String]) -> Result<HashMap<String, Known>, StoreError> {
        self.read(|db| jobs::known(db, keys))
    }

    /// A job's intents with their answers, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn intents(&self, job: JobId) -> Result<Vec<StoredIntent>, StoreError> {
        self.read(|db| jobs::intents(db, job))
    }

    /// The file names a job has claimed: which of its files, from 1, and the absolute path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names(&self, job: JobId) -> Result<Vec<(u32, String)>, StoreError> {
        self.read(|db| jobs::names(db, job))
    }

    /// The job that has claimed a file name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claimant(&self, path: &str) -> Result<Option<JobId>, StoreError> {
        self.read(|db| jobs::claimant(db, path))
    }

    /// A noted input and the file name it came from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn input(&self, sha256: &str) -> Result<Option<(StoredInput, String)>, StoreError> {
        self.read(|db| desk::input(db, sha256))
    }

    /// A number that changes whenever anyone else, in this process or another, has committed. Only
    /// comparing it with an earlier one from the same handle or its clones says anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn data_version(&self) -> Result<i64, StoreError> {
        let db = self.shared.watch.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(db.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Reads with a connection of its own: an idle one, or a new one.
    fn read<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = idle.map_or_else(|| reader(&self.shared.path), Ok)?;
        let result = look(&db)?;
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        Ok(result)
    }
}

/// What an engine starts from, as of one moment.
fn loaded(db: &Connection) -> Result<Loaded, StoreError> {
    let moment = db.unchecked_transaction()?;
    Ok(Loaded { active: bodies::active(&moment)?, ..beside_jobs(&moment)? })
}

/// The same, but its jobs.
fn beside_jobs(moment: &Connection) -> Result<Loaded, StoreError> {
    let (ledger, recent) = books::ledger(moment)?;
    let claimed = balance_log::claimed(moment, &recent)?;
    let next = |sql: &str| moment.query_row(sql, [], |row| row.get(0));
    Ok(Loaded {
        active: Vec::new(),
        next_job: next("SELECT coalesce(max(id), 0) + 1 FROM jobs")?,
        next_batch: next(
            "SELECT max((SELECT coalesce(max(id), 0) FROM batches), (SELECT coalesce(max(batch), 0) FROM jobs WHERE batch IS NOT NULL)) + 1",
        )?,
        ledger,
        recent,
        accounts: desk::accounts(moment)?,
        balances: books::balances(moment)?,
        openings: balance_log::openings(moment)?,
        claimed,
        draft: desk::draft(moment)?,
        batch_caps: desk::batch_caps(moment)?,
        room: Vec::new(),
        last_seen: desk::last_seen(moment)?,
        zones: desk::zones(moment)?,
        open_intents: jobs::open_intents(moment)?,
        usual: jobs::usual(moment)?,
        limiters: desk::limiters(moment)?,
        catalogues: shelf::catalogues(moment)?,
        observations: shelf::observations(moment)?,
        last_seq: log::last_seq(moment)?,
    })
}

/// A connection that only reads.
fn reader(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(db)
}

/// Refuses a database of another program, or of a newer version of this one.
fn check_ours(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let (application, found) = match (schema::application(db), schema::version(db)) {
        (Ok(application), Ok(found)) => (application, found),
        (Err(error), _) | (_, Err(error)) => {
            let foreign = error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase);
            return Err(if foreign { StoreError::NotOurs(path.to_owned()) } else { error.into() });
        }
    };
    let is_empty = || db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0));
    if application != schema::APPLICATION_ID && !(application == 0 && is_empty()?) {
        return Err(StoreError::NotOurs(path.to_owned()));
    }
    if found > schema::newest() {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known: schema::newest() });
    }
    Ok(())
}
