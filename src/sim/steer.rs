//! The words in a prompt that steer a simulated job. They are the simulator's own; no service
//! has them. Knows no wire: each service answers in its own way.

use crate::sim::orders::Outcome;

/// What a prompt asks the simulator to do with its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steer {
    /// `[fail]`: the job is accepted and fails.
    pub fail: bool,
    /// `[policy]`: refused for its content, as the service does it.
    pub policy: bool,
    /// `[nsfw]`: accepted, then failed for its content.
    pub nsfw: bool,
    /// `[slow]`: takes ten times as long.
    pub slow: bool,
    /// `[long]`: takes about two hours.
    pub long: bool,
    /// `[500]`: the service's internal error, nothing booked.
    pub internal: bool,
    /// `[502]`: the upstream refused at once, nothing booked.
    pub upstream: bool,
    /// `[timeout]`: A4F's 408.
    pub timeout: bool,
    /// `[200]`: A4F's error inside a 200.
    pub error_in_200: bool,
    /// `[flat]`: NanoGPT's flat lower-case status shape.
    pub flat: bool,
    /// `[nocost]`: NanoGPT's COMPLETED without `cost`.
    pub no_cost: bool,
}

impl Steer {
    /// Reads the words out of a prompt.
    pub fn read(prompt: &str) -> Self {
        let has = |word: &str| prompt.contains(word);
        Self {
            fail: has("[fail]"),
            policy: has("[policy]"),
            nsfw: has("[nsfw]"),
            slow: has("[slow]"),
            long: has("[long]"),
            internal: has("[500]"),
            upstream: has("[502]"),
            timeout: has("[timeout]"),
            error_in_200: has("[200]"),
            flat: has("[flat]"),
            no_cost: has("[nocost]"),
        }
    }

    /// How an order ends at a service that fails jobs for their content later.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self { policy: true, .. } | Self { nsfw: true, .. } => Outcome::FailsForContent,
            Self { fail: true, .. } => Outcome::Fails,
            _ => Outcome::Completes,
        }
    }

    /// The seconds that a model takes, least and most.
    pub fn speed(&self, usual: (i64, i64)) -> (i64, i64) {
        if self.long { (6_600, 7_800) } else { usual }
    }
}
