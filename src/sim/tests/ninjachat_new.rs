//! NinjaChat's new generation (wire.md 2.1-2.4): its shapes, its refusals, its prices.

use super::*;
use crate::sim::NINJACHAT_KEY;
use crate::sim::clip::hex;
use sha2::{Digest, Sha256};

const VIDEOS: &str = "/ninjachat-new/api/v1/videos";

fn order(prompt: &str) -> Value {
    json!({"model": "seedance-lite", "prompt": prompt, "duration": 5, "aspect_ratio": "9:16"})
}

async fn names(bench: &Bench, path: &str) -> Vec<String> {
    let (status, body) = bench.call(path, NINJACHAT_KEY, None).await;
    assert_eq!(status, 200, "{body}");
    let mut names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

#[tokio::test]
async fn from_order_to_clip_in_the_new_shapes() {
    let bench = Bench::fast().await;
    let (status, job) = bench.call(VIDEOS, NINJACHAT_KEY, Some(order("a"))).await;
    assert_eq!(status, 200);
    let mut fields: Vec<&str> = job.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["cost_usd", "id", "model", "object", "request_id", "status"], "all six, nothing else");
    assert_eq!((&job["object"], &job["status"]), (&json!("video"), &json!("queued")));
    assert_eq!(job["cost_usd"].to_string(), "0.225", "a number");
    let id = job["id"].as_str().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let body = bench
        .poll(&format!("{VIDEOS}/{id}"), NINJACHAT_KEY, |body| {
            assert_eq!((&body["id"], &body["object"]), (&job["id"], &json!("video")));
            seen.insert(body["status"].as_str().unwrap().to_owned());
            assert!(body.get("progress").is_none_or(|progress| progress.as_u64().is_some_and(|share| share <= 100)));
            body["status"] == "completed"
        })
        .await;
    assert!(seen.iter().all(|word| ["queued", "processing", "completed"].contains(&word.as_str())), "{seen:?}");
    let link = body["video_url"].as_str().unwrap();
    assert!(body.get("result").is_none(), "the link is at the top");
    let clip = bench.client.get(link).send().await.unwrap().bytes().await.unwrap();
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!(orders[0]["sha256"], hex(&Sha256::digest(&clip)));
    assert_eq!((&orders[0]["id"], &orders[0]["x_request_id"]), (&job["id"], &job["request_id"]));

    let (_, failing) = bench.call(VIDEOS, NINJACHAT_KEY, Some(order("[fail]"))).await;
    let path = format!("{VIDEOS}/{}", failing["id"].as_str().unwrap());
    let body = bench.poll(&path, NINJACHAT_KEY, |body| body["status"] == "failed").await;
    assert!(body["error"].is_string() && body.get("video_url").is_none(), "{body}");
    bench.assert_books_balance().await;
    let (_, left) = bench.call("/ninjachat-new/api/v1/balance", NINJACHAT_KEY, None).await;
    assert_eq!(left["balance_cents"].to_string(), "4177.5", "the failed one is refunded: {left}");
}

#[tokio::test]
async fn what_the_schema_refuses() {
    let bench = Bench::still().await;
    let uri = "https://example.com/a.png";
    let with = |name: &str, value: Value| {
        let mut body = order("a");
        body[name] = value;
        body
    };
    for (name, value) in [
        ("seed", json!(1)),
        ("negative_prompt", json!("a")),
        ("prompt", json!("")),
        ("prompt", json!("\u{1F600}".repeat(2001))),
        ("model", json!("runway-gen4-turbo")),
        ("duration", json!("5")),
        ("duration", json!(3)),
        ("duration", json!(16)),
        ("duration", json!(5.5)),
        ("duration", Value::Null),
        ("aspect_ratio", json!("1:1")),
        ("image_url", json!("data:image/png;base64,AAAA")),
        ("end_image_url", json!("not a uri")),
        ("reference_images", json!([uri, uri, uri, uri, uri])),
        ("reference_images", json!([uri, 5])),
        ("reference_images", json!(uri)),
        ("reference_video", Value::Null),
        ("generate_audio", json!("true")),
        ("watermark", json!(0)),
    ] {
        let (status, answer) = bench.call("/ninjachat-new/api/v1/videos", "nj_sk_a", Some(with(name, value))).await;
        let error = &answer["error"];
        assert_eq!((status, error["param"].as_str()), (400, Some(name)), "{answer}");
        assert!(error["message"].is_string() && error["type"].is_string() && error["code"].is_string(), "{answer}");
    }
    let all = json!({
        "prompt": "\u{1F600}".repeat(2000), "model": "wan-2.7-r2v", "duration": 15, "aspect_ratio": "9:16",
        "image_url": uri, "end_image_url": uri, "reference_images": [uri, uri, uri, uri], "reference_video": uri,
        "reference_audio": uri, "generate_audio": true, "watermark": false,
    });
    let (status, answer) = bench.call(VIDEOS, NINJACHAT_KEY, Some(all)).await;
    assert_eq!(status, 200, "everything at its limit: {answer}");
    let (_, answer) = bench.call(VIDEOS, NINJACHAT_KEY, Some(json!({"prompt": "a"}))).await;
    assert_eq!(answer["model"], "veo-3.1-fast", "the default");
    // The trap of wire.md 2.3: the default length is none of Runway's.
    let runway = json!({"prompt": "a", "model": "runway-gen4.5"});
    let (status, answer) = bench.call(VIDEOS, NINJACHAT_KEY, Some(runway)).await;
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("duration")));
    bench.set("ninjachat", "inputs", "by_name").await;
    for (model, param) in [("wan-2.6-i2v", "image_url"), ("wan-2.7-r2v", "reference_images")] {
        let bare = json!({"prompt": "a", "model": model});
        let (status, answer) = bench.call(VIDEOS, NINJACHAT_KEY, Some(bare)).await;
        assert_eq!((status, &answer["error"]["param"]), (400, &json!(param)));
    }
}

