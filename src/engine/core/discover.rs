//! What the services say of their models: when they are asked, and what a changed list means.
//!
//! Knows ages and differences. Must not know any wire; a list that cannot be had troubles no order.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::schedule::delay;
use super::{Core, Step};
use crate::catalog::{Change as Differs, Difference, differences};
use crate::domain::Model;
use crate::domain::message::Level;
use crate::provider::ServiceError;
use crate::store::{Change, StoredCatalogue};

/// A list older than this is asked for again.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// First wait before a list that could not be had is asked for again by itself.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// The kind of the log's lines about changed models.
pub const CHANGED: &str = "models_changed";

/// One account's list: when it was asked for, and when it is again.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    /// When the list that is known was had.
    at: Option<Timestamp>,
    /// Wanted from this time on.
    due: Option<Timestamp>,
    /// Not asked for again by itself before this time.
    rest_until: Option<Timestamp>,
    asking: bool,
    /// The user asked and is told what came of it, be it nothing.
    by_user: bool,
    failures: u32,
}

impl Discovery {
    /// A list that was had before.
    pub(super) fn had(at: Timestamp) -> Discovery {
        Discovery { at: Some(at), ..Discovery::default() }
    }

    /// Whether the list is to be asked for now: it is wanted, or was had too long ago.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let is_wanted = self.due.is_some_and(|due| due <= now);
        let is_stale = self.at.is_none_or(|at| now.duration_since(at) > STALE);
        let is_rested = self.rest_until.is_none_or(|until| until <= now);
        !self.asking && (is_wanted || (is_stale && is_rested))
    }

    /// When it is wanted; an old list alone wakes nobody.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due.filter(|_| !self.asking)
    }

    pub(super) fn begin(&mut self) {
        (self.asking, self.due) = (true, None);
    }
}

impl Core {
    /// Wants every account's list, at the user's word.
    pub(super) fn want_models(&mut self) {
        let now = self.now;
        for account in self.accounts.values_mut() {
            (account.discovery.due, account.discovery.by_user) = (Some(now), true);
        }
    }

    /// Takes the generation that a probe found; the models of another one are not offered any more.
    pub(super) fn settle_generation(&mut self, name: &str, generation: Option<String>, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        if generation.is_none() || account.generation == generation {
            return;
        }
        let before = std::mem::replace(&mut account.generation, generation.clone());
        let now_is = generation.unwrap_or_default();
        if let Some(before) = before {
            // What the other one listed says nothing of this one.
            account.discovery = Discovery::default();
            self.stock.catalog.forget(name);
            let text = format!(
                "{name} speaks another generation of its interface now: {now_is}, not {before}; jobs that wait are checked against its models again"
            );
            self.tell_of(name, "generation_changed", text.clone(), json!({"from": before, "to": now_is}), step);
            self.notice(Level::Warning, text, step);
        }
        self.restock(step);
    }

    pub(super) fn discovered(&mut self, name: &str, result: Result<Vec<Model>, ServiceError>, step: &mut Step) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return };
        let discovery = &mut account.discovery;
        discovery.asking = false;
        let by_user = std::mem::take(&mut discovery.by_user);
        let is_first = discovery.at.is_none();
        match result {
            Ok(models) => {
                *discovery = Discovery::had(now);
                let catalogue = StoredCatalogue {
                    account: name.to_owned(),
                    origin: account.origin.clone(),
                    generation: account.generation.clone(),
                    at: now,
                    models,
                };
                self.recover(name, step);
                self.take_list(name, catalogue, (is_first, by_user), step);
            }
            Err(error) => {
                let wait = error.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
                let wait = delay(FIRST_WAIT, discovery.failures, now.as_millisecond().unsigned_abs())
                    .max(wait.unwrap_or_default());
                discovery.rest_until = Some(now.checked_add(wait).unwrap_or(Timestamp::MAX));
                discovery.failures = discovery.failures.saturating_add(1);
                if discovery.failures == 1 || by_user {
                    let text = format!(
                        "{name}: its list of models could not be had: {}; orders go on with what is known, and it is asked again by itself",
                        error.message
                    );
                    self.notice(Level::Info, text, step);
                }
            }
        }
    }

    fn take_list(
        &mut self,
        name: &str,
        catalogue: StoredCatalogue,
        (is_first, by_user): (bool, bool),
        step: &mut Step,
    ) {
        let before = self.stock.of_account(name);
        self.stock.catalog = std::mem::take(&mut self.stock.catalog).with_discovered(name, &catalogue.models);
        let describes = !catalogue.models.is_empty();
        step.changes.push(Change::PutCatalogue(catalogue));
        self.restock(step);
        let changed = differences(&before, &self.stock.of_account(name));
        if !changed.is_empty() {
            let text = match is_first {
                // Nothing moved since yesterday: these are the differences to what is built in.
                true => format!("{name}: its own list is used; against the documents built in: {}", counted(&changed)),
                false => summary(name, &changed),
            };
            self.tell_of(name, CHANGED, text.clone(), told(&changed), step);
            self.notice(Level::Info, format!("{text}; `rushes models --changes` lists them"), step);
        } else if by_user {
            let text = match describes {
                true => format!("{name}: its models are as they were"),
                false => format!("{name} does not describe its models; what its documents say is used"),
            };
            self.notice(Level::Info, text, step);
        }
    }
}

/// What changed, counted: `nanogpt: 2 new models, 1 gone, 1 price moved`.
pub fn summary(account: &str, changed: &[Difference]) -> String {
    format!("{account}: {}", counted(changed))
}

fn counted(changed: &[Difference]) -> String {
    let count = |of: fn(&Differs) -> bool| changed.iter().filter(|difference| of(&difference.change)).count();
    let parts = [
        (count(|c| matches!(c, Differs::New)), "new model", "new models"),
        (count(|c| matches!(c, Differs::Gone)), "gone", "gone"),
        (count(|c| matches!(c, Differs::PriceMoved { .. })), "price moved", "prices moved"),
        (count(|c| matches!(c, Differs::ParametersChanged(_))), "with other parameters", "with other parameters"),
    ];
    let some = parts.into_iter().filter(|(n, ..)| *n > 0);
    let texts: Vec<String> = some.map(|(n, one, many)| format!("{n} {}", if n == 1 { one } else { many })).collect();
    texts.join(", ")
}

/// The same one by one, for programs.
pub fn told(changed: &[Difference]) -> Value {
    let one = |difference: &Difference| {
        let (kind, detail) = match &difference.change {
            Differs::New => ("new", Value::Null),
            Differs::Gone => ("gone", Value::Null),
            Differs::PriceMoved { from, to } => ("price_moved", json!({"from": from, "to": to})),
            Differs::ParametersChanged(changes) => ("parameters_changed", json!(changes)),
        };
        json!({"model": difference.model, "change": kind, "detail": detail, "text": difference.to_string()})
    };
    Value::Array(changed.iter().map(one).collect())
}
