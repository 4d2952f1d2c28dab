//! The accounts' books: which balances can be held against them, and what follows.
//!
//! Knows orders that may move money, claimed refunds and differences. Must not know any wire.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;

use super::reconcile::{Claim, Finding, Opening, REFUND_TIME, reconcile};
use super::{Core, Effect, Step};
use crate::domain::books::{BalanceLine, DifferenceId, Entry, Standing};
use crate::domain::job::Refund;
use crate::domain::message::Level;
use crate::domain::{Balance, Currency, EntryKind, Job, JobId, JobState, Money};
use crate::store::Change;

/// Time between two looks for a refund that was claimed.
const REFUND_LOOK: SignedDuration = SignedDuration::from_secs(60);

/// A balance that says nothing new is written down again only after so long.
const SAME_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What the books of one account need besides their entries.
#[derive(Debug, Default)]
pub(super) struct Wallet {
    /// The account whose wallet this is: the first with the same key.
    pub payer: String,
    /// Orders that may move money now.
    open: BTreeSet<JobId>,
    /// How often an order began that may move money.
    stirs: u64,
    /// What the books go on from.
    openings: BTreeMap<Currency, Opening>,
    /// Jobs with refunds that were claimed and not seen, and how much.
    claims: BTreeMap<JobId, (Job, Money)>,
    /// `stirs`, where no order was open when the balance was asked for that is under way.
    asked: Option<u64>,
    /// Its last open order ended, or a refund was claimed before the start, and the balance is not told yet.
    pub closing: bool,
    /// The last line of the balance log, by currency.
    lines: BTreeMap<Currency, BalanceLine>,
}

/// Whether a job's order may still move money: it may be charged, or refunded.
fn is_open(job: &Job) -> bool {
    match job.state {
        JobState::Submitting | JobState::Running => true,
        JobState::Downloading => job.reserved.is_some(),
        JobState::Unconfirmed => job.reserved.is_some() || job.cost.is_none(),
        _ => false,
    }
}

impl Core {
    /// Says who pays for whom, and takes up the books where they were left.
    pub(super) fn open_books(&mut self, openings: Vec<BalanceLine>, claimed: Vec<(Job, Money)>) {
        let mut by_place: Vec<_> = self.accounts.values().map(|a| (a.place, a.name.clone(), a.purse())).collect();
        by_place.sort();
        let payer = |name: &str, purse: &Option<String>| match purse {
            Some(_) => by_place.iter().find(|(.., other)| other == purse).map(|(_, name, _)| name.clone()),
            None => Some(name.to_owned()),
        };
        let payers: Vec<_> = by_place.iter().map(|(_, name, purse)| (name.clone(), payer(name, purse))).collect();
        for (name, payer) in payers {
            if let Some(account) = self.accounts.get_mut(&name) {
                account.wallet.payer = payer.unwrap_or(name);
            }
        }
        for line in openings {
            let Some(account) = self.accounts.get_mut(&line.account) else { continue };
            // An earlier version may have taken whatever a service said.
            let Some(capital) = line.capital.filter(|capital| capital.is_believable_balance()) else { continue };
            if (&account.origin, &account.fingerprint) == (&line.origin, &line.fingerprint) {
                let opening = Opening { capital: capital.amount, at: line.balance.seen_at };
                account.wallet.openings.insert(line.balance.money.currency, opening);
            }
        }
        for (job, money) in claimed {
            self.await_refund(&job, money);
        }
        // A balance shall tell of them, also where nothing is queued.
        for account in self.accounts.values_mut().filter(|account| !account.wallet.claims.is_empty()) {
            account.wallet.closing = true;
        }
        let jobs: Vec<Job> = self.jobs.values().filter(|job| is_open(job)).cloned().collect();
        jobs.iter().for_each(|job| self.follow(job));
    }

    /// The account that pays for another one's orders: itself, or the first with the same key.
    pub(super) fn payer(&self, account: &str) -> Option<String> {
        self.accounts.get(account).map(|account| account.wallet.payer.clone())
    }

