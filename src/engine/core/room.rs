//! What limits are known to have left, and which held jobs may go on when that is more.
//!
//! Knows bounds, never the truth: the commit that sets money aside decides, and this only spares
//! orders that cannot pass. Must not know who set a limit.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Core, Step};
use crate::domain::caps::Limit;
use crate::domain::{Currency, Entry, EntryKind, Hold, Job, JobId, JobState, Money};
use crate::store::{Change, Left};

/// What limits have left at most, and whether anything made that more.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// As read last, moved by what was booked since; never less than there is. Of a limit that is not
    /// here nothing is known.
    left: Vec<(Limit, Left)>,
    /// What was set free since held jobs were looked at last, less what was spent and set aside.
    freed: BTreeMap<Currency, Decimal>,
    /// A job that was let go, or this one that was refused, leaves its room to others.
    spare: Option<Option<JobId>>,
}

impl Room {
    /// What was read at the start.
    pub(super) fn read(left: Vec<(Limit, Left)>) -> Room {
        Room { left, ..Room::default() }
    }

    /// Nothing is known any more, such as on a new day.
    pub(super) fn forget(&mut self) {
        self.left.clear();
    }

    /// Whether a limit is known to have no room for this price.
    pub(super) fn lacks(&self, limit: &Limit, price: Money) -> bool {
        self.left.iter().any(|(of, left)| of == limit && !left.has_room_for(price))
    }

    /// A commit was refused for a limit, which was read anew.
    pub(super) fn refused(&mut self, job: JobId, limit: Limit, left: Option<Left>) {
        self.left.retain(|(of, _)| *of != limit);
        if let Some(left) = left {
            self.left.push((limit, left));
            self.spare.get_or_insert(Some(job));
        }
    }

    /// A job that was queued takes no room any more.
    pub(super) fn spared(&mut self) {
        self.spare = Some(None);
    }

    /// Money set free or, below zero, spent moves what these limits have left.
    pub(super) fn shift(&mut self, limits: &[Limit], money: Money) {
        for (limit, left) in &mut self.left {
            if let Left::Money(amount, currency) = left
                && *currency == money.currency
                && limits.contains(limit)
            {
                *amount += money.amount;
            }
        }
    }
}

impl Core {
    /// A booking moves what the job's limits have left.
    pub(super) fn move_room(&mut self, job: &Job, kind: EntryKind, money: Money) {
        let by = match kind {
            EntryKind::Released | EntryKind::Refunded => money.amount,
            EntryKind::Reserved | EntryKind::Charged => -money.amount,
            _ => return,
        };
        *self.room.freed.entry(money.currency).or_default() += by;
        let limits = self.limits_of(job);
        self.room.shift(&limits, Money::new(by, money.currency));
    }

    /// Lets held jobs go where this step made room; whether one went.
    pub(super) fn look_at_held(&mut self, step: &mut Step) -> bool {
        let is_more = std::mem::take(&mut self.room.freed).values().any(|amount| *amount > Decimal::ZERO);
        let spare = self.room.spare.take();
        let but = if is_more { None } else { spare.flatten() };
        (is_more || spare.is_some()) && self.let_held_go(but, "the cap has room again", step)
    }

    /// Jobs held by a cap try again, as many of them, the oldest first, as there may be room for.
    /// Whether one does.
    pub(super) fn let_held_go(&mut self, but: Option<JobId>, why: &str, step: &mut Step) -> bool {
        if !self.jobs.has_held() {
            return false;
        }
        let mut any = false;
        let capped = |job: &&Job| job.hold.as_ref().is_some_and(Hold::is_over_cap) && job.state == JobState::Held;
        let held: Vec<JobId> =
            self.jobs.values().filter(capped).map(|job| job.id).filter(|id| Some(*id) != but).collect();
        // As if each one's money were set aside already; undone below.
        let (left, mut claims) = (self.room.left.clone(), Vec::new());
        for id in held {
            let Some(mut job) = self.jobs.get(&id).cloned() else { continue };
            if self.lacks_room(&job) || job.advance(JobState::Queued, self.now).is_err() {
                continue;
            }
            any = true;
            let account = self.accounts.get(&job.request.account);
            let price = self.reservation(&job).filter(|_| account.is_some_and(|a| a.pause.is_none()));
            if let Some(money) = price {
                let (account, kind, at) = (job.request.account.clone(), EntryKind::Reserved, self.now);
                let claim = Entry { account, job: Some(id), kind, money, evidence: String::new(), at };
                self.budget.book(&claim);
                let limits = self.limits_of(&job);
                self.room.shift(&limits, Money::new(-money.amount, money.currency));
                for (_, left) in self.room.left.iter_mut().filter(|(limit, _)| limits.contains(limit)) {
                    if let Left::Jobs(jobs) = left {
                        *jobs -= 1;
                    }
                }
                claims.push(claim);
            }
            self.tell(&job, "released", why.to_owned(), serde_json::Value::Null, step);
            self.put(job, step);
        }
        self.room.left = left;
        for claim in claims {
            self.budget.book(&Entry { kind: EntryKind::Released, ..claim });
        }
        any
    }
}

/// What a limit has left at most once these changes are on disk, too: with what they set free, whatever
/// limits that counts against.
pub fn with_uncommitted(left: Left, changes: &[Change]) -> Left {
    let Left::Money(amount, currency) = left else { return left };
    let mut freed = BTreeMap::<Option<JobId>, Decimal>::new();
    for change in changes {
        let Change::Book(entry) = change else { continue };
        let by = match entry.kind {
            EntryKind::Released | EntryKind::Refunded => entry.money.amount,
            EntryKind::Charged => -entry.money.amount,
            _ => continue,
        };
        if entry.money.currency == currency {
            *freed.entry(entry.job).or_default() += by;
        }
    }
    Left::Money(amount + freed.into_values().filter(|by| *by > Decimal::ZERO).sum::<Decimal>(), currency)
}
