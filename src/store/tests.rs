//! The store's promises, each able to fail: whole commits, growing books, unique evidence, unique
//! keys, migrations, apart from other programs and from the other kind of data.

use std::fs;
use std::path::Path;

use jiff::{Span, Timestamp};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;
use crate::domain::timing::Lately;
use crate::domain::{
    AccountProfile, Balance, Currency, Draft, EntryKind, Estimate, JobState, Money, PriceSource, Request, Service,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_800_000_000 + seconds, 123_456_789).unwrap()
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::Usd).unwrap()
}

fn job(id: i64) -> Job {
    let mut request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), format!("clip {id}\nof a river"));
    request.params.insert("seed".into(), serde_json::from_str("0.10").unwrap());
    Job::new(JobId(id), request, at(id))
}

fn put(job: &Job) -> Change {
    Change::PutJob(Arc::new(job.clone()))
}

fn entry(evidence: &str, kind: EntryKind, money: Money, seconds: i64) -> Entry {
    let (account, evidence) = ("ninjachat".to_owned(), evidence.to_owned());
    Entry { account, job: Some(JobId(1)), kind, money, evidence, at: at(seconds) }
}

fn line(job: i64, kind: &str) -> Change {
    Change::AddLine(NewLine {
        at: at(0),
        job: Some(JobId(job)),
        account: None,
        kind: kind.into(),
        text: kind.to_uppercase(),
        data: json!({"n": job}),
    })
}

/// The database as an outsider with full rights sees it.
fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join(FILE)).unwrap()
}

#[test]
fn a_job_comes_back_whole_after_reopening_and_its_row_is_the_one_it_would_show() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = job(1);
    first.estimate = Some(Estimate { money: usd("5.00"), source: PriceSource::Documents });
    first.cost = Some(usd("0.1000000000000000001"));
    first.request.tags = vec!["a \"b\", c".into(), "ü".into()];
    first.key = Some("row-1".into());
    first.batch = Some(3);
    first.parent = Some(JobId(2));
    first.advance(JobState::Submitting, at(5)).unwrap();
    first.submitted_at = Some(at(5));
    let store = Store::open(dir.path(), true).unwrap();
    store.commit_blocking(vec![put(&first), put(&job(2))]).unwrap();
    first.advance(JobState::Running, at(6)).unwrap();
    first.phase = Some("baking".into());
    first.progress = Some(100);
    first.request.tags.push("later".into());
    store.commit_blocking(vec![put(&first)]).unwrap();
    drop(store);
    assert!(!dir.path().join("rushes.db-wal").exists(), "a closed database is one file");

    let store = Store::open(dir.path(), true).unwrap();
    assert_eq!(store.job(JobId(1)).unwrap().unwrap(), first);
    assert_eq!(store.job(JobId(9)).unwrap(), None);
    assert_eq!(store.rows().unwrap(), [first.row(), job(2).row()]);
    let loaded = store.load().unwrap();
    assert_eq!((loaded.active, loaded.next_job, loaded.next_batch), (vec![first, job(2)], 3, 4));
}

#[test]
fn a_commit_is_kept_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    store.commit_blocking(vec![line(1, "queued")]).unwrap();
    let mut twin = job(2);
    twin.key = Some("k".into());
    let mut first = job(1);
    first.key = Some("k".into());
    let charge = entry("charge:j-1", EntryKind::Charged, usd("3"), 0);
    let refused = store.commit_blocking(vec![put(&first), line(1, "x"), Change::Book(charge), put(&twin)]);
    assert!(matches!(&refused, Err(StoreError::DuplicateKey(key)) if key == "k"), "{refused:?}");
    assert_eq!(store.rows().unwrap(), []);
    assert_eq!(store.entries(&EntryFilter::default()).unwrap(), []);
    // The number the lost line had is given again: the log has no gaps.
    assert_eq!(store.commit_blocking(vec![line(1, "queued")]).unwrap().last_seq, 2);
}

