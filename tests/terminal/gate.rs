//! A gate in front of the simulator: answers to paid orders, and halves of clips, wait until it opens.
//!
//! Knows which requests to hold by their first line. What is at the gate is in the service's books already,
//! so a test decides what happens while an answer is under way, at any speed of the machine.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// The gate; dropping it leaves what waits to the end of the process.
pub struct Gate {
    /// Where it listens.
    pub url: String,
    is_open: Arc<Opening>,
}

type Opening = (Mutex<bool>, Condvar);

/// What of an answer passes while the gate is closed.
#[derive(Clone, Copy, PartialEq)]
enum Pass {
    All,
    Half,
    Nothing,
}

impl Gate {
    /// A closed gate to this address.
    pub fn before(simulator: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let is_open = Arc::new(Opening::default());
        let (to, opening) = (simulator.trim_start_matches("http://").to_owned(), Arc::clone(&is_open));
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let Ok(service) = TcpStream::connect(&to) else { continue };
                pair(caller, service, &opening);
            }
        });
        Gate { url, is_open }
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        *self.is_open.0.lock().expect("no holder panics") = true;
        self.is_open.1.notify_all();
    }
}

fn pair(caller: TcpStream, service: TcpStream, opening: &Arc<Opening>) {
    let pass = Arc::new(Mutex::new(Pass::All));
    let (mut from_caller, mut to_service) =
        (caller.try_clone().expect("a socket"), service.try_clone().expect("a socket"));
    let seen = Arc::clone(&pass);
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(n @ 1..) = from_caller.read(&mut buffer) {
            // One request follows the other's answer, so that each begins a read of its own.
            let line = String::from_utf8_lossy(&buffer[..n.min(300)]).lines().next().unwrap_or_default().to_owned();
            let order = line.starts_with("POST ") && line.contains("/v1/video/generations");
            let clip = line.starts_with("GET ") && line.contains(".mp4");
            if line.ends_with("HTTP/1.1") {
                *seen.lock().expect("no holder panics") = match (order, clip) {
                    (true, _) => Pass::Nothing,
                    (_, true) => Pass::Half,
                    _ => Pass::All,
                };
            }
            if to_service.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to_service.shutdown(Shutdown::Write);
    });
    let opening = Arc::clone(opening);
    thread::spawn(move || {
        let (mut from_service, mut to_caller) = (service, caller);
        let mut buffer = [0; 65536];
        while let Ok(n @ 1..) = from_service.read(&mut buffer) {
            let at_once = match *pass.lock().expect("no holder panics") {
                Pass::All => n,
                Pass::Half => n / 2,
                Pass::Nothing => 0,
            };
            if to_caller.write_all(&buffer[..at_once]).is_err() {
                break;
            }
            if at_once < n {
                let is_open = opening.0.lock().expect("no holder panics");
                drop(opening.1.wait_while(is_open, |is_open| !*is_open).expect("no holder panics"));
                if to_caller.write_all(&buffer[at_once..n]).is_err() {
                    break;
                }
            }
        }
        let _ = to_caller.shutdown(Shutdown::Both);
    });
}
