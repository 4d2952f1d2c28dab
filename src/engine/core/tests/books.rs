//! Balances against the books: only what nothing of ours could have moved counts, and nothing is absorbed.

use super::*;
use rust_decimal::Decimal;

use crate::domain::books::{BalanceLine, Class, DifferenceId, Standing};
use crate::domain::{Balance, Entry, JobError, Refund};

impl World {
    /// The balance that was asked for is told.
    fn told(&mut self, amount: &str) -> Step {
        self.step(Input::Balanced { account: "n".into(), result: Ok(vec![usd(amount)]) })
    }

    fn asked_again(&mut self) -> Step {
        self.command(Command::RefreshBalances);
        self.now += SignedDuration::from_secs(20);
        self.step(Input::Ticked)
    }

    /// An order that was taken for three dollars and that its service failed, with or without a refund.
    fn failed(&mut self, refunded: bool) -> JobId {
        let id = self.running();
        self.now += SignedDuration::from_secs(60);
        if asks(&self.step(Input::Ticked)) {
            assert_eq!(standing(&self.told("7")), Some(Standing::Observed), "an order is open");
        }
        let error = JobError::new(ErrorKind::Generation, "it failed");
        let state = RemoteState::Failed { error, refunded };
        let status = Status { word: "failed".into(), state, progress: None, cost: None };
        let step = self.step(Input::Polled { job: id, result: Ok(status) });
        assert!(asks(&step), "the balance after the last order is asked for at once");
        id
    }

    fn book(&self) -> crate::domain::books::Sums {
        self.core.budget.ledger().of("n", Currency::Usd)
    }
}

fn asks(step: &Step) -> bool {
    step.effects.iter().any(|effect| matches!(effect, Effect::Balance { .. }))
}

fn standing(step: &Step) -> Option<Standing> {
    step.changes
        .iter()
        .find_map(|change| if let Change::LogBalance(line) = change { Some(line.standing) } else { None })
}

fn warned(step: &Step) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::Noticed(notice) if notice.level == Level::Warning => Some(notice.text.clone()),
        _ => None,
    };
    step.events.iter().filter_map(text).collect()
}

#[test]
fn a_balance_that_cannot_be_is_refused_told_once_and_stored_nowhere() {
    let most = Decimal::MAX.to_string();
    let mut world = World::fresh();
    assert_eq!(standing(&world.told("42.00")), Some(Standing::Opened));
    let lies = [most.clone(), format!("-{most}"), "1000000000".to_owned(), most];
    let mut told = Vec::new();
    for lie in lies {
        assert!(asks(&world.asked_again()));
        let step = world.told(&lie);
        assert_eq!(standing(&step), None, "{lie}");
        assert!(!step.changes.iter().any(|change| matches!(change, Change::SeeBalance { .. })), "{lie}");
        told.extend(warned(&step));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("cannot be"), "{told:?}");
    assert_eq!(world.core.account_rows()[0].balances[0].money, usd("42"), "the last that can be stands");
    // The same in the answer to an order.
    let (_, id) = world.queue("a river");
    world.prepare(id);
    let answer = Accepted {
        remote_id: "r-lie".into(),
        cost: Some(usd("3.00")),
        balance: Some(usd(&Decimal::MIN.to_string())),
        ..Accepted::default()
    };
    world.step(Input::Submitted { job: id, answer: SubmitAnswer::Accepted(answer), bytes: 0 });
    assert_eq!(world.state(id), JobState::Running, "its order counts all the same");
    assert_eq!(world.core.account_rows()[0].balances[0].money, usd("42"));
    assert!(world.core.spend().unexplained.is_empty());
}

