//! The clips' disk, watched: the real one, and each thing asked of it in the recorder's log.
//!
//! Knows the disk's trait. Must not know clips. Of directories it makes one at a time.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rushes::media::{Disk, DiskFile, ReadSeek, RealDisk};

use super::record::Recorder;

/// The disk.
#[derive(Clone)]
pub struct WatchedDisk {
    pub recorder: Recorder,
    /// Bytes that may still be written; as many as one likes, where `None`.
    pub room: Arc<Mutex<Option<u64>>>,
}

struct WatchedFile {
    file: Box<dyn DiskFile>,
    number: usize,
    len: usize,
    disk: WatchedDisk,
}

impl WatchedDisk {
    pub fn new(recorder: &Recorder) -> WatchedDisk {
        WatchedDisk { recorder: recorder.clone(), room: Arc::default() }
    }

    fn room(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Path, file: Box<dyn DiskFile>) -> io::Result<Box<dyn DiskFile>> {
        let len = RealDisk.len(path)?.and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
        Ok(Box::new(WatchedFile { file, number: self.recorder.open(path), len, disk: self.clone() }))
    }
}

impl DiskFile for WatchedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut fits = bytes.len();
        if let Some(room) = self.disk.room().as_mut() {
            fits = fits.min(usize::try_from(*room).unwrap_or(usize::MAX));
            *room -= fits as u64;
        }
        self.disk.recorder.write(self.number, self.len, &bytes[..fits]);
        self.file.write(&bytes[..fits])?;
        self.len += fits;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.disk.recorder.sync(self.number);
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.len = usize::try_from(len).map_err(io::Error::other)?;
        self.disk.recorder.truncate(self.number, self.len);
        self.file.truncate(len)
    }
}

impl Disk for WatchedDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path, RealDisk.create_new(path)?)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path, RealDisk.append(path)?)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        RealDisk.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        RealDisk.len(path)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename_no_replace(from, to)?;
        self.recorder.rename(from, to);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)?;
        self.recorder.sync_dir(dir);
        Ok(())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let missing = RealDisk.len(dir)?.is_none();
        RealDisk.create_dir(dir)?;
        if missing {
            self.recorder.make_dir(dir);
        }
        Ok(())
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        self.room().map_or_else(|| RealDisk.free_space(dir), Ok)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)?;
        self.recorder.unlink(path);
        Ok(())
    }
}
