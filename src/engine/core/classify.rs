//! What the user says a difference was that nothing in the books explains: all of it, or a part.
//!
//! Knows open differences and the jobs they may belong to. Must not know how a difference is found.

use rust_decimal::Decimal;
use serde_json::json;

use super::command::{accepted, refused};
use super::{Core, Step};
use crate::domain::books::{Class, DifferenceId, Entry};
use crate::domain::job::Refund;
use crate::domain::message::Answer;
use crate::domain::{EntryKind, Job, Money};

impl Core {
    /// Takes the user's word for what a difference was.
    pub(super) fn classify(
        &mut self,
        id: DifferenceId,
        (class, part): (Class, Option<Decimal>),
        finals: &[Job],
        step: &mut Step,
    ) -> Answer {
        let Some(entry) = self.budget.ledger().open.get(&id).cloned() else {
            let text = format!("{id} is no open difference; `rushes books` lists them");
            return refused("difference", "unknown", text);
        };
        let gone = entry.kind == EntryKind::Unexplained;
        let fits = matches!(class, Class::OtherUse | Class::ChargeOf(_)) == gone;
        if !fits {
            let offered = if gone { "`other-use` or `charge`" } else { "`deposit` or `refund`" };
            let way = if gone { "went" } else { "came" };
            return refused("class", "one_of", format!("{id} is money that {way}; it is {offered}"));
        }
        let left = entry.money;
        if part.is_some_and(|part| part <= Decimal::ZERO || part > left.amount) {
            return refused("amount", "range", format!("{id} is {left}; give an amount above nothing and up to that"));
        }
        // Each part leaves less, so that what was left names it.
        let name_of = part.map_or(id.to_string(), |_| format!("{}:{id}", left.amount.normalize()));
        let entry = Entry { money: Money::new(part.unwrap_or(left.amount), left.currency), ..entry };
        let job = match class {
            Class::Deposit | Class::OtherUse => None,
            Class::RefundOf(job) | Class::ChargeOf(job) => {
                let found = self.jobs.get(&job).or_else(|| finals.iter().find(|found| found.id == job));
                match found.filter(|job| job.request.account == entry.account) {
                    Some(job) => Some(job.clone()),
                    None => return refused("job", "unknown", format!("{job} is no job of {}", entry.account)),
                }
            }
        };
        let back = if gone { EntryKind::Explained } else { EntryKind::ExplainedCredit };
        let reversal =
            Entry { kind: back, evidence: format!("{}:{name_of}", back.word()), at: self.now, ..entry.clone() };
        let rest = Money::new(left.amount.saturating_sub(entry.money.amount), left.currency);
        let data = json!({"difference": id.to_string(), "amount": entry.money, "left": rest, "account": entry.account});
        let of = if rest.amount.is_zero() { String::new() } else { format!(" of {left}") };
        let (name, money) = (entry.account.clone(), entry.money);
        match (class, job) {
            (Class::Deposit | Class::OtherUse, _) | (_, None) => {
                let kind = if gone { EntryKind::OtherUse } else { EntryKind::Deposited };
                let word = if gone { "other use" } else { "a deposit" };
                self.enter(reversal, step);
                self.enter(Entry { kind, evidence: format!("{}:{name_of}", kind.word()), at: self.now, ..entry }, step);
                self.tell_of(
                    &name,
                    "classified",
                    format!("{id}: {money}{of} {} {word}, by your word", money.are()),
                    data,
                    step,
                );
                accepted(Vec::new())
            }
            (_, Some(mut job)) => {
                let before = job.cost.filter(|cost| cost.currency == money.currency);
                let before = before.map_or(Decimal::ZERO, |cost| cost.amount);
                if !gone && before < money.amount {
                    let text = format!("{} cost {}, less than {money}", job.id, Money::new(before, money.currency));
                    return refused("job", "range", text);
                }
                if gone && (job.reserved.is_some() || job.state.is_unsent()) {
                    let text = format!("{} is not over; its charge is booked when it is known", job.id);
                    return refused("job", "state", text);
                }
                self.enter(reversal, step);
                let (kind, after, word) = match gone {
                    true => (EntryKind::Charged, before.saturating_add(money.amount), "its charge"),
                    false => (EntryKind::Refunded, before.saturating_sub(money.amount), "its refund"),
                };
                self.book(&job, kind, money, &name_of, step);
                job.cost = Some(Money::new(after, money.currency));
                match job.refund {
                    _ if !gone => job.refund = Refund::Seen,
                    Refund::Claimed => job.refund = Refund::Contradicted,
                    _ => {}
                }
                drop(self.payer(&name).and_then(|payer| self.take_claim(&payer, job.id)));
                self.tell(
                    &job,
                    "classified",
                    format!("{id}: {money}{of} {} {word}, by your word", money.are()),
                    data,
                    step,
                );
                let id = job.id;
                self.put(job, step);
                accepted(vec![id])
            }
        }
    }
}
