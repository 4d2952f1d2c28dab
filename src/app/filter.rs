//! What narrows the table: words, `key:value` terms, and how what is left is sorted and grouped.
//!
//! Knows how a row is matched, given what lies beyond the row. Must not know the table.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::fuzzy;
use super::order::{Group, Sort};
use crate::domain::{JobId, JobRow, JobState};

/// What a row alone does not say of itself.
#[derive(Clone, Debug, Default)]
pub struct Lens {
    /// The last midnight in the user's zone.
    pub midnight: Timestamp,
    /// When the filter was set.
    pub now: Timestamp,
    /// The accounts that are paused.
    pub paused: BTreeSet<String>,
    /// The newest job that is another try of a job, or goes on from it.
    pub retried: HashMap<JobId, JobId>,
}

impl Lens {
    /// Whether the row waits for the user's decision, whatever its account does.
    pub fn waits(&self, row: &JobRow) -> bool {
        !row.abandoned
            && match row.state {
                JobState::Unconfirmed => true,
                JobState::Held => !row.is_held_by_user(),
                JobState::Failed => !self.retried.contains_key(&row.id),
                _ => row.late,
            }
    }

    /// Whether the user can do something for the row: it waits for a word, or its account does.
    pub fn needs_user(&self, row: &JobRow) -> bool {
        self.waits(row) || (row.state == JobState::Queued && self.paused.contains(&row.account))
    }
}

/// A filter, read from what was typed. All terms must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
    sort: Option<Sort>,
    group: Option<Group>,
    problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    wanted: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Word(String),
    Phrase(String),
    State(String),
    Model(String),
    Account(String),
    Tag(String),
    Batch(String),
    Cost(bool, Decimal),
    Today,
    Since(SignedDuration),
    Late,
    Needy,
    Active,
    Paused,
    Abandoned,
}

/// The words after `is:`.
const IS: [&str; 5] = ["late", "needy", "active", "paused", "abandoned"];
/// The words before a colon that are terms.
const KEYS: [&str; 9] = ["state", "model", "account", "tag", "batch", "is", "since", "sort", "group"];

impl Filter {
    /// Reads what was typed: terms between blanks, `"..."` for words in a row, `-` before a term excludes.
    /// What is no term is searched for as it stands; what is wrong with a term is kept for the screen.
    pub fn parse(text: &str) -> Self {
        let mut filter = Filter { text: text.to_owned(), ..Filter::default() };
        for (piece, quoted) in pieces(text) {
            if let Err(problem) = filter.take(&piece, quoted) {
                filter.problem.get_or_insert(problem);
            }
        }
        filter
    }

    /// The same for a text that is kept: a wrong term is refused.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn strict(text: &str) -> Result<Self, String> {
        let filter = Filter::parse(text);
        let odd = |word: &&String| {
            let (key, value) = word.split_once(':')?;
            let is_word = key.len() > 1 && key.bytes().all(|b| b.is_ascii_lowercase()) && !value.starts_with("//");
            is_word.then(|| key.to_owned())
        };
        let words = filter.terms.iter().filter_map(|term| match &term.what {
            What::Word(word) => Some(word),
            _ => None,
        });
        if let Some(key) = words.filter_map(|word| odd(&word)).next() {
            return Err(format!("`{key}:` is no term; there is {}:", KEYS.join(":, ")));
        }
        match &filter.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(filter),
        }
    }

    fn take(&mut self, piece: &str, quoted: bool) -> Result<(), String> {
        let (wanted, term) = piece.strip_prefix('-').map_or((true, piece), |rest| (false, rest));
        let lower = term.to_lowercase();
        if lower.is_empty() {
            return Ok(());
        }
        let what = if quoted {
            What::Phrase(lower)
        } else {
            match lower.split_once(':') {
                Some(("sort", column)) => {
                    self.sort = Some(Sort::parse(column)?);
                    return Ok(());
                }
                Some(("group", by)) => {
                    self.group = Some(Group::parse(by)?);
                    return Ok(());
                }
                _ => what(&lower)?,
            }
        };
        self.terms.push(Term { wanted, what });
        Ok(())
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// How it sorts, where it says so.
    pub fn sort(&self) -> Option<Sort> {
        self.sort
    }

    /// How it groups, where it says so.
    pub fn group(&self) -> Option<Group> {
        self.group
    }

    /// Whether it lets everything pass (but abandoned jobs).
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it asks which accounts are paused.
    pub fn asks_for_accounts(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.what, What::Needy | What::Paused))
    }

    /// Whether it asks what happened today.
    pub fn asks_for_today(&self) -> bool {
        self.terms.iter().any(|term| term.what == What::Today)
    }

    /// Whether the row is shown. Abandoned jobs are shown only where `is:abandoned` asks for them.
    pub fn shows(&self, row: &JobRow, lens: &Lens) -> bool {
        if self.problem.is_some() {
            return false;
        }
        let asked = || self.terms.iter().any(|term| term.what == What::Abandoned);
        (!row.abandoned || asked()) && self.terms.iter().all(|term| term.matches(row, lens))
    }

    /// Whether everything this shows, `other` shows too, judged by the terms alone.
    pub fn narrows(&self, other: &Filter) -> bool {
        let abandoned = |f: &Filter| f.terms.iter().any(|t| t.what == What::Abandoned);
        if other.problem.is_some() || abandoned(self) != abandoned(other) || self.terms.len() < other.terms.len() {
            return false;
        }
        let Some((last, before)) = other.terms.split_last() else { return true };
        let (same, rest) = self.terms.split_at(before.len());
        let longer = match (&rest.first().map(|term| &term.what), &last.what) {
            (Some(What::Word(new)), What::Word(old)) => last.wanted && rest[0].wanted && fuzzy::narrows(new, old),
            _ => false,
        };
        same == before && (longer || rest.first() == Some(last))
    }
}

