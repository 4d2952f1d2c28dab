//! A service whose cashier does not do what its answers say: charges unsaid, refunds kept back or late.

use jiff::{SignedDuration, Timestamp};
use rushes::domain::books::{BalanceLine, Class, DifferenceId, Standing};
use rushes::domain::job::Refund;
use rushes::domain::message::{Answer, Command};
use rushes::domain::{Currency, EntryKind, Event, JobId, JobState, Money, NewJob, Request};
use rushes::engine::{Leave, Settings};
use rushes::store::{Change, Store};

use super::books::{compared, only, usd};
use super::world::{Desk, World};

/// A service, and a model of it.
const CASHIERS: [(&str, &str); 2] = [("ninjachat", "ninjachat/veo-3.1"), ("nanogpt", "nanogpt/veo2-video")];

/// What the simulator's bank holds against what the books say it does, in dollars.
pub async fn by_bank_and_books(world: &World, settings: &Settings, service: &str) -> (Money, Money) {
    let bank = world.admin("bank").await;
    let own = bank.as_array().unwrap().iter().find(|a| a["service"] == service && a["currency"] == "USD").unwrap();
    let loaded = Store::open_read_only(&settings.data_dir).unwrap().load().unwrap();
    let is_own = |line: &&BalanceLine| line.account == service && line.balance.money.currency == Currency::Usd;
    let capital = loaded.openings.iter().find(is_own).unwrap().capital.unwrap();
    let net = loaded.ledger.of(service, Currency::Usd).net();
    (usd(own["balance"].as_str().unwrap()), Money::usd(capital.amount - net))
}

fn refund(settings: &Settings, id: JobId) -> Refund {
    Store::open_read_only(&settings.data_dir).unwrap().job(id).unwrap().unwrap().refund
}

