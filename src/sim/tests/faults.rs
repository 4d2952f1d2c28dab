//! Faults: what the client sees, and whether the order was booked behind its back.

use super::*;
use crate::sim::{A4F_KEY, NANOGPT_KEY};

const SUBMIT: &str = "/nanogpt/api/generate-video";

/// Sends one order into a fault; what came back, and how many orders are booked.
async fn spoil(fault: Value) -> (Result<(u16, String), reqwest::Error>, usize) {
    let bench = Bench::still().await;
    let mut all = json!({"service": "nanogpt", "route": "submit"});
    for (name, value) in fault.as_object().unwrap() {
        all[name] = value.clone();
    }
    bench.fault(all).await;
    let request = bench.client.post(bench.url(SUBMIT)).bearer_auth(NANOGPT_KEY);
    let answer = match request.body(nano("a").to_string()).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            response.text().await.map(|text| (status, text))
        }
        Err(error) => Err(error),
    };
    let log = bench.admin("/_sim/requests").await;
    assert_eq!(log["counts"]["nanogpt"]["submit"], 1, "one attempt, never repeated");
    assert_eq!(log["requests"][0]["fault"], fault["kind"]);
    let booked = bench.admin("/_sim/orders").await.as_array().unwrap().len();
    bench.assert_books_balance().await;
    (answer, booked)
}

#[tokio::test]
async fn answers_instead_of_work() {
    let own = json!({"kind": "status", "status": 503, "body": "busy", "headers": {"x-a": "b"}});
    let (answer, booked) = spoil(own).await;
    assert_eq!((answer.unwrap(), booked), ((503, "busy".to_owned()), 0));
    let (answer, booked) = spoil(json!({"kind": "html"})).await;
    let (status, text) = answer.unwrap();
    assert!(status == 502 && text.contains("<html>") && booked == 0);
    let (answer, booked) = spoil(json!({"kind": "empty"})).await;
    assert_eq!((answer.unwrap(), booked), ((200, String::new()), 0));
    let (answer, booked) = spoil(json!({"kind": "redirect"})).await;
    assert_eq!((answer.unwrap().0, booked), (307, 0));
}

#[tokio::test]
async fn connections_that_end() {
    let (answer, booked) = spoil(json!({"kind": "drop_before"})).await;
    assert!(answer.is_err() && booked == 0);
    let (answer, booked) = spoil(json!({"kind": "accept_then_drop"})).await;
    assert!(answer.is_err() && booked == 1, "charged, and not a byte of an answer");
    let (answer, booked) = spoil(json!({"kind": "cut", "after_bytes": 10})).await;
    assert!(answer.unwrap_err().is_decode() || booked == 1);
}

#[tokio::test]
async fn answers_that_spoil_work_done() {
    let (answer, booked) = spoil(json!({"kind": "accept_then_status"})).await;
    assert_eq!((answer.unwrap().0, booked), (500, 1));
    let (answer, booked) = spoil(json!({"kind": "truncate_json", "after_bytes": 9})).await;
    let (status, text) = answer.unwrap();
    assert_eq!((status, text.len(), booked), (202, 9, 1));
    let (answer, booked) = spoil(json!({"kind": "garbage"})).await;
    let (status, text) = answer.unwrap();
    assert!(status == 202 && serde_json::from_str::<Value>(&text).is_err() && booked == 1);
}

#[tokio::test]
async fn a_cut_sends_exactly_the_bytes_it_says() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::still().await;
    bench.fault(json!({"kind": "cut", "route": "models", "after_bytes": 1234})).await;
    let address = bench.simulator.url().replace("http://", "");
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let ask = format!("GET /api/v1/video-models HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all).await;
    let text = String::from_utf8(all).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 1234);
    let promised: usize =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap();
    assert!(promised > 10_000, "the whole length was promised");
}

#[tokio::test]
async fn a_hang_is_silent_until_the_client_leaves() {
    let bench = Bench::still().await;
    bench.fault(json!({"kind": "hang", "route": "balance", "service": "nanogpt"})).await;
    let url = bench.url("/api/check-balance");
    let held = tokio::spawn(bench.client.post(&url).bearer_auth(NANOGPT_KEY).send());
    while bench.admin("/_sim/requests").await["requests"][0]["fault"] != "hang" {
        tokio::task::yield_now().await;
    }
    let (status, _) = bench.call("/api/check-balance", NANOGPT_KEY, Some(json!({}))).await;
    assert_eq!(status, 200, "used up");
    assert!(!held.is_finished());
    held.abort();
    let log = bench.admin("/_sim/requests").await;
    assert_eq!(log["requests"][0]["status"], Value::Null, "never answered");
}

#[tokio::test]
async fn clips_that_are_none() {
    let bench = Bench::fast().await;
    let (_, job) = bench.call(SUBMIT, NANOGPT_KEY, Some(nano("a"))).await;
    let path = format!("/api/video/status?requestId={}", job["runId"].as_str().unwrap());
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == "COMPLETED").await;
    let link = body["data"]["output"]["video"]["url"].as_str().unwrap();
    let fetch = || async {
        let response = bench.client.get(link).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.bytes().await.unwrap())
    };
    let (_, whole) = fetch().await;
    for (fault, status, length) in [
        (json!({"kind": "short_clip", "after_bytes": 100}), 200, 100),
        (json!({"kind": "html_clip"}), 200, 988),
        (json!({"kind": "gone_clip", "body": "gone"}), 404, 4),
    ] {
        let mut fault = fault;
        fault["route"] = json!("clip");
        bench.fault(fault).await;
        let (got, bytes) = fetch().await;
        assert_eq!((got, bytes.len()), (status, length));
    }
    assert_eq!(fetch().await.1, whole, "faults are used up");
}

#[tokio::test]
async fn a4f_can_carry_a_spoiled_clip() {
    let bench = Bench::fast().await;
    let fault = json!({"service": "a4f", "route": "submit", "kind": "short_clip", "after_bytes": 9});
    bench.fault(fault).await;
    let (status, body) = bench.call("/v1/video/generations", A4F_KEY, Some(a4f("a"))).await;
    assert_eq!(status, 200);
    assert_eq!(body["data"][0]["b64_json"].as_str().unwrap().len(), 12);
}

#[tokio::test]
async fn faults_can_be_seen_and_forgotten() {
    let bench = Bench::still().await;
    bench.fault(json!({"kind": "hang"})).await;
    assert_eq!(bench.admin("/_sim/faults").await[0]["kind"], "hang");
    let request = bench.client.delete(bench.url("/_sim/faults"));
    assert!(request.send().await.unwrap().text().await.unwrap().contains("1"));
    for bad in [json!({"kind": "nonsense"}), json!({"kind": "hang", "service": "x"}), json!({})] {
        let (status, _) = bench.call("/_sim/faults", "", Some(bad)).await;
        assert_eq!(status, 400);
    }
}
