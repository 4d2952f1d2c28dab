//! Ways out of not knowing: each verdict, the one repeat, adoption and writing off.

use super::*;
use crate::domain::search::{Search, Verdict};
use crate::domain::{EntryKind, Refund};
use crate::provider::{Evidence, Grade, Status};

const TEN_MINUTES: Option<SignedDuration> = Some(SignedDuration::from_mins(10));

/// A world with one job whose answer was lost; it is being looked for already.
fn lost() -> (World, JobId, Step) {
    let mut world = World::fresh();
    let (_, id) = world.queue("a river");
    world.prepare(id);
    let error = ServiceError::new(ErrorKind::Protocol, "the connection broke");
    let step = world.step(Input::Submitted { job: id, answer: SubmitAnswer::Unknown(error), bytes: 0 });
    assert_eq!(world.state(id), JobState::Unconfirmed);
    (world, id, step)
}

fn finds(step: &Step) -> usize {
    step.effects.iter().filter(|e| matches!(e, Effect::Find { .. })).count()
}

fn found(grade: Grade, remote_id: Option<&str>, charged: Option<&str>) -> Evidence {
    Evidence { grade, remote_id: remote_id.map(str::to_owned), charged: charged.map(usd), text: "seen".into() }
}

impl World {
    fn evidence(&mut self, job: JobId, evidence: Evidence, repeatable: Option<SignedDuration>) -> Step {
        self.step(Input::Evidence { job, result: Ok(evidence), repeatable })
    }

    fn later(&mut self, seconds: i64) -> Step {
        self.now += SignedDuration::from_secs(seconds);
        self.step(Input::Ticked)
    }
}

fn lines<'a>(step: &'a Step, kind: &'a str) -> impl Iterator<Item = &'a NewLine> {
    step.changes.iter().filter_map(move |change| match change {
        Change::AddLine(line) if line.kind == kind => Some(line),
        _ => None,
    })
}

#[test]
fn what_is_proven_goes_on_as_that_order_and_is_charged_once() {
    let (mut world, id, step) = lost();
    assert_eq!(finds(&step), 1, "asked at once");
    let step = world.evidence(id, found(Grade::Proven, Some("run-1"), None), None);
    let is_answered =
        |c: &Change| matches!(c, Change::AnswerIntent { attempt: 1, outcome, .. } if outcome == "recovered");
    assert!(step.changes.iter().any(is_answered), "{step:?}");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Poll { remote, .. } if remote.remote_id == "run-1")));
    let job = last_put(&step);
    assert_eq!((job.state, job.error, job.refund), (JobState::Running, None, Refund::None));
    assert_eq!(world.sums(), ("$3.00".into(), "$0.00".into()), "set aside until its price is told");
    let told = |links: Vec<String>| Status {
        word: "completed".into(),
        state: if links.is_empty() { RemoteState::Working } else { RemoteState::Finished { links } },
        progress: None,
        cost: Some(usd("2.50")),
    };
    for links in [vec![], vec![], vec!["https://x/y.mp4".to_owned()]] {
        world.step(Input::Polled { job: id, result: Ok(told(links)) });
    }
    assert_eq!(world.sums(), ("$0.00".into(), "$2.50".into()));
    assert_eq!(world.state(id), JobState::Downloading);
}

#[test]
fn a_proven_charge_without_an_order_is_booked_once_and_looked_for_further() {
    let (mut world, id, _) = lost();
    let step = world.evidence(id, found(Grade::Proven, None, Some("2.50")), None);
    assert_eq!(world.sums(), ("$0.00".into(), "$2.50".into()));
    assert!(lines(&step, "evidence").next().unwrap().text.contains("charged $2.50, run unknown"));
    assert_eq!(finds(&world.later(11)), 1);
    let step = world.evidence(id, found(Grade::Proven, None, Some("2.50")), None);
    assert!(!step.changes.iter().any(|c| matches!(c, Change::Book(_))), "the same charge, told again");
    assert_eq!(lines(&step, "evidence").count(), 0, "nothing new is no line");
    assert_eq!(world.state(id), JobState::Unconfirmed);
    world.later(31);
    world.evidence(id, found(Grade::Proven, Some("run-1"), None), None);
    assert_eq!((world.state(id), world.sums().1), (JobState::Running, "$2.50".to_owned()));
}

