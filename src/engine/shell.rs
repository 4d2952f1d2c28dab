//! The core's tokio shell: one loop that takes messages, steps the core, commits, then acts.
//!
//! Knows channels, tasks, the store and the clock. Must not decide anything about jobs or money:
//! that is the core's. The one rule held here: changes are on disk before an effect begins.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock::Clock;
use super::core::drained::Rest;
use super::core::{Core, FaceId, Input, Step};
use super::effects::LONGEST_CALL;
use super::keeping::Keeping;
use super::lookup::Files;
use super::places::Places;
use super::poll::{self, Due};
use super::report::Outbox;
use super::{EngineError, Settings, accounts, inspect, kept};
use crate::catalog::Catalog;
use crate::domain::message::{Answer, Command, Draft, Event, Level, Notice, Snapshot, Ticket};
use crate::domain::{JobId, Problem};
use crate::media::{Disk, RealDisk};
use crate::provider::limits::Limits;
use crate::provider::{PaidRequest, Provider};
use crate::store::{Change, Loaded, Store};

/// Messages worked off between two commits.
const MOST_AT_ONCE: usize = 256;

/// What the shell is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Something happened.
    Input(Box<Input>),
    /// An order was built: keep it until the core says send.
    Built { job: JobId, request: Box<PaidRequest>, input: Box<Input> },
    /// A face asks.
    Command { face: FaceId, ticket: Ticket, command: Box<Command> },
    /// Something that needed nothing of the core has its answer.
    Answered { face: FaceId, ticket: Ticket, answer: Box<Answer> },
    /// The files that a command names were looked at.
    Kept { face: FaceId, ticket: Ticket, command: Box<Command>, files: Box<Files> },
    /// A face comes.
    Attach { face: FaceId, outbox: Outbox },
    /// Send nothing new.
    Drain,
    /// End.
    Stop { done: oneshot::Sender<()> },
}

impl From<Input> for Message {
    fn from(input: Input) -> Message {
        Message::Input(Box::new(input))
    }
}

/// What tasks share.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) settings: Arc<Settings>,
    pub(super) providers: Arc<HashMap<String, Arc<dyn Provider>>>,
    pub(super) limits: Arc<HashMap<String, Limits>>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store: Store,
    pub(super) messages: mpsc::UnboundedSender<Message>,
    pub(super) places: Arc<Places>,
    /// A free call about an account may take this long.
    pub(super) longest_call: Duration,
}

/// The loop's state.
pub(super) struct Shell {
    pub(super) core: Core,
    first: Step,
    pub(super) tools: Tools,
    pub(super) polls: Option<mpsc::UnboundedSender<Due>>,
    faces: BTreeMap<FaceId, Outbox>,
    pub(super) built: HashMap<JobId, PaidRequest>,
    draft: Option<Draft>,
    pub(super) next_batch: i64,
    pub(super) rest: watch::Sender<Rest>,
    pub(super) logged: watch::Sender<i64>,
    stop: Option<oneshot::Sender<()>>,
    pub(super) keeping: Keeping,
    /// Faces whose files are looked at, and what they asked for meanwhile.
    pub(super) looking: BTreeMap<FaceId, VecDeque<(Ticket, Command)>>,
    pub(super) clock: Clock,
}

impl Shell {
    /// Builds providers and core from settings and what is on disk. Sends nothing.
    pub(super) fn new(
        settings: Settings,
        store: Store,
        loaded: Loaded,
        catalog: Catalog,
        messages: mpsc::UnboundedSender<Message>,
        (rest, logged): (watch::Sender<Rest>, watch::Sender<i64>),
    ) -> Result<Shell, EngineError> {
        let (providers, limits) = accounts::connect(&settings)?;
        let mut clock = Clock::from(loaded.last_seen);
        let (draft, next_batch) = (loaded.draft.clone(), loaded.next_batch.max(1));
        let (core, first) = accounts::core(&settings, &store, loaded, catalog, clock.now());
        let tools = Tools {
            settings: Arc::new(settings),
            providers: Arc::new(providers),
            limits: Arc::new(limits),
            disk: Arc::new(RealDisk),
            store,
            messages,
            places: Arc::default(),
            longest_call: LONGEST_CALL,
        };
        Ok(Shell {
            core,
            first,
            tools,
            polls: None,
            faces: BTreeMap::new(),
            built: HashMap::new(),
            draft,
            next_batch,
            rest,
            logged,
            stop: None,
            keeping: Keeping::default(),
            looking: BTreeMap::new(),
            clock,
        })
    }

