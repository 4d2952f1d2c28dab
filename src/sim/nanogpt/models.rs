//! What NanoGPT offers: `models.toml`, read once. Knows what a model needs and advertises, not what
//! an order pays (`bill.rs`) or what is made of it (`making.rs`).

use crate::sim::nanogpt::pricing::Pricing;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What an order can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    Text,
    Image,
    /// The last frame.
    Last,
    References,
    Video,
    ReferenceVideos,
    Audio,
    /// `voice_id` (seed 003).
    Voice,
    /// A prompt, a script or a storyConfig (seed 003).
    Story,
    /// `swapImage` (seed 003).
    Swap,
    /// `targetVideo` (seed 003).
    Target,
}

/// What decides how long a clip is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    #[default]
    Duration,
    /// `seconds` instead of `duration` (Sora, seed 003).
    Seconds,
    /// `num_frames` by `frames_per_second`.
    Frames,
    /// The audio that is given.
    Audio,
    /// The video that is given.
    Source,
    /// LongStories' target lengths.
    Story,
}

/// One model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub id: String,
    /// Later or earlier ids of the same model.
    #[serde(default)]
    pub also: Vec<String>,
    pub name: String,
    #[serde(default = "text")]
    pub needs: Vec<Input>,
    #[serde(default)]
    pub takes: Vec<Input>,
    /// Longest prompt in UTF-16 units (wire.md 1.6, 6).
    #[serde(default = "long_prompt")]
    pub prompt: usize,
    #[serde(default)]
    pub length: Length,
    /// Seconds, whatever is asked.
    pub fixed: Option<u32>,
    /// Least and most seconds of a source video.
    pub source: Option<[u32; 2]>,
    /// The key that carries the resolution.
    #[serde(default = "resolution")]
    pub resolution: String,
    /// The key that carries the mode.
    #[serde(default = "mode")]
    pub mode: String,
    /// The resolution that costs `high_resolution_per_second`.
    pub high: Option<String>,
    /// Clips an order gives.
    #[serde(default = "one")]
    pub clips: usize,
    pub params: toml::Table,
    pub price: toml::Table,
    pub listed: Option<toml::Table>,
    #[serde(default)]
    pub unlisted: HashMap<String, rust_decimal::Decimal>,
    #[serde(default)]
    pub own: bool,
    /// Advertises flat lists (`durations[]`) instead of parameters (wire.md 1.9).
    #[serde(default)]
    pub flat: bool,
    /// Labels lengths with their price: "10 seconds (2x price)" (wire.md 6).
    #[serde(default)]
    pub labels: bool,
    /// Advertised as text-to-video, though it needs a video (wire.md 1.9).
    #[serde(default)]
    pub mislabelled: bool,
    /// Its results are relative links (wire.md 1.4).
    #[serde(default)]
    pub relative: bool,
    /// Takes `video` as well as `videoUrl` (seed 003).
    #[serde(default)]
    pub video_key: bool,
    /// Answers, but is not in the catalogue.
    #[serde(default)]
    pub hidden: bool,
}

fn text() -> Vec<Input> {
    vec![Input::Text]
}

fn long_prompt() -> usize {
    10_000
}

fn resolution() -> String {
    "resolution".to_owned()
}

fn mode() -> String {
    "mode".to_owned()
}

fn one() -> usize {
    1
}

/// One advertised parameter, read from its line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    /// `select`, `enum`, `switch`, `boolean`, `number`, `integer`, `slider` or `text` (wire.md 1.9).
    pub kind: String,
    pub options: Vec<String>,
    pub default: Option<String>,
    pub range: Option<(f64, f64)>,
}

impl Parameter {
    fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut found = Self { kind: words.next().unwrap_or_default().to_owned(), ..Self::default() };
        for word in words {
            if let Some((least, most)) = word.split_once("..") {
                found.range = least.parse().ok().zip(most.parse().ok());
            } else if let Some(usual) = word.strip_prefix('=') {
                found.default = Some(usual.to_owned());
            } else if matches!(found.kind.as_str(), "switch" | "boolean") {
                found.default = Some((word == "on").to_string());
            } else {
                let option = word.trim_end_matches('*');
                if option != word {
                    found.default = Some(option.to_owned());
                }
                found.options.push(option.to_owned());
            }
        }
        if found.default.is_none() {
            found.default = found.options.first().cloned();
        }
        found
    }
}

impl Model {
    /// Whether it must have this.
    pub fn needs(&self, input: Input) -> bool {
        self.needs.contains(&input)
    }

    /// Whether it must or may have this.
    pub fn accepts(&self, input: Input) -> bool {
        self.needs(input) || self.takes.contains(&input)
    }

    /// A parameter as it is advertised.
    pub fn parameter(&self, name: &str) -> Option<Parameter> {
        self.params.get(name).and_then(toml::Value::as_str).map(Parameter::read)
    }

    /// All of them, in the order they were typed.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Parameter)> {
        self.params.iter().filter_map(|(name, line)| Some((name.as_str(), Parameter::read(line.as_str()?))))
    }

    /// What an order pays, in the catalogue's keys.
    pub fn pricing(&self) -> Pricing {
        Pricing::deserialize(self.price.clone()).expect("models.toml is compiled in, and a test reads every price")
    }

    /// The key under which it takes the switch for sound, and whether that is on when left out
    /// (wire.md 1.3, 1.9 b).
    pub fn sound(&self) -> Option<(&'static str, bool)> {
        ["generateAudio", "generate_audio", "sound", "audioEnabled"].into_iter().find_map(|key| {
            let usual = self.parameter(key)?.default;
            Some((key, usual.as_deref() == Some("true")))
        })
    }
}

