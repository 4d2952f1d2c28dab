//! Journeys: keys and events in, commands and screen out.

use rushes::app::jobs::Line as TableLine;
use rushes::app::{AppOptions, Dirty, Effect, Input, QuitHow, View};
use rushes::domain::message::{Answer, Draft, NewJob};
use rushes::domain::{Command, Event, JobId, JobState, Problem, Shift, Snapshot};

use super::world::{Stage, at, detail, job, jobs, snapshot, usd};

const WIDE: (u16, u16) = (160, 46);
const PROMPT: &str = "a quiet harbor at dawn";

fn stage() -> Stage {
    Stage::new(WIDE, snapshot())
}

fn accepted(ids: &[i64]) -> Answer {
    Answer::Accepted { ids: ids.iter().map(|id| JobId(*id)).collect(), known: 0 }
}

fn queued(stage: &Stage) -> &[NewJob] {
    match stage.commands().as_slice() {
        [Command::Queue { jobs }] => jobs,
        other => panic!("not one order: {other:?}"),
    }
}

fn prompt(stage: &Stage) -> String {
    stage.app.compose().prompt().text()
}

#[test]
fn a_prompt_is_queued_and_cleared_only_when_it_is_on_disk() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("Tab Tab Left Tab Tab Tab Right Ctrl-S");
    let orders = queued(&stage);
    assert_eq!(orders.len(), 2, "two copies are two orders");
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0].request.prompt, PROMPT);
    assert_eq!(orders[0].request.params["duration"], 6);
    assert_eq!(orders[0].request.model_ref().to_string(), "ninjachat/veo-3.1");
    assert_eq!(prompt(&stage), PROMPT, "nothing is cleared on the way");
    assert!(stage.text().contains("being written to disk"));
    stage.keys("Ctrl-S");
    queued(&stage);
    stage.answer(accepted(&[11, 12]));
    assert_eq!((prompt(&stage).as_str(), stage.app.compose().copies()), ("", 1));
    assert!(stage.text().contains("queued j-11 to j-12, $10.00"), "{}", stage.text());
    stage.keys("Alt-u");
    assert_eq!(prompt(&stage), PROMPT, "undo brings it back");
}

#[test]
fn a_refusal_keeps_everything_and_says_why() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("Ctrl-S");
    let why = Problem::new("image", "max_bytes", "cat.png has 9 MB; at most 3.2 MB are taken");
    stage.answer(Answer::Refused { problems: vec![why] });
    assert_eq!(prompt(&stage), PROMPT);
    let text = stage.text();
    assert!(text.contains("not queued: image: cat.png has 9 MB"), "{text}");
    assert!(text.contains("[max_bytes]"), "{text}");
    stage.types("!").keys("Ctrl-S");
    assert_eq!(stage.commands().len(), 2, "after a change it may be tried again");
}

#[test]
fn what_is_typed_while_the_engine_writes_is_not_cleared() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("Ctrl-S").types(", gulls");
    let ticket = stage.sent.iter().find(|(_, c)| matches!(c, Command::Queue { .. })).unwrap().0;
    stage.event(Event::Answered { ticket, answer: accepted(&[11]) });
    assert_eq!(prompt(&stage), format!("{PROMPT}, gulls"));
}

#[test]
fn an_illegal_choice_cannot_be_queued_and_names_the_rule() {
    let mut stage = stage();
    stage.keys("n Ctrl-S");
    assert!(stage.commands().is_empty(), "a blank prompt");
    assert!(stage.text().contains("[blank]"), "{}", stage.text());
    stage.types(PROMPT).keys("Tab Tab Tab Tab").types("cat.png").keys("Tab Ctrl-S");
    assert!(stage.commands().is_empty());
    let text = stage.text();
    assert!(text.contains("image: must be a public http(s) URL") && text.contains("[url]"), "{text}");
    stage.types("https://example.com/");
    assert_eq!(stage.app.compose().form().values()["image"], "cat.pnghttps://example.com/", "the cursor went there");
    stage.keys("Ctrl-U").types("https://example.com/cat.png").keys("Ctrl-S");
    assert_eq!(queued(&stage)[0].request.params["image"], "https://example.com/cat.png");
}

