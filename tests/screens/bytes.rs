//! Few cells change for small news: cells are bytes, and bytes are what a slow line lacks.

use std::collections::BTreeSet;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use rushes::app::Dirty;
use rushes::domain::message::AccountRow;
use rushes::domain::{Event, JobRow, JobState};
use rushes::tui::theme::{ColorDepth, Glyphs, Styles, Theme};

use super::world::{Stage, accounts, at, job, snapshot};

/// The rows of the cells that differ, and how many cells those are.
fn difference(before: &Buffer, after: &Buffer) -> (BTreeSet<u16>, usize) {
    let changed = before.diff(after);
    (changed.iter().map(|(_, y, _)| *y).collect(), changed.len())
}

fn draw(stage: &Stage) -> Buffer {
    stage.draw(&Styles::default()).0
}

/// 200 running jobs, at 120x40.
fn busy() -> Stage {
    let rows: Vec<JobRow> = (1..=200)
        .map(|id| {
            let mut row = job(id, JobState::Running).row();
            row.usual_s = Some(280);
            row.progress = Some(10);
            row
        })
        .collect();
    let mut stage = Stage::new((120, 40), rushes::domain::Snapshot { jobs: rows, ..snapshot() });
    stage.settle();
    stage
}

fn with_progress(id: i64, percent: u8) -> JobRow {
    let mut row = job(id, JobState::Running).row();
    row.usual_s = Some(280);
    row.progress = Some(percent);
    row
}

#[test]
fn progress_changes_its_row_and_nothing_else() {
    let mut stage = busy();
    let before = draw(&stage);
    stage.event(Event::JobChanged(Box::new(with_progress(190, 11))));
    let (rows, cells) = difference(&before, &draw(&stage));
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(cells <= 3, "{cells} cells for one percent");
}

#[test]
fn progress_off_the_screen_wants_no_frame() {
    let mut stage = busy();
    stage.app.take_dirty();
    stage.event(Event::JobChanged(Box::new(with_progress(3, 50))));
    assert_eq!(stage.app.take_dirty(), Dirty::None);
    stage.event(Event::JobChanged(Box::new(with_progress(199, 10))));
    assert_eq!(stage.app.take_dirty(), Dirty::None, "the same row again");
    let same: AccountRow = accounts()[0].clone();
    stage.event(Event::AccountChanged(Box::new(same)));
    assert_eq!(stage.app.take_dirty(), Dirty::None, "the same account again");
    stage.event(Event::JobChanged(Box::new(with_progress(199, 12))));
    assert_eq!(stage.app.take_dirty(), Dirty::Background);
    stage.keys("j");
    assert_eq!(stage.app.take_dirty(), Dirty::Now);
}

/// The bytes that a terminal gets for what changed, cursor moves and colours included.
fn bytes(before: &Buffer, after: &Buffer) -> usize {
    let mut written = Vec::new();
    CrosstermBackend::new(&mut written).draw(before.diff(after).into_iter()).unwrap();
    written.len()
}

#[test]
fn a_cursor_key_within_a_page_costs_at_most_300_bytes_and_a_minute_of_200_jobs_300_a_second() {
    // A theme that paints the selected line from edge to edge pays for that with two whole rows.
    for (theme, depth, most) in
        [("default", ColorDepth::Ansi16, 300), ("mono", ColorDepth::None, 400), ("dark", ColorDepth::TrueColor, 1_200)]
    {
        let styles = Styles::new(&Theme::built_in(theme).unwrap(), depth, Glyphs::Unicode);
        let mut stage = busy();
        for _ in 0..10 {
            let before = stage.draw(&styles).0;
            stage.keys("j");
            let cost = bytes(&before, &stage.draw(&styles).0);
            assert!(cost <= most, "{theme}: {cost} bytes for one press");
        }
        let start = stage.now;
        let mut sum = 0;
        for second in 1..=60 {
            let before = stage.draw(&styles).0;
            // Each service is asked every few seconds: a fifth of the jobs has news each second.
            for id in (1..=200).filter(|id| id % 5 == second % 5) {
                let percent = u8::try_from(10 + second / 2).unwrap();
                stage.event(Event::JobChanged(Box::new(with_progress(id, percent))));
            }
            stage.wait(1_000);
            sum += bytes(&before, &stage.draw(&styles).0);
        }
        assert_eq!(stage.now.duration_since(start).as_secs(), 60);
        assert!(sum / 60 <= 300, "{theme}: {} bytes a second", sum / 60);
    }
}

#[test]
fn a_cursor_key_changes_two_rows_and_the_story_waits() {
    let mut stage = busy();
    stage.keys("j j");
    let before = draw(&stage);
    stage.keys("j");
    let (rows, cells) = difference(&before, &draw(&stage));
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(cells <= 140, "{cells} cells for one press");
}

#[test]
fn clocks_of_all_rows_step_together_every_ten_seconds() {
    let mut stage = busy();
    stage.wait(9_900);
    let mut frames = 0;
    let before = stage.now;
    while let Some(due) =
        stage.app.next_tick(stage.now).filter(|due| *due <= before + jiff::SignedDuration::from_secs(10))
    {
        let old = draw(&stage);
        stage.now = due;
        stage.app.on_tick(due);
        let (rows, _) = difference(&old, &draw(&stage));
        frames += 1;
        let all = due.as_second() % 10 == 0;
        assert!(all || rows.len() <= 1, "at {due} the rows {rows:?} changed");
    }
    assert_eq!(frames, 10, "one a second for the selected row, and all rows within one of them");
    assert!(stage.now >= at(10));
}

#[test]
fn a_hundred_thousand_jobs_are_drawn_by_the_window_only() {
    let rows: Vec<JobRow> = (1..=100_000).map(|id| job(id, JobState::Queued).row()).collect();
    let mut stage = Stage::new((120, 40), rushes::domain::Snapshot { jobs: rows, ..snapshot() });
    stage.keys("PageDown G PageUp k").settle();
    let shown = stage.app.jobs().window(stage.app.jobs().page()).count();
    assert_eq!(shown, stage.app.jobs().page());
    assert!(stage.text().contains("100000 queued"), "{}", stage.text());
}
