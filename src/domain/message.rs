//! The only door between faces and engine: commands go down, events come up.
//!
//! Knows what is said. Must not know who says it, nor over which channel.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::account::{Pause, Service};
use super::books::{Balance, Class, DifferenceId};
use super::caps::BatchCap;
use super::job::{Job, JobId};
use super::model::{Model, ModelRef};
use super::money::{Currency, Estimate, Money, PriceSource};
use super::observed::{Drift, Observation, Observed, price_key};
use super::problem::Problem;
use super::request::Request;
use super::row::JobRow;
use super::rule::Values;
use super::timing::Timings;
use super::turn::Shift;

/// Pairs a command with its answer; chosen by the face, never reused by it.
pub type Ticket = u64;

/// A request to be queued, and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// What is asked for.
    pub request: Request,
    /// The key that makes it known again: the same key is never bought twice.
    pub key: Option<String>,
    /// The most the user agrees to pay where the price is unknown.
    pub ceiling: Option<Money>,
    /// The job it goes on from, if any.
    pub parent: Option<JobId>,
    /// Whether a picture that is too large for its service may be made smaller; never without.
    pub shrink: bool,
    /// What the batch it comes with may cost in all; the last one said holds for the batch.
    #[serde(default)]
    pub cap: Option<BatchCap>,
}

impl NewJob {
    /// A request to be queued once, without key, ceiling, parent or cap.
    pub fn of(request: Request) -> Self {
        NewJob { request, key: None, ceiling: None, parent: None, shrink: false, cap: None }
    }
}

/// What a face asks of the engine. Each is answered by one [`Event::Answered`] after the commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Queue these jobs: all of them, or none.
    Queue {
        /// The jobs; copies are separate entries.
        jobs: Vec<NewJob>,
    },
    /// Take back queued and held jobs.
    Cancel {
        /// The jobs.
        ids: Vec<JobId>,
    },
    /// Hide jobs that were sent; they are still polled, downloaded and booked.
    Abandon {
        /// The jobs.
        ids: Vec<JobId>,
    },
    /// Make new jobs like these, each at its own price.
    Retry {
        /// The jobs.
        ids: Vec<JobId>,
        /// Needed where a job is unconfirmed: the first order may still be charged.
        may_pay_twice: bool,
        /// Send only what the model needs (seed 003's advice after a validation error).
        minimal: bool,
    },
    /// Go on with an unconfirmed job as this order of its service, once one status request says that it
    /// is there. Answered when that came back.
    Adopt {
        /// The job.
        id: JobId,
        /// The service's id of the order; or `part`: the part of the clip that came with a cut answer and
        /// is kept is taken for the clip, nobody is asked, and the job is done with it.
        remote_id: String,
    },
    /// Give unconfirmed jobs up: they count as failed, and what is set aside for them is free again.
    WriteOff {
        /// The jobs.
        ids: Vec<JobId>,
    },
    /// Say what a difference was that nothing here explains.
    Classify {
        /// The difference.
        difference: DifferenceId,
        /// What it was.
        class: Class,
        /// How much of it, in its currency; all that is left of it, where `None`.
        amount: Option<Decimal>,
    },
    /// Make new jobs that ask for the same, whatever became of these; each at its own price.
    Duplicate {
        /// The jobs.
        ids: Vec<JobId>,
    },
    /// Move queued jobs within their accounts' queues; they keep their order among themselves.
    Move {
        /// The jobs.
        ids: Vec<JobId>,
        /// Where to.
        to: Shift,
    },
    /// Change the labels of jobs.
    Tag {
        /// The jobs.
        ids: Vec<JobId>,
        /// Labels they get.
        add: Vec<String>,
        /// Labels they lose.
        remove: Vec<String>,
    },
    /// Hold queued jobs.
    Hold {
        /// The jobs.
        ids: Vec<JobId>,
    },
    /// Let held jobs go on; with a ceiling where the price is unknown.
    Release {
        /// The jobs.
        ids: Vec<JobId>,
        /// The most each may cost where its price is unknown.
        ceiling: Option<Money>,
    },
    /// Let a paused account go on.
    Resume {
        /// The account's name.
        account: String,
    },
    /// Ask every account's balance again.
    RefreshBalances,
    /// Ask every account again which models it offers; what changed is noted in the log and told as
    /// a notice, and [`Event::OffersChanged`] follows.
    RefreshModels,
    /// Ask for a job, whole, with its history.
    Inspect {
        /// The job.
        id: JobId,
    },
    /// Look whether the files that an order would send are there and are taken; nothing is queued or kept.
    CheckFiles {
        /// The order.
        job: Box<NewJob>,
    },
    /// Keep what is being composed, so that a crash loses nothing.
    SaveDraft {
        /// The draft.
        draft: Draft,
    },
}

