//! The user: what is asked for at random, and what became of that.
//!
//! Knows commands and their answers. Must not know what goes wrong.

use super::cells::Wire;
use super::make::{ACCOUNT, CEILING};
use super::{Storm, Way};
use crate::domain::message::{Answer, Command, Ticket};
use crate::domain::{Job, JobId, JobState, Money, NewJob, Request, Shift};
use crate::engine::core::{Effect, Input, LookedUp};
use rust_decimal::Decimal;

/// Jobs that are under way at most, so that a run stays short.
const MOST_ACTIVE: usize = 5;

/// A way out of not knowing that was asked for.
#[derive(Debug)]
pub(super) struct WayOut {
    /// The unconfirmed jobs.
    jobs: Vec<JobId>,
    what: Way,
    /// One of them was being looked for.
    during_look: bool,
}

impl Storm {
    /// What a face asks for, with what the shell would read for it from disk.
    pub(super) fn command(&mut self, command: Command) {
        let at = matches!(command, Command::Queue { .. }).then_some(super::At::Queue);
        let looked_up = self.look_up(&command);
        self.tickets += 1;
        let ticket = self.tickets;
        self.asked.insert(ticket, self.way_out(&command));
        self.input(at, Input::Commanded { face: 1, ticket, command, looked_up });
    }

    /// The way out of not knowing that a command is, if it is one of an unconfirmed job.
    fn way_out(&self, command: &Command) -> Option<WayOut> {
        let lost = |id: &JobId| self.core.job(*id).is_some_and(|job| job.state == JobState::Unconfirmed);
        let of = |ids: &[JobId]| ids.iter().copied().filter(lost).collect::<Vec<_>>();
        let (jobs, what) = match command {
            Command::Adopt { id, remote_id } => {
                let own = self.book.of_job(*id).is_some_and(|place| self.book.orders[place].id == *remote_id);
                (of(&[*id]), if own { Way::Adopted } else { Way::AdoptedWrongly })
            }
            Command::WriteOff { ids } => (of(ids), Way::WrittenOff),
            Command::Retry { ids, may_pay_twice: true, .. } => (of(ids), Way::Retried),
            Command::Retry { ids, .. } => (of(ids), Way::RetriedUnsaid),
            _ => return None,
        };
        let asked = |effect: &Effect| matches!(effect, Effect::Find { job, .. } if jobs.contains(job));
        let during_look = self.in_flight.iter().any(|flight| asked(&flight.effect));
        Some(WayOut { jobs, what, during_look }).filter(|way| !way.jobs.is_empty())
    }

