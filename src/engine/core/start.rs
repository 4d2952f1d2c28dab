//! What a start makes of what is on disk.
//!
//! Knows the law: intent without answer is unconfirmed; an id is polled on; links and parts are
//! downloaded on; queued goes on. Nothing here goes back to the queue by itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::budget::Budget;
use super::discover::Discovery;
use super::host::Host;
use super::pace::Pace;
use super::room::Room;
use super::roster::Roster;
use super::stock::Stock;
use super::{Account, Core, CoreSettings, Step, Work};
use crate::catalog::Catalog;
use crate::domain::message::Level;
use crate::domain::{EntryKind, ErrorKind, Hold, JobError, JobState};
use crate::mutation::mutated;
use crate::store::Loaded;

impl Core {
    /// A core over what is on disk, and the first step: the classification of every job left open.
    pub fn start(
        settings: CoreSettings,
        mut accounts: Vec<Account>,
        catalog: Catalog,
        loaded: Loaded,
        now: Timestamp,
    ) -> (Core, Step) {
        let now = loaded.last_seen.map_or(now, |seen| seen.max(now));
        for entry in loaded.recent.iter().filter(|e| matches!(e.kind, EntryKind::Charged | EntryKind::Refunded)) {
            let account = accounts.iter_mut().find(|account| account.name == entry.account);
            account.into_iter().for_each(|account| account.booked_at = account.booked_at.max(Some(entry.at)));
        }
        let zones = loaded.zones(settings.zone.clone(), now);
        let kept = zones.kept();
        let moved =
            loaded.zones.as_ref().is_none_or(|known| *known != kept).then_some(crate::store::Change::PutZones(kept));
        let budget = Budget::new(zones, now, loaded.ledger, &loaded.recent);
        let mut hosts = BTreeMap::new();
        for account in &accounts {
            hosts.entry(account.host.clone()).or_insert_with(|| Host::new(account.limits));
        }
        let mut core = Core {
            settings,
            accounts: accounts.into_iter().map(|a| (a.name.clone(), a)).collect(),
            hosts,
            stock: Stock::new(catalog, loaded.observations),
            jobs: Roster::of(loaded.active),
            work: BTreeMap::new(),
            over: HashMap::new(),
            next_job: loaded.next_job.max(1),
            budget,
            pace: Pace::of(loaded.usual),
            batch_caps: loaded.batch_caps.into_iter().collect(),
            room: Room::read(loaded.room),
            draining: false,
            now,
            stems: HashSet::new(),
        };
        core.stems = core.jobs.values().filter_map(|job| job.stem.clone()).collect();
        for stored in loaded.accounts {
            let Some(account) = core.accounts.get_mut(&stored.name) else { continue };
            // A pause with an end outlives a restart; one that waited for the user does not: the
            // start is the user's word, and the free probe finds out.
            let same = stored.origin == account.origin && stored.fingerprint == account.fingerprint;
            account.pause = stored.pause.filter(|pause| same && pause.until.is_some_and(|until| until > now));
            // What it spoke last, until the probe says so again.
            let spoke = stored.profile.filter(|_| same).and_then(|profile| profile.generation);
            account.generation = account.generation.take().or(spoke);
        }
        for catalogue in loaded.catalogues {
            let Some(account) = core.accounts.get_mut(&catalogue.account) else { continue };
            if catalogue.origin == account.origin && catalogue.generation == account.generation {
                account.discovery = Discovery::had(catalogue.at);
                core.stock.catalog =
                    std::mem::take(&mut core.stock.catalog).with_discovered(&catalogue.account, &catalogue.models);
            }
        }
        for stored in loaded.limiters {
            if let Some(host) = stored.host.strip_prefix("host ").and_then(|name| core.hosts.get_mut(name)) {
                host.restore(&stored.state);
            } else if let Some(name) = stored.host.strip_prefix("account ")
                && let Some(account) = core.accounts.get_mut(name)
            {
                account.restore(&stored.state);
            }
        }
        // An earlier version may have taken whatever a service said.
        for (name, balance) in loaded.balances.into_iter().filter(|(_, b)| b.money.is_believable_balance()) {
            if let Some(account) = core.accounts.get_mut(&name) {
                account.balances.retain(|b| b.money.currency != balance.money.currency);
                account.balances.push(balance);
                account.balances.sort_by_key(|b| b.money.currency);
            }
        }
        let mut step = Step { changes: moved.into_iter().collect(), ..Step::default() };
        core.open_books(loaded.openings, loaded.claimed);
        core.restock(&mut step);
        core.sort_out(&mut step);
        core.pause_losers(&mut step);
        (core, step)
    }

