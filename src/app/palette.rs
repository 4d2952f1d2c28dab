//! The palette: everything that can be done or gone to, found by a few letters of its name.
//!
//! Knows actions, models and jobs by name. Must not know how any of them is done.

use std::cmp::Reverse;
use std::sync::Arc;

use super::action::{Action, Context, TABLE};
use super::finder::Finder;
use super::input::{Effect, Key};
use super::line::Line;
use super::overlay::{Overlay, Scroll};
use super::views::View;
use super::{App, geometry::Pane};
use crate::domain::message::Offer;
use crate::domain::{JobId, JobRow};

/// Jobs that are looked through, the newest: the table's filter looks through all.
const JOBS: usize = 1_000;

/// What a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Does this, as its key would.
    Action(Action),
    /// Chooses this model for the form: `account/model-id`.
    Model(Offer),
    /// Goes to this job and shows it whole.
    Job(JobId),
    /// Shows what this filter lets through: one of the user's own views.
    View(String),
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its name, short.
    pub name: String,
    /// What there is to know of it.
    pub about: String,
    /// What it does.
    pub target: Target,
}

/// The state of the palette.
#[derive(Clone, Debug)]
pub struct Palette {
    choices: Arc<Vec<Choice>>,
    finder: Finder,
}

impl Palette {
    /// A palette over the actions, the user's own views, these models and the newest of these jobs.
    pub fn new<'a>(views: &[View], offers: &[Offer], jobs: impl Iterator<Item = &'a JobRow>) -> Self {
        let actions = TABLE.iter().filter(|entry| runs(entry.action)).map(|entry| Choice {
            name: entry.name.replace('-', " "),
            about: entry.help.to_owned(),
            target: Target::Action(entry.action),
        });
        let views = views.iter().map(|view| Choice {
            name: format!("view {}", view.name),
            about: format!("Show {}.", view.text),
            target: Target::View(view.text.clone()),
        });
        let models = offers.iter().filter(|offer| !offer.model.gone).map(|offer| Choice {
            name: offer.model_ref().to_string(),
            about: offer.model.title().to_owned(),
            target: Target::Model(offer.clone()),
        });
        let jobs = jobs.take(JOBS).map(|row| Choice {
            name: row.id.to_string(),
            about: format!("{} · {} · {}", row.state, row.model, row.prompt),
            target: Target::Job(row.id),
        });
        let choices = actions.chain(views).chain(models).chain(jobs).collect();
        let mut palette = Palette { choices: Arc::new(choices), finder: Finder::default() };
        palette.search();
        palette
    }

    /// What was typed.
    pub fn query(&self) -> &Line {
        &self.finder.query
    }

    /// Types or moves in the query; `false` where the key means nothing to it.
    pub fn press(&mut self, key: Key) -> bool {
        let taken = self.finder.press(key);
        if taken {
            self.search();
        }
        taken
    }

    /// Puts pasted text into the query.
    pub fn paste(&mut self, text: &str) {
        self.finder.paste(text);
        self.search();
    }

    /// Moves the selection, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.finder.move_by(lines);
    }

    /// The choices that match, best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &Choice> {
        self.finder.found().map(|index| &self.choices[index])
    }

    /// The place of the selected line.
    pub fn at(&self) -> usize {
        self.finder.at()
    }

    /// The selected choice.
    pub fn selected(&self) -> Option<&Choice> {
        self.finder.selected().map(|index| &self.choices[index])
    }

    fn search(&mut self) {
        let choices = &self.choices;
        let typed = self.finder.query.text().trim().to_lowercase();
        let line = |index: usize| (choices[index].name.clone(), choices[index].about.clone());
        self.finder.search_named(choices.len(), line, |score, index| {
            let fit = choices[index].fit(&typed);
            // Where only what is told of a line holds the word, actions come before jobs, which are many.
            let kind = if fit >= Fit::Told { choices[index].target.place() } else { 0 };
            (fit, kind, Reverse(score))
        });
    }
}

/// How a line answers what was typed, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is its name.
    Name,
    /// Its name begins so.
    Begins,
    /// A word of its name begins with each word typed.
    Word,
    /// Its name holds each word.
    Within,
    /// A word of what is told of it begins with each.
    Told,
    /// Only its letters are there.
    Letters,
}

impl Choice {
    fn fit(&self, typed: &str) -> Fit {
        let (name, about) = (self.name.to_lowercase(), self.about.to_lowercase());
        let starts = |text: &str, word: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words.any(|known| known.starts_with(word)) || text.split(' ').any(|known| known.starts_with(word))
        };
        let all = |fits: &dyn Fn(&str) -> bool| typed.split_whitespace().all(fits);
        match () {
            () if typed.is_empty() => Fit::Letters,
            () if name == typed => Fit::Name,
            () if name.starts_with(typed) => Fit::Begins,
            () if all(&|word| starts(&name, word)) => Fit::Word,
            () if all(&|word| name.contains(word)) => Fit::Within,
            () if all(&|word| starts(&about, word) || starts(&name, word)) => Fit::Told,
            () => Fit::Letters,
        }
    }
}

