//! Text that came from outside: made plain, cleaned and cut.
//!
//! Knows what is safe to keep and to show. Must not know any terminal.

use std::borrow::Cow;

use serde_json::Value;

/// A value as bare text: strings without quotes, numbers as written, everything else as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same without a copy of what is a text already.
pub fn bare(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// `text` without control characters (a tab or newline becomes a blank), bidirectional overrides
/// or other invisible formatting, and at most `max` characters, with `…` where it was cut.
///
/// All that a service sends passes here before it is stored as a message or shown.
pub fn clean(text: &str, max: usize) -> String {
    if is_clean(text, max) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut blank = true;
    for c in text.chars().take(max.saturating_mul(4).saturating_add(64)) {
        if c.is_whitespace() {
            if !blank {
                out.push(' ');
            }
            blank = true;
        } else if !is_hidden(c) {
            out.push(c);
            blank = false;
        }
    }
    let out = out.trim_end();
    if out.chars().count() <= max {
        return out.to_owned();
    }
    out.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// Whether a text surely is what [`clean`] makes of it; most are, and a batch has a hundred thousand.
fn is_clean(text: &str, max: usize) -> bool {
    let bytes = text.as_bytes();
    let has_edge = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    bytes.len() <= max
        && !has_edge
        && bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
        && !bytes.windows(2).any(|pair| pair == b"  ")
}

/// Whether a character steers a terminal or hides text instead of showing something.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_do_not_survive() {
        assert_eq!(clean("a\x1b[31mred\x07\r\n\tb\u{202E}c", 80), "a[31mred bc");
        assert_eq!(clean("0123456789", 5), "0123…");
        assert_eq!(clean("  x  ", 5), "x");
        for (text, cleaned) in [("a  b", "a b"), ("a b ", "a b"), ("a\tb", "a b"), ("a b c", "a b c"), ("a\x7fb", "ab")]
        {
            assert_eq!(clean(text, 5), cleaned);
        }
    }
}
