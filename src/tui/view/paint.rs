//! The few strokes that all panes share: a piece of text, a frame, a sheet of wrapped lines.
//!
//! Knows cells and roles. Must not know what is written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text;
use crate::app::geometry::Span;
use crate::tui::theme::{Glyphs, Role, Styles};

/// A span of the app's geometry as a rectangle of the buffer, cut to it.
pub fn rect(span: Span, area: Rect) -> Rect {
    Rect::new(area.x + span.x, area.y + span.y, span.w, span.h).intersection(area)
}

/// Writes `words` from a cell on, cut at `end`; returns the cell after them.
pub fn put(buf: &mut Buffer, (x, y): (u16, u16), end: u16, words: &str, style: Style) -> u16 {
    let area = buf.area;
    let end = end.min(area.right());
    if x >= end || x < area.x || y < area.y || y >= area.bottom() {
        return x;
    }
    buf.set_stringn(x, y, words, usize::from(end - x), style).0
}

/// Writes `words` so that they end at `end`, where they fit from `start` on; returns their first cell.
pub fn put_right(buf: &mut Buffer, y: u16, start: u16, end: u16, words: &str, style: Style) -> u16 {
    let x = end.saturating_sub(u16::try_from(text::width(words)).unwrap_or(u16::MAX)).max(start);
    put(buf, (x, y), end, words, style);
    x
}

/// A frame with a title on the left and words on the right; returns what is inside.
pub fn frame(buf: &mut Buffer, area: Rect, styles: &Styles, focused: bool, title: &str, right: &str) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect::new(area.x, area.y, 0, 0);
    }
    let style = styles.of(if focused { Role::BorderFocus } else { Role::Border });
    let [h, v, tl, tr, bl, br] = match styles.glyphs {
        Glyphs::Unicode => ["─", "│", "╭", "╮", "╰", "╯"],
        Glyphs::Ascii => ["-", "|", "+", "+", "+", "+"],
    };
    let (left, top, end, bottom) = (area.x, area.y, area.right() - 1, area.bottom() - 1);
    for y in [top, bottom] {
        put(buf, (left, y), area.right(), &h.repeat(usize::from(area.width)), style);
    }
    for y in top..=bottom {
        for x in [left, end] {
            put(buf, (x, y), area.right(), v, style);
        }
    }
    for (x, y, corner) in [(left, top, tl), (end, top, tr), (left, bottom, bl), (end, bottom, br)] {
        put(buf, (x, y), area.right(), corner, style);
    }
    titles(buf, (left + 2, top), end.saturating_sub(1), styles, focused, title, right);
    Rect::new(left + 1, top + 1, area.width - 2, area.height - 2)
}

/// A rule across a frame, with a title.
pub fn rule(buf: &mut Buffer, frame: Rect, y: u16, styles: &Styles, focused: bool, title: &str, right: &str) {
    let style = styles.of(if focused { Role::BorderFocus } else { Role::Border });
    let [h, l, r] = match styles.glyphs {
        Glyphs::Unicode => ["─", "├", "┤"],
        Glyphs::Ascii => ["-", "+", "+"],
    };
    let middle = h.repeat(usize::from(frame.width.saturating_sub(2)));
    put(buf, (frame.x, y), frame.right(), &format!("{l}{middle}{r}"), style);
    titles(buf, (frame.x + 2, y), frame.right().saturating_sub(2), styles, focused, title, right);
}

fn titles(buf: &mut Buffer, (x, y): (u16, u16), end: u16, styles: &Styles, focused: bool, title: &str, right: &str) {
    // The frame's own look must not shine through a role that leaves something to the terminal.
    let plain = |role: Role| Style::reset().patch(styles.of(Role::Screen)).patch(styles.of(role));
    let cut = |words: &str, room: u16| text::cut(words, usize::from(room.saturating_sub(2)), styles.glyphs);
    let mut next = x;
    if !title.is_empty() && end > x + 4 {
        let title = cut(title, end - x);
        next = put(buf, (x, y), end, &format!(" {title} "), plain(if focused { Role::Strong } else { Role::Text }));
    }
    if !right.is_empty() && end > next + 4 {
        let right = cut(right, end - next);
        put_right(buf, y, next, end, &format!(" {right} "), plain(Role::Dim));
    }
}

/// Clears a rectangle and frames it, for what lies over the panes; returns what is inside, with a margin.
pub fn sheet(buf: &mut Buffer, area: Rect, styles: &Styles, title: &str, right: &str) -> Rect {
    for y in area.top()..area.bottom() {
        put(buf, (area.x, y), area.right(), &" ".repeat(usize::from(area.width)), Style::reset());
    }
    buf.set_style(area, styles.of(Role::Screen));
    let inside = frame(buf, area, styles, true, title, right);
    let margin = u16::from(inside.width > 20);
    Rect::new(inside.x + margin, inside.y, inside.width - 2 * margin, inside.height)
}

