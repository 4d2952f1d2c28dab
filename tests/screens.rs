//! Pictures of the screen, journeys through it, and a storm of random keys.
//!
//! `UPDATE_SCREENS=1 cargo test --test screens` writes the pictures anew; a change of them is read
//! like a change of code.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

#[path = "screens/books.rs"]
mod books;
#[path = "screens/budgets.rs"]
mod budgets;
#[path = "screens/bytes.rs"]
mod bytes;
#[path = "screens/form.rs"]
mod form;
#[path = "screens/further.rs"]
mod further;
#[path = "screens/golden.rs"]
mod golden;
#[path = "screens/journeys.rs"]
mod journeys;
#[path = "screens/lost.rs"]
mod lost;
#[path = "screens/manners.rs"]
mod manners;
#[path = "screens/overlays.rs"]
mod overlays;
#[path = "screens/palette.rs"]
mod palette;
#[path = "screens/repaint.rs"]
mod repaint;
#[path = "screens/storm.rs"]
mod storm;
#[path = "screens/world.rs"]
mod world;
