//! The judge: holds our books and files against the simulator's order book and bank.
//!
//! Knows what must be true of every order after a crash. Must not believe the engine: what was bought,
//! made and paid is the simulator's word, and a file is what its bytes hash to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::day::Day;
use super::lost::{self, Life, Reason};
use super::worker::Errand;
use crate::domain::{EntryKind, Job, JobState, Service};
use crate::engine::{EntryFilter, JobFilter, read};

/// What a judge found in one world, or in all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    /// Orders that the services took.
    pub(super) orders: usize,
    /// Clips on disk that are a service's very bytes.
    pub(super) files: usize,
    /// Charged less refunded by the bank, by currency.
    pub(super) paid: BTreeMap<String, Decimal>,
    /// Charged less refunded in our books, by currency.
    pub(super) booked: BTreeMap<String, Decimal>,
    /// Paid by the bank for jobs that are unconfirmed here, by currency.
    pub(super) open: BTreeMap<String, Decimal>,
    /// Unconfirmed jobs by service.
    pub(super) unconfirmed: BTreeMap<Service, usize>,
    /// Why they may be left so.
    pub(super) left: BTreeMap<Reason, usize>,
    /// What was found of orders that were looked for, by verdict.
    pub(super) verdicts: BTreeMap<String, usize>,
    /// Unconfirmed jobs whose orders their services list: a violation unless the next look finds them.
    pub(super) findable: Vec<String>,
    /// What must not be.
    pub(super) violations: Vec<String>,
}

impl Judgement {
    /// Notes what must not be.
    pub(super) fn fault(&mut self, text: String) {
        self.violations.push(text);
    }

    /// Adds another world's.
    pub(super) fn add(&mut self, other: Judgement) {
        self.orders += other.orders;
        self.files += other.files;
        for (mine, theirs) in
            [(&mut self.paid, other.paid), (&mut self.booked, other.booked), (&mut self.open, other.open)]
        {
            theirs.into_iter().for_each(|(currency, amount)| *mine.entry(currency).or_default() += amount);
        }
        other.unconfirmed.into_iter().for_each(|(service, n)| *self.unconfirmed.entry(service).or_default() += n);
        other.left.into_iter().for_each(|(reason, n)| *self.left.entry(reason).or_default() += n);
        other.verdicts.into_iter().for_each(|(verdict, n)| *self.verdicts.entry(verdict).or_default() += n);
        self.findable.extend(other.findable);
        self.violations.extend(other.violations);
    }
}

/// An order as the simulator has it.
pub(super) struct Order<'a> {
    pub(super) id: &'a str,
    state: &'a str,
    currency: &'a str,
    made: BTreeSet<&'a str>,
    /// Charged less refunded by the bank.
    paid: Decimal,
    /// It came with an id of ours that its service lists it under.
    pub(super) listed: bool,
    /// It came with a key under which a repeat is the same order.
    pub(super) repeatable: bool,
}

/// A job as our own books have it.
struct Ours {
    job: Job,
    /// Charged less refunded, by currency.
    booked: BTreeMap<String, Decimal>,
    /// Still set aside, by currency.
    reserved: BTreeMap<String, Decimal>,
}

