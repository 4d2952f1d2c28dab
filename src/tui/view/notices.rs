//! All notices of this session, newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::footer::level_mark;
use super::paint::{Paper, more, reading, sheet};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::overlay::Scroll;
use crate::domain::Money;
use crate::domain::message::Level;
use crate::tui::theme::{Role, Styles};

/// Draws the notices.
pub fn render(app: &App, scroll: &Scroll, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let wanted = reading(area, 100, area.height);
    let mut paper = Paper::new(wanted.width.saturating_sub(4));
    for account in app.accounts() {
        if let Some(pause) = &account.pause {
            let until = pause.until.map(|at| format!(" until {}", text::time(at, app.now(), app.time_zone(), false)));
            let words = format!("is paused{}: {}", until.unwrap_or_default(), pause.message);
            paper.pair(&account.name, text::width(&account.name) + 1, Role::Error, &words);
        }
        if let Some(trouble) = &account.trouble {
            paper.pair(&account.name, text::width(&account.name) + 1, Role::Warn, trouble);
        }
    }
    let classify = app.keymap().shown(Action::Classify, Context::Reading).map_or(String::new(), |key| key.to_string());
    for difference in &app.spend().differences {
        let (id, account, money) = (difference.id, &difference.account, difference.money);
        let at = text::time(difference.at, app.now(), app.time_zone(), true);
        let way = if money.amount.is_sign_negative() { "gone from" } else { "came to" };
        let money = Money::new(money.amount.abs(), money.currency);
        let words = format!(
            "{money} {way} {account}, found {at}, and nothing here explains it; `rushes books --around {id}` shows what happened, {classify} or `rushes books classify {id}` says what it was"
        );
        paper.pair(&id.to_string(), text::width(&id.to_string()) + 1, Role::Error, &words);
    }
    paper.blank();
    if app.notices().all().len() == 0 {
        paper.say(Role::Dim, "Nothing was said yet.");
    }
    for notice in app.notices().all() {
        let (role, mark) = level_mark(notice.level, styles.glyphs);
        let at = format!("{mark} {}", text::time(notice.at, app.now(), app.time_zone(), true));
        let role = if notice.level == Level::Info { Role::Text } else { role };
        paper.pair(&at, 12, role, &notice.text);
    }
    let rows = u16::try_from(paper.rows() + 2).unwrap_or(u16::MAX).max(8);
    let area = reading(area, 100, rows);
    let inside = sheet(buf, area, styles, "Notices", &app.notices().all().len().to_string());
    let first = scroll.fit(paper.rows(), usize::from(inside.height));
    paper.draw(buf, inside, first, styles);
    let key = app.keymap().shown(Action::Down, Context::Reading).map(|key| key.to_string()).unwrap_or_default();
    more(buf, area, styles, &key, paper.rows().saturating_sub(first + usize::from(inside.height)));
}
