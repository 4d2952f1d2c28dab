//! One row made into a request, checked against its model.
//!
//! Knows the names that mean something to us; every other name is a parameter of the model. Must not
//! know the form the row was written in.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Fields, Options};
use crate::cli::shelf::Shelf;
use crate::domain::model::{Model, Parameter, ParameterKind};
use crate::domain::request::{MAX_COPIES, is_url};
use crate::domain::rule::number;
use crate::domain::text::plain;
use crate::domain::{Currency, ModelRef, Money, Problem, Request};

/// Longest key, bytes.
const LONGEST_KEY: usize = 200;

/// A row that may be queued.
pub struct Row {
    /// What it asks for.
    pub request: Request,
    /// How often, from 1.
    pub copies: u32,
    /// Its own key, if it has one.
    pub key: Option<String>,
    /// The most one clip may cost where its price is unknown.
    pub ceiling: Option<Money>,
    /// What it asks for as canonical text, with files told by their content.
    pub content: String,
    /// Whether nobody knows its price.
    pub unpriced: bool,
}

/// Makes rows of fields.
pub struct Desk<'a> {
    shelf: &'a Shelf,
    base: PathBuf,
    files: HashMap<PathBuf, Result<(u64, String), String>>,
}

impl<'a> Desk<'a> {
    /// Paths in rows start from `base`.
    pub fn new(shelf: &'a Shelf, base: PathBuf) -> Self {
        Desk { shelf, base, files: HashMap::new() }
    }

    /// The row, checked.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn row(&mut self, fields: Fields, options: &Options) -> Result<Row, Vec<Problem>> {
        let mut problems = Vec::new();
        let nobody = ModelRef { account: String::new(), model: String::new() };
        let mut request = Request { tags: options.tags.clone(), ..Request::new(&nobody, "") };
        let (mut name, mut copies, mut key, mut ceiling) = (None, 1, None, options.ceiling);
        for (field, value) in fields {
            if value.is_null() {
                continue;
            }
            let read = match field.as_str() {
                "model" => text(&field, &value).map(|text| name = Some(text)),
                "prompt" => text(&field, &value).map(|text| request.prompt = text),
                "key" => own_key(&value).map(|text| key = Some(text)),
                "copies" => count(&value).map(|n| copies = n),
                "tags" => tags(&value).map(|mut tags| request.tags.append(&mut tags)),
                "ceiling" => dollars(&value).map(|money| ceiling = Some(money)),
                _ => {
                    request.params.insert(field, value);
                    Ok(())
                }
            };
            problems.extend(read.err());
        }
        let offer = match name.as_deref() {
            Some(name) => self.shelf.find(name),
            None => match request.params.keys().find(|field| nearest(field, ["model"].into_iter()).is_some()) {
                Some(field) => Err(Problem::new(field, "unknown", "means nothing here; did you mean `model`?")),
                None => Err(Problem::new("model", "input_required", "must be given, as account/model-id")),
            },
        };
        let offer = match offer {
            Ok(offer) => offer,
            Err(problem) => {
                // Without its model, only a blank prompt can be judged.
                let misspelt = request.params.keys().find(|field| nearest(field, ["prompt"].into_iter()).is_some());
                if let Some(field) = misspelt.filter(|_| request.prompt.is_empty()) {
                    problems.push(Problem::new(field, "unknown", "means nothing here; did you mean `prompt`?"));
                } else if request.prompt.trim().is_empty() {
                    problems.push(Problem::new("prompt", "blank", "is blank; say what the clip shall show"));
                }
                problems.insert(0, problem);
                return Err(problems);
            }
        };
        request.account.clone_from(&offer.account);
        request.model.clone_from(&offer.model.id);
        for (name, value) in &mut request.params {
            if let Some(parameter) = offer.model.parameter(name) {
                typed(parameter, value);
            }
        }
        let mut found = request.validate(&offer.model).err().unwrap_or_default();
        suggest(&mut found, &offer.model);
        problems.append(&mut found);
        let (content, trouble) = self.media(&mut request, &offer.model, options.shrink);
        for problem in trouble {
            if !problems.iter().any(|known| known.field == problem.field) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let unpriced = ceiling.is_none() && offer.estimate(&request).is_none();
        Ok(Row { request, copies, key, ceiling, content, unpriced })
    }

    /// Makes paths absolute and checks their files; the canonical text tells a file by its content,
    /// so that the same row in another directory is the same row. A picture that may be made smaller is
    /// not too large here.
    fn media(&mut self, request: &mut Request, model: &Model, shrink: bool) -> (String, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut told = None;
        let all = model.parameters.iter().chain(model.advanced.iter());
        for parameter in all.filter(|p| p.kind.is_media() && p.wire_data.is_some()) {
            let is_picture = parameter.kind == ParameterKind::Image;
            let most = parameter.max_bytes.filter(|_| !(shrink && is_picture));
            let Some(Value::String(text)) = request.params.get(&parameter.name) else { continue };
            if is_url(text) || text.starts_with("sha256:") || text.trim().is_empty() {
                continue;
            }
            let path = std::path::absolute(self.base.join(text)).unwrap_or_else(|_| PathBuf::from(text));
            let found = self.files.entry(path.clone()).or_insert_with(|| digest(&path));
            match found {
                Ok((bytes, _)) if most.is_some_and(|max| *bytes > max) => {
                    let max = most.unwrap_or_default();
                    let or = if is_picture { ", or --shrink-images, which has a smaller copy sent" } else { "" };
                    let path = path.display();
                    let message =
                        format!("{path} has {bytes} bytes; at most {max} are taken. Give a public URL instead{or}");
                    problems.push(Problem::new(&parameter.name, "max_bytes", message));
                }
                Ok((_, sha256)) => {
                    let sum = Value::String(format!("sha256:{sha256}"));
                    told.get_or_insert_with(|| request.clone()).params.insert(parameter.name.clone(), sum);
                }
                Err(why) => {
                    let message = format!("{} cannot be read: {why}", path.display());
                    problems.push(Problem::new(&parameter.name, "file", message));
                }
            }
            request.params.insert(parameter.name.clone(), Value::String(path.display().to_string()));
        }
        (told.as_ref().unwrap_or(request).canonical(), problems)
    }
}

