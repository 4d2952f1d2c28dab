//! What becomes of the local media files of a request: checked, made smaller where the user agreed,
//! copied into the data directory and named by hash; and loaded again when the order is built.
//!
//! Knows files, stored inputs and the limits that a model's description names. Must not know services.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::core::Unprepared;
use super::shell::Tools;
use crate::domain::message::NewJob;
use crate::domain::model::{Parameter, ParameterKind};
use crate::domain::request::is_url;
use crate::domain::{Job, Model, Problem};
use crate::media::shrink::shrink;
use crate::provider::Input;
use crate::store::{Change, Store, StoredInput, load_input, measure_input, put_input, put_input_bytes};

/// Largest picture that is opened to be made smaller, in bytes.
const PICTURE_MAX: u64 = 128 << 20;
/// Below this a share of the room for files is not worth a picture, in bytes.
const SHARE_MIN: u64 = 32 << 10;

/// What keeping the files of a request came to.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What goes into the database.
    pub(super) changes: Vec<Change>,
    /// For the job's history: a sentence, and the same for programs.
    pub(super) notes: Vec<(String, Value)>,
}

/// Pictures made smaller by one command, by field, path and target: a batch may name one picture a
/// thousand times.
pub(super) type Made = Arc<Mutex<HashMap<(String, String, u64), (StoredInput, (String, Value))>>>;

/// A media parameter with a local file in it.
struct Given {
    field: String,
    kind: ParameterKind,
    path: String,
    /// Most bytes of this one file.
    most: Option<u64>,
}

/// A given file, looked at.
struct Measured {
    given: Given,
    bytes: u64,
}

/// What a request names as files, and for which parameter: paths, and files that were kept before.
fn named<'a>(model: &'a Model, job: &'a NewJob) -> impl Iterator<Item = (&'a Parameter, &'a str)> {
    let all = model.parameters.iter().chain(model.advanced.iter());
    all.filter(|parameter| parameter.kind.is_media() && parameter.wire_data.is_some()).filter_map(|parameter| {
        // What is no text is no path either; the check names its type.
        let value = job.request.params.get(&parameter.name)?.as_str()?;
        (!value.trim().is_empty() && !is_url(value)).then_some((parameter, value))
    })
}

/// Whether a request names local media files that are to be kept.
pub(super) fn has_files(model: &Model, job: &NewJob) -> bool {
    named(model, job).any(|(_, value)| !value.starts_with("sha256:"))
}

/// Copies a request's local media files into the data directory and names them by hash. All files of
/// a request go out in one body, so together they may have no more bytes than one alone.
///
/// # Errors
/// A problem for each file that cannot be kept; the request is unchanged then.
pub(super) async fn keep(tools: &Tools, model: &Model, job: &mut NewJob, made: &Made) -> Result<Kept, Vec<Problem>> {
    let (given, room) = given(&tools.store, model, job);
    if given.is_empty() {
        return Ok(Kept::default());
    }
    let (dir, may_shrink) = (tools.settings.data_dir.clone(), job.shrink);
    let made = made.clone();
    let keeping = tokio::task::spawn_blocking(move || keep_all(&dir, given, room, may_shrink.then_some(&made))).await;
    let kept = keeping.map_err(|error| vec![Problem::new("params", "file", format!("cannot be kept: {error}"))])??;
    let mut done = Kept::default();
    for (field, path, input, note) in kept {
        job.request.params.insert(field, format!("sha256:{}", input.sha256).into());
        done.changes.push(Change::PutInput { sha256: input.sha256, mime: input.mime, bytes: input.bytes, name: path });
        done.notes.extend(note);
    }
    Ok(done)
}

/// What is wrong with a request's local media files, as they are now; nothing is kept. It reads the disk.
pub(super) fn faults(store: &Store, model: &Model, job: &NewJob) -> Vec<Problem> {
    let (given, room) = given(store, model, job);
    measured(given).and_then(|files| targets(&files, room, job.shrink)).err().unwrap_or_default()
}

/// The local files of a request, and how many bytes they may have together, where that is limited.
fn given(store: &Store, model: &Model, job: &NewJob) -> (Vec<Given>, Option<u64>) {
    let mut given = Vec::new();
    let (mut stored, mut limit) = (0, None);
    for (parameter, value) in named(model, job) {
        limit = limit.max(parameter.max_bytes);
        match value.strip_prefix("sha256:") {
            Some(hash) => stored += store.input(hash).ok().flatten().map_or(0, |(input, _)| input.bytes),
            None => given.push(Given {
                field: parameter.name.clone(),
                kind: parameter.kind,
                path: value.to_owned(),
                most: parameter.max_bytes,
            }),
        }
    }
    (given, limit.map(|limit| limit.saturating_sub(stored)))
}

type KeptFile = (String, String, StoredInput, Option<(String, Value)>);

