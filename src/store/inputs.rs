//! Inputs: media files that jobs were queued with, kept by their hash so that a job can be sent
//! again exactly, whatever happened to the user's file.
//!
//! Knows the directory `inputs` and media types by content. Must not know jobs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::place::make_private_dir;

/// Largest file taken, in bytes. Services take far less (wire.md 1.4); this keeps a slip of the
/// hand from filling the disk.
const LARGEST: u64 = 512 << 20;

/// A media file kept by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInput {
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// Its media type, told from its content.
    pub mime: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Copies a media file into the data directory, whole and synced. Doing so again changes nothing.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] with a sentence where it is no picture, clip or sound we know, or
/// larger than 512 MiB; else whatever the disk says.
pub fn put_input(dir: &Path, path: &Path) -> io::Result<StoredInput> {
    let (mime, head, source) = open(path)?;
    keep(dir, mime, head.as_slice().chain(source), &path.display().to_string())
}

/// The same for content that is in memory.
///
/// # Errors
/// As [`put_input`].
pub fn put_input_bytes(dir: &Path, content: &[u8]) -> io::Result<StoredInput> {
    let mime = sniff(content).ok_or_else(|| refuse("it is no picture, clip or sound we know".to_owned()))?;
    keep(dir, mime, content, "it")
}

/// A media file's type by its content, and its length in bytes; nothing is copied.
///
/// # Errors
/// As [`put_input`].
pub fn measure_input(path: &Path) -> io::Result<(&'static str, u64)> {
    let (mime, _, source) = open(path)?;
    Ok((mime, source.metadata()?.len()))
}

fn refuse(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A media file, its type and its beginning, which is read already.
fn open(path: &Path) -> io::Result<(&'static str, Vec<u8>, File)> {
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(refuse(format!("{} is not a file", path.display())));
    }
    let mut source = File::open(path)?;
    let mut head = Vec::new();
    (&mut source).take(4096).read_to_end(&mut head)?;
    let mime = sniff(&head).ok_or_else(|| {
        refuse(format!("{} is no file we can send: give a png, jpeg, webp, gif, mp4, webm, mp3 or wav", path.display()))
    })?;
    Ok((mime, head, source))
}

fn keep(dir: &Path, mime: &str, mut content: impl Read, name: &str) -> io::Result<StoredInput> {
    let inputs = dir.join("inputs");
    make_private_dir(&inputs)?;
    let part = Part::create(inputs.join(format!("{}-{:016x}.part", std::process::id(), fastrand::u64(..))))?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; 1 << 16];
    loop {
        let n = content.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        hash.update(&chunk[..n]);
        (&part.file).write_all(&chunk[..n])?;
        bytes += n as u64;
        if bytes > LARGEST {
            return Err(refuse(format!("{name} is larger than {} MiB", LARGEST >> 20)));
        }
    }
    let sha256 = format!("{:x}", hash.finalize());
    part.file.sync_all()?;
    part.publish(&inputs.join(&sha256))?;
    File::open(&inputs)?.sync_all()?;
    Ok(StoredInput { sha256, mime: mime.to_owned(), bytes })
}

/// Loads a kept input and checks it against its hash.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] where it is not what was kept; [`io::ErrorKind::InvalidInput`]
/// where `sha256` is no hash; else whatever the disk says.
pub fn load_input(dir: &Path, sha256: &str) -> io::Result<Vec<u8>> {
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the hash of a stored input"));
    }
    let path = dir.join("inputs").join(sha256);
    let content = fs::read(&path)?;
    if format!("{:x}", Sha256::digest(&content)) != sha256 {
        let what = format!("{} was changed since it was queued; put the file back, or queue it anew", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(content)
}

/// A media type by content, or `None` for what no service takes.
fn sniff(head: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, what: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(what));
    let riff = at(0, b"RIFF");
    Some(match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if riff && at(8, b"WEBP") => "image/webp",
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        () if riff && at(8, b"WAVE") => "audio/wav",
        () if at(4, b"ftyp") && (at(8, b"avif") || at(8, b"heic") || at(8, b"mif1")) => return None,
        () if at(4, b"ftyp") => "video/mp4",
        () if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        () if at(0, b"ID3") => "audio/mpeg",
        // An MPEG frame: eleven sync bits, layer III, and neither rate index reserved.
        () if head.len() > 2 && head[0] == 0xff && head[1] & 0xe6 == 0xe2 && head[2] >> 4 != 15 => "audio/mpeg",
        () => return None,
    })
}

/// A file that vanishes unless it is published.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn create(path: PathBuf) -> io::Result<Part> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Part { path, file })
    }

    /// The name is the content's hash, so that replacing an older copy changes nothing.
    fn publish(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and then some";

    #[test]
    fn an_input_is_kept_once_by_its_hash_and_a_changed_copy_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cat.jpg");
        let content = [PNG, &[7; 200_000]].concat();
        fs::write(&file, &content).unwrap();
        let kept = put_input(dir.path(), &file).unwrap();
        assert_eq!((kept.mime.as_str(), kept.bytes), ("image/png", content.len() as u64));
        assert_eq!(put_input(dir.path(), &file).unwrap(), kept);
        assert_eq!(fs::read_dir(dir.path().join("inputs")).unwrap().count(), 1, "one copy, no parts");
        fs::remove_file(&file).unwrap();
        assert_eq!(load_input(dir.path(), &kept.sha256).unwrap(), content);
        fs::write(dir.path().join("inputs").join(&kept.sha256), b"other").unwrap();
        assert_eq!(load_input(dir.path(), &kept.sha256).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(load_input(dir.path(), "../rushes.db").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn what_no_service_takes_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for content in ["<html>", "", "%PDF-1.7", "\0\0\0\x18ftypavif"] {
            let file = dir.path().join("x.png");
            fs::write(&file, content).unwrap();
            let error = put_input(dir.path(), &file).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{content}");
        }
        assert!(put_input(dir.path(), dir.path()).is_err());
        assert!(!dir.path().join("inputs").exists());
        for (head, mime) in [
            (&b"\xff\xfb\x90\x00"[..], "audio/mpeg"),
            (b"RIFF....WAVE", "audio/wav"),
            (b"RIFF....WEBP", "image/webp"),
            (b"\0\0\0\x18ftypisom", "video/mp4"),
        ] {
            assert_eq!(sniff(head), Some(mime));
        }
    }
}
