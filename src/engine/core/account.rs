//! Accounts as the core sees them: whether they may be used, how often, and what they hold.
//!
//! Knows pauses, back-off and windows. Must not know keys or wires.

use jiff::{SignedDuration, Timestamp};

use super::budget::Caps;
use super::schedule::{HostWindow, Window, delay};
use super::{Core, Effect, Step};
use crate::domain::message::{AccountRow, Event, Level};
use crate::domain::{AccountProfile, Balance, ErrorKind, Money, Pause, Service};
use crate::provider::ServiceError;
use crate::provider::limits::Limits;
use crate::store::{Change, NewLine, StoredAccount};

/// First wait after a failed call to an account's host.
const FIRST_BACK_OFF: SignedDuration = SignedDuration::from_secs(2);

/// Least time between two balance calls of one account.
const BALANCE_REST: SignedDuration = SignedDuration::from_secs(10);

/// A wait the service asks for that is longer than this pauses the account and says until when.
const LONG_WAIT: SignedDuration = SignedDuration::from_secs(5);

/// Used where a service says "too many" without saying for how long.
const UNSAID_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// One account.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// Its place in the config, for listing.
    pub place: usize,
    /// What jobs remember as its origin.
    pub origin: String,
    /// Salted fingerprint of its key.
    pub fingerprint: String,
    /// Most jobs at the service at once.
    pub max_in_flight: u32,
    /// Time between two polls of a job.
    pub poll_interval: SignedDuration,
    /// Its own caps.
    pub caps: Caps,
    /// What a probe found.
    pub profile: Option<AccountProfile>,
    /// Why its queued jobs wait.
    pub pause: Option<Pause>,
    /// What it holds, one per currency.
    pub balances: Vec<Balance>,
    /// Orders to the host, by whichever account.
    submits: Option<HostWindow>,
    /// Calls of any kind to the host, by whichever account.
    calls: Option<HostWindow>,
    /// Orders of this account alone, as its plan says.
    plan: Option<Window>,
    probing: bool,
    asking: bool,
    /// A balance is wanted from this time on.
    balance_due: Option<Timestamp>,
    balance_at: Option<Timestamp>,
    failures: u32,
    /// Nothing is sent before this time after failures.
    rest_until: Option<Timestamp>,
    trouble: Option<String>,
}

impl Account {
    /// An account with its documented limits.
    pub fn new(name: String, service: Service, place: usize, limits: Limits) -> Self {
        Account {
            name,
            service,
            place,
            origin: String::new(),
            fingerprint: String::new(),
            max_in_flight: 4,
            poll_interval: SignedDuration::from_secs(10),
            caps: Caps::default(),
            profile: None,
            pause: None,
            balances: Vec::new(),
            submits: limits.submits_per_minute.map(|n| HostWindow::new(n, SignedDuration::from_secs(60))),
            // A few calls a second are left for balances and probes.
            calls: limits.calls_per_second.map(|n| HostWindow::new((n * 4 / 5).max(1), SignedDuration::from_secs(1))),
            plan: None,
            probing: false,
            asking: false,
            balance_due: None,
            balance_at: None,
            failures: 0,
            rest_until: None,
            trouble: None,
        }
    }

    /// Counts its calls together with those of another account at the same host: services limit an
    /// address, not a key (seed 002, "Rate Limits").
    pub fn share_host(&mut self, other: &Account) {
        self.submits.clone_from(&other.submits);
        self.calls.clone_from(&other.calls);
    }

    /// Whether queued jobs wait for the user.
    pub fn is_stopped(&self) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.until.is_none())
    }

    /// Whether its key is not taken, so that nothing can be asked with it.
    pub(super) fn is_locked_out(&self) -> bool {
        self.is_stopped() && self.pause.as_ref().is_some_and(|pause| pause.kind == ErrorKind::Authentication)
    }

    /// Whether it is being asked where it lives.
    pub(super) fn is_probing(&self) -> bool {
        self.probing
    }

    /// When the next call of any kind may be made, `due` or later.
    pub fn call_free_at(&self, due: Timestamp) -> Timestamp {
        let free = self.calls.as_ref().map_or(due, |window| window.free_at(due));
        free.max(self.rest_until.unwrap_or(free))
    }

    /// When the next order may be sent.
    pub(super) fn submit_free_at(&self, now: Timestamp) -> Timestamp {
        let call = self.call_free_at(now);
        let host = self.submits.as_ref().map_or(call, |window| window.free_at(call));
        self.plan.as_ref().map_or(host, |window| window.free_at(host))
    }

    pub(super) fn count_submit(&mut self, now: Timestamp) {
        if let Some(window) = &self.submits {
            window.take(now);
        }
        if let Some(window) = &mut self.plan {
            window.take(now);
        }
        self.count_call(now);
    }

    pub(super) fn count_call(&mut self, now: Timestamp) {
        if let Some(window) = &self.calls {
            window.take(now);
        }
    }

    /// When something about this account may change by time alone; may lie in the past.
    pub(super) fn wakes(&self, has_queued: bool) -> impl Iterator<Item = Timestamp> {
        let pause = self.pause.as_ref().and_then(|pause| pause.until);
        let orders = has_queued.then(|| self.submit_free_at(Timestamp::MIN));
        [pause, orders, self.rest_until, self.balance_due].into_iter().flatten()
    }

    fn stored(&self) -> StoredAccount {
        StoredAccount {
            name: self.name.clone(),
            service: self.service,
            origin: self.origin.clone(),
            fingerprint: self.fingerprint.clone(),
            profile: self.profile.clone(),
            pause: self.pause.clone(),
        }
    }
}

