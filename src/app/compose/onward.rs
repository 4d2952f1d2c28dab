//! Going on from a finished clip: the form of a model that extends it, tied to the job it is from.
//!
//! Knows which field holds the clip. Must not know which models extend which.

use jiff::Timestamp;
use serde_json::Value;

use super::{Compose, Spot};
use crate::domain::JobId;
use crate::domain::message::Offer;

/// The job that the form goes on from, as long as its clip stands in this field.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    job: JobId,
    field: String,
    value: Value,
}

impl Compose {
    /// Chooses a model that goes on from a job's clip: `clip` is its field and the clip, `more` are
    /// other values; the prompt is replaced, and can be had back by undo.
    pub fn go_on_from(
        &mut self,
        job: JobId,
        prompt: &str,
        offer: Offer,
        (field, value): (String, Value),
        more: Vec<(String, Value)>,
        now: Timestamp,
    ) {
        self.choose(offer, Vec::new(), now);
        self.copies = 1;
        let values = more.into_iter().chain([(field.clone(), value.clone())]).collect();
        self.form.restore(values);
        self.parent = Some(Parent { job, field, value });
        if !prompt.is_empty() {
            self.prompt.replace(prompt);
        }
        self.spot = Spot::Prompt;
    }

    /// The job that the form goes on from, if its clip still stands there.
    pub fn parent(&self) -> Option<JobId> {
        let parent = self.parent.as_ref()?;
        (self.form.values().get(&parent.field)? == &parent.value).then_some(parent.job)
    }
}