/// The pieces between blanks; what stands in quotes is one piece, a dash before them kept.
fn pieces(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (dash, body) = rest.strip_prefix('-').map_or(("", rest), |body| ("-", body));
        let (piece, quoted, after) = match body.strip_prefix('"') {
            Some(body) => {
                let (inside, after) = body.split_once('"').unwrap_or((body, ""));
                (inside, true, after)
            }
            None => {
                let (word, after) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
                (word, false, after)
            }
        };
        out.push((format!("{dash}{piece}"), quoted));
        rest = after.trim_start();
    }
    out
}

/// One term, in lower case.
fn what(lower: &str) -> Result<What, String> {
    for (sign, more) in [('>', true), ('<', false)] {
        if let Some(amount) = lower.strip_prefix("cost").and_then(|rest| rest.strip_prefix(sign)) {
            let amount = amount.trim_start_matches('$');
            let amount = if amount.is_empty() { "0" } else { amount };
            let amount = amount.parse().map_err(|_| format!("`{lower}`: write an amount, as cost{sign}2.50"))?;
            return Ok(What::Cost(more, amount));
        }
    }
    Ok(match lower.split_once(':') {
        Some(("state", word)) => {
            let known = |state: &JobState| finds_state(*state, word);
            if !word.is_empty() && !JobState::ALL.iter().any(known) {
                let words: Vec<&str> = JobState::ALL.iter().map(|state| state.word()).collect();
                return Err(format!("`{word}` is no state; there is {}", words.join(", ")));
            }
            What::State(word.to_owned())
        }
        Some(("model", word)) => What::Model(word.to_owned()),
        Some(("account", word)) => What::Account(word.to_owned()),
        Some(("tag", word)) => What::Tag(word.to_owned()),
        Some(("batch", word)) => What::Batch(word.to_owned()),
        Some(("since", span)) => What::Since(since(span)?),
        Some(("is", "late")) => What::Late,
        Some(("is", "needy")) => What::Needy,
        Some(("is", "active")) => What::Active,
        Some(("is", "paused")) => What::Paused,
        Some(("is", "abandoned")) => What::Abandoned,
        // While it is typed, it shows everything.
        Some(("is", word)) if IS.iter().any(|known| known.starts_with(word)) => What::Phrase(String::new()),
        Some(("is", word)) => return Err(format!("`is:{word}` is no term; there is is:{}", IS.join(", is:"))),
        None if lower == "today" => What::Today,
        _ => What::Word(lower.to_owned()),
    })
}

