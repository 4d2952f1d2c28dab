//! What goes wrong on the way: nothing is bought twice, nothing paid for is lost.

use std::path::PathBuf;

use rushes::domain::JobState;
use rushes::domain::message::{Answer, Command};
use rushes::engine::{Engine, EngineError, Leave};
use serde_json::json;

use super::world::{Desk, World};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_answer_is_lost_is_unconfirmed_and_never_sent_again() {
    for (service, model) in [("ninjachat", "ninjachat/veo-3.1-fast"), ("a4f", "a4f/provider-2/kling-v2.1")] {
        let world = World::new().await;
        world.fault(json!({"service": service, "route": "submit", "kind": "accept_then_drop", "times": 1})).await;
        let mut desk = world.desk().await;
        let id = desk.queue(model, "a river").await;
        desk.wait_for(id, JobState::Unconfirmed).await;
        tokio::time::timeout(std::time::Duration::from_secs(10), desk.engine.drained()).await.unwrap();
        assert_eq!(world.orders().await.len(), 1, "{service}");
        let Answer::Refused { problems } =
            desk.ask(Command::Retry { ids: vec![id], may_pay_twice: false, minimal: false }).await
        else {
            panic!("an unconfirmed job was retried without the user's word")
        };
        assert_eq!(problems[0].rule, "unconfirmed");
        desk.engine.leave(Leave::Now).await;
        let mut desk = Desk::new(world.settings()).await;
        desk.wait_for(id, JobState::Unconfirmed).await;
        assert_eq!(world.orders().await.len(), 1, "{service}: nor by a restart");
        desk.engine.leave(Leave::Now).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_costs_nothing_and_is_tried_again() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    world.fault(json!({"service": "nanogpt", "route": "submit", "kind": "status", "status": 429, "times": 1,
        "headers": {"Retry-After": "1"}, "body": "{\"error\":\"Rate limit exceeded. Please wait before generating another video.\",\"status\":429}"})).await;
    let id = desk.queue("nanogpt/veo2-video", "a river").await;
    desk.wait_for(id, JobState::Done).await;
    assert_eq!(world.orders().await.len(), 1);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_pauses_its_account_and_the_others_go_on() {
    let world = World::new().await;
    let mut settings = world.settings();
    settings.accounts[0].key = "nj_sk_wrong_0123456789".to_owned().into();
    let mut desk = Desk::new(settings).await;
    let stuck = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
    let fine = desk.queue("nanogpt/veo2-video", "a river").await;
    desk.wait_for(fine, JobState::Done).await;
    tokio::time::timeout(std::time::Duration::from_secs(20), desk.engine.drained()).await.unwrap();
    assert_eq!(desk.rows[&stuck].state, JobState::Queued);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_to_a_page_or_nowhere_is_asked_for_again_until_the_clip_comes() {
    let world = World::new().await;
    for kind in ["html_clip", "gone_clip", "short_clip"] {
        world.fault(json!({"service": "ninjachat", "route": "clip", "kind": kind, "times": 1})).await;
    }
    let mut desk = world.desk().await;
    let id = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
    let row = desk.wait_for(id, JobState::Done).await;
    assert!(row.note.unwrap().contains("MB"));
    assert_eq!(world.orders().await.len(), 1);
    desk.engine.leave(Leave::Now).await;
}

/// The parts of clips in an output directory, with their lengths.
fn parts(dir: &std::path::Path) -> Vec<u64> {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap());
    let partial = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "partial"));
    partial.map(|file| file.metadata().unwrap().len()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_clip_that_comes_damaged_the_longest_part_is_kept_until_it_comes_whole() {
    let world = World::new().await;
    for (times, after_bytes) in [(1, 9_000), (u64::MAX, 3_000)] {
        let fault = json!({"service": "ninjachat", "route": "clip", "kind": "short_clip", "after_bytes": after_bytes,
            "times": times});
        world.fault(fault).await;
    }
    let mut desk = world.desk().await;
    let id = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
    let (mut downloads, mut before) = (0, None);
    desk.until("the second part", |_, rows| {
        let row = rows.get(&id)?;
        downloads += usize::from(row.state == JobState::Downloading && before != Some(row.state));
        before = Some(row.state);
        let kept = row.note.as_ref().is_some_and(|note| note.contains("9000 bytes of it are kept at"));
        (downloads > 1 && row.state == JobState::Running && kept).then_some(())
    })
    .await;
    let output = world.settings().output_dir;
    assert_eq!(parts(&output), [9_000]);
    world.clear_faults().await;
    desk.wait_for(id, JobState::Done).await;
    assert_eq!(parts(&output), [0_u64; 0], "nothing is left of it beside the whole clip");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ordered_that_could_not_be_kept() {
    let world = World::new().await;
    let mut full = world.settings();
    full.least_free = u64::MAX;
    let mut unwritable = world.settings();
    unwritable.data_dir = world.dir.path().join("data2");
    unwritable.output_dir = PathBuf::from("/proc/no/such/place");
    for settings in [full, unwritable] {
        let mut desk = Desk::new(settings).await;
        desk.queue("ninjachat/veo-3.1-fast", "a river").await;
        let paused = desk
            .until("the pause", |event, _| match event {
                rushes::domain::Event::AccountChanged(row) => row.pause.clone(),
                _ => None,
            })
            .await;
        assert_eq!(paused.kind, rushes::domain::ErrorKind::Disk, "{paused:?}");
        assert_eq!(world.orders().await.len(), 0);
        desk.engine.leave(Leave::Now).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_engine_is_refused_and_told_who_has_the_directory() {
    let world = World::new().await;
    let desk = world.desk().await;
    match Engine::start(world.settings()).await {
        Err(EngineError::Locked(text)) => assert!(text.contains("process"), "{text}"),
        other => panic!("{other:?}"),
    }
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_twice_before_the_first_is_on_disk_is_bought_once() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let request = rushes::domain::Request::new(&"nanogpt/veo2-video".parse().unwrap(), "a river");
    let new = || rushes::domain::NewJob {
        request: request.clone(),
        key: Some("k".to_owned()),
        ceiling: None,
        parent: None,
        shrink: false,
        cap: None,
    };
    for _ in 0..8 {
        desk.send(Command::Queue { jobs: vec![new()] });
    }
    let answer = desk.ask(Command::Queue { jobs: vec![new()] }).await;
    assert!(matches!(answer, Answer::Accepted { known: 1, .. }), "{answer:?}");
    tokio::time::timeout(std::time::Duration::from_secs(30), desk.engine.drained()).await.unwrap();
    assert_eq!(world.orders().await.len(), 1);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_data_directories_with_one_output_directory_keep_both_clips() {
    let world = World::at_speed(40.0).await;
    let mut other = world.settings();
    other.data_dir = world.dir.path().join("data2");
    let (mut one, mut two) = (world.desk().await, Desk::new(other).await);
    let (first, second) =
        (one.queue("ninjachat/veo-3.1-fast", "a river").await, two.queue("ninjachat/veo-3.1-fast", "a river").await);
    assert_eq!(first, second, "both claim the same name");
    let mut files = Vec::new();
    for (desk, id) in [(&mut one, first), (&mut two, second)] {
        desk.wait_for(id, JobState::Done).await;
        let Answer::Detail(detail) = desk.ask(Command::Inspect { id }).await else { panic!("no details") };
        files.push(detail.job.files[0].clone());
    }
    assert_ne!(files[0].path, files[1].path, "one of the clips was taken for the other");
    assert_ne!(files[0].sha256, files[1].sha256);
    one.engine.leave(Leave::Now).await;
    two.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_was_whole_on_disk_when_the_program_died_finishes_its_job() {
    use rushes::store::{Change, Store};
    let world = World::new().await;
    // A clip to be found: what the simulator made for another job.
    let mut desk = world.desk().await;
    let made = desk.queue("a4f/provider-2/kling-v2.1", "made").await;
    desk.wait_for(made, JobState::Done).await;
    let Answer::Detail(detail) = desk.ask(Command::Inspect { id: made }).await else { panic!("no detail") };
    let clip = std::fs::read(&detail.job.files[0].path).unwrap();
    desk.engine.leave(Leave::Now).await;
    // Two orders under way when the program died: one's bytes were all there, the other's were cut.
    let mut offline = world.settings();
    offline.online = false;
    let mut desk = Desk::new(offline).await;
    let (whole, cut) =
        (desk.queue("a4f/provider-2/kling-v2.1", "whole").await, desk.queue("a4f/provider-2/kling-v2.1", "cut").await);
    desk.engine.leave(Leave::Now).await;
    let store = Store::open(&world.settings().data_dir, true).unwrap();
    for (id, bytes) in [(whole, &clip[..]), (cut, &clip[..clip.len() / 2])] {
        let mut job = store.job(id).unwrap().unwrap();
        job.advance(JobState::Submitting, job.created_at).unwrap();
        job.attempts = 1;
        job.submitted_at = Some(job.created_at);
        job.reserved = job.estimate.map(|estimate| estimate.money);
        let stem = world.settings().output_dir.join(format!("under-way-{id}"));
        job.stem = Some(stem.to_str().unwrap().to_owned());
        let base = rushes::media::part_base(stem.parent().unwrap(), &format!("under-way-{id}"), &job);
        std::fs::write(rushes::media::part_path(&base, 1), bytes).unwrap();
        store.commit(vec![Change::PutJob(std::sync::Arc::new(job))]).await.unwrap();
    }
    drop(store);
    let mut desk = world.desk().await;
    let row = desk.wait_for(whole, JobState::Done).await;
    assert_eq!(row.cost.unwrap().to_string(), "1 run");
    assert_eq!(desk.rows[&cut].state, JobState::Unconfirmed, "half a clip proves nothing that can be shown");
    assert_eq!(world.orders().await.len(), 1, "and nothing was ordered again");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_data_directory_or_its_lock_nothing_more_is_ordered_and_ids_are_told() {
    for whole in [true, false] {
        let world = World::at_speed(40.0).await;
        let mut settings = world.settings();
        settings.accounts[0].max_in_flight = 1;
        let data = settings.data_dir.clone();
        let mut desk = Desk::new(settings).await;
        let first = desk.queue("ninjachat/veo-3.1-fast", "a river").await;
        let second = desk.queue("ninjachat/veo-3.1-fast", "a lake").await;
        desk.wait_for(first, JobState::Running).await;
        match whole {
            // At once, whatever is being written there.
            true => std::fs::rename(&data, data.with_extension("away")).unwrap(),
            false => std::fs::remove_file(data.join("engine.lock")).unwrap(),
        }
        // What was paid for goes on; what was not stays where it is.
        desk.wait_for(first, JobState::Done).await;
        tokio::time::timeout(std::time::Duration::from_secs(30), desk.engine.drained()).await.unwrap();
        assert_eq!((world.orders().await.len(), desk.rows[&second].state), (1, JobState::Queued), "{whole}");
        let Answer::Refused { problems } = desk.ask(Command::Hold { ids: vec![second] }).await else {
            panic!("something was taken that cannot be kept")
        };
        assert_eq!(problems[0].rule, "gone");
        let told = desk.engine.leave(Leave::Drain).await.expect("it is no good end");
        assert!(told.contains("removed or replaced") && told.contains(&format!("{first} is order ")), "{told}");
    }
}
