//! What a file really is: a whole clip, and of what kind, or why it is none.
//!
//! Knows containers by their content. Must not know what the service called it. Everything it reads
//! is hostile: no size it finds makes it loop or allocate.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{gif, mp4, webm};
use crate::domain::text::clean;

/// What kind of file a clip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// ISO base media: `.mp4`.
    Mp4,
    /// Apple's older kind of the same: `.mov`.
    QuickTime,
    /// `.webm`.
    Webm,
    /// `.mkv`.
    Matroska,
    /// `.gif`.
    Gif,
}

impl Container {
    /// The file name's extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::QuickTime => "mov",
            Container::Webm => "webm",
            Container::Matroska => "mkv",
            Container::Gif => "gif",
        }
    }
}

/// What is known of a whole clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipInfo {
    /// What kind of file it is.
    pub container: Container,
    /// Its extension by content, without the dot.
    pub extension: &'static str,
    /// Width in pixels, where it says so.
    pub width: Option<u32>,
    /// Height in pixels, where it says so.
    pub height: Option<u32>,
    /// Length in milliseconds, where it says so.
    pub duration_ms: Option<u64>,
    /// The picture's coding, such as `avc1`, where it says so.
    pub codec: Option<String>,
}

impl ClipInfo {
    /// A clip of a kind of which nothing more is known yet.
    pub(super) fn new(container: Container) -> Self {
        let extension = container.extension();
        ClipInfo { container, extension, width: None, height: None, duration_ms: None, codec: None }
    }
}

/// Why a file is no whole clip.
#[derive(Debug, thiserror::Error)]
pub enum NotAClip {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// A web page, often an error page or a login.
    #[error("this is a web page, not a clip: {0}")]
    Html(String),
    /// An answer in JSON.
    #[error("this is JSON, not a clip: {0}")]
    Json(String),
    /// Something else.
    #[error("this is no clip in a form we know (mp4, mov, webm, mkv, gif)")]
    Unknown,
    /// It ends before its content does.
    #[error("the clip is cut: {0}")]
    Cut(String),
    /// It contradicts itself.
    #[error("the clip is damaged: {0}")]
    Damaged(String),
    /// The disk.
    #[error("the clip cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl NotAClip {
    /// Whether it is a clip all the same, cut or damaged, of which a player may make something.
    pub fn is_of_a_clip(&self) -> bool {
        matches!(self, NotAClip::Cut(_) | NotAClip::Damaged(_))
    }
}

/// Looks at a whole file.
///
/// # Errors
/// [`NotAClip`] with a sentence.
pub fn inspect(path: &Path) -> Result<ClipInfo, NotAClip> {
    inspect_in(&mut File::open(path)?)
}

/// Looks at a whole file that is open already.
///
/// # Errors
/// [`NotAClip`] with a sentence.
pub fn inspect_in<R: Read + Seek + ?Sized>(file: &mut R) -> Result<ClipInfo, NotAClip> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    (&mut *file).take(512).read_to_end(&mut head)?;
    if len == 0 {
        return Err(NotAClip::Empty);
    }
    if mp4::starts(&head) {
        mp4::inspect(file, len)
    } else if head.starts_with(b"\x1a\x45\xdf\xa3") {
        webm::inspect(file, len)
    } else if head.starts_with(b"GIF8") {
        gif::inspect(file)
    } else {
        Err(name_text(&head))
    }
}

/// Names what is no clip by its first bytes.
fn name_text(head: &[u8]) -> NotAClip {
    let start = head.iter().position(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf));
    let text = || clean(&String::from_utf8_lossy(head), 120);
    match start.map(|at| head[at]) {
        Some(b'<') => NotAClip::Html(text()),
        Some(b'{' | b'[') => NotAClip::Json(text()),
        _ => NotAClip::Unknown,
    }
}

/// Reads exactly at a place.
pub(super) fn read_at<R: Read + Seek + ?Sized>(file: &mut R, at: u64, buffer: &mut [u8]) -> Result<(), NotAClip> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => NotAClip::Cut("it ends in the middle of a header".to_owned()),
        _ => error.into(),
    })
}

/// Reads `len` bytes at a place, at most as many as there really are.
pub(super) fn read_block<R: Read + Seek + ?Sized>(file: &mut R, at: u64, len: u64) -> Result<Vec<u8>, NotAClip> {
    file.seek(SeekFrom::Start(at))?;
    let mut block = Vec::new();
    file.take(len).read_to_end(&mut block)?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn look(bytes: &[u8]) -> Result<ClipInfo, NotAClip> {
        inspect_in(&mut Cursor::new(bytes))
    }

    #[test]
    fn what_is_no_clip_is_named() {
        assert!(matches!(look(b""), Err(NotAClip::Empty)));
        assert!(matches!(look(b"\xef\xbb\xbf \n<!DOCTYPE html><title>Login</title>"), Err(NotAClip::Html(_))));
        let json = look(b"{\"error\":\"gone\x1b[31m\"}").unwrap_err().to_string();
        assert!(json.contains("gone[31m") && !json.contains('\x1b'), "{json}");
        assert!(matches!(look(b"PK\x03\x04...."), Err(NotAClip::Unknown)));
        assert!(matches!(look(&[0; 600]), Err(NotAClip::Unknown)));
    }

    fn clips() -> Vec<Vec<u8>> {
        vec![
            mp4::tests::plain(),
            mp4::tests::fragmented(),
            webm::tests::whole(),
            webm::tests::live(),
            gif::tests::whole(),
        ]
    }

    proptest! {
        #[test]
        fn damaged_clips_never_panic(which in 0usize..5, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24), keep in 0.0f64..1.0) {
            let mut clip = clips().swap_remove(which);
            for (at, byte) in flips {
                let at = at.index(clip.len());
                clip[at] = byte;
            }
            let _ = look(&clip);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a length")]
            clip.truncate((clip.len() as f64 * keep) as usize);
            let _ = look(&clip);
        }

        #[test]
        fn random_bytes_after_any_magic_never_panic(which in 0usize..5, noise in prop::collection::vec(any::<u8>(), 0..400), keep in 4usize..60) {
            let mut clip = clips().swap_remove(which);
            clip.truncate(keep);
            clip.extend(noise);
            let _ = look(&clip);
        }
    }
}