#[test]
fn what_an_earlier_version_took_from_a_lying_service_ends_nothing() {
    let most = usd(&Decimal::MAX.to_string());
    let balance = Balance { money: most, seen_at: at(0), source: "balance".into() };
    let line = BalanceLine {
        account: "n".into(),
        origin: "https://ninjachat.ai".into(),
        fingerprint: "f".into(),
        balance: balance.clone(),
        expected: None,
        standing: Standing::Opened,
        net: Decimal::MIN,
        capital: Some(most),
    };
    let mut loaded = Loaded { balances: vec![("n".into(), balance)], openings: vec![line], ..Loaded::default() };
    let entry =
        |kind| Entry { account: "n".into(), job: None, kind, money: most, evidence: format!("{kind:?}"), at: at(0) };
    for kind in [EntryKind::OtherUse, EntryKind::UnexplainedCredit, EntryKind::Unexplained, EntryKind::Unexplained] {
        loaded.ledger.add(&entry(kind));
    }
    let (mut world, _) = World::new(settings(), &offers(), loaded);
    assert!(world.core.account_rows()[0].balances.is_empty());
    for told in ["-5", "7"] {
        world.told(told);
        world.asked_again();
    }
    assert_eq!(world.core.account_rows()[0].balances[0].money, usd("7"));
}

#[test]
fn a_difference_is_booked_once_is_shown_and_is_what_the_user_says_it_was() {
    let mut world = World::fresh();
    assert_eq!(standing(&world.told("42.00")), Some(Standing::Opened));
    let id = world.failed(false);
    // A cent more than the service says it charged.
    let step = world.told("38.99");
    assert_eq!(standing(&step), Some(Standing::Differs));
    let told = warned(&step);
    assert!(told[0].contains("u-1") && told[0].contains("$0.01") && told[0].contains("$39.00"), "{told:?}");
    assert_eq!(world.core.spend().unexplained, [usd("-0.01")]);
    world.asked_again();
    let again = world.told("38.99");
    assert_eq!((standing(&again), warned(&again)), (Some(Standing::Agrees), vec![]), "the same is not booked twice");
    // Money from outside does not hide it.
    world.asked_again();
    world.told("48.99");
    assert_eq!(world.core.spend().unexplained, [usd("-0.01"), usd("10")]);
    let classify = |difference, class| Command::Classify { difference: DifferenceId(difference), class, amount: None };
    for (difference, class) in [(1, Class::Deposit), (2, Class::OtherUse), (3, Class::Deposit)] {
        let (step, answer) = world.command(classify(difference, class));
        assert!(matches!(answer, Answer::Refused { .. }) && step.changes.is_empty(), "u-{difference}: {answer:?}");
    }
    world.command(classify(2, Class::Deposit));
    let look = LookedUp {
        finals: vec![Job { cost: Some(usd("3.00")), ..stored(id.0, JobState::Failed) }],
        ..LookedUp::default()
    };
    let command = classify(1, Class::ChargeOf(id));
    let step = world.step(Input::Commanded { face: 1, ticket: 9, command, looked_up: look });
    assert_eq!(last_put(&step).cost, Some(usd("3.01")));
    let book = world.book();
    assert_eq!((book.deposited, book.charged), (usd("10").amount, usd("3.01").amount));
    assert_eq!(world.core.spend().unexplained, []);
    assert!(matches!(world.command(classify(2, Class::Deposit)).1, Answer::Refused { .. }), "it is explained already");
    world.asked_again();
    assert_eq!(standing(&world.told("48.99")), Some(Standing::Agrees), "saying what it was moves no money");
}

#[test]
fn a_difference_can_be_explained_in_parts_and_what_is_left_stays_open() {
    let mut world = World::fresh();
    world.told("42.00");
    world.asked_again();
    world.told("37.50");
    let some = |class, amount: &str| {
        let amount = Some(usd(amount).amount);
        Command::Classify { difference: DifferenceId(1), class, amount }
    };
    for wrong in ["0", "-1", "4.51"] {
        let (step, answer) = world.command(some(Class::OtherUse, wrong));
        assert!(matches!(answer, Answer::Refused { .. }) && step.changes.is_empty(), "{wrong}: {answer:?}");
    }
    let mut evidence = std::collections::BTreeSet::new();
    for (amount, left) in [("1.005", Some("-3.495")), ("1.005", Some("-2.49")), ("2.49", None)] {
        let (step, _) = world.command(some(Class::OtherUse, amount));
        let booked = step.changes.iter().filter_map(|c| if let Change::Book(e) = c { Some(&e.evidence) } else { None });
        assert!(booked.clone().all(|text| evidence.insert(text.clone())), "each is booked once: {evidence:?}");
        assert_eq!(booked.count(), 2);
        assert_eq!(world.core.spend().unexplained, left.map(usd).into_iter().collect::<Vec<_>>());
    }
    assert_eq!(world.book().other_use, usd("4.50").amount);
    assert!(matches!(world.command(some(Class::OtherUse, "1")).1, Answer::Refused { .. }), "nothing is left");
    world.asked_again();
    assert_eq!(standing(&world.told("37.50")), Some(Standing::Agrees), "saying what it was moves no money");
}

