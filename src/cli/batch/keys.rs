//! Keys: what makes a row known again, so that nothing is bought twice.
//!
//! Knows rows' contents and ordinals. Must not know what was bought before; the engine does.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::row::Row;
use super::{Batch, Options};
use crate::domain::{NewJob, Problem};

type Sum = [u8; 32];

/// The keys of one batch.
#[derive(Default)]
pub struct Keys {
    file: u32,
    /// By key: the content it stands for, and the file and line it was read from.
    seen: HashMap<String, (Sum, u32, u64)>,
    /// How many equals of a row its file had so far.
    equals: HashMap<Sum, u32>,
}

impl Keys {
    /// Another file starts: equals are counted within one file.
    pub fn next_file(&mut self) {
        self.file += 1;
        self.equals.clear();
    }

    /// Puts a row's copies into the batch, each with its key.
    ///
    /// # Errors
    /// A key that stands for something else already, or twice in one file; nothing is put then.
    pub fn put(&mut self, row: Row, line: u64, options: &Options, batch: &mut Batch) -> Result<(), Vec<Problem>> {
        let sum: Sum = Sha256::digest(&row.content).into();
        let equals = self.equals.get(&sum).copied().unwrap_or(0);
        let keys: Vec<String> = (1..=row.copies)
            .map(|copy| match &row.key {
                Some(key) if copy == 1 => key.clone(),
                Some(key) => format!("{key}#{copy}"),
                None => format!("auto-{}-{}", hex(&sum[..16]), equals + copy),
            })
            .map(|key| with_again(key, options))
            .collect();
        for key in &keys {
            let Some((known, file, at)) = self.seen.get(key) else { continue };
            let message = match (*known == sum, *file == self.file) {
                (false, _) => format!("`{key}` stands for another request already; give this row a key of its own"),
                (true, true) => format!("`{key}` is on line {at} already; use copies to make more of one"),
                (true, false) => continue,
            };
            return Err(vec![Problem::new("key", "key", message)]);
        }
        if row.key.is_none() {
            self.equals.insert(sum, equals + row.copies);
        }
        let (mut request, mut left) = (Some(row.request), keys.len());
        for key in keys {
            left -= 1;
            // The same row in another file of this batch is known there, and not bought again.
            if self.seen.contains_key(&key) {
                batch.repeated += 1;
                continue;
            }
            self.seen.insert(key.clone(), (sum, self.file, line));
            batch.unpriced += usize::from(row.unpriced);
            let one = if left == 0 { request.take() } else { request.clone() };
            let Some(request) = one else { continue };
            batch.jobs.push(NewJob {
                request,
                key: Some(key),
                ceiling: row.ceiling,
                parent: None,
                shrink: options.shrink,
                cap: options.cap,
            });
        }
        Ok(())
    }
}

fn with_again(key: String, options: &Options) -> String {
    match &options.again {
        Some(again) => format!("{key}@{again}"),
        None => key,
    }
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}
