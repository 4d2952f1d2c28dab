//! Journeys: further fields, going on from a clip, the cheapest draft, a retry of what is needed, a
//! picture made smaller only when that was said.

use std::sync::Arc;

use rushes::domain::message::{Answer, Draft, NewJob, Offer};
use rushes::domain::observed::{Learnt, price_key};
use rushes::domain::{
    Command, ErrorKind, Event, Job, JobError, JobId, JobState, Observation, Parameter, Problem, Request, Snapshot,
};
use serde_json::json;

use super::world::{Stage, detail, job, offers, snapshot, usd};

const WIDE: (u16, u16) = (160, 46);
const PROMPT: &str = "a quiet harbor at dawn";

/// The small world with models that go on from each other and further fields at one service.
pub fn further() -> Snapshot {
    #[derive(serde::Deserialize)]
    struct File {
        models: Vec<rushes::domain::Model>,
        advanced: Vec<Parameter>,
    }
    let file: File = toml::from_str(include_str!("further.toml")).unwrap();
    let advanced = Arc::new(file.advanced);
    let more = file.models.into_iter().map(|mut model| {
        model.advanced = advanced.clone();
        Offer::new("nanogpt", model)
    });
    Snapshot { offers: Arc::new(offers().iter().cloned().chain(more).collect()), ..snapshot() }
}

pub fn at(model: &str) -> Stage {
    let mut stage = Stage::new(WIDE, further());
    stage.keys("n F2").types(model).keys("Enter");
    assert!(stage.app.compose().model_name().ends_with(model), "{}", stage.app.compose().model_name());
    stage
}

fn queued(stage: &Stage) -> &[NewJob] {
    match stage.commands().last() {
        Some(Command::Queue { jobs }) => jobs,
        other => panic!("not an order: {other:?}"),
    }
}

#[test]
fn a_further_field_is_found_added_checked_sent_and_removed() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("F7").types("voi");
    let text = stage.text();
    assert!(text.contains("text, at most 80 characters") && text.contains("of the narrator"), "{text}");
    stage.keys("Enter").types("calm and low");
    assert_eq!(stage.app.compose().form().values()["voice"], "calm and low", "the cursor stands in it");
    stage.keys("Ctrl-S");
    assert_eq!(queued(&stage)[0].request.params["voice"], "calm and low");
    assert_eq!(queued(&stage)[0].request.params.get("num_frames"), None, "what was not added is not sent");
    stage.keys("Ctrl-U").types(&"x".repeat(81)).answer(Answer::Refused { problems: vec![] });
    stage.keys("Ctrl-S");
    assert!(
        stage.text().contains("voice: has 81 characters") && stage.text().contains("[max_len]"),
        "{}",
        stage.text()
    );
    stage.keys("Alt-x");
    assert_eq!(stage.app.compose().form().values().get("voice"), None);
    stage.keys("Tab Alt-x");
    assert!(stage.text().contains("only a field that was added can be removed"), "{}", stage.text());
}

#[test]
fn a_field_that_may_bill_makes_the_price_unknown_and_wants_a_ceiling() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("F7").types("frames");
    assert!(stage.text().contains("price unknown then"), "{}", stage.text());
    stage.keys("Enter");
    assert!(stage.text().contains("num_frames may change what is charged"), "{}", stage.text());
    assert!(stage.text().contains("1 job, $3.20"), "nothing stands in it yet: {}", stage.text());
    stage.keys("Right");
    assert_eq!(stage.app.compose().form().values()["num_frames"], 81);
    let text = stage.text();
    assert!(text.contains("1 job, price unknown") && text.contains("at most $"), "{text}");
    stage.keys("Tab").types("4").keys("Ctrl-S");
    assert_eq!(
        (queued(&stage)[0].ceiling, &queued(&stage)[0].request.params["num_frames"]),
        (Some(usd("4")), &json!(81))
    );
}

