//! How long a service asks to wait, however it says so and whatever was asked of it.

use std::sync::Arc;

use rushes::domain::Service;
use rushes::provider::{Provider, RemoteJob, SubmitAnswer};

use super::scripted::{Reply, Scripted};
use super::support::*;

/// A wire: its name, how an account of it is made, and a 429 in its own envelope.
type OneWire = (&'static str, fn(&str) -> Arc<dyn Provider>, &'static str);

fn wires() -> [OneWire; 4] {
    let nested = r#"{"error":{"message":"slow down","type":"rate_limit_exceeded","code":"rate_limit_exceeded"}}"#;
    [
        ("ninjachat old", |base| account_fixed(base, Some("old")), r#"{"error":"rate_limit_exceeded","message":"m"}"#),
        ("ninjachat new", |base| account_fixed(base, Some("new")), nested),
        ("nanogpt", |base| account(Service::Nanogpt, base), r#"{"error":"Rate limit exceeded","status":429}"#),
        ("a4f", |base| account(Service::A4f, base), nested),
    ]
}

#[tokio::test]
async fn a_wait_is_read_in_every_form_from_orders_and_from_free_calls() {
    let now = "Fri, 20 Nov 2026 07:00:00 GMT";
    let mut cases = Cases::default();
    for (wire, account, body) in wires() {
        for (form, after, seconds) in [
            ("seconds", "17", Some(17)),
            ("no wait at all", "0", Some(0)),
            ("a part of a second", "0.5", Some(0)),
            ("many hours", "61200", Some(61_200)),
            ("a date", "Fri, 20 Nov 2026 07:00:30 GMT", Some(30)),
            ("a date of the next day", "Sat, 21 Nov 2026 00:00:00 GMT", Some(61_200)),
            ("a date that has passed", "Fri, 20 Nov 2026 06:00:00 GMT", Some(0)),
            ("more than anyone waits", "99999999999", Some(31 * 86_400)),
            ("nonsense", "soon", None),
            ("less than nothing", "-3", None),
        ] {
            let name = format!("{wire}, {form}");
            let reply = Reply::json(429, body).header("retry-after", after).header("date", now);
            let server = Scripted::always(reply).await;
            let provider = account(&server.url());
            let (answer, _) = order(&*provider, &server.url()).await;
            let SubmitAnswer::Refused(refused) = answer else { panic!("{name}: {answer:?}") };
            cases.equal(&name, refused.retry_after.map(|wait| wait.as_secs()), seconds);
            if wire != "a4f" {
                let job = RemoteJob { remote_id: "x".into(), model: "m".into(), currency: None, generation: None };
                let error = provider.poll(&job, &at(&server.url())).await.unwrap_err();
                cases.equal(
                    &name,
                    (error.kind.word(), error.retry_after.map(|w| w.as_secs())),
                    ("rate_limit", seconds),
                );
            }
            let error = provider.discover(&at(&server.url())).await.err();
            let free = error.map(|e| (e.kind.word(), e.retry_after.map(|w| w.as_secs())));
            cases.equal(&name, free, (wire != "ninjachat old").then_some(("rate_limit", seconds)));
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_wait_inside_the_body_counts_where_the_header_is_missing() {
    let mut cases = Cases::default();
    for (name, body, header, seconds) in [
        ("beside the error", r#"{"error":{"message":"m","code":"c"},"retry_after":40}"#, None, 40),
        ("inside it", r#"{"error":{"message":"m","code":"c","retry_after":"41"}}"#, None, 41),
        ("flat", r#"{"error":"rate_limit_exceeded","message":"m","retry_after":42}"#, None, 42),
        ("the header wins", r#"{"error":{"message":"m","code":"c"},"retry_after":40}"#, Some("7"), 7),
    ] {
        let mut reply = Reply::json(429, body);
        if let Some(after) = header {
            reply = reply.header("retry-after", after);
        }
        let server = Scripted::always(reply).await;
        let (answer, _) = order(&*account_fixed(&server.url(), Some("new")), &server.url()).await;
        let SubmitAnswer::Refused(refused) = answer else { panic!("{name}: {answer:?}") };
        cases.equal(name, refused.retry_after.map(|wait| wait.as_secs()), Some(seconds));
    }
    cases.finish();
}
