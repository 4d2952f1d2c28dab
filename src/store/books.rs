//! The books and balances in the database: entries only ever grow, each once by its evidence.
//!
//! Knows the tables `entries` and `balances`. Must not know why something was charged.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value as Sql};

use super::StoreError;
use super::change::EntryFilter;
use super::column::{money, nanos, opt_number, text, timestamp};
use crate::domain::books::{Ledger, Sums};
use crate::domain::{Balance, Currency, Entry, EntryKind, JobId};

/// 40 days in nanoseconds: a whole month and some.
const RECENT: i64 = 40 * 24 * 3600 * 1_000_000_000;

/// Books an entry; false where its evidence is booked already.
pub(super) fn book(db: &Connection, entry: &Entry) -> Result<bool, StoreError> {
    let new = db
        .prepare_cached(
            "INSERT INTO entries (evidence, account, job, kind, amount, currency, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (evidence) DO NOTHING",
        )?
        .execute(params![
            entry.evidence,
            entry.account,
            entry.job.map(|job| job.0),
            entry.kind.word(),
            entry.money.amount.to_string(),
            entry.money.currency.code(),
            nanos(entry.at),
        ])?;
    if new == 1 {
        super::caps::count(db, entry)?;
        return Ok(true);
    }
    let mut query = db.prepare_cached(&select("evidence = ?1"))?;
    let mut rows = query.query([&entry.evidence])?;
    let row = rows.next()?.ok_or_else(|| StoreError::damaged("an entry was neither new nor there"))?;
    let booked = read(row)?;
    let same = |a: &Entry, b: &Entry| {
        (&a.account, a.job, a.kind, a.money.currency, a.money.amount)
            == (&b.account, b.job, b.kind, b.money.currency, b.money.amount)
    };
    if same(&booked, entry) {
        return Ok(false);
    }
    let meaning = |e: &Entry| {
        let job = e.job.map_or_else(|| "no job".to_owned(), |job| job.to_string());
        format!("{} {} for {job} at {}", e.money, e.kind.word(), e.account)
    };
    Err(StoreError::OtherEvidence {
        evidence: entry.evidence.clone(),
        booked: meaning(&booked),
        offered: meaning(entry),
    })
}

fn select(wanted: &str) -> String {
    format!("SELECT account, job, kind, amount, currency, evidence, at FROM entries WHERE {wanted}")
}

fn read(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        account: text(row, 0)?.to_owned(),
        job: opt_number(row, 1)?.map(JobId),
        kind: kind(text(row, 2)?)?,
        money: money(text(row, 3)?, text(row, 4)?)?,
        evidence: text(row, 5)?.to_owned(),
        at: timestamp(row, 6)?,
    })
}

fn kind(word: &str) -> Result<EntryKind, StoreError> {
    EntryKind::ALL
        .into_iter()
        .find(|kind| kind.word() == word)
        .ok_or_else(|| StoreError::damaged(format!("`{word}` is no kind of entry")))
}

/// The sums of all entries, exact, and the entries of the 40 days before the last one, oldest first.
pub(super) fn ledger(db: &Connection) -> Result<(Ledger, Vec<Entry>), StoreError> {
    let last: Option<i64> = db.query_row("SELECT max(at) FROM entries", [], |row| row.get(0))?;
    let since = last.unwrap_or(0).saturating_sub(RECENT);
    let (mut ledger, mut recent) = (Ledger::default(), Vec::new());
    let mut query = db.prepare_cached(&(select("true") + " ORDER BY id"))?;
    let mut rows = query.query([])?;
    // Neighbours are mostly of the same account, so its name is not looked up each time.
    let mut at = (String::new(), Currency::Usd);
    let mut sums = Sums::default();
    while let Some(row) = rows.next()? {
        let (account, money) = (text(row, 0)?, money(text(row, 3)?, text(row, 4)?)?);
        if (account, money.currency) != (at.0.as_str(), at.1) {
            let next = (account.to_owned(), money.currency);
            let of_next = ledger.sums.get(&next).copied().unwrap_or_default();
            ledger.sums.insert(std::mem::replace(&mut at, next), std::mem::replace(&mut sums, of_next));
        }
        let kind = kind(text(row, 2)?)?;
        sums.add(kind, money.amount);
        use EntryKind::{Explained, ExplainedCredit, Unexplained, UnexplainedCredit};
        if matches!(kind, Unexplained | UnexplainedCredit | Explained | ExplainedCredit) {
            ledger.note(&read(row)?);
        }
        if row.get::<_, i64>(6)? >= since {
            recent.push(read(row)?);
        }
    }
    ledger.sums.insert(at, sums);
    ledger.sums.retain(|(account, _), _| !account.is_empty());
    Ok((ledger, recent))
}

/// The entries a filter wants, oldest first.
pub(super) fn filtered(db: &Connection, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
    let mut wanted = vec!["true"];
    let mut values: Vec<Sql> = Vec::new();
    if let Some(account) = &filter.account {
        wanted.push("account = ?");
        values.push(Sql::Text(account.clone()));
    }
    if let Some(job) = filter.job {
        wanted.push("job = ?");
        values.push(Sql::Integer(job.0));
    }
    if let Some(since) = filter.since {
        wanted.push("at >= ?");
        values.push(Sql::Integer(nanos(since)));
    }
    values.push(Sql::Integer(filter.limit.map_or(-1, i64::from)));
    let newest_first = select(&wanted.join(" AND ")) + " ORDER BY id DESC LIMIT ?";
    let mut list = list(db, &newest_first, values)?;
    list.reverse();
    Ok(list)
}

fn list(db: &Connection, query: &str, values: Vec<Sql>) -> Result<Vec<Entry>, StoreError> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

/// Keeps a balance, unless a newer one is kept.
pub(super) fn see_balance(db: &Connection, account: &str, balance: &Balance) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO balances (account, currency, amount, seen_at, source) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account, currency) DO UPDATE
         SET amount = excluded.amount, seen_at = excluded.seen_at, source = excluded.source
         WHERE excluded.seen_at >= seen_at",
    )?
    .execute(params![
        account,
        balance.money.currency.code(),
        balance.money.amount.to_string(),
        nanos(balance.seen_at),
        balance.source,
    ])?;
    Ok(())
}

/// What each account held last.
pub(super) fn balances(db: &Connection) -> Result<Vec<(String, Balance)>, StoreError> {
    let mut query = db.prepare_cached("SELECT account, amount, currency, seen_at, source FROM balances")?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let balance = Balance {
            money: money(text(row, 1)?, text(row, 2)?)?,
            seen_at: timestamp(row, 3)?,
            source: text(row, 4)?.to_owned(),
        };
        list.push((text(row, 0)?.to_owned(), balance));
    }
    Ok(list)
}

/// Whether an evidence is booked already.
pub(super) fn is_booked(db: &Connection, evidence: &str) -> Result<bool, StoreError> {
    let mut query = db.prepare_cached("SELECT true FROM entries WHERE evidence = ?1")?;
    Ok(query.query_row([evidence], |row| row.get(0)).optional()?.unwrap_or(false))
}
