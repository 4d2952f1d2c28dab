//! Runs the services' own sample programs, as their documents print them, against a simulator: if
//! a sample works there, so does whatever else follows the documents. Knows nothing of our client.
//!
//! A missing tool skips its samples, loudly; with `CI=true` in the environment it fails them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail them, and say why one was skipped"
)]

use rushes::sim::{NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A real picture, eight grey pixels square; the documents elide theirs.
const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z";

/// A language of the samples: its program, file ending and prelude, and a command that tells
/// whether everything it needs is there.
struct Language {
    program: &'static str,
    ending: &'static str,
    prelude: &'static str,
    check: &'static [&'static str],
}

const PYTHON: Language = Language {
    program: "python3",
    ending: "py",
    prelude: include_str!("samples/prelude.py"),
    check: &["python3", "-c", "import requests"],
};

const SHELL: Language = Language {
    program: "bash",
    ending: "sh",
    prelude: include_str!("samples/prelude.sh"),
    check: &["bash", "-c", "command -v curl && command -v jq"],
};

const NODE: Language = Language {
    program: "node",
    ending: "mjs",
    prelude: include_str!("samples/prelude.mjs"),
    check: &["node", "-e", "fetch"],
};

impl Language {
    /// Whether samples of this language can run here.
    fn is_there(&self) -> bool {
        let (program, arguments) = self.check.split_first().unwrap();
        let checked = Command::new(program).args(arguments).output();
        if checked.is_ok_and(|output| output.status.success()) {
            return true;
        }
        println!("SKIP: {:?} does not work here; see tests/samples/install.sh", self.check);
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI runs every sample");
        false
    }
}

