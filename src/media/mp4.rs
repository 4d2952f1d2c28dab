//! MP4 and its kin: a walk over the boxes that tells whether every byte that should be there is.
//!
//! Knows ISO/IEC 14496-12 as far as a check needs it: boxes must cover the file, and every
//! frame's place must lie inside them; a tail after a whole clip is let be. Must not decode anything.

use std::io::{Read, Seek};

use super::inspect::{ClipInfo, Container, NotAClip, read_at, read_block};
use super::track::Track;

/// Most boxes at the top. A fragmented clip has two or three a second.
const MOST_BOXES: u32 = 100_000;

/// Largest table of contents, in bytes; a ten-minute clip's has less than one MiB.
const LARGEST_MOOV: u64 = 64 << 20;

/// Whether a file's first bytes are a box that an MP4 or QuickTime file starts with.
pub(super) fn starts(head: &[u8]) -> bool {
    const FIRST: [&[u8; 4]; 7] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];
    head.get(4..8).is_some_and(|kind| FIRST.iter().any(|first| *first == kind))
}

/// Looks at a whole file of `len` bytes.
pub(super) fn inspect<R: Read + Seek + ?Sized>(file: &mut R, len: u64) -> Result<ClipInfo, NotAClip> {
    let top = walk_top(file, len)?;
    let moov = top.moov.ok_or_else(|| NotAClip::Cut("it has no table of contents".to_owned()))?;
    if moov.1 > LARGEST_MOOV {
        return Err(NotAClip::Damaged("its table of contents is too large".to_owned()));
    }
    let moov = read_block(file, moov.0, moov.1)?;
    let movie = Movie::read(&moov)?;
    let video = movie.tracks.iter().find(|track| track.is_video);
    let video = video.ok_or_else(|| NotAClip::Damaged("it has no picture".to_owned()))?;
    let frames = movie.tracks.iter().map(|track| track.table.check(top.whole)).sum::<Result<u64, NotAClip>>()?;
    if frames == 0 && !(movie.fragmented && top.fragments > 0) {
        return Err(NotAClip::Cut("it has no frames".to_owned()));
    }
    if !top.has_data {
        return Err(NotAClip::Cut("its pictures are missing".to_owned()));
    }
    if let Some(why) = top.tail.filter(|_| movie.fragmented && top.promised.is_none_or(|promised| promised > top.whole))
    {
        // The next fragment may have begun there.
        return Err(NotAClip::Cut(why));
    }
    let duration_ms = movie.duration_ms.or(video.duration_ms).or(top.indexed_ms);
    let mut info = ClipInfo::new(if top.is_mp4 { Container::Mp4 } else { Container::QuickTime });
    (info.width, info.height, info.codec) = (video.width, video.height, video.codec.clone());
    info.duration_ms = duration_ms.filter(|ms| *ms > 0);
    Ok(info)
}

/// What can be played of a file that is cut: how many milliseconds from the start, where its table of
/// contents came whole and says where its frames lie.
pub(super) fn plays<R: Read + Seek + ?Sized>(file: &mut R, len: u64) -> Result<Option<u64>, NotAClip> {
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        let mut head = [0; 16];
        let known = usize::try_from(len.saturating_sub(at).min(16)).expect("at most 16");
        read_at(file, at, &mut head[..known])?;
        let Some(header) = Header::read(&head[..known]).filter(|header| header.size > 0) else { break };
        let Some(end) = at.checked_add(header.size).filter(|end| *end <= len) else { break };
        if &header.kind == b"moov" && header.size <= LARGEST_MOOV {
            let movie = Movie::read(&read_block(file, at + header.len, header.size - header.len)?)?;
            let video = movie.tracks.iter().find(|track| track.is_video);
            let whole_ms = movie.duration_ms.or(video.and_then(|video| video.duration_ms)).unwrap_or(0);
            let (whole, all) = video.map_or((0, 0), |video| video.table.whole_in(len));
            let ms = u128::from(whole_ms) * u128::from(whole) / u128::from(all.max(1));
            return Ok(u64::try_from(ms).ok().filter(|_| whole > 0));
        }
        at = end;
    }
    Ok(None)
}

