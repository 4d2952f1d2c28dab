//! How NinjaChat can be switched; the reasons are wire.md 2's open questions. Knows no wire.

use crate::sim::variants::Variant;

/// NinjaChat's switches, beside those that others have, too.
pub const VARIANTS: &[Variant] = &[
    Variant::words(
        "generation",
        &["old", "new"],
        "which of its two APIs /ninjachat speaks; /ninjachat-new is always new",
    ),
    Variant::words(
        "api_keys",
        &["readable", "forbidden"],
        "old: forbidden: GET /api/api-keys answers 403, so no balance can be read",
    ),
    Variant::words(
        "submit_echo",
        &["balance", "without"],
        "old: without: a submit does not say the balance that is left",
    ),
    Variant::words(
        "replies",
        &["seed_001", "seed_000"],
        "old: seed_000: short replies, without message, metadata, per_video and request_id in polls",
    ),
    Variant::words(
        "idempotency",
        &["kept", "forgotten"],
        "new: forgotten: Idempotency-Key is not looked at, so a repeat buys again",
    ),
    Variant::number(
        "key_seconds",
        600,
        1_000_000_000,
        "new: simulated seconds for which an Idempotency-Key is remembered; starts as ten minutes of the caller's watch",
    ),
    Variant::number(
        "submit_seconds",
        0,
        86_400,
        "new: simulated seconds until a submit is answered; until then its key is in flight (409)",
    ),
    Variant::words(
        "requests",
        &["kept", "absent", "others"],
        "new: the record of a request: absent never; others: the newest, whatever is asked for",
    ),
    Variant::words(
        "inputs",
        &["schema", "by_name"],
        "new: by_name: models named -i2v and -r2v are refused without an image or a reference",
    ),
    Variant::words("retry_after", &["seconds", "date"], "how a 429 writes Retry-After"),
    Variant::words(
        "catalogue",
        &["listed", "moved"],
        "new: moved: one model is retired, one is new and some prices rose, in the lists and in the bank",
    ),
];