fn keep_all(
    dir: &Path,
    given: Vec<Given>,
    room: Option<u64>,
    shrinking: Option<&Made>,
) -> Result<Vec<KeptFile>, Vec<Problem>> {
    let measured = measured(given)?;
    let targets = targets(&measured, room, shrinking.is_some())?;
    let (mut kept, mut problems) = (Vec::new(), Vec::new());
    for (file, target) in measured.into_iter().zip(targets) {
        let Given { field, path, .. } = file.given;
        let stored = match target.zip(shrinking) {
            None => put_input(dir, Path::new(&path)).map(|input| (input, None)).map_err(|error| error.to_string()),
            Some((target, made)) => once(dir, (&field, &path, target), made).map(|(input, note)| (input, Some(note))),
        };
        match stored {
            Ok((input, note)) => kept.push((field, path, input, note)),
            Err(error) => problems.push(Problem::new(field, "file", format!("{path}: {error}"))),
        }
    }
    if problems.is_empty() { Ok(kept) } else { Err(problems) }
}

/// The files' lengths, if all are there and of the kind that their parameters take.
fn measured(given: Vec<Given>) -> Result<Vec<Measured>, Vec<Problem>> {
    let (mut measured, mut problems) = (Vec::new(), Vec::new());
    for given in given {
        match measure(&given) {
            Ok(bytes) => measured.push(Measured { given, bytes }),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(measured) } else { Err(problems) }
}

/// A file's length, if it is of the kind that its parameter takes.
fn measure(given: &Given) -> Result<u64, Problem> {
    let problem = |text: String| Problem::new(&given.field, "file", format!("{}: {text}", given.path));
    let (mime, bytes) = measure_input(Path::new(&given.path)).map_err(|error| {
        problem(match error.kind() {
            ErrorKind::NotFound if given.path.starts_with('~') => {
                "there is no such file; write the whole path, as `~` means something to shells only".to_owned()
            }
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::PermissionDenied => "this file may not be read".to_owned(),
            _ => error.to_string(),
        })
    })?;
    let fits = match given.kind {
        ParameterKind::Image => mime.starts_with("image/"),
        ParameterKind::Video => mime.starts_with("video/"),
        // A sound may come in a container that clips come in too.
        _ => !mime.starts_with("image/"),
    };
    let wanted = match given.kind {
        ParameterKind::Image => "a picture",
        ParameterKind::Video => "a video",
        _ => "a sound",
    };
    if fits { Ok(bytes) } else { Err(problem(format!("is {mime}, and {} takes {wanted}", given.field))) }
}

/// How many bytes each file is to be brought down to; `None` for one that stays as it is.
fn targets(files: &[Measured], room: Option<u64>, may_shrink: bool) -> Result<Vec<Option<u64>>, Vec<Problem>> {
    let own_limit = |file: &Measured| file.given.most.unwrap_or(u64::MAX).min(room.unwrap_or(u64::MAX));
    let too_large = |file: &Measured| file.bytes > own_limit(file);
    let total: u64 = files.iter().map(|file| file.bytes).sum();
    let crowded = room.is_some_and(|room| total > room);
    if !crowded && !files.iter().any(too_large) {
        return Ok(files.iter().map(|_| None).collect());
    }
    let movable = |file: &Measured| may_shrink && file.given.kind == ParameterKind::Image;
    let mut problems: Vec<Problem> = files
        .iter()
        .filter(|file| too_large(file) && !movable(file))
        .map(|file| refused(file, own_limit(file)))
        .collect();
    let fixed: u64 = files.iter().filter(|file| !movable(file)).map(|file| file.bytes).sum();
    let pictures = files.iter().filter(|file| movable(file)).count() as u64;
    let mut left = room.map(|room| room.saturating_sub(fixed));
    if problems.is_empty() && crowded && left.is_some_and(|left| left < SHARE_MIN * pictures.max(1)) {
        let named = |file: &Measured| format!("{} ({} bytes)", file.given.path, file.bytes);
        let names: Vec<String> = files.iter().map(named).collect();
        let text = format!(
            "{} are more together than one order takes, {} bytes. {}",
            names.join(" and "),
            room.unwrap_or_default(),
            ways_out(files.iter().any(|file| file.given.kind == ParameterKind::Image) && !may_shrink)
        );
        problems.extend(files.last().map(|file| Problem::new(&file.given.field, "max_bytes", text)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    // The smallest first: what it leaves of its share goes to the others.
    let mut order: Vec<usize> = (0..files.len()).filter(|n| movable(&files[*n])).collect();
    order.sort_by_key(|n| files[*n].bytes);
    let mut targets = vec![None; files.len()];
    for (done, n) in order.iter().enumerate() {
        let file = &files[*n];
        let share = left.map_or(u64::MAX, |left| left / (order.len() - done) as u64).min(own_limit(file));
        let takes = file.bytes.min(share);
        targets[*n] = (file.bytes > share).then_some(share);
        left = left.map(|left| left - takes);
    }
    Ok(targets)
}

fn refused(file: &Measured, limit: u64) -> Problem {
    let text = format!(
        "{} has {} bytes; at most {limit} are taken in an order. {}",
        file.given.path,
        file.bytes,
        ways_out(file.given.kind == ParameterKind::Image)
    );
    Problem::new(&file.given.field, "max_bytes", text)
}

fn ways_out(can_shrink: bool) -> &'static str {
    match can_shrink {
        true => "Give a public URL instead, or agree to have it made smaller (--shrink-images)",
        false => "Give a public URL instead",
    }
}

/// Makes a picture smaller unless this command has done so already.
fn once(dir: &Path, what: (&str, &str, u64), made: &Made) -> Result<(StoredInput, (String, Value)), String> {
    let key = (what.0.to_owned(), what.1.to_owned(), what.2);
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(done) = made.get(&key) {
        return Ok(done.clone());
    }
    let done = smaller(dir, what.0, what.1, what.2)?;
    made.insert(key, done.clone());
    Ok(done)
}

/// Makes a picture smaller and keeps the result, with a note that says what was done.
fn smaller(dir: &Path, field: &str, path: &str, target: u64) -> Result<(StoredInput, (String, Value)), String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > PICTURE_MAX {
        return Err(format!("has {length} bytes; only pictures of at most {PICTURE_MAX} are made smaller"));
    }
    let original = fs::read(path).map_err(|error| error.to_string())?;
    let hash = format!("{:x}", Sha256::digest(&original));
    let small = shrink(&original, target).map_err(|error| error.to_string())?;
    let input = put_input_bytes(dir, &small.jpeg).map_err(|error| error.to_string())?;
    let ((w, h), (to_w, to_h), before) = (small.from, small.to, original.len());
    let text = format!(
        "{field}: {path} was made smaller, as agreed: {w}x{h} and {before} bytes to {to_w}x{to_h} and {} bytes; \
         the original's SHA-256 is {hash}",
        input.bytes
    );
    let data = json!({
        "field": field, "original": {"sha256": hash, "width": w, "height": h, "bytes": before},
        "sent": {"sha256": input.sha256, "width": to_w, "height": to_h, "bytes": input.bytes},
    });
    Ok((input, (text, data)))
}

/// Loads the stored inputs of a job.
pub(super) fn load(tools: &Tools, job: &Job) -> Result<Vec<Input>, Unprepared> {
    let mut inputs = Vec::new();
    for (field, value) in &job.values {
        let Some(sha256) = value.as_str().and_then(|text| text.strip_prefix("sha256:")) else { continue };
        let gone = |text: String| Unprepared::Illegal(vec![Problem::new(field, "file", text)]);
        let bytes = load_input(&tools.settings.data_dir, sha256)
            .map_err(|error| gone(format!("the stored input is gone: {error}")))?;
        let kept = tools.store.input(sha256).ok().flatten();
        let mime = kept.map_or_else(|| "application/octet-stream".to_owned(), |(input, _)| input.mime);
        inputs.push(Input { sha256: sha256.to_owned(), mime, bytes: Bytes::from(bytes) });
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(field: &str, kind: ParameterKind, bytes: u64, most: Option<u64>) -> Measured {
        Measured { given: Given { field: field.into(), kind, path: format!("{field}.png"), most }, bytes }
    }

    const MB: u64 = 1_000_000;

    #[test]
    fn files_of_one_order_share_its_room_and_only_pictures_give_way_when_that_is_agreed() {
        let image = |name, bytes| file(name, ParameterKind::Image, bytes, Some(3 * MB));
        let room = Some(3 * MB);
        let plan = |files: &[Measured], agreed| targets(files, room, agreed).map_err(|p| p[0].to_string());
        assert_eq!(plan(&[image("a", MB), image("b", 2 * MB)], false).unwrap(), [None, None]);
        let alone = plan(&[image("a", 4 * MB)], false).unwrap_err();
        for said in ["a.png has 4000000 bytes", "3000000", "public URL", "--shrink-images"] {
            assert!(alone.contains(said), "{alone}");
        }
        let together = plan(&[image("a", 2 * MB), image("b", 2 * MB)], false).unwrap_err();
        assert!(together.contains("a.png (2000000 bytes) and b.png (2000000 bytes)"), "{together}");
        assert_eq!(plan(&[image("a", 4 * MB)], true).unwrap(), [Some(3 * MB)]);
        assert_eq!(plan(&[image("a", 9 * MB), image("b", MB)], true).unwrap(), [Some(2 * MB), None]);
        assert_eq!(plan(&[image("a", 9 * MB), image("b", 8 * MB)], true).unwrap(), [Some(3 * MB / 2); 2]);
        let clip = |bytes| file("v", ParameterKind::Video, bytes, Some(3 * MB));
        assert_eq!(plan(&[clip(MB), image("a", 4 * MB)], true).unwrap(), [None, Some(2 * MB)]);
        let large = plan(&[clip(4 * MB)], true).unwrap_err();
        assert!(large.contains("public URL") && !large.contains("shrink"), "{large}");
        assert!(plan(&[clip(3 * MB), image("a", MB)], true).is_err(), "no room is left for the picture");
        assert!(targets(&[file("a", ParameterKind::Image, 99 * MB, None)], None, false).is_ok(), "no limit is known");
    }
}
