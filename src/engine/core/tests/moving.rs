//! The user's order of the queue is on disk and obeyed; labels and copies are kept with the job.

use super::*;
use crate::domain::Shift;

/// The jobs as a step wrote them, read back.
fn written(step: &Step, disk: &mut BTreeMap<JobId, Job>) {
    for change in &step.changes {
        if let Change::PutJob(job) = change {
            let text = serde_json::to_string(&**job).unwrap();
            disk.insert(job.id, serde_json::from_str(&text).unwrap());
        }
    }
}

#[test]
fn a_moved_job_is_sent_at_its_new_turn_also_after_a_restart() {
    let (mut world, mut disk) = (World::fresh(), BTreeMap::new());
    let ids: Vec<JobId> = (0..4)
        .map(|_| {
            let (step, id) = world.queue("a river");
            written(&step, &mut disk);
            id
        })
        .collect();
    for (id, to) in [(ids[3], Shift::Top), (ids[1], Shift::Bottom)] {
        let (step, answer) = world.command(Command::Move { ids: vec![id], to });
        assert_eq!(answer, Answer::Accepted { ids: vec![id], known: 0 });
        assert!(step.changes.iter().any(|c| matches!(c, Change::AddLine(line) if line.kind == "moved")));
        written(&step, &mut disk);
    }
    let told: Vec<JobId> = world.core.jobs.queued("n").collect();
    assert_eq!(told, [ids[3], ids[0], ids[2], ids[1]]);
    let loaded = Loaded { active: disk.into_values().collect(), next_job: 5, ..Loaded::default() };
    let (mut world, step) = World::new(settings(), &offers(), loaded);
    let built: Vec<JobId> = step
        .effects
        .iter()
        .filter_map(|effect| if let Effect::Prepare { job, .. } = effect { Some(job.id) } else { None })
        .collect();
    assert_eq!(built, [ids[3], ids[0]], "in the order of their turns, not of their numbers");
    let (_, last) = world.queue("a hill");
    assert_eq!(world.core.jobs.queued("n").last(), Some(last), "a new job comes after one moved to the end");
    let running = world.running();
    let (_, answer) = world.command(Command::Move { ids: vec![running], to: Shift::Top });
    assert!(matches!(answer, Answer::Refused { .. }), "what was sent waits in no queue");
}

#[test]
fn a_held_job_comes_back_at_a_turn_of_its_own() {
    let mut world = World::fresh();
    let ids: Vec<JobId> = (0..3).map(|_| world.queue("a river").1).collect();
    world.command(Command::Move { ids: vec![ids[2]], to: Shift::Top });
    world.command(Command::Hold { ids: vec![ids[2]] });
    world.command(Command::Move { ids: vec![ids[1]], to: Shift::Top });
    world.command(Command::Release { ids: vec![ids[2]], ceiling: None });
    let turns: Vec<_> = world.core.jobs.turns("n").collect();
    assert_eq!(turns.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [ids[1], ids[2], ids[0]]);
    assert!(turns.windows(2).all(|pair| pair[0].0 < pair[1].0), "{turns:?}");
}

#[test]
fn a_copy_is_an_order_of_its_own_and_labels_reach_jobs_that_are_over() {
    let mut world = World::fresh();
    let (_, id) = world.queue("a river");
    let (_, answer) = world.command(Command::Duplicate { ids: vec![id, id] });
    let Answer::Accepted { ids, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(ids.len(), 1, "named twice is one copy");
    let (copy, first) = (world.core.job(ids[0]).unwrap(), world.core.job(id).unwrap());
    assert_eq!((&copy.request, copy.parent), (&first.request, None));
    assert_ne!(copy.correlation, first.correlation);
    let over = Job { state: JobState::Done, ..stored(77, JobState::Done) };
    let looked_up = LookedUp { finals: vec![over], ..LookedUp::default() };
    let command = Command::Tag { ids: vec![JobId(77), id], add: vec!["night".into()], remove: vec![] };
    let step = world.step(Input::Commanded { face: 1, ticket: 2, command, looked_up });
    let mut disk = BTreeMap::new();
    written(&step, &mut disk);
    assert!(disk.values().all(|job| job.request.tags == ["night"]) && disk.len() == 2);
    let (step, answer) = world.command(Command::Tag { ids: vec![id], add: vec!["two words".into()], remove: vec![] });
    assert!(matches!(answer, Answer::Refused { .. }) && step.changes.is_empty());
}
