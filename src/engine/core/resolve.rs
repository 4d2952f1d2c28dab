//! Working off the unconfirmed: what is found of a lost order, and what follows from it.
//!
//! Knows verdicts and waits. Must not know any wire. Absence is never proof: nothing here says that an
//! order was not taken, and nothing goes back to the queue.

use jiff::{SignedDuration, Timestamp};

use super::host::Call;
use super::{Core, Effect, Step};
use crate::domain::job::Refund;
use crate::domain::message::Level;
use crate::domain::search::{Search, Verdict};
use crate::domain::{ErrorKind, Job, JobId, JobState};
use crate::mutation::mutated;
use crate::provider::{Evidence, Grade, Intent, ServiceError};
use crate::store::Change;

/// Waits between two looks; the last one from then on.
const WAITS: [SignedDuration; 5] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
];

/// A look that is due within this is waited for by whoever works until nothing goes on.
pub(super) const SOON: SignedDuration = SignedDuration::from_secs(15);

/// Wait after a look that reached nobody.
const UNREACHED: SignedDuration = SignedDuration::from_secs(30);

/// A service that asks for silence is asked again after this all the same.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(1);

impl Core {
    /// Whether a job's order is looked for: nobody ever said that it was taken, its account is the one
    /// it was sent from, and the user still wants to know.
    pub(super) fn is_looked_for(&self, job: &Job) -> bool {
        let never_answered = job.remote_id.is_none() && (job.cost.is_none() || job.search.is_some());
        let sent = job.state == JobState::Unconfirmed && !job.abandoned && job.submitted_at.is_some();
        sent && never_answered && self.is_own(job) && !mutated("lost_unsought")
    }

    pub(super) fn is_own(&self, job: &Job) -> bool {
        let account = self.accounts.get(&job.request.account);
        account.is_some_and(|account| account.origin == job.origin && account.fingerprint == job.fingerprint)
    }

    /// Whether nothing more is to be said of an unconfirmed job for now: it was looked for once, or cannot be.
    pub(super) fn is_looked_at(&self, job: &Job) -> bool {
        let work = self.work.get(&job.id);
        if work.is_some_and(|work| work.busy || work.adoption.is_some()) || self.waits_to_repeat(job.id) {
            return false;
        }
        let account = self.accounts.get(&job.request.account);
        let reachable = account.is_some_and(|a| !a.is_locked_out() && (a.profile.is_some() || a.is_probing()));
        let looked = work.is_some_and(|work| work.looked) || job.search.is_some();
        self.draining || looked || !reachable || !self.is_looked_for(job)
    }

    /// When a job's order is looked for next; may lie in the past.
    pub(super) fn next_find(&self, job: &Job) -> Timestamp {
        let next = job.search.as_ref().map_or(self.now, |search| search.next);
        let rest = self.work.get(&job.id).and_then(|work| work.due);
        rest.map_or(next, |rest| rest.max(next))
    }

    /// When the next looks fall due by time alone.
    pub(super) fn next_finds(&self) -> impl Iterator<Item = Timestamp> {
        let idle = |job: &&Job| !self.draining && !self.work.get(&job.id).is_some_and(|work| work.busy);
        self.jobs.unconfirmed().filter(idle).filter(|job| self.is_looked_for(job)).filter_map(|job| {
            let account = self.accounts.get(&job.request.account)?;
            account.profile.as_ref()?;
            Some(self.hosts.get(&account.host)?.free_at(Call::Find, self.next_find(job).max(self.now)))
        })
    }

    /// Looks for every lost order that is due, as far as its host's limits let; checks adoptions first.
    pub(super) fn start_finds(&mut self, step: &mut Step) {
        self.start_adoptions(step);
        if self.draining {
            return;
        }
        self.start_repeats(step);
        let now = self.now;
        let is_due = |job: &&Job| {
            let busy = self.work.get(&job.id).is_some_and(|work| work.busy);
            !busy && self.is_looked_for(job) && self.next_find(job) <= now
        };
        let mut due: Vec<(Timestamp, JobId)> =
            self.jobs.unconfirmed().filter(is_due).map(|job| (self.next_find(job), job.id)).collect();
        due.sort_unstable();
        for (_, id) in due {
            let Some(job) = self.jobs.get(&id) else { continue };
            let Some(account) = self.accounts.get(&job.request.account).filter(|a| !a.is_locked_out()) else {
                continue;
            };
            let (Some(mut profile), Some(host)) = (account.profile.clone(), self.hosts.get_mut(&account.host)) else {
                continue;
            };
            if host.free_at(Call::Find, now) > now {
                continue;
            }
            host.count(Call::Find, account.poll_interval, now);
            // Looked for where it was sent, even if its account speaks another generation by now.
            profile.generation = job.generation.clone().or(profile.generation);
            let intent = Intent {
                correlation: job.correlation.clone(),
                model: job.request.model.clone(),
                sent_at: job.submitted_at.unwrap_or(now).as_second(),
            };
            step.effects.push(Effect::Find { job: id, account: job.request.account.clone(), intent, profile });
            self.work.entry(id).or_default().busy = true;
        }
    }

