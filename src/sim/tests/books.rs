//! Money: what is charged comes from an order, what fails comes back, and every account adds up.

use super::*;
use crate::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY};

#[tokio::test]
async fn failed_jobs_are_refunded_and_every_account_adds_up() {
    let bench = Bench::fast().await;
    for prompt in ["fine", "[fail]", "[nsfw]", "[policy]", "[502]"] {
        bench.call("/api/v1/video", NINJACHAT_KEY, Some(ninja(prompt))).await;
        bench.call("/api/generate-video", NANOGPT_KEY, Some(nano(prompt))).await;
        bench.call("/api/generate-video", "sk-nano-xno", Some(nano(prompt))).await;
    }
    loop {
        bench.assert_books_balance().await;
        let orders = bench.admin("/_sim/orders").await;
        let open = |order: &Value| !matches!(order["state"].as_str(), Some("completed" | "failed"));
        if !orders.as_array().unwrap().iter().any(open) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let bank = bench.assert_books_balance().await;
    let of = |service: &str, currency: &str| {
        let accounts = bank.as_array().unwrap();
        let wanted = |a: &&Value| a["service"] == service && a["currency"] == currency;
        accounts.iter().find(wanted).unwrap().clone()
    };
    // NinjaChat: four accepted at $3.00, three of them failed.
    assert_eq!(of("ninjachat", "USD")["balance"], "39.00");
    assert_eq!(of("ninjachat", "USD")["entries"].as_array().unwrap().len(), 7);
    // NanoGPT refuses [policy] and [502] at once: three accepted, two failed.
    assert_eq!(of("nanogpt", "USD")["balance"], "126.06956147");
    assert_eq!(of("nanogpt", "XNO")["balance"], "22.46801147", "3.40 USD at 0.80 is 4.25 XNO");
}

#[tokio::test]
async fn each_key_has_its_own_account() {
    let bench = Bench::still().await;
    let (status, rich) = bench.call("/api/v1/video", "nj_sk_rich", Some(ninja("a"))).await;
    assert_eq!((status, &rich["balance"]), (200, &json!("$99997.00")));
    let (status, _) = bench.call("/api/v1/video", "nj_sk_broke", Some(ninja("a"))).await;
    assert_eq!(status, 402);
    let (_, plain) = bench.call("/api/v1/video", "nj_sk_plain", Some(ninja("a"))).await;
    assert_eq!(plain["balance"], "$39.00");
}

#[tokio::test]
async fn a4f_calls_are_counted_and_come_back_at_midnight() {
    // A million times real time: a day passes in 86 ms.
    let bench = Bench::at(1_000_000.0).await;
    let (status, _) = bench.call("/v1/video/generations", A4F_KEY, Some(a4f("[fail]"))).await;
    assert_eq!(status, 500);
    loop {
        bench.call("/v1/usage", A4F_KEY, None).await;
        let bank = bench.assert_books_balance().await;
        let kinds: Vec<&Value> = bank[0]["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
        assert_eq!(kinds[0], "charge", "a failed call was a call");
        if kinds.len() == 2 {
            assert_eq!((kinds[1], &bank[0]["balance"]), (&json!("deposit"), &bank[0]["opening"]));
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn deposits_and_spending_elsewhere() {
    let bench = Bench::still().await;
    for (amount, left) in [("5.00", "134.46956147"), ("-0.00000001", "134.46956146")] {
        let body = json!({"service": "nanogpt", "amount": amount});
        let (status, body) = bench.call("/_sim/deposit", "", Some(body)).await;
        assert_eq!((status, body["balance"].as_str()), (200, Some(left)));
    }
    bench.assert_books_balance().await;
    let (status, _) = bench.call("/_sim/deposit", "", Some(json!({"service": "x"}))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn keys_are_masked_in_the_books() {
    let bench = Bench::still().await;
    bench.call("/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    for path in ["/_sim/orders", "/_sim/bank", "/_sim/requests"] {
        assert!(!bench.admin(path).await.to_string().contains(NANOGPT_KEY), "{path}");
    }
}

#[tokio::test]
async fn every_request_is_counted() {
    let bench = Bench::still().await;
    bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    bench.call("/nanogpt/api/generate-video", "sk-nano-wrong", Some(nano("a"))).await;
    bench.call("/api/v1/video/status?request_id=x", NINJACHAT_KEY, None).await;
    let log = bench.admin("/_sim/requests").await;
    assert_eq!(log["counts"]["nanogpt"]["submit"], 2);
    assert_eq!(log["counts"]["ninjachat"]["status"], 1);
    let statuses: Vec<&Value> = log["requests"].as_array().unwrap().iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, [202, 401, 404]);
}
