//! Models as data: what each model accepts and costs, from three layers merged purely.
//!
//! Knows the domain and the embedded files beside it: built in from the documents, discovered at a
//! service while running, the user's own `models.toml`, in this order. Must not read a file, ask a
//! service, or know an account's key.

mod read;

#[cfg(test)]
mod golden;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::price::Shape;
use crate::domain::{Model, ModelRef, Offer, Parameter, Service};

pub use read::{CatalogError, contradiction};

/// What a model or price of the user's own file came from.
const USERS: &str = "models.toml";

/// Every model that is known, by layer.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    built_in: Vec<Model>,
    discovered: BTreeMap<String, Vec<Model>>,
    user: Vec<read::Entry>,
}

impl Catalog {
    /// The embedded models, typed from the documents.
    ///
    /// # Errors
    /// [`CatalogError`] where an embedded file has an unknown key or contradicts itself; a test
    /// holds that none does.
    pub fn built_in() -> Result<Catalog, CatalogError> {
        let mut built_in: Vec<Model> = Vec::new();
        for (file, text) in [
            ("ninjachat.toml", include_str!("ninjachat.toml")),
            ("nanogpt.toml", include_str!("nanogpt.toml")),
            ("a4f.toml", include_str!("a4f.toml")),
        ] {
            for entry in read::entries(text, file, None)? {
                let model = entry.model()?;
                if built_in.iter().any(|known| known.service == model.service && known.id == model.id) {
                    return Err(CatalogError {
                        place: file.to_owned(),
                        message: format!("{} is there twice", model.id),
                    });
                }
                built_in.push(model);
            }
        }
        Ok(Catalog { built_in, ..Catalog::default() })
    }

    /// This catalogue with the user's own file over it. An entry for a known model says only what it
    /// changes; its price stands as the user wrote it, whatever a service publishes.
    ///
    /// # Errors
    /// [`CatalogError`] with the file's place.
    pub fn with_user(mut self, text: &str, file: &str) -> Result<Catalog, CatalogError> {
        self.user = read::entries(text, file, Some(USERS))?;
        for entry in &self.user {
            let (service, id) = entry.name();
            match self.built_in.iter().find(|m| m.service == service && m.id == id) {
                Some(base) => drop(entry.over(base)?),
                // It may change a model that is yet to be discovered, so a part is no error here.
                None => drop(entry.model()),
            }
        }
        Ok(self)
    }

    /// This catalogue with what an account's service says it offers, in place of what it said before.
    /// An empty list changes nothing: that service does not describe its models.
    #[must_use]
    pub fn with_discovered(mut self, account: &str, models: &[Model]) -> Catalog {
        if !models.is_empty() {
            self.discovered.insert(account.to_owned(), models.to_vec());
        }
        self
    }

    /// Every model of every account: by account in the order given, built-in ones first.
    pub fn offers(&self, accounts: &[(String, Service)]) -> Vec<Offer> {
        let mut offers = Vec::new();
        for (account, service) in accounts {
            let models = self.of(account, *service);
            offers.extend(models.into_iter().map(|model| Offer { account: account.clone(), model: Arc::new(model) }));
        }
        offers
    }

    /// The models of one account.
    fn of(&self, account: &str, service: Service) -> Vec<Model> {
        let built_in: Vec<Model> = self.built_in.iter().filter(|m| m.service == service).cloned().collect();
        let empty = Vec::new();
        let mut models = merge(built_in, self.discovered.get(account).unwrap_or(&empty));
        for entry in self.user.iter().filter(|entry| entry.name().0 == service) {
            match models.iter_mut().find(|m| m.id == entry.name().1) {
                // What contradicts a description that only came while running leaves that one as it was.
                Some(model) => *model = entry.over(model).unwrap_or_else(|_| model.clone()),
                None => models.extend(entry.model()),
            }
        }
        models
    }

    /// The model of that full name, where one of these accounts offers it.
    pub fn find(&self, name: &ModelRef, accounts: &[(String, Service)]) -> Option<Offer> {
        let (account, service) = accounts.iter().find(|(account, _)| *account == name.account)?;
        let model = self.of(account, *service).into_iter().find(|m| m.id == name.model)?;
        Some(Offer { account: account.clone(), model: Arc::new(model) })
    }

    /// The full names nearest to a name that nobody offers, best first, at most three.
    pub fn nearest(&self, text: &str, accounts: &[(String, Service)]) -> Vec<String> {
        nearest(text, self.offers(accounts).iter().map(|offer| offer.model_ref().to_string()))
    }
}

/// The nearest of `names` to `text`, best first, at most three; none where none is near.
pub fn nearest(text: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let model = text.split_once('/').map_or(text, |(_, model)| model);
    let mut scored: Vec<(f64, String)> = names
        .map(|name| {
            let own = name.split_once('/').map_or(name.as_str(), |(_, model)| model);
            let score = strsim::jaro_winkler(text, &name).max(strsim::jaro_winkler(model, own) - 0.01);
            (score, name)
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Built-in models with discovered ones over them, for one service.
///
/// A discovered parameter replaces the built-in one of its name where it says more than its type;
/// what only the documents tell stays. A price is never lowered. A built-in model that a service
/// with a list of its own does not name is marked as gone.
pub fn merge(built_in: Vec<Model>, discovered: &[Model]) -> Vec<Model> {
    let mut models = built_in;
    if !discovered.is_empty() {
        for model in &mut models {
            model.gone = !discovered.iter().any(|found| found.id == model.id);
        }
    }
    for found in discovered {
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

fn over(known: &Model, found: &Model) -> Model {
    let mut merged = known.clone();
    for parameter in &found.parameters {
        match merged.parameters.iter_mut().find(|p| p.name == parameter.name) {
            Some(old) if says_more(parameter) => *old = overlay(old, parameter),
            Some(_) => {}
            // The same key under another name, such as `orientation` beside a shape that is sent as one.
            None if known.parameters.iter().any(|p| p.wire_key() == parameter.wire_key()) => {}
            None => merged.parameters.push(parameter.clone()),
        }
    }
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
    model
}

fn says_more(parameter: &Parameter) -> bool {
    !parameter.one_of.is_empty() || parameter.range.is_some() || parameter.default.is_some()
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
    merged
}

/// The price of a model that the documents and its service both price: where both are known, the
/// larger one for each request.
fn never_lower(known: &Model, found: &Model) -> crate::domain::price::Price {
    match (&known.price.shape, &found.price.shape) {
        (_, Shape::Unknown { .. }) | (Shape::Plan {}, _) => known.price.clone(),
        (Shape::Unknown { .. }, _) => found.price.clone(),
        _ if known.price.currency != found.price.currency => found.price.clone(),
        _ => {
            let mut price = found.price.clone();
            let of = vec![known.price.clone(), found.price.clone()];
            (price.shape, price.times, price.plus) = (Shape::Larger { of }, Vec::new(), Vec::new());
            price
        }
    }
}
