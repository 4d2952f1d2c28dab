//! The prompt in the user's own editor, on a real terminal.

use super::journey::files;
use super::stage::{Stage, ready};

/// What a dashboard shows whose editor is this shell command.
fn after(stage: &Stage, editor: &str, wanted: &str) -> String {
    let mut pty = stage.dashboard(120, 40).env("EDITOR", editor).start();
    ready(&pty);
    pty.keys("n");
    pty.keys("a quiet harbor");
    pty.wait_for("a quiet harbor");
    pty.keys("<A-e>");
    pty.wait_for(wanted);
    // The screen is whole again, and keys are ours again.
    pty.keys("!<F1>");
    pty.wait_for(concat!("rushes ", env!("CARGO_PKG_VERSION")));
    pty.keys("<Esc>");
    pty.wait_gone(concat!("rushes ", env!("CARGO_PKG_VERSION")));
    let screen = pty.settled_screen();
    assert!(screen.contains("SIMULATOR") && screen.contains("Jobs"), "{screen}");
    pty.keys("<C-q>");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
    screen
}

#[test]
fn what_the_editor_leaves_is_the_prompt_and_what_fails_leaves_it_as_it_was() {
    let stage = Stage::new();
    // Parameters and quotes, as people have them in EDITOR; and what was typed is in the file.
    let screen = after(&stage, "sed -i -e 's/quiet harbor/loud \"harbor\"/'", "a loud \"harbor\"");
    assert!(screen.contains("a loud \"harbor\"!"), "typing goes on at its end: {screen}");
    for (editor, why) in
        [("no-such-editor-here", "there is no no-such-editor-here"), ("false", "ended with exit status: 1")]
    {
        let screen = after(&Stage::new(), editor, why);
        assert!(screen.contains("a quiet harbor!"), "{screen}");
    }
    assert!(files(&stage, "txt").is_empty(), "the editor's file is gone");
}