impl Target {
    /// Its kind's place among lines that fit alike.
    fn place(&self) -> u8 {
        match self {
            Target::Action(_) => 0,
            Target::View(_) => 1,
            Target::Model(_) => 2,
            Target::Job(_) => 3,
        }
    }
}

/// Whether an action means something when it is picked rather than pressed: moving within a list or
/// answering a question does not.
fn runs(action: Action) -> bool {
    let entry = action.entry();
    let menus = [Context::Views, Context::Sorting, Context::Copying];
    let panes = [Context::Everywhere, Context::Jobs, Context::Compose, Context::Model];
    let moves = matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last
            | Action::NextField
            | Action::PreviousField
            | Action::StepForward
            | Action::StepBack
            | Action::LeaveForm
            | Action::Palette
            | Action::Close
            // Each of them has a line of its own.
            | Action::OwnView
    );
    !moves && entry.contexts.iter().any(|context| panes.contains(context) || menus.contains(context))
}

impl App {
    pub(super) fn open_palette(&mut self) {
        let palette = Palette::new(&self.options.views, &self.offers, self.jobs.newest());
        self.overlays.push(Overlay::Palette(palette));
    }

    /// Does what the palette's selected line says.
    pub(super) fn run_choice(&mut self, choice: Choice) -> Vec<Effect> {
        match choice.target {
            Target::Action(action) => {
                let contexts = action.entry().contexts;
                let here = self.contexts().iter().any(|context| contexts.contains(context));
                let pane = match contexts {
                    _ if here => None,
                    contexts if contexts.contains(&Context::Jobs) => Some(Pane::Jobs),
                    contexts if contexts.contains(&Context::Compose) => Some(Pane::Compose),
                    contexts if contexts.contains(&Context::Model) => Some(Pane::Model),
                    contexts if contexts.contains(&Context::Everywhere) => None,
                    // What stands in a menu of the table.
                    _ => Some(Pane::Jobs),
                };
                let mut effects = pane.map_or_else(Vec::new, |pane| self.go_to(pane));
                // No key was pressed; only stepping through a field's values asks which.
                effects.extend(self.perform(action, Key::char(':')));
                effects
            }
            Target::Model(offer) => {
                self.choose_model(offer, Vec::new());
                self.go_to(Pane::Compose)
            }
            Target::View(text) => {
                let effects = self.go_to(Pane::Jobs);
                self.show_view(&text);
                effects
            }
            Target::Job(id) => {
                let effects = self.go_to(Pane::Jobs);
                if self.jobs.select(id) {
                    self.overlays.push(Overlay::Detail { id, scroll: Scroll::default() });
                    self.story.want_now(id, self.now);
                }
                effects
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::row;
    use super::*;
    use crate::domain::JobState;

    #[test]
    fn what_begins_with_the_letters_stands_first_and_jobs_are_found_by_number_and_prompt() {
        let rows = [row(7, JobState::Done, "a river"), row(12, JobState::Queued, "an eagle over the fjord")];
        let views = [View { name: "night".to_owned(), text: "tag:night sort:-cost".to_owned() }];
        let mut palette = Palette::new(&views, &[], rows.iter().rev());
        let first = |palette: &Palette| palette.selected().map(|choice| choice.target.clone());
        assert_eq!(first(&palette), Some(Target::Action(TABLE[0].action)), "the one list's order");
        palette.paste("ret");
        assert_eq!(first(&palette), Some(Target::Action(Action::Retry)));
        palette = Palette::new(&views, &[], rows.iter().rev());
        palette.paste("j-12");
        assert_eq!(first(&palette), Some(Target::Job(JobId(12))));
        palette = Palette::new(&views, &[], rows.iter().rev());
        palette.paste("river");
        assert_eq!(first(&palette), Some(Target::Job(JobId(7))));
        palette = Palette::new(&views, &[], rows.iter().rev());
        palette.paste("night");
        assert_eq!(first(&palette), Some(Target::View("tag:night sort:-cost".to_owned())));
        palette = Palette::new(&views, &[], rows.iter().rev());
        palette.paste("sort cost");
        assert_eq!(first(&palette), Some(Target::Action(Action::SortCost)));
        for none in [Action::Palette, Action::Close, Action::OwnView] {
            assert!(!palette.choices.iter().any(|choice| choice.target == Target::Action(none)), "{none:?}");
        }
    }
}
