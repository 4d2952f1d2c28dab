//! Pictures made small enough for their service: scaled down and written as JPEG.
//!
//! Knows PNG, JPEG and WebP. Works in memory alone and decides nothing: whether a picture may be made
//! smaller is the user's to say. Must not know services, nor files.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, Limits, Rgb, RgbImage};

/// Most pixels of a picture that is decoded.
const PIXELS_MAX: u64 = 64_000_000;
/// Most memory for one decoded picture, in bytes.
const MEMORY_MAX: u64 = 512 << 20;
/// Shortest side that is scaled down to, in pixels: what is smaller makes no clip.
const SIDE_MIN: u32 = 64;
/// JPEG qualities that are tried at each size, best first.
const QUALITIES: [u8; 2] = [90, 80];
/// What transparent parts are laid on, since JPEG has none.
const PAPER: Rgb<u8> = Rgb([255, 255, 255]);

/// A picture made smaller.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The new picture, JPEG, the right way up.
    pub jpeg: Vec<u8>,
    /// Width and height before, the right way up, in pixels.
    pub from: (u32, u32),
    /// Width and height now, in pixels.
    pub to: (u32, u32),
}

/// Why a picture cannot be made smaller. Each reads on after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum NotShrunk {
    /// No picture of a kind we decode.
    #[error("is no PNG, JPEG or WebP picture, and only those can be made smaller")]
    OtherKind,
    /// Several frames, of which one would have to be chosen.
    #[error("is an animation; give one still picture, or a public URL")]
    Moves,
    /// Too large to be decoded safely.
    #[error("has {0}x{1} pixels, more than {max} in all, and is not opened for that", max = PIXELS_MAX)]
    TooManyPixels(u32, u32),
    /// Damaged, or not what it says.
    #[error("cannot be read as a picture: {0}")]
    Broken(String),
    /// Even the smallest size does not fit.
    #[error("cannot be made to fit into {0} bytes")]
    NoRoom(u64),
}

impl From<ImageError> for NotShrunk {
    fn from(error: ImageError) -> Self {
        NotShrunk::Broken(error.to_string())
    }
}

/// Makes a picture smaller until it fits into `max_bytes`: first by compression, then by size, its
/// aspect kept. The same picture and limit give the same result.
///
/// # Errors
/// [`NotShrunk`].
pub fn shrink(picture: &[u8], max_bytes: u64) -> Result<Shrunk, NotShrunk> {
    let (image, profile) = decode(picture)?;
    let from = (image.width(), image.height());
    let image = flat(&image);
    let mut to = from;
    loop {
        let scaled = match to == from {
            true => image.clone(),
            false => image::imageops::resize(&image, to.0, to.1, FilterType::Triangle),
        };
        let mut smallest = u64::MAX;
        for quality in QUALITIES {
            let jpeg = encode(&scaled, quality, profile.as_deref())?;
            smallest = smallest.min(jpeg.len() as u64);
            if smallest <= max_bytes {
                return Ok(Shrunk { jpeg, from, to });
            }
        }
        // Bytes go about with the area; a little less each time, so that it ends.
        let share = (max_bytes as f64 / smallest as f64).sqrt().clamp(0.1, 0.9);
        let next = |side: u32| ((f64::from(side) * share * 0.98) as u32).max(1);
        to = (next(to.0), next(to.1));
        if to.0.min(to.1) < SIDE_MIN {
            return Err(NotShrunk::NoRoom(max_bytes));
        }
    }
}

/// The picture, the right way up, with its colour profile where that fits what comes out.
fn decode(picture: &[u8]) -> Result<(DynamicImage, Option<Vec<u8>>), NotShrunk> {
    let source = Cursor::new(picture);
    match image::guess_format(picture) {
        Ok(ImageFormat::Png) => {
            let decoder = PngDecoder::with_limits(source, limits())?;
            if decoder.is_apng()? {
                return Err(NotShrunk::Moves);
            }
            whole(decoder)
        }
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(source)?;
            if decoder.has_animation() {
                return Err(NotShrunk::Moves);
            }
            whole(decoder)
        }
        Ok(ImageFormat::Jpeg) => whole(JpegDecoder::new(source)?),
        Ok(ImageFormat::Gif) | Ok(_) | Err(_) => Err(NotShrunk::OtherKind),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_MAX);
    limits
}

fn whole(mut decoder: impl ImageDecoder) -> Result<(DynamicImage, Option<Vec<u8>>), NotShrunk> {
    let (width, height) = decoder.dimensions();
    // Before a single pixel is decoded: a few bytes can claim any size.
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > MEMORY_MAX {
        return Err(NotShrunk::TooManyPixels(width, height));
    }
    decoder.set_limits(limits())?;
    let upright = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let colours = decoder.original_color_type().channel_count();
    // A profile for other channels than the ones that are written would falsify them.
    let profile =
        if (3..=4).contains(&colours) && !is_cmyk(&decoder) { decoder.icc_profile().unwrap_or_default() } else { None };
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(upright);
    Ok((image, profile))
}

fn is_cmyk(decoder: &impl ImageDecoder) -> bool {
    matches!(decoder.original_color_type(), image::ExtendedColorType::Cmyk8 | image::ExtendedColorType::Cmyk16)
}

