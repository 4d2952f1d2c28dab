//! Takes a picture of the dashboard as it really is: runs it on a terminal of its own, plays keys, writes an SVG.
//!
//! ```text
//! cargo run --example picture -- 120x40 docs/dashboard.svg "text<Tab><wait:done><C-s>" [-- program args...]
//! ```
//!
//! Keys are letters and names in angle brackets as in the terminal tests, and `<wait:TEXT>`, `<gone:TEXT>`,
//! `<still>`. Without a program it is the `rushes` built beside this example, with an empty data directory and the
//! simulated services. Variables named `PICTURE_X` are handed over as `X`.

#![allow(clippy::print_stderr, reason = "it tells its user what it drew")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

#[path = "../tests/terminal/pty.rs"]
#[allow(dead_code, reason = "the terminal tests use the rest")]
mod pty;

use pty::{Pty, Spawn};

/// A cell in the picture, in pixels: DejaVu Sans Mono at 14.
const CELL: (f64, f64) = (8.43, 17.0);
const FONT: &str = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace";
const EDGE: f64 = 12.0;
const PAPER: &str = "#14161d";
const INK: &str = "#d4d7e0";
/// The terminal's own 16 colours.
const PALETTE: [&str; 16] = [
    "#20242e", "#f07078", "#7ed392", "#f0be64", "#7eb0ff", "#c792ea", "#6ec8dc", "#c4c8d4", "#5c6478", "#ff8b92",
    "#a5e8b3", "#ffd58a", "#a5c8ff", "#ddb3ff", "#93e0f0", "#ffffff",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (ours, program) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (&arguments[..], &[][..]),
    };
    let [size, file, keys @ ..] = ours else {
        return Err("usage: picture COLSxROWS FILE.svg [KEYS] [-- program args...]".into());
    };
    let (cols, rows) = size.split_once('x').ok_or("the size is COLSxROWS")?;

    let scratch = tempfile::tempdir()?;
    let beside = std::env::current_exe()?.ancestors().nth(2).map(|dir| dir.join("rushes")).unwrap_or_default();
    let program: Vec<String> =
        if program.is_empty() { vec![beside.to_string_lossy().into_owned()] } else { program.to_vec() };
    let arguments: Vec<&str> = program[1..].iter().map(String::as_str).collect();
    let mut spawn = Spawn::new(&program[0], cols.parse()?, rows.parse()?)
        .args(&arguments)
        .cwd(scratch.path())
        .env("HOME", scratch.path())
        .env("COLORTERM", "truecolor")
        .env("XDG_CONFIG_HOME", scratch.path().join("config"))
        .env("XDG_DATA_HOME", scratch.path().join("data"));
    for (name, value) in
        std::env::vars().filter_map(|(name, value)| Some((name.strip_prefix("PICTURE_")?.to_owned(), value)))
    {
        spawn = spawn.env(&name, value);
    }
    let mut terminal = spawn.start();
    // Before the first output the line is not raw yet, and Ctrl-S would stop it.
    terminal.wait_written(0, "");
    still(&terminal);
    for keys in keys {
        play(&mut terminal, keys);
    }
    still(&terminal);
    let svg = terminal.with_screen(draw);
    let file = PathBuf::from(file);
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(&file, &svg)?;
    eprintln!("{}\n{}: {} bytes", terminal.screen(), file.display(), svg.len());
    Ok(())
}

fn still(terminal: &Pty) {
    terminal.settle(Duration::from_millis(250));
}

fn play(terminal: &mut Pty, keys: &str) {
    let mut rest = keys;
    while !rest.is_empty() {
        let end = if rest.starts_with('<') {
            rest.find('>').map_or(rest.len(), |at| at + 1)
        } else {
            rest.find('<').unwrap_or(rest.len())
        };
        let (now, later) = rest.split_at(end);
        rest = later;
        match now.trim_matches(['<', '>']).split_once(':') {
            Some(("wait", text)) if now.starts_with('<') => terminal.wait_for(text),
            Some(("gone", text)) if now.starts_with('<') => terminal.wait_gone(text),
            _ if now == "<still>" => still(terminal),
            _ => {
                terminal.keys(now);
                // A key that opens something must be seen before the next one is pressed.
                if now.starts_with('<') {
                    terminal.settle(Duration::from_millis(60));
                }
            }
        }
    }
}

