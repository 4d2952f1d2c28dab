//! Where the core could stand still, forget, or believe too much: caps, stopped accounts, changed
//! keys, strange prices, long queues.

use super::*;
use crate::store::Left;

fn queue_many(world: &mut World, count: usize) -> Vec<JobId> {
    let new = || NewJob {
        request: Request::new(&"n/veo".parse().unwrap(), "x"),
        key: None,
        ceiling: None,
        parent: None,
        shrink: false,
        cap: None,
    };
    match world.command(Command::Queue { jobs: (0..count).map(|_| new()).collect() }).1 {
        Answer::Accepted { ids, .. } => ids,
        other => panic!("{other:?}"),
    }
}

fn capped(cap: &str, loaded: Loaded) -> World {
    let caps = Caps { day: Some(usd(cap)), ..Caps::default() };
    World::new(CoreSettings { caps, ..settings() }, &offers(), loaded).0
}

#[test]
fn behind_a_reached_cap_every_job_is_held_at_once_and_the_run_ends() {
    let mut world = capped("1", Loaded::default());
    let ids = queue_many(&mut world, 9);
    assert!(ids.iter().all(|id| world.state(*id) == JobState::Held), "nobody would ask about the others");
    assert!(world.core.is_drained());
}

#[test]
fn a_start_lets_go_what_a_cap_held_when_there_is_room_again() {
    let mut held = stored(1, JobState::Held);
    held.hold = Some(Hold::OverCap("day's".into()));
    let loaded = || Loaded { active: vec![held.clone()], next_job: 2, ..Loaded::default() };
    assert_eq!(capped("5", loaded()).state(JobId(1)), JobState::Queued);
    assert_eq!(capped("2", loaded()).state(JobId(1)), JobState::Held);
}

#[test]
fn a_pause_that_waits_for_the_user_is_not_ended_by_a_clock() {
    let mut world = World::fresh();
    let (_, first) = world.queue("one");
    let (_, second) = world.queue("two");
    world.prepare(first);
    let broke = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Balance, "no money"));
    world.step(Input::Submitted { job: first, answer: broke, bytes: 0 });
    world.step(Input::Prepared { job: second, result: Err(Unprepared::Disk("full".into())) });
    world.now = at(120);
    world.step(Input::Ticked);
    assert_eq!(world.core.accounts["n"].pause.as_ref().map(|p| (p.kind, p.until)), Some((ErrorKind::Balance, None)));
}

#[test]
fn a_clip_at_an_account_that_is_gone_or_never_reached_does_not_keep_a_run_or_a_drain_waiting() {
    let jobs = || vec![stored(1, JobState::Running), stored(2, JobState::Downloading)];
    let loaded = || Loaded { active: jobs(), next_job: 3, ..Loaded::default() };
    let (core, _) = Core::start(settings(), vec![], catalog(&offers()), loaded(), at(0));
    assert!(core.is_drained(), "no such account");
    let (mut core, _) = Core::start(settings(), vec![account()], catalog(&offers()), loaded(), at(0));
    core.step(at(0), Input::Ticked);
    assert!(!core.is_drained(), "it is being asked where it lives");
    let wrong = ServiceError::new(ErrorKind::Authentication, "wrong key");
    core.step(at(0), Input::Probed { account: "n".into(), result: Err(wrong) });
    assert!(core.is_drained(), "only the user can help");
}

#[test]
fn a_running_job_of_a_changed_key_goes_on_at_the_users_word() {
    let mut job = stored(1, JobState::Running);
    job.fingerprint = "old".into();
    let (mut world, _) =
        World::new(settings(), &offers(), Loaded { active: vec![job], next_job: 2, ..Loaded::default() });
    assert!(world.core.is_drained());
    let (step, answer) = world.command(Command::Release { ids: vec![JobId(1)], ceiling: None });
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    assert!(step.effects.iter().any(|e| matches!(e, Effect::Poll { .. })), "a paid clip is not given up for good");
    assert_eq!(last_put(&step).fingerprint, "f", "and is asked about after the next start, too");
}

#[test]
fn a_name_stays_claimed_when_its_job_is_over() {
    let mut world = World::fresh();
    let (_, first) = world.queue("one");
    let (_, second) = world.queue("two");
    let order = || Ok(PreparedOrder { record: "{}".into(), digest: "d".into(), stem: "/out/same".into() });
    world.step(Input::Prepared { job: first, result: order() });
    let refused = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Invalid, "no"));
    world.step(Input::Submitted { job: first, answer: refused, bytes: 0 });
    // Built before the first was refused: the database would refuse this name for ever.
    world.step(Input::Prepared { job: second, result: order() });
    assert_ne!(world.core.jobs[&second].stem.as_deref(), Some("/out/same"));
}

