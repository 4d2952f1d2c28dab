//! The names of the three panes on a narrow screen: where each stands, so that a click finds it.
//!
//! Knows their order and keys. Must not know how they look.

use unicode_width::UnicodeWidthStr;

use super::App;
use super::action::{Action, Context};
use super::geometry::Pane;

/// One name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Its pane.
    pub pane: Pane,
    /// The key that goes there.
    pub key: String,
    /// What it is called.
    pub name: &'static str,
    /// Its first column.
    pub from: u16,
    /// The column behind it.
    pub to: u16,
}

impl App {
    /// The names from left to right: of the pane in front with a blank on each side, of the others behind their keys.
    pub fn tabs(&self) -> Vec<Tab> {
        let context = if self.focus == Pane::Compose { Context::Compose } else { Context::Everywhere };
        let mut from = 1;
        let tab = |(pane, action, name): (Pane, Action, &'static str)| {
            let key = self.keymap().shown(action, context).map(|key| key.to_string()).unwrap_or_default();
            let before = if pane == self.focus { 1 } else { key.width() };
            let to = from + u16::try_from(before + 1 + name.width()).unwrap_or(0);
            let tab = Tab { pane, key, name, from, to };
            from = to + 2;
            tab
        };
        [
            (Pane::Jobs, Action::ShowJobs, "Jobs"),
            (Pane::Compose, Action::ShowCompose, "Compose"),
            (Pane::Model, Action::ShowModel, "Model"),
        ]
        .map(tab)
        .into()
    }
}
