//! A storm of random keys, events, pastes and sizes: nothing panics, and after every frame the terminal shows what a
//! full repaint would. `cargo run --example repaint -- STEPS` goes on for longer.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use rushes::app::action::TABLE;
use rushes::app::{Effect, Input, Key};
use rushes::domain::message::{Answer, Draft, Level, Spend};
use rushes::domain::{Command, Event, JobId, JobState, Notice, Problem, Snapshot};
use rushes::tui::theme::{BUILT_IN, ColorDepth, Glyphs, Styles, Theme};
use rushes::tui::view;

use super::further::further;
use super::repaint::Line;
use super::world::{Stage, accounts, at, detail, job, offers, snapshot, usd};

const STRANGE: [&str; 8] = [
    "",
    "\u{1b}[31m\u{7}",
    "👨‍👩‍👧‍👦🇳🇴",
    "山谷の霧",
    "e\u{301}\u{202E}x",
    "a\nb\r\nc\td",
    "{\"a\":[1]}",
    "99999999999999999999999",
];

fn random_text(rng: &mut fastrand::Rng) -> String {
    let mut text: String = (0..rng.usize(..4)).map(|_| *rng.choice(&STRANGE).unwrap()).collect();
    if rng.u8(..8) == 0 {
        text = text.repeat(rng.usize(..40));
    }
    text
}

fn random_key(rng: &mut fastrand::Rng) -> Key {
    if rng.bool() {
        let entry = rng.choice(TABLE).unwrap();
        return rng.choice(entry.keys).unwrap().parse().unwrap();
    }
    let keys = ["Enter", "Esc", "Tab", "BackTab", "Up", "Down", "Left", "Right", "Home", "End", "Backspace", "Delete"];
    match rng.u8(..3) {
        0 => rng.choice(keys).unwrap().parse().unwrap(),
        1 => Key::char(*rng.choice(&['x', '7', ' ', '山', '-', ':', 'y', 'n', '.']).unwrap()),
        _ => format!("Ctrl-{}", rng.choice(&['a', 'e', 'w', 'u', 'k', 'y', 'b', 'f', 'q', 's']).unwrap())
            .parse()
            .unwrap(),
    }
}

fn random_event(rng: &mut fastrand::Rng) -> Event {
    let state = rng.choice(JobState::ALL).unwrap();
    let mut row = job(rng.i64(1..60), state).row();
    match rng.u8(..10) {
        0..5 => {
            row.progress = rng.bool().then(|| rng.u8(..));
            row.late = rng.bool();
            row.abandoned = rng.u8(..10) == 0;
            row.usual_s = rng.bool().then(|| rng.u32(..));
            row.submitted_at = rng.bool().then(|| at(rng.i64(-1_000_000..1_000_000)));
            row.prompt = random_text(rng);
            row.note = rng.bool().then(|| random_text(rng));
            row.phase = rng.bool().then(|| random_text(rng));
            row.model = if rng.bool() { row.model } else { random_text(rng) };
            row.estimate = if rng.bool() { row.estimate } else { None };
            Event::JobChanged(Box::new(row))
        }
        5 => {
            let mut account = rng.choice(accounts()).unwrap();
            account.trouble = rng.bool().then(|| random_text(rng));
            if rng.bool() {
                account.balances.clear();
            }
            Event::AccountChanged(Box::new(account))
        }
        6 => Event::SpendChanged(Box::new(Spend {
            today: vec![usd("-3.5"), usd("0.0000001")],
            day_cap: rng.bool().then(|| usd("0")),
            month_cap: rng.bool().then(|| usd("1000000000")),
            unexplained: vec![usd("-0.01")],
            ..Spend::default()
        })),
        7 => Event::OffersChanged(match rng.u8(..3) {
            0 => offers(),
            1 => further().offers,
            _ => Arc::default(),
        }),
        8 => Event::Noticed(Notice { at: Timestamp::MAX, level: Level::Error, text: random_text(rng) }),
        _ => Event::Snapshot(Box::new(Snapshot {
            draft: Some(Draft { prompt: random_text(rng), model: random_text(rng), ..Draft::default() }),
            simulated: rng.bool().then(|| random_text(rng)),
            read_only: (rng.u8(..8) == 0).then(|| random_text(rng)),
            ..if rng.u8(..4) == 0 { Snapshot::default() } else { snapshot() }
        })),
    }
}