#[test]
fn absence_and_likeness_prove_nothing_and_are_asked_about_ever_more_rarely() {
    let (mut world, id, _) = lost();
    let mut waits = Vec::new();
    for n in 0..8 {
        let grade = if n == 3 { Grade::Likely } else { Grade::Open };
        let step = world.evidence(id, Evidence { remote_id: None, ..found(grade, None, None) }, None);
        assert_eq!((submits(&step), world.state(id)), (0, JobState::Unconfirmed));
        assert_eq!(world.sums(), ("$3.00".into(), "$0.00".into()), "a reservation is not lowered by not finding");
        let began = world.now;
        world.now = world.core.wake_at().filter(|at| *at > began).unwrap();
        let mut step = world.step(Input::Ticked);
        while finds(&step) == 0 {
            world.now = world.core.wake_at().unwrap();
            step = world.step(Input::Ticked);
        }
        waits.push(world.now.duration_since(began).as_secs());
    }
    assert_eq!(waits, [10, 30, 120, 600, 3600, 3600, 3600, 3600]);
    let search = world.core.jobs[&id].search.clone().unwrap();
    assert_eq!((search.verdict, search.rounds), (Verdict::Likely, 8), "the best that was seen stays");
    assert!(search.text.contains("if it was taken, $3.00 are spent"), "{}", search.text);
}

#[test]
fn a_search_survives_a_restart_and_ends_where_nobody_wants_to_know() {
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Open, None, None), None);
    let mut stored = world.core.jobs[&id].clone();
    let load = |job: &Job| World::new(settings(), &offers(), Loaded { active: vec![job.clone()], ..Loaded::default() });
    let (mut again, step) = load(&stored);
    assert_eq!(finds(&step), 0, "not before its time");
    assert_eq!(finds(&again.later(11)), 1);
    stored.abandoned = true;
    let (mut hidden, _) = load(&stored);
    assert_eq!(finds(&hidden.later(7200)), 0);
    stored.abandoned = false;
    stored.fingerprint = "another key".into();
    let (mut other, _) = load(&stored);
    assert_eq!(finds(&other.later(7200)), 0, "another key's list says nothing");
}

#[test]
fn a_service_that_cannot_be_asked_holds_nobody_up() {
    let (mut world, id, _) = lost();
    let limit = ServiceError { status: Some(429), ..ServiceError::new(ErrorKind::RateLimit, "slow down") };
    world.step(Input::Evidence { job: id, result: Err(limit), repeatable: None });
    let (step, _) = world.queue("another");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })), "orders go on");
    assert_eq!(finds(&world.later(31)), 1);
    let denied = ServiceError { status: Some(401), ..ServiceError::new(ErrorKind::Authentication, "no") };
    world.step(Input::Evidence { job: id, result: Err(denied), repeatable: TEN_MINUTES });
    assert_eq!(world.core.account_rows()[0].pause, None, "a look never pauses an account");
    assert_eq!(world.core.jobs[&id].search.as_ref().unwrap().verdict, Verdict::Open);
}

#[test]
fn a_repeat_is_sent_once_ever_equal_to_the_byte_in_time_and_after_it_is_on_disk() {
    let (mut world, id, _) = lost();
    let step = world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })));
    let step = world.prepare(id);
    assert_eq!(submits(&step), 1);
    assert!(last_put(&step).search.unwrap().repeated, "on disk in the step that sends it");
    // A full disk or a machine that sleeps may come between this and the first byte.
    let last = last_put(&step).submitted_at.unwrap() + SignedDuration::from_mins(9);
    let bound = |effect: &Effect| matches!(effect, Effect::Submit { until: Some(until), .. } if *until == last);
    assert!(step.effects.iter().any(bound), "never later than its service knows the order");
    assert_eq!(lines(&step, "repeating").count(), 1);
    assert!(!step.changes.iter().any(|c| matches!(c, Change::PutIntent { .. })), "no second order of its own");
    let stored = last_put(&step);
    // The program dies here: what was sent is not sent again.
    let after_a_restart = |stored: Job| {
        let loaded = Loaded { active: vec![stored], ..Loaded::default() };
        let (mut again, _) = World::new(settings(), &offers(), loaded);
        again.later(11);
        let step = again.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
        step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. }))
    };
    assert!(!after_a_restart(stored.clone()), "never twice");
    let search = stored.search.clone().map(|search| Search { repeated: false, ..search });
    assert!(
        !after_a_restart(Job { search, ..stored }),
        "a clock set back meanwhile would make an old order look young"
    );
    // It lives on: the repeat's refusal proves nothing, and it is not sent again either.
    let refused = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Balance, "too little money"));
    world.step(Input::Submitted { job: id, answer: refused, bytes: 0 });
    assert_eq!((world.state(id), world.sums().0), (JobState::Unconfirmed, "$3.00".to_owned()));
    world.later(11);
    let step = world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    assert!(!step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. } | Effect::Submit { .. })));
}

