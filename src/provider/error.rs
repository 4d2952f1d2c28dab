//! The answer tables: what each documented answer to a paid request settles, as data.
//!
//! Knows every error envelope the services use and one table a service. An order counts as refused,
//! and so as uncharged, only where a row says so; all else that is no acceptance stays unknown.

use std::time::Duration;

use serde_json::Value;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, ErrorKind, Money};
use crate::mutation::mutated;

use super::answer::{Answer, Body, MESSAGE_MAX, RETRY_MAX};
use super::http::Wire;
use super::{ServiceError, SubmitAnswer};

/// One row: answers it speaks of, and what they settle.
#[derive(Debug)]
pub(super) struct Row {
    /// First and last HTTP status it speaks of.
    status: (u16, u16),
    body: Shape,
    verdict: Verdict,
    /// Where that is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "says where each row comes from; the tests ask for it"))]
    source: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Whatever came.
    Any,
    /// A whole JSON error in one of the service's envelopes.
    Envelope,
    /// Such an error with this code or type.
    Code(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// Not taken, nothing charged.
    Refused(ErrorKind),
    /// Settles nothing.
    Unknown(ErrorKind),
}

use ErrorKind::{Authentication, Balance, Generation, Invalid, Plan, Policy, Protocol, RateLimit, Unavailable};
use Shape::{Any, Code, Envelope as Enveloped};
use Verdict::{Refused, Unknown};

const fn row(first: u16, last: u16, body: Shape, verdict: Verdict, source: &'static str) -> Row {
    Row { status: (first, last), body, verdict, source }
}

/// NinjaChat, old generation.
pub(super) const NINJACHAT: &[Row] = &[
    row(300, 399, Any, Refused(Protocol), "a redirected POST was not taken; wire.md 2.1 (apex and www)"),
    row(400, 400, Enveloped, Refused(Invalid), "wire.md 2.4: invalid_json, validation_error"),
    row(401, 401, Enveloped, Refused(Authentication), "wire.md 2.4: missing_api_key, invalid_api_key"),
    row(402, 402, Enveloped, Refused(Balance), "wire.md 2.4: insufficient_credits"),
    row(403, 403, Enveloped, Refused(Authentication), "a refusal by its status; wire.md 2.4 names no code"),
    row(404, 404, Enveloped, Refused(Invalid), "a refusal by its status; wire.md 2.4 names no code"),
    row(413, 413, Enveloped, Refused(Invalid), "a refusal by its status; wire.md 2.4 names no code"),
    row(429, 429, Enveloped, Refused(RateLimit), "wire.md 2.4: rate_limit_exceeded, Retry-After"),
    row(502, 502, Code("generation_failed"), Refused(Unavailable), "wire.md 2.4: generation_failed, not charged"),
];

/// NinjaChat, new generation. Its 5xx say nothing of the charge, so they settle nothing.
pub(super) const NINJACHAT_NEW: &[Row] = &[
    row(300, 399, Any, Refused(Protocol), "a redirected POST was not taken; wire.md 2.1 (apex and www)"),
    row(409, 409, Code("request_in_flight"), Unknown(Unavailable), "wire.md 2.1: the first attempt is under way"),
    row(400, 400, Enveloped, Refused(Invalid), "wire.md 2.4"),
    row(401, 401, Enveloped, Refused(Authentication), "wire.md 2.4"),
    row(402, 402, Enveloped, Refused(Balance), "wire.md 2.4: balance or project spend limit"),
    row(403, 403, Enveloped, Refused(Authentication), "a refusal by its status; wire.md 2.4 names no code"),
    row(404, 404, Enveloped, Refused(Invalid), "wire.md 2.4; to an order: no such model"),
    row(413, 413, Enveloped, Refused(Invalid), "a refusal by its status; wire.md 2.4 names no code"),
    row(429, 429, Enveloped, Refused(RateLimit), "wire.md 2.4: Retry-After as seconds or HTTP date"),
];

/// NanoGPT.
pub(super) const NANOGPT: &[Row] = &[
    row(300, 399, Any, Refused(Protocol), "a redirected POST was not taken"),
    row(400, 403, Code("CONTENT_POLICY_VIOLATION"), Refused(Policy), "seed 002; wire.md 1.6"),
    row(400, 403, Code("unsupported_moderation_input"), Refused(Invalid), "wire.md 1.6"),
    row(400, 403, Code("PRO_REQUIRED"), Refused(Plan), "wire.md 1.6"),
    row(400, 403, Code("INSUFFICIENT_BALANCE"), Refused(Balance), "wire.md 1.6"),
    row(400, 403, Code("insufficient_quota"), Refused(Balance), "wire.md 1.6: 402 of x402"),
    row(400, 403, Code("prompt_too_long"), Refused(Invalid), "wire.md 1.6"),
    row(400, 403, Code("missing_api_key"), Refused(Authentication), "wire.md 1.6"),
    row(400, 403, Code("api_key_origin_not_allowed"), Refused(Authentication), "wire.md 1.6"),
    row(400, 429, Code("RATE_LIMITED"), Refused(RateLimit), "wire.md 1.6"),
    row(429, 429, Code("daily_rpd_limit_exceeded"), Refused(RateLimit), "wire.md 1.7"),
    row(429, 429, Code("daily_usd_limit_exceeded"), Refused(RateLimit), "wire.md 1.7"),
    row(400, 400, Enveloped, Refused(Invalid), "seed 002: model-specific errors"),
    row(401, 401, Enveloped, Refused(Authentication), "seed 002: Invalid session; wire.md 1.6: missing_api_key"),
    row(402, 402, Enveloped, Refused(Balance), "seed 002: Insufficient balance; wire.md 1.6: requiredBalance"),
    row(403, 403, Enveloped, Refused(Authentication), "wire.md 1.6: api_key_origin_not_allowed, permission"),
    row(404, 404, Enveloped, Refused(Invalid), "wire.md 1.6: unknown model"),
    row(413, 413, Any, Refused(Invalid), "wire.md 1.6: the edge refuses bodies over 4.5 MB, not in JSON"),
    row(429, 429, Enveloped, Refused(RateLimit), "seed 002: rate limit exceeded"),
];

/// A4F. Its upstream's failures may come under any status, 200 included (wire.md 3.4).
pub(super) const A4F: &[Row] = &[
    row(300, 399, Any, Refused(Protocol), "a redirected POST was not taken"),
    row(200, 599, Code("n_exceeds_model_limit"), Refused(Invalid), "seed 004"),
    row(200, 599, Code("invalid_api_key"), Refused(Authentication), "seed 004"),
    row(200, 599, Code("permission_denied_error"), Refused(Plan), "seed 004: Pro or Ultra required"),
    row(200, 599, Code("rate_limit_exceeded"), Refused(RateLimit), "seed 004: rate limits or daily quota"),
    row(200, 599, Code("timeout"), Unknown(Unavailable), "wire.md 3.4: 408, nothing said of the quota"),
    row(200, 599, Code("provider_error"), Refused(Generation), "seed 004: the upstream failed to produce the video"),
    row(401, 401, Enveloped, Refused(Authentication), "seed 004"),
    row(402, 402, Enveloped, Refused(Balance), "a refusal by its status; wire.md 3.4 names no code"),
    row(403, 403, Enveloped, Refused(Plan), "seed 004"),
    row(404, 404, Enveloped, Refused(Invalid), "a refusal by its status; wire.md 3.4 names no code"),
    row(413, 413, Enveloped, Refused(Invalid), "a refusal by its status; wire.md 3.4 names no code"),
    row(429, 429, Enveloped, Refused(RateLimit), "seed 004"),
    row(200, 499, Code("invalid_request_error"), Refused(Invalid), "seed 004"),
    row(400, 400, Enveloped, Refused(Invalid), "seed 004"),
    row(200, 200, Enveloped, Refused(Generation), "wire.md 3.4: an error inside 200 is the upstream's failure"),
];

/// An error as a service wrote it, whatever its envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    /// Its words, cleaned.
    pub(super) message: String,
    /// Its code, then its type, where given.
    pub(super) codes: Vec<String>,
    field: Option<String>,
    required: Option<Money>,
    retry_after: Option<Duration>,
    /// The service says that the same again will not do better (wire.md 6, NinjaChat).
    hopeless: bool,
}

