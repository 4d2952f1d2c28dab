//! Rows that are good, rows that are not, and keys that make them known again.

use super::*;
use crate::cli::shelf::tests::shelf;

fn read(text: &str, extension: &str) -> Batch {
    read_with(text, extension, Options::default())
}

fn read_with(text: &str, extension: &str, options: Options) -> Batch {
    let shelf = shelf();
    let mut reader = Reader::new(&shelf, options);
    reader.read_from(text.as_bytes(), "b", PathBuf::new(), Some(extension)).unwrap();
    reader.finish()
}

fn problems(text: &str, extension: &str) -> Vec<String> {
    let batch = read(text, extension);
    batch.problems.iter().map(ToString::to_string).collect()
}

const GOOD: &str = r#"{"model":"ninjachat/veo-3.1","prompt":"a river","duration":6}"#;

#[test]
fn a_row_becomes_a_request_with_typed_parameters() {
    let text = "\u{FEFF}{\"model\":\"ninjachat/veo-3.1\",\"prompt\":\"a \\\"river\\\"\",\"duration\":\"6\",\"aspect_ratio\":\"9:16\",\"copies\":2,\"tags\":[\"a\",\"b\"],\"key\":\"row-17\",\"image\":null}\n\n";
    let batch = read(text, "jsonl");
    assert_eq!(batch.problems, []);
    let [first, second] = batch.jobs.as_slice() else { panic!("{batch:?}") };
    assert_eq!(first.request.params["duration"], serde_json::json!(6));
    assert_eq!((first.request.tags.len(), first.request.prompt.as_str()), (2, "a \"river\""));
    assert_eq!((first.key.as_deref(), second.key.as_deref()), (Some("row-17"), Some("row-17#2")));
    assert_eq!(first.request, second.request);
}

