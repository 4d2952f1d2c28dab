//! What narrows the table: words, and `key:value` terms.
//!
//! Knows how a row is matched. Must not know the table.

use crate::domain::{JobRow, JobState};

/// A filter, read from what was typed. All terms must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    wanted: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Word(String),
    State(String),
    Model(String),
    Account(String),
    Tag(String),
    Batch(String),
    Late,
    Needy,
    Abandoned,
}

impl Filter {
    /// Reads what was typed: terms between blanks; `-` before one excludes.
    pub fn parse(text: &str) -> Self {
        let terms = text.split_whitespace().filter(|term| *term != "-").map(Term::parse).collect();
        Filter { text: text.to_owned(), terms }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything pass (but abandoned jobs).
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the row is shown. Abandoned jobs are shown only where `is:abandoned` asks for them.
    pub fn shows(&self, row: &JobRow) -> bool {
        let asked = self.terms.iter().any(|term| term.what == What::Abandoned);
        (asked || !row.abandoned) && self.terms.iter().all(|term| term.matches(row))
    }

    /// Whether everything this shows, `other` shows too, judged by the text alone.
    pub fn narrows(&self, other: &Filter) -> bool {
        let abandoned = |f: &Filter| f.terms.iter().any(|t| t.what == What::Abandoned);
        self.text.starts_with(&other.text)
            && abandoned(self) == abandoned(other)
            && self.terms.iter().all(|term| term.wanted && matches!(term.what, What::Word(_)))
    }
}

impl Term {
    fn parse(term: &str) -> Self {
        let (wanted, term) = term.strip_prefix('-').map_or((true, term), |rest| (false, rest));
        let lower = term.to_lowercase();
        let what = match lower.split_once(':') {
            Some(("state", word)) => What::State(word.to_owned()),
            Some(("model", word)) => What::Model(word.to_owned()),
            Some(("account", word)) => What::Account(word.to_owned()),
            Some(("tag", word)) => What::Tag(word.to_owned()),
            Some(("batch", word)) => What::Batch(word.to_owned()),
            Some(("is", "late")) => What::Late,
            Some(("is", "needy")) => What::Needy,
            Some(("is", "abandoned")) => What::Abandoned,
            _ => What::Word(lower),
        };
        Term { wanted, what }
    }

    fn matches(&self, row: &JobRow) -> bool {
        let holds = match &self.what {
            What::Word(word) => {
                contains(&row.prompt, word)
                    || contains(&row.model, word)
                    || contains(&row.account, word)
                    || row.note.as_deref().is_some_and(|note| contains(note, word))
                    || row.tags.iter().any(|tag| contains(tag, word))
                    || row.id.to_string() == *word
            }
            // `state:fail` and the table's own short words find the state, too.
            What::State(word) => {
                !word.is_empty() && (row.state.word().starts_with(word.as_str()) || short_word(row.state) == word)
            }
            What::Model(word) => contains(&row.model, word),
            What::Account(word) => contains(&row.account, word),
            What::Tag(word) => row.tags.iter().any(|tag| tag.to_lowercase() == *word),
            What::Batch(word) => row.batch.is_some_and(|batch| batch.to_string() == *word),
            What::Late => row.late,
            What::Needy => is_needy(row.state),
            What::Abandoned => row.abandoned,
        };
        holds == self.wanted
    }
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

/// Whether a job in this state waits for the user.
pub fn is_needy(state: JobState) -> bool {
    matches!(state, JobState::Held | JobState::Unconfirmed)
}

/// Case-blind search without allocating where both are ASCII; `needle` is lower-case.
fn contains(hay: &str, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    if needle.is_ascii() {
        let (hay, needle) = (hay.as_bytes(), needle.as_bytes());
        return hay.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle));
    }
    hay.to_lowercase().contains(needle)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Job, JobId, Request};
    use jiff::Timestamp;

    pub(crate) fn row(id: i64, state: JobState, prompt: &str) -> JobRow {
        let request = Request::new(&"ninjachat/veo-3.1".parse().unwrap(), prompt);
        let mut row = Job::new(JobId(id), request, Timestamp::UNIX_EPOCH).row();
        row.state = state;
        row
    }

    #[test]
    fn terms_narrow_together_and_a_dash_excludes() {
        let mut job = row(7, JobState::Failed, "Größe eines Drachen");
        job.tags = vec!["Night".into()];
        for (text, shown) in [
            ("", true),
            ("drachen", true),
            ("GRÖSSE", false),
            ("größe state:failed", true),
            ("state:fail", true),
            ("state:done", false),
            ("-state:done veo", true),
            ("tag:night", true),
            ("j-7", true),
            ("is:late", false),
            ("-drachen", false),
            ("-", true),
        ] {
            assert_eq!(Filter::parse(text).shows(&job), shown, "{text}");
        }
    }

    #[test]
    fn an_abandoned_job_is_seen_only_when_asked_for() {
        let mut job = row(1, JobState::Running, "x");
        job.abandoned = true;
        assert!(!Filter::parse("x").shows(&job));
        assert!(Filter::parse("is:abandoned").shows(&job));
    }
}
