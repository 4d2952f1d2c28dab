//! A disk that tells of its points: a file begun, half written, synced, renamed, its name on disk.
//!
//! Knows the order in which a clip and its recipe come to be. Must not change what is written: the
//! first write of a file is only cut in two, so that a half-written file can be seen.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Points;
use crate::domain::JobId;
use crate::media::{Disk, DiskFile, ReadSeek};

/// `disk` for one job, its points told.
pub(super) fn told(disk: Arc<dyn Disk>, points: Points, job: JobId) -> Arc<dyn Disk> {
    Arc::new(ToldDisk { disk, points, job, recipe: AtomicBool::new(false), renamed: AtomicBool::new(false) })
}

struct ToldDisk {
    disk: Arc<dyn Disk>,
    points: Points,
    job: JobId,
    /// Whether the name given last was a recipe's.
    recipe: AtomicBool,
    /// Whether a name was given that may not be on the medium yet.
    renamed: AtomicBool,
}

struct ToldFile {
    file: Box<dyn DiskFile>,
    points: Points,
    job: JobId,
    recipe: bool,
    untouched: bool,
}

fn is_recipe(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".json.part")
}

fn reach(points: &Points, job: JobId, recipe: bool, when: &str) {
    points.reach(&format!("{}.{when}", if recipe { "recipe" } else { "part" }), job);
}

impl ToldDisk {
    fn file(&self, path: &Path, file: Box<dyn DiskFile>, untouched: bool) -> Box<dyn DiskFile> {
        let (points, job, recipe) = (self.points.clone(), self.job, is_recipe(path));
        Box::new(ToldFile { file, points, job, recipe, untouched })
    }
}

impl DiskFile for ToldFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !std::mem::take(&mut self.untouched) {
            return self.file.write(bytes);
        }
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        self.file.write(first)?;
        reach(&self.points, self.job, self.recipe, "half");
        self.file.write(rest)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        reach(&self.points, self.job, self.recipe, "synced");
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
}

impl Disk for ToldDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.create_new(path)?;
        reach(&self.points, self.job, is_recipe(path), "begun");
        Ok(self.file(path, file, true))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(path, self.disk.append(path)?, false))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        self.disk.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.disk.len(path)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        let recipe = is_recipe(from);
        reach(&self.points, self.job, recipe, "ready");
        self.disk.rename_no_replace(from, to)?;
        self.recipe.store(recipe, Ordering::SeqCst);
        self.renamed.store(true, Ordering::SeqCst);
        reach(&self.points, self.job, recipe, "renamed");
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)?;
        let when = if self.renamed.swap(false, Ordering::SeqCst) { "published" } else { "named" };
        reach(&self.points, self.job, self.recipe.load(Ordering::SeqCst), when);
        Ok(())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_space(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
}