#[test]
fn a_refund_that_no_balance_can_show_is_said_to_be_so() {
    // Claimed before the books were opened, and with money that came or went besides.
    for (before, after, why) in [(None, "39.00", "were opened at $39.00"), (Some("42.00"), "37.77", "another amount")] {
        let mut world = World::fresh();
        before.into_iter().for_each(|balance| drop(world.told(balance)));
        let id = world.running();
        let state = RemoteState::Failed { error: JobError::new(ErrorKind::Generation, "it failed"), refunded: true };
        let status = Status { word: "failed".into(), state, progress: None, cost: None };
        world.step(Input::Polled { job: id, result: Ok(status) });
        world.now += SignedDuration::from_mins(11);
        world.step(Input::Ticked);
        if before.is_none() {
            // What was asked for before the order proves nothing.
            assert_eq!(standing(&world.told(after)), Some(Standing::Observed));
            world.asked_again();
        }
        let step = world.told(after);
        assert_eq!(last_put(&step).refund, Refund::NotObservable, "{why}: {step:?}");
        let line = |change: &Change| match change {
            Change::AddLine(line) if line.kind == "refund_not_observable" => Some(line.text.clone()),
            _ => None,
        };
        let told = step.changes.iter().find_map(line).unwrap();
        assert!(told.contains("no balance can show whether $3.00 came back") && told.contains(why), "{told}");
        assert_eq!(world.sums().1, "$0.00", "the service's word counts until something says otherwise");
    }
}

#[test]
fn a_balance_that_an_order_of_ours_could_have_moved_proves_nothing() {
    let mut world = World::fresh();
    // Asked for before the first order, told after it: nobody knows which came first.
    let (_, id) = world.queue("a river");
    world.prepare(id);
    assert_eq!(standing(&world.told("39.00")), Some(Standing::Observed));
    // The answer's own balance: the order was alone, and its charge is known.
    let accepted = |balance: &str, remote: &str| {
        SubmitAnswer::Accepted(Accepted {
            remote_id: remote.into(),
            cost: Some(usd("3.00")),
            balance: Some(usd(balance)),
            ..Accepted::default()
        })
    };
    let step = world.step(Input::Submitted { job: id, answer: accepted("39.00", "r"), bytes: 0 });
    assert_eq!(standing(&step), Some(Standing::Opened));
    // Two at once: whose charge is in it, nobody knows.
    let (_, second) = world.queue("a hill");
    world.prepare(second);
    let step = world.step(Input::Submitted { job: second, answer: accepted("36.00", "s"), bytes: 0 });
    assert_eq!(standing(&step), Some(Standing::Observed));
    world.asked_again();
    assert_eq!(standing(&world.told("20.00")), Some(Standing::Observed));
    assert_eq!(world.core.spend().unexplained, []);
}

#[test]
fn a_refund_that_was_claimed_is_seen_or_contradicted_after_ten_minutes() {
    for (told, refund, spent) in [("42.00", Refund::Seen, "$0.00"), ("39.00", Refund::Contradicted, "$3.00")] {
        let mut world = World::fresh();
        world.told("42.00");
        world.failed(true);
        let first = world.told("39.00");
        assert_eq!((standing(&first), warned(&first)), (Some(Standing::Waits), vec![]), "it still has time");
        let mut last = None;
        for _ in 0..12 {
            world.now = world.core.wake_at().filter(|at| *at < world.now + SignedDuration::from_mins(2)).unwrap();
            if asks(&world.step(Input::Ticked)) {
                let step = world.told(told);
                last = standing(&step).filter(|standing| *standing != Standing::Waits).map(|_| last_put(&step));
            }
            if last.is_some() {
                break;
            }
        }
        let job = last.expect("a verdict");
        assert_eq!((job.refund, world.sums().1.as_str()), (refund, spent));
        assert_eq!(world.core.spend().unexplained, [], "it is explained: the refund came, or did not");
        world.asked_again();
        // What is said again and is nothing new is not written down again.
        assert_eq!(standing(&world.told(told)).filter(|standing| *standing != Standing::Agrees), None);
        assert_eq!(world.core.budget.ledger().last_difference, 0);
    }
}

