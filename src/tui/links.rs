//! Which cells of a screen are a link, and where it leads, so that a terminal can open it (OSC 8).
//!
//! Knows how a text that was wrapped is found again on the screen. Must not know which pane shows it.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;
use url::Url;

/// Fewest bytes of a text's first line by which it is known again.
const SHORTEST: usize = 8;

/// Cells of one row that lead to one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The row.
    pub y: u16,
    /// The first column.
    pub from: u16,
    /// The column behind the last.
    pub to: u16,
    /// Where it leads; printable ASCII.
    pub target: String,
}

/// Where a text leads: an http link, or the absolute path of a file on this machine.
fn target(text: &str, host: &str) -> Option<String> {
    if text.starts_with('/') {
        let url: String = Url::from_file_path(text).ok()?.into();
        // Over SSH the terminal is elsewhere: the name tells it that the file is not its own.
        return Some(url.replacen("file://", &format!("file://{host}"), 1));
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.into())
}

/// Finds these texts on the screen of the machine `host`, also where they go on in the next rows at the same column.
pub fn find(buffer: &Buffer, texts: &[String], host: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    for text in texts {
        let Some(target) = target(text, host).filter(|target| target.bytes().all(|b| b.is_ascii_graphic())) else {
            continue;
        };
        let area = buffer.area;
        let starts = area.positions().filter(|at| {
            let symbol = buffer[*at].symbol();
            text.starts_with(symbol) && symbol != " " && (at.x == 0 || buffer[(at.x - 1, at.y)].symbol() == " ")
        });
        for start in starts {
            let (mut rest, mut y) = (text.as_str(), start.y);
            let mut found = Vec::new();
            while !rest.is_empty() && y < area.bottom() {
                let (left, to) = follow(buffer, start.x, y, rest);
                if left.len() == rest.len() {
                    break;
                }
                found.push(Run { y, from: start.x, to, target: target.clone() });
                (rest, y) = (left, y + 1);
            }
            if rest.is_empty() || text.len() - rest.len() >= SHORTEST {
                runs.append(&mut found);
                break;
            }
        }
    }
    runs
}

/// How far a row shows `text` from a cell on: what is left of it, and the column behind.
fn follow<'a>(buffer: &Buffer, mut x: u16, y: u16, text: &'a str) -> (&'a str, u16) {
    let mut rest = text;
    while x < buffer.area.right() {
        let symbol = buffer[(x, y)].symbol();
        match rest.strip_prefix(symbol) {
            Some(left) if !rest.is_empty() => rest = left,
            _ => break,
        }
        x += u16::try_from(symbol.width().max(1)).unwrap_or(1);
    }
    (rest, x.min(buffer.area.right()))
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn a_wrapped_link_is_found_whole_and_leads_to_one_place() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 4));
        let link = "https://cdn.example/clips/a%20b.mp4?sig=1";
        buffer.set_string(6, 1, &link[..20], Style::new());
        buffer.set_string(6, 2, &link[20..], Style::new());
        let runs = find(&buffer, &[link.to_owned(), "/nowhere/to/be.seen".to_owned()], "box");
        let places: Vec<(u16, u16, u16)> = runs.iter().map(|run| (run.y, run.from, run.to)).collect();
        assert_eq!(places, [(1, 6, 26), (2, 6, 27)]);
        assert!(runs.iter().all(|run| run.target == link));
    }

    #[test]
    fn only_web_links_and_files_lead_anywhere_and_nothing_steers_the_terminal() {
        for text in ["javascript:alert(1)", "file:///etc/passwd", "relative/path", "\u{1b}]8;;x"] {
            assert_eq!(target(text, "box"), None, "{text}");
        }
        let clip = target("/clips/a boat 霓虹.mp4", "box").unwrap();
        assert_eq!(clip, "file://box/clips/a%20boat%20%E9%9C%93%E8%99%B9.mp4");
        assert!(!target("https://a.example/\u{1b}\\x", "box").unwrap().contains('\u{1b}'));
    }
}
