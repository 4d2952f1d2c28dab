//! The form's fields, built from the chosen model's parameters: only legal values are offered.
//!
//! Knows how a parameter becomes a field and a field a value. Must not know any model by name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::line::Line;
use crate::domain::message::Offer;
use crate::domain::request::links;
use crate::domain::rule::{Rule, Values};
use crate::domain::text::plain;
use crate::domain::{Parameter, ParameterKind, Problem};

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it is for.
    pub parameter: Parameter,
    /// What stands in it.
    pub entry: Entry,
    /// Whether the user changed it.
    touched: bool,
    /// Whether the user added it to the model's own fields.
    pub added: bool,
}

/// What stands in a field.
#[derive(Clone, Debug)]
pub enum Entry {
    /// One of a closed list, or nothing.
    Choice {
        /// The list.
        choices: Vec<Value>,
        /// Which of them; `None` leaves the parameter out.
        at: Option<usize>,
    },
    /// Typed text; blank leaves the parameter out.
    Typed(Line),
}

/// All fields of the chosen model.
#[derive(Clone, Debug, Default)]
pub struct Form {
    offer: Option<Offer>,
    rules: Vec<Rule>,
    fields: Vec<Field>,
    /// What the user set and this model does not take: it comes back with a model that does.
    kept: Values,
    /// The names of fields that the user added to those of whichever model: they follow to the next.
    added: BTreeSet<String>,
    /// The names of values that were restored before their model was there.
    restored: Vec<String>,
}

impl Form {
    /// The chosen model.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }

    /// The fields, in the documents' order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Chooses a model. What was set stays wherever the new model takes it.
    pub fn choose(&mut self, offer: Offer) {
        let mut wanted = self.touched();
        wanted.extend(std::mem::take(&mut self.kept));
        self.rules = offer.model.every_rule();
        self.fields = offer.model.parameters.iter().cloned().map(Field::new).collect();
        self.offer = Some(offer);
        // What was set as a model's own field elsewhere does not become an added one by itself: that
        // could change the bill.
        for name in std::mem::take(&mut self.restored).into_iter().chain(self.added.clone()) {
            self.add(&name);
        }
        self.put(wanted);
    }

    /// Puts values into the fields that take them, adding fields where they are not the model's own;
    /// keeps the others for another model.
    pub fn restore(&mut self, values: Values) {
        if self.offer.is_none() {
            self.restored = values.keys().cloned().collect();
        }
        for name in values.keys() {
            self.add(name);
        }
        self.put(values);
    }

    /// Puts values into the fields that there are; keeps the others for another model.
    pub fn put(&mut self, values: Values) {
        for (name, value) in values {
            let field = self.fields.iter_mut().find(|f| f.parameter.name == name);
            if !field.is_some_and(|field| field.set(&value)) {
                self.kept.insert(name, value);
            }
        }
    }

    /// Adds a field that the service documents beyond the model's own, empty; returns its place, or
    /// `None` where there is no such field.
    pub fn add(&mut self, name: &str) -> Option<usize> {
        if let Some(index) = self.fields.iter().position(|f| f.parameter.name == name) {
            return Some(index);
        }
        let parameter = self.offer.as_ref()?.model.advanced.iter().find(|p| p.name == name)?.clone();
        self.rules.extend(parameter.rules());
        self.added.insert(parameter.name.clone());
        self.fields.push(Field::added(parameter));
        Some(self.fields.len() - 1)
    }

    /// Sets a choice, or leaves it out; `false` where that is not offered.
    pub fn set(&mut self, name: &str, value: Option<&Value>) -> bool {
        let Some(field) = self.fields.iter_mut().find(|f| f.parameter.name == name) else { return false };
        match (value, &mut field.entry) {
            (Some(value), _) => field.set(value),
            (None, Entry::Choice { at, .. }) => {
                field.touched |= at.take().is_some();
                true
            }
            (None, Entry::Typed(line)) => {
                *line = Line::default();
                true
            }
        }
    }

    /// What was given to go from: pictures, clips, sounds, links.
    pub fn inputs(&self) -> Values {
        let inputs = self.fields.iter().filter(|f| f.is_input());
        inputs.filter_map(|f| Some((f.parameter.name.clone(), f.value()?))).collect()
    }

