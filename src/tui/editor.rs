//! The prompt in the user's own editor: a file, a child in front of us, and the text it leaves.
//!
//! Knows how an editor is called and what signals mean meanwhile. Must not know where the file lies, nor what
//! the text is for.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_current_process_group, kill_process};
use tokio::sync::oneshot;

use super::signals::{Caught, Signals};

/// Puts a text into a private file of its own.
pub type Put = dyn Fn(&str) -> io::Result<PathBuf> + Send;
/// Reads such a file and removes it.
pub type Take = dyn Fn(&Path) -> io::Result<String> + Send;

/// Where a text lies while an editor has it: a face opens no files.
pub struct Scratch {
    /// Puts it there.
    pub put: Box<Put>,
    /// Takes it back.
    pub take: Box<Take>,
}

/// What came of it.
pub enum Edited {
    /// The text as the editor left it.
    Text(String),
    /// Nothing is changed, and why.
    Failed(String),
    /// A signal with this number came meanwhile.
    Signal(i32),
}

/// Runs `editor`, a shell command that is given the file, until it ends. The terminal must be given back before.
pub async fn edit(editor: &str, text: &str, scratch: &Scratch, signals: &mut Signals<'_>) -> Edited {
    let path = match (scratch.put)(text) {
        Ok(path) => path,
        Err(error) => return Edited::Failed(format!("the prompt cannot be put into a file for {editor}: {error}")),
    };
    // By the shell, as VISUAL and EDITOR are meant: they may hold parameters and quotes.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{editor} \"$1\""), "rushes"]).arg(&path);
    let ended = match start(command) {
        Ok((child, mut ended)) => loop {
            tokio::select! {
                biased;
                status = &mut ended => break status.unwrap_or_else(|_| Err(io::Error::other("nobody waited for it"))),
                caught = signals.next() => match caught {
                    // Meant for the editor, which has it too.
                    Caught::Stop(number) if number == Signal::INT.as_raw() || number == Signal::QUIT.as_raw() => {}
                    Caught::Stop(number) => {
                        // The file stays: what was typed there is the user's. No child, nothing to end.
                        let _ = kill_process(child, Signal::TERM);
                        return Edited::Signal(number);
                    }
                    // The editor stopped itself, or is about to: the shell is to have the terminal.
                    Caught::Suspend => drop(kill_current_process_group(Signal::STOP)),
                    Caught::Continued | Caught::Resized => {}
                },
            }
        },
        Err(error) => Err(error),
    };
    judge(editor, ended, (scratch.take)(&path))
}

/// Starts a child; a thread waits for it, so that signals can be waited for meanwhile.
fn start(mut command: Command) -> io::Result<(Pid, oneshot::Receiver<io::Result<ExitStatus>>)> {
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let (tell, ended) = oneshot::channel();
    let wait = move || drop(tell.send(child.wait()));
    std::thread::Builder::new().name("editor".to_owned()).spawn(wait)?;
    Ok((pid, ended))
}

fn judge(editor: &str, ended: io::Result<ExitStatus>, text: io::Result<String>) -> Edited {
    let hint = "the prompt is as it was; set VISUAL or EDITOR to an editor that is installed";
    match (ended, text) {
        (Err(error), _) => Edited::Failed(format!("{editor} cannot be started: {error}; {hint}")),
        (Ok(status), _) if status.code() == Some(127) => Edited::Failed(format!("there is no {editor}; {hint}")),
        (Ok(status), _) if !status.success() => {
            Edited::Failed(format!("{editor} ended with {status}; the prompt is as it was"))
        }
        (Ok(_), Err(error)) => Edited::Failed(format!("what {editor} left cannot be read: {error}")),
        // Editors end a file with a line end that nobody typed.
        (Ok(_), Ok(text)) => Edited::Text(text.trim_end_matches(['\n', '\r']).to_owned()),
    }
}
