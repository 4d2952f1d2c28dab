//! `cargo run --example repaint -- STEPS [SEED]`: random keys, events and sizes; after every frame the terminal must
//! show what a full repaint shows. Exits 1 and names seed and step where it does not.

#![allow(clippy::unwrap_used, reason = "a test's parts are used here")]
#![allow(dead_code, unused_imports, reason = "a test's parts are used here, not all of them")]

use std::process::ExitCode;
use std::time::Instant;

#[path = "../tests/screens/further.rs"]
mod further;
#[path = "../tests/screens/repaint.rs"]
mod repaint;
#[path = "../tests/screens/storm.rs"]
mod storm;
#[path = "../tests/screens/world.rs"]
mod world;

#[expect(clippy::print_stdout, reason = "figures are what this prints")]
fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let (steps, seed) = (numbers.next().unwrap_or(3_000), numbers.next().unwrap_or(0));
    let begun = Instant::now();
    let outcome = storm::weather(seed, usize::try_from(steps).unwrap_or(usize::MAX), 1);
    let seconds = begun.elapsed().as_secs_f64();
    match outcome {
        Ok(quits) => {
            println!(
                "steps {steps} from seed {seed}, every screen as a full repaint has it; asked to leave {quits} times; {seconds:.1} s"
            );
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}
