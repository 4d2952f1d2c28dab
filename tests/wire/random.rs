//! Random orders at the simulator: what the catalogue calls legal is taken at the price that was shown; what breaks
//! one rule is refused by that rule's name before anything is sent. Some thousand here, more by
//! `cargo run --example orders -- 10000`.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use rushes::catalog::{Account, Catalog};
use rushes::domain::message::{Answer, Command, Event};
use rushes::domain::model::Send;
use rushes::domain::{AccountProfile, NewJob, Offer, Request, Service};
use rushes::engine::{AccountSettings, Engine, Leave, Settings};
use rushes::provider::{Order, SubmitAnswer, Trace};
use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};

use super::orders::{self, Counts};
use super::support::{SharedSink, account_with_key, at};

/// What a run saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Orders by service, or broken rules by name.
    pub counts: Counts,
    /// Orders whose charge was the shown price, to the cent.
    pub exact: usize,
    /// Orders of a model whose price is the dearer of what cannot be told apart: charged less.
    pub less: usize,
    /// Orders whose price nobody knew.
    pub unknown: usize,
    /// What should not be.
    pub wrong: Vec<String>,
}

/// Where the simulator serves each interface, and which one it is.
const PLACES: [(&str, Service, Option<&str>); 4] = [
    ("ninjachat", Service::Ninjachat, Some("old")),
    ("ninjachat-new", Service::Ninjachat, Some("new")),
    ("nanogpt", Service::Nanogpt, None),
    ("a4f", Service::A4f, None),
];

/// The offers of all services as the documents describe them; accounts are named as their place.
fn offers() -> Vec<Offer> {
    let account = |(name, service, generation): (&str, Service, Option<&str>)| Account {
        name: name.to_owned(),
        service,
        generation: generation.map(str::to_owned),
    };
    let accounts = PLACES.map(account);
    // What goes on from a finished clip needs one; chance has none.
    let mut offers = Catalog::built_in().unwrap().offers(&accounts);
    offers.retain(|offer| offer.model.route.is_none());
    offers
}

async fn simulator() -> Simulator {
    let options = SimOptions { port: 0, speed: 10_000.0, cheap_clips: true, ..SimOptions::default() };
    Simulator::start(options).await.unwrap()
}

/// Sends `n` random legal orders, each from an account of its own with money in it.
pub async fn order_legal(n: usize, seed: u64) -> Report {
    let (simulator, offers, mut rng) = (simulator().await, offers(), Rng::with_seed(seed));
    let mut report = Report::default();
    for i in 0..n {
        let offer = &offers[rng.usize(..offers.len())];
        let Some(request) = orders::legal(&offer.account, &offer.model, &mut rng) else {
            report.wrong.push(format!("{}: chance found no legal request", offer.model.id));
            continue;
        };
        *report.counts.entry(offer.account.clone()).or_default() += 1;
        if let Err(wrong) = order(&simulator, offer, &request, i, &mut report).await {
            let params = serde_json::to_string(&request.params).unwrap();
            report.wrong.push(format!("{} {params}: {wrong}", offer.model.id));
        }
    }
    simulator.shutdown().await;
    report
}

async fn order(
    simulator: &Simulator,
    offer: &Offer,
    request: &Request,
    n: usize,
    report: &mut Report,
) -> Result<(), String> {
    let (model, service) = (&*offer.model, offer.model.service);
    let base = format!("{}/{}", simulator.url(), offer.account);
    let key = match service {
        Service::Ninjachat => format!("nj_sk_rich{n:012}"),
        Service::Nanogpt => format!("sk-nano-rich{n:012}"),
        Service::A4f => format!("ddc-a4f-{n:032}"),
    };
    let provider = account_with_key(service, &base, &key);
    let generation = PLACES.iter().find(|place| place.0 == offer.account).and_then(|place| place.2);
    let profile = AccountProfile { generation: generation.map(str::to_owned), ..at(&base) };
    let values = request.values(model);
    let correlation = format!("00000000-0000-4000-8000-{n:012}");
    let order = Order { model, prompt: &request.prompt, values: &values, inputs: &[], correlation: &correlation };
    let paid = provider.prepare(&order, &profile).map_err(|problems| format!("not prepared: {problems:?}"))?;
    // Where the length is the source clip's own and not sent, no two sides can know the same.
    let told = model.parameter("duration").is_none_or(|p| p.send != Send::Never);
    let price = request.price(model).filter(|_| told);
    match provider.submit(paid, &Trace::default(), Box::new(SharedSink::default())).await {
        SubmitAnswer::Finished(done) if done.clips == 1 => {
            report.exact += 1;
            Ok(())
        }
        SubmitAnswer::Accepted(accepted) => match (price, accepted.cost) {
            (None, _) => {
                report.unknown += 1;
                Ok(())
            }
            (Some(shown), Some(charged)) if shown.amount == charged.amount => {
                report.exact += 1;
                Ok(())
            }
            (Some(shown), Some(charged)) if charged.amount < shown.amount && model.price.is_upper() => {
                report.less += 1;
                Ok(())
            }
            (shown, charged) => Err(format!("shown {shown:?}, charged {charged:?}")),
        },
        other => Err(format!("{other:?}")),
    }
}

