//! Arguments, config, engine, face, exit code; decides nothing. Who puts them together is `start`.

mod start;

use std::future::Future;

use rushes::cli::{self, NO_KEY, Parsed, Verb, code, out::Out};
use rushes::config::{Config, Env};
use rushes::domain::Service;
use rushes::{sim, torture};
use rustix::process::Signal;
use tokio::signal::unix::SignalKind;

use start::dashboard::dashboard;
use start::faults::{all_faults, faults};
use start::simulator::serve;
use start::verb::work;

fn main() {
    let code = match cli::parse(std::env::args_os(), sim::help()) {
        Ok(parsed) => begin(parsed),
        Err(error) => {
            // Where even this cannot be printed, the code still tells.
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(code::USAGE)
        }
    };
    std::process::exit(code.into())
}

fn begin(parsed: Parsed) -> u8 {
    let mut out = Out::default();
    let env = Env::capture();
    let config = match (&parsed.verb, Config::load(&parsed.globals, &env)) {
        (Some(Verb::Completions { shell }), _) => return cli::shells::completions(*shell, sim::help()),
        (Some(Verb::Man), _) => return cli::shells::man(sim::help()),
        (Some(Verb::Sim(asked)), _) => return wait(serve(asked.clone(), &mut out)),
        (Some(Verb::Torture(asked)), _) => return wait(torment(asked.clone(), &mut out)),
        (Some(Verb::TortureWorker { errand }), _) => {
            return wait(torture::work(errand)).map_or_else(|why| refuse(&why, &out), |()| code::DONE);
        }
        (Some(Verb::Doctor(asked)), config) => {
            let faults = config.as_ref().map_or_else(|_| Vec::new(), |config| all_faults(config, &env));
            return cli::doctor::doctor(&config, &faults, &env, asked.json, &mut out);
        }
        (_, Ok(config)) => config,
        (_, Err(error)) => return refuse(&error, &out),
    };
    let dumb = env.get("TERM") == Some("dumb");
    let plain = parsed.plain || dumb;
    if parsed.verb.is_none() && dumb && !parsed.plain {
        out.say("TERM=dumb cannot place text, so this is the plain output (--plain)");
    }
    // Keys are the dashboard's alone; what works without a screen goes on without them.
    if let Some(fault) = faults(&config, parsed.verb.is_none() && !plain).first() {
        return refuse(fault, &out);
    }
    config.warnings.iter().for_each(|warning| out.say(warning));
    if parsed.globals.verbose > 0 && parsed.verb.is_some() {
        cli::out::trace(parsed.globals.verbose);
    }
    match parsed.verb {
        None if config.accounts.is_empty() && !config.simulated => {
            out.say(format_args!("{NO_KEY}; until then this is the simulator, ten times as fast as the services"));
            look(config.simulated(), &env, parsed.globals.verbose, plain, &out)
        }
        None => look(config, &env, parsed.globals.verbose, plain, &out),
        Some(_) if config.accounts.is_empty() && !config.simulated => {
            out.say(format_args!("{NO_KEY}; or give --sim to use the simulator"));
            code::USAGE
        }
        Some(verb) => match wait(work(verb, config, parsed.globals.verbose, &mut out)) {
            Ok(code) => code,
            Err(error) => refuse(&error, &out),
        },
    }
}

fn look(config: Config, env: &Env, verbose: u8, plain: bool, out: &Out) -> u8 {
    wait(dashboard(config, env, verbose, plain, out)).unwrap_or_else(|error| refuse(&error, out))
}

/// Kills simulated days at their every step, and prints what came of it.
async fn torment(asked: cli::args::Torture, out: &mut Out) -> u8 {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return refuse(&format_args!("this program cannot be found: {error}"), out),
    };
    let services = if asked.service.is_empty() { Service::ALL.to_vec() } else { asked.service };
    let (kills, seed, brief, twice) = (Some(asked.kills), asked.seed, asked.brief, asked.twice);
    let options = torture::Options { program, kills, seed, services, brief, paired: false, twice, keep: true };
    match torture::torture(options, |line| out.say(line)).await {
        Ok(report) => {
            match asked.json {
                true => out.json(&report),
                false => report.lines().into_iter().for_each(|line| out.line(line)),
            }
            if report.is_clean() { code::DONE } else { code::SOME_FAILED }
        }
        Err(why) => refuse(&why, out),
    }
}

fn refuse(error: &dyn std::fmt::Display, out: &Out) -> u8 {
    out.say(format_args!("rushes: {error}"));
    code::USAGE
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let value = runtime.block_on(async {
                // A file that may not grow any more is an error of its write, as on a full disk, and no end of
                // a process that has orders under way. Once heard, the signal is harmless for good.
                let too_large = SignalKind::from_raw(Signal::XFSZ.as_raw());
                if let Err(error) = tokio::signal::unix::signal(too_large) {
                    tracing::warn!("a limit on the size of files would end this process: {error}");
                }
                work.await
            });
            runtime.shutdown_background();
            value
        }
        Err(error) => {
            Out::default().say(format_args!("rushes: no runtime: {error}"));
            std::process::exit(code::USAGE.into())
        }
    }
}
