//! How A4F can be switched; the reasons are wire.md 3.3-3.5. Knows no wire.

use crate::sim::variants::Variant;

/// A4F's switches, beside those that others have, too.
pub const VARIANTS: &[Variant] = &[
    Variant::words(
        "answer",
        &["b64", "data_url", "spaced", "unpadded", "url", "both"],
        "where the clip is: plain base64, with a data: prefix, with white space, without padding, behind a link, or in both",
    ),
    Variant::words("error_code", &["both", "code", "type"], "which field of an error carries the short code"),
    Variant::words(
        "models",
        &["seed_004", "older"],
        "older: provider-6/wan-2.1 is there as well, on every plan, with a link beside the clip",
    ),
    Variant::words(
        "upstream_errors",
        &["status", "in_200"],
        "in_200: a failure after the wait comes as an error inside a 200",
    ),
    Variant::words(
        "usage",
        &["docs", "settings", "limits"],
        "whose field names GET /usage has: the reference's, the settings screen's or the limits page's",
    ),
    Variant::words("retry_after", &["none", "seconds", "date"], "whether and how a 429 says when to come back"),
];
