//! The engine's pure core: `step(now, input) -> Step`. It decides; the shell acts.
//!
//! Knows jobs, accounts, money and time as values. Must not do I/O, read a clock or await anything:
//! so fault runs can drive it on a virtual clock. The one contract with the shell: a step's changes
//! are committed, as one transaction, before any of its effects is begun or any of its events told.

mod account;
mod adopt;
mod answer;
mod budget;
mod caps;
mod command;
pub mod discover;
mod download;
mod drained;
mod host;
mod limiter;
mod losses;
mod queue;
mod repeat;
mod resolve;
mod roster;
pub mod schedule;
mod start;
mod status;
pub mod stock;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use account::Account;
pub use command::LookedUp;

use crate::domain::books::Entry;
use crate::domain::caps::{BatchCap, Limit};
use crate::domain::message::{AccountRow, Answer, Command, Event, Level, Notice, Ticket};
use crate::domain::{
    AccountProfile, Caps, ClipFile, EntryKind, Hold, Job, JobId, JobRow, JobState, Model, ModelRef, Money, Problem,
};
use crate::provider::{Evidence, FetchError, Intent, RemoteJob, ServiceError, Status, SubmitAnswer};
use crate::store::{Change, Left, NewLine};

use budget::Budget;
use host::Host;
use roster::Roster;
use stock::Stock;

/// Time between two polls where no account says it.
const UNSAID_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Which face a command came from.
pub type FaceId = u64;

/// What happened, told to the core.
#[derive(Debug)]
pub enum Input {
    /// A face asks for something.
    Commanded {
        /// The face.
        face: FaceId,
        /// Pairs command and answer.
        ticket: Ticket,
        /// The command.
        command: Command,
        /// What the shell read for it from disk.
        looked_up: LookedUp,
    },
    /// A probe came back.
    Probed {
        /// The account.
        account: String,
        /// What it found.
        result: Result<AccountProfile, ServiceError>,
    },
    /// An order was built, its inputs loaded and the disk looked at. Nothing was sent.
    Prepared {
        /// The job.
        job: JobId,
        /// The order for the record, or why it cannot be sent.
        result: Result<PreparedOrder, Unprepared>,
    },
    /// The commit that was to set money aside for an order was refused for a cap; nothing of it is kept,
    /// and nothing is sent.
    OverCap {
        /// The job.
        job: JobId,
        /// The cap.
        limit: Limit,
        /// What it has left, where that could be read.
        left: Option<Left>,
    },
    /// An order has been without an answer for a minute; it is still waited for.
    Waited {
        /// The job.
        job: JobId,
    },
    /// A paid request ended.
    Submitted {
        /// The job.
        job: JobId,
        /// What came of it.
        answer: SubmitAnswer,
        /// Bytes of clips that came with the answer.
        bytes: u64,
    },
    /// A poll came back.
    Polled {
        /// The job.
        job: JobId,
        /// What it said.
        result: Result<Status, ServiceError>,
    },
    /// A look for a lost order came back.
    Evidence {
        /// The job.
        job: JobId,
        /// What was found, or why nothing could be asked.
        result: Result<Evidence, ServiceError>,
        /// For how long after it was first sent a byte-equal repeat is the same order; never, where `None`.
        repeatable: Option<SignedDuration>,
    },
    /// The whole clip of an unconfirmed order was found on disk: it came, though its answer's end did not.
    Found {
        /// The job.
        job: JobId,
    },
    /// A download's answer began.
    Begun {
        /// The job.
        job: JobId,
        /// Which of its clips, from 1.
        ordinal: u32,
        /// The validator to take it up again with, where the service names one.
        etag: Option<String>,
    },
    /// A download ended.
    Downloaded {
        /// The job.
        job: JobId,
        /// Its files, published and checked, or why not.
        result: Result<Vec<ClipFile>, DownloadError>,
    },
    /// A balance came back.
    Balanced {
        /// The account.
        account: String,
        /// What it holds.
        result: Result<Vec<Money>, ServiceError>,
    },
    /// A list of models came back.
    Discovered {
        /// The account.
        account: String,
        /// What its service describes; empty where it describes none.
        result: Result<Vec<Model>, ServiceError>,
    },
    /// Time passed.
    Ticked,
    /// Send nothing new any more.
    Drain,
}

/// An order ready to be sent, for the record.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedOrder {
    /// URL and body as JSON, inputs by hash, no key.
    pub record: String,
    /// SHA-256 of the exact body, lower-case hex.
    pub digest: String,
    /// Absolute path of the clip without ordinal and extension; free on disk.
    pub stem: String,
}