/// Judges a world in which a day was worked by these workers.
///
/// # Errors
/// A sentence when books or disk cannot be read at all.
pub(super) fn judge(orders: &Value, bank: &Value, dir: &Path, day: &Day, lives: &[Life]) -> Result<Judgement, String> {
    let mut judgement = Judgement::default();
    let paid = payments(bank)?;
    let mut by_prompt: BTreeMap<&str, Vec<Order<'_>>> = BTreeMap::new();
    for row in orders.as_array().ok_or("the order book is no list")? {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let files = row["files"].as_array().into_iter().flatten();
        let order = Order {
            id: text("id"),
            state: text("state"),
            currency: text("currency"),
            made: files.filter_map(|file| file["sha256"].as_str()).collect(),
            paid: paid.get(text("id")).copied().unwrap_or_default(),
            listed: row["conversationUUID"].is_string(),
            repeatable: row["idempotency_key"].is_string(),
        };
        *judgement.paid.entry(order.currency.to_owned()).or_default() += order.paid;
        judgement.orders += 1;
        by_prompt.entry(text("prompt")).or_default().push(order);
    }
    let ours = ours(dir)?;
    let everything: BTreeSet<&str> = by_prompt.values().flatten().flat_map(|order| order.made.clone()).collect();
    let on_disk = files(&Errand::output_dir(dir), &everything, &mut judgement)?;
    for Ours { job, booked, .. } in ours.values() {
        booked.iter().for_each(|(currency, n)| *judgement.booked.entry(currency.clone()).or_default() += n);
        if job.state == JobState::Unconfirmed {
            let service = day.service_of(&job.request.account);
            service.into_iter().for_each(|service| *judgement.unconfirmed.entry(service).or_default() += 1);
        }
        if !by_prompt.contains_key(job.request.prompt.as_str()) {
            never_ordered(job, booked, day, &mut judgement);
            lost::claims(job, None, lives, &mut judgement);
        }
    }
    for (prompt, orders) in by_prompt {
        if orders.len() > 1 {
            let ids: Vec<&str> = orders.iter().map(|order| order.id).collect();
            judgement.fault(format!("bought twice: `{prompt}` as {}", ids.join(" and ")));
            // Which of them its clip and its money belong to cannot be said any more.
            continue;
        }
        for order in &orders {
            match ours.get(prompt) {
                None => judgement.fault(format!("lost: order {} (`{prompt}`) has no trace here", order.id)),
                Some(ours) => {
                    clip(order, &ours.job, &on_disk, &mut judgement);
                    money(order, ours, &mut judgement);
                    lost::claims(&ours.job, Some(order), lives, &mut judgement);
                }
            }
        }
    }
    Ok(judgement)
}

/// Charged less refunded by the bank, by order.
fn payments(bank: &Value) -> Result<BTreeMap<String, Decimal>, String> {
    let mut paid: BTreeMap<String, Decimal> = BTreeMap::new();
    let accounts = bank.as_array().ok_or("the bank is no list")?;
    for entry in accounts.iter().filter_map(|account| account["entries"].as_array()).flatten() {
        let Some(order) = entry["order"].as_str() else { continue };
        let amount: Decimal = entry["amount"].as_str().and_then(|text| text.parse().ok()).ok_or("an amount is none")?;
        let sign = if entry["kind"] == "refund" { -Decimal::ONE } else { Decimal::ONE };
        *paid.entry(order.to_owned()).or_default() += sign * amount;
    }
    Ok(paid)
}

/// Our jobs by prompt, with what is booked for each.
fn ours(dir: &Path) -> Result<BTreeMap<String, Ours>, String> {
    let reader = read(&Errand::data_dir(dir)).map_err(|error| error.to_string())?;
    let jobs = reader.jobs(&JobFilter::default()).map_err(|error| error.to_string())?;
    let entries = reader.entries(&EntryFilter::default()).map_err(|error| error.to_string())?;
    let mut ours = BTreeMap::new();
    for job in jobs {
        let (mut booked, mut reserved) = (BTreeMap::new(), BTreeMap::new());
        for entry in entries.iter().filter(|entry| entry.job == Some(job.id)) {
            let (sums, sign) = match entry.kind {
                EntryKind::Charged => (&mut booked, Decimal::ONE),
                EntryKind::Refunded => (&mut booked, -Decimal::ONE),
                EntryKind::Reserved => (&mut reserved, Decimal::ONE),
                EntryKind::Released => (&mut reserved, -Decimal::ONE),
                _ => continue,
            };
            *sums.entry(entry.money.currency.code().to_owned()).or_default() += sign * entry.money.amount;
        }
        ours.insert(job.request.prompt.clone(), Ours { job, booked, reserved });
    }
    Ok(ours)
}

/// Every file with a clip's name, by its path, with what its bytes hash to; whole clips of an order
/// are counted, and anything else under such a name is a fault.
fn files(
    dir: &Path,
    everything: &BTreeSet<&str>,
    judgement: &mut Judgement,
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let list = match std::fs::read_dir(dir) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(format!("{}: {error}", dir.display())),
    };
    for path in list.flatten().map(|file| file.path()) {
        let kind = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(kind.as_str(), "json" | "part" | "partial") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let hash = format!("{:x}", Sha256::digest(&bytes));
        if everything.contains(hash.as_str()) {
            judgement.files += 1;
        } else {
            judgement.fault(format!("{} bears a clip's name and is none that was made", path.display()));
        }
        found.insert(path.to_string_lossy().into_owned(), hash);
    }
    Ok(found)
}

