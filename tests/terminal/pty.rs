//! A program on a terminal of its own, looked at by a test: keys in, screen and bytes out.
//!
//! Knows ptys and escape sequences. Must not know any program. It never answers a question that a program asks
//! its terminal: whoever asks one waits for ever, and the test fails.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// No wait in a test lasts longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the program has written, and the screen it made of it.
struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

struct Shared {
    seen: Mutex<Seen>,
    more: Condvar,
    hung_up: AtomicBool,
    stalled: AtomicBool,
}

/// A program and its terminal. Dropping it kills the program.
pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open so that the line settings the program leaves behind can be looked at after it ended.
    slave: Option<Box<dyn SlavePty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    shared: Arc<Shared>,
    ended: mpsc::Receiver<portable_pty::ExitStatus>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    pid: Pid,
    deadline: Instant,
    settings: String,
}

/// How to start a program.
pub struct Spawn {
    command: CommandBuilder,
    size: PtySize,
}

impl Spawn {
    /// `program` in an environment with nothing in it but a terminal, a language and the search path.
    pub fn new(program: impl AsRef<OsStr>, cols: u16, rows: u16) -> Spawn {
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Spawn { command, size: PtySize { rows, cols, pixel_width: 0, pixel_height: 0 } }
    }

    /// Adds arguments.
    pub fn args(mut self, args: &[&str]) -> Spawn {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Spawn {
        self.command.env(name, value);
        self
    }

    /// Starts in this directory.
    pub fn cwd(mut self, dir: &Path) -> Spawn {
        self.command.cwd(dir);
        self
    }

    /// Makes the terminal not the program's own, so that no signal says when it is gone: an error is all there is.
    pub fn without_signals(mut self) -> Spawn {
        self.command.set_controlling_tty(false);
        self
    }

    /// Starts a shell with job control in its place, in its environment.
    pub fn through_shell(mut self) -> Spawn {
        *self.command.get_argv_mut() = vec!["/bin/sh".into(), "-i".into()];
        self.env("PS1", "shell> ").env("ENV", "")
    }

    /// Starts it.
    pub fn start(self) -> Pty {
        let pair = native_pty_system().openpty(self.size).expect("the system has ptys");
        let settings = line_settings(&*pair.master);
        let mut child = pair.slave.spawn_command(self.command).expect("the program starts");
        let pid = child.process_id().and_then(|pid| Pid::from_raw(pid as i32)).expect("a running child has a pid");
        let killer = child.clone_killer();
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen { screen: screen(self.size.cols, self.size.rows), bytes: Vec::new() }),
            more: Condvar::new(),
            hung_up: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
        });
        let reader = pair.master.try_clone_reader().expect("the master can be read");
        let writer = pair.master.take_writer().expect("the master can be written");
        let (send, ended) = mpsc::channel();
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || read(reader, &shared)
        });
        thread::spawn(move || {
            let status = child.wait().expect("a child can be waited for");
            let _ = send.send(status);
        });
        Pty {
            master: Some(pair.master),
            slave: Some(pair.slave),
            writer: Some(writer),
            shared,
            ended,
            killer,
            pid,
            deadline: Instant::now() + PATIENCE,
            settings,
        }
    }
}

fn screen(cols: u16, rows: u16) -> vt100::Parser {
    let at_least_one = |n: u16| NonZeroU16::new(n.max(1)).expect("one is not zero");
    vt100::Parser::new(at_least_one(rows), at_least_one(cols), 0)
}

fn read(mut reader: Box<dyn Read + Send>, shared: &Shared) {
    let mut buffer = [0; 65536];
    while let Ok(len) = reader.read(&mut buffer) {
        if len == 0 || shared.hung_up.load(Ordering::SeqCst) {
            break;
        }
        let mut seen = shared.seen.lock().expect("no reader panics");
        seen.screen.process(&buffer[..len]);
        seen.bytes.extend_from_slice(&buffer[..len]);
        shared.more.notify_all();
        drop(seen);
        while shared.stalled.load(Ordering::SeqCst) {
            thread::park();
        }
    }
    drop(reader);
    shared.hung_up.store(true, Ordering::SeqCst);
    shared.more.notify_all();
}

fn line_settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a pty has line settings"))
}

impl Pty {
    /// Types keys: text as it is, and `<Enter> <Esc> <Tab> <S-Tab> <BS> <Del> <Up> <Down> <Left> <Right> <Home> <End>
    /// <PgUp> <PgDn> <F1>`..`<F12> <C-s> <A-x> <lt>`.
    pub fn keys(&mut self, keys: &str) {
        self.send(&encode(keys));
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the terminal is still there");
        writer.write_all(bytes).expect("the terminal takes keys");
        writer.flush().expect("the terminal takes keys");
    }

    /// Pastes, between the marks that a terminal puts around a paste.
    pub fn paste(&mut self, text: &str) {
        self.send(b"\x1b[200~");
        for piece in text.as_bytes().chunks(1024) {
            self.send(piece);
        }
        self.send(b"\x1b[201~");
    }