    /// Takes an added field out again, with what stands in it; `false` where the field is the model's own.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(index) = self.fields.iter().position(|f| f.added && f.parameter.name == name) else { return false };
        let field = self.fields.remove(index);
        self.added.remove(&field.parameter.name);
        let rules = field.parameter.rules();
        self.rules.retain(|rule| !rules.contains(rule));
        true
    }

    /// The names of the added fields.
    pub fn added(&self) -> Vec<String> {
        self.fields.iter().filter(|f| f.added).map(|f| f.parameter.name.clone()).collect()
    }

    /// The values that go into the request; defaults are left to the model.
    pub fn values(&self) -> Values {
        self.fields.iter().filter_map(|f| Some((f.parameter.name.clone(), f.value()?))).collect()
    }

    /// The values that the user set.
    pub fn touched(&self) -> Values {
        let touched = self.fields.iter().filter(|f| f.touched);
        touched.filter_map(|f| Some((f.parameter.name.clone(), f.value()?))).collect()
    }

    /// What the user set, whether this model takes it or not; what a draft keeps. Not what would
    /// come back as an added field that the user never added.
    pub fn remembered(&self) -> Values {
        let mut all = self.kept.clone();
        let advanced = self.offer.iter().flat_map(|offer| offer.model.advanced.iter());
        for parameter in advanced.filter(|p| !self.added.contains(&p.name)) {
            all.remove(&parameter.name);
        }
        all.extend(self.touched());
        all
    }

    /// Fields of JSON that hold none.
    pub fn unreadable(&self) -> impl Iterator<Item = Problem> {
        let json = self.fields.iter().filter(|field| field.parameter.kind == ParameterKind::Json);
        json.filter_map(|field| match &field.entry {
            Entry::Typed(line) if !line.text().trim().is_empty() => {
                let error = serde_json::from_str::<Value>(line.text().trim()).err()?;
                Some(Problem::new(&field.parameter.name, "type", format!("is no JSON: {error}")))
            }
            _ => None,
        })
    }

    /// The choices of a field that its own rules allow now, given all other fields.
    pub fn legal(&self, index: usize) -> Vec<usize> {
        let Some(Field { parameter, entry: Entry::Choice { choices, .. }, .. }) = self.fields.get(index) else {
            return Vec::new();
        };
        let own: Vec<&Rule> = self.rules.iter().filter(|rule| rule.field == parameter.name).collect();
        let mut values = self.all_values();
        let fits = |value: &Value| {
            values.insert(parameter.name.clone(), value.clone());
            own.iter().all(|rule| rule.check(&values).is_none())
        };
        let fitting: Vec<bool> = choices.iter().map(fits).collect();
        (0..choices.len()).filter(|&i| fitting[i]).collect()
    }

    /// Goes to the next or previous legal choice of a field, past the ends round; a parameter that
    /// may be left out can be left out. `false` where there is nothing to step through.
    pub fn step(&mut self, index: usize, forward: bool) -> bool {
        let mut stops: Vec<Option<usize>> = self.legal(index).into_iter().map(Some).collect();
        let Some(field) = self.fields.get_mut(index) else { return false };
        if field.may_be_left_out() {
            stops.insert(0, None);
        }
        let Entry::Choice { at, .. } = &mut field.entry else { return false };
        if stops.is_empty() {
            return false;
        }
        let next = match stops.iter().position(|stop| stop == at) {
            Some(i) if forward => (i + 1) % stops.len(),
            Some(i) => (i + stops.len() - 1) % stops.len(),
            // What stands there is not legal (any more): go to the nearest legal one that way.
            None if forward => stops.iter().position(|stop| stop > at).unwrap_or(0),
            None => stops.iter().rposition(|stop| stop < at).unwrap_or(stops.len() - 1),
        };
        let changed = *at != stops[next];
        *at = stops[next];
        field.touched |= changed;
        changed
    }

    /// The typed line of a field.
    pub fn line(&mut self, index: usize) -> Option<&mut Line> {
        let field = self.fields.get_mut(index)?;
        match &mut field.entry {
            Entry::Typed(line) => {
                field.touched = true;
                Some(line)
            }
            Entry::Choice { .. } => None,
        }
    }

    /// Takes a typed character as the first one of a choice, such as `8` for 8 seconds.
    pub fn jump(&mut self, index: usize, c: char) -> bool {
        let legal = self.legal(index);
        let Some(Field { entry: Entry::Choice { choices, at }, touched, .. }) = self.fields.get_mut(index) else {
            return false;
        };
        let starts = |i: &&usize| plain(&choices[**i]).to_lowercase().starts_with(c.to_ascii_lowercase());
        let found = legal.iter().filter(|i| Some(**i) > *at).find(starts).or_else(|| legal.iter().find(starts));
        let Some(&found) = found else { return false };
        *at = Some(found);
        *touched = true;
        true
    }

    /// All values with the model's defaults, as rules see them.
    fn all_values(&self) -> Values {
        let mut values = self.values();
        for field in self.fields.iter().filter(|field| !field.added) {
            if let Some(default) = &field.parameter.default {
                values.entry(field.parameter.name.clone()).or_insert_with(|| default.clone());
            }
        }
        values
    }
}

