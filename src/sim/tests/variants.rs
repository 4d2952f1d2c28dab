//! The switches: how they are set, and what each of the shared ones and of NinjaChat's does.

use super::*;
use crate::sim::{NANOGPT_KEY, NINJACHAT_KEY};
use std::io::Read;

#[tokio::test]
async fn switches_are_listed_set_refused_and_put_back() {
    let bench = Bench::still().await;
    let at = async |name: &str| {
        let rows = bench.admin("/_sim/variants").await;
        let row = |row: &&Value| row["service"] == "ninjachat" && row["name"] == name;
        rows.as_array().unwrap().iter().find(row).unwrap()["value"].clone()
    };
    for row in bench.admin("/_sim/variants").await.as_array().unwrap() {
        let (value, legal) = (row["value"].as_str().unwrap(), row["legal"].as_str().unwrap());
        assert!(legal.split('|').next() == Some(value) || value.parse::<u64>().is_ok(), "{row}");
        let help = crate::sim::help();
        assert!(help.contains(row["name"].as_str().unwrap()) && help.contains(row["help"].as_str().unwrap()), "{row}");
    }
    bench.set("ninjachat", "submit_echo", "without").await;
    assert_eq!(at("submit_echo").await, "without");
    for wrong in [
        json!({"service": "ninjachat", "name": "submit_echo", "value": "maybe"}),
        json!({"service": "a4f", "name": "submit_echo", "value": "without"}),
        json!({"service": "nobody", "name": "submit_echo", "value": "without"}),
        json!({"name": "nothing", "value": "without"}),
    ] {
        let request = bench.client.post(bench.url("/_sim/variants")).body(wrong.to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert!(response.text().await.unwrap().contains("error"));
    }
    bench.reset_variants().await;
    assert_eq!(at("submit_echo").await, "balance");
}

#[tokio::test]
async fn ninjachat_may_hide_its_balance_and_say_less() {
    let bench = Bench::fast().await;
    bench.set("ninjachat", "api_keys", "forbidden").await;
    let (status, answer) = bench.call("/ninjachat/api/api-keys", NINJACHAT_KEY, None).await;
    assert_eq!((status, &answer["error"]), (403, &json!("forbidden")));
    bench.set("ninjachat", "submit_echo", "without").await;
    bench.set("ninjachat", "replies", "seed_000").await;
    let (_, job) = bench.call("/ninjachat/api/v1/video", NINJACHAT_KEY, Some(ninja("a"))).await;
    let names: Vec<&String> = job.as_object().unwrap().keys().collect();
    assert_eq!(names, ["cost", "model", "request_id"]);
    assert_eq!(job["cost"], json!({"this_request": "$3.00"}));
    let id = job["request_id"].as_str().unwrap().replace(':', "%3A");
    let path = format!("/ninjachat/api/v1/video/status?request_id={id}");
    let done = bench.poll(&path, NINJACHAT_KEY, |body| body["status"] == "completed").await;
    assert_eq!(done.as_object().unwrap().len(), 2, "status and result (seed 000): {done}");
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    for path in ["/ninjachat/api/api-keys", "/ninjachat-new/api/v1/balance"] {
        let bench = Bench::still().await;
        bench.set("ninjachat", "retry_after", "date").await;
        for _ in 0..60 {
            assert_eq!(bench.call(path, NINJACHAT_KEY, None).await.0, 200);
        }
        let request = bench.client.get(bench.url(path)).bearer_auth(NINJACHAT_KEY);
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 429);
        let date = refused.headers()["retry-after"].to_str().unwrap().to_owned();
        let date = jiff::fmt::rfc2822::parse(&date).unwrap().timestamp();
        let wait = date.duration_since(jiff::Timestamp::now()).as_secs();
        assert!((1..=62).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn links_may_end_and_a_fresh_poll_gives_a_fresh_one() {
    let bench = Bench::fast().await;
    let submit = "/ninjachat-new/api/v1/videos";
    let (_, job) = bench.call(submit, NINJACHAT_KEY, Some(json!({"prompt": "a"}))).await;
    let path = format!("{submit}/{}", job["id"].as_str().unwrap());
    let link = async || {
        let body = bench.poll(&path, NINJACHAT_KEY, |body| body["status"] == "completed").await;
        body["video_url"].as_str().unwrap().to_owned()
    };
    let get = async |link: &str| bench.client.get(link).send().await.unwrap().status().as_u16();
    let bare = link().await;
    assert_eq!(get(&bare).await, 200);
    bench.set("ninjachat", "links", "expire").await;
    assert_eq!(get(&bare).await, 403, "no signature");
    let signed = link().await;
    assert_eq!(get(&signed).await, 200);
    let longer = signed.replace("expires=1", "expires=2");
    assert_ne!(longer, signed);
    assert_eq!(get(&longer).await, 403, "signed for another end");
    // Ten simulated minutes are 600 ms.
    bench.set("ninjachat", "link_seconds", "600").await;
    bench.set("ninjachat", "dead_link", "404").await;
    let brief = link().await;
    while get(&brief).await == 200 {}
    assert_eq!(get(&brief).await, 404);
    assert_eq!(get(&link().await).await, 200);
    bench.reset_variants().await;
    assert_eq!((get(&brief).await, get(&bare).await), (200, 200), "kept again");
}

#[tokio::test]
async fn json_may_come_compressed_to_those_who_ask() {
    let bench = Bench::still().await;
    // One that does not unpack by itself.
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let ask = async |path: &str, encodings: &str| {
        let request = client.get(bench.url(path)).bearer_auth(NINJACHAT_KEY);
        let response = request.header("accept-encoding", encodings).send().await.unwrap();
        let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        (encoding, response.bytes().await.unwrap())
    };
    let path = "/ninjachat-new/api/v1/models/veo-3.1";
    let (encoding, plain) = ask(path, "gzip").await;
    assert_eq!(encoding, None);
    bench.set("ninjachat", "encoding", "gzip").await;
    let (encoding, packed) = ask(path, "br, gzip;q=0.5").await;
    assert_eq!(encoding.as_deref(), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain);
    for refused in ["identity", "br", "gzip;q=0"] {
        assert_eq!(ask(path, refused).await, (None, plain.clone()), "{refused}");
    }
    let (encoding, _) = ask("/nanogpt/api/v1/video-models", "gzip").await;
    assert_eq!(encoding, None, "another service");
    let (status, _) = bench.call("/nanogpt/api/check-balance", NANOGPT_KEY, Some(json!({}))).await;
    assert_eq!(status, 200);
}
