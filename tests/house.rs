//! The house stays as it is drawn: floors look down, never up, never sideways; rooms are small and say what they know.
//!
//! Every source is parsed and each path in it held against the table below. What stands under `#[cfg(test)]` may
//! look anywhere. A planted violation for each rule proves that the rule bites.

#[path = "house/paths.rs"]
mod paths;
#[path = "house/planted.rs"]
mod planted;
#[path = "house/readme.rs"]
mod readme;
#[path = "house/rules.rs"]
mod rules;

use std::path::Path;

use paths::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `src`, as a path below it, with its text.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut sources: Vec<Source> = paths::below(&src)
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            let place = path.strip_prefix(&src).expect("it lies under src").to_string_lossy().replace('\\', "/");
            Source::parse(&place, &text)
        })
        .collect();
    paths::drop_tests(&mut sources);
    assert!(sources.len() > 40, "only {} sources were found", sources.len());
    sources
}

fn report(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n  {}\n", faults.join("\n  "));
}

#[test]
fn floors_look_down_only() {
    let sources = sources();
    let modules = rules::Modules::of(&sources);
    let faults: Vec<String> = sources.iter().flat_map(|source| rules::faults(source, &modules)).collect();
    report("a floor names what it must not know", &faults);
}

#[test]
fn every_floor_of_the_table_exists_and_every_floor_that_exists_is_in_the_table() {
    let mut floors: Vec<String> = sources()
        .iter()
        .filter_map(|source| source.place.split_once('/').map(|(floor, _)| floor.to_owned()))
        .filter(|floor| floor != "bin")
        .collect();
    floors.dedup();
    let mut table: Vec<&str> =
        rules::FLOORS.iter().map(|floor| floor.place).filter(|place| !place.contains('/')).collect();
    table.sort_unstable();
    assert_eq!(floors, table);
}

#[test]
fn rooms_are_small_have_a_sign_at_the_door_and_a_telling_name() {
    const NAMELESS: [&str; 10] =
        ["util", "utils", "helper", "helpers", "common", "types", "manager", "misc", "base", "shared"];
    let mut faults = Vec::new();
    for source in sources() {
        let place = &source.place;
        if !source.text.starts_with("//!") {
            faults.push(format!("{place} does not begin with what it knows (//!)"));
        }
        let lines = source.text.lines().count();
        if lines > 600 {
            faults.push(format!("{place} has {lines} lines: make two rooms of it"));
        }
        for part in place.trim_end_matches(".rs").split('/') {
            if NAMELESS.contains(&part) {
                faults.push(format!("{place}: {part:?} says nothing about what is in there"));
            }
        }
    }
    report("rooms", &faults);
}

/// SQLite takes a file layer only as C functions; nothing else needs what the compiler cannot check.
#[test]
fn nothing_is_unsafe_but_the_file_layer_of_one_test() {
    const ALLOWED: &str = "tests/power/vfs.rs";
    let mut found = Vec::new();
    for place in ["src", "tests", "examples"] {
        for path in paths::below(&root().join(place)) {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            if paths::says(&text, "unsafe") || paths::says(&text, "unsafe_code") {
                found.push(path.strip_prefix(root()).expect("it lies below").to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(found, [ALLOWED]);
    assert!(paths::says("fn f() { m!(unsafe { g() }) }", "unsafe") && !paths::says("// unsafe", "unsafe"));
}

#[test]
fn documents_and_settings_name_no_machine() {
    let mut faults = Vec::new();
    for source in sources() {
        for (at, line) in source.text.lines().enumerate() {
            if line.contains(concat!("/", "work/")) || line.contains(concat!("shared", "/")) {
                faults.push(format!("{}:{}: {}", source.place, at + 1, line.trim()));
            }
        }
    }
    report("a path of somebody's machine", &faults);
}
