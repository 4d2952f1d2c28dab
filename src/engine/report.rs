//! From the engine to its faces: per face the newest of everything, in bounded memory.
//!
//! Knows which events replace which. Must not know what a face does with them; a face that never
//! reads costs one row a job and holds nobody up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::domain::message::{AccountRow, Answer, Event, Notice, Offer, Snapshot, Spend, Ticket};
use crate::domain::timing::Timings;
use crate::domain::{JobId, JobRow};

/// Most notices kept for a face that does not read; the oldest go first.
const MOST_NOTICES: usize = 200;

#[derive(Debug, Default)]
struct Pending {
    snapshot: Option<Box<Snapshot>>,
    offers: Option<Arc<Vec<Offer>>>,
    accounts: BTreeMap<String, Box<AccountRow>>,
    spend: Option<Box<Spend>>,
    timings: Option<Box<Timings>>,
    jobs: BTreeMap<JobId, Box<JobRow>>,
    answers: VecDeque<(Ticket, Answer)>,
    notices: VecDeque<Notice>,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    news: Notify,
    /// The face is gone.
    closed: AtomicBool,
    /// Ends the engine holds; the face is told once the last is gone.
    engine_ends: AtomicUsize,
}

/// The engine's end of one face.
#[derive(Debug)]
pub(super) struct Outbox(Arc<Shared>);

/// A face's end: the events, each the newest of its kind.
#[derive(Debug)]
pub struct Events(Arc<Shared>);

/// A pair of ends.
pub(super) fn channel() -> (Outbox, Events) {
    let shared = Arc::new(Shared { engine_ends: AtomicUsize::new(1), ..Shared::default() });
    (Outbox(shared.clone()), Events(shared))
}

impl Clone for Outbox {
    fn clone(&self) -> Self {
        self.0.engine_ends.fetch_add(1, Ordering::SeqCst);
        Outbox(self.0.clone())
    }
}

impl Outbox {
    /// Leaves an event for the face. What it replaces is dropped.
    pub(super) fn post(&self, event: Event) {
        self.post_all(vec![event]);
    }

    /// Leaves what one step decided, with one word to the face: a batch may be a hundred thousand rows.
    pub(super) fn post_all(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        events.into_iter().for_each(|event| pending.put(event));
        drop(pending);
        self.0.news.notify_one();
    }

    /// Whether the face is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }
}

impl Pending {
    /// Takes an event in the place of what it replaces.
    fn put(&mut self, event: Event) {
        match event {
            Event::Snapshot(snapshot) => {
                *self = Pending {
                    snapshot: Some(snapshot),
                    answers: std::mem::take(&mut self.answers),
                    notices: std::mem::take(&mut self.notices),
                    ..Pending::default()
                };
            }
            Event::JobChanged(row) => {
                self.jobs.insert(row.id, row);
            }
            Event::AccountChanged(row) => {
                self.accounts.insert(row.name.clone(), row);
            }
            Event::SpendChanged(spend) => self.spend = Some(spend),
            Event::TimesChanged(timings) => self.timings = Some(timings),
            Event::OffersChanged(offers) => self.offers = Some(offers),
            Event::Answered { ticket, answer } => self.answers.push_back((ticket, answer)),
            Event::Noticed(notice) => {
                self.notices.push_back(notice);
                if self.notices.len() > MOST_NOTICES {
                    self.notices.pop_front();
                }
            }
            Event::Stopped => self.stopped = true,
        }
    }

    /// What to tell next. Rows come before the answer that made them.
    fn take(&mut self) -> Option<Event> {
        if let Some(snapshot) = self.snapshot.take() {
            return Some(Event::Snapshot(snapshot));
        }
        if let Some(offers) = self.offers.take() {
            return Some(Event::OffersChanged(offers));
        }
        if let Some((_, row)) = self.jobs.pop_first() {
            return Some(Event::JobChanged(row));
        }
        if let Some((_, row)) = self.accounts.pop_first() {
            return Some(Event::AccountChanged(row));
        }
        if let Some(timings) = self.timings.take() {
            return Some(Event::TimesChanged(timings));
        }
        if let Some(spend) = self.spend.take() {
            return Some(Event::SpendChanged(spend));
        }
        if let Some((ticket, answer)) = self.answers.pop_front() {
            return Some(Event::Answered { ticket, answer });
        }
        if let Some(notice) = self.notices.pop_front() {
            return Some(Event::Noticed(notice));
        }
        std::mem::take(&mut self.stopped).then_some(Event::Stopped)
    }
}

impl Events {
    /// The next event, at once or never again before something happens; `None` once the engine is
    /// gone and everything was told. May be dropped while waiting.
    pub async fn next(&mut self) -> Option<Event> {
        let shared = self.0.clone();
        loop {
            // Asked for before looking, so that nothing posted in between is missed.
            let told = shared.news.notified();
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            if shared.engine_ends.load(Ordering::SeqCst) == 0 {
                return None;
            }
            told.await;
        }
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.0.engine_ends.fetch_sub(1, Ordering::SeqCst);
        // The last engine end going away must wake a waiting face.
        self.0.news.notify_one();
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Job, Request};

    fn row(id: i64, progress: u8) -> Event {
        let mut job = Job::new(JobId(id), Request::new(&"a/b".parse().unwrap(), "x"), jiff::Timestamp::UNIX_EPOCH);
        job.progress = Some(progress);
        Event::JobChanged(Box::new(job.row()))
    }

    #[test]
    fn a_face_that_does_not_read_gets_the_newest_row_of_each_job_before_the_answer() {
        let (outbox, mut events) = channel();
        outbox.post(Event::Answered { ticket: 1, answer: Answer::Accepted { ids: vec![JobId(1)], known: 0 } });
        for progress in 0..100 {
            outbox.post(row(1, progress));
            outbox.post(row(2, progress));
        }
        let told: Vec<Event> = std::iter::from_fn(|| events.try_next()).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], row(1, 99));
        assert!(matches!(told[2], Event::Answered { ticket: 1, .. }));
    }

    #[tokio::test]
    async fn a_waiting_face_learns_that_the_engine_is_gone() {
        let (outbox, mut events) = channel();
        let waiting = tokio::spawn(async move { events.next().await });
        tokio::task::yield_now().await;
        drop(outbox);
        assert_eq!(waiting.await.unwrap(), None);
    }
}
