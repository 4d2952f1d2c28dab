//! A4F's account: plan and limits out of an answer that holds the whole key, the models it lists, and
//! what a lost order leaves behind.

use std::io;
use std::sync::{Arc, Mutex};

use rushes::domain::{AccountProfile, ErrorKind, Model, Service};
use rushes::provider::{Grade, Intent, Provider, RemoteJob};

use super::scripted::{Reply, Scripted};
use super::support::*;

const MODELS: &str = include_str!("bodies/a4f_models.json");

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::A4f, base)
}

/// A recorded usage answer, with this account's key where its service puts it.
fn usage(body: &str) -> String {
    body.replace("@KEY@", KEY)
}

#[tokio::test]
async fn plan_and_limits_are_read_under_every_name_that_is_in_use() {
    let documented = usage(include_str!("bodies/a4f_usage.json"));
    let limits_page = usage(include_str!("bodies/a4f_usage_limits_page.json"));
    let settings_page = usage(include_str!("bodies/a4f_usage_settings_page.json"));
    let code = |code: &str| format!(r#"{{"error":{{"message":"m","type":"{code}","param":null,"code":null}}}}"#);
    let (gone, forbidden, denied) = (code("not_found"), code("permission_denied_error"), code("invalid_api_key"));
    let mut cases = Cases::default();
    for (name, status, body, expected) in [
        ("as documented", 200, documented.as_str(), "pro 12 200"),
        ("by the limits page", 200, limits_page.as_str(), "basic 5 100"),
        ("by a settings page", 200, settings_page.as_str(), "ultra 30 0"),
        ("limits of nothing", 200, r#"{"rate_limits":{"rpm":0,"rpd":-1}}"#, "- 0 0"),
        ("a plan that is no text", 200, r#"{"account_information":{"plan":{"name":"pro"}}}"#, "- 0 0"),
        ("nothing in it", 200, "{}", "- 0 0"),
        ("a list", 200, "[1]", "- 0 0"),
        ("a page", 200, "<html>", "- 0 0"),
        ("empty", 200, "", "- 0 0"),
        ("not there", 404, gone.as_str(), "- 0 0"),
        ("forbidden", 403, forbidden.as_str(), "- 0 0"),
        ("broken", 500, "", "- 0 0"),
        ("a wrong key", 401, denied.as_str(), "error authentication"),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let seen = match account(&server.url()).probe().await {
            Ok(p) => {
                format!("{} {} {}", p.plan.unwrap_or("-".into()), p.per_minute.unwrap_or(0), p.per_day.unwrap_or(0))
            }
            Err(e) => format!("error {}", e.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
        cases.equal(name, server.received()[0].target.as_str(), "/v1/usage");
    }
    cases.finish();
}

/// Everything that was logged, by anybody, down to the finest level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_in_the_usage_answer_reaches_no_error_no_profile_no_evidence_and_no_log() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let other = "ddc-paid-fedcba9876543210";
    let documented = usage(include_str!("bodies/a4f_usage.json"));
    let cut = format!(r#"{{"account_information":{{"username":"{}","api_key":"{KEY}"#, "u".repeat(60));
    let bodies = [
        ("as documented", documented.clone()),
        ("under another name", usage(include_str!("bodies/a4f_usage_settings_page.json"))),
        ("in the plan's place", format!(r#"{{"account_information":{{"plan":"pro of {KEY}"}}}}"#)),
        ("another key in the plan's place", format!(r#"{{"account_information":{{"plan":"{other}"}}}}"#)),
        ("as a name", format!(r#"{{"account_information":{{"{KEY}":1,"plan":"x"}}}}"#)),
        ("in an error", format!(r#"{{"error":{{"message":"key {KEY} or {other} is wrong","code":"{KEY}"}}}}"#)),
        ("cut within it", cut[..cut.len() - 3].to_owned()),
        ("as text", format!("{KEY} {other}")),
        ("text cut at 120 characters", format!("{}{KEY}", "x".repeat(104))),
        ("in a page", format!("<html>{KEY}</html>")),
    ];
    let mut cases = Cases::default();
    // A beginning of the key gives it away as well.
    let clean = |text: &str| ![&KEY[..14], "fedcba"].iter().any(|part| text.contains(part));
    for (name, body) in &bodies {
        for status in [200, 400, 401, 403, 429, 500] {
            let server = Scripted::always(Reply::json(status, body)).await;
            let provider = account(&server.url());
            let name = format!("{name}, {status}");
            let probed = provider.probe().await;
            cases.check(&name, clean(&format!("{probed:?}")), &probed);
            if let Err(error) = &probed {
                cases.check(&name, clean(&error.to_string()), error);
            }
            let intent = Intent { correlation: OURS.into(), model: "provider-2/kling-v2.1".into(), sent_at: 0 };
            let found = provider.find(&intent, &at(&server.url())).await;
            cases.check(&name, clean(&format!("{found:?}")), &found);
            let listed = provider.discover(&at(&server.url())).await;
            let seen = format!("{listed:?}").replace(other, "");
            cases.check(&name, clean(&seen), &listed);
        }
    }
    let log = String::from_utf8_lossy(&logged.0.lock().unwrap()).into_owned();
    cases.check("the log", !log.is_empty() && clean(&log), log.lines().find(|line| !clean(line)));
    cases.finish();
}

async fn listed(body: &str) -> (Vec<Model>, String) {
    let server = Scripted::always(Reply::json(200, body)).await;
    let models = account(&server.url()).discover(&at(&server.url())).await.unwrap();
    (models, server.received()[0].target.clone())
}

#[tokio::test]
async fn the_listed_models_are_described_as_narrowly_as_every_known_one_takes_them() {
    let (models, asked) = listed(MODELS).await;
    let ids: Vec<&str> = models.iter().map(|m| m.id.as_str()).collect();
    let mut cases = Cases::default();
    cases.equal("asked", asked.as_str(), "/v1/models?type=video/generation");
    cases.equal("ids", ids, vec!["provider-2/kling-v2.1", "provider-6/wan-2.1"]);
    let wan = &models[1];
    cases.equal("name and maker", (wan.title(), wan.maker.as_deref()), ("wan-2.1", Some("Alibaba")));
    cases.equal("price", wan.price.text().as_str(), "1 run of the plan");
    let wires: Vec<&str> = wan.parameters.iter().map(|p| p.wire_key()).collect();
    cases.equal("wire keys", wires, vec!["duration", "quality", "ratio"]);
    let seconds = wan.own("duration").and_then(|p| p.range).unwrap();
    cases.equal("seconds", seconds.text().as_str(), "1 to 4");
    cases.check("the quality is asked for", wan.own("resolution").is_some_and(|p| p.required), wan);
    let (models, _) = listed(include_str!("bodies/a4f_models_not_narrowed.json")).await;
    cases.equal("a list of everything", models.len(), 1);
    let (models, _) = listed(include_str!("bodies/a4f_models_bare.json")).await;
    cases.equal("a list without types", models.len(), 1);
    for (name, status, body, kind) in [
        ("no list", 200, r#"{"models":[]}"#, ErrorKind::Protocol),
        ("a page", 200, "<html>", ErrorKind::Protocol),
        ("401", 401, r#"{"error":{"message":"m","code":"invalid_api_key"}}"#, ErrorKind::Authentication),
        ("403", 403, r#"{"error":{"message":"m","type":"permission_denied_error"}}"#, ErrorKind::Plan),
        ("429", 429, r#"{"error":{"message":"m","type":"rate_limit_exceeded"}}"#, ErrorKind::RateLimit),
        ("500", 500, "", ErrorKind::Unavailable),
    ] {
        let server = Scripted::always(Reply::json(status, body)).await;
        let error = account(&server.url()).discover(&at(&server.url())).await.unwrap_err();
        cases.equal(name, error.kind, kind);
    }
    cases.finish();
}

#[test]
fn what_only_stands_in_the_documents_loosens_no_rule_of_a_known_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (found, _) = runtime.block_on(listed(MODELS));
    let accounts = [rushes::catalog::Account::new("a4f", Service::A4f)];
    let built_in = rushes::catalog::Catalog::built_in().unwrap();
    let name = "a4f/provider-2/kling-v2.1".parse().unwrap();
    let before = built_in.find(&name, &accounts).unwrap().model;
    let after = built_in.with_discovered("a4f", &found).find(&name, &accounts).unwrap().model;
    for parameter in &before.parameters {
        assert_eq!(after.own(&parameter.name), Some(parameter));
    }
    assert_eq!(after.parameters.len(), before.parameters.len());
}

#[tokio::test]
async fn a_lost_order_leaves_counts_that_settle_nothing() {
    let documented = usage(include_str!("bodies/a4f_usage.json"));
    let intent = |model: &str| Intent { correlation: OURS.into(), model: model.into(), sent_at: 0 };
    let server = Scripted::always(Reply::json(200, &documented)).await;
    let (provider, profile) = (account(&server.url()), at(&server.url()));
    let known = provider.find(&intent("provider-2/kling-v2.1"), &profile).await.unwrap();
    assert!(known.text.contains("7 calls") && known.text.contains("2026-11-20T09:58:00Z"), "{known:?}");
    assert_eq!((known.grade, known.remote_id), (Grade::Open, None));
    let unknown = provider.find(&intent("provider-2/veo"), &profile).await.unwrap();
    assert!(unknown.grade == Grade::Open && unknown.text.contains("cannot be looked up"), "{unknown:?}");
    assert!(server.received().iter().all(|r| r.method == "GET"));
}

#[tokio::test]
async fn there_is_nothing_to_poll_and_no_money_to_count() {
    let server = Scripted::always(Reply::json(200, "{}")).await;
    let (provider, profile): (_, AccountProfile) = (account(&server.url()), at(&server.url()));
    let job = RemoteJob { remote_id: "x".into(), model: "m".into(), currency: None, generation: None };
    assert_eq!(provider.poll(&job, &profile).await.unwrap_err().kind, ErrorKind::Gone);
    assert_eq!(provider.balance(&profile).await.unwrap(), []);
    assert_eq!(server.connections(), 0);
}
