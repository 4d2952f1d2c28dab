//! Selection, marks, filters, sorting and groups while jobs change.

use super::super::filter::tests::row;
use super::*;

fn jobs(n: i64) -> Jobs {
    let mut jobs = Jobs::default();
    jobs.set_page(10);
    jobs.replace((1..=n).map(|id| row(id, JobState::Queued, "a river")).collect());
    jobs
}

fn lines(jobs: &Jobs) -> Vec<i64> {
    let number = |line| match line {
        Line::Job(row) => row.id.0,
        Line::Heading(..) => 0,
    };
    jobs.window(10).map(number).collect()
}

fn selected(jobs: &Jobs) -> i64 {
    jobs.selected().unwrap().id.0
}

#[test]
fn new_jobs_do_not_move_the_lines_under_the_cursor() {
    let mut jobs = jobs(30);
    assert_eq!((lines(&jobs)[0], selected(&jobs)), (30, 30), "the newest is on top");
    jobs.change(row(31, JobState::Queued, "b"));
    assert_eq!((lines(&jobs)[0], selected(&jobs)), (31, 31), "and is followed until the user moves");
    jobs.move_by(3);
    let before = lines(&jobs);
    jobs.change(row(32, JobState::Queued, "c"));
    assert_eq!((lines(&jobs), selected(&jobs)), (before, 28));
    jobs.move_first();
    assert_eq!((lines(&jobs)[0], selected(&jobs)), (32, 32));
}

#[test]
fn a_job_that_stops_matching_stays_under_the_cursor_until_it_leaves() {
    let mut jobs = jobs(5);
    jobs.set_filter("state:queued");
    jobs.move_by(1);
    assert_eq!(selected(&jobs), 4);
    jobs.change(row(4, JobState::Running, "a river"));
    assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 4, 3, 2, 1], 4));
    jobs.change(row(2, JobState::Running, "a river"));
    assert_eq!(lines(&jobs), [5, 4, 3, 1]);
    jobs.move_by(1);
    assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 3, 1], 3));
    jobs.set_filter("");
    assert_eq!((lines(&jobs), selected(&jobs)), (vec![5, 4, 3, 2, 1], 3));
}

#[test]
fn counts_follow_every_change_and_equal_rows_change_nothing() {
    let mut jobs = jobs(3);
    assert_eq!(jobs.change(row(2, JobState::Queued, "a river")), Change::None);
    assert_eq!(jobs.change(row(2, JobState::Held, "a river")), Change::Shown);
    let counts = jobs.counts();
    assert_eq!((counts.of(JobState::Queued), counts.of(JobState::Held), counts.needy()), (2, 1, 1));
    let mut hidden = row(2, JobState::Held, "a river");
    hidden.abandoned = true;
    jobs.change(hidden);
    assert_eq!((jobs.counts().needy(), jobs.counts().abandoned, lines(&jobs)), (0, 1, vec![3, 1]));
}

#[test]
fn progress_off_the_screen_changes_nothing_on_it() {
    let mut jobs = jobs(100);
    let mut far = row(1, JobState::Queued, "a river");
    far.progress = Some(3);
    assert_eq!(jobs.change(far), Change::None);
    let mut near = row(100, JobState::Queued, "a river");
    near.progress = Some(3);
    assert_eq!(jobs.change(near), Change::Shown);
}

#[test]
fn the_selection_is_always_on_the_screen_whatever_is_pressed() {
    let mut jobs = jobs(57);
    let mut seed = fastrand::Rng::with_seed(7);
    for i in 0..2_000 {
        match seed.u8(..8) {
            0 => jobs.move_by(1),
            1 => jobs.move_by(-1),
            2 => jobs.move_page(true),
            3 => jobs.move_page(false),
            4 => jobs.toggle_mark(),
            5 => {
                let states = JobState::ALL;
                jobs.change(row(seed.i64(1..80), states[seed.usize(..states.len())], "a river"));
            }
            6 => jobs.set_filter(["", "state:queued", "-state:held", "nothing at all"][seed.usize(..4)]),
            _ => jobs.set_page(seed.usize(1..20)),
        }
        let (top, all) = jobs.scroll();
        assert!(top + jobs.page() <= all.max(jobs.page()), "step {i}: scrolled past the end");
        assert_eq!(all == 0, jobs.selected().is_none(), "step {i}");
        if let Some(line) = jobs.selected_line() {
            assert!((top..top + jobs.page()).contains(&line) || jobs.page() == 0, "step {i}: {line} {top}");
        }
    }
}

