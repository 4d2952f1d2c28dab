//! NanoGPT's statuses (wire.md 1.4): words, shapes, where the clip is, and what failed.

use rushes::domain::ErrorKind;
use rushes::provider::RemoteState;
use serde_json::{Value, json};

use super::stage::Stage;

const WORKING: [&str; 13] = [
    "pending",
    "in_queue",
    "queued",
    "submitted",
    "in_progress",
    "processing",
    "running",
    "generating",
    "delivering",
    "unknown",
    "IN_QUEUE",
    "IN_PROGRESS",
    "a word nobody documented",
];
const FINISHED: [&str; 5] = ["completed", "complete", "succeeded", "success", "COMPLETED"];
const FAILED: [&str; 8] = ["failed", "failure", "error", "canceled", "cancelled", "expired", "FAILED", "CANCELLED"];

pub async fn understands_every_word(stage: &Stage) {
    let at = stage.nanogpt().await;
    let (_, job) = at.accepted("veo2-video", "an eagle [slow]", json!({"duration": 5})).await;
    let link = json!({"video": {"url": "https://cdn.example.com/x.mp4"}});
    for (words, state) in [(&WORKING[..], "working"), (&FINISHED[..], "finished"), (&FAILED[..], "failed")] {
        for word in words {
            let body = json!({"data": {"status": word, "output": link, "error": "it broke"}});
            let fault = json!({"service": "nanogpt", "route": "status", "kind": "status", "status": 200,
                "body": body.to_string(), "headers": {"content-type": "application/json"}});
            stage.fault(fault).await;
            let status = at.poll(&job).await.unwrap();
            let seen = match status.state {
                RemoteState::Working => "working",
                RemoteState::Finished { .. } => "finished",
                RemoteState::Failed { .. } => "failed",
            };
            assert_eq!((seen, status.word.as_str()), (state, *word));
            stage.saw(&format!("status {word}"));
        }
    }
}

pub async fn reads_every_shape(stage: &Stage) {
    let at = stage.nanogpt().await;
    for (shape, item) in [
        ("unified", "status nested, inner requestId"),
        ("legacy", "status nested, inner request_id"),
        ("flat", "status flat, lower case"),
        ("skills", "status flat, videoUrl alone"),
    ] {
        stage.variant("nanogpt", "status_shape", shape).await;
        let (_, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
        let (status, words) = at.finish(&job).await;
        assert_eq!(at.clips(&status).await.len(), 1, "{shape}: {words:?}");
        stage.saw(item);
    }
}

pub async fn finds_the_clip_wherever_it_is(stage: &Stage) {
    let at = stage.nanogpt().await;
    for (place, item) in [
        ("url", "answer data.output.video.url"),
        ("output_url", "answer data.output.url"),
        ("array", "answer data.output.video[]"),
        ("video_urls", "answer data.output.videoUrls[]"),
        ("videoUrl", "answer videoUrl"),
        ("video_url", "answer video_url"),
        ("string", "answer data.output as a text"),
        ("relative", "answer a relative link"),
    ] {
        stage.variant("nanogpt", "result", place).await;
        let (_, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
        let (status, _) = at.finish(&job).await;
        assert!(!at.clips(&status).await.is_empty(), "{place}");
        stage.saw(item);
    }
    let routes = stage.routes().await;
    assert!(routes.contains("GET /nanogpt/api/generate-video/content"), "{routes:?}");
    stage.saw("redirect to another host without the key");
}

pub async fn says_why_it_failed(stage: &Stage) {
    let at = stage.nanogpt().await;
    for shape in ["string", "object"] {
        stage.variant("nanogpt", "error_shape", shape).await;
        let (_, job) = at.accepted("veo2-video", "an eagle [nsfw]", json!({"duration": 5})).await;
        let (status, _) = at.finish(&job).await;
        let RemoteState::Failed { error, refunded } = status.state else { panic!("{status:?}") };
        assert!(refunded && error.kind == ErrorKind::Policy, "{error:?}");
        assert!(error.message.contains("Content flagged as inappropriate"), "word for word: {}", error.message);
        stage.saw(&format!("answer data.error as {}", if shape == "string" { "a text" } else { "an object" }));
    }
    stage.saw("answer data.isNSFWError");
    stage.saw("answer data.userFriendlyError");
    let (_, job) = at.accepted("veo2-video", "an eagle [fail]", json!({"duration": 5})).await;
    let (status, _) = at.finish(&job).await;
    assert!(matches!(status.state, RemoteState::Failed { .. }));
    stage.saw("a failed job inside a 200");
}

pub async fn knows_the_final_cost(stage: &Stage) {
    let at = stage.nanogpt().await;
    let (_, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
    assert_eq!(at.finish(&job).await.0.cost.unwrap().to_string(), "$3.40");
    stage.saw("answer data.cost");
    stage.variant("nanogpt", "final_cost", "absent").await;
    let (_, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
    assert_eq!(at.finish(&job).await.0.cost, None);
    stage.saw("a finished job without cost");
}

pub async fn asks_the_older_endpoint(stage: &Stage) {
    let at = stage.nanogpt().await;
    let (_, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
    let gone = |route: &str, times: u64| -> Value {
        json!({"service": "nanogpt", "route": route, "kind": "status", "status": 404, "times": times,
            "body": json!({"error": "not found"}).to_string(), "headers": {"content-type": "application/json"}})
    };
    stage.fault(gone("status", 1)).await;
    at.poll(&job).await.unwrap();
    let routes = stage.routes().await;
    assert!(routes.contains("GET /nanogpt/api/generate-video/status"), "{routes:?}");
    stage.saw("the legacy status as fallback");
    stage.fault(gone("status", 2)).await;
    assert_eq!(at.poll(&job).await.unwrap_err().kind, ErrorKind::Gone);
    stage.saw("error 404 of a job that nobody knows");
}
