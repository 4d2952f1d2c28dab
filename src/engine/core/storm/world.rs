//! The world of the storm: a disk that keeps what is committed and holds it to its rules, and
//! services that answer anything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use rust_decimal::Decimal;

use super::super::*;
use super::Storm;
use crate::catalog::Catalog;
use crate::domain::books::{Entry, Ledger, Sums};
use crate::domain::{
    AccountProfile, ClipFile, Currency, EntryKind, ErrorKind, FileKind, JobError, Model, Money, Problem, Service,
};
use crate::provider::limits::Limits;
use crate::provider::{Accepted, FetchError, Finished, RemoteState, ServiceError, Status, SubmitAnswer};
use crate::store::{Known, Loaded, StoredAccount, content_hash};

/// What is committed. Panics where the real one would refuse a commit for good.
#[derive(Default)]
pub(super) struct Disk {
    pub jobs: BTreeMap<JobId, Job>,
    active: BTreeMap<JobId, ()>,
    pub ledger: Ledger,
    /// What final jobs have reserved (nothing, that is) and cost.
    pub of_finals: BTreeMap<(String, Currency), (Decimal, Decimal)>,
    entries: Vec<Entry>,
    evidence: HashSet<String>,
    names: HashMap<String, JobId>,
    /// Names claimed since the program started: an order may have been built before that.
    pub claimed_now: HashSet<String>,
    intents: HashSet<(JobId, u32)>,
    keys: HashMap<String, Known>,
    /// Dollars a day.
    pub cap: Decimal,
    accounts: BTreeMap<String, StoredAccount>,
}

impl Disk {
    /// An empty disk, and a cap of so many dollars a day.
    pub(super) fn capped_at(dollars: i64) -> Disk {
        Disk { cap: dollars.into(), ..Disk::default() }
    }

    /// Keeps a step's changes; says whether dollars were set aside.
    pub(super) fn commit(&mut self, changes: Vec<Change>) -> bool {
        let mut reserved = false;
        for change in changes {
            match change {
                Change::PutJob(job) => self.put(*job),
                Change::Book(entry) => {
                    assert!(!entry.money.amount.is_sign_negative(), "{entry:?}");
                    assert!(self.evidence.insert(entry.evidence.clone()), "booked before: {entry:?}");
                    reserved |= entry.kind == EntryKind::Reserved && entry.money.currency == Currency::Usd;
                    self.ledger.add(&entry);
                    self.entries.push(entry);
                }
                Change::ClaimName { job, path, .. } => {
                    self.claimed_now.insert(path.clone());
                    let owner = *self.names.entry(path.clone()).or_insert(job);
                    assert_eq!(owner, job, "{path} is claimed by another job");
                }
                Change::PutIntent { job, attempt, .. } => {
                    assert!(self.intents.insert((job, attempt)), "attempt {attempt} of {job} is there already");
                }
                Change::AnswerIntent { job, attempt, .. } => assert!(self.intents.contains(&(job, attempt))),
                Change::PutAccount(account) => {
                    self.accounts.insert(account.name.clone(), account);
                }
                _ => {}
            }
        }
        reserved
    }

    fn put(&mut self, job: Job) {
        let before = self.jobs.get(&job.id);
        if let Some(before) = before {
            assert!(!before.state.is_final() || before.state == job.state, "{} left {}", job.id, before.state);
            let left_alone = before.state != JobState::Unconfirmed || job.state == JobState::Unconfirmed;
            assert!(left_alone, "{} left unconfirmed by itself", job.id);
        } else if let Some(key) = &job.key {
            let known = Known { job: job.id, content: content_hash(&job.request) };
            assert!(self.keys.insert(key.clone(), known).is_none(), "{key} is there already");
        }
        if let Some(before) = before.filter(|before| before.state.is_final() && before.cost != job.cost) {
            // A claimed refund that did not come.
            let (was, is) = (before.cost.expect("it was paid for"), job.cost.expect("it is paid for"));
            self.of_finals.entry((job.request.account.clone(), is.currency)).or_default().1 += is.amount - was.amount;
        }
        if job.state.is_final() {
            assert_eq!(job.reserved, None, "{} is over and has something set aside", job.id);
            assert!(job.state != JobState::Done || !job.files.is_empty());
            if let (Some(cost), Some(())) = (job.cost, self.active.remove(&job.id)) {
                self.of_finals.entry((job.request.account.clone(), cost.currency)).or_default().1 += cost.amount;
            }
            self.active.remove(&job.id);
        } else {
            self.active.insert(job.id, ());
        }
        self.jobs.insert(job.id, job);
    }

    /// The jobs that are not final.
    pub(super) fn active(&self) -> impl Iterator<Item = &Job> {
        self.active.keys().map(|id| &self.jobs[id])
    }

    pub(super) fn known(&self) -> HashMap<String, Known> {
        self.keys.clone()
    }

