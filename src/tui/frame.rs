//! When to draw, and the bytes of a frame.
//!
//! Knows the frame rate and what is on the screen. Must not know what a frame shows, nor who writes it.

use std::io;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

use super::pen::{Pen, mark_halves, settle};
use crate::app::Dirty;

/// The least time between two frames nobody asked for: at most 10 frames/s.
const BACKGROUND: Duration = Duration::from_millis(100);
/// The least time between two frames for keys: a burst of keys is a few frames, a single key none later.
const KEYS: Duration = Duration::from_millis(5);

/// Decides when the next frame is due. Pure: the time is told.
#[derive(Debug, Default)]
pub struct FrameClock {
    wanted: Dirty,
    last: Option<Instant>,
    last_for_keys: Option<Instant>,
}

impl FrameClock {
    /// The screen differs from the state, this urgently.
    pub fn want(&mut self, dirty: Dirty) {
        self.wanted = self.wanted.max(dirty);
    }

    /// When the next frame is due; `None` while nothing has changed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let (last, pause) = match self.wanted {
            Dirty::None => return None,
            Dirty::Background => (self.last, BACKGROUND),
            Dirty::Now => (self.last_for_keys, KEYS),
        };
        Some(last.map_or(now, |last| now.max(last + pause)))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        if self.wanted == Dirty::Now {
            self.last_for_keys = Some(now);
        }
        self.last = Some(now);
        self.wanted = Dirty::None;
    }
}

/// What the terminal shows, and the bytes from there to the next frame.
///
/// This is ratatui's `Terminal` without what hurts over SSH: that one asks the terminal for its size or cursor on
/// the way, and writes 25 bytes for a frame in which nothing changed.
#[derive(Debug)]
pub struct Canvas {
    shown: Buffer,
    next: Buffer,
    pen: Pen,
    cursor: Option<Position>,
    known: bool,
}

impl Canvas {
    /// A screen of this size, in cells, of which nothing is known.
    pub fn new(cols: u16, rows: u16) -> Canvas {
        let area = Rect::new(0, 0, cols, rows);
        let (shown, next) = (Buffer::empty(area), Buffer::empty(area));
        Canvas { shown, next, pen: Pen::default(), cursor: None, known: false }
    }

    /// Nothing on the screen is known any more: the next frame draws every cell.
    pub fn forget(&mut self) {
        self.known = false;
    }

    /// The screen has this size now, in cells.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        *self = Canvas::new(cols, rows);
    }

    /// The bytes that bring the screen from what it shows to what `render` draws; `None`: nothing to write.
    pub fn frame(&mut self, render: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> Option<Vec<u8>> {
        self.next.reset();
        let area = self.next.area;
        let cursor = render(area, &mut self.next).filter(|position| area.contains(*position));
        settle(&mut self.next);
        if !self.known {
            self.shown.reset();
        }
        let cells = self.shown.diff(&self.next);
        if self.known && cells.is_empty() && cursor == self.cursor {
            return None;
        }
        let mut bytes = Vec::with_capacity(256 + cells.len() * 8);
        let outcome =
            encode(&mut bytes, &cells, &self.next, &mut self.pen, (self.known.then_some(self.cursor), cursor));
        debug_assert!(outcome.is_ok(), "writing to memory does not fail");
        std::mem::swap(&mut self.shown, &mut self.next);
        mark_halves(&mut self.shown);
        self.cursor = cursor;
        self.known = true;
        Some(bytes)
    }
}

