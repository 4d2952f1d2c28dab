//! The file in which a prompt lies while the user's editor has it.
//!
//! Knows a private file beside the jobs. Must not know who edits it.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes the text into a private file of this process in `dir`, in the place of an older one.
///
/// # Errors
/// What the system says.
pub fn put(dir: &Path, text: &str) -> io::Result<PathBuf> {
    let path = dir.join(format!("prompt-{}.txt", std::process::id()));
    let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    if !text.is_empty() {
        file.write_all(b"\n")?;
    }
    Ok(path)
}

/// Reads the file and removes it; it stays where it cannot be read as text.
///
/// # Errors
/// What the system says; also where it is no text.
pub fn take(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    std::fs::remove_file(path)?;
    Ok(text)
}