impl Envelope {
    /// Reads every envelope of wire.md 1.6, 2.4 and 3.4; `None` where there is no error in it.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(|t| clean(t, MESSAGE_MAX));
        let error = json.get("error").unwrap_or(&Value::Null);
        let mut envelope = Envelope::default();
        match error {
            Value::Object(_) => {
                envelope.message = text(error, "message").unwrap_or_default();
                envelope.codes.extend(text(error, "code"));
                envelope.codes.extend(text(error, "type"));
                envelope.field = text(error, "param").or_else(|| text(error, "field"));
            }
            Value::String(words) => {
                let words = clean(words, MESSAGE_MAX);
                match text(json, "message") {
                    Some(message) => {
                        envelope.message = message;
                        envelope.codes.push(words);
                    }
                    None => envelope.message = words,
                }
                envelope.codes.extend(text(json, "code"));
            }
            Value::Null | Value::Number(_) => {
                envelope.message = text(json, "message")?;
                envelope.codes.extend(text(json, "code"));
            }
            _ => return None,
        }
        if envelope.message.is_empty() && envelope.codes.is_empty() {
            return None;
        }
        let field = || text(json, "param").or_else(|| text(json, "field"));
        envelope.field = envelope.field.or_else(field).filter(|field| !field.is_empty());
        // What it says of the money goes with its words (wire.md 1.6).
        if let Some(refund) = text(json, "refundMessage").or_else(|| text(error, "refundMessage")) {
            let gap = if envelope.message.is_empty() { "" } else { " " };
            envelope.message += &format!("{gap}{refund}");
        }
        envelope.read_details(json);
        let places = || [Some(json), json.get("error")].into_iter().flatten();
        let number = |key: &str| places().find_map(|place| place.get(key)).map(plain);
        envelope.hopeless = number("retryable").as_deref() == Some("false");
        envelope.required = number("requiredBalance").and_then(|t| Money::parse(&t, Currency::Usd).ok());
        envelope.retry_after = number("retry_after")
            .and_then(|t| t.parse().ok())
            .and_then(|s| Duration::try_from_secs_f64(s).ok())
            .map(|wait| wait.min(RETRY_MAX));
        if envelope.has("prompt_too_long") || envelope.message.starts_with("Prompt is too long") {
            envelope.field.get_or_insert_with(|| "prompt".to_owned());
        }
        Some(envelope)
    }

    /// NinjaChat's `details: [{field, message}]` (wire.md 2.1).
    fn read_details(&mut self, json: &Value) {
        let Some(Value::Array(details)) = json.get("details") else { return };
        for detail in details.iter().take(4) {
            let part = |key: &str| detail.get(key).and_then(Value::as_str).unwrap_or_default();
            let (field, message) = (clean(part("field"), 60), clean(part("message"), 120));
            if self.field.is_none() && !field.is_empty() {
                self.field = Some(field.clone());
            }
            if !message.is_empty() && !self.message.contains(&message) {
                self.message += &format!("; {field}: {message}");
            }
        }
    }

    /// Whether its code or type is this one, in any case.
    pub(super) fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|c| c.eq_ignore_ascii_case(code))
    }

    fn words(&self) -> String {
        let code = self.codes.first().filter(|code| !self.message.contains(code.as_str()));
        let words = match code {
            Some(code) if self.message.is_empty() => code.clone(),
            Some(code) => format!("{} [{}]", self.message, clean(code, 60)),
            None => self.message.clone(),
        };
        if self.hopeless { words + ", and says that trying again does not help" } else { words }
    }
}

