//! The story of the selected job: asked of the engine a moment after the selection rests, not at every key.
//!
//! Knows when to ask and which answer still matters. Must not know how it is drawn.

use jiff::{SignedDuration, Timestamp};

use crate::domain::message::{JobDetail, Ticket};
use crate::domain::{JobId, JobRow};

/// How long the selection must rest before its story is asked for, ms.
const REST_MS: i64 = 150;
/// How long a changed job waits before it is asked for again, ms: changes come in bursts.
const CHANGED_MS: i64 = 400;

/// What is known of one job, and what is asked.
#[derive(Clone, Debug, Default)]
pub struct Story {
    detail: Option<Box<JobDetail>>,
    wanted: Option<JobId>,
    shown: Option<JobId>,
    due: Option<Timestamp>,
    asked: Option<Ticket>,
}

impl Story {
    /// Says which job's story is wanted now, if any.
    pub fn want(&mut self, id: Option<JobId>, now: Timestamp) {
        if self.wanted == id {
            return;
        }
        self.wanted = id;
        self.asked = None;
        let known = self.detail.as_ref().map(|detail| detail.job.id);
        if known.is_some() && known == id {
            self.shown = known;
        }
        self.due = id.filter(|id| known != Some(*id)).map(|_| now + SignedDuration::from_millis(REST_MS));
    }

    /// Wants it at once.
    pub fn want_now(&mut self, id: JobId, now: Timestamp) {
        self.wanted = Some(id);
        self.due = Some(now);
        self.asked = None;
    }

    /// Takes note that a job changed.
    pub fn changed(&mut self, row: &JobRow, now: Timestamp) {
        let known = self.detail.as_ref().filter(|detail| detail.job.id == row.id);
        let news = known.is_none_or(|detail| {
            let old = &detail.job;
            (old.state, old.late, old.cost) != (row.state, row.late, row.cost)
        });
        if self.wanted == Some(row.id) && news && self.due.is_none() {
            self.due = Some(now + SignedDuration::from_millis(CHANGED_MS));
        }
    }

    /// The clip's files, or its links while it is not on disk, as the details show them.
    pub fn places(&self) -> Vec<String> {
        let Some(job) = self.detail.as_ref().map(|detail| &detail.job) else { return Vec::new() };
        let files = job.files.iter().map(|file| file.path.clone());
        if job.files.is_empty() { job.links.clone() } else { files.collect() }
    }

    /// When something is to be asked.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The job to ask for now; the caller tells the ticket to [`Story::asked`].
    pub fn take_due(&mut self, now: Timestamp) -> Option<JobId> {
        let due = self.due.is_some_and(|due| now >= due);
        if !due {
            return None;
        }
        self.due = None;
        if self.detail.is_none() {
            self.shown = self.wanted;
        }
        self.wanted
    }

    /// The job whose story is on the screen: the one told last, or, before the first, asked for.
    pub fn shown(&self) -> Option<JobId> {
        self.shown
    }

    /// The engine has nothing to tell; what the row says must do.
    pub fn refused(&mut self, ticket: Ticket) {
        if self.asked == Some(ticket) {
            self.asked = None;
            self.shown = self.wanted;
        }
    }

    /// Notes the ticket of the question.
    pub fn asked(&mut self, ticket: Ticket) {
        self.asked = Some(ticket);
    }

    /// Takes an answer; an answer to an older question is dropped.
    pub fn answered(&mut self, ticket: Ticket, detail: Box<JobDetail>) -> bool {
        let current = self.asked == Some(ticket) && self.wanted == Some(detail.job.id);
        if current {
            self.asked = None;
            self.shown = Some(detail.job.id);
            self.detail = Some(detail);
        }
        current
    }

    /// What is known, of whichever job it was asked for last.
    pub fn detail(&self) -> Option<&JobDetail> {
        self.detail.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;
    use crate::domain::{Job, JobState, Request};

    #[test]
    fn a_selection_that_runs_asks_once_when_it_rests() {
        let start = Timestamp::UNIX_EPOCH;
        let later = |ms| start + SignedDuration::from_millis(ms);
        let mut story = Story::default();
        for i in 0..5 {
            story.want(Some(JobId(i)), later(i * 30));
            assert_eq!(story.take_due(later(i * 30)), None);
        }
        assert_eq!(story.take_due(later(120 + REST_MS)), Some(JobId(4)));
        story.asked(9);
        let detail = |id| {
            let job = Job::new(JobId(id), Request::new(&"a/b".parse().unwrap(), "x"), start);
            Box::new(JobDetail { job, history: Vec::new() })
        };
        assert!(!story.answered(8, detail(4)), "an older question");
        assert!(story.answered(9, detail(4)));
        story.changed(&row(4, JobState::Queued, "x"), start);
        assert_eq!(story.due(), None, "nothing that the story tells has changed");
        story.changed(&row(4, JobState::Running, "x"), start);
        assert_eq!(story.due(), Some(later(CHANGED_MS)));
    }
}
