//! `Idempotency-Key` at NinjaChat's new generation: one key, one order, one charge.

use super::*;
use crate::sim::NINJACHAT_KEY;

const VIDEOS: &str = "/ninjachat-new/api/v1/videos";

async fn send(bench: &Bench, intent: &str, prompt: &str) -> Answer {
    let body = json!({"model": "veo-3.1", "prompt": prompt, "duration": 4}).to_string();
    let request = bench.client.post(bench.url(VIDEOS)).bearer_auth(NINJACHAT_KEY);
    let response = request.header("idempotency-key", intent).body(body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn orders(bench: &Bench) -> usize {
    bench.assert_books_balance().await;
    bench.admin("/_sim/orders").await.as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_and_is_not_charged() {
    let bench = Bench::still().await;
    let first = send(&bench, "k", "a").await;
    assert_eq!(first.0, 200);
    assert_eq!(send(&bench, "k", "a").await, first, "request_id and all");
    let (status, answer) = send(&bench, "k", "b").await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("idempotency_key_reused")));
    assert_eq!(orders(&bench).await, 1);
    assert_eq!(send(&bench, &"k".repeat(255), "a").await.0, 200);
    for wrong in [String::new(), "k".repeat(256)] {
        let (status, answer) = send(&bench, &wrong, "a").await;
        assert_eq!((status, &answer["error"]["param"]), (400, &json!("Idempotency-Key")));
    }
    assert_eq!(orders(&bench).await, 2);
    bench.set("ninjachat", "idempotency", "forgotten").await;
    assert_ne!(send(&bench, "k", "a").await.1["id"], first.1["id"], "bought again");
    assert_eq!(orders(&bench).await, 3);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_by_its_key() {
    let bench = Bench::still().await;
    bench.fault(json!({"service": "ninjachat", "route": "submit", "kind": "accept_then_status", "status": 503})).await;
    assert_eq!(send(&bench, "k", "a").await.0, 503);
    let (status, job) = send(&bench, "k", "a").await;
    assert_eq!(status, 200);
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!((orders.as_array().unwrap().len(), &orders[0]["id"]), (1, &job["id"]));
}

#[tokio::test]
async fn a_key_in_flight_is_told_so_even_when_its_caller_has_left() {
    let bench = std::sync::Arc::new(Bench::at(100.0).await);
    // A second of ours.
    bench.set("ninjachat", "submit_seconds", "100").await;
    let own = bench.clone();
    let first = tokio::spawn(async move { send(&own, "k", "a").await });
    while bench.admin("/_sim/orders").await == json!([]) {}
    let (status, answer) = send(&bench, "k", "a").await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("request_in_flight")));
    first.abort();
    let second = loop {
        let (status, answer) = send(&bench, "k", "a").await;
        if status == 200 {
            break answer;
        }
        // Asking has a limit: 60 calls in 600 ms here.
        assert!(matches!(status, 409 | 429), "{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!((orders.as_array().unwrap().len(), &orders[0]["id"]), (1, &second["id"]));
}

#[tokio::test]
async fn a_key_is_forgotten_after_ten_minutes_but_not_by_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("simulator.json");
    let bench = Bench::remembering(&path, 1.0).await.unwrap();
    let first = send(&bench, "k", "a").await;
    bench.simulator.shutdown().await;
    let bench = Bench::remembering(&path, 1.0).await.unwrap();
    assert_eq!(send(&bench, "k", "a").await, first);
    bench.simulator.shutdown().await;
    // Ten minutes pass in six milliseconds, minus those that the clock is ahead.
    let bench = Bench::remembering(&path, 100_000.0).await.unwrap();
    bench.set("ninjachat", "key_seconds", "600").await;
    let again = async || {
        let (status, answer) = send(&bench, "k", "a").await;
        status == 200 && answer["id"] != first.1["id"]
    };
    while !again().await {}
    assert_eq!(orders(&bench).await, 2);
}
