//! The disk is full before, while and after A4F's answer comes, which is the clip itself and comes once: nothing
//! is ordered that could not be kept, and no byte of it is lost that could be written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rushes::domain::message::{Command, Event};
use rushes::domain::{FileKind, Job, JobState, NewJob, Request};
use rushes::engine::{Commands, Engine, Events, Leave, Points, Settings};
use rushes::sim::{SimOptions, Simulator};
use rushes::store::{JobFilter, Store};
use sha2::{Digest, Sha256};

use super::disk::WatchedDisk;
use super::full::{is, orders, until};
use super::record::Recorder;
use super::vfs;
use super::world::{new_dir, settings};

/// What still fits of a clip, in bytes.
const ROOM: u64 = 2_000;

/// Whose engine it is, where what lies, and its disk.
struct World {
    settings: Settings,
    sim: Simulator,
    disk: WatchedDisk,
}

impl World {
    /// A world that is full from the moment its engine passes `point` on: no more fits into the database, and
    /// `room` bytes beside it.
    async fn full_at(point: &'static str, room: Option<u64>) -> World {
        let dir = new_dir();
        let (data, recorder) = (dir.join("data"), Recorder::default());
        vfs::watch(&data, &recorder);
        let options = SimOptions { speed: 1000.0, cheap_clips: true, ..SimOptions::default() };
        let sim = Simulator::start(options).await.unwrap();
        let disk = WatchedDisk::new(&recorder);
        let (left, once) = (disk.room.clone(), AtomicBool::new(false));
        let points = Points::told(move |step, _| {
            if step == point && !once.swap(true, Ordering::SeqCst) {
                vfs::limit(&data, Some(0));
                *left.lock().unwrap() = room;
            }
        });
        World { settings: settings(&dir, &sim.url(), points), sim, disk }
    }

    async fn start(&self) -> (Engine, Commands, Events) {
        let engine = Engine::start_on(self.settings.clone(), Arc::new(self.disk.clone())).await.unwrap();
        let (commands, events) = engine.attach();
        (engine, commands, events)
    }

    fn make_room(&self) {
        vfs::limit(&self.settings.data_dir, None);
        *self.disk.room.lock().unwrap() = None;
    }

    fn job(&self) -> Job {
        let store = Store::open_read_only(&self.settings.data_dir).unwrap();
        store.jobs(&JobFilter::default()).unwrap().remove(0)
    }

    /// The job is done with one whole clip, which was ordered once.
    async fn is_done_once(&self) {
        let job = self.job();
        assert_eq!((job.state, job.files.len()), (JobState::Done, 1), "{job:?}");
        let clip = std::fs::read(&job.files[0].path).unwrap();
        assert_eq!(format!("{:x}", Sha256::digest(&clip)), job.files[0].sha256);
        assert!(job.files[0].kind == FileKind::Video && Path::new(&job.files[0].path).with_extension("json").exists());
        assert_eq!(orders(&self.sim).await, 1);
    }

    async fn end(self, engine: Engine) {
        engine.leave(Leave::Now).await;
        self.sim.shutdown().await;
        vfs::forget(&self.settings.data_dir);
        let _ = std::fs::remove_dir_all(self.settings.data_dir.parent().unwrap());
    }
}

fn order(commands: &Commands) {
    let request = Request::new(&"a4f/provider-2/kling-v2.1".parse().unwrap(), "a neon street");
    commands.send(1, Command::Queue { jobs: vec![NewJob::of(request)] });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_a_clip_that_comes_with_its_answer_nothing_is_ordered() {
    let world = World::full_at("never", None).await;
    *world.disk.room.lock().unwrap() = Some(0);
    let (engine, commands, mut events) = world.start().await;
    order(&commands);
    until(
        &mut events,
        "the account to wait",
        |event| matches!(event, Event::AccountChanged(row) if row.name == "a4f" && row.pause.is_some()),
    )
    .await;
    let job = world.job();
    assert_eq!((job.state, job.attempts, orders(&world.sim).await), (JobState::Queued, 0, 0));
    world.make_room();
    commands.send(2, Command::Resume { account: "a4f".to_owned() });
    until(&mut events, "the clip", is(JobState::Done)).await;
    world.is_done_once().await;
    world.end(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_while_the_answer_comes_keeps_every_byte_that_fits_and_offers_it() {
    let world = World::full_at("order.sending", Some(ROOM)).await;
    let (engine, commands, mut events) = world.start().await;
    order(&commands);
    until(
        &mut events,
        "the part that is kept",
        |event| matches!(event, Event::Noticed(notice) if notice.text.contains("bytes of the clip are kept at")),
    )
    .await;
    let look = || {
        let job = world.job();
        assert_eq!((job.state, job.files.len()), (JobState::Unconfirmed, 1), "{job:?}");
        let part = std::fs::read(&job.files[0].path).unwrap();
        assert_eq!((job.files[0].kind, part.len() as u64), (FileKind::Partial, ROOM));
        assert_eq!(&part[4..8], b"ftyp");
        job
    };
    let job = look();
    assert!(job.error.as_ref().is_some_and(|error| error.message.contains("Adopt `part`")), "{:?}", job.error);
    assert!(job.reserved.is_some(), "it may have been paid for");
    // The next start finds it so, too, and orders nothing anew.
    engine.leave(Leave::Now).await;
    world.make_room();
    let (engine, commands, mut events) = world.start().await;
    assert_eq!((look().id, orders(&world.sim).await), (job.id, 1));
    commands.send(3, Command::Adopt { id: job.id, remote_id: "part".to_owned() });
    until(&mut events, "the user's word", is(JobState::Done)).await;
    assert_eq!((world.job().files, orders(&world.sim).await), (job.files, 1));
    world.end(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_full_while_the_answer_comes_still_learns_that_it_came() {
    for point in ["part.half", "answer.received"] {
        let world = World::full_at(point, None).await;
        let (engine, commands, mut events) = world.start().await;
        order(&commands);
        until(&mut events, "the clip", is(JobState::Done)).await;
        world.is_done_once().await;
        world.end(engine).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_came_whole_onto_a_disk_that_is_full_then_waits_for_room_and_says_so() {
    let world = World::full_at("answer.received", Some(0)).await;
    let (engine, commands, mut events) = world.start().await;
    order(&commands);
    until(&mut events, "a loud word", |event| {
        matches!(event, Event::Noticed(notice) if notice.text.contains("made and paid for, but cannot be written"))
    })
    .await;
    assert_eq!(world.job().state, JobState::Downloading, "the answer is known");
    world.make_room();
    until(&mut events, "the clip", is(JobState::Done)).await;
    world.is_done_once().await;
    world.end(engine).await;
}
