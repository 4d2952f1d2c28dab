//! The disk under every clip: one trait, so that faults can be put below it, and the real one.
//!
//! Knows files, rights and syncs. Must not know clips, names or jobs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// A file that is being written.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    /// Whatever the disk says; a part may have been written then.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written is on the medium.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to `len` bytes; what is written next follows there.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// Reads from anywhere in a file.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// What clips need of a disk.
pub trait Disk: Send + Sync {
    /// Makes a file that was not there, readable by the user alone.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or whatever the disk says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file that is there, to write at its end.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or whatever the disk says.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to read.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>>;

    /// A file's length in bytes, or `None` where there is none.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Gives a file another name in the same file system, never in the place of another file.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where the name is taken; both files are as before then.
    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Returns when the names in a directory are on the medium.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes a directory and those above it, where they are missing. Their names may not be on the
    /// medium yet ([`Disk::sync_dir`] of the directory above).
    ///
    /// # Errors
    /// Whatever the disk says.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes the user may still write below a directory.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn free_space(&self, dir: &Path) -> io::Result<u64>;

    /// Removes a file.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(File::open(path)?))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(path) {
            Ok(about) => Ok(Some(about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;
            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(()),
                // Old kernels and some file systems do not know the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        rename_by_link(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match File::open(dir)?.sync_all() {
            // Some file systems cannot sync a directory, and say so by this.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(dir)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// Renaming where the system cannot refuse to replace: a second name, which is refused where there
/// is one, then the first taken away. A crash between the two leaves both, of the same content.
fn rename_by_link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            // exFAT and the like know no links: the name is taken by making it, then replaced.
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_rename_never_replaces_by_either_way() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b, c) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
        let ways: [fn(&Path, &Path) -> io::Result<()>; 2] = [|a, b| RealDisk.rename_no_replace(a, b), rename_by_link];
        for rename in ways {
            fs::write(&a, "new").unwrap();
            fs::write(&b, "old").unwrap();
            assert_eq!(rename(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!((fs::read(&a).unwrap(), fs::read(&b).unwrap()), (b"new".to_vec(), b"old".to_vec()));
            rename(&a, &c).unwrap();
            assert_eq!((a.exists(), fs::read(&c).unwrap()), (false, b"new".to_vec()));
            fs::remove_file(&c).unwrap();
        }
    }

    #[test]
    fn a_new_file_is_private_and_grows_from_where_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut file = RealDisk.create_new(&path).unwrap();
        file.write(b"abcdef").unwrap();
        file.truncate(2).unwrap();
        file.write(b"X").unwrap();
        file.sync().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abX");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(RealDisk.create_new(&path).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(RealDisk.append(&dir.path().join("y")).err().unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!((RealDisk.len(&path).unwrap(), RealDisk.len(&dir.path().join("y")).unwrap()), (Some(3), None));
    }
}
