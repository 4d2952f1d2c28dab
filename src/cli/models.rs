//! `models`: what the accounts offer, with limits and prices.
//!
//! Knows how a model is written as a line and as JSON. Must not know where it is described.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::args::Models;
use super::model::NotSent;
use super::out::{Out, table};
use super::shelf::Shelf;
use super::{code, model};
use crate::domain::message::HistoryLine;
use crate::domain::model::Parameter;
use crate::domain::text::{clean, plain};
use crate::domain::{Money, Offer, Request, Service};
use crate::engine::{self, Refreshed};

/// Prints the models; returns the exit code. `not_sent` tells the fields of a service that no order
/// carries, each with the reason and its source.
pub fn models(asked: &Models, shelf: &Shelf, not_sent: impl Fn(Service) -> Vec<NotSent>, out: &mut Out) -> u8 {
    // A full name means that one model, told whole.
    let named = asked.filter.as_slice();
    let named = if let [name] = named { shelf.find(name).ok() } else { None };
    let wanted: Vec<&Offer> = match named {
        Some(one) => vec![one],
        None => shelf.offers().iter().filter(|offer| matches(offer, &asked.filter)).collect(),
    };
    if asked.json {
        wanted.iter().for_each(|offer| out.json(&record(offer, &not_sent(offer.model.service))));
    } else if let Some(one) = named {
        model::tell(one, &not_sent(one.model.service), out);
    } else if wanted.is_empty() {
        out.say("no model fits; `rushes models` lists all");
    } else {
        let mut rows = vec![["model", "default", "price", "takes", ""].map(str::to_owned).to_vec()];
        rows.extend(wanted.iter().map(|offer| row(offer)));
        table(&rows).into_iter().for_each(|line| out.line(line));
    }
    u8::from(wanted.is_empty())
}

/// Prints what changed last, as the log has it; returns the exit code.
pub fn changes(asked: &Models, lines: &[HistoryLine], out: &mut Out) -> u8 {
    for line in lines {
        let account = line.account.as_deref().unwrap_or_default();
        if asked.json {
            out.json(&json!({"schema": 1, "account": account, "at": line.at, "text": line.text, "changes": line.data}));
            continue;
        }
        let at = line.at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
        out.line(format_args!("{at}  {}", clean(&line.text, 200)));
        for one in line.data.as_array().into_iter().flatten() {
            out.line(format_args!("  {}", clean(one["text"].as_str().unwrap_or_default(), 600)));
        }
    }
    if lines.is_empty() && !asked.json {
        out.say("nothing changed yet; `rushes models --refresh` asks the services");
    }
    code::DONE
}

/// Prints what the services answered just now; returns the exit code.
pub fn refreshed(asked: &Models, refreshed: &Refreshed, out: &mut Out) -> u8 {
    for (account, answer) in &refreshed.accounts {
        match answer {
            Ok(changed) if asked.json => {
                out.json(&json!({"schema": 1, "account": account, "changes": engine::told(changed)}));
            }
            Err(why) if asked.json => out.json(&json!({"schema": 1, "account": account, "error": clean(why, 600)})),
            Ok(changed) if changed.is_empty() => out.line(format_args!("{account}: as it was")),
            Ok(changed) => {
                out.line(engine::summary(account, changed));
                changed.iter().for_each(|one| out.line(format_args!("  {}", clean(&one.to_string(), 600))));
            }
            Err(why) => out.say(format_args!("{account}: {}", clean(why, 600))),
        }
    }
    if let Some(holder) = &refreshed.held_by {
        out.say(format_args!("not kept here: {} works in this data directory and asks by itself", clean(holder, 200)));
    }
    if refreshed.accounts.iter().all(|(_, answer)| answer.is_ok()) { code::DONE } else { code::SOME_FAILED }
}

