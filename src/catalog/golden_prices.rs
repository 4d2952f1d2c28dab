//! What clips cost, as literals typed from the documents a second time: each row names its source.

use super::golden::{offer, request};
use serde_json::{Value, json};

/// Source, model, parameters, price.
fn rows() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    vec![
        // Seeds 000 and 001: flat.
        ("000, 001", "ninjachat/seedance-2", json!({"duration": 15}), "$3.00"),
        ("000, 001", "ninjachat/kling-video", json!({}), "$3.00"),
        ("000, 001", "ninjachat/google-veo-2", json!({"duration": 5}), "$3.00"),
        ("000, 001", "ninjachat/veo-3.1", json!({"duration": 6}), "$5.00"),
        ("000, 001", "ninjachat/veo-3.1-fast", json!({}), "$3.00"),
        ("000, 001", "ninjachat/google-veo-3-fast", json!({}), "$3.00"),
        ("000, 001", "ninjachat/runway-gen4.5", json!({}), "$5.00"),
        ("000, 001", "ninjachat/runway-gen4-turbo", json!({"image": "https://x/y.jpg"}), "$3.00"),
        // No price, the plan's quota.
        ("004", "a4f/provider-2/kling-v2.1", json!({}), "1 run"),
        ("004", "a4f/provider-2/veo", json!({"duration": 8}), "1 run"),
        // A base and more seconds.
        ("wire.md 1.10", "nanogpt/veo2-video", json!({}), "$3.40"),
        ("wire.md 1.10", "nanogpt/veo2-video", json!({"duration": 6}), "$4.08"),
        ("wire.md 1.10", "nanogpt/veo2-video", json!({"duration": 30}), "$20.40"),
        // By sound, by length, by resolution, by both.
        ("wire.md 1.10", "nanogpt/veo3-video", json!({}), "$3.20"),
        ("wire.md 1.10", "nanogpt/veo3-video", json!({"audio": true}), "$4.80"),
        ("wire.md 1.10", "nanogpt/veo3-1-video", json!({"duration": 4}), "$1.60"),
        ("wire.md 1.10", "nanogpt/veo3-1-video", json!({"duration": 8, "resolution": "1080p"}), "$5.20"),
        (
            "wire.md 1.10",
            "nanogpt/veo3-1-video",
            json!({"duration": 8, "resolution": "1080p", "image": "https://x/y.jpg"}),
            "$1.60",
        ),
        (
            "wire.md 1.10",
            "nanogpt/veo3-1-video",
            json!({"duration": 6, "audio": true, "image": "https://x/y.jpg"}),
            "$2.40",
        ),
        ("wire.md 1.10", "nanogpt/veo3-1-fast-video", json!({}), "$0.80"),
        ("wire.md 1.10", "nanogpt/veo3-1-fast-video", json!({"audio": true, "duration": 6}), "$0.90"),
        ("wire.md 1.10", "nanogpt/veo3-1-lite-video", json!({}), "$0.40"),
        ("wire.md 1.10", "nanogpt/veo3-1-extend", json!({}), "$2.80"),
        ("wire.md 1.10", "nanogpt/sora-2", json!({"duration": 12}), "$1.20"),
        ("wire.md 1.10", "nanogpt/sora-2", json!({"pro_mode": true}), "$1.20"),
        ("wire.md 1.10", "nanogpt/sora-2", json!({"pro_mode": true, "resolution": "1792x1024"}), "$2.00"),
        ("wire.md 1.10", "nanogpt/kling-v26-pro", json!({}), "$0.35"),
        ("wire.md 1.10", "nanogpt/kling-v26-pro", json!({"duration": 10, "audio": true}), "$1.40"),
        ("wire.md 1.10", "nanogpt/kling-v26-std", json!({"duration": 10}), "$0.50"),
        ("wire.md 1.10", "nanogpt/kling-v26-std-motion-control", json!({"duration": 30}), "$2.10"),
        ("wire.md 1.10", "nanogpt/kling-v30-std", json!({}), "$0.42"),
        ("wire.md 1.10", "nanogpt/kling-v30-std", json!({"audio": true}), "$0.63"),
        ("wire.md 1.10", "nanogpt/kling-video-o1", json!({"duration": 10}), "$1.12"),
        ("wire.md 1.10", "nanogpt/kling-video-o1", json!({"video": "https://x/y.mp4"}), "$0.84"),
        ("wire.md 1.10", "nanogpt/kling-video-o1-standard", json!({"reference_videos": "https://x/y.mp4"}), "$0.84"),
        // Five references are free, each more costs 0.04.
        ("wire.md 1.10", "nanogpt/minimax-h3", json!({"duration": 15}), "$1.95"),
        ("wire.md 1.10", "nanogpt/minimax-h3", json!({"reference_images": vec!["https://x/y.jpg"; 5]}), "$0.65"),
        ("wire.md 1.10", "nanogpt/minimax-h3", json!({"reference_images": vec!["https://x/y.jpg"; 8]}), "$0.77"),
        (
            "wire.md 1.10",
            "nanogpt/minimax/h3-max/extend-video",
            json!({"video": "https://x/y.mp4", "resolution": "2k"}),
            "$1.60",
        ),
        (
            "wire.md 1.10",
            "nanogpt/minimax-h3-singularity/image-to-video",
            json!({"image": "https://x/y.jpg", "duration": 10, "resolution": "1080p"}),
            "$2.00",
        ),
        ("002", "nanogpt/hunyuan-video", json!({}), "$0.40"),
        ("002", "nanogpt/hunyuan-video", json!({"pro_mode": true}), "$0.80"),
        ("wire.md 1.10", "nanogpt/hunyuan-video-image-to-video", json!({"image": "https://x/y.jpg"}), "$0.40"),
        // Above 81 frames a quarter more.
        ("wire.md 1.10", "nanogpt/wan-video-image-to-video", json!({"resolution": "480p"}), "$0.20"),
        ("wire.md 1.10", "nanogpt/wan-video-image-to-video", json!({"num_frames": 82}), "$0.50"),
        ("wire.md 1.10", "nanogpt/wan-video-22-turbo", json!({"resolution": "580p"}), "$0.075"),
        ("wire.md 1.10", "nanogpt/alibaba/wan-3.0", json!({}), "$0.65"),
        ("wire.md 1.10", "nanogpt/alibaba/wan-3.0-prime", json!({"resolution": "480p", "duration": 10}), "$0.625"),
        ("wire.md 1.10", "nanogpt/seedance-video", json!({"resolution": "480p"}), "$0.12"),
        ("wire.md 1.10", "nanogpt/seedance-video", json!({"resolution": "1080p", "duration": 10}), "$1.14"),
        // The 402 quotes, not the 1/1.7 of them that the catalogue lists.
        ("wire.md 1.9", "nanogpt/bytedance-seedance-v1.5-pro", json!({}), "$0.13"),
        ("wire.md 1.9", "nanogpt/bytedance-seedance-v1.5-pro", json!({"audio": true}), "$0.26"),
        (
            "wire.md 1.10",
            "nanogpt/bytedance-seedance-v1.5-pro",
            json!({"resolution": "1080p", "duration": 10, "audio": true}),
            "$1.04",
        ),
        ("wire.md 1.10", "nanogpt/bytedance-seedance-v1.5-pro-fast", json!({"audio": true}), "$0.20"),
        // Listed at 0.35.
        ("wire.md 6", "nanogpt/bytedance-seedance-2-0-fast", json!({}), "$0.60"),
        ("wire.md 1.10", "nanogpt/doubao-seedance-2-0", json!({"resolution": "1080p"}), "$3.00"),
        ("wire.md 1.10", "nanogpt/doubao-seedance-2-0", json!({"reference_videos": "https://x/y.mp4"}), "$2.40"),
        ("wire.md 6", "nanogpt/bytedance/seedance-2.5", json!({"resolution": "480p"}), "$0.90"),
        ("wire.md 6", "nanogpt/bytedance/seedance-2.5", json!({"resolution": "480p", "duration": 4}), "$0.72"),
        // The dearest of its sizes.
        ("wire.md 1.10", "nanogpt/pixverse-v45", json!({}), "$0.30"),
        ("wire.md 1.10", "nanogpt/lightricks-ltx-2-fast", json!({"duration": 20}), "$0.80"),
        ("wire.md 1.10", "nanogpt/luma/agent/ray/v3.2", json!({}), "$0.50"),
        ("wire.md 1.10", "nanogpt/luma/agent/ray/v3.2", json!({"resolution": "1080p"}), "$2.00"),
        ("wire.md 1.10", "nanogpt/google/gemini-omni-flash/v1.1", json!({}), "$1.04"),
        ("wire.md 1.10", "nanogpt/google/gemini-omni-flash/v1.1", json!({"image": "https://x/y.jpg"}), "$1.12"),
        ("wire.md 1.10", "nanogpt/runway-gen-45", json!({"duration": 8}), "$1.056"),
        ("wire.md 1.10", "nanogpt/runway-gen-45", json!({"duration": 10}), "$1.32"),
        // High resolution assumed, and a fee for the image.
        ("wire.md 1.10", "nanogpt/grok-imagine-video", json!({}), "$0.42"),
        ("wire.md 1.10", "nanogpt/grok-imagine-video", json!({"image": "https://x/y.jpg"}), "$0.422"),
        // What is made, and what it is made from.
        (
            "wire.md 1.10",
            "nanogpt/grok-imagine-video-extend",
            json!({"video": "https://x/y.mp4", "source_seconds": 10}),
            "$0.52",
        ),
        (
            "wire.md 1.10",
            "nanogpt/grok-imagine-video-edit",
            json!({"video": "https://x/y.mp4", "duration": 8}),
            "$0.52",
        ),
        // Prices moved within a month: the dearer.
        (
            "wire.md 1.10",
            "nanogpt/xai/grok-imagine-video/v1.5/image-to-video",
            json!({"image": "https://x/y.jpg", "duration": 6}),
            "$2.057",
        ),
        ("wire.md 1.10", "nanogpt/flux-3", json!({}), "$0.85"),
        ("wire.md 1.10", "nanogpt/flux-3", json!({"resolution": "1080p"}), "$1.45"),
        ("wire.md 1.10", "nanogpt/flux-3", json!({"quality": "draft"}), "$0.30"),
        ("wire.md 1.10", "nanogpt/happyhorse-1.1", json!({}), "$0.41"),
    ]
}

