//! The books, a job's explanation and the claims, as they are printed.

use rushes::store::{Change, Store};
use serde_json::{Value, json};

use crate::admin::Admin;

use super::place::{Place, row};

impl Admin {
    /// Money that comes to the bank from outside; what somebody else spends is negative.
    fn deposit(&self, service: &str, amount: &str) {
        self.ask("POST", "/_sim/deposit", &json!({"service": service, "amount": amount}).to_string());
    }
}

fn page(place: &Place, account: &str) -> Value {
    let books = place.rushes(&["books", "--json"]).exits(0).json().remove(0);
    books["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["account"] == account && a["currency"] == "USD")
        .unwrap()
        .clone()
}

#[test]
fn what_somebody_else_spent_is_shown_with_what_happened_around_it_and_is_what_the_user_says() {
    let place = Place::new();
    let rows = row("nanogpt/veo2-video", "a river");
    place.rushes(&["run", &place.write("rows.jsonl", &rows)]).exits(0).says(&["1 done"]);
    assert_eq!(page(&place, "nanogpt")["standing"], "agrees", "the balance is asked for after the last order");
    place.admin.deposit("nanogpt", "-0.35");
    place.rushes(&["run", &place.write("more.jsonl", &row("nanogpt/veo2-video", "a hill"))]).exits(0);
    let own = page(&place, "nanogpt");
    assert_eq!(
        (own["differences"].clone(), own["unexplained"].to_string()),
        (json!(["u-1"]), "0.35".to_owned()),
        "{own}"
    );
    assert_eq!(own["expected"], own["told"], "the difference is booked, so the books balance: {own}");
    let told = place.rushes(&["books"]).exits(0);
    for part in ["opening", "by the books", "u-1 $0.35", "available > unexplained"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    told.says(&["rushes books --around u-1", "rushes books classify u-1"]);
    let around = place.rushes(&["books", "--around", "u-1"]).exits(0);
    for part in ["unexplained", "told by balance, the books said", "$0.35 from available to unexplained"] {
        assert!(around.out.contains(part), "{part}: {}", around.out);
    }
    place.rushes(&["books", "--around", "u-7"]).exits(2).says(&["there is no difference u-7"]);
    let claims = place.rushes(&["claims"]).exits(0);
    assert!(claims.out.contains("NanoGPT") && claims.out.contains("$0.35"), "{}", claims.out);
    place.rushes(&["books", "classify", "u-1", "deposit"]).exits(2).says(&["other-use", "nothing was changed"]);
    place.rushes(&["books", "classify", "u-1", "other-use", "--amount", "0.36"]).exits(2).says(&["u-1 is $0.35"]);
    place.rushes(&["books", "classify", "u-1", "other-use", "--amount", "0.10"]).exits(0);
    place.rushes(&["books"]).exits(0).says(&["u-1: $0.25 gone from"]);
    place.rushes(&["books", "classify", "u-1", "other-use"]).exits(0);
    let own = page(&place, "nanogpt");
    assert_eq!((own["differences"].clone(), own["other_use"].to_string()), (json!([]), "0.35".to_owned()), "{own}");
    place.rushes(&["books", "classify", "u-1", "other-use"]).exits(2).says(&["no open difference"]);
    place.rushes(&["claims"]).exits(0).says(&["nothing to claim"]);
}

#[test]
fn a_lost_order_explains_itself_and_is_in_the_claims_without_a_key() {
    let place = Place::new();
    place.admin.variant("nanogpt", "conversation_uuid", "dropped");
    place.admin.variant("nanogpt", "usage", "absent");
    place.admin.fault(&json!({"service": "nanogpt", "route": "submit", "kind": "accept_then_drop", "times": 1}));
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "a river"));
    place.rushes(&["run", &file]).exits(1);
    let told = place.rushes(&["explain", "j-1"]).exits(0);
    for part in
        ["asked for", "sent", "answered", "could buy it twice", "Whether it was charged is not known", "SHA-256"]
    {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let chapters = place.rushes(&["explain", "j-1", "--json"]).exits(0).json().remove(0);
    let told: Vec<&Value> =
        chapters["chapters"].as_array().unwrap().iter().flat_map(|c| c["sentences"].as_array().unwrap()).collect();
    let history = place.rushes(&["show", "j-1", "--json"]).exits(0).json().remove(0);
    for line in history["history"].as_array().unwrap() {
        let is_it = |told: &&&Value| told["kind"] == line["kind"] && told["at"] == line["at"];
        assert_eq!(told.iter().filter(is_it).count(), 1, "{line}");
    }
    let claims = place.rushes(&["claims", "--account", "nanogpt"]).exits(0);
    let job = place.jobs().remove(0);
    for part in ["Was it taken, and was it charged?", "SHA-256 of what was sent", "Z\n"] {
        assert!(claims.out.contains(part), "{part}: {}", claims.out);
    }
    assert!(!claims.out.contains("sk-nano-") && !claims.out.contains("nj_sk_"), "no key: {}", claims.out);
    assert_eq!(job["state"], "unconfirmed");
    let none = place.rushes(&["claims", "--account", "a4f", "--json"]).exits(0).json().remove(0);
    assert_eq!(none["claims"], json!([]));
    place.rushes(&["explain", "j-99"]).exits(2).says(&["there is no job j-99"]);
}

/// As if so many minutes had passed before the next run: clocks here only go forward.
fn later(place: &Place, minutes: i64) {
    let store = Store::open(&place.path("data/rushes"), false).unwrap();
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    store.commit_blocking(vec![Change::Seen(then)]).unwrap();
}

#[test]
fn a_refund_that_did_not_come_is_told_alike_everywhere_and_is_the_jobs_when_it_comes_after_all() {
    let place = Place::new();
    place.admin.variant("ninjachat", "refunds", "never");
    let file = place.write("rows.jsonl", &row("ninjachat/veo-3.1", "[fail] a river"));
    place.rushes(&["run", &file]).exits(1);
    let told = place.rushes(&["explain", "j-1"]).exits(0);
    for part in ["The refund is the service's word so far", "or ten minutes after the failure that it did not come"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let claims = place.rushes(&["claims"]).exits(0);
    assert!(claims.out.contains("the refund that was promised was not seen yet"), "{}", claims.out);
    later(&place, 11);
    // With nothing to do it looks all the same.
    place.rushes(&["run"]).exits(0).says(&["$5.00 were refunded", "does not show it; booked as charged"]);
    let own = page(&place, "ninjachat");
    let figures = ["charged", "refunded", "unexplained", "expected", "told"].map(|name| own[name].as_f64().unwrap());
    assert_eq!(figures, [10.0, 5.0, 0.0, 37.0, 37.0], "charged again: {own}");
    let job = place.jobs().remove(0);
    assert_eq!((&job["refund"], job["cost"]["amount"].as_f64()), (&json!("contradicted"), Some(5.0)), "{job}");
    let told = place.rushes(&["explain", "j-1"]).exits(0);
    for part in ["does not show it; booked as charged", "In all it cost $5.00.", "rushes claims --account ninjachat"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let claims = place.rushes(&["claims"]).exits(0);
    for part in
        ["the refund that was promised did not come: $5.00", "refund missed", "balance after             $37.00"]
    {
        assert!(claims.out.contains(part), "{part}: {}", claims.out);
    }
    // It comes after all: nobody absorbs it, and the books name whose it may be.
    place.admin.deposit("ninjachat", "5.00");
    place.rushes(&["run", &place.write("more.jsonl", &row("ninjachat/veo-3.1", "a hill"))]).exits(0);
    let own = page(&place, "ninjachat");
    assert_eq!((&own["differences"], own["unexplained_credit"].as_f64()), (&json!(["u-1"]), Some(5.0)), "{own}");
    place.rushes(&["books"]).exits(0).says(&["rushes books classify u-1 refund --job j-1"]);
    place.rushes(&["books", "classify", "u-1", "refund", "--job", "j-1"]).exits(0);
    let told = place.rushes(&["explain", "j-1"]).exits(0);
    for part in ["are its refund, by your word", "In all it cost $0.00. The refund was seen in the balance."] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    place.rushes(&["claims"]).exits(0).says(&["nothing to claim"]);
    let own = page(&place, "ninjachat");
    let told = (own["expected"].as_f64(), own["told"].as_f64(), &own["differences"]);
    assert_eq!(told, (Some(37.0), Some(37.0), &json!([])), "{own}");
}

#[test]
fn a_cent_that_was_not_said_is_claimed_with_the_orders_around_it() {
    let place = Place::new();
    place.admin.variant("nanogpt", "charges", "cent_more");
    place.rushes(&["run", &place.write("rows.jsonl", &row("nanogpt/veo2-video", "a river"))]).exits(0);
    let around = place.rushes(&["books", "--around", "u-1"]).exits(0);
    for part in ["order accepted as vid_", "$0.01 are gone from nanogpt", "the books said"] {
        assert!(around.out.contains(part), "{part}: {}", around.out);
    }
    let order = place.jobs().remove(0)["remote_id"].as_str().unwrap().to_owned();
    let claims = place.rushes(&["claims"]).exits(0);
    for part in ["beyond what our orders were charged: $0.01", &format!("$3.40 for order {order} at")] {
        assert!(claims.out.contains(part), "{part}: {}", claims.out);
    }
    place.rushes(&["books", "classify", "u-1", "charge", "--job", "j-1"]).exits(0);
    let claims = place.rushes(&["claims"]).exits(0);
    assert!(claims.out.contains("charged more than the $3.40 that was published: $3.41"), "{}", claims.out);
    let own = page(&place, "nanogpt");
    assert_eq!((own["charged"].as_f64(), own["expected"].as_f64()), (Some(3.41), own["told"].as_f64()), "{own}");
}

#[test]
fn a_batch_that_costs_more_than_its_account_holds_says_so_when_it_is_queued() {
    let place = Place::new();
    place.rushes(&["run", &place.write("one.jsonl", &row("ninjachat/veo-3.1", "a river"))]).exits(0);
    let rows = row("ninjachat/veo-3.1", "a hill").replace('}', ",\"copies\":8}");
    let told = place.rushes(&["add", &place.write("rows.jsonl", &rows)]).exits(0);
    told.says(&["what is queued for ninjachat is $3.00 more than it holds; the rest waits until there is more"]);
    assert_eq!(place.orders(), 1, "nothing was sent by that");
}
