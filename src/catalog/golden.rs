//! What the embedded catalogue must say, as literals typed from the documents a second time.

use super::*;
use crate::domain::price::{Price, Shape};
use crate::domain::{Currency, ParameterKind, Request};
use serde_json::{Value, json};

pub(super) fn accounts() -> Vec<Account> {
    Service::ALL.iter().map(|s| Account::new(s.word(), *s)).collect()
}

pub(super) fn offer(name: &str) -> Offer {
    let catalog = Catalog::built_in().unwrap();
    catalog.find(&name.parse().unwrap(), &accounts()).unwrap_or_else(|| panic!("{name} is missing"))
}

pub(super) fn request(name: &str, params: Value) -> Request {
    let mut request = Request::new(&name.parse().unwrap(), "a river");
    request.params = serde_json::from_value(params).unwrap();
    request
}

#[test]
fn the_embedded_files_are_whole_and_their_models_unique() {
    let offers = Catalog::built_in().unwrap().offers(&accounts());
    let of = |account: &str| offers.iter().filter(|o| o.account == account).count();
    assert_eq!((of("ninjachat"), of("a4f")), (8, 7));
    assert!(of("nanogpt") >= 40);
    for offer in &offers {
        assert!(!offer.model.source.is_empty() && !offer.model.price.as_of.is_empty(), "{}", offer.model.id);
        assert_eq!(contradiction(&offer.model), None, "{}", offer.model.id);
    }
}

/// The ids of wire.md 1.10, spelled out.
const IDS: &str = "veo2-video veo2-video-image-to-video veo3-video veo3-fast-video veo3-1-video veo3-1-fast-video
    veo3-1-lite-video veo3-1-extend veo3-1-fast-extend sora-2 kling-video kling-video-v2 kling-v21-standard kling-v21-pro
    kling-v21-master kling-v25-turbo-pro kling-v25-turbo-std kling-v26-pro kling-v26-std kling-v26-std-motion-control
    kling-v30-std kling-v30-pro kling-v3-turbo-standard kling-v3-turbo-pro kling-v3-4k kling-o3-4k kling-video-o1
    kling-video-o1-standard kling-lipsync-t2v kling-lipsync-a2v kling-v2-avatar-standard kling-v2-avatar-pro
    minimax-video minimax-hailuo-02 minimax-hailuo-02-pro minimax-hailuo-23-standard minimax-hailuo-23-pro minimax-h3
    minimax/h3-max/extend-video minimax-h3-singularity/image-to-video hunyuan-video hunyuan-video-image-to-video
    hunyuan-video-15 wan-video-image-to-video wan-video-22 wan-video-22-5b wan-video-22-turbo wan-wavespeed-22-plus
    wan-22-plus wan-wavespeed-25 wan-25 wan-wavespeed-26 wan-26 wan-wavespeed-26-flash wan-26-flash wan-2.7-video
    alibaba/wan-3.0 alibaba/wan-3.0-prime wan-wavespeed-25-extend wan-wavespeed-22-spicy-extend seedance-video
    seedance-lite-video bytedance-seedance-v1-pro-fast bytedance-seedance-v1.5-pro bytedance-seedance-v1.5-pro-fast
    bytedance-seedance-2-0 bytedance-seedance-2-0-fast bytedance-seedance-2-0-mini doubao-seedance-2-0
    bytedance/seedance-2.5 pixverse-v45 pixverse-v5 pixverse-v55 pixverse-v56 pixverse-v6 pixverse-c1 vidu-video
    lightricks-ltx-2-fast lightricks-ltx-2-pro luma/agent/ray/v3.2 google/gemini-omni-flash google/gemini-omni-flash/v1.1
    grok-imagine-video grok-imagine-video-extend grok-imagine-video-edit xai/grok-imagine-video/v1.5/image-to-video
    runway-gen-45 runwayml-gen4-aleph flux-3 happyhorse-1.1 midjourney-video longstories-movie longstories-pixel-art
    video-upscaler bytedance-seedance-upscaler magicapi-video-face-swap";

