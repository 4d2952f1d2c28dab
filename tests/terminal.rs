//! The real program on a real terminal: how it leaves, what it writes, what it survives.

#[path = "terminal/clip.rs"]
mod clip;
#[path = "terminal/journey.rs"]
mod journey;
#[path = "terminal/leaving.rs"]
mod leaving;
#[path = "terminal/line.rs"]
mod line;
#[path = "terminal/pty.rs"]
mod pty;
#[path = "terminal/stage.rs"]
mod stage;
