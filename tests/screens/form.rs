//! Journeys: files looked at as soon as their field is left, a form that is gone round in, what a quit keeps, where
//! the screen opens, and questions whose jobs change meanwhile.

use rushes::app::geometry::Pane;
use rushes::app::overlay::{Overlay, Then};
use rushes::domain::message::{Answer, Draft};
use rushes::domain::{Command, Event, JobId, JobRow, JobState, Problem, Snapshot};

use super::further::at;
use super::world::{Stage, detail, job, snapshot};

const WIDE: (u16, u16) = (160, 46);

fn checks(stage: &Stage) -> Vec<String> {
    let asked = stage.sent.iter().filter_map(|(_, command)| match command {
        Command::CheckFiles { job } => Some(job.request.params["image"].to_string()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_missing_file_is_flagged_when_its_field_is_left_until_it_is_another() {
    let mut stage = at("veo3-1-video");
    stage.types("a harbor").keys("Tab Tab Tab Tab Tab").types("cta.png");
    assert!(checks(&stage).is_empty(), "not while it is typed");
    stage.keys("Tab");
    assert_eq!(checks(&stage), ["\"cta.png\""]);
    let missing = || Problem::new("image", "file", "cta.png: there is no such file");
    stage.answer(Answer::Refused { problems: vec![missing()] });
    assert!(stage.text().contains("image: cta.png: there is no"), "{}", stage.text());
    stage.keys("Right");
    assert!(stage.text().contains("there is no"), "another field changes nothing: {}", stage.text());
    stage.keys("BackTab").types("x");
    assert!(!stage.text().contains("there is no"), "another file is another question: {}", stage.text());
    stage.keys("Esc");
    assert_eq!(checks(&stage).len(), 2, "leaving the form leaves the field");
    stage.answer(Answer::Accepted { ids: vec![], known: 0 });
    stage.keys("2 Tab BackTab Tab");
    assert_eq!(checks(&stage).len(), 2, "asked once");
    // What was asked before is not said of what stands there now.
    stage
        .keys("BackTab")
        .types("y")
        .keys("Tab BackTab")
        .types("z")
        .answer(Answer::Refused { problems: vec![missing()] });
    assert!(!stage.text().contains("there is no"), "{}", stage.text());
    stage.keys("Ctrl-U").types("https://a.example/cat.png").keys("Tab");
    assert_eq!(checks(&stage).len(), 3, "a link is the service's to look at");
}

#[test]
fn tab_goes_round_in_the_form_and_esc_leaves_it() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("n").types("a fox");
    for _ in 0..2 {
        stage.keys("Tab Tab Tab Tab Tab");
        assert!(stage.text().contains("copies"), "{}", stage.text());
        stage.keys("Tab").types("!");
    }
    assert_eq!((stage.app.focus(), stage.app.compose().prompt().text().as_str()), (Pane::Compose, "a fox!!"));
    stage.keys("BackTab Right Tab").types("?");
    assert_eq!((stage.app.compose().copies(), stage.app.compose().prompt().text().as_str()), (2, "a fox!!?"));
    stage.keys("Esc");
    assert_eq!(stage.app.focus(), Pane::Jobs);
}

#[test]
fn a_shoot_out_and_a_ceiling_come_back_after_a_quit() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("n").types("a fox").keys("F2").types("fast").keys("Tab");
    stage.keys("Ctrl-U").types("runway").keys("Tab").keys("Ctrl-U").types("mystery").keys("Tab Enter");
    stage.keys("Tab Tab Tab Tab Tab Tab BackTab BackTab");
    let others = |stage: &Stage| -> Vec<String> {
        stage.app.compose().others().iter().map(|offer| offer.model.id.clone()).collect()
    };
    let before = (stage.app.compose().model_name(), others(&stage));
    assert_eq!(before.1.len(), 2, "{before:?}");
    stage.keys("Esc");
    let drafts = stage.sent.iter().rev().find_map(|(_, command)| match command {
        Command::SaveDraft { draft } => Some(draft.clone()),
        _ => None,
    });
    let draft = Draft { ceiling: "2.50".to_owned(), ..drafts.unwrap() };
    // As it is on disk, and with the models of an account that come late.
    let draft: Draft = serde_json::from_str(&serde_json::to_string(&draft).unwrap()).unwrap();
    let late = Snapshot { draft: Some(draft), offers: Default::default(), ..snapshot() };
    let mut again = Stage::new(WIDE, late);
    assert!(others(&again).is_empty());
    again.event(Event::OffersChanged(snapshot().offers));
    assert_eq!((again.app.compose().model_name(), others(&again)), before);
    assert_eq!(again.app.compose().ceiling().text(), "2.50");
    let old: Draft = serde_json::from_str(r#"{"prompt": "x", "model": "", "params": {}, "copies": 1}"#).unwrap();
    assert!(old.others.is_empty(), "a draft of an earlier version is read");
}

#[test]
fn it_opens_where_there_is_something_to_write_and_else_on_the_table() {
    let opened = |jobs: bool, prompt: &str| {
        let draft = Some(Draft { prompt: prompt.to_owned(), ..Draft::default() });
        let jobs = if jobs { snapshot().jobs } else { vec![] };
        Stage::new(WIDE, Snapshot { jobs, draft, ..snapshot() }).app.focus()
    };
    assert_eq!(opened(false, ""), Pane::Compose, "nothing was queued yet");
    assert_eq!(opened(true, "half a"), Pane::Compose, "a prompt was left unfinished");
    assert_eq!(opened(true, ""), Pane::Jobs);
}

fn turns(stage: &mut Stage, id: i64, state: JobState) {
    let row = stage.app.jobs().get(JobId(id)).unwrap().clone();
    stage.event(Event::JobChanged(Box::new(JobRow { state, ..row })));
}

#[test]
fn a_question_about_jobs_that_changed_meanwhile_leaves_them_out_or_ends() {
    let asked = |stage: &Stage| match stage.app.overlays().last() {
        Some(Overlay::Ask(ask)) => match &ask.then {
            Then::Send(Command::Cancel { ids }) | Then::Release(ids) => ids.clone(),
            Then::Adopt(id) => vec![*id],
            other => panic!("{other:?}"),
        },
        _ => Vec::new(),
    };
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("G Space k Space c");
    assert_eq!(asked(&stage).len(), 2);
    turns(&mut stage, 5, JobState::Done);
    assert_eq!(asked(&stage).len(), 2, "a job that it is not about");
    turns(&mut stage, 1, JobState::Submitting);
    assert_eq!(asked(&stage), [JobId(2)]);
    assert!(stage.text().contains("1 job has changed meanwhile: left out"), "{}", stage.text());
    turns(&mut stage, 2, JobState::Submitting);
    assert!(stage.app.overlays().is_empty());
    assert!(stage.text().contains("j-2 is submitting meanwhile: there is nothing left to cancel"), "{}", stage.text());
    stage.keys("y");
    assert!(stage.commands().is_empty(), "{:?}", stage.commands());
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("j i").types("vid_4");
    assert_eq!(asked(&stage), [JobId(9)]);
    turns(&mut stage, 9, JobState::Running);
    assert!(stage.app.overlays().is_empty() && stage.text().contains("nothing left to adopt"), "{}", stage.text());
}

#[test]
fn a_question_under_the_one_whether_to_leave_follows_its_jobs_too() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("G Space k Space c Ctrl-Q");
    assert_eq!(stage.app.overlays().len(), 2, "{}", stage.text());
    turns(&mut stage, 1, JobState::Submitting);
    turns(&mut stage, 2, JobState::Submitting);
    assert!(stage.text().contains("Leave"), "{}", stage.text());
    stage.keys("n");
    assert!(stage.app.overlays().is_empty(), "it asks about jobs that were sent: {}", stage.text());
}

#[test]
fn the_rest_of_a_word_does_nothing_once_its_question_ended_by_itself() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("j w").types("lo");
    turns(&mut stage, 9, JobState::Running);
    assert!(stage.app.overlays().is_empty(), "{}", stage.text());
    stage.types("st").keys("Enter");
    assert!(stage.app.overlays().is_empty(), "{}", stage.text());
    stage.wait(1_000);
    stage.keys("s");
    assert!(!stage.app.overlays().is_empty(), "later keys are keys again");
}

#[test]
fn what_is_marked_and_hidden_by_the_filter_is_asked_about_and_said() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("G Space /").types("state:failed").keys("Enter c");
    let text = stage.text();
    assert!(stage.commands().is_empty(), "{:?}", stage.commands());
    assert!(text.contains("j-1 is marked but hidden by the filter."), "{text}");
    stage.keys("n");
    stage.wait(1_000);
    stage.keys("Space d");
    let text = stage.text();
    assert!(text.contains("Makes 2 new jobs") && text.contains("1 of them is marked but hidden"), "{text}");
    stage.keys("n");
    // A held job that nobody sees is not sent by a key alone.
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("G k Space /").types("state:failed").keys("Enter l");
    assert!(stage.commands().is_empty() && stage.text().contains("1 held job may be sent"), "{}", stage.text());
    stage.keys("y");
    assert_eq!(stage.commands(), [&Command::Release { ids: vec![JobId(2)], ceiling: None }]);
    // What is seen needs no words more, and no question.
    let mut stage = Stage::new(WIDE, snapshot());
    stage.keys("G Space c");
    assert_eq!(stage.commands(), [&Command::Cancel { ids: vec![JobId(1)] }]);
}

#[test]
fn no_story_is_told_where_the_filter_shows_no_job() {
    let mut stage = Stage::new(WIDE, snapshot());
    stage.wait(1_000).answer(Answer::Detail(Box::new(detail(&job(10, JobState::Running)))));
    let told = "intent stored";
    assert!(stage.text().contains(told), "{}", stage.text());
    stage.keys("/").types("model:nothing").keys("Enter");
    assert!(!stage.text().contains(told), "{}", stage.text());
}

#[test]
fn text_that_a_field_does_not_take_is_not_swallowed_in_silence() {
    let mut stage = at("veo3-1-video");
    let said = "nothing was typed: this field is stepped through";
    stage.types("a harbor").keys("Tab Tab Tab Tab Tab");
    stage.types("cat.png");
    assert!(!stage.text().contains(said), "the picture's field takes text: {}", stage.text());
    stage.keys("BackTab").types("cat.png");
    assert!(stage.text().contains(said), "{}", stage.text());
}
