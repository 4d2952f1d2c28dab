//! The mouse, where the user asked for it: a click chooses what is under it, the wheel scrolls it.
//!
//! Knows where panes and rows lie. Must not know how a terminal tells of its mouse.

use super::geometry::{Pane, Panes, Span};
use super::{App, Effect};

/// Lines that one notch of the wheel moves.
const NOTCH: isize = 3;

/// What is under the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Under {
    /// A line of the table, from the top of the window.
    Row(usize),
    /// Something else of a pane.
    Pane(Pane),
    /// Nothing that can be chosen.
    Nothing,
}

fn within(span: Span, x: u16, y: u16) -> bool {
    (span.x..span.x + span.w).contains(&x) && (span.y..span.y + span.h).contains(&y)
}

fn under(panes: &Panes, x: u16, y: u16) -> Under {
    let hit = |span: Option<Span>| span.is_some_and(|span| within(span, x, y));
    if hit(panes.jobs) {
        // The frame and the heading stand above the first row.
        let first = panes.jobs.map_or(0, |span| span.y) + 2;
        let line = y.checked_sub(first).map(usize::from).filter(|line| *line < panes.table_lines());
        return line.map_or(Under::Pane(Pane::Jobs), Under::Row);
    }
    match (hit(panes.compose), hit(panes.model)) {
        (true, _) => Under::Pane(Pane::Compose),
        (_, true) => Under::Pane(Pane::Model),
        _ => Under::Nothing,
    }
}

impl App {
    /// A click with the left button: chooses a pane or a row; on the selected row it opens the details.
    pub(super) fn click(&mut self, x: u16, y: u16) -> Vec<Effect> {
        let Some(panes) = self.panes.filter(|_| self.overlays.is_empty() && self.filtering.is_none()) else {
            return Vec::new();
        };
        if panes.tabs.is_some_and(|tabs| within(tabs, x, y)) {
            let tab = self.tabs().into_iter().find(|tab| (tab.from..tab.to).contains(&x));
            return tab.map_or_else(Vec::new, |tab| self.go_to(tab.pane));
        }
        match under(&panes, x, y) {
            Under::Row(line) => {
                let before = self.jobs.selected().map(|row| row.id).filter(|_| self.focus == Pane::Jobs);
                let effects = self.go_to(Pane::Jobs);
                let clicked = self.jobs.select_in_window(line);
                if clicked.is_some() && clicked == before {
                    self.open_details();
                }
                effects
            }
            Under::Pane(pane) if pane != self.focus => self.go_to(pane),
            Under::Pane(_) | Under::Nothing => Vec::new(),
        }
    }

    /// A notch of the wheel.
    pub(super) fn wheel(&mut self, x: u16, y: u16, down: bool) {
        let lines = if down { NOTCH } else { -NOTCH };
        match self.overlays.last_mut() {
            Some(overlay) => match overlay.scroll_mut() {
                Some(scroll) => scroll.move_by(lines),
                None => overlay.move_by(lines),
            },
            None => match self.panes.map(|panes| under(&panes, x, y)) {
                Some(Under::Row(_) | Under::Pane(Pane::Jobs)) => self.jobs.move_by(lines),
                Some(Under::Pane(Pane::Model)) => self.model_scroll.move_by(lines),
                Some(Under::Pane(Pane::Compose) | Under::Nothing) | None => {}
            },
        }
    }
}
