//! Asking the simulator over its own admin routes: the order book, the bank, a fault.
//!
//! Knows just enough HTTP for one loopback server. Must not know what the answers mean.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// `GET <url>/_sim/<path>` as JSON.
///
/// # Errors
/// A sentence when the simulator cannot be asked.
pub(super) async fn get(url: &str, path: &str) -> Result<Value, String> {
    let text = call(url, "GET", path, "").await?;
    serde_json::from_str(&text).map_err(|error| format!("the simulator's {path} cannot be read: {error}"))
}

/// `POST <url>/_sim/<path>`: a fault to come.
///
/// # Errors
/// A sentence when the simulator does not take it.
pub(super) async fn post(url: &str, path: &str, value: &Value) -> Result<(), String> {
    call(url, "POST", path, &value.to_string()).await.map(drop)
}

async fn call(url: &str, method: &str, path: &str, body: &str) -> Result<String, String> {
    let host = url.trim_start_matches("http://");
    let head = format!(
        "{method} /_sim/{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let asked = async {
        let mut socket = TcpStream::connect(host).await?;
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await?;
        io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = asked.await.map_err(|error| format!("the simulator cannot be asked for {path}: {error}"))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(format!("the simulator refused {path}: {answer}")),
    }
}
