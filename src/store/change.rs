//! What can be written, as data: a commit is a list of changes, kept whole or not at all. And what
//! comes back: the state an engine starts from.
//!
//! Knows the domain. Must not know SQL.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::caps::Left;
use crate::domain::books::{BalanceLine, Ledger};
use crate::domain::caps::{BatchCap, Guard, Limit};
use crate::domain::timing::Lately;
use crate::domain::zones::Zones;
use crate::domain::{
    AccountProfile, Balance, Draft, Entry, Job, JobId, JobState, Model, Money, Observation, Pause, Service,
};

/// One change. A commit applies its changes in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Keeps a job: new, or in the place of what was kept under its number.
    PutJob(Arc<Job>),
    /// Adds a line to the log; it gets the next number.
    AddLine(NewLine),
    /// Books an entry. Evidence that is there already books nothing; with another meaning
    /// (account, job, kind or amount) it is [`super::StoreError::OtherEvidence`].
    Book(Entry),
    /// Keeps what a service said an account holds, unless something newer is kept.
    SeeBalance {
        /// The account.
        account: String,
        /// What the service said.
        balance: Balance,
    },
    /// Adds a line to the balance log.
    LogBalance(Box<BalanceLine>),
    /// Keeps what is known of an account.
    PutAccount(StoredAccount),
    /// Keeps the intent to send a paid request, before its first byte leaves. An attempt that is
    /// there already is an error.
    PutIntent {
        /// The job.
        job: JobId,
        /// Which attempt, from 1.
        attempt: u32,
        /// When.
        at: Timestamp,
        /// The exact request for the record, stored inputs by hash, no key.
        record: String,
        /// SHA-256 of the exact bytes to be sent, lower-case hex.
        digest: String,
        /// What was set aside for it.
        reserved: Option<Money>,
    },
    /// Keeps nothing of the whole commit where one of these limits does not hold with what was booked
    /// before it here: [`super::StoreError::OverCap`].
    Guard(Box<Guard>),
    /// Keeps what came of an intent, which is not open any more. A later answer is kept beside it.
    AnswerIntent {
        /// The job.
        job: JobId,
        /// Which attempt.
        attempt: u32,
        /// When.
        at: Timestamp,
        /// One word: `accepted`, `refused`, `unknown`, ...
        outcome: String,
        /// What the service said, cleaned.
        data: Value,
    },
    /// Claims a final file name for the `ordinal`-th file of a job, in the place of an earlier
    /// claim for it. A name claimed by another file is [`super::StoreError::NameTaken`].
    ClaimName {
        /// The job.
        job: JobId,
        /// Which of its files, from 1.
        ordinal: u32,
        /// Absolute path.
        path: String,
    },
    /// Notes an input stored by its hash.
    PutInput {
        /// SHA-256, lower-case hex.
        sha256: String,
        /// Its media type.
        mime: String,
        /// Its length in bytes.
        bytes: u64,
        /// The file name it came from.
        name: String,
    },
    /// Notes an imported batch.
    AddBatch {
        /// Its number, from 1.
        id: i64,
        /// Where it came from: a file name, or `compose`.
        source: String,
        /// When.
        at: Timestamp,
        /// How many rows it had.
        rows: u64,
    },
    /// Keeps what a noted batch may cost, in place of what was kept before.
    CapBatch {
        /// Its number.
        id: i64,
        /// Its cap.
        cap: BatchCap,
    },
    /// Keeps what is being composed.
    PutDraft(Draft),
    /// Notes the time; an earlier one than noted changes nothing.
    Seen(Timestamp),
    /// Keeps the time zones that days are counted by, as their text.
    PutZones(String),
    /// Keeps how much of a host's request allowance is used.
    PutLimiter(StoredLimiter),
    /// Keeps what an account's service said of its models.
    PutCatalogue(StoredCatalogue),
    /// Keeps what a service charged or quoted for an order of this kind.
    PutObservation(StoredObservation),
}

/// A line for the log, without its number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLine {
    /// When.
    pub at: Timestamp,
    /// The job, if it is about one.
    pub job: Option<JobId>,
    /// The account, if it is about one.
    pub account: Option<String>,
    /// What kind of thing happened, in the past tense.
    pub kind: String,
    /// A sentence for people.
    pub text: String,
    /// What a script may need besides; null for nothing.
    pub data: Value,
}

/// What is kept of an account. Never its key.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAccount {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// The origin its jobs go to.
    pub origin: String,
    /// The salted fingerprint of its key.
    pub fingerprint: String,
    /// What the last probe found.
    pub profile: Option<AccountProfile>,
    /// Why its queued jobs wait.
    pub pause: Option<Pause>,
}