#[test]
fn only_values_that_the_rules_allow_now_are_stepped_through() {
    let mut stage = stage();
    stage.keys("n F2").types("veo2").keys("Enter Tab Tab").types("1");
    assert_eq!(stage.app.compose().form().values()["duration"], 10);
    stage.keys("Tab Right");
    assert_eq!(stage.app.compose().form().values()["resolution"], "720p", "1080p is not legal at 10 s");
    stage.keys("BackTab Right Tab Right");
    assert_eq!(stage.app.compose().form().values()["resolution"], "1080p");
    stage.keys("BackTab Left");
    let problems: Vec<String> = stage.app.compose().problems().map(ToString::to_string).collect();
    assert_eq!(problems, ["resolution: 1080p is not offered; it takes 720p when duration is 10 [one_of]"]);
    assert!(stage.text().contains("the form breaks"), "the sidebar says so, too");
}

#[test]
fn a_sum_above_the_users_own_is_asked_about_first_and_one_below_is_not() {
    for (above, asked) in [("9.99", true), ("10", false)] {
        let mut stage = Stage::asking_above(usd(above), (120, 40), snapshot());
        stage.keys("n").types(PROMPT).keys("BackTab").types("2");
        assert!(stage.text().contains("2 jobs at $5.00, $10.00"), "{}", stage.text());
        stage.keys("Ctrl-S");
        assert_eq!(stage.commands().is_empty(), asked, "above {above}");
        assert_eq!(stage.text().contains("the sum from which you want to be asked"), asked, "{}", stage.text());
        stage.keys("y");
        assert_eq!(queued(&stage).len(), 2);
    }
}

#[test]
fn the_header_says_that_more_is_queued_than_an_account_holds() {
    let mut snapshot = snapshot();
    let mut row = job(900, JobState::Queued).row();
    (row.account, row.estimate) = ("ninjachat".into(), Some(usd("1000")));
    snapshot.jobs.push(row);
    let stage = Stage::new((160, 46), snapshot);
    assert!(stage.text().contains("more than ninjachat holds"), "{}", stage.text());
}

#[test]
fn more_than_the_balance_holds_is_asked_about_first() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("BackTab").types("9");
    let text = stage.text();
    assert!(text.contains("9 jobs at $5.00, $45.00") && text.contains("$22.00 more than ninjachat holds"), "{text}");
    stage.keys("Ctrl-S");
    assert!(stage.commands().is_empty(), "asked first");
    stage.keys("n");
    assert!(stage.commands().is_empty() && prompt(&stage) == PROMPT, "a no leaves all as it was");
    stage.keys("Ctrl-S y");
    assert_eq!(queued(&stage).len(), 9);
}

#[test]
fn one_prompt_goes_to_several_models_at_their_own_prices() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("F2").types("veo-3.1").keys("Tab Ctrl-U").types("veo-3.1-fast");
    stage.keys("Tab Ctrl-U").types("kling").keys("Tab");
    assert!(stage.text().contains("3 marked"), "{}", stage.text());
    stage.keys("Enter");
    let text = stage.text();
    assert!(text.contains("ninjachat/veo-3.1 +2") && text.contains("3 jobs at 3 models, $8.00 and 1 run"), "{text}");
    stage.keys("Ctrl-S");
    let models: Vec<String> = queued(&stage).iter().map(|job| job.request.model.clone()).collect();
    assert_eq!(models, ["veo-3.1", "veo-3.1-fast", "provider-2/kling-v2.1"]);
    let params: Vec<_> = queued(&stage).iter().map(|job| job.request.params.get("duration").cloned()).collect();
    assert_eq!(params, [Some(8.into()), Some(8.into()), None], "a model without a length is asked for none");
    stage.answer(accepted(&[11, 12, 13]));
    assert!(stage.app.compose().others().is_empty(), "the next prompt does not go to all of them by accident");
    let mut stage = self::stage();
    stage
        .keys("n")
        .types(PROMPT)
        .keys("F2")
        .types("veo-3.1")
        .keys("Tab Ctrl-U")
        .types("runway")
        .keys("Tab Enter Ctrl-S");
    assert!(stage.commands().is_empty());
    let problem = stage.app.compose().problems().next().unwrap().to_string();
    assert_eq!(problem, "model: runway-gen4.5: duration 8 is not offered; it takes 5 or 10 [one_of]");
}

