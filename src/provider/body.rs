//! The body of an order, made from the model's description alone.
//!
//! Knows how described parameters are written on a wire. Must not know any model or service.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::Url;

use crate::domain::Problem;
use crate::domain::model::{Parameter, ParameterKind, Send};
use crate::domain::request::{is_url, links};
use crate::domain::rule::number;
use crate::domain::text::plain;

use super::{Input, Order, PaidRequest, ServiceError};

/// A body and the same for the record.
#[derive(Debug, PartialEq)]
pub(super) struct Built {
    /// As it is sent, stored inputs as data URLs.
    pub(super) wire: Map<String, Value>,
    /// As it is kept, stored inputs by hash.
    pub(super) record: Map<String, Value>,
}

impl Built {
    /// Adds the same value to both.
    pub(super) fn insert(&mut self, key: &str, value: Value) {
        self.record.insert(key.to_owned(), value.clone());
        self.wire.insert(key.to_owned(), value);
    }

    /// Takes a key out of both.
    pub(super) fn remove(&mut self, key: &str) {
        self.record.remove(key);
        self.wire.remove(key);
    }

    /// The exact request and its record.
    pub(super) fn request(self, url: &Url, headers: Vec<(String, String)>) -> PaidRequest {
        let record = json!({
            "method": "POST",
            "url": url.as_str(),
            "headers": headers.iter().cloned().collect::<BTreeMap<_, _>>(),
            "body": self.record,
        });
        let body = Bytes::from(Value::Object(self.wire).to_string());
        PaidRequest { url: url.to_string(), headers, body, record: record.to_string() }
    }
}

/// A failure to form the request at all, as a problem.
pub(super) fn problem(error: &ServiceError) -> Problem {
    Problem::new("model", "url", error.message.clone())
}

/// Writes an order as its model's description says.
///
/// # Errors
/// What the wire cannot carry, by field.
pub(super) fn build(order: &Order<'_>) -> Result<Built, Vec<Problem>> {
    let mut built = Built { wire: Map::new(), record: Map::new() };
    let mut problems = Vec::new();
    let mut taken: BTreeMap<&str, &str> = BTreeMap::from([("model", "model"), ("prompt", "prompt")]);
    built.insert("model", Value::String(order.model.id.clone()));
    if !order.prompt.is_empty() {
        built.insert("prompt", Value::String(order.prompt.to_owned()));
    }
    for (name, value) in order.values {
        match order.model.parameter(name) {
            _ if value.is_null() => {}
            None => {
                let text = format!("is no parameter of {}", order.model.id);
                problems.push(Problem::new(name, "unknown", text));
            }
            Some(parameter) if parameter.send == Send::Never => {}
            Some(parameter) => {
                let key = key(parameter, value);
                if let Some(other) = taken.insert(key, name) {
                    let text = format!("is sent as {key}, which {other} is sent as too; give only one of them");
                    problems.push(Problem::new(name, "excludes", text));
                } else if parameter.kind.is_media() {
                    problems.extend(write_media(parameter, value, order.inputs, &mut built).err());
                } else {
                    built.insert(key, written(parameter, value));
                }
            }
        }
    }
    if problems.is_empty() { Ok(built) } else { Err(problems) }
}

/// The key that a value is sent under.
fn key<'a>(parameter: &'a Parameter, value: &Value) -> &'a str {
    let stored = parameter.kind.is_media() && plain(value).starts_with("sha256:");
    parameter.wire_data.as_deref().filter(|_| stored).unwrap_or(parameter.wire_key())
}

/// A plain value as the wire wants it.
fn written(parameter: &Parameter, value: &Value) -> Value {
    let text = plain(value);
    if let Some(other) = parameter.map.get(&text) {
        return other.clone();
    }
    if parameter.kind == ParameterKind::Links {
        let list = Value::from(links(value).unwrap_or_default());
        return if parameter.send == Send::JsonText { Value::String(list.to_string()) } else { list };
    }
    // The description's own value is echoed verbatim, so that `5` goes out as `"5"` where that is
    // what the service lists (wire.md 1.3).
    let option = parameter.one_of.iter().find(|option| plain(option) == text);
    let value = option.unwrap_or(value);
    match parameter.send {
        Send::Text => Value::String(digits(parameter, value)),
        Send::Seconds => {
            let text = digits(parameter, value);
            Value::String(if text.ends_with('s') { text } else { text + "s" })
        }
        Send::JsonText if value.is_string() => value.clone(),
        Send::JsonText => Value::String(value.to_string()),
        Send::Plain | Send::Never if option.is_some() => value.clone(),
        Send::Plain | Send::Never => typed(parameter, value),
    }
}

/// A value's text, whole numbers without a fraction.
fn digits(parameter: &Parameter, value: &Value) -> String {
    match number(value) {
        Some(n) if parameter.kind == ParameterKind::Integer => n.normalize().to_string(),
        _ => plain(value),
    }
}

/// A value in the parameter's own JSON type, also where a batch file wrote it as text.
fn typed(parameter: &Parameter, value: &Value) -> Value {
    let text = digits(parameter, value);
    match parameter.kind {
        ParameterKind::Integer | ParameterKind::Number => text.parse().map_or_else(|_| value.clone(), Value::Number),
        ParameterKind::Boolean => text.parse().map_or_else(|_| value.clone(), Value::Bool),
        ParameterKind::Text => Value::String(text),
        _ => value.clone(),
    }
}

