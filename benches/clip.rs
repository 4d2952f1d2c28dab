//! `cargo bench --bench clip [-- answer download]`: clips on their way to disk, each by the real adapter and the real
//! writer in a process of its own, from a bare server in another. A4F's answer of 200 MB base64 beside
//! `curl | jq -r | base64 -d`; a plain download beside `curl -o`. Unsynced as those are, and synced as rushes does it.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a command that prints its figures, built like a test"
)]

mod stage;

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rushes::domain::{AccountProfile, Service};
use rushes::media::{ClipWriter, Disk, DiskFile, ReadSeek, RealDisk};
use rushes::provider::{Endpoint, PaidRequest, SubmitAnswer, Trace};
use stage::source;

/// Turns by each way; the smallest time counts.
const TURNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => source::serve(),
        ["take", what, url, dir, synced] => take(what, url, Path::new(dir), synced == "synced"),
        _ => {
            let server = source::start();
            for what in ["answer", "download"] {
                if words.is_empty() || words.contains(&what) {
                    compare(what, &server.url);
                }
            }
        }
    }
}

/// What one way took: time in ms, and memory above the baseline in MB where it is ours.
struct Turn {
    ms: f64,
    memory: f64,
}

fn compare(what: &str, url: &str) {
    println!("{what}: {:.0} MB over loopback; of {TURNS} by turns the smallest; load {}", size(what) / 1e6, load());
    let dir = tempfile::tempdir().unwrap();
    let (mut rival, mut unsynced, mut synced) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        rival.extend(by_others(what, url, dir.path()));
        unsynced.push(by_us(what, url, "unsynced"));
        synced.push(by_us(what, url, "synced"));
    }
    let least = |turns: &[Turn]| turns.iter().map(|turn| turn.ms).fold(f64::INFINITY, f64::min);
    let theirs = least(&rival);
    let name = if what == "answer" { "curl | jq -r | base64 -d" } else { "curl -o" };
    match rival.is_empty() {
        true => println!("  {name:<26} not there, or it failed"),
        false => println!("  {name:<26} {theirs:8.0} ms  {:6.0} MB/s", size(what) / theirs / 1e3),
    }
    for (name, turns) in [("rushes, unsynced", &unsynced), ("rushes, synced", &synced)] {
        let (ours, most) = (least(turns), turns.iter().map(|turn| turn.memory).fold(0.0, f64::max));
        let speed = size(what) / ours / 1e3;
        let times = if rival.is_empty() { String::new() } else { format!("  {:.2} of it", theirs / ours) };
        println!("  {name:<26} {ours:8.0} ms  {speed:6.0} MB/s{times}  {most:.1} MB above the baseline at most");
    }
}

/// Bytes on the line.
fn size(what: &str) -> f64 {
    if what == "answer" { source::TEXT as f64 } else { source::CLIP as f64 }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn by_others(what: &str, url: &str, dir: &Path) -> Option<Turn> {
    let file = dir.join("theirs.mp4");
    let script = match what {
        "answer" => r#"curl -sf -X POST "$0/v1/video/generations" | jq -r '.data[0].b64_json' | base64 -d > "$1""#,
        _ => r#"curl -sf -o "$1" "$0/clip.mp4""#,
    };
    let begun = Instant::now();
    let ended = Command::new("sh").args(["-c", script, url]).arg(&file).stderr(Stdio::null()).status().ok()?;
    let ms = begun.elapsed().as_secs_f64() * 1000.0;
    let len = std::fs::metadata(&file).map_or(0, |about| about.len());
    let _ = std::fs::remove_file(&file);
    (ended.success() && len == source::CLIP).then_some(Turn { ms, memory: 0.0 })
}

fn by_us(what: &str, url: &str, synced: &str) -> Turn {
    let dir = tempfile::tempdir().unwrap();
    let mut taking = Command::new(std::env::current_exe().unwrap());
    let told = taking.args(["take", what, url]).arg(dir.path()).arg(synced).stderr(Stdio::inherit()).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let figures: Vec<f64> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
    Turn { ms: figures[0], memory: figures[1] }
}

/// One clip, in a process of its own; prints its time and its memory.
fn take(what: &str, url: &str, dir: &Path, synced: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let provider = rushes::provider::connect(Endpoint {
        service: Service::A4f,
        base_url: url.to_owned(),
        generation: None,
        key: rushes::sim::A4F_KEY.to_owned().into(),
        allow_insecure: false,
    })
    .unwrap();
    let disk: Arc<dyn Disk> = if synced { Arc::new(RealDisk) } else { Arc::new(Unsynced) };
    let mut writer = ClipWriter::new(disk, dir.join("ours"), 1);
    let written = writer.written();
    let (before, _) = stage::memory();
    let begun = Instant::now();
    runtime.block_on(async {
        if what == "answer" {
            let request = PaidRequest {
                url: format!("{url}/v1/video/generations"),
                headers: Vec::new(),
                body: "{}".into(),
                record: String::new(),
            };
            let answer = provider.submit(request, &Trace::default(), Box::new(writer)).await;
            assert!(matches!(answer, SubmitAnswer::Finished(_)), "{answer:?}");
        } else {
            let profile = AccountProfile { origin: url.to_owned(), ..AccountProfile::default() };
            provider.fetch(&format!("{url}/clip.mp4"), None, &profile, &mut writer).await.unwrap();
            writer.finish();
        }
    });
    let ms = begun.elapsed().as_secs_f64() * 1000.0;
    let part = written.parts().remove(0);
    assert_eq!((part.bytes, part.whole), (source::CLIP, true));
    let (_, most) = stage::memory();
    println!("{ms} {}", most - before);
}

/// The disk of this machine, which is left to write when it likes.
struct Unsynced;

struct UnsyncedFile(Box<dyn DiskFile>);

impl DiskFile for UnsyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
}

impl Disk for Unsynced {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(UnsyncedFile(RealDisk.create_new(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(UnsyncedFile(RealDisk.append(path)?)))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        RealDisk.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        RealDisk.len(path)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename_no_replace(from, to)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
}