#[test]
fn the_same_again_and_a_key_pressed_twice_are_asked_about_or_nothing() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT).keys("Ctrl-S").answer(accepted(&[11]));
    stage.types(PROMPT).keys("Ctrl-S");
    assert_eq!(stage.commands().len(), 1);
    assert!(stage.text().contains("The same was queued last, as j-11"), "{}", stage.text());
    stage.keys("n Ctrl-S y y");
    assert_eq!(stage.commands().len(), 2);
    assert!(stage.app.overlays().is_empty());
    let mut stage = self::stage();
    stage.keys("n").types("a harbor").keys("Esc d y");
    let sent = stage.sent.len();
    stage.keys("y");
    assert_eq!(stage.sent.len(), sent, "the second y was meant for the question");
    stage.wait(1_000);
    let sent = stage.sent.len();
    stage.keys("y");
    assert_eq!(stage.sent.len(), sent + 1, "later it is a key of its own: the job is asked for");
}

#[test]
fn a_number_of_copies_is_typed_in_the_place_of_what_stood_there() {
    for (typed, copies) in [("3", 3), ("12", 12), ("105", 105)] {
        let mut stage = stage();
        stage.keys("n").types(PROMPT).keys("BackTab").types("5").keys("BackTab Tab").types(typed);
        assert_eq!(stage.app.compose().copies(), copies, "{}", stage.text());
    }
}

#[test]
fn buying_again_says_what_is_bought_again_and_what_no_account_can_pay() {
    let mut stage = stage();
    stage.keys("* r");
    let text = stage.text();
    assert!(text.contains("They are 1 done, 1 failed"), "{text}");
    assert!(text.contains("1 unconfirmed; 6 that"), "{text}");
}

#[test]
fn what_is_no_answer_says_what_would_be_one() {
    let mut stage = stage();
    stage.keys("t Enter");
    assert!(stage.text().contains("type a label"), "{}", stage.text());
}

#[test]
fn an_unknown_price_wants_a_ceiling_or_is_held() {
    let mut stage = stage();
    stage.keys("n F2").types("mystery").keys("Enter").types(PROMPT).keys("Ctrl-S");
    assert_eq!(queued(&stage)[0].ceiling, None);
    let mut stage = self::stage();
    stage.keys("n F2").types("mystery").keys("Enter").types(PROMPT).keys("Tab Tab").types("2.50").keys("Ctrl-S");
    assert_eq!(queued(&stage)[0].ceiling, Some(usd("2.50")));
}

#[test]
fn a_retry_shows_its_price_and_an_unconfirmed_one_wants_a_word() {
    let mut stage = stage();
    stage.keys("j j j r");
    assert!(stage.text().contains("Makes 1 new job, for $5.00"), "{}", stage.text());
    assert!(stage.commands().is_empty());
    stage.keys("y");
    assert_eq!(stage.commands(), [&Command::Retry { ids: vec![JobId(7)], may_pay_twice: false, minimal: false }]);
    let mut stage = self::stage();
    stage.keys("j r y Enter");
    assert!(stage.commands().is_empty(), "a key is not enough");
    assert!(stage.text().contains("may pay twice"), "{}", stage.text());
    stage.keys("Esc");
    assert!(stage.app.overlays().is_empty());
    stage.keys("r").types("twice").keys("Enter");
    assert_eq!(stage.commands(), [&Command::Retry { ids: vec![JobId(9)], may_pay_twice: true, minimal: false }]);
}

