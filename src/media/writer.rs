//! Takes a job's clips as they arrive and puts them on disk, each into a part file of its own.
//!
//! Knows part files and their hashes. Must not know who sends, nor what the clip will be called.
//! What arrived is never thrown away: after an error, a cut or a crash the part file stays.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::disk::{Disk, DiskFile};
use super::publish::directory;
use super::room::make_dir;
use crate::domain::sink::{ClipHead, ClipSink};
use crate::mutation::mutated;

/// Bytes after which what was written is synced, so that a crash of the machine loses no more.
pub const SYNC_EVERY: u64 = 1 << 20;

/// A part file as its writer left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, lower-case hex.
    pub sha256: String,
    /// Whether the service said that it was complete, and it was as long as promised.
    pub whole: bool,
}

/// Looks at a writer from outside, while it writes and after.
#[derive(Debug, Default)]
pub struct Written {
    bytes: AtomicU64,
    total: AtomicU64,
    heads: Mutex<Vec<ClipHead>>,
    parts: Mutex<Vec<PartFile>>,
}

impl Written {
    /// Bytes of the present clip that are in its part file.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Length of the present clip in bytes, where the service said it.
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total > 0)
    }

    /// The head of the clip begun last; its `etag` is what a download goes on with.
    pub fn head(&self) -> Option<ClipHead> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// The part files so far, in order. The last one joins them when it ends, or when its writer
    /// is dropped.
    pub fn parts(&self) -> Vec<PartFile> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A [`ClipSink`] on a disk.
pub struct ClipWriter {
    disk: Arc<dyn Disk>,
    base: PathBuf,
    ordinal: u32,
    open: Option<Open>,
    written: Arc<Written>,
}

/// The clip that is being written.
struct Open {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    hash: Sha256,
    bytes: u64,
    synced: u64,
    total: Option<u64>,
    /// A write failed, so that the file's end is not known to be what the hash says.
    torn: bool,
}

impl fmt::Debug for ClipWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClipWriter").field("base", &self.base).field("ordinal", &self.ordinal).finish_non_exhaustive()
    }
}

/// The part file of a job's `ordinal`-th clip, from 1: `<base>.part`, `<base>.2.part`, ...
pub fn part_path(base: &Path, ordinal: u32) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(if ordinal > 1 { format!(".{ordinal}.part") } else { ".part".to_owned() });
    PathBuf::from(name)
}

impl ClipWriter {
    /// Writes the first clip to [`part_path`]`(base, ordinal)`, the next to the next ordinal.
    /// `base` must be the job's own (see [`super::naming::part_base`]): what lies there is taken
    /// for an earlier try of the same clip.
    pub fn new(disk: Arc<dyn Disk>, base: impl Into<PathBuf>, ordinal: u32) -> Self {
        ClipWriter { disk, base: base.into(), ordinal, open: None, written: Arc::default() }
    }

    /// A look at it from outside.
    pub fn written(&self) -> Arc<Written> {
        self.written.clone()
    }

    /// Ends it; the same as dropping it and asking [`Written::parts`].
    pub fn finish(mut self) -> Vec<PartFile> {
        self.close(false);
        self.written.parts()
    }

    /// Opens the part file at `offset`, its content up to there hashed.
    fn open_at(&self, path: PathBuf, offset: u64) -> io::Result<Open> {
        let there = self.disk.len(&path)?;
        let mut hash = Sha256::new();
        let file = match there {
            None if offset == 0 => {
                let file = match self.disk.create_new(&path) {
                    // Somebody tidied up, and the directory went along; the clip is paid for.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        make_dir(&*self.disk, directory(&path))?;
                        self.disk.create_new(&path)?
                    }
                    made => made?,
                };
                // What is synced as it comes is only as safe as its name.
                self.disk.sync_dir(directory(&path))?;
                file
            }
            Some(len) if len >= offset => {
                let mut content = self.disk.read(&path)?.take(offset);
                let mut chunk = vec![0; 1 << 16];
                loop {
                    match content.read(&mut chunk)? {
                        0 => break,
                        n => hash.update(&chunk[..n]),
                    }
                }
                let mut file = self.disk.append(&path)?;
                if len > offset {
                    file.truncate(offset)?;
                }
                file
            }
            _ => {
                let what = format!("the service goes on at byte {offset}, {} are there", there.unwrap_or(0));
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        };
        Ok(Open { path, file, hash, bytes: offset, synced: offset, total: None, torn: false })
    }

    /// Ends the present clip, if there is one.
    fn close(&mut self, whole: bool) {
        let Some(open) = self.open.take() else { return };
        let Open { path, bytes, hash, torn, .. } = open;
        let (mut bytes, mut sha256) = (bytes, None);
        if torn {
            // What the disk took of the failed write is kept, so the hash is of what is there.
            if let Ok((len, hashed)) = super::publish::hash_file(&*self.disk, &path) {
                (bytes, sha256) = (len, Some(hashed));
            }
        }
        let sha256 = sha256.unwrap_or_else(|| format!("{:x}", hash.finalize()));
        self.ordinal += 1;
        let part = PartFile { path, bytes, sha256, whole };
        self.written.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
    }
}

