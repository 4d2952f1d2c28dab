//! The simulator's own clock: real time, run faster by `speed`. Jobs, rate-limit windows and
//! dates all read it. Knows nothing of orders.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment of simulated time: milliseconds since 1970, UTC.
pub type Moment = i64;

/// One simulated second.
pub const SECOND: i64 = 1000;

/// Simulated time: starts now, then runs `speed` times as fast as ours.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    epoch: Moment,
    speed: f64,
}

impl Clock {
    /// Starts at the machine's own time. A speed that is not a positive number counts as 1.
    pub fn new(speed: f64) -> Self {
        Self::starting(speed, 0)
    }

    /// As [`Clock::new`], but at `least` when the machine's own time is before it.
    pub fn starting(speed: f64, least: Moment) -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self {
            started: Instant::now(),
            epoch: i64::try_from(epoch).unwrap_or(0).max(least),
            speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 },
        }
    }

    /// The simulated moment.
    pub fn now(&self) -> Moment {
        let passed = self.started.elapsed().as_secs_f64() * self.speed * 1000.0;
        self.epoch.saturating_add(passed as i64)
    }

    /// How long a caller has to wait, in real time, until `moment` has come.
    pub fn real_until(&self, moment: Moment) -> Duration {
        self.real(moment.saturating_sub(self.now()))
    }

    /// A stretch of simulated milliseconds in real time, never below zero.
    pub fn real(&self, milliseconds: i64) -> Duration {
        Duration::from_secs_f64((milliseconds.max(0) as f64 / 1000.0 / self.speed).min(1e9))
    }

    /// A limit per simulated minute as a caller meets it by its own watch; never less than it says.
    pub fn in_real_time(&self, per_minute: u32) -> u32 {
        (f64::from(per_minute) * self.speed.max(1.0)).min(f64::from(u32::MAX)) as u32
    }

    /// Waits until `moment` has come.
    pub async fn wait_until(&self, moment: Moment) {
        while self.now() < moment {
            tokio::time::sleep(self.real_until(moment).max(Duration::from_millis(1))).await;
        }
    }

    /// What `Retry-After` says about a wait of simulated milliseconds: whole *real* seconds,
    /// rounded up, at least one, because the client sleeps by its own watch.
    pub fn retry_after(&self, milliseconds: i64) -> u64 {
        (self.real(milliseconds).as_secs_f64().ceil() as u64).max(1)
    }
}

/// `2026-11-20T07:30:00.000Z`, as JavaScript services write dates.
pub fn iso(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment)
        .map(|stamp| stamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        .unwrap_or_default()
}

/// Milliseconds from `moment` to the next midnight, UTC.
pub fn until_midnight(moment: Moment) -> i64 {
    86_400 * SECOND - moment.rem_euclid(86_400 * SECOND)
}

/// The number of the UTC day.
pub fn day(moment: Moment) -> i64 {
    moment.div_euclid(86_400 * SECOND)
}