/// One frame. The cursor was at the first of `cursors`, `None` if nothing is known of the screen, and goes to the second.
fn encode(
    bytes: &mut Vec<u8>,
    cells: &[(u16, u16, &Cell)],
    next: &Buffer,
    pen: &mut Pen,
    cursors: (Option<Option<Position>>, Option<Position>),
) -> io::Result<()> {
    let (before, after) = cursors;
    queue!(bytes, BeginSynchronizedUpdate)?;
    if before.is_none() {
        // Never `Terminal::clear()`: it asks the terminal where the cursor is (ratatui #2691).
        pen.reset(bytes);
        queue!(bytes, Clear(ClearType::All))?;
    }
    pen.write(bytes, cells, next);
    match after {
        Some(Position { x, y }) => {
            pen.moved();
            queue!(bytes, MoveTo(x, y))?;
            if !matches!(before, Some(Some(_))) {
                queue!(bytes, Show)?;
            }
        }
        None if before != Some(None) => queue!(bytes, Hide)?,
        None => {}
    }
    queue!(bytes, EndSynchronizedUpdate)
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn text(text: &'static str, cursor: Option<Position>) -> impl FnOnce(Rect, &mut Buffer) -> Option<Position> {
        move |area, buffer| {
            buffer.set_stringn(area.x, area.y, text, area.width as usize, Style::new().cyan());
            cursor
        }
    }

    #[test]
    fn an_unchanged_frame_is_no_bytes_at_all() {
        let mut canvas = Canvas::new(20, 3);
        assert!(canvas.frame(text("hello", None)).is_some());
        assert_eq!(canvas.frame(text("hello", None)), None);
        let moved = canvas.frame(text("hello", Some(Position::new(2, 0)))).expect("the cursor is shown now");
        assert!(moved.ends_with(b"\x1b[1;3H\x1b[?25h\x1b[?2026l"), "{:?}", String::from_utf8_lossy(&moved));
        assert_eq!(canvas.frame(text("hello", Some(Position::new(2, 0)))), None);
    }

    #[test]
    fn a_small_change_is_few_bytes_and_a_forgotten_screen_is_drawn_whole() {
        let mut canvas = Canvas::new(20, 3);
        canvas.frame(text("hello", None));
        let small = canvas.frame(text("hallo", None)).expect("one cell changed");
        assert!(small.len() < 60, "{} bytes: {:?}", small.len(), String::from_utf8_lossy(&small));
        assert!(!small.windows(4).any(|window| window == b"\x1b[2J"));
        canvas.forget();
        let whole = canvas.frame(text("hallo", None)).expect("everything is drawn");
        let whole = String::from_utf8(whole).expect("escape sequences and text");
        assert!(whole.starts_with("\x1b[?2026h\x1b[m\x1b[2J") && whole.contains("hallo"), "{whole:?}");
    }

    #[test]
    fn a_frame_never_asks_the_terminal_anything() {
        let mut canvas = Canvas::new(20, 3);
        let frame = canvas.frame(text("hello", None)).expect("the first frame");
        for query in ["\x1b[6n", "\x1b[c", "\x1b[?u", "\x1b[>", "\x1b]10;?", "\x1b]11;?"] {
            assert!(!String::from_utf8_lossy(&frame).contains(query), "{query:?}");
        }
    }

    #[test]
    fn a_cursor_outside_the_screen_is_hidden() {
        let mut canvas = Canvas::new(4, 1);
        let frame = canvas.frame(text("abcdef", Some(Position::new(9, 9)))).expect("the first frame");
        assert!(!String::from_utf8_lossy(&frame).contains("\x1b[?25h"));
    }

    #[test]
    fn keys_are_drawn_at_once_and_background_changes_ten_times_a_second() {
        let start = Instant::now();
        let ms = |n: u64| start + Duration::from_millis(n);
        let mut clock = FrameClock::default();
        assert_eq!(clock.due(ms(0)), None);
        clock.want(Dirty::Background);
        assert_eq!(clock.due(ms(0)), Some(ms(0)));
        clock.drawn(ms(0));
        assert_eq!(clock.due(ms(1)), None);
        clock.want(Dirty::Background);
        assert_eq!(clock.due(ms(1)), Some(ms(100)));
        clock.want(Dirty::Now);
        assert_eq!(clock.due(ms(2)), Some(ms(2)), "a key does not wait for the frame rate");
        clock.want(Dirty::Background);
        assert_eq!(clock.due(ms(2)), Some(ms(2)), "a background change does not delay a key");
        clock.drawn(ms(2));
        clock.want(Dirty::Now);
        assert_eq!(clock.due(ms(3)), Some(ms(7)), "a burst of keys is not a frame each");
        assert_eq!(clock.due(ms(50)), Some(ms(50)));
    }
}