#[test]
fn a_misspelt_name_is_told_once_with_the_one_that_was_meant() {
    let veo = "is no parameter of veo-3.1; did you mean";
    let at = |text: &str| problems(text, "jsonl");
    let model = r#""model":"ninjachat/veo-3.1""#;
    assert_eq!(at(&format!("{{{model},\"promt\":\"x\"}}")), [format!("b:1: promt: {veo} `prompt`? [unknown]")]);
    let two = at(&format!("{{{model},\"prompt\":\"x\",\"Duration\":6,\"aspect\":\"16:9\",\"fps\":3}}"));
    assert!(
        two.iter()
            .any(|line| line.ends_with("Duration: is no parameter of veo-3.1; did you mean `duration`? [unknown]")),
        "{two:?}"
    );
    assert!(two.iter().any(|line| line.contains("fps: is no parameter of veo-3.1; it takes duration")), "{two:?}");
    assert_eq!(at(r#"{"modle":"ninjachat/veo-3.1","promt":"x"}"#).len(), 2);
    assert!(at(r#"{"modle":"ninjachat/veo-3.1","prompt":"x"}"#)[0].ends_with("did you mean `model`? [unknown]"));
}

#[test]
fn the_readmes_csv_is_read_as_it_stands() {
    let readme = include_str!("../../../README.md");
    let csv = readme.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let json = r#"{"model":"ninjachat/veo-3.1","prompt":"a paper boat, on a storm drain","duration":6,"copies":2,"tags":["boat","rain"]}
{"model":"ninjachat/veo-3.1","prompt":"a paper boat at dawn","aspect_ratio":"9:16","tags":["boat"]}"#;
    assert_eq!(read(csv, "csv").jobs, read(json, "jsonl").jobs);
}

#[test]
fn csv_says_the_same_with_the_same_names() {
    let csv = "prompt,model,duration,copies,tags,key,aspect_ratio\n\"a \"\"river\"\"\",ninjachat/veo-3.1,6,2,a;b,row-17,9:16\n";
    let json = r#"{"model":"ninjachat/veo-3.1","prompt":"a \"river\"","duration":6,"aspect_ratio":"9:16","copies":2,"tags":["a","b"],"key":"row-17"}"#;
    assert_eq!(read(csv, "csv").jobs, read(json, "jsonl").jobs);
    // Without an extension the start decides.
    assert_eq!(read(csv, "txt").jobs, read(json, "txt").jobs);
}

#[test]
fn every_problem_is_named_with_file_line_field_and_rule() {
    let long = "x".repeat(4001);
    let text = format!(
        "{GOOD}\n{{\"model\":\"ninjachat/veo-3.1\",\"prompt\":\" \",\"duration\":5}}\nnot json\n[1]\n{{\"prompt\":\"x\"}}\n{{\"model\":\"ninjachat/veo-3.1\",\"prompt\":\"{long}\"}}\n{{\"model\":\"ninjachat/veo-3.2\",\"prompt\":\"x\"}}\n{{\"model\":\"ninjachat/veo-3.1\",\"prompt\":\"x\",\"copies\":0,\"fps\":3}}\n{{\"model\":\"a\",\"model\":\"b\"}}\n"
    );
    let found = problems(&text, "jsonl");
    let expected = [
        "b:2: prompt: is blank; say what the clip shall show [blank]",
        "b:2: duration: 5 is not offered; it takes 4, 6 or 8 [one_of]",
        "b:3: row: is no JSON object at column 2",
        "b:4: row: is no JSON object at column 1",
        "b:5: model: must be given, as account/model-id [input_required]",
        "b:6: prompt: has 4001 characters; veo-3.1 takes at most 4000 [max_len]",
        "b:7: model: `ninjachat/veo-3.2` is not offered; did you mean ninjachat/veo-3.1?; `rushes models --refresh` asks the services anew [unknown]",
        "b:8: copies: 0 is not offered; it takes 1 to 1000 [range]",
        "b:8: fps: is no parameter of veo-3.1",
        "b:9: row: is no JSON object at column",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
    assert_eq!(read(&text, "jsonl").jobs.len(), 1, "the good row is still there for --skip-bad");
}

#[test]
fn a_broken_table_is_told_by_line_and_never_guessed_at() {
    assert_eq!(problems("prompt,duration\nx,6\n", "csv").len(), 1);
    assert!(problems("prompt,model,model\nx,y,z\n", "csv")[0].contains("`model` is there twice"));
    let found = problems("model,prompt\nninjachat/veo-3.1,\"two\nlines\"\nninjachat/veo-3.1\n", "csv");
    assert_eq!(found, ["b:4: row: has 1 cells; the header has 2 [csv]"]);
    let batch = read("model,prompt,duration\nninjachat/veo-3.1,x,\n", "csv");
    assert_eq!(batch.jobs[0].request.params.len(), 0, "a blank cell is a field left out");
}

#[test]
fn a_row_without_a_key_gets_the_same_one_every_time_and_equals_are_told_apart() {
    let keys = |text: &str| -> Vec<String> { read(text, "jsonl").jobs.into_iter().filter_map(|job| job.key).collect() };
    let once = keys(GOOD);
    let reordered = r#"{"duration":"6","tags":["new"],"prompt":"a river","model":"ninjachat/veo-3.1"}"#;
    assert_eq!(keys(reordered), once, "neither order, type nor tags make another row");
    let twice = keys(&format!("{GOOD}\n{GOOD}"));
    assert_eq!(twice[0], once[0]);
    assert!(once[0].ends_with("-1") && twice[1].ends_with("-2"), "{twice:?}");
    assert_eq!(keys(&GOOD.replace("6}", "6,\"copies\":2}")), twice, "a copy is an equal");
    assert_ne!(keys(&GOOD.replace(":6", ":8")), once);
    let again = Options { again: Some("2".into()), ..Options::default() };
    assert_eq!(read_with(GOOD, "jsonl", again).jobs[0].key.as_deref(), Some(format!("{}@2", once[0]).as_str()));
}

#[test]
fn one_key_is_one_request() {
    let row = |key: &str, prompt: &str| format!(r#"{{"model":"ninjachat/veo-3.1","prompt":"{prompt}","key":"{key}"}}"#);
    let other = problems(&format!("{}\n{}", row("k", "a"), row("k", "b")), "jsonl");
    assert!(other[0].starts_with("b:2: key: `k` stands for another request"), "{other:?}");
    let same = problems(&format!("{}\n{}", row("k", "a"), row("k", "a")), "jsonl");
    assert!(same[0].contains("is on line 1 already"), "{same:?}");
    let copied = row("k", "a").replace("}", ",\"copies\":2}");
    let hidden = problems(&format!("{copied}\n{}", row("k#2", "b")), "jsonl");
    assert!(hidden[0].contains("`k#2` stands for another request"), "{hidden:?}");
    let shelf = shelf();
    let mut reader = Reader::new(&shelf, Options::default());
    for _ in 0..2 {
        reader.read_from(row("k", "a").as_bytes(), "b", PathBuf::new(), None).unwrap();
        reader.read_from(GOOD.as_bytes(), "b", PathBuf::new(), None).unwrap();
    }
    let batch = reader.finish();
    assert_eq!((batch.jobs.len(), batch.repeated, batch.problems.len()), (2, 2, 0));
}

#[test]
fn a_local_file_is_checked_and_told_by_its_content() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cat.png"), b"meow").unwrap();
    std::fs::write(dir.path().join("big.png"), b"far too many bytes").unwrap();
    let shelf = shelf();
    let read = |image: &str| {
        let row = format!(r#"{{"model":"nanogpt/kling-v21-pro","prompt":"x","image":"{image}"}}"#);
        let mut reader = Reader::new(&shelf, Options::default());
        reader.read_from(row.as_bytes(), "b", dir.path().into(), None).unwrap();
        reader.finish()
    };
    let good = read("cat.png");
    assert_eq!(good.jobs[0].request.params["image"], dir.path().join("cat.png").display().to_string());
    assert_eq!(good.unpriced, 1);
    assert_eq!(read("./cat.png").jobs[0].key, good.jobs[0].key);
    std::fs::write(dir.path().join("cat.png"), b"purr").unwrap();
    assert_ne!(read("cat.png").jobs[0].key, good.jobs[0].key, "another picture is another request");
    assert!(read("none.png").problems[0].to_string().contains("[file]"));
    let big = read("big.png").problems[0].to_string();
    assert!(big.contains("18 bytes; at most 10 are taken") && big.contains("--shrink-images"), "{big}");
    let row = r#"{"model":"nanogpt/kling-v21-pro","prompt":"x","image":"big.png"}"#;
    let mut agreed = Reader::new(&shelf, Options { shrink: true, ..Options::default() });
    agreed.read_from(row.as_bytes(), "b", dir.path().into(), None).unwrap();
    let agreed = agreed.finish();
    assert!(
        agreed.problems.is_empty() && agreed.jobs[0].shrink,
        "what may be made smaller is not refused for its size"
    );
    assert_eq!(read("https://x/y.png").problems, []);
}

#[test]
fn twenty_thousand_rows_are_each_their_own() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for i in 0..20_000 {
        writeln!(text, r#"{{"model":"ninjachat/veo-3.1","prompt":"river {i}","duration":6,"tags":["x"]}}"#).unwrap();
    }
    let batch = read(&text, "jsonl");
    assert_eq!((batch.jobs.len(), batch.problems.len()), (20_000, 0));
    let keys: std::collections::HashSet<_> = batch.jobs.iter().map(|job| job.key.as_deref()).collect();
    assert_eq!(keys.len(), 20_000);
}

#[test]
fn a_line_without_an_end_does_not_fill_memory() {
    let text = format!("{}\n{GOOD}\n", "x".repeat(3 << 20));
    let batch = read(&text, "jsonl");
    assert_eq!((batch.jobs.len(), batch.problems.len()), (1, 1));
    assert_eq!((batch.problems[0].line, batch.problems[0].problem.rule.as_str()), (1, "max_bytes"));
}

#[test]
fn a_table_whose_line_never_ends_is_told_and_does_not_fill_memory() {
    let shelf = shelf();
    let mut reader = Reader::new(&shelf, Options::default());
    let endless = io::BufReader::new(io::repeat(0));
    let error = reader.read_from(endless, "-", PathBuf::new(), None).unwrap_err().to_string();
    assert!(error.contains("line 1 is longer than 1 MiB"), "{error}");
    let rows = io::BufReader::new(io::Read::chain(io::Cursor::new(format!("{GOOD}\n{{")), io::repeat(b'x')));
    let error = reader.read_from(rows, "-", PathBuf::new(), None).unwrap_err().to_string();
    assert!(error.contains("line 2 is longer than 16 MiB"), "{error}");
}

#[test]
fn a_pipe_is_neither_waited_for_as_a_picture_nor_as_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let shelf = shelf();
    let error = Reader::new(&shelf, Options::default()).read(&pipe).unwrap_err().to_string();
    assert!(error.contains("no regular file") && error.contains("`-`"), "{error}");
    assert_eq!(row::digest(&pipe), Err("it is no file".to_owned()));
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_of_nothing() {
    let at = |duration: &str| read(&GOOD.replace('6', duration), "jsonl").jobs;
    assert_eq!(at("6.0"), at("6"));
    assert!(at("6.5").is_empty());
}