impl Core {
    pub(super) fn account_row(&self, account: &Account) -> AccountRow {
        let reserved = self
            .budget
            .ledger()
            .sums
            .iter()
            .filter(|((name, _), sums)| *name == account.name && !sums.reserved.is_zero());
        AccountRow {
            name: account.name.clone(),
            service: account.service,
            balances: account.balances.clone(),
            reserved: reserved.map(|((_, currency), sums)| Money::new(sums.reserved, *currency)).collect(),
            plan: account.profile.as_ref().and_then(|p| p.plan.clone()),
            per_minute: account.profile.as_ref().and_then(|p| p.per_minute),
            pause: account.pause.clone(),
            trouble: account.trouble.clone(),
            in_flight: self.jobs.at_service(&account.name),
            max_in_flight: account.max_in_flight,
        }
    }

    /// Probes accounts that were not probed, and asks for balances that are wanted.
    pub(super) fn start_accounts(&mut self, step: &mut Step) {
        let now = self.now;
        for account in self.accounts.values_mut() {
            let rested = account.rest_until.is_none_or(|until| until <= now);
            if account.pause.is_some() || !rested {
                continue;
            }
            match &account.profile {
                None if !account.probing && !self.draining => {
                    account.probing = true;
                    account.count_call(now);
                    step.effects.push(Effect::Probe { account: account.name.clone() });
                }
                Some(profile) if !account.asking && account.balance_due.is_some_and(|due| due <= now) => {
                    let effect = Effect::Balance { account: account.name.clone(), profile: profile.clone() };
                    account.asking = true;
                    account.balance_due = None;
                    account.balance_at = Some(now);
                    account.count_call(now);
                    step.effects.push(effect);
                }
                _ => {}
            }
        }
    }

    /// Wants an account's balance soon: at once, or when the last call is long enough ago.
    pub(super) fn want_balance(&mut self, account: &str) {
        let now = self.now;
        if let Some(account) = self.accounts.get_mut(account) {
            let due = account.balance_at.map_or(now, |at| (at + BALANCE_REST).max(now));
            account.balance_due.get_or_insert(due);
        }
    }

    pub(super) fn probed(&mut self, name: &str, result: Result<AccountProfile, ServiceError>, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.probing = false;
        match result {
            Ok(profile) => {
                if let Some(per_minute) = profile.per_minute {
                    account.plan = Some(Window::new(per_minute, SignedDuration::from_secs(60)));
                }
                account.profile = Some(profile);
                step.changes.push(Change::PutAccount(account.stored()));
                self.recover(name, step);
                self.want_balance(name);
                self.touch(name, step);
            }
            Err(error) => self.trouble(name, &error, step),
        }
    }

    pub(super) fn balanced(&mut self, name: &str, result: Result<Vec<Money>, ServiceError>, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.asking = false;
        match result {
            Ok(amounts) => {
                for money in amounts {
                    self.see_balance(name, money, "balance", step);
                }
                self.recover(name, step);
            }
            Err(error) => self.trouble(name, &error, step),
        }
    }

    /// Notes what a service said an account holds.
    pub(super) fn see_balance(&mut self, name: &str, money: Money, source: &str, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        let balance = Balance { money, seen_at: self.now, source: source.to_owned() };
        account.balances.retain(|b| b.money.currency != money.currency);
        account.balances.push(balance.clone());
        account.balances.sort_by_key(|b| b.money.currency);
        step.changes.push(Change::SeeBalance { account: name.to_owned(), balance });
        self.touch(name, step);
    }

