//! The input thread: what is typed at the terminal, one event at a time.
//!
//! Knows how to wait for a terminal, and when it is gone. Must not know what a key does.

use std::io::{self, PipeReader, PipeWriter};
use std::thread;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::decode::Decoder;

/// Most events taken in one turn of the loop.
pub const MAX_BATCH: usize = 64;
/// How long the rest of an escape sequence may take before a lone escape is the Esc key.
const SEQUENCE_PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 40_000_000 };

/// What the input thread found.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// The terminal sent this.
    Event(Event),
    /// The terminal is gone; nothing more will come.
    Gone,
}

/// The keys as they come. Dropping it ends the thread without waiting for it.
#[derive(Debug)]
pub struct Inputs {
    typed: mpsc::Receiver<Typed>,
    _open: PipeWriter,
}

impl Inputs {
    /// Starts the thread that reads standard input.
    ///
    /// # Errors
    /// When the system gives no thread or pipe.
    pub fn spawn() -> io::Result<Inputs> {
        // The pipe's writing end lives in `Inputs`: dropping it wakes the thread and ends it.
        let (closed, open) = io::pipe()?;
        let (sender, typed) = mpsc::channel(256);
        thread::Builder::new().name("input".into()).spawn(move || read(&closed, &sender))?;
        Ok(Inputs { typed, _open: open })
    }

    /// The next event; `Gone` for ever after the terminal is gone. Cancel-safe.
    pub async fn next(&mut self) -> Typed {
        self.typed.recv().await.unwrap_or(Typed::Gone)
    }

    /// The next event if it is here already.
    pub fn try_next(&mut self) -> Option<Typed> {
        self.typed.try_recv().ok()
    }
}

fn read(closed: &PipeReader, sender: &mpsc::Sender<Typed>) {
    let stdin = io::stdin();
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let mut watched = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(closed, PollFlags::empty())];
        let pause = decoder.is_waiting().then_some(&SEQUENCE_PAUSE);
        let ready = match poll(&mut watched, pause) {
            Ok(ready) => ready,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(_) => break,
        };
        if !watched[1].revents().is_empty() {
            return;
        }
        // A dead terminal stays readable for ever: it must be asked for by name, before reading.
        if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            break;
        }
        if ready == 0 {
            decoder.give_up(&mut events);
        } else {
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(0) => break,
                Ok(len) => decoder.feed(&buffer[..len], &mut events),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => break,
            }
        }
        for event in events.drain(..) {
            if sender.blocking_send(Typed::Event(event)).is_err() {
                return;
            }
        }
    }
    let _ = sender.blocking_send(Typed::Gone);
}
