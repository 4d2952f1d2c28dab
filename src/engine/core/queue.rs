//! Which job is sent next: slots, windows, caps, and the intent that comes before the order.
//!
//! Knows the order of things that the money law asks for: prepared, then intent and reservation in
//! one commit, then sent. Must not know how an order is built or sent.

use std::sync::Arc;

use jiff::Timestamp;

use super::host::Call;
use super::{Core, Effect, PreparedOrder, Step, Unprepared};
use crate::domain::message::Level;
use crate::domain::{EntryKind, ErrorKind, Hold, Job, JobError, JobId, JobState, Model, Pause};
use crate::store::Change;

/// Orders that are built ahead of a free window, per account.
const PREPARED_AHEAD: u32 = 2;

impl Core {
    /// Has orders built for jobs that may be sent now, in the order of their turns.
    pub(super) fn start_orders(&mut self, step: &mut Step) {
        if self.draining {
            return;
        }
        let names: Vec<String> = self.accounts.keys().cloned().collect();
        for name in names {
            let Some(account) = self.accounts.get(&name) else { continue };
            let Some(profile) = account.profile.clone().filter(|_| account.pause.is_none()) else { continue };
            if self.waits_for_first_balance(account) {
                continue;
            }
            if self.order_free_at(account, Call::Order) > self.now {
                self.tell_days_limit(&name, step);
                continue;
            }
            let free = account.max_in_flight.saturating_sub(self.jobs.at_service(&name));
            let mut room = free.min(PREPARED_AHEAD).saturating_sub(self.building(&name));
            while room > 0 && !self.accounts.get(&name).is_some_and(|account| self.waits_for_its_turn(account)) {
                let next = self.jobs.queued(&name).find(|id| self.may_start(*id));
                let Some(job) = next.and_then(|id| self.jobs.get(&id)).cloned() else { break };
                // One that is held instead takes no room: nobody would ask for the one after it.
                room -= u32::from(self.start_order(job, &profile, step));
            }
        }
    }

    fn may_start(&self, id: JobId) -> bool {
        !self.work.get(&id).is_some_and(|w| w.busy || w.due.is_some_and(|due| due > self.now))
    }

    /// Has an order built; false where the job is held instead.
    fn start_order(&mut self, mut job: Job, profile: &crate::domain::AccountProfile, step: &mut Step) -> bool {
        let Some(model) = self.model_of(&job.request).cloned() else {
            self.put_on_hold(job, Hold::ModelChanged("it is not offered any more".to_owned()), step);
            return false;
        };
        if let Some(hold) = self.refused_now(&job, &model).or_else(|| self.hold_before_paying(&job)) {
            self.put_on_hold(job, hold, step);
            return false;
        }
        let free = self.accounts.get(&job.request.account).map(|a| self.order_free_at(a, self.order_call(&job)));
        if let Some(free) = free.filter(|free| *free > self.now) {
            // Its own way is too busy; the others go on.
            self.work.entry(job.id).or_default().due = Some(free);
            return false;
        }
        job.values = job.request.values(&model);
        job.generation.clone_from(&profile.generation);
        // Kept with the intent: what is prepared from here on is for these.
        self.jobs.insert(Arc::new(job.clone()));
        self.work.entry(job.id).or_default().busy = true;
        step.effects.push(Effect::Prepare { job: Box::new(job), model, profile: profile.clone() });
        true
    }

    /// Which limit a job's order counts against.
    pub(super) fn order_call(&self, job: &Job) -> Call {
        let is_routed = self.model_of(&job.request).is_some_and(|model| model.route.is_some());
        if is_routed { Call::RoutedOrder } else { Call::Order }
    }

    fn building(&self, account: &str) -> u32 {
        let queued = |id: &JobId| self.jobs.get(id).filter(|j| j.state == JobState::Queued);
        let busy = self.work.iter().filter(|(_, w)| w.busy).filter_map(|(id, _)| queued(id));
        u32::try_from(busy.filter(|j| j.request.account == account).count()).unwrap_or(u32::MAX)
    }

    /// Why a job may not be paid for now, beyond what its account says.
    pub(super) fn hold_before_paying(&self, job: &Job) -> Option<Hold> {
        let account = self.accounts.get(&job.request.account)?;
        if job.origin != account.origin || job.fingerprint != account.fingerprint {
            return Some(Hold::AccountChanged);
        }
        if let Some(why) = account.dear.get(&job.request.model) {
            return Some(Hold::ModelChanged(why.clone()));
        }
        let Some(money) = self.reservation(job) else { return Some(Hold::PriceUnknown) };
        if let Some(why) = self.above_ceiling(job) {
            return Some(Hold::ModelChanged(why));
        }
        let over = self.budget.over(money, &account.name, &self.settings.caps, &account.caps);
        over.or_else(|| self.without_room(job, money)).map(Hold::OverCap)
    }

    /// Whether a cap would hold a job now.
    pub(super) fn lacks_room(&self, job: &Job) -> bool {
        self.hold_before_paying(job).as_ref().is_some_and(Hold::is_over_cap)
    }

    /// Why its model does not take the order any more as it stands: its description changed since.
    fn refused_now(&self, job: &Job, model: &Model) -> Option<Hold> {
        if let Err(problems) = job.request.validate(model) {
            let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Some(Hold::ModelChanged(format!("{}; cancel it and queue it anew", why.join("; "))));
        }
        let insisted = self.work.get(&job.id).is_some_and(|work| work.insisted);
        (model.gone && !insisted).then(|| {
            Hold::ModelChanged("its service does not list it any more; release it to order it all the same".to_owned())
        })
    }

