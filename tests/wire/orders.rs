//! Random orders from the catalogue: legal ones, and ones with exactly one rule broken.
//!
//! Knows descriptions of models and chance. Must not know any model by name, nor the simulator.

use std::collections::BTreeMap;

use fastrand::Rng;
use rushes::domain::model::{Parameter, ParameterKind};
use rushes::domain::rule::{Check, Range, Rule};
use rushes::domain::{Model, Request};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const WORDS: [&str; 12] = [
    "a",
    "misty",
    "valley",
    "drone",
    "shot",
    "slowly",
    "ascending",
    "golden",
    "hour",
    "river",
    "cinematic",
    "naïve 🎬",
];

/// A request that breaks one rule, and which.
#[derive(Debug)]
pub struct Broken {
    pub request: Request,
    pub field: String,
    pub rule: String,
}

/// A legal request for a model; `None` where chance found none in fifty tries.
pub fn legal(account: &str, model: &Model, rng: &mut Rng) -> Option<Request> {
    let name = rushes::domain::ModelRef { account: account.to_owned(), model: model.id.clone() };
    for _ in 0..50 {
        let mut request = Request::new(&name, prompt(model, rng));
        for parameter in &model.parameters {
            let needed = parameter.required && parameter.default.is_none();
            if needed || rng.u8(..100) < 60 {
                request.params.extend(value(parameter, rng).map(|v| (parameter.name.clone(), v)));
            }
        }
        let free: Vec<&Parameter> = model.advanced.iter().filter(|p| model.own(&p.name).is_none()).collect();
        if !free.is_empty() && rng.u8(..100) < 30 {
            let parameter = free[rng.usize(..free.len())];
            request.params.extend(value(parameter, rng).map(|v| (parameter.name.clone(), v)));
        }
        // What does not go together is left out, if it may be.
        for _ in 0..8 {
            let Err(problems) = request.validate(model) else { return Some(request) };
            for problem in problems {
                request.params.remove(&problem.field);
                let needed = model.own(&problem.field).filter(|p| p.required && p.default.is_none());
                request.params.extend(needed.and_then(|p| Some((p.name.clone(), value(p, rng)?))));
            }
        }
    }
    None
}

