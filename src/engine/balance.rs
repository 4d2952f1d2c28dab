//! Asks what every account holds, without an engine: for `balance`.
//!
//! Knows providers. Takes no lock, books nothing, and sends only free calls.

use futures_util::future::join_all;

use super::{EngineError, Settings, accounts};
use crate::domain::Money;

/// What each account holds, as its service says now, or why it does not say; in the order of the settings.
///
/// # Errors
/// [`EngineError::Account`] for an account whose settings cannot be used.
pub async fn balances(settings: &Settings) -> Result<Vec<(String, Result<Vec<Money>, String>)>, EngineError> {
    let (providers, _) = accounts::connect(settings)?;
    let asked = settings.accounts.iter().filter_map(|account| {
        let (name, provider) = (account.name.clone(), providers.get(&account.name)?.clone());
        Some(async move {
            let told = async { provider.balance(&provider.probe().await?).await };
            (name, told.await.map_err(|error| error.to_string()))
        })
    });
    Ok(join_all(asked).await)
}