/// Whether all words are in its name, maker or use.
fn matches(offer: &Offer, words: &[String]) -> bool {
    let model = &offer.model;
    let parts = [&offer.account, &model.id, &model.name];
    let more = [&model.maker, &model.best_for].into_iter().flatten();
    let text: String = parts.into_iter().chain(more).map(|part| part.to_lowercase() + " ").collect();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

fn row(offer: &Offer) -> Vec<String> {
    let model = &offer.model;
    let price = default_price(offer).map_or("?".to_owned(), |money| money.to_string());
    let takes: Vec<String> = model.parameters.iter().filter_map(short).collect();
    let mut notes = Vec::new();
    notes.extend(model.advice.map(|advice| model::advice_text(advice).to_owned()));
    notes.extend(model.plan.as_ref().map(|plan| format!("needs {plan}")));
    notes.extend(model.best_for.clone());
    if model.gone {
        notes.push("no longer listed by its service".to_owned());
    }
    let cells = [offer.model_ref().to_string(), price, model.price.text(), takes.join(" "), notes.join(", ")];
    cells.into_iter().map(|cell| clean(&cell, 160)).collect()
}

/// The parameters people choose a model by: length, shape, lines, picture.
fn short(parameter: &Parameter) -> Option<String> {
    let values = match (&parameter.range, parameter.one_of.as_slice()) {
        (Some(range), _) => range.text().replace(" to ", "-"),
        (None, []) => String::new(),
        (None, values) => values.iter().map(plain).collect::<Vec<_>>().join("/"),
    };
    match parameter.name.as_str() {
        "duration" if !values.is_empty() => Some(format!("{values}s")),
        "aspect_ratio" | "resolution" if !values.is_empty() => Some(values),
        name if parameter.kind.is_media() => {
            Some(if parameter.required { format!("{name}!") } else { name.to_owned() })
        }
        _ => None,
    }
}

/// What one clip with all defaults costs, where that is known.
fn default_price(offer: &Offer) -> Option<Money> {
    Request::new(&offer.model_ref(), "").price(&offer.model)
}

/// A model as JSON.
fn record(offer: &Offer, not_sent: &[NotSent]) -> Value {
    let model = &offer.model;
    json!({
        "schema": 1,
        "model": offer.model_ref().to_string(), "account": offer.account, "service": model.service, "id": model.id,
        "name": model.title(), "maker": model.maker, "best_for": model.best_for, "speed": model.speed,
        "advice": model.advice, "plan": model.plan, "prompt_required": model.prompt_required,
        "prompt_max": model.prompt_max, "generation": model.generation, "route": model.route,
        "extended_by": model.extended_by, "parameters": model::parameters(&model.parameters),
        "advanced": model::parameters(&model.advanced), "rules": model::rules(model),
        "price": {
            "text": model.price.text(), "default": default_price(offer), "as_of": model.price.as_of,
            "source": model.price.source, "currency": model.price.currency,
        },
        "not_sent": not_sent.iter().map(NotSent::json).collect::<Vec<_>>(),
        "source": model.source, "gone": model.gone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::shelf::tests::shelf;

    #[test]
    fn a_model_is_told_by_its_limits_and_price() {
        let shelf = shelf();
        let veo = shelf.find("ninjachat/veo-3.1").unwrap();
        assert_eq!(row(veo), ["ninjachat/veo-3.1", "$5.00", "$5.00 a clip", "4/6/8s 16:9/9:16 image", ""]);
        let never = NotSent { name: "projectId".into(), reason: "why".into(), source: "003".into() };
        let record = record(veo, &[never]);
        assert_eq!(record["not_sent"][0]["reason"], "why");
        assert_eq!(record["price"]["default"]["amount"].to_string(), "5");
        assert_eq!(record["parameters"][0]["one_of"], json!([4, 6, 8]));
        assert_eq!(row(shelf.find("nanogpt/kling-v21-pro").unwrap())[1], "?", "unknown is not zero");
        assert!(matches(veo, &["VEO".into(), "ninja".into()]) && !matches(veo, &["kling".into()]));
    }
}
