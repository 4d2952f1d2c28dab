//! The picture: stripes, a moving block, a bar that fills, and the order's words over it. Drawn
//! straight into YUV planes with slice fills, because that is quick even without optimisation.

use crate::sim::clip::Shot;
use crate::sim::service::mix;
use font8x8::legacy::BASIC_LEGACY;

/// One picture in planes: full-size brightness, half-size colours.
#[derive(Clone, Debug)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub y: Vec<u8>,
    pub u: Vec<u8>,
    pub v: Vec<u8>,
}

impl Picture {
    fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            y: vec![16; width * height],
            u: vec![128; width * height / 4],
            v: vec![128; width * height / 4],
        }
    }

    /// Fills a rectangle; what lies outside of the picture is left out.
    fn fill(&mut self, (x, y): (usize, usize), (w, h): (usize, usize), (luma, u, v): (u8, u8, u8)) {
        let right = (x + w).min(self.width);
        let bottom = (y + h).min(self.height);
        if x >= right || y >= bottom {
            return;
        }
        for row in y..bottom {
            self.y[row * self.width + x..row * self.width + right].fill(luma);
        }
        let half = self.width / 2;
        for row in y / 2..bottom / 2 {
            self.u[row * half + x / 2..row * half + right / 2].fill(u);
            self.v[row * half + x / 2..row * half + right / 2].fill(v);
        }
    }

    /// Writes one line of 8x8 letters; what the font lacks becomes a box.
    fn write(&mut self, text: &str, (x, y): (usize, usize), scale: usize) {
        const BOX: [u8; 8] = [0x00, 0x7e, 0x42, 0x42, 0x42, 0x42, 0x7e, 0x00];
        for (at, letter) in text.chars().enumerate() {
            let left = x + at * 8 * scale;
            if left + 8 * scale > self.width {
                return;
            }
            let glyph = match u32::from(letter) {
                code @ 0x20..=0x7e => BASIC_LEGACY[code as usize],
                _ => BOX,
            };
            for (row, bits) in glyph.into_iter().enumerate() {
                for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                    let spot = (left + column * scale, y + row * scale);
                    self.light(spot, scale);
                }
            }
        }
    }

    /// One lit dot of a letter: brightness only, so that letters stay sharp.
    fn light(&mut self, (x, y): (usize, usize), scale: usize) {
        for row in y..(y + scale).min(self.height) {
            let from = row * self.width + x.min(self.width);
            self.y[from..(from + scale).min((row + 1) * self.width)].fill(235);
        }
    }
}

/// A stage: the part of the picture that stands still, and what moves over it.
#[derive(Debug)]
pub struct Stage {
    set: Picture,
    seed: u64,
    scale: usize,
    frames: usize,
}

impl Stage {
    /// Draws the set of one shot: stripes in the order's own colours, then its words.
    pub fn new(shot: &Shot, frames: usize) -> Self {
        let seed = shot.order.bytes().fold(7, |sum, byte| mix(sum, u64::from(byte)));
        let mut set = Picture::blank(shot.width, shot.height);
        let stripes = 12;
        for stripe in 0..stripes {
            let top = (shot.height * stripe / stripes) & !1;
            let end = (shot.height * (stripe + 1) / stripes) & !1;
            let luma = 30 + (stripe * 7) as u8;
            let u = 96 + (mix(seed, 1) % 64) as u8;
            let v = 96 + (mix(seed, 2) % 40) as u8 + (stripe * 2) as u8;
            set.fill((0, top), (shot.width, end - top), (luma, u, v));
        }
        let scale = (shot.width.min(shot.height) / 180).max(1);
        let letter = 8 * scale;
        let margin = letter.min(shot.width / 16);
        let columns = (shot.width - 2 * margin) / letter;
        let line = letter + letter / 4;
        let rows = (shot.height - 2 * margin) / line;
        // The id comes first: on the smallest clips there is room for little else.
        let mut text = folded(&shot.order, columns);
        let facts = format!("{} {}s {}", shot.model, shot.seconds, shot.aspect);
        text.extend(folded(&facts, columns));
        text.push(String::new());
        text.extend(folded(&shot.prompt, columns));
        for (row, words) in text.iter().take(rows.saturating_sub(1)).enumerate() {
            set.write(words, (margin, margin + row * line), scale);
        }
        Self { set, seed, scale, frames }
    }

    /// Draws one frame over `into`, which is only there to save an allocation.
    pub fn frame(&self, index: usize, into: &mut Picture) {
        into.y.copy_from_slice(&self.set.y);
        into.u.copy_from_slice(&self.set.u);
        into.v.copy_from_slice(&self.set.v);
        let (width, height) = (self.set.width, self.set.height);
        let side = (width.min(height) / 5).max(4) & !1;
        let speed = 2 + (self.seed % 3) as usize * 2;
        let start = (mix(self.seed, 3) % 1000) as usize;
        let x = bounce(start + index * speed, width - side) & !1;
        let y = bounce(start / 2 + index * 2, height - side) & !1;
        let colour = (190, (mix(self.seed, 4) % 200) as u8 + 28, (mix(self.seed, 5) % 200) as u8 + 28);
        into.fill((x, y), (side, side), colour);
        let bar = (height / 40).max(2) & !1;
        let done = width * (index + 1) / self.frames.max(1);
        into.fill((0, height - bar), (done & !1, bar), (220, 110, 150));
        let count = format!("{}/{}", index + 1, self.frames);
        let above = height.saturating_sub(bar + 10 * self.scale);
        into.write(&count, (self.scale * 4, above), self.scale);
    }

    /// A picture of the right size to draw frames into.
    pub fn canvas(&self) -> Picture {
        self.set.clone()
    }
}

/// A position that runs to `far` and back.
fn bounce(at: usize, far: usize) -> usize {
    let far = far.max(1);
    let way = at % (2 * far);
    if way < far { way } else { 2 * far - way }
}

/// Breaks words into lines of at most `columns` letters; a longer word is cut.
fn folded(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().take(400) {
        let mut letters: Vec<char> = word.chars().collect();
        while !letters.is_empty() {
            let last = lines.last_mut().expect("there is always a line");
            let used = last.chars().count();
            let room = columns.saturating_sub(if used == 0 { 0 } else { used + 1 });
            if letters.len() <= room || used == 0 {
                if used > 0 {
                    last.push(' ');
                }
                let cut = letters.len().min(room);
                last.extend(letters.drain(..cut));
            } else {
                lines.push(String::new());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn words_fold_and_long_ones_are_cut() {
        assert_eq!(folded("a bc def", 4), ["a bc", "def"]);
        assert_eq!(folded("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(folded("", 3), [""]);
    }
}
