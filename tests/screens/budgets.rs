//! What each scene may cost, in bytes that leave for the terminal: `budgets.txt` beside this holds the numbers.
//!
//! A scene that writes more than its number is a fault; one that writes much less lowers it
//! (`UPDATE_BUDGETS=1 cargo test --test screens budgets` writes the table anew; look at what changed).

use std::fmt::Write as _;
use std::path::Path;

use rushes::domain::{Event, JobRow, JobState, Snapshot};
use rushes::tui::theme::Styles;

use super::repaint::Line;
use super::world::{Stage, job, snapshot};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// An app, and the line to its terminal.
struct Scene {
    stage: Stage,
    line: Line,
}

impl Scene {
    fn of(jobs: Vec<JobRow>, (cols, rows): (u16, u16)) -> Scene {
        let mut scene =
            Scene { stage: Stage::new((cols, rows), Snapshot { jobs, ..snapshot() }), line: Line::new(cols, rows) };
        scene.stage.settle();
        scene.bytes();
        scene
    }

    /// The bytes of a frame now.
    fn bytes(&mut self) -> usize {
        let (buffer, cursor) = self.stage.draw(&Styles::default());
        self.line.draw(&buffer, cursor)
    }

    /// The bytes of the frames that keys cause, all of them.
    fn keys(&mut self, keys: &str) -> usize {
        keys.split(' ')
            .map(|key| {
                self.stage.keys(key);
                self.bytes()
            })
            .sum()
    }
}

fn running(id: i64, percent: u8) -> JobRow {
    let mut row = job(id, JobState::Running).row();
    row.usual_s = Some(280);
    row.progress = Some(percent);
    // No two rows alike, as in life.
    row.prompt = format!("take {}: {}", id * 7919 % 1_000, row.prompt);
    row
}

fn busy(size: (u16, u16)) -> Scene {
    Scene::of((1..=200).map(|id| running(id, 10)).collect(), size)
}

/// A minute of 200 running jobs: the mean of a second. Each service is asked every few seconds, so that a fifth of
/// the jobs has news each second.
/// A frame leaves every `pause` seconds.
fn minute(scene: &mut Scene, pause: i64) -> usize {
    let mut sum = 0;
    for second in 1..=60 {
        for id in (1..=200).filter(|id| id % 5 == second % 5) {
            let percent = u8::try_from(10 + second / 2).unwrap();
            scene.stage.event(Event::JobChanged(Box::new(running(id, percent))));
        }
        scene.stage.wait(1_000);
        if second % pause == 0 {
            sum += scene.bytes();
        }
    }
    sum / 60
}

type Measure = fn((u16, u16)) -> usize;

const SCENES: [(&str, Measure); 13] = [
    ("first frame", |size| {
        let mut scene = busy(size);
        scene.line.forget();
        scene.bytes()
    }),
    ("idle for a minute", |size| {
        let finished = (1..=40).map(|id| job(id, JobState::Done).row()).collect();
        let mut scene = Scene::of(finished, size);
        (0..60)
            .map(|_| {
                scene.stage.wait(1_000);
                scene.bytes()
            })
            .sum()
    }),
    ("the selected clock's second", |size| {
        let mut scene = busy(size);
        scene.stage.wait(1_000);
        scene.bytes()
    }),
    ("all clocks' ten seconds", |size| {
        let mut scene = busy(size);
        (0..11)
            .map(|_| {
                scene.stage.wait(1_000);
                scene.bytes()
            })
            .max()
            .unwrap_or(0)
    }),
    ("one progress change", |size| {
        let mut scene = busy(size);
        scene.stage.event(Event::JobChanged(Box::new(running(196, 19))));
        scene.bytes()
    }),
    ("20 rows change at once", |size| {
        let mut scene = busy(size);
        for id in 181..=200 {
            scene.stage.event(Event::JobChanged(Box::new(running(id, 19))));
        }
        scene.bytes()
    }),
    ("a cursor key within the page", |size| {
        let mut scene = busy(size);
        (0..8).map(|_| scene.keys("j")).max().unwrap_or(0)
    }),
    ("a page down", |size| busy(size).keys("PageDown")),
    ("typing a letter", |size| {
        let mut scene = busy(size);
        scene.keys("n a b c Space");
        (0..20).map(|_| scene.keys("x")).max().unwrap_or(0)
    }),
    ("opening help", |size| busy(size).keys("?")),
    ("closing help", |size| {
        let mut scene = busy(size);
        scene.keys("?");
        scene.keys("Esc")
    }),
    ("200 running jobs, a second's mean", |size| minute(&mut busy(size), 1)),
    ("the same, frugal", |size| {
        let mut scene = busy(size);
        scene.keys("T T");
        scene.stage.wait(15_000);
        scene.bytes();
        let pause = i64::try_from(scene.stage.app.thrift().pause().as_secs()).unwrap();
        minute(&mut scene, pause)
    }),
];

/// A number a little above what was measured, so that a word more on the screen is no alarm.
fn budget(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + bytes / 20 + 4).next_multiple_of(5) }
}

#[test]
fn every_scene_keeps_its_budget_of_bytes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/budgets.txt");
    let measured: Vec<(&str, Vec<usize>)> =
        SCENES.iter().map(|(name, measure)| (*name, SIZES.iter().map(|size| measure(*size)).collect())).collect();
    if std::env::var_os("UPDATE_BUDGETS").is_some() {
        let mut table = format!("{:<36}{:>8}{:>8}\n", "bytes at most", "80x24", "120x40");
        for (name, bytes) in &measured {
            writeln!(table, "{name:<36}{:>8}{:>8}", budget(bytes[0]), budget(bytes[1])).unwrap();
        }
        std::fs::write(&path, table).unwrap();
        return;
    }
    let table = std::fs::read_to_string(&path).unwrap();
    let mut faults = Vec::new();
    for (name, bytes) in &measured {
        let line = table.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let budgets: Vec<usize> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        assert_eq!(budgets.len(), SIZES.len(), "budgets.txt has no numbers for {name:?}");
        for ((size, bytes), most) in SIZES.iter().zip(bytes).zip(budgets) {
            let place = format!("{name} at {}x{}: {bytes} bytes, its budget is {most}", size.0, size.1);
            if *bytes > most {
                faults.push(format!("{place}: write less"));
            } else if bytes + bytes / 4 + 20 < most {
                faults.push(format!("{place}: well done; lower the number"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let promised = measured.iter().find(|(name, _)| name.starts_with("200 running")).map(|(_, bytes)| bytes);
    assert!(promised.is_some_and(|bytes| bytes.iter().all(|bytes| *bytes <= 300)), "{promised:?} bytes a second");
    let idle = measured.iter().find(|(name, _)| name.starts_with("idle")).map(|(_, bytes)| bytes);
    assert!(idle.is_some_and(|bytes| bytes.iter().all(|bytes| *bytes == 0)), "{idle:?} bytes while idle");
}
