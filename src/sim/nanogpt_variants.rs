//! How NanoGPT can be switched; the reasons are wire.md 1's open questions. Knows no wire.

use crate::sim::variants::Variant;

/// NanoGPT's switches, beside those that others have, too.
pub const VARIANTS: &[Variant] = &[];
