//! The core against a scripted world on a virtual clock: the money law, step by step.

mod books;
mod learning;
mod limits;
mod losses;
mod moving;
mod resolving;
mod trace;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::domain::message::Answer;
use crate::domain::{
    AccountProfile, ClipFile, Currency, EntryKind, ErrorKind, Hold, Money, NewJob, Offer, Request, Service,
};
use crate::provider::limits::Limits;
use crate::provider::{Accepted, FetchError, Finished, RemoteState, ServiceError, Status, SubmitAnswer};
use crate::store::Loaded;

fn at(seconds: i64) -> Timestamp {
    "2026-11-20T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::Usd).unwrap()
}

fn model(price: &str) -> Offer {
    let text = format!(
        "id = \"veo\"\nservice = \"ninjachat\"\nprompt_max = 4000\nsource = \"000\"\nspeed = {{ min = 60, max = 100 }}\nprice = {{ shape = {price}, as_of = \"2026-08-21\", source = \"000\" }}\n[[parameters]]\nname = \"duration\"\ntype = \"integer\"\none_of = [4, 6, 8]\ndefault = 8"
    );
    Offer::new("n", Arc::new(toml::from_str(&text).unwrap()))
}

fn offers() -> Vec<Offer> {
    vec![model(r#"{ per_clip = { amount = "3.00" } }"#)]
}

fn catalog(offers: &[Offer]) -> Catalog {
    Catalog::made_of(offers.iter().map(|offer| (*offer.model).clone()).collect())
}

fn settings() -> CoreSettings {
    CoreSettings {
        caps: Caps::default(),
        model_caps: BTreeMap::new(),
        zone: jiff::tz::TimeZone::UTC,
        simulated: false,
        times_faster: 1,
        online: true,
        salt: vec![7; 32],
    }
}

fn account() -> Account {
    let mut account = Account::new("n".into(), Service::Ninjachat, 0, Limits::default());
    account.origin = "https://ninjachat.ai".into();
    account.fingerprint = "f".into();
    account.max_in_flight = 2;
    // Few tests are about a session's first order.
    account.first_balance = first::FirstBalance::Over;
    account
}

/// A job as an earlier run of the program queued it.
fn stored(id: i64, state: JobState) -> Job {
    let mut job = Job::new(JobId(id), Request::new(&"n/veo".parse().unwrap(), "x"), at(0));
    (job.origin, job.fingerprint, job.state) = ("https://ninjachat.ai".into(), "f".into(), state);
    job.estimate = Some(crate::domain::Estimate { money: usd("3.00"), source: crate::domain::PriceSource::Documents });
    job.remote_id = Some("r".into());
    job.links = vec!["https://x/y.mp4".into()];
    job
}

/// A core with one probed account.
struct World {
    core: Core,
    now: Timestamp,
}

impl World {
    fn new(settings: CoreSettings, offers: &[Offer], loaded: Loaded) -> (World, Step) {
        let (mut core, mut step) = Core::start(settings, vec![account()], catalog(offers), loaded, at(0));
        step.append(core.step(at(0), Input::Ticked));
        let probes = step.effects.iter().filter(|e| matches!(e, Effect::Probe { .. })).count();
        assert_eq!(probes, 1);
        step.append(core.step(at(0), Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) }));
        (World { core, now: at(0) }, step)
    }

    fn fresh() -> World {
        World::new(settings(), &offers(), Loaded::default()).0
    }

    fn step(&mut self, input: Input) -> Step {
        self.core.step(self.now, input)
    }

    fn command(&mut self, command: Command) -> (Step, Answer) {
        let mut step = self.step(Input::Commanded { face: 1, ticket: 9, command, looked_up: LookedUp::default() });
        let (_, ticket, answer) = step.answers.pop().unwrap();
        assert_eq!(ticket, 9);
        (step, answer)
    }

    fn queue(&mut self, prompt: &str) -> (Step, JobId) {
        let request = Request::new(&"n/veo".parse().unwrap(), prompt);
        match self.command(Command::Queue { jobs: vec![NewJob::of(request)] }) {
            (step, Answer::Accepted { ids, .. }) => (step, ids[0]),
            (_, other) => panic!("{other:?}"),
        }
    }

    fn prepare(&mut self, job: JobId) -> Step {
        let order = PreparedOrder { record: "{}".into(), digest: "d".into(), stem: format!("/out/{job}") };
        self.step(Input::Prepared { job, result: Ok(order) })
    }

    /// A job that was accepted for three dollars and runs.
    fn running(&mut self) -> JobId {
        let (_, id) = self.queue("a river");
        self.prepare(id);
        let accepted = Accepted { remote_id: format!("r-{id}"), cost: Some(usd("3.00")), ..Accepted::default() };
        self.step(Input::Submitted { job: id, answer: SubmitAnswer::Accepted(accepted), bytes: 0 });
        assert_eq!(self.state(id), JobState::Running);
        id
    }

    fn state(&self, id: JobId) -> JobState {
        self.core.jobs[&id].state
    }

    fn sums(&self) -> (String, String) {
        let sums = self.core.budget.ledger().of("n", Currency::Usd);
        (usd(&sums.reserved.to_string()).to_string(), usd(&sums.spent().to_string()).to_string())
    }
}