/// Large commits take another way through the writer.
#[test]
fn a_large_commit_keeps_every_job_in_order_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let mut jobs: Vec<Job> = (1..=3_000).map(job).collect();
    jobs[2_999].key = Some("k".into());
    jobs[10].key = Some("k".into());
    let all = |jobs: &[Job]| jobs.iter().flat_map(|job| [put(job), line(job.id.0, "queued")]).collect::<Vec<_>>();
    let schema = || -> Vec<(String, Option<String>)> {
        let db = Connection::open(dir.path().join(FILE)).unwrap();
        let mut all = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let before = schema();
    let refused = store.commit_blocking(all(&jobs));
    assert!(matches!(&refused, Err(StoreError::DuplicateKey(key)) if key == "k"), "{refused:?}");
    assert!(store.rows().unwrap().is_empty());
    jobs[10].key = None;
    let mut changes = all(&jobs);
    // New and changed in the same commit.
    jobs[5].phase = Some("again".into());
    changes.push(put(&jobs[5]));
    assert_eq!(store.commit_blocking(changes).unwrap().last_seq, 3_000);
    assert_eq!(store.jobs(&JobFilter::default()).unwrap(), jobs);
    assert_eq!(store.rows().unwrap(), jobs.iter().map(Job::row).collect::<Vec<_>>());
    // Its indices were made anew, and hold.
    assert_eq!(schema(), before);
    let twin = Job { key: Some("k".into()), ..job(3_001) };
    assert!(matches!(store.commit_blocking(vec![put(&twin)]), Err(StoreError::DuplicateKey(_))));
}

#[test]
fn an_answer_without_its_intent_and_a_second_same_attempt_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let answer = |attempt| Change::AnswerIntent {
        job: JobId(1),
        attempt,
        at: at(2),
        outcome: "accepted".into(),
        data: json!({"id": "r-1"}),
    };
    let intent = |attempt| Change::PutIntent {
        job: JobId(1),
        attempt,
        at: at(1),
        record: "{}".into(),
        digest: "ab".into(),
        reserved: Some(usd("5.00")),
    };
    assert!(store.commit_blocking(vec![put(&job(1)), answer(1)]).is_err());
    store.commit_blocking(vec![put(&job(1)), intent(1), intent(2)]).unwrap();
    assert!(store.commit_blocking(vec![intent(1)]).is_err());
    assert_eq!(store.load().unwrap().open_intents, [(JobId(1), 1), (JobId(1), 2)]);
    store.commit_blocking(vec![answer(1)]).unwrap();
    store.commit_blocking(vec![answer(1)]).unwrap();
    assert_eq!(store.load().unwrap().open_intents, [(JobId(1), 2)]);
    let kept = store.intents(JobId(1)).unwrap();
    assert_eq!((kept[0].open, kept[0].answers.len(), kept[0].reserved), (false, 2, Some(usd("5.00"))));
    assert_eq!(kept[0].answers[0], (at(2), "accepted".to_owned(), json!({"id": "r-1"})));
    assert!(raw(dir.path()).execute("UPDATE intents SET record = 'other'", []).is_err());
}

#[test]
fn log_and_books_only_grow_whoever_asks() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let charge = entry("e", EntryKind::Charged, usd("3"), 0);
    store.commit_blocking(vec![line(1, "queued"), Change::Book(charge)]).unwrap();
    let db = raw(dir.path());
    for attack in [
        "UPDATE events SET text = 'x'",
        "DELETE FROM events",
        "UPDATE entries SET amount = '0'",
        "DELETE FROM entries",
        "UPDATE entries SET evidence = 'f'",
        "REPLACE INTO events (seq, at, kind, text) VALUES (1, 0, 'queued', 'x')",
        "UPDATE OR REPLACE events SET seq = 2",
        "REPLACE INTO entries (id, evidence, account, kind, amount, currency, at) VALUES (1, 'f', 'n', 'charged', '0', 'USD', 0)",
    ] {
        let refused = db.execute(attack, []).unwrap_err().to_string();
        assert!(refused.contains("only grow"), "{attack}: {refused}");
    }
    let again = "REPLACE INTO entries (evidence, account, kind, amount, currency, at) VALUES ('e', 'n', 'charged', '0', 'USD', 0)";
    assert_eq!(db.execute(again, []).unwrap(), 0, "what is booked stays as it is");
    assert_eq!(store.entries(&EntryFilter::default()).unwrap()[0].money, usd("3"));
}

