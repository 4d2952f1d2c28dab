//! Waits for what another engine commits, without waking up while it commits nothing.
//!
//! Knows how the system tells of writes to the database's files. Must not know what was written.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{FILE, Store};

/// How long writes are gathered before they are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks without news before the next write is waited for. A commit is heard of when it is written, and is there to
/// be read once the disk has it, which may take a while.
const LOOKS: u32 = 10;

impl Store {
    /// Calls `tell` whenever another process has committed after `seen`, a [`Store::data_version`], at most once a
    /// second, on a thread of its own, until `tell` says that nobody listens any more.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn watch(&self, mut seen: Option<i64>, tell: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let store = self.clone();
        let mut writes = store.shared.path.parent().and_then(|dir| Writes::of(dir).ok());
        thread::Builder::new().name("watch".into()).spawn(move || {
            loop {
                let mut quiet = 0;
                while quiet < LOOKS {
                    thread::sleep(LOOK);
                    let version = store.data_version().ok();
                    quiet = if version == seen { quiet + 1 } else { 0 };
                    if quiet == 0 && !tell() {
                        return;
                    }
                    seen = version;
                }
                // Where the system tells nothing, it is looked for all the time.
                if writes.as_mut().is_some_and(|writes| writes.next().is_err()) {
                    writes = None;
                }
            }
        })?;
        Ok(())
    }
}

/// Writes to the database or its log.
#[cfg(target_os = "linux")]
struct Writes(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Writes {
    fn of(dir: &Path) -> io::Result<Writes> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let watch = init(CreateFlags::CLOEXEC)?;
        // The directory, since the log comes and goes.
        add_watch(&watch, dir, WatchFlags::MODIFY)?;
        Ok(Writes(watch))
    }

    /// Waits for one.
    fn next(&mut self) -> io::Result<()> {
        let mut room = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = rustix::fs::inotify::Reader::new(&self.0, &mut room);
        loop {
            let event = events.next()?;
            if event.file_name().is_none_or(|name| name.to_bytes().starts_with(FILE.as_bytes())) {
                return Ok(());
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Writes;

#[cfg(not(target_os = "linux"))]
impl Writes {
    fn of(_: &Path) -> io::Result<Writes> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn next(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::store::Change;

    #[test]
    fn a_commit_of_another_is_told_and_one_before_the_watch_began_too() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), false).unwrap();
        let other = Store::open_read_only(dir.path()).unwrap();
        let seen = other.data_version().ok();
        let note = |s| store.commit_blocking(vec![Change::Seen(jiff::Timestamp::from_second(s).unwrap())]).unwrap();
        note(1);
        let (told, news) = channel();
        other.watch(seen, move || told.send(()).is_ok()).unwrap();
        news.recv_timeout(Duration::from_secs(60)).unwrap();
        note(2);
        news.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_of_a_commit() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), false).unwrap();
        let mut writes = Writes::of(dir.path()).unwrap();
        let (told, news) = channel();
        thread::spawn(move || told.send(writes.next().is_ok()));
        assert!(news.try_recv().is_err(), "nothing was written");
        store.commit_blocking(vec![Change::Seen(jiff::Timestamp::UNIX_EPOCH)]).unwrap();
        assert!(news.recv_timeout(Duration::from_secs(60)).unwrap());
    }
}
