//! The form: prompt, model, fields, problems and the price of what is about to be queued.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use super::paint::{Paper, frame, put, put_right};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::app::compose::{Compose, Spot};
use crate::app::form::{Entry, Field};
use crate::app::geometry::Pane;
use crate::app::line::Line;
use crate::app::tips::FORMULA;
use crate::domain::money::in_words;
use crate::tui::theme::{Glyphs, Role, Styles};

/// Fewest and most columns of the labels.
const INDENT: (u16, u16) = (12, 20);

/// Draws the form; returns the cursor when the form has the focus.
pub fn render(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let compose = app.compose();
    let focused = app.focus() == Pane::Compose;
    let max = compose.form().offer().and_then(|offer| offer.model.prompt_max);
    let len = compose.prompt().len();
    let length = match max {
        Some(max) => format!("{len}/{max}"),
        None if len > 0 => len.to_string(),
        None => String::new(),
    };
    let inside = frame(buf, area, styles, focused, "Compose", &length);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let foot = foot(app, inside.width);
    let foot_rows = rows(foot.rows()).min(inside.height.saturating_sub(3));
    let stops = stops(compose);
    // The prompt keeps what its text fills and a row more, at least three rows, at most a third of the pane.
    let free = inside.height.saturating_sub(foot_rows + 2);
    let filled = rows(text::wrap(&compose.prompt().text(), usize::from(inside.width)).len() + 1);
    let least = filled.min((inside.height / 3).clamp(3, 12)).max(3).min(free);
    let field_rows = rows(stops.len()).min(free.saturating_sub(least));
    let prompt_rows = inside.height.saturating_sub(foot_rows + field_rows + 2);
    let prompt = Rect { height: prompt_rows, ..inside };
    let fields = Rect { y: prompt.bottom() + 1, height: field_rows, ..inside }.intersection(inside);
    let bottom = Rect { y: inside.bottom().saturating_sub(foot_rows), height: foot_rows, ..inside };
    let in_prompt = draw_prompt(app, styles, prompt, buf);
    let in_fields = draw_fields(compose, styles, fields, &stops, focused, buf);
    foot.draw(buf, bottom, 0, styles);
    let cursor = if compose.spot() == Spot::Prompt { in_prompt } else { in_fields };
    cursor.filter(|at| focused && inside.contains(*at))
}

