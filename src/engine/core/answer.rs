//! What an order's answer means for the job, the books and the account.
//!
//! Knows the five outcomes of a paid request. Must not know which status or body stands behind one.

use jiff::SignedDuration;

use super::schedule::delay;
use super::{Core, Step};
use crate::domain::job::Refund;
use crate::domain::message::Level;
use crate::domain::observed::Learnt;
use crate::domain::{Currency, ErrorKind, Job, JobError, JobId, JobState, Money, Request};
use crate::provider::{Accepted, Finished, ServiceError, SubmitAnswer};
use crate::store::Change;

/// Orders that the service refused uncharged for want of a worker are sent so often in all.
const MOST_REFUSED_TRIES: u32 = 4;

impl Core {
    /// No answer yet: said in the row, and nothing else. The socket is kept, a late answer counts.
    pub(super) fn waited(&mut self, id: JobId, step: &mut Step) {
        let Some(mut job) = self.jobs.get(&id).filter(|job| job.state == JobState::Submitting).cloned() else { return };
        job.phase = Some("waiting for the answer".to_owned());
        self.put(job, step);
    }

    pub(super) fn submitted(&mut self, id: JobId, answer: SubmitAnswer, bytes: u64, step: &mut Step) {
        if let Some(work) = self.work.get_mut(&id) {
            work.busy = false;
        }
        if self.work.get_mut(&id).is_some_and(|work| std::mem::take(&mut work.repeating)) {
            return self.repeat_answered(id, answer, step);
        }
        let Some(job) = self.jobs.get(&id).filter(|job| job.state == JobState::Submitting).cloned() else { return };
        let (outcome, data) = describe(&answer);
        step.changes.push(Change::AnswerIntent {
            job: id,
            attempt: job.attempts,
            at: self.now,
            outcome: outcome.to_owned(),
            data,
        });
        let account = job.request.account.clone();
        match self.believable(&job, answer) {
            SubmitAnswer::Accepted(accepted) => self.accepted(job, accepted, step),
            SubmitAnswer::Finished(finished) => self.finished(job, finished, step),
            SubmitAnswer::Refused(error) => self.refused_order(job, &error, step),
            SubmitAnswer::NotSent(error) => self.not_sent(job, &error, step),
            SubmitAnswer::Unknown(error) => self.unknown(job, &error, bytes, step),
        }
        self.touch(&account, step);
    }

    /// The answer, or that it settles nothing: an id that is another job's order already names none of this
    /// one, and its clip would be the other's.
    pub(super) fn believable(&self, job: &Job, answer: SubmitAnswer) -> SubmitAnswer {
        let SubmitAnswer::Accepted(accepted) = &answer else { return answer };
        let Some(other) = self.holder_of(&accepted.remote_id, job) else { return answer };
        let (name, remote) = (&job.request.account, &accepted.remote_id);
        let text = format!("{name} answered with order {remote}, which is {other}'s already");
        SubmitAnswer::Unknown(ServiceError::new(ErrorKind::Protocol, text))
    }

    pub(super) fn accepted(&mut self, mut job: Job, accepted: Accepted, step: &mut Step) {
        if job.advance(JobState::Running, self.now).is_err() {
            return;
        }
        job.phase = accepted.phase;
        job.remote_id = Some(accepted.remote_id.clone());
        let cost = self.believed(&job, accepted.cost, step);
        if let Some(cost) = cost {
            let again = job.cost.is_some();
            let evidence = format!("{}:accepted", job.attempts);
            self.charge(&mut job, cost, &evidence, step);
            self.release(&mut job, "accepted", step);
            self.observe(&job, cost, Learnt::Charged, again, step);
        }
        let paid = cost.map_or("it named no cost".to_owned(), |cost| format!("charged {cost}"));
        let left = accepted.balance.map(|b| format!(", balance {b}")).unwrap_or_default();
        let data = serde_json::json!({"remote_id": accepted.remote_id, "cost": cost, "balance": accepted.balance, "request_id": accepted.request_id});
        self.tell(&job, "accepted", format!("order accepted as {}, {paid}{left}", accepted.remote_id), data, step);
        let (name, id, interval) = (job.request.account.clone(), job.id, self.poll_interval(&job));
        let alone = self.is_alone(&job);
        let balance = accepted.balance.map(|told| (told, cost.is_some() && self.is_comparable(&job, told, alone)));
        self.put(job, step);
        let work = self.work.entry(id).or_default();
        work.due = Some(self.now + delay(interval, 0, id.0.unsigned_abs()));
        match balance {
            Some((balance, still)) => self.see_balance(&name, balance, "submit", still, step),
            None => self.want_balance(&name),
        }
        self.recover(&name, step);
    }

    fn finished(&mut self, mut job: Job, finished: Finished, step: &mut Step) {
        if job.advance(JobState::Downloading, self.now).is_err() {
            return;
        }
        self.charge_reserved(&mut job, "finished", step);
        job.revised_prompt = finished.revised_prompt.filter(|text| *text != job.request.prompt);
        job.links = finished.links;
        self.tell(
            &job,
            "accepted",
            "order made; the clip came with the answer".to_owned(),
            serde_json::json!({"booked": job.cost}),
            step,
        );
        let name = job.request.account.clone();
        self.work.entry(job.id).or_default().due = Some(self.now);
        self.put(job, step);
        self.recover(&name, step);
    }

    /// Books the reservation as the charge where the service names no cost of its own.
    pub(super) fn charge_reserved(&mut self, job: &mut Job, why: &str, step: &mut Step) {
        if let Some(reserved) = job.reserved {
            let evidence = format!("{}:{why}", job.attempts);
            self.charge(job, reserved, &evidence, step);
            self.release(job, why, step);
        }
    }

