//! NinjaChat's new generation: every cell of its table, its order, its statuses, its balance, its
//! catalogue and what a lost order leaves behind.

use std::sync::Arc;

use rushes::domain::{ErrorKind, Model, ParameterKind, Service};
use rushes::provider::{Grade, Intent, Provider, RemoteJob, RemoteState, SubmitAnswer};
use serde_json::json;

use super::scripted::{Reply, Scripted};
use super::support::*;

const TAKEN: &str = include_str!("bodies/ninjachat_new_submit.json");

/// An account that is fixed to the new generation.
fn account(base: &str) -> Arc<dyn Provider> {
    account_fixed(base, Some("new"))
}

/// The error envelope of wire.md 2.4.
fn nested(code: &str) -> String {
    format!(r#"{{"error":{{"message":"said the service","type":"some_error","code":"{code}","param":null}}}}"#)
}

#[tokio::test]
async fn every_cell_of_the_answer_table() {
    let html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    let flat = r#"{"error":"insufficient_credits","message":"said the service"}"#;
    let retryable = r#"{"error":{"message":"m","type":"t","code":"overloaded","retryable":false},"balance":"$1.00"}"#;
    let cells: Vec<(&str, Reply, &str)> = vec![
        ("200 accepted", Reply::json(200, TAKEN), "accepted"),
        ("201 accepted", Reply::json(201, TAKEN), "accepted"),
        ("200 without a cost", Reply::json(200, r#"{"id":"v1","object":"video","status":"queued"}"#), "accepted"),
        ("200 without an id", Reply::json(200, r#"{"object":"video","request_id":"req_1"}"#), "unknown protocol"),
        ("200 with an error inside", Reply::json(200, &nested("internal_error")), "unknown protocol"),
        ("200 empty", Reply::json(200, ""), "unknown protocol"),
        ("200 plain text", Reply::new(200, "text/plain", "OK"), "unknown protocol"),
        ("200 web page", Reply::new(200, "text/html", html), "unknown protocol"),
        ("200 cut before the body", Reply::json(200, TAKEN).cut_at(0), "unknown protocol"),
        ("200 cut mid-answer", Reply::json(200, TAKEN).cut_at(40), "unknown protocol"),
        ("308 to www", Reply::json(308, "").header("location", "http://127.0.0.1:1/api/v1/videos"), "refused protocol"),
        ("400 envelope", Reply::json(400, &nested("validation_error")), "refused invalid"),
        ("401 envelope", Reply::json(401, &nested("invalid_api_key")), "refused authentication"),
        ("402 balance", Reply::json(402, &nested("insufficient_credits")), "refused balance"),
        ("402 project spend limit", Reply::json(402, &nested("spend_limit_exceeded")), "refused balance"),
        ("402 in the old shape", Reply::json(402, flat), "refused balance"),
        ("403 envelope", Reply::json(403, &nested("forbidden")), "refused authentication"),
        ("404 envelope", Reply::json(404, &nested("model_not_found")), "refused invalid"),
        ("409 request_in_flight", Reply::json(409, &nested("request_in_flight")), "unknown unavailable"),
        ("409 another code", Reply::json(409, &nested("conflict")), "unknown protocol"),
        ("413 envelope", Reply::json(413, &nested("too_large")), "refused invalid"),
        ("429 envelope", Reply::json(429, &nested("rate_limit_exceeded")), "refused rate_limit"),
        ("400 web page", Reply::new(400, "text/html", html), "unknown protocol"),
        ("401 plain text", Reply::new(401, "text/plain", "Unauthorized"), "unknown protocol"),
        ("402 empty", Reply::json(402, ""), "unknown protocol"),
        ("402 cut mid-answer", Reply::json(402, &nested("insufficient_credits")).cut_at(20), "unknown protocol"),
        ("500 envelope", Reply::json(500, &nested("internal_error")), "unknown unavailable"),
        ("500 that will not be better", Reply::json(500, retryable), "unknown unavailable"),
        ("502 generation_failed", Reply::json(502, &nested("generation_failed")), "unknown unavailable"),
        ("502 web page", Reply::new(502, "text/html", html), "unknown unavailable"),
        ("503 empty", Reply::json(503, ""), "unknown unavailable"),
        ("504 plain text", Reply::new(504, "text/plain", "upstream timed out"), "unknown unavailable"),
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
        if name == "500 that will not be better" {
            cases.check(name, message(&answer).contains("trying again does not help"), message(&answer));
        }
        if name == "409 request_in_flight" {
            cases.check(name, message(&answer).contains("do not order it again"), message(&answer));
        }
    }
    cases.finish();
}

#[tokio::test]
async fn an_acceptance_is_read_to_the_last_digit() {
    let server = Scripted::always(Reply::json(200, TAKEN)).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    let SubmitAnswer::Accepted(accepted) = answer else { panic!("{answer:?}") };
    assert_eq!((accepted.remote_id.as_str(), accepted.phase.as_deref()), ("vid_9f:2/c", Some("queued")));
    assert_eq!(accepted.cost.unwrap().amount.to_string(), "0.4820");
    assert_eq!((accepted.balance, accepted.request_id.as_deref()), (None, Some("req_7Qm2")));
    let headed = Scripted::always(Reply::json(200, TAKEN).header("x-request-id", "req_head")).await;
    let (answer, _) = order(&*account(&headed.url()), &headed.url()).await;
    assert!(matches!(&answer, SubmitAnswer::Accepted(a) if a.request_id.as_deref() == Some("req_head")), "{answer:?}");
    let odd = Scripted::always(Reply::json(200, r#"{"id":"v","status":"queued","cost_usd":"soon"}"#)).await;
    let (answer, _) = order(&*account(&odd.url()), &odd.url()).await;
    assert!(matches!(&answer, SubmitAnswer::Accepted(a) if a.cost.is_none()), "unknown is not zero: {answer:?}");
}

/// A model with every field that the documents name.
fn whole_model() -> Model {
    model(
        Service::Ninjachat,
        "veo-3.1-fast",
        r#"{ name = "duration", type = "integer" }, { name = "aspect_ratio", type = "text" },
           { name = "image", wire = "image_url", type = "image" }, { name = "end_image", wire = "end_image_url", type = "image" },
           { name = "reference_images", type = "links", max_items = 4 }, { name = "reference_video", type = "video" },
           { name = "reference_audio", type = "audio" }, { name = "audio", wire = "generate_audio", type = "boolean" },
           { name = "watermark", type = "boolean" }, { name = "cfg_scale", type = "number" }"#,
    )
}

#[tokio::test]
async fn an_order_is_one_post_with_our_own_idempotency_key_that_its_record_repeats_byte_for_byte() {
    let server = Scripted::always(Reply::json(200, TAKEN)).await;
    let base = format!("{}/ninjachat-new", server.url());
    let provider = account(&base);
    let values = json!({
        "duration": "6", "aspect_ratio": "9:16", "image": "https://x/a.png", "end_image": "https://x/b.png",
        "reference_images": "https://x/1.png https://x/2.png", "reference_video": "https://x/v.mp4",
        "reference_audio": "https://x/s.mp3", "audio": true, "watermark": false,
    });
    let request = prepare(&*provider, &base, &whole_model(), values);
    let record: serde_json::Value = serde_json::from_str(&request.record).unwrap();
    provider.submit(request.clone(), &Default::default(), Box::new(SharedSink::default())).await;
    let got = &server.received()[0];
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/ninjachat-new/api/v1/videos"));
    assert_eq!(got.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(got.header("idempotency-key"), Some(OURS));
    let expected = json!({
        "model": "veo-3.1-fast", "prompt": "a misty valley", "duration": 6, "aspect_ratio": "9:16",
        "image_url": "https://x/a.png", "end_image_url": "https://x/b.png",
        "reference_images": ["https://x/1.png", "https://x/2.png"], "reference_video": "https://x/v.mp4",
        "reference_audio": "https://x/s.mp3", "generate_audio": true, "watermark": false,
    });
    assert_eq!(got.json(), expected);
    assert_eq!(record["url"], request.url);
    assert_eq!(record["headers"], json!({"Idempotency-Key": OURS, "X-Request-ID": OURS}));
    assert_eq!(record["body"].to_string().as_bytes(), request.body, "the record is the body, byte for byte");
    assert_eq!(got.body, request.body);
    assert!(!request.record.contains(KEY));
}

#[tokio::test]
async fn a_field_the_service_does_not_know_is_refused_before_it_is_sent() {
    let base = "http://127.0.0.1:1";
    let provider = account(base);
    let values = serde_json::from_value(json!({"duration": 6, "cfg_scale": 0.5})).unwrap();
    let model = whole_model();
    let order = rushes::provider::Order { model: &model, prompt: "p", values: &values, inputs: &[], correlation: OURS };
    let problems = provider.prepare(&order, &at(base)).unwrap_err();
    assert_eq!((problems.len(), problems[0].field.as_str(), problems[0].rule.as_str()), (1, "cfg_scale", "unknown"));
    assert!(account_fixed(base, Some("old")).prepare(&order, &at(base)).is_ok(), "the old one states no such thing");
}

#[tokio::test]
async fn every_status_is_told() {
    let job = RemoteJob {
        remote_id: "vid:a/b c".into(),
        model: "veo-3.1".into(),
        currency: None,
        generation: Some("new".into()),
    };
    let (key, denied, gone) = (nested("invalid_api_key"), nested("forbidden"), nested("not_found"));
    let (limited, broken) = (nested("rate_limit_exceeded"), nested("internal_error"));
    let cells: Vec<(&str, u16, &str, &str)> = vec![
        ("queued", 200, r#"{"id":"v","object":"video","status":"queued"}"#, "working -"),
        ("processing", 200, r#"{"id":"v","object":"video","status":"processing","progress":71}"#, "working 71"),
        ("progress beyond its end", 200, r#"{"status":"processing","progress":100}"#, "working 100"),
        ("a word nobody knows", 200, r#"{"status":"dreaming"}"#, "working -"),
        (
            "completed",
            200,
            r#"{"id":"v","object":"video","status":"completed","progress":100,"video_url":"https://cdn.x/v.mp4"}"#,
            "finished https://cdn.x/v.mp4",
        ),
        ("completed without a link", 200, r#"{"status":"completed","video_url":null}"#, "error protocol"),
        ("failed", 200, r#"{"status":"failed","error":"no luck"}"#, "failed no luck refunded true"),
        ("failed as object", 200, r#"{"status":"failed","error":{"message":"no"}}"#, "failed no refunded true"),
        (
            "failed for its content",
            200,
            r#"{"status":"failed","error":"Content policy violation"}"#,
            "failed Content policy violation refunded true",
        ),
        (
            "failed without a word",
            200,
            r#"{"status":"failed"}"#,
            "failed the generation failed; no reason given refunded true",
        ),
        ("no status", 200, r#"{"object":"video"}"#, "error protocol"),
        ("web page", 200, "<html>", "error protocol"),
        ("empty", 200, "", "error protocol"),
        ("401", 401, &key, "error authentication"),
        ("403", 403, &denied, "error gone"),
        ("404", 404, &gone, "error gone"),
        ("429", 429, &limited, "error rate_limit"),
        ("500", 500, &broken, "error unavailable"),
        ("503 page", 503, "<html>", "error unavailable"),
    ];
    let mut cases = Cases::default();
    for (name, status, body, expected) in cells {
        let server = Scripted::always(Reply::json(status, body)).await;
        let answer = account(&server.url()).poll(&job, &at(&server.url())).await;
        if let Ok(RemoteState::Failed { error, .. }) = answer.as_ref().map(|status| &status.state) {
            cases.equal(name, error.kind == ErrorKind::Policy, name == "failed for its content");
        }
        cases.equal(name, said(answer).as_str(), expected);
        cases.equal(name, server.received()[0].target.as_str(), "/api/v1/videos/vid%3Aa%2Fb%20c");
    }
    cases.finish();
}

#[tokio::test]
async fn the_balance_is_read_exactly_or_not_at_all() {
    let mut cases = Cases::default();
    for (name, status, body, expected) in [
        ("as documented", 200, include_str!("bodies/ninjachat_new_balance.json"), "$42.505"),
        ("text only", 200, r#"{"object":"balance","balance":"$0.006","currency":"usd"}"#, "$0.006"),
        ("another currency", 200, r#"{"object":"balance","balance_cents":5,"currency":"eur"}"#, "error protocol"),
        ("nothing in it", 200, r#"{"object":"balance"}"#, "error protocol"),
        ("a page", 200, "<html>", "error protocol"),
        ("401", 401, &nested("invalid_api_key"), "error authentication"),
        ("402", 402, &nested("spend_limit_exceeded"), "error balance"),
        ("503", 503, "", "error unavailable"),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let seen = match account(&server.url()).balance(&at(&server.url())).await {
            Ok(amounts) => amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        cases.equal(name, server.received()[0].target.as_str(), "/api/v1/balance");
    }
    cases.finish();
}

/// The catalogue of the recorded bodies, with the rate sheet or without.
async fn discovered(pricing: Reply) -> Vec<Model> {
    let server = Scripted::start(move |request| match request.target.as_str() {
        "/api/v1/models" => Reply::json(200, include_str!("bodies/ninjachat_new_models.json")),
        _ => pricing.clone(),
    })
    .await;
    account(&server.url()).discover(&at(&server.url())).await.unwrap()
}

#[tokio::test]
async fn the_catalogue_becomes_descriptions_and_what_is_not_clear_stays_unknown() {
    let models = discovered(Reply::json(200, include_str!("bodies/ninjachat_new_pricing.json"))).await;
    let mut cases = Cases::default();
    cases.equal("video models only", models.len(), 8);
    for (id, price, gone) in [
        ("veo-3.1-fast", "$0.1205 a second", false),
        ("kling-video", "$3.00 a clip", false),
        ("wan-2.7-i2v", "from $0.35; exact price unknown", false),
        // No unit price, but the rate sheet names the most a clip can cost.
        ("nova-reel", "at most $1.28 a clip", false),
        // Nothing is free: zero and less are no price.
        ("runway-gen4.5", "unknown", true),
        ("vidu-q3", "unknown", true),
        ("grok-imagine-video", "from $0.20; exact price unknown", false),
        // The list and the rate sheet contradict each other: the dearer one.
        ("seedance-lite", "at most $0.80 a clip", false),
    ] {
        let model = models.iter().find(|m| m.id == id).unwrap();
        let at_most = if model.price.is_upper() { "at most " } else { "" };
        cases.equal(id, format!("{at_most}{}", model.price.text()).as_str(), price);
        cases.equal(id, model.gone, gone);
        cases.equal(id, (model.generation.as_deref(), model.prompt_max), (Some("new"), Some(4000)));
        cases.equal(id, model.price.as_of.as_str(), "2026-11-19");
        cases.check(id, model.own("duration").is_some_and(|p| p.default.is_some()), "a length is always sent");
    }
    let names = |id: &str| {
        let model = models.iter().find(|m| m.id == id).unwrap();
        model.parameters.iter().map(|p| format!("{}>{}", p.name, p.wire_key())).collect::<Vec<_>>().join(" ")
    };
    cases.equal(
        "named fields",
        names("veo-3.1-fast").as_str(),
        "duration>duration aspect_ratio>aspect_ratio image>image_url end_image>end_image_url \
         reference_images>reference_images audio>generate_audio watermark>watermark",
    );
    cases.equal(
        "other spellings",
        names("wan-2.7-i2v").as_str(),
        "duration>duration aspect_ratio>aspect_ratio image>image_url reference_video>reference_video \
         reference_audio>reference_audio negative_prompt>negative_prompt",
    );
    let only_images = models.iter().find(|m| m.id == "wan-2.7-i2v").unwrap().own("image").unwrap();
    cases.check("a model that animates images needs one", only_images.required, only_images);
    let links = models[0].own("reference_images").unwrap();
    cases.equal("at most four", (links.kind, links.max_items), (ParameterKind::Links, Some(4)));
    let told = models.iter().find(|m| m.id == "nova-reel").and_then(|m| m.best_for.clone()).unwrap_or_default();
    cases.check("deprecated is said", told.contains("deprecated"), told);
    let alone = discovered(Reply::new(404, "text/html", "<html>")).await;
    let nova = alone.iter().find(|m| m.id == "nova-reel").unwrap();
    cases.equal("without the rate sheet", nova.price.text().as_str(), "unknown");
    cases.finish();
    let page = Scripted::always(Reply::new(200, "text/html", "<html>")).await;
    let error = account(&page.url()).discover(&at(&page.url())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn only_a_record_that_names_our_own_id_with_a_charge_is_proof() {
    let usage = include_str!("bodies/ninjachat_new_usage.json");
    let record = include_str!("bodies/ninjachat_new_record.json");
    let echo = format!(r#"{{"object":"request","request_id":"{OURS}","model":null,"cost_cents":null}}"#);
    let other = record.replace(OURS, "req_of_somebody_else");
    let other_model = record.replace(r#""model":"veo-3.1-fast""#, r#""model":"kling-video""#);
    let refused = record.replace(r#""status_code":200"#, r#""status_code":402"#);
    let free = record.replace("48.2", "0");
    let no_such = nested("not_found");
    let mut cases = Cases::default();
    for (name, (status, about), usage, expected) in [
        ("our own id and a charge", (200, record), (200, usage), "proven a charge of $0.482"),
        ("an echo of the question", (200, echo.as_str()), (200, usage), "open 2 requests for veo-3.1-fast"),
        ("another id", (200, other.as_str()), (200, usage), "open 2 requests"),
        ("another model", (200, other_model.as_str()), (200, usage), "open 2 requests"),
        ("an order that was refused", (200, refused.as_str()), (200, usage), "open 2 requests"),
        ("nothing charged", (200, free.as_str()), (200, usage), "open 2 requests"),
        ("no record", (404, no_such.as_str()), (200, usage), "open $0.964 in all, and names none"),
        ("no request at all", (404, no_such.as_str()), (200, r#"{"by_model":[]}"#), "open no request for veo-3.1-fast"),
        ("no usage either", (404, no_such.as_str()), (404, no_such.as_str()), "open compare the balance"),
        ("a wrong key", (401, no_such.as_str()), (200, usage), "error authentication"),
        ("out of order", (503, ""), (503, ""), "error unavailable"),
    ] {
        let (about, usage) = (Reply::json(status, about), Reply::json(usage.0, usage.1));
        let server = Scripted::start(move |request| {
            let asked = format!("/api/v1/requests/{}", OURS.replace('-', "%2D"));
            if request.target == asked { about.clone() } else { usage.clone() }
        })
        .await;
        let intent = Intent { correlation: OURS.into(), model: "veo-3.1-fast".into(), sent_at: 0 };
        let (grade, text) = match account(&server.url()).find(&intent, &at(&server.url())).await {
            Ok(evidence) => match evidence.grade {
                Grade::Proven => ("proven", evidence.text),
                Grade::Likely => ("likely", evidence.text),
                Grade::Open => ("open", evidence.text),
            },
            Err(error) => ("error", error.kind.word().to_owned()),
        };
        let (expected_grade, says) = expected.split_once(' ').unwrap();
        cases.equal(name, grade, expected_grade);
        cases.check(name, text.contains(says), text);
        cases.check(name, server.received().iter().all(|r| r.method == "GET"), "looking only reads");
    }
    cases.finish();
}
