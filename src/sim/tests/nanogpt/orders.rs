//! What is accepted, on which terms, and what is written down of it.

use super::*;
use crate::sim::nanogpt::models::{Input, models};
use crate::sim::nanogpt::order::{House, read};

/// The least body a model is content with, and the key of each of its needs.
fn least(model: &crate::sim::nanogpt::models::Model) -> (Value, Vec<&'static str>) {
    let mut body = json!({"model": model.id});
    let mut keys = Vec::new();
    for need in &model.needs {
        let (key, value) = match need {
            Input::Text => ("prompt", "a"),
            Input::Story => ("script", "a"),
            Input::Image => ("imageUrl", IMAGE),
            Input::Video => ("videoUrl", IMAGE),
            Input::Audio => ("audioUrl", IMAGE),
            Input::Voice => ("voice_id", "a"),
            Input::Swap => ("swapImage", IMAGE),
            Input::Target => ("targetVideo", IMAGE),
            Input::Last | Input::References | Input::ReferenceVideos => unreachable!("needed by none"),
        };
        body[key] = json!(value);
        keys.push(key);
    }
    (body, keys)
}

#[test]
fn each_model_takes_what_it_needs_and_nothing_less() {
    for model in models(false) {
        let (body, keys) = least(model);
        let ids = std::iter::once(&model.id).chain(&model.also);
        for id in ids {
            let mut body = body.clone();
            body["model"] = json!(id);
            let reading = read(&body, House::default()).unwrap_or_else(|refusal| panic!("{id}: {}", refusal.say));
            assert_eq!(&reading.id, id);
        }
        for key in keys {
            let mut body = body.clone();
            body[key] = Value::Null;
            let refusal = read(&body, House::default()).expect_err(&format!("{} without {key}", model.id));
            assert_eq!((refusal.status, refusal.param.as_deref().is_some()), (400, true), "{}: {key}", model.id);
        }
    }
}

