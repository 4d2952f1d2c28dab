//! Changed cells -> the fewest bytes that bring them about.
//!
//! Knows what a terminal's pen remembers: where it is and how it writes. Must not know what the cells mean.
//!
//! crossterm's backend for ratatui is right but talkative over SSH: it names both colours when one changes, puts
//! everything back after every frame and jumps over a single unchanged cell. This one keeps what the terminal keeps.

use std::io::Write;

use crossterm::style::Colored;
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most unchanged cells that are written again instead of jumped over: a jump is as long.
const SHORT_GAP: u16 = 4;

/// Switching on and off, by modifier; bold and dim share their off.
const SWITCHES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// The terminal's pen: how it writes, and where it stands if that is certain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pen {
    /// A cell that looks as the pen writes; the default is the terminal's own look.
    look: Cell,
    at: Option<(u16, u16)>,
}

/// What no cell shows: the last character of private use.
const HALF: &str = "\u{10FFFD}";

/// Marks the second halves of wide characters, so that the next [`Buffer::diff`] writes whatever follows them: a
/// terminal blanks the other half of a character that is overwritten in part, in the colours of the moment.
pub fn mark_halves(shown: &mut Buffer) {
    let width = usize::from(shown.area.width);
    for at in 1..shown.content.len() {
        let before = shown.content[at - 1].symbol();
        if at % width != 0 && before.len() > 1 && before.width() > 1 {
            shown.content[at].set_symbol(HALF);
        }
    }
}

/// Leaves in each cell only what every terminal takes for as many columns: of a family of emoji its first member, of
/// what is wide only by a variation selector the narrow sign. A terminal that draws four people where one cell was
/// reckoned would leave them standing beside it. And of bold and dim, which some take for one dial, only bold.
pub fn settle(next: &mut Buffer) {
    for cell in &mut next.content {
        if cell.modifier.contains(Modifier::BOLD | Modifier::DIM) {
            cell.modifier.remove(Modifier::DIM);
        }
        let symbol = cell.symbol();
        if symbol.len() < 3 || symbol.chars().nth(1).is_none() {
            continue;
        }
        let joined = symbol.contains('\u{200D}');
        let apart: usize = symbol.chars().map(|c| c.width().unwrap_or(0)).sum();
        if joined || apart != symbol.width() {
            let mut chars = symbol.chars();
            let first = chars.next().into_iter();
            let marks = chars.take_while(|c| *c != '\u{200D}' && c.width() == Some(0));
            let certain: String = first.chain(marks.filter(|c| !('\u{FE00}'..='\u{FE0F}').contains(c))).collect();
            cell.set_symbol(&certain);
        }
    }
}

fn alike(one: &Cell, other: &Cell) -> bool {
    (one.fg, one.bg, one.modifier) == (other.fg, other.bg, other.modifier)
}

impl Pen {
    /// Puts the terminal's pen and this one back to the terminal's own look.
    pub fn reset(&mut self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(b"\x1b[m");
        *self = Pen::default();
    }

    /// The pen was moved by someone else.
    pub fn moved(&mut self) {
        self.at = None;
    }

    /// Writes these cells of `next`, which are in reading order.
    pub fn write(&mut self, bytes: &mut Vec<u8>, cells: &[(u16, u16, &Cell)], next: &Buffer) {
        for (x, y, cell) in cells {
            self.go(bytes, *x, *y, next);
            self.take(bytes, cell);
            let symbol = cell.symbol();
            bytes.extend_from_slice(symbol.as_bytes());
            // At the right edge, and after what terminals measure differently, the place is uncertain.
            let certain = x + 1 < next.area.width && symbol.chars().count() == 1 && symbol.width() == 1;
            self.at = certain.then_some((x + 1, *y));
        }
    }

    fn go(&mut self, bytes: &mut Vec<u8>, x: u16, y: u16, next: &Buffer) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && from < x => {
                let gap = from..x;
                let same = |x: u16| {
                    let cell = &next[(x, y)];
                    cell.symbol().len() == 1 && alike(cell, &self.look)
                };
                if gap.len() <= usize::from(SHORT_GAP) && gap.clone().all(same) {
                    gap.for_each(|x| bytes.extend_from_slice(next[(x, y)].symbol().as_bytes()));
                } else if x - from == 1 {
                    bytes.extend_from_slice(b"\x1b[C");
                } else {
                    say(bytes, format_args!("\x1b[{}C", x - from));
                }
            }
            _ if x == 0 => say(bytes, format_args!("\x1b[{}H", y + 1)),
            _ => say(bytes, format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
    }

    fn take(&mut self, bytes: &mut Vec<u8>, cell: &Cell) {
        if alike(cell, &self.look) {
            return;
        }
        if alike(cell, &Cell::default()) {
            bytes.extend_from_slice(b"\x1b[m");
        } else {
            let mut codes = self.switches(cell.modifier);
            if cell.fg != self.look.fg {
                codes.push(short(Colored::ForegroundColor(cell.fg.into_crossterm()), 30));
            }
            if cell.bg != self.look.bg {
                codes.push(short(Colored::BackgroundColor(cell.bg.into_crossterm()), 40));
            }
            say(bytes, format_args!("\x1b[{}m", codes.join(";")));
        }
        (self.look.fg, self.look.bg, self.look.modifier) = (cell.fg, cell.bg, cell.modifier);
    }

