//! Models and their parameters: what the documents say one takes, as data.
//!
//! Knows the description that form, sidebar, batch check and wire body are all made from. Must not
//! know any model by name, nor where descriptions come from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Service;
use super::price::Price;
use super::rule::{Check, Range, Rule};
use super::text::bare;

/// `account/model-id`, for example `ninjachat/veo-3.1` or `a4f/provider-2/kling-v2.1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelRef {
    /// The account's name.
    pub account: String,
    /// The model's id at the service; may hold slashes.
    pub model: String,
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.model)
    }
}

impl FromStr for ModelRef {
    type Err = String;

    /// Splits at the first slash.
    ///
    /// # Errors
    /// A sentence that shows the form, when there is no slash or an empty side.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((account, model)) if !account.is_empty() && !model.is_empty() => {
                Ok(ModelRef { account: account.to_owned(), model: model.to_owned() })
            }
            _ => Err(format!("`{text}` is no model; write account/model-id, such as ninjachat/veo-3.1")),
        }
    }
}

/// What the documents advise on using a model (seed 004's recommendation column).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Fit for daily use.
    Daily,
    /// A balance of cost and quality.
    Balanced,
    /// To be used sparingly.
    Sparingly,
}

/// How long a generation is quoted to take, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// Quoted shortest, s.
    pub min: u32,
    /// Quoted longest, s.
    pub max: u32,
}

/// One model of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The id sent to the service.
    pub id: String,
    /// The service that offers it.
    pub service: Service,
    /// Name for people; the id where the documents give none.
    #[serde(default)]
    pub name: String,
    /// Who made it, where known.
    #[serde(default)]
    pub maker: Option<String>,
    /// What the documents say it is best for.
    #[serde(default)]
    pub best_for: Option<String>,
    /// Quoted speed.
    #[serde(default)]
    pub speed: Option<Speed>,
    /// Advice on use.
    #[serde(default)]
    pub advice: Option<Advice>,
    /// The plan it needs.
    #[serde(default)]
    pub plan: Option<String>,
    /// Whether a prompt must be given.
    #[serde(default = "yes")]
    pub prompt_required: bool,
    /// Longest prompt in UTF-16 units, where known.
    #[serde(default)]
    pub prompt_max: Option<u32>,
    /// The generation of its service's interface that offers it, where the service has several; `None`: any.
    #[serde(default)]
    pub generation: Option<String>,
    /// Which of its service's ways to order it takes, where there are several; `None`: the usual one.
    #[serde(default)]
    pub route: Option<String>,
    /// Models of the same service that go on from a finished clip of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_by: Vec<String>,
    /// Its parameters, in the order a form shows them.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What its service documents without saying for which models: sent only when given, typed and
    /// checked like the others. Filled in by the catalogue, shared between models.
    #[serde(skip)]
    pub advanced: Arc<Vec<Parameter>>,
    /// Rules between parameters, beyond each parameter's own.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What it costs.
    pub price: Price,
    /// Where the description comes from: a seed's file name, a section of wire.md, `discovered`, `models.toml`.
    pub source: String,
    /// Whether the service has said that it no longer offers the model.
    #[serde(default)]
    pub gone: bool,
}

fn yes() -> bool {
    true
}

/// One parameter of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The name the user knows it by: a common name, or the wire key verbatim.
    pub name: String,
    /// The key on the wire; the name where left out. For media: the key that takes a URL.
    #[serde(default)]
    pub wire: Option<String>,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// The legal values, verbatim as the user writes them; empty: not a closed list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Value>,
    /// The legal range of a number.
    #[serde(default)]
    pub range: Option<Range>,
    /// Longest text in UTF-16 units.
    #[serde(default)]
    pub max_len: Option<u32>,
    /// Sent explicitly when the user leaves it out.
    #[serde(default)]
    pub default: Option<Value>,
    /// Whether it must be given and has no default.
    #[serde(default)]
    pub required: bool,
    /// Parameters of which any may be given in place of this one where it is required, such as the id
    /// of a file that the service keeps. Filled in by the catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<String>,
    /// How the value is written on the wire.
    #[serde(default)]
    pub send: Send,
    /// Values that are written otherwise on the wire, such as `16:9` as `landscape`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub map: BTreeMap<String, Value>,
    /// For media: the key that takes a data URL, where local files can be sent at all.
    #[serde(default)]
    pub wire_data: Option<String>,
    /// For media: largest file in bytes.
    #[serde(default)]
    pub max_bytes: Option<u64>,
    /// For a list of links: most items.
    #[serde(default)]
    pub max_items: Option<u32>,
    /// For an advanced parameter: whether its value may change the price, which is unknown then.
    #[serde(default)]
    pub bills: bool,
    /// A short note for the sidebar, such as `ignored by this model`.
    #[serde(default)]
    pub note: Option<String>,
    /// Where it stands, where that is not where its model stands: a seed's file name, a section of wire.md.
    #[serde(default)]
    pub source: Option<String>,
}

