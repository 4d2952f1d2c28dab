//! What can be done to jobs, and the questions before it: queue, retry, cancel, hold, abandon, adopt, copy.
//!
//! Knows which states a verb fits and what it costs. Must not know how the engine does it.

use std::sync::Arc;

use super::input::Effect;
use super::overlay::{Ask, Need, Overlay, Switch, Then};
use super::{App, Waiting};
use crate::domain::message::{Command, Draft, JobDetail, Level};
use crate::domain::money::{add_up, in_words};
use crate::domain::{Job, JobId, JobRow, JobState, Money, NewJob, Request};

/// The word that must be typed where an order may be charged twice.
const TWICE: &str = "twice";

/// The word that must be typed where an order is given up that may be charged.
const LOST: &str = "lost";

impl App {
    /// Says so where nothing can be changed, because another engine has the data directory.
    pub(super) fn refused_here(&mut self) -> bool {
        let Some(holder) = self.read_only.clone() else { return false };
        self.say(Level::Warning, format!("read-only: {holder}; nothing can be changed from here"));
        true
    }

    /// The jobs a verb acts on: the open details' job, else the marked ones, else the selected one.
    pub fn targets(&self) -> Vec<&JobRow> {
        self.target_ids().into_iter().filter_map(|id| self.jobs.get(id)).collect()
    }

    fn target_ids(&self) -> Vec<JobId> {
        match self.overlays.last() {
            Some(Overlay::Detail { id, .. }) => vec![*id],
            _ => self.jobs.targets(),
        }
    }

    /// The states of the jobs that a verb acts on, each once.
    pub fn target_states(&self) -> Vec<JobState> {
        match self.overlays.last() {
            Some(Overlay::Detail { id, .. }) => self.jobs.get(*id).map(|row| row.state).into_iter().collect(),
            _ => self.jobs.target_states().collect(),
        }
    }

    /// The targets that a verb fits; says why where none does.
    pub(super) fn fitting(&mut self, fits: impl Fn(JobState) -> bool, otherwise: &str) -> Vec<Arc<JobRow>> {
        if self.refused_here() {
            return Vec::new();
        }
        self.jobs.settle_marks();
        let all = self.target_ids().into_iter().filter_map(|id| self.jobs.shared(id));
        let (fitting, others): (Vec<_>, Vec<_>) = all.partition(|row| fits(row.state));
        if let Some(other) = others.first().filter(|_| fitting.is_empty()) {
            self.say(Level::Info, format!("{} is {}: {otherwise}", other.id, other.state));
        }
        fitting
    }

