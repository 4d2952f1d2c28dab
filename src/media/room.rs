//! Room: whether a clip that is about to be paid for can be put down at all.
//!
//! Knows a directory's free space and whether it takes a file. Must not know prices.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::publish::directory;

/// Why clips cannot be put into the output directory.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// Too little is free.
    #[error(
        "{} has {} MB free and the clips under way may need {} MB; make room or choose another --output-dir. Nothing was sent",
        dir.display(), free / 1_000_000, needed.div_ceil(1_000_000)
    )]
    Full {
        /// The output directory.
        dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// It cannot be made or written to.
    #[error("{} cannot be written to: {source}; choose another --output-dir. Nothing was sent", dir.display())]
    Unwritable {
        /// The output directory.
        dir: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

/// Makes the output directory where it is missing, and tries that it takes a file and has `needed`
/// bytes free. Returns the bytes that are free.
///
/// # Errors
/// [`NoRoom`] with the next step.
pub fn check_room(disk: &dyn Disk, dir: &Path, needed: u64) -> Result<u64, NoRoom> {
    let unwritable = |source| NoRoom::Unwritable { dir: dir.to_owned(), source };
    make_dir(disk, dir).map_err(unwritable)?;
    let free = disk.free_space(dir).map_err(unwritable)?;
    if free < needed {
        return Err(NoRoom::Full { dir: dir.to_owned(), free, needed });
    }
    let probe = dir.join(format!(".rushes-{}-{:08x}.part", std::process::id(), fastrand::u32(..)));
    let tried = disk.create_new(&probe).and_then(|mut file| file.write(b"may I?"));
    let _ = disk.remove(&probe);
    tried.map_err(unwritable)?;
    Ok(free)
}

/// Makes a directory and those above it, where they are missing, and waits until their names are on
/// the medium: a clip is only as safe as the directory that it lies in.
pub(super) fn make_dir(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for above in dir.ancestors().filter(|above| !above.as_os_str().is_empty()) {
        if disk.len(above)?.is_some() {
            break;
        }
        missing.push(above);
    }
    disk.create_dir(dir)?;
    missing.into_iter().try_for_each(|made| disk.sync_dir(directory(made)))
}

#[cfg(test)]
mod tests {
    use super::super::RealDisk;
    use super::*;
    use std::fs;

    #[test]
    fn room_is_found_before_money_is_spent() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("clips/today");
        let free = check_room(&RealDisk, &out, 1).unwrap();
        assert!(free > 1 && fs::read_dir(&out).unwrap().next().is_none(), "the probe is gone");
        let full = check_room(&RealDisk, &out, u64::MAX).unwrap_err().to_string();
        assert!(full.contains("make room") && full.contains("Nothing was sent"), "{full}");
        fs::write(dir.path().join("file"), "").unwrap();
        let under_a_file = check_room(&RealDisk, &dir.path().join("file/x"), 1);
        assert!(matches!(under_a_file, Err(NoRoom::Unwritable { .. })));
    }
}
