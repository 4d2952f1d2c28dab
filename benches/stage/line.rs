//! The real program on a pseudo terminal, and when which bytes of it came out.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How a frame ends.
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// A program and its line.
pub struct Line {
    /// The line lives as long as this does.
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    out: Receiver<(Instant, Vec<u8>)>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    pid: u32,
    begun: Instant,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Times that one of its threads slept and was woken.
    pub wakes: u64,
    /// Processor time, ms.
    pub cpu_ms: f64,
    /// What of it lies in memory, and the most that ever did, MB.
    pub memory: (f64, f64),
}

impl Line {
    /// Starts the program at 120x40 with an environment of these variables alone.
    pub fn start(args: &[&str], variables: &[(&str, &OsStr)]) -> Line {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rushes"));
        command.env_clear();
        command.args(args);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, out) = channel();
        std::thread::spawn(move || {
            let mut room = [0; 65_536];
            while let Ok(len) = reader.read(&mut room) {
                if len == 0 || send.send((Instant::now(), room[..len].to_vec())).is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        let (pid, killer) = (child.process_id().unwrap(), child.clone_killer());
        std::thread::spawn(move || {
            let mut child = child;
            child.wait()
        });
        let keys = pair.master.take_writer().unwrap();
        Line { _master: pair.master, keys, out, killer, pid, begun }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// From the start until its first whole frame is out.
    pub fn first_frame(&self) -> Duration {
        let mut seen = Vec::new();
        loop {
            let (at, bytes) = self.out.recv_timeout(Duration::from_secs(60)).expect("a first frame");
            seen.extend(bytes);
            if seen.len() > 2_000 && seen.ends_with(FRAME_ENDS) {
                return at - self.begun;
            }
        }
    }

    /// Presses a key; the time until these bytes came, and how many came up to there.
    pub fn press(&mut self, key: &[u8], wanted: &[u8]) -> Option<(Duration, usize)> {
        let pressed = Instant::now();
        self.keys.write_all(key).unwrap();
        self.keys.flush().unwrap();
        let (mut seen, mut heard) = (Vec::new(), None);
        loop {
            let left = Duration::from_secs(5).saturating_sub(pressed.elapsed());
            let (at, bytes) = self.out.recv_timeout(left).ok()?;
            seen.extend(bytes);
            if heard.is_none() && seen.windows(wanted.len()).any(|part| part == wanted) {
                heard = Some(at - pressed);
            }
            if let (Some(heard), true) = (heard, seen.ends_with(FRAME_ENDS)) {
                return Some((heard, seen.len()));
            }
        }
    }

    /// Sends keys without waiting for anything.
    pub fn keys(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
    }

    /// Lets time pass; what came meanwhile.
    pub fn pass(&self, time: Duration) -> Vec<u8> {
        let until = Instant::now() + time;
        let mut seen = Vec::new();
        loop {
            match self.out.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((_, bytes)) => seen.extend(bytes),
                Err(RecvTimeoutError::Timeout) => return seen,
                Err(RecvTimeoutError::Disconnected) => panic!("it ended: {}", String::from_utf8_lossy(&seen)),
            }
        }
    }

    /// What it has used up to now.
    pub fn used(&self) -> Used {
        let proc = format!("/proc/{}", self.pid);
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
        let (mut wakes, mut cpu_ns) = (0, 0);
        for task in std::fs::read_dir(format!("{proc}/task")).unwrap().flatten() {
            // A thread may have ended meanwhile.
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            wakes += number(&status, "voluntary_ctxt_switches:").unwrap_or(0);
            let ran = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            cpu_ns += ran.split_ascii_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
        }
        let mb = |name| number(&status, name).unwrap_or(0) as f64 * 1.024 / 1000.0;
        Used { wakes, cpu_ms: cpu_ns as f64 / 1e6, memory: (mb("VmRSS:"), mb("VmHWM:")) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.killer.kill();
    }
}

fn number(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next()?.parse().ok())
}
