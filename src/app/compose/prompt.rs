//! The prompt's text area: soft wrap, deep undo, whole graphemes. The only file that names `tui_textarea`.
//!
//! Knows editing. Must not know what the text is for.

use crossterm::event::{KeyCode, KeyModifiers};
use tui_textarea::{CursorMove, TextArea, WrapMode};
use unicode_segmentation::UnicodeSegmentation;

use crate::app::input::Key;
use crate::domain::rule::utf16_len;
use crate::domain::text::is_hidden;

/// Edits of the text area that can be undone: single characters, of which a word is made.
const UNDO: usize = 20_000;
/// Most bytes of one paste; more than any service takes as a prompt.
const MAX_PASTE: usize = 256 * 1024;

/// What a key did to the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing: the key means nothing to a text.
    Ignored,
    /// Moved the cursor.
    Moved,
    /// Wanted to move down from the last line.
    Below,
    /// Changed the text.
    Edited,
}

/// The prompt as it is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    area: TextArea<'static>,
    /// How many of the text area's edits one undo takes back, the oldest first; and one redo makes again.
    undo: Vec<usize>,
    redo: Vec<usize>,
    /// What the last step does, while one more edit of the same kind belongs to it.
    open: Option<Kind>,
}

/// Edits that come one character at a time and are undone by the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A character of a word was typed.
    Word,
    /// A blank was typed: it belongs to the word before it.
    Blank,
    /// Something before the cursor was deleted.
    Deleted,
}

impl Default for Prompt {
    fn default() -> Self {
        Prompt::new("")
    }
}

