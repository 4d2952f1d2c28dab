//! `--plain`: the dashboard's news as lines, for screen readers, dumb terminals and logs.
//!
//! Knows which change is worth a line and how it reads aloud. Must not know how a job is worked, nor a screen.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jiff::Zoned;

use super::code;
use super::out::Out;
use super::run::line;
use crate::domain::message::{AccountRow, Level};
use crate::domain::text::clean;
use crate::domain::{Currency, Event, JobId, JobRow, JobState, Money, Snapshot};
use crate::engine::{Commands, Engine, Events, Leave};

/// Steps of progress that are told, percent; with `-v` every one is.
const STEP: u8 = 25;
/// How long leaving waits for a reader that takes no lines.
const PATIENCE: Duration = Duration::from_millis(500);

/// Tells what happens until a signal, whose number `signal` gives, also of one that came while the engine
/// started; returns the exit code. Without an engine it looks on at another's work.
pub async fn plain(
    engine: Option<Engine>,
    ends: (Commands, Events),
    mut signal: impl AsyncFnMut() -> u8,
    verbose: u8,
) -> u8 {
    // The commands' end is kept: an engine may take its loss for the face's end.
    let (_commands, mut events) = ends;
    let lines = Lines::start();
    let mut news = News { verbose, ..News::default() };
    let number = loop {
        tokio::select! {
            biased;
            number = signal() => break number,
            event = events.next() => match event {
                Some(event) => news.tell(event).into_iter().for_each(|line| lines.say(&line)),
                None => break signal().await,
            },
        }
    };
    let Some(engine) = engine else {
        lines.finish();
        return code::SIGNAL + number;
    };
    lines.say("leaving: nothing new is sent; waiting for answers and downloads. A second signal leaves at once");
    let leaving = engine.leave(Leave::Drain);
    tokio::pin!(leaving);
    loop {
        tokio::select! {
            biased;
            fault = &mut leaving => {
                fault.iter().flat_map(|fault| fault.lines()).for_each(|line| lines.say(line));
                break;
            }
            _ = signal() => break,
            Some(event) = events.next() => news.tell(event).into_iter().for_each(|line| lines.say(&line)),
        }
    }
    lines.finish();
    code::SIGNAL + number
}

/// A thread that prints, so that a reader that takes no lines holds nothing up.
struct Lines {
    to: mpsc::Sender<String>,
    done: mpsc::Receiver<()>,
}

impl Lines {
    fn start() -> Lines {
        let (to, lines) = mpsc::channel::<String>();
        let (end, done) = mpsc::channel();
        thread::spawn(move || {
            let mut out = Out::default();
            lines.iter().for_each(|line| out.line(line));
            drop(end);
        });
        Lines { to, done }
    }

    /// Prints a line with the time of day before it.
    fn say(&self, words: &str) {
        // A thread that is gone has nobody to print for.
        let _ = self.to.send(format!("{} {}", Zoned::now().strftime("%H:%M:%S"), clean(words, 1_000)));
    }

    fn finish(self) {
        drop(self.to);
        let _ = self.done.recv_timeout(PATIENCE);
    }
}

/// What was told already.
#[derive(Default)]
struct News {
    verbose: u8,
    rows: BTreeMap<JobId, JobRow>,
    accounts: BTreeMap<String, AccountRow>,
    today: Vec<Money>,
}

impl News {
    /// The lines that an event is worth.
    fn tell(&mut self, event: Event) -> Vec<String> {
        match event {
            Event::Snapshot(snapshot) => self.start(*snapshot),
            Event::JobChanged(row) => self.job(*row).into_iter().collect(),
            Event::AccountChanged(account) => self.account(*account),
            Event::SpendChanged(spend) => {
                let changed = self.today != spend.today;
                self.today.clone_from(&spend.today);
                let spent = sums(&spend.today);
                if changed && !spent.is_empty() { vec![format!("spent today: {spent}")] } else { Vec::new() }
            }
            Event::Noticed(notice) => {
                let word = match notice.level {
                    Level::Info => "",
                    Level::Warning => "warning: ",
                    Level::Error => "error: ",
                };
                vec![format!("{word}{}", notice.text)]
            }
            Event::Stopped => vec!["the engine has ended; what it had is on disk".to_owned()],
            Event::OffersChanged(_) | Event::TimesChanged(_) | Event::Answered { .. } => Vec::new(),
        }
    }

