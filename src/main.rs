//! Arguments, config, engine, face, exit code; decides nothing.

use std::future::Future;
use std::os::unix::fs::OpenOptionsExt;

use rushes::app::{Keymap, KeymapError, views};
use rushes::catalog;
use rushes::cli::{self, NO_KEY, Parsed, Verb, change, code, model::NotSent, out::Out, shelf::Shelf};
use rushes::config::{Account, Config, ConfigError, Env};
use rushes::domain::Service;
use rushes::engine::{self, Engine, EngineError};
use rushes::media::Template;
use rushes::sim::{self, SimOptions, Simulator};
use rushes::torture;
use rushes::tui::{self, TerminalError};
use rustix::process::Signal;
use tokio::signal::unix::SignalKind;

fn main() {
    let code = match cli::parse(std::env::args_os(), sim::help()) {
        Ok(parsed) => start(parsed),
        Err(error) => {
            // Where even this cannot be printed, the code still tells.
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(code::USAGE)
        }
    };
    std::process::exit(code.into())
}

fn start(parsed: Parsed) -> u8 {
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
        None if config.accounts.is_empty() => {
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

/// What is wrong with settings that config cannot judge, since it must know neither media nor app.
fn faults(config: &Config, with_keys: bool) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    if let Some(Err(why)) = config.name_template.as_deref().map(Template::parse) {
        faults.push(config.fault("name_template", why));
    }
    if with_keys && let Err((name, why)) = views::read(&config.views) {
        faults.push(config.fault(&format!("views.{name}"), format!("views.{name}: {why}")));
    }
    if with_keys && let Err(error) = Keymap::with(config.key_overrides()) {
        let action = match &error {
            KeymapError::UnknownAction(name, _) => name.as_str(),
            KeymapError::UnknownKey(name, _) | KeymapError::Unreachable(name, _) => name,
            KeymapError::Conflict { first, .. } if config.keys.contains_key(*first) => first,
            KeymapError::Conflict { second, .. } => second,
        };
        faults.push(config.fault(&format!("keys.{action}"), error.to_string()));
    }
    faults
}

/// The same with what only the dashboard minds, such as its theme.
fn all_faults(config: &Config, env: &Env) -> Vec<ConfigError> {
    let mut faults = faults(config, true);
    if faults.is_empty() {
        let file = config.theme_file();
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        faults.extend(tui::Options::new(config, env, file.as_deref().zip(text.as_deref())).err());
    }
    faults
}

fn look(config: Config, env: &Env, verbose: u8, plain: bool, out: &Out) -> u8 {
    wait(dashboard(config, env, verbose, plain, out)).unwrap_or_else(|error| refuse(&error, out))
}

/// What can go wrong before a verb's own work.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    #[error("the simulator cannot start: {0}")]
    Simulator(#[from] std::io::Error),
}

async fn work(verb: Verb, mut config: Config, verbose: u8, out: &mut Out) -> Result<u8, StartError> {
    if config.simulated {
        // Nobody listens here; only an engine that is online needs more.
        config.accounts = simulated_accounts("http://127.0.0.1:9");
    }
    let reader = || engine::read(&config.data_dir);
    match &verb {
        Verb::List(asked) => return Ok(cli::look::list(asked, &reader()?, out)?),
        Verb::Show(asked) => return Ok(cli::look::show(asked, &reader()?, out)?),
        Verb::Explain(asked) => return Ok(cli::explain::explain(asked, &reader()?, out)?),
        Verb::Claims(asked) => {
            let service = |name: &str| config.accounts.iter().find(|a| a.name == name).map(|a| a.service);
            return Ok(cli::claims::claims(asked, &reader()?, service, out)?);
        }
        Verb::Books(asked) if asked.what.is_none() => return Ok(cli::books::books(asked, &reader()?, out)?),
        _ => {}
    }
    let account = |a: &Account| catalog::Account {
        generation: a.generation.clone(),
        ..catalog::Account::new(&a.name, a.service)
    };
    let accounts: Vec<catalog::Account> = config.accounts.iter().map(account).collect();
    let offers = engine::offers(&accounts, config.models.as_deref(), &config.data_dir)?;
    let accounts = accounts.into_iter().map(|account| account.name).collect();
    let shelf = Shelf::new(offers, accounts, |text, names| catalog::nearest(text, names));
    // Batches are judged before a key is asked for or a directory locked.
    let batch = match &verb {
        Verb::Models(asked) if asked.changes => {
            return Ok(cli::models::changes(asked, &reader()?.model_changes()?, out));
        }
        Verb::Models(asked) if !asked.refresh => {
            let built_in = catalog::Catalog::built_in().map_err(|error| EngineError::Catalog(error.to_string()))?;
            let not_sent = |service| {
                let told = built_in.not_sent(service).cloned();
                let told = told.map(|catalog::NotSent { name, reason, source }| NotSent { name, reason, source });
                told.collect()
            };
            return Ok(cli::models::models(asked, &shelf, not_sent, out));
        }
        Verb::Run(run) if run.files.is_empty() => None,
        Verb::Run(run) => Some(change::import(&run.files, &run.import, &shelf, out)),
        Verb::Add(add) if add.files.is_empty() => Some(change::one(add, &shelf, out)),
        Verb::Add(add) => Some(change::import(&add.files, &add.import, &shelf, out)),
        _ => None,
    };
    let batch = match batch.transpose() {
        Ok(batch) => batch,
        Err(code) => return Ok(code),
    };
    if let Verb::WriteOff(asked) = &verb
        && !change::agrees_to_write_off(asked.yes, &asked.jobs.ids, out)
    {
        return Ok(code::USAGE);
    }
    unlock(&mut config, out)?;
    let (batch, set_aside) = change::set_aside(batch, |name| config.accounts.iter().any(|a| a.name == name), out);
    let online = matches!(verb, Verb::Run(_) | Verb::Balance(_) | Verb::Models(_) | Verb::Adopt(_));
    let simulator = if online { embed(&mut config).await? } else { None };
    if let Verb::Balance(asked) = &verb {
        let balances = engine::balances(&cli::settings::settings(&config, "balance", true)?).await?;
        return Ok(cli::look::balance(asked.json, &balances, out));
    }
    if let Verb::Models(asked) = &verb {
        let settings = cli::settings::settings(&config, "a look at the models", true)?;
        return Ok(cli::models::refreshed(asked, &engine::refresh(&settings).await?, out));
    }
    let kind = if online { "run" } else { "a change to the queue" };
    let settings = cli::settings::settings(&config, kind, online)?;
    if online {
        engine::check_output(&settings)?;
    }
    let engine = match &verb {
        // It asks about one order and orders nothing.
        Verb::Adopt(_) => Engine::start_draining(settings).await?,
        _ => Engine::start(settings).await?,
    };
    let code = match verb {
        Verb::Run(run) => cli::run::run(batch, run.json, verbose, engine, out).await,
        Verb::Add(add) => change::add(batch.unwrap_or_default(), add.json, engine, out).await,
        Verb::Cancel(jobs) => change::change(change::Change::Cancel, jobs.ids, engine, out).await,
        Verb::Abandon(jobs) => change::change(change::Change::Abandon, jobs.ids, engine, out).await,
        Verb::Adopt(asked) => {
            let adopt = change::Change::Adopt { remote_id: asked.remote_id };
            change::change(adopt, vec![asked.job], engine, out).await
        }
        Verb::Books(cli::args::Books { what: Some(cli::args::BooksVerb::Classify(asked)), .. }) => {
            let classify = change::Change::Classify(asked.difference, asked.class(), asked.amount);
            change::change(classify, Vec::new(), engine, out).await
        }
        Verb::WriteOff(asked) => change::change(change::Change::WriteOff, asked.jobs.ids, engine, out).await,
        Verb::Resume(asked) => change::resume(asked.account, engine, out).await,
        Verb::Retry(jobs) => {
            let retry = change::Change::Retry { may_pay_twice: jobs.may_pay_twice, minimal: jobs.minimal };
            change::change(retry, jobs.ids, engine, out).await
        }
        Verb::Duplicate(jobs) => change::change(change::Change::Duplicate, jobs.ids, engine, out).await,
        Verb::Move(asked) => {
            let to = asked.to.shift();
            change::change(change::Change::Move { to }, asked.ids, engine, out).await
        }
        Verb::Tag(asked) => {
            let tag = change::Change::Tag { add: asked.add, remove: asked.remove };
            change::change(tag, asked.ids, engine, out).await
        }
        Verb::Release(jobs) => {
            change::change(change::Change::Release { ceiling: jobs.ceiling }, jobs.ids, engine, out).await
        }
        _ => code::USAGE,
    };
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    Ok(if code == code::DONE && set_aside { code::SOME_FAILED } else { code })
}

/// Makes the keys known. An account whose key cannot be had is left out and named; the others go on.
fn unlock(config: &mut Config, out: &Out) -> Result<(), ConfigError> {
    for error in config.unlock_with_shell()? {
        out.say(format_args!("{error}. It is left out until then and its jobs wait; the other accounts go on"));
    }
    Ok(())
}

/// Starts the simulator inside this process, where it stands in for the services.
async fn embed(config: &mut Config) -> Result<Option<Simulator>, std::io::Error> {
    if !config.simulated {
        return Ok(None);
    }
    let options = SimOptions { speed: f64::from(cli::settings::SIMULATED_SPEED), ..SimOptions::default() };
    let simulator = Simulator::start_with_memory(options, &config.data_dir.join("simulator.json")).await?;
    config.accounts = simulated_accounts(&simulator.url());
    Ok(Some(simulator))
}

fn simulated_accounts(url: &str) -> Vec<Account> {
    let keys = [sim::NINJACHAT_KEY, sim::NANOGPT_KEY, sim::A4F_KEY];
    let services = Service::ALL.into_iter().zip(keys);
    services.map(|(service, key)| Account::simulated(service, &format!("{url}/{service}"), key.into())).collect()
}

/// Runs the simulator for other programs until a signal.
async fn serve(asked: cli::args::Sim, out: &mut Out) -> u8 {
    let options = SimOptions {
        port: asked.port,
        speed: asked.speed,
        cheap_clips: asked.cheap_clips,
        full_size: asked.full_size,
        seed: asked.seed,
        ninjachat_new: asked.ninjachat == cli::args::Generation::New,
    };
    let simulator = match Simulator::start(options).await {
        Ok(simulator) => simulator,
        Err(error) => {
            out.say(format_args!("the simulator cannot listen on port {}: {error}", asked.port));
            return code::USAGE;
        }
    };
    for switch in &asked.variant {
        if let Err(error) = simulator.switch(switch.service.as_deref(), &switch.name, &switch.value) {
            out.say(error);
            return code::USAGE;
        }
    }
    for account in simulated_accounts(&simulator.url()) {
        let name = account.service.word().to_uppercase();
        out.line(format_args!("export RUSHES_{name}_BASE_URL={}", account.base_url));
    }
    for (name, key) in [("NINJACHAT", sim::NINJACHAT_KEY), ("NANOGPT", sim::NANOGPT_KEY), ("A4F", sim::A4F_KEY)] {
        out.line(format_args!("export {name}_API_KEY={key}"));
    }
    out.say(format_args!("the simulator listens on {}; Ctrl-C ends it", simulator.url()));
    let code = cli::run::until_signal().await.unwrap_or(code::USAGE);
    simulator.shutdown().await;
    code
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

/// The terminal face, and the engine under it; another dashboard on the same data only looks on.
async fn dashboard(mut config: Config, env: &Env, verbose: u8, plain: bool, out: &Out) -> Result<u8, StartError> {
    if !plain {
        tui::check()?;
    }
    unlock(&mut config, out)?;
    let mut options = options(&config, env)?;
    // From here on a signal waits until the engine has started, and ends it then.
    let mut stops = tui::Stops::listen().map_err(TerminalError::System)?;
    let simulator = embed(&mut config).await?;
    let settings = cli::settings::settings(&config, "dashboard", true)?;
    let (mut starting, ends) = match Engine::start_shown(settings.clone()).await {
        Ok((starting, ends)) => (Some(starting), ends),
        Err(EngineError::Locked(why)) => {
            // The screen has a badge for the fact; who it is needs all the room.
            let holder = engine::holder(&settings.data_dir).unwrap_or(why);
            (None, engine::watch(&settings, &holder)?)
        }
        Err(error) => return Err(error.into()),
    };
    if plain {
        let engine = ready(starting.as_mut()).await?;
        let signal = async || u8::try_from(stops.next().await).unwrap_or(u8::MAX - code::SIGNAL);
        let code = cli::plain::plain(engine, ends, signal, verbose).await;
        if let Some(simulator) = simulator {
            simulator.shutdown().await;
        }
        return Ok(code);
    }
    let (commands, events) = ends;
    if verbose > 0 {
        let path = config.data_dir.join("rushes.log");
        if let Ok(file) = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path) {
            cli::out::trace_to(file, verbose);
            options.log = Some(path);
        }
    }
    let dir = config.data_dir.clone();
    options.scratch = Some(tui::Scratch {
        put: Box::new(move |text| cli::scratch::put(&dir, text)),
        take: Box::new(cli::scratch::take),
    });
    let (engine, ended) = {
        let mut face = std::pin::pin!(tui::run(commands, events, options, &mut stops));
        tokio::select! {
            biased;
            ended = &mut face => {
                let ended = ended?;
                (ready(starting.as_mut()).await?, ended)
            }
            engine = ready(starting.as_mut()) => (engine?, face.await?),
        }
    };
    let code = tui::leave(engine, ended, &mut stops).await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    Ok(code)
}

/// The engine once it is ready; none where there is none to come.
async fn ready(starting: Option<&mut engine::Starting>) -> Result<Option<Engine>, EngineError> {
    match starting {
        Some(starting) => Ok(Some(starting.ready().await?)),
        None => Ok(None),
    }
}

/// How the dashboard looks; the theme is read again whenever its file, or its name in the config, is written.
fn options(config: &Config, env: &Env) -> Result<tui::Options, ConfigError> {
    let file = config.theme_file();
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let options = tui::Options::new(config, env, file.as_deref().zip(text.as_deref()))?;
    let (told, themes) = tokio::sync::mpsc::unbounded_channel();
    let follows = config.follow_theme(move |theme| told.send(theme).is_ok());
    Ok(tui::Options { themes: follows.then_some(themes), ..options })
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