#[test]
fn what_was_sent_is_not_cancelled_and_what_was_not_sent_is() {
    let mut stage = stage();
    stage.keys("c");
    assert!(stage.commands().is_empty());
    assert!(stage.text().contains("j-10 is running: what was sent cannot be cancelled"), "{}", stage.text());
    stage.keys("G c");
    assert_eq!(stage.commands(), [&Command::Cancel { ids: vec![JobId(1)] }]);
    stage.answer(accepted(&[1]));
    assert!(stage.text().contains("cancelled j-1"));
    stage.keys("a");
    assert_eq!(stage.commands().len(), 1);
    stage.keys("g a y");
    assert_eq!(stage.commands()[1], &Command::Abandon { ids: vec![JobId(10)] });
}

#[test]
fn marked_jobs_are_acted_on_together_and_asked_about_once() {
    let mut stage = stage();
    stage.keys("G Space k Space c");
    assert!(stage.text().contains("2 jobs that were not sent"), "{}", stage.text());
    stage.keys("y");
    assert_eq!(stage.commands(), [&Command::Cancel { ids: vec![JobId(1), JobId(2)] }]);
    stage.answer(accepted(&[1, 2]));
    assert_eq!(stage.app.jobs().marked(), 0);
    stage.keys("* Esc");
    assert_eq!(stage.app.jobs().marked(), 0);
}

#[test]
fn a_held_job_is_released_and_one_without_a_price_only_with_a_ceiling() {
    let mut stage = stage();
    stage.keys("G k h");
    assert_eq!(stage.commands(), [&Command::Release { ids: vec![JobId(2)], ceiling: None }]);
    let mut unpriced = job(2, JobState::Held).row();
    unpriced.estimate = None;
    let mut stage = self::stage();
    stage.event(Event::JobChanged(Box::new(unpriced)));
    stage.keys("G k h").types("x").keys("Enter");
    assert!(stage.commands().is_empty(), "an amount is needed");
    stage.keys("Backspace").types("1.50").keys("Enter");
    assert_eq!(stage.commands(), [&Command::Release { ids: vec![JobId(2)], ceiling: Some(usd("1.50")) }]);
    stage.keys("G h");
    assert_eq!(stage.commands()[1], &Command::Hold { ids: vec![JobId(1)] });
}

#[test]
fn the_filter_narrows_while_it_is_typed_and_goes_with_escape() {
    let mut stage = stage();
    let shown = |stage: &Stage| stage.app.jobs().scroll().1;
    stage.keys("/").types("state:failed");
    assert_eq!(shown(&stage), 1);
    stage.keys("q");
    assert_eq!(shown(&stage), 0, "q is a letter here");
    stage.keys("Backspace Enter");
    assert_eq!(stage.app.jobs().selected().unwrap().state, JobState::Failed);
    assert!(stage.text().contains("failed  1 of 10"), "a view by its name: {}", stage.text());
    stage.keys("/ Ctrl-U").types("nothing").keys("Esc");
    assert_eq!(shown(&stage), 1, "Esc while typing takes the change back");
    stage.keys("Esc");
    assert_eq!(shown(&stage), 10);
}

#[test]
fn a_smaller_screen_folds_into_tabs_and_loses_nothing() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT);
    for (cols, rows) in [(120, 40), (80, 24), (20, 5), (100, 30), (160, 46)] {
        stage.input(Input::Resize { cols, rows });
        assert_eq!(prompt(&stage), PROMPT);
        stage.types("x").keys("Backspace");
        if cols >= 36 {
            assert!(stage.text().contains("a quiet harbor"), "{cols}x{rows}\n{}", stage.text());
        }
    }
    stage.input(Input::Resize { cols: 80, rows: 24 });
    assert!(!stage.text().contains("state  model"), "the form has the tab");
    stage.keys("Alt-1");
    assert!(stage.text().contains("state  model"));
    stage.keys("3");
    assert!(stage.text().contains("best quality, with sound"));
    stage.keys("Tab");
    assert!(stage.text().contains("state  model"));
}

#[test]
fn a_paste_goes_into_the_prompt_as_one_edit_and_nowhere_by_accident() {
    let mut stage = stage();
    stage.input(Input::Paste("rm -rf\r\nq\ry".to_owned()));
    assert!(stage.commands().is_empty() && stage.effects.is_empty() && prompt(&stage).is_empty());
    assert_eq!(stage.app.jobs().len(), 10);
    stage.keys("n").types("x").input(Input::Paste("one\r\ntwo\x1b[31m".to_owned()));
    assert_eq!(prompt(&stage), "xone\ntwo[31m");
    stage.keys("Alt-u");
    assert_eq!(prompt(&stage), "x");
    stage.keys("Tab F2").input(Input::Paste("kling".to_owned())).keys("Enter");
    assert_eq!(stage.app.compose().model_name(), "a4f/provider-2/kling-v2.1");
}

