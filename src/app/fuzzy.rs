//! Finding a typed word in a text, case-blind, also where letters were left out.
//!
//! Knows letters. Must not know what is searched. Allocates nothing where both are ASCII.

/// From so many letters on some may be left out; shorter words would find almost everything.
const SHORTEST: usize = 3;

/// Whether the text contains the word, or has a word that begins with its first letter and has the others in
/// their order: `cmra` finds `camera`. The needle is lower-case.
pub fn finds(text: &str, needle: &str) -> bool {
    contains(text, needle) || skips(text, needle)
}

/// Whether all that `new` finds, `old` finds too.
pub fn narrows(new: &str, old: &str) -> bool {
    new.starts_with(old) && (old.chars().count() >= SHORTEST || new.chars().count() < SHORTEST)
}

/// Whether the text contains the needle, which is lower-case.
pub fn contains(text: &str, needle: &str) -> bool {
    let (hay, want) = (text.as_bytes(), needle.as_bytes());
    let Some((first, rest)) = want.split_first() else { return true };
    if !needle.is_ascii() {
        return text.to_lowercase().contains(needle);
    }
    let Some(last) = hay.len().checked_sub(want.len()) else { return false };
    let upper = first.to_ascii_uppercase();
    (0..=last)
        .any(|at| (hay[at] == *first || hay[at] == upper) && hay[at + 1..at + want.len()].eq_ignore_ascii_case(rest))
}

/// Whether one word of the text has the needle's letters in their order, the first of them first.
fn skips(text: &str, needle: &str) -> bool {
    if needle.chars().count() < SHORTEST {
        return false;
    }
    if needle.is_ascii() {
        return text.as_bytes().split(|b| b.is_ascii() && !b.is_ascii_alphanumeric()).any(|word| {
            let mut letters = needle.bytes();
            let first = letters.next();
            if word.first().map(u8::to_ascii_lowercase) != first {
                return false;
            }
            let mut want = letters.next();
            for letter in &word[1..] {
                if Some(letter.to_ascii_lowercase()) == want {
                    want = letters.next();
                }
            }
            want.is_none()
        });
    }
    text.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let mut letters = needle.chars();
        let mut want = letters.next();
        for (i, letter) in word.chars().flat_map(char::to_lowercase).enumerate() {
            if Some(letter) == want {
                want = letters.next();
            } else if i == 0 {
                return false;
            }
        }
        want.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_may_be_left_out_within_one_word_only() {
        for (text, needle, found) in [
            ("The Camera pans", "cmra", true),
            ("The Camera pans", "tcp", false),
            ("The Camera pans", "amr", false),
            ("The Camera pans", "era pa", true),
            ("The Camera pans", "cr", false),
            ("Größe", "grß", true),
            ("GRÖSSE", "gröss", true),
            ("", "", true),
            ("ab", "abc", false),
            ("霓虹街道", "虹", true),
        ] {
            assert_eq!(finds(text, needle), found, "{text} / {needle}");
        }
    }
}
