//! A simulator that is killed and started again from its file: what a client was told is so.

use super::*;
use crate::sim::{A4F_KEY, NANOGPT_KEY, NINJACHAT_KEY};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One life of the simulator: when the work is done its runtime is dropped with everything in it,
/// as a kill would, and nobody calls `shutdown`.
fn life<T, W: Future<Output = T>>(path: &Path, speed: f64, work: impl FnOnce(Bench) -> W) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { work(Bench::remembering(path, speed).await.unwrap()).await })
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data").join("simulator.json");
    (dir, path)
}

async fn get(bench: &Bench, link: &str) -> (u16, String) {
    // The port is another one in the next life.
    let path = reqwest::Url::parse(link).unwrap().path().to_owned();
    let response = bench.client.get(bench.url(&path)).send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn nano_status(bench: &Bench, id: &str, done: &str) -> Value {
    let path = format!("/nanogpt/api/video/status?requestId={id}");
    bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == done).await
}

async fn ninja_status(bench: &Bench, id: &str, done: &str) -> Value {
    let path = format!("/ninjachat/api/v1/video/status?request_id={id}");
    bench.poll(&path, NINJACHAT_KEY, |body| body["status"] == done).await
}

fn ids(orders: &Value) -> BTreeSet<String> {
    orders.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_killed_simulator_goes_on_where_it_was() {
    let (_dir, path) = place();
    let (nano_id, ninja_id, link, sha256, bank, orders) = life(&path, 1000.0, async |bench| {
        let (status, job) = bench.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("[fail]"))).await;
        assert_eq!(status, 200, "{job}");
        let ninja_id = job["request_id"].as_str().unwrap().to_owned();
        let (status, job) = bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("one"))).await;
        assert_eq!(status, 202, "{job}");
        let nano_id = job["runId"].as_str().unwrap().to_owned();
        let (status, _) = bench.call("/a4f/v1/video/generations", A4F_KEY, Some(a4f("held"))).await;
        assert_eq!(status, 200);
        let deposit = json!({"service": "nanogpt", "currency": "XNO", "amount": "0.00000001"});
        let request = bench.client.post(bench.url("/_sim/deposit")).body(deposit.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
        ninja_status(&bench, &ninja_id, "failed").await;
        let done = nano_status(&bench, &nano_id, "COMPLETED").await;
        let link = done["data"]["output"]["video"]["url"].as_str().unwrap().to_owned();
        let (status, sha256) = get(&bench, &link).await;
        assert_eq!(status, 200);
        let bank = bench.assert_books_balance().await;
        (nano_id, ninja_id, link, sha256, bank, bench.admin("/_sim/orders").await)
    });
    assert_eq!(orders.as_array().unwrap().len(), 3);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));

    life(&path, 1000.0, async |bench| {
        assert_eq!(bench.admin("/_sim/orders").await, orders);
        assert_eq!(bench.assert_books_balance().await, bank, "nothing refunded or charged twice");
        ninja_status(&bench, &ninja_id, "failed").await;
        nano_status(&bench, &nano_id, "COMPLETED").await;
        assert_eq!(get(&bench, &link).await, (200, sha256));
        bench.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("new"))).await;
        bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("one"))).await;
        let all = bench.admin("/_sim/orders").await;
        assert_eq!(all.as_array().unwrap().len(), 5);
        assert_eq!(ids(&all).len(), 5, "no id twice");
    });
}

#[test]
fn running_jobs_run_on_and_are_refunded_once() {
    let (_dir, path) = place();
    // At real time nothing ends here, so both are still open when the first life does.
    let (id, ends) = life(&path, 1.0, async |bench| {
        let (_, job) = bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("[fail]"))).await;
        let orders = bench.admin("/_sim/orders").await;
        (job["runId"].as_str().unwrap().to_owned(), orders[0]["ends"].clone())
    });
    let bank = life(&path, 1000.0, async |bench| {
        assert_eq!(bench.admin("/_sim/orders").await[0]["ends"], ends);
        nano_status(&bench, &id, "FAILED").await;
        bench.assert_books_balance().await
    });
    assert_eq!(bank[0]["balance"], bank[0]["opening"]);
    assert_eq!(bank[0]["entries"].as_array().unwrap().len(), 2, "{bank}");
    life(&path, 1.0, async |bench| assert_eq!(bench.admin("/_sim/bank").await, bank));
}

#[test]
fn a_held_call_is_booked_before_its_answer() {
    let (_dir, path) = place();
    life(&path, 1.0, async |bench| {
        let request = bench.client.post(bench.url("/a4f/v1/video/generations")).bearer_auth(A4F_KEY);
        let held = tokio::spawn(request.body(a4f("held").to_string()).send());
        // No other request may do the writing for it: the file is watched.
        while !std::fs::read_to_string(&path).unwrap().contains("\"held\"") {
            assert!(!held.is_finished());
            tokio::task::yield_now().await;
        }
    });
    life(&path, 1.0, async |bench| {
        assert_eq!(bench.admin("/_sim/orders").await[0]["prompt"], "held");
        assert_eq!(bench.admin("/_sim/bank").await[0]["balance"], "999");
    });
}

