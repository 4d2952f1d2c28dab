//! Refusals in every envelope of wire.md 1.6.

use super::*;

#[tokio::test]
async fn every_row_of_the_table_can_be_switched_on() {
    let bench = Bench::still().await;
    let refused = || bench.call(SUBMIT, "sk-nano-broke", Some(nano("a")));
    let say = "Insufficient balance";
    let (code, kind) = ("insufficient_quota", "INSUFFICIENT_BALANCE");
    for (row, wanted) in [
        ("documented", json!({"error": say, "status": 402, "requiredBalance": 3.4})),
        ("plain", json!({"error": say, "status": 402, "requiredBalance": 3.4})),
        ("typed", json!({"error": {"message": say, "type": kind}, "status": 402, "requiredBalance": 3.4})),
        (
            "guide",
            json!({
                "error": {"message": say, "type": kind}, "requiredBalance": 3.4,
                "refundMessage": "You have not been charged for this request.",
            }),
        ),
        ("openai", json!({"error": {"message": say, "code": code, "type": code}, "requiredBalance": 3.4})),
        ("coded", json!({"error": say, "code": code, "requiredBalance": 3.4})),
        ("nested", json!({"error": {"message": say, "code": code}, "requiredBalance": 3.4})),
        ("bare", json!({"error": say, "requiredBalance": 3.4})),
        ("numbered", json!({"error": 402, "message": say, "requiredBalance": 3.4})),
        ("message", json!({"message": say, "requiredBalance": 3.4})),
    ] {
        switch(&bench, "error_envelope", row).await;
        assert_eq!(refused().await, (402, wanted), "{row}");
    }
    switch(&bench, "error_envelope", "documented").await;
    switch(&bench, "quote", "without").await;
    assert_eq!(refused().await, (402, json!({"error": say, "status": 402})), "seed 002");
    switch(&bench, "error_envelope", "message").await;
    let (status, body) = bench.call("/api/video/status?requestId=vid_x", NANOGPT_KEY, None).await;
    assert_eq!((status, body), (404, json!({"message": "Video job not found"})), "every refusal, not only orders");
}

#[tokio::test]
async fn a_long_prompt_has_three_envelopes() {
    let bench = Bench::still().await;
    let body = json!({"model": "minimax-hailuo-02", "prompt": "a".repeat(2001)});
    let say = "Prompt is too long. Please keep it under 2000 characters.";
    let code = "prompt_too_long";
    for (row, wanted) in [
        ("coded", json!({"error": say, "code": code})),
        ("nested", json!({"error": {"message": say, "code": code}})),
        ("bare", json!({"error": say})),
        ("documented", json!({"error": {"message": say, "code": code}})),
    ] {
        switch(&bench, "prompt_too_long", row).await;
        assert_eq!(bench.call(SUBMIT, NANOGPT_KEY, Some(body.clone())).await, (400, wanted), "{row}");
    }
}

#[tokio::test]
async fn the_edge_speaks_no_json_in_any_position() {
    let bench = Bench::still().await;
    let body = "A".repeat(4_500_001);
    for (row, wanted) in [("text", "FUNCTION_PAYLOAD_TOO_LARGE"), ("html", "<title>413"), ("empty", "")] {
        switch(&bench, "edge", row).await;
        let request = bench.client.post(bench.url(SUBMIT)).bearer_auth(NANOGPT_KEY);
        let response = request.body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 413);
        let text = response.text().await.unwrap();
        assert!(text.contains(wanted) && text.is_empty() == wanted.is_empty(), "{row}: {text}");
    }
}