/// A job that no service has an order of: refused, unconfirmed, or waiting for money that never comes.
fn never_ordered(job: &Job, booked: &BTreeMap<String, Decimal>, day: &Day, judgement: &mut Judgement) {
    let waits = job.state == JobState::Queued && day.is_broke(&job.request.account);
    if !waits && !matches!(job.state, JobState::Failed | JobState::Unconfirmed) {
        let why = job.error.as_ref().map_or("", |error| &error.message);
        judgement.fault(format!("{} is {} at the end of the day, and was never ordered: {why}", job.id, job.state));
    }
    if booked.values().any(|amount| !amount.is_zero()) {
        judgement.fault(format!("{} was never ordered, but {booked:?} are booked as spent", job.id));
    }
}

/// Where the clip of an order is. Nothing is under way at the end of a day.
fn clip(order: &Order<'_>, job: &Job, on_disk: &BTreeMap<String, String>, judgement: &mut Judgement) {
    let of = format!("order {} (`{}`, {})", order.id, job.request.prompt, order.state);
    match (job.state, order.state) {
        (JobState::Done, "completed") => {
            for file in &job.files {
                match on_disk.get(&file.path) {
                    None => judgement.fault(format!("lost: {} is done without {}", job.id, file.path)),
                    Some(hash) if *hash != file.sha256 || !order.made.contains(hash.as_str()) => {
                        judgement.fault(format!("{}: {} is not the clip that {of} made", job.id, file.path));
                    }
                    Some(_) => {}
                }
            }
            if job.files.is_empty() || job.files.len() != order.made.len() {
                let (here, made) = (job.files.len(), order.made.len());
                judgement.fault(format!("lost: {} is done with {here} files, {of} made {made}", job.id));
            }
            recipe(job, judgement);
        }
        (JobState::Done, _) => judgement.fault(format!("{} is done, but {of} made nothing", job.id)),
        // See lost.rs.
        (JobState::Unconfirmed, _) => {}
        (JobState::Failed, "failed") => {}
        (state, _) => {
            let why = job.error.as_ref().map_or("", |error| &error.message);
            judgement.fault(format!("lost: {of} was paid for, and {} is {state} at the end of the day: {why}", job.id));
        }
    }
}

/// The recipe beside a finished clip is whole and tells of that clip.
fn recipe(job: &Job, judgement: &mut Judgement) {
    let Some(first) = job.files.first() else { return };
    let path = Path::new(&first.path).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let tells = serde_json::from_str::<Value>(&text).is_ok_and(|recipe| recipe["sha256"] == first.sha256.as_str());
    if !tells {
        judgement.fault(format!("{}: {} is no recipe of its clip", job.id, path.display()));
    }
}

/// What the bank took for an order, and what our books say of it.
fn money(order: &Order<'_>, ours: &Ours, judgement: &mut Judgement) {
    let of = |sums: &BTreeMap<String, Decimal>| sums.get(order.currency).copied().unwrap_or_default();
    let (booked, reserved, job) = (of(&ours.booked), of(&ours.reserved), &ours.job);
    let (paid, currency) = (order.paid, order.currency);
    if job.state == JobState::Unconfirmed {
        *judgement.open.entry(currency.to_owned()).or_default() += paid - booked;
        // What is set aside in one currency cannot be held against a bill in another.
        let elsewhere = ours.reserved.iter().any(|(code, amount)| code != currency && *amount > Decimal::ZERO);
        if booked + reserved < paid && !elsewhere {
            judgement.fault(format!(
                "{} is unconfirmed: the bank took {paid} {currency}, only {booked} are booked and {reserved} set aside",
                job.id
            ));
        }
    } else if booked != paid {
        judgement.fault(format!(
            "{} is {}: the bank took {paid} {currency} for order {}, our books say {booked}",
            job.id, job.state, order.id
        ));
    } else if job.state.is_final() && !reserved.is_zero() {
        judgement.fault(format!("{} is {}, and {reserved} {currency} are still set aside", job.id, job.state));
    }
}
