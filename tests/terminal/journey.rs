//! The whole way: keys in, orders at three services, clips on disk that play.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::clip;
use super::pty::Pty;
use super::stage::{Stage, ready};

/// Chooses a model by typing at the list, and writes a prompt.
pub fn compose(pty: &mut Pty, model: &str, prompt: &str) {
    pty.keys("<F2>");
    pty.wait_for("Choose a model");
    pty.keys(model);
    pty.wait_for(model);
    pty.settle(Duration::from_millis(100));
    pty.keys("<Enter>");
    pty.wait_gone("Choose a model");
    pty.keys(prompt);
    pty.wait_for(prompt);
}

/// Every file of the run that ends so.
pub fn files(stage: &Stage, ending: &str) -> Vec<PathBuf> {
    fn walk(dir: &std::path::Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.extension().is_some_and(|is| is == ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(stage.dir.path(), ending, &mut found);
    found.sort();
    found
}

#[test]
fn three_services_three_prompts_three_clips_that_play() {
    let stage = Stage::with_services(30.0);
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    let orders = [
        ("ninjachat/veo-3.1-fast", "a paper boat on a storm drain"),
        ("nanogpt/veo2-video", "a red fox in deep snow"),
        ("a4f/provider-2/seedance-lite", "neon rain over a quiet street"),
    ];
    for (index, (model, prompt)) in orders.iter().enumerate() {
        compose(&mut pty, model, prompt);
        pty.keys("<C-s>");
        pty.wait_for(&format!("queued j-{}", index + 1));
    }
    pty.wait_until("three jobs are done", |screen| {
        screen.contents().contains("3 done") && screen.contents().matches(" done ").count() >= 3
    });
    for (_, prompt) in orders {
        let start: String = prompt.chars().take(12).collect();
        assert!(pty.screen().contains(&start), "the table names its prompts:\n{}", pty.screen());
    }
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();

    let clips = files(&stage, "mp4");
    assert_eq!(clips.len(), 3, "{clips:?}");
    for path in &clips {
        let bytes = std::fs::read(path).expect("a clip can be read");
        let shown = clip::decode(&bytes);
        assert!(shown.frames >= 8 && shown.changes > shown.frames / 2, "{path:?}: {shown:?}");
        assert!((1.0..=20.0).contains(&shown.seconds), "{path:?}: {shown:?}");
        let recipe = path.with_extension("json");
        let recipe: Value = serde_json::from_slice(&std::fs::read(&recipe).expect("the recipe lies beside the clip"))
            .expect("the recipe is JSON");
        let text = recipe.to_string();
        assert!(orders.iter().any(|(_, prompt)| text.contains(prompt)), "{recipe:#}");
        assert!(!text.contains("_sk_") && !text.contains("sk-nano") && !text.contains("ddc-a4f"), "a key: {recipe:#}");
    }
    assert!(files(&stage, "part").is_empty(), "nothing half-done is left");
}

#[test]
fn without_any_key_every_screen_says_that_it_is_a_simulator() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(80, 24).start();
    ready(&pty);
    for keys in ["", "<F1>", "<Esc>", "<F2>", "<Esc>", "<F4>", "<Esc>"] {
        let mark = pty.mark();
        pty.keys(keys);
        if !keys.is_empty() {
            pty.wait_written(mark, "");
        }
        assert!(pty.settled_screen().contains("SIMULATOR"), "after {keys:?}:\n{}", pty.screen());
    }
}

/// A prompt from a document: one edit, nothing of it taken for a key, and not a byte of it lost in the form.
#[test]
fn a_paste_of_200_kb_is_one_edit() {
    let stage = Stage::new();
    let mut pty = stage.dashboard(120, 40).start();
    ready(&pty);
    let text = "q\x1b[A rain falls on the harbour, slowly\r\n".repeat(200_000 / 38);
    let mark = pty.mark();
    pty.paste(&text);
    pty.wait_for("/4000");
    pty.wait_until("the length of the paste is counted", |screen| {
        let count = screen.contents().split("/4000").next().and_then(|before| {
            before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse::<usize>().ok())
        });
        count.is_some_and(|count| count > 100_000)
    });
    pty.settle(Duration::from_millis(300));
    let frames = String::from_utf8_lossy(&pty.bytes_since(mark)).matches("\x1b[?2026h").count();
    assert!(frames <= 4, "{frames} frames for one edit");
    // Undone in one step.
    pty.keys("<A-u>");
    pty.wait_for(" 0/4000");
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

#[test]
fn a_second_dashboard_looks_on_and_says_so() {
    let stage = Stage::new();
    let mut first = stage.dashboard(100, 30).start();
    ready(&first);
    let mut second = stage.dashboard(100, 30).start();
    second.wait_for("READ-ONLY");
    second.keys("<C-q>");
    assert_eq!(second.wait_exit(), 0);
    second.assert_restored();
    first.keys("<C-q>");
    assert_eq!(first.wait_exit(), 0);
    first.assert_restored();
}