/// The kind of value a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// Text, perhaps out of a closed list.
    Text,
    /// A URL of an image, or a local image file.
    Image,
    /// A URL of a video, or a local video file.
    Video,
    /// A URL of a sound, or a local sound file.
    Audio,
    /// Several URLs: a JSON array, or a text with the links apart by blanks or commas.
    Links,
    /// Any JSON, written verbatim (arrays and objects).
    Json,
}

impl ParameterKind {
    /// Whether its value is a URL or a local file.
    pub fn is_media(self) -> bool {
        matches!(self, ParameterKind::Image | ParameterKind::Video | ParameterKind::Audio)
    }
}

/// How a value is written on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Send {
    /// As it is: numbers as numbers, text as text.
    #[default]
    Plain,
    /// As text: `"5"`.
    Text,
    /// Seconds with their unit: `"5s"`.
    Seconds,
    /// As a text that holds JSON: `"[\"https://...\"]"` (wire.md 6, `reference_images`).
    JsonText,
    /// Not sent; it only matters to the price or the form.
    Never,
}

impl Model {
    /// A model that takes a prompt and nothing else.
    pub fn new(id: impl Into<String>, service: Service, price: Price, source: &str) -> Self {
        Model {
            id: id.into(),
            service,
            name: String::new(),
            maker: None,
            best_for: None,
            speed: None,
            advice: None,
            plan: None,
            prompt_required: true,
            prompt_max: None,
            generation: None,
            route: None,
            extended_by: Vec::new(),
            parameters: Vec::new(),
            advanced: Arc::default(),
            rules: Vec::new(),
            price,
            source: source.to_owned(),
            gone: false,
        }
    }

    /// The parameter of that name, the model's own or an advanced one.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.own(name).or_else(|| self.advanced.iter().find(|p| p.name == name))
    }

    /// The parameter of that name that the model's own description has.
    pub fn own(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The name for people.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Every rule but those of advanced parameters: each parameter's own first, then those between parameters.
    pub fn every_rule(&self) -> Vec<Rule> {
        let own = self.parameters.iter().flat_map(Parameter::rules);
        own.chain(self.rules.iter().cloned()).collect()
    }
}

impl Parameter {
    /// An optional parameter that is sent as it is, under its own name.
    pub fn new(name: impl Into<String>, kind: ParameterKind) -> Self {
        Parameter {
            name: name.into(),
            wire: None,
            kind,
            one_of: Vec::new(),
            range: None,
            max_len: None,
            default: None,
            required: false,
            or: Vec::new(),
            send: Send::Plain,
            map: BTreeMap::new(),
            wire_data: None,
            max_bytes: None,
            max_items: None,
            bills: false,
            note: None,
            source: None,
        }
    }

    /// The key on the wire.
    pub fn wire_key(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.name)
    }

    /// The rules that this parameter's own description stands for.
    pub fn rules(&self) -> Vec<Rule> {
        let mut checks = Vec::new();
        if self.required && self.default.is_none() {
            checks.push(Check::InputRequired(true));
        }
        if !self.one_of.is_empty() {
            checks.push(Check::OneOf(self.one_of.clone()));
        }
        checks.extend(self.range.map(Check::Range));
        checks.extend(self.max_len.map(Check::MaxLen));
        checks
            .into_iter()
            .map(|check| {
                let rest = if matches!(check, Check::InputRequired(_)) { self.or.as_slice() } else { &[] };
                let when = rest.iter().map(|other| (other.clone(), vec!["none".into()])).collect();
                Rule { field: self.name.clone(), check, when, source: None }
            })
            .collect()
    }

    /// Whether none of its [`Parameter::rules`] can fail for this value. False says nothing.
    pub fn surely_takes(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return !self.required || self.default.is_some() };
        let is_listed = || {
            let given = bare(value);
            self.one_of.iter().any(|legal| bare(legal) == given)
        };
        self.range.is_none() && self.max_len.is_none() && (self.one_of.is_empty() || is_listed())
    }

    /// The values a form steps through, where the list is closed and short: `one_of`, both booleans,
    /// or a range of at most 64 steps.
    pub fn choices(&self) -> Vec<Value> {
        if !self.one_of.is_empty() {
            return self.one_of.clone();
        }
        if self.kind == ParameterKind::Boolean {
            return vec![Value::Bool(false), Value::Bool(true)];
        }
        let Some(range) = self.range.filter(|r| !r.step.is_zero()) else { return Vec::new() };
        let mut values = Vec::new();
        let mut n = range.min;
        while n <= range.max {
            if values.len() == 64 {
                return Vec::new();
            }
            let number: serde_json::Number = match n.normalize().to_string().parse() {
                Ok(number) => number,
                Err(_) => return Vec::new(),
            };
            values.push(Value::Number(number));
            let Some(next) = n.checked_add(range.step) else { break };
            n = next;
        }
        values
    }
}
