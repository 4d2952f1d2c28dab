//! Each adapter against the simulator, which knows nothing of us: order, watch, download.

use std::sync::Arc;
use std::time::Duration;

use rushes::domain::sink::MemorySink;
use rushes::domain::{AccountProfile, Model, Service};
use rushes::provider::{
    Accepted, Evidence, Grade, Intent, Order, Provider, RemoteJob, RemoteState, SubmitAnswer, Trace,
};
use rushes::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use serde_json::json;

use crate::wire::support::*;

async fn simulator() -> Simulator {
    simulator_at(1000.0).await
}

async fn simulator_at(speed: f64) -> Simulator {
    let options = SimOptions { port: 0, speed, cheap_clips: true, ..SimOptions::default() };
    Simulator::start(options).await.unwrap()
}

async fn account(simulator: &Simulator, service: Service) -> (Arc<dyn Provider>, AccountProfile) {
    let key = match service {
        Service::Ninjachat => NINJACHAT_KEY,
        Service::Nanogpt => NANOGPT_KEY,
        Service::A4f => A4F_KEY,
    };
    account_under(simulator, service, service.word(), key).await
}

async fn account_under(
    simulator: &Simulator,
    service: Service,
    prefix: &str,
    key: &str,
) -> (Arc<dyn Provider>, AccountProfile) {
    let base = format!("{}/{prefix}", simulator.url());
    let provider = account_with_key(service, &base, key);
    let profile = provider.probe().await.unwrap();
    assert_eq!(profile.origin, base);
    (provider, profile)
}

/// Orders, polls until it is finished and downloads; returns id and bytes of the first clip.
async fn make(
    provider: &dyn Provider,
    profile: &AccountProfile,
    model: &Model,
    values: serde_json::Value,
) -> (String, Vec<u8>) {
    let accepted = taken(provider, profile, model, values).await;
    let new = profile.generation.as_deref() == Some("new");
    assert!(accepted.cost.is_some() && accepted.balance.is_some() != new, "{accepted:?}");
    let (remote_id, generation) = (accepted.remote_id.clone(), profile.generation.clone());
    let job = RemoteJob { remote_id, model: model.id.clone(), currency: None, generation };
    loop {
        let status = provider.poll(&job, profile).await.unwrap();
        match status.state {
            RemoteState::Working => tokio::time::sleep(Duration::from_millis(20)).await,
            RemoteState::Finished { links } => {
                let mut sink = MemorySink::default();
                provider.fetch(&links[0], None, profile, &mut sink).await.unwrap();
                let (_, bytes, ended) = sink.clips.remove(0);
                assert!(ended);
                return (accepted.remote_id, bytes);
            }
            RemoteState::Failed { error, .. } => panic!("{error}"),
        }
    }
}

/// Orders as the profile says.
async fn taken(
    provider: &dyn Provider,
    profile: &AccountProfile,
    model: &Model,
    values: serde_json::Value,
) -> Accepted {
    let answer = provider.submit(built(provider, profile, model, values), &Trace::default(), sink()).await;
    let SubmitAnswer::Accepted(accepted) = answer else { panic!("{answer:?}") };
    accepted
}

fn built(
    provider: &dyn Provider,
    profile: &AccountProfile,
    model: &Model,
    values: serde_json::Value,
) -> rushes::provider::PaidRequest {
    let values = serde_json::from_value(values).unwrap();
    let order = Order { model, prompt: "a misty valley", values: &values, inputs: &[], correlation: OURS };
    provider.prepare(&order, profile).unwrap()
}

fn sink() -> Box<SharedSink> {
    Box::new(SharedSink::default())
}

fn is_mp4(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"ftyp")
}

#[tokio::test]
async fn ninjachat_from_order_to_clip() {
    let simulator = simulator().await;
    let (provider, profile) = account(&simulator, Service::Ninjachat).await;
    assert_eq!((profile.generation.as_deref(), profile.per_minute), (Some("old"), Some(60)));
    let before = provider.balance(&profile).await.unwrap();
    let model = model(
        Service::Ninjachat,
        "veo-3.1-fast",
        r#"{ name = "duration", type = "integer" }, { name = "aspect_ratio", type = "text" }"#,
    );
    let (_, bytes) = make(&*provider, &profile, &model, json!({"duration": 4, "aspect_ratio": "16:9"})).await;
    assert!(is_mp4(&bytes));
    let after = provider.balance(&profile).await.unwrap();
    assert_eq!((before[0].amount - after[0].amount).normalize().to_string(), "3");
    simulator.shutdown().await;
}