fn random_answer(rng: &mut fastrand::Rng, command: &Command) -> Answer {
    match (command, rng.u8(..4)) {
        (_, 0) => Answer::Refused { problems: vec![Problem::new("model", "unknown", random_text(rng))] },
        (Command::Inspect { id }, _) => {
            let state = rng.choice(JobState::ALL).unwrap();
            let mut job = job(id.0, state);
            job.request.prompt = random_text(rng);
            job.remote_id = Some(random_text(rng));
            job.links = vec![random_text(rng)];
            Answer::Detail(Box::new(detail(&job)))
        }
        (_, 1) => Answer::Refused { problems: vec![] },
        _ => Answer::Accepted { ids: (0..rng.i64(0..5)).map(JobId).collect(), known: rng.usize(..3) },
    }
}

/// An app in a storm, and the line to its terminal.
pub struct Storm {
    rng: fastrand::Rng,
    stage: Stage,
    styles: Vec<Styles>,
    style: usize,
    line: Line,
    /// How often it asked to leave.
    pub quits: usize,
}

impl Storm {
    /// One that follows from its seed.
    pub fn new(seed: u64) -> Storm {
        let both = |(name, _): &(&str, &str)| {
            let theme = Theme::built_in(name).unwrap();
            [(ColorDepth::TrueColor, Glyphs::Unicode), (ColorDepth::None, Glyphs::Ascii)]
                .map(|(depth, glyphs)| Styles::new(&theme, depth, glyphs))
        };
        let styles = BUILT_IN.iter().flat_map(both).collect();
        let stage = Stage::new((80, 24), further());
        Storm { rng: fastrand::Rng::with_seed(seed), stage, styles, style: 0, line: Line::new(80, 24), quits: 0 }
    }

    /// One random thing, and the frame that shows it; with `compare` the screen is held against a full repaint.
    ///
    /// # Errors
    /// What is wrong with the screen.
    pub fn step(&mut self, compare: bool) -> Result<(), String> {
        self.befall();
        for (ticket, command) in std::mem::take(&mut self.stage.sent) {
            if self.rng.bool() {
                let answer = random_answer(&mut self.rng, &command);
                self.stage.event(Event::Answered { ticket, answer });
            }
        }
        for effect in std::mem::take(&mut self.stage.effects) {
            match effect {
                Effect::Edit(text) => {
                    self.stage.input(Input::Edited(text + "\nand on"));
                }
                Effect::Quit(_) => self.quits += 1,
                Effect::Repaint => self.line.forget(),
                Effect::Send { .. } | Effect::Copy(_) | Effect::Call(_) | Effect::Open(_) | Effect::Suspend => {}
            }
        }
        if self.rng.u8(..40) == 0 {
            self.style = self.rng.usize(..self.styles.len());
        }
        let styles = &self.styles[self.style];
        let (buffer, cursor) = self.stage.draw(styles);
        if cursor.is_some_and(|at| !buffer.area.contains(at)) {
            return Err(format!("the cursor is at {cursor:?}"));
        }
        if let Some(cell) = buffer.content.iter().find(|cell| cell.symbol().chars().any(char::is_control)) {
            return Err(format!("{cell:?} steers the terminal"));
        }
        if buffer.content.iter().all(|cell| cell.symbol() == " ") {
            return Err(format!("{:?} is empty", buffer.area));
        }
        self.line.draw(&buffer, cursor);
        if compare { self.line.compare(&buffer, cursor) } else { Ok(()) }
    }

