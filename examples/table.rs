//! What a frame and a key of the table take at a hundred, ten thousand and a hundred thousand jobs.
//!
//! `cargo run --release --example table` prints what the screen's thread does between two keys, each alone.

#![allow(clippy::print_stdout, reason = "figures are what this prints")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use rushes::app::{App, AppOptions, Input, Key};
use rushes::domain::{Event, Job, JobId, JobRow, JobState, Money, Request, Snapshot};
use rushes::tui::theme::Styles;
use rushes::tui::view;

const SIZE: (u16, u16) = (120, 40);
const SIZES: [i64; 3] = [100, 10_000, 100_000];
const ROUNDS: usize = 5;
/// What is typed, key by key.
const TYPED: &str = "cmra river state:failed";

const PROMPTS: [&str; 4] = [
    "Drone shot slowly ascending over a misty mountain valley at golden hour, camera reveals a river below, cinematic, volumetric light, 35 mm, slow push in",
    "A neon street in the rain, reflections, 霓虹街道, handheld, shallow depth of field, a lone cyclist passes from left to right",
    "Old lighthouse keeper lights the lamp while a storm gathers over the sea, painterly, muted palette, long take without a cut",
    "Steam rises from a ramen bowl, slow pan, macro, the noodles are lifted by chopsticks, warm light from the left, no people",
];

fn row(id: i64, now: Timestamp) -> JobRow {
    let model = ["ninjachat/veo-3.1", "nanogpt/veo2-video", "a4f/provider-2/kling-v2.1"][id as usize % 3];
    let prompt = format!("{} take {id}", PROMPTS[id as usize % 4]);
    let request = Request::new(&model.parse().expect("it has an account and a model"), prompt);
    let mut row = Job::new(JobId(id), request, now - SignedDuration::from_secs(600)).row();
    row.state = JobState::ALL[(id / 7) as usize % JobState::ALL.len()];
    row.submitted_at = Some(now - SignedDuration::from_secs(id % 500));
    row.cost = Some(Money::usd((id % 97).into()));
    row.batch = Some(id / 60);
    row
}

/// What was timed, and how long it took each time.
type Times = BTreeMap<&'static str, Vec<Duration>>;

fn timed<T>(times: &mut Times, what: &'static str, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = act();
    times.entry(what).or_default().push(start.elapsed());
    done
}

fn measure(count: i64) -> Times {
    let now = Timestamp::now();
    let mut app = App::new(now, AppOptions { cols: SIZE.0, rows: SIZE.1, ..AppOptions::default() });
    let rows: Vec<JobRow> = (1..=count).map(|id| row(id, now)).collect();
    let mut times = Times::new();
    let snapshot = Event::Snapshot(Box::new(Snapshot { jobs: rows, ..Snapshot::default() }));
    timed(&mut times, "opening", || app.on_event(snapshot, now));
    let search = |app: &mut App, times: &mut Times| {
        let begun = Instant::now();
        while app.is_searching() {
            timed(times, "a step of a search", || app.search_on());
        }
        times.entry("a whole search, between keys").or_default().push(begun.elapsed());
    };
    search(&mut app, &mut times);
    let (area, styles) = (Rect::new(0, 0, SIZE.0, SIZE.1), Styles::default());
    let draw = |app: &App, times: &mut Times| {
        let mut buffer = Buffer::empty(area);
        timed(times, "a frame", || view::render(app, &styles, area, &mut buffer));
    };
    let press = |app: &mut App, key: &str| {
        _ = app.on_input(Input::Key(key.parse::<Key>().expect("it is a key")), now);
    };
    let change = |app: &mut App, times: &mut Times, what: &'static str| {
        for id in 1..=100 {
            let mut changed = row(1 + (id * 7_919) % count, now);
            changed.progress = Some((id % 100) as u8);
            timed(times, what, || app.on_event(Event::JobChanged(Box::new(changed)), now));
        }
    };
    for _ in 0..50 {
        draw(&app, &mut times);
        timed(&mut times, "the cursor down", || press(&mut app, "j"));
    }
    change(&mut app, &mut times, "a job that changes");
    press(&mut app, "/");
    let letters: Vec<String> =
        TYPED.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() }).collect();
    for letter in &letters {
        timed(&mut times, "a letter of a filter", || press(&mut app, letter));
        draw(&app, &mut times);
        search(&mut app, &mut times);
        draw(&app, &mut times);
    }
    for key in ["Ctrl-U", "Enter"] {
        press(&mut app, key);
        search(&mut app, &mut times);
    }
    for key in ["c", "p", "m", "s"] {
        press(&mut app, "s");
        timed(&mut times, "sorting by a column", || press(&mut app, key));
        search(&mut app, &mut times);
        draw(&app, &mut times);
    }
    change(&mut app, &mut times, "a job that changes, sorted");
    for _ in 0..3 {
        timed(&mut times, "grouping", || press(&mut app, "z"));
        search(&mut app, &mut times);
        draw(&app, &mut times);
        change(&mut app, &mut times, "a job that changes, grouped");
    }
    timed(&mut times, "marking all", || press(&mut app, "*"));
    search(&mut app, &mut times);
    draw(&app, &mut times);
    times
}

/// The median and the longest, us.
fn told(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    (us(times[times.len() / 2]), us(times[times.len() - 1]))
}

fn main() {
    // Other work on the machine makes single times longer, never shorter: the smallest of some rounds.
    let mut best: BTreeMap<&str, [(f64, f64); 3]> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (n, count) in SIZES.into_iter().enumerate() {
            for (what, mut times) in measure(count) {
                let (median, longest) = told(&mut times);
                let best = &mut best.entry(what).or_insert([(f64::INFINITY, f64::INFINITY); 3])[n];
                *best = (best.0.min(median), best.1.min(longest));
            }
        }
    }
    println!("microseconds: median and longest of a round, the smallest of {ROUNDS} rounds");
    println!("{:<30}{:>20}{:>20}{:>20}", "jobs", 100, 10_000, 100_000);
    for (what, sizes) in best {
        let cells: String =
            sizes.iter().map(|(median, most)| format!("{:>20}", format!("{median:.0} {most:.0}"))).collect();
        println!("{what:<30}{cells}");
    }
}
