//! `cargo run --release --example faults -- [RUNS] [--seed N]`: random fault runs of core and store against
//! scripted services on a virtual clock. Prints runs, coverage and what was wrong; exits 1 when anything
//! was, or when a cell of the table (service x step x fault) came true less than 100 times. With a seed,
//! that one run again, told.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rushes::engine::core::storm::cells::Wire;
use rushes::engine::core::storm::{Failure, Run, Way, run};

/// How often each cell must come true.
const LEAST: u64 = 100;

/// So many failures are told.
const TOLD: usize = 3;

#[expect(clippy::print_stdout, reason = "figures are what this prints")]
fn main() -> ExitCode {
    // A run that panics is a failure like another, told once it was made again.
    std::panic::set_hook(Box::new(|_| ()));
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(seed) = args.iter().position(|arg| arg == "--seed").and_then(|at| args.get(at + 1)?.parse().ok()) {
        return match run(seed) {
            Ok(run) => {
                println!("seed {seed}: nothing wrong; {run:#?}");
                ExitCode::SUCCESS
            }
            Err(failure) => tell(&failure),
        };
    }
    let runs: u64 = args.first().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let (next, all, failures) = (AtomicU64::new(0), Mutex::new(Run::default()), Mutex::new(Vec::new()));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut mine = Run::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= runs {
                        break;
                    }
                    match run(seed) {
                        Ok(run) => mine.add(run),
                        Err(failure) => failures.lock().expect("nobody panics with it").push(failure),
                    }
                }
                all.lock().expect("nobody panics with it").add(mine);
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let (all, mut failures) =
        (all.into_inner().expect("nobody panics with it"), failures.into_inner().expect("nobody panics with it"));
    failures.sort_by_key(|failure: &Failure| failure.seed);
    println!("runs          {runs} in {seconds:.0} s, {:.0} a second, {} commits", runs as f64 / seconds, all.commits);
    println!("orders        {} taken by the services", all.orders);
    let listed = |items: Vec<String>| items.join(", ");
    println!("jobs          {}", listed(all.states.iter().map(|(state, n)| format!("{n} {state}")).collect()));
    println!("verdicts      {}", listed(all.verdicts.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect()));
    let (likely, false_) = all.likely;
    println!("likely        {likely} by the balance alone, {false_} of them wrong, where somebody else spent, too");
    let way = |((way, looking), n): (&(Way, bool), &u64)| {
        format!("{n} {way:?}{}", if *looking { " while looked for" } else { "" })
    };
    println!("by the user   {}", listed(all.ways.iter().map(way).collect()));
    for wire in Wire::ALL {
        let mine: Vec<u64> = all.coverage.0.iter().filter(|((of, ..), _)| *of == wire).map(|(_, n)| *n).collect();
        let (cells, sum, least) = (mine.len(), mine.iter().sum::<u64>(), mine.iter().min().copied().unwrap_or(0));
        println!("  {:<14}{cells} cells of step x fault, {sum} faults, each at least {least} times", wire.to_string());
    }
    let count = |word: &str| failures.iter().flat_map(|f| &f.wrong).filter(|text| text.contains(word)).count();
    let (twice, lost, proven) = (count("bought twice"), count("lost:"), count("is proven"));
    let others = failures.iter().flat_map(|failure| &failure.wrong).count() - twice - lost - proven;
    println!("wrong         {twice} bought twice, {lost} lost, {proven} wrong `proven`, {others} others");
    for failure in failures.iter().take(TOLD) {
        let _ = tell(failure);
    }
    let seeds: Vec<String> = failures.iter().take(20).map(|failure| failure.seed.to_string()).collect();
    if !seeds.is_empty() {
        println!("seeds         {} ({} in all)", seeds.join(" "), failures.len());
    }
    let rare = all.coverage.below(LEAST.min(runs / 1000));
    for ((wire, step, fault), n) in &rare {
        println!("RARE          {wire} {step:?} {fault:?}: {n}");
    }
    if failures.is_empty() && rare.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "a failure is what this prints")]
fn tell(failure: &Failure) -> ExitCode {
    println!("seed {}: {}", failure.seed, failure.wrong.join("\n    "));
    failure.events.iter().for_each(|event| println!("    {event}"));
    ExitCode::FAILURE
}
