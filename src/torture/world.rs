//! One world: a simulator, a directory, a worker that dies at a point and one that goes on after it.
//!
//! Knows processes and deadlines. Must not judge what came of it.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::admin;
use super::day::Day;
use super::judge::{self, Judgement};
use super::lost::Life;
use super::point::{self, Death, Point};
use super::worker::Errand;
use super::{Options, VERB};
use crate::sim::{SimOptions, Simulator};

/// How much faster than ours the simulator's clock runs: a clip takes some tens of milliseconds.
const SPEED: f64 = 1000.0;

/// No day takes this long, on however busy a machine; one that does is stuck.
const LONGEST: Duration = Duration::from_secs(600);

/// A worker that dies while it picks up the pieces passes fewer points than this.
const SOON: u32 = 60;

/// The smallest PNG there is: one transparent pixel.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

/// What came of a world.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What its first worker passed.
    pub(super) passed: BTreeSet<Point>,
    /// The same in their order.
    pub(super) order: Vec<Point>,
    /// At how many of the points, the first ones, a worker died.
    pub(super) reached: usize,
    /// Whether the worker that went on died, too.
    pub(super) died_again: bool,
    /// Whether it took another look to find an order that its service lists.
    pub(super) looked_again: bool,
    /// What the judge says.
    pub(super) judgement: Judgement,
}

/// Works a day in a fresh world; the worker dies at the first of `deaths` and another goes on, which dies
/// at the next.
///
/// # Errors
/// A sentence when the world itself cannot be made or asked: no verdict on the engine.
pub(super) async fn live(options: &Options, number: usize, deaths: &[Point]) -> Result<Outcome, String> {
    // Several tortures may go on in one process.
    static WORLDS: AtomicUsize = AtomicUsize::new(0);
    let world = WORLDS.fetch_add(1, Ordering::SeqCst);
    let dir = ground().join(format!("rushes-torture-{}-{world}", std::process::id()));
    let io = |error: std::io::Error| format!("{}: {error}", dir.display());
    std::fs::create_dir(&dir).map_err(io)?;
    std::fs::write(Errand::picture(&dir), PICTURE).map_err(io)?;
    let sim = SimOptions { speed: SPEED, cheap_clips: true, seed: options.seed, ..SimOptions::default() };
    let sim = Simulator::start(sim).await.map_err(|error| format!("the simulator cannot start: {error}"))?;
    let url = sim.url();
    let day = Day::script(&options.services, options.brief)?;
    for fault in day.faults() {
        admin::post(&url, "faults", &fault).await?;
    }
    let world = World { options, dir, url, day };
    let outcome = world.live(number, deaths).await;
    sim.shutdown().await;
    let outcome = outcome?;
    if outcome.judgement.violations.is_empty() || !options.keep {
        std::fs::remove_dir_all(&world.dir).map_err(|error| format!("{}: {error}", world.dir.display()))?;
    }
    Ok(outcome)
}

/// A directory and a simulator, in which a day is worked.
struct World<'a> {
    options: &'a Options,
    dir: PathBuf,
    url: String,
    day: Day,
}

