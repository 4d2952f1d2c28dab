//! What a service says of its models, laid over what the documents say.
//!
//! Knows how two descriptions become one: live lists win, prices never fall, one wire key is one
//! parameter. Must not know where either came from.

use super::contradiction;
use super::difference::bare;
use crate::domain::price::{Factor, Price, Shape};
use crate::domain::rule::Rule;
use crate::domain::{Model, Parameter};

/// Built-in models with discovered ones over them, for one service.
///
/// A discovered parameter replaces the built-in one of its name where it says more than its type;
/// what only the documents tell stays. A price is never lowered. A built-in model that a service
/// with a list of its own does not name is marked as gone.
pub fn merge(built_in: Vec<Model>, discovered: &[Model]) -> Vec<Model> {
    let mut models = built_in;
    if !discovered.is_empty() {
        for model in &mut models {
            // What is ordered in a way of its own is in no list.
            model.gone = model.route.is_none() && !discovered.iter().any(|found| found.id == model.id);
        }
    }
    for found in discovered {
        let found = &renamed(models.iter().find(|m| m.id == found.id), found);
        match models.iter_mut().find(|m| m.id == found.id) {
            Some(model) => {
                let merged = over(model, found);
                // Live data may contradict the documents' rules; then it stands alone.
                *model = if contradiction(&merged).is_none() { merged } else { alone(model, found) };
            }
            None => models.push(found.clone()),
        }
    }
    models
}

/// A discovered model with each parameter under the name the user knows its wire key by.
fn renamed(known: Option<&Model>, found: &Model) -> Model {
    let mut model = found.clone();
    for parameter in &found.parameters {
        let wire = parameter.wire_key();
        let documented = known.and_then(|known| known.parameters.iter().find(|p| p.wire_key() == wire));
        let Some(name) = documented.map(|p| p.name.as_str()) else { continue };
        if model.parameter(name).is_some() {
            continue;
        }
        for own in model.parameters.iter_mut().filter(|p| p.name == parameter.name) {
            own.wire = Some(wire.to_owned());
            own.name = name.to_owned();
        }
        rename_in(&mut model.price, &parameter.name, name);
        for rule in &mut model.rules {
            if rule.field == parameter.name {
                name.clone_into(&mut rule.field);
            }
            if let Some(values) = rule.when.remove(&parameter.name) {
                rule.when.insert(name.to_owned(), values);
            }
        }
    }
    model
}

fn rename_in(price: &mut Price, from: &str, to: &str) {
    if let Shape::Table { by, .. } | Shape::PerSecondBy { by, .. } = &mut price.shape {
        for name in by {
            match name.strip_suffix('?') {
                Some(bare) if bare == from => *name = format!("{to}?"),
                None if name == from => to.clone_into(name),
                _ => {}
            }
        }
    }
    if let Shape::Larger { of } = &mut price.shape {
        of.iter_mut().for_each(|price| rename_in(price, from, to));
    }
    let rename = |factor: &mut Factor| {
        if let Some(values) = factor.when.remove(from) {
            factor.when.insert(to.to_owned(), values);
        }
        if factor.each.as_deref() == Some(from) {
            factor.each = Some(to.to_owned());
        }
    };
    price.times.iter_mut().chain(&mut price.plus).for_each(rename);
}

fn over(known: &Model, found: &Model) -> Model {
    let mut merged = known.clone();
    for parameter in &found.parameters {
        match merged.parameters.iter_mut().find(|p| p.name == parameter.name) {
            // Where the documents' values are written otherwise on the wire, the live ones are another language.
            Some(old) if says_more(parameter) && old.map.is_empty() => *old = overlay(old, parameter),
            Some(_) => {}
            None => merged.parameters.push(parameter.clone()),
        }
    }
    let same = |a: &Rule, b: &Rule| (&a.field, &a.check, &a.when) == (&b.field, &b.check, &b.when);
    let news = found.rules.iter().filter(|rule| !known.rules.iter().any(|old| same(old, rule)));
    merged.rules.extend(news.cloned());
    merged.prompt_max = found.prompt_max.or(known.prompt_max);
    merged.gone = found.gone;
    merged.price = never_lower(known, found);
    merged
}

fn alone(known: &Model, found: &Model) -> Model {
    let mut model = found.clone();
    model.price = never_lower(known, found);
    model.prompt_max = found.prompt_max.or(known.prompt_max);
    model.name.clone_from(&known.name);
    model.maker.clone_from(&known.maker);
    model.best_for.clone_from(&known.best_for);
    // A list may name more inputs than one; what the documents say is needed stays needed.
    for parameter in model.parameters.iter_mut().filter(|parameter| parameter.kind.is_media()) {
        parameter.required |= known.own(&parameter.name).is_some_and(|documented| documented.required);
    }
    model
}

/// Whether a service said more of a parameter than its type. What only stands in the documents for
/// all models is no news about this one.
fn says_more(parameter: &Parameter) -> bool {
    let own = parameter.source.is_none();
    own && (!parameter.one_of.is_empty() || parameter.range.is_some() || parameter.default.is_some())
}

fn overlay(old: &Parameter, new: &Parameter) -> Parameter {
    let mut merged = new.clone();
    if merged.one_of.is_empty() && merged.range.is_none() {
        merged.one_of.clone_from(&old.one_of);
        merged.range = old.range;
    }
    // The built-in default stays where the new list still has it: what is sent should not move by itself.
    let legal = |parameter: &Parameter| {
        let values = old.default.iter().map(|value| (old.name.clone(), value.clone())).collect();
        parameter.rules().iter().all(|rule| rule.check(&values).is_none())
    };
    if old.default.is_some() && legal(&merged) {
        merged.default.clone_from(&old.default);
    }
    merged.max_bytes = merged.max_bytes.or(old.max_bytes);
    merged.wire_data = merged.wire_data.or_else(|| old.wire_data.clone());
    merged.note = merged.note.or_else(|| old.note.clone());
    merged.required |= old.required && merged.default.is_none();
    merged
}

/// The price of a model that the documents and its service both price: where both are known, the
/// larger one for each request.
fn never_lower(known: &Model, found: &Model) -> Price {
    match (&known.price.shape, &found.price.shape) {
        (_, Shape::Unknown { .. }) | (Shape::Plan {}, _) => known.price.clone(),
        (Shape::Unknown { .. }, _) => found.price.clone(),
        _ if known.price.currency != found.price.currency => found.price.clone(),
        _ if bare(&known.price) == bare(&found.price) => found.price.clone(),
        _ => {
            let mut price = found.price.clone();
            let of = vec![known.price.clone(), found.price.clone()];
            (price.shape, price.times, price.plus) = (Shape::Larger { of }, Vec::new(), Vec::new());
            (price.least, price.at_most) = (None, false);
            price
        }
    }
}
