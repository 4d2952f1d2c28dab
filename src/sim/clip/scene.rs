//! What a simulated clip shows: a sun over two ranges of hills that drift by, the order's words in
//! the sky, a bar that fills. Its colours and shapes follow from the order alone, in whole numbers,
//! so that every machine draws the same.

use crate::sim::clip::Shot;
use crate::sim::clip::draw::{Colour, Lettering, Picture, folded};
use crate::sim::service::mix;

/// A range of hills, twice as wide as the picture, by row: where it covers the sky.
#[derive(Debug)]
struct Hills {
    rows: Vec<(usize, Vec<(usize, usize)>)>,
    length: usize,
    colour: Colour,
    /// Dots to the left for each second.
    drift: usize,
}

impl Hills {
    fn new(seed: u64, (width, height): (usize, usize), share: usize, colour: Colour) -> Self {
        let length = width * 2;
        // Heights at a few posts, eased between them; the last post is the first again.
        let posts = 10;
        let apart = length.div_ceil(posts);
        let reach = (height * share / 100) as i64;
        let post = |at: usize| {
            let chance = mix(seed, (at % posts) as u64) % 100;
            reach * (35 + chance as i64 * 65 / 100) / 100
        };
        let tops: Vec<usize> = (0..length)
            .map(|x| {
                let (left, right) = (post(x / apart), post(x / apart + 1));
                let t = (x % apart * 1000 / apart) as i64;
                let eased = t * t * (3000 - 2 * t) / 1_000_000;
                height.saturating_sub((left + (right - left) * eased / 1000).max(0) as usize)
            })
            .collect();
        let first = tops.iter().copied().min().unwrap_or(height);
        let rows = (first..height)
            .map(|row| {
                let mut spans: Vec<(usize, usize)> = Vec::new();
                for x in (0..length).filter(|x| tops[*x] <= row) {
                    match spans.last_mut() {
                        Some((_, end)) if *end == x => *end = x + 1,
                        _ => spans.push((x, x + 1)),
                    }
                }
                (row, spans)
            })
            .collect();
        Self { rows, length, colour, drift: 0 }
    }

    fn draw(&self, picture: &mut Picture, shift: usize) {
        let shift = shift % self.length;
        for (row, spans) in &self.rows {
            for (from, to) in spans {
                // Once where it is, and once more where it comes round again.
                for round in [0, self.length] {
                    let (from, to) = (from + round, to + round);
                    if to > shift && from < shift + picture.width {
                        let left = from.saturating_sub(shift);
                        picture.dash(*row, left, to - shift, self.colour);
                    }
                }
            }
        }
    }
}

/// A scene: the sky that stands still, and what moves over it.
#[derive(Debug)]
pub struct Scene {
    sky: Picture,
    hills: [Hills; 2],
    words: Lettering,
    sun: Colour,
    scale: usize,
    frames: usize,
    fps: usize,
    start: usize,
}

impl Scene {
    /// Works out the scene of one shot.
    pub fn new(shot: &Shot, frames: usize) -> Self {
        let seed = shot.order.bytes().fold(7, |sum, byte| mix(sum, u64::from(byte)));
        let (width, height) = (shot.width, shot.height);
        let tint = |at: u64, from: u8, range: u64| from + (mix(seed, at) % range) as u8;
        let (u, v) = (tint(1, 112, 40), tint(2, 108, 40));
        let mut sky = Picture::blank(width, height);
        for row in 0..height {
            // In steps of four rows: flat areas are what the encoder is quickest at.
            let down = (row / 4 * 4 * 100 / height) as u8;
            sky.dash(row, 0, width, (52 + down, u, v));
        }
        let far = (70, u.saturating_add(6), v.saturating_sub(14));
        let near = (38, u.saturating_sub(8), v.saturating_sub(20));
        let mut hills =
            [Hills::new(mix(seed, 3), (width, height), 46, far), Hills::new(mix(seed, 4), (width, height), 30, near)];
        hills[0].drift = width / 16;
        hills[1].drift = width / 5;
        let scale = (width.min(height) / 180).max(1);
        Self {
            words: words(shot, scale),
            sky,
            hills,
            sun: (190, 100, tint(5, 140, 40)),
            scale,
            frames: frames.max(1),
            fps: shot.fps.max(1) as usize,
            start: (mix(seed, 6) % 1000) as usize,
        }
    }

    /// Draws one frame over `into`, which is only there to save an allocation.
    pub fn frame(&self, index: usize, into: &mut Picture) {
        into.copy(&self.sky);
        let (width, height) = (into.width, into.height);
        let done = (index + 1) * 1000 / self.frames;
        self.rise(into, done);
        for hills in &self.hills {
            let shift = self.start * hills.length / 1000 + index * hills.drift / self.fps;
            hills.draw(into, shift & !1);
        }
        into.letter(&self.words);
        let bar = (height / 40).max(2) & !1;
        let to = width * done / 1000;
        into.fill((0, height - bar), (to & !1, bar), (220, 110, 150));
        let mut count = Lettering::new(self.scale);
        let above = height.saturating_sub(bar + 10 * self.scale);
        count.line(&format!("{}/{}", index + 1, self.frames), (self.scale * 4, above));
        into.letter(&count);
    }

    /// The sun, from behind the hills up.
    fn rise(&self, into: &mut Picture, done: usize) {
        let (width, height) = (into.width as i64, into.height as i64);
        let radius = (width.min(height) / 7).max(3);
        let x = width * (300 + self.start as i64 * 4 / 10) / 1000;
        let y = height * 70 / 100 - height * 45 / 100 * done as i64 / 1000;
        for row in (y - radius).max(0)..(y + radius).min(height) {
            let across = radius * radius - (row - y) * (row - y);
            let half = across.max(0).isqrt();
            let from = (x - half).clamp(0, width) as usize & !1;
            let to = (x + half).clamp(0, width) as usize & !1;
            into.dash(row as usize, from, to, self.sun);
        }
    }

    /// A picture of the right size to draw frames into.
    pub fn canvas(&self) -> Picture {
        self.sky.clone()
    }
}

/// The order's id, facts and prompt. The id comes first: on the smallest clips there is room for
/// little else, and it is what makes two orders differ.
fn words(shot: &Shot, scale: usize) -> Lettering {
    let letter = 8 * scale;
    let margin = letter.min(shot.width / 16);
    let columns = (shot.width - 2 * margin) / letter;
    let line = letter + letter / 4;
    let rows = (shot.height - 2 * margin) / line;
    let facts = format!("{} {}s {}", shot.model, shot.seconds, shot.aspect);
    let mut text = folded(&shot.order, columns);
    text.extend(folded(&facts, columns));
    text.push(String::new());
    text.extend(folded(&shot.prompt, columns));
    let mut lettering = Lettering::new(scale);
    for (row, words) in text.iter().take(rows.saturating_sub(1)).enumerate() {
        lettering.line(words, (margin, margin + row * line));
    }
    lettering
}
