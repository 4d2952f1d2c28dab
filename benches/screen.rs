//! `cargo bench --bench screen [-- start idle keys line memory]`: the real program on a pseudo terminal of 120x40,
//! with services on this machine. Start to the first frame; what it does while nothing happens; how long a key takes
//! to its bytes; what goes over the line while 200 jobs run; what 10,000 jobs take of memory.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a command that prints its figures, built like a test"
)]

mod stage;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use rushes::domain::JobState;
use rushes::sim::{SimOptions, Simulator};
use stage::line::Line;
use stage::site;

const ALL: [&str; 5] = ["start", "idle", "keys", "line", "memory"];
/// Keys pressed for a figure.
const KEYS: usize = 300;
/// Letters that nothing else on the screen has.
const LETTERS: [&str; 4] = ["Ж", "Щ", "Ю", "Э"];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let asked: Vec<String> = std::env::args().skip(1).filter(|text| ALL.contains(&text.as_str())).collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    println!("at the start: {}", stage::load());
    if wanted("start") {
        start(&runtime);
    }
    if wanted("idle") {
        idle(&runtime);
    }
    if wanted("keys") {
        keys(&runtime);
    }
    if wanted("line") {
        line(&runtime);
    }
    if wanted("memory") {
        memory(&runtime);
    }
    println!("at the end: {}", stage::load());
    std::process::exit(0);
}

/// The program on a data directory, its one account at this address.
fn program(dir: &Path, url: &str) -> Line {
    let config = dir.join("config.toml");
    let account = "[accounts.ninjachat]\nservice = \"ninjachat\"\npoll_interval = 5\n";
    std::fs::write(&config, account).unwrap();
    let (data, clips) = (dir.join("data"), dir.join("clips"));
    let places = [("--config", &config), ("--data-dir", &data), ("--output-dir", &clips)];
    let args: Vec<&str> = places.iter().flat_map(|(name, place)| [*name, place.to_str().unwrap()]).collect();
    let os = OsStr::new;
    Line::start(
        &args,
        &[("HOME", dir.as_os_str()), ("NINJACHAT_API_KEY", os(stage::KEY)), ("RUSHES_NINJACHAT_BASE_URL", os(url))],
    )
}

fn start(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = "http://127.0.0.1:9";
    runtime.block_on(stage::fill_at(dir.path(), nowhere, 10_000, &[JobState::Queued]));
    let times = (0..9)
        .map(|_| {
            let line = program(dir.path(), nowhere);
            let time = line.first_frame();
            line.pass(Duration::from_millis(700));
            time
        })
        .collect();
    let (least, median, most) = stage::spread(times);
    println!(
        "start: to the first frame, 10,000 jobs queued; of 9 smallest {least:.1}, median {median:.1}, largest {most:.1} ms"
    );
}

fn idle(runtime: &tokio::runtime::Runtime) {
    let dir = tempfile::tempdir().unwrap();
    let simulator = runtime.block_on(Simulator::start(SimOptions::default())).unwrap();
    let url = format!("{}/ninjachat", simulator.url());
    runtime.block_on(stage::fill_at(dir.path(), &url, 200, &[JobState::Done]));
    let first = program(dir.path(), &url);
    first.first_frame();
    let second = program(dir.path(), &url);
    second.first_frame();
    // Notices go, and connections that nobody uses are closed.
    let (settle, time) = (Duration::from_secs(70), Duration::from_secs(60));
    first.pass(settle);
    second.pass(Duration::from_millis(100));
    let before = [first.used(), second.used()];
    let bytes = [first.pass(time).len(), second.pass(Duration::from_millis(100)).len()];
    for (n, (name, line)) in [("dashboard", &first), ("second, read-only one", &second)].into_iter().enumerate() {
        let used = line.used();
        println!(
            "idle for {} s, {name}: {} bytes, {:.3} wake-ups/s, {:.3} % of a processor",
            time.as_secs(),
            bytes[n],
            (used.wakes - before[n].wakes) as f64 / time.as_secs_f64(),
            (used.cpu_ms - before[n].cpu_ms) / time.as_secs_f64() / 10.0,
        );
    }
}

