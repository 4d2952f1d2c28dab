//! SQLite's own file layer, watched: what it writes, cuts, syncs and names below a directory goes to that
//! directory's recorder, and may be told that the disk is full.
//!
//! Knows SQLite's C interface. The only place with `unsafe`: a file layer is C. Must not change what is written.

#![allow(unsafe_code, reason = "SQLite takes a file layer as C functions and in no other way")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::record::Recorder;

/// A directory that is watched.
struct Watched {
    dir: PathBuf,
    recorder: Recorder,
    /// Bytes that may still be written; as many as one likes, where `None`.
    room: Option<u64>,
}

/// An open file of a watched directory.
struct Open {
    number: usize,
    path: PathBuf,
    recorder: Recorder,
    methods: &'static sqlite3_io_methods,
}

#[derive(Default)]
struct State {
    watched: Vec<Watched>,
    /// By the address that SQLite knows them by.
    open: HashMap<usize, Open>,
    /// For each set of methods there is, the same with ours in their place.
    ours: HashMap<usize, &'static sqlite3_io_methods>,
}

/// The layer below, which does the work.
struct Below(*mut sqlite3_vfs);

// SAFETY: SQLite's own structure, made once, never changed after and used from every thread by SQLite itself.
unsafe impl Send for Below {}
// SAFETY: as above.
unsafe impl Sync for Below {}

static BELOW: OnceLock<Below> = OnceLock::new();
static OPEN_DIRECTORY: OnceLock<unsafe extern "C" fn(*const c_char, *mut c_int) -> c_int> = OnceLock::new();

fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    STATE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches the databases in `dir` from now on.
pub fn watch(dir: &Path, recorder: &Recorder) {
    static ONCE: Once = Once::new();
    ONCE.call_once(install);
    state().watched.push(Watched { dir: dir.to_owned(), recorder: recorder.clone(), room: None });
}

/// Watches no more.
pub fn forget(dir: &Path) {
    state().watched.retain(|watched| watched.dir != dir);
}

/// Lets `room` more bytes be written to the databases in `dir`; as many as one likes, where `None`.
#[allow(dead_code, reason = "the command uses the cuts only")]
pub fn limit(dir: &Path, room: Option<u64>) {
    state().watched.iter_mut().filter(|watched| watched.dir == dir).for_each(|watched| watched.room = room);
}

fn install() {
    // SAFETY: both calls take and return what SQLite keeps for as long as the process lives; the copy is
    // leaked, so that it does, too. The functions put in have the types that the structures ask for.
    unsafe {
        let below = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!below.is_null(), "SQLite has a file layer");
        assert!(BELOW.set(Below(below)).is_ok(), "installed once");
        let mut ours = *below;
        (ours.zName, ours.pNext) = (c"watched".as_ptr(), std::ptr::null_mut());
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        let (get, set) = ((*below).xGetSystemCall, (*below).xSetSystemCall);
        let (get, set) = (get.expect("unix has it"), set.expect("unix has it"));
        let own = get(below, c"openDirectory".as_ptr()).expect("unix has it");
        let own = std::mem::transmute::<unsafe extern "C" fn(), unsafe extern "C" fn(*const c_char, *mut c_int) -> c_int>(
            own,
        );
        assert!(OPEN_DIRECTORY.set(own).is_ok(), "installed once");
        let watched = std::mem::transmute::<
            unsafe extern "C" fn(*const c_char, *mut c_int) -> c_int,
            unsafe extern "C" fn(),
        >(open_directory);
        assert_eq!(set(below, c"openDirectory".as_ptr(), Some(watched)), ffi::SQLITE_OK);
        assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1), ffi::SQLITE_OK);
    }
}

fn below() -> *mut sqlite3_vfs {
    BELOW.get().expect("installed before it is called").0
}

/// A path as SQLite gives it; `None` for a file without a name.
fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: SQLite gives a null pointer or a string that lives for as long as the call.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

