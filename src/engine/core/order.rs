//! What the user makes of the queue's order and of labels: moves, tags, copies of jobs.
//!
//! Knows turns within an account's queue. Must not know when a job is sent: `queue` asks the roster, which
//! keeps the turns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::command::{accepted, refused};
use super::{Core, Step};
use crate::domain::message::{Answer, NewJob};
use crate::domain::text::is_hidden;
use crate::domain::{Job, JobId, JobState, Problem, Shift, Turn};

/// Most labels of a job, and most characters of one.
const MOST_TAGS: (usize, usize) = (32, 40);

impl Core {
    /// Moves queued jobs within their accounts' queues; they keep their order among themselves.
    pub(super) fn move_jobs(&mut self, ids: &[JobId], to: Shift, finals: &[Job], step: &mut Step) -> Answer {
        let waits = |job: &Job| job.state != JobState::Queued;
        if let Some(refused) = self.refuse(ids, finals, waits, "waits in no queue; only queued jobs can be moved") {
            return refused;
        }
        let mut by_account: BTreeMap<String, BTreeSet<JobId>> = BTreeMap::new();
        for id in ids {
            let Some(job) = self.jobs.get(id) else { continue };
            by_account.entry(job.request.account.clone()).or_default().insert(*id);
        }
        for (account, moved) in by_account {
            let queue: Vec<(Turn, JobId)> = self.jobs.turns(&account).collect();
            // Also those that are held or under way and may come back to the queue: no two have one turn.
            let all = self.jobs.values().filter(|job| job.request.account == account).map(Job::turn);
            let Some(ends) = all.fold(None, |ends: Option<(Turn, Turn)>, turn| {
                Some(ends.map_or((turn, turn), |(first, last)| (first.min(turn), last.max(turn))))
            }) else {
                continue;
            };
            for (id, turn) in turns(&queue, ends, &moved, to) {
                let Some(mut job) = self.jobs.get(&id).cloned() else { continue };
                job.turn = Some(turn);
                if moved.contains(&id) {
                    let text = match to {
                        Shift::Up => "moved one place up in the queue",
                        Shift::Down => "moved one place down in the queue",
                        Shift::Top => "moved to the top of the queue",
                        Shift::Bottom => "moved to the bottom of the queue",
                    };
                    self.tell(&job, "moved", text.to_owned(), serde_json::json!({ "turn": turn }), step);
                }
                self.put(job, step);
            }
        }
        accepted(ids.to_vec())
    }

    /// Adds labels to jobs in any state, and takes labels off.
    pub(super) fn tag(
        &mut self,
        ids: &[JobId],
        (add, remove): (&[String], &[String]),
        finals: &[Job],
        step: &mut Step,
    ) -> Answer {
        let strange = |tag: &&String| {
            let odd = |c: char| is_hidden(c) || c.is_whitespace() || matches!(c, ',' | ';');
            tag.is_empty() || tag.starts_with('-') || tag.chars().count() > MOST_TAGS.1 || tag.chars().any(odd)
        };
        if let Some(tag) = add.iter().find(strange) {
            let text = format!("`{tag}` is no tag; write one word of at most {} characters", MOST_TAGS.1);
            return refused("tags", "type", text);
        }
        let finals: HashMap<JobId, &Job> = finals.iter().map(|job| (job.id, job)).collect();
        let mut tagged = Vec::new();
        for id in ids {
            let Some(mut job) = self.jobs.get(id).or_else(|| finals.get(id).copied()).cloned() else {
                return refused("id", "unknown", format!("there is no job {id}"));
            };
            let tags = &mut job.request.tags;
            let before = tags.clone();
            tags.retain(|tag| !remove.contains(tag));
            for tag in add {
                if !tags.contains(tag) {
                    tags.push(tag.clone());
                }
            }
            if tags.len() > MOST_TAGS.0 {
                let text = format!("{id} would have {} tags; at most {} are kept", tags.len(), MOST_TAGS.0);
                return refused("tags", "range", text);
            }
            if *tags != before {
                tagged.push(job);
            }
        }
        for job in tagged {
            let tags = &job.request.tags;
            let words =
                if tags.is_empty() { "no tags any more".to_owned() } else { format!("tags: {}", tags.join(", ")) };
            self.tell(&job, "tagged", words, serde_json::json!({ "tags": tags }), step);
            self.put(job, step);
        }
        accepted(ids.to_vec())
    }

