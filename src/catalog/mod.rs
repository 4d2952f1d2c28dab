//! Models as data: what each model accepts and costs, from three layers merged purely.
//!
//! Knows the domain and the embedded files beside it: built in from the documents, discovered at a
//! service while running, the user's own `models.toml`, in this order. Must not read a file, ask a
//! service, or know an account's key.

mod difference;
mod fields;
mod merge;
mod read;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_prices;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Model, ModelRef, Offer, Service};

pub use difference::{Change, Difference, differences};
pub use fields::NotSent;
pub use merge::merge;
pub use read::{CatalogError, contradiction};

/// What a model or price of the user's own file came from.
const USERS: &str = "models.toml";

/// An account as the catalogue needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, the first part of its models' full names.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// The generation of the interface its host speaks, once that is found out. `None`: not yet, or
    /// the service has only one; then it is taken for the one its file describes first.
    pub generation: Option<String>,
}

impl Account {
    /// An account of which no generation is known.
    pub fn new(name: impl Into<String>, service: Service) -> Self {
        Account { name: name.into(), service, generation: None }
    }
}

/// Offers that were made before, by what they were made of: accounts of one service with one list share
/// their models, and an account whose list did not change keeps its own.
#[derive(Clone, Debug, Default)]
pub struct Made(Vec<MadeOf>);

#[derive(Clone, Debug)]
struct MadeOf {
    service: Service,
    generation: Option<String>,
    list: Option<Arc<Vec<Model>>>,
    offers: Vec<Offer>,
}

/// Every model that is known, by layer.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    built_in: Vec<Model>,
    discovered: BTreeMap<String, Arc<Vec<Model>>>,
    user: Vec<read::Entry>,
    fields: Vec<fields::Fields>,
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
                let same = |known: &Model| (known.service, &known.generation) == (model.service, &model.generation);
                if built_in.iter().any(|known| same(known) && known.id == model.id) {
                    return Err(CatalogError {
                        place: file.to_owned(),
                        message: format!("{} is there twice", model.id),
                    });
                }
                built_in.push(model);
            }
        }
        let fields = fields::Fields::read(include_str!("nanogpt_fields.toml"), "nanogpt_fields.toml")?;
        Ok(Catalog { built_in, fields: vec![fields], ..Catalog::default() })
    }

    /// A catalogue of these models alone.
    pub fn made_of(built_in: Vec<Model>) -> Catalog {
        Catalog { built_in, ..Catalog::default() }
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
            for base in self.built_in.iter().filter(|m| m.service == service && m.id == id) {
                if entry.speaks_of(base.generation.as_deref()) {
                    drop(entry.over(base)?);
                }
            }
        }
        Ok(self)
    }

    /// This catalogue with what an account's service says it offers, in place of what it said before.
    /// An empty list changes nothing: that service does not describe its models.
    #[must_use]
    pub fn with_discovered(mut self, account: &str, models: &[Model]) -> Catalog {
        if !models.is_empty() {
            let known = self.discovered.values().find(|known| known.as_slice() == models).cloned();
            self.discovered.insert(account.to_owned(), known.unwrap_or_else(|| Arc::new(models.to_vec())));
        }
        self
    }

    /// The documented fields of a service that no order carries under the user's hand, with the reason.
    pub fn not_sent(&self, service: Service) -> impl Iterator<Item = &NotSent> {
        self.fields.iter().filter(move |fields| fields.service == service).flat_map(|fields| &fields.not_sent)
    }

    /// Forgets what an account's service said it offers.
    pub fn forget(&mut self, account: &str) {
        self.discovered.remove(account);
    }

    /// Every model of every account: by account in the order given, built-in ones first.
    pub fn offers(&self, accounts: &[Account]) -> Vec<Offer> {
        let mut offers = Vec::new();
        for account in accounts {
            offers.extend(self.of(account));
        }
        offers
    }

    /// The same, with what `made` keeps of the last time; this catalogue's own layers must be the same.
    pub fn offers_again(&self, accounts: &[Account], made: &mut Made) -> Vec<Offer> {
        let (before, mut offers) = (std::mem::take(&mut made.0), Vec::new());
        for account in accounts {
            let list = self.discovered.get(&account.name);
            let same = |made: &&MadeOf| {
                made.service == account.service
                    && made.generation == account.generation
                    && made.list.as_ref().map(Arc::as_ptr) == list.map(Arc::as_ptr)
            };
            if !made.0.iter().any(|known| same(&known)) {
                let known = before.iter().find(same).cloned();
                made.0.push(known.unwrap_or_else(|| MadeOf {
                    service: account.service,
                    generation: account.generation.clone(),
                    list: list.cloned(),
                    offers: self.of(account),
                }));
            }
            let of_account = made.0.iter().find(same).map(|made| made.offers.as_slice()).unwrap_or_default();
            offers.extend(of_account.iter().map(|offer| Offer { account: account.name.clone(), ..offer.clone() }));
        }
        offers
    }

    /// The models of one account: those of its generation, and those that name none.
    fn of(&self, account: &Account) -> Vec<Offer> {
        let of_service = || self.built_in.iter().filter(|m| m.service == account.service);
        let first = || of_service().find_map(|m| m.generation.clone());
        let generation = account.generation.clone().or_else(first);
        let offered = |m: &&Model| m.generation.is_none() || m.generation == generation;
        let built_in: Vec<Model> = of_service().filter(offered).cloned().collect();
        let discovered = self.discovered.get(&account.name).map(|list| list.as_slice()).unwrap_or_default();
        let discovered: Vec<Model> = discovered.iter().filter(offered).cloned().collect();
        let mut models = merge(built_in, &discovered);
        let mut published = BTreeMap::new();
        for entry in self.user.iter().filter(|e| e.name().0 == account.service) {
            if !entry.speaks_of(generation.as_deref()) {
                continue;
            }
            match models.iter_mut().find(|m| m.id == entry.name().1) {
                // What contradicts a description that only came while running leaves that one as it was.
                Some(model) => {
                    let own = entry.over(model).unwrap_or_else(|_| model.clone());
                    let known = std::mem::replace(model, own);
                    if known.price != model.price {
                        published.entry(known.id.clone()).or_insert_with(|| Arc::new(known));
                    }
                }
                None => models.extend(entry.model()),
            }
        }
        self.fields.iter().for_each(|fields| fields.hand_out(&mut models));
        let offer = |model: Model| {
            let published = published.remove(&model.id);
            Offer { published, ..Offer::new(&*account.name, model) }
        };
        models.into_iter().map(offer).collect()
    }

    /// The model of that full name, where one of these accounts offers it.
    pub fn find(&self, name: &ModelRef, accounts: &[Account]) -> Option<Offer> {
        let account = accounts.iter().find(|account| account.name == name.account)?;
        self.of(account).into_iter().find(|offer| offer.model.id == name.model)
    }

    /// The full names nearest to a name that nobody offers, best first, at most three.
    pub fn nearest(&self, text: &str, accounts: &[Account]) -> Vec<String> {
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