/// Why an order cannot be sent.
#[derive(Debug)]
pub enum Unprepared {
    /// The wire cannot carry it, or an input is gone.
    Illegal(Vec<Problem>),
    /// The disk is full or cannot be written: nothing is bought that could not be kept.
    Disk(String),
}

/// Why a download did not end with files.
#[derive(Debug)]
pub enum DownloadError {
    /// The service, the way to it, or the disk.
    Fetch(FetchError),
    /// The clip came in part; these bytes are kept at this path.
    Partial(ClipFile, String),
}

/// What the shell is to do once the step's changes are on disk.
#[derive(Debug)]
pub enum Effect {
    /// Probe an account.
    Probe {
        /// The account.
        account: String,
    },
    /// Build an order and look at the disk. Sends nothing.
    Prepare {
        /// The job.
        job: Box<Job>,
        /// Its model.
        model: Arc<Model>,
        /// Where its account lives.
        profile: AccountProfile,
    },
    /// Send the prepared order, once.
    Submit {
        /// The job.
        job: JobId,
    },
    /// Drop a prepared order.
    Discard {
        /// The job.
        job: JobId,
    },
    /// Ask how a job stands.
    Poll {
        /// The job.
        job: JobId,
        /// Its account.
        account: String,
        /// What its service knows it by.
        remote: RemoteJob,
        /// Where its account lives.
        profile: AccountProfile,
    },
    /// Look for an order whose answer was lost.
    Find {
        /// The job.
        job: JobId,
        /// Its account.
        account: String,
        /// What was sent.
        intent: Intent,
        /// Where its account lives.
        profile: AccountProfile,
    },
    /// Get, check and publish a job's clips; from its links, or from the parts on disk.
    Download {
        /// The job.
        job: Box<Job>,
        /// Where its account lives.
        profile: AccountProfile,
    },
    /// Ask for an account's balance.
    Balance {
        /// The account.
        account: String,
        /// Where it lives.
        profile: AccountProfile,
    },
    /// Ask which models an account's service offers.
    Discover {
        /// The account.
        account: String,
        /// Where it lives.
        profile: AccountProfile,
    },
}

/// What one step decided.
#[derive(Debug, Default)]
pub struct Step {
    /// One transaction.
    pub changes: Vec<Change>,
    /// Begun only after the commit.
    pub effects: Vec<Effect>,
    /// Told to all faces after the commit.
    pub events: Vec<Event>,
    /// Told to one face after the commit.
    pub answers: Vec<(FaceId, Ticket, Answer)>,
}

