//! A file of the user's that may be written while the program runs: read again whenever it was.
//!
//! Knows how to wait without waking up in between. Must not know what is in the file.

use std::io;
use std::path::Path;
use std::thread;

/// Calls `tell` with the file's text whenever it was written or put in place, on a thread of its own, until `tell`
/// says that nobody listens any more. The file need not be there; its directory must.
///
/// # Errors
/// When the directory is not there or the system watches nothing.
pub fn watch(path: &Path, tell: impl Fn(String) -> bool + Send + 'static) -> io::Result<()> {
    let path = path.to_path_buf();
    let mut changes = Changes::of(&path)?;
    thread::Builder::new().name("themes".into()).spawn(move || {
        while changes.next().is_ok() {
            // An editor that writes in two steps is heard twice; what is not there yet is told the next time.
            if let Ok(text) = std::fs::read_to_string(&path)
                && !tell(text)
            {
                break;
            }
        }
    })?;
    Ok(())
}

/// A file's text, if it is there.
pub(super) fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(target_os = "linux")]
struct Changes {
    watch: std::os::fd::OwnedFd,
    name: std::ffi::CString,
}

#[cfg(target_os = "linux")]
impl Changes {
    fn of(path: &Path) -> io::Result<Changes> {
        use std::os::unix::ffi::OsStrExt;

        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let (dir, name) = (path.parent().ok_or_else(missing)?, path.file_name().ok_or_else(missing)?);
        let watch = init(CreateFlags::CLOEXEC)?;
        // The directory, since an editor puts a new file in the old one's place.
        add_watch(&watch, dir, WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO)?;
        Ok(Changes { watch, name: std::ffi::CString::new(name.as_bytes())? })
    }

    /// Waits until the file was written.
    fn next(&mut self) -> io::Result<()> {
        let mut room = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = rustix::fs::inotify::Reader::new(&self.watch, &mut room);
        loop {
            let event = events.next()?;
            if event.file_name() == Some(self.name.as_c_str()) {
                return Ok(());
            }
        }
    }
}

/// Where the system has no better way it is looked at now and then.
#[cfg(not(target_os = "linux"))]
struct Changes {
    path: std::path::PathBuf,
    seen: Option<std::time::SystemTime>,
}

#[cfg(not(target_os = "linux"))]
impl Changes {
    fn of(path: &Path) -> io::Result<Changes> {
        std::fs::metadata(path.parent().unwrap_or(path))?;
        let seen = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        Ok(Changes { path: path.to_path_buf(), seen })
    }

    fn next(&mut self) -> io::Result<()> {
        loop {
            thread::sleep(std::time::Duration::from_secs(5));
            let now = std::fs::metadata(&self.path).and_then(|meta| meta.modified()).ok();
            if now.is_some() && now != self.seen {
                self.seen = now;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_is_written_or_replaced_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        let (told, texts) = mpsc::channel();
        watch(&path, move |text| told.send(text).is_ok()).unwrap();
        std::fs::write(dir.path().join("other.toml"), "no").unwrap();
        let new = dir.path().join("mine.toml~");
        std::fs::write(&new, "first").unwrap();
        std::fs::rename(&new, &path).unwrap();
        let next = || texts.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(next(), "first");
        std::fs::write(&path, "second").unwrap();
        assert_eq!(next(), "second");
        assert!(watch(&dir.path().join("nowhere/x.toml"), |_| true).is_err());
    }
}
