//! What the documents say of the chosen model, and what other models say to the form.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, frame};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::compose::Also;
use crate::app::geometry::Pane;
use crate::app::news::News;
use crate::domain::message::Offer;
use crate::domain::model::Advice;
use crate::domain::{Model, Parameter, ParameterKind};
use crate::tui::theme::{Role, Styles};

/// Columns of the labels.
const INDENT: usize = 11;
/// Columns of another model's price.
const PRICE: usize = 8;
/// Most models listed that take the form, and that do not.
const TAKERS: usize = 6;
const OTHERS: usize = 3;

/// Draws the pane.
pub fn render(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let focused = app.focus() == Pane::Model;
    let offer = app.compose().form().offer();
    let title = offer.map_or("Model", |offer| offer.model.title());
    let inside = frame(buf, area, styles, focused, title, "");
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let paper = write(app, offer, inside.width);
    let first = app.model_scroll().fit(paper.rows(), usize::from(inside.height));
    paper.draw(buf, inside, first, styles);
    let rest = paper.rows().saturating_sub(first + usize::from(inside.height));
    if rest > 0 && inside.height > 0 {
        let (action, context) = match app.focus() {
            Pane::Model => (Action::Down, Context::Model),
            Pane::Compose => (Action::ShowModel, Context::Compose),
            Pane::Jobs => (Action::ShowModel, Context::Everywhere),
        };
        let key = app.keymap().shown(action, context).map(|key| key.to_string()).unwrap_or_default();
        super::paint::more(buf, area, styles, &key, rest);
    }
}

fn write(app: &App, offer: Option<&Offer>, width: u16) -> Paper {
    let mut paper = Paper::new(width);
    let Some(offer) = offer else {
        let wanted = app.compose().model_name();
        if !wanted.is_empty() {
            paper.say(Role::Warn, &format!("{wanted} is not on offer now."));
        }
        let key = app.keymap().shown(Action::ChooseModel, Context::Compose);
        let key = key.map(|k| k.to_string()).unwrap_or_default();
        paper.say(Role::Dim, &format!("{key} chooses a model; what its documents say of it stands here then."));
        return paper;
    };
    let model = &offer.model;
    let maker = model.maker.as_ref().map(|maker| format!(" · {maker}")).unwrap_or_default();
    paper.say(Role::Dim, &format!("{}{maker}", model.service.title()));
    if model.title() != model.id {
        paper.say(Role::Dim, &model.id);
    }
    if model.gone {
        paper.say(Role::Error, "The service no longer offers it.");
    }
    if let Some(best) = &model.best_for {
        paper.say(Role::Strong, best);
    }
    match app.news(&offer.model_ref()) {
        Some(News::New) => paper.say(Role::Accent, "new since this screen was opened"),
        Some(News::PriceMoved) => paper.say(Role::Accent, "its price moved since this screen was opened"),
        None => &mut paper,
    };
    paper.blank();
    speed(app, offer, &mut paper);
    facts(model, &mut paper);
    further(app, model, &mut paper);
    paper.blank();
    price(app, model, &mut paper);
    paper.blank();
    breaks(app, &mut paper);
    also(app.compose().also(), &mut paper);
    paper.blank().say(Role::Dim, &format!("described {}", source(&model.source)));
    paper
}

fn facts(model: &Model, paper: &mut Paper) {
    if let Some(advice) = model.advice {
        let (role, words) = match advice {
            Advice::Daily => (Role::Ok, "for daily use"),
            Advice::Balanced => (Role::Text, "balances cost and quality"),
            Advice::Sparingly => (Role::Warn, "use it sparingly"),
        };
        paper.pair("advice", INDENT, role, words);
    }
    if let Some(generation) = &model.generation {
        paper.pair("interface", INDENT, Role::Text, &format!("the service's {generation} one"));
    }
    if let Some(plan) = &model.plan {
        paper.pair("plan", INDENT, Role::Warn, &format!("needs {plan}"));
    }
    let prompt = match (model.prompt_max, model.prompt_required) {
        (Some(max), true) => format!("at most {max} characters"),
        (Some(max), false) => format!("optional, at most {max} characters"),
        (None, true) => "needed".to_owned(),
        (None, false) => "optional".to_owned(),
    };
    paper.pair("prompt", INDENT, Role::Text, &prompt);
    paper.pair("inputs", INDENT, Role::Text, &inputs(model));
    for parameter in &model.parameters {
        let label = text::label(&parameter.name);
        paper.pair(&label, INDENT, Role::Text, &takes(parameter));
        if let Some(note) = &parameter.note {
            paper.pair("", INDENT, Role::Dim, note);
        }
    }
    for rule in model.rules.iter().filter_map(rule_words) {
        paper.pair("rule", INDENT, Role::Text, &rule);
    }
}

