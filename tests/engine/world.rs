//! A simulator and an engine on a directory of their own, and how tests talk to both.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rushes::domain::message::{Answer, Command, Event};
use rushes::domain::{JobId, JobRow, JobState, NewJob, Request, Service};
use rushes::engine::{AccountSettings, Commands, Engine, Events, Settings};
use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use serde_json::Value;

/// Nothing here takes this long; a test that waits for it has found a bug.
const LONGEST: Duration = Duration::from_secs(60);

pub struct World {
    pub sim: Simulator,
    pub dir: tempfile::TempDir,
}

pub struct Desk {
    pub engine: Engine,
    commands: Commands,
    events: Events,
    pub rows: BTreeMap<JobId, JobRow>,
    ticket: u64,
}

impl World {
    pub async fn new() -> World {
        World::at_speed(2000.0).await
    }

    pub async fn at_speed(speed: f64) -> World {
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        World { sim: Simulator::start(options).await.unwrap(), dir: tempfile::tempdir().unwrap() }
    }

    pub fn settings(&self) -> Settings {
        let account = |service: Service, key: &str| AccountSettings {
            name: service.word().to_owned(),
            service,
            base_url: format!("{}/{}", self.sim.url(), service.word()),
            generation: None,
            origin: format!("{}/{}", self.sim.url(), service.word()),
            key: key.to_owned().into(),
            max_in_flight: 8,
            poll_interval: Duration::from_millis(50),
            allow_insecure: false,
            caps: rushes::engine::Caps::default(),
            shared: false,
        };
        Settings {
            accounts: vec![
                account(Service::Ninjachat, NINJACHAT_KEY),
                account(Service::Nanogpt, NANOGPT_KEY),
                account(Service::A4f, A4F_KEY),
            ],
            data_dir: self.dir.path().join("data"),
            output_dir: self.dir.path().join("clips"),
            name_template: None,
            caps: rushes::engine::Caps::default(),
            model_caps: std::collections::BTreeMap::new(),
            simulated: Some("SIMULATOR".to_owned()),
            times_faster: 1,
            time_zone: jiff::tz::TimeZone::UTC,
            online: true,
            least_free: 1 << 20,
            kind: "test".to_owned(),
            models: None,
            points: rushes::engine::Points::default(),
        }
    }

    pub async fn desk(&self) -> Desk {
        Desk::new(self.settings()).await
    }

    pub async fn admin(&self, path: &str) -> Value {
        let text = reqwest_get(&format!("{}/_sim/{path}", self.sim.url())).await;
        serde_json::from_str(&text).unwrap()
    }

    pub async fn orders(&self) -> Vec<Value> {
        self.admin("orders").await.as_array().unwrap().clone()
    }

    pub async fn fault(&self, fault: Value) {
        self.post("faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        let answer = client().delete(format!("{}/_sim/faults", self.sim.url())).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn variant(&self, service: &str, name: &str, value: &str) {
        self.post("variants", serde_json::json!({"service": service, "name": name, "value": value})).await;
    }

    pub async fn post(&self, path: &str, fault: Value) {
        let url = format!("{}/_sim/{path}", self.sim.url());
        let client = client();
        let answer = client.post(url).body(fault.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

fn client() -> reqwest::Client {
    // The adapters install the same one; whoever comes first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn reqwest_get(url: &str) -> String {
    client().get(url).send().await.unwrap().text().await.unwrap()
}

impl Desk {
    pub async fn new(settings: Settings) -> Desk {
        let engine = Engine::start(settings).await.unwrap();
        let (commands, events) = engine.attach();
        let mut desk = Desk { engine, commands, events, rows: BTreeMap::new(), ticket: 0 };
        desk.until("the snapshot", |event, _| matches!(event, Event::Snapshot(_)).then_some(())).await;
        desk
    }

    /// Reads events until one brings what is wanted; keeps the rows up to date.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Event, &BTreeMap<JobId, JobRow>) -> Option<T>,
    ) -> T {
        loop {
            let next = tokio::time::timeout(LONGEST, self.events.next()).await;
            let event = next.unwrap_or_else(|_| panic!("waited too long for {what}: {:#?}", self.rows)).unwrap();
            match &event {
                Event::JobChanged(row) => {
                    self.rows.insert(row.id, (**row).clone());
                }
                Event::Snapshot(snapshot) => {
                    self.rows = snapshot.jobs.iter().map(|row| (row.id, row.clone())).collect();
                }
                _ => {}
            }
            if let Some(found) = wanted(&event, &self.rows) {
                return found;
            }
        }
    }

    /// Asks without waiting for the answer.
    pub fn send(&mut self, command: Command) -> u64 {
        self.ticket += 1;
        self.commands.send(self.ticket, command);
        self.ticket
    }

    pub async fn ask(&mut self, command: Command) -> Answer {
        let mine = self.send(command);
        self.until("an answer", |event, _| match event {
            Event::Answered { ticket, answer } if *ticket == mine => Some(answer.clone()),
            _ => None,
        })
        .await
    }

    pub async fn queue(&mut self, model: &str, prompt: &str) -> JobId {
        let request = Request::new(&model.parse().unwrap(), prompt);
        match self.ask(Command::Queue { jobs: vec![NewJob::of(request)] }).await {
            Answer::Accepted { ids, .. } => ids[0],
            other => panic!("{other:?}"),
        }
    }

    pub async fn wait_for(&mut self, id: JobId, state: JobState) -> JobRow {
        if let Some(row) = self.rows.get(&id).filter(|row| row.state == state) {
            return row.clone();
        }
        let what = format!("{id} to be {state}");
        self.until(&what, |_, rows| rows.get(&id).filter(|row| row.state == state).cloned()).await
    }
}

/// Whether a file is a clip that a decoder accepts: its frames, counted.
pub fn is_mp4(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.get(4..8) == Some(b"ftyp"))
}
