//! The head of the screen: what is simulated, each account's money, what was spent, what waits for you.

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{put, put_right};
use super::text;
use crate::app::App;
use crate::app::action::{Action, Context};
use crate::domain::message::{AccountRow, Spend};
use crate::domain::{Balance, Currency, Money};
use crate::tui::theme::{Glyphs, Role, Styles};

/// A balance that was seen before then is of another hour.
const OLD: SignedDuration = SignedDuration::from_hours(1);

/// Draws the header.
pub fn render(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let y = area.y;
    let mut x = put(buf, (area.x, y), area.right(), " rushes ", styles.of(Role::Badge)) + 1;
    if app.simulated().is_some() {
        x = put(buf, (x, y), area.right(), " SIMULATOR ", styles.of(Role::Warning)) + 1;
    }
    if let Some(holder) = app.read_only() {
        // Who works here stands before the accounts: they are what is cut.
        x = put(buf, (x, y), area.right(), " READ-ONLY ", styles.of(Role::Warning)) + 2;
        let room = usize::from(area.right().saturating_sub(x));
        x = put(buf, (x, y), area.right(), &text::cut(holder, room, styles.glyphs), styles.of(Role::Warn)) + 2;
    }
    let rest = Rect::new(x + 1, y, area.right().saturating_sub(x + 1), 1);
    if !app.accounts().is_empty() {
        accounts(app, styles, rest, buf);
    } else if app.read_only().is_none() {
        put(buf, (rest.x, y), area.right(), "no account", styles.of(Role::Dim));
    }
    if area.height > 1 {
        spend(app, styles, Rect::new(area.x + 1, y + 1, area.width.saturating_sub(1), 1), buf);
    }
}

type Piece = (String, Role);

/// The accounts, each with less to say where the line is short, and the last ones as a number.
fn accounts(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let all = |detail: u8| -> Vec<Vec<Piece>> {
        app.accounts().iter().map(|a| pieces(app, a, detail, styles.glyphs)).collect()
    };
    let width = |list: &[Vec<Piece>]| -> usize { list.iter().map(|a| length(a) + 3).sum::<usize>().saturating_sub(3) };
    let room = usize::from(area.width);
    let mut list = (0..5).rev().map(all).find(|list| width(list) <= room).unwrap_or_else(|| all(0));
    let mut hidden = 0;
    while list.len() > 1 && width(&list) + if hidden > 0 { 5 } else { 0 } > room {
        list.pop();
        hidden += 1;
    }
    if hidden > 0 && width(&list) + 5 > room {
        // Not even one fits: its name cut to a letter would say nothing.
        return;
    }
    let mut x = area.x;
    for account in list {
        for (words, role) in account {
            x = put(buf, (x, area.y), area.right(), &words, styles.of(role));
        }
        x += 3;
    }
    if hidden > 0 {
        put(buf, (x.saturating_sub(1), area.y), area.right(), &format!("+{hidden}"), styles.of(Role::Dim));
    }
}

fn length(pieces: &[Piece]) -> usize {
    pieces.iter().map(|(words, _)| text::width(words)).sum()
}

/// An account in words: 4 says all, 3 all but when its balance was seen, 0 only the name, the first balance and trouble.
fn pieces(app: &App, account: &AccountRow, detail: u8, glyphs: Glyphs) -> Vec<Piece> {
    let (role, word) = match (&account.pause, &account.trouble) {
        (Some(_), _) if detail >= 1 => (Role::Error, format!(" paused{}", app.paused_until(account))),
        (Some(_), _) => (Role::Error, " paused".to_owned()),
        (None, Some(_)) => (Role::Warn, " trouble".to_owned()),
        (None, None) => (Role::Ok, String::new()),
    };
    let dot = if glyphs == Glyphs::Unicode { "● " } else { "* " };
    let mut out = vec![(dot.to_owned(), role), (text::cut(&account.name, 20, glyphs), Role::Text)];
    if !word.is_empty() {
        out.push((word, role));
    }
    let shown = if detail >= 2 { account.balances.len() } else { 1 };
    for balance in account.balances.iter().take(shown) {
        out.push((format!(" {}", text::cents(balance.money)), Role::Strong));
    }
    if let Some(balance) = account.balances.first().filter(|balance| detail >= 4 || is_old(app, balance)) {
        let at = text::time(balance.seen_at, app.now(), app.time_zone(), false);
        out.push((format!(" at {at}"), Role::Dim));
    }
    if account.balances.is_empty() && account.plan.is_none() {
        out.push((" balance unknown".to_owned(), Role::Dim));
    }
    if let Some(plan) = account.plan.as_ref().filter(|_| detail >= 1 || account.balances.is_empty()) {
        out.push((format!(" {}", text::cut(plan, 16, glyphs)), Role::Strong));
    }
    if detail >= 1 {
        for money in account.reserved.iter().filter(|m| !m.amount.is_zero() && m.currency != Currency::Quota) {
            let word = if detail >= 2 { " reserved" } else { "" };
            out.push((format!(" -{}{word}", text::cents(*money)), Role::Dim));
        }
    }
    if let (3.., Some(n)) = (detail, account.per_minute) {
        out.push((format!(" {n}/min"), Role::Dim));
    }
    if detail >= 3 && account.in_flight > 0 {
        out.push((format!(" {}/{} at work", account.in_flight, account.max_in_flight), Role::Dim));
    }
    out
}