    /// An order may leave only after its intent and its reservation are kept.
    pub(super) fn check_intent(&self, id: JobId) {
        let job = &self.jobs[&id];
        assert_eq!(job.state, JobState::Submitting, "{id} is sent before that is kept");
        assert!(self.intents.contains(&(id, job.attempts)), "{id} is sent without an intent");
        assert!(self.evidence.contains(&format!("reserved:{id}:{}", job.attempts)), "nothing is set aside for {id}");
    }

    /// What was spent on the day of a time.
    pub(super) fn spent_on(&self, now: Timestamp, currency: Currency) -> Decimal {
        let day = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let today = self.entries.iter().rev().take_while(|entry| day(entry.at) == day(now));
        let mut sums = Sums::default();
        for entry in today.filter(|entry| entry.money.currency == currency) {
            sums.add(entry.kind, entry.money.amount);
        }
        sums.spent()
    }

    fn loaded(&self, now: Timestamp) -> Loaded {
        Loaded {
            active: self.active().cloned().collect(),
            next_job: self.jobs.keys().last().map_or(1, |id| id.0 + 1),
            ledger: self.ledger.clone(),
            recent: self.entries.clone(),
            accounts: self.accounts.values().cloned().collect(),
            last_seen: Some(now),
            ..Loaded::default()
        }
    }
}

fn model(id: &str, service: &str, price: &str) -> Model {
    let text = format!(
        "id = \"{id}\"\nservice = \"{service}\"\nprompt_max = 4000\nsource = \"000\"\nprice = {{ shape = {price}, as_of = \"2026-08-21\", source = \"000\" }}"
    );
    toml::from_str(&text).unwrap()
}

