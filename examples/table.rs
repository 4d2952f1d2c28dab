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
/// Most events that a turn of the screen's loop takes.
const MAX_EVENTS: i64 = 256;
/// The keys of the sorting menu.
const COLUMNS: [(&str, &str); 9] = [
    ("sorted by state", "s"),
    ("sorted by model", "m"),
    ("sorted by account", "a"),
    ("sorted by prompt", "p"),
    ("sorted by progress", "g"),
    ("sorted by time", "t"),
    ("sorted by cost", "c"),
    ("sorted by queue", "o"),
    ("sorted by newest", "n"),
];
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

/// A table of so many jobs, and what was timed of it.
struct Stage {
    app: App,
    now: Timestamp,
    count: i64,
    times: Times,
}

impl Stage {
    fn open(count: i64) -> Stage {
        let now = Timestamp::now();
        let app = App::new(now, AppOptions { cols: SIZE.0, rows: SIZE.1, ..AppOptions::default() });
        let mut stage = Stage { app, now, count, times: Times::new() };
        let rows: Vec<JobRow> = (1..=count).map(|id| row(id, now)).collect();
        let snapshot = Event::Snapshot(Box::new(Snapshot { jobs: rows, ..Snapshot::default() }));
        timed(&mut stage.times, "opening", || stage.app.on_event(snapshot, now));
        stage.search();
        stage
    }

    /// What is left to do after a key, step by step, then a frame.
    fn search(&mut self) {
        let begun = Instant::now();
        while self.app.is_searching() {
            timed(&mut self.times, "a step of what is left", || self.app.search_on());
        }
        self.times.entry("all that is left, between keys").or_default().push(begun.elapsed());
        self.draw();
    }

    fn draw(&mut self) {
        let area = Rect::new(0, 0, SIZE.0, SIZE.1);
        let (mut buffer, styles) = (Buffer::empty(area), Styles::default());
        timed(&mut self.times, "a frame", || view::render(&self.app, &styles, area, &mut buffer));
    }

    fn press(&mut self, what: &'static str, key: &str) {
        let (key, now) = (Input::Key(key.parse::<Key>().expect("it is a key")), self.now);
        timed(&mut self.times, what, || self.app.on_input(key, now));
    }

    /// What a key sets off is worked off after it.
    fn press_and_search(&mut self, what: &'static str, key: &str) {
        self.press(what, key);
        self.draw();
        self.search();
    }

    /// The first key opens a menu.
    fn choose(&mut self, what: &'static str, keys: [&str; 2]) {
        self.press("a menu", keys[0]);
        self.press_and_search(what, keys[1]);
    }

    /// As many jobs as a turn of the loop takes in, each with another progress and every second in another state.
    fn change(&mut self, what: &'static str) {
        let (now, count) = (self.now, self.count);
        let changed = |n: i64| {
            let mut row = row(1 + (n * 7_919) % count, now);
            row.progress = Some((n % 100) as u8);
            if n % 2 == 0 {
                row.state = JobState::ALL[(n / 2) as usize % JobState::ALL.len()];
            }
            Event::JobChanged(Box::new(row))
        };
        let events: Vec<Event> = (1..=MAX_EVENTS).map(changed).collect();
        timed(&mut self.times, what, || events.into_iter().for_each(|event| drop(self.app.on_event(event, now))));
        self.search();
    }
}

fn measure(count: i64) -> Times {
    let mut stage = Stage::open(count);
    for _ in 0..50 {
        stage.draw();
        stage.press("the cursor down", "j");
    }
    stage.change("256 jobs change");
    stage.press("a filter is opened", "/");
    let letters = TYPED.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() });
    for letter in letters {
        stage.press_and_search("a letter of a filter", &letter);
    }
    stage.change("256 jobs change, filtered");
    stage.press_and_search("a filter is cleared", "Ctrl-U");
    for _ in TYPED.chars() {
        // As fast as keys come in: what was begun is given up.
        for letter in ["a", "Backspace"] {
            stage.press("a letter of a filter, at once", letter);
            stage.draw();
        }
    }
    stage.press_and_search("a filter is taken", "Enter");
    for (what, column) in COLUMNS {
        for _ in 0..2 {
            stage.choose(what, ["s", column]);
            stage.change("256 jobs change, sorted");
        }
    }
    for grouped in ["grouped by batch", "grouped by prompt", "grouped no more"] {
        stage.press_and_search(grouped, "z");
        stage.change("256 jobs change, grouped");
        stage.press_and_search("to the last line", "G");
        stage.press_and_search("to the first line", "g");
    }
    stage.press_and_search("next that needs the user", "!");
    stage.press("the palette", ":");
    stage.press("a letter in the palette", "v");
    stage.press("the palette closed", "Esc");
    for view in ["n", "w", "d", "f", "a"] {
        stage.choose("another view", ["v", view]);
        stage.change("256 jobs change, in a view");
    }
    stage.press_and_search("all marked", "*");
    for verb in ["c", "r"] {
        stage.press("a verb's question about all marked", verb);
        stage.draw();
        stage.press("no", "Esc");
    }
    stage.press_and_search("all unmarked", "Esc");
    let later = stage.now + SignedDuration::from_secs(11);
    timed(&mut stage.times, "a tick that looks ahead", || stage.app.on_tick(later));
    stage.times
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
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("microseconds: median and longest of a round, the smallest of {ROUNDS} rounds");
    println!("{:<38}{:>18}{:>18}{:>18}", "jobs", 100, 10_000, 100_000);
    for (what, sizes) in best {
        let cells: String =
            sizes.iter().map(|(median, most)| format!("{:>18}", format!("{median:.0} {most:.0}"))).collect();
        println!("{what:<38}{cells}");
    }
}