impl Command {
    /// The jobs that a verb on jobs names; none where a command is no such verb.
    pub fn jobs(&self) -> &[JobId] {
        match self {
            Command::Retry { ids, .. }
            | Command::Abandon { ids }
            | Command::Cancel { ids }
            | Command::WriteOff { ids }
            | Command::Hold { ids }
            | Command::Duplicate { ids }
            | Command::Move { ids, .. }
            | Command::Tag { ids, .. }
            | Command::Release { ids, .. } => ids,
            _ => &[],
        }
    }
}

/// What the engine says to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Done and on disk.
    Accepted {
        /// The jobs made or changed.
        ids: Vec<JobId>,
        /// How many rows were known already and made nothing new.
        known: usize,
    },
    /// Not done, none of it.
    Refused {
        /// Why, one by one.
        problems: Vec<Problem>,
    },
    /// The job asked for.
    Detail(Box<JobDetail>),
}

/// A job, whole, with what happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDetail {
    /// The job.
    pub job: Job,
    /// What happened, oldest first.
    pub history: Vec<HistoryLine>,
}

/// One line of the append-only event log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Its number in the log, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The job, if it is about one.
    pub job: Option<JobId>,
    /// The account, if it is about one.
    pub account: Option<String>,
    /// What kind of thing happened, in the past tense: `queued`, `submitted`, `accepted`, `done`, ...
    pub kind: String,
    /// A sentence for people.
    pub text: String,
    /// The same for programs: amounts, ids, hashes. `null` where the text says it all.
    #[serde(default)]
    pub data: serde_json::Value,
}

/// What is being composed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The prompt's text.
    #[serde(default)]
    pub prompt: String,
    /// `account/model-id`, empty when none is chosen.
    #[serde(default)]
    pub model: String,
    /// Parameters by name.
    #[serde(default)]
    pub params: super::rule::Values,
    /// How many copies.
    #[serde(default)]
    pub copies: u32,
    /// `account/model-id` of those that get the same prompt beside the model.
    #[serde(default)]
    pub others: Vec<String>,
    /// What stands in the field for the most a clip may cost, as it was typed.
    #[serde(default)]
    pub ceiling: String,
}

/// A model as one account offers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The account's name.
    pub account: String,
    /// The model.
    pub model: Arc<Model>,
    /// What its service really charged for it before.
    pub observed: Arc<Observed>,
    /// The model as documents and lists describe it, where the user's own file names another price.
    pub published: Option<Arc<Model>>,
}

impl Offer {
    /// A model of an account, of which nothing was observed yet.
    pub fn new(account: impl Into<String>, model: impl Into<Arc<Model>>) -> Self {
        Offer { account: account.into(), model: model.into(), observed: Arc::default(), published: None }
    }

    /// `account/model-id`.
    pub fn model_ref(&self) -> ModelRef {
        ModelRef { account: self.account.clone(), model: self.model.id.clone() }
    }

    /// What one clip of `request` should cost: what was charged for the same before, else the
    /// catalogue's price, with its source. A clip that was free once may not be the next time.
    pub fn estimate(&self, request: &Request) -> Option<Estimate> {
        if let Some(seen) = self.observed(request).filter(|seen| !seen.money.amount.is_zero()) {
            return Some(Estimate { money: seen.money, source: PriceSource::Observed });
        }
        self.published_estimate(request, &request.values(&self.model))
    }

    /// The same for who has the values at hand, with the defaults filled in.
    pub fn estimate_with(&self, request: &Request, values: &Values) -> Option<Estimate> {
        if self.observed.is_empty() { self.published_estimate(request, values) } else { self.estimate(request) }
    }

    fn published_estimate(&self, request: &Request, values: &Values) -> Option<Estimate> {
        let deciding = self.model.price.deciding(values);
        let source = match deciding.source.as_str() {
            "discovered" => PriceSource::Discovered,
            "models.toml" => PriceSource::User,
            _ => PriceSource::Documents,
        };
        request.price_with(&self.model, values).map(|money| Estimate { money, source })
    }