#[tokio::test]
async fn each_refusal_in_the_nested_envelope() {
    let bench = Bench::still().await;
    let bare = bench.client.post(bench.url(VIDEOS)).body("{}").send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert!(bare.headers()["x-request-id"].to_str().unwrap().starts_with("req_"));
    for (key, body, status, code) in [
        ("nj_sk_wrong", order("a"), 401, "invalid_api_key"),
        ("nj_sk_broke", order("a"), 402, "insufficient_credits"),
        ("nj_sk_capped", order("a"), 402, "spend_limit_exceeded"),
        (NINJACHAT_KEY, order("[500]"), 500, "internal_error"),
        (NINJACHAT_KEY, order("[502]"), 502, "generation_failed"),
    ] {
        let (got, answer) = bench.call(VIDEOS, key, Some(body)).await;
        assert_eq!((got, answer["error"]["code"].as_str()), (status, Some(code)), "{answer}");
        assert!(answer["error"].get("request_id").is_none(), "only the header has it (wire.md 6)");
    }
    let (status, answer) = bench.call(&format!("{VIDEOS}/video_none"), NINJACHAT_KEY, None).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("video_not_found")));
    let (status, _) = bench.call("/ninjachat-new/api/v1/estimate", NINJACHAT_KEY, Some(order("a"))).await;
    assert_eq!(status, 400);
    let (_, job) = bench.call(VIDEOS, NINJACHAT_KEY, Some(order("a"))).await;
    let (status, _) = bench.call(&format!("{VIDEOS}/{}", job["id"].as_str().unwrap()), "nj_sk_other", None).await;
    assert_eq!(status, 404, "another's job");
}

