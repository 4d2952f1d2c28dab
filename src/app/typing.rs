//! Keys and pastes that are text: given to whatever is typed in.
//!
//! Knows who takes text where. Must not know what a key does that is none.

use super::App;
use super::compose::Spot;
use super::geometry::Pane;
use super::input::{Effect, Key};
use super::overlay::Overlay;
use crate::domain::message::Level;

impl App {
    /// Gives a key to whatever is typed in.
    pub(super) fn type_key(&mut self, key: Key) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Ask(ask)) => {
                ask.press(key);
            }
            Some(Overlay::Picker(picker)) => {
                picker.press(key);
            }
            Some(Overlay::More(more)) => {
                more.press(key);
            }
            Some(Overlay::Palette(palette)) => {
                palette.press(key);
            }
            Some(
                Overlay::Tips(_) | Overlay::Help(_) | Overlay::Notices(_) | Overlay::Detail { .. } | Overlay::Menu(_),
            ) => {}
            None => return self.type_below(key),
        }
        Vec::new()
    }

    pub(super) fn type_below(&mut self, key: Key) -> Vec<Effect> {
        if let Some((line, _)) = &mut self.filtering {
            if line.press(key) {
                let text = line.text().to_owned();
                self.filter_by(&text);
            }
            return Vec::new();
        }
        if self.focus != Pane::Compose {
            return Vec::new();
        }
        if self.compose.spot() == Spot::Model {
            let enter = key.code == crossterm::event::KeyCode::Enter;
            if enter || key.typed().is_some() {
                self.open_picker();
                return if enter { Vec::new() } else { self.type_key(key) };
            }
        }
        if !self.compose.press(key, self.now) && key.typed().is_some() && self.compose.spot() != Spot::Prompt {
            // What was typed one field too early, such as a picture's name, would be missing from a paid order.
            let said = "nothing was typed: this field is stepped through, Left and Right; Tab goes on";
            if self.notices.newest().is_none_or(|notice| notice.text != said) {
                self.say(Level::Info, said);
            }
        }
        self.form_changed()
    }

    /// Checks and prices the form; what other models say follows at once unless it is the prompt
    /// that is typed.
    pub(super) fn form_changed(&mut self) -> Vec<Effect> {
        self.check_form();
        if self.compose.spot() != Spot::Prompt {
            self.compose.compare();
        }
        Vec::new()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(Overlay::Ask(ask)) if ask.is_typed() => {
                ask.answer.insert(text);
            }
            Some(Overlay::Picker(picker)) => picker.paste(text),
            Some(Overlay::More(more)) => more.paste(text),
            Some(Overlay::Palette(palette)) => palette.paste(text),
            Some(_) => {}
            None if self.filtering.is_some() => {
                if let Some((line, _)) = &mut self.filtering {
                    line.insert(text);
                    let text = line.text().to_owned();
                    self.filter_by(&text);
                }
            }
            None if self.focus == Pane::Compose => {
                let cut = self.compose.paste(text, self.now);
                if cut > 0 {
                    self.say(Level::Warning, format!("the paste was cut: {cut} bytes are more than a prompt can hold"));
                }
                return self.form_changed();
            }
            None => self.say(Level::Info, "nothing was pasted: go to the form first (n)"),
        }
        Vec::new()
    }
}
