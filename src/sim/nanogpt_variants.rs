//! How NanoGPT can be switched; the reasons are wire.md 1's open questions. Knows no wire.

use crate::sim::variants::Variant;

/// NanoGPT's switches, beside those that others have, too.
pub const VARIANTS: &[Variant] = &[
    Variant::words(
        "submit_id",
        &["both", "run_id", "old", "data"],
        "run_id: no id; old: runId fal-request-... alone, as seed 002; data: both inside data",
    ),
    Variant::words("submit_status", &["202", "200"], "the status of an accepted order"),
    Variant::words(
        "submit_cost",
        &["told", "absent", "headers"],
        "absent: no cost and no balance; headers: only x-cost and x-remaining-balance",
    ),
    Variant::words(
        "conversation_uuid",
        &["echoed", "ignored", "dropped", "lagging", "refused", "refused_submit"],
        "recover: ignored lists every run; dropped rows lack the field; lagging rows come after lag_seconds; refused 400; refused_submit the order itself 400",
    ),
    Variant::words(
        "recover_shape",
        &["data", "runs", "bare"],
        "recover: the list under data, under runs, or bare (wire.md 1.2 names no shape)",
    ),
    Variant::words("recover_limit", &["heeded", "ignored"], "recover: ignored: ten rows, whatever limit says"),
    Variant::words(
        "recover_dead",
        &["listed", "never"],
        "never: runs that died before dispatch ([dead]) are not listed",
    ),
    Variant::words(
        "usage",
        &["kept", "lagging", "absent", "others", "nameless"],
        "usage of a request: lagging after lag_seconds, absent never; others: the newest charge, whatever is asked for; nameless: that without its request_id",
    ),
    Variant::number("lag_seconds", 30, 86_400, "how long what is lagging lags, in simulated seconds"),
    Variant::words(
        "status_shape",
        &["unified", "legacy", "flat", "skills"],
        "the four shapes of wire.md 1.4, for both status endpoints; each has its own otherwise",
    ),
    Variant::words(
        "result",
        &["documented", "url", "output_url", "array", "video_urls", "videoUrl", "video_url", "string", "relative"],
        "where a finished clip's link is (wire.md 1.4); documented: as each model does it",
    ),
    Variant::words("error_shape", &["string", "object"], "data.error of a failed job"),
    Variant::words(
        "error_envelope",
        &["documented", "plain", "typed", "guide", "openai", "coded", "nested", "bare", "numbered", "message"],
        "the envelope of every refusal, one for each row of wire.md 1.6",
    ),
    Variant::words(
        "prompt_too_long",
        &["documented", "coded", "nested", "bare"],
        "which of its three envelopes a prompt beyond its cap gets",
    ),
    Variant::words("final_cost", &["told", "absent"], "data.cost of a finished job"),
    Variant::words(
        "raw_price",
        &["some", "none", "all"],
        "which catalogue entries say less than is charged: those that are known to, none, all (1 to 1.7)",
    ),
    Variant::words("quote", &["told", "without"], "requiredBalance in a 402"),
    Variant::words("edge", &["text", "html", "empty"], "the body of the edge's 413, beyond 4.5 MB"),
    Variant::words(
        "catalogue",
        &["listed", "moved"],
        "moved: one model gone, one new, one price up, in the lists and in the bank",
    ),
    Variant::words(
        "library",
        &["empty", "stocked"],
        "stocked: an image model without an image takes one from the user's library and bills it",
    ),
];