    /// Makes new jobs that ask for the same, whatever became of the old ones: new orders at their own price.
    pub(super) fn duplicate(&mut self, ids: &[JobId], finals: &[Job], step: &mut Step) -> Answer {
        let finals: HashMap<JobId, &Job> = finals.iter().map(|job| (job.id, job)).collect();
        let (mut copies, mut problems) = (Vec::new(), Vec::new());
        for id in ids.iter().copied().collect::<BTreeSet<_>>() {
            let Some(job) = self.jobs.get(&id).or_else(|| finals.get(&id).copied()) else {
                problems.push(Problem::new("id", "unknown", format!("there is no job {id}")));
                continue;
            };
            let new = NewJob { ceiling: job.ceiling, ..NewJob::of(job.request.clone()) };
            match self.check(&new) {
                Ok(()) => copies.push((id, new)),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Answer::Refused { problems };
        }
        let mut made = Vec::new();
        for (id, new) in copies {
            made.push(self.enqueue(new, None, Some(super::command::Parent::Copied(id)), step));
        }
        self.tell_accounts(step);
        accepted(made)
    }
}

/// The turns that change where `moved` go in `queue`, which is in its order; `ends` are the first and the last turn
/// that anybody has. To the top or the bottom only the moved ones change; by one place each moved one swaps turns
/// with its neighbour.
fn turns(
    queue: &[(Turn, JobId)],
    (first, last): (Turn, Turn),
    moved: &BTreeSet<JobId>,
    to: Shift,
) -> Vec<(JobId, Turn)> {
    let inside = queue.iter().map(|(_, id)| *id).filter(|id| moved.contains(id));
    match to {
        Shift::Top => {
            let mut turn = first;
            let mut list: Vec<(JobId, Turn)> = Vec::new();
            for id in inside.collect::<Vec<_>>().into_iter().rev() {
                turn = turn.before();
                list.push((id, turn));
            }
            list
        }
        Shift::Bottom => {
            let mut turn = last;
            let next = |id| {
                turn = turn.after();
                (id, turn)
            };
            inside.map(next).collect()
        }
        Shift::Up | Shift::Down => {
            let mut ids: Vec<JobId> = queue.iter().map(|(_, id)| *id).collect();
            if to == Shift::Up {
                for i in 1..ids.len() {
                    if moved.contains(&ids[i]) && !moved.contains(&ids[i - 1]) {
                        ids.swap(i - 1, i);
                    }
                }
            } else {
                for i in (1..ids.len()).rev() {
                    if moved.contains(&ids[i - 1]) && !moved.contains(&ids[i]) {
                        ids.swap(i - 1, i);
                    }
                }
            }
            let places = queue.iter().zip(ids);
            places.filter(|((_, was), id)| was != id).map(|((turn, _), id)| (id, *turn)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(queue: &[i64], moved: &[i64], to: Shift) -> Vec<i64> {
        let mut queue: Vec<(Turn, JobId)> =
            queue.iter().enumerate().map(|(i, id)| (Turn::of(JobId(i as i64 + 1)), JobId(*id))).collect();
        let moved: BTreeSet<JobId> = moved.iter().map(|id| JobId(*id)).collect();
        let ends = (queue[0].0, queue[queue.len() - 1].0);
        for (id, turn) in turns(&queue, ends, &moved, to) {
            queue.iter_mut().find(|(_, old)| *old == id).unwrap().0 = turn;
        }
        queue.sort();
        let unique: BTreeSet<Turn> = queue.iter().map(|(turn, _)| *turn).collect();
        assert_eq!(unique.len(), queue.len(), "no two have one turn");
        queue.into_iter().map(|(_, id)| id.0).collect()
    }

    #[test]
    fn moved_jobs_keep_their_order_and_nobody_gets_lost() {
        let queue = [5, 1, 4, 2, 3];
        assert_eq!(after(&queue, &[4, 3], Shift::Up), [5, 4, 1, 3, 2]);
        assert_eq!(after(&queue, &[5, 1, 3], Shift::Up), [5, 1, 4, 3, 2], "what is on top already stays");
        assert_eq!(after(&queue, &[5, 4], Shift::Down), [1, 5, 2, 4, 3]);
        assert_eq!(after(&queue, &[2, 3], Shift::Down), queue, "what is at the bottom already stays");
        assert_eq!(after(&queue, &[3, 4], Shift::Top), [4, 3, 5, 1, 2]);
        assert_eq!(after(&queue, &[5, 2], Shift::Bottom), [1, 4, 3, 5, 2]);
    }
}
