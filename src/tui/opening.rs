//! Opens a clip or its folder with the command that the user set.
//!
//! Knows how a program is started apart from the dashboard. No shell reads the path, and nothing is asked of the
//! program: it may run for hours.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Starts the command with `{path}` replaced in each of its words.
///
/// # Errors
/// A sentence that names the command, where it cannot be started.
pub fn open(command: &[String], path: &str) -> Result<(), String> {
    let mut words = command.iter().map(|word| word.replace("{path}", path));
    let Some(program) = words.next() else { return Err("no open_command is set in config.toml".to_owned()) };
    let started = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What is typed here must not interrupt it.
        .process_group(0)
        .spawn();
    let mut child = started.map_err(|error| format!("`{program}` cannot be started: {error}; see open_command"))?;
    // Somebody must take note of its end, or it stays as a zombie.
    std::thread::spawn(move || {
        if let Ok(status) = child.wait()
            && !status.success()
        {
            tracing::warn!("open_command ended with {status}");
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_one_word_whatever_stands_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join("a clip; touch 'x' $(y).mp4");
        std::fs::create_dir(dir.path().join("out")).unwrap();
        std::fs::write(&clip, "clip").unwrap();
        let out = dir.path().join("out/copy");
        let command = ["cp", "{path}", out.to_str().unwrap()].map(str::to_owned);
        open(&command, clip.to_str().unwrap()).unwrap();
        // The program is not waited for by whoever opens; here its effect is.
        while std::fs::read(&out).ok().as_deref() != Some(b"clip") {
            std::thread::yield_now();
        }
        let refused = open(&["/no/such/viewer".to_owned()], "x").unwrap_err();
        assert!(refused.contains("/no/such/viewer") && refused.contains("open_command"), "{refused}");
    }
}
