//! NanoGPT's orders: both ways to order, every field of seed 003 with its JSON type, which hosts they
//! go to, and what an acceptance is read from.

use std::sync::Arc;

use rushes::domain::Service;
use rushes::domain::model::Model;
use rushes::provider::{Input, Order, Provider, SubmitAnswer};
use serde_json::{Value, json};

use super::scripted::{Reply, Scripted};
use super::support::*;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::Nanogpt, base)
}

/// The model that goes on from a Midjourney run.
fn extending() -> Model {
    let parameters = r#"{ name = "run", type = "text", wire = "runId", required = true },
        { name = "index", type = "integer", range = { min = 0, max = 3 }, required = true }"#;
    let model = model(Service::Nanogpt, "midjourney-video-extend", parameters);
    Model { route: Some("extend".to_owned()), prompt_required: false, ..model }
}

fn problems(model: &Model, values: Value, inputs: &[Input]) -> Vec<(String, String)> {
    let values = serde_json::from_value(values).unwrap();
    let order = Order { model, prompt: "p", values: &values, inputs, correlation: OURS };
    let base = "http://127.0.0.1:9";
    let problems = account(base).prepare(&order, &at(base)).unwrap_err();
    problems.into_iter().map(|p| (p.field, p.rule)).collect()
}

#[tokio::test]
async fn a_finished_run_is_extended_at_its_own_path_under_both_of_its_names() {
    let mut cases = Cases::default();
    for (name, answer, expected) in [
        ("taskId alone", r#"{"success":true,"taskId":"vid_new","message":"Extending","eta":60}"#, "vid_new"),
        ("both", r#"{"success":true,"runId":"vid_new","id":"vid_new","taskId":"vid_old"}"#, "vid_new"),
        ("the old run beside the new", r#"{"success":true,"runId":"vid_old","taskId":"vid_new"}"#, "vid_new"),
        // The clip of the run it goes on from must not pass for the one that was ordered.
        ("the old run alone", r#"{"success":true,"runId":"vid_old","taskId":"vid_old"}"#, "unknown protocol"),
        ("no success", r#"{"success":false,"taskId":"vid_new","message":"busy"}"#, "unknown protocol"),
        ("refused", r#"{"error":"index must be 0-3","status":400}"#, "refused invalid"),
    ] {
        let status = if answer.contains("400") { 400 } else { 200 };
        let server = Scripted::always(Reply::json(status, answer)).await;
        let provider = account(&server.url());
        let request = prepare(&*provider, &server.url(), &extending(), json!({"run": "vid_old", "index": 2}));
        let answer = provider.submit(request, &Default::default(), Box::new(SharedSink::default())).await;
        let seen = match &answer {
            SubmitAnswer::Accepted(accepted) => accepted.remote_id.clone(),
            other => verdict(other),
        };
        cases.equal(name, seen.as_str(), expected);
        let got = &server.received()[0];
        cases.equal(name, got.target.as_str(), "/api/generate-video/extend");
        let body = json!({"runId": "vid_old", "taskId": "vid_old", "index": 2, "conversationUUID": OURS});
        cases.equal(name, got.json(), body);
        cases.equal(name, got.header("x-request-id"), Some(OURS));
    }
    cases.finish();
    assert_eq!(problems(&extending(), json!({"index": 2}), &[]), [("run".into(), "input_required".into())]);
    assert_eq!(problems(&extending(), json!({"run": "v"}), &[]), [("index".into(), "input_required".into())]);
    let odd = Model { route: Some("sideways".to_owned()), ..model(Service::Nanogpt, "m", "") };
    assert_eq!(problems(&odd, json!({}), &[]), [("model".into(), "route".into())], "never guessed");
}

/// Every field of seed 003's tables and of its Body, by what its row says of the type: key, kind,
/// how it is sent, a value, and what must stand on the wire.
fn documented() -> Vec<(&'static str, &'static str, &'static str, Value, Value)> {
    let same = |key, kind, value: Value| (key, kind, "plain", value.clone(), value);
    let text = |key, value: &str| (key, "text", "plain", json!(value), json!(value));
    let flag = |key| (key, "boolean", "plain", json!(true), json!(true));
    let number = |key, value: Value| (key, "number", "plain", value.clone(), value);
    let whole = |key, value: u32| (key, "integer", "plain", json!(value), json!(value));
    let link = |key, kind| (key, kind, "plain", json!("https://x/in"), json!("https://x/in"));
    let links = || json!(["https://x/1", "https://x/2"]);
    vec![
        text("negative_prompt", "blur"),
        text("script", "Once upon a time"),
        same("storyConfig", "json", json!({"scenes": [{"narration": "n"}]})),
        flag("animation"),
        text("language", "en"),
        same("characters", "json", json!([{"name": "Ada"}])),
        ("duration", "integer", "text", json!(5), json!("5")),
        ("seconds", "integer", "text", json!(8), json!("8")),
        text("aspect_ratio", "16:9"),
        text("orientation", "landscape"),
        text("resolution", "720p"),
        text("size", "1280*720"),
        text("mode", "video-edit"),
        flag("generateAudio"),
        flag("enhancePrompt"),
        flag("pro_mode"),
        flag("pro"),
        flag("enable_prompt_expansion"),
        flag("enable_safety_checker"),
        flag("camera_fix"),
        flag("camera_fixed"),
        flag("cameraFixed"),
        whole("seed", 7),
        text("voiceId", "v1"),
        text("voice_id", "v1"),
        text("voice_language", "en"),
        number("voice_speed", json!(1.2)),
        number("videoDuration", json!(12.5)),
        number("billedDuration", json!(13)),
        flag("adjust_fps_for_interpolation"),
        link("imageUrl", "image"),
        text("imageAttachmentId", "att_1"),
        link("image", "image"),
        link("reference_image", "image"),
        same("referenceImages", "links", links()),
        ("reference_images", "links", "json_text", links(), json!(r#"["https://x/1","https://x/2"]"#)),
        same("referenceVideos", "links", links()),
        number("audioDuration", json!(9.5)),
        link("audioUrl", "audio"),
        link("audio", "audio"),
        link("videoUrl", "video"),
        link("video", "video"),
        text("videoAttachmentId", "att_2"),
        link("swapImage", "image"),
        link("targetVideo", "video"),
        number("targetFaceIndex", json!(1)),
        whole("num_frames", 81),
        whole("frames_per_second", 16),
        whole("num_inference_steps", 30),
        number("guidance_scale", json!(3.5)),
        number("shift", json!(5)),
        text("interpolator_model", "film"),
        whole("num_interpolated_frames", 1),
        text("movementAmplitude", "auto"),
        text("motion", "high"),
        text("style", "anime"),
        text("effectType", "glow"),
        text("effect", "glow"),
        text("cameraMovement", "pan"),
        text("motionMode", "normal"),
        flag("soundEffectSwitch"),
        text("soundEffectPrompt", "rain"),
        flag("prompt_optimizer"),
        text("projectId", "p1"),
        text("framework", "tutorial"),
        flag("directorNotes"),
        whole("targetLengthInWords", 90),
        whole("targetLengthInSeconds", 60),
        text("imageGenerationPrompt", "Warm light"),
        text("aspectRatio", "9:16"),
        same("scriptConfig", "json", json!({"a": 1})),
        same("imageConfig", "json", json!({"a": 1})),
        same("videoConfig", "json", json!({"a": 1})),
        same("voiceoverConfig", "json", json!({"voiceId": "v"})),
        same("captionsConfig", "json", json!({"captionsEnabled": true})),
        same("effectsConfig", "json", json!({"a": 1})),
        same("musicConfig", "json", json!({"a": 1})),
        flag("captionsShow"),
        text("captionsStyle", "tiktok"),
        text("quality", "high"),
        number("cfg_scale", json!(0.5)),
        flag("allow_explicit_content"),
        flag("acceleration"),
        whole("age_slider", 30),
        flag("audioEnabled"),
        text("video_quality", "High"),
        text("aspect", "Square"),
    ]
}

#[tokio::test]
async fn every_documented_field_goes_out_under_its_key_with_its_json_type() {
    let fields = documented();
    let mut advanced = Vec::new();
    let (mut values, mut expected) = (json!({}), json!({"model": "m", "prompt": "a misty valley"}));
    for (n, (key, kind, send, value, wire)) in fields.iter().enumerate() {
        // Names of their own, so that none can pass by falling back to the key.
        let name = format!("field_{n}");
        let spec = json!({"name": name, "wire": key, "type": kind, "send": send});
        advanced.push(serde_json::from_value(spec).unwrap());
        values[name] = value.clone();
        expected[*key] = wire.clone();
    }
    expected["conversationUUID"] = OURS.into();
    let server = Scripted::always(Reply::json(202, r#"{"runId":"vid_1"}"#)).await;
    let provider = account(&server.url());
    let model = Model { advanced: Arc::new(advanced), ..model(Service::Nanogpt, "m", "") };
    let mut request = rushes::domain::Request::new(&"nanogpt/m".parse().unwrap(), "a misty valley");
    request.params = serde_json::from_value(values.clone()).unwrap();
    request.validate(&model).unwrap();
    let paid = prepare(&*provider, &server.url(), &model, json!(request.values(&model)));
    provider.submit(paid, &Default::default(), Box::new(SharedSink::default())).await;
    let got = server.received()[0].json();
    let mut cases = Cases::default();
    for (key, ..) in &fields {
        cases.equal(key, &got[*key], &expected[*key]);
    }
    cases.finish();
    assert_eq!(got, expected, "and nothing else");
    assert_eq!(server.received()[0].target, "/api/generate-video");
    // The same from texts, as a table of a batch writes them.
    for (n, (_, kind, ..)) in fields.iter().enumerate().filter(|(_, (_, kind, ..))| !matches!(*kind, "json" | "links"))
    {
        let value = &mut values[format!("field_{n}")];
        if !value.is_string() && *kind != "links" {
            *value = value.to_string().into();
        }
    }
    let again = prepare(&*provider, &server.url(), &model, values);
    assert_eq!(serde_json::from_slice::<Value>(&again.body).unwrap(), expected);
}

#[tokio::test]
async fn every_way_to_make_a_clip_carries_its_own_inputs_and_files_as_data_urls() {
    let file = |name: &str, kind: &str, url: &str, data: &str| {
        format!(r#"{{ name = "{name}", type = "{kind}", wire = "{url}", wire_data = "{data}", max_bytes = 3200000 }}"#)
    };
    let image = file("image", "image", "imageUrl", "imageDataUrl");
    let video = file("video", "video", "videoUrl", "videoDataUrl");
    let audio = file("audio", "audio", "audioUrl", "audioDataUrl");
    let input = |hash: &str, mime: &str| Input { sha256: hash.into(), mime: mime.into(), bytes: "x".into() };
    let inputs = [input("aa", "image/webp"), input("bb", "video/mp4"), input("cc", "audio/mpeg")];
    let mut cases = Cases::default();
    for (name, parameters, values, expected) in [
        ("image to video", image.clone(), json!({"image": "sha256:aa"}), json!({"imageDataUrl": "data:image/webp;base64,eA=="})),
        ("image by link", image.clone(), json!({"image": "https://x/i"}), json!({"imageUrl": "https://x/i"})),
        ("extend", video.clone(), json!({"video": "https://x/v"}), json!({"videoUrl": "https://x/v"})),
        ("edit", video.clone(), json!({"video": "sha256:bb"}), json!({"videoDataUrl": "data:video/mp4;base64,eA=="})),
        (
            "upscale",
            format!(r#"{video}, {{ name = "target_resolution", type = "text" }}, {{ name = "videoDuration", type = "number" }}"#),
            json!({"video": "https://x/v", "target_resolution": "4k", "videoDuration": 7}),
            json!({"videoUrl": "https://x/v", "target_resolution": "4k", "videoDuration": 7}),
        ),
        (
            "lipsync",
            format!(r#"{video}, {audio}, {{ name = "voice_speed", type = "number" }}"#),
            json!({"video": "https://x/v", "audio": "sha256:cc", "voice_speed": 0.8}),
            json!({"videoUrl": "https://x/v", "audioDataUrl": "data:audio/mpeg;base64,eA==", "voice_speed": 0.8}),
        ),
        (
            "avatar",
            format!("{image}, {audio}"),
            json!({"image": "https://x/i", "audio": "https://x/a"}),
            json!({"imageUrl": "https://x/i", "audioUrl": "https://x/a"}),
        ),
        (
            "face swap",
            r#"{ name = "swapImage", type = "image" }, { name = "targetVideo", type = "video" }, { name = "targetFaceIndex", type = "integer" }"#.to_owned(),
            json!({"swapImage": "https://x/i", "targetVideo": "https://x/v", "targetFaceIndex": 0}),
            json!({"swapImage": "https://x/i", "targetVideo": "https://x/v", "targetFaceIndex": 0}),
        ),
        (
            "reference to video",
            r#"{ name = "references", type = "links", wire = "reference_images", send = "json_text" }"#.to_owned(),
            json!({"references": "https://x/1, https://x/2"}),
            json!({"reference_images": r#"["https://x/1","https://x/2"]"#}),
        ),
    ] {
        let server = Scripted::always(Reply::json(202, r#"{"runId":"vid_1"}"#)).await;
        let model = model(Service::Nanogpt, "m", &parameters);
        let provider = account(&server.url());
        let paid = prepare_with(&*provider, &server.url(), &model, values, &inputs);
        provider.submit(paid, &Default::default(), Box::new(SharedSink::default())).await;
        let mut body = server.received()[0].json();
        for ours in ["model", "prompt", "conversationUUID"] {
            body.as_object_mut().unwrap().remove(ours);
        }
        cases.equal(name, body, expected);
        cases.equal(name, server.received()[0].target.as_str(), "/api/generate-video");
    }
    cases.finish();
}

#[test]
fn one_key_is_written_once_and_the_limit_of_the_edge_counts_all_files() {
    let twice = r#"{ name = "duration", type = "integer" }, { name = "length", type = "integer", wire = "duration" }"#;
    let twice = model(Service::Nanogpt, "m", twice);
    assert_eq!(problems(&twice, json!({"duration": 5, "length": 6}), &[]), [("length".into(), "excludes".into())]);
    let ours = model(Service::Nanogpt, "m", r#"{ name = "conversationUUID", type = "text" }"#);
    let mine = problems(&ours, json!({"conversationUUID": "x"}), &[]);
    assert_eq!(
        mine,
        [("conversationUUID".into(), "excludes".into())],
        "the id that finds a lost order is not replaced"
    );
    let two = r#"{ name = "image", type = "image", wire_data = "imageDataUrl" },
        { name = "end_image", type = "image", wire_data = "last_image" }"#;
    let two = model(Service::Nanogpt, "m", two);
    let half = |hash: &str| Input { sha256: hash.into(), mime: "image/png".into(), bytes: vec![0; 1_700_000].into() };
    let values = json!({"image": "sha256:aa", "end_image": "sha256:bb"});
    let found = problems(&two, values, &[half("aa"), half("bb")]);
    assert_eq!(found, [("end_image".into(), "max_bytes".into())]);
}

#[test]
fn every_host_of_the_service_gets_the_same_paths_and_the_key_stays_on_its_own() {
    let model = model(Service::Nanogpt, "m", "");
    let mut cases = Cases::default();
    for (base, profile, expected) in [
        ("https://nano-gpt.com", "", "https://nano-gpt.com/api/generate-video"),
        ("https://api.nano-gpt.com", "", "https://api.nano-gpt.com/api/generate-video"),
        // The base as the documents print it.
        ("https://api.nano-gpt.com/api/", "", "https://api.nano-gpt.com/api/generate-video"),
        ("https://cake.nano-gpt.com/api", "", "https://cake.nano-gpt.com/api/generate-video"),
        ("https://ai.bitcoin.com", "", "https://ai.bitcoin.com/api/generate-video"),
        ("https://bcashgpt.com", "https://www.bcashgpt.com", "https://www.bcashgpt.com/api/generate-video"),
        ("https://bcashgpt.com", "https://nano-gpt.com", "https://bcashgpt.com/api/generate-video"),
        ("https://api.nano-gpt.com", "https://cake.nano-gpt.com", "https://api.nano-gpt.com/api/generate-video"),
        ("http://127.0.0.1:9/nanogpt", "", "http://127.0.0.1:9/nanogpt/api/generate-video"),
    ] {
        let request = prepare(&*account(base), profile, &model, json!({}));
        cases.equal(base, request.url.as_str(), expected);
    }
    cases.finish();
}

#[tokio::test]
async fn an_acceptance_takes_what_the_json_lacks_from_the_headers_in_its_own_currency() {
    let mut cases = Cases::default();
    let plain = |body: &str| Reply::json(202, body);
    for (name, reply, cost, balance) in [
        ("x-cost", plain(r#"{"runId":"x"}"#).header("x-cost", "0.053"), "$0.053", "-"),
        ("x-nano-cost", plain(r#"{"runId":"x"}"#).header("x-nano-cost", "0.1"), "Ӿ0.10", "-"),
        (
            "both, paid in nano",
            plain(r#"{"runId":"x","paymentSource":"XNO"}"#).header("x-cost", "0.05").header("x-nano-cost", "0.1"),
            "Ӿ0.10",
            "-",
        ),
        ("dollars, paid in nano", plain(r#"{"runId":"x","paymentSource":"XNO"}"#).header("x-cost", "0.05"), "-", "-"),
        ("the JSON first", plain(r#"{"runId":"x","cost":0.2}"#).header("x-cost", "0.05"), "$0.20", "-"),
        (
            "x-remaining-balance",
            plain(r#"{"runId":"x","cost":1}"#).header("x-remaining-balance", "9.5"),
            "$1.00",
            "$9.50",
        ),
        (
            "a balance in nothing we know",
            plain(r#"{"runId":"x","paymentSource":"pts"}"#).header("x-remaining-balance", "9"),
            "-",
            "-",
        ),
        ("nonsense", plain(r#"{"runId":"x"}"#).header("x-cost", "free"), "-", "-"),
        ("less than nothing", plain(r#"{"runId":"x"}"#).header("x-cost", "-1"), "-", "-"),
    ] {
        let server = Scripted::always(reply.header("x-request-id", "req-1")).await;
        let (answer, _) = order(&*account(&server.url()), &server.url()).await;
        let SubmitAnswer::Accepted(accepted) = answer else { panic!("{name}: {answer:?}") };
        let text = |money: Option<rushes::domain::Money>| money.map_or_else(|| "-".to_owned(), |m| m.to_string());
        cases.equal(name, (text(accepted.cost).as_str(), text(accepted.balance).as_str()), (cost, balance));
        cases.equal(name, accepted.request_id.as_deref(), Some("req-1"));
    }
    cases.finish();
}
