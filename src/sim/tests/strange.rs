//! Bodies nobody would send: the rules answer them, whatever they hold.

use crate::sim::nanogpt::{models::models, order};
use crate::sim::{a4f_rules, ninjachat_rules};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values near the ones the rules look for, and far from them.
fn value() -> impl Strategy<Value = Value> {
    let words =
        ["5", "5s", "NaN", "inf", "-1", "1e400", "0x0", "99999x1", "16:9", "1:0", "", "data:image/png;base64,*"];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([1, "data:x", null])),
        Just(json!({"a": {"b": []}})),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    let mut models: Vec<&str> = models(false).iter().map(|model| model.id.as_str()).collect();
    models.extend(ninjachat_rules::MODELS.iter().map(|model| model.id));
    models.extend(a4f_rules::MODELS.iter().map(|model| model.id));
    let keys = [
        "prompt",
        "duration",
        "seconds",
        "aspect_ratio",
        "ratio",
        "quality",
        "resolution",
        "size",
        "orientation",
        "image_url",
        "imageUrl",
        "imageDataUrl",
        "videoUrl",
        "reference_images",
        "referenceImages",
        "num_frames",
        "frames_per_second",
        "generateAudio",
        "sound",
        "pro_mode",
        "voice_id",
        "script",
        "scriptConfig",
        "billedDuration",
        "audioDuration",
        "target_resolution",
        "mode",
    ];
    let fields = prop::collection::hash_map(prop::sample::select(keys.to_vec()), value(), 0..12);
    (prop::sample::select(models), fields, any::<bool>()).prop_map(|(model, fields, plain)| {
        let mut body = json!({"model": model});
        for (key, value) in fields {
            body[key] = value;
        }
        if plain {
            // Else next to no body would get past the first rule.
            body["prompt"] = json!("a");
            body["imageUrl"] = json!("https://example.com/a.jpg");
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_answer_whatever_comes(body in body()) {
        if let Ok(order) = ninjachat_rules::read(&body) {
            prop_assert!(order.model.seconds.contains(&order.seconds));
        }
        if let Ok(order) = a4f_rules::read(&body, true) {
            prop_assert!((1..=order.model.most_seconds).contains(&order.seconds));
        }
        if let Ok(order) = order::read(&body, order::House::default()) {
            prop_assert!(order.price > rust_decimal::Decimal::ZERO, "nothing is free: {body}");
            prop_assert!((1..=600).contains(&order.making.seconds));
        }
    }
}
