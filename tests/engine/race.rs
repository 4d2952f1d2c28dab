//! Racing for the last cent of a cap: several processes, each with several threads and a database handle
//! for every one, want the one order that still fits. Also run at length by `cargo run --example race`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rushes::domain::caps::{Guard, Scope};
use rushes::domain::{Caps, Currency, Entry, EntryKind, Job, JobId, JobState, Money, Request};
use rushes::store::{Change, EntryFilter, Store, StoreError};

/// Set for a contender's process: the data directory and the number of its first thread.
const CONTENDER: &str = "RUSHES_RACE_CONTENDER";

/// Threads of a process.
const THREADS: i64 = 3;

/// Processes.
const PROCESSES: i64 = 2;

/// What the rounds came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Rounds raced.
    pub rounds: u64,
    /// Orders that were let through.
    pub winners: u64,
    /// Rounds after which more was set aside, or more jobs ordered, than the cap allows.
    pub over: u64,
    /// Rounds in which nobody got what was free.
    pub unsold: u64,
}

fn cents(n: i64) -> Money {
    Money::new(rust_decimal::Decimal::new(n, 2), Currency::Usd)
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// One try to set a cent aside where the day's cap leaves one, and the month's count one job.
fn order(store: &Store, round: i64, contender: i64) -> bool {
    let id = JobId(1 + round * THREADS * PROCESSES + contender);
    let mut job = Job::new(id, Request::new(&"n/m".parse().unwrap(), "x"), noon());
    job.advance(JobState::Submitting, noon()).unwrap();
    let entry = |kind: EntryKind| Entry {
        account: "n".into(),
        job: Some(id),
        kind,
        money: cents(1),
        evidence: format!("{}:{id}", kind.word()),
        at: noon(),
    };
    let caps = Caps { day: Some(cents(round + 1)), ..Caps::default() };
    let count = Caps { month_jobs: u32::try_from(round + 1).ok(), ..Caps::default() };
    let mut limits = caps.limits(&Scope::All);
    limits.extend(count.limits(&Scope::Account("n".into())));
    let commit = store.commit_blocking(vec![
        Change::PutJob(std::sync::Arc::new(job)),
        Change::Book(entry(EntryKind::Reserved)),
        Change::PutIntent {
            job: id,
            attempt: 1,
            at: noon(),
            record: String::new(),
            digest: String::new(),
            reserved: Some(cents(1)),
        },
        Change::Guard(Box::new(Guard { job: id, at: noon(), zones: TimeZone::UTC.into(), limits })),
    ]);
    match commit {
        Ok(_) if round % 4 == 0 => {
            let charged = [EntryKind::Charged, EntryKind::Released].map(|kind| Change::Book(entry(kind)));
            store.commit_blocking(charged.to_vec()).unwrap();
            true
        }
        Ok(_) => true,
        Err(StoreError::OverCap { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Races as often as it is told to, where this process is a contender; else says no.
pub fn contend() -> bool {
    let Some(errand) = std::env::var_os(CONTENDER) else { return false };
    let errand = errand.to_string_lossy().into_owned();
    let (first, dir) = errand.split_once(' ').unwrap();
    let first: i64 = first.parse().unwrap();
    let stores: Vec<Store> = (0..THREADS).map(|_| Store::open(Path::new(dir), true).unwrap()).collect();
    for line in std::io::stdin().lock().lines() {
        let Ok(round) = line.unwrap().parse::<i64>() else { break };
        let barrier = Barrier::new(stores.len());
        let won = std::thread::scope(|scope| {
            let run = |(n, store)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    order(store, round, first + n)
                })
            };
            let threads: Vec<_> = (0..).zip(&stores).map(run).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
        });
        // Not standard output: the test harness writes there.
        std::io::stderr().write_all(format!("{won}\n").as_bytes()).unwrap();
    }
    true
}

/// Races `rounds` times between processes made by `contender`.
pub fn race(rounds: u64, contender: impl Fn() -> Command) -> Score {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), true).unwrap();
    let start = |n: i64| {
        let errand = format!("{} {}", n * THREADS, dir.path().display());
        let piped = || Stdio::piped();
        let mut command = contender();
        command.env(CONTENDER, errand).stdin(piped()).stdout(Stdio::null()).stderr(piped()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut answers: Vec<_> = children.iter_mut().map(|child| BufReader::new(child.stderr.take().unwrap())).collect();
    let mut score = Score::default();
    let mut sold = 0;
    for round in 0..rounds {
        for child in &mut children {
            writeln!(child.stdin.as_mut().unwrap(), "{round}").unwrap();
        }
        let mut winners = 0;
        for answer in &mut answers {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            winners += line.trim().parse::<u64>().unwrap_or_else(|_| panic!("a contender says {line}"));
        }
        sold += winners;
        score.rounds += 1;
        score.winners += winners;
        score.over += u64::from(sold > round + 1);
        score.unsold += u64::from(sold < round + 1);
    }
    for mut child in children {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    // What the contenders say is what the books say.
    let booked = store.entries(&EntryFilter::default()).unwrap();
    let reserved = booked.iter().filter(|entry| entry.kind == EntryKind::Reserved).count();
    assert_eq!(u64::try_from(reserved).unwrap(), score.winners);
    score
}

#[cfg(test)]
#[test]
fn processes_and_threads_never_share_the_last_cent_of_a_cap() {
    if contend() {
        return;
    }
    let me = std::env::current_exe().unwrap();
    let score = race(50, || {
        let mut command = Command::new(&me);
        command.args([
            "--exact",
            "engine::race::processes_and_threads_never_share_the_last_cent_of_a_cap",
            "--nocapture",
        ]);
        command
    });
    assert_eq!(score, Score { rounds: 50, winners: 50, over: 0, unsold: 0 });
}
