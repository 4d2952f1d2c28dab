//! NanoGPT's samples, seed 002: its programs, its request bodies and its answers.

use super::stage::{NODE, PYTHON, SHELL, Stage, after, sha256};
use rushes::sim::NANOGPT_KEY;
use serde_json::Value;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_both_ways_to_carry_a_key() {
    let stage = Stage::new().await;
    let sample = include_str!("002_auth.sh");
    // The sample's lines name no address, so each gets one.
    let url = format!("{}/nanogpt/api/check-balance", stage.simulator.url());
    let rest = format!("API_KEY\" -s -X POST {url}\n");
    let sample = sample.replace("API_KEY\"\n", &rest);
    let Some(printed) = stage.run(&SHELL, &sample, "").await else { return };
    assert_eq!(printed.matches("\"usd_balance\":\"129.46956147\"").count(), 2, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_1() {
    let stage = Stage::new().await;
    let sample = include_str!("002_example_1.sh");
    // The sample's last line, which it prints as a comment.
    let download = "curl -sL \"$VIDEO_URL\" -o output.mp4\n";
    let Some(printed) = stage.run(&SHELL, sample, download).await else { return };
    assert!(after(&printed, "Run ID: ").starts_with("vid_"));
    assert!(printed.contains("Attempt 1: status="), "{printed}");
    let clip = std::fs::read(stage.path("output.mp4")).unwrap();
    assert_eq!(stage.orders().await[0]["sha256"], sha256(&clip));
    stage.assert_delivered(after(&printed, "Video URL: "), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_2() {
    // "Use the same polling loop from Example 1 to monitor either request."
    let first = include_str!("002_example_1.sh");
    let poll = &first[first.find("# 2) Poll status").unwrap()..];
    for sample in [include_str!("002_example_2_base64.sh"), include_str!("002_example_2_url.sh")] {
        let stage = Stage::new().await;
        let Some(printed) = stage.run(&SHELL, sample, &stage.put_in(poll)).await else { return };
        stage.assert_delivered(after(&printed, "Video URL: "), 0).await;
    }
}

const POLL: &str = include_str!("002_poll.mjs");

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_3() {
    let stage = Stage::new().await;
    let sample = [POLL, include_str!("002_example_3.mjs")].concat();
    let drive = "import { readFileSync } from 'node:fs';\n\
                 const picture = new Blob([readFileSync('picture.jpg')], { type: 'image/jpeg' });\n\
                 await generateVideo(picture);\n";
    let Some(printed) = stage.run(&NODE, &sample, drive).await else { return };
    assert!(after(&printed, "Video generation started: ").starts_with("vid_"));
    stage.assert_delivered(after(&printed, "Video ready: "), 0).await;
    let polls = stage.ask("/_sim/requests").await["counts"]["nanogpt"]["status"].clone();
    assert!(polls.as_u64() > Some(0), "it polled: {polls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_3_by_link() {
    let stage = Stage::new().await;
    let sample = [POLL, include_str!("002_example_3_url.mjs")].concat();
    let drive = "console.log('URL ' + await generateVideoFromUrl('https://example.com/a.jpg'));\n";
    let Some(printed) = stage.run(&NODE, &sample, drive).await else { return };
    stage.assert_delivered(after(&printed, "URL "), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_4() {
    let stage = Stage::new().await;
    let sample = [include_str!("002_example_4_file.py"), include_str!("002_example_4_url.py")].concat();
    let drive = "print(submit_image_to_video('picture.jpg'))\n\
                 print(submit_image_url('https://example.com/a.jpg'))\n";
    let Some(printed) = stage.run(&PYTHON, &sample, drive).await else { return };
    let orders = stage.orders().await;
    let ids: Vec<&str> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_5() {
    let stage = Stage::new().await;
    let sample = [POLL, include_str!("002_example_5.mjs")].concat();
    let drive = "const all = await generateMultipleVideos(['one', 'two', 'three']);\n\
                 for (const url of all) console.log(url);\n";
    let Some(printed) = stage.run(&NODE, &sample, drive).await else { return };
    let links: Vec<&str> = printed.lines().collect();
    assert_eq!(links.len(), 3);
    // Sent at once, so they may have come in any order.
    let prompts: Vec<Value> = stage.orders().await.iter().map(|o| o["prompt"].clone()).collect();
    for (prompt, link) in ["one", "two", "three"].into_iter().zip(links) {
        let order = prompts.iter().position(|found| found == prompt).unwrap();
        stage.assert_delivered(link, order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_error_handling() {
    let stage = Stage::new().await;
    let sample = [POLL, include_str!("002_errors.mjs")].concat();
    let drive = "const order = (prompt) => ({ model: 'veo2-video', prompt, duration: '5s' });\n\
                 for (const prompt of ['fine', '[policy]', '[nsfw]']) {\n\
                   try {\n\
                     console.log('URL ' + await generateVideoWithErrorHandling(order(prompt)));\n\
                   } catch (error) {\n\
                     console.log('thrown: ' + error.message);\n\
                   }\n\
                 }\n";
    let Some(printed) = stage.run(&NODE, &sample, drive).await else { return };
    stage.assert_delivered(after(&printed, "URL "), 0).await;
    let blocked = "Your prompt was blocked due to safety concerns. Please modify your prompt.";
    let thrown: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("thrown: ")).collect();
    assert_eq!(thrown, [blocked, "Content policy violation"]);
}

/// Sends a printed body, its comments left out; returns the answer.
async fn send(stage: &Stage, body: &str) -> (u16, Value) {
    let body: Vec<&str> = body.lines().map(|line| line.split_once("  //").map_or(line, |(body, _)| body)).collect();
    let url = format!("{}/nanogpt/api/generate-video", stage.simulator.url());
    let request = stage.client.post(url).header("x-api-key", NANOGPT_KEY);
    let response = request.body(stage.put_in(&body.join("\n"))).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_takes_every_printed_body() {
    let stage = Stage::new().await;
    for body in [
        include_str!("002_body_text.jsonc"),
        include_str!("002_body_base64.jsonc"),
        include_str!("002_body_url.jsonc"),
        include_str!("002_body_veo.jsonc"),
        include_str!("002_body_kling.jsonc"),
        include_str!("002_body_hunyuan.jsonc"),
        include_str!("002_body_wan.jsonc"),
        include_str!("002_body_seedance.jsonc"),
    ] {
        let (status, answer) = send(&stage, body).await;
        assert_eq!(status, 202, "{body}\n{answer}");
        assert_like(&answer, include_str!("002_answer_submit.json"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_statuses_look_as_printed() {
    // Slow where a state has to be caught on its way, fast where it stays.
    for (speed, prompt, wanted, printed) in [
        (20.0, "fine", "IN_PROGRESS", include_str!("002_answer_in_progress.json")),
        (1000.0, "fine", "COMPLETED", include_str!("002_answer_completed.json")),
        (1000.0, "[nsfw]", "FAILED", include_str!("002_answer_failed.json")),
    ] {
        let stage = Stage::at(speed).await;
        let body = format!("{{\"model\": \"veo2-video\", \"prompt\": \"{prompt}\"}}");
        let (_, job) = send(&stage, &body).await;
        let id = job["runId"].as_str().unwrap();
        let url = stage.simulator.url();
        let url = format!("{url}/nanogpt/api/generate-video/status?runId={id}&modelSlug=veo2-video");
        loop {
            let request = stage.client.get(&url).header("x-api-key", NANOGPT_KEY);
            let answer = request.send().await.unwrap().text().await.unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let status = answer["data"]["status"].as_str().unwrap();
            if status == wanted {
                assert_like(&answer, printed);
                break;
            }
            assert!(["IN_QUEUE", "IN_PROGRESS"].contains(&status), "{answer}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Every key of the printed answer is in ours, with a value of the same kind.
fn assert_like(answer: &Value, printed: &str) {
    fn walk(answer: &Value, printed: &Value, path: &str) {
        let kinds = [answer, printed].map(std::mem::discriminant);
        assert_eq!(kinds[0], kinds[1], "{path}: {answer} is not like {printed}");
        for (name, inner) in printed.as_object().into_iter().flatten() {
            walk(&answer[name], inner, &format!("{path}.{name}"));
        }
    }
    walk(answer, &serde_json::from_str(printed).unwrap(), "");
}
