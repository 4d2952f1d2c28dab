//! What came of a clip with an answer that was cut: whole after all, or kept as a file that the user is told of.
//!
//! Knows the disk and media checks. Must not decide what it means for the job: that is the core's.

use super::core::{DownloadError, Input};
use super::download::{base, final_name, name};
use super::shell::Tools;
use crate::domain::{ClipFile, Job, JobId};
use crate::media::publish::hash_file;
use crate::media::{Disk, PartFile, check, has_hole, part_path, remnant};

/// The ending of a file that holds a part of a clip.
pub(super) const PARTIAL: &str = "partial";

/// Looks at what an answer that was lost left of a job's clip, and keeps it: the input for the core, if
/// anything came. `after_crash`: the power may have gone while it was written.
pub(super) fn look(disk: &dyn Disk, job: &Job, after_crash: bool) -> Option<Input> {
    job.stem.as_ref()?;
    match keep(disk, job, after_crash) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!("{}: what came of its clip cannot be looked at: {error:?}", job.id);
            None
        }
    }
}

fn keep(disk: &dyn Disk, job: &Job, after_crash: bool) -> Result<Option<Input>, DownloadError> {
    let broken = |error| DownloadError::Fetch(crate::provider::FetchError::Disk(error));
    let (part, named) = (part_path(&base(job), 1), final_name(job, 1, PARTIAL));
    let path = match (disk.len(&part).map_err(broken)?, disk.len(&named).map_err(broken)?) {
        (None | Some(0), None) => return Ok(None),
        (None | Some(0), Some(_)) => named.clone(),
        (Some(_), _) => part.clone(),
    };
    let is_part = path == part;
    if is_part && check(disk, &path).is_ok() && !(after_crash && has_hole(disk, &path).map_err(broken)?) {
        return Ok(Some(Input::Found { job: job.id }));
    }
    let plays = remnant(disk, &path).map_err(broken)?;
    let (bytes, sha256) = hash_file(disk, &path).map_err(broken)?;
    let part = PartFile { path, bytes, sha256, whole: false };
    let file = if is_part { name(disk, &part, None, named)? } else { as_file(&part) };
    let file = ClipFile { duration_ms: plays.plays_ms(), ..file };
    Ok(Some(Input::Kept { job: job.id, file, plays: plays.to_string() }))
}

/// One that has its name since before a crash.
fn as_file(part: &PartFile) -> ClipFile {
    ClipFile {
        path: part.path.to_string_lossy().into_owned(),
        bytes: part.bytes,
        sha256: part.sha256.clone(),
        kind: crate::domain::FileKind::Partial,
        width: None,
        height: None,
        duration_ms: None,
    }
}

/// Looks, without holding up the loop, once the core knows that the answer is lost.
pub(super) async fn report(tools: Tools, job: Job) {
    let (disk, id): (_, JobId) = (super::download::disk_of(&tools, &job), job.id);
    let looked = tokio::task::spawn_blocking(move || look(&*disk, &job, false)).await;
    match looked {
        Ok(Some(input)) => drop(tools.messages.send(input.into())),
        Ok(None) => {}
        Err(error) => tracing::error!("{id}: {error}"),
    }
}
