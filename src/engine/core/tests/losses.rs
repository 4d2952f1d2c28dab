//! After three paid orders in a row without a clip an account pauses; a clip ends the row.

use super::*;
use crate::store::StoredLimiter;

fn fail(world: &mut World) -> JobId {
    let id = world.running();
    let error = crate::domain::JobError::new(ErrorKind::Generation, "it broke");
    let state = RemoteState::Failed { error, refunded: false };
    world.step(Input::Polled {
        job: id,
        result: Ok(Status { word: "failed".into(), state, progress: None, cost: Some(usd("3.00")) }),
    });
    id
}

fn finish(world: &mut World, result: Result<Vec<ClipFile>, DownloadError>) -> JobId {
    let id = world.running();
    let state = RemoteState::Finished { links: vec!["https://x/clip".into()] };
    world
        .step(Input::Polled { job: id, result: Ok(Status { word: "done".into(), state, progress: None, cost: None }) });
    world.step(Input::Downloaded { job: id, result });
    id
}

fn clip() -> ClipFile {
    ClipFile {
        path: "/out/a.mp4".into(),
        bytes: 1,
        sha256: String::new(),
        kind: crate::domain::FileKind::Video,
        width: None,
        height: None,
        duration_ms: None,
    }
}

fn pause(world: &World) -> Option<String> {
    world.core.accounts["n"].pause.as_ref().map(|pause| pause.message.clone())
}

#[test]
fn three_paid_losses_in_a_row_pause_the_account_and_a_clip_ends_the_row() {
    let mut world = World::fresh();
    fail(&mut world);
    fail(&mut world);
    finish(&mut world, Ok(vec![clip()]));
    fail(&mut world);
    let gone = || Err(DownloadError::Fetch(FetchError::NotAClip("it is a page".into())));
    let lost = finish(&mut world, gone());
    // The same job again is no other loss.
    let state = RemoteState::Finished { links: vec!["https://x/clip".into()] };
    let result = Ok(Status { word: "done".into(), state, progress: None, cost: None });
    world.step(Input::Polled { job: lost, result });
    world.step(Input::Downloaded { job: lost, result: gone() });
    assert_eq!(pause(&world), None);
    let third = fail(&mut world);
    let why = pause(&world).unwrap();
    assert!(why.starts_with("3 orders in a row were paid for and gave no clip (j-4, j-5, "), "{why}");
    assert!(
        why.contains("it broke")
            && why.ends_with(&format!(
                "`rushes show {third}`, then let n go on with `rushes resume n`, or in the dashboard"
            )),
        "{why}"
    );
    world.command(Command::Resume { account: "n".into() });
    fail(&mut world);
    assert_eq!(pause(&world), None, "the user's word begins a new row");
}

#[test]
fn links_that_died_while_nobody_fetched_are_no_losses() {
    let mut world = World::fresh();
    for _ in 0..4 {
        let gone = DownloadError::Fetch(FetchError::NotAClip("it is a page".into()));
        finish(&mut world, Err(gone));
    }
    assert_eq!(pause(&world), None, "fresh ones are asked for first");
}

#[test]
fn a_downloads_validator_is_on_disk_while_it_runs_and_goes_along_to_the_next_try() {
    let mut world = World::fresh();
    let id = world.running();
    let state = RemoteState::Finished { links: vec!["https://x/clip".into()] };
    world
        .step(Input::Polled { job: id, result: Ok(Status { word: "done".into(), state, progress: None, cost: None }) });
    let begun = |etag: Option<&str>| Input::Begun { job: id, ordinal: 1, etag: etag.map(str::to_owned) };
    let kept = last_put(&world.step(begun(Some("\"a\""))));
    assert_eq!(kept.validators.get(&1).map(String::as_str), Some("\"a\""));
    assert!(world.step(begun(Some("\"a\""))).changes.is_empty(), "the same is not written again");
    // After a crash: what is on disk is what the next process downloads with.
    let loaded = Loaded { active: vec![kept], next_job: 2, ..Loaded::default() };
    let (mut world, _) = World::new(settings(), &offers(), loaded);
    world.step(Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
    assert_eq!(world.core.jobs[&id].validators.len(), 1);
    let done = world.step(Input::Downloaded { job: id, result: Ok(vec![clip()]) });
    assert!(last_put(&done).validators.is_empty());
}

#[test]
fn a_restart_keeps_the_row_of_losses_and_pauses_again_until_the_user_resumes_or_the_key_is_another() {
    let mut world = World::fresh();
    let counted = |step: &Step| {
        let mut limiters = step.changes.iter().filter_map(|change| match change {
            Change::PutLimiter(stored) if stored.host == "account n" => Some(stored.clone()),
            _ => None,
        });
        limiters.next_back()
    };
    let lose = |world: &mut World| {
        let id = world.running();
        let error = crate::domain::JobError::new(ErrorKind::Generation, "it broke");
        let state = RemoteState::Failed { error, refunded: false };
        let result = Ok(Status { word: "failed".into(), state, progress: None, cost: Some(usd("3.00")) });
        world.step(Input::Polled { job: id, result })
    };
    lose(&mut world);
    let two = counted(&lose(&mut world)).expect("it is on disk with the loss itself");
    let after = |kept: &StoredLimiter| {
        let loaded = Loaded { limiters: vec![kept.clone()], next_job: 9, ..Loaded::default() };
        let (mut core, _) = Core::start(settings(), vec![account()], catalog(&offers()), loaded, at(0));
        core.step(at(0), Input::Ticked);
        core.step(at(0), Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
        World { core, now: at(0) }
    };
    let mut world = after(&two);
    assert_eq!(pause(&world), None, "two are not three");
    let three = counted(&lose(&mut world)).unwrap();
    assert!(pause(&world).is_some(), "the third after a restart is the third");
    let mut world = after(&three);
    let why = pause(&world).expect("a restart mends no service");
    assert!(why.starts_with("3 orders in a row were paid for and gave no clip (j-1, j-2, j-9)"), "{why}");
    let (step, _) = world.command(Command::Resume { account: "n".into() });
    assert_eq!(pause(&after(&counted(&step).unwrap())), None, "the user's word outlives a restart, too");
    let mut other = three;
    other.state["fingerprint"] = "another key".into();
    assert_eq!(pause(&after(&other)), None);
}

#[test]
fn what_runs_at_an_account_that_is_paused_from_the_start_is_polled_on() {
    let mut world = World::fresh();
    let id = world.running();
    let running = world.core.jobs[&id].clone();
    let losses = serde_json::json!({"losses": [JobId(71), JobId(72), JobId(73)], "fingerprint": account().fingerprint});
    let kept = StoredLimiter { host: "account n".into(), state: losses, at: at(0) };
    let loaded = Loaded { active: vec![running], limiters: vec![kept], next_job: 90, ..Loaded::default() };
    let (mut core, _) = Core::start(settings(), vec![account()], catalog(&offers()), loaded, at(0));
    assert!(!core.is_drained(), "a clip that is paid for is at the service");
    let step = core.step(at(0), Input::Ticked);
    assert!(step.effects.iter().any(|effect| matches!(effect, Effect::Probe { .. })), "{:?}", step.effects);
    let step = core.step(at(0), Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
    let mut world = World { core, now: at(0) };
    assert!(pause(&world).is_some(), "it orders nothing, all the same");
    let polled = |step: &Step| step.effects.iter().any(|effect| matches!(effect, Effect::Poll { .. }));
    world.now = at(60);
    let later = world.step(Input::Ticked);
    assert!(polled(&step) || polled(&later));
    assert!(!world.core.is_drained());
}
