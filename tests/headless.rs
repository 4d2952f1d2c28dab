//! The real binary without a screen: exit codes, what goes to which stream, and what is refused.
//!
//! The services are the simulator in this process; nothing here leaves loopback.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail them")]

#[path = "support/admin.rs"]
mod admin;
mod headless {
    mod books;
    mod lost;
    pub mod place;
    mod resume;
}

use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rushes::sim;
use serde_json::json;

use headless::place::{Place, Told, row};

#[test]
fn a_batch_is_run_to_the_end_once_and_known_afterwards() {
    let place = Place::new();
    let rows = row("ninjachat/veo-3.1", "a river")
        + &row("nanogpt/veo3-1-fast-video", "a river")
        + "{\"model\":\"a4f/provider-2/kling-v2.1\",\"prompt\":\"a river\",\"copies\":2,\"tags\":[\"x\"]}\n";
    let file = place.write("rows.jsonl", &rows);
    place.rushes(&["run", &file]).exits(0).says(&["0 known, 4 new", "4 done"]);
    let jobs = place.jobs();
    assert_eq!(jobs.len(), 4);
    for job in &jobs {
        assert_eq!((job["schema"].as_u64(), job["state"].as_str()), (Some(1), Some("done")), "{job}");
        assert!(Path::new(job["file"].as_str().unwrap()).is_file(), "{job}");
        assert_eq!(job["simulated"], false);
    }
    assert_eq!(place.orders(), 4);
    place.rushes(&["run", &file]).exits(0).says(&["4 known, 0 new"]);
    assert_eq!(place.orders(), 4, "nothing is bought twice");
    place.rushes(&["run", "--again", &file]).exits(0).says(&["0 known, 4 new"]);
    assert_eq!(place.orders(), 8, "unless it is asked for");
}

#[test]
fn bad_rows_are_named_and_nothing_of_their_file_is_queued() {
    let place = Place::new();
    let long = "x".repeat(4001);
    let rows = [
        row("ninjachat/veo-3.1", "good"),
        "{\"model\":\n".to_owned(),
        row("ninjachat/veo3.1", "x"),
        row("ninjachat/veo-3.1", "  "),
        row("ninjachat/veo-3.1", &long),
        "{\"model\":\"ninjachat/veo-3.1\",\"prompt\":\"x\",\"duration\":5}\n".to_owned(),
        row("work/veo-3.1", "x"),
    ];
    let file = place.write("rows.jsonl", &rows.concat());
    let expected = [
        format!("{file}:2: row: is no JSON object"),
        format!("{file}:3: model: `ninjachat/veo3.1` is not offered; did you mean ninjachat/veo-3.1"),
        format!("{file}:4: prompt: is blank"),
        format!("{file}:5: prompt: has 4001 characters; veo-3.1 takes at most 4000 [max_len]"),
        format!("{file}:6: duration: 5 is not offered; it takes 4, 6 or 8 [one_of]"),
        format!("{file}:7: model: `work/veo-3.1` names no account of yours"),
        "nothing was queued: 6 problems in 7 rows".to_owned(),
    ];
    let parts: Vec<&str> = expected.iter().map(String::as_str).collect();
    for verb in ["run", "add"] {
        let told = place.rushes(&[verb, &file]).exits(2).says(&parts);
        assert_eq!(told.out, "");
    }
    assert_eq!((place.jobs().len(), place.orders()), (0, 0));
    place.rushes(&["run", "--skip-bad", &file]).exits(0).says(&["0 known, 1 new"]);
    assert_eq!(place.orders(), 1);
    place.rushes(&["run", "nowhere.jsonl"]).exits(2).says(&["nowhere.jsonl: cannot be read"]);
}

