//! What faces ask for: queue, cancel, abandon, retry, hold, release, resume.
//!
//! Knows which command is legal in which state. A command is done whole or not at all.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Core, Step};
use crate::domain::message::{Answer, Command, Draft, NewJob};
use crate::domain::{Hold, Job, JobId, JobState, Money, Problem};
use crate::store::{Change, Known, content_hash};

/// What the shell read from disk for a command, since the core reads nothing itself.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// Jobs that already carry one of the command's keys.
    pub known: HashMap<String, Known>,
    /// Jobs the command names that are final and so not in the core's memory.
    pub finals: Vec<Job>,
    /// Batch to note with the new jobs: its number and where it came from.
    pub batch: Option<(i64, String)>,
    /// What was done to the files of new jobs, by the job's place in the command: a sentence for the
    /// history, and the same for programs.
    pub notes: HashMap<usize, Vec<(String, serde_json::Value)>>,
    /// The job that goes on as an order already which another one is to adopt.
    pub adopted_by: Option<JobId>,
    /// What went wrong on the way, before the core was asked.
    pub problems: Vec<Problem>,
}

impl Core {
    pub(super) fn command(&mut self, command: Command, looked_up: LookedUp, step: &mut Step) -> Answer {
        if !looked_up.problems.is_empty() {
            return Answer::Refused { problems: looked_up.problems };
        }
        match command {
            Command::Queue { jobs } => self.queue(jobs, &looked_up, step),
            Command::Cancel { ids } => self.cancel(&ids, &looked_up.finals, step),
            Command::Abandon { ids } => self.abandon(&ids, &looked_up.finals, step),
            Command::Retry { ids, may_pay_twice, minimal } => {
                self.retry(&ids, (may_pay_twice, minimal), &looked_up.finals, step)
            }
            Command::Classify { difference, class, amount } => {
                self.classify(difference, (class, amount), &looked_up.finals, step)
            }
            Command::WriteOff { ids } => self.write_off(&ids, &looked_up.finals, step),
            // Taken care of before: its answer comes later.
            Command::Adopt { id, .. } => refused("id", "unknown", format!("there is no job {id}")),
            Command::Duplicate { ids } => self.duplicate(&ids, &looked_up.finals, step),
            Command::Move { ids, to } => self.move_jobs(&ids, to, &looked_up.finals, step),
            Command::Tag { ids, add, remove } => self.tag(&ids, (&add, &remove), &looked_up.finals, step),
            Command::Hold { ids } => self.hold(&ids, &looked_up.finals, step),
            Command::Release { ids, ceiling } => self.let_go(&ids, ceiling, &looked_up.finals, step),
            Command::Resume { account } => {
                if self.resume(&account, step) {
                    accepted(Vec::new())
                } else {
                    refused("account", "unknown", format!("there is no account `{account}`"))
                }
            }
            Command::RefreshBalances => {
                let names: Vec<String> = self.accounts.keys().cloned().collect();
                for name in names {
                    self.want_balance(&name);
                }
                accepted(Vec::new())
            }
            Command::RefreshModels => {
                self.want_models();
                accepted(Vec::new())
            }
            Command::SaveDraft { draft } => save_draft(draft, step),
            // The shell answers these from disk.
            Command::Inspect { id } => refused("id", "unknown", format!("there is no job {id}")),
            Command::CheckFiles { .. } => accepted(Vec::new()),
        }
    }

