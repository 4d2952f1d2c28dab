//! A question, with all there is to know before the answer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::compose::typed;
use super::paint::{Paper, middle, put, sheet};
use super::text;
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
    paper.blank();
    let rows = u16::try_from(paper.rows()).unwrap_or(u16::MAX).saturating_add(3);
    let inside = sheet(buf, middle(area, width, rows), styles, &ask.title, "");
    paper.draw(buf, inside, 0, styles);
    let y = inside.bottom().saturating_sub(1);
    let key = |action: Action, context: Context| {
        app.keymap().shown(action, context).map(|key| key.to_string()).unwrap_or_default()
    };
    let prompt = match ask.need {
        Need::Yes => {
            let (yes, no) = (key(Action::Accept, Context::Ask), key(Action::Close, Context::Ask));
            put(
                buf,
                (inside.x, y),
                inside.right(),
                &format!("{yes} or y: yes   {no} or n: no"),
                styles.of(Role::Accent),
            );
            return None;
        }
        Need::Word(word) => format!("type `{word}`, then Enter: "),
        Need::Amount => "at most $ ".to_owned(),
    };
    let x = put(buf, (inside.x, y), inside.right(), &prompt, styles.of(Role::Accent));
    let field = Rect { x, y, width: inside.right().saturating_sub(x), height: u16::from(inside.height > 0) };
    let hint = text::cut("Esc: no", usize::from(field.width), styles.glyphs);
    typed(styles, field, &ask.answer, &hint, true, buf)
}
