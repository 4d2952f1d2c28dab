//! What the catalogue calls legal, each service takes, for no more than was shown: every built-in
//! model with its defaults and with every single choice, against the simulator's own rule book.

use rushes::catalog::{Account, Catalog};
use rushes::domain::model::{ParameterKind, Send};
use rushes::domain::{AccountProfile, Model, ModelRef, Request, Service};
use rushes::provider::{Order, SubmitAnswer, Trace};
use rushes::sim::{SimOptions, Simulator};
use serde_json::{Value, json};

use super::support::*;

/// The request with defaults, then one for each other choice of each parameter; legal ones only.
fn legal(model: &Model) -> Vec<Request> {
    let name = ModelRef { account: model.service.word().to_owned(), model: model.id.clone() };
    let mut base = Request::new(&name, "a misty valley");
    for parameter in model.parameters.iter().filter(|p| p.default.is_none()) {
        let link = || Value::from("https://example.com/still.png");
        let value = match parameter.choices().first() {
            _ if !parameter.required => continue,
            _ if parameter.kind.is_media() => link(),
            Some(choice) => choice.clone(),
            None => match parameter.range {
                Some(range) => serde_json::from_str(&range.min.to_string()).unwrap(),
                None => json!("a-word"),
            },
        };
        base.params.insert(parameter.name.clone(), value);
    }
    let mut all = vec![base.clone()];
    for parameter in &model.parameters {
        let choices = match parameter.kind {
            kind if kind.is_media() => vec![json!("https://example.com/other.png")],
            ParameterKind::Links => vec![json!(["https://example.com/1.png", "https://example.com/2.png"])],
            _ => parameter.choices(),
        };
        for choice in choices {
            let mut request = base.clone();
            request.params.insert(parameter.name.clone(), choice);
            all.push(request);
        }
    }
    all.retain(|request| request.validate(model).is_ok());
    all
}

async fn every_legal_order_of(service: Service, discovered: bool) {
    every_legal_order_at(service.word(), service, None, discovered).await;
}

/// The same at a host of the simulator's, which speaks a generation of the service's interface.
async fn every_legal_order_at(prefix: &str, service: Service, generation: Option<&str>, discovered: bool) {
    let options = SimOptions { port: 0, speed: 10_000.0, cheap_clips: true, ..SimOptions::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let base = format!("{}/{prefix}", simulator.url());
    let generation = generation.map(str::to_owned);
    let profile = AccountProfile { generation: generation.clone(), ..at(&base) };
    let mut catalog = Catalog::built_in().unwrap();
    if discovered {
        let key = match service {
            Service::Ninjachat => rushes::sim::NINJACHAT_KEY,
            Service::Nanogpt => rushes::sim::NANOGPT_KEY,
            Service::A4f => rushes::sim::A4F_KEY,
        };
        let found = account_with_key(service, &base, key).discover(&profile).await.unwrap();
        assert!(!found.is_empty());
        catalog = catalog.with_discovered(service.word(), &found);
    }
    let offers = catalog.offers(&[Account { generation, ..Account::new(service.word(), service) }]);
    assert!(offers.len() >= 7, "{service} has {} models", offers.len());
    let mut cases = Cases::default();
    let mut n = 0;
    // What goes on from a finished run needs one; the wire's own tests extend some.
    for offer in offers.iter().filter(|offer| offer.model.route.is_none()) {
        let model = &*offer.model;
        let requests = legal(model);
        cases.check(&model.id, !requests.is_empty(), "no legal request at all");
        for request in requests {
            n += 1;
            // A key of its own, and so an account of its own with money in it.
            let key = match service {
                Service::Ninjachat => format!("nj_sk_{n:016}"),
                Service::Nanogpt => format!("00000000-0000-4000-8000-{n:012}"),
                Service::A4f => format!("ddc-a4f-{n:032}"),
            };
            let provider = account_with_key(service, &base, &key);
            let values = request.values(model);
            let order =
                Order { model, prompt: &request.prompt, values: &values, inputs: &[], correlation: &format!("{n}") };
            let name = format!("{} {}", model.id, serde_json::to_string(&request.params).unwrap());
            let paid = match provider.prepare(&order, &profile) {
                Ok(paid) => paid,
                Err(problems) => {
                    cases.check(&name, false, problems);
                    continue;
                }
            };
            let answer = provider.submit(paid, &Trace::default(), Box::new(SharedSink::default())).await;
            // Where the price hangs on the source clip's length, which is not sent, no two sides can know the same.
            let told = model.parameters.iter().all(|p| p.send != Send::Never);
            let price = request.price(model).filter(|_| told);
            match answer {
                SubmitAnswer::Accepted(accepted) => {
                    // A price may be the dearer of two that cannot be told apart beforehand; it is never too low,
                    // or the charge would pass what was set aside.
                    let (shown, charged) = (price.map(|m| m.amount), accepted.cost.map(|m| m.amount));
                    let fits = shown.is_none() || charged.is_some() && charged <= shown;
                    cases.check(&name, fits, format!("shown {price:?}, charged {:?}", accepted.cost));
                }
                SubmitAnswer::Finished(done) => cases.equal(&name, done.clips, 1),
                other => cases.check(&name, false, other),
            }
        }
    }
    simulator.shutdown().await;
    println!("{n} legal orders of {} models", offers.len());
    cases.finish();
}

#[tokio::test]
async fn ninjachat_takes_every_legal_order() {
    every_legal_order_of(Service::Ninjachat, false).await;
}

#[tokio::test]
async fn ninjachats_new_generation_takes_every_legal_order() {
    every_legal_order_at("ninjachat-new", Service::Ninjachat, Some("new"), false).await;
}

#[tokio::test]
async fn ninjachats_new_generation_takes_every_legal_order_of_its_own_catalogue() {
    every_legal_order_at("ninjachat-new", Service::Ninjachat, Some("new"), true).await;
}

#[tokio::test]
async fn a4f_takes_every_legal_order_of_its_own_list() {
    every_legal_order_of(Service::A4f, true).await;
}

#[tokio::test]
async fn nanogpt_takes_every_legal_order() {
    every_legal_order_of(Service::Nanogpt, false).await;
}

#[tokio::test]
async fn nanogpt_takes_every_legal_order_of_its_own_catalogue() {
    every_legal_order_of(Service::Nanogpt, true).await;
}

#[tokio::test]
async fn a4f_takes_every_legal_order() {
    every_legal_order_of(Service::A4f, false).await;
}
