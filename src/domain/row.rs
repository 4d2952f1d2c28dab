//! A job as a table shows it: small, whole and idempotent.
//!
//! Knows what of a job a face needs at a glance. Must not know any face.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::{FileKind, Hold, Job, JobId};
use super::money::Money;
use super::problem::ErrorKind;
use super::state::JobState;
use super::text::clean;
use super::turn::Turn;

/// What a face needs to show a job in a table: small, whole and idempotent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its number.
    pub id: JobId,
    /// The account's name.
    pub account: String,
    /// The model's id.
    pub model: String,
    /// The prompt's first 240 characters, cleaned.
    pub prompt: String,
    /// Where it stands.
    pub state: JobState,
    /// The service's own word.
    pub phase: Option<String>,
    /// Progress in percent, 0-100, where the service says it.
    pub progress: Option<u8>,
    /// Whether it takes longer than it should.
    pub late: bool,
    /// Whether the user hid it.
    pub abandoned: bool,
    /// The hold's reason, the error, or the clip's size, length and shape.
    pub note: Option<String>,
    /// Expected cost; `None` is unknown.
    pub estimate: Option<Money>,
    /// Cost, once known.
    pub cost: Option<Money>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When its order was sent.
    pub submitted_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// How long this model usually takes, s: own history, else the documents' figure.
    pub usual_s: Option<u32>,
    /// The batch it came with.
    pub batch: Option<i64>,
    /// The user's labels.
    pub tags: Vec<String>,
    /// The job that it is a retry or continuation of.
    pub parent: Option<JobId>,
    /// Its turn in its account's queue, which says something only while it is queued.
    pub turn: Turn,
}

impl JobRow {
    /// Whether it is held because the user said so: then it waits for nobody's decision.
    pub fn is_held_by_user(&self) -> bool {
        self.state == JobState::Held && self.note.as_deref() == Some(Hold::User.text().as_str())
    }

    /// Whether it failed because its service refused a parameter: its note begins with that kind's word.
    pub fn was_invalid(&self) -> bool {
        let note = self.note.as_deref().unwrap_or_default();
        self.state == JobState::Failed
            && note.strip_prefix(ErrorKind::Invalid.word()).is_some_and(|n| n.starts_with(':'))
    }
}

impl Job {
    /// What a table row shows of it.
    pub fn row(&self) -> JobRow {
        JobRow {
            id: self.id,
            account: self.request.account.clone(),
            model: self.request.model.clone(),
            prompt: clean(&self.request.prompt, 240),
            state: self.state,
            phase: self.phase.clone(),
            progress: self.progress,
            late: self.late,
            abandoned: self.abandoned,
            note: self.note(),
            estimate: self.estimate.map(|e| e.money),
            cost: self.cost,
            created_at: self.created_at,
            submitted_at: self.submitted_at,
            finished_at: self.finished_at,
            usual_s: None,
            batch: self.batch,
            tags: self.request.tags.clone(),
            parent: self.parent,
            turn: self.turn(),
        }
    }

    fn note(&self) -> Option<String> {
        if let Some(hold) = &self.hold {
            return Some(hold.text());
        }
        if let Some(error) = &self.error {
            return Some(error.to_string());
        }
        let file = self.files.first()?;
        #[expect(clippy::cast_precision_loss, reason = "a size for people, to a tenth of a megabyte")]
        let mut note = format!("{:.1} MB", file.bytes as f64 / 1e6);
        if file.kind == FileKind::Partial {
            note = format!("part of the clip, {note}");
        }
        if let Some(ms) = file.duration_ms {
            note += &format!(" · {}.{} s", ms / 1000, ms % 1000 / 100);
        }
        if let (Some(w), Some(h)) = (file.width, file.height) {
            note += &format!(" · {w}x{h}");
        }
        Some(note)
    }
}
