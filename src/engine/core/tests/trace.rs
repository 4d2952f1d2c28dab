//! The balance's trace of a lost order: likely where it fell by the price, open in every other case.

use super::*;
use crate::domain::books::{BalanceLine, Standing};
use crate::domain::search::Verdict;
use crate::domain::{Balance, JobError};
use crate::provider::{Evidence, Status};

/// An account of which only the balance tells, and what it holds.
fn world(balance: &str) -> World {
    let mut world = World::fresh();
    let profile = AccountProfile { by_balance: true, ..AccountProfile::default() };
    world.core.accounts.get_mut("n").unwrap().profile = Some(profile);
    see(&mut world, balance);
    world
}

fn see(world: &mut World, balance: &str) -> Step {
    world.now += SignedDuration::from_secs(1);
    world.step(Input::Balanced { account: "n".into(), result: Ok(vec![usd(balance)]) })
}

fn lose(world: &mut World) -> JobId {
    let (_, id) = world.queue("a river");
    world.prepare(id);
    lose_it(world, id);
    id
}

fn lose_it(world: &mut World, id: JobId) {
    let error = ServiceError::new(ErrorKind::Protocol, "the connection broke");
    world.step(Input::Submitted { job: id, answer: SubmitAnswer::Unknown(error), bytes: 0 });
}

fn verdict(world: &World, id: JobId) -> (Option<Verdict>, String) {
    let search = world.core.jobs[&id].search.as_ref();
    (search.map(|search| search.verdict), search.map(|search| search.text.clone()).unwrap_or_default())
}

#[test]
fn a_balance_that_fell_by_exactly_the_price_makes_it_likely_and_nothing_else_does() {
    for (after, expected, said) in [
        ("39.00", Verdict::Likely, "fell by exactly its price, $3.00: $42.00 before it was sent, $39.00 after"),
        ("42.00", Verdict::Open, "did not fall by its price"),
        ("38.99", Verdict::Open, "moved by $3.01, not by its price"),
        ("45.00", Verdict::Open, "moved by"),
    ] {
        let mut world = world("42.00");
        let id = lose(&mut world);
        see(&mut world, after);
        let (verdict, text) = verdict(&world, id);
        assert_eq!(verdict, Some(expected), "{after}: {text}");
        assert!(text.contains(said), "{text}");
        assert_eq!(world.state(id), JobState::Unconfirmed, "never more than likely");
        assert!(world.core.jobs[&id].reserved.is_some() && world.core.jobs[&id].cost.is_none());
        // A later look that finds nothing does not take the evidence away.
        world.step(Input::Evidence { job: id, result: Ok(Evidence::open("nothing")), repeatable: None });
        let kept = self::verdict(&world, id);
        assert_eq!(kept.0, Some(expected));
        assert_eq!(kept.1.contains(said), expected == Verdict::Likely, "{}", kept.1);
    }
}

#[test]
fn orders_go_one_at_a_time_where_only_the_balance_tells_and_what_others_cost_is_no_trace() {
    let mut world = world("42.00");
    let (_, first) = world.queue("one");
    let (step, second) = world.queue("two");
    assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Prepare { .. })), "the first is on its way");
    assert_eq!(submits(&world.prepare(first)), 1);
    lose_it(&mut world, first);
    // The second is sent and taken meanwhile: its answer brings the balance.
    assert_eq!(submits(&world.prepare(second)), 1);
    see(&mut world, "39.00");
    assert_eq!(verdict(&world, first).0, None, "whose price that is cannot be told yet");
    let (cost, balance) = (Some(usd("3.00")), Some(usd("36.00")));
    let answer = SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost, balance, ..Accepted::default() });
    world.step(Input::Submitted { job: second, answer, bytes: 0 });
    assert_eq!(verdict(&world, first).0, Some(Verdict::Likely), "{}", verdict(&world, first).1);
}

#[test]
fn two_lost_orders_an_old_balance_or_a_service_that_lists_orders_leave_no_trace() {
    let mut two = world("42.00");
    let ids = [lose(&mut two), lose(&mut two)];
    see(&mut two, "39.00");
    assert!(ids.iter().all(|id| verdict(&two, *id).0.is_none()), "which of the two was it?");
    let mut old = world("42.00");
    let (_, first) = old.queue("one");
    old.prepare(first);
    old.now += SignedDuration::from_secs(1);
    let cost = Some(usd("3.00"));
    let answer = SubmitAnswer::Accepted(Accepted { remote_id: "r".into(), cost, ..Accepted::default() });
    old.step(Input::Submitted { job: first, answer, bytes: 0 });
    let id = lose(&mut old);
    see(&mut old, "39.00");
    assert_eq!(verdict(&old, id).0, None, "the balance before was older than the charge of the first");
    let mut lists = world("42.00");
    lists.core.accounts.get_mut("n").unwrap().profile = Some(AccountProfile::default());
    let id = lose(&mut lists);
    see(&mut lists, "39.00");
    assert_eq!(verdict(&lists, id).0, None);
}