fn rows(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn draw_prompt(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.height == 0 || area.width == 0 {
        return None;
    }
    buf.set_style(area, styles.of(Role::Text));
    let prompt = app.compose().prompt();
    prompt.editor().render(area, buf);
    if prompt.is_empty() {
        let hint = |action| app.keymap().shown(action, Context::Compose).map(|key| key.to_string()).unwrap_or_default();
        let tips = format!("{} shows weak and strong prompts", hint(Action::Tips));
        let lines = ["What shall the clip show?", FORMULA, &tips];
        let lines = lines.iter().flat_map(|line| text::wrap(line, usize::from(area.width)));
        for (y, line) in (area.top()..area.bottom()).zip(lines) {
            put(buf, (area.x, y), area.right(), &line, styles.of(Role::Dim));
        }
    }
    let (x, y) = prompt.cursor();
    Some(Position::new((area.x + x).min(area.right().saturating_sub(1)), area.y + y))
}

/// The form's stops below the prompt.
fn stops(compose: &Compose) -> Vec<Spot> {
    let fields = (0..compose.form().fields().len()).map(Spot::Field);
    let ceiling = compose.needs_ceiling().then_some(Spot::Ceiling);
    [Spot::Model].into_iter().chain(fields).chain(ceiling).chain([Spot::Copies]).collect()
}

fn draw_fields(
    compose: &Compose,
    styles: &Styles,
    area: Rect,
    stops: &[Spot],
    focused: bool,
    buf: &mut Buffer,
) -> Option<Position> {
    let shown = usize::from(area.height);
    let at = stops.iter().position(|stop| *stop == compose.spot()).unwrap_or(0);
    let first = (at + 1).saturating_sub(shown);
    let longest = compose.form().fields().iter().map(|field| text::width(&text::label(&field.parameter.name))).max();
    let indent = u16::try_from(longest.unwrap_or(0) + 3).unwrap_or(INDENT.1).clamp(INDENT.0, INDENT.1);
    let mut cursor = None;
    let hidden = stops.len().saturating_sub(first + shown);
    let below = if hidden > 0 { format!(" +{hidden} below") } else { String::new() };
    for (y, stop) in (area.top()..area.bottom()).zip(&stops[first.min(stops.len())..]) {
        let here = focused && *stop == compose.spot();
        let kept = if y + 1 == area.bottom() { rows(below.len()) } else { 0 };
        let row = Rect { y, height: 1, width: area.width.saturating_sub(kept), ..area };
        let found = draw_stop(compose, styles, row, indent, (*stop, here), buf);
        if here {
            cursor = found;
        }
    }
    if hidden > 0 && area.height > 0 {
        put_right(buf, area.bottom() - 1, area.x, area.right(), &below, styles.of(Role::Dim));
    }
    cursor
}

fn draw_stop(
    compose: &Compose,
    styles: &Styles,
    row: Rect,
    indent: u16,
    (stop, here): (Spot, bool),
    buf: &mut Buffer,
) -> Option<Position> {
    let fields = compose.form().fields();
    let (name, label) = match stop {
        Spot::Prompt => return None,
        Spot::Model => ("model", "model".to_owned()),
        Spot::Copies => ("copies", "copies".to_owned()),
        Spot::Ceiling => ("at most", "at most $".to_owned()),
        Spot::Field(index) => (fields[index].parameter.name.as_str(), text::label(&fields[index].parameter.name)),
    };
    let wrong = compose.problems().any(|problem| problem.field == name);
    let role = if wrong {
        Role::Error
    } else if here {
        Role::Accent
    } else {
        Role::Dim
    };
    let mark = if wrong { "!" } else { "" };
    let label = text::cut(&label, usize::from(indent) - 2, styles.glyphs);
    put(buf, (row.x, row.y), row.right(), &format!("{label}{mark}"), styles.of(role));
    let value = Rect { x: row.x + indent, width: row.width.saturating_sub(indent), ..row };
    match stop {
        Spot::Prompt => None,
        Spot::Model => {
            let name = compose.model_name();
            let (words, role) =
                if name.is_empty() { ("choose one", Role::Warn) } else { (name.as_str(), Role::Strong) };
            let more = match compose.others().len() {
                0 => String::new(),
                n => format!(" +{n}"),
            };
            let room = usize::from(value.width).saturating_sub(more.len());
            // Where the line is short the account goes first: the sidebar names the service.
            let short = words.split_once('/').filter(|_| text::width(words) > room).map(|(_, id)| format!("…/{id}"));
            let words = text::cut(short.as_deref().unwrap_or(words), room, styles.glyphs);
            let x = put(buf, (value.x, value.y), value.right(), &words, styles.of(role));
            put(buf, (x, value.y), value.right(), &more, styles.of(Role::Accent));
            Some(Position::new(value.x, value.y))
        }
        Spot::Copies => stepper(styles, value, &compose.copies().to_string(), here, "", buf),
        Spot::Ceiling => typed(styles, value, compose.ceiling(), "the price is unknown", here, buf),
        Spot::Field(index) => draw_field(compose, styles, value, index, here, buf),
    }
}

fn draw_field(
    compose: &Compose,
    styles: &Styles,
    area: Rect,
    index: usize,
    here: bool,
    buf: &mut Buffer,
) -> Option<Position> {
    let field: &Field = &compose.form().fields()[index];
    match &field.entry {
        Entry::Typed(line) => {
            let count = counted(field).map(|(full, short)| if area.width < 36 { short } else { full });
            let count = count.map(|count| format!(" {count}")).unwrap_or_default();
            let end = put_right(buf, area.y, area.x, area.right(), &count, styles.of(Role::Dim));
            typed(styles, Rect { width: end - area.x, ..area }, line, &field.hint(), here, buf)
        }
        Entry::Choice { choices, at } => {
            let name = &field.parameter.name;
            let value = at.and_then(|at| choices.get(at)).map_or_else(|| "-".to_owned(), |v| text::value(name, v));
            let legal = compose.form().legal(index).into_iter().filter(|i| Some(*i) != *at);
            let others: Vec<String> = legal.map(|i| crate::domain::text::plain(&choices[i])).collect();
            let range = field.parameter.range.filter(|_| others.len() > 8).map(|range| range.text());
            stepper(styles, area, &value, here, &range.unwrap_or_else(|| others.join(" ")), buf)
        }
    }
}

/// How many links stand in a list of them, at length and short; `None` where none does.
fn counted(field: &Field) -> Option<(String, String)> {
    let (n, max) = field.links().filter(|(n, _)| *n > 0)?;
    Some(match max {
        Some(max) => (format!("{n} of {max} links"), format!("{n}/{max}")),
        None => (format!("{n} {}", if n == 1 { "link" } else { "links" }), n.to_string()),
    })
}

/// A value that is stepped through, and the others that it could be.
fn stepper(styles: &Styles, area: Rect, value: &str, here: bool, others: &str, buf: &mut Buffer) -> Option<Position> {
    let (left, right) = if styles.glyphs == Glyphs::Unicode { ("‹ ", " ›") } else { ("< ", " >") };
    let arrows = styles.of(if here { Role::Accent } else { Role::Dim });
    let value = text::cut(value, usize::from(area.width.saturating_sub(4)), styles.glyphs);
    let start = put(buf, (area.x, area.y), area.right(), left, arrows);
    let x = put(buf, (start, area.y), area.right(), &value, styles.of(if here { Role::Strong } else { Role::Text }));
    let x = put(buf, (x, area.y), area.right(), right, arrows) + 2;
    let room = usize::from(area.right().saturating_sub(x));
    if room > 2 {
        put(buf, (x, area.y), area.right(), &text::cut(others, room, styles.glyphs), styles.of(Role::Dim));
    }
    Some(Position::new(start, area.y))
}

/// A typed line, scrolled sideways so that its cursor is seen; what it takes while it is empty.
pub fn typed(styles: &Styles, area: Rect, line: &Line, hint: &str, here: bool, buf: &mut Buffer) -> Option<Position> {
    let width = usize::from(area.width);
    if line.text().is_empty() {
        put(buf, (area.x, area.y), area.right(), &text::cut(hint, width, styles.glyphs), styles.of(Role::Dim));
        return Some(Position::new(area.x, area.y));
    }
    let before = text::tame(line.before_cursor());
    let mut skip = 0;
    while text::width(&before[skip..]) >= width.max(1) && skip < before.len() {
        skip += before[skip..].chars().next().map_or(1, char::len_utf8);
    }
    let shown =
        if here { text::tame(line.text())[skip..].to_owned() } else { text::cut(line.text(), width, styles.glyphs) };
    put(buf, (area.x, area.y), area.right(), &shown, styles.of(if here { Role::Strong } else { Role::Text }));
    let x = area.x + u16::try_from(text::width(&before[skip..])).unwrap_or(0);
    Some(Position::new(x.min(area.right().saturating_sub(1)), area.y))
}

/// Problems, price and keys at the foot of the form.
fn foot(app: &App, width: u16) -> Paper {
    let compose = app.compose();
    let mut paper = Paper::new(width);
    let mut problems: Vec<String> = Vec::new();
    for problem in compose.problems() {
        let words = format!("{}: {}", problem.field, problem.message);
        // Every copy has it.
        if !problems.contains(&words) {
            problems.push(words);
        }
    }
    for problem in problems.iter().take(3) {
        paper.say(Role::Error, problem);
    }
    if problems.len() > 3 {
        paper.say(Role::Error, &format!("and {} more", problems.len() - 3));
    }
    if let Spot::Field(index) = compose.spot()
        && let Some((field, (count, _))) = compose.form().fields().get(index).and_then(|f| Some((f, counted(f)?)))
    {
        paper.say(Role::Dim, &format!("{}: {count}", text::label(&field.parameter.name)));
    }
    let key =
        |action: Action| app.keymap().shown(action, Context::Compose).map(|key| key.to_string()).unwrap_or_default();
    if let Some(was) = compose.was() {
        paper.say(Role::Accent, &format!("draft: was {was}; {} goes back", key(Action::DraftCheaply)));
    }
    if let Some(parent) = compose.parent() {
        paper.say(Role::Accent, &format!("goes on from {parent}"));
    }
    price(compose, &mut paper);
    if let Some(drift) = compose.drift() {
        paper.say(Role::Warn, &drift.text(app.time_zone()));
    }
    if compose.is_pending() {
        paper.say(Role::Warn, "being written to disk");
    } else {
        let (queue, model) = (key(Action::Queue), key(Action::ChooseModel));
        paper.line(&[(&queue, Role::Accent), (" queue   ", Role::Dim), (&model, Role::Accent), (" model", Role::Dim)]);
    }
    paper
}

fn price(compose: &Compose, paper: &mut Paper) {
    let Some(quote) = compose.quote() else { return };
    let others = compose.others();
    if let Some(offer) = compose.form().offer().filter(|_| !others.is_empty()) {
        for (offer, price) in std::iter::once(offer).chain(others).zip(&quote.by_model) {
            let price = price.map_or_else(|| "price unknown".to_owned(), |price| price.to_string());
            paper.entry(Role::Dim, &offer.model_ref().to_string(), Role::Money, &price);
        }
    }
    let jobs = if quote.jobs == 1 { "1 job".to_owned() } else { format!("{} jobs", quote.jobs) };
    let models = if others.is_empty() { String::new() } else { format!(" at {} models", others.len() + 1) };
    if quote.sums.is_empty() {
        let words = format!("{jobs}{models}, price unknown: held until you say the most a clip may cost");
        paper.say(Role::Warn, &words);
    } else {
        let most = if quote.needs_ceiling && quote.unknown == 0 { "at most " } else { "" };
        let each = quote.each.filter(|_| quote.jobs > 1).map(|each| format!(" at {each}")).unwrap_or_default();
        let total = in_words(&quote.sums, quote.unknown);
        let leaves =
            quote.leaves.filter(|_| quote.exceeds.is_empty()).map(|left| format!(", leaves {}", text::cents(left)));
        paper.say(Role::Money, &format!("{jobs}{models}{each}, {most}{total}{}", leaves.unwrap_or_default()));
    }
    for (account, by) in &quote.exceeds {
        paper.say(Role::Error, &format!("{by} more than {account} holds"));
    }
    if let Some((cap, by)) = quote.over_cap {
        paper.say(Role::Warn, &format!("{by} over the {cap}'s cap: what passes it is held"));
    }
}
