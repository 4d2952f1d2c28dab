//! How long jobs of a model take: from own history, or as the documents quote it until there is some.
//!
//! Knows seconds from the order to the clip on disk. Must not know what is waited for, nor who shows it.

use std::collections::{BTreeMap, VecDeque};

use super::model::Speed;

/// Clips that a figure rests on at most: the last ones.
const MOST: usize = 20;

/// How long a job takes, s: half of all are done within the first, nine of ten within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Half of the jobs are done within this, s.
    pub p50_s: u32,
    /// Nine of ten are done within this, s.
    pub p90_s: u32,
    /// How many own clips it rests on, 1-20; 0: it is only quoted by the documents.
    pub clips: u32,
}

impl Timing {
    /// What the documents quote: the middle of their range, and its end.
    pub fn quoted(speed: Speed) -> Timing {
        Timing { p50_s: speed.min.midpoint(speed.max), p90_s: speed.max, clips: 0 }
    }
}

/// The last clips' times of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    seconds: VecDeque<u32>,
}

impl Lately {
    /// Times in seconds, the oldest first; of more than twenty the last count.
    pub fn of(seconds: impl IntoIterator<Item = u32>) -> Lately {
        let mut lately = Lately::default();
        seconds.into_iter().for_each(|s| lately.add(s));
        lately
    }

    /// One more clip took so long, s.
    pub fn add(&mut self, seconds: u32) {
        self.seconds.push_back(seconds);
        if self.seconds.len() > MOST {
            self.seconds.pop_front();
        }
    }

    /// The median and the ninth decile; `None` where no clip was made yet.
    pub fn timing(&self) -> Option<Timing> {
        let mut sorted: Vec<u32> = self.seconds.iter().copied().collect();
        sorted.sort_unstable();
        let at = |share: usize| sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1))).copied();
        let clips = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        Some(Timing { p50_s: at(50)?, p90_s: at(90)?, clips })
    }
}

/// Timings by account and model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timings(BTreeMap<String, BTreeMap<String, Timing>>);

impl Timings {
    /// That of an account's model, where anything is known.
    pub fn of(&self, account: &str, model: &str) -> Option<Timing> {
        self.0.get(account)?.get(model).copied()
    }

    /// Puts one in the place of what was known of that model.
    pub fn put(&mut self, account: &str, model: &str, timing: Timing) {
        self.0.entry(account.to_owned()).or_default().insert(model.to_owned(), timing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_nine_of_ten_of_the_last_twenty_clips() {
        assert_eq!(Lately::default().timing(), None);
        assert_eq!(Lately::of([70]).timing(), Some(Timing { p50_s: 70, p90_s: 70, clips: 1 }));
        let timing = Lately::of([9000].into_iter().chain(1..=20)).timing();
        assert_eq!(timing, Some(Timing { p50_s: 11, p90_s: 19, clips: 20 }), "the oldest is forgotten");
        let speed = Speed { min: 180, max: 300 };
        assert_eq!(Timing::quoted(speed), Timing { p50_s: 240, p90_s: 300, clips: 0 });
    }
}
