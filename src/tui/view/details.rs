//! A job, whole: prompt, parameters, money, files, error and what happened to it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, more, sheet};
use super::{jobs, story, text};
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::clock::Clock;
use crate::app::overlay::Scroll;
use crate::domain::explain;
use crate::domain::message::JobDetail;
use crate::domain::{ErrorKind, Job, JobId, JobRow, JobState, PriceSource, Refund};
use crate::tui::theme::{Role, Styles};

const INDENT: usize = 13;
/// From so many columns on the details stand in two.
const TWO_COLUMNS: u16 = 150;

/// Draws the details.
pub fn render(app: &App, id: JobId, scroll: &Scroll, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let row = app.jobs().get(id);
    let title = row.map_or_else(|| id.to_string(), |row| format!("{id}  {}/{}", row.account, row.model));
    let state = row.map(|row| row.state.word()).unwrap_or_default();
    // What it is on the left and what happened on the right, where there is room for both.
    let two = area.width >= TWO_COLUMNS;
    let inside = sheet(buf, area, styles, &title, state);
    let left = if two { Rect { width: inside.width * 9 / 16, ..inside } } else { inside };
    let right = Rect { x: left.right() + 3, width: inside.right().saturating_sub(left.right() + 3), ..inside };
    let (mut paper, mut beside) = (Paper::new(left.width), Paper::new(right.width));
    match (row, app.story().detail().filter(|detail| detail.job.id == id)) {
        (Some(row), Some(detail)) => {
            whole(app, row, detail, &mut paper);
            happened(app, detail, if two { &mut beside } else { &mut paper });
        }
        (Some(row), None) => {
            paper.say(Role::Strong, &row.prompt).blank();
            paper.say(Role::Dim, "Asking for the rest.");
        }
        (None, _) => {
            paper.say(Role::Warn, "This job is no longer there.");
        }
    }
    let rows = paper.rows().max(beside.rows());
    let first = scroll.fit(rows, usize::from(inside.height));
    paper.draw(buf, left, first, styles);
    beside.draw(buf, right, first, styles);
    let key = app.keymap().shown(Action::Down, Context::Reading).map(|key| key.to_string()).unwrap_or_default();
    more(buf, area, styles, &key, rows.saturating_sub(first + usize::from(inside.height)));
}

fn whole(app: &App, row: &JobRow, detail: &JobDetail, paper: &mut Paper) {
    let job = &detail.job;
    paper.say(Role::Strong, &job.request.prompt);
    if let Some(revised) = &job.revised_prompt {
        paper.blank().pair("rewritten as", INDENT, Role::Text, revised);
    }
    paper.blank();
    standing(app, row, job, paper);
    paper.blank();
    for (name, value) in &job.values {
        paper.pair(&text::label(name), INDENT, Role::Text, &text::value(name, value));
    }
    paper.blank();
    money(job, paper);
    paper.blank();
    files(job, paper);
}

fn happened(app: &App, detail: &JobDetail, paper: &mut Paper) {
    let job = &detail.job;
    if detail.history.is_empty() {
        return;
    }
    paper.blank();
    paper.say(Role::Strong, "what happened");
    for chapter in explain::explain(job, &detail.history) {
        paper.say(Role::Dim, chapter.title);
        for sentence in &chapter.sentences {
            let at = sentence.at.map(|at| text::time(at, app.now(), app.time_zone(), true)).unwrap_or_default();
            let indent = text::width(&at).max(8) + 2;
            paper.pair(&at, indent, story::kind_role(&sentence.kind), &sentence.text);
        }
    }
}

fn standing(app: &App, row: &JobRow, job: &Job, paper: &mut Paper) {
    let mut state = job.state.word().to_owned();
    if let Some(hold) = &job.hold {
        state += &format!(": {}", hold.text());
    }
    if let Some(phase) = &job.phase {
        state += &format!(", the service says {phase}");
    }
    if let Some(percent) = app.percent(row) {
        state += &format!(", {percent}%");
    }
    if row.late {
        state += ", later than usual and polled on";
    }
    paper.pair("state", INDENT, jobs::state_role(row), &state);
    if let Some(error) = &job.error {
        paper.pair("error", INDENT, Role::Error, &error.to_string());
        if let Some(answer) = &error.answer {
            paper.pair("answered", INDENT, Role::Dim, answer);
        }
    }
    if let Some(search) = &job.search {
        let again = match job.state {
            JobState::Unconfirmed => {
                format!("; next look {}", text::time(search.next, app.now(), app.time_zone(), true))
            }
            _ => String::new(),
        };
        paper.pair("looked for", INDENT, Role::Text, &format!("{}: {}{again}", search.verdict, search.text));
    }
    let wait = app.wait(row);
    if let Some(wait) = &wait {
        paper.pair("waits", INDENT, Role::Warn, &wait.cause);
    }
    if let Some(next) = wait.map(|wait| wait.next).or_else(|| next_step(app, job)) {
        paper.pair("next", INDENT, Role::Strong, &next);
    }
    if let Some(id) = &job.remote_id {
        paper.pair("service's id", INDENT, Role::Text, id);
    }
    let time = |at| text::time(at, app.now(), app.time_zone(), true);
    let times = [("queued", Some(job.created_at)), ("sent", job.submitted_at), ("ended", job.finished_at)];
    for (label, at) in times.into_iter().filter_map(|(label, at)| Some((label, at?))) {
        paper.pair(label, INDENT, Role::Text, &time(at));
    }
    if let Some(clock) = app.clock(row, true) {
        let since = row.submitted_at.map(|at| app.now().duration_since(at).as_secs()).unwrap_or_default();
        paper.pair("time", INDENT, Role::Text, &in_words(clock, since));
    }
    if let Some(place) = app.jobs().counts().place(row, 9_999) {
        paper.pair("queue", INDENT, Role::Text, &format!("no. {place} of those that wait for {}", row.account));
    }
    if let Some(parent) = job.parent {
        paper.pair("comes from", INDENT, Role::Text, &parent.to_string());
    }
    if let Some(child) = app.jobs().child_of(job.id) {
        paper.pair("goes on as", INDENT, Role::Text, &child.to_string());
    }
    if let Some(batch) = job.batch {
        paper.pair("batch", INDENT, Role::Text, &batch.to_string());
    }
    if !job.request.tags.is_empty() {
        paper.pair("tags", INDENT, Role::Text, &job.request.tags.join(", "));
    }
}