fn drafts(stage: &Stage) -> Vec<&Draft> {
    let drafts = stage.sent.iter().filter_map(|(_, command)| match command {
        Command::SaveDraft { draft } => Some(draft),
        _ => None,
    });
    drafts.collect()
}

#[test]
fn a_draft_is_saved_when_the_form_rests_or_is_left_and_comes_back() {
    let mut stage = stage();
    stage.keys("n").types(PROMPT);
    assert!(drafts(&stage).is_empty());
    stage.wait(3_000);
    assert_eq!(drafts(&stage).len(), 1, "saved once it rested");
    stage.wait(60_000);
    assert_eq!(drafts(&stage).len(), 1, "and not again without a change");
    for _ in 0..25 {
        stage.types(".").wait(1_000);
    }
    assert_eq!(drafts(&stage).len(), 3, "and every ten seconds while it does not rest");
    stage.keys(&"Backspace ".repeat(25));
    stage.keys("Tab Tab Left Esc");
    let draft = (*drafts(&stage).last().unwrap()).clone();
    assert_eq!((draft.prompt.as_str(), draft.model.as_str()), (PROMPT, "ninjachat/veo-3.1"));
    assert_eq!(draft.params["duration"], 6);
    let mut again = Stage::new(WIDE, Snapshot { draft: Some(draft.clone()), ..snapshot() });
    assert_eq!(prompt(&again), PROMPT);
    assert_eq!(again.app.compose().form().values()["duration"], 6);
    again.types("!").event(Event::Snapshot(Box::new(Snapshot { draft: Some(draft), ..snapshot() })));
    assert_eq!(prompt(&again), format!("{PROMPT}!"), "a later snapshot does not take back what was typed");
}

#[test]
fn leaving_asks_while_paid_answers_are_open() {
    let mut stage = stage();
    stage.keys("q");
    assert!(stage.effects.is_empty());
    assert!(stage.text().contains("1 paid order is waiting"), "{}", stage.text());
    stage.keys("Esc q y");
    assert_eq!(stage.effects, [Effect::Quit(QuitHow::Drain)]);
    let mut stage = self::stage();
    stage.keys("Ctrl-C Ctrl-C");
    assert_eq!(stage.effects, [Effect::Quit(QuitHow::Now)]);
    let calm = Snapshot { jobs: vec![job(6, JobState::Done).row()], ..snapshot() };
    let mut stage = Stage::new(WIDE, calm);
    stage.keys("n").types("keep me").keys("Ctrl-Q");
    assert_eq!(drafts(&stage).len(), 1);
    assert_eq!(stage.effects, [Effect::Quit(QuitHow::Drain)]);
}

#[test]
fn letters_are_text_in_the_form_and_keys_in_the_table() {
    let mut stage = stage();
    stage.keys("n").types("qcra?/!1");
    assert_eq!(prompt(&stage), "qcra?/!1");
    assert!(stage.effects.is_empty() && stage.app.overlays().is_empty());
    stage.keys("Ctrl-Z Ctrl-L");
    assert_eq!(stage.effects, [Effect::Suspend, Effect::Repaint]);
}

#[test]
fn the_path_of_a_clip_is_copied_and_a_link_while_there_is_none() {
    let mut stage = stage();
    stage.keys("j j j j o");
    let done = jobs().into_iter().find(|job| job.state == JobState::Done).unwrap();
    stage.answer(Answer::Detail(Box::new(detail(&done))));
    assert_eq!(stage.effects, [Effect::Copy(done.files[0].path.clone())]);
    assert!(stage.text().contains("sent to the terminal's clipboard"));
    stage.keys("G o");
    stage.answer(Answer::Detail(Box::new(detail(&jobs()[0]))));
    assert_eq!(stage.effects.len(), 1);
    assert!(stage.text().contains("j-1 has no file and no link yet"), "{}", stage.text());
}

