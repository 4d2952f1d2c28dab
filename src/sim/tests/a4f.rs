//! A4F in all the ways its revisions and clients know it (wire.md 3).

use super::*;
use crate::sim::A4F_KEY;
use crate::sim::clip::hex;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

const SUBMIT: &str = "/a4f/v1/video/generations";

async fn sha256(bench: &Bench) -> String {
    let orders = bench.admin("/_sim/orders?service=a4f").await;
    orders.as_array().unwrap().last().unwrap()["sha256"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_clip_in_every_writing() {
    let bench = Bench::fast().await;
    for word in ["b64", "data_url", "spaced", "unpadded", "url", "both"] {
        bench.set("a4f", "answer", word).await;
        let mut padded = false;
        // Only some lengths end in padding, so several clips.
        for number in 0..4 {
            let key = format!("ddc-a4f-{word}-{number}");
            let (status, body) = bench.call(SUBMIT, &key, Some(a4f(&"a".repeat(number + 1)))).await;
            assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(1)), "{word}: {body}");
            let item = &body["data"][0];
            assert_eq!(item["url"].is_string(), ["url", "both"].contains(&word), "{word}");
            assert_eq!(item["b64_json"].is_null(), word == "url", "{word}");
            if let Some(link) = item["url"].as_str() {
                assert!(link.starts_with(&bench.url("/a4f/v1/videos/serve/")), "{link}");
                let clip = bench.client.get(link).send().await.unwrap().bytes().await.unwrap();
                assert_eq!(hex(&Sha256::digest(&clip)), sha256(&bench).await, "{word}");
            }
            if let Some(text) = item["b64_json"].as_str() {
                let data = text.strip_prefix("data:video/mp4;base64,");
                assert_eq!(data.is_some(), word == "data_url", "{word}");
                let data = data.unwrap_or(text);
                assert_eq!(data.contains("\r\n "), word == "spaced", "{word}");
                padded |= data.contains('=');
                let bare: String = data.split_whitespace().collect();
                let clip = match word {
                    "unpadded" => STANDARD_NO_PAD.decode(bare),
                    _ => STANDARD.decode(bare),
                };
                assert_eq!(hex(&Sha256::digest(clip.unwrap())), sha256(&bench).await, "{word}");
            }
        }
        assert_eq!(padded, !["unpadded", "url"].contains(&word), "{word}");
    }
}

#[tokio::test]
async fn the_code_stands_where_it_is_said_to() {
    let bench = Bench::fast().await;
    for (word, kind, code) in [("both", true, true), ("code", false, true), ("type", true, false)] {
        bench.set("a4f", "error_code", word).await;
        for (prompt, status) in [("[200]", 200), ("[500]", 500), ("", 400)] {
            let (got, body) = bench.call(SUBMIT, A4F_KEY, Some(a4f(prompt))).await;
            let error = &body["error"];
            assert_eq!((got, error["type"].is_string(), error["code"].is_string()), (status, kind, code), "{body}");
            assert!(error["message"].is_string() && error.get("param").is_some(), "{body}");
        }
    }
}

#[tokio::test]
async fn what_fails_after_the_wait_may_come_inside_a_200() {
    let bench = Bench::fast().await;
    bench.set("a4f", "upstream_errors", "in_200").await;
    for (prompt, code) in [("[fail]", "provider_error"), ("[timeout]", "timeout"), ("[policy]", "provider_error")] {
        let (status, body) = bench.call(SUBMIT, A4F_KEY, Some(a4f(prompt))).await;
        assert_eq!((status, body["error"]["code"].as_str()), (200, Some(code)), "{body}");
        assert!(body.get("data").is_none());
    }
    let (status, _) = bench.call(SUBMIT, A4F_KEY, Some(a4f(""))).await;
    assert_eq!(status, 400, "what was never forwarded keeps its status");
}