    /// Says which of these jobs do not stand on the screen: they were marked before the filter was typed.
    pub(super) fn unseen(&self, rows: &[Arc<JobRow>]) -> Option<String> {
        if matches!(self.overlays.last(), Some(Overlay::Detail { .. })) {
            return None;
        }
        let mut unseen = rows.iter().filter(|row| self.jobs.hides(row.id));
        let first = unseen.next()?;
        Some(match 1 + unseen.count() {
            n if n < rows.len() => format!("{n} of them {}.", hidden(n)),
            1 => format!("{} {}.", first.id, hidden(1)),
            n => format!("All {n} {}.", hidden(n)),
        })
    }

    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        let why = "what was sent cannot be cancelled at any service; a hides it, and it is still downloaded and booked";
        let rows = self.fitting(JobState::is_unsent, why);
        let ids = ids(&rows);
        let unseen = self.unseen(&rows);
        if rows.len() < 2 && unseen.is_none() {
            return if ids.is_empty() { Vec::new() } else { self.verb(Command::Cancel { ids }, "cancelled") };
        }
        let mut lines = vec![match ids[..] {
            [one] => format!("{one} was not sent and is taken back; nothing was charged for it."),
            _ => format!("{} jobs that were not sent are taken back; nothing was charged for them.", ids.len()),
        }];
        lines.extend(unseen);
        self.overlays.push(Overlay::Ask(Ask::new("Cancel", lines, Then::Send(Command::Cancel { ids }))));
        Vec::new()
    }

    pub(super) fn abandon(&mut self) -> Vec<Effect> {
        let rows = self.fitting(|state| !state.is_unsent(), "it was not sent yet; c cancels it");
        if rows.is_empty() {
            return Vec::new();
        }
        let ids = ids(&rows);
        let mut lines = vec![
            match ids[..] {
                [one] => format!("{one} is hidden from the table."),
                _ => format!("{} jobs are hidden from the table.", ids.len()),
            },
            "What was paid is still polled, downloaded and booked; the filter is:abandoned shows it.".to_owned(),
        ];
        lines.extend(self.unseen(&rows));
        self.overlays.push(Overlay::Ask(Ask::new("Abandon", lines, Then::Send(Command::Abandon { ids }))));
        Vec::new()
    }

    /// Asks which order of its service an unconfirmed job is.
    pub(super) fn adopt(&mut self) {
        let rows = self.fitting(|state| state == JobState::Unconfirmed, "only an unconfirmed job can adopt an order");
        let Some(row) = rows.first() else { return };
        let lines = vec![
            format!("Which order of {} is {}? Type its id as the service shows it.", row.account, row.id),
            "One status request checks it; nothing is ordered.".to_owned(),
            "`part` takes what came of the clip, where a part is kept.".to_owned(),
        ];
        self.overlays.push(Overlay::Ask(Ask::new("Adopt", lines, Then::Adopt(row.id)).needing(Need::Id)));
    }

    pub(super) fn write_off(&mut self) {
        let rows = self.fitting(|state| state == JobState::Unconfirmed, "only an unconfirmed job can be written off");
        if rows.is_empty() {
            return;
        }
        let ids = ids(&rows);
        let mut lines = vec![
            format!(
                "{} given up and counts as failed.",
                count(ids.len(), "unconfirmed job is", "unconfirmed jobs are")
            ),
            "What is set aside is free again, and may still have been charged.".to_owned(),
        ];
        lines.extend(self.unseen(&rows));
        let then = Then::Send(Command::WriteOff { ids });
        self.overlays.push(Overlay::Ask(Ask::new("Write off", lines, then).needing(Need::Word(LOST))));
    }

    pub(super) fn hold(&mut self) -> Vec<Effect> {
        let rows = self.fitting(JobState::is_unsent, "only queued jobs can be held");
        let queued: Vec<JobId> = rows.iter().filter(|r| r.state == JobState::Queued).map(|r| r.id).collect();
        if !queued.is_empty() {
            return self.verb(Command::Hold { ids: queued }, "held");
        }
        if rows.is_empty() { Vec::new() } else { self.release_rows(&rows) }
    }

    pub(super) fn release(&mut self) -> Vec<Effect> {
        let rows = self.fitting(|state| state == JobState::Held, "only held jobs can be released");
        if rows.is_empty() { Vec::new() } else { self.release_rows(&rows) }
    }

    fn release_rows(&mut self, rows: &[Arc<JobRow>]) -> Vec<Effect> {
        let ids = ids(rows);
        let unpriced = rows.iter().filter(|row| row.estimate.is_none()).count();
        let unseen = self.unseen(rows);
        if unpriced == 0 && unseen.is_none() {
            return self.verb(Command::Release { ids, ceiling: None }, "released");
        }
        if unpriced == 0 {
            let may = format!("{} may be sent, and paid for.", count(ids.len(), "held job", "held jobs"));
            let lines = [may].into_iter().chain(unseen).collect();
            self.overlays.push(Overlay::Ask(Ask::new("Release", lines, Then::Release(ids))));
            return Vec::new();
        }
        let mut lines = vec![
            format!("The price of {} is unknown.", count(unpriced, "job", "jobs")),
            "What may each cost at most, in dollars? It is reserved, and a dearer charge pauses the model.".to_owned(),
        ];
        lines.extend(unseen);
        self.overlays.push(Overlay::Ask(Ask::new("Release", lines, Then::Release(ids)).needing(Need::Amount)));
        Vec::new()
    }

    pub(super) fn retry(&mut self) {
        let rows = self
            .fitting(may_be_retried, "it is still under way; a retry makes a new, paid job once this one has ended");
        if rows.is_empty() {
            return;
        }
        let (sums, unknown) = add_up(rows.iter().map(|row| row.estimate.or(row.cost)));
        let left_out = self.target_ids().len() - rows.len();
        let lost: Vec<String> =
            rows.iter().filter(|r| r.state == JobState::Unconfirmed).map(|r| r.id.to_string()).collect();
        let mut lines = vec![
            format!("Makes {}, for {}.", count(rows.len(), "new job", "new jobs"), in_words(&sums, unknown)),
            "Each is a new order at its own price; the sums are the earlier ones.".to_owned(),
        ];
        if rows.len() + left_out > 1 {
            lines.push(standings(&rows, left_out));
        }
        lines.extend(self.unseen(&rows));
        lines.extend(self.strained_by(&rows));
        let ids = ids(&rows);
        let then = Then::Send(Command::Retry { ids, may_pay_twice: !lost.is_empty(), minimal: false });
        let ask = if lost.is_empty() {
            Ask::new("Retry", lines, then)
        } else {
            let few = lost.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
            let more = lost.len().saturating_sub(6);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("Unconfirmed: {few}{more}. The first order may have been taken and charged."));
            lines.push("Buying again may pay twice.".to_owned());
            Ask::new("Retry", lines, then).needing(Need::Word(TWICE))
        };
        let switch = rows.iter().any(|row| row.was_invalid()).then(|| self.only_needed(&rows));
        self.overlays.push(Overlay::Ask(Ask { switch, ..ask }));
    }

    /// What the accounts would lack if these were queued once more.
    pub(super) fn strained_by(&self, rows: &[Arc<JobRow>]) -> Vec<String> {
        let mut wanted = self.jobs.counts().wanted().clone();
        for row in rows {
            row.estimate.or(row.cost).into_iter().for_each(|price| wanted.add_order(&row.account, price));
        }
        let short = wanted.shortfalls(&self.accounts).into_iter();
        short.map(|(account, by)| format!("With what is queued that is {by} more than {account} holds.")).collect()
    }

    /// The choice to send only what is needed, with its price where it is known (seed 003: after a
    /// validation error, retry with only the minimal required fields first).
    fn only_needed(&self, rows: &[Arc<JobRow>]) -> Switch {
        let price = |row: &JobRow| {
            let job = self.known(row.id)?;
            let offer = self.offers.iter().find(|offer| offer.model_ref() == job.model_ref())?;
            offer.reservation(&Request { minimal: true, ..job.request.clone() })
        };
        let words = "only the fields that the model needs";
        let words = match rows {
            [one] => price(one).map_or_else(|| words.to_owned(), |price| format!("{words}, for {price}")),
            _ => words.to_owned(),
        };
        Switch { words, on: false }
    }

    pub(super) fn resume(&mut self) -> Vec<Effect> {
        if self.refused_here() {
            return Vec::new();
        }
        let paused: Vec<String> = self
            .accounts
            .iter()
            .filter(|account| account.pause.is_some() || account.trouble.is_some())
            .map(|account| account.name.clone())
            .collect();
        if paused.is_empty() {
            self.say(Level::Info, "no account is paused or in trouble");
        }
        paused.into_iter().map(|account| self.send(Command::Resume { account }, Waiting::Quiet)).collect()
    }

    pub(super) fn reuse(&mut self) -> Vec<Effect> {
        let Some(id) = self.one_target() else { return Vec::new() };
        match self.known(id) {
            Some(job) => {
                let job = job.clone();
                self.reuse_of(&job)
            }
            None => vec![self.send(Command::Inspect { id }, Waiting::Reuse)],
        }
    }

    pub(super) fn reuse_of(&mut self, job: &Job) -> Vec<Effect> {
        let request = &job.request;
        let draft = Draft {
            prompt: request.prompt.clone(),
            model: request.model_ref().to_string(),
            params: request.params.clone(),
            copies: 1,
            ..Draft::default()
        };
        self.overlays.clear();
        self.compose.reuse(draft, self.now);
        self.compose.compare();
        self.check_form();
        self.go_to(super::geometry::Pane::Compose)
    }

    pub(super) fn one_target(&self) -> Option<JobId> {
        match self.overlays.last() {
            Some(Overlay::Detail { id, .. }) => Some(*id),
            _ => self.jobs.selected().map(|row| row.id),
        }
    }

    pub(super) fn known(&self, id: JobId) -> Option<&Job> {
        let row = self.jobs.get(id)?;
        let job = self.story.detail().map(|JobDetail { job, .. }| job)?;
        (job.id == id && job.state == row.state).then_some(job)
    }

    fn verb(&mut self, command: Command, past: &'static str) -> Vec<Effect> {
        vec![self.send(command, Waiting::Verb(past))]
    }

    /// Queues the form, asking first where it would cost more than there is.
    pub(super) fn queue(&mut self) -> Vec<Effect> {
        if self.refused_here() {
            return Vec::new();
        }
        if self.compose.is_pending() {
            self.say(Level::Info, "the last one is still being written to disk; press again in a moment");
            return Vec::new();
        }
        self.check_form();
        let Some(jobs) = self.compose.orders() else {
            self.say(Level::Warning, "not queued: the form breaks a rule, see its red lines");
            return Vec::new();
        };
        if let Some((_, ask)) = self.too_large.take().filter(|(refused, _)| *refused == jobs) {
            self.overlays.push(Overlay::Ask(ask));
            return Vec::new();
        }
        // A form whose prompt may be empty stays legal once it is queued: a key that is held down must not buy on.
        let again = self.last_queued.as_ref().filter(|(last, _)| same(last, &jobs)).map(|(_, named)| named.clone());
        let quote = self.compose.quote().cloned().unwrap_or_default();
        let above = self.options.ask_above.filter(|most| {
            let dollars = quote.sums.iter().find(|sum| sum.currency == most.currency);
            dollars.is_some_and(|sum| sum.amount > most.amount)
        });
        if quote.exceeds.is_empty() && above.is_none() && again.is_none() {
            return self.queue_now(jobs);
        }
        let total = in_words(&quote.sums, quote.unknown);
        let mut lines = vec![format!("{} for {total}.", count(jobs.len(), "job", "jobs"))];
        if let Some(named) = again {
            lines.push(format!("The same was queued last, as {named}; each is a new order."));
        }
        for (account, by) in &quote.exceeds {
            lines.push(format!("That is {by} more than {account} holds after what is reserved."));
        }
        let is_short = !quote.exceeds.is_empty();
        if is_short {
            lines.push("What the balance does not cover waits in the queue until there is more.".to_owned());
        }
        if let Some(most) = above {
            lines.push(format!("That is above {most}, the sum from which you want to be asked."));
        }
        let mut ask = Ask::new("Queue", lines, Then::Queue(jobs));
        ask.grave = is_short;
        self.overlays.push(Overlay::Ask(ask));
        Vec::new()
    }

    fn queue_now(&mut self, jobs: Vec<NewJob>) -> Vec<Effect> {
        let effect = self.send(Command::Queue { jobs: jobs.clone() }, Waiting::Queue(jobs));
        self.compose.sent(self.last_ticket);
        vec![effect]
    }

    /// Does what a question was about.
    pub(super) fn answer_yes(&mut self, ask: Ask) -> Vec<Effect> {
        let ceiling: Option<Money> = ask.amount();
        let classified = ask.classified();
        match ask.then {
            Then::Classify(_) => classified.map_or_else(Vec::new, |command| {
                vec![self.send(command, Waiting::Classified(ask.answer.text().trim().to_owned()))]
            }),
            Then::Leave => self.leave(),
            Then::Queue(jobs) => self.queue_now(jobs),
            Then::Adopt(id) => {
                let remote_id = ask.answer.text().trim().to_owned();
                self.verb(Command::Adopt { id, remote_id }, "adopted")
            }
            Then::Tag(ids) => self.verb(App::tags_of(&ask.answer, ids), "tagged"),
            Then::Release(ids) => self.verb(Command::Release { ids, ceiling }, "released"),
            Then::Send(mut command) => {
                if let (Command::Retry { minimal, .. }, Some(switch)) = (&mut command, &ask.switch) {
                    *minimal = switch.on;
                }
                let past = match &command {
                    Command::Cancel { .. } => "cancelled",
                    Command::Abandon { .. } => "abandoned",
                    Command::WriteOff { .. } => "written off",
                    Command::Retry { .. } => "queued again as",
                    Command::Duplicate { .. } => "queued once more as",
                    _ => "done",
                };
                self.verb(command, past)
            }
        }
    }
}

