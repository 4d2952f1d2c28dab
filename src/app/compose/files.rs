//! The files that the form names: looked at as soon as their field is left, long before they are sent.
//!
//! Knows which files were asked about and what was said of them. Must not look itself: it reads no disk.

use super::{Compose, NewJob, Problem, Request, Spot};
use crate::domain::message::Ticket;
use crate::domain::request::is_url;
use crate::domain::rule::Values;

/// What was asked about, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// The model's name and the files that were asked about last.
    asked: Option<(String, Values)>,
    ticket: Option<Ticket>,
    problems: Vec<Problem>,
}

impl Compose {
    /// The order whose files are to be looked at: they changed since the last time, and nobody types at them.
    pub fn files_to_check(&mut self, in_form: bool) -> Option<NewJob> {
        let fields = self.form.fields();
        let sent = |at: usize| fields[at].parameter.kind.is_media() && fields[at].parameter.wire_data.is_some();
        if in_form && matches!(self.spot, Spot::Field(at) if at < fields.len() && sent(at)) {
            return None;
        }
        let files = (0..fields.len()).filter(|at| sent(*at)).filter_map(|at| {
            let value = fields[at].value()?;
            let path = value.as_str().is_some_and(|text| !is_url(text) && !text.starts_with("sha256:"));
            path.then(|| (fields[at].parameter.name.clone(), value))
        });
        let files: Values = files.collect();
        if files.is_empty() {
            self.files = Files::default();
            return None;
        }
        let asked = Some((self.model_name(), files));
        if self.files.asked == asked {
            return None;
        }
        self.files = Files { asked, ..Files::default() };
        let offer = self.form.offer()?;
        Some(NewJob::of(Request { params: self.form.values(), ..Request::new(&offer.model_ref(), "") }))
    }

    /// Notes that the engine was asked about the files.
    pub fn asked_about_files(&mut self, ticket: Ticket) {
        self.files.ticket = Some(ticket);
    }

    /// Takes what is wrong with them; what was asked for other files is past.
    pub fn files_checked(&mut self, ticket: Ticket, problems: Vec<Problem>) {
        if self.files.ticket == Some(ticket) {
            self.files.problems = problems;
        }
    }

    /// What is wrong with the files, as long as they stand in their fields. It does not forbid to queue: the file
    /// may be there by then.
    pub(super) fn file_problems(&self) -> impl Iterator<Item = &Problem> {
        let stands = |problem: &&Problem| {
            let field = self.form.fields().iter().find(|field| field.parameter.name == problem.field);
            let asked = self.files.asked.as_ref().and_then(|(_, files)| files.get(&problem.field));
            let same = field.is_some_and(|field| field.value().as_ref() == asked);
            same && !self.refused.iter().any(|refused| refused.field == problem.field)
        };
        self.files.problems.iter().filter(stands)
    }
}
