//! Files on disk: checks, names, sidecars, the disk itself. Knows the domain.
//!
//! Must not know providers, the database or the engine: what is claimed and booked is theirs.

pub mod disk;
mod gif;
pub mod inspect;
mod mp4;
mod track;
mod webm;

pub use disk::{Disk, DiskFile, ReadSeek, RealDisk};
pub use inspect::{ClipInfo, Container, NotAClip, inspect, inspect_in};
