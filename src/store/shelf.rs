//! What services say of their models, and what they charged for them, in the database.
//!
//! Knows the tables `catalogues` and `observations`. Must not know how descriptions are merged, nor
//! what an observation does to a price.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::StoreError;
use super::change::{StoredCatalogue, StoredObservation};
use super::column::{money, nanos, opt_text, text, timestamp, to_json};
use crate::domain::Observation;
use crate::domain::observed::Learnt;

/// Keeps an account's catalogue in the place of an earlier one.
pub(super) fn put_catalogue(db: &Connection, catalogue: &StoredCatalogue) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO catalogues (account, origin, generation, at, models) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account) DO UPDATE SET origin = excluded.origin, generation = excluded.generation,
         at = excluded.at, models = excluded.models",
    )?
    .execute(params![
        catalogue.account,
        catalogue.origin,
        catalogue.generation,
        nanos(catalogue.at),
        to_json(&catalogue.models)?,
    ])?;
    Ok(())
}

/// Every account's catalogue, by account. A model written by a version that described it otherwise is
/// left out: the list is only a copy of what the service says, and is asked for again.
pub(super) fn catalogues(db: &Connection) -> Result<Vec<StoredCatalogue>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT account, origin, generation, at, models FROM catalogues ORDER BY account")?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let models: Vec<Value> = serde_json::from_str(text(row, 4)?).unwrap_or_default();
        list.push(StoredCatalogue {
            account: text(row, 0)?.to_owned(),
            origin: text(row, 1)?.to_owned(),
            generation: opt_text(row, 2)?.map(str::to_owned),
            at: timestamp(row, 3)?,
            models: models.into_iter().filter_map(|model| serde_json::from_value(model).ok()).collect(),
        });
    }
    Ok(list)
}

/// Keeps an observation in the place of the one before it.
pub(super) fn put_observation(db: &Connection, seen: &StoredObservation) -> Result<(), StoreError> {
    let StoredObservation { service, model, key, observation } = seen;
    db.prepare_cached(
        "INSERT INTO observations (service, model, key, currency, amount, at, times, learnt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (service, model, key, currency) DO UPDATE SET amount = excluded.amount, at = excluded.at,
         times = excluded.times, learnt = excluded.learnt",
    )?
    .execute(params![
        service.word(),
        model,
        key,
        observation.money.currency.code(),
        observation.money.amount.to_string(),
        nanos(observation.at),
        observation.times,
        observation.learnt.word(),
    ])?;
    Ok(())
}

/// Every observation.
pub(super) fn observations(db: &Connection) -> Result<Vec<StoredObservation>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT service, model, key, amount, currency, at, times, learnt FROM observations")?;
    let mut rows = query.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let word = text(row, 7)?;
        let learnt = [Learnt::Charged, Learnt::Quoted].into_iter().find(|learnt| learnt.word() == word);
        list.push(StoredObservation {
            service: text(row, 0)?.parse().map_err(StoreError::Damaged)?,
            model: text(row, 1)?.to_owned(),
            key: text(row, 2)?.to_owned(),
            observation: Observation {
                money: money(text(row, 3)?, text(row, 4)?)?,
                at: timestamp(row, 5)?,
                times: row.get(6)?,
                learnt: learnt.ok_or_else(|| StoreError::damaged(format!("`{word}` is no way to learn a price")))?,
            },
        });
    }
    Ok(list)
}