/// How long it is quoted to take, and how long it took here, which tells more.
fn speed(app: &App, offer: &Offer, paper: &mut Paper) {
    if let Some(speed) = offer.model.speed {
        let words = match (speed.min, speed.max) {
            (min, max) if max < 120 => format!("{min} to {max} s quoted"),
            (min, max) if min == max => format!("{} min quoted", min.div_ceil(60)),
            (min, max) => format!("{} to {} min quoted", min / 60, max.div_ceil(60)),
        };
        paper.pair("speed", INDENT, Role::Text, &words);
    }
    if let Some(timing) = app.timing(&offer.model_ref()).filter(|timing| timing.clips > 0) {
        let time = |seconds: u32| text::duration(i64::from(seconds));
        let clips = if timing.clips == 1 { "1 clip".to_owned() } else { format!("{} clips", timing.clips) };
        let words = format!("P50 {}, P90 {} of {clips}", time(timing.p50_s), time(timing.p90_s));
        paper.pair("yours", INDENT, Role::Text, &words);
    }
}

/// What a clip can be made from, the needed ones named so.
fn inputs(model: &Model) -> String {
    let text = if model.prompt_required { "text, needed" } else { "text" };
    let takes = |p: &&Parameter| p.kind.is_media() || p.kind == ParameterKind::Links;
    let more = model.parameters.iter().filter(takes).map(|p| {
        let label = text::label(&p.name);
        if p.required { format!("{label}, needed") } else { label }
    });
    std::iter::once(text.to_owned()).chain(more).collect::<Vec<_>>().join(" · ")
}

/// What goes beyond the model's own description: fields of its service, models that go on from its clips.
fn further(app: &App, model: &Model, paper: &mut Paper) {
    if !model.advanced.is_empty() {
        let key = app.keymap().shown(Action::MoreFields, Context::Compose).map(|k| k.to_string()).unwrap_or_default();
        let words = format!("{} beyond these, {key} in the form", model.advanced.len());
        paper.pair("fields", INDENT, Role::Text, &words);
    }
    if !model.extended_by.is_empty() {
        paper.pair("extended", INDENT, Role::Text, &format!("by {}", model.extended_by.join(", ")));
    }
}

/// What a parameter takes, in words.
pub fn takes(parameter: &Parameter) -> String {
    let mut words = if !parameter.one_of.is_empty() {
        parameter.one_of.iter().map(crate::domain::text::plain).collect::<Vec<_>>().join(" · ")
    } else if let Some(range) = parameter.range {
        range.text()
    } else {
        match parameter.kind {
            ParameterKind::Boolean => "yes or no".to_owned(),
            ParameterKind::Json => "JSON".to_owned(),
            ParameterKind::Integer | ParameterKind::Number => "a number".to_owned(),
            ParameterKind::Text => "text".to_owned(),
            kind if kind.is_media() => match (&parameter.wire_data, parameter.max_bytes) {
                (Some(_), Some(max)) => format!("URL, or a file of at most {}", text::bytes(max)),
                (Some(_), None) => "URL or file".to_owned(),
                (None, _) => "URL".to_owned(),
            },
            ParameterKind::Links => match parameter.max_items {
                Some(max) => format!("links, at most {max}"),
                None => "links".to_owned(),
            },
            _ => "a value".to_owned(),
        }
    };
    if parameter.name == "duration" && !parameter.one_of.is_empty() {
        words += " s";
    }
    if let Some(max) = parameter.max_len {
        words += &format!(", at most {max} characters");
    }
    if parameter.required && parameter.default.is_none() {
        words += ", needed";
    } else if parameter.kind.is_media() {
        words += ", optional";
    }
    words
}

