//! Refusals, and the envelopes they come in: every row of wire.md 1.6. Knows HTTP, no rule.

use crate::sim::call::{number, reply, with};
use crate::sim::service::Service;
use crate::sim::variants::Variants;
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{"error":"text","status":402}`
    Plain,
    /// `{"error":{"message","type"},"status":400}`
    Typed,
    /// `{"error":{"message","type"},"refundMessage"?}` with types in capitals
    Guide,
    /// `{"error":{"message","code","type","param"?}}`
    OpenAi,
    /// `{"error":"text","code":"prompt_too_long"}`
    Coded,
    /// `{"error":{"message","code"}}`
    Nested,
    /// `{"error":"text"}`
    Bare,
    /// `{"error":400,"message":"text"}`
    Numbered,
    /// `{"message":"text"}`
    Message,
}

impl Envelope {
    /// The switch's words; `documented` is none of them.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "plain" => Self::Plain,
            "typed" => Self::Typed,
            "guide" => Self::Guide,
            "openai" => Self::OpenAi,
            "coded" => Self::Coded,
            "nested" => Self::Nested,
            "bare" => Self::Bare,
            "numbered" => Self::Numbered,
            "message" => Self::Message,
            _ => return None,
        })
    }
}

/// Why a request is not served.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub say: String,
    pub envelope: Envelope,
    pub code: &'static str,
    /// The type of the `Typed` and `Guide` rows.
    pub kind: &'static str,
    pub param: Option<String>,
    /// The exact price of what was refused for money.
    pub price: Option<Decimal>,
    /// Real seconds for `Retry-After`.
    pub wait: Option<u64>,
}

impl Refusal {
    /// `{"error":"text","status":n}` (seed 002), with the code and type that status has elsewhere.
    pub fn plain(status: u16, say: &str) -> Self {
        let (code, kind) = match status {
            401 => ("invalid_api_key", "INVALID_SESSION"),
            402 => ("insufficient_quota", "INSUFFICIENT_BALANCE"),
            403 => ("permission_denied", "PRO_REQUIRED"),
            404 => ("not_found", "NOT_FOUND"),
            409 => ("conflict", "CONFLICT"),
            429 => ("rate_limit_exceeded", "RATE_LIMITED"),
            500..=599 => ("service_unavailable", "SERVER_ERROR"),
            _ => ("invalid_parameter_value", "INVALID_REQUEST"),
        };
        let envelope = Envelope::Plain;
        Self { status, say: say.to_owned(), envelope, code, kind, param: None, price: None, wait: None }
    }

    /// OpenAI style with a code (wire.md 1.6).
    pub fn coded(status: u16, code: &'static str, say: &str) -> Self {
        Self { envelope: Envelope::OpenAi, code, ..Self::plain(status, say) }
    }

    /// A field that is not what it must be, with its name (wire.md 1.6).
    pub fn parameter(name: &str, say: &str) -> Self {
        Self { param: Some(name.to_owned()), ..Self::coded(400, "invalid_parameter_value", say) }
    }

    /// The content-policy answer, word for word (seed 002).
    pub fn policy() -> Self {
        let say = "Your prompt was blocked due to safety concerns. Please modify your prompt.";
        Self {
            envelope: Envelope::Typed,
            code: "content_policy_violation",
            kind: "CONTENT_POLICY_VIOLATION",
            ..Self::plain(400, say)
        }
    }

    /// 402; the quote is the exact price (wire.md 1.6).
    pub fn too_dear(price: Decimal) -> Self {
        Self { price: Some(price), ..Self::plain(402, "Insufficient balance") }
    }

    /// With `Retry-After` in real seconds.
    pub fn after(self, seconds: u64) -> Self {
        Self { wait: Some(seconds), ..self }
    }

    /// The OpenAI `type` of that status (vendor's error page).
    fn family(&self) -> &'static str {
        match self.status {
            401 => "authentication_error",
            402 => "insufficient_quota",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500..=599 => "server_error",
            _ => "invalid_request_error",
        }
    }

    fn body(&self, envelope: Envelope, quoted: bool) -> Value {
        let (say, status) = (&self.say, self.status);
        let mut body = match envelope {
            Envelope::Plain => json!({"error": say, "status": status}),
            Envelope::Typed => json!({"error": {"message": say, "type": self.kind}, "status": status}),
            Envelope::Guide => json!({
                "error": {"message": say, "type": self.kind},
                "refundMessage": "You have not been charged for this request.",
            }),
            Envelope::OpenAi => {
                let mut error = json!({"message": say, "code": self.code, "type": self.family()});
                if let Some(param) = &self.param {
                    error["param"] = json!(param);
                }
                json!({"error": error})
            }
            Envelope::Coded => json!({"error": say, "code": self.code}),
            Envelope::Nested => json!({"error": {"message": say, "code": self.code}}),
            Envelope::Bare => json!({"error": say}),
            Envelope::Numbered => json!({"error": status, "message": say}),
            Envelope::Message => json!({"message": say}),
        };
        if let Some(price) = self.price.filter(|_| quoted) {
            body["requiredBalance"] = number(price);
        }
        body
    }

    /// As it goes over the wire: in its documented envelope, or in the one that is switched on.
    pub fn response(&self, variants: &Variants) -> Response {
        let asked = Envelope::named(&variants.value(Service::NanoGpt, "error_envelope"));
        let quoted = variants.is(Service::NanoGpt, "quote", "told");
        let response = reply(self.status, &self.body(asked.unwrap_or(self.envelope), quoted));
        match self.wait {
            Some(seconds) => with(response, "retry-after", &seconds.to_string()),
            None => response,
        }
    }
}

/// The edge's 413: no JSON (wire.md 1.6).
pub fn too_large(variants: &Variants) -> Response {
    let (kind, text) = match variants.value(Service::NanoGpt, "edge").as_str() {
        "html" => (
            "text/html; charset=utf-8",
            "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body></body>\r\n</html>\r\n",
        ),
        "empty" => ("text/plain", ""),
        _ => {
            ("text/plain; charset=utf-8", "Request Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE\n\niad1::simulator\n")
        }
    };
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    with(response, "content-type", kind)
}

/// What a caller without a key gets who asks for a quote by `x-x402: true` (wire.md 1.6).
pub fn payment_challenge(price: Option<Decimal>) -> Response {
    let body = json!({
        "error": {
            "type": "insufficient_quota", "code": "insufficient_quota",
            "message": "Payment required to complete this request.",
        },
        "payment": {
            "version": 1, "paymentId": "pay_simulated", "amountUsd": price.map(|price| price.to_string()),
            "accepted": [],
        },
        "x402Version": 1,
        "accepts": [],
    });
    reply(402, &body)
}