    /// The service answered: whatever was wrong on the way is over.
    pub(super) fn recover(&mut self, name: &str, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.failures = 0;
        account.rest_until = None;
        if account.trouble.take().is_some() {
            self.touch(name, step);
        }
    }

    /// A call failed: pauses the account where the user must act, rests it where time helps.
    /// Returns when to try again, where time helps.
    pub(super) fn trouble(&mut self, name: &str, error: &ServiceError, step: &mut Step) {
        match error.kind {
            ErrorKind::Authentication => {
                let message = format!("{}; set a valid key for {name}, then resume it", error.message);
                self.pause(name, Pause { kind: error.kind, message, until: None }, step);
            }
            ErrorKind::Balance => {
                let needed = error.required.map(|m| format!(" ({m} needed)")).unwrap_or_default();
                let message = format!("{}{needed}; add money to {name}, then resume it", error.message);
                self.pause(name, Pause { kind: error.kind, message, until: None }, step);
                self.want_balance(name);
            }
            ErrorKind::RateLimit => {
                let wait = error.retry_after.and_then(|w| SignedDuration::try_from(w).ok()).unwrap_or(UNSAID_WAIT);
                let until = self.now.checked_add(wait).unwrap_or(Timestamp::MAX);
                if wait > LONG_WAIT {
                    let pause = Pause { kind: error.kind, message: error.message.clone(), until: Some(until) };
                    self.pause(name, pause, step);
                } else if let Some(account) = self.accounts.get_mut(name) {
                    account.rest_until = account.rest_until.max(Some(until));
                }
            }
            _ => {
                let now = self.now;
                let Some(account) = self.accounts.get_mut(name) else { return };
                let wait = delay(FIRST_BACK_OFF, account.failures, now.as_millisecond().unsigned_abs());
                account.failures = account.failures.saturating_add(1);
                account.rest_until = Some(now + wait);
                let is_news = account.trouble.as_ref() != Some(&error.message);
                account.trouble = Some(error.message.clone());
                self.touch(name, step);
                if is_news {
                    let text = format!("{name}: {}; tried again by itself, nothing is lost", error.message);
                    self.notice(Level::Warning, text, step);
                }
            }
        }
    }

    pub(super) fn pause(&mut self, name: &str, pause: Pause, step: &mut Step) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return };
        let stays = |old: &Pause| match (old.until, pause.until) {
            (None, None) => old.kind == pause.kind,
            // What waits for the user is not ended by a clock, nor a long wait by a shorter one.
            (None, Some(_)) => true,
            (Some(old), Some(new)) => old >= new,
            (Some(_), None) => false,
        };
        if account.pause.as_ref().is_some_and(stays) {
            return;
        }
        let text = match pause.until {
            Some(_) => format!("{name} waits: {}", pause.message),
            None => format!("{name} is paused: {}. Its jobs stay queued; other accounts go on", pause.message),
        };
        account.pause = Some(pause);
        step.changes.push(Change::PutAccount(account.stored()));
        step.changes.push(Change::AddLine(NewLine {
            at: now,
            job: None,
            account: Some(name.to_owned()),
            kind: "paused".to_owned(),
            text: text.clone(),
            data: serde_json::Value::Null,
        }));
        self.touch(name, step);
        self.notice(Level::Warning, text, step);
    }

    /// Ends a pause at the user's word.
    pub(super) fn resume(&mut self, name: &str, step: &mut Step) -> bool {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return false };
        account.rest_until = None;
        account.failures = 0;
        if account.pause.take().is_some() {
            step.changes.push(Change::PutAccount(account.stored()));
            step.changes.push(Change::AddLine(NewLine {
                at: now,
                job: None,
                account: Some(name.to_owned()),
                kind: "resumed".to_owned(),
                text: format!("{name} goes on"),
                data: serde_json::Value::Null,
            }));
            self.touch(name, step);
        }
        true
    }

    /// Ends pauses whose time has come.
    pub(super) fn end_pauses(&mut self, step: &mut Step) {
        let now = self.now;
        let over = |account: &&Account| account.pause.as_ref().and_then(|p| p.until).is_some_and(|until| until <= now);
        let names: Vec<String> = self.accounts.values().filter(over).map(|a| a.name.clone()).collect();
        for name in names {
            self.resume(&name, step);
        }
    }

    /// Tells the faces about jobs of an account in one go, after many changed.
    pub(super) fn tell_accounts(&self, step: &mut Step) {
        for account in self.accounts.values() {
            step.events.push(Event::AccountChanged(Box::new(self.account_row(account))));
        }
    }
}
