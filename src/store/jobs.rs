//! Jobs in the database: kept whole as JSON, and again as the plain columns a table row shows.
//!
//! Knows the tables `jobs`, `intents`, `answers`, `names`, and how a job comes into `job_bodies`; `bodies` has how
//! it comes out again. Must not know what moves a job.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::change::{Known, StoredIntent};
use super::column::{amount, data, from_json, nanos, opt_money, opt_number, opt_text, text, time, timestamp, to_json};
use super::error::is_duplicate;
use crate::domain::timing::Lately;
use crate::domain::{Job, JobId, JobRow, Money, Request, Turn};

/// What a request asks for, as SHA-256 of its canonical text in lower-case hex: two rows with the
/// same key must have the same.
pub fn content_hash(request: &Request) -> String {
    format!("{:x}", Sha256::digest(request.canonical()))
}

/// The number of the newest job; 0 where there is none.
pub(super) fn newest(db: &Connection) -> Result<JobId, StoreError> {
    let id = db.prepare_cached("SELECT coalesce(max(id), 0) FROM jobs")?.query_row([], |row| row.get(0))?;
    Ok(JobId(id))
}

/// A job as it is put into columns.
pub(super) struct Encoded<'a> {
    job: &'a Job,
    row: JobRow,
    body: String,
    /// Only a new job needs it.
    content: Option<String>,
}

/// The costly part of keeping a job, for which no database is needed.
pub(super) fn encode(job: &Job) -> Result<Encoded<'_>, StoreError> {
    // Most are about so long.
    let mut body = Vec::with_capacity(1024);
    serde_json::to_writer(&mut body, job).map_err(StoreError::damaged)?;
    let body = String::from_utf8(body).map_err(StoreError::damaged)?;
    Ok(Encoded { job, row: job.row(), body, content: None })
}

/// The same for a job that is most likely new.
pub(super) fn encode_new(job: &Job) -> Result<Encoded<'_>, StoreError> {
    Ok(Encoded { content: Some(content_hash(&job.request)), ..encode(job)? })
}

/// Keeps a job. What it asks for, its key, batch and parent are kept when it is new and never change.
/// `is_new` says that it surely is new, which spares looking for it.
pub(super) fn put(db: &Connection, encoded: &Encoded<'_>, is_new: bool) -> Result<(), StoreError> {
    let Encoded { job, row, body, content } = encoded;
    if !is_new && update(db, row)? {
        db.prepare_cached("UPDATE job_bodies SET body = ?2 WHERE id = ?1")?.execute(params![job.id.0, body])?;
        return Ok(());
    }
    let hashed = || content_hash(&job.request);
    insert(db, job, row, &content.clone().unwrap_or_else(hashed))?;
    db.prepare_cached("INSERT INTO job_bodies (id, body) VALUES (?1, ?2)")?.execute(params![job.id.0, body])?;
    Ok(())
}

/// Changes what may change of a row; false where there is none.
fn update(db: &Connection, row: &JobRow) -> Result<bool, StoreError> {
    let (estimate, estimate_currency) = amount(row.estimate);
    let (cost, cost_currency) = amount(row.cost);
    let changed = db
        .prepare_cached(
            "UPDATE jobs SET state = ?2, phase = ?3, progress = ?4, late = ?5, abandoned = ?6, note = ?7,
             estimate_amount = ?8, estimate_currency = ?9, cost_amount = ?10, cost_currency = ?11,
             submitted_at = ?12, finished_at = ?13, tags = ?14 WHERE id = ?1",
        )?
        .execute(params![
            row.id.0,
            row.state.word(),
            row.phase,
            row.progress,
            row.late,
            row.abandoned,
            row.note,
            estimate,
            estimate_currency,
            cost,
            cost_currency,
            row.submitted_at.map(nanos),
            row.finished_at.map(nanos),
            tags_text(row)?,
        ])?;
    Ok(changed == 1)
}

fn insert(db: &Connection, job: &Job, row: &JobRow, content: &str) -> Result<(), StoreError> {
    let (estimate, estimate_currency) = amount(row.estimate);
    let (cost, cost_currency) = amount(row.cost);
    db.prepare_cached(
        "INSERT INTO jobs (id, account, model, prompt, state, phase, progress, late, abandoned, note,
         estimate_amount, estimate_currency, cost_amount, cost_currency, created_at, submitted_at, finished_at,
         batch, tags, key, content, parent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        row.id.0,
        row.account,
        row.model,
        row.prompt,
        row.state.word(),
        row.phase,
        row.progress,
        row.late,
        row.abandoned,
        row.note,
        estimate,
        estimate_currency,
        cost,
        cost_currency,
        nanos(row.created_at),
        row.submitted_at.map(nanos),
        row.finished_at.map(nanos),
        row.batch,
        tags_text(row)?,
        job.key,
        content,
        row.parent.map(|parent| parent.0),
    ])
    .map_err(|error| match &job.key {
        Some(key) if is_duplicate(&error, "jobs.key") => StoreError::DuplicateKey(key.clone()),
        _ => error.into(),
    })?;
    Ok(())
}

