//! A random run of the core against a scripted world on a virtual clock: commands, answers of every
//! kind, crashes and restarts, and after every step the promises about money, checked from outside.
//!
//! Knows only what a disk and a service would: the committed changes, and the orders that were taken.

mod world;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::domain::message::Answer;
use crate::domain::{Currency, Hold, Money, NewJob, Request, Shift};
use world::{Disk, core_at};

/// Random runs, and steps in each.
const SEEDS: u64 = 100;
const STEPS: usize = 600;

/// Jobs that are under way at most, so that a step stays cheap.
const MOST_ACTIVE: usize = 12;

struct Storm {
    rng: fastrand::Rng,
    now: Timestamp,
    core: Core,
    disk: Disk,
    /// Begun and not reported yet.
    in_flight: Vec<Effect>,
    /// Orders the services took, by job.
    taken: BTreeMap<JobId, u32>,
    /// The account's key was exchanged.
    other_key: bool,
    /// Nothing goes wrong any more.
    calm: bool,
    steps: u64,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        // Half of the storms have room, half are always close to their cap.
        let disk = Disk::capped_at(if seed.is_multiple_of(2) { 60 } else { 11 });
        let (mut core, mut first) = core_at(now, &disk, false);
        first.append(core.step(now, Input::Ticked));
        let mut storm = Storm {
            rng: fastrand::Rng::with_seed(seed),
            now,
            core,
            disk,
            in_flight: Vec::new(),
            taken: BTreeMap::new(),
            other_key: false,
            calm: false,
            steps: 0,
        };
        storm.keep(first);
        storm
    }

    fn one_in(&mut self, n: u32) -> bool {
        !self.calm && self.rng.u32(0..n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(0..of.len())]
    }

    /// One step of the core, committed; or the program ends between deciding and committing.
    fn input(&mut self, input: Input) -> Vec<Answer> {
        let mut step = self.core.step(self.now, input);
        let answers = step.answers.drain(..).map(|(.., answer)| answer).collect();
        if self.one_in(400) {
            self.restart();
        } else {
            self.keep(step);
        }
        answers
    }

    fn keep(&mut self, step: Step) {
        self.steps += 1;
        let reserved = self.disk.commit(step.changes);
        if reserved {
            self.check_caps();
        }
        for effect in step.effects {
            match effect {
                Effect::Submit { job } => {
                    self.disk.check_intent(job);
                    self.in_flight.push(effect);
                }
                Effect::Discard { .. } => {}
                other => self.in_flight.push(other),
            }
        }
        self.check();
    }

    /// The program ends: whatever was under way is lost, and an order may or may not have arrived.
    fn restart(&mut self) {
        for effect in std::mem::take(&mut self.in_flight) {
            if let Effect::Submit { job } = effect
                && self.rng.bool()
            {
                self.take_order(job);
            }
        }
        if self.one_in(4) {
            self.other_key = !self.other_key;
        }
        self.disk.claimed_now.clear();
        let (core, mut first) = core_at(self.now, &self.disk, self.other_key);
        self.core = core;
        let again = self.core.step(self.now, Input::Ticked);
        first.append(again);
        self.keep(first);
    }

    fn take_order(&mut self, job: JobId) {
        let orders = self.taken.entry(job).or_default();
        *orders += 1;
        assert_eq!(*orders, 1, "{job} was bought twice");
    }

    fn turn(&mut self) {
        match self.rng.u32(0..100) {
            0..60 => self.answer_something(),
            60..75 => self.pass_time(),
            75..98 => self.command(),
            98 if self.one_in(4) => self.restart(),
            _ => {
                self.input(Input::Ticked);
            }
        }
    }

    fn pass_time(&mut self) {
        let seconds = match self.rng.u32(0..40) {
            0 if !self.calm => 26 * 3600,
            1..4 => self.rng.i64(60..400),
            _ => self.rng.i64(1..30),
        };
        let wake = self.core.wake_at();
        assert!(wake.is_none_or(|at| at > self.now), "woken for nothing");
        self.now = match wake {
            Some(at) if self.rng.bool() => at,
            _ => self.now + SignedDuration::from_secs(seconds),
        };
        self.input(Input::Ticked);
    }

    fn answer_something(&mut self) {
        if self.in_flight.is_empty() {
            return self.pass_time();
        }
        let next = self.rng.usize(0..self.in_flight.len());
        if let Effect::Submit { job } = self.in_flight[next]
            && self.one_in(10)
        {
            self.input(Input::Waited { job });
            return;
        }
        let effect = self.in_flight.swap_remove(next);
        let input = self.answer(effect);
        self.input(input);
    }

    fn some_jobs(&mut self, fits: impl Fn(&Job) -> bool) -> Vec<JobId> {
        let all: Vec<JobId> = self.disk.jobs.values().filter(|job| fits(job)).map(|job| job.id).collect();
        let count = self.rng.usize(1..4);
        (0..count).filter_map(|_| self.rng.choice(&all).copied()).collect()
    }

    fn command(&mut self) {
        let at_random = self.rng.u32(0..10) == 0;
        let (unsent, held, over) = (
            self.some_jobs(|job| at_random || job.state.is_unsent()),
            self.some_jobs(|job| at_random || job.hold.is_some()),
            self.some_jobs(|job| at_random || job.state.is_final() || job.state == JobState::Unconfirmed),
        );
        let any = self.some_jobs(|_| true);
        let command = match self.rng.u32(0..23) {
            20 => {
                let to = *self.rng.choice(&[Shift::Up, Shift::Down, Shift::Top, Shift::Bottom]).unwrap();
                Command::Move { ids: unsent, to }
            }
            21 => Command::Tag { ids: any, add: vec!["x".into()], remove: vec!["y".into()] },
            22 => Command::Duplicate { ids: over },
            0..8 => Command::Queue { jobs: self.new_jobs() },
            8 => Command::Cancel { ids: unsent },
            9 => Command::Hold { ids: unsent },
            10..14 => {
                let ceiling = self.pick(&["5", "2.50", "-4"]);
                let ceiling = self.rng.bool().then(|| Money::parse(ceiling, Currency::Usd).unwrap());
                Command::Release { ids: held, ceiling }
            }
            14 => Command::Abandon { ids: any },
            15 | 16 => Command::Retry { ids: over, may_pay_twice: self.rng.bool(), minimal: false },
            17 | 18 => Command::Resume { account: self.pick(&["n", "a"]).to_owned() },
            _ => Command::RefreshBalances,
        };
        let looked_up = self.look_up(&command);
        self.input(Input::Commanded { face: 1, ticket: 1, command, looked_up });
    }

    fn new_jobs(&mut self) -> Vec<NewJob> {
        if self.core.jobs.values().filter(|job| job.state != JobState::Unconfirmed).count() > MOST_ACTIVE {
            return Vec::new();
        }
        let count = self.rng.usize(1..5);
        let one = |storm: &mut Storm| {
            let model = storm.pick(&["n/veo", "n/veo", "n/odd", "a/kling"]);
            let prompt = storm.pick(&["a river", "a hill"]);
            let key = (storm.rng.u32(0..4) == 0).then(|| format!("k{}", storm.rng.u32(0..40)));
            NewJob {
                request: Request::new(&model.parse().unwrap(), prompt),
                key,
                ceiling: None,
                parent: None,
                shrink: false,
                cap: None,
            }
        };
        (0..count).map(|_| one(self)).collect()
    }

    /// What the shell would read from disk.
    fn look_up(&self, command: &Command) -> LookedUp {
        let mut looked_up = LookedUp::default();
        match command {
            Command::Queue { .. } => looked_up.known = self.disk.known(),
            Command::Retry { ids, .. }
            | Command::Abandon { ids }
            | Command::Duplicate { ids }
            | Command::Tag { ids, .. } => {
                let not_here = ids.iter().filter(|id| self.core.job(**id).is_none());
                looked_up.finals = not_here.filter_map(|id| self.disk.jobs.get(id)).cloned().collect();
            }
            _ => {}
        }
        looked_up
    }

    fn check_caps(&self) {
        let spent = self.disk.spent_on(self.now, Currency::Usd);
        let set_aside = self.disk.ledger.of("n", Currency::Usd).reserved;
        assert!(spent + set_aside <= self.disk.cap, "the cap is passed: {spent} spent, {set_aside} set aside");
    }

    /// The promises, from what a disk and the services know.
    fn check(&self) {
        let mut sums: BTreeMap<(String, Currency), (rust_decimal::Decimal, rust_decimal::Decimal)> =
            self.disk.of_finals.clone();
        for job in self.disk.active() {
            let mine = self.core.job(job.id).unwrap_or_else(|| panic!("{} is on disk only", job.id));
            assert_eq!((mine.state, mine.reserved, mine.cost), (job.state, job.reserved, job.cost), "{}", job.id);
            let name = |money: &Money| (job.request.account.clone(), money.currency);
            if let Some(money) = &job.reserved {
                sums.entry(name(money)).or_default().0 += money.amount;
            }
            if let Some(money) = &job.cost {
                sums.entry(name(money)).or_default().1 += money.amount;
            }
        }
        assert_eq!(self.core.jobs.len(), self.disk.active().count());
        for (name, sums) in &sums {
            let booked = self.disk.ledger.of(&name.0, name.1);
            assert_eq!((booked.reserved, booked.spent()), *sums, "the books and the jobs of {name:?} differ");
        }
        for (name, booked) in &self.core.budget.ledger().sums {
            assert_eq!(booked, &self.disk.ledger.of(&name.0, name.1), "memory and disk differ for {name:?}");
            assert!(sums.contains_key(name) || (booked.reserved.is_zero() && booked.spent().is_zero()));
        }
        for id in self.taken.keys() {
            let job = &self.disk.jobs[id];
            assert!(!job.state.is_unsent() && job.state != JobState::Cancelled, "{id} was bought and is {}", job.state);
            assert!(job.reserved.is_some() || job.cost.is_some(), "{id} was bought and nothing is booked for it");
        }
        for account in self.core.accounts.keys() {
            let of = |job: &&Job| job.request.account == *account;
            let at_service = |job: &&Job| matches!(job.state, JobState::Submitting | JobState::Running);
            assert_eq!(
                self.core.jobs.at_service(account) as usize,
                self.core.jobs.values().filter(of).filter(at_service).count()
            );
            let queued = self.core.jobs.values().filter(of).filter(|job| job.state == JobState::Queued);
            let turns: BTreeMap<_, _> = queued.map(|job| (job.turn(), job.id)).collect();
            assert!(self.core.jobs.turns(account).eq(turns), "everyone is in the queue, each at a turn of its own");
        }
        assert_eq!(self.core.jobs.has_held(), self.core.jobs.values().any(|job| job.state == JobState::Held));
        let goes_on = !self.in_flight.is_empty() || self.core.wake_at().is_some() || self.core.is_drained();
        assert!(goes_on, "nothing is under way, nobody is woken, and yet: {:#?}", self.states());
    }

    fn states(&self) -> Vec<(JobId, JobState, Option<Hold>)> {
        self.core.jobs.values().map(|job| (job.id, job.state, job.hold.clone())).collect()
    }

    /// Everything works again and the user lets everything go on: then everything ends.
    fn settle(&mut self) {
        self.calm = true;
        for account in ["n", "a"] {
            self.input(Input::Commanded {
                face: 1,
                ticket: 1,
                command: Command::Resume { account: account.to_owned() },
                looked_up: LookedUp::default(),
            });
        }
        for _ in 0..5000 {
            let held = self.core.jobs.values().filter(|job| job.hold.is_some() && job.hold != Some(over_cap()));
            let ids: Vec<JobId> = held.map(|job| job.id).collect();
            if !ids.is_empty() {
                let ceiling = Some(Money::parse("1", Currency::Usd).unwrap());
                let command = Command::Release { ids, ceiling };
                self.input(Input::Commanded { face: 1, ticket: 1, command, looked_up: LookedUp::default() });
            }
            if self.core.is_drained() && self.in_flight.is_empty() {
                let open = |job: &&Job| !matches!(job.state, JobState::Unconfirmed | JobState::Held);
                assert_eq!(self.core.jobs.values().find(open).map(|job| job.id), None, "{:?}", self.states());
                return;
            }
            match self.in_flight.is_empty() {
                true => self.pass_time(),
                false => self.answer_something(),
            }
        }
        panic!("it never ends: {:#?}", self.states());
    }
}

