//! The engine's settings out of the config.
//!
//! Knows both forms. Must not decide any value.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::config::{Account, Config, ConfigError};
use crate::engine::{AccountSettings, LEAST_FREE, Points, Settings};

/// What the screens say of the simulator.
const SIMULATED: &str = "simulator, 10 times as fast: nothing here costs anything, and no clip is real";

/// How many times faster than ours the embedded simulator's clock runs.
pub const SIMULATED_SPEED: u32 = 10;

/// What jobs of the embedded simulator remember as their origin; its port changes from run to run.
const SIMULATED_ORIGIN: &str = "simulator";

/// The engine's settings. `kind` is what the engine is to whoever finds the directory locked; without
/// `online` commands are applied and nothing is sent.
///
/// # Errors
/// An account whose key is not known yet; see [`Config::unlock`].
pub fn settings(config: &Config, kind: &str, online: bool) -> Result<Settings, ConfigError> {
    let accounts = config.accounts.iter().map(|account| account_settings(account, config.simulated));
    Ok(Settings {
        accounts: accounts.collect::<Result<_, _>>()?,
        data_dir: config.data_dir.clone(),
        output_dir: config.output_dir.clone(),
        name_template: config.name_template.clone(),
        caps: config.caps,
        model_caps: config.model_caps.clone(),
        simulated: config.simulated.then(|| SIMULATED.to_owned()),
        times_faster: if config.simulated { SIMULATED_SPEED } else { 1 },
        time_zone: TimeZone::system(),
        online,
        least_free: LEAST_FREE,
        kind: kind.to_owned(),
        models: config.models.clone(),
        points: Points::default(),
    })
}

fn account_settings(account: &Account, simulated: bool) -> Result<AccountSettings, ConfigError> {
    let Some(key) = account.key() else {
        return Err(ConfigError {
            place: format!("account {}", account.name),
            message: "its key is not known; check api_key_env or api_key_command".to_owned(),
        });
    };
    Ok(AccountSettings {
        name: account.name.clone(),
        service: account.service,
        base_url: account.base_url.clone(),
        generation: account.generation.clone(),
        origin: if simulated { SIMULATED_ORIGIN.to_owned() } else { account.base_url.clone() },
        key: key.clone(),
        max_in_flight: account.max_in_flight,
        poll_interval: if simulated { Duration::from_millis(500) } else { account.poll_interval },
        allow_insecure: account.allow_insecure,
        caps: account.caps,
        shared: account.shared,
    })
}
