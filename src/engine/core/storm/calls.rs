//! What the world makes of an effect: the services' answers, each fault of a call, and the disk.
//!
//! Knows what the adapters would report. Must not know what the core makes of it.

use std::time::Duration;

use super::book::{Making, Taken};
use super::cells::{Fault, Step as At, Wire};
use super::{Flight, SignedDuration, Storm, make};
use crate::domain::{ErrorKind, Job, JobError, JobId, JobState, Money, Problem};
use crate::engine::core::{Effect, Input, PreparedOrder, Unprepared};
use crate::provider::{Accepted, Evidence, Finished, Grade, RemoteState, ServiceError, Status, SubmitAnswer};

pub(super) fn error(kind: ErrorKind, status: Option<u16>) -> ServiceError {
    ServiceError { status, ..ServiceError::new(kind, format!("{kind:?} {status:?}")) }
}

impl Storm {
    /// The error of a call that no money hangs on.
    pub(super) fn trouble(&mut self, fault: Fault) -> ServiceError {
        let retry_after = self.pick(&[None, Some(Duration::from_secs(2)), Some(Duration::from_secs(4000))]);
        match fault {
            Fault::NotSent => error(ErrorKind::Unavailable, None),
            Fault::Unauthorized => error(ErrorKind::Authentication, Some(401)),
            Fault::NoMoney => error(ErrorKind::Balance, Some(402)),
            Fault::Busy => ServiceError { retry_after, ..error(ErrorKind::RateLimit, Some(429)) },
            Fault::Down => error(ErrorKind::Unavailable, Some(503)),
            Fault::Html => error(ErrorKind::Protocol, Some(200)),
            Fault::Gone => error(ErrorKind::Gone, Some(404)),
            _ => error(ErrorKind::Unavailable, Some(200)),
        }
    }

    /// Answers an effect, now or later, or the program ends meanwhile.
    pub(super) fn answer(&mut self, flight: Flight) {
        let at = match &flight.effect {
            Effect::Probe { .. } => At::Probe,
            Effect::Prepare { .. } => At::Build,
            Effect::Submit { job, .. } if self.is_repeat(*job) => At::Repeat,
            Effect::Submit { .. } => At::Order,
            Effect::Poll { .. } => At::Poll,
            Effect::Find { .. } => At::Find,
            Effect::Download { .. } => At::Download,
            Effect::Balance { .. } => At::Balance,
            Effect::Discover { account, .. } => {
                let account = account.clone();
                return self.input(None, Input::Discovered { account, result: Ok(Vec::new()) });
            }
            Effect::Discard { .. } => return,
        };
        let fault = if flight.late_until.is_some() { None } else { self.fault(at) };
        let crash_is_of_call = at != At::Download && !matches!(at, At::Order | At::Repeat);
        match fault {
            Some(Fault::Late) => {
                self.felt(at, Fault::Late);
                let mut arrived = None;
                if let Effect::Submit { job, until } = flight.effect
                    && until.is_none_or(|until| self.clock < until)
                {
                    // It got there at once; only its answer is late.
                    arrived = Some(self.arrives(job));
                    self.input(None, Input::Waited { job });
                }
                let span = SignedDuration::from_secs(self.rng.i64(61..590));
                let late_until = Some(self.clock + span);
                return self.in_flight.push(Flight { late_until, arrived, effect: flight.effect });
            }
            Some(Fault::CrashBefore) if crash_is_of_call => {
                self.felt(at, Fault::CrashBefore);
                return self.end();
            }
            _ => {}
        }
        match flight.effect {
            Effect::Probe { account } => {
                let result = self.free(at, fault).map(|()| make::profile(self.wire));
                self.input(Some(At::Profile), Input::Probed { account, result });
            }
            Effect::Balance { account, .. } => {
                let result = self.free(at, fault).map(|()| vec![Money::usd(self.shown())]);
                self.input(None, Input::Balanced { account, result });
            }
            Effect::Prepare { job, .. } => self.build(&job, fault),
            // The body finds that it is too late before a byte of it leaves.
            Effect::Submit { job, until }
                if flight.arrived.is_none() && until.is_some_and(|until| self.clock >= until) =>
            {
                let answer = SubmitAnswer::NotSent(error(ErrorKind::Protocol, None));
                self.input(Some(At::Answer), Input::Submitted { job, answer, bytes: 0 });
            }
            Effect::Submit { job, .. } => self.order(at, job, fault, flight.arrived),
            Effect::Poll { job, remote, .. } => self.poll(job, &remote.remote_id, fault),
            Effect::Find { job, .. } => self.find(job, fault),
            Effect::Download { job, .. } => self.download(&job, fault),
            Effect::Discover { .. } | Effect::Discard { .. } => {}
        }
    }

