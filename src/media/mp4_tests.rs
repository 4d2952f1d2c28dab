//! MP4 files made by hand, whole and cut.

use super::super::inspect::inspect_in;
use super::*;
use std::io::Cursor;

fn boxed(kind: &str, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len() + 8).unwrap();
    [&len.to_be_bytes(), kind.as_bytes(), content].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// A picture of 640x360 with three frames of 400, 300 and 200 bytes in two chunks.
fn moov(duration: u32, chunks: [u32; 2], extra: &[u8]) -> Vec<u8> {
    let mvhd = boxed("mvhd", &[words(&[0, 0, 0, 1000, duration]), vec![0; 80]].concat());
    let tkhd =
        boxed("tkhd", &[words(&[0, 0, 0, 1, 0, duration]), vec![0; 52], words(&[640 << 16, 360 << 16])].concat());
    let mdhd = boxed("mdhd", &words(&[0, 0, 0, 1000, duration, 0]));
    let hdlr = boxed("hdlr", &[&words(&[0, 0]), b"vide".as_slice(), &[0; 13]].concat());
    let avc1 = boxed("avc1", &[vec![0; 24], vec![2, 128, 1, 104], vec![0; 50]].concat());
    let stsd = boxed("stsd", &[words(&[0, 1]), avc1].concat());
    let stsz = boxed("stsz", &words(&[0, 0, 3, 400, 300, 200]));
    let stsc = boxed("stsc", &words(&[0, 2, 1, 2, 1, 2, 1, 1]));
    let stco = boxed("stco", &words(&[0, 2, chunks[0], chunks[1]]));
    let stbl = boxed("stbl", &[stsd, stsz, stsc, stco].concat());
    let mdia = boxed("mdia", &[mdhd, hdlr, boxed("minf", &stbl)].concat());
    let trak = boxed("trak", &[tkhd, mdia].concat());
    boxed("moov", &[&mvhd, &trak, extra].concat())
}

fn ftyp() -> Vec<u8> {
    boxed("ftyp", b"isom\0\0\x02\0isomiso2avc1mp41")
}

/// Table of contents first, then the frames.
pub fn plain() -> Vec<u8> {
    let before = u32::try_from(ftyp().len() + moov(5000, [0, 0], &[]).len() + 8).unwrap();
    [ftyp(), moov(5000, [before, before + 700], &[]), boxed("mdat", &[0xAB; 900])].concat()
}

/// Frames first.
pub fn moov_last() -> Vec<u8> {
    let before = u32::try_from(ftyp().len() + 8).unwrap();
    [ftyp(), boxed("mdat", &[0xAB; 900]), moov(5000, [before, before + 700], &[])].concat()
}

/// An index, then two fragments.
pub fn fragmented() -> Vec<u8> {
    let mvex = boxed("mvex", &boxed("trex", &words(&[0, 1, 1, 0, 0, 0])));
    let mut empty = moov(0, [0, 0], &mvex);
    // No frames in the table of contents itself.
    let at = empty.windows(4).position(|w| w == b"stsz").unwrap();
    empty[at + 12..at + 16].copy_from_slice(&[0; 4]);
    let fragment = [boxed("moof", &boxed("mfhd", &words(&[0, 1]))), boxed("mdat", &[7; 300])].concat();
    let size = u32::try_from(fragment.len()).unwrap();
    let index = [words(&[0, 1, 1000, 0, 0]), vec![0, 0, 0, 2], words(&[size, 2000, 0, size, 1500, 0])].concat();
    [ftyp(), empty, boxed("sidx", &index), fragment.clone(), fragment].concat()
}

fn look(clip: &[u8]) -> Result<ClipInfo, NotAClip> {
    inspect_in(&mut Cursor::new(clip))
}

#[test]
fn whole_clips_say_their_size_length_and_coding() {
    for (clip, ms) in [(plain(), 5000), (moov_last(), 5000), (fragmented(), 3500)] {
        let info = look(&clip).unwrap();
        assert_eq!((info.width, info.height, info.duration_ms), (Some(640), Some(360), Some(ms)));
        assert_eq!((info.container, info.extension, info.codec.as_deref()), (Container::Mp4, "mp4", Some("avc1")));
    }
}

