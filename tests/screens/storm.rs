//! A storm of random keys, events, pastes and sizes: nothing panics, and the screen is always drawn.

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

#[test]
fn three_thousand_random_steps_never_panic_and_always_draw() {
    let styles: Vec<Styles> = BUILT_IN
        .iter()
        .flat_map(|(name, _)| {
            let theme = Theme::built_in(name).unwrap();
            [
                Styles::new(&theme, ColorDepth::TrueColor, Glyphs::Unicode),
                Styles::new(&theme, ColorDepth::None, Glyphs::Ascii),
            ]
        })
        .collect();
    let mut quits = 0;
    for seed in 0..3 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut stage = Stage::new((80, 24), further());
        for step in 0..1_000 {
            match rng.u8(..20) {
                0 => {
                    let (cols, rows) =
                        if rng.bool() { (rng.u16(1..220), rng.u16(1..70)) } else { (rng.u16(1..60), rng.u16(1..20)) };
                    stage.input(Input::Resize { cols, rows });
                }
                1 => {
                    let text = random_text(&mut rng);
                    stage.input(Input::Paste(text));
                }
                2 => {
                    stage.input(if rng.bool() { Input::FocusLost } else { Input::FocusGained });
                }
                3..8 => {
                    let event = random_event(&mut rng);
                    stage.event(event);
                }
                8..10 => {
                    let ms = rng.i64(0..4_000);
                    stage.now += SignedDuration::from_millis(ms);
                    stage.wait(1);
                }
                _ => {
                    stage.input(Input::Key(random_key(&mut rng)));
                }
            }
            for (ticket, command) in std::mem::take(&mut stage.sent) {
                if rng.bool() {
                    let answer = random_answer(&mut rng, &command);
                    stage.event(Event::Answered { ticket, answer });
                }
            }
            quits += stage.effects.drain(..).filter(|e| matches!(e, Effect::Quit(_))).count();
            let (cols, rows) = stage.app.size();
            let area = Rect::new(0, 0, cols, rows);
            let mut buffer = Buffer::empty(area);
            let cursor = view::render(&stage.app, rng.choice(&styles).unwrap(), area, &mut buffer);
            assert!(cursor.is_none_or(|at| area.contains(at)), "seed {seed} step {step}");
            let hostile = buffer.content.iter().find(|cell| cell.symbol().chars().any(char::is_control));
            assert!(hostile.is_none(), "seed {seed} step {step}: {hostile:?}");
            let drawn = buffer.content.iter().any(|cell| cell.symbol() != " ");
            assert!(drawn, "seed {seed} step {step}: {cols}x{rows} is empty");
        }
    }
    assert!(quits > 0, "the storm reached the way out");
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