#[tokio::test]
async fn ninjachats_new_generation_from_catalogue_to_clip_and_the_same_order_twice_is_one() {
    // The service remembers a key for ten minutes of its own: six seconds here.
    let simulator = simulator_at(100.0).await;
    let (provider, profile) = account_under(&simulator, Service::Ninjachat, "ninjachat-new", NINJACHAT_KEY).await;
    assert_eq!(profile.generation.as_deref(), Some("new"));
    let models = provider.discover(&profile).await.unwrap();
    assert_eq!(models.len(), 32);
    let model = models.iter().find(|m| m.id == "kling-3-pro").unwrap();
    let values = json!({"duration": 6, "aspect_ratio": "9:16", "audio": true, "watermark": false});
    let price = model.price.of(&serde_json::from_value(values.clone()).unwrap()).unwrap();
    let before = provider.balance(&profile).await.unwrap()[0];
    let (id, bytes) = make(&*provider, &profile, model, values.clone()).await;
    assert!(is_mp4(&bytes));
    let after = provider.balance(&profile).await.unwrap()[0];
    assert_eq!(before.amount - after.amount, price.amount, "the estimate is the charge");
    let again = taken(&*provider, &profile, model, values.clone()).await;
    assert_eq!(again.remote_id, id, "the same order with the same key is not another one");
    assert_eq!(provider.balance(&profile).await.unwrap()[0], after);
    let intent = Intent { correlation: OURS.into(), model: model.id.clone(), sent_at: 0 };
    let evidence = provider.find(&intent, &profile).await.unwrap();
    assert!(evidence.grade == Grade::Proven && evidence.text.contains(&price.to_string()), "{evidence:?}");
    let stranger = Intent { correlation: "9e5ad7f1-0000-4000-8000-000000000000".into(), ..intent };
    let evidence = provider.find(&stranger, &profile).await.unwrap();
    assert!(evidence.grade == Grade::Open && evidence.text.contains("1 request for"), "{evidence:?}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn nanogpt_from_catalogue_to_clip_and_found_again() {
    let simulator = simulator().await;
    let (provider, profile) = account(&simulator, Service::Nanogpt).await;
    let models = provider.discover(&profile).await.unwrap();
    let model = models.iter().find(|m| m.id == "veo2-video").unwrap();
    let (id, bytes) = make(&*provider, &profile, model, json!({"duration": 5, "aspect_ratio": "16:9"})).await;
    assert!(is_mp4(&bytes));
    let intent = Intent { correlation: OURS.into(), model: model.id.clone(), sent_at: 0 };
    let Evidence { grade, remote_id, .. } = provider.find(&intent, &profile).await.unwrap();
    assert_eq!((grade, remote_id), (Grade::Proven, Some(id)));
    assert_eq!(provider.balance(&profile).await.unwrap().len(), 2);
    // A link that is relative, behind the key and a redirect (wire.md 1.4).
    let grok = models.iter().find(|m| m.id == "grok-imagine-video").unwrap();
    let (_, bytes) = make(&*provider, &profile, grok, json!({"duration": 4})).await;
    assert!(is_mp4(&bytes));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a4f_from_order_to_clip_in_one_answer() {
    let simulator = simulator().await;
    let (provider, profile) = account(&simulator, Service::A4f).await;
    assert!(profile.plan.is_some() && profile.per_minute.is_some(), "{profile:?}");
    let model = model(
        Service::A4f,
        "provider-2/kling-v2.1",
        r#"{ name = "duration", type = "integer" }, { name = "resolution", wire = "quality", type = "text" },
           { name = "aspect_ratio", wire = "ratio", type = "text" }"#,
    );
    let values = json!({"duration": 5, "resolution": "720p", "aspect_ratio": "16:9"});
    let request = prepare(&*provider, &profile.origin, &model, values);
    let (trace, sink) = (Trace::default(), SharedSink::default());
    let answer = provider.submit(request, &trace, Box::new(sink.clone())).await;
    let SubmitAnswer::Finished(done) = answer else { panic!("{answer:?}") };
    assert_eq!(done.clips, 1);
    assert!(done.revised_prompt.is_some() && trace.is_released());
    let clips = sink.clips();
    assert!(is_mp4(&clips[0].1) && clips[0].2);
    simulator.shutdown().await;
}