/// How a cell looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

fn look(cell: &vt100::Cell) -> Look {
    let (mut ink, mut paper) = (colour(cell.fgcolor(), cell.bold()), colour(cell.bgcolor(), false));
    if cell.inverse() {
        (ink, paper) = (Some(paper.unwrap_or_else(|| PAPER.into())), Some(ink.unwrap_or_else(|| INK.into())));
    }
    Look {
        ink: ink.unwrap_or_else(|| INK.into()),
        paper,
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
    }
}

fn colour(colour: vt100::Color, bold: bool) -> Option<String> {
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        // As most terminals do: bold text in one of the first eight colours is the brighter one.
        vt100::Color::Idx(n @ 0..=7) if bold => Some(PALETTE[usize::from(n) + 8].to_owned()),
        vt100::Color::Idx(n @ 0..=15) => Some(PALETTE[usize::from(n)].to_owned()),
        vt100::Color::Idx(n @ 16..=231) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = n - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6)))
        }
        vt100::Color::Idx(n) => {
            let grey = 8 + 10 * (n - 232);
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
    }
}

fn draw(screen: &vt100::Screen) -> String {
    let (rows, cols) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (f64::from(cols) * CELL.0 + 2.0 * EDGE, f64::from(rows) * CELL.1 + 2.0 * EDGE);
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONT}\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{PAPER}\"/>\n"
    );
    for row in 0..rows {
        papers(&mut svg, screen, row, cols);
        let mut col = 0;
        while col < cols {
            let Some(cell) = screen.cell(row, col) else { break };
            let look = look(cell);
            let start = col;
            let mut text = String::new();
            while let Some(cell) = screen.cell(row, col).filter(|_| col < cols) {
                if cell.is_wide_continuation() {
                    col += 1;
                    continue;
                }
                if self::look(cell) != look {
                    break;
                }
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                col += 1;
            }
            run(&mut svg, row, start, &text, &look);
        }
    }
    if !screen.hide_cursor() {
        let (row, col) = screen.cursor_position();
        let (x, y) = (EDGE + f64::from(col) * CELL.0, EDGE + f64::from(row) * CELL.1);
        let _ = writeln!(svg, "<rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"2\" height=\"{}\" fill=\"{INK}\"/>", CELL.1);
    }
    svg.push_str("</svg>\n");
    svg
}

/// What lies under the text of a row, as few rectangles.
fn papers(svg: &mut String, screen: &vt100::Screen, row: u16, cols: u16) {
    let paper = |col: u16| screen.cell(row, col).and_then(|cell| look(cell).paper);
    let mut col = 0;
    while col < cols {
        let (start, here) = (col, paper(col));
        while col < cols && paper(col) == here {
            col += 1;
        }
        if let Some(here) = here {
            let (x, y) = (EDGE + f64::from(start) * CELL.0, EDGE + f64::from(row) * CELL.1);
            let width = f64::from(col - start) * CELL.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"{width:.2}\" height=\"{}\" fill=\"{here}\"/>",
                CELL.1
            );
        }
    }
}