    /// What is to be set aside for one clip of `request`: the largest of the documents' price, the
    /// service's list, the user's price and what was charged or quoted for the same. `None` where none
    /// is known.
    pub fn reservation(&self, request: &Request) -> Option<Money> {
        let price = request.price(&self.model);
        let seen = self.observed(request).map(|seen| seen.money).filter(|money| !money.amount.is_zero());
        let published = self.published.as_ref().and_then(|model| request.price(model));
        // A price in the user's own currency stands where the published one is in another.
        let published = published.filter(|money| price.is_none_or(|price| price.currency == money.currency));
        price.max(seen).max(published)
    }

    /// What its service charged or quoted last for such an order: in the currency of the catalogue's
    /// price, or in any where that is unknown.
    pub fn observed(&self, request: &Request) -> Option<&Observation> {
        if self.observed.is_empty() {
            return None;
        }
        let key = price_key(&self.model, &request.values(&self.model));
        match request.price(&self.model) {
            Some(published) => self.observed.of(&key, published.currency),
            None => self.observed.last(&key),
        }
    }

    /// Where what is charged is not what is published: both, for people.
    pub fn drift(&self, request: &Request) -> Option<Drift> {
        let observed = self.observed(request)?.clone();
        let published = request.price(&self.model);
        (published != Some(observed.money)).then_some(Drift { published, observed })
    }
}

/// What a face shows of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountRow {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Service,
    /// What the service said last, one per currency; empty: not known yet.
    pub balances: Vec<Balance>,
    /// Set aside now, one per currency; empty: nothing.
    pub reserved: Vec<Money>,
    /// The plan, where the service has plans.
    pub plan: Option<String>,
    /// Requests a minute the account may make, where known.
    pub per_minute: Option<u32>,
    /// Why its queued jobs wait, if they do.
    pub pause: Option<Pause>,
    /// Trouble reaching the service just now, as a short line.
    pub trouble: Option<String>,
    /// Jobs at the service now.
    pub in_flight: u32,
    /// Most jobs at the service at once.
    pub max_in_flight: u32,
}

/// What was spent, over all accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spend {
    /// Charged less refunded since midnight in the user's time zone, one per currency.
    pub today: Vec<Money>,
    /// The same since the first of the month.
    pub month: Vec<Money>,
    /// The day's cap in dollars, if one is set.
    pub day_cap: Option<Money>,
    /// The month's cap in dollars, if one is set.
    pub month_cap: Option<Money>,
    /// Differences that nothing explains, per currency: what is gone as a negative amount, what came as
    /// a positive one; empty: none.
    pub unexplained: Vec<Money>,
    /// The same one by one, oldest first.
    pub differences: Vec<Difference>,
}

/// A difference between books and balance that nothing explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number.
    pub id: DifferenceId,
    /// The account.
    pub account: String,
    /// How much; negative where it is gone.
    pub money: Money,
    /// When it was found.
    pub at: Timestamp,
}

impl Spend {
    /// An amount out of a list by currency; zero when it is not there.
    pub fn amount(list: &[Money], currency: Currency) -> Decimal {
        list.iter().find(|m| m.currency == currency).map_or(Decimal::ZERO, |m| m.amount)
    }
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something waits or may need the user.
    Warning,
    /// Something went wrong.
    Error,
}

/// Something the user should read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// What happened, to what, and the next step.
    pub text: String,
}

/// Everything a face needs to start from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// All jobs, newest last.
    pub jobs: Vec<JobRow>,
    /// All accounts, in the order of the config.
    pub accounts: Vec<AccountRow>,
    /// Every model of every account.
    pub offers: Arc<Vec<Offer>>,
    /// What was spent.
    pub spend: Spend,
    /// How long each model takes.
    pub timings: Timings,
    /// What was being composed.
    pub draft: Option<Draft>,
    /// Set when the services are simulated: one line that says so.
    pub simulated: Option<String>,
    /// Set when another engine has the data directory: who holds it. Commands are refused then.
    pub read_only: Option<String>,
}

/// What the engine tells its faces. Every event is idempotent and carries the whole of what changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Start again from this.
    Snapshot(Box<Snapshot>),
    /// A job is new or changed.
    JobChanged(Box<JobRow>),
    /// An account changed.
    AccountChanged(Box<AccountRow>),
    /// The sums changed.
    SpendChanged(Box<Spend>),
    /// The models on offer changed.
    OffersChanged(Arc<Vec<Offer>>),
    /// How long models take is known better.
    TimesChanged(Box<Timings>),
    /// A command's answer, after the commit.
    Answered {
        /// The command's ticket.
        ticket: Ticket,
        /// What came of it.
        answer: Answer,
    },
    /// Something the user should read.
    Noticed(Notice),
    /// The engine has ended; nothing more will come.
    Stopped,
}
