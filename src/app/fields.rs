//! What changes the form as a whole: further fields, the cheapest draft, a picture made smaller.
//!
//! Knows what is said of it. Must not know the form's insides.

use super::compose::{Drafted, Spot};
use super::input::Effect;
use super::more::More;
use super::overlay::{Ask, Overlay, Then};
use super::{App, Waiting};
use crate::domain::message::{Command, Level, NewJob};
use crate::domain::{ParameterKind, Problem};

impl App {
    /// Opens the list of what the service documents beyond the model's own fields.
    pub(super) fn open_more(&mut self) {
        let form = self.compose.form();
        match form.offer() {
            Some(offer) if !offer.model.advanced.is_empty() => {
                let more = More::new(offer.model.advanced.clone(), form.added());
                self.overlays.push(Overlay::More(more));
            }
            Some(offer) => {
                let id = offer.model.id.clone();
                self.say(Level::Info, format!("{id} has no further fields: all it takes stands in the form"));
            }
            None => self.say(Level::Info, "choose a model first"),
        }
    }

    /// Adds a field and goes to it.
    pub(super) fn add_field(&mut self, name: &str) -> Vec<Effect> {
        let before = self.compose.form().added().len();
        if self.compose.add_field(name, self.now) && self.compose.form().added().len() > before {
            let form = self.compose.form();
            let bills = form.fields().iter().any(|f| f.parameter.name == name && f.parameter.bills);
            if bills {
                let why = "may change what is charged: once it is set the price is unknown, and a ceiling is asked for";
                self.say(Level::Warning, format!("{name} {why}"));
            }
        }
        self.form_changed()
    }

    /// Takes out the added field that the cursor is in, or the one chosen in the list.
    pub(super) fn remove_field(&mut self) -> Vec<Effect> {
        let chosen = match self.overlays.last() {
            Some(Overlay::More(more)) => more.selected().map(|field| field.name.clone()),
            _ => match self.compose.spot() {
                Spot::Field(index) => self.compose.form().fields().get(index).map(|f| f.parameter.name.clone()),
                _ => None,
            },
        };
        let removed = chosen.as_ref().is_some_and(|name| self.compose.remove_field(name, self.now));
        if !removed {
            self.say(Level::Info, "only a field that was added can be removed");
        }
        self.show_more();
        self.form_changed()
    }

    /// Tells the open list of fields what is in the form now.
    pub(super) fn show_more(&mut self) {
        let form = self.compose.form();
        let (fields, added) = (form.offer().map(|offer| offer.model.advanced.clone()), form.added());
        for overlay in &mut self.overlays {
            if let Overlay::More(more) = overlay {
                more.set_fields(fields.clone().unwrap_or_default(), added.clone());
            }
        }
    }

    /// Goes to the cheapest model and values that take the form, or back.
    pub(super) fn draft_cheaply(&mut self) -> Vec<Effect> {
        let done = self.compose.draft_cheaply(self.now);
        let model = self.compose.model_name();
        match done {
            Drafted::Cheapest(price) => self.say(Level::Info, format!("draft at {model} for {price}")),
            Drafted::Back => self.say(Level::Info, format!("back at {model}")),
            Drafted::Already(price) => {
                self.say(Level::Info, format!("nothing that takes this is cheaper: {price} at {model}"));
            }
            Drafted::Unpriced => self.say(
                Level::Warning,
                "no model that takes this prompt and its inputs has a known price, so none can be called the cheapest",
            ),
        }
        self.model_scroll = Default::default();
        self.check_form();
        self.compose.compare();
        Vec::new()
    }

    /// Asks every account again which models it offers.
    pub(super) fn refresh_models(&mut self) -> Vec<Effect> {
        if self.refused_here() {
            return Vec::new();
        }
        self.say(Level::Info, "asking every account which models it offers");
        vec![self.send(Command::RefreshModels, Waiting::Quiet)]
    }

    /// Where nothing but the size of pictures was refused: the question whether they may be made smaller. It is
    /// asked when the same is queued again, not when the answer comes: a letter that is typed then is no yes.
    pub(super) fn shrinking(&self, jobs: &[NewJob], problems: &[Problem]) -> Option<Ask> {
        let is_picture = |field: &str| {
            jobs.iter().any(|job| {
                let offer = self.offers.iter().find(|offer| offer.model_ref() == job.request.model_ref());
                let parameter = offer.and_then(|offer| offer.model.parameter(field));
                parameter.is_some_and(|parameter| parameter.kind == ParameterKind::Image)
            })
        };
        let only_size = problems.iter().all(|p| p.rule == "max_bytes" && is_picture(&p.field));
        if problems.is_empty() || !only_size || jobs.iter().any(|job| job.shrink) {
            return None;
        }
        let mut lines: Vec<String> = Vec::new();
        for problem in problems {
            let line = format!("{}: {}", problem.field, problem.message);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.push("Yes queues again with a smaller copy of it; your file stays as it is.".to_owned());
        lines.push("No leaves the form as it is: give a smaller picture, or a link.".to_owned());
        let smaller = jobs.iter().map(|job| NewJob { shrink: true, ..job.clone() }).collect();
        Some(Ask::new("Make the picture smaller", lines, Then::Queue(smaller)))
    }
}