/// One stretch of cells that look alike.
fn run(svg: &mut String, row: u16, start: u16, text: &str, look: &Look) {
    let (x, y) = (EDGE + f64::from(start) * CELL.0, EDGE + f64::from(row) * CELL.1);
    let opacity = if look.dim { " opacity=\"0.62\"" } else { "" };
    // Lines and blocks are drawn, not written: they meet in any font. The rest is text, word by word, in its columns.
    let mut shapes: Option<(String, String)> = None;
    let mut words: Vec<(u16, String)> = Vec::new();
    let mut at = 0;
    let mut after_blank = true;
    for c in text.chars() {
        let columns = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) as u16;
        let corner = (x + f64::from(at) * CELL.0, y);
        if let Some(shape) = shape(c, corner) {
            let paint = shape.paint(&look.ink);
            match &mut shapes {
                Some((path, same)) if *same == paint => path.push_str(&shape.path),
                _ => {
                    if let Some((path, paint)) = shapes.replace((shape.path, paint)) {
                        let _ = writeln!(svg, "<path d=\"{path}\" {paint}{opacity}/>");
                    }
                }
            }
            after_blank = true;
        } else if c == ' ' {
            after_blank = true;
        } else if columns == 0 {
            if let Some((_, word)) = words.last_mut() {
                word.push(c);
            }
        } else {
            if after_blank {
                words.push((at, String::new()));
            }
            if let Some((_, word)) = words.last_mut() {
                word.push(c);
            }
            after_blank = columns != 1;
        }
        at += columns;
    }
    if let Some((path, paint)) = shapes {
        let _ = writeln!(svg, "<path d=\"{path}\" {paint}{opacity}/>");
    }
    for (at, word) in words {
        let columns = unicode_width::UnicodeWidthStr::width(word.as_str()) as f64;
        let style = [
            (look.bold, " font-weight=\"bold\""),
            (look.italic, " font-style=\"italic\""),
            (look.underline, " text-decoration=\"underline\""),
        ];
        let style: String = style.iter().filter(|(on, _)| *on).map(|(_, text)| *text).collect();
        let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            svg,
            "<text x=\"{:.2}\" y=\"{:.1}\" textLength=\"{:.2}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{style}{opacity}>{word}</text>",
            x + f64::from(at) * CELL.0,
            y + 13.0,
            columns * CELL.0,
            look.ink,
        );
    }
}

struct Shape {
    path: String,
    line: bool,
    faint: f64,
}

impl Shape {
    fn paint(&self, ink: &str) -> String {
        if self.line {
            format!("fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.2\"")
        } else if self.faint < 1.0 {
            format!("fill=\"{ink}\" fill-opacity=\"{}\"", self.faint)
        } else {
            format!("fill=\"{ink}\"")
        }
    }
}

/// Box-drawing characters and blocks as outlines.
fn shape(c: char, (x, y): (f64, f64)) -> Option<Shape> {
    let (w, h) = CELL;
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    let block = |x: f64, y: f64, w: f64, h: f64, faint: f64| Shape {
        path: format!("M{x:.2} {y:.2}h{w:.2}v{h:.2}h{:.2}z", -w),
        line: false,
        faint,
    };
    let eighths = |first: char| f64::from(c as u32 - first as u32 + 1) / 8.0;
    // Arms to the left, right, up and down.
    let arms = match c {
        '─' => "lr",
        '│' => "ud",
        '┌' => "rd",
        '┐' => "ld",
        '└' => "ru",
        '┘' => "lu",
        '├' => "rud",
        '┤' => "lud",
        '┬' => "lrd",
        '┴' => "lru",
        '┼' => "lrud",
        '╴' => "l",
        '╶' => "r",
        '╵' => "u",
        '╷' => "d",
        '╭' | '╮' | '╰' | '╯' => {
            let (side, end) =
                (if matches!(c, '╭' | '╰') { x + w } else { x }, if matches!(c, '╭' | '╮') { y + h } else { y });
            let path = format!("M{side:.2} {cy:.2}Q{cx:.2} {cy:.2} {cx:.2} {end:.2}");
            return Some(Shape { path, line: true, faint: 1.0 });
        }
        '━' => return Some(block(x, cy - 1.5, w, 3.0, 1.0)),
        '█' => return Some(block(x, y, w, h, 1.0)),
        '░' => return Some(block(x, y, w, h, 0.25)),
        '▒' => return Some(block(x, y, w, h, 0.5)),
        '▓' => return Some(block(x, y, w, h, 0.75)),
        '▀' => return Some(block(x, y, w, h / 2.0, 1.0)),
        '▐' => return Some(block(cx, y, w / 2.0, h, 1.0)),
        '▁'..='▇' => return Some(block(x, y + h * (1.0 - eighths('▁')), w, h * eighths('▁'), 1.0)),
        '▉'..='▏' => return Some(block(x, y, w * (1.0 - eighths('▉')), h, 1.0)),
        _ => return None,
    };
    let path = arms
        .chars()
        .map(|arm| match arm {
            'l' => format!("M{cx:.2} {cy:.2}H{x:.2}"),
            'r' => format!("M{cx:.2} {cy:.2}H{:.2}", x + w),
            'u' => format!("M{cx:.2} {cy:.2}V{y:.2}"),
            _ => format!("M{cx:.2} {cy:.2}V{:.2}", y + h),
        })
        .collect();
    Some(Shape { path, line: true, faint: 1.0 })
}
