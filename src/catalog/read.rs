//! Reads a catalogue file: models as TOML tables, with parameters that several share.
//!
//! Knows the file's form. Must not know what any model is, nor where the text lies.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::model::{Model, ModelRef};
use crate::domain::rule::Check;
use crate::domain::{ParameterKind, Service};

/// What is wrong with a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct CatalogError {
    /// The file, with the line or the model where they are known.
    pub place: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl CatalogError {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        CatalogError { place: place.into(), message: message.into() }
    }
}

/// The file as written. Models stay JSON here, so that a user's file may say only what it changes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    /// The service of every model that names none.
    service: Option<Service>,
    /// The day the prices were read, for every price that names none.
    #[serde(default)]
    as_of: String,
    /// Parameters by a name of this file's own, for `parameters = ["name", ...]`.
    #[serde(default)]
    shared: BTreeMap<String, toml::Value>,
    #[serde(default)]
    models: Vec<toml::Table>,
}

/// One model as a file describes it, whole or in part.
#[derive(Clone, Debug)]
pub struct Entry {
    service: Service,
    id: String,
    place: String,
    fields: Map<String, Value>,
}

impl Entry {
    /// The service and id it speaks of.
    pub fn name(&self) -> (Service, &str) {
        (self.service, &self.id)
    }

    /// Whether it means models of that generation; an entry that names none means all.
    pub fn speaks_of(&self, generation: Option<&str>) -> bool {
        self.fields.get("generation").is_none_or(|own| own.as_str() == generation)
    }

    /// The model, where the entry stands for itself.
    ///
    /// # Errors
    /// [`CatalogError`] for a missing field, an unknown key, or a description that contradicts itself.
    pub fn model(&self) -> Result<Model, CatalogError> {
        finish(self.fields.clone(), &self.place)
    }

    /// The model, where the entry changes `base`: its fields replace those of the same name.
    ///
    /// # Errors
    /// As [`Entry::model`].
    pub fn over(&self, base: &Model) -> Result<Model, CatalogError> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(base) else {
            return self.model();
        };
        for (key, value) in &self.fields {
            fields.insert(key.clone(), value.clone());
        }
        finish(fields, &self.place)
    }
}

/// Reads a file's entries. `source` is what a model or price that names none came from.
///
/// # Errors
/// [`CatalogError`] with the file and line of what TOML or the form refuse.
pub fn entries(text: &str, file: &str, source: Option<&str>) -> Result<Vec<Entry>, CatalogError> {
    let sheet: Sheet = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        CatalogError::new(format!("{file}:{line}"), error.message())
    })?;
    sheet.models.iter().map(|table| entry(&sheet, table, file, source)).collect()
}

fn entry(sheet: &Sheet, table: &toml::Table, file: &str, source: Option<&str>) -> Result<Entry, CatalogError> {
    let mut fields = match serde_json::to_value(table) {
        Ok(Value::Object(fields)) => fields,
        _ => return Err(CatalogError::new(file, "a model is not a table")),
    };
    let Some(id) = fields.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return Err(CatalogError::new(file, "a model has no `id`"));
    };
    let place = format!("{file}, model {id}");
    let service = match (fields.get("service").and_then(Value::as_str), sheet.service) {
        (Some(word), _) => word.parse().map_err(|why| CatalogError::new(&place, why))?,
        (None, Some(service)) => service,
        (None, None) => return Err(CatalogError::new(&place, "names no `service`: ninjachat, nanogpt or a4f")),
    };
    fields.insert("service".into(), Value::String(service.word().into()));
    if let Some(source) = source {
        fields.insert("source".into(), Value::String(source.into()));
    }
    let source = fields.get("source").cloned();
    if let Some(Value::Object(price)) = fields.get_mut("price") {
        price.entry("as_of").or_insert_with(|| Value::String(sheet.as_of.clone()));
        if let Some(source) = source {
            price.entry("source").or_insert(source);
        }
    }
    if let Some(Value::Array(parameters)) = fields.get_mut("parameters") {
        for parameter in parameters {
            let Value::String(name) = &*parameter else { continue };
            let Some(shared) = sheet.shared.get(name) else {
                return Err(CatalogError::new(&place, format!("`{name}` is no parameter under [shared]")));
            };
            *parameter = serde_json::to_value(shared).unwrap_or_default();
        }
    }
    Ok(Entry { service, id, place, fields })
}

fn finish(fields: Map<String, Value>, place: &str) -> Result<Model, CatalogError> {
    let model: Model =
        serde_json::from_value(Value::Object(fields)).map_err(|error| CatalogError::new(place, error.to_string()))?;
    match contradiction(&model) {
        Some(message) => Err(CatalogError::new(place, message)),
        None => Ok(model),
    }
}

/// What in a description cannot be meant: twice the same parameter, a default that its own rules
/// refuse, a rule about a parameter that is not there.
pub fn contradiction(model: &Model) -> Option<String> {
    for (i, parameter) in model.parameters.iter().enumerate() {
        if model.parameters[..i].iter().any(|p| p.name == parameter.name) {
            return Some(format!("has the parameter `{}` twice", parameter.name));
        }
        if model.parameters[..i].iter().any(|p| p.wire_key() == parameter.wire_key()) {
            return Some(format!("would send `{}` twice", parameter.wire_key()));
        }
        if parameter.default.is_some() && parameter.kind.is_media() {
            return Some(format!("gives the media parameter `{}` a default", parameter.name));
        }
    }
    for rule in &model.rules {
        let other = match &rule.check {
            Check::Requires(other) | Check::Excludes(other) => Some(other),
            _ => None,
        };
        for name in rule.when.keys().chain(other).chain([&rule.field]) {
            if name != "prompt" && model.parameter(name).is_none() {
                return Some(format!("has a rule about `{name}`, which is no parameter of it"));
            }
        }
    }
    let mut request = crate::domain::Request::new(
        &ModelRef { account: model.service.word().to_owned(), model: model.id.clone() },
        "x",
    );
    for parameter in &model.parameters {
        // A required value is the user's to give; what is judged here are the defaults beside it.
        if let (true, None) = (parameter.required, &parameter.default) {
            let any = match parameter.kind {
                kind if kind.is_media() => Value::String("https://example.com/x".into()),
                ParameterKind::Text => Value::String("x".into()),
                _ => Value::from(1),
            };
            let legal = parameter.choices().into_iter().next();
            let least = parameter.range.and_then(|r| serde_json::from_str(&r.min.to_string()).ok());
            request.params.insert(parameter.name.clone(), legal.or(least).unwrap_or(any));
        }
    }
    // Defaults are spelled out so that their types are judged too.
    request.params = request.values(model);
    // What must be given under a condition is the user's to give too.
    let problems = request.validate(model).err()?.into_iter().filter(|p| p.rule != "input_required");
    let lines: Vec<String> = problems.map(|p| p.to_string()).collect();
    (!lines.is_empty()).then(|| format!("refuses its own defaults: {}", lines.join("; ")))
}