/// A start of the program from what is on disk.
pub(super) fn core_at(now: Timestamp, disk: &Disk, other_key: bool) -> (Core, Step) {
    let account = |name: &str, service, place, submits| {
        let limits = Limits { submits_per_minute: submits, calls_per_second: Some(10), ..Limits::default() };
        let mut account = Account::new(name.into(), service, place, limits);
        account.origin = format!("https://{name}.example");
        account.fingerprint = "f".into();
        account.max_in_flight = 3;
        account
    };
    let mut accounts = vec![account("n", Service::Ninjachat, 0, None), account("a", Service::A4f, 1, Some(3))];
    if other_key {
        accounts[0].fingerprint = "g".into();
    }
    let settings = CoreSettings {
        caps: Caps { day: Some(Money::usd(disk.cap)), ..Caps::default() },
        model_caps: BTreeMap::new(),
        zone: jiff::tz::TimeZone::UTC,
        simulated: false,
        online: true,
        salt: vec![7; 32],
    };
    thread_local! {
        static MODELS: Vec<Model> = vec![
            model("veo", "ninjachat", r#"{ per_clip = { amount = "3.00" } }"#),
            model("odd", "ninjachat", "{ unknown = {} }"),
            model("kling", "a4f", "{ plan = {} }"),
        ];
    }
    MODELS.with(|models| Core::start(settings, accounts, Catalog::made_of(models.clone()), disk.loaded(now), now))
}

fn error(kind: ErrorKind) -> ServiceError {
    ServiceError::new(kind, "words")
}

impl Storm {
    fn trouble(&mut self) -> ServiceError {
        use ErrorKind::{Authentication, Balance, Protocol, RateLimit, Unavailable};
        let mut error = error(self.pick(&[Authentication, Balance, RateLimit, RateLimit, Unavailable, Protocol]));
        error.retry_after = self.pick(&[None, Some(Duration::from_secs(2)), Some(Duration::from_secs(4000))]);
        error
    }

    fn cost(&mut self) -> Option<Money> {
        let text =
            self.pick(&["", "", "3.00", "3.00", "2.40", "4.10", "0", "0.5 XNO", "-7", "79228162514264337593543950335"]);
        let (amount, currency) = match text.strip_suffix(" XNO") {
            Some(amount) => (amount, Currency::Xno),
            None => (text, Currency::Usd),
        };
        Money::parse(amount, currency).ok()
    }

    /// What the world makes of an effect.
    pub(super) fn answer(&mut self, effect: Effect) -> Input {
        match effect {
            Effect::Probe { account } => {
                let result = if self.one_in(5) { Err(self.trouble()) } else { Ok(AccountProfile::default()) };
                Input::Probed { account, result }
            }
            Effect::Balance { account, .. } => {
                let result = if self.one_in(5) { Err(self.trouble()) } else { Ok(vec![Money::usd(9.into())]) };
                Input::Balanced { account, result }
            }
            Effect::Prepare { job, .. } => Input::Prepared { job: job.id, result: self.build(&job) },
            Effect::Submit { job } => self.submit(job),
            Effect::Find { job, .. } => Input::Evidence { job, result: self.find(), repeatable: None },
            Effect::Poll { job, .. } => Input::Polled { job, result: self.poll() },
            Effect::Download { job, .. } => Input::Downloaded { job: job.id, result: self.download(&job) },
            Effect::Discover { account, .. } => {
                let result = if self.one_in(5) { Err(self.trouble()) } else { Ok(Vec::new()) };
                Input::Discovered { account, result }
            }
            Effect::Discard { .. } => Input::Ticked,
        }
    }

    /// Absence, a guess, or trouble: none of them says that an order was not taken.
    fn find(&mut self) -> Result<crate::provider::Evidence, ServiceError> {
        use crate::provider::{Evidence, Grade};
        match self.one_in(4) {
            true => Err(self.trouble()),
            false if self.one_in(3) => Ok(Evidence { grade: Grade::Likely, ..Evidence::open("like it") }),
            false => Ok(Evidence::open("none is listed")),
        }
    }

    fn build(&mut self, job: &Job) -> Result<PreparedOrder, Unprepared> {
        if self.one_in(30) {
            return Err(Unprepared::Illegal(vec![Problem::new("duration", "one_of", "no")]));
        }
        if self.one_in(60) {
            return Err(Unprepared::Disk("the disk is full".into()));
        }
        let name = format!("/out/{}", job.request.prompt);
        let free = |name: &String| self.disk.names.get(name).is_none_or(|owner| *owner == job.id);
        let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name} ({n})")));
        // Now and then what was free when it was looked for is taken by the time it is claimed.
        let stem = if self.rng.u32(0..4) == 0 && self.disk.claimed_now.contains(&name) {
            name
        } else {
            names.into_iter().find(free).unwrap()
        };
        Ok(PreparedOrder { record: "{}".into(), digest: "d".into(), stem: job.stem.clone().unwrap_or(stem) })
    }

    fn submit(&mut self, job: JobId) -> Input {
        use ErrorKind::{Invalid, Plan, Policy, Protocol, Unavailable};
        let refused = self.rng.u32(0..10);
        let answer = match self.rng.u32(0..20) {
            0..4 if !self.calm && refused < 4 => SubmitAnswer::Refused(self.trouble()),
            0..4 if !self.calm => SubmitAnswer::Refused(error(self.pick(&[Invalid, Plan, Policy, Unavailable]))),
            4 | 5 if !self.calm => SubmitAnswer::NotSent(error(Unavailable)),
            6 if !self.calm => {
                if self.rng.bool() {
                    self.take_order(job);
                }
                SubmitAnswer::Unknown(error(Protocol))
            }
            7..10 => {
                self.take_order(job);
                let links = if self.rng.bool() { vec!["https://x/y.mp4".into()] } else { Vec::new() };
                SubmitAnswer::Finished(Finished { clips: usize::from(links.is_empty()), links, revised_prompt: None })
            }
            _ => {
                self.take_order(job);
                let (cost, balance) = (self.cost(), self.rng.bool().then(|| Money::usd(9.into())));
                SubmitAnswer::Accepted(Accepted { remote_id: job.to_string(), cost, balance, ..Accepted::default() })
            }
        };
        Input::Submitted { job, answer, bytes: 0 }
    }

    fn poll(&mut self) -> Result<Status, ServiceError> {
        if self.one_in(8) {
            return Err(self.trouble());
        }
        if self.one_in(12) {
            return Err(error(ErrorKind::Gone));
        }
        let (state, word) = match self.rng.u32(0..6) {
            0 if !self.calm => {
                let error = JobError::new(ErrorKind::Generation, "it failed");
                (RemoteState::Failed { error, refunded: self.rng.bool() }, "failed")
            }
            1 | 2 => (RemoteState::Finished { links: vec!["https://x/y.mp4".into()] }, "completed"),
            _ => (RemoteState::Working, self.pick(&["queued", "processing"])),
        };
        Ok(Status { word: word.into(), state, progress: Some(self.rng.u8(0..100)), cost: self.cost() })
    }

    fn download(&mut self, job: &Job) -> Result<Vec<ClipFile>, DownloadError> {
        let file = ClipFile {
            path: format!("{}.mp4", job.stem.as_deref().expect("a name is claimed before an order is sent")),
            bytes: 9,
            sha256: "s".into(),
            kind: FileKind::Video,
            width: None,
            height: None,
            duration_ms: None,
        };
        let fetch = DownloadError::Fetch;
        match self.rng.u32(0..12) {
            0 if !self.calm => Err(fetch(FetchError::Disk(std::io::Error::other("full")))),
            1 if !self.calm => Err(fetch(FetchError::Service(error(ErrorKind::Gone)))),
            2 if !self.calm => Err(fetch(FetchError::NotAClip("a page".into()))),
            3 if !self.calm => Err(fetch(FetchError::Service(error(ErrorKind::Unavailable)))),
            4 if !self.calm && job.links.is_empty() => {
                Err(DownloadError::Partial(file.into(), "cut".into(), String::new()))
            }
            _ => Ok(vec![file]),
        }
    }
}