#[tokio::test]
async fn the_lists_say_what_is_charged() {
    let bench = Bench::still().await;
    for moved in ["listed", "moved"] {
        bench.set("ninjachat", "catalogue", moved).await;
        let (_, list) = bench.call("/ninjachat-new/api/v1/models", "", None).await;
        let (_, prices) = bench.call("/ninjachat-new/api/v1/pricing", "", None).await;
        let data = list["data"].as_array().unwrap();
        assert_eq!(list["total"], data.len());
        let videos: Vec<&Value> = data.iter().filter(|model| model["modality"] == "video").collect();
        assert_eq!(videos.len(), if moved == "moved" { 33 } else { 32 });
        for (number, model) in videos.into_iter().enumerate() {
            let id = model["id"].as_str().unwrap();
            // A key each: 60 calls a minute are one key's.
            let key = format!("nj_sk_rich_{number}");
            let body = json!({"model": id, "prompt": "a", "duration": 10});
            let (status, job) = bench.call(VIDEOS, &key, Some(body)).await;
            let rows = prices["video"].as_array().unwrap();
            let row = rows.iter().find(|row| row["id"] == id);
            if model["servable"] == false {
                assert_eq!((model["status"].as_str(), status, row), (Some("retired"), 400, None));
                continue;
            }
            let rate: Decimal = model["pricing"]["perUnitUsd"].to_string().parse().unwrap();
            let cost: Decimal = job["cost_usd"].to_string().parse().unwrap();
            let units = if model["pricing"]["unit"] == "second" { 10 } else { 1 };
            assert_eq!(cost, rate * Decimal::from(units), "{id}");
            assert_eq!(row.unwrap()["perUnitUsd"], model["pricing"]["perUnitUsd"], "{id}");
            let (_, left) = bench.call("/ninjachat-new/api/v1/balance", &key, None).await;
            assert_eq!(left["object"], "balance");
        }
    }
    let orders = bench.admin("/_sim/orders").await;
    let bank = bench.assert_books_balance().await;
    let charges = bank.as_array().unwrap().iter().flat_map(|account| account["entries"].as_array().unwrap());
    let charged: Decimal = charges.map(|entry| decimal(&entry["amount"])).sum();
    let priced: Decimal = orders.as_array().unwrap().iter().map(|order| decimal(&order["price"])).sum();
    assert_eq!(charged, priced);
    let (status, one) = bench.call("/ninjachat-new/api/v1/models/veo-3.1", "", None).await;
    assert_eq!((status, &one["pricing"]["perUnitUsd"].to_string()), (200, &"5".to_owned()));
    let (status, _) = bench.call("/ninjachat-new/api/v1/models/none", "", None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_account_is_told_in_its_shapes() {
    let bench = Bench::still().await;
    let (_, job) = bench.call(VIDEOS, NINJACHAT_KEY, Some(order("a"))).await;
    let api = "/ninjachat-new/api/v1";
    let (_, balance) = bench.call(&format!("{api}/balance"), NINJACHAT_KEY, None).await;
    assert_eq!((&balance["balance"], &balance["currency"]), (&json!("$41.775"), &json!("usd")));
    let (_, usage) = bench.call(&format!("{api}/usage?period=1d"), NINJACHAT_KEY, None).await;
    assert_eq!((&usage["period"], &usage["total_requests"]), (&json!("1d"), &json!(1)));
    assert_eq!(usage["total_cost_cents"].to_string(), "22.5");
    assert_eq!(usage["by_model"][0]["model"], "seedance-lite");
    let (status, _) = bench.call(&format!("{api}/usage?period=2d"), NINJACHAT_KEY, None).await;
    assert_eq!(status, 400);
    let path = format!("{api}/requests/{}", job["request_id"].as_str().unwrap());
    let (_, trace) = bench.call(&path, NINJACHAT_KEY, None).await;
    assert_eq!((trace["cost_cents"].to_string().as_str(), trace["object"].as_str()), ("22.5", Some("request")));
    let (status, _) = bench.call(&path, "nj_sk_other", None).await;
    assert_eq!(status, 404);
    assert_eq!(names(&bench, &format!("{api}/health")).await, ["status"]);
    assert!(names(&bench, &format!("{api}/openapi")).await.contains(&"paths".to_owned()));
}

#[tokio::test]
async fn a_host_speaks_one_generation() {
    let bench = Bench::still().await;
    let old = "/ninjachat/api/v1/video";
    let (_, before) = bench.call(old, NINJACHAT_KEY, Some(ninja("a"))).await;
    let poll = format!("{old}/status?request_id={}", before["request_id"].as_str().unwrap().replace(':', "%3A"));
    let (status, answer) = bench.call("/ninjachat/api/v1/videos", NINJACHAT_KEY, Some(order("a"))).await;
    assert_eq!((status, &answer["error"]), (404, &json!("not_found")), "flat: an old host");
    for path in ["/ninjachat/api/v1/balance", "/ninjachat/api/v1/models", "/ninjachat/api/v1/none"] {
        let (status, answer) = bench.call(path, NINJACHAT_KEY, None).await;
        assert_eq!((status, &answer["error"]), (404, &json!("not_found")), "{path}");
    }
    for path in ["/ninjachat-new/api/v1/video/status?request_id=x", "/ninjachat-new/api/api-keys", "/ninjachat-new/x"] {
        let response = bench.client.get(bench.url(path)).bearer_auth(NINJACHAT_KEY).send().await.unwrap();
        assert_eq!(response.status(), 404);
        assert!(response.headers().contains_key("x-request-id"), "{path}");
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(answer["error"]["code"], "not_found", "nested: a new host");
    }
    let (_, after) = bench.call(VIDEOS, NINJACHAT_KEY, Some(order("a"))).await;
    let cross = format!("{old}/status?request_id={}", after["id"].as_str().unwrap());
    assert_eq!(bench.call(&cross, NINJACHAT_KEY, None).await.0, 404, "neither finds the other's jobs");
    // The host changes over while jobs run, and back.
    bench.set("ninjachat", "generation", "new").await;
    let (status, answer) = bench.call(&poll, NINJACHAT_KEY, None).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("not_found")));
    assert_eq!(bench.call("/api/v1/videos", NINJACHAT_KEY, Some(order("b"))).await.0, 200, "the root, too");
    bench.reset_variants().await;
    assert_eq!(bench.call(&poll, NINJACHAT_KEY, None).await.0, 200);

    let options = SimOptions { ninjachat_new: true, cheap_clips: true, ..SimOptions::default() };
    let bench = Bench::with(Simulator::start(options).await.unwrap());
    bench.reset_variants().await;
    assert_eq!(bench.call("/ninjachat/api/v1/videos", NINJACHAT_KEY, Some(order("a"))).await.0, 200);
    assert_eq!(bench.call(old, NINJACHAT_KEY, Some(ninja("a"))).await.0, 404);
}
