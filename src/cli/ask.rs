//! One command, one answer: what the verbs that change something have in common.
//!
//! Knows tickets. Must not know any verb.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::message::{AccountRow, Answer, Command, Event, Notice};
use crate::domain::shortfall::shortfalls;
use crate::domain::{JobId, JobRow, Money, Pause, Service};
use crate::engine::{Commands, Engine, Events};

/// A face that asks and waits, and remembers what it is told meanwhile.
pub struct Desk {
    commands: Commands,
    events: Events,
    ticket: u64,
    /// The newest row of every job.
    pub rows: BTreeMap<JobId, JobRow>,
    /// Which accounts wait, and why.
    pub pauses: BTreeMap<String, Pause>,
    /// Which accounts' services cannot be reached as they should, and why.
    pub troubles: BTreeMap<String, (Service, String)>,
    /// The newest row of every account.
    accounts: BTreeMap<String, AccountRow>,
    /// The accounts that were told to hold less than what is queued for them.
    short: BTreeSet<String>,
}

/// What a [`Desk`] was told.
#[derive(Debug)]
pub enum News {
    /// A job is new or changed; the row it replaces, if any.
    Job(Box<JobRow>, Option<Box<JobRow>>),
    /// Something to read.
    Notice(Notice),
    /// An account's calls fail, for another cause than before.
    Trouble {
        /// The account's name.
        account: String,
        /// Its service.
        service: Service,
        /// The cause.
        cause: String,
    },
    /// What an account holds is known for the first time.
    Balance,
    /// An answer to the ticket.
    Answer(u64, Answer),
    /// Something that changes nothing here.
    Other,
}

impl Desk {
    /// Attaches to an engine.
    pub fn new(engine: &Engine) -> Desk {
        let (commands, events) = engine.attach();
        let (rows, pauses, troubles) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (accounts, short) = (BTreeMap::new(), BTreeSet::new());
        Desk { commands, events, ticket: 0, rows, pauses, troubles, accounts, short }
    }

    /// A line for each account that holds less than what is queued for it; each account once.
    pub fn shortfalls(&mut self) -> Vec<String> {
        let accounts: Vec<AccountRow> = self.accounts.values().cloned().collect();
        let fresh = shortfalls(&accounts, self.rows.values()).into_iter();
        let fresh: Vec<_> = fresh.filter(|(account, _)| self.short.insert(account.clone())).collect();
        let line = |(account, by): (String, Money)| {
            format!("what is queued for {account} is {by} more than it holds; the rest waits until there is more")
        };
        fresh.into_iter().map(line).collect()
    }

    /// The next thing told; `None` once the engine has stopped.
    pub async fn next(&mut self) -> Option<News> {
        Some(match self.events.next().await? {
            Event::Snapshot(snapshot) => {
                self.accounts = snapshot.accounts.iter().map(|row| (row.name.clone(), row.clone())).collect();
                self.rows = snapshot.jobs.into_iter().map(|row| (row.id, row)).collect();
                let troubled = snapshot.accounts.iter();
                let troubled = troubled.filter_map(|row| Some((row.name.clone(), (row.service, row.trouble.clone()?))));
                self.troubles = troubled.collect();
                let paused = snapshot.accounts.into_iter().filter_map(|row| Some((row.name, row.pause?)));
                self.pauses = paused.collect();
                News::Other
            }
            Event::JobChanged(row) => {
                let old = self.rows.insert(row.id, (*row).clone());
                News::Job(row, old.map(Box::new))
            }
            Event::AccountChanged(row) => {
                // Of a pause a notice tells people; it is kept for the end of a run.
                match &row.pause {
                    Some(pause) => self.pauses.insert(row.name.clone(), pause.clone()),
                    None => self.pauses.remove(&row.name),
                };
                let old = self.accounts.insert(row.name.clone(), (*row).clone());
                let is_told = old.is_none_or(|old| old.balances.is_empty()) && !row.balances.is_empty();
                match self.trouble(*row) {
                    News::Other if is_told => News::Balance,
                    news => news,
                }
            }
            Event::Noticed(notice) => News::Notice(notice),
            Event::Answered { ticket, answer } => News::Answer(ticket, answer),
            Event::Stopped => return None,
            Event::SpendChanged(_) | Event::OffersChanged(_) | Event::TimesChanged(_) => News::Other,
        })
    }

    /// What is new in an account's trouble. What ended and comes again is told again.
    fn trouble(&mut self, row: AccountRow) -> News {
        let old = match &row.trouble {
            Some(cause) => self.troubles.insert(row.name.clone(), (row.service, cause.clone())),
            None => self.troubles.remove(&row.name),
        };
        match row.trouble {
            Some(cause) if old.is_none_or(|(_, old)| old != cause) => {
                News::Trouble { account: row.name, service: row.service, cause }
            }
            _ => News::Other,
        }
    }

    /// Asks and waits for the answer, which comes after the commit; `None` when the engine stopped.
    /// Notices on the way go to `heard`.
    pub async fn ask(&mut self, command: Command, heard: impl Fn(&Notice)) -> Option<Answer> {
        self.ticket += 1;
        self.commands.send(self.ticket, command);
        loop {
            match self.next().await? {
                News::Answer(ticket, answer) if ticket == self.ticket => return Some(answer),
                News::Notice(notice) => heard(&notice),
                _ => {}
            }
        }
    }
}
