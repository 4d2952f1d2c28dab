//! Settings out of values: which source wins, what is refused, and that no key is ever shown.

use std::path::Path;

use secrecy::ExposeSecret;

use super::load::Texts;
use super::*;
use crate::domain::Service;

fn env(vars: &[(&str, &str)]) -> Env {
    Env {
        vars: vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        home: Some("/home/ann".into()),
        cwd: "/here".into(),
        loopback_only: false,
        host: "box".to_owned(),
        ..Env::default()
    }
}

fn config(text: &str, env: &Env) -> Result<Config, ConfigError> {
    let texts = Texts { config: text.to_owned(), ..Texts::default() };
    Config::assemble(&Globals::default(), env, Path::new("/c/config.toml"), texts)
}

fn refused(text: &str, vars: &[(&str, &str)]) -> String {
    config(text, &env(vars)).expect_err("must be refused").to_string()
}

#[test]
fn one_variable_is_enough_for_an_account() {
    let config = config("", &env(&[("NANOGPT_API_KEY", " sk-nano-1 ")])).unwrap();
    let [account] = config.accounts.as_slice() else { panic!("{config:?}") };
    assert_eq!((account.name.as_str(), account.service), ("nanogpt", Service::Nanogpt));
    assert_eq!(account.base_url, "https://nano-gpt.com");
    assert_eq!(account.key().unwrap().expose_secret(), "sk-nano-1");
    assert_eq!(config.data_dir, Path::new("/home/ann/.local/share/rushes"));
    assert_eq!(config.output_dir, Path::new("/home/ann/rushes"));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
    assert_eq!(refused("\nthme = \"dark\"\n", &[]), "/c/config.toml:2: unknown key `thme`; did you mean `theme`?");
    let nested = refused("[accounts.n]\nservice = \"nanogpt\"\nbase_ulr = \"x\"\n", &[]);
    assert_eq!(nested, "/c/config.toml:3: unknown key `base_ulr`; did you mean `base_url`?");
    assert!(refused("[caps]\ndya = 1", &[]).ends_with("unknown key `dya`; did you mean `day`?"));
    let model = refused("[caps.models.\"n/veo\"]\nday = 1\nweek = 2", &[]);
    assert_eq!(model, "/c/config.toml:3: unknown key `week`; known here: day, month, day_jobs, month_jobs");
    assert!(refused("[caps.models.veo]\nday = 1", &[]).starts_with("/c/config.toml:1: caps.models: `veo` is no model"));
    assert!(refused("zzz = 1", &[]).contains("known here: output_dir"));
    assert!(refused("[caps]\nday = \"lots\"", &[]).starts_with("/c/config.toml:2:"));
}

#[test]
fn a_key_of_another_service_is_refused_and_never_shown() {
    let key = "nj_sk_0123456789abcdef";
    let by_env = refused("", &[("A4F_API_KEY", key)]);
    assert!(by_env.starts_with("A4F_API_KEY: ") && by_env.contains("NinjaChat"), "{by_env}");
    let by_file = refused(&format!("[accounts.work]\nservice = \"nanogpt\"\napi_key = \"{key}\"\n"), &[]);
    assert!(by_file.starts_with("/c/config.toml:1: account work"), "{by_file}");
    for text in [by_env, by_file] {
        assert!(!text.contains("0123456789"), "{text}");
    }
    let fine = config(&format!("[accounts.work]\nservice = \"ninjachat\"\napi_key = \"{key}\""), &env(&[])).unwrap();
    assert!(!format!("{fine:?}").contains("0123456789"));
}

#[test]
fn the_base_url_keeps_its_prefix_and_plain_http_stays_at_home() {
    let vars = [("A4F_API_KEY", "ddc-a4f-1"), ("RUSHES_A4F_BASE_URL", "http://127.0.0.1:9000/a4f/")];
    assert_eq!(config("", &env(&vars)).unwrap().accounts[0].base_url, "http://127.0.0.1:9000/a4f");
    let plain = [("A4F_API_KEY", "ddc-a4f-1"), ("RUSHES_A4F_BASE_URL", "http://a4f.example")];
    assert!(refused("", &plain).starts_with("RUSHES_A4F_BASE_URL: plain http"));
    assert!(config("[accounts.a4f]\nallow_insecure = true", &env(&plain)).is_ok());
    // What only looks like loopback is not.
    let sly = [("A4F_API_KEY", "ddc-a4f-1"), ("RUSHES_A4F_BASE_URL", "http://127.0.0.1.evil.example")];
    assert!(refused("", &sly).contains("plain http"));
    assert!(refused("", &[("A4F_API_KEY", "x"), ("RUSHES_A4F_BASE_URL", "ftp://x")]).contains("no http(s) URL"));
}

