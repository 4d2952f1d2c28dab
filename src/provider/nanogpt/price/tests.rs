//! Every key of wire.md 1.9 that can be computed, with figures worked out by hand from the shapes a
//! public price list showed (wire.md 1.10, column price), and those that cannot.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn parameters() -> Vec<Parameter> {
    let toml = r#"list = [
        { name = "duration", type = "integer", one_of = ["5", "10"] },
        { name = "resolution", type = "text", one_of = ["480p", "720p", "1080p"] },
        { name = "mode", type = "text", one_of = ["text-to-video", "image-to-video", "fast"] },
        { name = "audio", type = "boolean", wire = "sound" },
        { name = "pro_mode", type = "boolean" },
        { name = "num_frames", type = "integer", range = { min = 81, max = 100 } },
        { name = "image", type = "image" },
        { name = "references", type = "links", wire = "reference_images" },
        { name = "clips", type = "links", wire = "referenceVideos" },
    ]"#;
    let table: BTreeMap<String, Vec<Parameter>> = toml::from_str(toml).unwrap();
    table["list"].clone()
}

fn without(names: &[&str]) -> Vec<Parameter> {
    parameters().into_iter().filter(|p| !names.contains(&p.name.as_str())).collect()
}

fn of(pricing: &Value, parameters: &[Parameter], values: &Value) -> String {
    let price = price(pricing, parameters, "2026-08-21");
    let values = serde_json::from_value(values.clone()).unwrap();
    price.of(&values).map_or_else(|| "unknown".to_owned(), |money| money.to_string())
}

