//! What a disk was asked, in one order for all its files, and the disks that a loss of power may leave of it.
//!
//! Knows writes, syncs and names. Must not know who writes, nor what the bytes mean.
//!
//! What was synced is there. What was not is kept, dropped, or kept by sectors of 512 bytes in any choice:
//! torn and out of order, with zeros where a later sector came and an earlier one did not. A name that was
//! given or taken is sure only once its directory was synced. A rename is never half done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of what is no file.
const DIRECTORY: usize = 0;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// One thing that was asked of the disk, or that the world was told.
#[derive(Clone, Debug)]
pub enum Event {
    Link {
        path: PathBuf,
        file: usize,
    },
    MakeDir {
        path: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Write {
        file: usize,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: usize,
        len: usize,
    },
    Sync {
        file: usize,
    },
    SyncDir {
        dir: PathBuf,
    },
    /// Something left this machine, or was told as done.
    Mark {
        step: String,
        subject: String,
    },
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    Everything,
    Some,
}

/// A loss of power: what becomes of data, and of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub data: Keep,
    pub names: Keep,
}

impl Fate {
    /// The four corners, and what lies between.
    pub const ALL: [Fate; 5] = [
        Fate { data: Keep::Nothing, names: Keep::Nothing },
        Fate { data: Keep::Nothing, names: Keep::Everything },
        Fate { data: Keep::Everything, names: Keep::Nothing },
        Fate { data: Keep::Some, names: Keep::Some },
        Fate { data: Keep::Some, names: Keep::Everything },
    ];
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Event>,
    names: HashMap<PathBuf, usize>,
    files: usize,
}

/// Writes down; clones share the log.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Log>>);

impl Recorder {
    fn log<T>(&self, work: impl FnOnce(&mut Log) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, event: Event) {
        self.log(|log| log.events.push(event));
    }

    /// The file of that name, which appears now where it was not seen before.
    pub fn open(&self, path: &Path) -> usize {
        self.log(|log| {
            if let Some(file) = log.names.get(path) {
                return *file;
            }
            log.files += 1;
            let file = log.files;
            log.names.insert(path.to_owned(), file);
            log.events.push(Event::Link { path: path.to_owned(), file });
            file
        })
    }

    pub fn make_dir(&self, path: &Path) {
        self.push(Event::MakeDir { path: path.to_owned() });
    }

    pub fn write(&self, file: usize, at: usize, bytes: &[u8]) {
        self.push(Event::Write { file, at, bytes: bytes.to_owned() });
    }

    pub fn truncate(&self, file: usize, len: usize) {
        self.push(Event::Truncate { file, len });
    }

    pub fn sync(&self, file: usize) {
        self.push(Event::Sync { file });
    }

    pub fn sync_dir(&self, dir: &Path) {
        self.push(Event::SyncDir { dir: dir.to_owned() });
    }

    pub fn unlink(&self, path: &Path) {
        self.log(|log| {
            if log.names.remove(path).is_some() {
                log.events.push(Event::Unlink { path: path.to_owned() });
            }
        });
    }

    pub fn rename(&self, from: &Path, to: &Path) {
        self.log(|log| {
            if let Some(file) = log.names.remove(from) {
                log.names.insert(to.to_owned(), file);
                log.events.push(Event::Rename { from: from.to_owned(), to: to.to_owned() });
            }
        });
    }

    pub fn mark(&self, step: &str, subject: &str) {
        self.push(Event::Mark { step: step.to_owned(), subject: subject.to_owned() });
    }

    /// All that was asked so far.
    pub fn events(&self) -> Vec<Event> {
        self.log(|log| log.events.clone())
    }
}

/// A file while the log is read.
#[derive(Default)]
struct File<'a> {
    synced: Vec<u8>,
    since: Vec<&'a Event>,
}

/// A directory while the log is read.
#[derive(Default)]
struct Directory<'a> {
    synced: BTreeMap<PathBuf, usize>,
    since: Vec<&'a Event>,
}