fn submits(step: &Step) -> usize {
    step.effects.iter().filter(|e| matches!(e, Effect::Submit { .. })).count()
}

fn last_put(step: &Step) -> Job {
    let put = |change: &Change| if let Change::PutJob(job) = change { Some((**job).clone()) } else { None };
    step.changes.iter().rev().find_map(put).unwrap()
}

fn working(word: &str) -> Status {
    Status { word: word.into(), state: RemoteState::Working, progress: Some(40), cost: None }
}

#[test]
fn the_order_leaves_in_the_same_step_that_stores_intent_and_reservation() {
    let mut world = World::fresh();
    let (step, id) = world.queue("a river");
    assert_eq!(submits(&step), 0, "queueing alone sends nothing");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })));
    let step = world.prepare(id);
    assert_eq!(submits(&step), 1);
    let kinds: Vec<&str> = step
        .changes
        .iter()
        .map(|change| match change {
            Change::PutIntent { reserved: Some(_), .. } => "intent",
            Change::Book(entry) if entry.kind == EntryKind::Reserved => "reserved",
            Change::ClaimName { .. } => "name",
            Change::PutJob(job) if job.state == JobState::Submitting => "submitting",
            _ => "",
        })
        .collect();
    for needed in ["intent", "reserved", "name", "submitting"] {
        assert!(kinds.contains(&needed), "{needed} is not in the commit: {kinds:?}");
    }
    assert_eq!(world.sums(), ("$3.00".into(), "$0.00".into()));
    assert_eq!(submits(&world.prepare(id)), 0, "an order built twice is sent once");
}

#[test]
fn a_job_goes_from_queued_to_done_and_the_books_follow() {
    let mut world = World::fresh();
    let id = world.running();
    assert_eq!(world.sums(), ("$0.00".into(), "$3.00".into()));
    world.now = at(60);
    let step = world.step(Input::Ticked);
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Poll { .. })));
    let status = Status {
        word: "completed".into(),
        state: RemoteState::Finished { links: vec!["https://x/y.mp4".into()] },
        progress: None,
        cost: Some(usd("3.00")),
    };
    let step = world.step(Input::Polled { job: id, result: Ok(status) });
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Download { .. })));
    let at_work = |event: &Event| if let Event::AccountChanged(row) = event { Some(row.in_flight) } else { None };
    assert_eq!(step.events.iter().rev().find_map(at_work), Some(0), "its slot at the service is free again");
    let file = ClipFile {
        path: "/out/a.mp4".into(),
        bytes: 9,
        sha256: "s".into(),
        kind: crate::domain::FileKind::Video,
        width: None,
        height: None,
        duration_ms: None,
    };
    let step = world.step(Input::Downloaded { job: id, result: Ok(vec![file]) });
    let job = last_put(&step);
    assert_eq!((job.state, job.cost), (JobState::Done, Some(usd("3.00"))));
    assert_eq!(world.sums(), ("$0.00".into(), "$3.00".into()), "the final figure told again books nothing twice");
    // And how long it took is what is told of its model from now on.
    let told = |event: &Event| match event {
        Event::TimesChanged(timings) => timings.of("n", "veo"),
        _ => None,
    };
    let took = world.now.duration_since(job.submitted_at.unwrap()).as_secs();
    let timing = step.events.iter().find_map(told).unwrap();
    assert_eq!((i64::from(timing.p50_s), timing.clips), (took, 1));
    assert!(!world.core.is_drained() && world.core.jobs.is_empty(), "the balance after the last order is to come");
    // The one that was asked for at the start comes first.
    for _ in 0..2 {
        world.step(Input::Balanced { account: "n".into(), result: Ok(vec![usd("39.00")]) });
    }
    assert!(world.core.is_drained());
}

