//! NinjaChat's samples, seeds 000 and 001.

use super::stage::{PYTHON, SHELL, Stage, after};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_complete_example() {
    let stage = Stage::new().await;
    let sample = include_str!("000_complete.py");
    let Some(printed) = stage.run(&PYTHON, sample, "").await else { return };
    assert!(printed.contains("(cost: $3.00)"), "{printed}");
    stage.assert_delivered(after(&printed, "Done! "), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_image_to_video() {
    let stage = Stage::new().await;
    // "Then poll as shown above": the fragment stands between the two halves of the example.
    let whole = include_str!("000_complete.py");
    let (before, rest) = whole.split_once("# 1. Submit\n").unwrap();
    let poll = rest.split_once("r.raise_for_status()\n").unwrap().1;
    let fragment = include_str!("000_image_to_video.py");
    let sample = format!("{before}{fragment}r.raise_for_status()\n{poll}");
    let Some(printed) = stage.run(&PYTHON, &sample, "").await else { return };
    assert!(printed.contains("(cost: $5.00)"), "{printed}");
    stage.assert_delivered(after(&printed, "Done! "), 0).await;
    assert_eq!(stage.orders().await[0]["params"]["duration"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_curl() {
    let stage = Stage::new().await;
    let sample = include_str!("001_submit.sh");
    let Some(printed) = stage.run(&SHELL, sample, "").await else { return };
    let answer: Value = serde_json::from_str(&printed).unwrap();
    // The answer printed beside the sample.
    assert!(answer["request_id"].is_string());
    assert_eq!(answer["model"], "seedance-2");
    let say = "Poll GET /api/v1/video/status?request_id=... for completion.";
    assert_eq!(answer["message"], say);
    assert_eq!(answer["cost"]["this_request"], "$3.00");
    assert_eq!(answer["cost"]["per_video"], "$3.00");
    assert_eq!(answer["balance"], "$39.00");
    assert!(answer["metadata"]["latency_ms"].is_number());
}