    /// Gives the terminal another size and says so to the program.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.seen().screen.set_size(
            NonZeroU16::new(rows).expect("a screen has rows"),
            NonZeroU16::new(cols).expect("a screen has columns"),
        );
        let master = self.master.as_ref().expect("the terminal is still there");
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a pty can be resized");
    }

    /// The text on the screen, a line a row.
    pub fn screen(&self) -> String {
        self.seen().screen.screen().contents()
    }

    /// Looks at the screen with its colours.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen().screen.screen())
    }

    /// Waits until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("the screen shows {text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen does not show `text` any more.
    pub fn wait_gone(&self, text: &str) {
        self.wait_until(&format!("the screen does not show {text:?}"), |screen| !screen.contents().contains(text));
    }

    /// Waits until the screen is as `wanted`, which `what` describes.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        self.wait_seen(what, |seen| wanted(seen.screen.screen()));
    }

    /// Waits until `text` was written, since `mark`; an empty one: anything.
    pub fn wait_written(&self, mark: usize, text: &str) {
        self.wait_seen(&format!("{text:?} is written"), |seen| {
            seen.bytes[mark..].windows(text.len().max(1)).any(|window| window.starts_with(text.as_bytes()))
        });
    }

    fn wait_seen(&self, what: &str, wanted: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen();
        while !wanted(&seen) {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let hung_up = self.shared.hung_up.load(Ordering::SeqCst);
            if left.is_zero() || hung_up {
                let screen = seen.screen.screen().contents();
                drop(seen);
                panic!(
                    "{} until {what}; the screen is:\n{screen}",
                    if hung_up { "the terminal closed" } else { "waited" }
                );
            }
            seen = self.shared.more.wait_timeout(seen, left).expect("no reader panics").0;
        }
    }

    /// Waits until the program has written nothing for `pause`; how many bytes came meanwhile.
    pub fn settle(&self, pause: Duration) -> usize {
        let mut seen = self.seen();
        let start = seen.bytes.len();
        loop {
            let (guard, timeout) = self.shared.more.wait_timeout(seen, pause).expect("no reader panics");
            seen = guard;
            if timeout.timed_out() {
                return seen.bytes.len() - start;
            }
            assert!(Instant::now() < self.deadline, "the program never stops writing");
        }
    }

    /// The text on the screen once the program has nothing more to write.
    pub fn settled_screen(&self) -> String {
        self.settle(Duration::from_millis(300));
        self.screen()
    }

    /// From the next output on, nothing is read: the line fills up and the program's writes hang.
    pub fn stop_reading(&self) {
        self.shared.stalled.store(true, Ordering::SeqCst);
    }

    /// Whether a wait may go on.
    pub fn has_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    /// Whether the program's output thread hangs in a write. Linux only.
    pub fn output_is_stuck(&self) -> bool {
        let tasks = format!("/proc/{}/task", self.pid.as_raw_nonzero());
        std::fs::read_dir(tasks).expect("it still runs").flatten().any(|task| {
            let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
            // The system call it is in, first the number (write is 1 on x86-64, 64 on arm64), then the descriptor.
            read("comm").trim() == "output"
                && (read("syscall").starts_with("1 0x1 ") || read("syscall").starts_with("64 0x1 "))
        })
    }

    /// Waits until a signal does not end the program by itself any more.
    pub fn wait_until_caught(&self, signal: Signal) {
        let status = format!("/proc/{}/status", self.pid.as_raw_nonzero());
        let is_caught = || {
            let text = std::fs::read_to_string(&status).expect("it still runs");
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("the system tells");
            let caught = u64::from_str_radix(caught.trim(), 16).expect("a mask");
            caught >> (signal.as_raw() - 1) & 1 == 1
        };
        while !is_caught() {
            assert!(self.has_time(), "{signal:?} would end it still");
            thread::yield_now();
        }
    }

    /// A place in what was written, for [`Pty::bytes_since`].
    pub fn mark(&self) -> usize {
        self.seen().bytes.len()
    }

    /// What was written since `mark`.
    pub fn bytes_since(&self, mark: usize) -> Vec<u8> {
        self.seen().bytes[mark..].to_vec()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the program still runs");
    }

    /// Closes the terminal under the program, as a lost connection does. `wake` are keys that make the program write
    /// something, so that the reader lets go of its end.
    pub fn hang_up(&mut self, wake: &str) {
        self.shared.hung_up.store(true, Ordering::SeqCst);
        self.keys(wake);
        self.slave = None;
        // The writer says goodbye with a line end, which a dashboard takes for a key; that wakes the reader as well.
        self.writer = None;
        self.master = None;
    }

    /// Waits until the program has ended; its exit code.
    pub fn wait_exit(&self) -> u32 {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.ended.recv_timeout(left) {
            Ok(status) => {
                assert_eq!(status.signal(), None, "the program was killed by a signal it did not catch");
                status.exit_code()
            }
            Err(_) => panic!("the program did not end; the screen is:\n{}", self.screen()),
        }
    }

    /// Waits until a signal that nobody can catch has ended the program.
    pub fn wait_killed(&self) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.ended.recv_timeout(left) {
            Ok(status) => assert!(status.signal().is_some(), "it left by itself with {}", status.exit_code()),
            Err(_) => panic!("the program was not killed; the screen is:\n{}", self.screen()),
        }
    }

    /// The program's process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// How much memory the program has mapped. Linux only.
    pub fn virtual_bytes(&self) -> u64 {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.pid.as_raw_nonzero()));
        let pages = pages.expect("the program runs");
        pages.split(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number of pages") * 4096
    }

    /// Waits until the program has ended, looking at it a few times a second while it runs; its exit code.
    pub fn wait_exit_watching(&self, watch: impl Fn(&Pty)) -> u32 {
        while Instant::now() < self.deadline {
            match self.ended.recv_timeout(Duration::from_millis(200)) {
                Ok(status) => return status.exit_code(),
                Err(_) => watch(self),
            }
        }
        panic!("the program did not end");
    }

    /// Whether the program still runs.
    pub fn is_running(&self) -> bool {
        matches!(self.ended.try_recv(), Err(mpsc::TryRecvError::Empty))
    }

    /// Processor time the program has used, in seconds. Linux only.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.pid)
    }

    /// Fails unless the terminal is as it was found: line settings, screen, cursor, pastes, mouse, no question asked.
    pub fn assert_restored(&self) {
        let master = self.master.as_ref().expect("the terminal is still there");
        assert_eq!(line_settings(&**master), self.settings, "the line settings were not put back");
        let seen = self.seen();
        let screen = seen.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was left on");
        assert!(!screen.hide_cursor(), "the cursor was left hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste was left on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse was left on");
        assert_eq!(screen.fgcolor(), vt100::Color::Default, "a colour was left on");
        for (on, off) in [("\x1b[?2026h", "\x1b[?2026l"), ("\x1b[?1004h", "\x1b[?1004l")] {
            let last = |text: &str| seen.bytes.windows(text.len()).rposition(|window| window == text.as_bytes());
            assert!(last(on) <= last(off), "{on:?} was not undone");
        }
        drop(seen);
        self.assert_asked_nothing();
    }

    /// Fails if the program asked its terminal anything.
    pub fn assert_asked_nothing(&self) {
        let text = String::from_utf8_lossy(&self.seen().bytes).into_owned();
        for question in [
            "\x1b[6n",
            "\x1b[5n",
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[>0c",
            "\x1b[?u",
            "\x1b[18t",
            ";?\x1b\\",
            ";?\x07",
            "\x1bP+q",
            "\x1b[?2026$p",
        ] {
            assert!(!text.contains(question), "the program asked its terminal {question:?}");
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().expect("no reader panics")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.killer.kill();
    }
}

/// Processor time a process has used, in seconds. Linux only.
pub fn cpu_seconds(pid: Pid) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().map(|at| fields[*at].parse::<f64>().expect("a number of ticks")).sum();
    ticks / 100.0
}