/// The files that are on the disk after the power went at the end of `events`.
pub fn disk_after(events: &[Event], fate: Fate, rng: &mut fastrand::Rng) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files: HashMap<usize, File<'_>> = HashMap::new();
    let mut dirs: BTreeMap<PathBuf, Directory<'_>> = BTreeMap::new();
    let dir_of = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    for event in events {
        match event {
            Event::Write { file, .. } | Event::Truncate { file, .. } => {
                files.entry(*file).or_default().since.push(event);
            }
            Event::Sync { file } => {
                let file = files.entry(*file).or_default();
                let since = std::mem::take(&mut file.since);
                since.into_iter().for_each(|event| change(&mut file.synced, event));
            }
            Event::Link { path, .. } | Event::Unlink { path } | Event::MakeDir { path } => {
                dirs.entry(dir_of(path)).or_default().since.push(event);
            }
            Event::Rename { from, to } => {
                assert_eq!(dir_of(from), dir_of(to), "a rename within one directory");
                dirs.entry(dir_of(from)).or_default().since.push(event);
            }
            Event::SyncDir { dir } => {
                let dir = dirs.entry(dir.clone()).or_default();
                let since = std::mem::take(&mut dir.since);
                since.into_iter().for_each(|event| name(&mut dir.synced, event));
            }
            Event::Mark { .. } => {}
        }
    }
    // A rename that is kept names a file whose making may be lost: it is known by the log alone.
    let made: HashMap<&Path, usize> = links(events);
    let (mut left, mut directories) = (BTreeMap::new(), BTreeSet::new());
    for mut dir in dirs.into_values() {
        for event in chosen(dir.since, fate.names, rng) {
            if let Event::Rename { from, .. } = event
                && !dir.synced.contains_key(from)
                && let Some(file) = made.get(from.as_path())
            {
                dir.synced.insert(from.clone(), *file);
            }
            name(&mut dir.synced, event);
        }
        for (path, file) in dir.synced {
            if file == DIRECTORY {
                directories.insert(path);
                continue;
            }
            let content = files.get(&file).map(|file| {
                let mut content = file.synced.clone();
                keep(&mut content, &file.since, fate.data, rng);
                content
            });
            left.insert(path, content.unwrap_or_default());
        }
    }
    // What lies in a directory that is gone is gone.
    let made = events.iter().filter_map(|event| if let Event::MakeDir { path } = event { Some(path) } else { None });
    let gone: BTreeSet<&PathBuf> = made.filter(|path| !directories.contains(*path)).collect();
    left.retain(|path, _| !path.ancestors().any(|above| gone.contains(&above.to_owned())));
    left
}

fn links(events: &[Event]) -> HashMap<&Path, usize> {
    let mut names = HashMap::new();
    for event in events {
        match event {
            Event::Link { path, file } => drop(names.insert(path.as_path(), *file)),
            Event::Rename { from, to } => {
                if let Some(file) = names.get(from.as_path()).copied() {
                    names.insert(to, file);
                }
            }
            _ => {}
        }
    }
    names
}

fn name(names: &mut BTreeMap<PathBuf, usize>, event: &Event) {
    match event {
        Event::Link { path, file } => drop(names.insert(path.clone(), *file)),
        Event::MakeDir { path } => drop(names.insert(path.clone(), DIRECTORY)),
        Event::Unlink { path } => drop(names.remove(path)),
        Event::Rename { from, to } => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        _ => {}
    }
}

fn chosen<'a>(mut events: Vec<&'a Event>, keep: Keep, rng: &mut fastrand::Rng) -> Vec<&'a Event> {
    match keep {
        Keep::Nothing => events.clear(),
        Keep::Everything => {}
        Keep::Some if rng.bool() => events.truncate(rng.usize(0..=events.len())),
        Keep::Some => events.retain(|_| rng.bool()),
    }
    events
}

fn change(content: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write { at, bytes, .. } => put(content, *at, bytes),
        Event::Truncate { len, .. } => content.resize(*len, 0),
        _ => {}
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

fn keep(content: &mut Vec<u8>, since: &[&Event], keep: Keep, rng: &mut fastrand::Rng) {
    match keep {
        Keep::Nothing => {}
        Keep::Everything => since.iter().for_each(|event| change(content, event)),
        Keep::Some => {
            let often = rng.f64();
            for event in since {
                let Event::Write { at, bytes, .. } = event else {
                    if rng.f64() < often {
                        change(content, event);
                    }
                    continue;
                };
                let mut from = 0;
                while from < bytes.len() {
                    let len = (SECTOR - (at + from) % SECTOR).min(bytes.len() - from);
                    if rng.f64() < often {
                        put(content, at + from, &bytes[from..from + len]);
                    }
                    from += len;
                }
            }
        }
    }
}

#[test]
fn what_was_synced_stays_and_the_rest_is_as_the_fate_says() {
    let (disk, dir) = (Recorder::default(), PathBuf::from("/d"));
    let (part, clip) = (dir.join("a.part"), dir.join("a"));
    let file = disk.open(&part);
    disk.write(file, 0, b"sure");
    disk.sync(file);
    disk.sync_dir(&dir);
    disk.write(file, 4, b"!");
    disk.rename(&part, &clip);
    let after = |data, names| disk_after(&disk.events(), Fate { data, names }, &mut fastrand::Rng::with_seed(1));
    let left = |path: &Path, content: &[u8]| BTreeMap::from([(path.to_owned(), content.to_owned())]);
    assert_eq!(after(Keep::Nothing, Keep::Nothing), left(&part, b"sure"));
    assert_eq!(after(Keep::Everything, Keep::Nothing), left(&part, b"sure!"));
    assert_eq!(after(Keep::Nothing, Keep::Everything), left(&clip, b"sure"));
    disk.sync_dir(&dir);
    let after = disk_after(&disk.events(), Fate::ALL[0], &mut fastrand::Rng::with_seed(1));
    assert_eq!(after, left(&clip, b"sure"));
    let torn: std::collections::BTreeSet<Vec<u8>> = (0..64)
        .flat_map(|seed| {
            let disk = Recorder::default();
            let file = disk.open(&part);
            disk.write(file, 0, &[7; 2 * SECTOR]);
            let fate = Fate { data: Keep::Some, names: Keep::Everything };
            disk_after(&disk.events(), fate, &mut fastrand::Rng::with_seed(seed)).into_values()
        })
        .collect();
    assert_eq!(torn.len(), 4, "nothing, the first sector, the second after zeros, both");
}
