//! `cargo bench --bench start [-- JOBS]`: from the start of a process to its first whole frame, with so many jobs
//! on disk (10,000), and what of it lies in memory then. Each figure is of a process of its own, the smallest,
//! the median and the largest of nine; the caches are warm.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a command that prints its figures, built like a test"
)]

mod stage;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rushes::app::{App, AppOptions};
use rushes::domain::{Event, JobState};
use rushes::engine::Engine;
use rushes::store::Store;
use rushes::tui::frame::Canvas;
use rushes::tui::theme::Styles;
use rushes::tui::view;

const TIMES: usize = 9;
/// What a process of its own is told by.
const ONE: &str = "RUSHES_BENCH_START";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some(dir) = std::env::var_os(ONE) {
        runtime.block_on(one(Path::new(&dir)));
        // As fast as it came: nothing of it is wanted any more.
        std::process::exit(0);
    }
    let jobs = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(10_000);
    println!(
        "start to first frame, 120x40, {jobs} jobs on disk, {TIMES} processes each; ms: smallest, median, largest; {}",
        stage::load()
    );
    let running: Vec<JobState> = (0..10).map(|n| if n == 0 { JobState::Running } else { JobState::Queued }).collect();
    let cases: [(&str, usize, &[JobState]); 4] = [
        ("no job", 0, &[JobState::Queued]),
        ("all done", jobs, &[JobState::Done]),
        ("all queued", jobs, &[JobState::Queued]),
        ("a tenth running, the others queued", jobs, &running),
    ];
    for (name, count, states) in cases {
        let dir = tempfile::tempdir().unwrap();
        if count > 0 {
            runtime.block_on(stage::fill(dir.path(), count, states));
        }
        measure(name, dir.path());
    }
}

fn measure(name: &str, dir: &Path) {
    let mut phases: Vec<(String, Vec<Duration>)> = Vec::new();
    let (mut whole, mut memory) = (Vec::new(), String::new());
    for _ in 0..TIMES {
        let begun = Instant::now();
        let child =
            Command::new(std::env::current_exe().unwrap()).env(ONE, dir).stdout(Stdio::piped()).output().unwrap();
        whole.push(begun.elapsed());
        for line in String::from_utf8(child.stdout).unwrap().lines() {
            let (phase, figure) = line.split_once('\t').unwrap();
            let Ok(micros) = figure.parse() else {
                memory = format!("{phase} {figure}");
                continue;
            };
            let time = Duration::from_micros(micros);
            match phases.iter_mut().find(|(name, _)| name == phase) {
                Some((_, times)) => times.push(time),
                None => phases.push((phase.to_owned(), vec![time])),
            }
        }
    }
    println!("\n{name}");
    for (phase, times) in phases {
        let (least, median, most) = stage::spread(times);
        println!("  {phase:<44} {least:8.1} {median:8.1} {most:8.1}");
    }
    let (least, median, most) = stage::spread(whole);
    println!("  {:<44} {least:8.1} {median:8.1} {most:8.1}\n  {memory}", "the whole process, with its parts apart");
}

/// One start, phase by phase; what it costs to only read the disk is measured after it.
async fn one(dir: &Path) {
    let begun = Instant::now();
    let settings = stage::settings(dir, true);
    let (mut starting, (_commands, mut events)) = Engine::start_shown(settings.clone()).await.unwrap();
    let told = |phase: &str, since: Instant| println!("{phase}\t{}", since.elapsed().as_micros());
    told("all jobs' rows there for a face", begun);
    let mut app = App::new(Timestamp::now(), AppOptions { cols: 120, rows: 40, ..AppOptions::default() });
    let (styles, mut canvas) = (Styles::default(), Canvas::new(120, 40));
    loop {
        let event = events.next().await.unwrap();
        let is_first = matches!(event, Event::Snapshot(_));
        app.on_event(event, Timestamp::now());
        if is_first {
            break;
        }
    }
    told("its first snapshot taken in", begun);
    let frame = canvas.frame(|area, buffer| view::render(&app, &styles, area, buffer)).unwrap();
    told("FIRST FRAME", begun);
    assert!(frame.len() > 1_000, "a frame of {} bytes is no screen", frame.len());
    let _engine = starting.ready().await.unwrap();
    told("engine ready to work", begun);
    let (now, most) = stage::memory();
    println!("memory\t{now:.1} MB, at most {most:.1} MB so far");

    let since = Instant::now();
    let store = Store::open_read_only(&settings.data_dir).unwrap();
    told("apart: the store opened for reading", since);
    let since = Instant::now();
    drop(store.load().unwrap());
    told("apart: what an engine starts from", since);
    let since = Instant::now();
    drop(store.rows().unwrap());
    told("apart: the rows of all jobs", since);
    let since = Instant::now();
    drop(rushes::catalog::Catalog::built_in().unwrap());
    told("apart: the catalogue", since);
}
