//! Caps: how much may be spent and how many orders sent, in which span, by whom.
//!
//! Knows limits and their names. Must not know what was spent, nor who holds them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use serde::{Deserialize, Serialize};

use super::job::JobId;
use super::money::Money;
use super::zones::Zones;

/// The limits a user set for one scope. All of them hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Most to spend and reserve in a day.
    pub day: Option<Money>,
    /// Most to spend and reserve in a month.
    pub month: Option<Money>,
    /// Most jobs to order in a day, also those that cost nothing.
    pub day_jobs: Option<u32>,
    /// Most jobs to order in a month.
    pub month_jobs: Option<u32>,
    /// Most to spend and reserve in all; for a batch.
    pub ever: Option<Money>,
    /// Most jobs to order in all; for a batch.
    pub ever_jobs: Option<u32>,
}

impl Caps {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Caps::default()
    }

    /// These caps as limits of a scope.
    pub fn limits(&self, scope: &Scope) -> Vec<Limit> {
        let money = [(Span::Day, self.day), (Span::Month, self.month), (Span::Ever, self.ever)];
        let jobs = [(Span::Day, self.day_jobs), (Span::Month, self.month_jobs), (Span::Ever, self.ever_jobs)];
        let money = money.into_iter().filter_map(|(span, most)| Some((span, Most::Money(most?))));
        let jobs = jobs.into_iter().filter_map(|(span, most)| Some((span, Most::Jobs(most?))));
        money.chain(jobs).map(|(span, most)| Limit { scope: scope.clone(), span, most }).collect()
    }
}

/// What a batch may cost in all, and how many of its jobs may be ordered; kept with the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCap {
    /// Most to spend and reserve.
    pub money: Option<Money>,
    /// Most jobs to order.
    pub jobs: Option<u32>,
}

impl BatchCap {
    /// This cap, if it limits anything.
    pub fn some(self) -> Option<BatchCap> {
        (self != BatchCap::default()).then_some(self)
    }

    /// As limits of a batch.
    pub fn limits(self, batch: i64) -> Vec<Limit> {
        Caps { ever: self.money, ever_jobs: self.jobs, ..Caps::default() }.limits(&Scope::Batch(batch))
    }
}

/// What a limit counts over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    All,
    /// One account.
    Account(String),
    /// One model of an account: their names.
    Model(String, String),
    /// One batch.
    Batch(i64),
}

/// How long a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// Since midnight in the user's zone.
    Day,
    /// Since the first of the month in the user's zone.
    Month,
    /// Since ever.
    Ever,
}

/// How much a limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// Spent in the span and reserved now.
    Money(Money),
    /// Jobs ordered in the span.
    Jobs(u32),
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it counts over.
    pub scope: Scope,
    /// How long it counts.
    pub span: Span,
    /// How much it allows.
    pub most: Most,
}

impl Limit {
    /// Its name, as in "over the NAME cap".
    pub fn name(&self) -> String {
        let scope = match &self.scope {
            Scope::All => String::new(),
            Scope::Account(account) => format!("{account} "),
            Scope::Model(account, model) => format!("{account}/{model} "),
            Scope::Batch(_) => "batch's".to_owned(),
        };
        let span = match self.span {
            Span::Day => "day's",
            Span::Month => "month's",
            Span::Ever => "",
        };
        let orders = if matches!(self.most, Most::Jobs(_)) { " orders" } else { "" };
        format!("{scope}{span}{orders}")
    }

    /// Its name and how much it allows.
    pub fn text(&self) -> String {
        match self.most {
            Most::Money(money) => format!("{} cap of {money}", self.name()),
            Most::Jobs(jobs) => format!("{} cap of {jobs}", self.name()),
        }
    }
}

/// What must hold in the transaction that sets money aside for an order, or nothing of it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The job.
    pub job: JobId,
    /// When its order is to be sent. A later time that was seen before counts instead.
    pub at: Timestamp,
    /// Where days and months begin.
    pub zones: Zones,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// When the span of a time begins; `None` counts since ever.
pub fn begin(span: Span, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let date = at.to_zoned(zone.clone()).date();
    let first = match span {
        Span::Day => date,
        Span::Month => date.first_of_month(),
        Span::Ever => return None,
    };
    // A midnight that cannot be told counts since ever: too much rather than too little.
    first.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn a_limit_is_named_by_scope_span_and_kind() {
        let usd = |text| Money::parse(text, Currency::Usd).unwrap();
        let caps = Caps { day: Some(usd("10")), month_jobs: Some(7), ..Caps::default() };
        let texts = |scope: &Scope| caps.limits(scope).iter().map(Limit::text).collect::<Vec<_>>();
        assert_eq!(texts(&Scope::All), ["day's cap of $10.00", "month's orders cap of 7"]);
        let model = Scope::Model("nanogpt".into(), "veo2".into());
        assert_eq!(texts(&model), ["nanogpt/veo2 day's cap of $10.00", "nanogpt/veo2 month's orders cap of 7"]);
        let batch = BatchCap { money: Some(usd("5")), jobs: Some(3) }.limits(4);
        assert_eq!(
            batch.iter().map(Limit::text).collect::<Vec<_>>(),
            ["batch's cap of $5.00", "batch's orders cap of 3"]
        );
    }

    #[test]
    fn a_month_begins_at_the_first_midnight_of_the_users_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let at: Timestamp = "2026-11-30T22:30:00Z".parse().unwrap();
        let begun = |span| begin(span, at, &zone).map(|at| at.to_string());
        assert_eq!(begun(Span::Month).as_deref(), Some("2026-11-30T22:00:00Z"), "it is December there");
        assert_eq!(begun(Span::Ever), None);
    }
}
