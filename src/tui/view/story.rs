//! The selected job's story at the foot of the table: its prompt, how it was asked, and what happened last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paper, rule};
use super::text;
use crate::app::App;
use crate::app::geometry::Pane;
use crate::domain::message::JobDetail;
use crate::domain::{JobRow, JobState};
use crate::tui::theme::{Glyphs, Role, Styles};

/// Draws the story; its first row is a rule across the table's frame.
pub fn render(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let focused = app.focus() == Pane::Jobs;
    // The story told last stays until the next one comes: a held key repaints nothing here.
    // None is told where the table shows no job that it could belong to.
    let shown = app.jobs().selected().and_then(|_| app.story().shown());
    let row = shown.and_then(|id| app.jobs().get(id));
    let detail = app.story().detail().filter(|detail| row.is_some_and(|row| row.id == detail.job.id));
    let title = row.map(|row| row.id.to_string()).unwrap_or_default();
    rule(buf, area, area.y, styles, focused, &title, "");
    let inside = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    let Some(row) = row else { return };
    let lines = usize::from(inside.height);
    let mut paper = Paper::new(inside.width);
    let prompt_lines = if lines > 7 { 3 } else { 1 };
    let prompt = text::wrap(&row.prompt, usize::from(inside.width));
    let cut = prompt.len() > prompt_lines;
    for (i, line) in prompt.into_iter().take(prompt_lines).enumerate() {
        let more = if cut && i + 1 == prompt_lines { format!("{line} …") } else { line };
        paper.say(Role::Strong, &text::cut(&more, usize::from(inside.width), styles.glyphs));
    }
    if let Some(wait) = app.wait(row) {
        paper.say(Role::Warn, &wait.cause);
        paper.say(Role::Strong, &wait.next);
    }
    match detail {
        Some(detail) => told(app, detail, lines, styles.glyphs, &mut paper),
        None => {
            paper.say(Role::Dim, &format!("{}/{}", row.account, row.model));
        }
    }
    if let Some(line) = usual(app, row)
        && paper.rows() < lines
    {
        paper.say(Role::Dim, &line);
    }
    paper.draw(buf, inside, 0, styles);
}

fn told(app: &App, detail: &JobDetail, lines: usize, glyphs: Glyphs, paper: &mut Paper) {
    let job = &detail.job;
    let mut facts = vec![job.model_ref().to_string()];
    facts.extend(job.values.iter().map(|(name, value)| match name.as_str() {
        "duration" | "aspect_ratio" | "resolution" => text::value(name, value),
        _ => format!("{name} {}", text::value(name, value)),
    }));
    facts.extend(job.remote_id.clone());
    let facts = facts.join(" · ");
    paper.say(Role::Dim, &text::cut(&facts, paper.width() * if lines > 7 { 2 } else { 1 }, glyphs));
    let room = lines.saturating_sub(paper.rows() + 1).max(1);
    let skip = detail.history.len().saturating_sub(room);
    for line in &detail.history[skip..] {
        let at = text::time(line.at, app.now(), app.time_zone(), true);
        let indent = text::width(&at) + 2;
        let words = text::cut(&line.text, paper.width().saturating_sub(indent), glyphs);
        paper.pair(&at, indent, kind_role(&line.kind), &words);
    }
}

/// The role of a line of the event log, by its kind.
pub fn kind_role(kind: &str) -> Role {
    match kind {
        "done" | "accepted" | "downloaded" | "resolved" | "refund_seen" => Role::Ok,
        "failed" | "unconfirmed" | "gone" | "refused" | "refund_contradicted" => Role::Error,
        "held" | "late" | "paused" => Role::Warn,
        _ => Role::Text,
    }
}

/// When it should be done, by the time of day, so that nothing ticks.
fn usual(app: &App, row: &JobRow) -> Option<String> {
    if !matches!(row.state, JobState::Running | JobState::Submitting) {
        return None;
    }
    let due = row.submitted_at? + jiff::SignedDuration::from_secs(i64::from(row.usual_s?));
    let at = text::time(due, app.now(), app.time_zone(), false);
    Some(if due >= app.now() {
        format!("usually done by {at}")
    } else {
        format!("was usually done by {at}; it is polled on")
    })
}
