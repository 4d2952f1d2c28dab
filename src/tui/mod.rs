//! The terminal face: one loop between terminal, app and engine.
//!
//! Knows app, the engine's handle, config and domain; never HTTP, files or job rules. Nothing here waits for the
//! terminal: bytes leave through a thread of their own, and while they are stuck no frame is drawn.

pub mod decode;
pub mod frame;
pub mod input;
pub mod output;
pub mod signals;
pub mod terminal;
pub mod theme;
pub mod view;

pub use self::output::say;
pub use self::signals::Stops;
pub use self::terminal::{TerminalError, copy};
