//! Opens an MP4 without our own code: finds the frames by its tables and decodes every one.

use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

/// What a clip showed.
#[derive(Debug)]
pub struct Shown {
    /// Frames decoded.
    pub frames: usize,
    /// Frames that differ from the one before.
    pub changes: usize,
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// Length by the file's own clock, in seconds.
    pub seconds: f64,
}

/// Decodes every frame of an H.264 MP4 whose frames lie in one chunk.
pub fn decode(bytes: &[u8]) -> Shown {
    let stbl = ["moov", "trak", "mdia", "minf", "stbl"];
    let table = |name: &str| open(bytes, &[&stbl[..], &[name]].concat());
    let (offsets, sizes, entry) = (table("stco"), table("stsz"), table("stsd"));
    assert_eq!(number(offsets, 4), 1, "one chunk");
    let mvhd = open(bytes, &["moov", "mvhd"]);
    let seconds = f64::from(number(mvhd, 16)) / f64::from(number(mvhd, 12));

    // stsd: version, count, then avc1: size, name, 78 bytes, then avcC.
    let avcc = open(&entry[8 + 8 + 78..], &["avcC"]);
    let mut stream = Vec::new();
    let mut at = 6;
    for _ in 0..avcc[5] & 0x1f {
        at = parameter_set(avcc, at, &mut stream);
    }
    let pictures = avcc[at];
    at += 1;
    for _ in 0..pictures {
        at = parameter_set(avcc, at, &mut stream);
    }

    let mut decoder =
        Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new().flush_after_decode(Flush::NoFlush))
            .expect("a decoder");
    decoder.decode(&stream).expect("the parameter sets are read");
    let mut shown = Shown { frames: 0, changes: 0, size: (0, 0), seconds };
    let mut last = Vec::new();
    let mut look = |frame: &openh264::decoder::DecodedYUV<'_>| {
        shown.frames += 1;
        shown.size = frame.dimensions();
        if frame.y() != last {
            shown.changes += 1;
        }
        last = frame.y().to_vec();
    };
    let mut from = number(offsets, 8) as usize;
    let count = number(sizes, 8) as usize;
    for index in 0..count {
        let size = number(sizes, 12 + 4 * index) as usize;
        let mut sample = &bytes[from..from + size];
        from += size;
        let mut annex_b = Vec::new();
        while !sample.is_empty() {
            let length = number(sample, 0) as usize;
            annex_b.extend([0, 0, 0, 1]);
            annex_b.extend_from_slice(&sample[4..4 + length]);
            sample = &sample[4 + length..];
        }
        if let Some(frame) = decoder.decode(&annex_b).expect("every frame decodes") {
            look(&frame);
        }
    }
    for frame in decoder.flush_remaining().expect("the rest decodes") {
        look(&frame);
    }
    assert_eq!(shown.frames, count, "every frame of the table was shown");
    shown
}

fn parameter_set(avcc: &[u8], at: usize, stream: &mut Vec<u8>) -> usize {
    let length = usize::from(avcc[at]) << 8 | usize::from(avcc[at + 1]);
    stream.extend([0, 0, 0, 1]);
    stream.extend_from_slice(&avcc[at + 2..at + 2 + length]);
    at + 2 + length
}

fn open<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
    let mut inside = bytes;
    for name in path {
        let mut rest = inside;
        inside = loop {
            assert!(rest.len() >= 8, "no {name}");
            let size = number(rest, 0) as usize;
            assert!(size >= 8 && size <= rest.len(), "a box runs out of its parent");
            if &rest[4..8] == name.as_bytes() {
                break &rest[8..size];
            }
            rest = &rest[size..];
        };
    }
    inside
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
