//! What comes into the app from a terminal, and what it asks of one: plain data.
//!
//! Knows the names of keys. Must not know what any key does, nor how bytes become keys.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::domain::{Command, Ticket};

/// One thing that the terminal reported.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted, in one piece.
    Paste(String),
    /// The prompt came back from the user's editor, like this.
    Edited(String),
    /// The screen has this size now, in cells.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The mouse's left button was pressed over a cell.
    Click {
        /// Column.
        x: u16,
        /// Row.
        y: u16,
    },
    /// The mouse's wheel was turned by a notch over a cell.
    Wheel {
        /// Column.
        x: u16,
        /// Row.
        y: u16,
        /// Towards the user.
        down: bool,
    },
    /// The terminal's window is looked at again.
    FocusGained,
    /// The terminal's window is not looked at any more.
    FocusLost,
}

/// What the app asks of the face that runs it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand this command to the engine.
    Send {
        /// Pairs the command with its answer.
        ticket: Ticket,
        /// The command.
        command: Command,
    },
    /// Send this text to the terminal's clipboard (OSC 52).
    Copy(String),
    /// Call the user, with this sentence, as the config says.
    Call(String),
    /// Let the user edit this text in their own editor; it comes back as [`Input::Edited`].
    Edit(String),
    /// Open this file or folder with the user's command.
    Open(String),
    /// Restore the terminal and stop the process until it is continued.
    Suspend,
    /// Draw every cell again.
    Repaint,
    /// Leave the dashboard.
    Quit(QuitHow),
}

/// How to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuitHow {
    /// No new orders; wait for open answers and downloads.
    Drain,
    /// At once; what is on disk goes on at the next start.
    Now,
}

/// How urgently the screen differs from the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirty {
    /// Not at all.
    #[default]
    None,
    /// Something changed by itself: draw within the frame rate.
    Background,
    /// The user did something: draw at once.
    Now,
}

/// A key with its modifiers. Shift is dropped from characters: `G` is `G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// What was held with it.
    pub modifiers: KeyModifiers,
}

impl Key {
    /// A key as the keymap knows it: `Shift` only matters where it is not in the character already.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = code;
        if code == KeyCode::Tab && modifiers.contains(KeyModifiers::SHIFT) {
            code = KeyCode::BackTab;
        }
        if let KeyCode::Char(c) = code {
            if modifiers.contains(KeyModifiers::CONTROL) {
                code = KeyCode::Char(c.to_ascii_lowercase());
            }
            modifiers.remove(KeyModifiers::SHIFT);
        }
        if code == KeyCode::BackTab {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Key { code, modifiers }
    }

    /// A character without modifiers.
    pub fn char(c: char) -> Self {
        Key::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    /// The character this key types into a text, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    /// As it is written in the config, and shown: `Ctrl-S`, `Alt-u`, `Space`, `F1`, `g`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ctrl = self.modifiers.contains(KeyModifiers::CONTROL);
        if ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            code => {
                let name = NAMED.iter().find(|(_, known)| *known == code).map_or("?", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

const NAMED: [(&str, KeyCode); 15] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

impl FromStr for Key {
    type Err = String;

    /// Reads a key as [`Key`]'s `Display` writes it, names in any case.
    ///
    /// # Errors
    /// A sentence that shows the form.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((head, tail)) = rest.split_once('-').filter(|(_, tail)| !tail.is_empty()) {
            modifiers |= match head.to_ascii_lowercase().as_str() {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return Err(wrong(text)),
            };
            rest = tail;
        }
        let mut chars = rest.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Key::new(KeyCode::Char(c), modifiers));
        }
        if rest.eq_ignore_ascii_case("space") {
            return Ok(Key::new(KeyCode::Char(' '), modifiers));
        }
        if let Some(n) = rest.strip_prefix(['F', 'f']).and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n)) {
            return Ok(Key::new(KeyCode::F(n), modifiers));
        }
        let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest));
        named.map(|(_, code)| Key::new(*code, modifiers)).ok_or_else(|| wrong(text))
    }
}

fn wrong(text: &str) -> String {
    format!("`{text}` is no key; write a character, Space, Enter, Up, F1, Ctrl-s or Alt-u")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_is_written() {
        for text in ["Ctrl-S", "Alt-u", "Space", "F1", "g", "G", "-", "/", "PageDown", "BackTab", "Alt-1", "Ctrl--"] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
        }
        assert_eq!("ctrl-s".parse::<Key>(), "Ctrl-S".parse());
        assert!("Hyper-x".parse::<Key>().is_err());
        assert!("F99".parse::<Key>().is_err());
    }

    #[test]
    fn shift_is_dropped_where_the_character_says_it() {
        assert_eq!(Key::new(KeyCode::Char('G'), KeyModifiers::SHIFT), Key::char('G'));
        assert_eq!(Key::new(KeyCode::Tab, KeyModifiers::SHIFT), "BackTab".parse().unwrap());
        assert_eq!(Key::char('x').typed(), Some('x'));
        assert_eq!("Ctrl-x".parse::<Key>().unwrap().typed(), None);
    }
}
