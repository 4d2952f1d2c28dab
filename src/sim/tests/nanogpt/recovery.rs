//! What can be found out afterwards: lost runs, and what a request has cost.

use super::*;

const THREAD: &str = "b7c75a5e-1e2a-4d4f-9e5b-6c6e2e2f9a17";

async fn listed(bench: &Bench, query: &str) -> (u16, Vec<Value>) {
    let path = format!("/nanogpt/api/generate-video/recover?{query}");
    let (status, body) = bench.call(&path, NANOGPT_KEY, None).await;
    (status, body["data"].as_array().cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_conversation_is_echoed_ignored_dropped_or_refused() {
    let bench = Bench::still().await;
    let mut body = nano("mine");
    body["conversationUUID"] = json!(THREAD);
    let mine = order(&bench, body.clone()).await;
    let other = order(&bench, nano("other")).await;
    let filter = format!("conversationUUID={THREAD}");
    let (_, rows) = listed(&bench, &filter).await;
    assert_eq!((rows.len(), &rows[0]["conversationUUID"]), (1, &json!(THREAD)));
    switch(&bench, "conversation_uuid", "ignored").await;
    let (_, rows) = listed(&bench, &filter).await;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["runId"]).collect();
    assert_eq!(ids, [&json!(other), &json!(mine)], "all, newest first");
    switch(&bench, "conversation_uuid", "dropped").await;
    let (_, rows) = listed(&bench, &filter).await;
    assert_eq!((rows.len(), rows[0].get("conversationUUID")), (1, None));
    switch(&bench, "conversation_uuid", "refused").await;
    assert_eq!(listed(&bench, &filter).await.0, 400);
    assert_eq!(listed(&bench, "").await.1.len(), 2, "without the filter it answers");
    switch(&bench, "conversation_uuid", "refused_submit").await;
    let (status, answer) = bench.call(SUBMIT, NANOGPT_KEY, Some(body)).await;
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("conversationUUID")));
    assert_eq!(listed(&bench, "model=veo2-video&limit=1").await.1.len(), 1);
    assert_eq!(listed(&bench, "model=sora-2").await.1.len(), 0);
}

