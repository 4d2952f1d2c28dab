//! What the user should read: the newest at the foot, all of them in a list.
//!
//! Knows when a notice has been shown long enough. Must not know who sent it.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::domain::Notice;
use crate::domain::message::Level;
use crate::domain::text::clean;

/// How long good news stays at the foot, s. Warnings stay until something newer comes, or Esc.
const INFO_S: i64 = 12;
/// Most notices kept.
const KEPT: usize = 200;
/// Most characters of one notice.
const MAX_CHARS: usize = 400;

/// The notices of this session.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    list: VecDeque<Notice>,
    shown_until: Option<Timestamp>,
    hidden: bool,
}

impl Notices {
    /// Adds one; `now` is when it was heard of.
    pub fn add(&mut self, level: Level, text: &str, now: Timestamp) {
        self.list.push_front(Notice { at: now, level, text: clean(text, MAX_CHARS) });
        self.list.truncate(KEPT);
        self.hidden = false;
        self.shown_until = (level == Level::Info).then(|| now + SignedDuration::from_secs(INFO_S));
    }

    /// The newest, while it is shown.
    pub fn newest(&self) -> Option<&Notice> {
        self.list.front().filter(|_| !self.hidden)
    }

    /// Takes the newest off the screen; `false` when there was none.
    pub fn dismiss(&mut self) -> bool {
        let shown = self.newest().is_some();
        self.hidden = true;
        self.shown_until = None;
        shown
    }

    /// When the newest leaves the screen by itself.
    pub fn due(&self) -> Option<Timestamp> {
        self.shown_until
    }

    /// Takes good news off the screen that was shown long enough; `true` when that changed something.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        self.shown_until.is_some_and(|until| now >= until) && self.dismiss()
    }

    /// All, newest first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_news_goes_by_itself_and_a_warning_does_not() {
        let mut notices = Notices::default();
        let start = Timestamp::UNIX_EPOCH;
        notices.add(Level::Info, "queued j-1", start);
        assert!(!notices.expire(start));
        assert!(notices.expire(notices.due().unwrap()));
        assert_eq!(notices.newest(), None);
        notices.add(Level::Warning, "a\x1b[2Jb", start);
        assert_eq!(notices.due(), None);
        assert_eq!(notices.newest().unwrap().text, "a[2Jb");
        for i in 0..500 {
            notices.add(Level::Info, &i.to_string(), start);
        }
        assert_eq!(notices.all().len(), KEPT);
    }
}