#[tokio::test]
async fn accepted_answers_in_all_their_forms() {
    let bench = Bench::still().await;
    let send = || async {
        let request = bench.client.post(bench.url(SUBMIT)).header("x-api-key", NANOGPT_KEY);
        let response = request.body(nano("a").to_string()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        (status, headers, body)
    };
    let (status, _, body) = send().await;
    assert_eq!((status, &body["id"], body["cost"].to_string().as_str()), (202, &body["runId"], "3.4"));
    assert!(body["runId"].as_str().unwrap().starts_with("vid_") && body["prechargeLabel"].is_string());
    switch(&bench, "submit_id", "old").await;
    switch(&bench, "submit_status", "200").await;
    let (status, _, body) = send().await;
    let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    keys.sort();
    // Seed 002's six fields and no other.
    assert_eq!(keys, ["cost", "model", "paymentSource", "remainingBalance", "runId", "status"]);
    let old = body["runId"].as_str().unwrap();
    assert!(status == 200 && old.starts_with("fal-request-"), "{body}");
    let (status, found) = bench.call(&format!("/api/video/status?requestId={old}"), NANOGPT_KEY, None).await;
    assert_eq!((status, &found["requestId"]), (200, &json!(old)), "old ids can be polled");
    switch(&bench, "submit_id", "run_id").await;
    switch(&bench, "submit_cost", "absent").await;
    let (_, headers, body) = send().await;
    assert!(body.get("id").is_none() && body.get("cost").is_none() && !headers.contains_key("x-cost"), "{body}");
    switch(&bench, "submit_id", "data").await;
    switch(&bench, "submit_cost", "headers").await;
    let (_, headers, body) = send().await;
    assert!(body.get("cost").is_none() && body["data"]["runId"] == body["data"]["id"], "{body}");
    assert_eq!(headers["x-cost"], "3.4");
    assert_eq!(headers["x-remaining-balance"], "115.86956147", "four orders");
    bench.assert_books_balance().await;
}

#[tokio::test]
async fn whatever_is_said_is_written_down() {
    let bench = Bench::still().await;
    let body = json!({
        "model": "longstories-movie", "script": "Once upon a time", "framework": "tutorial",
        "shortRequestEnhancer": true, "targetLengthInSeconds": 90, "directorNotes": "Warm lighting",
        "aspectRatio": "16:9", "storyConfig": {"scenes": [1]}, "animation": true, "language": "en",
        "characters": [{"name": "A"}], "scriptConfig": {"style": "default"}, "imageConfig": {"model": "recraft"},
        "videoConfig": {"enabled": true}, "voiceoverConfig": {"voiceId": "x"}, "captionsConfig": {"captionsStyle": "neon"},
        "effectsConfig": {"transition": "fade"}, "musicConfig": {"enabled": false}, "voice": "p", "captionsShow": true,
        "captionsStyle": "neon", "effects": {"floating": true}, "quality": "high", "motion": {"strength": 3},
        "music": "a.mp3", "projectId": "prj_7", "nonsense": [null],
    });
    let (status, job) = bench.call(SUBMIT, NANOGPT_KEY, Some(body.clone())).await;
    assert_eq!((status, &job["projectId"], job["cost"].to_string().as_str()), (202, &json!("prj_7"), "1.8"));
    let body_2 = json!({
        "model": "bytedance/seedance-2.5", "prompt": "a", "duration": "5", "resolution": "9000p", "acceleration": true,
    });
    let (_, job) = bench.call(SUBMIT, NANOGPT_KEY, Some(body_2.clone())).await;
    assert_eq!(job["cost"].to_string(), "1.8", "9000p is made at 720p and billed: wire.md 6");
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!((&orders[0]["params"], &orders[1]["params"]), (&body, &body_2));
}

#[tokio::test]
async fn a_wrong_type_is_refused_by_name_and_costs_nothing() {
    let bench = Bench::still().await;
    for (name, value) in [
        ("duration", json!(5.5)),
        ("prompt", json!(["a"])),
        ("generateAudio", json!("true")),
        ("referenceImages", json!("[]")),
        ("reference_images", json!([IMAGE])),
        ("num_inference_steps", json!(51)),
        ("storyConfig", json!("a")),
        ("conversationUUID", json!(7)),
    ] {
        let mut body = nano("a");
        body[name] = value;
        let (status, answer) = bench.call(SUBMIT, NANOGPT_KEY, Some(body)).await;
        assert_eq!((status, &answer["error"]["param"]), (400, &json!(name)), "{answer}");
        assert_eq!(answer["error"]["code"], "invalid_parameter_value");
    }
    assert_eq!(bench.admin("/_sim/orders").await, json!([]));
}

#[tokio::test]
async fn a_stocked_library_gives_its_image_unasked_and_bills_it() {
    let bench = Bench::still().await;
    let body = json!({"model": "kling-v21-standard", "prompt": "a"});
    let (status, answer) = bench.call(SUBMIT, NANOGPT_KEY, Some(body.clone())).await;
    let say = "Kling 2.1 Standard requires an input image. Please select an image to generate a video.";
    assert_eq!((status, answer), (400, json!({"error": say, "status": 400})), "seed 002");
    switch(&bench, "library", "stocked").await;
    let (status, job) = bench.call(SUBMIT, NANOGPT_KEY, Some(body)).await;
    assert_eq!((status, job["cost"].to_string().as_str()), (202, "0.28"));
    let explicit = json!({"model": "kling-v21-standard", "imageUrl": IMAGE});
    order(&bench, explicit).await;
    order(&bench, nano("text needs none")).await;
    let orders = bench.admin("/_sim/orders").await;
    let attached: Vec<bool> =
        orders.as_array().unwrap().iter().map(|order| order["params"]["imageAttachmentId"].is_string()).collect();
    assert_eq!(attached, [true, false, false]);
}

#[tokio::test]
async fn midjourney_extends_one_of_four_and_charges_without_telling() {
    let bench = Bench::fast().await;
    let path = "/nanogpt/api/generate-video/extend";
    let (id, _) = finished(&bench, json!({"model": "midjourney-video", "imageUrl": IMAGE})).await;
    for (body, status) in [
        (json!({"runId": id}), 400),
        (json!({"runId": id, "index": 4}), 400),
        (json!({"runId": id, "index": "0"}), 400),
        (json!({"runId": id, "index": 0, "videoUrl": IMAGE}), 400),
        (json!({"runId": "vid_none", "index": 0}), 404),
        (json!({"index": 0}), 400),
    ] {
        let (got, answer) = bench.call(path, NANOGPT_KEY, Some(body.clone())).await;
        assert_eq!(got, status, "{body} {answer}");
    }
    let (status, _) = bench.call(path, "sk-nano-other", Some(json!({"runId": id, "index": 0}))).await;
    assert_eq!(status, 403);
    let (other, _) = finished(&bench, nano("a")).await;
    let (status, _) = bench.call(path, NANOGPT_KEY, Some(json!({"runId": other, "index": 0}))).await;
    assert_eq!(status, 400, "not Midjourney's");
    // `taskId` is the older name; no cost in the answer (wire.md 1.3).
    let (status, job) = bench.call(path, NANOGPT_KEY, Some(json!({"taskId": id, "index": 3}))).await;
    assert_eq!((status, &job["success"], &job["eta"]), (202, &json!(true), &json!(60)), "{job}");
    assert_eq!((&job["taskId"], job.get("cost")), (&job["runId"], None));
    assert_eq!(job["message"], "Extending video 4 by 5 seconds...");
    let path = format!("/api/video/status?runId={}", job["runId"].as_str().unwrap());
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == "COMPLETED").await;
    assert!(body["data"]["output"]["video"]["url"].is_string(), "one clip: {body}");
    let bank = bench.assert_books_balance().await;
    let charged = bank[0]["entries"].as_array().unwrap().iter().filter(|entry| decimal(&entry["amount"]) == 1.into());
    assert_eq!(charged.count(), 2, "the run and its extension: {bank}");
}