    /// Commits the classification of what was left open, before anything else happens.
    pub(super) async fn begin(mut self) -> Result<Shell, EngineError> {
        let mut first = std::mem::take(&mut self.first);
        let changes = Arc::new(std::mem::take(&mut first.changes));
        if !changes.is_empty() {
            let points = &self.tools.settings.points;
            points.before(&changes);
            let committed = self.tools.store.commit_shared(changes.clone()).await?;
            points.after(&changes);
            self.logged.send_replace(committed.last_seq);
        }
        self.first = first;
        // Bytes that came before a crash finish their job, or are kept and told of; the core books what they prove.
        for job in self.core.unconfirmed().filter(|job| job.files.is_empty()) {
            if let Some(input) = kept::look(&*self.tools.disk, job, true) {
                let _ = self.tools.messages.send(input.into());
            }
        }
        let (due, inbox) = mpsc::unbounded_channel();
        self.polls = Some(due);
        tokio::spawn(poll::run(self.tools.clone(), inbox));
        Ok(self)
    }

    /// Sends nothing new from the start on.
    pub(super) fn drain(&mut self) {
        let step = self.core.step(self.clock.now(), Input::Drain);
        self.first.append(step);
    }

    /// Runs until told to stop and what was asked for before is answered, or until it had to give up. The lock is
    /// held for as long as this runs.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let first = std::mem::take(&mut self.first);
        self.act(first);
        let started = self.core.step(self.clock.now(), Input::Ticked);
        self.finish(started).await;
        while (self.stop.is_none() || !self.looking.is_empty()) && !self.keeping.gave_up {
            let mut step = Step::default();
            let (now, wake) = (self.clock.now(), self.core.wake_at());
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => self.take(message, &mut step).await,
                    None => break,
                },
                () = sleep_until(now, wake) => step.append(self.core.step(self.clock.now(), Input::Ticked)),
            }
            for _ in 1..MOST_AT_ONCE {
                match inbox.try_recv() {
                    Ok(message) => self.take(message, &mut step).await,
                    Err(_) => break,
                }
            }
            self.finish(step).await;
        }
        // What was learnt meanwhile, such as an order's answer, is kept.
        let mut last = Step::default();
        while let Ok(message) = inbox.try_recv() {
            self.take(message, &mut last).await;
        }
        self.finish(last).await;
        if self.keeping.gave_up {
            self.tell_unanswered();
        } else {
            let mut leaving = self.core.counted();
            leaving.push(Change::Seen(self.clock.now()));
            let seen = self.tools.store.commit(leaving).await;
            if let Err(error) = seen {
                tracing::warn!("the time of leaving is not on disk: {error}");
            }
        }
        for outbox in self.faces.values() {
            outbox.post(Event::Stopped);
        }
        drop(self.keeping.lock.take());
        if let Some(done) = self.stop.take() {
            let _ = done.send(());
        }
    }

    async fn take(&mut self, message: Message, step: &mut Step) {
        match message {
            Message::Input(input) => step.append(self.core.step(self.clock.now(), *input)),
            Message::Built { job, request, input } => {
                self.built.insert(job, *request);
                step.append(self.core.step(self.clock.now(), *input));
            }
            Message::Command { face, ticket, command } if matches!(*command, Command::CheckFiles { .. }) => {
                self.check_files(face, ticket, *command);
            }
            Message::Command { face, ticket, command } => match self.looking.get_mut(&face) {
                Some(waiting) => waiting.push_back((ticket, *command)),
                None => self.begin_command(face, ticket, *command, step).await,
            },
            Message::Kept { face, ticket, command, files } => {
                let waiting = self.looking.remove(&face).unwrap_or_default();
                self.command(face, ticket, *command, *files, step).await;
                // What this face asked for meanwhile comes next, and waits again behind the next files.
                for (ticket, command) in waiting {
                    match self.looking.get_mut(&face) {
                        Some(waiting) => waiting.push_back((ticket, command)),
                        None => self.begin_command(face, ticket, command, step).await,
                    }
                }
            }
            Message::Answered { face, ticket, answer } => step.answers.push((face, ticket, *answer)),
            Message::Attach { face, outbox } => {
                // What is decided and not yet on disk must not be in the snapshot and lost.
                let open = std::mem::take(step);
                self.finish(open).await;
                outbox.post(Event::Snapshot(Box::new(self.snapshot())));
                self.faces.insert(face, outbox);
            }
            Message::Drain => step.append(self.core.step(self.clock.now(), Input::Drain)),
            Message::Stop { done } => {
                // An order begun now would only be cut off.
                step.append(self.core.step(self.clock.now(), Input::Drain));
                self.stop = Some(done);
            }
        }
    }

    /// Looks at the files that a command names, beside everything else, or begins it at once where it names none.
    async fn begin_command(&mut self, face: FaceId, ticket: Ticket, command: Command, step: &mut Step) {
        if let Some(command) = self.keep_files(face, ticket, command) {
            self.command(face, ticket, command, Files::default(), step).await;
        }
    }

    async fn command(&mut self, face: FaceId, ticket: Ticket, mut command: Command, files: Files, step: &mut Step) {
        if let Command::Inspect { id } = command {
            let answer = inspect(&self.tools.store, self.core.job(id).cloned(), id);
            return step.answers.push((face, ticket, answer));
        }
        if self.is_displaced(step) {
            let problems = vec![Problem::new("data_dir", "gone", self.displaced_text())];
            return step.answers.push((face, ticket, Answer::Refused { problems }));
        }
        if matches!(
            command,
            Command::Queue { .. }
                | Command::Retry { .. }
                | Command::Duplicate { .. }
                | Command::Tag { .. }
                | Command::Abandon { .. }
                | Command::Adopt { .. }
        ) {
            // It is checked against what is on disk, so nothing decided may be missing there.
            let open = std::mem::take(step);
            self.finish(open).await;
        }
        let looked_up = self.look_up(&mut command, files, step);
        if let Command::SaveDraft { draft } = &command {
            self.draft = Some(draft.clone());
        }
        step.append(self.core.step(self.clock.now(), Input::Commanded { face, ticket, command, looked_up }));
    }

    pub(super) fn act(&mut self, step: Step) {
        for effect in step.effects {
            self.begin_effect(effect);
        }
        self.faces.retain(|_, outbox| !outbox.is_closed());
        if let Some((last, others)) = self.faces.values().collect::<Vec<_>>().split_last() {
            others.iter().for_each(|outbox| outbox.post_all(step.events.clone()));
            last.post_all(step.events);
        }
        for (face, ticket, answer) in step.answers {
            if let Some(outbox) = self.faces.get(&face) {
                outbox.post(Event::Answered { ticket, answer });
            }
        }
    }

    pub(super) fn notice(&self, level: Level, text: String) {
        for outbox in self.faces.values() {
            outbox.post(Event::Noticed(Notice { at: Timestamp::now(), level, text: text.clone() }));
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut jobs = self.tools.store.final_rows().unwrap_or_else(|error| {
            tracing::error!("the jobs cannot be read: {error}");
            Vec::new()
        });
        jobs.extend(self.core.active_rows());
        jobs.sort_by_key(|row| row.id);
        Snapshot {
            jobs,
            accounts: self.core.account_rows(),
            offers: self.core.offers().clone(),
            spend: self.core.spend(),
            timings: self.core.timings(),
            draft: self.draft.clone(),
            simulated: self.tools.settings.simulated.clone(),
            read_only: None,
        }
    }
}