/// Keys as bytes.
pub fn encode(keys: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = keys;
    while let Some(at) = rest.find('<') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let end = rest[at..].find('>').expect("a key's name ends with >") + at;
        let name = &rest[at + 1..end];
        bytes.extend_from_slice(&named(name));
        rest = &rest[end + 1..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn named(name: &str) -> Vec<u8> {
    let sequence: &[u8] = match name {
        "Enter" => b"\r",
        "Esc" => b"\x1b",
        "Tab" => b"\t",
        "S-Tab" => b"\x1b[Z",
        "Space" => b" ",
        "BS" => b"\x7f",
        "Del" => b"\x1b[3~",
        "Up" => b"\x1b[A",
        "Down" => b"\x1b[B",
        "Right" => b"\x1b[C",
        "Left" => b"\x1b[D",
        "Home" => b"\x1b[H",
        "End" => b"\x1b[F",
        "PgUp" => b"\x1b[5~",
        "PgDn" => b"\x1b[6~",
        "lt" => b"<",
        "gt" => b">",
        "F1" => b"\x1bOP",
        "F2" => b"\x1bOQ",
        "F3" => b"\x1bOR",
        "F4" => b"\x1bOS",
        "F5" => b"\x1b[15~",
        "F6" => b"\x1b[17~",
        "F7" => b"\x1b[18~",
        "F8" => b"\x1b[19~",
        "F9" => b"\x1b[20~",
        "F10" => b"\x1b[21~",
        "F11" => b"\x1b[23~",
        "F12" => b"\x1b[24~",
        _ => match name.split_at_checked(2) {
            Some(("C-", key)) if key.len() == 1 => return vec![key.as_bytes()[0] & 0x1f],
            Some(("A-", key)) => return [b"\x1b", key.as_bytes()].concat(),
            _ => panic!("<{name}> is not a key"),
        },
    };
    sequence.to_vec()
}
