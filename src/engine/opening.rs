//! From settings to a running engine: the lock, the database and what is in it; and what a face is shown before the
//! jobs are read whole.
//!
//! Knows the order of a start. Must not know what the core makes of what is on disk.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::core::drained::Rest;
use super::keeping::Keeping;
use super::shell::{Message, Shell};
use super::{Engine, EngineError, Settings, end_broken, offers, viewer, watch_over};
use crate::catalog::Catalog;
use crate::domain::message::Snapshot;
use crate::media::Disk;
use crate::store::{EngineLock, Loaded, LockError, Store};

/// A data directory that is taken, and what lies there beside the jobs.
pub(super) struct Opening {
    settings: Settings,
    lock: EngineLock,
    store: Store,
    catalog: Catalog,
    loaded: Loaded,
}

/// Messages for the engine, also those that come before it is ready.
pub(super) type Door = (mpsc::UnboundedSender<Message>, mpsc::UnboundedReceiver<Message>);

impl Opening {
    /// Takes the lock and reads what is small.
    pub(super) async fn open(settings: Settings) -> Result<Opening, EngineError> {
        let who = EngineLock::describe(&settings.kind, jiff::Timestamp::now());
        let lock = EngineLock::take(&settings.data_dir, &who).map_err(|error| match error {
            LockError::Held { .. } => EngineError::Locked(error.to_string()),
            LockError::Io(why) => {
                let dir = settings.data_dir.display();
                EngineError::Output(format!("cannot work in {dir}: {why}; choose another --data-dir"))
            }
        })?;
        let models = settings.models.clone();
        let catalog = spawn_blocking(move || offers::catalog(models.as_deref()));
        let store = Store::open(&settings.data_dir, settings.simulated.is_some())?;
        let loaded = store.load_beside_jobs()?;
        let catalog = catalog.await.map_err(broken)??;
        Ok(Opening { settings, lock, store, catalog, loaded })
    }

    /// What a face is shown until the engine is ready: the rows of all jobs, and the books.
    pub(super) fn first_look(&self) -> Result<Snapshot, EngineError> {
        Ok(viewer::snapshot(&self.settings, &self.store, self.loaded.clone(), &self.catalog, None)?)
    }

    /// Reads the jobs, classifies them and starts to work.
    pub(super) async fn start(self, draining: bool, disk: Arc<dyn Disk>, door: Door) -> Result<Engine, EngineError> {
        let Opening { settings, lock, store, catalog, mut loaded } = self;
        let reading = store.clone();
        loaded.active = spawn_blocking(move || reading.active()).await.map_err(broken)??;
        let (logged_in, logged) = watch::channel(loaded.last_seq);
        let (rest_in, rest) = watch::channel(Rest::Work);
        let (messages, inbox) = door;
        let mut shell = Shell::new(settings, store.clone(), loaded, catalog, messages.clone(), (rest_in, logged_in))?;
        shell.tools.disk = disk;
        let (leaving, asked) = watch::channel(None);
        let (fault_in, fault) = watch::channel(None);
        shell.keeping = Keeping::new(Some(lock), asked, fault_in);
        let mut started = shell.begin().await?;
        if draining {
            started.drain();
        }
        watch_over(tokio::spawn(started.run(inbox)), end_broken);
        // The first face may be there already.
        let faces = std::sync::atomic::AtomicU64::new(FIRST_FACE + 1);
        Ok(Engine { messages, rest, logged, leaving, fault, store, faces })
    }
}

/// The face that is attached before the engine is ready.
pub(super) const FIRST_FACE: u64 = 1;

/// An engine that gets ready while its first face is shown what lies on disk.
#[derive(Debug)]
pub struct Starting(pub(super) JoinHandle<Result<Engine, EngineError>>);

impl Starting {
    /// The engine, once it is ready. Not to be asked again after it has answered.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn ready(&mut self) -> Result<Engine, EngineError> {
        (&mut self.0).await.map_err(broken)?
    }
}

fn broken(error: JoinError) -> EngineError {
    EngineError::Output(format!("the start broke off: {error}; report this"))
}
