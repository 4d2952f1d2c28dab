//! Paid connections cut at every byte: of the order, of the answer's head and envelope, and every 4 KiB
//! of A4F's clip; closed in order or reset. What follows is `unknown`, and nothing is sent again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rushes::domain::{Model, Service};
use rushes::provider::{Provider, SubmitAnswer, Trace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::support::*;

/// Connections at a time.
const LANES: usize = 8;

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Fin,
    Reset,
}

/// What a server does with the one connection of a case.
#[derive(Clone, Debug)]
struct Cut {
    /// Bytes of the order that it reads; `None` is all of it.
    read: Option<usize>,
    /// What it answers.
    answer: Arc<[u8]>,
    /// How much of that leaves.
    sent: usize,
    end: End,
}

/// A server that reads and writes so much and no more, and an account there.
struct Rude {
    url: String,
    provider: Arc<dyn Provider>,
    model: Model,
    cut: Arc<Mutex<Cut>>,
    seen: Arc<Mutex<Seen>>,
}

/// What a server saw since it was asked last.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    connections: usize,
    /// Bytes of the order's body.
    body: usize,
}

impl Rude {
    async fn start(wire: Wire, cut: Cut) -> Rude {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = match wire.generation {
            Some(generation) => account_fixed(&url, Some(generation)),
            None => account(wire.service, &url),
        };
        let (cut, seen) = (Arc::new(Mutex::new(cut)), Arc::new(Mutex::new(Seen::default())));
        tokio::spawn(serve(listener, cut.clone(), seen.clone()));
        Rude { url, provider, model: model(wire.service, "m", ""), cut, seen }
    }

    async fn order(&self, cut: &Cut) -> Came {
        *self.cut.lock().unwrap() = cut.clone();
        let request = prepare(&*self.provider, &self.url, &self.model, serde_json::json!({}));
        let (trace, sink) = (Trace::default(), SharedSink::default());
        let ordering = self.provider.submit(request, &trace, Box::new(sink.clone()));
        let answer = tokio::time::timeout(Duration::from_secs(60), ordering).await.expect("an outcome");
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        Came { answer, released: trace.is_released(), seen, sink }
    }
}

async fn serve(listener: TcpListener, cut: Arc<Mutex<Cut>>, seen: Arc<Mutex<Seen>>) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let cut = cut.lock().unwrap().clone();
        seen.lock().unwrap().connections += 1;
        let (head, all) = read(&mut socket, cut.read).await;
        seen.lock().unwrap().body += all - head;
        let _ = socket.write_all(&cut.answer[..cut.sent]).await;
        match cut.end {
            End::Fin => {
                let _ = socket.shutdown().await;
                // Closed with something unread, it would be reset instead.
                let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
            }
            End::Reset => socket.set_zero_linger().unwrap(),
        }
    }
}

/// Reads so much of a request, or all of it; returns how much of that was head, and how much it was in all.
async fn read(socket: &mut TcpStream, most: Option<usize>) -> (usize, usize) {
    let mut seen = Vec::new();
    let head = |seen: &[u8]| seen.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let length = |head: &[u8]| -> usize {
        let text = String::from_utf8_lossy(head).to_ascii_lowercase();
        let line = text.lines().find_map(|line| line.strip_prefix("content-length:").map(str::to_owned));
        line.unwrap().trim().parse().unwrap()
    };
    loop {
        let whole = head(&seen).map(|at| at + length(&seen[..at]));
        let wanted = most.or(whole).unwrap_or(usize::MAX);
        if seen.len() >= wanted {
            break;
        }
        let mut piece = vec![0; (wanted - seen.len()).min(64 << 10)];
        match socket.read(&mut piece).await {
            Ok(n) if n > 0 => seen.extend_from_slice(&piece[..n]),
            _ => break,
        }
    }
    (head(&seen).unwrap_or(seen.len()), seen.len())
}

