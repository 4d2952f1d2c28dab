//! A request: one model, one prompt, its parameters. Checked against the model before anything is queued.
//!
//! Knows how a request is checked, completed with defaults, priced and told apart. Must not know
//! any wire, nor where media files lie.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{Model, ModelRef, Parameter, ParameterKind};
use super::money::Money;
use super::problem::Problem;
use super::rule::{Rule, Values, number, utf16_len};
use super::text::{bare, plain};

/// Most copies of one row or one press.
pub const MAX_COPIES: u32 = 1_000;

/// What the user asks for: one clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The account's name.
    pub account: String,
    /// The model's id at the service.
    pub model: String,
    /// What the clip shall show.
    #[serde(default)]
    pub prompt: String,
    /// Parameters by name. Media values are `http(s)://` URLs, paths, or `sha256:<hex>` of a stored input.
    #[serde(default)]
    pub params: Values,
    /// The user's own labels.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether only what the model needs is sent: required parameters and those its price hangs on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub minimal: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Request {
    /// A request without parameters.
    pub fn new(model: &ModelRef, prompt: impl Into<String>) -> Self {
        Request {
            account: model.account.clone(),
            model: model.model.clone(),
            prompt: prompt.into(),
            params: Values::new(),
            tags: Vec::new(),
            minimal: false,
        }
    }

    /// The model's full name.
    pub fn model_ref(&self) -> ModelRef {
        ModelRef { account: self.account.clone(), model: self.model.clone() }
    }

    /// Checks the request against its model.
    ///
    /// # Errors
    /// Every problem there is, not only the first; the request itself is left untouched.
    pub fn validate(&self, model: &Model) -> Result<(), Vec<Problem>> {
        let mut problems: Vec<Problem> = self.prompt_problem(model).into_iter().collect();
        for (name, value) in &self.params {
            match model.parameter(name) {
                Some(parameter) => problems.extend(type_problem(parameter, value)),
                None => problems.push(unknown_parameter(model, name)),
            }
        }
        let mut values = self.values(model);
        if !self.prompt.trim().is_empty() {
            // Rules may speak of the prompt too.
            values.insert("prompt".to_owned(), Value::String(self.prompt.clone()));
        }
        let advanced = self.params.keys().filter(|name| model.own(name).is_none());
        let advanced = advanced.filter_map(|name| model.parameter(name));
        let mut judge = |rule: &Rule| {
            let already = problems.iter().any(|p| p.field == rule.field && p.rule == "type");
            if !already {
                problems.extend(rule.check(&values));
            }
        };
        // Rules are made only where one may not hold: a batch has a hundred thousand rows that are fine.
        let doubtful = |parameter: &&Parameter| !parameter.surely_takes(values.get(&parameter.name));
        model.parameters.iter().filter(doubtful).flat_map(Parameter::rules).for_each(|rule| judge(&rule));
        model.rules.iter().for_each(&mut judge);
        advanced.filter(doubtful).flat_map(Parameter::rules).for_each(|rule| judge(&rule));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn prompt_problem(&self, model: &Model) -> Option<Problem> {
        if self.prompt.trim().is_empty() {
            return model
                .prompt_required
                .then(|| Problem::new("prompt", "blank", "is blank; say what the clip shall show"));
        }
        let (len, max) = (utf16_len(&self.prompt), u64::from(model.prompt_max?));
        (len > max).then(|| {
            Problem::new("prompt", "max_len", format!("has {len} characters; {} takes at most {max}", model.id))
        })
    }

    /// The parameters with the model's defaults filled in, as they are priced and sent.
    pub fn values(&self, model: &Model) -> Values {
        let mut values = self.params.clone();
        let needed = |parameter: &Parameter| {
            // What is left out is made, and billed, at the service's own default: length and sound always go along.
            let bills =
                || matches!(parameter.name.as_str(), "duration" | "audio") || model.price.hangs_on(&parameter.name);
            !self.minimal || parameter.required || bills()
        };
        if self.minimal {
            let stands_in = |name: &String| model.parameters.iter().any(|p| p.required && p.or.contains(name));
            values.retain(|name, _| model.own(name).is_some_and(needed) || stands_in(name));
        }
        for parameter in model.parameters.iter().filter(|parameter| needed(parameter)) {
            if let (Some(default), false) = (&parameter.default, values.contains_key(&parameter.name)) {
                values.insert(parameter.name.clone(), default.clone());
            }
        }
        values
    }

    /// What one clip of this costs by the model's price, or `None` when unknown.
    ///
    /// An advanced parameter that may change the bill makes it unknown.
    pub fn price(&self, model: &Model) -> Option<Money> {
        self.price_with(model, &self.values(model))
    }

    /// The same for who has its values at hand, with the defaults filled in.
    pub(super) fn price_with(&self, model: &Model, values: &Values) -> Option<Money> {
        let bills = |name: &String| model.own(name).is_none() && model.parameter(name).is_some_and(|p| p.bills);
        if self.params.keys().any(bills) {
            return None;
        }
        model.price.of(values)
    }

    /// What one clip of this costs at least: its price without the advanced parameters that may change
    /// the bill. `None` when unknown.
    pub fn least(&self, model: &Model) -> Option<Money> {
        let bills = |name: &String| model.own(name).is_none() && model.parameter(name).is_some_and(|p| p.bills);
        let mut plain = self.clone();
        plain.params.retain(|name, _| !bills(name));
        plain.price(model)
    }

    /// The request as canonical JSON: same request, same text. Tags are not part of it.
    pub fn canonical(&self) -> String {
        // The fields by name, as every version before wrote them: keys on disk hang on it.
        #[derive(Serialize)]
        struct Told<'a> {
            #[serde(skip_serializing_if = "is_false")]
            minimal: bool,
            model: String,
            params: BTreeMap<&'a str, Cow<'a, str>>,
            prompt: &'a str,
        }
        let told = Told {
            minimal: self.minimal,
            model: format!("{}/{}", self.account, self.model),
            params: self.params.iter().map(|(name, value)| (name.as_str(), bare(value))).collect(),
            prompt: &self.prompt,
        };
        serde_json::to_string(&told).expect("texts under texts are JSON")
    }
}