    /// Keeps in mind whether a job's order may move money; asks for the balance when the last one ended.
    pub(super) fn follow(&mut self, job: &Job) {
        let is_open = is_open(job) && self.is_own(job);
        let Some(payer) = self.payer(&job.request.account) else { return };
        let Some(wallet) = self.accounts.get_mut(&payer).map(|account| &mut account.wallet) else { return };
        if let Some((claimed, _)) = wallet.claims.get_mut(&job.id) {
            *claimed = job.clone();
        }
        if is_open && wallet.open.insert(job.id) {
            wallet.stirs += 1;
            let alone = (wallet.open.len() == 1).then_some(wallet.stirs);
            self.work.entry(job.id).or_default().alone = alone;
        } else if !is_open && wallet.open.remove(&job.id) && wallet.open.is_empty() {
            let now = self.now;
            if let Some(account) = self.accounts.get_mut(&payer) {
                account.want_closing_balance(now);
            }
        }
    }

    /// Whether a job's order was the only one that could move money from when it was sent until now.
    pub(super) fn is_alone(&self, job: &Job) -> bool {
        let alone = self.work.get(&job.id).and_then(|work| work.alone);
        let payer = self.payer(&job.request.account).and_then(|payer| self.accounts.get(&payer));
        payer.is_some_and(|payer| alone == Some(payer.wallet.stirs) && payer.wallet.open.len() == 1)
    }

    /// A refund was claimed: a balance must show it.
    pub(super) fn await_refund(&mut self, job: &Job, money: Money) {
        let payer = self.payer(&job.request.account).filter(|_| self.is_own(job));
        if let Some(account) = payer.and_then(|payer| self.accounts.get_mut(&payer)) {
            account.wallet.claims.insert(job.id, (job.clone(), money));
        }
    }