#[test]
fn each_outcome_of_a_paid_request_does_what_the_law_says() {
    let error = |kind| ServiceError::new(kind, "words");
    let cases: Vec<(SubmitAnswer, JobState, &str, bool)> = vec![
        (SubmitAnswer::Refused(error(ErrorKind::Invalid)), JobState::Failed, "$0.00", false),
        (SubmitAnswer::Refused(error(ErrorKind::Policy)), JobState::Failed, "$0.00", false),
        (SubmitAnswer::Refused(error(ErrorKind::Plan)), JobState::Failed, "$0.00", false),
        (SubmitAnswer::Refused(error(ErrorKind::Authentication)), JobState::Queued, "$0.00", true),
        (SubmitAnswer::Refused(error(ErrorKind::Balance)), JobState::Queued, "$0.00", true),
        (SubmitAnswer::Refused(error(ErrorKind::RateLimit)), JobState::Queued, "$0.00", true),
        (SubmitAnswer::Refused(error(ErrorKind::Unavailable)), JobState::Queued, "$0.00", false),
        (SubmitAnswer::NotSent(error(ErrorKind::Unavailable)), JobState::Queued, "$0.00", false),
        (SubmitAnswer::Unknown(error(ErrorKind::Protocol)), JobState::Unconfirmed, "$3.00", false),
    ];
    for (answer, state, reserved, paused) in cases {
        let name = format!("{answer:?}");
        let mut world = World::fresh();
        let (_, id) = world.queue("a river");
        world.prepare(id);
        let step = world.step(Input::Submitted { job: id, answer, bytes: 0 });
        assert_eq!(last_put(&step).state, state, "{name}");
        assert_eq!(world.sums().0, reserved, "{name}");
        assert_eq!(world.core.accounts["n"].pause.is_some(), paused, "{name}");
        assert_eq!(submits(&step), 0, "{name}: nothing is sent again in the same breath");
        if state == JobState::Unconfirmed {
            world.now = at(100_000);
            let later = world.step(Input::Ticked);
            assert_eq!(submits(&later), 0, "unconfirmed is never sent again by itself");
            assert_eq!(world.state(id), JobState::Unconfirmed);
        }
    }
}

#[test]
fn a_paused_account_keeps_its_jobs_and_goes_on_when_resumed() {
    let mut world = World::fresh();
    let (_, id) = world.queue("a river");
    world.prepare(id);
    let refused = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Balance, "Insufficient balance"));
    world.step(Input::Submitted { job: id, answer: refused, bytes: 0 });
    assert!(world.core.is_drained(), "nothing can go on without the user");
    world.now = at(600);
    assert!(!world.step(Input::Ticked).effects.iter().any(|e| matches!(e, Effect::Prepare { .. })));
    let (step, _) = world.command(Command::Resume { account: "n".into() });
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })));
}

