//! A server that does nothing but send: one clip as it is, and the same as A4F's answer. Plain sockets, so that it
//! is never what is measured. Knows no more of HTTP than its callers here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One piece of the clip; a multiple of three, so that pieces of text join.
const PIECE: usize = 48 << 10;
const PIECES: usize = 3_052;
/// The clip's length, bytes.
pub const CLIP: u64 = (PIECE * PIECES) as u64;
/// Its length as base64: 200 MB.
pub const TEXT: u64 = CLIP / 3 * 4;

/// A server in another process, which ends with this value.
pub struct Server {
    /// Where it is.
    pub url: String,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts this program again as the server.
pub fn start() -> Server {
    let mut serving = Command::new(std::env::current_exe().unwrap());
    let mut process = serving.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
    Server { url: url.trim().to_owned(), process }
}

/// Serves until it is killed; says its address first.
pub fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let mut clip: Vec<u8> = (0..PIECE as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    clip[..12].copy_from_slice(b"\0\0\0\x20ftypisom");
    let text = STANDARD.encode(&clip);
    for stream in listener.incoming().flatten() {
        let (clip, text) = (clip.clone(), text.clone());
        // Whoever hangs up has what it wanted.
        std::thread::spawn(move || answer(stream, &clip, text.as_bytes()).ok());
    }
}

fn answer(mut stream: TcpStream, clip: &[u8], text: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let (mut first, mut line, mut body) = (String::new(), String::new(), 0);
    lines.read_line(&mut first)?;
    while lines.read_line(&mut line)? > 2 {
        if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            body = length.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    lines.take(body).read_to_end(&mut Vec::new())?;
    let (head, piece, tail, kind) = match first.starts_with("POST") {
        true => (r#"{"created":1763600000,"data":[{"b64_json":""#, text, r#"","url":null}]}"#, "application/json"),
        false => ("", clip, "", "video/mp4"),
    };
    let length = head.len() + piece.len() * PIECES + tail.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(head.as_bytes())?;
    for _ in 0..PIECES {
        stream.write_all(piece)?;
    }
    stream.write_all(tail.as_bytes())
}