    fn refused_order(&mut self, mut job: Job, error: &ServiceError, step: &mut Step) {
        // It had begun when it failed. No document says whether a plan counts that (wire.md 3.4), and
        // unknown is not zero.
        let begun = error.kind == ErrorKind::Generation;
        let in_plan = job.reserved.is_some_and(|money| money.currency == Currency::Quota);
        let spent = if begun && in_plan {
            self.charge_reserved(&mut job, "failed", step);
            job.refund = Refund::NotObservable;
            "booked as used, since the plan may count it"
        } else {
            self.release(&mut job, "refused", step);
            "nothing charged"
        };
        if let Some(price) = error.required {
            self.observe(&job, price, Learnt::Quoted, false, step);
        }
        let again = match error.kind {
            ErrorKind::Authentication | ErrorKind::Balance | ErrorKind::RateLimit => true,
            ErrorKind::Unavailable => job.attempts < MOST_REFUSED_TRIES,
            _ => false,
        };
        if again {
            let text = format!("refused, {spent}: {}; stays queued", error.message);
            self.requeue(job, "refused", &text, error, step);
            return;
        }
        if error.kind != ErrorKind::Unavailable {
            let name = job.request.account.clone();
            self.recover(&name, step);
        }
        let field = error.field.as_ref().map(|f| format!(" (field {f})")).unwrap_or_default();
        let field = field + &self.offer_less(&job, error.kind);
        job.error = Some(JobError::new(error.kind, format!("{}{field}", error.message)).answered(error.answer.clone()));
        if job.advance(JobState::Failed, self.now).is_ok() {
            self.tell(
                &job,
                "failed",
                format!("refused, {spent}: {}{field}", error.message),
                serde_json::Value::Null,
                step,
            );
            self.notice(
                Level::Error,
                format!("{} was refused by {}, {spent}: {}{field}", job.id, job.request.account, error.message),
                step,
            );
            self.put(job, step);
        }
    }

    fn not_sent(&mut self, mut job: Job, error: &ServiceError, step: &mut Step) {
        self.release(&mut job, "not-sent", step);
        let text = format!("could not be sent, nothing charged: {}; stays queued", error.message);
        self.requeue(job, "not_sent", &text, error, step);
    }

    /// Puts a job that was provably not taken back in its place, and lets the account rest.
    fn requeue(&mut self, mut job: Job, kind: &str, text: &str, error: &ServiceError, step: &mut Step) {
        if job.advance(JobState::Queued, self.now).is_err() {
            return;
        }
        job.submitted_at = None;
        job.phase = None;
        // Shown in its row for as long as it waits; the next order clears it.
        job.error = Some(JobError::new(error.kind, text).answered(error.answer.clone()));
        self.tell(&job, kind, text.to_owned(), serde_json::Value::Null, step);
        let (name, call) = (job.request.account.clone(), self.order_call(&job));
        let wait = delay(SignedDuration::from_secs(2), job.attempts.min(7), job.id.0.unsigned_abs());
        self.work.entry(job.id).or_default().due = Some(self.now + wait);
        self.put(job, step);
        self.trouble(&name, call, error, step);
    }

    /// What may help where a service refuses a parameter: the same order with only what it needs (seed
    /// 003). Nothing where that would be the same order again.
    pub(super) fn offer_less(&self, job: &Job, kind: ErrorKind) -> String {
        let less = Request { minimal: true, ..job.request.clone() };
        let is_less = self.model_of(&job.request).is_some_and(|model| less.values(model) != job.values);
        if kind != ErrorKind::Invalid || job.request.minimal || !is_less {
            return String::new();
        }
        format!("; retry with only the needed fields: rushes retry --minimal {}", job.id)
    }

    fn unknown(&mut self, mut job: Job, error: &ServiceError, bytes: u64, step: &mut Step) {
        if job.advance(JobState::Unconfirmed, self.now).is_err() {
            return;
        }
        let kept = if bytes > 0 { format!("; {bytes} bytes of the clip came and are kept") } else { String::new() };
        let reserved = job.reserved.map_or(String::new(), |m| format!(" {m} {} set aside.", m.are()));
        let text = format!(
            "{}{kept}. The order may have been made and charged; it is looked for, and not bought twice by itself.{reserved}",
            error.message
        );
        job.error = Some(JobError::new(error.kind, text.clone()).answered(error.answer.clone()));
        job.refund = Refund::NotObservable;
        self.tell(&job, "unconfirmed", text, serde_json::Value::Null, step);
        let cost = job.reserved.map_or("an unknown amount".to_owned(), |m| m.to_string());
        self.notice(
            Level::Warning,
            format!(
                "{}: unconfirmed, {cost} may be spent; it is looked for, and not bought twice by itself: {}",
                job.id, error.message
            ),
            step,
        );
        let name = job.request.account.clone();
        self.begin_trace(&job);
        self.put(job, step);
        self.want_balance(&name);
    }
}

pub(super) fn describe(answer: &SubmitAnswer) -> (&'static str, serde_json::Value) {
    let error = |e: &ServiceError| serde_json::json!({"kind": e.kind, "message": e.message, "status": e.status, "answer": e.answer});
    match answer {
        SubmitAnswer::Accepted(a) => {
            let money = |m: &Option<Money>| m.map(|m| m.to_string());
            (
                "accepted",
                serde_json::json!({"remote_id": a.remote_id, "cost": money(&a.cost), "request_id": a.request_id}),
            )
        }
        SubmitAnswer::Finished(f) => ("finished", serde_json::json!({"clips": f.clips, "links": f.links.len()})),
        SubmitAnswer::Refused(e) => ("refused", error(e)),
        SubmitAnswer::NotSent(e) => ("not_sent", error(e)),
        SubmitAnswer::Unknown(e) => ("unknown", error(e)),
    }
}
