//! A simulated day, its engine killed (SIGKILL) once at each service and step, judged by the
//! simulator's order book and bank. The command does the same for hundreds of points.

use rushes::domain::Service;
use rushes::torture::{Options, torture};

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_service_and_step_buys_nothing_twice_and_loses_nothing() {
    for service in Service::ALL {
        let options = Options {
            program: env!("CARGO_BIN_EXE_rushes").into(),
            kills: None,
            seed: 1,
            services: vec![service],
            brief: true,
        };
        let report = torture(options, |_| ()).await.unwrap_or_else(|why| panic!("no verdict on {service}: {why}"));
        let lines = report.lines().join("\n");
        assert!(report.is_clean(), "{lines}");
        let steps = report.by_service.get(&service).map_or(0, std::collections::BTreeMap::len);
        assert!(steps >= 30 && report.kills == steps, "{service} was killed at {steps} steps only\n{lines}");
        assert!(report.files > report.kills && report.orders > report.files, "{lines}");
    }
}
