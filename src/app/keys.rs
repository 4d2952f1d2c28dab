//! From a key to what it does: which context it is pressed in, which action that is, and the actions
//! that move about the screen. Verbs on jobs are in `verbs`.

use crossterm::event::KeyCode;
use jiff::SignedDuration;

use super::action::{Action, Context};
use super::geometry::Pane;
use super::input::{Effect, Key};
use super::line::Line;
use super::overlay::{Ask, Overlay, Scroll};
use super::picker::Picker;
use super::table::Copied;
use super::{App, Waiting};
use crate::domain::Shift;
use crate::domain::message::{Command, Level, Offer};

/// So long after a question ended by itself, and after each key since, a key was meant for it.
const LATE: SignedDuration = SignedDuration::from_millis(800);

/// So long the key that answered a question does nothing else.
const ECHO: SignedDuration = SignedDuration::from_millis(400);

impl App {
    /// Where keys are pressed now; looked through in turn.
    pub fn contexts(&self) -> &'static [Context] {
        match (self.overlays.last(), &self.filtering, self.focus) {
            (Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::Tips(_)), ..) => &[Context::Reading],
            (Some(Overlay::Detail { .. }), ..) => &[Context::Detail, Context::Reading],
            (Some(Overlay::Ask(_)), ..) => &[Context::Ask],
            (Some(Overlay::Picker(_)), ..) => &[Context::Picker],
            (Some(Overlay::More(_)), ..) => &[Context::More],
            (Some(Overlay::Palette(_)), ..) => &[Context::Palette],
            (Some(Overlay::Menu(Context::Views)), ..) => &[Context::Views],
            (Some(Overlay::Menu(Context::Sorting)), ..) => &[Context::Sorting],
            (Some(Overlay::Menu(_)), ..) => &[Context::Copying],
            (None, Some(_), _) => &[Context::Filter],
            (None, None, Pane::Jobs) => &[Context::Jobs, Context::Everywhere],
            (None, None, Pane::Compose) => &[Context::Compose, Context::Everywhere],
            (None, None, Pane::Model) => &[Context::Model, Context::Everywhere],
        }
    }

    pub(super) fn press(&mut self, key: Key) -> Vec<Effect> {
        // A second press of the key that answered a question was meant for the question.
        if let Some((answered, at)) = self.answered_by.take()
            && answered == key
            && self.now.duration_since(at) < ECHO
        {
            self.answered_by = Some((key, at));
            return Vec::new();
        }
        // A word that was being typed must not become verbs.
        let late = self.ended_at.take().is_some_and(|at| self.now.duration_since(at) < LATE);
        if late && (key.typed().is_some() || key.code == KeyCode::Enter) {
            self.ended_at = Some(self.now);
            return Vec::new();
        }
        let asked = self.questions();
        let effects = self.press_through(key);
        if self.questions() < asked && key.typed().is_some() {
            self.answered_by = Some((key, self.now));
        }
        effects
    }

    /// How many questions lie over the panes.
    fn questions(&self) -> usize {
        self.overlays.iter().filter(|overlay| matches!(overlay, Overlay::Ask(_))).count()
    }

    fn press_through(&mut self, key: Key) -> Vec<Effect> {
        let contexts = self.contexts();
        let over = !contexts.contains(&Context::Everywhere);
        let typed = key.typed().is_some()
            && (contexts.iter().any(|c| c.takes_text())
                || matches!(self.overlays.last(), Some(Overlay::Ask(ask)) if ask.is_typed()));
        if !typed {
            let keymap = &self.options.keymap;
            let anywhere = || keymap.find(&[Context::Everywhere], key).filter(|a| over && a.works_over_overlays());
            if let Some(action) = keymap.find(contexts, key).or_else(anywhere) {
                return self.perform(action, key);
            }
        }
        self.type_key(key)
    }

    pub(super) fn perform(&mut self, action: Action, key: Key) -> Vec<Effect> {
        match action {
            Action::Up => self.scroll(|scroll| scroll.move_by(-1), -1),
            Action::Down => self.scroll(|scroll| scroll.move_by(1), 1),
            Action::PageUp => self.page(false),
            Action::PageDown => self.page(true),
            Action::First => self.scroll(|scroll| scroll.move_by(isize::MIN / 2), isize::MIN / 2),
            Action::Last => self.scroll(|scroll| scroll.move_by(isize::MAX / 2), isize::MAX / 2),
            Action::NextNeedy => self.next_needy(),
            Action::Mark => self.jobs.toggle_mark(),
            Action::MarkAll => self.jobs.mark_all(),
            Action::ClearMarks => {
                if !self.jobs.clear_marks() && !self.notices.dismiss() {
                    if self.jobs.filter().text().is_empty() {
                        self.jobs.stand_plainly();
                    }
                    self.filter_by("");
                }
            }
            Action::Filter => {
                let before = self.jobs.filter().text().to_owned();
                self.filtering = Some((Line::new(before.clone()), before));
            }
            Action::ViewMenu => self.open_menu(Context::Views),
            Action::SortMenu => self.open_menu(Context::Sorting),
            Action::CopyMenu => self.open_menu(Context::Copying),
            Action::Group => {
                self.tell_table();
                let next = self.jobs.group().next();
                self.jobs.group_by(next);
            }
            Action::Details => self.open_details(),
            Action::Extend => return self.extend(),
            Action::Retry => self.retry(),
            Action::Cancel => return self.cancel(),
            Action::Hold => return self.hold(),
            Action::Abandon => return self.abandon(),
            Action::Adopt => self.adopt(),
            Action::WriteOff => self.write_off(),
            Action::Release => return self.release(),
            Action::Duplicate => self.duplicate(),
            Action::Tag => self.tag(),
            Action::MoveUp => return self.move_in_queue(Shift::Up),
            Action::MoveDown => return self.move_in_queue(Shift::Down),
            Action::MoveTop => return self.move_in_queue(Shift::Top),
            Action::MoveBottom => return self.move_in_queue(Shift::Bottom),
            Action::OpenClip => return self.open(false),
            Action::OpenFolder => return self.open(true),
            Action::ViewAll
            | Action::ViewAttention
            | Action::ViewActive
            | Action::ViewDone
            | Action::ViewFailed
            | Action::ViewBatch
            | Action::OwnView
            | Action::SortNewest
            | Action::SortState
            | Action::SortModel
            | Action::SortAccount
            | Action::SortPrompt
            | Action::SortProgress
            | Action::SortTime
            | Action::SortCost
            | Action::SortQueue
            | Action::CopyPrompt
            | Action::CopyUrl
            | Action::CopyPath
            | Action::CopyId
            | Action::CopyJson => return self.choose(action, key),
            Action::CopyLink => return self.copy(Copied::Clip),
            Action::Reuse => return self.reuse(),
            Action::Queue => return self.queue(),
            Action::NextField => return self.next_field(true),
            Action::PreviousField => return self.next_field(false),
            Action::StepForward => return self.step(true, key),
            Action::StepBack => return self.step(false, key),
            Action::Undo => return self.undo(false),
            Action::Redo => return self.undo(true),
            Action::Editor => return self.edit_outside(),
            Action::MoreFields => self.open_more(),
            Action::RemoveField => return self.remove_field(),
            Action::DraftCheaply => return self.draft_cheaply(),
            Action::Tips => self.overlays.push(Overlay::Tips(Scroll::default())),
            Action::LeaveForm | Action::ShowJobs => return self.go_to(Pane::Jobs),
            Action::NewClip => {
                self.compose.go_to_prompt();
                return self.go_to(Pane::Compose);
            }
            Action::ShowCompose => return self.go_to(Pane::Compose),
            Action::ShowModel => return self.go_to(Pane::Model),
            Action::ChooseModel => self.open_picker(),
            Action::NextPane => return self.next_pane(true),
            Action::PreviousPane => return self.next_pane(false),
            Action::Notices => self.overlays.push(Overlay::Notices(Scroll::default())),
            Action::Balances => return self.refresh_balances(),
            Action::RefreshModels => return self.refresh_models(),
            Action::Resume => return self.resume(),
            Action::Classify => self.classify(),
            Action::Palette => self.open_palette(),
            Action::Help => self.overlays.push(Overlay::Help(Scroll::default())),
            Action::Repaint => return vec![Effect::Repaint],
            Action::Thrift => return self.change_thrift(),
            Action::Suspend => return self.save_draft().into_iter().chain([Effect::Suspend]).collect(),
            Action::Quit => return self.quit(),
            Action::Close | Action::Decline => self.close(),
            Action::Accept => return self.accept(),
            Action::Together => {
                if let Some(Overlay::Picker(picker)) = self.overlays.last_mut() {
                    picker.toggle();
                }
            }
            Action::Reorder => {
                if let Some(Overlay::Picker(picker)) = self.overlays.last_mut() {
                    picker.reorder();
                }
            }
            Action::OnlyNeeded => {
                if let Some(Overlay::Ask(Ask { switch: Some(switch), .. })) = self.overlays.last_mut() {
                    switch.on = !switch.on;
                }
            }
        }
        Vec::new()
    }

    /// Moves whatever is scrolled here: a text, the list of models, the selection.
    fn scroll(&mut self, text: impl Fn(&mut Scroll), lines: isize) {
        match self.overlays.last_mut() {
            Some(overlay) => match overlay.scroll_mut() {
                Some(scroll) => text(scroll),
                None => overlay.move_by(lines),
            },
            None if self.focus == Pane::Model => text(&mut self.model_scroll),
            None if lines < -1 => self.jobs.move_first(),
            None if lines > 1 => self.jobs.move_last(),
            None => self.jobs.move_by(lines),
        }
    }

    fn page(&mut self, down: bool) {
        match self.overlays.last_mut() {
            Some(overlay) => match overlay.scroll_mut() {
                Some(scroll) => scroll.move_page(down),
                None => overlay.move_by(if down { 10 } else { -10 }),
            },
            None if self.focus == Pane::Jobs => self.jobs.move_page(down),
            None => self.scroll(|scroll| scroll.move_page(down), 0),
        }
    }

    /// Puts the focus on a pane; a form that is left is saved.
    pub(super) fn go_to(&mut self, pane: Pane) -> Vec<Effect> {
        let left = self.focus == Pane::Compose && pane != Pane::Compose;
        self.focus = pane;
        self.lay_out();
        if left { self.save_draft().into_iter().collect() } else { Vec::new() }
    }

    fn next_pane(&mut self, forward: bool) -> Vec<Effect> {
        let at = Pane::ALL.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        let count = Pane::ALL.len();
        let next = if forward { at + 1 } else { at + count - 1 };
        self.go_to(Pane::ALL[next % count])
    }

    fn next_field(&mut self, forward: bool) -> Vec<Effect> {
        self.compose.go_round(forward);
        Vec::new()
    }

    fn step(&mut self, forward: bool, key: Key) -> Vec<Effect> {
        if self.compose.step(forward, self.now) { self.form_changed() } else { self.type_below(key) }
    }

    fn undo(&mut self, redo: bool) -> Vec<Effect> {
        self.compose.undo(redo, self.now);
        self.form_changed()
    }

    /// Hands the prompt to the user's editor; it is on disk before.
    fn edit_outside(&mut self) -> Vec<Effect> {
        let text = self.compose.prompt().text();
        self.save_draft().into_iter().chain([Effect::Edit(text)]).collect()
    }

    /// Takes the prompt back from the user's editor, as one edit.
    pub(super) fn edited_outside(&mut self, text: &str) -> Vec<Effect> {
        let cut = self.compose.put_prompt(text, self.now);
        if cut > 0 {
            self.say(Level::Warning, format!("the text was cut: {cut} bytes are more than a prompt can hold"));
        }
        self.form_changed()
    }

    pub(super) fn open_picker(&mut self) {
        let chosen = self.compose.form().offer().map(Offer::model_ref);
        let picker = Picker::new(self.offers.clone(), chosen.as_ref(), self.compose.others());
        let picker = picker.knowing(self.compose.what_each_says(), self.timings.clone());
        self.overlays.push(Overlay::Picker(picker));
    }

    pub(super) fn choose_model(&mut self, offer: Offer, others: Vec<Offer>) {
        self.compose.choose(offer, others, self.now);
        self.compose.compare();
        self.model_scroll = Scroll::default();
        self.check_form();
    }

    pub(super) fn open_details(&mut self) {
        let Some(id) = self.jobs.selected().map(|row| row.id) else { return };
        self.overlays.push(Overlay::Detail { id, scroll: Scroll::default() });
        self.story.want_now(id, self.now);
    }

    fn close(&mut self) {
        if self.overlays.pop().is_none()
            && let Some((_, before)) = self.filtering.take()
        {
            self.filter_by(&before);
        }
    }

    /// A yes to whatever is on top.
    fn accept(&mut self) -> Vec<Effect> {
        match self.overlays.last() {
            Some(Overlay::Picker(picker)) => {
                let mut taken = picker.taken().into_iter();
                let (chosen, others) = (taken.next(), taken.collect());
                let extends = picker.extends().cloned();
                self.overlays.pop();
                if let (Some(offer), Some(job)) = (&chosen, extends) {
                    return self.extend_with(&job, offer.clone());
                }
                let Some(offer) = chosen else { return Vec::new() };
                self.choose_model(offer, others);
                self.go_to(Pane::Compose)
            }
            Some(Overlay::Palette(palette)) => {
                let chosen = palette.selected().cloned();
                self.overlays.pop();
                chosen.map_or_else(Vec::new, |choice| self.run_choice(choice))
            }
            Some(Overlay::More(more)) => {
                let chosen = more.selected().map(|field| field.name.clone());
                self.overlays.pop();
                chosen.map_or_else(Vec::new, |name| self.add_field(&name))
            }
            Some(Overlay::Ask(ask)) if ask.is_answered() => match self.overlays.pop() {
                Some(Overlay::Ask(ask)) => self.answer_yes(ask),
                _ => Vec::new(),
            },
            Some(Overlay::Ask(ask)) => {
                self.say(Level::Warning, ask.wanted());
                Vec::new()
            }
            _ => {
                self.filtering = None;
                Vec::new()
            }
        }
    }

    fn refresh_balances(&mut self) -> Vec<Effect> {
        if self.refused_here() {
            return Vec::new();
        }
        vec![self.send(Command::RefreshBalances, Waiting::Quiet)]
    }
}
