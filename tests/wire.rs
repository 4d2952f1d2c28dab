//! The adapters on a real socket: one case for each cell of each answer table, against a scripted
//! server on loopback, and one contract run each against the simulator. Real time throughout.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failing unwrap is a failing test, and long ones say how much they did"
)]

mod wire {
    mod a4f;
    mod contract;
    mod fetching;
    mod legal;
    mod nanogpt;
    mod ninjachat;
    mod paying;
    mod scripted;
    mod support;
}
