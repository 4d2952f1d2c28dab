//! Local pictures: what is too large is refused with the ways out, and made smaller only when agreed.

use rushes::domain::message::{Answer, Command, Event, NewJob};
use rushes::domain::{JobState, Request};
use rushes::engine::Leave;
use sha2::{Digest, Sha256};

use super::world::World;

/// A PNG of more than 3.2 MB that compresses badly.
fn large_picture() -> Vec<u8> {
    let mut seed = 7_u32;
    let image = image::RgbImage::from_fn(1200, 1000, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(seed >> 24) as u8, (seed >> 16) as u8, (seed >> 8) as u8])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_picture_is_refused_or_made_smaller_as_agreed_and_the_history_says_so() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let picture = large_picture();
    assert!(picture.len() > 3_300_000, "{}", picture.len());
    let path = world.dir.path().join("large.png");
    std::fs::write(&path, &picture).unwrap();
    let mut request = Request::new(&"nanogpt/veo2-video".parse().unwrap(), "a river");
    request.params.insert("image".into(), path.to_str().unwrap().into());
    let job = |shrink| NewJob { shrink, ..NewJob::of(request.clone()) };
    let Answer::Refused { problems } = desk.ask(Command::Queue { jobs: vec![job(false)] }).await else {
        panic!("a picture beyond the limit was taken")
    };
    let said = problems[0].to_string();
    for part in [&picture.len().to_string(), "3200000", "public URL", "--shrink-images"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!((problems[0].field.as_str(), problems[0].rule.as_str()), ("image", "max_bytes"));
    let inputs = world.settings().data_dir.join("inputs");
    assert!(!inputs.exists(), "nothing is kept of what was refused");
    let Answer::Accepted { ids, .. } = desk.ask(Command::Queue { jobs: vec![job(true), job(true)] }).await else {
        panic!("a picture that may be made smaller was refused")
    };
    desk.wait_for(ids[0], JobState::Done).await;
    let Answer::Detail(detail) = desk.ask(Command::Inspect { id: ids[0] }).await else { panic!("no detail") };
    let line = detail.history.iter().find(|line| line.kind == "input_shrunk").unwrap();
    let original = format!("{:x}", Sha256::digest(&picture));
    for part in ["1200x1000", &picture.len().to_string(), original.as_str(), "as agreed"] {
        assert!(line.text.contains(part), "{}", line.text);
    }
    assert_eq!(line.data["original"]["sha256"], original.as_str());
    let kept: Vec<_> = std::fs::read_dir(&inputs).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "one smaller picture for both jobs, and no original: {kept:?}");
    let sent = std::fs::read(&kept[0]).unwrap();
    assert!(sent.starts_with(b"\xff\xd8\xff") && sent.len() <= 3_200_000, "{} bytes", sent.len());
    assert_eq!(detail.job.request.params["image"], format!("sha256:{:x}", Sha256::digest(&sent)));
    let orders = world.orders().await;
    let order = orders.iter().find(|order| order["params"]["imageDataUrl"].is_string()).unwrap();
    assert!(order["params"]["imageDataUrl"].as_str().unwrap().starts_with("data:image/jpeg;base64,"), "{order}");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_looked_at_before_anything_is_queued_and_nothing_is_kept_of_them() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let path = world.dir.path().join("cat.png");
    let mut request = Request::new(&"nanogpt/veo2-video".parse().unwrap(), "");
    request.params.insert("image".into(), path.to_str().unwrap().into());
    let ask = || Command::CheckFiles { job: Box::new(NewJob::of(request.clone())) };
    let Answer::Refused { problems } = desk.ask(ask()).await else { panic!("there is no such file") };
    assert_eq!(problems[0].message, format!("{}: there is no such file", path.display()));
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n and the rest of a picture").unwrap();
    assert!(matches!(desk.ask(ask()).await, Answer::Accepted { .. }));
    std::fs::write(&path, large_picture()).unwrap();
    let Answer::Refused { problems } = desk.ask(ask()).await else { panic!("it is too large") };
    assert_eq!(problems[0].rule, "max_bytes");
    assert!(!world.settings().data_dir.join("inputs").exists(), "nothing is kept");
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_kind_than_its_parameter_takes_is_refused() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let path = world.dir.path().join("clip.png");
    std::fs::write(&path, b"\0\0\0\x18ftypisom and the rest of a clip").unwrap();
    let mut request = Request::new(&"nanogpt/veo2-video".parse().unwrap(), "a river");
    request.params.insert("image".into(), path.to_str().unwrap().into());
    let job = NewJob { shrink: true, ..NewJob::of(request) };
    let Answer::Refused { problems } = desk.ask(Command::Queue { jobs: vec![job] }).await else {
        panic!("a clip was taken for a picture")
    };
    assert!(problems[0].to_string().contains("is video/mp4, and image takes a picture"), "{}", problems[0]);
    desk.engine.leave(Leave::Now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_while_a_picture_is_made_smaller_and_one_face_in_its_order() {
    let world = World::new().await;
    let mut desk = world.desk().await;
    let path = world.dir.path().join("large.png");
    std::fs::write(&path, large_picture()).unwrap();
    let mut request = Request::new(&"nanogpt/veo2-video".parse().unwrap(), "a river");
    request.params.insert("image".into(), path.to_str().unwrap().into());
    let (commands, mut events) = desk.engine.attach();
    let answered = |event: &Event| match event {
        Event::Answered { ticket, .. } => Some(*ticket),
        _ => None,
    };
    let first = desk.send(Command::Queue { jobs: vec![NewJob { shrink: true, ..NewJob::of(request) }] });
    let second = desk.send(Command::RefreshBalances);
    commands.send(1, Command::RefreshBalances);
    let other = async { while events.next().await.as_ref().and_then(answered).is_none() {} };
    tokio::select! {
        biased;
        ticket = desk.until("an answer", |event, _| answered(event)) => panic!("{ticket} came first: the engine stood still"),
        () = other => {}
    }
    for wanted in [first, second] {
        assert_eq!(desk.until("an answer", |event, _| answered(event)).await, wanted);
    }
    desk.engine.leave(Leave::Now).await;
}