#[test]
fn a_restart_keeps_the_trace() {
    let mut job = stored(1, JobState::Submitting);
    (job.remote_id, job.reserved, job.submitted_at) = (None, Some(usd("3.00")), Some(at(-5)));
    let seen = Balance { money: usd("42.00"), seen_at: at(-9), source: "balance".into() };
    // What the books said then; and before a charge of $3.00 that this balance is older than.
    for (capital, expected) in [("42.00", Some(Verdict::Likely)), ("39.00", None)] {
        let line = BalanceLine {
            account: "n".into(),
            origin: job.origin.clone(),
            fingerprint: job.fingerprint.clone(),
            balance: seen.clone(),
            expected: None,
            standing: Standing::Opened,
            net: rust_decimal::Decimal::ZERO,
            capital: Some(usd(capital)),
        };
        let (active, balances) = (vec![job.clone()], vec![("n".into(), seen.clone())]);
        let loaded = Loaded { active, next_job: 2, balances, openings: vec![line], ..Loaded::default() };
        let (mut world, _) = World::new(settings(), &offers(), loaded);
        let profile = AccountProfile { by_balance: true, ..AccountProfile::default() };
        world.core.accounts.get_mut("n").unwrap().profile = Some(profile);
        see(&mut world, "39.00");
        assert_eq!(verdict(&world, JobId(1)).0, expected, "{capital}: {}", verdict(&world, JobId(1)).1);
    }
}

/// A job that was taken, at its price, by the account's books.
fn taken(world: &mut World) -> JobId {
    let (_, id) = world.queue("another");
    world.prepare(id);
    let answer = Accepted { remote_id: format!("r{id}"), cost: Some(usd("3.00")), ..Accepted::default() };
    world.step(Input::Submitted { job: id, answer: SubmitAnswer::Accepted(answer), bytes: 0 });
    id
}

#[test]
fn a_balance_that_lags_is_looked_at_again_and_takes_nobody_elses_charge_for_the_lost_orders() {
    let mut late = world("42.00");
    let id = lose(&mut late);
    see(&mut late, "42.00");
    assert_eq!(verdict(&late, id).0, Some(Verdict::Open), "it may be an old one");
    see(&mut late, "39.00");
    assert_eq!(verdict(&late, id).0, Some(Verdict::Likely), "{}", verdict(&late, id).1);
    // What the first one cost shows only after the second was lost.
    let mut old = world("42.00");
    taken(&mut old);
    see(&mut old, "42.00");
    let id = lose(&mut old);
    see(&mut old, "39.00");
    assert_eq!(verdict(&old, id).0, None, "the balance before was not what the books said");
    // The first one's charge, of which nobody was told, shows only after the second was lost.
    let mut two = world("42.00");
    let first = lose(&mut two);
    see(&mut two, "42.00");
    two.now += SignedDuration::from_mins(11);
    see(&mut two, "42.00");
    let second = lose(&mut two);
    see(&mut two, "39.00");
    assert_eq!((verdict(&two, first).0, verdict(&two, second).0), (Some(Verdict::Open), None), "whose is it?");
    // Where the first one is explained, the second one can be told again.
    let mut settled = world("42.00");
    lose(&mut settled);
    see(&mut settled, "39.00");
    let second = lose(&mut settled);
    see(&mut settled, "36.00");
    assert_eq!(verdict(&settled, second).0, Some(Verdict::Likely), "{}", verdict(&settled, second).1);
    // A refund that is claimed and does not show looks like a charge.
    let mut claimed = world("42.00");
    let first = taken(&mut claimed);
    see(&mut claimed, "39.00");
    let id = lose(&mut claimed);
    let state = RemoteState::Failed { error: JobError::new(ErrorKind::Generation, "failed"), refunded: true };
    let failed = Status { word: "failed".into(), state, progress: None, cost: None };
    claimed.step(Input::Polled { job: first, result: Ok(failed) });
    see(&mut claimed, "39.00");
    assert_eq!(verdict(&claimed, id).0, None);
}
