//! One track of an MP4's table of contents: what it shows, and where its frames lie.
//!
//! Knows `trak` and what is in it. Must not read the file; its tables are in memory already.

use super::inspect::NotAClip;
use super::mp4::{Boxes, be16, be32, be64, time_of, to_ms};

/// A track.
#[derive(Default)]
pub(super) struct Track {
    /// Whether it is a picture.
    pub is_video: bool,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Length in milliseconds.
    pub duration_ms: Option<u64>,
    /// How it is coded: four letters.
    pub codec: Option<String>,
    /// Where its frames lie.
    pub table: Table,
}

/// Where frames lie: in chunks, each at a place in the file.
#[derive(Default)]
pub(super) struct Table {
    /// Every chunk's place.
    chunks: Vec<u64>,
    /// From which chunk on (from 1) how many frames are in each.
    runs: Vec<(u32, u32)>,
    /// The one size of all frames, or 0 where each has its own.
    uniform: u64,
    /// Each frame's size, where they differ.
    sizes: Vec<u32>,
    /// How many frames there are.
    count: u64,
}

impl Track {
    /// Reads a `trak`.
    pub fn read(content: &[u8]) -> Result<Track, NotAClip> {
        let mut track = Track::default();
        track.fill(content, 0)?;
        Ok(track)
    }

    fn fill(&mut self, content: &[u8], depth: u8) -> Result<(), NotAClip> {
        for item in Boxes(content) {
            let (kind, content) = item?;
            match &kind {
                b"mdia" | b"minf" | b"stbl" if depth < 3 => self.fill(content, depth + 1)?,
                b"tkhd" => {
                    let at = if content.first() == Some(&1) { 88 } else { 76 };
                    let whole = |at| be32(content, at).map(|n| n >> 16).filter(|n| *n > 0);
                    self.width = self.width.or(whole(at));
                    self.height = self.height.or(whole(at + 4));
                }
                b"mdhd" => self.duration_ms = time_of(content).and_then(|(scale, ticks)| to_ms(ticks, scale)),
                // `minf` has an `hdlr` of its own in QuickTime, which speaks of data, not of media.
                b"hdlr" if depth == 1 => self.is_video = content.get(8..12) == Some(b"vide"),
                b"stsd" => self.describe(content),
                b"stsz" => self.table.uneven(content),
                b"stz2" => self.table.compact(content),
                b"stsc" => {
                    let entries = entries(content, 4, 12);
                    self.table.runs = entries.filter_map(|e| Some((be32(e, 0)?, be32(e, 4)?))).collect();
                }
                b"stco" => {
                    let entries = entries(content, 4, 4);
                    self.table.chunks = entries.filter_map(|e| be32(e, 0).map(u64::from)).collect();
                }
                b"co64" => {
                    let entries = entries(content, 4, 8);
                    self.table.chunks = entries.filter_map(|e| be64(e, 0)).collect();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first description of an `stsd`: coding and, for a picture, its size.
    fn describe(&mut self, content: &[u8]) {
        let Some(Ok((kind, entry))) = content.get(8..).and_then(|entries| Boxes(entries).next()) else { return };
        if !self.is_video {
            return;
        }
        let word: String = kind.iter().map(|b| char::from(*b)).filter(char::is_ascii_graphic).collect();
        self.codec = (!word.is_empty()).then_some(word);
        let size = |at| be16(entry, at).map(u32::from).filter(|n| *n > 0);
        self.width = size(24).or(self.width);
        self.height = size(26).or(self.height);
    }
}

/// The entries of a table whose count stands at `count_at`, each `size` bytes long, as far as they are there.
fn entries(content: &[u8], count_at: usize, size: usize) -> impl Iterator<Item = &[u8]> {
    let count = be32(content, count_at).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    content.get(count_at + 4..).unwrap_or_default().chunks_exact(size).take(count)
}

impl Table {
    fn uneven(&mut self, content: &[u8]) {
        self.uniform = be32(content, 4).map_or(0, u64::from);
        self.count = be32(content, 8).map_or(0, u64::from);
        if self.uniform == 0 {
            self.sizes = entries(content, 8, 4).filter_map(|e| be32(e, 0)).collect();
        }
    }

    fn compact(&mut self, content: &[u8]) {
        self.count = be32(content, 8).map_or(0, u64::from);
        let bytes = content.get(12..).unwrap_or_default();
        self.sizes = match content.get(7) {
            Some(16) => bytes.chunks_exact(2).filter_map(|e| be16(e, 0).map(u32::from)).collect(),
            Some(4) => bytes.iter().flat_map(|b| [u32::from(b >> 4), u32::from(b & 15)]).collect(),
            _ => bytes.iter().map(|b| u32::from(*b)).collect(),
        };
    }

    /// Checks that every frame lies inside a file of `len` bytes; returns how many there are.
    pub fn check(&self, len: u64) -> Result<u64, NotAClip> {
        if self.uniform == 0 && u64::try_from(self.sizes.len()).unwrap_or(u64::MAX) < self.count {
            return Err(NotAClip::Damaged("its list of frames is too short".to_owned()));
        }
        let mut next = 0u64;
        for (place, frames) in self.placed() {
            let end = place.saturating_add(self.bytes(next, frames));
            if end > len {
                return Err(NotAClip::Cut(format!("a frame should end at byte {end}, the file ends at {len}")));
            }
            next += frames;
        }
        if next < self.count {
            return Err(NotAClip::Damaged(format!("{} of its {} frames have no place", self.count - next, self.count)));
        }
        Ok(self.count)
    }

    /// How many frames lie inside the first `len` bytes before the first that does not, and how many there are.
    pub fn whole_in(&self, len: u64) -> (u64, u64) {
        let mut next = 0u64;
        for (mut place, frames) in self.placed() {
            if let Some(fit) = len.saturating_sub(place).checked_div(self.uniform) {
                next += fit.min(frames);
                if fit < frames {
                    return (next, self.count);
                }
                continue;
            }
            for _ in 0..frames {
                let size = self.bytes(next, 1);
                place = place.saturating_add(size);
                // A list that is too short would give frames without content, without end.
                if place > len || size == 0 {
                    return (next, self.count);
                }
                next += 1;
            }
        }
        (next, self.count)
    }

    /// Every chunk's place and how many frames are in it, in order.
    fn placed(&self) -> impl Iterator<Item = (u64, u64)> {
        let (mut run, mut left) = (0, self.count);
        self.chunks.iter().enumerate().map(move |(n, place)| {
            let next =
                |run: usize| self.runs.get(run + 1).map(|(first, _)| usize::try_from(*first).unwrap_or(usize::MAX));
            while next(run).is_some_and(|first| first <= n + 1) {
                run += 1;
            }
            let frames = self.runs.get(run).map_or(1, |(_, frames)| u64::from(*frames)).min(left);
            left -= frames;
            (*place, frames)
        })
    }

    fn bytes(&self, from: u64, frames: u64) -> u64 {
        if self.uniform > 0 {
            return self.uniform.saturating_mul(frames);
        }
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.sizes.len());
        let upto = from.saturating_add(usize::try_from(frames).unwrap_or(usize::MAX)).min(self.sizes.len());
        self.sizes[from..upto].iter().map(|size| u64::from(*size)).sum()
    }
}
