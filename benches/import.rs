//! `cargo bench --bench import [-- ROWS...]`: what it takes until so many rows (10,000 and 100,000) are queued, in
//! one commit, and until they are known again; and what of it the database takes. The smallest of three.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a command that prints its figures, built like a test"
)]

mod stage;

use std::time::Instant;

use rushes::engine::{Engine, Leave};
use rushes::store::{Change, JobFilter, Store};

const TIMES: usize = 3;
const PHASES: [&str; 6] = [
    "rows read, checked, keys made",
    "engine started",
    "queued: checked again, committed, answered",
    "IMPORTED, in all",
    "the same file again: all known",
    "apart: the commit of the jobs alone",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    for count in if asked.is_empty() { vec![10_000, 100_000] } else { asked } {
        let text = stage::rows(count);
        let mut best = [f64::INFINITY; PHASES.len()];
        for _ in 0..TIMES {
            for (best, time) in best.iter_mut().zip(runtime.block_on(import(&text, count))) {
                *best = best.min(time);
            }
        }
        println!("import of {count} rows ({:.1} MB of JSONL); ms, the smallest of {TIMES}", text.len() as f64 / 1e6);
        for (phase, time) in PHASES.iter().zip(best) {
            println!("  {phase:<44} {time:9.1}");
        }
        let (_, most) = stage::memory();
        println!("  memory, at most so far {most:.1} MB");
    }
}

/// The times of each phase, ms.
async fn import(text: &str, count: usize) -> [f64; PHASES.len()] {
    let dir = tempfile::tempdir().unwrap();
    let settings = stage::settings(dir.path(), false);
    let shelf = stage::shelf(&settings);
    let begun = Instant::now();
    let batch = stage::read(&shelf, text);
    let read = begun.elapsed();
    let engine = Engine::start(settings.clone()).await.unwrap();
    let started = begun.elapsed();
    assert_eq!(stage::queue(&engine, batch.jobs).await, (count, 0));
    let queued = begun.elapsed();
    engine.leave(Leave::Now).await;

    let engine = Engine::start(settings.clone()).await.unwrap();
    let since = Instant::now();
    let batch = stage::read(&shelf, text);
    assert_eq!(stage::queue(&engine, batch.jobs).await, (0, count));
    let again = since.elapsed();
    engine.leave(Leave::Now).await;

    let jobs = Store::open_read_only(&settings.data_dir).unwrap().jobs(&JobFilter::default()).unwrap();
    let changes: Vec<Change> = jobs.into_iter().map(|job| Change::PutJob(std::sync::Arc::new(job))).collect();
    let store = Store::open(&dir.path().join("copy"), false).unwrap();
    let since = Instant::now();
    store.commit(changes).await.unwrap();
    let commit = since.elapsed();
    [read, started - read, queued - started, queued, again, commit].map(|time| time.as_secs_f64() * 1000.0)
}