fn tags_text(row: &JobRow) -> Result<String, StoreError> {
    if row.tags.is_empty() { Ok("[]".to_owned()) } else { to_json(&row.tags) }
}

/// Every job, or every final one, as a table row, oldest first. Reads no body, so a turn is that of a job that
/// was never moved.
pub(super) fn rows(db: &Connection, only_final: bool) -> Result<Vec<JobRow>, StoreError> {
    let mut list = Vec::new();
    let mut query = db.prepare_cached(
        "SELECT id, account, model, prompt, state, phase, progress, late, abandoned, note, estimate_amount,
         estimate_currency, cost_amount, cost_currency, created_at, submitted_at, finished_at, batch, tags, parent
         FROM jobs WHERE NOT ?1 OR state IN ('done', 'failed', 'cancelled') ORDER BY id",
    )?;
    let mut rows = query.query([only_final])?;
    while let Some(row) = rows.next()? {
        list.push(job_row(row)?);
    }
    Ok(list)
}

fn job_row(row: &Row<'_>) -> Result<JobRow, StoreError> {
    let tags = text(row, 18)?;
    Ok(JobRow {
        id: JobId(row.get(0)?),
        account: text(row, 1)?.to_owned(),
        model: text(row, 2)?.to_owned(),
        prompt: text(row, 3)?.to_owned(),
        state: text(row, 4)?.parse().map_err(StoreError::Damaged)?,
        phase: opt_text(row, 5)?.map(str::to_owned),
        progress: opt_number(row, 6)?.and_then(|p| u8::try_from(p).ok()),
        late: row.get(7)?,
        abandoned: row.get(8)?,
        note: opt_text(row, 9)?.map(str::to_owned),
        estimate: opt_money(row, 10)?,
        cost: opt_money(row, 12)?,
        created_at: timestamp(row, 14)?,
        submitted_at: opt_number(row, 15)?.map(time),
        finished_at: opt_number(row, 16)?.map(time),
        usual_s: None,
        batch: opt_number(row, 17)?,
        tags: if tags == "[]" { Vec::new() } else { from_json("tags", tags)? },
        parent: opt_number(row, 19)?.map(JobId),
        turn: Turn::of(JobId(row.get(0)?)),
    })
}

/// Which of these keys are known, in one consistent look.
pub(super) fn known(db: &Connection, keys: &[String]) -> Result<HashMap<String, Known>, StoreError> {
    let look = db.unchecked_transaction()?;
    let mut found = HashMap::new();
    if !look.query_row("SELECT EXISTS (SELECT 1 FROM jobs WHERE key IS NOT NULL)", [], |row| row.get::<_, bool>(0))? {
        return Ok(found);
    }
    let mut query = look.prepare_cached("SELECT id, content FROM jobs WHERE key = ?1")?;
    for key in keys {
        let known = query.query_row([key], |row| Ok(Known { job: JobId(row.get(0)?), content: row.get(1)? }));
        if let Some(known) = known.optional()? {
            found.insert(key.clone(), known);
        }
    }
    Ok(found)
}

/// How long each account's model took, s: the median of its last 20 done jobs. Walks from model to
/// model in the index, so that a long history costs nothing.
pub(super) fn usual(db: &Connection) -> Result<Vec<(String, String, Lately)>, StoreError> {
    let mut next = db.prepare_cached(
        "SELECT account, model FROM jobs WHERE state = 'done' AND (account, model) > (?1, ?2)
         ORDER BY account, model LIMIT 1",
    )?;
    let mut last = db.prepare_cached(
        "SELECT finished_at, submitted_at FROM jobs WHERE state = 'done' AND account = ?1 AND model = ?2
         AND finished_at > 0 ORDER BY finished_at DESC LIMIT 20",
    )?;
    let mut list = Vec::new();
    let mut at = (String::new(), String::new());
    while let Some(pair) = next.query_row([&at.0, &at.1], |row| Ok((row.get(0)?, row.get(1)?))).optional()? {
        at = pair;
        let mut seconds: Vec<u32> = Vec::new();
        let mut rows = last.query([&at.0, &at.1])?;
        while let Some(row) = rows.next()? {
            if let (Some(end), Some(start)) = (opt_number(row, 0)?, opt_number(row, 1)?) {
                seconds.push(u32::try_from(end.saturating_sub(start) / 1_000_000_000).unwrap_or(0));
            }
        }
        if !seconds.is_empty() {
            list.push((at.0.clone(), at.1.clone(), Lately::of(seconds.into_iter().rev())));
        }
    }
    Ok(list)
}

