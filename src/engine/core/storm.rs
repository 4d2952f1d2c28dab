//! Random fault runs: the core and the real transactions of the store against scripted services on a
//! virtual clock, one planned fault each and some by chance, judged from outside by the services' book.
//!
//! Knows what a shell, a disk and a service would do. Must not be in a release. `cargo run --release
//! --example faults -- 100000` runs them by the hundred thousand; the suite some thousands.

mod book;
mod calls;
pub mod cells;
mod clips;
mod judge;
mod make;
mod purse;
#[cfg(test)]
mod tests;
mod turns;
mod user;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{Core, Effect, Input, Step};
use crate::domain::caps::Guard;
use crate::domain::message::{Command, Ticket};
use crate::domain::{ClipFile, Entry, Job, JobId, JobState};
use crate::store::{StoreError, Trial};
use book::Book;
use cells::{Cell, Coverage, Fault, Step as At, Wire};

/// Steps with faults in each run; then all is calm until nothing goes on any more.
const TURNS: usize = 60;

/// Steps within which everything must have ended.
const CALM_TURNS: usize = 3000;

/// Under way and not reported yet.
#[derive(Debug)]
struct Flight {
    effect: Effect,
    /// Not reported before.
    late_until: Option<Timestamp>,
    /// It reached its service, which took it at this place of its book; what it is, is still to come.
    arrived: Option<Option<usize>>,
}

impl From<Effect> for Flight {
    fn from(effect: Effect) -> Flight {
        Flight { effect, late_until: None, arrived: None }
    }
}

/// How a user ends not knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By the order's own id.
    Adopted,
    /// By another order's id.
    AdoptedWrongly,
    /// By ordering once more, though it may be paid for twice.
    Retried,
    /// The same without saying so: never.
    RetriedUnsaid,
    /// By giving it up.
    WrittenOff,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Run {
    /// Orders that the services took.
    pub orders: u64,
    /// Jobs that ended in each state.
    pub states: BTreeMap<JobState, u64>,
    /// Verdicts of searches, with how many of them.
    pub verdicts: BTreeMap<crate::domain::search::Verdict, u64>,
    /// What came true.
    pub coverage: Coverage,
    /// Orders of which the balance alone told that they were likely taken: how many, and how many of those
    /// never were; that may be only where somebody else spent, too.
    pub likely: (u64, u64),
    /// Jobs that the user took out of not knowing, and whether they were being looked for just then.
    pub ways: BTreeMap<(Way, bool), u64>,
    /// Commits.
    pub commits: u64,
}

impl Run {
    /// Adds another one.
    pub fn add(&mut self, other: Run) {
        self.orders += other.orders;
        self.commits += other.commits;
        self.likely = (self.likely.0 + other.likely.0, self.likely.1 + other.likely.1);
        other.ways.into_iter().for_each(|(way, n)| *self.ways.entry(way).or_default() += n);
        other.states.into_iter().for_each(|(state, n)| *self.states.entry(state).or_default() += n);
        other.verdicts.into_iter().for_each(|(verdict, n)| *self.verdicts.entry(verdict).or_default() += n);
        self.coverage.add(other.coverage);
    }
}

/// A run in which something was wrong.
#[derive(Debug)]
pub struct Failure {
    /// What makes the same run again.
    pub seed: u64,
    /// What was wrong.
    pub wrong: Vec<String>,
    /// The last things that happened.
    pub events: Vec<String>,
}