impl Field {
    fn new(parameter: Parameter) -> Self {
        let choices = parameter.choices();
        let entry = if choices.is_empty() {
            Entry::Typed(Line::default())
        } else {
            let default = parameter.default.as_ref().map(plain);
            let at = default.and_then(|default| choices.iter().position(|c| plain(c) == default));
            Entry::Choice { choices, at }
        };
        Field { parameter, entry, touched: false, added: false }
    }

    /// A field beyond the model's own: nothing stands in it, so that nothing is sent yet.
    fn added(parameter: Parameter) -> Self {
        let mut field = Field::new(parameter);
        if let Entry::Choice { at, .. } = &mut field.entry {
            *at = None;
        }
        Field { added: true, ..field }
    }

    /// Whether it takes something to go from.
    pub fn is_input(&self) -> bool {
        self.parameter.kind.is_media() || self.parameter.kind == ParameterKind::Links
    }

    /// Whether nothing need stand in it.
    pub fn may_be_left_out(&self) -> bool {
        self.added || (!self.parameter.required && self.parameter.default.is_none())
    }

    /// How many links stand in it, and how many it takes at most; `None` where it takes no list of links.
    pub fn links(&self) -> Option<(usize, Option<u32>)> {
        let listed = self.parameter.kind == ParameterKind::Links;
        let count = || self.value().as_ref().and_then(links).map_or(0, |links| links.len());
        listed.then(|| (count(), self.parameter.max_items))
    }

    /// The value, as the user means it; `None` leaves the parameter out.
    pub fn value(&self) -> Option<Value> {
        match &self.entry {
            Entry::Choice { choices, at } => at.and_then(|at| choices.get(at).cloned()),
            Entry::Typed(line) => typed(self.parameter.kind, line.text()),
        }
    }

    /// Puts a value in; `false` where it is none of the choices.
    fn set(&mut self, value: &Value) -> bool {
        let text = plain(value);
        match &mut self.entry {
            Entry::Choice { choices, at } => {
                let Some(found) = choices.iter().position(|c| plain(c) == text) else { return false };
                *at = Some(found);
            }
            Entry::Typed(line) if self.parameter.kind == ParameterKind::Links && value.is_array() => {
                *line = Line::new(links(value).map_or(text, |links| links.join(" ")));
            }
            Entry::Typed(line) => *line = Line::new(text),
        }
        self.touched = true;
        true
    }

    /// What to say of an empty field.
    pub fn hint(&self) -> String {
        let parameter = &self.parameter;
        if let Some(default) = &parameter.default {
            return plain(default);
        }
        let what = match parameter.kind {
            kind if kind.is_media() && parameter.wire_data.is_some() => "URL or file".to_owned(),
            kind if kind.is_media() => "URL".to_owned(),
            ParameterKind::Json => "JSON".to_owned(),
            ParameterKind::Links => match parameter.max_items {
                Some(max) => format!("links, at most {max}, blanks between"),
                None => "links, blanks between".to_owned(),
            },
            ParameterKind::Integer | ParameterKind::Number => {
                parameter.range.map_or_else(|| "a number".to_owned(), |range| range.text())
            }
            _ => parameter.max_len.map_or_else(|| "text".to_owned(), |max| format!("text, at most {max}")),
        };
        if parameter.required { format!("{what}, needed") } else { what }
    }
}