/// Without transparency: what shows through is white.
fn flat(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let source = image.to_rgba8();
    let mut flat = RgbImage::from_pixel(source.width(), source.height(), PAPER);
    for (pixel, paper) in source.pixels().zip(flat.pixels_mut()) {
        let [r, g, b, alpha] = pixel.0.map(u16::from);
        let mix = |over: u16, under: u8| ((over * alpha + u16::from(under) * (255 - alpha)) / 255) as u8;
        *paper = Rgb([mix(r, paper.0[0]), mix(g, paper.0[1]), mix(b, paper.0[2])]);
    }
    flat
}

fn encode(image: &RgbImage, quality: u8, profile: Option<&[u8]>) -> Result<Vec<u8>, NotShrunk> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    if let Some(profile) = profile {
        // A profile that cannot be written is only a shade lost.
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    encoder.encode_image(image)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::png::PngEncoder;
    use image::codecs::webp::WebPEncoder;
    use image::{ExtendedColorType, Rgba, RgbaImage};

    /// A picture that compresses badly, red in its upper left quarter.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut seed = 7_u32;
        RgbImage::from_fn(width, height, |x, y| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (seed >> 24) as u8 / 4;
            if x < width / 2 && y < height / 2 {
                Rgb([200 + grain / 2, grain, grain])
            } else {
                Rgb([grain, grain, 180])
            }
        })
    }

    fn png(image: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    /// The same JPEG with an EXIF block that says which way up it is.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff =
            [&b"II\x2a\0\x08\0\0\0\x01\0"[..], &[0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0], &[0; 4]].concat();
        let exif = [b"Exif\0\0", tiff.as_slice()].concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    fn opened(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn a_picture_fits_keeps_its_aspect_and_gives_the_same_bytes_each_time() {
        let image = noise(400, 200);
        let mut webp = Vec::new();
        WebPEncoder::new_lossless(&mut webp).write_image(&image, 400, 200, ExtendedColorType::Rgb8).unwrap();
        for (name, picture) in [("png", png(&image)), ("jpeg", encode(&image, 100, None).unwrap()), ("webp", webp)] {
            for max in [30_000, 9_000] {
                assert!(picture.len() as u64 > max, "{name} has {} bytes", picture.len());
                let small = shrink(&picture, max).unwrap();
                assert!(small.jpeg.len() as u64 <= max, "{name}: {} bytes", small.jpeg.len());
                assert!(small.jpeg.len() as u64 > max / 4, "{name}: no smaller than needed, {}", small.jpeg.len());
                assert_eq!(small.from, (400, 200));
                let shape = f64::from(small.to.0) / f64::from(small.to.1);
                assert!((1.94..2.06).contains(&shape), "{name}: {:?}", small.to);
                let seen = opened(&small.jpeg);
                assert_eq!((seen.width(), seen.height()), small.to);
                assert!(seen.get_pixel(3, 3).0[0] > 150 && seen.get_pixel(small.to.0 - 4, 3).0[2] > 120, "{name}");
                assert_eq!(shrink(&picture, max).unwrap(), small);
            }
        }
    }

    #[test]
    fn a_camera_held_upright_gives_an_upright_picture() {
        let sideways = turned(&encode(&noise(400, 200), 95, None).unwrap(), 6);
        let small = shrink(&sideways, 20_000).unwrap();
        assert_eq!(small.from, (200, 400), "turned by a quarter");
        let seen = opened(&small.jpeg);
        assert!(seen.width() < seen.height());
        assert!(seen.get_pixel(seen.width() - 4, 3).0[0] > 150, "the red corner is at the upper right now");
    }

    #[test]
    fn transparent_parts_are_white() {
        let image = RgbaImage::from_pixel(80, 80, Rgba([0, 0, 0, 0]));
        let mut picture = Vec::new();
        PngEncoder::new(&mut picture).write_image(&image, 80, 80, ExtendedColorType::Rgba8).unwrap();
        assert!(opened(&shrink(&picture, 50_000).unwrap().jpeg).get_pixel(40, 40).0.iter().all(|c| *c > 250));
    }

    #[test]
    fn what_cannot_be_made_smaller_says_why() {
        let whole = png(&noise(300, 300));
        let why = |picture: &[u8], max: u64| shrink(picture, max).unwrap_err().to_string();
        assert!(why(b"GIF89a and so on", 9).contains("only those"));
        assert!(why(b"%PDF-1.7", 9).contains("only those"));
        assert!(why(&whole[..whole.len() / 2], 9_000).contains("cannot be read"), "cut");
        assert!(why(&whole, 300).contains("300 bytes"));
        // A header that claims more pixels than are opened, with nothing behind it.
        let mut bomb = whole.clone();
        bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let header = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&header.to_be_bytes());
        assert!(why(&bomb, 9_000).contains("65536x65536"), "{}", why(&bomb, 9_000));
        // An animation's own chunk right after the header.
        let control = [&b"acTL"[..], &2_u32.to_be_bytes(), &0_u32.to_be_bytes()].concat();
        let chunk = [&8_u32.to_be_bytes(), control.as_slice(), &crc(&control).to_be_bytes()].concat();
        let moving = [&whole[..33], &chunk, &whole[33..]].concat();
        assert!(why(&moving, 9_000).contains("animation"), "{}", why(&moving, 9_000));
    }

    /// The checksum of a PNG chunk.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
