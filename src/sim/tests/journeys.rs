//! Each service once from submit to a clip in hand, with the shapes the documents show.

use super::*;
use crate::sim::clip::hex;
use crate::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY};
use base64::Engine;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn ninjachat_as_in_seed_000() {
    let bench = Bench::fast().await;
    let submit = "/ninjachat/api/v1/video";
    let (status, job) = bench.call(submit, NINJACHAT_KEY, Some(ninja("a flower"))).await;
    assert_eq!(status, 200);
    assert_eq!(job["cost"], json!({"this_request": "$3.00", "per_video": "$3.00"}));
    assert_eq!(job["balance"], "$39.00", "seed 001 shows what is left of $42.00");
    assert_eq!(job["model"], "google-veo-2");
    let id = job["request_id"].as_str().unwrap();
    assert!(id.starts_with("gemini:"), "{id}");
    let path = format!("/ninjachat/api/v1/video/status?request_id={}", id.replace(':', "%3A"));
    let body = bench.poll(&path, NINJACHAT_KEY, |body| {
        if body["status"] == "processing" {
            assert!(body["progress"].as_u64().unwrap() <= 95);
            return false;
        }
        assert!(body.get("progress").is_none(), "only while processing");
        true
    });
    let body = body.await;
    assert_eq!(body["status"], "completed");
    let link = body["result"]["video_url"].as_str().unwrap();
    assert!(link.starts_with(&bench.url("/ninjachat/videos/")), "{link}");
    let clip = bench.client.get(link).send().await.unwrap().bytes().await.unwrap();
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!(orders[0]["sha256"], hex(&Sha256::digest(&clip)));
    assert_eq!(orders[0]["bytes"], clip.len());
    assert_eq!(orders[0]["downloads"], 1);
    assert_eq!(orders[0]["price"], "3.00");
}

#[tokio::test]
async fn ids_may_hold_a_slash() {
    let bench = Bench::fast().await;
    let order = json!({"model": "veo-3.1", "prompt": "a", "duration": 4});
    let (_, job) = bench.call("/api/v1/video", NINJACHAT_KEY, Some(order)).await;
    let id = job["request_id"].as_str().unwrap();
    assert!(id.starts_with("gemini-veo:operations/generate-video-"), "{id}");
    let path = format!("/api/v1/video/status?request_id={}", id.replace('/', "%2F"));
    let (status, body) = bench.call(&path, NINJACHAT_KEY, None).await;
    assert_eq!((status, &body["request_id"]), (200, &job["request_id"]));
}

#[tokio::test]
async fn nanogpt_in_all_its_shapes() {
    let bench = Bench::fast().await;
    let (status, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(nano("an eagle"))).await;
    assert_eq!(status, 202);
    assert_eq!(job["runId"], job["id"]);
    assert_eq!((&job["status"], &job["paymentSource"]), (&json!("pending"), &json!("USD")));
    assert_eq!(job["cost"].to_string(), "3.4", "a number");
    assert_eq!(job["remainingBalance"].to_string(), "126.06956147", "exact");
    let id = job["runId"].as_str().unwrap();
    assert!(id.starts_with("vid_") && id.len() == 21, "{id}");

    let path = format!("/api/video/status?requestId={id}");
    let done = |body: &Value| {
        let word = body["data"]["status"].as_str().unwrap().to_owned();
        assert!(["IN_QUEUE", "IN_PROGRESS", "COMPLETED"].contains(&word.as_str()));
        word == "COMPLETED"
    };
    let body = bench.poll(&path, NANOGPT_KEY, done).await;
    assert_eq!(body["requestId"], id);
    assert_eq!(body["data"]["requestId"], id);
    assert_eq!(body["data"]["cost"].to_string(), "3.4");
    let link = body["data"]["output"]["video"]["url"].as_str().unwrap();
    let response = bench.client.get(link).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "video/mp4");

    // The legacy endpoint: all forms of the second parameter, the other inner name.
    for more in ["&modelSlug=veo2-video", "&model=veo2-video", ""] {
        let path = format!("/api/generate-video/status?runId={id}{more}");
        let (status, body) = bench.call(&path, NANOGPT_KEY, None).await;
        assert_eq!(status, 200);
        assert_eq!(body["data"]["request_id"], id);
        assert!(body.get("requestId").is_none());
    }
}

