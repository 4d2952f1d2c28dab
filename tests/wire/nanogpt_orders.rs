//! NanoGPT's orders: both ways to order, every field of seed 003 with its JSON type, which hosts they
//! go to, and what an acceptance is read from. Long, since each field is a row of its own.

use std::sync::Arc;
use std::time::Duration;

use rushes::catalog::{Account, Catalog};
use rushes::domain::Service;
use rushes::domain::model::{Model, Parameter, ParameterKind};
use rushes::provider::{Input, Order, Provider, RemoteJob, RemoteState, SubmitAnswer};
use rushes::sim::{NANOGPT_KEY, SimOptions, Simulator};
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

/// Every field of seed 003's tables and of its Body, by the JSON type its row gives. The Body names no
/// keys; those are of the schema it was made from.
const DOCUMENTED: [(&str, &str); 91] = [
    ("negative_prompt", "string"),
    ("script", "string"),
    ("storyConfig", "object"),
    ("animation", "boolean"),
    ("language", "string"),
    ("characters", "array"),
    ("duration", "string"),
    ("seconds", "string"),
    ("aspect_ratio", "string"),
    ("orientation", "string"),
    ("resolution", "string"),
    ("size", "string"),
    ("mode", "string"),
    ("generateAudio", "boolean"),
    ("enhancePrompt", "boolean"),
    ("pro_mode", "boolean"),
    ("pro", "boolean"),
    ("enable_prompt_expansion", "boolean"),
    ("enable_safety_checker", "boolean"),
    ("camera_fix", "boolean"),
    ("camera_fixed", "boolean"),
    ("cameraFixed", "boolean"),
    ("seed", "number"),
    ("voiceId", "string"),
    ("voice_id", "string"),
    ("voice_language", "string"),
    ("voice_speed", "number"),
    ("videoDuration", "number"),
    ("billedDuration", "number"),
    ("adjust_fps_for_interpolation", "boolean"),
    ("imageDataUrl", "string"),
    ("imageUrl", "string"),
    ("imageAttachmentId", "string"),
    ("image", "string"),
    ("reference_image", "string"),
    ("referenceImages", "array"),
    ("referenceVideos", "array"),
    ("audioDataUrl", "string"),
    ("audioDuration", "number"),
    ("audioUrl", "string"),
    ("audio", "string"),
    ("videoUrl", "string"),
    ("videoDataUrl", "string"),
    ("video", "string"),
    ("videoAttachmentId", "string"),
    ("swapImage", "string"),
    ("targetVideo", "string"),
    ("targetFaceIndex", "number"),
    ("num_frames", "number"),
    ("frames_per_second", "number"),
    ("num_inference_steps", "number"),
    ("guidance_scale", "number"),
    ("shift", "number"),
    ("interpolator_model", "string"),
    ("num_interpolated_frames", "number"),
    ("movementAmplitude", "string"),
    ("motion", "string"),
    ("style", "string"),
    ("effectType", "string"),
    ("effect", "string"),
    ("cameraMovement", "string"),
    ("motionMode", "string"),
    ("soundEffectSwitch", "boolean"),
    ("soundEffectPrompt", "string"),
    ("prompt_optimizer", "boolean"),
    ("projectId", "string"),
    ("framework", "string"),
    ("shortRequestEnhancer", "boolean"),
    ("targetLengthInWords", "number"),
    ("targetLengthInSeconds", "number"),
    ("directorNotes", "string"),
    ("aspectRatio", "string"),
    ("scriptConfig", "object"),
    ("imageConfig", "object"),
    ("videoConfig", "object"),
    ("voiceoverConfig", "object"),
    ("captionsConfig", "object"),
    ("effectsConfig", "object"),
    ("musicConfig", "object"),
    ("voice", "string"),
    ("captionsShow", "boolean"),
    ("captionsStyle", "string"),
    ("effects", "object"),
    ("quality", "string"),
    ("music", "string"),
    ("cfg_scale", "number"),
    ("showExplicitContent", "boolean"),
    ("acceleration", "boolean"),
    ("age_slider", "number"),
    ("audioEnabled", "boolean"),
    ("video_quality", "string"),
];

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A legal value of a parameter; a JSON one of the type that is documented.
fn sample(parameter: &Parameter, wanted: &str, file: bool) -> Value {
    if let Some(choice) = parameter.choices().first() {
        return choice.clone();
    }
    match parameter.kind {
        ParameterKind::Integer => parameter.range.map_or(json!(5), |range| json!(range.min)),
        ParameterKind::Number => parameter.range.map_or(json!(1.5), |range| json!(range.min)),
        ParameterKind::Boolean => json!(true),
        ParameterKind::Text => json!("some words"),
        ParameterKind::Links => json!(["https://x/1", "https://x/2"]),
        ParameterKind::Json if wanted == "object" => json!({"a": {"b": 1}}),
        ParameterKind::Json if wanted == "array" => json!([{"name": "Ada"}]),
        ParameterKind::Json => json!("high"),
        _ if file => json!("sha256:aa"),
        _ => json!("https://x/in"),
    }
}