    /// Notes of balance calls that are begun whether anything of ours can move what they will say.
    pub(super) fn note_asked(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Balance { account, .. } = effect
                && let Some(account) = self.accounts.get_mut(account)
            {
                account.wallet.asked = account.wallet.open.is_empty().then_some(account.wallet.stirs);
            }
        }
    }

    /// Whether nothing of ours could move an account's balance while it was asked for.
    pub(super) fn was_still(&mut self, name: &str) -> bool {
        let Some(account) = self.accounts.get_mut(name) else { return false };
        let asked = account.wallet.asked.take();
        account.wallet.payer == name && account.wallet.open.is_empty() && asked == Some(account.wallet.stirs)
    }

    /// Whether a balance that an order's answer brought can be compared: the order was alone and its
    /// charge is known, and the figure is one that the charge can have led to. Whether it stands for
    /// before or after the charge, and in which currency, no document says for sure (wire.md 1.3).
    pub(super) fn is_comparable(&self, job: &Job, told: Money, alone: bool) -> bool {
        let Some(account) = self.accounts.get(&job.request.account) else { return false };
        let Some(cost) = job.cost.filter(|cost| alone && cost.currency == told.currency) else { return false };
        let before = account.balances.iter().find(|b| b.money.currency == told.currency && b.source == "balance");
        before.is_none_or(|before| {
            let before = before.money.amount;
            (before.saturating_sub(cost.amount)..=before).contains(&told.amount)
        })
    }

    /// What left an account by the books, with all that have its key.
    fn net(&self, payer: &str, currency: Currency) -> Decimal {
        let paid_for = self.accounts.values().filter(|account| account.wallet.payer == payer);
        paid_for
            .map(|account| self.budget.ledger().of(&account.name, currency).net())
            .fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What an account must hold by its books, where it pays for itself and they were opened.
    pub(super) fn expected(&self, name: &str, currency: Currency) -> Option<Decimal> {
        let wallet = &self.accounts.get(name)?.wallet;
        let opening = wallet.openings.get(&currency).filter(|_| wallet.payer == name)?;
        Some(opening.capital.saturating_sub(self.net(name, currency)))
    }

    /// Holds a balance against the books, and writes it down with what came of that.
    pub(super) fn compare(&mut self, name: &str, balance: &Balance, still: bool, step: &mut Step) {
        let (now, told) = (self.now, balance.money);
        let Some(account) = self.accounts.get(name) else { return };
        let is_payer = account.wallet.payer == name;
        let opening = account.wallet.openings.get(&told.currency).copied().filter(|_| is_payer);
        let net = self.net(name, told.currency);
        let in_question = |(_, money): &&(Job, Money)| money.currency == told.currency;
        let claim = |(job, money): &(Job, Money)| Claim {
            job: job.id,
            amount: money.amount,
            since: job.finished_at.unwrap_or(now),
        };
        let claims: Vec<Claim> = account.wallet.claims.values().filter(in_question).map(claim).collect();
        let expected = opening.map(|opening| Money::new(opening.capital.saturating_sub(net), told.currency));
        let finding = reconcile(told, still && is_payer, opening, net, &claims, now);
        let standing = match &finding {
            Finding::Nothing => Standing::Observed,
            Finding::Opens => Standing::Opened,
            Finding::Agrees => Standing::Agrees,
            Finding::Waits => Standing::Waits,
            Finding::NotRefunded(_) | Finding::Differs(_) => Standing::Differs,
        };
        let capital = match standing {
            Standing::Observed | Standing::Waits => None,
            Standing::Opened => Some(told.amount.saturating_add(net)),
            Standing::Agrees | Standing::Differs => opening.map(|opening| opening.capital),
        };
        let ids: Vec<JobId> = claims.iter().map(|claim| claim.job).collect();
        match finding {
            Finding::Nothing => {}
            Finding::Opens => {
                let why = format!("the books of {name} were opened at {told} after it was claimed");
                self.not_observable(name, &ids, &why, step);
            }
            Finding::Agrees => {
                self.repeats_were_heeded(name);
                ids.into_iter().for_each(|id| self.refund_seen(name, id, step));
            }
            Finding::Waits => self.look_again(name, &claims),
            Finding::NotRefunded(missing) => {
                for id in ids {
                    match missing.contains(&id) {
                        true => self.not_refunded(name, id, told, step),
                        false => self.refund_seen(name, id, step),
                    }
                }
            }
            Finding::Differs(difference) => {
                let why = "the balance moved by another amount, which may hold it";
                self.not_observable(name, &ids, why, step);
                let since = opening.map_or(now, |opening| opening.at);
                self.differs(name, (expected.unwrap_or(told), told), difference, since, step);
            }
        }
        // What was booked just now counts: the next balance is compared from here.
        let net = self.net(name, told.currency);
        let Some(account) = self.accounts.get_mut(name) else { return };
        if let Some(capital) = capital {
            account.wallet.openings.insert(told.currency, Opening { capital, at: now });
        }
        let line = BalanceLine {
            account: name.to_owned(),
            origin: account.origin.clone(),
            fingerprint: account.fingerprint.clone(),
            balance: balance.clone(),
            expected: expected.filter(|_| still),
            standing,
            net,
            capital: capital.map(|capital| Money::new(capital, told.currency)),
        };
        let is_known = account.wallet.lines.get(&told.currency).is_some_and(|last| {
            (last.balance.money, last.net, last.standing) == (told, net, standing)
                && now.duration_since(last.balance.seen_at) < SAME_AGAIN
        });
        if !is_known {
            step.changes.push(Change::LogBalance(Box::new(line.clone())));
            account.wallet.lines.insert(told.currency, line);
        }
    }

    /// Whether refunds that were claimed came, nobody can tell any more: they stay the service's word.
    fn not_observable(&mut self, name: &str, ids: &[JobId], why: &str, step: &mut Step) {
        for id in ids {
            let Some((mut job, money)) = self.take_claim(name, *id) else { continue };
            job.refund = Refund::NotObservable;
            let text = format!("no balance can show whether {money} came back: {why}");
            self.tell(&job, "refund_not_observable", text, json!({"amount": money}), step);
            self.put(job, step);
        }
    }

    fn look_again(&mut self, name: &str, claims: &[Claim]) {
        let now = self.now;
        let ends = claims.iter().map(|claim| claim.since + REFUND_TIME).filter(|end| *end > now).min();
        let due = ends.map_or(now + REFUND_LOOK, |end| end.min(now + REFUND_LOOK));
        if let Some(account) = self.accounts.get_mut(name) {
            account.want_balance_at(due);
        }
    }

    pub(super) fn take_claim(&mut self, payer: &str, id: JobId) -> Option<(Job, Money)> {
        self.accounts.get_mut(payer)?.wallet.claims.remove(&id)
    }

    fn refund_seen(&mut self, payer: &str, id: JobId, step: &mut Step) {
        let Some((mut job, money)) = self.take_claim(payer, id) else { return };
        job.refund = Refund::Seen;
        let text = format!("the balance shows that {money} came back");
        self.tell(&job, "refund_seen", text, json!({"amount": money}), step);
        self.put(job, step);
    }

    /// The service said that it gave the money back, and its own balance says that it did not.
    fn not_refunded(&mut self, payer: &str, id: JobId, told: Money, step: &mut Step) {
        let Some((mut job, money)) = self.take_claim(payer, id) else { return };
        let name = job.request.account.clone();
        self.book(&job, EntryKind::Charged, money, "refund-contradicted", step);
        (job.refund, job.cost) = (Refund::Contradicted, Some(money));
        let minutes = REFUND_TIME.as_mins();
        let text = format!(
            "{name} says that {money} were refunded, but {minutes} minutes later its balance, {told}, does not show it; booked as charged. `rushes claims` writes the report for its support"
        );
        self.tell(&job, "refund_contradicted", text.clone(), json!({"amount": money, "balance": told}), step);
        self.notice(Level::Warning, format!("{id}: {text}"), step);
        self.put(job, step);
    }

    /// Books a difference between the books and a balance.
    fn differs(
        &mut self,
        name: &str,
        (expected, told): (Money, Money),
        difference: Decimal,
        since: Timestamp,
        step: &mut Step,
    ) {
        let money = Money::new(difference.abs().normalize(), told.currency);
        let gone = difference.is_sign_negative();
        let entry = |kind: EntryKind, evidence: String| Entry {
            account: name.to_owned(),
            job: None,
            kind,
            money,
            evidence,
            at: self.now,
        };
        let what = if gone { format!("{money} are gone from {name}") } else { format!("{money} came to {name}") };
        let told_text = format!("the books said {expected}, the balance was {told}");
        let data = |id: Option<DifferenceId>| {
            json!({"difference": id.map(|id| id.to_string()), "amount": money, "gone": gone, "expected": expected,
                   "told": told, "since": since, "until": self.now})
        };
        if self.accounts.get(name).is_some_and(|account| account.shared) {
            let kind = if gone { EntryKind::OtherUse } else { EntryKind::Deposited };
            let evidence = format!("shared:{name}:{}:{}", told.currency.code(), self.now.as_nanosecond());
            let (entry, data) = (entry(kind, evidence), data(None));
            let text = format!("{what}, which is shared with others: {told_text}");
            self.enter(entry, step);
            return self.tell_of(name, kind.word(), text, data, step);
        }
        let id = DifferenceId(self.budget.ledger().last_difference + 1);
        let kind = if gone { EntryKind::Unexplained } else { EntryKind::UnexplainedCredit };
        let (entry, data) = (entry(kind, format!("{}:{id}", kind.word())), data(Some(id)));
        let text = format!("{id}: {what}, and nothing here explains it: {told_text}");
        self.enter(entry, step);
        self.tell_of(name, kind.word(), text.clone(), data, step);
        let next = format!(
            "{text}. `rushes books --around {id}` shows what happened, `rushes books classify {id}` says what it was"
        );
        self.notice(Level::Warning, next, step);
        if gone {
            self.suspect_repeats(name, money, step);
        }
    }
}
