//! What came of a clip with an answer that was cut: kept, told of, taken at the user's word.

use rushes::domain::message::{Answer, Command};
use rushes::domain::{FileKind, JobId, JobState};
use rushes::engine::{JobFilter, Leave, read};
use serde_json::json;

use super::world::{Desk, World};

const MODEL: &str = "a4f/provider-2/kling-v2.1";

/// The job as its books have it.
fn job(world: &World, id: JobId) -> rushes::domain::Job {
    let reader = read(&world.settings().data_dir).unwrap();
    reader.jobs(&JobFilter::default()).unwrap().into_iter().find(|job| job.id == id).unwrap()
}

/// The job is unconfirmed, says where a part of the clip is and whether that plays, and the part is there.
async fn is_kept(world: &World, desk: &mut Desk, id: JobId) {
    desk.until("a part that is kept", |_, rows| {
        rows.get(&id).and_then(|row| row.note.clone()).filter(|note| note.contains("are kept at"))
    })
    .await;
    let job = job(world, id);
    assert_eq!(job.state, JobState::Unconfirmed);
    let part = &job.files[0];
    assert_eq!(part.kind, FileKind::Partial);
    let content = std::fs::read(&part.path).unwrap();
    assert!(content.len() as u64 == part.bytes && part.bytes > 2_000, "{part:?}");
    assert_eq!(content.get(4..8), Some(b"ftyp".as_slice()));
    let told = job.error.unwrap().message;
    let plays = part.duration_ms.map_or("no player can open it".to_owned(), |ms| {
        format!("the first {}.{} s of it can be played", ms / 1000, ms % 1000 / 100)
    });
    for word in [part.bytes.to_string().as_str(), &part.path, &plays, "Adopt `part`"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_answer_keeps_its_bytes_and_the_user_may_take_them_for_the_clip() {
    let world = World::new().await;
    world.fault(json!({"service": "a4f", "route": "submit", "kind": "cut"})).await;
    let mut desk = world.desk().await;
    let id = desk.queue(MODEL, "a street that breaks off").await;
    is_kept(&world, &mut desk, id).await;
    let adopt = |remote_id: &str| Command::Adopt { id, remote_id: remote_id.to_owned() };
    assert!(matches!(desk.ask(adopt("part")).await, Answer::Accepted { .. }));
    let row = desk.wait_for(id, JobState::Done).await;
    assert!(row.note.as_deref().unwrap().starts_with("part of the clip"), "{row:?}");
    let done = job(&world, id);
    assert_eq!((done.files[0].kind, done.reserved, done.error), (FileKind::Partial, None, None));
    assert!(done.cost.is_some(), "the plan's run was used");
    // Where nothing is kept, there is nothing to take.
    world.fault(json!({"service": "ninjachat", "route": "submit", "kind": "accept_then_drop"})).await;
    let other = desk.queue("ninjachat/google-veo-2", "[slow] an answer that is dropped").await;
    desk.wait_for(other, JobState::Unconfirmed).await;
    let nothing = desk.ask(Command::Adopt { id: other, remote_id: "part".to_owned() }).await;
    assert!(matches!(nothing, Answer::Refused { .. }), "{nothing:?}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_program_ended_is_kept_and_told_of_at_the_next_start() {
    let world = World::new().await;
    world.fault(json!({"service": "a4f", "route": "submit", "kind": "hang", "after_bytes": 9_000})).await;
    let mut desk = world.desk().await;
    let id = desk.queue(MODEL, "a street that comes halfway").await;
    desk.wait_for(id, JobState::Submitting).await;
    // It has begun to come; the service says no more.
    let clips = world.settings().output_dir;
    let came = || {
        let parts = std::fs::read_dir(&clips).into_iter().flatten().flatten();
        parts.filter_map(|part| part.metadata().ok()).map(|about| about.len()).sum::<u64>() > 2_000
    };
    while !came() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    desk.engine.leave(Leave::Now).await;
    let mut desk = world.desk().await;
    is_kept(&world, &mut desk, id).await;
    desk.engine.leave(Leave::Now).await;
    // Told once.
    let desk = world.desk().await;
    let again = job(&world, id).error.unwrap().message;
    assert_eq!(again.matches("are kept at").count(), 1, "{again}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_clips_are_kept_and_listed_beside_one_of_their_answer_that_is_cut() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let first = desk.queue(MODEL, "a street that is whole").await;
    desk.wait_for(first, JobState::Done).await;
    let clip = std::fs::read(&job(&world, first).files[0].path).unwrap();
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let (whole, half) = (base64(&clip), base64(&clip[..clip.len() / 2]));
    let two = json!({"created": 1, "data": [{"b64_json": whole}, {"b64_json": half}]}).to_string();
    // The second clip is short in an answer that is whole; and the answer itself ends within it.
    for (prompt, body) in [("a short second", two.as_str()), ("a second that breaks off", &two[..two.len() - 9])] {
        world
            .fault(
                json!({"service": "a4f", "route": "submit", "kind": "accept_then_status", "status": 200, "body": body}),
            )
            .await;
        let id = desk.queue(MODEL, prompt).await;
        let note = desk
            .until("a part that is kept", |_, rows| {
                rows.get(&id).and_then(|row| row.note.clone()).filter(|note| note.contains("are kept at"))
            })
            .await;
        let lost = job(&world, id);
        let kinds: Vec<FileKind> = lost.files.iter().map(|file| file.kind).collect();
        assert_eq!((lost.state, kinds), (JobState::Unconfirmed, vec![FileKind::Video, FileKind::Partial]), "{prompt}");
        assert_eq!(std::fs::read(&lost.files[0].path).unwrap(), clip, "{prompt}");
        assert!(std::path::Path::new(&lost.files[0].path).with_extension("json").exists(), "its recipe is beside it");
        assert!(lost.files.iter().all(|file| note.contains(&file.path)), "{note}");
    }
    desk.engine.leave(Leave::Now).await;
}
