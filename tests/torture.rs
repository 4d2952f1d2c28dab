//! A simulated day, its engine killed (SIGKILL) once at each service and step, judged by the
//! simulator's order book and bank. The command does the same for hundreds of points.

use rushes::domain::Service;
use rushes::torture::{Options, torture};

/// One kill for each step at `service`.
async fn kill_at_each_step(service: Service) {
    let options = Options {
        program: env!("CARGO_BIN_EXE_rushes").into(),
        kills: None,
        seed: 1,
        services: vec![service],
        brief: true,
        paired: true,
        twice: false,
        keep: false,
    };
    let report = torture(options, |_| ()).await.unwrap_or_else(|why| panic!("no verdict: {why}"));
    let lines = report.lines().join("\n");
    assert!(report.is_clean(), "{lines}");
    let steps = report.by_service.get(&service).map_or(0, std::collections::BTreeMap::len);
    assert!(steps >= 30 && report.kills == steps, "killed at {steps} steps only\n{lines}");
    // An order may make several files, and what was lost is found again.
    assert!(report.files > report.kills && report.orders > report.kills, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_at_ninjachat_buys_nothing_twice_and_loses_nothing() {
    kill_at_each_step(Service::Ninjachat).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_at_nanogpt_buys_nothing_twice_and_loses_nothing() {
    kill_at_each_step(Service::Nanogpt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_at_a4f_buys_nothing_twice_and_loses_nothing() {
    kill_at_each_step(Service::A4f).await;
}
