//! What a balance says about the books: agreed, not yet comparable, a refund that did not come, a difference.
//!
//! Knows amounts and times as values. Must not know accounts, services, or what is done about it.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::{JobId, Money};

/// A refund that its service claimed has so long to appear in a balance.
pub(super) const REFUND_TIME: SignedDuration = SignedDuration::from_mins(10);

/// More refunds than these are not told apart.
const MOST_REFUNDS: usize = 12;

/// What the books go on from, of one account in one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Opening {
    /// The balance plus what had left by the books: what the account would hold had nothing happened.
    pub capital: Decimal,
    /// When a balance stood to that last.
    pub at: Timestamp,
}

/// A claimed refund, booked on the service's word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Claim {
    /// The job.
    pub job: JobId,
    /// How much.
    pub amount: Decimal,
    /// When it was claimed.
    pub since: Timestamp,
}

/// What follows from a balance.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// Something of ours could have moved it: it proves nothing.
    Nothing,
    /// The books go on from it.
    Opens,
    /// It is what the books say; every claimed refund is in it.
    Agrees,
    /// It would agree, or may, once claimed refunds come; they still have time.
    Waits,
    /// It is what the books would say had these refunds not been booked, and their time is over.
    NotRefunded(Vec<JobId>),
    /// So much more is there than the books say; less, where it is negative.
    Differs(Decimal),
}

/// Compares a balance that was told at `now`. `still`: nothing of ours could have moved it just then.
/// `net` is what left by the books until then, `claims` those of the refunds among it that were claimed
/// and not seen.
pub(super) fn reconcile(
    told: Money,
    still: bool,
    opening: Option<Opening>,
    net: Decimal,
    claims: &[Claim],
    now: Timestamp,
) -> Finding {
    if !still {
        return Finding::Nothing;
    }
    let has_time = |claim: &Claim| now.duration_since(claim.since) < REFUND_TIME;
    // Whether a refund that was claimed before is in it, nobody can tell; what comes after it is seen.
    let Some(opening) = opening else { return Finding::Opens };
    let expected = opening.capital.saturating_sub(net);
    if is_same(told.amount, expected) {
        return Finding::Agrees;
    }
    let missing = missing(told.amount, expected, claims);
    match missing {
        // Each of them by its own time; one that still has some may yet come.
        Some(missing) if missing.iter().any(|claim| has_time(claim)) => Finding::Waits,
        Some(missing) => Finding::NotRefunded(missing.iter().map(|claim| claim.job).collect()),
        None if claims.iter().any(has_time) => Finding::Waits,
        None => Finding::Differs(told.amount.saturating_sub(expected)),
    }
}

/// Whether a balance is the expected one to the last digit that was told. Services round what they
/// show, to cents or finer; what is finer than that is no difference.
pub(super) fn is_same(told: Decimal, expected: Decimal) -> bool {
    // A number loses its last zeros on the way: `39.5` is told to the cent as well.
    let scale = told.scale().max(2);
    let difference = told.saturating_sub(expected).abs();
    if expected.normalize().scale() > scale { difference < Decimal::new(1, scale) } else { difference.is_zero() }
}

/// The claims that explain by their absence why there is less than expected, where only one set does.
fn missing(told: Decimal, expected: Decimal, claims: &[Claim]) -> Option<Vec<&Claim>> {
    if claims.is_empty() || claims.len() > MOST_REFUNDS || told >= expected {
        return None;
    }
    let chosen = |set: u32| claims.iter().enumerate().filter(move |(n, _)| set >> n & 1 == 1).map(|(_, claim)| claim);
    let without = |set: u32| chosen(set).fold(expected, |left, claim| left.saturating_sub(claim.amount));
    let fits = |set: &u32| is_same(told, without(*set));
    let mut sets = (1..1u32 << claims.len()).filter(fits);
    match (sets.next(), sets.next()) {
        (Some(set), None) => Some(chosen(set).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn claim(job: i64, amount: &str, minute: i64) -> Claim {
        Claim { job: JobId(job), amount: decimal(amount), since: at(minute) }
    }

    /// What was told, whether nothing could have moved it, what left by the books, claims, and the minute.
    type Case<'a> = (&'a str, bool, &'a str, &'a [Claim], i64, Finding);

    #[test]
    fn a_balance_is_held_against_the_books_only_where_nothing_of_ours_could_have_moved_it() {
        let two = [claim(1, "3", 0), claim(2, "5", 0)];
        let twins = [claim(1, "3", 0), claim(2, "3", 0)];
        // Opened with 42 before anything was booked; minutes since the claims were made.
        let cases: &[Case<'_>] = &[
            ("42", false, "3", &[], 0, Finding::Nothing),
            ("39.00", true, "3", &[], 0, Finding::Agrees),
            ("39", true, "3", &two, 0, Finding::Agrees),
            ("38.99", true, "3", &[], 0, Finding::Differs(decimal("-0.01"))),
            ("49", true, "3", &[], 0, Finding::Differs(decimal("10"))),
            // To the cent is all that it tells; a cent is told.
            ("41.99", true, "0.006", &[], 0, Finding::Agrees),
            ("42.00", true, "0.006", &[], 0, Finding::Agrees),
            ("41.98", true, "0.006", &[], 0, Finding::Differs(decimal("-0.014"))),
            ("41.99400000", true, "0.006", &[], 0, Finding::Agrees),
            ("41.99399999", true, "0.006", &[], 0, Finding::Differs(decimal("-0.00000001"))),
            // Refunds of 3 and 5 are booked on the service's word, so nothing has left.
            ("37", true, "0", &two, 9, Finding::Waits),
            ("37", true, "0", &two, 10, Finding::NotRefunded(vec![JobId(2)])),
            ("34", true, "0", &two, 10, Finding::NotRefunded(vec![JobId(1), JobId(2)])),
            ("36", true, "0", &two, 10, Finding::Differs(decimal("-6"))),
            ("36", true, "0", &two, 9, Finding::Waits),
            // One of two alike did not come; which one, nobody can tell.
            ("39", true, "0", &twins, 10, Finding::Differs(decimal("-3"))),
            ("36", true, "0", &twins, 10, Finding::NotRefunded(vec![JobId(1), JobId(2)])),
        ];
        for (told, still, net, claims, minute, wanted) in cases {
            let opening = Some(Opening { capital: decimal("42"), at: at(0) });
            let told_money = Money::parse(told, Currency::Usd).unwrap();
            let found = reconcile(told_money, *still, opening, decimal(net), claims, at(*minute));
            assert_eq!(&found, wanted, "{told} told, {net} gone, minute {minute}");
        }
        let first = Money::parse("42", Currency::Usd).unwrap();
        assert_eq!(reconcile(first, true, None, Decimal::ZERO, &two, at(0)), Finding::Opens);
    }
}
