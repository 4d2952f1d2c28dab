//! Runs the services' own sample programs, as their documents print them, against a simulator: if
//! a sample works there, so does whatever else follows the documents. Knows nothing of our client.
//!
//! A missing tool skips its samples, loudly; with `CI=true` in the environment it fails them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail them, and say why one was skipped"
)]

mod samples {
    mod clips;
    mod nanogpt;
    mod ninjachat;
    mod stage;
}

#[test]
fn samples_are_kept_as_printed() {
    // The places that are replaced must still be there, or a sample would reach for the world.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("127.0.0.1"), "{} was edited", path.display());
    }
}
