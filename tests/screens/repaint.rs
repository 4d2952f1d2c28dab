//! What a terminal shows after frame upon frame, held against the same frame drawn whole.
//!
//! Knows a terminal as an emulator has it. Must not know what a frame shows.

use std::num::NonZeroU16;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use rushes::tui::frame::Canvas;

/// The frames that went to a terminal, and what it made of them.
pub struct Line {
    canvas: Canvas,
    terminal: vt100::Parser,
}

fn terminal(cols: u16, rows: u16) -> vt100::Parser {
    let size = |n: u16| NonZeroU16::new(n).unwrap();
    vt100::Parser::new(size(rows), size(cols), 0)
}

/// The bytes of a frame that shows this buffer.
fn frame(canvas: &mut Canvas, buffer: &Buffer, cursor: Option<Position>) -> Option<Vec<u8>> {
    canvas.frame(|_, next| {
        next.clone_from(buffer);
        cursor
    })
}

impl Line {
    /// A terminal that shows nothing yet.
    pub fn new(cols: u16, rows: u16) -> Line {
        Line { canvas: Canvas::new(cols, rows), terminal: terminal(cols, rows) }
    }

    /// The terminal has this size now; what was on it stays where it was, as far as there is room.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = |n: u16| NonZeroU16::new(n).unwrap();
        self.terminal.set_size(size(rows), size(cols));
        self.canvas.resize(cols, rows);
    }

    /// The next frame draws every cell.
    pub fn forget(&mut self) {
        self.canvas.forget();
    }

    /// Sends the frame that shows this buffer; its bytes.
    pub fn draw(&mut self, buffer: &Buffer, cursor: Option<Position>) -> usize {
        let bytes = frame(&mut self.canvas, buffer, cursor).unwrap_or_default();
        self.terminal.process(&bytes);
        bytes.len()
    }

    /// Holds what the terminal shows against the buffer drawn whole on a fresh one.
    ///
    /// # Errors
    /// The first cell that differs.
    pub fn compare(&self, buffer: &Buffer, cursor: Option<Position>) -> Result<(), String> {
        let (cols, rows) = (buffer.area.width, buffer.area.height);
        let mut whole = terminal(cols, rows);
        whole.process(&frame(&mut Canvas::new(cols, rows), buffer, cursor).unwrap_or_default());
        let (got, wanted) = (self.terminal.screen(), whole.screen());
        if (got.cursor_position(), got.hide_cursor()) != (wanted.cursor_position(), wanted.hide_cursor())
            && cursor.is_some()
            || got.hide_cursor() != wanted.hide_cursor()
        {
            return Err(format!("the cursor is at {:?}, not {:?}", got.cursor_position(), wanted.cursor_position()));
        }
        for y in 0..rows {
            for x in 0..cols {
                let (Some(got), Some(wanted)) = (got.cell(y, x), wanted.cell(y, x)) else {
                    return Err(format!("there is no cell {x},{y}"));
                };
                if !alike(got, wanted) {
                    return Err(format!("{cols}x{rows}, cell {x},{y}: {got:?} is not {wanted:?}"));
                }
            }
        }
        Ok(())
    }
}

fn alike(got: &vt100::Cell, wanted: &vt100::Cell) -> bool {
    let text = |cell: &vt100::Cell| if cell.has_contents() { cell.contents().to_owned() } else { " ".to_owned() };
    let look = |cell: &vt100::Cell| {
        (cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.dim(), cell.italic(), cell.underline(), cell.inverse())
    };
    got == wanted || (text(got) == text(wanted) && look(got) == look(wanted))
}
