//! What the system tells the process: stop, suspend, go on, another size.
//!
//! Knows signals by name. Must not know what is done about them.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal means to the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// End; this is the signal's number.
    Stop(i32),
    /// Give the terminal back and stop until continued.
    Suspend,
    /// The process was continued.
    Continued,
    /// The screen has another size.
    Resized,
}

/// The signals that end the process: INT, TERM, HUP and QUIT.
///
/// From the first one made, none of them ends the process by itself any more.
#[derive(Debug)]
pub struct Stops {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Stops {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen() -> io::Result<Stops> {
        Ok(Stops {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// The number of one that has come already.
    pub async fn caught(&mut self) -> Option<i32> {
        tokio::time::timeout(std::time::Duration::ZERO, self.next()).await.ok()
    }

    /// The next signal's number; the exit code is 128 more. Cancel-safe.
    pub async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            biased;
            Some(()) = self.hang_up.recv() => SignalKind::hangup(),
            Some(()) = self.terminate.recv() => SignalKind::terminate(),
            Some(()) = self.interrupt.recv() => SignalKind::interrupt(),
            Some(()) = self.quit.recv() => SignalKind::quit(),
        };
        kind.as_raw_value()
    }
}

/// All signals that the dashboard cares about.
#[derive(Debug)]
pub struct Signals<'a> {
    stops: &'a mut Stops,
    suspend: Signal,
    continued: Signal,
    resized: Signal,
}

impl Signals<'_> {
    /// Starts to listen for the others too: a stop that came since `stops` was made is not lost.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen(stops: &mut Stops) -> io::Result<Signals<'_>> {
        Ok(Signals {
            stops,
            suspend: signal(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(Number::CONT.as_raw()))?,
            resized: signal(SignalKind::window_change())?,
        })
    }

    /// The next one, the most urgent first. Cancel-safe.
    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            biased;
            number = self.stops.next() => Caught::Stop(number),
            Some(()) = self.continued.recv() => Caught::Continued,
            Some(()) = self.suspend.recv() => Caught::Suspend,
            Some(()) = self.resized.recv() => Caught::Resized,
        }
    }
}
