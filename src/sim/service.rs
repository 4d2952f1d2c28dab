//! The three services by name, and what a key looks like at each. Knows no wire and no price.

use serde::{Deserialize, Serialize};

/// One of the simulated services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    NinjaChat,
    NanoGpt,
    A4f,
}

impl Service {
    /// All three, in the order the documents were numbered.
    pub const ALL: [Self; 3] = [Self::NinjaChat, Self::NanoGpt, Self::A4f];

    /// The name used in admin answers, in faults and as the path prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::NinjaChat => "ninjachat",
            Self::NanoGpt => "nanogpt",
            Self::A4f => "a4f",
        }
    }

    /// The service of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Whether `key` is a key of this service. A key with `wrong` in it never is.
    ///
    /// NinjaChat `nj_sk_...` (seed 001), NanoGPT `sk-nano-...` or a bare UUID (wire.md 1.1),
    /// A4F `ddc-a4f-...`, once seen as `ddc-paid-...` (wire.md 3.1).
    pub fn knows_key(self, key: &str) -> bool {
        let after = |prefix: &str| key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
        let shaped = match self {
            Self::NinjaChat => after("nj_sk_"),
            Self::NanoGpt => after("sk-nano-") || uuid::Uuid::try_parse(key).is_ok(),
            Self::A4f => after("ddc-a4f-") || after("ddc-paid-"),
        };
        shaped && !key.contains("wrong")
    }
}

/// A key as the admin routes show it: enough to tell two apart, not enough to use.
pub fn mask(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    if chars.len() <= 14 {
        return "***".to_owned();
    }
    let head: String = chars[..8].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}...{tail}")
}

/// A well-mixed number out of two others (splitmix64), so that ids, speeds and colours follow
/// from the simulator's seed and the order's number alone.
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `count` letters and digits out of a number, as the services write their ids.
pub fn letters(mut from: u64, count: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    (0..count)
        .map(|at| {
            if at % 10 == 9 {
                from = mix(from, at as u64);
            }
            let letter = ALPHABET[(from % 36) as usize] as char;
            from /= 36;
            letter
        })
        .collect()
}
