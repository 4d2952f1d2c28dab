//! Jobs read whole: their bodies, out of JSON.
//!
//! Knows the table `job_bodies`, and that decoding is the dear part of reading. Must not know what is read for.

use std::sync::mpsc::{Receiver, sync_channel};

use rusqlite::{Connection, OptionalExtension, Rows, params_from_iter, types::Value as Sql};

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
    while list.len() < BODIES_AT_ONCE {
        let Some(row) = rows.next()? else { return Ok(list) };
        list.push(from_json(JobId(row.get(0)?), text(row, 1)?)?);
    }
    decode_beside(rows, &mut list)?;
    Ok(list)
}

/// Bodies that one thread is given at a time.
const BODIES_AT_ONCE: usize = 64;

/// Reads on, and has what is read decoded by threads beside: to decode costs ten times what reading does.
fn decode_beside(mut rows: Rows<'_>, list: &mut Vec<Job>) -> Result<(), StoreError> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        let decode = |lots: Receiver<Vec<(JobId, String)>>| {
            let one = |(id, body): (JobId, String)| from_json(id, &body);
            let lot = |lot: Vec<_>| lot.into_iter().map(one).collect::<Result<Vec<Job>, StoreError>>();
            lots.into_iter().map(lot).collect::<Result<Vec<_>, _>>()
        };
        let (senders, workers): (Vec<_>, Vec<_>) = (0..threads)
            .map(|_| {
                let (send, receive) = sync_channel(4);
                (send, scope.spawn(move || decode(receive)))
            })
            .unzip();
        for sender in senders.iter().cycle() {
            let mut lot = Vec::with_capacity(BODIES_AT_ONCE);
            while let Some(row) = if lot.len() < BODIES_AT_ONCE { rows.next()? } else { None } {
                lot.push((JobId(row.get(0)?), text(row, 1)?.to_owned()));
            }
            // A thread that is gone has found damage, which it tells below.
            let is_last = lot.len() < BODIES_AT_ONCE;
            if sender.send(lot).is_err() || is_last {
                break;
            }
        }
        drop(senders);
        let broken = |_| StoreError::damaged("a body broke its reader");
        let decoded = workers.into_iter().map(|worker| worker.join().map_err(broken)?);
        let mut decoded: Vec<_> = decoded.map(|lots| lots.map(Vec::into_iter)).collect::<Result<_, _>>()?;
        // In the order they were handed out in.
        for turn in (0..threads).cycle() {
            let Some(lot) = decoded.get_mut(turn).and_then(Iterator::next) else { break };
            list.extend(lot);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Request;
    use crate::store::{Change, Store};

    #[test]
    fn many_bodies_come_in_order_and_one_that_is_damaged_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), false).unwrap();
        let request = Request::new(&"a/b".parse().unwrap(), "a river");
        let job = |id| Job::new(JobId(id), request.clone(), jiff::Timestamp::UNIX_EPOCH);
        // Full lots, and one that is not; and as many as make full lots only.
        let mut last = 0;
        for count in [1_000, 1_024] {
            let new = (last + 1..=count).map(|id| Change::PutJob(Box::new(job(id))));
            store.commit_blocking(new.collect::<Vec<_>>()).unwrap();
            last = count;
            let ids: Vec<i64> = store.load().unwrap().active.iter().map(|job| job.id.0).collect();
            assert_eq!(ids, (1..=count).collect::<Vec<_>>());
        }
        let db = Connection::open(dir.path().join("rushes.db")).unwrap();
        db.execute("UPDATE job_bodies SET body = '{}' WHERE id = 700", []).unwrap();
        let error = store.load().unwrap_err().to_string();
        assert!(error.contains("j-700"), "{error}");
    }
}
