//! What a cap counts, held against entries written one by one.

use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::domain::caps::{Limit, Scope};
use crate::domain::{Caps, Currency, EntryKind, JobState, Money, Request};

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::Usd).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn job(id: i64, model: &str, batch: Option<i64>) -> Change {
    let mut job = Job::new(JobId(id), Request::new(&model.parse().unwrap(), "x"), Timestamp::UNIX_EPOCH);
    job.batch = batch;
    job.advance(JobState::Submitting, Timestamp::UNIX_EPOCH).unwrap();
    Change::PutJob(Arc::new(job))
}

fn book(id: i64, kind: EntryKind, money: &str, when: &str) -> Change {
    let evidence = format!("{}:{id}:{when}", kind.word());
    Change::Book(Entry { account: "n".into(), job: Some(JobId(id)), kind, money: usd(money), evidence, at: at(when) })
}

fn intent(id: i64, attempt: u32, when: &str) -> Change {
    let (record, digest) = (String::new(), String::new());
    Change::PutIntent { job: JobId(id), attempt, at: at(when), record, digest, reserved: None }
}

fn left(store: &Store, limits: Vec<Limit>, when: &str) -> Vec<String> {
    left_in(TimeZone::UTC, store, limits, when)
}

fn left_in(zone: TimeZone, store: &Store, limits: Vec<Limit>, when: &str) -> Vec<String> {
    let guard = Guard { job: JobId(0), at: at(when), zones: zone.into(), limits };
    let text = |left: &Left| match left {
        Left::Money(amount, _) => amount.normalize().to_string(),
        Left::Jobs(jobs) => jobs.to_string(),
    };
    store.room(&guard).unwrap().iter().map(text).collect()
}

#[test]
fn a_cap_counts_what_its_scope_reserved_and_spent_in_its_span_and_every_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), true).unwrap();
    use EntryKind::{Charged, Refunded, Released, Reserved};
    store
        .commit_blocking(vec![
            job(1, "n/a", Some(7)),
            job(2, "n/b", Some(7)),
            job(3, "o/a", None),
            Change::AddBatch { id: 7, source: "x".into(), at: at("2026-11-01T00:00:00Z"), rows: 2 },
            book(1, Reserved, "4", "2026-11-19T10:00:00Z"),
            intent(1, 1, "2026-11-19T10:00:00Z"),
            book(1, Charged, "3", "2026-11-19T11:00:00Z"),
            book(1, Released, "4", "2026-11-19T11:00:00Z"),
            book(2, Reserved, "0.5", "2026-11-20T09:00:00Z"),
            intent(2, 1, "2026-11-20T09:00:00Z"),
            intent(2, 2, "2026-11-20T09:30:00Z"),
            intent(3, 1, "2026-11-20T09:00:00Z"),
        ])
        .unwrap();
    let ten = Caps { day: Some(usd("10")), month: Some(usd("10")), ever: Some(usd("10")), ..Caps::default() };
    let jobs = Caps { day_jobs: Some(10), month_jobs: Some(10), ever_jobs: Some(10), ..Caps::default() };
    let model = |name: &str| Scope::Model("n".into(), name.into());
    let now = "2026-11-20T12:00:00Z";
    let of = |caps: &Caps, scope: &Scope| left(&store, caps.limits(scope), now);
    assert_eq!(of(&ten, &Scope::All), ["9.5", "6.5", "6.5"]);
    assert_eq!(of(&ten, &model("a")), ["10", "7", "7"]);
    assert_eq!(of(&ten, &model("b")), ["9.5", "9.5", "9.5"]);
    assert_eq!(of(&ten, &Scope::Batch(7)), ["9.5", "6.5", "6.5"]);
    assert_eq!(of(&ten, &Scope::Account("o".into())), ["10", "10", "10"]);
    assert_eq!(of(&jobs, &Scope::All), ["8", "7", "7"], "a second attempt of the same job is no second job");
    assert_eq!(of(&jobs, &Scope::Account("n".into())), ["9", "8", "8"]);
    let of_batch = Caps { ever_jobs: Some(10), ..Caps::default() };
    assert_eq!(of(&of_batch, &Scope::Batch(7)), ["8"]);
    // A clock that was set back sees the later day's orders, too; yesterday's refund is no room today.
    assert_eq!(left(&store, ten.limits(&Scope::All), "2026-11-19T12:00:00Z")[0], "6.5");
    store.commit_blocking(vec![book(1, Refunded, "3", "2026-11-20T11:00:00Z")]).unwrap();
    assert_eq!(of(&ten, &Scope::All), ["9.5", "9.5", "9.5"]);
}

