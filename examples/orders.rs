//! Orders at random from the catalogue, at the simulator: `cargo run --example orders -- 10000 [SEED]`.
//!
//! Prints how many legal orders were taken and at which price, how many requests with one rule broken were refused
//! and by which rule; ends with 1 where anything was otherwise. Costs nothing, reaches nothing beyond loopback.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command that prints its counts, built like a test")]
#![allow(dead_code, reason = "the tests use the rest of what is shared")]

#[path = "../tests/wire/orders.rs"]
mod orders;
#[path = "../tests/wire/random.rs"]
mod random;
#[path = "../tests/wire/support.rs"]
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(n), Ok(seed)) = (arguments.next().unwrap_or(Ok(1_000)), arguments.next().unwrap_or(Ok(0))) else {
        println!("usage: orders [HOW-MANY] [SEED]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let n = usize::try_from(n).unwrap();
    let legal = runtime.block_on(random::order_legal(n, seed));
    println!("{n} legal orders (seed {seed}): {:?}", legal.counts);
    println!("  charged what was shown: {}", legal.exact);
    println!("  charged less, the price being the dearer of what cannot be told apart: {}", legal.less);
    println!("  taken under a ceiling, the price being unknown: {}", legal.unknown);
    println!("  refused, or charged otherwise: {}", legal.wrong.len());
    let broken = runtime.block_on(random::queue_broken(n, seed));
    println!("{n} requests with one rule broken: {:?}", broken.counts);
    println!("  not refused by that rule's name, or sent: {}", broken.wrong.len());
    for wrong in legal.wrong.iter().chain(&broken.wrong) {
        println!("  ! {wrong}");
    }
    if legal.wrong.is_empty() && broken.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