impl World<'_> {
    async fn live(&self, number: usize, deaths: &[Point]) -> Result<Outcome, String> {
        let mut judgement = Judgement::default();
        let mut lives = Vec::new();
        let mut ahead = deaths.iter().cloned().map(Death::At);
        let mut ended = self.run("first", ahead.next(), false, &mut lives).await?;
        let (mut reached, mut died_again) = (0, false);
        if was_killed(ended) {
            reached += 1;
            for fault in self.day.leftovers() {
                admin::post(&self.url, "faults", &fault).await?;
            }
        }
        for death in ahead {
            if was_killed(ended) {
                ended = self.run("next", Some(death), false, &mut lives).await?;
                reached += usize::from(was_killed(ended));
            }
        }
        if was_killed(ended) {
            let seed = self.options.seed ^ (number as u64);
            let again = self.options.twice.then(|| Death::After(fastrand::Rng::with_seed(seed).u32(1..SOON)));
            ended = self.run("second", again, false, &mut lives).await?;
            died_again = was_killed(ended);
            if died_again {
                ended = self.run("third", None, false, &mut lives).await?;
            }
        }
        self.judge_end(ended, "last", &mut judgement);
        if deaths.is_empty() {
            self.judge_script(&mut judgement).await?;
        }
        let mut judged = self.judge(&lives).await?;
        // An order may have come to its service after it was looked for there: absence is no proof.
        let looked_again = !judged.findable.is_empty();
        if looked_again {
            let ended = self.run("looking", None, true, &mut lives).await?;
            self.judge_end(ended, "looking", &mut judgement);
            judged = self.judge(&lives).await?;
        }
        judgement.add(judged);
        let findable = std::mem::take(&mut judgement.findable);
        judgement.violations.extend(findable);
        if let Some(last) = judgement.violations.last_mut().filter(|_| self.options.keep) {
            *last += &format!(" (the world is kept in {})", self.dir.display());
        }
        let passed = std::mem::take(&mut lives[0].passed);
        let first = self.dir.join("first").with_extension("points");
        let order = point::read_in_order(&first).map_err(|error| format!("{}: {error}", first.display()))?;
        Ok(Outcome { passed, order, reached, died_again, looked_again, judgement })
    }

    async fn judge(&self, lives: &[Life]) -> Result<Judgement, String> {
        let (orders, bank) = (admin::get(&self.url, "orders").await?, admin::get(&self.url, "bank").await?);
        tokio::task::block_in_place(|| judge::judge(&orders, &bank, &self.dir, &self.day, lives))
    }

    fn judge_end(&self, ended: Option<ExitStatus>, which: &str, judgement: &mut Judgement) {
        let said = std::fs::read_to_string(self.dir.join("stderr")).unwrap_or_default();
        match ended {
            Some(status) if status.success() => {}
            Some(status) => judgement.fault(format!("the {which} worker ended with {status}: {}", said.trim())),
            None => judgement.fault(format!("the {which} worker was not done after {} s", LONGEST.as_secs())),
        }
    }

    /// Every fault of the script meets its request in a day that nothing disturbs.
    async fn judge_script(&self, judgement: &mut Judgement) -> Result<(), String> {
        let waiting = admin::get(&self.url, "faults").await?;
        for fault in waiting.as_array().into_iter().flatten() {
            judgement.fault(format!("a fault of the script met nothing: {fault}"));
        }
        Ok(())
    }

    /// Runs a worker to its end; `None` where it had to be ended.
    async fn run(
        &self,
        which: &str,
        death: Option<Death>,
        settles: bool,
        lives: &mut Vec<Life>,
    ) -> Result<Option<ExitStatus>, String> {
        let diary = self.dir.join(which).with_extension("points");
        let errand = Errand {
            url: self.url.clone(),
            dir: self.dir.clone(),
            services: self.options.services.clone(),
            brief: self.options.brief,
            diary: diary.clone(),
            death,
            settles,
        };
        let path = diary.with_extension("errand");
        let text = serde_json::to_string(&errand).map_err(|error| error.to_string())?;
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        let (program, said) = (self.options.program.clone(), self.dir.join("stderr"));
        let waited = tokio::task::spawn_blocking(move || start_and_wait(&program, &path, &said));
        let ended = waited.await.map_err(|error| error.to_string())?;
        let ended = ended.map_err(|error| format!("the worker cannot run: {error}"))?;
        let passed = point::read(&diary).map_err(|error| format!("{}: {error}", diary.display()))?;
        lives.push(Life { passed, killed: was_killed(ended) });
        Ok(ended)
    }
}

/// Where worlds are made: in memory where there is room for them. A killed process loses nothing that
/// it wrote, on whatever medium, so only the waiting for a disk is saved.
fn ground() -> PathBuf {
    const ROOM: u64 = 1 << 30;
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    if room > ROOM { memory.to_owned() } else { std::env::temp_dir() }
}

fn was_killed(ended: Option<ExitStatus>) -> bool {
    ended.is_some_and(|status| status.signal() == Some(9))
}

fn start_and_wait(program: &PathBuf, errand: &Path, said: &Path) -> std::io::Result<Option<ExitStatus>> {
    let mut worker = Command::new(program)
        .arg(VERB)
        .arg(errand)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(said)?)
        .spawn()?;
    let start = Instant::now();
    loop {
        match worker.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if start.elapsed() > LONGEST => {
                worker.kill()?;
                worker.wait()?;
                return Ok(None);
            }
            // There is no way to wait for a process with a limit, short of a thread for each.
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
