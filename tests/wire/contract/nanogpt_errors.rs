//! NanoGPT's errors (wire.md 1.6, 1.7): every envelope, every code, and what is no JSON at all.

use rushes::domain::{ErrorKind, Service};
use rushes::provider::SubmitAnswer;
use serde_json::{Value, json};

use super::stage::{Stage, refusal};

const MODEL: &str = "veo2-video";

fn answered(status: u16, body: &Value) -> Value {
    json!({"service": "nanogpt", "route": "submit", "kind": "status", "status": status, "body": body.to_string(),
        "headers": {"content-type": "application/json"}})
}

pub async fn reads_every_envelope(stage: &Stage) {
    let at = stage.nanogpt().await;
    let cases = [
        ("{error: text, status}", 401, json!({"error": "Invalid session", "status": 401}), ErrorKind::Authentication),
        (
            "{error, requiredBalance, status}",
            402,
            json!({"error": "Insufficient balance", "requiredBalance": 0.0035, "status": 402}),
            ErrorKind::Balance,
        ),
        (
            "{error: {message, type}, status}",
            400,
            json!({"error": {"message": "blocked", "type": "CONTENT_POLICY_VIOLATION"}, "status": 400}),
            ErrorKind::Policy,
        ),
        ("PRO_REQUIRED", 403, json!({"error": {"message": "pro", "type": "PRO_REQUIRED"}}), ErrorKind::Plan),
        (
            "INSUFFICIENT_BALANCE",
            402,
            json!({"error": {"message": "m", "type": "INSUFFICIENT_BALANCE"}, "refundMessage": "r"}),
            ErrorKind::Balance,
        ),
        ("RATE_LIMITED", 429, json!({"error": {"message": "m", "type": "RATE_LIMITED"}}), ErrorKind::RateLimit),
        (
            "{error: {message, code, type, param}}",
            400,
            json!({"error": {"message": "m", "code": "invalid_value", "type": "invalid_request_error", "param": "duration"}}),
            ErrorKind::Invalid,
        ),
        (
            "prompt_too_long beside a text",
            400,
            json!({"error": "too long", "code": "prompt_too_long"}),
            ErrorKind::Invalid,
        ),
        (
            "prompt_too_long inside an object",
            400,
            json!({"error": {"message": "too long", "code": "prompt_too_long"}}),
            ErrorKind::Invalid,
        ),
        (
            "prompt too long in words alone",
            400,
            json!({"error": "Prompt is too long. Please keep it under 3000 characters."}),
            ErrorKind::Invalid,
        ),
        ("{error: number, message}", 400, json!({"error": 17, "message": "m"}), ErrorKind::Invalid),
        ("{message}", 401, json!({"message": "m"}), ErrorKind::Authentication),
        (
            "x402 payment",
            402,
            json!({"payment": {}, "x402Version": 1, "accepts": [], "error": {"type": "t", "code": "insufficient_quota", "message": "m"}}),
            ErrorKind::Balance,
        ),
        (
            "api_key_origin_not_allowed",
            403,
            json!({"error": {"message": "m", "code": "api_key_origin_not_allowed", "type": "permission_error"}}),
            ErrorKind::Authentication,
        ),
        (
            "unsupported_moderation_input",
            400,
            json!({"error": {"message": "m", "code": "unsupported_moderation_input", "type": "t"}}),
            ErrorKind::Invalid,
        ),
    ];
    for (name, status, body, kind) in cases {
        stage.fault(answered(status, &body)).await;
        let error = refusal(at.submit(MODEL, "an eagle", json!({})).await);
        assert_eq!(error.kind, kind, "{name}: {error:?}");
        match name {
            "{error, requiredBalance, status}" => assert_eq!(error.required.unwrap().to_string(), "$0.0035"),
            "{error: {message, code, type, param}}" => assert_eq!(error.field.as_deref(), Some("duration")),
            _ if name.contains("too long") => assert_eq!(error.field.as_deref(), Some("prompt"), "{name}"),
            _ => {}
        }
        stage.saw(&format!("error {name}"));
    }
}