#[test]
fn verbs_act_on_the_marks_else_on_the_selection() {
    let mut jobs = jobs(5);
    assert_eq!(jobs.targets(), [JobId(5)]);
    jobs.toggle_mark();
    jobs.toggle_mark();
    assert_eq!((jobs.targets(), selected(&jobs)), (vec![JobId(4), JobId(5)], 3));
    assert!(jobs.clear_marks() && !jobs.clear_marks());
}

/// Looks on until all was looked at; how many steps that took.
fn search_out(jobs: &mut Jobs) -> usize {
    (0..)
        .find(|_| {
            let searching = jobs.is_searching();
            jobs.work();
            !searching
        })
        .unwrap()
}

#[test]
fn a_hundred_thousand_jobs_are_searched_in_steps_and_changes_meanwhile_are_not_lost() {
    let mut jobs = Jobs::default();
    jobs.set_page(10);
    let prompt = |id: i64| if id % 1_000 == 7 { "a red camera" } else { "a river" };
    jobs.replace((1..=100_000).map(|id| row(id, JobState::Queued, prompt(id))).collect());
    assert!(jobs.is_searching(), "the first step shows the newest");
    assert_eq!((lines(&jobs)[0], jobs.shown()), (100_000, search::STEP));
    jobs.set_filter("cmra");
    assert_eq!(lines(&jobs)[0], 99_007, "the first results are there at once");
    assert!(jobs.shown() < 10 && jobs.searched() < 10);
    // Before the search comes there, one leaves and one comes; behind it, one comes and one leaves.
    for (id, prompt) in [(5_007, "x"), (5_006, "camera"), (99_990, "camera"), (99_007, "x")] {
        jobs.change(row(id, JobState::Queued, prompt));
    }
    assert!(search_out(&mut jobs) <= 100_000 / search::STEP + 2);
    assert_eq!(jobs.shown(), 100);
    let found: Vec<i64> = jobs.lines.from(0).filter_map(Key::job).map(|id| id.0).collect();
    assert!(found.contains(&5_006) && !found.contains(&5_007) && found.is_sorted_by(|a, b| a > b), "{found:?}");
    jobs.set_filter("cmra state:failed");
    assert!(!jobs.is_searching(), "what narrows looks only at what was shown");
    jobs.set_filter("");
    jobs.mark_all();
    search_out(&mut jobs);
    assert_eq!((jobs.shown(), jobs.marked()), (100_000, 100_000), "what is found later is marked, too");
    jobs.sort_by(Column::Cost);
    search_out(&mut jobs);
    let mut dear = row(100_001, JobState::Queued, "a river");
    dear.cost = Some(crate::domain::Money::usd(9.into()));
    jobs.move_by(3);
    let before = lines(&jobs);
    jobs.change(dear);
    search_out(&mut jobs);
    assert_eq!(lines(&jobs), before, "what comes in above moves nothing on the screen");
    jobs.move_first();
    assert_eq!(lines(&jobs)[0], 100_001);
}

#[test]
fn nothing_is_sorted_again_by_itself_and_a_moved_job_goes_where_the_user_put_it() {
    let mut jobs = jobs(4);
    let priced = |id: i64, dollars: i64| {
        let mut row = row(id, JobState::Queued, "a river");
        row.cost = Some(crate::domain::Money::usd(dollars.into()));
        row
    };
    (1..=4).for_each(|id| _ = jobs.change(priced(id, id)));
    jobs.sort_by(Column::Cost);
    assert_eq!(lines(&jobs), [4, 3, 2, 1]);
    jobs.change(priced(1, 99));
    assert_eq!(lines(&jobs), [4, 3, 2, 1], "not under the cursor");
    jobs.sort_by(Column::Cost);
    assert_eq!(lines(&jobs), [2, 3, 4, 1], "the other way round");
    jobs.sort_by(Column::Queue);
    assert_eq!(lines(&jobs), [1, 2, 3, 4], "the next to be sent first");
    let mut moved = priced(3, 3);
    moved.turn = jobs.get(JobId(1)).unwrap().turn.before();
    jobs.change(moved);
    assert_eq!(lines(&jobs), [3, 1, 2, 4]);
    assert_eq!(jobs.counts().place(jobs.get(JobId(3)).unwrap(), 9), Some(1));
    assert!(jobs.stand_plainly() && !jobs.stand_plainly());
    assert_eq!(lines(&jobs), [4, 3, 2, 1]);
}

