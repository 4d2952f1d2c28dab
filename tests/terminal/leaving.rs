//! However the dashboard ends, the terminal is as it was, the exit code says why, and nothing spins.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::clip;
use super::journey::{compose, files};
use super::pty::Pty;
use super::stage::{RUSHES, Stage, ready};

fn up(stage: &Stage) -> Pty {
    let pty = stage.dashboard(100, 30).start();
    ready(&pty);
    assert!(pty.with_screen(vt100::Screen::alternate_screen), "the dashboard has a screen of its own");
    assert!(pty.with_screen(vt100::Screen::bracketed_paste), "pastes are asked for");
    pty
}

#[test]
fn ctrl_q_leaves_with_0_and_gives_the_terminal_back() {
    let stage = Stage::new();
    let mut pty = up(&stage);
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

#[test]
fn every_signal_that_ends_it_gives_the_terminal_back_and_is_in_the_exit_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let stage = Stage::new();
        let pty = up(&stage);
        pty.signal(signal);
        assert_eq!(pty.wait_exit(), code, "{signal:?}");
        pty.assert_restored();
    }
}

/// While the program starts, from when signals do not end it by themselves any more.
#[test]
fn a_signal_during_the_start_ends_it_too() {
    for args in [&[][..], &["--plain"]] {
        for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
            let stage = Stage::new();
            let pty = stage.dashboard(100, 30).args(args).start();
            // The last of the four that are listened to.
            pty.wait_until_caught(Signal::QUIT);
            pty.signal(signal);
            assert_eq!(pty.wait_exit(), code, "{signal:?} {args:?}");
            pty.assert_restored();
        }
    }
}

#[test]
fn a_lost_connection_ends_it() {
    let stage = Stage::new();
    let mut pty = up(&stage);
    pty.hang_up("<C-l>");
    assert_eq!(pty.wait_exit(), 129);
}

#[test]
fn a_terminal_that_dies_without_a_signal_ends_it_instead_of_spinning() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(100, 30).without_signals().start();
    ready(&pty);
    // Half an escape sequence is on its way while the line drops: the worst moment for a reader.
    pty.hang_up("<C-l>\x1b[1;");
    assert_eq!(pty.wait_exit(), 129);
}

#[test]
fn a_panic_gives_the_terminal_back_says_what_happened_and_ends_with_101() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(100, 30).env("RUSHES_TEST_PANIC", "1").start();
    ready(&pty);
    pty.keys("<F12>");
    assert_eq!(pty.wait_exit(), 101);
    pty.wait_for("provoked by F12");
    pty.assert_restored();
    assert!(pty.screen().contains("start it again"), "{}", pty.screen());
}

#[test]
fn a_terminal_that_takes_no_bytes_does_not_keep_a_signal_from_ending_it() {
    let stage = Stage::new();
    let mut pty = up(&stage);
    pty.stop_reading();
    // Whole screens until the line is full and the write of a frame hangs: the output thread then sleeps in the kernel.
    for cols in (200..300).cycle() {
        if pty.output_is_stuck() {
            break;
        }
        assert!(pty.has_time(), "no thread of its own writes to the terminal");
        pty.resize(cols, 90);
    }
    // More of what a loop that writes by itself would now hang in.
    pty.keys("<C-l><Down><Up><C-l>");
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_exit(), 143);
}

/// An A4F order holds its connection until the clip is made: what is paid for is fetched though nobody looks on.
#[test]
fn a_lost_connection_does_not_lose_a_paid_clip() {
    let stage = Stage::with_services(8.0);
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    compose(&mut pty, "a4f/provider-2/seedance-lite", "neon rain");
    pty.keys("<C-s>");
    pty.wait_for("queued j-1");
    pty.wait_until("the order is out", |screen| screen.contents().contains("1 sending"));
    assert!(files(&stage, "mp4").is_empty(), "the clip is not there yet");
    pty.hang_up("<C-l>");
    let (before, start) = (pty.cpu_seconds(), Instant::now());
    assert_eq!(
        pty.wait_exit_watching(|pty| {
            let used = pty.cpu_seconds() - before;
            assert!(used < 0.5 * start.elapsed().as_secs_f64() + 0.5, "{used} s of processor time while it only waits");
        }),
        129
    );
    let clips = files(&stage, "mp4");
    assert_eq!(clips.len(), 1, "{clips:?}");
    assert!(clip::decode(&std::fs::read(&clips[0]).expect("it can be read")).frames > 0);
}

/// A second TERM does not wait.
#[test]
fn a_second_term_leaves_at_once() {
    let stage = Stage::with_services(0.1);
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    compose(&mut pty, "a4f/provider-2/seedance-lite", "neon rain");
    pty.keys("<C-s>");
    pty.wait_until("the order is out", |screen| screen.contents().contains("1 sending"));
    pty.signal(Signal::TERM);
    pty.wait_for("Ctrl-C leaves at once");
    assert!(pty.is_running(), "it waits for the order's answer");
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_exit(), 143);
    pty.assert_restored();
}

/// Through a shell with job control, as a user has one.
#[test]
fn ctrl_z_stops_it_on_a_usable_terminal_and_fg_brings_the_whole_screen_back() {
    let stage = Stage::new();
    let mut pty = stage.spawn("/bin/sh", 100, 30).args(&["-i"]).env("PS1", "shell> ").env("ENV", "").start();
    pty.wait_for("shell> ");
    pty.send(format!("{RUSHES}\r").as_bytes());
    pty.wait_until("the dashboard is up", vt100::Screen::alternate_screen);
    ready(&pty);

    let mark = pty.mark();
    pty.keys("<C-z>");
    pty.wait_until("the shell has its screen back", |screen| !screen.alternate_screen());
    pty.wait_until("the shell says that it stopped", |screen| screen.contents().contains("topped"));
    pty.wait_written(mark, "shell> ");
    assert!(!pty.with_screen(vt100::Screen::hide_cursor) && !pty.with_screen(vt100::Screen::bracketed_paste));
    pty.send(b"echo us''able\r");
    pty.wait_for("usable");

    pty.resize(90, 28);
    pty.resize(100, 30);
    pty.send(b"fg\r");
    pty.wait_until("the dashboard is back", vt100::Screen::alternate_screen);
    pty.wait_for("$129.46");
    let back = pty.settled_screen();
    let mark = pty.mark();
    pty.keys("<C-l>");
    pty.wait_written(mark, "\x1b[2J");
    assert_eq!(pty.settled_screen(), back, "all of the screen came back");
    assert!(pty.with_screen(vt100::Screen::bracketed_paste), "the modes are switched on again");

    let mark = pty.mark();
    pty.keys("<C-q>");
    // Only once the shell asks is the line its own: what is typed before goes to the leaving program.
    pty.wait_written(mark, "shell> ");
    pty.send(b"echo code $?\r");
    pty.wait_for("code 0");
    pty.send(b"exit\r");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

/// As `ssh host rushes` has it: the program is the session, nobody could ever continue it.
#[test]
fn ctrl_z_without_a_shell_says_so_instead_of_stopping_for_ever() {
    let stage = Stage::new();
    let mut pty = up(&stage);
    pty.keys("<C-z>");
    pty.wait_for("no shell");
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

#[test]
fn a_pipe_is_no_terminal_and_the_error_says_what_to_do() {
    let stage = Stage::new();
    let pty = stage.spawn("/bin/sh", 100, 30).args(&["-c", &format!("{RUSHES} </dev/null")]).start();
    assert_eq!(pty.wait_exit(), 2);
    pty.settle(Duration::from_millis(50));
    assert!(pty.screen().contains("rushes run"), "{}", pty.screen());
}
