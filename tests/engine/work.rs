//! The main job: queued, submitted, polled, downloaded, on disk, and the books agree.

use rushes::domain::JobState;
use rushes::domain::message::{Answer, Command, Event};
use rushes::engine::{Engine, EngineError, Leave};
use rust_decimal::Decimal;
use serde_json::Value;

use super::world::{Desk, World, is_mp4};

const MODELS: [&str; 3] = ["ninjachat/veo-3.1-fast", "nanogpt/veo2-video", "a4f/provider-2/kling-v2.1"];

fn decimal(value: &Value) -> Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_at_each_service_ends_as_the_very_clip_the_service_made() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let mut ids = Vec::new();
    for model in MODELS {
        ids.push(desk.queue(model, "a paper boat on a storm drain").await);
    }
    for id in ids {
        desk.wait_for(id, JobState::Done).await;
        let Answer::Detail(detail) = desk.ask(Command::Inspect { id }).await else { panic!("no detail") };
        let file = detail.job.files.first().unwrap();
        assert!(is_mp4(std::path::Path::new(&file.path)));
        let orders = world.orders().await;
        let order = orders.iter().find(|order| order["sha256"] == file.sha256.as_str());
        let order = order.unwrap_or_else(|| panic!("{} is no clip the simulator made: {orders:#?}", file.path));
        assert_eq!(order["prompt"], "a paper boat on a storm drain");
        assert!(order["model"].as_str().unwrap().ends_with(&detail.job.request.model), "{order}");
        let cost = detail.job.cost.unwrap();
        assert_eq!(decimal(&order["price"]), cost.amount, "{order}");
        let sidecar = std::fs::read_to_string(std::path::Path::new(&file.path).with_extension("json")).unwrap();
        let recipe: Value = serde_json::from_str(&sidecar).unwrap();
        assert_eq!(recipe["sha256"], file.sha256.as_str());
        assert_eq!(recipe["simulated"], true);
    }
    assert_eq!(world.orders().await.len(), 3);
    tokio::time::timeout(std::time::Duration::from_secs(10), desk.engine.drained()).await.unwrap();
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_stops_and_starts_again_polls_on_and_buys_nothing_twice() {
    let world = World::at_speed(60.0).await;
    let mut desk = world.desk().await;
    let id = desk.queue("ninjachat/veo-3.1-fast", "a long one").await;
    desk.wait_for(id, JobState::Running).await;
    desk.engine.leave(Leave::Now).await;
    let mut desk = Desk::new(world.settings()).await;
    desk.wait_for(id, JobState::Done).await;
    let orders = world.orders().await;
    assert_eq!(orders.len(), 1, "{orders:#?}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_generation_is_refunded_in_both_books() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let id = desk.queue("ninjachat/veo-3.1", "[fail] a river").await;
    let row = desk.wait_for(id, JobState::Failed).await;
    assert_eq!(row.cost.unwrap().amount, Decimal::ZERO);
    let bank = world.admin("bank").await;
    let text = bank.to_string();
    assert!(text.contains("refund"), "{text}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_look_sees_accounts_money_and_details_and_changes_nothing() {
    use rushes::domain::message::Event;
    let world = World::new().await;
    let mut desk = world.desk().await;
    let id = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
    desk.wait_for(id, JobState::Done).await;
    let (commands, mut events) = rushes::engine::watch(&world.settings(), "dashboard, process 1").unwrap();
    let Some(Event::Snapshot(snapshot)) = events.next().await else { panic!("no snapshot") };
    assert_eq!(snapshot.read_only.as_deref(), Some("dashboard, process 1"));
    assert_eq!((snapshot.accounts.len(), snapshot.jobs.len()), (3, 1));
    assert_eq!(snapshot.spend.today[0].to_string(), "$3.00");
    commands.send(1, Command::Inspect { id });
    let Some(Event::Answered { answer: Answer::Detail(detail), .. }) = events.next().await else { panic!("no detail") };
    assert!(detail.history.iter().any(|line| line.kind == "done"));
    commands.send(2, Command::Retry { ids: vec![id], may_pay_twice: true, minimal: false });
    let Some(Event::Answered { answer: Answer::Refused { problems }, .. }) = events.next().await else {
        panic!("not refused")
    };
    assert_eq!(problems[0].rule, "read_only");
    let Answer::Refused { problems } = desk.ask(Command::Cancel { ids: vec![id] }).await else { panic!("cancelled") };
    assert!(problems[0].message.contains("is done already"), "{problems:?}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_picture_is_kept_when_queued_and_sent_whatever_became_of_the_file() {
    // The smallest PNG there is: one transparent pixel.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";
    let world = World::new().await;
    let picture = world.dir.path().join("still.png");
    std::fs::write(&picture, PNG).unwrap();
    // Queued without a way to send, as `add` does; the file is gone before the order is built.
    let mut offline = world.settings();
    offline.online = false;
    let mut desk = Desk::new(offline).await;
    let mut request = rushes::domain::Request::new(&"nanogpt/kling-v21-pro".parse().unwrap(), "she waves");
    request.params.insert("image".into(), picture.to_str().unwrap().into());
    let nine = "9".parse::<Decimal>().map(rushes::domain::Money::usd).unwrap();
    let new = rushes::domain::NewJob { ceiling: Some(nine), ..rushes::domain::NewJob::of(request) };
    let Answer::Accepted { ids, .. } = desk.ask(Command::Queue { jobs: vec![new] }).await else { panic!("refused") };
    desk.engine.leave(Leave::Now).await;
    std::fs::remove_file(&picture).unwrap();
    let mut desk = world.desk().await;
    desk.wait_for(ids[0], JobState::Done).await;
    let order = world.orders().await.remove(0);
    let sent = order["params"]["imageDataUrl"].as_str().unwrap();
    assert!(sent.starts_with("data:image/png;base64,iVBORw0KGgo"), "{order}");
    let Answer::Detail(detail) = desk.ask(Command::Inspect { id: ids[0] }).await else { panic!("no detail") };
    let kept = detail.job.values["image"].as_str().unwrap();
    assert!(kept.starts_with("sha256:"), "{kept}: inputs are remembered by hash");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_face_is_shown_the_jobs_before_they_are_read_whole_and_answered_after() {
    let world = World::new().await;
    let settings = rushes::engine::Settings { online: false, ..world.settings() };
    let mut desk = Desk::new(settings.clone()).await;
    let id = desk.queue(MODELS[0], "a paper boat").await;
    desk.engine.leave(Leave::Now).await;

    let (mut starting, (commands, mut events)) = Engine::start_shown(settings.clone()).await.unwrap();
    commands.send(7, Command::Inspect { id });
    let Some(Event::Snapshot(snapshot)) = events.next().await else { panic!("the snapshot comes first") };
    assert_eq!((snapshot.jobs[0].id, snapshot.jobs[0].state), (id, JobState::Queued));
    assert!(!snapshot.offers.is_empty() && snapshot.accounts.len() == 3 && snapshot.read_only.is_none());
    let detail = loop {
        if let Event::Answered { ticket: 7, answer } = events.next().await.unwrap() {
            break answer;
        }
    };
    assert!(matches!(detail, Answer::Detail(detail) if detail.job.id == id));
    starting.ready().await.unwrap().leave(Leave::Now).await;

    // What cannot be read whole is shown all the same, and the start says which job it is.
    let db = rusqlite::Connection::open(settings.data_dir.join("rushes.db")).unwrap();
    db.execute("UPDATE job_bodies SET body = '{}'", []).unwrap();
    drop(db);
    let (mut starting, (_commands, mut events)) = Engine::start_shown(settings.clone()).await.unwrap();
    assert!(matches!(events.next().await, Some(Event::Snapshot(snapshot)) if snapshot.jobs.len() == 1));
    let error = starting.ready().await.unwrap_err();
    assert!(error.to_string().contains("j-1"), "{error}");
    let again = Engine::start(settings).await.unwrap_err();
    assert!(!matches!(again, EngineError::Locked(_)), "the lock was let go: {again}");
}
