//! What changed between two lists of models, in sentences.
//!
//! Knows what of a model a user would want to hear about. Must not know where the lists come from.

use std::fmt;

use crate::domain::price::{Price, Shape};
use crate::domain::{Model, Parameter};

/// One thing that changed of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The model's id at its service.
    pub model: String,
    /// What changed.
    pub change: Change,
}

/// What can change of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not offered before.
    New,
    /// It is not offered any more.
    Gone,
    /// It costs something else.
    PriceMoved {
        /// The price before, as a line for people.
        from: String,
        /// The price now.
        to: String,
    },
    /// Other parameters, or other legal values: each named, with what happened to it.
    ParametersChanged(Vec<String>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = &self.model;
        match &self.change {
            Change::New => write!(f, "{model} is new"),
            Change::Gone => write!(f, "{model} is not offered any more"),
            Change::PriceMoved { from, to } if from == to => {
                write!(f, "{model}: its price list changed; it still reads {to}")
            }
            Change::PriceMoved { from, to } => write!(f, "{model}: its price was {from} and is now {to}"),
            Change::ParametersChanged(changes) => write!(f, "{model}: its parameters changed: {}", changes.join(", ")),
        }
    }
}

/// What changed from one list of models to another: new and gone ones first, then by the new list's order.
///
/// A model that is listed as gone counts as not offered. When a price was read and where is no difference.
pub fn differences(before: &[Model], after: &[Model]) -> Vec<Difference> {
    let offered = |models: &[Model], id: &str| models.iter().any(|m| m.id == id && !m.gone);
    let say = |id: &str, change: Change| Difference { model: id.to_owned(), change };
    let now = || after.iter().filter(|m| !m.gone);
    let new = now().filter(|m| !offered(before, &m.id)).map(|m| say(&m.id, Change::New));
    let were = before.iter().filter(|m| !m.gone);
    let gone = were.filter(|m| !offered(after, &m.id)).map(|m| say(&m.id, Change::Gone));
    let mut all: Vec<Difference> = new.chain(gone).collect();
    for model in now() {
        let Some(old) = before.iter().find(|m| m.id == model.id && !m.gone) else { continue };
        if bare(&old.price) != bare(&model.price) {
            all.push(say(&model.id, Change::PriceMoved { from: old.price.text(), to: model.price.text() }));
        }
        let changes = parameters(&old.parameters, &model.parameters);
        if !changes.is_empty() {
            all.push(say(&model.id, Change::ParametersChanged(changes)));
        }
    }
    all
}

/// A price without when and where it was read.
pub(super) fn bare(price: &Price) -> Price {
    let mut price = price.clone();
    price.as_of.clear();
    price.source.clear();
    if let Shape::Larger { of } = &mut price.shape {
        of.iter_mut().for_each(|one| *one = bare(one));
    }
    price
}

fn parameters(before: &[Parameter], after: &[Parameter]) -> Vec<String> {
    let of = |list: &[Parameter], name: &str| list.iter().find(|p| p.name == name).cloned();
    let mut changes = Vec::new();
    for new in after {
        match of(before, &new.name) {
            None => changes.push(format!("{} is new", new.name)),
            Some(old) if asks(&old) != asks(new) => changes.push(format!("{} takes other values", new.name)),
            Some(old) if old.default != new.default => changes.push(format!("{} has another default", new.name)),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|old| of(after, &old.name).is_none());
    changes.extend(gone.map(|old| format!("{} is gone", old.name)));
    changes
}

/// What a parameter asks of a value: everything but its default and the words about it.
fn asks(parameter: &Parameter) -> Parameter {
    Parameter { default: None, note: None, source: None, ..parameter.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParameterKind, Service};

    fn model(id: &str, price: &str) -> Model {
        let price: Price = toml::from_str(&format!("as_of = \"{id}\"\nsource = \"x\"\nshape = {price}")).unwrap();
        Model::new(id, Service::Nanogpt, price, "test")
    }

    fn told(before: &[Model], after: &[Model]) -> Vec<String> {
        differences(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_kind_of_difference_is_told_once_and_no_other() {
        let flat = |id: &str, amount: &str| model(id, &format!("{{ per_clip = {{ amount = \"{amount}\" }} }}"));
        let mut same = flat("same", "1");
        same.parameters = vec![Parameter::new("seed", ParameterKind::Integer)];
        let mut later = same.clone();
        later.price.as_of = "2026-11-20".into();
        later.parameters[0].note = Some("best effort".into());
        assert_eq!(told(&[same.clone()], &[later.clone()]), [] as [&str; 0], "a later reading is no difference");

        later.parameters[0].default = Some(7.into());
        later.parameters.push(Parameter::new("fps", ParameterKind::Integer));
        let ended = Model { gone: true, ..flat("ended", "1") };
        let before = [same, flat("moved", "1.00"), flat("ended", "1"), flat("dropped", "1")];
        let after = [later, flat("moved", "2.00"), ended.clone(), flat("fresh", "1")];
        assert_eq!(
            told(&before, &after),
            [
                "fresh is new",
                "ended is not offered any more",
                "dropped is not offered any more",
                "same: its parameters changed: seed has another default, fps is new",
                "moved: its price was $1.00 a clip and is now $2.00 a clip",
            ]
        );
        assert_eq!(told(std::slice::from_ref(&ended), &[flat("ended", "1")]), ["ended is new"], "it came back");
        assert_eq!(told(std::slice::from_ref(&ended), std::slice::from_ref(&ended)), [] as [&str; 0]);
    }
}
