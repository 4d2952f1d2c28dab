//! What an order pays: the model's pricing keys (wire.md 1.9) applied to what is made. Knows no
//! field of the request.

use crate::sim::nanogpt::making::Making;
use crate::sim::nanogpt::media::Media;
use crate::sim::nanogpt::models::Model;
use crate::sim::nanogpt::pricing::{Pricing, Rate, Rates};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// An order's price in dollars, to eight decimals.
pub fn price(model: &Model, making: &Making, media: &Media) -> Decimal {
    let pricing = model.pricing();
    let bill = Bill { pricing: &pricing, unlisted: &model.unlisted, making, media, high: model.high.as_deref() };
    let mut total = bill.base();
    let mut times = |factor: Option<Decimal>, applies: bool| {
        if let Some(factor) = factor.filter(|_| applies) {
            total *= factor;
        }
    };
    times(pricing.audio_multiplier, making.sound);
    times(pricing.pro_multiplier, making.pro);
    // A reference video is dearer too (wire.md 1.10); where modes have prices, an edit has its own.
    let priced_edit = pricing.per_second_by_mode.contains_key("video-edit");
    times(pricing.video_multiplier, media.reference_videos > 0 || (media.video && !priced_edit));
    times(pricing.extra_frames_multiplier, pricing.included_frames.is_some_and(|most| making.frames > most));
    if let Some(fee) = pricing.image_input_fee.filter(|_| media.image) {
        total += fee;
    }
    if let Some(fee) = pricing.extra_reference_image {
        let more = media.references.saturating_sub(pricing.included_reference_images);
        total += fee * Decimal::from(more);
    }
    if let Some(each) = pricing.input_per_second {
        total += each * exact(making.input_seconds);
    }
    total.max(pricing.minimum.unwrap_or_default()).round_dp(8).normalize()
}

/// Seconds that were told as a number, to the millisecond.
fn exact(seconds: f64) -> Decimal {
    Decimal::new((seconds * 1000.0).round() as i64, 3)
}

struct Bill<'a> {
    pricing: &'a Pricing,
    unlisted: &'a HashMap<String, Decimal>,
    making: &'a Making,
    media: &'a Media,
    high: Option<&'a str>,
}

