//! The models that NinjaChat's new generation lists (`GET /models`, `GET /pricing`; wire.md 2.2),
//! read into descriptions.
//!
//! Knows its entries; what is not clear is left out, and a price that is not clear is unknown. Must
//! not know what the built-in catalogue says of the same models.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use url::Url;

use crate::domain::model::{Model, Parameter, ParameterKind};
use crate::domain::price::{Price, Shape};
use crate::domain::rule::Range;
use crate::domain::text::{clean, is_hidden, plain};
use crate::domain::{Currency, ErrorKind, Money, Service};

use super::super::ServiceError;
use super::super::answer::CATALOGUE_MAX;
use super::super::error::{NINJACHAT_NEW, free};
use super::super::http::Wire;

const MODELS: &str = "/api/v1/models";
const PRICING: &str = "/api/v1/pricing";
/// Most models that are read.
const MODELS_MAX: usize = 2_000;
/// Where the fields of an order are described; the list names them only.
const FIELDS: &str = "wire.md 2.3";
/// Longest prompt (wire.md 2.3).
const PROMPT_MAX: u32 = 4_000;

/// Most that a clip of a model costs, by the model's id.
type Ceilings = BTreeMap<String, Decimal>;

pub(super) async fn discover(wire: &Wire, origin: &Url) -> Result<Vec<Model>, ServiceError> {
    let answer = wire.get(origin, MODELS, CATALOGUE_MAX).await?;
    let Some(listed) = answer.json().filter(|_| answer.is_success()) else {
        return Err(free(NINJACHAT_NEW, wire, &answer));
    };
    // The rate sheet only adds to the list; without it prices the list leaves open stay unknown.
    let sheet = match wire.get(origin, PRICING, CATALOGUE_MAX).await {
        Ok(answer) if answer.is_success() => answer.json().map(ceilings).unwrap_or_default(),
        _ => Ceilings::new(),
    };
    read(listed, &sheet).ok_or_else(|| {
        let text = format!("the catalogue cannot be read: {}", answer.describe());
        wire.error(ErrorKind::Protocol, &text)
    })
}

/// Reads `{object:"list", data, generated_at}`; `None` where there is no list.
fn read(json: &Value, sheet: &Ceilings) -> Option<Vec<Model>> {
    let entries = json.get("data")?.as_array()?;
    let as_of = json.get("generated_at").and_then(Value::as_str).and_then(|text| text.get(..10));
    let as_of = as_of.filter(|day| day.parse::<jiff::civil::Date>().is_ok()).unwrap_or("unknown");
    let videos = entries.iter().filter(|entry| entry.get("modality").is_some_and(|word| word == "video"));
    Some(videos.take(MODELS_MAX).filter_map(|entry| model(entry, sheet, as_of)).collect())
}

fn model(entry: &Value, sheet: &Ceilings, as_of: &str) -> Option<Model> {
    let id = entry.get("id")?.as_str()?;
    if id.is_empty() || id.len() > 200 || id.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
        return None;
    }
    let text = |key: &str, max| entry.get(key).and_then(Value::as_str).map(|t| clean(t, max)).filter(|t| !t.is_empty());
    // preview, ga, deprecated or retired (wire.md 6).
    let status = text("status", 20).unwrap_or_default().to_ascii_lowercase();
    let price = price(entry.get("pricing").unwrap_or(&Value::Null), sheet.get(id).copied(), as_of);
    Some(Model {
        name: text("name", 80).unwrap_or_default(),
        maker: text("brand", 60).or_else(|| text("owned_by", 60)),
        best_for: match status.as_str() {
            "deprecated" => Some("deprecated: the service is about to withdraw it".to_owned()),
            "preview" => Some("a preview, by the service's own word".to_owned()),
            _ => None,
        },
        prompt_max: Some(PROMPT_MAX),
        generation: Some("new".to_owned()),
        parameters: parameters(entry),
        gone: status == "retired" || entry.get("servable") == Some(&Value::Bool(false)),
        ..Model::new(id, Service::Ninjachat, price, "discovered")
    })
}

