//! What the user says a difference was that nothing in the books explains: the question and its answer.
//!
//! Knows which answers fit money that went and money that came. Must not know how it is booked.

use super::App;
use super::line::Line;
use super::overlay::{Ask, Need, Overlay, Then};
use crate::domain::books::{Class, DifferenceId};
use crate::domain::message::{Command, Difference, Level};
use crate::domain::{JobId, Money};

/// More are not listed at once; the notices list all.
const MOST: usize = 6;

impl App {
    /// Asks what an open difference was.
    pub(super) fn classify(&mut self) {
        if self.refused_here() {
            return;
        }
        let open = self.spend().differences.clone();
        let Some(first) = open.first() else {
            return self.say(Level::Info, "nothing is unexplained: the books say what the balances say");
        };
        let listed = |difference: &Difference| {
            let Difference { id, account, money, .. } = difference;
            let way = if is_gone(difference) { "gone from" } else { "came to" };
            format!("{id}: {} {way} {account}", Money::new(money.amount.abs(), money.currency))
        };
        let mut lines: Vec<String> = open.iter().take(MOST).map(listed).collect();
        if open.len() > MOST {
            lines.push(format!("and {} more", open.len() - MOST));
        }
        let example = |difference: &Difference, class: &str| format!("{} {class}", difference.id);
        lines.push("What was it? Type its number and a word:".to_owned());
        if let Some(gone) = open.iter().find(|difference| is_gone(difference)) {
            lines.push(format!("`{}`: somebody else spent it, or it was a fee.", example(gone, "other-use")));
            lines.push(format!("`{}`: what that job cost after all.", example(gone, "charge j-12")));
        }
        if let Some(came) = open.iter().find(|difference| !is_gone(difference)) {
            lines.push(format!("`{}`: money from outside.", example(came, "deposit")));
            lines.push(format!("`{}`: that job's refund.", example(came, "refund j-12")));
        }
        lines.push("An amount behind it says that of a part; the rest stays open.".to_owned());
        let answer = if open.len() == 1 { Line::new(format!("{} ", first.id)) } else { Line::default() };
        let ask = Ask::new("Unexplained", lines, Then::Classify(open)).needing(Need::Class);
        self.overlays.push(Overlay::Ask(Ask { answer, ..ask }));
    }
}

fn is_gone(difference: &Difference) -> bool {
    difference.money.amount.is_sign_negative()
}

/// What was typed, where it names an open difference and what it can have been.
pub(super) fn read(text: &str, open: &[Difference]) -> Option<Command> {
    let mut words = text.split_whitespace();
    let id: DifferenceId = words.next()?.parse().ok()?;
    let found = open.iter().find(|difference| difference.id == id)?;
    let word = words.next()?;
    let mut job = || words.next()?.parse::<JobId>().ok();
    let class = match (is_gone(found), word) {
        (true, "other-use") => Class::OtherUse,
        (true, "charge") => Class::ChargeOf(job()?),
        (false, "deposit") => Class::Deposit,
        (false, "refund") => Class::RefundOf(job()?),
        _ => return None,
    };
    let amount = words.next().map(|text| Money::parse(text, found.money.currency)).transpose().ok()?;
    let amount = amount.map(|money| money.amount);
    words.next().is_none().then_some(Command::Classify { difference: id, class, amount })
}