    fn befall(&mut self) {
        let (rng, stage) = (&mut self.rng, &mut self.stage);
        match rng.u8(..20) {
            0 => {
                let (cols, rows) = match rng.u8(..4) {
                    0 => (rng.u16(1..220), rng.u16(1..70)),
                    1 => (rng.u16(1..6), rng.u16(1..4)),
                    _ => (rng.u16(1..130), rng.u16(1..42)),
                };
                stage.input(Input::Resize { cols, rows });
                self.line.resize(cols, rows);
            }
            1 => {
                if rng.bool() {
                    stage.keys("Esc Esc F3");
                }
                let text = random_text(rng);
                stage.input(Input::Paste(text));
            }
            2 if rng.bool() => {
                let (cols, rows) = stage.app.size();
                let (x, y) = (rng.u16(..cols + 2), rng.u16(..rows + 2));
                let wheel = Input::Wheel { x, y, down: rng.bool() };
                stage.input(if rng.bool() { Input::Click { x, y } } else { wheel });
            }
            2 => {
                stage.input(if rng.bool() { Input::FocusLost } else { Input::FocusGained });
            }
            3..8 => {
                let event = random_event(rng);
                stage.event(event);
            }
            8..10 => {
                let ms = rng.i64(0..4_000);
                stage.now += SignedDuration::from_millis(ms);
                stage.wait(1);
            }
            _ => {
                stage.input(Input::Key(random_key(rng)));
            }
        }
    }
}

/// So many steps, in storms of a thousand from this seed on; how often one asked to leave. Every `each`th step is
/// held against a full repaint.
///
/// # Errors
/// The seed, the step and what was wrong.
pub fn weather(seed: u64, steps: usize, each: usize) -> Result<usize, String> {
    let mut quits = 0;
    for (seed, from) in (seed..).zip((0..steps).step_by(1_000)) {
        let mut storm = Storm::new(seed);
        for step in 0..(steps - from).min(1_000) {
            storm.step(step % each == 0).map_err(|why| format!("seed {seed} step {step}: {why}"))?;
        }
        quits += storm.quits;
    }
    Ok(quits)
}

#[test]
fn three_thousand_random_steps_never_panic_and_show_what_a_full_repaint_shows() {
    let quits = weather(0, 3_000, 2).unwrap_or_else(|why| panic!("{why}"));
    assert!(quits > 0, "the storm reached the way out");
}

#[test]
fn no_size_panics_and_every_one_is_drawn_from_the_one_before() {
    let mut stage = Stage::new((80, 24), further());
    let mut line = Line::new(80, 24);
    let small = (1..=40).flat_map(|cols| (1..=12).map(move |rows| (cols, rows)));
    for (cols, rows) in small.chain([(20, 5), (500, 200), (80, 24), (1, 200), (500, 1)]) {
        stage.input(Input::Resize { cols, rows });
        line.resize(cols, rows);
        for keys in ["Enter", "Esc ?", "Esc m", "Esc e", "Esc q", "Esc n x", "Esc"] {
            let (buffer, cursor) = stage.keys(keys).draw(&Styles::default());
            line.draw(&buffer, cursor);
        }
        let (buffer, cursor) = stage.draw(&Styles::default());
        line.compare(&buffer, cursor).unwrap_or_else(|why| panic!("{cols}x{rows}: {why}"));
    }
}

#[test]
fn a_screen_smaller_or_larger_than_the_app_believes_is_drawn_all_the_same() {
    let mut stage = Stage::new((160, 46), snapshot());
    for keys in ["", "Enter", "Esc ?", "Esc m", "Esc e", "Esc q", "Esc j r", "Esc /", "Enter n"] {
        stage.keys(keys);
        for (cols, rows) in [(1, 1), (7, 3), (80, 24), (159, 45), (300, 90)] {
            let area = Rect::new(0, 0, cols, rows);
            let mut buffer = Buffer::empty(area);
            let cursor = view::render(&stage.app, &Styles::default(), area, &mut buffer);
            assert!(cursor.is_none_or(|at| area.contains(at)));
        }
    }
}

#[test]
fn what_terminals_measure_differently_leaves_nothing_behind() {
    let mut stage = Stage::new((80, 24), further());
    let mut line = Line::new(80, 24);
    for keys in ["n", "Home", "Delete", "x", "Ctrl-u", "Ctrl-y", "Esc"] {
        stage.keys(keys);
        if keys == "n" {
            stage.input(Input::Paste("ab 👨‍👩‍👧‍👦🇳🇴 ❤\u{FE0F} e\u{301} end".to_owned()));
        }
        let (buffer, cursor) = stage.draw(&Styles::default());
        line.draw(&buffer, cursor);
        line.compare(&buffer, cursor).unwrap_or_else(|why| panic!("after {keys}: {why}\n{}", stage.text()));
    }
}