#[test]
fn every_model_that_the_sources_name_is_there_and_nothing_extends_into_the_void() {
    let offers = Catalog::built_in().unwrap().offers(&account());
    let of = |id: &str| offers.iter().find(|o| o.model.id == id).map(|o| &*o.model);
    let missing: Vec<&str> = IDS.split_whitespace().filter(|id| of(id).is_none()).collect();
    assert_eq!(missing, [] as [&str; 0]);
    for model in offers.iter().map(|o| &o.model) {
        for id in &model.extended_by {
            let by = of(id).unwrap_or_else(|| panic!("{} is extended by {id}, which is missing", model.id));
            let clip = by.parameters.iter().any(|p| p.required && p.kind == ParameterKind::Video);
            assert!(clip || by.route.is_some(), "{id} takes no clip");
        }
        assert_eq!(model.route.is_some(), model.advanced.is_empty(), "{}", model.id);
    }
    let midjourney = of("midjourney-video-extend").unwrap();
    assert_eq!((midjourney.route.as_deref(), midjourney.own("run").unwrap().wire_key()), (Some("extend"), "runId"));
    let found = vec![Model::new("x", Service::Nanogpt, Price::unknown("discovered", "2026-11-20"), "discovered")];
    let catalog = Catalog::built_in().unwrap().with_discovered("nanogpt", &found);
    let gone = |id: &str| catalog.find(&format!("nanogpt/{id}").parse().unwrap(), &account()).unwrap().model.gone;
    assert!(
        gone("midjourney-video") && !gone("midjourney-video-extend"),
        "what has an address of its own is in no list"
    );
}

#[test]
fn every_model_prices_its_default_request_or_is_honestly_unknown() {
    for offer in Catalog::built_in().unwrap().offers(&accounts()) {
        let mut request = Request::new(&offer.model_ref(), "a river");
        for parameter in offer.model.parameters.iter().filter(|p| p.required && p.default.is_none()) {
            request.params.insert(parameter.name.clone(), parameter.choices().first().cloned().unwrap_or(json!(2)));
        }
        let unknown = matches!(offer.model.price.shape, Shape::Unknown { .. });
        assert_eq!(request.price(&offer.model).is_none(), unknown, "{}", offer.model.id);
    }
}

#[test]
fn illegal_choices_are_refused_as_the_documents_say() {
    let image = json!("https://x/y.jpg");
    let cases = [
        ("ninjachat/seedance-2", json!({"duration": 4}), "duration", "range"),
        ("ninjachat/seedance-2", json!({"duration": 16}), "duration", "range"),
        ("ninjachat/google-veo-2", json!({"duration": 7}), "duration", "one_of"),
        ("ninjachat/veo-3.1", json!({"duration": 5}), "duration", "one_of"),
        ("ninjachat/veo-3.1", json!({"aspect_ratio": "1:1"}), "aspect_ratio", "one_of"),
        ("ninjachat/veo-3.1", json!({"image": "cat.png"}), "image", "url"),
        ("ninjachat/runway-gen4.5", json!({"duration": 8}), "duration", "one_of"),
        ("ninjachat/runway-gen4-turbo", json!({}), "image", "input_required"),
        ("a4f/provider-2/sora-2", json!({"duration": 5}), "duration", "range"),
        ("a4f/provider-2/seedance-lite", json!({"resolution": "720p"}), "resolution", "one_of"),
        ("a4f/provider-2/veo", json!({"resolution": "480p"}), "resolution", "one_of"),
        ("a4f/provider-2/veo", json!({"image": image}), "image", "unknown"),
        ("nanogpt/veo2-video", json!({"duration": 31}), "duration", "range"),
        ("nanogpt/sora-2", json!({"resolution": "1792x1024"}), "resolution", "one_of"),
        ("nanogpt/kling-v21-standard", json!({}), "image", "input_required"),
        ("nanogpt/kling-video-v2", json!({"cfg_scale": 1.5}), "cfg_scale", "range"),
        ("nanogpt/lightricks-ltx-2-fast", json!({"duration": 7}), "duration", "range"),
        ("nanogpt/hunyuan-video", json!({"num_frames": 100}), "num_frames", "one_of"),
        ("nanogpt/seedance-video", json!({"resolution": "9000p"}), "resolution", "one_of"),
        ("nanogpt/luma/agent/ray/v3.2", json!({"reference_images": vec![&image; 5]}), "reference_images", "max_len"),
        ("nanogpt/minimax-h3", json!({"reference_images": ["data:image/png;base64,AA"]}), "reference_images", "url"),
        ("nanogpt/midjourney-video-extend", json!({"run": "vid_a", "index": 4}), "index", "range"),
        ("nanogpt/midjourney-video-extend", json!({"index": 1}), "run", "input_required"),
        ("nanogpt/midjourney-video-extend", json!({"run": "vid_a", "script": "x"}), "script", "unknown"),
        ("nanogpt/kling-lipsync-a2v", json!({"video": "https://x/y.mp4"}), "audio", "input_required"),
        (
            "nanogpt/kling-video-o1",
            json!({"video": "https://x/y.mp4", "reference_videos": "https://x/z.mp4"}),
            "reference_videos",
            "excludes",
        ),
        ("nanogpt/alibaba/wan-3.0", json!({"mode": "image-to-video"}), "image", "input_required"),
        ("nanogpt/grok-imagine-video-extend", json!({"video": "https://x/y.mp4"}), "source_seconds", "input_required"),
        ("nanogpt/longstories-movie", json!({"duration": 15}), "duration", "one_of"),
    ];
    for (name, params, field, rule) in cases {
        let problems = request(name, params.clone()).validate(&offer(name).model).unwrap_err();
        assert!(problems.iter().any(|p| p.field == field && p.rule == rule), "{name} {params}: {problems:?}");
    }
    assert_eq!(
        request("nanogpt/kling-video-v2", json!({"cfg_scale": 0.35})).validate(&offer("nanogpt/kling-video-v2").model),
        Ok(())
    );
}