    /// Each command is answered once.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: &Answer) {
        let Some(way) = self.asked.remove(&ticket) else {
            return self.wrong(format!("command {ticket} is answered twice: {answer:?}"));
        };
        let Some(way) = way.filter(|_| matches!(answer, Answer::Accepted { .. })) else { return };
        match way.what {
            Way::RetriedUnsaid => self.wrong(format!("{:?} may be bought twice without the user's word", way.jobs)),
            Way::AdoptedWrongly => self.misled.extend(&way.jobs),
            Way::WrittenOff => self.written_off.extend(&way.jobs),
            Way::Adopted | Way::Retried => {}
        }
        *self.run.ways.entry((way.what, way.during_look)).or_default() += way.jobs.len() as u64;
    }

    fn look_up(&mut self, command: &Command) -> LookedUp {
        let mut looked_up = LookedUp::default();
        match command {
            Command::Queue { jobs } => {
                let keys: Vec<String> = jobs.iter().filter_map(|job| job.key.clone()).collect();
                looked_up.known = self.disk.known(&keys).expect("keys can be read");
            }
            Command::Adopt { id, remote_id } => {
                let all = self.all_kept();
                let same = |other: &&Job| other.id != *id && other.remote_id.as_ref() == Some(remote_id);
                looked_up.adopted_by = all.iter().find(same).map(|other| other.id);
            }
            verb => {
                let gone = verb.jobs().iter().filter(|id| self.core.job(**id).is_none()).copied().collect::<Vec<_>>();
                looked_up.finals = gone.into_iter().filter_map(|id| self.kept(id)).collect();
            }
        }
        looked_up
    }

    /// Some new jobs; the first ones of a run are never none.
    pub(super) fn new_jobs(&mut self, first: bool) -> Vec<NewJob> {
        if !first && self.core.jobs.values().filter(|job| job.state != JobState::Unconfirmed).count() > MOST_ACTIVE {
            return Vec::new();
        }
        let count = self.rng.usize(if first { 2..4 } else { 1..3 });
        let one = |storm: &mut Storm| {
            let model = storm.pick(&["n/plain", "n/plain", "n/odd"]);
            let prompt = storm.pick(&["a river", "a hill"]);
            let key = storm.one_in(4).then(|| format!("k{}", storm.rng.u32(0..10)));
            let ceiling = (model == "n/odd").then(|| Money::usd(Decimal::from(CEILING)));
            let request = Request::new(&model.parse().expect("the name stands above"), prompt);
            NewJob { key, ceiling, ..NewJob::of(request) }
        };
        (0..count).map(|_| one(self)).collect()
    }

    fn some_jobs(&mut self, fits: impl Fn(&Job) -> bool) -> Vec<JobId> {
        let all: Vec<JobId> = self.all_kept().iter().filter(|job| fits(job)).map(|job| job.id).collect();
        let count = self.rng.usize(1..3);
        let mut ids: Vec<JobId> = (0..count).filter_map(|_| self.rng.choice(&all).copied()).collect();
        ids.dedup();
        ids
    }

    pub(super) fn random_command(&mut self) {
        let any = self.rng.u32(0..10) == 0;
        let unsent = |job: &Job| any || job.state.is_unsent();
        let lost = |job: &Job| any || job.state == JobState::Unconfirmed;
        let over = |job: &Job| any || job.state.is_final() || job.state == JobState::Unconfirmed;
        // Whoever sees a lost order mostly does something about it.
        let has_lost = self.core.jobs.unconfirmed().next().is_some();
        let choice = if has_lost && self.rng.bool() { self.rng.u32(13..19) } else { self.rng.u32(0..23) };
        let command = match choice {
            20 => {
                let to = self.pick(&[Shift::Up, Shift::Down, Shift::Top, Shift::Bottom]);
                Command::Move { ids: self.some_jobs(unsent), to }
            }
            21 => Command::Tag { ids: self.some_jobs(|_| true), add: vec!["x".into()], remove: vec!["y".into()] },
            22 => Command::Duplicate { ids: self.some_jobs(over) },
            0..5 => Command::Queue { jobs: self.new_jobs(false) },
            5 | 6 => Command::Cancel { ids: self.some_jobs(unsent) },
            7 | 8 => Command::Hold { ids: self.some_jobs(unsent) },
            9..12 => {
                let ceiling = self.rng.bool().then(|| Money::usd(Decimal::from(CEILING)));
                Command::Release { ids: self.some_jobs(|job| any || job.hold.is_some()), ceiling }
            }
            12 => Command::Abandon { ids: self.some_jobs(|_| true) },
            13 | 14 => {
                Command::Retry { ids: self.some_jobs(over), may_pay_twice: self.rng.bool(), minimal: self.rng.bool() }
            }
            15 => Command::Resume { account: ACCOUNT.to_owned() },
            16 => Command::WriteOff { ids: self.some_jobs(lost) },
            17 | 18 => {
                let Some(id) = self.some_jobs(lost).first().copied() else { return };
                Command::Adopt { id, remote_id: self.some_id(id) }
            }
            _ => Command::RefreshBalances,
        };
        // Two terminals, or an impatient hand.
        if self.rng.u8(0..4) == 0 {
            self.command(command.clone());
        }
        self.command(command);
    }

    /// The id that a user finds for a lost order: its own, nobody's, or another order's.
    fn some_id(&mut self, id: JobId) -> String {
        let own = self.book.of_job(id).filter(|_| self.wire != Wire::A4f);
        let place = match self.rng.u8(0..4) {
            0 => None,
            1 => self.rng.choice(0..self.book.orders.len()),
            _ => own,
        };
        place.map_or("nobody's".to_owned(), |place| self.book.orders[place].id.clone())
    }
}
