//! The list of further fields: what a service documents without saying for which models.
//!
//! Knows matching and order; fields in use stand first. Must not know how a field is filled in.

use std::sync::Arc;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::input::Key;
use super::line::Line;
use crate::domain::Parameter;

/// The state of the list.
#[derive(Clone, Debug)]
pub struct More {
    fields: Arc<Vec<Parameter>>,
    in_use: Vec<String>,
    /// What was typed.
    pub query: Line,
    /// Indices into the fields, best first.
    found: Vec<usize>,
    at: usize,
}

impl More {
    /// A list of these fields, of which some are in the form already.
    pub fn new(fields: Arc<Vec<Parameter>>, in_use: Vec<String>) -> Self {
        let mut more = More { fields, in_use, query: Line::default(), found: Vec::new(), at: 0 };
        more.search();
        more
    }

    /// Takes the fields as they are now; the selected one stays selected where it still is.
    pub fn set_fields(&mut self, fields: Arc<Vec<Parameter>>, in_use: Vec<String>) {
        let selected = self.selected().map(|field| field.name.clone());
        (self.fields, self.in_use) = (fields, in_use);
        self.search();
        let same = |index: &usize| Some(&self.fields[*index].name) == selected.as_ref();
        self.at = self.found.iter().position(same).unwrap_or(0);
    }

    /// Types or moves in the query; `false` where the key means nothing to it.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.query.press(key);
        if taken {
            self.search();
            self.at = 0;
        }
        taken
    }

    /// Puts pasted text into the query.
    pub fn paste(&mut self, text: &str) {
        self.query.insert(text);
        self.search();
        self.at = 0;
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.at = self.at.saturating_add_signed(lines).min(self.found.len().saturating_sub(1));
    }

    /// The fields that match, those in use first, then the best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.found.iter().map(|&index| &self.fields[index])
    }

    /// Whether a field is in the form already.
    pub fn is_in_use(&self, field: &Parameter) -> bool {
        self.in_use.contains(&field.name)
    }

    /// The selected line.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The selected field.
    pub fn selected(&self) -> Option<&Parameter> {
        self.found.get(self.at).map(|&index| &self.fields[index])
    }

    fn search(&mut self) {
        let query = self.query.text();
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let text = format!("{} {}", field.name, field.note.as_deref().unwrap_or_default());
            if let Some(score) = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher) {
                scored.push((score, index));
            }
        }
        scored.sort_by_key(|&(score, index)| (!self.is_in_use(&self.fields[index]), std::cmp::Reverse(score), index));
        self.found = scored.into_iter().map(|(_, index)| index).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ParameterKind;

    #[test]
    fn typing_narrows_and_fields_in_use_stand_first() {
        let field = |name: &str, note: Option<&str>| Parameter {
            note: note.map(str::to_owned),
            ..Parameter::new(name, ParameterKind::Text)
        };
        let fields = vec![field("num_frames", None), field("voice", Some("of the narrator")), field("numbers", None)];
        let mut more = More::new(Arc::new(fields.clone()), vec!["numbers".into()]);
        let names = |more: &More| more.found().map(|f| f.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&more), ["numbers", "num_frames", "voice"]);
        more.paste("narr");
        assert_eq!(names(&more), ["voice"], "the note is looked through, too");
        more.query = Line::new("nu");
        more.press("m".parse().unwrap());
        assert_eq!(names(&more), ["numbers", "num_frames"]);
        more.move_by(9);
        more.set_fields(Arc::new(fields), vec!["num_frames".into()]);
        assert_eq!((more.at(), more.selected().unwrap().name.as_str()), (0, "num_frames"));
    }
}
