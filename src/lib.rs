//! # The map of the house
//!
//! `rushes` is a keyboard-driven terminal dashboard for making many AI video clips at hosted
//! services. Data goes one way round:
//!
//! ```text
//! key -> Action -> App -> Command -> Engine -> Event -> App -> frame
//! ```
//!
//! Floors look down, never up, never sideways; `tests/house.rs` holds this by parsing the sources.
//!
//! ```text
//! tui    cli    torture                 faces: a terminal, a command line, a crash test
//! app                                   what the screen is about: pure state
//! engine                                what the program does
//! provider store media catalog config   wires | SQLite | files, frames | models as data | settings
//! domain                                the nouns and their rules
//! sim                                   the simulated services; knows nobody of ours
//! ```
//!
//! `main.rs` and `start/` put them together. Find the room by the question: wrong price -> [`catalog`]; a vendor changed -> `provider/<vendor>.rs`;
//! polls too often -> `engine/schedule.rs`; a key -> `app/action.rs`; terminal broken -> `tui/terminal.rs`.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod media;
pub mod mutation;
pub mod provider;
pub mod sim;
pub mod store;
pub mod torture;
pub mod tui;
