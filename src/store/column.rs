//! How the domain's values stand in columns, both ways.
//!
//! Knows amounts, times and JSON as text. Must not know any table.

use jiff::Timestamp;
use rusqlite::Row;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::StoreError;
use crate::domain::{Currency, Money};

/// Nanoseconds since 1970; times beyond the year 2262 are kept as the last that fits.
pub(super) fn nanos(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// The time of [`nanos`].
pub(super) fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).expect("64 bits of nanoseconds lie within the calendar")
}

/// An amount's two columns.
pub(super) fn amount(money: Option<Money>) -> (Option<String>, Option<&'static str>) {
    match money {
        Some(money) => (Some(money.amount.to_string()), Some(money.currency.code())),
        None => (None, None),
    }
}

/// An amount from its two texts.
pub(super) fn money(amount: &str, currency: &str) -> Result<Money, StoreError> {
    let exact = Decimal::from_str_exact(amount).map_err(|_| StoreError::damaged(format!("`{amount}` is no amount")))?;
    let known = [Currency::Usd, Currency::Xno, Currency::Quota].into_iter().find(|known| known.code() == currency);
    let currency = known.ok_or_else(|| StoreError::damaged(format!("`{currency}` is no currency")))?;
    Ok(Money::new(exact, currency))
}

/// The text of a column that is never null.
pub(super) fn text<'a>(row: &'a Row<'_>, at: usize) -> Result<&'a str, StoreError> {
    row.get_ref(at)?.as_str().map_err(StoreError::damaged)
}

/// The text of a column, if it is not null.
pub(super) fn opt_text<'a>(row: &'a Row<'_>, at: usize) -> Result<Option<&'a str>, StoreError> {
    row.get_ref(at)?.as_str_or_null().map_err(StoreError::damaged)
}

/// The number of a column, if it is not null.
pub(super) fn opt_number(row: &Row<'_>, at: usize) -> Result<Option<i64>, StoreError> {
    row.get_ref(at)?.as_i64_or_null().map_err(StoreError::damaged)
}

/// The amount of two neighbouring columns, if it is not null.
pub(super) fn opt_money(row: &Row<'_>, at: usize) -> Result<Option<Money>, StoreError> {
    match (opt_text(row, at)?, opt_text(row, at + 1)?) {
        (Some(amount), Some(currency)) => money(amount, currency).map(Some),
        _ => Ok(None),
    }
}

/// The time of a column that is never null.
pub(super) fn timestamp(row: &Row<'_>, at: usize) -> Result<Timestamp, StoreError> {
    Ok(time(row.get(at)?))
}

/// A value as JSON.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::damaged)
}

/// A value from JSON; `what` names it in the error.
pub(super) fn from_json<T: DeserializeOwned>(what: impl std::fmt::Display, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}

/// Free JSON: null is no text at all.
pub(super) fn data_text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// Free JSON of a column.
pub(super) fn data(row: &Row<'_>, at: usize) -> Result<Value, StoreError> {
    opt_text(row, at)?.map_or(Ok(Value::Null), |text| from_json("data", text))
}
