//! The last metre: from a link, or from the bytes that came with an answer, to a checked file.
//!
//! Knows providers, the disk and media checks. Must not decide what a lost download means, nor mark
//! anything done: it reports files that are published, checked and hashed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::core::{DownloadError, Input};
use super::kept::{self, PARTIAL, Remains};
use super::places::paced;
use super::shell::Tools;
use crate::domain::sink::{ClipHead, ClipSink};
use crate::domain::{AccountProfile, ClipFile, ErrorKind, Job};
use crate::media::publish::{hash_file, publish};
use crate::media::{
    ClipWriter, Container, Disk, NotAClip, PartFile, PublishError, SYNC_EVERY, Template, Written, check,
    find_published, next_name, part_base, part_path,
};
use crate::mutation::mutated;
use crate::provider::{FetchError, Provider, Resume, ServiceError};

/// A cut transfer is taken up again so often before the core is asked what to do.
const TRIES_AT_ONCE: u32 = 3;

/// A recipe is a page of text; anything longer is none.
const RECIPE_MAX: u64 = 1 << 20;

/// Every kind of file that a clip may turn out to be.
const KINDS: [Container; 5] =
    [Container::Mp4, Container::Webm, Container::QuickTime, Container::Matroska, Container::Gif];

/// A name for a job's clips that no other job has claimed and no file has; without ordinal and extension.
///
/// # Errors
/// A sentence when the template is wrong or the directory cannot be looked at.
pub(super) fn free_stem(tools: &Tools, job: &Job) -> Result<String, String> {
    let settings = &tools.settings;
    let template = match &settings.name_template {
        Some(text) => Template::parse(text)?,
        None => Template::default(),
    };
    let name = template.stem(job, 1, &settings.time_zone);
    for n in 1..1000 {
        let name = if n == 1 { name.clone() } else { format!("{name} ({n})") };
        let stem = settings.output_dir.join(&name).to_string_lossy().into_owned();
        let claimed = tools.store.claimant(&stem).map_err(|error| error.to_string())?;
        let exists =
            |extension: &str| tools.disk.len(Path::new(&format!("{stem}.{extension}"))).map(|len| len.is_some());
        let mut taken = claimed.is_some_and(|owner| owner != job.id);
        for extension in KINDS.iter().map(|kind| kind.extension()).chain(["json", PARTIAL]) {
            taken |= exists(extension).map_err(|error| format!("{stem}.{extension}: {error}"))?;
        }
        if !taken {
            return Ok(stem);
        }
    }
    Err(format!(
        "a thousand files are named like {name} in {} already; change the name template",
        settings.output_dir.display()
    ))
}

/// The disk as one job writes to it.
pub(super) fn disk_of(tools: &Tools, job: &Job) -> Arc<dyn Disk> {
    tools.settings.points.disk(&tools.disk, job.id)
}

/// Where the parts of a job lie.
pub(super) fn base(job: &Job) -> PathBuf {
    let stem = Path::new(job.stem.as_deref().unwrap_or_default());
    let name = stem.file_name().unwrap_or_default().to_string_lossy();
    part_base(stem.parent().unwrap_or(Path::new(".")), &name, job)
}

