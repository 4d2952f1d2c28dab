//! The list of further fields: what each takes, what is said of it, and where that stands.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{Paper, mark, put, put_right, reading, sheet};
use super::sidebar::takes;
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::more::More;
use crate::domain::Parameter;
use crate::tui::theme::{Role, Styles};

/// Columns of a field's name.
const NAME: u16 = 26;
/// Rows of what is said of the selected field.
const TOLD: u16 = 5;

/// Draws the list; returns the cursor in its query.
pub fn render(app: &App, more: &More, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let found = more.found().len();
    let area = reading(area, 104, area.height.min(u16::try_from(found + 10).unwrap_or(u16::MAX).max(18)));
    let title = app.compose().form().offer().map_or("More fields".to_owned(), |offer| {
        format!("More fields of {}, beyond its own", offer.model.service.title())
    });
    let inside = sheet(buf, area, styles, &title, &found.to_string());
    if inside.height < 3 {
        return None;
    }
    let cursor = typed(styles, Rect { height: 1, ..inside }, more.query(), "type a few letters of a name", true, buf);
    let told = TOLD.min(inside.height.saturating_sub(5));
    let list = Rect { y: inside.y + 1, height: inside.height - 1 - told, ..inside };
    let first = (more.at() + 1).saturating_sub(usize::from(list.height));
    for (i, (y, field)) in (list.top()..list.bottom()).zip(more.found().skip(first)).enumerate() {
        line(styles, Rect { y, height: 1, ..list }, field, (first + i == more.at(), more.is_in_use(field)), buf);
    }
    if found == 0 {
        put(buf, (list.x, list.y), list.right(), "no field matches", styles.of(Role::Warn));
    }
    if let Some(field) = more.selected() {
        let mut paper = Paper::new(inside.width);
        about(app, field, more.is_in_use(field), &mut paper);
        let foot = Rect { y: inside.bottom() - told, height: told, ..inside };
        paper.draw(buf, foot, 0, styles);
    }
    cursor
}

fn line(styles: &Styles, area: Rect, field: &Parameter, (selected, in_use): (bool, bool), buf: &mut Buffer) {
    let y = area.y;
    let words = mark(buf, area, styles, selected, in_use);
    let right = if field.bills { "price unknown then" } else { "" };
    let end = put_right(buf, y, area.x, area.right(), right, styles.of(Role::Warn));
    let room = usize::from(end.saturating_sub(area.x + 3));
    let name = text::cut(&field.name, room, styles.glyphs);
    let x = put(buf, (area.x + 2, y), end, &name, words);
    let start = (x + 2).max(area.x + 2 + NAME);
    let room = usize::from(end.saturating_sub(start + 2));
    if room >= 8 {
        put(buf, (start, y), end, &text::cut(&takes(field), room, styles.glyphs), styles.of(Role::Dim));
    }
}

/// What is said of a field, and what Enter does with it.
fn about(app: &App, field: &Parameter, in_use: bool, paper: &mut Paper) {
    paper.say(Role::Text, &format!("{}: {}", field.name, takes(field)));
    let source = field.source.as_ref().map(|source| super::sidebar::seed(source));
    let said: Vec<String> = field.note.clone().into_iter().chain(source).collect();
    if !said.is_empty() {
        paper.say(Role::Dim, &said.join(" · "));
    }
    if field.bills {
        paper.say(Role::Warn, "It may change what is charged: the price is unknown then, and a ceiling is asked for.");
    }
    let key = |action| app.keymap().shown(action, Context::More).map(|key| key.to_string()).unwrap_or_default();
    let (accept, remove) = (key(Action::Accept), key(Action::RemoveField));
    let (does, out) = if in_use { (" goes to it   ", " takes it out") } else { (" adds it to the form", "") };
    let remove = if in_use { remove } else { String::new() };
    paper.line(&[(&accept, Role::Accent), (does, Role::Dim), (&remove, Role::Accent), (out, Role::Dim)]);
}
