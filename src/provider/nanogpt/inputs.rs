//! What goes into a model beside its prompt, told from its entry in the catalogue and, where that is
//! known to be wrong, from its name (wire.md 1.8, 1.9).
//!
//! Knows the keys for pictures, clips and sound, and which of them an order must carry. Must not know
//! prices, nor the entry's other parameters.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::model::{Parameter, ParameterKind, Send};
use crate::domain::rule::{Check, Rule, number};
use crate::domain::text::clean;

/// Largest file as a data URL: the edge takes bodies of 4.5 MB (wire.md 1.8), in bytes.
const FILE_MAX: u64 = 3_200_000;
/// Names of models that work on a clip, whatever their entry says of text (wire.md 1.9).
const ON_A_CLIP: [&str; 9] = [
    "extend",
    "edit",
    "lipsync",
    "lip-sync",
    "upscale",
    "face-swap",
    "video-to-video",
    "background-removal",
    "motion-control",
];
/// Names of models that start from a picture: without one in the order, the service would take one
/// from the user's own library (seed 003, `imageUrl`), so an order without is refused here.
const FROM_A_PICTURE: [&str; 5] = ["image-to-video", "-i2v", "/i2v", "avatar", "motion-control"];
/// Names of models that are driven by a sound.
const BY_SOUND: [&str; 4] = ["a2v", "avatar", "audio-to-video", "speech-to-video"];

/// The medium that a lower-case key names, if it is one of the keys rushes writes itself.
pub(super) fn medium(key: &str) -> Option<&'static str> {
    let tails = ["", "url", "dataurl", "attachmentid", "_url", "_data_url"];
    ["image", "video", "audio"].into_iter().find(|m| tails.iter().any(|tail| key.strip_prefix(m) == Some(tail)))
}

/// A parameter of the entry that takes a link or a list of links, told from its key; `None` for any
/// other.
pub(super) fn named(wire: &str, word: &str, spec: &Value) -> Option<Parameter> {
    let (name, kind) = match wire {
        "image_tail" | "last_image" | "end_image" => ("end_image", ParameterKind::Image),
        "swapImage" | "reference_image" => (wire, ParameterKind::Image),
        "targetVideo" => (wire, ParameterKind::Video),
        "referenceImages" | "reference_images" | "reference_image_urls" => (wire, ParameterKind::Links),
        "referenceVideos" | "reference_videos" | "reference_video_urls" => (wire, ParameterKind::Links),
        _ => return None,
    };
    let most = ["maxItems", "max_items", "max"].iter().find_map(|key| spec.get(*key)).and_then(number);
    let most = most.and_then(|n| n.to_string().parse().ok()).filter(|_| kind == ParameterKind::Links);
    // Typed as text, the list goes into it (wire.md 6, `reference_images`).
    let as_text = kind == ParameterKind::Links && matches!(word, "text" | "string");
    Some(Parameter {
        wire: Some(wire.to_owned()),
        required: spec.get("required") == Some(&Value::Bool(true)),
        send: if as_text { Send::JsonText } else { Send::Plain },
        max_items: most,
        note: spec.get("description").and_then(Value::as_str).map(|t| clean(t, 80)).filter(|t| !t.is_empty()),
        ..Parameter::new(name, kind)
    })
}

/// Adds picture, clip and sound as the entry's capabilities offer them, each required where the
/// model can do nothing without.
pub(super) fn add(entry: &Value, id: &str, all: &mut Vec<Parameter>) {
    let id = id.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| id.contains(name));
    let can = |name: &str| entry.pointer(&format!("/capabilities/{name}")) == Some(&Value::Bool(true));
    let input = |name: &str| {
        let inputs = entry.pointer("/architecture/input_modalities").and_then(Value::as_array);
        inputs.is_some_and(|inputs| inputs.iter().any(|input| input == name))
    };
    // The entry's own word on a key that is written here.
    let demanded = |wanted: &str| {
        let described = entry.pointer("/supported_parameters/parameters").and_then(Value::as_object);
        described.is_some_and(|described| {
            let own = described.iter().filter(|(key, _)| medium(&key.to_ascii_lowercase()) == Some(wanted));
            own.into_iter().any(|(_, spec)| spec.get("required") == Some(&Value::Bool(true)))
        })
    };
    let swaps = is(&["face-swap", "faceswap"]);
    if swaps {
        for (name, kind) in [("swapImage", ParameterKind::Image), ("targetVideo", ParameterKind::Video)] {
            match all.iter_mut().find(|p| p.wire_key() == name) {
                Some(own) => own.required = true,
                None => all.push(Parameter { required: true, ..Parameter::new(name, kind) }),
            }
        }
        return;
    }
    let on_a_clip = is(&ON_A_CLIP);
    let from_a_picture = is(&FROM_A_PICTURE) && !is(&["text-to-video"]);
    let by_references = is(&["reference-to-video", "-r2v"]);
    if by_references {
        let lists = || all.iter().filter(|p| p.kind == ParameterKind::Links).count();
        if lists() == 1 {
            all.iter_mut().filter(|p| p.kind == ParameterKind::Links).for_each(|p| p.required = true);
        }
    }
    let text = can("text_to_video") && !on_a_clip && !from_a_picture;
    let (picture, clip) = (can("image_to_video") || input("image"), can("video_to_video") || input("video"));
    if picture || from_a_picture || demanded("image") {
        let lone = !text && !clip && !on_a_clip && !by_references;
        let required = from_a_picture || lone || demanded("image");
        all.push(file("image", ParameterKind::Image, "imageUrl", "imageDataUrl", required));
    }
    if clip || on_a_clip || demanded("video") {
        // What takes a clip and no still works on that clip, whatever it says of text.
        let required = on_a_clip || demanded("video") || !(picture || by_references);
        all.push(file("video", ParameterKind::Video, "videoUrl", "videoDataUrl", required));
    }
    if can("audio_input") || input("audio") || is(&BY_SOUND) || demanded("audio") {
        let required = is(&BY_SOUND) || demanded("audio");
        all.push(file("audio", ParameterKind::Audio, "audioUrl", "audioDataUrl", required));
    }
}

/// What a choice of `mode` makes needed: the service would make, and bill, something else without it.
pub(super) fn by_mode(parameters: &[Parameter]) -> Vec<Rule> {
    let Some(mode) = parameters.iter().find(|p| p.name == "mode") else { return Vec::new() };
    let own = |name: &str| parameters.iter().any(|p| p.name == name).then(|| name.to_owned());
    let lists: Vec<&Parameter> = parameters.iter().filter(|p| p.kind == ParameterKind::Links).collect();
    let needs = |word: &str| match word.replace('_', "-").as_str() {
        "image-to-video" => own("image"),
        "video-edit" | "video-to-video" => own("video"),
        "reference-to-video" => {
            if let [only] = lists.as_slice() {
                Some(only.name.clone())
            } else {
                None
            }
        }
        _ => None,
    };
    let rule = |value: &Value| {
        let when = BTreeMap::from([(mode.name.clone(), vec![value.clone()])]);
        Some(Rule { field: needs(value.as_str()?)?, check: Check::InputRequired(true), when, source: None })
    };
    mode.one_of.iter().filter_map(rule).collect()
}

fn file(name: &str, kind: ParameterKind, url: &str, data: &str, required: bool) -> Parameter {
    Parameter {
        wire: Some(url.to_owned()),
        required,
        wire_data: Some(data.to_owned()),
        max_bytes: Some(FILE_MAX),
        ..Parameter::new(name, kind)
    }
}