#[test]
fn a_repeat_that_is_late_or_differs_by_a_byte_is_not_sent() {
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    let other = PreparedOrder { record: "{}".into(), digest: "another".into(), stem: "/out/x".into() };
    let step = world.step(Input::Prepared { job: id, result: Ok(other) });
    assert_eq!(submits(&step), 0);
    let (mut world, id, _) = lost();
    world.later(9 * 60 + 1);
    let step = world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    assert!(!step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })), "its service may forget it by then");
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    world.now += SignedDuration::from_mins(10);
    assert_eq!(submits(&world.prepare(id)), 0, "built in time and not sent in time");
    let (mut world, id, _) = lost();
    let step = world.evidence(id, found(Grade::Open, None, None), None);
    assert!(!step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })), "where it would be another order");
}

#[test]
fn a_repeat_waits_for_a_host_that_rests_and_no_look_is_taken_for_its_end() {
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Proven, None, Some("3.00")), TEN_MINUTES);
    // Another call of the host fails while the order is built once more.
    let error = ServiceError::new(ErrorKind::Unavailable, "the connection broke");
    world.step(Input::Balanced { account: "n".into(), result: Err(error) });
    assert_eq!(submits(&world.prepare(id)), 0, "the host rests");
    assert!(!world.core.is_drained(), "its repeat is still to come");
    // Of a host in trouble one call at a time finds out whether it is up, so others may come first.
    let sent = (0..9).any(|_| {
        world.now = world.core.wake_at().expect("it wakes by itself");
        let step = world.step(Input::Ticked);
        step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })) && submits(&world.prepare(id)) == 1
    });
    assert!(sent, "it is repeated");
    let answer = Accepted { remote_id: "vid-1".into(), cost: Some(usd("3.00")), ..Accepted::default() };
    world.step(Input::Submitted { job: id, answer: SubmitAnswer::Accepted(answer), bytes: 0 });
    assert_eq!(world.state(id), JobState::Running);
}

#[test]
fn the_answer_to_a_repeat_is_the_answer_to_the_order() {
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Open, None, None), TEN_MINUTES);
    world.prepare(id);
    let answer = Accepted { remote_id: "vid-1".into(), cost: Some(usd("3.00")), ..Accepted::default() };
    let step = world.step(Input::Submitted { job: id, answer: SubmitAnswer::Accepted(answer), bytes: 0 });
    let job = last_put(&step);
    assert_eq!((job.state, job.remote_id.as_deref(), job.error), (JobState::Running, Some("vid-1"), None));
    assert_eq!(world.sums(), ("$0.00".into(), "$3.00".into()));
}

#[test]
fn a_look_that_comes_back_after_an_adoption_does_not_stop_the_polls() {
    let (mut world, id, step) = lost();
    assert_eq!(finds(&step), 1, "the look is under way");
    let command = Command::Adopt { id, remote_id: "vid-1".to_owned() };
    world.step(Input::Commanded { face: 1, ticket: 5, command, looked_up: LookedUp::default() });
    let (word, state) = ("processing".to_owned(), RemoteState::Working);
    world.step(Input::Polled { job: id, result: Ok(Status { word, state, progress: None, cost: None }) });
    assert_eq!(world.state(id), JobState::Running);
    world.evidence(id, found(Grade::Open, None, None), None);
    let polled = world.later(60);
    assert!(polled.effects.iter().any(|e| matches!(e, Effect::Poll { .. })), "{polled:?}");
}

#[test]
fn an_adoption_is_answered_also_where_its_job_was_settled_meanwhile() {
    let (mut world, id, step) = lost();
    assert_eq!(finds(&step), 1, "the look is under way");
    let command = Command::Adopt { id, remote_id: "vid-1".to_owned() };
    world.step(Input::Commanded { face: 1, ticket: 5, command, looked_up: LookedUp::default() });
    world.evidence(id, found(Grade::Proven, Some("run-1"), None), None);
    assert_eq!(world.state(id), JobState::Running, "found before the user's word was checked");
    let status = Status { word: "queued".into(), state: RemoteState::Working, progress: None, cost: None };
    let step = world.step(Input::Polled { job: id, result: Ok(status) });
    let [(1, 5, Answer::Refused { problems })] = &step.answers[..] else { panic!("{step:?}") };
    assert!(problems[0].message.contains("settled meanwhile"), "{problems:?}");
    assert_eq!(world.core.jobs[&id].remote_id.as_deref(), Some("run-1"));
    let own = step.effects.iter().any(|e| matches!(e, Effect::Poll { remote, .. } if remote.remote_id == "run-1"));
    assert!(own, "it is polled on as what it was found to be: {step:?}");
}

