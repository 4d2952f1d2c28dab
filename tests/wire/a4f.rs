//! A4F's order: every cell of its table, the clip inside the answer, what a cut leaves behind.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rushes::domain::{ErrorKind, Service};
use rushes::provider::{Provider, SubmitAnswer, Trace};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::scripted::{Reply, Scripted};
use super::support::*;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::A4f, base)
}

/// An answer with `clip` as its clip, the way seed 004 shows it.
fn whole(clip: &[u8]) -> String {
    let text = STANDARD.encode(clip);
    format!(
        r#"{{"created":1700000000,"data":[{{"b64_json":"{text}","url":null,"revised_prompt":"a mistier valley"}}]}}"#
    )
}

#[tokio::test]
async fn every_cell_of_the_answer_table() {
    let html = "<!DOCTYPE html><html><body>504</body></html>";
    let coded = |code: &str| {
        format!(r#"{{"error":{{"message":"said the service","type":null,"param":null,"code":"{code}"}}}}"#)
    };
    let typed = |kind: &str| {
        format!(r#"{{"error":{{"message":"said the service","type":"{kind}","param":null,"code":null}}}}"#)
    };
    let clip = whole(b"\0\0\0\x18ftypmp42 and so on and on");
    let cells: Vec<(&str, Reply, &str)> = vec![
        ("200 clip", Reply::json(200, &clip), "finished"),
        ("200 clip, wrong content type", Reply::new(200, "text/plain", clip.clone()), "finished"),
        ("201 clip", Reply::json(201, &clip), "finished"),
        (
            "200 url",
            Reply::json(200, r#"{"created":1,"data":[{"url":"https://api.a4f.co/v1/videos/serve/x.mp4"}]}"#),
            "finished",
        ),
        ("200 data as object", Reply::json(200, r#"{"data":{"b64_json":"AAAA"}}"#), "finished"),
        ("200 no data", Reply::json(200, r#"{"created":1}"#), "unknown protocol"),
        ("200 empty data", Reply::json(200, r#"{"created":1,"data":[]}"#), "unknown protocol"),
        ("200 null clip", Reply::json(200, r#"{"data":[{"b64_json":null,"url":null}]}"#), "unknown protocol"),
        ("200 empty clip", Reply::json(200, r#"{"data":[{"b64_json":""}]}"#), "unknown protocol"),
        ("200 not base64", Reply::json(200, r#"{"data":[{"b64_json":"**not base64**"}]}"#), "unknown protocol"),
        ("200 empty", Reply::json(200, ""), "unknown unavailable"),
        ("200 web page", Reply::new(200, "text/html", html), "unknown protocol"),
        ("200 a list", Reply::json(200, "[]"), "unknown protocol"),
        ("200 cut before the body", Reply::json(200, &clip).cut_at(0), "unknown unavailable"),
        ("200 cut in the clip", Reply::json(200, &clip).cut_at(70), "unknown unavailable"),
        ("200 cut after the clip", Reply::json(200, &clip).cut_at(clip.len() - 20), "finished"),
        ("200 error invalid_request_error", Reply::json(200, &coded("invalid_request_error")), "refused invalid"),
        ("200 error invalid_api_key", Reply::json(200, &typed("invalid_api_key")), "refused authentication"),
        ("200 error permission_denied_error", Reply::json(200, &typed("permission_denied_error")), "refused plan"),
        ("200 error rate_limit_exceeded", Reply::json(200, &coded("rate_limit_exceeded")), "refused rate_limit"),
        ("200 error provider_error", Reply::json(200, &coded("provider_error")), "refused generation"),
        ("200 error timeout", Reply::json(200, &coded("timeout")), "unknown unavailable"),
        ("200 error nobody knows", Reply::json(200, &coded("sky_fell")), "refused generation"),
        ("200 error as text", Reply::json(200, r#"{"error":"it failed"}"#), "refused generation"),
        ("200 error beside a clip", Reply::json(200, r#"{"data":[{"b64_json":"AAAA"}],"error":null}"#), "finished"),
        ("302", Reply::json(302, "").header("location", "https://www.a4f.co/"), "refused protocol"),
        ("307", Reply::json(307, "").header("location", "/v2/video/generations"), "refused protocol"),
        ("400 invalid_request_error", Reply::json(400, &typed("invalid_request_error")), "refused invalid"),
        ("400 n_exceeds_model_limit", Reply::json(400, &coded("n_exceeds_model_limit")), "refused invalid"),
        ("400 provider_error", Reply::json(400, &coded("provider_error")), "refused generation"),
        ("401 code", Reply::json(401, &coded("invalid_api_key")), "refused authentication"),
        ("401 type", Reply::json(401, &typed("invalid_api_key")), "refused authentication"),
        (
            "401 of the OpenAI style",
            Reply::json(401, r#"{"error":{"message":"m","type":"invalid_request_error","code":"invalid_api_key"}}"#),
            "refused authentication",
        ),
        ("402 envelope", Reply::json(402, &coded("pay")), "refused balance"),
        ("403 permission_denied_error", Reply::json(403, &typed("permission_denied_error")), "refused plan"),
        ("404 envelope", Reply::json(404, &coded("not_found")), "refused invalid"),
        ("408 timeout", Reply::json(408, &coded("timeout")), "unknown unavailable"),
        ("413 envelope", Reply::json(413, &coded("too_large")), "refused invalid"),
        ("429 rate_limit_exceeded", Reply::json(429, &typed("rate_limit_exceeded")), "refused rate_limit"),
        ("400 web page", Reply::new(400, "text/html", html), "unknown protocol"),
        ("429 cut mid-answer", Reply::json(429, &coded("rate_limit_exceeded")).cut_at(20), "unknown protocol"),
        ("500 provider_error code", Reply::json(500, &coded("provider_error")), "refused generation"),
        ("500 provider_error type", Reply::json(500, &typed("provider_error")), "refused generation"),
        ("500 another code", Reply::json(500, &coded("internal")), "unknown unavailable"),
        ("500 empty", Reply::json(500, ""), "unknown unavailable"),
        ("502 provider_error", Reply::json(502, &coded("provider_error")), "refused generation"),
        ("502 web page", Reply::new(502, "text/html", html), "unknown unavailable"),
        ("504 web page", Reply::new(504, "text/html", html), "unknown unavailable"),
        ("closed without a byte", Reply::nothing(), "unknown unavailable"),
    ];
    let mut cases = Cases::default();
    for (name, reply, expected) in cells {
        let server = Scripted::always(reply).await;
        let (answer, released) = order(&*account(&server.url()), &server.url()).await;
        cases.equal(name, verdict(&answer).as_str(), expected);
        cases.check(name, released, "the order was not marked as sent");
        cases.equal(name, (server.connections(), server.received().len()), (1, 1));
        cases.check(name, !message(&answer).contains(KEY), "the key is in the message");
    }
    cases.finish();
}

#[tokio::test]
async fn the_clip_in_the_answer_reaches_the_sink_whole() {
    let clip: Vec<u8> = (0..200_001_u32).map(|n| (n * 31 % 251) as u8).collect();
    let text = STANDARD.encode(&clip);
    let bare = text.trim_end_matches('=').to_owned();
    let lines: String = text.as_bytes().chunks(76).map(|l| format!("{}\\n", std::str::from_utf8(l).unwrap())).collect();
    let slashes = text.replace('/', "\\/");
    let item = |text: &str| format!(r#"{{"data":[{{"b64_json":"{text}"}}],"created":1}}"#);
    let mut cases = Cases::default();
    for (name, body) in [
        ("as documented", whole(&clip)),
        ("a data url", item(&format!("data:video/mp4;base64,{text}"))),
        ("in lines", item(&lines)),
        ("without padding", item(&bare)),
        ("with escaped slashes", item(&slashes)),
        (
            "a data url in the link's place",
            format!(r#"{{"data":[{{"url":"data:video/mp4;base64,{text}","b64_json":null}}]}}"#),
        ),
        ("in both places", format!(r#"{{"data":[{{"url":"data:video/mp4;base64,{text}","b64_json":"{text}"}}]}}"#)),
        ("url before it", format!(r#"{{"data":[{{"url":"https://x/y.mp4","b64_json":"{text}"}}]}}"#)),
    ] {
        let server = Scripted::always(Reply::json(200, &body)).await;
        let (answer, _, sink) = order_into(&*account(&server.url()), &server.url()).await;
        let clips = sink.clips();
        cases.equal(name, clips.len(), 1);
        cases.check(name, clips[0].1 == clip && clips[0].2, "other bytes, or not ended");
        let SubmitAnswer::Finished(done) = answer else { panic!("{name}: {answer:?}") };
        cases.equal(name, (done.clips, done.links.len()), (1, 0));
        let mime = matches!(name, "a data url" | "a data url in the link's place" | "in both places")
            .then(|| "video/mp4".to_owned());
        cases.equal(name, clips[0].0.content_type.clone(), mime);
        let revised = (name == "as documented").then_some("a mistier valley");
        cases.equal(name, done.revised_prompt.as_deref(), revised);
    }
    cases.finish();
    let two =
        format!(r#"{{"data":[{{"b64_json":"{text}"}},{{"b64_json":"AAAA"}},{{"url":"/v1/videos/serve/x.mp4"}}]}}"#);
    let server = Scripted::always(Reply::json(200, &two)).await;
    let base = format!("{}/a4f", server.url());
    let (answer, _, sink) = order_into(&*account(&base), &base).await;
    let SubmitAnswer::Finished(done) = answer else { panic!("{answer:?}") };
    assert_eq!((done.clips, sink.clips().len()), (2, 2));
    assert_eq!(sink.clips()[1].1, [0, 0, 0]);
    assert_eq!(done.links.len(), 1);
}

#[tokio::test]
async fn a_cut_answer_leaves_what_came_in_the_sink() {
    let clip: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let body = whole(&clip);
    for at in [200_000, 250_003, body.len() / 2] {
        let server = Scripted::always(Reply::json(200, &body).cut_at(at)).await;
        let (answer, released, sink) = order_into(&*account(&server.url()), &server.url()).await;
        assert_eq!(verdict(&answer), "unknown unavailable");
        assert!(released);
        let clips = sink.clips();
        let (kept, ended) = (&clips[0].1, clips[0].2);
        assert!(!ended && clip.starts_with(kept), "the beginning of the clip, not marked as whole");
        assert!(kept.len() + 2048 > (at - 60) / 4 * 3, "{} of about {}", kept.len(), at / 4 * 3);
    }
}

#[tokio::test]
async fn a_long_clip_passes_in_small_writes() {
    // 640 pieces of 64 KiB of base64: 30 MiB of clip, never whole in memory.
    let server = Scripted::start(|_| {
        Reply::pieces(642, |n| match n {
            0 => br#"{"created":1,"data":[{"b64_json":""#.to_vec(),
            641 => br#"","url":null,"revised_prompt":null}]}"#.to_vec(),
            n => vec![b'A' + (n % 26) as u8; 64 << 10],
        })
    })
    .await;
    let model = model(Service::A4f, "m", "");
    let provider = account(&server.url());
    let request = prepare(&*provider, &server.url(), &model, json!({}));
    let sink = SharedSink { forget: true, ..SharedSink::default() };
    let answer = provider.submit(request, &Default::default(), Box::new(sink.clone())).await;
    assert_eq!(verdict(&answer), "finished");
    let (largest, writes) = *sink.writes.lock().unwrap();
    assert!(largest <= 64 << 10, "a write of {largest} bytes");
    assert!(writes >= 480, "{writes} writes for 30 MiB");
    assert_eq!(*sink.total.lock().unwrap(), 640 * (64 << 10) / 4 * 3);
    assert!(sink.clips()[0].2, "ended");
}

#[tokio::test]
async fn an_answer_is_waited_for_as_long_as_the_line_holds() {
    assert_eq!(rushes::provider::limits::documented(Service::A4f).answer_wait, None, "no deadline of ours");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let provider = account(&url);
    let request = prepare(&*provider, &url, &model(Service::A4f, "m", ""), json!({}));
    let (trace, sink) = (Trace::default(), SharedSink::default());
    let (held, taken) = (trace.clone(), sink.clone());
    let call = tokio::spawn(async move { provider.submit(request, &held, Box::new(taken)).await });
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"}") {
        assert!(socket.read_buf(&mut seen).await.unwrap() > 0);
    }
    assert!(trace.is_released() && !call.is_finished());
    // A head long before the body, then the clip in two halves: nothing is settled before its end.
    let body = whole(&[9; 6_000]);
    let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    let (first, second) = body.as_bytes().split_at(body.len() / 2);
    socket.write_all(first).await.unwrap();
    assert!(!call.is_finished());
    socket.write_all(second).await.unwrap();
    assert_eq!(verdict(&call.await.unwrap()), "finished");
    assert!(sink.clips()[0].1 == [9; 6_000] && sink.clips()[0].2);
}

#[tokio::test]
async fn a_full_disk_stops_the_answer_and_is_said() {
    let server = Scripted::always(Reply::json(200, &whole(&[7; 200_000]))).await;
    let model = model(Service::A4f, "m", "");
    let provider = account(&server.url());
    let request = prepare(&*provider, &server.url(), &model, json!({}));
    let sink = SharedSink { full_after: Some(50_000), ..SharedSink::default() };
    let answer = provider.submit(request, &Default::default(), Box::new(sink)).await;
    assert!(matches!(&answer, SubmitAnswer::Unknown(e) if e.kind == ErrorKind::Disk), "{answer:?}");
}

#[tokio::test]
async fn hostile_json_does_not_fill_the_memory() {
    let mut cases = Cases::default();
    for (name, head) in [
        ("an endless name", r#"{""#),
        ("an endless message", r#"{"error":{"message":""#),
        ("an endless prompt", r#"{"data":[{"revised_prompt":""#),
        ("an endless link", r#"{"data":[{"url":""#),
        ("an endless extra", r#"{"extra":""#),
    ] {
        let server = Scripted::start(move |_| {
            Reply::pieces(400, move |n| if n == 0 { head.into() } else { vec![b'x'; 64 << 10] })
        })
        .await;
        let (answer, _) = order(&*account(&server.url()), &server.url()).await;
        cases.check(name, message(&answer).contains("too long"), message(&answer));
    }
    let deep = format!(r#"{{"error":{}"#, "[".repeat(100_000));
    let server = Scripted::always(Reply::json(200, &deep)).await;
    let (answer, _) = order(&*account(&server.url()), &server.url()).await;
    cases.equal("deep nesting", verdict(&answer).as_str(), "unknown protocol");
    cases.finish();
}

#[tokio::test]
async fn an_order_is_one_post_in_the_documented_words() {
    let server = Scripted::always(Reply::json(200, &whole(b"abc"))).await;
    let base = format!("{}/a4f", server.url());
    let provider = account(&base);
    let model = model(
        Service::A4f,
        "provider-2/kling-v2.1",
        r#"{ name = "duration", type = "integer" }, { name = "resolution", wire = "quality", type = "text" },
           { name = "aspect_ratio", wire = "ratio", type = "text" }"#,
    );
    let request =
        prepare(&*provider, &base, &model, json!({"duration": "5", "resolution": "720p", "aspect_ratio": "16:9"}));
    provider.submit(request, &Default::default(), Box::new(SharedSink::default())).await;
    let got = &server.received()[0];
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/a4f/v1/video/generations"));
    assert_eq!(got.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let expected = json!({"model": "provider-2/kling-v2.1", "prompt": "a misty valley", "duration": 5, "quality": "720p", "ratio": "16:9"});
    assert_eq!(got.json(), expected);
}
