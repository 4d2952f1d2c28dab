//! What is worth calling the user back for: all work is done, or a job needs a decision.
//!
//! Knows when to speak and in what words. Must not know bells, escape sequences or commands.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{JobRow, JobState};

/// How long news are gathered before they are told as one sentence, ms.
const GATHER_MS: i64 = 1_000;

/// What happened since the user was called last.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    done: usize,
    failed: usize,
    needy: usize,
    due: Option<Timestamp>,
}

impl Attention {
    /// Takes note of a job that was in state `before` and is now as the row says; `open` jobs are still at work.
    pub fn changed(&mut self, before: Option<JobState>, row: &JobRow, open: usize, now: Timestamp) {
        // What is heard of for the first time is old news or the user's own doing.
        let Some(before) = before.filter(|before| *before != row.state && !row.abandoned) else { return };
        match row.state {
            JobState::Done => self.done += 1,
            JobState::Failed => self.failed += 1,
            // The user's own word holds a queued job.
            JobState::Unconfirmed => self.needy += 1,
            JobState::Held if before != JobState::Queued => self.needy += 1,
            JobState::Held
            | JobState::Queued
            | JobState::Submitting
            | JobState::Running
            | JobState::Downloading
            | JobState::Cancelled => {}
        }
        if self.needy > 0 || (open == 0 && self.done + self.failed > 0) {
            self.due.get_or_insert(now + SignedDuration::from_millis(GATHER_MS));
        }
    }

    /// When the user is to be called.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The sentence, once it is due.
    pub fn take(&mut self, now: Timestamp) -> Option<String> {
        self.due.filter(|due| now >= *due)?;
        let told = std::mem::take(self);
        let parts = [(told.done, "done"), (told.failed, "failed"), (told.needy, "waiting for you")];
        let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        Some(format!("rushes: {}", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;

    #[test]
    fn the_user_is_called_once_for_a_queue_and_at_once_for_a_decision() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + SignedDuration::from_secs(2);
        let mut attention = Attention::default();
        attention.changed(None, &row(1, JobState::Done, "x"), 0, now);
        attention.changed(Some(JobState::Running), &row(1, JobState::Done, "x"), 1, now);
        attention.changed(Some(JobState::Queued), &row(2, JobState::Held, "x"), 1, now);
        assert_eq!(attention.due(), None, "work goes on");
        attention.changed(Some(JobState::Running), &row(3, JobState::Failed, "x"), 0, now);
        assert_eq!(attention.take(now), None, "more may come");
        assert_eq!(attention.take(later).as_deref(), Some("rushes: 1 done, 1 failed"));
        assert_eq!((attention.due(), attention.take(later)), (None, None));
        attention.changed(Some(JobState::Submitting), &row(4, JobState::Unconfirmed, "x"), 9, now);
        assert_eq!(attention.take(later).as_deref(), Some("rushes: 1 waiting for you"));
    }
}