#[test]
fn every_key_that_can_be_computed_is_exact() {
    let clip = json!({"duration": "10", "resolution": "720p", "audio": true, "pro_mode": false, "mode": "fast"});
    let silent = json!({"duration": "5", "resolution": "1080p", "audio": false, "pro_mode": true});
    let still = json!({"duration": "5", "resolution": "720p", "audio": false, "image": "https://x/a.png"});
    let moving = json!({"duration": "5", "resolution": "480p", "clips": ["https://x/a.mp4"]});
    let three =
        json!({"duration": "5", "resolution": "720p", "references": ["https://x/1", "https://x/2", "https://x/3"]});
    let veo31 = json!({
        "text_to_video_per_second": {"720p": 0.4, "1080p": 0.65}, "default_duration": 8,
        "image_to_video_with_audio_per_second": 0.4, "image_to_video_without_audio_per_second": 0.2,
    });
    let veo31_fast = json!({
        "text_image_with_audio_per_second": 0.15, "text_image_without_audio_per_second": 0.1,
        "reference_prices": {"720p": {"with_audio": 0.8, "without_audio": 0.64}},
    });
    let doubao = json!({
        "text_to_video_per_second": {"480p": 0.12, "720p": 0.24}, "image_to_video_per_second": {"480p": 0.12, "720p": 0.24},
        "text_to_video_with_reference_video_per_second": {"480p": 0.24, "720p": 0.48},
    });
    let pixverse = json!({
        "base_prices_by_resolution": {"720p": 0.15, "1080p": 0.3},
        "duration_overrides": {"10": {"720p": 0.3, "1080p": 0.35}}, "duration_multipliers": {"5": 1, "10": 1},
    });
    let sora = json!({
        "standard_prices_per_second": {"720p": 0.1}, "pro_prices_per_second": {"720p": 0.3, "1080p": 0.5},
        "default_duration": 4,
    });
    let wan = json!({"per_resolution": {"480p": 0.2, "720p": 0.4}, "frame_multiplier": 1.25, "frame_threshold": 81});
    let cases = [
        (json!({"currency": "USD", "per_video": 0.05, "unit": "per_video"}), &clip, "$0.05"),
        (json!({"per_video": 2.8, "fixed_duration_seconds": 7}), &clip, "$2.80"),
        (json!({"per_second": 0.07, "supported_durations": [3, 4]}), &clip, "$0.70"),
        (json!({"output_per_second": 0.1}), &clip, "$1.00"),
        (json!({"per_second": 0.084, "audio_multiplier": 1.5}), &clip, "$1.26"),
        (json!({"per_second_by_resolution": {"480p": 0.1, "720p": "0.2"}}), &clip, "$2.00"),
        (json!({"per_second_by_resolution": {"480p": 0.1}}), &clip, "unknown"),
        (json!({"per_second_by_mode": {"fast": 0.05, "text_to_video": 0.1}}), &clip, "$0.50"),
        (
            json!({"per_second_by_mode_and_resolution": {"fast": {"720p": 0.05}, "text_to_video": {"720p": 0.1}}}),
            &clip,
            "$0.50",
        ),
        (json!({"per_video_by_mode": {"fast": 0.6, "image_to_video": 0.8}}), &clip, "$0.60"),
        (json!({"per_duration": {"5": 0.35, "10": 0.7}, "audio_multiplier": 2}), &clip, "$1.40"),
        (json!({"per_duration": {"5s": 0.35, "10s": 0.7}}), &clip, "$0.70"),
        (json!({"per_duration": {"720p": {"5": 0.1, "10": 0.2}}}), &clip, "$0.20"),
        (json!({"per_resolution": {"720p": 0.1}}), &clip, "$0.10"),
        (json!({"base_price": 3.4, "base_duration": 5, "per_extra_second": 0.68, "max_duration": 30}), &clip, "$6.80"),
        (json!({"base_price": 0.4, "pro_multiplier": 2}), &clip, "$0.40"),
        (json!({"base_price": 0.4, "pro_multiplier": 2}), &silent, "$0.80"),
        (
            json!({"base_price_per_second": 0.065, "resolution_multipliers": {"480p": 1, "720p": 1.5}, "max_duration": 8}),
            &clip,
            "$0.975",
        ),
        (
            json!({"base_prices_by_resolution": {"720p": 0.285}, "base_duration": 5, "duration_multipliers": {"5": 1, "10": 2}}),
            &clip,
            "$0.57",
        ),
        (json!({"base_prices_by_resolution": {"720p": 0.285}, "duration_multiplier": 2}), &clip, "$0.57"),
        (json!({"base_prices_by_resolution": {"720p": 0.285}, "base_duration": 5}), &clip, "unknown"),
        (pixverse.clone(), &clip, "$0.30"),
        (pixverse, &silent, "$0.30"),
        (json!({"with_audio": 4.8, "without_audio": 3.2, "fixed_duration_seconds": 8}), &clip, "$4.80"),
        (json!({"with_audio": {"5": 1, "10": 2}, "without_audio": {"5": 0.5, "10": 1.5}}), &clip, "$2.00"),
        (json!({"with_audio_per_second": 0.1, "without_audio_per_second": 0.05}), &silent, "$0.25"),
        (sora.clone(), &clip, "$1.00"),
        (sora, &silent, "$2.50"),
        (veo31.clone(), &clip, "$4.00"),
        (veo31.clone(), &silent, "$3.25"),
        (veo31, &still, "$1.00"),
        (veo31_fast.clone(), &clip, "$1.50"),
        (veo31_fast.clone(), &still, "$0.50"),
        (veo31_fast, &three, "unknown"),
        (doubao.clone(), &still, "$1.20"),
        (doubao, &moving, "$1.20"),
        (wan, &json!({"resolution": "720p", "num_frames": 82}), "$0.50"),
        (json!({"per_second": 0.13, "extra_reference_image": 0.04, "included_reference_images": 1}), &three, "$0.73"),
        (json!({"per_second": 0.05, "image_input_fee": 0.002}), &still, "$0.252"),
        (json!({"per_second": 0.05, "image_input_fee": 0.002}), &three, "$0.256"),
        (json!({"per_second": 0.01, "minimum": 0.3}), &clip, "$0.30"),
        (json!({"per_second": 0.01, "minimum_price": 0.05}), &clip, "$0.10"),
    ];
    for (pricing, values, expected) in cases {
        assert_eq!(of(&pricing, &parameters(), values), expected, "{pricing} with {values}");
    }
}

