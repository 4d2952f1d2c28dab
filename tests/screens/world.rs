//! A small world to draw: accounts, models, a job of every state; and an app that is driven by keys
//! and events. Knows no engine.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde_json::json;

use rushes::app::{App, AppOptions, Effect, Input, Key};
use rushes::domain::message::{AccountRow, Answer, HistoryLine, JobDetail, Offer, Spend, Ticket};
use rushes::domain::{
    Balance, ClipFile, Command, Currency, Estimate, Event, FileKind, Hold, Job, JobError, JobId, JobState, Money,
    PriceSource, Refund, Request, Service, Snapshot,
};
use rushes::tui::theme::{Role, Styles};
use rushes::tui::view;

/// 21 November 2026, 14:02:00 UTC.
pub const NOW: i64 = 1_795_269_720;

/// The time `seconds` after the world's now.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

/// Dollars.
pub fn usd(text: &str) -> Money {
    Money::parse(text, Currency::Usd).unwrap()
}

/// The models on offer, each with the account of its service's name.
pub fn offers() -> Arc<Vec<Offer>> {
    #[derive(serde::Deserialize)]
    struct File {
        models: Vec<rushes::domain::Model>,
    }
    let file: File = toml::from_str(include_str!("models.toml")).unwrap();
    let offers = file.models.into_iter().map(|m| Offer::new(m.service.word(), m));
    Arc::new(offers.collect())
}

/// Three accounts: one with reservations, one with two currencies, one with a plan.
pub fn accounts() -> Vec<AccountRow> {
    let account = |service: Service| AccountRow {
        name: service.word().to_owned(),
        service,
        balances: vec![],
        reserved: vec![],
        plan: None,
        per_minute: None,
        pause: None,
        trouble: None,
        in_flight: 0,
        max_in_flight: 5,
    };
    let balance = |money| Balance { money, seen_at: at(-60), source: "balance".to_owned() };
    vec![
        AccountRow {
            balances: vec![balance(usd("37.00"))],
            reserved: vec![usd("14.00")],
            in_flight: 2,
            ..account(Service::Ninjachat)
        },
        AccountRow {
            balances: vec![balance(usd("129.46956147")), balance(Money::parse("26.71", Currency::Xno).unwrap())],
            ..account(Service::Nanogpt)
        },
        AccountRow { plan: Some("ultra".to_owned()), per_minute: Some(12), ..account(Service::A4f) },
    ]
}

/// A job of every state, and a late one; ids from 1, one a state.
pub fn jobs() -> Vec<Job> {
    JobState::ALL.into_iter().enumerate().map(|(i, state)| job(i as i64 + 1, state)).chain([late()]).collect()
}

fn late() -> Job {
    let mut job = job(10, JobState::Running);
    job.late = true;
    job.created_at = at(-560);
    job.submitted_at = Some(at(-552));
    job.progress = Some(93);
    job.request.prompt = "Paper boat on a storm drain, macro lens".to_owned();
    job
}