/// Queues `n` random requests that each break one rule, at an engine that is online.
pub async fn queue_broken(n: usize, seed: u64) -> Report {
    let (simulator, offers, mut rng) = (simulator().await, offers(), Rng::with_seed(seed));
    let (dir, mut report) = (tempfile::tempdir().unwrap(), Report::default());
    // No service tells of its models here: the rules that are broken are those of the documents.
    let silent = r#"{"route": "models", "kind": "status", "status": 503, "times": 1000000}"#;
    let url = format!("{}/_sim/faults", simulator.url());
    assert!(client().post(url).body(silent).send().await.unwrap().status().is_success());
    let engine = Engine::start(settings(&simulator, dir.path())).await.unwrap();
    let (commands, mut events) = engine.attach();
    let mut sent = BTreeMap::new();
    while sent.len() < n {
        let offer = &offers[rng.usize(..offers.len())];
        let Some(broken) = orders::broken(&offer.account, &offer.model, &mut rng) else { continue };
        let ticket = sent.len() as u64 + 1;
        commands.send(ticket, Command::Queue { jobs: vec![NewJob::of(broken.request.clone())] });
        sent.insert(ticket, broken);
    }
    while !sent.is_empty() {
        let next = tokio::time::timeout(Duration::from_secs(60), events.next()).await.expect("an answer in a minute");
        let Event::Answered { ticket, answer } = next.expect("the engine runs") else { continue };
        let Some(broken) = sent.remove(&ticket) else { continue };
        *report.counts.entry(broken.rule.clone()).or_default() += 1;
        let named = match &answer {
            Answer::Refused { problems } => {
                problems.iter().any(|p| p.field == broken.field && p.rule == broken.rule && !p.message.is_empty())
            }
            _ => false,
        };
        if !named {
            let params = serde_json::to_string(&broken.request.params).unwrap();
            let what = format!("{} {params}", broken.request.model);
            report.wrong.push(format!("{what}: breaks {} of {}, answered {answer:?}", broken.rule, broken.field));
        }
    }
    engine.leave(Leave::Now).await;
    let url = format!("{}/_sim/orders", simulator.url());
    let orders = client().get(url).send().await.unwrap().text().await.unwrap();
    if orders.trim() != "[]" {
        report.wrong.push(format!("something was ordered: {orders}"));
    }
    simulator.shutdown().await;
    report
}

fn client() -> reqwest::Client {
    // The adapters install the same one; whoever comes first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn key_of(service: Service) -> &'static str {
    match service {
        Service::Ninjachat => NINJACHAT_KEY,
        Service::Nanogpt => NANOGPT_KEY,
        Service::A4f => A4F_KEY,
    }
}

fn settings(simulator: &Simulator, dir: &std::path::Path) -> Settings {
    let account = |(name, service, generation): (&str, Service, Option<&str>)| AccountSettings {
        name: name.to_owned(),
        service,
        base_url: format!("{}/{name}", simulator.url()),
        origin: format!("{}/{name}", simulator.url()),
        key: key_of(service).to_owned().into(),
        max_in_flight: 8,
        poll_interval: Duration::from_millis(50),
        allow_insecure: false,
        caps: rushes::engine::Caps::default(),
        shared: false,
        generation: generation.map(str::to_owned),
    };
    Settings {
        accounts: PLACES.into_iter().map(account).collect(),
        data_dir: dir.join("data"),
        output_dir: dir.join("clips"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thousand_random_legal_orders_are_taken_at_the_price_that_was_shown() {
        let report = order_legal(1_000, 1).await;
        assert!(report.wrong.is_empty(), "{} wrong:\n{}", report.wrong.len(), report.wrong.join("\n"));
        assert!(report.exact > 200 && report.counts.len() == 4, "{report:?}");
    }

    #[tokio::test]
    async fn a_thousand_random_requests_that_break_one_rule_are_refused_by_its_name_and_never_sent() {
        let report = queue_broken(1_000, 2).await;
        assert!(report.wrong.is_empty(), "{} wrong:\n{}", report.wrong.len(), report.wrong.join("\n"));
        for rule in ["one_of", "range", "type", "unknown", "blank", "max_len", "url", "input_required"] {
            assert!(report.counts.contains_key(rule), "{rule} was never broken: {:?}", report.counts);
        }
    }
}
