//! The power goes, again and again: `cargo run --example power -- 1000 [SEED]`.
//!
//! Works days at the simulator on watched disks, lays out what a loss of power at some moment would leave of
//! them, and judges that. Prints days, cuts and violations; ends with 1 where there was one. Costs nothing,
//! reaches nothing beyond loopback. `RUSHES_MUTATION=no_full_sync`, `no_dir_sync`, `rename_before_sync` show
//! that it bites.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command that prints its counts, built like a test")]
#![allow(dead_code, reason = "the tests use the rest of what is shared")]

#[path = "../tests/power/disk.rs"]
mod disk;
#[path = "../tests/power/record.rs"]
mod record;
#[path = "../tests/power/vfs.rs"]
mod vfs;
#[path = "../tests/power/world.rs"]
mod world;

use std::process::ExitCode;

use record::Fate;
use world::Day;

/// Cuts in one day before the next is worked.
const CUTS_A_DAY: u64 = 2_000;
/// Every so often an engine starts on what is left, instead of the store alone.
const ENGINE_EVERY: u64 = 5;
/// Violations that are printed; all are counted.
const SHOWN: usize = 20;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(n), Ok(seed)) = (arguments.next().unwrap_or(Ok(1_000)), arguments.next().unwrap_or(Ok(0))) else {
        println!("usage: power [CUTS] [SEED]");
        return ExitCode::from(2);
    };
    tokio::runtime::Runtime::new().unwrap().block_on(cut(n, seed))
}

async fn cut(n: u64, seed: u64) -> ExitCode {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut days, mut asked, mut wrong) = (0, 0, Vec::new());
    for first in (0..n).step_by(usize::try_from(CUTS_A_DAY).unwrap()) {
        let day = Day::work(seed + first).await;
        days += 1;
        asked += day.events.len();
        let telling = day.telling_cuts();
        for number in first..n.min(first + CUTS_A_DAY) {
            // Half where most hangs on it, half anywhere.
            let at = if rng.bool() { telling[rng.usize(..telling.len())] } else { rng.usize(..=day.events.len()) };
            let fate = Fate::ALL[rng.usize(..Fate::ALL.len())];
            wrong.extend(day.judge(at, fate, seed + number, number % ENGINE_EVERY == 0).await);
        }
    }
    println!(
        "{days} days, {asked} things asked of the disks and told, {n} cuts (seed {seed}): {} violations",
        wrong.len()
    );
    wrong.iter().take(SHOWN).for_each(|wrong| println!("  ! {wrong}"));
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
