//! The media a body carries: pictures, videos and sound under all their keys (seed 003, wire.md
//! 1.8, 6), and whether they suit a model. Knows no price.

use crate::sim::nanogpt::models::{Input, Model};
use crate::sim::nanogpt::refusals::Refusal;
use base64::Engine;
use serde_json::Value;

/// Most seconds of a source video of an extend model (seed 003).
const EXTENDED: f64 = 120.0;

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    pub image: bool,
    /// The image is one from the user's library that nobody named (switch `library`).
    pub from_library: bool,
    pub video: bool,
    pub audio: bool,
    pub references: usize,
    pub reference_videos: usize,
    pub swap: bool,
    pub target: bool,
}

/// A field's text, if there is any.
fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body[key].as_str().filter(|text| !text.trim().is_empty())
}

/// A data URL of that kind whose base64 can be read.
fn inline(url: &str, kind: &str) -> bool {
    let data = url.strip_prefix(&format!("data:{kind}/")).and_then(|rest| rest.split_once(";base64,"));
    data.is_some_and(|(_, data)| base64::engine::general_purpose::STANDARD.decode(data).is_ok())
}

/// "Public HTTPS" (seed 002, 003).
fn link(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.scheme() == "https" && url.host().is_some())
}

/// The last frame's keys (wire.md 1.3).
const LAST: [&str; 3] = ["last_image", "image_tail", "end_image"];

impl Media {
    /// Reads what a body carries for a model, or the first that cannot be used.
    pub fn read(body: &Value, model: &Model) -> Result<Self, Refusal> {
        let mut media = Self::default();
        // `image_data_url` and `image` are aliases that are normalised (wire.md 1.3); `image` and
        // `audio` are links as well (seed 003).
        for (key, kind, data, link_too) in [
            ("imageDataUrl", "image", true, false),
            ("image_data_url", "image", true, false),
            ("image", "image", true, true),
            ("imageUrl", "image", false, true),
            ("videoDataUrl", "video", true, false),
            ("videoUrl", "video", false, true),
            ("video", "video", false, true),
            ("audioDataUrl", "audio", true, false),
            ("audioUrl", "audio", false, true),
            ("audio", "audio", true, true),
        ] {
            let Some(value) = text(body, key) else { continue };
            if key == "video" && !model.video_key {
                // Only some models know this key (seed 003): an unknown key, ignored.
                continue;
            }
            if !(data && inline(value, kind) || link_too && link(value)) {
                let say = match (data, link_too) {
                    (true, false) => format!("Invalid {kind} data URL"),
                    (false, _) => format!("{key} must be a public HTTPS URL"),
                    (true, true) => format!("{key} must be a public HTTPS URL or a base64 data URL"),
                };
                return Err(Refusal { param: Some(key.to_owned()), ..Refusal::plain(400, &say) });
            }
            match kind {
                "image" => media.image = true,
                "video" => media.video = true,
                _ => media.audio = true,
            }
        }
        media.image |= text(body, "imageAttachmentId").is_some();
        media.video |= text(body, "videoAttachmentId").is_some();
        for (key, kind) in LAST.map(|key| (key, "image")).into_iter().chain([
            ("reference_image", "image"),
            ("swapImage", "image"),
            ("targetVideo", "video"),
        ]) {
            let Some(value) = text(body, key) else { continue };
            if !(inline(value, kind) || link(value)) {
                let say = format!("{key} must be a public HTTPS URL or a base64 data URL");
                return Err(Refusal { param: Some(key.to_owned()), ..Refusal::plain(400, &say) });
            }
        }
        media.swap = text(body, "swapImage").is_some();
        media.target = text(body, "targetVideo").is_some();
        let listed = listed(body, "reference_images")?.max(listed(body, "reference_image_urls")?);
        let camel = body["referenceImages"].as_array().map_or(0, Vec::len);
        media.references = listed.max(camel).max(usize::from(text(body, "reference_image").is_some()));
        media.reference_videos = body["referenceVideos"].as_array().map_or(0, Vec::len);
        Ok(media)
    }

    /// Whether it is what a model needs, and nothing it stumbles over: "extra media inputs often
    /// trigger validation errors" (seed 003). `stocked`: an empty place is filled from the library.
    pub fn suit(&mut self, body: &Value, model: &Model, stocked: bool) -> Result<(), Refusal> {
        let name = &model.name;
        if model.needs(Input::Image) && !self.image {
            if !stocked {
                // Word for word (seed 002).
                let say = format!("{name} requires an input image. Please select an image to generate a video.");
                return Err(Refusal { param: Some("imageUrl".to_owned()), ..Refusal::plain(400, &say) });
            }
            self.image = true;
            self.from_library = true;
        }
        let missing = [
            (Input::Video, self.video, "videoUrl", "a source video"),
            (Input::Audio, self.audio, "audioUrl", "an audio input"),
            (Input::Swap, self.swap, "swapImage", "a swap image"),
            (Input::Target, self.target, "targetVideo", "a target video"),
        ];
        for (input, there, key, what) in missing {
            if model.needs(input) && !there {
                let say = format!("{name} requires {what}.");
                return Err(Refusal { param: Some(key.to_owned()), ..Refusal::plain(400, &say) });
            }
        }
        if model.needs(Input::Voice) && text(body, "voice_id").is_none() {
            return Err(Refusal { param: Some("voice_id".to_owned()), ..Refusal::plain(400, "voice_id is required") });
        }
        let surplus = [
            (Input::Image, self.image, "image"),
            (Input::Video, self.video, "video"),
            (Input::Audio, self.audio, "audio"),
            (Input::Target, self.swap || self.target, "face swap"),
        ];
        for (input, there, what) in surplus {
            if there && !model.accepts(input) {
                let say = format!("{name} does not support {what} input.");
                return Err(Refusal { code: "unsupported_input_modality", ..Refusal::plain(400, &say) });
            }
        }
        self.lasts(body, model)
    }