#[test]
fn time_never_goes_back() {
    let (_dir, path) = place();
    let now = async |bench: &Bench| {
        let id = "/api/v1/usage/requests/first";
        let (_, body) = bench.call(id, NANOGPT_KEY, None).await;
        body["as_of"].as_str().unwrap_or_default().to_owned()
    };
    // The first life is minutes ahead of the machine's clock when it ends.
    let mut last = life(&path, 10_000.0, async |bench| {
        let request = bench.client.post(bench.url("/api/generate-video")).header("x-request-id", "first");
        let sent = request.bearer_auth(NANOGPT_KEY).body(nano("a").to_string()).send().await.unwrap();
        assert_eq!(sent.status(), 202);
        // Nothing is booked any more while it passes; only the answers say what time it is.
        let id = "/_sim/orders";
        while bench.admin(id).await[0]["state"] != "completed" {}
        now(&bench).await
    });
    for _ in 0..3 {
        let next = life(&path, 1.0, async |bench| {
            assert_eq!(bench.admin("/_sim/orders").await[0]["state"], "completed");
            now(&bench).await
        });
        assert!(next >= last && !next.is_empty(), "{next} after {last}");
        last = next;
    }
}

#[test]
fn what_cannot_be_believed_is_refused_and_kept() {
    let (_dir, path) = place();
    life(&path, 1.0, async |bench| {
        bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    });
    let good = std::fs::read_to_string(&path).unwrap();
    let mut tales: Vec<(String, &str)> = vec![
        (good[..good.len() / 2].to_owned(), "damaged"),
        (String::new(), "damaged"),
        ("[]".to_owned(), "damaged"),
        (good.replacen("\"version\":2", "\"version\":3", 1), "newer"),
    ];
    let alter = |pointer: &str, value: Value| {
        let mut tale: Value = serde_json::from_str(&good).unwrap();
        *tale.pointer_mut(pointer).unwrap() = value;
        tale.to_string()
    };
    for (pointer, value) in [
        ("/moment", json!(i64::MAX)),
        ("/accounts/0/balance", json!("1")),
        ("/accounts/0/entries/0/amount", json!("79228162514264337593543950335")),
        ("/accounts/0/currency", json!("EUR")),
        ("/accounts", json!([])),
        ("/orders/0/links", json!([])),
        ("/orders/0/ends", json!(0)),
        ("/orders/0/shot/width", json!(0)),
    ] {
        tales.push((alter(pointer, value), "damaged"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for (tale, word) in tales {
        std::fs::write(&path, &tale).unwrap();
        let error = runtime.block_on(Bench::remembering(&path, 1.0)).err().unwrap_or_else(|| panic!("taken: {tale}"));
        let said = error.to_string();
        assert!(said.contains(&path.display().to_string()) && said.contains("delete") && said.contains(word), "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), tale, "what was found is not written over");
    }
    // Version 1 had no hashes of bodies.
    let first = good.replacen("\"version\":2", "\"version\":1", 1).replace(",\"body_sha256\":null", "");
    assert!(first.len() < good.len() - 10);
    std::fs::write(&path, first).unwrap();
    life(&path, 1.0, async |bench| assert_eq!(bench.admin("/_sim/orders").await[0]["prompt"], "a"));
    std::fs::remove_file(&path).unwrap();
    life(&path, 1.0, async |bench| assert_eq!(bench.admin("/_sim/orders").await, json!([])));
}

#[tokio::test]
async fn a_second_one_looks_on_and_a_shutdown_hands_over() {
    let (_dir, path) = place();
    let first = Bench::remembering(&path, 1.0).await.unwrap();
    first.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    let second = Bench::remembering(&path, 1.0).await.unwrap();
    assert_eq!(ids(&second.admin("/_sim/orders").await), ids(&first.admin("/_sim/orders").await));
    let (status, body) = second.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("b"))).await;
    assert_eq!(status, 503, "{body}");
    first.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("c"))).await;
    second.admin("/_sim/bank").await;
    second.simulator.shutdown().await;
    first.simulator.shutdown().await;
    let third = Bench::remembering(&path, 1.0).await.unwrap();
    assert_eq!(third.admin("/_sim/orders").await.as_array().unwrap().len(), 2, "the onlooker wrote over nothing");
    let (status, _) = third.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("d"))).await;
    assert_eq!(status, 202);
}

#[tokio::test]
async fn an_order_that_cannot_be_written_is_not_confirmed() {
    let (_dir, path) = place();
    let bench = Bench::remembering(&path, 1.0).await.unwrap();
    // Nothing can be renamed onto a directory, whoever runs this.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir_all(path.join("in the way")).unwrap();
    let (status, body) = bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    assert_eq!(status, 500, "{body}");
    assert!(body.to_string().contains("simulator.json"), "{body}");
    std::fs::remove_dir_all(&path).unwrap();
    let orders = bench.admin("/_sim/orders").await;
    assert_eq!(orders.as_array().unwrap().len(), 1, "it was booked, and is written with the next answer");
    assert!(std::fs::read_to_string(&path).unwrap().contains(orders[0]["id"].as_str().unwrap()));
}
