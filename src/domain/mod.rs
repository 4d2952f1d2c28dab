//! The nouns and their rules. Pure: std, serde, decimals and dates as values. Knows nobody.
//!
//! It must not know of any I/O, any clock (times are handed in), any service by name beyond
//! [`account::Service`], and any face.

pub mod account;
pub mod books;
pub mod caps;
pub mod explain;
pub mod finish;
pub mod job;
pub mod message;
pub mod model;
pub mod money;
pub mod observed;
pub mod price;
pub mod problem;
pub mod record;
pub mod request;
pub mod row;
pub mod rule;
pub mod search;
pub mod shortfall;
pub mod sink;
pub mod state;
pub mod text;
pub mod timing;
pub mod turn;
pub mod zones;

pub use account::{AccountProfile, Pause, Service};
pub use books::{Balance, Entry, EntryKind};
pub use caps::Caps;
pub use job::{ClipFile, FileKind, Hold, Job, JobId, Refund};
pub use message::{Answer, Command, Draft, Event, NewJob, Notice, Offer, Snapshot, Ticket};
pub use model::{Model, ModelRef, Parameter, ParameterKind};
pub use money::{Currency, Estimate, Money, PriceSource};
pub use observed::{Drift, Observation, Observed};
pub use problem::{ErrorKind, JobError, Problem};
pub use request::Request;
pub use row::JobRow;
pub use rule::Values;
pub use search::{Search, Verdict};
pub use state::JobState;
pub use turn::{Shift, Turn};