    fn start(&mut self, snapshot: Snapshot) -> Vec<String> {
        let first = self.accounts.is_empty() && self.rows.is_empty();
        self.rows = snapshot.jobs.into_iter().map(|row| (row.id, row)).collect();
        self.today = snapshot.spend.today;
        let mut lines: Vec<String> = snapshot.simulated.into_iter().collect();
        lines.extend(snapshot.read_only.map(|holder| format!("read-only: {holder}")));
        for account in snapshot.accounts {
            lines.extend(self.account(account));
        }
        if first {
            let count = |state| self.rows.values().filter(|row| row.state == state && !row.abandoned).count();
            let counts = JobState::ALL.into_iter().map(|state| (count(state), state)).filter(|(n, _)| *n > 0);
            let counts: Vec<String> = counts.map(|(n, state)| format!("{n} {state}")).collect();
            lines.push(if counts.is_empty() { "no jobs".to_owned() } else { format!("jobs: {}", counts.join(", ")) });
            lines.push(
                "Ctrl-C leaves. Queue with `rushes add` before it is started, or work a file with `rushes run`"
                    .to_owned(),
            );
        }
        lines
    }

    fn job(&mut self, row: JobRow) -> Option<String> {
        let step = |row: &JobRow| match row.state {
            JobState::Running if self.verbose == 0 => row.progress.map(|percent| percent / STEP),
            JobState::Running => row.progress,
            _ => None,
        };
        let old = self.rows.get(&row.id);
        let is_news = old.is_none_or(|old| {
            (old.state, old.late, old.abandoned) != (row.state, row.late, row.abandoned) || step(old) != step(&row)
        });
        let told = is_news.then(|| line(&row));
        self.rows.insert(row.id, row);
        told
    }

    fn account(&mut self, row: AccountRow) -> Vec<String> {
        let held = |row: &AccountRow| row.balances.iter().map(|balance| balance.money).collect::<Vec<_>>();
        let old = self.accounts.get(&row.name);
        let mut lines = Vec::new();
        if !row.balances.is_empty() && old.map(held) != Some(held(&row)) {
            lines.push(format!("{} holds {}", row.name, sums(&held(&row))));
        }
        if let Some(pause) = row.pause.as_ref().filter(|_| old.is_none_or(|old| old.pause.is_none())) {
            lines.push(format!("{} is paused: {}", row.name, pause.message));
        }
        if let Some(why) = row.trouble.as_ref().filter(|why| old.is_none_or(|old| old.trouble.as_ref() != Some(*why))) {
            lines.push(format!("{} is in trouble: {why}", row.name));
        }
        self.accounts.insert(row.name.clone(), row);
        lines
    }
}

fn sums(list: &[Money]) -> String {
    let shown = list.iter().filter(|money| money.currency != Currency::Quota || !money.amount.is_zero());
    shown.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Notice;
    use crate::domain::{Job, Request};

    fn row(state: JobState, progress: Option<u8>) -> JobRow {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), "x");
        let mut row = Job::new(JobId(7), request, jiff::Timestamp::UNIX_EPOCH).row();
        (row.state, row.progress) = (state, progress);
        row
    }

    #[test]
    fn a_change_is_a_line_and_a_percent_is_not() {
        let mut news = News::default();
        let mut told = |state, progress| news.tell(Event::JobChanged(Box::new(row(state, progress))));
        assert_eq!(told(JobState::Queued, None), ["j-7 queued  ninjachat/veo-3.1"]);
        assert_eq!(told(JobState::Running, Some(3)).len(), 1);
        assert_eq!(told(JobState::Running, Some(24)), [""; 0]);
        assert_eq!(told(JobState::Running, Some(25)), ["j-7 running 25%  ninjachat/veo-3.1"]);
        assert_eq!(told(JobState::Done, None), ["j-7 done  ninjachat/veo-3.1"]);
        let notice = Notice { at: jiff::Timestamp::UNIX_EPOCH, level: Level::Warning, text: "low".to_owned() };
        assert_eq!(news.tell(Event::Noticed(notice)), ["warning: low"]);
    }
}
