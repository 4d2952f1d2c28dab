//! Amounts by the values of parameters, as a price list writes them: maps in maps.
//!
//! Knows how such maps become one table, and what parameter a map's keys are values of. Must not
//! know any key of a price list.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::model::{Parameter, ParameterKind};
use crate::domain::price::Shape;
use crate::domain::rule::number;
use crate::domain::text::plain;

/// Most rows of one table; what has more is no price list.
const ROWS_MAX: usize = 4_096;

/// A table: the parameters it hangs on (`image?`: whether that is given), and an amount for each
/// combination of their values that has one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    by: Vec<String>,
    rows: BTreeMap<Vec<String>, Decimal>,
}

/// An amount or a factor above zero: a price that is not known is not free. None is a million, so
/// that what is computed of them cannot overflow.
pub(super) fn amount(value: &Value) -> Option<Decimal> {
    fee(value).filter(|n| !n.is_zero())
}

/// A fee, which may be nothing.
pub(super) fn fee(value: &Value) -> Option<Decimal> {
    number(value).filter(|n| !n.is_sign_negative() && *n < Decimal::from(1_000_000))
}

impl Grid {
    /// Reads an amount, or a map of amounts by values of a parameter: `prefer`, or the one whose
    /// values the keys are. `None` where it is not clear.
    pub(super) fn read(value: &Value, prefer: &str, parameters: &[Parameter]) -> Option<Grid> {
        let Value::Object(map) = value else {
            return Some(Grid { by: Vec::new(), rows: BTreeMap::from([(Vec::new(), amount(value)?)]) });
        };
        let (parameter, legal) = dimension(map.keys(), prefer, parameters)?;
        let mut cases = Vec::new();
        for (key, inner) in map {
            let inner = Grid::read(inner, "resolution", parameters)?;
            cases.extend(legal.iter().filter(|(k, _)| *k == key).map(|(_, value)| (value.clone(), inner.clone())));
        }
        Grid::branch(&parameter.name, cases, parameters)
    }

    /// A table by one parameter.
    pub(super) fn one(by: &str, rows: impl IntoIterator<Item = (String, Decimal)>) -> Grid {
        let rows = rows.into_iter().map(|(key, amount)| (vec![key], amount)).collect();
        Grid { by: vec![by.to_owned()], rows }
    }

    /// One table out of one for each value of `name`. Tables that do not hang on the same
    /// parameters are spelled out over those parameters' values.
    pub(super) fn branch(name: &str, cases: Vec<(String, Grid)>, parameters: &[Parameter]) -> Option<Grid> {
        let mut by: Vec<String> = Vec::new();
        for (_, grid) in &cases {
            by.extend(grid.by.iter().filter(|name| !by.contains(name)).cloned().collect::<Vec<_>>());
        }
        if by.iter().any(|inner| inner == name) || cases.is_empty() {
            return None;
        }
        let mut rows = BTreeMap::new();
        for (value, grid) in cases {
            for (key, amount) in grid.widened(&by, parameters)?.rows {
                rows.insert([vec![value.clone()], key].concat(), amount);
            }
        }
        by.insert(0, name.to_owned());
        (rows.len() <= ROWS_MAX).then_some(Grid { by, rows })
    }

    /// The same amounts by more parameters.
    fn widened(&self, by: &[String], parameters: &[Parameter]) -> Option<Grid> {
        let named = |key: &[String]| self.by.iter().cloned().zip(key.iter().cloned()).collect::<BTreeMap<_, _>>();
        let mut wide: Vec<(BTreeMap<String, String>, Decimal)> =
            self.rows.iter().map(|(key, amount)| (named(key), *amount)).collect();
        for name in by.iter().filter(|name| !self.by.contains(name)) {
            let values = values_of(name, parameters)?;
            if wide.len() * values.len() > ROWS_MAX {
                return None;
            }
            wide = wide
                .into_iter()
                .flat_map(|(key, amount)| {
                    values.iter().map(move |value| {
                        let mut key = key.clone();
                        key.insert(name.clone(), value.clone());
                        (key, amount)
                    })
                })
                .collect();
        }
        let ordered = |key: BTreeMap<String, String>| by.iter().filter_map(|name| key.get(name).cloned()).collect();
        Some(Grid { by: by.to_vec(), rows: wide.into_iter().map(|(key, amount)| (ordered(key), amount)).collect() })
    }

    /// Every amount times `factor`.
    pub(super) fn times(mut self, factor: Decimal) -> Grid {
        self.rows.values_mut().for_each(|amount| *amount = (*amount * factor).normalize());
        self
    }