#[tokio::test]
async fn nanogpt_recover_finds_a_lost_answer_by_conversation() {
    let bench = Bench::fast().await;
    let mut order = nano("lost");
    order["conversationUUID"] = json!("b7c75a5e-1e2a-4d4f-9e5b-6c6e2e2f9a17");
    let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(order)).await;
    bench.call("/api/generate-video", NANOGPT_KEY, Some(nano("other"))).await;
    let path = "/api/generate-video/recover?conversationUUID=b7c75a5e-1e2a-4d4f-9e5b-6c6e2e2f9a17";
    let (status, rows) = bench.call(path, NANOGPT_KEY, None).await;
    assert_eq!(status, 200);
    assert_eq!(rows["data"].as_array().unwrap().len(), 1);
    assert_eq!(rows["data"][0]["runId"], job["runId"]);
    let word = rows["data"][0]["status"].as_str().unwrap();
    assert_eq!(word, word.to_lowercase());
}

#[tokio::test]
async fn a_charge_is_found_by_its_request_id() {
    let bench = Bench::still().await;
    let send = |id: &'static str| {
        let request = bench.client.post(bench.url("/nanogpt/api/generate-video"));
        let request = request.header("x-api-key", NANOGPT_KEY).header("x-request-id", id);
        request.body(nano("a").to_string()).send()
    };
    assert_eq!(send("mine").await.unwrap().headers()["x-request-id"], "mine");
    let other = bench.client.get(bench.url("/api/v1/video-models")).send().await.unwrap();
    assert!(other.headers()["x-request-id"].to_str().unwrap().starts_with("req_"));
    let (status, body) = bench.call("/api/v1/usage/requests/mine", NANOGPT_KEY, None).await;
    assert_eq!((status, &body["cost"]), (200, &json!("3.40000000")));
    let (status, _) = bench.call("/api/v1/usage/requests/none", NANOGPT_KEY, None).await;
    assert_eq!(status, 404);
    send("mine").await.unwrap();
    let (status, body) = bench.call("/api/v1/usage/requests/mine", NANOGPT_KEY, None).await;
    assert_eq!((status, &body["error"]["code"]), (409, &json!("ambiguous_request_id")));
}

#[tokio::test]
async fn a_relative_link_leads_over_a_redirect_behind_the_key() {
    let bench = Bench::fast().await;
    let order = json!({"model": "grok-imagine-video", "prompt": "a", "duration": "6"});
    let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(order)).await;
    let path = format!("/api/video/status?runId={}", job["runId"].as_str().unwrap());
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == "COMPLETED").await;
    let link = body["data"]["output"]["video"]["url"].as_str().unwrap();
    assert!(link.starts_with("/api/generate-video/content?"), "{link}");
    let bare = bench.client.get(bench.url(link)).send().await.unwrap();
    assert_eq!(bare.status(), 401, "the key is needed");
    let keyed = bench.client.get(bench.url(link)).header("x-api-key", NANOGPT_KEY);
    let keyed = keyed.send().await.unwrap();
    assert_eq!(keyed.status(), 302);
    let target = keyed.headers()["location"].to_str().unwrap();
    assert_eq!(bench.client.get(target).send().await.unwrap().status(), 200, "unsigned");
}