/// What stands at the top of the file.
#[derive(Default)]
struct Top {
    is_mp4: bool,
    /// Where the content of `moov` starts, and its length.
    moov: Option<(u64, u64)>,
    has_data: bool,
    fragments: u32,
    /// The length its index of fragments gives.
    indexed_ms: Option<u64>,
    /// Where its fragments end by their index.
    promised: Option<u64>,
    /// Where the last whole box ends.
    whole: u64,
    /// What is wrong with the bytes that follow there.
    tail: Option<String>,
}

/// Walks the boxes at the top. Once a table of contents and pictures came whole, what follows and is no
/// whole box is a tail: services append line ends and zeros to clips that lack nothing.
fn walk_top<R: Read + Seek + ?Sized>(file: &mut R, len: u64) -> Result<Top, NotAClip> {
    let mut top = Top::default();
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        top.whole = at;
        if at == len {
            return Ok(top);
        }
        let is_tail = top.moov.is_some() && top.has_data;
        let mut head = [0; 16];
        let known = usize::try_from((len - at).min(16)).expect("at most 16");
        read_at(file, at, &mut head[..known])?;
        let Some(header) = Header::read(&head[..known]) else {
            let why = format!("{} bytes are left over at its end", len - at);
            top.tail = Some(why.clone());
            return if is_tail { Ok(top) } else { Err(NotAClip::Cut(why)) };
        };
        let size = if header.size == 0 { len - at } else { header.size };
        let end = at.checked_add(size).filter(|end| *end <= len);
        let Some(end) = end else {
            let name = String::from_utf8_lossy(&header.kind).into_owned();
            let name = crate::domain::text::clean(&name, 8);
            let why = format!("its part `{name}` should be {size} bytes long, {} are there", len - at);
            top.tail = Some(why.clone());
            return if is_tail { Ok(top) } else { Err(NotAClip::Cut(why)) };
        };
        let content = (at + header.len, size - header.len);
        match &header.kind {
            b"ftyp" => {
                let mut brand = [0; 4];
                if content.1 >= 4 {
                    read_at(file, content.0, &mut brand)?;
                }
                top.is_mp4 = &brand != b"qt  ";
            }
            b"moov" => top.moov = Some(content),
            b"mdat" => top.has_data |= content.1 > 0,
            b"moof" => top.fragments += 1,
            b"sidx" => {
                let index = read_block(file, content.0, content.1.min(1 << 20))?;
                check_index(&index, end, len, &mut top)?;
            }
            _ => {}
        }
        at = end;
    }
    Err(NotAClip::Damaged("it has too many parts".to_owned()))
}

/// An index of fragments says how many bytes follow it: the one way to see that whole fragments are
/// missing at the end.
fn check_index(index: &[u8], end: u64, len: u64, top: &mut Top) -> Result<(), NotAClip> {
    let cut = || NotAClip::Damaged("its index of fragments is too short".to_owned());
    let wide = *index.first().ok_or_else(cut)? == 1;
    let timescale = u64::from(be32(index, 8).ok_or_else(cut)?);
    let (first, count_at) = if wide { (be64(index, 20), 30) } else { (be32(index, 16).map(u64::from), 22) };
    let mut bytes = first.ok_or_else(cut)?;
    let mut ticks = 0;
    for n in 0..usize::from(be16(index, count_at).ok_or_else(cut)?) {
        let at = count_at + 2 + n * 12;
        bytes = bytes.saturating_add(u64::from(be32(index, at).ok_or_else(cut)? & 0x7fff_ffff));
        ticks += u64::from(be32(index, at + 4).ok_or_else(cut)?);
    }
    if bytes > len - end {
        return Err(NotAClip::Cut(format!("{bytes} bytes of fragments should follow, {} are there", len - end)));
    }
    top.promised = top.promised.max(Some(end.saturating_add(bytes)));
    let ms = ticks.saturating_mul(1000).checked_div(timescale).unwrap_or(0);
    top.indexed_ms = Some(top.indexed_ms.unwrap_or(0).saturating_add(ms));
    Ok(())
}

