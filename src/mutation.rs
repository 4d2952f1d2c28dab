//! Faults that a test build can plant in itself, to prove that the suite and `torture` would notice.
//!
//! Knows their names. Must not be in any release: without the feature `mutations`, which only the
//! package's own dev-dependency turns on, and in every profile without debug assertions (`release`,
//! `dist`, `bench`), `mutated` is the constant `false` and nothing is read from the environment.
//! `cargo run --example mutations` shows which test turns red for which.

#[cfg(all(feature = "mutations", not(feature = "loopback-only")))]
compile_error!("a build that can break itself on purpose must not reach beyond loopback: turn loopback-only on, too");

/// The mutations there are, by name, with what each breaks.
pub const MUTATIONS: [(&str, &str); 15] = [
    ("no_full_sync", "a commit does not wait for the medium (synchronous=NORMAL)"),
    ("send_before_commit", "an order is sent before its intent is on disk"),
    ("connection_pool", "orders take used connections"),
    ("client_retry", "the HTTP client sends a failed order again by itself"),
    ("redirects", "the HTTP client follows a redirected order"),
    ("bare_502_refused", "a 502 without the service's own words counts as a refusal"),
    ("requeue_on_start", "an order under way at a crash goes back to the queue"),
    ("no_dir_sync", "a clip's new name is not waited for until it is on the medium"),
    ("rename_before_sync", "a clip gets its name before it is on the medium"),
    ("done_before_hash", "a job is done before its clip is checked and named"),
    ("cap_read_outside", "a cap is read before the transaction that sets money aside, not in it"),
    ("poll_books_charge", "each poll books the charge again"),
    ("absence_is_proof", "an order that is not found where it was looked for counts as never bought"),
    ("lost_unsought", "an order whose answer was lost is not looked for"),
    ("any_run_is_ours", "any run that a service lists counts as the order that was lost"),
];

/// Whether the mutation of that name is planted: by the variable `RUSHES_MUTATION`, read once.
///
/// # Panics
/// For a name that [`MUTATIONS`] does not know, asked for or planted: it would prove nothing.
#[cfg(all(feature = "mutations", debug_assertions))]
pub(crate) fn mutated(name: &str) -> bool {
    static PLANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let is_known = |name: &str| MUTATIONS.iter().any(|(known, _)| *known == name);
    let planted = PLANTED.get_or_init(|| {
        let planted = std::env::var("RUSHES_MUTATION").ok().filter(|name| !name.is_empty());
        assert!(planted.as_deref().is_none_or(is_known), "RUSHES_MUTATION={planted:?} is no mutation");
        planted
    });
    assert!(is_known(name), "{name} is no mutation");
    planted.as_deref() == Some(name)
}

/// Whether the mutation of that name is planted: never, in this build.
#[cfg(not(all(feature = "mutations", debug_assertions)))]
pub(crate) const fn mutated(_: &str) -> bool {
    false
}
