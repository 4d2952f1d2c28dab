//! One planted violation for each rule: a rule that no longer bites is a red test.

use super::paths::{Source, drop_tests};
use super::rules::{Modules, faults};

/// Where a violation is planted, the source, and what the complaint must say.
const PLANTED: &[(&str, &str, &str)] = &[
    ("domain/job.rs", "use crate::store::Store;", "domain must not know store"),
    ("domain/job.rs", "use tokio::sync::mpsc;", "domain must not know tokio"),
    ("domain/job.rs", "fn f() { let _ = std::fs::read(\"x\"); }", "never says std::fs"),
    ("domain/job.rs", "use jiff::Timestamp; fn f() -> Timestamp { Timestamp::now() }", "never says *::now"),
    ("domain/job.rs", "use std::{fmt, net::TcpStream};", "never says std::net"),
    ("domain/job.rs", "use super::super::engine::Commands;", "domain must not know engine"),
    ("domain/job.rs", "mod inner { use super::super::super::app::App; }", "domain must not know app"),
    ("domain/job.rs", "fn f() { println!(\"{}\", crate::sim::PORT); }", "domain must not know sim"),
    ("provider/a4f.rs", "use crate::store::Store;", "provider must not know store"),
    ("provider/a4f.rs", "use crate::engine::Commands;", "provider must not know engine"),
    ("provider/a4f.rs", "async fn f() { tokio::time::sleep(D).await }", "never says tokio::time::sleep"),
    ("provider/a4f.rs", "use std::fs::File;", "never says std::fs"),
    ("store/jobs.rs", "use crate::provider::Provider;", "store must not know provider"),
    ("store/jobs.rs", "use reqwest::Client;", "reqwest belongs to"),
    ("media/mp4.rs", "use crate::engine::Engine;", "media must not know engine"),
    ("media/mp4.rs", "use crate::config::Config;", "media must not know config"),
    ("catalog/mod.rs", "use crate::config::Config;", "catalog must not know config"),
    ("catalog/mod.rs", "use std::fs;", "never says std::fs"),
    ("config/mod.rs", "use crate::catalog::Catalog;", "config must not know catalog"),
    ("engine/queue.rs", "use crate::app::App;", "engine must not know app"),
    ("engine/queue.rs", "use crate::cli::out;", "engine must not know cli"),
    ("engine/queue.rs", "use ratatui::text::Line;", "ratatui belongs to"),
    ("engine/queue.rs", "use rusqlite::Connection;", "rusqlite belongs to"),
    ("engine/core/mod.rs", "use crate::media::Disk;", "engine/core must not know media"),
    ("engine/core/mod.rs", "use tokio::sync::mpsc;", "engine/core must not know tokio"),
    ("engine/core/mod.rs", "fn f() { let _ = std::time::Instant::now(); }", "never says *::now"),
    ("app/jobs.rs", "use crate::engine::Commands;", "app must not know engine"),
    ("app/jobs.rs", "use crate::tui::theme::Styles;", "app must not know tui"),
    ("app/jobs.rs", "use ratatui::widgets::Block;", "app must not know ratatui"),
    ("app/jobs.rs", "use crossterm::terminal::size;", "crossterm's events as data"),
    ("app/jobs.rs", "use tui_textarea::TextArea;", "may say tui_textarea"),
    ("app/jobs.rs", "fn f() { tokio::spawn(async {}); }", "app must not know tokio"),
    ("app/jobs.rs", "fn f() { let _ = std::env::var(\"X\"); }", "never says std::env"),
    ("app/jobs.rs", "fn f() { assert!(jiff::Timestamp::now() > t); }", "never says *::now"),
    ("tui/mod.rs", "use crate::store::Store;", "tui must not know store"),
    ("tui/mod.rs", "use crate::provider::Provider;", "tui must not know provider"),
    ("tui/mod.rs", "use crate::engine::core::Core;", "may know engine's handle"),
    ("tui/mod.rs", "use reqwest::Client;", "reqwest belongs to"),
    ("tui/mod.rs", "use std::fs::File;", "never says std::fs"),
    ("tui/frame.rs", "use ratatui::style::Color;", "may say ratatui::style::Color"),
    ("tui/view/jobs.rs", "fn f() { let _ = Color::Red; }", "may say Color"),
    ("tui/view/jobs.rs", "use crossterm::event::KeyCode;", "tui/view must not know crossterm"),
    ("tui/view/jobs.rs", "use crate::engine::Commands;", "tui/view must not know engine"),
    ("tui/view/jobs.rs", "fn render(app: &mut App) {}", "never says &mut::App"),
    ("cli/run.rs", "use crate::tui::run;", "cli must not know tui"),
    ("cli/run.rs", "use crate::app::App;", "cli must not know app"),
    ("cli/run.rs", "use crate::engine::core::Core;", "may know engine's handle"),
    ("cli/run.rs", "use crate::sim::Simulator;", "may say crate::sim"),
    ("sim/bank.rs", "use crate::domain::Money;", "sim must not know domain"),
    ("sim/bank.rs", "use crate::catalog::Catalog;", "sim must not know catalog"),
];

