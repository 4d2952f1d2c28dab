//! Polling: when a running job is asked about, and what its answer means.
//!
//! Knows that a failed poll never fails a job and that late is not failed. Must not know any wire.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::host::Call;
use super::schedule::{delay, is_gone, late_after, spread};
use super::{Core, Effect, Step};
use crate::domain::job::Refund;
use crate::domain::message::{Event, Level};
use crate::domain::observed::Learnt;
use crate::domain::{ErrorKind, Job, JobError, JobId, JobState, Money};
use crate::mutation::mutated;
use crate::provider::{RemoteJob, RemoteState, ServiceError, Status};

/// A job at a service is asked about at least so often, however long it asks for silence.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// A job as its service knows it.
pub(super) fn remote_job(job: &Job, remote_id: String) -> RemoteJob {
    RemoteJob {
        remote_id,
        model: job.request.model.clone(),
        currency: job.cost.map(|cost| cost.currency),
        generation: job.generation.clone(),
    }
}

impl Core {
    /// Asks about every running job that is due, as far as the host's window lets.
    pub(super) fn start_polls(&mut self, step: &mut Step) {
        let now = self.now;
        let mut due: Vec<(Timestamp, JobId)> = self
            .work
            .iter()
            .filter(|(_, w)| !w.busy)
            .filter_map(|(id, w)| Some((w.due.filter(|due| *due <= now)?, *id)))
            .filter(|(_, id)| self.jobs.get(id).is_some_and(|j| j.state == JobState::Running && j.hold.is_none()))
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            let Some(job) = self.jobs.get(&id) else { continue };
            let Some(account) = self.accounts.get(&job.request.account) else { continue };
            let Some(host) = self.hosts.get_mut(&account.host) else { continue };
            let (Some(profile), Some(remote_id)) = (account.profile.clone(), job.remote_id.clone()) else { continue };
            if host.free_at(Call::Poll, now) > now {
                continue;
            }
            host.count(Call::Poll, account.poll_interval, now);
            self.work.entry(id).or_default().busy = true;
            let remote = remote_job(job, remote_id);
            step.effects.push(Effect::Poll { job: id, account: job.request.account.clone(), remote, profile });
            self.jobs.count_poll(id);
        }
    }

    pub(super) fn polled(&mut self, id: JobId, result: Result<Status, ServiceError>, step: &mut Step) {
        if let Some(work) = self.work.get_mut(&id) {
            work.busy = false;
            if let Some(adoption) = work.adoption.take() {
                return self.adoption_checked(id, adoption, result, step);
            }
        }
        let Some(job) = self.jobs.get(&id).filter(|job| job.state == JobState::Running).cloned() else { return };
        match result {
            Ok(status) => self.heard(job, status, step),
            Err(error) => self.unheard(job, &error, step),
        }
    }

    pub(super) fn heard(&mut self, mut job: Job, status: Status, step: &mut Step) {
        let name = job.request.account.clone();
        self.recover(&name, step);
        let mut changed = job.gone.take().is_some();
        if let Some(cost) = self.believed(&job, status.cost, step) {
            changed |= job.cost != Some(cost) || job.reserved.is_some();
            // A figure that changes again is another fact, so the poll that brought it names it.
            let evidence = format!("final:{}", job.polls);
            let (again, is_new) = (job.cost.is_some(), job.cost != Some(cost));
            self.charge(&mut job, cost, &evidence, step);
            self.release(&mut job, "final", step);
            if is_new {
                let in_all = if again { " in all" } else { "" };
                let text = format!("the service says that it cost {cost}{in_all}");
                self.tell(&job, "charged", text, serde_json::json!({"cost": cost}), step);
            }
            if is_new && !matches!(status.state, RemoteState::Failed { .. }) {
                self.observe(&job, cost, Learnt::Charged, again, step);
            }
        }
        if let Some(cost) = job.cost.filter(|_| mutated("poll_books_charge")) {
            let evidence = format!("poll:{}", job.polls);
            self.book(&job, crate::domain::EntryKind::Charged, cost, &evidence, step);
        }
        match status.state {
            RemoteState::Working => self.still_working(job, status.word, status.progress, changed, step),
            RemoteState::Finished { links } => {
                job.phase = Some(status.word);
                job.links = links;
                if job.advance(JobState::Downloading, self.now).is_ok() {
                    let data = serde_json::json!({"links": job.links.len(), "polls": job.polls});
                    self.tell(
                        &job,
                        "finished",
                        format!("the service says that it is finished; polls: {}", job.polls),
                        data,
                        step,
                    );
                    let work = self.work.entry(job.id).or_default();
                    work.due = Some(self.now);
                    self.put(job, step);
                }
            }
            RemoteState::Failed { error, refunded } => {
                job.phase = Some(status.word);
                self.fail_paid(job, error, refunded, step);
            }
        }
    }

    fn still_working(&mut self, mut job: Job, word: String, progress: Option<u8>, changed: bool, step: &mut Step) {
        let usual = self.usual_s(&job);
        let late = job.submitted_at.is_some_and(|at| self.now.duration_since(at) > late_after(usual));
        let new_word = job.phase.as_deref() != Some(&word);
        let moved = job.progress != progress;
        let interval = self.poll_interval(&job);
        let work = self.work.entry(job.id).or_default();
        work.due = Some(self.now + delay(interval, 0, job.id.0.unsigned_abs() ^ u64::from(job.polls)));
        if new_word {
            self.tell(&job, "phase", format!("the service says `{word}`"), serde_json::Value::Null, step);
        }
        if late && !job.late {
            let text = "takes longer than usual; late is not failed: it is polled on, and already paid".to_owned();
            self.tell(&job, "late", text, serde_json::Value::Null, step);
        }
        job.phase = Some(word);
        job.progress = progress;
        if changed || new_word || late != job.late {
            job.late = late;
            self.put(job, step);
        } else if moved {
            // Progress alone is shown, not stored: the next poll after a restart brings it again.
            step.events.push(Event::JobChanged(Box::new(self.row(&job))));
            self.jobs.insert(Arc::new(job));
        }
    }

    /// A job that was paid for will produce nothing.
    pub(super) fn fail_paid(&mut self, mut job: Job, error: JobError, refunded: bool, step: &mut Step) {
        if job.reserved.is_some() {
            // Accepted without a named cost: what was set aside is what may have been charged.
            self.charge_reserved(&mut job, "failed", step);
        }
        let mut refund = None;
        let money = match (refunded, job.cost) {
            (true, Some(cost)) => {
                self.book(&job, crate::domain::EntryKind::Refunded, cost, "claimed", step);
                job.refund = Refund::Claimed;
                refund = Some(cost);
                job.cost = Some(Money::new(rust_decimal::Decimal::ZERO, cost.currency));
                format!("its documents say that {cost} {} refunded", cost.are())
            }
            (false, Some(cost)) => {
                job.refund = Refund::NotObservable;
                format!("{cost} {} charged; no refund is documented", cost.were())
            }
            (_, None) => "no charge is known".to_owned(),
        };
        let error = JobError { message: format!("{}{}", error.message, self.offer_less(&job, error.kind)), ..error };
        job.error = Some(error.clone());
        if job.advance(JobState::Failed, self.now).is_ok() {
            self.tell(
                &job,
                "failed",
                format!("{}; {money}", error.message.trim_end_matches('.')),
                serde_json::json!({"refund": job.refund, "answer": error.answer}),
                step,
            );
            self.notice(
                Level::Error,
                format!(
                    "{} failed at {}: {}; {money}",
                    job.id,
                    job.request.account,
                    error.message.trim_end_matches('.')
                ),
                step,
            );
            let name = job.request.account.clone();
            if job.cost.is_some_and(|cost| !cost.amount.is_zero()) {
                self.count_loss(&job, error.kind, &error.message, step);
            }
            if let Some(money) = refund.filter(|money| !money.amount.is_zero()) {
                self.await_refund(&job, money);
            }
            self.put(job, step);
            self.want_balance(&name);
        }
    }

    fn unheard(&mut self, mut job: Job, error: &ServiceError, step: &mut Step) {
        let name = job.request.account.clone();
        let interval = self.poll_interval(&job);
        // The job itself only waits its turn: it is the host that rests.
        let seed = job.id.0.unsigned_abs() ^ u64::from(job.polls);
        self.work.entry(job.id).or_default().due = Some(self.now + delay(interval, 0, seed));
        match error.kind {
            ErrorKind::Gone => {
                self.recover(&name, step);
                let (count, since) = job.count_denial(self.now);
                self.work.entry(job.id).or_default().due = Some(self.now + delay(interval, count.min(6), seed));
                let given_up = is_gone(count, self.now.duration_since(since));
                if given_up && job.advance(JobState::Unconfirmed, self.now).is_ok() {
                    let text = format!("gone: {name} denied knowing it {count} times since {since}; it was paid for");
                    job.error = Some(JobError::new(ErrorKind::Gone, text.clone()));
                    self.tell(&job, "unconfirmed", text.clone(), serde_json::Value::Null, step);
                    self.notice(Level::Warning, format!("{}: {text}", job.id), step);
                } else if count == 1 {
                    let text = format!(
                        "{name} does not know it ({}); asked again for a day before it counts as gone",
                        error.message
                    );
                    self.tell(&job, "not_found", text, serde_json::Value::Null, step);
                }
                self.put(job, step);
            }
            ErrorKind::RateLimit => self.quieten(&name, error, step),
            _ => self.trouble(&name, Call::Poll, error, step),
        }
    }

    /// The service wants fewer status requests: the whole host is asked later. Orders are no part of it.
    fn quieten(&mut self, name: &str, error: &ServiceError, step: &mut Step) {
        self.recover(name, step);
        let now = self.now;
        let Some(account) = self.accounts.get(name) else { return };
        let Some(host) = self.hosts.get_mut(&account.host) else { return };
        // Asking is free, and links do not live for ever.
        let most = (LONGEST_WAIT - account.poll_interval).max(account.poll_interval);
        let wait = error.retry_after.and_then(|w| SignedDuration::try_from(w).ok()).map(|w| w.min(most));
        host.limit(Call::Poll, wait, now);
        let Some(until) = wait.map(|wait| now + wait) else { return };
        let there: Vec<&String> = self.accounts.values().filter(|a| a.host == account.host).map(|a| &a.name).collect();
        for (id, work) in &mut self.work {
            let job = self.jobs.get(id).filter(|job| job.state == JobState::Running);
            if job.is_some_and(|job| there.contains(&&job.request.account)) {
                // Those that wait for the same do not come back all at once.
                let soon = until + spread(account.poll_interval, id.0.unsigned_abs());
                work.due = work.due.map(|due| due.max(soon));
            }
        }
    }
}
