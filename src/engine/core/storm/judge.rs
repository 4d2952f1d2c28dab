//! The promises, held against the services' book and the store, from outside the core.
//!
//! Knows what must be true after every commit and at the end. Must not know which faults there were.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::book::Making;
use super::make::ACCOUNT;
use super::{Storm, Wire};
use crate::domain::books::Ledger;
use crate::domain::search::Verdict;
use crate::domain::{Currency, EntryKind, Job, JobId, JobState, Refund};
use crate::engine::core::Effect;
use crate::store::Change;

/// Charged less refunded, and reserved less released.
type Sums = (Decimal, Decimal);

impl Storm {
    /// After a commit: the core's memory is what is on disk, and no cap is passed.
    pub(super) fn check_commit(&mut self, changes: &[Change]) {
        let mut reserved = false;
        for change in changes {
            match change {
                Change::PutJob(job) => {
                    self.check_kept(job.id);
                    self.check_likely(job);
                }
                Change::Book(entry) => reserved |= entry.kind == EntryKind::Reserved,
                _ => {}
            }
        }
        if reserved {
            self.check_caps();
        }
        self.check_roster();
    }

    /// What the core counts is what there is.
    fn check_roster(&mut self) {
        let jobs = &self.core.jobs;
        let at_service = |job: &&Job| matches!(job.state, JobState::Submitting | JobState::Running);
        let queued = jobs.values().filter(|job| job.state == JobState::Queued);
        let turns: BTreeMap<_, _> = queued.map(|job| (job.turn(), job.id)).collect();
        let right = jobs.at_service(ACCOUNT) as usize == jobs.values().filter(at_service).count()
            && jobs.turns(ACCOUNT).eq(turns)
            && jobs.has_held() == jobs.values().any(|job| job.state == JobState::Held);
        if !right {
            self.wrong("the core counts its jobs wrong".to_owned());
        }
    }

    fn check_kept(&mut self, id: JobId) {
        let kept = self.kept(id);
        let Some(kept) = kept else { return self.wrong(format!("{id} was put and is not on disk")) };
        match self.core.job(id) {
            Some(job) => {
                let same = (job.state, job.reserved, job.cost, &job.remote_id, job.attempts)
                    == (kept.state, kept.reserved, kept.cost, &kept.remote_id, kept.attempts);
                if !same {
                    self.wrong(format!("{id} is {} in memory and {} on disk", job.state, kept.state));
                }
            }
            None if !kept.state.is_final() => self.wrong(format!("{id} is {} on disk and not in memory", kept.state)),
            None => {
                if kept.reserved.is_some() {
                    self.wrong(format!("{id} is over and has something set aside"));
                }
            }
        }
    }

    fn check_caps(&mut self) {
        let day = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (mut spent, mut aside) = (Decimal::ZERO, Decimal::ZERO);
        for entry in self.entries().iter().filter(|entry| entry.money.currency == Currency::Usd) {
            let today = day(entry.at) == day(self.told);
            match entry.kind {
                EntryKind::Charged if today => spent += entry.money.amount,
                EntryKind::Refunded if today => spent -= entry.money.amount,
                EntryKind::Reserved => aside += entry.money.amount,
                EntryKind::Released => aside -= entry.money.amount,
                _ => {}
            }
        }
        if spent + aside > self.cap {
            self.wrong(format!("the day's cap of {} is passed: {spent} spent, {aside} set aside", self.cap));
        }
    }

    /// An order may leave only after its intent and its reservation are kept; a repeat only once, where its
    /// service knows its key, and after that is kept.
    pub(super) fn check_leaves(&mut self, id: JobId) {
        let Some(job) = self.kept(id) else { return self.wrong(format!("{id} is sent and not on disk")) };
        let intents = self.disk.intents(id).unwrap_or_default();
        let kept = intents.iter().any(|intent| intent.attempt == job.attempts);
        let aside = self.disk.is_booked(&format!("reserved:{id}:{}", job.attempts)).unwrap_or_default();
        if !kept || !aside {
            self.wrong(format!("{id} is sent without an intent or a reservation on disk"));
        }
        let marked = job.search.as_ref().is_some_and(|search| search.repeated);
        match job.state {
            JobState::Submitting => {}
            JobState::Unconfirmed if marked && self.wire == Wire::NinjachatNew && !self.repeated.contains(&id) => {
                self.repeated.insert(id);
            }
            state => self.wrong(format!("{id} is sent while it is {state} on disk")),
        }
    }

    /// Where nothing but the balance tells, of two orders under way at once it would not tell which was taken.
    pub(super) fn check_alone(&mut self, id: JobId) {
        let other = self.in_flight.iter().any(|flight| matches!(flight.effect, Effect::Submit { .. }));
        if other && self.wire == Wire::NinjachatOld {
            self.wrong(format!("{id} is sent while another order is under way"));
        }
    }

    /// That an order was likely taken is right, unless somebody else spent, or the user settled others wrongly.
    fn check_likely(&mut self, job: &Job) {
        let likely = job.search.as_ref().is_some_and(|search| search.verdict == Verdict::Likely);
        if self.wire != Wire::NinjachatOld || !likely || !self.likely.insert(job.id) {
            return;
        }
        self.run.likely.0 += 1;
        if self.book.of_job(job.id).is_some() {
            return;
        }
        self.run.likely.1 += 1;
        self.note(|| format!("{} is likely, and was never ordered", job.id));
        let is_taken = |id: &JobId| self.book.of_job(*id).is_some();
        let gave_up = self.written_off.iter().any(is_taken) || !self.misled.is_empty();
        if !self.purse.used && !gave_up {
            self.wrong(format!("{} is likely by the balance, and nobody else spent: {:?}", job.id, job.search));
        }
    }

