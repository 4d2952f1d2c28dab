//! What the core learns while it runs: lists of models, real prices, generations, limits, outages.

use super::*;
use crate::domain::PriceSource;
use crate::provider::limits::Limits;

fn listed(price: &str) -> crate::domain::Model {
    let mut model = (*model(&format!(r#"{{ per_clip = {{ amount = "{price}" }} }}"#)).model).clone();
    model.source = "discovered".into();
    model.price.source = "discovered".into();
    model
}

fn discovered(world: &mut World, models: Vec<crate::domain::Model>) -> Step {
    world.step(Input::Discovered { account: "n".into(), result: Ok(models) })
}

fn submit(world: &mut World, id: JobId, answer: SubmitAnswer) -> Step {
    world.prepare(id);
    world.step(Input::Submitted { job: id, answer, bytes: 0 })
}

fn accepted(cost: &str) -> SubmitAnswer {
    SubmitAnswer::Accepted(Accepted { remote_id: format!("r-{cost}"), cost: Some(usd(cost)), ..Accepted::default() })
}

fn texts(step: &Step) -> Vec<String> {
    let notice = |event: &Event| if let Event::Noticed(notice) = event { Some(notice.text.clone()) } else { None };
    step.events.iter().filter_map(notice).collect()
}

#[test]
fn a_list_is_asked_for_after_the_probe_once_a_day_and_at_the_users_word() {
    let asks = |step: &Step| step.effects.iter().filter(|e| matches!(e, Effect::Discover { .. })).count();
    let (mut world, step) = World::new(settings(), &offers(), Loaded::default());
    assert_eq!(asks(&step), 1);
    let kept = discovered(&mut world, vec![listed("3.00")]);
    assert!(kept.changes.iter().any(|change| matches!(change, Change::PutCatalogue(_))));
    world.now = at(23 * 3600);
    assert_eq!(asks(&world.step(Input::Ticked)), 0);
    let (step, _) = world.command(Command::RefreshModels);
    assert_eq!(asks(&step), 1);
    let told = discovered(&mut world, vec![listed("3.00")]);
    assert!(texts(&told).iter().any(|text| text.contains("as they were")), "who asks is told");
    world.now = at(50 * 3600);
    assert_eq!(asks(&world.step(Input::Ticked)), 1, "what is older than a day is asked for again");
    let failed = ServiceError::new(ErrorKind::Unavailable, "503");
    let step = world.step(Input::Discovered { account: "n".into(), result: Err(failed) });
    assert_eq!((texts(&step).len(), world.core.accounts["n"].trouble.clone()), (1, None));
    let (step, _) = world.queue("a river");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. })), "orders go on");
    assert_eq!(asks(&step), 0, "it is backed off");
}

#[test]
fn a_list_never_lowers_what_is_set_aside_and_a_dearer_one_raises_it() {
    for (price, reserved) in [("1.00", "$3.00"), ("5.00", "$5.00")] {
        let mut world = World::fresh();
        let (_, id) = world.queue("a river");
        let step = discovered(&mut world, vec![listed(price)]);
        assert!(
            texts(&step)[0].starts_with(
                "n: its own list is used; against the documents built in: 1 price moved; `rushes models --changes`"
            ),
            "{:?}",
            texts(&step)
        );
        assert!(step.events.iter().any(|event| matches!(event, Event::OffersChanged(_))));
        world.prepare(id);
        assert_eq!(world.sums().0, reserved, "listed at {price}");
    }
}

