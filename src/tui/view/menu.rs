//! A short list of what the next key does: views, columns to sort by, parts of a job to copy.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, sheet};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context, entries_of};
use crate::tui::theme::Styles;

/// Draws the menu at the foot of `area`, so that the table above it is still seen.
pub fn render(app: &App, context: Context, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let keys = |action: Action| app.keymap().keys(action).first().map(ToString::to_string).unwrap_or_default();
    let width = area.width.min(76);
    let mut paper = Paper::new(width.saturating_sub(4));
    for entry in entries_of(context).filter(|entry| !matches!(entry.action, Action::Close | Action::OwnView)) {
        let help = match entry.action {
            Action::ViewAttention => {
                let n = app.jobs().counts().needy();
                format!("{} Now {n}.", entry.help)
            }
            _ => entry.help.to_owned(),
        };
        paper.key(&keys(entry.action), 4, &help);
    }
    if context == Context::Views {
        let digits = app.keymap().keys(Action::OwnView);
        for (view, key) in app.views().iter().zip(digits) {
            let words = format!("{}: {}", view.name, view.text);
            let words = text::cut(&words, paper.width().saturating_sub(4), styles.glyphs);
            paper.key(&key.to_string(), 4, &words);
        }
    }
    let rows = u16::try_from(paper.rows()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let place = Rect { x, y: area.bottom() - rows, width, height: rows };
    let inside = sheet(buf, place, styles, context.title(), &format!("{} closes", keys(Action::Close)));
    paper.draw(buf, inside, 0, styles);
}
