//! The simulator's back door: its order book, faults ordered, variants switched.
//!
//! Knows plain HTTP over loopback, and blocks: for tests whose program under test is another process.

#![allow(dead_code, reason = "each test program uses its part of it")]

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// A simulator by its URL.
pub struct Admin(pub String);

impl Admin {
    /// Every order of a service, as its book has them.
    pub fn orders(&self, service: &str) -> Vec<Value> {
        let orders = self.ask("GET", &format!("/_sim/orders?service={service}"), "");
        orders.as_array().cloned().unwrap_or_default()
    }

    /// Orders a fault.
    pub fn fault(&self, fault: &Value) {
        self.ask("POST", "/_sim/faults", &fault.to_string());
    }

    /// Switches how a service behaves.
    pub fn variant(&self, service: &str, name: &str, value: &str) {
        self.ask("POST", "/_sim/variants", &json!({"service": service, "name": name, "value": value}).to_string());
    }

    /// Asks one of its routes.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let host = self.0.trim_start_matches("http://");
        let mut socket = TcpStream::connect(host).expect("the simulator listens");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(format!("{head}{body}").as_bytes()).expect("it takes a request");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("it answers in text");
        assert!(text.starts_with("HTTP/1.1 2"), "{path}: {text}");
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or(Value::Null)
    }
}