/// The name of a job's clip.
pub(super) fn final_name(job: &Job, ordinal: u32, extension: &str) -> PathBuf {
    let stem = job.stem.as_deref().unwrap_or_default();
    PathBuf::from(if ordinal == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{ordinal}.{extension}") })
}

/// A sink for clips that come with an order's answer, and a look at it from outside.
pub(super) fn sink_for(tools: &Tools, job: &Job) -> (Box<dyn ClipSink>, Arc<Written>) {
    let writer = ClipWriter::new(disk_of(tools, job), base(job), 1);
    let written = writer.written();
    (Box::new(writer), written)
}

/// Brings a job's clips to disk and reports.
pub(super) async fn run(tools: Tools, job: Box<Job>, profile: AccountProfile) {
    let id = job.id;
    let result = match tools.places.of(&job.request.account).acquire_owned().await {
        Ok(_place) => collect(&tools, job, profile).await,
        // The semaphore is never closed; were it, the job would simply be tried again.
        Err(_) => Err(service(ErrorKind::Unavailable, "the engine is leaving")),
    };
    tools.settings.points.reach("download.ended", id);
    let _ = tools.messages.send(Input::Downloaded { job: id, result }.into());
}

async fn collect(tools: &Tools, job: Box<Job>, profile: AccountProfile) -> Result<Vec<ClipFile>, DownloadError> {
    let job: Arc<Job> = Arc::from(job);
    if job.links.is_empty() {
        let (disk, owner) = (disk_of(tools, &job), job);
        return match blocking(move || kept::gather(&*disk, &owner, false)).await? {
            Remains { files, broken: Some((why, plays)) } => Err(DownloadError::Partial(files, why, plays)),
            Remains { files, .. } if files.is_empty() => {
                Err(DownloadError::Fetch(FetchError::NotAClip("no bytes of it are on disk".to_owned())))
            }
            Remains { files, .. } => Ok(files),
        };
    }
    let mut files = Vec::new();
    for (ordinal, link) in (1..).zip(&job.links) {
        let (disk, owner) = (disk_of(tools, &job), job.clone());
        if let Found::Published(file) = blocking(move || already(&*disk, &owner, ordinal)).await? {
            files.push(file);
            continue;
        }
        let part = fetch(tools, &job, ordinal, link, &profile).await?;
        if mutated("done_before_hash") {
            report_early(tools, &job, &part).await;
        }
        let (disk, owner) = (disk_of(tools, &job), job.clone());
        files.push(blocking(move || settle(&*disk, &owner, ordinal, &part)).await?);
    }
    let (disk, owner) = (disk_of(tools, &job), job);
    blocking(move || {
        kept::recipes(&*disk, &finished(&owner, &files))?;
        kept::drop_parts(&*disk, &owner)?;
        Ok(files)
    })
    .await
}

/// The mutation: a part that came is reported as the published clip, and publishing takes its time.
async fn report_early(tools: &Tools, job: &Job, part: &PartFile) {
    let path = final_name(job, 1, KINDS[0].extension()).to_string_lossy().into_owned();
    let (bytes, sha256, kind) = (part.bytes, part.sha256.clone(), crate::domain::FileKind::Video);
    let file = ClipFile { path, bytes, sha256, kind, width: None, height: None, duration_ms: None };
    let _ = tools.messages.send(Input::Downloaded { job: job.id, result: Ok(vec![file]) }.into());
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

/// The job as it will be once the engine has heard of its files.
pub(super) fn finished(job: &Job, files: &[ClipFile]) -> Job {
    let mut job = job.clone();
    job.files = files.to_vec();
    job.error = None;
    let now = jiff::Timestamp::now();
    // From `downloading` this is always legal.
    let _ = job.advance(crate::domain::JobState::Done, now);
    job
}

pub(super) enum Found {
    Published(ClipFile),
    Part(PartFile),
    Nothing,
}

/// What an earlier try left of a clip: published before a crash, or in part.
pub(super) fn already(disk: &dyn Disk, job: &Job, ordinal: u32) -> Result<Found, DownloadError> {
    let path = part_path(&base(job), ordinal);
    if disk.len(&path).map_err(disk_error)?.is_some() {
        let (bytes, sha256) = hash_file(disk, &path).map_err(disk_error)?;
        return Ok(Found::Part(PartFile { path, bytes, sha256, whole: false }));
    }
    for kind in KINDS {
        // Something else under the claimed name is not ours: publishing will take the next name.
        let path = final_name(job, ordinal, kind.extension());
        if is_of_another(disk, job, &path) {
            continue;
        }
        if let Ok(Some(file)) = find_published(disk, &path) {
            return Ok(Found::Published(file));
        }
    }
    Ok(Found::Nothing)
}

/// Whether the recipe beside a clip names another order: two data directories may share an output
/// directory, and a claim holds in one of them only.
fn is_of_another(disk: &dyn Disk, job: &Job, clip: &Path) -> bool {
    let recipe = disk.read(&clip.with_extension("json")).ok();
    let recipe: Option<serde_json::Value> = recipe.and_then(|text| serde_json::from_reader(text.take(RECIPE_MAX)).ok());
    let named = recipe.as_ref().and_then(|recipe| recipe["correlation"].as_str());
    named.is_some_and(|named| named != job.correlation)
}

/// Downloads one clip into its part file, taking a cut transfer up again where it was cut.
async fn fetch(
    tools: &Tools,
    job: &Job,
    ordinal: u32,
    link: &str,
    profile: &AccountProfile,
) -> Result<PartFile, DownloadError> {
    let provider: Arc<dyn Provider> = match tools.providers.get(&job.request.account) {
        Some(provider) => provider.clone(),
        None => return Err(service(ErrorKind::Unavailable, "its account is not configured now")),
    };
    let known = job.validators.get(&ordinal).cloned();
    let there = {
        let (disk, path) = (disk_of(tools, job), part_path(&base(job), ordinal));
        blocking(move || disk.len(&path).map_err(disk_error)).await?
    };
    let mut resume = taken_up(there, tools.places.left(job.id, ordinal), known.clone());
    let mut tries = 1;
    loop {
        tools.settings.points.reach("download.begun", job.id);
        let writer = ClipWriter::new(disk_of(tools, job), base(job), ordinal);
        let written = writer.written();
        let mut writer = Noting { writer, job: job.id, ordinal, known: known.clone(), tools: tools.clone() };
        let fetched = paced(provider.fetch(link, resume.as_ref(), profile, &mut writer), &written).await;
        let part = writer.writer.finish().pop();
        match (fetched, part) {
            (Some(Ok(())), Some(part)) => return Ok(part),
            (Some(Ok(())), None) => {
                return Err(DownloadError::Fetch(FetchError::NotAClip("the answer was empty".to_owned())));
            }
            (None, part) => {
                // Its place is another's now; its bytes are taken up again in its turn.
                part.into_iter().for_each(|part| tools.places.leave(job.id, ordinal, part.bytes));
                let name = provider.service().title();
                let text = format!("{name} sends it at less than 1 KB/s; it is taken up again where it stopped");
                return Err(service(ErrorKind::Unavailable, &text));
            }
            (Some(Err(FetchError::Service(error))), Some(part))
                if error.kind == ErrorKind::Unavailable && tries < TRIES_AT_ONCE =>
            {
                let etag = written.head().and_then(|head| head.etag);
                // Without a validator the rest could be of another file: from the start, then.
                resume = etag.map(|etag| Resume { offset: part.bytes, etag: Some(etag) });
                tries += 1;
            }
            (Some(Err(error)), part) => {
                if let (FetchError::Service(_), Some(part)) = (&error, part) {
                    tools.places.leave(job.id, ordinal, part.bytes);
                }
                return Err(DownloadError::Fetch(error));
            }
        }
    }
}

/// Where a part is taken up again, with its validator: at the byte where this process `left` it; else
/// without what may not have reached the medium before a loss of power.
fn taken_up(there: Option<u64>, left: Option<u64>, etag: Option<String>) -> Option<Resume> {
    let there = there?;
    let offset = left.filter(|left| *left <= there).unwrap_or(there.saturating_sub(2 * SYNC_EVERY));
    etag.filter(|_| offset > 0).map(|etag| Resume { offset, etag: Some(etag) })
}

/// A writer that tells the core what its download can be taken up again with.
struct Noting {
    writer: ClipWriter,
    job: crate::domain::JobId,
    ordinal: u32,
    known: Option<String>,
    tools: Tools,
}

impl ClipSink for Noting {
    fn begin(&mut self, head: &ClipHead) -> std::io::Result<()> {
        // First the old bytes go: a validator must never stand beside the bytes of another file.
        self.writer.begin(head)?;
        if self.known != head.etag {
            self.known.clone_from(&head.etag);
            let (job, ordinal, etag) = (self.job, self.ordinal, head.etag.clone());
            let _ = self.tools.messages.send(Input::Begun { job, ordinal, etag }.into());
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write(bytes)
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.writer.end()
    }
}

/// Checks what was downloaded and gives it its name.
fn settle(disk: &dyn Disk, job: &Job, ordinal: u32, part: &PartFile) -> Result<ClipFile, DownloadError> {
    let info = match check(disk, &part.path) {
        Ok(info) => info,
        Err(NotAClip::Io(error)) => return Err(disk_error(error)),
        Err(why) => {
            let why = kept::set_aside(disk, job, ordinal, part, &why)?;
            return Err(DownloadError::Fetch(FetchError::NotAClip(why)));
        }
    };
    name(disk, part, Some(&info), final_name(job, ordinal, info.extension))
}

pub(super) fn name(
    disk: &dyn Disk,
    part: &PartFile,
    info: Option<&crate::media::ClipInfo>,
    mut to: PathBuf,
) -> Result<ClipFile, DownloadError> {
    loop {
        match publish(disk, part, info, &to) {
            Ok(file) => return Ok(file),
            Err(PublishError::Taken(taken)) => to = next_name(&taken),
            Err(PublishError::Disk { source, .. }) => return Err(disk_error(source)),
            Err(other) => return Err(DownloadError::Fetch(FetchError::NotAClip(other.to_string()))),
        }
    }
}

pub(super) fn disk_error(error: std::io::Error) -> DownloadError {
    DownloadError::Fetch(FetchError::Disk(error))
}

fn service(kind: ErrorKind, message: &str) -> DownloadError {
    DownloadError::Fetch(FetchError::Service(ServiceError::new(kind, message)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(disk_error(std::io::Error::other(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_processs_part_is_taken_up_where_it_surely_reached_the_medium() {
        let etag = || Some("\"v1\"".to_owned());
        let at = |there, etag| taken_up(there, None, etag).map(|resume| resume.offset);
        assert_eq!(at(Some(5 * SYNC_EVERY), etag()), Some(3 * SYNC_EVERY));
        assert_eq!(at(Some(5 * SYNC_EVERY), None), None, "without a validator it may be another file");
        assert_eq!(at(Some(2 * SYNC_EVERY), etag()), None);
        assert_eq!(at(None, etag()), None);
        let own = |there, left| taken_up(Some(there), Some(left), etag()).map(|resume| resume.offset);
        assert_eq!((own(900, 900), own(900, 901)), (Some(900), None), "its own it takes up where it left it");
    }
}
