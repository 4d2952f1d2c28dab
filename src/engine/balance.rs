//! Asks what every account holds, without an engine: for `balance`.
//!
//! Knows providers. Takes no lock, books nothing, and sends only free calls.

use futures_util::future::join_all;

use super::{EngineError, Settings};
use crate::domain::Money;
use crate::provider::{self, Endpoint};

/// What each account holds, as its service says now, or why it does not say; in the order of the settings.
///
/// # Errors
/// [`EngineError::Account`] for an account whose settings cannot be used.
pub async fn balances(settings: &Settings) -> Result<Vec<(String, Result<Vec<Money>, String>)>, EngineError> {
    let mut asked = Vec::new();
    for account in &settings.accounts {
        let endpoint = Endpoint {
            service: account.service,
            base_url: account.base_url.clone(),
            key: account.key.clone(),
            allow_insecure: account.allow_insecure,
        };
        let provider = provider::connect(endpoint)
            .map_err(|error| EngineError::Account { account: account.name.clone(), message: error.message })?;
        let name = account.name.clone();
        asked.push(async move {
            let told = async { provider.balance(&provider.probe().await?).await };
            (name, told.await.map_err(|error| error.to_string()))
        });
    }
    Ok(join_all(asked).await)
}
