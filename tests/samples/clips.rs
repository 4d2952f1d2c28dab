//! The simulator's clips in the eyes of a program that shares no code with it: ffprobe and ffmpeg.

use super::stage::{Stage, skip};
use rushes::sim::A4F_KEY;
use serde_json::{Value, json};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_plays_what_was_ordered() {
    let tools = ["ffprobe", "ffmpeg"];
    if tools.into_iter().any(|tool| Command::new(tool).arg("-version").output().is_err()) {
        return skip("ffprobe and ffmpeg");
    }
    let stage = Stage::with(|options| {
        options.cheap_clips = false;
        options.speed = 1000.0;
    })
    .await;
    for (ratio, width, height, seconds) in [("16:9", 640, 360, 5), ("9:16", 360, 640, 2), ("4:3", 480, 360, 1)] {
        let order = json!({
            "model": "provider-2/kling-v2.1", "prompt": "a lake \u{5c71}", "quality": "720p",
            "duration": seconds, "ratio": ratio,
        });
        let url = format!("{}/a4f/v1/video/generations", stage.simulator.url());
        let request = stage.client.post(url).bearer_auth(A4F_KEY).body(order.to_string());
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let file = stage.path("clip.mp4");
        let clip = super::stage::decode(answer["data"][0]["b64_json"].as_str().unwrap());
        std::fs::write(&file, clip).unwrap();

        let shown = "stream=codec_name,width,height,nb_frames,avg_frame_rate:format=duration";
        let asked = ["-v", "error", "-of", "json", "-show_entries", shown];
        let output = Command::new("ffprobe").args(asked).arg(&file).output().unwrap();
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stream = &seen["streams"][0];
        assert_eq!(stream["codec_name"], "h264");
        assert_eq!((&stream["width"], &stream["height"]), (&json!(width), &json!(height)));
        assert_eq!(stream["avg_frame_rate"], "24/1");
        assert_eq!(stream["nb_frames"], (seconds * 24).to_string());
        assert_eq!(seen["format"]["duration"], format!("{seconds}.000000"));

        let strict = ["-v", "error", "-xerror", "-i"];
        let played = Command::new("ffmpeg").args(strict).arg(&file).args(["-f", "null", "-"]).output().unwrap();
        assert!(played.status.success() && played.stderr.is_empty(), "{played:?}");
    }
}
