//! The list of models to choose from, with maker, speed and price.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{put, put_right, reading, sheet};
use super::text;
use crate::app::App;
use crate::app::news::News;
use crate::app::picker::Picker;
use crate::domain::message::Offer;
use crate::tui::theme::{Glyphs, Role, Styles};

/// Draws the list; returns the cursor in its query.
pub fn render(app: &App, picker: &Picker, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let found = picker.found().len();
    let area = reading(area, 100, area.height.min(u16::try_from(found + 4).unwrap_or(u16::MAX).max(16)));
    let title = picker.extends().map_or("Choose a model".to_owned(), |job| format!("Go on from {}", job.id));
    let inside = sheet(buf, area, styles, &title, &format!("{found}"));
    if inside.height < 2 {
        return None;
    }
    let query = Rect { height: 1, ..inside };
    let cursor = typed(styles, query, &picker.query, "type a few letters of account, model or maker", true, buf);
    let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let rows = usize::from(list.height);
    let first = (picker.at() + 1).saturating_sub(rows);
    for (i, (y, offer)) in (list.top()..list.bottom()).zip(picker.found().skip(first)).enumerate() {
        let marks = (first + i == picker.at(), picker.is_together(offer));
        line(app, styles, Rect { y, height: 1, ..list }, offer, marks, buf);
    }
    if found == 0 {
        put(buf, (list.x, list.y), list.right(), "no model matches", styles.of(Role::Warn));
    }
    cursor
}

fn line(app: &App, styles: &Styles, area: Rect, offer: &Offer, (selected, together): (bool, bool), buf: &mut Buffer) {
    let y = area.y;
    let picked = if selected { styles.of(Role::Selection) } else { ratatui::style::Style::default() };
    if selected {
        if styles.selection_fills {
            buf.set_style(area, picked);
        }
        let mark = if styles.glyphs == Glyphs::Unicode { "▌" } else { ">" };
        put(buf, (area.x, y), area.right(), mark, styles.of(Role::Accent));
    }
    if together {
        let mark = if styles.glyphs == Glyphs::Unicode { "•" } else { "+" };
        put(buf, (area.x + 1, y), area.right(), mark, styles.of(Role::Accent));
    }
    let model = &offer.model;
    let (price, role) = if model.gone { ("gone".to_owned(), Role::Error) } else { (model.price.text(), Role::Money) };
    let price = text::cut(&price, usize::from(area.width / 3), styles.glyphs);
    let mut end = put_right(buf, y, area.x, area.right(), &price, styles.of(role));
    let news = match app.news(&offer.model_ref()) {
        Some(News::New) => "new ",
        Some(News::PriceMoved) => "price moved ",
        None => "",
    };
    end = put_right(buf, y, area.x, end, news, styles.of(Role::Accent));
    let name = offer.model_ref().to_string();
    let room = usize::from(end.saturating_sub(area.x + 4));
    let name = text::cut(&name, room, styles.glyphs);
    let x = put(buf, (area.x + 2, y), end, &name, styles.of(Role::Text).patch(picked));
    let mut facts = vec![];
    facts.extend(model.maker.clone());
    facts.extend(model.best_for.clone());
    // The facts stand in one column, where the name leaves room for them.
    let column = area.x + 2 + 36;
    let start = if x + 2 > column { x + 2 } else { column };
    let room = usize::from(end.saturating_sub(start + 2));
    if room >= 12 {
        let facts = text::cut(&facts.join(" · "), room, styles.glyphs);
        put(buf, (start, y), end, &facts, styles.of(Role::Dim));
    }
}
