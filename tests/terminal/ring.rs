//! The ring of leavings: every way the dashboard ends, in the middle of everything it does.
//!
//! A row is a way to leave, a column what goes on. Each cell: exit code, the service's order book, what is on
//! disk, what is printed, the terminal given back, no processor time while it only waits.

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use std::time::Duration;

use super::pty::Pty;
use super::scene::{ALL, Doing, Scene, each, each_way};
use super::stage::RUSHES;

/// Lets what it waits for come after it has waited a while, and awaits its end; the exit code.
fn ends(scene: &Scene, pty: &Pty) -> u32 {
    if scene.is_waited_for() {
        let before = pty.cpu_seconds();
        std::thread::sleep(Duration::from_millis(1200));
        assert!(pty.is_running(), "{:?}: it waits for what was paid for", scene.doing);
        let used = pty.cpu_seconds() - before;
        assert!(used < 0.6, "{:?}: {used} s of processor time while it only waits", scene.doing);
        assert_ne!(scene.state(), "done");
        scene.open();
    }
    pty.wait_exit()
}

/// Fails unless the terminal is as it was; what was written last may still be on its way to us.
fn restored(pty: &Pty) {
    pty.wait_until("the screen is given back", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    pty.assert_restored();
}

/// A signal that is obeyed with what was paid for on disk.
fn obeys(signal: Signal, code: u32) {
    each(&ALL, |scene| {
        let pty = scene.dashboard();
        pty.signal(signal);
        if scene.is_waited_for() && signal != Signal::HUP {
            pty.wait_for("Waiting for orders under way and for downloads; Ctrl-C leaves at once");
        }
        assert_eq!(ends(&scene, &pty), code, "{:?}", scene.doing);
        restored(&pty);
        scene.assert_left(scene.finished());
    });
}

#[test]
fn sigterm() {
    obeys(Signal::TERM, 143);
}

#[test]
fn sigint() {
    obeys(Signal::INT, 130);
}

#[test]
fn sighup() {
    obeys(Signal::HUP, 129);
}

#[test]
fn sigterm_twice() {
    each(&ALL, |scene| {
        let pty = scene.dashboard();
        pty.signal(Signal::TERM);
        if scene.is_waited_for() {
            pty.wait_for("Ctrl-C leaves at once");
            pty.signal(Signal::TERM);
            pty.wait_for("Left at once; what is on disk goes on at the next start.");
        }
        assert_eq!(pty.wait_exit(), 143, "{:?}", scene.doing);
        restored(&pty);
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}

/// `q` and Ctrl-C, which is a key here, ask where paid answers are open; yes waits for them.
#[test]
fn keys_with_their_question() {
    each_way(&["q", "<C-c>"], &ALL, |key, scene| {
        let mut pty = scene.dashboard();
        pty.keys("<Esc>");
        pty.settle(Duration::from_millis(100));
        pty.keys(key);
        if scene.is_waited_for() {
            pty.wait_for(if scene.doing == Doing::Held {
                "waiting for the service's answer"
            } else {
                "on the way to disk"
            });
            assert!(pty.is_running(), "it asks first");
            pty.keys("y");
            pty.wait_for("Waiting for orders under way");
        }
        assert_eq!(ends(&scene, &pty), 0, "{key} {:?}", scene.doing);
        restored(&pty);
        scene.assert_left(scene.finished());
    });
}

/// Asked again while it asks, it leaves at once.
#[test]
fn keys_twice() {
    each(&[Doing::Held, Doing::Fetching], |scene| {
        let mut pty = scene.dashboard();
        pty.keys("<C-q>");
        pty.wait_for("Ctrl-Q again leaves at once");
        pty.keys("<C-q>");
        assert_eq!(pty.wait_exit(), 0);
        restored(&pty);
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}

#[test]
fn a_terminal_that_closes() {
    each_way(&[true, false], &ALL, |controlling, scene| {
        // A terminal of its own says goodbye with SIGHUP, another one with nothing.
        let spawn = if controlling { scene.spawn() } else { scene.spawn().without_signals() };
        let mut pty = scene.begin(spawn);
        pty.hang_up("<C-l>");
        assert_eq!(ends(&scene, &pty), 129, "{:?}", scene.doing);
        scene.assert_left(scene.finished());
    });
}

/// Stopped by its shell in the middle of it, and continued: nothing is lost, and the screen comes back.
#[test]
fn ctrl_z_and_back() {
    each(&ALL, |scene| {
        let mut pty = scene.spawn().through_shell().start();
        pty.wait_for("shell> ");
        pty.send(format!("{RUSHES}\r").as_bytes());
        scene.wait_doing(&pty);
        let mark = pty.mark();
        pty.keys("<C-z>");
        pty.wait_until("the shell has its screen back", |screen| !screen.alternate_screen());
        pty.wait_written(mark, "shell> ");
        // What it waits for comes while it is stopped.
        scene.open();
        pty.send(b"fg\r");
        pty.wait_until("the dashboard is back", vt100::Screen::alternate_screen);
        match scene.doing {
            Doing::Idle => pty.wait_for("$129.46"),
            Doing::Running => pty.wait_for("1 running"),
            Doing::Held | Doing::Fetching => pty.wait_for("1 done"),
        }
        let mark = pty.mark();
        pty.keys("<C-q>");
        pty.wait_written(mark, "shell> ");
        pty.send(b"echo code $?; exit\r");
        pty.wait_for("code 0");
        pty.wait_exit();
        restored(&pty);
        scene.assert_left(scene.finished());
    });
}

#[test]
fn kill_9() {
    each(&ALL, |scene| {
        let pty = scene.dashboard();
        pty.signal(Signal::KILL);
        pty.wait_killed();
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}

/// Memory that is refused ends the process like a kill: what is on disk is all there is, and it is enough.
#[test]
fn out_of_memory() {
    each(&ALL, |scene| {
        let mut pty = scene.dashboard();
        let now = Some(pty.virtual_bytes());
        prlimit(Some(pty.pid()), Resource::As, Rlimit { current: now, maximum: now }).expect("a limit can be lowered");
        // A screen of half a million cells needs more than there is.
        pty.resize(1000, 500);
        pty.wait_killed();
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}
