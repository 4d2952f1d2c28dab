//! Sixty rows through the real binary, judged by the simulator's own order book and bank: every
//! order once, every clip on disk, every cent in both books; again, and killed in the middle.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail them")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rushes::sim::{SimOptions, Simulator};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Nothing here takes this long; a test that waits for it has found a bug.
const LONGEST: Duration = Duration::from_secs(150);

const KEYS: [(&str, &str, &str); 3] = [
    ("ninjachat", "NINJACHAT", "nj_sk_rich_0123456789"),
    ("nanogpt", "NANOGPT", "sk-nano-rich-0123456789"),
    ("a4f", "A4F", "ddc-a4f-rich0123456789"),
];

const MODELS: [&str; 3] = ["ninjachat/veo-3.1-fast", "nanogpt/veo2-video", "a4f/provider-2/kling-v2.1"];

struct Shop {
    sim: Simulator,
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
}

impl Shop {
    fn open(speed: f64) -> Shop {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        let sim = runtime.block_on(Simulator::start(options)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let accounts = KEYS.iter().map(|(name, variable, _)| {
            format!(
                "[accounts.{name}]\nservice = \"{name}\"\napi_key_env = \"{variable}_API_KEY\"\nbase_url = \"{}/{name}\"\npoll_interval = 1\nmax_in_flight = 8\n",
                sim.url()
            )
        });
        std::fs::write(dir.path().join("config.toml"), accounts.collect::<String>()).unwrap();
        Shop { sim, runtime, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn rushes(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rushes"));
        command.env_clear().env("PATH", std::env::var("PATH").unwrap()).env("HOME", self.dir.path());
        for (name, variable, key) in KEYS {
            command.env(format!("{variable}_API_KEY"), key);
            command.env(format!("RUSHES_{variable}_BASE_URL"), format!("{}/{name}", self.sim.url()));
        }
        command.arg("--config").arg(self.path("config.toml"));
        command.arg("--data-dir").arg(self.path("data")).arg("--output-dir").arg(self.path("clips"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.rushes(arguments).output().unwrap()
    }

    /// The jobs as `list --json` says.
    fn jobs(&self) -> Vec<Value> {
        let output = self.run(&["list", "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        match text.trim_start().starts_with('[') {
            true => serde_json::from_str(&text).unwrap(),
            false => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        }
    }

    fn admin(&self, path: &str) -> Value {
        let url = format!("{}/_sim/{path}", self.sim.url());
        // The binary under test installs its own; whoever comes first wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = self.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client.get(url).send().await.unwrap().text().await.unwrap()
        });
        serde_json::from_str(&text).unwrap()
    }

    fn orders(&self) -> Vec<Value> {
        self.admin("orders").as_array().unwrap().clone()
    }

    fn write_batch(&self, slow: impl Fn(usize, &str) -> bool) -> String {
        let rows = (0..20).flat_map(|n| MODELS.map(|model| (n, model))).map(|(n, model)| {
            let slow = if slow(n, model) { "[slow] " } else { "" };
            json!({"model": model, "prompt": format!("{slow}take {n} of a paper boat"), "tags": ["boat"]}).to_string()
                + "\n"
        });
        let path = self.path("batch.jsonl");
        std::fs::write(&path, rows.collect::<String>()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Sixty orders, sixty jobs done, sixty files that are those orders' clips, and both books agree.
    fn audit(&self) {
        let (orders, jobs) = (self.orders(), self.jobs());
        assert_eq!((orders.len(), jobs.len()), (60, 60));
        let made: BTreeSet<&str> = orders.iter().map(|order| order["sha256"].as_str().unwrap()).collect();
        assert_eq!(made.len(), 60, "every clip is another one");
        let mut spent: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for job in &jobs {
            assert_eq!(job["state"], "done", "{job}");
            assert_eq!(job["simulated"], false, "a server of the user's own is no embedded simulator");
            let content = std::fs::read(job["file"].as_str().unwrap()).unwrap();
            let hash = format!("{:x}", Sha256::digest(&content));
            assert_eq!(job["sha256"], hash.as_str());
            assert!(made.contains(hash.as_str()), "{job} is no clip that was made");
            assert!(seen.insert(hash), "two jobs have the same clip");
            let cost: Decimal = job["cost"]["amount"].to_string().parse().unwrap();
            *spent.entry(job["account"].as_str().unwrap().to_owned()).or_default() += cost;
        }
        let mut charged: BTreeMap<String, Decimal> = BTreeMap::new();
        for order in &orders {
            let price: Decimal = order["price"].as_str().unwrap().parse().unwrap();
            *charged.entry(order["service"].as_str().unwrap().to_owned()).or_default() += price;
        }
        assert_eq!(spent, charged, "our books and the bank's, to the last digit");
        let parts: Vec<PathBuf> =
            files(&self.path("clips")).into_iter().filter(|p| p.extension().is_some_and(|e| e == "part")).collect();
        assert!(parts.is_empty(), "{parts:?}");
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn sixty_rows_are_sixty_orders_and_the_same_file_again_is_none() {
    let shop = Shop::open(300.0);
    let batch = shop.write_batch(|_, _| false);
    let output = shop.run(&["run", &batch, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    shop.audit();
    let lines = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = events.iter().filter(|event| event["kind"] == "done").count();
    assert_eq!(done, 60, "each event is one line of JSON");

    let again = shop.run(&["run", &batch]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
    assert!(text(&again).contains("60 known, 0 new"), "{}", text(&again));
    shop.audit();
}

#[test]
fn killed_in_the_middle_and_started_again_it_is_still_sixty_orders_and_sixty_clips() {
    let shop = Shop::open(100.0);
    // The last rows of two services take ten times as long, so that the kill finds jobs running;
    // A4F's answers are all in by then, since a kill while one is held would lose it for good.
    let batch = shop.write_batch(|n, model| n >= 12 && !model.starts_with("a4f"));
    let mut child = shop.rushes(&["run", &batch]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let running = wait_for_the_middle(&shop, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(running > 0);
    let before = shop.orders().len();
    assert!(before > 30, "{before} orders are not the middle");
    let output = shop.run(&["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = shop.run(&["run", &batch]);
    assert!(text(&output).contains("60 known, 0 new"), "{}", text(&output));
    shop.audit();
}

/// Waits until nothing is being sent, A4F is through, some jobs run and some are done; returns how
/// many run.
fn wait_for_the_middle(shop: &Shop, child: &mut Child) -> usize {
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < LONGEST, "the middle never came: {:#?}", shop.jobs());
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        if !shop.path("data").join("rushes.db").exists() {
            std::thread::yield_now();
            continue;
        }
        let jobs = shop.jobs();
        let count = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
        let a4f = jobs.iter().filter(|job| job["account"] == "a4f" && job["state"] == "done").count();
        let slots = jobs
            .iter()
            .filter(|job| job["state"] == "running" && job["prompt"].as_str().unwrap().contains("[slow]"))
            .count();
        // Every slot of both services taken by a slow job: no order is sent for some seconds now.
        if a4f == 20 && slots == 16 && count("submitting") == 0 {
            return count("running");
        }
    }
}
