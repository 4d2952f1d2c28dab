//! The writer: one thread with the one connection that writes. A list of changes is one transaction,
//! kept whole or not at all, and answered after it is on disk.
//!
//! Knows how a change becomes rows, and what to do on a full disk. Must not know who asked.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use rusqlite::{Connection, TransactionBehavior};

use crate::domain::{Job, Money};
use crate::mutation::mutated;

use super::change::{Change, Committed};
use super::jobs::{Encoded, NewIntent};
use super::reserve::Reserve;
use super::{StoreError, StoredInput, balance_log, books, bulk, caps, desk, jobs, log, shelf};

/// A commit to be made, and who is told.
pub(super) struct Work {
    pub changes: Arc<Vec<Change>>,
    pub reply: Box<dyn FnOnce(Result<Committed, StoreError>) + Send>,
}

/// Changes after which the log is written back into the database; a change is a page or a few.
const CHECKPOINT_EVERY: usize = 500;

/// Changes from which on a commit gets a large cache, given back after it: without, SQLite would
/// write pages that it is not done with.
const LARGE: usize = 2_000;

/// Makes commits until nobody can ask for more.
pub(super) fn work(mut db: Connection, reserve: &Reserve, queue: &Receiver<Work>) {
    // A crash may have left a log behind.
    let mut since_checkpoint = 0;
    tune(&db, "PRAGMA wal_checkpoint(PASSIVE)");
    while let Ok(Work { changes, reply }) = queue.recv() {
        let is_large = changes.len() >= LARGE;
        if is_large {
            tune(&db, "PRAGMA cache_size = -262144");
        }
        // Nothing is ordered out of the reserve: it is for what follows from orders that were sent.
        let orders = changes.iter().any(|change| matches!(change, Change::PutIntent { .. }));
        let result = commit(&mut db, &changes, |_| !orders && reserve.release());
        since_checkpoint += changes.len();
        let is_kept = result.is_ok();
        reply(result);
        // What follows nobody waits for.
        // On a full disk the log is written back each time: it then takes no more room.
        let is_short = is_kept && !reserve.restore();
        if is_short || since_checkpoint >= CHECKPOINT_EVERY {
            since_checkpoint = 0;
            tune(&db, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        if is_large {
            tune(&db, "PRAGMA cache_size = -2000");
            tune(&db, "PRAGMA shrink_memory");
        }
    }
}

/// Housekeeping that may fail without harm: what is committed is committed.
fn tune(db: &Connection, pragma: &str) {
    if let Err(error) = db.execute_batch(pragma) {
        tracing::debug!(%error, pragma, "housekeeping failed");
    }
}

/// Commits, and once more where the disk was full and `make_room` made some.
pub(super) fn commit(
    db: &mut Connection,
    changes: &[Change],
    make_room: impl FnOnce(&Connection) -> bool,
) -> Result<Committed, StoreError> {
    match commit_once(db, changes) {
        Err(StoreError::Full) if make_room(db) => commit_once(db, changes),
        result => result,
    }
}

fn commit_once(db: &mut Connection, changes: &[Change]) -> Result<Committed, StoreError> {
    let jobs = changes.iter().filter_map(|change| match change {
        Change::PutJob(job) => Some(&**job),
        _ => None,
    });
    if changes.len() < LARGE {
        return write(db, changes, jobs.map(jobs::encode), false);
    }
    match write_many(db, changes, jobs.clone(), true) {
        // Row by row it is known which.
        Err(StoreError::DuplicateKey(key)) if key.is_empty() => write_many(db, changes, jobs, false),
        result => result,
    }
}

fn write_many<'a>(
    db: &mut Connection,
    changes: &'a [Change],
    jobs: impl Iterator<Item = &'a Job> + Send,
    takes_indices: bool,
) -> Result<Committed, StoreError> {
    // A hundred thousand jobs are encoded beside, not before, being written.
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(8);
        scope.spawn(move || {
            let mut jobs = jobs.map(jobs::encode_new).peekable();
            while jobs.peek().is_some() {
                let some: Vec<_> = jobs.by_ref().take(128).collect();
                if send.send(some).is_err() {
                    return;
                }
            }
        });
        write(db, changes, receive.into_iter().flatten(), takes_indices)
    })
}

