//! What a command needs from disk before the core can answer it: known keys, final jobs, media files.
//!
//! Knows the store and the inputs. Must not decide anything: the core reads nothing and decides all.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::core::{FaceId, LookedUp, Step};
use super::inputs;
use super::shell::{Message, Shell, Tools};
use crate::domain::books::Class;
use crate::domain::message::{Answer, Command, NewJob, Ticket};
use crate::domain::{Job, Model, Problem};
use crate::store::{Change, JobFilter, StoreError};

/// What became of the files that a command names.
#[derive(Debug, Default)]
pub(super) struct Files {
    changes: Vec<Change>,
    notes: HashMap<usize, Vec<(String, serde_json::Value)>>,
    problems: Vec<Problem>,
}

impl Shell {
    /// Keeps the files that a command's jobs name, in a task of its own that reports back: making a picture
    /// smaller takes its time, and no answer to an order may wait for that. A command without files comes back.
    pub(super) fn keep_files(&mut self, face: FaceId, ticket: Ticket, command: Command) -> Option<Command> {
        let Command::Queue { jobs } = command else { return Some(command) };
        // A model nobody offers is refused by the core; its files are left alone.
        let models: Vec<_> = jobs.iter().map(|job| self.core.model_of(&job.request).cloned()).collect();
        let has_files = |(job, model): (&NewJob, &Option<Arc<Model>>)| {
            model.as_ref().is_some_and(|model| inputs::has_files(model, job))
        };
        if !jobs.iter().zip(&models).any(has_files) {
            return Some(Command::Queue { jobs });
        }
        self.looking.insert(face, VecDeque::new());
        let (tools, messages) = (self.tools.clone(), self.tools.messages.clone());
        let keeping = tokio::spawn(async move { keep_all(&tools, jobs, models).await });
        tokio::spawn(async move {
            let (jobs, files) = keeping.await.unwrap_or_else(|error| {
                let problem = Problem::new("params", "file", format!("cannot be kept: {error}"));
                (Vec::new(), Files { problems: vec![problem], ..Files::default() })
            });
            let (command, files) = (Box::new(Command::Queue { jobs }), Box::new(files));
            let _ = messages.send(Message::Kept { face, ticket, command, files });
        });
        None
    }

    /// Looks at the files of an order that is not given yet, in a task of its own that reports back.
    pub(super) fn check_files(&mut self, face: FaceId, ticket: Ticket, command: Command) {
        let Command::CheckFiles { job } = command else { return };
        let model = self.core.model_of(&job.request).cloned();
        let (store, messages) = (self.tools.store.clone(), self.tools.messages.clone());
        tokio::task::spawn_blocking(move || {
            let problems = model.map(|model| inputs::faults(&store, &model, &job)).unwrap_or_default();
            let answer = match problems.is_empty() {
                true => Answer::Accepted { ids: Vec::new(), known: 0 },
                false => Answer::Refused { problems },
            };
            let _ = messages.send(Message::Answered { face, ticket, answer: Box::new(answer) });
        });
    }

    /// Reads from disk what the core needs for a command: known keys and final jobs; its files were kept before.
    pub(super) fn look_up(&mut self, command: &mut Command, mut files: Files, step: &mut Step) -> LookedUp {
        step.changes.append(&mut files.changes);
        let mut looked_up = LookedUp { notes: files.notes, problems: files.problems, ..LookedUp::default() };
        match command {
            Command::Queue { jobs } => {
                let keys: Vec<String> = jobs.iter().filter_map(|job| job.key.clone()).collect();
                if !keys.is_empty() {
                    match self.tools.store.known(&keys) {
                        Ok(known) => looked_up.known = known,
                        Err(error) => looked_up.problems.push(Problem::new("key", "disk", error.to_string())),
                    }
                }
                if !keys.is_empty() || jobs.iter().any(|job| job.cap.is_some()) {
                    looked_up.batch = Some((self.next_batch, "batch".to_owned()));
                    self.next_batch += 1;
                }
            }
            Command::Classify { class: Class::RefundOf(id) | Class::ChargeOf(id), .. } => {
                match self.tools.store.job(*id) {
                    Ok(job) => looked_up.finals.extend(job.filter(|job| job.state.is_final())),
                    Err(error) => looked_up.problems.push(Problem::new("id", "disk", error.to_string())),
                }
            }
            Command::Adopt { id, remote_id } => {
                let read = || {
                    let job = self.tools.store.job(*id)?;
                    let account = job.as_ref().map(|job| job.request.account.clone());
                    let all = self.tools.store.jobs(&JobFilter { account, ..JobFilter::default() })?;
                    Ok::<_, StoreError>((job, all))
                };
                match read() {
                    Ok((job, all)) => {
                        let mut others = all.iter().filter(|other| other.id != *id);
                        let same = |other: &&Job| other.remote_id.as_deref() == Some(remote_id.trim());
                        looked_up.adopted_by = others.find(same).map(|other| other.id);
                        looked_up.finals.extend(job.filter(|job| job.state.is_final()));
                    }
                    Err(error) => looked_up.problems.push(Problem::new("id", "disk", error.to_string())),
                }
            }
            verb => {
                for id in verb.jobs().iter().filter(|id| self.core.job(**id).is_none()) {
                    match self.tools.store.job(*id) {
                        Ok(job) => looked_up.finals.extend(job),
                        Err(error) => looked_up.problems.push(Problem::new("id", "disk", error.to_string())),
                    }
                }
            }
        }
        looked_up
    }
}

async fn keep_all(tools: &Tools, mut jobs: Vec<NewJob>, models: Vec<Option<Arc<Model>>>) -> (Vec<NewJob>, Files) {
    let (mut files, made) = (Files::default(), inputs::Made::default());
    for (n, (job, model)) in jobs.iter_mut().zip(models).enumerate() {
        let Some(model) = model else { continue };
        match inputs::keep(tools, &model, job, &made).await {
            Ok(mut kept) => {
                files.changes.append(&mut kept.changes);
                if !kept.notes.is_empty() {
                    files.notes.insert(n, kept.notes);
                }
            }
            Err(mut problems) => files.problems.append(&mut problems),
        }
    }
    (jobs, files)
}
