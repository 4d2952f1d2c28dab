//! Which models the accounts offer: the catalogue, the user's file, and what was discovered.
//!
//! Knows the catalogue. Must not know wires.

use super::{AccountSettings, EngineError, Settings};
use crate::catalog::{Account, Catalog};
use crate::domain::message::Offer;

/// The models of these accounts, by the documents and the user's own `models.toml`.
///
/// # Errors
/// [`EngineError::Catalog`] with the place in the user's file.
pub fn offers(accounts: &[Account], models: Option<&str>) -> Result<Vec<Offer>, EngineError> {
    Ok(catalog(models)?.offers(accounts))
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