    fn is_repeat(&self, id: JobId) -> bool {
        self.core.job(id).is_some_and(|job| job.state == JobState::Unconfirmed)
    }

    fn free(&mut self, at: At, fault: Option<Fault>) -> Result<(), ServiceError> {
        let Some(fault) = fault else { return Ok(()) };
        self.felt(at, fault);
        Err(self.trouble(fault))
    }

    fn build(&mut self, job: &Job, fault: Option<Fault>) {
        let fault = fault.filter(|_| job.state == JobState::Queued);
        fault.into_iter().for_each(|fault| self.felt(At::Build, fault));
        let result = match fault {
            Some(Fault::DiskFull) => Err(Unprepared::Disk("the disk is full".into())),
            Some(Fault::Illegal) => Err(Unprepared::Illegal(vec![Problem::new("image", "file", "is gone")])),
            _ => {
                let name = format!("/out/{}", job.request.prompt);
                let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name} ({n})")));
                let free =
                    |name: &String| self.disk.claimant(name).is_ok_and(|o| o.is_none_or(|owner| owner == job.id));
                // Now and then what was free when it was looked for is taken by the time it is claimed.
                let taken = self.claimed.contains(&name) && job.id.0 % 4 == 0;
                let stem = if taken { name.clone() } else { names.into_iter().find(free).unwrap_or(name) };
                let stem = job.stem.clone().unwrap_or(stem);
                let digest = format!("d{}", job.id);
                self.claimed.insert(stem.clone());
                Ok(PreparedOrder { record: "{}".into(), digest, stem })
            }
        };
        let at = if job.state == JobState::Unconfirmed { At::Mark } else { At::Intent };
        let at = if result.is_ok() { Some(at) } else { None };
        self.input(at, Input::Prepared { job: job.id, result });
    }

    /// A job's order reaches its service.
    pub(super) fn arrives(&mut self, id: JobId) -> Option<usize> {
        let job = self.kept(id)?;
        let cost = make::price(self.wire, &job);
        let digest = job.digest.clone().unwrap_or_default();
        let taken = self.book.take((self.wire, self.other_key), id, &digest, cost, self.clock);
        self.purse_moved();
        self.note(|| format!("{id} reaches its service: {taken:?}"));
        let Taken::Order(place) = taken else { return None };
        if self.wire == Wire::A4f {
            // Its answer is the clip: some of it, or all, is on disk when something ends.
            self.book.orders[place].making = Making::Finished;
            let came = self.rng.u8(0..3);
            if came > 0 {
                self.parts.insert(id, (self.book.orders[place].id.clone(), came == 2));
            }
        }
        Some(place)
    }

    fn order(&mut self, at: At, id: JobId, fault: Option<Fault>, arrived: Option<Option<usize>>) {
        use Fault::*;
        let others = |storm: &Storm| {
            let is_known = |remote: &String| {
                let of = |job: &Job| job.remote_id.as_ref() == Some(remote);
                storm.core.jobs.values().any(of)
                    || storm.core.over.contains_key(&(make::ACCOUNT.to_owned(), remote.clone()))
            };
            let of = |order: &&super::book::Order| order.job != id && is_known(&order.id);
            storm.book.orders.iter().find(of).map(|order| order.id.clone())
        };
        let taken_id = others(self).filter(|_| fault == Some(TakenId));
        let fault = fault.filter(|fault| *fault != TakenId || taken_id.is_some());
        fault.into_iter().for_each(|fault| self.felt(at, fault));
        let unknown = |kind, status| SubmitAnswer::Unknown(error(kind, status));
        let maybe = self.rng.bool();
        let answer = match fault {
            Some(CrashBefore) => return self.end(),
            Some(CrashAfter) => {
                self.arrives(id);
                return self.end();
            }
            Some(NotSent) => SubmitAnswer::NotSent(error(ErrorKind::Unavailable, None)),
            Some(CutBefore) => unknown(ErrorKind::Unavailable, None),
            Some(CutAfter) => {
                self.arrives(id);
                unknown(ErrorKind::Unavailable, Some(200))
            }
            Some(TooLate) => {
                maybe.then(|| self.arrives(id));
                self.pass(SignedDuration::from_secs(600));
                unknown(ErrorKind::Protocol, None)
            }
            Some(Down | Html) => {
                maybe.then(|| self.arrives(id));
                unknown(ErrorKind::Protocol, Some(502))
            }
            Some(DiskFull) => {
                self.arrives(id);
                self.parts.remove(&id);
                unknown(ErrorKind::Disk, Some(200))
            }
            Some(Refused) => {
                let kind = self.pick(&[ErrorKind::Invalid, ErrorKind::Plan, ErrorKind::Policy, ErrorKind::Unavailable]);
                SubmitAnswer::Refused(error(kind, Some(400)))
            }
            Some(fault @ (NoMoney | Unauthorized | Busy)) => SubmitAnswer::Refused(self.trouble(fault)),
            _ => match arrived.unwrap_or_else(|| self.arrives(id)) {
                None => unknown(ErrorKind::Protocol, Some(409)),
                Some(place) => self.taken(place, fault, taken_id),
            },
        };
        if matches!(answer, SubmitAnswer::Accepted(Accepted { cost: Some(_), .. })) {
            self.telling = Some(id);
        }
        self.input(Some(At::Answer), Input::Submitted { job: id, answer, bytes: 0 });
        self.telling = None;
    }

    fn taken(&mut self, place: usize, fault: Option<Fault>, taken_id: Option<String>) -> SubmitAnswer {
        let wire = self.wire;
        let order = &mut self.book.orders[place];
        if wire == Wire::A4f {
            let (id, job) = (order.id.clone(), order.job);
            let by_link = self.rng.u8(0..3) > 0;
            let links = if by_link { vec![format!("https://x/{id}")] } else { Vec::new() };
            if by_link {
                self.parts.remove(&job);
            } else {
                self.parts.insert(job, (id, true));
            }
            let (clips, revised_prompt) = (usize::from(!by_link), None);
            return SubmitAnswer::Finished(Finished { clips, links, revised_prompt });
        }
        if fault == Some(Fault::Overcharge) {
            order.cost = Money::usd(rust_decimal::Decimal::new(610, 2));
            order.paid = order.cost.amount;
        }
        let remote_id = match fault {
            Some(Fault::WrongId) => format!("nobody-{place}"),
            Some(Fault::TakenId) => taken_id.unwrap_or_default(),
            _ => order.id.clone(),
        };
        let cost = order.cost;
        // Not every answer of NanoGPT's names a price (wire.md 1.4); an odd one is told by all.
        let told = wire != Wire::Nanogpt || self.rng.bool();
        // The old NinjaChat's answers say what is left, unless they are the short ones.
        let echoes = wire == Wire::NinjachatOld && self.rng.bool();
        let balance = echoes.then(|| Money::usd(self.held()));
        SubmitAnswer::Accepted(Accepted { remote_id, cost: told.then_some(cost), balance, ..Accepted::default() })
    }

    fn poll(&mut self, id: JobId, remote: &str, fault: Option<Fault>) {
        use Fault::*;
        let place = self.book.of_id(remote);
        let fault = fault.filter(|fault| {
            let working = place.is_some_and(|n| matches!(self.book.orders[n].making, Making::Working(_)));
            !matches!(fault, StrangeWord | Failed | Overcharge) || working
        });
        fault.into_iter().for_each(|fault| self.felt(At::Poll, fault));
        let result = match (fault, place) {
            (Some(NotSent | CutBefore | Unauthorized | Busy | Down | Html | Gone), _) => {
                Err(self.trouble(fault.unwrap_or(Down)))
            }
            (_, None) => Err(self.trouble(Gone)),
            (_, Some(place)) => Ok(self.status(place, fault)),
        };
        if matches!(result, Ok(Status { cost: Some(_), .. })) {
            self.telling = Some(id);
        }
        self.input(Some(At::Status), Input::Polled { job: id, result });
        self.telling = None;
    }

    fn status(&mut self, place: usize, fault: Option<Fault>) -> Status {
        if fault == Some(Fault::Failed) {
            let refunded = self.rng.bool();
            self.book.fail(place, refunded);
            self.purse_moved();
        }
        let order = &mut self.book.orders[place];
        if fault == Some(Fault::Overcharge) {
            order.cost = Money::usd(rust_decimal::Decimal::new(470, 2));
            order.paid = order.cost.amount;
        }
        // A service that gives back names no final price; NinjaChat's statuses name none at all.
        let told = self.wire == Wire::Nanogpt && order.making != Making::Failed && fault != Some(Fault::StrangeWord);
        let cost = told.then_some(order.cost);
        let (state, word) = match &mut order.making {
            Making::Failed => {
                let error = JobError::new(ErrorKind::Generation, "it failed");
                (RemoteState::Failed { error, refunded: order.paid.is_zero() }, "failed")
            }
            _ if fault == Some(Fault::StrangeWord) => (RemoteState::Working, "transmogrifying"),
            Making::Working(0) => {
                order.making = Making::Finished;
                (RemoteState::Finished { links: vec![format!("https://x/{}", order.id)] }, "completed")
            }
            Making::Working(left) => {
                *left -= 1;
                (RemoteState::Working, "processing")
            }
            Making::Finished => (RemoteState::Finished { links: vec![format!("https://x/{}", order.id)] }, "completed"),
        };
        Status { word: word.into(), state, progress: None, cost }
    }

    fn find(&mut self, id: JobId, fault: Option<Fault>) {
        use Fault::*;
        let place = self.book.of_job(id);
        let other = self.book.orders.iter().find(|order| order.job != id).map(|order| order.id.clone());
        let fault = fault.filter(|fault| *fault != WrongId || other.is_some());
        fault.into_iter().for_each(|fault| self.felt(At::Find, fault));
        let result = match fault {
            Some(NotSent | CutBefore | Unauthorized | Busy | Down | Html) => Err(self.trouble(fault.unwrap_or(Down))),
            // A row that is not ours proves nothing (wire.md 1.2): its thread is another's.
            Some(WrongId) => Ok(Evidence { remote_id: other, grade: Grade::Likely, ..Evidence::open("a run like it") }),
            Some(Absent) => Ok(Evidence::open("none is listed")),
            _ => Ok(self.evidence(place)),
        };
        let told = matches!(result, Ok(Evidence { charged: Some(_), .. }));
        if told {
            self.telling = Some(id);
        }
        let repeatable = (self.wire == Wire::NinjachatNew).then(|| SignedDuration::from_secs(600));
        self.input(Some(At::Verdict), Input::Evidence { job: id, result, repeatable });
        self.telling = None;
    }

    /// What each service keeps of a lost order, where it keeps anything.
    fn evidence(&mut self, place: Option<usize>) -> Evidence {
        let Some(order) = place.map(|place| self.book.orders[place].clone()) else {
            return Evidence::open("nothing is kept under our own id");
        };
        match self.wire {
            Wire::Nanogpt => {
                // A list that is too short, or does not heed our id, leaves it out.
                let listed = self.calm || self.rng.u8(0..4) > 0;
                let refunded = order.making == Making::Failed;
                let charged = (self.rng.bool() && !refunded).then_some(order.cost);
                match (listed, charged) {
                    (true, charged) => {
                        let (grade, remote_id) = (Grade::Proven, Some(order.id));
                        Evidence { grade, remote_id, charged, text: "listed under our own id".into() }
                    }
                    (false, None) => Evidence::open("none is listed"),
                    (false, charged) => Evidence { grade: Grade::Proven, charged, ..Evidence::open("a charge") },
                }
            }
            Wire::NinjachatNew if order.making != Making::Failed && self.rng.bool() => {
                Evidence { grade: Grade::Proven, charged: Some(order.cost), ..Evidence::open("a charge is kept") }
            }
            _ => Evidence::open("compare the balance"),
        }
    }
}
