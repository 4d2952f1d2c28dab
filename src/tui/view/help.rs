//! Every key, made from the one list of actions and the keymap as it is: first those of the pane one comes from,
//! with a word each on one page, then all with a sentence each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, more, reading, sheet};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context, entries_of};
use crate::app::geometry::Pane;
use crate::app::overlay::Scroll;
use crate::tui::theme::{Role, Styles};

/// Fewest blanks between two columns.
const GAP: usize = 2;

/// Everybody knows how to move.
const MOVES: [Action; 6] = [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::First, Action::Last];

/// Draws the help.
pub fn render(app: &App, scroll: &Scroll, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let area = reading(area, 92, area.height);
    let inside = sheet(buf, area, styles, "Help", concat!("rushes ", env!("CARGO_PKG_VERSION")));
    let mut paper = Paper::new(inside.width);
    let here = match app.focus() {
        Pane::Jobs => Context::Jobs,
        Pane::Compose => Context::Compose,
        Pane::Model => Context::Model,
    };
    for context in [here, Context::Everywhere] {
        page(app, context, here, &mut paper);
    }
    paper.blank().say(Role::Accent, "The table");
    for (word, help) in [
        ("queue held", "Queued, waits for its turn; held, waits for you or a setting."),
        ("send run late", "Being ordered; running at the service; running longer than it should."),
        ("fetch done", "Being downloaded; done: every file is on disk and checked."),
        ("fail cancel", "Failed, makes no clip; cancelled before it was sent, not charged."),
        ("lost?", "Unconfirmed: the order may or may not have been taken. It is never bought twice by itself."),
        ("~1:20 +0:40 2:10", "About so long left; so much longer than usual; sent so long ago, or took so long."),
        ("~5.00", "What it should cost; without ~ what it did cost. `plan` is one run of a plan."),
    ] {
        paper.pair(word, 18, Role::Text, help);
    }
    for context in Context::ALL {
        paper.blank().say(Role::Accent, context.heading());
        for entry in entries_of(context) {
            let keys: Vec<String> = app
                .keymap()
                .keys(entry.action)
                .iter()
                .filter(|key| !(context.takes_text() && key.typed().is_some()))
                .map(ToString::to_string)
                .collect();
            paper.key(&keys.join(" "), 18, entry.help);
        }
        if context == Context::Compose {
            paper.key("Ctrl-A Ctrl-E", 18, "Go to the line's start, or its end.");
            paper.key("Ctrl-W Ctrl-U", 18, "Delete the word, or the line, before the cursor; Ctrl-K what is after it.");
            paper.key("Ctrl-Left Alt-b", 18, "Go a word back; Ctrl-Right or Alt-f a word on.");
        }
    }
    let first = scroll.fit(paper.rows(), usize::from(inside.height));
    paper.draw(buf, inside, first, styles);
    let key = app.keymap().shown(Action::Down, Context::Reading).map(|key| key.to_string()).unwrap_or_default();
    more(buf, area, styles, &key, paper.rows().saturating_sub(first + usize::from(inside.height)));
}

/// A context's keys in columns with a word each, as they are pressed in the pane `here`.
fn page(app: &App, context: Context, here: Context, paper: &mut Paper) {
    paper.blank().say(Role::Strong, context.title());
    let cells: Vec<(String, &str)> = entries_of(context)
        .filter(|entry| !MOVES.contains(&entry.action))
        .filter_map(|entry| Some((app.keymap().shown(entry.action, here)?.to_string(), entry.short)))
        .collect();
    // The room for a column's keys, and for all of it.
    let widest = |cells: &[(String, &str)]| -> (usize, usize) {
        let keys = cells.iter().map(|(key, _)| text::width(key)).max().unwrap_or(0);
        let words = cells.iter().map(|(_, word)| text::width(word)).max().unwrap_or(0);
        (keys, keys + 1 + words)
    };
    // As many columns as fit, each as wide as it needs.
    let fits = |rows: &usize| {
        let widths = cells.chunks((*rows).max(1)).map(|column| widest(column).1 + GAP);
        widths.sum::<usize>() <= paper.width() + GAP
    };
    let rows = (1..=cells.len()).find(fits).unwrap_or(cells.len()).max(1);
    let columns: Vec<&[(String, &str)]> = cells.chunks(rows).collect();
    let spare = columns.iter().map(|column| widest(column).1).sum::<usize>();
    let gap = paper.width().saturating_sub(spare) / columns.len().saturating_sub(1).max(1);
    for row in 0..rows {
        let mut line: Vec<(String, Role)> = Vec::new();
        for column in &columns {
            let Some((key, word)) = column.get(row) else { continue };
            let (keys, all) = widest(column);
            line.push((format!("{key:keys$} "), Role::Accent));
            line.push((format!("{word:rest$}", rest = all.saturating_sub(keys + 1) + gap), Role::Text));
        }
        let pieces: Vec<(&str, Role)> = line.iter().map(|(words, role)| (words.as_str(), *role)).collect();
        paper.line(&pieces);
    }
}
