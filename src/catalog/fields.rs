//! What a service documents without saying for which of its models: advanced parameters, and the
//! fields that are never sent, with the reason.
//!
//! Knows the form of that file, and which of its fields a model's own parameters stand for. Must not
//! know any field.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::CatalogError;
use crate::domain::rule::Check;
use crate::domain::{Model, Parameter, Service};

/// A documented field that no order carries under the user's hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotSent {
    /// Its key on the wire.
    pub name: String,
    /// Why, as the rest of a sentence.
    pub reason: String,
    /// Where it stands: a seed's file name, a section of wire.md.
    pub source: String,
}

/// Fields that only a model with such an input of its own is given; the first of each is the usual one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Media {
    image: Vec<String>,
    video: Vec<String>,
    audio: Vec<String>,
    /// A face and the clip it is put in.
    face: Vec<String>,
    /// Fields that stand for the first of their row: where one is given, the other need not be.
    stand_ins: Vec<String>,
}

impl Fields {
    /// Whether a model may be given a field: one that carries no input, or another way to give an input
    /// whose first field stands among the model's own.
    fn suits(&self, model: &Model, field: &str) -> bool {
        let takes = |input: &[String]| {
            let first = input.first().and_then(|first| self.fields.iter().find(|field| field.name == *first));
            first.is_some_and(|first| model.parameters.iter().any(|own| hides(own, first)))
        };
        let Media { image, video, audio, face, .. } = &self.media;
        [image, video, audio, face].into_iter().all(|input| !input.iter().any(|name| name == field) || takes(input))
    }
}

/// The fields of one service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) service: Service,
    /// As advanced parameters.
    fields: Vec<Parameter>,
    /// The fields that carry each kind of input, by their names.
    media: Media,
    pub(super) not_sent: Vec<NotSent>,
}

impl Fields {
    /// Reads an embedded file.
    ///
    /// # Errors
    /// [`CatalogError`] for an unknown key, or two fields of one name or wire key.
    pub(super) fn read(text: &str, file: &str) -> Result<Fields, CatalogError> {
        let wrong = |message: String| CatalogError { place: file.to_owned(), message };
        let fields: Fields = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for (i, field) in fields.fields.iter().enumerate() {
            if fields.fields[..i].iter().any(|other| hides(other, field)) {
                return Err(wrong(format!("{} is there twice", field.name)));
            }
        }
        let media = &fields.media;
        for name in [&media.image, &media.video, &media.audio, &media.face].into_iter().flatten() {
            if !fields.fields.iter().any(|field| field.name == *name) {
                return Err(wrong(format!("[media] names {name}, which is no field")));
            }
        }
        Ok(fields)
    }

    /// Gives each model those fields that its own parameters do not stand for. Models with the same
    /// ones share one list; a model that is ordered in a way of its own takes none.
    pub(super) fn hand_out(&self, models: &mut [Model]) {
        let mut lists: BTreeMap<Vec<usize>, Arc<Vec<Parameter>>> = BTreeMap::new();
        for model in models.iter_mut().filter(|m| m.service == self.service && m.route.is_none()) {
            let free = |field: &Parameter| !model.parameters.iter().any(|own| hides(own, field));
            let suits = |field: &Parameter| self.suits(model, &field.name);
            let left: Vec<usize> =
                (0..self.fields.len()).filter(|at| free(&self.fields[*at]) && suits(&self.fields[*at])).collect();
            let list = || Arc::new(left.iter().map(|at| self.fields[*at].clone()).collect());
            model.advanced = lists.entry(left.clone()).or_insert_with(list).clone();
            self.let_stand_in(model);
        }
    }
}

