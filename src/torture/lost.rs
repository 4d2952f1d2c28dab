//! The judge of what a job claims of its order, and of what is left unconfirmed.
//!
//! Knows by the simulator's book which order a client can find again. Must not believe a verdict of ours: it is
//! right when the book has that order, under that id, and there is no verdict for "never bought".

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::judge::{Judgement, Order};
use super::point::Point;
use crate::domain::search::Verdict;
use crate::domain::{Job, JobState};

/// The step at which an order leaves.
const SENDING: &str = "order.sending";

/// A worker's life: what it passed, and whether it was killed.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) passed: BTreeSet<Point>,
    pub(super) killed: bool,
}

/// Why a job may be left unconfirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No service has such an order, and no service can prove that.
    NeverTaken,
    /// Its service has no list in which an order could be looked up.
    NotListed,
    /// Its service would know a repeat, but who sent it was killed, and only the sender knows how long ago that was.
    SenderKilled,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NeverTaken => "were never taken, which nothing can prove",
            Reason::NotListed => "were taken by a service that lists no orders",
            Reason::SenderKilled => "could have been repeated by the engine that sent them only, which was killed",
        })
    }
}

/// Whether the engine that sent a job's order last was killed after that.
fn sender_was_killed(job: &Job, lives: &[Life]) -> bool {
    let id = job.id.to_string();
    let sent = |life: &&Life| life.passed.iter().any(|point| point.step == SENDING && point.subject == id);
    lives.iter().rfind(sent).is_none_or(|life| life.killed)
}

/// Holds what a job says of its order against the order that its service has, if any.
pub(super) fn claims(job: &Job, order: Option<&Order<'_>>, lives: &[Life], judgement: &mut Judgement) {
    let verdict = job.search.as_ref().map(|search| search.verdict);
    if let Some(verdict) = verdict {
        *judgement.verdicts.entry(verdict.word().to_owned()).or_default() += 1;
    }
    match (order, &job.remote_id) {
        (None, _) if verdict == Some(Verdict::Proven) => {
            judgement.fault(format!("{} is proven to be bought, and no service has such an order", job.id));
        }
        (None, Some(remote)) => judgement.fault(format!("{} goes by order {remote}, which is not its own", job.id)),
        (Some(order), Some(remote)) if order.id != remote => {
            judgement.fault(format!("{} goes by order {remote}, its own is {}", job.id, order.id));
        }
        _ => {}
    }
    if job.state == JobState::Unconfirmed {
        unconfirmed(job, order, lives, judgement);
    }
}

fn unconfirmed(job: &Job, order: Option<&Order<'_>>, lives: &[Life], judgement: &mut Judgement) {
    if job.error.is_none() {
        judgement.fault(format!("{} is unconfirmed and does not say why", job.id));
    }
    if job.search.as_ref().is_none_or(|search| search.text.is_empty()) && job.files.is_empty() {
        judgement.fault(format!("{} is unconfirmed, was never looked for, and nothing of it is kept", job.id));
    }
    let reason = match order {
        None => Reason::NeverTaken,
        Some(order) if job.remote_id.is_some() => {
            return judgement.fault(format!("{} is unconfirmed, and its order {} is known", job.id, order.id));
        }
        Some(order) if order.listed => {
            let of = format!("order {} (`{}`)", order.id, job.request.prompt);
            return judgement.findable.push(format!("{} is unconfirmed, and its service lists {of}", job.id));
        }
        Some(order) if order.repeatable && !sender_was_killed(job, lives) => {
            let of = format!("order {} (`{}`)", order.id, job.request.prompt);
            return judgement.fault(format!("{} is unconfirmed, and a repeat would have found {of}", job.id));
        }
        Some(order) if order.repeatable => Reason::SenderKilled,
        Some(_) => Reason::NotListed,
    };
    *judgement.left.entry(reason).or_default() += 1;
}