#[test]
fn the_same_evidence_books_once_and_with_another_meaning_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let charge = entry("charge:j-1", EntryKind::Charged, usd("3.00"), 0);
    let first = store.commit_blocking(vec![Change::Book(charge.clone())]).unwrap();
    assert!(first.known_evidence.is_empty() && store.is_booked("charge:j-1").unwrap());
    // Learnt again later, and written otherwise: the same fact.
    let again = Entry { at: at(99), money: usd("3"), ..charge.clone() };
    let second = store.commit_blocking(vec![Change::Book(again)]).unwrap();
    assert_eq!(second.known_evidence, ["charge:j-1"]);
    for other in [
        Entry { money: usd("3.01"), ..charge.clone() },
        Entry { kind: EntryKind::Refunded, ..charge.clone() },
        Entry { job: Some(JobId(2)), ..charge.clone() },
        Entry { account: "a4f".into(), ..charge.clone() },
    ] {
        let refused = store.commit_blocking(vec![line(1, "x"), Change::Book(other)]).unwrap_err();
        assert!(matches!(refused, StoreError::OtherEvidence { .. }), "{refused}");
    }
    assert_eq!(store.entries(&EntryFilter::default()).unwrap(), [charge]);
    assert_eq!(store.load().unwrap().last_seq, 0);
}

#[test]
fn the_ledger_is_exact_and_recent_entries_reach_back_forty_days() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let day = 24 * 3600;
    let mut changes = vec![Change::Book(entry("old", EntryKind::Charged, usd("0.1"), -41 * day))];
    let charge = |n: i64| entry(&format!("c{n}"), EntryKind::Charged, usd("0.1000000000000000001"), -n * day);
    changes.extend((0..3).map(|n| Change::Book(charge(n))));
    store.commit_blocking(changes).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.ledger.of("ninjachat", Currency::Usd).charged.to_string(), "0.4000000000000000003");
    assert_eq!(loaded.recent, [charge(0), charge(1), charge(2)]);
    let of = |filter: EntryFilter| store.entries(&filter).unwrap().len();
    assert_eq!(of(EntryFilter { since: Some(at(-day)), ..EntryFilter::default() }), 2);
    assert_eq!(of(EntryFilter { account: Some("a4f".into()), ..EntryFilter::default() }), 0);
    let newest = store.entries(&EntryFilter { limit: Some(1), ..EntryFilter::default() }).unwrap();
    assert_eq!(newest, [charge(2)], "the last one booked");
}

#[test]
fn everything_else_an_engine_starts_from_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let account = StoredAccount {
        name: "mine".into(),
        service: Service::A4f,
        origin: "https://api.a4f.co".into(),
        fingerprint: "f".into(),
        profile: Some(AccountProfile { per_minute: Some(12), ..AccountProfile::default() }),
        pause: None,
    };
    let limiter = StoredLimiter { host: "api.a4f.co".into(), at: at(1), state: json!([1, 2]) };
    let balance = |text, s| Balance { money: usd(text), seen_at: at(s), source: "submit".into() };
    let see = |balance: &Balance| Change::SeeBalance { account: "mine".into(), balance: balance.clone() };
    let draft = Draft { prompt: "a fox".into(), ..Draft::default() };
    store
        .commit_blocking(vec![
            Change::PutAccount(StoredAccount { fingerprint: "old".into(), ..account.clone() }),
            Change::PutAccount(account.clone()),
            Change::PutLimiter(limiter.clone()),
            see(&balance("37.00", 5)),
            see(&balance("40.00", 4)),
            Change::Seen(at(10)),
            Change::Seen(at(9)),
            Change::PutDraft(draft.clone()),
            Change::AddBatch { id: 4, source: "a.jsonl".into(), at: at(0), rows: 2 },
            Change::PutInput { sha256: "ab".into(), mime: "image/png".into(), bytes: 3, name: "cat.png".into() },
        ])
        .unwrap();
    let loaded = store.load().unwrap();
    assert_eq!((loaded.accounts, loaded.limiters), (vec![account], vec![limiter]));
    assert_eq!(loaded.balances, [("mine".to_owned(), balance("37.00", 5))], "an older balance changes nothing");
    assert_eq!((loaded.last_seen, loaded.draft), (Some(at(10)), Some(draft)));
    let (kind, text, data) = ("x".to_owned(), String::new(), Value::Null);
    let line = NewLine { at: at(20), job: None, account: None, kind, text, data };
    store.commit_blocking(vec![Change::AddLine(line)]).unwrap();
    assert_eq!(store.load().unwrap().last_seen, Some(at(20)), "a crash notes no time of its own");
    assert_eq!((loaded.next_job, loaded.next_batch), (1, 5));
    assert_eq!(store.input("ab").unwrap().unwrap().1, "cat.png");
}

