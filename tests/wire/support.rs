//! What the wire tests have in common: accounts on loopback, an order, sinks, and cases by name.

use std::io;
use std::sync::{Arc, Mutex};

use rushes::domain::rule::Values;
use rushes::domain::sink::{ClipHead, ClipSink, MemorySink};
use rushes::domain::{AccountProfile, Model, Service};
use rushes::provider::{
    Endpoint, Input, Order, PaidRequest, Provider, RemoteState, ServiceError, Status, SubmitAnswer, Trace, connect,
};

/// The key that must never show up where it does not belong.
pub const KEY: &str = "nothing-but-a-test-key";
/// Our own UUID in every order here.
pub const OURS: &str = "5d2c1a0e-7b1f-4c83-9a52-0f6f5f3f7a11";

pub fn account(service: Service, base_url: &str) -> Arc<dyn Provider> {
    account_with_key(service, base_url, KEY)
}

pub fn account_with_key(service: Service, base_url: &str, key: &str) -> Arc<dyn Provider> {
    let endpoint =
        Endpoint { service, base_url: base_url.to_owned(), generation: None, key: key.into(), allow_insecure: false };
    connect(endpoint).unwrap()
}

/// A NinjaChat account, perhaps fixed to one of its generations.
pub fn account_fixed(base_url: &str, generation: Option<&str>) -> Arc<dyn Provider> {
    let (service, generation) = (Service::Ninjachat, generation.map(str::to_owned));
    connect(Endpoint { service, base_url: base_url.to_owned(), generation, key: KEY.into(), allow_insecure: false })
        .unwrap()
}

pub fn at(origin: &str) -> AccountProfile {
    AccountProfile { origin: origin.to_owned(), ..AccountProfile::default() }
}

/// A model of a service with the parameters a TOML array gives.
pub fn model(service: Service, id: &str, parameters: &str) -> Model {
    let toml = format!(
        "id = \"{id}\"\nservice = \"{service}\"\nsource = \"test\"\n\
         price = {{ shape = {{ unknown = {{}} }}, as_of = \"2026-08-21\", source = \"test\" }}\n\
         parameters = [{parameters}]"
    );
    toml::from_str(&toml).unwrap()
}

pub fn prepare(provider: &dyn Provider, origin: &str, model: &Model, values: serde_json::Value) -> PaidRequest {
    prepare_with(provider, origin, model, values, &[])
}

pub fn prepare_with(
    provider: &dyn Provider,
    origin: &str,
    model: &Model,
    values: serde_json::Value,
    inputs: &[Input],
) -> PaidRequest {
    let values: Values = serde_json::from_value(values).unwrap();
    let order = Order { model, prompt: "a misty valley", values: &values, inputs, correlation: OURS };
    provider.prepare(&order, &at(origin)).unwrap()
}

/// Orders the plainest clip and returns the outcome and whether the order had left.
pub async fn order(provider: &dyn Provider, origin: &str) -> (SubmitAnswer, bool) {
    let (answer, released, _) = order_into(provider, origin).await;
    (answer, released)
}

/// The same, with what the sink took.
pub async fn order_into(provider: &dyn Provider, origin: &str) -> (SubmitAnswer, bool, SharedSink) {
    let model = model(provider.service(), "m", "");
    let request = prepare(provider, origin, &model, serde_json::json!({}));
    let (trace, sink) = (Trace::default(), SharedSink::default());
    let answer = provider.submit(request, &trace, Box::new(sink.clone())).await;
    (answer, trace.is_released(), sink)
}

/// An outcome in a word or two: `accepted`, `refused balance`, `unknown unavailable`.
pub fn verdict(answer: &SubmitAnswer) -> String {
    match answer {
        SubmitAnswer::Accepted(_) => "accepted".to_owned(),
        SubmitAnswer::Finished(_) => "finished".to_owned(),
        SubmitAnswer::Refused(e) => format!("refused {}", e.kind.word()),
        SubmitAnswer::NotSent(e) => format!("not sent {}", e.kind.word()),
        SubmitAnswer::Unknown(e) => format!("unknown {}", e.kind.word()),
    }
}

/// The words of an outcome that went wrong.
pub fn message(answer: &SubmitAnswer) -> String {
    match answer {
        SubmitAnswer::Refused(e) | SubmitAnswer::NotSent(e) | SubmitAnswer::Unknown(e) => {
            format!("{} {}", e.message, e.answer.clone().unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

/// A status in a line, or the error's kind.
pub fn said(answer: Result<Status, ServiceError>) -> String {
    match answer {
        Err(e) => format!("error {}", e.kind.word()),
        Ok(status) => match status.state {
            RemoteState::Working => {
                format!("working {}", status.progress.map_or_else(|| "-".to_owned(), |p| p.to_string()))
            }
            RemoteState::Finished { links } => format!("finished {}", links.join(" ")),
            RemoteState::Failed { error, refunded } => format!("failed {} refunded {refunded}", error.message),
        },
    }
}

/// A sink that can be looked at after it was given away.
#[derive(Clone, Default)]
pub struct SharedSink {
    pub memory: Arc<Mutex<MemorySink>>,
    /// The largest single write, and how many there were.
    pub writes: Arc<Mutex<(usize, usize)>>,
    /// Keep only lengths, not bytes.
    pub forget: bool,
    /// Bytes taken in all.
    pub total: Arc<Mutex<usize>>,
    /// The disk is full once so many bytes are taken.
    pub full_after: Option<usize>,
}

impl SharedSink {
    pub fn clips(&self) -> Vec<(ClipHead, Vec<u8>, bool)> {
        self.memory.lock().unwrap().clips.clone()
    }
}

impl ClipSink for SharedSink {
    fn begin(&mut self, head: &ClipHead) -> io::Result<()> {
        self.memory.lock().unwrap().begin(head)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut writes = self.writes.lock().unwrap();
        *writes = (writes.0.max(bytes.len()), writes.1 + 1);
        let mut total = self.total.lock().unwrap();
        *total += bytes.len();
        if self.full_after.is_some_and(|max| *total > max) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.forget { Ok(()) } else { self.memory.lock().unwrap().write(bytes) }
    }

    fn end(&mut self) -> io::Result<()> {
        self.memory.lock().unwrap().end()
    }
}

/// Collects cases that went wrong, so that each reports itself by name.
#[derive(Default)]
pub struct Cases {
    wrong: Vec<String>,
    count: usize,
}

impl Cases {
    pub fn check(&mut self, name: &str, right: bool, seen: impl std::fmt::Debug) {
        self.count += 1;
        if !right {
            self.wrong.push(format!("{name}: {seen:?}"));
        }
    }

    pub fn equal<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, seen: T, expected: T) {
        let right = seen == expected;
        self.check(name, right, format!("saw {seen:?}, expected {expected:?}"));
    }

    pub fn finish(self) {
        assert!(self.wrong.is_empty(), "{} of {} cases:\n{}", self.wrong.len(), self.count, self.wrong.join("\n"));
    }
}
