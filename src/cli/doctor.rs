//! `doctor`: checks configuration, keys, directories, disk, lock and terminal, and says what to do.
//!
//! Knows what can be looked at without leaving a trace or asking anybody over the network.

use std::io::{IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::code;
use super::out::Out;
use crate::config::{Config, ConfigError, Env, Secret};
use crate::engine::{LEAST_FREE, holder};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    text: String,
}

/// Prints all checks; `faults` are of settings that config cannot judge. 0 when all is well, 1 with a warning, 2 when nothing would start.
pub fn doctor(
    config: &Result<Config, ConfigError>,
    faults: &[ConfigError],
    env: &Env,
    json: bool,
    out: &mut Out,
) -> u8 {
    let mut checks = Vec::new();
    let mut check = |check: &'static str, verdict: Verdict, text: String| checks.push(Check { check, verdict, text });
    match config {
        Err(error) => check("config", Verdict::Error, error.to_string()),
        Ok(config) => {
            let file = config.config_file.display();
            let read = match config.has_file {
                true => format!("read from {file}"),
                false => format!("no config file at {file} (none is needed)"),
            };
            // A fault names the file and the place in it.
            if faults.is_empty() {
                check("config", Verdict::Ok, read);
            }
            for fault in faults {
                check("config", Verdict::Error, fault.to_string());
            }
            for warning in &config.warnings {
                check("config", Verdict::Warning, warning.clone());
            }
            accounts(config, env, &mut check);
            directory("data", &config.data_dir, &mut check);
            directory("output", &config.output_dir, &mut check);
            match holder(&config.data_dir) {
                Some(who) => check("lock", Verdict::Ok, format!("an engine works in the data directory: {who}")),
                None => check("lock", Verdict::Ok, "no engine works in the data directory".to_owned()),
            }
        }
    }
    terminal(env, &mut check);
    let worst = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok);
    for check in &checks {
        if json {
            out.json(check);
        } else {
            let mark = match check.verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warning => "warn",
                Verdict::Error => "BAD ",
            };
            out.line(format_args!("{mark}  {:<9} {}", check.check, check.text));
        }
    }
    if json {
        out.json(&json!({"check": "all", "verdict": worst}));
    }
    match worst {
        Verdict::Ok => code::DONE,
        Verdict::Warning => code::SOME_FAILED,
        Verdict::Error => code::USAGE,
    }
}

fn accounts(config: &Config, env: &Env, check: &mut impl FnMut(&'static str, Verdict, String)) {
    if config.simulated {
        check("accounts", Verdict::Ok, "the simulator stands in for the services".to_owned());
    } else if config.accounts.is_empty() {
        let text = format!("{}; without one only the simulator can be seen", super::NO_KEY);
        check("accounts", Verdict::Warning, text);
    }
    let all_missing = config.accounts.iter().all(|account| matches!(account.secret, Secret::MissingVariable(_)));
    for account in &config.accounts {
        let place = format!("{} ({}) at {}", account.name, account.service.title(), account.base_url);
        let (verdict, key) = match &account.secret {
            Secret::Key(_) => (Verdict::Ok, "has a key".to_owned()),
            Secret::Command(_) => (Verdict::Ok, "gets its key from a command, not run now".to_owned()),
            // Others go on without it.
            Secret::MissingVariable(name) => (
                if all_missing { Verdict::Error } else { Verdict::Warning },
                format!("has no key and is left out: the variable {name} is not set; set it, or change api_key_env"),
            ),
        };
        check("accounts", verdict, format!("{place} {key}"));
    }
    if env.loopback_only {
        check("build", Verdict::Warning, "a test build: it reaches loopback only".to_owned());
    }
}

fn directory(what: &'static str, dir: &Path, check: &mut impl FnMut(&'static str, Verdict, String)) {
    let shown = dir.display();
    let Some(there) = dir.ancestors().find(|path| path.symlink_metadata().is_ok()) else {
        return check(what, Verdict::Error, format!("{shown}: no part of it exists"));
    };
    if !there.is_dir() {
        let text =
            format!("{shown} cannot be written to: {} is no directory; choose another --{what}-dir", there.display());
        return check(what, Verdict::Error, text);
    }
    if let Err(why) = takes_a_file(there) {
        let at = if there == dir { String::new() } else { format!(" at {}", there.display()) };
        let text =
            format!("{shown} cannot be written to: {why}{at}; choose another --{what}-dir, or change its rights");
        return check(what, Verdict::Error, text);
    }
    let free = rustix::fs::statvfs(there).map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    match free {
        Ok(free) if free < LEAST_FREE => {
            let text = format!("{shown}: {} MB free; nothing is ordered below {} MB", free >> 20, LEAST_FREE >> 20);
            check(what, Verdict::Warning, text);
        }
        Ok(free) => check(what, Verdict::Ok, format!("{shown}: {:.1} GB free", free as f64 / 1e9)),
        Err(error) => check(what, Verdict::Warning, format!("{shown}: free space is not known: {error}")),
    }
}

/// Tries what a run will do: rights alone do not tell, nor do they bind everybody.
fn takes_a_file(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".rushes-doctor-{}.part", std::process::id()));
    let tried = std::fs::File::create_new(&probe)?.write_all(b"may I?");
    let removed = std::fs::remove_file(&probe);
    tried.and(removed)
}

fn terminal(env: &Env, check: &mut impl FnMut(&'static str, Verdict, String)) {
    let term = env.get("TERM").unwrap_or("not set");
    if !std::io::stdout().is_terminal() {
        return check("terminal", Verdict::Ok, "standard output is no terminal; the dashboard needs one".to_owned());
    }
    if matches!(term, "not set" | "dumb") {
        let text = format!("TERM is {term}; the dashboard needs a terminal that can place its cursor");
        return check("terminal", Verdict::Warning, text);
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env.get(name)).unwrap_or_default();
    let utf8 = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    let colours = env.get("COLORTERM").map_or("", |_| ", 24-bit colour");
    let ssh = env.get("SSH_CONNECTION").map_or("", |_| ", over SSH");
    let text = format!("TERM is {term}{colours}{ssh}");
    if utf8 {
        check("terminal", Verdict::Ok, text);
    } else {
        check("terminal", Verdict::Warning, format!("{text}; the locale is not UTF-8, so ASCII is drawn"));
    }
}
