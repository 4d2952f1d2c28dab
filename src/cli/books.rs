//! `books`: every account's books in each currency, and what happened around a difference.
//!
//! Knows how entries and balances are written as lines and as JSON. Changes nothing.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::args::Books;
use super::code;
use super::look::when;
use super::out::{Out, table};
use crate::domain::books::{BalanceLine, DifferenceId, Sums};
use crate::domain::text::clean;
use crate::domain::{Balance, Currency, Entry, EntryKind, ErrorKind, Job, JobId, JobState, Money, Refund};
use crate::engine::{BalanceFilter, BooksView, EngineError, EntryFilter, JobFilter, Reader};

/// Shown before and after a difference.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// More jobs than these are not named for a difference.
const MOST_CANDIDATES: usize = 3;

/// Shown before and after a time.
const AROUND: SignedDuration = SignedDuration::from_mins(10);

/// One account's books in one currency.
struct Page<'a> {
    account: &'a str,
    currency: Currency,
    sums: Sums,
    /// What it would hold had nothing happened that is booked.
    opening: Option<&'a BalanceLine>,
    told: Option<&'a Balance>,
    /// The last line of the balance log.
    last: Option<&'a BalanceLine>,
    open: Vec<(DifferenceId, &'a Entry)>,
}

impl Page<'_> {
    fn capital(&self) -> Option<Decimal> {
        self.opening.and_then(|line| line.capital).map(|capital| capital.amount)
    }

    /// What it holds by the books: opening less all that left.
    fn expected(&self) -> Option<Decimal> {
        self.capital().map(|capital| capital - self.sums.net())
    }

    fn json(&self) -> Value {
        let sums = &self.sums;
        let open: Vec<String> = self.open.iter().map(|(id, _)| id.to_string()).collect();
        json!({"account": self.account, "currency": self.currency, "opening": self.capital().map(exact),
               "reserved": exact(sums.reserved), "charged": exact(sums.charged), "refunded": exact(sums.refunded),
               "spent": exact(sums.spent()), "deposited": exact(sums.deposited), "other_use": exact(sums.other_use),
               "unexplained": exact(sums.unexplained), "unexplained_credit": exact(sums.unexplained_credit),
               "differences": open, "expected": self.expected().map(exact),
               "told": self.told.map(|told| exact(told.money.amount)),
               "standing": self.last.map(|line| line.standing), "reconciled_at": self.opening.map(|line| line.balance.seen_at)})
    }

    fn print(&self, out: &mut Out) {
        let money = |amount: Decimal| Money::new(amount, self.currency).to_string();
        let signed = |amount: Decimal| match amount.is_sign_negative() || amount.is_zero() {
            true => money(amount),
            false => format!("+{}", money(amount)),
        };
        let sums = &self.sums;
        out.line(format_args!("{}  {}", self.account, self.currency.code()));
        let mut rows: Vec<[String; 3]> = Vec::new();
        let row = |name: &str, amount: String, note: String| [format!("  {name}"), amount, note];
        match (self.capital(), self.told) {
            (Some(capital), _) => rows.push(row("opening", money(capital), String::new())),
            (None, Some(_)) => rows.push(row("opening", "?".into(), NOT_COMPARABLE.into())),
            (None, None) => {}
        }
        rows.push(row("charged", signed(-sums.charged), String::new()));
        rows.push(row("refunded", signed(sums.refunded), String::new()));
        rows.push(row("deposits", signed(sums.deposited), String::new()));
        rows.push(row("other use", signed(-sums.other_use), String::new()));
        let ids = |kind: EntryKind| {
            let ids = self.open.iter().filter(|(_, entry)| entry.kind == kind);
            let ids: Vec<String> = ids.map(|(id, entry)| format!("{id} {}", entry.money)).collect();
            ids.join(", ")
        };
        let (gone, came) = (ids(EntryKind::Unexplained), ids(EntryKind::UnexplainedCredit));
        rows.push(row("unexplained", signed(-sums.unexplained), gone));
        if !sums.unexplained_credit.is_zero() {
            rows.push(row("unexplained", signed(sums.unexplained_credit), came));
        }
        if let Some(expected) = self.expected() {
            let note = match sums.reserved.is_zero() {
                true => String::new(),
                false => format!("of it {} set aside for orders under way", money(sums.reserved)),
            };
            rows.push(row("by the books", money(expected), note));
        } else if !sums.reserved.is_zero() {
            rows.push(row("set aside", money(sums.reserved), "for orders under way".to_owned()));
        }
        rows.push(match self.told {
            Some(told) => row("balance told", told.money.to_string(), self.standing(told)),
            None => row("balance told", "?".into(), "its service tells none; nothing here can be compared".into()),
        });
        let widest = rows.iter().map(|row| row[1].chars().count()).max().unwrap_or_default();
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|[name, amount, note]| vec![name, format!("{amount:>widest$}"), note]).collect();
        table(&rows).into_iter().for_each(|line| out.line(line));
        out.line("");
    }

    /// How the balance that was told last stands to the books.
    fn standing(&self, told: &Balance) -> String {
        let at = when(told.seen_at);
        let last = self.last.filter(|line| line.balance.money == told.money).map(|line| line.standing.word());
        match (last, self.opening.map(|line| line.balance.seen_at)) {
            (Some("opened"), _) => format!("{at}; the books go on from it"),
            (Some("agrees"), _) => format!("{at}; agrees with the books"),
            (Some("differs"), _) => format!("{at}; the difference is booked"),
            (Some("waits"), _) => format!("{at}; refunds that were claimed are not in it yet"),
            (_, Some(compared)) => format!("{at}, while orders were under way; last compared {}", when(compared)),
            (_, None) => at,
        }
    }
}