    fn queue(&mut self, new: Vec<NewJob>, looked_up: &LookedUp, step: &mut Step) -> Answer {
        let mut problems = Vec::new();
        let mut fresh = Vec::new();
        let mut known = 0;
        let cap = new.iter().rev().find_map(|job| job.cap);
        let mut batches = std::collections::BTreeSet::new();
        let mut keys = std::collections::HashSet::new();
        for (n, job) in new.into_iter().enumerate() {
            if let Some(key) = &job.key {
                match looked_up.known.get(key) {
                    Some(old) if old.content == content_hash(&job.request) => {
                        known += 1;
                        batches.extend(self.jobs.get(&old.job).and_then(|job| job.batch));
                        continue;
                    }
                    Some(old) => {
                        let text = format!(
                            "`{key}` is the key of {} with other content; use another key, or queue it again on purpose",
                            old.job
                        );
                        problems.push(Problem::new("key", "key", text));
                        continue;
                    }
                    None if !keys.insert(key.clone()) => {
                        problems.push(Problem::new("key", "key", format!("`{key}` stands twice in this batch")));
                        continue;
                    }
                    None => {}
                }
            }
            match self.check(&job) {
                Ok(()) => fresh.push((n, job)),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Answer::Refused { problems };
        }
        let batch = looked_up.batch.as_ref().filter(|_| !fresh.is_empty());
        if let Some((id, source)) = batch {
            let rows = fresh.len() as u64;
            step.changes.push(Change::AddBatch { id: *id, source: source.clone(), at: self.now, rows });
        }
        let batch = batch.map(|(id, _)| *id);
        batches.extend(batch);
        if let Some(cap) = cap {
            batches.into_iter().for_each(|batch| self.cap_batch(batch, cap, step));
        }
        let mut ids = Vec::new();
        for (n, job) in fresh {
            let parent = job.parent.map(Parent::Continued);
            let id = self.enqueue(job, batch, parent, step);
            ids.push(id);
            for (text, data) in looked_up.notes.get(&n).into_iter().flatten() {
                let Some(job) = self.jobs.get(&id) else { continue };
                self.tell(job, "input_shrunk", text.clone(), data.clone(), step);
            }
        }
        self.tell_accounts(step);
        Answer::Accepted { ids, known }
    }

    pub(super) fn check(&self, new: &NewJob) -> Result<(), Vec<Problem>> {
        let request = &new.request;
        if let Some(ceiling) = new.ceiling.filter(|ceiling| !ceiling.is_believable()) {
            return Err(vec![no_ceiling(ceiling)]);
        }
        if !self.accounts.contains_key(&request.account) {
            let names: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
            let text = format!("there is no account `{}`; there is {}", request.account, names.join(", "));
            return Err(vec![Problem::new("model", "unknown", text)]);
        }
        match self.model_of(request) {
            Some(model) => {
                request.validate(model)?;
                let least = new.ceiling.and_then(|_| least(request, model));
                too_low(new.ceiling, least).map_or(Ok(()), |problem| Err(vec![problem]))
            }
            None => {
                let text = format!("{} is no model of {}; `rushes models` lists them", request.model, request.account);
                Err(vec![Problem::new("model", "unknown", text)])
            }
        }
    }

    /// Makes a checked request a queued job.
    pub(super) fn enqueue(
        &mut self,
        new: NewJob,
        batch: Option<i64>,
        parent: Option<Parent>,
        step: &mut Step,
    ) -> JobId {
        let id = JobId(self.next_job);
        self.next_job += 1;
        let request = new.request;
        let (values, estimate) = match self.offer_of(&request) {
            Some(offer) => {
                let values = request.values(&offer.model);
                let estimate = offer.estimate_with(&request, &values);
                (values, estimate)
            }
            None => (request.params.clone(), None),
        };
        let mut job = Job::with_values(id, request, values, self.now);
        job.estimate = estimate;
        if let Some(account) = self.accounts.get(&job.request.account) {
            job.origin = account.origin.clone();
            job.fingerprint = account.fingerprint.clone();
        }
        job.correlation = correlation(&self.settings.salt, &job);
        job.ceiling = new.ceiling;
        job.key = new.key;
        job.batch = batch;
        job.parent = parent.as_ref().and_then(Parent::id);
        job.simulated = self.settings.simulated;
        let dear = self.accounts.get(&job.request.account).and_then(|account| account.dear.get(&job.request.model));
        let price = match (dear, job.estimate, job.ceiling) {
            (Some(why), ..) => {
                let hold = Hold::ModelChanged(why.clone());
                let text = format!("and held: {}", hold.text());
                (job.state, job.hold) = (JobState::Held, Some(hold));
                text
            }
            (None, Some(estimate), _) => format!("at {}", estimate.money),
            (None, None, Some(ceiling)) => format!("for at most {ceiling}"),
            (None, None, None) => {
                job.state = JobState::Held;
                job.hold = Some(Hold::PriceUnknown);
                "at an unknown price: held until a ceiling is given".to_owned()
            }
        };
        let after = parent.map(|parent| parent.text(job.request.minimal)).unwrap_or_default();
        self.tell(
            &job,
            "queued",
            format!("queued for {} {price}{after}", job.model_ref()),
            serde_json::Value::Null,
            step,
        );
        self.put(job, step);
        id
    }

    fn cancel(&mut self, ids: &[JobId], finals: &[Job], step: &mut Step) -> Answer {
        let sent = |job: &Job| !job.state.is_unsent();
        let why =
            "was sent; no service can cancel an order. `abandon` hides it: it is still polled, downloaded and booked";
        if let Some(refused) = self.refuse(ids, finals, sent, why) {
            return refused;
        }
        for id in ids {
            let Some(mut job) = self.jobs.get(id).cloned() else { continue };
            if job.advance(JobState::Cancelled, self.now).is_ok() {
                self.tell(
                    &job,
                    "cancelled",
                    "taken back before it was sent; nothing was spent".to_owned(),
                    serde_json::Value::Null,
                    step,
                );
                self.put(job, step);
            }
        }
        accepted(ids.to_vec())
    }

    fn hold(&mut self, ids: &[JobId], finals: &[Job], step: &mut Step) -> Answer {
        if let Some(refused) =
            self.refuse(ids, finals, |job| !job.state.is_unsent(), "was sent already; it cannot be held")
        {
            return refused;
        }
        for id in ids {
            let Some(mut job) = self.jobs.get(id).cloned() else { continue };
            if job.state == JobState::Queued && job.advance(JobState::Held, self.now).is_ok() {
                job.hold = Some(Hold::User);
                self.tell(&job, "held", "held by you".to_owned(), serde_json::Value::Null, step);
                self.put(job, step);
            }
        }
        accepted(ids.to_vec())
    }

    fn let_go(&mut self, ids: &[JobId], ceiling: Option<Money>, finals: &[Job], step: &mut Step) -> Answer {
        if let Some(ceiling) = ceiling.filter(|ceiling| !ceiling.is_believable()) {
            return Answer::Refused { problems: vec![no_ceiling(ceiling)] };
        }
        // A job at a service is held, too, when its account is not the one that ordered it.
        let free = |job: &Job| job.state != JobState::Held && job.hold.is_none();
        if let Some(refused) = self.refuse(ids, finals, free, "is not held") {
            return refused;
        }
        let homeless = |job: &Job| !self.accounts.contains_key(&job.request.account);
        if let Some(refused) =
            self.refuse(ids, finals, homeless, "belongs to an account that is not configured now; add it")
        {
            return refused;
        }
        let needs = |job: &Job| job.state == JobState::Held && ceiling.is_none() && self.reservation(job).is_none();
        if let Some(refused) = self.refuse(ids, finals, needs, "has no known price; say the most it may cost") {
            return refused;
        }
        // It would be held again at once, and its word taken back.
        let over = |job: &Job| job.hold.as_ref().is_some_and(Hold::is_over_cap) && self.lacks_room(job);
        if let Some(refused) = self.refuse(
            ids,
            finals,
            over,
            "is over a cap, and stays so: it goes on by itself once there is room; raise the cap under [caps] in config.toml, a batch's by giving its file again with --cap",
        ) {
            return refused;
        }
        let least = |job: &Job| least(&job.request, self.model_of(&job.request)?);
        let low = ids.iter().filter_map(|id| self.jobs.get(id)).find_map(|job| too_low(ceiling, least(job)));
        if let Some(problem) = low {
            return Answer::Refused { problems: vec![problem] };
        }
        for id in ids {
            let Some(mut job) = self.jobs.get(id).cloned() else { continue };
            if matches!(job.hold, Some(Hold::AccountChanged | Hold::AccountMissing)) {
                let Some(account) = self.accounts.get(&job.request.account) else { continue };
                // The user's word that the account as it is now is the one meant.
                job.origin = account.origin.clone();
                job.fingerprint = account.fingerprint.clone();
            }
            job.ceiling = ceiling.or(job.ceiling);
            if matches!(job.hold, Some(Hold::ModelChanged(_)))
                && let Some(account) = self.accounts.get_mut(&job.request.account)
            {
                account.let_model_go(Some(&job.request.model));
            }
            self.work.entry(*id).or_default().insisted |= matches!(job.hold, Some(Hold::ModelChanged(_)));
            if job.state != JobState::Held {
                job.hold = None;
                self.tell(
                    &job,
                    "released",
                    "asked about at the account as it is now".to_owned(),
                    serde_json::Value::Null,
                    step,
                );
                self.put(job, step);
                continue;
            }
            if job.advance(JobState::Queued, self.now).is_ok() {
                self.tell(&job, "released", "goes on".to_owned(), serde_json::Value::Null, step);
                self.put(job, step);
            }
        }
        accepted(ids.to_vec())
    }

    fn abandon(&mut self, ids: &[JobId], finals: &[Job], step: &mut Step) -> Answer {
        let missing = ids.iter().find(|id| !self.jobs.contains_key(id) && !finals.iter().any(|j| j.id == **id));
        if let Some(id) = missing {
            return refused("id", "unknown", format!("there is no job {id}"));
        }
        // Hidden and then bought would be a surprise.
        let unsent = ids.iter().find(|id| self.jobs.get(id).is_some_and(|job| job.state.is_unsent()));
        if let Some(id) = unsent {
            return refused("id", "state", format!("{id} was not sent yet; cancel it instead"));
        }
        for id in ids {
            let found = self.jobs.get(id).or_else(|| finals.iter().find(|j| j.id == *id)).cloned();
            let Some(mut job) = found.filter(|job| !job.abandoned) else { continue };
            job.abandoned = true;
            let text = "hidden; it is still polled, downloaded and booked".to_owned();
            self.tell(&job, "abandoned", text, serde_json::Value::Null, step);
            self.put(job, step);
        }
        accepted(ids.to_vec())
    }

    fn retry(
        &mut self,
        ids: &[JobId],
        (may_pay_twice, minimal): (bool, bool),
        finals: &[Job],
        step: &mut Step,
    ) -> Answer {
        let mut parents: Vec<(Job, NewJob)> = Vec::new();
        for id in ids {
            // Named twice is still one more order.
            if parents.iter().any(|(parent, _)| parent.id == *id) {
                continue;
            }
            let Some(job) = self.jobs.get(id).or_else(|| finals.iter().find(|j| j.id == *id)) else {
                return refused("id", "unknown", format!("there is no job {id}"));
            };
            match job.state {
                JobState::Done | JobState::Failed | JobState::Cancelled => {}
                JobState::Unconfirmed if may_pay_twice => {}
                JobState::Unconfirmed => {
                    let text = format!(
                        "{id} is unconfirmed: its first order may still be made and charged. Say --may-pay-twice (in the dashboard: type the word) to order it again all the same"
                    );
                    return refused("id", "unconfirmed", text);
                }
                state => {
                    return refused(
                        "id",
                        "state",
                        format!("{id} is {state}; it is not over, so there is nothing to retry"),
                    );
                }
            }
            let request = crate::domain::Request { minimal: minimal || job.request.minimal, ..job.request.clone() };
            let new = NewJob { ceiling: job.ceiling, ..NewJob::of(request) };
            if let Err(problems) = self.check(&new) {
                return Answer::Refused { problems };
            }
            parents.push((job.clone(), new));
        }
        let mut made = Vec::new();
        for (parent, new) in parents {
            let child = self.enqueue(new, None, Some(Parent::Retried(parent.id)), step);
            if parent.state == JobState::Unconfirmed {
                let text = format!("{child} orders the same again, at your word; both may be charged");
                self.tell(&parent, "retried", text, serde_json::json!({"child": child}), step);
            }
            made.push(child);
        }
        self.tell_accounts(step);
        accepted(made)
    }

    /// Refuses the whole command when one job is missing or fails the test.
    pub(super) fn refuse(
        &self,
        ids: &[JobId],
        finals: &[Job],
        bad: impl Fn(&Job) -> bool,
        why: &str,
    ) -> Option<Answer> {
        let over = |id: &JobId| match finals.iter().find(|job| job.id == *id) {
            Some(job) => format!("{id} is {} already; nothing to do", job.state),
            None => format!("there is no job {id}"),
        };
        let problems: Vec<Problem> = ids
            .iter()
            .filter_map(|id| match self.jobs.get(id) {
                None => Some(Problem::new("id", "state", over(id))),
                Some(job) if bad(job) => Some(Problem::new("id", "state", format!("{id} {why}"))),
                Some(_) => None,
            })
            .collect();
        (!problems.is_empty()).then_some(Answer::Refused { problems })
    }
}

/// What a new job comes after.
pub(super) enum Parent {
    /// It is another order like this job.
    Retried(JobId),
    /// It asks for the same as this job, and is no other try of it.
    Copied(JobId),
    /// It goes on from this job's clip.
    Continued(JobId),
}

impl Parent {
    fn id(&self) -> Option<JobId> {
        match self {
            Parent::Retried(id) | Parent::Continued(id) => Some(*id),
            Parent::Copied(_) => None,
        }
    }