/// Names a row has besides its model's parameters.
const OWN_NAMES: [&str; 6] = ["model", "prompt", "key", "copies", "tags", "ceiling"];

/// Says of unknown names which known one was probably meant, and then not also that this one is missing.
fn suggest(problems: &mut Vec<Problem>, model: &Model) {
    let known = || OWN_NAMES.into_iter().chain(model.parameters.iter().map(|parameter| parameter.name.as_str()));
    let mut meant = Vec::new();
    for problem in problems.iter_mut().filter(|problem| problem.rule == "unknown") {
        if let Some(near) = nearest(&problem.field, known()) {
            problem.message = format!("is no parameter of {}; did you mean `{near}`?", model.id);
            meant.push(near);
        }
    }
    let is_missing = |problem: &Problem| matches!(problem.rule.as_str(), "blank" | "input_required");
    problems.retain(|problem| !(is_missing(problem) && meant.contains(&problem.field.as_str())));
}

/// The name that was probably meant, if one is near enough.
fn nearest<'n>(field: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&field.to_lowercase(), name);
    let scored = names.map(|name| (likeness(name), name)).filter(|(score, _)| *score > 0.6);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Numbers and booleans that came as text (CSV, flags) in their own type, so that equal rows are equal
/// and the wire gets what it expects. What does not fit stays, for the check to name.
pub fn typed(parameter: &Parameter, value: &mut Value) {
    // A whole number may have come as `6.0`.
    if let (ParameterKind::Integer | ParameterKind::Text, Value::Number(_)) = (parameter.kind, &*value) {
        let whole = number(value).map(|n| n.normalize()).filter(|n| n.is_integer());
        if let Some(whole) = whole.and_then(|n| n.to_string().parse().ok()) {
            *value = Value::Number(whole);
        }
        return;
    }
    let Value::String(text) = &*value else { return };
    let better = match parameter.kind {
        ParameterKind::Integer | ParameterKind::Number => {
            number(value).and_then(|n| n.normalize().to_string().parse().ok()).map(Value::Number)
        }
        ParameterKind::Boolean => text.trim().parse().ok().map(Value::Bool),
        ParameterKind::Json => serde_json::from_str(text).ok(),
        _ => None,
    };
    if let Some(better) = better {
        *value = better;
    }
}

pub(super) fn digest(path: &Path) -> Result<(u64, String), String> {
    let why = |error: io::Error| error.to_string();
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    let meta = std::fs::metadata(path).map_err(why)?;
    if !meta.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut file = File::open(path).map_err(why)?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).map_err(why)?;
    Ok((meta.len(), super::keys::hex(&hasher.finalize())))
}

fn text(field: &str, value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(Problem::new(field, "type", format!("{} is not a text", plain(other)))),
    }
}

/// A user's own key: printable, and not too long to be kept.
fn own_key(value: &Value) -> Result<String, Problem> {
    let key = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(n) => n.to_string(),
        other => return Err(Problem::new("key", "type", format!("{} is not a text", plain(other)))),
    };
    if key.is_empty() || key.chars().any(char::is_control) {
        return Err(Problem::new("key", "type", "is blank or has control characters; leave it out, or name the row"));
    }
    if key.len() > LONGEST_KEY {
        return Err(Problem::new("key", "max_len", format!("has {} bytes; at most {LONGEST_KEY} are kept", key.len())));
    }
    Ok(key)
}

fn count(value: &Value) -> Result<u32, Problem> {
    let whole: Option<u32> = number(value).and_then(|n| n.normalize().to_string().parse().ok());
    match whole {
        Some(n) if (1..=MAX_COPIES).contains(&n) => Ok(n),
        _ => {
            let message = format!("{} is not offered; it takes 1 to {MAX_COPIES}", plain(value));
            Err(Problem::new("copies", "range", message))
        }
    }
}

fn tags(value: &Value) -> Result<Vec<String>, Problem> {
    let wrong = || Problem::new("tags", "type", "takes a list of texts, such as [\"a\",\"b\"]");
    let list = match value {
        Value::Array(list) => list.clone(),
        Value::String(one) => vec![Value::String(one.clone())],
        _ => return Err(wrong()),
    };
    let tags = list.into_iter().map(|tag| match tag {
        Value::String(tag) => Ok(tag),
        _ => Err(wrong()),
    });
    Ok(tags.collect::<Result<Vec<String>, Problem>>()?.into_iter().filter(|tag| !tag.trim().is_empty()).collect())
}

/// Dollars, as a number or as text.
fn dollars(value: &Value) -> Result<Money, Problem> {
    match Money::parse(&plain(value), Currency::Usd) {
        Ok(money) if money.amount.is_sign_positive() => Ok(money),
        _ => Err(Problem::new("ceiling", "type", format!("{} is no amount of dollars", plain(value)))),
    }
}
