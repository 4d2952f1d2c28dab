//! What lies over the panes, the topmost getting the keys: help, details, notices, questions, the model list.
//!
//! Knows what each of them holds. Must not know what a `yes` does beyond naming it.

use std::cell::Cell;

use super::action::Context;
use super::input::Key;
use super::line::Line;
use super::more::More;
use super::palette::Palette;
use super::picker::Picker;
use crate::domain::message::{Command, Difference};
use crate::domain::{Currency, JobId, JobState, Money, NewJob};

/// One layer.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Every key.
    Help(Scroll),
    /// All notices.
    Notices(Scroll),
    /// One job, whole.
    Detail {
        /// Which.
        id: JobId,
        /// How far it is scrolled.
        scroll: Scroll,
    },
    /// A question.
    Ask(Ask),
    /// The list of models.
    Picker(Picker),
    /// The list of further fields.
    More(More),
    /// Everything that can be done or gone to.
    Palette(Palette),
    /// What the services advise.
    Tips(Scroll),
    /// The actions of a context, each with the key that does it.
    Menu(Context),
}

impl Overlay {
    /// How far its text is scrolled, where it is one that is read.
    pub fn scroll_mut(&mut self) -> Option<&mut Scroll> {
        match self {
            Overlay::Help(scroll)
            | Overlay::Notices(scroll)
            | Overlay::Tips(scroll)
            | Overlay::Detail { scroll, .. } => Some(scroll),
            Overlay::Ask(_) | Overlay::Picker(_) | Overlay::More(_) | Overlay::Palette(_) | Overlay::Menu(_) => None,
        }
    }

    /// Moves the selection by lines, down being positive, where it is a list that is typed in.
    pub fn move_by(&mut self, lines: isize) {
        match self {
            Overlay::Picker(picker) => picker.move_by(lines),
            Overlay::More(more) => more.move_by(lines),
            Overlay::Palette(palette) => palette.move_by(lines),
            Overlay::Help(_)
            | Overlay::Notices(_)
            | Overlay::Tips(_)
            | Overlay::Detail { .. }
            | Overlay::Ask(_)
            | Overlay::Menu(_) => {}
        }
    }
}

/// How far a long text is scrolled. Only its drawing knows how long it is at the screen's width, so
/// that tells its length back, as a text area's does.
#[derive(Clone, Debug, Default)]
pub struct Scroll {
    at: usize,
    last: Cell<usize>,
    page: Cell<usize>,
}

impl Scroll {
    /// Moves by lines, down being positive.
    pub fn move_by(&mut self, lines: isize) {
        self.at = self.at.min(self.last.get()).saturating_add_signed(lines).min(self.last.get());
    }

    /// Moves by a screenful less one line.
    pub fn move_page(&mut self, down: bool) {
        let page = isize::try_from(self.page.get().saturating_sub(1).max(1)).unwrap_or(1);
        self.move_by(if down { page } else { -page });
    }

    /// The first line on the screen of a text of `lines` in a window of `page` lines.
    pub fn fit(&self, lines: usize, page: usize) -> usize {
        self.last.set(lines.saturating_sub(page));
        self.page.set(page);
        self.at.min(self.last.get())
    }
}

/// A question and what a yes does.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What it is about, short.
    pub title: String,
    /// What there is to know, with the amounts.
    pub lines: Vec<String>,
    /// Whether the lines speak of a danger.
    pub grave: bool,
    /// What counts as a yes.
    pub need: Need,
    /// What was typed so far.
    pub answer: Line,
    /// What can be chosen beside the answer, if anything.
    pub switch: Option<Switch>,
    /// What a yes does.
    pub then: Then,
    /// How many jobs it was about that changed meanwhile, so that it is about them no more.
    pub outdated: usize,
}

/// Something that is chosen beside a yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// What it stands for.
    pub words: String,
    /// Whether it is chosen.
    pub on: bool,
}

/// What counts as a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A key.
    Yes,
    /// This word, typed.
    Word(&'static str),
    /// An amount of dollars, typed.
    Amount,
    /// The service's id of an order, typed.
    Id,
    /// Labels, typed.
    Tags,
    /// A difference and what it was, typed.
    Class,
}

/// What a yes does.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Sends this.
    Send(Command),
    /// Queues the form, now that its price was agreed to.
    Queue(Vec<NewJob>),
    /// Releases these with the typed ceiling.
    Release(Vec<JobId>),
    /// Adopts the typed order for this job.
    Adopt(JobId),
    /// Gives these the typed labels.
    Tag(Vec<JobId>),
    /// Says what the typed one of these differences was.
    Classify(Vec<Difference>),
    /// Leaves when open answers and downloads are through.
    Leave,
}

