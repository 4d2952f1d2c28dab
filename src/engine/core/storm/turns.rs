//! How a run goes on: turns in which anything may go wrong, and then calm until nothing goes on any more.
//!
//! Knows what is under way and the time. Must not know what an answer says.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::{CALM_TURNS, Flight, Storm, make};
use crate::domain::message::Command;
use crate::domain::{Hold, Job, JobId, JobState, Money};
use crate::engine::core::{Account, Input};

impl Storm {
    pub(super) fn turn(&mut self) {
        self.others_use();
        match self.rng.u32(0..100) {
            0..70 => self.answer_something(),
            70..85 => self.pass_time(),
            85..93 if self.one_in(2) => self.random_command(),
            93 if self.one_in(3) => self.end(),
            _ => self.answer_something(),
        }
    }

    fn pass_time(&mut self) {
        let wake = self.core.wake_at();
        let late = self.in_flight.iter().filter_map(|flight| flight.late_until).min();
        let late = late.map(|at| at.duration_since(self.clock));
        let due = wake.map(|at| at.duration_since(self.told));
        let chance = SignedDuration::from_secs(self.rng.i64(1..90));
        let mut span = [late, due].into_iter().flatten().min().unwrap_or(chance).max(SignedDuration::from_millis(1));
        if self.in_flight.iter().any(|flight| flight.late_until.is_none()) {
            // Whatever is under way left at once and is answered soon.
            span = span.min(SignedDuration::from_secs(3));
        } else if self.calm && self.core.jobs.values().any(|job| job.gone.is_some()) {
            span = span.max(SignedDuration::from_mins(75));
        }
        self.pass(span);
        self.input(None, Input::Ticked);
    }

    fn answer_something(&mut self) {
        let ready = |flight: &Flight| flight.late_until.is_none_or(|until| until <= self.clock);
        let ready: Vec<usize> = (0..self.in_flight.len()).filter(|n| ready(&self.in_flight[*n])).collect();
        let Some(next) = self.rng.choice(ready) else { return self.pass_time() };
        let flight = self.in_flight.swap_remove(next);
        // An answer takes its time.
        let span = SignedDuration::from_millis(self.rng.i64(10..4000));
        self.pass(span);
        self.answer(flight);
    }

    /// Everything works again and the user lets everything go on: then everything ends.
    pub(super) fn settle(&mut self) {
        self.calm = true;
        self.command(Command::Resume { account: make::ACCOUNT.to_owned() });
        for _ in 0..CALM_TURNS {
            let over_cap = |job: &&Job| !job.hold.as_ref().is_some_and(Hold::is_over_cap);
            let held = self.core.jobs.values().filter(|job| job.hold.is_some()).filter(over_cap);
            let ids: Vec<JobId> = held.map(|job| job.id).collect();
            if !ids.is_empty() {
                let ceiling = Some(Money::usd(Decimal::from(5)));
                self.command(Command::Release { ids, ceiling });
            }
            let stopped = self.core.accounts.values().any(Account::is_stopped);
            if stopped {
                self.command(Command::Resume { account: make::ACCOUNT.to_owned() });
            }
            if self.core.is_drained() && self.in_flight.is_empty() {
                let open = |job: &&Job| !matches!(job.state, JobState::Unconfirmed | JobState::Held);
                let left = self.core.jobs.values().find(open);
                let left = left.map(|job| format!("{} is {} and nothing goes on", job.id, job.state));
                left.into_iter().for_each(|text| self.wrong(text));
                if !self.asked.is_empty() {
                    self.wrong(format!("never answered: {:?}", self.asked));
                }
                return;
            }
            match self.in_flight.is_empty() {
                true => self.pass_time(),
                false => self.answer_something(),
            }
        }
        let states: Vec<_> = self.core.jobs.values().map(|job| (job.id, job.state, job.hold.clone())).collect();
        self.wrong(format!("it never ends: {states:?}"));
    }
}