#[tokio::test]
async fn usage_by_all_its_names() {
    let bench = Bench::still().await;
    let usage = async || bench.call("/a4f/v1/usage", A4F_KEY, None).await.1;
    let body = usage().await;
    assert_eq!(body["account_information"]["current_plan"], "ultra");
    assert_eq!(body["account_information"]["api_key"], A4F_KEY, "the trap of wire.md 3.5");
    assert!(body["subscription_details"]["remaining_days"].is_u64());
    assert_eq!(body["rate_limits_and_restrictions"]["requests_per_day_limit"], 1000);
    bench.set("a4f", "usage", "settings").await;
    let body = usage().await;
    let account = body["account_information"].as_object().unwrap();
    assert!(account["plan"] == "ultra" && !account.contains_key("current_plan"), "{body}");
    assert!(body["subscription_details"]["plan_activation_history"].is_array());
    assert!(body["billing_information"]["total_amount_paid_usd"].is_u64());
    bench.set("a4f", "usage", "limits").await;
    let body = usage().await;
    assert_eq!(body["rate_limits"], json!({"rpm": 12, "rpd": 1000}));
    assert!(body.get("rate_limits_and_restrictions").is_none());
}

#[tokio::test]
async fn the_list_by_plan_type_and_bare_keys() {
    let bench = Bench::still().await;
    let list = async |query: &str, method: reqwest::Method| {
        let request = bench.client.request(method, bench.url(&format!("/a4f/v1/models{query}")));
        let body: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        body["data"].as_array().unwrap().clone()
    };
    let get = reqwest::Method::GET;
    assert_eq!(list("", get.clone()).await.len(), 9, "those that are no video models, too");
    assert_eq!(list("?type=video/generation", get.clone()).await.len(), 7);
    assert_eq!(list("?type=video/generation&plan=pro", reqwest::Method::POST).await.len(), 7);
    assert_eq!(list("?type=video/generation&plan=basic", get.clone()).await.len(), 0);
    assert!(list("?plan=basic", get.clone()).await[0].get("features").is_none());
    let wide = list("?type=video/generation&features&context_window", get.clone()).await;
    assert_eq!((&wide[0]["features"][0], &wide[0]["context_window"]), (&json!("text-to-video"), &Value::Null));
    bench.set("a4f", "models", "older").await;
    assert_eq!(list("?type=video/generation&plan=free", get).await[0]["id"], "provider-6/wan-2.1");
}

#[tokio::test]
async fn the_first_revision_has_both_and_begins_when_it_began() {
    let bench = Bench::fast().await;
    let order = json!({"model": "provider-6/wan-2.1", "prompt": "a", "quality": "480p", "duration": 4});
    let (status, _) = bench.call(SUBMIT, "ddc-a4f-free", Some(order.clone())).await;
    assert_eq!(status, 400, "seed 004 does not have it");
    bench.set("a4f", "models", "older").await;
    let (status, body) = bench.call(SUBMIT, "ddc-a4f-free", Some(order)).await;
    assert_eq!(status, 200, "on every plan");
    assert!(body["data"][0]["b64_json"].is_string() && body["data"][0]["url"].is_string());
    let orders = bench.admin("/_sim/orders").await;
    let created: jiff::Timestamp = orders[0]["created"].as_str().unwrap().parse().unwrap();
    assert_eq!(body["created"], created.as_second());
}

#[tokio::test]
async fn a_429_may_say_when_and_a_day_has_a_quota() {
    let bench = Bench::still().await;
    let deposit = json!({"service": "a4f", "amount": "-1000"});
    let request = bench.client.post(bench.url("/_sim/deposit")).body(deposit.to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
    for word in ["none", "seconds", "date"] {
        bench.set("a4f", "retry_after", word).await;
        let request = bench.client.post(bench.url(SUBMIT)).bearer_auth(A4F_KEY);
        let refused = request.body(a4f("a").to_string()).send().await.unwrap();
        assert_eq!(refused.status(), 429);
        let wait = refused.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        match word {
            "none" => assert_eq!(wait, None),
            "seconds" => assert!((1..=86_400).contains(&wait.unwrap().parse::<u64>().unwrap())),
            _ => assert!(wait.unwrap().ends_with(" GMT")),
        }
    }
}

#[tokio::test]
async fn a_long_wait_is_held_to_its_end() {
    // Two hours in less than a second.
    let bench = Bench::at(10_000.0).await;
    let (status, body) = bench.call(SUBMIT, A4F_KEY, Some(a4f("[long]"))).await;
    assert_eq!(status, 200, "{body}");
    let orders = bench.admin("/_sim/orders").await;
    let moment = |name: &str| orders[0][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(moment("ends").duration_since(moment("created")).as_secs() > 6_000);
}