/// What an answer that is no acceptance settles, read from a service's table.
pub(super) fn judge(table: &[Row], wire: &Wire, answer: &Answer) -> SubmitAnswer {
    let envelope = answer.json().and_then(Envelope::read);
    match verdict(table, answer.status, envelope.as_ref()) {
        Refused(kind) => SubmitAnswer::Refused(error(wire, kind, answer, envelope)),
        Unknown(kind) => {
            let mut error = error(wire, kind, answer, envelope);
            error.message += "; whether the order was taken cannot be told from that";
            SubmitAnswer::Unknown(error)
        }
    }
}

/// The verdict of the first row that fits; unknown where none does.
fn verdict(table: &[Row], status: u16, envelope: Option<&Envelope>) -> Verdict {
    let fits = |row: &&Row| {
        (row.status.0..=row.status.1).contains(&status)
            && match row.body {
                Any => true,
                Enveloped => envelope.is_some(),
                Code(code) => envelope.is_some_and(|e| e.has(code)),
            }
    };
    if mutated("bare_502_refused") && status == 502 {
        return Refused(Unavailable);
    }
    let otherwise = || Unknown(if status >= 500 || status == 408 { Unavailable } else { Protocol });
    table.iter().find(fits).map_or_else(otherwise, |row| row.verdict)
}

/// What the answer to a free call means that is no success.
pub(super) fn free(table: &[Row], wire: &Wire, answer: &Answer) -> ServiceError {
    let envelope = answer.json().and_then(Envelope::read);
    let by_code = envelope.as_ref().and_then(|e| {
        let row = table.iter().find(|row| matches!(row.body, Code(code) if e.has(code)))?;
        let (Refused(kind) | Unknown(kind)) = row.verdict;
        Some(kind)
    });
    let kind = match (answer.status, &answer.body) {
        (404 | 410, _) => ErrorKind::Gone,
        (_, Body::Cut(_)) => Unavailable,
        (401, _) => Authentication,
        (429, _) => RateLimit,
        (408 | 500..=599, _) => Unavailable,
        _ => match (by_code, answer.status) {
            (Some(kind), _) => kind,
            (None, 402) => Balance,
            (None, 403) => Authentication,
            (None, 400) if envelope.is_some() => Invalid,
            (None, _) => Protocol,
        },
    };
    error(wire, kind, answer, envelope)
}