/// What a case came to.
struct Came {
    answer: SubmitAnswer,
    released: bool,
    seen: Seen,
    sink: SharedSink,
}

/// One of the wires, and how it says that an order was taken.
#[derive(Clone, Copy)]
struct Wire {
    name: &'static str,
    service: Service,
    generation: Option<&'static str>,
    taken: &'static str,
}

const WIRES: [Wire; 4] = [
    Wire {
        name: "ninjachat old",
        service: Service::Ninjachat,
        generation: Some("old"),
        taken: r#"{"request_id":"op:77","status":"processing","cost":"$3.00","balance":"$39.00"}"#,
    },
    Wire {
        name: "ninjachat new",
        service: Service::Ninjachat,
        generation: Some("new"),
        taken: include_str!("bodies/ninjachat_new_submit.json"),
    },
    Wire {
        name: "nanogpt",
        service: Service::Nanogpt,
        generation: None,
        taken: r#"{"runId":"vid_mla1k","status":"pending","cost":0.35}"#,
    },
    Wire {
        name: "a4f",
        service: Service::A4f,
        generation: None,
        taken: r#"{"created":1,"data":[{"b64_json":"AAAAGGZ0eXA="}]}"#,
    },
];

/// A case: what it is called, and what its server does.
type Case = (String, Cut);

