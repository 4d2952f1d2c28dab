//! Where days and months begin, for a machine whose time zone may move.
//!
//! Knows the zone of now and those before it whose day or month has not ended. Must not know what is counted.
//! A zone further east begins the next day early: while the day that was begun in the former zone lasts, it
//! counts from its own midnight, so that a move makes no room under a cap.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use super::caps::{Span, begin};

/// The user's zone, and what is still counted by former ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Zones {
    now: Former,
    before: Vec<Former>,
}

#[derive(Clone, Debug, PartialEq)]
struct Former {
    zone: TimeZone,
    /// When it was the user's last.
    used: Timestamp,
}

/// A zone as it is kept: its name, and its offset in seconds for one whose name means nothing later.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    name: Option<String>,
    offset: i32,
    used: Timestamp,
}

impl From<TimeZone> for Zones {
    fn from(zone: TimeZone) -> Zones {
        Zones { now: Former { zone, used: Timestamp::MIN }, before: Vec::new() }
    }
}

impl Former {
    fn kept(&self) -> Kept {
        let offset = self.zone.to_offset(self.used).seconds();
        Kept { name: self.zone.iana_name().map(str::to_owned), offset, used: self.used }
    }

    /// Whether the span that it was used in last goes on.
    fn lasts(&self, span: Span, at: Timestamp) -> bool {
        begin(span, self.used, &self.zone) == begin(span, at.max(self.used), &self.zone)
    }
}

impl Kept {
    fn former(self) -> Option<Former> {
        let named = self.name.and_then(|name| TimeZone::get(&name).ok());
        let fixed = || Offset::from_seconds(self.offset).ok().map(TimeZone::fixed);
        Some(Former { zone: named.or_else(fixed)?, used: self.used })
    }
}

impl Zones {
    /// The zone of now, after those that were [`kept`](Self::kept) and used until `until`.
    pub fn after(kept: Option<&str>, zone: TimeZone, until: Timestamp) -> Zones {
        let kept: Vec<Kept> = kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mut before: Vec<Former> = kept.into_iter().filter_map(Kept::former).collect();
        if let Some(last) = before.last_mut() {
            last.used = last.used.max(until);
        }
        let now = Former { zone, used: until };
        let name = |former: &Former| former.kept().name.ok_or(former.kept().offset);
        before.retain(|former| name(former) != name(&now) && former.lasts(Span::Month, until));
        Zones { now, before }
    }

    /// As text, to be kept: the former ones, and the one of now last.
    pub fn kept(&self) -> String {
        let all: Vec<Kept> = self.before.iter().chain([&self.now]).map(Former::kept).collect();
        serde_json::to_string(&all).unwrap_or_default()
    }

    /// The zone of now.
    pub fn zone(&self) -> &TimeZone {
        &self.now.zone
    }

    /// When the span of a time begins: at the earliest of what the zone of now says and each former one in
    /// which the span goes on that it was used in last. `None` counts since ever.
    pub fn begin(&self, span: Span, at: Timestamp) -> Option<Timestamp> {
        let former = self.before.iter().filter(|former| former.lasts(span, at)).map(|former| &former.zone);
        [self.zone()].into_iter().chain(former).map(|zone| begin(span, at, zone)).min()?
    }

    /// When days and months of former zones end, after this time: there is room again then, too.
    pub fn ends(&self, at: Timestamp) -> Vec<Timestamp> {
        let ends = |former: &Former| {
            let today = at.max(former.used).to_zoned(former.zone.clone()).date();
            let after = |last: Date| Some(last.tomorrow().ok()?.to_zoned(former.zone.clone()).ok()?.timestamp());
            [today, today.last_of_month()].into_iter().filter_map(after).collect::<Vec<_>>()
        };
        self.before.iter().filter(|former| former.lasts(Span::Month, at)).flat_map(ends).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn fixed(hours: i8) -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(hours))
    }

    #[test]
    fn a_zone_that_moved_east_makes_no_room_before_the_day_that_was_begun_ends() {
        let home = Zones::after(None, fixed(-5), at("2026-11-20T12:00:00Z"));
        // At home it is six in the evening; there it is tomorrow already.
        let away = Zones::after(Some(&home.kept()), fixed(9), at("2026-11-20T23:00:00Z"));
        let day = |now| away.begin(Span::Day, at(now)).unwrap().to_string();
        assert_eq!(day("2026-11-20T23:00:00Z"), "2026-11-20T05:00:00Z", "since midnight at home");
        assert_eq!(
            away.ends(at("2026-11-20T23:00:00Z")),
            [at("2026-11-21T05:00:00Z"), at("2026-12-01T05:00:00Z")],
            "the day at home, and the month"
        );
        assert_eq!(day("2026-11-21T05:00:00Z"), "2026-11-20T15:00:00Z", "that day is over: since midnight there");
        // Started again there: the day at home still lasts.
        let again = Zones::after(Some(&away.kept()), fixed(9), at("2026-11-21T01:00:00Z"));
        assert_eq!(again.begin(Span::Day, at("2026-11-21T01:00:00Z")), Some(at("2026-11-20T05:00:00Z")));
        assert_eq!(again.begin(Span::Ever, at("2026-11-21T01:00:00Z")), None);
    }

    #[test]
    fn a_month_that_was_begun_in_a_former_zone_goes_on_there() {
        let home = Zones::after(None, fixed(9), at("2026-11-30T16:00:00Z"));
        let away = Zones::after(Some(&home.kept()), fixed(-5), at("2026-12-01T01:00:00Z"));
        let month = |now| away.begin(Span::Month, at(now)).unwrap().to_string();
        assert_eq!(month("2026-12-01T01:00:00Z"), "2026-11-01T05:00:00Z", "November there");
        assert_eq!(month("2026-12-15T00:00:00Z"), "2026-11-30T15:00:00Z", "what December began with still counts");
        assert_eq!(month("2027-01-02T00:00:00Z"), "2027-01-01T05:00:00Z");
    }

    #[test]
    fn a_zone_is_known_again_by_its_name_and_one_without_by_its_offset() {
        let text = Zones::after(None, TimeZone::UTC, at("2026-11-20T12:00:00Z")).kept();
        assert!(Zones::after(Some(&text), TimeZone::UTC, at("2026-11-20T13:00:00Z")).before.is_empty());
        let text = Zones::after(None, fixed(3), at("2026-11-20T12:00:00Z")).kept();
        assert!(Zones::after(Some(&text), fixed(3), at("2026-11-20T13:00:00Z")).before.is_empty());
        assert_eq!(Zones::after(Some(&text), fixed(4), at("2026-11-20T13:00:00Z")).before.len(), 1);
        assert!(Zones::after(Some("noise"), fixed(3), at("2026-11-20T13:00:00Z")).before.is_empty());
    }
}