#[test]
fn a_start_never_sends_again_what_may_have_been_sent() {
    let states = [JobState::Submitting, JobState::Running, JobState::Downloading, JobState::Queued];
    let jobs = states.into_iter().zip(1..).map(|(state, id)| stored(id, state)).collect();
    let loaded = Loaded { active: jobs, next_job: 5, ..Loaded::default() };
    let (world, step) = World::new(settings(), &offers(), loaded);
    assert_eq!(world.state(JobId(1)), JobState::Unconfirmed);
    assert_eq!(submits(&step), 0);
    let (mut polled, mut fetched, mut prepared) = (vec![], vec![], vec![]);
    for effect in &step.effects {
        match effect {
            Effect::Poll { job, .. } => polled.push(job.0),
            Effect::Download { job, .. } => fetched.push(job.id.0),
            Effect::Prepare { job, .. } => prepared.push(job.id.0),
            _ => {}
        }
    }
    assert_eq!((polled, fetched, prepared), (vec![2], vec![3], vec![4]));
}

#[test]
fn a_job_of_another_key_waits_and_is_not_asked_about_elsewhere() {
    let (mut job, mut queued) = (stored(1, JobState::Running), stored(2, JobState::Queued));
    job.fingerprint = "other".into();
    queued.fingerprint = "other".into();
    let loaded = Loaded { active: vec![job, queued], next_job: 3, ..Loaded::default() };
    let (mut world, mut step) = World::new(settings(), &offers(), loaded);
    world.now = at(100);
    step.append(world.step(Input::Ticked));
    assert!(!step.effects.iter().any(|e| matches!(e, Effect::Poll { .. } | Effect::Prepare { .. })));
    assert_eq!(world.state(JobId(2)), JobState::Held);
    assert_eq!(world.core.jobs[&JobId(1)].hold, Some(Hold::AccountChanged));
    let (_, answer) = world.command(Command::Release { ids: vec![JobId(2)], ceiling: None });
    assert!(matches!(answer, Answer::Accepted { .. }));
    assert_eq!(world.state(JobId(2)), JobState::Queued);
}

#[test]
fn a_cap_holds_what_would_pass_it() {
    let caps = Caps { day: Some(usd("5.00")), ..Caps::default() };
    let (mut world, _) = World::new(CoreSettings { caps, ..settings() }, &offers(), Loaded::default());
    let (_, first) = world.queue("one");
    let (_, second) = world.queue("two");
    assert_eq!(submits(&world.prepare(first)), 1);
    assert_eq!(submits(&world.prepare(second)), 0);
    assert_eq!(world.core.jobs[&second].hold, Some(Hold::OverCap("day's".into())));
    let answer =
        SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost: Some(usd("3.00")), ..Accepted::default() });
    world.step(Input::Submitted { job: first, answer, bytes: 0 });
    world.now = at(13 * 3600);
    world.step(Input::Ticked);
    assert_eq!(world.state(second), JobState::Queued, "a new day has room");
}

#[test]
fn an_unknown_price_waits_for_a_ceiling_and_reserves_it() {
    let (mut world, _) = World::new(settings(), &[model("{ unknown = {} }")], Loaded::default());
    let (_, id) = world.queue("one");
    assert_eq!(world.core.jobs[&id].hold, Some(Hold::PriceUnknown));
    let (_, answer) = world.command(Command::Release { ids: vec![id], ceiling: None });
    assert!(matches!(answer, Answer::Refused { .. }));
    world.command(Command::Release { ids: vec![id], ceiling: Some(usd("2")) });
    assert_eq!(submits(&world.prepare(id)), 1);
    assert_eq!(world.sums().0, "$2.00");
}

#[test]
fn cancel_works_before_sending_only_and_even_while_the_order_is_built() {
    let mut world = World::fresh();
    let (_, id) = world.queue("one");
    let (step, answer) = world.command(Command::Cancel { ids: vec![id] });
    assert!(matches!(answer, Answer::Accepted { .. }));
    assert_eq!(last_put(&step).state, JobState::Cancelled);
    assert_eq!(submits(&world.prepare(id)), 0, "the order that was being built is dropped");
    let id = world.running();
    let (_, answer) = world.command(Command::Cancel { ids: vec![id] });
    let Answer::Refused { problems } = answer else { panic!("{answer:?}") };
    assert!(problems[0].message.contains("abandon"), "{problems:?}");
}