/// A simulator on which a minute passes in half a second, so that samples poll a few times.
struct Stage {
    simulator: Simulator,
    client: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        Self::at(120.0).await
    }

    async fn at(speed: f64) -> Self {
        let options = SimOptions { speed, cheap_clips: true, ..SimOptions::default() };
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The sample with its host, key and picture put in; nothing else is changed.
    fn put_in(&self, sample: &str) -> String {
        let url = self.simulator.url();
        sample
            .replace("https://ninjachat.ai", &format!("{url}/ninjachat"))
            .replace("https://nano-gpt.com", &format!("{url}/nanogpt"))
            .replace("<token>", NINJACHAT_KEY)
            .replace("YOUR_API_KEY", NANOGPT_KEY)
            .replace("/9j/4AAQ...", JPEG)
            .replace("data:image/...", &format!("data:image/jpeg;base64,{JPEG}"))
    }

    /// Runs prelude, sample and the lines after it; returns what it printed. `None`: skipped.
    async fn run(&self, language: &Language, sample: &str, after: &str) -> Option<String> {
        if !language.is_there() {
            return None;
        }
        let text = format!("{}{}{after}", language.prelude, self.put_in(sample));
        let file = self.path(&format!("sample.{}", language.ending));
        std::fs::write(&file, &text).unwrap();
        std::fs::write(self.path("picture.jpg"), decode(JPEG)).unwrap();
        let mut command = Command::new(language.program);
        command
            .arg(&file)
            .current_dir(self.folder.path())
            .env("NINJACHAT_API_KEY", NINJACHAT_KEY)
            .env("SAMPLE_ORIGIN", format!("{}/nanogpt", self.simulator.url()))
            .env("SAMPLE_KEY", NANOGPT_KEY)
            .env("NO_PROXY", "*")
            .env("no_proxy", "*");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the sample failed:\n{printed}\n{errors}\n{text}");
        Some(printed)
    }

    async fn ask(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.simulator.url()));
        let text = response.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn orders(&self) -> Vec<Value> {
        self.ask("/_sim/orders").await.as_array().unwrap().clone()
    }

    /// Checks that the clip behind a printed link is the one in the book.
    async fn assert_delivered(&self, link: &str, order: usize) {
        let response = self.client.get(link).send().await.unwrap();
        assert_eq!(response.status(), 200, "{link}");
        let bytes = response.bytes().await.unwrap();
        assert_eq!(&bytes[4..8], b"ftyp");
        let orders = self.orders().await;
        assert_eq!(orders[order]["sha256"], sha256(&bytes));
        assert_eq!(orders[order]["state"], "completed");
    }
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rest of the first line that starts so.
fn after<'a>(printed: &'a str, start: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no line starts with {start:?} in:\n{printed}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_complete_example() {
    let stage = Stage::new().await;
    let sample = include_str!("samples/000_complete.py");
    let Some(printed) = stage.run(&PYTHON, sample, "").await else { return };
    assert!(printed.contains("(cost: $3.00)"), "{printed}");
    stage.assert_delivered(after(&printed, "Done! "), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_image_to_video() {
    let stage = Stage::new().await;
    // "Then poll as shown above": the fragment stands between the two halves of the example.
    let whole = include_str!("samples/000_complete.py");
    let (before, rest) = whole.split_once("# 1. Submit\n").unwrap();
    let poll = rest.split_once("r.raise_for_status()\n").unwrap().1;
    let fragment = include_str!("samples/000_image_to_video.py");
    let sample = format!("{before}{fragment}r.raise_for_status()\n{poll}");
    let Some(printed) = stage.run(&PYTHON, &sample, "").await else { return };
    assert!(printed.contains("(cost: $5.00)"), "{printed}");
    stage.assert_delivered(after(&printed, "Done! "), 0).await;
    assert_eq!(stage.orders().await[0]["params"]["duration"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn ninjachat_curl() {
    let stage = Stage::new().await;
    let sample = include_str!("samples/001_submit.sh");
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

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_both_ways_to_carry_a_key() {
    let stage = Stage::new().await;
    let sample = include_str!("samples/002_auth.sh");
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
    let sample = include_str!("samples/002_example_1.sh");
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
    let first = include_str!("samples/002_example_1.sh");
    let poll = &first[first.find("# 2) Poll status").unwrap()..];
    for sample in [include_str!("samples/002_example_2_base64.sh"), include_str!("samples/002_example_2_url.sh")] {
        let stage = Stage::new().await;
        let Some(printed) = stage.run(&SHELL, sample, &stage.put_in(poll)).await else { return };
        stage.assert_delivered(after(&printed, "Video URL: "), 0).await;
    }
}

const POLL: &str = include_str!("samples/002_poll.mjs");

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_3() {
    let stage = Stage::new().await;
    let sample = [POLL, include_str!("samples/002_example_3.mjs")].concat();
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
    let sample = [POLL, include_str!("samples/002_example_3_url.mjs")].concat();
    let drive = "console.log('URL ' + await generateVideoFromUrl('https://example.com/a.jpg'));\n";
    let Some(printed) = stage.run(&NODE, &sample, drive).await else { return };
    stage.assert_delivered(after(&printed, "URL "), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_example_4() {
    let stage = Stage::new().await;
    let sample = [include_str!("samples/002_example_4_file.py"), include_str!("samples/002_example_4_url.py")].concat();
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
    let sample = [POLL, include_str!("samples/002_example_5.mjs")].concat();
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
    let sample = [POLL, include_str!("samples/002_errors.mjs")].concat();
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
        include_str!("samples/002_body_text.jsonc"),
        include_str!("samples/002_body_base64.jsonc"),
        include_str!("samples/002_body_url.jsonc"),
        include_str!("samples/002_body_veo.jsonc"),
        include_str!("samples/002_body_kling.jsonc"),
        include_str!("samples/002_body_hunyuan.jsonc"),
        include_str!("samples/002_body_wan.jsonc"),
        include_str!("samples/002_body_seedance.jsonc"),
    ] {
        let (status, answer) = send(&stage, body).await;
        assert_eq!(status, 202, "{body}\n{answer}");
        assert_like(&answer, include_str!("samples/002_answer_submit.json"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nanogpt_statuses_look_as_printed() {
    // Slow where a state has to be caught on its way, fast where it stays.
    for (speed, prompt, wanted, printed) in [
        (20.0, "fine", "IN_PROGRESS", include_str!("samples/002_answer_in_progress.json")),
        (1000.0, "fine", "COMPLETED", include_str!("samples/002_answer_completed.json")),
        (1000.0, "[nsfw]", "FAILED", include_str!("samples/002_answer_failed.json")),
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

#[test]
fn samples_are_kept_as_printed() {
    // The places that are replaced must still be there, or a sample would reach for the world.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("127.0.0.1"), "{} was edited", path.display());
    }
}
