//! What a failed call means for its account and its host: a pause where the user must act or the
//! service named a time, a rest where time helps, and the way back.
//!
//! Knows kinds of errors and waits. Must not know any status code, nor which call it was beyond its sort.

use jiff::SignedDuration;

use super::host::Call;
use super::schedule::spread;
use super::{Core, Step};
use crate::domain::account::until_text;
use crate::domain::message::Level;
use crate::domain::{ErrorKind, JobId, JobState, Pause};
use crate::provider::ServiceError;
use crate::store::{Change, NewLine};

/// A wait the service asks for that is longer than this pauses the account and says until when.
const LONG_WAIT: SignedDuration = SignedDuration::from_secs(5);

/// Used where a service says "too many" without saying for how long.
const UNSAID_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// A rest from which on its end is told as a time of day.
const LONG_REST: SignedDuration = SignedDuration::from_secs(60);

/// No rest that a service in trouble asks for is longer.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(1);

impl Core {
    /// The service answered: whatever was wrong on the way is over, for every account at its host. Jobs
    /// that waited for it are due now, spread over one interval.
    pub(super) fn recover(&mut self, name: &str, step: &mut Step) {
        let Some(account) = self.accounts.get(name) else { return };
        let host = account.host.clone();
        let was_down = self.hosts.get_mut(&host).is_some_and(super::host::Host::answer);
        if !was_down && account.trouble.is_none() {
            return;
        }
        let there: Vec<String> =
            self.accounts.values().filter(|account| account.host == host).map(|account| account.name.clone()).collect();
        for name in &there {
            if self.accounts.get_mut(name).and_then(|account| account.trouble.take()).is_some() {
                self.touch(name, step);
            }
        }
        if !was_down {
            return;
        }
        let waits = |id: &JobId| {
            let job = self.jobs.get(id).filter(|job| there.contains(&job.request.account));
            job.filter(|job| matches!(job.state, JobState::Running | JobState::Queued))
        };
        let intervals: Vec<(JobId, SignedDuration)> =
            self.work.keys().filter_map(|id| Some((*id, self.poll_interval(waits(id)?)))).collect();
        for (id, interval) in intervals {
            let soon = self.now + spread(interval, id.0.unsigned_abs());
            if let Some(due) = self.work.get_mut(&id).and_then(|work| work.due.as_mut()) {
                *due = (*due).min(soon);
            }
        }
    }

    /// A call failed: pauses the account where the user must act, rests its host where time helps.
    pub(super) fn trouble(&mut self, name: &str, call: Call, error: &ServiceError, step: &mut Step) {
        let wait = error.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
        match error.kind {
            ErrorKind::Authentication => {
                self.recover(name, step);
                let message = format!("{}; set a valid key for {name}, then resume it", error.message);
                self.pause(name, Pause { kind: error.kind, message, until: None }, step);
            }
            ErrorKind::Balance => {
                self.recover(name, step);
                let needed = error.required.map(|m| format!(" ({m} needed)")).unwrap_or_default();
                let message = format!("{}{needed}; add money to {name}, then resume it", error.message);
                self.pause(name, Pause { kind: error.kind, message, until: None }, step);
                self.want_balance(name);
            }
            ErrorKind::RateLimit => {
                self.recover(name, step);
                let now = self.now;
                let short = wait.filter(|wait| *wait <= LONG_WAIT);
                if let Some(host) = self.accounts.get(name).and_then(|account| self.hosts.get_mut(&account.host))
                    && (short.is_some() || wait.is_none())
                {
                    host.limit(call, short, now);
                }
                if short.is_none() {
                    let until = now.checked_add(wait.unwrap_or(UNSAID_WAIT)).unwrap_or(jiff::Timestamp::MAX);
                    let message = format!("{}; its queued jobs go on by themselves then", error.message);
                    self.pause(name, Pause { kind: error.kind, message, until: Some(until) }, step);
                }
            }
            _ => self.rest(name, error, wait, step),
        }
    }