/// The same for a status question, where 403 without a known code is a job that is not ours any more
/// (wire.md 1.2).
pub(super) fn poll_failure(table: &[Row], wire: &Wire, answer: &Answer) -> ServiceError {
    let mut error = free(table, wire, answer);
    let coded = answer
        .json()
        .and_then(Envelope::read)
        .is_some_and(|e| table.iter().any(|row| matches!(row.body, Code(code) if e.has(code))));
    if answer.status == 403 && !coded {
        error.kind = ErrorKind::Gone;
    }
    error
}

fn error(wire: &Wire, kind: ErrorKind, answer: &Answer, envelope: Option<Envelope>) -> ServiceError {
    let name = wire.service.title();
    let message = match (&envelope, &answer.location) {
        (Some(envelope), _) => format!("{name}: {} (HTTP {})", envelope.words(), answer.status),
        (None, Some(to)) if (300..400).contains(&answer.status) => {
            format!("{name} redirects to {to} (HTTP {}); check the account's base URL", answer.status)
        }
        (None, _) => format!("{name} answered {}", answer.describe()),
    };
    let message = match answer.status {
        413 => message + "; the order is too large: give public links instead of files, or smaller files",
        _ => message,
    };
    let envelope = envelope.unwrap_or_default();
    ServiceError {
        kind,
        message,
        field: envelope.field,
        retry_after: answer.retry_after.or(envelope.retry_after),
        status: Some(answer.status),
        required: envelope.required,
        answer: answer.verbatim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_envelope_of_the_documents_is_read() {
        let cases = [
            (json!({"error": "Invalid session", "status": 401}), "Invalid session", None),
            (
                json!({"error": {"message": "blocked", "type": "CONTENT_POLICY_VIOLATION"}, "status": 400}),
                "blocked",
                Some("CONTENT_POLICY_VIOLATION"),
            ),
            (json!({"error": {"message": "m", "code": "c", "type": "t", "param": "duration"}}), "m", Some("c")),
            (
                json!({"error": {"message": "m", "type": "invalid_api_key", "param": null, "code": null}}),
                "m",
                Some("invalid_api_key"),
            ),
            (json!({"error": "too long", "code": "prompt_too_long"}), "too long", Some("prompt_too_long")),
            (json!({"error": 7, "message": "m"}), "m", None),
            (json!({"message": "m"}), "m", None),
            (
                json!({"error": "validation_error", "message": "m", "details": [{"field": "duration", "message": "is 5"}]}),
                "m; duration: is 5",
                Some("validation_error"),
            ),
        ];
        for (json, message, code) in cases {
            let envelope = Envelope::read(&json).unwrap_or_else(|| panic!("{json}"));
            assert_eq!(envelope.message, message, "{json}");
            assert_eq!(envelope.codes.first().map(String::as_str), code, "{json}");
        }
        for none in [json!({}), json!({"error": null}), json!([1]), json!({"runId": "x"}), json!({"error": false})] {
            assert_eq!(Envelope::read(&none), None, "{none}");
        }
        let quote = Envelope::read(&json!({"error": "Insufficient balance", "requiredBalance": 0.0035})).unwrap();
        assert_eq!(quote.required.unwrap().to_string(), "$0.0035");
        let field = Envelope::read(&json!({"error": "Prompt is too long. Please keep it under 3000 characters."}));
        assert_eq!(field.unwrap().field.as_deref(), Some("prompt"));
    }

    #[test]
    fn only_a_whole_documented_refusal_is_a_refusal() {
        let envelope = Envelope::read(&json!({"error": {"message": "m", "code": "c"}})).unwrap();
        for (name, table) in
            [("ninjachat", NINJACHAT), ("ninjachat new", NINJACHAT_NEW), ("nanogpt", NANOGPT), ("a4f", A4F)]
        {
            for row in table {
                assert!(!row.source.is_empty(), "{name}: each row says where it comes from");
            }
            for status in 400..=599 {
                let bare = verdict(table, status, None);
                let refused_bare = name == "nanogpt" && status == 413;
                assert_eq!(matches!(bare, Refused(_)), refused_bare, "{name} {status} without an envelope: {bare:?}");
                let told = verdict(table, status, Some(&envelope));
                let documented = matches!(status, 400 | 401 | 402 | 403 | 404 | 413 | 429);
                assert_eq!(matches!(told, Refused(_)), documented, "{name} {status} with an envelope: {told:?}");
            }
            for status in (300..400).chain([200, 201, 202, 204, 206]) {
                let refused = matches!(verdict(table, status, None), Refused(_));
                assert_eq!(refused, status >= 300, "{name} {status}");
            }
        }
    }
}