#[test]
fn a_story_needs_a_prompt_or_a_script() {
    let movie = offer("nanogpt/longstories-movie").model;
    let ask = |prompt: &str, params: Value| {
        let mut request = request("nanogpt/longstories-movie", params);
        request.prompt = prompt.to_owned();
        request.validate(&movie).map_err(|problems| (problems[0].field.clone(), problems[0].rule.clone()))
    };
    assert_eq!(ask(" ", json!({})), Err(("prompt".to_owned(), "input_required".to_owned())));
    assert_eq!(ask("a river", json!({})), Ok(()));
    assert_eq!(ask("", json!({"script": "INT. KITCHEN"})), Ok(()));
    assert_eq!(ask("", json!({"storyConfig": {"scenes": []}})), Ok(()));
}

#[test]
fn prompt_caps_are_known_where_the_sources_name_them() {
    for (name, max) in [
        ("ninjachat/veo-3.1", Some(4000)),
        ("nanogpt/minimax-hailuo-02", Some(2000)),
        ("nanogpt/lightricks-ltx-2-fast", Some(3000)),
        ("nanogpt/veo2-video", None),
    ] {
        assert_eq!(offer(name).model.prompt_max, max, "{name}");
    }
}

#[test]
fn an_unknown_model_finds_its_neighbours() {
    let catalog = Catalog::built_in().unwrap();
    assert_eq!(catalog.nearest("ninjachat/veo3.1", &accounts())[0], "ninjachat/veo-3.1");
    assert_eq!(catalog.nearest("veo2-vido", &accounts())[0], "nanogpt/veo2-video");
    assert_eq!(catalog.nearest("zzzzzz", &accounts()), Vec::<String>::new());
}

fn discovered(text: &str) -> Vec<Model> {
    let entries = read::entries(text, "test", Some("discovered")).unwrap();
    entries.iter().map(|e| e.model().unwrap()).collect()
}

fn account() -> [Account; 1] {
    [Account::new("nanogpt", Service::Nanogpt)]
}

#[test]
fn discovery_never_lowers_a_price_and_marks_what_is_gone() {
    let found = discovered(
        r#"
        service = "nanogpt"
        as_of = "2026-11-01"
        [[models]]
        id = "bytedance-seedance-v1.5-pro"
        parameters = [{ name = "resolution", type = "text", one_of = ["480p", "720p"], default = "480p" }]
        price = { shape = { per_second = { amount = "0.0153" } } }
        [[models]]
        id = "kling-video"
        price = { shape = { per_clip = { amount = "0.90" } } }
        [[models]]
        id = "brand-new"
        price = { shape = { unknown = {} } }
        "#,
    );
    let catalog = Catalog::built_in().unwrap().with_discovered("nanogpt", &found);
    let find = |id: &str| catalog.find(&ModelRef { account: "nanogpt".into(), model: id.into() }, &account()).unwrap();
    let seedance = find("bytedance-seedance-v1.5-pro");
    let name = "nanogpt/bytedance-seedance-v1.5-pro";
    assert_eq!(request(name, json!({})).price(&seedance.model).unwrap().to_string(), "$0.13", "not $0.0765");
    assert_eq!(
        request(name, json!({"resolution": "480p"})).price(&seedance.model).unwrap().to_string(),
        "$0.0765",
        "where the service asks more, that stands"
    );
    assert!(request(name, json!({"resolution": "1080p"})).validate(&seedance.model).is_err(), "the newer list stands");
    assert_eq!(
        request("nanogpt/kling-video", json!({})).price(&find("kling-video").model).unwrap().to_string(),
        "$0.90"
    );
    assert!(!find("brand-new").model.gone && find("veo2-video").model.gone);
    assert!(!Catalog::built_in().unwrap().with_discovered("nanogpt", &[]).offers(&account())[0].model.gone);
}

