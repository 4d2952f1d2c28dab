//! What is done with the table beside moving in it: views, sorting, groups, moves in the queue, tags, copying
//! parts of a job, opening clips.
//!
//! Knows which command or effect each of them is. Must not know how the table finds its rows.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::action::{Action, Context};
use super::input::{Effect, Key};
use super::jobs::Jobs;
use super::line::Line;
use super::order::Column;
use super::overlay::{Ask, Need, Overlay, Then};
use super::verbs::{count, ids};
use super::{App, Waiting, views};
use crate::domain::message::{Command, Level};
use crate::domain::money::{add_up, in_words};
use crate::domain::{Job, JobId, JobState, Shift};

/// What of a job is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// The clip's path, or its link while it is not on disk.
    Clip,
    Prompt,
    Link,
    Path,
    Id,
    Json,
}

impl App {
    /// Whether jobs are still to be looked at for what is shown.
    pub fn is_searching(&self) -> bool {
        self.jobs.is_searching()
    }

    /// Looks at the next of them; a bounded number, so that keys never wait.
    pub fn search_on(&mut self) {
        let seen = |jobs: &Jobs| (jobs.shown(), jobs.searched(), jobs.marked());
        let before = seen(&self.jobs);
        self.jobs.work();
        if before != seen(&self.jobs) {
            self.touch();
        }
    }

    /// Tells the table what its filter cannot know: paused accounts, the day.
    pub(super) fn tell_table(&mut self) {
        let paused: BTreeSet<String> =
            self.accounts.iter().filter(|account| account.pause.is_some()).map(|a| a.name.clone()).collect();
        let now = self.now.to_zoned(self.options.time_zone.clone());
        let midnight = now.start_of_day().map_or(self.now, |day| day.timestamp());
        self.tomorrow = now
            .tomorrow()
            .and_then(|day| day.start_of_day())
            .ok()
            .map(|day| day.timestamp())
            .filter(|at| *at > self.now);
        self.jobs.look_through(paused, midnight, self.now);
    }

    /// When another day begins, where what is shown asks for today.
    pub(super) fn day_end(&self) -> Option<Timestamp> {
        self.tomorrow.filter(|_| self.jobs.filter().asks_for_today())
    }

    /// What is shown of today is looked for again once another day began.
    pub(super) fn turn_day(&mut self) {
        if self.day_end().is_some_and(|end| self.now >= end) {
            self.tell_table();
            self.touch();
        }
    }

    pub(super) fn filter_by(&mut self, text: &str) {
        self.tell_table();
        self.jobs.set_filter(text);
    }

    /// The name of the view that is shown, where it is one.
    pub fn view_name(&self) -> Option<&str> {
        let text = self.jobs.filter().text();
        let built_in = [views::ATTENTION, views::ACTIVE, views::DONE, views::FAILED];
        let own = self.options.views.iter().find(|view| view.text == text).map(|view| view.name.as_str());
        own.or_else(|| built_in.iter().find(|(_, known)| *known == text).map(|(name, _)| *name))
    }

    pub(super) fn open_menu(&mut self, context: Context) {
        self.overlays.push(Overlay::Menu(context));
    }

    /// Does what was chosen in a menu; `key` tells the user's own views apart.
    pub(super) fn choose(&mut self, action: Action, key: Key) -> Vec<Effect> {
        if matches!(self.overlays.last(), Some(Overlay::Menu(_))) {
            self.overlays.pop();
        }
        let text = match action {
            Action::ViewAll => String::new(),
            Action::ViewAttention => views::ATTENTION.1.to_owned(),
            Action::ViewActive => views::ACTIVE.1.to_owned(),
            Action::ViewDone => views::DONE.1.to_owned(),
            Action::ViewFailed => views::FAILED.1.to_owned(),
            Action::ViewBatch => match self.jobs.selected().and_then(|row| row.batch) {
                Some(batch) => format!("batch:{batch}"),
                None => {
                    self.say(Level::Info, "the selected job came with no batch");
                    return Vec::new();
                }
            },
            Action::OwnView => {
                let digit = key.typed().and_then(|c| c.to_digit(10)).unwrap_or(0) as usize;
                match digit.checked_sub(1).and_then(|at| self.options.views.get(at)) {
                    Some(view) => view.text.clone(),
                    None => {
                        self.say(
                            Level::Info,
                            format!("there is no view {digit}; views are named under [views] in config.toml"),
                        );
                        return Vec::new();
                    }
                }
            }
            _ => return self.sort_or_copy(action),
        };
        self.show_view(&text);
        Vec::new()
    }