fn unknown_parameter(model: &Model, name: &str) -> Problem {
    let known: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Problem::new(name, "unknown", format!("is no parameter of {}; it takes {known}", model.id))
}

/// Whether the value has the parameter's type.
fn type_problem(parameter: &Parameter, value: &Value) -> Option<Problem> {
    let wrong = |what: &str| Some(Problem::new(&parameter.name, "type", format!("{} is not {what}", plain(value))));
    match parameter.kind {
        ParameterKind::Integer => match number(value) {
            Some(n) if n.fract().is_zero() => None,
            _ => wrong("a whole number"),
        },
        ParameterKind::Number => match number(value) {
            Some(_) => None,
            None => wrong("a number"),
        },
        ParameterKind::Boolean => match plain(value).as_str() {
            "true" | "false" => None,
            _ => wrong("true or false"),
        },
        ParameterKind::Text => match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => None,
            _ => wrong("a text"),
        },
        ParameterKind::Image | ParameterKind::Video | ParameterKind::Audio => media_problem(parameter, value),
        ParameterKind::Links => links_problem(parameter, value),
        ParameterKind::Json => None,
    }
}

fn media_problem(parameter: &Parameter, value: &Value) -> Option<Problem> {
    let Value::String(text) = value else {
        return Some(Problem::new(&parameter.name, "type", "takes a URL or a file's path"));
    };
    if text.trim().is_empty() {
        return Some(Problem::new(&parameter.name, "blank", "is blank; leave it out, or give a URL or a file"));
    }
    let is_url = is_url(text);
    (!is_url && parameter.wire_data.is_none()).then(|| {
        Problem::new(&parameter.name, "url", "must be a public http(s) URL; this service takes no uploaded file here")
    })
}

