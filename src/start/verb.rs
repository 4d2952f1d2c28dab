//! A verb of the command line, from its config to its exit code.
//!
//! Knows what each verb needs before its own work: a reader, the models, keys, an engine. Must not know the work.

use rushes::catalog;
use rushes::cli::{self, Verb, change, code, model::NotSent, out::Out, shelf::Shelf};
use rushes::config::{Account, Config};
use rushes::engine::{self, Engine, EngineError};

use super::simulator::{embed, simulated_accounts};
use super::{StartError, unlock};

/// Does what a verb says.
pub(crate) async fn work(verb: Verb, mut config: Config, verbose: u8, out: &mut Out) -> Result<u8, StartError> {
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