#[test]
fn usual_times_are_those_of_the_last_twenty_done_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let done = |id: i64, model: &str, took: i64| {
        let mut job = job(id);
        job.request.model = model.into();
        job.state = JobState::Done;
        job.finished_at = Some(at(id * 10));
        job.submitted_at = job.finished_at.map(|t| t - Span::new().seconds(took));
        put(&job)
    };
    let mut changes: Vec<Change> = (1..=10).map(|id| done(id, "slow-once", 9_000)).collect();
    changes.extend((11..=30).map(|id| done(id, "slow-once", id)));
    changes.push(done(31, "other", 7));
    changes.push(put(&job(32)));
    store.commit_blocking(changes).unwrap();
    let expected = [("other", Lately::of([7])), ("slow-once", Lately::of(11..=30))];
    let expected = expected.map(|(model, lately)| ("ninjachat".to_owned(), model.to_owned(), lately));
    assert_eq!(store.load().unwrap().usual, expected);
}

#[test]
fn jobs_are_found_by_state_account_tag_batch_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let mut jobs: Vec<Job> = (1..=4).map(job).collect();
    jobs[0].request.tags = vec!["red".into(), "blue".into()];
    jobs[1].request.tags = vec!["blue%".into()];
    jobs[1].batch = Some(1);
    jobs[2].request.account = "a4f".into();
    jobs[3].state = JobState::Done;
    jobs[3].key = Some("k".into());
    store.commit_blocking(jobs.iter().map(put).collect()).unwrap();
    let ids = |filter: JobFilter| store.jobs(&filter).unwrap().iter().map(|j| j.id.0).collect::<Vec<_>>();
    let none = JobFilter::default;
    assert_eq!(ids(none()), [1, 2, 3, 4]);
    assert_eq!(ids(JobFilter { limit: Some(2), ..none() }), [3, 4]);
    assert_eq!(ids(JobFilter { tag: Some("blue".into()), ..none() }), [1]);
    assert_eq!(ids(JobFilter { account: Some("a4f".into()), ..none() }), [3]);
    assert_eq!(ids(JobFilter { batch: Some(1), ..none() }), [2]);
    assert_eq!(ids(JobFilter { states: vec![JobState::Done, JobState::Held], ..none() }), [4]);
    let known = store.known(&["k".into(), "l".into()]).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known["k"], Known { job: JobId(4), content: content_hash(&jobs[3].request) });
    assert_ne!(content_hash(&jobs[2].request), content_hash(&jobs[3].request));
}

#[test]
fn a_file_name_belongs_to_one_job_and_can_be_given_up_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let claim = |job, path: &str| Change::ClaimName { job: JobId(job), ordinal: 1, path: path.into() };
    store.commit_blocking(vec![put(&job(1)), put(&job(2)), claim(1, "/o/a.mp4")]).unwrap();
    let taken = store.commit_blocking(vec![claim(2, "/o/a.mp4")]);
    assert!(matches!(taken, Err(StoreError::NameTaken(_))), "{taken:?}");
    store.commit_blocking(vec![claim(1, "/o/a.mp4"), claim(2, "/o/a (2).mp4")]).unwrap();
    store.commit_blocking(vec![claim(2, "/o/a (3).mp4")]).unwrap();
    assert_eq!(store.names(JobId(2)).unwrap(), [(1, "/o/a (3).mp4".to_owned())]);
    assert_eq!(store.claimant("/o/a.mp4").unwrap(), Some(JobId(1)));
}