impl ClipSink for ClipWriter {
    fn begin(&mut self, head: &ClipHead) -> io::Result<()> {
        self.close(false);
        let mut open = self.open_at(part_path(&self.base, self.ordinal), head.offset)?;
        open.total = head.total;
        self.written.bytes.store(open.bytes, Ordering::Relaxed);
        self.written.total.store(head.total.unwrap_or(0), Ordering::Relaxed);
        self.written.heads.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
        self.open = Some(open);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().ok_or_else(|| io::Error::other("write before begin"))?;
        open.file.write(bytes).inspect_err(|_| open.torn = true)?;
        open.hash.update(bytes);
        open.bytes += bytes.len() as u64;
        if open.bytes - open.synced >= SYNC_EVERY {
            open.file.sync()?;
            open.synced = open.bytes;
        }
        self.written.bytes.store(open.bytes, Ordering::Relaxed);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let open = self.open.as_mut().ok_or_else(|| io::Error::other("end before begin"))?;
        if let Some(total) = open.total.filter(|total| *total != open.bytes) {
            let what = format!("{total} bytes were promised, {} came", open.bytes);
            self.close(false);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        if !mutated("rename_before_sync") {
            open.file.sync()?;
        }
        self.close(true);
        Ok(())
    }
}

impl Drop for ClipWriter {
    fn drop(&mut self) {
        if let Some(open) = &mut self.open {
            // Nobody is left to be told; what is not synced the system writes later.
            let _ = open.file.sync();
        }
        self.close(false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::RealDisk;
    use super::super::diary::DiaryDisk;
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_that_was_removed_meanwhile_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ClipWriter::new(Arc::new(RealDisk), dir.path().join("clips/today/c"), 1);
        writer.begin(&head(0, None)).unwrap();
        writer.write(b"clip").unwrap();
        writer.end().unwrap();
        assert_eq!(fs::read(dir.path().join("clips/today/c.part")).unwrap(), b"clip");
    }

    fn head(offset: u64, total: Option<u64>) -> ClipHead {
        ClipHead { offset, total, content_type: None, etag: Some("\"v\"".into()) }
    }

    fn sha(content: &[u8]) -> String {
        format!("{:x}", Sha256::digest(content))
    }

    #[test]
    fn clips_are_written_in_order_and_hashed_as_they_come() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("clip");
        let mut writer = ClipWriter::new(Arc::new(RealDisk), &base, 1);
        let written = writer.written();
        let long = vec![7; 3 << 20];
        writer.begin(&head(0, Some(long.len() as u64))).unwrap();
        for chunk in long.chunks(1_000_001) {
            writer.write(chunk).unwrap();
        }
        assert_eq!((written.bytes(), written.total()), (3 << 20, Some(3 << 20)));
        writer.end().unwrap();
        writer.begin(&head(0, None)).unwrap();
        writer.write(b"cut").unwrap();
        assert_eq!(written.parts().len(), 1);
        drop(writer);
        let parts = written.parts();
        let second = dir.path().join("clip.2.part");
        let whole = PartFile { path: dir.path().join("clip.part"), bytes: 3 << 20, sha256: sha(&long), whole: true };
        let cut = PartFile { path: second.clone(), bytes: 3, sha256: sha(b"cut"), whole: false };
        assert_eq!(parts, [whole, cut]);
        assert_eq!(fs::read(second).unwrap(), b"cut");
    }

    #[test]
    fn a_download_goes_on_where_it_was_cut_and_hashes_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("clip");
        let part = part_path(&base, 1);
        fs::write(&part, b"0123456789").unwrap();
        let go_on = |offset: u64, rest: &[u8]| {
            let mut writer = ClipWriter::new(Arc::new(RealDisk), &base, 1);
            writer.begin(&head(offset, None))?;
            writer.write(rest)?;
            writer.end()?;
            io::Result::Ok(writer.finish().remove(0).sha256)
        };
        assert_eq!(go_on(10, b"ab").unwrap(), sha(b"0123456789ab"));
        assert_eq!(go_on(4, b"X").unwrap(), sha(b"0123X"), "the service went back");
        assert_eq!(go_on(6, b"").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read(&part).unwrap(), b"0123X", "a refused offset destroys nothing");
        assert_eq!(go_on(0, b"new").unwrap(), sha(b"new"));
        assert_eq!(fs::read(&part).unwrap(), b"new");
    }

    #[test]
    fn fewer_bytes_than_promised_are_not_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ClipWriter::new(Arc::new(RealDisk), dir.path().join("clip"), 1);
        writer.begin(&head(0, Some(4))).unwrap();
        writer.write(b"abc").unwrap();
        assert_eq!(writer.end().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let parts = writer.finish();
        assert_eq!((parts[0].whole, parts[0].bytes), (false, 3));
    }

    #[test]
    fn a_full_disk_keeps_what_it_took_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ClipWriter::new(Arc::new(DiaryDisk::with_room(5)), dir.path().join("clip"), 1);
        writer.begin(&head(0, None)).unwrap();
        writer.write(b"abc").unwrap();
        assert_eq!(writer.write(b"defg").unwrap_err().kind(), io::ErrorKind::StorageFull);
        let part = writer.finish().remove(0);
        assert_eq!((part.bytes, part.whole, part.sha256), (5, false, sha(b"abcde")));
        assert_eq!(fs::read(part.path).unwrap(), b"abcde");
    }

    #[test]
    fn a_crash_of_the_machine_loses_no_more_than_a_mebibyte_and_an_ended_clip_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let disk = DiaryDisk::with_room(u64::MAX);
        let mut writer = ClipWriter::new(Arc::new(disk.clone()), dir.path().join("clip"), 1);
        writer.begin(&head(0, None)).unwrap();
        for _ in 0..10 {
            writer.write(&[0; 300_000]).unwrap();
        }
        writer.end().unwrap();
        let unsynced = disk.calls().into_iter().fold((0, 0u32), |(most, writes), call| match call.as_str() {
            "write clip.part" => (most.max(writes + 1), writes + 1),
            "sync clip.part" => (most, 0),
            _ => (most, writes),
        });
        assert_eq!(unsynced, (4, 0), "{:?}", disk.calls());
    }
}
