//! The command line face: one file a verb group. Knows the engine's handle, config and domain.

pub mod batch;
pub mod shelf;
