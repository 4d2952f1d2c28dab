//! The port to the services: one trait, and what is said through it.
//!
//! Knows the domain and what every service has in common. The adapters beside it know one wire
//! each; nobody here retries, sleeps, writes files or remembers anything between calls.

pub mod limits;

mod a4f;
mod address;
mod answer;
mod body;
mod connection;
mod endpoint;
mod error;
mod fetch;
mod http;
mod nanogpt;
mod ninjachat;
mod shape;
mod veil;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::domain::sink::ClipSink;
use crate::domain::{AccountProfile, Currency, ErrorKind, JobError, Model, Money, Problem, Service, Values};

pub use endpoint::{Endpoint, connect, default_origin};

/// One service, for one account.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which service it is.
    fn service(&self) -> Service;

    /// Finds out by free calls where the account really lives and what it may do. A redirecting
    /// host is followed within its own domain and pinned.
    ///
    /// # Errors
    /// [`ServiceError`]; a wrong key is [`ErrorKind::Authentication`].
    async fn probe(&self) -> Result<AccountProfile, ServiceError>;

    /// Builds the exact paid request, without sending a byte.
    ///
    /// # Errors
    /// What the wire cannot carry, by field.
    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>>;

    /// Sends a paid request once. Clips that come with the answer go to `sink` as they arrive.
    ///
    /// Never fails: every outcome is one of [`SubmitAnswer`]'s, read from the answer table.
    async fn submit(&self, request: PaidRequest, trace: &Trace, sink: Box<dyn ClipSink>) -> SubmitAnswer;

    /// Asks how a job stands. Free.
    ///
    /// # Errors
    /// [`ServiceError`]; a job the service does not know is [`ErrorKind::Gone`].
    async fn poll(&self, job: &RemoteJob, profile: &AccountProfile) -> Result<Status, ServiceError>;

    /// What the account holds, one amount per currency; empty where the service has no balance. Free.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn balance(&self, profile: &AccountProfile) -> Result<Vec<Money>, ServiceError>;

    /// The models the service offers now, as far as it describes them; empty where it does not. Free.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn discover(&self, profile: &AccountProfile) -> Result<Vec<Model>, ServiceError>;

    /// Looks for the order of an intent whose answer was lost. Free.
    ///
    /// # Errors
    /// [`ServiceError`]. A service that offers no way answers [`Evidence::open`].
    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError>;

    /// For how long after an order was first sent a byte-equal repeat of it is the same order, by the
    /// service's own key for that; `None` where a repeat is always another one.
    fn repeatable(&self, _profile: &AccountProfile) -> Option<Duration> {
        None
    }

    /// Downloads a finished clip into `sink`, from `resume` on where given. Free.
    ///
    /// # Errors
    /// [`FetchError`]; what is already in the sink stays there.
    async fn fetch(
        &self,
        link: &str,
        resume: Option<&Resume>,
        profile: &AccountProfile,
        sink: &mut dyn ClipSink,
    ) -> Result<(), FetchError>;
}

/// What is to be ordered.
#[derive(Debug)]
pub struct Order<'a> {
    /// The model's description.
    pub model: &'a Model,
    /// The prompt.
    pub prompt: &'a str,
    /// Every parameter, defaults filled in. A stored media value reads `sha256:<hex>`.
    pub values: &'a Values,
    /// The stored media of this order.
    pub inputs: &'a [Input],
    /// Our own UUID for it.
    pub correlation: &'a str,
}

/// A stored media file, loaded to be sent.
#[derive(Clone, Debug)]
pub struct Input {
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// Its media type, such as `image/png`.
    pub mime: String,
    /// The content.
    pub bytes: Bytes,
}

/// An exact paid request, ready to be sent once.
#[derive(Clone, Debug)]
pub struct PaidRequest {
    /// The whole URL.
    pub url: String,
    /// Headers beyond content type and key, such as a request id.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Bytes,
    /// The request for the record: URL and body as JSON, stored inputs by hash, no key.
    pub record: String,
}

/// How far a paid request got. Read after the fact, also when the call was cut short. Clones share
/// one mark.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    state: Arc<AtomicU8>,
    left: Arc<Notify>,
    /// When it is too late, by either clock: one may be set back, the other stands still while a machine sleeps.
    until: Option<(Timestamp, Instant)>,
}

/// Nothing was handed to the socket yet; something was; nothing may be any more.
const FRESH: u8 = 0;
const RELEASED: u8 = 1;
const SEALED: u8 = 2;

impl Trace {
    /// The mark of a request that must not be sent once so much time has passed.
    pub fn within(left: Duration) -> Self {
        Trace { until: Some((Timestamp::now() + left, Instant::now() + left)), ..Trace::default() }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|(time, instant)| Timestamp::now() >= time || Instant::now() >= instant)
    }

    /// Marks that the body is handed to the socket; false where it must not be any more.
    #[must_use]
    pub fn release(&self) -> bool {
        let may = self.turn(if self.is_late() { SEALED } else { RELEASED }) != SEALED;
        if may {
            self.left.notify_one();
        }
        may
    }

    /// Waits until the body is handed to the socket. For one waiter.
    pub async fn released(&self) {
        if !self.is_released() {
            self.left.notified().await;
        }
    }

    /// Gives the order up while it provably was not sent, so that it cannot be sent after that was
    /// said; false where it may have been sent already.
    #[must_use]
    pub fn seal(&self) -> bool {
        self.turn(SEALED) != RELEASED
    }

    /// Leaves `FRESH` once, and says where it stands.
    fn turn(&self, to: u8) -> u8 {
        self.state.compare_exchange(FRESH, to, Ordering::SeqCst, Ordering::SeqCst).map_or_else(|at| at, |_| to)
    }

    /// Whether the order may have reached the service. While false, it provably has not.
    pub fn is_released(&self) -> bool {
        self.state.load(Ordering::SeqCst) == RELEASED
    }
}

