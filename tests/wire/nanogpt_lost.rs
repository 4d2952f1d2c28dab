//! NanoGPT's orders whose answer was lost: what its list of runs and its usage record prove.

use std::sync::Arc;

use rushes::domain::Service;
use rushes::provider::{Grade, Intent, Provider};

use super::scripted::{Reply, Scripted};
use super::support::*;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::Nanogpt, base)
}

#[tokio::test]
async fn only_a_row_or_a_charge_under_our_own_id_is_proof() {
    let row = |id: &str, ours: &str| {
        format!(r#"{{"runId":"{id}","id":"{id}","model":"m","status":"completed","conversationUUID":"{ours}"}}"#)
    };
    let charged =
        format!(r#"{{"object":"request_billing","request_id":"{OURS}","cost":"0.30000000","currency":"USD"}}"#);
    let elses = r#"{"object":"request_billing","request_id":"other","cost":"0.3","currency":"USD"}"#.to_owned();
    let none = String::new();
    let mut cases = Cases::default();
    for (name, rows, usage, grade, id) in [
        ("our row", row("vid_1", OURS), &none, Grade::Proven, Some("vid_1")),
        (
            "our row among others",
            format!("{},{}", row("vid_9", "else"), row("vid_1", OURS)),
            &none,
            Grade::Proven,
            Some("vid_1"),
        ),
        ("others only", row("vid_9", "else"), &none, Grade::Open, None),
        ("a row that echoes nothing", r#"{"runId":"vid_9","model":"m"}"#.to_owned(), &none, Grade::Open, None),
        ("two of ours", format!("{},{}", row("vid_1", OURS), row("vid_2", OURS)), &none, Grade::Open, None),
        ("nothing", none.clone(), &none, Grade::Open, None),
        ("nothing but a charge", none.clone(), &charged, Grade::Proven, None),
        ("nothing but another's charge", none.clone(), &elses, Grade::Open, None),
    ] {
        let usage = usage.clone();
        let server = Scripted::start(move |request| match request.target.starts_with("/api/generate-video/recover?") {
            true => Reply::json(200, &format!(r#"{{"data":[{rows}]}}"#)),
            false if usage.is_empty() => Reply::json(404, r#"{"error":{"code":"request_not_found","message":"m"}}"#),
            false => Reply::json(200, &usage),
        })
        .await;
        let intent = Intent { correlation: OURS.into(), model: "m".into(), sent_at: 0 };
        let evidence = account(&server.url()).find(&intent, &at(&server.url())).await.unwrap();
        cases.equal(name, (evidence.grade, evidence.remote_id.as_deref()), (grade, id));
        let asked = server.received()[0].target.clone();
        cases.check(name, asked.ends_with(&OURS.replace('-', "%2D")), asked);
    }
    cases.finish();
    let charged = Scripted::start(move |request| match request.target.starts_with("/api/v1/usage/") {
        true => Reply::json(200, &charged),
        false => Reply::new(404, "text/html", "<html>"),
    })
    .await;
    let intent = Intent { correlation: OURS.into(), model: "m".into(), sent_at: 0 };
    let evidence = account(&charged.url()).find(&intent, &at(&charged.url())).await.unwrap();
    assert_eq!(evidence.grade, Grade::Proven, "a charge proves it where there is no list: {evidence:?}");
    let down = Scripted::always(Reply::json(503, "")).await;
    let intent = Intent { correlation: OURS.into(), model: "m".into(), sent_at: 0 };
    assert!(account(&down.url()).find(&intent, &at(&down.url())).await.is_err(), "a failed look-up is no evidence");
}

#[tokio::test]
async fn evidence_says_what_the_list_of_runs_is_worth() {
    let row = |thread: &str| format!(r#"{{"runId":"vid_9","model":"m","conversationUUID":"{thread}"}}"#);
    let list = |rows: &str| Reply::json(200, &format!(r#"{{"data":[{rows}]}}"#));
    let refused = || Reply::json(400, r#"{"error":"unknown parameter conversationUUID","status":400}"#);
    let usage = |id: &str, cost: &str| {
        Reply::json(200, &format!(r#"{{"request_id":"{id}","cost":"{cost}","currency":"USD"}}"#))
    };
    let none = || Reply::json(404, r#"{"error":{"code":"request_not_found","message":"m"}}"#);
    let fifty = vec![row("else"); 50].join(",");
    let dropped = r#"{"runId":"vid_9","model":"m"}"#;
    let mut cases = Cases::default();
    for (name, filtered, whole, billed, grade, said) in [
        ("filter ignored", list(&row("else")), none(), none(), Grade::Open, "did not heed our own id"),
        ("filter ignored, list full", list(&fifty), none(), none(), Grade::Open, "older runs are not listed"),
        (
            "ignored, but ours is there",
            list(&format!("{},{}", row("else"), row(OURS))),
            none(),
            none(),
            Grade::Proven,
            "under our own id",
        ),
        (
            "field dropped",
            list(dropped),
            none(),
            none(),
            Grade::Open,
            "1 run but not the id that each was ordered with",
        ),
        (
            "filter refused",
            refused(),
            list(&row("else")),
            none(),
            Grade::Open,
            "refuses to look for our own id (HTTP 400: unknown",
        ),
        ("refused, but ours is listed", refused(), list(&row(OURS)), none(), Grade::Proven, "under our own id"),
        ("refused both times", refused(), refused(), none(), Grade::Open, "refuses to look for our own id"),
        (
            "dropped, but charged",
            list(dropped),
            none(),
            usage(OURS, "0.30"),
            Grade::Proven,
            "a charge of $0.30 is booked",
        ),
        ("known with no cost", list(""), none(), usage(OURS, "0"), Grade::Open, "a cost of nothing"),
        ("another's charge", list(""), none(), usage("other", "0.3"), Grade::Open, "proves nothing"),
        (
            "list down, but charged",
            Reply::json(503, ""),
            none(),
            usage(OURS, "0.30"),
            Grade::Proven,
            "a charge of $0.30",
        ),
    ] {
        let server = Scripted::start(move |request| match request.target.as_str() {
            target if target.starts_with("/api/v1/usage/") => billed.clone(),
            target if target.contains("conversationUUID") => filtered.clone(),
            _ => whole.clone(),
        })
        .await;
        let intent = Intent { correlation: OURS.into(), model: "m".into(), sent_at: 0 };
        let evidence = account(&server.url()).find(&intent, &at(&server.url())).await.unwrap();
        cases.equal(name, evidence.grade, grade);
        cases.check(name, evidence.text.contains(said), &evidence.text);
        cases.check(name, server.received()[0].target.contains("limit=50&"), server.received()[0].target.clone());
    }
    cases.finish();
}
