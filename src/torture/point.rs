//! Points of the engine's work as the harness sees them: found by passing them, chosen, died at.
//!
//! Knows the diary that a worker writes and how kills are spread over it. Must not know what the
//! engine does at a point.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::Service;

/// One moment of a day: the `occurrence`-th time, from 1, that `subject` passed `step`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// The step's name, such as `intent.committed`.
    pub step: String,
    /// The job, such as `j-12`, or the account.
    pub subject: String,
    /// Which time, from 1.
    pub occurrence: u32,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.subject, self.step, self.occurrence)
    }
}

impl Point {
    /// Reads a line of a diary.
    fn read(line: &str) -> Option<Point> {
        let (subject, rest) = line.split_once(' ')?;
        let (step, occurrence) = rest.rsplit_once(" #")?;
        Some(Point { step: step.to_owned(), subject: subject.to_owned(), occurrence: occurrence.parse().ok()? })
    }

    /// Whether it comes again each time the day is worked: how often is asked, what a balance call
    /// finds and how often an order is built in vain hangs on how fast the machine is; and which of an
    /// account's downloads meets the next broken clip on which comes first.
    fn is_steady(&self) -> bool {
        let begins = |steps: &[&str]| steps.iter().any(|step| self.step.starts_with(step));
        match self.occurrence {
            1 => true,
            2 => !begins(&["poll.", "call.", "balance.", "order.built"]),
            _ => !begins(&["poll.", "call.", "balance.", "order.built", "download.", "finished."]),
        }
    }
}

/// Writes down every point that a worker passes, and ends it at one of them.
pub(super) struct Diary {
    open: Mutex<Open>,
    death: Option<Death>,
}

/// Where a worker dies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Death {
    /// At this point.
    At(Point),
    /// At whichever point it passes as its so many-th, from 1.
    After(u32),
}

struct Open {
    file: File,
    times: HashMap<(String, String), u32>,
    passed: u32,
}

