//! Publishing: a checked part file gets its final name, so that a file with a final name is always whole.
//!
//! Knows the order: sync, rename that refuses to replace, directory sync, recipe. Must not know the
//! database; the caller has claimed the name there before, and books `done` after.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::disk::Disk;
use super::inspect::{ClipInfo, NotAClip, inspect_in};
use super::writer::PartFile;
use crate::domain::{ClipFile, FileKind};
use crate::mutation::mutated;

/// Why a clip did not get its name.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another file has the name: claim the next one ([`next_name`]) and publish again.
    #[error("{} is there already and holds something else", .0.display())]
    Taken(PathBuf),
    /// The part file is gone, and its final name does not hold its content either.
    #[error("{} is gone; download the clip again", .0.display())]
    Vanished(PathBuf),
    /// It is no whole clip.
    #[error("{0}")]
    NotAClip(#[from] NotAClip),
    /// The disk.
    #[error("{} cannot be published: {source}; the clip is kept as {}", to.display(), part.display())]
    Disk {
        /// The part file.
        part: PathBuf,
        /// The name it was to get.
        to: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

/// Looks at a part file: what it is, and that it is whole.
///
/// # Errors
/// [`NotAClip`] with a sentence.
pub fn check(disk: &dyn Disk, part: &Path) -> Result<ClipInfo, NotAClip> {
    inspect_in(&mut *disk.read(part)?)
}

/// Gives a checked part file its final name. `info` is what [`check`] said; `None` publishes the
/// bytes of an answer that was cut, as [`FileKind::Partial`].
///
/// Doing so again after a crash in between changes nothing and returns the same.
///
/// # Errors
/// [`PublishError`]; the part file is still there then, unless it says otherwise.
pub fn publish(disk: &dyn Disk, part: &PartFile, info: Option<&ClipInfo>, to: &Path) -> Result<ClipFile, PublishError> {
    let failed = |source| PublishError::Disk { part: part.path.clone(), to: to.to_owned(), source };
    let same = || hash_file(disk, to).map(|(_, sha256)| sha256 == part.sha256);
    match disk.len(&part.path).map_err(failed)? {
        Some(_) => {
            if !mutated("rename_before_sync") {
                disk.append(&part.path).and_then(|mut file| file.sync()).map_err(failed)?;
            }
            match disk.rename_no_replace(&part.path, to) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !same().map_err(failed)? {
                        return Err(PublishError::Taken(to.to_owned()));
                    }
                    // A crash between the two halves of a rename left the same clip twice.
                    disk.remove(&part.path).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        None if disk.len(to).map_err(failed)?.is_some() && same().map_err(failed)? => {}
        None => return Err(PublishError::Vanished(part.path.clone())),
    }
    sync_names(disk, to).map_err(failed)?;
    if mutated("rename_before_sync") {
        disk.append(to).and_then(|mut file| file.sync()).map_err(failed)?;
    }
    Ok(clip_file(to, part.bytes, part.sha256.clone(), info))
}

/// Looks at a final name that was claimed before a crash: the whole clip that has it, or `None`
/// where there is no file of that name.
///
/// # Errors
/// [`PublishError::NotAClip`] where something else has the name.
pub fn find_published(disk: &dyn Disk, to: &Path) -> Result<Option<ClipFile>, PublishError> {
    if disk.len(to).map_err(NotAClip::Io)?.is_none() {
        return Ok(None);
    }
    let info = check(disk, to)?;
    let (bytes, sha256) = hash_file(disk, to).map_err(NotAClip::Io)?;
    Ok(Some(clip_file(to, bytes, sha256, Some(&info))))
}

fn clip_file(path: &Path, bytes: u64, sha256: String, info: Option<&ClipInfo>) -> ClipFile {
    ClipFile {
        path: path.to_string_lossy().into_owned(),
        bytes,
        sha256,
        kind: if info.is_some() { FileKind::Video } else { FileKind::Partial },
        width: info.and_then(|info| info.width),
        height: info.and_then(|info| info.height),
        duration_ms: info.and_then(|info| info.duration_ms),
    }
}

/// The name to claim after one that is taken: `clip.mp4`, `clip (2).mp4`, `clip (3).mp4`, ...
pub fn next_name(taken: &Path) -> PathBuf {
    let name = taken.file_name().unwrap_or_default().to_string_lossy();
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (&*name, String::new()),
    };
    let numbered = stem.strip_suffix(')').and_then(|stem| stem.rsplit_once(" ("));
    let (stem, n) = match numbered.and_then(|(stem, n)| Some((stem, n.parse::<u32>().ok()?))) {
        Some((stem, n)) => (stem, n.saturating_add(1)),
        None => (stem, 2),
    };
    taken.with_file_name(format!("{stem} ({n}){extension}"))
}

/// Writes a clip's recipe beside it, whole or not at all: `clip.json` for `clip.mp4`. A name that
/// holds something else is left alone, and the next one is used. Returns the path.
///
/// # Errors
/// Whatever the disk says.
pub fn publish_sidecar(disk: &dyn Disk, clip: &Path, recipe: &Value) -> io::Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(recipe)?;
    text.push(b'\n');
    let mut part = clip.as_os_str().to_owned();
    part.push(".json.part");
    let part = PathBuf::from(part);
    if disk.len(&part)?.is_some() {
        disk.remove(&part)?;
    }
    let mut file = disk.create_new(&part)?;
    let written = file.write(&text).and_then(|()| file.sync());
    drop(file);
    if let Err(error) = written {
        let _ = disk.remove(&part);
        return Err(error);
    }
    let mut to = clip.with_extension("json");
    loop {
        match disk.rename_no_replace(&part, &to) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = hash_file(disk, &to)?.1;
                if there == format!("{:x}", Sha256::digest(&text)) {
                    disk.remove(&part)?;
                    break;
                }
                to = next_name(&to);
            }
            Err(error) => {
                let _ = disk.remove(&part);
                return Err(error);
            }
        }
    }
    sync_names(disk, &to)?;
    Ok(to)
}

