//! The adapters on a real socket: one case for each cell of each answer table, against a scripted
//! server on loopback, and one contract run each against the simulator. Real time throughout.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failing unwrap is a failing test, and long ones say how much they did"
)]

mod wire {
    mod a4f;
    mod a4f_account;
    mod contract;
    mod cuts;
    mod echo;
    mod fetching;
    mod generations;
    mod legal;
    mod nanogpt;
    mod nanogpt_lost;
    mod nanogpt_models;
    mod nanogpt_orders;
    mod ninjachat;
    mod ninjachat_new;
    mod orders;
    mod paying;
    mod random;
    mod scripted;
    mod support;
    mod waits;
}
