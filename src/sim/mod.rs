//! The simulated services: NinjaChat, NanoGPT and A4F on loopback, as true to their documents as
//! we can read them, with an order book and a bank that can be asked, faults that can be ordered,
//! and real clips. Shares nothing with the client, so that it can contradict it.
//!
//! ```text
//! server.rs   sockets and routes        ninjachat.rs nanogpt/ a4f.rs     the wires
//! call.rs     one request, its answer   *_rules.rs                       what they accept and cost
//! faults.rs   what goes wrong           limits.rs clock.rs steer.rs      rates, time, levers
//! admin.rs    /_sim                     bank.rs orders.rs clip/          the books, the pictures
//! variants.rs what can be switched      *_variants.rs habits.rs          each service's switches
//! memory.rs   what a restart finds      memory_rows.rs                   how it is written
//! ```
//!
//! Where the documents are silent the simulator had to decide; those places say "own".

#![allow(clippy::result_large_err, reason = "a refusal is the whole answer here, made once a request")]

mod a4f;
mod a4f_account;
mod a4f_answer;
mod a4f_rules;
mod a4f_variants;
mod admin;
mod bank;
mod call;
mod clip;
mod clock;
mod encoding;
mod faults;
mod files;
mod habits;
mod help;
mod limits;
mod links;
mod memory;
mod memory_rows;
mod nanogpt;
mod nanogpt_variants;
mod ninjachat;
mod ninjachat_host;
mod ninjachat_new;
mod ninjachat_new_account;
mod ninjachat_new_catalog;
mod ninjachat_new_rules;
mod ninjachat_rules;
mod ninjachat_variants;
mod orders;
mod place;
mod requests;
mod server;
mod service;
mod steer;
mod variants;

#[cfg(test)]
mod tests;

pub use faults::KINDS as FAULT_KINDS;
pub use help::help;

use crate::sim::service::Service;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The key the embedded mode uses at the simulated NinjaChat ($42.00 in the bank, seed 001).
pub const NINJACHAT_KEY: &str = "nj_sk_simulator_0000000000000000";
/// The key the embedded mode uses at the simulated NanoGPT (129.46956147 USD, wire.md 1.5).
pub const NANOGPT_KEY: &str = "sk-nano-00000000-0000-4000-8000-000000000000";
/// The key the embedded mode uses at the simulated A4F (ultra plan, 12 calls a minute).
pub const A4F_KEY: &str = "ddc-a4f-00000000000000000000000000000000";

/// How a simulator is started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimOptions {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// How many times faster than ours the simulator's clock runs; jobs, rate-limit windows and
    /// days all follow it. 1 is real time; not a positive number counts as 1.
    pub speed: f64,
    /// Draws tiny clips (36 lines, 8 frames a second), for tests that only move bytes.
    pub cheap_clips: bool,
    /// Draws clips in the ordered resolution; otherwise the short side has 360 lines, at 24
    /// frames a second. `cheap_clips` wins over it.
    pub full_size: bool,
    /// Ids, speeds and pictures follow from it and the order's number.
    pub seed: u64,
    /// NinjaChat speaks its new generation (wire.md 2.1) from the start.
    pub ninjachat_new: bool,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self { port: 0, speed: 1.0, cheap_clips: false, full_size: false, seed: 0, ninjachat_new: false }
    }
}

/// Everything that changes, under one lock, so that a charge and its order are one step.
#[derive(Debug, Default)]
struct World {
    bank: bank::Bank,
    book: orders::Book,
    limits: limits::Limits,
    faults: faults::Faults,
    requests: requests::Log,
    variants: variants::Variants,
}

impl World {
    /// An empty world, with the switches as the options want them.
    fn starting(options: SimOptions) -> Self {
        let mut variants = variants::Variants::default();
        if options.ninjachat_new {
            variants = variants.starting(Service::NinjaChat, "generation", "new");
        }
        // A caller repeats by its own watch, however fast time runs here. Own: the documents give no time.
        let kept = (600.0 * options.speed.max(1.0)).min(1e9) as u64;
        variants = variants.starting(Service::NinjaChat, "key_seconds", &kept.to_string());
        Self { variants, ..Self::default() }
    }
}

/// What every route is given.
#[derive(Debug)]
struct Simulation {
    options: SimOptions,
    clock: clock::Clock,
    world: Mutex<World>,
    clips: clip::CuttingRoom,
    memory: Option<memory::Memory>,
}

impl Simulation {
    /// The world with all refunds due by now booked. Never held across an await.
    fn world(&self) -> MutexGuard<'_, World> {
        let mut guard = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let World { book, bank, variants, .. } = &mut *guard;
        for service in Service::ALL {
            bank.behave(service, habits::Habits::read(variants, service));
        }
        book.settle(bank, self.clock.now());
        guard
    }

    /// How clips are drawn.
    fn screen(&self) -> clip::Screen {
        clip::Screen { cheap: self.options.cheap_clips, full_size: self.options.full_size }
    }
}

/// A running simulator; dropping it leaves it running until its runtime ends, so call
/// [`Simulator::shutdown`].
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    serving: server::Serving,
    simulation: Arc<Simulation>,
}

impl Simulator {
    /// Starts all three services on 127.0.0.1, on the current tokio runtime. Fails when the port
    /// is taken.
    pub async fn start(options: SimOptions) -> std::io::Result<Self> {
        let simulation = Arc::new(Simulation {
            options,
            clock: clock::Clock::new(options.speed),
            world: Mutex::new(World::starting(options)),
            clips: clip::CuttingRoom::default(),
            memory: None,
        });
        Self::open(simulation).await
    }

    /// As [`Simulator::start`], but with the orders, balances and time of the last simulator that
    /// was started with the same file; a new file gets its own random seed, and `options.seed` is
    /// not used. Everything booked is in the file before its answer leaves, so that it outlives
    /// the process. While another process has the file, this one shows what is in it, takes no
    /// order and writes nothing. Fails when the port is taken, and when the file is damaged, from
    /// a newer program or cannot be written.
    pub async fn start_with_memory(options: SimOptions, path: &Path) -> std::io::Result<Self> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || memory::open(path, options));
        Self::open(Arc::new(opened.await.map_err(std::io::Error::other)??)).await
    }

    async fn open(simulation: Arc<Simulation>) -> std::io::Result<Self> {
        let (address, serving) = server::serve(simulation.clone(), simulation.options.port).await?;
        Ok(Self { address, serving, simulation })
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash. The services are at `/ninjachat`,
    /// `/ninjachat-new`, `/nanogpt` and `/a4f`, and at the root as well, where the few paths that
    /// two of them have are NanoGPT's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets a switch of `GET /_sim/variants`, at every service that has it when none is named. Fails
    /// with what it takes.
    pub fn switch(&self, service: Option<&str>, name: &str, value: &str) -> Result<(), String> {
        let named = |name: &str| Service::named(name).ok_or_else(|| format!("no service {name}"));
        self.simulation.world().variants.set(service.map(named).transpose()?, name, value)
    }

    /// Stops listening and cuts every connection, held ones too.
    pub async fn shutdown(self) {
        self.serving.stop().await;
        self.simulation.close_memory().await;
    }
}

impl Service {
    /// The key that `deposit` means when none is named.
    fn embedded_key(self) -> &'static str {
        match self {
            Self::NinjaChat => NINJACHAT_KEY,
            Self::NanoGpt => NANOGPT_KEY,
            Self::A4f => A4F_KEY,
        }
    }
}
