//! A disk for tests: the real one, with as much room as the test says, that writes down what it was asked.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::disk::{Disk, DiskFile, ReadSeek, RealDisk};

/// The disk; clones share the diary.
#[derive(Clone)]
pub(super) struct DiaryDisk {
    room: u64,
    calls: Arc<Mutex<Vec<String>>>,
}

struct DiaryFile {
    file: Box<dyn DiskFile>,
    name: String,
    disk: DiaryDisk,
}

impl DiaryDisk {
    /// Each file takes `room` bytes, and as much as fits of the write that does not.
    pub fn with_room(room: u64) -> Self {
        DiaryDisk { room, calls: Arc::default() }
    }

    /// What was asked so far, as `sync clip.part`.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, what: &str, path: &Path) -> String {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        self.calls.lock().unwrap().push(format!("{what} {name}"));
        name
    }

    fn file(&self, what: &str, path: &Path, file: io::Result<Box<dyn DiskFile>>) -> io::Result<Box<dyn DiskFile>> {
        let name = self.note(what, path);
        Ok(Box::new(DiaryFile { file: file?, name, disk: self.clone() }))
    }
}

impl DiskFile for DiaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.note("write", Path::new(&self.name));
        let fits = bytes.len().min(usize::try_from(self.disk.room).unwrap());
        self.file.write(&bytes[..fits])?;
        self.disk.room -= fits as u64;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.note("sync", Path::new(&self.name));
        self.file.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.note("truncate", Path::new(&self.name));
        self.file.truncate(len)
    }
}

impl Disk for DiaryDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file("create", path, RealDisk.create_new(path))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file("append", path, RealDisk.append(path))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        RealDisk.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        RealDisk.len(path)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note("rename", from);
        RealDisk.rename_no_replace(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.note("sync_dir", dir);
        RealDisk.sync_dir(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn free_space(&self, _: &Path) -> io::Result<u64> {
        Ok(self.room)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note("remove", path);
        RealDisk.remove(path)
    }
}
