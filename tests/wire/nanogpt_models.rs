//! NanoGPT's lists of models: where they stand, what is read of them, and what their entries get wrong.

use std::sync::Arc;

use rushes::domain::Service;
use rushes::provider::Provider;
use serde_json::json;

use super::scripted::{Reply, Scripted};
use super::support::*;

fn account(base: &str) -> Arc<dyn Provider> {
    super::support::account(Service::Nanogpt, base)
}

#[tokio::test]
async fn the_catalogue_is_read_as_far_as_it_is_clear() {
    let server = Scripted::always(Reply::json(200, include_str!("bodies/nanogpt_models.json"))).await;
    let models = account(&server.url()).discover(&at(&server.url())).await.unwrap();
    assert_eq!(server.received()[0].target, "/api/v1/video-models?detailed=true");
    let names: Vec<&str> = models.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(names, ["kling-v30-std", "veo2-video", "wan-wavespeed-25-extend", "old-shape", "bare"]);
    let price = |index: usize, values: serde_json::Value| {
        let model: &rushes::domain::Model = &models[index];
        let mut request = rushes::domain::Request::new(&format!("nanogpt/{}", model.id).parse().unwrap(), "p");
        request.params = serde_json::from_value(values).unwrap();
        (request.validate(model).map_err(|p| p[0].to_string()), request.price(model).map(|m| m.to_string()))
    };
    let kling = &models[0];
    assert_eq!((kling.name.as_str(), kling.source.as_str()), ("Kling 3.0 Standard", "discovered"));
    assert_eq!(price(0, json!({"duration": 10, "audio": false})), (Ok(()), Some("$0.84".to_owned())));
    assert_eq!(price(0, json!({})).1.as_deref(), Some("$0.63"), "the switch is on unless told otherwise");
    assert!(price(0, json!({"duration": 7})).0.is_err());
    assert!(price(0, json!({"cfg_scale": 1.5})).0.is_err());
    let wire = |index: usize, values| prepare(&*account(&server.url()), &server.url(), &models[index], values);
    let body = |index, values| serde_json::from_slice::<serde_json::Value>(&wire(index, values).body).unwrap();
    assert_eq!(body(0, json!({"duration": 10}))["duration"], "10", "the catalogue's own option, verbatim");
    assert_eq!(body(0, json!({"audio": false}))["sound"], false, "the common name, the model's own key");
    assert_eq!(body(1, json!({"duration": 6}))["duration"], "6s");
    assert_eq!(price(1, json!({"duration": 6})).1.as_deref(), Some("$4.08"));
    let extend = models[2].parameter("video").unwrap();
    assert!(extend.required && extend.wire_key() == "videoUrl", "mislabelled, but it extends");
    assert_eq!(price(3, json!({"duration": 8})), (Ok(()), None), "an opaque price is unknown");
    assert!(models[4].parameters.is_empty() && models[4].price.text() == "unknown");
    for hostile in ["<html>", "{}", r#"{"data":{}}"#] {
        let server = Scripted::always(Reply::json(200, hostile)).await;
        assert!(account(&server.url()).discover(&at(&server.url())).await.is_err(), "{hostile}");
    }
}

