//! A4F (seed 004; wire.md 3): one answer that is the clip, errors, plans and limits.

use rushes::domain::ErrorKind;
use rushes::domain::Service;
use rushes::provider::{Finished, SubmitAnswer};
use serde_json::json;

use super::stage::{At, Stage, refusal};
use crate::wire::support::{SharedSink, account_with_key};

const MODEL: &str = "provider-2/kling-v2.1";

async fn finished(at: &At, prompt: &str) -> (Finished, SharedSink) {
    let sink = SharedSink::default();
    let params = json!({"duration": 3, "resolution": "720p", "aspect_ratio": "1:1"});
    match at.submit_into(MODEL, prompt, params, &sink).await {
        SubmitAnswer::Finished(finished) => (finished, sink),
        other => panic!("{other:?}"),
    }
}

pub async fn orders_and_decodes(stage: &Stage) {
    let at = stage.a4f().await;
    let (finished, sink) = finished(&at, "a misty valley").await;
    let order = stage.order().await;
    for (field, value) in [
        ("model", json!(MODEL)),
        ("prompt", json!("a misty valley")),
        ("quality", json!("720p")),
        ("duration", json!(3)),
        ("ratio", json!("1:1")),
    ] {
        assert_eq!(order["params"][field], value, "{order}");
        stage.saw(&format!("field {field}"));
    }
    assert!(finished.revised_prompt.is_some() && finished.clips == 1);
    stage.saw("answer data[].revised_prompt");
    let clips = sink.clips();
    assert!(clips[0].2 && clips[0].1.get(4..8) == Some(b"ftyp"));
    stage.saw("answer data[].b64_json");
}

pub async fn takes_every_form_of_the_clip(stage: &Stage) {
    let at = stage.a4f().await;
    for (form, item) in [
        ("data_url", "answer b64_json with a data: prefix"),
        ("spaced", "answer b64_json with white space"),
        ("unpadded", "answer b64_json without padding"),
        ("both", "answer url beside b64_json"),
    ] {
        stage.variant("a4f", "answer", form).await;
        let (finished, sink) = finished(&at, form).await;
        assert_eq!(finished.clips, 1, "{form}");
        let clips = sink.clips();
        assert!(clips[0].2 && clips[0].1.get(4..8) == Some(b"ftyp"), "{form}");
        stage.saw(item);
    }
    stage.variant("a4f", "answer", "url").await;
    let (finished, sink) = finished(&at, "a link").await;
    assert!(finished.clips == 0 && sink.clips().is_empty());
    let mut sink = rushes::domain::sink::MemorySink::default();
    at.provider.fetch(&finished.links[0], None, &at.profile, &mut sink).await.unwrap();
    assert!(sink.clips[0].2 && sink.clips[0].1.get(4..8) == Some(b"ftyp"));
    stage.saw("answer data[].url");
}

pub async fn refuses_by_code(stage: &Stage) {
    let at = stage.a4f().await;
    let error = |code: &str| json!({"error": {"message": "m", "type": code, "param": null, "code": code}}).to_string();
    for (status, code, kind) in [
        (400, "invalid_request_error", ErrorKind::Invalid),
        (400, "n_exceeds_model_limit", ErrorKind::Invalid),
        (401, "invalid_api_key", ErrorKind::Authentication),
        (403, "permission_denied_error", ErrorKind::Plan),
        (429, "rate_limit_exceeded", ErrorKind::RateLimit),
    ] {
        let fault = json!({"service": "a4f", "route": "submit", "kind": "status", "status": status,
            "body": error(code), "headers": {"content-type": "application/json"}});
        stage.fault(fault).await;
        assert_eq!(refusal(at.submit(MODEL, "a river", json!({})).await).kind, kind, "{code}");
        stage.saw(&format!("error {status} {code}"));
    }
    // A plan without video: the service's own answer, not a scripted one.
    let base = format!("{}/a4f", stage.simulator.url());
    let basic = stage.account(Service::A4f, "a4f", "ddc-a4f-basic000000000000000000000000000").await;
    assert_eq!(refusal(basic.submit(MODEL, "a river", json!({})).await).kind, ErrorKind::Plan);
    stage.saw("plan gate");
    let wrong = account_with_key(Service::A4f, &base, "ddc-a4f-wrong000000000000000000000000000");
    assert_eq!(wrong.probe().await.unwrap_err().kind, ErrorKind::Authentication);
    stage.saw("a wrong key at the probe");
}

pub async fn names_what_failed_upstream(stage: &Stage) {
    let at = stage.a4f().await;
    for (prompt, in_200, code, item) in [
        ("[fail]", "status", "both", "error 500 provider_error"),
        ("[fail]", "in_200", "both", "error inside a 200"),
        ("[fail]", "in_200", "type", "error code in type"),
        ("[fail]", "in_200", "code", "error code in code"),
        ("[timeout]", "status", "both", "error 408 timeout"),
    ] {
        stage.variant("a4f", "upstream_errors", in_200).await;
        stage.variant("a4f", "error_code", code).await;
        // A whole envelope says that there is no clip; a time-out does not say whether one is still made.
        let answer = at.submit(MODEL, prompt, json!({})).await;
        match (&answer, prompt) {
            (SubmitAnswer::Refused(error), "[fail]") => assert_eq!(error.kind, ErrorKind::Generation, "{item}"),
            (SubmitAnswer::Unknown(_), "[timeout]") => {}
            _ => panic!("{item}: {answer:?}"),
        }
        stage.saw(item);
    }
}

pub async fn reads_plan_and_limits(stage: &Stage) {
    for (shape, item) in [
        ("docs", "usage as the reference names it"),
        ("settings", "usage as the settings screen names it"),
        ("limits", "usage as the limits page names it"),
    ] {
        stage.variant("a4f", "usage", shape).await;
        let at = stage.a4f().await;
        let told = (at.profile.plan.as_deref(), at.profile.per_minute, at.profile.per_day);
        // The simulator tells its minute in the caller's time.
        let limits = (Some(12_000), Some(1000));
        assert_eq!((told.1, told.2), limits, "{shape}");
        assert!(shape == "limits" || told.0 == Some("ultra"), "{shape}: {told:?}");
        stage.saw(item);
        let profile = format!("{:?}", at.profile);
        assert!(!profile.contains("ddc-a4f"), "the answer holds the whole key; nothing of it is kept: {profile}");
    }
    stage.saw("the key in the usage answer");
}

pub async fn lists_its_models(stage: &Stage) {
    let at = stage.a4f().await;
    let found = at.provider.discover(&at.profile).await.unwrap();
    assert!(found.iter().any(|model| model.id == MODEL), "{found:?}");
    stage.saw("models of type video/generation");
}
