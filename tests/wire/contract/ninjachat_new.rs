//! NinjaChat's newer generation (wire.md 2.1 to 2.4, 6).

use rushes::domain::{ErrorKind, Service};
use rushes::provider::{RemoteState, SubmitAnswer, Trace};
use serde_json::{Value, json};

use super::stage::{Stage, refusal};
use crate::wire::support::{OURS, SharedSink};

const MODEL: &str = "veo-3.1-fast";

pub async fn submits_and_finishes(stage: &Stage) {
    let at = stage.newer_ninjachat().await;
    assert_eq!(at.profile.generation.as_deref(), Some("new"));
    stage.saw("the generation, found by free calls");
    let link = |name: &str| json!(format!("https://example.com/{name}"));
    let params = json!({
        "duration": 6, "aspect_ratio": "9:16", "image": link("a.png"), "end_image": link("b.png"),
        "reference_images": [link("1.png"), link("2.png")], "reference_video": link("c.mp4"),
        "reference_audio": link("d.mp3"), "audio": true, "watermark": true,
    });
    let model = at.model(MODEL);
    // The catalogue's own names for the wire's keys.
    let mut named = serde_json::Map::new();
    for (name, value) in params.as_object().unwrap() {
        let by_name = model.parameters.iter().any(|p| p.name == *name);
        assert!(by_name, "{name} is no parameter: {:?}", model.parameters.iter().map(|p| &p.name).collect::<Vec<_>>());
        named.insert(name.clone(), value.clone());
    }
    let (accepted, job) = at.accepted(MODEL, "a river", Value::Object(named)).await;
    let order = stage.order().await;
    for (field, value) in [
        ("model", json!(MODEL)),
        ("prompt", json!("a river")),
        ("duration", json!(6)),
        ("aspect_ratio", json!("9:16")),
        ("image_url", link("a.png")),
        ("end_image_url", link("b.png")),
        ("reference_images", json!([link("1.png"), link("2.png")])),
        ("reference_video", link("c.mp4")),
        ("reference_audio", link("d.mp3")),
        ("generate_audio", json!(true)),
        ("watermark", json!(true)),
    ] {
        assert_eq!(order["params"][field], value, "{order}");
        stage.saw(&format!("field {field}"));
    }
    assert_eq!(order["id"], accepted.remote_id.as_str());
    stage.saw("answer id");
    assert!(accepted.cost.is_some() && accepted.request_id.is_some());
    stage.saw("answer cost_usd");
    stage.saw("header X-Request-ID");
    let (status, words) = at.finish(&job).await;
    assert!(words.contains("completed") && words.iter().any(|w| w == "queued" || w == "processing"), "{words:?}");
    assert_eq!(at.clips(&status).await.len(), 1);
    for item in ["status queued", "status processing", "status completed"] {
        stage.saw(item);
    }
    stage.saw("answer video_url at the top");
    let (_, failing) = at.accepted(MODEL, "a river [fail]", json!({})).await;
    let (status, _) = at.finish(&failing).await;
    assert!(matches!(status.state, RemoteState::Failed { refunded: true, .. }), "{status:?}");
    stage.saw("status failed");
}

/// One key, byte-equal, is one order however often it is sent; ours is the job's own UUID.
pub async fn repeats_are_one_order(stage: &Stage) {
    let at = stage.newer_ninjachat().await;
    let paid = at.prepare(MODEL, "a river", json!({}));
    assert!(paid.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("idempotency-key") && value == OURS));
    stage.saw("header Idempotency-Key");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = at.provider.submit(paid.clone(), &Trace::default(), Box::new(SharedSink::default())).await;
        let SubmitAnswer::Accepted(accepted) = answer else { panic!("{answer:?}") };
        ids.push(accepted.remote_id);
    }
    assert_eq!((ids[0] == ids[1], stage.ask("orders").await.as_array().unwrap().len()), (true, 1));
    stage.saw("a repeat with the same key");
    let busy = json!({"service": "ninjachat", "route": "submit", "kind": "status", "status": 409,
        "body": json!({"error": {"message": "m", "type": "conflict", "code": "request_in_flight"}}).to_string(),
        "headers": {"content-type": "application/json"}});
    stage.fault(busy).await;
    let answer = at.submit(MODEL, "a river", json!({})).await;
    assert!(matches!(answer, SubmitAnswer::Unknown(_)), "the first is under way: no refusal: {answer:?}");
    stage.saw("error 409 request_in_flight");
}

