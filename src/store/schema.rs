//! The database's schema: a list of migrations, applied in order, counted by `user_version`.
//!
//! Knows tables, indices and triggers. Must not know what is done with them. A released migration
//! is never edited; a change is a new one at the end.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as ours: `RUSH`.
pub(super) const APPLICATION_ID: i64 = 0x5255_5348;

/// Each brings the schema from its index to the next version.
///
/// `jobs` holds what a table row shows, in plain columns; `job_bodies` the whole job as JSON, apart,
/// so that listing ten thousand jobs reads no body. Times are nanoseconds since 1970 (UTC), amounts
/// exact decimals as text. The log and the books only ever grow.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    state TEXT NOT NULL,
    phase TEXT,
    progress INTEGER,
    late INTEGER NOT NULL,
    abandoned INTEGER NOT NULL,
    note TEXT,
    estimate_amount TEXT,
    estimate_currency TEXT,
    cost_amount TEXT,
    cost_currency TEXT,
    created_at INTEGER NOT NULL,
    submitted_at INTEGER,
    finished_at INTEGER,
    batch INTEGER,
    tags TEXT NOT NULL,
    key TEXT,
    content TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_by_key ON jobs (key) WHERE key IS NOT NULL;
CREATE INDEX jobs_active ON jobs (id) WHERE state NOT IN ('done', 'failed', 'cancelled');
CREATE INDEX jobs_done ON jobs (account, model, finished_at, submitted_at) WHERE state = 'done';
CREATE INDEX jobs_by_batch ON jobs (batch) WHERE batch IS NOT NULL;

CREATE TABLE job_bodies (
    id INTEGER PRIMARY KEY REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    rows INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    job INTEGER,
    account TEXT,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT
) STRICT;
CREATE INDEX events_by_job ON events (job, seq) WHERE job IS NOT NULL;
CREATE TRIGGER events_are_not_edited BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log only grows'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log only grows'); END;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    evidence TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    job INTEGER,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_time ON entries (at);
CREATE INDEX entries_by_job ON entries (job) WHERE job IS NOT NULL;
CREATE TRIGGER entries_are_not_edited BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the books only grow'); END;
CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the books only grow'); END;

CREATE TABLE balances (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    origin TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    profile TEXT,
    pause TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
    job INTEGER NOT NULL REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    digest TEXT NOT NULL,
    reserved_amount TEXT,
    reserved_currency TEXT,
    open INTEGER NOT NULL,
    PRIMARY KEY (job, attempt)
) STRICT;
CREATE INDEX intents_open ON intents (job, attempt) WHERE open = 1;
CREATE TRIGGER intents_are_not_edited
    BEFORE UPDATE OF job, attempt, at, record, digest, reserved_amount, reserved_currency ON intents
    BEGIN SELECT RAISE(ABORT, 'an intent is never edited'); END;
CREATE TRIGGER intents_are_not_deleted BEFORE DELETE ON intents
    BEGIN SELECT RAISE(ABORT, 'an intent is never deleted'); END;

CREATE TABLE answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    data TEXT,
    FOREIGN KEY (job, attempt) REFERENCES intents (job, attempt) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX answers_by_intent ON answers (job, attempt);

CREATE TABLE names (
    job INTEGER NOT NULL REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    ordinal INTEGER NOT NULL,
    path TEXT NOT NULL UNIQUE,
    PRIMARY KEY (job, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE inputs (
    sha256 TEXT PRIMARY KEY,
    mime TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE limiters (
    host TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
) STRICT;
",
    "
CREATE TABLE catalogues (
    account TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    generation TEXT,
    at INTEGER NOT NULL,
    models TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE observations (
    service TEXT NOT NULL,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount TEXT NOT NULL,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    learnt TEXT NOT NULL,
    PRIMARY KEY (service, model, key, currency)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_about_models ON events (account, seq) WHERE kind = 'models_changed';
",
    "
CREATE TABLE standing (
    batch INTEGER NOT NULL,
    account TEXT NOT NULL,
    model TEXT NOT NULL,
    currency TEXT NOT NULL,
    reserved TEXT NOT NULL,
    spent TEXT NOT NULL,
    PRIMARY KEY (batch, account, model, currency)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_reserved ON standing (account, model) WHERE reserved <> '0';
CREATE INDEX entries_spent ON entries (at, currency, account, kind, amount, job)
    WHERE kind IN ('charged', 'refunded');
CREATE INDEX intents_by_time ON intents (at, job);
ALTER TABLE batches ADD COLUMN cap_amount TEXT;
ALTER TABLE batches ADD COLUMN cap_jobs INTEGER;
",
    "
CREATE TABLE balance_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    origin TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    expected TEXT,
    standing TEXT NOT NULL,
    net TEXT NOT NULL,
    capital TEXT
) STRICT;
CREATE INDEX balance_log_by_account ON balance_log (account, currency, id);
CREATE TRIGGER balance_log_is_not_edited BEFORE UPDATE ON balance_log
    BEGIN SELECT RAISE(ABORT, 'the balance log only grows'); END;
CREATE TRIGGER balance_log_is_not_deleted BEFORE DELETE ON balance_log
    BEGIN SELECT RAISE(ABORT, 'the balance log only grows'); END;
",
    "
ALTER TABLE jobs ADD COLUMN parent INTEGER;
UPDATE jobs SET parent =
    (SELECT CAST(substr(body ->> '$.parent', 3) AS INTEGER) FROM job_bodies WHERE job_bodies.id = jobs.id)
    WHERE id IN (SELECT id FROM job_bodies WHERE body ->> '$.parent' IS NOT NULL);
",
    // `INSERT OR REPLACE` deletes without a delete trigger: what is there is not replaced either.
    "
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events
    WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the event log only grows'); END;
CREATE TRIGGER entries_are_not_replaced BEFORE INSERT ON entries
    WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the books only grow'); END;
CREATE TRIGGER entries_are_booked_once BEFORE INSERT ON entries
    WHEN EXISTS (SELECT 1 FROM entries WHERE evidence = NEW.evidence)
    BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER balance_log_is_not_replaced BEFORE INSERT ON balance_log
    WHEN EXISTS (SELECT 1 FROM balance_log WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the balance log only grows'); END;
",
];

/// The newest version this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("a handful of migrations")
}

/// The database's version; 0 where it is new.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The database's application id; 0 where it is new.
pub(super) fn application(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Brings the schema to `target`, each step in a transaction of its own.
pub(super) fn migrate(db: &mut Connection, target: i64) -> rusqlite::Result<()> {
    loop {
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let at = version(&step)?;
        let migration = usize::try_from(at).ok().and_then(|i| MIGRATIONS.get(i));
        let Some(migration) = migration.filter(|_| at < target) else { return Ok(()) };
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", at + 1)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.commit()?;
    }
}
