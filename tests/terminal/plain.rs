//! The dashboard as lines: for screen readers, dumb terminals and logs.

use rustix::process::Signal;

use super::stage::{RUSHES, Stage};

#[test]
fn a_dumb_terminal_gets_lines_and_no_escape_sequence() {
    let stage = Stage::new();
    let pty = stage.dashboard(200, 50).env("TERM", "dumb").start();
    pty.wait_for("this is the plain output");
    pty.wait_for("nanogpt holds $129.46");
    pty.wait_for("no jobs");
    pty.signal(Signal::INT);
    assert_eq!(pty.wait_exit(), 130);
    let bytes = pty.bytes_since(0);
    assert!(!bytes.contains(&0x1b), "{:?}", String::from_utf8_lossy(&bytes));
}

#[test]
fn plain_output_tells_a_job_from_the_queue_to_the_clip() {
    let stage = Stage::new();
    let add = format!(
        "{RUSHES} --sim add --model ninjachat/veo-3.1-fast --prompt 'a paper boat' && exec {RUSHES} --sim --plain"
    );
    let pty = stage.spawn("/bin/sh", 200, 50).args(&["-c", &add]).start();
    for words in ["nothing here costs anything", "jobs: 1 queued", "j-1 running", "j-1 done"] {
        pty.wait_for(words);
    }
    pty.signal(Signal::INT);
    assert_eq!(pty.wait_exit(), 130);
    assert!(!pty.bytes_since(0).contains(&0x1b), "{}", pty.screen());
}
