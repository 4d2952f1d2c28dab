//! What a balance tells of a lost order, at services that list no orders: likely at best.
//!
//! Knows balances seen and what was booked between them. Must not know any wire. A balance that did not
//! fall proves nothing: it may be an old one.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::reconcile::is_same;
use super::{Account, Core, Step};
use crate::domain::search::Verdict;
use crate::domain::{Entry, EntryKind, Job, JobId, JobState, Money};
use crate::provider::{Evidence, Grade};

/// A balance that did not fall yet is looked at again for so long: a reading may be an old one.
const LAG: SignedDuration = SignedDuration::from_mins(10);

/// Time between two of these looks.
const LOOK: SignedDuration = SignedDuration::from_secs(60);

/// A lost order whose trace the next balance may show.
#[derive(Debug)]
pub(super) struct Trace {
    job: JobId,
    /// The balance before it was sent; `None` where that tells nothing: it was none that the books
    /// explain, more than one order is lost, or something was refunded since.
    before: Option<Money>,
    /// Charged for other jobs since.
    spent: Decimal,
    /// Until when a balance that did not fall is looked at again.
    until: Timestamp,
    /// By how much it had fallen when that was told last.
    told: Option<Decimal>,
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

    /// An answer was lost: the balance before it is kept, if one was seen that everything booked before
    /// is in, and nothing else.
    pub(super) fn begin_trace(&mut self, job: &Job) {
        let (Some(price), Some(sent)) = (job.reserved, job.submitted_at) else { return };
        let Some(account) = self.accounts.get(&job.request.account) else { return };
        let seen = account.balances.iter().find(|balance| balance.money.currency == price.currency);
        let fresh = seen.filter(|seen| seen.seen_at <= sent && account.booked_at.is_none_or(|at| at <= seen.seen_at));
        let before = fresh.map(|seen| seen.money).filter(|_| account.trace.is_none());
        let before = before.filter(|seen| self.is_explained(account, job, *seen));
        let (spent, until, told) = (Decimal::ZERO, self.now + LAG, None);
        if let Some(account) = self.accounts.get_mut(&job.request.account) {
            account.trace = Some(Trace { job: job.id, before, spent, until, told });
        }
    }

    /// Whether a balance is what the books say to the last digit, with the prices of other lost orders that
    /// it was seen to fall by. One that is not may be older than a charge, which would then look like this
    /// order's; so would the charge of another lost order of which nothing is known.
    fn is_explained(&self, account: &Account, job: &Job, seen: Money) -> bool {
        let payer = &account.wallet.payer;
        let alone = self.accounts.values().filter(|other| other.wallet.payer == *payer).count() == 1;
        let Some(expected) = self.expected(&account.name, seen.currency).filter(|_| alone) else { return false };
        let unsettled = |other: &&Job| {
            let ours = other.request.account == account.name && self.is_own(other);
            other.id != job.id && ours && (other.reserved.is_some() || other.cost.is_none())
        };
        let fell = |other: &Job| {
            let likely = other.search.as_ref().is_some_and(|search| search.verdict == Verdict::Likely);
            other.reserved.filter(|price| likely && price.currency == seen.currency).map(|price| price.amount)
        };
        let fallen: Option<Decimal> = self.jobs.unconfirmed().filter(unsettled).map(fell).sum();
        fallen.is_some_and(|fallen| is_same(seen.amount, expected.saturating_sub(fallen)))
    }

    /// What is booked for others between two balances is no trace of the lost one.
    pub(super) fn follow_trace(&mut self, entry: &Entry) {
        if !matches!(entry.kind, EntryKind::Charged | EntryKind::Refunded) {
            return;
        }
        let Some(account) = self.accounts.get_mut(&entry.account) else { return };
        account.booked_at = account.booked_at.max(Some(entry.at));
        match &mut account.trace {
            // It is known by other means.
            Some(trace) if entry.job == Some(trace.job) => account.trace = None,
            // When what was refunded comes back, if ever, nobody knows; until then it would look like a charge.
            Some(trace) if entry.kind == EntryKind::Refunded => trace.before = None,
            Some(Trace { before: Some(before), spent, .. }) if before.currency == entry.money.currency => {
                *spent = spent.saturating_add(entry.money.amount);
            }
            _ => {}
        }
    }

    /// A balance was seen: what that says of a lost order.
    pub(super) fn read_trace(&mut self, name: &str, after: Money, step: &mut Step) {
        // One that is under way may be charged already.
        let open = self.busy_with(name, |job| job.state == JobState::Submitting);
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return };
        let by_balance = account.profile.as_ref().is_some_and(|profile| profile.by_balance);
        if open
            || !by_balance
            || account.trace.as_ref().is_none_or(|t| t.before.is_some_and(|b| b.currency != after.currency))
        {
            return;
        }
        let Some(mut trace) = account.trace.take() else { return };
        let Some(job) = self.jobs.get(&trace.job).filter(|job| self.is_looked_for(job)).cloned() else { return };
        let (Some(before), Some(price)) = (trace.before, job.reserved) else { return };
        let fell = before.amount.saturating_sub(after.amount).saturating_sub(trace.spent);
        let (spent, told) = (trace.spent, trace.told.replace(fell));
        // It shows no more than is booked for others, if that: perhaps it is an old one.
        let may_be_old = (-spent..=Decimal::ZERO).contains(&fell) && now < trace.until;
        if let Some(account) = self.accounts.get_mut(name).filter(|_| may_be_old) {
            account.trace = Some(trace);
            account.want_balance_at(now + LOOK);
        }
        if told == Some(fell) {
            return;
        }
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
