//! Clip links: ranges, tags, unknown links.

use super::*;
use crate::sim::NANOGPT_KEY;

async fn finished() -> (Bench, String) {
    let bench = Bench::fast().await;
    let (_, job) = bench.call("/nanogpt/api/generate-video", NANOGPT_KEY, Some(nano("a"))).await;
    let path = format!("/nanogpt/api/video/status?requestId={}", job["runId"].as_str().unwrap());
    let body = bench.poll(&path, NANOGPT_KEY, |body| body["data"]["status"] == "COMPLETED").await;
    let link = body["data"]["output"]["video"]["url"].as_str().unwrap().to_owned();
    (bench, link)
}

#[tokio::test]
async fn ranges_join_to_the_whole() {
    let (bench, link) = finished().await;
    let get = |headers: Vec<(&'static str, String)>| {
        let mut request = bench.client.get(&link);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        async move { request.send().await.unwrap() }
    };
    let whole = get(vec![]).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let tag = whole.headers()["etag"].to_str().unwrap().to_owned();
    let whole = whole.bytes().await.unwrap();
    let head = get(vec![("range", "bytes=0-99".to_owned())]).await;
    assert_eq!(head.status(), 206);
    let span = format!("bytes 0-99/{}", whole.len());
    assert_eq!(head.headers()["content-range"], span.as_str());
    let head = head.bytes().await.unwrap();
    let rest = get(vec![("range", "bytes=100-".to_owned()), ("if-range", tag)]).await;
    assert_eq!(rest.status(), 206);
    let rest = rest.bytes().await.unwrap();
    assert_eq!([head, rest].concat(), whole);
    let tail = get(vec![("range", "bytes=-7".to_owned())]).await.bytes().await.unwrap();
    assert_eq!(tail, whole[whole.len() - 7..]);

    let changed = vec![("range", "bytes=100-".to_owned()), ("if-range", "\"other\"".to_owned())];
    let changed = get(changed).await;
    assert_eq!(changed.status(), 200, "another file: all of it");
    assert_eq!(changed.bytes().await.unwrap(), whole);
    let beyond = get(vec![("range", format!("bytes={}-", whole.len()))]).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(beyond.headers()["content-range"], format!("bytes */{}", whole.len()).as_str());
    let two = get(vec![("range", "bytes=0-1,3-4".to_owned())]).await;
    assert_eq!(two.status(), 200);
}

#[tokio::test]
async fn a_link_is_nothing_before_its_time() {
    let (bench, link) = finished().await;
    let unknown = link.replace(".mp4", "x.mp4");
    assert_eq!(bench.client.get(unknown).send().await.unwrap().status(), 404);
    let head = bench.client.head(&link).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.headers().contains_key("content-length"));
    assert_eq!(bench.admin("/_sim/orders").await[0]["downloads"], 0, "a look is no download");
}