/// Marks a line of a list that is typed in: the selected one, and one that is taken beside it or in use.
/// Returns how its words look.
pub fn mark(buf: &mut Buffer, area: Rect, styles: &Styles, selected: bool, taken: bool) -> Style {
    let picked = if selected { styles.of(Role::Selection) } else { Style::default() };
    let [bar, dot] = match styles.glyphs {
        Glyphs::Unicode => ["▌", "•"],
        Glyphs::Ascii => [">", "+"],
    };
    if selected {
        if styles.selection_fills {
            buf.set_style(area, picked);
        }
        put(buf, (area.x, area.y), area.right(), bar, styles.of(Role::Accent));
    }
    if taken {
        put(buf, (area.x + 1, area.y), area.right(), dot, styles.of(Role::Accent));
    }
    styles.of(Role::Text).patch(picked)
}

/// Says on a frame's lower border how many lines are hidden below, and the key that shows them.
pub fn more(buf: &mut Buffer, frame: Rect, styles: &Styles, key: &str, hidden: usize) {
    if hidden > 0 && frame.height > 2 {
        let words = format!(" {key}: {hidden} more {} ", if hidden == 1 { "line" } else { "lines" });
        let (start, end) = (frame.x + 2, frame.right().saturating_sub(2));
        put_right(buf, frame.bottom() - 1, start, end, &words, styles.of(Role::Dim));
    }
}

/// A rectangle for much text in the middle of `area`; all of its width where little would be left beside it.
pub fn reading(area: Rect, width: u16, height: u16) -> Rect {
    let width = if area.width < width + 30 { area.width } else { width };
    middle(area, width, height)
}

/// A rectangle of at most this size in the middle of `area`.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - w) / 2, area.y + (area.height - h) / 2, w, h)
}

/// Lines of pieces, each with its role, wrapped to a width while they are written.
#[derive(Clone, Debug)]
pub struct Paper {
    width: usize,
    lines: Vec<Vec<(String, Role)>>,
}

impl Paper {
    /// An empty sheet of that width.
    pub fn new(width: u16) -> Self {
        Paper { width: usize::from(width).max(1), lines: Vec::new() }
    }

    /// Columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many lines there are.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// An empty line, but never two, nor one on top.
    pub fn blank(&mut self) -> &mut Self {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
        self
    }

    /// A paragraph.
    pub fn say(&mut self, role: Role, words: &str) -> &mut Self {
        self.lines.extend(text::wrap(words, self.width).into_iter().map(|line| vec![(line, role)]));
        self
    }

    /// A label and what it stands for, which hangs behind it when it is long.
    pub fn pair(&mut self, label: &str, indent: usize, role: Role, words: &str) -> &mut Self {
        self.hang((label, Role::Dim), indent, role, words)
    }

    /// The same for a key and what it does.
    pub fn key(&mut self, key: &str, indent: usize, words: &str) -> &mut Self {
        self.hang((key, Role::Accent), indent, Role::Text, words)
    }

    fn hang(&mut self, (label, label_role): (&str, Role), indent: usize, role: Role, words: &str) -> &mut Self {
        if self.width < indent + 8 {
            self.say(label_role, label);
            return self.say(role, words);
        }
        let mut label = label;
        if text::width(label) >= indent {
            self.say(label_role, label);
            label = "";
        }
        for (i, line) in text::wrap(words, self.width - indent).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let pad = indent.saturating_sub(text::width(label));
            self.lines.push(vec![(format!("{label}{}", " ".repeat(pad)), label_role), (line, role)]);
        }
        self
    }

    /// One line of pieces as they are.
    pub fn line(&mut self, pieces: &[(&str, Role)]) -> &mut Self {
        self.lines.push(pieces.iter().map(|(words, role)| ((*words).to_owned(), *role)).collect());
        self
    }

    /// A line of words with an amount at its end, where both fit; else the amount goes below.
    pub fn entry(&mut self, role: Role, words: &str, amount_role: Role, amount: &str) -> &mut Self {
        let gap = |used: usize| " ".repeat(self.width.saturating_sub(used + text::width(amount)));
        if text::width(words) + text::width(amount) < self.width {
            let pad = gap(text::width(words));
            self.lines.push(vec![(words.to_owned(), role), (format!("{pad}{amount}"), amount_role)]);
        } else {
            let below = format!("{}{amount}", gap(0));
            self.say(role, words);
            self.lines.push(vec![(below, amount_role)]);
        }
        self
    }

    /// Draws the lines from `first` on.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, first: usize, styles: &Styles) {
        for (y, line) in (area.top()..area.bottom()).zip(self.lines.iter().skip(first)) {
            let mut x = area.x;
            for (words, role) in line {
                x = put(buf, (x, y), area.right(), words, styles.of(*role));
            }
        }
    }
}