#[derive(Debug, Deserialize)]
struct File {
    model: Vec<Model>,
}

fn read() -> Vec<Model> {
    let read: Result<File, toml::de::Error> = toml::from_str(include_str!("models.toml"));
    read.expect("models.toml is compiled in, and a test reads it").model
}

static MODELS: LazyLock<Vec<Model>> = LazyLock::new(read);

/// The list of another day (switch `catalogue`): one model gone, one new, one price up.
static MOVED: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let mut models = read();
    models.retain(|model| model.id != "vidu-video");
    for model in &mut models {
        match model.id.as_str() {
            "pixverse-c1" => (model.id, model.name) = ("pixverse-c2".to_owned(), "PixVerse C2".to_owned()),
            "kling-v25-turbo-pro" => {
                let rows = [("5", "0.42"), ("10", "0.84")].map(|(at, amount)| (at.to_owned(), amount.into()));
                model.price.insert("per_duration".to_owned(), toml::Value::Table(toml::Table::from_iter(rows)));
            }
            _ => {}
        }
    }
    let kept = read().into_iter().find(|model| model.id == "pixverse-c1");
    models.extend(kept);
    models
});

/// Every model, in the order they were typed; of another day when the list has moved.
pub fn models(moved: bool) -> &'static [Model] {
    if moved { &MOVED } else { &MODELS }
}

/// The model of that id, or of one it also has.
pub fn model(id: &str, moved: bool) -> Option<&'static Model> {
    models(moved).iter().find(|model| model.id == id || model.also.iter().any(|other| other == id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_what_is_advertised_can_be_read() {
        let mut ids = std::collections::HashSet::new();
        for model in models(false) {
            for id in std::iter::once(&model.id).chain(&model.also) {
                assert!(ids.insert(id), "{id} twice");
            }
            model.pricing();
            for (name, parameter) in model.parameters() {
                let known = ["select", "enum", "switch", "boolean", "number", "integer", "slider", "text"];
                assert!(known.contains(&parameter.kind.as_str()), "{}: {name}", model.id);
                let chosen = matches!(parameter.kind.as_str(), "select" | "enum");
                assert_eq!(chosen, !parameter.options.is_empty(), "{}: {name}", model.id);
            }
        }
    }

    #[test]
    fn every_id_of_the_table_is_offered() {
        // wire.md 1.10, row by row, second ids too.
        const TABLE: &str = "veo2-video veo2-video-image-to-video veo3-video veo3-fast-video veo3-1-video \
            veo3-1-fast-video veo3-1-lite-video veo3-1-extend veo3-1-fast-extend sora-2 kling-video kling-video-v2 \
            kling-v21-standard kling-v21-pro kling-v21-master kling-v25-turbo-pro kling-v25-turbo-std kling-v26-pro \
            kling-v26-std kling-v26-std-motion-control kling-v30-std kling-v30-pro kling-v3-turbo-standard \
            kling-v3-turbo-pro kling-v3-4k kling-o3-4k kling-video-o1 kling-video-o1-standard kling-lipsync-t2v \
            kling-lipsync-a2v kling-v2-avatar-standard kling-v2-avatar-pro minimax-video minimax-hailuo-02 \
            minimax-hailuo-02-pro minimax-hailuo-23-standard minimax-hailuo-23-pro minimax-h3 \
            minimax/h3-max/extend-video minimax-h3-singularity/image-to-video hunyuan-video \
            hunyuan-video-image-to-video hunyuan-video-15 wan-video-image-to-video wan-video-22 wan-video-22-5b \
            wan-video-22-turbo wan-wavespeed-22-plus wan-22-plus wan-wavespeed-25 wan-25 wan-wavespeed-26 wan-26 \
            wan-wavespeed-26-flash wan-26-flash wan-2.7-video alibaba/wan-3.0 alibaba/wan-3.0-prime \
            wan-wavespeed-25-extend wan-wavespeed-22-spicy-extend seedance-video seedance-lite-video \
            bytedance-seedance-v1-pro-fast bytedance-seedance-v1.5-pro bytedance-seedance-v1.5-pro-fast \
            bytedance-seedance-2-0 bytedance-seedance-2-0-fast bytedance-seedance-2-0-mini doubao-seedance-2-0 \
            bytedance/seedance-2.5 pixverse-v45 pixverse-v5 pixverse-v55 pixverse-v56 pixverse-v6 pixverse-c1 \
            vidu-video lightricks-ltx-2-fast lightricks-ltx-2-pro luma/agent/ray/v3.2 google/gemini-omni-flash \
            google/gemini-omni-flash/v1.1 grok-imagine-video grok-imagine-video-extend grok-imagine-video-edit \
            xai/grok-imagine-video/v1.5/image-to-video runway-gen-45 runwayml-gen4-aleph flux-3 happyhorse-1.1 \
            midjourney-video longstories-movie longstories-pixel-art video-upscaler bytedance-seedance-upscaler \
            magicapi-video-face-swap";
        let missing: Vec<&str> = TABLE.split_whitespace().filter(|id| model(id, false).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