/// As if so much time had passed before the next session: clocks here only go forward.
pub fn later(settings: &Settings, minutes: i64) {
    let store = Store::open(&settings.data_dir, true).unwrap();
    store.commit_blocking(vec![Change::Seen(Timestamp::now() + SignedDuration::from_mins(minutes))]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cent_that_nobody_told_is_unexplained_in_the_header_until_it_is_the_jobs() {
    for (service, model) in CASHIERS {
        let world = World::new().await;
        let settings = only(&world, service);
        world.variant(service, "charges", "cent_more").await;
        let mut desk = Desk::new(settings.clone()).await;
        let id = desk.queue(model, "a river").await;
        let header = desk
            .until("the header to tell it", |event, _| match event {
                Event::SpendChanged(spend) => (!spend.unexplained.is_empty()).then(|| spend.unexplained.clone()),
                _ => None,
            })
            .await;
        assert_eq!(header, [usd("-0.01")], "{service}");
        desk.wait_for(id, JobState::Done).await;
        let class = Class::ChargeOf(id);
        let answer = desk.ask(Command::Classify { difference: DifferenceId(1), class, amount: None }).await;
        assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
        desk.engine.leave(Leave::Now).await;
        let mut desk = Desk::new(settings.clone()).await;
        compared(&mut desk, &settings, &[Standing::Agrees]).await;
        desk.engine.leave(Leave::Now).await;
        let (bank, books) = by_bank_and_books(&world, &settings, service).await;
        assert_eq!(bank, books, "{service}");
        let loaded = Store::open_read_only(&settings.data_dir).unwrap().load().unwrap();
        assert!(loaded.ledger.open.is_empty() && loaded.ledger.last_difference == 1, "told once: {:?}", loaded.ledger);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_above_what_was_set_aside_is_booked_and_holds_what_is_queued_of_that_model() {
    for (service, model) in CASHIERS {
        let world = World::new().await;
        let mut settings = only(&world, service);
        settings.accounts[0].max_in_flight = 1;
        world.variant(service, "charges", "says_more").await;
        let mut desk = Desk::new(settings.clone()).await;
        let new = |prompt: &str| NewJob::of(Request::new(&model.parse().unwrap(), prompt));
        let jobs = vec![new("a river"), new("a hill")];
        let Answer::Accepted { ids, .. } = desk.ask(Command::Queue { jobs }).await else { panic!("refused") };
        let held = desk.wait_for(ids[1], JobState::Held).await;
        let price = desk.wait_for(ids[0], JobState::Done).await.cost.unwrap();
        let published = Money::usd(price.amount - usd("0.01").amount);
        assert_eq!(
            held.note,
            Some(format!(
                "model changed: {} was charged {price}, not {published}; check the price, then release",
                ids[0]
            ))
        );
        desk.engine.drained().await;
        compared(&mut desk, &settings, &[Standing::Agrees]).await;
        desk.engine.leave(Leave::Now).await;
        let (bank, books) = by_bank_and_books(&world, &settings, service).await;
        assert_eq!(bank, books, "{service}");
        let loaded = Store::open_read_only(&settings.data_dir).unwrap().load().unwrap();
        assert_eq!(loaded.ledger.of(service, Currency::Usd).charged, price.amount, "the whole charge is counted");
        assert_eq!(loaded.ledger.last_difference, 0, "what the service says is no difference");
        assert_eq!(world.orders().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_did_not_come_is_contradicted_only_where_nothing_of_ours_moves_the_balance() {
    for (service, model) in CASHIERS {
        let world = World::new().await;
        let settings = only(&world, service);
        world.variant(service, "refunds", "never").await;
        let mut desk = Desk::new(settings.clone()).await;
        let fails = desk.queue(model, "[fail] a river").await;
        desk.wait_for(fails, JobState::Failed).await;
        compared(&mut desk, &settings, &[Standing::Waits]).await;
        assert_eq!(refund(&settings, fails), Refund::Claimed);
        let slow = desk.queue(model, "[slow] a hill").await;
        desk.wait_for(slow, JobState::Running).await;
        desk.engine.leave(Leave::Now).await;
        // Its time is over, but an order of ours is open.
        later(&settings, 11);
        let mut desk = Desk::new(settings.clone()).await;
        desk.wait_for(slow, JobState::Done).await;
        desk.engine.drained().await;
        compared(&mut desk, &settings, &[Standing::Differs, Standing::Agrees]).await;
        desk.engine.leave(Leave::Now).await;
        assert_eq!(refund(&settings, fails), Refund::Contradicted, "{service}");
        let store = Store::open_read_only(&settings.data_dir).unwrap();
        let seq = |id: JobId, kind: &str| {
            let found = store.history(id).unwrap().into_iter().find(|line| line.kind == kind);
            found.unwrap_or_else(|| panic!("{id} {kind}")).seq
        };
        assert!(seq(slow, "finished") < seq(fails, "refund_contradicted"), "not while an order was open");
        let kinds = store.entries(&Default::default()).unwrap().into_iter().filter(|entry| entry.job == Some(fails));
        let kinds: Vec<EntryKind> = kinds.map(|entry| entry.kind).collect();
        use EntryKind::{Charged, Refunded, Released, Reserved};
        assert_eq!(kinds, [Reserved, Charged, Released, Refunded, Charged]);
        assert_eq!(store.load().unwrap().ledger.last_difference, 0, "it is explained");
        let (bank, books) = by_bank_and_books(&world, &settings, service).await;
        assert_eq!(bank, books, "{service}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_refund_is_claimed_then_seen_also_by_a_session_with_nothing_to_do() {
    for (service, model) in CASHIERS {
        let world = World::new().await;
        let settings = only(&world, service);
        world.variant(service, "refund_seconds", "31536000").await;
        world.variant(service, "refunds", "late").await;
        let mut desk = Desk::new(settings.clone()).await;
        let fails = desk.queue(model, "[fail] a river").await;
        desk.wait_for(fails, JobState::Failed).await;
        compared(&mut desk, &settings, &[Standing::Waits]).await;
        desk.engine.leave(Leave::Now).await;
        assert_eq!(refund(&settings, fails), Refund::Claimed);
        // It is paid before its ten minutes are over.
        world.variant(service, "refund_seconds", "0").await;
        later(&settings, 5);
        let desk = Desk::new(settings.clone()).await;
        desk.engine.drained().await;
        desk.engine.leave(Leave::Now).await;
        assert_eq!(refund(&settings, fails), Refund::Seen, "{service}");
        let (bank, books) = by_bank_and_books(&world, &settings, service).await;
        assert_eq!(bank, books, "{service}");
    }
}
