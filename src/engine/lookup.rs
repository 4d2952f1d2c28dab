//! What a command needs from disk before the core can answer it: known keys, final jobs, media files.
//!
//! Knows the store and the inputs. Must not decide anything: the core reads nothing and decides all.

use super::core::{LookedUp, Step};
use super::inputs;
use super::shell::Shell;
use crate::domain::books::Class;
use crate::domain::message::Command;
use crate::domain::{Job, Problem};
use crate::store::{JobFilter, StoreError};

impl Shell {
    /// Reads from disk what the core needs for a command: known keys, final jobs, media files.
    pub(super) async fn look_up(&mut self, command: &mut Command, step: &mut Step) -> LookedUp {
        let mut looked_up = LookedUp::default();
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
                let made = inputs::Made::default();
                for (n, job) in jobs.iter_mut().enumerate() {
                    // A model nobody offers is refused by the core; its files are left alone.
                    let Some(model) = self.core.model_of(&job.request).cloned() else { continue };
                    match inputs::keep(&self.tools, &model, job, &made).await {
                        Ok(mut kept) => {
                            step.changes.append(&mut kept.changes);
                            if !kept.notes.is_empty() {
                                looked_up.notes.insert(n, kept.notes);
                            }
                        }
                        Err(mut problems) => looked_up.problems.append(&mut problems),
                    }
                }
            }
            Command::Retry { ids, .. }
            | Command::Abandon { ids }
            | Command::Cancel { ids }
            | Command::WriteOff { ids }
            | Command::Duplicate { ids }
            | Command::Move { ids, .. }
            | Command::Tag { ids, .. }
            | Command::Hold { ids }
            | Command::Release { ids, .. } => {
                for id in ids.iter().filter(|id| self.core.job(**id).is_none()) {
                    match self.tools.store.job(*id) {
                        Ok(job) => looked_up.finals.extend(job),
                        Err(error) => looked_up.problems.push(Problem::new("id", "disk", error.to_string())),
                    }
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
            _ => {}
        }
        looked_up
    }
}
