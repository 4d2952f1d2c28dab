//! Caps as the core sees them: which limits an order falls under, and what follows where one is passed.
//!
//! Knows limits and what they had left when that was read last. Must not add anything up: the commit
//! that sets money aside decides, and this only spares orders that cannot pass.

use super::{Account, Core, CoreSettings, Step};
use crate::domain::caps::{BatchCap, Guard, Limit, Scope};
use crate::domain::zones::Zones;
use crate::domain::{Entry, EntryKind, Hold, Job, JobId, JobState, Money};
use crate::store::{Change, Left, Loaded};

impl CoreSettings {
    /// Every limit that holds for these accounts and what is on disk.
    pub fn limits(&self, accounts: &[Account], loaded: &Loaded) -> Vec<Limit> {
        let accounts = accounts.iter().flat_map(|a| a.caps.limits(&Scope::Account(a.name.clone())));
        let models = self.model_caps.iter();
        let models = models.flat_map(|(name, c)| c.limits(&Scope::Model(name.account.clone(), name.model.clone())));
        let batches = loaded.batch_caps.iter().flat_map(|(batch, cap)| cap.limits(*batch));
        self.caps.limits(&Scope::All).into_iter().chain(accounts).chain(models).chain(batches).collect()
    }
}

impl Core {
    /// Where the spans of limits begin.
    pub fn zones(&self) -> &Zones {
        self.budget.zones()
    }

    /// The limits that an order of a job falls under.
    pub(super) fn limits_of(&self, job: &Job) -> Vec<Limit> {
        let name = job.model_ref();
        let account = self.accounts.get(&name.account).map(|a| a.caps.limits(&Scope::Account(a.name.clone())));
        let model = self.settings.model_caps.get(&name);
        let model = model.map(|caps| caps.limits(&Scope::Model(name.account, name.model)));
        let batch = job.batch.and_then(|batch| Some(self.batch_caps.get(&batch)?.limits(batch)));
        let own = [account, model, batch].into_iter().flatten().flatten();
        self.settings.caps.limits(&Scope::All).into_iter().chain(own).collect()
    }

    /// What the commit that sets money aside for a job must hold.
    pub(super) fn guard(&self, job: &Job) -> Option<Change> {
        let (limits, zones) = (self.limits_of(job), self.zones().clone());
        (!limits.is_empty()).then(|| Change::Guard(Box::new(Guard { job: job.id, at: self.now, zones, limits })))
    }

    /// The name of a limit that is known to have no room for an order of this price.
    pub(super) fn without_room(&self, job: &Job, price: Money) -> Option<String> {
        self.limits_of(job).iter().find(|limit| self.room.lacks(limit, price)).map(Limit::name)
    }

    /// The commit for an order was refused: the job is as it was before, and held.
    pub(super) fn over_cap(&mut self, id: JobId, limit: Limit, left: Option<Left>, step: &mut Step) {
        let Some(job) = self.unmake_order(id) else { return };
        let name = limit.name();
        self.room.refused(id, limit, left);
        self.touch(&job.request.account, step);
        step.events.push(crate::domain::message::Event::SpendChanged(Box::new(self.spend())));
        self.put_on_hold(job, Hold::OverCap(name), step);
    }

    /// The database had no room for an order's intent: it stays queued, and everybody waits for room.
    pub(super) fn no_room(&mut self, id: JobId, text: &str, step: &mut Step) {
        let Some(mut job) = self.unmake_order(id) else { return };
        self.touch(&job.request.account, step);
        step.events.push(crate::domain::message::Event::SpendChanged(Box::new(self.spend())));
        if job.advance(JobState::Queued, self.now).is_ok() {
            self.put(job, step);
        }
        self.wait_for_room(text, step);
    }

    /// Takes an order back whose intent was not kept: what is in memory of it, and nothing else is.
    fn unmake_order(&mut self, id: JobId) -> Option<Job> {
        let mut job = self.jobs.get(&id).filter(|job| job.state == JobState::Submitting).cloned()?;
        if let Some(work) = self.work.get_mut(&id) {
            work.busy = false;
        }
        if let Some(money) = job.reserved.take().filter(|money| !money.amount.is_zero()) {
            // In memory alone: the reservation was not kept.
            let limits = self.limits_of(&job);
            self.room.shift(&limits, money);
            let (account, evidence) = (job.request.account.clone(), String::new());
            let (job, kind, at) = (Some(id), EntryKind::Released, self.now);
            self.budget.book(&Entry { account, job, kind, money, evidence, at });
        }
        job.attempts = job.attempts.saturating_sub(1);
        job.submitted_at = None;
        Some(job)
    }

    /// Keeps what a batch may cost; jobs of it that were held for less try again.
    pub(super) fn cap_batch(&mut self, batch: i64, cap: BatchCap, step: &mut Step) {
        step.changes.push(Change::CapBatch { id: batch, cap });
        if self.batch_caps.insert(batch, cap) != Some(cap) {
            self.let_held_go(None, "a cap was changed", step);
        }
    }
}
