//! The video models that A4F lists (`GET /models?type=video/generation`; wire.md 3.1).
//!
//! Knows its entries, which name models and describe no parameters. Must not know what the built-in
//! catalogue says of the same models.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use url::Url;

use crate::domain::model::{Model, Parameter, ParameterKind};
use crate::domain::price::{Price, Shape};
use crate::domain::rule::Range;
use crate::domain::text::{clean, is_hidden};
use crate::domain::{ErrorKind, Service};

use super::super::ServiceError;
use super::super::answer::CATALOGUE_MAX;
use super::super::error::{A4F, free};
use super::super::http::Wire;

const MODELS: &str = "/v1/models?type=video/generation";
/// Most models that are read.
const MODELS_MAX: usize = 500;
/// Where an order's fields are described; the list says nothing of them.
const FIELDS: &str = "wire.md 3.2";

pub(super) async fn discover(wire: &Wire, origin: &Url) -> Result<Vec<Model>, ServiceError> {
    let answer = wire.get(origin, MODELS, CATALOGUE_MAX).await?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => read(json).ok_or_else(|| {
            let text = format!("the list of models cannot be read: {}", answer.describe());
            wire.error(ErrorKind::Protocol, &text)
        }),
        None => Err(free(A4F, wire, &answer)),
    }
}

/// Reads `{data:[{id, base_model, owned_by, type?}]}`; `None` where there is no list.
fn read(json: &Value) -> Option<Vec<Model>> {
    let entries = json.get("data")?.as_array()?;
    let kind = |entry: &Value| entry.get("type").and_then(Value::as_str).map(|kind| kind.starts_with("video/"));
    // Types are optional; a list that has others was not narrowed, so what bears none is left out.
    let narrowed = entries.iter().all(|entry| kind(entry) != Some(false));
    let videos = entries.iter().filter(|entry| kind(entry).unwrap_or(narrowed));
    Some(videos.take(MODELS_MAX).filter_map(model).collect())
}

fn model(entry: &Value) -> Option<Model> {
    let id = entry.get("id")?.as_str()?;
    if id.is_empty() || id.len() > 200 || id.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
        return None;
    }
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(|t| clean(t, 60)).filter(|t| !t.is_empty());
    let mut price = Price::unknown("discovered", "unknown");
    price.shape = Shape::Plan {};
    Some(Model {
        name: text("name").or_else(|| text("base_model")).unwrap_or_default(),
        maker: text("owned_by"),
        parameters: parameters(),
        ..Model::new(id, Service::A4f, price, "discovered")
    })
}

/// The fields of an order, as narrow as every documented model takes them; the quality is left to
/// the user, since no single one is taken by all.
fn parameters() -> Vec<Parameter> {
    let field = |name: &str, wire: &str, kind| Parameter {
        wire: Some(wire.to_owned()),
        source: Some(FIELDS.to_owned()),
        ..Parameter::new(name, kind)
    };
    let seconds = Range { min: Decimal::ONE, max: Decimal::from(4), step: Decimal::ONE };
    vec![
        Parameter {
            range: Some(seconds),
            default: Some(json!(4)),
            note: Some("what this model takes is not published; every known one takes 4 s".to_owned()),
            ..field("duration", "duration", ParameterKind::Integer)
        },
        Parameter {
            one_of: vec![json!("480p"), json!("720p"), json!("1080p")],
            required: true,
            note: Some("which of them this model takes is not published".to_owned()),
            ..field("resolution", "quality", ParameterKind::Text)
        },
        Parameter {
            one_of: ["1:1", "16:9", "9:16", "3:4", "4:3"].map(|ratio| json!(ratio)).to_vec(),
            default: Some(json!("9:16")),
            ..field("aspect_ratio", "ratio", ParameterKind::Text)
        },
    ]
}
