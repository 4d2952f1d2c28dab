//! Clocks of the table's rows: how far a job is in its usual time, in steps that cost few bytes.
//!
//! Knows when a shown time changes. Must not know how it is written.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{JobRow, JobState};

/// What a row's clock says, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It usually takes so much longer.
    Left(i64),
    /// It is so far past its usual time.
    Over(i64),
    /// It runs since; nothing is known of its usual time.
    Since(i64),
    /// It took so long.
    Took(i64),
}

/// Whether a row's clock runs: while the service makes the clip, not while it comes to disk.
pub fn runs(row: &JobRow) -> bool {
    row.submitted_at.is_some() && matches!(row.state, JobState::Submitting | JobState::Running)
}

/// What a row's clock says at `now`, in steps of so many seconds; all clocks of a step change together.
pub fn read(row: &JobRow, now: Timestamp, step_s: i64) -> Option<Clock> {
    let start = row.submitted_at?;
    let seconds = |end: Timestamp| end.duration_since(start).as_secs().max(0);
    if !runs(row) {
        let took = row.state == JobState::Done || row.state == JobState::Failed;
        return row.finished_at.filter(|_| took).map(|end| Clock::Took(seconds(end)));
    }
    let since = seconds(step_before(now, step_s)) / step_s * step_s;
    Some(match row.usual_s.map(i64::from) {
        None => Clock::Since(since),
        Some(usual) if since <= usual => Clock::Left(usual - since),
        Some(usual) => Clock::Over(since - usual),
    })
}

/// When a running clock of that step changes next.
pub fn next_change(now: Timestamp, step_s: i64) -> Timestamp {
    let next = (now.as_second().div_euclid(step_s) + 1) * step_s;
    Timestamp::from_second(next).unwrap_or(now + SignedDuration::from_secs(1))
}

fn step_before(now: Timestamp, step_s: i64) -> Timestamp {
    let second = now.as_second().div_euclid(step_s) * step_s;
    Timestamp::from_second(second).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;

    #[test]
    fn rows_step_together_by_ten_seconds_and_the_selected_one_by_one() {
        let at = |s: i64| Timestamp::from_second(1_000_000 + s).unwrap();
        let mut job = row(1, JobState::Running, "x");
        job.submitted_at = Some(at(3));
        job.usual_s = Some(60);
        assert_eq!(read(&job, at(29), 1), Some(Clock::Left(34)));
        let stepped: Vec<_> = (20..40).map(|s| read(&job, at(s), 10)).collect();
        assert!(stepped[..10].iter().all(|c| *c == stepped[0]) && stepped[10] != stepped[0], "{stepped:?}");
        assert_eq!(read(&job, at(75), 1), Some(Clock::Over(12)));
        job.usual_s = None;
        assert_eq!(read(&job, at(75), 1), Some(Clock::Since(72)));
        assert_eq!(next_change(at(29), 10), at(30));
        assert_eq!(next_change(at(30), 10), at(40));
        assert_eq!(next_change(at(30), 1), at(31));
        assert_eq!(read(&job, at(200), 60), Some(Clock::Since(180)));
        job.state = JobState::Done;
        job.finished_at = Some(at(100));
        assert_eq!(read(&job, at(500), 10), Some(Clock::Took(97)));
        job.state = JobState::Queued;
        assert_eq!(read(&job, at(500), 10), None);
    }
}
