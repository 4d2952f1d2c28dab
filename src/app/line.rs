//! One line of text that is typed: field values, filters, confirmations.
//!
//! Knows cursor keys and graphemes. Must not know what the text is for.

use crossterm::event::{KeyCode, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use super::input::Key;
use crate::domain::text::is_hidden;

/// Most characters one line takes; a pasted data URL may be long, a pasted clip may not.
const MAX_CHARS: usize = 64 * 1024;

/// A line of text and a cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
}

impl Line {
    /// A line with the cursor at its end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Line { cursor: text.len(), text }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Types or moves; `false` where the key means nothing to a line.
    pub fn press(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            return self.insert(c.encode_utf8(&mut [0; 4]));
        }
        let (ctrl, alt) = (key.modifiers.contains(KeyModifiers::CONTROL), key.modifiers.contains(KeyModifiers::ALT));
        match key.code {
            KeyCode::Left if !ctrl => self.cursor = self.left(),
            KeyCode::Right if !ctrl => self.cursor = self.right(),
            KeyCode::Left => self.cursor = self.word_left(),
            KeyCode::Right => self.cursor = self.word_right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Backspace if ctrl || alt => self.delete(self.word_left(), self.cursor),
            KeyCode::Backspace => self.delete(self.left(), self.cursor),
            KeyCode::Delete => self.delete(self.cursor, self.right()),
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.text.len(),
            KeyCode::Char('u') if ctrl => self.delete(0, self.cursor),
            KeyCode::Char('k') if ctrl => self.delete(self.cursor, self.text.len()),
            KeyCode::Char('w') if ctrl => self.delete(self.word_left(), self.cursor),
            KeyCode::Char('b') if alt => self.cursor = self.word_left(),
            KeyCode::Char('f') if alt => self.cursor = self.word_right(),
            _ => return false,
        }
        true
    }

    /// Puts text at the cursor, without what steers a terminal; line ends become blanks. `false`
    /// when nothing of it was taken.
    pub fn insert(&mut self, text: &str) -> bool {
        let room = MAX_CHARS.saturating_sub(self.text.chars().count());
        let trimmed = text.trim_end_matches(['\n', '\r']);
        let clean: String = trimmed
            .chars()
            .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
            .filter(|c| !is_hidden(*c) || *c == '\u{200D}')
            .take(room)
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        !clean.is_empty()
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn left(&self) -> usize {
        self.before_cursor().grapheme_indices(true).next_back().map_or(0, |(i, _)| i)
    }

    fn right(&self) -> usize {
        let after = &self.text[self.cursor..];
        self.cursor + after.graphemes(true).next().map_or(0, str::len)
    }

    fn word_left(&self) -> usize {
        self.before_cursor().unicode_word_indices().next_back().map_or(0, |(i, _)| i)
    }

    fn word_right(&self) -> usize {
        let after = &self.text[self.cursor..];
        let end = after.unicode_word_indices().next().map_or(after.len(), |(i, word)| i + word.len());
        self.cursor + end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Line, keys: &str) {
        for key in keys.split(' ') {
            assert!(line.press(key.parse().unwrap()), "{key}");
        }
    }

    #[test]
    fn a_family_of_emoji_is_one_step_and_one_deletion() {
        let mut line = Line::new("a👨‍👩‍👧b");
        press(&mut line, "Left Backspace");
        assert_eq!(line.text(), "ab");
        press(&mut line, "Right Backspace Backspace");
        assert_eq!(line.text(), "");
        assert!(!line.press("F5".parse().unwrap()));
    }

    #[test]
    fn words_are_stepped_over_and_deleted() {
        let mut line = Line::new("https://example.com/a cat");
        press(&mut line, "Ctrl-W");
        assert_eq!(line.text(), "https://example.com/a ");
        press(&mut line, "Home Ctrl-Right x Ctrl-K");
        assert_eq!(line.text(), "httpsx");
    }

    #[test]
    fn what_is_pasted_cannot_steer_the_terminal_or_break_the_line() {
        let mut line = Line::default();
        assert!(line.insert("a\x1b[31m\r\nb\u{202E}\n"));
        assert_eq!(line.text(), "a[31m  b");
        assert!(!line.insert("\x07"));
    }
}