#[test]
fn a_job_whose_model_is_gone_or_refuses_it_now_is_held_before_anything_is_sent() {
    let mut other = listed("3.00");
    other.id = "another".into();
    let mut narrower = listed("3.00");
    narrower.parameters[0].one_of = vec![json!(4)];
    narrower.parameters[0].default = Some(json!(4));
    for (list, again) in [(other, true), (narrower, false)] {
        let mut busy = account();
        busy.max_in_flight = 0;
        let (core, _) = Core::start(settings(), vec![busy], catalog(&offers()), Loaded::default(), at(0));
        let mut world = World { core, now: at(0) };
        world.step(Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
        let mut request = Request::new(&"n/veo".parse().unwrap(), "a river");
        request.params.insert("duration".into(), json!(8));
        let (_, answer) = world.command(Command::Queue { jobs: vec![NewJob::of(request)] });
        let Answer::Accepted { ids, .. } = answer else { panic!("{answer:?}") };
        discovered(&mut world, vec![list]);
        world.core.accounts.get_mut("n").unwrap().max_in_flight = 1;
        let step = world.step(Input::Ticked);
        assert!(!step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. } | Effect::Submit { .. })));
        assert!(matches!(world.core.jobs[&ids[0]].hold, Some(Hold::ModelChanged(_))));
        let (step, _) = world.command(Command::Release { ids, ceiling: None });
        let goes = step.effects.iter().any(|e| matches!(e, Effect::Prepare { .. }));
        assert_eq!(goes, again, "the user's word is enough for a list, not for an illegal order");
    }
}

#[test]
fn a_charge_corrects_the_estimate_and_raises_what_is_set_aside() {
    let mut world = World::fresh();
    let (_, first) = world.queue("a river");
    let step = submit(&mut world, first, accepted("3.60"));
    assert!(step.changes.iter().any(|change| matches!(change, Change::PutObservation(seen)
        if seen.observation.money == usd("3.60") && seen.observation.times == 1)));
    let (step, second) = world.queue("a hill");
    let estimate = last_put(&step).estimate.unwrap();
    assert_eq!((estimate.money, estimate.source), (usd("3.60"), PriceSource::Observed));
    world.command(Command::Release { ids: vec![second], ceiling: None });
    world.prepare(second);
    assert_eq!(world.sums().0, "$3.60");
    let step = world.step(Input::Submitted { job: second, answer: accepted("2.00"), bytes: 0 });
    assert_eq!(world.sums(), ("$0.00".into(), "$5.60".into()));
    let stored: Vec<_> = step
        .changes
        .iter()
        .filter_map(|change| if let Change::PutObservation(seen) = change { Some(seen.clone()) } else { None })
        .collect();
    assert_eq!(stored[0].observation.times, 2);
    let (mut again, _) = World::new(settings(), &offers(), Loaded { observations: stored, ..Loaded::default() });
    let (step, id) = again.queue("after a restart");
    assert_eq!(last_put(&step).estimate.map(|e| e.money), Some(usd("2.00")), "kept over a restart");
    again.prepare(id);
    assert_eq!(again.sums().0, "$3.00", "a lower charge lowers no reservation");
}

#[test]
fn a_price_quoted_with_a_refusal_is_set_aside_when_the_job_goes_again() {
    let mut world = World::fresh();
    let (_, id) = world.queue("a river");
    let refusal = ServiceError { required: Some(usd("7.25")), ..ServiceError::new(ErrorKind::Balance, "no money") };
    submit(&mut world, id, SubmitAnswer::Refused(refusal));
    assert_eq!(world.sums().0, "$0.00");
    world.now = at(60);
    world.command(Command::Resume { account: "n".into() });
    world.prepare(id);
    assert_eq!(world.sums().0, "$7.25");
}

#[test]
fn a_job_is_made_for_the_generation_its_host_speaks_and_checked_again_when_that_changes() {
    let mut old = (*offers()[0].model).clone();
    old.generation = Some("1".into());
    let catalog = Catalog::made_of(vec![old]);
    let profile = |generation: &str| AccountProfile { generation: Some(generation.into()), ..Default::default() };
    let (core, _) = Core::start(settings(), vec![account()], catalog, Loaded::default(), at(0));
    let mut world = World { core, now: at(0) };
    world.step(Input::Probed { account: "n".into(), result: Ok(profile("1")) });
    let (_, first) = world.queue("one");
    let (_, second) = world.queue("two");
    let (_, third) = world.queue("three");
    let step = world.prepare(first);
    assert_eq!(last_put(&step).generation.as_deref(), Some("1"), "stored with the intent");
    let running = world.step(Input::Submitted { job: first, answer: accepted("3.00"), bytes: 0 });
    drop(running);
    let step = world.step(Input::Probed { account: "n".into(), result: Ok(profile("2")) });
    assert!(texts(&step).iter().any(|text| text.contains("another generation")));
    assert!(world.core.offers().is_empty(), "its models are not offered any more");
    assert_eq!(submits(&world.prepare(second)), 0, "what was built for the old one is not sent");
    for id in [second, third] {
        assert!(matches!(world.core.jobs[&id].hold, Some(Hold::ModelChanged(_))), "{id}");
    }
    world.now = at(60);
    let step = world.step(Input::Ticked);
    let poll = step.effects.iter().find_map(|e| if let Effect::Poll { remote, .. } = e { Some(remote) } else { None });
    assert_eq!(poll.unwrap().generation.as_deref(), Some("1"), "and what was ordered there is asked about there");
}

