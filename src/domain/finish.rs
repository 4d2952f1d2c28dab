//! When the queue will be worked off, as far as that can be said.
//!
//! Knows rows, how many jobs an account may have at its service, and how long jobs take. Must not know
//! a face, nor what a job costs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::message::AccountRow;
use super::row::JobRow;
use super::state::JobState;
use super::timing::{Timing, Timings};

/// Standard deviations between the middle of a normal distribution and its ninth decile.
const NINTH_DECILE: f64 = 1.2816;

/// When all that is queued and under way is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finish {
    /// As likely before as after.
    pub p50: Timestamp,
    /// Nine times out of ten before.
    pub p90: Timestamp,
    /// Whether it rests on the documents' figures alone.
    pub is_quoted: bool,
    /// Jobs that are not in it: nothing is known of their time, or their account is paused.
    pub left_out: usize,
}

/// A place at a service: when it is free, and how sure that is (variance, s²).
#[derive(Clone, Copy, Debug)]
struct Slot {
    free_s: f64,
    variance: f64,
}

impl PartialEq for Slot {
    fn eq(&self, other: &Slot) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Slot {}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Slot) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Slot) -> std::cmp::Ordering {
        self.free_s.total_cmp(&other.free_s).then(self.variance.total_cmp(&other.variance))
    }
}

/// When the queue ends: each account's jobs go out in their order, one for each place that gets free.
/// `None` where nothing is queued or under way of which a time is known.
pub fn finish<'a>(
    accounts: &[AccountRow],
    rows: impl Iterator<Item = &'a JobRow>,
    timings: &Timings,
    now: Timestamp,
) -> Option<Finish> {
    let paused: HashMap<&str, bool> = accounts.iter().map(|a| (a.name.as_str(), a.pause.is_some())).collect();
    let mut running: HashMap<&str, BinaryHeap<Reverse<Slot>>> = HashMap::new();
    let mut queued: HashMap<&str, Vec<Timing>> = HashMap::new();
    let (mut left_out, mut is_quoted) = (0, true);
    for row in rows {
        let waits = row.state == JobState::Queued;
        if !waits && !matches!(row.state, JobState::Submitting | JobState::Running | JobState::Downloading) {
            continue;
        }
        let Some(timing) = timings.of(&row.account, &row.model) else {
            left_out += 1;
            continue;
        };
        if waits && paused.get(row.account.as_str()).copied().unwrap_or(true) {
            left_out += 1;
            continue;
        }
        is_quoted &= timing.clips == 0;
        if waits {
            queued.entry(&row.account).or_default().push(timing);
        } else {
            let since = row.submitted_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
            // One that is past its time may end at any moment: half of what nine of ten would still take.
            let left = (f64::from(timing.p50_s) - since).max((f64::from(timing.p90_s) - since) / 2.0).max(0.0);
            let slot = Slot { free_s: left, variance: variance(timing) };
            running.entry(&row.account).or_default().push(Reverse(slot));
        }
    }
    let mut ends: Option<(f64, f64)> = None;
    for account in accounts {
        let name = account.name.as_str();
        let mut slots = running.remove(name).unwrap_or_default();
        let waiting = queued.remove(name).unwrap_or_default();
        if slots.is_empty() && waiting.is_empty() {
            continue;
        }
        while slots.len() < account.max_in_flight.max(1) as usize {
            slots.push(Reverse(Slot { free_s: 0.0, variance: 0.0 }));
        }
        for timing in waiting {
            let Some(Reverse(slot)) = slots.pop() else { break };
            let (free_s, variance) = (slot.free_s + f64::from(timing.p50_s), slot.variance + variance(timing));
            slots.push(Reverse(Slot { free_s, variance }));
        }
        for Reverse(slot) in slots {
            let late = slot.free_s + NINTH_DECILE * slot.variance.sqrt();
            let (p50, p90) = ends.unwrap_or_default();
            ends = Some((p50.max(slot.free_s), p90.max(late)));
        }
    }
    let (p50, p90) = ends?;
    let at = |seconds: f64| now.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok();
    Some(Finish { p50: at(p50)?, p90: at(p90)?, is_quoted, left_out })
}

/// Of one job's time, as if it were spread like a normal distribution above its middle.
fn variance(timing: Timing) -> f64 {
    let deviation = f64::from(timing.p90_s.saturating_sub(timing.p50_s)) / NINTH_DECILE;
    deviation * deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ErrorKind, Job, JobId, Pause, Request, Service};

    fn row(id: i64, model: &str, state: JobState, since: i64) -> JobRow {
        let mut job = Job::new(JobId(id), Request::new(&model.parse().unwrap(), "x"), at(-1000));
        job.state = state;
        job.submitted_at = (state == JobState::Running).then(|| at(-since));
        job.row()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_269_720 + seconds).unwrap()
    }

    fn account(name: &str, places: u32) -> AccountRow {
        AccountRow {
            name: name.into(),
            service: Service::Nanogpt,
            balances: Vec::new(),
            reserved: Vec::new(),
            plan: None,
            per_minute: None,
            pause: None,
            trouble: None,
            in_flight: 0,
            max_in_flight: places,
        }
    }

    #[test]
    fn each_account_works_off_its_own_queue_place_by_place() {
        let mut timings = Timings::default();
        timings.put("n", "sure", Timing { p50_s: 100, p90_s: 100, clips: 20 });
        timings.put("a", "vague", Timing { p50_s: 60, p90_s: 90, clips: 0 });
        let mut accounts = [account("n", 2), account("a", 1)];
        let mut rows = vec![row(1, "n/sure", JobState::Running, 40)];
        rows.extend((2..5).map(|id| row(id, "n/sure", JobState::Queued, 0)));
        // Places of n: one is free in 60 s, the other now; 100, 160, 200 s are the three queued ones' ends.
        let ends = |accounts: &[AccountRow], rows: &[JobRow]| finish(accounts, rows.iter(), &timings, at(0));
        let only = Finish { p50: at(200), p90: at(200), is_quoted: false, left_out: 0 };
        assert_eq!(ends(&accounts, &rows), Some(only));
        // a has one place: four jobs of 60 s, and a spread that grows with the root of four.
        rows.extend((5..9).map(|id| row(id, "a/vague", JobState::Queued, 0)));
        let both = ends(&accounts, &rows).unwrap();
        assert_eq!((both.p50, both.p90.as_second()), (at(240), at(300).as_second()));
        accounts[1].pause = Some(Pause { kind: ErrorKind::Balance, message: "402".into(), until: None });
        rows.push(row(9, "n/unknown", JobState::Queued, 0));
        rows.push(row(10, "n/sure", JobState::Held, 0));
        assert_eq!(ends(&accounts, &rows), Some(Finish { left_out: 5, ..only }));
        assert_eq!(ends(&accounts, &rows[9..]), None, "nothing of which a time is known");
    }

    #[test]
    fn one_that_is_late_may_end_at_any_moment_and_is_never_done_in_the_past() {
        let mut timings = Timings::default();
        timings.put("n", "m", Timing { p50_s: 60, p90_s: 120, clips: 3 });
        let ends = |since| {
            finish(&[account("n", 1)], [row(1, "n/m", JobState::Running, since)].iter(), &timings, at(0)).unwrap().p50
        };
        assert_eq!((ends(0), ends(60), ends(100), ends(500)), (at(60), at(30), at(10), at(0)));
    }
}
