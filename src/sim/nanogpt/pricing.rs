//! The pricing keys of a catalogue entry (wire.md 1.9), as amounts. Knows their shapes, no order.

use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Amounts by resolution, by mode or by seconds.
pub type Rates = BTreeMap<String, Decimal>;

/// One amount, or one for each resolution.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    Flat(Decimal),
    By(Rates),
}

/// All keys this simulator charges by. `input_per_second`, `video_multiplier`, `included_frames`,
/// `extra_frames_multiplier` and the `reference_to_video_*` ones are its own: the table of wire.md
/// 1.10 has such prices, but no key for them is known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pricing {
    pub per_video: Option<Decimal>,
    pub per_video_by_mode: Rates,
    pub per_second: Option<Decimal>,
    pub per_second_by_resolution: Rates,
    pub per_second_by_mode: Rates,
    pub per_second_by_mode_and_resolution: BTreeMap<String, Rates>,
    pub text_to_video_per_second: Option<Rate>,
    pub image_to_video_per_second: Option<Rate>,
    pub text_to_video_with_audio_per_second: Option<Decimal>,
    pub text_to_video_without_audio_per_second: Option<Decimal>,
    pub image_to_video_with_audio_per_second: Option<Decimal>,
    pub image_to_video_without_audio_per_second: Option<Decimal>,
    pub reference_to_video_with_audio: Option<Decimal>,
    pub reference_to_video_without_audio: Option<Decimal>,
    pub per_duration: Rates,
    pub per_resolution: Rates,
    pub with_audio: Option<Decimal>,
    pub without_audio: Option<Decimal>,
    pub fixed_duration_seconds: Option<u32>,
    pub base_price: Option<Decimal>,
    pub base_duration: Option<u32>,
    pub per_extra_second: Option<Decimal>,
    pub max_duration: Option<u32>,
    pub base_prices_by_resolution: Rates,
    pub duration_multipliers: Rates,
    pub standard_prices_per_second: Rates,
    pub pro_prices_per_second: Rates,
    pub output_per_second: Option<Decimal>,
    pub input_per_second: Option<Decimal>,
    pub high_resolution_per_second: Option<Decimal>,
    pub per_frame_unit: Option<Decimal>,
    pub per_target_megapixel_second: Option<Decimal>,
    pub pro_multiplier: Option<Decimal>,
    pub audio_multiplier: Option<Decimal>,
    pub video_multiplier: Option<Decimal>,
    pub included_frames: Option<u32>,
    pub extra_frames_multiplier: Option<Decimal>,
    pub image_input_fee: Option<Decimal>,
    pub included_reference_images: usize,
    pub extra_reference_image: Option<Decimal>,
    pub minimum: Option<Decimal>,
    pub default_duration: Option<u32>,
    pub default_resolution: Option<String>,
    pub supported_durations: Vec<u32>,
}
