//! What the program does: queue, submit, poll, download. Knows provider, store, media, catalog, config, domain.

pub mod core;