#[test]
fn retrying_an_unconfirmed_job_needs_the_users_word() {
    let mut world = World::fresh();
    let (_, id) = world.queue("one");
    world.prepare(id);
    let unknown = SubmitAnswer::Unknown(ServiceError::new(ErrorKind::Protocol, "cut"));
    world.step(Input::Submitted { job: id, answer: unknown, bytes: 0 });
    let (_, answer) = world.command(Command::Retry { ids: vec![id], may_pay_twice: false, minimal: false });
    assert!(matches!(answer, Answer::Refused { .. }));
    let (step, answer) = world.command(Command::Retry { ids: vec![id], may_pay_twice: true, minimal: false });
    let Answer::Accepted { ids, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(last_put(&step).parent, Some(id));
    assert_ne!(world.core.jobs[&ids[0]].correlation, world.core.jobs[&id].correlation);
    assert_eq!(world.state(id), JobState::Unconfirmed, "the first order stays open");
}

#[test]
fn a_failed_poll_never_fails_a_job_and_late_is_not_failed() {
    let mut world = World::fresh();
    let id = world.running();
    for n in 1..50 {
        world.now = at(n * 400);
        world.step(Input::Ticked);
        let kind = if n % 2 == 0 { ErrorKind::Gone } else { ErrorKind::Unavailable };
        world.step(Input::Polled { job: id, result: Err(ServiceError::new(kind, "down")) });
        assert_eq!(world.state(id), JobState::Running);
    }
    world.now += SignedDuration::from_secs(400);
    world.step(Input::Ticked);
    world.step(Input::Polled { job: id, result: Ok(working("delivering")) });
    let job = &world.core.jobs[&id];
    assert_eq!((job.late, job.phase.as_deref(), job.progress), (true, Some("delivering"), Some(40)));
}

#[test]
fn a_failed_generation_is_refunded_once_and_costs_nothing() {
    let mut world = World::fresh();
    let id = world.running();
    world.now = at(60);
    world.step(Input::Ticked);
    let failed = || Status {
        word: "failed".into(),
        state: RemoteState::Failed {
            error: crate::domain::JobError::new(ErrorKind::Generation, "it failed"),
            refunded: true,
        },
        progress: None,
        cost: None,
    };
    let step = world.step(Input::Polled { job: id, result: Ok(failed()) });
    let job = last_put(&step);
    assert_eq!((job.state, job.cost.unwrap().to_string().as_str()), (JobState::Failed, "$0.00"));
    let again = world.step(Input::Polled { job: id, result: Ok(failed()) });
    assert!(!again.changes.iter().any(|c| matches!(c, Change::Book(_))), "a poll told twice books once");
    assert_eq!(world.sums(), ("$0.00".into(), "$0.00".into()));
}

#[test]
fn a_synchronous_answer_is_published_from_its_parts_and_a_bad_link_is_polled_for_again() {
    let mut world = World::fresh();
    let (_, id) = world.queue("one");
    world.prepare(id);
    let finished = SubmitAnswer::Finished(Finished { clips: 1, ..Finished::default() });
    let step = world.step(Input::Submitted { job: id, answer: finished, bytes: 9 });
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Download { job, .. } if job.links.is_empty())));
    assert_eq!(world.sums(), ("$0.00".into(), "$3.00".into()));

    let id = world.running();
    world.now = at(60);
    world.step(Input::Ticked);
    let done = Status {
        word: "completed".into(),
        state: RemoteState::Finished { links: vec!["u".into()] },
        progress: None,
        cost: None,
    };
    world.step(Input::Polled { job: id, result: Ok(done) });
    let gone = DownloadError::Fetch(FetchError::Service(ServiceError::new(ErrorKind::Gone, "404")));
    world.step(Input::Downloaded { job: id, result: Err(gone) });
    assert_eq!(world.state(id), JobState::Running);
    world.now = at(120);
    let step = world.step(Input::Ticked);
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Poll { .. })), "asked for a fresh link");
}

