//! Every documented error: its status and its envelope.

use super::*;
use crate::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY};

/// The code an envelope of any of the services carries.
fn code(body: &Value) -> String {
    let flat = body["error"].as_str();
    let nested = ["code", "type"].iter().find_map(|name| body["error"][*name].as_str());
    flat.or(nested).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn ninjachat_errors() {
    let bench = Bench::still().await;
    let good = NINJACHAT_KEY;
    let submit = "/ninjachat/api/v1/video";
    let bare = bench.client.post(bench.url(submit)).body("{}").send().await.unwrap();
    assert_eq!(bare.status(), 401);
    let bare: Value = serde_json::from_str(&bare.text().await.unwrap()).unwrap();
    assert_eq!(bare["error"], "missing_api_key");
    let broken = bench.client.post(bench.url(submit)).bearer_auth(good).body("{").send();
    let broken = broken.await.unwrap();
    assert_eq!(broken.status(), 400);
    assert!(broken.text().await.unwrap().contains("invalid_json"));
    for (key, body, status, wanted) in [
        ("sk-nano-x", ninja("a"), 401, "invalid_api_key"),
        ("nj_sk_wrong", ninja("a"), 401, "invalid_api_key"),
        (good, json!({"prompt": " "}), 400, "validation_error"),
        ("nj_sk_broke", ninja("a"), 402, "insufficient_credits"),
        (good, ninja("[502]"), 502, "generation_failed"),
        (good, ninja("[500]"), 500, "internal_error"),
    ] {
        let (got, answer) = bench.call(submit, key, Some(body)).await;
        assert_eq!((got, code(&answer).as_str()), (status, wanted), "{answer}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    let (_, answer) = bench.call(submit, good, Some(json!({"prompt": ""}))).await;
    assert_eq!(answer["details"][0]["field"], "prompt");
    let (status, _) = bench.call("/api/v1/video/status?request_id=a:b", good, None).await;
    assert_eq!(status, 404);
    let (status, answer) = bench.call("/api/v1/video/status", good, None).await;
    assert_eq!((status, code(&answer).as_str()), (400, "validation_error"));
    // The new generation is not here.
    let (status, answer) = bench.call("/ninjachat/api/v1/videos", good, Some(ninja("a"))).await;
    assert_eq!((status, code(&answer).as_str()), (404, "not_found"));
}

#[tokio::test]
async fn ninjachat_limits_calls_but_not_polls() {
    let bench = Bench::frozen().await;
    for _ in 0..60 {
        let (status, _) = bench.call("/api/api-keys", NINJACHAT_KEY, None).await;
        assert_eq!(status, 200);
    }
    let request = bench.client.post(bench.url("/api/v1/video")).bearer_auth(NINJACHAT_KEY);
    let refused = request.body(ninja("a").to_string()).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 60, "real seconds: this simulator's clock is slow");
    assert!(refused.text().await.unwrap().contains("rate_limit_exceeded"));
    for _ in 0..70 {
        let (status, _) = bench.call("/api/v1/video/status?request_id=x", NINJACHAT_KEY, None).await;
        assert_eq!(status, 404, "polling is free");
    }
}

#[tokio::test]
async fn nanogpt_errors() {
    let bench = Bench::still().await;
    let good = NANOGPT_KEY;
    let submit = "/nanogpt/api/generate-video";
    let call = |key: &'static str, body: Value| bench.call(submit, key, Some(body));
    // Word for word (seed 002).
    let (status, body) = call("nonsense", nano("a")).await;
    assert_eq!((status, body), (401, json!({"error": "Invalid session", "status": 401})));
    let (status, body) = call("sk-nano-broke", nano("a")).await;
    let wanted = json!({"error": "Insufficient balance", "requiredBalance": 3.4, "status": 402});
    assert_eq!((status, body), (402, wanted));
    let (status, body) = call(good, nano("[policy]")).await;
    let wanted = json!({
        "error": {
            "message": "Your prompt was blocked due to safety concerns. Please modify your prompt.",
            "type": "CONTENT_POLICY_VIOLATION",
        },
        "status": 400,
    });
    assert_eq!((status, body), (400, wanted));
    let (status, body) = call(good, json!({"model": "kling-v21-standard", "prompt": "a"})).await;
    let say = "Kling 2.1 Standard requires an input image. Please select an image to generate a video.";
    assert_eq!((status, body), (400, json!({"error": say, "status": 400})));

    let long = "a".repeat(3001);
    for (key, body, status) in [
        (good, json!({"prompt": "a"}), 400),
        (good, json!({"model": "veo2-video"}), 400),
        (good, json!({"model": "nothing", "prompt": "a"}), 404),
        (good, json!({"model": "lightricks-ltx-2-fast", "prompt": long}), 400),
        (good, json!({"model": "minimax-hailuo-02", "prompt": long}), 400),
        (good, json!({"model": "hunyuan-video", "prompt": "a", "imageUrl": "https://a/b"}), 400),
        (good, json!({"model": "veo2-video", "prompt": "a", "imageUrl": "http://a/b"}), 400),
        (good, json!({"model": "veo2-video", "prompt": "a", "imageDataUrl": "/9j/4AAQ"}), 400),
        (good, json!({"model": "minimax-h3", "prompt": "a", "reference_images": "[\"data:x\"]"}), 400),
        ("sk-nano-forbidden", nano("a"), 403),
        ("sk-nano-daily", nano("a"), 429),
        (good, nano("[500]"), 500),
        (good, nano("[502]"), 503),
    ] {
        let (got, answer) = call(key, body.clone()).await;
        assert_eq!(got, status, "{body} {answer}");
        assert!(!answer["error"].is_null(), "{answer}");
    }
    let (status, _) = bench.call("/api/video/status?requestId=vid_none", good, None).await;
    assert_eq!(status, 404);
    let (status, _) = bench.call("/api/video/status", good, None).await;
    assert_eq!(status, 400);
    let (_, job) = bench.call(submit, good, Some(nano("a"))).await;
    let path = format!("/api/video/status?requestId={}", job["runId"].as_str().unwrap());
    let (status, _) = bench.call(&path, "sk-nano-other", None).await;
    assert_eq!(status, 403, "not the owner");
}

#[tokio::test]
async fn nanogpt_edge_refuses_large_bodies_without_json() {
    let bench = Bench::still().await;
    let data = format!("data:image/png;base64,{}", "A".repeat(4_600_000));
    let body = json!({"model": "veo2-video", "prompt": "a", "imageDataUrl": data});
    let request = bench.client.post(bench.url("/api/generate-video")).bearer_auth(NANOGPT_KEY);
    let response = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert!(response.text().await.unwrap().contains("FUNCTION_PAYLOAD_TOO_LARGE"));
    assert_eq!(bench.admin("/_sim/orders").await, json!([]));
}

#[tokio::test]
async fn nanogpt_takes_fifty_submits_a_minute() {
    let bench = Bench::frozen().await;
    let submit = "/api/generate-video";
    for number in 0..50 {
        // The limit is the address's, so other keys do not help; 25 a second is a key's own.
        let key = format!("sk-nano-rich-{}", number % 5);
        let (status, _) = bench.call(submit, &key, Some(nano("a"))).await;
        assert_eq!(status, 202);
    }
    let (status, body) = bench.call(submit, "sk-nano-rich-5", Some(nano("a"))).await;
    let say = "Rate limit exceeded. Please wait before generating another video.";
    assert_eq!((status, body), (429, json!({"error": say, "status": 429})), "seed 002");
    let (status, _) = bench.call("/api/video/status?runId=vid_x", NANOGPT_KEY, None).await;
    assert_eq!(status, 404, "polling has no limit");
}

#[tokio::test]
async fn nanogpt_takes_25_calls_a_second() {
    let bench = Bench::frozen().await;
    let path = "/api/check-balance";
    for _ in 0..25 {
        let (status, _) = bench.call(path, NANOGPT_KEY, Some(json!({}))).await;
        assert_eq!(status, 200);
    }
    let (status, _) = bench.call(path, NANOGPT_KEY, Some(json!({}))).await;
    assert_eq!(status, 429);
}

#[tokio::test]
async fn nanogpt_failures_and_rarer_shapes() {
    let bench = Bench::fast().await;
    let mut paths = Vec::new();
    for prompt in ["[nsfw]", "[fail]", "[flat]", "[nocost]"] {
        let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(nano(prompt))).await;
        paths.push(format!("/api/video/status?requestId={}", job["runId"].as_str().unwrap()));
    }
    let failed = |body: &Value| body["data"]["status"] == "FAILED";
    let body = bench.poll(&paths[0], NANOGPT_KEY, failed).await;
    assert_eq!(body["data"]["error"], "Content policy violation");
    assert_eq!(body["data"]["isNSFWError"], true);
    let body = bench.poll(&paths[1], NANOGPT_KEY, failed).await;
    assert!(body["data"]["error"].is_string());
    let body = bench.poll(&paths[2], NANOGPT_KEY, |body| body["status"] == "completed").await;
    assert!(body["videoUrl"].is_string() && body.get("data").is_none());
    let done = |body: &Value| body["data"]["status"] == "COMPLETED";
    let body = bench.poll(&paths[3], NANOGPT_KEY, done).await;
    assert!(body["data"].get("cost").is_none());
}

#[tokio::test]
async fn a4f_errors() {
    let bench = Bench::fast().await;
    let submit = "/a4f/v1/video/generations";
    let with = |name: &str, value: Value| {
        let mut body = a4f("a");
        body[name] = value;
        body
    };
    for (key, body, status, wanted) in [
        (A4F_KEY, with("duration", json!("5")), 400, "invalid_request_error"),
        (A4F_KEY, with("quality", Value::Null), 400, "invalid_request_error"),
        (A4F_KEY, with("duration", json!(6)), 400, "n_exceeds_model_limit"),
        (A4F_KEY, with("quality", json!("480p")), 400, "n_exceeds_model_limit"),
        ("nj_sk_x", a4f("a"), 401, "invalid_api_key"),
        ("ddc-a4f-free", a4f("a"), 403, "permission_denied_error"),
        ("ddc-a4f-basic", a4f("a"), 403, "permission_denied_error"),
        ("ddc-a4f-daily", a4f("a"), 429, "rate_limit_exceeded"),
        (A4F_KEY, a4f("[fail]"), 500, "provider_error"),
        (A4F_KEY, a4f("[timeout]"), 408, "timeout"),
        (A4F_KEY, a4f("[policy]"), 400, "provider_error"),
        (A4F_KEY, a4f("[200]"), 200, "provider_error"),
    ] {
        let (got, answer) = bench.call(submit, key, Some(body)).await;
        assert_eq!((got, code(&answer).as_str()), (status, wanted), "{answer}");
        assert!(answer["error"]["message"].is_string());
        assert!(answer["error"].as_object().unwrap().contains_key("param"));
    }
    let (status, _) = bench.call("/a4f/v1/videos/generations", A4F_KEY, Some(a4f("a"))).await;
    assert_eq!(status, 404, "singular (wire.md 3.1)");
}

#[tokio::test]
async fn a4f_takes_twelve_calls_a_minute() {
    let bench = Bench::frozen().await;
    // Refused ones count, too: the limit is on calls.
    for _ in 0..12 {
        let (status, _) = bench.call("/v1/video/generations", A4F_KEY, Some(json!({}))).await;
        assert_eq!(status, 400);
    }
    let (status, body) = bench.call("/v1/video/generations", A4F_KEY, Some(a4f("a"))).await;
    assert_eq!((status, code(&body).as_str()), (429, "rate_limit_exceeded"));
}
