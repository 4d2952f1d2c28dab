//! The catalogue, its older forms, and where it and the bank disagree.

use super::*;
use std::collections::BTreeSet;

async fn entries(bench: &Bench) -> Vec<Value> {
    let (status, body) = bench.call("/nanogpt/api/v1/video-models?detailed=true", "", None).await;
    assert_eq!(status, 200);
    assert_eq!(body["meta"]["count"], body["data"].as_array().unwrap().len());
    body["data"].as_array().unwrap().clone()
}

fn entry<'a>(entries: &'a [Value], id: &str) -> &'a Value {
    entries.iter().find(|entry| entry["id"] == id).unwrap_or_else(|| panic!("{id} is not listed"))
}

#[tokio::test]
async fn entries_come_in_all_their_shapes() {
    let bench = Bench::still().await;
    let all = entries(&bench).await;
    assert!(all.len() > 95, "{}", all.len());
    let mut kinds = BTreeSet::new();
    let mut prices = BTreeSet::new();
    for entry in &all {
        assert_eq!(entry["pricing"]["currency"], "USD");
        prices.extend(entry["pricing"].as_object().unwrap().keys().cloned());
        let fields = entry["supported_parameters"]["parameters"].as_object();
        kinds.extend(fields.into_iter().flatten().map(|(_, field)| field["type"].as_str().unwrap().to_owned()));
        // What is advertised as the default is among the options.
        for (name, field) in fields.into_iter().flatten() {
            let options = field["options"].as_array();
            let named = |option: &Value| option["value"] == field["default"] && option["value"].is_string();
            assert!(options.is_none_or(|options| options.iter().any(named)), "{}: {name} {field}", entry["id"]);
        }
    }
    let known = ["boolean", "enum", "integer", "number", "select", "slider", "switch", "text"];
    assert!(kinds.iter().eq(known.iter()), "{kinds:?}");
    for key in [
        "audio_multiplier",
        "base_price",
        "base_prices_by_resolution",
        "duration_multipliers",
        "extra_reference_image",
        "fixed_duration_seconds",
        "high_resolution_per_second",
        "image_input_fee",
        "image_to_video_per_second",
        "image_to_video_with_audio_per_second",
        "included_reference_images",
        "max_duration",
        "minimum",
        "output_per_second",
        "per_duration",
        "per_extra_second",
        "per_frame_unit",
        "per_resolution",
        "per_second",
        "per_second_by_mode",
        "per_second_by_mode_and_resolution",
        "per_second_by_resolution",
        "per_target_megapixel_second",
        "per_video",
        "pro_multiplier",
        "pro_prices_per_second",
        "raw",
        "standard_prices_per_second",
        "text_to_video_per_second",
        "with_audio",
        "without_audio",
        "default_duration",
    ] {
        assert!(prices.contains(key), "no entry has {key}");
    }
    assert!(all.iter().any(|entry| entry.get("tags").is_none()), "tags may be missing");
    assert!(all.iter().any(|entry| entry["icon_url"].is_string()));
    let kling = entry(&all, "kling-v26-pro");
    let labels = &kling["supported_parameters"]["parameters"]["duration"]["options"];
    assert_eq!(labels[1], json!({"value": "10", "label": "10 seconds (2x price)"}));
    assert_eq!(entry(&all, "kling-video")["supported_parameters"], json!({"durations": [5]}), "flat");
    let wrong = &entry(&all, "veo3-1-extend")["capabilities"];
    assert_eq!(wrong["video_to_video"], true);
    assert_eq!(entry(&all, "grok-imagine-video-edit")["capabilities"]["text_to_video"], true, "a known mislabel");
    assert!(all.iter().all(|entry| entry["id"] != "promptchan-video"), "answers, but is listed no more");
    assert_eq!(entry(&all, "wan-25")["name"], entry(&all, "wan-wavespeed-25")["name"], "both ids");
}

#[tokio::test]
async fn what_is_listed_is_charged_but_for_the_traps() {
    let bench = Bench::still().await;
    let five = |price: &Value| (price.as_f64().unwrap() * 5.0 * 1e6).round() / 1e6;
    let cost = || async {
        let body = json!({"model": "bytedance-seedance-2-0-fast", "prompt": "a"});
        bench.call(SUBMIT, NANOGPT_KEY, Some(body)).await.1["cost"].as_f64().unwrap()
    };
    // wire.md 6: listed 0.35, charged 0.60.
    let price = |all: Vec<Value>| entry(&all, "bytedance-seedance-2-0-fast")["pricing"].clone();
    assert_eq!(five(&price(entries(&bench).await)["raw"]["prices"]["720p"]), 0.35);
    assert_eq!(cost().await, 0.6);
    switch(&bench, "raw_price", "none").await;
    assert_eq!(five(&price(entries(&bench).await)["per_second_by_resolution"]["720p"]), 0.6);
    switch(&bench, "raw_price", "all").await;
    let all = entries(&bench).await;
    let kling = &entry(&all, "kling-v26-pro")["pricing"];
    assert_eq!(kling["per_duration"]["5"].to_string(), "0.2058", "0.35 to 1.7");
    assert_eq!(kling["audio_multiplier"], 2, "factors stay");
    assert_eq!(cost().await, 0.6, "the bank has its own list");
}

#[tokio::test]
async fn another_day_has_another_list() {
    let bench = Bench::still().await;
    let ids = |all: Vec<Value>| -> BTreeSet<String> {
        all.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    };
    let before = ids(entries(&bench).await);
    let send = |id: &str| bench.call(SUBMIT, NANOGPT_KEY, Some(json!({"model": id, "prompt": "a"})));
    assert_eq!(send("kling-v25-turbo-pro").await.1["cost"].to_string(), "0.35");
    switch(&bench, "catalogue", "moved").await;
    let all = entries(&bench).await;
    assert_eq!(entry(&all, "kling-v25-turbo-pro")["pricing"]["per_duration"]["5"].to_string(), "0.42");
    let after = ids(all);
    let gone: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    let new: Vec<&str> = after.difference(&before).map(String::as_str).collect();
    assert_eq!((gone, new), (vec!["vidu-video"], vec!["pixverse-c2"]));
    assert_eq!(send("kling-v25-turbo-pro").await.1["cost"].to_string(), "0.42");
    assert_eq!(send("vidu-video").await.0, 404);
    assert_eq!(send("pixverse-c2").await.0, 202);
}

#[tokio::test]
async fn older_lists_and_the_one_without_videos() {
    let bench = Bench::still().await;
    let (status, body) = bench.call("/api/models/video", "", None).await;
    let veo = &body["models"]["video"]["veo2-video"];
    assert_eq!((status, veo["cost"].to_string().as_str(), &veo["name"]), (200, "3.4", &json!("Veo 2")));
    assert_eq!(veo["defaultSettings"]["duration"], "5");
    assert_eq!(veo["additionalParams"]["aspect_ratio"]["options"][0]["value"], "16:9");
    let (status, body) = bench.call("/nanogpt/api/v1/models?detailed=true", "", None).await;
    assert_eq!((status, &body["object"]), (200, &json!("list")));
    let text = body.to_string();
    assert!(body["data"][0]["pricing"].is_object() && !text.contains("video"), "{text}");
    let places = bench.admin("/_sim/requests").await;
    assert_eq!(places["counts"]["nanogpt"]["models"], 2);
}
