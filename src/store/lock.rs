//! The engine's lock: one engine per data directory, by a file lock held for life that a crash releases.
//!
//! Knows one file. Must not know what the engine does.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::text::clean;

use super::place;

/// Held for as long as this lives. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct EngineLock {
    file: File,
    path: PathBuf,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another engine has the data directory.
    #[error("another rushes works in this data directory: {holder}")]
    Held {
        /// Who, as it wrote itself down: program, process, host and since when.
        holder: String,
    },
    /// The lock file cannot be made or locked.
    #[error("cannot lock the data directory: {0}; check that you may write to it")]
    Io(#[from] io::Error),
}

impl EngineLock {
    /// Takes the lock of `dir` and writes `who` into it, such as `dashboard, process 12 on box since 10:00`.
    ///
    /// # Errors
    /// [`LockError::Held`] at once when another engine has it, in this process or another.
    pub fn take(dir: &Path, who: &str) -> Result<EngineLock, LockError> {
        place::make_private_dir(dir)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let path = dir.join("engine.lock");
        let mut file = options.open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: read_holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(who.as_bytes())?;
        Ok(EngineLock { file, path })
    }

    /// Whether the next engine would find this lock: not where its file, or the directory, was removed or replaced.
    pub fn is_in_place(&self) -> bool {
        self.file.metadata().is_ok_and(|file| place::leads_to(&self.path, place::identity(&file)))
    }

    /// Who has the lock of `dir` now, or `None`. Makes no file, and holds nothing when it returns.
    pub fn holder(dir: &Path) -> Option<String> {
        let mut file = File::open(dir.join("engine.lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_holder(&mut file)),
            _ => None,
        }
    }

    /// What an engine writes into its lock: its kind (`dashboard`, `run`), this process and host, since when.
    pub fn describe(kind: &str, since: jiff::Timestamp) -> String {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "this machine" } else { host.trim() };
        let since = since.strftime("%Y-%m-%d %H:%M UTC");
        format!("{kind}, process {} on {host} since {since}", std::process::id())
    }
}

fn read_holder(file: &mut File) -> String {
    let mut text = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(1024).read_to_end(&mut text));
    let holder = clean(&String::from_utf8_lossy(&text), 200);
    if read.is_err() || holder.is_empty() { "it did not say who it is".to_owned() } else { holder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_told_who_holds_the_directory_and_a_released_lock_can_be_taken() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("new");
        let first = EngineLock::take(&data, "run, process 1 on box").unwrap();
        let refused = EngineLock::take(&data, "dashboard").unwrap_err();
        assert!(matches!(&refused, LockError::Held { holder } if holder == "run, process 1 on box"), "{refused}");
        assert_eq!(EngineLock::holder(&data).as_deref(), Some("run, process 1 on box"));
        drop(first);
        assert_eq!(EngineLock::holder(&data), None);
        let second = EngineLock::take(&data, "x").unwrap();
        let refused = EngineLock::take(&data, "y").unwrap_err();
        assert!(refused.to_string().ends_with(": x"), "the old holder's text is gone: {refused}");
        assert!(second.is_in_place());
        std::fs::remove_file(data.join("engine.lock")).unwrap();
        assert!(!second.is_in_place(), "it is gone");
        let third = EngineLock::take(&data, "z").unwrap();
        assert!(third.is_in_place() && !second.is_in_place(), "another one took its place");
        drop(second);
        assert!(EngineLock::describe("run", jiff::Timestamp::UNIX_EPOCH).contains(" since 1970-01-01"));
    }
}