/// Whether a balance was seen so long ago that this must be said even where there is little room.
fn is_old(app: &App, balance: &Balance) -> bool {
    app.now().duration_since(balance.seen_at) > OLD
}

fn spend(app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let spend = app.spend();
    let y = area.y;
    let mut tail = String::new();
    let mut tail_role = Role::Dim;
    let needs = app.needs_you();
    if needs > 0 {
        tail = format!("{needs} {} you ", if needs == 1 { "needs" } else { "need" });
        tail_role = Role::Warn;
    }
    let tail_width = u16::try_from(text::width(&tail)).unwrap_or(0);
    let end = area.right().saturating_sub(tail_width + 3);
    let mut x = put(buf, (area.x, y), end, "today ", styles.of(Role::Dim));
    let dollars = |list: &[Money]| Money::usd(Spend::amount(list, Currency::Usd));
    let today = dollars(&spend.today);
    x = put(buf, (x, y), end, &today.to_string(), styles.of(Role::Money));
    if let Some(cap) = spend.day_cap {
        x = put(buf, (x, y), end, &format!(" of {cap} "), styles.of(Role::Dim));
        let percent = percent(today, cap);
        let (full, rest) = text::bar(percent, 12, styles.glyphs);
        let role = if percent >= 100 {
            Role::Error
        } else if percent >= 80 {
            Role::Warn
        } else {
            Role::Ok
        };
        x = put(buf, (x, y), end, &full, styles.of(role));
        x = put(buf, (x, y), end, &rest, styles.of(Role::Track));
    }
    for money in spend.today.iter().filter(|m| m.currency != Currency::Usd && !m.amount.is_zero()) {
        x = put(buf, (x, y), end, &format!(" + {money}"), styles.of(Role::Money));
    }
    let month = dollars(&spend.month).to_string();
    let cap = spend.month_cap.map(|cap| format!(" of {cap}")).unwrap_or_default();
    let mut pieces = vec![(format!("   month {month}{cap}"), Role::Dim)];
    let unexplained: Vec<String> =
        spend.unexplained.iter().filter(|m| !m.amount.is_zero()).map(|m| signed(*m)).collect();
    if !unexplained.is_empty() {
        let key = app.keymap().shown(Action::Notices, Context::Everywhere).map(|key| format!(" ({key})"));
        let words = format!("   unexplained {}{}", unexplained.join(" "), key.unwrap_or_default());
        // Before all else that may have no room: nothing absorbs it.
        pieces.insert(0, (words, Role::Error));
    }
    if let Some(finish) = app.finish() {
        let left_out = match finish.left_out {
            0 => String::new(),
            n => format!(", {n} more unknown"),
        };
        let (p50, p90) = (app.time_of_day(finish.p50), app.time_of_day(finish.p90));
        let words = if p50 == p90 { format!("~{p50}") } else { format!("~{p50}, P90 {p90}") };
        let source = if finish.is_quoted { " as quoted" } else { "" };
        pieces.push((format!("   queue ends {words}{source}{left_out}"), Role::Dim));
    }
    for (account, by) in app.shortfalls() {
        pieces.push((format!("   queued {by} more than {account} holds"), Role::Warn));
    }
    if let Some(line) = app.simulated() {
        pieces.push((format!("   {line}"), Role::Dim));
    }
    for (words, role) in pieces {
        // A piece that does not fit whole is left out: half a number is worse than none.
        if usize::from(end.saturating_sub(x)) >= text::width(&words) {
            x = put(buf, (x, y), end, &text::tame(&words), styles.of(role));
        }
    }
    put_right(buf, y, x, area.right(), &tail, styles.of(tail_role));
}

/// An amount with the way it went.
fn signed(money: Money) -> String {
    if money.amount.is_sign_negative() { money.to_string() } else { format!("+{money}") }
}

fn percent(part: Money, whole: Money) -> u8 {
    use rust_decimal::prelude::ToPrimitive;
    let hundred = rust_decimal::Decimal::ONE_HUNDRED;
    let share = part.amount.saturating_mul(hundred).checked_div(whole.amount).unwrap_or(hundred);
    share.clamp(rust_decimal::Decimal::ZERO, hundred).to_u8().unwrap_or(100)
}
