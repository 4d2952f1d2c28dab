//! A question, with all there is to know before the answer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{Paper, middle, put, sheet};
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::overlay::{Ask, Need};
use crate::tui::theme::{Role, Styles};

/// Draws the question; returns the cursor where an answer is typed.
pub fn render(app: &App, ask: &Ask, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let width = area.width.min(72);
    let mut paper = Paper::new(width.saturating_sub(4));
    for (i, line) in ask.lines.iter().enumerate() {
        let role = if ask.grave && i > 0 { Role::Error } else { Role::Text };
        paper.say(role, line);
    }
    if let Some(switch) = &ask.switch {
        let key = app.keymap().shown(Action::OnlyNeeded, Context::Ask).map(|key| key.to_string()).unwrap_or_default();
        let mark = if switch.on { "[x]" } else { "[ ]" };
        paper.blank().pair(mark, 4, if switch.on { Role::Strong } else { Role::Text }, &switch.words);
        paper.pair("", 4, Role::Dim, &format!("{key} chooses it or not; services advise it after a refused field"));
    }
    paper.blank();
    let rows = u16::try_from(paper.rows()).unwrap_or(u16::MAX).saturating_add(3 + u16::from(ask.is_typed()));
    let inside = sheet(buf, middle(area, width, rows), styles, &ask.title, "");
    paper.draw(buf, inside, 0, styles);
    let y = inside.bottom().saturating_sub(1);
    let key = |action: Action| app.keymap().shown(action, Context::Ask).map(|key| key.to_string()).unwrap_or_default();
    let (yes, no) = (key(Action::Accept), key(Action::Close));
    let (prompt, hint) = match ask.need {
        Need::Yes => ("".to_owned(), format!("{yes} or y: yes   {no} or n: no")),
        Need::Word(word) => ("> ".to_owned(), format!("type `{word}`, then {yes}: yes   {no}: no")),
        Need::Id => ("id ".to_owned(), format!("{yes}: adopt   {no}: leave it")),
        Need::Class => ("> ".to_owned(), format!("{yes}: say so   {no}: leave it")),
        Need::Tags => ("tags ".to_owned(), format!("{yes}: yes   {no}: no")),
        Need::Amount => ("at most $ ".to_owned(), format!("{yes}: yes   {no}: no")),
    };
    put(buf, (inside.x, y), inside.right(), &hint, styles.of(Role::Dim));
    if !ask.is_typed() || inside.height < 2 {
        return None;
    }
    let x = put(buf, (inside.x, y - 1), inside.right(), &prompt, styles.of(Role::Accent));
    let field = Rect { x, y: y - 1, width: inside.right().saturating_sub(x), height: 1 };
    typed(styles, field, &ask.answer, "", true, buf)
}