    /// Shows what this filter lets through, from its first line on.
    pub(super) fn show_view(&mut self, text: &str) {
        self.filter_by(text);
        self.jobs.move_first();
    }

    fn sort_or_copy(&mut self, action: Action) -> Vec<Effect> {
        let column = match action {
            Action::SortNewest => Column::Newest,
            Action::SortState => Column::State,
            Action::SortModel => Column::Model,
            Action::SortAccount => Column::Account,
            Action::SortPrompt => Column::Prompt,
            Action::SortProgress => Column::Progress,
            Action::SortTime => Column::Time,
            Action::SortCost => Column::Cost,
            Action::SortQueue => Column::Queue,
            Action::CopyPrompt => return self.copy(Copied::Prompt),
            Action::CopyUrl => return self.copy(Copied::Link),
            Action::CopyPath => return self.copy(Copied::Path),
            Action::CopyId => return self.copy(Copied::Id),
            Action::CopyJson => return self.copy(Copied::Json),
            _ => return Vec::new(),
        };
        self.tell_table();
        self.jobs.sort_by(column);
        Vec::new()
    }

    /// Goes to the next job that needs the user; where the filter hides them all, to the view of them.
    pub(super) fn next_needy(&mut self) {
        self.tell_table();
        if self.jobs.move_to_needy() {
            return;
        }
        if self.jobs.counts().needy() > 0 {
            self.filter_by(views::ATTENTION.1);
            self.jobs.move_first();
        } else {
            self.say(Level::Info, "no job waits for you");
        }
    }

    pub(super) fn move_in_queue(&mut self, to: Shift) -> Vec<Effect> {
        let queued = |state| state == JobState::Queued;
        let rows = self.fitting(queued, "only queued jobs stand in a queue and can be moved in it");
        if rows.is_empty() {
            return Vec::new();
        }
        // The marks stay: a block is often moved several places.
        vec![self.send(Command::Move { ids: ids(&rows), to }, Waiting::Quiet)]
    }

    pub(super) fn duplicate(&mut self) {
        let rows = self.fitting(|_| true, "");
        if rows.is_empty() {
            return;
        }
        let (sums, unknown) = add_up(rows.iter().map(|row| row.estimate.or(row.cost)));
        let lines = vec![
            format!("Makes {}, for {}.", count(rows.len(), "new job", "new jobs"), in_words(&sums, unknown)),
            "Each asks for the same as its original and is a new order at its own price.".to_owned(),
        ];
        let lines = lines.into_iter().chain(self.unseen(&rows)).chain(self.strained_by(&rows)).collect();
        let then = Then::Send(Command::Duplicate { ids: ids(&rows) });
        self.overlays.push(Overlay::Ask(Ask::new("Duplicate", lines, then)));
    }

    pub(super) fn tag(&mut self) {
        let rows = self.fitting(|_| true, "");
        let Some(first) = rows.first() else { return };
        let mut lines = vec![match rows.len() {
            1 => format!("Which tags shall {} have? `-word` takes one off.", first.id),
            n => format!("Which tags shall {n} jobs get? `-word` takes one off."),
        }];
        let mut tags: Vec<&str> = rows.iter().flat_map(|row| &row.tags).map(String::as_str).collect();
        tags.sort_unstable();
        tags.dedup();
        if !tags.is_empty() {
            lines.push(format!("Now: {}.", tags.join(", ")));
        }
        lines.extend(self.unseen(&rows));
        let ask = Ask::new("Tag", lines, Then::Tag(ids(&rows))).needing(Need::Tags);
        self.overlays.push(Overlay::Ask(ask));
    }

