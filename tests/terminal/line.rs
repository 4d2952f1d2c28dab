//! What goes over the line: nothing while nothing happens, little when little happens, and any input at any speed.

use std::time::{Duration, Instant};

use super::stage::{A_WHILE, Stage, ready};

#[test]
fn an_idle_dashboard_writes_nothing_and_uses_no_processor() {
    let stage = Stage::new();
    let pty = stage.dashboard(120, 40).start();
    ready(&pty);
    pty.settle(Duration::from_secs(2));
    let (mark, cpu) = (pty.mark(), pty.cpu_seconds());
    assert_eq!(pty.settle(Duration::from_secs(3)), 0);
    assert_eq!(pty.bytes_since(mark), b"");
    let cpu = pty.cpu_seconds() - cpu;
    assert!(cpu <= 0.03, "{cpu} s of processor time in 3 s without anything to do");
    pty.assert_asked_nothing();
}

#[test]
fn a_frame_is_one_synchronized_piece() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    let mark = pty.mark();
    pty.keys("<C-l>");
    pty.wait_written(mark, "\x1b[?2026l");
    pty.settle(A_WHILE);
    let bytes = String::from_utf8(pty.bytes_since(mark)).expect("a frame is text");
    assert!(bytes.starts_with("\x1b[?2026h") && bytes.ends_with("\x1b[?2026l"), "{bytes:?}");
    assert_eq!(bytes.matches("\x1b[?2026h").count(), 1);
    assert_eq!(bytes.matches("\x1b[2J").count(), 1, "a repaint clears inside the frame");
}

#[test]
fn any_size_is_survived_and_the_last_one_is_drawn() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(80, 24).start();
    ready(&pty);
    let sizes = [(1, 1), (300, 100), (2, 60), (200, 1), (80, 24), (10, 3), (37, 9), (160, 46), (1, 100), (299, 2)];
    for round in 0..6 {
        for (cols, rows) in sizes {
            pty.resize(cols, rows);
            if round % 2 == 0 {
                pty.keys("<Down>");
            }
        }
    }
    pty.resize(120, 40);
    pty.wait_for("rushes");
    let first = pty.settled_screen();
    assert!(
        first.lines().nth(39).is_some_and(|line| line.contains("F1 help")),
        "the last row is the last row:\n{first}"
    );
    assert!(first.lines().any(|line| line.chars().count() == 120), "the last column is used:\n{first}");
    // A repaint of everything must not change a cell: nothing of another size was left standing.
    let mark = pty.mark();
    pty.keys("<C-l>");
    pty.wait_written(mark, "\x1b[2J");
    assert_eq!(pty.settled_screen(), first);
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

/// The frames among `bytes`, each with its marks.
fn frames(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).expect("frames are text");
    let mut frames: Vec<String> = text.split("\x1b[?2026h").map(|frame| format!("\x1b[?2026h{frame}")).collect();
    assert_eq!(frames.remove(0), "\x1b[?2026h", "nothing is written outside a frame");
    frames
}

#[test]
fn a_running_job_costs_few_bytes_and_few_frames() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    pty.keys("a paper boat<C-s>");
    pty.wait_for("queued j-1");
    pty.wait_for("%");
    let (mark, start) = (pty.mark(), Instant::now());
    pty.wait_until("some of it is done", |screen| {
        let text = screen.contents();
        text.split('%')
            .next()
            .and_then(|before| before.rsplit(' ').next()?.parse::<u8>().ok())
            .is_some_and(|part| part >= 60)
    });
    let seconds = start.elapsed().as_secs_f64();
    let frames = frames(&pty.bytes_since(mark));
    let mut sizes: Vec<usize> = frames.iter().map(String::len).collect();
    sizes.sort_unstable();
    // A change of the balance, a new line of the story and a notice that goes are among them; they are few.
    assert!(sizes[sizes.len() * 8 / 10] < 300, "{sizes:?} bytes");
    assert!(frames.len() as f64 <= seconds * 10.0 + 2.0, "{} frames in {seconds} s", frames.len());
    assert!(!frames.concat().contains("\x1b[2J"), "nothing is drawn whole");
}
