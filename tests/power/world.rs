//! A short day at the simulated services on watched disks, and the judge of what a loss of power leaves of it.
//!
//! Knows what must be true after any loss of power. Must not know how the store or the disk go about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rushes::domain::message::{Answer, Command, Event as Told};
use rushes::domain::{EntryKind, Job, JobId, JobState, NewJob, Request, Service};
use rushes::engine::{AccountSettings, Caps, Engine, Leave, Points, Settings};
use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use rushes::store::{EntryFilter, JobFilter, Store};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::disk::WatchedDisk;
use super::record::{Event, Fate, Recorder, disk_after};
use super::vfs;

/// How much faster than ours the simulator's clock runs.
const SPEED: f64 = 1000.0;

/// Nothing here takes this long.
const LONGEST: Duration = Duration::from_secs(60);

/// What is ordered: from each service, once by link and once with the answer; one that fails.
const DAY: [(&str, &str); 6] = [
    ("ninjachat/google-veo-2", "a harbour at dawn"),
    ("ninjachat/google-veo-2", "[fail] a river that never comes"),
    ("ninjachat/google-veo-2", "an answer that is lost"),
    ("nanogpt/veo2-video", "a majestic eagle"),
    ("a4f/provider-2/kling-v2.1", "a neon street"),
    ("a4f/provider-2/kling-v2.1", "a second neon street"),
];

/// What is ordered with a picture.
const PICTURED: &str = "nanogpt/veo2-video";

/// The smallest PNG there is, as a file of the user's.
fn picture(dir: &Path) -> String {
    let image = image::RgbImage::new(1, 1);
    let path = dir.join("still.png");
    image.save(&path).unwrap();
    path.to_string_lossy().into_owned()
}

/// A day's work as the disks saw it.
pub struct Day {
    /// Where it was worked, and where each disk is laid out again: names in the books are absolute.
    dir: PathBuf,
    /// All that was asked of the disks and told to the world.
    pub events: Vec<Event>,
    /// The hashes of the clips as they came.
    clips: BTreeSet<String>,
    /// What each job was known by at its service, at the end.
    remote: BTreeMap<JobId, String>,
    settings: Settings,
}

