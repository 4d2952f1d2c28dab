//! Downloads: resumed or whole, where the key goes, and what is no clip.

use std::sync::Arc;

use rushes::domain::sink::MemorySink;
use rushes::domain::{ErrorKind, Service};
use rushes::provider::{FetchError, Provider, Resume};

use super::scripted::{Received, Reply, Scripted};
use super::support::*;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::Nanogpt, base)
}

fn clip() -> Vec<u8> {
    let mut clip = b"\0\0\0\x18ftypmp42".to_vec();
    clip.extend((0..50_000_u32).map(|n| (n % 251) as u8));
    clip
}

fn told(result: Result<(), FetchError>) -> String {
    match result {
        Ok(()) => "whole".to_owned(),
        Err(FetchError::Service(e)) => format!("service {}", e.kind.word()),
        Err(FetchError::NotAClip(why)) => format!("no clip: {why}"),
        Err(FetchError::Disk(e)) => format!("disk {e}"),
    }
}

async fn fetch(base: &str, link: &str, resume: Option<&Resume>) -> (String, MemorySink) {
    let mut sink = MemorySink::default();
    let result = account(base).fetch(link, resume, &at(base), &mut sink).await;
    (told(result), sink)
}

#[tokio::test]
async fn every_answer_to_a_download() {
    let html = "<html><body>sign in</body></html>";
    let binary = |bytes: Vec<u8>| Reply::new(200, "video/mp4", bytes);
    let mut cases = Cases::default();
    for (name, reply, expected) in [
        ("a clip", binary(clip()), "whole"),
        ("a clip called octet-stream", Reply::new(200, "application/octet-stream", clip()), "whole"),
        ("a clip called html", Reply::new(200, "text/html", clip()), "whole"),
        ("a short clip", binary(b"\0\0\0\x08free".to_vec()), "whole"),
        (
            "a page",
            Reply::new(200, "text/html", html),
            "no clip: the link leads to a web page (text/html) instead of a clip",
        ),
        (
            "a page called video",
            binary(format!("\n {html}").into_bytes()),
            "no clip: the link leads to a web page (video/mp4) instead of a clip",
        ),
        (
            "a long page",
            binary(html.repeat(100).into_bytes()),
            "no clip: the link leads to a web page (video/mp4) instead of a clip",
        ),
        (
            "JSON",
            Reply::json(200, r#"{"error":"x"}"#),
            "no clip: the link leads to JSON (application/json) instead of a clip",
        ),
        ("nothing", binary(Vec::new()), "no clip: the link leads to nothing (video/mp4) instead of a clip"),
        ("cut", binary(clip()).cut_at(20_000), "service unavailable"),
        ("cut before the body", binary(clip()).cut_at(0), "service unavailable"),
        ("no answer", Reply::nothing(), "service unavailable"),
        ("404", Reply::json(404, ""), "service gone"),
        ("403", Reply::json(403, ""), "service gone"),
        ("410", Reply::json(410, ""), "service gone"),
        ("401", Reply::json(401, ""), "service authentication"),
        ("429", Reply::json(429, ""), "service rate_limit"),
        ("500", Reply::json(500, ""), "service unavailable"),
        ("204", Reply::json(204, ""), "service protocol"),
        ("206 nobody asked for", Reply::new(206, "video/mp4", clip()), "service protocol"),
    ] {
        let server = Scripted::always(reply).await;
        let (seen, sink) = fetch(&server.url(), &format!("{}/clip.mp4", server.url()), None).await;
        cases.equal(name, seen.as_str(), expected);
        cases.equal(name, server.connections(), 1);
        let ended = sink.clips.first().is_some_and(|clip| clip.2);
        cases.equal(name, ended, expected == "whole");
        if expected.starts_with("no clip") {
            cases.check(name, sink.clips.is_empty(), "something was begun");
        }
    }
    cases.finish();
}

/// A store that knows ranges, the way the documents of HTTP say.
async fn store(etag: &'static str) -> Scripted {
    Scripted::start(move |request: &Received| {
        let (all, fresh) = (clip(), request.header("if-range") == Some(etag));
        let from = request.header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match from {
            Some(from) if fresh && from >= all.len() => {
                Reply::json(416, "").header("content-range", &format!("bytes */{}", all.len()))
            }
            Some(from) if fresh => Reply::new(206, "video/mp4", &all[from..])
                .header("content-range", &format!("bytes {from}-{}/{}", all.len() - 1, all.len()))
                .header("etag", etag),
            _ => Reply::new(200, "video/mp4", all).header("etag", etag),
        }
    })
    .await
}

#[tokio::test]
async fn a_download_goes_on_only_where_it_is_surely_the_same_file() {
    let len = clip().len() as u64;
    let resume = |offset, etag: Option<&str>| Resume { offset, etag: etag.map(ToOwned::to_owned) };
    let mut cases = Cases::default();
    for (name, from, starts, asked) in [
        ("the same file", resume(20_000, Some("\"v1\"")), 20_000, Some("bytes=20000-")),
        ("another file by now", resume(20_000, Some("\"v0\"")), 0, Some("bytes=20000-")),
        ("no validator", resume(20_000, None), 0, None),
        ("a weak validator", resume(20_000, Some("W/\"v1\"")), 0, None),
        ("from the start", resume(0, Some("\"v1\"")), 0, None),
        ("all of it is there", resume(len, Some("\"v1\"")), len, Some("bytes=50012-")),
    ] {
        let server = store("\"v1\"").await;
        let (seen, sink) = fetch(&server.url(), &format!("{}/clip.mp4", server.url()), Some(&from)).await;
        cases.equal(name, seen.as_str(), "whole");
        let (head, bytes, ended) = &sink.clips[0];
        cases.equal(name, (head.offset, head.total, *ended), (starts, Some(len), true));
        cases.check(name, bytes.as_slice() == &clip()[usize::try_from(starts).unwrap()..], "other bytes");
        cases.equal(name, server.received()[0].header("range"), asked);
    }
    cases.finish();
}

#[tokio::test]
async fn a_part_that_was_not_asked_for_is_not_joined() {
    let mut cases = Cases::default();
    for (name, range) in
        [("another start", Some("bytes 100-199/200")), ("no range at all", None), ("nonsense", Some("bytes"))]
    {
        let mut reply = Reply::new(206, "video/mp4", vec![1; 100]).header("etag", "\"v1\"");
        if let Some(range) = range {
            reply = reply.header("content-range", range);
        }
        let server = Scripted::always(reply).await;
        let resume = Resume { offset: 50, etag: Some("\"v1\"".into()) };
        let (seen, sink) = fetch(&server.url(), &format!("{}/clip.mp4", server.url()), Some(&resume)).await;
        cases.equal(name, seen.as_str(), "service protocol");
        cases.check(name, sink.clips.is_empty(), "something was begun");
    }
    cases.finish();
    // A range that the store cannot serve: the file is taken from its start, in the same call.
    let server = Scripted::start(|request| match request.header("range") {
        Some(_) => Reply::json(416, "").header("content-range", "bytes */20"),
        None => Reply::new(200, "video/mp4", clip()),
    })
    .await;
    let resume = Resume { offset: 50, etag: Some("\"v1\"".into()) };
    let (seen, sink) = fetch(&server.url(), &format!("{}/clip.mp4", server.url()), Some(&resume)).await;
    assert_eq!((seen.as_str(), sink.clips[0].0.offset), ("whole", 0));
    // A part that is shorter than the range it claims.
    let short = Reply::new(206, "video/mp4", vec![1; 10]).header("content-range", "bytes 50-99/100");
    let server = Scripted::always(short).await;
    let (seen, _) = fetch(&server.url(), &format!("{}/clip.mp4", server.url()), Some(&resume)).await;
    assert_eq!(seen, "service unavailable");
}

#[tokio::test]
async fn the_key_goes_to_the_accounts_own_origin_and_nowhere_else() {
    for service in Service::ALL {
        let foreign = Scripted::always(Reply::new(200, "video/mp4", clip())).await;
        let to = format!("{}/signed.mp4?X-Sig=1", foreign.url());
        let own = Scripted::always(Reply::json(302, "").header("location", &to)).await;
        let provider = super::support::account(service, &own.url());
        let mut sink = MemorySink::default();
        let link = format!("{}/api/generate-video/content?runId=1", own.url());
        assert_eq!(told(provider.fetch(&link, None, &at(&own.url()), &mut sink).await), "whole");
        assert!(own.received()[0].holds(KEY), "{service}: an own link needs the key");
        assert!(!foreign.received()[0].holds(KEY), "{service}: a foreign host saw the key");
        // Straight to a foreign host, and back home by a redirect.
        let home = own.url();
        let back = Scripted::start(move |_| Reply::json(307, "").header("location", &format!("{home}/x"))).await;
        let _ = provider.fetch(&format!("{}/clip.mp4", back.url()), None, &at(&own.url()), &mut sink).await;
        assert!(!back.received()[0].holds(KEY), "{service}: a foreign host saw the key");
    }
}

#[tokio::test]
async fn a_link_leads_to_http_on_admitted_hosts_only() {
    let own = Scripted::always(Reply::json(302, "").header("location", "file:///etc/passwd")).await;
    let (seen, _) = fetch(&own.url(), &format!("{}/x", own.url()), None).await;
    assert_eq!(seen, "service protocol");
    let round = Scripted::always(Reply::json(302, "").header("location", "/again")).await;
    let (seen, _) = fetch(&round.url(), &format!("{}/x", round.url()), None).await;
    assert_eq!((seen.as_str(), round.connections()), ("service protocol", 6));
    for link in ["http://192.0.2.1/clip.mp4", "ftp://127.0.0.1/clip.mp4", "not a link"] {
        let (seen, _) = fetch(&own.url(), link, None).await;
        assert_eq!(seen, "service protocol", "{link}");
    }
    let away = Scripted::always(Reply::json(302, "").header("location", "http://192.0.2.1/clip.mp4")).await;
    let (seen, _) = fetch(&away.url(), &format!("{}/x", away.url()), None).await;
    assert_eq!(seen, "service protocol");
}

#[tokio::test]
async fn a_foreign_host_that_refuses_means_a_dead_link_and_not_a_wrong_key() {
    for status in [401, 403, 404, 410] {
        let foreign = Scripted::always(Reply::json(status, "")).await;
        let own = Scripted::always(Reply::nothing()).await;
        let provider = account(&own.url());
        let mut sink = MemorySink::default();
        let result = provider.fetch(&format!("{}/x", foreign.url()), None, &at(&own.url()), &mut sink).await;
        assert!(matches!(result, Err(FetchError::Service(e)) if e.kind == ErrorKind::Gone), "{status}");
    }
}

#[tokio::test]
async fn a_full_disk_is_the_disks_error() {
    let server = Scripted::always(Reply::new(200, "video/mp4", clip())).await;
    let mut sink = SharedSink { full_after: Some(10_000), ..SharedSink::default() };
    let result =
        account(&server.url()).fetch(&format!("{}/x", server.url()), None, &at(&server.url()), &mut sink).await;
    assert!(matches!(result, Err(FetchError::Disk(e)) if e.kind() == std::io::ErrorKind::StorageFull));
}
