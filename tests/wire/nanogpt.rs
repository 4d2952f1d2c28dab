//! NanoGPT: every cell of its answer table, its status in all shapes, and its balance. Long, since
//! each shape that was documented or seen is a row of its own.

use std::sync::Arc;

use rushes::domain::Service;
use rushes::provider::{Input, Provider, RemoteJob, SubmitAnswer};
use serde_json::json;

use super::scripted::{Reply, Scripted};
use super::support::*;

/// Seed 002.
const TAKEN: &str = r#"{"runId":"fal-request-abc123xyz","status":"pending","model":"veo2-video","cost":2.5,"paymentSource":"USD","remainingBalance":47.5}"#;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::Nanogpt, base)
}

#[tokio::test]
async fn every_cell_of_the_answer_table() {
    let html = "<!DOCTYPE html><html><body>An error occurred</body></html>";
    let edge = "Request Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE\n";
    let coded =
        |code: &str| format!(r#"{{"error":{{"message":"said the service","code":"{code}","type":"some_type"}}}}"#);
    let typed = |kind: &str| format!(r#"{{"error":{{"message":"said the service","type":"{kind}"}},"status":400}}"#);
    let cells: Vec<(&str, Reply, &str)> = vec![
        ("202 runId", Reply::json(202, TAKEN), "accepted"),
        ("200 id", Reply::json(200, r#"{"id":"vid_mla1k3lja967ue22b","status":"processing"}"#), "accepted"),
        ("202 requestId", Reply::json(202, r#"{"requestId":"vid_1"}"#), "accepted"),
        ("202 data.runId", Reply::json(202, r#"{"data":{"runId":"vid_1","cost":0.1}}"#), "accepted"),
        ("202 data.id", Reply::json(202, r#"{"data":{"id":"vid_1"}}"#), "accepted"),
        ("202 without an id", Reply::json(202, r#"{"status":"pending"}"#), "unknown protocol"),
        ("202 empty", Reply::json(202, ""), "unknown protocol"),
        ("200 web page", Reply::new(200, "text/html", html), "unknown protocol"),
        ("200 with an error inside", Reply::json(200, r#"{"error":"no","status":402}"#), "unknown protocol"),
        ("202 cut before the body", Reply::json(202, TAKEN).cut_at(0), "unknown protocol"),
        ("202 cut mid-answer", Reply::json(202, TAKEN).cut_at(25), "unknown protocol"),
        ("302", Reply::json(302, "").header("location", "https://nano-gpt.com/login"), "refused protocol"),
        ("308", Reply::json(308, "").header("location", "/api/generate-video/"), "refused protocol"),
        (
            "400 model-specific",
            Reply::json(
                400,
                r#"{"error":"Kling 2.1 Standard requires an input image. Please select an image to generate a video.","status":400}"#,
            ),
            "refused invalid",
        ),
        ("400 policy", Reply::json(400, &typed("CONTENT_POLICY_VIOLATION")), "refused policy"),
        (
            "400 prompt_too_long",
            Reply::json(400, r#"{"error":"Prompt too long","code":"prompt_too_long"}"#),
            "refused invalid",
        ),
        ("400 prompt_too_long nested", Reply::json(400, &coded("prompt_too_long")), "refused invalid"),
        ("400 moderation input", Reply::json(400, &coded("unsupported_moderation_input")), "refused invalid"),
        ("400 error number", Reply::json(400, r#"{"error":400,"message":"bad"}"#), "refused invalid"),
        (
            "401 Invalid session",
            Reply::json(401, r#"{"error":"Invalid session","status":401}"#),
            "refused authentication",
        ),
        ("401 missing_api_key", Reply::json(401, &coded("missing_api_key")), "refused authentication"),
        ("401 message only", Reply::json(401, r#"{"message":"no key"}"#), "refused authentication"),
        (
            "402 Insufficient balance",
            Reply::json(402, r#"{"error":"Insufficient balance","status":402}"#),
            "refused balance",
        ),
        ("402 typed", Reply::json(402, &typed("INSUFFICIENT_BALANCE")), "refused balance"),
        (
            "402 of x402",
            Reply::json(
                402,
                r#"{"payment":{},"x402Version":1,"accepts":[],"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"pay"}}"#,
            ),
            "refused balance",
        ),
        ("403 origin", Reply::json(403, &coded("api_key_origin_not_allowed")), "refused authentication"),
        ("403 pro", Reply::json(403, &typed("PRO_REQUIRED")), "refused plan"),
        ("403 plain", Reply::json(403, r#"{"error":"Forbidden","status":403}"#), "refused authentication"),
        ("404 unknown model", Reply::json(404, r#"{"error":"Model not found","status":404}"#), "refused invalid"),
        ("413 of the edge", Reply::new(413, "text/plain", edge), "refused invalid"),
        ("413 empty", Reply::json(413, ""), "refused invalid"),
        (
            "429 plain",
            Reply::json(
                429,
                r#"{"error":"Rate limit exceeded. Please wait before generating another video.","status":429}"#,
            ),
            "refused rate_limit",
        ),
        ("429 typed", Reply::json(429, &typed("RATE_LIMITED")), "refused rate_limit"),
        ("429 daily requests", Reply::json(429, &coded("daily_rpd_limit_exceeded")), "refused rate_limit"),
        ("400 param", Reply::json(400, r#"{"error":{"message":"bad","param":"duration"}}"#), "refused invalid"),
        ("400 truncated JSON", Reply::new(400, "application/json", r#"{"error":{"mess"#), "unknown protocol"),
        ("400 plain text", Reply::new(400, "text/plain", "Bad Request"), "unknown protocol"),
        ("403 permission", Reply::json(403, &coded("permission_denied")), "refused authentication"),
        ("503 plain text", Reply::new(503, "text/plain", "upstream"), "unknown unavailable"),
        ("429 daily dollars", Reply::json(429, &coded("daily_usd_limit_exceeded")), "refused rate_limit"),
        ("400 web page", Reply::new(400, "text/html", html), "unknown protocol"),
        (
            "402 cut mid-answer",
            Reply::json(402, r#"{"error":"Insufficient balance","status":402}"#).cut_at(12),
            "unknown protocol",
        ),
        ("408", Reply::json(408, r#"{"error":"timeout","status":408}"#), "unknown unavailable"),
        ("409", Reply::json(409, r#"{"error":"conflict","status":409}"#), "unknown protocol"),
        ("500 envelope", Reply::json(500, r#"{"error":"Internal server error","status":500}"#), "unknown unavailable"),
        ("500 empty", Reply::json(500, ""), "unknown unavailable"),
        ("502 web page", Reply::new(502, "text/html", html), "unknown unavailable"),
        ("503 envelope", Reply::json(503, r#"{"error":"unavailable","status":503}"#), "unknown unavailable"),
        ("504 empty", Reply::json(504, ""), "unknown unavailable"),
        ("closed without a byte", Reply::nothing(), "unknown unavailable"),
    ];
    let echo = format!(r#"{{"error":"Invalid session","status":401,"sent":{{"key":"{KEY}","trace":"t-1"}}}}"#);
    let cells = cells.into_iter().chain([("401 with the key", Reply::json(401, &echo), "refused authentication")]);
    let mut cases = Cases::default();
    for (name, reply, expected) in cells {
        let server = Scripted::always(reply).await;
        let (answer, released) = order(&*account(&server.url()), &server.url()).await;
        cases.equal(name, verdict(&answer).as_str(), expected);
        cases.check(name, released, "the order was not marked as sent");
        cases.equal(name, (server.connections(), server.received().len()), (1, 1));
        cases.check(name, !message(&answer).contains(KEY), "the key is in the message");
        let is_kept = message(&answer).contains(r#""trace":"t-1""#);
        cases.equal(name, is_kept, name == "401 with the key");
    }
    cases.finish();
}

#[tokio::test]
async fn an_acceptance_keeps_every_digit_and_its_currency() {
    let mut cases = Cases::default();
    for (name, reply, cost, balance) in [
        ("dollars", Reply::json(202, TAKEN), "$2.50", "$47.50"),
        (
            "nano",
            Reply::json(
                202,
                r#"{"runId":"x","cost":0.1000000000000000001,"paymentSource":"XNO","remainingBalance":26.71801147}"#,
            ),
            "Ӿ0.1000000000000000001",
            "Ӿ26.71801147",
        ),
        ("an unknown source", Reply::json(202, r#"{"runId":"x","cost":2,"paymentSource":"points"}"#), "-", "-"),
        ("no cost", Reply::json(202, r#"{"runId":"x"}"#), "-", "-"),
        ("cost null", Reply::json(202, r#"{"runId":"x","cost":null}"#), "-", "-"),
        ("cost in a header", Reply::json(202, r#"{"runId":"x"}"#).header("x-cost", "0.053"), "$0.053", "-"),
        ("an absurd cost", Reply::json(202, r#"{"runId":"x","cost":1e400}"#), "-", "-"),
    ] {
        let server = Scripted::always(reply.header("x-request-id", "req-1")).await;
        let (answer, _) = order(&*account(&server.url()), &server.url()).await;
        let SubmitAnswer::Accepted(accepted) = answer else { panic!("{name}: {answer:?}") };
        let text = |money: Option<rushes::domain::Money>| money.map_or_else(|| "-".to_owned(), |m| m.to_string());
        cases.equal(name, (text(accepted.cost).as_str(), text(accepted.balance).as_str()), (cost, balance));
        cases.equal(name, accepted.request_id.as_deref(), Some("req-1"));
    }
    cases.finish();
}

#[tokio::test]
async fn an_order_carries_our_uuid_one_key_header_and_files_as_data_urls() {
    let server = Scripted::always(Reply::json(202, TAKEN)).await;
    let provider = account(&server.url());
    let model = model(
        Service::Nanogpt,
        "veo2-video",
        r#"{ name = "duration", type = "integer", one_of = [5, 8], send = "seconds" },
           { name = "image", type = "image", wire = "imageUrl", wire_data = "imageDataUrl" }"#,
    );
    let input = Input { sha256: "ab".into(), mime: "image/png".into(), bytes: "png".into() };
    let values = json!({"duration": 5, "image": "sha256:ab"});
    let request = prepare_with(&*provider, &server.url(), &model, values.clone(), &[input]);
    assert!(request.record.contains("sha256:ab") && !request.record.contains("base64"));
    provider.submit(request, &Default::default(), Box::new(SharedSink::default())).await;
    let got = &server.received()[0];
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/api/generate-video"));
    assert_eq!((got.header("x-api-key"), got.header("authorization")), (Some(KEY), None));
    assert_eq!(got.header("x-request-id"), Some(OURS));
    let expected = json!({
        "model": "veo2-video", "prompt": "a misty valley", "duration": "5s", "conversationUUID": OURS,
        "imageDataUrl": "data:image/png;base64,cG5n",
    });
    assert_eq!(got.json(), expected);
    let huge = Input { sha256: "ab".into(), mime: "image/png".into(), bytes: vec![0; 3_400_000].into() };
    let values = serde_json::from_value(values).unwrap();
    let order =
        rushes::provider::Order { model: &model, prompt: "p", values: &values, inputs: &[huge], correlation: OURS };
    let problems = provider.prepare(&order, &at(&server.url())).unwrap_err();
    assert_eq!((problems[0].field.as_str(), problems[0].rule.as_str()), ("image", "max_bytes"));
}

#[tokio::test]
async fn a_refusal_for_money_names_the_exact_price_and_a_daily_limit_its_end() {
    let quote = Reply::json(402, r#"{"error":"Insufficient balance","requiredBalance":0.0035,"status":402}"#);
    let server = Scripted::always(quote).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Refused(error) = answer else { panic!("{answer:?}") };
    assert_eq!(error.required.unwrap().to_string(), "$0.0035");
    for (body, field) in [
        (r#"{"error":{"message":"bad","type":"invalid_request_error","param":"duration"}}"#, Some("duration")),
        (r#"{"error":"bad","field":"resolution","status":400}"#, Some("resolution")),
        (r#"{"error":"Prompt too long","code":"prompt_too_long"}"#, Some("prompt")),
        (r#"{"error":"Prompt is too long. Please keep it under 3000 characters."}"#, Some("prompt")),
        (r#"{"error":{"message":"bad","param":null}}"#, None),
    ] {
        let server = Scripted::always(Reply::json(400, body)).await;
        let (answer, _) = order(&*account(&server.url()), &server.url()).await;
        let SubmitAnswer::Refused(error) = answer else { panic!("{answer:?}") };
        assert_eq!(error.field.as_deref(), field, "{body}");
    }
    let policy =
        r#"{"error":{"message":"Blocked.","type":"CONTENT_POLICY_VIOLATION"},"refundMessage":"You were not charged."}"#;
    let server = Scripted::always(Reply::json(400, policy)).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    assert!(message(&answer).contains("Blocked. You were not charged."), "{}", message(&answer));
    let server = Scripted::always(Reply::new(413, "text/plain", "FUNCTION_PAYLOAD_TOO_LARGE")).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    assert!(message(&answer).contains("give public links instead of files"), "{}", message(&answer));
    let daily = Reply::json(429, r#"{"error":{"message":"Daily","code":"daily_rpd_limit_exceeded"}}"#);
    let server = Scripted::always(daily.header("retry-after", "40000")).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Refused(error) = answer else { panic!("{answer:?}") };
    assert_eq!(error.retry_after.unwrap().as_secs(), 40_000);
}

#[tokio::test]
async fn every_shape_of_a_status_is_told() {
    let cells: Vec<(&str, u16, &str, &str)> = vec![
        (
            "1 nested, queued",
            200,
            r#"{"requestId":"v","model":"m","data":{"status":"IN_QUEUE","requestId":"v"}}"#,
            "working -",
        ),
        (
            "1 nested, in progress",
            200,
            r#"{"requestId":"v","data":{"status":"IN_PROGRESS","progress":30}}"#,
            "working 30",
        ),
        (
            "1 nested, done",
            200,
            r#"{"data":{"status":"COMPLETED","cost":0.3,"output":{"video":{"url":"https://s/a.mp4"}}}}"#,
            "finished https://s/a.mp4",
        ),
        (
            "1 nested, failed",
            200,
            r#"{"data":{"status":"FAILED","error":"Content policy violation","isNSFWError":true,"userFriendlyError":"Please modify."}}"#,
            "failed Content policy violation: Please modify. refunded true",
        ),
        (
            "2 legacy",
            200,
            r#"{"data":{"status":"IN_PROGRESS","request_id":"v","details":"Video is being generated"}}"#,
            "working -",
        ),
        (
            "3 flat, processing",
            200,
            r#"{"requestId":"v","status":"processing","progress":71,"videoUrl":null,"error":null}"#,
            "working 71",
        ),
        (
            "3 flat, done",
            200,
            r#"{"requestId":"v","status":"completed","progress":100,"videoUrl":"https://s/a.mp4","error":null}"#,
            "finished https://s/a.mp4",
        ),
        (
            "3 flat, failed",
            200,
            r#"{"requestId":"v","status":"failed","error":"broken"}"#,
            "failed broken refunded true",
        ),
        ("3 flat, unknown", 200, r#"{"requestId":"v","status":"unknown"}"#, "working -"),
        ("4 skills file", 200, r#"{"status":"completed","videoUrl":"https://s/a.mp4"}"#, "finished https://s/a.mp4"),
        (
            "error object",
            200,
            r#"{"data":{"status":"FAILED","error":{"message":"m","type":"t"}}}"#,
            "failed m refunded true",
        ),
        (
            "no reason",
            200,
            r#"{"data":{"status":"FAILED","error":null}}"#,
            "failed the generation failed; no reason given refunded true",
        ),
        (
            "CANCELED",
            200,
            r#"{"data":{"status":"CANCELED"}}"#,
            "failed the generation failed; no reason given refunded false",
        ),
        (
            "CANCELLED",
            200,
            r#"{"data":{"status":"CANCELLED"}}"#,
            "failed the generation failed; no reason given refunded false",
        ),
        ("delivering", 200, r#"{"data":{"status":"delivering"}}"#, "working -"),
        ("a word nobody knows", 200, r#"{"data":{"status":"DREAMING"}}"#, "working -"),
        (
            "output.url",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"url":"https://s/a.mp4"}}}"#,
            "finished https://s/a.mp4",
        ),
        (
            "four videos",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"video":[{"url":"https://s/1"},{"url":"https://s/2"},{"url":"https://s/3"},{"url":"https://s/4"}]}}}"#,
            "finished https://s/1 https://s/2 https://s/3 https://s/4",
        ),
        (
            "videoUrls",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"videoUrls":["https://s/1","https://s/1","https://s/2"]}}}"#,
            "finished https://s/1 https://s/2",
        ),
        ("data.videoUrl", 200, r#"{"data":{"status":"COMPLETED","videoUrl":"https://s/a"}}"#, "finished https://s/a"),
        ("video_url", 200, r#"{"data":{"status":"COMPLETED","video_url":"https://s/a"}}"#, "finished https://s/a"),
        ("plain string", 200, r#"{"data":{"status":"COMPLETED","output":"https://s/a"}}"#, "finished https://s/a"),
        (
            "video as string",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"video":"https://s/a"}}}"#,
            "finished https://s/a",
        ),
        (
            "relative",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"video":{"url":"/api/generate-video/content?model=g&runId=v&variant=video"}}}}"#,
            "finished BASE/api/generate-video/content?model=g&runId=v&variant=video",
        ),
        ("done without a link", 200, r#"{"data":{"status":"COMPLETED","output":{}}}"#, "error protocol"),
        (
            "a link to nowhere",
            200,
            r#"{"data":{"status":"COMPLETED","output":{"url":"javascript:alert(1)"}}}"#,
            "error protocol",
        ),
        (
            "oldest, done",
            200,
            r#"{"status":"COMPLETED","data":{"isCompleted":true,"isSuccess":true,"output":{"url":"https://s/a.mp4"}}}"#,
            "finished https://s/a.mp4",
        ),
        ("oldest, pending", 200, r#"{"status":"PENDING","data":{"isCompleted":false}}"#, "working -"),
        (
            "oldest, by its booleans",
            200,
            r#"{"data":{"isCompleted":true,"isSuccess":false,"error":"no voice"}}"#,
            "failed no voice refunded true",
        ),
        (
            "an error object without words",
            200,
            r#"{"data":{"status":"FAILED","error":{"detail":"upstream"}}}"#,
            r#"failed {"detail":"upstream"} refunded true"#,
        ),
        (
            "blocked without words",
            200,
            r#"{"data":{"status":"failed","error":null,"isNSFWError":true}}"#,
            "failed blocked for its content; no words given refunded true",
        ),
        (
            "words with control characters",
            200,
            r#"{"status":"FAILED","error":"a\u001b[31mb","userFriendlyError":"try\u0007 again"}"#,
            "failed a[31mb: try again refunded true",
        ),
        // The word outside is of the answer, the one inside of the job.
        (
            "an answer that succeeded, a job that has not",
            200,
            r#"{"status":"success","data":{"status":"IN_PROGRESS"}}"#,
            "working -",
        ),
        ("expired", 200, r#"{"data":{"status":"Expired","error":"old"}}"#, "failed old refunded false"),
        ("an error under 200", 200, r#"{"error":"Unknown job","status":200}"#, "error protocol"),
        ("no status", 200, r#"{"data":{}}"#, "error protocol"),
        ("empty", 200, "", "error protocol"),
        ("401", 401, r#"{"error":"Invalid session","status":401}"#, "error authentication"),
        ("403 not ours", 403, r#"{"error":"not yours","status":403}"#, "error gone"),
        (
            "403 of the key",
            403,
            r#"{"error":{"message":"m","code":"api_key_origin_not_allowed"}}"#,
            "error authentication",
        ),
        ("429", 429, r#"{"error":"slow","status":429}"#, "error rate_limit"),
        ("500", 500, r#"{"error":"m","status":500}"#, "error unavailable"),
        ("502 page", 502, "<html>", "error unavailable"),
    ];
    let job = RemoteJob { remote_id: "vid_1/2".into(), model: "grok".into(), currency: None, generation: None };
    let mut cases = Cases::default();
    for (name, status, body, expected) in cells {
        let server = Scripted::always(Reply::json(status, body)).await;
        let base = format!("{}/nanogpt", server.url());
        let answer = account(&base).poll(&job, &at(&base)).await;
        cases.equal(name, said(answer).as_str(), expected.replace("BASE", &base).as_str());
        cases.equal(name, server.received()[0].target.as_str(), "/nanogpt/api/video/status?requestId=vid%5F1%2F2");
    }
    cases.finish();
}

#[tokio::test]
async fn an_old_id_is_asked_for_at_the_old_endpoint_and_gone_is_gone() {
    let server = Scripted::start(|request| {
        if request.target.starts_with("/api/video/status") {
            return Reply::json(404, r#"{"error":"Video job not found","status":404}"#);
        }
        Reply::json(200, r#"{"data":{"status":"IN_QUEUE","request_id":"fal-1"}}"#)
    })
    .await;
    let job = RemoteJob { remote_id: "fal-1".into(), model: "veo2-video".into(), currency: None, generation: None };
    assert_eq!(said(account(&server.url()).poll(&job, &at(&server.url())).await), "working -");
    let asked: Vec<String> = server.received().into_iter().map(|r| r.target).collect();
    assert_eq!(asked[1], "/api/generate-video/status?runId=fal%2D1&model=veo2%2Dvideo");
    let gone = Scripted::always(Reply::json(404, r#"{"error":"Video job not found","status":404}"#)).await;
    assert_eq!(said(account(&gone.url()).poll(&job, &at(&gone.url())).await), "error gone");
    for (older, expected) in [(400, "error gone"), (503, "error unavailable"), (401, "error authentication")] {
        let server = Scripted::start(move |request| {
            let status = if request.target.starts_with("/api/video/status") { 404 } else { older };
            Reply::json(status, r#"{"error":"m","status":0}"#)
        })
        .await;
        assert_eq!(said(account(&server.url()).poll(&job, &at(&server.url())).await), expected, "{older}");
    }
}

#[tokio::test]
async fn a_status_question_follows_no_redirect_to_another_origin() {
    let elsewhere = Scripted::always(Reply::json(401, r#"{"error":"Invalid session","status":401}"#)).await;
    let to = format!("{}/api/video/status?requestId=v", elsewhere.url());
    let server = Scripted::always(Reply::json(301, "").header("location", &to)).await;
    let job = RemoteJob { remote_id: "v".into(), model: "m".into(), currency: None, generation: None };
    let error = account(&server.url()).poll(&job, &at(&server.url())).await.unwrap_err();
    assert_eq!((error.kind.word(), elsewhere.connections()), ("protocol", 0), "{error}");
    let server = Scripted::start(|request| match request.target.strip_prefix("/v2") {
        Some(_) => Reply::json(200, r#"{"status":"processing"}"#),
        None => Reply::json(308, "").header("location", &format!("/v2{}", request.target)),
    })
    .await;
    assert_eq!(said(account(&server.url()).poll(&job, &at(&server.url())).await), "working -");
    assert!(server.received().iter().all(|r| r.header("x-api-key") == Some(KEY)));
}

#[tokio::test]
async fn the_final_cost_is_read_where_it_is_said() {
    let job = RemoteJob { remote_id: "v".into(), model: "m".into(), currency: None, generation: None };
    for (body, expected) in [
        (
            r#"{"data":{"status":"COMPLETED","cost":0.30000000001,"output":{"url":"https://s/a"}}}"#,
            Some("$0.30000000001"),
        ),
        (
            r#"{"paymentSource":"XNO","data":{"status":"COMPLETED","cost":0.5,"output":{"url":"https://s/a"}}}"#,
            Some("Ӿ0.50"),
        ),
        (r#"{"data":{"status":"COMPLETED","output":{"url":"https://s/a"}}}"#, None),
        (r#"{"cost":0.25,"data":{"status":"COMPLETED","cost":null,"output":{"url":"https://s/a"}}}"#, Some("$0.25")),
    ] {
        let server = Scripted::always(Reply::json(200, body)).await;
        let status = account(&server.url()).poll(&job, &at(&server.url())).await.unwrap();
        assert_eq!(status.cost.map(|c| c.to_string()).as_deref(), expected, "{body}");
    }
}

#[tokio::test]
async fn balances_come_as_texts_or_numbers_in_both_currencies() {
    let mut cases = Cases::default();
    for (name, status, body, expected) in [
        (
            "texts",
            200,
            r#"{"usd_balance":"129.46956147","nano_balance":"26.71801147","nanoDepositAddress":"nano_1"}"#,
            "$129.46956147 Ӿ26.71801147",
        ),
        ("numbers", 200, r#"{"usd_balance":1.50,"nano_balance":0}"#, "$1.50 Ӿ0.00"),
        ("one", 200, r#"{"usd_balance":"3"}"#, "$3.00"),
        ("none", 200, "{}", "error protocol"),
        ("401", 401, r#"{"message":"no"}"#, "error authentication"),
        ("page", 200, "<html>", "error protocol"),
        ("503", 503, "", "error unavailable"),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let seen = match account(&server.url()).balance(&at(&server.url())).await {
            Ok(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        let got = server.received()[0].clone();
        cases.equal(name, (got.method.as_str(), got.target.as_str()), ("POST", "/api/check-balance"));
    }
    cases.finish();
}

#[tokio::test]
async fn a_probe_pins_the_host_and_knows_a_wrong_key() {
    let mut cases = Cases::default();
    for (name, status, body, expected) in [
        ("an unknown job", 404, r#"{"error":"Video job not found","status":404}"#, "fine"),
        ("not ours", 403, r#"{"error":"not yours","status":403}"#, "fine"),
        ("a bad id", 400, r#"{"error":"bad id","status":400}"#, "fine"),
        ("a wrong key", 401, r#"{"error":"Invalid session","status":401}"#, "error authentication"),
        (
            "a key for elsewhere",
            403,
            r#"{"error":{"message":"m","code":"api_key_origin_not_allowed"}}"#,
            "error authentication",
        ),
        ("a page", 404, "<html>", "error protocol"),
        ("down", 503, "", "error unavailable"),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let base = format!("{}/nanogpt", server.url());
        let seen = match account(&base).probe().await {
            Ok(profile) => {
                cases.equal(name, profile.origin.as_str(), base.as_str());
                "fine".to_owned()
            }
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        cases.equal(name, server.received()[0].method.as_str(), "GET");
    }
    cases.finish();
}