#[test]
fn what_goes_in_is_the_mode_where_a_model_has_no_such_choice() {
    let kling = json!({"per_second_by_mode": {
        "text_to_video": 0.1, "image_to_video": 0.112, "reference_to_video_image": 0.12, "reference_to_video_video": 0.168,
    }});
    let takes = without(&["mode", "clips"]);
    assert_eq!(of(&kling, &takes, &json!({"duration": 5})), "$0.50");
    assert_eq!(of(&kling, &takes, &json!({"duration": 5, "image": "https://x"})), "$0.56");
    assert_eq!(of(&kling, &takes, &json!({"duration": 5, "references": ["https://x"]})), "$0.84", "the dearer of two");
    let both = json!({"duration": 5, "image": "https://x", "references": ["https://x"]});
    assert_eq!(of(&kling, &takes, &both), "unknown", "no such mode is priced");
    let two = without(&["mode", "resolution"]);
    let two = [
        two,
        vec![
            serde_json::from_value(json!({"name": "resolution", "type": "text", "one_of": ["720p", "480p"]})).unwrap(),
        ],
    ]
    .concat();
    let grok = json!({"per_second": 0.05, "high_resolution_per_second": 0.07});
    assert_eq!(of(&grok, &two, &json!({"duration": 6, "resolution": "720p"})), "$0.42");
    assert_eq!(of(&grok, &two, &json!({"duration": 6, "resolution": "480p"})), "$0.30");
}

#[test]
fn what_is_not_clear_is_unknown_with_the_least_that_is_published() {
    let clip = json!({"duration": "10", "resolution": "720p", "audio": true, "pro_mode": false, "mode": "fast"});
    let raw = json!({"type": "seedance20", "textToVideoPricesPerSecond": {"720p": 0.08, "1080p": 0.09}});
    let cases = [
        (json!({"per_second": 0.05, "high_resolution_per_second": 0.07}), None),
        (json!({"per_second": 0.05, "currency": "XNO"}), None),
        (json!({"per_second": 0.05, "a_key_nobody_knows": 1}), None),
        (json!({"per_second": -1}), None),
        (json!({"per_second": 0}), None),
        (json!({"per_video": 0, "minimum": 0}), None),
        (json!({"per_second": "79228162514264337593543950335", "audio_multiplier": 2}), None),
        (json!({"per_second_by_mode": {"dream": 0.1}}), None),
        (json!({"per_frame_unit": 0.022, "frames_per_unit": 30}), None),
        (json!({"per_target_megapixel_second": 0.1, "minimum_price": 0.1}), Some("0.1")),
        (json!({"minimum": 0.3, "raw": {}}), Some("0.3")),
        (json!({"raw": raw}), Some("0.4")),
        (json!({"per_video": 0.05, "raw": raw}), Some("0.4")),
        (json!({}), None),
        (json!(null), None),
    ];
    for (pricing, from) in cases {
        let price = price(&pricing, &parameters(), "2026-08-21");
        assert_eq!(of(&pricing, &parameters(), &clip), "unknown", "{pricing}");
        assert_eq!(price.shape, Shape::Unknown { from: from.map(|from| from.parse().unwrap()) }, "{pricing}");
    }
    let unswitched = json!({"per_second": 0.05, "audio_multiplier": 2});
    assert_eq!(of(&unswitched, &without(&["audio"]), &clip), "unknown", "a factor with nothing to hang on");
    let deep = (0..9).fold(json!(1), |inner, _| json!({"480p": inner.clone(), "720p": inner}));
    assert_eq!(of(&json!({"per_resolution": deep}), &parameters(), &clip), "unknown");
}