fn prompt(model: &Model, rng: &mut Rng) -> String {
    if !model.prompt_required && rng.bool() {
        return String::new();
    }
    let words: Vec<&str> = (0..rng.usize(1..20)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
    let text = words.join(" ");
    // Now and then to the last unit that is allowed.
    match model.prompt_max {
        Some(max) if rng.u8(..20) == 0 => "x".repeat(max as usize),
        _ => text,
    }
}

fn number(n: Decimal) -> Value {
    n.normalize().to_string().parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}

fn in_range(range: Range, rng: &mut Rng) -> Value {
    let step = if range.step.is_zero() { (range.max - range.min) / Decimal::from(20) } else { range.step };
    let steps: u64 = ((range.max - range.min) / step).trunc().try_into().unwrap_or(1_000);
    number(range.min + step * Decimal::from(rng.u64(..=steps.min(100_000))))
}

fn link(kind: &str, rng: &mut Rng) -> String {
    format!("https://example.com/{}.{kind}", rng.u32(..))
}

/// A value that the parameter's own description allows; `None` for JSON, whose inside nobody describes.
pub fn value(parameter: &Parameter, rng: &mut Rng) -> Option<Value> {
    let choices = parameter.choices();
    if !choices.is_empty() {
        return Some(choices[rng.usize(..choices.len())].clone());
    }
    Some(match parameter.kind {
        ParameterKind::Integer | ParameterKind::Number => match parameter.range {
            Some(range) => in_range(range, rng),
            None => json!(rng.u8(1..10)),
        },
        ParameterKind::Boolean => json!(rng.bool()),
        ParameterKind::Text => json!(WORDS[rng.usize(..WORDS.len())]),
        ParameterKind::Image => json!(link("png", rng)),
        ParameterKind::Video => json!(link("mp4", rng)),
        ParameterKind::Audio => json!(link("mp3", rng)),
        ParameterKind::Links => {
            let most = parameter.max_items.unwrap_or(3) as usize;
            json!((0..rng.usize(1..=most)).map(|_| link("png", rng)).collect::<Vec<_>>())
        }
        ParameterKind::Json => return None,
    })
}

/// A legal request with one rule broken, out of all rules of the model that can be broken alone.
pub fn broken(account: &str, model: &Model, rng: &mut Rng) -> Option<Broken> {
    let base = legal(account, model, rng)?;
    let mut ways = ways(model, &base, rng);
    (!ways.is_empty()).then(|| ways.swap_remove(rng.usize(..ways.len())))
}

fn ways(model: &Model, base: &Request, rng: &mut Rng) -> Vec<Broken> {
    let mut ways = Vec::new();
    let mut with = |field: &str, rule: &str, change: &dyn Fn(&mut Request)| {
        let mut request = base.clone();
        change(&mut request);
        ways.push(Broken { request, field: field.to_owned(), rule: rule.to_owned() });
    };
    if model.prompt_required {
        with("prompt", "blank", &|request| request.prompt = " \n".to_owned());
    }
    if let Some(max) = model.prompt_max {
        with("prompt", "max_len", &|request| request.prompt = "🎬".repeat(max as usize / 2 + 1));
    }
    with("frames_of_nothing", "unknown", &|request| {
        request.params.insert("frames_of_nothing".to_owned(), json!(3));
    });
    let advanced = model.advanced.iter().filter(|p| model.own(&p.name).is_none());
    let one = advanced.clone().nth(rng.usize(..advanced.count().max(1)));
    for parameter in model.parameters.iter().chain(one) {
        for (rule, wrong) in wrong_values(parameter) {
            with(&parameter.name, rule, &|request| {
                request.params.insert(parameter.name.clone(), wrong.clone());
            });
        }
        if parameter.required && parameter.default.is_none() {
            with(&parameter.name, "input_required", &|request| {
                request.params.remove(&parameter.name);
            });
        }
    }
    for rule in &model.rules {
        if let Some(request) = against(model, rule, base, rng) {
            ways.push(Broken { request, field: rule.field.clone(), rule: rule.check.name().to_owned() });
        }
    }
    ways
}

/// Values that break one of the parameter's own rules, by the rule's name.
fn wrong_values(parameter: &Parameter) -> Vec<(&'static str, Value)> {
    let mut wrong = Vec::new();
    let numeric = matches!(parameter.kind, ParameterKind::Integer | ParameterKind::Number);
    if !parameter.one_of.is_empty() && parameter.kind != ParameterKind::Boolean {
        wrong.push(("one_of", if numeric { json!(987_654) } else { json!("9000p") }));
    }
    if let Some(range) = parameter.range.filter(|_| parameter.one_of.is_empty()) {
        let step = if range.step.is_zero() { Decimal::ONE } else { range.step };
        wrong.extend([("range", number(range.max + step)), ("range", number(range.min - step))]);
        if range.step > Decimal::ONE {
            wrong.push(("range", number(range.min + Decimal::ONE)));
        }
    }
    match parameter.kind {
        ParameterKind::Integer => wrong.extend([("type", json!("eight")), ("type", json!(5.5))]),
        ParameterKind::Number => wrong.push(("type", json!("fast"))),
        ParameterKind::Boolean => wrong.push(("type", json!("maybe"))),
        ParameterKind::Text => wrong.push(("type", json!({"a": 1}))),
        ParameterKind::Links => {
            wrong.extend([("url", json!(["cat.png"])), ("type", json!(7)), ("blank", json!(""))]);
            if let Some(max) = parameter.max_items {
                wrong.push(("max_len", json!(vec!["https://example.com/x.png"; max as usize + 1])));
            }
        }
        ParameterKind::Json => {}
        _ => {
            wrong.extend([("blank", json!("  ")), ("type", json!(7))]);
            if parameter.wire_data.is_none() {
                wrong.push(("url", json!("cat.png")));
            }
        }
    }
    if let (ParameterKind::Text, Some(max)) = (parameter.kind, parameter.max_len) {
        wrong.push(("max_len", json!("x".repeat(max as usize + 1))));
    }
    wrong
}

/// The request with a rule between parameters broken: its conditions made true, its check made false.
fn against(model: &Model, rule: &Rule, base: &Request, rng: &mut Rng) -> Option<Request> {
    let mut request = base.clone();
    let any = |name: &str, rng: &mut Rng| value(model.own(name)?, rng);
    for (name, wanted) in &rule.when {
        let first = wanted.first()?.clone();
        let wanted = if first == "set" { any(name, rng)? } else { first };
        request.params.insert(name.clone(), wanted);
    }
    let field = rule.field.clone();
    match &rule.check {
        Check::OneOf(legal) => {
            let others = model.own(&field)?.choices();
            let texts: Vec<String> = legal.iter().map(plain).collect();
            let other = others.into_iter().find(|choice| !texts.contains(&plain(choice)));
            request.params.insert(field, other.unwrap_or_else(|| json!(987_654)));
        }
        Check::Range(range) => drop(request.params.insert(field, number(range.max + Decimal::ONE))),
        Check::Requires(other) => {
            request.params.insert(field.clone(), any(&field, rng)?);
            request.params.remove(other);
            if request.values(model).contains_key(other) {
                return None;
            }
        }
        Check::Excludes(other) => {
            request.params.insert(field.clone(), any(&field, rng)?);
            request.params.insert(other.clone(), any(other, rng)?);
        }
        Check::MaxLen(max) => drop(request.params.insert(field, json!("x".repeat(*max as usize + 1)))),
        Check::MaxBytes(max) => {
            let long = format!("https://example.com/{}", "x".repeat(*max as usize));
            request.params.insert(field, json!(long));
        }
        Check::InputRequired(true) if field == "prompt" => request.prompt.clear(),
        Check::InputRequired(true) => drop(request.params.remove(&field)),
        Check::InputRequired(false) => return None,
    }
    Some(request)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How often each name was seen.
pub type Counts = BTreeMap<String, usize>;