#[tokio::test]
async fn models_are_looked_for_under_the_older_names_of_their_list() {
    let older = r#"{"models":{"video":{
        "kling-video":{"name":"Kling","cost":0.35,"additionalParams":{"duration":{"type":"select","default":"5","options":[{"value":"5"},{"value":"10"}]}},"defaultSettings":{"duration":"5"}},
        "veo2-video-image-to-video":{"name":"Veo 2 from a picture","cost":{"per_video":2}}}}}"#;
    let mixed = r#"{"data":[
        {"id":"gpt-9","architecture":{"output_modalities":["text"]}},
        {"id":"nothing-said"},
        {"id":"by-output","architecture":{"output_modalities":["video"]}},
        {"id":"by-capability","capabilities":{"video_generation":true}},
        {"id":"by-modality","architecture":{"modality":"text+image->video"}}]}"#;
    let missing = || Reply::json(404, r#"{"error":"Not found","status":404}"#);
    let newest = include_str!("bodies/nanogpt_models.json");
    let mut cases = Cases::default();
    for (name, replies, expected) in [
        (
            "newest",
            [Reply::json(200, newest), missing(), missing()],
            "kling-v30-std,veo2-video,wan-wavespeed-25-extend,old-shape,bare",
        ),
        ("older", [missing(), Reply::json(200, older), missing()], "kling-video,veo2-video-image-to-video"),
        ("oldest", [missing(), missing(), Reply::json(200, mixed)], "by-output,by-capability,by-modality"),
        (
            "a page first",
            [Reply::new(200, "text/html", "<html>"), Reply::json(200, older), missing()],
            "kling-video,veo2-video-image-to-video",
        ),
        (
            "an empty list first",
            [Reply::json(200, r#"{"data":[]}"#), missing(), Reply::json(200, mixed)],
            "by-output,by-capability,by-modality",
        ),
        ("nowhere", [missing(), missing(), missing()], "error gone"),
        ("down", [Reply::json(503, ""), Reply::json(200, older), missing()], "error unavailable"),
        (
            "a wrong key",
            [Reply::json(401, r#"{"error":"Invalid session"}"#), Reply::json(200, older), missing()],
            "error authentication",
        ),
    ] {
        let server = Scripted::start(move |request| {
            let [newest, older, oldest] = replies.clone();
            match request.target.as_str() {
                "/api/v1/video-models?detailed=true" => newest,
                "/api/models/video" => older,
                "/api/v1/models?detailed=true" => oldest,
                other => panic!("{other}"),
            }
        })
        .await;
        let seen = match account(&server.url()).discover(&at(&server.url())).await {
            Ok(models) => models.iter().map(|m| m.id.as_str()).collect::<Vec<_>>().join(","),
            Err(error) => format!("error {}", error.kind.word()),
        };
        cases.equal(name, seen.as_str(), expected);
    }
    cases.finish();
    let server = Scripted::start(move |request| match request.target.as_str() {
        "/api/models/video" => Reply::json(200, older),
        _ => Reply::json(404, ""),
    })
    .await;
    let models = account(&server.url()).discover(&at(&server.url())).await.unwrap();
    assert_eq!(models[0].price.text(), "from $0.35; exact price unknown", "what the older cost stands for is not said");
    assert_eq!(models[0].parameter("duration").unwrap().one_of, [json!("5"), json!("10")]);
    assert!(models[1].parameter("image").unwrap().required, "by its name");
}

#[tokio::test]
async fn a_model_that_needs_an_input_says_so_whatever_its_entry_says() {
    let entry = |id: &str, text: bool, image: bool, video: bool| {
        json!({
            "id": id, "capabilities": {"text_to_video": text, "image_to_video": image, "video_to_video": video},
            "supported_parameters": {"parameters": {"referenceImages": {"type": "array", "maxItems": 7}}},
        })
    };
    let mut cases = Cases::default();
    for (model, needed) in [
        (entry("veo2", true, true, false), ""),
        (entry("only-pictures", false, true, false), "image"),
        (entry("xai/grok/image-to-video", true, true, false), "image"),
        (entry("wan-2.7-i2v", true, true, false), "image"),
        (entry("pixverse/text-to-video-image-to-video", true, true, false), ""),
        (entry("wan-wavespeed-25-extend", true, false, false), "video"),
        (entry("grok-imagine-video-edit", true, true, false), "video"),
        (entry("kling-lipsync-t2v", true, false, false), "video"),
        (entry("kling-lipsync-a2v", true, false, false), "audio,video"),
        (entry("video-upscaler", true, false, true), "video"),
        (entry("kling-v2-avatar-pro", true, true, false), "audio,image"),
        (entry("kling-v26-std-motion-control", true, true, true), "image,video"),
        (entry("magicapi-video-face-swap", true, false, true), "swapImage,targetVideo"),
        (entry("grok-imagine-video-reference-to-video", true, true, false), "referenceImages"),
        (entry("kling-video-o1", true, true, true), ""),
        (
            json!({"id": "says-so", "capabilities": {"text_to_video": true, "image_to_video": true},
            "supported_parameters": {"parameters": {"imageUrl": {"type": "text", "required": true}}}}),
            "image",
        ),
    ] {
        let body = json!({"data": [model]}).to_string();
        let server = Scripted::always(Reply::json(200, &body)).await;
        let found = account(&server.url()).discover(&at(&server.url())).await.unwrap().remove(0);
        let mut required: Vec<&str> = found.parameters.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
        required.sort_unstable();
        cases.equal(&found.id, required.join(",").as_str(), needed);
        let bare = rushes::domain::Request::new(&format!("nanogpt/{}", found.id).parse().unwrap(), "p");
        cases.equal(&found.id, bare.validate(&found).is_err(), !needed.is_empty());
    }
    cases.finish();
}

#[tokio::test]
async fn a_listed_mode_needs_the_input_it_works_on() {
    let listed = json!({"data": [{
        "id": "bytedance/seedance-2.5",
        "capabilities": {"text_to_video": true, "image_to_video": true, "video_to_video": true},
        "supported_parameters": {"parameters": {
            "mode": {"type": "select", "default": "auto", "options": ["auto", "image-to-video", "video-edit", "reference-to-video"]},
            "reference_images": {"type": "text"},
        }},
    }]});
    let server = Scripted::always(Reply::json(200, &listed.to_string())).await;
    let found = account(&server.url()).discover(&at(&server.url())).await.unwrap().remove(0);
    let mut request = rushes::domain::Request::new(&"nanogpt/bytedance/seedance-2.5".parse().unwrap(), "p");
    for (mode, input) in
        [("image-to-video", "image"), ("video-edit", "video"), ("reference-to-video", "reference_images")]
    {
        request.params = [("mode".to_owned(), json!(mode))].into();
        let problems = request.validate(&found).unwrap_err();
        assert_eq!((problems[0].field.as_str(), problems[0].rule.as_str()), (input, "input_required"));
        request.params.insert(input.to_owned(), json!("https://x/a"));
        assert_eq!(request.validate(&found), Ok(()), "{mode}");
    }
    request.params = [("mode".to_owned(), json!("auto"))].into();
    assert_eq!(request.validate(&found), Ok(()));
}
