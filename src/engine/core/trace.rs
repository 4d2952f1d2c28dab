//! What a balance tells of a lost order, at services that list no orders: likely at best.
//!
//! Knows balances seen and what was booked between them. Must not know any wire. A balance that did not
//! fall proves nothing: it may be an old one.

use rust_decimal::Decimal;

use super::{Account, Core, Step};
use crate::domain::{Entry, EntryKind, Job, JobId, JobState, Money};
use crate::provider::{Evidence, Grade};

/// A lost order whose trace the next balance may show.
#[derive(Debug)]
pub(super) struct Trace {
    job: JobId,
    /// The balance before it was sent; `None` where more than one order was lost since, so that nothing
    /// tells them apart.
    before: Option<Money>,
    /// Booked for other jobs since: charged less refunded.
    spent: Decimal,
}

impl Core {
    /// Whether an account's orders go one at a time, and one is on its way: of two, a balance would not
    /// tell which was taken.
    pub(super) fn waits_for_its_turn(&self, account: &Account) -> bool {
        let by_balance = account.profile.as_ref().is_some_and(|profile| profile.by_balance);
        let under_way = |job: &Job| matches!(job.state, JobState::Queued | JobState::Submitting);
        by_balance && self.busy_with(&account.name, under_way)
    }

    fn busy_with(&self, account: &str, which: impl Fn(&Job) -> bool) -> bool {
        let busy = self.work.iter().filter(|(_, work)| work.busy).filter_map(|(id, _)| self.jobs.get(id));
        busy.filter(|job| job.request.account == account).any(which)
    }

    /// An answer was lost: the balance before it is kept, if one was seen and nothing was booked since.
    pub(super) fn begin_trace(&mut self, job: &Job) {
        let (Some(price), Some(sent)) = (job.reserved, job.submitted_at) else { return };
        let Some(account) = self.accounts.get_mut(&job.request.account) else { return };
        let seen = account.balances.iter().find(|balance| balance.money.currency == price.currency);
        let fresh = seen.filter(|seen| seen.seen_at <= sent && account.booked_at.is_none_or(|at| at <= seen.seen_at));
        let before = fresh.map(|seen| seen.money).filter(|_| account.trace.is_none());
        account.trace = Some(Trace { job: job.id, before, spent: Decimal::ZERO });
    }

    /// What is booked for others between two balances is no trace of the lost one.
    pub(super) fn follow_trace(&mut self, entry: &Entry) {
        let by = match entry.kind {
            EntryKind::Charged => entry.money.amount,
            EntryKind::Refunded => -entry.money.amount,
            _ => return,
        };
        let Some(account) = self.accounts.get_mut(&entry.account) else { return };
        account.booked_at = account.booked_at.max(Some(entry.at));
        match &mut account.trace {
            // It is known by other means.
            Some(trace) if entry.job == Some(trace.job) => account.trace = None,
            Some(Trace { before: Some(before), spent, .. }) if before.currency == entry.money.currency => *spent += by,
            _ => {}
        }
    }

    /// A balance was seen: what that says of a lost order.
    pub(super) fn read_trace(&mut self, name: &str, after: Money, step: &mut Step) {
        // One that is under way may be charged already.
        let open = self.busy_with(name, |job| job.state == JobState::Submitting);
        let Some(account) = self.accounts.get_mut(name) else { return };
        let by_balance = account.profile.as_ref().is_some_and(|profile| profile.by_balance);
        if open
            || !by_balance
            || account.trace.as_ref().is_none_or(|t| t.before.is_some_and(|b| b.currency != after.currency))
        {
            return;
        }
        let Some(trace) = account.trace.take() else { return };
        let Some(job) = self.jobs.get(&trace.job).filter(|job| self.is_looked_for(job)).cloned() else { return };
        let (Some(before), Some(price)) = (trace.before, job.reserved) else { return };
        let fell = before.amount - after.amount - trace.spent;
        let evidence = if fell == price.amount {
            let text = format!(
                "the balance fell by exactly its price, {price}: {before} before it was sent, {after} after, no other order under way"
            );
            Evidence { grade: Grade::Likely, remote_id: None, charged: None, text }
        } else if fell.is_zero() {
            Evidence::open(format!(
                "the balance did not fall by its price: {before} before it was sent, {after} after; that proves nothing"
            ))
        } else {
            let fell = Money::new(fell, price.currency);
            Evidence::open(format!(
                "the balance moved by {fell}, not by its price of {price}: {before} before it was sent, {after} after"
            ))
        };
        self.weigh(job, evidence, step);
    }
}
