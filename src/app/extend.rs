//! Going on from a finished clip: which models extend it, and the form filled in for one of them.
//!
//! Knows where a clip is found and which field takes it. Queues nothing.

use super::geometry::Pane;
use super::input::Effect;
use super::overlay::Overlay;
use super::picker::Picker;
use super::{App, Waiting};
use crate::domain::message::{Command, Level, Offer};
use crate::domain::{FileKind, Job, JobRow, JobState, ParameterKind};

/// The route of models that are told which run they go on from (wire.md 1.1, extend).
const BY_RUN: &str = "extend";

impl App {
    /// Whether some model goes on from the clip of the one job that a verb is for.
    pub fn extendable(&self) -> bool {
        let row = self.one_target().and_then(|id| self.jobs.get(id)).filter(|row| row.state == JobState::Done);
        let own =
            |row: &JobRow| self.offers.iter().find(|offer| offer.account == row.account && offer.model.id == row.model);
        row.and_then(own).is_some_and(|offer| !offer.model.extended_by.is_empty())
    }

    /// Goes on from the one job a verb is for; asks the engine for it where it is not known whole.
    pub(super) fn extend(&mut self) -> Vec<Effect> {
        let Some(id) = self.one_target() else { return Vec::new() };
        match self.known(id).cloned() {
            Some(job) => self.extend_from(job),
            None => vec![self.send(Command::Inspect { id }, Waiting::Extend)],
        }
    }

    /// Opens the form of the model that goes on from this job, or the list of them.
    pub(super) fn extend_from(&mut self, job: Job) -> Vec<Effect> {
        self.touch();
        if job.state != JobState::Done {
            self.say(Level::Info, format!("{} is {}: only a finished clip can be extended", job.id, job.state));
            return Vec::new();
        }
        let name = job.model_ref();
        let Some(own) = self.offers.iter().find(|offer| offer.model_ref() == name) else {
            self.say(Level::Warning, format!("{name} is not on offer now, so what extends it is not known"));
            return Vec::new();
        };
        let extends = |offer: &&Offer| {
            offer.account == name.account && !offer.model.gone && own.model.extended_by.contains(&offer.model.id)
        };
        let by: Vec<Offer> = self.offers.iter().filter(extends).cloned().collect();
        match by.as_slice() {
            [] => {
                self.say(Level::Info, format!("no model of {} extends clips of {}", name.account, name.model));
                Vec::new()
            }
            [one] => self.extend_with(&job, one.clone()),
            _ => {
                self.overlays.push(Overlay::Picker(Picker::to_extend(std::sync::Arc::new(by), job)));
                Vec::new()
            }
        }
    }

    /// Fills the form in: the clip of `job`, at this model.
    pub(super) fn extend_with(&mut self, job: &Job, offer: Offer) -> Vec<Effect> {
        let by_run = offer.model.route.as_deref() == Some(BY_RUN);
        let model = offer.model_ref();
        let clip = if by_run { job.remote_id.clone().map(|id| ("run".to_owned(), id)) } else { clip_of(job, &offer) };
        let Some((field, clip)) = clip else {
            let what = if by_run { "no id of its run" } else { "no link and no file" };
            self.say(Level::Warning, format!("{} has {what}, so {model} cannot go on from it", job.id));
            return Vec::new();
        };
        let first = by_run.then(|| ("index".to_owned(), 0.into()));
        self.overlays.clear();
        let more = first.into_iter().collect();
        let prompt = &job.request.prompt;
        self.compose.go_on_from(job.id, prompt, offer, (field, clip.into()), more, self.now);
        self.compose.compare();
        self.check_form();
        self.say(Level::Info, format!("{model} goes on from {}; nothing is queued until you say so", job.id));
        self.go_to(Pane::Compose)
    }
}

/// The field that takes a clip at this model, and the clip: its link where the service gave one, else its file.
fn clip_of(job: &Job, offer: &Offer) -> Option<(String, String)> {
    let takes = offer.model.parameters.iter().find(|parameter| parameter.kind == ParameterKind::Video)?;
    let file = job.files.iter().find(|file| file.kind == FileKind::Video).map(|file| file.path.clone());
    let clip = job.links.first().cloned().or(file)?;
    Some((takes.name.clone(), clip))
}
