//! The list of models to choose from, with maker, speed and price.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{mark, put, put_right, reading, sheet};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::compose::Says;
use crate::app::news::News;
use crate::app::picker::{Order, Picker};
use crate::domain::message::Offer;
use crate::tui::theme::{Role, Styles};

/// Draws the list; returns the cursor in its query.
pub fn render(app: &App, picker: &Picker, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let found = picker.found().len();
    let area = reading(area, 100, area.height.min(u16::try_from(found + 4).unwrap_or(u16::MAX).max(16)));
    let title = picker.extends().map_or("Choose a model".to_owned(), |job| format!("Go on from {}", job.id));
    let key = app.keymap().shown(Action::Reorder, Context::Picker).map(|key| key.to_string()).unwrap_or_default();
    let order = if picker.says_anything() {
        format!("by {} ({key}) · {found}", picker.order().word())
    } else {
        found.to_string()
    };
    let order = match picker.marked() {
        0 => order,
        n => format!("{n} marked · {order}"),
    };
    let inside = sheet(buf, area, styles, &title, &order);
    if inside.height < 2 {
        return None;
    }
    let query = Rect { height: 1, ..inside };
    let cursor = typed(styles, query, picker.query(), "type a few letters of account, model or maker", true, buf);
    let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let rows = usize::from(list.height);
    let first = (picker.at() + 1).saturating_sub(rows);
    for (i, (y, (offer, says))) in (list.top()..list.bottom()).zip(picker.found().skip(first)).enumerate() {
        let marks = (first + i == picker.at(), picker.is_together(offer));
        line(app, styles, Rect { y, height: 1, ..list }, (offer, says, picker.order()), marks, buf);
    }
    if found == 0 {
        put(buf, (list.x, list.y), list.right(), "no model matches", styles.of(Role::Warn));
    }
    cursor
}

fn line(
    app: &App,
    styles: &Styles,
    area: Rect,
    (offer, says, order): (&Offer, Option<&Says>, Order),
    (selected, together): (bool, bool),
    buf: &mut Buffer,
) {
    let y = area.y;
    let words = mark(buf, area, styles, selected, together);
    let model = &offer.model;
    let (price, role) =
        if model.gone { ("gone".to_owned(), Role::Error) } else { (told(app, offer, says, order), Role::Money) };
    let price = text::cut(&price, usize::from(area.width / 3), styles.glyphs);
    let mut end = put_right(buf, y, area.x, area.right(), &price, styles.of(role));
    let news = match app.news(&offer.model_ref()) {
        Some(News::New) => "new ",
        Some(News::PriceMoved) => "price moved: ",
        None => "",
    };
    end = put_right(buf, y, area.x, end, news, styles.of(Role::Accent));
    let name = offer.model_ref().to_string();
    let room = usize::from(end.saturating_sub(area.x + 4));
    let name = text::cut(&name, room, styles.glyphs);
    let x = put(buf, (area.x + 2, y), end, &name, words);
    let problem = says.and_then(|says| says.problem.as_deref());
    let facts = match problem {
        Some(problem) => format!("not with this form: {problem}"),
        None => {
            let facts = [&model.maker, &model.best_for].into_iter().flatten();
            facts.map(String::as_str).collect::<Vec<_>>().join(" · ")
        }
    };
    // The facts stand in one column, where the name leaves room for them.
    let column = area.x + 2 + 36;
    let start = if x + 2 > column { x + 2 } else { column };
    let room = usize::from(end.saturating_sub(start + 2));
    if room >= 12 {
        let role = if problem.is_some() { Role::Warn } else { Role::Dim };
        put(buf, (start, y), end, &text::cut(&facts, room, styles.glyphs), styles.of(role));
    }
}

/// What stands at the right: the price, or what the list is sorted by.
fn told(app: &App, offer: &Offer, says: Option<&Says>, order: Order) -> String {
    let time = app.timing(&offer.model_ref()).filter(|_| order == Order::Speed);
    let price = says.and_then(|says| says.price).filter(|_| order == Order::Price);
    match (time, price) {
        (Some(timing), _) => {
            let quoted = if timing.clips == 0 { " quoted" } else { "" };
            format!("~{}{quoted}", text::duration(i64::from(timing.p50_s)))
        }
        (None, Some(price)) => format!("{price} for this form"),
        (None, None) => offer.model.price.text(),
    }
}