#[test]
fn one_wire_key_is_one_parameter_under_the_name_the_user_knows() {
    let found = discovered(
        r#"
        service = "nanogpt"
        [[models]]
        id = "bytedance-seedance-v1.5-pro"
        parameters = [{ name = "generateAudio", type = "boolean", default = true }]
        price = { shape = { per_second = { amount = "1" } }, times = [{ amount = "3", when = { generateAudio = [true] } }] }
        [[models]]
        id = "sora-2"
        parameters = [{ name = "orientation", type = "text", one_of = ["landscape", "portrait"], default = "landscape" }]
        price = { shape = { unknown = {} } }
        "#,
    );
    let catalog = Catalog::built_in().unwrap().with_discovered("nanogpt", &found);
    let find =
        |id: &str| catalog.find(&ModelRef { account: "nanogpt".into(), model: id.into() }, &account()).unwrap().model;
    let seedance = find("bytedance-seedance-v1.5-pro");
    assert!(seedance.parameter("generateAudio").is_none());
    let audio = seedance.parameter("audio").unwrap();
    assert_eq!(
        (audio.wire_key(), &audio.default),
        ("generateAudio", &Some(json!(false))),
        "sound is off unless asked for"
    );
    let loud = request("nanogpt/bytedance-seedance-v1.5-pro", json!({"audio": true}));
    assert_eq!(loud.price(&seedance).unwrap().to_string(), "$15.00", "the live price follows the name");
    let sora = find("sora-2");
    assert!(sora.parameter("orientation").is_none());
    assert_eq!(sora.parameter("aspect_ratio").unwrap().map["9:16"], json!("portrait"));
}

#[test]
fn the_users_file_says_only_what_it_changes_and_its_price_stands() {
    let text = r#"
        [[models]]
        id = "veo2-video"
        service = "nanogpt"
        price = { as_of = "2026-11-02", shape = { per_clip = { amount = "1.00" } } }
    "#;
    let cheap = discovered(
        "service = \"nanogpt\"\n[[models]]\nid = \"veo2-video\"\nprice = { shape = { per_clip = { amount = \"9.00\" } } }",
    );
    let catalog = Catalog::built_in().unwrap().with_user(text, "models.toml").unwrap();
    let catalog = catalog.with_discovered("nanogpt", &cheap);
    let offer = catalog.find(&"nanogpt/veo2-video".parse().unwrap(), &account()).unwrap();
    let estimate = offer.estimate(&request("nanogpt/veo2-video", json!({}))).unwrap();
    assert_eq!((estimate.money.to_string(), estimate.source), ("$1.00".to_owned(), crate::domain::PriceSource::User));
    let set_aside = offer.reservation(&request("nanogpt/veo2-video", json!({}))).unwrap();
    assert_eq!(set_aside.to_string(), "$9.00", "a lower price of the user's lowers no reservation");
    assert!(offer.model.parameter("duration").is_some(), "what it does not say stays");
    assert_eq!(estimate.money.currency, Currency::Usd);
}

#[test]
fn a_mistake_in_the_users_file_is_named_with_its_place() {
    let refused = |text: &str| Catalog::built_in().unwrap().with_user(text, "models.toml").unwrap_err().to_string();
    assert!(refused("\n\n[[modles]]\nid = \"x\"").starts_with("models.toml:3: unknown field `modles`"));
    let typo = refused("[[models]]\nid = \"veo2-video\"\nservice = \"nanogpt\"\nprompt_maximum = 3");
    assert!(typo.contains("model veo2-video") && typo.contains("prompt_maximum"), "{typo}");
    let default = "[[models]]\nid = \"veo2-video\"\nservice = \"nanogpt\"\nparameters = [{ name = \"duration\", type = \"integer\", one_of = [5], default = 6 }]";
    assert!(refused(default).contains("refuses its own defaults"), "{}", refused(default));
    assert!(refused("[[models]]\nid = \"x\"").contains("names no `service`"));
}

