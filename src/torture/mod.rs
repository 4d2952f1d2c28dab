//! `rushes torture`: a day at the simulated services, worked again and again by a process that is
//! killed at a named point of its work, and judged by the simulator's books.
//!
//! Knows the engine's handle, its own script and the simulator it starts. Must not know how the
//! engine works inside, nor any real service.
//!
//! ```text
//! day.rs, day.toml  what is queued, and what goes wrong    worker.rs  the process that dies
//! point.rs          where it can die                       world.rs   one simulator, one directory
//! judge.rs, lost.rs what must be true afterwards           report.rs  what is printed
//! ```

mod admin;
mod day;
mod judge;
mod lost;
mod point;
mod report;
mod worker;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use lost::Reason;
pub use point::Point;
pub use report::{Report, Violation};
pub use worker::work;

use crate::domain::Service;
use day::Day;

/// The hidden verb that a worker is started with, followed by the path of its errand.
pub const VERB: &str = "torture-worker";

/// Undisturbed days that find the points: what only one of them passes hangs on chance.
const DRY_PASSES: usize = 2;

/// A point that hangs on the machine's speed may be missed; one that is missed so often is not reached.
const TRIES: usize = 3;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// This program, for the worker processes.
    pub program: PathBuf,
    /// How many kills; `None` is one for each service and step.
    pub kills: Option<usize>,
    /// Which points are chosen, and what the simulator draws.
    pub seed: u64,
    /// At which services.
    pub services: Vec<Service>,
    /// A day without what only waits.
    pub brief: bool,
    /// Two kills in one day, where the worker after the first still comes to the second.
    pub paired: bool,
    /// The worker that goes on dies, too, soon after its start; a third one goes on then.
    pub twice: bool,
    /// A world in which something was wrong is left on disk, to be looked at.
    pub keep: bool,
}

/// Finds the points, kills a worker at each chosen one, lets another go on, and judges every world.
/// `told` hears how far it is, now and then.
///
/// # Errors
/// A sentence when no verdict was possible at all.
pub async fn torture(options: Options, mut told: impl FnMut(String)) -> Result<Report, String> {
    let start = Instant::now();
    let day = Day::script(&options.services, options.brief)?;
    let shared = Arc::new(options);
    let mut passes = Vec::new();
    let mut dry = Vec::new();
    let mut order = Vec::new();
    let mut worlds = World::all(&shared, vec![Vec::new(); DRY_PASSES], 0);
    while let Some((_, outcome)) = next(&mut worlds).await? {
        passes.push(outcome.passed);
        order = outcome.order;
        dry.push(outcome.judgement);
    }
    let mut points = point::steady(&passes);
    // Only a slow job is surely still under way when it is first asked about.
    points.retain(|point| !point.step.starts_with("poll.commit") || day.is_slow(&point.subject));
    if points.is_empty() {
        return Err(format!("the dry passes found no point: {:?}", dry.first().map(|judged| &judged.violations)));
    }
    let mut report = Report::new(points.len());
    dry.into_iter().for_each(|judgement| report.add(None, judgement));
    let chosen = point::choose(&points, |subject| day.service_of(subject), shared.kills, shared.seed);
    let of = chosen.len();
    told(format!("{} points found, {of} kills to come", points.len()));
    let mut first = DRY_PASSES;
    let mut ahead = match shared.paired {
        true => point::pair(chosen, &order),
        false => chosen.into_iter().map(|point| vec![point]).collect(),
    };
    for attempt in 1..=TRIES {
        let mut worlds = World::all(&shared, std::mem::take(&mut ahead), first);
        first += of;
        while let Some((deaths, outcome)) = next(&mut worlds).await? {
            report.add(deaths.first(), outcome.judgement);
            report.died_again += usize::from(outcome.died_again);
            report.looked_again += usize::from(outcome.looked_again);
            for (n, point) in deaths.into_iter().enumerate() {
                if n < outcome.reached {
                    report.kills += 1;
                    if let Some(service) = day.service_of(&point.subject) {
                        *report.by_service.entry(service).or_default().entry(point.step).or_default() += 1;
                    }
                    if report.kills.is_multiple_of(50) {
                        told(format!("{} of {of} kills, {} violations", report.kills, report.violations.len()));
                    }
                } else if attempt < TRIES {
                    report.tried_again += 1;
                    ahead.push(vec![point]);
                } else {
                    report.unreached.push(point);
                }
            }
        }
    }
    report.seconds = start.elapsed().as_secs();
    Ok(report)
}

/// A world that is lived somewhere.
struct World;

type Lived = Result<(Vec<Point>, world::Outcome), String>;

impl World {
    /// Starts a world for each row of kills, some at a time: much of a day is waiting.
    fn all(options: &Arc<Options>, kills: Vec<Vec<Point>>, first: usize) -> JoinSet<Lived> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let places = Arc::new(Semaphore::new(cores * 4));
        let mut worlds = JoinSet::new();
        for (number, deaths) in kills.into_iter().enumerate() {
            let (options, places) = (options.clone(), places.clone());
            worlds.spawn(async move {
                let _place = places.acquire_owned().await.map_err(|error| error.to_string())?;
                let outcome = world::live(&options, first + number, &deaths).await?;
                Ok((deaths, outcome))
            });
        }
        worlds
    }
}

async fn next(worlds: &mut JoinSet<Lived>) -> Result<Option<(Vec<Point>, world::Outcome)>, String> {
    match worlds.join_next().await {
        None => Ok(None),
        Some(lived) => lived.map_err(|error| format!("a world fell apart: {error}"))?.map(Some),
    }
}
