//! The screen, drawn from the app's state. One file a pane. Reads state, changes none.
//!
//! ```text
//! header    what is simulated, accounts, money, what waits for you
//! compose   the form      jobs + story   the table and the selected job      sidebar   the model
//! footer    the newest notice, the keys
//! ```
//! Over them: help, details, picker, more, palette, confirm, menu, notices, tips.

pub mod compose;
pub mod confirm;
pub mod details;
pub mod footer;
pub mod header;
pub mod headings;
pub mod help;
pub mod jobs;
pub mod menu;
pub mod more;
pub mod notices;
pub mod paint;
pub mod palette;
pub mod picker;
pub mod sidebar;
pub mod story;
pub mod text;
pub mod tips;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::theme::{Glyphs, Role, Styles};
use crate::app::App;
use crate::app::geometry::{Pane, Panes, SMALLEST};
use crate::app::overlay::Overlay;
use crate::domain::money::in_words;
use paint::{put, put_right, rect};

/// Draws the whole screen; returns where the cursor stands, if it is shown.
pub fn render(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    buf.set_style(area, styles.of(Role::Screen));
    let Some(panes) = app.panes() else {
        too_small(styles, area, buf);
        return None;
    };
    header::render(app, styles, rect(panes.header, area), buf);
    tabs(app, styles, &panes, area, buf);
    let mut cursor = None;
    if let Some(span) = panes.compose {
        cursor = compose::render(app, styles, rect(span, area), buf);
    }
    if let Some(span) = panes.jobs {
        cursor = jobs::render(app, styles, rect(span, area), panes.story, buf).or(cursor);
    }
    if let Some(span) = panes.model {
        sidebar::render(app, styles, rect(span, area), buf);
    }
    footer::notice(app, styles, rect(panes.notice, area), buf);
    footer::hints(app, styles, rect(panes.hints, area), buf);
    let over = Rect {
        y: area.y + panes.header.h,
        height: area.height.saturating_sub(panes.header.h + panes.notice.h + panes.hints.h),
        ..area
    };
    for overlay in app.overlays() {
        cursor = match overlay {
            Overlay::Help(scroll) => {
                help::render(app, scroll, styles, over, buf);
                None
            }
            Overlay::Notices(scroll) => {
                notices::render(app, scroll, styles, over, buf);
                None
            }
            Overlay::Detail { id, scroll } => {
                details::render(app, *id, scroll, styles, over, buf);
                None
            }
            Overlay::Ask(ask) => confirm::render(app, ask, styles, over, buf),
            Overlay::Picker(picker) => picker::render(app, picker, styles, over, buf),
            Overlay::More(list) => more::render(app, list, styles, over, buf),
            Overlay::Palette(list) => palette::render(app, list, styles, over, buf),
            Overlay::Menu(context) => {
                menu::render(app, *context, styles, over, buf);
                None
            }
            Overlay::Tips(scroll) => {
                tips::render(app, scroll, styles, over, buf);
                None
            }
        };
    }
    if styles.glyphs == Glyphs::Ascii {
        only_ascii_marks(buf);
    }
    cursor.filter(|at| area.contains(*at))
}

/// Replaces the marks that stand in sentences; what the user wrote stays as it is.
fn only_ascii_marks(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let plain = match cell.symbol() {
            "·" | "•" => "-",
            "…" => "~",
            "×" => "x",
            "Ӿ" => "N",
            _ => continue,
        };
        cell.set_symbol(plain);
    }
}

fn too_small(styles: &Styles, area: Rect, buf: &mut Buffer) {
    let (cols, rows) = SMALLEST;
    let words = format!("rushes needs {cols}x{rows}; this is {}x{}", area.width, area.height);
    let lines = text::wrap(&words, usize::from(area.width));
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        put(buf, (area.x, y), area.right(), &line, styles.of(Role::Text));
    }
}

/// The names of the panes, where only one of them is shown.
fn tabs(app: &App, styles: &Styles, panes: &Panes, area: Rect, buf: &mut Buffer) {
    let Some(span) = panes.tabs else { return };
    let row = rect(span, area);
    if row.height == 0 {
        return;
    }
    let mut x = row.x;
    for tab in app.tabs() {
        x = row.x + tab.from;
        if tab.pane == app.focus() {
            x = put(buf, (x, row.y), row.right(), &format!(" {} ", tab.name), styles.of(Role::Badge));
        } else {
            x = put(buf, (x, row.y), row.right(), &tab.key, styles.of(Role::Accent)) + 1;
            x = put(buf, (x, row.y), row.right(), tab.name, styles.of(Role::Text));
        }
    }
    x += 2;
    if let Some(quote) = app.compose().quote().filter(|_| app.focus() != Pane::Jobs) {
        let total = in_words(&quote.sums, quote.unknown);
        put_right(buf, row.y, x, row.right() - 1, &total, styles.of(Role::Money));
    }
}
