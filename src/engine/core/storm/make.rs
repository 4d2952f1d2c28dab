//! What a run is made of: an account at one service, its models, and what a user asks for.
//!
//! Knows settings and commands. Must not know what goes wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::json;

use super::Storm;
use super::cells::Wire;
use crate::catalog::Catalog;
use crate::domain::message::Command;
use crate::domain::{AccountProfile, Caps, Currency, Job, JobId, JobState, Model, Money, NewJob, Request, Shift};
use crate::engine::core::{Account, Core, CoreSettings, Input, LookedUp, Step};
use crate::provider::limits::documented;
use crate::store::Trial;

/// The one account.
pub(super) const ACCOUNT: &str = "n";

/// What a clip of unknown price may cost.
pub(super) const CEILING: i64 = 5;

/// Jobs that are under way at most, so that a run stays short.
const MOST_ACTIVE: usize = 5;

fn models(wire: Wire) -> Vec<Model> {
    let (service, quota) = (wire.service(), wire == Wire::A4f);
    let plain = if quota { json!({"plan": {}}) } else { json!({"per_clip": {"amount": "3.00"}}) };
    let model = |id: &str, shape: serde_json::Value| {
        let price = json!({"shape": shape, "as_of": "2026-08-21", "source": "000"});
        json!({"id": id, "service": service, "prompt_max": 4000, "source": "000", "price": price})
    };
    let all = [model("plain", plain.clone()), model("odd", if quota { plain } else { json!({"unknown": {}}) })];
    all.into_iter().map(|model| serde_json::from_value(model).expect("the model stands above")).collect()
}

/// A start of the program over what is on disk.
pub(super) fn core(wire: Wire, cap: Decimal, other_key: bool, disk: &Trial, now: Timestamp) -> (Core, Step) {
    let mut account = Account::new(ACCOUNT.into(), wire.service(), 0, documented(wire.service()));
    account.origin = "https://n.example".into();
    account.fingerprint = if other_key { "g" } else { "f" }.into();
    account.max_in_flight = 3;
    account.generation = generation(wire);
    let settings = CoreSettings {
        caps: Caps { day: Some(Money::usd(cap)), ..Caps::default() },
        model_caps: BTreeMap::new(),
        zone: jiff::tz::TimeZone::UTC,
        simulated: false,
        online: true,
        salt: vec![7; 32],
    };
    let loaded = disk.load().expect("what is in memory can be read");
    Core::start(settings, vec![account], Catalog::made_of(models(wire)), loaded, now)
}

fn generation(wire: Wire) -> Option<String> {
    match wire {
        Wire::NinjachatOld => Some("old".to_owned()),
        Wire::NinjachatNew => Some("new".to_owned()),
        _ => None,
    }
}

/// What a probe finds.
pub(super) fn profile(wire: Wire) -> AccountProfile {
    let (origin, generation) = ("https://n.example".to_owned(), generation(wire));
    AccountProfile { origin, generation, ..AccountProfile::default() }
}

/// What an order of a job costs, where its service takes what it says.
pub(super) fn price(wire: Wire, job: &Job) -> Money {
    match wire {
        Wire::A4f => Money::new(Decimal::ONE, Currency::Quota),
        _ if job.request.model == "odd" => Money::usd(Decimal::new(250, 2)),
        _ => Money::usd(Decimal::from(3)),
    }
}

impl Storm {
    /// What a face asks for, with what the shell would read for it from disk.
    pub(super) fn command(&mut self, command: Command) {
        let at = matches!(command, Command::Queue { .. }).then_some(super::At::Queue);
        let looked_up = self.look_up(&command);
        self.input(at, Input::Commanded { face: 1, ticket: 1, command, looked_up });
    }

    fn look_up(&mut self, command: &Command) -> LookedUp {
        let mut looked_up = LookedUp::default();
        match command {
            Command::Queue { jobs } => {
                let keys: Vec<String> = jobs.iter().filter_map(|job| job.key.clone()).collect();
                looked_up.known = self.disk.known(&keys).expect("keys can be read");
            }
            Command::Retry { ids, .. }
            | Command::Abandon { ids }
            | Command::Cancel { ids }
            | Command::WriteOff { ids }
            | Command::Hold { ids }
            | Command::Duplicate { ids }
            | Command::Move { ids, .. }
            | Command::Tag { ids, .. }
            | Command::Release { ids, .. } => {
                let gone: Vec<JobId> = ids.iter().filter(|id| self.core.job(**id).is_none()).copied().collect();
                looked_up.finals = gone.into_iter().filter_map(|id| self.kept(id)).collect();
            }
            Command::Adopt { id, remote_id } => {
                let all = self.all_kept();
                let same = |other: &&Job| other.id != *id && other.remote_id.as_ref() == Some(remote_id);
                looked_up.adopted_by = all.iter().find(same).map(|other| other.id);
            }
            _ => {}
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
        let command = match self.rng.u32(0..23) {
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
            16 => {
                let ids = self.some_jobs(lost);
                let lost = |id: &JobId| self.core.job(*id).is_some_and(|job| job.state == JobState::Unconfirmed);
                self.written_off.extend(ids.iter().filter(|id| lost(id)).copied().collect::<Vec<_>>());
                Command::WriteOff { ids }
            }
            17 | 18 => {
                let Some(id) = self.some_jobs(lost).first().copied() else { return };
                let own = self.book.of_job(id).filter(|_| self.wire != Wire::A4f && self.rng.bool());
                let remote_id = own.map_or("nobody's".to_owned(), |place| self.book.orders[place].id.clone());
                Command::Adopt { id, remote_id }
            }
            _ => Command::RefreshBalances,
        };
        self.command(command);
    }
}