    /// Says so where the day's orders of a plan are used up: that is no matter of seconds.
    fn tell_days_limit(&mut self, name: &str, step: &mut Step) {
        let (now, any) = (self.now, self.has_queued(name));
        let Some(account) = self.accounts.get(name).filter(|_| any) else { return };
        let free = account.per_day.free_at(now);
        if let Some(limit) = account.per_day.limit(now).filter(|_| free > now) {
            let message =
                format!("the {limit} orders a day of its plan are used; its queued jobs go on by themselves then");
            self.pause(name, Pause { kind: ErrorKind::RateLimit, message, until: Some(free) }, step);
        }
    }

    pub(super) fn put_on_hold(&mut self, mut job: Job, hold: Hold, step: &mut Step) {
        if job.advance(JobState::Held, self.now).is_err() {
            return;
        }
        self.tell(&job, "held", hold.text(), serde_json::Value::Null, step);
        job.hold = Some(hold);
        self.put(job, step);
    }

    /// An order is built: stores intent and reservation, and sends it once that is on disk.
    pub(super) fn prepared(&mut self, id: JobId, result: Result<PreparedOrder, Unprepared>, step: &mut Step) {
        if let Some(work) = self.work.get_mut(&id) {
            work.busy = false;
        }
        if self.jobs.get(&id).is_some_and(|job| job.state == JobState::Unconfirmed) {
            return self.repeat_prepared(id, result, step);
        }
        // Cancelled, held or paused while it was being built: nothing was sent.
        let Some(mut job) = self.jobs.get(&id).filter(|job| job.state == JobState::Queued).cloned() else {
            step.effects.push(Effect::Discard { job: id });
            return;
        };
        let order = match result {
            Ok(order) => order,
            Err(Unprepared::Illegal(problems)) => {
                let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return self.fail_unsent(job, JobError::new(ErrorKind::Invalid, text.join("; ")), step);
            }
            Err(Unprepared::Disk(text)) => {
                return self.wait_for_room(&text, step);
            }
        };
        let call = self.order_call(&job);
        let account = self.accounts.get(&job.request.account);
        let may_send = account.is_some_and(|a| a.pause.is_none() && self.order_free_at(a, call) <= self.now);
        let is_of_now = account.and_then(|a| a.profile.as_ref()).is_some_and(|p| p.generation == job.generation);
        if self.draining || !may_send || !is_of_now {
            step.effects.push(Effect::Discard { job: id });
            return;
        }
        if let Some(hold) = self.hold_before_paying(&job) {
            step.effects.push(Effect::Discard { job: id });
            return self.put_on_hold(job, hold, step);
        }
        let Some(money) = self.reservation(&job) else { return };
        if job.advance(JobState::Submitting, self.now).is_err() {
            return;
        }
        job.attempts += 1;
        job.submitted_at = Some(self.now);
        job.digest = Some(order.digest.clone());
        job.search = None;
        job.error = None;
        if job.stem.is_none() {
            let stem = self.claim(&order.stem, &job);
            step.changes.push(Change::ClaimName { job: id, ordinal: 1, path: stem.clone() });
            job.stem = Some(stem);
        }
        job.reserved = Some(money);
        let evidence = job.attempts.to_string();
        self.book(&job, EntryKind::Reserved, money, &evidence, step);
        step.changes.push(Change::PutIntent {
            job: id,
            attempt: job.attempts,
            at: self.now,
            record: order.record,
            digest: order.digest.clone(),
            reserved: Some(money),
        });
        step.changes.extend(self.guard(&job));
        let data = serde_json::json!({"attempt": job.attempts, "reserved": money, "body_sha256": order.digest});
        self.tell(&job, "submitting", format!("intent stored, {money} set aside; the order is sent once"), data, step);
        self.count_order(&job.request.account, call);
        let work = self.work.entry(id).or_default();
        (work.busy, work.sent) = (true, true);
        self.put(job, step);
        step.effects.push(Effect::Submit { job: id, until: None });
    }

    /// Nothing is bought that could not be kept. Every account waits, since they share the disk.
    pub(super) fn wait_for_room(&mut self, text: &str, step: &mut Step) {
        let until = self.now.checked_add(jiff::SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX);
        self.stop_orders(&format!("{text}; nothing is ordered until it can be kept"), Some(until), step);
    }

    /// Orders nothing more at any account, or not before a time. What was ordered goes on.
    pub(super) fn stop_orders(&mut self, message: &str, until: Option<Timestamp>, step: &mut Step) {
        let names: Vec<String> = self.accounts.keys().cloned().collect();
        for name in names {
            let pause = Pause { kind: ErrorKind::Disk, message: message.to_owned(), until };
            self.pause_among(&name, pause, "; every account waits", step);
        }
    }

    /// A name no other job of ours has claimed.
    fn claim(&mut self, stem: &str, job: &Job) -> String {
        // Also one that another job claimed after this order was built and gave its clip since.
        let stem = if self.stems.contains(stem) { format!("{stem}-{}", job.id) } else { stem.to_owned() };
        self.stems.insert(stem.clone());
        stem
    }

    /// Fails a job that was never sent.
    fn fail_unsent(&mut self, mut job: Job, error: JobError, step: &mut Step) {
        job.error = Some(error.clone());
        if job.advance(JobState::Failed, self.now).is_ok() {
            self.tell(&job, "failed", format!("never sent, nothing spent: {error}"), serde_json::Value::Null, step);
            self.notice(Level::Error, format!("{} was not sent: {}", job.id, error.message), step);
            self.put(job, step);
        }
    }
}
