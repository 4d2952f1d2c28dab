//! The table of floors: who may name whom.
//!
//! Knows the house. Must not know how a source is read.

use std::collections::BTreeSet;

use super::paths::Source;

/// A floor, or a part of one with rules of its own.
pub struct Floor {
    /// Where it is below `src`.
    pub place: &'static str,
    /// The floors it may name, besides itself.
    pub may: &'static [&'static str],
    /// Crates it may name; `None`: all that are not somebody else's own.
    pub crates: Option<&'static [&'static str]>,
    /// Paths it must not name, beginnings of them; `*::now` is any path that ends so.
    pub never: &'static [&'static str],
}

const NO_WORLD: &[&str] =
    &["std::fs", "std::net", "std::env", "std::process", "std::thread", "std::os", "std::time::SystemTime", "*::now"];

/// From the ground up.
pub const FLOORS: &[Floor] = &[
    Floor {
        place: "domain",
        may: &[],
        crates: Some(&["std", "serde", "serde_json", "rust_decimal", "jiff", "thiserror", "uuid"]),
        never: NO_WORLD,
    },
    Floor {
        place: "provider",
        may: &["domain"],
        crates: None,
        never: &[
            "std::fs",
            "std::env",
            "std::process",
            "tokio::spawn",
            "tokio::time::sleep",
            "tokio::fs",
            "tokio::process",
        ],
    },
    Floor { place: "store", may: &["domain"], crates: None, never: &["std::net", "std::env", "tokio::net"] },
    Floor { place: "media", may: &["domain"], crates: None, never: &["std::net", "std::env", "tokio::net"] },
    Floor { place: "catalog", may: &["domain"], crates: None, never: NO_WORLD },
    Floor { place: "config", may: &["domain"], crates: None, never: &["std::net::TcpStream", "tokio", "*::now"] },
    Floor {
        place: "engine",
        may: &["provider", "store", "media", "catalog", "config", "domain"],
        crates: None,
        never: &["std::net", "std::env", "tokio::net"],
    },
    Floor {
        place: "engine/core",
        // The catalogue is pure data and pure merging; what a service lists becomes an offer in the core.
        may: &["engine", "provider", "store", "catalog", "domain"],
        crates: Some(&["std", "serde", "serde_json", "rust_decimal", "jiff", "thiserror", "uuid", "sha2", "fastrand"]),
        never: NO_WORLD,
    },
    Floor {
        place: "app",
        may: &["domain"],
        crates: Some(&[
            "std",
            "serde",
            "serde_json",
            "rust_decimal",
            "jiff",
            "crossterm",
            "tui_textarea",
            "thiserror",
            "nucleo_matcher",
            "strsim",
            "unicode_segmentation",
            "unicode_width",
        ]),
        never: NO_WORLD,
    },
    Floor {
        place: "tui",
        may: &["app", "engine", "config", "domain"],
        crates: None,
        never: &["std::fs", "std::net", "tokio::fs", "tokio::net", "rustix::fs"],
    },
    Floor {
        place: "tui/view",
        may: &["tui", "app", "domain"],
        crates: Some(&[
            "std",
            "ratatui",
            "jiff",
            "rust_decimal",
            "serde_json",
            "unicode_width",
            "unicode_segmentation",
        ]),
        never: &["std::fs", "std::net", "std::env", "std::io", "&mut::App", "*::now"],
    },
    Floor {
        place: "cli",
        may: &["engine", "config", "domain", "sim"],
        crates: None,
        never: &["std::net", "tokio::net"],
    },
    // A crash test, not a face: the one floor of ours that starts the simulator to judge the engine by.
    Floor {
        place: "torture",
        may: &["engine", "config", "domain", "sim"],
        crates: None,
        never: &["std::net", "tokio::process", "std::env::var", "std::env::vars"],
    },
    // The roof: where the program's floors are put together.
    Floor { place: "start", may: &[], crates: None, never: &["std::net", "std::env"] },
    Floor { place: "sim", may: &[], crates: None, never: &["std::env"] },
];

