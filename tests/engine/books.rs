//! The books against the simulator's bank: what others move there is found, shown and never absorbed.

use rushes::domain::books::{Class, DifferenceId, Standing};
use rushes::domain::message::{Answer, Command};
use rushes::domain::{Currency, EntryKind, Event, JobState, Money};
use rushes::engine::{Leave, Settings};
use rushes::store::Store;
use serde_json::json;

use super::world::{Desk, World};

pub fn only(world: &World, service: &str) -> Settings {
    let mut settings = world.settings();
    settings.accounts.retain(|account| account.name == service);
    settings
}

pub fn usd(text: &str) -> Money {
    Money::parse(text, Currency::Usd).unwrap()
}

/// Waits until the last balance told stands to the books in one of these ways.
pub async fn compared(desk: &mut Desk, settings: &Settings, wanted: &[Standing]) -> Standing {
    loop {
        let store = Store::open_read_only(&settings.data_dir).unwrap();
        let lines = store.balance_log(&Default::default()).unwrap();
        let usd = lines.iter().rev().find(|line| line.balance.money.currency == Currency::Usd);
        if let Some(line) = usd.filter(|line| wanted.contains(&line.standing)) {
            return line.standing;
        }
        desk.until("a balance", |event, _| matches!(event, Event::AccountChanged(_)).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_bank_beside_our_orders_is_unexplained_until_the_user_says_what_it_was() {
    for (service, model) in [("nanogpt", "nanogpt/veo2-video"), ("ninjachat", "ninjachat/veo-3.1")] {
        let world = World::new().await;
        let settings = only(&world, service);
        let mut desk = Desk::new(settings.clone()).await;
        compared(&mut desk, &settings, &[Standing::Opened]).await;
        let id = desk.queue(model, "a river").await;
        desk.wait_for(id, JobState::Done).await;
        desk.engine.drained().await;
        let standing = compared(&mut desk, &settings, &[Standing::Agrees, Standing::Differs]).await;
        assert_eq!(standing, Standing::Agrees, "{service}: the bank's balance is what the books say");
        desk.engine.leave(Leave::Now).await;
        // Between two runs of the program somebody else spends.
        world.deposit(service, "-0.01").await;
        let mut desk = Desk::new(settings.clone()).await;
        compared(&mut desk, &settings, &[Standing::Differs]).await;
        desk.engine.leave(Leave::Now).await;
        world.deposit(service, "10").await;
        let mut desk = Desk::new(settings.clone()).await;
        // The snapshot may have had the second one already.
        while Store::open_read_only(&settings.data_dir).unwrap().load().unwrap().ledger.open.len() < 2 {
            desk.until("both", |event, _| matches!(event, Event::AccountChanged(_)).then_some(())).await;
        }
        let ledger = Store::open_read_only(&settings.data_dir).unwrap().load().unwrap().ledger;
        let open: Vec<(EntryKind, Money)> = ledger.open.values().map(|entry| (entry.kind, entry.money)).collect();
        let both = [(EntryKind::Unexplained, usd("0.01")), (EntryKind::UnexplainedCredit, usd("10"))];
        assert_eq!(open, both, "{service}");
        for (number, class) in [(1, Class::OtherUse), (2, Class::Deposit)] {
            let answer = desk.ask(Command::Classify { difference: DifferenceId(number), class, amount: None }).await;
            assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
        }
        desk.engine.leave(Leave::Now).await;
        let store = Store::open_read_only(&settings.data_dir).unwrap();
        let loaded = store.load().unwrap();
        let sums = loaded.ledger.of(service, Currency::Usd);
        assert!(loaded.ledger.open.is_empty() && sums.unexplained.is_zero());
        assert_eq!((sums.other_use, sums.deposited), (usd("0.01").amount, usd("10").amount));
        // The simulator's own bank agrees to the last digit.
        let bank = world.admin("bank").await;
        let own = bank.as_array().unwrap().iter().find(|a| a["service"] == service && a["currency"] == "USD").unwrap();
        let capital = loaded.openings.iter().find(|line| line.balance.money.currency == Currency::Usd).unwrap().capital;
        let by_books = Money::usd(capital.unwrap().amount - sums.net());
        assert_eq!(by_books, usd(own["balance"].as_str().unwrap()), "{service}");
        let charged = store.entries(&Default::default()).unwrap();
        assert_eq!(charged.iter().filter(|entry| entry.kind == EntryKind::Charged).count(), 1, "booked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_came_is_seen_and_an_order_in_flight_makes_no_difference() {
    let world = World::new().await;
    let settings = only(&world, "ninjachat");
    let mut desk = Desk::new(settings.clone()).await;
    let fails = desk.queue("ninjachat/veo-3.1", "[fail] a river").await;
    let done = desk.queue("ninjachat/veo-3.1", "a hill").await;
    desk.wait_for(done, JobState::Done).await;
    desk.wait_for(fails, JobState::Failed).await;
    desk.engine.drained().await;
    desk.engine.leave(Leave::Now).await;
    let store = Store::open_read_only(&settings.data_dir).unwrap();
    assert_eq!(store.load().unwrap().ledger.last_difference, 0, "{:?}", store.balance_log(&Default::default()));
    // Once a balance could be compared before it, the next failure's refund is seen.
    let mut desk = Desk::new(settings.clone()).await;
    compared(&mut desk, &settings, &[Standing::Opened, Standing::Agrees]).await;
    let fails = desk.queue("ninjachat/veo-3.1", "[fail] another river").await;
    desk.wait_for(fails, JobState::Failed).await;
    desk.engine.drained().await;
    desk.engine.leave(Leave::Now).await;
    let store = Store::open_read_only(&settings.data_dir).unwrap();
    assert_eq!(store.job(fails).unwrap().unwrap().refund, rushes::domain::Refund::Seen);
    assert!(store.history(fails).unwrap().iter().any(|line| line.kind == "refund_seen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_open_before_the_first_order_and_what_others_moved_is_told_before_the_next_sessions() {
    let world = World::new().await;
    let settings = only(&world, "nanogpt");
    let slow = json!({"service": "nanogpt", "route": "balance", "kind": "delay", "seconds": 0.5});
    for prompt in ["a river", "a hill"] {
        // Orders are faster than the balance, and wait for it all the same.
        world.fault(slow.clone()).await;
        let mut desk = Desk::new(settings.clone()).await;
        let id = desk.queue("nanogpt/veo2-video", prompt).await;
        desk.wait_for(id, JobState::Done).await;
        desk.engine.drained().await;
        desk.engine.leave(Leave::Now).await;
        world.deposit("nanogpt", "-0.35").await;
    }
    let store = Store::open_read_only(&settings.data_dir).unwrap();
    let lines = store.balance_log(&Default::default()).unwrap();
    let usd_lines = lines.iter().filter(|line| line.balance.money.currency == Currency::Usd);
    let standings: Vec<Standing> = usd_lines.map(|line| line.standing).collect();
    assert_eq!((standings.first(), standings.last()), (Some(&Standing::Opened), Some(&Standing::Agrees)));
    let kinds: Vec<EntryKind> = store.entries(&Default::default()).unwrap().iter().map(|entry| entry.kind).collect();
    let one = [EntryKind::Reserved, EntryKind::Charged, EntryKind::Released];
    let at = |kind| kinds.iter().position(|k| *k == kind).unwrap();
    let second = kinds.iter().rposition(|k| *k == EntryKind::Reserved).unwrap();
    assert!(one.iter().all(|kind| at(*kind) < at(EntryKind::Unexplained)), "{kinds:?}");
    assert!(at(EntryKind::Unexplained) < second, "told before the second order: {kinds:?}");
}

impl World {
    /// Money that comes to the bank from outside; what somebody else spends is negative.
    pub async fn deposit(&self, service: &str, amount: &str) {
        self.post("deposit", json!({"service": service, "amount": amount})).await;
    }
}