impl Prompt {
    /// A prompt with the cursor at its end and nothing to undo.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(without_controls(text).split('\n').map(str::to_owned).collect());
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_max_histories(UNDO);
        // The terminal's own cursor is used, and no line is underlined.
        area.set_cursor_style(Default::default());
        area.set_cursor_line_style(Default::default());
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Prompt { area, undo: Vec::new(), redo: Vec::new(), open: None }
    }

    /// The text area, to be drawn.
    pub fn editor(&self) -> &TextArea<'static> {
        &self.area
    }

    /// Where the cursor is drawn, relative to the drawn text: column and row.
    pub fn cursor(&self) -> (u16, u16) {
        let cursor = self.area.screen_cursor();
        let (top, _) = self.area.scroll_offset();
        let cell = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        (cell(cursor.col), cell(cursor.row).saturating_sub(top))
    }

    /// The text.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// The length in UTF-16 units, as services count.
    pub fn len(&self) -> u64 {
        let lines = self.area.lines();
        lines.iter().map(|line| utf16_len(line)).sum::<u64>() + lines.len().saturating_sub(1) as u64
    }

    /// Puts another text in its place; undo brings back what was there.
    pub fn replace(&mut self, text: &str) {
        // The text area counts taking out and putting in as two.
        let edits = usize::from(!self.is_empty()) + usize::from(!text.is_empty());
        if edits > 0 {
            self.step(edits);
        }
        self.area.select_all();
        if text.is_empty() {
            self.area.cut();
        } else {
            self.area.insert_str(without_controls(text));
        }
        self.area.cancel_selection();
    }

    /// Undoes, or does again, the last step: a word typed or deleted, a paste, any other edit.
    pub fn undo(&mut self, redo: bool) -> bool {
        self.area.cancel_selection();
        self.open = None;
        let (from, to) = if redo { (&mut self.redo, &mut self.undo) } else { (&mut self.undo, &mut self.redo) };
        let Some(edits) = from.pop() else { return false };
        to.push(edits);
        let mut changed = false;
        for _ in 0..edits {
            changed |= if redo { self.area.redo() } else { self.area.undo() };
        }
        changed
    }

    /// So many edits of the text area are one step.
    fn step(&mut self, edits: usize) {
        self.undo.push(edits);
        self.redo.clear();
        self.open = None;
    }

    /// One more edit: it goes on with the last step where it is of its kind, and begins one where not.
    fn go_on(&mut self, kind: Kind) {
        let same = match kind {
            Kind::Word => self.open == Some(Kind::Word),
            Kind::Blank => matches!(self.open, Some(Kind::Word | Kind::Blank)),
            Kind::Deleted => self.open == Some(Kind::Deleted),
        };
        match self.undo.last_mut() {
            Some(edits) if same => *edits += 1,
            _ => self.step(1),
        }
        self.redo.clear();
        self.open = Some(kind);
    }

    /// Puts pasted text in as one edit, without what steers a terminal. Returns the bytes that
    /// were cut off because it was too long.
    pub fn paste(&mut self, text: &str) -> usize {
        let fits = fitting(text);
        if self.area.insert_str(without_controls(fits)) {
            self.step(1);
        }
        text.len() - fits.len()
    }

    /// Types or moves.
    pub fn press(&mut self, key: Key) -> Pressed {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let moves = match key.code {
            KeyCode::Left if ctrl => Some(CursorMove::WordBack),
            KeyCode::Right if ctrl => Some(CursorMove::WordForward),
            KeyCode::Char('b') if alt => Some(CursorMove::WordBack),
            KeyCode::Char('f') if alt => Some(CursorMove::WordForward),
            KeyCode::Home if ctrl => Some(CursorMove::Top),
            KeyCode::End if ctrl => Some(CursorMove::Bottom),
            KeyCode::Home => Some(CursorMove::Head),
            KeyCode::End => Some(CursorMove::End),
            KeyCode::Char('a') if ctrl => Some(CursorMove::Head),
            KeyCode::Char('e') if ctrl => Some(CursorMove::End),
            KeyCode::Up => Some(CursorMove::Up),
            KeyCode::Down => Some(CursorMove::Down),
            _ => None,
        };
        if let Some(moves) = moves {
            self.open = None;
            let before = self.area.cursor();
            self.area.move_cursor(moves);
            let stuck = self.area.cursor() == before;
            return if stuck && key.code == KeyCode::Down { Pressed::Below } else { Pressed::Moved };
        }
        let edited = match key.code {
            KeyCode::Left => return self.move_grapheme(false),
            KeyCode::Right => return self.move_grapheme(true),
            KeyCode::Backspace if ctrl || alt => self.area.delete_word(),
            KeyCode::Backspace => {
                // A word deleted backwards is one step, the blanks before it the next one's.
                let blank = self.before_cursor().is_none_or(char::is_whitespace);
                let deleted = self.delete_grapheme(false);
                if deleted {
                    self.go_on(Kind::Deleted);
                    self.open = self.open.filter(|_| !blank);
                    return Pressed::Edited;
                }
                false
            }
            KeyCode::Delete => self.delete_grapheme(true),
            KeyCode::Char('w') if ctrl => self.area.delete_word(),
            KeyCode::Char('u') if ctrl => self.area.delete_line_by_head(),
            KeyCode::Char('k') if ctrl => self.area.delete_line_by_end(),
            KeyCode::Char('y') if ctrl => self.area.paste(),
            KeyCode::Enter => {
                self.area.insert_newline();
                true
            }
            _ => match key.typed().filter(|c| !is_hidden(*c) || *c == '\u{200D}') {
                Some(c) => {
                    self.area.insert_char(c);
                    self.go_on(if c.is_whitespace() { Kind::Blank } else { Kind::Word });
                    return Pressed::Edited;
                }
                None => return Pressed::Ignored,
            },
        };
        if edited {
            self.step(1);
            return Pressed::Edited;
        }
        Pressed::Moved
    }

    /// The character before the cursor; `None` at a line's start.
    fn before_cursor(&self) -> Option<char> {
        let cursor = self.area.cursor();
        self.area.lines().get(cursor.0)?.chars().nth(cursor.1.checked_sub(1)?)
    }

    /// Characters of the grapheme before or after the cursor; 0 at the line's ends.
    fn grapheme(&self, after: bool) -> usize {
        let cursor = self.area.cursor();
        let Some(line) = self.area.lines().get(cursor.0) else { return 0 };
        let at = line.char_indices().nth(cursor.1).map_or(line.len(), |(i, _)| i);
        let grapheme = if after { line[at..].graphemes(true).next() } else { line[..at].graphemes(true).next_back() };
        grapheme.map_or(0, |g| g.chars().count())
    }

    fn move_grapheme(&mut self, after: bool) -> Pressed {
        self.open = None;
        let step = if after { CursorMove::Forward } else { CursorMove::Back };
        for _ in 0..self.grapheme(after).max(1) {
            self.area.move_cursor(step);
        }
        Pressed::Moved
    }

    /// Deletes a whole grapheme as one edit, or joins lines at their ends.
    fn delete_grapheme(&mut self, after: bool) -> bool {
        match (self.grapheme(after), after) {
            (0, true) => self.area.delete_next_char(),
            (0, false) => self.area.delete_char(),
            (chars, true) => self.area.delete_str(chars),
            (chars, false) => {
                for _ in 0..chars {
                    self.area.move_cursor(CursorMove::Back);
                }
                self.area.delete_str(chars)
            }
        }
    }
}

