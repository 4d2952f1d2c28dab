//! Jobs read whole: their bodies, out of JSON.
//!
//! Knows the table `job_bodies`. Must not know what is read for.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value as Sql};

use super::StoreError;
use super::change::JobFilter;
use super::column::{from_json, text};
use crate::domain::{Job, JobId};

/// A job, whole.
pub(super) fn one(db: &Connection, id: JobId) -> Result<Option<Job>, StoreError> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM job_bodies WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    body.map(|body| from_json(id, &body)).transpose()
}

/// Jobs that are not final, oldest first.
pub(super) fn active(db: &Connection) -> Result<Vec<Job>, StoreError> {
    bodies(
        db,
        "SELECT id, body FROM job_bodies WHERE id IN
         (SELECT id FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled')) ORDER BY id",
        Vec::new(),
    )
}

/// The jobs a filter wants, oldest first.
pub(super) fn filtered(db: &Connection, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
    let mut wanted = Vec::new();
    let mut values: Vec<Sql> = Vec::new();
    if !filter.states.is_empty() {
        wanted.push(format!("state IN ({})", vec!["?"; filter.states.len()].join(", ")));
        values.extend(filter.states.iter().map(|state| Sql::Text(state.word().to_owned())));
    }
    if let Some(account) = &filter.account {
        wanted.push("account = ?".to_owned());
        values.push(Sql::Text(account.clone()));
    }
    if let Some(tag) = &filter.tag {
        wanted.push("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)".to_owned());
        values.push(Sql::Text(tag.clone()));
    }
    if let Some(batch) = filter.batch {
        wanted.push("batch = ?".to_owned());
        values.push(Sql::Integer(batch));
    }
    let wanted = if wanted.is_empty() { "true".to_owned() } else { wanted.join(" AND ") };
    values.push(Sql::Integer(filter.limit.map_or(-1, i64::from)));
    let query = format!(
        "SELECT id, body FROM job_bodies WHERE id IN
         (SELECT id FROM jobs WHERE {wanted} ORDER BY id DESC LIMIT ?) ORDER BY id"
    );
    bodies(db, &query, values)
}

fn bodies(db: &Connection, query: &str, values: Vec<Sql>) -> Result<Vec<Job>, StoreError> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(from_json(JobId(row.get(0)?), text(row, 1)?)?);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Request;
    use crate::store::{Change, Store};

    #[test]
    fn bodies_come_in_order_and_one_that_is_damaged_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), false).unwrap();
        let request = Request::new(&"a/b".parse().unwrap(), "a river");
        let job = |id| Job::new(JobId(id), request.clone(), jiff::Timestamp::UNIX_EPOCH);
        store.commit_blocking((1..=1_000).map(|id| Change::PutJob(std::sync::Arc::new(job(id)))).collect()).unwrap();
        let ids: Vec<i64> = store.active().unwrap().iter().map(|job| job.id.0).collect();
        assert_eq!(ids, (1..=1_000).collect::<Vec<_>>());
        let db = Connection::open(dir.path().join("rushes.db")).unwrap();
        db.execute("UPDATE job_bodies SET body = '{}' WHERE id = 700", []).unwrap();
        let error = store.load().unwrap_err().to_string();
        assert!(error.contains("j-700"), "{error}");
    }
}