#[test]
fn what_others_take_from_a_shared_account_is_other_use_and_no_alarm() {
    let mut shared = account();
    shared.shared = true;
    let (mut core, _) = Core::start(settings(), vec![shared], catalog(&offers()), Loaded::default(), at(0));
    core.step(at(0), Input::Ticked);
    core.step(at(0), Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
    let mut world = World { core, now: at(0) };
    world.told("42.00");
    world.asked_again();
    assert_eq!(warned(&world.told("30.00")), Vec::<String>::new());
    world.asked_again();
    world.told("35.00");
    let book = world.book();
    assert_eq!((book.other_use, book.deposited), (usd("12").amount, usd("5").amount));
    assert_eq!(world.core.spend().unexplained, []);
}

#[test]
fn two_accounts_with_one_key_are_one_purse() {
    let mut second = account();
    (second.name, second.place) = ("m".into(), 1);
    let (mut core, _) = Core::start(settings(), vec![account(), second], catalog(&offers()), Loaded::default(), at(0));
    core.step(at(0), Input::Ticked);
    for name in ["n", "m"] {
        core.step(at(0), Input::Probed { account: name.into(), result: Ok(AccountProfile::default()) });
    }
    let mut world = World { core, now: at(0) };
    world.told("42.00");
    let request = Request::new(&"m/veo".parse().unwrap(), "a river");
    let Answer::Accepted { ids, .. } = world.command(Command::Queue { jobs: vec![NewJob::of(request)] }).1 else {
        panic!("refused")
    };
    world.prepare(ids[0]);
    world.asked_again();
    assert_eq!(standing(&world.told("39.00")), Some(Standing::Observed), "the other account's order is open");
    let accepted =
        SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost: Some(usd("3.00")), ..Accepted::default() });
    world.step(Input::Submitted { job: ids[0], answer: accepted, bytes: 0 });
    let error = JobError::new(ErrorKind::Generation, "it failed");
    let state = RemoteState::Failed { error, refunded: false };
    world.now = at(100);
    world.step(Input::Ticked);
    let status = Status { word: "failed".into(), state, progress: None, cost: None };
    assert!(asks(&world.step(Input::Polled { job: ids[0], result: Ok(status) })));
    assert_eq!(standing(&world.told("39.00")), Some(Standing::Agrees), "its charge counts");
}

#[test]
fn the_first_order_waits_for_the_first_balance_or_its_failure_and_not_for_long() {
    let error = || ServiceError::new(ErrorKind::Unavailable, "not now");
    for (answer, seconds) in
        [(Some(Ok(vec![usd("42.00")])), 1), (Some(Ok(vec![])), 1), (Some(Err(error())), 1), (None, 15)]
    {
        let mut fresh = account();
        fresh.first_balance = Default::default();
        let (mut core, _) = Core::start(settings(), vec![fresh], catalog(&offers()), Loaded::default(), at(0));
        core.step(at(0), Input::Ticked);
        let mut world = World { core, now: at(0) };
        let (_, id) = world.queue("a river");
        let builds = |step: &Step| step.effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. }));
        let probed = world.step(Input::Probed { account: "n".into(), result: Ok(AccountProfile::default()) });
        assert!(asks(&probed) && !builds(&probed));
        assert!(world.core.wake_at().is_some_and(|at_most| at_most <= at(15)), "somebody wakes to go on");
        world.now = at(seconds);
        let told = answer.is_some();
        let step = match answer {
            Some(result) => world.step(Input::Balanced { account: "n".into(), result }),
            None => world.step(Input::Ticked),
        };
        // A host that failed rests a moment, which is another matter.
        world.now = at(14).max(world.now);
        let later = world.step(Input::Ticked);
        assert!(builds(&step) || builds(&later), "told: {told}");
        assert_eq!(submits(&world.prepare(id)), 1);
    }
}