#[test]
fn the_log_is_read_from_any_line_on_also_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let other = Store::open_read_only(dir.path()).unwrap();
    let before = other.data_version().unwrap();
    assert_eq!(other.data_version().unwrap(), before, "nothing was written");
    store.commit_blocking(vec![line(1, "queued"), line(2, "queued"), line(1, "submitted")]).unwrap();
    assert_ne!(other.data_version().unwrap(), before);
    let seqs = |lines: Vec<HistoryLine>| lines.iter().map(|l| l.seq).collect::<Vec<_>>();
    assert_eq!(seqs(other.history_after(1, 10).unwrap()), [2, 3]);
    assert_eq!(seqs(other.history_after(0, 1).unwrap()), [1]);
    let of_job = other.history(JobId(1)).unwrap();
    assert_eq!((of_job[1].kind.as_str(), &of_job[1].data), ("submitted", &json!({"n": 1})));
    assert!(matches!(other.commit_blocking(vec![line(1, "x")]), Err(StoreError::ReadOnly)));
    assert_eq!(other.salt(), store.salt());
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_writer_in_the_middle_of_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    store.commit(vec![put(&job(1))]).await.unwrap();
    let other = raw(dir.path());
    other.execute_batch("BEGIN IMMEDIATE; UPDATE jobs SET phase = 'x'").unwrap();
    assert_eq!(store.rows().unwrap()[0].phase, None);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.rows().unwrap()[0].phase.as_deref(), Some("x"));
}

#[test]
fn simulated_and_real_data_are_never_mixed_and_the_salt_stays() {
    let dir = tempfile::tempdir().unwrap();
    let salt = Store::open(dir.path(), true).unwrap().salt();
    assert!(matches!(Store::open(dir.path(), false), Err(StoreError::Mixed { simulated: true, .. })));
    let again = Store::open(dir.path(), true).unwrap();
    assert_eq!((again.salt(), again.is_simulated()), (salt, true));
    let other = tempfile::tempdir().unwrap();
    assert_ne!(Store::open(other.path(), true).unwrap().salt(), salt);
}

#[test]
fn a_newer_schema_and_other_programs_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open_read_only(dir.path()), Err(StoreError::NotThere(_))));
    drop(Store::open(dir.path(), false).unwrap());
    raw(dir.path()).pragma_update(None, "user_version", schema::newest() + 1).unwrap();
    for refused in [Store::open(dir.path(), false), Store::open_read_only(dir.path())] {
        assert!(matches!(refused, Err(StoreError::NewerSchema { .. })));
    }
    let other = tempfile::tempdir().unwrap();
    raw(other.path()).execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(Store::open(other.path(), false), Err(StoreError::NotOurs(_))));
    let text = tempfile::tempdir().unwrap();
    fs::write(text.path().join(FILE), "this is a long enough text and no database at all ".repeat(99)).unwrap();
    assert!(matches!(Store::open(text.path(), false), Err(StoreError::NotOurs(_))));
}

#[test]
fn every_released_schema_is_brought_up_to_date_with_its_data() {
    for old in 1..=schema::newest() {
        let dir = tempfile::tempdir().unwrap();
        let mut db = raw(dir.path());
        schema::migrate(&mut db, old).unwrap();
        assert_eq!(schema::version(&db).unwrap(), old);
        // What the first release wrote; later releases only add to it.
        desk::found(&db, false).unwrap();
        let first = Job { parent: Some(JobId(12)), ..job(1) };
        db.execute(
            "INSERT INTO jobs (id, account, model, prompt, state, late, abandoned, created_at, tags, content)
             VALUES (1, 'n', 'm', 'p', 'queued', 0, 0, 0, '[]', '')",
            [],
        )
        .unwrap();
        let body = serde_json::to_string(&first).unwrap();
        db.execute("INSERT INTO job_bodies (id, body) VALUES (1, ?1)", [body]).unwrap();
        drop(db);
        if old < schema::newest() {
            assert!(matches!(Store::open_read_only(dir.path()), Err(StoreError::OlderSchema { .. })));
        }
        let store = Store::open(dir.path(), false).unwrap();
        assert_eq!(store.load().unwrap().active, [first]);
        // From the fifth on a row has it from the start.
        let read_from_the_job = (old < 5).then_some(JobId(12));
        assert_eq!(store.rows().unwrap()[0].parent, read_from_the_job, "of schema {old}");
        assert_eq!(schema::version(&raw(dir.path())).unwrap(), schema::newest());
    }
}