/// As much of a text as one paste takes, whole characters.
pub fn fitting(text: &str) -> &str {
    let mut end = text.len().min(MAX_PASTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Text with its line ends made `\n`, tabs made blanks, and everything that steers a terminal taken out.
fn without_controls(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    lines.chars().filter(|c| *c == '\n' || *c == '\u{200D}' || !is_hidden(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(prompt: &mut Prompt, keys: &str) {
        for key in keys.split(' ') {
            assert_ne!(prompt.press(key.parse().unwrap()), Pressed::Ignored, "{key}");
        }
    }

    #[test]
    fn a_paste_is_one_edit_and_cannot_steer_the_terminal() {
        let mut prompt = Prompt::new("before ");
        assert_eq!(prompt.paste("two\r\nlines\x1b]52;c;x\x07\u{202E}"), 0);
        assert_eq!(prompt.text(), "before two\nlines]52;c;x");
        prompt.undo(false);
        assert_eq!(prompt.text(), "before ");
        assert_eq!(prompt.paste(&"ü".repeat(MAX_PASTE)), MAX_PASTE);
    }

    #[test]
    fn a_family_is_deleted_whole_and_comes_back_with_one_undo() {
        let mut prompt = Prompt::new("a👨‍👩‍👧");
        press(&mut prompt, "Backspace");
        assert_eq!(prompt.text(), "a");
        prompt.undo(false);
        assert_eq!(prompt.text(), "a👨‍👩‍👧");
        press(&mut prompt, "Home Right Delete Backspace");
        assert_eq!(prompt.text(), "");
    }

    #[test]
    fn undo_goes_by_the_word_and_further_back_than_any_prompt_is_long() {
        let mut prompt = Prompt::default();
        let words: Vec<String> = (0..600).map(|i| format!("word{i}")).collect();
        for word in &words {
            word.chars().chain([' ']).for_each(|c| assert_eq!(prompt.press(Key::char(c)), Pressed::Edited));
        }
        for left in (0..600).rev() {
            assert!(prompt.undo(false));
            let wanted: String = words[..left].iter().map(|word| format!("{word} ")).collect();
            assert_eq!(prompt.text(), wanted);
        }
        assert!(prompt.is_empty() && !prompt.undo(false));
        assert!(prompt.undo(true) && prompt.undo(true));
        assert_eq!(prompt.text(), "word0 word1 ");
        press(&mut prompt, "x");
        assert!(!prompt.undo(true), "an edit ends what could be done again");
    }

    #[test]
    fn a_word_deleted_backwards_comes_back_as_a_word_and_a_move_ends_it() {
        let mut prompt = Prompt::new("a red fox");
        press(&mut prompt, "Backspace Backspace Backspace Backspace Backspace");
        assert_eq!(prompt.text(), "a re");
        prompt.undo(false);
        assert_eq!(prompt.text(), "a red");
        prompt.undo(false);
        assert_eq!(prompt.text(), "a red fox");
        press(&mut prompt, "e s Left Right x");
        prompt.undo(false);
        assert_eq!(prompt.text(), "a red foxes");
        prompt.replace("new");
        prompt.paste(" and old");
        prompt.undo(false);
        prompt.undo(false);
        assert_eq!(prompt.text(), "a red foxes");
        prompt.undo(true);
        assert_eq!(prompt.text(), "new");
    }

    #[test]
    fn length_is_counted_as_services_count_and_replacing_can_be_undone() {
        let mut prompt = Prompt::new("a\n😀");
        assert_eq!(prompt.len(), 4);
        prompt.replace("");
        assert!(prompt.is_empty());
        prompt.undo(false);
        assert_eq!(prompt.text(), "a\n😀");
        prompt.replace("new");
        assert_eq!(prompt.text(), "new");
        prompt.undo(false);
        assert_eq!(prompt.text(), "a\n😀", "one undo, though the text area counts two edits");
    }

    #[test]
    fn down_from_the_last_line_leaves_the_prompt() {
        let mut prompt = Prompt::new("one\ntwo");
        assert_eq!(prompt.press("Down".parse().unwrap()), Pressed::Below);
        assert_eq!(prompt.press("Up".parse().unwrap()), Pressed::Moved);
        assert_eq!(prompt.press("F7".parse().unwrap()), Pressed::Ignored);
    }
}
