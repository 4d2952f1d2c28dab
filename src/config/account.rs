//! Accounts out of file and environment: a service, a key, an origin, limits.
//!
//! Knows which source wins, and what is refused before a key could go anywhere. Must not print a key.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::env::{Env, key_variable, url_variable};
use super::file::{AccountFile, Amount, File, line_of};
use super::{Config, ConfigError};
use crate::domain::{Caps, Service};

/// Where an account's key is, or the key.
#[derive(Clone, Debug)]
pub enum Secret {
    /// The key. Its `Debug` shows nothing.
    Key(SecretString),
    /// A shell command that prints it; run by [`Config::unlock`].
    Command(String),
    /// A variable that is not set.
    MissingVariable(String),
}

/// One account, checked.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name, the part before the slash in a model's full name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// Its origin with an optional path prefix, without a slash at the end.
    pub base_url: String,
    /// The generation of the service's interface to speak; `None` finds out which it is.
    pub generation: Option<String>,
    /// Its key.
    pub secret: Secret,
    /// Most jobs at the service at once, 1-1000.
    pub max_in_flight: u32,
    /// Between two polls of a job.
    pub poll_interval: Duration,
    /// Whether plain http beyond loopback is allowed.
    pub allow_insecure: bool,
    /// Its own limits.
    pub caps: Caps,
    /// Whether others spend on it, too: a difference in its balance is theirs, and no alarm.
    pub shared: bool,
}

impl Account {
    /// An account of the simulator: loopback, the service's own name, no caps.
    pub fn simulated(service: Service, base_url: &str, key: SecretString) -> Account {
        Account {
            name: service.word().to_owned(),
            service,
            base_url: base_url.trim_end_matches('/').to_owned(),
            generation: None,
            secret: Secret::Key(key),
            max_in_flight: usual_in_flight(service),
            poll_interval: Duration::from_secs(2),
            allow_insecure: false,
            caps: Caps::default(),
            shared: false,
        }
    }

    /// The key, once it is known.
    pub fn key(&self) -> Option<&SecretString> {
        match &self.secret {
            Secret::Key(key) => Some(key),
            _ => None,
        }
    }

    /// Makes the key known.
    fn unlock(&mut self, run: &impl Fn(&str) -> Result<String, String>) -> Result<(), ConfigError> {
        let place = format!("account {}", self.name);
        match &self.secret {
            Secret::Key(_) => {}
            Secret::MissingVariable(name) => {
                let message = format!("the variable {name} is not set; set it, or change api_key_env");
                return Err(ConfigError::new(place, message));
            }
            Secret::Command(command) => {
                let printed = run(command).map_err(|why| {
                    ConfigError::new(&place, format!("api_key_command failed: {why}; run it by hand, or change it"))
                })?;
                let first = printed.lines().next().unwrap_or_default();
                self.secret = Secret::Key(key(first, self.service, &place)?);
            }
        }
        Ok(())
    }
}

impl Config {
    /// Makes every account's key known, running key commands through `run`, which takes a shell
    /// command and returns what it printed or why it failed. Accounts whose key cannot be had are
    /// left out; what is wrong with each is returned.
    ///
    /// # Errors
    /// [`ConfigError`] when no account would be left: for a variable that is not set, a command that
    /// fails, or a key that is refused.
    pub fn unlock(&mut self, run: impl Fn(&str) -> Result<String, String>) -> Result<Vec<ConfigError>, ConfigError> {
        let mut kept = Vec::new();
        let mut left_out = Vec::new();
        for mut account in self.accounts.clone() {
            match account.unlock(&run) {
                Ok(()) => kept.push(account),
                Err(error) => left_out.push(error),
            }
        }
        if kept.is_empty() && !left_out.is_empty() {
            let first = left_out.remove(0);
            let others: String = left_out.iter().map(|error| format!("\n{error}")).collect();
            return Err(ConfigError::new(first.place, first.message + &others));
        }
        self.accounts = kept;
        Ok(left_out)
    }
}

/// All accounts: one a service whose variable is set, then those the file names.
pub(super) fn accounts(file: &File, text: &str, path: &str, env: &Env) -> Result<Vec<Account>, ConfigError> {
    let mut accounts = Vec::new();
    for service in Service::ALL {
        if !file.accounts.contains_key(service.word()) {
            let bare = AccountFile {
                service: Some(service),
                api_key_env: None,
                api_key_command: None,
                api_key: None,
                base_url: None,
                generation: None,
                max_in_flight: None,
                poll_interval: None,
                allow_insecure: false,
                day_cap: None,
                month_cap: None,
                day_jobs: None,
                month_jobs: None,
                shared: false,
            };
            accounts.extend(account(service.word(), &bare, key_variable(service), env)?);
        }
    }
    for (name, spanned) in &file.accounts {
        let place = format!("{path}:{}: account {name}", line_of(text, spanned.span().start));
        accounts.extend(account(name, spanned.get_ref(), &place, env)?);
    }
    Ok(accounts)
}

