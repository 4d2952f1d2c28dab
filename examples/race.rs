//! `cargo run --example race -- ROUNDS`: processes and threads race for the last cent of a cap, and what
//! came of it is printed. Exits 1 when a cap was passed or nobody got what was free.

#![allow(clippy::unwrap_used, reason = "a test's parts are used here")]

use std::process::{Command, ExitCode};
use std::time::Instant;

#[path = "../tests/engine/race.rs"]
mod race;

#[expect(clippy::print_stdout, reason = "figures are what this prints")]
fn main() -> ExitCode {
    if race::contend() {
        return ExitCode::SUCCESS;
    }
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(50);
    let begun = Instant::now();
    let me = std::env::current_exe().unwrap();
    let score = race::race(rounds, || Command::new(&me));
    let race::Score { rounds, winners, over, unsold } = score;
    let each = begun.elapsed().as_secs_f64() * 1000.0 / rounds.max(1) as f64;
    println!("rounds {rounds}, winners {winners}, over = {over}, unsold = {unsold}; {each:.1} ms a round");
    if over == 0 && unsold == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