#[test]
fn a_refused_parameter_offers_less_and_the_retry_is_a_new_order_at_its_own_price() {
    let mut offer = offers().remove(0);
    let mut described = (*offer.model).clone();
    described.parameters.push(crate::domain::Parameter {
        default: Some(json!("16:9")),
        ..crate::domain::Parameter::new("aspect_ratio", crate::domain::ParameterKind::Text)
    });
    offer.model = Arc::new(described);
    let (mut world, _) = World::new(settings(), &[offer], Loaded::default());
    let (_, id) = world.queue("a river");
    let refused = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Invalid, "unknown field"));
    let step = submit(&mut world, id, refused);
    let failed = last_put(&step);
    let hint = format!("retry with only the needed fields: rushes retry --minimal {id}");
    assert!(failed.error.as_ref().unwrap().message.ends_with(&hint), "{:?}", failed.error);
    let command = Command::Retry { ids: vec![id], may_pay_twice: false, minimal: true };
    let looked_up = LookedUp { finals: vec![failed], ..LookedUp::default() };
    let step = world.step(Input::Commanded { face: 1, ticket: 1, command, looked_up });
    let made = last_put(&step);
    assert_eq!((made.id, made.parent, made.estimate.map(|e| e.money)), (JobId(2), Some(id), Some(usd("3.00"))));
    assert_eq!(made.values.keys().collect::<Vec<_>>(), ["duration"]);
    let refused = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Invalid, "still no"));
    let step = submit(&mut world, made.id, refused);
    assert!(!last_put(&step).error.unwrap().message.contains("--minimal"), "less than that there is not");
}

#[test]
fn fifty_jobs_wait_out_an_outage_without_failing_and_are_all_asked_about_within_two_intervals() {
    let limits = Limits { calls_per_second: Some(25), ..Limits::default() };
    let mut host = Account::new("n".into(), Service::Ninjachat, 0, limits);
    (host.origin, host.fingerprint) = ("https://ninjachat.ai".into(), "f".into());
    let loaded = Loaded {
        active: (1..=50).map(|id| stored(id, JobState::Running)).collect(),
        next_job: 51,
        ..Loaded::default()
    };
    let (core, first) = Core::start(settings(), vec![host], catalog(&offers()), loaded, at(0));
    let mut world = World { core, now: at(0) };
    let mut effects = first.effects;
    effects.extend(world.step(Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) }).effects);
    let (mut down, mut asked, mut calls) = (0, std::collections::BTreeMap::new(), Vec::new());
    let up = at(600);
    while world.now < at(620) {
        for effect in std::mem::take(&mut effects) {
            let Effect::Poll { job, .. } = effect else { continue };
            calls.push(world.now);
            let result = if world.now < up {
                down += 1;
                Err(ServiceError::new(ErrorKind::Unavailable, "503"))
            } else {
                asked.entry(job).or_insert(world.now);
                Ok(working("processing"))
            };
            effects.extend(world.step(Input::Polled { job, result }).effects);
        }
        if effects.is_empty() {
            world.now = world.core.wake_at().unwrap_or(at(620)).min(at(620));
            effects.extend(world.step(Input::Ticked).effects);
        }
    }
    assert!((1..=50).all(|id| world.state(JobId(id)) == JobState::Running), "a failed poll fails no job");
    assert!(down < 200, "{down} calls to a host that is down: 50 jobs would have made 3000");
    assert_eq!(asked.len(), 50, "all of them within two intervals of 10 s");
    let in_a_second =
        |from: &Timestamp| calls.iter().filter(|at| *at >= from && at.duration_since(*from).as_secs() < 1).count();
    assert!(calls.iter().all(|at| in_a_second(at) <= 20), "and never more at once than the host takes");
}