fn hidden(n: usize) -> &'static str {
    if n == 1 { "is marked but hidden by the filter" } else { "are marked but hidden by the filter" }
}

/// Whether two lots ask for the same clips, however many of each.
fn same(one: &[NewJob], other: &[NewJob]) -> bool {
    let asked = |jobs: &[NewJob]| -> Vec<Request> {
        let mut requests: Vec<Request> = jobs.iter().map(|job| job.request.clone()).collect();
        requests.dedup();
        requests
    };
    asked(one) == asked(other)
}

/// In which states the jobs are that a question is about, and how many marked ones it is not about.
fn standings(rows: &[Arc<JobRow>], left_out: usize) -> String {
    // In one pass: they may be a hundred thousand, and lie anywhere in memory.
    let mut by_state = [0; JobState::ALL.len()];
    rows.iter().for_each(|row| by_state[row.state as usize] += 1);
    let counted = JobState::ALL.into_iter().map(|state| (by_state[state as usize], state)).filter(|(n, _)| *n > 0);
    let words: Vec<String> = counted.map(|(n, state)| format!("{n} {state}")).collect();
    let rest = match left_out {
        0 => String::new(),
        n => format!("; {n} that {is} not over {is} left out", is = if n == 1 { "is" } else { "are" }),
    };
    format!("They are {}{rest}.", words.join(", "))
}

/// Whether a job in this state can be bought once more.
pub fn may_be_retried(state: JobState) -> bool {
    state.is_final() || state == JobState::Unconfirmed
}

pub(super) fn ids(rows: &[Arc<JobRow>]) -> Vec<JobId> {
    rows.iter().map(|row| row.id).collect()
}

pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
