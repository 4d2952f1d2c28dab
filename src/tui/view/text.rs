//! Text for cells: cut by display width, times, money, bars.
//!
//! Knows widths and the ASCII fallback. Must not know any pane.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::clock::Clock;
use crate::domain::text::is_hidden;
use crate::domain::{Currency, JobRow, JobState, Money};
use crate::tui::theme::Glyphs;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text on one line without anything that steers a terminal or that terminals disagree on the
/// width of: control characters, zero-width joiners, variation selectors.
pub fn tame(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_hidden(*c) && !matches!(c, '\u{FE00}'..='\u{FE0F}'))
        .collect()
}

/// The text cut to `max` columns, with a mark where it was cut.
pub fn cut(text: &str, max: usize, glyphs: Glyphs) -> String {
    let text = tame(text);
    if width(&text) <= max {
        return text;
    }
    let mark = if glyphs == Glyphs::Unicode { "…" } else { "~" };
    let mut out = String::new();
    let mut room = max.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let w = width(grapheme);
        if w > room {
            break;
        }
        room -= w;
        out.push_str(grapheme);
    }
    let mut out = out.trim_end().to_owned();
    if max > 0 {
        out.push_str(mark);
    }
    out
}

/// The text cut to `max` columns in its middle, for texts that often differ at their ends only.
pub fn cut_within(text: &str, max: usize, glyphs: Glyphs) -> String {
    let text = tame(text);
    if width(&text) <= max {
        return text;
    }
    let tail_room = max * 2 / 5;
    let mut tail_start = text.len();
    for (at, _) in text.grapheme_indices(true).rev() {
        if width(&text[at..]) > tail_room {
            break;
        }
        tail_start = at;
    }
    let tail = text[tail_start..].trim_start();
    cut(&text, max - width(tail), glyphs) + tail
}

/// The text broken into lines of at most `max` columns, at blanks where there are any.
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let max = max.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in tame(paragraph).split_whitespace() {
            let gap = usize::from(!line.is_empty());
            if !line.is_empty() && width(&line) + gap + width(word) > max {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            // A word that is longer than a line breaks behind its dashes and slashes, or anywhere.
            for part in word.split_inclusive(['-', '/']) {
                if width(&line) + width(part) > max && !line.is_empty() && width(word) > max {
                    lines.push(std::mem::take(&mut line));
                }
                for grapheme in part.graphemes(true) {
                    if width(&line) + width(grapheme) > max && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                    }
                    line.push_str(grapheme);
                }
            }
        }
        lines.push(line);
    }
    lines
}

/// Seconds as `0:42`, `12:05`, `1h02`.
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3600..360_000 => format!("{}h{:02}", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A row's clock: about `~1:20` left, `+0:40` past its usual time, `2:10` since it was sent, or taken.
pub fn clock(clock: Clock) -> String {
    match clock {
        Clock::Left(s) => format!("~{}", duration(s)),
        Clock::Over(s) => format!("+{}", duration(s)),
        Clock::Since(s) | Clock::Took(s) => duration(s),
    }
}

/// A time of day, with the day where it is another one.
pub fn time(at: Timestamp, now: Timestamp, zone: &TimeZone, seconds: bool) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = match (at.date() == now.date(), seconds) {
        (true, true) => "%H:%M:%S",
        (true, false) => "%H:%M",
        (false, _) => "%d %b %H:%M",
    };
    at.strftime(format).to_string()
}

/// An amount without what is less than a cent, for what is left: the books say the rest.
pub fn cents(money: Money) -> String {
    match money.currency {
        Currency::Quota => money.to_string(),
        currency => Money::new(money.amount.trunc_with_scale(2), currency).to_string(),
    }
}

/// An amount in a column: decimal points stand under each other, three digits behind them.
/// Dollars bear no sign; a run of a plan is `plan`.
pub fn column(money: Money) -> String {
    if money.currency == Currency::Quota {
        return "plan ".to_owned();
    }
    let mark = if money.currency == Currency::Xno { "Ӿ" } else { "" };
    let text = Money::new(money.amount, Currency::Usd).to_string().replace('$', "");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let cents = if cents.len() > 3 { format!("{}…", &cents[..2]) } else { format!("{cents:<3}") };
    format!("{mark}{whole}.{cents}")
}

