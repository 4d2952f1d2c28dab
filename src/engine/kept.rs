//! What came of clips, with an answer or from a link: whole clips with their recipes, and parts as files that the user
//! is told of.
//!
//! Knows the disk and media checks. Must not decide what it means for the job: that is the core's.

use std::path::Path;

use super::core::{DownloadError, Input};
use super::download::{Found, already, base, disk_error, final_name, finished, name};
use super::shell::Tools;
use crate::domain::{ClipFile, FileKind, Job, JobId};
use crate::media::publish::hash_file;
use crate::media::{ClipInfo, Disk, NotAClip, PartFile, check, has_hole, part_path, publish_sidecar, recipe, remnant};

/// The ending of a file that holds a part of a clip.
pub(super) const PARTIAL: &str = "partial";

/// What an answer brought, in its order.
pub(super) struct Remains {
    /// Whole clips under a clip's name, and parts.
    pub(super) files: Vec<ClipFile>,
    /// Why the first part is no clip, and whether it plays.
    pub(super) broken: Option<(String, String)>,
}

/// Looks at what an answer that was lost left of a job's clips, and keeps it: the input for the core, if
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
    let mut whole = 0;
    for ordinal in 1.. {
        let sound = match there(disk, job, ordinal)? {
            There::Clip(_) => true,
            There::Part(part) => sound(disk, &part, after_crash)?.is_ok(),
            There::Kept(_) => false,
            There::Nothing => break,
        };
        if !sound {
            let Remains { files, broken } = gather(disk, job, after_crash)?;
            let plays = broken.map(|(_, plays)| plays).unwrap_or_default();
            return Ok(Some(Input::Kept { job: job.id, files, plays }));
        }
        whole += 1;
    }
    Ok((whole > 0).then_some(Input::Found { job: job.id }))
}

/// Gives each clip that came with an answer its name, and whole ones their recipe; what a crash left half
/// done is done.
pub(super) fn gather(disk: &dyn Disk, job: &Job, after_crash: bool) -> Result<Remains, DownloadError> {
    let (mut files, mut broken) = (Vec::new(), None);
    for ordinal in 1.. {
        let (part, why) = match there(disk, job, ordinal)? {
            There::Clip(file) => {
                files.push(file);
                continue;
            }
            There::Nothing => break,
            There::Kept(part) => {
                let why = sound(disk, &part, after_crash)?.err();
                (part, why.unwrap_or_else(|| "its end may be missing".to_owned()))
            }
            There::Part(part) => match sound(disk, &part, after_crash)? {
                Ok(info) => {
                    files.push(name(disk, &part, Some(&info), final_name(job, ordinal, info.extension))?);
                    continue;
                }
                Err(why) => (part, why),
            },
        };
        // It came with the answer and will not come again: its bytes are kept under their own name.
        let plays = remnant(disk, &part.path).map_err(disk_error)?;
        let named = final_name(job, ordinal, PARTIAL);
        let file = if part.path == named { as_file(&part) } else { name(disk, &part, None, named)? };
        files.push(ClipFile { duration_ms: plays.plays_ms(), ..file });
        broken.get_or_insert_with(|| (why, plays.to_string()));
    }
    let told = if broken.is_some() { Job { files: files.clone(), ..job.clone() } } else { finished(job, &files) };
    recipes(disk, &told)?;
    Ok(Remains { files, broken })
}

/// Writes the recipe of each whole clip of a job that has none yet.
pub(super) fn recipes(disk: &dyn Disk, job: &Job) -> Result<(), DownloadError> {
    for file in job.files.iter().filter(|file| file.kind != FileKind::Partial) {
        let clip = Path::new(&file.path);
        // A clip that was published before a crash may have its recipe already.
        if disk.len(&clip.with_extension("json")).map_err(disk_error)?.is_none() {
            publish_sidecar(disk, clip, &recipe(job, file)).map_err(disk_error)?;
        }
    }
    Ok(())
}

/// What there is of one clip of an answer.
enum There {
    /// It has a clip's name.
    Clip(ClipFile),
    /// It was written, and not looked at yet.
    Part(PartFile),
    /// It was kept as a part before a crash.
    Kept(PartFile),
    Nothing,
}

fn there(disk: &dyn Disk, job: &Job, ordinal: u32) -> Result<There, DownloadError> {
    // An empty part is what a crash leaves between a file's making and its first byte.
    if disk.len(&part_path(&base(job), ordinal)).map_err(disk_error)? != Some(0) {
        match already(disk, job, ordinal)? {
            Found::Published(file) => return Ok(There::Clip(file)),
            Found::Part(part) => return Ok(There::Part(part)),
            Found::Nothing => {}
        }
    }
    let path = final_name(job, ordinal, PARTIAL);
    if disk.len(&path).map_err(disk_error)?.is_none() {
        return Ok(There::Nothing);
    }
    let (bytes, sha256) = hash_file(disk, &path).map_err(disk_error)?;
    Ok(There::Kept(PartFile { path, bytes, sha256, whole: false }))
}

/// What a part is, or why it is no whole clip.
fn sound(disk: &dyn Disk, part: &PartFile, after_crash: bool) -> Result<Result<ClipInfo, String>, DownloadError> {
    match check(disk, &part.path) {
        Ok(_) if after_crash && has_hole(disk, &part.path).map_err(disk_error)? => {
            Ok(Err("its end did not reach the disk".to_owned()))
        }
        Ok(info) => Ok(Ok(info)),
        Err(NotAClip::Io(error)) => Err(disk_error(error)),
        Err(why) => Ok(Err(why.to_string())),
    }
}

/// One that has its name since before a crash.
fn as_file(part: &PartFile) -> ClipFile {
    ClipFile {
        path: part.path.to_string_lossy().into_owned(),
        bytes: part.bytes,
        sha256: part.sha256.clone(),
        kind: FileKind::Partial,
        width: None,
        height: None,
        duration_ms: None,
    }
}

/// What was downloaded is no whole clip, and is asked for again. Should it never come whole, the longest that came
/// is still there: it was paid for. Returns why, and where that is.
pub(super) fn set_aside(
    disk: &dyn Disk,
    job: &Job,
    ordinal: u32,
    part: &PartFile,
    why: &NotAClip,
) -> Result<String, DownloadError> {
    let kept = final_name(job, ordinal, PARTIAL);
    let before = disk.len(&kept).map_err(disk_error)?;
    if !why.is_of_a_clip() {
        disk.remove(&part.path).map_err(disk_error)?;
        return Ok(why.to_string());
    }
    let longest = match before {
        Some(len) if len >= part.bytes => {
            disk.remove(&part.path).map_err(disk_error)?;
            len
        }
        before => {
            before.map_or(Ok(()), |_| disk.remove(&kept)).map_err(disk_error)?;
            disk.rename_no_replace(&part.path, &kept).map_err(disk_error)?;
            part.bytes
        }
    };
    Ok(format!("{why}; {longest} bytes of it are kept at {} until it comes whole", kept.display()))
}

/// Removes what [`set_aside`] kept of clips that have come whole.
pub(super) fn drop_parts(disk: &dyn Disk, job: &Job) -> Result<(), DownloadError> {
    for (ordinal, _) in (1..).zip(&job.links) {
        let kept = final_name(job, ordinal, PARTIAL);
        if disk.len(&kept).map_err(disk_error)?.is_some() {
            disk.remove(&kept).map_err(disk_error)?;
        }
    }
    Ok(())
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