#[test]
fn a_price_that_cannot_be_is_not_booked_and_one_in_another_currency_takes_the_first_back() {
    for strange in ["-3", "79228162514264337593543950335"] {
        let mut world = World::fresh();
        let (_, id) = world.queue("one");
        world.prepare(id);
        let cost = usd(strange);
        let answer =
            SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost: Some(cost), ..Accepted::default() });
        world.step(Input::Submitted { job: id, answer, bytes: 0 });
        assert_eq!(world.sums(), ("$3.00".into(), "$0.00".into()), "{strange}: what was set aside stays");
        let ceiling = Some(cost);
        let request = Request::new(&"n/veo".parse().unwrap(), "x");
        let (_, answer) = world.command(Command::Queue {
            jobs: vec![NewJob { request, key: None, ceiling, parent: None, shrink: false, cap: None }],
        });
        assert!(matches!(answer, Answer::Refused { .. }), "nor is it a ceiling: {answer:?}");
    }
    let mut world = World::fresh();
    let id = world.running();
    world.now = at(60);
    world.step(Input::Ticked);
    let status = Status { cost: Some(Money::parse("0.5", Currency::Xno).unwrap()), ..working("processing") };
    world.step(Input::Polled { job: id, result: Ok(status) });
    assert_eq!(world.sums().1, "$0.00", "one order is not booked in two currencies");
}

#[test]
fn a_charge_above_its_price_holds_what_is_queued_of_that_model() {
    let mut world = World::fresh();
    let ids = queue_many(&mut world, 4);
    world.prepare(ids[0]);
    let cost = Some(usd("5.00"));
    let answer = SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost, ..Accepted::default() });
    world.step(Input::Submitted { job: ids[0], answer, bytes: 0 });
    assert!(ids[1..].iter().all(|id| matches!(world.core.jobs[id].hold, Some(Hold::ModelChanged(_)))));
    assert_eq!(submits(&world.prepare(ids[1])), 0, "also the one that was being built");
}

#[test]
fn a_charge_above_its_price_holds_what_is_queued_of_that_model_later_until_the_user_lets_one_go() {
    let mut world = World::fresh();
    let (_, first) = world.queue("one");
    world.prepare(first);
    let cost = Some(usd("5.00"));
    let answer = SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost, ..Accepted::default() });
    let mut told = world.step(Input::Submitted { job: first, answer, bytes: 0 });
    let (step, second) = world.queue("two");
    assert!(matches!(&world.core.jobs[&second].hold, Some(Hold::ModelChanged(why)) if why.contains("$5.00")));
    assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })));
    // It is on disk, and a restart forgets nothing of it.
    told.append(step);
    let kept = told.changes.iter().rev().find_map(|change| match change {
        Change::PutLimiter(stored) if stored.host == "account n" => Some(stored.clone()),
        _ => None,
    });
    let loaded = Loaded { limiters: kept.into_iter().collect(), next_job: 9, ..Loaded::default() };
    let (mut world, _) = World::new(settings(), &offers(), loaded);
    let (_, third) = world.queue("three");
    assert_eq!(world.state(third), JobState::Held);
    let (step, _) = world.command(Command::Release { ids: vec![third], ceiling: None });
    assert!(step.effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })), "the user's word");
    let (_, fourth) = world.queue("four");
    assert_eq!(world.state(fourth), JobState::Queued, "and it is one for the model");
}

#[test]
fn a_pause_says_of_other_accounts_what_is_so() {
    let others = |also: &[&str]| {
        let mut accounts = vec![account()];
        for (n, name) in also.iter().enumerate() {
            let mut other = account();
            (other.name, other.fingerprint, other.place) = ((*name).into(), (*name).into(), n + 1);
            accounts.push(other);
        }
        let (mut core, _) = Core::start(settings(), accounts, catalog(&offers()), Loaded::default(), at(0));
        let mut texts = Vec::new();
        for name in ["n"].iter().chain(also) {
            let broke = Err(ServiceError::new(ErrorKind::Authentication, "no such key"));
            let step = core.step(at(0), Input::Probed { account: (*name).to_owned(), result: broke });
            texts.extend(step.events.into_iter().find_map(|event| match event {
                Event::Noticed(notice) => notice.text.split_once("stay queued").map(|(_, rest)| rest.to_owned()),
                _ => None,
            }));
        }
        texts
    };
    assert_eq!(others(&[]), [""]);
    assert_eq!(others(&["o"]), ["; other accounts go on", "; every other account is paused, too"]);
    assert_eq!(others(&["o", "p"])[1], "; accounts that are not paused go on");
}

