//! Named points in the engine's work: whoever listens is told when one is passed, so that a harness
//! can end the process at exactly that point.
//!
//! Knows names and whose turn it is. Must not know who listens. Without a listener a point costs one
//! comparison.

mod disk;

use std::fmt;
use std::sync::Arc;

use crate::domain::{EntryKind, JobId, JobState};
use crate::media::Disk;
use crate::store::Change;

/// What is called at each point: the step's name, and the job (`j-12`) or account it is about.
type Listener = dyn Fn(&str, &str) + Send + Sync;

/// Who is told of the points, if anybody.
#[derive(Clone, Default)]
pub struct Points(Option<Arc<Listener>>);

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Points(heard)" } else { "Points(unheard)" })
    }
}

impl Points {
    /// Points that `listener` is told of, in the thread that passes them and before it goes on:
    /// the step's name, and the job (`j-12`) or account it is about.
    pub fn told(listener: impl Fn(&str, &str) + Send + Sync + 'static) -> Points {
        Points(Some(Arc::new(listener)))
    }

    /// Whether anybody listens.
    pub(super) fn are_heard(&self) -> bool {
        self.0.is_some()
    }

    /// A point is passed.
    pub(super) fn reach(&self, step: &str, subject: impl fmt::Display) {
        if let Some(listener) = &self.0 {
            listener(step, &subject.to_string());
        }
    }

    /// These changes are about to be committed.
    pub(super) fn before(&self, changes: &[Change]) {
        self.around(changes, "commit");
    }

    /// These changes are on disk; nothing that follows from them has begun.
    pub(super) fn after(&self, changes: &[Change]) {
        self.around(changes, "committed");
    }

    fn around(&self, changes: &[Change], when: &str) {
        if self.are_heard() {
            for (step, subject) in changes.iter().filter_map(named) {
                self.reach(&format!("{step}.{when}"), subject);
            }
        }
    }

    /// A job's view of the disk, whose points are this job's.
    pub(super) fn disk(&self, disk: &Arc<dyn Disk>, job: JobId) -> Arc<dyn Disk> {
        if self.are_heard() { disk::told(disk.clone(), self.clone(), job) } else { disk.clone() }
    }
}

/// What a change is to somebody who wants to end the process around it, and whose it is.
fn named(change: &Change) -> Option<(&'static str, String)> {
    let step = |step, job: &JobId| Some((step, job.to_string()));
    match change {
        Change::PutIntent { job, .. } => step("intent", job),
        Change::ClaimName { job, .. } => step("claim", job),
        Change::AnswerIntent { job, .. } => step("answer", job),
        Change::Book(entry) => match (entry.kind, &entry.job) {
            (EntryKind::Charged, Some(job)) => step("charge", job),
            (EntryKind::Refunded, Some(job)) => step("refund", job),
            _ => None,
        },
        Change::SeeBalance { account, .. } => Some(("balance", account.clone())),
        Change::PutJob(job) => match job.state {
            JobState::Queued if job.attempts == 0 => step("queue", &job.id),
            JobState::Queued => step("requeue", &job.id),
            JobState::Held => step("hold", &job.id),
            // Its intent is in the same commit, and so is the answer of one that was just taken.
            JobState::Submitting => None,
            JobState::Running if job.polls == 0 => None,
            JobState::Running => step("poll", &job.id),
            JobState::Downloading => step("finished", &job.id),
            JobState::Done => step("done", &job.id),
            JobState::Failed => step("failed", &job.id),
            JobState::Cancelled => step("cancelled", &job.id),
            JobState::Unconfirmed => step("unconfirmed", &job.id),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::RealDisk;
    use std::sync::Mutex;

    #[test]
    fn the_last_metre_passes_its_points_in_the_order_that_the_disk_sees() {
        let dir = tempfile::tempdir().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = seen.clone();
        let points = Points::told(move |step, subject| told.lock().unwrap().push(format!("{subject} {step}")));
        let real: Arc<dyn Disk> = Arc::new(RealDisk);
        let disk = points.disk(&real, JobId(7));
        let mut writer = crate::media::ClipWriter::new(disk.clone(), dir.path().join("clip"), 1);
        crate::domain::sink::ClipSink::begin(&mut writer, &Default::default()).unwrap();
        crate::domain::sink::ClipSink::write(&mut writer, b"abcd").unwrap();
        crate::domain::sink::ClipSink::end(&mut writer).unwrap();
        let part = writer.finish().remove(0);
        let clip = dir.path().join("clip.mp4");
        crate::media::publish::publish(&*disk, &part, None, &clip).unwrap();
        crate::media::publish_sidecar(&*disk, &clip, &serde_json::Value::Null).unwrap();
        let part = ["begun", "named", "half", "synced", "synced", "ready", "renamed", "published"]
            .map(|s| format!("j-7 part.{s}"));
        let recipe = ["begun", "half", "synced", "ready", "renamed", "published"].map(|s| format!("j-7 recipe.{s}"));
        assert_eq!(*seen.lock().unwrap(), [&part[..], &recipe[..]].concat());
        assert_eq!(std::fs::read(&clip).unwrap(), b"abcd", "what is watched is what is written");
    }
}
