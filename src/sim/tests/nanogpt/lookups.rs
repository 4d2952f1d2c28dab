//! Status in its shapes, results in their places, the way to the clip.

use super::*;

#[tokio::test]
async fn four_shapes_of_a_status() {
    let bench = Bench::fast().await;
    let (id, body) = finished(&bench, nano("a")).await;
    assert_eq!((&body["requestId"], &body["data"]["requestId"]), (&json!(id), &json!(id)));
    let url = body["data"]["output"]["video"]["url"].clone();
    assert_eq!(body["data"]["cost"].to_string(), "3.4");
    let unified = format!("/nanogpt/api/video/status?requestId={id}");
    let ask = || bench.call(&unified, NANOGPT_KEY, None);
    switch(&bench, "final_cost", "absent").await;
    assert!(ask().await.1["data"].get("cost").is_none());
    switch(&bench, "status_shape", "legacy").await;
    let (_, body) = ask().await;
    assert_eq!((&body["data"]["request_id"], body.get("requestId")), (&json!(id), None), "{body}");
    switch(&bench, "status_shape", "flat").await;
    let (_, body) = ask().await;
    assert_eq!((&body["status"], &body["videoUrl"], &body["error"]), (&json!("completed"), &url, &Value::Null));
    assert!(body.get("data").is_none() && body["completedAt"].is_string(), "{body}");
    switch(&bench, "status_shape", "skills").await;
    assert_eq!(ask().await.1, json!({"status": "completed", "videoUrl": url}));
    switch(&bench, "status_shape", "unified").await;
    // The older endpoint has its own inner id; its second parameter may be there, or not.
    for query in [format!("runId={id}"), format!("runId={id}&model=x"), format!("runId={id}&modelSlug=veo2-video")] {
        let (_, body) = bench.call(&format!("/api/generate-video/status?{query}"), NANOGPT_KEY, None).await;
        assert_eq!((&body["data"]["request_id"], body.get("requestId")), (&json!(id), None), "{body}");
    }
}

#[tokio::test]
async fn a_failure_is_a_text_or_an_object() {
    let bench = Bench::fast().await;
    let (id, body) = finished(&bench, nano("[nsfw]")).await;
    assert_eq!(body["data"]["error"], "Content policy violation");
    assert_eq!(body["data"]["isNSFWError"], true);
    switch(&bench, "error_shape", "object").await;
    let path = format!("/api/video/status?requestId={id}");
    let (_, body) = bench.call(&path, NANOGPT_KEY, None).await;
    assert_eq!(body["data"]["error"]["message"], "Content policy violation");
}

#[tokio::test]
async fn results_are_found_in_every_place() {
    let bench = Bench::fast().await;
    let (one, _) = finished(&bench, nano("a")).await;
    let (four, _) = finished(&bench, json!({"model": "midjourney-video", "imageUrl": IMAGE})).await;
    for (place, pointer, of_four) in [
        ("documented", "/output/video/url", "/output/video/3/url"),
        ("url", "/output/video/url", "/output/video/url"),
        ("output_url", "/output/url", "/output/url"),
        ("array", "/output/video/0/url", "/output/video/3/url"),
        ("video_urls", "/output/videoUrls/0", "/output/videoUrls/3"),
        ("videoUrl", "/videoUrl", "/videoUrl"),
        ("video_url", "/video_url", "/video_url"),
        ("string", "/output", "/output"),
        ("relative", "/output/video/url", "/output/video/3/url"),
    ] {
        switch(&bench, "result", place).await;
        for (id, pointer) in [(&one, pointer), (&four, of_four)] {
            let (_, body) = bench.call(&format!("/api/video/status?requestId={id}"), NANOGPT_KEY, None).await;
            let link = body["data"].pointer(pointer).and_then(Value::as_str).expect(place);
            assert_eq!(link.starts_with("/api/generate-video/content?"), place == "relative", "{link}");
            assert_eq!(link.starts_with("http://127.0.0.1"), place != "relative", "{link}");
        }
    }
    // Four relative links lead to four clips.
    let (_, body) = bench.call(&format!("/api/video/status?requestId={four}"), NANOGPT_KEY, None).await;
    let mut clips = std::collections::HashSet::new();
    for video in body["data"]["output"]["video"].as_array().unwrap() {
        let url = bench.url(&format!("/nanogpt{}", video["url"].as_str().unwrap()));
        let response = bench.client.get(url).header("x-api-key", NANOGPT_KEY).send().await.unwrap();
        let target = response.headers()["location"].to_str().unwrap().to_owned();
        clips.insert(bench.client.get(target).send().await.unwrap().bytes().await.unwrap());
    }
    assert_eq!(clips.len(), 4);
}

#[tokio::test]
async fn storage_is_another_origin_and_wants_no_key() {
    let bench = Bench::fast().await;
    let (_, body) = finished(&bench, json!({"model": "grok-imagine-video", "prompt": "a"})).await;
    let link = body["data"]["output"]["video"]["url"].as_str().unwrap().to_owned();
    let url = bench.url(&format!("/nanogpt{link}"));
    let response = bench.client.get(&url).header("x-api-key", NANOGPT_KEY).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let target = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(target.starts_with("http://localhost:") && target.contains("/nanogpt/r2/"), "{target}");
    for (name, value) in [("x-api-key", "k"), ("authorization", "Bearer k")] {
        let response = bench.client.get(&target).header(name, value).send().await.unwrap();
        assert_eq!(response.status(), 400, "a key came along in {name}");
    }
    let unsigned = target.split('?').next().unwrap();
    assert_eq!(bench.client.get(unsigned).send().await.unwrap().status(), 403);
    let clip = bench.client.get(&target).send().await.unwrap();
    assert_eq!((clip.status().as_u16(), clip.headers()["content-type"].to_str().unwrap()), (200, "video/mp4"));
    for (query, status) in [("variant=thumbnail", 404), ("variant=poster", 400)] {
        let other = url.replace("variant=video", query);
        let response = bench.client.get(other).header("x-api-key", NANOGPT_KEY).send().await.unwrap();
        assert_eq!(response.status(), status, "{query}");
    }
}

#[tokio::test]
async fn longstories_has_a_status_of_its_own() {
    let bench = Bench::fast().await;
    let id = order(&bench, json!({"model": "longstories-movie", "script": "a", "projectId": "prj_1"})).await;
    let path = format!("/nanogpt/api/v1/video/status?runId={id}&projectId=prj_1");
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["isCompleted"] == true).await;
    assert_eq!((&body["status"], &body["data"]["isSuccess"]), (&json!("COMPLETED"), &json!(true)));
    assert!(body["data"]["output"]["url"].is_string());
    let veo = order(&bench, nano("a")).await;
    let (status, _) = bench.call(&format!("/nanogpt/api/v1/video/status?runId={veo}"), NANOGPT_KEY, None).await;
    assert_eq!(status, 404, "LongStories only");
}
