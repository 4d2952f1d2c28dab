//! A user's machine for the binary: a home, the simulator as all three services, and what is said.
//!
//! Knows nothing of what is tested with it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rushes::sim::{self, SimOptions, Simulator};
use serde_json::Value;

use crate::admin::Admin;

/// A user's machine: a home, the simulator as all three services, and the binary.
pub struct Place {
    pub dir: tempfile::TempDir,
    /// The simulator's back door.
    pub admin: Admin,
    /// Where the simulator works.
    pub runtime: tokio::runtime::Runtime,
    _simulator: Simulator,
}

impl Place {
    pub fn new() -> Place {
        Place::at_speed(200.0)
    }

    pub fn at_speed(speed: f64) -> Place {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        let simulator = runtime.block_on(Simulator::start(options)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config/rushes");
        std::fs::create_dir_all(&config).unwrap();
        let quick = "[accounts.ninjachat]\npoll_interval = 1\n[accounts.nanogpt]\npoll_interval = 1\n";
        std::fs::write(config.join("config.toml"), quick).unwrap();
        Place { dir, admin: Admin(simulator.url()), runtime, _simulator: simulator }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// The binary with nothing of the tester's environment.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rushes"));
        command.args(args).env_clear().stdin(Stdio::null()).current_dir(self.dir.path());
        command.env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin");
        command.env("XDG_CONFIG_HOME", self.path("config")).env("XDG_DATA_HOME", self.path("data"));
        command
    }

    /// The same with the three accounts.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        for (name, key) in [("NINJACHAT", sim::NINJACHAT_KEY), ("NANOGPT", sim::NANOGPT_KEY), ("A4F", sim::A4F_KEY)] {
            command.env(format!("{name}_API_KEY"), key);
            command.env(format!("RUSHES_{name}_BASE_URL"), format!("{}/{}", self.admin.0, name.to_lowercase()));
        }
        command
    }

    pub fn rushes(&self, args: &[&str]) -> Told {
        Told::of(self.command(args).output().unwrap())
    }

    pub fn jobs(&self) -> Vec<Value> {
        self.rushes(&["list", "--json"]).json()
    }

    /// What the simulator was ordered to make.
    pub fn orders(&self) -> usize {
        ["ninjachat", "nanogpt", "a4f"].into_iter().map(|service| self.admin.orders(service).len()).sum()
    }
}

/// What the binary said.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Told {
    pub fn of(output: Output) -> Told {
        Told {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Told {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// All of these are said on standard error, and no terminal is steered.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Told {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not said: {self:#?}");
        }
        assert!(!self.err.contains('\u{1b}'), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
    }
}

/// A batch row.
pub fn row(model: &str, prompt: &str) -> String {
    format!("{{\"model\":\"{model}\",\"prompt\":\"{prompt}\"}}\n")
}
