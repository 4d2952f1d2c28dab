//! Money: exact decimals from the source text, each with its currency.
//!
//! Knows how amounts are parsed, added and shown. Must not know who charged them. There are no
//! floats here, and unknown is `None`, never zero.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What an amount is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
    /// Nano, which NanoGPT also bills in (wire.md 1.3, `paymentSource`).
    #[serde(rename = "XNO")]
    Xno,
    /// One generation out of a plan's quota: A4F names no price (wire.md 3.1).
    #[serde(rename = "quota")]
    Quota,
}

impl Currency {
    /// The code used in JSON, in the database and in config: `USD`, `XNO` or `quota`.
    pub fn code(self) -> &'static str {
        match self {
            Currency::Usd => "USD",
            Currency::Xno => "XNO",
            Currency::Quota => "quota",
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    /// Reads a code, in any case.
    ///
    /// # Errors
    /// [`MoneyError`] when the code is none of ours.
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        match code.to_ascii_lowercase().as_str() {
            "usd" => Ok(Currency::Usd),
            "xno" | "nano" => Ok(Currency::Xno),
            "quota" => Ok(Currency::Quota),
            _ => Err(MoneyError(code.to_owned())),
        }
    }
}

/// An exact amount in one currency. May be negative (a difference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount, with the scale it was written with.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
    /// What it is counted in.
    pub currency: Currency,
}

/// A text that is not an amount, or a code that is not a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyError(pub String);

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an amount of money", self.0)
    }
}

impl std::error::Error for MoneyError {}

impl Money {
    /// An amount in a currency.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Money { amount, currency }
    }

    /// Dollars.
    pub fn usd(amount: Decimal) -> Self {
        Money::new(amount, Currency::Usd)
    }

    /// One generation out of a plan's quota.
    pub fn one_of_quota() -> Self {
        Money::new(Decimal::ONE, Currency::Quota)
    }

    /// Reads the text of an amount as services write it: `3.00`, `$3.00`, `$1,234.5`, `1e-7`.
    ///
    /// # Errors
    /// [`MoneyError`] when the text is no exact decimal.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let bare: String = text.trim().chars().filter(|c| !matches!(c, '$' | ',' | ' ')).collect();
        Decimal::from_str_exact(&bare)
            .or_else(|_| Decimal::from_scientific(&bare))
            .map(|amount| Money::new(amount, currency))
            .map_err(|_| MoneyError(text.to_owned()))
    }

    /// Whether it can be the price of a clip: not below zero and under a billion. What a service or a
    /// file says may be anything; a sum that overflows would take the program with it, and a negative
    /// price would make room under a cap.
    pub fn is_believable(self) -> bool {
        self.amount.is_zero() || (self.amount.is_sign_positive() && self.amount < Decimal::from(1_000_000_000))
    }

    /// Whether it can be what an account holds: under a billion, and no deeper in debt than that.
    pub fn is_believable_balance(self) -> bool {
        self.amount.abs() < Decimal::from(1_000_000_000)
    }

    /// `is` or `are`, as it follows the amount in a sentence: `$3.00 are`, `1 run is`.
    pub fn are(self) -> &'static str {
        if self == Money::one_of_quota() { "is" } else { "are" }
    }

    /// `was` or `were`, likewise.
    pub fn were(self) -> &'static str {
        if self == Money::one_of_quota() { "was" } else { "were" }
    }

    /// `n` times this.
    pub fn times(self, n: u32) -> Self {
        Money::new(self.amount.saturating_mul(Decimal::from(n)), self.currency)
    }
}

impl fmt::Display for Money {
    /// `$3.00`, `Ӿ0.52`, `1 run`: at least two digits of cents, more where the amount has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount.is_sign_negative() && !self.amount.is_zero() { "-" } else { "" };
        let mut amount = self.amount.abs().normalize();
        match self.currency {
            Currency::Quota => {
                let word = if amount == Decimal::ONE { "run" } else { "runs" };
                write!(f, "{sign}{amount} {word}")
            }
            Currency::Usd | Currency::Xno => {
                if amount.scale() < 2 {
                    amount.rescale(2);
                }
                let mark = if self.currency == Currency::Usd { "$" } else { "Ӿ" };
                write!(f, "{sign}{mark}{amount}")
            }
        }
    }
}