/// What came of a paid request, read from the account's answer table.
#[derive(Debug)]
pub enum SubmitAnswer {
    /// The service took it and works on it.
    Accepted(Accepted),
    /// The service took it and its clips came with the answer: in the sink, or as links.
    Finished(Finished),
    /// The service refused it and charged nothing.
    Refused(ServiceError),
    /// It provably never left this machine; it may be tried again.
    NotSent(ServiceError),
    /// It left this machine and what came back settles nothing. Clips may be in the sink in part.
    Unknown(ServiceError),
}

/// An order the service took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accepted {
    /// The service's id, to poll with.
    pub remote_id: String,
    /// The service's own word for the state.
    pub phase: Option<String>,
    /// What it said the order costs.
    pub cost: Option<Money>,
    /// What it said is left.
    pub balance: Option<Money>,
    /// The service's request id, for its support.
    pub request_id: Option<String>,
}

/// An order whose answer was the clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// How many clips the sink took, whole.
    pub clips: usize,
    /// Links where the service gave those instead.
    pub links: Vec<String>,
    /// The prompt as the service rewrote it.
    pub revised_prompt: Option<String>,
}

/// A job at a service.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteJob {
    /// The service's id.
    pub remote_id: String,
    /// The model's id.
    pub model: String,
    /// What its order was charged in, for services that name a final amount without a currency.
    pub currency: Option<Currency>,
    /// The generation of the service's interface that took its order, where there are several.
    pub generation: Option<String>,
}

/// How a job stands at its service.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The service's own word, cleaned.
    pub word: String,
    /// What it means.
    pub state: RemoteState,
    /// Progress in percent, 0-100.
    pub progress: Option<u8>,
    /// Final cost, where the answer says it.
    pub cost: Option<Money>,
}

/// What a status word means.
#[derive(Clone, Debug, PartialEq)]
pub enum RemoteState {
    /// Not finished. Unknown words are this too: they stay alive and visible.
    Working,
    /// Finished; the links, made absolute.
    Finished {
        /// At least one.
        links: Vec<String>,
    },
    /// It will produce nothing.
    Failed {
        /// Why, in the service's words.
        error: JobError,
        /// Whether the service's documents say that this is refunded.
        refunded: bool,
    },
}

/// Where a download goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Resume {
    /// Bytes there already.
    pub offset: u64,
    /// The validator they were sent with.
    pub etag: Option<String>,
}

/// An intent whose order is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Our own UUID, as sent.
    pub correlation: String,
    /// The model's id.
    pub model: String,
    /// When the order was sent, as seconds since 1970.
    pub sent_at: i64,
}

/// What looking for a lost order found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// How good it is.
    pub grade: Grade,
    /// The service's id, where one was found.
    pub remote_id: Option<String>,
    /// What was charged for the order, where a record of ours says so.
    pub charged: Option<Money>,
    /// What was seen, as a sentence.
    pub text: String,
}

/// How good evidence is. Absence is never proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// The service echoed our own id.
    Proven,
    /// It fits, and nothing else would.
    Likely,
    /// Nothing settles it.
    Open,
}

impl Evidence {
    /// Nothing settles it, and why.
    pub fn open(text: impl Into<String>) -> Self {
        Evidence { grade: Grade::Open, remote_id: None, charged: None, text: text.into() }
    }
}

/// What went wrong at a service, in the one small set of kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceError {
    /// The kind, which decides what the engine does.
    pub kind: ErrorKind,
    /// The service's words, cleaned, and what they mean.
    pub message: String,
    /// The parameter it is about, by its wire key.
    pub field: Option<String>,
    /// How long to wait, where the service said so.
    pub retry_after: Option<Duration>,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The exact price, where a refusal for money names it.
    pub required: Option<Money>,
    /// The whole answer as it came, as [`JobError::answer`] keeps it.
    pub answer: Option<String>,
}

impl ServiceError {
    /// An error of a kind, with nothing more known.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        ServiceError { kind, message, field: None, retry_after: None, status: None, required: None, answer: None }
    }
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for ServiceError {}

/// Why a download ended early.
#[derive(Debug)]
pub enum FetchError {
    /// The service, or the way to it. [`ErrorKind::Gone`]: the link is dead, poll for a fresh one.
    Service(ServiceError),
    /// What came is no clip: HTML, JSON or nothing.
    NotAClip(String),
    /// The disk.
    Disk(std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_was_given_up_unsent_cannot_be_sent_and_one_that_was_sent_cannot_be_given_up() {
        let (given_up, sent) = (Trace::default(), Trace::default());
        assert!(given_up.seal() && !given_up.release() && !given_up.is_released());
        assert!(sent.release() && !sent.seal() && sent.is_released());
        let late = Trace::within(Duration::ZERO);
        assert!(!late.release() && !late.is_released() && late.seal(), "nor one that is too late");
        assert!(Trace::within(Duration::from_secs(60)).release());
    }
}
