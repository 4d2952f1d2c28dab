//! Commits, and where one cannot be made: a full disk, a data directory that was taken away, an end that was
//! asked for meanwhile.
//!
//! Knows the store, the lock and the core. The one rule held here: changes are on disk before an effect begins;
//! what cannot be kept is told with its ids.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::core::drained::Rest;
use super::core::room::with_uncommitted;
use super::core::{Effect, Input, Step};
use super::shell::Shell;
use crate::domain::caps::{Guard, Limit};
use crate::domain::message::Level;
use crate::domain::text::clean;
use crate::domain::{Job, JobId, JobState};
use crate::mutation::mutated;
use crate::store::{Change, EngineLock, StoreError};

/// Wait before a failed commit is tried again. Nothing is sent meanwhile.
const COMMIT_WAIT: Duration = Duration::from_secs(1);

/// How long after an end was asked for a commit that fails is still tried.
const LEAVE_WAIT: Duration = Duration::from_secs(5);

/// Where what is learnt is kept, and what became of that.
#[derive(Debug)]
pub(super) struct Keeping {
    /// Held for life.
    pub(super) lock: Option<EngineLock>,
    /// When an end was asked for.
    pub(super) leaving: watch::Receiver<Option<Instant>>,
    /// What could not be kept, line by line.
    pub(super) fault: watch::Sender<Option<String>>,
    /// The last commit failed and is tried again.
    pub(super) failed: bool,
    /// The data directory was taken away.
    pub(super) displaced: bool,
    /// The end could not wait for a commit any longer.
    pub(super) gave_up: bool,
    /// Orders that were told.
    told: BTreeSet<(JobId, String)>,
}

impl Default for Keeping {
    fn default() -> Self {
        Keeping::new(None, watch::channel(None).1, watch::channel(None).0)
    }
}

impl Keeping {
    pub(super) fn new(
        lock: Option<EngineLock>,
        leaving: watch::Receiver<Option<Instant>>,
        fault: watch::Sender<Option<String>>,
    ) -> Keeping {
        Keeping { lock, leaving, fault, failed: false, displaced: false, gave_up: false, told: BTreeSet::new() }
    }

    /// Whether an end was asked for so long ago that it comes without the commit.
    fn is_late(&self) -> bool {
        self.leaving.borrow().is_some_and(|since| since.elapsed() >= LEAVE_WAIT)
    }

    fn say(&self, line: &str) {
        self.fault.send_modify(|fault| match fault {
            Some(lines) => *lines = format!("{lines}\n{line}"),
            None => *fault = Some(line.to_owned()),
        });
    }
}

impl Shell {
    /// Commits a step, then acts on it. A commit that fails is tried until it succeeds: what was
    /// learnt must not be lost, and nothing is sent meanwhile; but not for ever where an end was asked for.
    pub(super) async fn finish(&mut self, mut step: Step) {
        let mut changes = Arc::new(std::mem::take(&mut step.changes));
        if self.keeping.gave_up {
            // What came before is not on disk, so nothing may follow it there.
            return self.tell_orders(&changes);
        }
        if mutated("send_before_commit") {
            self.send_early(&mut step).await;
        }
        self.tools.settings.points.before(&changes);
        while !changes.is_empty() {
            if self.is_displaced(&mut step) {
                let changes = Arc::make_mut(&mut changes);
                changes.append(&mut step.changes);
                while let Some(job) = ordered(changes) {
                    self.take_back(job, Err(self.displaced_text()), changes, &mut step);
                }
            }
            match self.tools.store.commit_shared(changes.clone()).await {
                Ok(committed) => {
                    self.logged.send_replace(committed.last_seq);
                    if self.keeping.displaced {
                        self.tell_orders(&changes);
                    }
                    if std::mem::take(&mut self.keeping.failed) {
                        self.notice(Level::Info, "the job database can be written again; work goes on".to_owned());
                    }
                    break;
                }
                Err(StoreError::OverCap { job, limit }) => {
                    self.take_back(job, Ok(limit), Arc::make_mut(&mut changes), &mut step);
                }
                // What else there is, such as the id of an order that was sent, may fit, and has the reserve.
                Err(StoreError::Full) if ordered(&changes).is_some() => {
                    while let Some(job) = ordered(&changes) {
                        let full = StoreError::Full.to_string();
                        self.take_back(job, Err(full), Arc::make_mut(&mut changes), &mut step);
                    }
                }
                Err(error) => {
                    tracing::error!("commit failed: {error}");
                    if self.keeping.is_late() {
                        return self.give_up(&error, &changes);
                    }
                    if !std::mem::replace(&mut self.keeping.failed, true) {
                        self.notice(Level::Error, format!("{error}. Nothing new is sent until it can be kept"));
                    }
                    tokio::time::sleep(COMMIT_WAIT).await;
                }
            }
        }
        self.tools.settings.points.after(&changes);
        // Whoever is told that work was taken must not find the engine drained a moment longer, and
        // whoever finds it drained must have been told everything.
        let rest = self.core.remaining();
        let tell = |told: &mut Rest| std::mem::replace(told, rest) != rest;
        if rest == Rest::Work {
            self.rest.send_if_modified(tell);
        }
        self.act(step);
        self.rest.send_if_modified(tell);
    }