#[tokio::test]
async fn midjourney_gives_four_different_clips() {
    let bench = Bench::fast().await;
    let image = "https://example.com/a.jpg";
    let order = json!({"model": "midjourney-video", "prompt": "a", "imageUrl": image});
    let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(order)).await;
    let path = format!("/api/video/status?requestId={}", job["runId"].as_str().unwrap());
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == "COMPLETED").await;
    let mut seen = std::collections::HashSet::new();
    for video in body["data"]["output"]["video"].as_array().unwrap() {
        let link = video["url"].as_str().unwrap();
        seen.insert(bench.client.get(link).send().await.unwrap().bytes().await.unwrap());
    }
    assert_eq!(seen.len(), 4);
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!(orders[0]["files"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a4f_holds_the_line_and_answers_with_the_clip() {
    let bench = Bench::fast().await;
    let (status, body) = bench.call("/a4f/v1/video/generations", A4F_KEY, Some(a4f("a \"b\""))).await;
    assert_eq!(status, 200);
    assert!(body["created"].is_i64());
    let item = &body["data"][0];
    assert_eq!(item["url"], Value::Null);
    assert!(item["revised_prompt"].as_str().unwrap().starts_with("a \"b\""));
    let text = item["b64_json"].as_str().unwrap();
    let clip = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let orders = bench.admin("/_sim/orders?service=a4f").await;
    assert_eq!(orders[0]["sha256"], hex(&Sha256::digest(&clip)));
    let ends: jiff::Timestamp = orders[0]["ends"].as_str().unwrap().parse().unwrap();
    assert!(body["created"].as_i64().unwrap() >= ends.as_second(), "not before it was made");
}

#[tokio::test]
async fn catalogues_and_accounts() {
    let bench = Bench::still().await;
    let (status, body) = bench.call("/api/v1/video-models", "no key needed", None).await;
    assert_eq!(status, 200);
    let models = body["data"].as_array().unwrap();
    assert_eq!(body["meta"]["count"], models.len());
    let veo = models.iter().find(|model| model["id"] == "veo2-video").unwrap();
    assert_eq!(veo["pricing"]["base_price"].to_string(), "3.4");
    assert_eq!(veo["supported_parameters"]["parameters"]["duration"]["options"][0]["value"], "5");
    let (_, brief) = bench.call("/api/v1/video-models?detailed=false", "", None).await;
    assert!(brief["data"][0].get("pricing").is_none());

    let (_, balance) = bench.call("/api/check-balance", NANOGPT_KEY, Some(json!({}))).await;
    assert_eq!(balance["usd_balance"], "129.46956147");
    assert_eq!(balance["nano_balance"], "26.71801147");
    let (_, keys) = bench.call("/api/api-keys", NINJACHAT_KEY, None).await;
    assert_eq!(keys["billing"]["balanceCents"], 4200);
    assert_eq!(keys["billing"]["balanceFormatted"], "$42.00");
    let (_, usage) = bench.call("/v1/usage", A4F_KEY, None).await;
    assert_eq!(usage["account_information"]["api_key"], A4F_KEY, "the trap of wire.md 3.5");
    assert_eq!(usage["rate_limits_and_restrictions"]["requests_per_minute_limit"], 12);
    let (_, part) = bench.call("/v1/usage?section=usage_statistics", A4F_KEY, None).await;
    assert_eq!(part.as_object().unwrap().len(), 1);
    let (_, models) = bench.call("/v1/models?type=video/generation", A4F_KEY, None).await;
    assert_eq!(models["data"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn shutdown_cuts_a_held_call() {
    let bench = Bench::still().await;
    let url = bench.url("/v1/video/generations");
    let request = bench.client.post(&url).bearer_auth(A4F_KEY).body(a4f("held").to_string());
    let held = tokio::spawn(request.send());
    while bench.admin("/_sim/orders").await[0].is_null() {
        tokio::task::yield_now().await;
    }
    let client = bench.client.clone();
    bench.simulator.shutdown().await;
    assert!(held.await.unwrap().is_err());
    assert!(client.get(&url).send().await.unwrap_err().is_connect());
}