/// `30m`, `2h`, `7d`.
fn since(span: &str) -> Result<SignedDuration, String> {
    if span.bytes().all(|b| b.is_ascii_digit()) {
        // Still being typed.
        return Ok(SignedDuration::from_hours(24 * 365 * 100));
    }
    let (number, unit) = span.split_at(span.len() - span.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let number = number.parse::<i64>().ok().filter(|n| (0..=36_500).contains(n) && seconds > 0);
    let number = number.ok_or_else(|| format!("`since:{span}`: write since:30m, since:2h or since:7d"))?;
    Ok(SignedDuration::from_secs(number * seconds))
}

impl Term {
    fn matches(&self, row: &JobRow, lens: &Lens) -> bool {
        let holds = match &self.what {
            What::Word(word) => {
                fuzzy::finds(&row.prompt, word)
                    || fuzzy::contains(&row.model, word)
                    || fuzzy::contains(&row.account, word)
                    || row.note.as_deref().is_some_and(|note| fuzzy::contains(note, word))
                    || row.tags.iter().any(|tag| fuzzy::contains(tag, word))
                    || (word.starts_with("j-") && row.id.to_string() == *word)
            }
            What::Phrase(words) => fuzzy::contains(&row.prompt, words),
            // `state:fail` and the table's own short words find the state, too.
            What::State(word) => word.is_empty() || finds_state(row.state, word),
            What::Model(word) => fuzzy::contains(&row.model, word),
            What::Account(word) => fuzzy::contains(&row.account, word),
            What::Tag(word) => row.tags.iter().any(|tag| fuzzy::contains(tag, word)),
            What::Batch(word) => row.batch.map_or(word == "none", |batch| batch.to_string() == *word),
            What::Cost(more, amount) => row.cost.or(row.estimate).is_some_and(|money| match more {
                true => money.amount > *amount,
                false => money.amount < *amount,
            }),
            What::Today => last(row) >= lens.midnight,
            What::Since(span) => lens.now.duration_since(last(row)) <= *span,
            What::Late => row.late,
            What::Needy => lens.needs_user(row),
            What::Active => !row.state.is_final(),
            What::Paused => row.state == JobState::Queued && lens.paused.contains(&row.account),
            What::Abandoned => row.abandoned,
        };
        holds == self.wanted
    }
}

fn finds_state(state: JobState, word: &str) -> bool {
    state.word().starts_with(word) || short_word(state) == word
}

/// When something happened to it last that a day is asked for: its end, else its order, else that it was queued.
pub fn last(row: &JobRow) -> Timestamp {
    row.finished_at.or(row.submitted_at).unwrap_or(row.created_at)
}

/// The state as the table writes it, readable without colour.
pub fn short_word(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queue",
        JobState::Held => "held",
        JobState::Submitting => "send",
        JobState::Running => "run",
        JobState::Downloading => "fetch",
        JobState::Done => "done",
        JobState::Failed => "fail",
        JobState::Cancelled => "cancel",
        JobState::Unconfirmed => "lost?",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Job, Request};

    pub(crate) fn row(id: i64, state: JobState, prompt: &str) -> JobRow {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), prompt);
        let mut row = Job::new(JobId(id), request, Timestamp::UNIX_EPOCH).row();
        row.state = state;
        row
    }

    #[test]
    fn terms_narrow_together_and_a_dash_excludes() {
        let mut job = row(7, JobState::Failed, "Größe eines Drachen at the golden hour");
        job.tags = vec!["Night".into()];
        job.estimate = Some(crate::domain::Money::usd("2.50".parse().unwrap()));
        for (text, shown) in [
            ("", true),
            ("drachen", true),
            ("drchn", true),
            ("GRÖSSE", false),
            ("größe state:failed", true),
            ("state:fail", true),
            ("state:done", false),
            ("state:zzz", false),
            ("-state:done veo", true),
            ("tag:night", true),
            ("j-7", true),
            ("is:late", false),
            ("is:needy", true),
            ("is:active", false),
            ("-drachen", false),
            ("-", true),
            ("\"golden hour\"", true),
            ("\"hour golden\"", false),
            ("-\"golden hour\"", false),
            ("hour golden", true),
            ("cost>2", true),
            ("cost>2.50", false),
            ("cost<$3 sort:cost", true),
            ("today", false),
        ] {
            assert_eq!(Filter::parse(text).shows(&job, &lens()), shown, "{text}");
        }
        job.finished_at = Some(lens().midnight);
        assert!(Filter::parse("today since:2h").shows(&job, &lens()));
        assert!(!Filter::parse("since:30m").shows(&job, &lens()));
    }

    fn lens() -> Lens {
        let midnight = Timestamp::from_second(86_400 * 20).unwrap();
        Lens { midnight, now: midnight + SignedDuration::from_hours(1), ..Lens::default() }
    }

    #[test]
    fn an_abandoned_job_is_seen_only_when_asked_for() {
        let mut job = row(1, JobState::Running, "x");
        job.abandoned = true;
        assert!(!Filter::parse("x").shows(&job, &lens()));
        assert!(Filter::parse("is:abandoned").shows(&job, &lens()));
    }

    #[test]
    fn what_is_kept_is_refused_where_a_term_is_wrong() {
        for (text, why) in [
            ("stat:failed", "`stat:` is no term"),
            ("state:fialed", "`fialed` is no state; there is queued,"),
            ("is:latish", "`is:latish` is no term"),
            ("since:soon", "write since:30m"),
            ("sort:colour", "`colour` is no column"),
            ("group:day", "`day` is no group"),
            ("cost>much", "write an amount"),
        ] {
            let refused = Filter::strict(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        for text in ["state:failed today", "16:9 neon", "https://x.example/a", "tag:night sort:-cost group:batch"] {
            assert!(Filter::strict(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn narrower_is_said_only_where_it_is_so() {
        let rows: Vec<JobRow> = ["a camera pans", "Camel rides", "cma", "a red car", "nothing"]
            .iter()
            .enumerate()
            .map(|(i, prompt)| row(i as i64, JobState::ALL[i], prompt))
            .collect();
        let texts =
            ["", "c", "ca", "cam", "came", "camr", "-c", "-ca", "c state:q", "ca is:active", "\"a c\"", "\"a ca\""];
        for a in texts {
            for b in texts {
                let (a, b) = (Filter::parse(a), Filter::parse(b));
                if a.narrows(&b) {
                    let wrong = rows.iter().find(|r| a.shows(r, &lens()) && !b.shows(r, &lens()));
                    assert!(wrong.is_none(), "`{}` does not narrow `{}`: {wrong:?}", a.text(), b.text());
                }
            }
        }
        assert!(Filter::parse("came").narrows(&Filter::parse("cam")));
    }
}
