//! What the core is told, and what it decides: inputs, effects and the step between them.
//!
//! Knows the words of the contract with the shell. Must not know how anything is decided or done.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{FaceId, LookedUp};
use crate::domain::caps::Limit;
use crate::domain::message::{Answer, Command, Event, Ticket};
use crate::domain::{AccountProfile, ClipFile, EntryKind, Job, JobId, Model, Money, Problem};
use crate::provider::{Evidence, FetchError, Intent, RemoteJob, ServiceError, Status, SubmitAnswer};
use crate::store::{Change, Left};

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
    /// The commit of an order's intent found the disk full; nothing of it is kept, and nothing is sent.
    NoRoom {
        /// The job.
        job: JobId,
        /// What the store said.
        text: String,
    },
    /// The data directory was taken away under the engine: nothing more can be kept where a start finds it.
    Displaced {
        /// What happened, as a sentence without its end.
        text: String,
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
    /// A part of what an unconfirmed order made came and is kept under a name.
    Kept {
        /// The job.
        job: JobId,
        /// Whole clips and parts, in the answer's order; at least one part.
        files: Vec<ClipFile>,
        /// Whether it can be played, as a sentence.
        plays: String,
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
    /// What came with the answer is not all whole: the files that are kept, a part at least; why; whether that plays.
    Partial(Vec<ClipFile>, String, String),
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
        /// After this it is not sent any more, however it came to be so late: a repeat would be another order.
        until: Option<Timestamp>,
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

    /// Takes an order out of `changes`, a commit of this step of which nothing was kept, and out of what was to
    /// follow it. Everything else stays.
    pub fn take_out(&mut self, job: JobId, changes: &mut Vec<Change>) {
        changes.retain(|change| match change {
            Change::Guard(guard) => guard.job != job,
            Change::PutIntent { job: of, .. } => *of != job,
            Change::Book(entry) => entry.job != Some(job) || entry.kind != EntryKind::Reserved,
            Change::AddLine(line) => line.job != Some(job) || line.kind != "submitting",
            _ => true,
        });
        self.effects.retain(|effect| !matches!(effect, Effect::Submit { job: of, .. } if *of == job));
        self.effects.push(Effect::Discard { job });
    }
}
