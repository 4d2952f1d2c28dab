//! The table of jobs: only the rows in the window are drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::paint::{Paper, frame, put, put_right};
use super::{headings, story, text};
use crate::app::action::{Action, Context};
use crate::app::geometry::Pane;
use crate::app::jobs::Line;
use crate::app::{App, wait};
use crate::domain::{Currency, JobRow, JobState};
use crate::tui::theme::{Glyphs, Role, Styles};

/// Fewest cells of a prompt beside a note or a bar, where the screen has them at all.
const PROMPT: u16 = 16;
/// Blanks between a prompt and what stands right of it, so that the two never read as one sentence.
const GAP: u16 = 2;

/// Where the columns lie; each begins at its number and ends a blank before the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) state: u16,
    pub(super) id: Option<u16>,
    pub(super) model: u16,
    pub(super) account: Option<u16>,
    pub(super) batch: Option<u16>,
    pub(super) tags: Option<u16>,
    pub(super) prompt: u16,
    pub(super) progress: u16,
    pub(super) time: u16,
    pub(super) cost: u16,
    pub(super) end: u16,
}

impl Columns {
    fn lay(area: Rect) -> Self {
        // From these widths on the prompt keeps 30 cells and more beside what is told of the job.
        let from = |width: u16, cells: u16| if area.width >= width { cells } else { 0 };
        let (id_width, account_width, batch_width, tags_width) =
            (from(100, 8), from(118, 12), from(134, 7), from(150, 14));
        // The room for the model and its blank; none on narrow screens, nor for the time.
        let model_width = match area.width {
            0..56 => 0,
            56..72 => 11,
            72..110 => 15,
            _ => 22,
        };
        let (cost_width, time_width) = (8, if area.width < 56 { 0 } else { 6 });
        let progress_width = match area.width {
            0..56 => 5,
            56..72 => 4,
            _ => 13,
        };
        let end = area.right().saturating_sub(1);
        let state = area.x + 2;
        let id = state + 7;
        let model = id + id_width;
        let account = model + model_width + u16::from(model_width > 0);
        let batch = account + account_width;
        let tags = batch + batch_width;
        let prompt = tags + tags_width;
        let shown = |at: u16, width: u16| (width > 0).then_some(at);
        let (id, account) = (shown(id, id_width), shown(account, account_width));
        let (batch, tags) = (shown(batch, batch_width), shown(tags, tags_width));
        let cost = end.saturating_sub(cost_width);
        let time = cost.saturating_sub(time_width + u16::from(time_width > 0));
        let progress = time.saturating_sub(progress_width + 1);
        Columns { state, id, model, account, batch, tags, prompt, progress, time, cost, end }
    }

    /// Where the column behind one that begins at `from` begins.
    pub(super) fn after(&self, from: u16) -> u16 {
        let all = [Some(self.state), self.id, Some(self.model), self.account, self.batch, self.tags, Some(self.prompt)];
        all.into_iter().flatten().find(|at| *at > from).unwrap_or(self.prompt)
    }
}

/// Draws the table and, at its foot, the selected job's story; returns the cursor while a filter is typed.
pub fn render(app: &App, styles: &Styles, area: Rect, story_rows: u16, buf: &mut Buffer) -> Option<Position> {
    let focused = app.focus() == Pane::Jobs;
    let (title, cursor) = headings::title(app, area);
    let left = u16::try_from(text::width(&title)).unwrap_or(u16::MAX).saturating_add(8);
    let counts = headings::counts(app, area.width.saturating_sub(left));
    let inside = frame(buf, area, styles, focused, &title, &counts);
    let table = Rect { height: inside.height.saturating_sub(story_rows), ..inside };
    if app.jobs().scroll().1 == 0 {
        empty(app, styles, table, buf);
    } else {
        rows(app, styles, table, buf);
    }
    if story_rows > 0 {
        let at = Rect { y: table.bottom(), height: story_rows, x: area.x, width: area.width };
        story::render(app, styles, at, buf);
    }
    cursor
}

fn rows(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let columns = Columns::lay(area);
    headings::columns(app, &columns, styles, area.y, buf);
    let selected = app.jobs().selected().map(|row| row.id);
    let lines = usize::from(area.height.saturating_sub(1));
    for (y, line) in (area.y + 1..area.bottom()).zip(app.jobs().window(lines)) {
        let area = Rect { y, height: 1, ..area };
        match line {
            Line::Job(row) => draw_row(app, styles, &columns, area, row, Some(row.id) == selected, buf),
            Line::Heading(title, heading) => headings::group(&title.to_string(), heading, styles, area, buf),
        }
    }
    let (top, all) = app.jobs().scroll();
    if all > lines {
        scrollbar(styles, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, top, all, buf);
    }
}

