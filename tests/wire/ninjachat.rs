//! NinjaChat's old generation: every cell of its table, its statuses, its balance, its probe.

use rushes::domain::{ErrorKind, Service};
use rushes::provider::{Grade, Intent, RemoteJob, SubmitAnswer};
use serde_json::json;

use super::scripted::{Reply, Scripted};
use super::support::*;

/// Seed 001, the answer to a submit.
const TAKEN: &str = r#"{"request_id":"gemini-veo:operations/generate-video-abc123","model":"seedance-2",
  "message":"Poll GET /api/v1/video/status?request_id=... for completion.",
  "cost":{"this_request":"$3.00","per_video":"$3.00"},"balance":"$39.00","metadata":{"latency_ms":123}}"#;

fn account(base: &str) -> std::sync::Arc<dyn rushes::provider::Provider> {
    super::support::account(Service::Ninjachat, base)
}

#[tokio::test]
async fn every_cell_of_the_answer_table() {
    let flat = |code: &str| format!(r#"{{"error":"{code}","message":"said the service"}}"#);
    let html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    let cells: Vec<(&str, Reply, &str)> = vec![
        ("200 accepted", Reply::json(200, TAKEN), "accepted"),
        ("202 accepted", Reply::json(202, TAKEN), "accepted"),
        ("200 accepted, wrong content type", Reply::new(200, "text/html", TAKEN), "accepted"),
        (
            "200 of the new generation",
            Reply::json(
                200,
                r#"{"id":"v_1","object":"video","status":"queued","model":"m","cost_usd":3.0,"request_id":"req_1"}"#,
            ),
            "accepted",
        ),
        ("200 without an id", Reply::json(200, r#"{"model":"m"}"#), "unknown protocol"),
        ("200 with an empty id", Reply::json(200, r#"{"request_id":""}"#), "unknown protocol"),
        ("200 with an error inside", Reply::json(200, &flat("validation_error")), "unknown protocol"),
        ("200 empty", Reply::json(200, ""), "unknown protocol"),
        ("200 web page", Reply::new(200, "text/html", html), "unknown protocol"),
        ("200 cut before the body", Reply::json(200, TAKEN).cut_at(0), "unknown protocol"),
        ("200 cut mid-answer", Reply::json(200, TAKEN).cut_at(60), "unknown protocol"),
        ("204", Reply::json(204, ""), "unknown protocol"),
        ("301 to www", Reply::json(301, "").header("location", "http://127.0.0.1:1/api/v1/video"), "refused protocol"),
        ("307 to www", Reply::json(307, "").header("location", "http://127.0.0.1:1/api/v1/video"), "refused protocol"),
        ("400 validation_error", Reply::json(400, &flat("validation_error")), "refused invalid"),
        ("400 invalid_json", Reply::json(400, &flat("invalid_json")), "refused invalid"),
        ("401 missing_api_key", Reply::json(401, &flat("missing_api_key")), "refused authentication"),
        ("401 invalid_api_key", Reply::json(401, &flat("invalid_api_key")), "refused authentication"),
        ("402 insufficient_credits", Reply::json(402, &flat("insufficient_credits")), "refused balance"),
        ("403 envelope", Reply::json(403, &flat("forbidden")), "refused authentication"),
        ("404 envelope", Reply::json(404, &flat("not_found")), "refused invalid"),
        ("413 envelope", Reply::json(413, &flat("too_large")), "refused invalid"),
        ("429 rate_limit_exceeded", Reply::json(429, &flat("rate_limit_exceeded")), "refused rate_limit"),
        ("400 web page", Reply::new(400, "text/html", html), "unknown protocol"),
        ("402 empty", Reply::json(402, ""), "unknown protocol"),
        ("402 cut mid-answer", Reply::json(402, &flat("insufficient_credits")).cut_at(20), "unknown protocol"),
        ("409 envelope", Reply::json(409, &flat("request_in_flight")), "unknown protocol"),
        ("500 internal_error", Reply::json(500, &flat("internal_error")), "unknown unavailable"),
        ("500 empty", Reply::json(500, ""), "unknown unavailable"),
        ("502 generation_failed", Reply::json(502, &flat("generation_failed")), "refused unavailable"),
        ("502 with another code", Reply::json(502, &flat("bad_gateway")), "unknown unavailable"),
        ("502 web page", Reply::new(502, "text/html", html), "unknown unavailable"),
        ("503 empty", Reply::json(503, ""), "unknown unavailable"),
        ("closed without a byte", Reply::nothing(), "unknown unavailable"),
    ];
    let mut cases = Cases::default();
    for (name, reply, expected) in cells {
        let server = Scripted::always(reply).await;
        let (answer, released) = order(&*account(&server.url()), &server.url()).await;
        cases.equal(name, verdict(&answer).as_str(), expected);
        cases.check(name, released, "the order was not marked as sent");
        cases.equal(name, (server.connections(), server.received().len()), (1, 1));
        cases.check(name, !message(&answer).contains(KEY), "the key is in the message");
    }
    cases.finish();
}

#[tokio::test]
async fn an_acceptance_is_read_to_the_cent() {
    let server = Scripted::always(Reply::json(200, TAKEN).header("x-request-id", "req-9")).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Accepted(accepted) = answer else { panic!("{answer:?}") };
    assert_eq!(accepted.remote_id, "gemini-veo:operations/generate-video-abc123");
    assert_eq!(accepted.cost.unwrap().to_string(), "$3.00");
    assert_eq!(accepted.balance.unwrap().to_string(), "$39.00");
    assert_eq!(accepted.request_id.as_deref(), Some("req-9"));
    let bare = Scripted::always(Reply::json(200, r#"{"request_id":"x"}"#)).await;
    let (answer, _) = order(&*account(&bare.url()), &bare.url()).await;
    assert!(matches!(answer, SubmitAnswer::Accepted(a) if a.cost.is_none() && a.balance.is_none()));
}

#[tokio::test]
async fn an_order_is_one_post_with_the_key_its_length_and_the_described_body() {
    let server = Scripted::always(Reply::json(200, TAKEN)).await;
    let base = format!("{}/ninjachat", server.url());
    let provider = account(&base);
    let model = model(
        Service::Ninjachat,
        "veo-3.1",
        r#"{ name = "duration", type = "integer", one_of = [4, 6, 8] }, { name = "image", wire = "image_url", type = "image" }"#,
    );
    let request = prepare(&*provider, &base, &model, json!({"duration": "6", "image": "https://x/y.png"}));
    let record: serde_json::Value = serde_json::from_str(&request.record).unwrap();
    assert_eq!(record["url"], format!("{base}/api/v1/video"));
    assert!(!request.record.contains(KEY));
    provider.submit(request, &Default::default(), Box::new(SharedSink::default())).await;
    let got = &server.received()[0];
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/ninjachat/api/v1/video"));
    assert_eq!(got.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.header("content-length"), Some(got.body.len().to_string().as_str()));
    let expected =
        json!({"model": "veo-3.1", "prompt": "a misty valley", "duration": 6, "image_url": "https://x/y.png"});
    assert_eq!(got.json(), expected);
    assert_eq!(record["body"], expected);
}

#[tokio::test]
async fn what_never_left_is_not_sent() {
    let mut cases = Cases::default();
    // A port that was just closed refuses.
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (answer, released) = order(&*account(&closed), &closed).await;
    cases.equal("connection refused", verdict(&answer).as_str(), "not sent unavailable");
    cases.check("connection refused", !released, "marked as sent");
    // 192.0.2.1 is a documentation address; a test build refuses it without connecting.
    let mut request = prepare(&*account(&closed), &closed, &model(Service::Ninjachat, "m", ""), json!({}));
    let provider = account_insecure("http://192.0.2.1");
    request.url = "http://192.0.2.1/api/v1/video".to_owned();
    let answer = provider.submit(request.clone(), &Default::default(), Box::new(SharedSink::default())).await;
    cases.equal("beyond loopback", verdict(&answer).as_str(), "not sent protocol");
    cases.check("beyond loopback", message(&answer).contains("loopback"), message(&answer));
    let error = provider.probe().await.unwrap_err();
    cases.check("probe beyond loopback", error.message.contains("loopback"), error);
    // An order made for another host than the account's.
    let other = Scripted::always(Reply::json(200, TAKEN)).await;
    request.url = format!("{}/api/v1/video", other.url());
    let answer = account(&closed).submit(request, &Default::default(), Box::new(SharedSink::default())).await;
    cases.equal("another host", verdict(&answer).as_str(), "not sent protocol");
    cases.equal("another host", other.connections(), 0);
    cases.finish();
}

fn account_insecure(base: &str) -> std::sync::Arc<dyn rushes::provider::Provider> {
    rushes::provider::connect(rushes::provider::Endpoint {
        service: Service::Ninjachat,
        base_url: base.to_owned(),
        generation: None,
        key: KEY.into(),
        allow_insecure: true,
    })
    .unwrap()
}

#[tokio::test]
async fn refusals_carry_field_and_wait() {
    let body =
        r#"{"error":"validation_error","message":"Invalid","details":[{"field":"duration","message":"must be 4"}]}"#;
    let server = Scripted::always(Reply::json(400, body)).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Refused(error) = answer else { panic!("{answer:?}") };
    assert_eq!((error.field.as_deref(), error.status), (Some("duration"), Some(400)));
    let limited =
        Reply::json(429, r#"{"error":"rate_limit_exceeded","message":"slow down"}"#).header("retry-after", "17");
    let server = Scripted::always(limited).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Refused(error) = answer else { panic!("{answer:?}") };
    assert_eq!(error.retry_after.unwrap().as_secs(), 17);
    let hostile = "{\"error\":\"x\\u001b]0;owned\\u0007\",\"message\":\"\\u001b[2Jboo\\u202e\"}";
    let server = Scripted::always(Reply::json(400, hostile)).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    assert!(!message(&answer).chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", message(&answer));
}

#[tokio::test]
async fn every_status_is_told() {
    let job = RemoteJob {
        remote_id: "gemini-veo:operations/x y".into(),
        model: "veo-3.1".into(),
        currency: None,
        generation: None,
    };
    let cells: Vec<(&str, u16, &str, &str)> = vec![
        ("processing", 200, r#"{"status":"processing","progress":45}"#, "working 45"),
        ("queued", 200, r#"{"status":"queued"}"#, "working -"),
        ("a word nobody knows", 200, r#"{"status":"dreaming","progress":"12%"}"#, "working 12"),
        (
            "completed",
            200,
            r#"{"status":"completed","result":{"video_url":"https://cdn.ninjachat.ai/videos/abc123.mp4"}}"#,
            "finished https://cdn.ninjachat.ai/videos/abc123.mp4",
        ),
        (
            "completed, new shape",
            200,
            r#"{"status":"completed","video_url":"https://cdn/x.mp4"}"#,
            "finished https://cdn/x.mp4",
        ),
        ("completed without a link", 200, r#"{"status":"completed","result":{}}"#, "error protocol"),
        (
            "failed",
            200,
            r#"{"status":"failed","error":"Video generation failed"}"#,
            "failed Video generation failed refunded true",
        ),
        ("no status", 200, "{}", "error protocol"),
        ("web page", 200, "<html>", "error protocol"),
        ("empty", 200, "", "error protocol"),
        ("401", 401, r#"{"error":"invalid_api_key","message":"m"}"#, "error authentication"),
        ("403", 403, r#"{"error":"forbidden","message":"m"}"#, "error gone"),
        ("404", 404, r#"{"error":"not_found","message":"m"}"#, "error gone"),
        ("429", 429, r#"{"error":"rate_limit_exceeded","message":"m"}"#, "error rate_limit"),
        ("500", 500, r#"{"error":"internal_error","message":"m"}"#, "error unavailable"),
        ("503 page", 503, "<html>", "error unavailable"),
    ];
    let mut cases = Cases::default();
    for (name, status, body, expected) in cells {
        let server = Scripted::always(Reply::json(status, body)).await;
        let answer = account(&server.url()).poll(&job, &at(&server.url())).await;
        cases.equal(name, said(answer).as_str(), expected);
        let target = server.received()[0].target.clone();
        cases.equal(name, target.as_str(), "/api/v1/video/status?request_id=gemini%2Dveo%3Aoperations%2Fx%20y");
    }
    cases.finish();
}

#[tokio::test]
async fn the_balance_is_read_where_the_key_may_and_unknown_elsewhere() {
    let billing = r#"{"billing":{"hasCredits":true,"balanceCents":4250,"balanceFormatted":"$42.50","rateLimit":{"requests":60,"windowSeconds":60}}}"#;
    let mut cases = Cases::default();
    for (name, status, body, expected) in [
        ("known", 200, billing, "$42.50"),
        ("formatted only", 200, r#"{"billing":{"balanceFormatted":"$0.006"}}"#, "$0.006"),
        ("no billing", 200, "{}", ""),
        ("a login page", 200, "<html>", ""),
        ("401", 401, r#"{"error":"invalid_api_key","message":"m"}"#, ""),
        ("403", 403, "", ""),
        ("404", 404, "<html>", ""),
        ("500", 500, "", "error unavailable"),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let seen = match account(&server.url()).balance(&at(&server.url())).await {
            Ok(amounts) => amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        cases.equal(name, server.received()[0].target.as_str(), "/api/api-keys");
    }
    cases.finish();
}

#[tokio::test]
async fn a_probe_finds_the_host_its_generation_and_its_limit() {
    let unknown = r#"{"error":"not_found","message":"unknown request"}"#;
    let billing = r#"{"billing":{"rateLimit":{"requests":30,"windowSeconds":30}}}"#;
    let mut cases = Cases::default();
    for (name, reply, expected) in [
        ("an unknown job", Reply::json(404, unknown), "old 60"),
        (
            "an error of the server in the old shape",
            Reply::json(500, r#"{"error":"internal_error","message":"m"}"#),
            "old 60",
        ),
        ("a wrong key", Reply::json(401, r#"{"error":"invalid_api_key","message":"m"}"#), "error authentication"),
        ("a page", Reply::new(404, "text/html", "<html>"), "error protocol"),
        ("out of order", Reply::json(503, ""), "error unavailable"),
        ("too many", Reply::json(429, unknown), "error rate_limit"),
    ] {
        let server = Scripted::start(move |request| {
            if request.target.starts_with("/api/api-keys") { Reply::json(200, billing) } else { reply.clone() }
        })
        .await;
        let seen = match account(&server.url()).probe().await {
            Ok(profile) => {
                cases.equal(name, profile.origin.as_str(), server.url().as_str());
                format!("{} {}", profile.generation.unwrap(), profile.per_minute.unwrap())
            }
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        cases.check(name, server.received().iter().all(|r| r.method == "GET"), "a probe only reads");
    }
    cases.finish();
}

/// The way a request's host header reads, so that one server can play several hosts.
fn host(request: &super::scripted::Received) -> String {
    request.header("host").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_redirecting_apex_is_pinned_and_a_foreign_host_never_sees_the_key() {
    let server = Scripted::start(|request| {
        if host(request).starts_with("www.") {
            return Reply::json(404, r#"{"error":"not_found","message":"m"}"#);
        }
        let to = format!("http://www.{}{}", host(request), request.target);
        Reply::json(308, "").header("location", &to)
    })
    .await;
    let base = format!("http://localhost:{}", server.port());
    let provider = account(&base);
    let profile = provider.probe().await.unwrap();
    assert_eq!(profile.origin, format!("http://www.localhost:{}", server.port()));
    assert!(server.received().iter().filter(|r| host(r).starts_with("www.")).all(|r| r.holds(KEY)));
    let (answer, _) = order(&*provider, &profile.origin).await;
    assert_eq!(verdict(&answer), "refused invalid", "the order goes to the pinned host");
    assert!(host(server.received().last().unwrap()).starts_with("www."));

    let foreign = Scripted::always(Reply::json(404, r#"{"error":"not_found","message":"m"}"#)).await;
    let to = format!("{}/api/v1/video/status?request_id=rushes%2Dprobe", foreign.url());
    let apex = Scripted::always(Reply::json(302, "").header("location", &to)).await;
    let error = account(&apex.url()).probe().await.unwrap_err();
    assert_eq!((error.kind, foreign.connections()), (ErrorKind::Protocol, 0));

    let elsewhere = Scripted::always(Reply::json(302, "").header("location", "/login?next=x")).await;
    assert_eq!(account(&elsewhere.url()).probe().await.unwrap_err().kind, ErrorKind::Protocol);
    let round = Scripted::start(|request| Reply::json(307, "").header("location", &request.target)).await;
    assert!(account(&round.url()).probe().await.unwrap_err().message.contains("circles"));
    assert!(round.connections() <= 6);
}

#[tokio::test]
async fn a_lost_order_cannot_be_looked_up() {
    let server = Scripted::always(Reply::json(200, "{}")).await;
    let intent = Intent { correlation: OURS.into(), model: "veo-3.1".into(), sent_at: 0 };
    let evidence = account(&server.url()).find(&intent, &at(&server.url())).await.unwrap();
    assert_eq!((evidence.grade, evidence.remote_id), (Grade::Open, None));
    assert_eq!(server.connections(), 0);
}