#[test]
fn a_clip_cut_anywhere_is_refused() {
    for clip in [plain(), moov_last(), fragmented()] {
        for keep in 1..clip.len() {
            assert!(look(&clip[..keep]).is_err(), "{keep} of {} bytes pass for a whole clip", clip.len());
        }
    }
}

#[test]
fn a_frame_outside_the_file_is_refused() {
    let before = u32::try_from(ftyp().len() + moov(5000, [0, 0], &[]).len() + 8).unwrap();
    let late = [ftyp(), moov(5000, [before, before + 701], &[]), boxed("mdat", &[0xAB; 900])].concat();
    assert!(matches!(look(&late), Err(NotAClip::Cut(why)) if why.contains("frame")));
    let in_the_tail = [ftyp(), moov(5000, [before, before + 701], &[]), boxed("mdat", &[0xAB; 900]), vec![b'x'; 4]];
    assert!(matches!(look(&in_the_tail.concat()), Err(NotAClip::Cut(why)) if why.contains("frame")));
}

#[test]
fn what_follows_a_whole_clip_loses_none() {
    for (clip, ms) in [(plain(), 5000), (moov_last(), 5000), (fragmented(), 3500)] {
        for tail in [b"\n".as_slice(), b"\r\n", &[0; 4], &[0; 5], &[0; 40], b"<!-- served by edge 7 -->", &[0xFF; 900]]
        {
            let info = look(&[&clip, tail].concat()).unwrap_or_else(|why| panic!("{why}: {tail:?}"));
            assert_eq!((info.width, info.duration_ms), (Some(640), Some(ms)), "{tail:?}");
        }
    }
    // Without an index nobody knows whether the tail is a fragment that was cut.
    let mut unindexed = fragmented();
    let at = unindexed.windows(4).position(|w| w == b"sidx").unwrap();
    unindexed[at..at + 4].copy_from_slice(b"free");
    assert!(look(&unindexed).is_ok());
    assert!(matches!(look(&[&unindexed, b"\0\0\0".as_slice()].concat()), Err(NotAClip::Cut(_))));
}

#[test]
fn sizes_up_to_the_end_and_of_64_bits_are_understood() {
    let mut open_end = plain();
    let at = open_end.len() - 908;
    open_end[at..at + 4].copy_from_slice(&[0; 4]);
    assert!(look(&open_end).is_ok());
    let before = u32::try_from(ftyp().len() + 16).unwrap();
    let large = [&words(&[1]), b"mdat".as_slice(), &916u64.to_be_bytes(), &[1; 900]].concat();
    let wide = [ftyp(), large, moov(5000, [before, before + 700], &[])].concat();
    assert!(look(&wide).is_ok());
    let mut hostile = wide.clone();
    hostile[ftyp().len() + 8..][..8].copy_from_slice(&u64::MAX.to_be_bytes());
    assert!(matches!(look(&hostile), Err(NotAClip::Cut(_))));
    let tiny = [ftyp(), words(&[4]), b"free".to_vec(), vec![0; 40]].concat();
    assert!(matches!(look(&tiny), Err(NotAClip::Cut(_))));
}

#[test]
fn hostile_counts_neither_loop_nor_allocate() {
    let mut clip = plain();
    let at = clip.windows(4).position(|w| w == b"stsz").unwrap();
    // One size for four thousand million frames: counted, not walked.
    clip[at + 8..at + 16].copy_from_slice(&[0, 0, 0, 1, 255, 255, 255, 255]);
    assert!(look(&clip).is_err());
    let nested = (0..10_000).fold(Vec::new(), |inner, _| boxed("stbl", &inner));
    let deep = [ftyp(), boxed("moov", &boxed("trak", &boxed("mdia", &nested))), boxed("mdat", b"x")].concat();
    assert!(matches!(look(&deep), Err(NotAClip::Damaged(_))));
}

#[test]
fn sound_without_a_picture_is_no_clip() {
    let mut sound = plain();
    let at = sound.windows(4).position(|w| w == b"vide").unwrap();
    sound[at..at + 4].copy_from_slice(b"soun");
    assert!(look(&sound).unwrap_err().to_string().contains("no picture"));
}