#[test]
fn what_was_ordered_in_the_last_minute_counts_after_a_restart() {
    let limits = Limits { submits_per_minute: Some(1), ..Limits::default() };
    let limited = || {
        let mut account = Account::new("n".into(), Service::Ninjachat, 0, limits);
        (account.origin, account.fingerprint) = ("https://ninjachat.ai".into(), "f".into());
        account
    };
    let start = |loaded| {
        let (core, _) = Core::start(settings(), vec![limited()], catalog(&offers()), loaded, at(0));
        let mut world = World { core, now: at(0) };
        world.step(Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
        world
    };
    let mut world = start(Loaded::default());
    let (_, id) = world.queue("one");
    let step = world.prepare(id);
    assert_eq!(submits(&step), 1);
    let kept = |change: &Change| if let Change::PutLimiter(limiter) = change { Some(limiter.clone()) } else { None };
    let limiters: Vec<_> = step.changes.iter().filter_map(kept).collect();
    assert!(!limiters.is_empty(), "in the same commit as the intent");
    let mut after = start(Loaded { limiters, next_job: 2, ..Loaded::default() });
    let (_, id) = after.queue("two");
    assert_eq!(submits(&after.prepare(id)), 0);
    after.now = at(60);
    after.step(Input::Ticked);
    assert_eq!(submits(&after.prepare(id)), 1);
}

#[test]
fn a_days_limit_pauses_until_a_time_of_day_that_is_told() {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    let (mut world, _) = World::new(CoreSettings { zone, ..settings() }, &offers(), Loaded::default());
    let (_, id) = world.queue("one");
    let wait = std::time::Duration::from_secs(11 * 3600);
    let error =
        ServiceError { retry_after: Some(wait), ..ServiceError::new(ErrorKind::RateLimit, "daily limit reached") };
    let step = submit(&mut world, id, SubmitAnswer::Refused(error));
    let told = texts(&step).join("\n");
    assert!(
        told.contains("n waits until 00:00 (in 11 h), rate limit: daily limit reached; its queued jobs go on"),
        "{told}"
    );
    let (mut world, _) = World::new(settings(), &offers(), Loaded::default());
    let profile = AccountProfile { per_day: Some(1), ..AccountProfile::default() };
    world.step(Input::Probed { account: "n".into(), result: Ok(profile) });
    let (_, first) = world.queue("one");
    world.prepare(first);
    let (step, _) = world.queue("two");
    let told = texts(&step).join("\n");
    assert!(told.contains("the 1 orders a day of its plan are used"), "{told}");
}

#[test]
fn a_job_that_goes_on_from_another_says_so() {
    let mut world = World::fresh();
    let parent = world.running();
    let request = Request::new(&"n/veo".parse().unwrap(), "and then");
    let new = NewJob { parent: Some(parent), ..NewJob::of(request) };
    let (step, _) = world.command(Command::Queue { jobs: vec![new] });
    let says = |change: &Change| matches!(change, Change::AddLine(line) if line.text.ends_with(&format!("goes on from {parent}")));
    assert!(step.changes.iter().any(says));
}

#[test]
fn a_simulator_that_runs_faster_is_expected_to_be_done_sooner() {
    let timing = |times_faster| {
        let settings = CoreSettings { times_faster, ..settings() };
        let (core, _) = Core::start(settings, vec![account()], catalog(&offers()), Loaded::default(), at(0));
        core.timings().of("n", "veo").unwrap()
    };
    assert_eq!((timing(1).p50_s, timing(1).p90_s), (80, 100));
    assert_eq!((timing(10).p50_s, timing(10).p90_s), (8, 10));
    assert_eq!(timing(1_000).p90_s, 1, "never nothing at all");
}
