//! What is left of a clip whose answer was cut: whether it can be played, and whether all of it is there.
//!
//! Knows MP4 by its walk, and what a loss of power leaves. Must not know jobs.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::disk::Disk;
use super::mp4;
use super::writer::SYNC_EVERY;

/// What a disk writes at once, in bytes.
const SECTOR: usize = 512;

/// What can be done with the part of a clip. Reads on after the file's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remnant {
    /// It plays from the start for so many milliseconds.
    Plays(u64),
    /// What tells a player where the pictures are did not come.
    NoTable,
    /// Not told from here.
    Unknown,
}

impl Remnant {
    /// For how long it plays, in milliseconds, where that is known.
    pub fn plays_ms(self) -> Option<u64> {
        if let Remnant::Plays(ms) = self { Some(ms) } else { None }
    }
}

impl fmt::Display for Remnant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remnant::Plays(ms) => write!(f, "the first {}.{} s of it can be played", ms / 1000, ms % 1000 / 100),
            Remnant::NoTable => f.write_str("no player can open it, since its table of contents did not come"),
            Remnant::Unknown => f.write_str("try whether a player opens it"),
        }
    }
}

/// Looks at what came of a clip.
///
/// # Errors
/// Whatever the disk says.
pub fn remnant(disk: &dyn Disk, path: &Path) -> io::Result<Remnant> {
    let mut file = disk.read(path)?;
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    (&mut file).take(8).read_to_end(&mut head)?;
    if !mp4::starts(&head) {
        return Ok(Remnant::Unknown);
    }
    // What contradicts itself cannot be played either.
    Ok(mp4::plays(&mut *file, len).ok().flatten().map_or(Remnant::NoTable, Remnant::Plays))
}

/// Whether a sector near the end of a file holds zeros alone: what a loss of power leaves of bytes that
/// were written and not synced, in a file that is as long as it should be.
///
/// # Errors
/// Whatever the disk says.
pub fn has_hole(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    let mut file = disk.read(path)?;
    let len = file.seek(SeekFrom::End(0))?;
    // One sync may have been under way, and what came meanwhile.
    let from = len.saturating_sub(2 * SYNC_EVERY) / SECTOR as u64 * SECTOR as u64;
    file.seek(SeekFrom::Start(from))?;
    let mut sector = Vec::with_capacity(SECTOR);
    loop {
        sector.clear();
        match (&mut file).take(SECTOR as u64).read_to_end(&mut sector)? {
            0 => return Ok(false),
            _ if sector.iter().all(|byte| *byte == 0) => return Ok(true),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RealDisk;
    use super::super::mp4::tests::{moov_last, plain};
    use super::*;
    use std::fs;

    fn of(content: &[u8]) -> Remnant {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x"), content).unwrap();
        remnant(&RealDisk, &dir.path().join("x")).unwrap()
    }

    /// With the table first, as clips for the web have it, each frame more plays longer.
    #[test]
    fn a_cut_clip_plays_as_far_as_its_frames_came_and_not_at_all_without_its_table() {
        let clip = plain();
        assert_eq!(of(&clip), Remnant::Plays(5000));
        let cut: Vec<Option<u64>> = (0..clip.len()).map(|keep| of(&clip[..keep]).plays_ms()).collect();
        assert!(cut.is_sorted() && cut[0].is_none() && cut.iter().flatten().count() > 1, "{cut:?}");
        assert!(cut.last().unwrap().is_some_and(|ms| ms < 5000), "the last frame is missing");
        let late = moov_last();
        assert_eq!(of(&late[..late.len() - 1]), Remnant::NoTable);
        assert_eq!(of(b"GIF89a"), Remnant::Unknown);
    }

    #[test]
    fn a_hole_is_seen_only_where_a_loss_of_power_may_have_made_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let has = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            has_hole(&RealDisk, &path).unwrap()
        };
        let mut content = vec![7; 5 << 20];
        assert!(!has(&content));
        content[..4096].fill(0);
        assert!(!has(&content), "long since synced");
        let at = (4 << 20) + 512;
        content[at..at + 512].fill(0);
        assert!(has(&content));
        assert!(!has(b"") && has(&[0; 3]));
    }
}