/// A job in a state, with what goes with it.
pub fn job(id: i64, state: JobState) -> Job {
    let (model, prompt) = match id % 5 {
        0 => (
            "ninjachat/veo-3.1",
            "Drone shot slowly ascending over a misty mountain valley at golden hour, camera reveals a river below, cinematic",
        ),
        1 => ("a4f/provider-2/kling-v2.1", "A neon street in the rain, reflections, 霓虹街道"),
        2 => ("nanogpt/veo2-video", "A majestic eagle over the fjord 🦅"),
        3 => ("ninjachat/veo-3.1-fast", "Old lighthouse keeper lights the lamp"),
        _ => ("ninjachat/runway-gen4.5", "Steam rises from a ramen bowl, slow pan"),
    };
    let mut job = Job::new(JobId(id), Request::new(&model.parse().unwrap(), prompt), at(-300));
    job.request.params = serde_json::from_value(json!({"duration": 8})).unwrap();
    job.values = serde_json::from_value(json!({"duration": 8, "aspect_ratio": "16:9"})).unwrap();
    job.estimate = Some(Estimate { money: usd("5.00"), source: PriceSource::Documents });
    if model.starts_with("a4f") {
        job.estimate = Some(Estimate { money: Money::one_of_quota(), source: PriceSource::Documents });
    }
    job.state = state;
    let sent = !matches!(state, JobState::Queued | JobState::Held | JobState::Cancelled);
    if sent {
        job.submitted_at = Some(at(-200));
        job.remote_id = Some(format!("gemini-veo:operations/generate-video-{id}f2c"));
    }
    match state {
        JobState::Held => job.hold = Some(Hold::OverCap("day".to_owned())),
        JobState::Running => {
            job.progress = Some(71);
            job.cost = Some(usd("5.00"));
        }
        JobState::Downloading => job.progress = Some(62),
        JobState::Done => {
            job.cost = Some(usd("3.302"));
            job.finished_at = Some(at(-20));
            job.files = vec![ClipFile {
                path: "/home/ana/clips/eagle-0006.mp4".to_owned(),
                bytes: 3_141_592,
                sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
                kind: FileKind::Video,
                width: Some(1280),
                height: Some(720),
                duration_ms: Some(5_000),
            }];
        }
        JobState::Failed => {
            job.cost = Some(usd("0"));
            job.refund = Refund::Claimed;
            job.finished_at = Some(at(-30));
            job.error = Some(JobError::new(
                rushes::domain::ErrorKind::Policy,
                "please modify your prompt: it names a living person",
            ).answered(Some(r#"{"error":{"code":"CONTENT_POLICY_VIOLATION","message":"please modify your prompt: it names a living person"},"status":"FAILED"}"#.to_owned())));
        }
        JobState::Unconfirmed => {
            job.remote_id = None;
            job.error = Some(JobError::new(
                rushes::domain::ErrorKind::Unavailable,
                "no answer to the order; looked up at 14:02, 2 candidates",
            ));
        }
        JobState::Queued | JobState::Submitting | JobState::Cancelled => {}
    }
    job
}

/// What the engine tells of a job.
pub fn detail(job: &Job) -> JobDetail {
    // Read from JSON, so that a field with a default can be added to a line without a change here.
    let line = |seq: i64, seconds, kind: &str, text: &str| -> HistoryLine {
        let line = json!({"seq": seq, "at": at(seconds), "job": job.id, "account": null, "kind": kind, "text": text});
        serde_json::from_value(line).unwrap()
    };
    let mut history = vec![line(1, -300, "queued", "intent stored, $5.00 reserved")];
    if job.submitted_at.is_some() {
        history.push(line(2, -200, "accepted", "order accepted, charged $5.00, balance $37.00"));
        history.push(line(3, -60, "polled", "71 % by the service's word, 17 polls"));
    }
    JobDetail { job: job.clone(), history }
}

/// The whole snapshot.
pub fn snapshot() -> Snapshot {
    let mut rows: Vec<_> = jobs().iter().map(Job::row).collect();
    for row in &mut rows {
        row.usual_s = (row.model != "veo2-video").then_some(280);
    }
    Snapshot {
        jobs: rows,
        accounts: accounts(),
        offers: offers(),
        spend: Spend {
            today: vec![usd("42.50")],
            month: vec![usd("311.20")],
            day_cap: Some(usd("100")),
            ..Spend::default()
        },
        draft: None,
        timings: rushes::domain::timing::Timings::default(),
        simulated: Some("simulated services: nothing is real, nothing is paid".to_owned()),
        read_only: None,
    }
}

/// An app with a clock of its own, and what it asked for.
pub struct Stage {
    pub app: App,
    pub now: Timestamp,
    /// Everything sent, in order.
    pub sent: Vec<(Ticket, Command)>,
    /// Every other effect.
    pub effects: Vec<Effect>,
}

impl Stage {
    /// An app of that size that has got this snapshot.
    pub fn new((cols, rows): (u16, u16), snapshot: Snapshot) -> Stage {
        let mut stage = Stage::empty((cols, rows));
        stage.event(Event::Snapshot(Box::new(snapshot)));
        stage
    }

    /// An app that asks before it queues more than so many dollars.
    pub fn asking_above(dollars: Money, (cols, rows): (u16, u16), snapshot: Snapshot) -> Stage {
        Stage::set_up(AppOptions { cols, rows, ask_above: Some(dollars), ..AppOptions::default() }, snapshot)
    }

    /// An app with these options.
    pub fn set_up(options: AppOptions, snapshot: Snapshot) -> Stage {
        let app = App::new(at(0), options);
        let mut stage = Stage { app, now: at(0), sent: Vec::new(), effects: Vec::new() };
        stage.event(Event::Snapshot(Box::new(snapshot)));
        stage
    }

    /// An app that waits for its snapshot.
    pub fn empty((cols, rows): (u16, u16)) -> Stage {
        let app = App::new(at(0), AppOptions { cols, rows, ..AppOptions::default() });
        Stage { app, now: at(0), sent: Vec::new(), effects: Vec::new() }
    }

    fn keep(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { ticket, command } => self.sent.push((ticket, command)),
                other => self.effects.push(other),
            }
        }
    }

    /// Presses keys, written as the config writes them, between blanks.
    pub fn keys(&mut self, keys: &str) -> &mut Stage {
        for key in keys.split_whitespace() {
            let key: Key = key.parse().unwrap();
            let effects = self.app.on_input(Input::Key(key), self.now);
            self.keep(effects);
        }
        self
    }

    /// Types a text, key by key.
    pub fn types(&mut self, text: &str) -> &mut Stage {
        for c in text.chars() {
            let effects = self.app.on_input(Input::Key(Key::char(c)), self.now);
            self.keep(effects);
        }
        self
    }

    pub fn input(&mut self, input: Input) -> &mut Stage {
        let effects = self.app.on_input(input, self.now);
        self.keep(effects);
        self
    }

    pub fn event(&mut self, event: Event) -> &mut Stage {
        let effects = self.app.on_event(event, self.now);
        self.keep(effects);
        self
    }

    /// Answers the last command.
    pub fn answer(&mut self, answer: Answer) -> &mut Stage {
        let ticket = self.sent.last().expect("nothing was sent").0;
        self.event(Event::Answered { ticket, answer })
    }

    /// Lets time pass, ticking whenever the app asked for it.
    pub fn wait(&mut self, ms: i64) -> &mut Stage {
        let end = self.now + SignedDuration::from_millis(ms);
        for _ in 0..100_000 {
            match self.app.next_tick(self.now).filter(|due| *due <= end) {
                Some(due) => {
                    self.now = due.max(self.now);
                    let effects = self.app.on_tick(self.now);
                    self.keep(effects);
                }
                None => {
                    self.now = end;
                    return self;
                }
            }
        }
        panic!("the app asks for ticks without end");
    }

    /// Waits, answering every question for a job's story, until nothing is asked.
    pub fn settle(&mut self) -> &mut Stage {
        let seen = self.sent.len();
        self.wait(600);
        for (ticket, command) in self.sent.split_off(seen) {
            if let Command::Inspect { id } = command
                && let Some(job) = jobs().into_iter().find(|job| job.id == id)
            {
                self.event(Event::Answered { ticket, answer: Answer::Detail(Box::new(detail(&job))) });
            }
        }
        self
    }

    /// The screen's cells and cursor.
    pub fn draw(&self, styles: &Styles) -> (Buffer, Option<Position>) {
        let (cols, rows) = self.app.size();
        let area = Rect::new(0, 0, cols, rows);
        let mut buffer = Buffer::empty(area);
        let cursor = view::render(&self.app, styles, area, &mut buffer);
        (buffer, cursor)
    }

    /// The screen's text, one line a row.
    pub fn text(&self) -> String {
        lines(&self.draw(&Styles::default()).0).join("\n")
    }

    /// The commands sent that are not about stories, drafts and the form's files.
    pub fn commands(&self) -> Vec<&Command> {
        let quiet = |c: &&Command| {
            matches!(c, Command::Inspect { .. } | Command::SaveDraft { .. } | Command::CheckFiles { .. })
        };
        self.sent.iter().map(|(_, command)| command).filter(|c| !quiet(c)).collect()
    }
}

/// A buffer's rows as text.
pub fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut skip = 0;
            for x in area.left()..area.right() {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                }
                skip = unicode_width::UnicodeWidthStr::width(symbol).max(skip).saturating_sub(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// A buffer's rows as letters of the roles its cells are drawn in; the first role with that style.
pub fn letters(buffer: &Buffer, styles: &Styles) -> Vec<String> {
    let named = [
        (Role::Text, '.'),
        (Role::Dim, 'd'),
        (Role::Strong, 'S'),
        (Role::Accent, 'A'),
        (Role::Badge, 'B'),
        (Role::Warning, 'W'),
        (Role::BorderFocus, 'F'),
        (Role::Ok, 'o'),
        (Role::Warn, 'w'),
        (Role::Error, 'e'),
        (Role::Running, 'r'),
        (Role::Fetching, 'f'),
    ];
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let row: String = (area.left()..area.right())
                .map(|x| {
                    let cell = &buffer[(x, y)];
                    let same = |role: Role| {
                        let style = styles.of(role);
                        style.fg.unwrap_or_default() == cell.fg && style.add_modifier == cell.modifier
                    };
                    let role = named.iter().find(|(role, _)| same(*role));
                    if cell.symbol() == " " && cell.modifier.is_empty() { ' ' } else { role.map_or('*', |(_, l)| *l) }
                })
                .collect();
            row.trim_end().to_owned()
        })
        .collect()
}
