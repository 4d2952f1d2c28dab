//! What the services advise: weak and strong prompts, and how to save money.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, more, reading, sheet};
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::overlay::Scroll;
use crate::app::tips::{ADVICE, EXAMPLES, FORMULA};
use crate::tui::theme::{Role, Styles};

const INDENT: usize = 9;

/// Draws the advice.
pub fn render(app: &App, scroll: &Scroll, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let width = 84.min(area.width);
    let paper = write(app, width.saturating_sub(4));
    let rows = u16::try_from(paper.rows() + 2).unwrap_or(u16::MAX);
    let area = reading(area, width, rows.min(area.height));
    let inside = sheet(buf, area, styles, "Prompt tips", "by the services");
    // At a narrow screen the sheet takes all of the width.
    let paper = if usize::from(inside.width) == paper.width() { paper } else { write(app, inside.width) };
    let first = scroll.fit(paper.rows(), usize::from(inside.height));
    paper.draw(buf, inside, first, styles);
    let key = app.keymap().shown(Action::Down, Context::Reading).map(|key| key.to_string()).unwrap_or_default();
    more(buf, area, styles, &key, paper.rows().saturating_sub(first + usize::from(inside.height)));
}

fn write(app: &App, width: u16) -> Paper {
    let mut paper = Paper::new(width);
    paper.say(Role::Strong, FORMULA);
    for example in EXAMPLES {
        paper.blank().pair("weak", INDENT, Role::Dim, example.weak);
        paper.pair("strong", INDENT, Role::Text, example.strong);
    }
    for advice in ADVICE {
        paper.blank().say(Role::Accent, advice.about);
        for (tip, by) in advice.tips {
            paper.pair(by, INDENT + 2, Role::Text, tip);
        }
    }
    let key = app.keymap().shown(Action::DraftCheaply, Context::Compose).map(|key| key.to_string()).unwrap_or_default();
    let words = "Sets the form to the cheapest model and values that take your prompt; pressed again, goes back.";
    paper.blank().pair(&key, INDENT + 2, Role::Text, words);
    paper
}
