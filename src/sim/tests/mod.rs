//! Tests over real sockets: a started simulator and a plain HTTP client that knows nothing of
//! either side's code.

mod a4f;
mod books;
mod errors;
mod faults;
mod files;
mod habits;
mod idempotency;
mod journeys;
mod memory;
mod nanogpt;
mod ninjachat_new;
mod strange;
mod variants;

use crate::sim::{SimOptions, Simulator};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::time::Duration;

/// A simulator whose jobs take well under a second, and a client that follows no redirect.
pub(super) struct Bench {
    pub simulator: Simulator,
    pub client: reqwest::Client,
}

/// Status and JSON body of an answer (null when it is none).
pub(super) type Answer = (u16, Value);

impl Bench {
    /// At 1000 times real time: a minute passes in 60 ms.
    pub async fn fast() -> Self {
        Self::at(1000.0).await
    }

    /// At a thousandth of real time: no rate window slides while a test runs.
    pub async fn frozen() -> Self {
        Self::at(0.001).await
    }

    /// At real time: no job finishes while a test runs.
    pub async fn still() -> Self {
        Self::at(1.0).await
    }

    pub async fn at(speed: f64) -> Self {
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        Self::with(Simulator::start(options).await.unwrap())
    }

    /// One that goes on from a file.
    pub async fn remembering(path: &std::path::Path, speed: f64) -> std::io::Result<Self> {
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        Simulator::start_with_memory(options, path).await.map(Self::with)
    }

    fn with(simulator: Simulator) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { simulator, client }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    /// A call with a Bearer key; a body makes it a POST.
    pub async fn call(&self, path: &str, key: &str, body: Option<Value>) -> Answer {
        let request = match body {
            Some(body) => self.client.post(self.url(path)).body(body.to_string()),
            None => self.client.get(self.url(path)),
        };
        let response = request.bearer_auth(key).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    pub async fn admin(&self, path: &str) -> Value {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    pub async fn fault(&self, fault: Value) {
        let request = self.client.post(self.url("/_sim/faults")).body(fault.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    pub async fn set(&self, service: &str, name: &str, value: &str) {
        let switch = json!({"service": service, "name": name, "value": value});
        let request = self.client.post(self.url("/_sim/variants")).body(switch.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200, "{switch}");
    }

    pub async fn reset_variants(&self) {
        let request = self.client.delete(self.url("/_sim/variants"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// Asks until `done` says so. Polling is what clients do here: there is no event to await.
    pub async fn poll(&self, path: &str, key: &str, mut done: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let (status, body) = self.call(path, key, None).await;
            assert_eq!(status, 200, "{body}");
            if done(&body) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// opening + deposits + refunds - charges = balance, on every account.
    pub async fn assert_books_balance(&self) -> Value {
        let bank = self.admin("/_sim/bank").await;
        for account in bank.as_array().unwrap() {
            let mut sum = decimal(&account["opening"]);
            for entry in account["entries"].as_array().unwrap() {
                let amount = decimal(&entry["amount"]);
                match entry["kind"].as_str().unwrap() {
                    "charge" => sum -= amount,
                    _ => sum += amount,
                }
            }
            assert_eq!(sum, decimal(&account["balance"]), "{account}");
        }
        bank
    }
}

pub(super) fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

pub(super) fn ninja(prompt: &str) -> Value {
    json!({"model": "google-veo-2", "prompt": prompt, "duration": 5, "aspect_ratio": "16:9"})
}

pub(super) fn nano(prompt: &str) -> Value {
    json!({"model": "veo2-video", "prompt": prompt, "duration": "5s", "aspect_ratio": "16:9"})
}

pub(super) fn a4f(prompt: &str) -> Value {
    json!({"model": "provider-2/kling-v2.1", "prompt": prompt, "quality": "720p", "duration": 5})
}