    /// What a look brought. It never pauses an account: others go on whatever this finds.
    pub(super) fn evidenced(
        &mut self,
        id: JobId,
        result: Result<Evidence, ServiceError>,
        repeatable: Option<SignedDuration>,
        step: &mut Step,
    ) {
        // One that was adopted meanwhile is asked about by now: when, is not for a look to change.
        let is_lost = self.jobs.get(&id).is_some_and(|job| job.state == JobState::Unconfirmed);
        if let Some(work) = self.work.get_mut(&id).filter(|_| is_lost) {
            (work.busy, work.looked, work.due) = (false, true, None);
        }
        let Some(job) = self.jobs.get(&id).filter(|job| self.is_looked_for(job)).cloned() else { return };
        let name = job.request.account.clone();
        match result {
            Ok(evidence) => {
                self.recover(&name, step);
                self.weigh(job, evidence, step);
            }
            Err(error) if error.kind == ErrorKind::RateLimit => {
                let wait = error.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
                let wait = wait.unwrap_or(UNREACHED).min(LONGEST_SILENCE);
                let host = self.accounts.get(&name).and_then(|account| self.hosts.get_mut(&account.host));
                host.into_iter().for_each(|host| host.limit(Call::Find, Some(wait), self.now));
                self.work.entry(id).or_default().due = Some(self.now + wait);
                return;
            }
            Err(error) if error.kind == ErrorKind::Unavailable && error.status.is_none() => {
                self.trouble(&name, Call::Find, &error, step);
                self.work.entry(id).or_default().due = Some(self.now + UNREACHED);
                return;
            }
            Err(error) => {
                let text = format!("{name} could not be asked about it: {}", error.message);
                let unreached = error.status.is_none_or(|status| status >= 500 || status == 401);
                self.weigh(job, Evidence::open(text), step);
                if unreached {
                    return;
                }
            }
        }
        self.prepare_repeat(id, repeatable, step);
    }

    /// Notes evidence and does what it proves.
    pub(super) fn weigh(&mut self, mut job: Job, evidence: Evidence, step: &mut Step) {
        let other = evidence.remote_id.as_ref().and_then(|remote| self.holder_of(remote, &job));
        let mut text = match (other, &evidence.remote_id) {
            (Some(other), Some(remote)) => format!("{}; but {remote} is {other}'s already", evidence.text),
            _ => evidence.text,
        };
        let verdict = match evidence.grade {
            Grade::Proven if other.is_none() => Verdict::Proven,
            Grade::Likely => Verdict::Likely,
            _ => Verdict::Open,
        };
        if mutated("absence_is_proof") && verdict == Verdict::Open {
            self.release(&mut job, "absent", step);
            if job.advance(JobState::Failed, self.now).is_ok() {
                self.put(job, step);
            }
            return;
        }
        let mut search = job.search.take().unwrap_or_else(|| Search::new(self.now));
        search.rounds = search.rounds.saturating_add(1);
        let wait = WAITS.get(search.rounds as usize - 1).copied().unwrap_or(SignedDuration::from_hours(1));
        search.next = self.now + wait;
        let charged = self.believed(&job, evidence.charged.filter(|_| verdict == Verdict::Proven), step);
        if let Some(cost) = charged {
            let evidence = format!("found:{}", search.rounds);
            self.charge(&mut job, cost, &evidence, step);
            self.release(&mut job, "found", step);
            let text = format!("the service's record of it says that it cost {cost}");
            self.tell(&job, "charged", text, serde_json::json!({"cost": cost}), step);
        }
        if let (Verdict::Proven, Some(remote_id)) = (verdict, evidence.remote_id) {
            job.search = Some(search);
            return self.found_again(job, remote_id, ("recovered", text), step);
        }
        if let Some(cost) = charged {
            text = format!("charged {cost}, run unknown: {text}");
        } else if let Some(money) = job.reserved {
            text = format!("{text}; if it was taken, {money} {} spent", money.are());
        }
        // What says less than what is known already is no news.
        if verdict >= search.verdict {
            if (search.verdict, &search.text) != (verdict, &text) {
                let data = serde_json::json!({"verdict": verdict, "round": search.rounds, "charged": charged});
                self.tell(&job, "evidence", format!("{verdict}: {text}"), data, step);
            }
            (search.verdict, search.text) = (verdict, text);
        }
        job.search = Some(search);
        self.put(job, step);
    }

    /// Another job of the same account that goes on as this order, or did since the start.
    pub(super) fn holder_of(&self, remote_id: &str, job: &Job) -> Option<JobId> {
        let same = |other: &&Job| {
            other.id != job.id
                && other.request.account == job.request.account
                && other.remote_id.as_deref() == Some(remote_id)
        };
        let over = || self.over.get(&(job.request.account.clone(), remote_id.to_owned())).copied();
        self.jobs.values().find(same).map(|other| other.id).or_else(over)
    }

    /// The lost order is known again: the job goes on as if its answer had come.
    pub(super) fn found_again(
        &mut self,
        mut job: Job,
        remote_id: String,
        (how, text): (&str, String),
        step: &mut Step,
    ) {
        if job.advance(JobState::Running, self.now).is_err() {
            return;
        }
        if job.attempts > 0 {
            step.changes.push(Change::AnswerIntent {
                job: job.id,
                attempt: job.attempts,
                at: self.now,
                outcome: how.to_owned(),
                data: serde_json::json!({"remote_id": remote_id, "evidence": text}),
            });
        }
        self.tell(
            &job,
            how,
            format!("goes on as order {remote_id}: {text}"),
            serde_json::json!({"remote_id": remote_id}),
            step,
        );
        self.notice(Level::Info, format!("{} was taken after all and goes on: {text}", job.id), step);
        (job.error, job.refund, job.phase, job.gone) = (None, Refund::None, None, None);
        job.remote_id = Some(remote_id);
        if let Some(search) = &mut job.search {
            (search.verdict, search.text) = (Verdict::Proven, text);
        }
        let (id, name) = (job.id, job.request.account.clone());
        self.put(job, step);
        self.work.entry(id).or_default().due = Some(self.now);
        self.want_balance(&name);
    }
}