#[test]
fn groups_have_headings_that_no_cursor_stops_at_and_that_count_what_changes() {
    let mut jobs = Jobs::default();
    jobs.set_page(10);
    let of = |id: i64, batch: Option<i64>, state| {
        let mut row = row(id, state, if id % 2 == 0 { "even" } else { "odd" });
        row.batch = batch;
        row
    };
    let batches = [Some(1), Some(2), None, Some(1), Some(2)];
    jobs.replace((1..).zip(batches).map(|(id, batch)| of(id, batch, JobState::Queued)).collect());
    jobs.group_by(Group::Batch);
    assert_eq!(lines(&jobs), [0, 5, 2, 0, 4, 1, 0, 3]);
    let headings = |jobs: &Jobs| -> Vec<(String, usize, usize)> {
        let heading = |line| match line {
            Line::Heading(title, h) => Some((title.to_string(), h.jobs(), h.of(JobState::Done))),
            Line::Job(_) => None,
        };
        jobs.window(10).filter_map(heading).collect()
    };
    jobs.change(of(1, Some(1), JobState::Done));
    let heading = |title: &str, jobs, done| (title.to_owned(), jobs, done);
    assert_eq!(headings(&jobs), [heading("batch 2", 2, 0), heading("batch 1", 2, 1), heading("no batch", 1, 0)]);
    jobs.move_first();
    for wanted in [2, 4, 1, 3, 3] {
        jobs.move_by(1);
        assert_eq!(selected(&jobs), wanted);
    }
    for wanted in [1, 4, 2, 5, 5] {
        jobs.move_by(-1);
        assert_eq!(selected(&jobs), wanted);
    }
    jobs.set_filter("-state:done");
    jobs.change(of(4, Some(1), JobState::Done));
    assert_eq!(lines(&jobs), [0, 5, 2, 0, 3], "an empty group has no heading");
    jobs.set_filter("");
    jobs.group_by(Group::Prompt);
    assert_eq!(lines(&jobs), [0, 5, 3, 1, 0, 4, 2], "as their newest jobs stand");
}

#[test]
fn a_failed_job_needs_the_user_until_it_is_tried_again() {
    let mut jobs = jobs(3);
    jobs.change(row(1, JobState::Failed, "a river"));
    assert_eq!(jobs.counts().needy(), 1);
    let mut late = row(2, JobState::Running, "a river");
    late.late = true;
    jobs.change(late);
    let mut held = row(3, JobState::Held, "a river");
    held.note = Some("held by you".to_owned());
    jobs.change(held);
    assert_eq!(jobs.counts().needy(), 2, "what the user holds needs nobody");
    let mut again = row(4, JobState::Queued, "a river");
    again.parent = Some(JobId(1));
    assert_eq!(jobs.change(again), Change::Shown);
    assert_eq!((jobs.counts().needy(), jobs.child_of(JobId(1))), (1, Some(JobId(4))));
    let rows: Vec<JobRow> = jobs.newest().cloned().collect();
    jobs.replace(rows);
    assert_eq!(jobs.counts().needy(), 1, "also after a new start");
}