#[test]
fn a_cap_of_the_day_and_one_of_the_month_begin_at_the_users_midnight_whatever_clocks_and_zones_do() {
    let ten = Caps { day: Some(usd("10")), month: Some(usd("10")), ..Caps::default() };
    let central_europe = "CET-1CEST,M3.5.0,M10.5.0/3";
    // There the clocks change at midnight itself: one day begins at one o'clock, another has two midnights.
    let havana = "CST5CDT,M3.2.0/0,M11.1.0/1";
    // Zone, when two dollars were charged, now, and what day and month have left.
    for (zone, charged, now, wanted) in [
        // A day of 25 hours, to its last minute; and one of 23.
        (central_europe, "2026-10-24T22:01:00Z", "2026-10-25T22:59:00Z", ["8", "8"]),
        (central_europe, "2026-10-24T22:01:00Z", "2026-10-25T23:01:00Z", ["10", "8"]),
        (central_europe, "2026-03-28T23:01:00Z", "2026-03-29T21:59:00Z", ["8", "8"]),
        (central_europe, "2026-03-28T23:01:00Z", "2026-03-29T22:01:00Z", ["10", "8"]),
        (havana, "2026-03-08T04:59:00Z", "2026-03-08T05:01:00Z", ["10", "8"]),
        (havana, "2026-03-08T05:00:00Z", "2026-03-09T03:59:00Z", ["8", "8"]),
        (havana, "2026-11-01T04:01:00Z", "2026-11-02T04:59:00Z", ["8", "8"]),
        (havana, "2026-11-01T04:01:00Z", "2026-11-02T05:01:00Z", ["10", "8"]),
        // The last minute of a month, and the first of the next; a leap day.
        (central_europe, "2026-11-30T22:59:00Z", "2026-11-30T22:59:59Z", ["8", "8"]),
        (central_europe, "2026-11-30T22:59:00Z", "2026-11-30T23:00:00Z", ["10", "10"]),
        ("UTC0", "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z", ["10", "10"]),
        // A clock that is set back over a month's end makes no room.
        ("UTC0", "2026-12-01T00:00:01Z", "2026-11-30T23:00:00Z", ["8", "8"]),
        // Further west it is yesterday still, and today counts as well.
        ("AAA8", "2026-12-01T01:00:00Z", "2026-12-01T02:00:00Z", ["8", "8"]),
        ("AAA8", "2026-11-30T09:00:00Z", "2026-12-01T02:00:00Z", ["8", "8"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), true).unwrap();
        let charge = book(1, EntryKind::Charged, "2", charged);
        store.commit_blocking(vec![job(1, "n/a", None), charge]).unwrap();
        let found = left_in(TimeZone::posix(zone).unwrap(), &store, ten.limits(&Scope::All), now);
        assert_eq!(found, wanted, "{zone}: charged {charged}, now {now}");
    }
}

#[test]
fn a_commit_over_a_cap_keeps_nothing_and_what_an_older_version_booked_counts() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), true).unwrap();
    let now = "2026-11-20T12:00:00Z";
    store.commit_blocking(vec![job(1, "n/a", None), book(1, EntryKind::Reserved, "0.90", now)]).unwrap();
    drop(store);
    Connection::open(dir.path().join(FILE)).unwrap().execute("DELETE FROM standing", []).unwrap();
    let store = Store::open(dir.path(), true).unwrap();
    let caps = Caps { day: Some(usd("1")), ..Caps::default() };
    let order = |id: i64, money: &str| {
        let limits = caps.limits(&Scope::All);
        let guard = Guard { job: JobId(id), at: at(now), zones: TimeZone::UTC.into(), limits };
        let reserved = book(id, EntryKind::Reserved, money, now);
        store.commit_blocking(vec![job(id, "n/a", None), reserved, intent(id, 1, now), Change::Guard(Box::new(guard))])
    };
    let refused = order(2, "0.11");
    assert!(matches!(&refused, Err(StoreError::OverCap { job: JobId(2), .. })), "{refused:?}");
    assert_eq!((store.job(JobId(2)).unwrap(), store.intents(JobId(2)).unwrap().len()), (None, 0));
    order(2, "0.10").unwrap();
    order(3, "0.01").unwrap_err();
}

#[test]
fn ten_thousand_entries_of_a_month_are_added_up_in_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), true).unwrap();
    let one = |id: i64| {
        let when = format!("2026-11-{:02}T12:00:00Z", 1 + id % 20);
        [job(id, "n/a", Some(1)), book(id, EntryKind::Charged, "0.01", &when), intent(id, 1, &when)]
    };
    store.commit_blocking((1..=10_000).flat_map(one).collect()).unwrap();
    let caps = Caps { month: Some(usd("200")), month_jobs: Some(20_000), ..Caps::default() };
    let mut limits = caps.limits(&Scope::All);
    limits.extend(caps.limits(&Scope::Model("n".into(), "a".into())));
    let begun = Instant::now();
    assert_eq!(left(&store, limits, "2026-11-20T12:00:00Z"), ["100", "10000", "100", "10000"]);
    let taken = begun.elapsed();
    // A few milliseconds each; the limit only catches a scan that grows with the square.
    assert!(taken.as_millis() < 2_000, "{taken:?}");
    tracing::info!(?taken, "four caps over 10,000 orders");
}