impl Fields {
    /// Lets a file that the service keeps stand for one that an order must bring.
    fn let_stand_in(&self, model: &mut Model) {
        let Media { image, video, audio, stand_ins, .. } = &self.media;
        for row in [image, video, audio] {
            let Some(first) = row.first().and_then(|first| self.fields.iter().find(|field| field.name == *first))
            else {
                continue;
            };
            let given = |name: &&String| stand_ins.contains(name) && model.advanced.iter().any(|p| p.name == **name);
            let others: Vec<String> = row.iter().filter(given).cloned().collect();
            for own in model.parameters.iter_mut().filter(|own| hides(own, first)) {
                own.or.clone_from(&others);
                for rule in &mut model.rules {
                    if rule.field == own.name && matches!(rule.check, Check::InputRequired(true)) {
                        rule.when.extend(others.iter().map(|other| (other.clone(), vec!["none".into()])));
                    }
                }
            }
        }
    }
}

/// Whether `own` stands for `field`: by name, or by a key that both are sent under.
fn hides(own: &Parameter, field: &Parameter) -> bool {
    let sent = |p: &Parameter, key: &str| p.wire_key() == key || p.wire_data.as_deref() == Some(key);
    own.name == field.name
        || sent(own, field.wire_key())
        || field.wire_data.as_deref().is_some_and(|key| sent(own, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Account, Catalog};
    use crate::domain::{Offer, Request};
    use serde_json::{Value, json};

    fn offers() -> Vec<Offer> {
        Catalog::built_in().unwrap().offers(&[Account::new("nanogpt", Service::Nanogpt)])
    }

    fn model(id: &str) -> Arc<Model> {
        offers().into_iter().find(|o| o.model.id == id).unwrap_or_else(|| panic!("{id} is missing")).model
    }

    /// Every field that seed 003 prints, by table, and the keys of its Body part.
    const SEED_003: &str = "
        model conversationUUID prompt negative_prompt script storyConfig animation language characters duration
        seconds aspect_ratio orientation resolution size mode generateAudio enhancePrompt pro_mode pro
        enable_prompt_expansion enable_safety_checker camera_fix camera_fixed cameraFixed seed voiceId voice_id
        voice_language voice_speed videoDuration billedDuration adjust_fps_for_interpolation
        imageDataUrl imageUrl imageAttachmentId image reference_image referenceImages referenceVideos audioDataUrl
        audioDuration audioUrl audio videoUrl videoDataUrl video videoAttachmentId swapImage targetVideo targetFaceIndex
        num_frames frames_per_second num_inference_steps guidance_scale shift interpolator_model
        num_interpolated_frames movementAmplitude motion style effectType effect cameraMovement motionMode
        soundEffectSwitch soundEffectPrompt prompt_optimizer
        projectId framework shortRequestEnhancer targetLengthInWords targetLengthInSeconds directorNotes aspectRatio
        scriptConfig imageConfig videoConfig voiceoverConfig captionsConfig effectsConfig musicConfig voice captionsShow
        captionsStyle effects quality music cfg_scale showExplicitContent acceleration age_slider audioEnabled
        video_quality aspect image_data_url runId taskId index";

    #[test]
    fn every_field_of_seed_003_can_be_sent_or_says_why_not() {
        let (offers, catalog) = (offers(), Catalog::built_in().unwrap());
        let not_sent: Vec<&str> = catalog.not_sent(Service::Nanogpt).map(|n| n.name.as_str()).collect();
        let sends = |p: &Parameter, key: &str| p.wire_key() == key || p.wire_data.as_deref() == Some(key);
        let mut missing = Vec::new();
        for key in SEED_003.split_whitespace() {
            let one = |o: &Offer| o.model.parameters.iter().chain(&*o.model.advanced).any(|p| sends(p, key));
            if !not_sent.contains(&key) && !offers.iter().any(one) {
                missing.push(key);
            }
        }
        assert_eq!(missing, [] as [&str; 0]);
        assert!(catalog.not_sent(Service::Nanogpt).all(|n| !n.reason.is_empty() && !n.source.is_empty()));
        assert_eq!(catalog.not_sent(Service::A4f).count(), 0);
    }

    #[test]
    fn a_models_own_parameter_hides_the_field_by_name_and_by_key() {
        let advanced = |id: &str| model(id).advanced.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        let veo = advanced("veo3-video");
        for own in ["duration", "aspect_ratio", "generateAudio", "image", "enhancePrompt"] {
            assert!(!veo.contains(&own.to_owned()), "{own} is the model's own");
        }
        assert!(veo.contains(&"script".to_owned()) && veo.contains(&"cfg_scale".to_owned()));
        let sora = advanced("sora-2");
        assert!(!sora.contains(&"seconds".to_owned()) && !sora.contains(&"duration".to_owned()));
        let ends: Vec<Arc<Vec<Parameter>>> =
            ["minimax-hailuo-23-standard", "minimax-hailuo-23-pro"].map(|id| model(id).advanced.clone()).into();
        assert_eq!(ends[0], ends[1]);
        let all = offers();
        let of = |id: &str| &all.iter().find(|o| o.model.id == id).unwrap().model.advanced;
        assert!(
            Arc::ptr_eq(of("minimax-hailuo-23-standard"), of("minimax-hailuo-23-pro")),
            "the same list is there once"
        );
    }

    #[test]
    fn a_file_that_the_service_keeps_stands_for_one_that_an_order_must_bring() {
        let animate = model("hunyuan-video-image-to-video");
        let ask = |params: Value| {
            let mut request = Request::new(&"nanogpt/hunyuan-video-image-to-video".parse().unwrap(), "a river");
            request.params = serde_json::from_value(params).unwrap();
            request
        };
        let missing = ask(json!({})).validate(&animate).unwrap_err();
        assert_eq!((missing[0].field.as_str(), missing[0].rule.as_str()), ("image", "input_required"));
        let mut kept = ask(json!({"imageAttachmentId": "att_1"}));
        assert_eq!((kept.validate(&animate), kept.price(&animate)), (Ok(()), None));
        kept.minimal = true;
        assert!(kept.values(&animate).contains_key("imageAttachmentId"), "what it needs goes along");
    }

    #[test]
    fn a_field_is_checked_as_its_row_says_and_what_may_be_billed_has_no_price() {
        let kling = model("kling-v26-pro");
        let ask = |params: Value| {
            let mut request = Request::new(&"nanogpt/kling-v26-pro".parse().unwrap(), "a river");
            request.params = serde_json::from_value(params).unwrap();
            request
        };
        for (params, rule) in [
            (json!({"age_slider": 17}), "range"),
            (json!({"age_slider": 61}), "range"),
            (json!({"frames_per_second": 25}), "range"),
            (json!({"num_inference_steps": 0}), "range"),
            (json!({"voice_speed": 2.1}), "range"),
            (json!({"framework": "epic"}), "one_of"),
            (json!({"captionsStyle": "comic"}), "one_of"),
            (json!({"quality": "ultra"}), "one_of"),
            (json!({"mode": "text"}), "one_of"),
            (json!({"captionsShow": "yes"}), "type"),
            (json!({"referenceImages": ["a.png"]}), "url"),
            (json!({"reference_image": "a.png"}), "url"),
            // A model that takes no clip of its own is not given one.
            (json!({"targetVideo": "https://x/a.mp4"}), "unknown"),
            (json!({"videoAttachmentId": "a"}), "unknown"),
            (json!({"conversationUUID": "x"}), "unknown"),
        ] {
            let problems = ask(params.clone()).validate(&kling).unwrap_err();
            assert_eq!(problems[0].rule, rule, "{params}: {problems:?}");
        }
        let free = ask(json!({"directorNotes": "warm", "captionsStyle": "neon", "showExplicitContent": true}));
        assert!(free.validate(&kling).is_ok() && free.price(&kling).is_some());
        for billed in ["billedDuration", "num_frames", "resolution", "size", "script", "imageAttachmentId"] {
            let mut request = ask(json!({}));
            request.params.insert(billed.into(), json!("720p"));
            assert_eq!(request.price(&kling), None, "{billed} may change the bill");
        }
        let wide = ask(json!({"videoConfig": {"enabled": true, "model": "veo2"}, "billedDuration": 12.5}));
        assert!(wide.validate(&kling).is_ok());
    }
}
