//! NanoGPT's orders (seeds 002, 003; wire.md 1.3): every field, every form of the reply.

use rushes::domain::model::Send;
use rushes::domain::{ModelRef, Parameter, ParameterKind, Request, Service};
use rushes::provider::{Input, Order, SubmitAnswer, Trace};
use serde_json::{Value, json};

use super::stage::{At, Stage};
use crate::wire::orders;
use crate::wire::support::{OURS, SharedSink};

/// The fields of seed 003's tables and Body part with a value of the documented type as it must arrive. Which model
/// takes it is looked up by wire key: one of a model's own, else an advanced one.
fn fields() -> Vec<(&'static str, Value)> {
    let link = |kind: &str| json!(format!("https://example.com/x.{kind}"));
    vec![
        ("negative_prompt", json!("blur")),
        ("script", json!("A scene. Another scene.")),
        ("storyConfig", json!({"scenes": []})),
        ("animation", json!(true)),
        ("language", json!("en")),
        ("characters", json!([{"name": "Ada"}])),
        ("duration", json!("5")),
        ("seconds", json!("8")),
        ("aspect_ratio", json!("9:16")),
        ("orientation", json!("portrait")),
        ("resolution", json!("720p")),
        ("size", json!("1280x720")),
        ("mode", json!("text-to-video")),
        ("generateAudio", json!(true)),
        ("enhancePrompt", json!(true)),
        ("pro_mode", json!(true)),
        ("pro", json!(true)),
        ("enable_prompt_expansion", json!(true)),
        ("enable_safety_checker", json!(true)),
        ("camera_fix", json!(true)),
        ("camera_fixed", json!(true)),
        ("cameraFixed", json!(true)),
        ("seed", json!(7)),
        ("voiceId", json!("v1")),
        ("voice_id", json!("v2")),
        ("voice_language", json!("zh")),
        ("voice_speed", json!(1.5)),
        ("videoDuration", json!(12)),
        ("billedDuration", json!(12)),
        ("adjust_fps_for_interpolation", json!(true)),
        ("imageUrl", link("png")),
        ("imageAttachmentId", json!("att_1")),
        ("image", link("png")),
        ("reference_image", link("png")),
        ("referenceImages", json!(["https://example.com/1.png", "https://example.com/2.png"])),
        ("referenceVideos", json!(["https://example.com/1.mp4"])),
        ("audioUrl", link("mp3")),
        ("audioDuration", json!(4)),
        ("audio", link("mp3")),
        ("videoUrl", link("mp4")),
        ("video", link("mp4")),
        ("videoAttachmentId", json!("att_2")),
        ("swapImage", link("png")),
        ("targetVideo", link("mp4")),
        ("targetFaceIndex", json!(1)),
        ("num_frames", json!(97)),
        ("frames_per_second", json!(16)),
        ("num_inference_steps", json!(20)),
        ("guidance_scale", json!(5.5)),
        ("shift", json!(3)),
        ("interpolator_model", json!("film")),
        ("num_interpolated_frames", json!(1)),
        ("movementAmplitude", json!("small")),
        ("motion", json!("low")),
        ("style", json!("anime")),
        ("effectType", json!("x")),
        ("effect", json!("x")),
        ("cameraMovement", json!("zoom_in")),
        ("motionMode", json!("fast")),
        ("soundEffectSwitch", json!(true)),
        ("soundEffectPrompt", json!("rain")),
        ("prompt_optimizer", json!(true)),
        ("framework", json!("tutorial")),
        ("targetLengthInWords", json!(60)),
        ("targetLengthInSeconds", json!(30)),
        ("aspectRatio", json!("9:16")),
        ("scriptConfig", json!({"style": "default"})),
        ("imageConfig", json!({"model": "flux_schnell"})),
        ("videoConfig", json!({"enabled": true})),
        ("voiceoverConfig", json!({"enabled": true, "voiceId": "x"})),
        ("captionsConfig", json!({"captionsEnabled": true})),
        ("effectsConfig", json!({"transition": "fade"})),
        ("musicConfig", json!({"enabled": false})),
        ("captionsStyle", json!("neon")),
        ("quality", json!("high")),
        ("music", json!("video-creation/music/dramatic_cinematic_score.mp3")),
        ("cfg_scale", json!(0.5)),
        ("showExplicitContent", json!(false)),
        ("acceleration", json!(true)),
        ("projectId", json!("p1")),
        ("shortRequestEnhancer", json!(true)),
        ("directorNotes", json!("warm, cozy lighting")),
        ("voice", json!("pNInz6obpgDQGcFmaJgB")),
        ("captionsShow", json!(true)),
        ("effects", json!({"transition": "fade"})),
        ("age_slider", json!(30)),
        ("audioEnabled", json!(true)),
        ("video_quality", json!("High")),
        ("aspect", json!("Portrait")),
    ]
}