#[test]
fn a_job_can_be_composed_again() {
    let mut stage = stage();
    stage.keys("n").types("mine").keys("Esc j j j j y");
    let mut done = jobs().into_iter().find(|job| job.state == JobState::Done).unwrap();
    done.request.params.clear();
    stage.answer(Answer::Detail(Box::new(detail(&done))));
    assert_eq!(prompt(&stage), done.request.prompt);
    assert_eq!(stage.app.compose().model_name(), "a4f/provider-2/kling-v2.1");
    stage.keys("Alt-u");
    assert_eq!(prompt(&stage), "mine", "what was typed before is one undo away");
}

#[test]
fn nothing_can_be_changed_where_another_engine_works() {
    let holder = "rushes run, process 4711".to_owned();
    let mut stage = Stage::new(WIDE, Snapshot { read_only: Some(holder), ..snapshot() });
    stage.keys("G c h r a u b n").types(PROMPT).keys("Ctrl-S Esc").wait(5_000);
    assert!(stage.commands().is_empty(), "{:?}", stage.commands());
    assert!(drafts(&stage).is_empty());
    assert!(stage.text().contains("read-only: rushes run, process 4711"), "{}", stage.text());
    stage.keys("q");
    assert_eq!(stage.effects, [Effect::Quit(QuitHow::Now)]);
}

#[test]
fn what_waits_for_the_user_is_one_key_away() {
    let mut stage = stage();
    let selected = |stage: &Stage| stage.app.jobs().selected().unwrap().clone();
    for state in [JobState::Unconfirmed, JobState::Failed, JobState::Held] {
        stage.keys("!");
        assert_eq!(selected(&stage).state, state);
    }
    stage.keys("!");
    assert!(selected(&stage).late);
    assert!(stage.text().contains("4 need you"));
    stage.keys("/").types("state:done").keys("Enter !");
    let text = stage.text();
    assert!(text.contains("attention  4 of 10"), "what the filter hides is found all the same: {text}");
    stage.keys("Esc");
    assert_eq!(stage.app.jobs().shown(), 10);
}