pub async fn reads_balance_and_lists(stage: &Stage) {
    let at = stage.newer_ninjachat().await;
    assert_eq!(at.provider.balance(&at.profile).await.unwrap()[0].to_string(), "$42.00");
    stage.saw("answer balance_cents");
    let found = at.provider.discover(&at.profile).await.unwrap();
    let known: Vec<&str> = at.models.iter().map(|m| m.id.as_str()).collect();
    let listed: Vec<&str> = found.iter().map(|m| m.id.as_str()).collect();
    assert!(known.iter().all(|id| listed.contains(id)), "{known:?} {listed:?}");
    stage.saw("list of models");
    let priced = found.iter().filter(|m| !matches!(m.price.shape, rushes::domain::price::Shape::Unknown { .. }));
    assert!(priced.count() > 10);
    stage.saw("list of prices");
}

pub async fn refuses_by_code(stage: &Stage) {
    let at = stage.newer_ninjachat().await;
    let error = |code: &str, param: Value| {
        json!({"error": {"message": "m", "type": "t", "code": code, "param": param}}).to_string()
    };
    for (status, code, kind) in [
        (400, "validation_error", ErrorKind::Invalid),
        (401, "invalid_api_key", ErrorKind::Authentication),
        (402, "insufficient_credits", ErrorKind::Balance),
        (429, "rate_limit_exceeded", ErrorKind::RateLimit),
    ] {
        let fault = json!({"service": "ninjachat", "route": "submit", "kind": "status", "status": status,
            "body": error(code, json!("duration")), "headers": {"content-type": "application/json", "retry-after": "9"}});
        stage.fault(fault).await;
        let refused = refusal(at.submit(MODEL, "a river", json!({})).await);
        assert_eq!(refused.kind, kind, "{code}");
        if status == 400 {
            assert_eq!(refused.field.as_deref(), Some("duration"));
        }
        stage.saw(&format!("error {status}"));
    }
    let capped = stage.account(Service::Ninjachat, "ninjachat-new", "nj_sk_capped0000000000000000").await;
    assert_eq!(refusal(capped.submit(MODEL, "a river", json!({})).await).kind, ErrorKind::Balance);
    stage.saw("error 402 for a project's spend limit");
    let lost = rushes::provider::RemoteJob {
        remote_id: "nothing".into(),
        model: MODEL.into(),
        currency: None,
        generation: Some("new".into()),
    };
    assert_eq!(at.poll(&lost).await.unwrap_err().kind, ErrorKind::Gone);
    stage.saw("error 404 job not found");
    let down = json!({"service": "ninjachat", "route": "submit", "kind": "status", "status": 500,
        "body": error("internal_error", Value::Null), "headers": {"content-type": "application/json"}});
    stage.fault(down).await;
    assert!(matches!(at.submit(MODEL, "a river", json!({})).await, SubmitAnswer::Unknown(_)));
    stage.saw("error 500: unknown");
}

pub async fn looks_up_a_lost_order(stage: &Stage) {
    let at = stage.newer_ninjachat().await;
    at.accepted(MODEL, "a river", json!({})).await;
    for (correlation, item) in [
        (OURS, "a request looked up by our own id"),
        ("11111111-1111-4111-8111-111111111111", "a request that is not there"),
    ] {
        let intent = rushes::provider::Intent { correlation: correlation.into(), model: MODEL.into(), sent_at: 0 };
        let evidence = at.provider.find(&intent, &at.profile).await.unwrap();
        // Only what names our own id proves anything; that nothing is there does not.
        assert_eq!(evidence.grade == rushes::provider::Grade::Proven, correlation == OURS, "{evidence:?}");
        stage.saw(item);
    }
}