    fn sort_out(&mut self, step: &mut Step) {
        let ids: Vec<_> = self.jobs.keys().copied().collect();
        let mut unconfirmed = 0;
        for id in ids {
            let Some(job) = self.jobs.get(&id) else { continue };
            let changed = match self.accounts.get(&job.request.account) {
                None => Some(Hold::AccountMissing),
                Some(a) if a.origin != job.origin || a.fingerprint != job.fingerprint => Some(Hold::AccountChanged),
                Some(_) => None,
            };
            // Of ten thousand that wait as they should, none is copied.
            if job.state == JobState::Queued && changed.is_none() {
                continue;
            }
            let mut job = job.clone();
            match job.state {
                JobState::Submitting if mutated("requeue_on_start") => {
                    self.release(&mut job, "requeued", step);
                    if job.advance(JobState::Queued, self.now).is_ok() {
                        self.put(job, step);
                    }
                }
                JobState::Submitting => {
                    unconfirmed += 1;
                    self.leave_unconfirmed(job, step);
                }
                JobState::Queued => {
                    if let Some(hold) = changed {
                        self.put_on_hold(job, hold, step);
                    }
                }
                JobState::Held => self.settle_hold(job, changed, step),
                JobState::Running | JobState::Downloading => {
                    if job.hold != changed {
                        if let Some(hold) = &changed {
                            self.tell(
                                &job,
                                "held",
                                format!("{}: not asked about elsewhere", hold.text()),
                                serde_json::Value::Null,
                                step,
                            );
                        }
                        job.hold = changed;
                        self.put(job, step);
                    }
                    self.work.insert(id, Work { due: Some(self.now), ..Work::default() });
                }
                _ => {}
            }
        }
        if unconfirmed > 0 {
            let text = format!(
                "{unconfirmed} orders were under way when the program ended; they are unconfirmed and looked for; none is bought twice by itself"
            );
            self.notice(Level::Warning, text, step);
        }
    }

    /// An order was under way: never back to the queue, since it may have been made.
    fn leave_unconfirmed(&mut self, mut job: crate::domain::Job, step: &mut Step) {
        if job.advance(JobState::Unconfirmed, self.now).is_err() {
            return;
        }
        let text = "the program ended before the answer came; the order may have been made and charged. It is looked for, and not bought twice by itself".to_owned();
        job.error = Some(JobError::new(ErrorKind::Protocol, text.clone()));
        self.tell(&job, "unconfirmed", text, serde_json::Value::Null, step);
        self.begin_trace(&job);
        self.put(job, step);
    }

    /// Jobs held for their account go on when it is the right one again.
    fn settle_hold(&mut self, mut job: crate::domain::Job, changed: Option<Hold>, step: &mut Step) {
        let for_account = matches!(job.hold, Some(Hold::AccountChanged | Hold::AccountMissing));
        if for_account && changed.is_none() {
            if job.advance(JobState::Queued, self.now).is_ok() {
                self.tell(
                    &job,
                    "released",
                    "the account is the right one again".to_owned(),
                    serde_json::Value::Null,
                    step,
                );
                self.put(job, step);
            }
        } else if job.hold.as_ref().is_some_and(Hold::is_over_cap) && self.hold_before_paying(&job).is_none() {
            // The day turned, or the cap was raised, while nobody looked.
            if job.advance(JobState::Queued, self.now).is_ok() {
                let text = "the cap has room again".to_owned();
                self.tell(&job, "released", text, serde_json::Value::Null, step);
                self.put(job, step);
            }
        } else if for_account && job.hold != changed {
            job.hold = changed;
            self.put(job, step);
        }
    }
}
