//! A cashier that does not do what the answers say: what it takes, what it keeps, and when it pays.

use super::*;
use crate::sim::{NANOGPT_KEY, NINJACHAT_KEY};

impl Bench {
    /// The movements of one service's dollars, and what is left.
    async fn dollars(&self, service: &str) -> (Vec<(String, String)>, String) {
        let bank = self.assert_books_balance().await;
        let own = |row: &&Value| row["service"] == service && row["currency"] == "USD";
        let account = bank.as_array().unwrap().iter().find(own).unwrap().clone();
        let told = |row: &Value| (row["kind"].as_str().unwrap().to_owned(), row["amount"].as_str().unwrap().to_owned());
        let entries = account["entries"].as_array().unwrap().iter().map(told).collect();
        (entries, account["balance"].as_str().unwrap().to_owned())
    }

    async fn failed(&self) {
        let (_, job) = self.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("[fail]"))).await;
        let id = job["request_id"].as_str().unwrap().replace(':', "%3A");
        let path = format!("/ninjachat/api/v1/video/status?request_id={id}");
        self.poll(&path, NINJACHAT_KEY, |body| body["status"] == "failed").await;
    }
}

fn entries(told: &[(&str, &str)]) -> Vec<(String, String)> {
    told.iter().map(|(kind, amount)| ((*kind).to_owned(), (*amount).to_owned())).collect()
}

#[tokio::test]
async fn a_cent_more_is_taken_unsaid_or_said() {
    let bench = Bench::still().await;
    bench.set("ninjachat", "charges", "cent_more").await;
    let (_, job) = bench.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("a"))).await;
    assert_eq!((&job["cost"]["this_request"], &job["balance"]), (&json!("$3.00"), &json!("$38.99")));
    bench.set("ninjachat", "charges", "says_more").await;
    let (_, job) = bench.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("a"))).await;
    assert_eq!((&job["cost"]["this_request"], &job["balance"]), (&json!("$3.01"), &json!("$35.98")));
    let wanted = entries(&[("charge", "3.01"), ("charge", "3.01")]);
    assert_eq!(bench.dollars("ninjachat").await, (wanted, "35.98".to_owned()));
    // A service's own habit.
    let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    assert_eq!(job["cost"], json!(3.4));
    assert_eq!(bench.dollars("nanogpt").await.0, entries(&[("charge", "3.4")]));
    bench.set("nanogpt", "charges", "says_more").await;
    let (_, job) = bench.call("/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    assert_eq!(job["cost"], json!(3.41));
}

#[tokio::test]
async fn a_refund_is_kept_back_late_or_halved_and_what_is_settled_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("simulator.json");
    let bench = Bench::remembering(&path, 1000.0).await.unwrap();
    bench.set("ninjachat", "refunds", "never").await;
    bench.failed().await;
    let mut wanted = vec![("charge", "3.00"), ("refund", "0")];
    assert_eq!(bench.dollars("ninjachat").await, (entries(&wanted), "39.00".to_owned()));
    bench.set("ninjachat", "refunds", "partly").await;
    bench.failed().await;
    wanted.extend([("charge", "3.00"), ("refund", "1.50")]);
    assert_eq!(bench.dollars("ninjachat").await, (entries(&wanted), "37.50".to_owned()));
    bench.set("ninjachat", "refunds", "late").await;
    bench.set("ninjachat", "refund_seconds", "31536000").await;
    bench.failed().await;
    wanted.push(("charge", "3.00"));
    assert_eq!(bench.dollars("ninjachat").await, (entries(&wanted), "34.50".to_owned()));
    // A restart forgets the switches, and not what was settled while they stood.
    bench.simulator.shutdown().await;
    let bench = Bench::remembering(&path, 1000.0).await.unwrap();
    wanted.push(("refund", "3.00"));
    assert_eq!(bench.dollars("ninjachat").await, (entries(&wanted), "37.50".to_owned()));
    bench.simulator.shutdown().await;
}