/// A world and the program in it.
struct Storm {
    rng: fastrand::Rng,
    wire: Wire,
    /// Faults to come, in their order.
    plan: Vec<(At, Fault)>,
    /// The time that passes, whatever a clock says.
    clock: Timestamp,
    /// What the wall clock is off by.
    off: SignedDuration,
    /// What the core was told last.
    told: Timestamp,
    core: Core,
    disk: Trial,
    book: Book,
    in_flight: Vec<Flight>,
    /// Clips under their final names.
    published: BTreeMap<JobId, ClipFile>,
    /// Bytes that came with answers: which order's, and whether all of them.
    parts: BTreeMap<JobId, (String, bool)>,
    claimed: BTreeSet<String>,
    repeated: BTreeSet<JobId>,
    written_off: BTreeSet<JobId>,
    /// Jobs that go on as another order, at the user's word.
    misled: BTreeSet<JobId>,
    /// Jobs of which the balance told.
    likely: BTreeSet<JobId>,
    purse: purse::Purse,
    /// Commands so far.
    tickets: Ticket,
    /// Those without an answer yet, with what they were about where that counts.
    asked: BTreeMap<Ticket, Option<user::WayOut>>,
    /// Jobs whose price was told in what is being committed.
    telling: Option<JobId>,
    /// Dollars a day.
    cap: Decimal,
    other_key: bool,
    /// Nothing goes wrong any more.
    calm: bool,
    run: Run,
    wrong: Vec<String>,
    events: Option<Vec<String>>,
}

/// Makes the run of a seed: what is planned follows from it, too.
///
/// # Errors
/// What was wrong, with the last things that happened.
pub fn run(seed: u64) -> Result<Run, Failure> {
    attempt(seed, false).or_else(|_| attempt(seed, true))
}

fn attempt(seed: u64, told: bool) -> Result<Run, Failure> {
    let cells = cells::cells();
    let cell = cells[usize::try_from(seed).unwrap_or(0) % cells.len()];
    let mut storm = Storm::new(seed, cell, told);
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| storm.live()));
    if let Err(panic) = lived {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        storm.wrong(format!("it panicked: {}", text.unwrap_or_default()));
    }
    if storm.wrong.is_empty() {
        return Ok(storm.run);
    }
    let mut events = storm.events.unwrap_or_default();
    let old = events.len().saturating_sub(60);
    events.drain(..old);
    events.insert(0, format!("planned: {} {:?} {:?}", cell.0, cell.1, cell.2));
    Err(Failure { seed, wrong: storm.wrong, events })
}

impl Storm {
    fn new(seed: u64, cell: Cell, told: bool) -> Storm {
        let mut rng = fastrand::Rng::with_seed(seed);
        let clock: Timestamp = Timestamp::from_second(1_795_176_000 + rng.i64(0..86_400)).unwrap_or(Timestamp::MAX);
        let cap = Decimal::from(if rng.u8(0..4) == 0 { 7 } else { 60 });
        let disk = Trial::new().expect("a database in memory can be made");
        let (core, _) = make::core(cell.0, cap, false, &disk, clock);
        let mut storm = Storm {
            plan: cells::way_to(cell, rng.bool()),
            wire: cell.0,
            rng,
            clock,
            off: SignedDuration::ZERO,
            told: clock,
            core,
            disk,
            book: Book::default(),
            in_flight: Vec::new(),
            published: BTreeMap::new(),
            parts: BTreeMap::new(),
            claimed: BTreeSet::new(),
            repeated: BTreeSet::new(),
            written_off: BTreeSet::new(),
            misled: BTreeSet::new(),
            likely: BTreeSet::new(),
            purse: purse::Purse::default(),
            tickets: 0,
            asked: BTreeMap::new(),
            telling: None,
            cap,
            other_key: false,
            calm: false,
            run: Run::default(),
            wrong: Vec::new(),
            events: told.then(Vec::new),
        };
        storm.purse = purse::Purse::of(storm.wire, &mut storm.rng);
        storm.purse_moved();
        if cell.2 == Fault::TakenId {
            storm.cap = Decimal::from(60);
        }
        storm
    }

    fn live(&mut self) {
        self.start();
        let jobs = self.new_jobs(true);
        self.command(Command::Queue { jobs });
        for _ in 0..TURNS {
            if self.core.is_drained() && self.in_flight.is_empty() && self.plan.is_empty() {
                break;
            }
            self.turn();
        }
        self.settle();
        self.check_end();
        for job in self.all_kept() {
            *self.run.states.entry(job.state).or_default() += 1;
            if let Some(search) = &job.search {
                *self.run.verdicts.entry(search.verdict).or_default() += 1;
            }
        }
        self.run.orders = self.book.orders.len() as u64;
    }