async fn sleep_until(now: Timestamp, wake: Option<Timestamp>) {
    match wake {
        Some(wake) => {
            let left = wake.duration_since(now);
            tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A shell of one account that lives at `url`.
    pub(in crate::engine) fn shell(dir: &std::path::Path, url: &str) -> (Shell, mpsc::UnboundedReceiver<Message>) {
        let account = crate::engine::AccountSettings {
            name: "nanogpt".into(),
            service: crate::domain::Service::Nanogpt,
            base_url: url.into(),
            generation: None,
            origin: url.into(),
            key: "sk-nano-0".to_owned().into(),
            max_in_flight: 1,
            poll_interval: Duration::from_secs(1),
            allow_insecure: false,
            caps: crate::engine::Caps::default(),
            shared: false,
        };
        let settings = Settings {
            accounts: vec![account],
            data_dir: dir.join("data"),
            output_dir: dir.join("clips"),
            name_template: None,
            caps: crate::engine::Caps::default(),
            model_caps: BTreeMap::new(),
            simulated: None,
            times_faster: 1,
            time_zone: jiff::tz::TimeZone::UTC,
            online: true,
            least_free: 0,
            kind: "test".into(),
            models: None,
            points: crate::engine::Points::default(),
        };
        let store = Store::open(&settings.data_dir, false).unwrap();
        let (messages, inbox) = mpsc::unbounded_channel();
        let (rest, logged) = (watch::channel(Rest::Work).0, watch::channel(0).0);
        let catalog = crate::engine::offers::catalog(None).unwrap();
        (Shell::new(settings, store, Loaded::default(), catalog, messages, (rest, logged)).unwrap(), inbox)
    }
}
