//! The account's key kept out of everything that a service says.
//!
//! Knows every text that leaves an adapter, and the forms in which a key may come back. Must not know any wire.

use std::collections::HashSet;
use std::ops::{DerefMut, Range};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::address::same_origin;
use super::{
    Accepted, Evidence, FetchError, Finished, Grade, Intent, Order, PaidRequest, Provider, RemoteJob, RemoteState,
    Resume, ServiceError, Status, SubmitAnswer, Trace,
};
use crate::domain::sink::{ClipHead, ClipSink};
use crate::domain::text::is_hidden;
use crate::domain::{AccountProfile, ErrorKind, Model, Money, Problem, Service};

/// What stands in a key's place.
const MARK: &str = "[key]";
/// How much of a key in a row gives it away: its prefix alone is public.
const TELLING: usize = 12;
/// How many different characters such a part has at least.
const VARIED: usize = 6;
/// A key shorter than this is a word like any other.
const SHORTEST: usize = 8;

/// A text without a key or any run of it that is long enough to tell it, whether it is written plainly, in
/// other case or percent-encoded.
pub(super) fn hide(text: &str, key: &str) -> String {
    let key = key.trim().to_ascii_lowercase().into_bytes();
    let least = key.len().min(TELLING);
    if least < SHORTEST {
        return text.to_owned();
    }
    let letters = letters(text);
    let pairs: HashSet<[u8; 2]> = key.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at + least <= letters.len() {
        // Two letters that no key's part holds side by side end every run that reaches them.
        let last = at + least - 1;
        if !pairs.contains(&[letters[last - 1].0, letters[last].0]) {
            at = last;
            continue;
        }
        let run = longest_run(&letters[at..], &key);
        if run < least || (run < key.len() && is_plain(&letters[at..at + run])) {
            at += 1;
            continue;
        }
        out.push_str(&text[copied..letters[at].1.start]);
        out.push_str(MARK);
        copied = letters[at + run - 1].1.end;
        at += run;
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether a part of a key is too plain to tell it, such as a row of zeros.
fn is_plain(part: &[(u8, Range<usize>)]) -> bool {
    let mut known: Vec<u8> = part.iter().map(|(letter, _)| *letter).collect();
    known.sort_unstable();
    known.dedup();
    known.len() < VARIED
}

/// How many letters from the first on are a part of the key.
fn longest_run(letters: &[(u8, Range<usize>)], key: &[u8]) -> usize {
    let first = letters.first().map(|(letter, _)| *letter);
    let starts = key.iter().enumerate().filter(|(_, letter)| Some(**letter) == first).map(|(start, _)| &key[start..]);
    starts.map(|part| letters.iter().zip(part).take_while(|((a, _), b)| a == *b).count()).max().unwrap_or(0)
}

/// What is read in a text, in lower case, and where it is written. What does not show is passed over.
fn letters(text: &str) -> Vec<(u8, Range<usize>)> {
    let mut letters = Vec::new();
    let mut next = 0;
    for (at, c) in text.char_indices() {
        if at < next || is_hidden(c) {
            continue;
        }
        let (letter, len) = match encoded(&text.as_bytes()[at..]) {
            Some((letter, len)) if c == '%' => (letter, len),
            // No key holds anything beyond ASCII.
            _ => (u8::try_from(c).unwrap_or(0), c.len_utf8()),
        };
        next = at + len;
        letters.push((letter.to_ascii_lowercase(), at..next));
    }
    letters
}

/// The octet that `%2D` stands for, or `%252D`, and its length in the text.
fn encoded(bytes: &[u8]) -> Option<(u8, usize)> {
    let digit = |at: usize| bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut at = 1;
    while bytes[at..].starts_with(b"25") && digit(at + 2).is_some() && digit(at + 3).is_some() {
        at += 2;
    }
    let octet = digit(at)? * 16 + digit(at + 1)?;
    Some((u8::try_from(octet).ok()?, at + 2))
}

/// An adapter whose every answer is without its account's key.
pub(super) struct Veiled<P> {
    adapter: P,
    base_url: String,
    key: SecretString,
}

impl<P: Provider> Veiled<P> {
    pub(super) fn new(adapter: P, base_url: &str, key: SecretString) -> Self {
        Veiled { adapter, base_url: base_url.trim_end_matches('/').to_owned(), key }
    }

    fn hide(&self, text: &str) -> String {
        hide(text, self.key.expose_secret())
    }

    fn holds(&self, text: &str) -> bool {
        self.hide(text) != text
    }

    fn hide_each(&self, texts: Vec<String>) -> Vec<String> {
        texts.iter().map(|text| self.hide(text)).collect()
    }

    fn hide_any(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.hide(&text))
    }

    fn error(&self, error: ServiceError) -> ServiceError {
        ServiceError {
            message: self.hide(&error.message),
            field: self.hide_any(error.field),
            answer: self.hide_any(error.answer),
            ..error
        }
    }

    fn refuse(&self, text: &str) -> ServiceError {
        ServiceError::new(ErrorKind::Protocol, format!("{}: {text}", self.service().title()))
    }

    fn accepted(&self, accepted: Accepted) -> SubmitAnswer {
        if self.holds(&accepted.remote_id) {
            // An id without the key in it would be another order's.
            return SubmitAnswer::Unknown(self.refuse(
                "its answer holds the account's key where the order's id belongs, so the order cannot be asked about",
            ));
        }
        let (phase, request_id) = (self.hide_any(accepted.phase), self.hide_any(accepted.request_id));
        SubmitAnswer::Accepted(Accepted { phase, request_id, ..accepted })
    }

    /// A link as the service gave it: the key goes back into it where it belongs to the account's own origin.
    fn link(&self, link: &str, origin: &str) -> String {
        let whole = link.replace(MARK, self.key.expose_secret().trim());
        match (Url::parse(&whole), Url::parse(origin)) {
            (Ok(url), Ok(origin)) if same_origin(&url, &origin) => whole,
            _ => link.to_owned(),
        }
    }

    fn sink<S>(&self, sink: S) -> Quiet<S> {
        Quiet { sink, key: self.key.clone() }
    }
}

#[async_trait]
impl<P: Provider> Provider for Veiled<P> {
    fn service(&self) -> Service {
        self.adapter.service()
    }

    async fn probe(&self) -> Result<AccountProfile, ServiceError> {
        let profile = self.adapter.probe().await.map_err(|error| self.error(error))?;
        if self.holds(&profile.origin) && profile.origin != self.base_url {
            return Err(
                self.refuse("its host redirects to an address that holds the account's key; check the base URL")
            );
        }
        let (generation, plan) = (self.hide_any(profile.generation), self.hide_any(profile.plan));
        Ok(AccountProfile { generation, plan, ..profile })
    }

    fn prepare(&self, order: &Order<'_>, profile: &AccountProfile) -> Result<PaidRequest, Vec<Problem>> {
        self.adapter.prepare(order, profile)
    }

    async fn submit(&self, request: PaidRequest, trace: &Trace, sink: Box<dyn ClipSink>) -> SubmitAnswer {
        match self.adapter.submit(request, trace, Box::new(self.sink(sink))).await {
            SubmitAnswer::Accepted(accepted) => self.accepted(accepted),
            SubmitAnswer::Finished(Finished { clips, links, revised_prompt }) => SubmitAnswer::Finished(Finished {
                clips,
                links: self.hide_each(links),
                revised_prompt: self.hide_any(revised_prompt),
            }),
            SubmitAnswer::Refused(error) => SubmitAnswer::Refused(self.error(error)),
            SubmitAnswer::NotSent(error) => SubmitAnswer::NotSent(self.error(error)),
            SubmitAnswer::Unknown(error) => SubmitAnswer::Unknown(self.error(error)),
        }
    }

    async fn poll(&self, job: &RemoteJob, profile: &AccountProfile) -> Result<Status, ServiceError> {
        let status = self.adapter.poll(job, profile).await.map_err(|error| self.error(error))?;
        let state = match status.state {
            RemoteState::Working => RemoteState::Working,
            RemoteState::Finished { links } => RemoteState::Finished { links: self.hide_each(links) },
            RemoteState::Failed { mut error, refunded } => {
                error.message = self.hide(&error.message);
                error.answer = self.hide_any(error.answer);
                RemoteState::Failed { error, refunded }
            }
        };
        Ok(Status { word: self.hide(&status.word), state, ..status })
    }

    async fn balance(&self, profile: &AccountProfile) -> Result<Vec<Money>, ServiceError> {
        self.adapter.balance(profile).await.map_err(|error| self.error(error))
    }

    async fn discover(&self, profile: &AccountProfile) -> Result<Vec<Model>, ServiceError> {
        let models = self.adapter.discover(profile).await.map_err(|error| self.error(error))?;
        // What such a model is called or takes is not known, so it cannot be offered.
        Ok(models.into_iter().filter(|model| !self.holds(&format!("{model:?}"))).collect())
    }

    async fn find(&self, intent: &Intent, profile: &AccountProfile) -> Result<Evidence, ServiceError> {
        let evidence = self.adapter.find(intent, profile).await.map_err(|error| self.error(error))?;
        let text = self.hide(&evidence.text);
        if evidence.remote_id.as_deref().is_some_and(|id| self.holds(id)) {
            let text = format!("{text}; its id holds the account's key, so it is none that can be asked about");
            return Ok(Evidence { grade: Grade::Open, remote_id: None, charged: evidence.charged, text });
        }
        Ok(Evidence { text, ..evidence })
    }

    fn repeatable(&self, profile: &AccountProfile) -> Option<Duration> {
        self.adapter.repeatable(profile)
    }

    async fn fetch(
        &self,
        link: &str,
        resume: Option<&Resume>,
        profile: &AccountProfile,
        sink: &mut dyn ClipSink,
    ) -> Result<(), FetchError> {
        let link = self.link(link, &profile.origin);
        let fetched = self.adapter.fetch(&link, resume, profile, &mut self.sink(sink)).await;
        fetched.map_err(|error| match error {
            FetchError::Service(error) => FetchError::Service(self.error(error)),
            FetchError::NotAClip(text) => FetchError::NotAClip(self.hide(&text)),
            FetchError::Disk(error) => FetchError::Disk(error),
        })
    }
}

/// A sink that is told nothing of the key either: a validator is kept beside its job.
struct Quiet<S> {
    sink: S,
    key: SecretString,
}

impl<S> ClipSink for Quiet<S>
where
    S: DerefMut + Send,
    S::Target: ClipSink,
{
    fn begin(&mut self, head: &ClipHead) -> std::io::Result<()> {
        let key = self.key.expose_secret();
        let content_type = head.content_type.as_deref().map(|text| hide(text, key));
        let etag = head.etag.clone().filter(|etag| hide(etag, key) == *etag);
        self.sink.begin(&ClipHead { content_type, etag, ..head.clone() })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sink.write(bytes)
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.sink.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hidden_whole_and_in_part_in_any_case_and_encoded() {
        let key = "ddc-a4f-0123456789abcdef";
        for (text, shown) in [
            ("the key ddc-a4f-0123456789abcdef is wrong", "the key [key] is wrong"),
            ("{\"k\":\"ddc-a4f-0123456…", "{\"k\":\"[key]…"),
            ("ddc-a4f-0123456789abcdef and ddc-a4f-01234", "[key] and [key]"),
            ("keys start with ddc-a4f-", "keys start with ddc-a4f-"),
            ("DDC-A4F-0123456789ABCDEF", "[key]"),
            ("ends in 456789abcdef!", "ends in [key]!"),
            ("?k=ddc%2Da4f%2d0123456789abcd%65f&x=1", "?k=[key]&x=1"),
            ("?k=ddc%252Da4f%25252D0123456789abcdef", "?k=[key]"),
            ("ddc-a4f-\u{200b}0123456789\u{0}abcdef", "[key]"),
            ("100 % of ü, 5%, %2, %", "100 % of ü, 5%, %2, %"),
            ("", ""),
        ] {
            assert_eq!(hide(text, key), shown);
        }
        assert_eq!(hide("a short one", "short"), "a short one");
        assert_eq!(hide("nothing", ""), "nothing");
        let zeros = "sk-nano-00000000-0000-4000-8000-000000000000";
        assert_eq!(hide("00000000-0000-4000-8000-000000000007", zeros), "00000000-0000-4000-8000-000000000007");
        assert_eq!(hide(zeros, zeros), "[key]");
        assert_eq!(hide("is KEY-4711 wrong?", "key-4711"), "is [key] wrong?");
    }

    #[test]
    fn a_telling_part_of_a_key_is_hidden_wherever_it_begins_in_a_text() {
        let key = "ddc-a4f-0123456789abcdef";
        for from in 0..=key.len() - TELLING {
            for before in 0..3 * TELLING {
                let (part, before) = (&key[from..from + TELLING], ".".repeat(before));
                assert_eq!(hide(&format!("{before}{part}!"), key), format!("{before}[key]!"));
            }
        }
    }
}
