//! Data directories and rows for the benchmarks, and how a series of times is told. Reaches nothing: its
//! accounts are at a closed port of this machine, or at a stand-in there.

pub mod line;
pub mod site;
pub mod source;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rushes::cli::batch::{Batch, Options, Reader};
use rushes::cli::shelf::Shelf;
use rushes::domain::message::{Answer, Command, Event};
use rushes::domain::{ClipFile, Currency, FileKind, Job, JobState, Money, NewJob, Service};
use rushes::engine::{AccountSettings, Engine, Leave, Settings};
use rushes::store::{Change, JobFilter, Store};

/// The key of its accounts; the program takes it for one of NinjaChat's.
pub const KEY: &str = rushes::sim::NINJACHAT_KEY;
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Settings for a data directory below `dir`.
pub fn settings(dir: &Path, online: bool) -> Settings {
    settings_at(dir, NOWHERE, online)
}

/// The same with the accounts at this address.
pub fn settings_at(dir: &Path, url: &str, online: bool) -> Settings {
    let account = |service: Service| AccountSettings {
        name: service.word().to_owned(),
        service,
        base_url: url.to_owned(),
        generation: None,
        origin: url.to_owned(),
        key: KEY.to_owned().into(),
        max_in_flight: 5,
        poll_interval: Duration::from_secs(5),
        allow_insecure: false,
        caps: rushes::engine::Caps::default(),
        shared: false,
    };
    Settings {
        accounts: Service::ALL.into_iter().map(account).collect(),
        data_dir: dir.join("data"),
        output_dir: dir.join("clips"),
        name_template: None,
        caps: rushes::engine::Caps::default(),
        model_caps: BTreeMap::new(),
        simulated: None,
        times_faster: 1,
        time_zone: jiff::tz::TimeZone::UTC,
        online,
        least_free: 0,
        kind: "benchmark".to_owned(),
        models: None,
        points: rushes::engine::Points::default(),
    }
}

/// A batch as people write it: three models, prompts that differ, some with keys.
pub fn rows(count: usize) -> String {
    rows_of(count, &MODELS)
}

/// Models with parameters; the last is of another service than the others.
const MODELS: [(&str, &str); 3] = [
    ("ninjachat/veo-3.1", r#""duration":6,"aspect_ratio":"16:9""#),
    ("ninjachat/veo-3.1-fast", r#""duration":8"#),
    ("nanogpt/veo2-video", r#""duration":5"#),
];

fn rows_of(count: usize, models: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for row in 0..count {
        let (model, parameters) = models[row % models.len()];
        let _ = writeln!(
            text,
            r#"{{"model":"{model}","prompt":"Take {row}: drone shot slowly ascending over a misty mountain valley at golden hour, cinematic",{parameters},"tags":["valley"]}}"#
        );
    }
    text
}

/// The shelf that rows are checked against.
pub fn shelf(settings: &Settings) -> Shelf {
    let accounts: Vec<_> =
        settings.accounts.iter().map(|a| rushes::catalog::Account::new(&a.name, a.service)).collect();
    let offers = rushes::engine::offers(&accounts, None, &settings.data_dir).unwrap();
    let names = accounts.into_iter().map(|account| account.name).collect();
    Shelf::new(offers, names, |text, names| rushes::catalog::nearest(text, names))
}

/// Reads rows as `rushes add FILE` does; none may be refused.
pub fn read(shelf: &Shelf, text: &str) -> Batch {
    let mut reader = Reader::new(shelf, Options::default());
    reader.read_from(text.as_bytes(), "rows.jsonl", "".into(), Some("jsonl")).unwrap();
    let batch = reader.finish();
    assert!(batch.problems.is_empty(), "{}", batch.problems[0]);
    batch
}

/// Has an engine queue jobs; how many it took and how many it knew.
pub async fn queue(engine: &Engine, jobs: Vec<NewJob>) -> (usize, usize) {
    let (commands, mut events) = engine.attach();
    commands.send(1, Command::Queue { jobs });
    loop {
        match events.next().await.expect("an engine that goes on") {
            Event::Answered { answer: Answer::Accepted { ids, known }, .. } => return (ids.len(), known),
            Event::Answered { answer, .. } => panic!("refused: {answer:?}"),
            _ => {}
        }
    }
}

/// A data directory below `dir` with so many jobs, in these states by turns.
pub async fn fill(dir: &Path, count: usize, states: &[JobState]) {
    put(&settings(dir, false), &rows(count), states).await;
}

/// The same with jobs of NinjaChat alone, queued for an account at this address.
pub async fn fill_at(dir: &Path, url: &str, count: usize, states: &[JobState]) {
    put(&settings_at(dir, url, false), &rows_of(count, &MODELS[..2]), states).await;
}

async fn put(settings: &Settings, rows: &str, states: &[JobState]) {
    let batch = read(&shelf(settings), rows);
    let engine = Engine::start(settings.clone()).await.unwrap();
    queue(&engine, batch.jobs).await;
    engine.leave(Leave::Now).await;
    if states == [JobState::Queued] {
        return;
    }
    let store = Store::open(&settings.data_dir, false).unwrap();
    let jobs = store.jobs(&JobFilter::default()).unwrap();
    let changes = jobs
        .into_iter()
        .enumerate()
        .map(|(n, job)| Change::PutJob(std::sync::Arc::new(moved(job, states[n % states.len()]))));
    store.commit_blocking(changes.collect()).unwrap();
}

/// Has so many of the jobs below `dir` fetch their clips from this address.
pub fn fetch(dir: &Path, url: &str, count: usize) {
    let store = Store::open(&dir.join("data"), false).unwrap();
    let jobs = store.jobs(&JobFilter::default()).unwrap().into_iter().take(count);
    let changes = jobs.map(|mut job| {
        job.state = JobState::Downloading;
        job.links = vec![format!("{url}/clips/{}.mp4", job.id)];
        job.stem = Some(dir.join(format!("clips/{}", job.id)).display().to_string());
        Change::PutJob(std::sync::Arc::new(job))
    });
    store.commit_blocking(changes.collect()).unwrap();
}

/// The job as it looks in that state.
fn moved(mut job: Job, state: JobState) -> Job {
    job.state = state;
    if state == JobState::Queued {
        return job;
    }
    if state == JobState::Held {
        job.hold = Some(rushes::domain::Hold::User);
        return job;
    }
    job.submitted_at = Some(job.created_at);
    job.remote_id = Some(format!("operations/generate-video-{:06x}", job.id.0 * 7919));
    job.cost = Money::parse("5.00", Currency::Usd).ok();
    if state == JobState::Done {
        job.finished_at = Some(job.created_at);
        job.files = vec![ClipFile {
            path: format!("/clips/2026-11-20/{}.mp4", job.id),
            bytes: 3_100_000,
            sha256: "0".repeat(64),
            kind: FileKind::Video,
            width: Some(1280),
            height: Some(720),
            duration_ms: Some(8000),
        }];
    }
    job
}

/// The smallest, the median and the 99th percentile of times, ms.
pub fn spread(mut times: Vec<Duration>) -> (f64, f64, f64) {
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short list"
        )]
        let place = ((times.len() - 1) as f64 * share).round() as usize;
        times[place].as_secs_f64() * 1000.0
    };
    (at(0.0), at(0.5), at(0.99))
}

/// What of this process lies in memory, and the most that ever did, MB.
pub fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) * 1.024 / 1000.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// How many processes want a processor here: figures in time say little where that is above their number.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("load {} on {cores} processors", text.split_whitespace().next().unwrap_or("unknown"))
}
