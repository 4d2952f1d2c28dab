//! Caps, held where money is set aside: the sums as the transaction that reserves sees them.
//!
//! Knows the tables `standing`, `entries`, `intents`. Must not know who set a cap. `standing` holds
//! what is reserved now and was spent in all, by batch, account and model, so that no check adds up
//! all entries.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params, types::Value as Sql};
use rust_decimal::Decimal;

use super::StoreError;
use super::column::{money, nanos, text};
use crate::domain::caps::{Guard, Limit, Most, Scope, Span};
use crate::domain::zones::Zones;
use crate::domain::{Currency, Entry, EntryKind, JobId, Money};

/// Adds a new entry to what stands.
pub(super) fn count(db: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let (reserved, spent) = shares(entry.kind, entry.money.amount);
    if reserved.is_zero() && spent.is_zero() {
        return Ok(());
    }
    let (batch, model) = job_of(db, entry.job)?;
    add(db, (batch, &entry.account, &model, entry.money.currency), reserved, spent)
}

/// What an entry adds to what is reserved and to what was spent.
fn shares(kind: EntryKind, amount: Decimal) -> (Decimal, Decimal) {
    match kind {
        EntryKind::Reserved => (amount, Decimal::ZERO),
        EntryKind::Released => (-amount, Decimal::ZERO),
        EntryKind::Charged => (Decimal::ZERO, amount),
        EntryKind::Refunded => (Decimal::ZERO, -amount),
        _ => Default::default(),
    }
}