/// What [`put_intent`] keeps.
pub(super) struct NewIntent<'a> {
    pub job: JobId,
    pub attempt: u32,
    pub at: jiff::Timestamp,
    pub record: &'a str,
    pub digest: &'a str,
    pub reserved: Option<Money>,
}

/// Keeps an intent, open.
pub(super) fn put_intent(db: &Connection, new: &NewIntent<'_>) -> Result<(), StoreError> {
    let (reserved, currency) = amount(new.reserved);
    db.prepare_cached(
        "INSERT INTO intents (job, attempt, at, record, digest, reserved_amount, reserved_currency, open)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
    )?
    .execute(params![new.job.0, new.attempt, nanos(new.at), new.record, new.digest, reserved, currency])?;
    Ok(())
}

/// Keeps an answer; its intent is not open any more.
pub(super) fn answer_intent(
    db: &Connection,
    intent: (JobId, u32),
    at: jiff::Timestamp,
    outcome: &str,
    said: &Value,
) -> Result<(), StoreError> {
    let (job, attempt) = (intent.0.0, intent.1);
    db.prepare_cached("INSERT INTO answers (job, attempt, at, outcome, data) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![job, attempt, nanos(at), outcome, super::column::data_text(said)])?;
    db.prepare_cached("UPDATE intents SET open = 0 WHERE job = ?1 AND attempt = ?2 AND open = 1")?
        .execute(params![job, attempt])?;
    Ok(())
}

/// Intents without an answer.
pub(super) fn open_intents(db: &Connection) -> Result<Vec<(JobId, u32)>, StoreError> {
    let mut query = db.prepare_cached("SELECT job, attempt FROM intents WHERE open = 1 ORDER BY job, attempt")?;
    let list = query.query_map([], |row| Ok((JobId(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(list)
}

/// A job's intents with their answers, oldest first.
pub(super) fn intents(db: &Connection, job: JobId) -> Result<Vec<StoredIntent>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT attempt, at, record, digest, open, reserved_amount, reserved_currency FROM intents
         WHERE job = ?1 ORDER BY attempt",
    )?;
    let mut answers =
        db.prepare_cached("SELECT at, outcome, data FROM answers WHERE job = ?1 AND attempt = ?2 ORDER BY id")?;
    let mut rows = query.query([job.0])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let attempt: u32 = row.get(0)?;
        let mut said = Vec::new();
        let mut lines = answers.query(params![job.0, attempt])?;
        while let Some(line) = lines.next()? {
            said.push((timestamp(line, 0)?, text(line, 1)?.to_owned(), data(line, 2)?));
        }
        list.push(StoredIntent {
            job,
            attempt,
            at: timestamp(row, 1)?,
            record: text(row, 2)?.to_owned(),
            digest: text(row, 3)?.to_owned(),
            open: row.get(4)?,
            reserved: opt_money(row, 5)?,
            answers: said,
        });
    }
    Ok(list)
}

/// Claims a file name.
pub(super) fn claim_name(db: &Connection, job: JobId, ordinal: u32, path: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO names (job, ordinal, path) VALUES (?1, ?2, ?3)
         ON CONFLICT (job, ordinal) DO UPDATE SET path = excluded.path",
    )?
    .execute(params![job.0, ordinal, path])
    .map_err(|error| match is_duplicate(&error, "names.path") {
        true => StoreError::NameTaken(path.to_owned()),
        false => error.into(),
    })?;
    Ok(())
}

/// The names a job has claimed: which of its files, and the path.
pub(super) fn names(db: &Connection, job: JobId) -> Result<Vec<(u32, String)>, StoreError> {
    let mut query = db.prepare_cached("SELECT ordinal, path FROM names WHERE job = ?1 ORDER BY ordinal")?;
    let list = query.query_map([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(list)
}

/// Who has claimed a name.
pub(super) fn claimant(db: &Connection, path: &str) -> Result<Option<JobId>, StoreError> {
    let mut query = db.prepare_cached("SELECT job FROM names WHERE path = ?1")?;
    Ok(query.query_row([path], |row| row.get(0)).optional()?.map(JobId))
}