#[tokio::test]
async fn extends_have_their_own_limit() {
    let bench = Bench::frozen().await;
    let body = json!({"runId": "vid_x", "index": 0});
    for _ in 0..20 {
        let (status, _) = bench.call("/api/generate-video/extend", NANOGPT_KEY, Some(body.clone())).await;
        assert_eq!(status, 404);
    }
    let (status, _) = bench.call("/api/generate-video/extend", NANOGPT_KEY, Some(body)).await;
    assert_eq!(status, 429);
    let (status, _) = bench.call(SUBMIT, NANOGPT_KEY, Some(nano("a"))).await;
    assert_eq!(status, 202, "submits are counted apart");
}

#[tokio::test]
async fn a_key_may_have_a_daily_limit_of_requests_or_dollars() {
    let bench = Bench::still().await;
    for (key, taken, code) in
        [("sk-nano-rpd-3", 3, "daily_rpd_limit_exceeded"), ("sk-nano-usd-10", 2, "daily_usd_limit_exceeded")]
    {
        for number in 0..=taken {
            let request = bench.client.post(bench.url(SUBMIT)).bearer_auth(key);
            let response = request.body(nano("a").to_string()).send().await.unwrap();
            if number < taken {
                assert_eq!(response.status(), 202, "{key} {number}");
                continue;
            }
            assert_eq!(response.status(), 429, "{key}: 3.40 each");
            let wait: i64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
            let midnight = 86_400 - now % 86_400;
            assert!((wait - midnight).abs() <= 2 || midnight < 3, "{wait}, but midnight is in {midnight}");
            assert!(response.text().await.unwrap().contains(code));
        }
    }
}

#[tokio::test]
async fn without_a_key_there_is_a_quote_for_those_who_ask_and_no_job() {
    let bench = Bench::still().await;
    let bare = || bench.client.post(bench.url(SUBMIT)).body(nano("a").to_string());
    let response = bare().send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.text().await.unwrap().contains("missing_api_key"));
    let response = bare().header("x-x402", "true").send().await.unwrap();
    assert_eq!(response.status(), 402);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!((&body["payment"]["amountUsd"], &body["x402Version"]), (&json!("3.4"), &json!(1)));
    assert_eq!(bench.admin("/_sim/orders").await, json!([]));
}