fn recorder_of(path: &Path) -> Option<Recorder> {
    state().watched.iter().find(|watched| path.starts_with(&watched.dir)).map(|watched| watched.recorder.clone())
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are passed on as they came; after a success the file has methods that live as
    // long as the process, of which a changed copy takes the place.
    unsafe {
        let code = (*below()).xOpen.expect("unix has it")(below(), name, file, flags, out);
        let Some(path) = path_of(name).filter(|_| code == ffi::SQLITE_OK && !(*file).pMethods.is_null()) else {
            return code;
        };
        let Some(recorder) = recorder_of(path) else { return code };
        let number = recorder.open(path);
        let methods: &'static sqlite3_io_methods = &*(*file).pMethods;
        let mut state = state();
        let ours = *state.ours.entry(std::ptr::from_ref(methods) as usize).or_insert_with(|| {
            let mut ours = *methods;
            ours.xWrite = Some(write);
            ours.xTruncate = Some(truncate);
            ours.xSync = Some(sync);
            ours.xClose = Some(close);
            Box::leak(Box::new(ours))
        });
        state.open.insert(file as usize, Open { number, path: path.to_owned(), recorder, methods });
        (*file).pMethods = ours;
        code
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    let recorder = path_of(name).and_then(recorder_of);
    if let (Some(recorder), Some(path)) = (recorder, path_of(name)) {
        recorder.unlink(path);
    }
    // SAFETY: passed on as it came.
    unsafe { (*below()).xDelete.expect("unix has it")(below(), name, sync_dir) }
}

/// SQLite opens a directory only to sync it.
unsafe extern "C" fn open_directory(name: *const c_char, fd: *mut c_int) -> c_int {
    let recorder = path_of(name).and_then(recorder_of);
    if let (Some(recorder), Some(dir)) = (recorder, path_of(name).and_then(Path::parent)) {
        recorder.sync_dir(dir);
    }
    // SAFETY: passed on as it came.
    unsafe { OPEN_DIRECTORY.get().expect("installed before it is called")(name, fd) }
}

/// What is known of an open file.
fn look(file: *mut sqlite3_file) -> (usize, Recorder, &'static sqlite3_io_methods) {
    let state = state();
    let open = state.open.get(&(file as usize)).expect("only files that were opened here have these methods");
    (open.number, open.recorder.clone(), open.methods)
}

/// Whether there is room for so many bytes, which they use up then. Also what is written over takes room, as it
/// does where a file system copies what it changes.
fn has_room(file: *mut sqlite3_file, bytes: u64) -> bool {
    let mut state = state();
    let Some(path) = state.open.get(&(file as usize)).map(|open| open.path.clone()) else { return true };
    let watched = state.watched.iter_mut().find(|watched| path.starts_with(&watched.dir));
    let Some(Watched { dir, room: Some(room), .. }) = watched else { return true };
    // The reserve is a file beside the database: what it gives back can be written.
    let given_back = if dir.join("reserve").exists() { 0 } else { 1 << 20 };
    if bytes > *room + given_back {
        return false;
    }
    *room = room.saturating_sub(bytes);
    true
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, len: c_int, at: sqlite3_int64) -> c_int {
    let (number, recorder, methods) = look(file);
    // SAFETY: SQLite gives `len` readable bytes; the rest is passed on as it came.
    unsafe {
        let content = std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(len).expect("a length"));
        if !has_room(file, content.len() as u64) {
            return ffi::SQLITE_FULL;
        }
        recorder.write(number, usize::try_from(at).expect("a place"), content);
        methods.xWrite.expect("unix has it")(file, bytes, len, at)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    let (number, recorder, methods) = look(file);
    recorder.truncate(number, usize::try_from(len).expect("a length"));
    // SAFETY: passed on as it came.
    unsafe { methods.xTruncate.expect("unix has it")(file, len) }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let (number, recorder, methods) = look(file);
    // SAFETY: passed on as it came.
    let code = unsafe { methods.xSync.expect("unix has it")(file, flags) };
    if code == ffi::SQLITE_OK {
        recorder.sync(number);
    }
    code
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let (_, _, methods) = look(file);
    state().open.remove(&(file as usize));
    // SAFETY: the file gets its own methods back, and is closed as it would have been.
    unsafe {
        (*file).pMethods = methods;
        methods.xClose.expect("unix has it")(file)
    }
}
