//! Caps of batches and models through the real store: what is sent stays within them, what is not is held
//! and says so, and a raised cap lets it go.

use rushes::domain::caps::BatchCap;
use rushes::domain::message::{Answer, Command};
use rushes::domain::{Caps, JobId, JobState, Money, NewJob, Request};
use rushes::engine::Leave;

use super::world::{Desk, World};

fn jobs(model: &str, count: usize, cap: Option<BatchCap>) -> Vec<NewJob> {
    let new =
        |n| NewJob { key: Some(format!("{model} {n}")), cap, ..NewJob::of(Request::new(&model.parse().unwrap(), "x")) };
    (0..count).map(new).collect()
}

async fn queue(desk: &mut Desk, jobs: Vec<NewJob>) -> Vec<JobId> {
    match desk.ask(Command::Queue { jobs }).await {
        Answer::Accepted { ids, .. } => ids,
        other => panic!("{other:?}"),
    }
}

async fn drained(desk: &Desk) {
    tokio::time::timeout(std::time::Duration::from_secs(60), desk.engine.drained()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_stops_at_its_cap_and_goes_on_when_its_file_is_given_again_with_a_higher_one() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let two = Some(BatchCap { jobs: Some(2), money: None });
    let ids = queue(&mut desk, jobs("ninjachat/veo-3.1-fast", 4, two)).await;
    let late = async |desk: &mut Desk, state: JobState, count: usize| {
        drained(desk).await;
        desk.ask(Command::RefreshBalances).await;
        let rows = ids.iter().map(|id| desk.rows[id].clone()).filter(|row| row.state == state);
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), count, "{:#?}", desk.rows);
        rows
    };
    for row in late(&mut desk, JobState::Held, 2).await {
        assert_eq!(row.note.as_deref(), Some("over the batch's orders cap"));
    }
    assert_eq!(world.orders().await.len(), 2);
    desk.engine.leave(Leave::Now).await;
    // A start alone changes nothing; a higher cap does, also for what was queued before.
    let mut desk = world.desk().await;
    drained(&desk).await;
    assert_eq!(world.orders().await.len(), 2, "the cap outlives the engine");
    let three = Some(BatchCap { jobs: Some(3), money: None });
    assert_eq!(queue(&mut desk, jobs("ninjachat/veo-3.1-fast", 4, three)).await, []);
    late(&mut desk, JobState::Done, 3).await;
    assert_eq!(world.orders().await.len(), 3);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_a_plan_cost_nothing_and_count_all_the_same_and_a_models_cap_is_its_own() {
    let world = World::new().await;
    let mut settings = world.settings();
    let model = settings.accounts[2].name.clone() + "/provider-2/kling-v2.1";
    let one = Caps { day_jobs: Some(1), ..Caps::default() };
    settings.model_caps.insert(model.parse().unwrap(), one);
    let dollars = Caps { day: Some(Money::usd(1.into())), ..Caps::default() };
    settings.model_caps.insert("ninjachat/veo-3.1-fast".parse().unwrap(), dollars);
    let mut desk = Desk::new(settings).await;
    let free = queue(&mut desk, jobs(&model, 2, None)).await;
    let paid = queue(&mut desk, jobs("ninjachat/veo-3.1-fast", 1, None)).await;
    let other = queue(&mut desk, jobs("ninjachat/kling-video", 1, None)).await;
    drained(&desk).await;
    // Orders are built side by side: whichever is ready first goes, the other is held.
    let is_held = |rows: &std::collections::BTreeMap<_, rushes::domain::JobRow>| {
        free.iter().copied().find(|id| rows.get(id).is_some_and(|row| row.state == JobState::Held))
    };
    let held = match is_held(&desk.rows) {
        Some(held) => held,
        None => desk.until("one of the two to be held", |_, rows| is_held(rows)).await,
    };
    let sent = if held == free[0] { free[1] } else { free[0] };
    let note = desk.rows[&held].note.clone();
    assert_eq!(note, Some(format!("over the {model} day's orders cap")));
    assert_eq!(desk.wait_for(paid[0], JobState::Held).await.note.unwrap(), "over the ninjachat/veo-3.1-fast day's cap");
    desk.wait_for(sent, JobState::Done).await;
    desk.wait_for(other[0], JobState::Done).await;
    assert_eq!(world.orders().await.len(), 2);
    desk.engine.leave(Leave::Now).await;
}
