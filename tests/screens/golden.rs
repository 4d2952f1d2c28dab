//! Every pane and state at three sizes, and every theme, against files. What lies over the panes is `overlays`'.

use std::path::Path;

use jiff::Timestamp;
use ratatui::style::Style;
use rushes::app::Input;
use rushes::domain::message::{Draft, Level};
use rushes::domain::{Event, JobState, Notice, Pause, Snapshot};
use rushes::tui::theme::{BUILT_IN, ColorDepth, Glyphs, Role, Styles, Theme};

use super::further::further;
use super::world::{Stage, letters, lines, snapshot};

pub(super) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Compares the screen with its file, or writes the file.
pub(super) fn check(name: &str, stage: &Stage, styles: &Styles) {
    let (buffer, cursor) = stage.draw(styles);
    let cursor = cursor.map_or_else(|| "hidden".to_owned(), |at| format!("column {} row {}", at.x, at.y));
    let drawn =
        format!("{}\n--- cursor {cursor}\n{}\n", lines(&buffer).join("\n"), letters(&buffer, styles).join("\n"));
    hold(name, &drawn);
}

/// Compares a text with its file, or writes the file.
fn hold(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/golden/{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, drawn).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    if wanted != drawn {
        let differ = wanted.lines().zip(drawn.lines()).enumerate().find(|(_, (a, b))| a != b);
        panic!("{name} differs; first at {differ:?}\n{drawn}");
    }
}

pub(super) fn at_all_sizes(name: &str, snapshot: impl Fn() -> Snapshot, steps: impl Fn(&mut Stage)) {
    for (cols, rows) in SIZES {
        let mut stage = Stage::new((cols, rows), snapshot());
        steps(&mut stage);
        stage.settle();
        check(&format!("{name}-{cols}x{rows}"), &stage, &Styles::default());
    }
}

pub(super) const EAGLE: &str = "A majestic eagle over the fjord at dawn, slow orbit, 山谷の霧";

#[test]
fn every_state_in_the_table() {
    at_all_sizes("jobs", snapshot, |_| {});
    let mut stage = Stage::new((100, 30), snapshot());
    check("jobs-100x30", stage.settle(), &Styles::default());
    for (i, state) in JobState::ALL.into_iter().enumerate() {
        let mut stage = Stage::new((120, 40), snapshot());
        stage.keys(&"j ".repeat(JobState::ALL.len() - i)).settle();
        assert_eq!(stage.app.jobs().selected().unwrap().state, state);
        check(&format!("story-{state}"), &stage, &Styles::default());
    }
}

#[test]
fn the_form_with_problems_and_prices() {
    at_all_sizes("compose", snapshot, |stage| {
        stage.keys("n").types(EAGLE).keys("Tab Tab Left Tab Tab Tab").types("3");
    });
    at_all_sizes("compose-problems", snapshot, |stage| {
        stage.keys("n F2").types("veo2").keys("Enter").types(EAGLE).keys("Tab Tab 1").types("0");
        stage.keys("Tab Right Tab").types("cat").keys("Tab Tab").types("seven");
    });
    at_all_sizes("compose-dear", snapshot, |stage| {
        stage.keys("n").types(EAGLE).keys("BackTab").types("30");
    });
    at_all_sizes("compose-unknown-price", snapshot, |stage| {
        stage.keys("n F2").types("mystery").keys("Enter").types(EAGLE);
    });
}

#[test]
fn when_the_queue_ends_and_how_long_the_model_took_here() {
    use rushes::domain::timing::{Lately, Timing, Timings};
    let own = Lately::of([240, 250, 250, 260, 310]).timing().unwrap();
    let mut timings = Timings::default();
    timings.put("ninjachat", "veo-3.1", own);
    timings.put("ninjachat", "veo-3.1-fast", Timing { p50_s: 120, p90_s: 180, clips: 0 });
    let mut snapshot = snapshot();
    snapshot.timings = timings.clone();
    for row in &mut snapshot.jobs {
        (row.account, row.model) = ("ninjachat".to_owned(), "veo-3.1".to_owned());
    }
    let mut stage = Stage::new((120, 40), snapshot);
    stage.keys("n").types(EAGLE);
    check("outlook-120x40", stage.settle(), &Styles::default());
    // A later figure moves the end, but not before ten seconds have gone by.
    let before = stage.app.finish().unwrap();
    timings.put("ninjachat", "veo-3.1", Timing { p50_s: 1500, p90_s: 1800, ..own });
    stage.event(Event::TimesChanged(Box::new(timings)));
    assert_eq!(stage.app.finish(), Some(before));
    let due = stage.app.next_tick(stage.now).unwrap();
    assert!(due > stage.now && due <= stage.now + jiff::SignedDuration::from_secs(10), "{due}");
    stage.wait(10_000);
    assert!(stage.app.finish().unwrap().p50 > before.p50);
}

