//! Every key, made from the one list of actions and the keymap as it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, more, reading, sheet};
use crate::app::App;
use crate::app::action::{Action, Context, entries_of};
use crate::app::overlay::Scroll;
use crate::tui::theme::{Role, Styles};

/// Draws the help.
pub fn render(app: &App, scroll: &Scroll, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let area = reading(area, 92, area.height);
    let inside = sheet(buf, area, styles, "Help", concat!("rushes ", env!("CARGO_PKG_VERSION")));
    let mut paper = Paper::new(inside.width);
    for context in Context::ALL {
        paper.blank().say(Role::Accent, context.heading());
        for entry in entries_of(context) {
            let keys: Vec<String> = app
                .keymap()
                .keys(entry.action)
                .iter()
                .filter(|key| !(context.takes_text() && key.typed().is_some()))
                .map(ToString::to_string)
                .collect();
            paper.pair(&keys.join(" "), 18, Role::Text, entry.help);
        }
        if context == Context::Compose {
            paper.pair("Ctrl-A Ctrl-E", 18, Role::Text, "Go to the line's start, or its end.");
            paper.pair(
                "Ctrl-W Ctrl-U",
                18,
                Role::Text,
                "Delete the word, or the line, before the cursor; Ctrl-K what is after it.",
            );
            paper.pair("Ctrl-Left Alt-b", 18, Role::Text, "Go a word back; Ctrl-Right or Alt-f a word on.");
        }
    }
    paper.blank().say(Role::Accent, "The table");
    for (word, help) in [
        ("queue held", "Queued, waits for its turn; held, waits for you or a setting."),
        ("send run late", "Being ordered; running at the service; running longer than it should."),
        ("fetch done", "Being downloaded; done: every file is on disk and checked."),
        ("fail cancel", "Failed, makes no clip; cancelled before it was sent, not charged."),
        ("lost?", "Unconfirmed: the order may or may not have been taken. It is never bought twice by itself."),
        ("~1:20 +0:40 2:10", "About so long left; so much longer than usual; sent so long ago, or took so long."),
        ("~5.00", "What it should cost; without ~ what it did cost. `plan` is one run of a plan."),
    ] {
        paper.pair(word, 18, Role::Text, help);
    }
    let first = scroll.fit(paper.rows(), usize::from(inside.height));
    paper.draw(buf, inside, first, styles);
    let key = app.keymap().shown(Action::Down, Context::Reading).map(|key| key.to_string()).unwrap_or_default();
    more(buf, area, styles, &key, paper.rows().saturating_sub(first + usize::from(inside.height)));
}
