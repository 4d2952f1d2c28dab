//! How long jobs of a model take here: own history first, the documents' figures until there is some.
//!
//! Knows the last clips' times and the models on offer. Must not know when a job counts as late.

use std::collections::BTreeMap;

use super::{Core, Step};
use crate::domain::message::Event;
use crate::domain::model::Speed;
use crate::domain::timing::{Lately, Timing, Timings};
use crate::domain::{Job, JobRow};

/// The last clips of each model, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lately: BTreeMap<(String, String), Lately>,
    own: Timings,
}

impl Pace {
    /// From what is on disk: account, model and its last clips' times, s.
    pub(super) fn of(usual: Vec<(String, String, Lately)>) -> Pace {
        let mut pace = Pace::default();
        for (account, model, lately) in usual {
            if let Some(timing) = lately.timing() {
                pace.own.put(&account, &model, timing);
            }
            pace.lately.insert((account, model), lately);
        }
        pace
    }

    fn add(&mut self, account: &str, model: &str, seconds: u32) {
        let lately = self.lately.entry((account.to_owned(), model.to_owned())).or_default();
        lately.add(seconds);
        if let Some(timing) = lately.timing() {
            self.own.put(account, model, timing);
        }
    }
}

impl Core {
    /// How long this model usually takes, s: the median of own history, else the documents' longest figure.
    pub(super) fn usual_s(&self, job: &Job) -> Option<u32> {
        let own = self.pace.own.of(&job.request.account, &job.request.model).map(|timing| timing.p50_s);
        own.or_else(|| self.model_of(&job.request)?.speed.map(|speed| self.as_we_see(speed).max))
    }

    /// What the documents quote, by our clock.
    fn as_we_see(&self, speed: Speed) -> Speed {
        let ours = |seconds: u32| (seconds / self.settings.times_faster.max(1)).max(1);
        Speed { min: ours(speed.min), max: ours(speed.max) }
    }

    /// A job as faces see it.
    pub(super) fn row(&self, job: &Job) -> JobRow {
        JobRow { usual_s: self.usual_s(job), ..job.row() }
    }

    /// How long each model takes, for a snapshot.
    pub fn timings(&self) -> Timings {
        let mut timings = self.pace.own.clone();
        for offer in self.offers().iter() {
            if let (None, Some(speed)) = (timings.of(&offer.account, &offer.model.id), offer.model.speed) {
                timings.put(&offer.account, &offer.model.id, Timing::quoted(self.as_we_see(speed)));
            }
        }
        timings
    }

    /// A clip is on disk: so long it took.
    pub(super) fn note_pace(&mut self, job: &Job, step: &mut Step) {
        let Some(started) = job.submitted_at else { return };
        let seconds = self.now.duration_since(started).as_secs().max(0);
        self.pace.add(&job.request.account, &job.request.model, u32::try_from(seconds).unwrap_or(u32::MAX));
        self.tell_pace(step);
    }

    /// Tells the faces how long models take.
    pub(super) fn tell_pace(&self, step: &mut Step) {
        step.events.push(Event::TimesChanged(Box::new(self.timings())));
    }
}
