//! WebM and Matroska: a walk over the elements.
//!
//! Knows EBML (RFC 8794) and Matroska (RFC 9559) as far as a check needs it. Must not decode
//! anything. Elements of unknown length, as live streams have them, are opened instead of skipped.

use std::io::{Read, Seek};

use super::inspect::{ClipInfo, Container, NotAClip, read_at, read_block};

/// Most elements looked at. A clip has a cluster every few seconds; an open one a block a frame.
const MOST_ELEMENTS: u32 = 300_000;

const EBML: u32 = 0x1A45_DFA3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const CODEC_ID: u32 = 0x86;
const VIDEO: u32 = 0xE0;
const WIDTH: u32 = 0xB0;
const HEIGHT: u32 = 0xBA;
const CLUSTER: u32 = 0x1F43_B675;

/// Looks at a whole file of `len` bytes.
pub(super) fn inspect<R: Read + Seek + ?Sized>(file: &mut R, len: u64) -> Result<ClipInfo, NotAClip> {
    let mut clip = Clip { info: ClipInfo::new(Container::Matroska), scale: 1_000_000, ticks: None };
    let (mut at, mut has_segment, mut has_pictures) = (0, false, false);
    for _ in 0..MOST_ELEMENTS {
        if at == len {
            return clip.finish(has_segment && has_pictures);
        }
        let element = Element::read(file, at, len)?;
        let end = match element.size {
            Some(size) => Some(element.content.checked_add(size).filter(|end| *end <= len).ok_or_else(|| {
                NotAClip::Cut(format!("{size} bytes should follow, {} are there", len - element.content))
            })?),
            None => None,
        };
        let small = |end: Option<u64>| end.map_or(0, |end| end - element.content).min(1 << 20);
        match element.id {
            // Opened: what is in it comes next. Its end is the file's, or another element's start.
            SEGMENT => {
                has_segment = true;
                at = element.content;
                continue;
            }
            CLUSTER => {
                has_pictures = true;
                if end.is_none() {
                    at = element.content;
                    continue;
                }
            }
            EBML | INFO | TRACKS => {
                let block = read_block(file, element.content, small(end))?;
                clip.read(&block, 0);
            }
            _ => {}
        }
        at = end.ok_or_else(|| NotAClip::Damaged("a part of unknown length cannot be skipped".to_owned()))?;
    }
    Err(NotAClip::Damaged("it has too many parts".to_owned()))
}

/// What was found so far.
struct Clip {
    info: ClipInfo,
    /// Nanoseconds a tick.
    scale: u64,
    ticks: Option<f64>,
}

impl Clip {
    fn finish(mut self, whole: bool) -> Result<ClipInfo, NotAClip> {
        if !whole || self.info.width.is_none() {
            return Err(NotAClip::Cut("it has no pictures".to_owned()));
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length for people; out of range saturates"
        )]
        let ms = self.ticks.map(|ticks| (ticks * self.scale as f64 / 1e6) as u64);
        self.info.duration_ms = ms.filter(|ms| (1..86_400_000).contains(ms));
        Ok(self.info)
    }

    /// Reads elements out of memory; those that make no sense end it.
    fn read(&mut self, mut block: &[u8], depth: u8) {
        while let Some((id, size, head)) = header(block) {
            let Some(rest) = block.get(head..) else { return };
            let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(rest.len()).min(rest.len());
            let (content, after) = rest.split_at(size);
            match id {
                TRACK_ENTRY | VIDEO if depth < 2 => self.read(content, depth + 1),
                DOC_TYPE if content.starts_with(b"webm") => self.info = ClipInfo::new(Container::Webm),
                TIMESTAMP_SCALE => self.scale = number(content),
                DURATION => self.ticks = float(content),
                // The coding stands before the size in its track; a sound track has no size.
                CODEC_ID if self.info.width.is_none() => {
                    let word = content.iter().map(|b| char::from(*b)).filter(char::is_ascii_graphic).take(32);
                    self.info.codec = Some(word.collect());
                }
                WIDTH => self.info.width = u32::try_from(number(content)).ok().filter(|n| *n > 0),
                HEIGHT => self.info.height = u32::try_from(number(content)).ok().filter(|n| *n > 0),
                _ => {}
            }
            block = after;
        }
    }
}