/// A row's clock in words; it was sent `since` seconds ago.
fn in_words(clock: Clock, since: i64) -> String {
    let since = text::duration(since);
    match clock {
        Clock::Left(s) => format!("about {} left, sent {since} ago", text::duration(s)),
        Clock::Over(s) => format!("{} longer than usual, sent {since} ago", text::duration(s)),
        Clock::Since(_) => format!("sent {since} ago"),
        Clock::Took(s) => format!("took {}", text::duration(s)),
    }
}

/// What the user can do, where the job waits for that.
fn next_step(app: &App, job: &Job) -> Option<String> {
    let key = |action| app.keymap().shown(action, Context::Detail).map(|key| key.to_string()).unwrap_or_default();
    let only = app.keymap().shown(Action::OnlyNeeded, Context::Ask).map(|key| key.to_string()).unwrap_or_default();
    let extend = key(Action::Extend);
    let (adopt, write_off) = (key(Action::Adopt), key(Action::WriteOff));
    let (retry, abandon, hold) = (key(Action::Retry), key(Action::Abandon), key(Action::Hold));
    Some(match job.state {
        JobState::Unconfirmed => format!(
            "it is looked for by itself and never bought twice by itself; {adopt} names its order, {retry} buys it again and may pay twice, {write_off} gives it up, {abandon} hides it"
        ),
        JobState::Held => format!("{hold} lets it go on once the reason is gone"),
        JobState::Failed if job.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Invalid) => format!(
            "{retry} makes a new job of it, at its own price; {only} in that question sends only the fields that the model needs"
        ),
        JobState::Failed => format!("{retry} makes a new job of it, at its own price"),
        JobState::Done if app.extendable() => format!("{extend} goes on from this clip"),
        _ => return None,
    })
}

fn money(job: &Job, paper: &mut Paper) {
    match job.estimate {
        Some(estimate) => {
            let source = match estimate.source {
                PriceSource::Documents => "from the documents",
                PriceSource::Discovered => "from the service's list",
                PriceSource::Observed => "by what it charged before",
                PriceSource::User => "by your word",
                PriceSource::Service => "said by the service",
            };
            paper.pair("expected", INDENT, Role::Money, &format!("{}, {source}", estimate.money))
        }
        None => paper.pair("expected", INDENT, Role::Warn, "price unknown"),
    };
    for (label, amount) in [("at most", job.ceiling), ("reserved", job.reserved), ("cost", job.cost)] {
        if let Some(amount) = amount {
            paper.pair(label, INDENT, Role::Money, &amount.to_string());
        }
    }
    let refund = match job.refund {
        Refund::None => return,
        Refund::Claimed => (Role::Warn, "the service says so; the balance has not shown it yet"),
        Refund::Seen => (Role::Ok, "seen in the balance"),
        Refund::Contradicted => (Role::Error, "the service says so, and the balance says otherwise"),
        Refund::NotObservable => (Role::Dim, "nothing here can show it"),
    };
    paper.pair("refund", INDENT, refund.0, refund.1);
}

fn files(job: &Job, paper: &mut Paper) {
    for file in &job.files {
        let mut facts = text::bytes(file.bytes);
        if let (Some(w), Some(h)) = (file.width, file.height) {
            facts += &format!(", {w}x{h}");
        }
        if let Some(ms) = file.duration_ms {
            facts += &format!(", {}.{} s", ms / 1000, ms % 1000 / 100);
        }
        paper.pair("file", INDENT, Role::Ok, &file.path);
        paper.pair("", INDENT, Role::Dim, &facts);
        paper.pair("", INDENT, Role::Dim, &format!("sha256 {}", file.sha256));
    }
    for link in &job.links {
        paper.pair("link", INDENT, if job.files.is_empty() { Role::Text } else { Role::Dim }, link);
    }
}
