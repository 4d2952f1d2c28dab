//! Leaving the dashboard: what is asked while paid answers are open.
//!
//! Knows what is still open. Must not know how the process ends.

use super::App;
use super::input::{Effect, QuitHow};
use super::overlay::{Ask, Overlay, Then};

impl App {
    /// Leaves, asking first while paid answers are open; asked again while it asks, leaves at once.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let asked = matches!(self.overlays.last(), Some(Overlay::Ask(ask)) if ask.then == Then::Leave);
        let (orders, clips) = self.still_open();
        if asked || self.read_only.is_some() {
            return self.save_draft().into_iter().chain([Effect::Quit(QuitHow::Now)]).collect();
        }
        if orders + clips == 0 && !self.compose.is_pending() {
            return self.leave();
        }
        let mut lines = Vec::new();
        if orders > 0 {
            lines.push(format!("{orders} paid {} waiting for the service's answer.", are(orders, "order")));
        }
        if clips > 0 {
            lines.push(format!("{clips} {} on the way to disk.", are(clips, "clip")));
        }
        if self.compose.is_pending() {
            lines.push("The form is being queued.".to_owned());
        }
        lines.push("Yes waits for them, sends nothing new, and leaves.".to_owned());
        lines.push("Ctrl-Q again leaves at once; they are picked up at the next start.".to_owned());
        self.overlays.push(Overlay::Ask(Ask::new("Leave", lines, Then::Leave)));
        Vec::new()
    }

    pub(super) fn leave(&mut self) -> Vec<Effect> {
        self.save_draft().into_iter().chain([Effect::Quit(QuitHow::Drain)]).collect()
    }
}

/// `1 order is`, `2 orders are`, without the number.
fn are(n: usize, noun: &str) -> String {
    if n == 1 { format!("{noun} is") } else { format!("{noun}s are") }
}
