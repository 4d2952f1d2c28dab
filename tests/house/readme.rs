//! The README says what the program does: its key table is the action table, and what it names exists.

use std::fmt::Write as _;

use rushes::app::action::TABLE;

use super::root;

/// The key table as the README shows it.
fn key_table() -> String {
    let mut table = String::from("| keys | name | where | what it does |\n| --- | --- | --- | --- |\n");
    for entry in TABLE {
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
        let places: Vec<&str> = entry.contexts.iter().map(|context| context.title()).collect();
        let (keys, places) = (keys.join(" "), places.join(", "));
        writeln!(table, "| {keys} | {} | {places} | {} |", entry.name, entry.help).expect("a string takes all");
    }
    table
}

#[test]
fn the_readmes_keys_are_the_programs() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README can be read");
    let (before, rest) = readme.split_once("<!-- keys -->\n").expect("the README has a place for the keys");
    let (there, after) = rest.split_once("<!-- /keys -->").expect("the place for the keys ends");
    if std::env::var_os("UPDATE_README").is_some() {
        let new = format!("{before}<!-- keys -->\n{}<!-- /keys -->{after}", key_table());
        std::fs::write(&path, new).expect("the README can be written");
        return;
    }
    assert_eq!(there, key_table(), "run the test with UPDATE_README=1 and look at what changed");
}

#[test]
fn the_readme_opens_with_the_two_commands_and_names_only_what_is_there() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README can be read");
    let top: Vec<&str> = readme.lines().take(6).collect();
    assert!(top.iter().any(|line| line.starts_with("cargo run --release")), "{top:?}");
    assert!(top.iter().any(|line| line.starts_with("cargo test")), "{top:?}");
    for name in [
        "docs/dashboard.svg",
        "tests/engine",
        "tests/wire",
        "tests/batch.rs",
        "tests/screens/budgets.txt",
        "tests/terminal",
        "CHANGELOG.md",
        ".ci/run",
    ] {
        assert!(readme.contains(name), "the README does not name {name}");
        assert!(root().join(name).exists(), "the README names {name}, which is not there");
    }
}

#[test]
fn the_readmes_models_file_is_read_as_it_stands() {
    use rushes::catalog::{Account, Catalog};
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README can be read");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let text = blocks.into_iter().find(|block| block.starts_with("[[models]]")).expect("it shows a models.toml");
    let catalog = Catalog::built_in().expect("the built-in catalogue is read").with_user(text, "models.toml");
    let catalog = catalog.expect("what the README shows is legal");
    let offers = catalog.offers(&[Account::new("nanogpt", rushes::domain::Service::Nanogpt)]);
    let price = |id: &str| offers.iter().find(|offer| offer.model.id == id).map(|offer| offer.model.price.text());
    assert_eq!(price("veo2-video").as_deref(), Some("$1.00 a clip"));
    assert_eq!(price("brand-new-video").as_deref(), Some("$0.30 a second"));
}