    /// The host is down or out of reach.
    fn rest(&mut self, name: &str, error: &ServiceError, wait: Option<SignedDuration>, step: &mut Step) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(name) else { return };
        let Some(host) = self.hosts.get_mut(&account.host) else { return };
        let until = host.fail(account.poll_interval, wait.map(|wait| wait.min(LONGEST_REST)), now);
        let is_news = account.trouble.as_ref() != Some(&error.message);
        account.trouble = Some(error.message.clone());
        if is_news {
            self.touch(name, step);
            let when = match until.duration_since(now) >= LONG_REST {
                true => format!("rests {}", until_text(until, now, &self.settings.zone)),
                false => "tried again by itself".to_owned(),
            };
            let text = format!("{name}: {}; {when}, nothing is lost", error.message);
            self.notice(Level::Warning, text, step);
        }
    }

    /// Pauses an account, unless a pause that is worth more stands already.
    pub(super) fn pause(&mut self, name: &str, pause: Pause, step: &mut Step) {
        let (others, going) = self
            .accounts
            .values()
            .filter(|account| account.name != name)
            .fold((0, 0), |(others, going), account| (others + 1, going + usize::from(account.pause.is_none())));
        let others = match (others, going) {
            (0, _) => "",
            (_, 0) => "; every other account is paused, too",
            (others, going) if others == going => "; other accounts go on",
            _ => "; accounts that are not paused go on",
        };
        self.pause_among(name, pause, others, step);
    }

    /// The same, with what is said of the other accounts.
    pub(super) fn pause_among(&mut self, name: &str, pause: Pause, others: &str, step: &mut Step) {
        let (now, zone) = (self.now, self.settings.zone.clone());
        let Some(account) = self.accounts.get_mut(name) else { return };
        let stays = |old: &Pause| match (old.until, pause.until) {
            (None, None) => old.kind == pause.kind,
            // What waits for the user is not ended by a clock, nor a long wait by a shorter one.
            (None, Some(_)) => true,
            (Some(old), Some(new)) => old >= new,
            (Some(_), None) => false,
        };
        if account.pause.as_ref().is_some_and(stays) {
            return;
        }
        let kind = pause.kind.word().replace('_', " ");
        let text = match pause.ends(now, &zone) {
            Some(until) => format!("{name} waits {until}, {kind}: {}", pause.message),
            None => format!("{name} is paused, {kind}: {}. Its jobs stay queued{others}", pause.message),
        };
        let data = serde_json::json!({"kind": pause.kind, "until": pause.until});
        account.pause = Some(pause);
        step.changes.push(Change::PutAccount(account.stored()));
        self.tell_of(name, "paused", text.clone(), data, step);
        self.touch(name, step);
        self.notice(Level::Warning, text, step);
    }

    /// Ends a pause and every rest at the user's word.
    pub(super) fn resume(&mut self, name: &str, step: &mut Step) -> bool {
        let Some(account) = self.accounts.get_mut(name) else { return false };
        account.per_day.forget();
        account.forget_losses();
        account.trust_repeats();
        account.let_model_go(None);
        if let Some(host) = self.hosts.get_mut(&account.host) {
            host.wake();
        }
        self.unpause(name, step);
        true
    }

    fn unpause(&mut self, name: &str, step: &mut Step) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        if account.pause.take().is_some() {
            step.changes.push(Change::PutAccount(account.stored()));
            self.tell_of(name, "resumed", format!("{name} goes on"), serde_json::Value::Null, step);
            self.touch(name, step);
        }
    }

    /// Ends pauses whose time has come.
    pub(super) fn end_pauses(&mut self, step: &mut Step) {
        let now = self.now;
        let over =
            |account: &&super::Account| account.pause.as_ref().and_then(|p| p.until).is_some_and(|until| until <= now);
        let names: Vec<String> = self.accounts.values().filter(over).map(|a| a.name.clone()).collect();
        for name in names {
            self.unpause(&name, step);
        }
    }

    /// Writes a line of the event log about an account.
    pub(super) fn tell_of(&self, name: &str, kind: &str, text: String, data: serde_json::Value, step: &mut Step) {
        step.changes.push(Change::AddLine(NewLine {
            at: self.now,
            job: None,
            account: Some(name.to_owned()),
            kind: kind.to_owned(),
            text,
            data,
        }));
    }
}
