//! Everything that lies over the panes, at three sizes, against files; and that none of it is left out.

use std::collections::BTreeSet;
use std::path::Path;

use rushes::app::overlay::Overlay;
use rushes::domain::books::DifferenceId;
use rushes::domain::message::{Answer, Difference, Spend};
use rushes::domain::{Event, JobState, Problem, Snapshot};

use super::further::{done_at, further};
use super::golden::{EAGLE, SIZES, check, in_batches, notices, paused};
use super::world::{Stage, detail, snapshot, usd};

/// A name, the world, and what is pressed in it.
type Scene = (&'static str, fn() -> Snapshot, fn(&mut Stage) -> &mut Stage);

fn extending() -> Snapshot {
    Snapshot { jobs: vec![done_at("veo3-1-video").row()], ..further() }
}

/// A held job whose price nobody knows.
fn unpriced() -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.jobs.retain(|row| row.state == JobState::Held);
    snapshot.jobs[0].estimate = None;
    snapshot
}

fn differs(stage: &mut Stage) -> &mut Stage {
    let at = stage.now;
    let of = |(id, money): (u32, &str)| Difference {
        id: DifferenceId(id),
        account: "nanogpt".into(),
        money: usd(money),
        at,
    };
    let spend = Spend {
        unexplained: vec![usd("9.65")],
        differences: [(1, "-0.35"), (2, "10")].map(of).into(),
        ..snapshot().spend
    };
    stage.event(Event::SpendChanged(Box::new(spend)))
}

fn too_large(stage: &mut Stage) -> &mut Stage {
    stage.keys("n F2").types("veo3-1-video").keys("Enter").types(EAGLE).keys("Tab Tab Tab Tab Tab").types("cat.png");
    let why = Problem::new("image", "max_bytes", "cat.png has 9 MB; at most 3.2 MB are taken");
    stage.keys("Ctrl-S").answer(Answer::Refused { problems: vec![why] }).keys("Ctrl-S")
}

fn extends(stage: &mut Stage) -> &mut Stage {
    stage.keys("x").answer(Answer::Detail(Box::new(detail(&done_at("veo3-1-video")))))
}

const SCENES: &[Scene] = &[
    ("help", snapshot, |stage| stage.keys("?")),
    ("help-end", snapshot, |stage| stage.keys("? G")),
    (
        "notices",
        || paused(snapshot()),
        |stage| {
            notices(stage);
            stage.keys("e")
        },
    ),
    ("notices-none", snapshot, |stage| stage.keys("e")),
    ("tips", snapshot, |stage| stage.keys("n F9")),
    ("palette", snapshot, |stage| stage.keys(":").types("re")),
    ("palette-untyped", snapshot, |stage| stage.keys(":")),
    ("palette-nothing", snapshot, |stage| stage.keys(":").types("zzzz")),
    ("picker", snapshot, |stage| stage.keys("m").types("veo")),
    ("picker-by-price", snapshot, |stage| stage.keys("n").types(EAGLE).keys("Tab Tab Left F2 Alt-s")),
    ("picker-together", snapshot, |stage| stage.keys("m Tab Down Tab")),
    ("picker-nothing", snapshot, |stage| stage.keys("m").types("zzzz")),
    ("picker-extend", extending, extends),
    ("more", further, |stage| {
        stage.keys("n F2").types("veo3-1-video").keys("Enter").types(EAGLE).keys("F7").types("voice").keys("Enter");
        stage.types("low and calm").keys("F7 Down")
    }),
    ("table-views", in_batches, |stage| stage.keys("v")),
    ("table-sort-menu", in_batches, |stage| stage.keys("s")),
    ("table-copying", in_batches, |stage| stage.keys("j j j j O")),
    ("ask-duplicate", in_batches, |stage| stage.keys("G Space Space k Space d")),
    ("ask-tag", snapshot, |stage| stage.keys("t").types("night -rain")),
    ("ask-cancel", in_batches, |stage| stage.keys("G Space k Space c")),
    ("ask-abandon", snapshot, |stage| stage.keys("a")),
    ("ask-adopt", snapshot, |stage| stage.keys("j i").types("vid_42")),
    ("ask-write-off", snapshot, |stage| stage.keys("j w").types("lo")),
    ("ask-release", unpriced, |stage| stage.keys("l").types("2.5")),
    ("ask-queue", snapshot, |stage| stage.keys("n").types(EAGLE).keys("BackTab").types("30").keys("Ctrl-S")),
    ("ask-smaller", further, too_large),
    ("ask-unexplained", snapshot, |stage| {
        differs(stage);
        stage.keys("$").types("u-2 dep")
    }),
    ("retry", snapshot, |stage| stage.keys("j j j j r")),
    ("retry-unconfirmed", snapshot, |stage| stage.keys("j r").types("twi")),
    ("quit", snapshot, |stage| stage.keys("q")),
    ("filter", snapshot, |stage| stage.keys("/").types("state:run")),
];

/// What lies on top, as the program names it.
fn kind(stage: &Stage) -> Option<String> {
    Some(match stage.app.overlays().last()? {
        Overlay::Ask(ask) => format!("Ask {}", ask.title),
        Overlay::Menu(context) => format!("Menu {context:?}"),
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    })
}

/// Every overlay, question and menu that the sources of the app speak of.
fn kinds() -> BTreeSet<String> {
    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, all);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
            }
        }
    }
    let mut all = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app"), &mut all);
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let after = |mark: &str| -> Vec<String> { all.split(mark).skip(1).map(|t| t.trim_start().to_owned()).collect() };
    let variants = all.split("pub enum Overlay {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants = variants.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase)).map(word);
    let asks = after("Ask::new(").into_iter().map(|text| {
        let title = text.strip_prefix('"').unwrap_or_else(|| panic!("a question without a plain title: {text:.60}"));
        format!("Ask {}", title.split('"').next().unwrap_or_default())
    });
    let menus = after("open_menu(Context::").into_iter().map(|text| format!("Menu {}", word(&text)));
    let named = variants.filter(|variant| variant != "Ask" && variant != "Menu");
    named.chain(asks).chain(menus).collect()
}

#[test]
fn every_overlay_at_three_sizes_and_none_is_left_out() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (name, world, steps) in SCENES {
        for (cols, rows) in SIZES {
            let mut stage = Stage::new((cols, rows), world());
            steps(&mut stage);
            stage.settle();
            seen.extend(kind(&stage));
            check(&format!("{name}-{cols}x{rows}"), &stage, &Default::default());
        }
    }
    // The details are their own test's: one of every state.
    seen.insert("Detail".to_owned());
    assert_eq!(kinds(), seen, "an overlay, question or menu has no scene in SCENES");
}

#[test]
fn the_details_of_every_state_at_three_sizes() {
    for state in JobState::ALL {
        for (cols, rows) in SIZES {
            let mut stage = Stage::new((cols, rows), snapshot());
            let id = snapshot().jobs.iter().find(|row| row.state == state).unwrap().id;
            stage.keys(&format!("{} Enter", "j ".repeat(usize::try_from(10 - id.0).unwrap()))).settle();
            assert!(matches!(stage.app.overlays(), [Overlay::Detail { id: shown, .. }] if *shown == id), "{state}");
            check(&format!("details-{state}-{cols}x{rows}"), &stage, &Default::default());
        }
    }
}