/// An element's place.
struct Element {
    id: u32,
    /// Where its content starts.
    content: u64,
    /// How long its content is; `None` is unknown.
    size: Option<u64>,
}

impl Element {
    fn read<R: Read + Seek + ?Sized>(file: &mut R, at: u64, len: u64) -> Result<Element, NotAClip> {
        let mut bytes = [0; 12];
        let known = usize::try_from((len - at).min(12)).expect("at most 12");
        read_at(file, at, &mut bytes[..known])?;
        let (id, size, head) =
            header(&bytes[..known]).ok_or_else(|| NotAClip::Cut("it ends in the middle of a part".to_owned()))?;
        Ok(Element { id, size, content: at + head as u64 })
    }
}

/// An element's id, size and the length of both, or `None` where the bytes are too few or make no sense.
fn header(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    if id_len > 4 {
        return None;
    }
    let id = bytes.get(..id_len)?.iter().fold(0, |id, b| id << 8 | u32::from(*b));
    let size_len = bytes.get(id_len)?.leading_zeros() as usize + 1;
    if size_len > 8 {
        return None;
    }
    let written = bytes.get(id_len..id_len + size_len)?.iter().fold(0, |size, b| size << 8 | u64::from(*b));
    let mask = (1u64 << (7 * size_len)) - 1;
    let size = Some(written & mask).filter(|size| *size != mask);
    Some((id, size, id_len + size_len))
}

fn number(content: &[u8]) -> u64 {
    content.iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b))
}

fn float(content: &[u8]) -> Option<f64> {
    match content.len() {
        4 => Some(f64::from(f32::from_be_bytes(content.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(content.try_into().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Cursor;

    fn element(id: u32, content: &[u8]) -> Vec<u8> {
        let id: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        let size = (content.len() as u64 | 1 << 56).to_be_bytes();
        [&id, size.as_slice(), content].concat()
    }

    fn head() -> Vec<u8> {
        let info = [element(TIMESTAMP_SCALE, &1_000_000u32.to_be_bytes()), element(DURATION, &5000f32.to_be_bytes())];
        let video = element(VIDEO, &[element(WIDTH, &[5, 0]), element(HEIGHT, &[2, 208])].concat());
        let track = element(TRACK_ENTRY, &[element(CODEC_ID, b"V_VP9"), video].concat());
        [element(INFO, &info.concat()), element(TRACKS, &track)].concat()
    }

    fn blocks() -> Vec<u8> {
        [element(0xE7, &[0]), element(0xA3, &[9; 200]), element(0xA3, &[8; 100])].concat()
    }

    pub fn whole() -> Vec<u8> {
        let segment = [head(), element(CLUSTER, &blocks()), element(CLUSTER, &blocks())].concat();
        [element(EBML, &element(DOC_TYPE, b"webm")), element(SEGMENT, &segment)].concat()
    }

    /// As a live encoder writes it: segment and clusters of unknown length.
    pub fn live() -> Vec<u8> {
        let open = |id: u32| [&id.to_be_bytes(), [0x01, 255, 255, 255, 255, 255, 255, 255].as_slice()].concat();
        let parts = [open(SEGMENT), head(), open(CLUSTER), blocks(), open(CLUSTER), blocks()];
        [element(EBML, &element(DOC_TYPE, b"webm")), parts.concat()].concat()
    }

    fn look(clip: &[u8]) -> Result<ClipInfo, NotAClip> {
        inspect(&mut Cursor::new(clip), clip.len() as u64)
    }

    #[test]
    fn whole_clips_say_their_size_length_and_coding() {
        for clip in [whole(), live()] {
            let info = look(&clip).unwrap();
            assert_eq!((info.width, info.height, info.duration_ms), (Some(1280), Some(720), Some(5000)));
            assert_eq!((info.extension, info.codec.as_deref()), ("webm", Some("V_VP9")));
        }
    }

    #[test]
    fn a_clip_cut_anywhere_is_refused() {
        let clip = whole();
        for keep in 1..clip.len() {
            assert!(look(&clip[..keep]).is_err(), "{keep} of {} bytes pass for a whole clip", clip.len());
        }
        // Of unknown length, only a cut inside a part can be told.
        let clip = live();
        let passes = (1..clip.len()).filter(|keep| look(&clip[..*keep]).is_ok()).count();
        assert!(passes < 10, "{passes}");
    }
}