    /// From the modifiers the pen has to `wanted`.
    fn switches(&self, wanted: Modifier) -> Vec<String> {
        let mut have = self.look.modifier;
        let mut codes = Vec::new();
        for (modifier, _, off) in SWITCHES {
            if have.contains(modifier) && !wanted.contains(modifier) {
                codes.push(off.to_string());
                SWITCHES.iter().filter(|(.., shared)| *shared == off).for_each(|(modifier, ..)| have.remove(*modifier));
            }
        }
        let on = SWITCHES.iter().filter(|(modifier, ..)| wanted.contains(*modifier) && !have.contains(*modifier));
        codes.extend(on.map(|(_, code, _)| code.to_string()));
        codes
    }
}

/// A colour's parameters; the terminal's own 16 in their short form.
fn short(colour: Colored, base: u8) -> String {
    let long = colour.to_string();
    match long.strip_prefix(&format!("{};5;", base + 8)).and_then(|index| index.parse::<u8>().ok()) {
        Some(index @ 0..8) => (base + index).to_string(),
        Some(index @ 8..16) => (base + 60 + index - 8).to_string(),
        _ => long,
    }
}

fn say(bytes: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory can not fail.
    let _ = bytes.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    const AREA: Rect = Rect { x: 0, y: 0, width: 12, height: 4 };

    /// Draws frames one after the other, as a terminal would show them, and compares every cell with the last.
    fn check(frames: &[Buffer]) -> Result<(), TestCaseError> {
        let size = |n: u16| NonZeroU16::new(n).unwrap();
        let mut terminal = vt100::Parser::new(size(AREA.height), size(AREA.width), 0);
        let (mut pen, mut shown) = (Pen::default(), Buffer::empty(AREA));
        for next in frames {
            let mut bytes = Vec::new();
            pen.write(&mut bytes, &shown.diff(next), next);
            terminal.process(&bytes);
            pen.moved();
            shown = next.clone();
            mark_halves(&mut shown);
            let mut plain = vt100::Parser::new(size(AREA.height), size(AREA.width), 0);
            for y in 0..AREA.height {
                for x in 0..AREA.width {
                    // The same cell drawn alone by a pen that knows nothing.
                    let cell = &next[(x, y)];
                    if x > 0 && next[(x - 1, y)].symbol().width() == 2 {
                        continue;
                    }
                    let mut bytes = Vec::new();
                    Pen::default().reset(&mut bytes);
                    Pen::default().write(&mut bytes, &[(x, y, cell)], next);
                    plain.process(&bytes);
                }
            }
            for y in 0..AREA.height {
                for x in 0..AREA.width {
                    let (got, wanted) = (terminal.screen().cell(y, x).unwrap(), plain.screen().cell(y, x).unwrap());
                    let text =
                        |cell: &vt100::Cell| if cell.has_contents() { cell.contents().to_owned() } else { " ".into() };
                    prop_assert_eq!(text(got), text(wanted), "at {},{}", x, y);
                    prop_assert_eq!(
                        (got.fgcolor(), got.bgcolor()),
                        (wanted.fgcolor(), wanted.bgcolor()),
                        "at {},{}",
                        x,
                        y
                    );
                    prop_assert_eq!(
                        (got.bold(), got.dim(), got.italic(), got.underline(), got.inverse()),
                        (wanted.bold(), wanted.dim(), wanted.italic(), wanted.underline(), wanted.inverse()),
                        "at {},{}",
                        x,
                        y
                    );
                }
            }
        }
        Ok(())
    }

    fn looks() -> Vec<Style> {
        let plain = Style::new();
        vec![
            plain,
            plain.bold(),
            plain.dim(),
            plain.red(),
            plain.light_blue().on_green(),
            plain.reversed().italic(),
            plain.underlined().bold().yellow(),
            plain.on_dark_gray(),
        ]
    }

    proptest! {
        #[test]
        fn any_frame_after_any_other_shows_what_it_should(
            frames in prop::collection::vec(
                prop::collection::vec((0u16..12, 0u16..4, 0usize..8, prop::sample::select(vec!["a", "bc", "x y z", "é", "山水", "    ", "long line over all"])), 0..10),
                1..5,
            )
        ) {
            let looks = looks();
            let frames: Vec<Buffer> = frames
                .into_iter()
                .map(|puts| {
                    let mut buffer = Buffer::empty(AREA);
                    for (x, y, look, text) in puts {
                        // The emulator knows bold or dim, not both, and a pane never cuts another's wide character.
                        let width = (text.width() as u16).min(AREA.width - x);
                        let place = Rect::new(x, y, width, 1);
                        if place.positions().any(|at| buffer[at].symbol() != " " || at.x > 0 && buffer[(at.x - 1, y)].symbol().width() == 2) {
                            continue;
                        }
                        buffer.set_style(place, Style::reset());
                        buffer.set_stringn(x, y, text, usize::from(width), looks[look]);
                    }
                    buffer
                })
                .collect();
            check(&frames)?;
        }
    }

    #[test]
    fn a_short_gap_is_written_and_a_colour_named_once() {
        let (mut pen, mut bytes) = (Pen::default(), Vec::new());
        let (shown, mut next) = (Buffer::empty(AREA), Buffer::empty(AREA));
        next.set_string(0, 1, "ab", Style::new().red());
        next.set_string(4, 1, "cd", Style::new().red());
        next.set_string(9, 1, "ef", Style::new().red().on_blue());
        pen.write(&mut bytes, &shown.diff(&next), &next);
        assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[2H\x1b[31mab\x1b[2Ccd\x1b[3C\x1b[44mef");
    }
}