#[test]
fn added_fields_survive_the_draft_and_another_model_and_links_are_counted() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("F7").types("refer").keys("Enter");
    stage.types("https://a.example/1.png, https://a.example/2.png");
    assert!(stage.text().contains("2 of 4 links"), "{}", stage.text());
    stage.keys("F2").types("seedance").keys("Enter");
    assert_eq!(stage.app.compose().form().added(), ["referenceImages"], "the same service takes it at every model");
    stage.keys("F2").types("ninjachat/veo-3.1").keys("Enter");
    assert_eq!(stage.app.compose().form().added(), Vec::<String>::new());
    stage.keys("F2").types("veo3-1-video").keys("Enter");
    assert_eq!(
        stage.app.compose().form().values()["referenceImages"],
        "https://a.example/1.png, https://a.example/2.png"
    );
    stage.keys("Esc");
    let draft = stage.sent.iter().rev().find_map(|(_, command)| match command {
        Command::SaveDraft { draft } => Some(draft.clone()),
        _ => None,
    });
    let again = Stage::new(WIDE, Snapshot { draft, ..further() });
    assert!(again.app.compose().form().values().contains_key("referenceImages"), "a crash loses nothing");
    // What another model had as its own field never comes back as an added one, which could bill.
    let mut stage = at("veo3-1-video");
    let Snapshot { offers, .. } = further();
    let billing = Parameter { bills: true, ..offers.iter().find_map(|o| o.model.own("resolution")).unwrap().clone() };
    let offers = offers.iter().cloned().map(|mut offer| {
        Arc::make_mut(&mut offer.model).advanced = Arc::new(vec![billing.clone()]);
        offer
    });
    stage.event(Event::OffersChanged(Arc::new(offers.collect())));
    stage.keys("Tab Tab Tab Right F2").types("seedance").keys("Enter");
    assert_eq!(stage.app.compose().form().added(), Vec::<String>::new());
    let kept = Draft { params: stage.app.compose().form().remembered(), ..stage.app.compose().draft() };
    assert_eq!(kept.params.get("resolution"), None);
}

/// The done job, made at this model.
pub fn done_at(model: &str) -> Job {
    let mut job = job(6, JobState::Done);
    job.request.account = "nanogpt".to_owned();
    job.request.model = model.to_owned();
    job
}

fn with(jobs: &[Job]) -> Stage {
    Stage::new(WIDE, Snapshot { jobs: jobs.iter().map(Job::row).collect(), ..further() })
}

#[test]
fn a_finished_clip_is_gone_on_from_by_one_key_and_nothing_is_queued_until_it_is_said() {
    let mut done = done_at("veo3-1-video");
    let mut stage = with(&[done.clone()]);
    assert!(stage.text().lines().last().unwrap().contains("x extend"), "{}", stage.text());
    stage.keys("x").answer(Answer::Detail(Box::new(detail(&done))));
    let text = stage.text();
    assert!(text.contains("nanogpt/veo3-1-extend") && text.contains("nanogpt/midjourney-extend"), "{text}");
    stage.types("veo").keys("Enter");
    assert!(stage.text().contains("goes on from j-6"), "{}", stage.text());
    assert!(stage.commands().is_empty(), "nothing is queued by itself");
    stage.keys("Ctrl-S");
    let order = &queued(&stage)[0];
    assert_eq!((order.parent, order.request.model.as_str()), (Some(JobId(6)), "veo3-1-extend"));
    assert_eq!(order.request.params["video"], done.files[0].path.as_str(), "the file, as there is no link");
    assert_eq!(order.request.prompt, done.request.prompt);
    // The link, where there is one; and another clip in the field is no continuation.
    done.links = vec!["https://cdn.example/6.mp4".to_owned()];
    let mut stage = with(&[done.clone()]);
    stage.keys("x").answer(Answer::Detail(Box::new(detail(&done)))).types("veo").keys("Enter Tab Tab");
    assert_eq!(stage.app.compose().form().values()["video"], "https://cdn.example/6.mp4");
    stage.types("?x").keys("Ctrl-S");
    assert_eq!(queued(&stage)[0].parent, None);
}