/// Where something stands that looks like a violation and is none.
const ALLOWED: &[(&str, &str)] = &[
    ("domain/job.rs", "use super::money::Money; use crate::domain::Model; use std::collections::BTreeMap;"),
    ("domain/job.rs", "#[cfg(test)] mod tests { use crate::sim::Bank; fn f() { std::fs::read(\"x\"); } }"),
    ("engine/queue.rs", "use super::core::Core; use crate::engine::core::schedule; use crate::store::Store;"),
    ("app/compose.rs", "use tui_textarea::TextArea; use crossterm::event::KeyCode;"),
    ("tui/mod.rs", "use crate::engine::{Commands, Events}; use crate::app::App; use crossterm::terminal::size;"),
    ("tui/theme.rs", "use ratatui::style::Color; fn f() { let _ = Color::Red; }"),
    ("tui/view/jobs.rs", "fn render(app: &App, area: Rect, buf: &mut Buffer) {}"),
    ("sim/bank.rs", "use crate::sim::orders::Order; use axum::Router;"),
    ("main.rs", "use rushes::{cli, tui, engine, sim};"),
];

fn modules() -> Modules {
    Modules::of(&[Source::parse("engine/core/mod.rs", "//! planted"), Source::parse("engine/mod.rs", "//! planted")])
}

#[test]
fn every_rule_bites() {
    for (place, text, complaint) in PLANTED {
        let found = faults(&Source::parse(place, text), &modules());
        assert!(
            found.iter().any(|fault| fault.contains(complaint)),
            "{place}: {text}: wanted {complaint:?}, got {found:?}"
        );
    }
}

#[test]
fn no_rule_bites_the_innocent() {
    for (place, text) in ALLOWED {
        let found = faults(&Source::parse(place, text), &modules());
        assert!(found.is_empty(), "{place}: {text}: {found:?}");
    }
}

#[test]
fn a_test_in_a_file_of_its_own_may_look_anywhere_and_its_neighbour_may_not() {
    let mut sources = [
        Source::parse("domain/mod.rs", "#[cfg(test)] mod tests; mod job;"),
        Source::parse("domain/tests.rs", "use crate::sim::Bank;"),
        Source::parse("domain/job.rs", "use crate::sim::Bank; #[cfg(test)] #[path = \"job_tests.rs\"] mod tests;"),
        Source::parse("domain/job_tests.rs", "use crate::sim::Bank;"),
    ];
    drop_tests(&mut sources);
    let found: Vec<usize> = sources.iter().map(|source| faults(source, &modules()).len()).collect();
    assert_eq!(found, [0, 0, 1, 0]);
}