const NOT_COMPARABLE: &str = "no balance was told yet while nothing of ours could have moved it";

fn pages<'a>(view: &'a BooksView, account: Option<&str>) -> Vec<Page<'a>> {
    let mut names: Vec<(&str, Currency)> =
        view.ledger.sums.keys().map(|(account, currency)| (account.as_str(), *currency)).collect();
    names.extend(view.balances.iter().map(|(account, balance)| (account.as_str(), balance.money.currency)));
    names.sort_unstable();
    names.dedup();
    names.retain(|(name, _)| account.is_none_or(|wanted| wanted == *name));
    let page = |(account, currency): (&'a str, Currency)| {
        let of = |line: &&BalanceLine| line.account == account && line.balance.money.currency == currency;
        Page {
            account,
            currency,
            sums: view.ledger.of(account, currency),
            opening: view.openings.iter().find(of),
            told: view
                .balances
                .iter()
                .find(|(name, balance)| name == account && balance.money.currency == currency)
                .map(|(_, balance)| balance),
            last: view.lines.iter().rev().find(of),
            open: view
                .ledger
                .open
                .iter()
                .filter(|(_, entry)| entry.account == account && entry.money.currency == currency)
                .map(|(id, entry)| (*id, entry))
                .collect(),
        }
    };
    names.into_iter().map(page).collect()
}

/// `books`
///
/// # Errors
/// [`EngineError`] when the database cannot be read.
pub fn books(asked: &Books, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let account = asked.account.as_deref();
    let view = reader.books()?;
    if let Some(around) = &asked.around {
        return self::around(asked, around, &view, reader, out);
    }
    let entries = reader.entries(&EntryFilter { account: asked.account.clone(), ..EntryFilter::default() })?;
    let pages = pages(&view, account);
    if asked.json {
        let balances: Vec<Value> = view
            .balances
            .iter()
            .filter(|(name, _)| account.is_none_or(|wanted| wanted == name))
            .map(|(account, balance)| json!({"account": account, "balance": balance}))
            .collect();
        let accounts: Vec<Value> = pages.iter().map(Page::json).collect();
        let entries: Vec<Value> = entries.iter().map(entry_json).collect();
        let lines: Vec<&BalanceLine> =
            view.lines.iter().filter(|line| account.is_none_or(|wanted| wanted == line.account)).collect();
        out.json(&json!({"schema": 1, "accounts": accounts, "balances": balances, "balance_log": lines.iter().map(|line| line_json(line)).collect::<Vec<_>>(), "entries": entries}));
        return Ok(code::DONE);
    }
    if pages.is_empty() {
        out.say("nothing is booked yet");
        return Ok(code::DONE);
    }
    pages.iter().for_each(|page| page.print(out));
    let lines: Vec<Vec<String>> = entries.iter().map(entry_row).collect();
    table(&lines).into_iter().for_each(|line| out.line(line));
    for (id, entry) in pages.iter().flat_map(|page| &page.open) {
        let way = if entry.kind == EntryKind::Unexplained { "gone from" } else { "came to" };
        out.say(format_args!(
            "{id}: {} {way} {}, unexplained; `rushes books --around {id}` shows what happened, `rushes books classify {id}` says what it was",
            entry.money, entry.account
        ));
        for (job, text) in candidates(entry, reader)? {
            let class = if entry.kind == EntryKind::Unexplained { "charge" } else { "refund" };
            out.say(format_args!("{id}: it may be {job}, {text}: `rushes books classify {id} {class} --job {job}`"));
        }
    }
    Ok(code::DONE)
}