/// Returns when the name of `path` is on the medium.
fn sync_names(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if mutated("no_dir_sync") { Ok(()) } else { disk.sync_dir(directory(path)) }
}

/// The directory in which a path's name stands.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// A file's length in bytes and its SHA-256 in lower-case hex.
///
/// # Errors
/// Whatever the disk says.
pub fn hash_file(disk: &dyn Disk, path: &Path) -> io::Result<(u64, String)> {
    let mut file = disk.read(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((bytes, format!("{:x}", hash.finalize()))),
            n => {
                hash.update(&chunk[..n]);
                bytes += n as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diary::DiaryDisk;
    use super::super::{RealDisk, mp4};
    use super::*;
    use std::fs;

    fn part(dir: &Path, content: &[u8]) -> PartFile {
        let path = dir.join("clip.part");
        fs::write(&path, content).unwrap();
        let (bytes, sha256) = hash_file(&RealDisk, &path).unwrap();
        PartFile { path, bytes, sha256, whole: true }
    }

    #[test]
    fn a_checked_part_gets_its_name_and_a_second_try_after_a_crash_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("clip.mp4");
        let part = part(dir.path(), &mp4::tests::plain());
        let info = check(&RealDisk, &part.path).unwrap();
        let file = publish(&RealDisk, &part, Some(&info), &to).unwrap();
        assert!(!part.path.exists() && file.kind == FileKind::Video);
        assert_eq!((file.width, file.duration_ms, &file.sha256), (Some(640), Some(5000), &part.sha256));
        // Crashed after the rename, before the database heard of it.
        assert_eq!(publish(&RealDisk, &part, Some(&info), &to).unwrap(), file);
        assert_eq!(find_published(&RealDisk, &to).unwrap(), Some(file.clone()));
        // Crashed between link and unlink.
        fs::copy(&to, &part.path).unwrap();
        assert_eq!(publish(&RealDisk, &part, Some(&info), &to).unwrap(), file);
        assert!(!part.path.exists());
        assert_eq!(find_published(&RealDisk, &dir.path().join("other.mp4")).unwrap(), None);
    }

    #[test]
    fn nothing_is_ever_replaced_and_nothing_vanishes_silently() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("clip.mp4");
        fs::write(&to, "the user's own").unwrap();
        let part = part(dir.path(), &mp4::tests::plain());
        assert!(matches!(publish(&RealDisk, &part, None, &to), Err(PublishError::Taken(_))));
        assert_eq!(fs::read(&to).unwrap(), b"the user's own");
        assert!(part.path.exists());
        assert!(matches!(find_published(&RealDisk, &to), Err(PublishError::NotAClip(_))));
        fs::remove_file(&part.path).unwrap();
        assert!(matches!(publish(&RealDisk, &part, None, &to), Err(PublishError::Vanished(_))));
    }

    #[test]
    fn content_is_on_the_medium_before_its_name_and_the_name_before_the_recipe_is() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        fs::create_dir(&out).unwrap();
        let disk = DiaryDisk::with_room(u64::MAX);
        let part = part(&out, &mp4::tests::plain());
        publish(&disk, &part, None, &out.join("clip.mp4")).unwrap();
        publish_sidecar(&disk, &out.join("clip.mp4"), &Value::Null).unwrap();
        let clip = ["append clip.part", "sync clip.part", "rename clip.part", "sync_dir out"];
        let name = "clip.mp4.json.part";
        let recipe = ["create", "write", "sync", "rename"].map(|what| format!("{what} {name}"));
        let expected = [&clip.map(str::to_owned), &recipe[..], &["sync_dir out".to_owned()]].concat();
        assert_eq!(disk.calls(), expected);
    }

    /// What does not fit is taken away again, and the clip itself is not touched.
    #[test]
    fn a_recipe_that_does_not_fit_leaves_nothing_half() {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join("clip.mp4");
        fs::write(&clip, "x").unwrap();
        let full = publish_sidecar(&DiaryDisk::with_room(2), &clip, &serde_json::json!({"id": 1})).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_next_name_counts_on() {
        let next = |name: &str| next_name(Path::new(name)).to_string_lossy().into_owned();
        assert_eq!(next("/o/a.b.mp4"), "/o/a.b (2).mp4");
        assert_eq!(next("/o/a (2).mp4"), "/o/a (3).mp4");
        assert_eq!(next("/o/a (x).mp4"), "/o/a (x) (2).mp4");
    }

    #[test]
    fn a_recipe_lies_beside_its_clip_once_and_spares_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join("clip-v3.1.mp4");
        fs::write(dir.path().join("clip-v3.1.mp4.json.part"), "left by a crash").unwrap();
        let recipe = serde_json::json!({"id": "j-1", "simulated": true});
        let path = publish_sidecar(&RealDisk, &clip, &recipe).unwrap();
        assert_eq!(path, dir.path().join("clip-v3.1.json"));
        assert_eq!(publish_sidecar(&RealDisk, &clip, &recipe).unwrap(), path);
        let other = publish_sidecar(&RealDisk, &clip, &serde_json::json!({"id": "j-2"})).unwrap();
        assert_eq!(other, dir.path().join("clip-v3.1 (2).json"));
        let read: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(read, recipe);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no parts are left");
    }
}
