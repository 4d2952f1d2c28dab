//! The indices of the jobs while very many come at once: taken away before and made again after, within the same
//! transaction. Keys are hashes, in no order: an index that takes them one by one costs more than all else of a row.
//!
//! Knows the schema as the database itself tells it. Must not know what a job is.

use rusqlite::Connection;

use super::StoreError;
use super::error::is_duplicate;

/// What makes the indices again that were taken away.
pub(super) struct Indices(Vec<String>);

/// Takes the indices of the jobs away. Only within a transaction, in which [`Indices::make`] follows.
pub(super) fn take_indices(db: &Connection) -> Result<Indices, StoreError> {
    let mut query = db.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'jobs' AND sql IS NOT NULL",
    )?;
    let found: Vec<(String, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (name, _) in &found {
        db.execute_batch(&format!("DROP INDEX \"{name}\""))?;
    }
    Ok(Indices(found.into_iter().map(|(_, sql)| sql).collect()))
}

impl Indices {
    /// Makes them again.
    ///
    /// # Errors
    /// [`StoreError::DuplicateKey`] without the key, which is known only where rows are put one by one.
    pub(super) fn make(self, db: &Connection) -> Result<(), StoreError> {
        for sql in self.0 {
            db.execute_batch(&sql).map_err(|error| match is_duplicate(&error, "jobs.key") {
                true => StoreError::DuplicateKey(String::new()),
                false => error.into(),
            })?;
        }
        Ok(())
    }
}