#[test]
fn an_answer_that_names_another_jobs_order_settles_nothing() {
    let mut world = World::fresh();
    let first = world.running();
    let theirs = world.core.jobs[&first].remote_id.clone().unwrap();
    let (_, second) = world.queue("a hill");
    world.prepare(second);
    let accepted = Accepted { remote_id: theirs, cost: Some(usd("3.00")), ..Accepted::default() };
    world.step(Input::Submitted { job: second, answer: SubmitAnswer::Accepted(accepted), bytes: 0 });
    let job = &world.core.jobs[&second];
    assert_eq!((job.state, &job.remote_id, job.reserved), (JobState::Unconfirmed, &None, Some(usd("3.00"))));
    assert!(job.error.as_ref().unwrap().message.contains(&format!("which is {first}'s already")), "{:?}", job.error);
}

#[test]
fn the_user_names_an_order_and_one_status_request_decides() {
    let (mut world, id, _) = lost();
    let adopt = |remote: &str| Command::Adopt { id, remote_id: remote.to_owned() };
    let ask = |world: &mut World, remote: &str| {
        let command = adopt(remote);
        world.step(Input::Commanded { face: 1, ticket: 5, command, looked_up: LookedUp::default() })
    };
    let step = ask(&mut world, " wrong ");
    assert!(step.answers.is_empty(), "the answer waits for the service's");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Poll { remote, .. } if remote.remote_id == "wrong")));
    let gone = ServiceError { status: Some(404), ..ServiceError::new(ErrorKind::Gone, "no such run") };
    let step = world.step(Input::Polled { job: id, result: Err(gone) });
    assert!(matches!(&step.answers[..], [(1, 5, Answer::Refused { .. })]), "{step:?}");
    assert_eq!(world.state(id), JobState::Unconfirmed);
    ask(&mut world, "run-1");
    let status = Status { word: "queued".into(), state: RemoteState::Working, progress: None, cost: None };
    let step = world.step(Input::Polled { job: id, result: Ok(status) });
    assert!(matches!(&step.answers[..], [(1, 5, Answer::Accepted { .. })]), "{step:?}");
    assert_eq!((world.state(id), last_put(&step).remote_id.as_deref()), (JobState::Running, Some("run-1")));
    let step = ask(&mut world, "run-1");
    assert!(matches!(&step.answers[..], [(_, _, Answer::Refused { .. })]), "it is not unconfirmed any more");
}

#[test]
fn what_is_written_off_has_failed_and_its_reservation_is_free() {
    let (mut world, id, _) = lost();
    let (step, answer) = world.command(Command::WriteOff { ids: vec![id] });
    assert_eq!(answer, Answer::Accepted { ids: vec![id], known: 0 });
    let job = last_put(&step);
    assert_eq!((job.state, job.error.as_ref().unwrap().kind), (JobState::Failed, ErrorKind::User));
    assert!(job.error.unwrap().message.contains("may still have been charged"));
    assert_eq!(world.sums(), ("$0.00".into(), "$0.00".into()));
    let released = |c: &Change| matches!(c, Change::Book(entry) if entry.kind == EntryKind::Released);
    assert!(step.changes.iter().any(released));
    let running = world.running();
    let (_, answer) = world.command(Command::WriteOff { ids: vec![running] });
    assert!(matches!(answer, Answer::Refused { .. }));
}

#[test]
fn a_run_waits_for_looks_that_are_near_and_for_none_that_are_far() {
    use crate::engine::core::drained::Rest;
    let (mut world, id, _) = lost();
    assert_eq!(world.core.remaining(), Rest::Work, "the first look is under way");
    world.evidence(id, Evidence::open("nothing"), None);
    assert_eq!(world.core.remaining(), Rest::Looks, "the next is in ten seconds");
    assert_eq!(finds(&world.later(10)), 1);
    assert_eq!(world.core.remaining(), Rest::Work);
    world.evidence(id, Evidence::open("nothing"), None);
    assert_eq!(world.core.remaining(), Rest::Nothing, "the next is in half a minute");
    let (mut world, id, _) = lost();
    world.evidence(id, found(Grade::Likely, None, None), None);
    assert_eq!(world.core.remaining(), Rest::Nothing, "there is a verdict");
}
