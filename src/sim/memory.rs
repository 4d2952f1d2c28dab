//! The simulator's memory over restarts: one file, and a lock beside it that a crash releases.
//! Knows when it has to be written, not what stands in it: that is `memory_rows.rs`.
//!
//! An answer leaves only when the file has all that was booked by then, and a moment not before
//! the answer's own. So whatever a client was told is still so after a `kill -9`.

use crate::sim::call::reply;
use crate::sim::clip::CuttingRoom;
use crate::sim::clock::{Clock, Moment, SECOND};
use crate::sim::memory_rows::Saved;
use crate::sim::place::{Route, place};
use crate::sim::{SimOptions, Simulation, World};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How far ahead of the clock the written moment is, so that polls do not each write: a killed
/// simulator comes back at most this much later than it was, and never earlier.
const AHEAD: i64 = 60 * SECOND;
/// Beyond this it is not a file of ours; thousands of orders are a few megabytes.
const MOST: u64 = 256 << 20;

/// The file and what of it is known to be written.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    /// The held lock; none while another process has it, or after the shutdown. Held while
    /// writing, so that an older state never replaces a newer one.
    pen: Mutex<Option<File>>,
    written: Mutex<Written>,
    /// Whether another process had the lock when this one started.
    looks_on: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Written {
    changes: u64,
    until: Moment,
}

/// Where the simulation goes on, or a new one. Blocks.
pub fn open(path: PathBuf, options: SimOptions) -> Result<Simulation> {
    let refuse = |error: Error| named(&path, &error);
    if let Some(dir) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(refuse)?;
    }
    let pen = lock(&path).map_err(refuse)?;
    let saved = match read(&path) {
        Ok(text) => Some(Saved::parse(&text).map_err(|reason| {
            let next = "delete this file to start the simulator afresh, without its orders and balances";
            Error::new(ErrorKind::InvalidData, format!("{}: {reason}; {next}", path.display()))
        })?),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(refuse(error)),
    };
    let saved = saved.unwrap_or_else(|| Saved::fresh(fastrand::u64(..)));
    let options = SimOptions { seed: saved.seed, ..options };
    let clock = Clock::starting(options.speed, saved.moment);
    let (bank, book) = saved.into_books();
    let memory = Memory { path, looks_on: pen.is_none(), pen: Mutex::new(pen), written: Mutex::default() };
    let world = Mutex::new(World { bank, book, ..World::starting(options) });
    let simulation = Simulation { options, clock, world, clips: CuttingRoom::default(), memory: Some(memory) };
    // A place that cannot be written is told now, not with the first order.
    simulation.write(AHEAD)?;
    Ok(simulation)
}

/// What went wrong, with the file it went wrong with.
fn named(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The lock beside the file, which is itself replaced at each writing; `None` if another has it.
fn lock(path: &Path) -> Result<Option<File>> {
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let length = std::fs::metadata(path)?.len();
    if length > MOST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("{length} bytes are too many; delete this file")));
    }
    std::fs::read(path)
}

/// A whole new file in the place of the old one, or nothing.
fn replace(path: &Path, text: &[u8]) -> Result<()> {
    let part = path.with_extension("json.part");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&part)?;
    file.write_all(text)?;
    file.sync_data()?;
    std::fs::rename(&part, path)
}

impl Memory {
    fn is_removed(&self) -> bool {
        self.path.parent().is_some_and(|dir| matches!(dir.try_exists(), Ok(false)))
    }
}

impl Simulation {
    /// Returns when the file has all that was booked by now, and this moment. At once without a
    /// memory, and when nothing has changed.
    pub async fn remember(self: &Arc<Self>) -> Result<()> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let written = *memory.written.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.world().changes();
        if memory.looks_on || (changes == written.changes && self.clock.now() <= written.until) {
            return Ok(());
        }
        // A task of its own: it goes on when the caller hangs up here.
        let own = self.clone();
        tokio::task::spawn_blocking(move || own.write(AHEAD)).await.map_err(Error::other)?
    }

    /// Writes the last moment and lets the next simulator have the file.
    pub async fn close_memory(self: &Arc<Self>) {
        let own = self.clone();
        let closed = tokio::task::spawn_blocking(move || {
            // What clients were told is in the file already; only the clock would lose by this.
            let _ = own.write(0);
            if let Some(memory) = &own.memory {
                memory.pen.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        });
        let _ = closed.await;
    }

    /// Writes the file, if this process may. Blocks.
    fn write(&self, ahead: i64) -> Result<()> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let pen = memory.pen.lock().unwrap_or_else(PoisonError::into_inner);
        if pen.is_none() {
            return Ok(());
        }
        let (saved, changes) = {
            let world = self.world();
            let until = self.clock.now().saturating_add(ahead);
            (Saved::of(self.options.seed, until, &world.bank, &world.book), world.changes())
        };
        let until = saved.moment;
        match replace(&memory.path, &saved.text()?) {
            // Its directory was removed: nobody starts from it any more, and what is at work here goes on.
            Err(error) if error.kind() == ErrorKind::NotFound && memory.is_removed() => {}
            written => written.map_err(|error| named(&memory.path, &error))?,
        }
        *memory.written.lock().unwrap_or_else(PoisonError::into_inner) = Written { changes, until };
        Ok(())
    }
}

impl World {
    /// Grows with everything that has to be remembered.
    fn changes(&self) -> u64 {
        self.bank.movements() + self.book.deliveries()
    }
}

/// Lets no answer out before what it says is written; without a memory it does nothing.
pub async fn layer(State(simulation): State<Arc<Simulation>>, request: Request, next: Next) -> Response {
    let looks_on = simulation.memory.as_ref().is_some_and(|memory| memory.looks_on);
    let path = request.uri().path();
    if looks_on && (place(path).route == Route::Submit || path == "/_sim/deposit") {
        return sorry(503, "another rushes has the simulator's memory; end it, then start this one again");
    }
    let response = next.run(request).await;
    match simulation.remember().await {
        Ok(()) => response,
        Err(error) => forgetful(&error),
    }
}

/// What a service says whose database is gone; the order may have been booked.
pub fn forgetful(error: &Error) -> Response {
    sorry(500, &format!("the simulator cannot write its memory: {error}"))
}

fn sorry(status: u16, say: &str) -> Response {
    reply(status, &json!({"error": {"message": say, "type": "server_error"}}))
}