#[test]
fn views_are_chosen_by_a_letter_and_the_users_own_by_a_digit() {
    let view = |name: &str, text: &str| View { name: name.to_owned(), text: text.to_owned() };
    let views = vec![view("eagles", "eagle sort:-cost"), view("by batch", "group:batch")];
    let options = AppOptions { cols: 160, rows: 46, views, ..AppOptions::default() };
    let mut stage = Stage::set_up(options, snapshot());
    let ids = |stage: &Stage| -> Vec<i64> {
        let number = |line| match line {
            TableLine::Job(row) => Some(row.id.0),
            TableLine::Heading(..) => None,
        };
        stage.app.jobs().window(99).filter_map(number).collect()
    };
    stage.keys("v");
    assert!(stage.text().contains("eagles: eagle sort:-cost"), "{}", stage.text());
    stage.keys("w");
    assert_eq!(ids(&stage), [10, 9, 5, 4, 3, 2, 1], "what is not over");
    stage.keys("v f");
    assert_eq!(ids(&stage), [7]);
    stage.keys("v 1");
    assert_eq!(ids(&stage), [7, 2]);
    assert!(stage.text().contains("Jobs  eagles  2 of 10"), "{}", stage.text());
    stage.keys("v 7");
    assert!(stage.text().contains("there is no view 7"), "{}", stage.text());
    stage.keys("v 2");
    assert!(stage.text().contains("by batch") && stage.text().contains("10 jobs"), "{}", stage.text());
    stage.keys("v a");
    assert_eq!(ids(&stage), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    stage.keys("v b");
    assert!(stage.text().contains("came with no batch"), "{}", stage.text());
    stage.keys("s c");
    assert_eq!(ids(&stage)[..2], [10, 9], "the dearest first, among equals the newest");
    stage.keys("s c s q Esc Esc");
    assert_eq!(ids(&stage)[0], 10, "Esc ends sorting, too");
}

#[test]
fn the_first_page_of_help_has_every_key_of_the_pane_it_is_opened_from() {
    for (pane, last) in [("1", "extend"), ("2", "editor"), ("3", "quit")] {
        for size in [(80, 24), (120, 40)] {
            let mut stage = Stage::new(size, snapshot());
            stage.keys(pane).keys("F1");
            let text = stage.text();
            assert!(text.contains(last) && text.contains(" suspend "), "pane {pane} at {size:?}: {text}");
        }
    }
}

#[test]
fn at_midnight_what_was_done_today_is_no_longer_shown() {
    let mut stage = stage();
    stage.keys("v d").settle();
    assert!(stage.app.jobs().shown() > 0, "{}", stage.text());
    stage.wait(25 * 3600 * 1000);
    assert_eq!(stage.app.jobs().shown(), 0, "{}", stage.text());
    assert!(stage.app.next_tick(stage.now).is_some_and(|due| due > stage.now), "the next midnight is waited for");
}

#[test]
fn queued_jobs_are_moved_copied_and_tagged_by_job_and_what_costs_is_asked_about() {
    let mut stage = stage();
    stage.keys("K");
    assert!(stage.commands().is_empty() && stage.text().contains("only queued jobs stand in a queue"));
    stage.keys("G <");
    assert_eq!(stage.commands(), [&Command::Move { ids: vec![JobId(1)], to: Shift::Top }]);
    stage.answer(accepted(&[1]));
    stage.keys("Space G k k k k Space d");
    let text = stage.text();
    assert!(text.contains("Makes 2 new jobs, for 1 run and $5.00"), "{text}");
    stage.keys("n");
    assert_eq!(stage.commands().len(), 1, "a no buys nothing");
    stage.keys("d y");
    assert_eq!(stage.commands()[1], &Command::Duplicate { ids: vec![JobId(1), JobId(5)] });
    stage.keys("t").types("night, -old take2").keys("Enter");
    let (add, remove) = (vec!["night".to_owned(), "take2".to_owned()], vec!["old".to_owned()]);
    assert_eq!(stage.commands()[2], &Command::Tag { ids: vec![JobId(1), JobId(5)], add, remove });
    stage.answer(accepted(&[1, 5]));
    assert!(stage.text().contains("tagged 2 jobs"), "{}", stage.text());
    stage.keys("G k l");
    assert_eq!(stage.commands()[3], &Command::Release { ids: vec![JobId(2)], ceiling: None });
}

#[test]
fn each_part_of_a_job_is_copied_and_a_clip_is_opened_by_the_users_command() {
    let done = jobs().into_iter().find(|job| job.state == JobState::Done).unwrap();
    let mut stage = stage();
    stage.keys("j j j j f");
    assert!(stage.effects.is_empty() && stage.text().contains("set open_command"), "{}", stage.text());
    stage.settle();
    for (key, text) in [("p", done.request.prompt.as_str()), ("f", &done.files[0].path), ("i", "j-6")] {
        stage.keys("O").keys(key);
        assert_eq!(stage.effects.pop(), Some(Effect::Copy(text.to_owned())));
    }
    stage.keys("O j");
    let Some(Effect::Copy(record)) = stage.effects.pop() else { panic!("nothing was copied") };
    assert_eq!(serde_json::from_str::<serde_json::Value>(&record).unwrap(), done.record());
    stage.keys("O l");
    assert!(stage.effects.is_empty() && stage.text().contains("j-6 has no link yet"), "{}", stage.text());
    let options = AppOptions { cols: 160, rows: 46, opens: true, ..AppOptions::default() };
    let mut stage = Stage::set_up(options, snapshot());
    stage.keys("j j j j").settle();
    stage.keys("f Enter F");
    assert_eq!(stage.effects, [Effect::Open(done.files[0].path.clone()), Effect::Open("/home/ana/clips".to_owned())]);
}

#[test]
fn the_story_is_asked_once_the_selection_rests_and_follows_its_job() {
    let mut stage = stage();
    stage.settle();
    stage.sent.clear();
    stage.keys("j j j j j");
    assert!(stage.sent.is_empty(), "not while it runs");
    stage.wait(500);
    assert_eq!(stage.sent.len(), 1, "{:?}", stage.sent);
    let fetching = jobs().into_iter().find(|job| job.state == JobState::Downloading).unwrap();
    stage.answer(Answer::Detail(Box::new(detail(&fetching))));
    assert!(stage.text().contains("order accepted, charged $5.00"), "{}", stage.text());
    stage.sent.clear();
    let mut row = fetching.row();
    row.progress = Some(80);
    stage.event(Event::JobChanged(Box::new(row.clone()))).wait(5_000);
    assert!(stage.sent.is_empty(), "progress is no story");
    row.state = JobState::Done;
    stage.event(Event::JobChanged(Box::new(row))).wait(5_000);
    assert_eq!(stage.sent.len(), 1);
}

#[test]
fn nothing_moves_with_time_where_nothing_runs() {
    let calm = Snapshot { jobs: vec![job(6, JobState::Done).row(), job(1, JobState::Queued).row()], ..snapshot() };
    let mut stage = Stage::new(WIDE, calm);
    stage.settle();
    assert_eq!(stage.app.next_tick(stage.now), None);
    stage.app.take_dirty();
    stage.wait(3_600_000);
    assert_eq!(stage.app.take_dirty(), Dirty::None);
    let mut running = self::stage();
    running.settle();
    assert_eq!(running.app.next_tick(at(1)), Some(at(2)), "the selected job's clock ticks");
    running.input(Input::FocusLost);
    assert_eq!(running.app.next_tick(at(1)), Some(at(10)), "but only while it is looked at");
}

#[test]
fn resume_reaches_paused_accounts_and_those_in_trouble_from_the_details_too() {
    let mut world = snapshot();
    world.accounts[1].trouble = Some("connection refused".to_owned());
    let mut stage = Stage::new((80, 24), world);
    stage.keys("Enter u");
    let resume = |account: &str| Command::Resume { account: account.to_owned() };
    assert_eq!(stage.commands(), [&resume("nanogpt")]);
    stage.answer(accepted(&[]));
    let mut well = rushes::domain::message::AccountRow { trouble: None, ..snapshot().accounts[1].clone() };
    stage.event(Event::AccountChanged(Box::new(well.clone()))).keys("u");
    assert_eq!(stage.commands().len(), 1, "{}", stage.text());
    assert!(stage.text().contains("no account is paused or in trouble"), "{}", stage.text());
    well.pause = Some(rushes::domain::Pause {
        kind: rushes::domain::ErrorKind::Balance,
        message: "insufficient credits".to_owned(),
        until: None,
    });
    stage.event(Event::AccountChanged(Box::new(well)));
    assert!(stage.text().lines().last().unwrap().contains("u resume"), "{}", stage.text());
    stage.keys("u");
    assert_eq!(stage.commands().len(), 2);
}

#[test]
fn a_second_look_says_who_works_from_the_start_and_tells_stories_that_follow_the_job() {
    let holder = "dashboard, process 12 on box since 10:00";
    for size in [(80, 24), (100, 30)] {
        let bare = Snapshot { read_only: Some(holder.to_owned()), ..Snapshot::default() };
        let stage = Stage::new(size, bare);
        let text = stage.text();
        assert!(text.lines().next().unwrap().contains(holder) && !text.contains("o account"), "{text}");
        let world = || Snapshot { read_only: Some(holder.to_owned()), ..snapshot() };
        let mut stage = Stage::new(size, world());
        assert!(stage.text().lines().next().unwrap().contains(holder), "{}", stage.text());
        stage.keys("Enter").settle();
        assert!(stage.text().contains("what happened"), "{}", stage.text());
        let asked = stage.sent.len();
        let mut later = world();
        for row in &mut later.jobs {
            row.state = JobState::Done;
        }
        stage.event(Event::Snapshot(Box::new(later))).wait(1_000);
        let again = |(_, command): &(_, Command)| matches!(command, Command::Inspect { .. });
        assert!(stage.sent[asked..].iter().any(again), "the story stands still: {:?}", stage.sent);
    }
}
