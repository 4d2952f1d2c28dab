//! Which models the accounts offer: the catalogue, the user's file, and what is kept of the services.
//!
//! Knows the catalogue and the store. Must not know wires.

use std::path::Path;

use super::core::stock::{attach, observations};
use super::{AccountSettings, EngineError, Settings};
use crate::catalog::{Account, Catalog};
use crate::domain::message::Offer;
use crate::store::{Shelf, Store};

/// The models of these accounts as last known: by the documents, by the lists their services gave, by
/// the user's own `models.toml`, with what was charged for them. Asks nobody; where the data directory
/// has nothing yet, or cannot be read, the documents alone count.
///
/// # Errors
/// [`EngineError::Catalog`] with the place in the user's file.
pub fn offers(accounts: &[Account], models: Option<&str>, data_dir: &Path) -> Result<Vec<Offer>, EngineError> {
    let catalog = catalog(models)?;
    let shelf = Store::open_read_only(data_dir).and_then(|store| store.shelf()).unwrap_or_default();
    Ok(stocked(catalog, accounts, shelf).1)
}

/// A catalogue with the lists that were kept, the accounts with their generations, and their offers.
pub(super) fn stocked(catalog: Catalog, accounts: &[Account], shelf: Shelf) -> (Catalog, Vec<Offer>) {
    let (mut catalog, mut accounts) = (catalog, accounts.to_vec());
    for account in &mut accounts {
        let stored = shelf.accounts.iter().find(|a| a.name == account.name && a.service == account.service);
        let spoke = stored.and_then(|stored| stored.profile.as_ref()?.generation.clone());
        account.generation = account.generation.take().or(spoke);
        let kept = shelf.catalogues.iter().find(|kept| kept.account == account.name);
        if let Some(kept) = kept.filter(|kept| kept.generation == account.generation) {
            catalog = catalog.with_discovered(&account.name, &kept.models);
        }
    }
    let mut offers = catalog.offers(&accounts);
    attach(&mut offers, &observations(shelf.observations));
    (catalog, offers)
}

pub(super) fn catalog(models: Option<&str>) -> Result<Catalog, EngineError> {
    let built_in = Catalog::built_in().map_err(|error| EngineError::Catalog(error.to_string()))?;
    match models {
        Some(text) => built_in.with_user(text, "models.toml").map_err(|error| EngineError::Catalog(error.to_string())),
        None => Ok(built_in),
    }
}

pub(super) fn names(settings: &Settings) -> Vec<Account> {
    let account = |account: &AccountSettings| Account {
        generation: account.generation.clone(),
        ..Account::new(&account.name, account.service)
    };
    settings.accounts.iter().map(account).collect()
}
