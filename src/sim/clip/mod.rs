//! Clips: a real H.264 MP4 for every completed order, drawn from the order alone, so that making
//! it again gives the same bytes. At most two are made at once; the last few are kept.

mod draw;
mod encode;
mod mux;
mod scene;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// What is to be seen: everything a clip's bytes depend on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shot {
    /// The order's id; in the picture and in a `free` box, so that no two orders share bytes.
    pub order: String,
    pub model: String,
    pub prompt: String,
    /// The shape as ordered, such as `16:9`.
    pub aspect: String,
    pub seconds: u32,
    pub width: usize,
    pub height: usize,
    pub fps: u32,
}

/// How big clips are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// 36 lines at 8 frames a second: tests that only move bytes.
    pub cheap: bool,
    /// As many lines as were ordered; otherwise 360 on the short side.
    pub full_size: bool,
}

impl Screen {
    /// Width, height and frames a second for a shape (`16:9`, `9:16`, ...) and the ordered lines.
    /// Sides are even. Long clips get fewer frames: 24 a second to 30 s, 8 to 120 s, then 2.
    pub fn frame(self, aspect: &str, lines: u32, seconds: u32) -> (usize, usize, u32) {
        let (across, down) = parts(aspect).unwrap_or((16, 9));
        let short = match self {
            Self { cheap: true, .. } => 36,
            Self { full_size: true, .. } => lines.clamp(144, 2160),
            _ => 360,
        };
        let long = |of: u32, by: u32| (u64::from(short) * u64::from(of) / u64::from(by)) as u32;
        let (width, height) = if across >= down { (long(across, down), short) } else { (short, long(down, across)) };
        let fps = match seconds {
            0..=30 if self.cheap => 8,
            0..=30 => 24,
            31..=120 => 8,
            _ => 2,
        };
        let even = |side: u32| (side.clamp(16, 3840) & !1) as usize;
        (even(width), even(height), fps)
    }
}

/// `16:9` or `1792x1024` as two numbers; shapes beyond 4:1 are not believed.
pub fn parts(aspect: &str) -> Option<(u32, u32)> {
    let (across, down) = aspect.split_once([':', 'x', '*'])?;
    let (across, down) = (across.trim().parse().ok()?, down.trim().parse().ok()?);
    let sane = across > 0 && down > 0 && across <= down * 4 && down <= across * 4;
    (sane && across <= 10_000 && down <= 10_000).then_some((across, down))
}

/// A finished clip.
#[derive(Debug)]
pub struct Clip {
    pub bytes: Bytes,
    pub sha256: String,
}

