//! Orders whose answers were lost are found again by evidence, and by nothing less: held against the
//! simulator's order book.

use rushes::domain::message::{Answer, Command, JobDetail};
use rushes::domain::search::Verdict;
use rushes::domain::{ErrorKind, Job, JobId, JobState, Money, NewJob, Request};
use rushes::engine::{Leave, Settings};
use rushes::store::Store;
use serde_json::json;

use super::world::{Desk, World};

const NANOGPT: &str = "nanogpt/veo2-video";
const NEW: &str = "ninjachat/seedance-lite";

async fn detail(desk: &mut Desk, id: JobId) -> JobDetail {
    match desk.ask(Command::Inspect { id }).await {
        Answer::Detail(detail) => *detail,
        other => panic!("{other:?}"),
    }
}

/// Reads a job until it is as wanted; looks again whenever the engine says that it changed.
async fn once(desk: &mut Desk, id: JobId, what: &str, wanted: impl Fn(&Job) -> bool) -> Job {
    loop {
        let job = detail(desk, id).await.job;
        if wanted(&job) {
            return job;
        }
        let changed =
            |event: &rushes::domain::Event| matches!(event, rushes::domain::Event::JobChanged(r) if r.id == id);
        desk.until(what, |event, _| changed(event).then_some(())).await;
    }
}