/// The jobs whose own money a difference may be: as much of the same account, in doubt.
fn candidates(entry: &Entry, reader: &Reader) -> Result<Vec<(JobId, &'static str)>, EngineError> {
    let gone = entry.kind == EntryKind::Unexplained;
    let states = vec![JobState::Failed];
    let filter = JobFilter { states, account: Some(entry.account.clone()), ..JobFilter::default() };
    let is_before = |job: &Job| job.finished_at.is_some_and(|end| end <= entry.at);
    let candidate = |job: Job| {
        let expected = job.estimate.map(|estimate| estimate.money);
        let is_lost = job.error.as_ref().is_some_and(|error| error.kind == ErrorKind::User);
        let text = match job.refund {
            Refund::Contradicted if !gone && job.cost == Some(entry.money) => "whose refund had not come in time",
            Refund::Claimed if gone => "whose refund was claimed and never seen",
            _ if gone && is_lost && job.cost.is_none() && expected == Some(entry.money) => "which was written off",
            _ => return None,
        };
        is_before(&job).then_some((job.id, text))
    };
    let mut found: Vec<_> = reader.jobs(&filter)?.into_iter().filter_map(candidate).collect();
    found.truncate(MOST_CANDIDATES);
    Ok(found)
}

fn entry_row(entry: &Entry) -> Vec<String> {
    let (from, to) = entry.kind.sides();
    let job = entry.job.map_or(String::new(), |id| id.to_string());
    let sides = format!("{from} > {to}");
    let (kind, money) = (entry.kind.word().to_owned(), entry.money.to_string());
    [when(entry.at), entry.account.clone(), job, kind, money, sides, clean(&entry.evidence, 80)].into()
}

fn entry_json(entry: &Entry) -> Value {
    let (from, to) = entry.kind.sides();
    let mut value = json!(entry);
    (value["from"], value["to"]) = (json!(from), json!(to));
    value
}

/// A line of the balance log without the key's fingerprint, which is nobody's business.
fn line_json(line: &BalanceLine) -> Value {
    json!({"account": line.account, "money": line.balance.money, "at": line.balance.seen_at,
           "source": line.balance.source, "expected": line.expected, "standing": line.standing})
}

/// Which span a difference or a time means, and whose.
fn span(
    around: &str,
    view: &BooksView,
    reader: &Reader,
) -> Result<Option<(Timestamp, Timestamp, Option<String>)>, EngineError> {
    if let Some(Ok(id)) = around.starts_with("u-").then(|| around.parse::<DifferenceId>()) {
        let entries = reader.entries(&EntryFilter::default())?;
        let is_it = |entry: &&Entry| {
            matches!(entry.kind, EntryKind::Unexplained | EntryKind::UnexplainedCredit)
                && entry.evidence.ends_with(&format!(":{id}"))
        };
        let Some(entry) = entries.iter().find(is_it) else { return Ok(None) };
        let before = |line: &&BalanceLine| {
            line.account == entry.account
                && line.balance.money.currency == entry.money.currency
                && line.capital.is_some()
                && line.balance.seen_at < entry.at
        };
        let since = view.lines.iter().rev().find(before).map_or(entry.at, |line| line.balance.seen_at);
        return Ok(Some((since - MARGIN, entry.at + MARGIN, Some(entry.account.clone()))));
    }
    Ok(time(around).map(|at| (at - AROUND, at + AROUND, None)))
}

