//! The reserve: a file of one MiB that is given back to a full disk, so that ids and books of what
//! was paid for still commit.
//!
//! Knows one file. Must not know what is committed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes kept back.
const SIZE: u64 = 1 << 20;

/// Free bytes above which the reserve is made again: with less, making it would take the room that
/// was just freed.
const ROOM: u64 = 16 << 20;

/// The reserve of one data directory.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve of `dir`, made now if there is room.
    pub(super) fn of(dir: &Path) -> Self {
        let reserve = Reserve { path: dir.join("reserve") };
        reserve.restore();
        reserve
    }

    /// Gives the room back; false where there was no reserve to give.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    /// Makes the reserve again where it is missing and there is room; false where there is none
    /// then. That is no error: everything works without it.
    pub(super) fn restore(&self) -> bool {
        let whole = fs::metadata(&self.path).is_ok_and(|file| file.len() == SIZE);
        if whole || !self.has_room() {
            return whole;
        }
        if let Err(error) = self.make() {
            tracing::debug!(%error, "no reserve could be made");
            let _ = fs::remove_file(&self.path);
            return false;
        }
        true
    }

    fn has_room(&self) -> bool {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        rustix::fs::statvfs(dir).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > ROOM)
    }

    fn make(&self) -> io::Result<()> {
        let mut file: File = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&self.path)?;
        #[cfg(target_os = "linux")]
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, SIZE).is_ok() {
            return Ok(());
        }
        // Not zeros: a compressing file system would keep no room for those.
        let mut noise = vec![0; 1 << 16];
        for _ in 0..SIZE >> 16 {
            fastrand::fill(&mut noise);
            file.write_all(&noise)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_reserve_takes_real_room_and_gives_it_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        let file = fs::metadata(dir.path().join("reserve")).unwrap();
        assert!(file.len() == SIZE && file.blocks() * 512 >= SIZE, "{} blocks", file.blocks());
        assert!(reserve.release());
        assert!(!reserve.release());
        assert!(reserve.restore() && reserve.restore());
        assert!(reserve.release());
    }
}