    /// Takes an order out of a commit, of which nothing was kept: it would pass a limit, or, for the reason given,
    /// there is no place for it on disk. The core holds it.
    fn take_back(&mut self, job: JobId, why: Result<Limit, String>, changes: &mut Vec<Change>, step: &mut Step) {
        step.take_out(job, changes);
        let (at, zones) = (self.clock.now(), self.core.zones().clone());
        let why = match why {
            Err(text) => Input::NoRoom { job, text },
            Ok(limit) => {
                let room = self.tools.store.room(&Guard { job, at, zones, limits: vec![limit.clone()] });
                let left = room.ok().and_then(|room| room.first().map(|left| with_uncommitted(*left, changes)));
                Input::OverCap { job, limit, left }
            }
        };
        let mut more = self.core.step(at, why);
        changes.append(&mut more.changes);
        step.append(more);
    }

    /// The mutation: orders leave while their intents are not on disk yet, and the disk takes its time.
    async fn send_early(&mut self, step: &mut Step) {
        let (orders, others) =
            std::mem::take(&mut step.effects).into_iter().partition(|effect| matches!(effect, Effect::Submit { .. }));
        step.effects = others;
        let orders: Vec<Effect> = orders;
        if !orders.is_empty() {
            orders.into_iter().for_each(|order| self.begin_effect(order));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether the data directory was removed or replaced. The first time that is told: nothing more is ordered,
    /// since no start would find it, and what was ordered goes on.
    pub(super) fn is_displaced(&mut self, step: &mut Step) -> bool {
        let has_lock = self.keeping.lock.as_ref().is_none_or(EngineLock::is_in_place);
        if self.keeping.displaced || (has_lock && self.tools.store.is_in_place()) {
            return self.keeping.displaced;
        }
        self.keeping.displaced = true;
        let text = self.displaced_text();
        tracing::error!("{text}");
        self.keeping.say(&format!("{text}. Note the orders that were on their way:"));
        self.notice(Level::Error, format!("{text}. What was ordered goes on; note its ids"));
        step.append(self.core.step(self.clock.now(), Input::Displaced { text }));
        let open: Vec<Job> = self.core.active().cloned().collect();
        open.iter().for_each(|job| self.tell_order(job));
        true
    }

    /// What happened to the data directory.
    pub(super) fn displaced_text(&self) -> String {
        let dir = self.tools.settings.data_dir.display();
        format!(
            "{dir}, or the lock or database in it, was removed or replaced while rushes worked there: nothing more is ordered, since no start would find it"
        )
    }

    /// Leaves without a commit that keeps failing: nothing of what was to follow begins.
    fn give_up(&mut self, error: &StoreError, changes: &[Change]) {
        self.keeping.gave_up = true;
        self.keeping.say(&format!("{error}. Left without it: what is on disk goes on at the next start"));
        self.tell_orders(changes);
        self.rest.send_replace(Rest::Nothing);
    }

    /// Tells of the orders in changes that no start will find.
    fn tell_orders(&mut self, changes: &[Change]) {
        for change in changes {
            if let Change::PutJob(job) = change {
                self.tell_order(job);
            }
        }
    }

    fn tell_order(&mut self, job: &Job) {
        let Some(remote) = &job.remote_id else { return };
        if self.keeping.told.insert((job.id, remote.clone())) {
            let line = format!("{} is order {} of {}", job.id, clean(remote, 200), job.request.account);
            self.keeping.say(&line);
            self.notice(Level::Error, line);
        }
    }

    /// Tells of the orders that are under way, of which only the next start can learn what became of them.
    pub(super) fn tell_unanswered(&mut self) {
        for job in self.core.active().filter(|job| job.state == JobState::Submitting) {
            self.keeping.say(&format!("{} was sent to {} and has no answer yet", job.id, job.request.account));
        }
    }
}

/// An order that a commit would make.
fn ordered(changes: &[Change]) -> Option<JobId> {
    changes.iter().find_map(|change| match change {
        Change::PutIntent { job, .. } => Some(*job),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::shell::tests::shell;
    use super::*;

    #[tokio::test]
    async fn an_effect_begins_only_once_its_changes_are_on_disk() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let (mut shell, _inbox) = shell(dir.path(), &url);
        let profile = crate::domain::AccountProfile { origin: url, ..Default::default() };
        let step = |changes| Step {
            changes,
            effects: vec![Effect::Balance { account: "nanogpt".into(), profile: profile.clone() }],
            ..Step::default()
        };
        // An answer to an intent that was never stored: the store refuses the whole commit.
        let data = serde_json::Value::Null;
        let at = Timestamp::UNIX_EPOCH;
        let impossible = Change::AnswerIntent { job: JobId(9), attempt: 1, at, outcome: "x".into(), data };
        tokio::select! {
            () = shell.finish(step(vec![impossible])) => panic!("the commit cannot succeed"),
            _ = server.accept() => panic!("the effect began without its commit"),
            // Long enough for a call on loopback, were one made; the commit is tried each second.
            () = tokio::time::sleep(Duration::from_millis(400)) => {}
        }
        assert!(shell.keeping.failed);
        tokio::join!(shell.finish(step(vec![Change::Seen(at)])), async { server.accept().await.unwrap() });
    }

    #[tokio::test]
    async fn an_end_that_was_asked_for_comes_although_a_commit_keeps_failing_and_the_ids_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let (mut shell, _inbox) = shell(dir.path(), "http://127.0.0.1:9");
        let (asked, leaving) = watch::channel(None);
        let (fault, told) = watch::channel(None);
        shell.keeping = Keeping::new(None, leaving, fault);
        let request = crate::domain::Request::new(&"nanogpt/veo2-video".parse().unwrap(), "a river");
        let mut job = Job::new(JobId(7), request, Timestamp::UNIX_EPOCH);
        job.remote_id = Some("vid_0123".to_owned());
        let (data, at) = (serde_json::Value::Null, Timestamp::UNIX_EPOCH);
        let impossible = Change::AnswerIntent { job: JobId(9), attempt: 1, at, outcome: "x".into(), data };
        let step = Step { changes: vec![impossible, Change::PutJob(Arc::new(job))], ..Step::default() };
        asked.send_replace(Instant::now().checked_sub(LEAVE_WAIT));
        tokio::time::timeout(Duration::from_secs(20), shell.finish(step)).await.expect("it ends");
        let told = told.borrow().clone().unwrap_or_default();
        assert!(shell.keeping.gave_up && told.contains("j-7 is order vid_0123 of nanogpt"), "{told}");
        // Nothing may follow on disk what is missing there.
        shell.finish(Step { changes: vec![Change::Seen(at)], ..Step::default() }).await;
        assert_eq!(shell.tools.store.load().unwrap().last_seen, None);
    }
}
