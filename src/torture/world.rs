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
use super::point::{self, Death, Point};
use super::worker::Errand;
use super::{Options, VERB};
use crate::sim::{SimOptions, Simulator};

/// How much faster than ours the simulator's clock runs: a clip takes some tens of milliseconds.
const SPEED: f64 = 1000.0;

/// No day takes this long; one that does is stuck.
const LONGEST: Duration = Duration::from_secs(90);

/// A worker that dies while it picks up the pieces passes fewer points than this.
const SOON: u32 = 60;

/// The smallest PNG there is: one transparent pixel.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

/// What came of a world.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What its first worker passed.
    pub(super) passed: BTreeSet<Point>,
    /// Whether that worker died where it should have, or needed not to.
    pub(super) reached: bool,
    /// Whether the worker that went on died, too.
    pub(super) died_again: bool,
    /// What the judge says.
    pub(super) judgement: Judgement,
}

/// Works a day in a fresh world; with `last`, the worker dies there and another goes on.
///
/// # Errors
/// A sentence when the world itself cannot be made or asked: no verdict on the engine.
pub(super) async fn live(options: &Options, number: usize, last: Option<Point>) -> Result<Outcome, String> {
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
    for variant in day.variants() {
        admin::post(&url, "variants", &variant).await?;
    }
    let first = dir.join("first.points");
    let mut judgement = Judgement::default();
    let ended = run(options, &dir, &url, &first, last.clone().map(Death::At)).await?;
    let (died, mut died_again) = (was_killed(ended), false);
    let reached = died == last.is_some();
    if !died {
        judge_end(ended, "first", &dir, &mut judgement);
    } else {
        let again =
            options.twice.then(|| Death::After(fastrand::Rng::with_seed(options.seed ^ (number as u64)).u32(1..SOON)));
        let mut next = run(options, &dir, &url, &dir.join("second.points"), again).await?;
        died_again = was_killed(next);
        if died_again {
            next = run(options, &dir, &url, &dir.join("third.points"), None).await?;
        }
        judge_end(next, "last", &dir, &mut judgement);
    }
    let books = dir.clone();
    let (orders, bank) = (admin::get(&url, "orders").await?, admin::get(&url, "bank").await?);
    sim.shutdown().await;
    let judged =
        tokio::task::spawn_blocking(move || judge::judge(&orders, &bank, &books, |account| day.service_of(account)));
    judgement.add(judged.await.map_err(|error| error.to_string())??);
    let passed = point::read(&first).map_err(io)?;
    match judgement.violations.last_mut().filter(|_| options.keep) {
        Some(last) => *last += &format!(" (the world is kept in {})", dir.display()),
        None => std::fs::remove_dir_all(&dir).map_err(io)?,
    }
    Ok(Outcome { passed, reached, died_again, judgement })
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

fn judge_end(ended: Option<ExitStatus>, which: &str, dir: &Path, judgement: &mut Judgement) {
    let said = std::fs::read_to_string(dir.join("stderr")).unwrap_or_default();
    match ended {
        Some(status) if status.success() => {}
        Some(status) => judgement.fault(format!("the {which} worker ended with {status}: {}", said.trim())),
        None => judgement.fault(format!("the {which} worker was not done after {} s", LONGEST.as_secs())),
    }
}

/// Runs a worker to its end; `None` where it had to be ended.
async fn run(
    options: &Options,
    dir: &Path,
    url: &str,
    diary: &Path,
    death: Option<Death>,
) -> Result<Option<ExitStatus>, String> {
    let errand = Errand {
        url: url.to_owned(),
        dir: dir.to_owned(),
        services: options.services.clone(),
        brief: options.brief,
        diary: diary.to_owned(),
        death,
    };
    let path = diary.with_extension("errand");
    let text = serde_json::to_string(&errand).map_err(|error| error.to_string())?;
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let (program, said) = (options.program.clone(), dir.join("stderr"));
    let waited = tokio::task::spawn_blocking(move || start_and_wait(&program, &path, &said));
    waited.await.map_err(|error| error.to_string())?.map_err(|error| format!("the worker cannot run: {error}"))
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
