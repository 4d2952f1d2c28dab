//! What a torture found, as text and as JSON.
//!
//! Knows figures. Must not decide anything.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::judge::Judgement;
use super::lost::Reason;
use super::point::Point;
use crate::domain::Service;

/// What a torture found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Points that the dry passes found.
    pub points: usize,
    /// Workers that were ended at a point.
    pub kills: usize,
    /// Workers that were ended while they went on after a kill.
    pub died_again: usize,
    /// Kills by service, then by step.
    pub by_service: BTreeMap<Service, BTreeMap<String, usize>>,
    /// Orders that the simulated services took, over all days.
    pub orders: usize,
    /// Clips on disk that are a service's very bytes.
    pub files: usize,
    /// Charged less refunded by the simulator's bank, by currency.
    pub paid: BTreeMap<String, Decimal>,
    /// Charged less refunded in our books, by currency.
    pub booked: BTreeMap<String, Decimal>,
    /// Paid for jobs that are unconfirmed, beyond what is booked, by currency.
    pub open: BTreeMap<String, Decimal>,
    /// Jobs that are unconfirmed in the end, by service.
    pub unconfirmed: BTreeMap<Service, usize>,
    /// Why they may be left so: their orders cannot be found by any means that a service documents.
    pub left: BTreeMap<Reason, usize>,
    /// What was found of lost orders, by verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// Days in which an order that its service lists was found by a later look only.
    pub looked_again: usize,
    /// Days that went past their point, which were then worked again.
    pub tried_again: usize,
    /// Points that were chosen and not reached.
    pub unreached: Vec<Point>,
    /// What must not be, with the point after which it was found; without one, in an undisturbed day.
    pub violations: Vec<Violation>,
    /// How long it took, in whole seconds.
    pub seconds: u64,
}

/// What must not be.
#[derive(Debug, Serialize)]
pub struct Violation {
    /// After which kill.
    pub point: Option<Point>,
    /// What was found.
    pub text: String,
}

impl Report {
    /// An empty report on so many points.
    pub(super) fn new(points: usize) -> Report {
        Report {
            points,
            kills: 0,
            died_again: 0,
            by_service: BTreeMap::new(),
            orders: 0,
            files: 0,
            paid: BTreeMap::new(),
            booked: BTreeMap::new(),
            open: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            left: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            looked_again: 0,
            tried_again: 0,
            unreached: Vec::new(),
            violations: Vec::new(),
            seconds: 0,
        }
    }

    /// Adds what a judge found in a world whose worker died at `point`.
    pub(super) fn add(&mut self, point: Option<&Point>, judgement: Judgement) {
        self.orders += judgement.orders;
        self.files += judgement.files;
        let sums =
            [(&mut self.paid, judgement.paid), (&mut self.booked, judgement.booked), (&mut self.open, judgement.open)];
        for (mine, theirs) in sums {
            theirs.into_iter().for_each(|(currency, amount)| *mine.entry(currency).or_default() += amount);
        }
        judgement.unconfirmed.into_iter().for_each(|(service, n)| *self.unconfirmed.entry(service).or_default() += n);
        judgement.left.into_iter().for_each(|(reason, n)| *self.left.entry(reason).or_default() += n);
        judgement.verdicts.into_iter().for_each(|(verdict, n)| *self.verdicts.entry(verdict).or_default() += n);
        let found = judgement.violations.into_iter().map(|text| Violation { point: point.cloned(), text });
        self.violations.extend(found);
    }

    /// Whether nothing went wrong and every chosen point was reached.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.unreached.is_empty()
    }

    /// The figures, a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("points        {} found by the dry passes", self.points),
            format!(
                "kills         {} in {} s, and {} of those that went on",
                self.kills, self.seconds, self.died_again
            ),
        ];
        for (service, steps) in &self.by_service {
            let (kills, steps) = (steps.values().sum::<usize>(), steps.len());
            lines.push(format!("  {:<12}{kills} at {steps} steps", service.word()));
        }
        let unconfirmed = self.unconfirmed.iter().map(|(service, n)| format!("{service} {n}"));
        lines.extend([
            format!("orders        {}", self.orders),
            format!("files         {}", self.files),
            format!("bank          {}", amounts(&self.paid)),
            format!("our books     {}", amounts(&self.booked)),
            format!("unconfirmed   {} not booked yet, all of it set aside", amounts(&self.open)),
            format!("unconfirmed   {}", listed(unconfirmed)),
        ]);
        lines.extend(self.left.iter().map(|(reason, n)| format!("  {n} {reason}")));
        let verdicts = self.verdicts.iter().map(|(verdict, n)| format!("{verdict} {n}"));
        lines.extend([
            format!("looked for    {}; {} days with a second look", listed(verdicts), self.looked_again),
            format!("unreached     {}, of {} tried again", self.unreached.len(), self.tried_again),
        ]);
        lines.extend(self.unreached.iter().map(|point| format!("  {point}")));
        lines.push(format!("violations    {}", self.violations.len()));
        for Violation { point, text } in &self.violations {
            let at = point.as_ref().map_or_else(|| "undisturbed".to_owned(), ToString::to_string);
            lines.push(format!("  {at}: {text}"));
        }
        lines
    }
}

fn amounts(sums: &BTreeMap<String, Decimal>) -> String {
    listed(sums.iter().map(|(currency, amount)| format!("{amount} {currency}")))
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