    /// Every amount times every factor of another table, by both their parameters.
    pub(super) fn each_of(&self, factors: &Grid) -> Grid {
        let mut rows = BTreeMap::new();
        for (left, factor) in &factors.rows {
            for (right, amount) in &self.rows {
                rows.insert([left.clone(), right.clone()].concat(), (amount * factor).normalize());
            }
        }
        Grid { by: [factors.by.clone(), self.by.clone()].concat(), rows }
    }

    /// The same with the rows of another table in place of its own; both hang on the same.
    pub(super) fn over(mut self, other: &Grid) -> Option<Grid> {
        if self.by != other.by {
            return None;
        }
        self.rows.extend(other.rows.clone());
        Some(self)
    }

    /// Both tables' rows, and the dearer where both have one; both hang on the same.
    pub(super) fn or_dearer(mut self, other: Grid) -> Option<Grid> {
        if self.by != other.by {
            return None;
        }
        for (key, amount) in other.rows {
            let row = self.rows.entry(key).or_insert(amount);
            *row = (*row).max(amount);
        }
        Some(self)
    }

    /// The table itself, unless a parameter it hangs on is none of the model's.
    pub(super) fn widest(self, parameters: &[Parameter]) -> Option<Grid> {
        let known = |name: &String| parameters.iter().any(|p| p.name == name.trim_end_matches('?'));
        (self.by.iter().all(known) && !self.rows.is_empty()).then_some(self)
    }

    /// As a price a second.
    pub(super) fn a_second(self) -> Shape {
        match self.lone() {
            Ok(amount) => Shape::PerSecond { amount },
            Err(grid) => Shape::PerSecondBy { amounts: grid.amounts(), by: grid.by },
        }
    }

    /// As a price a clip.
    pub(super) fn a_clip(self) -> Shape {
        match self.lone() {
            Ok(amount) => Shape::PerClip { amount },
            Err(grid) => Shape::Table { amounts: grid.amounts(), by: grid.by },
        }
    }

    fn lone(self) -> Result<Decimal, Grid> {
        match self.rows.get(&Vec::new()) {
            Some(amount) => Ok(*amount),
            None => Err(self),
        }
    }

    fn amounts(&self) -> BTreeMap<String, Decimal> {
        self.rows.iter().map(|(key, amount)| (key.join("/"), *amount)).collect()
    }
}

/// The parameter that keys are values of, with each key's own value: lengths are the duration, else
/// the preferred parameter, else the first that offers one of them.
fn dimension<'a, 'k>(
    keys: impl Iterator<Item = &'k String>,
    prefer: &str,
    parameters: &'a [Parameter],
) -> Option<(&'a Parameter, Vec<(&'k String, String)>)> {
    let keys: Vec<&String> = keys.collect();
    let named = |name: &str| parameters.iter().find(|p| p.name == name);
    let seconds = |key: &str| key.strip_suffix('s').unwrap_or(key).parse::<u32>().ok();
    if !keys.is_empty() && keys.iter().all(|key| seconds(key).is_some()) {
        let lengths = keys.iter().filter_map(|key| Some((*key, seconds(key)?.to_string()))).collect();
        return Some((named("duration")?, lengths));
    }
    let same = |a: &str, b: &str| a.replace('-', "_").eq_ignore_ascii_case(&b.replace('-', "_"));
    let matched = |p: &Parameter| -> Vec<(&'k String, String)> {
        let option = |key: &str| p.one_of.iter().map(plain).find(|option| same(option, key));
        keys.iter().filter_map(|key| Some((*key, option(key)?))).collect()
    };
    let rest = || parameters.iter().filter(|p| p.name != "duration");
    let fits = |p: &&Parameter| !matched(p).is_empty();
    if let Some(parameter) = named(prefer).filter(|p| p.kind == ParameterKind::Text) {
        if parameter.one_of.is_empty() {
            return Some((parameter, keys.iter().map(|key| (*key, (*key).clone())).collect()));
        }
        if fits(&parameter) {
            return Some((parameter, matched(parameter)));
        }
    }
    rest().find(fits).map(|parameter| (parameter, matched(parameter)))
}

/// Every value of a parameter, or of whether it is given.
fn values_of(name: &str, parameters: &[Parameter]) -> Option<Vec<String>> {
    if name.ends_with('?') {
        return Some(vec!["none".to_owned(), "set".to_owned()]);
    }
    let parameter = parameters.iter().find(|p| p.name == name)?;
    let values: Vec<String> = parameter.choices().iter().map(plain).collect();
    (!values.is_empty()).then_some(values)
}