fn keys(runtime: &tokio::runtime::Runtime) {
    let url = runtime.block_on(site::open());
    let cases: [(&str, usize, &[JobState]); 2] =
        [("idle, 200 jobs done", 200, &[JobState::Done]), ("200 live polls, 4 downloads", 204, &[JobState::Running])];
    for (name, count, states) in cases {
        let dir = tempfile::tempdir().unwrap();
        runtime.block_on(stage::fill_at(dir.path(), &url, count, states));
        if states == [JobState::Running] {
            stage::fetch(dir.path(), &url, 4);
        }
        let mut line = program(dir.path(), &url);
        line.first_frame();
        line.pass(Duration::from_secs(8));
        // Into the form, where letters are typed.
        line.keys(b"n");
        line.pass(Duration::from_millis(500));
        let (mut times, mut lost, mut bytes) = (Vec::new(), 0, Vec::new());
        for n in 0..KEYS {
            let letter = LETTERS[n % LETTERS.len()].as_bytes();
            match line.press(letter, letter) {
                Some((time, size)) => {
                    times.push(time);
                    bytes.push(size);
                }
                None => lost += 1,
            }
            line.pass(Duration::from_millis(20 + (n as u64 * 7) % 40));
            if n % 20 == 19 {
                line.keys(&[0x7f; 20]);
                line.pass(Duration::from_millis(200));
            }
        }
        bytes.sort_unstable();
        let (least, median, most) = stage::spread(times);
        println!(
            "keys, {name}: a letter to its bytes, of {KEYS} smallest {least:.2}, p50 {median:.2}, p99 {most:.2} ms; {} bytes; {lost} lost",
            bytes[bytes.len() / 2],
        );
    }
}

fn line(runtime: &tokio::runtime::Runtime) {
    let url = runtime.block_on(site::open());
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(stage::fill_at(dir.path(), &url, 200, &[JobState::Running]));
    let mut line = program(dir.path(), &url);
    line.first_frame();
    line.keys(b"\x1b");
    line.pass(Duration::from_secs(10));
    let (before, time) = (line.used(), Duration::from_secs(60));
    let seen = line.pass(time);
    let frames = seen.windows(8).filter(|part| *part == b"\x1b[?2026h").count();
    let used = line.used();
    println!(
        "line, 200 running jobs for {} s: {:.0} bytes/s, {:.2} frames/s, {:.2} % of a processor",
        time.as_secs(),
        seen.len() as f64 / time.as_secs_f64(),
        frames as f64 / time.as_secs_f64(),
        (used.cpu_ms - before.cpu_ms) / time.as_secs_f64() / 10.0,
    );
    let mut sizes: Vec<usize> = Vec::new();
    for n in 0..20 {
        line.pass(Duration::from_millis(30));
        // The first frame after it is its own.
        sizes.extend(line.press(if n < 10 { b"j" } else { b"k" }, b"\x1b[").map(|(_, size)| size));
    }
    sizes.sort_unstable();
    println!("line, a cursor key within the page: {} bytes at most, {} mostly", sizes[19], sizes[10]);
}

fn memory(runtime: &tokio::runtime::Runtime) {
    let url = runtime.block_on(site::open());
    let dir = tempfile::tempdir().unwrap();
    // The others wait behind a closed door: an order would be refused here.
    let states: Vec<JobState> = (0..10).map(|n| if n == 0 { JobState::Running } else { JobState::Held }).collect();
    runtime.block_on(stage::fill_at(dir.path(), &url, 10_000, &states));
    let line = program(dir.path(), &url);
    line.first_frame();
    for seconds in [3, 20] {
        line.pass(Duration::from_secs(seconds));
        let (now, most) = line.used().memory;
        println!("memory, 10,000 jobs of which 1,000 run, after {seconds} s more: {now:.1} MB, at most {most:.1} MB");
    }
}
