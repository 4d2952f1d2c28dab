//! The terminal face. Knows app, the engine's handle, config and domain; never HTTP, files or job rules.

pub mod theme;
pub mod view;