#[test]
fn the_models_tab() {
    at_all_sizes("model", snapshot, |stage| {
        stage.keys("3");
    });
    at_all_sizes("model-full", snapshot, |stage| {
        stage.keys("m").types("veo2").keys("Enter 3 PageDown");
    });
}

pub(super) fn in_batches() -> Snapshot {
    let mut snapshot = snapshot();
    for row in &mut snapshot.jobs {
        row.batch = [Some(11), Some(12), None][usize::try_from(row.id.0 % 3).unwrap()];
    }
    snapshot
}

#[test]
fn views_sorting_and_groups() {
    let steps = [
        ("attention", "v n"),
        ("sorting", "s c s p s"),
        ("by-batch", "z j j"),
        ("by-prompt", "z z s c"),
        ("wrong-term", "/ s t a t e : f i a l e d Enter"),
    ];
    for (name, keys) in steps {
        for (cols, rows) in [(80, 24), (120, 40), (160, 44)] {
            let mut stage = Stage::new((cols, rows), in_batches());
            stage.keys(keys).settle();
            check(&format!("table-{name}-{cols}x{rows}"), &stage, &Styles::default());
        }
    }
}

#[test]
fn further_fields_and_drafts() {
    at_all_sizes("compose-further", further, |stage| {
        stage
            .keys("n F2")
            .types("veo3-1-video")
            .keys("Enter")
            .types(EAGLE)
            .keys("F7")
            .types("frames")
            .keys("Enter Right");
        stage.keys("F7").types("refer").keys("Enter").types("https://a.example/1.png https://a.example/2.png");
    });
    at_all_sizes("compose-draft", further, |stage| {
        stage.keys("n F2").types("veo3-1-video").keys("Enter").types(EAGLE).keys("F8");
    });
}

pub(super) fn paused(mut snapshot: Snapshot) -> Snapshot {
    snapshot.accounts[0].pause = Some(Pause {
        kind: rushes::domain::ErrorKind::Balance,
        message: "insufficient credits; add some at the service, then press u".to_owned(),
        until: Some(super::world::at(8 * 3_600)),
    });
    snapshot.accounts[1].trouble = Some("connection refused since 14:01".to_owned());
    snapshot
}

#[test]
fn why_a_job_waits_stands_beside_it_and_in_its_details() {
    for (name, down) in [("paused", JobState::ALL.len()), ("trouble", 6)] {
        for (cols, rows) in [(80, 24), (100, 30)] {
            let waiting = || {
                let mut snapshot = paused(snapshot());
                // The queued job is the paused account's, a running one is the troubled account's.
                for row in &mut snapshot.jobs {
                    match row.state {
                        JobState::Queued => row.account = "ninjachat".to_owned(),
                        JobState::Running => row.account = "nanogpt".to_owned(),
                        _ => {}
                    }
                }
                snapshot
            };
            let mut stage = Stage::new((cols, rows), waiting());
            stage.keys(&"j ".repeat(down)).settle();
            check(&format!("waits-{name}-{cols}x{rows}"), &stage, &Styles::default());
            stage.keys("Enter").settle();
            check(&format!("waits-{name}-details-{cols}x{rows}"), &stage, &Styles::default());
        }
    }
}