impl Step {
    /// Adds what another step decided, behind what is there.
    pub fn append(&mut self, mut other: Step) {
        self.changes.append(&mut other.changes);
        self.effects.append(&mut other.effects);
        self.events.append(&mut other.events);
        self.answers.append(&mut other.answers);
    }
}

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
    /// Its order is built again for a repeat, which is the same order for so long after it was first sent.
    repeatable: Option<SignedDuration>,
    /// Its order is being repeated.
    repeating: bool,
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
    next_job: i64,
    budget: Budget,
    usual: HashMap<(String, String), u32>,
    /// What batches may cost.
    batch_caps: BTreeMap<i64, BatchCap>,
    /// What limits had left when it was read last; they have no more now.
    room: Vec<(Limit, Left)>,
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
            Input::Waited { job } => self.waited(job, &mut step),
            Input::Submitted { job, answer, bytes } => self.submitted(job, answer, bytes, &mut step),
            Input::Polled { job, result } => self.polled(job, result, &mut step),
            Input::Evidence { job, result, repeatable } => self.evidenced(job, result, repeatable, &mut step),
            Input::Found { job } => self.found(job, &mut step),
            Input::Begun { job, ordinal, etag } => self.begun(job, ordinal, etag, &mut step),
            Input::Downloaded { job, result } => self.downloaded(job, result, &mut step),
            Input::Balanced { account, result } => self.balanced(&account, result, &mut step),
            Input::Discovered { account, result } => self.discovered(&account, result, &mut step),
            Input::Ticked => {}
            Input::Drain => self.draining = true,
        }
        self.pass_time(&mut step);
        self.work(&mut step);
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

    /// A job that is not final.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Time between two polls of a job.
    fn poll_interval(&self, job: &Job) -> SignedDuration {
        self.accounts.get(&job.request.account).map_or(UNSAID_INTERVAL, |account| account.poll_interval)
    }

    /// How long this model usually takes, s: own history, else the documents' longest figure.
    fn usual_s(&self, job: &Job) -> Option<u32> {
        let key = (job.request.account.clone(), job.request.model.clone());
        self.usual.get(&key).copied().or_else(|| self.model_of(&job.request)?.speed.map(|s| s.max))
    }

    fn row(&self, job: &Job) -> JobRow {
        JobRow { usual_s: self.usual_s(job), ..job.row() }
    }

    fn has_queued(&self, account: &str) -> bool {
        !self.draining && self.jobs.queued(account).next().is_some()
    }

    /// Stores a job as it is now and tells the faces. Final jobs leave the core's memory.
    fn put(&mut self, job: Job, step: &mut Step) {
        let account = job.request.account.clone();
        let at_service = self.jobs.at_service(&account);
        step.events.push(Event::JobChanged(Box::new(self.row(&job))));
        step.changes.push(Change::PutJob(Box::new(job.clone())));
        if job.state.is_final() {
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

    /// Books an entry for a job, in the database and in memory. Evidence that was booked before is
    /// the caller's mistake: every call site builds it from a fact that happens once.
    fn book(&mut self, job: &Job, kind: EntryKind, money: Money, evidence: &str, step: &mut Step) {
        if money.amount.is_zero() {
            return;
        }
        let entry = Entry {
            account: job.request.account.clone(),
            job: Some(job.id),
            kind,
            money,
            evidence: format!("{}:{}:{evidence}", kind.word(), job.id),
            at: self.now,
        };
        self.budget.book(&entry);
        if matches!(kind, EntryKind::Released | EntryKind::Refunded) {
            // There may be more room than was read.
            self.room.clear();
        }
        step.changes.push(Change::Book(entry));
        self.touch(&job.request.account, step);
        step.events.push(Event::SpendChanged(Box::new(self.spend())));
    }

    /// Gives a job's reservation back.
    fn release(&mut self, job: &mut Job, why: &str, step: &mut Step) {
        if let Some(money) = job.reserved.take() {
            let evidence = format!("{}:{why}", job.attempts);
            self.book(job, EntryKind::Released, money, &evidence, step);
        }
    }

    /// A price the service names, where it can be one.
    fn believed(&self, job: &Job, cost: Option<Money>, step: &mut Step) -> Option<Money> {
        let strange = cost.filter(|cost| !cost.is_believable());
        if let Some(cost) = strange {
            let text = format!("{} names an impossible price, {cost}; it is not booked", job.request.account);
            self.tell(job, "strange", text, serde_json::Value::Null, step);
        }
        cost.filter(|_| strange.is_none())
    }

    /// Books what the service says a job costs in all. Told again, it books the difference only.
    fn charge(&mut self, job: &mut Job, cost: Money, evidence: &str, step: &mut Step) {
        if job.cost == Some(cost) {
            return;
        }
        let before = match job.cost {
            Some(before) if before.currency != cost.currency => {
                // The same order told in another currency: the first figure is taken back whole.
                self.book(job, EntryKind::Refunded, before, evidence, step);
                None
            }
            before => before,
        };
        let difference = cost.amount - before.map_or_else(Default::default, |c| c.amount);
        let kind = if difference.is_sign_negative() { EntryKind::Refunded } else { EntryKind::Charged };
        self.book(job, kind, Money::new(difference.abs(), cost.currency), evidence, step);
        job.cost = Some(cost);
        let expected = job.reserved.or_else(|| self.reservation(job));
        if let Some(expected) = expected.filter(|e| e.currency == cost.currency && cost.amount > e.amount) {
            self.overcharged(job, cost, expected, step);
        }
    }

    /// A charge above what was set aside: shown, and nothing more is ordered of that model at a
    /// price that is known to be wrong.
    fn overcharged(&mut self, job: &Job, cost: Money, expected: Money, step: &mut Step) {
        let (id, account) = (job.id, &job.request.account);
        let text = format!(
            "{id}: {account} charged {cost}, more than the {expected} set aside for it; queued jobs of {} are held: check its price, then release them",
            job.request.model
        );
        self.notice(Level::Warning, text.clone(), step);
        self.tell(job, "overcharged", text, serde_json::Value::Null, step);
        let same = |queued: &&Job| queued.request.model == job.request.model;
        let queued: Vec<Job> =
            self.jobs.queued(account).filter_map(|id| self.jobs.get(&id)).filter(same).cloned().collect();
        for queued in queued {
            let why = format!("{id} was charged {cost}, not {expected}; check the price, then release");
            self.put_on_hold(queued, Hold::ModelChanged(why), step);
        }
    }

    /// Lets time do its work: days turn, pauses end.
    fn pass_time(&mut self, step: &mut Step) {
        if self.budget.turn(self.now) {
            step.events.push(Event::SpendChanged(Box::new(self.spend())));
            self.room.clear();
            self.release_capped("a new day: the cap has room again", step);
        }
        self.end_pauses(step);
    }

    fn touch(&self, account: &str, step: &mut Step) {
        if let Some(account) = self.accounts.get(account) {
            step.events.push(Event::AccountChanged(Box::new(self.account_row(account))));
        }
    }
}
