//! From settings to providers and to the core's accounts.
//!
//! Knows both forms. Must not keep a key anywhere but in its provider.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::core::{Account, Core, CoreSettings, Step};
use super::{AccountSettings, EngineError, Settings};
use crate::catalog::Catalog;
use crate::domain::JobId;
use crate::domain::caps::Guard;
use crate::provider::limits::{Limits, documented};
use crate::provider::{self, Endpoint, Provider};
use crate::store::{Loaded, Store};

/// Providers and their documented limits, by account.
pub(super) type Connected = (HashMap<String, Arc<dyn Provider>>, HashMap<String, Limits>);

/// Builds every account's provider. Opens no connection.
pub(super) fn connect(settings: &Settings) -> Result<Connected, EngineError> {
    let (mut providers, mut limits) = (HashMap::new(), HashMap::new());
    for account in &settings.accounts {
        let endpoint = Endpoint {
            service: account.service,
            base_url: account.base_url.clone(),
            generation: account.generation.clone(),
            key: account.key.clone(),
            allow_insecure: account.allow_insecure,
        };
        let provider = provider::connect(endpoint)
            .map_err(|error| EngineError::Account { account: account.name.clone(), message: error.message })?;
        providers.insert(account.name.clone(), provider);
        limits.insert(account.name.clone(), documented(account.service));
    }
    Ok((providers, limits))
}

/// A core over what is on disk, and its first step.
pub(super) fn core(
    settings: &Settings,
    store: &Store,
    mut loaded: Loaded,
    catalog: Catalog,
    now: Timestamp,
) -> (Core, Step) {
    let salt = store.salt();
    let mut accounts: Vec<Account> = Vec::new();
    for (place, account) in settings.accounts.iter().enumerate() {
        accounts.push(core_account(account, place, &salt));
    }
    let core_settings = CoreSettings {
        caps: settings.caps,
        model_caps: settings.model_caps.clone(),
        zone: settings.time_zone.clone(),
        simulated: settings.simulated.is_some(),
        times_faster: settings.times_faster,
        online: settings.online,
        salt: salt.to_vec(),
    };
    let limits = core_settings.limits(&accounts, &loaded);
    if !limits.is_empty() {
        let at = loaded.last_seen.map_or(now, |seen| seen.max(now));
        let guard = Guard { job: JobId(0), at, zones: loaded.zones(settings.time_zone.clone(), now), limits };
        // Where it cannot be read, each order is tried and refused where it does not fit.
        let room = store.room(&guard).unwrap_or_default();
        loaded.room = guard.limits.into_iter().zip(room).collect();
    }
    Core::start(core_settings, accounts, catalog, loaded, now)
}

/// The host whose limits an account counts against: a simulator serves several services at one.
fn host(account: &AccountSettings) -> String {
    let url = url::Url::parse(&account.origin).or_else(|_| url::Url::parse(&account.base_url));
    let host = url.ok().map(|url| url.authority().to_owned());
    format!("{} {}", account.service, host.unwrap_or_else(|| account.base_url.clone()))
}

fn core_account(account: &AccountSettings, place: usize, salt: &[u8]) -> Account {
    let mut core = Account::new(account.name.clone(), account.service, place, documented(account.service));
    core.host = host(account);
    core.generation.clone_from(&account.generation);
    core.origin.clone_from(&account.origin);
    core.fingerprint = fingerprint(salt, account);
    core.max_in_flight = account.max_in_flight;
    core.poll_interval = account.poll_interval.try_into().unwrap_or(core.poll_interval);
    core.caps = account.caps;
    core.shared = account.shared;
    core
}

/// What a job remembers of its account's key: enough to notice another one, useless to anyone else.
pub(super) fn fingerprint(salt: &[u8], account: &AccountSettings) -> String {
    use secrecy::ExposeSecret;
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(account.key.expose_secret());
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