impl Ask {
    /// A question that a key answers.
    pub fn new(title: impl Into<String>, lines: Vec<String>, then: Then) -> Self {
        Ask {
            title: title.into(),
            lines,
            grave: false,
            need: Need::Yes,
            answer: Line::default(),
            switch: None,
            then,
            outdated: 0,
        }
    }

    /// Takes out a job that came to be in a state that the question is not about: its sentence says so, and
    /// `false` tells that no job is left to ask about.
    pub fn outdate(&mut self, id: JobId, state: JobState) -> bool {
        let fits: fn(JobState) -> bool = match &self.then {
            Then::Send(Command::Cancel { .. }) => JobState::is_unsent,
            Then::Send(Command::Retry { .. }) => super::may_be_retried,
            Then::Send(Command::WriteOff { .. }) | Then::Adopt(_) => |state| state == JobState::Unconfirmed,
            Then::Release(_) => |state| state == JobState::Held,
            _ => return true,
        };
        if fits(state) {
            return true;
        }
        let mut one;
        let ids = match &mut self.then {
            Then::Send(Command::Cancel { ids } | Command::Retry { ids, .. } | Command::WriteOff { ids })
            | Then::Release(ids) => ids,
            Then::Adopt(id) => {
                one = vec![*id];
                &mut one
            }
            _ => return true,
        };
        let before = ids.len();
        ids.retain(|known| *known != id);
        if ids.len() < before {
            if self.outdated > 0 {
                self.lines.pop();
            }
            self.outdated += before - ids.len();
            let are = if self.outdated == 1 { "job has" } else { "jobs have" };
            self.lines.push(format!("{} {are} changed meanwhile: left out, the rest is asked about.", self.outdated));
        }
        !ids.is_empty()
    }

    /// Asks for more than a key.
    pub fn needing(self, need: Need) -> Self {
        Ask { need, grave: matches!(need, Need::Word(_)), ..self }
    }

    /// Whether characters are typed here rather than pressed.
    pub fn is_typed(&self) -> bool {
        self.need != Need::Yes
    }

    /// Whether what was typed is a yes.
    pub fn is_answered(&self) -> bool {
        match self.need {
            Need::Yes => true,
            Need::Word(word) => self.answer.text().trim() == word,
            Need::Amount => self.amount().is_some(),
            Need::Class => self.classified().is_some(),
            Need::Id | Need::Tags => !self.answer.text().trim().is_empty(),
        }
    }

    /// What is to be typed, where what was typed is no answer.
    pub fn wanted(&self) -> String {
        match self.need {
            Need::Yes => "press y or n".to_owned(),
            Need::Word(word) => format!("nothing was done: only the word `{word}` is a yes; Esc leaves it"),
            Need::Amount => "write an amount of dollars, such as 2.50; Esc leaves it".to_owned(),
            Need::Id => "type the service's id of the order; Esc leaves it".to_owned(),
            Need::Tags => "type a label; Esc leaves it".to_owned(),
            Need::Class => {
                "write the number and a word as shown above, such as `u-3 deposit`; Esc leaves it".to_owned()
            }
        }
    }

    /// The typed word for a difference, when it fits one that is open.
    pub fn classified(&self) -> Option<Command> {
        if let Then::Classify(open) = &self.then { super::classify::read(self.answer.text(), open) } else { None }
    }

    /// The typed amount, when it is a positive one.
    pub fn amount(&self) -> Option<Money> {
        amount(self.answer.text())
    }

    /// Types a key; `false` where it means nothing to the answer.
    pub fn press(&mut self, key: Key) -> bool {
        self.is_typed() && self.answer.press(key)
    }
}

/// A typed amount of dollars; `None` unless it is positive.
pub fn amount(text: &str) -> Option<Money> {
    Money::parse(text, Currency::Usd).ok().filter(|money| money.amount.is_sign_positive() && !money.amount.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_word_or_a_positive_amount_is_a_yes() {
        let mut ask = Ask::new("x", vec![], Then::Leave).needing(Need::Word("twice"));
        for (typed, yes) in [("", false), ("y", false), ("Twice", false), (" twice ", true)] {
            ask.answer = Line::new(typed);
            assert_eq!(ask.is_answered(), yes, "{typed}");
        }
        let mut ask = Ask::new("x", vec![], Then::Leave).needing(Need::Amount);
        for (typed, yes) in [("", false), ("-1", false), ("0", false), ("$0.50", true), ("abc", false)] {
            ask.answer = Line::new(typed);
            assert_eq!(ask.is_answered(), yes, "{typed}");
        }
    }
}