/// A mark on the frame for where in the list the window is.
fn scrollbar(styles: &Styles, area: Rect, top: usize, all: usize, buf: &mut Buffer) {
    let rows = usize::from(area.height);
    if rows == 0 {
        return;
    }
    let length = (rows * rows / all).clamp(1, rows);
    let start = if all > rows { top * (rows - length) / (all - rows) } else { 0 };
    let glyph = if styles.glyphs == Glyphs::Unicode { "┃" } else { "#" };
    for i in start..start + length {
        let y = area.y + u16::try_from(i).unwrap_or(0);
        put(buf, (area.right(), y), area.right() + 1, glyph, styles.of(Role::Dim));
    }
}

/// The role that a row's state is shown in.
pub fn state_role(row: &JobRow) -> Role {
    match row.state {
        JobState::Running if row.late => Role::Warn,
        JobState::Queued | JobState::Cancelled => Role::Queued,
        JobState::Held => Role::Warn,
        JobState::Submitting | JobState::Running => Role::Running,
        JobState::Downloading => Role::Fetching,
        JobState::Done => Role::Ok,
        JobState::Failed | JobState::Unconfirmed => Role::Error,
    }
}

fn draw_row(app: &App, styles: &Styles, c: &Columns, area: Rect, row: &JobRow, selected: bool, buf: &mut Buffer) {
    let y = area.y;
    let unicode = styles.glyphs == Glyphs::Unicode;
    let picked = if selected { styles.of(Role::Selection) } else { Style::default() };
    if selected {
        if styles.selection_fills {
            buf.set_style(area, picked);
        }
        put(buf, (area.x, y), c.state, if unicode { "▌" } else { ">" }, styles.of(Role::Accent));
    }
    if app.jobs().is_marked(row.id) {
        put(buf, (area.x + 1, y), c.state, if unicode { "•" } else { "+" }, styles.of(Role::Accent));
    }
    put(buf, (c.state, y), c.after(c.state), text::state(row), styles.of(state_role(row)).patch(picked));
    let mut cell = |from: Option<u16>, words: &str, style: Style| {
        let Some(from) = from else { return };
        let end = c.after(from);
        put(buf, (from, y), end, &text::cut(words, usize::from(end.saturating_sub(from + 1)), styles.glyphs), style);
    };
    let dim = styles.of(Role::Dim);
    cell(c.id, &row.id.to_string(), dim);
    let model = row.model.rsplit('/').next().unwrap_or(&row.model);
    cell(Some(c.model), model, styles.of(Role::Text).patch(picked));
    cell(c.account, &row.account, dim);
    cell(c.batch, &row.batch.map(|batch| batch.to_string()).unwrap_or_default(), dim);
    cell(c.tags, &row.tags.join(" "), dim);
    let prompt_end = right_side(app, styles, c, y, row, selected, buf);
    let prompt_cells = usize::from(prompt_end.saturating_sub(c.prompt + GAP));
    let prompt = text::cut(&row.prompt, prompt_cells, styles.glyphs);
    let prompt_style = if selected { styles.of(Role::Text).patch(picked) } else { styles.of(Role::Dim) };
    put(buf, (c.prompt, y), prompt_end, &prompt, prompt_style);
    cost(styles, c, y, row, buf);
}

/// Progress and time, or what there is to say instead; returns where it begins.
fn right_side(app: &App, styles: &Styles, c: &Columns, y: u16, row: &JobRow, selected: bool, buf: &mut Buffer) -> u16 {
    let at_work = matches!(row.state, JobState::Running | JobState::Downloading | JobState::Submitting);
    let waits = waits(app, row);
    if !at_work || waits.is_some() {
        let place = || (row.state == JobState::Queued).then(|| in_line(app, row, c)).flatten();
        let Some(note) = waits.or_else(|| note(row)).or_else(place) else { return c.progress };
        let end = c.cost.saturating_sub(1);
        let room = usize::from(end.saturating_sub(c.progress));
        if row.state == JobState::Done {
            let facts = shorter(&note, room);
            put(buf, (c.progress, y), end, &text::cut(facts, room, styles.glyphs), styles.of(Role::Dim));
            return c.progress;
        }
        // A long note begins further left, all of them at the same place; the prompt keeps its least.
        let start = (c.prompt + (c.progress.saturating_sub(c.prompt) * 2 / 5).max(PROMPT + GAP)).min(c.progress);
        let start = if text::width(&note) <= room { c.progress } else { start };
        let note = text::cut(&note, usize::from(end.saturating_sub(start)), styles.glyphs);
        let role = if row.state == JobState::Running { Role::Warn } else { state_role(row) };
        put(buf, (start, y), end, &note, styles.of(role));
        return start;
    }
    let cells = usize::from(c.time.saturating_sub(c.progress + 1));
    match app.percent(row) {
        Some(percent) => {
            let bar_cells = if cells < 8 { 0 } else { cells - 5 };
            let (full, rest) = text::bar(percent, bar_cells, styles.glyphs);
            let x = put(buf, (c.progress, y), c.time, &full, styles.of(state_role(row)));
            put(buf, (x, y), c.time, &rest, styles.of(Role::Track));
            put_right(buf, y, c.progress, c.time - 1, &format!("{percent:>3}%"), styles.of(Role::Dim));
        }
        None => {
            let word = row.phase.as_deref().unwrap_or(match row.state {
                JobState::Submitting => "no answer yet",
                JobState::Downloading => "to disk",
                _ => "",
            });
            let word = if cells < 8 { "" } else { word };
            put(buf, (c.progress, y), c.time, &text::cut(word, cells, styles.glyphs), styles.of(Role::Dim));
        }
    }
    if c.time < c.cost
        && let Some(clock) = app.clock(row, selected)
    {
        let role = if row.late { Role::Warn } else { Role::Dim };
        put_right(buf, y, c.time, c.cost - 1, &text::clock(clock), styles.of(role));
    }
    c.progress
}

