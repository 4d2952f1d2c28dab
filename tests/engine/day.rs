//! Random days: what the books say of each account is held against the simulator's own bank, and what
//! they call unexplained against what others moved there and what its cashier took unsaid.
//!
//! `DAYS=50 cargo test --test engine random_day` works more of them.

use std::collections::BTreeMap;

use rushes::domain::job::Refund;
use rushes::domain::message::{Answer, Command};
use rushes::domain::{Currency, JobState, NewJob, Request};
use rushes::engine::{Leave, Settings};
use rushes::store::{JobFilter, Store};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::cashier::later;
use super::world::{Desk, World};

/// A key with more money than a day can spend.
const RICH_KEY: &str = "nj_sk_rich_0000000000000000";
/// A key whose orders are billed in XNO.
const XNO_KEY: &str = "sk-nano-xno-0000-4000-8000-00000000cafe";

/// Accounts with their models; the second NanoGPT account pays in XNO.
const MODELS: [(&str, &str); 4] = [
    ("ninjachat", "ninjachat/veo-3.1"),
    ("nanogpt", "nanogpt/veo2-video"),
    ("xno", "xno/veo2-video"),
    ("a4f", "a4f/provider-2/kling-v2.1"),
];

const PROMPTS: [&str; 6] = ["a river", "a hill", "[fail] a river", "[nsfw] a hill", "[policy] a lake", "[slow] a lake"];

/// What is odd about a day at one service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Honest,
    /// Others pay in and spend.
    Others,
    CentMore,
    SaysMore,
    KeepsRefunds,
    PaysLate,
}

const MOODS: [Mood; 6] =
    [Mood::Honest, Mood::Others, Mood::CentMore, Mood::SaysMore, Mood::KeepsRefunds, Mood::PaysLate];

fn settings(world: &World) -> Settings {
    let mut settings = world.settings();
    let mut second = settings.accounts[1].clone();
    (second.name, second.key) = ("xno".to_owned(), XNO_KEY.to_owned().into());
    settings.accounts.push(second);
    settings.accounts[0].key = RICH_KEY.to_owned().into();
    settings
}

async fn set_up(world: &World, service: &str, mood: Mood) {
    match mood {
        Mood::Honest | Mood::Others => {}
        Mood::CentMore => world.variant(service, "charges", "cent_more").await,
        Mood::SaysMore => world.variant(service, "charges", "says_more").await,
        Mood::KeepsRefunds => world.variant(service, "refunds", "never").await,
        Mood::PaysLate => {
            world.variant(service, "refund_seconds", "31536000").await;
            world.variant(service, "refunds", "late").await;
        }
    }
}

/// Orders at random, some of which lose their answer, and leaves when it pleases.
async fn work(world: &World, settings: &Settings, rng: &mut fastrand::Rng) {
    if rng.bool() {
        world.fault(json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1})).await;
    }
    let route = rng.choice(["status", "clip", "balance"]).unwrap();
    world.fault(json!({"service": "ninjachat", "route": route, "kind": "status", "status": 503, "times": 1})).await;
    let mut desk = Desk::new(settings.clone()).await;
    let mut ids = Vec::new();
    for _ in 0..rng.usize(1..5) {
        let (_, model) = MODELS[rng.usize(0..MODELS.len())];
        let jobs = vec![NewJob::of(Request::new(&model.parse().unwrap(), PROMPTS[rng.usize(0..PROMPTS.len())]))];
        let Answer::Accepted { ids: new, .. } = desk.ask(Command::Queue { jobs }).await else { panic!("refused") };
        ids.extend(new);
    }
    // What a dearer charge holds is let go by hand.
    let is_left = |state| matches!(state, JobState::Queued | JobState::Submitting);
    desk.until("all to be sent", |_, rows| {
        ids.iter().all(|id| rows.get(id).is_some_and(|row| !is_left(row.state))).then_some(())
    })
    .await;
    if rng.bool() {
        tokio::time::timeout(std::time::Duration::from_secs(60), desk.engine.settled()).await.unwrap();
    }
    desk.engine.leave(Leave::Drain).await;
}

