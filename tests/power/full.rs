//! The disk is full before, while and after an order is paid for: nothing is ordered that could not be kept,
//! and no id is lost while a byte can be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rushes::domain::message::{Command, Event};
use rushes::domain::{JobState, NewJob, Request};
use rushes::engine::{Commands, Engine, Events, Leave, Points};
use rushes::sim::{SimOptions, Simulator};
use rushes::store::{JobFilter, Store};

use super::disk::WatchedDisk;
use super::record::Recorder;
use super::vfs;
use super::world::{new_dir, settings};

/// Nothing here takes this long.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads events until one is as wanted.
pub async fn until(events: &mut Events, what: &str, wanted: impl Fn(&Event) -> bool) {
    let found = async {
        loop {
            if wanted(&events.next().await.unwrap()) {
                return;
            }
        }
    };
    tokio::time::timeout(LONGEST, found).await.unwrap_or_else(|_| panic!("waited too long for {what}"));
}

pub fn is(state: JobState) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::JobChanged(row) if row.state == state)
}

fn order(commands: &Commands) {
    let request = Request::new(&"ninjachat/google-veo-2".parse().unwrap(), "a river");
    commands.send(1, Command::Queue { jobs: vec![NewJob::of(request)] });
}

/// A world whose database is full from the moment its engine passes `point` on.
async fn full_at(point: &'static str, test: impl AsyncFnOnce(&std::path::Path, &Simulator, &Engine, Commands, Events)) {
    let dir = new_dir();
    let data = dir.join("data");
    let recorder = Recorder::default();
    vfs::watch(&data, &recorder);
    let sim = Simulator::start(SimOptions { speed: 1000.0, cheap_clips: true, ..SimOptions::default() }).await.unwrap();
    let (full, once) = (data.clone(), AtomicBool::new(false));
    let points = Points::told(move |step, _| {
        if step == point && !once.swap(true, Ordering::SeqCst) {
            vfs::limit(&full, Some(0));
        }
    });
    let settings = settings(&dir, &sim.url(), points);
    let engine = Engine::start_on(settings, Arc::new(WatchedDisk::new(&recorder))).await.unwrap();
    let (commands, events) = engine.attach();
    test(&data, &sim, &engine, commands, events).await;
    engine.leave(Leave::Now).await;
    sim.shutdown().await;
    vfs::forget(&data);
    let _ = std::fs::remove_dir_all(dir);
}

pub async fn orders(sim: &Simulator) -> usize {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = client.get(format!("{}/_sim/orders", sim.url())).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_intent_has_no_room_is_not_sent_and_leaves_the_reserve_to_others() {
    full_at("order.built", async |data, sim, engine, commands, mut events| {
        order(&commands);
        until(&mut events, "the accounts to wait", |event| {
            matches!(event, Event::AccountChanged(row) if row.pause.as_ref().is_some_and(|p| p.message.contains("full")))
        })
        .await;
        assert_eq!(orders(sim).await, 0, "nothing was sent");
        let job = Store::open_read_only(data).unwrap().jobs(&JobFilter::default()).unwrap().remove(0);
        assert_eq!((job.state, job.reserved, job.attempts), (JobState::Queued, None, 0));
        vfs::limit(data, None);
        commands.send(2, Command::Resume { account: "ninjachat".to_owned() });
        until(&mut events, "the clip", is(JobState::Done)).await;
        assert_eq!(orders(sim).await, 1);
        let _ = engine;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_an_order_that_was_sent_is_kept_out_of_the_reserve() {
    full_at("order.sending", async |data, sim, _, commands, mut events| {
        assert!(data.join("reserve").exists());
        order(&commands);
        until(&mut events, "the order to be taken", is(JobState::Running)).await;
        // The reserve is made again at once, since the disk below has room.
        let store = Store::open_read_only(data).unwrap();
        let job = store.jobs(&JobFilter::default()).unwrap().remove(0);
        assert!(job.remote_id.is_some(), "{job:?}");
        // And the rest of its way goes on.
        until(&mut events, "the clip", is(JobState::Done)).await;
        assert_eq!(orders(sim).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_without_room_waits_says_so_and_goes_on_when_there_is_some() {
    let dir = new_dir();
    let sim = Simulator::start(SimOptions { speed: 1000.0, cheap_clips: true, ..SimOptions::default() }).await.unwrap();
    let disk = WatchedDisk::new(&Recorder::default());
    let room = disk.room.clone();
    // Room for a part of the clip, from the moment that it is paid for.
    let points = Points::told(move |step, _| {
        if step == "finished.committed" {
            *room.lock().unwrap() = Some(1_000);
        }
    });
    let room = disk.room.clone();
    let engine = Engine::start_on(settings(&dir, &sim.url(), points), Arc::new(disk)).await.unwrap();
    let (commands, mut events) = engine.attach();
    order(&commands);
    until(&mut events, "a loud word", |event| {
        matches!(event, Event::Noticed(notice) if notice.text.contains("made and paid for, but cannot be written")
            && notice.text.contains("free some space"))
    })
    .await;
    *room.lock().unwrap() = None;
    until(&mut events, "the clip", is(JobState::Done)).await;
    assert_eq!(orders(&sim).await, 1);
    engine.leave(Leave::Now).await;
    sim.shutdown().await;
    let _ = std::fs::remove_dir_all(dir);
}