/// A time as it is typed: whole, or of today; without a zone it is local.
fn time(text: &str) -> Option<Timestamp> {
    let here = |at: civil::DateTime| at.to_zoned(TimeZone::system()).ok().map(|at| at.timestamp());
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| here(text.parse::<civil::DateTime>().ok()?))
        .or_else(|| here(today.to_datetime(text.parse::<civil::Time>().ok()?)))
}

/// What happened around a difference or a time: events, balances and entries in one row.
fn around(asked: &Books, around: &str, view: &BooksView, reader: &Reader, out: &mut Out) -> Result<u8, EngineError> {
    let Some((since, until, account)) = span(around, view, reader)? else {
        if around.starts_with("u-") && around.parse::<DifferenceId>().is_ok() {
            out.say(format_args!("there is no difference {around}; `rushes books` names those there are"));
            return Ok(code::USAGE);
        }
        out.say(format_args!("`{around}` is no difference and no time; write u-3, 14:05 or 2026-11-20T14:05:00Z"));
        return Ok(code::USAGE);
    };
    let account = asked.account.clone().or(account);
    let mut rows: Vec<(Timestamp, &str, Value, Vec<String>)> = Vec::new();
    for line in reader.history_between(account.as_deref(), since, until)? {
        let job = line.job.map_or(String::new(), |id| id.to_string());
        let name = line.account.clone().unwrap_or_default();
        let told = [when(line.at), name, job, line.kind.clone(), clean(&line.text, 200)];
        rows.push((line.at, "event", json!(line), told.into()));
    }
    let filter = BalanceFilter { account: account.clone(), since: Some(since), until: Some(until), limit: None };
    for line in reader.balance_log(&filter)? {
        let expected = line.expected.map(|money| format!(", the books said {money}")).unwrap_or_default();
        let told =
            format!("{} told by {}{expected}: {}", line.balance.money, line.balance.source, line.standing.word());
        let row = [when(line.balance.seen_at), line.account.clone(), String::new(), "balance".to_owned(), told];
        rows.push((line.balance.seen_at, "balance", line_json(&line), row.into()));
    }
    let filter = EntryFilter { account, since: Some(since), ..EntryFilter::default() };
    for entry in reader.entries(&filter)?.iter().filter(|entry| entry.at <= until) {
        let (from, to) = entry.kind.sides();
        let told = format!("{} from {from} to {to}", entry.money);
        let job = entry.job.map_or(String::new(), |id| id.to_string());
        let row = [when(entry.at), entry.account.clone(), job, "booked".to_owned(), told];
        rows.push((entry.at, "entry", entry_json(entry), row.into()));
    }
    rows.sort_by_key(|row| row.0);
    if asked.json {
        let lines: Vec<Value> =
            rows.into_iter().map(|(at, what, value, _)| json!({"at": at, "what": what, what: value})).collect();
        out.json(&json!({"schema": 1, "since": since, "until": until, "lines": lines}));
        return Ok(code::DONE);
    }
    if rows.is_empty() {
        out.say(format_args!("nothing happened here between {} and {}", when(since), when(until)));
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(.., row)| row).collect();
    table(&rows).into_iter().for_each(|line| out.line(line));
    Ok(code::DONE)
}

/// An amount as a JSON number with all its digits, as in a job's record.
fn exact(amount: Decimal) -> Value {
    amount.to_string().parse().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_whole_or_of_today() {
        assert_eq!(time("2026-11-20T14:05:00Z"), "2026-11-20T14:05:00Z".parse().ok());
        assert!(time("2026-11-20 14:05").is_some() && time("14:05").is_some() && time("14:05:30").is_some());
        assert_eq!(time("u-3"), None);
    }
}
