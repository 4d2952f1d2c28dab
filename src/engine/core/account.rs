//! Accounts as the core sees them: where they live, how often they may order, and what they hold.
//!
//! Knows plans, probes and balances. Must not know keys or wires, nor what a failure means.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::accounting::Wallet;
use super::discover::Discovery;
use super::first::FirstBalance;
use super::host::{Call, Host};
use super::limiter::Limiter;
use super::trace::Trace;
use super::wary::Repeat;
use super::{Core, Effect, Step};
use crate::domain::message::{AccountRow, Event};
use crate::domain::{AccountProfile, Balance, Caps, ErrorKind, JobId, Money, Pause, Service};
use crate::provider::ServiceError;
use crate::provider::limits::Limits;
use crate::store::{Change, StoredAccount, StoredLimiter};

/// Least time between two balance calls of one account.
const BALANCE_REST: SignedDuration = SignedDuration::from_secs(10);

/// One account.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// Its place in the config, for listing.
    pub place: usize,
    /// The host it counts against, together with others there; its own name where nobody says.
    pub host: String,
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
    /// The generation of its interface: as set, as the last probe found, or as the one before the start.
    pub generation: Option<String>,
    /// Why its queued jobs wait.
    pub pause: Option<Pause>,
    /// What it holds, one per currency.
    pub balances: Vec<Balance>,
    /// What its service's host allows.
    pub(super) limits: Limits,
    /// Orders of this account alone, as its plan says.
    per_minute: Limiter,
    pub(super) per_day: Limiter,
    /// Orders were counted, or something else that is kept beside them, since that was stored last.
    pub(super) is_news: bool,
    pub(super) discovery: Discovery,
    probing: bool,
    /// It waits because of what its last probe said.
    probed_in_vain: bool,
    pub(super) asking: bool,
    /// What it last said it holds cannot be, which was told.
    pub(super) lied: bool,
    /// A balance is wanted from this time on.
    pub(super) balance_due: Option<Timestamp>,
    balance_at: Option<Timestamp>,
    pub(super) first_balance: FirstBalance,
    pub(super) trouble: Option<String>,
    /// Jobs that were paid for and gave no clip, since the last that did.
    pub(super) losses: BTreeSet<JobId>,
    /// Whether others spend on it, too: a difference is theirs.
    pub shared: bool,
    pub(super) wallet: Wallet,
    /// A lost order that the next balance may tell of.
    pub(super) trace: Option<Trace>,
    /// Repeats of orders that no balance has shown to be no other orders yet.
    pub(super) repeats: Vec<Repeat>,
    /// Models that were charged above what was set aside, and what is told of it, until the user lets one of
    /// their jobs go.
    pub(super) dear: BTreeMap<String, String>,
    /// It took a repeat for another order: nothing is repeated there.
    pub(super) wary: bool,
    /// When something was charged or refunded last.
    pub(super) booked_at: Option<Timestamp>,
}

impl Account {
    /// An account with its documented limits.
    pub fn new(name: String, service: Service, place: usize, limits: Limits) -> Self {
        Account {
            host: name.clone(),
            name,
            service,
            place,
            origin: String::new(),
            fingerprint: String::new(),
            max_in_flight: 4,
            poll_interval: SignedDuration::from_secs(10),
            caps: Caps::default(),
            profile: None,
            generation: None,
            pause: None,
            balances: Vec::new(),
            limits,
            per_minute: Limiter::new(None, SignedDuration::from_secs(60)),
            per_day: Limiter::coarse(None, SignedDuration::from_hours(24)),
            is_news: false,
            discovery: Discovery::default(),
            probing: false,
            probed_in_vain: false,
            asking: false,
            lied: false,
            balance_due: None,
            balance_at: None,
            first_balance: FirstBalance::default(),
            trouble: None,
            losses: BTreeSet::new(),
            shared: false,
            wallet: Wallet::default(),
            trace: None,
            repeats: Vec::new(),
            dear: BTreeMap::new(),
            wary: false,
            booked_at: None,
        }
    }

