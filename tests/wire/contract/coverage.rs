//! Holds the repository's table of what the documents name against what is tested: each function that a row of
//! `docs/coverage.md` names exists, runs here, sees the row's item hold, and touches the row's route.

use std::collections::{BTreeMap, BTreeSet};

use super::{FUNCTIONS, stage::Stage};

struct Row {
    item: String,
    route: String,
    function: String,
}

/// The rows of all tables: item, route, function.
fn rows() -> Vec<Row> {
    let text = include_str!("../../../docs/coverage.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let all = lines.map(cells).filter(|cells| cells.first().is_none_or(|first| first != "what"));
    all.map(|cells| match <[String; 3]>::try_from(cells) {
        Ok([item, route, function]) => Row { item, route, function },
        Err(cells) => panic!("not three cells: {cells:?}"),
    })
    .collect()
}

/// Whether a request is one of a row's route: `{id}` stands for anything.
fn is_of(route: &str, request: &str) -> bool {
    match route.split_once("{id}") {
        None => route == request,
        Some((before, after)) => {
            request.strip_prefix(before).is_some_and(|rest| rest.len() > after.len() && rest.ends_with(after))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_the_table_names_a_function_that_saw_it_hold_on_that_route() {
    let mut by_function: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows() {
        by_function.entry(row.function.clone()).or_default().push(row);
    }
    let known: BTreeSet<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    let named: BTreeSet<&str> = by_function.keys().map(String::as_str).collect();
    assert_eq!(known, named, "functions here, functions named in the table");
    let mut missing = Vec::new();
    for (name, play) in FUNCTIONS {
        let stage = std::sync::Arc::new(Stage::new().await);
        play(stage.clone()).await;
        let (seen, routes) = (stage.seen(), stage.routes().await);
        for row in &by_function[*name] {
            if !seen.contains(&row.item) {
                missing.push(format!("{name} did not see: {}", row.item));
            }
            if !routes.iter().any(|request| is_of(&row.route, request)) {
                missing.push(format!("{name} did not touch {}", row.route));
            }
        }
        let told: BTreeSet<&str> = by_function[*name].iter().map(|row| row.item.as_str()).collect();
        missing.extend(
            seen.iter()
                .filter(|item| !told.contains(item.as_str()))
                .map(|item| format!("{name} saw what the table does not name: {item}")),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_route_with_an_id_is_told_from_others() {
    assert!(is_of("GET /a/videos/{id}", "GET /a/videos/x"));
    assert!(!is_of("GET /a/videos/{id}", "GET /a/videos/") && !is_of("GET /a/videos/{id}", "POST /a/videos/x"));
    assert!(is_of("GET /a/{id}/b", "GET /a/x/b") && !is_of("GET /a/{id}/b", "GET /a/x/c"));
}
