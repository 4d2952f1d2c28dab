//! Where a clip's bytes go as they arrive: providers write here and know no files.
//!
//! Knows the order of calls. Must not know disks.

use std::io;

/// What the answer's head says of the bytes that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClipHead {
    /// Offset of the first byte that follows; 0 unless the service resumed.
    pub offset: u64,
    /// Whole length in bytes, where the service says it.
    pub total: Option<u64>,
    /// The content type as sent; not to be trusted.
    pub content_type: Option<String>,
    /// The validator to resume with (`If-Range`).
    pub etag: Option<String>,
}

/// Takes one or more clips of one job, in order: `begin`, any number of `write`s, `end`.
///
/// An error from any call stops the transfer and reaches the engine as it is.
pub trait ClipSink: Send {
    /// A clip starts.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn begin(&mut self, head: &ClipHead) -> io::Result<()>;

    /// Its next bytes.
    ///
    /// # Errors
    /// Whatever the disk says; [`io::ErrorKind::StorageFull`] when it is full.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The clip is complete, as far as the service says.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn end(&mut self) -> io::Result<()>;
}

/// Collects clips in memory; for tests.
#[derive(Debug, Default)]
pub struct MemorySink {
    /// The clips begun, in order; true once ended.
    pub clips: Vec<(ClipHead, Vec<u8>, bool)>,
}

impl ClipSink for MemorySink {
    fn begin(&mut self, head: &ClipHead) -> io::Result<()> {
        self.clips.push((head.clone(), Vec::new(), false));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let clip = self.clips.last_mut().ok_or_else(|| io::Error::other("write before begin"))?;
        clip.1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let clip = self.clips.last_mut().ok_or_else(|| io::Error::other("end before begin"))?;
        clip.2 = true;
        Ok(())
    }
}
