//! What the engine tells, taken into the state: snapshots, changes, answers, notices.

use super::geometry::Pane;
use super::input::Effect;
use super::jobs::Change;
use super::overlay::Overlay;
use super::{App, Waiting, news};
use crate::domain::message::{AccountRow, Answer, Event, Level, Snapshot, Ticket};
use crate::domain::money::in_words;
use crate::domain::{JobId, JobRow, JobState, Problem};

impl App {
    pub(super) fn take(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Snapshot(snapshot) => self.start_from(*snapshot),
            Event::JobChanged(row) => {
                self.story.changed(&row, self.now);
                self.outdate_questions(&row);
                self.outlook.changed(self.jobs.get(row.id), &row);
                let before = self.jobs.get(row.id).map(|row| row.state).filter(|_| self.options.calls);
                let news = before.is_some().then(|| row.clone());
                let open = self.overlays.iter().any(|o| matches!(o, Overlay::Detail { id, .. } if *id == row.id));
                if self.jobs.change(*row) == Change::Shown || open {
                    self.touch();
                }
                if let Some(row) = news {
                    let counts = self.jobs.counts();
                    let at_work = [JobState::Queued, JobState::Submitting, JobState::Running, JobState::Downloading];
                    let open = at_work.into_iter().map(|state| counts.of(state)).sum();
                    self.attention.changed(before, &row, open, self.now);
                }
            }
            Event::AccountChanged(account) => self.change_account(*account),
            Event::SpendChanged(spend) => {
                if self.spend != *spend {
                    self.spend = *spend;
                    self.check_form();
                    self.touch();
                }
            }
            Event::TimesChanged(timings) => {
                if self.timings != *timings {
                    self.timings = *timings;
                    self.outlook.stale();
                    self.touch();
                }
            }
            Event::OffersChanged(offers) => {
                news::note(&mut self.news, &self.offers, &offers);
                self.offers = offers;
                self.take_offers();
                self.touch();
            }
            Event::Answered { ticket, answer } => {
                let effects = self.answered(ticket, answer);
                return effects;
            }
            Event::Noticed(notice) => self.say(notice.level, notice.text),
            Event::Stopped => {
                self.say(Level::Error, "the engine has ended; what it had is on disk. Leave with q and start again");
            }
        }
        Vec::new()
    }

    fn start_from(&mut self, snapshot: Snapshot) {
        let first = !std::mem::replace(&mut self.is_ready, true);
        for row in &snapshot.jobs {
            self.story.changed(row, self.now);
        }
        self.accounts = snapshot.accounts;
        self.tell_table();
        self.jobs.replace(snapshot.jobs);
        self.offers = snapshot.offers;
        self.spend = snapshot.spend;
        self.timings = snapshot.timings;
        self.outlook.stale();
        self.simulated = snapshot.simulated;
        self.read_only = snapshot.read_only;
        // The draft first: it names the model that is to be chosen. Later ones would undo what was typed since.
        if let Some(draft) = snapshot.draft.filter(|_| first) {
            self.compose.restore(draft);
        }
        self.take_offers();
        // There is something to write, not yet something to watch: nothing was queued yet, or a prompt was left unfinished.
        let to_write = self.jobs.is_empty() || !self.compose.prompt().is_empty();
        if first && to_write && !self.accounts.is_empty() && self.read_only.is_none() {
            self.focus = Pane::Compose;
        }
        self.lay_out();
        self.touch();
    }

    fn take_offers(&mut self) {
        self.compose.set_offers(self.offers.clone());
        self.compose.compare();
        self.check_form();
        self.show_more();
        for overlay in &mut self.overlays {
            if let Overlay::Picker(picker) = overlay {
                picker.set_offers(self.offers.clone(), self.compose.what_each_says());
            }
        }
    }

    fn change_account(&mut self, account: AccountRow) {
        match self.accounts.iter_mut().find(|known| known.name == account.name) {
            Some(known) if *known == account => return,
            Some(known) => *known = account,
            None => self.accounts.push(account),
        }
        self.outlook.stale();
        self.tell_table();
        self.check_form();
        self.touch();
    }

    /// Takes a job out of the question on the screen that has come to be in a state it is not about; the question
    /// ends where it was its last.
    fn outdate_questions(&mut self, row: &JobRow) {
        // All that lie there: the question whether to leave may lie over one that comes back with a no.
        for at in (0..self.overlays.len()).rev() {
            let Overlay::Ask(ask) = &mut self.overlays[at] else { continue };
            let before = ask.outdated;
            if !ask.outdate(row.id, row.state) {
                let title = ask.title.to_lowercase();
                if at + 1 == self.overlays.len() {
                    self.ended_at = Some(self.now);
                }
                self.overlays.remove(at);
                self.say(
                    Level::Warning,
                    format!("{} is {} meanwhile: there is nothing left to {title}", row.id, row.state),
                );
            } else if ask.outdated != before {
                self.touch();
            }
        }
    }

    fn answered(&mut self, ticket: Ticket, answer: Answer) -> Vec<Effect> {
        let Some(waiting) = self.waiting.remove(&ticket) else { return Vec::new() };
        match (waiting, answer) {
            (Waiting::Queue(jobs), Answer::Accepted { ids, known }) => {
                self.last_queued = Some((jobs, named(&ids)));
                let price = self.compose.quote().map(|quote| format!(", {}", in_words(&quote.sums, quote.unknown)));
                self.compose.accepted(ticket, self.now);
                self.check_form();
                let known = if known > 0 { format!(", {known} known already") } else { String::new() };
                self.say(Level::Info, format!("queued {}{}{known}", named(&ids), price.unwrap_or_default()));
                return self.save_draft().into_iter().collect();
            }
            (Waiting::Queue(jobs), Answer::Refused { problems }) => {
                let asks = self.shrinking(&jobs, &problems);
                let next = match asks {
                    Some(_) => format!("; {} again asks whether a smaller copy may be sent", self.queue_key()),
                    None => String::new(),
                };
                self.too_large = asks.map(|ask| (jobs, ask));
                self.say(Level::Error, format!("not queued: {}{next}", first(&problems)));
                self.compose.was_refused(ticket, problems);
            }
            (Waiting::Verb(past), Answer::Accepted { ids, .. }) => {
                self.jobs.clear_marks();
                self.say(Level::Info, format!("{past} {}", named(&ids)));
            }
            (Waiting::Classified(words), Answer::Accepted { .. }) => {
                self.say(Level::Info, format!("in the books as {words}"));
            }
            (Waiting::Story, Answer::Detail(detail)) => {
                if self.story.answered(ticket, detail) {
                    self.touch();
                }
            }
            (Waiting::Copy(what), Answer::Detail(detail)) => return self.copy_of(what, &detail.job),
            (Waiting::Open { folder }, Answer::Detail(detail)) => return self.open_of(&detail.job, folder),
            (Waiting::Reuse, Answer::Detail(detail)) => {
                self.touch();
                return self.reuse_of(&detail.job);
            }
            (Waiting::Extend, Answer::Detail(detail)) => return self.extend_from(detail.job),
            (Waiting::Story, _) => {
                self.story.refused(ticket);
                self.touch();
            }
            (Waiting::Files, Answer::Refused { problems }) => {
                self.compose.files_checked(ticket, problems);
                self.touch();
            }
            (Waiting::Quiet, Answer::Accepted { .. } | Answer::Detail(_)) => {}
            (_, Answer::Refused { problems }) => self.say(Level::Error, first(&problems)),
            (_, Answer::Accepted { .. } | Answer::Detail(_)) => {}
        }
        Vec::new()
    }
}

fn first(problems: &[Problem]) -> String {
    let Some(problem) = problems.first() else { return "the engine refused without a reason".to_owned() };
    let more = match problems.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    format!("{problem}{more}")
}

/// `j-4`, `j-4 to j-7`, `12 jobs`.
fn named(ids: &[JobId]) -> String {
    match ids {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [first, .., last] if last.0 - first.0 == ids.len() as i64 - 1 => format!("{first} to {last}"),
        _ => format!("{} jobs", ids.len()),
    }
}
