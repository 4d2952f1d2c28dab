//! The types of the request's fields: `fields.toml`. A value of another type, beyond the schema's
//! range or not among its words is refused with the field's name; unknown keys are ignored (seed
//! 003). Knows no price.

use crate::sim::nanogpt::models::Model;
use crate::sim::nanogpt::refusals::Refusal;
use serde_json::Value;
use std::sync::LazyLock;

/// What a field must be.
#[derive(Debug, Default)]
struct Rule {
    kinds: Vec<String>,
    range: Option<(f64, f64)>,
    words: Vec<String>,
    /// The models range and words hold for, by how their ids begin; none: all.
    models: Option<String>,
}

impl Rule {
    fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let split = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let mut rule = Self { kinds: split(words.next().unwrap_or_default()), ..Self::default() };
        for word in words {
            if let Some(list) = word.strip_prefix('=') {
                rule.words = split(list);
            } else if let Some(models) = word.strip_prefix('@') {
                rule.models = Some(models.to_owned());
            } else if let Some((least, most)) = word.split_once("..") {
                rule.range = least.parse().ok().zip(most.parse().ok());
            }
        }
        rule
    }

    fn fits(&self, value: &Value) -> bool {
        self.kinds.iter().any(|kind| match kind.as_str() {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "number" => value.is_number(),
            _ => value.is_i64() || value.is_u64(),
        })
    }
}

static RULES: LazyLock<Vec<(String, Rule)>> = LazyLock::new(|| {
    let table: toml::Table =
        include_str!("fields.toml").parse().expect("fields.toml is compiled in, and a test reads it");
    let rules = table.into_iter().map(|(name, line)| (name, Rule::read(line.as_str().unwrap_or_default())));
    rules.collect()
});

/// The first field that is not what it must be. `null` is a field left out.
pub fn check(body: &Value, model: &Model) -> Result<(), Refusal> {
    for (name, rule) in RULES.iter() {
        let value = &body[name.as_str()];
        if value.is_null() {
            continue;
        }
        if !rule.fits(value) {
            let wanted = rule.kinds.join(" or ");
            return Err(Refusal::parameter(name, &format!("Invalid type for '{name}': expected {wanted}.")));
        }
        if rule.models.as_deref().is_some_and(|models| !model.id.starts_with(models)) {
            continue;
        }
        let number = value.as_f64();
        if let (Some((least, most)), Some(number)) = (rule.range, number) {
            // What a model itself offers is never beyond the range.
            let offered = model.parameter(name).and_then(|parameter| parameter.range).unwrap_or((least, most));
            if number < least.min(offered.0) || number > most.max(offered.1) {
                let say = format!("Invalid value for '{name}': must be between {least} and {most}.");
                return Err(Refusal::parameter(name, &say));
            }
        }
        if !rule.words.is_empty() && !rule.words.iter().any(|word| value.as_str() == Some(word)) {
            let say = format!("Invalid value for '{name}': must be one of {}.", rule.words.join(", "));
            return Err(Refusal::parameter(name, &say));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::nanogpt::models::model;
    use serde_json::json;

    #[test]
    fn a_wrong_type_is_refused_by_name_for_every_field() {
        let veo = model("veo2-video", false).unwrap();
        assert!(RULES.len() > 90, "{}", RULES.len());
        for (name, rule) in RULES.iter() {
            // No field may be a list of lists and a text and a number at once.
            let wrong = [json!(1.5), json!(true), json!("x"), json!({}), json!([[]])];
            let wrong = wrong.into_iter().find(|value| !rule.fits(value)).unwrap();
            let refused = check(&json!({name.as_str(): wrong}), veo).unwrap_err();
            assert_eq!((refused.status, refused.param.as_deref()), (400, Some(name.as_str())));
            assert!(check(&json!({name.as_str(): null}), veo).is_ok(), "{name}: left out");
        }
    }

    #[test]
    fn ranges_and_words_hold_where_the_documents_say_so() {
        let bad = |id: &str, body: Value| check(&body, model(id, false).unwrap()).unwrap_err().param.unwrap();
        let good = |id: &str, body: Value| check(&body, model(id, false).unwrap()).unwrap();
        assert_eq!(bad("kling-lipsync-t2v", json!({"voice_speed": 2.1})), "voice_speed");
        assert_eq!(bad("kling-lipsync-t2v", json!({"voice_language": "de"})), "voice_language");
        assert_eq!(bad("longstories-movie", json!({"framework": "epic"})), "framework");
        assert_eq!(bad("veo2-video", json!({"cfg_scale": 20.5})), "cfg_scale");
        assert_eq!(bad("promptchan-video", json!({"age_slider": 17})), "age_slider");
        assert_eq!(bad("wan-video-image-to-video", json!({"frames_per_second": 25})), "frames_per_second");
        good("wan-video-22-5b", json!({"frames_per_second": 60}));
        good("kling-lipsync-t2v", json!({"voice_speed": 0.8, "voice_language": "zh"}));
        // "quality" is Flux's own word, too; resolutions are never refused (wire.md 6).
        good("flux-3", json!({"quality": "draft", "resolution": "9000p", "nonsense": [1]}));
        good("veo2-video", json!({"num_frames": "81", "duration": 5, "seed": "a"}));
    }
}