#[test]
fn a_run_is_gone_on_from_by_its_id_and_what_nothing_extends_says_so() {
    let done = done_at("veo3-1-video");
    let mut stage = with(std::slice::from_ref(&done));
    stage.keys("Enter").wait(1_000).answer(Answer::Detail(Box::new(detail(&done))));
    assert!(stage.text().contains("x goes on from this clip"), "{}", stage.text());
    stage.keys("x").types("mid").keys("Enter Ctrl-S");
    let order = &queued(&stage)[0];
    assert_eq!(order.request.params["run"], done.remote_id.as_deref().unwrap());
    assert_eq!((&order.request.params["index"], order.parent), (&json!(0), Some(JobId(6))));
    let other = done_at("seedance-lite");
    let mut stage = with(&[other.clone(), job(4, JobState::Running)]);
    stage.keys("x").answer(Answer::Detail(Box::new(detail(&other))));
    assert!(stage.text().contains("no model of nanogpt extends clips of seedance-lite"), "{}", stage.text());
    let running = job(4, JobState::Running);
    stage.keys("j x").answer(Answer::Detail(Box::new(detail(&running))));
    assert!(stage.text().contains("j-4 is running: only a finished clip can be extended"), "{}", stage.text());
    assert!(stage.commands().is_empty() && stage.app.overlays().is_empty());
}

#[test]
fn a_draft_goes_to_the_cheapest_and_back_by_the_same_key() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("Tab Tab Tab Right Tab Right F8");
    let text = stage.text();
    assert!(text.contains("1 job, $0.15"), "{text}");
    assert!(text.contains("draft: was nanogpt/veo3-1-video 8 s") && text.contains("$5.20; F8 goes back"), "{text}");
    assert!(text.contains("draft at nanogpt/seedance-lite for $0.15"), "{text}");
    assert_eq!(stage.app.compose().form().values()["duration"], 3);
    stage.keys("Ctrl-S");
    assert_eq!(
        (queued(&stage)[0].request.model.as_str(), queued(&stage)[0].request.prompt.as_str()),
        ("seedance-lite", PROMPT)
    );
    stage.answer(Answer::Accepted { ids: vec![JobId(11)], known: 0 });
    stage.keys("F8");
    let values = stage.app.compose().form().values();
    assert_eq!(stage.app.compose().model_name(), "nanogpt/veo3-1-video");
    assert_eq!(
        (&values["duration"], &values["resolution"], &values["audio"]),
        (&json!(8), &json!("1080p"), &json!(true))
    );
    assert!(!stage.text().contains("draft: was"));
}

#[test]
fn a_draft_keeps_the_inputs_and_says_so_where_no_price_is_known() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("Tab Tab Tab Tab Tab").types("https://a.example/cat.png").keys("F8");
    assert_eq!(stage.app.compose().model_name(), "nanogpt/seedance-lite");
    assert_eq!(stage.app.compose().form().values()["image"], "https://a.example/cat.png");
    let mystery = further().offers.iter().filter(|o| o.model.id == "mystery-video").cloned().collect();
    let mut stage = Stage::new(WIDE, Snapshot { offers: Arc::new(mystery), ..further() });
    stage.keys("n").types(PROMPT).keys("F8");
    assert!(stage.text().contains("has a known price, so none can be called the cheapest"), "{}", stage.text());
    assert_eq!(stage.app.compose().model_name(), "nanogpt/mystery-video");
}

#[test]
fn a_refused_parameter_is_retried_with_only_what_is_needed_when_that_is_chosen() {
    let mut failed = done_at("veo3-1-video");
    failed.state = JobState::Failed;
    failed.request.params = serde_json::from_value(json!({"duration": 4, "voice": "low"})).unwrap();
    failed.error = Some(JobError::new(ErrorKind::Invalid, "voice is not a parameter of this model"));
    let mut stage = with(&[failed.clone()]);
    stage.keys("Enter").wait(1_000).answer(Answer::Detail(Box::new(detail(&failed))));
    assert!(stage.text().contains("Tab in that question sends only"), "{}", stage.text());
    stage.keys("r");
    assert!(stage.text().contains("[ ] only the fields that the model needs, for $1.60"), "{}", stage.text());
    stage.keys("Tab");
    assert!(stage.text().contains("[x] only the fields"), "{}", stage.text());
    stage.keys("y");
    assert_eq!(stage.commands(), [&Command::Retry { ids: vec![JobId(6)], may_pay_twice: false, minimal: true }]);
    let mut stage = with(&[failed]);
    stage.keys("r y");
    assert_eq!(stage.commands(), [&Command::Retry { ids: vec![JobId(6)], may_pay_twice: false, minimal: false }]);
    let mut stage = with(&[job(7, JobState::Failed)]);
    stage.keys("r Tab");
    assert!(!stage.text().contains("only the fields"), "policy is not about fields: {}", stage.text());
}

