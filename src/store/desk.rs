//! The small things kept beside jobs and books: accounts, batches, inputs, the draft, allowances,
//! the salt and the latest time seen.
//!
//! Knows the tables `meta`, `accounts`, `batches`, `inputs`, `drafts`, `limiters`. Must not know
//! keys or their fingerprints' making.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::change::{StoredAccount, StoredLimiter};
use super::column::{from_json, money, nanos, opt_text, text, time, timestamp, to_json};
use super::inputs::StoredInput;
use crate::domain::caps::BatchCap;
use crate::domain::{Currency, Draft};

/// Gives a new database its salt and says for good whether its data is simulated.
pub(super) fn found(db: &Connection, simulated: bool) -> Result<(), StoreError> {
    db.execute("INSERT INTO meta VALUES ('simulated', ?1) ON CONFLICT DO NOTHING", [i64::from(simulated)])?;
    db.execute("INSERT INTO meta VALUES ('salt', randomblob(32)) ON CONFLICT DO NOTHING", [])?;
    Ok(())
}

/// Whether the data is simulated, and the salt; `None` where the database was never [`found`]ed.
pub(super) fn nature(db: &Connection) -> Result<Option<(bool, [u8; 32])>, StoreError> {
    let simulated: Option<bool> =
        db.query_row("SELECT value FROM meta WHERE name = 'simulated'", [], |row| row.get(0)).optional()?;
    let salt: Option<[u8; 32]> =
        db.query_row("SELECT value FROM meta WHERE name = 'salt'", [], |row| row.get(0)).optional()?;
    Ok(simulated.zip(salt))
}

/// Notes the time; an earlier one than noted changes nothing.
pub(super) fn seen(db: &Connection, at: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO meta VALUES ('last_seen', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
    )?
    .execute([nanos(at)])?;
    Ok(())
}

/// The latest time noted.
pub(super) fn last_seen(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let nanos: Option<i64> =
        db.query_row("SELECT value FROM meta WHERE name = 'last_seen'", [], |row| row.get(0)).optional()?;
    // A crash notes no time; the last line of the log has one.
    let last: Option<i64> =
        db.query_row("SELECT at FROM events ORDER BY seq DESC LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(nanos.max(last).map(time))
}

/// Keeps the time zones that days are counted by.
pub(super) fn put_zones(db: &Connection, zones: &str) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO meta VALUES ('zones', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")?
        .execute([zones])?;
    Ok(())
}

/// The time zones that days are counted by.
pub(super) fn zones(db: &Connection) -> Result<Option<String>, StoreError> {
    Ok(db.query_row("SELECT value FROM meta WHERE name = 'zones'", [], |row| row.get(0)).optional()?)
}

/// Keeps an account.
pub(super) fn put_account(db: &Connection, account: &StoredAccount) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO accounts (name, service, origin, fingerprint, profile, pause) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name) DO UPDATE SET service = excluded.service, origin = excluded.origin,
         fingerprint = excluded.fingerprint, profile = excluded.profile, pause = excluded.pause",
    )?
    .execute(params![
        account.name,
        account.service.word(),
        account.origin,
        account.fingerprint,
        account.profile.as_ref().map(to_json).transpose()?,
        account.pause.as_ref().map(to_json).transpose()?,
    ])?;
    Ok(())
}

/// The accounts seen so far, by name.
pub(super) fn accounts(db: &Connection) -> Result<Vec<StoredAccount>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT name, service, origin, fingerprint, profile, pause FROM accounts ORDER BY name")?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let name = text(row, 0)?.to_owned();
        list.push(StoredAccount {
            service: text(row, 1)?.parse().map_err(StoreError::Damaged)?,
            origin: text(row, 2)?.to_owned(),
            fingerprint: text(row, 3)?.to_owned(),
            profile: opt_text(row, 4)?.map(|json| from_json(&name, json)).transpose()?,
            pause: opt_text(row, 5)?.map(|json| from_json(&name, json)).transpose()?,
            name,
        });
    }
    Ok(list)
}

/// Notes a batch.
pub(super) fn add_batch(db: &Connection, id: i64, source: &str, at: Timestamp, rows: u64) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO batches (id, source, at, rows) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id,
        source,
        nanos(at),
        i64::try_from(rows).unwrap_or(i64::MAX)
    ])?;
    Ok(())
}

/// Keeps what a batch may cost.
pub(super) fn cap_batch(db: &Connection, id: i64, cap: &BatchCap) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE batches SET cap_amount = ?2, cap_jobs = ?3 WHERE id = ?1")?.execute(params![
        id,
        cap.money.map(|money| money.amount.to_string()),
        cap.jobs
    ])?;
    Ok(())
}

/// What batches may cost, in dollars.
pub(super) fn batch_caps(db: &Connection) -> Result<Vec<(i64, BatchCap)>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT id, cap_amount, cap_jobs FROM batches WHERE cap_amount IS NOT NULL OR cap_jobs IS NOT NULL",
    )?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let money = opt_text(row, 1)?.map(|amount| money(amount, Currency::Usd.code())).transpose()?;
        list.push((row.get(0)?, BatchCap { money, jobs: row.get(2)? }));
    }
    Ok(list)
}

/// Notes an input; one that is there already stays as it is.
pub(super) fn put_input(db: &Connection, input: &StoredInput, name: &str) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO inputs (sha256, mime, bytes, name) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
        .execute(params![input.sha256, input.mime, i64::try_from(input.bytes).unwrap_or(i64::MAX), name])?;
    Ok(())
}

/// A noted input and the file name it came from.
pub(super) fn input(db: &Connection, sha256: &str) -> Result<Option<(StoredInput, String)>, StoreError> {
    let mut query = db.prepare_cached("SELECT mime, bytes, name FROM inputs WHERE sha256 = ?1")?;
    let found: Option<(String, i64, String)> =
        query.query_row([sha256], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    Ok(found.map(|(mime, bytes, name)| {
        (StoredInput { sha256: sha256.to_owned(), mime, bytes: u64::try_from(bytes).unwrap_or(0) }, name)
    }))
}

/// Keeps the draft.
pub(super) fn put_draft(db: &Connection, draft: &Draft) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO drafts (id, body) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    )?
    .execute([to_json(draft)?])?;
    Ok(())
}

/// The draft. One that cannot be read is no reason not to start.
pub(super) fn draft(db: &Connection) -> Result<Option<Draft>, StoreError> {
    let body: Option<String> = db.query_row("SELECT body FROM drafts WHERE id = 1", [], |row| row.get(0)).optional()?;
    Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
}

/// Keeps an allowance.
pub(super) fn put_limiter(db: &Connection, limiter: &StoredLimiter) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO limiters (host, at, state) VALUES (?1, ?2, ?3)
         ON CONFLICT (host) DO UPDATE SET at = excluded.at, state = excluded.state",
    )?
    .execute(params![limiter.host, nanos(limiter.at), limiter.state.to_string()])?;
    Ok(())
}

/// The allowances, by host.
pub(super) fn limiters(db: &Connection) -> Result<Vec<StoredLimiter>, StoreError> {
    let mut query = db.prepare_cached("SELECT host, at, state FROM limiters ORDER BY host")?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let host = text(row, 0)?.to_owned();
        list.push(StoredLimiter { at: timestamp(row, 1)?, state: from_json(&host, text(row, 2)?)?, host });
    }
    Ok(list)
}