#[test]
fn more_accounts_of_a_kind_come_from_the_file() {
    let text = r#"
        [accounts.work]
        service = "ninjachat"
        api_key_env = "WORK_KEY"
        base_url = "https://www.ninjachat.ai"
        max_in_flight = 3
        poll_interval = 30
        day_cap = 12.5
        [accounts.ninjachat]
        max_in_flight = 7
        [accounts.vault]
        service = "a4f"
        api_key_command = "pass a4f"
    "#;
    let vars =
        [("WORK_KEY", "nj_sk_w"), ("NINJACHAT_API_KEY", "nj_sk_n"), ("RUSHES_NINJACHAT_BASE_URL", "https://x.example")];
    let mut config = config(text, &env(&vars)).unwrap();
    let account = |config: &Config, name: &str| config.accounts.iter().find(|a| a.name == name).unwrap().clone();
    let work = account(&config, "work");
    assert_eq!((work.max_in_flight, work.poll_interval.as_secs()), (3, 30));
    assert_eq!(work.caps.day.unwrap().to_string(), "$12.50");
    assert_eq!(work.base_url, "https://www.ninjachat.ai", "its own");
    let own = account(&config, "ninjachat");
    assert_eq!((own.max_in_flight, own.base_url.as_str()), (7, "https://x.example"), "the variable wins");
    assert!(account(&config, "vault").key().is_none());
    config.unlock(|command| Ok(format!("ddc-{command}\nsecond line").replace(' ', "-"))).unwrap();
    assert_eq!(account(&config, "vault").key().unwrap().expose_secret(), "ddc-pass-a4f");
}

#[test]
fn a_key_that_cannot_be_had_says_why() {
    let mut by_env = config("[accounts.w]\nservice = \"a4f\"\napi_key_env = \"W\"", &env(&[])).unwrap();
    let error = by_env.unlock(|_| Ok(String::new())).unwrap_err().to_string();
    assert_eq!(error, "account w: the variable W is not set; set it, or change api_key_env");
    let mut by_command = config("[accounts.w]\nservice = \"a4f\"\napi_key_command = \"x\"", &env(&[])).unwrap();
    assert!(by_command.unlock(|_| Err("it ended with 1".into())).unwrap_err().to_string().contains("ended with 1"));
    assert!(by_command.unlock(|_| Ok("nj_sk_1".into())).unwrap_err().to_string().contains("NinjaChat"));
    let mut both =
        config("[accounts.w]\nservice = \"a4f\"\napi_key_env = \"W\"", &env(&[("A4F_API_KEY", "ddc-1")])).unwrap();
    let left_out = both.unlock(|_| Ok(String::new())).unwrap();
    assert!(left_out.len() == 1 && left_out[0].place == "account w", "{left_out:?}");
    assert!(both.accounts.len() == 1 && both.accounts[0].name == "a4f", "the others go on");
    assert!(refused("[accounts.w]\nservice = \"a4f\"", &[]).contains("says no key"));
    assert!(refused("[accounts.w]\napi_key = \"x\"", &[]).contains("names no service"));
    assert!(refused("[accounts.a4f]\nservice = \"nanogpt\"", &[]).contains("belongs to the service a4f"));
    assert!(refused("[accounts.\"a/b\"]\nservice = \"nanogpt\"", &[]).contains("no name for an account"));
}

#[test]
fn a_test_build_never_takes_a_real_key_from_the_environment() {
    assert!(Env::capture().loopback_only, "tests are built with the feature loopback-only");
    let mut test = env(&[("NINJACHAT_API_KEY", "nj_sk_real"), ("NANOGPT_API_KEY", "sk-nano-real")]);
    test.vars.insert("RUSHES_NANOGPT_BASE_URL".into(), "http://127.0.0.1:1/nanogpt".into());
    test.vars.insert("W".into(), "ddc-real".into());
    test.loopback_only = true;
    let config = config("[accounts.w]\nservice = \"a4f\"\napi_key_env = \"W\"", &test).unwrap();
    let names: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["nanogpt"], "only the one whose base URL is loopback");
}

#[test]
fn simulated_data_lies_apart() {
    let globals = Globals { sim: true, data_dir: Some("d".into()), ..Globals::default() };
    let at = |globals: &Globals| {
        let vars = [("A4F_API_KEY", "nj_sk_wrong")];
        Config::assemble(globals, &env(&vars), Path::new("/c/config.toml"), Texts::default()).unwrap()
    };
    let sim = at(&globals);
    assert!(sim.simulated && sim.accounts.is_empty());
    assert_eq!(sim.data_dir, Path::new("/here/d/simulator"));
    assert_eq!(sim.output_dir, Path::new("/home/ann/rushes/simulator"));
    assert_eq!(sim.clone().simulated().data_dir, sim.data_dir, "only once");
    let given = at(&Globals { output_dir: Some("~/o".into()), ..globals });
    assert_eq!(given.output_dir, Path::new("/home/ann/o"));
}

