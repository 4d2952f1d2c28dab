//! A server on loopback that answers with exactly the bytes a test gives it, and records what it got.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the key is anywhere in it.
    pub fn holds(&self, secret: &str) -> bool {
        self.target.contains(secret) || self.headers.iter().any(|(_, value)| value.contains(secret))
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub struct Reply {
    head: Vec<u8>,
    body: Body,
    keep: bool,
}

#[derive(Clone)]
enum Body {
    Bytes(Vec<u8>),
    /// So many pieces, each made when it is sent.
    Pieces(usize, Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>),
}

impl Reply {
    /// A whole answer with its length.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n", body.len());
        Reply { head: head.into_bytes(), body: Body::Bytes(body), keep: false }
    }

    pub fn json(status: u16, body: &str) -> Self {
        Reply::new(status, "application/json", body)
    }

    /// The connection is closed after the request was read, without a byte.
    pub fn nothing() -> Self {
        Reply { head: Vec::new(), body: Body::Bytes(Vec::new()), keep: false }
    }

    /// A body without a length, ended by closing, made piece by piece.
    pub fn pieces(count: usize, make: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let head = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n".to_vec();
        Reply { head, body: Body::Pieces(count, Arc::new(make)), keep: false }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        self
    }

    /// Sends the head as it is, but only `n` bytes of the body.
    pub fn cut_at(mut self, n: usize) -> Self {
        if let Body::Bytes(body) = &mut self.body {
            body.truncate(n);
        }
        self
    }

    /// Leaves the connection open for more.
    pub fn kept(mut self) -> Self {
        self.keep = true;
        self
    }

    async fn send(self, socket: &mut TcpStream) -> std::io::Result<()> {
        if !self.head.is_empty() {
            socket.write_all(&self.head).await?;
            socket.write_all(if self.keep { b"\r\n" } else { b"connection: close\r\n\r\n" }).await?;
        }
        match self.body {
            Body::Bytes(body) => socket.write_all(&body).await?,
            Body::Pieces(count, make) => {
                for n in 0..count {
                    socket.write_all(&make(n)).await?;
                }
            }
        }
        if self.keep { Ok(()) } else { socket.shutdown().await }
    }
}

/// The server; stops when dropped.
pub struct Scripted {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Answers every request with what `answer` makes of it.
    pub async fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, count, answer) = (received.clone(), connections.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut socket).await {
                        let reply = answer(&request);
                        let kept = reply.keep;
                        log.lock().unwrap().push(request);
                        // The client may hang up first; that is its right.
                        if reply.send(&mut socket).await.is_err() || !kept {
                            return;
                        }
                    }
                });
            }
        });
        Scripted { port, received, connections, task }
    }

    pub async fn always(reply: Reply) -> Self {
        Scripted::start(move |_| reply.clone()).await
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn read_request(socket: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        match socket.read(&mut buffer).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse().ok());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        match socket.read(&mut buffer).await {
            Ok(n) if n > 0 => body.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
    Some(Received { method, target, headers, body })
}
