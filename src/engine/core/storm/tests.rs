//! Some thousand fault runs, and a look at whether they reach what they are for.

use super::*;
use crate::domain::search::Verdict;

/// Random runs; each plans one cell of the table.
const RUNS: u64 = 2_000;

/// So many at a time.
const THREADS: u64 = 4;

#[test]
fn in_a_storm_nothing_is_bought_twice_no_clip_is_lost_no_verdict_is_false_and_the_books_balance() {
    let some = |first: u64| {
        let mut all = Run::default();
        for seed in (first..RUNS).step_by(THREADS as usize) {
            all.add(run(seed).unwrap_or_else(|failure| panic!("{failure:#?}")));
        }
        all
    };
    let mut all = Run::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || some(first))).collect();
        threads.into_iter().for_each(|thread| all.add(thread.join().unwrap()));
    });
    // A storm that reaches nothing proves nothing.
    let of = |state| all.states.get(&state).copied().unwrap_or_default();
    assert!(all.orders > RUNS && of(JobState::Done) > RUNS, "{all:?}");
    assert!(of(JobState::Unconfirmed) > RUNS / 20 && of(JobState::Failed) > RUNS / 40, "{all:?}");
    assert!(all.verdicts.get(&Verdict::Proven).copied().unwrap_or_default() > RUNS / 40, "{all:?}");
    let never = all.coverage.below(1);
    assert!(never.len() * 50 < cells::cells().len(), "never reached: {never:?}");
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let told = |seed| format!("{:?}", run(seed).unwrap());
    (0..5).for_each(|seed| assert_eq!(told(seed * 101), told(seed * 101)));
}