/// What a user writes for a parameter so that the wire's value comes out.
fn given(parameter: &Parameter, wire: &Value) -> Value {
    if let Some((name, _)) = parameter.map.iter().find(|(_, mapped)| *mapped == wire) {
        return json!(name);
    }
    match (parameter.kind, wire.as_str().and_then(|text| text.parse::<u64>().ok())) {
        (ParameterKind::Integer | ParameterKind::Number, Some(number)) => json!(number),
        _ => wire.clone(),
    }
}

/// A model and the name under which it takes a wire key.
fn taker<'a>(at: &'a At, wire: &str, value: &Value) -> (&'a rushes::domain::Model, &'a Parameter) {
    let usual = |model: &&rushes::domain::Model| model.route.is_none();
    let fits = |model: &rushes::domain::Model, p: &Parameter| {
        let mut request = base(model);
        request.params.insert(p.name.clone(), given(p, value));
        p.send != Send::Seconds && request.validate(model).is_ok()
    };
    let own = at.models.iter().filter(usual).find_map(|model| {
        let parameter = model.parameters.iter().find(|p| p.wire_key() == wire && fits(model, p))?;
        Some((model, parameter))
    });
    own.unwrap_or_else(|| {
        let advanced = |model: &'a rushes::domain::Model| {
            Some((model, model.advanced.iter().find(|p| p.wire_key() == wire && fits(model, p))?))
        };
        let found = at.models.iter().filter(usual).find_map(advanced);
        found.unwrap_or_else(|| panic!("nothing takes {wire}"))
    })
}

/// A request of a model with only what it needs.
fn base(model: &rushes::domain::Model) -> Request {
    let name = ModelRef { account: "nanogpt".into(), model: model.id.clone() };
    let mut rng = fastrand::Rng::with_seed(1);
    let mut request = Request::new(&name, "a misty valley");
    for parameter in model.parameters.iter().filter(|p| p.required && p.default.is_none()) {
        request.params.extend(orders::value(parameter, &mut rng).map(|value| (parameter.name.clone(), value)));
    }
    request
}

pub async fn sends_every_field(stage: &Stage) {
    let at = stage.account(Service::Nanogpt, "nanogpt", "sk-nano-rich-00000000-0000-4000-8000-0000").await;
    for (wire, value) in fields() {
        let (model, parameter) = taker(&at, wire, &value);
        let mut request = base(model);
        request.params.insert(parameter.name.clone(), given(parameter, &value));
        request.validate(model).unwrap_or_else(|problems| panic!("{wire} at {}: {problems:?}", model.id));
        let values = request.values(model);
        let order = Order { model, prompt: &request.prompt, values: &values, inputs: &[], correlation: OURS };
        let paid = at.provider.prepare(&order, &at.profile).unwrap_or_else(|p| panic!("{wire}: {p:?}"));
        let answer = at.provider.submit(paid, &Trace::default(), Box::new(SharedSink::default())).await;
        assert!(matches!(answer, SubmitAnswer::Accepted(_)), "{wire} at {}: {answer:?}", model.id);
        let sent = &stage.order().await["params"];
        assert_eq!(sent[wire], value, "{wire} at {}: {sent}", model.id);
        assert_eq!(sent["conversationUUID"], OURS);
        assert_eq!(sent["model"], model.id.as_str());
        stage.saw(&format!("field {wire}"));
    }
    stage.saw("field conversationUUID");
    stage.saw("field model");
    stage.saw("field prompt");
}

pub async fn sends_files_as_data_urls(stage: &Stage) {
    let at = stage.account(Service::Nanogpt, "nanogpt", "sk-nano-rich-00000000-0000-4000-8000-0000").await;
    for (wire, wire_data, mime) in [
        ("imageUrl", "imageDataUrl", "image/png"),
        ("videoUrl", "videoDataUrl", "video/mp4"),
        ("audioUrl", "audioDataUrl", "audio/mpeg"),
    ] {
        let (model, parameter) = taker(&at, wire, &json!("https://example.com/x"));
        let mut request = base(model);
        request.params.insert(parameter.name.clone(), json!("sha256:aa"));
        let inputs = [Input { sha256: "aa".into(), mime: mime.into(), bytes: (&b"abc"[..]).into() }];
        let values = request.values(model);
        let order = Order { model, prompt: &request.prompt, values: &values, inputs: &inputs, correlation: OURS };
        let paid = at.provider.prepare(&order, &at.profile).unwrap();
        let answer = at.provider.submit(paid, &Trace::default(), Box::new(SharedSink::default())).await;
        assert!(matches!(answer, SubmitAnswer::Accepted(_)), "{wire_data} at {}: {answer:?}", model.id);
        let sent = stage.order().await["params"][wire_data].as_str().unwrap().to_owned();
        assert_eq!(sent, format!("data:{mime};base64,YWJj"));
        stage.saw(&format!("field {wire_data}"));
    }
}