#[test]
fn a_picture_is_made_smaller_only_when_that_was_said() {
    let mut stage = at("veo3-1-video");
    stage.types(PROMPT).keys("Tab Tab Tab Tab Tab").types("cat.png").keys("Ctrl-S");
    assert!(!queued(&stage)[0].shrink);
    let why = || Problem::new("image", "max_bytes", "cat.png has 9 MB; at most 3.2 MB are taken");
    stage.answer(Answer::Refused { problems: vec![why()] });
    assert!(stage.app.overlays().is_empty(), "what is typed meanwhile answers nothing: {}", stage.text());
    assert!(stage.text().contains("Ctrl-S again asks"), "{}", stage.text());
    stage.keys("Ctrl-S");
    let text = stage.text();
    assert!(text.contains("Make the picture smaller") && text.contains("cat.png has 9 MB"), "{text}");
    stage.keys("n");
    assert_eq!(stage.commands().len(), 1, "a no queues nothing");
    stage.keys("Ctrl-S").answer(Answer::Refused { problems: vec![why()] }).keys("Ctrl-S y");
    assert_eq!(stage.commands().len(), 3);
    let first = NewJob { shrink: true, ..queued(&stage)[0].clone() };
    assert_eq!(queued(&stage), [first]);
    stage.answer(Answer::Refused { problems: vec![why()] });
    assert!(stage.app.overlays().is_empty(), "asked once; then it stands as any refusal");
    stage
        .keys("Ctrl-S")
        .answer(Answer::Refused { problems: vec![why(), Problem::new("prompt", "max_len", "is long")] });
    assert!(stage.app.overlays().is_empty(), "smaller would not help");
}

#[test]
fn the_models_pane_tells_what_was_charged_and_the_list_marks_what_is_new_or_costs_something_else() {
    let mut stage = at("seedance-lite");
    let text = stage.text();
    for words in ["4 beyond these, F7", "text, needed", "as of 2026-08-27"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let Snapshot { offers, .. } = further();
    let moved = offers.iter().cloned().map(|mut offer| {
        match offer.model.id.as_str() {
            "seedance-lite" => {
                let request = Request::new(&offer.model_ref(), "");
                let key = price_key(&offer.model, &request.values(&offer.model));
                let seen =
                    Observation { money: usd("0.60"), at: super::world::at(0), times: 3, learnt: Learnt::Charged };
                Arc::make_mut(&mut offer.observed).put(key, seen);
            }
            "veo3-1-video" => {
                let per_clip = r#"shape = { per_clip = { amount = "9" } }, as_of = "x", source = "discovered""#;
                let price = toml::from_str::<std::collections::BTreeMap<String, _>>(&format!("p = {{ {per_clip} }}"));
                Arc::make_mut(&mut offer.model).price = price.unwrap().remove("p").unwrap();
            }
            "midjourney-extend" => Arc::make_mut(&mut offer.model).gone = true,
            _ => {}
        }
        offer
    });
    let mut moved: Vec<Offer> = moved.collect();
    let mut fresh = moved.last().unwrap().clone();
    Arc::make_mut(&mut fresh.model).id = "fresh-video".to_owned();
    moved.push(fresh);
    stage.event(Event::OffersChanged(Arc::new(moved)));
    let text = stage.text();
    assert!(text.contains("1 job, $0.60"), "never less than what was charged: {text}");
    assert!(text.contains("docs $0.25, charged"), "{text}");
    stage.keys("F2").types("nanogpt/");
    let text = stage.text();
    let line = |model: &str| text.lines().find(|line| line.contains(model) && line.contains("nanogpt/")).unwrap();
    assert!(line("/fresh-video").contains("new $0.05 a second"), "{text}");
    assert!(text.contains("price moved: $9.00 a clip") && text.contains("gone"), "{text}");
    stage.keys("F10");
    assert_eq!(stage.commands(), [&Command::RefreshModels], "from the list of models, too");
}
