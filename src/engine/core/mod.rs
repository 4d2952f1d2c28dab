//! core
pub mod budget;
pub mod schedule;