fn rule_words(rule: &crate::domain::rule::Rule) -> Option<String> {
    use crate::domain::rule::{Check, list};
    let field = text::label(&rule.field);
    let what = match &rule.check {
        Check::OneOf(values) => format!("{field} is {}", list(values)),
        Check::Range(range) => format!("{field} is {}", range.text()),
        Check::Requires(other) => format!("{field} needs {other}"),
        Check::Excludes(other) => format!("{field} excludes {other}"),
        Check::MaxLen(max) => format!("{field} has at most {max} characters"),
        Check::MaxBytes(max) => format!("{field} has at most {}", text::bytes(*max)),
        Check::InputRequired(true) => format!("{field} is needed"),
        Check::InputRequired(false) => return None,
    };
    let when: Vec<String> =
        rule.when.iter().map(|(name, values)| format!("{} is {}", text::label(name), list(values))).collect();
    Some(if when.is_empty() { what } else { format!("{what} when {}", when.join(" and ")) })
}

fn price(app: &App, model: &Model, paper: &mut Paper) {
    let price = &model.price;
    let most = if price.is_upper() { "at most " } else { "" };
    paper.pair("price", INDENT, Role::Money, &format!("{most}{}", price.text()));
    paper.pair("", INDENT, Role::Dim, &format!("as of {}, {}", price.as_of, source(&price.source)));
    match (app.compose().drift(), app.compose().observed()) {
        (Some(drift), _) => {
            paper.pair("drift", INDENT, Role::Warn, &drift.text(app.time_zone()));
        }
        (None, Some(seen)) => {
            let day = text::time(seen.at, app.now(), app.time_zone(), false);
            let words = format!("{} {} at {day}, as published", seen.learnt.word(), seen.money);
            paper.pair("seen", INDENT, Role::Ok, &words);
        }
        (None, None) => {}
    }
}

/// A source by its mark, in words: a seed's number is that document's.
pub fn seed(mark: &str) -> String {
    let words: Vec<String> = mark
        .split(", ")
        .map(|part| {
            if part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()) {
                format!("document {part}")
            } else {
                part.to_owned()
            }
        })
        .collect();
    words.join(", ")
}

/// Where a fact is from, in words; the catalogue's own mark of its source is a file's number.
fn source(mark: &str) -> &'static str {
    match mark {
        "discovered" => "from the service",
        "models.toml" => "from your models.toml",
        _ => "from the documents",
    }
}

fn breaks(app: &App, paper: &mut Paper) {
    let problems: Vec<_> = app.compose().problems().collect();
    if problems.is_empty() {
        return;
    }
    paper.say(Role::Error, "the form breaks");
    for problem in problems {
        paper.say(Role::Error, &format!("  {}: {} [{}]", problem.field, problem.message, problem.rule));
    }
    paper.blank();
}

fn also(also: &[Also], paper: &mut Paper) {
    let takers: Vec<&Also> = also.iter().filter(|a| a.problem.is_none()).collect();
    let others: Vec<&Also> = also.iter().filter(|a| a.problem.is_some()).collect();
    if !takers.is_empty() {
        paper.say(Role::Dim, "also takes this form");
        for taker in takers.iter().take(TAKERS) {
            let price = taker.price.map_or_else(|| "unknown".to_owned(), |price| price.to_string());
            paper.pair(&price, PRICE, Role::Text, &taker.name);
        }
        if takers.len() > TAKERS {
            paper.say(Role::Dim, &format!("and {} more", takers.len() - TAKERS));
        }
        paper.blank();
    }
    if !others.is_empty() {
        paper.say(Role::Dim, "cannot take this form:");
    }
    for other in others.iter().take(OTHERS) {
        let why = other.problem.as_deref().unwrap_or_default();
        paper.pair("", 2, Role::Dim, &format!("{}: {why}", other.name));
    }
}