/// How much of a host's request allowance is used, so that a restart does not start afresh.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLimiter {
    /// The host, or the account, that it counts for.
    pub host: String,
    /// As of when.
    pub at: Timestamp,
    /// Whatever the limiter needs.
    pub state: Value,
}

/// What an account's service said of its models.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCatalogue {
    /// The account's name.
    pub account: String,
    /// The origin that was asked.
    pub origin: String,
    /// The generation of its interface that answered, where there are several.
    pub generation: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The models as it describes them; empty where it does not.
    pub models: Vec<Model>,
}

/// What a service charged or quoted last for orders that cost the same.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredObservation {
    /// The service.
    pub service: Service,
    /// The model's id.
    pub model: String,
    /// Which orders: [`crate::domain::observed::price_key`].
    pub key: String,
    /// What was observed.
    pub observation: Observation,
}

/// What a commit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The number of the last line of the log; 0 where it is empty.
    pub last_seq: i64,
    /// The evidence of entries that were booked already and booked nothing now.
    pub known_evidence: Vec<String>,
}

/// What an engine starts from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// Every job that is not final, oldest first.
    pub active: Vec<Job>,
    /// The number of the next job.
    pub next_job: i64,
    /// The number of the next batch.
    pub next_batch: i64,
    /// The sums of all entries.
    pub ledger: Ledger,
    /// The accounts seen so far, by name.
    pub accounts: Vec<StoredAccount>,
    /// What each account held last, by its name.
    pub balances: Vec<(String, Balance)>,
    /// The balance that the books of each account and currency go on from.
    pub openings: Vec<BalanceLine>,
    /// Jobs whose service claimed a refund that no balance has shown or contradicted yet, and how much.
    pub claimed: Vec<(Job, Money)>,
    /// What was being composed.
    pub draft: Option<Draft>,
    /// The latest time noted.
    pub last_seen: Option<Timestamp>,
    /// The time zones that days are counted by, as they were kept.
    pub zones: Option<String>,
    /// What batches may cost, by their number.
    pub batch_caps: Vec<(i64, BatchCap)>,
    /// What limits have left, for an engine that looks before it tries; see [`super::Store::room`].
    pub room: Vec<(Limit, Left)>,
    /// Intents without an answer: job and attempt.
    pub open_intents: Vec<(JobId, u32)>,
    /// The entries of the 40 days before the last of them, oldest first; enough for a day's and a month's spend.
    pub recent: Vec<Entry>,
    /// How long each account's model took from order to finish, s: its last 20 jobs, the oldest first.
    pub usual: Vec<(String, String, Lately)>,
    /// Request allowances.
    pub limiters: Vec<StoredLimiter>,
    /// What the services said of their models, by account.
    pub catalogues: Vec<StoredCatalogue>,
    /// What was charged and quoted, for each kind of order.
    pub observations: Vec<StoredObservation>,
    /// The number of the last line of the log; 0 where it is empty.
    pub last_seq: i64,
}

impl Loaded {
    /// Where days begin for an engine that starts now in this zone, after those before it.
    pub fn zones(&self, zone: TimeZone, now: Timestamp) -> Zones {
        Zones::after(self.zones.as_deref(), zone, self.last_seen.unwrap_or(now))
    }
}

/// What is known of the models on offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shelf {
    /// What the services said of their models, by account.
    pub catalogues: Vec<StoredCatalogue>,
    /// What was charged and quoted, for each kind of order.
    pub observations: Vec<StoredObservation>,
    /// The accounts seen so far, by name.
    pub accounts: Vec<StoredAccount>,
}

/// Which jobs are wanted; an empty filter wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In one of these states; empty: in any.
    pub states: Vec<JobState>,
    /// Of this account.
    pub account: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this batch.
    pub batch: Option<i64>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// Which entries are wanted; an empty filter wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of this account.
    pub account: Option<String>,
    /// Of this job.
    pub job: Option<JobId>,
    /// Booked at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// Which lines of the balance log are wanted; an empty filter wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceFilter {
    /// Of this account.
    pub account: Option<String>,
    /// Told at this time or later.
    pub since: Option<Timestamp>,
    /// Told at this time or earlier.
    pub until: Option<Timestamp>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The job that has it.
    pub job: JobId,
    /// What that job asks for: [`super::content_hash`] of its request.
    pub content: String,
}

/// An intent as kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredIntent {
    /// The job.
    pub job: JobId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// The exact request for the record.
    pub record: String,
    /// SHA-256 of the exact bytes, lower-case hex.
    pub digest: String,
    /// What was set aside for it.
    pub reserved: Option<Money>,
    /// Whether no answer is kept.
    pub open: bool,
    /// The answers kept, oldest first: when, the outcome's word, what the service said.
    pub answers: Vec<(Timestamp, String, Value)>,
}
