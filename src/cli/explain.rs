//! `explain`: what happened to a job, in sentences.
//!
//! Knows how they are written as lines and as JSON. Changes nothing.

use serde_json::json;

use super::args::Show;
use super::code;
use super::look::when;
use super::out::Out;
use crate::domain::explain;
use crate::domain::text::clean;
use crate::engine::{EngineError, Reader};

/// `explain`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn explain(asked: &Show, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let Some(job) = reader.job(asked.id)? else {
        out.say(format_args!("there is no job {}; `rushes list` shows what there is", asked.id));
        return Ok(code::USAGE);
    };
    let chapters = explain::explain(&job, &reader.history(asked.id)?);
    if asked.json {
        out.json(
            &json!({"schema": 1, "id": job.id, "state": job.state, "simulated": job.simulated, "chapters": chapters}),
        );
        return Ok(code::DONE);
    }
    let simulated = if job.simulated { ", simulated" } else { "" };
    out.line(format_args!("{}  {}  {}{simulated}", job.id, job.model_ref(), job.state));
    out.line(clean(&job.request.prompt, 400));
    for chapter in chapters {
        out.line("");
        out.line(chapter.title);
        for sentence in chapter.sentences {
            let at = sentence.at.map_or_else(|| " ".repeat(19), when);
            out.line(format_args!("  {at}  {}", clean(&sentence.text, 600)));
        }
    }
    Ok(code::DONE)
}