/// One account, or `None` where only its service's variable could hold its key and does not.
fn account(name: &str, given: &AccountFile, place: &str, env: &Env) -> Result<Option<Account>, ConfigError> {
    let refuse = |message: String| Err(ConfigError::new(place, message));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return refuse(format!("`{name}` is no name for an account; use letters, digits, - _ ."));
    }
    let own = Service::ALL.into_iter().find(|service| service.word() == name);
    let service = match (given.service, own) {
        (Some(service), Some(own)) if service != own => {
            return refuse(format!("the name {name} belongs to the service {own}; give this account another name"));
        }
        (Some(service), _) | (None, Some(service)) => service,
        (None, None) => return refuse("names no service; add service = \"ninjachat\", \"nanogpt\" or \"a4f\"".into()),
    };
    let base_url = base_url(name, service, given, place, env)?;
    if let Some(why) = given.generation.as_deref().and_then(|generation| service.refuse_generation(generation)) {
        return refuse(why);
    }
    let sources = [given.api_key.is_some(), given.api_key_env.is_some(), given.api_key_command.is_some()];
    let variable = match (sources.iter().filter(|s| **s).count(), &given.api_key_env) {
        (2.., _) => return refuse("give only one of api_key, api_key_env, api_key_command".into()),
        (1, Some(variable)) => Some(variable.as_str()),
        (1, None) => None,
        (_, _) if own.is_some() => Some(key_variable(service)),
        _ => return refuse("says no key; add api_key_env, api_key_command or api_key".into()),
    };
    let secret = match variable {
        // A test build never picks a real key up from the environment.
        Some(_) if env.loopback_only && !is_loopback(&base_url) => return Ok(None),
        Some(variable) if env.garbled.contains(variable) => {
            return refuse(format!("the variable {variable} holds bytes that are no text; copy the key again"));
        }
        Some(variable) => match env.get(variable) {
            Some(text) => {
                let place = if place == variable { place.to_owned() } else { format!("{place} ({variable})") };
                Secret::Key(key(text, service, &place)?)
            }
            None if given.api_key_env.is_none() => return Ok(None),
            None => Secret::MissingVariable(variable.to_owned()),
        },
        None => match (&given.api_key, &given.api_key_command) {
            (Some(text), _) => Secret::Key(key(text, service, place)?),
            (None, command) => Secret::Command(command.clone().unwrap_or_default()),
        },
    };
    let max_in_flight = given.max_in_flight.unwrap_or_else(|| usual_in_flight(service));
    if !(1..=1000).contains(&max_in_flight) {
        return refuse(format!("max_in_flight = {max_in_flight} is not offered; it takes 1 to 1000"));
    }
    let poll = given.poll_interval.unwrap_or_else(|| usual_poll(service));
    if !(1..=3600).contains(&poll) {
        return refuse(format!("poll_interval = {poll} is not offered; it takes 1 to 3600 seconds"));
    }
    let dollars = |amount: Option<Amount>| amount.map(Amount::dollars);
    Ok(Some(Account {
        name: name.to_owned(),
        service,
        base_url,
        generation: given.generation.clone(),
        secret,
        max_in_flight,
        poll_interval: Duration::from_secs(u64::from(poll)),
        allow_insecure: given.allow_insecure,
        caps: Caps {
            day: dollars(given.day_cap),
            month: dollars(given.month_cap),
            day_jobs: given.day_jobs,
            month_jobs: given.month_jobs,
            ..Caps::default()
        },
        shared: given.shared,
    }))
}

/// The account's origin: the file's own, else the service's variable, else the service's published
/// one. The variable wins for the account that bears the service's name.
fn base_url(name: &str, service: Service, given: &AccountFile, place: &str, env: &Env) -> Result<String, ConfigError> {
    let variable = url_variable(service);
    let from_env = env.get(variable);
    let own_name = name == service.word();
    let (text, place) = match (&given.base_url, from_env) {
        (Some(text), None) => (text.as_str(), place.to_owned()),
        (Some(text), Some(_)) if !own_name => (text.as_str(), place.to_owned()),
        (_, Some(text)) => (text, variable.to_owned()),
        (None, None) => (origin(service), place.to_owned()),
    };
    let refuse = |message: String| Err(ConfigError::new(&place, message));
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => return refuse("the base URL is no http(s) URL; write for example https://api.example.com".into()),
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return refuse("the base URL takes an origin and an optional path only".into());
    }
    let text = url.as_str().trim_end_matches('/').to_owned();
    if url.scheme() == "http" && !is_loopback(&text) && !given.allow_insecure {
        return refuse(
            "plain http would send the key unprotected; use https, or set allow_insecure = true for this account"
                .into(),
        );
    }
    Ok(text)
}

/// Where a service lives (seed 000; wire.md 1.1; wire.md 3.1).
fn origin(service: Service) -> &'static str {
    match service {
        Service::Ninjachat => "https://ninjachat.ai",
        Service::Nanogpt => "https://nano-gpt.com",
        Service::A4f => "https://api.a4f.co",
    }
}

/// Seconds between polls: 10 (seed 000), 5 (seed 002). A4F is not polled.
fn usual_poll(service: Service) -> u32 {
    match service {
        Service::Nanogpt => 5,
        Service::Ninjachat | Service::A4f => 10,
    }
}

/// Well below what the services' limits allow (wire.md 1.7, 2.4); an A4F job holds a connection open.
fn usual_in_flight(service: Service) -> u32 {
    match service {
        Service::Ninjachat | Service::Nanogpt => 20,
        Service::A4f => 4,
    }
}

/// A key that may be sent to `service`.
fn key(text: &str, service: Service, place: &str) -> Result<SecretString, ConfigError> {
    let text = SecretString::from(text.trim());
    let bare = text.expose_secret();
    if bare.is_empty() {
        return Err(ConfigError::new(place, "the key is blank"));
    }
    if !bare.chars().all(|c| c.is_ascii_graphic()) {
        return Err(ConfigError::new(place, "the key has characters that no key has; copy it again"));
    }
    match service.refuse_key(bare) {
        Some(why) => Err(ConfigError::new(place, why)),
        None => Ok(text),
    }
}

/// Whether a base URL points at this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    Url::parse(url).ok().is_some_and(|url| match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    })
}