#[tokio::test]
async fn every_documented_field_goes_out_under_its_key_with_its_json_type() {
    let offers = Catalog::built_in().unwrap().offers(&[Account::new("nanogpt", Service::Nanogpt)]);
    let server = Scripted::always(Reply::json(202, r#"{"runId":"vid_1"}"#)).await;
    let provider = account(&server.url());
    let input = Input { sha256: "aa".into(), mime: "image/png".into(), bytes: "x".into() };
    let mut cases = Cases::default();
    for (key, wanted) in DOCUMENTED {
        let writes = |p: &&Parameter| p.wire_key() == key || p.wire_data.as_deref() == Some(key);
        // The advanced one first, which is documented for any model.
        let found = offers.iter().filter(|offer| offer.model.route.is_none()).find_map(|offer| {
            let all = offer.model.advanced.iter().chain(&offer.model.parameters);
            Some((&offer.model, all.into_iter().find(writes)?))
        });
        let Some((model, parameter)) = found else {
            cases.check(key, false, "no model takes it");
            continue;
        };
        let file = parameter.wire_key() != key;
        let value = sample(parameter, wanted, file);
        let mut request = rushes::domain::Request::new(&format!("nanogpt/{}", model.id).parse().unwrap(), "p");
        request.params.insert(parameter.name.clone(), value.clone());
        let refused = request.validate(model).err().unwrap_or_default();
        cases.check(key, refused.iter().all(|problem| problem.field != parameter.name), &refused);
        let inputs = [input.clone()];
        let paid = prepare_with(&*provider, &server.url(), model, json!(request.values(model)), &inputs);
        provider.submit(paid, &Default::default(), Box::new(SharedSink::default())).await;
        let got = server.received().last().unwrap().json();
        cases.equal(key, json_type(&got[key]), wanted);
        if file {
            cases.equal(key, got[key].as_str(), Some("data:image/png;base64,eA=="));
        } else if matches!(parameter.kind, ParameterKind::Json | ParameterKind::Links | ParameterKind::Text) {
            cases.equal(key, &got[key], &value);
        }
        // The same from a text, as a table of a batch writes it.
        if matches!(parameter.kind, ParameterKind::Integer | ParameterKind::Number | ParameterKind::Boolean) {
            request.params.insert(parameter.name.clone(), value.to_string().trim_matches('"').into());
            let paid = prepare(&*provider, &server.url(), model, json!(request.values(model)));
            let again: Value = serde_json::from_slice(&paid.body).unwrap();
            cases.equal(key, &again[key], &got[key]);
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_clip_of_four_is_extended_at_the_simulator_from_the_catalogues_own_description() {
    let options = SimOptions { port: 0, speed: 1000.0, cheap_clips: true, ..SimOptions::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let base = format!("{}/nanogpt", simulator.url());
    let provider = account_with_key(Service::Nanogpt, &base, NANOGPT_KEY);
    let offers = Catalog::built_in().unwrap().offers(&[Account::new("nanogpt", Service::Nanogpt)]);
    let model = |id: &str| offers.iter().find(|offer| offer.model.id == id).unwrap().model.clone();
    let four = model("midjourney-video");
    let mut ids = Vec::new();
    for (model, mut values) in [
        (four.clone(), json!({"image": "https://example.com/still.png"})),
        (model(&four.extended_by[0]), json!({"index": 3})),
    ] {
        if let Some(run) = ids.last() {
            values["run"] = json!(run);
        }
        let mut request = rushes::domain::Request::new(&format!("nanogpt/{}", model.id).parse().unwrap(), "p");
        request.params = serde_json::from_value(values).unwrap();
        request.validate(&model).unwrap();
        let paid = prepare(&*provider, &base, &model, json!(request.values(&model)));
        let answer = provider.submit(paid, &Default::default(), Box::new(SharedSink::default())).await;
        let SubmitAnswer::Accepted(accepted) = answer else { panic!("{}: {answer:?}", model.id) };
        assert!(!ids.contains(&accepted.remote_id), "an order of its own");
        let remote_id = accepted.remote_id.clone();
        let job = RemoteJob { remote_id, model: model.id.clone(), currency: None, generation: None };
        loop {
            match provider.poll(&job, &at(&base)).await.unwrap().state {
                RemoteState::Working => tokio::time::sleep(Duration::from_millis(20)).await,
                RemoteState::Finished { links } => break assert!(!links.is_empty()),
                RemoteState::Failed { error, .. } => panic!("{error}"),
            }
        }
        ids.push(accepted.remote_id);
    }
    simulator.shutdown().await;
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