pub async fn waits_as_told(stage: &Stage) {
    let at = stage.nanogpt().await;
    for (code, header, least) in
        [("daily_rpd_limit_exceeded", "14400".to_owned(), 14_400), ("daily_usd_limit_exceeded", "7".to_owned(), 7)]
    {
        let body = json!({"error": {"message": "m", "code": code, "type": "rate_limit_error"}});
        let mut fault = answered(429, &body);
        fault["headers"]["retry-after"] = json!(header);
        stage.fault(fault).await;
        let error = refusal(at.submit(MODEL, "an eagle", json!({})).await);
        assert_eq!((error.kind, error.retry_after.unwrap().as_secs()), (ErrorKind::RateLimit, least));
        stage.saw(&format!("error 429 {code}"));
    }
    let mut fault = answered(429, &json!({"error": "Rate limit exceeded.", "status": 429}));
    let in_an_hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = in_an_hour.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    fault["headers"]["retry-after"] = json!(date);
    stage.fault(fault).await;
    let wait = refusal(at.submit(MODEL, "an eagle", json!({})).await).retry_after.unwrap().as_secs();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    stage.saw("header Retry-After as a date");
    // The service's own: a key whose day is used up.
    let daily = stage.account(Service::Nanogpt, "nanogpt", "sk-nano-daily-0000-4000-8000-0000000000").await;
    let error = refusal(daily.submit(MODEL, "an eagle", json!({})).await);
    assert!(error.kind == ErrorKind::RateLimit && error.retry_after.is_some(), "{error:?}");
    stage.saw("a key's day used up");
}

/// What settles nothing is never a refusal: the order may have been taken.
pub async fn leaves_open_what_settles_nothing(stage: &Stage) {
    let at = stage.nanogpt().await;
    let html = json!({"service": "nanogpt", "route": "submit", "kind": "html"});
    let plain = json!({"service": "nanogpt", "route": "submit", "kind": "status", "status": 500, "body": "oops"});
    let empty = json!({"service": "nanogpt", "route": "submit", "kind": "empty"});
    let cut = json!({"service": "nanogpt", "route": "submit", "kind": "truncate_json"});
    for (item, fault) in [
        ("an HTML page", html),
        ("plain text with 500", plain),
        ("an empty 200", empty),
        ("JSON cut in half", cut),
        ("503 with an envelope", answered(503, &json!({"error": "down", "status": 503}))),
        ("408", answered(408, &json!({"error": "timeout", "status": 408}))),
        ("409", answered(409, &json!({"error": "conflict", "status": 409}))),
        ("504", answered(504, &json!({"error": "timeout", "status": 504}))),
    ] {
        stage.fault(fault).await;
        let answer = at.submit(MODEL, "an eagle", json!({})).await;
        assert!(matches!(answer, SubmitAnswer::Unknown(_)), "{item}: {answer:?}");
        stage.saw(&format!("{item}: unknown"));
    }
    let edge = json!({"service": "nanogpt", "route": "submit", "kind": "status", "status": 413,
        "body": "Request Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE\n"});
    stage.fault(edge).await;
    assert_eq!(refusal(at.submit(MODEL, "an eagle", json!({})).await).kind, ErrorKind::Invalid);
    stage.saw("the edge's 413 without JSON");
}

pub async fn quotes_the_price_when_money_is_short(stage: &Stage) {
    let at = stage.account(Service::Nanogpt, "nanogpt", "sk-nano-broke-0000-4000-8000-0000000000").await;
    let error = refusal(at.submit(MODEL, "an eagle", json!({"duration": 5})).await);
    assert_eq!((error.kind, error.required.unwrap().to_string()), (ErrorKind::Balance, "$3.40".to_owned()));
    stage.saw("402 with the exact price");
    stage.variant("nanogpt", "quote", "without").await;
    let error = refusal(at.submit(MODEL, "an eagle", json!({"duration": 5})).await);
    assert_eq!((error.kind, error.required), (ErrorKind::Balance, None));
    stage.saw("402 without a price");
}