/// Crates that belong to some floors only.
const OWNED: &[(&str, &[&str])] = &[
    ("axum", &["sim"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crossterm", &["tui", "app"]),
    ("csv", &["cli"]),
    ("flate2", &["sim"]),
    ("font8x8", &["sim"]),
    ("ratatui", &["tui"]),
    ("reqwest", &["provider"]),
    ("rusqlite", &["store"]),
    ("rushes", &["start"]),
    ("struson", &["provider"]),
    ("tui_textarea", &["app"]),
];

/// Names that only some rooms may say.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    // What is named, where it would be allowed otherwise, the rooms that may.
    ("tui_textarea", &["app"], &["app/compose.rs", "app/compose/"]),
    ("ratatui::style::Color", &["tui"], &["tui/theme.rs", "tui/theme/"]),
    ("Color", &["tui"], &["tui/theme.rs", "tui/theme/"]),
    ("crate::sim", &["cli"], &[]),
];

/// The modules inside each floor: from another floor only what stands at its door may be named.
pub struct Modules(BTreeSet<(String, String)>);

impl Modules {
    /// As the files say.
    pub fn of(sources: &[Source]) -> Modules {
        let inner = sources.iter().filter_map(|source| {
            let (floor, rest) = source.place.split_once('/')?;
            let module = rest.split('/').next()?.trim_end_matches(".rs");
            (module != "mod").then(|| (floor.to_owned(), module.to_owned()))
        });
        Modules(inner.collect())
    }
}

/// What a source names although it must not know it, a line each.
pub fn faults(source: &Source, modules: &Modules) -> Vec<String> {
    let Some((home, _)) = source.place.split_once('/') else { return Vec::new() };
    let floors: Vec<&Floor> = FLOORS.iter().filter(|floor| within(&source.place, floor.place)).collect();
    let mut faults: Vec<String> = Vec::new();
    for name in &source.names {
        let path = name.parts.join("::");
        let mut fault = |why: String| faults.push(format!("{}:{}: {path}: {why}", source.place, name.line));
        for floor in &floors {
            let (first, second) = (name.parts[0].as_str(), name.parts[1].as_str());
            // Planted faults may stand anywhere but in the simulator, which is held against us.
            if first == "crate" && second != home && (second != "mutation" || home == "sim") {
                if !floor.may.contains(&second) {
                    fault(format!("{} must not know {second}", floor.place));
                } else if name.parts.get(2).is_some_and(|inner| {
                    // A handle is what the floor shows at its own door; `domain` is open all through.
                    second != "domain"
                        && matches!(second, "engine")
                        && modules.0.contains(&(second.to_owned(), inner.clone()))
                }) {
                    fault(format!("{} may know {second}'s handle, not its rooms", floor.place));
                }
            }
            if is_crate(first) {
                if floor.crates.is_some_and(|crates| !crates.contains(&first)) {
                    fault(format!("{} must not know {first}", floor.place));
                }
                if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == first)
                    && !owners.contains(&home)
                {
                    fault(format!("{first} belongs to {owners:?}"));
                }
            }
            for never in floor.never {
                let hit = match never.strip_prefix("*::") {
                    Some(last) => name.parts.last().is_some_and(|part| part == last),
                    None => begins(&path, never),
                };
                if hit {
                    fault(format!("{} never says {never}", floor.place));
                }
            }
            if home == "app" && first == "crossterm" && second != "event" {
                fault("app knows crossterm's events as data, nothing else".to_owned());
            }
        }
        for (said, in_floors, rooms) in ROOMS {
            if in_floors.contains(&home)
                && begins(&path, said)
                && !rooms.iter().any(|room| source.place.starts_with(room))
            {
                fault(format!("only {rooms:?} may say {said}"));
            }
        }
    }
    faults.dedup();
    faults
}

fn within(place: &str, floor: &str) -> bool {
    place.strip_prefix(floor).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

fn begins(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a path's first word is a crate of the manifest or the standard library.
fn is_crate(word: &str) -> bool {
    const MANIFEST: &str = include_str!("../../Cargo.toml");
    if matches!(word, "std" | "core" | "alloc" | "rushes") {
        return true;
    }
    MANIFEST.lines().skip_while(|line| *line != "[dependencies]").any(|line| {
        line.split_once('=')
            .is_some_and(|(name, _)| !name.contains(['[', '#']) && name.trim().replace('-', "_") == word)
    })
}
