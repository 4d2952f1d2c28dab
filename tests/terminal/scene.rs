//! What a program that is to leave is in the middle of, and what is left of it afterwards.
//!
//! Knows the states of the ring of leavings. Must not know how the program leaves.

use std::fmt::Debug;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::admin::Admin;
use super::gate::Gate;
use super::journey::files;
use super::pty::{Pty, Spawn};
use super::stage::{RUSHES, Stage};

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Nothing.
    Idle,
    /// A job is at its service, which is asked about it.
    Running,
    /// An order's answer is under way, and with it the clip: A4F's way.
    Held,
    /// Half of a clip came.
    Fetching,
}

/// All of them.
pub const ALL: [Doing; 4] = [Doing::Idle, Doing::Running, Doing::Held, Doing::Fetching];

/// A place where the program does something.
pub struct Scene {
    pub stage: Stage,
    pub doing: Doing,
    gate: Gate,
}

impl Scene {
    /// A place where one job is queued that makes the program do this.
    pub fn new(doing: Doing) -> Scene {
        // Slow enough to run to the end of any test, or at once: what is waited for waits at the gate.
        let stage = Stage::with_services(if doing == Doing::Running { 1.0 } else { 500.0 });
        let gate = Gate::before(&stage.simulator());
        let config = stage.dir.path().join("config/rushes");
        std::fs::create_dir_all(&config).expect("a place for the config");
        std::fs::write(config.join("config.toml"), "[accounts.ninjachat]\npoll_interval = 1\n").expect("a config");
        let scene = Scene { stage, doing, gate };
        let model = match doing {
            Doing::Idle => return scene,
            Doing::Held => "a4f/provider-2/seedance-lite",
            Doing::Running | Doing::Fetching => "ninjachat/veo-3.1-fast",
        };
        let told = scene.cli(&["add", "--model", model, "--prompt", "[slow] neon rain"]).output().expect("it starts");
        assert!(told.status.success(), "{told:?}");
        scene
    }

    /// The program's verbs, on this place's data and services.
    pub fn cli(&self, args: &[&str]) -> Command {
        let mut command = Command::new(RUSHES);
        command.args(args).env_clear().current_dir(self.stage.dir.path()).stdin(Stdio::null());
        command.envs(self.stage.variables(&self.gate.url));
        command
    }

    /// The dashboard, once it is in the middle of it.
    pub fn dashboard(&self) -> Pty {
        self.begin(self.spawn())
    }

    pub fn spawn(&self) -> Spawn {
        let spawn = self.stage.spawn(RUSHES, 120, 40);
        self.stage.variables(&self.gate.url).into_iter().fold(spawn, |spawn, (name, value)| spawn.env(&name, value))
    }

    pub fn begin(&self, spawn: Spawn) -> Pty {
        let pty = spawn.start();
        self.wait_doing(&pty);
        pty
    }

    /// Waits until the dashboard shows what is to go on.
    pub fn wait_doing(&self, pty: &Pty) {
        pty.wait_for("$129.46");
        match self.doing {
            Doing::Idle => {}
            Doing::Running => pty.wait_for("1 running"),
            Doing::Held => pty.wait_for("1 sending"),
            Doing::Fetching => pty.wait_for("1 fetching"),
        }
        self.wait_ordered();
    }

    /// Waits until the order is in the service's book.
    pub fn wait_ordered(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.orders() == 0 && self.doing != Doing::Idle {
            assert!(Instant::now() < until, "nothing was ordered");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets the answer or the rest of the clip come.
    pub fn open(&self) {
        self.gate.open();
    }

    /// Whether leaving waits for something.
    pub fn is_waited_for(&self) -> bool {
        matches!(self.doing, Doing::Held | Doing::Fetching)
    }

    /// What was ordered, by the services' own books.
    pub fn orders(&self) -> usize {
        let admin = Admin(self.stage.simulator());
        ["ninjachat", "nanogpt", "a4f"].into_iter().map(|service| admin.orders(service).len()).sum()
    }

    /// The job's state on disk; nothing where there is none.
    pub fn state(&self) -> String {
        let told = self.cli(&["list", "--json"]).output().expect("it starts");
        let text = String::from_utf8(told.stdout).expect("JSON is text");
        let job = text.lines().next().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        job.map_or(String::new(), |job| job["state"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the job is in this state on disk, and its history has this text.
    pub fn wait_state(&self, state: &str, text: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let told = self.cli(&["show", "j-1"]).output().expect("it starts");
            let shown = String::from_utf8_lossy(&told.stdout).into_owned();
            if self.state() == state && shown.contains(text) {
                return;
            }
            assert!(Instant::now() < until, "{:?}: never {state} with {text:?}:\n{shown}", self.doing);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Fails unless nothing was bought twice, the job stands so on disk, and its clip is there if it is done.
    pub fn assert_left(&self, state: &str) {
        let what = format!("{:?}", self.doing);
        assert_eq!(self.orders(), usize::from(self.doing != Doing::Idle), "{what}: orders");
        assert_eq!(self.state(), state, "{what}");
        let clips: Vec<PathBuf> = files(&self.stage, "mp4");
        assert_eq!(clips.len(), usize::from(state == "done"), "{what}: {clips:?}");
    }

    /// What the job is on disk where everything that was paid for was waited for.
    pub fn finished(&self) -> &'static str {
        match self.doing {
            Doing::Idle => "",
            Doing::Running => "running",
            Doing::Held | Doing::Fetching => "done",
        }
    }

    /// What the job is on disk where nothing was waited for.
    pub fn cut_off(&self) -> &'static str {
        match self.doing {
            Doing::Idle => "",
            Doing::Running => "running",
            Doing::Held => "submitting",
            Doing::Fetching => "downloading",
        }
    }

    /// Starts it again, with the way free: fails unless it finds what was cut off, and buys nothing.
    pub fn assert_found_again(&self) {
        self.open();
        let pty = self.spawn().start();
        pty.wait_for("$129.46");
        let (shown, state) = match self.doing {
            Doing::Idle => return,
            Doing::Running => ("1 running", "running"),
            Doing::Held => ("1 lost?", "unconfirmed"),
            Doing::Fetching => ("1 done", "done"),
        };
        pty.wait_for(shown);
        self.assert_left(state);
        if self.doing == Doing::Held {
            // Nobody will ever know: what it costs to be wrong is said.
            self.wait_state("unconfirmed", "if it was taken, 1 run");
        }
    }
}

/// Runs a cell for each of these at once, since they mostly wait.
pub fn each(doings: &[Doing], cell: impl Fn(Scene) + Sync) {
    each_way(&[()], doings, |(), scene| cell(scene));
}

/// The same, each in all these ways.
pub fn each_way<W: Copy + Debug + Sync + Send>(ways: &[W], doings: &[Doing], cell: impl Fn(W, Scene) + Sync) {
    std::thread::scope(|scope| {
        let cell = &cell;
        let both = ways.iter().flat_map(|way| doings.iter().map(move |doing| (*way, *doing)));
        let cells: Vec<_> =
            both.map(|(way, doing)| ((way, doing), scope.spawn(move || cell(way, Scene::new(doing))))).collect();
        let failed: Vec<String> =
            cells.into_iter().filter_map(|(which, cell)| cell.join().err().map(|_| format!("{which:?}"))).collect();
        assert!(failed.is_empty(), "failed: {failed:?}; see above");
    });
}
