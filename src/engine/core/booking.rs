//! What a job's order does to the books: set aside, charged, given back.
//!
//! Knows jobs, what is set aside for them and what their services say they cost. Must not know why a
//! job came to its end.

use super::{Core, Step};
use crate::domain::books::Entry;
use crate::domain::message::{Event, Level};
use crate::domain::{EntryKind, Hold, Job, Money};
use crate::store::Change;

impl Core {
    /// Books an entry for a job, in the database and in memory. Evidence that was booked before is
    /// the caller's mistake: every call site builds it from a fact that happens once.
    pub(super) fn book(&mut self, job: &Job, kind: EntryKind, money: Money, evidence: &str, step: &mut Step) {
        if money.amount.is_zero() {
            return;
        }
        let entry = Entry {
            account: job.request.account.clone(),
            job: Some(job.id),
            kind,
            money,
            evidence: format!("{}:{}:{evidence}", kind.word(), job.id),
            at: self.now,
        };
        self.enter(entry, step);
        self.move_room(job, kind, money);
    }

    /// Books an entry, in the database and in memory.
    pub(super) fn enter(&mut self, entry: Entry, step: &mut Step) {
        self.budget.book(&entry);
        self.follow_trace(&entry);
        self.touch(&entry.account, step);
        step.changes.push(Change::Book(entry));
        step.events.push(Event::SpendChanged(Box::new(self.spend())));
    }

    /// Gives a job's reservation back.
    pub(super) fn release(&mut self, job: &mut Job, why: &str, step: &mut Step) {
        if let Some(money) = job.reserved.take() {
            let evidence = format!("{}:{why}", job.attempts);
            self.book(job, EntryKind::Released, money, &evidence, step);
        }
    }

    /// A price the service names, where it can be one.
    pub(super) fn believed(&self, job: &Job, cost: Option<Money>, step: &mut Step) -> Option<Money> {
        let strange = cost.filter(|cost| !cost.is_believable());
        if let Some(cost) = strange {
            let text = format!("{} names an impossible price, {cost}; it is not booked", job.request.account);
            self.tell(job, "strange", text, serde_json::Value::Null, step);
        }
        cost.filter(|_| strange.is_none())
    }

    /// Books what the service says a job costs in all. Told again, it books the difference only.
    pub(super) fn charge(&mut self, job: &mut Job, cost: Money, evidence: &str, step: &mut Step) {
        if job.cost == Some(cost) {
            return;
        }
        let before = match job.cost {
            Some(before) if before.currency != cost.currency => {
                // The same order told in another currency: the first figure is taken back whole.
                self.book(job, EntryKind::Refunded, before, evidence, step);
                None
            }
            before => before,
        };
        let difference = cost.amount - before.map_or_else(Default::default, |c| c.amount);
        let kind = if difference.is_sign_negative() { EntryKind::Refunded } else { EntryKind::Charged };
        self.book(job, kind, Money::new(difference.abs(), cost.currency), evidence, step);
        job.cost = Some(cost);
        let expected = job.reserved.or_else(|| self.reservation(job));
        if let Some(expected) = expected.filter(|e| e.currency == cost.currency && cost.amount > e.amount) {
            self.overcharged(job, cost, expected, step);
        }
    }

    /// A charge above what was set aside: shown, and nothing more is ordered of that model at a
    /// price that is known to be wrong.
    fn overcharged(&mut self, job: &Job, cost: Money, expected: Money, step: &mut Step) {
        let (id, account, model) = (job.id, &job.request.account, &job.request.model);
        let same = |queued: &&Job| queued.request.model == *model;
        let queued: Vec<Job> =
            self.jobs.queued(account).filter_map(|id| self.jobs.get(&id)).filter(same).cloned().collect();
        let next = match queued.len() {
            0 => format!("the next job of {model} is held: check its price, then release it"),
            1 => format!("the queued job of {model} is held, and the next: check its price, then release it"),
            n => format!("the {n} queued jobs of {model} are held, and the next: check its price, then release them"),
        };
        let text = format!("{id}: {account} charged {cost}, more than the {expected} set aside for it; {next}");
        self.notice(Level::Warning, text.clone(), step);
        self.tell(job, "overcharged", text, serde_json::Value::Null, step);
        let why = format!("{id} was charged {cost}, not {expected}; check the price, then release");
        if let Some(account) = self.accounts.get_mut(account) {
            account.stop_model(model, &why);
        }
        for queued in queued {
            self.put_on_hold(queued, Hold::ModelChanged(why.clone()), step);
        }
    }
}
