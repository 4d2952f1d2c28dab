//! The engine's pure core: `step(now, input) -> Step`. It decides; the shell acts.
//!
//! Knows jobs, accounts, money and time as values. Must not do I/O, read a clock or await anything:
//! so fault runs can drive it on a virtual clock. The one contract with the shell: a step's changes
//! are committed, as one transaction, before any of its effects is begun or any of its events told.

mod account;
mod accounting;
mod adopt;
mod answer;
mod balance;
mod booking;
mod budget;
mod caps;
mod classify;
mod command;
pub mod discover;
mod download;
pub mod drained;
mod first;
mod host;
mod limiter;
mod losses;
mod order;
mod pace;
mod queue;
mod reconcile;
mod repeat;
mod resolve;
pub mod room;
mod roster;
pub mod schedule;
mod start;
mod status;
mod step;
pub mod stock;
#[cfg(any(test, feature = "faults"))]
pub mod storm;
#[cfg(test)]
mod tests;
mod trace;
mod trouble;
mod wary;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use account::Account;
pub use command::LookedUp;
pub use step::{DownloadError, Effect, Input, PreparedOrder, Step, Unprepared};

use crate::domain::caps::BatchCap;
use crate::domain::message::{AccountRow, Command, Event, Level, Notice};
use crate::domain::{Caps, Hold, Job, JobId, JobRow, JobState, ModelRef};
use crate::store::{Change, NewLine};

use budget::Budget;
use host::Host;
use pace::Pace;
use room::Room;
use roster::Roster;
use stock::Stock;

/// Time between two polls where no account says it.
const UNSAID_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Which face a command came from.
pub type FaceId = u64;

/// What of a job lives only as long as the process.
#[derive(Debug, Default)]
struct Work {
    /// An effect for this job is under way.
    busy: bool,
    /// When it may be called again.
    due: Option<Timestamp>,
    /// The user let it go although its service does not list its model.
    insisted: bool,
    /// Downloads that ended without a clip, in a row.
    lost: u32,
    /// An answer to a look for its order came since the start, or a failure.
    looked: bool,
    /// Its order was sent by this process, whose own clock knows how long ago that was.
    sent: bool,
    /// Its order is built again for a repeat, which is the same order for so long after it was first sent.
    repeatable: Option<SignedDuration>,
    /// Its repeat is due then, when its host may be called again.
    repeat_at: Option<Timestamp>,
    /// Its order is being repeated.
    repeating: bool,
    /// The mark of its account's orders when its own was sent, where no other could move money then.
    alone: Option<u64>,
    /// The order it is to go on as, at the user's word, while that is checked.
    adoption: Option<adopt::Adoption>,
}

/// Settings that hold for all accounts.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// Caps over all accounts.
    pub caps: Caps,
    /// Caps of single models.
    pub model_caps: BTreeMap<ModelRef, Caps>,
    /// Where days begin.
    pub zone: jiff::tz::TimeZone,
    /// Whether jobs belong to the simulator.
    pub simulated: bool,
    /// How many times faster than ours the services' clock runs, at least 1.
    pub times_faster: u32,
    /// Whether anything may be sent at all.
    pub online: bool,
    /// Secret of the data directory, for ids that nobody can guess.
    pub salt: Vec<u8>,
}

/// The core.
#[derive(Debug)]
pub struct Core {
    settings: CoreSettings,
    accounts: BTreeMap<String, Account>,
    hosts: BTreeMap<String, Host>,
    stock: Stock,
    /// Jobs that are not final.
    jobs: Roster,
    work: BTreeMap<JobId, Work>,
    /// The orders of jobs that ended since the start, by account and the service's id.
    over: HashMap<(String, String), JobId>,
    next_job: i64,
    budget: Budget,
    pace: Pace,
    /// What batches may cost.
    batch_caps: BTreeMap<i64, BatchCap>,
    room: Room,
    draining: bool,
    now: Timestamp,
    /// Names of clips claimed since the start; a name claimed once stays its job's.
    stems: std::collections::HashSet<String>,
}

