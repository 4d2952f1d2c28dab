//! `books` and `claims` as typed.
//!
//! Knows their flags. Must not know what they do.

use clap::{Args, Subcommand};

use rust_decimal::Decimal;

use crate::domain::books::{Class, DifferenceId};
use crate::domain::{Currency, JobId, Money};

/// `books`
#[derive(Args, Clone, Debug)]
pub struct Books {
    /// What to do with them; nothing shows them
    #[command(subcommand)]
    pub what: Option<BooksVerb>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
    /// Only this account
    #[arg(long)]
    pub account: Option<String>,
    /// What happened around a difference (u-3) or a time (14:05, or whole): events, balances, entries
    #[arg(long, value_name = "TIME|DIFFERENCE")]
    pub around: Option<String>,
}

/// What can be done with the books.
#[derive(Clone, Debug, Subcommand)]
pub enum BooksVerb {
    /// Say what a difference was that nothing here explains
    Classify(Classify),
}

/// `books classify`
#[derive(Args, Clone, Debug)]
pub struct Classify {
    /// The difference, such as u-3
    pub difference: DifferenceId,
    /// What it was
    #[arg(value_enum)]
    pub class: ClassWord,
    /// The job that was refunded or charged
    #[arg(long, value_name = "JOB", required_if_eq_any([("class", "refund"), ("class", "charge")]))]
    pub job: Option<JobId>,
    /// How much of it, such as 1.50; the rest stays open. All of it where this is left out
    #[arg(long, value_parser = amount)]
    pub amount: Option<Decimal>,
}

fn amount(text: &str) -> Result<Decimal, String> {
    let money = Money::parse(text, Currency::Usd).map_err(|_| format!("`{text}` is no amount; write it as 1.50"))?;
    Ok(money.amount)
}

/// What a difference can have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ClassWord {
    /// Money came from outside
    Deposit,
    /// Somebody else spent it, or it was a fee
    OtherUse,
    /// A refund of a job
    Refund,
    /// What a job cost after all
    Charge,
}

impl Classify {
    /// What the user says it was.
    pub fn class(&self) -> Class {
        match (self.class, self.job) {
            (ClassWord::Refund, Some(job)) => Class::RefundOf(job),
            (ClassWord::Charge, Some(job)) => Class::ChargeOf(job),
            (ClassWord::Deposit, _) | (ClassWord::Refund, None) => Class::Deposit,
            (ClassWord::OtherUse, _) | (ClassWord::Charge, None) => Class::OtherUse,
        }
    }
}

/// `claims`
#[derive(Args, Clone, Debug)]
pub struct Claims {
    /// Only this account
    #[arg(long)]
    pub account: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}