#[test]
fn a_table_and_standard_input_are_batches_too() {
    let place = Place::new();
    let file = place.write("rows.csv", "prompt,model,duration\n\"a, b\",ninjachat/veo-3.1,6\nx,ninjachat/veo-3.1\n");
    place.rushes(&["add", &file]).exits(2).says(&[":3: row: has 2 cells; the header has 3"]);
    let mut child = place
        .command(&["add", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(row("ninjachat/veo-3.1", "piped").as_bytes()).unwrap();
    Told::of(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(place.jobs()[0]["prompt"], "piped");
    assert_eq!(place.orders(), 0, "add sends nothing");
}

#[test]
fn without_a_key_every_verb_says_which_variables_help() {
    let place = Place::new();
    let names = ["NINJACHAT_API_KEY", "NANOGPT_API_KEY", "A4F_API_KEY", "--sim"];
    for verb in ["run", "list", "models", "balance", "books"] {
        Told::of(place.bare(&[verb]).output().unwrap()).exits(2).says(&names);
    }
    // A test build never uses a key that could spend: a real service's origin is no loopback.
    let mut real = place.bare(&["run"]);
    real.env("NINJACHAT_API_KEY", "nj_sk_planted");
    let told = Told::of(real.output().unwrap()).exits(2).says(&names);
    assert!(!told.err.contains("planted"));
}

#[test]
fn a_key_of_another_service_is_refused_without_being_shown() {
    let place = Place::new();
    let mut command = place.command(&["models"]);
    command.env("NANOGPT_API_KEY", "nj_sk_secret_0123");
    let told = Told::of(command.output().unwrap()).exits(2).says(&["NANOGPT_API_KEY", "a key of NinjaChat"]);
    assert!(!told.err.contains("0123") && !told.out.contains("0123"));
}

#[test]
fn a_mistake_in_the_config_is_named_with_its_line() {
    let place = Place::new();
    let file = place.write("c.toml", "[caps]\ndya = 3\n");
    place
        .rushes(&["--config", &file, "models"])
        .exits(2)
        .says(&[&format!("{file}:2: unknown key `dya`; did you mean `day`?")]);
    place.rushes(&["models", "--config", "/nonexistent.toml"]).exits(2).says(&["there is no such file"]);
    place.rushes(&["run", "--nonsense"]).exits(2).says(&["--nonsense"]);
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_money_moves() {
    let place = Place::new();
    let file = place.write("rows.jsonl", &row("ninjachat/veo-3.1", "x"));
    place.rushes(&["run", "--output-dir", "/dev/null/clips", &file]).exits(2).says(&["/dev/null/clips"]);
    place.rushes(&["run", "--data-dir", "/dev/null/data", &file]).exits(2).says(&["/dev/null/data"]);
    assert_eq!(place.orders(), 0);
}

/// Starts a run whose job takes long, and returns once its order is at the service.
fn long_run(place: &Place) -> Child {
    let file = place.write("slow.jsonl", &row("ninjachat/veo-3.1", "[slow] a river"));
    let mut command = place.command(&["run", &file]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none()
        && (place.orders() == 0 || place.jobs().first().is_none_or(|job| job["state"] != "running"))
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn terminate(child: &Child) {
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
}

#[test]
fn a_second_engine_is_told_who_works_here_and_a_signal_ends_the_first() {
    let place = Place::at_speed(1.0);
    let first = long_run(&place);
    place.rushes(&["run"]).exits(2).says(&["another rushes works in this data directory", "process"]);
    place.rushes(&["cancel", "j-1"]).exits(2).says(&["another rushes works"]);
    // Reading needs no lock.
    assert_eq!(place.rushes(&["show", "j-1", "--json"]).exits(0).json()[0]["state"], "running");
    terminate(&first);
    Told::of(first.wait_with_output().unwrap()).exits(143).says(&["stopping: nothing new is sent"]);
    assert_eq!(place.jobs()[0]["state"], "running", "it is polled on at the next start");
    assert_eq!(place.orders(), 1);
}

#[test]
fn a_job_that_fails_makes_the_exit_code_1() {
    let place = Place::new();
    let file = place.write("rows.jsonl", &(row("ninjachat/veo-3.1", "[fail] x") + &row("ninjachat/veo-3.1", "y")));
    place.rushes(&["run", &file]).exits(1).says(&["1 done", "1 failed"]);
    let failed = place.rushes(&["list", "--json", "--state", "failed"]).exits(0).json();
    assert_eq!((failed.len(), failed[0]["error"]["kind"].as_str()), (1, Some("generation")));
    assert!(failed[0]["error"]["answer"].as_str().unwrap().contains(r#""status":"failed""#), "{}", failed[0]);
    let id = failed[0]["id"].as_str().unwrap().to_owned();
    let child = place.rushes(&["retry", &id]).exits(0).out;
    let retried = &place.rushes(&["show", child.trim(), "--json"]).exits(0).json()[0];
    assert_eq!((retried["parent"].as_str(), retried["state"].as_str()), (Some(id.as_str()), Some("queued")));
    place.rushes(&["cancel", child.trim()]).exits(0);
    assert_eq!(place.rushes(&["show", child.trim(), "--json"]).json()[0]["state"], "cancelled");
    place.rushes(&["cancel", &id]).exits(2).says(&[&id]);
    place.rushes(&["show", "j-999"]).exits(2).says(&["there is no job j-999"]);
}

#[test]
fn queued_jobs_are_moved_labelled_and_doubled_and_nothing_is_sent() {
    let place = Place::new();
    let rows = row("ninjachat/veo-3.1", "one") + &row("ninjachat/veo-3.1", "two");
    place.rushes(&["add", &place.write("rows.jsonl", &rows)]).exits(0);
    let show = |id: &str| place.rushes(&["show", id, "--json"]).exits(0).json().remove(0);
    place.rushes(&["move", "j-2", "--top"]).exits(0).says(&["1 job moved"]);
    assert!(place.rushes(&["explain", "j-2"]).exits(0).out.contains("Moved to the top of the queue."));
    place.rushes(&["move", "j-2"]).exits(2).says(&["--top", "--down"]);
    place.rushes(&["tag", "j-1", "j-2", "--add", "night", "--add", "b"]).exits(0).says(&["2 jobs tagged"]);
    place.rushes(&["tag", "j-1", "--remove", "b"]).exits(0);
    assert_eq!((&show("j-1")["tags"], &show("j-2")["tags"]), (&json!(["night"]), &json!(["night", "b"])));
    let twin = place.rushes(&["duplicate", "j-2"]).exits(0).says(&["1 job queued once more"]).out;
    let twin = show(twin.trim());
    assert_eq!((&twin["prompt"], &twin["state"], &twin["parent"]), (&json!("two"), &json!("queued"), &json!(null)));
    assert_eq!(place.orders(), 0);
}

#[test]
fn events_come_as_json_lines_out_of_the_durable_log() {
    let place = Place::new();
    let file = place.write("rows.jsonl", &row("ninjachat/veo-3.1", "x").repeat(3));
    let told = place.rushes(&["run", "--json", &file]).exits(0);
    let events = told.json();
    let numbers: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "none is missed: {numbers:?}");
    let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((count("queued"), count("done")), (3, 3), "{events:#?}");
}

#[test]
fn the_books_and_balances_agree_with_what_was_ordered() {
    let place = Place::new();
    place
        .rushes(&["add", "--model", "ninjachat/veo-3.1", "--prompt", "x", "--duration", "6", "--copies", "2"])
        .exits(0);
    place.rushes(&["run"]).exits(0).says(&["2 done"]);
    let books = place.rushes(&["books", "--json"]).exits(0).json().remove(0);
    let own = books["accounts"].as_array().unwrap().iter().find(|a| a["account"] == "ninjachat").unwrap().clone();
    let number = |field: &str| own[field].as_f64().unwrap();
    assert!((number("charged") - 10.0).abs() < 1e-9 && number("reserved").abs() < 1e-9, "{own}");
    let balances = place.rushes(&["balance", "--json"]).json();
    let ninja = balances.iter().find(|b| b["account"] == "ninjachat").unwrap();
    // The old generation has no documented balance for keys: either nothing is told, or the truth is.
    if let Some(amount) = ninja["balances"].get(0) {
        assert_eq!(amount["amount"].to_string().parse::<f64>().unwrap(), 32.0);
    }
}

#[test]
fn the_embedded_simulator_needs_no_key_and_keeps_its_data_apart() {
    let place = Place::new();
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "x"));
    Told::of(place.bare(&["add", &file, "--sim"]).output().unwrap()).exits(0);
    let told = Told::of(place.bare(&["--sim", "list", "--json"]).output().unwrap()).exits(0);
    assert_eq!(told.json()[0]["simulated"], true);
    assert_eq!(place.jobs().len(), 0, "what is simulated lies apart");
    let models = Told::of(place.bare(&["models", "--sim", "--json"]).output().unwrap()).exits(0).json();
    assert!(models.len() > 50);
}

#[test]
fn models_are_listed_with_their_limits() {
    let place = Place::new();
    let told = place.rushes(&["models", "ninja", "veo-3.1", "--json"]).exits(0);
    let models = told.json();
    assert_eq!(models.len(), 2);
    assert_eq!(models[0]["price"]["text"], "$5.00 a clip");
    place.rushes(&["models", "nothing", "like", "this"]).exits(1).says(&["no model fits"]);
}

#[test]
fn help_completions_manual_and_doctor_need_nothing() {
    let place = Place::new();
    for args in [vec!["--help"], vec!["completions", "bash"], vec!["man"], vec!["--version"], vec!["sim", "--help"]] {
        let told = Told::of(place.bare(&args).output().unwrap()).exits(0);
        assert!(told.out.contains("rushes"), "{args:?}");
    }
    let doctor = Told::of(place.bare(&["doctor", "--json"]).output().unwrap()).exits(1);
    let checks = doctor.json();
    let of = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap()["verdict"].clone();
    assert_eq!((of("config"), of("accounts"), of("data")), ("ok".into(), "warning".into(), "ok".into()));
    let file = place.write("c.toml", "nonsense = 1");
    Told::of(place.bare(&["doctor", "--config", &file]).output().unwrap()).exits(2);
}

/// What a service says of its models is laid over what the documents say, and the two must fit.
#[test]
fn a_discovered_catalogue_fits_over_the_built_in_one_and_lowers_no_price() {
    use rushes::catalog::{Account, Catalog, contradiction};
    use rushes::domain::{Request, Service};
    use rushes::provider::{Endpoint, connect};

    let place = Place::new();
    let endpoint = Endpoint {
        service: Service::Nanogpt,
        base_url: format!("{}/nanogpt", place.admin.0),
        generation: None,
        key: sim::NANOGPT_KEY.into(),
        allow_insecure: false,
    };
    let found = place.runtime.block_on(async {
        let provider = connect(endpoint).unwrap();
        let profile = provider.probe().await.unwrap();
        provider.discover(&profile).await.unwrap()
    });
    assert!(found.len() > 40);
    let accounts = [Account::new("nanogpt", Service::Nanogpt)];
    let documents = Catalog::built_in().unwrap();
    let merged = documents.clone().with_discovered("nanogpt", &found);
    let mut priced = 0;
    for offer in merged.offers(&accounts) {
        assert_eq!(contradiction(&offer.model), None, "{}", offer.model.id);
        let Some(known) = documents.find(&offer.model_ref(), &accounts) else { continue };
        let request = Request::new(&offer.model_ref(), "x");
        if let (Some(before), Some(after)) = (request.price(&known.model), request.price(&offer.model)) {
            assert!(after.amount >= before.amount, "{}: {before} became {after}", offer.model.id);
            priced += 1;
        }
        for parameter in &known.model.parameters {
            assert!(offer.model.parameter(&parameter.name).is_some(), "{} lost {}", offer.model.id, parameter.name);
        }
    }
    assert!(priced > 15, "only {priced} prices could be compared");
}

/// Config may not know the providers, so both type the origins; they must be the same ones.
#[test]
fn an_account_without_a_base_url_lives_where_its_provider_says() {
    use rushes::config::{Config, Env, Globals};

    let keys = [("NINJACHAT_API_KEY", "nj_sk_x"), ("NANOGPT_API_KEY", "sk-nano-x"), ("A4F_API_KEY", "ddc-x")];
    let home = tempfile::tempdir().unwrap();
    let env = Env {
        vars: keys.into_iter().map(|(name, key)| (name.to_owned(), key.to_owned())).collect(),
        home: Some(home.path().to_owned()),
        cwd: home.path().to_owned(),
        loopback_only: false,
        ..Env::default()
    };
    let config = Config::load(&Globals::default(), &env).unwrap();
    assert_eq!(config.accounts.len(), 3);
    for account in config.accounts {
        assert_eq!(account.base_url, rushes::provider::default_origin(account.service));
    }
}

#[test]
fn a_setting_that_cannot_be_used_is_named_with_its_line_by_every_verb_and_by_doctor() {
    let place = Place::new();
    let file = place.write("c.toml", "mouse = false\nname_template = \"{date}-{modle}\"\n[keys]\nqiut = \"x\"\n");
    let template = format!("{file}:2: the name template knows no `{{modle}}`; it knows {{date}}");
    for verb in ["run", "list", "models"] {
        place.rushes(&["--config", &file, verb]).exits(2).says(&[&template]);
    }
    let doctor = place.rushes(&["--config", &file, "doctor"]).exits(2);
    let keys = format!("{file}:4: keys: `qiut` is no action; perhaps `quit`");
    assert!(doctor.out.contains(&template) && doctor.out.contains(&keys), "{doctor:#?}");
    let keys_only = place.write("k.toml", "[keys]\nquit = \"nonsense-q\"\n");
    let doctor = place.rushes(&["--config", &keys_only, "doctor"]).exits(2);
    assert!(doctor.out.contains(&format!("{keys_only}:2: keys.quit: ")), "{doctor:#?}");
    place.rushes(&["--config", &keys_only, "list"]).exits(0);
    // One that only the dashboard minds.
    let theme = place.write("t.toml", "mouse = false\ntheme = \"nowhere\"\n");
    let doctor = place.rushes(&["--config", &theme, "doctor"]).exits(2);
    assert!(doctor.out.contains(&format!("BAD   config    {theme}:2: ")), "{doctor:#?}");
    assert!(!doctor.out.contains("ok    config"), "{doctor:#?}");
}

#[test]
fn doctor_tries_the_directories_and_says_which_config_was_read() {
    let place = Place::new();
    for dir in ["/dev/null/clips", "/proc/clips"] {
        let doctor = place.rushes(&["doctor", "--output-dir", dir]).exits(2);
        assert!(doctor.out.contains(&format!("BAD   output    {dir} cannot be written to: ")), "{doctor:#?}");
    }
    let read = place.path("config/rushes/config.toml");
    let doctor = place.rushes(&["doctor"]);
    assert!(doctor.out.contains(&format!("read from {}", read.display())), "{doctor:#?}");
    std::fs::remove_file(&read).unwrap();
    let doctor = place.rushes(&["doctor"]);
    assert!(doctor.out.contains(&format!("no config file at {} (none is needed)", read.display())), "{doctor:#?}");
    assert!(!doctor.out.contains("read from") && !place.path("rushes").exists(), "{doctor:#?}");
}

#[test]
fn an_account_without_its_key_is_left_out_and_the_others_go_on() {
    let place = Place::new();
    let accounts = format!(
        "[accounts.studio]\nservice = \"nanogpt\"\nbase_url = \"{0}/nanogpt\"\napi_key_command = \"exit 3\"\n\
         [accounts.other]\nservice = \"a4f\"\nbase_url = \"{0}/a4f\"\napi_key_env = \"NOT_SET\"\n",
        place.admin.0
    );
    let config = place.write("c.toml", &accounts);
    let file = place.write("rows.jsonl", &(row("ninjachat/veo-3.1", "x") + &row("studio/veo2-video", "x")));
    let studio = "account studio: api_key_command failed: it ended with exit status: 3";
    let other = "account other: the variable NOT_SET is not set; set it";
    let parts = [studio, other, "the other accounts go on", "1 job for studio not queued", "1 done"];
    place.rushes(&["--config", &config, "run", &file]).exits(1).says(&parts);
    assert_eq!((place.jobs().len(), place.orders()), (1, 1));
    place.rushes(&["--config", &config, "run"]).exits(0).says(&[studio]);
    let doctor = place.rushes(&["--config", &config, "doctor"]).exits(1);
    assert!(doctor.out.contains("has no key and is left out: the variable NOT_SET"), "{doctor:#?}");
    // With no other account there is nothing to go on with.
    let alone = Told::of(place.bare(&["--config", &config, "run"]).output().unwrap()).exits(2).says(&[studio]);
    assert!(!alone.err.contains("go on"), "{alone:#?}");
}

#[test]
fn a_run_says_which_account_is_in_trouble_and_what_to_check() {
    let place = Place::new();
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "x"));
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = place.command(&["run", &file]);
    command.env("RUSHES_NANOGPT_BASE_URL", format!("http://127.0.0.1:{port}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let (said, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(stderr).map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    // Read until both are said; where one never is, until nothing more can be expected.
    let mut missing = vec!["nanogpt: cannot connect to NanoGPT", "RUSHES_NANOGPT_BASE_URL"];
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) {
        assert!(!line.starts_with("nanogpt:") || line.contains("tried again by itself"), "{line}");
        missing.retain(|part| !line.contains(part));
        if missing.is_empty() {
            break;
        }
    }
    terminate(&child);
    child.wait().unwrap();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_run_names_why_jobs_are_held_and_the_verb_that_lets_them_go() {
    let place = Place::new();
    std::fs::write(place.path("config/rushes/config.toml"), "[caps]\nday = 1\n").unwrap();
    let file = place.write("rows.jsonl", &row("ninjachat/veo-3.1", "x"));
    place.rushes(&["run", &file]).exits(1).says(&[
        "1 held",
        "1 job held: over the ",
        "once there is room, [caps] in config.toml raises it",
    ]);
}

/// A limit on the size of files is a full disk, and ends no process that has orders under way.
#[test]
fn a_limit_on_the_size_of_files_is_told_and_kills_no_run() {
    use std::io::BufRead;

    let place = Place::new();
    let file = place.write("rows.jsonl", &row("nanogpt/veo2-video", "a river").repeat(9));
    let whole = place.command(&["run", &file]);
    let mut limited = std::process::Command::new("/bin/sh");
    // 600 blocks of 512 bytes: less than the job database comes to need.
    limited.args(["-c", "ulimit -f 600; exec \"$0\" \"$@\""]).arg(whole.get_program()).args(whole.get_args());
    limited.env_clear().envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(place.dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = limited.spawn().unwrap();
    let said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    for line in said.lines().map_while(Result::ok) {
        lines.push(line);
        if lines.last().is_some_and(|line| line.contains("may not grow")) {
            break;
        }
    }
    assert!(lines.last().is_some_and(|line| line.contains("`ulimit -f`")), "{lines:#?}");
    assert_eq!(child.try_wait().unwrap(), None, "it waits for room");
    child.kill().unwrap();
    child.wait().unwrap();
    place.rushes(&["run"]).exits(0);
    assert_eq!(place.orders(), 9, "nothing is bought twice");
}
