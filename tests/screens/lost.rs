//! Journeys out of not knowing: naming the order that a lost job is, and writing it off.

use rushes::domain::message::Answer;
use rushes::domain::{Command, JobId, Problem};

use super::world::{Stage, snapshot};

/// The table with the cursor on the unconfirmed job, j-9.
fn on_lost() -> Stage {
    let mut stage = Stage::new((120, 40), snapshot());
    stage.keys("j");
    stage
}

fn accepted(id: i64) -> Answer {
    Answer::Accepted { ids: vec![JobId(id)], known: 0 }
}

#[test]
fn the_badge_counts_what_is_lost_and_the_story_says_what_happens_and_what_helps() {
    for size in [(80, 24), (120, 40), (160, 46)] {
        let mut stage = Stage::new(size, snapshot());
        let text = stage.text();
        assert!(text.contains("1 lost?") && text.contains("need you"), "{text}");
        stage.keys("j Enter").settle();
        let text = stage.text().split_whitespace().collect::<Vec<_>>().join(" ").replace("│ │ ", "");
        assert!(text.contains("looked for") && text.contains("never bought twice"), "{text}");
    }
}

#[test]
fn an_order_is_named_by_its_id_and_a_refusal_says_why_and_changes_nothing() {
    let mut stage = on_lost();
    stage.keys("i");
    let text = stage.text();
    assert!(text.contains("Which order of") && text.contains("One status request checks it"), "{text}");
    stage.keys("Enter");
    assert!(stage.commands().is_empty(), "no id, no request");
    stage.types(" vid_nobody ").keys("Enter");
    let adopt = Command::Adopt { id: JobId(9), remote_id: "vid_nobody".to_owned() };
    assert_eq!(stage.commands(), [&adopt]);
    assert!(stage.app.overlays().is_empty());
    stage.answer(Answer::Refused {
        problems: vec![Problem::new("remote_id", "unknown", "not confirmed; j-9 stays unconfirmed")],
    });
    assert!(stage.text().contains("j-9 stays unconfirmed"), "{}", stage.text());
    stage.keys("i").types("vid_1").keys("Enter").answer(accepted(9));
    assert_eq!(stage.commands().len(), 2);
    assert!(stage.text().contains("adopted j-9"), "{}", stage.text());
}

#[test]
fn a_lost_job_is_written_off_by_a_word_and_by_nothing_less() {
    let mut stage = on_lost();
    stage.keys("w y Enter");
    assert!(stage.commands().is_empty(), "a key is not enough");
    assert!(stage.text().contains("may still have been charged"), "{}", stage.text());
    stage.keys("Esc");
    assert!(stage.app.overlays().is_empty());
    stage.keys("w").types("lost").keys("Enter");
    assert_eq!(stage.commands(), [&Command::WriteOff { ids: vec![JobId(9)] }]);
    stage.answer(accepted(9));
    assert!(stage.text().contains("written off j-9"), "{}", stage.text());
}

#[test]
fn neither_key_does_anything_to_a_job_that_is_not_lost() {
    for (key, said) in [("i", "only an unconfirmed job can adopt"), ("w", "only an unconfirmed job can be written off")]
    {
        let mut stage = Stage::new((120, 40), snapshot());
        stage.keys(key);
        assert!(stage.app.overlays().is_empty() && stage.commands().is_empty());
        assert!(stage.text().contains(said), "{}", stage.text());
    }
}
