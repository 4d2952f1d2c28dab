//! From the form to orders: what it asks for, what that breaks and costs, and what became of it at the engine.
//!
//! Knows requests and their checks. Must not know keys or fields' insides.

use jiff::Timestamp;

use super::{Compose, Spot};
use crate::app::overlay::amount;
use crate::app::quote::Quote;
use crate::domain::message::{AccountRow, NewJob, Offer, Spend, Ticket};
use crate::domain::request::MAX_COPIES;
use crate::domain::{Problem, Request};

impl Compose {
    /// The requests as the form says them: at the chosen model, and at those beside it.
    fn requests(&self) -> Vec<(&Offer, Request)> {
        let prompt = self.prompt.text();
        let chosen = self.form.offer().into_iter().map(|offer| (offer, self.form.values()));
        let others = self.others.iter().map(|offer| (offer, self.values_at(offer)));
        let request = |(offer, params): (_, _)| {
            let mut request = Request::new(&Offer::model_ref(offer), prompt.clone());
            request.params = params;
            (offer, request)
        };
        chosen.chain(others).map(request).collect()
    }

    /// Checks and prices the form anew.
    pub fn check(&mut self, accounts: &[AccountRow], spend: &Spend) {
        let ceiling = amount(self.ceiling.text());
        let requests = self.requests();
        let mut problems: Vec<Problem> = self.form.unreadable().collect();
        if self.form.offer().is_none() {
            let wanted = &self.wanted;
            let why = if wanted.is_empty() { "choose one".into() } else { format!("{wanted} is not on offer now") };
            problems.push(Problem::new("model", "input_required", why));
        }
        for (i, (offer, request)) in requests.iter().enumerate() {
            let found = request.validate(&offer.model).err().unwrap_or_default();
            // The chosen model's problems belong to their fields, the others' to the choice of model.
            let at =
                |p: Problem| Problem::new("model", p.rule, format!("{}: {} {}", offer.model.id, p.field, p.message));
            problems.extend(
                found.into_iter().filter(|p| i == 0 || p.rule != "blank").map(|p| if i == 0 { p } else { at(p) }),
            );
            if offer.model.gone {
                let why = format!("{} is no longer offered by the service; choose another", offer.model.id);
                problems.push(Problem::new("model", "gone", why));
            }
        }
        if self.copies == 0 {
            problems.push(Problem::new("copies", "range", format!("takes 1 to {MAX_COPIES}")));
        }
        let quote = (!requests.is_empty()).then(|| Quote::of(&requests, self.copies, ceiling, accounts, spend));
        drop(requests);
        self.problems = problems;
        self.quote = quote;
        self.counting &= self.spot == Spot::Copies;
        if self.needs_ceiling() && ceiling.is_none() && !self.ceiling.text().trim().is_empty() {
            self.problems.push(Problem::new("at most", "price", "write an amount of dollars, such as 2.50"));
        }
        if !self.needs_ceiling() && self.spot == Spot::Ceiling {
            self.spot = Spot::Copies;
        }
    }

    /// What is to be queued; `None` where the form is not legal: its problems are shown from now
    /// on, and the cursor is at the first.
    pub fn orders(&mut self) -> Option<Vec<NewJob>> {
        self.shows_all = true;
        self.refused.clear();
        if let Some(first) = self.problems.first() {
            let field = first.field.clone();
            self.go_to_field(&field);
            return None;
        }
        let ceiling = self.needs_ceiling().then(|| amount(self.ceiling.text())).flatten();
        let parent = self.parent();
        // What is queued beside the chosen model is no continuation.
        let jobs = self.requests().into_iter().enumerate().map(|(i, (_, request))| NewJob {
            ceiling,
            parent: parent.filter(|_| i == 0),
            ..NewJob::of(request)
        });
        Some(jobs.flat_map(|job| vec![job; self.copies as usize]).collect())
    }

    fn go_to_field(&mut self, name: &str) {
        let index = self.form.fields().iter().position(|f| f.parameter.name == name);
        self.spot = match (name, index) {
            (_, Some(index)) => Spot::Field(index),
            ("model", _) => Spot::Model,
            ("copies", _) => Spot::Copies,
            ("at most", _) => Spot::Ceiling,
            _ => Spot::Prompt,
        };
    }

    /// Notes that the form was handed to the engine.
    pub fn sent(&mut self, ticket: Ticket) {
        self.pending = Some((ticket, self.prompt.text()));
        self.shows_all = false;
    }

    /// The engine has it on disk: the prompt is cleared (undo brings it back), unless it was
    /// changed in the meantime. `false` when the ticket is not of this form.
    pub fn accepted(&mut self, ticket: Ticket, now: Timestamp) -> bool {
        let Some((_, sent)) = self.pending.take_if(|(pending, _)| *pending == ticket) else { return false };
        self.counting = false;
        if sent == self.prompt.text() {
            self.prompt.replace("");
            self.copies = 1;
            self.others.clear();
            self.others_wanted.clear();
            self.shows_all = false;
        }
        self.edited(now);
        true
    }

    /// The engine refused: everything stays, and the problems are shown.
    pub fn was_refused(&mut self, ticket: Ticket, problems: Vec<Problem>) -> bool {
        let ours = self.pending.take_if(|(pending, _)| *pending == ticket).is_some();
        if ours {
            self.refused = problems;
        }
        ours
    }
}
