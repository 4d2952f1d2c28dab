//! What is made of an order: length, shape, resolution, sound, mode. A value that is not offered
//! is made at the default ("9000p" was made at 720p: wire.md 6). Knows no money.

use crate::sim::clip::parts;
use crate::sim::nanogpt::media::Media;
use crate::sim::nanogpt::models::{Input, Length, Model};
use serde_json::Value;

/// Seconds of a given video or sound whose length nobody told; the simulator fetches nothing.
const UNTOLD: f64 = 5.0;

/// A clip as it will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Making {
    /// What is billed; the clip has as many.
    pub seconds: u32,
    /// Seconds of the video that was given.
    pub input_seconds: f64,
    pub frames: u32,
    pub aspect: String,
    pub resolution: String,
    /// On its short side.
    pub lines: u32,
    pub sound: bool,
    pub pro: bool,
    pub mode: String,
}

/// A number, or a text that is one: `"5s"`, `"5"`, `5` (wire.md 1.3).
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().trim_end_matches('s').trim().parse().ok()?,
        other => other.as_f64()?,
    };
    (number.is_finite() && number > 0.0).then_some(number)
}

impl Making {
    /// Reads a body whose fields have their right types.
    pub fn read(body: &Value, model: &Model, media: &Media) -> Self {
        let resolution = resolution(body, model);
        Self {
            seconds: seconds(body, model),
            input_seconds: source(body).unwrap_or(UNTOLD),
            frames: frames(body, model),
            aspect: aspect(body, model),
            lines: lines(&resolution),
            resolution,
            sound: sounds(body, model),
            pro: body["pro_mode"] == true || body["pro"] == true,
            mode: mode(body, model, media),
        }
    }
}

/// The seconds an upscaler bills, or those of the source (seed 003).
fn source(body: &Value) -> Option<f64> {
    number(&body["billedDuration"]).or_else(|| number(&body["videoDuration"]))
}

fn frames(body: &Value, model: &Model) -> u32 {
    let usual = model.parameter("num_frames").and_then(|parameter| parameter.default?.parse().ok());
    number(&body["num_frames"]).or(usual).unwrap_or(81.0).clamp(1.0, 10_000.0) as u32
}

fn seconds(body: &Value, model: &Model) -> u32 {
    if let Some(fixed) = model.fixed {
        return fixed;
    }
    let seconds = match model.length {
        Length::Duration => asked(body, model, "duration"),
        Length::Seconds => asked(body, model, "seconds"),
        Length::Frames => {
            let usual = model.parameter("frames_per_second").and_then(|parameter| parameter.default?.parse().ok());
            let rate = number(&body["frames_per_second"]).or(usual).unwrap_or(24.0);
            f64::from(frames(body, model)) / rate.max(1.0)
        }
        Length::Audio => number(&body["audioDuration"]).unwrap_or(UNTOLD).ceil(),
        Length::Source => {
            let [least, most] = model.source.unwrap_or([1, 600]).map(f64::from);
            source(body).unwrap_or(UNTOLD).ceil().clamp(least, most)
        }
        Length::Story => story(body, model),
    };
    // Own: nothing is longer than LongStories' ten minutes.
    seconds.round().clamp(1.0, 600.0) as u32
}

/// What is asked, within what is offered; else the default. Own: the service was never seen to
/// refuse a length, nor to make one it does not offer.
fn asked(body: &Value, model: &Model, key: &str) -> f64 {
    let parameter = model.parameter(key).unwrap_or_default();
    let offered = parameter.options.iter().filter_map(|option| number(&Value::from(option.as_str())));
    let (least, most) = parameter.range.unwrap_or_else(|| {
        offered.fold((600.0, 1.0), |(least, most): (f64, f64), option| (least.min(option), most.max(option)))
    });
    let usual = parameter.default.as_deref().and_then(|usual| number(&Value::from(usual))).unwrap_or(5.0);
    let asked = number(&body[key]).unwrap_or(usual);
    if least <= most { asked.clamp(least, most) } else { asked }
}

/// LongStories: seconds, or words at 70 in half a minute (own), under old and new names (seed 003).
fn story(body: &Value, model: &Model) -> f64 {
    let told = [&body["targetLengthInSeconds"], &body["scriptConfig"]["targetLengthInSeconds"]];
    let words = [&body["targetLengthInWords"], &body["scriptConfig"]["targetLengthInWords"]];
    number(&body["duration"])
        .map(|_| asked(body, model, "duration"))
        .or_else(|| told.into_iter().find_map(number))
        .or_else(|| words.into_iter().find_map(number).map(|words| words * 30.0 / 70.0))
        .unwrap_or(30.0)
}

/// Shape under any of the keys models use (wire.md 1.3).
fn aspect(body: &Value, model: &Model) -> String {
    let text = |key: &str| body[key].as_str();
    let named = ["aspect_ratio", "aspectRatio", "resolution_ratio", "size", "resolution"];
    let given = named.iter().filter_map(|key| text(key)).find(|shape| parts(shape).is_some());
    let turned = [text("orientation"), text("aspect")].into_iter().flatten().find_map(|word| {
        Some(match word.to_ascii_lowercase().as_str() {
            "portrait" => "9:16",
            "landscape" => "16:9",
            "square" => "1:1",
            _ => return None,
        })
    });
    let usual = named.iter().filter_map(|key| model.parameter(key)?.default).find(|shape| parts(shape).is_some());
    given.or(turned).map(str::to_owned).or(usual).unwrap_or_else(|| "16:9".to_owned())
}

/// The resolution it is made in and the price goes by.
fn resolution(body: &Value, model: &Model) -> String {
    let Some(parameter) = model.parameter(&model.resolution) else { return "720p".to_owned() };
    // `size` carries it at some models (seed 003).
    let asked = [&body[model.resolution.as_str()], &body["size"]].into_iter().filter_map(Value::as_str);
    let offered = asked.into_iter().find(|asked| parameter.options.iter().any(|option| option == asked));
    offered.map(str::to_owned).or(parameter.default).unwrap_or_else(|| "720p".to_owned())
}

fn lines(resolution: &str) -> u32 {
    match resolution {
        "2k" => 1440,
        "4k" => 2160,
        named => match parts(named) {
            Some((across, down)) => across.min(down),
            None => named.trim_end_matches('p').parse().unwrap_or(720),
        },
    }
}

/// Whether sound is made and billed: as asked, else the catalogue's default (wire.md 1.9 b).
fn sounds(body: &Value, model: &Model) -> bool {
    model.sound().is_some_and(|(key, usual)| body[key].as_bool().unwrap_or(usual))
}

/// The mode that was asked for or follows from the media; `auto` asks for the latter.
fn mode(body: &Value, model: &Model, media: &Media) -> String {
    let parameter = model.parameter(&model.mode).unwrap_or_default();
    let offered = |word: &&str| parameter.options.iter().any(|option| option == word);
    let asked = body[model.mode.as_str()].as_str().filter(offered).filter(|word| *word != "auto");
    if model.mode != "mode" {
        return asked.map(str::to_owned).or(parameter.default).unwrap_or_default();
    }
    let follows = if media.video {
        "video-edit"
    } else if media.references > 0 || media.reference_videos > 0 {
        "reference-to-video"
    } else if media.image {
        "image-to-video"
    } else {
        "text-to-video"
    };
    let edits = media.video && model.accepts(Input::Video);
    asked.filter(|_| !edits).unwrap_or(follows).to_owned()
}
