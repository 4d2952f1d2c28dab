//! The power goes: the database and the clips on disks of which only what was synced is sure, cut after any
//! step of a day, judged by what left this machine and what was told before.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail them")]

mod power {
    mod cuts;
    pub mod disk;
    mod full;
    mod held;
    pub mod record;
    pub mod vfs;
    pub mod world;
}