impl Bill<'_> {
    /// The first shape that the model has.
    fn base(&self) -> Decimal {
        let Self { pricing, making, media, .. } = *self;
        let long = Decimal::from(making.seconds);
        let by_sound = |loud: Option<Decimal>, silent: Option<Decimal>| if making.sound { loud } else { silent };
        let reference = by_sound(pricing.reference_to_video_with_audio, pricing.reference_to_video_without_audio);
        let of_image =
            by_sound(pricing.image_to_video_with_audio_per_second, pricing.image_to_video_without_audio_per_second);
        let of_text =
            by_sound(pricing.text_to_video_with_audio_per_second, pricing.text_to_video_without_audio_per_second);
        let high = self.high.is_some_and(|high| high == making.resolution);
        let each = |rate: &Option<Rate>| match rate {
            Some(Rate::Flat(amount)) => Some(*amount),
            Some(Rate::By(rates)) => self.at_resolution(rates),
            None => None,
        };
        let per_second = pricing
            .per_second_by_mode_and_resolution
            .get(&making.mode)
            .and_then(|rates| self.at_resolution(rates))
            .or_else(|| pricing.per_second_by_mode.get(&making.mode).copied())
            .or_else(|| {
                self.at_resolution(if making.pro {
                    &pricing.pro_prices_per_second
                } else {
                    &pricing.standard_prices_per_second
                })
            })
            .or_else(|| if media.image { of_image.or_else(|| each(&pricing.image_to_video_per_second)) } else { None })
            .or(of_text)
            .or_else(|| each(&pricing.text_to_video_per_second))
            .or_else(|| self.at_resolution(&pricing.per_second_by_resolution))
            .or(pricing.high_resolution_per_second.filter(|_| high))
            .or(pricing.output_per_second)
            .or(pricing.per_second)
            .map(|each| each * long);
        None.or(reference.filter(|_| media.references > 0))
            .or_else(|| by_sound(pricing.with_audio, pricing.without_audio))
            .or_else(|| self.at_resolution(&pricing.base_prices_by_resolution).map(|base| base * self.lengthened()))
            .or_else(|| pricing.base_price.map(|base| self.stretched(base)))
            .or_else(|| self.for_length())
            .or_else(|| self.at_resolution(&pricing.per_resolution))
            .or(per_second)
            .or_else(|| self.by_megapixels())
            .or_else(|| pricing.per_frame_unit.map(|each| each * Decimal::from(making.frames)))
            .or_else(|| pricing.per_video_by_mode.get(&making.mode).copied())
            .or(pricing.per_video)
            // models.toml has a price for each; a test orders every one.
            .unwrap_or_default()
    }

    /// At the resolution that is made, else at the dearest: nothing is cheaper for being unknown.
    fn at_resolution(&self, rates: &Rates) -> Option<Decimal> {
        let named = &self.making.resolution;
        let hidden = self.unlisted.get(named).filter(|_| !rates.is_empty());
        rates.get(named).or(hidden).or_else(|| rates.values().max()).copied()
    }

    /// How much more a length costs than the base length: as listed, else in proportion.
    fn lengthened(&self) -> Decimal {
        let seconds = self.making.seconds;
        let listed = self.pricing.duration_multipliers.get(&seconds.to_string()).copied();
        let base = Decimal::from(self.pricing.base_duration.unwrap_or(5).max(1));
        listed.unwrap_or_else(|| Decimal::from(seconds) / base)
    }

    fn stretched(&self, base: Decimal) -> Decimal {
        let Some(extra) = self.pricing.per_extra_second else { return base * self.lengthened() };
        let more = self.making.seconds.saturating_sub(self.pricing.base_duration.unwrap_or(0));
        base + extra * Decimal::from(more)
    }

    /// `per_duration`; a length between is in proportion to the first one.
    fn for_length(&self) -> Option<Decimal> {
        let seconds = self.making.seconds;
        let rates = &self.pricing.per_duration;
        let each = |(length, amount): (&String, &Decimal)| {
            let length: Decimal = length.parse().ok()?;
            (!length.is_zero()).then(|| *amount / length)
        };
        let dearest = || rates.iter().filter_map(each).max().map(|each| each * Decimal::from(seconds));
        rates.get(&seconds.to_string()).copied().or_else(dearest)
    }

    fn by_megapixels(&self) -> Option<Decimal> {
        let each = self.pricing.per_target_megapixel_second?;
        let down = i64::from(self.making.lines);
        let pixels = Decimal::from(down * down * 16 / 9);
        Some(each * pixels / Decimal::from(1_000_000) * Decimal::from(self.making.seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::nanogpt::models::{Input, model, models};
    use serde_json::{Value, json};

    fn costs(body: Value) -> String {
        let model = model(body["model"].as_str().unwrap(), false).unwrap();
        let media = Media::read(&body, model).unwrap();
        price(model, &Making::read(&body, model, &media), &media).to_string()
    }

    #[test]
    fn nothing_is_free() {
        for model in models(false) {
            for image in [false, true] {
                let body = json!({"model": model.id, "imageUrl": image.then_some("https://a/b")});
                if image && !model.accepts(Input::Image) {
                    continue;
                }
                assert!(costs(body).parse::<Decimal>().unwrap() > Decimal::ZERO, "{}", model.id);
            }
        }
    }

    /// wire.md 1.10 row by row, and its traps (1.9, 6); literals.
    #[test]
    fn published_prices() {
        let image = "https://example.com/a.jpg";
        for (body, dollars) in [
            (json!({"model": "veo2-video", "duration": "5s"}), "3.4"),
            (json!({"model": "veo2-video", "duration": 8}), "5.44"),
            (json!({"model": "veo2-video", "duration": "60"}), "20.4"),
            (json!({"model": "veo3-video"}), "3.2"),
            (json!({"model": "veo3-video", "generateAudio": true, "duration": "30"}), "4.8"),
            (json!({"model": "veo3-1-video", "duration": "8"}), "3.2"),
            (json!({"model": "veo3-1-video", "duration": "8", "resolution": "1080p"}), "5.2"),
            (json!({"model": "veo3-1-video", "duration": "4", "imageUrl": image}), "0.8"),
            (json!({"model": "veo3-1-video", "duration": "4", "imageUrl": image, "generateAudio": true}), "1.6"),
            (json!({"model": "veo3-1-fast-video", "duration": "6"}), "0.6"),
            (json!({"model": "veo3-1-fast-video", "duration": "6", "generateAudio": true}), "0.9"),
            (json!({"model": "veo3-1-fast-video", "reference_images": "[\"https://a/b\"]"}), "0.64"),
            (json!({"model": "veo3-1-lite-video", "duration": "8"}), "0.4"),
            (json!({"model": "veo3-1-extend"}), "2.8"),
            (json!({"model": "sora-2", "seconds": "12"}), "1.2"),
            (json!({"model": "sora-2", "duration": "12"}), "0.4"),
            (json!({"model": "sora-2", "seconds": "4", "pro": true}), "1.2"),
            (json!({"model": "sora-2", "seconds": "4", "pro_mode": true, "resolution": "1792x1024"}), "2"),
            (json!({"model": "kling-v26-pro", "duration": "10", "sound": true}), "1.4"),
            (json!({"model": "kling-v26-std", "duration": "10"}), "0.5"),
            (json!({"model": "kling-v26-std-motion-control", "duration": "30"}), "2.1"),
            (json!({"model": "kling-v30-std", "duration": "5", "sound": true}), "0.63"),
            (json!({"model": "kling-video-o1"}), "0.56"),
            (json!({"model": "kling-video-o1", "videoUrl": image}), "0.84"),
            (json!({"model": "kling-video-o1", "mode": "video-edit"}), "0.56"),
            (json!({"model": "kling-video-o1-standard", "referenceVideos": [image]}), "0.84"),
            (json!({"model": "minimax-h3", "duration": "5"}), "0.65"),
            (
                json!({"model": "minimax-h3", "referenceImages": [image, image, image, image, image, image, image]}),
                "0.73",
            ),
            (json!({"model": "minimax/h3-max/extend-video", "resolution": "2k"}), "1.6"),
            (json!({"model": "minimax-h3-singularity/image-to-video"}), "0.5"),
            (json!({"model": "hunyuan-video", "pro_mode": true}), "0.8"),
            (json!({"model": "hunyuan-video-image-to-video"}), "0.4"),
            (json!({"model": "wan-video-image-to-video", "resolution": "480p"}), "0.2"),
            (json!({"model": "wan-video-image-to-video", "num_frames": "82"}), "0.5"),
            (json!({"model": "wan-video-22-turbo", "resolution": "580p"}), "0.075"),
            (json!({"model": "alibaba/wan-3.0", "resolution": "480p"}), "0.35"),
            (json!({"model": "alibaba/wan-3.0-prime"}), "0.625"),
            (json!({"model": "seedance-video", "duration": "10", "resolution": "1080p"}), "1.14"),
            (json!({"model": "bytedance-seedance-v1.5-pro-fast", "generateAudio": false}), "0.1"),
            (json!({"model": "doubao-seedance-2-0", "referenceVideos": [image]}), "2.4"),
            (json!({"model": "bytedance/seedance-2.5", "duration": "4", "resolution": "480p"}), "0.72"),
            (json!({"model": "pixverse-v45", "quality": "1080p"}), "0.3"),
            (json!({"model": "lightricks-ltx-2-fast", "duration": "20"}), "0.8"),
            (json!({"model": "luma/agent/ray/v3.2"}), "0.5"),
            (json!({"model": "google/gemini-omni-flash/v1.1"}), "1.04"),
            (json!({"model": "google/gemini-omni-flash/v1.1", "imageUrl": image}), "1.12"),
            (json!({"model": "grok-imagine-video", "imageUrl": image}), "0.302"),
            (json!({"model": "grok-imagine-video", "resolution": "720p", "duration": "15"}), "1.05"),
            (json!({"model": "grok-imagine-video-extend", "videoDuration": 8}), "0.38"),
            (json!({"model": "grok-imagine-video-edit", "videoDuration": 8}), "0.52"),
            (json!({"model": "xai/grok-imagine-video/v1.5/image-to-video"}), "0.48"),
            (json!({"model": "runway-gen-45", "duration": "8"}), "1.056"),
            (json!({"model": "flux-3", "resolution": "1080p"}), "1.45"),
            (json!({"model": "flux-3", "quality": "draft"}), "0.3"),
            (json!({"model": "happyhorse-1.1"}), "0.41"),
            // Charged 0.60 though 0.35 is listed; sound is on when left out.
            (json!({"model": "bytedance-seedance-2-0-fast"}), "0.6"),
            (json!({"model": "bytedance-seedance-v1.5-pro"}), "0.26"),
            (json!({"model": "bytedance-seedance-v1.5-pro", "generateAudio": false}), "0.13"),
            // Made at 720p and billed.
            (json!({"model": "bytedance/seedance-2.5", "resolution": "9000p", "nonsense": [1]}), "1.8"),
        ] {
            assert_eq!(costs(body.clone()), dollars, "{body}");
        }
    }

    #[test]
    fn lengths_that_change_the_bill_are_read_where_they_are_told() {
        for (body, dollars) in [
            (json!({"model": "video-upscaler", "target_resolution": "1080p", "videoDuration": 10}), "0.41472"),
            (json!({"model": "video-upscaler", "videoDuration": 10, "billedDuration": 5}), "0.20736"),
            (json!({"model": "bytedance-seedance-upscaler", "target_resolution": "4k", "videoDuration": 2.5}), "0.96"),
            (json!({"model": "kling-v2-avatar-standard", "audioDuration": 12.2}), "0.728"),
            (json!({"model": "magicapi-video-face-swap", "videoDuration": 60}), "1.8"),
            (json!({"model": "longstories-movie", "duration": "60"}), "1.2"),
            (json!({"model": "longstories-movie", "targetLengthInSeconds": 90}), "1.8"),
            (json!({"model": "longstories-movie", "scriptConfig": {"targetLengthInSeconds": 45}}), "0.9"),
            (json!({"model": "longstories-movie", "targetLengthInWords": 140}), "1.2"),
            (json!({"model": "longstories-pixel-art", "duration": "15"}), "0.3"),
            (json!({"model": "promptchan-video", "video_quality": "High"}), "0.5"),
            (json!({"model": "wan-video-22-5b", "num_frames": 100}), "0.15"),
        ] {
            assert_eq!(costs(body.clone()), dollars, "{body}");
        }
    }
}