#[test]
fn marks_are_set_in_steps_and_whole_before_anything_else_is_shown() {
    let mut jobs = jobs(5_000);
    jobs.set_filter("state:queued");
    search_out(&mut jobs);
    jobs.mark_all();
    assert_eq!((jobs.marked(), jobs.searched()), (search::STEP, 100), "the first lines at once");
    assert!(jobs.is_marked(JobId(5_000)) && !jobs.is_marked(JobId(2)));
    jobs.change(row(1, JobState::Running, "a river"));
    jobs.set_filter("");
    assert_eq!((jobs.marked(), jobs.is_marked(JobId(1))), (4_999, false), "but what matches no more");
    jobs.mark_all();
    jobs.sort_by(Column::Cost);
    search_out(&mut jobs);
    assert_eq!(jobs.marked(), 5_000, "in whatever order");
    jobs.mark_all();
    jobs.clear_marks();
    search_out(&mut jobs);
    assert_eq!(jobs.marked(), 0);
    jobs.mark_all();
    jobs.toggle_mark();
    assert_eq!(jobs.marked(), 4_999, "one is taken out of all");
}

#[test]
fn after_any_changes_the_table_is_what_a_fresh_one_shows() {
    let mut random = fastrand::Rng::with_seed(5);
    let any = |random: &mut fastrand::Rng, id: i64| {
        let mut row =
            row(id, JobState::ALL[random.usize(..JobState::ALL.len())], ["a river", "a fjord"][id as usize % 2]);
        row.batch = [None, Some(1), Some(2)][id as usize % 3];
        row.cost = random.bool().then(|| crate::domain::Money::usd(random.i64(1..9).into()));
        row.progress = Some(random.u8(..100));
        row
    };
    let shown = |jobs: &Jobs| -> Vec<Key> { jobs.lines.from(0).collect() };
    let headings = |jobs: &Jobs| -> Vec<(String, String)> {
        let all = jobs.lines.from(0).filter(|key| key.job().is_none());
        let said = |key: Key| {
            let Some(Line::Heading(title, heading)) = jobs.lines.heading(key.group()).and_then(|h| jobs.headed(h))
            else {
                panic!("a heading of no group")
            };
            let states = JobState::ALL.map(|state| heading.of(state));
            (title.to_string(), format!("{states:?} {:?}", heading.sums().collect::<Vec<_>>()))
        };
        all.map(said).collect()
    };
    for round in 0..60 {
        let text = ["", "state:queued", "-state:done cost>3", "river"][round % 4];
        let column = Column::ALL[round % Column::ALL.len()];
        let group = [Group::None, Group::Batch, Group::Prompt][round % 3];
        let mut jobs = Jobs::default();
        jobs.set_page(10);
        jobs.replace((1..=1_500).map(|id| any(&mut random, id)).collect());
        jobs.set_filter(text);
        jobs.sort_by(column);
        jobs.group_by(group);
        for n in 0..400 {
            // Now and then before the search has come to it.
            if n % 10 == 0 {
                jobs.work();
            }
            let id = random.i64(1..1_600);
            jobs.change(any(&mut random, id));
        }
        search_out(&mut jobs);
        // A job that stopped matching stays while it is selected.
        jobs.move_first();
        jobs.move_by(1);
        jobs.move_by(1);
        let mut fresh = Jobs::default();
        fresh.set_page(10);
        fresh.filter = jobs.filter.clone();
        (fresh.sort, fresh.group) = (jobs.sort, jobs.group);
        fresh.replace(jobs.newest().cloned().collect());
        search_out(&mut fresh);
        let ids = |jobs: &Jobs| -> BTreeSet<JobId> { shown(jobs).into_iter().filter_map(Key::job).collect() };
        assert_eq!(ids(&jobs), ids(&fresh), "round {round}: {text}");
        let in_order = |jobs: &Jobs| headings(jobs).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(in_order(&jobs), in_order(&fresh), "round {round}: {group:?}");
        jobs.sort_by(column);
        jobs.sort_by(column);
        search_out(&mut jobs);
        let other = jobs.sort != fresh.sort;
        fresh.sort_by(column);
        if !other {
            fresh.sort_by(column);
        }
        search_out(&mut fresh);
        assert_eq!(shown(&jobs), shown(&fresh), "round {round}: {column:?} {group:?}");
        assert_eq!(headings(&jobs), headings(&fresh), "round {round}: {column:?} {group:?}");
    }
}
