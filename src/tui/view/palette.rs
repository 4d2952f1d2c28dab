//! The palette: what was typed, and everything that it may mean.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{mark, put, put_right, reading, sheet};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::palette::{Choice, Palette, Target};
use crate::tui::theme::{Role, Styles};

/// Columns of a name, where what is said of it stands beside it.
const NAME: u16 = 28;

/// Draws the palette; returns the cursor in its query.
pub fn render(app: &App, palette: &Palette, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let found = palette.found().len();
    let area = reading(area, 100, area.height.min(24));
    let inside = sheet(buf, area, styles, "Commands", &found.to_string());
    if inside.height < 2 {
        return None;
    }
    let query = Rect { height: 1, ..inside };
    let cursor = typed(styles, query, palette.query(), "a few letters of an action, a model, a job", true, buf);
    let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let first = (palette.at() + 1).saturating_sub(usize::from(list.height));
    for (i, (y, choice)) in (list.top()..list.bottom()).zip(palette.found().skip(first)).enumerate() {
        line(app, styles, Rect { y, height: 1, ..list }, choice, first + i == palette.at(), buf);
    }
    if found == 0 {
        put(buf, (list.x, list.y), list.right(), "nothing matches", styles.of(Role::Warn));
    }
    cursor
}

/// The keys that do it; what stands in a menu is reached by the menu's key first.
fn keys(app: &App, action: Action) -> String {
    let first = |action| app.keymap().keys(action).first().map(ToString::to_string).unwrap_or_default();
    let menu = action.entry().contexts.iter().find_map(|context| match context {
        Context::Views => Some(Action::ViewMenu),
        Context::Sorting => Some(Action::SortMenu),
        Context::Copying => Some(Action::CopyMenu),
        _ => None,
    });
    menu.map_or_else(|| first(action), |menu| format!("{} {}", first(menu), first(action)))
}

fn line(app: &App, styles: &Styles, area: Rect, choice: &Choice, selected: bool, buf: &mut Buffer) {
    let y = area.y;
    let words = mark(buf, area, styles, selected, false);
    let right = match &choice.target {
        Target::Action(action) => keys(app, *action),
        Target::Model(_) => "model".to_owned(),
        Target::Job(_) => "job".to_owned(),
        Target::View(_) => "view".to_owned(),
    };
    let role = if matches!(choice.target, Target::Action(_)) { Role::Accent } else { Role::Dim };
    let end = put_right(buf, y, area.x, area.right(), &right, styles.of(role));
    let room = usize::from(end.saturating_sub(area.x + 3));
    let x = put(buf, (area.x + 2, y), end, &text::cut(&choice.name, room, styles.glyphs), words);
    let start = (x + 2).max(area.x + 2 + NAME);
    let room = usize::from(end.saturating_sub(start + 2));
    if room >= 12 {
        put(buf, (start, y), end, &text::cut(&text::tame(&choice.about), room, styles.glyphs), styles.of(Role::Dim));
    }
}