#[test]
fn a_machine_that_moves_east_gets_no_second_day_and_held_jobs_go_on_when_the_one_at_home_ends() {
    let zone = |hours| jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
    let caps = Caps { day: Some(usd("3")), ..Caps::default() };
    let of = |hours: i8| CoreSettings { caps, zone: zone(hours), ..settings() };
    let kept = |step: &Step| {
        step.changes.iter().find_map(|change| match change {
            Change::PutZones(text) => Some(text.clone()),
            _ => None,
        })
    };
    let zones = kept(&World::new(of(0), &offers(), Loaded::default()).1);
    // At home it is noon; twelve hours further it is tomorrow.
    let loaded = Loaded { zones: zones.clone(), last_seen: Some(at(0)), next_job: 2, ..Loaded::default() };
    let (mut world, step) = World::new(of(12), &offers(), loaded);
    assert_ne!(kept(&step), zones, "where it was is kept");
    let (_, id) = world.queue("one");
    let step = world.prepare(id);
    let guard = step.changes.iter().find_map(|change| match change {
        Change::Guard(guard) => Some(guard.clone()),
        _ => None,
    });
    let since = guard.unwrap().zones.begin(crate::domain::caps::Span::Day, at(0));
    assert_eq!(since.unwrap().to_string(), "2026-11-20T00:00:00Z", "what was spent today at home counts");
    let limit = caps.limits(&crate::domain::caps::Scope::All).remove(0);
    let left = Some(Left::Money(Default::default(), Currency::Usd));
    world.step(Input::OverCap { job: id, limit, left });
    assert_eq!(world.state(id), JobState::Held);
    world.now = at(12 * 3600 - 1);
    world.step(Input::Ticked);
    assert_eq!(world.state(id), JobState::Held);
    world.now = at(12 * 3600);
    world.step(Input::Ticked);
    assert_eq!(world.state(id), JobState::Queued, "the day at home is over");
}

#[test]
fn what_was_not_sent_is_not_hidden_and_a_job_named_twice_is_ordered_once_more() {
    let mut world = World::fresh();
    let (_, id) = world.queue("one");
    let (_, answer) = world.command(Command::Abandon { ids: vec![id] });
    assert!(matches!(answer, Answer::Refused { .. }), "it would be bought unseen");
    world.prepare(id);
    let unknown = SubmitAnswer::Unknown(ServiceError::new(ErrorKind::Protocol, "cut"));
    world.step(Input::Submitted { job: id, answer: unknown, bytes: 0 });
    let (_, answer) = world.command(Command::Retry { ids: vec![id, id], may_pay_twice: true, minimal: false });
    assert!(matches!(answer, Answer::Accepted { ids, .. } if ids.len() == 1));
}

#[test]
fn a_dead_link_that_nobody_can_renew_is_given_up_after_a_day_and_not_before() {
    let mut world = World::fresh();
    let (_, id) = world.queue("one");
    world.prepare(id);
    let finished = SubmitAnswer::Finished(Finished { links: vec!["https://x/y.mp4".into()], ..Finished::default() });
    world.step(Input::Submitted { job: id, answer: finished, bytes: 0 });
    let mut tries = 0;
    while world.state(id) == JobState::Downloading {
        let gone = DownloadError::Fetch(FetchError::Service(ServiceError::new(ErrorKind::Gone, "404")));
        world.step(Input::Downloaded { job: id, result: Err(gone) });
        world.now += SignedDuration::from_secs(1800);
        world.step(Input::Ticked);
        tries += 1;
    }
    assert_eq!((tries, world.state(id)), (49, JobState::Unconfirmed));
}

#[test]
fn a_running_job_is_asked_about_hourly_even_where_a_month_of_silence_is_asked_for() {
    let mut world = World::fresh();
    let id = world.running();
    world.now = at(60);
    world.step(Input::Ticked);
    let month = std::time::Duration::from_secs(31 * 86_400);
    let error = ServiceError { retry_after: Some(month), ..ServiceError::new(ErrorKind::RateLimit, "later") };
    world.step(Input::Polled { job: id, result: Err(error) });
    world.now = at(60 + 3600);
    assert!(world.step(Input::Ticked).effects.iter().any(|e| matches!(e, Effect::Poll { .. })));
}

#[test]
fn a_command_over_thousands_of_jobs_tells_each_once() {
    let mut world = capped("9000", Loaded::default());
    let ids = queue_many(&mut world, 2000);
    let step = world.command(Command::Cancel { ids }).0;
    assert!(step.events.len() < 2010, "{} events for 2000 jobs", step.events.len());
    assert!(step.changes.len() <= 2 * 2000, "{} changes for 2000 jobs", step.changes.len());
}

