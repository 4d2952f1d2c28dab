//! The data directory: made private, and refused where write-ahead logging is not safe.
//!
//! Knows file systems by their numbers. Must not know what lies in the directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::StoreError;

/// Makes the directory (0700) where it is missing, and refuses a network file system.
pub(super) fn prepare(dir: &Path) -> Result<(), StoreError> {
    make_private_dir(dir).map_err(|error| StoreError::io("create", dir, error))?;
    refuse_network(dir)
}

/// Makes a directory, and those above it, readable by the user alone, and waits until their names are
/// on the medium: SQLite syncs the directory that its files are in, and none above that.
pub(super) fn make_private_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    for made in missing {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match File::open(above)?.sync_all() {
            // Some file systems cannot sync a directory, and say so by this.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes a file that only the user can read, where it is missing; takes others' rights away where
/// it is not. SQLite gives its other files the rights of the first.
pub(super) fn make_private_file(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let rights = file.metadata()?.permissions();
    if rights.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Which file it is, whatever its name: its device and number.
pub(super) fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Whether a path still leads to the file that it led to.
pub(super) fn leads_to(path: &Path, known: (u64, u64)) -> bool {
    fs::metadata(path).is_ok_and(|file| identity(&file) == known)
}

/// Refuses a directory on a network file system.
pub(super) fn refuse_network(dir: &Path) -> Result<(), StoreError> {
    match network_kind(dir).map_err(|error| StoreError::io("look at", dir, error))? {
        Some(kind) => Err(StoreError::NetworkFileSystem { dir: dir.to_owned(), kind }),
        None => Ok(()),
    }
}

#[cfg(target_os = "linux")]
fn network_kind(dir: &Path) -> io::Result<Option<String>> {
    const FUSE: u64 = 0x6573_5546;
    let magic = u64::try_from(rustix::fs::statfs(dir)?.f_type).unwrap_or(0) & 0xffff_ffff;
    if magic != FUSE {
        return Ok(network_name(magic).map(str::to_owned));
    }
    // FUSE is local as often as not: the mount table says which.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let place = fs::canonicalize(dir)?;
    Ok(mounted_as(&mounts, &place).filter(|kind| is_network_fuse(kind)))
}

#[cfg(not(target_os = "linux"))]
fn network_kind(_dir: &Path) -> io::Result<Option<String>> {
    Ok(None)
}

/// The name of a network file system by the number in `statfs` (statfs(2)).
#[cfg(target_os = "linux")]
fn network_name(magic: u64) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "nfs",
        0x517B => "smb",
        0xFF53_4D42 => "cifs",
        0xFE53_4D42 => "smb2",
        0x0102_1997 => "9p",
        0x564C => "ncp",
        0x5346_414F | 0x6B41_4653 => "afs",
        0x7375_7245 => "coda",
        0x00C3_6400 => "ceph",
        0x0BD0_0BD0 => "lustre",
        0x7461_636F => "ocfs2",
        0x0116_1970 => "gfs2",
        _ => return None,
    })
}

/// The file system's type of the mount that `place` lies on, out of `/proc/self/mountinfo`.
#[cfg(target_os = "linux")]
fn mounted_as(mounts: &str, place: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            // The table writes a blank as an octal escape.
            let point = left.split(' ').nth(4)?.replace("\\040", " ");
            place.starts_with(&point).then(|| (point.len(), right.split(' ').next().unwrap_or("").to_owned()))
        })
        .max_by_key(|(depth, _)| *depth)
        .map(|(_, kind)| kind)
}

#[cfg(target_os = "linux")]
fn is_network_fuse(kind: &str) -> bool {
    const REMOTE: [&str; 13] = [
        "sshfs",
        "rclone",
        "s3fs",
        "davfs",
        "davfs2",
        "glusterfs",
        "curlftpfs",
        "gcsfuse",
        "goofys",
        "nfs",
        "cephfs",
        "juicefs",
        "blobfuse2",
    ];
    kind.strip_prefix("fuse.").is_some_and(|name| REMOTE.contains(&name))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_tells_a_remote_fuse_from_a_local_one() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      40 22 0:50 / /home/me/my\\040disk rw,nosuid - fuse.sshfs host:/ rw\n\
                      41 22 0:51 / /mnt/usb rw - fuseblk /dev/sdb1 rw\n";
        let kind = |place: &str| mounted_as(mounts, Path::new(place)).unwrap();
        assert_eq!(kind("/home/me/my disk/rushes"), "fuse.sshfs");
        assert_eq!(kind("/home/me/else"), "ext4");
        assert_eq!(kind("/mnt/usb/x"), "fuseblk");
        assert!(is_network_fuse("fuse.sshfs") && !is_network_fuse("fuseblk") && !is_network_fuse("fuse.gocryptfs"));
        assert_eq!(network_name(0x6969), Some("nfs"));
        assert_eq!(network_name(0xEF53), None);
    }

    #[test]
    fn the_directory_and_its_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        prepare(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&dir.path().join("a"))), (0o700, 0o700));
        let file = data.join("f");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        make_private_file(&file).unwrap();
        assert_eq!((mode(&file), fs::read_to_string(&file).unwrap()), (0o600, "x".to_owned()));
    }
}