/// What its account has against the row.
fn waits(app: &App, row: &JobRow) -> Option<String> {
    let account = app.accounts().iter().find(|account| account.name == row.account)?;
    wait::note(app, account, row.state)
}

/// As many of a clip's facts as fit: first the shape goes, then the seconds.
fn shorter(facts: &str, room: usize) -> &str {
    let mut facts = facts;
    while text::width(facts) > room
        && let Some((fewer, _)) = facts.rsplit_once(" · ")
    {
        facts = fewer;
    }
    facts
}

/// The first few places in the queue; further back every order that is sent would change every row.
fn in_line(app: &App, row: &JobRow, c: &Columns) -> Option<String> {
    let place = app.jobs().counts().place(row, 9)?;
    let short = c.cost.saturating_sub(c.progress) < 14;
    Some(match place {
        1 => "next".to_owned(),
        n if short => format!("no. {n}"),
        n => format!("no. {n} in line"),
    })
}

fn note(row: &JobRow) -> Option<String> {
    row.note.clone().or_else(|| match row.state {
        JobState::Unconfirmed => Some("the order may have been taken; Enter says what is known".to_owned()),
        JobState::Held => Some("held".to_owned()),
        _ => None,
    })
}

/// The cost, or the expected one with a `~`; a dash where nothing will be charged any more.
fn cost(styles: &Styles, c: &Columns, y: u16, row: &JobRow, buf: &mut Buffer) {
    let (words, role) = match (row.cost, row.estimate) {
        (Some(cost), _) => (text::column(cost), Role::Money),
        (None, _) if matches!(row.state, JobState::Cancelled | JobState::Failed) => ("-    ".to_owned(), Role::Dim),
        (None, Some(estimate)) if estimate.currency == Currency::Quota => (text::column(estimate), Role::Dim),
        (None, Some(estimate)) => (format!("~{}", text::column(estimate)), Role::Dim),
        (None, None) => ("? ".to_owned(), Role::Dim),
    };
    put_right(buf, y, c.cost, c.end, &words, styles.of(role));
}

/// What to do next, where there is nothing to show.
fn empty(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let inside = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    let mut paper = Paper::new(inside.width);
    let context = app.contexts().first().copied().unwrap_or(Context::Jobs);
    let context = if context == Context::Compose { context } else { Context::Everywhere };
    let key = |action| app.keymap().shown(action, context).map(|key| key.to_string()).unwrap_or_default();
    if !app.is_ready() {
        paper.say(Role::Dim, "Opening the job list.");
    } else if !app.jobs().is_empty() {
        match (app.jobs().filter().problem(), app.is_searching()) {
            (Some(problem), _) => paper.say(Role::Warn, &format!("{problem}.")),
            (None, true) => paper.say(Role::Dim, "Searching."),
            (None, false) => paper.say(Role::Text, &format!("No job matches `{}`.", app.jobs().filter().text())),
        };
        paper.say(Role::Dim, "Esc shows all jobs again.");
    } else if app.read_only().is_some() {
        paper.say(Role::Strong, "No jobs yet.");
        paper.say(Role::Dim, "The process named at the top works here; what it queues is shown here too.");
    } else if app.accounts().is_empty() {
        paper.say(Role::Strong, "No account yet.");
        paper.say(Role::Text, "Set the key of a service you use, and start again:");
        paper.blank();
        for (variable, service) in
            [("NINJACHAT_API_KEY", "NinjaChat"), ("NANOGPT_API_KEY", "NanoGPT"), ("A4F_API_KEY", "A4F")]
        {
            paper.pair(variable, 20, Role::Dim, service);
        }
        paper.blank().say(Role::Dim, "rushes --sim tries everything on simulated services, without money.");
    } else {
        paper.say(Role::Strong, "No jobs yet.");
        let (new, model) = (key(Action::NewClip), key(Action::ChooseModel));
        let queue = app.keymap().shown(Action::Queue, Context::Compose).map(|key| key.to_string()).unwrap_or_default();
        paper.say(
            Role::Text,
            &format!("{new} goes to the prompt, {model} chooses a model, {queue} queues. The price stands below the form before anything is bought."),
        );
        if let Some(line) = app.simulated() {
            paper.blank().say(Role::Warn, line);
            paper.say(
                Role::Dim,
                "For real clips set NINJACHAT_API_KEY, NANOGPT_API_KEY or A4F_API_KEY and start again.",
            );
        }
    }
    paper.draw(buf, inside, 0, styles);
}