/// `{unit: token|image|second|request, perUnitUsd?, typicalRequestUsd?}` (wire.md 2.2). A rate sheet
/// names the price of a model's longest clip, a ceiling (the vendor's own client types say so).
fn price(pricing: &Value, ceiling: Option<Decimal>, as_of: &str) -> Price {
    let amount = |key: &str| pricing.get(key).and_then(positive);
    let unit = pricing.get("unit").and_then(Value::as_str).unwrap_or_default();
    let mut price = Price::unknown("discovered", as_of);
    (price.shape, price.at_most) = match (unit, amount("perUnitUsd"), ceiling) {
        ("second", Some(amount), _) => (Shape::PerSecond { amount }, false),
        // A clip of any length has one price, so that a dearer ceiling contradicts it.
        ("request", Some(amount), Some(top)) if top > amount => (Shape::PerClip { amount: top }, true),
        ("request", Some(amount), _) => (Shape::PerClip { amount }, false),
        (_, _, Some(amount)) => (Shape::PerClip { amount }, true),
        _ => (Shape::Unknown { from: amount("typicalRequestUsd").filter(|_| !unit.is_empty()) }, false),
    };
    price
}

/// An amount of dollars above zero: a price that is not known is not free.
fn positive(value: &Value) -> Option<Decimal> {
    let money = Money::parse(&plain(value), Currency::Usd).ok()?;
    (money.amount > Decimal::ZERO).then_some(money.amount)
}

/// `{object:"pricing", currency:"usd", video:[{id, per_video_cents, per_video}]}`.
fn ceilings(json: &Value) -> Ceilings {
    if json.get("currency").is_some_and(|code| !plain(code).eq_ignore_ascii_case("usd")) {
        return Ceilings::new();
    }
    let rows = ["video", "videos"].iter().find_map(|key| json.get(key).and_then(Value::as_array));
    let row = |row: &Value| {
        let id = row.get("id").or_else(|| row.get("model"))?.as_str()?;
        let cents = row.get("per_video_cents").and_then(positive).map(|cents| cents / Decimal::ONE_HUNDRED);
        Some((id.to_owned(), cents.or_else(|| row.get("per_video").and_then(positive))?))
    };
    rows.into_iter().flatten().take(MODELS_MAX).filter_map(row).collect()
}

/// The fields a model takes, by `supportedParameters`. The list names them; what they take stands in
/// the documents and is no news about one model.
fn parameters(entry: &Value) -> Vec<Parameter> {
    let words = |key: &str| -> Vec<String> {
        let list = entry.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(bare).collect()
    };
    let (named, can) = (words("supportedParameters"), words("capabilities"));
    let able = |word: &str| can.iter().any(|c| c == word);
    // Two that every model has; a length must be sent, since the service's own default of 8 is more
    // than some models take (wire.md 2.3).
    let mut all = vec![duration(), aspect_ratio()];
    let takes = |wire: &str| named.iter().any(|name| *name == bare(wire));
    let image = takes("image_url") || able("imagetovideo");
    if image {
        let only = able("imagetovideo") && !able("texttovideo");
        all.push(Parameter { required: only, ..field("image", "image_url", ParameterKind::Image) });
    }
    for (name, wire, kind) in [
        ("end_image", "end_image_url", ParameterKind::Image),
        ("reference_images", "reference_images", ParameterKind::Links),
        ("reference_video", "reference_video", ParameterKind::Video),
        ("reference_audio", "reference_audio", ParameterKind::Audio),
        ("audio", "generate_audio", ParameterKind::Boolean),
        ("watermark", "watermark", ParameterKind::Boolean),
        ("negative_prompt", "negative_prompt", ParameterKind::Text),
    ] {
        if takes(wire) {
            let mut parameter = field(name, wire, kind);
            parameter.max_items = (kind == ParameterKind::Links).then_some(4);
            parameter.default = (kind == ParameterKind::Boolean).then_some(Value::Bool(false));
            all.push(parameter);
        }
    }
    all
}

/// A name however it is written: `image_url`, `imageUrl`, `image-url`.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn field(name: &str, wire: &str, kind: ParameterKind) -> Parameter {
    Parameter { wire: Some(wire.to_owned()), source: Some(FIELDS.to_owned()), ..Parameter::new(name, kind) }
}

fn duration() -> Parameter {
    let range = Range { min: Decimal::from(4), max: Decimal::from(15), step: Decimal::ONE };
    Parameter {
        range: Some(range),
        default: Some(json!(8)),
        note: Some("which lengths this model takes is not published".to_owned()),
        ..field("duration", "duration", ParameterKind::Integer)
    }
}

fn aspect_ratio() -> Parameter {
    Parameter {
        one_of: vec![json!("16:9"), json!("9:16")],
        default: Some(json!("16:9")),
        ..field("aspect_ratio", "aspect_ratio", ParameterKind::Text)
    }
}