/// Typed text as a value of its kind; what does not fit stays text, so that the check can say so.
fn typed(kind: ParameterKind, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let number = || text.parse::<serde_json::Number>().ok().map(Value::Number);
    let value = match kind {
        ParameterKind::Integer | ParameterKind::Number => number(),
        ParameterKind::Json => serde_json::from_str(text).ok(),
        _ => None,
    };
    Some(value.unwrap_or_else(|| Value::String(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn offer(parameters: &str) -> Offer {
        let toml = format!(
            "id = \"m\"\nservice = \"nanogpt\"\nsource = \"test\"\nprice = {{ shape = {{ plan = {{}} }}, as_of = \"2026-08-21\", source = \"test\" }}\n{parameters}"
        );
        Offer::new("a", Arc::new(toml::from_str(&toml).unwrap()))
    }

    const BOTH: &str = r#"
        [[parameters]]
        name = "duration"
        type = "integer"
        one_of = [5, 10]
        default = 5
        [[parameters]]
        name = "resolution"
        type = "text"
        one_of = ["720p", "1080p"]
        [[parameters]]
        name = "image"
        type = "image"
        [[rules]]
        field = "resolution"
        one_of = ["720p"]
        when = { duration = [10] }
    "#;

    fn value(form: &Form, name: &str) -> Option<String> {
        form.values().get(name).map(plain)
    }

    #[test]
    fn stepping_offers_only_what_the_rules_allow_now() {
        let mut form = Form::default();
        form.choose(offer(BOTH));
        assert_eq!(value(&form, "duration").unwrap(), "5");
        assert_eq!(value(&form, "resolution"), None, "optional: left out at first");
        let seen: Vec<_> = (0..3).map(|_| (form.step(1, true), value(&form, "resolution"))).collect();
        assert_eq!(seen, [(true, Some("720p".into())), (true, Some("1080p".into())), (true, None)]);
        form.step(0, true);
        let seen: Vec<_> = (0..2).map(|_| (form.step(1, true), value(&form, "resolution"))).collect();
        assert_eq!(seen, [(true, Some("720p".into())), (true, None)], "1080p is not offered at 10 s");
        assert!(form.jump(0, '5') && value(&form, "duration").unwrap() == "5");
        assert!(!form.jump(0, '7'));
    }

    #[test]
    fn what_another_model_does_not_take_comes_back_with_one_that_does() {
        let mut form = Form::default();
        form.choose(offer(BOTH));
        form.step(0, true);
        form.line(2).unwrap().insert("https://example.com/cat.png");
        form.choose(offer(""));
        assert_eq!(form.values().len(), 0);
        assert_eq!(form.remembered().len(), 2);
        form.choose(offer(BOTH));
        assert_eq!(value(&form, "duration").unwrap(), "10");
        assert_eq!(value(&form, "image").unwrap(), "https://example.com/cat.png");
    }

    #[test]
    fn typed_numbers_are_numbers_and_what_is_none_stays_for_the_check() {
        assert_eq!(typed(ParameterKind::Number, " 0.10 "), Some("0.10".parse::<serde_json::Number>().unwrap().into()));
        assert_eq!(typed(ParameterKind::Integer, "ten"), Some("ten".into()));
        assert_eq!(typed(ParameterKind::Text, "007"), Some("007".into()));
        assert_eq!(typed(ParameterKind::Json, "[1, 2]"), Some(serde_json::json!([1, 2])));
        assert_eq!(typed(ParameterKind::Image, "  "), None);
        let mut form = Form::default();
        form.choose(offer("[[parameters]]\nname = \"shots\"\ntype = \"json\""));
        form.line(0).unwrap().insert("[1, 2");
        assert_eq!(form.unreadable().next().unwrap().field, "shots", "half a list is not sent as a text");
        form.line(0).unwrap().insert("]");
        assert_eq!(form.unreadable().next(), None);
    }
}