/// Writes all changes in one transaction; `encoded` gives their jobs in order. `takes_indices` allows to make the
/// indices anew where most of the jobs then are new.
fn write<'a>(
    db: &mut Connection,
    changes: &'a [Change],
    mut encoded: impl Iterator<Item = Result<Encoded<'a>, StoreError>>,
    takes_indices: bool,
) -> Result<Committed, StoreError> {
    if mutated("cap_read_outside") {
        check_early(db, changes)?;
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut newest_job = jobs::newest(&transaction)?;
    let is_new = |change: &&Change| matches!(change, Change::PutJob(job) if job.id > newest_job);
    let most_are_new = || changes.iter().filter(is_new).count() as i64 > newest_job.0;
    let indices = (takes_indices && most_are_new()).then(|| bulk::take_indices(&transaction)).transpose()?;
    let (mut known_evidence, mut lines) = (Vec::new(), Vec::new());
    for change in changes {
        if let Change::PutJob(job) = change {
            let encoded = encoded.next().ok_or(StoreError::Closed)??;
            jobs::put(&transaction, &encoded, job.id > newest_job)?;
            newest_job = newest_job.max(job.id);
        } else if let Change::AddLine(line) = change {
            // Nothing else in a commit looks at them.
            lines.push(line);
        } else {
            apply(&transaction, change, &mut known_evidence)?;
        }
    }
    indices.map_or(Ok(()), |indices| indices.make(&transaction))?;
    log::add(&transaction, &lines)?;
    let last_seq = log::last_seq(&transaction)?;
    transaction.commit()?;
    Ok(Committed { last_seq, known_evidence })
}

/// The mutation: caps are read before the transaction that sets money aside.
fn check_early(db: &Connection, changes: &[Change]) -> Result<(), StoreError> {
    for change in changes {
        let Change::Guard(guard) = change else { continue };
        let reserving = changes.iter().find_map(|change| match change {
            Change::PutIntent { job, reserved, .. } if *job == guard.job => *reserved,
            _ => None,
        });
        caps::check_early(db, guard, reserving.unwrap_or(Money::usd(Default::default())))?;
    }
    Ok(())
}

fn apply(db: &Connection, change: &Change, known_evidence: &mut Vec<String>) -> Result<(), StoreError> {
    match change {
        Change::PutJob(job) => jobs::put(db, &jobs::encode(job)?, false),
        Change::AddLine(line) => log::add(db, &[line]),
        Change::Book(entry) => {
            if !books::book(db, entry)? {
                known_evidence.push(entry.evidence.clone());
            }
            Ok(())
        }
        Change::SeeBalance { account, balance } => books::see_balance(db, account, balance),
        Change::LogBalance(line) => balance_log::add(db, line),
        Change::PutAccount(account) => desk::put_account(db, account),
        Change::PutIntent { job, attempt, at, record, digest, reserved } => {
            let (job, attempt, at, reserved) = (*job, *attempt, *at, *reserved);
            jobs::put_intent(db, &NewIntent { job, attempt, at, record, digest, reserved })
        }
        Change::Guard(_) if mutated("cap_read_outside") => Ok(()),
        Change::Guard(guard) => caps::check(db, guard),
        Change::AnswerIntent { job, attempt, at, outcome, data } => {
            jobs::answer_intent(db, (*job, *attempt), *at, outcome, data)
        }
        Change::ClaimName { job, ordinal, path } => jobs::claim_name(db, *job, *ordinal, path),
        Change::PutInput { sha256, mime, bytes, name } => {
            let input = StoredInput { sha256: sha256.clone(), mime: mime.clone(), bytes: *bytes };
            desk::put_input(db, &input, name)
        }
        Change::AddBatch { id, source, at, rows } => desk::add_batch(db, *id, source, *at, *rows),
        Change::CapBatch { id, cap } => desk::cap_batch(db, *id, cap),
        Change::PutDraft(draft) => desk::put_draft(db, draft),
        Change::Seen(at) => desk::seen(db, *at),
        Change::PutZones(zones) => desk::put_zones(db, zones),
        Change::PutLimiter(limiter) => desk::put_limiter(db, limiter),
        Change::PutCatalogue(catalogue) => shelf::put_catalogue(db, catalogue),
        Change::PutObservation(observation) => shelf::put_observation(db, observation),
    }
}