    /// What accounts have in common that are paid from one balance; `None` where nobody knows the key.
    pub(super) fn purse(&self) -> Option<String> {
        let known = !self.fingerprint.is_empty();
        known.then(|| format!("{} {} {}", self.service, self.origin, self.fingerprint))
    }

    /// Wants the balance at a time, or earlier where that is wanted already.
    pub(super) fn want_balance_at(&mut self, due: Timestamp) {
        self.balance_due = Some(self.balance_due.map_or(due, |wanted| wanted.min(due)));
    }

    /// Wants the balance at once: nothing of ours can move it now.
    pub(super) fn want_closing_balance(&mut self, now: Timestamp) {
        self.want_balance_at(now);
        self.wallet.closing = true;
    }

    /// Whether a closing balance is still to come, as far as it can.
    pub(super) fn is_closing(&self) -> bool {
        let is_reached = self.profile.is_some() || self.probing || self.wants_probe();
        self.wallet.closing && self.pause.is_none() && self.trouble.is_none() && is_reached
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

    /// Whether it is to be asked where it lives: also while it orders nothing, since what was ordered
    /// before the start is polled on; but not over and over where that very question made it wait.
    pub(super) fn wants_probe(&self) -> bool {
        let waits = self.pause.is_some() && (self.probed_in_vain || self.is_locked_out());
        self.profile.is_none() && !waits
    }

    /// When its plan allows the next order, `due` or later.
    fn plan_free_at(&self, due: Timestamp) -> Timestamp {
        self.per_day.free_at(self.per_minute.free_at(due))
    }

    pub(super) fn count_order(&mut self, now: Timestamp) {
        self.per_minute.take(now);
        self.per_day.take(now);
        self.is_news = true;
    }

    /// When something about this account may change by time alone; may lie in the past.
    pub(super) fn wakes(&self, host: &Host, has_queued: bool, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let pause = self.pause.as_ref().and_then(|pause| pause.until);
        let orders = has_queued.then(|| self.plan_free_at(host.free_at(Call::Order, now)));
        let wanted = match (&self.pause, &self.profile) {
            _ if self.wants_probe() => (!self.probing).then_some(now),
            (Some(_), _) | (None, None) => None,
            (None, Some(_)) => [self.balance_due, self.discovery.due()].into_iter().flatten().min(),
        };
        let free = wanted.map(|due| host.free_at(Call::Free, due.max(now)));
        let rests = host.wakes();
        let first = self.first_balance.ends().filter(|_| has_queued);
        [pause, orders, wanted, free, first].into_iter().flatten().chain(rests)
    }

    pub(super) fn stored(&self) -> StoredAccount {
        StoredAccount {
            name: self.name.clone(),
            service: self.service,
            origin: self.origin.clone(),
            fingerprint: self.fingerprint.clone(),
            profile: self.profile.clone(),
            pause: self.pause.clone(),
        }
    }

    /// The orders counted against its plan and the row of losses, where there is news of them.
    pub(super) fn take_news(&mut self) -> Option<Value> {
        std::mem::take(&mut self.is_news).then(|| {
            json!({
                "per_minute": self.per_minute, "per_day": self.per_day,
                "losses": self.losses, "wary": self.wary, "dear": self.dear, "fingerprint": self.fingerprint,
            })
        })
    }

    /// Goes on from what was stored. What cannot be read counts as nothing.
    pub(super) fn restore(&mut self, state: &Value) {
        let read = |name: &str| serde_json::from_value::<Limiter>(state[name].clone()).ok();
        read("per_minute").into_iter().for_each(|stored| self.per_minute.restore(stored));
        read("per_day").into_iter().for_each(|stored| self.per_day.restore(stored));
        if state["fingerprint"] == self.fingerprint.as_str() {
            self.losses = serde_json::from_value(state["losses"].clone()).unwrap_or_default();
            self.wary = state["wary"] == true;
            self.dear = serde_json::from_value(state["dear"].clone()).unwrap_or_default();
        }
    }

    /// Counts a job that was paid for and gave no clip; false where it was counted before.
    pub(super) fn lose(&mut self, job: JobId) -> bool {
        let is_new = self.losses.insert(job);
        self.is_news |= is_new;
        is_new
    }

    /// The row of losses is over.
    pub(super) fn forget_losses(&mut self) {
        self.is_news |= !self.losses.is_empty();
        self.losses.clear();
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

    /// What was counted against limits since it was kept last.
    pub fn counted(&mut self) -> Vec<Change> {
        let at = self.now;
        let limiter = |name: String, state| Change::PutLimiter(StoredLimiter { host: name, at, state });
        let hosts = self.hosts.iter_mut().filter_map(|(name, host)| Some((format!("host {name}"), host.take_news()?)));
        let accounts = self.accounts.values_mut();
        let accounts = accounts.filter_map(|account| Some((format!("account {}", account.name), account.take_news()?)));
        hosts.chain(accounts).map(|(name, state)| limiter(name, state)).collect()
    }

    /// Probes accounts that were not probed, and asks for balances and lists of models that are wanted.
    pub(super) fn start_accounts(&mut self, step: &mut Step) {
        let now = self.now;
        let adopting = self.adopting();
        let before = step.effects.len();
        for account in self.accounts.values_mut() {
            let Some(host) = self.hosts.get_mut(&account.host) else { continue };
            let interval = account.poll_interval;
            let mut may_call = || {
                let may = host.free_at(Call::Free, now) <= now;
                if may {
                    host.count(Call::Free, interval, now);
                }
                may
            };
            let Some(profile) = account.profile.clone() else {
                if account.wants_probe()
                    && !account.probing
                    && (!self.draining || adopting.contains(&account.name))
                    && may_call()
                {
                    account.probing = true;
                    step.effects.push(Effect::Probe { account: account.name.clone() });
                }
                continue;
            };
            if account.pause.is_some() {
                continue;
            }
            if !account.asking && account.balance_due.is_some_and(|due| due <= now) && may_call() {
                account.asking = true;
                account.balance_due = None;
                account.balance_at = Some(now);
                step.effects.push(Effect::Balance { account: account.name.clone(), profile: profile.clone() });
            }
            if !self.draining && account.discovery.is_due(now) && may_call() {
                account.discovery.begin();
                step.effects.push(Effect::Discover { account: account.name.clone(), profile });
            }
        }
        self.note_asked(&step.effects[before..]);
    }

    /// When an account may order next: by its host, and by its plan.
    pub(super) fn order_free_at(&self, account: &Account, call: Call) -> Timestamp {
        let host = self.hosts.get(&account.host).map_or(self.now, |host| host.free_at(call, self.now));
        account.plan_free_at(host)
    }

    /// Counts an order.
    pub(super) fn count_order(&mut self, name: &str, call: Call) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.count_order(now);
        if let Some(host) = self.hosts.get_mut(&account.host) {
            host.count(call, account.poll_interval, now);
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
                account.per_minute.allow(profile.per_minute);
                account.per_day.allow(profile.per_day);
                let generation = profile.generation.clone();
                account.profile = Some(profile);
                account.probed_in_vain = false;
                step.changes.push(Change::PutAccount(account.stored()));
                self.settle_generation(name, generation, step);
                self.recover(name, step);
                self.want_balance(name);
                self.touch(name, step);
                let now = self.now;
                self.accounts.get_mut(name).into_iter().for_each(|account| account.first_balance.reached(now));
            }
            Err(error) => {
                let before = account.pause.clone();
                self.trouble(name, Call::Free, &error, step);
                if let Some(account) = self.accounts.get_mut(name) {
                    account.probed_in_vain = account.pause != before;
                }
            }
        }
    }

    /// Tells the faces about jobs of an account in one go, after many changed.
    pub(super) fn tell_accounts(&self, step: &mut Step) {
        for account in self.accounts.values() {
            step.events.push(Event::AccountChanged(Box::new(self.account_row(account))));
        }
    }
}