#[test]
fn a_full_disk_gets_the_reserve_and_the_commit_is_tried_once_more() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), false).unwrap());
    let mut db = raw(dir.path());
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    db.pragma_update(None, "max_page_count", pages + 1).unwrap();
    let changes: Vec<Change> = (1..=50).map(|id| put(&job(id))).collect();
    let full = writer::commit(&mut db, &changes, |_| false);
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    let mut asked = 0;
    let kept = writer::commit(&mut db, &changes, |db| {
        asked += 1;
        db.pragma_update(None, "max_page_count", pages + 1000).is_ok()
    });
    assert!(kept.is_ok() && asked == 1, "{kept:?}");
    assert_eq!(jobs::rows(&db, false).unwrap().len(), 50);
}

/// A crash in the middle of a commit: the process is gone, its files stay as they are.
#[test]
fn what_was_committed_survives_a_crash_and_what_was_not_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    store.commit_blocking(vec![put(&job(1)), line(1, "queued")]).unwrap();
    let half = raw(dir.path());
    half.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE").unwrap();
    for id in 2..200 {
        jobs::put(&half, &jobs::encode(&job(id)).unwrap(), true).unwrap();
    }
    let after = tempfile::tempdir().unwrap();
    for name in [FILE, "rushes.db-wal"] {
        fs::copy(dir.path().join(name), after.path().join(name)).unwrap();
    }
    let wal = |dir: &Path| fs::metadata(dir.join("rushes.db-wal")).unwrap().len();
    assert!(wal(after.path()) > 100_000, "the half transaction did reach the disk");
    let revived = Store::open(after.path(), false).unwrap();
    assert_eq!(revived.rows().unwrap(), [job(1).row()]);
    assert_eq!(revived.load().unwrap().last_seq, 1);
    let check: String = raw(after.path()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn no_body_is_needed_to_list_jobs_and_a_damaged_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    store.commit_blocking(vec![put(&job(1))]).unwrap();
    raw(dir.path()).execute("UPDATE job_bodies SET body = '{'", []).unwrap();
    assert_eq!(store.rows().unwrap(), [job(1).row()]);
    let damaged = store.job(JobId(1)).unwrap_err().to_string();
    assert!(damaged.contains("j-1"), "{damaged}");
    let nothing: Value = Value::Null;
    assert_eq!(column::data_text(&nothing), None);
}

#[test]
fn catalogues_and_observations_come_back_and_what_cannot_be_read_of_a_list_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let price = crate::domain::price::Price::unknown("discovered", "2026-11-20");
    let model = |id: &str| crate::domain::Model::new(id, Service::Nanogpt, price.clone(), "discovered");
    let catalogue = |models| StoredCatalogue {
        account: "n".into(),
        origin: "https://nano-gpt.com".into(),
        generation: None,
        at: at(1),
        models,
    };
    let seen = |amount: &str, times| StoredObservation {
        service: Service::Nanogpt,
        model: "clip".into(),
        key: "{}".into(),
        observation: crate::domain::Observation {
            money: usd(amount),
            at: at(2),
            times,
            learnt: crate::domain::observed::Learnt::Charged,
        },
    };
    let changes = vec![
        Change::PutCatalogue(catalogue(vec![model("old")])),
        Change::PutCatalogue(catalogue(vec![model("a"), model("b")])),
        Change::PutObservation(seen("0.35", 1)),
        Change::PutObservation(seen("0.60", 2)),
    ];
    store.commit_blocking(changes).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.catalogues, [catalogue(vec![model("a"), model("b")])]);
    assert_eq!(loaded.observations, [seen("0.60", 2)]);
    let broken = "UPDATE catalogues SET models = json_set(models, '$[0].price', 'what a later version says')";
    raw(dir.path()).execute(broken, []).unwrap();
    assert_eq!(store.shelf().unwrap().catalogues, [catalogue(vec![model("b")])], "a start does not fail for it");
}

#[test]
fn the_last_line_about_models_is_told_for_each_account() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), false).unwrap();
    let line = |account: &str, kind: &str, text: &str| {
        let (account, kind, text) = (Some(account.to_owned()), kind.to_owned(), text.to_owned());
        Change::AddLine(NewLine { at: at(0), job: None, account, kind, text, data: Value::Null })
    };
    let kind = "models_changed";
    store
        .commit_blocking(vec![
            line("n", kind, "1"),
            line("m", kind, "2"),
            line("n", kind, "3"),
            line("n", "paused", "4"),
        ])
        .unwrap();
    let told: Vec<String> = store.model_changes().unwrap().into_iter().map(|line| line.text).collect();
    assert_eq!(told, ["2", "3"]);
}
