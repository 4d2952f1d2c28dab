//! Sending a lost order once more where its service has a key that makes this the same order.
//!
//! Knows the one repeat: in time, equal to the byte, on disk before it is sent. Must not know which
//! service documents that, nor how a repeat is told from another order.

use jiff::{SignedDuration, Timestamp};

use super::answer::describe;
use super::{Core, Effect, PreparedOrder, Step, Unprepared};
use crate::domain::job::Refund;
use crate::domain::message::Level;
use crate::domain::search::Verdict;
use crate::domain::{Job, JobId, JobState};
use crate::provider::SubmitAnswer;
use crate::store::Change;

/// A repeat leaves at least so long before its service forgets the order, whatever the clocks say.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// When it is too late to repeat a job's order; `None` where it is no repeat at all.
fn last_moment(job: &Job, repeatable: Option<SignedDuration>) -> Option<Timestamp> {
    job.submitted_at?.checked_add(repeatable? - MARGIN).ok()
}

impl Core {
    /// Whether a job's order may be repeated at that time, by its service's word that it would be the same order.
    fn may_repeat(&self, job: &Job, repeatable: Option<SignedDuration>, at: Timestamp) -> bool {
        let unrepeated = job.search.as_ref().is_some_and(|search| !search.repeated);
        let profile = self.accounts.get(&job.request.account).and_then(|account| account.profile.as_ref());
        let same_place = profile.is_some_and(|profile| profile.generation == job.generation);
        let in_time = last_moment(job, repeatable).is_some_and(|last| at < last);
        // A wall clock that was set back while the program was away would make an old order look young.
        let sent_here = self.work.get(&job.id).is_some_and(|work| work.sent);
        sent_here
            && unrepeated
            && same_place
            && in_time
            && job.digest.is_some()
            && self.is_looked_for(job)
            && !self.draining
    }

    /// Has the order built once more, where a repeat is the same order.
    pub(super) fn prepare_repeat(&mut self, id: JobId, repeatable: Option<SignedDuration>, step: &mut Step) {
        let Some(job) = self.jobs.get(&id).filter(|job| self.may_repeat(job, repeatable, self.now)) else { return };
        if self.is_wary(job, step) {
            return;
        }
        let Some(model) = self.model_of(&job.request).cloned() else { return };
        let profile = self.accounts.get(&job.request.account).and_then(|account| account.profile.clone());
        let Some(profile) = profile else { return };
        step.effects.push(Effect::Prepare { job: Box::new(job.clone()), model, profile });
        let work = self.work.entry(id).or_default();
        (work.busy, work.repeatable, work.repeat_at) = (true, repeatable, None);
    }

    /// When the next repeats fall due that wait for their hosts.
    pub(super) fn next_repeats(&self) -> impl Iterator<Item = Timestamp> {
        self.work.values().filter(|work| !work.busy && !self.draining).filter_map(|work| work.repeat_at)
    }

    /// Whether a job's repeat only waits for its host.
    pub(super) fn waits_to_repeat(&self, id: JobId) -> bool {
        !self.draining && self.work.get(&id).is_some_and(|work| work.repeat_at.is_some())
    }

    /// Has every repeat built whose host may be called again.
    pub(super) fn start_repeats(&mut self, step: &mut Step) {
        let now = self.now;
        let due = self.work.iter_mut().filter(|(_, work)| !work.busy && work.repeat_at.is_some_and(|at| at <= now));
        let due: Vec<_> = due
            .map(|(id, work)| {
                work.repeat_at = None;
                (*id, work.repeatable.take())
            })
            .collect();
        for (id, repeatable) in due {
            self.prepare_repeat(id, repeatable, step);
        }
    }

    /// The order is built once more: sent, if it is the same to the byte. That it is sent is on disk first.
    pub(super) fn repeat_prepared(&mut self, id: JobId, result: Result<PreparedOrder, Unprepared>, step: &mut Step) {
        let repeatable = self.work.get_mut(&id).and_then(|work| {
            work.busy = false;
            work.repeatable.take()
        });
        let job = self.jobs.get(&id).filter(|job| self.may_repeat(job, repeatable, self.now)).cloned();
        let call = job.as_ref().map(|job| self.order_call(job));
        let account = job.as_ref().and_then(|job| self.accounts.get(&job.request.account));
        let free_at = account
            .zip(call)
            .and_then(|(account, call)| account.pause.is_none().then(|| self.order_free_at(account, call)));
        let free = free_at.is_some_and(|at| at <= self.now);
        let (Some(mut job), Some(call), Ok(order), true) = (job.clone(), call, result, free) else {
            step.effects.push(Effect::Discard { job: id });
            // A host that rests may be called again while its service still knows the order.
            let in_time = |at: &Timestamp| job.as_ref().is_some_and(|job| self.may_repeat(job, repeatable, *at));
            if let Some(at) = free_at.filter(|at| *at > self.now).filter(in_time) {
                let work = self.work.entry(id).or_default();
                (work.repeat_at, work.repeatable) = (Some(at), repeatable);
            }
            return;
        };
        let Some(search) = &mut job.search else { return };
        search.repeated = true;
        if job.digest.as_deref() != Some(&order.digest) {
            step.effects.push(Effect::Discard { job: id });
            let text = "not repeated: what would be sent now is not what was sent".to_owned();
            self.tell(&job, "evidence", text, serde_json::json!({"body_sha256": order.digest}), step);
            return self.put(job, step);
        }
        let text = "sent once more under its own id, which its service documents as the same order; never again";
        self.tell(&job, "repeating", text.to_owned(), serde_json::json!({"body_sha256": order.digest}), step);
        self.count_order(&job.request.account, call);
        let work = self.work.entry(id).or_default();
        (work.busy, work.repeating, work.alone) = (true, true, None);
        let until = last_moment(&job, repeatable);
        self.put(job, step);
        step.effects.push(Effect::Submit { job: id, until });
    }

    /// What came of the repeat. Only an acceptance settles anything: a refusal may be of the repeat alone.
    pub(super) fn repeat_answered(&mut self, id: JobId, answer: SubmitAnswer, step: &mut Step) {
        let Some(mut job) = self.jobs.get(&id).filter(|job| job.state == JobState::Unconfirmed).cloned() else {
            return;
        };
        let (outcome, data) = describe(&answer);
        let answer = self.believable(&job, answer);
        let taken = matches!(answer, SubmitAnswer::Accepted(_) | SubmitAnswer::Finished(_));
        let outcome = if taken { "recovered".to_owned() } else { format!("repeat_{outcome}") };
        step.changes.push(Change::AnswerIntent { job: id, attempt: job.attempts, at: self.now, outcome, data });
        let error = match answer {
            SubmitAnswer::Accepted(answer) => {
                (job.error, job.refund) = (None, Refund::None);
                if let Some(search) = &mut job.search {
                    search.verdict = Verdict::Proven;
                    search.text = format!("its repeat was answered with order {}", answer.remote_id);
                }
                self.notice(Level::Info, format!("{id} was taken after all and goes on"), step);
                self.accepted(job, answer, step);
                return self.note_repeat(id);
            }
            SubmitAnswer::Finished(_) => return,
            SubmitAnswer::Refused(error) | SubmitAnswer::NotSent(error) | SubmitAnswer::Unknown(error) => error,
        };
        let text = format!("open: its repeat was not taken, which proves nothing: {}", error.message);
        self.tell(&job, "evidence", text, serde_json::json!({"verdict": Verdict::Open}), step);
        self.put(job, step);
    }
}