    fn wrong(&mut self, text: String) {
        self.note(|| format!("WRONG: {text}"));
        self.wrong.push(text);
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(events) = &mut self.events {
            events.push(format!("{}  {}", self.clock, text()));
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        !self.calm && self.rng.u32(0..n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(0..of.len())]
    }

    fn kept(&mut self, id: JobId) -> Option<Job> {
        self.disk.job(id).expect("a job can be read")
    }

    fn all_kept(&mut self) -> Vec<Job> {
        self.disk.jobs().expect("jobs can be read")
    }

    fn entries(&self) -> Vec<Entry> {
        self.disk.entries().expect("entries can be read")
    }

    /// The fault that is planned for this step now, or one by chance; counted once it comes true.
    fn fault(&mut self, at: At) -> Option<Fault> {
        if let Some(next) = self.plan.iter().position(|(step, _)| *step == at).filter(|_| !self.calm) {
            return (next == 0).then(|| self.plan[0].1);
        }
        if !self.one_in(60) {
            return None;
        }
        let here: Vec<Fault> = cells::cells()
            .into_iter()
            .filter(|(wire, step, _)| (*wire, *step) == (self.wire, at))
            .map(|c| c.2)
            .collect();
        self.rng.choice(here)
    }

    /// A fault came true.
    fn felt(&mut self, at: At, fault: Fault) {
        if self.plan.first() == Some(&(at, fault)) {
            self.plan.remove(0);
        }
        self.note(|| format!("FAULT at {at:?}: {fault:?}"));
        self.run.coverage.felt((self.wire, at, fault));
    }

    /// Time passes; the core is told what an engine's clock would say.
    fn pass(&mut self, span: SignedDuration) {
        self.clock += span;
        self.told = (self.told + span).max(self.clock + self.off);
    }

    /// One step of the core, committed as `at`.
    fn input(&mut self, at: Option<At>, input: Input) {
        if !matches!(input, Input::Ticked) {
            self.note(|| format!("{input:?}"));
        }
        let step = self.core.step(self.told, input);
        self.finish(at, step);
    }

    /// Commits a step and begins what follows, or the program ends on the way.
    fn finish(&mut self, at: Option<At>, mut step: Step) {
        let fault = at.filter(|_| !step.changes.is_empty()).and_then(|at| Some((at, self.fault(at)?)));
        let (mut before, mut after, mut full) = (false, false, false);
        if let Some((at, fault)) = fault {
            self.felt(at, fault);
            match fault {
                Fault::CrashBefore => before = true,
                Fault::CrashAfter => after = true,
                Fault::DiskFull => full = true,
                Fault::FullThenCrash => (full, before) = (true, true),
                Fault::ClockBack => {
                    self.off -= SignedDuration::from_mins(self.rng.i64(30..3000));
                    after = self.rng.bool();
                }
                Fault::ClockAhead => self.off += SignedDuration::from_mins(self.rng.i64(30..3000)),
                other => self.wrong(format!("{other:?} is no fault of a commit")),
            }
        }
        if full {
            match self.disk.commit_when_full(&step.changes) {
                Err(StoreError::Full | StoreError::OverCap { .. }) => {}
                other => self.wrong(format!("a full disk says {other:?}")),
            }
        }
        if before {
            return self.end();
        }
        self.commit(&mut step);
        if after {
            return self.end();
        }
        for (_, ticket, answer) in &step.answers {
            self.answered(*ticket, answer);
        }
        for effect in step.effects {
            match effect {
                Effect::Submit { job, .. } => {
                    self.check_leaves(job);
                    self.check_alone(job);
                    self.in_flight.push(effect.into());
                }
                Effect::Discard { .. } => {}
                effect => self.in_flight.push(effect.into()),
            }
        }
    }

    /// As the shell does: an order over a cap is taken out, everything else is kept.
    fn commit(&mut self, step: &mut Step) {
        let mut changes = std::mem::take(&mut step.changes);
        while !changes.is_empty() {
            match self.disk.commit(&changes) {
                Ok(_) => break,
                Err(StoreError::OverCap { job, limit }) => {
                    step.take_out(job, &mut changes);
                    let guard =
                        Guard { job, at: self.told, zones: self.core.zones().clone(), limits: vec![limit.clone()] };
                    let left = self.disk.room(&guard).ok().and_then(|room| room.first().copied());
                    let mut more = self.core.step(self.told, Input::OverCap { job, limit, left });
                    changes.append(&mut more.changes);
                    step.append(more);
                }
                Err(error) => {
                    self.wrong(format!("a commit is refused for good: {error}"));
                    break;
                }
            }
        }
        self.run.commits += 1;
        if let Some(place) = self.telling.take().and_then(|job| self.book.of_job(job)) {
            let order = self.book.orders[place].clone();
            self.book.orders[place].told |= self.kept(order.job).is_some_and(|job| job.cost == Some(order.cost));
        }
        self.check_commit(&changes);
    }

    /// The program ends. What was under way may have arrived.
    fn end(&mut self) {
        self.telling = None;
        self.asked.clear();
        self.note(|| "the program ends".to_owned());
        for flight in std::mem::take(&mut self.in_flight) {
            if let (Effect::Submit { job, until }, None) = (flight.effect, flight.arrived)
                && until.is_none_or(|until| self.clock < until)
                && self.rng.bool()
            {
                self.arrives(job);
            }
        }
        // Mostly it is started again at once.
        let most = if self.rng.u8(0..4) == 0 { 4 * 3600 } else { 60 };
        let down = SignedDuration::from_secs(self.rng.i64(1..most));
        self.clock += down;
        if self.one_in(12) {
            self.other_key = !self.other_key;
            self.purse_changed();
        }
        self.told = self.clock + self.off;
        self.start();
    }

    /// A start of the program, as the shell makes it.
    fn start(&mut self) {
        for _ in 0..20 {
            self.claimed.clear();
            let (core, first) = make::core(self.wire, self.cap, self.other_key, &self.disk, self.told);
            self.core = core;
            if self.events.is_some() {
                let states: Vec<_> = self.core.jobs.values().map(|job| (job.id, job.state)).collect();
                self.note(|| format!("a start with {states:?}"));
            }
            self.told = self.core.now.max(self.told);
            let fault = (!first.changes.is_empty()).then(|| self.fault(At::Start)).flatten();
            if matches!(fault, Some(Fault::CrashBefore | Fault::FullThenCrash)) {
                let fault = fault.unwrap_or(Fault::CrashBefore);
                self.felt(At::Start, fault);
                if fault == Fault::FullThenCrash {
                    let _ = self.disk.commit_when_full(&first.changes);
                }
                continue;
            }
            return self.started(first, fault);
        }
        self.wrong("it cannot start".to_owned());
    }

    fn started(&mut self, mut first: Step, fault: Option<Fault>) {
        match fault {
            Some(Fault::ClockBack) => self.off -= SignedDuration::from_mins(self.rng.i64(30..3000)),
            Some(Fault::ClockAhead) => self.off += SignedDuration::from_mins(self.rng.i64(30..3000)),
            Some(Fault::DiskFull) => {
                let _ = self.disk.commit_when_full(&first.changes);
            }
            _ => {}
        }
        fault.into_iter().for_each(|fault| self.felt(At::Start, fault));
        self.commit(&mut first);
        if fault == Some(Fault::CrashAfter) {
            return self.end();
        }
        self.finish(None, first);
        // Bytes that came before the end finish their job.
        let whole = |job: &&Job| self.parts.get(&job.id).is_some_and(|(_, whole)| *whole);
        let found: Vec<JobId> = self.core.unconfirmed().filter(whole).map(|job| job.id).collect();
        for job in found {
            self.input(None, Input::Found { job });
        }
        self.input(None, Input::Ticked);
    }
}