fn links_problem(parameter: &Parameter, value: &Value) -> Option<Problem> {
    let problem = |rule: &str, text: String| Some(Problem::new(&parameter.name, rule, text));
    let Some(links) = links(value) else {
        return problem("type", "takes links: a list, or a text with blanks between them".to_owned());
    };
    if let Some(other) = links.iter().find(|link| !is_url(link)) {
        return problem("url", format!("{other} is no public http(s) URL, and files are not taken here"));
    }
    let (has, max) = (links.len(), parameter.max_items.unwrap_or(u32::MAX) as usize);
    match has {
        0 => problem("blank", "is blank; leave it out, or give links".to_owned()),
        _ if has > max => problem("max_len", format!("has {has} links; at most {max} are taken")),
        _ => None,
    }
}

/// The links in a value: a JSON array of texts, or one text with blanks or commas between them.
/// `None` where it is neither.
pub fn links(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) => list.iter().map(|link| link.as_str().map(str::to_owned)).collect(),
        Value::String(text) => {
            let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        }
        _ => None,
    }
}

/// Whether a media value is a link rather than a file.
pub fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model() -> Model {
        toml::from_str(
            r#"
            id = "veo-3.1"
            service = "ninjachat"
            prompt_max = 4000
            source = "000"
            price = { shape = { per_clip = { amount = "5.00" } }, as_of = "2026-08-21", source = "000" }
            [[parameters]]
            name = "duration"
            type = "integer"
            one_of = [4, 6, 8]
            default = 8
            [[parameters]]
            name = "image"
            wire = "image_url"
            type = "image"
            "#,
        )
        .unwrap()
    }

    fn rules(request: &Request) -> Vec<(String, String)> {
        let problems = request.validate(&model()).err().unwrap_or_default();
        problems.into_iter().map(|p| (p.field, p.rule)).collect()
    }

    #[test]
    fn an_illegal_choice_names_the_field_and_the_rule() {
        let mut request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a river");
        assert_eq!(rules(&request), []);
        request.params = serde_json::from_value(json!({"duration": 5, "image": "cat.png", "fps": 3})).unwrap();
        let found = rules(&request);
        for expected in [("duration", "one_of"), ("image", "url"), ("fps", "unknown")] {
            assert!(found.contains(&(expected.0.into(), expected.1.into())), "{found:?}");
        }
        request.params = serde_json::from_value(json!({"duration": "eight"})).unwrap();
        assert_eq!(rules(&request), [("duration".to_owned(), "type".to_owned())]);
    }

    #[test]
    fn a_blank_or_long_prompt_is_refused_in_utf16_units() {
        let at = |prompt: String| rules(&Request::new(&"ninjachat/veo-3.1".parse().unwrap(), prompt));
        assert_eq!(at("  \n".into()), [("prompt".to_owned(), "blank".to_owned())]);
        assert_eq!(at("x".repeat(4000)), []);
        assert_eq!(at("x".repeat(4001)), [("prompt".to_owned(), "max_len".to_owned())]);
        assert_eq!(at("\u{1F600}".repeat(2001)), [("prompt".to_owned(), "max_len".to_owned())]);
    }

    #[test]
    fn the_same_request_has_the_same_canonical_text_whatever_its_number_was_written_as() {
        let mut a = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a river");
        let mut b = a.clone();
        a.params = serde_json::from_value(json!({"duration": 6})).unwrap();
        b.params = serde_json::from_value(json!({"duration": "6"})).unwrap();
        b.tags = vec!["x".into()];
        assert_eq!(a.canonical(), b.canonical());
        assert_eq!(a.price(&model()).unwrap().to_string(), "$5.00");
    }

    #[test]
    fn an_advanced_parameter_is_checked_when_given_and_may_make_the_price_unknown() {
        let mut model = model();
        let mut steps = Parameter::new("num_inference_steps", ParameterKind::Integer);
        steps.one_of = vec![json!(20), json!(30)];
        let size = Parameter { bills: true, ..Parameter::new("size", ParameterKind::Text) };
        model.advanced = std::sync::Arc::new(vec![steps, size]);
        let with = |params: Value| {
            let mut request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a river");
            request.params = serde_json::from_value(params).unwrap();
            request
        };
        let legal = with(json!({"num_inference_steps": 30}));
        assert!(legal.validate(&model).is_ok() && legal.price(&model).is_some());
        let broken = with(json!({"num_inference_steps": 31})).validate(&model).unwrap_err();
        assert_eq!((broken[0].field.as_str(), broken[0].rule.as_str()), ("num_inference_steps", "one_of"));
        assert_eq!(with(json!({"size": "4k"})).price(&model), None, "what may change the bill makes it unknown");
        assert_eq!(with(json!({"size": "4k"})).least(&model), legal.price(&model), "it costs no less than without");
        assert!(!legal.values(&model).contains_key("size"), "it is sent only when given");
    }

    #[test]
    fn a_minimal_request_keeps_what_is_needed_or_billed_and_is_another_request() {
        let mut model = model();
        let aspect = Parameter { default: Some(json!("16:9")), ..Parameter::new("aspect_ratio", ParameterKind::Text) };
        model.parameters.push(aspect);
        let mut request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a river");
        request.params = serde_json::from_value(json!({"duration": 6, "image": "https://x/y.png"})).unwrap();
        let whole = request.canonical();
        assert_eq!(request.values(&model).len(), 3);
        request.minimal = true;
        assert_eq!(request.values(&model).into_iter().collect::<Vec<_>>(), [("duration".to_owned(), json!(6))]);
        assert_ne!(request.canonical(), whole);
    }

    #[test]
    fn a_canonical_text_is_what_every_version_wrote() {
        let mut request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "a \"river\"\n\u{1F600}");
        request.params = serde_json::from_value(json!({"duration": 6, "cfg": "0.50", "audio": true})).unwrap();
        let params = r#""params":{"audio":"true","cfg":"0.50","duration":"6"}"#;
        let told = format!(r#""model":"ninjachat/veo-3.1",{params},"prompt":"a \"river\"\n😀"}}"#);
        assert_eq!(request.canonical(), format!("{{{told}"));
        request.minimal = true;
        assert_eq!(request.canonical(), format!("{{\"minimal\":true,{told}"));
    }

    #[test]
    fn a_parameter_that_surely_takes_a_value_has_no_rule_against_it() {
        let values = [None, Some(json!(4)), Some(json!("4")), Some(json!(4.0)), Some(json!(5)), Some(json!("x y"))];
        let list = |one_of: &[Value], required, default: Option<Value>| Parameter {
            one_of: one_of.to_vec(),
            required,
            default,
            ..Parameter::new("n", ParameterKind::Text)
        };
        let long = Parameter { max_len: Some(2), ..list(&[], false, None) };
        let mut sure = 0;
        for parameter in [list(&[json!(4)], true, None), list(&[], true, Some(json!(4))), list(&[], true, None), long] {
            for value in &values {
                let given: Values = value.iter().map(|value| ("n".to_owned(), value.clone())).collect();
                let takes = parameter.rules().iter().all(|rule| rule.check(&given).is_none());
                let says = parameter.surely_takes(value.as_ref());
                assert!(takes || !says, "{parameter:?} {value:?}");
                sure += u32::from(says);
            }
        }
        assert_eq!(sure, 2 + 6 + 5 + 1);
    }

    #[test]
    fn links_are_a_list_or_a_text_and_are_counted() {
        let links = Parameter { max_items: Some(2), ..Parameter::new("references", ParameterKind::Links) };
        let rule = |value: Value| type_problem(&links, &value).map(|p| p.rule);
        assert_eq!(rule(json!("https://x/1.png, https://x/2.png")), None);
        assert_eq!(rule(json!(["https://x/1.png"])), None);
        assert_eq!(rule(json!("https://x/1 https://x/2 https://x/3")).unwrap(), "max_len");
        assert_eq!(rule(json!(["cat.png"])).unwrap(), "url");
        assert_eq!(rule(json!({"a": 1})).unwrap(), "type");
        assert_eq!(rule(json!(" ")).unwrap(), "blank");
    }
}
