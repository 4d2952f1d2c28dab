//! The real program on a real terminal: how it leaves, what it writes, what it survives.

#[path = "support/admin.rs"]
mod admin;
#[path = "terminal/clip.rs"]
mod clip;
#[path = "terminal/editor.rs"]
mod editor;
#[path = "terminal/gate.rs"]
mod gate;
#[path = "terminal/journey.rs"]
mod journey;
#[path = "terminal/leaving.rs"]
mod leaving;
#[path = "terminal/line.rs"]
mod line;
#[path = "terminal/plain.rs"]
mod plain;
#[path = "terminal/pty.rs"]
mod pty;
#[path = "terminal/ring.rs"]
mod ring;
#[path = "terminal/ring_run.rs"]
mod ring_run;
#[path = "terminal/scene.rs"]
mod scene;
#[path = "terminal/stage.rs"]
mod stage;