/// Where a price was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The built-in catalogue, typed from the documents.
    Documents,
    /// The service's own catalogue, read while running.
    Discovered,
    /// What the service charged for the same model and parameters before.
    Observed,
    /// The user's own `models.toml`, or a ceiling the user gave.
    User,
    /// What the service said when it accepted the order.
    Service,
}

/// What a job is expected to cost. An unknown price is no estimate at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The amount and its currency.
    #[serde(flatten, with = "flat_money")]
    pub money: Money,
    /// Where it was learnt.
    pub source: PriceSource,
}

/// `serde(flatten)` buffers its input and would lose the digits of an arbitrary-precision number,
/// so amount and currency are written beside `source` by hand.
mod flat_money {
    use super::{Currency, Decimal, Money};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Flat<'a> {
        #[serde(with = "rust_decimal::serde::arbitrary_precision")]
        amount: &'a Decimal,
        currency: &'a Currency,
    }

    #[derive(Deserialize)]
    struct Read {
        amount: serde_json::Value,
        currency: Currency,
    }

    pub fn serialize<S: Serializer>(money: &Money, s: S) -> Result<S::Ok, S::Error> {
        Flat { amount: &money.amount, currency: &money.currency }.serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Money, D::Error> {
        let read = Read::deserialize(d)?;
        let text = match &read.amount {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Money::parse(&text, read.currency).map_err(serde::de::Error::custom)
    }
}

/// Sums amounts by currency, and counts those that are unknown.
pub fn add_up(amounts: impl Iterator<Item = Option<Money>>) -> (Vec<Money>, usize) {
    let mut sums: Vec<Money> = Vec::new();
    let mut unknown = 0;
    for amount in amounts {
        match amount {
            None => unknown += 1,
            Some(money) => match sums.iter_mut().find(|sum| sum.currency == money.currency) {
                Some(sum) => sum.amount = sum.amount.saturating_add(money.amount),
                None => sums.push(money),
            },
        }
    }
    (sums, unknown)
}

/// Amounts as words: `$10.00 and 2 runs`, `$5.00 and 1 of unknown price`.
pub fn in_words(sums: &[Money], unknown: usize) -> String {
    let mut parts: Vec<String> = sums.iter().map(ToString::to_string).collect();
    if unknown > 0 {
        parts.push(format!("{unknown} of unknown price"));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_shown_with_cents() {
        for (text, shown) in [
            ("$3.00", "$3.00"),
            ("3", "$3.00"),
            ("$4.820", "$4.82"),
            ("$0.006", "$0.006"),
            ("129.46956147", "$129.46956147"),
            ("$1,234.5", "$1234.50"),
        ] {
            assert_eq!(Money::parse(text, Currency::Usd).unwrap().to_string(), shown);
        }
        assert!(Money::parse("three", Currency::Usd).is_err());
        let run = Money::one_of_quota();
        assert_eq!((run.to_string().as_str(), run.are(), run.were()), ("1 run", "is", "was"));
        assert_eq!((run.times(2).are(), Money::usd(Decimal::ONE).were()), ("are", "were"));
    }

    #[test]
    fn an_estimate_survives_json_to_the_last_digit() {
        let estimate = Estimate {
            money: Money::parse("0.1000000000000000001", Currency::Xno).unwrap(),
            source: PriceSource::Service,
        };
        let json = serde_json::to_string(&estimate).unwrap();
        assert_eq!(json, r#"{"amount":0.1000000000000000001,"currency":"XNO","source":"service"}"#);
        assert_eq!(serde_json::from_str::<Estimate>(&json).unwrap(), estimate);
    }
}
