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
use unicode_width::UnicodeWidthStr;

use super::links::Run;
use super::pen::{Pen, mark_halves, settle};
use crate::app::Dirty;

/// The least time between two frames for keys: a burst of keys is a few frames, a single key none later.
const KEYS: Duration = Duration::from_millis(5);

/// Decides when the next frame is due. Pure: the time is told.
#[derive(Debug, Default)]
pub struct FrameClock {
    wanted: Dirty,
    /// The least time between two frames nobody asked for.
    pause: Duration,
    last: Option<Instant>,
    last_for_keys: Option<Instant>,
}

impl FrameClock {
    /// Sets the least time between two frames nobody asked for.
    pub fn set_pause(&mut self, pause: Duration) {
        self.pause = pause;
    }

    /// The screen differs from the state, this urgently.
    pub fn want(&mut self, dirty: Dirty) {
        self.wanted = self.wanted.max(dirty);
    }

    /// When the next frame is due; `None` while nothing has changed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let (last, pause) = match self.wanted {
            Dirty::None => return None,
            Dirty::Background => (self.last, self.pause),
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
    links: Vec<Run>,
    known: bool,
}

impl Canvas {
    /// A screen of this size, in cells, of which nothing is known.
    pub fn new(cols: u16, rows: u16) -> Canvas {
        let area = Rect::new(0, 0, cols, rows);
        let (shown, next) = (Buffer::empty(area), Buffer::empty(area));
        Canvas { shown, next, pen: Pen::default(), cursor: None, links: Vec::new(), known: false }
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
        self.frame_with(render, |_| Vec::new())
    }

    /// The same, with the links among what was drawn.
    pub fn frame_with(
        &mut self,
        render: impl FnOnce(Rect, &mut Buffer) -> Option<Position>,
        links: impl FnOnce(&Buffer) -> Vec<Run>,
    ) -> Option<Vec<u8>> {
        self.next.reset();
        let area = self.next.area;
        let cursor = render(area, &mut self.next).filter(|position| area.contains(*position));
        settle(&mut self.next);
        if !self.known {
            self.shown.reset();
            self.links.clear();
        }
        let cells = self.shown.diff(&self.next);
        let links = links(&self.next);
        if self.known && cells.is_empty() && cursor == self.cursor && links == self.links {
            return None;
        }
        let mut bytes = Vec::with_capacity(256 + cells.len() * 8);
        let strokes = strokes(&self.next, &cells, &self.links, &links);
        let outcome = encode(
            &mut bytes,
            &cells,
            &strokes,
            &self.next,
            &mut self.pen,
            (self.known.then_some(self.cursor), cursor),
        );
        debug_assert!(outcome.is_ok(), "writing to memory does not fail");
        self.links = links;
        std::mem::swap(&mut self.shown, &mut self.next);
        mark_halves(&mut self.shown);
        self.cursor = cursor;
        self.known = true;
        Some(bytes)
    }
}

type Cells<'a> = Vec<(u16, u16, &'a Cell)>;

/// Cells to be written once more, for the link they are or were.
fn strokes<'a>(
    next: &'a Buffer,
    cells: &[(u16, u16, &Cell)],
    before: &[Run],
    after: &'a [Run],
) -> Vec<(Option<&'a str>, Cells<'a>)> {
    let drawn = |run: &Run| cells.iter().any(|(x, y, _)| *y == run.y && (run.from..run.to).contains(x));
    let gone = before.iter().filter(|run| !after.contains(run)).map(|run| (None, cells_of(next, run)));
    let fresh = after.iter().filter(|run| !before.contains(run) || drawn(run));
    gone.chain(fresh.map(|run| (Some(run.target.as_str()), cells_of(next, run)))).collect()
}

/// The cells of a run, without the second halves of wide characters.
fn cells_of<'a>(next: &'a Buffer, run: &Run) -> Cells<'a> {
    let mut free = run.from;
    let whole = |x: &u16| {
        let is_free = *x >= free;
        if is_free {
            free = x + u16::try_from(next[(*x, run.y)].symbol().width().max(1)).unwrap_or(1);
        }
        is_free
    };
    (run.from..run.to).filter(whole).map(|x| (x, run.y, &next[(x, run.y)])).collect()
}

/// One frame. The cursor was at the first of `cursors`, `None` if nothing is known of the screen, and goes to the second.
fn encode(
    bytes: &mut Vec<u8>,
    cells: &[(u16, u16, &Cell)],
    strokes: &[(Option<&str>, Cells<'_>)],
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
    for (target, cells) in strokes {
        if let Some(target) = target {
            bytes.extend_from_slice(format!("\x1b]8;;{target}\x1b\\").as_bytes());
        }
        pen.write(bytes, cells, next);
        if target.is_some() {
            bytes.extend_from_slice(b"\x1b]8;;\x1b\\");
        }
    }
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
    fn a_link_is_marked_once_and_taken_back_with_its_text() {
        let run = || vec![Run { y: 0, from: 1, to: 3, target: "https://a.example/".to_owned() }];
        let mut canvas = Canvas::new(20, 3);
        canvas.frame(text("hello", None));
        let marked = canvas.frame_with(text("hello", None), |_| run()).expect("the link is new");
        let marked = String::from_utf8(marked).expect("escape sequences and text");
        assert!(marked.contains("\x1b]8;;https://a.example/\x1b\\\x1b[1;2Hel\x1b]8;;\x1b\\"), "{marked:?}");
        assert_eq!(canvas.frame_with(text("hello", None), |_| run()), None);
        let plain = canvas.frame(text("hello", None)).expect("the link is gone");
        let plain = String::from_utf8(plain).expect("escape sequences and text");
        assert!(plain.contains("el") && !plain.contains("]8;"), "{plain:?}");
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
        clock.set_pause(Duration::from_millis(100));
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
        clock.drawn(ms(50));
        clock.set_pause(Duration::from_secs(5));
        clock.want(Dirty::Background);
        assert_eq!(clock.due(ms(60)), Some(ms(5_050)), "a frugal screen waits");
        clock.want(Dirty::Now);
        assert_eq!(clock.due(ms(60)), Some(ms(60)), "but never with a key");
    }
}
