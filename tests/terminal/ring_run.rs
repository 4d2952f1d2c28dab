//! The ring of leavings for `run`, which has no screen: signals, a reader that goes, a kill.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::pty::cpu_seconds;
use super::scene::{Doing, Scene, each, each_way};

/// A run does nothing only when it is over.
const ALL: [Doing; 3] = [Doing::Running, Doing::Held, Doing::Fetching];

/// A run in the middle of it.
struct Run<'a> {
    scene: &'a Scene,
    child: Child,
    pid: Pid,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // Over already, unless a test failed.
        let _ = self.child.kill();
    }
}

impl Run<'_> {
    fn start(scene: &Scene) -> Run<'_> {
        let said = File::create(scene.stage.dir.path().join("said")).expect("a file");
        let mut command = scene.cli(&["run", "--json"]);
        let child = command.stdout(Stdio::piped()).stderr(said).spawn().expect("it starts");
        let pid = Pid::from_raw(child.id() as i32).expect("a running child has a pid");
        let run = Run { scene, child, pid };
        let state = if scene.doing == Doing::Running { "running" } else { scene.cut_off() };
        scene.wait_state(state, "");
        scene.wait_ordered();
        run
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.scene.stage.dir.path().join("said")).expect("text")
    }

    fn wait_said(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.said().contains(text) {
            assert!(Instant::now() < until, "{:?}: {text:?} is not said:\n{}", self.scene.doing, self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("it runs");
    }

    /// It waits, without spinning, for what was paid for.
    fn assert_waits(&mut self) {
        let before = cpu_seconds(self.pid);
        std::thread::sleep(Duration::from_millis(1200));
        assert!(self.child.try_wait().expect("a child").is_none(), "it waits for what was paid for: {}", self.said());
        let used = cpu_seconds(self.pid) - before;
        assert!(used < 0.6, "{:?}: {used} s of processor time while it only waits", self.scene.doing);
        assert_ne!(self.scene.state(), "done");
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("a child can be waited for").code()
    }
}

#[test]
fn a_signal_ends_a_run_with_what_was_paid_for_on_disk() {
    each_way(&[(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)], &ALL, |(signal, code), scene| {
        let mut run = Run::start(&scene);
        run.signal(signal);
        run.wait_said("stopping: nothing new is sent");
        if scene.is_waited_for() {
            run.assert_waits();
            scene.open();
        }
        assert_eq!(run.code(), Some(code), "{:?}", scene.doing);
        scene.assert_left(scene.finished());
    });
}

#[test]
fn a_second_signal_ends_a_run_at_once() {
    each(&[Doing::Held, Doing::Fetching], |scene| {
        let mut run = Run::start(&scene);
        run.signal(Signal::TERM);
        run.wait_said("A second signal leaves at once");
        run.signal(Signal::TERM);
        assert_eq!(run.code(), Some(143));
        assert!(run.said().contains("leaving at once; what is on disk goes on at the next start"), "{}", run.said());
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}

#[test]
fn a_reader_that_goes_ends_the_data_and_not_the_work() {
    each(&[Doing::Held, Doing::Fetching], |scene| {
        let mut run = Run::start(&scene);
        drop(run.child.stdout.take());
        scene.open();
        assert_eq!(run.code(), Some(0), "{}", run.said());
        scene.assert_left("done");
    });
}

#[test]
fn a_killed_run_is_gone_on_with() {
    each(&ALL, |scene| {
        let mut run = Run::start(&scene);
        run.signal(Signal::KILL);
        assert_eq!(run.code(), None);
        scene.assert_left(scene.cut_off());
        scene.assert_found_again();
    });
}
