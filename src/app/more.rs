//! The list of further fields: what a service documents without saying for which models.
//!
//! Knows matching and order; fields in use stand first. Must not know how a field is filled in.

use std::cmp::Reverse;
use std::sync::Arc;

use super::finder::Finder;
use super::input::Key;
use super::line::Line;
use crate::domain::Parameter;

/// The state of the list.
#[derive(Clone, Debug)]
pub struct More {
    fields: Arc<Vec<Parameter>>,
    in_use: Vec<String>,
    finder: Finder,
}

impl More {
    /// A list of these fields, of which some are in the form already.
    pub fn new(fields: Arc<Vec<Parameter>>, in_use: Vec<String>) -> Self {
        let mut more = More { fields, in_use, finder: Finder::default() };
        more.search();
        more
    }

    /// Takes the fields as they are now; the selected one stays selected where it still is.
    pub fn set_fields(&mut self, fields: Arc<Vec<Parameter>>, in_use: Vec<String>) {
        let selected = self.selected().map(|field| field.name.clone());
        (self.fields, self.in_use) = (fields, in_use);
        self.search();
        let fields = &self.fields;
        self.finder.select(|index| Some(&fields[index].name) == selected.as_ref());
    }

    /// What was typed.
    pub fn query(&self) -> &Line {
        &self.finder.query
    }

    /// Types or moves in the query; `false` where the key means nothing to it.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.finder.press(key);
        if taken {
            self.search();
        }
        taken
    }

    /// Puts pasted text into the query.
    pub fn paste(&mut self, text: &str) {
        self.finder.paste(text);
        self.search();
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.finder.move_by(lines);
    }

    /// The fields that match, those in use first, then the best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.finder.found().map(|index| &self.fields[index])
    }

    /// Whether a field is in the form already.
    pub fn is_in_use(&self, field: &Parameter) -> bool {
        self.in_use.contains(&field.name)
    }

    /// The place of the selected line.
    pub fn at(&self) -> usize {
        self.finder.at()
    }

    /// The selected field.
    pub fn selected(&self) -> Option<&Parameter> {
        self.finder.selected().map(|index| &self.fields[index])
    }

    fn search(&mut self) {
        let (fields, in_use) = (&self.fields, &self.in_use);
        let line = |index: usize| {
            let field: &Parameter = &fields[index];
            (field.name.clone(), field.note.clone().unwrap_or_default())
        };
        self.finder
            .search_named(fields.len(), line, |score, index| (!in_use.contains(&fields[index].name), Reverse(score)));
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
        more.finder.query = Line::new("nu");
        more.press("m".parse().unwrap());
        assert_eq!(names(&more), ["numbers", "num_frames"]);
        more.move_by(9);
        more.set_fields(Arc::new(fields), vec!["num_frames".into()]);
        assert_eq!((more.at(), more.selected().unwrap().name.as_str()), (0, "num_frames"));
    }
}
