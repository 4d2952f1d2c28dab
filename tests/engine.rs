//! The engine with its real store, disk and adapters against the simulator: what it says is held
//! against the simulator's own books, never against itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail them")]

mod engine {
    mod books;
    mod caps;
    mod cashier;
    mod day;
    mod faults;
    mod kept;
    mod learning;
    mod pictures;
    pub mod race;
    mod resolving;
    mod work;
    pub mod world;
}