#[test]
fn what_others_check_is_named_at_its_line() {
    let text = "mouse = true\nname_template = \"{x}\"\n[keys]\nquit = \"q\"\nhelp = [\n\"?\"]\n";
    let config = config(text, &env(&[])).unwrap();
    let at = |setting: &str| config.fault(setting, "no").to_string();
    assert_eq!(at("name_template"), "/c/config.toml:2: no");
    assert_eq!((at("keys.quit"), at("keys.help")), ("/c/config.toml:4: no".into(), "/c/config.toml:5: no".into()));
    assert_eq!(at("theme"), "/c/config.toml: no");
}

#[test]
fn keys_colours_and_caps_are_read_in_every_way_they_are_written() {
    let text = "color = 256\nask_above = \"20\"\nglyphs = \"ascii\"\n[caps]\nday = 100\nmonth = \"$1000.50\"\nday_jobs = 40\nmonth_jobs = 400\n[caps.models.\"n/veo\"]\nday_jobs = 3\n[keys]\nquit = \"ctrl-q\"\nhelp = [\"?\", \"f1\"]\n";
    let config = config(text, &env(&[])).unwrap();
    assert_eq!((config.color, config.glyphs), (Color::Ansi256, Glyphs::Ascii));
    assert_eq!(config.caps.day.unwrap().to_string(), "$100.00");
    assert_eq!(config.caps.month.unwrap().to_string(), "$1000.50");
    assert_eq!((config.caps.day_jobs, config.caps.month_jobs), (Some(40), Some(400)));
    assert_eq!(config.model_caps[&"n/veo".parse().unwrap()].day_jobs, Some(3));
    assert_eq!(config.ask_above.unwrap().to_string(), "$20.00");
    assert_eq!(config.keys["help"], ["?", "f1"]);
    assert!(refused("color = \"blue\"", &[]).contains("auto, always, never, 16, 256, true"));
}

#[test]
fn views_keep_the_files_order_and_a_command_without_a_place_for_the_path_is_refused() {
    let text = "open_command = \"mpv --loop {path}\"\n[views]\nnight = \"tag:night\"\nall = \"today\"\n";
    let config = config(text, &env(&[])).unwrap();
    assert_eq!(config.open_command, ["mpv", "--loop", "{path}"]);
    assert_eq!(config.views, [("night".into(), "tag:night".into()), ("all".into(), "today".into())]);
    assert_eq!(config.fault("views.all", "no").to_string(), "/c/config.toml:4: no");
    let pathless = refused("\nopen_command = \"mpv\"", &[]);
    assert!(pathless.starts_with("/c/config.toml:2: open_command has no {path}"), "{pathless}");
}

#[test]
fn a_generation_is_fixed_by_name_and_an_unknown_one_is_refused_with_its_place() {
    let with = |service: &str, generation: &str| {
        format!("\n[accounts.w]\nservice = \"{service}\"\napi_key = \"k\"\ngeneration = \"{generation}\"\n")
    };
    for known in ["old", "new"] {
        let config = config(&with("ninjachat", known), &env(&[])).unwrap();
        assert_eq!(config.accounts[0].generation.as_deref(), Some(known));
    }
    let unknown = refused(&with("ninjachat", "newest"), &[]);
    assert_eq!(unknown, "/c/config.toml:2: account w: generation = \"newest\" is not offered; it is old or new");
    assert!(refused(&with("a4f", "old"), &[]).contains("A4F has one"));
}

#[test]
fn the_line_to_the_terminal_is_set_by_words_and_a_wrong_one_is_refused_with_its_line() {
    let text = "thrift = \"frugal\"\nclipboard = \"off\"\nlinks = \"on\"\nnotify = { command = \"say\" }\n";
    let config = config(text, &env(&[])).unwrap();
    assert_eq!((config.thrift, config.clipboard, config.links), (Thrift::Frugal, Clipboard::Off, Links::On));
    assert_eq!(config.notify, Notify::Command("say".to_owned()));
    for text in ["\nnotify = \"loud\"\n", "\nnotify = { comand = \"x\" }\n", "\nthrift = \"mean\"\n"] {
        let why = refused(text, &[]);
        assert!(why.starts_with("/c/config.toml:2: "), "{why}");
    }
}

#[test]
fn a_key_variable_that_is_no_text_is_refused_by_its_name() {
    let mut env = env(&[]);
    env.garbled.insert("NANOGPT_API_KEY".to_owned());
    let error = config("", &env).unwrap_err().to_string();
    assert!(error.contains("NANOGPT_API_KEY") && error.contains("no text; copy the key again"), "{error}");
    assert!(config("[accounts.nanogpt]\napi_key_env = \"OTHER\"", &env).is_ok(), "another variable holds its key");
}
