//! Why a job makes no way though nothing is wrong with it: its account is paused, or its service out of reach.
//!
//! Knows which states an account's standing holds up, and the words for it. Must not know any pane.

use jiff::Timestamp;

use super::App;
use super::action::{Action, Context};
use crate::domain::message::AccountRow;
use crate::domain::{JobRow, JobState};

/// What holds a job up, in whole sentences: they may be long, and are never cut where they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The cause, with the account's name.
    pub cause: String,
    /// What ends it, with the key that does.
    pub next: String,
}

impl App {
    /// What its account has against this job, if anything.
    pub fn wait(&self, row: &JobRow) -> Option<Wait> {
        let account = self.accounts().iter().find(|account| account.name == row.account)?;
        let key = self.keymap().shown(Action::Resume, Context::Detail).map(|key| key.to_string()).unwrap_or_default();
        let name = &account.name;
        let cause = standing(account, row.state)?;
        let next = match &account.pause {
            Some(pause) => match pause.until {
                Some(until) => {
                    let at = self.time_of_day(until);
                    format!("{name} goes on by itself at {at}; {key} resumes it now")
                }
                None => format!("once that is put right, {key} resumes {name}; the job goes out then"),
            },
            None => format!("nothing to do; {key} tries {name} at once"),
        };
        Some(Wait { cause, next })
    }

    /// A time to come as a time of day in the user's zone, with the day where it is not today's. Not as
    /// a wait: that would have to tick.
    pub fn time_of_day(&self, at: Timestamp) -> String {
        let at = at.to_zoned(self.time_zone().clone());
        let today = at.date() == self.now().to_zoned(self.time_zone().clone()).date();
        at.strftime(if today { "%H:%M" } else { "%d %b %H:%M" }).to_string()
    }

    /// When an account's pause ends by itself, as ` until 22:18`; empty where it does not.
    pub fn paused_until(&self, account: &AccountRow) -> String {
        let until = account.pause.as_ref().and_then(|pause| pause.until);
        until.map(|until| format!(" until {}", self.time_of_day(until))).unwrap_or_default()
    }
}

/// The cause in one sentence, where the account's standing holds up a job in this state.
fn standing(account: &AccountRow, state: JobState) -> Option<String> {
    let name = &account.name;
    match (&account.pause, &account.trouble) {
        (Some(pause), _) if state == JobState::Queued => Some(format!("{name} is paused: {}", pause.message)),
        (_, Some(trouble)) if matches!(state, JobState::Queued | JobState::Submitting | JobState::Running) => {
            Some(format!("cannot reach {name}: {trouble}; tried again by itself"))
        }
        _ => None,
    }
}

/// The same for a row of the table, where the account stands beside it or the head names it.
pub fn note(app: &App, account: &AccountRow, state: JobState) -> Option<String> {
    standing(account, state)?;
    Some(match (&account.pause, &account.trouble) {
        (Some(pause), _) if state == JobState::Queued => {
            format!("paused{}: {}", app.paused_until(account), pause.message)
        }
        (_, trouble) => format!("cannot reach: {}", trouble.as_deref().unwrap_or_default()),
    })
}
