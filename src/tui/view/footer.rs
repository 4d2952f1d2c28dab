//! The foot of the screen: the newest notice, and the keys that matter where the focus is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{put, put_right};
use super::text;
use crate::app::action::{Action, Context};
use crate::app::overlay::Overlay;
use crate::app::thrift::Thrift;
use crate::app::{App, may_be_retried};
use crate::domain::JobState;
use crate::domain::message::Level;
use crate::tui::theme::{Glyphs, Role, Styles};

/// The role and the mark of a notice's level; the marks differ without colour, too.
pub fn level_mark(level: Level, glyphs: Glyphs) -> (Role, &'static str) {
    match (level, glyphs) {
        (Level::Info, Glyphs::Unicode) => (Role::Ok, "·"),
        (Level::Info, Glyphs::Ascii) => (Role::Ok, "-"),
        (Level::Warning, _) => (Role::Warn, "!"),
        (Level::Error, Glyphs::Unicode) => (Role::Error, "×"),
        (Level::Error, Glyphs::Ascii) => (Role::Error, "x"),
    }
}

/// Draws the newest notice.
pub fn notice(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let Some(notice) = app.notices().newest().filter(|_| area.height > 0) else { return };
    let (role, mark) = level_mark(notice.level, styles.glyphs);
    let mut x = put(buf, (area.x + 1, area.y), area.right(), mark, styles.of(role)) + 1;
    let at = text::time(notice.at, app.now(), app.time_zone(), false);
    x = put(buf, (x, area.y), area.right(), &at, styles.of(Role::Dim)) + 1;
    let words = text::cut(&notice.text, usize::from(area.right().saturating_sub(x + 1)), styles.glyphs);
    let role = if notice.level == Level::Info { Role::Text } else { role };
    put(buf, (x, area.y), area.right(), &words, styles.of(role));
}

/// The actions worth a hint in a context, the most useful first; help always stands last.
fn hinted(context: Context) -> &'static [Action] {
    match context {
        Context::Jobs => &[
            Action::NewClip,
            Action::Filter,
            Action::ViewMenu,
            Action::Mark,
            Action::Details,
            Action::Palette,
            Action::Retry,
            Action::Cancel,
            Action::Hold,
            Action::Release,
            Action::NextNeedy,
            Action::CopyLink,
            Action::SortMenu,
            Action::ChooseModel,
            Action::Abandon,
            Action::Reuse,
            Action::Extend,
            Action::Tag,
            Action::Duplicate,
            Action::Notices,
            Action::Quit,
        ],
        Context::Compose => &[
            Action::Queue,
            Action::NextField,
            Action::ChooseModel,
            Action::LeaveForm,
            Action::MoreFields,
            Action::DraftCheaply,
            Action::Tips,
            Action::RemoveField,
            Action::Undo,
            Action::Quit,
        ],
        Context::Model => &[Action::Down, Action::PageDown, Action::ChooseModel, Action::LeaveForm, Action::NextPane],
        Context::Detail => &[
            Action::Close,
            Action::Down,
            Action::Retry,
            Action::Cancel,
            Action::Hold,
            Action::Release,
            Action::CopyLink,
            Action::CopyMenu,
            Action::Reuse,
            Action::Extend,
            Action::OpenClip,
            Action::Duplicate,
            Action::Tag,
        ],
        Context::Reading => &[Action::Close, Action::Classify, Action::Down, Action::PageDown],
        Context::Ask => &[Action::Accept, Action::OnlyNeeded, Action::Close],
        Context::Picker => &[Action::Accept, Action::Together, Action::Reorder, Action::Close, Action::Down],
        Context::Palette => &[Action::Accept, Action::Down, Action::Close],
        Context::More => &[Action::Accept, Action::RemoveField, Action::Close, Action::Down],
        Context::Filter => &[Action::Accept, Action::Close],
        Context::Views | Context::Sorting | Context::Copying => &[Action::Close],
        Context::Everywhere => &[],
    }
}

/// Draws the keys.
pub fn hints(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let Some(&context) = app.contexts().first() else { return };
    let everywhere = app.contexts().contains(&Context::Everywhere);
    let hint = |action: Action| -> Option<(String, &'static str)> {
        let typed = app.overlays().last().is_some_and(|o| matches!(o, Overlay::Ask(a) if a.is_typed()));
        let context = if typed { Context::Picker } else { context };
        app.keymap().shown(action, context).map(|key| (key.to_string(), action.entry().short))
    };
    let last = hint(Action::Help).filter(|_| everywhere);
    let width = |(key, word): &(String, &str)| text::width(key) + text::width(word) + 4;
    // A screen that moves less than it could says so, lest it be taken for stuck.
    let thrift = Some(app.thrift()).filter(|thrift| *thrift != Thrift::Full).map(Thrift::word);
    let kept = thrift.map_or(0, |word| text::width(word) + 2);
    let mut room = usize::from(area.width).saturating_sub(1 + kept + last.as_ref().map_or(0, width));
    let mut x = area.x + 1;
    let needy = app.jobs().counts().needy() > 0;
    let paused = app.accounts().iter().any(|account| account.pause.is_some());
    let resume = paused && app.read_only().is_none() && (everywhere || context == Context::Detail);
    // What the selected or marked jobs cannot do is not offered.
    let targets = app.target_states();
    let ours = app.read_only().is_none();
    let any = |fits: fn(JobState) -> bool| ours && targets.iter().any(|state| fits(*state));
    let useful = |action: &&Action| match action {
        Action::NextNeedy => needy,
        Action::Classify => ours && !app.spend().differences.is_empty(),
        Action::Cancel => any(JobState::is_unsent),
        Action::Hold => any(|state| state == JobState::Queued),
        Action::Release => any(|state| state == JobState::Held),
        Action::Retry => any(may_be_retried),
        Action::Extend => app.extendable(),
        Action::OpenClip => app.opens() && targets.contains(&JobState::Done),
        Action::OnlyNeeded => matches!(app.overlays().last(), Some(Overlay::Ask(ask)) if ask.switch.is_some()),
        Action::MoreFields => app.compose().form().offer().is_some_and(|offer| !offer.model.advanced.is_empty()),
        Action::RemoveField if context == Context::Compose => app.compose().is_in_added(),
        Action::Abandon => any(|state| !state.is_unsent()),
        Action::NewClip | Action::ChooseModel | Action::Quit | Action::Notices => true,
        _ => context != Context::Jobs || !app.jobs().is_empty(),
    };
    let (first, rest) = hinted(context).split_at(hinted(context).len().min(1));
    let resume: &[Action] = if resume { &[Action::Resume] } else { &[] };
    let listed =
        first.iter().chain(resume).chain(rest).filter(useful).filter_map(|action| hint(*action)).map_while(|hint| {
            room = room.checked_sub(width(&hint))?;
            Some(hint)
        });
    for (key, word) in listed.collect::<Vec<_>>().into_iter().chain(last) {
        x = put(buf, (x, area.y), area.right(), &key, styles.of(Role::Accent)) + 1;
        x = put(buf, (x, area.y), area.right(), word, styles.of(Role::Dim)) + 3;
    }
    if let Some(word) = thrift {
        put_right(buf, area.y, x, area.right().saturating_sub(1), word, styles.of(Role::Warn));
    }
}
