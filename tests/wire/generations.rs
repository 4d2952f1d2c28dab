//! Which of NinjaChat's two generations a host speaks, how that is fixed, and that a job is asked
//! after where it was ordered.

use rushes::domain::AccountProfile;
use rushes::provider::RemoteJob;

use super::scripted::{Received, Reply, Scripted};
use super::support::*;

const FLAT: &str = r#"{"error":"not_found","message":"unknown request"}"#;
const NESTED: &str = r#"{"error":{"message":"no such thing","type":"invalid_request_error","code":"not_found"}}"#;
const BALANCE: &str = include_str!("bodies/ninjachat_new_balance.json");

/// A host: what it answers on the old status route, on the new balance, on the new job route.
type Host = (Reply, Reply, Reply);

async fn host((status, balance, job): Host) -> Scripted {
    Scripted::start(move |request: &Received| match request.target.as_str() {
        target if target.starts_with("/api/v1/video/status") => status.clone(),
        "/api/v1/balance" => balance.clone(),
        target if target.starts_with("/api/v1/videos/") => job.clone(),
        _ => Reply::new(404, "text/html", "<html>404</html>"),
    })
    .await
}

fn flat(status: u16) -> Reply {
    Reply::json(status, FLAT)
}

fn nested(status: u16) -> Reply {
    Reply::json(status, NESTED)
}

fn page(status: u16) -> Reply {
    Reply::new(status, "text/html", "<!DOCTYPE html><html></html>")
}

