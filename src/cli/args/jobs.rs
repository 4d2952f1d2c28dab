//! The verbs on jobs as typed.
//!
//! Knows their flags. Must not know what they do.

use clap::Args;

use super::dollars;
use crate::domain::{JobId, Money, Shift};

/// Verbs that take jobs.
#[derive(Args, Clone, Debug)]
pub struct Ids {
    /// Jobs, such as j-12
    #[arg(required = true)]
    pub ids: Vec<JobId>,
}

/// `retry`
#[derive(Args, Clone, Debug)]
pub struct Retry {
    /// Jobs, such as j-12
    #[arg(required = true)]
    pub ids: Vec<JobId>,
    /// Retry unconfirmed jobs too, although the first order may be charged as well
    #[arg(long)]
    pub may_pay_twice: bool,
    /// Send only what the model needs: no optional fields. What services advise after a validation error
    #[arg(long)]
    pub minimal: bool,
}

/// `release`
#[derive(Args, Clone, Debug)]
pub struct Release {
    /// Jobs, such as j-12
    #[arg(required = true)]
    pub ids: Vec<JobId>,
    /// The most each may cost where its price is unknown
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub ceiling: Option<Money>,
}

/// `adopt`
#[derive(Args, Clone, Debug)]
pub struct Adopt {
    /// The unconfirmed job
    pub job: JobId,
    /// The service's id of its order, as the service's own pages show it; `part` takes what came of the
    /// clip with a cut answer and is kept, asking nobody
    pub remote_id: String,
}

/// `write-off`
#[derive(Args, Clone, Debug)]
pub struct WriteOff {
    /// The jobs, such as `j-12`
    #[command(flatten)]
    pub jobs: Ids,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `move`
#[derive(Args, Clone, Debug)]
pub struct Move {
    /// Queued jobs, such as j-12; they keep their order among themselves
    #[arg(required = true)]
    pub ids: Vec<JobId>,
    /// Where to.
    #[command(flatten)]
    pub to: To,
}

/// Where a queued job is moved to.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct To {
    /// One place nearer to their turn
    #[arg(long)]
    up: bool,
    /// One place further from it
    #[arg(long)]
    down: bool,
    /// Before all others of their account
    #[arg(long)]
    top: bool,
    /// After all others of their account
    #[arg(long)]
    bottom: bool,
}

impl To {
    /// The same for the engine.
    pub fn shift(&self) -> Shift {
        match (self.up, self.down, self.top) {
            (true, ..) => Shift::Up,
            (_, true, _) => Shift::Down,
            (.., true) => Shift::Top,
            _ => Shift::Bottom,
        }
    }
}

/// `tag`
#[derive(Args, Clone, Debug)]
pub struct Tag {
    /// Jobs, such as j-12
    #[arg(required = true)]
    pub ids: Vec<JobId>,
    /// A label to give; may be given more than once
    #[arg(long, value_name = "LABEL", required_unless_present = "remove")]
    pub add: Vec<String>,
    /// A label to take off; may be given more than once
    #[arg(long, value_name = "LABEL")]
    pub remove: Vec<String>,
}