#[test]
fn a_known_key_buys_nothing_and_a_changed_row_is_refused() {
    let mut world = World::fresh();
    let request = Request::new(&"n/veo".parse().unwrap(), "one");
    let known = |content: String| LookedUp {
        known: [("k".to_owned(), crate::store::Known { job: JobId(3), content })].into(),
        ..LookedUp::default()
    };
    let command = || Command::Queue {
        jobs: vec![NewJob {
            request: request.clone(),
            key: Some("k".into()),
            ceiling: None,
            parent: None,
            shrink: false,
            cap: None,
        }],
    };
    let same = known(crate::store::content_hash(&request));
    let step = world.step(Input::Commanded { face: 1, ticket: 1, command: command(), looked_up: same });
    assert_eq!(step.answers[0].2, Answer::Accepted { ids: vec![], known: 1 });
    assert!(step.changes.is_empty());
    let step =
        world.step(Input::Commanded { face: 1, ticket: 2, command: command(), looked_up: known("other".into()) });
    assert!(matches!(&step.answers[0].2, Answer::Refused { problems } if problems[0].rule == "key"));
}

#[test]
fn draining_sends_nothing_new_but_waits_for_what_is_under_way() {
    let mut world = World::fresh();
    let (_, first) = world.queue("one");
    world.prepare(first);
    world.queue("two");
    let step = world.step(Input::Drain);
    assert!(!step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })));
    assert!(!world.core.is_drained(), "an order is under way");
    let answer = SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), ..Accepted::default() });
    world.step(Input::Submitted { job: first, answer, bytes: 0 });
    let (_, second) = (0, JobId(2));
    world.prepare(second);
    assert!(world.core.is_drained());
    assert_eq!(world.sums().0, "$3.00", "a charge nobody named keeps its reservation");
}

#[test]
fn an_illegal_request_is_refused_with_its_rule_and_nothing_is_queued() {
    let mut world = World::fresh();
    let mut bad = Request::new(&"n/veo".parse().unwrap(), "x");
    bad.params.insert("duration".into(), json!(5));
    let good = NewJob {
        request: Request::new(&"n/veo".parse().unwrap(), "x"),
        key: None,
        ceiling: None,
        parent: None,
        shrink: false,
        cap: None,
    };
    let jobs = vec![good, NewJob::of(bad)];
    let (step, answer) = world.command(Command::Queue { jobs });
    assert!(matches!(answer, Answer::Refused { problems } if problems[0].rule == "one_of"));
    assert!(step.changes.is_empty() && world.core.jobs.is_empty(), "all or nothing");
}

#[test]
fn an_engine_with_nothing_to_do_is_never_woken() {
    let mut world = World::fresh();
    world.now = at(60);
    world.step(Input::Balanced { account: "n".into(), result: Ok(vec![usd("9")]) });
    assert_eq!(world.core.wake_at(), None);
    // Both slots taken by orders that wait for their answers, a third queued: only inputs matter.
    for prompt in ["one", "two", "three"] {
        let (_, id) = world.queue(prompt);
        world.prepare(id);
    }
    world.now = at(120);
    world.step(Input::Ticked);
    assert_eq!(world.core.wake_at(), None);
}

#[test]
fn a_figure_learnt_while_a_job_runs_is_on_disk_with_the_job_and_a_changed_one_books_the_difference() {
    let mut world = World::fresh();
    let id = world.running();
    for (n, (figure, spent)) in
        [("3.00", "$3.00"), ("3.50", "$3.50"), ("3.50", "$3.50"), ("3.20", "$3.20")].into_iter().enumerate()
    {
        world.now = at(60 * (i64::try_from(n).unwrap() + 1));
        world.step(Input::Ticked);
        let status = Status { cost: Some(usd(figure)), ..working("processing") };
        let step = world.step(Input::Polled { job: id, result: Ok(status) });
        assert_eq!(world.sums(), ("$0.00".into(), spent.into()));
        let booked = step.changes.iter().any(|c| matches!(c, Change::Book(_)));
        let put = step.changes.iter().any(|c| matches!(c, Change::PutJob(job) if job.cost == Some(usd(figure))));
        assert!(put || !booked, "what is booked and what the job says are one commit");
    }
}
