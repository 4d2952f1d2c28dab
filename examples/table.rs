//! What a frame and a key of the table take at a hundred, ten thousand and a hundred thousand jobs.
//!
//! `cargo run --release --example table` prints one line a size, and the ratios of the largest to the smallest.

#![allow(clippy::print_stdout, reason = "figures are what this prints")]

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

/// How long something took, at most and on average.
#[derive(Default)]
struct Times {
    all: Duration,
    most: Duration,
    count: u32,
}

impl Times {
    fn of<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = act();
        let took = start.elapsed();
        self.all += took;
        self.most = self.most.max(took);
        self.count += 1;
        done
    }

    fn mean(&self) -> f64 {
        self.all.as_secs_f64() * 1e6 / f64::from(self.count.max(1))
    }
}

struct Figures {
    frame: f64,
    key: f64,
}

fn measure(count: i64) -> Figures {
    let now = Timestamp::now();
    let mut app = App::new(now, AppOptions { cols: SIZE.0, rows: SIZE.1, ..AppOptions::default() });
    let rows: Vec<JobRow> = (1..=count).map(|id| row(id, now)).collect();
    let mut opening = Times::default();
    opening.of(|| app.on_event(Event::Snapshot(Box::new(Snapshot { jobs: rows, ..Snapshot::default() })), now));
    let (mut steps, mut frames, mut keys, mut searches, mut events) =
        (Times::default(), Times::default(), Times::default(), Times::default(), Times::default());
    let search = |app: &mut App, steps: &mut Times| {
        while app.is_searching() {
            steps.of(|| app.search_on());
        }
    };
    search(&mut app, &mut steps);
    let (area, styles) = (Rect::new(0, 0, SIZE.0, SIZE.1), Styles::default());
    let draw = |app: &App, frames: &mut Times| {
        let mut buffer = Buffer::empty(area);
        frames.of(|| view::render(app, &styles, area, &mut buffer));
    };
    let press = |app: &mut App, key: &str| {
        _ = app.on_input(Input::Key(key.parse::<Key>().expect("it is a key")), now);
    };
    for _ in 0..50 {
        draw(&app, &mut frames);
        keys.of(|| press(&mut app, "j"));
    }
    press(&mut app, "/");
    let letters: Vec<String> =
        TYPED.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() }).collect();
    for letter in &letters {
        keys.of(|| press(&mut app, letter));
        draw(&app, &mut frames);
        searches.of(|| search(&mut app, &mut steps));
        draw(&app, &mut frames);
    }
    for key in ["Ctrl-U", "Enter"] {
        keys.of(|| press(&mut app, key));
        search(&mut app, &mut steps);
    }
    for sorting in ["s c", "s p", "s m", "s s", "z", "z", "z", "s n"] {
        for key in sorting.split(' ') {
            keys.of(|| press(&mut app, key));
        }
        draw(&app, &mut frames);
        searches.of(|| search(&mut app, &mut steps));
        draw(&app, &mut frames);
    }
    keys.of(|| press(&mut app, "*"));
    draw(&app, &mut frames);
    for id in 1..=200 {
        let mut changed = row(1 + (id * 7_919) % count, now);
        changed.progress = Some((id % 100) as u8);
        events.of(|| app.on_event(Event::JobChanged(Box::new(changed)), now));
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{count:>7} jobs: frame {:6.0} us (most {:6.2} ms)   key {:6.0} us (most {:5.2} ms)   step most {:5.2} ms   a whole search {:6.1} ms (most {:6.1})   event {:5.1} us   opened in {:5.1} ms",
        frames.mean(),
        ms(frames.most),
        keys.mean(),
        ms(keys.most),
        ms(steps.most),
        searches.mean() / 1e3,
        ms(searches.most),
        events.mean(),
        ms(opening.most),
    );
    Figures { frame: frames.mean(), key: keys.mean() }
}

fn main() {
    let figures: Vec<Figures> = SIZES.into_iter().map(measure).collect();
    let (first, last) = (&figures[0], &figures[figures.len() - 1]);
    println!("100,000 to 100 jobs: frame {:.2}, key {:.2}", last.frame / first.frame, last.key / first.key);
}
