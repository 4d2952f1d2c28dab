//! What the program does: queue, submit, poll, download. Knows provider, store, media, catalog, config, domain.
//!
//! [`core`] decides, purely; the rest is its tokio shell. Faces meet only the handle in this file:
//! commands go in, events come out, and the engine never waits for a screen.

mod accounts;
mod balance;
mod clock;
pub mod core;
mod download;
mod effects;
mod inputs;
mod keeping;
mod kept;
mod lookup;
mod offers;
mod opening;
mod places;
mod points;
mod poll;
mod reader;
mod refresh;
mod report;
mod resolve;
mod settings;
mod shell;
mod submit;
mod viewer;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::message::{Answer, Command, Event, HistoryLine, JobDetail, Ticket};
use crate::domain::{Job, JobId, Problem};
use crate::media;
use crate::store::{EngineLock, Store, StoreError};

pub use self::core::discover::{summary, told};
pub use balance::balances;
pub use offers::offers;
pub use opening::Starting;
pub use points::Points;
pub use reader::{BooksView, Reader, read};
pub use refresh::{Refreshed, refresh};
pub use report::Events;
pub use settings::{AccountSettings, LEAST_FREE, Settings};
pub use viewer::watch;

pub use crate::domain::Caps;
pub use crate::store::{BalanceFilter, EntryFilter, JobFilter};

use self::core::drained::Rest;
use self::opening::{FIRST_FACE, Opening};
use self::shell::Message;

/// Why the engine cannot start. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine has the data directory.
    #[error("{0}; use that one, or choose another --data-dir")]
    Locked(String),
    /// The database, the lock or the directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account's settings cannot be used.
    #[error("account {account}: {message}")]
    Account {
        /// The account's name.
        account: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The catalogue or the user's models file.
    #[error("models: {0}")]
    Catalog(String),
    /// The data directory, the output directory or the name template.
    #[error("{0}")]
    Output(String),
}

/// Says whether the output directory takes files, making it where it is missing. An engine that
/// finds out later only waits; a run that nobody watches should not start.
///
/// # Errors
/// [`EngineError::Output`]. Too little room is no error here: it may be made meanwhile.
pub fn check_output(settings: &Settings) -> Result<(), EngineError> {
    let tried = media::check_room(&media::RealDisk, &settings.output_dir, 0);
    tried.map(drop).map_err(|error| EngineError::Output(error.to_string()))
}

/// Who works in a data directory now, as it wrote itself down, or `None`.
pub fn holder(data_dir: &std::path::Path) -> Option<String> {
    EngineLock::holder(data_dir)
}

/// How to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Send nothing new; wait until orders under way are answered and clips on their way are on disk.
    Drain,
    /// Return as soon as what is known is on disk. Running jobs are polled on at the next start.
    Now,
}

/// A running engine. Dropping it without [`Engine::leave`] leaves as a crash would: safely.
#[derive(Debug)]
pub struct Engine {
    messages: mpsc::UnboundedSender<Message>,
    rest: watch::Receiver<Rest>,
    logged: watch::Receiver<i64>,
    leaving: watch::Sender<Option<Instant>>,
    fault: watch::Receiver<Option<String>>,
    store: Store,
    faces: std::sync::atomic::AtomicU64,
}

impl Engine {
    /// Takes the data directory's lock, classifies what is on disk and starts to work.
    ///
    /// # Errors
    /// [`EngineError`]; [`EngineError::Locked`] when another engine has the directory.
    pub async fn start(settings: Settings) -> Result<Engine, EngineError> {
        Engine::begin(settings, false, Arc::new(media::RealDisk)).await
    }

    /// The same with another disk under the clips, one that a test watches or fills.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_on(settings: Settings, disk: Arc<dyn media::Disk>) -> Result<Engine, EngineError> {
        Engine::begin(settings, false, disk).await
    }

    /// The same, for work that orders nothing: from its first moment on it is draining.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_draining(settings: Settings) -> Result<Engine, EngineError> {
        Engine::begin(settings, true, Arc::new(media::RealDisk)).await
    }

    async fn begin(settings: Settings, draining: bool, disk: Arc<dyn media::Disk>) -> Result<Engine, EngineError> {
        Opening::open(settings).await?.start(draining, disk, mpsc::unbounded_channel()).await
    }

    /// The same with a first face that need not wait for it: its first event shows all jobs as they lie on disk, at
    /// once. What it asks for is answered when the engine is ready, after a snapshot as from [`Engine::attach`].
    ///
    /// # Errors
    /// As [`Engine::start`], as far as they show before the jobs are read; the others come from [`Starting::ready`].
    pub async fn start_shown(settings: Settings) -> Result<(Starting, (Commands, Events)), EngineError> {
        let opening = Opening::open(settings).await?;
        let (messages, inbox) = mpsc::unbounded_channel();
        let (outbox, events) = report::channel();
        outbox.post(Event::Snapshot(Box::new(opening.first_look()?)));
        let _ = messages.send(Message::Attach { face: FIRST_FACE, outbox });
        let commands = Commands { face: FIRST_FACE, to: Recipient::Engine(messages.clone()) };
        let disk = Arc::new(media::RealDisk);
        let starting = tokio::spawn(opening.start(false, disk, (messages, inbox)));
        Ok((Starting(starting), (commands, events)))
    }

    /// A door for one face. Its first event is a snapshot of everything.
    pub fn attach(&self) -> (Commands, Events) {
        let face = self.faces.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (outbox, events) = report::channel();
        // A closed channel means that the engine is leaving; the face then learns it from its events.
        let _ = self.messages.send(Message::Attach { face, outbox });
        (Commands { face, to: Recipient::Engine(self.messages.clone()) }, events)
    }

    /// The durable event log from now on.
    pub fn log(&self) -> Log {
        Log { seen: *self.logged.borrow(), logged: self.logged.clone(), store: self.store.clone() }
    }

    /// Waits until nothing can go on without the user; each lost order was looked for once.
    pub async fn drained(&self) {
        let mut rest = self.rest.clone();
        // An engine that is gone drains no more.
        let _ = rest.wait_for(|rest| *rest != Rest::Work).await;
    }

    /// Waits longer: until each lost order has its verdict, or the next look for it is far away.
    pub async fn settled(&self) {
        let mut rest = self.rest.clone();
        // An engine that is gone looks for nothing any more.
        let _ = rest.wait_for(|rest| *rest == Rest::Nothing).await;
    }

    /// Whether nothing is waited for but the next look for a lost order.
    pub fn only_looks(&self) -> bool {
        *self.rest.borrow() == Rest::Looks
    }

    /// Leaves, and returns once everything known is on disk and the lock is released. Where that cannot be had
    /// within some seconds, or the data directory was taken away, returns what is not kept, in lines with the ids
    /// of orders: to be told, and an error.
    pub async fn leave(self, how: Leave) -> Option<String> {
        self.leaving.send_replace(Some(Instant::now()));
        if how == Leave::Drain && self.messages.send(Message::Drain).is_ok() {
            self.drained().await;
        }
        let (done, gone) = oneshot::channel();
        if self.messages.send(Message::Stop { done }).is_ok() {
            let _ = gone.await;
        }
        self.fault.borrow().clone()
    }
}

