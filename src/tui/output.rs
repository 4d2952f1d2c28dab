//! The output thread: the only writer to the terminal, so that a line that stalls stalls nothing else.
//!
//! Knows how to hand bytes over in order and how to wait a bounded time. Must not know what they show.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as sync;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

/// How long leaving waits for a terminal that takes no bytes.
const PATIENCE: Duration = Duration::from_millis(500);

static THREAD: OnceLock<sync::Sender<Bytes>> = OnceLock::new();
/// While false, frames are dropped: the screen is not ours.
static OURS: AtomicBool = AtomicBool::new(false);

struct Bytes {
    bytes: Vec<u8>,
    /// Written even when the screen is not ours: what gives it back.
    last: bool,
    done: Done,
}

enum Done {
    Report(mpsc::UnboundedSender<io::Result<()>>),
    Wake(sync::SyncSender<()>),
}

/// One end of the output thread: writes one thing at a time and says when it is out.
#[derive(Debug)]
pub struct Output {
    report: mpsc::UnboundedSender<io::Result<()>>,
    reports: mpsc::UnboundedReceiver<io::Result<()>>,
    busy: bool,
}

impl Output {
    /// Starts the thread if it does not run yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Output> {
        if THREAD.get().is_none() {
            let (sender, receiver) = sync::channel();
            thread::Builder::new().name("output".into()).spawn(move || write_all_that_comes(&receiver))?;
            let _ = THREAD.set(sender);
        }
        let (report, reports) = mpsc::unbounded_channel();
        Ok(Output { report, reports, busy: false })
    }

    /// Whether the last bytes are still on their way.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Hands bytes over, to be written in one piece. Wait for [`Output::written`] before the next.
    pub fn write(&mut self, bytes: Vec<u8>) {
        let message = Bytes { bytes, last: false, done: Done::Report(self.report.clone()) };
        self.busy = THREAD.get().is_some_and(|thread| thread.send(message).is_ok());
    }

    /// Waits until the last bytes are out. Cancel-safe.
    ///
    /// # Errors
    /// What the system said to the write.
    pub async fn written(&mut self) -> io::Result<()> {
        let result = self.reports.recv().await.unwrap_or(Ok(()));
        self.busy = false;
        result
    }
}

/// Says whether frames may be written; the value before.
pub(super) fn set_ours(ours: bool) -> bool {
    OURS.swap(ours, Ordering::SeqCst)
}

/// Writes after all frames, and waits for it, but not for ever: a terminal that takes no bytes gets these when
/// it takes some again, if the process is still there.
pub(super) fn write_last(bytes: &[u8]) {
    let (wake, woken) = sync::sync_channel(1);
    let message = Bytes { bytes: bytes.to_vec(), last: true, done: Done::Wake(wake) };
    if THREAD.get().is_some_and(|thread| thread.send(message).is_ok()) {
        let _ = woken.recv_timeout(PATIENCE);
    }
}

/// Writes a line for the user to standard error once the screen is given back.
///
/// Unlike `eprintln!` it neither panics on a terminal that is gone nor waits for one that is stalled.
pub fn say(line: &str) {
    let stderr = io::stderr();
    let mut watched = [PollFd::new(&stderr, PollFlags::OUT)];
    let patience = rustix::event::Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
    if poll(&mut watched, Some(&patience)).is_ok_and(|ready| ready > 0)
        && watched[0].revents().contains(PollFlags::OUT)
        && !watched[0].revents().contains(PollFlags::HUP)
    {
        let _ = rustix::io::write(&stderr, format!("{line}\n").as_bytes());
    }
}

fn write_all_that_comes(receiver: &sync::Receiver<Bytes>) {
    while let Ok(message) = receiver.recv() {
        let result = if message.last || OURS.load(Ordering::SeqCst) { write_all(&message.bytes) } else { Ok(()) };
        match message.done {
            Done::Report(report) => drop(report.send(result)),
            Done::Wake(wake) => drop(wake.try_send(())),
        }
    }
}

/// One system call, unless the terminal takes less.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(&stdout, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => bytes = &bytes[len..],
            Err(Errno::INTR) => {}
            // Someone sharing this terminal made it non-blocking.
            Err(Errno::AGAIN) => {
                let mut watched = [PollFd::new(&stdout, PollFlags::OUT)];
                let _ = poll(&mut watched, None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether an error of the terminal means that it is gone, not that one write failed.
pub fn is_gone(error: &io::Error) -> bool {
    const GONE: [Errno; 5] = [Errno::IO, Errno::PIPE, Errno::NXIO, Errno::NODEV, Errno::BADF];
    Errno::from_io_error(error).is_some_and(|errno| GONE.contains(&errno))
}