    /// The command for what was typed: labels to add, and with a dash before them to take off.
    pub(super) fn tags_of(answer: &Line, ids: Vec<JobId>) -> Command {
        let words: Vec<&str> = answer.text().split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let (off, on): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.starts_with('-'));
        let owned = |words: Vec<&str>| words.into_iter().map(|word| word.trim_start_matches('-').to_owned()).collect();
        Command::Tag { ids, add: owned(on), remove: owned(off) }
    }

    pub(super) fn copy(&mut self, what: Copied) -> Vec<Effect> {
        let Some(id) = self.one_target() else { return Vec::new() };
        if what == Copied::Id {
            return self.copy_text("id", id.to_string());
        }
        match self.known(id).cloned() {
            Some(job) => self.copy_of(what, &job),
            None => vec![self.send(Command::Inspect { id }, Waiting::Copy(what))],
        }
    }

    pub(super) fn copy_of(&mut self, what: Copied, job: &Job) -> Vec<Effect> {
        let path = job.files.first().map(|file| file.path.clone());
        let link = job.links.first().cloned();
        let (name, text) = match what {
            Copied::Prompt => ("prompt", Some(job.request.prompt.clone())),
            Copied::Link => ("link", link),
            Copied::Path => ("path", path),
            Copied::Id => ("id", Some(job.id.to_string())),
            Copied::Json => ("record", serde_json::to_string_pretty(&job.record()).ok()),
            Copied::Clip => ("file and no link", path.or(link)),
        };
        match text {
            Some(text) => self.copy_text(name, text),
            None => {
                self.say(Level::Info, format!("{} has no {name} yet", job.id));
                Vec::new()
            }
        }
    }

    fn copy_text(&mut self, name: &str, text: String) -> Vec<Effect> {
        let said = match name {
            "record" => "the job's record".to_owned(),
            _ => text.clone(),
        };
        if !self.options.copies {
            self.say(Level::Info, format!("no clipboard here (clipboard in the config): {said}"));
            return Vec::new();
        }
        self.say(Level::Info, format!("sent to the terminal's clipboard: {said}"));
        vec![Effect::Copy(text)]
    }

    /// Opens the clip or its folder with the user's command.
    pub(super) fn open(&mut self, folder: bool) -> Vec<Effect> {
        let Some(id) = self.one_target() else { return Vec::new() };
        if !self.options.opens {
            let key = self.key_of(Action::CopyLink);
            let text = format!(
                "no command opens clips here; set open_command = \"mpv {{path}}\" in config.toml, or copy the path with {key}"
            );
            self.say(Level::Info, text);
            return Vec::new();
        }
        match self.known(id).cloned() {
            Some(job) => self.open_of(&job, folder),
            None => vec![self.send(Command::Inspect { id }, Waiting::Open { folder })],
        }
    }

    pub(super) fn open_of(&mut self, job: &Job, folder: bool) -> Vec<Effect> {
        let Some(file) = job.files.first() else {
            self.say(Level::Info, format!("{} has no file on disk yet", job.id));
            return Vec::new();
        };
        let parent = std::path::Path::new(&file.path).parent().map(|path| path.display().to_string());
        let path = parent.filter(|_| folder).unwrap_or_else(|| file.path.clone());
        self.say(Level::Info, format!("opening {path}"));
        vec![Effect::Open(path)]
    }

    /// The key that queues the form.
    pub(super) fn queue_key(&self) -> String {
        self.options.keymap.shown(Action::Queue, Context::Compose).map(|key| key.to_string()).unwrap_or_default()
    }

    /// The key that does something in the table.
    pub(super) fn key_of(&self, action: Action) -> String {
        self.options.keymap.shown(action, Context::Jobs).map(|key| key.to_string()).unwrap_or_default()
    }
}