#[tokio::test]
async fn a_row_may_come_late() {
    let bench = Bench::at(100.0).await;
    switch(&bench, "conversation_uuid", "lagging").await;
    switch(&bench, "lag_seconds", "86400").await;
    order(&bench, nano("a")).await;
    assert_eq!(listed(&bench, "").await.1.len(), 0, "not yet");
    switch(&bench, "lag_seconds", "0").await;
    assert_eq!(listed(&bench, "").await.1.len(), 1);
    // A few simulated seconds pass by themselves: 30 are 0.3 real ones.
    switch(&bench, "lag_seconds", "30").await;
    while listed(&bench, "").await.1.is_empty() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_run_that_died_before_dispatch_may_never_be_listed() {
    let bench = Bench::still().await;
    let dead = order(&bench, nano("[dead]")).await;
    let (_, body) = bench.call(&format!("/api/video/status?requestId={dead}"), NANOGPT_KEY, None).await;
    assert_eq!(body["data"]["status"], "FAILED", "at once");
    let (_, rows) = listed(&bench, "").await;
    assert_eq!((&rows[0]["runId"], &rows[0]["status"]), (&json!(dead), &json!("failed")));
    switch(&bench, "recover_dead", "never").await;
    assert_eq!(listed(&bench, "").await.1.len(), 0);
    order(&bench, nano("alive")).await;
    assert_eq!(listed(&bench, "").await.1.len(), 1);
    let bank = bench.assert_books_balance().await;
    let kinds: Vec<&Value> = bank[0]["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["charge", "refund", "charge"]);
}

#[tokio::test]
async fn recover_gives_ten_rows_or_up_to_fifty_twenty_times_a_minute() {
    let bench = Bench::frozen().await;
    for number in 0..60 {
        // A key has 25 calls a second, an address 50 submits a minute.
        bench.simulator.simulation.world().limits = Default::default();
        let (status, _) = bench.call(SUBMIT, "sk-nano-rich", Some(nano("a"))).await;
        assert_eq!(status, 202, "{number}");
    }
    for (query, rows) in [("", 10), ("limit=50", 50), ("limit=500", 50), ("limit=0", 1)] {
        let path = format!("/api/generate-video/recover?{query}");
        let (_, body) = bench.call(&path, "sk-nano-rich", None).await;
        assert_eq!(body["data"].as_array().unwrap().len(), rows, "{query}");
    }
    for _ in 4..20 {
        assert_eq!(listed(&bench, "").await.0, 200);
    }
    assert_eq!(listed(&bench, "").await.0, 429);
}

#[tokio::test]
async fn usage_of_a_request_is_kept_lags_or_is_absent() {
    let bench = Bench::still().await;
    let request = bench.client.post(bench.url(SUBMIT)).bearer_auth(NANOGPT_KEY).header("x-request-id", "mine");
    request.body(nano("a").to_string()).send().await.unwrap();
    let ask = || async {
        let request = bench.client.get(bench.url("/api/v1/usage/requests/mine"));
        request.header("x-api-key", NANOGPT_KEY).send().await.unwrap()
    };
    let kept = ask().await;
    assert_eq!((kept.status().as_u16(), kept.headers()["cache-control"].to_str().unwrap()).0, 200);
    assert!(kept.text().await.unwrap().contains("\"cost\":\"3.40000000\""));
    for position in ["lagging", "absent"] {
        switch(&bench, "usage", position).await;
        let gone = ask().await;
        assert_eq!((gone.status().as_u16(), gone.headers()["retry-after"].to_str().unwrap()), (404, "30"));
    }
    switch(&bench, "usage", "lagging").await;
    switch(&bench, "lag_seconds", "0").await;
    assert_eq!(ask().await.status(), 200);
    let request = bench.client.get(bench.url("/api/v1/usage/requests/mine")).header("x-api-key", NANOGPT_KEY);
    assert_eq!(request.bearer_auth("sk-nano-other").send().await.unwrap().status(), 400, "two keys in one call");
    let (status, _) = bench.call("/api/v1/usage/requests/mine?from=1", NANOGPT_KEY, None).await;
    assert_eq!(status, 400, "no parameters are accepted");
    let (status, _) = bench.call("/api/v1/usage/requests/mine", "sk-nano-other", None).await;
    assert_eq!(status, 404, "another key's");
}

#[tokio::test]
async fn usage_of_a_key_is_summed_by_day_and_model() {
    let bench = Bench::still().await;
    order(&bench, nano("a")).await;
    order(&bench, nano("[dead]")).await;
    order(&bench, json!({"model": "lightricks-ltx-2-fast", "prompt": "a"})).await;
    let (status, body) = bench.call("/nanogpt/api/v1/usage", NANOGPT_KEY, None).await;
    assert_eq!((status, &body["object"], &body["groupBy"]), (200, &json!("usage"), &json!("day,model")));
    let totals = &body["totals"];
    assert_eq!(totals["requests"], 3);
    let dollars = ["costUsd", "refundedUsd", "netCostUsd"].map(|name| totals[name].to_string());
    assert_eq!(dollars, ["7.04", "3.4", "3.64"]);
    let models: Vec<&Value> = body["byModel"].as_array().unwrap().iter().map(|row| &row["model"]).collect();
    assert_eq!(models, ["LTX 2 Fast", "Veo 2"]);
    assert_eq!(body["byDayModel"].as_array().unwrap().len(), 2);
    let today = body["to"].as_str().unwrap();
    assert_eq!(body["byDay"][0]["date"], today);
    let (_, part) = bench.call("/nanogpt/api/v1/usage?group_by=model", NANOGPT_KEY, None).await;
    assert!(part.get("byDay").is_none() && part["byModel"].is_array());
    let (_, past) = bench.call("/nanogpt/api/v1/usage?from=2026-01-01&to=2026-01-31", NANOGPT_KEY, None).await;
    assert_eq!(past["totals"]["requests"], 0);
    for query in [
        "from=2026-01-01",
        "from=2026-02-01&to=2026-01-01",
        "from=1&to=2",
        "group_by=hour",
        "page=1",
        "from=2020-01-01&to=2026-01-01",
        "from=2026-01-01&to=2099-01-01",
    ] {
        let (status, body) = bench.call(&format!("/nanogpt/api/v1/usage?{query}"), NANOGPT_KEY, None).await;
        assert_eq!(status, 400, "{query}: {body}");
    }
}
