//! The simulator: inside this process, where it stands in for the services, or alone for other programs.
//!
//! Knows its accounts and keys. Must not know what is asked of it.

use rushes::cli::{self, code, out::Out};
use rushes::config::{Account, Config};
use rushes::domain::Service;
use rushes::sim::{self, SimOptions, Simulator};

/// Starts the simulator inside this process, where it stands in for the services.
pub(crate) async fn embed(config: &mut Config) -> Result<Option<Simulator>, std::io::Error> {
    if !config.simulated {
        return Ok(None);
    }
    let options = SimOptions { speed: f64::from(cli::settings::SIMULATED_SPEED), ..SimOptions::default() };
    let simulator = Simulator::start_with_memory(options, &config.data_dir.join("simulator.json")).await?;
    config.accounts = simulated_accounts(&simulator.url());
    Ok(Some(simulator))
}

/// An account at each service of a simulator.
pub(crate) fn simulated_accounts(url: &str) -> Vec<Account> {
    let keys = [sim::NINJACHAT_KEY, sim::NANOGPT_KEY, sim::A4F_KEY];
    let services = Service::ALL.into_iter().zip(keys);
    services.map(|(service, key)| Account::simulated(service, &format!("{url}/{service}"), key.into())).collect()
}

/// Runs the simulator for other programs until a signal.
pub(crate) async fn serve(asked: cli::args::Sim, out: &mut Out) -> u8 {
    let options = SimOptions {
        port: asked.port,
        speed: asked.speed,
        cheap_clips: asked.cheap_clips,
        full_size: asked.full_size,
        seed: asked.seed,
        ninjachat_new: asked.ninjachat == cli::args::Generation::New,
    };
    let simulator = match Simulator::start(options).await {
        Ok(simulator) => simulator,
        Err(error) => {
            out.say(format_args!("the simulator cannot listen on port {}: {error}", asked.port));
            return code::USAGE;
        }
    };
    for switch in &asked.variant {
        if let Err(error) = simulator.switch(switch.service.as_deref(), &switch.name, &switch.value) {
            out.say(error);
            return code::USAGE;
        }
    }
    for account in simulated_accounts(&simulator.url()) {
        let name = account.service.word().to_uppercase();
        out.line(format_args!("export RUSHES_{name}_BASE_URL={}", account.base_url));
    }
    for (name, key) in [("NINJACHAT", sim::NINJACHAT_KEY), ("NANOGPT", sim::NANOGPT_KEY), ("A4F", sim::A4F_KEY)] {
        out.line(format_args!("export {name}_API_KEY={key}"));
    }
    out.say(format_args!("the simulator listens on {}; Ctrl-C ends it", simulator.url()));
    let code = cli::run::until_signal().await.unwrap_or(code::USAGE);
    simulator.shutdown().await;
    code
}