#[tokio::test]
async fn a_hosts_generation_is_found_by_free_calls_alone() {
    let balance = || Reply::json(200, BALANCE);
    let login = || Reply::json(302, "").header("location", "/login");
    // The host, then what is found by itself, fixed to old, fixed to new.
    let cells: Vec<(&str, Host, [&str; 3])> = vec![
        ("old alone, pages elsewhere", (flat(404), page(404), page(404)), ["old", "old", "error protocol"]),
        ("old alone, flat elsewhere", (flat(404), flat(404), flat(404)), ["old", "old", "error protocol"]),
        ("old alone, a login elsewhere", (flat(404), login(), login()), ["old", "old", "error protocol"]),
        ("new alone, nested elsewhere", (nested(404), balance(), nested(404)), ["new", "error protocol", "new"]),
        ("new alone, pages elsewhere", (page(404), balance(), nested(404)), ["new", "error protocol", "new"]),
        ("new without a balance route", (page(404), page(404), nested(404)), ["new", "error protocol", "new"]),
        ("new whose key may not read it", (page(404), nested(403), nested(404)), ["new", "error protocol", "new"]),
        ("both", (flat(404), balance(), nested(404)), ["new", "old", "new"]),
        ("both, the new balance out of order", (flat(404), page(503), nested(404)), ["new", "old", "new"]),
        (
            "old, the new routes out of order",
            (flat(404), page(503), page(503)),
            ["error unavailable", "old", "error unavailable"],
        ),
        ("neither", (page(404), page(404), page(404)), ["error protocol"; 3]),
        ("nested words, no new route", (nested(404), page(404), page(404)), ["error protocol"; 3]),
        ("all out of order", (page(503), page(503), page(503)), ["error unavailable"; 3]),
        ("a wrong key, flat", (flat(401), flat(401), flat(401)), ["error authentication"; 3]),
        ("a wrong key, nested", (nested(401), nested(401), nested(401)), ["error authentication"; 3]),
        ("too many calls", (nested(429), nested(429), nested(429)), ["error rate_limit"; 3]),
        (
            "too many calls of the new one",
            (flat(404), nested(429), nested(429)),
            ["error rate_limit", "old", "error rate_limit"],
        ),
    ];
    let mut cases = Cases::default();
    for (name, answers, expected) in cells {
        for (fixed, expected) in [None, Some("old"), Some("new")].into_iter().zip(expected) {
            let server = host(answers.clone()).await;
            let name = format!("{name}, fixed to {fixed:?}");
            let seen = match account_fixed(&server.url(), fixed).probe().await {
                Ok(profile) => {
                    cases.equal(&name, profile.origin.as_str(), server.url().as_str());
                    profile.generation.unwrap_or_default()
                }
                Err(e) => format!("error {}", e.kind.word()),
            };
            cases.equal(&name, seen.as_str(), expected);
            let received = server.received();
            cases.check(&name, received.iter().all(|r| r.method == "GET"), "a probe only reads");
            let foreign = received.iter().filter(|r| match fixed {
                Some("old") => r.target.contains("/balance") || r.target.contains("/videos/"),
                Some(_) => r.target.contains("/video/"),
                None => false,
            });
            cases.equal(&name, foreign.count(), 0);
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_job_is_asked_after_where_it_was_ordered_and_an_order_goes_where_the_host_is_now() {
    let server = Scripted::always(Reply::json(200, r#"{"status":"processing","progress":3}"#)).await;
    let provider = account_fixed(&server.url(), None);
    let speaks = |word: Option<&str>| AccountProfile { generation: word.map(str::to_owned), ..at(&server.url()) };
    let old = "/api/v1/video/status?request_id=x";
    let new = "/api/v1/videos/x";
    let mut cases = Cases::default();
    for (name, ordered, host, expected) in [
        ("ordered old, host old", Some("old"), Some("old"), old),
        ("ordered old, host new", Some("old"), Some("new"), old),
        ("ordered new, host old", Some("new"), Some("old"), new),
        ("ordered before generations were kept, host new", None, Some("new"), new),
        ("nothing known", None, None, old),
    ] {
        let generation = ordered.map(str::to_owned);
        let job = RemoteJob { remote_id: "x".into(), model: "m".into(), currency: None, generation };
        provider.poll(&job, &speaks(host)).await.unwrap();
        cases.equal(name, server.received().last().unwrap().target.as_str(), expected);
    }
    let model = model(rushes::domain::Service::Ninjachat, "m", "");
    let values = Default::default();
    let order = rushes::provider::Order { model: &model, prompt: "p", values: &values, inputs: &[], correlation: OURS };
    for (host, path) in [(Some("old"), "/api/v1/video"), (Some("new"), "/api/v1/videos"), (None, "/api/v1/video")] {
        let request = provider.prepare(&order, &speaks(host)).unwrap();
        cases.equal("an order", request.url, format!("{}{path}", server.url()));
    }
    cases.finish();
}

#[tokio::test]
async fn the_new_generation_is_pinned_behind_a_redirecting_apex() {
    let server = Scripted::start(|request| {
        let host = request.header("host").unwrap_or_default();
        match (host.starts_with("www."), request.target.as_str()) {
            (true, "/api/v1/balance") => Reply::json(200, BALANCE),
            (true, _) => nested(404),
            (false, target) => Reply::json(308, "").header("location", &format!("http://www.{host}{target}")),
        }
    })
    .await;
    let base = format!("http://localhost:{}", server.port());
    for fixed in [None, Some("new")] {
        let profile = account_fixed(&base, fixed).probe().await.unwrap();
        assert_eq!(profile.origin, format!("http://www.localhost:{}", server.port()));
        assert_eq!(profile.generation.as_deref(), Some("new"));
    }
}

#[test]
fn a_generation_nobody_offers_is_refused_at_once() {
    let new = |service, generation: &str| {
        let endpoint = rushes::provider::Endpoint {
            service,
            base_url: "http://127.0.0.1:1".to_owned(),
            generation: Some(generation.to_owned()),
            key: KEY.into(),
            allow_insecure: false,
        };
        rushes::provider::connect(endpoint).err().map(|e| e.message).unwrap_or_default()
    };
    assert!(new(rushes::domain::Service::Ninjachat, "newest").contains("old or new"));
    assert!(new(rushes::domain::Service::A4f, "old").contains("A4F has one"));
    assert_eq!(new(rushes::domain::Service::Ninjachat, "new"), "");
}
