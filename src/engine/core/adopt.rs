//! The user's ways out of not knowing: naming the order that a job is, or writing the job off.
//!
//! Knows that an order is checked by one status request before it is gone on with. Must not know any face.

use std::collections::BTreeSet;

use super::command::{accepted, refused};
use super::status::remote_job;
use super::{Core, Effect, FaceId, LookedUp, Step};
use crate::domain::job::Refund;
use crate::domain::message::{Answer, Ticket};
use crate::domain::{ErrorKind, Job, JobError, JobId, JobState};
use crate::provider::{ServiceError, Status};

/// Said instead of an order's id: the part of the clip that is kept is taken for the clip.
pub(super) const PART: &str = "part";

/// Longest id of an order that is taken from the user.
const ID_MAX: usize = 200;

/// The order that a job is to go on as, at the user's word.
#[derive(Debug)]
pub(super) struct Adoption {
    remote_id: String,
    from: (FaceId, Ticket),
    /// The status request that checks it is under way.
    asked: bool,
}

impl Core {
    /// Takes the user's word for which order a job is, subject to one status request. The answer comes
    /// with that.
    pub(super) fn adopt(
        &mut self,
        from: (FaceId, Ticket),
        id: JobId,
        remote_id: &str,
        looked_up: &LookedUp,
        step: &mut Step,
    ) -> Option<Answer> {
        if !looked_up.problems.is_empty() {
            return Some(Answer::Refused { problems: looked_up.problems.clone() });
        }
        let lost = |job: &Job| job.state != JobState::Unconfirmed;
        if let Some(no) = self.refuse(&[id], &looked_up.finals, lost, "is not unconfirmed; there is nothing to adopt") {
            return Some(no);
        }
        let job = self.jobs.get(&id)?;
        let remote_id = remote_id.trim();
        if remote_id == PART {
            return Some(self.adopt_part(id, step));
        }
        let strange = remote_id.is_empty() || remote_id.len() > ID_MAX || remote_id.chars().any(char::is_control);
        if strange {
            let text = format!("give the id of the order as {} shows it", job.request.account);
            return Some(refused("remote_id", "type", text));
        }
        if let Some(other) = self.holder_of(remote_id, job).or(looked_up.adopted_by) {
            return Some(refused("remote_id", "state", format!("{remote_id} is {other}'s order already")));
        }
        if !self.is_own(job) || !self.settings.online {
            let text = format!("{} cannot be asked as it was when {id} was sent", job.request.account);
            return Some(refused("account", "state", text));
        }
        let work = self.work.entry(id).or_default();
        if work.repeating || work.adoption.is_some() {
            return Some(refused("id", "state", format!("{id} is being asked about just now; try again in a moment")));
        }
        work.adoption = Some(Adoption { remote_id: remote_id.to_owned(), from, asked: false });
        self.start_adoptions(step);
        None
    }

    /// The accounts that are to be asked about an adoption.
    pub(super) fn adopting(&self) -> BTreeSet<String> {
        let waits = |job: &&Job| self.work.get(&job.id).is_some_and(|work| work.adoption.is_some());
        self.jobs.unconfirmed().filter(waits).map(|job| job.request.account.clone()).collect()
    }

    /// Asks about orders that are to be adopted, or says why that cannot be.
    pub(super) fn start_adoptions(&mut self, step: &mut Step) {
        let waits = |job: &&Job| self.work.get(&job.id).is_some_and(|w| w.adoption.as_ref().is_some_and(|a| !a.asked));
        let jobs: Vec<Job> = self.jobs.unconfirmed().filter(waits).cloned().collect();
        for job in jobs {
            let Some(account) = self.accounts.get(&job.request.account) else { continue };
            let why = account.pause.as_ref().map(|pause| pause.message.clone());
            let why = why.or_else(|| account.trouble.clone().filter(|_| account.profile.is_none()));
            let profile = account.profile.clone();
            let Some(work) = self.work.get_mut(&job.id) else { continue };
            if let (Some(why), Some(adoption)) = (&why, work.adoption.take_if(|_| why.is_some())) {
                let text = format!("{} cannot be asked: {why}; {} stays unconfirmed", job.request.account, job.id);
                step.answers.push((adoption.from.0, adoption.from.1, refused("account", "state", text)));
                continue;
            }
            let (Some(profile), Some(adoption)) = (profile, &mut work.adoption) else { continue };
            adoption.asked = true;
            let remote = remote_job(&job, adoption.remote_id.clone());
            work.busy = true;
            step.effects.push(Effect::Poll { job: job.id, account: job.request.account.clone(), remote, profile });
        }
    }

    /// The status request that checks an adoption came back.
    pub(super) fn adoption_checked(
        &mut self,
        id: JobId,
        adoption: Adoption,
        result: Result<Status, ServiceError>,
        step: &mut Step,
    ) {
        let Some(job) = self.jobs.get(&id).filter(|job| job.state == JobState::Unconfirmed).cloned() else {
            let text = format!("{id} was settled meanwhile; there is nothing to adopt");
            return step.answers.push((adoption.from.0, adoption.from.1, refused("id", "state", text)));
        };
        let (name, remote_id) = (job.request.account.clone(), adoption.remote_id);
        let answer = match result {
            Ok(status) => {
                let text = format!("by your word, and {name} says `{}` of it", status.word);
                self.found_again(job, remote_id, ("adopted", text), step);
                if let Some(job) = self.jobs.get(&id).cloned() {
                    self.heard(job, status, step);
                }
                accepted(vec![id])
            }
            Err(error) => {
                let text =
                    format!("{name} does not confirm order {remote_id}: {}; {id} stays unconfirmed", error.message);
                self.tell(&job, "evidence", text.clone(), serde_json::json!({"remote_id": remote_id}), step);
                refused("remote_id", "unknown", text)
            }
        };
        step.answers.push((adoption.from.0, adoption.from.1, answer));
    }

    /// Gives unconfirmed jobs up at the user's word. The money may have been spent all the same.
    pub(super) fn write_off(&mut self, ids: &[JobId], finals: &[Job], step: &mut Step) -> Answer {
        let other = |job: &Job| job.state != JobState::Unconfirmed;
        if let Some(no) = self.refuse(ids, finals, other, "is not unconfirmed; only a lost order can be written off") {
            return no;
        }
        let asked = |job: &Job| self.work.get(&job.id).is_some_and(|work| work.repeating || work.adoption.is_some());
        if let Some(no) = self.refuse(ids, finals, asked, "is being asked about just now; try again in a moment") {
            return no;
        }
        for id in ids {
            let Some(mut job) = self.jobs.get(id).cloned() else { continue };
            let money = match (job.cost, job.reserved) {
                (Some(cost), _) => format!("{cost} {} charged, which remains booked", cost.were()),
                (None, Some(money)) => {
                    format!("{money} {} no longer set aside, and may still have been charged", money.are())
                }
                (None, None) => "it may still have been charged".to_owned(),
            };
            self.release(&mut job, "written-off", step);
            let text = format!("written off by you; {money}");
            job.error = Some(JobError::new(ErrorKind::User, text.clone()));
            job.refund = Refund::NotObservable;
            if job.advance(JobState::Failed, self.now).is_ok() {
                self.tell(&job, "written_off", text, serde_json::json!({"cost": job.cost}), step);
                self.put(job, step);
            }
        }
        accepted(ids.to_vec())
    }
}