/// Works until nothing is left; releases what is held, and gives up what was never found: the service
/// refused it, and that answer was lost.
async fn finish(settings: &Settings) {
    let mut desk = Desk::new(settings.clone()).await;
    // An order waits for a balance before it, and brings one after it.
    for (_, model) in MODELS {
        desk.queue(model, "a river").await;
    }
    let of = |desk: &Desk, state| {
        let rows = desk.rows.values().filter(move |row| row.state == state);
        rows.map(|row| row.id).collect::<Vec<_>>()
    };
    let (held, lost) = (of(&desk, JobState::Held), of(&desk, JobState::Unconfirmed));
    if !held.is_empty() {
        desk.ask(Command::Release { ids: held, ceiling: None }).await;
    }
    if !lost.is_empty() {
        desk.ask(Command::WriteOff { ids: lost }).await;
    }
    // What a dearer charge holds of these goes with the next ones.
    tokio::time::timeout(std::time::Duration::from_secs(60), desk.engine.settled()).await.unwrap();
    desk.engine.leave(Leave::Drain).await;
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// What one bank account says: its balance, and what moved there beside our orders' prices.
fn told(bank: &Value, orders: &[Value], currency: &str) -> (Decimal, Decimal) {
    let (mut unsaid, mut others) = (Decimal::ZERO, Decimal::ZERO);
    for entry in bank["entries"].as_array().unwrap() {
        let (kind, amount) = (entry["kind"].as_str().unwrap(), decimal(&entry["amount"]));
        match (kind, entry["order"].as_str()) {
            ("charge", Some(id)) => {
                let order = orders.iter().find(|order| order["id"] == id).unwrap();
                assert_eq!(order["currency"], currency);
                unsaid += amount - decimal(&order["price"]);
            }
            ("charge", None) => others -= amount,
            ("deposit", _) => others += amount,
            _ => {}
        }
    }
    (decimal(&bank["balance"]), others - unsaid)
}

async fn check(seed: u64, world: &World, settings: &Settings, moods: &BTreeMap<&str, Mood>) {
    let (bank, orders) = (world.admin("bank").await, world.orders().await);
    let store = Store::open_read_only(&settings.data_dir).unwrap();
    let loaded = store.load().unwrap();
    let jobs = store.jobs(&JobFilter::default()).unwrap();
    for (account, tail, currency, code) in [
        ("ninjachat", "0000", Currency::Usd, "USD"),
        ("nanogpt", "0000", Currency::Usd, "USD"),
        ("xno", "cafe", Currency::Xno, "XNO"),
        ("xno", "cafe", Currency::Usd, "USD"),
    ] {
        let context = format!("seed {seed} {account} {code}: {moods:?}");
        let service = if account == "xno" { "nanogpt" } else { account };
        let is_own = |row: &&Value| {
            let key = row["key"].as_str().unwrap();
            row["service"] == service && row["currency"] == code && key.ends_with(tail)
        };
        let own = bank.as_array().unwrap().iter().find(is_own).unwrap_or_else(|| panic!("{context}: {bank}"));
        let (balance, moved) = told(own, &orders, code);
        let opening = loaded.openings.iter().find(|l| l.account == account && l.balance.money.currency == currency);
        let capital = opening.unwrap_or_else(|| panic!("{context}: never compared")).capital.unwrap().amount;
        let sums = loaded.ledger.of(account, currency);
        assert_eq!(capital - sums.net(), balance, "{context}: books and bank, {sums:?}");
        assert_eq!(sums.unexplained_credit - sums.unexplained, moved, "{context}: what is unexplained, {sums:?}");
        assert_eq!(sums.reserved, Decimal::ZERO, "{context}");
        let costs = jobs.iter().filter(|job| job.request.account == account).filter_map(|job| job.cost);
        let costs: Decimal = costs.filter(|cost| cost.currency == currency).map(|cost| cost.amount).sum();
        assert_eq!(costs, sums.spent(), "{context}: what the jobs cost is what was spent");
    }
    // A plan's runs are charges of their own; a day's reset is nobody's deposit.
    let runs = loaded.ledger.of("a4f", Currency::Quota);
    let calls = bank.as_array().unwrap().iter().filter(|row| row["service"] == "a4f");
    let calls = calls.flat_map(|row| row["entries"].as_array().unwrap()).filter(|entry| entry["kind"] == "charge");
    assert_eq!(runs.charged, Decimal::from(calls.count()), "seed {seed}");
    for job in jobs.iter().filter(|job| job.refund == Refund::Contradicted) {
        let service = if job.request.account == "xno" { "nanogpt" } else { job.request.account.as_str() };
        assert_eq!(moods[service], Mood::KeepsRefunds, "seed {seed}: {}", job.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_a_random_day_are_the_banks() {
    let days = std::env::var("DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(2);
    for seed in 0..days {
        let mut rng = fastrand::Rng::with_seed(seed);
        let world = World::new().await;
        let settings = settings(&world);
        let mut moods = BTreeMap::new();
        for service in ["ninjachat", "nanogpt"] {
            let mood = MOODS[rng.usize(0..MOODS.len())];
            set_up(&world, service, mood).await;
            moods.insert(service, mood);
        }
        for _ in 0..3 {
            work(&world, &settings, &mut rng).await;
            for (service, _) in moods.iter().filter(|(_, mood)| **mood == Mood::Others) {
                let amount = rng.choice(["-0.01", "10", "-0.35", "2.50000001"]).unwrap();
                let amount = if *service == "ninjachat" && amount.len() > 5 { "2.50" } else { amount };
                let mut deposit = json!({"service": service, "amount": amount});
                if *service == "ninjachat" {
                    deposit["key"] = RICH_KEY.into();
                }
                world.post("deposit", deposit).await;
            }
        }
        // Refunds that are late come now; those that were kept back have had their time.
        for (service, _) in moods.iter().filter(|(_, mood)| **mood == Mood::PaysLate) {
            world.variant(service, "refund_seconds", "0").await;
        }
        finish(&settings).await;
        later(&settings, 11);
        finish(&settings).await;
        check(seed, &world, &settings, &moods).await;
    }
}
