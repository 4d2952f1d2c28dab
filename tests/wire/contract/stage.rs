//! Where a contract function plays: a simulator of its own, accounts at it, and a list of what was seen to hold.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rushes::catalog::{Account, Catalog};
use rushes::domain::{AccountProfile, Model, Service};
use rushes::provider::{
    Accepted, Order, PaidRequest, Provider, RemoteJob, RemoteState, ServiceError, Status, SubmitAnswer, Trace,
};
use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use serde_json::{Value, json};

use crate::wire::support::{OURS, SharedSink, account_with_key};

/// Nothing here takes this long; what does has found a bug.
const LONGEST: Duration = Duration::from_secs(30);

pub struct Stage {
    pub simulator: Simulator,
    client: reqwest::Client,
    seen: Mutex<BTreeSet<String>>,
}

/// An account at the simulator.
pub struct At {
    pub provider: Arc<dyn Provider>,
    pub profile: AccountProfile,
    pub models: Vec<Model>,
    orders: AtomicU32,
}

impl Stage {
    pub async fn new() -> Stage {
        Stage::at_speed(1_000.0).await
    }

    pub async fn at_speed(speed: f64) -> Stage {
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        // The adapters install the same one; whoever comes first wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Stage { simulator: Simulator::start(options).await.unwrap(), client, seen: Mutex::default() }
    }

    /// Notes that an item of the documents was seen to hold. Call it after the assertion, not before.
    pub fn saw(&self, item: &str) {
        self.seen.lock().unwrap().insert(item.to_owned());
    }

    pub fn seen(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().clone()
    }

    pub async fn ninjachat(&self) -> At {
        self.account(Service::Ninjachat, "ninjachat", NINJACHAT_KEY).await
    }

    pub async fn newer_ninjachat(&self) -> At {
        self.account(Service::Ninjachat, "ninjachat-new", NINJACHAT_KEY).await
    }

    pub async fn nanogpt(&self) -> At {
        self.account(Service::Nanogpt, "nanogpt", NANOGPT_KEY).await
    }

    pub async fn a4f(&self) -> At {
        self.account(Service::A4f, "a4f", A4F_KEY).await
    }

    /// An account under a prefix of the simulator, probed.
    pub async fn account(&self, service: Service, prefix: &str, key: &str) -> At {
        let provider = account_with_key(service, &format!("{}/{prefix}", self.simulator.url()), key);
        let profile = provider.probe().await.unwrap();
        let account = Account { name: service.word().to_owned(), service, generation: profile.generation.clone() };
        static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().unwrap());
        let offers = BUILT_IN.offers(&[account]);
        At {
            provider,
            profile,
            models: offers.iter().map(|offer| (*offer.model).clone()).collect(),
            orders: AtomicU32::new(0),
        }
    }

    /// Switches how a service behaves.
    pub async fn variant(&self, service: &str, name: &str, value: &str) {
        self.admin("variants", json!({"service": service, "name": name, "value": value})).await;
    }

    /// Orders a fault.
    pub async fn fault(&self, fault: Value) {
        self.admin("faults", fault).await;
    }

    async fn admin(&self, what: &str, body: Value) {
        let url = format!("{}/_sim/{what}", self.simulator.url());
        let answer = self.client.post(url).body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{body}: {}", answer.text().await.unwrap());
    }

    pub async fn ask(&self, what: &str) -> Value {
        let url = format!("{}/_sim/{what}", self.simulator.url());
        serde_json::from_str(&self.client.get(url).send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// The last order that the simulator booked.
    pub async fn order(&self) -> Value {
        self.ask("orders").await.as_array().unwrap().last().unwrap().clone()
    }

    /// Every request that reached the simulator, as `POST /nanogpt/api/generate-video`, queries cut off.
    pub async fn routes(&self) -> BTreeSet<String> {
        let report = self.ask("requests").await;
        let rows = report["requests"].as_array().unwrap();
        let route = |row: &Value| {
            let path = row["path"].as_str().unwrap().split('?').next().unwrap();
            format!("{} {path}", row["method"].as_str().unwrap())
        };
        rows.iter().map(route).collect()
    }
}

impl At {
    pub fn model(&self, id: &str) -> &Model {
        self.models.iter().find(|model| model.id == id).unwrap_or_else(|| panic!("no model {id}"))
    }

    /// Our own UUID for the next order: [`OURS`] for the first.
    fn next_correlation(&self) -> String {
        match self.orders.fetch_add(1, Ordering::Relaxed) {
            0 => OURS.to_owned(),
            n => format!("00000000-0000-4000-8000-{n:012}"),
        }
    }

    /// Builds an order as the engine would.
    pub fn prepare(&self, id: &str, prompt: &str, params: Value) -> PaidRequest {
        let model = self.model(id);
        let name = rushes::domain::ModelRef { account: model.service.word().to_owned(), model: id.to_owned() };
        let mut request = rushes::domain::Request::new(&name, prompt);
        request.params = serde_json::from_value(params).unwrap();
        request.validate(model).unwrap();
        let values = request.values(model);
        let correlation = self.next_correlation();
        let order = Order { model, prompt, values: &values, inputs: &[], correlation: &correlation };
        self.provider.prepare(&order, &self.profile).unwrap()
    }

    /// Sends an order of a model of the catalogue.
    pub async fn submit(&self, id: &str, prompt: &str, params: Value) -> SubmitAnswer {
        self.submit_into(id, prompt, params, &SharedSink::default()).await
    }

    pub async fn submit_into(&self, id: &str, prompt: &str, params: Value, sink: &SharedSink) -> SubmitAnswer {
        let paid = self.prepare(id, prompt, params);
        self.provider.submit(paid, &Trace::default(), Box::new(sink.clone())).await
    }

    pub async fn accepted(&self, id: &str, prompt: &str, params: Value) -> (Accepted, RemoteJob) {
        let answer = self.submit(id, prompt, params).await;
        let SubmitAnswer::Accepted(accepted) = answer else { panic!("{id}: {answer:?}") };
        let job = RemoteJob {
            remote_id: accepted.remote_id.clone(),
            model: id.to_owned(),
            currency: accepted.cost.map(|cost| cost.currency),
            generation: self.profile.generation.clone(),
        };
        (accepted, job)
    }

    pub async fn poll(&self, job: &RemoteJob) -> Result<Status, ServiceError> {
        self.provider.poll(job, &self.profile).await
    }

    /// Polls until the job is over, collecting the service's words on the way.
    pub async fn finish(&self, job: &RemoteJob) -> (Status, BTreeSet<String>) {
        let mut words = BTreeSet::new();
        let polled = async {
            loop {
                let status = self.poll(job).await.unwrap();
                words.insert(status.word.clone());
                if status.state != RemoteState::Working {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        let status = tokio::time::timeout(LONGEST, polled).await.expect("a job over in half a minute");
        (status, words)
    }

    /// The finished clips of a job, downloaded.
    pub async fn clips(&self, status: &Status) -> Vec<Vec<u8>> {
        let RemoteState::Finished { links } = &status.state else { panic!("{status:?}") };
        let mut clips = Vec::new();
        for link in links {
            let mut sink = rushes::domain::sink::MemorySink::default();
            self.provider.fetch(link, None, &self.profile, &mut sink).await.unwrap();
            let (_, bytes, ended) = sink.clips.remove(0);
            assert!(ended && bytes.get(4..8) == Some(b"ftyp"), "{link}");
            clips.push(bytes);
        }
        clips
    }
}

/// The error of an order that the service refused.
pub fn refusal(answer: SubmitAnswer) -> ServiceError {
    match answer {
        SubmitAnswer::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}