#[test]
fn an_account_is_offered_its_own_generation_and_the_first_until_that_is_known() {
    let text = r#"
        service = "ninjachat"
        [[models]]
        id = "veo"
        generation = "old"
        source = "a"
        price = { shape = { per_clip = { amount = "5.00" } } }
        [[models]]
        id = "veo"
        generation = "new"
        source = "b"
        price = { shape = { unknown = {} } }
    "#;
    let built_in = read::entries(text, "test", None).unwrap().iter().map(|e| e.model().unwrap()).collect();
    let mut dearer = Model::new("veo", Service::Ninjachat, Price::unknown("discovered", "2026-11-20"), "discovered");
    dearer.generation = Some("new".into());
    dearer.price.shape = Shape::PerClip { amount: 7.into() };
    let catalog = Catalog { built_in, ..Catalog::default() }.with_discovered("ninjachat", &[dearer]);
    let user = "[[models]]\nid = \"veo\"\nservice = \"ninjachat\"\ngeneration = \"new\"\nbest_for = \"rain\"";
    let catalog = catalog.with_user(user, "models.toml").unwrap();
    let offered = |generation: Option<&str>| {
        let account =
            Account { generation: generation.map(str::to_owned), ..Account::new("ninjachat", Service::Ninjachat) };
        let offers = catalog.offers(&[account]);
        let told = |o: &Offer| format!("{} {} {:?}", o.model.source, o.model.price.text(), o.model.best_for);
        offers.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(offered(Some("old")), ["a $5.00 a clip None"], "what is found at the new one is no news of the old one");
    assert_eq!(offered(None), offered(Some("old")));
    assert_eq!(offered(Some("new")), ["models.toml $7.00 a clip Some(\"rain\")"]);
}

#[test]
fn the_new_generation_of_ninjachat_has_its_own_models_and_assumes_no_old_price() {
    let account = Account { generation: Some("new".into()), ..Account::new("ninjachat", Service::Ninjachat) };
    let offers = Catalog::built_in().unwrap().offers(std::slice::from_ref(&account));
    assert_eq!(offers.len(), 32, "wire.md 2.3");
    let of = |id: &str| offers.iter().find(|o| o.model.id == id).unwrap_or_else(|| panic!("{id} is missing"));
    assert!(offers.iter().all(|o| o.model.id != "runway-gen4-turbo"), "gone in the new one");
    let ask = |id: &str, params: Value| request(&format!("ninjachat/{id}"), params).validate(&of(id).model);
    let link = json!("https://example.com/a.png");
    assert_eq!(
        ask("nova-reel", json!({"duration": 15, "reference_images": vec![&link; 4], "watermark": true})),
        Ok(())
    );
    for (id, params, rule) in [
        ("nova-reel", json!({"duration": 3}), ("duration", "range")),
        ("nova-reel", json!({"reference_images": vec![&link; 5]}), ("reference_images", "max_len")),
        ("nova-reel", json!({"end_image": "a.png"}), ("end_image", "url")),
        ("nova-reel", json!({"resolution": "720p"}), ("resolution", "unknown")),
        ("veo-3.1", json!({"duration": 5}), ("duration", "one_of")),
        ("runway-gen4.5", json!({"duration": 8}), ("duration", "one_of")),
        ("wan-2.6-i2v", json!({}), ("image", "input_required")),
        ("wan-2.7-r2v", json!({}), ("reference_images", "input_required")),
    ] {
        let problems = ask(id, params.clone()).unwrap_err();
        assert_eq!((problems[0].field.as_str(), problems[0].rule.as_str()), rule, "{id} {params}");
    }
    assert_eq!(ask("wan-2.7-r2v", json!({"reference_video": "https://example.com/a.mp4"})), Ok(()));
    for offer in &offers {
        let mut request = Request::new(&offer.model_ref(), "a river");
        request.params.insert("duration".into(), json!(10));
        assert_eq!(request.price(&offer.model), None, "{}", offer.model.id);
        assert!(offer.model.parameter("duration").unwrap().default.is_some(), "the length is always sent");
    }
}
