//! A film into MP4: header before data (faststart), one video track, one chunk. Knows the boxes
//! of ISO/IEC 14496-12 and 14496-15 it writes, and no others.

use crate::sim::clip::Shot;
use crate::sim::clip::encode::Film;

/// Time units a second: whole for every frame rate used here.
const TIMESCALE: u32 = 24_000;

/// The identity matrix every header carries.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Wraps a film; the order's id lies in a `free` box before the data.
pub fn mux(shot: &Shot, film: &Film) -> Vec<u8> {
    let samples: Vec<Vec<u8>> = film
        .frames
        .iter()
        .map(|frame| {
            let sized = |nal: &Vec<u8>| [&be(nal.len() as u32)[..], nal.as_slice()].concat();
            frame.nals.iter().flat_map(sized).collect()
        })
        .collect();
    let brand = boxed(b"ftyp", &[b"isom", &be(512)[..], b"isom", b"iso2", b"avc1", b"mp41"]);
    let note = format!("rushes simulator; order {}; {}", shot.order, shot.model);
    let note = boxed(b"free", &[note.as_bytes()]);
    // The header's length does not depend on the offset it holds, so it is built twice.
    let length = header(shot, film, &samples, 0).len();
    let offset = brand.len() + length + note.len() + 8;
    let header = header(shot, film, &samples, offset as u32);
    let data: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    [brand, header, note, boxed(b"mdat", &data)].concat()
}

fn header(shot: &Shot, film: &Film, samples: &[Vec<u8>], offset: u32) -> Vec<u8> {
    let step = TIMESCALE / shot.fps;
    let count = samples.len() as u32;
    let duration = be(step * count);
    let matrix: Vec<u8> = MATRIX.into_iter().flat_map(be).collect();
    let sides = [(shot.width as u32) << 16, (shot.height as u32) << 16];
    let sides: Vec<u8> = sides.into_iter().flat_map(be).collect();

    let mvhd = full(
        b"mvhd",
        0,
        &[&[0; 8], &be(TIMESCALE), &duration, &be(0x1_0000), &[1, 0], &[0; 10], &matrix, &[0; 24], &be(2)],
    );
    let tkhd = full(b"tkhd", 3, &[&[0; 8], &be(1), &[0; 4], &duration, &[0; 16], &matrix, &sides]);
    // 0x55c4 is the language "und".
    let mdhd = full(b"mdhd", 0, &[&[0; 8], &be(TIMESCALE), &duration, &[0x55, 0xc4, 0, 0]]);
    let hdlr = full(b"hdlr", 0, &[&[0; 4], b"vide", &[0; 12], b"video\0"]);
    let vmhd = full(b"vmhd", 1, &[&[0; 8]]);
    let dref = full(b"dref", 0, &[&be(1), &full(b"url ", 1, &[])]);
    let dinf = boxed(b"dinf", &[&dref]);

    let stts = full(b"stts", 0, &[&be(1), &be(count), &be(step)]);
    let keys: Vec<u32> = (1..).zip(&film.frames).filter(|(_, f)| f.key).map(|(at, _)| at).collect();
    let stss: Vec<u8> = keys.iter().copied().flat_map(be).collect();
    let stss = full(b"stss", 0, &[&be(keys.len() as u32), &stss]);
    let stsc = full(b"stsc", 0, &[&be(1), &be(1), &be(count), &be(1)]);
    let sizes: Vec<u8> = samples.iter().flat_map(|sample| be(sample.len() as u32)).collect();
    let stsz = full(b"stsz", 0, &[&be(0), &be(count), &sizes]);
    let stco = full(b"stco", 0, &[&be(1), &be(offset)]);
    let stsd = full(b"stsd", 0, &[&be(1), &picture(shot, film)]);
    let stbl = boxed(b"stbl", &[&stsd, &stts, &stss, &stsc, &stsz, &stco]);

    let minf = boxed(b"minf", &[&vmhd, &dinf, &stbl]);
    let mdia = boxed(b"mdia", &[&mdhd, &hdlr, &minf]);
    let trak = boxed(b"trak", &[&tkhd, &mdia]);
    boxed(b"moov", &[&mvhd, &trak])
}

/// The sample description: size and parameter sets.
fn picture(shot: &Shot, film: &Film) -> Vec<u8> {
    let sps = &film.sps;
    let avcc = boxed(
        b"avcC",
        &[
            // Profile, compatibility and level stand in the parameter set's own bytes 1 to 3.
            &[1, sps[1], sps[2], sps[3], 0xff, 0xe1],
            &(sps.len() as u16).to_be_bytes(),
            sps,
            &[1],
            &(film.pps.len() as u16).to_be_bytes(),
            &film.pps,
        ],
    );
    let mut name = [0; 32];
    name[..7].copy_from_slice(b"\x06rushes");
    boxed(
        b"avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &(shot.width as u16).to_be_bytes(),
            &(shot.height as u16).to_be_bytes(),
            &be(0x48_0000),
            &be(0x48_0000),
            &[0; 4],
            &[0, 1],
            &name,
            &[0, 0x18, 0xff, 0xff],
            &avcc,
        ],
    )
}

fn be(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length);
    out.extend(be(length as u32));
    out.extend(name);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A box with a version (0) and flags.
fn full(name: &[u8; 4], flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let flags = be(flags);
    let mut all: Vec<&[u8]> = vec![&flags];
    all.extend(parts);
    boxed(name, &all)
}