    /// A source's length, where the body tells it and the documents limit it.
    fn lasts(&self, body: &Value, model: &Model) -> Result<(), Refusal> {
        let told = body["videoDuration"].as_f64();
        // Lipsync wants two seconds at least (wire.md 1.10).
        let least = model.source.map_or(0, |[least, _]| least);
        if least > 1 && told.is_some_and(|told| told < f64::from(least)) {
            let say = format!("Source video is too short. At least {least} seconds are needed.");
            return Err(Refusal { param: Some("videoDuration".to_owned()), ..Refusal::plain(400, &say) });
        }
        let most = model.source.map(|[_, most]| f64::from(most));
        let most = most.or((self.video && model.needs(Input::Video)).then_some(EXTENDED));
        match (told, most) {
            (Some(told), Some(most)) if told > most => {
                let say = format!("Source video is too long. Max source video length: {most} seconds.");
                Err(Refusal { param: Some("videoDuration".to_owned()), ..Refusal::plain(400, &say) })
            }
            _ => Ok(()),
        }
    }
}

/// References in the catalogue's keys: links only, a JSON array inside a text (wire.md 6).
fn listed(body: &Value, key: &str) -> Result<usize, Refusal> {
    let refused = |say: &str| Err(Refusal { param: Some(key.to_owned()), ..Refusal::plain(400, say) });
    let list = match &body[key] {
        Value::String(text) if text.trim().is_empty() => return Ok(0),
        Value::String(text) => serde_json::from_str::<Value>(text).unwrap_or_default(),
        list @ Value::Array(_) => list.clone(),
        _ => return Ok(0),
    };
    let Some(list) = list.as_array() else {
        return refused(&format!("{key} must be a JSON array of image URLs"));
    };
    if !list.iter().all(|item| item.as_str().is_some_and(link)) {
        return refused(&format!("{key} must be public URLs"));
    }
    Ok(list.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::nanogpt::models::model;
    use serde_json::json;

    fn said(id: &str, body: Value) -> String {
        let model = model(id, false).unwrap();
        let read = Media::read(&body, model).and_then(|mut media| media.suit(&body, model, false));
        read.err().map(|refusal| refusal.say).unwrap_or_default()
    }

    const LINK: &str = "https://example.com/a";

    #[test]
    fn each_model_asks_for_what_it_needs() {
        for (id, body, wanted) in [
            ("kling-v21-standard", json!({}), "Kling 2.1 Standard requires an input image."),
            ("veo3-1-extend", json!({"video": LINK}), "Veo 3.1 Extend requires a source video."),
            ("kling-lipsync-a2v", json!({"videoUrl": LINK}), "requires an audio input."),
            ("kling-lipsync-t2v", json!({"videoUrl": LINK}), "voice_id is required"),
            ("magicapi-video-face-swap", json!({"targetVideo": LINK}), "requires a swap image."),
            ("magicapi-video-face-swap", json!({"swapImage": LINK}), "requires a target video."),
            ("kling-v26-std-motion-control", json!({"imageUrl": LINK}), "requires a source video."),
            ("hunyuan-video", json!({"imageUrl": LINK}), "does not support image input."),
            ("veo2-video", json!({"audioUrl": LINK}), "does not support audio input."),
            ("veo2-video", json!({"videoUrl": LINK}), "does not support video input."),
            ("veo3-1-extend", json!({"videoUrl": LINK, "videoDuration": 121}), "Max source video length: 120"),
            ("magicapi-video-face-swap", json!({"swapImage": LINK, "targetVideo": LINK, "videoDuration": 241}), "240"),
            ("kling-lipsync-a2v", json!({"videoUrl": LINK, "audioUrl": LINK, "videoDuration": 1.9}), "too short"),
            ("kling-lipsync-a2v", json!({"videoUrl": LINK, "audioUrl": LINK, "videoDuration": 10.1}), "too long"),
        ] {
            let said = said(id, body.clone());
            assert!(said.contains(wanted), "{id} {body}: {said}");
        }
        assert_eq!(
            said("wan-wavespeed-25-extend", json!({"video": LINK, "prompt": "a"})),
            "",
            "one that knows the key"
        );
        assert_eq!(said("kling-v2-avatar-pro", json!({"imageUrl": LINK, "audio": LINK})), "");
        assert_eq!(said("kling-lipsync-t2v", json!({"videoUrl": LINK, "voice_id": "a"})), "");
    }

    #[test]
    fn links_and_data_urls_are_what_they_say() {
        for (key, value, good) in [
            ("imageUrl", "http://example.com/a", false),
            ("imageUrl", "data:image/png;base64,AAAA", false),
            ("imageDataUrl", LINK, false),
            ("imageDataUrl", "/9j/4AAQ", false),
            ("imageDataUrl", "data:image/png;base64,*", false),
            ("imageDataUrl", "data:image/png;base64,AAAA", true),
            ("image_data_url", "data:image/webp;base64,AAAA", true),
            ("image", LINK, true),
            ("image", "data:image/png;base64,AAAA", true),
            ("last_image", "ftp://x/y", false),
            ("reference_images", "[\"data:image/png;base64,AAAA\"]", false),
            ("reference_images", "https://example.com/a", false),
            ("reference_images", "[\"https://example.com/a\",\"https://example.com/b\"]", true),
        ] {
            assert_eq!(said("minimax-h3", json!({key: value})).is_empty(), good, "{key} {value}");
        }
    }
}
