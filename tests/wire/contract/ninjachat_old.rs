//! NinjaChat's old generation (seeds 000, 001; wire.md 2).

use rushes::domain::ErrorKind;
use rushes::provider::RemoteState;
use serde_json::json;

use super::stage::{Stage, refusal};

pub async fn submits_and_finishes(stage: &Stage) {
    let at = stage.ninjachat().await;
    assert_eq!(at.profile.generation.as_deref(), Some("old"));
    let params = json!({"duration": 6, "aspect_ratio": "9:16", "image": "https://example.com/landscape.jpg"});
    let (accepted, job) = at.accepted("veo-3.1", "Camera slowly pulls back", params).await;
    let order = stage.order().await;
    let sent = &order["params"];
    for (field, value) in [
        ("model", json!("veo-3.1")),
        ("prompt", json!("Camera slowly pulls back")),
        ("duration", json!(6)),
        ("aspect_ratio", json!("9:16")),
        ("image_url", json!("https://example.com/landscape.jpg")),
    ] {
        assert_eq!(sent[field], value, "{order}");
        stage.saw(&format!("field {field}"));
    }
    assert_eq!(order["id"], accepted.remote_id.as_str());
    stage.saw("answer request_id");
    assert!(accepted.remote_id.contains(':'), "{}", accepted.remote_id);
    stage.saw("an id with a colon, polled");
    assert_eq!(accepted.cost.unwrap().to_string(), "$5.00");
    stage.saw("answer cost.this_request");
    assert_eq!(accepted.balance.unwrap().to_string(), "$37.00");
    stage.saw("answer balance");
    let under_way = at.poll(&job).await.unwrap();
    assert!(under_way.progress.is_some(), "{under_way:?}");
    stage.saw("answer progress");
    let (status, words) = at.finish(&job).await;
    assert!(words.contains("processing") && words.contains("completed"), "{words:?}");
    stage.saw("status processing");
    assert_eq!(at.clips(&status).await.len(), 1);
    stage.saw("status completed");
    stage.saw("answer result.video_url");
}

pub async fn reads_the_balance(stage: &Stage) {
    let at = stage.ninjachat().await;
    assert_eq!(at.provider.balance(&at.profile).await.unwrap()[0].to_string(), "$42.00");
    stage.saw("answer billing.balanceCents");
    assert_eq!(at.profile.per_minute, Some(60));
    stage.saw("answer billing.rateLimit");
}

pub async fn fails_and_says_why(stage: &Stage) {
    let at = stage.ninjachat().await;
    let (_, job) = at.accepted("google-veo-2", "a flower [fail]", json!({"duration": 5})).await;
    let (status, _) = at.finish(&job).await;
    let RemoteState::Failed { error, refunded } = status.state else { panic!("{status:?}") };
    assert_eq!(
        (error.kind, error.message.as_str(), refunded),
        (ErrorKind::Generation, "Video generation failed", true)
    );
    stage.saw("status failed");
    assert_eq!(at.provider.balance(&at.profile).await.unwrap()[0].to_string(), "$42.00", "refunded");
    stage.saw("refund of a failed job");
}

pub async fn refuses_by_code(stage: &Stage) {
    let cases = [
        (400, json!({"error": "invalid_json", "message": "m"}), ErrorKind::Invalid),
        (
            400,
            json!({"error": "validation_error", "message": "m", "details": [{"field": "duration", "message": "is 5"}]}),
            ErrorKind::Invalid,
        ),
        (401, json!({"error": "missing_api_key", "message": "m"}), ErrorKind::Authentication),
        (401, json!({"error": "invalid_api_key", "message": "m"}), ErrorKind::Authentication),
        (402, json!({"error": "insufficient_credits", "message": "m"}), ErrorKind::Balance),
        (429, json!({"error": "rate_limit_exceeded", "message": "m"}), ErrorKind::RateLimit),
    ];
    let at = stage.ninjachat().await;
    for (status, body, kind) in cases {
        let fault = json!({"service": "ninjachat", "route": "submit", "kind": "status", "status": status,
            "body": body.to_string(), "headers": {"content-type": "application/json", "retry-after": "7"}});
        stage.fault(fault).await;
        let error = refusal(at.submit("veo-3.1", "a river", json!({})).await);
        assert_eq!(error.kind, kind, "{body}: {error:?}");
        if body["error"] == "validation_error" {
            assert_eq!(error.field.as_deref(), Some("duration"));
        }
        if status == 429 {
            assert_eq!(error.retry_after.unwrap().as_secs(), 7);
            stage.saw("header Retry-After");
        }
        stage.saw(&format!("error {status} {}", body["error"].as_str().unwrap()));
    }
}