    fn text(&self, minimal: bool) -> String {
        match self {
            Parent::Retried(id) if minimal => format!(", a new order like {id} with only the needed fields"),
            Parent::Retried(id) => format!(", a new order like {id}"),
            Parent::Copied(id) => format!(", a copy of {id}"),
            Parent::Continued(id) => format!(", goes on from {id}"),
        }
    }
}

fn save_draft(draft: Draft, step: &mut Step) -> Answer {
    step.changes.push(Change::PutDraft(draft));
    accepted(Vec::new())
}

fn no_ceiling(ceiling: Money) -> Problem {
    Problem::new("ceiling", "range", format!("{ceiling} is no ceiling; say the most one clip may cost"))
}

/// What a clip of unknown price costs at least, where that is known.
fn least(request: &crate::domain::Request, model: &crate::domain::Model) -> Option<Money> {
    request.least(model).filter(|_| request.price(model).is_none())
}

/// A ceiling below what the clip is known to cost at least is a mistake: the charge would pass it.
fn too_low(ceiling: Option<Money>, least: Option<Money>) -> Option<Problem> {
    let (ceiling, least) = (ceiling?, least?);
    (ceiling.currency == least.currency && ceiling.amount < least.amount).then(|| {
        let text = format!("{ceiling} is less than the {least} that it costs at least; give more, or choose otherwise");
        Problem::new("ceiling", "range", text)
    })
}

pub(super) fn accepted(ids: Vec<JobId>) -> Answer {
    Answer::Accepted { ids, known: 0 }
}

pub(super) fn refused(field: &str, rule: &str, message: String) -> Answer {
    Answer::Refused { problems: vec![Problem::new(field, rule, message)] }
}

/// Our own UUID for a job: version 8, from the data directory's secret and the job, so that the
/// core stays pure and a guess at one is as hard as a guess at the secret.
fn correlation(salt: &[u8], job: &Job) -> String {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(job.id.to_string());
    hasher.update(job.created_at.to_string());
    let digest = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
