//! Keys in their order, in pieces: one that comes or goes moves only its own piece, however many there are.
//!
//! Knows nothing but the order. Line 0 is the largest key.

use super::super::order::Key;

/// Most keys of a piece: some kilobytes are moved for one key, and a hundred thousand are some hundred pieces.
const MOST: usize = 512;

/// The keys, ascending. No piece is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    pieces: Vec<Vec<Key>>,
    len: usize,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What stands on a line.
    pub(super) fn at(&self, line: usize) -> Option<Key> {
        self.from(line).next()
    }

    /// The keys from a line on, downwards.
    pub(super) fn from(&self, line: usize) -> impl Iterator<Item = Key> {
        let mut left = line;
        let mut above = 0;
        for piece in self.pieces.iter().rev() {
            if left < piece.len() {
                break;
            }
            left -= piece.len();
            above += 1;
        }
        let below = self.pieces.len() - above;
        self.pieces[..below].iter().rev().flat_map(|piece| piece.iter().rev()).skip(left).copied()
    }

    /// The line of a key, where it is there.
    pub(super) fn line_of(&self, key: Key) -> Option<usize> {
        let (piece, place) = self.find(key);
        let place = place.ok()?;
        let above: usize = self.pieces[piece + 1..].iter().map(Vec::len).sum();
        Some(above + self.pieces[piece].len() - 1 - place)
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.find(key).1.is_ok()
    }

    /// Puts a key in that is not there.
    pub(super) fn insert(&mut self, key: Key) {
        self.len += 1;
        let (n, place) = self.find(key);
        let (Ok(place) | Err(place)) = place;
        let Some(piece) = self.pieces.get_mut(n) else {
            return self.pieces.push(vec![key]);
        };
        piece.insert(place, key);
        if piece.len() > MOST {
            // What is searched comes from one end: there a piece is left full, not half full.
            let at = if place == 0 {
                1
            } else if place == MOST {
                MOST
            } else {
                MOST / 2
            };
            let rest = piece.split_off(at);
            self.pieces.insert(n + 1, rest);
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        let (n, place) = self.find(key);
        if let (Some(piece), Ok(place)) = (self.pieces.get_mut(n), place) {
            piece.remove(place);
            self.len -= 1;
            if piece.is_empty() {
                self.pieces.remove(n);
            }
        }
    }

    /// The piece in which a key is or belongs, and its place there; the number of pieces where there is none.
    fn find(&self, key: Key) -> (usize, Result<usize, usize>) {
        let n = self.pieces.partition_point(|piece| piece.last().is_some_and(|last| *last < key));
        // Above all of them it belongs to the last one.
        let n = n.min(self.pieces.len().saturating_sub(1));
        (n, self.pieces.get(n).map_or(Err(0), |piece| piece.binary_search(&key)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::filter::tests::row;
    use super::super::super::order::Sort;
    use super::*;
    use crate::domain::JobState;

    #[test]
    fn keys_stand_as_a_sort_from_scratch_puts_them_whatever_comes_and_goes() {
        let mut random = fastrand::Rng::with_seed(11);
        let sort = Sort::parse("prompt").unwrap();
        for ends in [false, true] {
            let (mut keys, mut plain) = (Keys::default(), Vec::new());
            for id in 0..6_000 {
                let prompt = if ends { String::new() } else { random.u32(..500).to_string() };
                let id = if ends && id % 2 == 0 { -id } else { id };
                let key =
                    Key::of(&row(id, JobState::Queued, &prompt), sort, random.u64(..2), jiff::Timestamp::UNIX_EPOCH);
                keys.insert(key);
                plain.push(key);
                if random.u8(..3) == 0 {
                    let gone = plain.swap_remove(random.usize(..plain.len()));
                    keys.remove(gone);
                    keys.remove(gone);
                    assert!(!keys.contains(gone) && keys.line_of(gone).is_none());
                }
            }
            plain.sort_unstable();
            plain.reverse();
            assert!(keys.from(0).eq(plain.iter().copied()) && keys.len() == plain.len());
            for (line, key) in plain.iter().enumerate() {
                assert_eq!((keys.line_of(*key), keys.at(line)), (Some(line), Some(*key)));
            }
            let from = random.usize(..plain.len());
            assert!(keys.from(from).eq(plain[from..].iter().copied()));
            assert_eq!(keys.from(plain.len()).next(), None);
            assert!(keys.pieces.iter().all(|piece| (1..=MOST).contains(&piece.len())));
        }
    }
}