/// An order at NanoGPT that was taken and whose answer was dropped.
async fn lost(world: &World) -> (Desk, JobId) {
    world.fault(json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1})).await;
    let mut desk = world.desk().await;
    let id = desk.queue(NANOGPT, "a river").await;
    (desk, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_its_service_lists_under_our_id_goes_on_and_its_reservation_becomes_the_charge() {
    // `lagging`: it is not in the list at the first look, and at the second it is.
    for (switch, usage) in [("echoed", "kept"), ("ignored", "absent"), ("lagging", "absent"), ("refused", "kept")] {
        let world = World::new().await;
        world.variant("nanogpt", "conversation_uuid", switch).await;
        world.variant("nanogpt", "usage", usage).await;
        world.variant("nanogpt", "lag_seconds", "4000").await;
        let (mut desk, id) = lost(&world).await;
        desk.wait_for(id, JobState::Done).await;
        let found = detail(&mut desk, id).await;
        let orders = world.orders().await;
        assert_eq!(orders.len(), 1, "{switch}");
        assert_eq!(found.job.remote_id.as_deref(), orders[0]["id"].as_str(), "{switch}");
        assert_eq!((found.job.reserved, found.job.error), (None, None), "{switch}");
        let paid = orders[0]["price"].as_str().map(|text| Money::parse(text, rushes::domain::Currency::Usd).unwrap());
        assert_eq!(found.job.cost, paid, "{switch}: {:?}", orders[0]);
        assert!(found.history.iter().any(|line| line.kind == "recovered"), "{switch}");
        desk.engine.leave(Leave::Now).await;
        let store = Store::open_read_only(&world.settings().data_dir).unwrap();
        let outcomes: Vec<String> =
            store.intents(id).unwrap()[0].answers.iter().map(|answer| answer.1.clone()).collect();
        assert_eq!(outcomes, ["unknown", "recovered"], "{switch}");
        let charges = store.entries(&Default::default()).unwrap();
        let charges = charges.iter().filter(|entry| entry.kind == rushes::domain::EntryKind::Charged).count();
        assert_eq!(charges, 1, "{switch}: booked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_names_stays_unconfirmed_with_its_money_booked_or_set_aside() {
    for (usage, verdict) in [("kept", Verdict::Proven), ("absent", Verdict::Open)] {
        let world = World::new().await;
        world.variant("nanogpt", "conversation_uuid", "dropped").await;
        world.variant("nanogpt", "usage", usage).await;
        let (mut desk, id) = lost(&world).await;
        let job = once(&mut desk, id, "a first look", |job| job.search.is_some()).await;
        let search = job.search.unwrap();
        assert_eq!((job.state, search.verdict), (JobState::Unconfirmed, verdict), "{}", search.text);
        match verdict {
            Verdict::Proven => assert!(job.cost.is_some() && job.reserved.is_none(), "{}", search.text),
            _ => assert!(job.cost.is_none() && job.reserved.is_some(), "{}", search.text),
        }
        // The user knows more: a wrong id is refused, the right one is gone on with.
        let adopt = |remote_id: &str| Command::Adopt { id, remote_id: remote_id.to_owned() };
        assert!(matches!(desk.ask(adopt("vid_nobody")).await, Answer::Refused { .. }));
        let remote = world.orders().await[0]["id"].as_str().unwrap().to_owned();
        let answer = desk.ask(adopt(&remote)).await;
        assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
        desk.wait_for(id, JobState::Done).await;
        assert_eq!(world.orders().await.len(), 1);
        desk.engine.leave(Leave::Now).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_after_a_restart_and_ends_when_it_is_written_off() {
    let world = World::new().await;
    world.variant("nanogpt", "conversation_uuid", "dropped").await;
    world.variant("nanogpt", "usage", "absent").await;
    let (mut desk, id) = lost(&world).await;
    once(&mut desk, id, "a first look", |job| job.search.is_some()).await;
    desk.engine.leave(Leave::Now).await;
    // Its service tells the rows' owners from now on: the next look finds it, without a word of ours.
    world.variant("nanogpt", "conversation_uuid", "echoed").await;
    let mut desk = world.desk().await;
    desk.wait_for(id, JobState::Done).await;
    world.variant("nanogpt", "conversation_uuid", "dropped").await;
    world.fault(json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1})).await;
    let given_up = desk.queue(NANOGPT, "another river").await;
    once(&mut desk, given_up, "a first look", |job| job.search.is_some()).await;
    let answer = desk.ask(Command::WriteOff { ids: vec![given_up] }).await;
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    let job = detail(&mut desk, given_up).await.job;
    assert_eq!((job.state, job.reserved), (JobState::Failed, None));
    assert_eq!(job.error.unwrap().kind, ErrorKind::User);
    assert_eq!(world.orders().await.len(), 2);
    desk.engine.leave(Leave::Now).await;
}

/// The world with NinjaChat's new generation.
fn new_generation(world: &World) -> Settings {
    let mut settings = world.settings();
    let url = format!("{}/ninjachat-new", world.sim.url());
    (settings.accounts[0].base_url, settings.accounts[0].origin) = (url.clone(), url);
    settings.accounts[0].generation = Some("new".to_owned());
    settings
}

async fn lost_at_new(world: &World, times: u32) -> (Desk, JobId) {
    world.fault(json!({"service": "ninjachat", "route": "submit", "kind": "accept_then_drop", "times": times})).await;
    let mut desk = Desk::new(new_generation(world)).await;
    let ceiling = Money::parse("9.00", rushes::domain::Currency::Usd).ok();
    let new = NewJob { ceiling, ..NewJob::of(Request::new(&NEW.parse().unwrap(), "a river")) };
    let Answer::Accepted { ids, .. } = desk.ask(Command::Queue { jobs: vec![new] }).await else { panic!("refused") };
    (desk, ids[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_repeat_is_the_same_order_it_brings_the_lost_answer_and_buys_nothing() {
    let world = World::new().await;
    let (mut desk, id) = lost_at_new(&world, 1).await;
    desk.wait_for(id, JobState::Done).await;
    let found = detail(&mut desk, id).await;
    let orders = world.orders().await;
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(found.job.remote_id.as_deref(), orders[0]["id"].as_str());
    assert!(found.job.cost.is_some() && found.job.reserved.is_none());
    assert_eq!(found.history.iter().filter(|line| line.kind == "repeating").count(), 1);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_repeated_once_ever() {
    let world = World::new().await;
    // Each order that arrives is another one here, so that they can be counted.
    world.variant("ninjachat", "idempotency", "forgotten").await;
    let (mut desk, id) = lost_at_new(&world, 9).await;
    let repeated = |job: &Job| job.search.as_ref().is_some_and(|search| search.repeated);
    once(&mut desk, id, "a repeat", repeated).await;
    tokio::time::timeout(std::time::Duration::from_secs(20), desk.engine.drained()).await.unwrap();
    assert_eq!(world.orders().await.len(), 2, "the order and its repeat");
    desk.engine.leave(Leave::Now).await;
    let mut desk = Desk::new(new_generation(&world)).await;
    let looked_again = |job: &Job| job.search.as_ref().is_some_and(|search| search.rounds >= 2);
    once(&mut desk, id, "a second look", looked_again).await;
    desk.ask(Command::RefreshBalances).await;
    assert_eq!(world.orders().await.len(), 2, "and never again");
    assert_eq!(detail(&mut desk, id).await.job.state, JobState::Unconfirmed);
    desk.engine.leave(Leave::Now).await;
}

/// What a service ignores, refuses or leaves out of what it says is no proof of an order that it never took, while
/// it took another one; the user is told what is not trusted, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_does_not_heed_proves_nothing_and_is_said() {
    let look = async |switches: &[(&str, &str)], said: &str| {
        let world = World::new().await;
        for (name, value) in switches {
            world.variant("nanogpt", name, value).await;
        }
        let mut desk = world.desk().await;
        let taken = desk.queue(NANOGPT, "a hill").await;
        desk.wait_for(taken, JobState::Done).await;
        world.fault(json!({"service": "nanogpt", "route": "submit", "kind": "drop_before", "times": 1})).await;
        let id = desk.queue(NANOGPT, "a river").await;
        let job = once(&mut desk, id, "a first look", |job| job.search.is_some()).await;
        let search = job.search.unwrap();
        assert_eq!(
            (job.state, search.verdict),
            (JobState::Unconfirmed, Verdict::Open),
            "{switches:?}: {}",
            search.text
        );
        assert!(search.text.contains(said), "{switches:?}: {}", search.text);
        desk.engine.leave(Leave::Now).await;
        let mut desk = world.desk().await;
        let found = detail(&mut desk, id).await;
        let told = format!("{:?}", rushes::domain::explain::explain(&found.job, &found.history));
        assert!(told.contains(said), "{switches:?}: {told}");
        assert_eq!(world.orders().await.len(), 1, "{switches:?}");
        desk.engine.leave(Leave::Now).await;
    };
    tokio::join!(
        look(&[("conversation_uuid", "ignored")], "did not heed our own id"),
        look(&[("conversation_uuid", "ignored"), ("recover_limit", "ignored")], "did not heed our own id"),
        look(&[("conversation_uuid", "refused")], "refuses to look for our own id"),
        look(&[("conversation_uuid", "ignored"), ("recover_shape", "bare")], "did not heed our own id"),
        look(&[("usage", "others")], "the usage record of another request, which is not trusted"),
        look(&[("usage", "nameless")], "does not say of which request it is, and is not trusted"),
    );
}

/// A host that is taken for the new generation and forgets what its key is for: the balance tells, and from then
/// on nothing is repeated there, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_repeat_bought_twice_nothing_is_repeated_any_more() {
    let world = World::new().await;
    world.variant("ninjachat", "idempotency", "forgotten").await;
    world.variant("ninjachat", "requests", "absent").await;
    let (mut desk, id) = lost_at_new(&world, 1).await;
    let warned = |event: &rushes::domain::Event| match event {
        rushes::domain::Event::Noticed(notice) if notice.text.contains("for another order") => {
            Some(notice.text.clone())
        }
        _ => None,
    };
    let text = desk.until("the distrust", |event, _| warned(event)).await;
    assert!(text.contains(&id.to_string()) && text.contains("Nothing is repeated there any more"), "{text}");
    assert_eq!(world.orders().await.len(), 2, "the order and its repeat");
    let found = detail(&mut desk, id).await;
    let told = format!("{:?}", rushes::domain::explain::explain(&found.job, &found.history));
    assert!(told.contains("likely bought twice"), "{told}");
    desk.engine.leave(Leave::Now).await;
    let (mut desk, second) = lost_at_new(&world, 1).await;
    once(&mut desk, second, "a look", |job| job.search.is_some()).await;
    tokio::time::timeout(std::time::Duration::from_secs(20), desk.engine.drained()).await.unwrap();
    let found = detail(&mut desk, second).await;
    assert_eq!((found.job.state, world.orders().await.len()), (JobState::Unconfirmed, 3), "sent once");
    assert!(found.history.iter().any(|line| line.text.contains("not sent once more")), "{:?}", found.history);
    desk.engine.leave(Leave::Now).await;
}

/// The old generation lists no orders: only the balance tells, and only so much.
#[tokio::test(flavor = "multi_thread")]
async fn where_no_orders_are_listed_the_balance_makes_a_lost_one_likely_or_leaves_it_open() {
    let trace = async |kind: &str, orders: usize, verdict: Verdict, said: &str| {
        let world = World::new().await;
        world.fault(json!({"service": "ninjachat", "route": "submit", "kind": kind, "times": 1})).await;
        let mut desk = world.desk().await;
        let held = |row: &rushes::domain::message::AccountRow| row.name == "ninjachat" && !row.balances.is_empty();
        let seen = |event: &rushes::domain::Event| matches!(event, rushes::domain::Event::AccountChanged(a) if held(a));
        desk.until("the balance before", |event, _| seen(event).then_some(())).await;
        let id = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
        let traced = |job: &Job| job.search.as_ref().is_some_and(|search| search.text.contains("the balance"));
        let traced = |job: &Job| traced(job) && job.search.as_ref().is_some_and(|s| !s.text.contains("compare"));
        let job = once(&mut desk, id, "the balance after", traced).await;
        let search = job.search.unwrap();
        assert_eq!((job.state, search.verdict), (JobState::Unconfirmed, verdict), "{}", search.text);
        assert!(search.text.contains(said), "{}", search.text);
        assert_eq!(world.orders().await.len(), orders);
        desk.engine.leave(Leave::Now).await;
    };
    tokio::join!(
        trace("accept_then_drop", 1, Verdict::Likely, "fell by exactly its price"),
        trace("drop_before", 0, Verdict::Open, "did not fall by its price"),
    );
}
