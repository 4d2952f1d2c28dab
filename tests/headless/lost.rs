//! Orders whose answers were lost, from the command line: what `run` says of them, and the ways out.

use std::path::Path;

use serde_json::{Value, json};

use super::place::{Place, row};

/// A job whose order was taken, and of which nobody will ever say so.
fn lost(place: &Place) -> String {
    place.admin.variant("nanogpt", "conversation_uuid", "dropped");
    place.admin.variant("nanogpt", "usage", "absent");
    place.admin.fault(&json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1}));
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "a river"));
    let told = place.rushes(&["run", &file]).exits(1);
    let last = "1 job unconfirmed: j-1; may be charged and not bought twice. The next start looks on";
    told.says(&["waiting for another look", "1 unconfirmed", last, "`rushes write-off`"]);
    let job = place.jobs().remove(0);
    assert_eq!(job["state"], "unconfirmed");
    job["id"].as_str().unwrap().to_owned()
}

fn shown(place: &Place, id: &str) -> Value {
    place.rushes(&["show", id, "--json"]).exits(0).json().remove(0)
}

#[test]
fn an_order_that_the_user_names_is_checked_gone_on_with_and_on_disk_at_the_end() {
    let place = Place::new();
    let id = lost(&place);
    let orders = place.admin.orders("nanogpt");
    let remote = orders[0]["id"].as_str().unwrap();
    let told = place.rushes(&["adopt", &id, "vid_nobody"]).exits(2);
    told.says(&["does not confirm order vid_nobody", "stays unconfirmed", "nothing was changed"]);
    assert_eq!(shown(&place, &id)["state"], "unconfirmed");
    let told = place.rushes(&["adopt", &id, remote]).exits(0).says(&["1 job adopted; `run` and the dashboard go on"]);
    assert_eq!(told.out.trim(), id, "only the id goes to standard output");
    place.rushes(&["run"]).exits(0).says(&["1 done"]);
    let job = shown(&place, &id);
    assert_eq!((job["state"].as_str(), job["remote_id"].as_str()), (Some("done"), Some(remote)));
    assert!(Path::new(job["file"].as_str().unwrap()).is_file(), "{job}");
    place.rushes(&["adopt", &id, remote]).exits(2).says(&["is done already"]);
    assert_eq!(place.admin.orders("nanogpt").len(), 1, "nothing was bought twice");
}

#[test]
fn a_lost_order_is_written_off_only_when_that_is_meant() {
    let place = Place::new();
    let id = lost(&place);
    place.rushes(&["write-off", &id]).exits(2).says(&["may still have been taken and charged", "--yes"]);
    assert_eq!(shown(&place, &id)["state"], "unconfirmed", "no terminal, no --yes: nothing is done");
    place.rushes(&["write-off", "--yes", &id]).exits(0).says(&["1 job written off"]);
    let job = shown(&place, &id);
    assert_eq!((job["state"].as_str(), job["error"]["kind"].as_str()), (Some("failed"), Some("user")));
    assert!(job["error"]["message"].as_str().unwrap().contains("may still have been charged"), "{job}");
    let books = place.rushes(&["books", "--json"]).exits(0).json().remove(0);
    let own = books["accounts"].as_array().unwrap().iter().find(|a| a["account"] == "nanogpt").unwrap();
    assert_eq!(own["reserved"].as_f64(), Some(0.0), "what was set aside is free again: {own}");
    place.rushes(&["write-off", "--yes", &id]).exits(2).says(&["is failed already"]);
    place.rushes(&["run"]).exits(0).says(&["nothing to do"]);
    assert_eq!(place.admin.orders("nanogpt").len(), 1);
}

#[test]
fn a_run_waits_for_the_look_that_finds_what_the_first_did_not() {
    let place = Place::new();
    place.admin.variant("nanogpt", "usage", "absent");
    // The service lists an order at the second look only.
    place.admin.variant("nanogpt", "conversation_uuid", "lagging");
    place.admin.fault(&json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1}));
    place.admin.variant("nanogpt", "lag_seconds", "1800");
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "a river"));
    place.rushes(&["run", &file]).exits(0).says(&["was taken after all", "1 done"]);
    assert_eq!(place.admin.orders("nanogpt").len(), 1);
}

#[test]
fn an_account_that_lost_three_paid_orders_stays_paused_over_starts_until_the_user_resumes_it() {
    let place = Place::new();
    let cancelled = json!({"data": {"status": "CANCELLED", "error": "stopped by its operator"}}).to_string();
    let fault = json!({"service": "nanogpt", "route": "status", "kind": "status", "status": 200, "body": cancelled, "times": 99});
    place.admin.fault(&fault);
    let rows = ["a river", "a hill", "a lake"].map(|prompt| row("nanogpt/veo2-video", prompt)).concat();
    let told = place.rushes(&["run", &place.write("rows.jsonl", &rows)]).exits(1);
    told.says(&["3 orders in a row were paid for and gave no clip", "`rushes resume nanogpt`"]);
    let more = place.write("more.jsonl", &row("nanogpt/veo2-video", "a forest"));
    place.rushes(&["run", &more]).exits(1).says(&["gave no clip"]);
    assert_eq!(place.orders(), 3, "a start is not the user's word");
    place.rushes(&["resume", "nanogtp"]).exits(2).says(&["no account `nanogtp`"]);
    let told = place.rushes(&["resume", "nanogpt"]).exits(0);
    told.says(&["nanogpt paused: 3 orders in a row", "nanogpt goes on"]);
    place.rushes(&["resume", "nanogpt"]).exits(0).says(&["nanogpt was not paused"]);
    place.admin.ask("DELETE", "/_sim/faults", "");
    place.rushes(&["run"]).exits(0).says(&["1 done"]);
    assert_eq!(place.orders(), 4);
}