impl Drop for Day {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn settings(dir: &Path, url: &str, points: Points) -> Settings {
    let account = |service: Service, key: &str| AccountSettings {
        name: service.word().to_owned(),
        service,
        base_url: format!("{url}/{}", service.word()),
        generation: None,
        origin: "power".to_owned(),
        key: key.to_owned().into(),
        max_in_flight: 2,
        poll_interval: Duration::from_millis(40),
        allow_insecure: false,
        caps: Caps::default(),
        shared: false,
    };
    Settings {
        accounts: vec![
            account(Service::Ninjachat, NINJACHAT_KEY),
            account(Service::Nanogpt, NANOGPT_KEY),
            account(Service::A4f, A4F_KEY),
        ],
        data_dir: dir.join("data"),
        output_dir: dir.join("clips"),
        name_template: None,
        caps: Caps::default(),
        model_caps: BTreeMap::new(),
        simulated: Some("SIMULATOR".to_owned()),
        times_faster: 1,
        time_zone: jiff::tz::TimeZone::UTC,
        online: true,
        least_free: 1 << 20,
        kind: "power".to_owned(),
        models: None,
        points,
    }
}

/// In memory where that can be: no real disk has to be waited for.
pub fn new_dir() -> PathBuf {
    static WORLDS: AtomicUsize = AtomicUsize::new(0);
    let ground = if Path::new("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
    let n = WORLDS.fetch_add(1, Ordering::SeqCst);
    let dir = ground.join(format!("rushes-power-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

impl Day {
    /// Works a day to its end.
    pub async fn work(seed: u64) -> Day {
        let dir = new_dir();
        let recorder = Recorder::default();
        vfs::watch(&dir.join("data"), &recorder);
        let options = SimOptions { speed: SPEED, cheap_clips: true, seed, ..SimOptions::default() };
        let sim = Simulator::start(options).await.unwrap();
        lose_an_answer(&sim.url()).await;
        let heard = recorder.clone();
        let settings = settings(&dir, &sim.url(), Points::told(move |step, subject| heard.mark(step, subject)));
        let engine = Engine::start_on(settings.clone(), Arc::new(WatchedDisk::new(&recorder))).await.unwrap();
        let (commands, mut told) = engine.attach();
        let mut jobs = DAY.map(|(model, prompt)| NewJob::of(Request::new(&model.parse().unwrap(), prompt))).to_vec();
        let mut of_picture = Request::new(&PICTURED.parse().unwrap(), "a still that moves");
        of_picture.params.insert("image".to_owned(), picture(&dir).into());
        jobs.push(NewJob::of(of_picture));
        commands.send(1, Command::Queue { jobs });
        loop {
            match told.next().await.unwrap() {
                Told::Answered { answer: Answer::Accepted { .. }, .. } => break,
                Told::Answered { answer, .. } => panic!("{answer:?}"),
                _ => {}
            }
        }
        tokio::time::timeout(LONGEST, engine.drained()).await.unwrap();
        engine.leave(Leave::Now).await;
        sim.shutdown().await;
        closed(&dir.join("data")).await;
        vfs::forget(&dir.join("data"));
        let store = Store::open_read_only(&dir.join("data")).unwrap();
        let jobs = store.jobs(&JobFilter::default()).unwrap();
        let done: Vec<&Job> = jobs.iter().filter(|job| job.state == JobState::Done).collect();
        assert!(
            done.len() >= 5 && done.iter().any(|job| job.request.params.contains_key("image")),
            "the day went wrong: {:?}",
            jobs.iter().map(|job| (job.state, &job.error)).collect::<Vec<_>>()
        );
        let clips = jobs.iter().flat_map(|job| &job.files).map(|file| file.sha256.clone()).collect();
        let remote = jobs.into_iter().filter_map(|job| Some((job.id, job.remote_id?))).collect();
        drop(store);
        let settings = Settings { online: false, points: Points::default(), ..settings };
        Day { dir, events: recorder.events(), clips, remote, settings }
    }

    /// Where a loss of power tells most: after each step that something follows from, and around each
    /// sync and name of a clip.
    pub fn telling_cuts(&self) -> Vec<usize> {
        let tells = |event: &Event| match event {
            Event::Mark { step, .. } => step == "order.sending" || step.ends_with(".committed"),
            Event::Rename { .. } | Event::SyncDir { .. } => true,
            _ => false,
        };
        (0..self.events.len()).filter(|at| tells(&self.events[*at])).map(|at| at + 1).collect()
    }

    /// What is wrong on the disk that a loss of power after `cut` events leaves; an engine looks at it, too,
    /// where that is asked.
    pub async fn judge(&self, cut: usize, fate: Fate, seed: u64, with_engine: bool) -> Vec<String> {
        let events = &self.events[..cut];
        let left = disk_after(events, fate, &mut fastrand::Rng::with_seed(seed));
        let _ = std::fs::remove_dir_all(&self.dir);
        for dir in [&self.settings.data_dir, &self.settings.output_dir] {
            std::fs::create_dir_all(dir).unwrap();
        }
        for (path, content) in left {
            std::fs::write(path, content).unwrap();
        }
        let mut wrong = Vec::new();
        if let Err(why) = self.look(events, with_engine, &mut wrong).await {
            wrong.push(why);
        }
        wrong
            .into_iter()
            .map(|why| format!("cut {cut} of {}, {fate:?}, seed {seed}: {why}", self.events.len()))
            .collect()
    }

    async fn look(&self, events: &[Event], with_engine: bool, wrong: &mut Vec<String>) -> Result<(), String> {
        let data = &self.settings.data_dir;
        if with_engine {
            let engine = Engine::start(self.settings.clone()).await;
            engine.map_err(|error| format!("the engine does not start: {error}"))?.leave(Leave::Now).await;
            closed(data).await;
        } else {
            let store = Store::open(data, true).map_err(|error| format!("the database does not open: {error}"))?;
            store.load().map_err(|error| format!("the database cannot be read: {error}"))?;
        }
        let db = rusqlite::Connection::open(data.join("rushes.db")).map_err(|error| error.to_string())?;
        let sound: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(|error| format!("the database cannot be checked: {error}"))?;
        if sound != "ok" {
            wrong.push(format!("the database is damaged: {sound}"));
        }
        drop(db);
        let store = Store::open_read_only(data).map_err(|error| error.to_string())?;
        let jobs = store.jobs(&JobFilter::default()).map_err(|error| error.to_string())?;
        self.orders(events, &store, &jobs, wrong)?;
        self.files(&jobs, wrong);
        books(&store, &jobs, wrong)
    }

    /// What left this machine, or was told, is known.
    fn orders(&self, events: &[Event], store: &Store, jobs: &[Job], wrong: &mut Vec<String>) -> Result<(), String> {
        let mut sent: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut answered, mut done) = (BTreeSet::new(), BTreeSet::new());
        for event in events {
            let Event::Mark { step, subject } = event else { continue };
            match step.as_str() {
                "order.sending" => *sent.entry(subject).or_default() += 1,
                "answer.committed" => drop(answered.insert(subject.as_str())),
                "done.committed" => drop(done.insert(subject.as_str())),
                _ => {}
            }
        }
        for (id, times) in sent {
            let Some(job) = jobs.iter().find(|job| job.id.to_string() == id) else {
                wrong.push(format!("{id} was bought and is unknown"));
                continue;
            };
            let intents = store.intents(job.id).map_err(|error| error.to_string())?;
            if intents.len() < times {
                wrong.push(format!("{id} was ordered {times} times, {} are known", intents.len()));
            }
            if job.state.is_unsent() {
                wrong.push(format!("{id} was bought and is {}: it would be bought again", job.state));
            }
            if answered.contains(id) {
                if job.remote_id.as_ref() != self.remote.get(&job.id) {
                    wrong.push(format!("{id} was answered, and its order's id is lost"));
                }
                if job.state == JobState::Submitting {
                    wrong.push(format!("{id} was answered, and that is not known"));
                }
            }
            if done.contains(id) && job.state != JobState::Done {
                wrong.push(format!("{id} was told to be done and is {}", job.state));
            }
        }
        Ok(())
    }

    /// What says done has its files, and what has a clip's name is one.
    fn files(&self, jobs: &[Job], wrong: &mut Vec<String>) {
        let hash = |path: &Path| std::fs::read(path).map(|bytes| format!("{:x}", Sha256::digest(bytes)));
        for job in jobs.iter().filter(|job| job.state == JobState::Done) {
            if job.files.is_empty() {
                wrong.push(format!("{} is done and has no file", job.id));
            }
            for file in &job.files {
                match hash(Path::new(&file.path)) {
                    Ok(found) if found == file.sha256 && self.clips.contains(&found) => {}
                    Ok(_) => wrong.push(format!("{} is done, and {} is not what came", job.id, file.path)),
                    Err(error) => wrong.push(format!("{} is done, and {}: {error}", job.id, file.path)),
                }
            }
        }
        for path in std::fs::read_dir(&self.settings.output_dir).unwrap().flatten().map(|file| file.path()) {
            let is_clip = path.extension().is_some_and(|ending| ending == "mp4" || ending == "webm");
            if is_clip && !hash(&path).is_ok_and(|found| self.clips.contains(&found)) {
                wrong.push(format!("{} bears a clip's name and is none that came", path.display()));
            }
        }
    }
}

/// Waits until nobody has the database open: the last one to close it takes its log away, by its name, and
/// would take away the log of the next disk that is laid out here.
async fn closed(data: &Path) {
    let log = data.join("rushes.db-wal");
    let gone = async {
        while log.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONGEST, gone).await.unwrap();
}

/// Each job's reservation and cost are what the books say of it.
fn books(store: &Store, jobs: &[Job], wrong: &mut Vec<String>) -> Result<(), String> {
    let entries = store.entries(&EntryFilter::default()).map_err(|error| error.to_string())?;
    for job in jobs {
        let (mut reserved, mut paid) = (Decimal::ZERO, Decimal::ZERO);
        for entry in entries.iter().filter(|entry| entry.job == Some(job.id)) {
            match entry.kind {
                EntryKind::Reserved => reserved += entry.money.amount,
                EntryKind::Released => reserved -= entry.money.amount,
                EntryKind::Charged => paid += entry.money.amount,
                EntryKind::Refunded => paid -= entry.money.amount,
                _ => {}
            }
        }
        let of_job = |money: Option<rushes::domain::Money>| money.map_or(Decimal::ZERO, |money| money.amount);
        if of_job(job.reserved) != reserved {
            wrong.push(format!("{} has {:?} set aside, the books say {reserved}", job.id, job.reserved));
        }
        let refunded = entries.iter().any(|entry| entry.job == Some(job.id) && entry.kind == EntryKind::Refunded);
        if of_job(job.cost) != paid && !refunded {
            wrong.push(format!("{} cost {:?}, the books say {paid}", job.id, job.cost));
        }
    }
    Ok(())
}

/// The first order at NinjaChat is taken, and its answer lost.
async fn lose_an_answer(url: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fault = serde_json::json!({"service": "ninjachat", "route": "submit", "kind": "accept_then_drop"});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("{url}/_sim/faults")).body(fault.to_string()).send().await.unwrap();
    assert!(answer.status().is_success());
}
