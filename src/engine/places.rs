//! Downloads under way: how many each account may have at once, and how slow one may be.
//!
//! Knows accounts, time and counts of bytes. Must not know links or files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::domain::JobId;
use crate::media::Written;

/// Downloads at a time of one account: a service that is slow holds up no other's clips.
const MOST: usize = 4;

/// How long a download may bring less than [`LEAST`] before it gives its place to another.
const SPELL: Duration = Duration::from_secs(60);

/// What a download must bring in each [`SPELL`], in bytes: 1 KiB/s.
const LEAST: u64 = 60 << 10;

/// Places for downloads, and where the last one of a clip ended.
#[derive(Debug, Default)]
pub(super) struct Places {
    accounts: Mutex<HashMap<String, Arc<Semaphore>>>,
    ends: Mutex<HashMap<(JobId, u32), u64>>,
}

impl Places {
    /// The places of an account.
    pub(super) fn of(&self, account: &str) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(account.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(MOST))).clone()
    }

    /// Notes at which byte this process left a clip's part file.
    pub(super) fn leave(&self, job: JobId, ordinal: u32, bytes: u64) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert((job, ordinal), bytes);
    }

    /// At which byte this process left a clip's part file, told once.
    pub(super) fn left(&self, job: JobId, ordinal: u32) -> Option<u64> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).remove(&(job, ordinal))
    }
}

/// Runs a download for as long as it brings enough; `None` once it was too slow.
pub(super) async fn paced<T>(download: impl Future<Output = T>, written: &Written) -> Option<T> {
    paced_by(download, || written.bytes(), SPELL).await
}

async fn paced_by<T>(download: impl Future<Output = T>, bytes: impl Fn() -> u64, spell: Duration) -> Option<T> {
    tokio::pin!(download);
    let mut before = bytes();
    loop {
        tokio::select! {
            biased;
            done = &mut download => return Some(done),
            () = tokio::time::sleep(spell) => {
                let now = bytes();
                if now.saturating_sub(before) < LEAST {
                    return None;
                }
                before = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn an_account_whose_places_are_taken_leaves_the_others_theirs() {
        let places = Places::default();
        let slow: Vec<_> = (0..MOST).map(|_| places.of("slow").try_acquire_owned().unwrap()).collect();
        assert!(places.of("slow").try_acquire_owned().is_err());
        assert!(places.of("quick").try_acquire_owned().is_ok());
        drop(slow);
        assert!(places.of("slow").try_acquire_owned().is_ok());
    }

    #[tokio::test]
    async fn a_download_ends_once_a_spell_brings_too_little() {
        let spell = Duration::from_millis(5);
        // Three spells bring enough, the fourth a byte too little.
        let (asked, bytes) = (AtomicU64::new(0), |n: u64| n * LEAST - u64::from(n > 3));
        let ended = paced_by(std::future::pending::<()>(), || bytes(asked.fetch_add(1, Ordering::SeqCst)), spell).await;
        assert_eq!((ended, asked.load(Ordering::SeqCst)), (None, 5));
        assert_eq!(paced_by(async { 7 }, || 0, spell).await, Some(7));
    }
}