impl Diary {
    /// A diary at `path`; with `death`, the process dies there.
    pub(super) fn open(path: &Path, death: Option<Death>) -> io::Result<Diary> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Diary { open: Mutex::new(Open { file, times: HashMap::new(), passed: 0 }), death })
    }

    /// A point is passed. Nobody else passes one until it is written down, so that nothing comes
    /// after the last.
    pub(super) fn reached(&self, step: &str, subject: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let times = open.times.entry((step.to_owned(), subject.to_owned())).or_default();
        *times += 1;
        let point = Point { step: step.to_owned(), subject: subject.to_owned(), occurrence: *times };
        // One write a line: what was written outlives the process. A diary that cannot be written
        // shows as a point that was not reached.
        let _ = open.file.write_all(format!("{point}\n").as_bytes());
        open.passed += 1;
        let dies = match &self.death {
            Some(Death::At(last)) => *last == point,
            Some(Death::After(most)) => open.passed == *most,
            None => false,
        };
        if dies {
            // The kernel ends every thread; there is no return to run anything else.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }
}

/// The points in a diary; none where nothing was written.
///
/// # Errors
/// Whatever the disk says.
pub(super) fn read(path: &Path) -> io::Result<BTreeSet<Point>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(Point::read).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// The points in a diary as they were passed.
///
/// # Errors
/// Whatever the disk says.
pub(super) fn read_in_order(path: &Path) -> io::Result<Vec<Point>> {
    Ok(std::fs::read_to_string(path)?.lines().filter_map(Point::read).collect())
}

/// Kills two by two: one of the first half of a day, and one of its second half that the worker after it
/// should still come to. What was counted before the first kill is not counted after it, so that a further
/// time of a step stays alone.
pub(super) fn pair(mut points: Vec<Point>, order: &[Point]) -> Vec<Vec<Point>> {
    points.sort_by_cached_key(|point| order.iter().position(|passed| passed == point));
    let late = points.split_off(points.len().div_ceil(2));
    let (mut late, alone): (Vec<Point>, Vec<Point>) = late.into_iter().partition(|point| point.occurrence == 1);
    let mut kills = Vec::new();
    for first in points {
        let other = late.iter().position(|point| point.subject != first.subject);
        kills.push(std::iter::once(first).chain(other.map(|at| late.remove(at))).collect());
    }
    kills.extend(alone.into_iter().chain(late).map(|point| vec![point]));
    kills
}

/// The points that every pass found, and that a further one will find.
pub(super) fn steady(passes: &[BTreeSet<Point>]) -> Vec<Point> {
    let Some((first, others)) = passes.split_first() else { return Vec::new() };
    let found = first.iter().filter(|point| point.is_steady() && others.iter().all(|pass| pass.contains(*point)));
    found.cloned().collect()
}

/// At most `most` of the points, spread evenly over services and steps; which ones follows from `seed`.
pub(super) fn choose(
    points: &[Point],
    service_of: impl Fn(&str) -> Option<Service>,
    most: Option<usize>,
    seed: u64,
) -> Vec<Point> {
    let mut groups: BTreeMap<(Option<Service>, &str), Vec<&Point>> = BTreeMap::new();
    for point in points {
        groups.entry((service_of(&point.subject), &point.step)).or_default().push(point);
    }
    let mut random = fastrand::Rng::with_seed(seed);
    groups.values_mut().for_each(|group| random.shuffle(group));
    let mut groups: Vec<Vec<&Point>> = groups.into_values().collect();
    random.shuffle(&mut groups);
    let most = most.unwrap_or(groups.len());
    let rounds = groups.iter().map(Vec::len).max().unwrap_or(0);
    let spread = (0..rounds).flat_map(|round| groups.iter().filter_map(move |group| group.get(round)));
    spread.take(most).map(|point| (*point).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(subject: &str, step: &str, occurrence: u32) -> Point {
        Point { step: step.to_owned(), subject: subject.to_owned(), occurrence }
    }

    #[test]
    fn a_diary_is_read_as_it_was_written_and_only_what_comes_again_is_kept() {
        let dir = std::env::temp_dir().join(format!("rushes-diary-{}", std::process::id()));
        let diary = Diary::open(&dir, None).unwrap();
        for (step, subject) in [("part.synced", "j-1"), ("part.synced", "j-1"), ("poll.answered", "j-1")] {
            diary.reached(step, subject);
        }
        diary.reached("poll.answered", "j-1");
        let found = read(&dir).unwrap();
        std::fs::remove_file(&dir).unwrap();
        assert_eq!(found.len(), 4);
        let once: BTreeSet<Point> = found.iter().filter(|p| p.occurrence == 1).cloned().collect();
        let both = steady(&[found.clone(), found]);
        assert_eq!(both.len(), 3, "a second poll may not come again: {both:?}");
        assert_eq!(steady(&[both.into_iter().collect(), once]).len(), 2);
    }

    #[test]
    fn kills_go_two_by_two_and_none_is_left_out() {
        let order: Vec<Point> = (1..8).map(|job| point(&format!("j-{job}"), "intent.commit", 1 + job / 6)).collect();
        let mut shuffled = order.clone();
        shuffled.reverse();
        let kills = pair(shuffled, &order);
        assert_eq!(kills.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1]);
        assert_eq!(kills[0], [order[0].clone(), order[4].clone()]);
        assert_eq!(kills.concat().into_iter().collect::<BTreeSet<_>>(), order.into_iter().collect());
    }

    #[test]
    fn kills_reach_every_service_and_step_before_any_twice() {
        let points: Vec<Point> = ["j-1", "j-2", "j-3"]
            .into_iter()
            .flat_map(|job| (1..4).flat_map(move |n| [point(job, "intent.commit", n), point(job, "part.half", n)]))
            .collect();
        let service = |job: &str| Some(if job == "j-1" { Service::A4f } else { Service::Nanogpt });
        let groups = |points: &[Point]| {
            points.iter().map(|p| (service(&p.subject), p.step.clone())).collect::<BTreeSet<_>>().len()
        };
        let each = choose(&points, service, None, 1);
        assert_eq!((each.len(), groups(&each)), (4, 4));
        assert_eq!(choose(&points, service, Some(1000), 1).len(), points.len());
        assert_ne!(choose(&points, service, Some(6), 1), choose(&points, service, Some(6), 2));
    }
}