/// A job's batch and model; 0 and nothing where it has none.
fn job_of(db: &Connection, job: Option<JobId>) -> Result<(i64, String), StoreError> {
    let Some(job) = job else { return Ok(Default::default()) };
    let mut query = db.prepare_cached("SELECT coalesce(batch, 0), model FROM jobs WHERE id = ?1")?;
    Ok(query.query_row([job.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?.unwrap_or_default())
}

fn add(
    db: &Connection,
    (batch, account, model, currency): (i64, &str, &str, Currency),
    reserved: Decimal,
    spent: Decimal,
) -> Result<(), StoreError> {
    let key = params![batch, account, model, currency.code()];
    let mut query = db.prepare_cached(
        "SELECT reserved, spent FROM standing WHERE batch = ?1 AND account = ?2 AND model = ?3 AND currency = ?4",
    )?;
    let mut rows = query.query(key)?;
    let (mut now, mut ever) = (reserved, spent);
    if let Some(row) = rows.next()? {
        now += money(text(row, 0)?, currency.code())?.amount;
        ever += money(text(row, 1)?, currency.code())?.amount;
    }
    drop(rows);
    db.prepare_cached(
        "INSERT INTO standing (batch, account, model, currency, reserved, spent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET reserved = excluded.reserved, spent = excluded.spent",
    )?
    .execute(params![
        batch,
        account,
        model,
        currency.code(),
        now.normalize().to_string(),
        ever.normalize().to_string()
    ])?;
    Ok(())
}

/// Adds up what an older version of this program booked, once.
pub(super) fn found(db: &mut Connection) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_counted = "SELECT EXISTS (SELECT 1 FROM standing) OR NOT EXISTS (SELECT 1 FROM entries)";
    if transaction.query_row(is_counted, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    for entry in super::books::filtered(&transaction, &super::EntryFilter::default())? {
        count(&transaction, &entry)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Holds every limit of a guard, with what its own commit has booked so far.
///
/// # Errors
/// [`StoreError::OverCap`] with the first limit that does not hold.
pub(super) fn check(db: &Connection, guard: &Guard) -> Result<(), StoreError> {
    held(db, guard, None)
}

/// The fault of a cap read before the transaction: as if this order's money were set aside already.
pub(super) fn check_early(db: &Connection, guard: &Guard, reserving: Money) -> Result<(), StoreError> {
    held(db, guard, Some(reserving))
}

fn held(db: &Connection, guard: &Guard, reserving: Option<Money>) -> Result<(), StoreError> {
    for limit in &guard.limits {
        let left = match (left(db, limit, guard.at, &guard.zones)?, reserving) {
            (Left::Money(left, currency), Some(money)) if money.currency == currency => {
                Left::Money(left - money.amount, currency)
            }
            (Left::Jobs(left), Some(_)) => Left::Jobs(left - 1),
            (left, _) => left,
        };
        if left.is_below_nothing() {
            return Err(StoreError::OverCap { job: guard.job, limit: limit.clone() });
        }
    }
    Ok(())
}

/// What a limit has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Money; below zero where the limit was passed, or lowered since.
    Money(Decimal, Currency),
    /// Jobs.
    Jobs(i64),
}

impl Left {
    fn is_below_nothing(self) -> bool {
        match self {
            Left::Money(left, _) => left < Decimal::ZERO,
            Left::Jobs(left) => left < 0,
        }
    }

    /// Whether another order of this price still fits.
    pub fn has_room_for(self, price: Money) -> bool {
        match self {
            Left::Money(left, currency) => currency != price.currency || price.amount <= left,
            Left::Jobs(left) => left > 0,
        }
    }
}

/// What each limit has left at a time, read outside any transaction: to be shown, not to be relied on.
pub(super) fn room(db: &Connection, guard: &Guard) -> Result<Vec<Left>, StoreError> {
    guard.limits.iter().map(|limit| left(db, limit, guard.at, &guard.zones)).collect()
}

/// What a limit has left. Its span has a begin and no end: for a clock that was set back it counts the
/// later days too, so that it makes no room.
fn left(db: &Connection, limit: &Limit, at: Timestamp, zones: &Zones) -> Result<Left, StoreError> {
    let since = zones.begin(limit.span, at);
    let since = since.map_or(i64::MIN, nanos);
    Ok(match limit.most {
        Most::Money(most) => {
            let (reserved, ever) = standing(db, &limit.scope, limit.span, most.currency)?;
            let spent = if limit.span == Span::Ever { ever } else { spent(db, &limit.scope, most.currency, since)? };
            Left::Money(most.amount - reserved - spent, most.currency)
        }
        Most::Jobs(most) => Left::Jobs(i64::from(most) - ordered(db, &limit.scope, since)?),
    })
}

/// What a scope has reserved now and spent in all.
fn standing(db: &Connection, scope: &Scope, span: Span, currency: Currency) -> Result<(Decimal, Decimal), StoreError> {
    let (wanted, mut values) = match scope {
        Scope::All => ("true", Vec::new()),
        Scope::Account(account) => ("account = ?2", vec![Sql::Text(account.clone())]),
        Scope::Model(account, model) => {
            ("account = ?2 AND model = ?3", vec![account.clone().into(), model.clone().into()])
        }
        Scope::Batch(batch) => ("batch = ?2", vec![Sql::Integer(*batch)]),
    };
    values.insert(0, Sql::Text(currency.code().to_owned()));
    // Batches that are over are many; those that have something set aside are few.
    let few = if span == Span::Ever { "" } else { " AND reserved <> '0'" };
    let query = format!("SELECT reserved, spent FROM standing WHERE currency = ?1 AND {wanted}{few}");
    let mut query = db.prepare_cached(&query)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let mut sums = (Decimal::ZERO, Decimal::ZERO);
    while let Some(row) = rows.next()? {
        sums.0 += money(text(row, 0)?, currency.code())?.amount;
        sums.1 += money(text(row, 1)?, currency.code())?.amount;
    }
    Ok(sums)
}

/// What was charged in a scope since a time, less what was refunded of it. A refund of an earlier
/// charge makes no room now.
fn spent(db: &Connection, scope: &Scope, currency: Currency, since: i64) -> Result<Decimal, StoreError> {
    let (wanted, mut values) = scoped(scope, "e.account", "e.job");
    let query = format!(
        "SELECT e.job, e.kind = 'charged', e.amount FROM entries e INDEXED BY entries_spent
         WHERE e.at >= ?1 AND e.kind IN ('charged', 'refunded') AND e.currency = ?2 AND {wanted}"
    );
    values.splice(0..0, [Sql::Integer(since), Sql::Text(currency.code().to_owned())]);
    let mut query = db.prepare_cached(&query)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let mut charged = Decimal::ZERO;
    let mut refunded: BTreeMap<i64, Decimal> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let amount = money(text(row, 2)?, currency.code())?.amount;
        if row.get(1)? {
            charged += amount;
        } else {
            *refunded.entry(row.get::<_, Option<i64>>(0)?.unwrap_or(0)).or_default() += amount;
        }
    }
    for (job, amount) in refunded {
        let mut query = db.prepare_cached(
            "SELECT amount FROM entries WHERE job = ?1 AND kind = 'charged' AND currency = ?2 AND at >= ?3",
        )?;
        let mut rows = query.query(params![job, currency.code(), since])?;
        let mut of_now = Decimal::ZERO;
        while let Some(row) = rows.next()? {
            of_now += money(text(row, 0)?, currency.code())?.amount;
        }
        charged -= amount.min(of_now);
    }
    Ok(charged)
}

/// How many jobs of a scope were ordered since a time.
fn ordered(db: &Connection, scope: &Scope, since: i64) -> Result<i64, StoreError> {
    let (query, values) = match scope {
        Scope::Batch(batch) => (
            "SELECT count(*) FROM jobs WHERE batch = ?1 AND EXISTS (SELECT 1 FROM intents WHERE job = jobs.id)"
                .to_owned(),
            vec![Sql::Integer(*batch)],
        ),
        scope => {
            let own = "(SELECT account FROM jobs WHERE id = i.job)";
            let (wanted, mut values) = scoped(scope, own, "i.job");
            values.splice(0..0, [Sql::Integer(since), Sql::Null]);
            let query = format!(
                "SELECT count(DISTINCT i.job) FROM intents i INDEXED BY intents_by_time
                 WHERE i.at >= ?1 AND ?2 IS NULL AND {wanted}"
            );
            (query, values)
        }
    };
    Ok(db.prepare_cached(&query)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?)
}

/// The condition for a scope, with its values from `?3` on.
fn scoped(scope: &Scope, account: &str, job: &str) -> (String, Vec<Sql>) {
    match scope {
        Scope::All => ("true".to_owned(), Vec::new()),
        Scope::Account(name) => (format!("{account} = ?3"), vec![name.clone().into()]),
        Scope::Model(name, model) => (
            format!("{account} = ?3 AND (SELECT model FROM jobs WHERE id = {job}) = ?4"),
            vec![name.clone().into(), model.clone().into()],
        ),
        Scope::Batch(batch) => (format!("(SELECT batch FROM jobs WHERE id = {job}) = ?3"), vec![Sql::Integer(*batch)]),
    }
}
