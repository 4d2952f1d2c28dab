//! The event log in the database: lines numbered without gaps, never edited, never deleted.
//!
//! Knows the table `events`. Must not know what the lines mean.

use rusqlite::{Connection, Row, params};

use super::StoreError;
use super::change::NewLine;
use super::column::{data, data_text, nanos, opt_number, opt_text, text, timestamp};
use crate::domain::JobId;
use crate::domain::message::HistoryLine;

/// Lines put by one statement: of a hundred thousand, each by its own, most of the time went to the statement.
const TOGETHER: usize = 16;

/// Adds lines, in this order.
pub(super) fn add(db: &Connection, lines: &[&NewLine]) -> Result<(), StoreError> {
    let many = lines.chunks_exact(TOGETHER);
    let rest = many.remainder();
    for some in many {
        insert(db, some)?;
    }
    for one in rest {
        insert(db, &[one])?;
    }
    Ok(())
}

fn insert(db: &Connection, lines: &[&NewLine]) -> Result<(), StoreError> {
    let rows = vec!["(?, ?, ?, ?, ?, ?)"; lines.len()].join(", ");
    let mut statement =
        db.prepare_cached(&format!("INSERT INTO events (at, job, account, kind, text, data) VALUES {rows}"))?;
    for (n, line) in lines.iter().enumerate() {
        let at = n * 6;
        statement.raw_bind_parameter(at + 1, nanos(line.at))?;
        statement.raw_bind_parameter(at + 2, line.job.map(|job| job.0))?;
        statement.raw_bind_parameter(at + 3, &line.account)?;
        statement.raw_bind_parameter(at + 4, &line.kind)?;
        statement.raw_bind_parameter(at + 5, &line.text)?;
        statement.raw_bind_parameter(at + 6, data_text(&line.data))?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// The number of the last line; 0 where there is none.
pub(super) fn last_seq(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?.query_row([], |row| row.get(0))?)
}

/// A job's lines, oldest first.
pub(super) fn of_job(db: &Connection, job: JobId) -> Result<Vec<HistoryLine>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT seq, at, job, account, kind, text, data FROM events WHERE job = ?1 ORDER BY seq")?;
    read_all(query.query([job.0])?)
}

/// At most `limit` lines after number `seq`, oldest first.
pub(super) fn after(db: &Connection, seq: i64, limit: usize) -> Result<Vec<HistoryLine>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, at, job, account, kind, text, data FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    read_all(query.query(params![seq, i64::try_from(limit).unwrap_or(i64::MAX)])?)
}

/// The lines between two times, both counted, oldest first.
pub(super) fn between(
    db: &Connection,
    account: Option<&str>,
    since: jiff::Timestamp,
    until: jiff::Timestamp,
) -> Result<Vec<HistoryLine>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, at, job, account, kind, text, data FROM events
         WHERE at BETWEEN ?1 AND ?2 AND (?3 IS NULL OR account = ?3) ORDER BY seq",
    )?;
    read_all(query.query(params![nanos(since), nanos(until), account])?)
}

/// The last line about changed models of each account, by account.
pub(super) fn model_changes(db: &Connection) -> Result<Vec<HistoryLine>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, at, job, account, kind, text, data FROM events WHERE seq IN
         (SELECT max(seq) FROM events WHERE kind = 'models_changed' GROUP BY account) ORDER BY account",
    )?;
    read_all(query.query([])?)
}

fn read_all(mut rows: rusqlite::Rows<'_>) -> Result<Vec<HistoryLine>, StoreError> {
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

fn read(row: &Row<'_>) -> Result<HistoryLine, StoreError> {
    Ok(HistoryLine {
        seq: row.get(0)?,
        at: timestamp(row, 1)?,
        job: opt_number(row, 2)?.map(JobId),
        account: opt_text(row, 3)?.map(str::to_owned),
        kind: text(row, 4)?.to_owned(),
        text: text(row, 5)?.to_owned(),
        data: data(row, 6)?,
    })
}
