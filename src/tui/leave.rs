//! After the screen: the engine finishes what was paid for, without a face.
//!
//! Knows how the dashboard ended and the engine's handle. Must not draw.

use rustix::process::Signal;

use super::output::say;
use super::signals::Stops;
use super::{Ended, QuitHow};
use crate::engine::{Engine, Leave};

/// Lets the engine end as the dashboard did; the exit code.
///
/// After a signal, or when the terminal is gone, orders under way are still answered and downloads finished. A
/// second INT, TERM or QUIT leaves at once; a second HUP does not: a closing terminal sends several.
pub async fn leave(engine: Option<Engine>, ended: Ended, stops: &mut Stops) -> u8 {
    let hang_up = Signal::HUP.as_raw();
    let (how, code) = match ended {
        Ended::Quit(QuitHow::Now) => (Leave::Now, 0),
        Ended::Quit(QuitHow::Drain) => (Leave::Drain, 0),
        Ended::Signal(number) => (Leave::Drain, exit_code(number)),
        Ended::TerminalGone => (Leave::Drain, exit_code(hang_up)),
    };
    // Who only looked on has nothing to finish.
    let Some(engine) = engine else { return code };
    let leaving = engine.leave(how);
    tokio::pin!(leaving);
    let mut told = code == exit_code(hang_up);
    loop {
        tokio::select! {
            biased;
            fault = &mut leaving => {
                fault.iter().flat_map(|lines| lines.lines()).for_each(say);
                return if fault.is_some() { code.max(FAULT) } else { code };
            }
            number = stops.next() => {
                if number != hang_up {
                    say("Left at once; what is on disk goes on at the next start.");
                    return exit_code(number);
                }
            }
            () = tokio::time::sleep(TELL), if !told => {
                told = true;
                say("Waiting for orders under way and for downloads; Ctrl-C leaves at once, and the next start goes on.");
            }
        }
    }
}

/// The exit code where something could not be kept and no signal ended it.
const FAULT: u8 = 1;

/// How long leaving may take before the user is told why.
const TELL: std::time::Duration = std::time::Duration::from_millis(300);

fn exit_code(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(u8::MAX)
}
