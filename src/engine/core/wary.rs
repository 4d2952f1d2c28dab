//! Whether a service heeds the key that makes a repeat the same order. Where a balance says that it did not,
//! nothing is repeated at that account any more. And which models cost more than was set aside.
//!
//! Knows repeats that were answered and what they cost, and the user's word that ends a distrust. Must not know any wire, nor how a balance is compared.

use rust_decimal::Decimal;
use serde_json::json;

use super::{Account, Core, Step};
use crate::domain::message::Level;
use crate::domain::{Job, JobId, Money};

/// A repeat that was answered with an order, which no balance has shown to be the only one yet.
#[derive(Debug)]
pub(super) struct Repeat {
    job: Box<Job>,
    cost: Money,
}

impl Account {
    /// It does not heed the key of a repeat.
    pub(super) fn distrust_repeats(&mut self) {
        (self.wary, self.is_news) = (true, true);
    }

    /// The user trusts it again.
    pub(super) fn trust_repeats(&mut self) {
        self.is_news |= self.wary;
        self.wary = false;
    }

    /// Nothing of a model is ordered until the user let a job of it go, or the account.
    pub(super) fn stop_model(&mut self, model: &str, why: &str) {
        self.is_news |= self.dear.insert(model.to_owned(), why.to_owned()).is_none();
    }

    /// The user lets a model go on, or all for `None`.
    pub(super) fn let_model_go(&mut self, model: Option<&str>) {
        let before = self.dear.len();
        self.dear.retain(|name, _| model.is_some_and(|model| model != name));
        self.is_news |= self.dear.len() < before;
    }
}

impl Core {
    /// A job's repeat was answered with an order; the next balance that can be compared says whether it was
    /// the same one.
    pub(super) fn note_repeat(&mut self, id: JobId) {
        let Some((job, cost)) = self.jobs.get(&id).and_then(|job| Some((job.clone(), job.cost?))) else { return };
        let payer = self.payer(&job.request.account).and_then(|payer| self.accounts.get_mut(&payer));
        if let Some(account) = payer {
            account.repeats.push(Repeat { job: Box::new(job), cost });
        }
    }

    /// The balance is what the books say: every repeat was the same order.
    pub(super) fn repeats_were_heeded(&mut self, payer: &str) {
        self.accounts.get_mut(payer).into_iter().for_each(|account| account.repeats.clear());
    }

    /// So much is gone that nothing explains. Where that is what repeats cost, to the last digit, they were
    /// other orders.
    pub(super) fn suspect_repeats(&mut self, payer: &str, gone: Money, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(payer) else { return };
        let repeats = std::mem::take(&mut account.repeats);
        let alike = |repeat: &&Repeat| repeat.cost.currency == gone.currency;
        let all: Decimal = repeats.iter().filter(alike).map(|repeat| repeat.cost.amount).sum();
        let one: Vec<&Repeat> = repeats.iter().filter(alike).filter(|r| r.cost.amount == gone.amount).collect();
        let suspects: Vec<&Repeat> = match one.as_slice() {
            [] if all == gone.amount => repeats.iter().filter(alike).collect(),
            [] => return,
            some => some.to_vec(),
        };
        account.distrust_repeats();
        let ids: Vec<String> = suspects.iter().map(|repeat| repeat.job.id.to_string()).collect();
        let ids = ids.join(", ");
        let text = format!(
            "{payer} seems to have taken the repeat of {ids} for another order, though it came with the same key: {gone} are gone besides. Nothing is repeated there any more; `rushes resume {payer}` trusts it again"
        );
        for repeat in suspects {
            let data = json!({"verdict": "likely", "gone": gone});
            self.tell(&repeat.job, "evidence", format!("likely bought twice: {text}"), data, step);
        }
        self.tell_of(payer, "distrusted", text.clone(), json!({"what": "idempotency_key", "gone": gone}), step);
        self.notice(Level::Warning, text, step);
    }

    /// Whether nothing is repeated at an account, since it took a repeat for another order; said of a job once.
    pub(super) fn is_wary(&self, job: &Job, step: &mut Step) -> bool {
        let payer = self.payer(&job.request.account).and_then(|payer| self.accounts.get(&payer));
        let Some(payer) = payer.filter(|payer| payer.wary) else { return false };
        if job.search.as_ref().is_some_and(|search| search.rounds <= 1) {
            let name = &payer.name;
            let text = format!("not sent once more: {name} took a repeat under the same key for another order before");
            self.tell(job, "evidence", text, serde_json::Value::Null, step);
        }
        true
    }
}