#[test]
fn prices_are_those_of_the_documents() {
    let rows = rows();
    assert!(rows.len() >= 70, "{} rows are too few", rows.len());
    for (source, name, params, price) in rows {
        let found = request(name, params.clone()).price(&offer(name).model).map(|m| m.to_string());
        assert_eq!(found.as_deref(), Some(price), "{name} {params}, {source}");
    }
}

#[test]
fn what_nobody_prices_is_unknown_and_what_may_be_less_says_so() {
    let clip = "https://x/y.mp4";
    for (name, params) in [
        ("nanogpt/bytedance/seedance-2.5", json!({"resolution": "4k"})),
        ("nanogpt/bytedance-seedance-2-0-fast", json!({"resolution": "1080p"})),
        ("nanogpt/flux-3", json!({"quality": "enhance"})),
        ("nanogpt/wan-wavespeed-26", json!({})),
        ("nanogpt/video-upscaler", json!({"video": clip, "duration": 12.5})),
        ("nanogpt/midjourney-video-extend", json!({"run": "vid_a"})),
        // An advanced field that may change the bill.
        ("nanogpt/veo3-1-fast-video", json!({"referenceImages": ["https://x/y.jpg"]})),
        ("nanogpt/kling-v26-pro", json!({"billedDuration": 3})),
    ] {
        let request = request(name, params.clone());
        let model = offer(name).model;
        assert_eq!(request.validate(&model), Ok(()), "{name} {params}");
        assert_eq!(request.price(&model), None, "{name} {params}");
    }
    for (name, upper) in [
        ("nanogpt/grok-imagine-video", true),
        ("nanogpt/pixverse-v45", true),
        ("nanogpt/bytedance-seedance-2-0-fast", true),
        ("nanogpt/xai/grok-imagine-video/v1.5/image-to-video", true),
        ("nanogpt/veo3-1-video", false),
        ("nanogpt/runway-gen-45", false),
    ] {
        assert_eq!(offer(name).model.price.is_upper(), upper, "{name}");
    }
}
