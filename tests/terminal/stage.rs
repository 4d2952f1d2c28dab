//! The dashboard with a data directory of its own, simulated services and no keys.

use std::ffi::OsString;
use std::time::Duration;

use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::pty::{Pty, Spawn};

/// The program under test.
pub const RUSHES: &str = env!("CARGO_BIN_EXE_rushes");

/// Long enough that a frame that is due has come: the slowest clock on the screen steps each second.
pub const A_WHILE: Duration = Duration::from_millis(400);

/// A place for one run: its directories.
pub struct Stage {
    /// Everything the run may write.
    pub dir: TempDir,
    /// The services, where they are not the program's own.
    services: Option<(Runtime, Simulator)>,
}

impl Stage {
    /// An empty one.
    pub fn new() -> Stage {
        Stage { dir: tempfile::tempdir().expect("a place for temporary files"), services: None }
    }

    /// One with services of its own, so many times faster than real ones.
    pub fn with_services(speed: f64) -> Stage {
        let runtime = Runtime::new().expect("a runtime");
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        let simulator = runtime.block_on(Simulator::start(options)).expect("a free port");
        Stage { services: Some((runtime, simulator)), ..Stage::new() }
    }

    /// Where its services are.
    pub fn simulator(&self) -> String {
        self.services.as_ref().expect("a stage with services").1.url()
    }

    /// The environment of a program in this place, with its services behind this address.
    pub fn variables(&self, url: &str) -> Vec<(String, OsString)> {
        let dir = self.dir.path();
        let places = [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_VIDEOS_DIR", "videos"),
        ];
        let places = places.map(|(name, place)| (name.to_owned(), dir.join(place).into_os_string()));
        let services = [("NINJACHAT", NINJACHAT_KEY), ("NANOGPT", NANOGPT_KEY), ("A4F", A4F_KEY)];
        let services = services.map(|(name, key)| {
            let base = format!("{url}/{}", name.to_lowercase());
            [(format!("{name}_API_KEY"), key.into()), (format!("RUSHES_{name}_BASE_URL"), base.into())]
        });
        places.into_iter().chain(services.into_iter().flatten()).collect()
    }

    /// Anything, started in this place.
    pub fn spawn(&self, program: &str, cols: u16, rows: u16) -> Spawn {
        let dir = self.dir.path();
        Spawn::new(program, cols, rows)
            .cwd(dir)
            .env("HOME", dir)
            .env("XDG_CONFIG_HOME", dir.join("config"))
            .env("XDG_DATA_HOME", dir.join("data"))
            .env("XDG_STATE_HOME", dir.join("state"))
            .env("XDG_CACHE_HOME", dir.join("cache"))
            .env("XDG_VIDEOS_DIR", dir.join("videos"))
    }

    /// The dashboard, as it is started by a user without any key.
    pub fn dashboard(&self, cols: u16, rows: u16) -> Spawn {
        let mut spawn = self.spawn(RUSHES, cols, rows);
        if let Some((_, simulator)) = &self.services {
            for (name, key) in [("NINJACHAT", NINJACHAT_KEY), ("NANOGPT", NANOGPT_KEY), ("A4F", A4F_KEY)] {
                spawn = spawn
                    .env(&format!("{name}_API_KEY"), key)
                    .env(&format!("RUSHES_{name}_BASE_URL"), format!("{}/{}", simulator.url(), name.to_lowercase()));
            }
        }
        spawn
    }
}

/// Waits until the dashboard is up with the engine's snapshot, and still.
pub fn ready(pty: &Pty) {
    pty.wait_for("$129.46");
    pty.settle(A_WHILE);
}