/// Calls `broke` should the engine's task panic: a face without an engine would look as if all were well.
fn watch_over(running: tokio::task::JoinHandle<()>, broke: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        if running.await.is_err_and(|error| error.is_panic()) {
            broke();
        }
    });
}

/// The exit code of a panic.
const BROKEN: i32 = 101;

/// Ends the process loudly. What is on disk is whole; orders under way are unconfirmed at the next start.
fn end_broken() {
    let text = "rushes: the engine broke, and nothing goes on without it. What is on disk is whole and goes on at \
                the next start; please report this with the lines above";
    // Where even this cannot be said, the code still tells.
    let _ = writeln!(std::io::stderr(), "{text}");
    std::process::exit(BROKEN);
}

/// A face's way to ask for things. Never blocks.
#[derive(Clone, Debug)]
pub struct Commands {
    face: u64,
    to: Recipient,
}

/// Who takes a face's commands.
#[derive(Clone, Debug)]
enum Recipient {
    Engine(mpsc::UnboundedSender<Message>),
    Viewer(viewer::Look),
}

impl Commands {
    /// Asks. The answer comes as an event with the same ticket, after the commit.
    pub fn send(&self, ticket: Ticket, command: Command) {
        match &self.to {
            // A closed channel means that the engine has stopped, which the face is told by an event.
            Recipient::Engine(messages) => {
                let _ = messages.send(Message::Command { face: self.face, ticket, command: Box::new(command) });
            }
            Recipient::Viewer(look) => look.answer(ticket, &command),
        }
    }

    fn to_viewer(look: viewer::Look) -> Commands {
        Commands { face: 0, to: Recipient::Viewer(look) }
    }
}

/// A job, whole, with its history; `fresh` is what the core knows of it beyond the disk.
fn inspect(store: &Store, fresh: Option<Job>, id: JobId) -> Answer {
    let found = fresh.map_or_else(|| store.job(id), |job| Ok(Some(job)));
    let refused = |rule: &str, text: String| Answer::Refused { problems: vec![Problem::new("id", rule, text)] };
    match found.and_then(|job| Ok((job, store.history(id)?))) {
        Ok((Some(job), history)) => Answer::Detail(Box::new(JobDetail { job, history })),
        Ok((None, _)) => refused("unknown", format!("there is no job {id}")),
        Err(error) => refused("disk", error.to_string()),
    }
}

/// Lines of the event log as they are committed.
#[derive(Debug)]
pub struct Log {
    seen: i64,
    logged: watch::Receiver<i64>,
    store: Store,
}

/// Most lines of the log read in one go.
const LINES_AT_ONCE: usize = 512;

impl Log {
    /// The lines committed since the last call; waits for the next. `None` once the engine is gone
    /// and everything was told.
    pub async fn next(&mut self) -> Option<Vec<HistoryLine>> {
        loop {
            match self.store.history_after(self.seen, LINES_AT_ONCE) {
                Ok(lines) if !lines.is_empty() => {
                    self.seen = lines.last().map_or(self.seen, |line| line.seq);
                    return Some(lines);
                }
                Ok(_) => {}
                Err(error) => tracing::error!("the event log cannot be read: {error}"),
            }
            self.logged.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_that_panics_is_noticed_and_one_that_ends_is_not() {
        let (told, mut broke) = mpsc::unbounded_channel();
        for (name, breaks) in [("ends", false), ("breaks", true)] {
            let told = told.clone();
            let running = tokio::spawn(async move { assert!(!breaks, "planted") });
            watch_over(running, move || {
                let _ = told.send(name);
            });
        }
        drop(told);
        assert_eq!((broke.recv().await, broke.recv().await), (Some("breaks"), None));
    }
}
