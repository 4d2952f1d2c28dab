//! A list narrowed by what is typed: query, matches and selection of every such list over the panes.
//!
//! Knows matching and moving. Must not know what the lines stand for: its owner gives their texts and
//! their order.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::input::Key;
use super::line::Line;

/// The state of a list.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// What was typed.
    pub query: Line,
    /// Indices into the owner's lines, best first.
    found: Vec<usize>,
    at: usize,
}

impl Finder {
    /// Matches `count` lines anew by their texts. `order` tells where a line stands: it is given the
    /// match's score, 0 where nothing was typed, and the line; less stands before more.
    pub fn search<K: Ord>(&mut self, count: usize, text: impl Fn(usize) -> String, order: impl Fn(u32, usize) -> K) {
        let pattern = Pattern::parse(self.query.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(K, usize)> = Vec::new();
        for index in 0..count {
            if let Some(score) = pattern.score(Utf32Str::new(&text(index), &mut buffer), &mut matcher) {
                scored.push((order(score, index), index));
            }
        }
        // Stable: lines of one place stay as their owner has them.
        scored.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.found = scored.into_iter().map(|(_, index)| index).collect();
        self.at = self.at.min(self.found.len().saturating_sub(1));
    }

    /// The same for lines that have a name and more that is told of them: letters may be left out of the name,
    /// while each word typed must stand in what is told, else a few letters would find everything.
    pub fn search_named<K: Ord>(
        &mut self,
        count: usize,
        line: impl Fn(usize) -> (String, String),
        order: impl Fn(u32, usize) -> K,
    ) {
        let typed = self.query.text().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let told = |index: usize| {
            let (name, about) = line(index);
            let all = format!("{name} {about}").to_lowercase();
            if words.iter().all(|word| all.contains(word)) { format!("{name} {about}") } else { name }
        };
        self.search(count, told, order);
    }

    /// Types or moves in the query; `true` where its owner is to search again.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.query.press(key);
        if taken {
            self.at = 0;
        }
        taken
    }

    /// Puts pasted text into the query; its owner is to search again.
    pub fn paste(&mut self, text: &str) {
        self.query.insert(text);
        self.at = 0;
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.at = self.at.saturating_add_signed(lines).min(self.found.len().saturating_sub(1));
    }

    /// Selects the first line that is meant, else the first of all.
    pub fn select(&mut self, meant: impl Fn(usize) -> bool) {
        self.at = self.found.iter().position(|&index| meant(index)).unwrap_or(0);
    }

    /// The lines that match, best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = usize> {
        self.found.iter().copied()
    }

    /// The place of the selected line among those found.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The selected line.
    pub fn selected(&self) -> Option<usize> {
        self.found.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_what_is_typed_and_never_leaves_the_list() {
        let lines = ["kling", "veo fast", "veo"];
        let search = |finder: &mut Finder| {
            finder.search(lines.len(), |i| lines[i].to_owned(), |score, i| (std::cmp::Reverse(score), lines[i].len()));
        };
        let mut finder = Finder::default();
        search(&mut finder);
        finder.move_by(9);
        assert_eq!((finder.at(), finder.selected()), (2, Some(1)), "the shorter of equals first");
        assert!(finder.press("v".parse().unwrap()));
        search(&mut finder);
        assert_eq!((finder.found().collect::<Vec<_>>(), finder.selected()), (vec![2, 1], Some(2)));
        finder.select(|line| line == 1);
        finder.paste("zzz");
        search(&mut finder);
        assert_eq!((finder.selected(), finder.at()), (None, 0));
    }
}