/// A box's header.
pub(super) struct Header {
    /// Four letters.
    pub kind: [u8; 4],
    /// Length with the header; 0 means up to the end.
    pub size: u64,
    /// Length of the header.
    pub len: u64,
}

impl Header {
    /// Reads a header, or `None` where the bytes are too few or the size cannot be.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let kind = bytes.get(4..8)?.try_into().ok()?;
        let (size, len) = match be32(bytes, 0)? {
            1 => (be64(bytes, 8)?, 16),
            size => (u64::from(size), 8),
        };
        (size == 0 || size >= len).then_some(Header { kind, size, len })
    }
}

/// The boxes inside a box that is in memory.
pub(super) struct Boxes<'a>(pub &'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<([u8; 4], &'a [u8]), NotAClip>;

    fn next(&mut self) -> Option<Self::Item> {
        // QuickTime ends some lists with four zero bytes.
        if self.0.len() < 8 {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let found = Header::read(bytes).and_then(|header| {
            let size = if header.size == 0 { bytes.len() } else { usize::try_from(header.size).ok()? };
            let content = bytes.get(usize::try_from(header.len).ok()?..size)?;
            Some((header.kind, content, bytes.get(size..)?))
        });
        let Some((kind, content, rest)) = found else {
            return Some(Err(NotAClip::Damaged("its table of contents contradicts itself".to_owned())));
        };
        self.0 = rest;
        Some(Ok((kind, content)))
    }
}

/// The table of contents.
struct Movie {
    duration_ms: Option<u64>,
    fragmented: bool,
    tracks: Vec<Track>,
}

impl Movie {
    fn read(moov: &[u8]) -> Result<Movie, NotAClip> {
        let mut movie = Movie { duration_ms: None, fragmented: false, tracks: Vec::new() };
        let (mut timescale, mut whole) = (0, None);
        for item in Boxes(moov) {
            match item? {
                (kind, content) if &kind == b"mvhd" => {
                    let (scale, ticks) = time_of(content).unwrap_or((0, 0));
                    (timescale, movie.duration_ms) = (scale, to_ms(ticks, scale));
                }
                (kind, content) if &kind == b"trak" => movie.tracks.push(Track::read(content)?),
                (kind, content) if &kind == b"mvex" => {
                    movie.fragmented = true;
                    for inner in Boxes(content) {
                        let (kind, content) = inner?;
                        if &kind == b"mehd" {
                            whole = if content.first() == Some(&1) {
                                be64(content, 4)
                            } else {
                                be32(content, 4).map(u64::from)
                            };
                        }
                    }
                }
                _ => {}
            }
        }
        let known = movie.duration_ms.filter(|ms| *ms > 0);
        movie.duration_ms = known.or_else(|| whole.and_then(|ticks| to_ms(ticks, timescale)));
        Ok(movie)
    }
}

/// Timescale and ticks of an `mvhd` or `mdhd`, which start alike.
pub(super) fn time_of(content: &[u8]) -> Option<(u32, u64)> {
    if *content.first()? == 1 {
        Some((be32(content, 20)?, be64(content, 24)?))
    } else {
        Some((be32(content, 12)?, u64::from(be32(content, 16)?)))
    }
}

/// Ticks as milliseconds; all ones mean unknown, and so does no length at all.
pub(super) fn to_ms(ticks: u64, timescale: u32) -> Option<u64> {
    if ticks == 0 || ticks == u64::MAX || ticks == u64::from(u32::MAX) {
        return None;
    }
    u64::try_from(u128::from(ticks).checked_mul(1000)?.checked_div(u128::from(timescale))?).ok()
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

#[cfg(test)]
#[path = "mp4_tests.rs"]
pub(super) mod tests;