    /// The end: every order has its job, every clip its file, every charge its entry, and no verdict is false.
    pub(super) fn check_end(&mut self) {
        let jobs: BTreeMap<JobId, Job> = self.all_kept().into_iter().map(|job| (job.id, job)).collect();
        let mut sums: BTreeMap<JobId, Sums> = BTreeMap::new();
        for entry in self.entries() {
            let Some(sums) = entry.job.map(|job| sums.entry(job).or_default()) else { continue };
            match entry.kind {
                EntryKind::Charged => sums.0 += entry.money.amount,
                EntryKind::Refunded => sums.0 -= entry.money.amount,
                EntryKind::Reserved => sums.1 += entry.money.amount,
                EntryKind::Released => sums.1 -= entry.money.amount,
                _ => {}
            }
        }
        for place in 0..self.book.orders.len() {
            let id = self.book.orders[place].job;
            match jobs.get(&id) {
                Some(job) => self.check_order(place, job, sums.get(&id).copied().unwrap_or_default()),
                None => self.wrong(format!("lost: an order of {id}, which is not on disk")),
            }
        }
        for job in jobs.values() {
            let (spent, aside) = sums.get(&job.id).copied().unwrap_or_default();
            let held = job.reserved.map_or(Decimal::ZERO, |money| money.amount);
            let cost = job.cost.map_or(Decimal::ZERO, |money| money.amount);
            if (cost, held) != (spent, aside) {
                self.wrong(format!("{} says {cost} and {held} set aside, the books {spent} and {aside}", job.id));
            }
            if self.book.of_job(job.id).is_none() {
                self.check_unordered(job, spent);
            }
        }
        let (kept, mine) = (self.disk.load().expect("what is in memory can be read").ledger, self.core.budget.ledger());
        let of = |ledger: &Ledger, currency| {
            let sums = ledger.of(ACCOUNT, currency);
            (sums.reserved, sums.spent())
        };
        if let Some(other) = [Currency::Usd, Currency::Quota].into_iter().find(|c| of(&kept, *c) != of(mine, *c)) {
            self.wrong(format!("memory and disk book {other:?} differently"));
        }
        let wrong = std::mem::take(&mut self.book.wrong);
        wrong.into_iter().for_each(|text| self.wrong(text));
    }

    fn check_unordered(&mut self, job: &Job, spent: Decimal) {
        if self.misled.contains(&job.id) {
            return;
        }
        let proven = job.search.as_ref().is_some_and(|search| search.verdict == Verdict::Proven);
        if proven {
            self.wrong(format!("{} is proven, and was never ordered", job.id));
        }
        if job.state == JobState::Done || (job.state != JobState::Unconfirmed && !spent.is_zero()) {
            self.wrong(format!("{} is {} with {spent} spent, and was never ordered", job.id, job.state));
        }
    }

    fn check_order(&mut self, place: usize, job: &Job, (spent, aside): Sums) {
        let order = self.book.orders[place].clone();
        let id = job.id;
        if self.misled.contains(&id) {
            return;
        }
        match (job.state, order.making) {
            (JobState::Done, Making::Finished) => {
                let ours = job.files.first().is_some_and(|file| file.sha256 == order.id);
                if !ours || self.published.get(&id).is_none_or(|file| Some(file) != job.files.first()) {
                    self.wrong(format!("lost: {id} is done without the clip of {}: {:?}", order.id, job.files));
                }
            }
            (JobState::Failed, Making::Failed) => {}
            (JobState::Failed, _) if self.written_off.contains(&id) => return,
            // Both are told to the user, who has the id or the reason.
            (JobState::Unconfirmed, _) if job.error.is_some() => {}
            (JobState::Running | JobState::Downloading, _) if job.hold.is_some() && job.remote_id.is_some() => {}
            (state, making) => self.wrong(format!("lost: {id} is {state}, its order {} is {making:?}", order.id)),
        }
        if job.state == JobState::Unconfirmed {
            if (spent + aside).is_zero() && !order.paid.is_zero() {
                self.wrong(format!("{id} is unconfirmed with nothing set aside for {}", order.paid));
            }
        } else if job.refund == Refund::Contradicted && self.purse.misleads() {
            // What others spent, or an old reading, looks like a refund that did not come.
        } else if spent != order.paid && (order.told || !self.may_assume(job, spent)) {
            self.wrong(format!("{id} is {}: {} was paid for it, {spent} is booked", job.state, order.paid));
        }
        let Some(search) = job.search.as_ref().filter(|search| search.verdict == Verdict::Proven) else { return };
        let by_id = job.remote_id.as_ref().map(|remote| *remote == order.id);
        let by_charge = job.cost == Some(order.cost);
        if !by_id.unwrap_or(by_charge) {
            self.wrong(format!("{id} is proven ({}), but its order is {}", search.text, order.id));
        }
    }

    /// Whether what is booked is what was set aside, which is booked where no cost is ever named.
    fn may_assume(&self, job: &Job, spent: Decimal) -> bool {
        let intents = self.disk.intents(job.id).unwrap_or_default();
        let aside = intents.iter().rev().find_map(|intent| intent.reserved);
        aside.is_some_and(|money| money.amount == spent)
    }
}