pub(super) fn notices(stage: &mut Stage) {
    for (level, text) in [
        (Level::Info, "queued j-11 to j-14, $20.00"),
        (Level::Warning, "nanogpt did not answer an order for $2.50; looking for it; nothing is bought twice"),
        (Level::Error, "j-7: the disk is full; free some room and press h"),
    ] {
        stage.event(Event::Noticed(Notice { at: Timestamp::UNIX_EPOCH, level, text: text.to_owned() }));
    }
}

#[test]
fn where_there_is_nothing_yet() {
    for (cols, rows) in SIZES {
        check(&format!("opening-{cols}x{rows}"), &Stage::empty((cols, rows)), &Styles::default());
    }
    at_all_sizes(
        "first-run",
        || Snapshot { jobs: vec![], ..snapshot() },
        |stage| {
            stage.keys("Esc");
        },
    );
    at_all_sizes("no-account", Snapshot::default, |_| {});
    at_all_sizes("nothing-matches", snapshot, |stage| {
        stage.keys("/").types("zebra").keys("Enter");
    });
    let held = || Snapshot {
        read_only: Some("dashboard, process 4711 on box since 10:00".to_owned()),
        simulated: None,
        ..snapshot()
    };
    at_all_sizes("read-only", held, |stage| {
        stage.keys("c");
    });
    let draft = || Snapshot {
        draft: Some(Draft {
            prompt: "kept\nover a crash".to_owned(),
            model: "nanogpt/veo2-video".to_owned(),
            params: serde_json::from_value(serde_json::json!({"duration": 12, "seed": 7})).unwrap(),
            copies: 4,
            ..Draft::default()
        }),
        ..snapshot()
    };
    at_all_sizes("draft", draft, |_| {});
}

#[test]
fn without_colour_and_without_unicode() {
    let mut stage = Stage::new((80, 24), paused(snapshot()));
    notices(&mut stage);
    stage.keys("j Space Space").settle();
    let ascii = Styles::new(&Theme::built_in("default").unwrap(), ColorDepth::None, Glyphs::Ascii);
    check("ascii-80x24", &stage, &ascii);
    let (buffer, _) = stage.draw(&ascii);
    for line in lines(&buffer) {
        assert!(line.is_ascii(), "{line}");
    }
}

#[test]
fn every_theme_has_its_styles_at_every_depth() {
    const DEPTHS: [(&str, ColorDepth); 4] = [
        ("true", ColorDepth::TrueColor),
        ("256", ColorDepth::Ansi256),
        ("16", ColorDepth::Ansi16),
        ("none", ColorDepth::None),
    ];
    let words = |style: Style| {
        let colour =
            |part: &str, colour| format!("{part}{}", Option::map_or(colour, "-".to_owned(), |c| format!("{c}")));
        format!("{} {} {:?}", colour("", style.fg), colour("on ", style.bg), style.add_modifier)
    };
    for (name, _) in BUILT_IN {
        let theme = Theme::built_in(name).unwrap();
        let mut drawn = format!("{}\n", theme.about);
        for role in Role::ALL {
            drawn += &format!("\n{role:?}\n");
            for (depth, known) in DEPTHS {
                let style = Styles::new(&theme, known, Glyphs::Unicode).of(role);
                drawn += &format!("  {depth:<5} {}\n", words(style));
            }
        }
        let styles = Styles::new(&theme, ColorDepth::TrueColor, Glyphs::Unicode);
        let mut stage = Stage::new((100, 30), paused(snapshot()));
        notices(&mut stage);
        stage.keys("j Space").settle();
        drawn += &format!("\n{}\n", letters(&stage.draw(&styles).0, &styles).join("\n"));
        hold(&format!("theme-{name}"), &drawn);
    }
}

#[test]
fn a_screen_that_is_too_small_says_so() {
    for (cols, rows) in [(1, 1), (10, 3), (35, 24), (80, 8)] {
        let stage = Stage::new((cols, rows), snapshot());
        let text: String = stage.text().split_whitespace().collect();
        assert!("rushesneeds36x9".starts_with(&text[..text.len().min(15)]), "{cols}x{rows}: {text}");
    }
    let mut stage = Stage::new((10, 3), snapshot());
    stage.input(Input::Resize { cols: 36, rows: 9 });
    check("smallest-36x9", &stage, &Styles::default());
}
