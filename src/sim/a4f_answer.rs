//! What A4F's answers look like: the clip in them, and errors, in each way that its revisions and
//! clients know (wire.md 3.3 and 3.4). Knows no order and no plan.

use crate::sim::Simulation;
use crate::sim::a4f_rules::Refusal;
use crate::sim::call::with;
use crate::sim::service::Service;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the clip is, and in what writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub base64: bool,
    pub link: bool,
    prefix: &'static str,
    spaced: bool,
    padded: bool,
}

impl Form {
    /// Plain base64, as seed 004 has it.
    const PLAIN: Self = Self { base64: true, link: false, prefix: "", spaced: false, padded: true };

    /// By the word of the variant `answer`.
    pub fn named(word: &str) -> Self {
        match word {
            "data_url" => Self { prefix: "data:video/mp4;base64,", ..Self::PLAIN },
            "spaced" => Self { spaced: true, ..Self::PLAIN },
            "unpadded" => Self { padded: false, ..Self::PLAIN },
            "url" => Self { base64: false, link: true, ..Self::PLAIN },
            "both" => Self::BOTH,
            _ => Self::PLAIN,
        }
    }

    /// The first revision: base64 and a temporary link (wire.md 3.3).
    pub const BOTH: Self = Self { link: true, ..Self::PLAIN };

    /// A piece of base64 as it stands in JSON: with a line break after every 76 letters, as mail
    /// has it, or without the padding that only the last piece has.
    fn write(self, bytes: &[u8]) -> String {
        let text = STANDARD.encode(bytes);
        if self.spaced {
            // Base64 is ASCII, so every byte is a boundary.
            let lines = text.as_bytes().chunks(76).map(String::from_utf8_lossy);
            return lines.map(|line| format!(" {line}\\r\\n")).collect();
        }
        if self.padded { text } else { text.trim_end_matches('=').to_owned() }
    }
}

/// A multiple of three, so that the pieces join without padding between them, and of 57, which is
/// one line of 76 letters.
const PIECE: usize = 57 * 864;

/// `{created, data:[{b64_json, url, revised_prompt}]}` (seed 004), in pieces: a clip in base64 is
/// tens of megabytes in one string.
pub fn finished(bytes: Bytes, form: Form, link: &str, prompt: &str, created: i64) -> Response {
    // Own: what a revised prompt looks like; the type is string or null.
    let revised = json!(format!("{prompt}, cinematic lighting, high detail"));
    let url = if form.link { json!(link) } else { Value::Null };
    let quote = if form.base64 { "\"" } else { "" };
    let start = if form.base64 { form.prefix } else { "null" };
    let head = format!("{{\"created\":{created},\"data\":[{{\"b64_json\":{quote}{start}");
    let tail = format!("{quote},\"url\":{url},\"revised_prompt\":{revised}}}]}}");
    let count = if form.base64 { bytes.len().div_ceil(PIECE) } else { 0 };
    let plain = (form.base64 && form.padded && !form.spaced).then(|| bytes.len().div_ceil(3) * 4);
    let length = plain.map(|text| head.len() + text + tail.len());
    let pieces = (0..count).map(move |at| {
        let end = ((at + 1) * PIECE).min(bytes.len());
        form.write(&bytes[at * PIECE..end])
    });
    let all = std::iter::once(head).chain(pieces).chain(std::iter::once(tail));
    let all = all.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let body = Body::from_stream(futures_util::stream::iter(all));
    let response = with(Response::new(body), "content-type", "application/json");
    match length {
        Some(length) => with(response, "content-length", &length.to_string()),
        None => response,
    }
}

/// Leaves an error's short code in one field only, where the switch says so: the documents name
/// `type` in one place and "Error Code" in another (wire.md 3.4).
pub async fn dress(State(simulation): State<Arc<Simulation>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<Refusal>().is_none() {
        return response;
    }
    let emptied = match simulation.world().variants.value(Service::A4f, "error_code").as_str() {
        "code" => "type",
        "type" => "code",
        _ => return response,
    };
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut said: Value = serde_json::from_slice(&text).unwrap_or_default();
    said["error"][emptied] = Value::Null;
    Response::from_parts(parts, Body::from(said.to_string()))
}