/// Draws, encodes and wraps a clip; takes about a second of CPU for five seconds of picture.
pub fn make(shot: &Shot) -> Result<Clip, String> {
    let film = encode::encode(shot)?;
    let bytes = mux::mux(shot, &film);
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok(Clip { bytes: Bytes::from(bytes), sha256 })
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many finished clips are kept.
const KEPT: usize = 16;

type Shelf = VecDeque<(Shot, Arc<OnceCell<Arc<Clip>>>)>;

/// Makes clips when they are asked for, two at a time.
#[derive(Debug)]
pub struct CuttingRoom {
    tables: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
}

impl Default for CuttingRoom {
    fn default() -> Self {
        Self { tables: Arc::new(Semaphore::new(2)), shelf: Mutex::default() }
    }
}

impl CuttingRoom {
    /// The clip of that shot, made now if it is not on the shelf.
    pub async fn clip(&self, shot: &Shot) -> Result<Arc<Clip>, String> {
        let place = self.place(shot);
        place
            .get_or_try_init(|| async {
                let _table = self.tables.acquire().await.map_err(|error| error.to_string())?;
                let shot = shot.clone();
                let made = tokio::task::spawn_blocking(move || make(&shot)).await;
                made.map_err(|error| error.to_string())?.map(Arc::new)
            })
            .await
            .cloned()
    }

    fn place(&self, shot: &Shot) -> Arc<OnceCell<Arc<Clip>>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shelf.iter().position(|(kept, _)| kept == shot);
        let entry = found.and_then(|at| shelf.remove(at)).unwrap_or_else(|| (shot.clone(), Arc::default()));
        let place = entry.1.clone();
        shelf.push_back(entry);
        while shelf.len() > KEPT {
            shelf.pop_front();
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::decoder::{Decoder, DecoderConfig, Flush};
    use openh264::formats::YUVSource;
    use openh264::{OpenH264API, nal_units};

    fn shot(order: &str, aspect: &str, seconds: u32) -> Shot {
        let screen = Screen { cheap: true, full_size: false };
        let (width, height, fps) = screen.frame(aspect, 720, seconds);
        Shot {
            order: order.to_owned(),
            model: "veo-3.1".to_owned(),
            prompt: "Drone shot \u{2192} 山 valley".to_owned(),
            aspect: aspect.to_owned(),
            seconds,
            width,
            height,
            fps,
        }
    }

    /// Finds the boxes of one level: name, start of the content, end.
    fn boxes(bytes: &[u8], from: usize, to: usize) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        let mut at = from;
        while at + 8 <= to {
            let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            assert!(size >= 8 && at + size <= to, "a box runs out of its parent");
            let name = String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned();
            found.push((name, at + 8, at + size));
            at += size;
        }
        assert_eq!(at, to, "bytes between boxes");
        found
    }

    fn open<'a>(bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
        let (mut from, mut to) = (0, bytes.len());
        for name in path {
            let inner = boxes(bytes, from, to).into_iter().find(|(found, ..)| found == name);
            (_, from, to) = inner.unwrap_or_else(|| panic!("no {name}"));
        }
        &bytes[from..to]
    }

    fn number(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn every_frame_decodes_to_the_ordered_shape() {
        for (aspect, width, height) in [("16:9", 64, 36), ("9:16", 36, 64), ("1:1", 36, 36)] {
            let shot = shot("vid_one", aspect, 3);
            let bytes = make(&shot).unwrap().bytes;
            let top: Vec<String> = boxes(&bytes, 0, bytes.len()).into_iter().map(|b| b.0).collect();
            assert_eq!(top, ["ftyp", "moov", "free", "mdat"], "faststart");
            let mvhd = open(&bytes, &["moov", "mvhd"]);
            assert_eq!(number(mvhd, 16), number(mvhd, 12) * 3, "three seconds");

            let mut decoder = Decoder::with_api_config(
                OpenH264API::from_source(),
                DecoderConfig::new().flush_after_decode(Flush::NoFlush),
            )
            .unwrap();
            let mut stream = encode::encode(&shot).unwrap().annex_b();
            stream.extend([0, 0, 0, 1]);
            let mut seen = 0;
            let mut pictures = std::collections::HashSet::new();
            for nal in nal_units(&stream) {
                if let Some(frame) = decoder.decode(nal).unwrap() {
                    assert_eq!(frame.dimensions(), (width, height));
                    pictures.insert(frame.y().to_vec());
                    seen += 1;
                }
            }
            seen += decoder.flush_remaining().unwrap().len();
            assert_eq!(seen, 24, "3 s at 8 frames a second");
            assert!(pictures.len() > 12, "the picture moves");
        }
    }

    #[test]
    fn the_sample_table_leads_to_every_frame() {
        let shot = shot("vid_table", "16:9", 2);
        let film = encode::encode(&shot).unwrap();
        let bytes = make(&shot).unwrap().bytes;
        let stbl = ["moov", "trak", "mdia", "minf", "stbl"];
        let table = |name| open(&bytes, &[&stbl[..], &[name]].concat());
        let mut at = number(table("stco"), 8) as usize;
        let sizes = table("stsz");
        assert_eq!(number(sizes, 8) as usize, film.frames.len());
        for (index, frame) in film.frames.iter().enumerate() {
            let size = number(sizes, 12 + 4 * index) as usize;
            let mut sample = &bytes[at..at + size];
            let mut nals = Vec::new();
            while !sample.is_empty() {
                let length = number(sample, 0) as usize;
                nals.push(sample[4..4 + length].to_vec());
                sample = &sample[4 + length..];
            }
            assert_eq!(nals, frame.nals);
            at += size;
        }
        assert_eq!(at, bytes.len(), "mdat ends with the last frame");
    }

    #[test]
    fn bytes_follow_from_the_order_alone() {
        let one = make(&shot("vid_one", "16:9", 2)).unwrap();
        let again = make(&shot("vid_one", "16:9", 2)).unwrap();
        let other = make(&shot("vid_two", "16:9", 2)).unwrap();
        assert_eq!(one.sha256, again.sha256);
        assert_ne!(one.sha256, other.sha256);
        let text = String::from_utf8_lossy(&one.bytes).into_owned();
        assert!(text.contains("vid_one"), "the order id is in a free box");
    }

    #[test]
    fn shapes_and_sizes() {
        let usual = Screen { cheap: false, full_size: false };
        assert_eq!(usual.frame("16:9", 1080, 5), (640, 360, 24));
        assert_eq!(usual.frame("9:16", 720, 5), (360, 640, 24));
        assert_eq!(usual.frame("auto", 720, 60), (640, 360, 8));
        let full = Screen { cheap: false, full_size: true };
        assert_eq!(full.frame("16:9", 1080, 8), (1920, 1080, 24));
        assert_eq!(full.frame("1792x1024", 1024, 8), (1792, 1024, 24));
        assert_eq!(full.frame("4:3", 480, 8), (640, 480, 24));
    }

    #[test]
    fn the_largest_and_the_oddest_shapes_can_be_made() {
        let screen = Screen { cheap: false, full_size: true };
        for (aspect, lines) in [("16:9", 2160), ("9:16", 2160), ("1:4", 480)] {
            let (width, height, _) = screen.frame(aspect, lines, 1);
            let shot = Shot { width, height, fps: 2, aspect: aspect.to_owned(), ..shot("vid_large", "16:9", 1) };
            assert!(make(&shot).unwrap().bytes.len() > 1000, "{aspect} {width}x{height}");
        }
    }

    #[tokio::test]
    async fn the_shelf_keeps_what_was_made() {
        let room = CuttingRoom::default();
        let shot = shot("vid_shelf", "16:9", 1);
        let first = room.clip(&shot).await.unwrap();
        let second = room.clip(&shot).await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }
}