/// Lives all cases of a wire, some at a time, and checks each. Returns how many they were.
async fn all(
    wire: Wire,
    cases: Vec<Case>,
    check: impl Fn(&str, &Cut, &Came, &mut Cases) + Send + Sync + 'static,
) -> usize {
    let (next, cases, check) = (Arc::new(AtomicUsize::new(0)), Arc::new(cases), Arc::new(check));
    let lane = || {
        let (next, cases, check) = (next.clone(), cases.clone(), check.clone());
        tokio::spawn(async move {
            let server = Rude::start(wire, cases[0].1.clone()).await;
            let mut seen = Cases::default();
            while let Some((name, cut)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                let came = server.order(cut).await;
                let name = format!("{}: {name}, read {:?}, sent {}, {:?}", wire.name, cut.read, cut.sent, cut.end);
                check(&name, cut, &came, &mut seen);
                seen.equal(&name, came.seen.connections, 1);
            }
            seen
        })
    };
    let lanes: Vec<_> = (0..LANES).map(|_| lane()).collect();
    for lane in lanes {
        lane.await.unwrap().finish();
    }
    cases.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_cut_at_any_byte_is_unknown_or_provably_never_left() {
    let mut n = 0;
    for wire in WIRES {
        let nothing = |read, end| Cut { read, answer: Arc::from(*b""), sent: 0, end };
        let whole = order_length(wire).await;
        let cases = (0..=whole)
            .flat_map(|read| [End::Fin, End::Reset].map(|end| ("order".to_owned(), nothing(Some(read), end))))
            .collect();
        n += all(wire, cases, |name, cut, came, seen| {
            let fits = match verdict(&came.answer).split_once(' ') {
                Some(("unknown", _)) => came.released,
                // Only where the service had nothing of it yet.
                Some(("not", _)) => !came.released && came.seen.body == 0,
                _ => false,
            };
            let read = cut.read.unwrap_or(0);
            seen.check(name, fits && came.seen.body <= read, (&came.answer, came.released, came.seen));
        })
        .await;
    }
    assert!(n > 2_000, "only {n} cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_at_any_byte_is_unknown_whatever_it_was_going_to_say() {
    const REFUSED: &str = r#"{"error":{"message":"no","code":"insufficient_credits"}}"#;
    let mut n = 0;
    for wire in WIRES {
        let mut cases = Vec::new();
        for (status, body) in [("202 Accepted", wire.taken), ("402 Payment Required", REFUSED)] {
            for chunked in [false, true] {
                let answer = answer(status, body, chunked);
                let cut = |sent, end| Cut { read: None, answer: answer.clone(), sent, end };
                // A clip whose text was closed is whole, whatever became of the rest of the answer.
                let closed = wire.service == Service::A4f && status.starts_with('2');
                let most = if closed { find(&answer, b"GGZ0eXA=\"") + 8 } else { answer.len() - 1 };
                for sent in 0..=most {
                    cases.extend([End::Fin, End::Reset].map(|end| (status.to_owned(), cut(sent, end))));
                }
                cases.push((format!("{status} whole"), cut(answer.len(), End::Fin)));
            }
        }
        n += all(wire, cases, |name, _, came, seen| {
            let expected: &[&str] = match (name.contains("whole"), name.contains("402")) {
                (true, false) => &["accepted", "finished"],
                (true, true) => &["refused balance"],
                (false, _) => &["unknown unavailable", "unknown protocol"],
            };
            let fits = expected.contains(&verdict(&came.answer).as_str());
            seen.check(name, came.released && fits, &came.answer);
        })
        .await;
    }
    assert!(n > 4_000, "only {n} cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_cut_at_every_4_kib_of_its_text_is_unknown_and_what_came_is_kept() {
    let clip: Arc<[u8]> = b"\0\0\0\x18ftypmp42".iter().copied().cycle().take(300_000).enumerate().map(piece).collect();
    let text = STANDARD.encode(&clip);
    let body = format!(r#"{{"created":1700000000,"data":[{{"b64_json":"{text}","url":null}}]}}"#);
    let mut cases = Vec::new();
    for chunked in [false, true] {
        let answer = answer("200 OK", &body, chunked);
        let first = find(&answer, b"b64_json") + 11;
        for sent in (first..first + text.len()).step_by(4096) {
            let cut = |end| Cut { read: None, answer: answer.clone(), sent, end };
            cases.extend([End::Fin, End::Reset].map(|end| ("clip".to_owned(), cut(end))));
        }
    }
    let n = all(WIRES[3], cases, move |name, cut, came, seen| {
        seen.equal(name, verdict(&came.answer).as_str(), "unknown unavailable");
        let clips = came.sink.clips();
        let (kept, closed) = clips.first().map_or((&[][..], false), |(_, bytes, closed)| (bytes, *closed));
        let first = find(&cut.answer, b"b64_json") + 11;
        // A reset may take along what was not read yet.
        let least = if matches!(cut.end, End::Fin) { (cut.sent - first) / 4 * 3 } else { 0 };
        seen.check(name, !closed && clip.starts_with(kept) && kept.len() >= least, (kept.len(), least));
    })
    .await;
    assert!(n > 300, "only {n} cuts");
}

/// Bytes that are never the same for long, so that a piece left out would show.
fn piece((n, byte): (usize, u8)) -> u8 {
    if n < 12 { byte } else { u8::try_from((n * n / 7 + n) % 251).unwrap() }
}

fn find(answer: &[u8], part: &[u8]) -> usize {
    answer.windows(part.len()).position(|window| window == part).unwrap()
}

/// A whole answer, with its length or in one chunk.
fn answer(status: &str, body: &str, chunked: bool) -> Arc<[u8]> {
    let framing =
        if chunked { "transfer-encoding: chunked".to_owned() } else { format!("content-length: {}", body.len()) };
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n");
    let body = if chunked { format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()) } else { body.to_owned() };
    Arc::from((head + &body).into_bytes())
}

/// How long the plainest order is on the wire, head and body.
async fn order_length(wire: Wire) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let counted = tokio::spawn(async move { read(&mut listener.accept().await.unwrap().0, None).await.1 });
    let provider = match wire.generation {
        Some(generation) => account_fixed(&url, Some(generation)),
        None => account(wire.service, &url),
    };
    let request = prepare(&*provider, &url, &model(wire.service, "m", ""), serde_json::json!({}));
    let _ = provider.submit(request, &Trace::default(), Box::new(SharedSink::default())).await;
    counted.await.unwrap()
}
