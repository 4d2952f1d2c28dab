//! A download of several MiB whose process is killed: taken up where it surely reached the medium, and only
//! while it is the same file.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rushes::store::Store;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::place::{Place, row};

/// What is put behind the simulator's small clip.
const MORE: usize = 6 << 20;
/// The first answer stops after so many bytes.
const STOPS_AT: usize = 5 << 20;

/// What the clip's requests asked for, and what they got.
#[derive(Default)]
struct Seen {
    asked: Vec<(Option<usize>, Option<String>)>,
    sent: Vec<usize>,
}

/// The simulator with large clips: passes everything on, and serves clips itself.
struct Proxy {
    url: String,
    seen: Arc<Mutex<Seen>>,
    /// The validator, and the byte that what is put behind the clip consists of.
    version: Arc<Mutex<(String, u8)>>,
}

impl Proxy {
    fn before(simulator: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = simulator.trim_start_matches("http://").to_owned();
        let (seen, version) = (Arc::<Mutex<Seen>>::default(), Arc::new(Mutex::new(("\"v1\"".to_owned(), 7))));
        let (noted, now) = (seen.clone(), version.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (upstream, noted, now) = (upstream.clone(), noted.clone(), now.clone());
                std::thread::spawn(move || serve(socket, &upstream, &noted, &now));
            }
        });
        Proxy { url, seen, version }
    }
}

/// One request, and the connection's end: a client that is gone is nobody's fault.
fn serve(mut socket: TcpStream, upstream: &str, seen: &Mutex<Seen>, version: &Mutex<(String, u8)>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).ok()?;
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let mut body = vec![0; header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
    socket.read_exact(&mut body).ok()?;
    let is_clip = head.lines().next()?.contains(".mp4 ");
    let dropped = ["connection:", "range:", "if-range:"];
    let kept = head.trim_end().lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !dropped.iter().any(|name| line.starts_with(name))
    });
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    let mut answer = Vec::new();
    let mut above = TcpStream::connect(upstream).ok()?;
    above.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
    above.write_all(&body).ok()?;
    above.read_to_end(&mut answer).ok()?;
    if !is_clip {
        return socket.write_all(&answer).ok();
    }
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let (etag, filler) = version.lock().unwrap().clone();
    let clip = large(&answer[at..], filler);
    let asked =
        header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let valid = header("if-range");
    let from = asked.filter(|_| valid.as_deref() == Some(&etag)).unwrap_or(0);
    let is_first = {
        let mut seen = seen.lock().unwrap();
        seen.asked.push((asked, valid));
        seen.sent.push(clip.len() - from);
        seen.asked.len() == 1
    };
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", format!("content-range: bytes {from}-{}/{}\r\n", clip.len() - 1, clip.len())),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: video/mp4\r\ncontent-length: {}\r\netag: {etag}\r\n{range}connection: close\r\n\r\n",
        clip.len() - from
    );
    socket.write_all(head.as_bytes()).ok()?;
    if is_first {
        socket.write_all(&clip[..STOPS_AT]).ok()?;
        // Says no more until the client is gone.
        return socket.read_exact(&mut [0]).ok();
    }
    socket.write_all(&clip[from..]).ok()
}

/// The clip with a box behind it that players skip.
fn large(clip: &[u8], filler: u8) -> Vec<u8> {
    let size = u32::try_from(MORE + 8).unwrap();
    [clip, &size.to_be_bytes(), b"free", &vec![filler; MORE]].concat()
}

/// Kills a run in the middle of its download; `changed`: the file is another one when the next run comes.
fn killed_and_gone_on_with(changed: bool) {
    let place = Place::new();
    let proxy = Proxy::before(&place.admin.0);
    let rushes = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("RUSHES_NINJACHAT_BASE_URL", format!("{}/ninjachat", proxy.url));
        command
    };
    let file = place.write("rows.jsonl", &row("ninjachat/google-veo-2", "a long river"));
    let mut run = rushes(&["run", &file]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let data = place.path("data/rushes");
    // What is on disk when it is killed: most of what came, and the validator.
    let there =
        |path: PathBuf| path.extension().is_some_and(|e| e == "part").then(|| path.metadata().map_or(0, |m| m.len()));
    let under_way = || {
        let job = Store::open_read_only(&data).ok()?.job(rushes::domain::JobId(1)).ok()??;
        let dir = PathBuf::from(job.stem.clone()?).parent()?.to_owned();
        let came = std::fs::read_dir(dir).ok()?.flatten().filter_map(|file| there(file.path())).max()?;
        (came >= STOPS_AT as u64 - (1 << 20) && !job.validators.is_empty()).then_some(())
    };
    while under_way().is_none() {
        assert!(run.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    if changed {
        *proxy.version.lock().unwrap() = ("\"v2\"".to_owned(), 9);
    }
    let told = rushes(&["run"]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let job: Value = place.jobs().remove(0);
    assert_eq!((job["state"].as_str(), place.orders()), (Some("done"), 1), "{job}");
    let content = std::fs::read(job["file"].as_str().unwrap()).unwrap();
    assert_eq!(format!("{:x}", Sha256::digest(&content)), job["sha256"].as_str().unwrap());
    let small = content.len() - MORE - 8;
    assert!(content == large(&content[..small], if changed { 9 } else { 7 }), "bytes of two files are mixed");
    let seen = proxy.seen.lock().unwrap();
    assert_eq!(seen.asked.len(), 2, "{:?}", seen.asked);
    let (from, valid) = &seen.asked[1];
    assert_eq!(valid.as_deref(), Some("\"v1\""), "the validator outlived the process");
    let from = from.unwrap();
    assert!((1 << 20..STOPS_AT).contains(&from), "{from}");
    assert_eq!(seen.sent[1], if changed { content.len() } else { content.len() - from });
}

#[test]
fn a_killed_download_is_taken_up_where_it_was_and_not_paid_for_again() {
    killed_and_gone_on_with(false);
}

#[test]
fn a_killed_download_starts_anew_where_the_file_is_another_one() {
    killed_and_gone_on_with(true);
}