impl Core {
    /// Decides what follows from `input` at `now`. A clock that went back is read as the latest time seen.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        self.now = self.now.max(now);
        let mut step = Step::default();
        match input {
            Input::Commanded { face, ticket, command, looked_up } => {
                let answer = match command {
                    Command::Adopt { id, remote_id } => {
                        self.adopt((face, ticket), id, &remote_id, &looked_up, &mut step)
                    }
                    command => Some(self.command(command, looked_up, &mut step)),
                };
                step.answers.extend(answer.map(|answer| (face, ticket, answer)));
            }
            Input::Probed { account, result } => self.probed(&account, result, &mut step),
            Input::Prepared { job, result } => self.prepared(job, result, &mut step),
            Input::OverCap { job, limit, left } => self.over_cap(job, limit, left, &mut step),
            Input::NoRoom { job, text } => self.no_room(job, &text, &mut step),
            Input::Displaced { text } => self.stop_orders(&text, None, &mut step),
            Input::Waited { job } => self.waited(job, &mut step),
            Input::Submitted { job, answer, bytes } => self.submitted(job, answer, bytes, &mut step),
            Input::Polled { job, result } => self.polled(job, result, &mut step),
            Input::Evidence { job, result, repeatable } => self.evidenced(job, result, repeatable, &mut step),
            Input::Found { job } => self.found(job, &mut step),
            Input::Kept { job, files, plays } => self.kept(job, files, &plays, &mut step),
            Input::Begun { job, ordinal, etag } => self.begun(job, ordinal, etag, &mut step),
            Input::Downloaded { job, result } => self.downloaded(job, result, &mut step),
            Input::Balanced { account, result } => self.balanced(&account, result, &mut step),
            Input::Discovered { account, result } => self.discovered(&account, result, &mut step),
            Input::Ticked => {}
            Input::Drain => self.draining = true,
        }
        self.pass_time(&mut step);
        self.work(&mut step);
        if self.look_at_held(&mut step) {
            self.work(&mut step);
        }
        if !step.changes.is_empty() {
            // Never a commit of their own: with the next one, and at the end.
            step.changes.extend(self.counted());
        }
        step
    }

    /// Begins whatever is due: probes, orders, polls, downloads.
    fn work(&mut self, step: &mut Step) {
        if self.settings.online {
            self.start_downloads(step);
            self.start_accounts(step);
            self.start_orders(step);
            self.start_polls(step);
            self.start_finds(step);
        }
    }

    /// Every account's row, for a snapshot.
    pub fn account_rows(&self) -> Vec<AccountRow> {
        let mut rows: Vec<_> = self.accounts.values().collect();
        rows.sort_by_key(|account| account.place);
        rows.into_iter().map(|account| self.account_row(account)).collect()
    }

    /// What was spent, for a snapshot.
    pub fn spend(&self) -> crate::domain::message::Spend {
        self.budget.spend(&self.settings.caps)
    }

    /// The rows of jobs that are not final, fresher than those on disk.
    pub fn active_rows(&self) -> Vec<JobRow> {
        self.jobs.values().map(|job| self.row(job)).collect()
    }

    /// The jobs of which nobody here knows whether their orders were taken.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| job.state == JobState::Unconfirmed)
    }

    /// The jobs that are not final.
    pub fn active(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// A job that is not final.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Time between two polls of a job.
    fn poll_interval(&self, job: &Job) -> SignedDuration {
        self.accounts.get(&job.request.account).map_or(UNSAID_INTERVAL, |account| account.poll_interval)
    }

    fn has_queued(&self, account: &str) -> bool {
        !self.draining && self.jobs.queued(account).next().is_some()
    }

    /// Stores a job as it is now and tells the faces. Final jobs leave the core's memory.
    fn put(&mut self, job: Job, step: &mut Step) {
        let account = job.request.account.clone();
        let at_service = self.jobs.at_service(&account);
        let ends = matches!(job.state, JobState::Held | JobState::Cancelled | JobState::Failed);
        if ends
            && !job.hold.as_ref().is_some_and(Hold::is_over_cap)
            && self.job(job.id).is_some_and(|was| was.state == JobState::Queued)
        {
            self.room.spared();
        }
        step.events.push(Event::JobChanged(Box::new(self.row(&job))));
        let job = Arc::new(job);
        step.changes.push(Change::PutJob(job.clone()));
        self.follow(&job);
        if job.state.is_final() {
            if let Some(remote_id) = &job.remote_id {
                self.over.insert((account.clone(), remote_id.clone()), job.id);
            }
            self.work.remove(&job.id);
            self.jobs.remove(job.id);
        } else {
            self.jobs.insert(job);
        }
        if self.jobs.at_service(&account) != at_service {
            self.touch(&account, step);
        }
    }

    /// Writes a line of the event log.
    fn tell(&self, job: &Job, kind: &str, text: String, data: serde_json::Value, step: &mut Step) {
        step.changes.push(Change::AddLine(NewLine {
            at: self.now,
            job: Some(job.id),
            account: Some(job.request.account.clone()),
            kind: kind.to_owned(),
            text,
            data,
        }));
    }

    fn notice(&self, level: Level, text: String, step: &mut Step) {
        step.events.push(Event::Noticed(Notice { at: self.now, level, text }));
    }

    /// Lets time do its work: days turn, pauses end.
    fn pass_time(&mut self, step: &mut Step) {
        if self.budget.turn(self.now) {
            step.events.push(Event::SpendChanged(Box::new(self.spend())));
            self.room.forget();
            self.let_held_go(None, "a new day: the cap has room again", step);
        }
        self.end_pauses(step);
    }

    fn touch(&self, account: &str, step: &mut Step) {
        if let Some(account) = self.accounts.get(account) {
            step.events.push(Event::AccountChanged(Box::new(self.account_row(account))));
        }
    }
}