pub async fn reads_every_form_of_the_reply(stage: &Stage) {
    let at = stage.nanogpt().await;
    let params = json!({"duration": 5});
    for (name, value, item) in [
        ("submit_id", "both", "answer runId and id"),
        ("submit_id", "run_id", "answer runId alone"),
        ("submit_id", "old", "answer runId of the older form, fal-request-..."),
        ("submit_id", "data", "answer data.runId"),
        ("submit_status", "200", "answer 200 instead of 202"),
        ("submit_cost", "absent", "answer without cost"),
        ("submit_cost", "headers", "answer x-cost header"),
    ] {
        stage.variant("nanogpt", name, value).await;
        let (accepted, job) = at.accepted("veo2-video", "an eagle", params.clone()).await;
        assert_eq!(stage.order().await["id"], accepted.remote_id.as_str(), "{item}");
        match value {
            "absent" => assert_eq!(accepted.cost, None, "unknown is not zero"),
            _ => assert_eq!(accepted.cost.unwrap().to_string(), "$3.40", "{item}"),
        }
        if value == "old" {
            assert!(accepted.remote_id.starts_with("fal-request-"));
            at.finish(&job).await;
        }
        stage.saw(item);
        let usual = if name == "submit_status" {
            "202"
        } else if name == "submit_id" {
            "both"
        } else {
            "told"
        };
        stage.variant("nanogpt", name, usual).await;
    }
    let (accepted, _) = at.accepted("veo2-video", "an eagle", params).await;
    assert_eq!(accepted.phase.as_deref(), Some("pending"));
    stage.saw("status pending");
    assert!(accepted.balance.is_some());
    stage.saw("answer remainingBalance");
    assert_eq!(stage.order().await["x_request_id"], accepted.request_id.unwrap().as_str());
    stage.saw("header X-Request-ID");
}

pub async fn pays_in_nano(stage: &Stage) {
    let at = stage.account(Service::Nanogpt, "nanogpt", "sk-nano-xno-00000000-0000-4000-8000-00000000").await;
    let (accepted, job) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
    assert_eq!(accepted.cost.unwrap().currency, rushes::domain::Currency::Xno);
    stage.saw("answer paymentSource XNO");
    let (status, _) = at.finish(&job).await;
    assert_eq!(status.cost.unwrap(), accepted.cost.unwrap());
    stage.saw("answer data.cost in the order's currency");
}

pub async fn extends_a_finished_run(stage: &Stage) {
    let at = stage.nanogpt().await;
    let (_, job) = at.accepted("midjourney-video", "an eagle", json!({"image": "https://example.com/x.png"})).await;
    let (status, _) = at.finish(&job).await;
    assert_eq!(at.clips(&status).await.len(), 4);
    stage.saw("answer data.output.video as a list");
    let extending = at.model("midjourney-video").extended_by[0].clone();
    let model = at.model(&extending);
    assert_eq!(model.route.as_deref(), Some("extend"));
    let run = model.parameters.iter().find(|p| p.wire_key() == "runId").unwrap().name.clone();
    let (_, longer) = at.accepted(&extending, "", json!({run: job.remote_id, "index": 2})).await;
    let sent = &stage.order().await["params"];
    assert_eq!(
        (&sent["runId"], &sent["taskId"], &sent["index"]),
        (&json!(job.remote_id), &json!(job.remote_id), &json!(2))
    );
    assert_eq!(sent.get("model"), None, "{sent}");
    for item in ["field runId", "field taskId", "field index", "answer success, taskId, message, eta"] {
        stage.saw(item);
    }
    let (status, _) = at.finish(&longer).await;
    assert!(!at.clips(&status).await.is_empty());
    stage.saw("an extended run, finished");
    let video = json!({"video": "https://example.com/x.mp4"});
    at.accepted("veo3-1-extend", "it flies on", video).await;
    assert_eq!(stage.order().await["params"]["videoUrl"], "https://example.com/x.mp4");
    stage.saw("a source video, extended through the usual route");
}

pub async fn never_takes_an_image_from_the_library(stage: &Stage) {
    stage.variant("nanogpt", "library", "stocked").await;
    let at = stage.nanogpt().await;
    let model = at.model("kling-v21-standard");
    let request = Request::new(&ModelRef { account: "nanogpt".into(), model: model.id.clone() }, "she waves");
    let problems = request.validate(model).unwrap_err();
    assert!(
        problems.iter().any(|p| (p.field.as_str(), p.rule.as_str()) == ("image", "input_required")),
        "{problems:?}"
    );
    at.accepted("kling-v21-standard", "she waves", json!({"image": "https://example.com/x.png"})).await;
    assert_eq!(stage.order().await["params"]["imageUrl"], "https://example.com/x.png");
    stage.saw("an image model without an image is refused before it is sent");
}
