//! What stands above the table's rows: the frame's title with the filter, the counts, the columns' names, and
//! what each group comes to.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::jobs::Columns;
use super::paint::{put, put_right};
use super::text;
use crate::app::App;
use crate::app::lines::Heading;
use crate::app::order::{Column, Group};
use crate::domain::JobState;
use crate::tui::theme::{Glyphs, Role, Styles};

/// The title, and the cursor while a filter is typed.
pub fn title(app: &App, area: Rect) -> (String, Option<Position>) {
    let jobs = app.jobs();
    let mut title = "Jobs".to_owned();
    if jobs.marked() > 0 {
        title += &format!("  {} marked", jobs.marked());
    }
    if let Some(line) = app.filtering() {
        title += "  /";
        let x = area.x + 3 + u16::try_from(text::width(&title) + text::width(line.before_cursor())).unwrap_or(0);
        let cursor = Position::new(x.min(area.right().saturating_sub(2)), area.y);
        return (format!("{title}{}{}", line.text(), searched(app)), Some(cursor));
    }
    match (app.view_name(), jobs.filter().text().trim()) {
        (Some(name), _) => title += &format!("  {name}"),
        (None, "") => {}
        (None, text) => title += &format!("  /{text}"),
    }
    if !jobs.filter().is_empty() {
        title += &format!("  {} of {}", jobs.shown(), jobs.len());
    }
    match jobs.group() {
        Group::None => {}
        Group::Batch => title += "  by batch",
        Group::Prompt => title += "  by prompt",
    }
    if jobs.sort().column == Column::Queue {
        title += "  in the queue's order";
    }
    (title + &searched(app), None)
}

fn searched(app: &App) -> String {
    match app.jobs().searched() {
        100 => String::new(),
        part => format!("  searching {part}%"),
    }
}

/// How many jobs stand where, in as many words as fit.
pub fn counts(app: &App, room: u16) -> String {
    let counts = app.jobs().counts();
    let listed = [
        (JobState::Running, "running", "run"),
        (JobState::Queued, "queued", "queue"),
        (JobState::Unconfirmed, "lost?", "lost?"),
        (JobState::Failed, "failed", "fail"),
        (JobState::Held, "held", "held"),
        (JobState::Downloading, "fetching", "fetch"),
        (JobState::Submitting, "sending", "send"),
        (JobState::Done, "done", "done"),
        (JobState::Cancelled, "cancelled", "cancel"),
    ];
    let mut parts: Vec<(usize, &str, &str)> =
        listed.iter().map(|(s, long, short)| (counts.of(*s), *long, *short)).filter(|(n, ..)| *n > 0).collect();
    let late = if counts.late > 0 { format!(", {} late", counts.late) } else { String::new() };
    let join = |parts: &[(usize, &str, &str)], long: bool| -> String {
        let words: Vec<String> = parts
            .iter()
            .map(|(n, l, s)| format!("{n} {}{}", if long { l } else { s }, if *s == "run" { &late } else { "" }))
            .collect();
        words.join(" · ")
    };
    for long in [true, false] {
        let line = join(&parts, long);
        if text::width(&line) <= usize::from(room) {
            return line;
        }
    }
    while text::width(&join(&parts, false)) > usize::from(room) && parts.pop().is_some() {}
    join(&parts, false)
}

/// The columns' names, the one that is sorted by with its direction.
pub(super) fn columns(app: &App, c: &Columns, styles: &Styles, y: u16, buf: &mut Buffer) {
    let sort = app.jobs().sort();
    let name = |column: Column, words: &str| -> (String, Role) {
        if sort.column != column {
            return (words.to_owned(), Role::Dim);
        }
        let rises = matches!(column, Column::Model | Column::Account | Column::Prompt) != sort.reversed;
        let mark = match (styles.glyphs, rises) {
            (Glyphs::Unicode, true) => "▲",
            (Glyphs::Unicode, false) => "▼",
            (Glyphs::Ascii, true) => "^",
            (Glyphs::Ascii, false) => "v",
        };
        (format!("{words}{mark}"), Role::Accent)
    };
    let mut left = |from: u16, to: u16, column: Column, words: &str| {
        let (words, role) = name(column, words);
        put(buf, (from, y), to, &words, styles.of(role));
    };
    left(c.state, c.after(c.state), Column::State, "state");
    if let Some(id) = c.id {
        left(id, c.model, Column::Newest, "id");
    }
    left(c.model, c.after(c.model), Column::Model, "model");
    if let Some(account) = c.account {
        left(account, c.after(account), Column::Account, "account");
    }
    left(c.prompt, c.progress, Column::Prompt, "prompt");
    if c.time < c.cost {
        let narrow = c.time.saturating_sub(c.progress) < 9;
        left(c.progress, c.time, Column::Progress, if narrow { "   %" } else { "progress" });
        let (words, role) = name(Column::Time, "time");
        put_right(buf, y, c.time, c.cost - 1, &words, styles.of(role));
    }
    for (from, words) in [(c.batch, "batch"), (c.tags, "tags")] {
        if let Some(from) = from {
            put(buf, (from, y), c.after(from), words, styles.of(Role::Dim));
        }
    }
    let (words, role) = name(Column::Cost, "cost");
    put_right(buf, y, c.cost, c.end.saturating_sub(1), &words, styles.of(role));
}

/// A group's line: what its jobs share, how many stand where, what they cost.
pub fn group(title: &str, heading: &Heading, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let jobs = heading.jobs();
    let mut facts = vec![format!("{jobs} {}", if jobs == 1 { "job" } else { "jobs" })];
    for (state, word) in [
        (JobState::Unconfirmed, "lost?"),
        (JobState::Failed, "failed"),
        (JobState::Held, "held"),
        (JobState::Submitting, "sending"),
        (JobState::Running, "running"),
        (JobState::Downloading, "fetching"),
        (JobState::Queued, "queued"),
        (JobState::Done, "done"),
        (JobState::Cancelled, "cancelled"),
    ] {
        let n = heading.of(state);
        if n > 0 && n < jobs {
            facts.push(format!("{n} {word}"));
        } else if n > 0 {
            facts.push(format!("all {word}"));
        }
    }
    facts.extend(heading.sums().map(|money| money.to_string()));
    let facts = facts.join(" · ");
    let end = area.right().saturating_sub(2);
    let room = usize::from(end.saturating_sub(area.x + 2));
    let title_room = room.saturating_sub(text::width(&facts) + 2).max(room / 3);
    let title = text::cut_within(title, title_room, styles.glyphs);
    let x = put(buf, (area.x + 2, area.y), end, &title, styles.of(Role::Strong)) + 2;
    let facts = text::cut(&facts, usize::from(end.saturating_sub(x)), styles.glyphs);
    put_right(buf, area.y, x, end, &facts, styles.of(Role::Dim));
}
