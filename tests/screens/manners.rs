//! How the screen behaves on its line: thrift, the mouse where it is asked for, the call to the user.

use rushes::app::geometry::Pane;
use rushes::app::overlay::Overlay;
use rushes::app::{App, AppOptions, Effect, Input};
use rushes::domain::message::Answer;
use rushes::domain::{Event, JobId, JobState};

use super::world::{Stage, at, detail, job, snapshot};

#[test]
fn thrift_goes_round_by_key_says_what_it_does_and_stands_at_the_foot() {
    let mut stage = Stage::new((120, 40), snapshot());
    let foot = |stage: &Stage| stage.text().lines().last().unwrap().trim_end().to_owned();
    for (word, pause_ms) in [("calm", 1_000), ("frugal", 5_000)] {
        stage.keys("T");
        assert!(foot(&stage).ends_with(word), "{}", foot(&stage));
        assert_eq!(stage.app.thrift().pause().as_millis(), pause_ms);
        assert!(stage.text().contains(&format!("{word}: what changes by itself")), "{}", stage.text());
    }
    // Nothing that is shown moves within a minute but the notice, which goes.
    stage.wait(40_000);
    let ticks = (0..60).filter(|_| {
        let due = stage.app.next_tick(stage.now);
        stage.wait(1_000);
        due.is_some_and(|due| due <= stage.now)
    });
    assert!(ticks.count() <= 2, "clocks step by the minute");
    stage.keys("T");
    assert!(!foot(&stage).ends_with("full"), "{}", foot(&stage));
}

#[test]
fn frugal_progress_goes_in_tens() {
    let mut stage = Stage::new((120, 40), snapshot());
    stage.keys("T T");
    let mut row = job(10, JobState::Running).row();
    for (percent, shown) in [(79, " 70%"), (80, " 80%"), (100, "100%")] {
        row.progress = Some(percent);
        stage.event(Event::JobChanged(Box::new(row.clone())));
        assert!(stage.text().contains(shown), "{percent}: {}", stage.text());
    }
}

#[test]
fn a_click_chooses_a_pane_or_a_row_and_the_selected_row_opens() {
    let mut stage = Stage::new((160, 46), snapshot());
    let ids: Vec<JobId> = stage.app.jobs().window(20).filter_map(|line| line.job()).map(|row| row.id).collect();
    let jobs = stage.app.panes().unwrap().jobs.unwrap();
    let row = |line: u16| Input::Click { x: jobs.x + 9, y: jobs.y + 2 + line };
    stage.input(row(3));
    assert_eq!(stage.app.jobs().selected().unwrap().id, ids[3]);
    assert!(stage.app.overlays().is_empty());
    stage.input(row(3));
    assert!(matches!(stage.app.overlays(), [Overlay::Detail { id, .. }] if *id == ids[3]));
    stage.input(row(5));
    assert_eq!(stage.app.jobs().selected().unwrap().id, ids[3], "what lies over the table takes the click");
    stage.keys("Esc");
    let compose = stage.app.panes().unwrap().compose.unwrap();
    stage.input(Input::Click { x: compose.x + 3, y: compose.y + 3 });
    assert_eq!(stage.app.focus(), Pane::Compose);
    stage.input(row(0));
    assert_eq!((stage.app.focus(), stage.app.jobs().selected().unwrap().id), (Pane::Jobs, ids[0]));
    stage.input(Input::Wheel { x: jobs.x + 9, y: jobs.y + 4, down: true });
    assert_eq!(stage.app.jobs().selected().unwrap().id, ids[3]);
    for x in 0..200 {
        for y in 0..60 {
            stage.input(Input::Click { x, y }).input(Input::Wheel { x, y, down: x % 2 == 0 }).keys("Esc");
        }
    }
}

#[test]
fn a_click_on_a_tab_goes_there() {
    let mut stage = Stage::new((80, 24), snapshot());
    for (word, pane) in [("Model", Pane::Model), ("Jobs", Pane::Jobs), ("Compose", Pane::Compose)] {
        let text = stage.text();
        let line = text.lines().nth(2).unwrap();
        let x = u16::try_from(line.find(word).unwrap()).unwrap();
        stage.input(Input::Click { x, y: 2 });
        assert_eq!(stage.app.focus(), pane, "{line}");
    }
}

fn calling() -> Stage {
    let options = AppOptions { cols: 120, rows: 40, calls: true, ..AppOptions::default() };
    let mut stage = Stage::empty((120, 40));
    stage.app = App::new(at(0), options);
    stage.event(Event::Snapshot(Box::new(rushes::domain::Snapshot {
        jobs: vec![job(1, JobState::Running).row(), job(2, JobState::Running).row()],
        ..snapshot()
    })));
    stage
}

#[test]
fn the_user_is_called_when_all_is_done_unless_the_window_is_looked_at() {
    let called = |stage: &mut Stage| {
        stage.event(Event::JobChanged(Box::new(job(1, JobState::Done).row()))).wait(5_000);
        assert_eq!(stage.effects, [], "one still runs");
        stage.event(Event::JobChanged(Box::new(job(2, JobState::Failed).row()))).wait(5_000);
        stage.effects.clone()
    };
    assert_eq!(called(&mut calling()), [Effect::Call("rushes: 1 done, 1 failed".to_owned())]);
    let mut looked_at = calling();
    looked_at.input(Input::FocusGained);
    assert_eq!(called(&mut looked_at), []);
    let mut away = calling();
    away.input(Input::FocusLost);
    assert_eq!(called(&mut away).len(), 1);
}

#[test]
fn without_a_clipboard_the_path_is_said_instead_of_sent() {
    let mut stage = Stage::empty((120, 40));
    stage.app = App::new(at(0), AppOptions { cols: 120, rows: 40, copies: false, ..AppOptions::default() });
    let done = job(6, JobState::Done);
    stage.event(Event::Snapshot(Box::new(rushes::domain::Snapshot { jobs: vec![done.row()], ..snapshot() })));
    stage.keys("o").answer(Answer::Detail(Box::new(detail(&done))));
    assert_eq!(stage.effects, []);
    assert!(stage.text().contains("no clipboard here"), "{}", stage.text());
}
