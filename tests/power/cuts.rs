//! The short version of what `cargo run --example power` does at length, and the proof that it bites.

use std::process::Command;

use super::record::Fate;
use super::world::Day;

/// Cuts beside the telling ones.
const AT_RANDOM: usize = 40;

/// Every so often an engine starts on what is left, instead of the store alone.
const ENGINE_EVERY: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn no_loss_of_power_loses_an_order_a_clip_or_a_cent() {
    let day = Day::work(1).await;
    let mut rng = fastrand::Rng::with_seed(1);
    let mut cuts: Vec<(usize, Fate)> =
        day.telling_cuts().into_iter().flat_map(|cut| Fate::ALL[..4].iter().map(move |fate| (cut, *fate))).collect();
    cuts.extend((0..AT_RANDOM).map(|_| (rng.usize(..=day.events.len()), Fate::ALL[rng.usize(..Fate::ALL.len())])));
    for (n, (cut, fate)) in cuts.into_iter().enumerate() {
        let wrong = day.judge(cut, fate, n as u64, n % ENGINE_EVERY == 0).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Plants a fault in this very program and runs the test above with it.
fn turns_red(mutation: &str, complaint: &str) {
    let this = std::env::current_exe().unwrap();
    let name = "power::cuts::no_loss_of_power_loses_an_order_a_clip_or_a_cent";
    let run = Command::new(this).args(["--exact", name]).env("RUSHES_MUTATION", mutation).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(!run.status.success() && said.contains(complaint), "{mutation} went unnoticed:\n{said}");
}

#[test]
fn a_commit_that_does_not_wait_for_the_medium_is_seen() {
    turns_red("no_full_sync", "was bought and is");
}

#[test]
fn a_missing_sync_of_a_directory_is_seen() {
    turns_red("no_dir_sync", "is done, and");
}

#[test]
fn a_name_given_before_its_content_is_synced_is_seen() {
    turns_red("rename_before_sync", "bears a clip's name and is none that came");
}