fn write_media(parameter: &Parameter, value: &Value, inputs: &[Input], built: &mut Built) -> Result<(), Problem> {
    let problem = |rule: &str, text: String| Problem::new(&parameter.name, rule, text);
    let text = plain(value);
    if is_url(&text) {
        built.insert(parameter.wire_key(), Value::String(text));
        return Ok(());
    }
    let Some(hash) = text.strip_prefix("sha256:") else {
        return Err(problem("url", "is neither a link nor a stored file; give a URL or a file".to_owned()));
    };
    let Some(key) = &parameter.wire_data else {
        return Err(problem(
            "url",
            "must be a public http(s) URL; this service takes no uploaded file here".to_owned(),
        ));
    };
    let Some(input) = inputs.iter().find(|input| input.sha256 == hash) else {
        return Err(problem("input_required", "is a stored file that is no longer there; queue it again".to_owned()));
    };
    if let Some(max) = parameter.max_bytes.filter(|max| input.bytes.len() as u64 > *max) {
        return Err(problem("max_bytes", format!("has {} bytes; at most {max} are taken", input.bytes.len())));
    }
    let mut url = format!("data:{};base64,", input.mime);
    STANDARD.encode_string(&input.bytes, &mut url);
    built.wire.insert(key.clone(), Value::String(url));
    built.record.insert(key.clone(), Value::String(text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Model;
    use crate::domain::rule::Values;

    fn model() -> Model {
        toml::from_str(
            r#"
            id = "m"
            service = "nanogpt"
            source = "test"
            price = { shape = { unknown = {} }, as_of = "2026-08-21", source = "test" }
            parameters = [
              { name = "duration", type = "integer", one_of = ["5", "10"] },
              { name = "length", type = "integer", send = "seconds" },
              { name = "frames", type = "integer" },
              { name = "steps", type = "integer", send = "text" },
              { name = "cfg_scale", type = "number" },
              { name = "audio", type = "boolean", wire = "generateAudio" },
              { name = "aspect_ratio", type = "text", wire = "orientation", map = { "16:9" = "landscape" } },
              { name = "tier", type = "text", send = "never" },
              { name = "script", type = "json" },
              { name = "image", type = "image", wire = "imageUrl", wire_data = "imageDataUrl", max_bytes = 4 },
              { name = "video", type = "video", wire = "videoUrl" },
              { name = "still", type = "image", wire = "imageUrl" },
            ]
            "#,
        )
        .unwrap()
    }

    fn build_with(values: Value, inputs: &[Input]) -> Result<Built, Vec<Problem>> {
        let (model, values): (Model, Values) = (model(), serde_json::from_value(values).unwrap());
        build(&Order { model: &model, prompt: "p", values: &values, inputs, correlation: "c" })
    }

    fn png(bytes: &'static [u8]) -> Input {
        Input { sha256: "aa".into(), mime: "image/png".into(), bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn each_value_is_written_as_the_description_says() {
        let values = json!({
            "duration": 5, "length": 8, "frames": "81.0", "steps": "20.0", "cfg_scale": "0.10", "audio": "true",
            "aspect_ratio": "16:9", "tier": "x", "script": {"a": [1]}, "image": "https://x/y.png",
        });
        let expected = json!({
            "model": "m", "prompt": "p", "duration": "5", "length": "8s", "frames": 81, "steps": "20",
            "generateAudio": true, "orientation": "landscape", "script": {"a": [1]}, "imageUrl": "https://x/y.png",
        });
        let built = build_with(values, &[]).unwrap();
        let mut wire = built.wire.clone();
        assert_eq!(wire.remove("cfg_scale").unwrap().to_string(), "0.10", "a number keeps its digits");
        assert_eq!(Value::Object(wire), expected);
        assert_eq!(built.record, built.wire);
    }

    #[test]
    fn a_stored_file_goes_out_as_a_data_url_and_into_the_record_by_hash() {
        let built = build_with(json!({"image": "sha256:aa"}), &[png(b"abc")]).unwrap();
        assert_eq!(built.wire["imageDataUrl"], "data:image/png;base64,YWJj");
        assert_eq!(built.record["imageDataUrl"], "sha256:aa");
        let rule = |values, inputs: &[Input]| build_with(values, inputs).unwrap_err()[0].rule.clone();
        assert_eq!(rule(json!({"image": "sha256:aa"}), &[png(b"abcde")]), "max_bytes");
        assert_eq!(rule(json!({"image": "sha256:bb"}), &[png(b"abc")]), "input_required");
        assert_eq!(rule(json!({"image": "cat.png"}), &[]), "url");
        assert_eq!(rule(json!({"video": "sha256:aa"}), &[png(b"abc")]), "url");
        assert_eq!(rule(json!({"fps": 3}), &[]), "unknown");
        let twice = json!({"image": "https://x/1.png", "still": "https://x/2.png"});
        assert_eq!(rule(twice, &[]), "excludes", "one value must not silently replace another");
    }
}
