//! Files on disk: checks, names, sidecars, the disk itself. Knows the domain.
//!
//! Must not know providers, the database or the engine: what is claimed and booked is theirs.
//!
//! A clip's way: [`check_room`] before it is paid for, [`ClipWriter`] while it comes, [`check`] when
//! it is there, [`publish`](publish::publish) under the claimed name, [`publish_sidecar`] beside it.

#[cfg(test)]
mod diary;
pub mod disk;
mod gif;
pub mod inspect;
mod mp4;
pub mod naming;
pub mod publish;
pub mod remnant;
pub mod room;
pub mod shrink;
pub mod sidecar;
mod track;
mod webm;
pub mod writer;

pub use disk::{Disk, DiskFile, ReadSeek, RealDisk};
pub use inspect::{ClipInfo, Container, NotAClip, inspect, inspect_in};
pub use naming::{DEFAULT_TEMPLATE, Template, part_base};
pub use publish::{PublishError, check, find_published, next_name, publish_sidecar};
pub use remnant::{has_hole, remnant};
pub use room::{NoRoom, check_room};
pub use sidecar::recipe;
pub use writer::{ClipWriter, PartFile, SYNC_EVERY, Written, part_path};