fn over_cap() -> Hold {
    Hold::OverCap("day's".to_owned())
}

#[test]
fn in_a_storm_nothing_is_bought_twice_no_clip_is_lost_and_the_books_balance() {
    let (mut orders, mut done, mut unconfirmed, mut failed, mut held, mut steps) = (0, 0, 0, 0, 0, 0);
    for seed in 0..SEEDS {
        let mut storm = Storm::new(seed);
        let run = std::panic::AssertUnwindSafe(|| {
            for _ in 0..STEPS {
                storm.turn();
            }
            storm.settle();
        });
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("seed {seed}, step {}", storm.steps);
            std::panic::resume_unwind(panic);
        }
        orders += storm.taken.len();
        steps += storm.steps;
        for job in storm.disk.jobs.values() {
            match job.state {
                JobState::Done => done += 1,
                JobState::Unconfirmed => unconfirmed += 1,
                JobState::Failed => failed += 1,
                JobState::Held => held += 1,
                _ => {}
            }
        }
    }
    // A storm that reaches nothing proves nothing.
    let seeds = usize::try_from(SEEDS).unwrap();
    assert!(orders > seeds * 5 && done > seeds * 3, "{orders} orders, {done} done");
    assert!(
        unconfirmed > seeds && failed > seeds && held > 0,
        "{unconfirmed} unconfirmed, {failed} failed, {held} held"
    );
    assert!(steps > SEEDS * STEPS as u64);
}