#[test]
fn two_accounts_at_one_host_share_its_limit() {
    let limits = Limits { submits_per_minute: Some(1), ..Limits::default() };
    let limited = |name: &str| {
        let mut account = Account::new(name.into(), Service::Ninjachat, 0, limits);
        (account.origin, account.fingerprint) = ("https://ninjachat.ai".into(), "f".into());
        account.first_balance = first::FirstBalance::Over;
        account
    };
    let (first, mut second) = (limited("n"), limited("m"));
    second.host.clone_from(&first.host);
    let (mut core, _) = Core::start(settings(), vec![first, second], catalog(&offers()), Loaded::default(), at(0));
    for name in ["n", "m"] {
        core.step(at(0), Input::Probed { account: name.into(), result: Ok(AccountProfile::default()) });
    }
    let mut world = World { core, now: at(0) };
    let mut sent = 0;
    for name in ["n/veo", "m/veo"] {
        let request = Request::new(&name.parse().unwrap(), "one");
        let (_, answer) = world.command(Command::Queue { jobs: vec![NewJob::of(request)] });
        let Answer::Accepted { ids, .. } = answer else { panic!("{answer:?}") };
        sent += submits(&world.prepare(ids[0]));
    }
    assert_eq!(sent, 1, "the second account's order waits for the host");
    assert_eq!(world.core.wake_at(), Some(at(60)));
}

#[test]
fn a_key_that_is_revoked_while_jobs_run_does_not_keep_a_run_going_forever() {
    let mut world = World::fresh();
    let id = world.running();
    assert!(!world.core.is_drained());
    world.now = at(60);
    world.step(Input::Ticked);
    let revoked = ServiceError::new(ErrorKind::Authentication, "Invalid session");
    world.step(Input::Polled { job: id, result: Err(revoked) });
    assert!(world.core.is_drained(), "only a new key helps; the job runs on and is asked about at the next start");
    assert_eq!(world.state(id), JobState::Running);
}

fn accepted_for(world: &mut World, id: JobId, cost: &str) -> Step {
    let answer =
        SubmitAnswer::Accepted(Accepted { remote_id: format!("r{id}"), cost: Some(usd(cost)), ..Accepted::default() });
    world.step(Input::Submitted { job: id, answer, bytes: 0 })
}

#[test]
fn money_that_turns_out_not_to_be_needed_lets_held_jobs_go_and_no_more_of_them_than_it_pays_for() {
    // Two of $3.00 fit; four wait.
    let mut world = capped("6.50", Loaded::default());
    let ids = queue_many(&mut world, 6);
    ids.iter().for_each(|id| drop(world.prepare(*id)));
    let held = |world: &World| {
        ids.iter().filter(|id| world.core.jobs.get(id).is_some_and(|j| j.state == JobState::Held)).count()
    };
    assert_eq!(held(&world), 4);
    // As dear as was set aside: nothing is free, and nothing is written about those that wait.
    let step = accepted_for(&mut world, ids[0], "3.00");
    assert!(!step.changes.iter().any(|change| matches!(change, Change::AddLine(line) if line.kind == "released")));
    assert_eq!(held(&world), 4);
    // Cheaper: with what was left before that is enough for one.
    accepted_for(&mut world, ids[1], "0.40");
    assert_eq!(held(&world), 3, "the oldest goes, the others wait on");
    assert_eq!(world.state(ids[2]), JobState::Queued);
    // Refused: what it had set aside is free again.
    world.prepare(ids[2]);
    let no = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Policy, "no"));
    world.step(Input::Submitted { job: ids[2], answer: no, bytes: 0 });
    assert_eq!((world.state(ids[3]), held(&world)), (JobState::Queued, 2));
    // Cancelled while it waits for its turn: the next one gets its room.
    world.command(Command::Cancel { ids: vec![ids[3]] });
    assert_eq!((world.state(ids[4]), held(&world)), (JobState::Queued, 1));
}

#[test]
fn a_limit_that_only_the_commit_knows_is_looked_at_again_when_money_of_it_comes_free() {
    let mut world = World::fresh();
    world.core.settings.model_caps.insert("n/veo".parse().unwrap(), Caps { day: Some(usd("3.00")), ..Caps::default() });
    let ids = queue_many(&mut world, 3);
    world.prepare(ids[0]);
    let guard = world.core.guard(&world.core.jobs[&ids[1]]);
    let Some(Change::Guard(guard)) = guard else { panic!("no guard") };
    let limit = guard.limits[0].clone();
    // The disk says no to the second, and what is left.
    world.prepare(ids[1]);
    let left = Some(Left::Money(usd("0").amount, Currency::Usd));
    world.step(Input::OverCap { job: ids[1], limit, left });
    world.step(Input::Ticked);
    assert_eq!((world.state(ids[1]), world.state(ids[2])), (JobState::Held, JobState::Held), "it is not asked in vain");
    let no = SubmitAnswer::Refused(ServiceError::new(ErrorKind::Policy, "no"));
    world.step(Input::Submitted { job: ids[0], answer: no, bytes: 0 });
    assert_eq!((world.state(ids[1]), world.state(ids[2])), (JobState::Queued, JobState::Held));
}
