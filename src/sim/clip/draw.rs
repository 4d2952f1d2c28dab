//! A picture in YUV planes and the few strokes a scene needs, all slice fills, because those are
//! quick even without optimisation. Knows no scene.

use font8x8::legacy::BASIC_LEGACY;

/// Brightness and the two colour parts.
pub type Colour = (u8, u8, u8);

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
    /// A black one.
    pub fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            y: vec![16; width * height],
            u: vec![128; width * height / 4],
            v: vec![128; width * height / 4],
        }
    }

    /// Copies another of the same size.
    pub fn copy(&mut self, other: &Self) {
        self.y.copy_from_slice(&other.y);
        self.u.copy_from_slice(&other.u);
        self.v.copy_from_slice(&other.v);
    }

    /// Fills part of one row; what lies outside of the picture is left out. Every second row
    /// carries the colour of two.
    pub fn dash(&mut self, row: usize, from: usize, to: usize, (luma, u, v): Colour) {
        let to = to.min(self.width);
        if row >= self.height || from >= to {
            return;
        }
        self.y[row * self.width + from..row * self.width + to].fill(luma);
        if row.is_multiple_of(2) {
            let half = row / 2 * (self.width / 2);
            self.u[half + from / 2..half + to / 2].fill(u);
            self.v[half + from / 2..half + to / 2].fill(v);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, (x, y): (usize, usize), (w, h): (usize, usize), colour: Colour) {
        for row in y..y + h {
            self.dash(row, x, x + w, colour);
        }
    }

    /// Lights the dots of a lettering, over a shadow one dot lower.
    pub fn letter(&mut self, lettering: &Lettering) {
        for (luma, below) in [(16, lettering.scale.div_ceil(2)), (235, 0)] {
            for &(row, from, to) in &lettering.dashes {
                let (row, from, to) = (row + below, from + below, (to + below).min(self.width));
                if row < self.height && from < to {
                    self.y[row * self.width + from..row * self.width + to].fill(luma);
                }
            }
        }
    }
}

/// Words as dashes of light, worked out once and drawn on every frame.
#[derive(Debug, Default)]
pub struct Lettering {
    dashes: Vec<(usize, usize, usize)>,
    scale: usize,
}

impl Lettering {
    /// An empty one whose letters are 8 times `scale` dots square.
    pub fn new(scale: usize) -> Self {
        Self { dashes: Vec::new(), scale }
    }

    /// Adds one line of text; what the font lacks becomes a box.
    pub fn line(&mut self, text: &str, (x, y): (usize, usize)) {
        const BOX: [u8; 8] = [0x00, 0x7e, 0x42, 0x42, 0x42, 0x42, 0x7e, 0x00];
        let scale = self.scale;
        for (at, letter) in text.chars().enumerate() {
            let left = x + at * 8 * scale;
            let glyph = match u32::from(letter) {
                code @ 0x20..=0x7e => BASIC_LEGACY[code as usize],
                _ => BOX,
            };
            for (row, bits) in glyph.into_iter().enumerate() {
                let mut column = 0;
                while column < 8 {
                    let run = (bits >> column).trailing_ones() as usize;
                    if run > 0 {
                        let from = left + column * scale;
                        let top = y + row * scale;
                        let dashes = (top..top + scale).map(|row| (row, from, from + run * scale));
                        self.dashes.extend(dashes);
                    }
                    column += run.max(1);
                }
            }
        }
    }
}

/// Breaks words into lines of at most `columns` letters; a longer word is cut.
pub fn folded(text: &str, columns: usize) -> Vec<String> {
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
    use super::*;

    #[test]
    fn words_fold_and_long_ones_are_cut() {
        assert_eq!(folded("a bc def", 4), ["a bc", "def"]);
        assert_eq!(folded("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(folded("", 3), [""]);
    }

    #[test]
    fn letters_are_lit_and_stay_inside() {
        let mut lettering = Lettering::new(1);
        lettering.line("I山", (0, 0));
        lettering.line("far right and below", (30, 30));
        let mut picture = Picture::blank(32, 32);
        picture.letter(&lettering);
        let lit = |x: usize, y: usize| picture.y[y * 32 + x] == 235;
        assert!(lit(2, 0) || lit(3, 0), "the I has a top");
        assert!(lit(9, 1) && lit(14, 6), "what the font lacks is a box");
    }
}
