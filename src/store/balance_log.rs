//! The balance log in the database: every balance a service told, never edited, never deleted.
//!
//! Knows the table `balance_log`. Must not know how a balance is compared with the books.

use rusqlite::{Connection, Row, params, params_from_iter, types::Value as Sql};

use super::StoreError;
use super::change::BalanceFilter;
use super::column::{money, nanos, opt_text, text, timestamp};
use crate::domain::books::{BalanceLine, Standing};
use crate::domain::{Balance, Job, JobId, Money, Refund};

const COLUMNS: &str = "account, origin, fingerprint, amount, currency, at, source, expected, standing, net, capital";

/// Adds a line.
pub(super) fn add(db: &Connection, line: &BalanceLine) -> Result<(), StoreError> {
    let insert = format!("INSERT INTO balance_log ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    db.prepare_cached(&insert)?.execute(params![
        line.account,
        line.origin,
        line.fingerprint,
        line.balance.money.amount.to_string(),
        line.balance.money.currency.code(),
        nanos(line.balance.seen_at),
        line.balance.source,
        line.expected.map(|money| money.amount.to_string()),
        line.standing.word(),
        line.net.to_string(),
        line.capital.map(|money| money.amount.to_string()),
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<BalanceLine, StoreError> {
    let currency = text(row, 4)?.to_owned();
    let opt = |at: usize| opt_text(row, at)?.map(|amount| money(amount, &currency)).transpose();
    let word = text(row, 8)?;
    let standing = Standing::ALL.into_iter().find(|standing| standing.word() == word);
    let told: Money = money(text(row, 3)?, &currency)?;
    Ok(BalanceLine {
        account: text(row, 0)?.to_owned(),
        origin: text(row, 1)?.to_owned(),
        fingerprint: text(row, 2)?.to_owned(),
        balance: Balance { money: told, seen_at: timestamp(row, 5)?, source: text(row, 6)?.to_owned() },
        expected: opt(7)?,
        standing: standing.ok_or_else(|| StoreError::damaged(format!("`{word}` is no standing of a balance")))?,
        net: money(text(row, 9)?, &currency)?.amount,
        capital: opt(10)?,
    })
}

fn list(db: &Connection, query: &str, values: Vec<Sql>) -> Result<Vec<BalanceLine>, StoreError> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

/// The lines a filter wants, oldest first.
pub(super) fn filtered(db: &Connection, filter: &BalanceFilter) -> Result<Vec<BalanceLine>, StoreError> {
    let mut wanted = vec!["true"];
    let mut values = Vec::new();
    if let Some(account) = &filter.account {
        wanted.push("account = ?");
        values.push(Sql::Text(account.clone()));
    }
    if let Some(since) = filter.since {
        wanted.push("at >= ?");
        values.push(Sql::Integer(nanos(since)));
    }
    if let Some(until) = filter.until {
        wanted.push("at <= ?");
        values.push(Sql::Integer(nanos(until)));
    }
    values.push(Sql::Integer(filter.limit.map_or(-1, i64::from)));
    let wanted = wanted.join(" AND ");
    let mut list =
        list(db, &format!("SELECT {COLUMNS} FROM balance_log WHERE {wanted} ORDER BY id DESC LIMIT ?"), values)?;
    list.reverse();
    Ok(list)
}

/// The last line of each account and currency that the books can go on from: with one key and origin
/// from then on, since nobody knows what another one's account did meanwhile.
pub(super) fn openings(db: &Connection) -> Result<Vec<BalanceLine>, StoreError> {
    let query = format!(
        "SELECT {COLUMNS} FROM balance_log AS line
         WHERE id IN (SELECT max(id) FROM balance_log WHERE capital IS NOT NULL GROUP BY account, currency)
         AND NOT EXISTS (SELECT 1 FROM balance_log AS later WHERE later.account = line.account
             AND later.id > line.id AND (later.fingerprint <> line.fingerprint OR later.origin <> line.origin))
         ORDER BY id"
    );
    list(db, &query, Vec::new())
}

/// Jobs whose refund was claimed in these entries, and is neither seen nor contradicted yet.
pub(super) fn claimed(db: &Connection, recent: &[crate::domain::Entry]) -> Result<Vec<(Job, Money)>, StoreError> {
    let is_claim = |entry: &&crate::domain::Entry| {
        entry.kind == crate::domain::EntryKind::Refunded && entry.evidence.ends_with(":claimed")
    };
    let mut list = Vec::new();
    for entry in recent.iter().filter(is_claim) {
        let Some(id) = entry.job else { continue };
        list.extend(claimed_one(db, id)?.map(|job| (job, entry.money)));
    }
    Ok(list)
}

fn claimed_one(db: &Connection, id: JobId) -> Result<Option<Job>, StoreError> {
    Ok(super::bodies::one(db, id)?.filter(|job| job.refund == Refund::Claimed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;
    use crate::store::{Change, Store};

    fn line(second: i64, fingerprint: &str, capital: Option<&str>) -> Change {
        let usd = |text: &str| Money::parse(text, Currency::Usd).unwrap();
        let seen_at = jiff::Timestamp::from_second(second).unwrap();
        Change::LogBalance(Box::new(BalanceLine {
            account: "n".into(),
            origin: "https://n.example".into(),
            fingerprint: fingerprint.into(),
            balance: Balance { money: usd("39.00"), seen_at, source: "balance".into() },
            expected: Some(usd("39.01")),
            standing: Standing::Differs,
            net: usd("3.01").amount,
            capital: capital.map(usd),
        }))
    }

    #[test]
    fn books_go_on_from_the_last_comparable_balance_unless_another_key_came_between() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), false).unwrap();
        let at = |store: &Store| {
            let openings = store.load().unwrap().openings;
            openings.iter().map(|line| line.balance.seen_at.as_second()).collect::<Vec<_>>()
        };
        let lines = vec![line(1, "f", Some("42.01")), line(2, "f", Some("42.02")), line(3, "f", None)];
        store.commit_blocking(lines).unwrap();
        assert_eq!(at(&store), [2]);
        let all = store.balance_log(&BalanceFilter::default()).unwrap();
        assert_eq!(Change::LogBalance(Box::new(all[1].clone())), line(2, "f", Some("42.02")), "as it was written");
        // Another key, and back: nobody knows what the account did meanwhile.
        store.commit_blocking(vec![line(4, "g", None), line(5, "f", None)]).unwrap();
        assert_eq!(at(&store), [] as [i64; 0]);
        store.commit_blocking(vec![line(6, "f", Some("42.01"))]).unwrap();
        assert_eq!(at(&store), [6]);
        let db = Connection::open(dir.path().join("rushes.db")).unwrap();
        for attack in ["UPDATE balance_log SET amount = '0'", "DELETE FROM balance_log"] {
            let refused = db.execute(attack, []).unwrap_err().to_string();
            assert!(refused.contains("only grows"), "{attack}: {refused}");
        }
    }
}