/// A bar of `cells` columns, filled to `percent`: its full and its empty part.
pub fn bar(percent: u8, cells: usize, glyphs: Glyphs) -> (String, String) {
    let full = (usize::from(percent.min(100)) * cells + 50) / 100;
    let (on, off) = match glyphs {
        Glyphs::Unicode => ("━", "─"),
        Glyphs::Ascii => ("#", "."),
    };
    (on.repeat(full), off.repeat(cells - full))
}

/// The state's word in the table; a late job says so.
pub fn state(row: &JobRow) -> &'static str {
    if row.late && row.state == JobState::Running { "late" } else { crate::app::filter::short_word(row.state) }
}

/// A parameter's value with its unit, for people.
pub fn value(name: &str, value: &serde_json::Value) -> String {
    let text = crate::domain::text::plain(value);
    if name == "duration" && text.chars().all(|c| c.is_ascii_digit()) { format!("{text} s") } else { text }
}

/// A parameter's name for people.
pub fn label(name: &str) -> String {
    match name {
        "aspect_ratio" => "aspect".to_owned(),
        "negative_prompt" => "negative".to_owned(),
        _ => name.replace('_', " "),
    }
}

/// A number of bytes: `812 kB`, `3.1 MB`.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{} kB", n / 1_000),
        _ => format!("{}.{} MB", n / 1_000_000, n / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_cut_by_columns_and_never_past_them() {
        assert_eq!(cut("山谷の霧", 8, Glyphs::Unicode), "山谷の霧");
        assert_eq!(cut("山谷の霧", 7, Glyphs::Unicode), "山谷の…");
        assert_eq!(cut("山谷の霧", 6, Glyphs::Unicode), "山谷…");
        assert_eq!(cut("a red fox", 6, Glyphs::Ascii), "a red~");
        assert_eq!(cut("👨‍👩‍👧 at home", 30, Glyphs::Unicode), "👨👩👧 at home");
        for max in 0..20 {
            for text in ["山a谷b", "🎬🎬🎬", "e\u{301}e\u{301}", "plain", "❤\u{FE0F} love"] {
                assert!(width(&cut(text, max, Glyphs::Unicode)) <= max, "{text} at {max}");
            }
        }
    }

    #[test]
    fn text_wraps_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("the quick fox", 9), ["the quick", "fox"]);
        assert_eq!(wrap("山谷の霧", 5), ["山谷", "の霧"]);
        assert_eq!(wrap("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(wrap("a nanogpt/wan-video-22", 12), ["a", "nanogpt/wan-", "video-22"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
        assert_eq!(wrap("x\x1b[2J", 80), ["x[2J"]);
        for max in 0..9 {
            assert!(wrap("日本語 text with emoji 🎬 end", max).iter().all(|l| width(l) <= max.max(2)));
        }
    }

    #[test]
    fn amounts_stand_with_their_points_under_each_other() {
        let column = |text: &str| column(Money::parse(text, Currency::Usd).unwrap());
        for text in ["5", "0.302", "129.469561", "0.05"] {
            let shown = column(text);
            assert_eq!(shown.chars().rev().position(|c| c == '.'), Some(3), "{shown}");
        }
        assert_eq!(column("129.469561"), "129.46…");
    }

    #[test]
    fn durations_stay_short() {
        let shown: Vec<_> = [0, 59, 125, 3600, 86_399, 400_000].map(duration).into();
        assert_eq!(shown, ["0:00", "0:59", "2:05", "1h00", "23h59", "4d"]);
        assert_eq!(bar(50, 6, Glyphs::Ascii), ("###".into(), "...".into()));
        assert_eq!(bar(255, 4, Glyphs::Ascii).0.len(), 4);
    }
}
