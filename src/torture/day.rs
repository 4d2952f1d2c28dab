//! The scripted day: accounts, jobs and faults out of `day.toml`.
//!
//! Knows the script. Must not know what the engine makes of it.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::{Currency, ModelRef, Money, NewJob, Request, Service};
use crate::engine::AccountSettings;

/// Between two polls of a job; the simulator's clock runs fast.
const POLL: Duration = Duration::from_millis(60);

/// A day of work.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Day {
    #[serde(rename = "account")]
    accounts: Vec<Account>,
    /// Faults that meet the engine that goes on after a kill.
    #[serde(rename = "leftover")]
    leftovers: Vec<Map<String, Value>>,
}

/// An account with its jobs and the faults that meet it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    name: String,
    service: Service,
    /// Where it answers, when not at the service's own name.
    path: Option<String>,
    generation: Option<String>,
    /// By which name the simulator is called, when not by its address.
    host: Option<String>,
    key: String,
    #[serde(default = "one")]
    at_once: u32,
    #[serde(default)]
    long: bool,
    /// Nothing can be ordered here, so that its jobs wait for the user at the end of the day.
    #[serde(default)]
    broke: bool,
    jobs: Vec<Job>,
    #[serde(default)]
    faults: Vec<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    model: String,
    prompt: String,
    #[serde(default)]
    params: Map<String, Value>,
    ceiling: Option<String>,
}

fn one() -> u32 {
    1
}

impl Day {
    /// The script, for these services; a brief day leaves out what only waits.
    ///
    /// # Errors
    /// A sentence when the script itself is wrong.
    pub(super) fn script(services: &[Service], brief: bool) -> Result<Day, String> {
        let mut day: Day = toml::from_str(include_str!("day.toml")).map_err(|error| format!("day.toml: {error}"))?;
        day.accounts.retain(|account| services.contains(&account.service) && !(brief && account.long));
        Ok(day)
    }

    /// The accounts as the engine is told of them, at the simulator's address.
    pub(super) fn accounts(&self, url: &str) -> Vec<AccountSettings> {
        let base_url = |account: &Account| {
            let url = account.host.as_ref().map_or(url.to_owned(), |host| url.replace("127.0.0.1", host));
            format!("{url}/{}", account.path.as_deref().unwrap_or(account.service.word()))
        };
        let account = |account: &Account| AccountSettings {
            name: account.name.clone(),
            service: account.service,
            base_url: base_url(account),
            origin: "torture".to_owned(),
            key: account.key.clone().into(),
            max_in_flight: account.at_once,
            poll_interval: POLL,
            allow_insecure: false,
            generation: account.generation.clone(),
            caps: crate::engine::Caps::default(),
            shared: false,
        };
        self.accounts.iter().map(account).collect()
    }

    /// All its jobs in their order, each with a key that makes it known again.
    ///
    /// # Errors
    /// A sentence when the script itself is wrong.
    pub(super) fn jobs(&self, picture: &Path) -> Result<Vec<NewJob>, String> {
        let mut jobs = Vec::new();
        for account in &self.accounts {
            for job in &account.jobs {
                let model: ModelRef = format!("{}/{}", account.name, job.model)
                    .parse()
                    .map_err(|error| format!("{}: {error}", job.model))?;
                let mut request = Request::new(&model, job.prompt.clone());
                for (name, value) in &job.params {
                    let value = if value == "picture" { picture.to_string_lossy().into() } else { value.clone() };
                    request.params.insert(name.clone(), value);
                }
                let ceiling = job.ceiling.as_deref().map(|text| Money::parse(text, Currency::Usd));
                let ceiling = ceiling.transpose().map_err(|error| format!("{}: {error}", job.prompt))?;
                jobs.push(NewJob { key: Some(job.prompt.clone()), ceiling, ..NewJob::of(request) });
            }
        }
        Ok(jobs)
    }

    /// Which service a point is about: `j-12` by the job's place in the day, else an account's name.
    pub(super) fn service_of(&self, subject: &str) -> Option<Service> {
        let number: Option<usize> = subject.strip_prefix("j-").and_then(|number| number.parse().ok());
        let Some(number) = number else {
            return self.accounts.iter().find(|account| account.name == subject).map(|account| account.service);
        };
        let mut owners = self.accounts.iter().flat_map(|account| account.jobs.iter().map(|_| account.service));
        owners.nth(number.checked_sub(1)?)
    }

    /// Whether nothing can be ordered at an account.
    pub(super) fn is_broke(&self, name: &str) -> bool {
        self.accounts.iter().any(|account| account.name == name && account.broke)
    }

    /// Whether a job, `j-12` by its place in the day, is steered to be slow.
    pub(super) fn is_slow(&self, job: &str) -> bool {
        let number: Option<usize> = job.strip_prefix("j-").and_then(|number| number.parse().ok());
        let mut jobs = self.accounts.iter().flat_map(|account| &account.jobs);
        number.and_then(|number| jobs.nth(number.checked_sub(1)?)).is_some_and(|job| job.prompt.contains("[slow]"))
    }

    /// The faults to be ordered at the simulator after a kill, as it takes them.
    pub(super) fn leftovers(&self) -> impl Iterator<Item = Value> {
        self.leftovers.iter().cloned().map(Value::Object)
    }

    /// The faults to be ordered at the simulator, as it takes them.
    pub(super) fn faults(&self) -> Vec<Value> {
        let faults = self.accounts.iter().flat_map(|account| {
            account.faults.iter().map(|fault| {
                let mut fault = fault.clone();
                fault.insert("service".to_owned(), account.service.word().into());
                fault.insert("key".to_owned(), account.key.clone().into());
                Value::Object(fault)
            })
        });
        faults.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every kind of fault that `account` of the day is met by at `route`, or at any for `None`.
    fn kinds(service: Option<Service>, route: Option<&str>) -> BTreeSet<String> {
        let day = Day::script(&Service::ALL, false).unwrap();
        let meant = |fault: &&Value| {
            service.is_none_or(|service| fault["service"] == service.word())
                && route.is_none_or(|route| fault["route"] == route)
        };
        day.faults().iter().filter(meant).map(|fault| fault["kind"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_day_has_every_kind_of_fault_and_each_that_can_meet_an_order_at_each_service() {
        let known: BTreeSet<String> = crate::sim::FAULT_KINDS.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(kinds(None, None), known);
        let for_clips = ["short_clip", "html_clip", "gone_clip"];
        for service in Service::ALL {
            let mut missing = &known - &kinds(Some(service), Some("submit"));
            missing.retain(|kind| !for_clips.contains(&kind.as_str()));
            assert!(missing.is_empty(), "no order at {service} meets {missing:?}");
        }
        for service in [Service::Ninjachat, Service::Nanogpt] {
            for route in ["status", "clip", "balance"] {
                let found = kinds(Some(service), Some(route));
                let missing: Vec<_> = ["html", "cut", "empty", "hang", "drop_before", "redirect", "delay"]
                    .into_iter()
                    .filter(|kind| !found.contains(*kind))
                    .collect();
                assert!(missing.is_empty(), "{route} at {service} never meets {missing:?}");
            }
        }
    }
}
